#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-azure-plan.sh - the plan of requests to Azure, and the wire; several nodes in one zone, or none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
. "$src/tests/e2e/plan.sh"
need_clouds azure
clouds=azure
unset AZURE_SUBSCRIPTION_ID AZURE_CLIENT_CERTIFICATE_PATH AZURE_FEDERATED_TOKEN_FILE \
	AZURE_AUTHORITY_HOST AZURE_CONFIG_DIR AZURE_POD_IDENTITY_AUTHORITY_HOST IDENTITY_ENDPOINT \
	IDENTITY_HEADER SOUK_AZURE_CREDENTIAL || true
SOUK_AZURE_REGION=eastus
export SOUK_AZURE_REGION

plan_names='virtualMachines/t-0=virtualMachines/t-[0-9]+'

server_forget () {
	clouds_post forget '{"azure": {}}'
}

server_was_idle () {
	clouds_are 'd["azure"]["requests"] == []'
}

# begin SCENARIO: a new Azure, of which nothing is known but what it sells and which subscription is ours
begin () {
	clouds_start "$1"
	rm -rf "$SOUK_HOME" "$tmp/record"
	run 0 catalog update azure
	AZURE_SUBSCRIPTION_ID=$("$souk" check azure --json |
		"$python" -c 'import json, sys
print(json.load(sys.stdin)["providers"][0]["account"])')
	export AZURE_SUBSCRIPTION_ID
}

cat >task.yaml <<'EOF'
resources:
  infra: azure/eastus
  instance_type: Standard_D2s_v5
  ports: [8080]
  labels: {team: blue}
num_nodes: 2
run: echo "rank $SOUK_NODE_RANK"
EOF
begin '{}'
planned task.yaml
plan_has_rows
json '{"provision", "wait", "stop", "start", "down", "settle", "sweep"} <= {r["step"] for r in d["requests"]}'
json '{"new", "refused"} <= {r["scene"] for r in d["requests"]}'
# each of a cloud's writes is marked as one
json 'all(r["changes"] == r["what"].endswith(("_CreateOrUpdate", "_Delete", "_Start", "_Deallocate")) for r in d["requests"])'
# both machines have their request
json '{r["url"].split("?")[0][-4:] for r in d["requests"] if r["what"] == "VirtualMachines_CreateOrUpdate"} == {"/t-0", "/t-1"}'
# neither a token nor the secret of this account
lacks out 'Bearer'
lacks out "$AZURE_CLIENT_SECRET"
"$souk" provider info azure >role
"$python" -c 'import json, os, re
d = json.load(open("plan.json"))
role = json.loads(d["providers"][0]["policy"])
needed = {p for r in d["requests"] for p in (r["permission"] or "").split()}
assert set(role["Actions"]) == needed, set(role["Actions"]) ^ needed
assert "Microsoft.Compute/virtualMachines/write" in needed
assert role["AssignableScopes"] == ["/subscriptions/" + os.environ["AZURE_SUBSCRIPTION_ID"]]
whole = set(re.findall(r"Microsoft[.][A-Za-z/]+", open("role").read()))
assert needed <= whole, needed - whole' || fail 'the role is not that of the requests'
echo "ok: the plan is whole, nothing was sent for it, and the role is what it needs"
# who is logged in with the az command can rehearse too, which is not run for it
( unset AZURE_CLIENT_SECRET AZURE_CLIENT_ID AZURE_TENANT_ID AZURE_SUBSCRIPTION_ID
  run 0 launch --plan --json --limit 1 -c t task.yaml
  json '[p["problem"] for p in d["providers"]] == [None]'
  json '"/subscriptions/SUBSCRIPTION/" in [r["url"] for r in d["requests"] if r["changes"]][0]' )

SOUK_HTTP_RECORD=$tmp/record
export SOUK_HTTP_RECORD
run 0 launch -y -c t task.yaml
prints 'rank 1'
clouds_are 'len(alive) == 2 and len({m["zone"] for m in alive}) == 1'
wire_is_planned 'a launch of two nodes'
run 0 status --refresh t
run 0 stop -y t
run 0 start -y t
wire_is_planned 'refresh, stop and start'
run 65 launch --plan -c t task.yaml
run 0 down -y t
wire_needs ResourceGroups_Delete
wire_is_planned 'down'
everything_gone

# One of two can be had in the first zone: none is kept there, and both are in the next.
unset SOUK_HTTP_RECORD
begin '{"azure": {"capacity": [{"type": "Standard_D2s_v5", "zone": "1", "count": 1}]}}'
planned task.yaml
SOUK_HTTP_RECORD=$tmp/record
export SOUK_HTTP_RECORD
run 0 launch -y -d -c t task.yaml
clouds_are 'len(alive) == 2 and {m["zone"] for m in alive} == {"2"}'
clouds_are 'len(d["azure"]["created"]) == 3'
run 0 down -y t
wire_is_planned 'failover from a zone with one of two, and down'
everything_gone

# No zone has both: none is kept, and nothing is left.
clouds_post capacity '{"azure": {"capacity": [{"type": "Standard_D2s_v5", "count": 1}]}}'
run 69 launch -y -c t task.yaml
everything_gone
echo "ok: two nodes or none"

# A reply that is lost
clouds_post capacity '{"azure": {"capacity": []}}'
clouds_post faults '{"azure": {"faults": [{"action": "VirtualMachines_CreateOrUpdate", "do": "drop-after", "times": 1}]}}'
rm -rf "$SOUK_HTTP_RECORD"
planned --use-spot --infra azure/eastus --instance-type Standard_D2s_v5 true
run 0 launch -y -d -c t --use-spot --infra azure/eastus --instance-type Standard_D2s_v5 true
clouds_are 'len(alive) == 1'
run 0 down -y t
wire_is_planned 'a lost reply, of a spot machine'
everything_gone
