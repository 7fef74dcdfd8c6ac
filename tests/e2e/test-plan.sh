#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-plan.sh - 'souk launch --dryrun': who takes part without being loaded, the table, the explanation
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

cc=${SOUK_TEST_CC:-cc}
command -v "${cc%% *}" >/dev/null || skip "no $cc"
mkdir modules trace
PLANNER_TRACE=$tmp/trace
SOUK_PROVIDER_PATH=$tmp/modules
export PLANNER_TRACE SOUK_PROVIDER_PATH
unset ACME_KEY BOLT_KEY SOUK_ACME_ENDPOINT SOUK_BOLT_ENDPOINT || true
for name in acme bolt
do
	key=$(echo "$name" | tr a-z A-Z)_KEY
	# shellcheck disable=SC2086
	$cc -std=gnu11 -shared -fPIC ${SOUK_TEST_SANITIZER:-} -DNAME="\"$name\"" -DKEY="\"$key\"" \
		-I"$src/plugin-api/include" "$src/tests/e2e/planner.c" -o "modules/souk-provider-$name.so"
done

header=provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,gpu_memory_gib,price_usd_hour,spot_price_usd_hour
table () { # PROVIDER, rows on standard input
	{ echo "$header"; cat; } >"$1.csv"
	run 0 catalog import "$1.csv" --provider "$1"
}
table acme <<'ROWS'
acme,east,east-1,one,x86_64,8,64,Zephyr,1,80,3,1
acme,west,west-1,one,x86_64,8,64,Zephyr,1,80,3.5,1.2
acme,north,north-1,one,x86_64,8,64,Zephyr,1,80,3.25,
acme,south,south-1,one,x86_64,8,64,Zephyr,1,80,0.01,
acme,east,east-1,eight,x86_64,64,512,Zephyr,8,80,24,
acme,east,east-1,plain,x86_64,8,32,,,,0.4,
ROWS
table bolt <<'ROWS'
bolt,east,east-a,b1,x86_64,16,128,Zephyr,1,80,2.5,
bolt,east,east-a,b2,x86_64,16,128,Breeze,1,40,1.5,
bolt,east,east-a,slow,arm64,8,64,,,,0.1,
ROWS
table nobody <<'ROWS'
nobody,east,,n1,x86_64,16,128,Zephyr,1,80,2,
ROWS

# quietly STATUS ARG...: neither a module is loaded nor an account opened
quietly () {
	rm -f trace/*
	run "$@"
	[ -z "$(ls trace)" ] || fail "loaded: $(ls trace)"
}

# ---- Who takes part

run 0 provider list
cp out providers
quietly 0 launch --dryrun --providers acme,bolt --gpus Zephyr 'echo x'
grep -Eq '^bolt +east +east-a +b1 .* 2.50 +yes' out || fail 'bolt is not first'
grep -Eq '^acme +east +east-1 +one .* 3.00 +-' out || fail 'acme is not there'
says out "2 more of acme"
says out 'no credentials are found here for bolt, acme'

# Without a sign of credentials nobody is asked who was not named; without anybody else that is it.
nobody=77
! grep -q '^local ' providers || nobody=69
quietly $nobody launch --dryrun --gpus Zephyr 'echo x'
says err 'bolt ($2.50/h), acme ($3.00/h) would, but no credentials for them are found here'
says err "'souk provider info bolt'"
ACME_KEY=1 quietly 0 launch --dryrun --gpus Zephyr 'echo x'
says out acme
lacks out bolt
# What is sold in another currency is neither taken for dollars nor compared with them.
for price in 'euro 9.00,EUR' 'dollar 9.50,USD'
do
	{
		echo 'provider,region,instance_type,vcpus,memory_gib,gpu_name,gpu_count,price_usd_hour,currency'
		echo "${price%% *},here,m,4,16,Euroid,1,${price#* }"
	} >table.csv
	run 0 catalog import table.csv
done
quietly 69 launch --dryrun --gpus Euroid 'echo x'
says err 'dollar ($9.50/h), euro (9.00 EUR/h) would, but they are not installed'
touch "$HOME/.bolt"
quietly 0 launch --dryrun --gpus Zephyr 'echo x'
says out bolt
lacks out acme
rm "$HOME/.bolt"
SOUK_BOLT_ENDPOINT=http://127.0.0.1:1 quietly 0 launch --dryrun --gpus Zephyr 'echo x'
says out bolt
lacks out 'no credentials'
quietly 0 launch --dryrun --infra 'bolt/*/*-a' --gpus Zephyr 'echo x'
says out 'no credentials are found here for bolt'
rm -f trace/*
touch modules/souk-provider-acme.so
run 0 launch --dryrun --providers acme --gpus Zephyr 'echo x'
[ "$(ls trace)" = loaded-acme ] || fail "a file that was touched: $(ls trace)"

# A launch opens the accounts, and its failures are those of the accounts.
run 77 launch -y --providers acme --gpus Zephyr 'echo x'
says err 'acme: no key'
says err 'hint: set ACME_KEY'
[ -e trace/opened-acme ] || fail 'acme was not opened'
ACME_KEY=1 run 69 launch -y --providers acme,bolt --infra '*/east' --gpus Zephyr 'echo x'
says err 'bolt: skipped: no key'
says err 'nothing is for rent'
echo 'ok: who takes part'

# ---- The ledger: what has just failed comes last, and says so

quietly 0 launch --dryrun --json --all --providers acme --gpus Zephyr 'echo x'
json '[c["region"] for c in d["candidates"]] == ["north", "west", "east"]'
json '[c["cooling"] for c in d["candidates"]] == [False, False, True]'
json '"exhausted" in d["candidates"][2]["note"]'
rm -rf "$SOUK_HOME/state"
echo 'ok: the ledger'

# ---- The table and its JSON

quietly 0 launch --dryrun --json --providers acme,bolt --gpus Zephyr 'echo x'
json 'd["dryrun"] is True and d["exists"] is False and d["total"] == 4'
json '[(c["provider"], c["behind"]) for c in d["candidates"]] == [("bolt", 0), ("acme", 2)]'
json '[c["chosen"] for c in d["candidates"]] == [True, False]'
json 'd["candidates"][1]["price_usd_hour"] == 3 and d["candidates"][1]["gpu_name"] == "Zephyr"'
json 'not d["candidates"][0]["credentials"] and "explain" not in d'
quietly 0 launch --dryrun --json --all --providers acme,bolt --gpus Zephyr 'echo x'
json '[c["price_per_hour"] for c in d["candidates"]] == [2.5, 3, 3.25, 3.5]'
quietly 0 launch --dryrun --json --limit 3 --hours 10 --num-nodes 2 --providers acme,bolt --gpus Zephyr x
json '[c["expected_cost"] for c in d["candidates"]] == [50, 60, 65] and d["total"] == 4'
json 'all(c["expected_seconds"] == 36000 and c["price_per_hour"] < 7 for c in d["candidates"])'
quietly 0 launch --dryrun --limit 3 --providers acme,bolt --gpus Zephyr 'echo x'
[ "$(wc -l <out)" -eq 6 ] || fail 'not three rows'
says out '1 more'
quietly 0 launch --dryrun --use-spot --providers acme,bolt --gpus Zephyr 'echo x'
grep -Eq '^acme .* one \(spot\) .* 1.00 +yes' out || fail 'no spot'
says out 'its price alone is counted'
cat >task.yaml <<'TASK'
resources:
  accelerators: [Breeze, Zephyr]
run: echo x
TASK
quietly 0 launch --dryrun --json --providers acme,bolt task.yaml
json '[(c["gpu_name"], c["alternative"]) for c in d["candidates"]] == [("Breeze", 1), ("Zephyr", 2), ("Zephyr", 2)]'
cat >task.yaml <<'TASK'
resources:
  any_of: [{use_spot: true}, {use_spot: false}]
  accelerators: Zephyr
run: echo x
TASK
quietly 0 launch --dryrun --json --all --providers acme,bolt task.yaml
json '[c["price_per_hour"] for c in d["candidates"]] == [1, 1.2, 2.5, 3, 3.25, 3.5]'
json 'sum(c["spot"] for c in d["candidates"]) == 2'
echo 'ok: the table'

# ---- Why the others lost

quietly 0 launch --dryrun --explain --providers acme,bolt --gpus Zephyr 'echo x'
says out 'acme east-1 one Zephyr:1, $3.00/h: dearer by $0.50'
says out '1 of a provider that is not installed: nobody east n1 Zephyr:1, $2.00/h'
says out '2 at a price of the other market (use_spot): the cheapest acme east-1 one Zephyr:1 (spot), $1.00/h'
says out '1 at a price that cannot be right: acme south-1 one Zephyr:1, $0.01/h'
says out '1 prices that cannot be right were left out'
quietly 0 launch --dryrun --explain --json --providers acme,bolt --gpus Zephyr:8 'echo x'
json 'd["explain"]["lost"] == [{"provider": "bolt", "reason": "nothing_fits",
	"text": "sells nothing that fits", "offers": 0, "candidate": None}]'
json '{r["reason"]: r["offers"] for r in d["explain"]["ruled_out"]}["accelerator_count"] == 8'
json '[r["example"]["price_per_hour"] for r in d["explain"]["ruled_out"]
	if r["reason"] == "accelerator_count"] == [0.01]'
ACME_KEY=1 quietly 0 launch --dryrun --explain --gpus Zephyr 'echo x'
says out '1 of a provider without credentials here: bolt east-a b1 Zephyr:1, $2.50/h'
quietly 0 launch --dryrun --explain --providers acme --cpus 8 'echo x'
says out 'not x86_64'
echo 'ok: the explanation'

# ---- What cannot be had, and flags that make no sense

quietly 69 launch --dryrun --providers acme,bolt --gpus Zephir 'echo x'
says err "no offer has the accelerator 'Zephir'"
says err "did you mean 'Zephyr'"
quietly 69 launch --dryrun --providers acme --max-hourly-cost 1 --gpus Zephyr 'echo x'
says err 'none is at or below max_hourly_cost'
quietly 69 launch --dryrun --providers acme --infra acme/centre --gpus Zephyr 'echo x'
says err 'none is in the place that was asked for'
run 64 launch --dryrun --optimize beauty 'echo x'
says err "neither cost nor time"
run 64 launch --dryrun --hours 0 'echo x'
run 64 launch --dryrun --hours long 'echo x'
quietly 0 launch --dryrun --optimize time --providers acme,bolt --gpus Zephyr 'echo x'
mkdir -p "$SOUK_HOME/config"
echo 'optimize: beauty' >"$SOUK_HOME/config/config.yaml"
run 78 launch --dryrun 'echo x'
says err 'optimize: must be cost or time'
rm "$SOUK_HOME/config/config.yaml"
echo 'ok: what cannot be had'

# ---- A catalogue that is damaged in the middle is set aside

file=$SOUK_HOME/cache/catalog/acme.catalog
# The end of the file: no header, so that it opens.
printf 'xxxxxxxx' | dd of="$file" bs=1 seek=$(($(wc -c <"$file") - 64)) conv=notrunc 2>/dev/null
run 0 launch --dryrun --providers acme,bolt --gpus Zephyr 'echo x'
says err 'set aside'
says out bolt
[ ! -e "$file" ] || fail 'it is still there'
echo 'ok: a damaged catalogue'
