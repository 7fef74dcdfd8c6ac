#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-failover.sh - zone, region and provider that refuse: what comes next, said in one line
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

# fresh SCENARIO: a server with that scenario alone, and what went before forgotten
fresh () {
	sim_post scenario "$1"
	rm -rf "$SOUK_HOME"
}

# Two regions at one price, in the order of their names; the same machine in each.
cat >task.yaml <<'EOF'
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/us-west-2
  instance_type: m5.large
run: echo ran
EOF
sim_start '{}'

fresh '{"faults": [{"action": "RunInstances", "zone": "us-east-1a", "times": -1,
	"code": "InsufficientInstanceCapacity"}]}'
run 0 launch -y -d -c t task.yaml
says_once err '; trying the next '
says_once err "m5.large in 'us-east-1a'.*InsufficientInstanceCapacity.*; trying the next zone: aws us-east-1b m5.large"
sim_is '[i["zone"] for i in alive] == ["us-east-1b"]'
run 0 down -y t
everything_gone
echo "ok: a zone that is sold out: the next zone"

fresh '{"quotas": [{"type": "m5*", "region": "us-east-1", "market": "on-demand", "vcpus": 1}]}'
run 0 launch -y -d -c t task.yaml
says_once err '; trying the next '
says_once err "us-east-1.*VcpuLimitExceeded.*; trying the next region: aws us-west-2a m5.large"
sim_is '[i["zone"] for i in alive] == ["us-west-2a"]'
run 0 down -y t
everything_gone
echo "ok: a region whose quota is used up: the next region"

# A quota that is known to be too small is not tried; it is asked for once.
fresh '{"service_quotas": {"us-east-1/L-1216C47A": 1.0, "us-west-2/L-1216C47A": 2}}'
run 0 launch -y -d -c t task.yaml
says err "the account may have 1 vCPUs of on-demand Standard (A, C, D, H, I, M, R, T, Z) instances in 'us-east-1', this takes 2"
sim_is '{i["region"] for i in alive} == {"us-west-2"}'
sim_is '[r["region"] for r in d["requests"] if r["action"] == "RunInstances"] == ["us-west-2"]'
sim_is 'sorted(r["region"] for r in d["requests"] if r["action"] == "GetServiceQuota") == ["us-east-1", "us-west-2"]'
run 0 down -y t
everything_gone
fresh '{"service_quotas": {"L-1216C47A": 0, "L-34B43A08": 640}}'
run 69 launch -y -d -c t task.yaml
says err 'request-service-quota-increase --service-code ec2 --quota-code L-1216C47A --desired-value 2'
sim_is '[r for r in d["requests"] if r["action"] == "RunInstances"] == []'
run 0 launch -y -d -c t --use-spot task.yaml
run 0 down -y t
everything_gone
fresh '{"service_quotas": {"L-1216C47A": 0}}'
run 0 launch -y -d -c t --set aws.check_quotas=false task.yaml
run 0 down -y t
everything_gone
echo "ok: a quota of Service Quotas that is too small: not tried, and the command that asks for more"

# The cheapest first: spot is asked for in us-east-1a, and taken where it is to be had.
fresh '{"capacity": [{"type": "*", "zone": "us-east-1*", "market": "spot", "count": 0}]}'
run 0 launch -y -d -c t --use-spot task.yaml
says_once err '; trying the next region: aws us-west-2[abc] m5.large \(spot\)'
sim_is '[(i["region"], i["market"]) for i in alive] == [("us-west-2", "spot")]'
run 0 down -y t
everything_gone
echo "ok: spot that is sold out"

# What was sold out a moment ago is tried last.
fresh '{"capacity": [{"type": "m5.large", "zone": "us-east-1a", "count": 0}]}'
run 0 launch -y -d -c t task.yaml
run 0 down -y t
run 0 launch -y -d -c t task.yaml
lacks err '; trying the next '
sim_is '[i["zone"] for i in alive] == ["us-east-1b"]'
sim_is '[c for c in calls if c[1] == "InsufficientInstanceCapacity"].__len__() == 1'
run 0 down -y t
echo "ok: the ledger remembers what was sold out"

fresh '{"faults": [{"action": "*", "code": "AuthFailure", "status": 401, "times": -1}]}'
cat >either.yaml <<'EOF'
resources:
  ordered:
    - infra: aws
      instance_type: m5.large
    - infra: local
run: echo "ran at home"
EOF
if "$souk" provider list | grep -q '^local '
then
	run 0 launch -y -c t --providers aws,local either.yaml
	prints 'ran at home'
	says_once err '; trying the next '
	says_once err '^.*AuthFailure.*; trying the next provider: local '
	sim_is 'machines == []'
	run 0 down -y t
	echo "ok: credentials that are refused: the next provider"
fi
run 77 launch -y -c t --providers aws task.yaml
says err 'AuthFailure'
run 0 status --json
json 'd["clusters"] == []'
echo "ok: credentials that are refused, and nobody else to ask"

# Throttled at every kind of request, twice each, is not refused.
fresh '{"faults": [{"action": "RunInstances", "code": "RequestLimitExceeded", "status": 503, "times": 2},
	{"action": "Describe*", "code": "RequestLimitExceeded", "status": 503, "times": 2},
	{"action": "CreateSecurityGroup", "code": "Throttling", "status": 400, "times": 1}]}'
run 0 launch -y -d -c t task.yaml
lacks err '; trying the next '
sim_is '[i["zone"] for i in alive] == ["us-east-1a"]'
sim_is 'len([c for c in calls if c[1] in ("RequestLimitExceeded", "Throttling")]) == 5'
run 0 down -y t
everything_gone
echo "ok: throttled requests are sent again"

# A machine that nobody finds at first, neither by its id nor by its tags, is waited for.
fresh '{"lifecycle": {"visible_after": 4, "boot_after": 2}}'
run 0 launch -y -d -c t task.yaml
lacks err '; trying the next '
sim_is 'len(machines) == 1 and len(alive) == 1'
run 0 down -y t
everything_gone
echo "ok: a machine that is not shown at first"
# nor is it made twice when the reply to its creation is lost
fresh '{"lifecycle": {"visible_after": 2},
	"faults": [{"action": "RunInstances", "do": "drop-after", "times": 1}]}'
run 0 launch -y -d -c t task.yaml
sim_is 'len(machines) == 1 and len(alive) == 1'
run 0 down -y t
everything_gone
echo "ok: a reply that is lost, and a machine that is not shown at first"


# What a policy does not allow is named, with the statement that would.
fresh '{"faults": [
	{"action": "RunInstances", "code": "UnauthorizedOperation", "status": 403, "times": -1},
	{"action": "DescribeVpcs", "code": "UnauthorizedOperation", "status": 403, "times": -1}]}'
run 77 check aws
says out 'the policy does not allow ec2:DescribeVpcs, ec2:RunInstances'
says err 'allow it with { "Effect": "Allow", "Resource": "*", "Action": [ "ec2:DescribeVpcs", "ec2:RunInstances" ] }'
echo "ok: check names what the policy has to allow"
