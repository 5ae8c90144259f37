#!/usr/bin/env bash
# A C host loads, opens, closes and unloads, and forks under load: nothing is left behind and nothing hangs. On Linux and under wine.
# soak
# needs: gcc=gcc /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
ship_windows
licences
out=$TARGET/life
rm -rf "$out"
mkdir -p "$out/bin"
cp "$SHIP/windows/ors.dll" "$out/bin/"
strict=(-O1 -Wall -Wextra -Werror -I"$ROOT/include")
gcc -std=gnu11 "${strict[@]}" "$ROOT/tests/hosts/life/life.c" -o "$out/bin/life" -ldl -lpthread
gcc -std=gnu11 "${strict[@]}" "$ROOT/tests/hosts/life/fork.c" -o "$out/bin/fork" -ldl -lpthread
x86_64-w64-mingw32-gcc -std=gnu11 "${strict[@]}" "$ROOT/tests/hosts/life/life.c" -o "$out/bin/life.exe"

# host NAME LIBRARY COMMAND... -- MORE-ARGUMENTS: runs a host in a place of its own; what it prints is in $said.
host() {
  local place=$out/$1 library=$2 command=() began=$SECONDS
  shift 2
  while [ "$1" != -- ]; do command+=("$1"); shift; done
  shift
  mkdir -p "$place/licences"
  cp "$HOSTS"/licence-1/*.ors.json "$place/licences/"
  said=$("${command[@]}" "$library" "$(local_path "$place/state")" "$(local_path "$place/licences")" "$(local_path "$HOSTS/keys.txt")" "$@")
  said=${said//$'\r'/}
  echo "$place $*: $said ($((SECONDS - began)) s)"
}

cycles=$(count 1000 10000)
linux=$SHIP/linux/libors.so
host leak "$linux" timeout 60 "$out/bin/life" -- 20 leak
read -r _ _ _ harmed <<<"$said"
[ "$harmed" -eq 1 ] || fail "an agent that is left open is not noticed"

host life "$linux" timeout 600 "$out/bin/life" -- "$cycles"
read -r asked tried growth harmed <<<"$said"
row "load, open, close, unload: threads, descriptors, memory (Linux)" $((asked + tried)) "$harmed"
[ "$growth" -lt 1024 ] || fail "memory grew by $growth KiB"

host fork "$linux" timeout 900 "$out/bin/fork" -- "$(count 1000 30000)"
read -r tried harmed <<<"$said"
row "forks of a busy host, from threads, with and without exec" "$tried" "$harmed"

windows_env
local_path() { wine_path "$1"; }
host windows "$(wine_path "$out/bin/ors.dll")" timeout 1800 "$WINE" "$(wine_path "$out/bin/life.exe")" -- "$cycles"
read -r asked tried growth harmed <<<"$said"
row "load, open, close, unload: threads, handles, memory (wine)" $((asked + tried)) "$harmed"
