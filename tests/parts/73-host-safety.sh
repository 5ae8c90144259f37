#!/usr/bin/env bash
# A C host is served, and nothing hangs or crashes, while disk, folders, descriptors, threads, clock and processor fail it.
# soak
# needs: cc=gcc bindfs=bindfs setpriv=util-linux mount=mount
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

[ "$(id -u)" -eq 0 ] || fail "mounting file systems and dropping rights needs root"
ship_linux
# Where every account can reach it. What a run that was killed left mounted goes with it.
export TMPDIR=/tmp/ors-host-safety-$$
mkdir -p "$TMPDIR"
tidy() {
  local mounted
  awk -v folder="$TMPDIR/" 'index($2, folder) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mounted; do
    umount -l "$mounted" || true
  done
  rm -rf "$TMPDIR"
}
trap tidy EXIT
trap 'exit 143' TERM INT

began=$SECONDS
# Mostly they wait: more at a time than there are processors.
ORS_SHIPPED=$SHIP/linux cargo test --locked -p ors --test faults -- --test-threads=4 --nocapture
echo "faults: $((SECONDS - began)) s"
