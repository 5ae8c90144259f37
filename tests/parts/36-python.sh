#!/usr/bin/env bash
# Licences that the Python library securesystemslib signed are taken; it takes ours.
# needs: gcc=gcc python3=python3 python:ensurepip=python3-venv
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

python_env
"$ROOT/tests/licence/interop.sh" "$PYTHON"

# The same through the shipped library, as an installer asks it.
ship_linux
licences
out=$HOSTS/python
rm -rf "$out"
mkdir -p "$out/theirs"
theirs() { "$PYTHON" "$ROOT/tests/licence/interop.py" "$@"; }
gcc -std=c99 -I"$ROOT/include" "$ROOT/examples/c/check_update.c" -o "$out/check_update" \
  -L"$SHIP/linux" -lors -Wl,-rpath,"$SHIP/linux"
host=("$out/check_update" --product prismaprepare --release-date "$(date +%F)" --licence-folder "$out/theirs")

theirs verify "$HOSTS"/licence-1/*.ors.json "$HOSTS/keys.txt" licence 1 "$out/payload.json"
theirs sign "$out/payload.json" application/vnd.ors.licence+json licence "$out/theirs/licence.ors.json" "$out/keys.txt" theirs-1
expect 0 -- "${host[@]}" --keys "$out/keys.txt"
# The key id only helps to find the key: another name for it changes nothing, another key does.
sed 's/theirs-1/known-as-something-else/' "$out/keys.txt" >"$out/renamed.txt"
expect 0 -- "${host[@]}" --keys "$out/renamed.txt"
expect 2 -- "${host[@]}" --keys "$HOSTS/keys.txt"
