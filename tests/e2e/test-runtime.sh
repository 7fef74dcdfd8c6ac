#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-runtime.sh - the node runtime by itself, over real ssh to two machines with a HOME each
#
# Usage: test-runtime.sh [SHELL...], of dash, bash and busybox. By default dash, with SOUK_TEST_LONG all that are installed.
# The machines' sh is that shell; with busybox they have its applets only. Prints TAP.

# shellcheck disable=SC2034
set -u
here=$(cd "$(dirname "$0")" && pwd)
RUNTIME=${SOUK_RUNTIME:-$here/../../core/node/runtime.sh}
SSHD=$(PATH=$PATH:/usr/sbin:/sbin command -v sshd) || {
	echo '1..0 # SKIP no sshd: apt-get install openssh-server'
	exit 77
}
command -v pgrep >/dev/null || {
	echo '1..0 # SKIP no pgrep: apt-get install procps'
	exit 77
}
# shellcheck source=runtime/machines.sh
. "$here/runtime/machines.sh"
# shellcheck source=runtime/cases.sh
. "$here/runtime/cases.sh"

count=0 failed=0
check() { # NAME COMMAND...
	name=$1
	shift
	count=$((count + 1))
	if "$@"; then
		echo "ok - $shell: $name"
	else
		echo "not ok - $shell: $name"
		failed=$((failed + 1))
	fi
}

clean_up() {
	node stop-all >/dev/null 2>&1
	worker stop-all >/dev/null 2>&1
	machines_stop
	# What a failure may have left.
	for pid in $(processes "HOME=$T/m"); do
		kill -KILL "$pid" 2>/dev/null
	done
	[ -n "${SOUK_TEST_KEEP:-}" ] || rm -rf "$T"
}

run_cases() {
	T=$(mktemp -d "${TMPDIR:-/tmp}/souk-runtime.XXXXXX") || exit 1
	trap clean_up EXIT
	trap 'exit 1' INT TERM HUP PIPE
	machine_path "$shell"
	machines_start || exit 1
	for case in $CASES; do
		rm -f "$T/setup" "$T/run" "$T/env"
		"case_$case"
	done
	clean_up
	trap - EXIT
}

# One process per shell, all at once: most of the time goes by in waiting.
run_all() { # SHELL...
	results=$(mktemp -d "${TMPDIR:-/tmp}/souk-runtime.XXXXXX") || exit 1
	children=
	trap 'kill $children 2>/dev/null; rm -rf "$results"; exit 1' INT TERM HUP PIPE
	for shell; do
		"$here/${0##*/}" "$shell" >"$results/$shell" 2>&1 &
		children="$children $!"
	done
	for child in $children; do
		wait "$child" || failed=$((failed + 1))
	done
	for shell; do
		grep -v '^1\.\.' "$results/$shell"
		plan=$(sed -n 's/^1\.\.//p' "$results/$shell")
		count=$((count + ${plan:-0}))
	done
	rm -rf "$results"
	echo "1..$count"
	[ $failed = 0 ]
}

[ "$(id -u)" != 0 ] || mkdir -p /run/sshd
: "${CASES:=$all_cases}"
if [ $# -eq 0 ]
then
	set -- dash
	[ -z "${SOUK_TEST_LONG:-}" ] || set -- dash bash busybox
fi
if [ $# -gt 1 ]; then
	run_all "$@"
	exit
fi
shell=$1
if command -v "$shell" >/dev/null; then
	run_cases
else
	count=1
	echo "ok - $shell # SKIP not installed"
fi
echo "1..$count"
[ $failed = 0 ]
