#!/usr/bin/env bash
# include/ors.h is what the Rust sources say.
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo run --quiet --locked -p header -- --check
