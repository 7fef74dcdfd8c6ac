#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-quote.sh - souk quote, launch --quote, pipelines, and what moving data does to a choice
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cc=${SOUK_TEST_CC:-cc}
command -v "${cc%% *}" >/dev/null || skip "no $cc"
mkdir -p modules trace "$SOUK_HOME/config/transfer" "$SOUK_HOME/config/charges"
PLANNER_TRACE=$tmp/trace
SOUK_PROVIDER_PATH=$tmp/modules
ACME_KEY=1
BOLT_KEY=1
export PLANNER_TRACE SOUK_PROVIDER_PATH ACME_KEY BOLT_KEY
unset SOUK_ACME_ENDPOINT SOUK_BOLT_ENDPOINT || true
for name in acme bolt
do
	key=$(echo "$name" | tr a-z A-Z)_KEY
	# shellcheck disable=SC2086
	$cc -std=gnu11 -shared -fPIC ${SOUK_TEST_SANITIZER:-} -DNAME="\"$name\"" -DKEY="\"$key\"" \
		-I"$src/plugin-api/include" "$src/tests/e2e/planner.c" -o "modules/souk-provider-$name.so"
done

header=provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,price_usd_hour,spot_price_usd_hour
table () { # PROVIDER DATE, rows on standard input
	{ echo "$header"; cat; } >"$1.csv"
	run 0 catalog import "$1.csv" --provider "$1" --date "$2"
}
today=$(date -u +%Y-%m-%d)
prices () {
	table acme "$today" <<'ROWS'
acme,east,east-1,one,x86_64,8,64,Zephyr,1,80,3,1
acme,west,west-1,one,x86_64,8,64,Zephyr,1,80,3.5,1.2
acme,east,east-1,plain,x86_64,8,32,,,,0.5,
acme,south,south-1,one,x86_64,8,64,Zephyr,1,80,0.01,
ROWS
	table bolt "$today" <<'ROWS'
bolt,east,east-a,b1,x86_64,8,64,Zephyr,1,80,2.5,
bolt,east,east-a,bplain,x86_64,8,32,,,,0.4,
ROWS
}
prices
cat >"$SOUK_HOME/config/transfer/acme.csv" <<'ROWS'
# source: acme's list
# date: 2026-02-03
scheme,s3://*
from_region,to,to_region,tier_from_gb,usd_per_gb
*,same-region,*,0,0
*,same-provider,*,0,0.02
*,internet,*,0,0
*,internet,*,100,0.10
ROWS
cat >"$SOUK_HOME/config/charges/bolt.csv" <<'ROWS'
item,region,unit,price,date,source
address,*,hour,0.005,2026-03-04,bolt's list
disk-size,*,gib,100,2026-03-04,bolt's image
disk-medium,*,gb-month,0.073,2026-03-04,bolt's list
ROWS
providers='--providers acme,bolt'

# quietly STATUS ARG...: neither a module is loaded nor an account opened
quietly () {
	rm -f trace/*
	run "$@"
	[ -z "$(ls trace)" ] || fail "loaded: $(ls trace)"
}

# shellcheck disable=SC2086
quote () { # STATUS ARG...
	want=$1
	shift
	quietly "$want" quote $providers "$@"
}

# ---- Items

cat >train.yaml <<'TASK'
name: train
resources: {accelerators: Zephyr}
run: echo train
secrets: {KEY: swordfish}
TASK
run 0 provider list
quote 0 train.yaml
says out 'train: bolt/east/east-a, 1 x b1, Zephyr:1, 8 vCPUs, 64 GiB'
grep -Eq "^compute +hour +\\\$2.50 .*catalogue of bolt \(import\) +$today\$" out || fail 'no price of the machine'
grep -Eq "^disk +hour +\\\$0.01 +1 x 100 GiB, tier medium +bolt's list +2026-03-04\$" out || fail 'no disk'
grep -Eq '^address +hour +\$0.005 +1 x public IPv4' out || fail 'no address'
says out 'Together: $2.515 an hour, $0.00 once; $2.515 for 1 hour'
grep -Eq '^acme +east +east-1 +one +\$3.00 +\$3.00 +not all is known' out || fail 'no runner-up'
lacks out south
says out 'until the catalogue of bolt is stale'
echo "ok: items, each with source and date, without a module"

quote 0 --hours 10 --num-nodes 2 train.yaml --json
json 'd["total"]["total"] == 50.30 and d["total"]["complete"] is True and d["settings"]["hours"] == 10'
json 'len(d["stages"][0]["others"]) == 1 and d["stages"][0]["candidates"] == 3'
quote 0 --all train.yaml --json
json '[o["region"] for o in d["stages"][0]["others"]] == ["east", "west"]'
quote 0 --limit 1 train.yaml --json
json '[o["region"] for o in d["stages"][0]["others"]] == ["east"]'
lacks out swordfish
lacks out 'echo train'
quote 0 --infra acme train.yaml
grep -Eq '^disk +hour +not known' out || fail 'a disk of unknown price has one'
says out 'and what is not known'
echo "ok: hours, nodes, runners-up, and what nobody knows"

# ---- Kept

quote 0 train.yaml --json
cp out first.json
id=$("$python" -c 'import json; print(json.load(open("first.json"))["id"])' 2>/dev/null) ||
	id=$(sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' first.json)
[ "$(stat -c %a "$SOUK_HOME/state/quotes/$id.json")" = 600 ] || fail 'the quote is not private'
run 0 quote --show "$id" --json
cmp -s out first.json || fail 'another quote is shown'
run 0 quote --show "$id"
cp out first.txt
table bolt "$today" <<'ROWS'
bolt,east,east-a,b1,x86_64,8,64,Zephyr,1,80,2.75,
ROWS
run 0 quote --show "$id"
cmp -s out first.txt || fail 'a kept quote has changed with the prices'
run 0 quote --show "$id" --json
cmp -s out first.json || fail 'a kept quote has changed with the prices'
run 0 quote --list
grep -q "^$id .*train .*bolt/east/east-a .*1 x b1 .*2.515\$" out || fail 'not in the list'
run 0 quote --list --json
json "'$id' in [q['id'] for q in d['quotes']]"
run 69 quote --show 00000000000000000000000000000000
says err 'there is no quote'
run 65 quote --show "../$id"
run 64 quote --list train.yaml
run 64 quote
echo "ok: a quote is kept as it was"

# ---- Launching one

# shellcheck disable=SC2086
launch () { # STATUS ARG...
	want=$1
	shift
	run "$want" launch $providers "$@"
}
launch 75 --dryrun --quote "$id" train.yaml
says err 'the price has changed since: 2.50 USD an hour then, 2.75 USD now'
prices
launch 0 --dryrun --quote "$id" train.yaml --json
json 'd["total"] == 1 and [c["provider"] for c in d["candidates"]] == ["bolt"]'
launch 65 --dryrun --quote "$id" --num-nodes 2 train.yaml
says err "the task has changed since ('num_nodes')"
sed 's/echo train/echo trial/' train.yaml >other.yaml
launch 65 --dryrun --quote "$id" other.yaml
says err "the task has changed since ('run')"
table bolt "$today" <<'ROWS'
bolt,west,west-a,b1,x86_64,8,64,Zephyr,1,80,2.5,
ROWS
launch 69 --dryrun --quote "$id" train.yaml
says err 'the offer is gone'
prices
launch 69 --dryrun --quote 00000000000000000000000000000000 train.yaml
launch 64 --dryrun --hours 2 --quote "$id" train.yaml
# It is tried, alone, and refused by the cloud; a moment later by souk.
launch 69 -y --quote "$id" train.yaml
says err 'nothing is for rent'
lacks err 'acme'
launch 75 -y --quote "$id" train.yaml
says err 'the offer was refused a moment ago (CAPACITY)'
launch 69 -y train.yaml
says err 'acme'
run 0 quote --rm "$id"
launch 69 --dryrun --quote "$id" train.yaml
rm -rf "$SOUK_HOME/state"
echo "ok: launch --quote takes just that, or refuses"

# ---- Data has weight

cat >data.yaml <<'TASK'
name: data
resources: {accelerators: Zephyr}
inputs: {s3://sets/a: 150}
TASK
launch 0 --dryrun --explain data.yaml
grep -Eq '^acme +east +east-1 .*yes' out || fail 'the cheaper machine wins over the data'
grep -Eq '^ +bolt .*dearer by \$4\.50.*moving its data costs \$5\.00' out || fail 'it does not say why'
quote 0 data.yaml --json
json 'd["stages"][0]["offer"]["provider"] == "acme"'
json '[i["price"] for i in d["stages"][0]["items"] if i["item"] == "inputs"] == [0]'
# For long enough the cheaper machine pays for the transfer.
launch 0 --dryrun --hours 20 data.yaml
grep -Eq '^bolt +east +east-a .*yes' out || fail 'the transfer is not paid once'
# The bucket's region decides inside of a provider.
printf 'buckets: {"s3://sets": west}\n' >"$SOUK_HOME/config/config.yaml"
launch 0 --dryrun --infra acme data.yaml --json --all
json 'd["candidates"][0]["region"] == "west" and d["candidates"][0]["transfer_cost"] == 0'
json 'd["candidates"][1]["region"] == "east" and d["candidates"][1]["transfer_cost"] == 3'
rm "$SOUK_HOME/config/config.yaml"
# What bolt takes for sending nobody knows: it is not for nothing.
quote 0 --infra bolt --egress 10 train.yaml
grep -Eq '^egress +once +not known .*no price known' out || fail 'unknown traffic has a price'
echo "ok: a cheaper machine whose traffic eats the saving loses"

# ---- Pipelines

cat >pipe.yaml <<'TASK'
name: pipe
---
name: prepare
resources: {cpus: 8}
outputs: {s3://between: 10}
---
name: train
resources: {infra: acme, accelerators: Zephyr}
TASK
quote 0 pipe.yaml --json
json '[s["offer"]["provider"] for s in d["stages"]] == ["acme", "acme"]'
json 'd["transfers"][0]["kind"] == "same-region" and d["transfers"][0]["gb"] == 10'
json 'd["total"]["total"] == 3.50'
quote 0 pipe.yaml
grep -Eq '^ +1 +prepare +acme +east' out || fail 'no stage'
says out 'All stages and transfers: $3.50'
quietly 0 launch --providers acme,bolt --dryrun pipe.yaml
grep -Eq '^ +2 +train +acme +east' out || fail 'no stage in a dry run'
run 65 launch --providers acme,bolt -y pipe.yaml
says err 'a launch takes one task, this file has 2'
# Alone the first stage is cheaper elsewhere, and stays there without data.
sed '/outputs/d' pipe.yaml >light.yaml
quote 0 light.yaml --json
json '[s["offer"]["provider"] for s in d["stages"]] == ["bolt", "acme"]'
quote 65 --egress 5 pipe.yaml
says err '--egress is for a file with one task'
echo "ok: a pipeline's places are chosen together"

# ---- A real one

if "$souk" provider list 2>/dev/null | grep -q '^local ' && command -v sshd >/dev/null
then
	unset SOUK_PROVIDER_PATH
	echo 'run: echo quoted' >here.yaml
	run 0 quote --providers local here.yaml --json
	json '[i["item"] for i in d["stages"][0]["items"]] == ["compute"] and d["total"]["total"] == 0'
	id=$(sed -n 's/.*"id": "\([0-9a-f]*\)".*/\1/p' out)
	run 0 launch -y --down --providers local --quote "$id" here.yaml
	prints quoted
	echo "ok: a quote that is launched"
fi
