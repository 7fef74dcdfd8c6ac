#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-local-secret.sh - a secret reaches the job and nothing else: arguments, logs, store, output
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need_local
need od sha256sum

# A word that stands nowhere else; what looks for it gets it from a file and not as an argument.
word=hush-$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
printf '%s\n' "$word" >pattern
chmod 600 pattern
mkdir outside
mv pattern outside/pattern
value="$word 'and' \"more\" \$x"
sum=$(printf '%s' "$value" | sha256sum | cut -d' ' -f1)

# Every argument list that can be seen, again and again, until told to end.
cat >outside/watch.sh <<'W'
while [ ! -e "$1/stop" ]
do
	for f in $(grep -lsF -f "$1/pattern" /proc/[0-9]*/cmdline || :)
	do
		{ tr '\0' ' ' <"$f" && echo; } 2>/dev/null >>"$1/caught" || :
	done
	echo >>"$1/looks"
done
W
watch () {
	rm -f outside/stop outside/looks
	sh outside/watch.sh "$tmp/outside" &
	started=$!
	await 'the watch' test -s outside/looks
}

more_looks () {
	[ "$(wc -l <outside/looks)" -gt $((looks + 2)) ]
}

look_again () {
	looks=$(wc -l <outside/looks)
	await 'some looks' more_looks
}

unwatch () {
	look_again
	: >outside/stop
	wait "$started" || fail 'the watch has failed'
	started=
	[ ! -s outside/caught ] || {
		sed "s/$word/[THE SECRET]/g" outside/caught | sort | uniq -c | head
		fail 'a process has the secret among its arguments'
	}
}

# collect STATUS ARG...: run souk and keep whatever it says
collect () {
	run "$@"
	cat out err >>outside/said
}

# The files below SOUK_HOME that hold the word.
keepers () {
	grep -rlsF -f outside/pattern "$SOUK_HOME" || true
}

nobody_keeps_it () {
	[ -z "$(keepers)" ]
}

cat >task.yaml <<'T'
name: guarded
secrets:
  TOKEN: null
num_nodes: 2
setup: |
  [ "$(printf '%s' "$TOKEN" | sha256sum | cut -d' ' -f1)" = "$SUM" ] && echo "setup has it"
run: |
  [ "$(printf '%s' "$TOKEN" | sha256sum | cut -d' ' -f1)" = "$SUM" ] && echo "run $SOUK_NODE_RANK has it"
  sh -c 'while :; do [ ! -e ~/go ] || exit 0; sleep 0.05; done'
  exit 5
T

# The watch itself would see it.
: >bait
watch
sh -c 'while [ -e bait ]; do sleep 0.05; done' "$word" &
bait=$!
await 'the watch to see the bait' test -s outside/caught
rm bait
wait $bait
look_again
grep -qF -f outside/pattern outside/caught || fail 'the watch does not see a secret'
rm -f outside/caught
unwatch
echo "ok: the watch sees what it is to see"

# ---- The whole way, given by name: not even the first moment of souk has it among its arguments

watch
TOKEN=$value
export TOKEN
collect 0 launch -y -d --debug -c s --env "SUM=$sum" --secret TOKEN task.yaml
unset TOKEN
await 'the job runs' sh -c "grep -qs 'run 0 has it' '$SOUK_HOME'/state/providers/local/machines/*-0/home/souk_logs/*/run.log"
await 'the job runs' sh -c "grep -qs 'run 1 has it' '$SOUK_HOME'/state/providers/local/machines/*-0/home/souk_logs/*/run.log"
# Only the job's own variables hold it, while it runs, for nobody else's eyes.
keepers | sort >outside/holding
[ "$(wc -l <outside/holding)" -eq 2 ] || {
	cat outside/holding
	fail 'not one file on each node holds it'
}
while read -r file
do
	case $file in
	"$SOUK_HOME"/state/providers/local/machines/*/home/.souk/*/env) ;;
	*) fail "'$file' holds the secret" ;;
	esac
	[ "$(stat -c %a "$file")" = 600 ] || fail "'$file' has mode $(stat -c %a "$file")"
	[ "$(stat -c %a "${file%/*}")" = 700 ] || fail "the folder of '$file' is open"
done <outside/holding
[ "$(stat -c %a "$SOUK_HOME/state")" = 700 ] || fail 'the state folder is open'
collect 0 queue s
collect 0 queue s --json
collect 0 status
collect 0 status --json
collect 0 status --refresh --debug
collect 75 logs s --status
collect 0 logs s --no-follow --debug
for rank in 0 1
do
	machine s $rank
	touch "$machine_home/go"
done
collect 5 logs s --debug
prints 'run 0 has it'
prints 'run 1 has it'
says err FAILED
unwatch
await 'the files to go with the job' nobody_keeps_it
echo "ok: given by name, on two nodes"

# ---- Given with its value

watch
rm -f outside/caught
for rank in 0 1
do
	machine s $rank
	rm -f "$machine_home/go"
done
machine s
"$souk" launch -y --debug -c s --env "SUM=$sum" --secret "TOKEN=$value" task.yaml \
	>out 2>err </dev/null &
job=$!
await 'the job runs' sh -c "grep -qs 'run 0 has it' '$machine_home'/souk_logs/2-*/run.log"
# From here on; the moment before souk has wiped its own arguments is the caller's.
look_again
rm -f outside/caught
look_again
for rank in 0 1
do
	machine s $rank
	touch "$machine_home/go"
done
status=0
wait $job || status=$?
[ $status -eq 5 ] || fail "exit status $status, not 5"
prints 'run 1 has it'
cat out err >>outside/said
unwatch
printf 'TOKEN=%s\n' "$value" >outside/secrets
chmod 600 outside/secrets
collect 5 exec s --env "SUM=$sum" --secret-file outside/secrets --json task.yaml
collect 0 launch --dryrun --json -c new --secret "TOKEN=$value" task.yaml
collect 0 launch --dryrun -v -c new --secret "TOKEN=$value" task.yaml
echo "ok: given with its value, or in a file"

# ---- Where things go wrong

collect 65 launch -y -c s --secret "BAD NAME=$value" task.yaml
collect 65 launch -y -c s --secret "=$value" task.yaml
collect 64 launch -y -c s --secret "TOKEN=$value" --nonsense task.yaml
collect 64 launch -y -c s --secret "TOKEN=$value" task.yaml more.yaml
collect 65 launch -y -c s --secret "TOKEN=$value" missing.yaml
printf 'secrets:\n  TOKEN: "%s"\nrunn: x\n' "$word" >outside/wrong.yaml
collect 65 launch -y -c s outside/wrong.yaml
collect 65 validate outside/wrong.yaml
printf 'secrets:\n  TOKEN: [ "%s" ]\nrun: x\n' "$word" >outside/wrong.yaml
collect 65 validate outside/wrong.yaml
collect 69 exec nosuch --secret "TOKEN=$value" 'echo x'
collect 69 launch -y --debug -c new --gpus H100:64 --providers local --secret "TOKEN=$value" task.yaml
collect 9 exec s --debug --secret "TOKEN=$value" 'exit 9'
collect 137 exec s --debug --secret "TOKEN=$value" 'kill -9 $$'
echo "ok: failures"

# ---- Every program that was started, on either side, if this system lets us look

if traced -e trace=execve -o outside/probe true 2>/dev/null && [ -s outside/probe ]
then
	printf 'secrets:\n  TOKEN: null\nsetup: echo set up\nrun: echo ran; exit 6\n' >short.yaml
	status=0
	TOKEN=$value
	export TOKEN
	traced -s 65536 -e trace=execve -o outside/execs \
		"$souk" launch -y --down -c traced --secret TOKEN short.yaml >out 2>err </dev/null ||
		status=$?
	unset TOKEN
	[ $status -eq 6 ] || fail "exit status $status, not 6"
	prints ran
	cat out err >>outside/said
	[ "$(grep -c 'execve(.*souk-node' outside/execs)" -gt 3 ] || fail 'the machine was not traced'
	! grep -qF -f outside/pattern outside/execs || fail 'a program was started with the secret'
	echo "ok: none of $(grep -c 'execve(' outside/execs) programs was started with it"
fi

[ -s outside/said ] || fail 'nothing was said'
! grep -F -f outside/pattern outside/said >outside/told || {
	sed "s/$word/[THE SECRET]/g" outside/told | head -5
	fail 'souk told the secret'
}
await 'the files to go with the jobs' nobody_keeps_it
run 0 down -y s
[ -z "$(keepers)" ] || fail "the secret is left in $(keepers)"
! grep -rlsF --exclude-dir=outside -f outside/pattern "$tmp" || fail 'the secret is left'
echo "ok: nothing tells it, nothing keeps it"
