#!/usr/bin/env bash
# The C# host on mono and on .NET 8.
# needs: cc=gcc python3=python3 python:ensurepip=python3-venv mcs=mono-mcs mono=mono-runtime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"
. "$SUPPORT/hosts.sh"

ship_linux
licences
csharp_host
export LD_LIBRARY_PATH=$SHIP/linux
host=(mono "$CSHARP/Host.exe")
page_story mono
dotnet_runtime linux
host=("$DOTNET" exec "$CSHARP/Host.dll")
page_story dotnet
