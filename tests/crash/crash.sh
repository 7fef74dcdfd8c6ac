# SPDX-License-Identifier: Apache-2.0
# crash.sh - what the crash tests of 'make check' share; sourced by them, after 'set -eu'
# shellcheck shell=sh

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
souk=${SOUK:-$src/souk}
python=${SOUK_TEST_PYTHON:-python3}
PATH=$PATH:/usr/sbin:/sbin
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
# What is preloaded to count syncs comes before the sanitizer's library; and the leak checker takes
# the thread-local storage of what is loaded late for something else.
if [ -n "${SOUK_TEST_SANITIZER:-}" ]
then
	ASAN_OPTIONS=verify_asan_link_order=0:intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
fi

skip () {
	echo "skipped: $*"
	exit 77
}

need_souk () {
	command -v "$python" >/dev/null || skip 'no python3 on this machine'
	command -v "${CC:-cc}" >/dev/null || [ -n "${CC:-}" ] || skip 'no C compiler on this machine'
	for program in sshd ssh-keygen
	do
		command -v "$program" >/dev/null || skip "no $program on this machine"
	done
	"$souk" --version >/dev/null || { echo "not ok: '$souk' does not run"; exit 1; }
	"$souk" provider list 2>/dev/null | grep -q '^aws ' || skip 'built without the aws provider'
}

# crash_test ARG...: servers of our own need not be waited for as a cloud is
crash_test () {
	"$python" "$src/tests/crash/crash-test.py" --souk "$souk" --env SOUK_CONFIRM_MS=50 \
		--env "SOUK_SETTLE_MS=${settle_ms:-0}" --env "SOUK_AWS_IMAGE_USER=$(id -un)" "$@"
}

# sample REGEX: the points that are tried unless SOUK_TEST_LONG is set, as arguments to be split
set -f
sample () {
	[ -n "${SOUK_TEST_LONG:-}" ] || printf '%s\n%s\n' --only "$1"
}
