#!/usr/bin/env bash
# A password set by a C host on the shipped file is nowhere but sealed: files, logs, errors, core dumps. Files keep their rights at every moment.
# needs: gcc=gcc gcore=gdb strace=strace
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
export ORS_SHIPPED=$SHIP/linux
began=$SECONDS
cargo test --locked --test secrets --test rights -- --nocapture
echo "secrets and rights: $((SECONDS - began)) s"
