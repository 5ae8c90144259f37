#!/usr/bin/env bash
# The shipped files are built alone, are small enough, and hold nothing that is for tests.
# needs: cc=gcc strings=binutils /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
ship_windows

# Bytes: 2.5 MB and 2.2 MB, stripped.
smaller() { [ "$(stat -c %s "$1")" -le "$2" ] || fail "$1 has $(stat -c %s "$1") bytes, more than $2"; }
smaller "$SHIP/linux/libors.so" 2500000
smaller "$SHIP/windows/ors.dll" 2200000

# The names that are looked for are those that the sources use.
grep -rqF 'fn ors_test_clock_set' "$ROOT/src" || fail "the test clock has another name now: look for that one"
grep -rqF '"test-disk: ' "$ROOT/src/store/disk/lent.rs" || fail "the disks of tests have other words now: look for those"
grep -rqF '"test-panic: ' "$ROOT/src/injected.rs" || fail "the panics of tests have other words now: look for those"
for file in "$SHIP/linux/libors.so" "$SHIP/windows/ors.dll"; do
  if strings -a "$file" | grep -E 'test[-_](clock|disk|panic)|set_(wall|boot)_offset|injected'; then
    fail "$file holds what only tests may have"
  fi
  # Paths of the machine that built it have no business at a customer's.
  if strings -a "$file" | grep -F -e "$ROOT/" -e "$HOME/"; then
    fail "$file names folders of this machine"
  fi
done
