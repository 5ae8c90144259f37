#!/usr/bin/env bash
# Sizes, offsets and numbers are the frozen ones, 64 and 32 bit, in C and in C#.
# needs: gcc=gcc x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix i686-w64-mingw32-gcc=gcc-mingw-w64-i686-posix mcs=mono-mcs mono=mono-runtime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

out=$TARGET/layouts
mkdir -p "$out"
with=()
! grep -q '^} ors_assistance;' "$ROOT/include/ors.h" || with=(-DWITH_ASSISTANCE)
for compiler in gcc x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc; do
  "$compiler" -std=c11 -Wall -Wextra -Wpedantic -Werror "${with[@]}" -I"$ROOT/include" "$ROOT/tests/abi/layout.c" -o "$out/layout-$compiler"
  echo "ok $compiler"
done
"$out/layout-gcc" >"$out/c.txt"
csharp_host
mono "$CSHARP/Host.exe" --layout >"$out/csharp.txt"
diff "$out/c.txt" "$out/csharp.txt" || fail "the structs of examples/csharp/Native.cs are not those of ors.h"
