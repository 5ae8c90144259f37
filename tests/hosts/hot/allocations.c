/* Counts allocations in 1 M refreshes and 1 M log-ins: allocations LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE
 * under count_allocations.so. Prints two numbers: those of opening (which must not be 0, or nothing was counted) and those of the calls. */
#include "host.h"

int main(int argc, char **argv) {
  if (argc != 5) FAIL("allocations LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE");
  unsigned long long (*count)(void);
  *(void **)&count = symbol(RTLD_DEFAULT, "allocations_of_this_thread");
  library ors = load(argv[1]);
  unsigned long long before_open = count();
  ors_agent agent = open_agent(&ors, argv, 0);
  unsigned long long opened = count() - before_open;
  wait_for_sequence(&ors, agent, 1, 10);

  unsigned long long before = count();
  int32_t codes = 0;
  for (int i = 0; i < 1000000; i++) {
    ors_notice_status notices;
    ors_licence_status licence;
    ORS_INIT(&notices);
    ORS_INIT(&licence);
    codes |= ors.notify_status(agent, &notices) | ors.check_licence(agent, &licence);
  }
  printf("%llu %llu\n", opened, count() - before);
  if (codes != 0) FAIL("a call failed: %d", codes);
  return ors.close(agent, 2000) == ORS_OK ? 0 : 1;
}
