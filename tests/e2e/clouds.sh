# SPDX-License-Identifier: Apache-2.0
# clouds.sh - what the tests of souk on all five simulated clouds share; sourced by them, after 'set -eu'
#
# One process has them all (tests/cloudsim/cloudsim.py), each on a port of its own. Machines are real
# sshds, unless $sshd is empty. Clouds whose module is not built are left out: $clouds has the others.
# shellcheck shell=sh

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

# Servers of our own need not be waited for as clouds are.
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
SOUK_LAMBDA_REQUEST_MS=0
SOUK_LAMBDA_LAUNCH_MS=0
PYTHONDONTWRITEBYTECODE=1
export SOUK_CONFIRM_MS SOUK_SETTLE_MS SOUK_LAMBDA_REQUEST_MS SOUK_LAMBDA_LAUNCH_MS \
	PYTHONDONTWRITEBYTECODE
# The leak checker takes the thread-local storage of what is loaded late for something else.
if [ -n "${SOUK_TEST_SANITIZER:-}" ]
then
	ASAN_OPTIONS=intercept_tls_get_addr=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}
	export ASAN_OPTIONS
fi
server=
clouds=
sshd=--sshd # empty: machines are tags and states alone

# Machines go with their clouds, so that nothing has to be torn down first, come what may.
end () {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	[ -z "$started" ] || kill $started 2>/dev/null || true
	clouds_stop
	rm -rf "$tmp"
	exit "$status"
}

# need_clouds NAME...: these are built at least
need_clouds () {
	"$souk" --version >out 2>err || fail "'$souk' does not run: make it, or set SOUK"
	command -v "$python" >/dev/null || skip 'no python3 on this machine'
	need sshd ssh ssh-keygen
	for cloud in aws gcp azure runpod lambda
	do
		! "$souk" provider list 2>/dev/null | grep -q "^$cloud " || clouds=$clouds${clouds:+,}$cloud
	done
	for cloud
	do
		case ,$clouds, in
		*,$cloud,*) ;;
		*) skip "built without the $cloud provider" ;;
		esac
	done
}

# clouds_start SCENARIO: all of them, in place of those before, with their settings in the environment
clouds_start () {
	clouds_stop
	printf '%s\n' "$1" >scenario.json
	# here and not by the redirection alone: that is done in the child
	: >clouds.log
	: >clouds.urls
	# shellcheck disable=SC2086
	"$python" "$src/tests/cloudsim/cloudsim.py" --clouds "$clouds" $sshd --env "$PWD/envs" \
		--scenario "$PWD/scenario.json" >clouds.urls 2>clouds.log </dev/null &
	server=$!
	await 'the clouds listen' clouds_say
	. ./envs/env
	for cloud in AWS GCP AZURE RUNPOD LAMBDA
	do
		export "SOUK_${cloud}_IMAGE_USER=$(id -un)"
		unset "SOUK_${cloud}_PROXY_COMMAND"
	done
	# RunPod tells of ports, the others take 22 for granted.
	ssh_port=$(clouds 'next(iter(d.values()))["ssh_port"]')
	if [ "$ssh_port" != 22 ]
	then
		for cloud in AWS GCP AZURE LAMBDA
		do
			export "SOUK_${cloud}_PROXY_COMMAND=$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
		done
	fi
}

clouds_say () {
	[ -s clouds.urls ] || lives "$server" || { cat clouds.log; fail 'the clouds have ended'; }
	[ -s clouds.urls ]
}

clouds_stop () {
	[ -n "$server" ] || return 0
	kill "$server" 2>/dev/null || true
	wait "$server" 2>/dev/null || true
	server=
}

# clouds EXPRESSION: print it, over what they tell of themselves: d[NAME], machines (with 'cloud'), alive
clouds () {
	"$python" -c 'import json, sys, urllib.request
urls = json.load(open("clouds.urls"))
d = {name: json.load(urllib.request.urlopen(url + "/_sim/state")) for name, url in urls.items()}
machines = [dict(i, cloud=name) for name, one in d.items() for i in one["instances"]]
alive = [i for i in machines if i["id"] in d[i["cloud"]]["alive"]]
leftovers = [(name, one["leftovers"]) for name, one in d.items() if one["leftovers"]]
print(eval(sys.argv[1]))' "$1"
}

# clouds_are EXPRESSION: it is true
clouds_are () {
	[ "$(clouds "bool($1)")" = True ] || fail "in the clouds: not so: $1
$(clouds '[(i["cloud"], i["id"], i["state"], i["region"], i["zone"]) for i in machines], leftovers')"
}

# clouds_post WHAT JSON: {NAME: BODY}, to each of those named
clouds_post () {
	"$python" -c 'import json, sys, urllib.request
urls = json.load(open("clouds.urls"))
for name, body in json.loads(sys.argv[2]).items():
    if name in urls:
        urllib.request.urlopen(urls[name] + "/_sim/" + sys.argv[1], json.dumps(body).encode()).read()' \
		"$1" "$2"
}

# everything_gone: no machine, nothing else, nothing in the store
everything_gone () {
	clouds_are 'alive == [] and leftovers == []'
	run 0 status --json
	json 'd["clusters"] == []'
}

# says_once FILE PATTERN: exactly one line of the file is of that pattern
says_once () {
	[ "$(grep -cE -e "$2" "$1")" -eq 1 ] || fail "not one line of '$2' in $1"
}
