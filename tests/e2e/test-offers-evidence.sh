#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-offers-evidence.sh - souk offers --evidence: what was to be had, and what is tried last
set -eu
# shellcheck source=tests/e2e/lib.sh
. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'

# Nothing is known, and nothing is made by looking.
run 0 offers --evidence
says err 'no attempt of the last week'
run 0 offers --evidence --json
json 'd == {"evidence": []}'
[ ! -e "$SOUK_HOME/state/souk.db" ] || fail 'looking made a store'
run 64 offers --evidence --csv
run 64 offers --evidence --cpus 4
says err 'with --evidence only'
echo 'ok: nothing'

need_local
"$python" -c 'import sqlite3' 2>/dev/null || skip 'this python has no sqlite3'

# What a launch leaves behind.
run 0 launch -y -c known true
run 0 offers --evidence --json
json 'len(d["evidence"]) == 1'
json 'd["evidence"][0] == {"provider": "local", "region": "local", "zone": None, "instance_type": "local", "gpu_name": d["evidence"][0]["gpu_name"],
	"gpu_count": d["evidence"][0]["gpu_count"], "spot": False, "outcome": "OK", "scope": "offer", "reason": None,
	"at": d["evidence"][0]["at"], "weight": 1, "cooldown_seconds": 0}'
run 0 down -y known
echo 'ok: after a launch'

# Failures of the last days, as launches on clouds would have left them.
"$python" - "$SOUK_HOME/state/souk.db" <<'END'
import sqlite3, sys, time
now = int(time.time())
CAPACITY, QUOTA, UNSUPPORTED, AUTH = -1, -2, -10, -3
rows = [  # region, zone, type, spot, code, scope, reason, age, accelerator, count
    ("r1", "r1-a", "gpu8", 0, CAPACITY, 0, "SoldOut", 300, "H100", 8000),
    ("r1", "r1-b", "gpu8", 1, CAPACITY, 0, "NoSpot", 1500, "H100", 8000),
    ("r2", None, "gpu1", 0, QUOTA, 2, "Limit", 60, "T4", 1000),
    ("r3", "r3-a", "gpu1", 0, UNSUPPORTED, 0, "NotThere", 80000, "T4", 1000),
    ("r4", "r4-a", "cpu", 0, AUTH, 3, "Denied", 10, None, 0),
    ("r5", "r5-a", "cpu", 0, CAPACITY, 1, "ZoneFull", 7300, None, 0),
]
store = sqlite3.connect(sys.argv[1])
with store:
    store.executemany(
        "INSERT INTO attempts (provider, region, zone, instance_type, spot, code, scope, reason, at,"
        " accelerator, accelerator_milli) VALUES ('cloud', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [row[:7] + (now - row[7],) + row[8:] for row in rows])
store.close()
END

of () { # ZONE-OR-REGION EXPRESSION: it is so of the attempt there, e
	json "[e for e in d['evidence'] if '$1' in (e['zone'], e['region']) and ($2)]"
}
run 0 offers --evidence --json
json 'len(d["evidence"]) == 7'
json '[e["at"] for e in d["evidence"]] == sorted((e["at"] for e in d["evidence"]), reverse=True)'
of r1-a 'e["outcome"] == "CAPACITY" and e["reason"] == "SoldOut" and e["gpu_name"] == "H100" and e["gpu_count"] == 8'
# As long as the test took is gone from each.
of r1-a 'e["weight"] == 1 and 0 <= e["cooldown_seconds"] <= 300'
of r1-b 'e["spot"] and e["weight"] == 1 and 1200 < e["cooldown_seconds"] <= 2100'
of r2 'e["outcome"] == "QUOTA" and e["scope"] == "region" and e["zone"] is None and e["cooldown_seconds"] <= 540'
of r3-a 'e["outcome"] == "UNSUPPORTED" and e["weight"] == 0 and 0 < e["cooldown_seconds"] <= 2800'
of r4-a 'e["outcome"] == "AUTH" and e["scope"] == "provider" and e["cooldown_seconds"] == 0'
of r5-a 'e["scope"] == "zone" and e["weight"] == 0.25 and e["cooldown_seconds"] == 0'

run 0 offers --evidence
says out OUTCOME
says out r1/r1-a
says out 'gpu8 (spot)'
says out SoldOut
run 0 offers --evidence H100 --json
json '{e["instance_type"] for e in d["evidence"]} == {"gpu8"} and len(d["evidence"]) == 2'
run 0 offers --evidence nvidia-h100-80gb:8 --spot --json
json '[e["zone"] for e in d["evidence"]] == ["r1-b"]'
run 0 offers --evidence T4:2 --json
json 'd["evidence"] == []'
run 0 offers --evidence 80GB --json
json 'len(d["evidence"]) == 2'
run 0 offers --evidence --infra 'cloud/r[5]' --json
json 'd["evidence"] == []'
run 0 offers --evidence --infra cloud/r1/r1-a --json
json '[e["zone"] for e in d["evidence"]] == ["r1-a"]'
run 0 offers --evidence --region 'r*' --instance-type 'GPU1' --json
json '[e["region"] for e in d["evidence"]] == ["r2", "r3"]'
run 0 offers --evidence --limit 2 --json
json 'len(d["evidence"]) == 2'
echo 'ok: failures'
