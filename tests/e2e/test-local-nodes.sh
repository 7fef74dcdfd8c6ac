#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-local-nodes.sh - a task on two nodes: its variables, and ranks that end together
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need_local

cat >two.yaml <<'T'
name: two
num_nodes: 2
resources:
  infra: local
envs:
  GREETING: hello
setup: |
  echo "setup ${SOUK_SETUP_NODE_RANK} ${SKYPILOT_SETUP_NODE_RANK} of ${SOUK_NUM_NODES}" >~/was-set-up
run: |
  : "a line for each variable, as NAME RANK=VALUE"
  for name in NODE_IPS NUM_NODES TASK_ID NUM_GPUS_PER_NODE INTERNAL_JOB_ID; do
    eval "ours=\$SOUK_$name theirs=\$SKYPILOT_$name"
    [ "$ours" = "$theirs" ] || echo "$name differs: '$ours' '$theirs'"
    echo "$name $SOUK_NODE_RANK=$(echo $ours)"
  done
  for name in MASTER_ADDR MASTER_PORT WORLD_SIZE LOCAL_WORLD_SIZE GREETING; do
    eval "echo \"$name $SOUK_NODE_RANK=\$$name\""
  done
  echo "ranks $SOUK_NODE_RANK $SKYPILOT_NODE_RANK $NODE_RANK"
  cat ~/was-set-up
  echo "home $SOUK_NODE_RANK=$HOME"
T
run 0 launch -y -c two two.yaml
lacks out differs
prints 'ranks 0 0 0'
prints 'ranks 1 1 1'
prints 'setup 0 0 of 2'
prints 'setup 1 1 of 2'

# value NAME RANK: what the rank printed for it
value () {
	sed -n "s/^([^)]*) $1 $2=//p" out
}
for name in NODE_IPS NUM_NODES TASK_ID INTERNAL_JOB_ID MASTER_ADDR MASTER_PORT WORLD_SIZE GREETING
do
	[ -n "$(value $name 0)" ] || fail "rank 0 has no $name"
	[ "$(value $name 0)" = "$(value $name 1)" ] || fail "$name is not the same on both"
done
[ "$(value WORLD_SIZE 0)" = 2 ] || fail 'WORLD_SIZE is not 2'
[ "$(value NUM_NODES 0)" = 2 ] || fail 'SOUK_NUM_NODES is not 2'
[ "$(value GREETING 1)" = hello ] || fail 'the task has no envs on a worker'
ips=$(value NODE_IPS 0)
[ "$(value MASTER_ADDR 1)" = "${ips%% *}" ] || fail 'MASTER_ADDR is not the first of SOUK_NODE_IPS'
[ "${ips%% *}" != "${ips#* }" ] || fail 'two nodes with one address'
[ "$(value home 0)" != "$(value home 1)" ] || fail 'two nodes with one HOME'
grep -q '^(head, rank=0, pid=[0-9]*) ' out || fail 'no prefix of the head'
grep -q "^(worker1, rank=1, pid=[0-9]*, ip=${ips#* }) " out || fail 'no prefix of the worker'
echo "ok: ranks, addresses and variables of two nodes"

run 0 status --json
json 'd["clusters"][0]["num_nodes"] == 2 and [n["rank"] for n in d["clusters"][0]["nodes"]] == [0, 1]'
json '[n["status"] for n in d["clusters"][0]["nodes"]] == ["RUNNING"] * 2'
machine two 1
worker=$machine_home
touch "$worker/this-is-the-worker"
run 0 ssh two --rank 1 -- ls
says out this-is-the-worker
run 0 ssh two -- ls
lacks out this-is-the-worker
run 69 ssh two --rank 2 -- ls
run 0 exec two 'echo one node is enough; exit 0'
prints 'one node is enough'
run 0 exec two --num-nodes 2 'echo "again $SOUK_NODE_RANK"'
prints 'again 0'
prints 'again 1'
echo "ok: each node by ssh, exec on one and on both"

# ---- Ranks end together

cat >fails.yaml <<'T'
num_nodes: 2
run: |
  echo $$ >~/rank.pid
  if [ "$SOUK_NODE_RANK" = "$LOSER" ]; then
    # The other is there, and waits for ever.
    until [ -e ~/go ]; do sleep 0.05; done
    echo "rank $SOUK_NODE_RANK gives up"
    exit $((40 + SOUK_NODE_RANK))
  fi
  echo waiting
  while :; do sleep 1000; done
T
machine two 0
head=$machine_home
for loser in 1 0
do
	rm -f "$head/rank.pid" "$worker/rank.pid" "$head/go" "$worker/go"
	"$souk" exec two --env LOSER=$loser fails.yaml >out 2>err </dev/null &
	started=$!
	await 'rank 0 runs' test -s "$head/rank.pid"
	await 'rank 1 runs' test -s "$worker/rank.pid"
	lives "$(cat "$head/rank.pid")" || fail 'rank 0 is dead too soon'
	lives "$(cat "$worker/rank.pid")" || fail 'rank 1 is dead too soon'
	touch "$head/go" "$worker/go"
	status=0
	wait $started || status=$?
	started=
	[ $status -eq $((40 + loser)) ] || fail "exit status $status, not that of rank $loser"
	prints "rank $loser gives up"
	says err FAILED
	says out "rank $loser ended with status $((40 + loser)), so the others are stopped"
	is_zombie_or_gone "$(cat "$head/rank.pid")" || fail 'rank 0 still runs'
	is_zombie_or_gone "$(cat "$worker/rank.pid")" || fail 'rank 1 still runs'
	run 0 queue two --json
	json "d['jobs'][-1]['status'] == 'FAILED' and d['jobs'][-1]['exit_status'] == $((40 + loser))"
	json 'd["jobs"][-1]["num_nodes"] == 2'
	run $((40 + loser)) logs two --status
done
echo "ok: when one rank fails the other is stopped"

cat >setup.yaml <<'T'
num_nodes: 2
setup: |
  [ "$SOUK_SETUP_NODE_RANK" = 0 ] || exit 9
run: echo never
T
run 9 launch -y -c two setup.yaml
lacks out never
says err FAILED_SETUP
# At whatever point of its life the job is.
run 0 exec -d two --env LOSER=none fails.yaml
run 0 cancel two --all
rm -f "$head/rank.pid" "$worker/rank.pid"
run 0 exec -d two --env LOSER=none fails.yaml
await 'rank 0 runs' test -s "$head/rank.pid"
await 'rank 1 runs' test -s "$worker/rank.pid"
run 0 cancel two --all
is_zombie_or_gone "$(cat "$head/rank.pid")" || fail 'rank 0 still runs'
is_zombie_or_gone "$(cat "$worker/rank.pid")" || fail 'rank 1 still runs'
echo "ok: set-up and cancel reach both"

run 75 launch -y -c two --num-nodes 3 'echo x'
says err "'two' has 2 nodes, the task asks for 3"
note_machine two 0
note_machine two 1
noted_are_up
run 0 down -y two
noted_are_gone
echo "ok: down ends both"
