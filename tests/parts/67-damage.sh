#!/usr/bin/env bash
# With a byte of any file of ours changed, or any file cut at any length, the library starts and is as healthy as is said of that file.
# soak
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo test --locked -p ors --test crash --no-run
began=$SECONDS
cargo test --locked -p ors --test crash damage:: -- --nocapture
echo "damage: $((SECONDS - began)) s"
