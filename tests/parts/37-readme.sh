#!/usr/bin/env bash
# What README.md shows works as it stands there: the commands that make a licence, and the host in C.
# needs: gcc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
work=$TARGET/readme
rm -rf "$work"
mkdir -p "$work/try" "$work/state-1" "$work/state-2"

# block MARKER: the fenced block after the line <!-- MARKER -->
block() {
  awk -v marker="<!-- $1 -->" '
    $0 == marker { wanted = 1; next }
    wanted == 1 && /^```/ { wanted = 2; next }
    wanted == 2 && /^```/ { exit }
    wanted == 2 { print }' "$ROOT/README.md"
}

block 'snippet: embed.c' >"$work/embed.c"
lines=$(wc -l <"$work/embed.c")
[ "$lines" -gt 10 ] || fail "README.md has no block after <!-- snippet: embed.c -->"
[ "$lines" -le 30 ] || fail "the host of README.md has grown to $lines lines"
gcc -std=c99 -Wall -Wextra -Wpedantic -Werror -I"$ROOT/include" "$work/embed.c" -o "$work/embed" \
  -L"$SHIP/linux" -lors -Wl,-rpath,"$SHIP/linux"

# Every library, tool and document that README.md names is there.
grep -oE '\]\([^)#]+\)' "$ROOT/README.md" | sed 's/^](//; s/)$//' | grep -v '^http' | sort -u | while read -r path; do
  [ -e "$ROOT/$path" ] || fail "README.md names $path, which is not there"
done

# With a licence that has something to tell.
keys=$(cat "$HOSTS/keys.txt")
expect 0 '5 users' 'Maintenance ends in ' -- "$work/embed" "$work/state-1" "$HOSTS/licence-1" "$keys"
expect 1 'state_folder: ' -- "$work/embed" relative/path "$HOSTS/licence-1" "$keys"

# With the keys and licences that the commands make.
block 'commands: licence' >"$work/commands.sh"
grep -q 'issuer licence new' "$work/commands.sh" || fail "README.md has no block after <!-- commands: licence -->"
(cd "$work/try" && PATH="$TARGET/debug:$PATH" bash -euo pipefail "$work/commands.sh" </dev/null)
keys=$(cat "$work/try/trusted_keys.txt")
expect 0 '5 users' -- "$work/embed" "$work/state-2" "$work/try/licences" "$keys"
cp "$work/try/newer.ors.json" "$work/try/licences/"
# An open answers with the last known licence; that it looked into the folder meanwhile is nowhere promised.
for _ in $(seq 50); do
  ! "$work/embed" "$work/state-2" "$work/try/licences" "$keys" | grep -qx '10 users' || break
  sleep 0.2
done
expect 0 '10 users' 'Your licence has changed. New: Imposition. Users: 10 (before: 5).' -- \
  "$work/embed" "$work/state-2" "$work/try/licences" "$keys"
