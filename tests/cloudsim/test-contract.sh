#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-contract.sh - what souk sends to five clouds, against their public API descriptions
#
# SOUK_SPECS names the folder of the descriptions, such as ../shared/specs beside a checkout. All that
# souk sends from the first price list to the last 'down' is held against them while it is served, again
# from the file that it was recorded in, and once more with mistakes of ours, which have to be found.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

specs=${SOUK_SPECS:-}
unset SOUK_SPECS || true
[ -n "$specs" ] || skip 'SOUK_SPECS does not say where the descriptions of the APIs are'
[ -d "$specs/aws" ] || skip "no descriptions in '$specs'"
command -v "$python" >/dev/null || skip 'no python3 on this machine'
need sshd ssh-keygen
[ "$(id -u)" -eq 0 ] || skip 'not root'

PYTHONDONTWRITEBYTECODE=1
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
SOUK_RETRY_MS=50
SOUK_LAMBDA_REQUEST_MS=0
SOUK_LAMBDA_LAUNCH_MS=0
AWS_EC2_METADATA_DISABLED=true
AWS_CONFIG_FILE=$tmp/none
AWS_SHARED_CREDENTIALS_FILE=$tmp/none
export PYTHONDONTWRITEBYTECODE SOUK_CONFIRM_MS SOUK_SETTLE_MS SOUK_RETRY_MS SOUK_LAMBDA_REQUEST_MS \
	SOUK_LAMBDA_LAUNCH_MS AWS_EC2_METADATA_DISABLED AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION || true
user=$(id -un)

"$python" "$src/tests/cloudsim/cloudsim.py" --specs "$specs" --record "$tmp/requests.jsonl" \
	--env "$tmp/env" --sshd >urls 2>server.log </dev/null &
server=$!
started=$server

listens () {
	[ -s urls ] || lives "$server" || { cat server.log; fail 'the server has ended'; }
	[ -s urls ]
}
await 'the clouds listen' listens
. "$tmp/env/env"

# state CLOUD EXPRESSION: print it over d, what the server of that cloud tells
state () {
	"$python" -c 'import json, sys, urllib.request
url = json.load(open("urls"))[sys.argv[1]]
d = json.load(urllib.request.urlopen(url + "/_sim/state"))
print(eval(sys.argv[2]))' "$1" "$2"
}

no_violations () { # CLOUD
	[ "$(state "$1" 'd["violations"]')" = '[]' ] || fail "$1: against the contract:
$(state "$1" '"\n".join(v["method"] + " " + v["target"] + ": " + v["why"] for v in d["violations"])')"
}

for cloud in aws gcp azure lambda
do
	name=$(echo "$cloud" | tr '[:lower:]' '[:upper:]')
	export "SOUK_${name}_IMAGE_USER=$user"
	port=$(state "$cloud" 'd["ssh_port"]')
	[ "$port" = 22 ] || export "SOUK_${name}_PROXY_COMMAND=$python $src/tests/cloudsim/machine.py connect %h $port"
done

# task CLOUD TYPE [FEATURE...]: a machine of that type for all that the cloud can do with one
task () {
	cloud=$1 type=$2
	shift 2
	"$souk" provider list 2>/dev/null | grep -q "^$cloud " || {
		echo "ok: $cloud: built without it"
		return
	}
	run 0 catalog update "$cloud"
	run 0 check "$cloud"
	run 0 launch -y -c "$cloud" --infra "$cloud" --instance-type "$type" "$@" 'echo there'
	prints there
	run 0 status --refresh
	case $cloud in
	runpod | lambda) ;;
	*)
		run 0 stop -y "$cloud"
		run 0 start -y "$cloud"
		;;
	esac
	run 0 down -y "$cloud"
	no_violations "$cloud"
	[ "$(state "$cloud" 'd["alive"]')" = '[]' ] || fail "$cloud: something is left"
	echo "ok: $cloud: $(state "$cloud" 'len(d["requests"])') requests, none against the contract"
}

task lambda gpu_1x_a10
task runpod 1x_RTX4090_SECURE
task aws m6i.large --ports 8080
task azure Standard_D2s_v5 --ports 8080
task gcp e2-standard-2 --ports 8080

# Spot machines, and what looks at whole accounts.
for what in 'aws m6i.large' 'azure Standard_D2s_v5' 'gcp e2-standard-2'
do
	cloud=${what% *}
	"$souk" provider list 2>/dev/null | grep -q "^$cloud " || continue
	run 0 launch -y -c s --infra "$cloud" --instance-type "${what#* }" --use-spot 'echo there'
	run 0 down -y s
	no_violations "$cloud"
done
"$souk" doctor >out 2>err </dev/null || true
for cloud in aws gcp azure runpod lambda
do
	no_violations "$cloud"
done
echo 'ok: spot machines, and doctor'

# The same from the file, and with mistakes.
"$python" "$src/tests/cloudsim/contract.py" --specs "$specs" --check requests.jsonl ||
	fail 'what was recorded is against the contract'
"$python" "$src/tests/cloudsim/test_contract.py" "$specs" "$tmp/requests.jsonl"
