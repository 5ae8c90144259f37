#!/usr/bin/env bash
# Licences that the Python library securesystemslib signed are taken; it takes ours.
# needs: gcc=gcc python3=python3 python:ensurepip=python3-venv
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
python_env
issuer=$TARGET/debug/issuer
out=$HOSTS/python
rm -rf "$out"
mkdir -p "$out" "$HOSTS/bin"
gcc -std=c99 -I"$ROOT/include" "$ROOT/examples/c/check_update.c" -o "$HOSTS/bin/check_update" -L"$SHIP/linux" -lors -Wl,-rpath,"$SHIP/linux"
host=("$HOSTS/bin/check_update" --product prismaprepare --release-date "$(date +%F)")

# Theirs, by ours: under a key id that we know it by, under one that we do not, and beside a signature by somebody else.
"$PYTHON" "$SUPPORT/interop.py" sign "$out"
for case in named unnamed two-signatures; do
  expect 0 'Print Room' -- "$issuer" show "$out/$case/licence.ors.json" --keys "$out/keys.txt"
  expect 0 -- "${host[@]}" --keys "$out/keys.txt" --licence-folder "$out/$case"
done
expect 2 -- "${host[@]}" --keys "$out/keys.txt" --licence-folder "$out/foreign"

# Ours, by theirs; and one changed letter is noticed, so that "taken" means something.
"$PYTHON" "$SUPPORT/interop.py" verify "$HOSTS/keys.txt" "$HOSTS"/licence-1/*.ors.json
expect 1 'not signed' -- "$PYTHON" "$SUPPORT/interop.py" verify "$HOSTS/keys.txt" "$HOSTS/forged.ors.json"
