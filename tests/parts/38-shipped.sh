#!/usr/bin/env bash
# The shipped library: loading it has no effect, a panic in it is contained, its code stays mapped, nothing of tests is in it.
# needs: gcc=gcc nm=binutils strings=binutils
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
out=$TARGET/shipped
rm -rf "$out"
mkdir -p "$out/licences" # the state folder is made by the library
cp "$HOSTS"/licence-1/*.ors.json "$out/licences/"

# The clock, the disks and the panics of tests: found where they are, so that looking for them can fail, and not where they must not be.
holds_what_tests_use() { # holds_what_tests_use FILE
  { nm -D --defined-only "$1" 2>/dev/null || true; nm --defined-only "$1" 2>/dev/null || true; strings -a "$1"; } |
    grep -cE 'ors_test_clock|test[-_](clock|disk|panic)' || true
}
printf 'int ors_test_clock_set(void);\nint ors_test_clock_set(void) { return 0; }\n' >"$out/sample-clock.c"
printf 'const char *const said = "test-disk: a disk that a test lent";\n' >"$out/sample-disk.c"
printf 'const char *const said = "test-panic: a panic that a test asked for";\n' >"$out/sample-panic.c"
for sample in clock disk panic; do
  gcc -c "$out/sample-$sample.c" -o "$out/sample-$sample.o"
  [ "$(holds_what_tests_use "$out/sample-$sample.o")" -gt 0 ] || fail "the look for the $sample of tests finds nothing"
done
for file in "$SHIP/linux/libors.so" "$SHIP/linux/libors.a"; do
  [ "$(holds_what_tests_use "$file")" -eq 0 ] || fail "$file holds what only tests may have"
done

# -rdynamic: the library finds this program's clock_gettime before the C library's.
gcc -std=c11 -O1 -Wall -Wextra -Wpedantic -Werror -I"$ROOT/include" "$ROOT/tests/abi/shipped.c" -o "$out/shipped" \
  -rdynamic -ldl -lpthread -lm
status=0
timeout 120 "$out/shipped" "$SHIP/linux/libors.so" "$out/licences" "$out/state" "$HOSTS/keys.txt" \
  "$HOSTS"/licence-1/*.ors.json >"$out/said" 2>"$out/panics" || status=$?
cat "$out/said" "$out/panics"
[ "$status" -eq 0 ] || fail "exit code $status"
# One for each call that failed, and one of the library's own thread: the panics were real.
[ "$(grep -c 'panicked at' "$out/panics")" -ge 8 ] || fail "the shipped library did not panic"
