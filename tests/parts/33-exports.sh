#!/usr/bin/env bash
# The libraries export exactly what is listed, and ask for nothing but the system.
# needs: nm=binutils /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
ship_windows
listed=$TARGET/exports-listed
found=$TARGET/exports-found
grep -v '^#' "$ROOT/tests/abi/exports.txt" | sort >"$listed"

# same FILE WHAT: `found` has to be the list, name by name.
same() { sort -u "$found" | diff "$listed" - || fail "$1 differs from tests/abi/exports.txt"; }

nm -D --defined-only --format=posix "$SHIP/linux/libors.so" | cut -d ' ' -f 1 >"$found"
same "what libors.so exports"
x86_64-w64-mingw32-objdump -p "$SHIP/windows/ors.dll" |
  awk '/\[Ordinal\/Name Pointer\] Table/ { on = 1; next } /^$/ { on = 0 } on { print $NF }' >"$found"
same "what ors.dll exports"
grep -oE '\bORS_CALL ors_[a-z_]+\(' "$ROOT/include/ors.h" | sed 's/ORS_CALL //; s/($//' >"$found"
same "what ors.h declares"

readelf -d "$SHIP/linux/libors.so" | grep -q 'SONAME.*\[libors\.so\.0\]' || fail "libors.so has another SONAME"
readelf -d "$SHIP/linux/libors.so" | grep -q 'NODELETE' || fail "libors.so may be unloaded"
readelf -d "$SHIP/linux/libors.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r library; do
  case $library in
    libc.so.6 | libm.so.6 | libgcc_s.so.1 | ld-linux-x86-64.so.2) ;;
    *) fail "libors.so needs $library" ;;
  esac
done
# The compiler's own run-time DLLs are on no customer's machine.
x86_64-w64-mingw32-objdump -p "$SHIP/windows/ors.dll" | sed -n 's/.*DLL Name: //p' | tr 'A-Z' 'a-z' | while read -r library; do
  echo "ors.dll needs $library"
  case $library in
    libgcc* | libwinpthread* | libstdc*) fail "ors.dll needs $library, which is no part of Windows" ;;
  esac
done
