#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-placement.sh - where machines stand: placement groups, EFA, capacity reservations, VPCs
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws
sim_start '{}'

# nothing_left: no machine, no group of either kind, nothing in the store
nothing_left () {
	everything_gone
	sim_is 'd["placements"] == []'
}

# nodes N TYPE ARG...: a cluster named t
nodes () {
	n=$1 type=$2
	shift 2
	run 0 launch -y -d -c t --num-nodes "$n" --infra aws/us-east-1 --instance-type "$type" "$@" true
}

# self WAY: the cluster's group admits all to and from itself
self='[r["source"] for g in d["groups"] if g["name"] != "default" for r in g[way] if r["source"] == g["id"]]'

# ---- A type with EFA

nodes 2 g5.12xlarge
sim_is '[i["interfaces"] for i in alive] == [["efa"], ["efa"]]'
sim_is 'len(d["placements"]) == 1 and d["placements"][0]["strategy"] == "cluster"'
sim_is '{i["placement"] for i in alive} == {d["placements"][0]["name"]}'
sim_is 'd["placements"][0]["tags"]["souk-token"] == alive[0]["tags"]["souk-token"]'
sim_is "all(len($self) == 1 for way in ('ingress', 'egress'))"
sim_is '{i["zone"] for i in alive} == {"us-east-1a"}'
run 0 doctor --json --providers aws
run 0 down -y t
nothing_left
echo "ok: several nodes with EFA stand in a group, which goes with them"

nodes 1 g5.12xlarge
sim_is 'alive[0]["interfaces"] == ["interface"] and not alive[0]["placement"] and d["placements"] == []'
run 0 down -y t
nodes 2 m5.large
sim_is 'all(i["interfaces"] == ["interface"] and not i["placement"] for i in alive)'
sim_is "$(printf '%s' "$self" | sed 's/g\[way\]/g["egress"]/') == []"
run 0 down -y t
nodes 2 g5.12xlarge --set aws.efa=false
sim_is 'all(i["interfaces"] == ["interface"] and not i["placement"] for i in alive)'
run 0 down -y t
nodes 2 g5.12xlarge --set aws.placement_group=none
sim_is '[i["interfaces"] for i in alive] == [["efa"], ["efa"]] and d["placements"] == []'
run 0 down -y t
sim_is 'not any(a.endswith("PlacementGroups") for a, _ in calls[-6:])'
nothing_left
echo "ok: one node, a type without EFA, and who does not want it"

# Several interfaces have no public address: one, and a word; all of them where none is wanted.
nodes 2 p4d.24xlarge
says err 'one EFA interface of 4'
sim_is '[i["interfaces"] for i in alive] == [["efa"], ["efa"]]'
run 0 down -y t
nodes 2 p4d.24xlarge --set aws.use_internal_ips=true
sim_is '{tuple(i["interfaces"]) for i in alive} == {("efa", "efa-only", "efa-only", "efa-only")}'
sim_is 'all(i["ip"] is None for i in alive)'
run 0 status t --json
json 'all(n["public_address"] == n["private_address"] for n in d["clusters"][0]["nodes"])'
run 0 exec t --set aws.use_internal_ips=true 'echo by its private address'
prints 'by its private address'
run 0 down -y t
nothing_left
echo "ok: an EFA interface on each network card of machines without public addresses"

# ---- Failures leave no group behind

sim_post scenario '{"capacity": [{"type": "g5.12xlarge", "zone": "us-east-1a", "count": 1}]}'
nodes 2 g5.12xlarge
sim_is '{i["zone"] for i in alive} == {"us-east-1b"} and len(d["placements"]) == 1'
sim_is '[a for a, _ in calls].count("CreatePlacementGroup") == 2'
run 0 down -y t
nothing_left
sim_post scenario '{"capacity": [{"type": "g5.12xlarge", "count": 1}]}'
run 69 launch -y -d -c t --num-nodes 2 --infra aws/us-east-1 --instance-type g5.12xlarge true
nothing_left
# the reply to the machines is lost, and that to the group: each is made once
sim_post scenario '{"faults": [{"action": "RunInstances", "do": "drop-after"},
	{"action": "CreatePlacementGroup", "do": "drop-after"}]}'
nodes 2 g5.12xlarge
sim_is 'len(alive) == 2 and len(d["placements"]) == 1'
run 0 down -y t
nothing_left
# refused for lack of a right: the right is named
sim_post scenario '{"faults": [{"action": "CreatePlacementGroup", "code": "UnauthorizedOperation", "times": -1}]}'
run 77 launch -y -d -c t --num-nodes 2 --infra aws/us-east-1 --instance-type g5.12xlarge true
says err 'CreatePlacementGroup'
nothing_left
echo "ok: failover, lost replies and refusals leave no placement group"

# ---- Killed at each request that makes something

: >proxy.log
"$python" "$src/tests/crash/faultproxy.py" --upstream "$AWS_ENDPOINT_URL" >proxy.log 2>&1 </dev/null &
started=$!
proxy_says () {
	proxy=$(sed -n 's/^listening //p' proxy.log)
	[ -n "$proxy" ]
}
await 'the proxy listens' proxy_says

# killed KIND ACTION: a launch that dies there; afterwards the store knows what there is, or there is nothing
killed () {
	"$python" -c 'import json, sys, urllib.request
urllib.request.urlopen(sys.argv[1], json.dumps({"at": 1, "do": sys.argv[2],
	"action": sys.argv[3]}).encode()).read()' "http://127.0.0.1:$proxy/_fault" "$1" "$2"
	status=0
	AWS_ENDPOINT_URL=http://127.0.0.1:$proxy "$souk" launch -y -d -c t --num-nodes 2 \
		--infra aws/us-east-1 --instance-type g5.12xlarge true >out 2>err </dev/null || status=$?
	[ "$status" -eq 137 ] || fail "the launch was not killed at $2: exit status $status"
	run 0 status --refresh --json
	json "sum(len(c['nodes']) for c in d['clusters']) == $(sim 'len(alive)')"
	run 0 down -a -y
	nothing_left
}

sim_post scenario '{}'
killed kill-after CreatePlacementGroup
if [ -n "${SOUK_TEST_LONG:-}" ]
then
	for kind in kill-before kill-after
	do
		for action in CreateSecurityGroup AuthorizeSecurityGroupEgress CreateTags CreatePlacementGroup RunInstances
		do
			killed "$kind" "$action"
		done
	done
fi
# and on the way out
nodes 2 g5.12xlarge
for action in ${SOUK_TEST_LONG:+TerminateInstances DeleteSecurityGroup} DeletePlacementGroup
do
	"$python" -c 'import json, sys, urllib.request
urllib.request.urlopen(sys.argv[1], json.dumps({"at": 1, "do": "kill-after",
	"action": sys.argv[2]}).encode()).read()' "http://127.0.0.1:$proxy/_fault" "$action"
	status=0
	AWS_ENDPOINT_URL=http://127.0.0.1:$proxy "$souk" down -y t >out 2>err </dev/null || status=$?
	[ "$status" -eq 137 ] || fail "not killed at $action: exit status $status"
done
run 0 down -a -y
run 0 status --refresh
nothing_left
kill "$started"
started=
echo "ok: killed at each request, and nothing is left"

# ---- Capacity reservations

sim_post scenario '{"reservations": [
	{"id": "cr-0a", "type": "m5.large", "region": "us-east-1", "zone": "us-east-1b", "count": 2},
	{"id": "cr-0b", "type": "m5.large", "region": "us-east-1", "zone": "us-east-1b", "count": 9},
	{"id": "cr-0c", "type": "p5.48xlarge", "region": "us-east-1", "zone": "us-east-1b", "count": 2,
	 "kind": "capacity-block"},
	{"id": "cr-0d", "type": "m5.large", "region": "us-west-2", "zone": "us-west-2a", "count": 9}],
	"capacity": [{"count": 0}], "quotas": [{"region": "us-east-1", "vcpus": 1}]}'
SOUK_AWS_CAPACITY_RESERVATION=cr-0a,cr-0c
export SOUK_AWS_CAPACITY_RESERVATION
# the market is sold out; what is reserved is there, and counts against no quota
nodes 2 m5.large
sim_is '[(i["reserved"], i["zone"]) for i in alive] == [("cr-0a", "us-east-1b")] * 2'
run 69 launch -y -d -c u --infra aws/us-east-1/us-east-1b --instance-type m5.large true
says err "'cr-0a' has 0 of 1 machines free"
run 69 launch -y -d -c u --infra aws/us-west-2 --instance-type m5.large true
says err 'no capacity reservation of the settings is for m5.large'
run 69 launch -y -d -c u --use-spot --infra aws/us-east-1 --instance-type m5.large true
run 0 down -y t
nodes 2 p5.48xlarge
sim_is '{(i["reserved"], i["placement"]) for i in alive} == {("cr-0c", None)}'
run 0 down -y t
nothing_left
run 0 quote --live --json --infra aws/us-east-1/us-east-1b --instance-type m5.large true
says out 'in a capacity reservation, which costs as much while it is empty'
run 0 launch --plan --json --all -c t --infra aws/us-east-1 --instance-type m5.large true
json '"ec2:DescribeCapacityReservations" in d["providers"][0]["policy"]'
unset SOUK_AWS_CAPACITY_RESERVATION
echo "ok: machines go into reservations by their ids, and nowhere else"
