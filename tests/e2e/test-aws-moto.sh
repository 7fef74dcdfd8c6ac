#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-moto.sh - spot in two regions of moto's EC2, killed and repeated, with a real job
#
# moto knows nothing of ClientToken, so that only intents and tags keep a launch from renting
# twice; and its machines have addresses that nobody listens on, which proxy_command makes real.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_moto

regions=us-east-1,us-west-2
server_start 's/^.*Running on http:..127\.0\.0\.1:\([0-9]*\).*$/\1/p' \
	"$python" -u -m moto.server -H 127.0.0.1 -p 0
SOUK_AWS_PROXY_COMMAND="$python $src/tests/crash/moto-ssh.py --endpoint $AWS_ENDPOINT_URL"
SOUK_AWS_PROXY_COMMAND="$SOUK_AWS_PROXY_COMMAND --regions $regions --dir $tmp/machines %h"
export SOUK_AWS_PROXY_COMMAND

# moto ACTION [PARAMETER...]: ask in each of the regions, by a client that is not ours to trust
cat >moto.py <<'EOF'
import os, sys, urllib.request, xml.etree.ElementTree as tree
sys.path.insert(0, sys.argv[1])
import awswire

def ask(region, action):
    url = os.environ["AWS_ENDPOINT_URL"] + "/"
    body = f"Action={action}&Version=2016-11-15".encode()
    headers = awswire.sign("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, body,
                           "testing", "testing", region, "ec2")
    with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=60) as reply:
        return tree.fromstring(reply.read())

machines, groups = [], []
for region in ("us-east-1", "us-west-2"):
    for item in ask(region, "DescribeInstances").iterfind(".//{*}instancesSet/{*}item"):
        machines.append({
            "region": region, "id": item.findtext("{*}instanceId"),
            "zone": item.findtext("{*}placement/{*}availabilityZone"),
            "state": item.findtext("{*}instanceState/{*}name"),
            "spot": item.findtext("{*}instanceLifecycle") == "spot",
            "tags": {t.findtext("{*}key"): t.findtext("{*}value")
                     for t in item.iterfind("{*}tagSet/{*}item")}})
    groups += [e.text for e in ask(region, "DescribeSecurityGroups").iterfind(
        ".//{*}securityGroupInfo/{*}item/{*}groupName") if e.text != "default"]
alive = [m for m in machines if m["state"] not in ("shutting-down", "terminated")]
print(eval(sys.argv[2]))
EOF

moto () { # EXPRESSION over machines, alive, groups: print it
	"$python" moto.py "$src/tests/cloudsim" "$1"
}

moto_is () { # EXPRESSION: it is true
	[ "$(moto "bool($1)")" = True ] || fail "in moto: not so: $1
$(moto 'machines, groups')"
}

nothing_left () {
	moto_is 'alive == []'
	moto_is 'groups == []'
	run 0 status --json
	json 'd["clusters"] == []'
}

cat >task.yaml <<'EOF'
name: greet
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/us-west-2
  instance_type: m5.large
  use_spot: true
setup: echo ready >~/ready
run: |
  echo "$(cat ~/ready) on $SOUK_NUM_NODES"
  exit 4
EOF

# ---- The whole path

run 0 launch --dryrun -y -c t --all task.yaml
says out us-east-1
says out us-west-2
moto_is 'machines == []'
run 4 launch -y -c t task.yaml
prints 'ready on 1'
moto_is 'len(alive) == 1 and alive[0]["state"] == "running" and alive[0]["spot"]'
moto_is 'alive[0]["region"] in ("us-east-1", "us-west-2")'
moto_is 'alive[0]["tags"]["souk-cluster"] == "t"'
moto_is 'alive[0]["tags"]["souk-owner"] and len(alive[0]["tags"]["souk-token"]) > 15'
moto_is 'len(groups) == 1'
id=$(moto 'alive[0]["id"]')
run 0 status t --json
json "[n['id'] for n in d['clusters'][0]['nodes']] == ['$id']"
json 'd["clusters"][0]["spot"] and d["clusters"][0]["status"] == "UP"'
run 0 exec t 'cat ~/ready'
prints ready
run 75 launch -y -c t --no-use-spot true
says err 'is not what the task asks for'
run 0 down -y t
moto_is '[m["state"] for m in machines] == ["terminated"]'
nothing_left
echo "ok: spot in one of two regions: launch, job, exec, down"

# ---- Killed after RunInstances, and repeated

: >proxy.log
"$python" "$src/tests/crash/faultproxy.py" --upstream "$AWS_ENDPOINT_URL" >proxy.log 2>&1 </dev/null &
proxy=$!
started=$proxy
proxy_says () {
	port=$(sed -n 's/^listening //p' proxy.log)
	[ -n "$port" ]
}
await 'the proxy listens' proxy_says

# killed KIND: a launch that dies at RunInstances; 'souk status --refresh' and the same launch
killed () {
	"$python" -c 'import json, sys, urllib.request
urllib.request.urlopen(sys.argv[1], json.dumps({"at": 1, "do": sys.argv[2],
	"action": "RunInstances"}).encode()).read()' "http://127.0.0.1:$port/_fault" "$1"
	status=0
	AWS_ENDPOINT_URL=http://127.0.0.1:$port "$souk" launch -y -c t task.yaml \
		>out 2>err </dev/null || status=$?
	[ "$status" -eq 137 ] || fail "the launch was not killed: exit status $status"
}

killed kill-after
moto_is 'len(alive) == 1'
id=$(moto 'alive[0]["id"]')
run 4 launch -y -c t task.yaml
prints 'ready on 1'
moto_is "[m['id'] for m in alive] == ['$id']"
run 0 down -y t
nothing_left
echo "ok: killed after RunInstances and repeated: the same machine"

killed kill-after
id=$(moto 'alive[0]["id"]')
run 0 status --refresh --json
json "[(c['name'], c['status'], [n['id'] for n in c['nodes']]) for c in d['clusters']] == [('t', 'INIT', ['$id'])]"
run 0 down -a -y
nothing_left
echo "ok: killed after RunInstances and settled: the store knows the machine, down ends it"

killed kill-before
moto_is 'alive == []'
run 4 launch -y -c t task.yaml
moto_is 'len(alive) == 1'
run 0 down -y t
nothing_left
echo "ok: killed before RunInstances and repeated: one machine"
