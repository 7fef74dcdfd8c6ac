#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-gcp-plan.sh - the plan of requests to Google Cloud, and the wire; several nodes in one zone, or none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
. "$src/tests/e2e/plan.sh"
need_clouds gcp
clouds=gcp
unset GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG GOOGLE_CLOUD_PROJECT CLOUDSDK_CORE_PROJECT \
	GCLOUD_PROJECT GCE_METADATA_HOST CLOUDSDK_ACTIVE_CONFIG_NAME || true

plan_names='souk-request-token-0=souk-[a-z0-9-]+-[0-9]+ REQUEST-ID=[0-9a-f-]{36} OPERATION=operation-[0-9a-f]+'

server_forget () {
	clouds_post forget '{"gcp": {}}'
}

server_was_idle () {
	clouds_are 'd["gcp"]["requests"] == []'
}

cat >task.yaml <<'EOF'
resources:
  infra: gcp/us-central1
  instance_type: n2-standard-4
  ports: [8080]
  labels: {team: blue}
num_nodes: 2
run: echo "rank $SOUK_NODE_RANK"
EOF
clouds_start '{}'
run 0 catalog update gcp
planned task.yaml
plan_has_rows
json '{"provision", "wait", "open-ports", "stop", "start", "down", "settle", "sweep"} <= {r["step"] for r in d["requests"]}'
json '{"new", "found", "bare", "refused"} == {r["scene"] for r in d["requests"]}'
# each of a cloud's writes is marked as one
json 'all(r["changes"] == r["what"].endswith((".insert", ".delete", ".patch", ".start", ".stop")) for r in d["requests"])'
# both machines have their request
json '{json.loads(r["body"])["name"][-2:] for r in d["requests"] if r["what"] == "instances.insert"} == {"-0", "-1"}'
# no token, no signature, and no key of this account
lacks out 'Bearer'
lacks out 'assertion='
"$souk" provider info gcp >role
"$python" -c 'import json
d = json.load(open("plan.json"))
key = json.load(open("envs/gcp/key.json"))["private_key"].splitlines()[1]
assert key not in open("plan.json").read()
lines = d["providers"][0]["policy"].splitlines()
granted = {line[2:] for line in lines if line.startswith("- ")}
needed = {p for r in d["requests"] for p in (r["permission"] or "").split()}
assert granted == needed, granted ^ needed
assert {"compute.instances.create", "compute.instances.delete", "compute.firewalls.create"} <= granted
assert lines[0].startswith("# gcloud iam roles create souk --project=") and "title: souk" in lines
whole = {line.strip()[2:] for line in open("role") if line.strip().startswith("- compute.")}
assert granted <= whole, granted - whole' || fail 'the role is not that of the requests'
echo "ok: the plan is whole, nothing was sent for it, and the role is what it needs"

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
wire_needs instances.delete
wire_is_planned 'down'
everything_gone

# One of two can be had in the first zone: none is kept there, and both are in the next.
clouds_start '{"gcp": {"capacity": [{"type": "n2-standard-4", "zone": "us-central1-a", "count": 1}]}}'
rm -rf "$SOUK_HOME"
run 0 catalog update gcp
planned task.yaml
rm -rf "$SOUK_HTTP_RECORD"
run 0 launch -y -d -c t task.yaml
clouds_are 'len(alive) == 2 and len({m["zone"] for m in alive}) == 1'
clouds_are '"us-central1-a" not in {m["zone"] for m in alive}'
clouds_are '"us-central1-a" in {zone for zone, _, _ in d["gcp"]["made"]}'
run 0 down -y t
wire_is_planned 'failover from a zone with one of two, and down'
everything_gone

# No zone has both: none is kept, and nothing is left.
clouds_post capacity '{"gcp": {"capacity": [{"type": "n2-standard-4", "count": 1}]}}'
run 69 launch -y -c t task.yaml
says err 'does not have enough resources'
everything_gone
echo "ok: two nodes or none"

# A reply that is lost
clouds_post capacity '{"gcp": {"capacity": []}}'
clouds_post faults '{"gcp": {"faults": [{"action": "instances.insert", "do": "drop-after", "times": 1}]}}'
rm -rf "$SOUK_HTTP_RECORD"
planned --use-spot --infra gcp/us-central1 --instance-type n2-standard-4 true
run 0 launch -y -d -c t --use-spot --infra gcp/us-central1 --instance-type n2-standard-4 true
clouds_are 'len(alive) == 1'
run 0 down -y t
wire_is_planned 'a lost reply, of a spot machine'
everything_gone
