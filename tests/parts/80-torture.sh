#!/usr/bin/env bash
# All exported functions at random, with hostile arguments, from 64 threads: each returns what the model says; also under AddressSanitizer and valgrind.
# soak
# needs: cc=gcc valgrind=valgrind
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
cargo build --quiet --locked -p torture
torture=$TARGET/debug/torture
shipped=$SHIP/linux/libors.so

began=$SECONDS
"$torture" --library "$shipped" --threads 64 --calls "$(count 200000 10000000)" \
  --row "calls of all functions at random, with hostile arguments, from 64 threads"
echo "torture: $((SECONDS - began)) s"

# blind TEXT COMMAND...: whoever watches has to see a byte that is read behind its block, and to say so.
blind() {
  local text=$1 output
  shift
  if output=$("$@" --overrun 2>&1) || ! grep -qF -- "$text" <<<"$output"; then
    echo "$output"
    fail "a byte read behind its block is not seen: $*"
  fi
}

# Every thread in its turn: valgrind runs one at a time.
began=$SECONDS
watch=(valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite --fair-sched=yes)
blind 'Invalid read' "${watch[@]}" "$torture"
"${watch[@]}" "$torture" --library "$shipped" --threads 64 --calls "$(count 4000 100000)" --row "the same under valgrind, the shipped file"
echo "valgrind: $((SECONDS - began)) s"

began=$SECONDS
(
  # A target folder and a target of their own, so that build scripts and macros stay as they are.
  export RUSTC_BOOTSTRAP=1 RUSTFLAGS=-Zsanitizer=address CARGO_PROFILE_DEV_DEBUG=line-tables-only
  cargo build --quiet --locked -p torture --target x86_64-unknown-linux-gnu --target-dir "$TARGET/asan"
)
sanitized=$TARGET/asan/x86_64-unknown-linux-gnu/debug/torture
echo "built with AddressSanitizer: $((SECONDS - began)) s"
began=$SECONDS
blind 'heap-buffer-overflow' "$sanitized"
"$sanitized" --threads 64 --calls "$(count 50000 1000000)" --row "the same under AddressSanitizer"
echo "AddressSanitizer: $((SECONDS - began)) s"
