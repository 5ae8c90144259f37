#!/usr/bin/env bash
# cargo test of the library, as a newcomer runs it.
# alone
# needs: cc=gcc strace=strace faketime=faketime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo test --locked --no-run
in_memory
cargo test --locked --no-fail-fast
