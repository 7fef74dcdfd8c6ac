# SPDX-License-Identifier: Apache-2.0
# lib.sh - what the tests of souk on the local provider share; sourced by them, after 'set -eu'
#
# Each test has a SOUK_HOME of its own in $tmp, which is also where it stands. Whatever happens,
# its machines are torn down when it ends.
# shellcheck shell=sh

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
souk=${SOUK:-$src/souk}
python=${SOUK_TEST_PYTHON:-python3}
[ "$python" != : ] || python=/nonexistent/python3
PATH=$PATH:/usr/sbin:/sbin
tmp=$(mktemp -d)
tmp=$(cd "$tmp" && pwd -P)
SOUK_HOME=$tmp/souk
HOME=$tmp/home
export SOUK_HOME HOME PATH
unset SOUK_NO_HINTS NO_COLOR SOUK_PROVIDER_PATH SOUK_LOCAL_MACHINE SSH_AUTH_SOCK || true
mkdir -p "$HOME"
cd "$tmp" || exit 1
: >out
: >err
started=

# Tear down and go. A machine of which souk knows nothing any more is ended by its supervisor.
end () {
	status=$?
	trap - EXIT
	trap '' INT TERM HUP
	# shellcheck disable=SC2086
	[ -z "$started" ] || kill $started 2>/dev/null || true
	"$souk" down -a -y >"$tmp/end" 2>&1 || {
		[ "$status" -ne 0 ] || status=1
		echo "not ok: the end: cannot tear everything down"
		cat "$tmp/end"
	}
	rm -rf "$tmp"
	exit "$status"
}
trap end EXIT
trap 'exit 1' INT TERM HUP

skip () {
	echo "skipped: $*"
	exit 77
}

need () { # PROGRAM...
	for program
	do
		command -v "$program" >/dev/null || skip "no $program on this machine"
	done
}

# traced ARG...: strace with all that is started; the leak check of a sanitizer cannot be traced
traced () {
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0 strace -f -qq "$@"
}

need_local () {
	need sshd
	"$souk" provider list 2>/dev/null | grep -q '^local ' || skip 'built without the local provider'
}

fail () {
	echo "not ok: $*"
	echo "--- stdout"
	tail -n 40 out
	echo "--- stderr"
	tail -n 40 err
	exit 1
}

# run STATUS ARG...: run souk without a terminal, and hold it to its exit status
run () {
	want=$1
	shift
	status=0
	"$souk" "$@" >out 2>err </dev/null || status=$?
	[ "$status" -eq "$want" ] || fail "souk $*: exit status $status, not $want"
}

# says FILE TEXT: there is a line with that text, or a part of it
says () {
	grep -qF -e "$2" "$1" || fail "no '$2' in $1"
}

lacks () { # FILE TEXT
	! grep -qF -e "$2" "$1" || fail "'$2' in $1"
}

# prints TEXT: a line of the job's log is this text behind its prefix, and nothing else
prints () {
	sed 's/^([^)]*) //' out | grep -qxF -e "$1" || fail "the job does not print '$1'"
}

# json EXPRESSION: the last run wrote one JSON document, of which the expression over d is true
json () {
	command -v "$python" >/dev/null || return 0
	"$python" -c 'import json, sys
d = json.load(open("out"))
sys.exit(0 if eval(sys.argv[1]) else 1)' "$1" || fail "JSON: not so: $1"
}

# await WHAT COMMAND...: look until the command succeeds, for as long as the slowest machine needs
await () {
	what=$1
	shift
	tries=0
	until "$@"
	do
		tries=$((tries + 1))
		[ $tries -lt 2400 ] || fail "waited in vain: $what"
		sleep 0.05
	done
}

fails () {
	! "$@"
}

is_zombie_or_gone () { # PID
	{ read -r state <"/proc/$1/stat"; } 2>/dev/null || return 0
	state=${state##*') '}
	case $state in
	[ZX]*) return 0 ;;
	esac
	return 1
}

lives () { # PID
	! is_zombie_or_gone "$1"
}

# ---- Machines ----

# machine CLUSTER [RANK]: the folder of a machine, in $machine; its HOME in $machine_home
machine () {
	machine=
	for folder in "$SOUK_HOME"/state/providers/local/machines/"$1"-*-"${2:-0}"
	do
		[ ! -d "$folder" ] || machine=$folder
	done
	[ -n "$machine" ] || fail "'$1' has no machine ${2:-0}"
	machine_home=$machine/home
}

# note_machine CLUSTER [RANK]: remember what must be gone when it is: mark, folder and port
note_machine () {
	machine "$@"
	sed -n 's/^mark=/SOUK_LOCAL_MACHINE=/p' "$machine/machine" >>noted.marks
	printf '%s\n' "$machine" >>noted.folders
	cat "$machine/run/address" >>noted.addresses
	if [ ! -s noted.marks ] || [ ! -s noted.addresses ]
	then
		fail 'the machine has no mark or no address'
	fi
}

# The processes of the machines noted, as one sees them in /proc: by the mark in their environment,
# by their folder in their arguments, by where they stand. A zombie has none of these.
noted_processes () {
	{
		grep -lsF -f noted.marks /proc/[0-9]*/environ || true
		grep -lsF -f noted.folders /proc/[0-9]*/cmdline || true
		for folder in /proc/[0-9]*
		do
			where=$(readlink "$folder/cwd" 2>/dev/null) || continue
			printf '%s\n' "$where" | grep -qF -f noted.folders && echo "$folder/cwd"
		done
	} | awk -F/ '{ print $3 }' | sort -un
}

# Is there a socket that listens at ADDRESS PORT? As in /proc/net/tcp, on machines of either order.
listens () {
	awk -v address="$1" -v port="$2" '
	BEGIN {
		split(address, a, ".")
		little = sprintf("%02X%02X%02X%02X:%04X", a[4], a[3], a[2], a[1], port)
		big = sprintf("%02X%02X%02X%02X:%04X", a[1], a[2], a[3], a[4], port)
	}
	$4 == "0A" && ($2 == little || $2 == big) { found = 1 }
	END { exit !found }' /proc/net/tcp
}

# The machines noted are there, each part of them: what is found gone later was there before.
noted_are_up () {
	[ -n "$(noted_processes)" ] || fail 'the machines noted have no process'
	while read -r address port
	do
		listens "$address" "$port" || fail "nobody listens at $address $port"
	done <noted.addresses
}

noted_are_gone () {
	left=$(noted_processes)
	[ -z "$left" ] || {
		# shellcheck disable=SC2086
		ps -o pid,ppid,stat,args -p "$(echo $left | tr ' ' ,)" || true
		fail "processes are left: $left"
	}
	while read -r folder
	do
		[ ! -e "$folder" ] || fail "the folder is left: $folder"
	done <noted.folders
	while read -r address port
	do
		! listens "$address" "$port" || fail "the port is left: $address $port"
	done <noted.addresses
	rm -f noted.marks noted.folders noted.addresses
}
