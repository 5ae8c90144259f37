#!/usr/bin/env bash
# No lint speaks up, tests, examples and benches included.
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo clippy --locked --workspace --all-targets -- -D warnings
