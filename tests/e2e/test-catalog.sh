#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-catalog.sh - catalogues: the seed, what a cloud says, a cloud that cannot be asked, tables
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'
"$souk" provider list 2>/dev/null | grep -q '^aws ' || skip 'built without the aws provider'
rm -rf "$SOUK_HOME"

file=$SOUK_HOME/cache/catalog/aws.catalog

# row PROVIDER EXPRESSION: it is true over r, the provider's row of the JSON of the last run
row () {
	json "[r for r in d['catalogs'] if r['provider'] == '$1' and ($2)]"
}

# imported EXPRESSION: it is true over i, the import of the JSON of the last run
imported () {
	json "(lambda i: $1)(d['import'])"
}

# forget_stale: nobody was told of old prices today
forget_stale () {
	rm -f "$SOUK_HOME/cache/catalog/stale-said"
}

# Prices are as old as they are; only the part about that wants to hear of it.
mkdir -p "$SOUK_HOME/config"
never_stale () {
	echo 'catalog: {stale_days: 0}' >"$SOUK_HOME/config/config.yaml"
}
never_stale

# ---- The seed

server_start 's/^listening //p' "$python" "$src/tests/cloudsim/ec2.py"
run 0 catalog info aws --json
json 'len(d["catalogs"]) == 1'
row aws 'r["source"] == "seed" and r["offers"] > 1000 and r["regions"] > 5 and r["accelerators"] > 5'
row aws '100 < r["types"] < r["offers"] and r["bytes"] > 10000 and len(r["hash"]) == 32 and r["installed"]'
row aws 'len(r["date"]) == 10 and r["path"].endswith("/catalog/aws.catalog") and r["problem"] is None'
row aws 'r["made_at"] == r["date"] + "T00:00:00Z" and r["note"] and not r["stale"] and not r["removed"]'
[ ! -e "$SOUK_HOME/cache/modules/souk-provider-aws.so" ] || fail 'info has loaded a cloud'
seed_date=$(sed -n 's/.*"date": *"\([0-9-]*\)".*/\1/p' out)
run 0 catalog info
grep -Eq '^PROVIDER +OFFERS +TYPES +REGIONS +ACCELERATORS +MARKED +SIZE +SOURCE +DATE +AGE$' out ||
	fail 'no heading'
grep -Eq '^aws +[0-9]{4,} +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ +[0-9.]+ [KM]iB +seed +20[0-9-]{8} +[0-9]+d$' out ||
	fail 'no seed of aws'
run 0 catalog info aws --verify
if "$souk" provider list 2>/dev/null | grep -q '^local '
then
	run 0 catalog info
	grep -Eq '^local +- +- +- +- +- +- +asked each time +- +-$' out || fail 'local is not asked each time'
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
grep -Eq '^aws +[0-9]+ +[0-9]+ +3 +6 +.* live +20[0-9-]{8} +0d$' out || fail 'aws is not live'
[ -f "$file" ] || fail 'no file'
sim_is '"DescribeInstanceTypes" in [a for a, c in calls] and "GetProducts" in [a for a, c in calls]'
sim_is '{c for a, c in calls} == {"ok"}'
run 0 catalog info aws --json --verify
row aws "r['source'] == 'live' and r['path'] == '$file' and r['regions'] == 3 and r['age_days'] == 0"
run 0 offers --instance-type m5.large --all-regions --json --providers aws
json '{o["source"] for o in d["offers"]} == {"live"}'
json 'sorted(o["region"] for o in d["offers"]) == ["eu-west-1", "us-east-1", "us-west-2"]'
json '[o["price_usd_hour"] for o in d["offers"] if o["region"] == "us-east-1"] == [0.096]'
run 0 offers --instance-type g5.12xlarge --infra aws/us-east-1 --json
json '[(o["gpu_name"], o["gpu_count"], o["gpu_memory_gib"]) for o in d["offers"]] == [("A10G", 4, 24)]'
run 0 offers --instance-type m7g.large --json
json 'd["offers"][0]["arch"] == "arm64"'
cp "$file" live.catalog
run 0 catalog update aws --json
row aws 'r["source"] == "live"'
echo "ok: what the cloud says"

# ---- Out as a table, and in again

run 0 offers --csv --zones --providers aws --infra aws
cp out old.csv
run 0 catalog info aws --json
offers=$("$python" -c 'import json; print(json.load(open("out"))["catalogs"][0]["offers"])')
run 0 catalog import old.csv --date "$seed_date" --source-note 'yesterday' --json
imported "i['provider'] == 'aws' and i['installed'] and i['offers'] == $offers == i['rows'] and i['bad'] == 0"
run 0 catalog info aws --json
row aws "r['source'] == 'import' and r['date'] == '$seed_date' and r['note'] == 'yesterday'"
run 0 offers --csv --zones --providers aws --infra aws
sed 's/,live,[0-9-]*,/,X,/; s/,import,[0-9-]*,/,X,/' out >new.csv
sed 's/,live,[0-9-]*,/,X,/; s/,import,[0-9-]*,/,X,/' old.csv | cmp - new.csv || fail 'the table has changed'
# A package with newer prices goes before what was imported.
run 0 catalog import old.csv --date 2020-01-01
run 0 catalog info aws --json
row aws "r['source'] == 'seed'"
run 0 catalog rm aws
says err "aws: removed; what counts is the seed of $seed_date"
[ ! -e "$file" ] || fail 'rm has left the file'
run 0 catalog rm aws --json
row aws 'r["source"] == "seed" and not r["removed"]'
echo "ok: out as a table, and in again"

# ---- A region that fails is left out, and said

run 0 catalog import old.csv --date "$seed_date"
sim_post faults '{"faults": [{"action": "DescribeInstanceTypes", "region": "eu-west-1", "code": "UnauthorizedOperation", "times": -1}]}'
run 0 catalog update aws
says err "warning: aws: left out 'eu-west-1'"
grep -Eq '^aws +[0-9]+ +[0-9]+ +2 +6 +.* live ' out || fail 'not two regions'
sim_post faults '{"faults": [], "replace": true}'
echo "ok: a region that fails"

# ---- A cloud that cannot be asked keeps its catalog

run 0 catalog import old.csv --date "$seed_date"
cp "$file" old.catalog
server_stop
# What was kept of the cloud's replies would answer for it.
rm -rf "$SOUK_HOME/cache/http"
run 75 catalog update aws
says err 'error: aws: '
[ ! -s out ] || fail 'a table in spite of the error'
cmp old.catalog "$file" || fail 'the old catalog has changed'
run 0 catalog info aws --json
row aws "r['source'] == 'import' and r['date'] == '$seed_date' and r['problem'] is None"
run 75 catalog update --providers aws
cmp old.catalog "$file" || fail 'the old catalog has changed'
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run 77 catalog update aws
	says err 'error: aws: no AWS credentials found'
)
cmp old.catalog "$file" || fail 'the old catalog has changed'
echo "ok: a cloud that cannot be asked"

# ---- Damaged files

# damage SIZE: the file's first bytes only; damage at OFFSET: a byte is another one
damage () {
	if [ "$1" = at ]
	then
		"$python" -c 'import sys
with open(sys.argv[1], "r+b") as f:
    f.seek(int(sys.argv[2])); c = f.read(1)[0]; f.seek(-1, 1); f.write(bytes([c ^ 1]))' "$file" "$2"
	else
		head -c "$1" old.catalog >"$file"
	fi
}

for size in 0 7 767 4096 $(($(wc -c <old.catalog) - 1))
do
	damage "$size"
	run 0 offers --instance-type m5.large --json --providers aws
	json 'd["offers"][0]["source"] == "seed"'
	says err "warning: '$file' is "
	says err 'it is set aside'
	[ -f "$file.damaged" ] && [ ! -e "$file" ] || fail 'not set aside'
	run 0 catalog info aws --json
	row aws 'r["source"] == "seed" and r["problem"] is None'
done
cp old.catalog "$file"
damage at 9
run 0 catalog info aws
says err 'newer than'
# A block is looked at when it is read.
cp old.catalog "$file"
damage at $(($(wc -c <old.catalog) - 100))
run 65 catalog info aws --verify --json
row aws 'r["source"] == "seed" and "does not match its checksum" in r["problem"]'
[ -f "$file.damaged" ] && [ ! -e "$file" ] || fail 'not set aside'
run 0 catalog info aws --json --verify
row aws 'r["source"] == "seed" and r["problem"] is None'
echo "ok: damaged files"

# ---- Tables

cat >table.csv <<'END'
# seed 2026-07-01: the price list
instance_type,region,zone,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,price_usd_hour,spot_price_usd_hour
big,r1,r1-a,48,512,H100,8,80,20,
big,r1,r1-b,48,512,H100,8,80,21,9
big,r1,r1-b,48,512,H100,8,80,20.5,9
big,r2,,48,512,H100,8,80,0,
small,,,2,4,,,,1e-05,
END
run 0 catalog import table.csv --provider acme --dry-run
says err 'acme: 4 offers of 2 types in 3 regions, 1 accelerators, prices of 2026-07-01'
says err 'doubles: 1; the cheaper price is kept'
says err 'prices that cannot be right: 1; '
says err 'nothing was written (--dry-run)'
[ ! -e "$SOUK_HOME/cache/catalog/acme.catalog" ] || fail 'a dry run has written'
run 0 catalog import table.csv --provider acme --json
imported "i['provider'] == 'acme' and not i['installed'] and i['rows'] == 5 and i['offers'] == 4 and i['marked'] == 1"
imported "i['date'] == '2026-07-01' and i['path'].endswith('/catalog/acme.catalog') and i['problems'] == []"
run 0 catalog info acme
grep -Eq '^acme +4 +2 +3 +1 +1 +[0-9]+ KiB +import +2026-07-01 +[0-9]+d$' out || fail 'no row of acme'
says err "no module is installed for 1 of them"
run 0 offers H100:8 --json --zones
json '[(o["region"], o["zone"], o["price_usd_hour"]) for o in d["offers"] if o["provider"] == "acme"][:2] == [("r1", "r1-a", 20), ("r1", "r1-b", 20.5)]'
json '[o["marks"] for o in d["offers"] if o["provider"] == "acme" and o["region"] == "r2"] == [["price-not-positive"]]'
"$souk" catalog import - --provider acme --date 2026-07-02 <table.csv >out 2>err || fail 'standard input'
run 0 catalog info acme --json
row acme 'r["date"] == "2026-07-02" and r["note"] == "the price list"'

cp "$SOUK_HOME/cache/catalog/acme.catalog" before
{
	cat table.csv
	echo 'big,r3,,x,512,H100,8,80,20,'
	echo 'big,r3,,48,512,H100,8,80'
	printf 'big,"r3\n",,48,512,H100,8,80,20,\n'
	echo ',r3,,48,512,H100,8,80,20,'
} >bad.csv
run 65 catalog import bad.csv --provider acme
says err "bad.csv:8: vcpus: not a number: 'x'"
says err 'bad.csv:9: 8 fields, where the header has 10'
says err 'bad.csv:10: region: byte 3 is not UTF-8, or a control character'
says err 'bad.csv:12: no instance_type'
says err "error: 'bad.csv': 4 of 9 rows are wrong; nothing was imported"
says err 'hint: --skip-bad imports the other 5'
run 65 catalog import bad.csv --provider acme --json
imported "i['bad'] == 4 and i['path'] is None and i['problems'][1].startswith('bad.csv:9: ')"
cmp before "$SOUK_HOME/cache/catalog/acme.catalog" || fail 'a bad table has changed the catalog'
run 0 catalog import bad.csv --provider acme --skip-bad
says err "warning: 'bad.csv': left out 4 rows that are wrong"
run 65 catalog import old.csv --provider acme
says err "old.csv:2: provider: 'aws', not 'acme'"
says err ' more'
run 65 catalog import /dev/null --provider acme
says err "'/dev/null' is empty"
run 69 catalog import none.csv --provider acme
run 65 catalog import table.csv
says err "has no column 'provider'"
run 65 catalog import table.csv --provider Acme
run 65 catalog import table.csv --provider acme --date tomorrow
run 0 catalog rm acme
says err 'acme: removed; nothing is known of its offers'
run 78 catalog info acme

# A seed of one's own: the same bytes whenever it is made, and found in the user's own folder.
run 0 catalog import table.csv --provider acme --output acme.catalog
run 0 catalog import table.csv --provider acme --output again.catalog
cmp acme.catalog again.catalog || fail 'two seeds of one table differ'
[ ! -e "$SOUK_HOME/cache/catalog/acme.catalog" ] || fail 'a seed has gone into the cache'
mkdir -p "$SOUK_HOME/data/catalog"
cp acme.catalog "$SOUK_HOME/data/catalog/"
run 0 catalog info acme --json
row acme 'r["source"] == "seed" and r["date"] == "2026-07-01"'
rm -r "$SOUK_HOME/data/catalog"
sed 1d table.csv >undated.csv
run 65 catalog import undated.csv --provider acme --output acme.catalog
says err 'has no date'
echo "ok: tables"

# ---- Many at once end well

for i in 1 2 3 4
do
	"$souk" catalog import table.csv --provider acme >/dev/null 2>&1 &
	"$souk" catalog import undated.csv --provider acme >/dev/null 2>&1 &
done
wait
run 0 catalog info acme --verify --json
row acme 'r["offers"] == 4 and r["problem"] is None'
! ls "$SOUK_HOME/cache/catalog" | grep -q 'tmp$' || fail 'something is left over'
echo "ok: many at once"

# ---- Old prices

rm "$SOUK_HOME/config/config.yaml"
run 0 catalog import table.csv --provider acme --date 2020-02-03
run 0 catalog info acme --json
row acme 'r["stale"] and r["age_days"] > 2000'
lacks err 'more than'
run 0 offers H100:8 --json
says err 'warning: prices of acme (2020-02-03)'
says err "are more than 7 days old: 'souk catalog update' asks for new ones"
run 0 offers H100:8 --json
lacks err 'days old'
# Other prices are news, and so are the same ones on another day.
run 0 catalog import table.csv --provider acme --date 2020-02-04
run 0 offers H100:8 --json
says err 'acme (2020-02-04)'
lacks err 'aws'
sed -i 's/[0-9]*$/1000000000/' "$SOUK_HOME/cache/catalog/stale-said"
run 0 offers H100:8 --json
says err 'acme (2020-02-04)'
forget_stale
echo 'catalog: {stale_days: 36500}' >"$SOUK_HOME/config/config.yaml"
run 0 offers H100:8 --json
lacks err 'days old'
never_stale
run 0 offers H100:8 --json
lacks err 'days old'
echo 'catalog: {stale_days: soon}' >"$SOUK_HOME/config/config.yaml"
run 78 offers H100:8
says err 'catalog.stale_days: must be a number of days'
never_stale
run 0 catalog rm acme
echo "ok: old prices"

# ---- Arguments

run 64 catalog
run 64 catalog updte
says err "'souk catalog update' is one"
run 64 catalog import
run 64 catalog import a b
run 64 catalog rm
run 64 catalog info --dry-run
says err 'info: takes no --dry-run'
run 64 catalog import table.csv --verify
run 78 catalog info awss
says err "did you mean 'aws'"
run 78 catalog rm awss
run 78 catalog update aws --set aws.no_such=1
echo "ok: arguments"

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
run 75 catalog update --providers aws,stall
says err 'asking aws, stall for their offers'
says err 'warning: aws: not updated: '
grep -Eq '^aws +[0-9]{4,} +[0-9]+ +[0-9]+ +[0-9]+ +[0-9]+ .* seed ' out || fail 'no row of the seed'
grep -Eq '^stall +1 +1 +1 +0 +0 .* live ' out || fail 'no row of the stall'
stall=$SOUK_HOME/cache/catalog/stall.catalog
cp "$stall" stall.catalog
(
	unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
	run 0 catalog update --json
	lacks err warning
	row aws 'r["skipped"] and "no AWS credentials" in r["problem"] and r["source"] == "seed"'
	run 77 catalog update aws stall
	says err 'warning: aws: not updated: no AWS credentials found'
)
cp "$stall" stall.catalog
run 69 catalog update stall --set stall.lists=nothing
says err 'error: stall: nothing is on sale'
run 65 catalog update stall --set stall.lists=break
says err "error: stall: offer 1: instance_type: byte 6 is not UTF-8, or a control character"
run 77 catalog update stall --set stall.lists=denied
says err 'error: stall: the key has expired'
run 77 catalog update stall --set stall.lists=closed
says err 'hint: find the key'
cmp stall.catalog "$stall" || fail 'the catalog of the stall has changed'
# Who has nothing today is asked again tomorrow.
rm "$stall"
run 69 offers --instance-type table --providers stall --set stall.lists=nothing
[ ! -e "$stall" ] || fail 'a file without an offer'
run 0 offers --instance-type table --providers stall
[ -f "$stall" ] || fail 'the stall was not asked again'
echo "ok: two clouds, of which one fails"
