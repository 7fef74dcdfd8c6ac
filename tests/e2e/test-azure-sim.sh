#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-azure-sim.sh - the life of a cluster on a simulated Azure whose machines are real
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/azure.sh"
need sshd ssh ssh-keygen
azure_server=azurecloud.py
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
SOUK_AZURE_IMAGE_USER=$(id -un)
SOUK_AZURE_REGION=eastus,swedencentral
export SOUK_CONFIRM_MS SOUK_SETTLE_MS SOUK_AZURE_IMAGE_USER SOUK_AZURE_REGION

# cloud_start ARG...: where port 22 cannot be had, machines are reached by proxy_command
cloud_start () {
	server_start --sshd "$@"
	ssh_port=$(cloud 'd["ssh_port"]')
	if [ "$ssh_port" != 22 ]
	then
		SOUK_AZURE_PROXY_COMMAND="$python $src/tests/cloudsim/machine.py connect %h $ssh_port"
		export SOUK_AZURE_PROXY_COMMAND
	fi
	run 0 catalog update azure
}

# cloud EXPRESSION: print it, over what the server tells of itself: d, machines, groups
cloud () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
machines = [t for t in d["things"] if "/virtualmachines/" in t["path"]]
groups = [t for t in d["things"] if "/providers/" not in t["path"]]
print(eval(sys.argv[2]))' "$SOUK_AZURE_ENDPOINT" "$1"
}

cloud_is () {
	[ "$(cloud "bool($1)")" = True ] || fail "on the server's side: not so: $1
$(cloud '[t["path"] for t in d["things"]]')"
}

everything_gone () {
	cloud_is 'd["things"] == []'
	run 0 status --json
	json 'd["clusters"] == []'
}

# ---- One job on two machines, to its own exit status ----

cloud_start
cat >task.yaml <<EOF
name: whole
resources:
  infra: azure/eastus
  instance_type: Standard_D2s_v5
  disk_size: 50
  labels:
    team: market
num_nodes: 2
run: |
  echo "rank \$SOUK_NODE_RANK of \$SOUK_NUM_NODES"
  [ "\$(echo "\$SOUK_NODE_IPS" | wc -l)" -eq 2 ]
EOF
run 0 launch -y -c t task.yaml
prints 'rank 0 of 2'
prints 'rank 1 of 2'
cloud_is 'len(machines) == 2 and len(groups) == 1 and groups[0]["path"].split("/")[-1].startswith("souk-t-")'
cloud_is 'all(m["tags"]["souk-cluster"] == "t" and m["tags"]["team"] == "market" for m in machines)'
cloud_is '{m["properties"]["storageProfile"]["osDisk"]["diskSizeGB"] for m in machines} == {50}'
cloud_is 'len({tuple(m["zones"]) for m in machines}) == 1'
run 0 status t --refresh --json
json '[n["status"] for n in d["clusters"][0]["nodes"]] == ["RUNNING"] * 2'
run 5 exec t 'echo again; exit 5'
prints again
run 0 down -y t
everything_gone
echo 'ok: two machines, one job, its own exit status'

# ---- Stop and start ----

run 0 launch -y -d -c t --infra azure/eastus --instance-type Standard_D2s_v5 true
run 0 exec t 'echo kept >~/kept'
run 0 stop -y t
cloud_is '[m["power"] for m in machines] == ["deallocated"]'
run 0 start -y t
cloud_is '[m["power"] for m in machines] == ["running"]'
cloud_is 'any("securityrules/souk-ssh" in t["path"] for t in d["things"])'
run 0 exec t 'cat ~/kept'
prints kept
run 0 down -y t
everything_gone
echo 'ok: stop and start'

# ---- Sold out: at once in one zone, a little later in another, no quota in the region ----

cloud_start --sold-out '*/eastus/1' --sold-out '*/eastus/2/later'
run 0 launch -y -c t --infra azure --instance-type Standard_D2s_v5 'echo here'
prints here
cloud_is '[(m["location"], m["zones"]) for m in machines] == [("eastus", ["3"])] and len(groups) == 1'
cloud_is 'len(d["created"]) == 2'
run 0 down -y t
everything_gone
cloud_start --quota eastus
run 0 launch -y -c t --infra azure --instance-type Standard_D2s_v5 --use-spot 'echo there'
prints there
cloud_is '[(m["location"], m["properties"]["priority"]) for m in machines] == [("swedencentral", "Spot")]'
run 0 down -y t
everything_gone
echo 'ok: failover over zones and regions'

# ---- Replies that are lost ----

cloud_start --faults '[{"path": "virtualMachines/t-0[?]api", "times": 1, "do": "truncate"}]'
run 0 launch -y -c t --infra azure/eastus --instance-type Standard_D2s_v5 'echo once'
prints once
cloud_is 'len(machines) == 1 and len(d["created"]) == 1'
run 0 down -y t
everything_gone
echo 'ok: a lost reply'

# ---- A machine that goes by itself leaves nothing behind ----

run 0 launch -y -d -c t --infra azure/eastus --instance-type Standard_D2s_v5 true
id=$(cloud 'machines[0]["path"]')
token=$(curl -fsS "$SOUK_AZURE_ENDPOINT/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/" \
	-H 'Metadata: true' | "$python" -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
curl -fsS -X DELETE -H "Authorization: Bearer $token" "$SOUK_AZURE_ENDPOINT$id?api-version=2024-07-01"
# It is seen going first, and then gone.
run 0 status --refresh
run 0 status --refresh
everything_gone
echo 'ok: a machine that is taken away'
