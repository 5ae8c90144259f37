#!/usr/bin/env bash
# The sources are formatted.
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

cargo fmt --all --check
