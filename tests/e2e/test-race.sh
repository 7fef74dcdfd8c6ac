#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-race.sh - a launch in several places at once: the first that answers is kept, the rest is gone
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

# fresh SCENARIO: a server with that scenario alone, and what went before forgotten
fresh () {
	sim_post scenario "$1"
	rm -rf "$SOUK_HOME"
}

# Three regions; the plan begins with us-east-1 and us-west-2, which cost the same.
cat >task.yaml <<'EOT'
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/eu-west-1
    - infra: aws/us-west-2
  instance_type: m5.large
run: echo ran
EOT
three='"regions": {"us-east-1": ["us-east-1a", "us-east-1b"], "eu-west-1": ["eu-west-1a"],
	"us-west-2": ["us-west-2a"]}'
# slow REGION...: there a machine is not told of as running for longer than the others take
slow () {
	for region
	do
		printf '%s{"action": "RunInstances", "region": "%s", "do": "delay", "ms": 4000, "times": -1}' \
			"${separator-}" "$region"
		separator=', '
	done
	separator=
}
sim_start "{$three}"

# ---- The fastest place

fresh "{$three, \"faults\": [$(slow us-east-1 eu-west-1)]}"
run 0 launch -y -c t --race 3 --json task.yaml
cp err err.race
sim_is 'len(machines) == 3'
sim_is '[i["region"] for i in alive] == ["us-west-2"]'
json 'd["placement"]["region"] == "us-west-2" and d["status"] == "SUCCEEDED"'
json 'sorted((r["region"], r["outcome"]) for r in d["race"]) == [("eu-west-1", "lost"), ("us-east-1", "lost"), ("us-west-2", "won")]'
json 'all(r["gone"] for r in d["race"] if r["outcome"] == "lost")'
json 'all(r["cost"] is (None if r["outcome"] == "won" else r["cost"]) for r in d["race"])'
[ "$(grep -c '^t: racing: aws ' err)" -eq 3 ] || fail 'not one line for each that begins'
says_once err '^t: first: aws us-west-2a m5.large, .*; ending the other 2$'
[ "$(grep -cE '^t: aws (us-east-1[ab]|eu-west-1a) m5.large, .*/h: gone; it ran [0-9]+ s, about \$' err)" -eq 2 ] ||
	fail 'not one line for each that is gone'
run 0 status --json
json '[(c["name"], c["region"], c["zone"]) for c in d["clusters"]] == [("t", "us-west-2", "us-west-2a")]'
run 0 exec t -- echo again
prints again
run 0 down -y t
everything_gone
echo "ok: the fastest of three places is kept, the others are gone when the launch returns"

# ---- Another takes the place of one that fails

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"us-east-1*\", \"count\": 0}],
	\"faults\": [$(slow us-west-2)]}"
run 0 launch -y -d -c t --race 2 --json task.yaml
says_once err "us-east-1a'.*InsufficientInstanceCapacity.*; trying the next zone: aws us-east-1b m5.large"
says_once err '; trying the next region: aws eu-west-1a m5.large'
says_once err '^t: first: aws eu-west-1a m5.large, .*; ending the other one$'
json '"us-east-1" in {r["region"] for r in d["race"] if r["outcome"] == "failed" and r["code"] == "CAPACITY"}'
sim_is '[i["region"] for i in alive] == ["eu-west-1"]'
run 0 down -y t
everything_gone
echo "ok: the place of one that fails is taken by the next"

# ---- All nodes of a racer in one zone

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"us-west-2a\", \"count\": 1},
	{\"type\": \"m5.large\", \"zone\": \"us-east-1a\", \"count\": 1}]}"
run 0 launch -y -d -c t --race 4 --num-nodes 2 task.yaml
sim_is 'len(alive) == 2 and len({i["zone"] for i in alive}) == 1'
sim_is 'all(i["zone"] in ("us-east-1b", "eu-west-1a") for i in machines)'
run 0 down -y t
everything_gone
echo "ok: each racer has all of its nodes in one zone, or none"

# ---- None is to be had

fresh "{$three, \"capacity\": [{\"type\": \"m5.large\", \"zone\": \"*\", \"count\": 0}]}"
run 69 launch -y -d -c t --race 3 --json task.yaml
sim_is 'machines == []'
json '"race" not in d'
json '(d["failure"]["message"].startswith("none of %d candidates could be had" %
	sum(t["tried"] for t in d["failure"]["tried"])))'
says err '; 2 others are under way'
says_once err '; that was the last candidate$'
everything_gone
echo "ok: no place has one: the summary is that of a launch without a race"

# ---- The settings

mkdir -p "$SOUK_HOME/config"
printf 'race: 2\n' >"$SOUK_HOME/config/config.yaml"
sim_post scenario "{$three}"
run 0 launch -y -d -c t task.yaml
[ "$(grep -c '^t: racing: aws ' err)" -eq 2 ] || fail 'the configuration has no race'
run 0 down -y t
run 0 launch -y -d -c t --race 1 task.yaml
lacks err 'racing: '
run 0 down -y t
everything_gone
printf 'race: 17\n' >"$SOUK_HOME/config/config.yaml"
run 78 status
says err 'race: must be a number from 1 to 16'
rm "$SOUK_HOME/config/config.yaml"
run 64 launch -y --race 17 task.yaml
says err '--race: at most 16 places at once'
echo "ok: the width of a race in the configuration, and by --race"

# ---- Ctrl-C

# The request arrives, and its reply is on its way for as long as it takes to press the key.
fresh "{$three, \"faults\": [$(slow us-east-1 us-west-2 eu-west-1)]}"
"$souk" launch -y -d -c t --race 3 task.yaml >out 2>err </dev/null &
launch=$!
started=$launch
await 'all three have begun' sh -c "[ \$(grep -c '^t: racing: ' err) -eq 3 ]"
requested () {
	[ "$(sim 'len([c for c in calls if c[0] == "RunInstances"])')" -gt 0 ]
}
await 'a request has arrived' requested
kill -INT "$launch"
status=0
wait "$launch" || status=$?
started=
[ "$status" -eq 130 ] || fail "an interrupted launch: exit status $status"
run 0 status --refresh
run 0 status --refresh
everything_gone
echo "ok: interrupted, all are ended"
