/* From the licence folder to the page: dropped LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE ARRIVALS FIRST LAST
 * Copies ARRIVALS/FIRST.ors.json ... LAST.ors.json (their `users` is their sequence) into the folder as a person would, one at a time and
 * at no particular moment of the second, and prints for each the milliseconds from the end of the copy until ors_notify_status shows it. */
#include "host.h"

static void copy(const char *from, const char *to) {
  static char text[1 << 20];
  size_t length = read_file(from, text, sizeof text);
  FILE *file = fopen(to, "wb");
  if (file == NULL || fwrite(text, 1, length, file) != length || fclose(file) != 0) FAIL("cannot write %s", to);
}

int main(int argc, char **argv) {
  if (argc != 8) FAIL("dropped LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE ARRIVALS FIRST LAST");
  library ors = load(argv[1]);
  ors_agent agent = open_agent(&ors, argv, 0);
  int first = atoi(argv[6]), last = atoi(argv[7]);
  wait_for_sequence(&ors, agent, (uint64_t)first - 1, 10);
  for (int sequence = first; sequence <= last; sequence++) {
    char from[4096], to[4096];
    snprintf(from, sizeof from, "%s/%d.ors.json", argv[5], sequence);
    /* In turn over the file in use, and beside it under a name of its own. */
    if (sequence % 2 == 0) snprintf(to, sizeof to, "%s/prismaprepare-1234567890.ors.json", argv[3]);
    else snprintf(to, sizeof to, "%s/from the mail %d.ors.json", argv[3], sequence);
    pause_for(1000L * ((sequence * 377L) % 1000));
    copy(from, to);
    double began = now();
    for (;;) {
      ors_notice_status notices;
      ORS_INIT(&notices);
      if (ors.notify_status(agent, &notices) != ORS_OK) FAIL("ors_notify_status failed");
      if (notices.users == (uint32_t)sequence) break;
      if (now() - began > 10e9) FAIL("licence %d is not seen after 10 s: %u users", sequence, notices.users);
      pause_for(200);
    }
    printf("%.1f\n", (now() - began) / 1e6);
  }
  return ors.close(agent, 2000) == ORS_OK ? 0 : 1;
}
