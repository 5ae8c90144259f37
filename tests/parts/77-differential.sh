#!/usr/bin/env bash
# A verifier written in Python from docs/licence-format.md alone gives the library's answer for made-up and mutated files, to the last field.
# soak
# needs: cc=gcc python3=python3 python:ensurepip=python3-venv
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

began=$SECONDS
many=$(count 20000 1000000)
python_env
fuzz=$ROOT/tests/fuzz
# Its profiles are not those of the library's own workspace: a folder for both would hold now one build, now the other.
export CARGO_TARGET_DIR=$TARGET/fuzz-plain
cd "$fuzz"
cargo build --quiet --locked -p targets --bin judge
judge=$CARGO_TARGET_DIR/debug/judge
compare() { "$PYTHON" -B "$fuzz/differential/compare.py" "$@"; }
echo "built: $((SECONDS - began)) s"

# tell FAULT OUTPUT: the row of a comparison, out of its last line.
tell() {
  local tried harmed
  echo "$2"
  read -r tried _ harmed _ <<<"$(grep -E '^[0-9]+ tried, [0-9]+ harmed$' <<<"$2")"
  row "$1" "${tried:-0}" "${harmed:-1}"
}

# One number wrong in the other verifier has to be seen.
said=$(compare "$judge" --control "$fuzz/differential/cases.json")
grep -qE '^[0-9]+ tried, [1-9][0-9]* harmed$' <<<"$said" || fail "a wrong verifier was not noticed: $said"

tell "a second verifier, files at the edges of the format, by name" "$(compare "$judge" --cases "$fuzz/differential/cases.json")"
tell "a second verifier, made-up and mutated licences, key lists and time files" "$(compare "$judge" "$many" 1)"
echo "differential: $((SECONDS - began)) s"
