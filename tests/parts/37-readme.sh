#!/usr/bin/env bash
# What README.md shows works as it stands there, and every test that docs/operations.md names exists.
# needs: gcc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
cargo build --quiet --locked -p issuer
work=$TARGET/readme
rm -rf "$work"
mkdir -p "$work/try"

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

# Every test of the table of bad input is there.
sed -n '/^## Bad input/,$p' "$ROOT/docs/operations.md" | grep -oE '`[a-z0-9]+(_[a-z0-9]+)+`' | tr -d '`' | sort -u >"$work/tests"
[ "$(wc -l <"$work/tests")" -gt 20 ] || fail "docs/operations.md has no table of bad input"
while read -r name; do
  grep -rqE "fn $name\\b" --include='*.rs' "$ROOT/src" "$ROOT/tests" || fail "docs/operations.md names the test $name, which is not there"
done <"$work/tests"

# shows LICENCE-FOLDER KEYS TEXT...: the host says each TEXT. A first open waits a second for the folder, which a busy computer may need.
shows() {
  local folder=$1 keys=$2 try
  shift 2
  for try in 1 2 3 4 5; do
    rm -rf "$work/state"
    "$work/embed" "$work/state" "$folder" "$keys" | grep -qxF -- "$1" && break
  done
  rm -rf "$work/state"
  expect 0 "$@" -- "$work/embed" "$work/state" "$folder" "$keys"
}

# With a licence that has something to tell.
keys=$(cat "$HOSTS/keys.txt")
shows "$HOSTS/licence-1" "$keys" '5 users' 'Maintenance ends in '
expect 1 'state_folder: ' -- "$work/embed" relative/path "$HOSTS/licence-1" "$keys"

# With the keys and licences that the commands make.
block 'commands: licence' >"$work/commands.sh"
grep -q 'issuer licence new' "$work/commands.sh" || fail "README.md has no block after <!-- commands: licence -->"
(cd "$work/try" && PATH="$TARGET/debug:$PATH" bash -euo pipefail "$work/commands.sh" </dev/null)
keys=$(cat "$work/try/trusted_keys.txt")
shows "$work/try/licences" "$keys" '5 users'
cp "$work/try/newer.ors.json" "$work/try/licences/"
shows "$work/try/licences" "$keys" '10 users'
