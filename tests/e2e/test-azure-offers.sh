#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-azure-offers.sh - souk catalog update azure: complete, exact, and all or nothing
#
# tests/cloudsim/azureprices.py answers as Azure does; azureworld.py knows what a broker has to find.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/azure.sh"

# right [REGION...]: the catalogue is what azureworld.py says, row by row, and nothing else
right () {
	run 0 offers --providers azure --instance-type 'Standard_*' --zones --json --limit 100000
	"$python" - "$src/tests/cloudsim" "$@" <<'EOF' || fail 'the catalogue is not what is on sale'
import json
import sys
from decimal import Decimal

sys.path.insert(0, sys.argv[1])
import azureworld

def number(value):
    return None if value is None else Decimal(str(value)).normalize()

def key(row):
    return row["region"], row["zone"] or "", row["instance_type"]

found = [row for row in json.load(open("out"))["offers"] if row["provider"] == "azure"]
want = azureworld.offers(sys.argv[2:] or None)
seen = {}
for row in found:
    if key(row) in seen:
        sys.exit(f"twice: {key(row)}")
    seen[key(row)] = row
missing = {key(row) for row in want} - set(seen)
extra = set(seen) - {key(row) for row in want}
if missing or extra or not want:
    sys.exit(f"{len(want)} expected, missing {sorted(missing)[:3]}, not on sale {sorted(extra)[:3]}")
for row in want:
    got = seen[key(row)]
    pairs = [("price_usd_hour", row["price"]), ("spot_price_usd_hour", row["spot"]),
             ("vcpus", row["vcpus"]), ("memory_gib", row["memory_gib"]),
             ("gpu_count", row["gpu_count"] or 0), ("gpu_memory_gib", row["gpu_memory_gib"])]
    for name, value in pairs:
        if number(got[name] if name != "gpu_count" else got[name] or 0) != number(value):
            sys.exit(f"{key(row)}: {name} is {got[name]}, not {value}")
    if got["arch"] != row["arch"] or got["gpu_name"] != row["gpu_name"]:
        sys.exit(f"{key(row)}: {got['arch']} {got['gpu_name']}")
    disk = got.get("local_disk_gib")
    if disk is not None and abs(Decimal(str(disk)) * 1024 - row["local_disk_mib"]) >= 1024:
        sys.exit(f"{key(row)}: local disk {disk} GiB, not {row['local_disk_mib']} MiB")
print(f"{len(want)} offers")
EOF
}

# ---- Complete and exact ----

server_start
run 0 catalog update azure
says err "left out 'jioindiacentral': the subscription may use none of its sizes"
lacks err unitedstates
right
asked '{q["status"] for q in r} == {200}'
asked 'sum("/oauth2/" in q["target"] for q in r) == 1'
asked 'sum("retail/prices" in q["target"] for q in r) > 30 and sum("skus" in q["target"] for q in r) > 15'
asked 'len(set(q["target"] for q in r)) == len(r)'
run 0 catalog info azure --json
json 'd["catalogs"][0]["source"] == "live" and d["catalogs"][0]["regions"] == 6'
echo 'ok: complete and exact'

# ---- Asked again within the hour, nothing is asked ----

forget
run 0 catalog update azure
right
asked 'sum("retail/prices" in q["target"] or "skus" in q["target"] for q in r) == 0'
echo 'ok: what was asked a moment ago is not asked again'

# ---- A quote, by the price list of the day ----

cat >task.yaml <<EOF
resources:
  infra: azure/westeurope
  instance_type: Standard_D4s_v5
  disk_size: 100
  use_spot: true
num_nodes: 2
run: 'true'
EOF
run 0 quote --live task.yaml
# 2 x 0.192 x 1.2 x 0.21, 2 x 9.6 x 1.2 a month of 730 hours, 2 x 0.005
grep -Eq '^compute +hour +\$0\.096768 .*spot, Azure Retail Prices' out || fail 'not the price of the machines'
grep -Eq '^disk +hour +\$0\.031562 .*E10 \(128 GiB\)' out || fail 'not the price of the disks'
grep -Eq '^address +hour +\$0\.01 ' out || fail 'not the price of the addresses'
echo 'ok: a quote'

# ---- Regions that are chosen, and a region that is slow ----

server_start --faults '[{"path": "armRegionName.*westeurope", "times": 2, "do": "delay", "ms": 1500}]'
run 0 catalog update azure --set azure.region=westus,westeurope
right westus westeurope
echo 'ok: chosen regions, one of them slow'

# ---- Throttling, and faults that pass ----

server_start --faults '[
	{"path": "retail/prices.*skip=200", "times": 2, "do": "unavailable", "status": 429,
	 "headers": {"Retry-After": "1"}, "body": "{}"},
	{"path": "Compute/skus.*eastus2", "times": 1, "do": "unavailable", "status": 503, "body": "oops"},
	{"path": "Compute/skus.*japaneast", "times": 1, "do": "unavailable", "status": 429,
	 "headers": {"Retry-After": "1"},
	 "body": "{\"error\":{\"code\":\"TooManyRequests\",\"message\":\"slow down\"}}"},
	{"path": "retail/prices.*skip=100", "times": 1, "do": "truncate"},
	{"path": "retail/prices.*swedencentral", "times": 1, "do": "drop-before"},
	{"path": "retail/prices.*westus.*skip=100", "times": 1, "do": "garbage"}]'
run 0 catalog update azure
right
asked 'sum(q["status"] == 429 for q in r) == 3'
echo 'ok: throttled, cut, dropped and garbled for a while'

# ---- A page that stays broken: the old catalogue is kept ----

cp -R "$SOUK_HOME" kept
rm -rf "$SOUK_HOME"/cache/http*
faults '[{"path": "retail/prices.*westeurope.*skip=300", "times": -1, "do": "unavailable", "status": 400,
	"body": "{\"Message\":\"no such page\"}"}]'
failed=0
"$souk" catalog update azure >out 2>err </dev/null || failed=$?
[ "$failed" -ne 0 ] || fail 'a list with a hole is taken'
says err "azure: cannot get the prices of 'westeurope': no such page"
for file in kept/cache/catalog/*
do
	cmp "$file" "$SOUK_HOME/cache/catalog/$(basename "$file")" || fail 'the old catalogue has changed'
done
right
echo "ok: a page that stays broken (exit status $failed)"

# ---- What is no page at all, for ever ----

faults '[{"path": "Compute/skus.*westus", "times": -1, "do": "garbage"}]'
rm -rf "$SOUK_HOME"/cache/http*
failed=0
"$souk" catalog update azure >out 2>err </dev/null || failed=$?
[ "$failed" -ne 0 ] || fail 'garbage is taken'
says err "azure: cannot list the sizes of 'westus': the reply is not a JSON object"
right
echo 'ok: garbage'

# ---- Begun, broken off, and begun again: it goes on where it stopped ----

server_start
run 0 catalog update azure
whole=$(requests)
server_start --faults '[{"path": "retail/prices.*skip=[3-9]00", "times": -1, "do": "delay", "ms": 60000}]'
"$souk" catalog update azure >out 2>err </dev/null &
update=$!
# Each of the six regions waits for its fourth page.
waits () {
	(asked 'sum("skip=300" in q["target"] for q in r) == 6') >/dev/null 2>&1
}
await 'every region waits' waits
kill -TERM "$update"
wait "$update" && fail 'an update that was broken off has succeeded'
[ ! -e "$SOUK_HOME/cache/catalog/azure.catalog" ] || fail 'half a catalogue'
faults '[]'
forget
run 0 catalog update azure
right
again=$(requests)
[ "$again" -lt $((whole / 2)) ] || fail "$again requests the second time, $whole in all"
echo "ok: $again of $whole requests after an interruption"

# ---- Who asks ----

# refused STATUS TEXT: the update is refused, and says so
refused () {
	run "$1" catalog update azure
	says err "$2"
}

(
	AZURE_CLIENT_SECRET=wrong
	refused 77 'cannot get an Azure token: AADSTS7000215: Invalid client secret provided'
	says err 'hint: check AZURE_CLIENT_ID'
	AZURE_CLIENT_SECRET=s3cret~value
	AZURE_TENANT_ID=elsewhere
	refused 77 'AADSTS90002'
)
(
	AZURE_SUBSCRIPTION_ID=00000000-0000-0000-0000-000000000000
	export AZURE_SUBSCRIPTION_ID
	refused 77 "could not be found"
	says err 'hint: '
)
(
	unset AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID
	refused 77 'no Azure credentials found'
	says err "hint: run 'az login'"
	SOUK_AZURE_METADATA_ENDPOINT=$SOUK_AZURE_ENDPOINT
	export SOUK_AZURE_METADATA_ENDPOINT
	run 0 check azure --json
	json 'd["providers"][0]["ok"] and d["providers"][0]["principal"] == "managed"'
)
run 0 check azure --json
json 'd["providers"][0]["account"] == "0b1f6471-1bf0-4dda-aec3-111122223333"'
json 'd["providers"][0]["principal"] == "11111111-2222-3333-4444-555555555555"'
echo 'ok: who asks'

# A federated token, and a certificate of which the server checks all but the signature.
(
	unset AZURE_CLIENT_SECRET
	echo federated-token >token
	AZURE_FEDERATED_TOKEN_FILE=$tmp/token
	export AZURE_FEDERATED_TOKEN_FILE
	run 0 check azure
	unset AZURE_FEDERATED_TOKEN_FILE
	command -v openssl >/dev/null || exit 0
	openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=souk -days 1 -keyout key.pem \
		-out cert.pem 2>/dev/null
	cat key.pem cert.pem >both.pem
	AZURE_CLIENT_CERTIFICATE_PATH=$tmp/both.pem
	export AZURE_CLIENT_CERTIFICATE_PATH
	run 0 check azure
)
echo 'ok: a federated token and a certificate'

# The az command is asked, and its subscription is taken.
(
	unset AZURE_CLIENT_ID AZURE_CLIENT_SECRET AZURE_TENANT_ID
	mkdir -p bin
	token=$(curl -fsS "$SOUK_AZURE_ENDPOINT/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https://management.azure.com/" \
		-H 'Metadata: true' | "$python" -c 'import json, sys; print(json.load(sys.stdin)["access_token"])')
	cat >bin/az <<EOF
#!/bin/sh
echo '{"accessToken": "$token", "expires_on": 4000000000, "tenant": "t",'
echo '"subscription": "0b1f6471-1bf0-4dda-aec3-111122223333", "tokenType": "Bearer"}'
EOF
	chmod +x bin/az
	PATH=$tmp/bin:$PATH
	run 0 check azure --json
	json 'd["providers"][0]["ok"]'
)
echo 'ok: the az command'

# ---- Several subscriptions, and rights that are missing ----

server_start --subscriptions 3
refused 77 'the credentials have 3 subscriptions, and none is chosen'
server_start --role '*/read,Microsoft.Network/*'
run 77 check azure
says out 'the role does not allow Microsoft.Resources/subscriptions/resourceGroups/write'
says err "hint: 'souk provider info azure' prints the role"
echo 'ok: several subscriptions, missing rights'

# ---- A token that ends while pages are read is renewed ----

server_start --token-life 301
run 0 catalog update azure
right
echo 'ok: short-lived tokens'
