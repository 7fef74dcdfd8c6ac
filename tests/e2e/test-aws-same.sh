#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-same.sh - the same steps against moto's EC2 and that of tests/cloudsim: the same results
#
# Left out is where moto is no EC2: it has no end of capacity, stops machines of one-time spot requests, and its
# machines do not reach each other.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_moto

regions=us-east-1,us-west-2
cat >task.yaml <<'EOT'
name: greet
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/us-west-2
  instance_type: m5.large
  use_spot: true
  labels: {team: blue}
  ports: [8080, 9000-9010]
setup: echo ready >~/ready
run: |
  echo "$(cat ~/ready) on $SOUK_NUM_NODES"
  exit 4
EOT

# plain: what differs from one run to the next, by names. Amounts grow as time goes by.
cat >plain.py <<'EOT'
import json, re, sys

DIFFER = {"launched_at", "created_at", "started_at", "ended_at", "stopped_at", "updated_at", "at", "cost",
          "cost_so_far", "submitted_at", "uptime", "uptime_seconds", "seconds", "age", "autostop_at",
          "checked_at", "refreshed_at"}

def plain(value, key=""):
    if isinstance(value, dict):
        return {k: plain(v, k) for k, v in sorted(value.items())}
    if isinstance(value, list):
        return [plain(v, key) for v in value]
    if key in DIFFER and value is not None:
        return "DIFFERS"
    if isinstance(value, str):
        value = re.sub(r"\bi-[0-9a-f]{8,17}\b", "i-ID", value)
        value = re.sub(r"\b\d+\.\d+\.\d+\.\d+\b", "ADDRESS", value)
        value = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME", value)
    return value

print(json.dumps(plain(json.load(sys.stdin)), indent=1))
EOT

# step ARG...: run souk, and note what comes of it: its exit status, and the job's output
step () {
	status=0
	"$souk" "$@" >out 2>err </dev/null || status=$?
	{
		printf '%s\n' "--- souk $*" "exit status $status"
		grep -oE '(ready on|kept it|one ready|rank 0).*' out || true
	} >>"$notes"
}

# look: what the store and the account have
look () {
	{
		status=0
		"$souk" status --json >out 2>err </dev/null || status=$?
		echo "status: exit status $status"
		"$python" plain.py <out
		"$python" "$src/tests/e2e/aws-state.py" "$src/tests/cloudsim" "$@"
	} >>"$notes"
}

# steps NAME: the same for both
steps () {
	SOUK_HOME=$tmp/home-$1
	notes=$tmp/notes-$1
	export SOUK_HOME
	: >"$notes"
	# spot, in the cheaper of two regions
	step launch -y -c t task.yaml
	look
	step exec t 'echo "one $(cat ~/ready)"'
	step launch -y -c t --no-use-spot true
	step launch -y -c t task.yaml
	step autostop t -i 60 --down
	step status --refresh
	look
	step down -y t
	step down -y t
	look
	# on demand: stop, start, what was kept
	step launch -y -c u --infra aws/us-west-2 --instance-type m5.large \
		'echo "rank $SOUK_NODE_RANK"; echo it >~/kept'
	look
	step stop -y u
	step exec u 'echo one'
	step status --refresh
	look
	step start -y u
	step exec u 'echo "kept $(cat ~/kept)"'
	look
	# refused: an image that is not there
	step launch -y -d -c v --infra aws/us-east-1 --instance-type m5.large \
		--image-id ami-0123456789abcdef0 true
	look
	# ended behind souk's back; then everything
	look end souk-cluster=u
	step status --refresh
	step status --refresh
	look
	# several machines: made and ended (moto's cannot reach each other, for a job)
	step launch -y -d -c w --num-nodes 2 --infra aws/us-east-1 --instance-type m5.large true
	look
	step down -y -a
	look
}

server_start 's/^.*Running on http:..127\.0\.0\.1:\([0-9]*\).*$/\1/p' \
	"$python" -u -m moto.server -H 127.0.0.1 -p 0
SOUK_AWS_PROXY_COMMAND="$python $src/tests/crash/moto-ssh.py --endpoint $AWS_ENDPOINT_URL"
SOUK_AWS_PROXY_COMMAND="$SOUK_AWS_PROXY_COMMAND --regions $regions --dir $tmp/machines %h"
export SOUK_AWS_PROXY_COMMAND
steps moto
unset SOUK_AWS_PROXY_COMMAND
sim_start '{}'
steps cloudsim

grep -q '^ready on 1' notes-moto || { cat notes-moto; fail 'the job did not run on moto'; }
[ "$(grep -c '^exit status 0' notes-moto)" -ge 12 ] || { cat notes-moto; fail 'little went well on moto'; }
[ "$(grep -c '^machine ' notes-moto)" -ge 7 ] || { cat notes-moto; fail 'few machines were seen on moto'; }
sed '1,/^--- souk down -y -a/d' notes-moto >at-the-end
grep -E '^(machine|group) ' at-the-end && fail 'something is left on moto'
diff -u notes-moto notes-cloudsim >difference || { cat difference; fail 'moto and cloudsim give different results'; }
echo "ok: $(grep -c '^---' notes-moto) steps, $(wc -l <notes-moto) lines of results: the same on moto and on cloudsim"
