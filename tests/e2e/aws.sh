# SPDX-License-Identifier: Apache-2.0
# aws.sh - what the tests of souk on simulated EC2s share; sourced by them, after 'set -eu'
#
# One server at a time, on a port of its own: that of tests/cloudsim, or moto. Machines are tags
# and states on the server's side (ask 'sim' for them), and with sshd they are real.
# shellcheck shell=sh

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

AWS_ACCESS_KEY_ID=testing
AWS_SECRET_ACCESS_KEY=testing
AWS_EC2_METADATA_DISABLED=true
# A server of our own need not be waited for as a cloud is.
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
SOUK_AWS_IMAGE_USER=$(id -un)
PYTHONDONTWRITEBYTECODE=1
export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED SOUK_CONFIRM_MS \
	SOUK_SETTLE_MS SOUK_AWS_IMAGE_USER PYTHONDONTWRITEBYTECODE
# The leak checker takes the thread-local storage of what is loaded late for something else.
if [ -n "${SOUK_TEST_SANITIZER:-}" ]
then
	ASAN_OPTIONS=intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
fi
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION SOUK_AWS_ENDPOINT \
	SOUK_AWS_PROXY_COMMAND || true
server=

# Machines go with their server, so that nothing has to be torn down first, come what may.
end () {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	[ -z "$started" ] || kill $started 2>/dev/null || true
	server_stop
	rm -rf "$tmp"
	exit "$status"
}

need_aws () {
	"$souk" --version >out 2>err || fail "'$souk' does not run: make it, or set SOUK"
	command -v "$python" >/dev/null || skip 'no python3 on this machine'
	need sshd ssh ssh-keygen
	"$souk" provider list 2>/dev/null | grep -q '^aws ' || skip 'built without the aws provider'
}

need_moto () {
	need_aws
	"$python" -c 'import moto.server' 2>/dev/null || skip 'no moto on this machine'
}

# server_start PATTERN COMMAND...: start it, and take its port from the line that the pattern finds
server_start () {
	pattern=$1
	shift
	# here and not by the redirection: that is done in the child, when the last server's port may
	# have been read already
	: >server.log
	"$@" >>server.log 2>&1 </dev/null &
	server=$!
	await 'the server listens' server_says
	AWS_ENDPOINT_URL=http://127.0.0.1:$port
	export AWS_ENDPOINT_URL
}

server_says () {
	port=$(sed -n "$pattern" server.log)
	[ -n "$port" ] || lives "$server" || { cat server.log; fail 'the server has ended'; }
	[ -n "$port" ]
}

server_stop () {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}

# ---- The EC2 of tests/cloudsim ----

# sim_start SCENARIO [ARG...]: machines are real; where port 22 cannot be had, by proxy_command
sim_start () {
	server_stop
	printf '%s\n' "$1" >scenario.json
	shift
	server_start 's/^listening //p' "$python" "$src/tests/cloudsim/ec2.py" --sshd \
		--scenario "$PWD/scenario.json" "$@"
	ssh_port=$(sim 'd["ssh_port"]')
	if [ "$ssh_port" != 22 ]
	then
		SOUK_AWS_PROXY_COMMAND="$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
		export SOUK_AWS_PROXY_COMMAND
	fi
}

# sim EXPRESSION: print it, over what the server tells of itself: d, machines, alive
sim () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
machines = d["instances"]
alive = [i for i in machines if i["id"] in d["alive"]]
calls = [(r["action"], r.get("code") or "") for r in d["requests"]]
print(eval(sys.argv[2]))' "$AWS_ENDPOINT_URL" "$1"
}

# sim_is EXPRESSION: it is true
sim_is () {
	[ "$(sim "bool($1)")" = True ] || fail "on the server's side: not so: $1
$(sim '[(i["id"], i["state"], i["zone"], i["tags"]) for i in machines], calls[-20:]')"
}

# sim_post WHAT JSON: tell the server something
sim_post () {
	"$python" -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1], sys.argv[2].encode()).read()' \
		"$AWS_ENDPOINT_URL/_sim/$1" "$2"
}

# everything_gone: no machine, no security group, nothing in the store
everything_gone () {
	sim_is 'alive == []'
	sim_is '[g for g in d["groups"] if g["name"] != "default"] == []'
	run 0 status --json
	json 'd["clusters"] == []'
}

# says_once FILE PATTERN: exactly one line of the file is of that pattern
says_once () {
	[ "$(grep -cE -e "$2" "$1")" -eq 1 ] || fail "not one line of '$2' in $1"
}
