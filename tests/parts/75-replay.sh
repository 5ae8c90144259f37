#!/usr/bin/env bash
# Every input that fuzzing kept, on a stack of 64 KiB and without a sanitizer: no crash, no allocation over 1 MiB, every promise holds.
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

began=$SECONDS
fuzz=$ROOT/tests/fuzz
# Its profiles are not those of the library's own workspace: a folder for both would hold now one build, now the other.
export CARGO_TARGET_DIR=$TARGET/fuzz-plain
corpus=$fuzz/corpus
files=$(find "$corpus" -type f | wc -l)
bytes=$(find "$corpus" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum }')
echo "corpus: $files inputs, $bytes bytes"
[ "$files" -le 1200 ] && [ "$bytes" -le 600000 ] || fail "the corpus has grown too large"

cd "$fuzz"
cargo fmt --check
cargo clippy --quiet --locked -p targets --all-targets -- -D warnings
cargo test --quiet --locked -p targets --lib
cargo build --quiet --locked -p targets --bin replay --bin seeds
replay=$CARGO_TARGET_DIR/debug/replay

# Inputs get folders of their own, in memory where there is some.
place=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$TARGET")")
trap 'rm -rf "$place"' EXIT

# The first inputs are those that the program makes: nobody else could say what they are.
"$CARGO_TARGET_DIR/debug/seeds" "$place/seeds"
(cd "$place/seeds" && find . -type f) | while read -r seed; do
  cmp "$place/seeds/$seed" "$corpus/$seed" || fail "the seeds are older than what makes them: cargo run -p targets --bin seeds corpus"
done

# What must be noticed is noticed.
for control in control-allocation control-stack; do
  status=0
  TMPDIR=$place "$replay" --input "$control" "$fuzz/formats.dict" >/dev/null 2>"$place/said" || status=$?
  [ "$status" -ne 0 ] || fail "$control was not noticed"
  grep -qE 'one allocation of|overflowed its stack' "$place/said" || fail "$control: $(tail -n 3 "$place/said")"
done

targets=$("$replay" --targets)
[ "$(wc -w <<<"$targets")" -ge 10 ] || fail "there are too few targets: $targets"
for target in $targets; do
  status=0
  TMPDIR=$place timeout 120 "$replay" "$corpus" "$target" >"$place/said" 2>"$place/names" || status=$?
  said=$(grep "^$target: " "$place/said" || true)
  # No line: the process ended in the midst of the input that it named last.
  if [ -z "$said" ]; then
    tail -n 5 "$place/names"
    said="$target: $(find "$corpus/$target" -type f | wc -l) tried, 1 harmed"
  elif [ "$status" -ne 0 ]; then
    grep -B1 -A2 panicked "$place/names" | cut -c1-500 | head -n 40
  fi
  echo "$said"
  read -r _ tried _ harmed _ <<<"$said"
  row "replay on 64 KiB of stack: $target" "$tried" "$harmed"
done
echo "replay: $((SECONDS - began)) s"
