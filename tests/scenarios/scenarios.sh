# SPDX-License-Identifier: Apache-2.0
# scenarios.sh - what the tests on five simulated clouds share; sourced by them, after 'set -eu'
# shellcheck shell=sh

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
souk=${SOUK:-$src/souk}
python=${SOUK_TEST_PYTHON:-python3}
PATH=$PATH:/usr/sbin:/sbin
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE
# The leak checker takes the thread-local storage of what is loaded late for something else.
if [ -n "${SOUK_TEST_SANITIZER:-}" ]
then
	ASAN_OPTIONS=intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
fi

skip () {
	echo "skipped: $*"
	exit 77
}

command -v "$python" >/dev/null || skip 'no python3 on this machine'
for program in sshd ssh-keygen openssl
do
	command -v "$program" >/dev/null || skip "no $program on this machine"
done
# One logs in to a pod as root, whom an sshd of the tests knows only if it is root's.
[ "$(id -u)" -eq 0 ] || skip 'not root'
"$souk" --version >/dev/null || { echo "not ok: '$souk' does not run"; exit 1; }
for name in aws gcp azure runpod lambda
do
	"$souk" provider list 2>/dev/null | grep -q "^$name " || skip "built without the $name provider"
done
