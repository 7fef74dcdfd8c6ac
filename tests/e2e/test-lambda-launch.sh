#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-lambda-launch.sh - machines of Lambda from launch to down, on a server of the tests with real sshds
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices lambda
need sshd ssh ssh-keygen
LAMBDA_API_KEY=secret_souk_TESTKEY0123456789
SOUK_LAMBDA_IMAGE_USER=$(id -un)
# A server of our own need not be waited for as a cloud is.
SOUK_LAMBDA_REQUEST_MS=0
SOUK_LAMBDA_LAUNCH_MS=0
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
export LAMBDA_API_KEY SOUK_LAMBDA_IMAGE_USER SOUK_LAMBDA_REQUEST_MS SOUK_LAMBDA_LAUNCH_MS \
	SOUK_CONFIRM_MS SOUK_SETTLE_MS
unset LAMBDA_CLOUD_API_TOKEN LAMBDA_CLOUD_TOKEN LAMBDA_API_TOKEN || true

# there EXPRESSION: true over d, what the server has
there () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
sys.exit(0 if eval(sys.argv[2]) else str(d))' "$url" "$1" || fail "on the server's side: not so: $1"
}

start () { # [ARG...]
	prices_start lambda_.py --sshd "$@"
	ssh_port=$("$python" -c 'import json, sys, urllib.request
print(json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))["ssh_port"])' "$url")
	if [ "$ssh_port" != 22 ]
	then
		SOUK_LAMBDA_PROXY_COMMAND="$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
		export SOUK_LAMBDA_PROXY_COMMAND
	fi
}

launch () { # STATUS ARG...
	want=$1
	shift
	run "$want" launch -y --providers lambda "$@"
}

start
run 0 catalog update lambda
launch 0 -c one --instance-type gpu_1x_h100_sxm5 --infra lambda/us-south-1 'echo "on $SOUK_NUM_NODES node"'
prints 'on 1 node'
there 'len(d["alive"]) == 1 and d["machines"][0]["region"]["name"] == "us-south-1"'
there 'len(d["keys"]) == 1 and d["keys"][0].startswith("souk-one-")'
run 0 exec one 'echo again'
prints again
run 0 status --refresh --json
json '[(c["name"], c["status"]) for c in d["clusters"]] == [("one", "UP")]'
run 0 down -y one
there 'd["alive"] == [] and d["keys"] == []'
run 0 status --json
json 'd["clusters"] == []'
echo "ok: one machine"

launch 0 -c two --num-nodes 2 --instance-type gpu_1x_a10 --infra lambda/us-west-1 'echo "rank $SOUK_NODE_RANK"'
there 'len(d["alive"]) == 2 and len(d["ever"]) == 3'
run 0 down -y two
there 'd["alive"] == [] and d["keys"] == []'
echo "ok: two nodes"

# A launch whose answer is lost is found by its tag, and is not made twice.
start --faults '[{"path": "launch", "do": "truncate"}]'
launch 0 -c lost --instance-type gpu_1x_a10 --infra lambda/us-west-1 'echo found'
prints found
there 'len(d["ever"]) == 1'
run 0 down -y lost
there 'd["alive"] == [] and d["keys"] == []'
echo "ok: a lost answer"

# Where there is none, the next region is tried, and nothing is left behind.
start --faults '[{"path": "launch", "times": 1, "do": "unavailable", "status": 400, "body": "{\"error\": {\"code\": \"instance-operations/launch/insufficient-capacity\", \"message\": \"Not enough capacity to fulfill launch request.\"}}"}]'
launch 0 -c next --instance-type gpu_1x_a10 'echo elsewhere'
prints elsewhere
there 'len(d["ever"]) == 1 and len(d["keys"]) == 1'
run 0 down -y next
there 'd["alive"] == [] and d["keys"] == []'
echo "ok: the next region"
