#!/bin/sh
# The demo's tour in a real browser. Installs what it needs where it may, and says what is missing where it may not.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)

fail() {
  echo "browser: $*" >&2
  exit 1
}

# Package names are Debian's. Node.js comes with npm from some sources and without from others.
missing=
command -v chromium >/dev/null || missing="$missing chromium"
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null || fail "missing:$missing; install them and run this again"
  [ "$(id -u)" = 0 ] || fail "missing:$missing; as root: apt-get install --no-install-recommends$missing"
  apt-get update -q
  # shellcheck disable=SC2086 # one word for each package
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing fonts-dejavu-core
fi
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' || fail "Node.js 18 or newer is needed, this is $(node --version)"

cd "$here"
npm ci --no-audit --no-fund --loglevel=error
# Built before the tour begins, so that its time limits are about the demo and not about the compiler.
cargo build --quiet --manifest-path "$root/Cargo.toml" -p demo
exec node tour.js "$@"
