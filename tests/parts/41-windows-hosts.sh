#!/usr/bin/env bash
# The C examples for Windows, with the DLL and the static library, under wine.
# needs: /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_windows
licences
windows_env
local_path() { wine_path "$1"; }
strict=(-std=c99 -O1 -Wall -Wextra -Wpedantic -Werror -I"$ROOT/include")
read -ra system <"$SHIP/windows/static-libraries"
bin=$HOSTS/bin-windows
mkdir -p "$bin"
cp "$SHIP/windows/ors.dll" "$bin/"
for program in page_refresh check_update; do
  x86_64-w64-mingw32-gcc "${strict[@]}" "$ROOT/examples/c/$program.c" -o "$bin/$program.exe" "$SHIP/windows/libors.dll.a"
  x86_64-w64-mingw32-gcc "${strict[@]}" -DORS_STATIC "$ROOT/examples/c/$program.c" -o "$bin/$program-static.exe" \
    "$SHIP/windows/libors.a" "${system[@]}"
done
for kind in "" -static; do
  host=("$WINE" "$bin/check_update$kind.exe")
  check_update_story "windows-check$kind"
  host=("$WINE" "$bin/page_refresh$kind.exe")
  page_story "windows-page$kind"
done
