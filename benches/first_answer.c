/* How long a fresh process waits for its first answer: first_answer LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE
 * Prints the microseconds of loading, opening read only, and answering. The answer has to be that of a genuine licence. */
#include "host.h"

int main(int argc, char **argv) {
  if (argc != 5) FAIL("first_answer LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE");
  double began = now();
  library ors = load(argv[1]);
  double loaded = now();
  ors_agent agent = open_agent(&ors, argv, ORS_OPEN_READ_ONLY);
  double opened = now();
  ors_licence_status status = licence_status(&ors, agent);
  double answered = now();
  if (status.state != ORS_LICENCE_VALID) FAIL("the first answer is state %u, reason %d", status.state, status.reason);
  printf("%.1f %.1f %.1f\n", (loaded - began) / 1e3, (opened - loaded) / 1e3, (answered - opened) / 1e3);
  ors.close(agent, 0);
  return 0;
}
