#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-local-launch.sh - the life of jobs and clusters on the local provider, as a user runs it
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need_local

# ---- One job from the first word to the last trace

run 3 launch -y -c t --providers local 'echo hello; exit 3'
prints hello
[ "$(wc -l <out)" -eq 1 ] || fail 'more than the log on stdout'
says err 't: job 1 FAILED (exit status 3)'
run 3 logs t
prints hello
run 3 logs t 1 --no-follow
prints hello
run 3 logs t --status
says out FAILED
run 0 queue t --json
json 'd["cluster"] == "t" and len(d["jobs"]) == 1'
json 'd["jobs"][0]["id"] == 1 and d["jobs"][0]["status"] == "FAILED"'
json 'd["jobs"][0]["exit_status"] == 3 and d["jobs"][0]["num_nodes"] == 1'
run 0 queue t
says out FAILED
run 0 status --json
json '[(c["name"], c["status"], c["provider"]) for c in d["clusters"]] == [("t", "UP", "local")]'
json 'd["clusters"][0]["nodes"][0]["status"] == "RUNNING"'
run 0 status --refresh t
says out UP
echo "ok: launch, logs, queue, status"

run 0 exec t 'echo again'
prints again
run 7 exec t 'exit 7'
run 137 exec t 'kill -9 $$'
run 0 launch -y -c t 'echo reused; echo "$SOUK_TASK_ID"'
prints reused
says err 'the cluster exists and is used again'
run 0 queue t --json
json '[j["id"] for j in d["jobs"]] == [1, 2, 3, 4, 5]'
machine t
[ "$(find "$machine/.." -mindepth 1 -maxdepth 1 -type d | wc -l)" -eq 1 ] || fail 'a second machine'
run 9 launch -y -c t --json 'echo not for JSON; exit 9'
json 'd["cluster"] == "t" and d["job"] == 6 and d["exit_status"] == 9'
json 'd["status"] == "FAILED" and d["placement"]["name"] == "t"'
echo "ok: exec, and launch on a cluster that exists"

# ---- What is refused

run 69 exec nosuch 'echo x'
says err nosuch
run 69 logs nosuch
run 69 queue nosuch
run 69 cancel nosuch 1
run 69 down -y nosuch
run 69 logs t 99
run 64 launch 'echo x'
says err 'no terminal to ask on'
run 64 launch -c fresh 'echo x'
run 0 launch --dryrun -c fresh 'echo x'
says out local
run 0 launch --dryrun --json -c fresh 'echo x'
json 'd["dryrun"] is True and d["exists"] is False'
json '[c["provider"] for c in d["candidates"] if c["chosen"]] == ["local"]'
run 69 launch -y -c fresh --gpus H100:64 --providers local 'echo x'
run 65 launch -y -c fresh missing.yaml
run 0 status --json
json '[c["name"] for c in d["clusters"]] == ["t"]'
[ ! -e "$SOUK_HOME/state/clusters/fresh" ] || fail 'a refused launch left a folder'
echo "ok: refusals leave nothing behind"

# ---- Detached, queued, cancelled

# A job of one half of a CPU leaves room for others, so the queue is filled: two for each CPU.
cpus=$(sed -n 's/^ *"vcpus": \([0-9]*\).*/\1/p' out)
slots=$((cpus * 2))
i=0
while [ $((i += 1)) -le $slots ]
do
	run 0 launch -y -d -c t "touch ~/began-$i; until [ -e ~/go-$i ]; do sleep 0.05; done"
done
first=$(sed -n 's/^t: job \([0-9]*\) .*/\1/p' err)
run 0 exec -d t 'touch ~/began-later; echo from the queue'
later=$(sed -n 's/^t: job \([0-9]*\) .*/\1/p' err)
[ "$later" -eq $((first + 1)) ] || fail "job $later does not follow $first"
run 0 exec -d t 'touch ~/began-last; echo the last'
await 'the jobs run' test -e "$machine_home/began-$slots"
run 0 queue t --json
json "[j['status'] for j in d['jobs'] if j['id'] > $first] == ['PENDING'] * 2"
[ ! -e "$machine_home/began-later" ] || fail 'the queue is not kept'
"$souk" logs -f t "$later" >followed 2>followed.err &
follower=$!
started=$follower
run 75 logs t "$later" --status
touch "$machine_home/go-1"
wait $follower || fail "logs -f ended with $?"
started=
sed 's/^([^)]*) //' followed | grep -qx 'from the queue' || fail 'logs -f missed the log'
await 'the last job runs' test -e "$machine_home/began-last"
run 0 logs t
prints 'the last'
i=1
while [ $((i += 1)) -le $slots ]
do
	touch "$machine_home/go-$i"
done
echo "ok: detached jobs, first in, first out, logs -f"

# A tree that does what it can to get away: sessions of its own, double forks, deaf to TERM.
cat >tree.sh <<'T'
trap '' TERM
echo $$ >>~/tree
setsid sh -c 'trap "" TERM; echo $$ >>~/tree; while :; do sleep 1000; done' &
(setsid sh -c '(sh -c "echo \$\$ >>~/tree; while :; do sleep 1000; done" &) ; exit' &)
(setsid sh -c 'trap "" HUP INT; echo $$ >>~/tree; while :; do sleep 1000; done' &)
while :; do sleep 1000; done
T
printf 'name: tree\nrun: |\n' >tree.yaml
sed 's/^/  /' tree.sh >>tree.yaml
tree_is_up () {
	[ -e "$machine_home/tree" ] && [ "$(wc -l <"$machine_home/tree")" -ge 4 ]
}
run 0 launch -y -d -c t tree.yaml
job=$(sed -n 's/^t: job \([0-9]*\) .*/\1/p' err)
await 'the tree grows' tree_is_up
while read -r pid
do
	lives "$pid" || fail "process $pid of the tree is dead already"
done <"$machine_home/tree"
run 0 cancel t "$job"
says err 'cancelled 1 job'
while read -r pid
do
	is_zombie_or_gone "$pid" || fail "process $pid has survived its job"
done <"$machine_home/tree"
run 143 logs t "$job" --status
says out CANCELLED
run 0 cancel t 1
says err 'nothing to cancel'
run 3 logs t 1 --status
run 0 exec t 'echo the machine is well'
prints 'the machine is well'
echo "ok: cancel ends the whole tree"

printf 'name: broken\nsetup: |\n  echo setting up\n  exit 4\nrun: echo not this\n' >broken.yaml
run 4 launch -y -c t broken.yaml
prints 'setting up'
lacks out 'not this'
says err 'FAILED_SETUP'
run 0 queue t --json
json 'd["jobs"][-1]["status"] == "FAILED_SETUP" and d["jobs"][-1]["exit_status"] == 4'
run 0 launch -y -c t --no-setup broken.yaml
prints 'not this'
run 0 exec t broken.yaml
prints 'not this'
lacks out 'setting up'
echo "ok: a set-up that fails"

# ---- Off and on

run 0 exec t 'echo kept >~/kept; setsid sleep 1000 & echo'
note_machine t
noted_are_up
run 0 stop -y t
[ -z "$(noted_processes)" ] || fail "a stopped machine has processes: $(noted_processes)"
[ -d "$machine" ] || fail 'a stopped machine has lost its disk'
run 0 status t --json
json 'd["clusters"][0]["status"] == "STOPPED"'
run 75 exec t 'echo x'
says err STOPPED
run 0 stop -y t
run 0 start -y t
run 0 exec t 'cat ~/kept'
prints kept
run 0 stop -y t
run 0 launch -y -c t 'echo launch starts it'
prints 'launch starts it'
run 3 logs t 1
prints hello
echo "ok: stop and start"

# ---- Idle: the machine's own login file shortens the watch

echo 'export SOUK_WATCHDOG_INTERVAL=1' >"$machine_home/.bashrc"
is_stopped () {
	run 0 status --refresh t --json
	grep -q '"status": "STOPPED"' out
}
run 0 autostop t -i 90m
run 0 status t --json
json 'd["clusters"][0]["autostop"] == {"idle_minutes": 90, "down": False}'
run 0 autostop t --cancel
run 0 status t --json
json 'd["clusters"][0]["autostop"] is None'
run 0 exec -d t 'until [ -e ~/enough ]; do sleep 0.05; done'
run 0 autostop t -i 0
# The watch looks twice, and notes each time that there is a job.
for look in 1 2
do
	touch stamp
	await "look $look of the watch" test "$machine_home/.souk/activity" -nt stamp
done
lives "$(cut -d' ' -f1 "$machine_home/.souk/watchdog")" || fail 'the watch is dead'
run 0 status --refresh t
says out UP
touch "$machine_home/enough"
await 'autostop' is_stopped
[ -z "$(noted_processes)" ] || fail "a stopped machine has processes: $(noted_processes)"
run 0 start -y t
run 0 autostop t -i 0 --down
is_down () {
	run 0 status --refresh --json
	! grep -q '"name": "t"' out
}
await 'autostop --down' is_down
noted_are_gone
echo "ok: autostop"

# ---- The end

run 5 launch -y -c t --down 'echo $SOUK_LOCAL_MACHINE >'"$tmp"'/mark; exit 5'
run 0 status --json
json 'd["clusters"] == []'
[ -s mark ] || fail 'the job did not run'
! grep -lsF -f mark /proc/[0-9]*/environ || fail '--down left a process'
echo "ok: launch --down"

# Here one without any environment too, of which only its machine still knows.
echo "  (setsid env -i HOME=\"\$HOME\" sh -c 'echo \$\$ >~/outlaw; while :; do sleep 1000; done' &)" |
	sed '/trap/r /dev/stdin' tree.yaml >wild.yaml
run 0 launch -y -d -c t wild.yaml
run 0 launch -y -c other 'echo the other; setsid sleep 1000 & echo $! >~/pid'
note_machine t
await 'the tree grows' tree_is_up
cp "$machine_home/tree" tree.pids
noted_are_up
machine other
other=$machine_home
[ "$(cat "$SOUK_HOME"/state/providers/local/machines/*/run/address | sort -u | wc -l)" -eq 2 ] ||
	fail 'two machines share an address'
run 0 exec -d other 'until [ -e ~/go ]; do sleep 0.05; done; echo untouched; exit 6'
run 0 down -y t
noted_are_gone
while read -r pid
do
	is_zombie_or_gone "$pid" || fail "process $pid has survived its machine"
done <tree.pids
[ ! -e "$SOUK_HOME/state/clusters/t" ] || fail 'the keys are left'
run 0 status --json
json '[(c["name"], c["status"]) for c in d["clusters"]] == [("other", "UP")]'
run 0 logs other 1
prints 'the other'
touch "$other/go"
run 6 logs other
prints untouched
note_machine other
run 0 down -y other
noted_are_gone
run 0 status
! grep -rlF 'tree' "$SOUK_HOME/state/providers" || fail 'the provider keeps something'
run 0 down -a -y
echo "ok: down leaves nothing of the one and all of the other"
