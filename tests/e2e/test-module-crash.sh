#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-module-crash.sh - a module that crashes is named, and what it left open is settled
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws
[ -z "${SOUK_TEST_SANITIZER:-}" ] || skip 'a sanitizer wants to be loaded first'
command -v cc >/dev/null || skip 'no C compiler on this machine'
ulimit -c 0
cc -std=gnu11 -O1 -shared -fPIC "$src/tests/e2e/crasher.c" -o crasher.so -ldl 2>err ||
	skip "$(head -1 err)"
sim_start '{}'

# crashes SIGNAL STATUS WHERE ARG...: souk ends by that signal
crashes () {
	signal=$1 want=$2
	shift 2
	status=0
	SOUK_CRASH=$1
	shift
	env SOUK_CRASH="$SOUK_CRASH" LD_PRELOAD="$PWD/crasher.so" "$souk" "$@" >out 2>err </dev/null ||
		status=$?
	[ "$status" -eq "$want" ] || fail "'souk $*' ended with status $status, not $want"
	says_once err "crashed.*\\($signal\\)"
	says err "'souk status --refresh' settles what was open"
}

# ---- In provision, after the machine was made

launch='launch -y -d -c t --infra aws/us-east-1 --instance-type m5.large true'
# shellcheck disable=SC2086
crashes SIGSEGV 139 module $launch
says err "error: the provider module 'aws' crashed in 'provision' (SIGSEGV)"
says err 'souk-provider-aws.so'
sim_is 'len(alive) == 1'
id=$(sim 'alive[0]["id"]')
run 0 status --refresh --json
json "[(c['name'], [n['id'] for n in c['nodes']]) for c in d['clusters']] == [('t', ['$id'])]"
run 0 down -y t
everything_gone
echo "ok: crashed in provision: the module is named, the machine is found and ended"

# ---- In describe; by abort(); what is asked again goes on

# shellcheck disable=SC2086
crashes SIGABRT 134 abort $launch
says err "error: the provider module 'aws' crashed in 'provision' (SIGABRT)"
# shellcheck disable=SC2086
run 0 $launch
sim_is 'len(alive) == 1 and len(machines) == 1 + len([i for i in machines if i["id"] == "'"$id"'"])'
crashes SIGSEGV 139 module status --refresh
says err "error: the provider module 'aws' crashed in '"
run 0 status --refresh
says out UP
run 0 down -y t
everything_gone
echo "ok: crashed by abort, and in a look at the machines: the next souk goes on"

# ---- On a thread of the module's pieces of work, and in souk itself

crashes SIGSEGV 139 offer catalog update --providers aws
says err "error: the provider module 'aws' crashed in 'list_offers' (SIGSEGV)"
crashes SIGSEGV 139 souk status
says err 'error: souk itself has crashed (SIGSEGV)'
lacks err module
# what is sent from outside is no crash
"$souk" launch -y -c t --infra aws/us-east-1 --instance-type m5.large 'sleep 60' >out 2>err </dev/null &
launch=$!
started=$launch
running () {
	run 0 status --json
	grep -q '"UP"' out
}
await 'the machine runs' running
kill -s SEGV "$launch"
status=0
wait "$launch" 2>/dev/null || status=$?
started=
[ "$status" -eq 139 ] || fail "ended with status $status"
lacks err crashed
run 0 down -y t
everything_gone
echo "ok: an op's other threads, souk itself, and who is killed"
