#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-launch-plan.sh - the plan of requests, and the wire: nothing is sent that is not in the plan
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
. "$src/tests/e2e/plan.sh"
need_aws

cat >task.yaml <<'EOF'
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/us-west-2
  instance_type: m5.large
  ports: [8080]
  labels: {team: blue}
  autostop: {idle_minutes: 30}
num_nodes: 2
run: echo ran
EOF
sim_start '{}'

plan_names='i-INSTANCE=i-[0-9a-f]+ sg-GROUP=sg-[0-9a-f]+ vpc-VPC=vpc-[0-9a-f]+
	subnet-SUBNET=subnet-[0-9a-f]+ ami-IMAGE=ami-[0-9a-f]+'

server_forget () {
	sim_post forget '{}'
}

server_was_idle () {
	sim_is 'calls == []'
}

planned task.yaml
plan_has_rows
json '{"provision", "wait", "open-ports", "autostop", "stop", "start", "down", "settle"} <= {r["step"] for r in d["requests"]}'
json '{"new", "found", "bare", "refused"} == {r["scene"] for r in d["requests"]}'
# each of a cloud's writes is marked as one
json 'all(r["changes"] == (not r["what"].startswith(("Describe", "Get"))) for r in d["requests"])'
# neither the keys of this account nor those of a machine
lacks out "$AWS_SECRET_ACCESS_KEY:"
lacks out 'Credential='
"$python" -c 'import json, sys
d = json.load(open("plan.json"))
policy = json.loads(d["providers"][0]["policy"])
granted = {a for s in policy["Statement"] for a in s["Action"]}
needed = {p for r in d["requests"] for p in (r["permission"] or "").split()}
assert granted == needed, granted ^ needed
assert {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags"} <= granted
assert {a.split(":")[1] for a in granted} <= {r["what"] for r in d["requests"]}' ||
	fail 'the policy is not that of the requests'
echo "ok: the plan is whole, nothing was sent for it, and the policy is what it needs"

run 0 launch --plan --limit 1 -c t task.yaml
says out 'to make the machines:'
says out '(RunInstances; needs ec2:RunInstances ec2:CreateTags)'
says out 'MinCount=2'
says out 'The policy that aws needs for these:'
says err "more candidates ('--all' shows their requests too)"
run 64 launch --plan --dryrun task.yaml
# what a scene leads to is not told as if it happened
run 0 launch --plan --limit 1 --infra aws --gpus T4 true
lacks err 'no image with a driver'
# a module that cannot tell is named
if "$souk" provider list | grep -q '^local '
then
	run 0 launch --plan --providers local --json true
	json 'd["requests"] == [] and "cannot tell which requests" in d["providers"][0]["problem"]'
fi

SOUK_HTTP_RECORD=$tmp/record
export SOUK_HTTP_RECORD
run 0 launch -y -d -c t task.yaml
wire_is_planned 'a launch'
run 0 status --refresh t
run 0 autostop t -i 60
run 0 stop -y t
run 0 start -y t
run 0 autostop t -i 60 --down
wire_is_planned 'refresh, autostop, stop and start'
run 65 launch --plan -c t task.yaml
run 0 down -y t
wire_needs TerminateInstances
wire_is_planned 'down'
everything_gone

# Refused in a zone, then in a region; and the group of a launch before is there.
sim_post scenario '{"capacity": [{"type": "m5.large", "zone": "us-east-1a", "count": 1}],
	"quotas": [{"type": "m5*", "region": "us-west-2", "market": "on-demand", "vcpus": 1}]}'
rm -rf "$SOUK_HOME"
planned task.yaml
SOUK_HTTP_RECORD=$tmp/record run 0 launch -y -d -c t task.yaml
sim_is '[i["zone"] for i in alive] == ["us-east-1b", "us-east-1b"]'
SOUK_HTTP_RECORD=$tmp/record run 0 down -y t
wire_is_planned 'failover to the next zone, and down'
everything_gone

# A reply that is lost
sim_post scenario '{"faults": [{"action": "RunInstances", "do": "drop-after", "times": 1}]}'
rm -rf "$SOUK_HOME"
planned --use-spot --infra aws --instance-type m5.large true
run 0 launch -y -d -c t --use-spot --infra aws --instance-type m5.large true
run 0 down -y t
wire_is_planned 'a lost reply, of a spot machine'
everything_gone
