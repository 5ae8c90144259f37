#!/usr/bin/env bash
# Hosts on the shipped file, killed at random moments of their work: nothing is torn, nothing acknowledged is lost, and all is well after the next start.
# soak
# needs: cc=gcc
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
began=$SECONDS
ORS_SHIPPED=$SHIP/linux cargo test --locked --test kills -- a_kill_at_any_moment --nocapture
echo "kills: $((SECONDS - began)) s"
