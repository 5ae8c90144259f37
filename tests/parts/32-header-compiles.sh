#!/usr/bin/env bash
# The header, alone and twice, in every language that takes it, without a warning.
# needs: gcc=gcc g++=g++ x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix i686-w64-mingw32-gcc=gcc-mingw-w64-i686-posix
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

out=$TARGET/header-compiles
rm -rf "$out"
mkdir -p "$out"
printf '#include "ors.h"\n' >"$out/alone.c"
printf '#include "ors.h"\n#include "ors.h"\n' >"$out/twice.c"
# ORS_INIT and the constants in use, on every struct that the header has.
{
  printf '#include "ors.h"\nint32_t use(void);\nint32_t use(void) {\n'
  grep -oE '^\} ors_[a-z_]+;' "$ROOT/include/ors.h" | tr -d '};' | while read -r type; do
    printf '  %s a_%s;\n' "$type" "$type"
  done
  grep -oE '^\} ors_[a-z_]+;' "$ROOT/include/ors.h" | tr -d '};' | while read -r type; do
    printf '  ORS_INIT(&a_%s);\n' "$type"
  done
  printf '  return a_ors_error.code == ORS_E_NULL && ORS_NTS == SIZE_MAX ? ORS_OK : ORS_E_INTERNAL;\n}\n'
} >"$out/used.c"
grep -q 'ORS_INIT(&a_ors_notice_status)' "$out/used.c" || fail "no structs found in include/ors.h"

strict=(-Wall -Wextra -Wpedantic -Werror -I"$ROOT/include" -c -o "$out/object")
for file in alone twice used; do
  for compiler in gcc x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc; do
    for standard in c99 c11 c2x; do
      "$compiler" -std=$standard "${strict[@]}" "$out/$file.c"
      echo "ok $compiler -std=$standard $file"
    done
  done
  for standard in c++11 c++17 c++20; do
    g++ -x c++ -std=$standard "${strict[@]}" "$out/$file.c"
    echo "ok g++ -std=$standard $file"
  done
done
