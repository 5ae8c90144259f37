#!/usr/bin/env bash
# The tests of every package, with the features of all of them together.
# needs: cc=gcc strace=strace faketime=faketime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo test --locked --no-fail-fast --workspace
