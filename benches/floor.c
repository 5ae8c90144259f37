/* The least that ors_notify_status can do: hand out 64 bytes and look at the coarse clock. No handle, no ring, no dates. */
#define _GNU_SOURCE
#include <stdint.h>
#include <string.h>
#include <time.h>

/* Not static and not const: the compiler has to read it. Copied straight to its place, since bytes that are read back in wider
 * pieces than they were written cost several nanoseconds. */
uint64_t answer[8] = { 64, 1, 2, 3, 4, 5, 6, 7 };

__attribute__((visibility("default"))) int32_t floor_call(uint64_t agent, void *out) {
  struct timespec time;
  uint64_t seconds;
  (void)agent;
  clock_gettime(CLOCK_REALTIME_COARSE, &time);
  seconds = (uint64_t)time.tv_sec;
  memcpy(out, answer, sizeof answer);
  memcpy((char *)out + 56, &seconds, sizeof seconds);
  return 0;
}
