#!/usr/bin/env bash
# Hostile bytes that libFuzzer makes up, for every place at which bytes come in, under AddressSanitizer.
# soak
# needs: cc=gcc c++=g++
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

began=$SECONDS
fuzz=$ROOT/tests/fuzz
# Its profiles are not those of the library's own workspace: a folder for both would hold now one build, now the other.
export CARGO_TARGET_DIR=$TARGET/fuzz-plain
seconds=$(count 20 600)
out=$TARGET/fuzz-run
rm -rf "$out"
mkdir -p "$out"

# libFuzzer's coverage and AddressSanitizer come with the stable compiler, behind options that it gives to those who ask twice.
# --target keeps them away from build scripts and macros.
host=$(rustc -vV | sed -n 's/^host: //p')
cd "$fuzz"
RUSTC_BOOTSTRAP=1 RUSTFLAGS="-Zsanitizer=address -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
  -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
  -Cllvm-args=-simplifycfg-branch-fold-threshold=0" \
  cargo build --quiet --locked --release -p fuzz --target "$host" --target-dir "$TARGET/fuzz"
fuzzer=$TARGET/fuzz/$host/release/fuzz
cargo build --quiet --locked -p targets --bin replay
targets=$("$CARGO_TARGET_DIR/debug/replay" --targets)
echo "built: $((SECONDS - began)) s"

# Folders for inputs in memory where there is some.
place=$(mktemp -d -p "$([ -w /dev/shm ] && echo /dev/shm || echo "$TARGET")")
trap 'rm -rf "$place"' EXIT

# Leaks are looked for where agents open and close a thousand times; here a board that is never freed would be one.
export ASAN_OPTIONS=detect_leaks=0:malloc_context_size=8
# fuzz_for SECONDS TARGET ARGUMENT...
fuzz_for() {
  local target=$2 limit=$1
  shift 2
  mkdir -p "$out/$target/found" "$place/$target"
  ORS_FUZZ_TARGET=$target TMPDIR=$place/$target timeout $((limit + 120)) "$fuzzer" -timeout=20 -rss_limit_mb=2048 -detect_leaks=0 \
    -print_final_stats=1 -artifact_prefix="$out/$target/broken-" "$@" >"$out/$target/log" 2>&1
}

# What must be noticed is noticed.
printf 'an input' >"$place/input"
for control in 'control-memory heap-buffer-overflow' 'control-allocation one allocation of' 'control-time libFuzzer: timeout'; do
  read -r target says <<<"$control"
  ! fuzz_for 60 "$target" -timeout=2 "$place/input" || fail "$target was not noticed"
  grep -qF -- "$says" "$out/$target/log" || fail "$target: $(tail -n 5 "$out/$target/log")"
done

# Two at a time. Large inputs are tried as they are: a fuzzer that begins with them stays with them.
mkdir -p "$place/start"
for target in $targets; do
  mkdir "$place/start/$target"
  find "$fuzz/corpus/$target" -type f ! -name 'large-*' -exec cp -t "$place/start/$target" {} +
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n || true; done
  {
    status=0
    mapfile -t large < <(find "$fuzz/corpus/$target" -type f -name 'large-*')
    [ ${#large[@]} -eq 0 ] || fuzz_for 120 "$target" "${large[@]}" || status=$?
    [ "$status" -ne 0 ] || fuzz_for "$seconds" "$target" -max_total_time="$seconds" -max_len=8000 -dict="$fuzz/formats.dict" \
      "$out/$target/found" "$place/start/$target" || status=$?
    echo "$status" >"$out/$target/status"
  } &
done
wait

for target in $targets; do
  log=$out/$target/log
  tried=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
  broken=("$out/$target"/broken-*)
  harmed=0
  [ "$(cat "$out/$target/status")" -eq 0 ] || harmed=1
  if [ "$harmed" -ne 0 ]; then
    grep -E -A3 'panicked at|ERROR: |SUMMARY: ' "$log" | cut -c1-500 | head -n 40
    for input in "${broken[@]}"; do
      [ ! -e "$input" ] || echo "$input: put it into $fuzz/corpus/$target once it is mended"
    done
  fi
  grep -E '^#[0-9]+\s+DONE' "$log" | sed "s/^/$target: /" || true
  row "fuzzed $seconds s under AddressSanitizer: $target" "${tried:-0}" "$harmed"
done
echo "fuzz: $((SECONDS - began)) s"
