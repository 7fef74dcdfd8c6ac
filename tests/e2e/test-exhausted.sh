#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-exhausted.sh - the cheapest regions of five clouds are sold out: a launch tries what the plan says
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
need_clouds aws gcp azure runpod lambda

# attempts: what the store's ledger has of them, in their order
attempts () {
	"$python" -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for row in db.execute("SELECT provider, region, zone, instance_type, code, scope FROM attempts ORDER BY rowid"):
    print(*("-" if x is None else x for x in row))' "$SOUK_HOME/state/souk.db"
}

# predict: what the plan in 'plan.json' says of them, as far as the scopes of 'attempts' rule places out: a
# candidate is passed over if it lies within the scope of an earlier failure, and nothing else is
predict () {
	"$python" -c 'import json, sys
plan = json.load(open("plan.json"))["candidates"]
rows = [line.split() for line in open("attempts")]
failed = [r for r in rows if r[4] != "0"]
def covers(r, c):
    scope = int(r[5])
    zone = c["zone"] or "-"
    return (r[0] == c["provider"] and (scope == 3 or r[1] == c["region"] and
            (scope == 2 or r[2] == zone and (scope == 1 or r[3] == c["instance_type"]))))
left = list(failed)
seen = []
for c in plan:
    if any(covers(r, c) for r in seen):
        continue
    print(c["provider"], c["region"], c["zone"] or "-", c["instance_type"])
    if not left:
        break
    seen.append(left.pop(0))' >predicted
}

# as_predicted: the attempts are those of the plan, one after the other, and the last one worked
as_predicted () {
	attempts >attempts
	predict
	cut -d' ' -f1-4 attempts >tried
	cmp -s tried predicted || fail "tried and predicted: $(diff tried predicted)"
	[ "$(awk '$5 == 0' attempts | wc -l)" -eq 1 ] || fail "not one success in: $(cat attempts)"
	[ "$(tail -n 1 attempts | cut -d' ' -f5)" = 0 ] || fail "the last did not work: $(cat attempts)"
}

cat >task.yaml <<'EOT'
resources:
  any_of:
    - infra: aws/us-east-1
      instance_type: g5.xlarge
    - infra: lambda/us-east-1
      instance_type: gpu_1x_a10
    - infra: runpod/*/US-CA-2
      instance_type: 1x_H100_SECURE
    - infra: azure/eastus2
      instance_type: Standard_NV36ads_A10_v5
    - infra: gcp/us-west1
      instance_type: a2-highgpu-1g
run: echo ran
EOT
clouds_start '{}'
run 0 catalog update aws gcp azure runpod lambda

# plan: what a dry run says now, all of it
plan () {
	run 0 launch --dryrun --all --json task.yaml
	cp out plan.json
}

# exhaust JSON: these are sold out, and nothing is remembered of before but the catalogues
exhaust () {
	clouds_post scenario '{"aws": {}, "gcp": {}, "azure": {}, "runpod": {}, "lambda": {}}'
	clouds_post scenario "$1"
	rm -rf "$SOUK_HOME/state"
	plan
}

# ---- One after the other

exhaust '{"aws": {"capacity": [{"region": "us-east-1", "count": 0}]},
	"lambda": {"capacity": [{"region": "us-east-1", "count": 0}]},
	"runpod": {"capacity": [{"region": "US-CA-2", "count": 0}]},
	"azure": {"capacity": [{"region": "eastus2", "count": 0}]}}'
run 0 launch -y -c t --json task.yaml
as_predicted
json '(d["placement"]["provider"], d["placement"]["region"]) == ("gcp", "us-west1")'
clouds_are '[(i["cloud"], i["region"]) for i in alive] == [("gcp", "us-west1")]'
clouds_are 'len(machines) == 1 or {i["cloud"] for i in machines} <= {"gcp", "azure"}'
[ "$(cut -d' ' -f1-2 attempts | sort -u | wc -l)" -eq 5 ] || fail "not five places: $(cat attempts)"
[ "$(grep -c '; trying the next ' err)" -eq "$(awk '$5 != 0' attempts | wc -l)" ] ||
	fail 'not one line for each failure'
run 0 down -y t
everything_gone
echo "ok: the four cheapest regions are sold out: the attempts and the winner are the plan's"

exhaust '{"aws": {"capacity": [{"region": "us-east-1", "count": 0}]},
	"runpod": {"capacity": [{"region": "US-CA-2", "count": 0}]}}'
run 0 launch -y -c t --json task.yaml
as_predicted
json 'd["placement"]["provider"] == "lambda"'
run 0 down -y t
everything_gone
echo "ok: two are sold out: the first that is not"

# ---- All at once: the place that answers first, not the first of the plan

slow='{"action": "create", "do": "delay", "ms": 6000, "times": -1}'
exhaust '{}'
clouds_post faults "{\"aws\": {\"faults\": [$slow]}, \"lambda\": {\"faults\": [$slow]}}"
run 0 launch -y -c t --race 4 --json task.yaml
clouds_are '[i["cloud"] for i in alive] == ["runpod"]'
json 'd["placement"]["provider"] == "runpod"'
json 'len(d["race"]) == 4 and all(r["gone"] for r in d["race"] if r["outcome"] != "won")'
json '{r["provider"] for r in d["race"]} == {"aws", "lambda", "runpod"}'
run 0 down -y t
everything_gone
echo "ok: a race of four is won by the fastest of them, the losers are gone"

# ---- Nobody has one

exhaust '{"aws": {"capacity": [{"count": 0}]}, "gcp": {"capacity": [{"count": 0}]},
	"runpod": {"capacity": [{"count": 0}]}, "azure": {"quotas": [{"region": "*", "vcpus": 0}]}}'
clouds_post faults '{"lambda": {"faults": [{"action": "create", "code": "global/invalid-api-key", "status": 401, "times": -1}]}}'
run 69 launch -y -c t --json task.yaml
json '{t["provider"] for t in d["failure"]["tried"]} == {"aws", "gcp", "azure", "runpod", "lambda"}'
json '{t["provider"]: t["code"] for t in d["failure"]["tried"]} == {"aws": "CAPACITY", "gcp": "CAPACITY", "runpod": "CAPACITY", "azure": "QUOTA", "lambda": "AUTH"}'
json '{"retry", "quota", "credentials"} <= {a["kind"] for a in d["failure"]["advice"]}'
json '(lambda p: p == sorted(p))([a["price_per_hour"] for a in d["failure"]["advice"] if a["price_per_hour"] is not None])'
for cloud in aws gcp azure runpod lambda
do
	says_once err "^$cloud +[^ ]+ .* (CAPACITY|QUOTA|AUTH) "
done
everything_gone
echo "ok: five clouds, and none has one: what was tried, why each failed, what to do next"

# ---- Two nodes, and room for one

# is_settled: what is still on its way out is looked at again, until nothing is open
is_settled () {
	"$souk" status --refresh --json >out 2>err </dev/null || fail 'status --refresh'
	"$python" -c 'import json; raise SystemExit(json.load(open("out"))["clusters"] != [])'
}

for cloud in aws gcp azure lambda
do
	case $cloud in
	aws) infra=aws/us-east-1 type=m5.large ;;
	gcp) infra=gcp/us-west1/us-west1-c type=a2-highgpu-1g ;;
	azure) infra=azure/eastus2 type=Standard_D2s_v5 ;;
	lambda) infra=lambda/us-east-1 type=gpu_1x_a10 ;;
	esac
	clouds_post scenario "{\"$cloud\": {\"capacity\": [{\"count\": 1}]}}"
	rm -rf "$SOUK_HOME/state"
	run 69 launch -y -d -c t --num-nodes 2 --infra $infra --instance-type $type --json true
	json 'd["placement"] is None and {t["provider"] for t in d["failure"]["tried"]} == {"'$cloud'"}'
	await 'everything is settled' is_settled
	everything_gone
	[ -n "${SOUK_TEST_LONG:-}" ] || continue
	clouds_post scenario "{\"$cloud\": {}}"
	rm -rf "$SOUK_HOME/state"
	run 0 launch -y -d -c t --num-nodes 2 --infra $infra --instance-type $type true
	clouds_are 'len(alive) == 2 and len({(i["region"], i["zone"]) for i in alive}) == 1'
	run 0 down -y t
	everything_gone
done
echo "ok: two nodes where there is room for one: none is kept"
