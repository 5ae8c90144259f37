#!/usr/bin/env bash
# The numbers hold: ratios, side by side in one run.
# alone
# needs: cc=gcc strace=strace python3=python3 python:ensurepip=python3-venv mcs=mono-mcs mono=mono-runtime
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
dotnet_runtime linux
export ORS_SHIPPED=$SHIP/linux
cargo bench --locked -p ors
