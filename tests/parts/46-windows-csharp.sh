#!/usr/bin/env bash
# The C# host on .NET 8 for Windows, under wine.
# needs: python3=python3 python:ensurepip=python3-venv mcs=mono-mcs /usr/bin/rustc=rustc-web /usr/bin/rustdoc=rustc-web /usr/lib/rustlib/src/rust/library/std/Cargo.toml=rust-web-src x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64-posix /usr/lib/wine/wine64=wine64
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_windows
licences
csharp_host
dotnet_runtime windows
windows_env
cp "$SHIP/windows/ors.dll" "$CSHARP/"
local_path() { wine_path "$1"; }
host=("$WINE" "$DOTNET" exec "$(wine_path "$CSHARP/Host.dll")")
page_story dotnet-windows
