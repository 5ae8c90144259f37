#!/usr/bin/env bash
# setup.sh FOLDER: makes FOLDER/env.sh, after which cargo builds for x86_64-pc-windows-gnu and runs the result under wine.
#
# For machines where `rustup target add` has no server to ask: Debian's rustc-web with the std sources of rust-web-src
# compiles std for Windows once, and the result is kept as a private sysroot. Nothing outside FOLDER is written; the
# Debian packages are installed by tests/run. Running it again costs nothing while compiler and sources stay the same.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
target=x86_64-pc-windows-gnu
compiler=/usr/bin/rustc
cross=x86_64-w64-mingw32-gcc
sysroot=$folder/sysroot
prefix=$folder/wine
wine=$(command -v wine64 || echo /usr/lib/wine/wine64)
server=$(command -v wineserver64 || command -v wineserver || echo /usr/lib/wine/wineserver64)

missing=
for tool in "$compiler" /usr/bin/rustdoc "$cross" "$wine" "$server"; do
  command -v "$tool" >/dev/null || missing="$missing $tool"
done
std_sources=$("$compiler" --print sysroot 2>/dev/null || true)/lib/rustlib/src/rust/library
[ -d "$std_sources" ] || missing="$missing $std_sources"
if [ -n "$missing" ]; then
  echo "missing:$missing (Debian: rustc-web rust-web-src gcc-mingw-w64-x86-64-posix wine64)" >&2
  exit 1
fi

# std has to come from the very sources of the compiler that will use it, or nothing links.
release=$("$compiler" --version | cut -d ' ' -f 2)
stamp="$("$compiler" --version) $("$cross" -dumpfullversion) $(cksum <"${BASH_SOURCE[0]}") $(cksum <"$here/bcryptprimitives.c")"
if [ -r "$std_sources/../version" ] && ! grep -q "^$release" "$std_sources/../version"; then
  echo "rustc $release and the std sources ($(cat "$std_sources/../version")) do not belong together" >&2
  exit 1
fi

if [ "$(cat "$folder/stamp" 2>/dev/null)" != "$stamp" ]; then
  # What was built on another std must go with it: cargo does not see that a sysroot has changed.
  rm -rf "$sysroot" "$prefix" "$folder/seed" "$folder/build" "$folder/env.sh"

  # 1. std: an empty crate is built with -Zbuild-std, and the libraries that this leaves behind are the sysroot.
  seed=$folder/seed
  mkdir -p "$seed/src"
  cat >"$seed/Cargo.toml" <<'TOML'
[package]
name = "seed"
version = "0.0.0"
edition = "2021"

[profile.release]
debug = false

[workspace]
TOML
  echo '#![no_std]' >"$seed/src/lib.rs"
  # Bitcode goes in too, or the shipped DLL could not be optimised across std (lto = "fat"); folders of this machine do not.
  flags="-C embed-bitcode=yes --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=crates"
  env -u CARGO_TARGET_DIR RUSTFLAGS="$flags" RUSTC="$compiler" RUSTC_BOOTSTRAP=1 \
    cargo build --quiet --release --manifest-path "$seed/Cargo.toml" --target-dir "$seed/target" \
    --target "$target" -Zbuild-std=std,panic_unwind,panic_abort,test
  libraries=$sysroot/lib/rustlib/$target/lib
  mkdir -p "$libraries"
  find "$seed/target/$target/release/deps" -name '*.rlib' ! -name 'libseed-*' -exec cp {} "$libraries/" \;
  rm -rf "$seed"

  # 2. wine: a prefix of our own, without a display, that says it is Windows 10 and has the DLL that std asks for.
  # mscoree is switched off only here, where it would offer to download Mono; .NET's own assemblies link to it.
  export WINEPREFIX=$prefix WINEDEBUG=-all WINEDLLOVERRIDES="mscoree,mshtml="
  env -u DISPLAY "$wine" wineboot --init
  env -u DISPLAY "$wine" reg add 'HKCU\Software\Wine' /v Version /d win10 /f >/dev/null
  "$cross" -O2 -s -shared -Wall -Wextra -Werror "$here/bcryptprimitives.c" -ladvapi32 \
    -o "$prefix/drive_c/windows/system32/bcryptprimitives.dll"
  "$server" -w || true

  # 3. What a shell has to know.
  cat >"$folder/env.sh" <<SHELL
export RUSTC=$compiler RUSTDOC=/usr/bin/rustdoc
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_LINKER=$cross
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER=$wine
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTFLAGS="--sysroot $sysroot"
export CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUSTDOCFLAGS="--sysroot $sysroot"
export WINEPREFIX=$prefix WINEDEBUG=-all WINEDLLOVERRIDES="mshtml="
WINE=$wine
WINESERVER=$server
SHELL
  echo "$stamp, built $(date +%s)" >"$folder/generation"
  echo "$stamp" >"$folder/stamp"
fi
echo "ready: . $folder/env.sh && cargo test --target $target"
