#!/usr/bin/env bash
# The library's tests, built for Windows and run under wine.
# alone
# needs: /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

windows_toolchain
windows_env
tests=(--locked -p ors --target x86_64-pc-windows-gnu --target-dir "$WINDOWS/build")
cargo test "${tests[@]}" --no-run
windows_in_memory
cargo test "${tests[@]}" --no-fail-fast
