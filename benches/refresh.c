/* What a page refresh costs: refresh LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE NOOP.so FLOOR.so ROUNDS
 *
 * Three functions behind the same kind of boundary, a pointer from dlsym: a no-op, the floor, ors_notify_status. Every round times all
 * three on one thread and then on two at once, in turning order, so that whatever else the machine does meets all of them.
 * Prints "threads name nanoseconds" with the median over all rounds. */
#include "host.h"

#include <pthread.h>
#include <stdatomic.h>

enum { FUNCTIONS = 3, CALLS = 20000, MOST_ROUNDS = 20000 };

typedef int32_t (*call)(uint64_t, void *);

static const char *const names[FUNCTIONS] = { "noop", "floor", "notify" };
static call functions[FUNCTIONS];
static ors_agent agent;
static int rounds;
static pthread_barrier_t woken;
static atomic_int arrivals;
static double alone[FUNCTIONS][MOST_ROUNDS], together[2][FUNCTIONS][MOST_ROUNDS];

/* One loop for all three: the same instructions at the same addresses, only the target differs. */
__attribute__((noinline)) static double timed(call function) {
  ors_notice_status status;
  ORS_INIT(&status);
  int32_t codes = 0;
  double began = now();
  for (int i = 0; i < CALLS; i++) codes |= function(agent, &status);
  double ended = now();
  if (codes != 0) FAIL("a call failed: %d", codes);
  return (ended - began) / CALLS;
}

/* Sleeps until the other thread is there too, so that nothing spins beside a measurement of one thread; then both spin for a moment, so
 * that they begin together. */
static void meet(int meeting) {
  pthread_barrier_wait(&woken);
  atomic_fetch_add(&arrivals, 1);
  while (atomic_load(&arrivals) < 2 * meeting) {}
}

static void both(int thread, int round) {
  for (int turn = 0; turn < FUNCTIONS; turn++) {
    int which = (round + turn) % FUNCTIONS;
    meet(round * FUNCTIONS + turn + 1);
    together[thread][which][round] = timed(functions[which]);
  }
}

static void *second(void *unused) {
  for (int round = 0; round < rounds; round++) both(1, round);
  return unused;
}

static int by_size(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(double *values, int count) {
  qsort(values, (size_t)count, sizeof *values, by_size);
  return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

int main(int argc, char **argv) {
  if (argc != 8) FAIL("refresh LIBRARY STATE-FOLDER LICENCE-FOLDER KEYS-FILE NOOP FLOOR ROUNDS");
  library ors = load(argv[1]);
  void *noop = dlopen(argv[5], RTLD_NOW | RTLD_LOCAL), *floor_library = dlopen(argv[6], RTLD_NOW | RTLD_LOCAL);
  if (noop == NULL || floor_library == NULL) FAIL("%s", dlerror());
  rounds = atoi(argv[7]);
  if (rounds < 1 || rounds > MOST_ROUNDS) FAIL("1 to %d rounds", MOST_ROUNDS);
  *(void **)&functions[0] = symbol(noop, "noop");
  *(void **)&functions[1] = symbol(floor_library, "floor_call");
  *(void **)&functions[2] = symbol(ors.handle, "ors_notify_status");
  agent = open_agent(&ors, argv, 0);
  wait_for_sequence(&ors, agent, 1, 10);

  for (int which = 0; which < FUNCTIONS; which++) timed(functions[which]);
  pthread_t other;
  pthread_barrier_init(&woken, NULL, 2);
  if (pthread_create(&other, NULL, second, NULL) != 0) FAIL("no thread");
  for (int round = 0; round < rounds; round++) {
    for (int turn = 0; turn < FUNCTIONS; turn++) {
      int which = (round + turn) % FUNCTIONS;
      alone[which][round] = timed(functions[which]);
    }
    both(0, round);
  }
  pthread_join(other, NULL);

  for (int which = 0; which < FUNCTIONS; which++) {
    printf("1 %s %.4f\n", names[which], median(alone[which], rounds));
    /* Both threads' rounds count: copy the second's behind the first's. */
    static double pair[2 * MOST_ROUNDS];
    memcpy(pair, together[0][which], (size_t)rounds * sizeof *pair);
    memcpy(pair + rounds, together[1][which], (size_t)rounds * sizeof *pair);
    printf("2 %s %.4f\n", names[which], median(pair, 2 * rounds));
  }
  int32_t code = ors.close(agent, 2000);
  if (code != ORS_OK) FAIL("ors_close: %d", code);
  return 0;
}
