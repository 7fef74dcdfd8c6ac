#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-catalog.sh - catalogs: the seed, what a cloud says, and a cloud that cannot be asked
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'
"$souk" provider list 2>/dev/null | grep -q '^aws ' || skip 'built without the aws provider'
rm -rf "$SOUK_HOME"

file=$SOUK_HOME/cache/catalog/aws.csv

# row PROVIDER EXPRESSION: it is true over r, the provider's row of the JSON of the last run
row () {
	json "[r for r in d['catalogs'] if r['provider'] == '$1' and ($2)]"
}

# dated DATE: the catalog of aws is of that day
dated () {
	sed "1s/.*/# live $1/" "$file" >old.csv
	cat old.csv >"$file"
}

# ---- The seed

server_start 's/^listening //p' "$python" "$src/tests/cloudsim/ec2.py"
run 0 catalog info aws --json
json 'len(d["catalogs"]) == 1'
row aws 'r["source"] == "seed" and r["offers"] > 1000 and r["regions"] > 5 and r["accelerators"] > 5'
row aws 'len(r["date"]) == 10 and r["path"].endswith("/catalog/aws.csv") and r["problem"] is None'
[ ! -e "$SOUK_HOME/cache/modules/souk-provider-aws.so" ] || fail 'info has loaded a cloud'
run 0 catalog info
grep -Eq '^PROVIDER +OFFERS +REGIONS +ACCELERATORS +SOURCE +DATE$' out || fail 'no heading'
grep -Eq '^aws +[0-9]{4,} +[0-9]+ +[0-9]+ +seed +20[0-9-]{8}$' out || fail 'no seed of aws'
if "$souk" provider list 2>/dev/null | grep -q '^local '
then
	grep -Eq '^local +- +- +- +asked each time +-$' out || fail 'local is not asked each time'
	run 0 catalog update local --json
	row local 'r["asked_each_time"] and r["source"] is None and r["path"] is None'
fi
sim_is 'd["requests"] == []'
echo "ok: the seed, without a request"

# ---- What the cloud says

run 0 offers --instance-type m5.large --json
json 'd["offers"][0]["source"] == "seed"'
run 0 catalog update aws
says err 'asking aws for its offers'
grep -Eq '^aws +[0-9]+ +3 +6 +live +20[0-9-]{8}$' out || fail 'aws is not live'
[ -f "$file" ] || fail 'no file'
sim_is '"DescribeInstanceTypes" in [a for a, c in calls] and "GetProducts" in [a for a, c in calls]'
sim_is '{c for a, c in calls} == {"ok"}'
run 0 catalog info aws --json
row aws "r['source'] == 'live' and r['path'] == '$file' and r['regions'] == 3"
run 0 offers --instance-type m5.large --all-regions --json
json '{o["source"] for o in d["offers"]} == {"live"}'
json 'sorted(o["region"] for o in d["offers"]) == ["eu-west-1", "us-east-1", "us-west-2"]'
json '[o["price_usd_hour"] for o in d["offers"] if o["region"] == "us-east-1"] == [0.096]'
run 0 offers --instance-type g5.12xlarge --infra aws/us-east-1 --json
json '[(o["gpu_name"], o["gpu_count"], o["gpu_memory_gib"]) for o in d["offers"]] == [("A10G", 4, 24)]'
run 0 offers --instance-type m7g.large --json
json 'd["offers"][0]["arch"] == "arm64"'
dated 2026-01-02
run 0 offers --instance-type m5.large --json
json 'd["offers"][0]["date"] == "2026-01-02"'
[ ! -s err ] || fail "an old catalog is no news"
run 0 catalog update aws --json
row aws 'r["source"] == "live" and r["date"] > "2026-01-02"'
echo "ok: what the cloud says"

# ---- A region that fails is left out, and said

sim_post faults '{"faults": [{"action": "DescribeInstanceTypes", "region": "eu-west-1", "code": "UnauthorizedOperation", "times": -1}]}'
run 0 catalog update aws
says err "warning: aws: left out 'eu-west-1'"
grep -Eq '^aws +[0-9]+ +2 +6 +live ' out || fail 'not two regions'
sim_post faults '{"faults": [], "replace": true}'
echo "ok: a region that fails"

# ---- A cloud that cannot be asked keeps its catalog

dated 2026-01-02
server_stop
run 75 catalog update aws
says err 'error: aws: '
[ ! -s out ] || fail 'a table in spite of the error'
cmp old.csv "$file" || fail 'the old catalog has changed'
run 0 catalog info aws --json
row aws 'r["source"] == "live" and r["date"] == "2026-01-02" and r["problem"] is None'
run 75 catalog update
cmp old.csv "$file" || fail 'the old catalog has changed'
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run 77 catalog update
	says err 'error: aws: no AWS credentials found'
)
cmp old.csv "$file" || fail 'the old catalog has changed'
echo "ok: a cloud that cannot be asked"

# ---- A damaged file

echo 'not,a,catalog' >>"$file"
run 65 catalog info aws --json
row aws 'r["source"] is None and r["offers"] is None and "not 12 columns" in r["problem"]'
says err "warning: aws: $file:"
rm "$file"
run 0 catalog info aws --json
row aws 'r["source"] == "seed"'

# ---- Arguments

run 64 catalog
run 64 catalog updte
says err "'souk catalog update' is one"
run 78 catalog info awss
says err "did you mean 'aws'"
run 78 catalog update aws --set aws.no_such=1
echo "ok: a damaged file, and arguments"

# ---- Two clouds, of which one fails

cc=${SOUK_TEST_CC:-cc}
command -v "${cc%% *}" >/dev/null || { echo "no $cc: one cloud only"; exit 0; }
mkdir modules
# shellcheck disable=SC2086
$cc -std=gnu11 -shared -fPIC ${SOUK_TEST_SANITIZER:-} -I"$src/plugin-api/include" \
	"$src/tests/e2e/stall.c" -o modules/souk-provider-stall.so
SOUK_PROVIDER_PATH=$tmp/modules
export SOUK_PROVIDER_PATH

run 0 catalog info stall --json
row stall 'r["source"] is None and r["path"] is None and not r["asked_each_time"]'
run 75 catalog update
says err 'warning: aws: not updated: '
grep -Eq '^aws +[0-9]{4,} +[0-9]+ +[0-9]+ +seed ' out || fail 'no row of the seed'
grep -Eq '^stall +1 +1 +0 +live ' out || fail 'no row of the stall'
stall=$SOUK_HOME/cache/catalog/stall.csv
cp "$stall" stall.csv
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run 0 catalog update --json
	lacks err warning
	row aws 'r["skipped"] and "no AWS credentials" in r["problem"] and r["source"] == "seed"'
	run 77 catalog update aws stall
	says err 'warning: aws: not updated: no AWS credentials found'
)
run 69 catalog update stall --set stall.lists=nothing
says err 'error: stall: nothing is on sale'
run 65 catalog update stall --set stall.lists=comma
says err "error: stall: an offer has a name with a comma or a line break: 'table,chair'"
run 77 catalog update stall --set stall.lists=denied
says err 'error: stall: the key has expired'
run 77 catalog update stall --set stall.lists=closed
says err 'hint: find the key'
cmp stall.csv "$stall" || fail 'the catalog of the stall has changed'
# Who has nothing today is asked again tomorrow.
rm "$stall"
run 69 offers --instance-type table --providers stall --set stall.lists=nothing
[ ! -e "$stall" ] || fail 'a file without an offer'
run 0 offers --instance-type table --providers stall
cmp stall.csv "$stall" || fail 'the stall was not asked again'
echo "ok: two clouds, of which one fails"
