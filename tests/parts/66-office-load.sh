#!/usr/bin/env bash
# 5,000 agents parked over TLS at one server: memory of each, time until all are woken, CPU while they hold, the licence desk's list.
# needs: cc=gcc
# alone
# soak
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ulimit -n "$(ulimit -Hn)"
cargo test --quiet --profile load -p back_office --test load -- --agents 5000 --rounds "$(count 3 20)" --hold "$(count 20 120)" |
  tee "$OUTPUT/office-load.txt"
row 'agents parked and woken' 5000 0
