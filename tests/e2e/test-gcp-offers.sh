#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-gcp-offers.sh - souk catalog update gcp: complete, exact, and all or nothing
#
# tests/cloudsim/gcpprices.py answers as Google does; gcpworld.py knows what a broker has to find.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices gcp
need ssh-keygen
for variable in GOOGLE_APPLICATION_CREDENTIALS CLOUDSDK_CONFIG GOOGLE_CLOUD_PROJECT \
	CLOUDSDK_CORE_PROJECT GCLOUD_PROJECT GCE_METADATA_HOST CLOUDSDK_ACTIVE_CONFIG_NAME
do
	unset "$variable" || true
done
NO_GCE_CHECK=true
export NO_GCE_CHECK
"$python" "$src/tests/cloudsim/gcpprices.py" --make-key . || fail 'no key'

# gcp_start ARG...: a new Google, and nothing kept of the last one
gcp_start () {
	prices_start gcpprices.py --key "$tmp/key.pub" "$@"
	sed "s,127\.0\.0\.1:0,127.0.0.1:$port," key.json >credentials.json
	GOOGLE_APPLICATION_CREDENTIALS=$tmp/credentials.json
	export GOOGLE_APPLICATION_CREDENTIALS
	fresh
}

# count PATTERN: how many requests there were to such a target
count () {
	asked | grep -c -e "$1" || true
}

# right [--closed ZONE]... [REGION...]: the catalogue is what gcpworld.py says, row by row, and no more
right () {
	run 0 offers --providers gcp --infra gcp --instance-type '*' --zones --json --limit 100000
	mv out offers.json
	: >out
	"$python" - "$src/tests/cloudsim" "$@" <<'EOF' || fail 'the catalogue is not what is on sale'
import json
import sys
from decimal import Decimal

sys.path.insert(0, sys.argv[1])
import gcpworld

closed, regions = [], []
rest = sys.argv[2:]
while rest:
    word = rest.pop(0)
    (closed if word == "--closed" else regions).append(rest.pop(0) if word == "--closed" else word)

def key(row):
    return (row["instance_type"], row["zone"], row["gpu_name"] or "",
            float(row["gpu_count"] or 0))

def micros(value):
    return None if value is None else int(Decimal(str(value)) * 1000000)

want = {key(row): row for row in gcpworld.offers(regions, closed)}
found = {}
for row in json.load(open("offers.json"))["offers"]:
    if key(row) in found:
        sys.exit(f"twice: {key(row)}")
    found[key(row)] = row
missing, extra = set(want) - set(found), set(found) - set(want)
if missing or extra or not want:
    sys.exit(f"{len(want)} expected, missing {sorted(missing)[:3]}, not on sale {sorted(extra)[:3]}")
for at, row in want.items():
    got = found[at]
    pairs = [(micros(got["price_usd_hour"]), row["price_micros"]),
             (micros(got["spot_price_usd_hour"]), row["spot_micros"]),
             (got["region"], row["region"]), (got["arch"], row["arch"]),
             (float(got["vcpus"]), row["vcpus"]),
             (float(got["gpu_memory_gib"] or 0), row["gpu_memory_gib"]),
             # to thousandths
             (abs(float(got["memory_gib"]) - row["memory_gib"]) < 0.001, True)]
    for number, (have, should) in enumerate(pairs):
        if have != should:
            sys.exit(f"{at}: value {number} is {have}, not {should}")
    if "local_disk_gib" in got and float(got["local_disk_gib"] or 0) != row["local_disk_gib"]:
        sys.exit(f"{at}: {got['local_disk_gib']} GiB of local disk, not {row['local_disk_gib']}")
print(f"{len(want)} offers")
EOF
}

# kept STATUS: the update fails so, and the catalogue is the very one of before
kept () {
	before=$(cksum <"$(catalog_of gcp)")
	run "$1" catalog update gcp
	[ "$(cksum <"$(catalog_of gcp)")" = "$before" ] || fail 'the old catalogue has changed'
}

# ---- Complete and exact ----

gcp_start
run 0 -v catalog update gcp
says err "left out 31 of 'ct6e': TPUs are not rented by souk"
says err "of 'x4': no price for the vCPUs"
says err "of 'n4d': no price for the memory"
says err "of 'a9': a kind of accelerator that is not known"
right
refused_none
[ "$(count '/token$')" -eq 1 ] || fail "not one token: $(count '/token$')"
[ "$(count 'skus?')" -eq 2 ] || fail 'not two pages of SKUs'
[ "$(asked | sort | uniq -d | wc -l)" -eq 0 ] || fail 'asked twice'
run 0 catalog info gcp --json
json 'd["catalogs"][0]["source"] == "live" and d["catalogs"][0]["regions"] == 10'
echo 'ok: complete and exact'

# ---- Within the hour nothing is asked again; a catalogue from kept pages is the same ----

sim_forget
run 0 catalog update gcp
right
[ "$(count '/compute/v1/')$(count 'skus')" = 00 ] || fail 'asked again'
echo 'ok: pages are kept'

# ---- Many pages, tokens that end, a zone that is closed, regions that are chosen ----

gcp_start --page 40 --sku-page 300 --token-life 301 --closed us-east4-b
run 0 catalog update gcp
says err "left out 'us-east4-b'"
right --closed us-east4-b
[ "$(count 'skus?')" -gt 15 ] || fail 'not many pages of SKUs'
[ "$(count 'us-central1-a/machineTypes')" -gt 3 ] || fail 'not many pages of machine types'
run 0 catalog update gcp --set gcp.region=us-west1,africa-south1
right us-west1 africa-south1
gcp_start --page 25 --sku-page 100
run 0 catalog update gcp
right
refused_none
echo 'ok: pages'

# ---- Throttled and broken for a while; one zone is slow ----

gcp_start --sku-page 1000 --faults '[
	{"path": "skus.*pageToken", "skip": 1, "times": 1, "do": "unavailable", "status": 429,
	 "headers": {"Retry-After": "1"}, "body": "{\"error\":{\"code\":429,\"status\":\"RESOURCE_EXHAUSTED\"}}"},
	{"path": "us-east1-b/machineTypes", "times": 1, "do": "unavailable", "status": 403,
	 "body": "{\"error\":{\"code\":403,\"message\":\"Rate Limit Exceeded\",\"errors\":[{\"reason\":\"rateLimitExceeded\"}]}}"},
	{"path": "europe-west4-a/machineTypes", "times": 1, "do": "unavailable", "status": 503, "body": "oops"},
	{"path": "europe-west4-b/machineTypes", "times": 1, "do": "truncate"},
	{"path": "europe-west4-c/machineTypes", "times": 1, "do": "drop-before"},
	{"path": "us-west1-a/machineTypes", "times": 1, "do": "garbage"},
	{"path": "skus.*pageToken", "skip": 3, "times": 1, "do": "garbage"},
	{"path": "asia-northeast1-a/machineTypes", "times": 1, "do": "delay", "ms": 1500}]'
run 0 catalog update gcp
right
echo 'ok: what passes is waited for'

# ---- A page that stays broken: the old catalogue is kept, and the message says which ----

forget_answers
sim_faults '[{"path": "skus.*pageToken", "times": -1, "do": "unavailable", "status": 400,
	"body": "{\"error\":{\"code\":400,\"message\":\"no such page\",\"status\":\"INVALID_ARGUMENT\"}}"}]'
kept 65
says err 'error: gcp: cannot get the price list: no such page'
forget_answers
sim_faults '[{"path": "us-west1-b/machineTypes", "times": -1, "do": "garbage"}]'
kept 70
says err 'error: gcp: the reply to machineTypes.list is not JSON'
forget_answers
sim_faults '[{"path": "aggregated/acceleratorTypes", "times": -1, "do": "unavailable", "status": 200,
	"body": "{\"items\": {\"zones/us-east1-b\": {\"acceleratorTypes\": 7}}}"}]'
kept 70
says err "the reply to acceleratorTypes.aggregatedList makes no sense: 'acceleratorTypes' is not a list"
forget_answers
sim_faults '[{"path": "us-west1-c/machineTypes", "times": -1, "do": "unavailable", "status": 403,
	"body": "{\"error\":{\"code\":403,\"message\":\"no\",\"errors\":[{\"reason\":\"forbidden\"}]}}"}]'
kept 77
says err "error: gcp: cannot list the machine types of 'us-west1-c': no"
says err "hint: grant 'compute.machineTypes.list'"
right
echo 'ok: all or nothing'

# ---- Broken off half way, and begun again: it goes on where it stopped ----

gcp_start --page 60 --sku-page 500
run 0 catalog update gcp
whole=$(asked | wc -l)
gcp_start --page 60 --sku-page 500 --faults '[
	{"path": "asia-southeast1-c/machineTypes", "times": -1, "do": "delay", "ms": 600000}]'
"$souk" catalog update gcp >out 2>err </dev/null &
update=$!
await 'most is answered' answered $((whole * 3 / 4))
kill -INT "$update"
status=0
wait "$update" || status=$?
[ "$status" -ne 0 ] || fail 'it was not broken off'
[ ! -e "$(catalog_of gcp)" ] || fail 'half a catalogue'
sim_faults '[]'
sim_forget
run 0 catalog update gcp
right
again=$(asked | wc -l)
[ "$again" -lt $((whole / 2)) ] || fail "$again requests the second time, $whole in all"
echo "ok: $again of $whole requests after an interruption"

# ---- Who asks ----

gcp_start
run 0 check gcp --json
json 'd["providers"][0]["principal"] == "souk@souk-test-1.iam.gserviceaccount.com"'
json 'd["providers"][0]["account"] == "souk-test-1"'
(
	sed 's/sim-key-1/sim-key-2/' credentials.json >other.json
	GOOGLE_APPLICATION_CREDENTIALS=$tmp/other.json
	run 77 check gcp
	says out 'cannot get a token: Invalid JWT header'
	mkdir other
	"$python" "$src/tests/cloudsim/gcpprices.py" --make-key other
	sed "s,127\.0\.0\.1:0,127.0.0.1:$port," other/key.json >other.json
	run 77 check gcp
	says out 'cannot get a token: Invalid JWT Signature'
	run 77 catalog update gcp
	says err 'error: gcp: cannot get a token: Invalid JWT Signature'
)
(
	GOOGLE_CLOUD_PROJECT=another-project
	export GOOGLE_CLOUD_PROJECT
	status=0
	"$souk" catalog update gcp >out 2>err </dev/null || status=$?
	[ "$status" -ne 0 ] || fail 'a project that is none'
	says err "The resource 'projects/another-project' was not found"
)
(
	unset GOOGLE_APPLICATION_CREDENTIALS
	run 77 catalog update gcp
	says err 'no Google Cloud credentials found'
	mkdir -p "$HOME/.config/gcloud"
	echo '{"type": "authorized_user", "client_id": "sim-client", "client_secret": "sim-secret",
		"refresh_token": "1//sim", "quota_project_id": "souk-test-1"}' \
		>"$HOME/.config/gcloud/application_default_credentials.json"
	run 0 check gcp --json
	json 'd["providers"][0]["principal"] == "someone@example.com"'
	run 0 catalog update gcp
	right
	sed 's,1//sim,1//old,' "$HOME/.config/gcloud/application_default_credentials.json" >user.json
	run 77 check gcp --set gcp.credentials="$tmp/user.json"
	says out 'Token has been expired or revoked'
	rm -r "$HOME/.config"
	NO_GCE_CHECK=
	GCE_METADATA_HOST=127.0.0.1:$port
	export GCE_METADATA_HOST
	run 0 check gcp --json
	json 'd["providers"][0]["principal"].startswith("souk@")'
	json 'd["providers"][0]["account"] == "souk-test-1"'
)
(
	TOKEN=ya29.nothing
	export TOKEN
	run 77 check gcp --set gcp.access_token=env:TOKEN --set gcp.project=souk-test-1
	says out 'invalid authentication credentials'
)
gcp_start --deny compute.instances.create --deny compute.firewalls.create
run 77 check gcp
says out 'the role does not grant compute.firewalls.create, compute.instances.create'
gcp_start --no-resource-manager
run 0 check gcp
says err 'the permissions are not known'
echo 'ok: who asks'
