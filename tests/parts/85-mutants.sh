#!/usr/bin/env bash
# The suite has teeth: each fault of tests/mutants, put into a copy of the sources, is found by the test that is there for it.
# needs: cc=gcc patch=patch strace=strace
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

# A mutant is a patch tests/mutants/NAME.patch. Above the patch stand
#   fault:    what is wrong with it, for the table
#   command:  what has to fail, run in the copy with a target folder of its own
#   says:     a text that the command must print when it fails: another failure, such as one of the compiler, is not a catch
place=$TARGET/mutants
tree=$place/tree
rm -rf "$tree"
mkdir -p "$tree" "$place/target"

# The sources with their times, so that cargo makes anew only what a patch touched; what is built from the registry is taken along.
git -C "$ROOT" ls-files -z --cached --others --exclude-standard | (cd "$ROOT" && xargs -0 cp -p --parents -t "$tree" 2>/dev/null) || true
[ -f "$tree/Cargo.toml" ] || fail "the sources could not be copied"
if [ ! -d "$place/target/debug" ] && [ -d "$TARGET/debug" ]; then
  # A part beside this one may be building: what vanishes in the middle is copied anew.
  for _ in 1 2 3 4 5; do
    rm -rf "$place/target/debug"
    mkdir "$place/target/debug"
    copied=yes
    for part in .fingerprint build deps; do
      [ ! -d "$TARGET/debug/$part" ] || cp -a "$TARGET/debug/$part" "$place/target/debug/" || copied=
    done
    [ -z "$copied" ] || break
  done
fi

field() { sed -n "s/^$2: *//p" "$1" | head -n 1; }

caught=0
tried=0
for mutant in "$ROOT"/tests/mutants/*.patch; do
  name=$(basename "$mutant" .patch)
  fault=$(field "$mutant" fault)
  command=$(field "$mutant" command)
  says=$(field "$mutant" says)
  [ -n "$fault" ] && [ -n "$command" ] && [ -n "$says" ] || fail "$mutant lacks fault, command or says"
  tried=$((tried + 1))
  began=$SECONDS
  patch -d "$tree" -p1 --silent --fuzz=0 --no-backup-if-mismatch <"$mutant" || fail "$mutant does not fit the sources any more"
  status=0
  output=$(cd "$tree" && CARGO_TARGET_DIR=$place/target ORS_TABLE=/dev/null timeout 600 bash -c "$command" 2>&1) || status=$?
  if [ "$status" -ne 0 ] && grep -qF -- "$says" <<<"$output"; then
    caught=$((caught + 1))
    printf 'caught  %-28s %4d s  %s\n' "$name" $((SECONDS - began)) "$fault"
  else
    printf 'MISSED  %-28s %4d s  %s (exit code %d)\n' "$name" $((SECONDS - began)) "$fault" "$status"
    tail -n 30 <<<"$output"
  fi
  # Back to the sources, with a new time, or cargo would take the mutant's build for theirs.
  for file in $(sed -n 's,^+++ b/,,p' "$mutant"); do
    cp "$ROOT/$file" "$tree/$file"
  done
done
[ "$tried" -gt 0 ] || fail "there are no mutants"
row "faults put into the sources (tests/mutants), harmed = not found" "$tried" $((tried - caught))
