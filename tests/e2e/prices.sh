# SPDX-License-Identifier: Apache-2.0
# prices.sh - what the tests of live prices share; sourced by them, after 'set -eu'
#
# One price server of tests/cloudsim at a time, on a port of its own.
# shellcheck shell=sh

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

PYTHONDONTWRITEBYTECODE=1
export PYTHONDONTWRITEBYTECODE
# The leak checker takes the thread-local storage of what is loaded late for something else.
if [ -n "${SOUK_TEST_SANITIZER:-}" ]
then
	ASAN_OPTIONS=intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
fi
server=

# There are no machines to be torn down.
end () {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	server_stop
	rm -rf "$tmp"
	exit "$status"
}

# need_prices PROVIDER: its module is there, and its endpoint is a setting of its name from now on
need_prices () {
	"$souk" --version >out 2>err || fail "'$souk' does not run: make it, or set SOUK"
	command -v "$python" >/dev/null || skip 'no python3 on this machine'
	"$souk" provider list 2>/dev/null | grep -q "^$1 " || skip "built without the $1 provider"
	endpoint_variable=SOUK_$(echo "$1" | tr '[:lower:]' '[:upper:]')_ENDPOINT
	unset "$endpoint_variable"
}

# prices_start FILE [ARG...]: a server of tests/cloudsim, in place of the last one
prices_start () {
	server_stop
	file=$1
	shift
	: >server.log
	"$python" "$src/tests/cloudsim/$file" "$@" >>server.log 2>&1 </dev/null &
	server=$!
	await 'the server listens' server_says
	url=http://127.0.0.1:$port
	export "$endpoint_variable=$url"
}

server_says () {
	port=$(sed -n 's/^listening //p' server.log)
	[ -n "$port" ] || lives "$server" || { cat server.log; fail 'the server has ended'; }
	[ -n "$port" ]
}

server_stop () {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}

# sim_requests EXPRESSION: print it for each request r that the server has had
sim_requests () {
	"$python" -c 'import json, sys, urllib.request
for r in json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/requests"))["requests"]:
    line = eval(sys.argv[2])
    if line is not None:
        print(line)' "$url" "$1"
}

asked () {
	sim_requests 'r["target"]'
}

# answered N: so many requests have had their answer
answered () {
	[ "$(sim_requests '1 if r["status"] else None' | wc -l)" -ge "$1" ]
}

refused_none () {
	[ -z "$(sim_requests 'r["target"] if r["status"] not in (200, 304) else None')" ] ||
		fail "refused: $(sim_requests 'r')"
}

sim_faults () { # JSON
	"$python" -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/_sim/faults", sys.argv[2].encode()).read()' "$url" "$1"
}

sim_forget () {
	"$python" -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/_sim/forget", b"{}").read()' "$url"
}

# forget_answers: no reply is kept from before
forget_answers () {
	rm -rf "$SOUK_HOME/cache/http"
}

# fresh: nor is a catalogue
fresh () {
	rm -rf "$SOUK_HOME/cache"
}

# catalog_of PROVIDER: the path of its catalogue in the cache
catalog_of () {
	for found in "$SOUK_HOME/cache/catalog/$1".*
	do
		[ ! -f "$found" ] || { echo "$found"; return; }
	done
	echo "$SOUK_HOME/cache/catalog/$1.catalog"
}
