#!/usr/bin/env bash
# A disabled service sends no packet and resolves no name for a minute; a resolver that hangs keeps nobody waiting. In a network namespace.
# needs: cc=gcc ip=iproute2 unshare=util-linux
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

[ "$(id -u)" -eq 0 ] || fail "a network namespace needs root"
cargo test --locked -p ors --test silence --no-run
export CARGO_TARGET_DIR
# A world of its own: one interface on which every address is this machine, so that each packet is counted there; and a name server at
# which the test itself listens.
unshare --net --mount bash -c '
  set -euo pipefail
  mount --make-rprivate /
  ip link set lo up
  ip address add 192.0.2.53/32 dev lo
  ip route add local 0.0.0.0/0 dev lo
  echo "nameserver 192.0.2.53" >"$1/silence-resolv.conf"
  mount --bind "$1/silence-resolv.conf" "$(readlink -f /etc/resolv.conf)"
  exec cargo test --locked --offline -p ors --test silence -- --test-threads=1 --nocapture
' - "$TARGET"
