#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-offers.sh - prices of a simulated EC2, against what a server and a network do to them
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
"$souk" --version >out 2>err || fail "'$souk' does not run: make it, or set SOUK"
command -v "$python" >/dev/null || skip 'no python3 on this machine'
"$souk" provider list 2>/dev/null | grep -q '^aws ' || skip 'built without the aws provider'

market=$src/tests/e2e/aws-offers.py

# offers: all of them, each zone, as souk knows them
offers () {
	run 0 offers --infra aws --cpus 1+ --all-regions --zones --json
}

# complete [REGION...]: what souk knows is what the server sells, without those regions
complete () {
	offers
	"$python" "$market" compare scenario.json out "$@" >compared ||
		{ cat compared; fail "the offers are not those of the server"; }
}

# same_as_before: a failed update has changed nothing
same_as_before () {
	offers
	cmp -s out before || fail 'the old catalogue was not kept'
}

faults () { # JSON: these, and no others
	sim_post faults "{\"replace\": true, \"faults\": [$1]}"
}

# asked ACTION: how many such requests since the last 'sim_post forget'
asked () {
	sim "len([c for c in calls if c[0] == '$1'])"
}

fresh () { # nothing is kept, nothing was asked
	rm -rf "$SOUK_HOME/cache/http"
	sim_post forget '{}'
	faults ''
}

"$python" "$market" scenario >scenario.json
server_start 's/^listening //p' "$python" "$src/tests/cloudsim/ec2.py" --scenario "$PWD/scenario.json"

# ---- All of it, page by page

run 0 catalog update aws
says err 'of 4 regions'
complete
all=$(asked GetProducts)
[ "$all" -ge 16 ] || fail "only $all pages of prices were asked for: they do not show paging"
sim_is 'all(r["about"] != "eu-south-1" for r in d["requests"])'
for folder in "$SOUK_HOME/cache/http"
do
	[ "$(find "$folder" -type f -perm 600 | wc -l)" -eq "$all" ] || fail 'not every page was kept'
done
echo "ok: complete, no offer twice, $all pages of prices"

sim_post forget '{}'
run 0 catalog update aws --json
lacks err 'of 4 regions'
complete
[ "$(asked GetProducts)" -eq 0 ] || fail 'prices were asked for again at once'
[ "$(asked DescribeSpotPriceHistory)" -gt 0 ] || fail 'spot prices were not asked for again'
echo "ok: what was asked a moment ago is not asked again, but spot prices are"

# On a terminal it is one line, which is there after a second.
fresh
faults '{"action": "DescribeAvailabilityZones", "region": "us-west-2", "do": "delay", "ms": 2500}'
cat >terminal.py <<'PY'
import os, pty, sys
said = []

def read(fd):
    data = os.read(fd, 4096)
    said.append(data)
    return data

status = os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read))
open("terminal", "wb").write(b"".join(said))
sys.exit(status)
PY
TERM=xterm "$python" terminal.py "$souk" catalog update aws >/dev/null 2>err </dev/null ||
	fail "souk catalog update on a terminal: exit status $?"
tr '\r' '\n' <terminal | grep -q 'aws: [0-9] of 4 regions \.\.\. ' || {
	cat terminal
	fail 'a terminal does not show how far it is'
}
echo "ok: a terminal shows how far the update is"

# ---- Throttled, cut off, in other words, and slow

fresh
faults '{"action": "DescribeInstanceTypes", "region": "eu-west-1", "code": "RequestLimitExceeded", "skip": 1},
	{"action": "GetProducts", "region": "us-west-2", "code": "ThrottlingException", "skip": 1},
	{"action": "DescribeSpotPriceHistory", "region": "us-east-1", "do": "truncate", "skip": 1},
	{"action": "DescribeAvailabilityZones", "region": "us-west-2", "do": "drop-before"},
	{"action": "*", "region": "ap-south-1", "do": "delay", "ms": 300, "times": -1}'
run 0 catalog update aws
complete
sim_is 'len([r for r in d["requests"] if r.get("fault") == "delay"]) > 10'
sim_is '[r["fault"] for r in d["requests"] if r.get("fault") not in (None, "delay")].count("error") == 2'
echo "ok: throttling, lost replies and a slow region cost no offer"

fresh
faults '{"action": "GetProducts", "region": "us-west-2", "do": "garbage", "skip": 2},
	{"action": "DescribeInstanceTypeOfferings", "region": "eu-west-1", "do": "garbage", "skip": 1}'
run 0 catalog update aws
complete
[ "$(asked GetProducts)" -eq $((all + 1)) ] || fail 'not one page was asked for again'
echo "ok: a page that cannot be read is asked for again"

# ---- A region that fails: nothing has happened

offers
cp out before
fresh
faults '{"action": "GetProducts", "region": "us-west-2", "do": "garbage", "skip": 1, "times": -1}'
run 70 catalog update aws
says err "'us-west-2'"
same_as_before
faults ''
sim_post forget '{}'
run 0 catalog update aws
complete
[ "$(asked GetProducts)" -ge 2 ] || fail 'pages that made no sense were given again'
echo "ok: pages without sense fail the update, and are not kept"

fresh
faults '{"action": "DescribeSpotPriceHistory", "region": "eu-west-1", "do": "unavailable",
	"retry_after": 3600, "times": -1}'
run 75 catalog update aws
says err "'eu-west-1'"
same_as_before
faults '{"action": "DescribeInstanceTypes", "region": "eu-west-1", "code": "ExpiredToken", "times": -1}'
run 77 catalog update aws
same_as_before
echo "ok: a region that fails leaves the old catalogue in place"

fresh
faults '{"action": "DescribeInstanceTypes", "region": "eu-west-1", "code": "UnauthorizedOperation", "times": -1}'
run 0 catalog update aws
says err "left out 'eu-west-1', which this account may not use"
complete eu-west-1
faults ''
run 0 catalog update aws
complete
echo "ok: a region that is closed to the account is left out, with a word"

# ---- Killed half way

killed_half_way () {
	fresh
	faults '{"action": "GetProducts", "region": "us-west-2", "do": "hang", "skip": 2, "times": -1},
		{"action": "GetProducts", "region": "eu-west-1", "do": "hang", "skip": 3, "times": -1}'
	"$souk" catalog update aws >killed 2>&1 </dev/null &
	started=$!
	await 'the update hangs' hangs_twice
	kill -9 "$started"
	wait "$started" 2>/dev/null || true
	started=
	same_as_before
	done_before=$(sim 'len([r for r in d["requests"] if r["action"] == "GetProducts" and not r.get("fault")])')
	faults ''
	sim_post forget '{}'
}

hangs_twice () {
	[ "$(sim 'len([r for r in d["requests"] if r.get("fault") == "hang"])')" -eq 2 ] &&
		[ "$(sim 'len({r["about"] for r in d["requests"] if r["action"] == "DescribeSpotPriceHistory"})')" -eq 2 ]
}

offers
cp out before
killed_half_way
run 0 catalog update aws
complete
[ "$(asked GetProducts)" -eq $((all - done_before)) ] ||
	fail "after $done_before of $all pages $(asked GetProducts) more were asked for"
echo "ok: killed after $done_before of $all pages, and gone on with the rest"

offers
cp out before
killed_half_way
sim_post expire-price-tokens '{}'
# a moment later, as it would be: what is younger than a second is not doubted
find "$SOUK_HOME/cache/http" -type f -exec touch -d '10 seconds ago' {} +
run 0 catalog update aws
complete
echo "ok: kept pages whose continuation has expired are asked for anew"

# ---- Other money

"$python" "$market" scenario 'regions={"cn-north-1": {"zones": ["cn-north-1a", "cn-north-1b"], "price_factor": 7.2}}' >scenario.json
sim_post scenario "$(cat scenario.json)"
rm -rf "$SOUK_HOME/cache/http"
AWS_REGION=cn-north-1
export AWS_REGION
run 0 catalog update aws
complete
echo "ok: prices in China are in CNY"
