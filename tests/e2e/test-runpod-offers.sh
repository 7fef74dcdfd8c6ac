#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-runpod-offers.sh - RunPod's prices and stock: complete, correct, and kept when asking fails
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices runpod
RUNPOD_API_KEY=rpa_TESTKEY0123456789
export RUNPOD_API_KEY

# as_sold CLOUD...: what souk lists is what the server's own table says, worked out once more here
as_sold () {
	run 0 offers --providers runpod --instance-type '*' --zones --json
	mv out offers.json && : >out
	"$python" "$src/tests/cloudsim/runpod.py" --table >table.json
	"$python" - "$@" >compared 2>&1 <<'EOF' || fail "$(cat compared)"
import decimal, json, sys
offers = json.load(open("offers.json"))["offers"]
NAMES = {
    "AMD Instinct MI300X OAM": ("MI300X", "MI300X"),
    "NVIDIA A100 80GB PCIe": ("A100-80GB", "A100-80GB"),
    "NVIDIA A100-SXM4-80GB": ("A100-80GB-SXM", "A100-80GB"),
    "NVIDIA H100 80GB HBM3": ("H100-SXM", "H100"), "NVIDIA H100 PCIe": ("H100", "H100"),
    "NVIDIA H100 NVL": ("H100-NVL", "H100-NVL"), "NVIDIA H200": ("H200-SXM", "H200"),
    "NVIDIA GeForce RTX 3090": ("RTX3090", "RTX3090"),
    "NVIDIA GeForce RTX 4090": ("RTX4090", "RTX4090"),
    "NVIDIA GeForce RTX 5090": ("RTX5090", "RTX5090"),
    "NVIDIA RTX 2000 Ada Generation": ("RTX2000-Ada", "RTX2000ADA"),
    "NVIDIA RTX 6000 Ada Generation": ("RTX6000-Ada", "RTX6000ADA"),
    "NVIDIA RTX A6000": ("RTXA6000", "RTXA6000"),
    "NVIDIA RTX PRO 6000 Blackwell Server Edition": ("RTXPRO6000", "RTXPRO6000"),
    "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb":
        ("RTXPRO6000-MIG-24GB", "RTXPRO6000"),
    "NVIDIA RTX PRO 8000 Rubin": ("RTX-PRO-8000-Rubin", "RTXPRO8000"),
    "Tesla V100-SXM2-32GB": ("V100-32GB-SXM2", "V100-32GB"),
}
COUNTRIES = {"US-TX-3": "US", "US-KS-2": "US", "US-CA-2": "US", "US-GA-1": "US", "CA-MTL-1": "CA",
             "CA-MTL-3": "CA", "EU-RO-1": "RO", "EU-SE-1": "SE", "EU-CZ-1": "CZ", "EUR-IS-1": "IS",
             "EUR-NO-1": "NO", "AP-JP-1": "JP", "OC-AU-1": "AU", None: "any"}
plain = lambda name: name and name.upper().replace("-", "")
want = {}
for cloud, thing, count, center, price, memory, stock in json.load(open("table.json")):
    if cloud != "CPU" and cloud not in sys.argv[1:] or cloud == "CPU" and "SECURE" not in sys.argv[1:]:
        continue
    total = float(decimal.Decimal(str(price)) * count)
    if cloud == "CPU":
        key = (f"{thing}-{count}-{count * memory}", COUNTRIES[center], center)
        want[key] = (total, None, 0, None, count, count * memory, stock)
        continue
    name, gpu = NAMES.get(thing, (thing.split()[-1],) * 2)
    gpus = count / 4 if "MIG" in thing else count
    want[f"{count}x_{name}_{cloud}", COUNTRIES[center], center] = (total, gpu, gpus, memory,
                                                                    None, None, stock)
seen = set()
for offer in offers:
    key = offer["instance_type"], offer["region"], offer["zone"] or None
    if key in seen:
        sys.exit(f"twice: {key}")
    seen.add(key)
    if key not in want:
        sys.exit(f"not sold: {key}")
    price, gpu, gpus, memory, vcpus, ram, stock = want[key]
    # How names are spelled is another test's business.
    have = (offer["price_usd_hour"], plain(offer["gpu_name"]), offer["gpu_count"],
            offer["gpu_memory_gib"])
    if have != (price, plain(gpu), gpus, memory):
        sys.exit(f"{key}: {have}, not {(price, gpu, gpus, memory)}")
    if vcpus and (offer["vcpus"], offer["memory_gib"]) != (vcpus, ram):
        sys.exit(f"{key}: {offer}")
    if offer["spot_price_usd_hour"] is not None:
        sys.exit(f"spot: {key}")
    if offer["available"] != (None if stock else 0):
        sys.exit(f"{key}: available {offer['available']}")
if set(want) - seen:
    sys.exit(f"missing: {sorted(set(want) - seen, key=str)[:5]}")
EOF
}

# ---- The seed, without a key and without a request

(
	unset RUNPOD_API_KEY
	run 0 offers H100 --providers runpod --json
	json 'd["offers"][0]["provider"] == "runpod" and d["offers"][0]["source"] == "seed"'
	run 77 catalog update runpod
	says err 'no RunPod API key found'
	says err RUNPOD_API_KEY
)
echo "ok: the seed"

# ---- What is sold

prices_start runpod.py
run 0 catalog update runpod
as_sold SECURE
# One and more GPUs up to 8, 2 to 32 vCPUs, the data centres; each once.
[ "$(asked | wc -l)" -eq 14 ] || fail "not 14 requests: $(asked)"
[ "$(asked | sort -u | wc -l)" -eq 14 ] || fail "asked twice: $(asked)"
run 0 catalog update runpod --set runpod.cloud=secure,community
as_sold SECURE COMMUNITY
prices_start runpod.py --no-etag
run 0 catalog update runpod --set runpod.cloud=community
as_sold COMMUNITY
echo "ok: complete and correct"

# ---- Who asks

(
	RUNPOD_API_KEY=rpa_wrong
	run 77 catalog update runpod
	says err 'invalid bearer token'
	run 77 check runpod
	says out 'invalid bearer token'
)
mkdir -p "$HOME/.runpod"
printf 'apikey = "%s"\n' "$RUNPOD_API_KEY" >"$HOME/.runpod/config.toml"
(
	unset RUNPOD_API_KEY
	run 0 check runpod
	says out '...6789'
	lacks out rpa_TEST
	RUNPOD_API_KEY=rpa_READONLY0123456789
	export RUNPOD_API_KEY
	run 77 check runpod
	says out 'may read, but not create pods'
)
echo "ok: who asks"

# ---- Troubles on the way

# troubled FAULTS [ARG...]: a server with these faults, and nothing kept from before
troubled () {
	faults=$1
	shift
	fresh
	prices_start runpod.py --faults "$faults" "$@"
}

troubled '[{"path": "count=3&", "do": "unavailable", "status": 429, "headers": {"Retry-After": "1"}}]'
run 0 catalog update runpod
as_sold SECURE
[ "$(asked | grep -c 'count=3&')" -eq 2 ] || fail 'not asked again'
troubled '[]' --limit 6
run 0 catalog update runpod
as_sold SECURE
echo "ok: too many requests"

for fault in '"do": "garbage"' '"do": "truncate"' '"do": "unavailable", "status": 503'
do
	troubled "[{\"path\": \"count=3&\", $fault}]"
	run 0 catalog update runpod
	as_sold SECURE
done
troubled '[{"path": "datacenters", "do": "delay", "ms": 1500}]'
run 0 catalog update runpod
as_sold SECURE
echo "ok: a broken answer, a slow one"

kept=$(catalog_of runpod)
cp "$kept" before
for fault in '"do": "garbage"' '"do": "unavailable", "status": 400, "body": "no"'
do
	prices_start runpod.py --faults "[{\"path\": \"count=5&\", \"times\": -1, $fault}]"
	forget_answers
	status=0
	"$souk" catalog update runpod >out 2>err || status=$?
	[ "$status" -ne 0 ] || fail 'no error'
	says err 'runpod'
	says err 'cannot list what is on sale'
	cmp before "$kept" || fail 'the old catalogue is gone'
done
as_sold SECURE
echo "ok: an answer that stays broken leaves what there was"

# ---- Interrupted, and begun again

troubled '[{"path": "count=[678]&", "times": -1, "do": "delay", "ms": 20000}]'
"$souk" catalog update runpod >out 2>err </dev/null &
pid=$!
await 'the first answers' answered 8
kill -INT "$pid"
wait "$pid" || true
[ ! -e "$(catalog_of runpod)" ] || fail 'a catalogue of half of it'
sim_faults '[]'
sim_forget
run 0 catalog update runpod
as_sold SECURE
[ "$(asked | wc -l)" -lt 12 ] || fail "all was asked again: $(asked)"
echo "ok: interrupted, and begun again"
