#!/usr/bin/env bash
# The tests of every package, with the features of all of them.
# needs: cc=gcc strace=strace faketime=faketime chromium=chromium chromedriver=chromium-driver
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo test --locked --workspace
