# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the conformance tests of our own modules share; sourced by them, after 'set -eu'
#
# SOUK_TEST_CALLS is how many calls the search for leaks makes: 50, and with SOUK_TEST_LONG=1 1,000.
# shellcheck shell=sh

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${SOUK_TEST_BUILDDIR:-$src}
souk=${SOUK:-$build/souk}
python=${SOUK_TEST_PYTHON:-python3}
if [ -n "${SOUK_TEST_LONG:-}" ]
then
	calls=${SOUK_TEST_CALLS:-1000}
else
	calls=${SOUK_TEST_CALLS:-50}
fi

tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$tmp"' EXIT
SOUK_HOME=$tmp/home
PYTHONDONTWRITEBYTECODE=1
export SOUK_HOME PYTHONDONTWRITEBYTECODE

skip () {
	echo "skipped: $*"
	exit 77
}

# suite WORDS ARGUMENT...: no finding
suite () {
	what=$1
	shift
	"$souk" provider test "$@" --machines -y --calls "$calls" --grace-ms 20000 >"$tmp/report" || {
		grep -v '^ok' "$tmp/report"
		[ ! -s "$tmp/server.log" ] || tail -n 20 "$tmp/server.log"
		echo "not ok: $what"
		exit 1
	}
	echo "ok: $what: $(tail -n 1 "$tmp/report")"
	grep '# SKIP' "$tmp/report" || true
}

# is_built PROVIDER
is_built () {
	[ -e "$build/lib/souk/providers/souk-provider-$1.so" ]
}

# of_cloud NAME: the suite against the cloud's simulator
of_cloud () {
	[ "$python" != : ] || skip 'no python3 on this machine'
	is_built "$1" || skip "built without the $1 provider"
	mkdir "$tmp/env"
	mkfifo "$tmp/ready"
	"$python" "$src/tests/cloudsim/cloudsim.py" --clouds "$1" --env "$tmp/env" >"$tmp/ready" \
		2>"$tmp/server.log" &
	server=$!
	# one line when it can be used; none if it has ended
	read -r ready <"$tmp/ready" || { cat "$tmp/server.log"; exit 1; }
	echo "$ready"
	. "$tmp/env/env"
	suite "$1 against its simulator" "$1"
	kill $server
	wait $server 2>/dev/null || true
	server=
}
