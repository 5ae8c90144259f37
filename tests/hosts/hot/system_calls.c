/* For strace: system_calls LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE OPEN-FLAGS CALLS
 * Refreshes CALLS times between two writes that no one else makes. */
#include "host.h"

/* Fails with EBADF by intent: it is there to be seen in the trace. */
static void mark(const char *text) {
  if (write(-1, text, strlen(text)) != -1) FAIL("a write to no file succeeded");
}

int main(int argc, char **argv) {
  if (argc != 7) FAIL("system_calls LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE OPEN-FLAGS CALLS");
  library ors = load(argv[1]);
  ors_agent agent = open_agent(&ors, argv, (uint32_t)strtoul(argv[5], NULL, 0));
  long calls = atol(argv[6]);
  int32_t codes = 0;
  ors_notice_status notices;
  ORS_INIT(&notices);
  mark("refreshes begin");
  for (long i = 0; i < calls; i++) codes |= ors.notify_status(agent, &notices);
  mark("refreshes end");
  if (codes != 0) FAIL("a call failed: %d", codes);
  return ors.close(agent, 2000) == ORS_OK ? 0 : 1;
}
