#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-cli.sh - arguments, help, exit statuses, JSON shapes: what needs no provider and no cluster
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

# Nothing is ever launched here, so there is nothing to tear down.
end () {
	rm -rf "$tmp"
}

silent () {
	[ ! -s "$1" ] || fail "$1 is not empty"
}

commands='launch exec logs queue cancel status ssh start stop down autostop cost offers catalog validate check provider'

run 0 --help
[ "$(wc -l <out)" -le 25 ] || fail "more than a screen"
silent err
for command in $commands
do
	says out "  $command "
done
run 0 -h
run 0 help
says out 'Usage: souk'
run 64
says err 'Usage: souk'
silent out
run 0 --version
grep -Eqx 'souk [0-9]+(\.[0-9]+)+.*' out || fail 'version'
run 0 help launch
says out 'Usage: souk launch'
run 64 help lanch
says err "did you mean 'souk launch'?"
for command in $commands
do
	run 0 "$command" --help
	says out "Usage: souk $command"
	says out 'Common flags:'
	awk 'length($0) > 100 { exit 1 }' out || fail "souk $command --help: a line of more than 100"
	silent err
done
echo "ok: help"

run 64 statsu
says err "error: no such command: 'souk statsu'"
says err "hint: did you mean 'souk status'?"
run 64 jobs
says err "error: no such command: 'souk jobs'"
SOUK_NO_HINTS=1 run 64 statsu
! grep -q hint err || fail 'a hint'
run 64 launch
run 64 launch --gpsu H100 x
says err "hint: did you mean '--gpus'?"
run 64 launch --gpus
says err "'--gpus' needs a value"
run 64 launch -Q x
says err "unknown flag '-Q'"
run 64 status --json=yes
says err "'--json' takes no value"
run 64 launch --de x
says err 'ambiguous'
run 64 --nonsense status
run 64 launch --num-nodes 0 x
run 64 launch --num-nodes many x
says err "not a number: 'many'"
run 64 launch --num-nodes 99999999999 x
run 64 launch -i soon x
run 64 launch a.yaml b.yaml
says err 'one task file only'
run 64 exec
run 64 exec dev
run 64 logs dev x
run 64 logs
run 64 logs a 1 2
run 64 queue
run 64 queue a b
run 64 cancel dev
run 64 cancel dev 1 --all
run 64 cancel dev 0
run 64 cancel dev one
run 64 ssh
run 64 ssh dev --rank x
for command in start stop down
do
	run 64 $command
	run 64 $command --all dev
done
run 64 autostop dev
run 64 autostop -i 5
run 64 autostop dev -i 5 --cancel
run 64 autostop dev -i 5x
run 64 offers a b
run 64 offers --csv --json
run 64 offers --limit 0
run 64 validate
run 64 provider
run 64 provider show
run 64 provider list x
run 64 provider info
run 64 --providers 'a,,b' status
silent out
echo "ok: usage errors are 64"

run 0 status
silent out
run 0 status --json
json 'd == {"clusters": []}'
silent err
run 0 --json status
json 'd == {"clusters": []}'
run 0 status --names-only
silent out
run 69 status nosuch
says err "error: no such cluster: 'nosuch'"
run 69 status nosuch --json
json 'd == {"clusters": []}'
for command in start stop down
do
	run 69 $command -y nosuch
	run 69 $command -y 'no*such'
	says err "no cluster matches 'no*such'"
	run 0 $command -y --all
	silent out
done
run 0 down -y --all --json
json 'd == {"clusters": []}'
run 69 autostop nosuch -i 5
run 69 queue nosuch
silent out
run 69 logs nosuch
run 69 cancel nosuch 1
run 69 ssh nosuch
echo "ok: no clusters"

printf 'name: good\nrun: echo hello\n' >good.yaml
printf 'name: bad\nrun: echo hello\nresorces: {}\n' >bad.yaml
printf 'name: \033[31mred\n\trun: x\n' >worse.yaml
run 0 validate good.yaml
says out 'good.yaml: valid'
silent err
run 65 validate bad.yaml
says err 'bad.yaml:3:1: '
says err 'resources'
silent out
run 65 validate good.yaml bad.yaml
says out 'good.yaml: valid'
run 65 validate worse.yaml
! grep -q "$(printf '\033')" err || fail 'an escape reached the terminal'
run 65 validate missing.yaml
says err missing.yaml
run 65 validate --json good.yaml bad.yaml
json '[f["file"] for f in d["files"]] == ["good.yaml", "bad.yaml"]'
json '[f["valid"] for f in d["files"]] == [True, False]'
json 'd["files"][0]["diagnostics"] == [] and d["files"][0]["unsupported"] == []'
json 'd["files"][1]["diagnostics"][0]["line"] == 3'
json 'd["files"][1]["diagnostics"][0]["column"] == 1'
json 'd["files"][1]["diagnostics"][0]["severity"] == "error"'
run 65 launch -y bad.yaml
says err 'bad.yaml:3:1: '
! grep -q '^error: bad.yaml' err || fail 'a diagnostic with a prefix'
silent out
run 65 launch -y missing.yaml
echo "ok: task files"

mkdir -p "$SOUK_HOME/config"
printf 'providers: [\n' >"$SOUK_HOME/config/config.yaml"
run 78 status
says err 'config.yaml:'
rm "$SOUK_HOME/config/config.yaml"
echo "ok: configuration"

run 0 provider list --json
json 'all(set(p) == {"name", "path", "ok", "enabled", "problem"} for p in d["providers"])'
run 78 provider info nosuch
silent out
echo "ok: providers"

# The output cannot be written, and the error is not lost.
if [ -c /dev/full ]
then
	status=0
	"$souk" --help >/dev/full 2>err || status=$?
	: >out
	[ "$status" -eq 74 ] || fail "a full disk: $status, not 74"
fi
echo "ok: output"

# A secret leaves the process's arguments before anything waits: here for the task file, which
# is a pipe that nobody has opened yet.
if [ -r /proc/self/cmdline ]
then
	mkfifo wait.yaml
	"$souk" launch -y --secret TOKEN=hush-hush-1 --secret=OTHER=hush-hush-2 wait.yaml \
		>out 2>err </dev/null &
	pid=$!
	# Opening it returns when souk has opened the other end.
	# shellcheck disable=SC2016
	timeout 60 sh -c 'exec 9>wait.yaml; tr "\\0" "\\n" <"/proc/$1/cmdline" >cmdline' sh "$pid" ||
		fail 'souk does not read the task file'
	wait "$pid" || true
	grep -q 'TOKEN=' cmdline || fail 'not the arguments of souk'
	! grep -q 'hush-hush' cmdline out err || fail 'the secret is seen'
	echo "ok: secrets"
fi
