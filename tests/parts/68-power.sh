#!/usr/bin/env bash
# Power cuts on ext4 and xfs while a process installs and sets: everything it was told is kept, and a library without fsync is found out.
# soak
# needs: cc=gcc mkfs.ext4=e2fsprogs mkfs.xfs=xfsprogs mount=mount
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

[ "$(id -u)" -eq 0 ] || fail "mounting file systems needs root"
# In memory, where there is such a place: the file systems are real, what lies below them need not be.
export TMPDIR=/tmp/ors-power-$$
[ ! -d /dev/shm ] || TMPDIR=/dev/shm/ors-power-$$
mkdir -p "$TMPDIR"
tidy() {
  local mounted
  awk -v folder="$TMPDIR/" 'index($2, folder) == 1 { print $2 }' /proc/self/mounts | while read -r mounted; do
    umount -l "$mounted" || true
  done
  rm -rf "$TMPDIR"
}
trap tidy EXIT
trap 'exit 143' TERM INT

cargo test --locked -p ors --test power --no-run
began=$SECONDS
cargo test --locked -p ors --test power -- --nocapture
echo "power: $((SECONDS - began)) s"
