#!/usr/bin/env bash
# All exported functions of the shipped library at random, with hostile arguments, from 64 threads; each returns what the model says.
# soak
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
cargo build --quiet --locked -p torture
began=$SECONDS
"$TARGET/debug/torture" --library "$SHIP/linux/libors.so" --threads 64 --calls "$(count 200000 10000000)" \
  --row "calls of all functions at random, with hostile arguments, from 64 threads"
echo "torture: $((SECONDS - began)) s"
