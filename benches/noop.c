/* The smallest call through a shared library: what every ratio is measured against. */
#include <stdint.h>

__attribute__((visibility("default"))) int32_t noop(uint64_t agent, void *out) {
  (void)agent;
  (void)out;
  return 0;
}
