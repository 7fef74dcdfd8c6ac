#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-doctor.sh - what was left in a simulated account, and what is wrong on this computer
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws
need rsync

home=$SOUK_HOME
sim_start '{}'

# launch NAME [ARG...]: a cluster of one machine
launch () {
	name=$1
	shift
	run 0 launch -y -d -c "$name" --infra aws/us-east-1 --instance-type m5.large "$@" true
}

# ask ACTION [NAME=VALUE...]: a request of nobody in particular; prints what the expression says
ask () {
	"$python" - "$src/tests/cloudsim" "$AWS_ENDPOINT_URL" "$@" <<'END'
import sys, urllib.error, urllib.parse, urllib.request
sys.path.insert(0, sys.argv[1])
import awswire
url, params = sys.argv[2] + "/", dict(p.split("=", 1) for p in sys.argv[4:])
body = urllib.parse.urlencode(dict(params, Action=sys.argv[3], Version="2016-11-15")).encode()
headers = awswire.sign("POST", url, {"Content-Type": "application/x-www-form-urlencoded"}, body,
                       "testing", "testing", "us-east-1", "ec2")
try:
    print(urllib.request.urlopen(urllib.request.Request(url, body, headers)).read().decode())
except urllib.error.HTTPError as error:
    sys.exit(f"{sys.argv[3]}: {error.read().decode()}")
END
}

# tagged TYPE KEY=VALUE...: a machine with these tags
tagged () {
	type=$1
	shift
	image=$(ask DescribeImages Filter.1.Name=architecture Filter.1.Value.1=x86_64 |
		grep -o 'ami-[0-9a-f]*' | head -n 1)
	n=0
	set -- "$@" --
	while [ "$1" != -- ]
	do
		n=$((n + 1))
		set -- "$@" "TagSpecification.1.Tag.$n.Key=${1%%=*}" "TagSpecification.1.Tag.$n.Value=${1#*=}"
		shift
	done
	shift
	ask RunInstances "ImageId=$image" "InstanceType=$type" MinCount=1 MaxCount=1 \
		TagSpecification.1.ResourceType=instance "$@" >reply
}

# ---- Nothing was found

run 0 doctor aws
says err 'nothing was found'
run 0 doctor aws --json
json 'd["findings"] == [] and {c["standing"] for c in d["checks"]} <= {"ok", "note"}'
launch mine
run 0 doctor aws
says err '1 machine is known to the store'
run 0 doctor aws --json
json '[(f["kind"], f["standing"], f["cluster"], f["counts"]) for f in d["findings"]] == [("machine", "known", "mine", False)]'
json 'd["findings"][0]["price_per_hour"] == 0.096 and d["findings"][0]["status"] == "RUNNING"'
run 0 doctor aws --tear-down
sim_is 'len(alive) == 1'
echo "ok: what the store knows is nobody's orphan, and is left alone"

# ---- A machine that another store has launched and forgotten: an orphan, with its security group

SOUK_HOME=$tmp/lost
launch lost
rm -rf "$SOUK_HOME"
SOUK_HOME=$home
run 1 doctor aws
says out orphan
says err '1 found, $0.096/h'
says err "souk doctor --tear-down"
run 1 doctor aws --json
json '[f["standing"] for f in d["findings"]].count("orphan") == 1'
json '[(f["cluster"], f["what"], f["price_per_hour"], f["tool"]) for f in d["findings"] if f["counts"]] == [("lost", "m5.large", 0.096, "souk")]'
run 0 doctor aws --region us-west-2 --json
json 'd["findings"] == []'
run 64 doctor aws --tear-down
says err 'no terminal to ask on'
sim_is 'len(alive) == 2'
run 0 doctor aws --tear-down -y --json
json '[f["result"] for f in d["findings"] if f["standing"] == "orphan"] == ["torn down"]'
sim_is '[i["tags"]["souk-cluster"] for i in alive] == ["mine"]'
sim_is '[g["name"] for g in d["groups"] if "lost" in g["name"]] == []'
run 0 doctor aws
echo "ok: an orphan is found, priced, and torn down with its security group"

# ---- An end that is interrupted goes on with the next refresh

SOUK_HOME=$tmp/lost
launch lost
rm -rf "$SOUK_HOME"
SOUK_HOME=$home
sim_post faults '{"faults": [{"action": "TerminateInstances", "code": "UnauthorizedOperation", "status": 403, "times": 1}]}'
run 77 doctor aws --tear-down -y
sim_is 'len(alive) == 2'
run 1 doctor aws --json
json '[f["standing"] for f in d["findings"] if f["cluster"] == "lost"] == ["settling"]'
json '[c["standing"] for c in d["checks"] if c["check"] == "request"] == ["problem"]'
settled () {
	run 0 status --refresh
	"$souk" doctor aws >out 2>err </dev/null
}
await 'the end goes on' settled
sim_is '[i["tags"]["souk-cluster"] for i in alive] == ["mine"]'
echo "ok: an end that failed is not forgotten"

# ---- What belongs to others

SOUK_HOME=$tmp/theirs
mkdir -p "$SOUK_HOME/config"
echo 'owner: somebody' >"$SOUK_HOME/config/config.yaml"
launch theirs
SOUK_HOME=$home
run 0 doctor aws
says out other
run 0 doctor aws --tear-down -y
sim_is 'len(alive) == 2'
run 1 doctor aws --others --json
json '[(f["standing"], f["owner"]) for f in d["findings"] if f["counts"]] == [("other", "somebody")]'
run 0 doctor aws --others --tear-down -y
sim_is '[i["tags"]["souk-cluster"] for i in alive] == ["mine"]'
sim_is '[g["name"] for g in d["groups"] if "theirs" in g["name"]] == []'
rm -rf "$tmp/theirs"
echo "ok: what belongs to others needs --others"

# ---- What other tools left

tagged m5.large skypilot-cluster-name=sky-1 skypilot-user=ann ray-cluster-name=sky-1 ray-node-type=head
tagged m6i.large ray-cluster-name=ray-1 ray-node-type=worker
tagged m5.large owner=dstack dstack_project=main dstack_name=run-1 dstack_user=bob
tagged m5.large Name=a-pet
run 1 doctor aws --json
json 'sorted((f["tool"], f["cluster"], f["owner"]) for f in d["findings"] if f["standing"] == "foreign") == [("Ray", "ray-1", None), ("SkyPilot", "sky-1", "ann"), ("dstack", "run-1", "bob")]'
json 'all(f["counts"] and f["price_per_hour"] > 0 for f in d["findings"] if f["standing"] == "foreign")'
run 1 doctor aws --tear-down -y
sim_is 'len(alive) == 5'
run 0 doctor aws --others --tear-down -y
sim_is 'sorted(i["tags"].get("Name") for i in alive) == ["a-pet", "mine"]'
echo "ok: SkyPilot's, Ray's and dstack's are found by their tags; other machines are none of our business"

# ---- What is left besides machines

ask CreateSecurityGroup GroupName=left GroupDescription=left TagSpecification.1.ResourceType=security-group \
	TagSpecification.1.Tag.1.Key=souk-cluster TagSpecification.1.Tag.1.Value=gone \
	TagSpecification.1.Tag.2.Key=souk-token TagSpecification.1.Tag.2.Value=abc \
	TagSpecification.1.Tag.3.Key=souk-owner \
	"TagSpecification.1.Tag.3.Value=$(sim '[i["tags"]["souk-owner"] for i in alive if "souk-owner" in i["tags"]][0]')" >reply
run 1 doctor aws --json
json '[(f["what"], f["cluster"]) for f in d["findings"] if f["kind"] == "leftover"] == [("security group", "gone")]'
run 0 doctor aws --tear-down -y
sim_is '[g for g in d["groups"] if g["name"] == "left"] == []'
run 0 doctor aws
echo "ok: a security group that no machine uses"

# ---- A node that is gone

sim_post shutdown '{"tag": "souk-cluster=mine"}'
run 0 doctor aws --json
json '[f["standing"] for f in d["findings"]] == ["settling"] or [f["standing"] for f in d["findings"]] == ["known"]'
"$python" -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE clusters SET launched_at = launched_at - 3600")
db.commit()' "$SOUK_HOME/state/souk.db"
missing () {
	status=0
	"$souk" doctor aws >out 2>err </dev/null || status=$?
	[ "$status" -eq 1 ] && grep -q '^missing ' out
}
await 'the node is missing' missing
gone () {
	run 0 status --refresh --json
	! grep -q '"name": "mine"' out
}
await 'the store knows that it is gone' gone
run 0 doctor aws
echo "ok: a node that the cloud does not have"

# ---- The clock, an account that does not answer

sim_post clock '{"seconds": 7200}'
run 1 doctor aws
says out 'the clock of this computer is 2h'
says out 'behind that of aws'
sim_post clock '{"seconds": 0}'
run 0 doctor aws
sim_post faults '{"faults": [{"action": "DescribeInstances", "code": "UnauthorizedOperation", "status": 403, "times": -1}]}'
run 1 doctor aws
says out 'cannot look into the account'
sim_post faults '{"faults": [], "replace": true}'
echo "ok: a clock that is wrong, an account that cannot be looked into"

# ---- This computer

chmod 755 "$SOUK_HOME/state"
run 1 doctor aws
says out "others may read '$SOUK_HOME/state'"
says err 'chmod go-rwx'
chmod 700 "$SOUK_HOME/state"
run 0 doctor aws

mkdir -p "$SOUK_HOME/state/locks"
"$python" -c 'import fcntl, os, signal, sys
file = open(sys.argv[1], "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
signal.pause()' "$SOUK_HOME/state/locks/held" >holder &
started=$!
await 'the lock is held' grep -q held holder
run 0 doctor aws
says out "the process $started is working on 'held'"
kill -STOP "$started"
stopped () {
	status=0
	"$souk" doctor aws >out 2>err </dev/null || status=$?
	[ "$status" -eq 1 ]
}
await 'the holder has stopped' stopped
says out "the process $started, which is stopped, holds the lock of 'held'"
kill -KILL "$started"
wait "$started" 2>/dev/null || true
started=
run 0 doctor aws

mkdir bin
for program in rsync rclone
do
	found=$(command -v "$program") && ln -s "$found" "bin/$program"
done
keep=$PATH
PATH=$tmp/bin
status=0
"$souk" doctor aws >out 2>err </dev/null || status=$?
PATH=$keep
[ "$status" -eq 1 ] || fail "doctor without ssh: exit status $status, not 1"
says out 'there is no ssh in PATH'

# A catalogue that is damaged inside counts once: it is set aside then, as every command does.
run 0 catalog info aws --json
seed=$("$python" -c 'import json; print(json.load(open("out"))["catalogs"][0]["path"])')
mkdir -p "$SOUK_HOME/cache/catalog"
"$python" -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[len(data) * 2 // 3] ^= 0xff
open(sys.argv[2], "wb").write(data)' "$seed" "$SOUK_HOME/cache/catalog/aws.catalog"
run 1 doctor aws --json
json 'any((c["standing"], c["provider"]) == ("problem", "aws") for c in d["checks"] if c["check"] == "catalog")'
run 0 doctor aws
says out 'was set aside'
rm -f "$SOUK_HOME/cache/catalog/aws.catalog.damaged"
run 0 doctor aws
lacks out 'was set aside'
echo "ok: permissions, locks, programs, catalogues"

# ---- A store that is damaged: nothing is torn down by what it does not say

SOUK_HOME=$tmp/lost
launch lost
SOUK_HOME=$home
"$python" -c 'import sys
with open(sys.argv[1], "r+b") as file:
    size = file.seek(0, 2)
    for at in range(4096, size, 4096):
        file.seek(at)
        file.write(b"\xff" * 64)' "$SOUK_HOME/state/souk.db"
rm -f "$SOUK_HOME/state/souk.db-wal" "$SOUK_HOME/state/souk.db-shm"
run 1 doctor aws --tear-down -y --json
json '[c["standing"] for c in d["checks"] if c["check"] == "store"] == ["problem"]'
json '[f["standing"] for f in d["findings"]] == ["unclear"]'
sim_is 'len([i for i in alive if i["tags"].get("souk-cluster") == "lost"]) == 1'
echo "ok: with a damaged store nothing is torn down"

run 78 doctor nowhere
says err nowhere
