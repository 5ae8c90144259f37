#!/usr/bin/env bash
# A host on the shipped file, killed at each system call of an install, of changes and of starts; each call failing, once and for ever; faults in recoveries.
# soak
# needs: cc=gcc strace=strace
. "$(dirname "${BASH_SOURCE[0]}")/../support/env.sh"

ship_linux
# Which call is harmed does not depend on the disk; how long thousands of runs take does.
if [ -d /dev/shm ] && [ -w /dev/shm ]; then export TMPDIR=/dev/shm; fi
began=$SECONDS
# One of the tests waits for what is tried again each minute, while the others work.
ORS_SHIPPED=$SHIP/linux cargo test --locked --test kills -- --skip a_kill_at_any_moment --nocapture --test-threads=3
echo "system calls: $((SECONDS - began)) s"
