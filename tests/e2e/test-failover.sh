#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-failover.sh - a launch that fails: told once, summed up, with advice; all nodes in one zone or none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

# fresh SCENARIO: a server with that scenario alone, and what went before forgotten
fresh () {
	sim_post scenario "$1"
	rm -rf "$SOUK_HOME"
}

# Three regions, two of them at one price.
cat >task.yaml <<'EOF'
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/eu-west-1
    - infra: aws/us-west-2
  instance_type: m5.large
run: echo ran
EOF
three='"regions": {"us-east-1": ["us-east-1a", "us-east-1b"], "eu-west-1": ["eu-west-1a"],
	"us-west-2": ["us-west-2a"]}'
sim_start "{$three}"

# ---- Told once, and summed up

fresh "{$three, \"quotas\": [{\"type\": \"m5*\", \"region\": \"*\", \"market\": \"on-demand\", \"vcpus\": 1}]}"
run 69 launch -y -d -c t --json task.yaml
cp out summary.json
# each region once: a refused region has no zone that is worth a try
sim_is 'len([c for c in calls if c[1] == "VcpuLimitExceeded"]) == 3'
says_once err '^t: aws: 2 more refused for the same reason \(VcpuLimitExceeded\); that was the last candidate$'
says_once err 'You have requested more vCPU .*; trying the next region: '
says_once err '^aws +us-east-1 \+2 +on-demand +3 +[0-9]+ +QUOTA +VcpuLimitExceeded'
says err 'hint: ask for more vCPUs under Service Quotas'
json 'd["job"] is None and d["placement"] is None'
json '([(t["provider"], t["code"], t["reason"], t["tried"], t["regions"]) for t in d["failure"]["tried"]] ==
	[("aws", "QUOTA", "VcpuLimitExceeded", 3, 3)])'
json '{a["kind"] for a in d["failure"]["advice"]} == {"retry", "quota"}'
json '(lambda prices: prices == sorted(prices))([a["price_per_hour"] for a in d["failure"]["advice"]])'
everything_gone
echo "ok: a quota of the account is told once, not for each region"

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"us-east-1*\", \"count\": 0}]}"
run 69 launch -y -d -c t --infra aws/us-east-1 --instance-type m5.large true
says err "--infra aws/us-"
says err "'--retry-until-up' keeps trying"
flag=$(sed -n "s/^hint: '\(--infra aws\/us-[^']*\)'.*/\1/p" err)
everything_gone
# the advice is good
# shellcheck disable=SC2086
run 0 launch -y -d -c t $flag --instance-type m5.large true
sim_is 'len(alive) == 1 and not alive[0]["zone"].startswith("us-east-1")'
run 0 down -y t
everything_gone
echo "ok: a sold-out region: another one is named, and has it"

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"*\", \"market\": \"spot\", \"count\": 0}]}"
run 69 launch -y -d -c t --use-spot --json task.yaml
json '[a["flag"] for a in d["failure"]["advice"] if a["kind"] == "market"] == ["--no-use-spot"]'
run 0 launch -y -d -c t --no-use-spot task.yaml
sim_is '[i["market"] for i in alive] == ["on-demand"]'
run 0 down -y t
everything_gone
echo "ok: spot that is sold out everywhere: on demand is named"

# ---- All nodes in one zone, or none

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"us-east-1a\", \"count\": 1},
	{\"type\": \"m5.large\", \"zone\": \"us-east-1b\", \"count\": 2}]}"
run 0 launch -y -d -c t --num-nodes 2 --infra aws/us-east-1 --instance-type m5.large true
sim_is '[i["zone"] for i in alive] == ["us-east-1b", "us-east-1b"]'
sim_is 'len(machines) == 2'
run 0 down -y t
everything_gone
echo "ok: room for one of two: both are in the next zone"

# one in each zone is not two
fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"*\", \"count\": 1}]}"
run 69 launch -y -d -c t --num-nodes 2 --infra aws/us-east-1 --instance-type m5.large true
sim_is 'machines == []'
everything_gone
echo "ok: room for one in each zone: none is kept"
