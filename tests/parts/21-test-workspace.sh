#!/usr/bin/env bash
# The tests of every other package: issuer, demo, header tool, models.
# needs: cc=gcc strace=strace faketime=faketime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

# Without the library's own, which the part before has run with the same features (its tests switch test-clock on by themselves).
cargo test --locked --no-fail-fast --workspace --exclude ors
