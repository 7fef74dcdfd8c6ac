#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-runpod-plan.sh - the plan of requests to RunPod, and the wire; several nodes or none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
. "$src/tests/e2e/plan.sh"
need_prices runpod
need sshd ssh ssh-keygen
# One logs in to a pod as root, whom an sshd of the tests knows only if it is root's.
[ "$(id -u)" -eq 0 ] || skip 'not root'
RUNPOD_API_KEY=rpa_TESTKEY0123456789
# A server of our own need not be waited for as a cloud is.
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
export RUNPOD_API_KEY SOUK_CONFIRM_MS SOUK_SETTLE_MS
plan_names='POD=pod[0-9a-f]{8,32}'

start () { # SCENARIO
	printf '%s\n' "$1" >scenario.json
	prices_start runpod.py --sshd --scenario "$PWD/scenario.json"
}

cat >task.yaml <<'EOF'
resources:
  infra: runpod/US
  instance_type: 1x_RTX4090_SECURE
num_nodes: 2
run: echo "rank $SOUK_NODE_RANK"
EOF
start '{}'
run 0 catalog update runpod
planned task.yaml
plan_has_rows
json '{r["what"] for r in d["requests"]} == {"ListPods", "CreatePod", "GetPod", "DeletePod"}'
json 'all(r["changes"] == (not r["what"].startswith(("List", "Get"))) for r in d["requests"])'
json 'all(json.loads(r["body"])["globalNetworking"] and len(json.loads(r["body"])["dataCenterIds"]) == 1 for r in d["requests"] if r["what"] == "CreatePod")'
json 'all("pods: read and write" in p["policy"] for p in d["providers"])'
lacks out "$RUNPOD_API_KEY"
echo "ok: the plan is whole, and nothing was sent for it"

SOUK_HTTP_RECORD=$tmp/record
export SOUK_HTTP_RECORD
run 0 launch -y -c t task.yaml
prints 'rank 1'
there_is 'len(alive) == 2 and len({m["region"] for m in alive}) == 1 and len({m["name"] for m in alive}) == 1'
wire_is_planned 'a launch of two nodes'
run 0 status --refresh t
wire_is_planned 'refresh'
run 0 down -y t
wire_needs DeletePod
wire_is_planned 'down'
all_gone

# Where one of two can be had, none is kept.
start '{"capacity": [{"region": "*", "type": "NVIDIA GeForce RTX 4090", "count": 1}]}'
planned task.yaml
run 69 launch -y -c t task.yaml
says err 'no longer any instances available'
there_is 'len(d["ever"]) >= 1'
all_gone
wire_is_planned 'two nodes or none'

# A pod without a GPU has no network to its siblings; and two of the same token are made once.
unset SOUK_HTTP_RECORD
run 69 launch -y -c t --infra runpod --num-nodes 2 --instance-type cpu5c-4-8 true
says err 'do not reach each other'
start '{"faults": [{"action": "createPod", "skip": 1, "do": "drop-after"}]}'
run 0 launch -y -c t task.yaml
there_is 'len(alive) == 2'
run 0 down -y t
all_gone
echo "ok: a lost reply of the second node"
