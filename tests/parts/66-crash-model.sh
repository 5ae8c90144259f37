#!/usr/bin/env bash
# From every state that a power cut may leave, by what POSIX promises, the library starts and keeps what it had promised.
# soak
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo test --locked -p ors --test crash --no-run
began=$SECONDS
cargo test --locked -p ors --test crash -- --nocapture --skip damage::
echo "crash model: $((SECONDS - began)) s"
