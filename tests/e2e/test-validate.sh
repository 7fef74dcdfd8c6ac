#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-validate.sh - hostile task files: one clear line each, status 65, little memory, no time
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# 100 MB of address space for all that souk is and does. A sanitizer needs terabytes of it.
limit=102400
[ -z "${SOUK_TEST_SANITIZER:-}" ] || limit=unlimited

# validate FILE: as a user would, within the limit; sets $status
validate () {
	status=0
	# shellcheck disable=SC3045
	(
		ulimit -v $limit
		exec timeout 60 "$souk" validate "$1"
	) >out 2>err </dev/null || status=$?
}

# refused FILE LINE:COLUMN TEXT: one line that begins with the place ('' is the whole file) and
# has the text
refused () {
	validate "$1"
	[ "$status" -eq 65 ] || fail "$1: exit status $status, not 65"
	[ ! -s out ] || fail "$1: something on stdout"
	[ "$(wc -l <err)" -eq 1 ] || fail "$1: not one line"
	[ "$(wc -c <err)" -lt 400 ] || fail "$1: a line of $(wc -c <err) bytes"
	grep -qE "^$1:${2:+$2:} " err || fail "$1: not at $2"
	grep -qiE -e "$3" err || fail "$1: nothing of '$3'"
	! LC_ALL=C grep -q "[^ -~]" err || fail "$1: not plain text"
}

printf 'name: x\nrunn: echo\n' >unknown.yaml
refused unknown.yaml 2:1 "'runn'.*did you mean 'run'"
printf 'resources:\n  acelerators: H100:8\nrun: x\n' >nested.yaml
refused nested.yaml 2:3 "acelerators.*did you mean 'accelerators'"
printf 'num_nodes: "2"\nrun: x\n' >type.yaml
refused type.yaml 1:12 'num_nodes'
printf 'resources: [ a ]\nrun: x\n' >list.yaml
refused list.yaml 1:12 'resources'
printf 'run:\n\techo\n' >tab.yaml
refused tab.yaml '2:1' 'tab'
printf 'name: a\nrun: x\nname: b\n' >twice.yaml
refused twice.yaml 3:1 "(twice|duplicate|again|already).*name|name.*(twice|duplicate|again|already)"
printf 'envs:\n  A: 1\n  B: 2\n  A: 3\nrun: x\n' >deep-twice.yaml
refused deep-twice.yaml 4:3 'A'
printf 'name: a\nrun: "\303\050"\n' >utf8.yaml
refused utf8.yaml '2:[0-9]+' 'UTF-8'
printf 'name: a\nrun: "\355\240\200"\n' >surrogate.yaml
refused surrogate.yaml '2:[0-9]+' 'UTF-8'
printf 'name: a\000b\nrun: x\n' >nul.yaml
refused nul.yaml '1:[0-9]+' '.'
printf 'run: [ {\n' >open.yaml
refused open.yaml '[0-9]+:[0-9]+' '.'
printf 'run: *nobody\n' >alias.yaml
refused alias.yaml 1:6 'nobody|alias|anchor'
printf 'run: !!python/object:os.system x\n' >tag.yaml
refused tag.yaml 1:6 'tag'
: >empty.yaml
validate empty.yaml
[ "$status" -eq 65 ] || fail "an empty file: $status"
[ "$(wc -l <err)" -eq 1 ] || fail 'an empty file: not one line'
echo "ok: mistakes are named with their place"

# ---- Bombs

scalar () { # BYTES
	printf 'run: '
	head -c "$1" /dev/zero | tr '\0' x
	echo
}
scalar 10485760 >scalar.yaml
refused scalar.yaml '' '(long|large|big)'
# Below the limit for files there is one for values.
scalar 7340032 >smaller.yaml
refused smaller.yaml '1:6' '(long|large|big)'
{
	printf 'run: |\n'
	yes '  0123456789012345678901234567890123456789012345678901234567890123' | head -n 160000
} >block.yaml
refused block.yaml '' '(long|large|big)'
{
	echo 'a: &a [x,x,x,x,x,x,x,x,x,x]'
	last=a
	for next in b c d e f g h i j k
	do
		echo "$next: &$next [*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last,*$last]"
		last=$next
	done
	echo "envs: {A: *$last}"
	echo 'run: x'
} >laughs.yaml
# It may be refused for its size or for its fields; but then at once, and in few words.
validate laughs.yaml
[ "$status" -eq 65 ] || fail "an alias bomb: $status"
grep -qE '^laughs.yaml:[0-9]+:[0-9]+: .*(alias|large|many|big|limit)' err || fail 'an alias bomb is not called one'
[ "$(wc -l <err)" -eq 1 ] || fail 'an alias bomb: not one line'
printf 'envs: &e\n  A: 1\n  B: *e\nrun: x\n' >self.yaml
refused self.yaml '3:6' '.'
{
	printf 'run: '
	head -c 200000 /dev/zero | tr '\0' '['
} >nesting.yaml
refused nesting.yaml '1:[0-9]+' '(deep|nest|level)'
{
	echo 'envs:'
	awk 'BEGIN { for (i = 0; i < 300000; i++) print "  V" i ": " i }'
	echo 'run: x'
} >wide.yaml
validate wide.yaml
[ "$status" -eq 65 ] || [ "$status" -eq 0 ] || fail "a wide file: $status"
[ "$(wc -l <err)" -le 1 ] || fail 'a wide file: not one line'
{
	awk 'BEGIN { for (i = 0; i < 20000; i++) print "unknown" i ": " i }'
	echo 'run: x'
} >fields.yaml
validate fields.yaml
[ "$status" -eq 65 ] || fail "many mistakes: $status"
[ "$(wc -l <err)" -le 1001 ] || fail "many mistakes: $(wc -l <err) lines"
printf '%s\n' /dev/zero >endless
validate /dev/zero
[ "$status" -eq 65 ] || fail "an endless file: $status"
[ "$(wc -l <err)" -eq 1 ] || fail 'an endless file: not one line'
echo "ok: bombs do not go off"

# What it took at most, of any of these files, where it can be measured.
if command -v "$python" >/dev/null && [ "$limit" != unlimited ]
then
	for file in scalar block laughs nesting wide fields
	do
		"$python" -c 'import resource, subprocess, sys
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)' \
			"$souk" validate $file.yaml >peak
		[ "$(cat peak)" -lt 100 ] || fail "$file.yaml takes $(cat peak) MiB"
	done
	echo "ok: within 100 MB of memory"
fi

printf 'name: good\nrun: echo\n' >good.yaml
validate good.yaml
[ "$status" -eq 0 ] || fail "a good file: $status"
says out 'good.yaml: valid'
run 65 validate good.yaml unknown.yaml tab.yaml
says out 'good.yaml: valid'
[ "$(wc -l <err)" -eq 2 ] || fail 'two bad files: not two lines'
echo "ok: good ones pass"
