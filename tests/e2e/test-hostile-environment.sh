#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-hostile-environment.sh - folders that cannot be used, a full disk, closed output, two at once:
# no crash, no hang, one clear sentence, and the exit status that souk(1) says
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

# Nothing is ever launched here, so there is nothing to tear down but what was mounted.
mounted=
end () {
	[ -z "$mounted" ] || umount -l "$mounted"
	rm -rf "$tmp"
}

printf 'name: good\nresources: {instance_type: m}\nrun: echo hello\n' >good.yaml

# A catalogue of one's own, so that there is something to print and to quote, whatever was built.
cat >prices.csv <<'END'
provider,region,instance_type,vcpus,memory_gib,gpu_name,gpu_count,price_usd_hour
acme,here,m,4,16,,0,1.50
acme,there,m,4,16,,0,1.75
END

# one_sentence: one line of error, perhaps a hint behind it, nothing of a sanitizer
one_sentence () {
	[ "$(grep -c '^error: ' err)" -eq 1 ] || fail 'not one sentence'
	! grep -v -e '^error: ' -e '^hint: ' -e '^warning: ' err | grep -q . || fail 'more than a sentence'
}

# ---- Folders

status=0
env -u SOUK_HOME -u HOME -u XDG_CONFIG_HOME "$souk" status >out 2>err </dev/null || status=$?
[ "$status" -eq 78 ] || fail "without HOME: $status, not 78"
one_sentence
says err 'neither SOUK_HOME nor HOME is set'

: >a-file
for command in status 'offers --json' 'catalog info' 'quote good.yaml' 'down --all -y' doctor
do
	# shellcheck disable=SC2086
	SOUK_HOME=$tmp/a-file run 78 $command
	one_sentence
	says err 'Not a directory'
done
SOUK_HOME=$tmp/not/there/yet run 0 status
says err 'no clusters'
[ ! -e not ] || fail 'a look made folders'
echo "ok: folders that are none"

# ---- The store

mkdir -p "$SOUK_HOME/state"
store=$SOUK_HOME/state/souk.db
for what in directory fifo noise
do
	rm -rf "$store"
	case $what in
	directory) mkdir "$store" ;;
	fifo) mkfifo "$store" ;;
	noise) yes 'this is no database' 2>/dev/null | head -c 8192 >"$store" ;;
	esac
	for command in status 'status --json' 'queue nosuch' 'down --all -y'
	do
		want=74
		[ $what != noise ] || want=70
		# shellcheck disable=SC2086
		run $want $command
		one_sentence
		says err "$store"
		[ ! -s out ] || fail "$command: output"
	done
done
rm -f "$store"
: >"$store"
run 0 status --json
json 'd == {"clusters": []}'
rm -f "$store"*
echo "ok: a store that is none"

# ---- Output that nobody takes

run 0 catalog import prices.csv
run 0 offers --cpus 1+ --all-regions
for command in 'offers --cpus 1+' 'offers --cpus 1+ --json' 'offers --cpus 1+ --csv' 'catalog info' \
	'provider list --json' 'status --json' 'validate good.yaml'
do
	status=0
	# shellcheck disable=SC2086
	"$souk" $command >&- 2>err </dev/null || status=$?
	: >out
	[ "$status" -eq 74 ] || fail "$command: with a closed output $status, not 74"
	one_sentence
	status=0
	# shellcheck disable=SC2086
	"$souk" $command >&- 2>&- <&- || status=$?
	[ "$status" -eq 74 ] || fail "$command: with all closed $status, not 74"
	# The reader has gone: as any program that a signal has ended, and without a word.
	mkfifo pipe
	: <pipe &
	status=0
	# shellcheck disable=SC2086
	"$souk" $command >pipe 2>err </dev/null || status=$?
	wait
	rm pipe
	case $status in
	0 | 141) ;;
	*) fail "$command: with a reader that has gone $status" ;;
	esac
	lacks err 'rror'
done
echo "ok: output that nobody takes"

# A file that souk opens itself must not become its output. It shows where each line goes.
run 0 catalog info --json
cp out before
for file in "$SOUK_HOME"/cache/catalog/*
do
	cksum "$file"
done >sums
"$souk" -v catalog info --verify >&- 2>&- <&- || true
"$souk" offers --cpus 1+ >&- 2>&- <&- || true
for file in "$SOUK_HOME"/cache/catalog/*
do
	cksum "$file"
done | grep -v stale-said >sums-after
grep -v stale-said sums | cmp -s - sums-after || fail 'output has landed in a file'
echo "ok: closed descriptors"

# ---- Descriptors are few

for n in 4 5 6 7 8 10
do
	status=0
	(
		# shellcheck disable=SC3045 # every shell has it
		ulimit -n $n
		exec "$souk" offers --cpus 1+ --json
	) >out 2>err </dev/null || status=$?
	case $status in
	0) json 'len(d["offers"]) > 0' ;;
	# The loader of libraries has words of its own.
	127) ;;
	74 | 78) one_sentence; says err 'Too many open files' ;;
	69) says err 'Too many open files' ;;
	*) fail "with $n descriptors: $status" ;;
	esac
done
echo "ok: few descriptors"

# ---- Words that nobody types

long=$(printf '%0100000d' 0)
for command in "offers $long" "status $long" "offers --infra $long" "offers --cpus $long" \
	"offers --region $long" "catalog info $long" "quote --show $long" "provider info $long" \
	"validate $long" "offers --max-price $long" "$long" "--$long" "offers --set $long"
do
	status=0
	# shellcheck disable=SC2086
	"$souk" $command >out 2>err </dev/null || status=$?
	case $status in
	0 | 64 | 65 | 69 | 74 | 78) ;;
	*) fail "a long word: $status" ;; # 70 would be a fault of souk's own
	esac
	[ "$(wc -c <err)" -lt 8192 ] || fail 'a message without an end'
done
for word in '' ' ' '*' '%s%n' "$(printf '\033[31m')" "$(printf '\377\376')" '../../etc/passwd' '-'
do
	for command in offers status queue 'catalog info' 'quote --show' 'provider info' validate
	do
		status=0
		# shellcheck disable=SC2086
		"$souk" $command -- "$word" >out 2>err </dev/null || status=$?
		case $status in
		0 | 64 | 65 | 69 | 74 | 77 | 78) ;;
		*) fail "souk $command '$word': $status" ;;
		esac
		! grep -q "$(printf '\033')" err || fail "souk $command: an escape sequence"
	done
done
echo "ok: words that nobody types"

# ---- Two at once

run 0 --providers acme offers --json
cp out one
for i in 1 2 3 4 5 6
do
	"$souk" --providers acme offers --json >"out.$i" 2>"err.$i" </dev/null &
	"$souk" catalog import prices.csv >/dev/null 2>"import.$i" </dev/null &
	"$souk" queue nosuch >/dev/null 2>"queue.$i" </dev/null &
done
wait
for i in 1 2 3 4 5 6
do
	cmp -s one "out.$i" || fail "another answer beside others"
	lacks "import.$i" 'error'
	says "queue.$i" "no cluster 'nosuch'"
done
echo "ok: several at once"

# ---- A disk that is full, one that is read-only: where we may mount one

mkdir small
if ! mount -t tmpfs -o size=64k none small 2>/dev/null
then
	echo "skipped: a full disk: mount is not permitted"
	exit 0
fi
mounted=$tmp/small
head -c 65536 /dev/zero >small/fill 2>/dev/null || true
for command in 'catalog import prices.csv' 'queue nosuch'
do
	# shellcheck disable=SC2086
	SOUK_HOME=$tmp/small run 74 $command
	one_sentence
	grep -q -e 'No space left' -e 'is full' err || fail 'no reason'
done
SOUK_HOME=$tmp/small run 0 status
[ -z "$(find small -name '*.tmp')" ] || fail 'half a file was left'
rm small/fill
SOUK_HOME=$tmp/small run 0 catalog import prices.csv
mount -o remount,ro small
SOUK_HOME=$tmp/small run 0 offers --cpus 1+ --json
json 'len(d["offers"]) > 0'
SOUK_HOME=$tmp/small run 0 status --json
json 'd == {"clusters": []}'
for command in 'catalog import prices.csv' 'queue nosuch' 'catalog rm acme'
do
	# shellcheck disable=SC2086
	SOUK_HOME=$tmp/small run 74 $command
	one_sentence
	grep -q -e 'Read-only file system' -e 'readonly' err || fail 'no reason'
done
echo "ok: a full disk, a read-only one"
