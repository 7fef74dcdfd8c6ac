#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-gcp-sim.sh - the life of a cluster on a simulated Compute Engine whose machines are real
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices gcp
need sshd ssh ssh-keygen
for variable in GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG GOOGLE_CLOUD_PROJECT \
	CLOUDSDK_CORE_PROJECT GCLOUD_PROJECT GCE_METADATA_HOST CLOUDSDK_ACTIVE_CONFIG_NAME
do
	unset "$variable" || true
done
NO_GCE_CHECK=true
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
SOUK_WATCHDOG_INTERVAL=1
SOUK_GCP_IMAGE_USER=$(id -un)
export NO_GCE_CHECK SOUK_CONFIRM_MS SOUK_SETTLE_MS SOUK_WATCHDOG_INTERVAL SOUK_GCP_IMAGE_USER
"$python" "$src/tests/cloudsim/gcpprices.py" --make-key . || fail 'no key'

# sim EXPRESSION: print it over what there is: d, machines, rules, made
sim () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
machines, rules, made = d["machines"], d["firewalls"], d["made"]
print(eval(sys.argv[2]))' "$url" "$1"
}

sim_is () {
	[ "$(sim "bool($1)")" = True ] || fail "on the server's side: not so: $1
$(sim '[(m["name"], m["status"], m["labels"]) for m in machines], sorted(rules), made')"
}

# order WHAT JSON: tell the server
order () {
	"$python" -c 'import sys, urllib.request
urllib.request.urlopen(sys.argv[1] + "/_sim/" + sys.argv[2], sys.argv[3].encode()).read()' "$url" "$@"
}

everything_gone () {
	sim_is 'machines == [] and rules == {}'
	run 0 status --json
	json 'd["clusters"] == []'
}

prices_start gcpcompute.py --key "$tmp/key.pub" --sshd
sed "s,127\.0\.0\.1:0,127.0.0.1:$port," key.json >credentials.json
GOOGLE_APPLICATION_CREDENTIALS=$tmp/credentials.json
export GOOGLE_APPLICATION_CREDENTIALS
ssh_port=$(sim 'd["ssh_port"]')
if [ "$ssh_port" != 22 ]
then
	SOUK_GCP_PROXY_COMMAND="$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
	export SOUK_GCP_PROXY_COMMAND
fi
run 0 catalog update gcp

# ---- One job on two nodes, with files; another one to its own exit status

mkdir work
echo 'from the workdir' >work/text
cat >task.yaml <<EOF
name: whole
resources:
  infra: gcp/us-central1
  instance_type: n2-standard-4
  disk_size: 50
  labels:
    team: market
num_nodes: 2
workdir: $tmp/work
envs:
  GREETING: hello
setup: cat text >~/set-up
run: |
  echo "\$GREETING rank \$SOUK_NODE_RANK of \$SOUK_NUM_NODES, \$(cat ~/set-up)"
  [ "\$(echo "\$SOUK_NODE_IPS" | wc -l)" -eq 2 ]
EOF
run 0 launch -y -c t task.yaml
prints 'hello rank 0 of 2, from the workdir'
prints 'hello rank 1 of 2, from the workdir'
sim_is 'len(machines) == 2 and len({m["zone"] for m in machines}) == 1'
sim_is 'all(m["labels"]["souk-cluster"] == "t" and m["labels"]["team"] == "market" for m in machines)'
sim_is 'len({m["labels"]["souk-token"] for m in machines}) == 1 and all(m["meta"]["souk-owner"] for m in machines)'
sim_is 'all(m["body"]["disks"][0]["initializeParams"]["diskSizeGb"] == "50" for m in machines)'
sim_is 'all(m["body"]["scheduling"]["provisioningModel"] == "STANDARD" for m in machines)'
sim_is 'sorted(r.rpartition("-")[2] for r in rules) == ["in", "ssh"]'
sim_is '[r["sourceRanges"] for n, r in rules.items() if n.endswith("ssh")] == [["127.0.0.1/32"]]'
sim_is 'all(m["tags"]["items"] == r["targetTags"] for m in machines for r in rules.values())'
run 0 status t --json
json '[n["status"] for n in d["clusters"][0]["nodes"]] == ["RUNNING"] * 2'
run 5 exec t 'echo again; exit 5'
prints again
run 0 down -y t
everything_gone
echo 'ok: two nodes, files, exit status'

# ---- A GPU machine as spot; stop and start; taken away

run 0 launch -y -c g --gpus T4:1 --infra gcp --use-spot 'echo with a GPU'
prints 'with a GPU'
sim_is 'machines[0]["body"]["guestAccelerators"][0]["acceleratorCount"] == 1'
sim_is 'machines[0]["body"]["scheduling"]["provisioningModel"] == "SPOT"'
sim_is '"common-cu128" in machines[0]["body"]["disks"][0]["initializeParams"]["sourceImage"]'
name=$(sim 'machines[0]["name"]')
order preempt "{\"name\": \"$name\"}"
run 0 status --refresh --json
json 'd["clusters"] == []'
everything_gone
run 0 launch -y -c s --instance-type e2-standard-4 --infra gcp/us-east1 'echo one >~/kept; echo made'
run 0 stop -y s
sim_is 'machines[0]["status"] == "TERMINATED" and not machines[0]["ip"]'
run 0 start -y s
run 0 exec s 'cat ~/kept'
prints one
sim_is 'len(made) == 4'
run 0 down -y s
everything_gone
echo 'ok: spot, preemption, stop and start'

# ---- Sold out here, a quota there: the next one; nothing is left behind

order capacity '{"capacity": [{"type": "c3-standard-8", "region": "us-central1", "count": 0}]}'
order quotas '{"quotas": [{"type": "c3-standard-8", "region": "us-east*", "count": 0}]}'
run 0 launch -y -c f --instance-type c3-standard-8 --infra gcp 'echo found a place'
prints 'found a place'
sim_is 'len(machines) == 1 and not machines[0]["zone"].split("/")[-1].startswith(("us-central1", "us-east"))'
run 0 down -y f
everything_gone
order capacity '{"capacity": [{"type": "c3-standard-8", "count": 0}]}'
order quotas '{"quotas": []}'
status=0
"$souk" launch -y -c f --instance-type c3-standard-8 --infra gcp/europe-west1 'true' >out 2>err </dev/null ||
	status=$?
[ "$status" -ne 0 ] || fail 'launched where all is sold out'
says err 'does not have enough resources'
everything_gone
echo 'ok: failover'

# ---- An answer that is lost: one machine, not two

order faults '{"faults": [{"action": "create", "do": "drop-after"}]}'
before=$(sim 'len(made)')
run 0 launch -y -c l --instance-type e2-standard-2 --infra gcp/us-west1 'echo only one'
prints 'only one'
sim_is "len(made) == $before + 1"
run 0 down -y l
everything_gone
echo 'ok: a lost answer'
