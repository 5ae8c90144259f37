#!/usr/bin/env bash
# The agent stays small and quiet: memory over ten thousand polls and a million refreshes, its size, its processor time when idle.
# soak
# alone
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
ORS_SHIPPED=$SHIP/linux cargo test --locked -p ors --test growth -- --test-threads=1 --nocapture
