/* What an agent costs that talks to a back office over TLS and has nothing to do:
 * idle LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE OFFICE-URL CA-FILE ORGANISATION CODE SECONDS
 * Prints resident kilobytes before and after, and the processor time of the idle seconds in per cent. */
#include "host.h"

#include <fcntl.h>
#include <sys/resource.h>

static long resident(void) {
  char text[2048];
  long kilobytes = -1;
  int file = open("/proc/self/smaps_rollup", O_RDONLY | O_CLOEXEC);
  ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
  if (length > 0) {
    text[length] = 0;
    const char *line = strstr(text, "\nRss:");
    if (line != NULL) kilobytes = atol(line + 5);
  }
  if (kilobytes < 0) FAIL("/proc/self/smaps_rollup tells nothing");
  close(file);
  return kilobytes;
}

static double processor(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) + (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

int main(int count, char **arguments) {
  static char keys[4096], settings[512], text[16384];
  if (count != 10) FAIL("nine arguments");
  long before = resident();
  library ors = load(arguments[1]);
  int32_t (*settings_set)(ors_agent, const char *, size_t, const char *, size_t, ors_error *);
  int32_t (*settings_get)(ors_agent, char *, size_t, size_t *);
  *(void **)&settings_set = symbol(ors.handle, "ors_settings_set");
  *(void **)&settings_get = symbol(ors.handle, "ors_settings_get");
  ors_options options;
  ors_error error;
  ors_agent agent = 0;
  ORS_INIT(&options);
  ORS_INIT(&error);
  read_file(arguments[4], keys, sizeof keys);
  options.state_folder = arguments[2];
  options.licence_folder = arguments[3];
  options.product = "prismaprepare";
  options.trusted_keys = keys;
  options.office_url = arguments[5];
  options.office_ca_file = arguments[6];
  if (ors.open(&options, &agent, &error) != ORS_OK) FAIL("ors_open: %s", error.message);
  wait_for_sequence(&ors, agent, 1, 10);
  snprintf(settings, sizeof settings, "{\"enabled\":true,\"organisation_id\":\"%s\",\"verification_code\":\"%s\"}", arguments[7],
           arguments[8]);
  if (settings_set(agent, settings, ORS_NTS, NULL, 0, &error) != ORS_OK) FAIL("ors_settings_set: %s", error.message);
  for (int i = 0;; i++) {
    if (settings_get(agent, text, sizeof text, NULL) != ORS_OK) FAIL("ors_settings_get");
    if (strstr(text, "\"enrolment\":\"active\"")) break;
    if (i > 200) FAIL("not enrolled: %s", text);
    pause_for(50000);
  }
  /* Check, first poll and report are over then. */
  pause_for(3000000);
  long seconds = atol(arguments[9]);
  double from = processor();
  pause_for(seconds * 1000000);
  double used = processor() - from;
  printf("%ld %ld %.4f\n", before, resident(), used / (double)seconds * 100);
  return ors.close(agent, ORS_DEFAULT_WAIT) == ORS_OK ? 0 : 1;
}
