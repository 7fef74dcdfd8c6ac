#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-cost.sh - 'souk cost' counts the machine-hours that a simulated EC2 bills, to the second
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

# ---- Nothing yet

run 0 cost
says err 'no machines'
run 0 cost --json
json 'd["groups"] == [] and d["spells"] == [] and d["totals"] == [] and d["since"] and d["until"]'
[ ! -e "$SOUK_HOME/state/souk.db" ] || fail 'looking made a store'
run 69 cost nosuch
says err "there was no cluster 'nosuch'"
run 64 cost --by weather
run 64 cost --all --since 7d
run 64 cost --since yesterday
run 64 cost --since 2026-07-02 --until 2026-07-01
echo "ok: with nothing there yet"

# Both clocks stand still but for what is said here.
now=1000000000
SOUK_TEST_CLOCK=$tmp/clock
export SOUK_TEST_CLOCK
echo "$now" >clock
sim_start '{"clock": "manual"}'

# passes SECONDS: so much time goes by, for the cloud's bill and for souk
passes () {
	now=$((now + $1))
	echo "$now" >clock
	sim_post advance "{\"seconds\": $1}"
}

# agree: the cloud bills what souk counts
agree () {
	billed=$(sim 'round(d["billed_seconds"])')
	run 0 cost --all --json
	json "sum(t['seconds'] for t in d['totals']) == $billed"
	json '(sum(s["seconds"] for s in d["spells"]) == sum(g["seconds"] for g in d["groups"])
		== sum(t["seconds"] for t in d["totals"]))'
	json 'all(t["unpriced_seconds"] == 0 for t in d["totals"])'
}

# launch NAME ARG...
launch () {
	name=$1
	shift
	run 0 launch -y -d -c "$name" --infra aws/us-east-1 --instance-type m5.large "$@" 'true'
}

# ---- Two nodes; stop, start, down

launch two --num-nodes 2
passes 3600
agree
run 0 cost --json two
json '[(g["cluster"], g["provider"], g["region"], g["instance_type"], g["market"], g["state"], g["machines"],
	g["spells"], g["seconds"], g["hours"]) for g in d["groups"]] == [
	("two", "aws", "us-east-1", "m5.large", "on-demand", "RUNNING", 2, 2, 7200, 2)]'
json '[(s["rank"], s["state"], s["ended_at"], s["seconds"]) for s in d["spells"]] == [
	(0, "RUNNING", None, 3600), (1, "RUNNING", None, 3600)]'
json 'all(abs(s["cost"] - sum(s[p] or 0 for p in ("price_per_hour", "disk_price_per_hour",
	"address_price_per_hour"))) < 2e-6 and s["price_per_hour"] > 0 and s["address_price_per_hour"] > 0 and s["price_source"] in ("seed", "live") and
	s["price_date"] and s["machine"].startswith("i-") for s in d["spells"])'
json 'd["groups"][0]["cost"] == sum(s["cost"] for s in d["spells"]) == d["totals"][0]["cost"]'
run 0 stop -y two
passes 5000
agree
run 0 cost two
says out STOPPED
run 0 start -y two
passes 600
agree
json 'len(d["spells"]) == 4 and {s["state"] for s in d["spells"]} == {"RUNNING", "STOPPED"}'
run 0 down -y two
passes 86400
agree
run 0 cost
grep -q '^two  *aws/us-east-1  *2 x m5.large  *on-demand  *2.33  *\$0\.[0-9]*  *ENDED$' out || fail 'the table'
says out 'total since '
says out ': 2.33 machine-hours, $'
echo "ok: two nodes that stop, start, and are gone"

# ---- A machine of which no answer told; it is found by its token, and given back

sim_post faults '{"faults": [{"action": "RunInstances", "do": "drop-after", "times": -1},
	{"action": "DescribeInstances", "skip": 1, "code": "UnauthorizedOperation", "times": -1}]}'
"$souk" launch -y -d -c blind --infra aws/us-east-1 --instance-type m5.large true >out 2>err </dev/null &&
	fail 'launched without an answer'
sim_is 'len(alive) == 1'
sim_post faults '[]'
passes 1800
run 0 status --refresh
run 0 status --refresh
sim_is 'alive == []'
passes 60
agree
json '[(s["rank"], s["state"], s["seconds"]) for s in d["spells"] if s["cluster"] == "blind"] == [
	(None, "ENDED", 1800)]'
echo "ok: a machine that was given back"

# ---- Spot machines that are taken away; by market, by place, in part of the time

launch gone --use-spot
passes 900
sim_post preempt '{"tag": "souk-cluster=gone"}'
run 0 status --refresh
run 0 status --refresh
passes 3600
agree
run 0 cost --all --by market --json
json '{g["market"]: g["machines"] for g in d["groups"]}.keys() == {"spot", "on-demand"}'
json '[g["seconds"] for g in d["groups"] if g["market"] == "spot"] == [900]'
json 'all(g["cluster"] is None and g["provider"] is None for g in d["groups"])'
run 0 cost --all --by spell
grep -q '^gone .* spot .* 0\.25 .* ENDED$' out || fail 'no spell of the spot machine'
run 0 cost --all --by region
grep -q '^aws/us-east-1 ' out || fail 'by region'
run 0 cost 'go*' --json
json '[g["cluster"] for g in d["groups"]] == ["gone"]'
# An hour ago it had been gone for a moment; the hour before that has a quarter of one.
run 0 cost gone --since 1h --json
json 'sum(s["seconds"] for s in d["spells"]) == 0'
run 0 cost gone --since 70m --until 1h --json
json 'sum(s["seconds"] for s in d["spells"]) == 600'
run 69 cost --json gone 'nosuch*'
says err "there was no cluster 'nosuch*'"
json '[g["cluster"] for g in d["groups"]] == ["gone"]'
echo "ok: spot, sums by what was asked, a part of the time"

# ---- What is not known when it is asked for twice

# A stop whose answer is lost, and of which nobody looks what came, has stopped then.
launch lost
passes 100
sim_post faults '{"faults": [{"action": "StopInstances", "do": "drop-after"},
	{"action": "StopInstances", "code": "UnauthorizedOperation", "times": -1}]}'
"$souk" stop -y lost >out 2>err </dev/null && fail 'stopped without an answer'
sim_post faults '[]'
passes 1000
run 0 stop -y lost
agree
run 0 down -y lost
agree
echo "ok: a stop whose answer was lost"
