#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-conformance.sh - souk provider test on our own modules, and its words
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${SOUK_TEST_BUILDDIR:-$src}
souk=${SOUK:-$build/souk}
python=${SOUK_TEST_PYTHON:-python3}
calls=${SOUK_TEST_CALLS:-50}

tmp=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill $server; rm -rf "$tmp"' EXIT
SOUK_HOME=$tmp/home
export SOUK_HOME

# suite WORDS ARGUMENT...: no finding
suite () {
	what=$1
	shift
	"$souk" provider test "$@" --machines -y --calls "$calls" --grace-ms 20000 >"$tmp/report" || {
		grep -v '^ok' "$tmp/report"
		echo "not ok: $what"
		exit 1
	}
	echo "ok: $what: $(tail -n 1 "$tmp/report")"
}

# serve SCRIPT ARGUMENT...: a simulator; its port is in $port
serve () {
	"$python" "$src/tests/cloudsim/$1" >"$tmp/port" 2>"$tmp/server.log" &
	server=$!
	port=
	while [ -z "$port" ]
	do
		kill -0 $server 2>/dev/null || { cat "$tmp/server.log"; exit 1; }
		port=$(sed -n 's/^listening \([0-9]*\).*/\1/p' "$tmp/port")
	done
}

stop_server () {
	kill $server
	wait $server 2>/dev/null || true
	server=
}

suite local local

if [ "$python" != : ] && [ -e "$build/lib/souk/providers/souk-provider-aws.so" ]
then
	serve ec2.py
	AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing \
		suite 'aws against its simulator' aws --endpoint "http://127.0.0.1:$port"
	stop_server
fi

# What needs no cloud, of all that were built.
for module in "$build"/lib/souk/providers/souk-provider-*.so
do
	"$souk" provider test "$module" --only 'abi.*' >"$tmp/report" || {
		grep -v '^ok' "$tmp/report"
		echo "not ok: $module"
		exit 1
	}
	echo "ok: the table of $(basename "$module"): $(tail -n 1 "$tmp/report")"
done

# What is said of what cannot be tested.
"$souk" provider test --list >"$tmp/list"
grep -q '^provision.again ' "$tmp/list"
[ "$(wc -l <"$tmp/list")" -ge 45 ]
[ "$("$souk" provider test --list --only 'abi.*' | wc -l)" -ge 6 ]
status=0
"$souk" provider test "$tmp/no.so" 2>"$tmp/said" || status=$?
[ $status = 64 ] && grep -q 'souk-provider-NAME.so' "$tmp/said"
status=0
"$souk" provider test "$tmp/souk-provider-nobody.so" 2>"$tmp/said" || status=$?
[ $status != 0 ] && grep -q nobody "$tmp/said"
"$souk" provider test local --only 'abi.*' --json >"$tmp/json"
grep -q '"failed": *0' "$tmp/json"
echo "ok: --list, --only, --json, and names that are none"
