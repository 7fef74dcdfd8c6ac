#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-lambda-plan.sh - the plan of requests to Lambda, and the wire; several nodes or none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
. "$src/tests/e2e/plan.sh"
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

start () { # SCENARIO
	printf '%s\n' "$1" >scenario.json
	prices_start lambda_.py --sshd --scenario "$PWD/scenario.json"
	ssh_port=$(there 'd["ssh_port"]')
	if [ "$ssh_port" != 22 ]
	then
		SOUK_LAMBDA_PROXY_COMMAND="$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
		export SOUK_LAMBDA_PROXY_COMMAND
	fi
}

cat >task.yaml <<'EOF'
resources:
  any_of:
    - infra: lambda/us-west-1
    - infra: lambda/us-east-1
  instance_type: gpu_1x_a10
  labels: {team: blue}
num_nodes: 2
run: echo "rank $SOUK_NODE_RANK"
EOF
start '{}'
run 0 catalog update lambda
planned task.yaml
plan_has_rows
json '{r["what"] for r in d["requests"]} == {"ListInstances", "ListSSHKeys", "AddSSHKey", "DeleteSSHKey", "LaunchInstance", "TerminateInstances"}'
# each of a cloud's writes is marked as one
json 'all(r["changes"] == (not r["what"].startswith("List")) for r in d["requests"])'
json 'all(p["policy"].startswith("api-key: ") for p in d["providers"])'
lacks out "$LAMBDA_API_KEY"
# rehearsals do not take the turns of those who are in earnest
cp "$SOUK_HOME/state/providers/lambda/pace" pace
SOUK_LAMBDA_REQUEST_MS=60000 SOUK_LAMBDA_LAUNCH_MS=300000 planned task.yaml
cmp pace "$SOUK_HOME/state/providers/lambda/pace" || fail 'a rehearsal has taken a turn'
# the name of the key ends in hashes of the owner and of the key
key_name=$("$python" -c 'import json
print({json.loads(r["body"])["name"] for r in json.load(open("plan.json"))["requests"] if r["what"] == "AddSSHKey"}.pop())')
plan_names="$key_name=souk-t-[0-9a-f]{8}-[0-9a-f]{8} INSTANCE=[0-9a-f]{8,32} /KEY=/[0-9a-f]{8,32}"
echo "ok: the plan is whole, and nothing was sent for it"

SOUK_HTTP_RECORD=$tmp/record
export SOUK_HTTP_RECORD
run 0 launch -y -c t task.yaml
prints 'rank 1'
there_is 'len(d["alive"]) == 2'
wire_is_planned 'a launch of two nodes'
run 0 status --refresh t
wire_is_planned 'refresh'
run 0 down -y t
wire_needs TerminateInstances
wire_is_planned 'down'
all_gone

# Behind the firewall ruleset of that name in the region
SOUK_LAMBDA_FIREWALL=work
export SOUK_LAMBDA_FIREWALL
planned --infra lambda/us-west-1 --instance-type gpu_1x_a10 true
json '"RULESET" in {e["id"] for r in d["requests"] if r["what"] == "LaunchInstance" for e in json.loads(r["body"])["firewall_rulesets"]}'
run 0 launch -y -d -c t --infra lambda/us-west-1 --instance-type gpu_1x_a10 true
run 0 down -y t
wire_needs ListFirewallRulesets
wire_is_planned 'a firewall ruleset'
run 69 launch -y -d -c t --infra lambda/us-east-1 --instance-type gpu_1x_a10 true
says err "no firewall ruleset 'work' in 'us-east-1'"
rm -rf "$SOUK_HTTP_RECORD"
unset SOUK_LAMBDA_FIREWALL
all_gone

# One of two can be had in the first region: none is kept there.
start '{"capacity": [{"type": "gpu_1x_a10", "region": "us-east-1", "count": 1}]}'
rm -rf "$SOUK_HOME"
run 0 catalog update lambda
rm -rf "$SOUK_HTTP_RECORD"
planned task.yaml
run 0 launch -y -c t --infra lambda/us-east-1 --num-nodes 1 --instance-type gpu_1x_a10 -d true
run 0 down -y t
there_is 'len(d["ever"]) == 1'
rm -rf "$SOUK_HTTP_RECORD"
run 0 launch -y -c t task.yaml
there_is 'len(d["alive"]) == 2 and len({m["region"] for m in d["instances"] if m["id"] in d["alive"]}) == 1'
there_is '[m["region"] for m in d["instances"] if m["id"] in d["alive"]] == ["us-west-1", "us-west-1"]'
run 0 down -y t
wire_is_planned 'failover from a region with one of two'
all_gone
run 69 launch -y -c t --infra lambda/us-east-1 --num-nodes 2 --instance-type gpu_1x_a10 true
says err 'capacity'
all_gone
echo "ok: two nodes or none"
