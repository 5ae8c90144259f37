#!/usr/bin/env bash
# The demo's tour in a real browser, every page checked by axe-core.
# needs: cc=gcc chromium=chromium node=nodejs npm=npm
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

exec "$ROOT/tests/browser/run.sh"
