#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-sim.sh - the life of a cluster on a simulated EC2 whose machines are real
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

SOUK_WATCHDOG_INTERVAL=1
export SOUK_WATCHDOG_INTERVAL
sim_start '{}'

# ---- One job, with files, to its own exit status

mkdir work
echo 'from the workdir' >work/text
cat >task.yaml <<EOF
name: whole
resources:
  infra: aws/us-east-1
  instance_type: m5.large
  disk_size: 50
  labels:
    team: market
num_nodes: 2
workdir: $tmp/work
envs:
  GREETING: hello
setup: cat text >~/set-up
run: |
  echo "\$GREETING rank \$SOUK_NODE_RANK of \$SOUK_NUM_NODES, \$(cat ~/set-up)"
  [ "\$(echo "\$SOUK_NODE_IPS" | wc -l)" -eq 2 ]
  # whoever fails first ends the other: neither does before both have spoken
  touch $tmp/\$GREETING-\$SOUK_NODE_RANK
  until [ -e $tmp/\$GREETING-0 ] && [ -e $tmp/\$GREETING-1 ]; do sleep 0.02; done
  exit 5
EOF
run 5 launch -y -c t task.yaml
prints 'hello rank 0 of 2, from the workdir'
prints 'hello rank 1 of 2, from the workdir'
sim_is 'len(alive) == 2 and {i["zone"] for i in alive} == {"us-east-1a"}'
sim_is 'all(i["tags"]["souk-cluster"] == "t" and i["tags"]["team"] == "market" for i in alive)'
sim_is 'len({i["tags"]["souk-token"] for i in alive}) == 1 and all(i["tags"]["souk-owner"] for i in alive)'
sim_is 'all(i["metadata"].get("HttpTokens") == "required" for i in alive)'
sim_is 'all(i["shutdown"] == "terminate" for i in alive)'
sim_is 'len([g for g in d["groups"] if g["name"] != "default"]) == 1'
run 5 logs t 1
prints 'hello rank 0 of 2, from the workdir'
run 0 status t --json
json '[n["status"] for n in d["clusters"][0]["nodes"]] == ["RUNNING"] * 2'
json '(d["clusters"][0]["status"], d["clusters"][0]["zone"]) == ("UP", "us-east-1a")'
run 0 exec t 'echo again'
prints again
run 5 launch -y -c t --env GREETING=later task.yaml
prints 'later rank 1 of 2, from the workdir'
sim_is 'len(machines) == 2'
run 0 down -y t
everything_gone
echo "ok: two nodes, one job, its own exit status"

# ---- Stop and start, by hand

# one ARG...: a cluster of one machine, named t
one () {
	run 0 launch -y -d -c t --infra aws/us-east-1 --instance-type m5.large "$@" 'true'
}

one -i 600
sim_is '[i["shutdown"] for i in alive] == ["stop"]'
run 0 exec t 'echo kept >~/kept'
run 0 stop -y t
sim_is '[i["state"] for i in alive] == ["stopped"]'
run 0 status t
says out STOPPED
run 75 exec t 'echo x'
says err "'souk start t' starts it"
run 0 start -y t
sim_is '[i["state"] for i in alive] == ["running"]'
run 0 exec t 'cat ~/kept'
prints kept
run 0 stop -y t
run 0 launch -y -c t 'cat ~/kept'
prints kept
sim_is 'len([i for i in machines if i["tags"]["souk-cluster"] == "t" and i["state"] == "running"]) == 1'
run 0 down -y t
everything_gone
echo "ok: stop, start, and launch on a stopped cluster"

# ---- Autostop: machines that end themselves

# As the cloud tells it, not the clock: each look moves its machines on.
stopped () {
	run 0 status --refresh t
	grep -q STOPPED out
}

gone () {
	run 0 status --refresh --json
	! grep -q '"name": "t"' out
}

one
run 0 autostop t -i 0
await 'the machine stops itself' stopped
sim_is '[i["state"] for i in alive] == ["stopped"]'
run 0 start -y t
run 0 autostop t -i 0 --down
await 'the store knows that it is gone' gone
everything_gone
echo "ok: autostop stops, autostop --down ends, and nothing is left"

run 6 launch -y -c t --down --infra aws/us-east-1 --instance-type m5.large 'exit 6'
everything_gone
echo "ok: launch --down"

# ---- A machine that is taken away

run 69 launch -y -d -c t --use-spot -i 5 --infra aws/us-east-1 'true'
says err 'spot machines cannot be stopped when idle'
one --use-spot
sim_post preempt '{"tag": "souk-cluster=t"}'
run 0 status --refresh
await 'the store knows that it is gone' gone
one --use-spot
sim_is 'len(alive) == 1'
run 0 down -y t
everything_gone
echo "ok: a machine that was taken away"

# ---- Capacity that returns

SOUK_RETRY_MS=20
export SOUK_RETRY_MS
sim_post capacity '{"capacity": [{"type": "m5.large", "count": 0}]}'
run 69 launch -y -d -c t --infra aws/us-east-1 --instance-type m5.large 'true'
says err "'--retry-until-up' keeps trying"
run 0 status --json
json 'd["clusters"] == []'
"$souk" launch -y -c t --retry-until-up --infra aws/us-east-1 --instance-type m5.large \
	'echo at last' >out.retry 2>err.retry </dev/null &
retry=$!
started=$retry
await 'the second round' grep -q 'again in' err.retry
sim_post capacity '{"capacity": []}'
wait "$retry" || { cat err.retry; fail "launch --retry-until-up: exit status $?"; }
started=
grep -q 'at last' out.retry || fail 'the job did not run'
sim_is 'len(alive) == 1'
run 0 down -y t
everything_gone
echo "ok: --retry-until-up waits for capacity"
