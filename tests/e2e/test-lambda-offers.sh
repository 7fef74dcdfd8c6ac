#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-lambda-offers.sh - Lambda's prices and regions: complete, correct, at Lambda's pace
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices lambda
LAMBDA_API_KEY=secret_souk_TESTKEY0123456789
export LAMBDA_API_KEY
unset LAMBDA_CLOUD_API_TOKEN LAMBDA_CLOUD_TOKEN LAMBDA_API_TOKEN || true

# as_sold: what souk lists is what the server's own table says, worked out once more here
as_sold () {
	run 0 offers --providers lambda --instance-type '*' --zones --json
	mv out offers.json && : >out
	"$python" "$src/tests/cloudsim/lambda_.py" --table >table.json
	"$python" - >compared 2>&1 <<'EOF' || fail "$(cat compared)"
import json, sys
offers = json.load(open("offers.json"))["offers"]
GPUS = {"A10 (24 GB PCIe)": ("A10", 24), "A100 (40 GB SXM4)": ("A100", 40),
        "A100 (80 GB SXM4)": ("A100-80GB", 80), "RTX A6000 (48 GB)": ("RTXA6000", 48),
        "Quadro RTX 6000 (24 GB)": ("RTX6000", 24), "Tesla V100 (16 GB)": ("V100", 16),
        "GH200 (96 GB)": ("GH200", 96), "H100 (80 GB PCIe)": ("H100", 80),
        "H100 (80 GB SXM5)": ("H100", 80), "B200 (180 GB SXM6)": ("B200", 180),
        "N/A": (None, None)}
types = {row[0]: row[1:] for row in json.load(open("table.json"))}
seen = set()
for offer in offers:
    name = offer["instance_type"]
    if (name, offer["region"]) in seen:
        sys.exit(f"twice: {name} in {offer['region']}")
    seen.add((name, offer["region"]))
    gpu, gpus, vcpus, memory, disk, cents, regions = types[name]
    want = (GPUS[gpu][0], gpus, GPUS[gpu][1], vcpus, memory, cents / 100,
            "arm64" if "gh200" in name else "x86_64", None)
    have = (offer["gpu_name"], offer["gpu_count"], offer["gpu_memory_gib"], offer["vcpus"],
            offer["memory_gib"], offer["price_usd_hour"], offer["arch"],
            offer["spot_price_usd_hour"])
    if have != want:
        sys.exit(f"{name}: {have}, not {want}")
    if offer["available"] != (None if offer["region"] in regions else 0):
        sys.exit(f"{name} in {offer['region']}: available {offer['available']}")
places = {region for _, region in seen}
if not {"us-mountain-9", "us-east-3", "asia-northeast-2"} <= places:
    sys.exit(f"regions: {places}")
if len(seen) != len(types) * len(places):
    sys.exit(f"{len(seen)} offers of {len(types)} types in {len(places)} regions")
EOF
}

# ---- The seed, without a key and without a request

(
	unset LAMBDA_API_KEY
	run 0 offers H100 --providers lambda --json
	json 'd["offers"][0]["provider"] == "lambda" and d["offers"][0]["source"] == "seed"'
	run 77 catalog update lambda
	says err 'no Lambda API key found'
	says err LAMBDA_API_KEY
)
echo "ok: the seed"

# ---- What is sold

prices_start lambda_.py
run 0 catalog update lambda
as_sold
[ "$(asked)" = /api/v1/instance-types ] || fail "asked: $(asked)"
run 0 offers B200 --providers lambda --json
json 'd["offers"][0]["price_usd_hour"] == 53.52'
echo "ok: complete and correct"

# ---- The pace: two at once and one behind them have taken a second each

turn () {
	sed -n 's/^request //p' "$SOUK_HOME/state/providers/lambda/pace"
}

now=$("$python" -c 'import time; print(int(time.time() * 1000))')
sim_forget
"$souk" catalog update lambda >out1 2>err1 </dev/null &
first=$!
"$souk" check lambda >out2 2>err2 </dev/null &
second=$!
wait "$first" || fail "$(cat err1)"
wait "$second" || fail "$(cat err2)"
run 0 check lambda
says out '...6789'
lacks out TESTKEY0123456789
[ "$(asked | wc -l)" -eq 3 ] || fail "asked: $(asked)"
[ "$(turn)" -ge $((now + 3000)) ] || fail "the next turn is at $(turn), which is not 3 s behind $now"
echo "ok: the pace"

# ---- Who asks

(
	LAMBDA_API_KEY=secret_wrong
	run 77 check lambda
	says out 'API key was invalid, expired, or deleted'
	says err 'Check your API key or create a new one'
)
mkdir -p "$HOME/.lambda_cloud"
printf 'api_key = %s\n' "$LAMBDA_API_KEY" >"$HOME/.lambda_cloud/lambda_keys"
(
	unset LAMBDA_API_KEY
	run 0 check lambda
)
echo "ok: who asks"

# ---- Troubles on the way

for fault in '"do": "garbage"' '"do": "truncate"' '"do": "drop-before"' '"do": "unavailable", "status": 503' \
	'"do": "unavailable", "status": 429, "headers": {"Retry-After": "1"}' '"do": "delay", "ms": 1500'
do
	fresh
	prices_start lambda_.py --faults "[{\"path\": \"instance-types\", $fault}]"
	run 0 catalog update lambda
	as_sold
done
echo "ok: an answer that is broken once"

kept=$(catalog_of lambda)
cp "$kept" before
for fault in '"do": "garbage"' '"do": "unavailable", "status": 400, "body": "no"'
do
	prices_start lambda_.py \
		--faults "[{\"path\": \"instance-types\", \"times\": -1, $fault}]"
	status=0
	"$souk" catalog update lambda >out 2>err || status=$?
	[ "$status" -ne 0 ] || fail 'no error'
	says err 'cannot list what is on sale'
	cmp before "$kept" || fail 'the old catalogue is gone'
done
as_sold
echo "ok: an answer that stays broken leaves what there was"
