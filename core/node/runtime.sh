#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# runtime.sh - the part of souk that runs on a machine: job queue, set-up, gang, logs, idle watch
#
# POSIX sh, coreutils, awk, sed, grep, find, setsid and flock; Linux /proc. It runs as
# 'sh ~/.souk/runtime/HASH/souk-node VERB ARGS' under dash, bash and busybox sh. Nothing stays
# running but the drivers of jobs and, when armed, one watchdog.
#
# THE INTERFACE. Results go to stdout, complaints to stderr as 'souk-node: TEXT'. Exit status:
# 0 done, 64 bad input, 66 no such job, 69 a tool is missing, 75 the machine is being switched
# off, 70 anything else. Texts are limited to the characters A-Za-z0-9._@:/+,~- unless said
# otherwise; times are seconds since the epoch, '-' means not yet.
#
# init           The cluster on stdin, repeatable; one key=value a line:
#                  cluster= cloud= region= zone= (may be empty)  nodes=N  rank=R (of this machine)
#                  gpus=N (per node)  cpus=N[.n] (per node)  shutdown=COMMAND (any text, run by sh)
#                  node=RANK IP HOST PORT USER (one per rank; HOST PORT USER: how the head's ssh
#                  reaches it)
#                and on the head of several nodes two blocks of verbatim lines, between
#                  'begin private-key' and 'end private-key' (the key for the other nodes),
#                  'begin known-hosts' and 'end known-hosts' (their host keys);
#                the last line is 'end'. Prints 'ready=1'.
# submit [follow]
#                A job on stdin: header lines, an empty line, the parts, and 'end' with a newline.
#                  name=  num_nodes=N  gpus=D (per node, 0 to 3 decimals)  user=  token=
#                  task_id= (whole) or task_id_prefix= (the job's id is appended)
#                  env=BYTES  setup=BYTES  run=BYTES (lengths of the parts that follow, in this
#                  order; env is shell text of export lines; setup=0: no set-up)
#                Prints 'job=ID'; the same token gives the same ID. With 'follow' the log follows
#                from its first byte, as by 'follow ID 0'.
# follow ID OFFSET
#                The raw bytes of run.log from OFFSET until the job is terminal and all are out.
#                Ends with the connection. If it ends and 'status' is not terminal, call it again.
# queue          One line per job, oldest first:
#                  job= name= status= submitted= started= ended= code= nodes= gpus= user= log=PATH
#                PATH is the folder of logs and reaches to the end of the line.
# status ID      The line of one job.
# wait ID        Waits until the job is terminal, then prints its line.
# cancel ID|all [GRACE]
#                TERM, after GRACE seconds (5) KILL, to every process of the job on every node.
#                Returns when they are gone, with a line per job.
# autostop MINUTES stop|down jobs_and_ssh|jobs|none, autostop off
#                Run the shutdown command on all nodes after MINUTES (decimals allowed) of idleness;
#                the command sees SOUK_SHUTDOWN_MODE=stop|down|limit. Prints 'autostop=...'. 0 minutes
#                is as soon as the watchdog is sure: after one of its intervals.
# limit SECONDS, limit off
#                The same, SECONDS from now whatever runs; jobs are cancelled first.
# idle           'idle=SECONDS', 0 while a job is not terminal.
# stop-all       Ends all jobs, their left-overs and the watchdog.
#
# Statuses: INIT PENDING SETTING_UP RUNNING, then one of SUCCEEDED FAILED FAILED_SETUP
# FAILED_DRIVER CANCELLED, which is final: state files are only appended to and the first terminal
# line wins. Verbs that begin with unit- or are not listed are for the script itself.
#
# FILES. ~/.souk/jobs/ID/: spec (key=value), state, driver (pid, start, boot id), alloc, scripts.
# ~/.souk/active/ID: the job still holds something. ~/.souk/units/: what a worker runs for the head.
# Logs: ~/souk_logs/ID-NAME/run.log (merged, with prefixes) and tasks/ (raw: run.log, setup.log;
# with several nodes RANK-head.log, RANK-workerN.log, setup-workerN.log).
#
# In tests: SOUK_WATCHDOG_INTERVAL (30), SOUK_RECONNECT_SECONDS (300), in seconds.

set -u
# A job may use souk itself; what that starts must not carry the mark of the outer job.
unset SOUK_JOB_KEY SOUK_NODE_KEY BASH_ENV ENV CDPATH
S=$HOME/.souk
J=$S/jobs
case $0 in
/*) me=$0 ;;
*) me=$PWD/$0 ;;
esac

die() { # STATUS TEXT
	printf 'souk-node: %s\n' "$2" >&2
	exit "$1"
}

pause() {
	sleep 0.05 2>/dev/null || sleep 1
}

safe() { # WHAT VALUE
	case $2 in
	*[!A-Za-z0-9._@:/+,~-]*) die 64 "$1: '$2' has a character that is not allowed here" ;;
	esac
}

number() { # WHAT VALUE [MAX]
	case $2 in
	'' | *[!0-9]* | 0?* | ????????????????*) die 64 "$1: not a whole number: '$2'" ;;
	esac
	[ "$2" -le "${3:-999999999999999}" ] || die 64 "$1: '$2' is over $3"
}

milli() { # WHAT VALUE: a decimal number to thousandths, in $m
	case $2 in
	*.*.* | .* | *.) die 64 "$1: not a number: '$2'" ;;
	*.*) m=${2#*.}000 ;;
	*) m=000 ;;
	esac
	number "$1" "${2%%.*}" 1000000
	m=${m%"${m#???}"}
	case $m in
	*[!0-9]*) die 64 "$1: not a number: '$2'" ;;
	esac
	m=$((${2%%.*} * 1000 + 1$m - 1000))
}

# Sets p_ppid, p_session and p_start of a live process; a zombie is dead.
proc_stat() { # PID
	p_start=
	{ IFS= read -r p_line <"/proc/$1/stat"; } 2>/dev/null || return 1
	# The name in parentheses may itself hold blanks and parentheses.
	# shellcheck disable=SC2086
	set -- ${p_line##*') '}
	case $1 in
	[ZX]) return 1 ;;
	esac
	p_ppid=$2 p_session=$4 p_start=${20}
}

proc_is() { # PID START: does that very process live?
	proc_stat "${1:-0}" && [ "$p_start" = "${2:-}" ]
}

read_uptime() { # seconds that no clock adjustment moves, in $up; the boot's id in $boot
	read -r up _ </proc/uptime
	up=${up%%.*}
	boot=-
	{ read -r boot </proc/sys/kernel/random/boot_id; } 2>/dev/null || boot=-
}

create() { # FILE TEXT: write a file that must not exist yet
	set -C
	{ printf '%s\n' "$2" >"$1"; } 2>/dev/null
	c_status=$?
	set +C
	return $c_status
}

lock() {
	exec 9>>"$S/lock"
	flock 9 || die 70 "cannot lock '$S/lock'"
}

unlock() {
	exec 9>&-
}

random() { # 128 random bits, in $word
	{ read -r word </proc/sys/kernel/random/uuid; } 2>/dev/null ||
		word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
}

need_job() { # ID
	number job "$1" 1000000000
	[ -f "$J/$1/spec" ] || die 66 "no job '$1' on this cluster"
}

# ---- What the machine is --------------------------------------------------------------------

load_cluster() {
	[ -f "$S/cluster" ] || die 64 "this machine has not been set up: '$S/cluster' is missing"
	c_name='' c_cloud='' c_region='' c_zone='' c_shutdown='' c_nodes=1 c_rank=0 c_gpus=0 c_cpus=1
	while IFS= read -r line; do
		v=${line#*=}
		case $line in
		cluster=*) c_name=$v ;;
		cloud=*) c_cloud=$v ;;
		region=*) c_region=$v ;;
		zone=*) c_zone=$v ;;
		nodes=*) c_nodes=$v ;;
		rank=*) c_rank=$v ;;
		gpus=*) c_gpus=$v ;;
		cpus=*) c_cpus=$v ;;
		shutdown=*) c_shutdown=$v ;;
		node=*)
			v=${v% * * *}
			eval "ip_${v%% *}=\${v#* }"
			;;
		esac
	done <"$S/cluster"
	c_key=
	{ read -r c_key <"$S/node-key"; } 2>/dev/null || :
	t_tail=0 t_sed=awk t_env=0
	# shellcheck disable=SC1091
	[ ! -f "$S/tools" ] || . "$S/tools"
}

# What the tools at hand can do, found by trying.
find_tools() {
	for tool in setsid flock awk sed grep find dd; do
		command -v $tool >/dev/null || die 69 "'$tool' is missing on this machine: install it"
	done
	t_tail=0 t_sed=awk t_env=0
	tail --pid=4194304 -s 0.01 -c +1 -f /dev/null 2>/dev/null && t_tail=1
	if [ "$(printf a | stdbuf -oL sed 's/^/x/' 2>/dev/null)" = xa ]; then
		t_sed=stdbuf
	elif [ "$(printf a | sed -u 's/^/x/' 2>/dev/null)" = xa ]; then
		t_sed=unbuffered
	fi
	printf 'a\0b\0' | grep -qzxF b || die 69 "this machine's grep has no -z: install GNU grep"
	env --default-signal=INT,QUIT true 2>/dev/null && t_env=1
	printf 't_tail=%s t_sed=%s t_env=%s\n' $t_tail $t_sed $t_env >"$S/tools"
}

init_line() { # LINE of the cluster description
	v=${1#*=}
	case $1 in
	cluster=* | cloud=* | region=* | zone=*) safe "${1%%=*}" "$v" ;;
	nodes=*)
		number nodes "$v" 10000
		c_nodes=$v
		;;
	rank=*)
		number rank "$v" 10000
		c_rank=$v
		;;
	gpus=*) number gpus "$v" 1024 ;;
	cpus=*) milli cpus "$v" ;;
	shutdown=*) ;;
	node=*)
		# shellcheck disable=SC2086
		set -f -- $v
		[ $# = 5 ] || die 64 "node: want RANK IP HOST PORT USER, got '$v'"
		number node "$1" 10000
		number port "$4" 65535
		safe ip "$2"
		safe host "$3"
		safe user "$5"
		seen=$((seen + 1))
		printf 'Host node%s\n\tHostName %s\n\tPort %s\n\tUser %s\n' \
			"$1" "$3" "$4" "$5" >>"$S/ssh_config.new"
		;;
	*) die 64 "init: unknown line '$1'" ;;
	esac
}

read_block() { # NAME FILE: verbatim lines up to 'end NAME'
	while IFS= read -r line; do
		[ "$line" != "end $1" ] || return 0
		printf '%s\n' "$line"
	done >"$2"
	die 64 "init: the block '$1' has no end"
}

cmd_init() {
	umask 077
	mkdir -p "$J" "$S/active" "$S/tokens" "$S/units" "$S/owed" "$HOME/souk_workdir" "$HOME/souk_logs"
	chmod 700 "$S"
	for link in sky_workdir:souk_workdir sky_logs:souk_logs; do
		[ -e "$HOME/${link%:*}" ] || [ -h "$HOME/${link%:*}" ] ||
			ln -s "${link#*:}" "$HOME/${link%:*}"
	done
	c_nodes=1 c_rank=0 seen=0 done=0
	: >"$S/cluster.new"
	printf 'Host *\n' >"$S/ssh_config.new"
	printf '\t%s\n' "IdentityFile \"$S/id\"" "UserKnownHostsFile \"$S/known_hosts\"" \
		'GlobalKnownHostsFile /dev/null' 'StrictHostKeyChecking yes' 'IdentitiesOnly yes' \
		'BatchMode yes' 'ConnectTimeout 10' 'ServerAliveInterval 15' \
		'ServerAliveCountMax 3' 'LogLevel ERROR' >>"$S/ssh_config.new"
	while IFS= read -r line; do
		case $line in
		end)
			done=1
			break
			;;
		'begin private-key') read_block private-key "$S/id.new" ;;
		'begin known-hosts') read_block known-hosts "$S/known_hosts.new" ;;
		*)
			init_line "$line"
			printf '%s\n' "$line" >>"$S/cluster.new"
			;;
		esac
	done
	[ $done = 1 ] || die 64 "init: the description has no 'end': it was cut off"
	[ "$seen" = "$c_nodes" ] || die 64 "init: nodes=$c_nodes, but $seen 'node=' lines"
	if [ "$c_rank" = 0 ] && [ "$c_nodes" -gt 1 ]; then
		[ -f "$S/id.new" ] || [ -f "$S/id" ] || die 64 'init: the head has no private-key'
	fi
	[ -s "$S/node-key" ] || { random && printf '%s\n' "$word" >"$S/node-key"; }
	[ -s "$S/tools" ] || find_tools
	# What an interrupted submit has left may hold secrets.
	find "$J" "$S/units" -name '.new-*' -prune -mtime +0 -exec rm -rf {} +
	for f in id known_hosts ssh_config cluster; do
		[ ! -f "$S/$f.new" ] || mv -f "$S/$f.new" "$S/$f"
	done
	load_cluster
	note_activity
	ensure_watchdog
	echo ready=1
}

# ---- State ----------------------------------------------------------------------------------

set_state() { # ID STATUS [CODE]
	printf '%s %s %s\n' "$2" "$(date +%s)" "${3:--}" >>"$J/$1/state"
}

is_terminal() { # STATUS
	case $1 in
	SUCCEEDED | FAILED | FAILED_SETUP | FAILED_DRIVER | CANCELLED) return 0 ;;
	esac
	return 1
}

get_state() { # ID: sets status, submitted, started, ended, code
	status=INIT submitted=- started=- ended=- code=-
	while read -r s t c; do
		status=$s
		case $s in
		INIT) submitted=$t ;;
		RUNNING) started=$t ;;
		esac
		if is_terminal "$s"; then
			ended=$t code=$c
			return
		fi
	done <"$J/$1/state"
}

get_driver() { # ID: sets d_pid, d_start, d_boot and its d_beacon
	d_pid='' d_start='' d_boot='' d_beacon=''
	{ read -r d_pid d_start d_boot d_beacon <"$J/$1/driver"; } 2>/dev/null || return 1
	[ -n "$d_beacon" ]
}

driver_lives() { # ID
	get_driver "$1" || return 1
	read_uptime
	[ "$d_boot" = "$boot" ] && proc_is "$d_pid" "$d_start"
}

# Like get_state, and finds out about a driver that died: the job is then FAILED_DRIVER and its
# processes are ended by a reaper.
check_job() { # ID
	get_state "$1"
	if is_terminal "$status" && [ ! -e "$S/active/$1" ]; then
		return
	fi
	! driver_lives "$1" || return 0
	# It may have ended in good order since the state was read.
	get_state "$1"
	if ! is_terminal "$status"; then
		if [ -z "$d_beacon" ] && [ "$(date +%s)" -lt $((submitted + 60)) ]; then
			return
		fi
		set_state "$1" FAILED_DRIVER
		get_state "$1"
	fi
	if [ -e "$S/active/$1" ]; then
		setsid sh "$me" reap "$1" </dev/null >>"$J/$1/driver.log" 2>&1 8>&- 9>&- &
	fi
}

poke() { # wake every driver, so that it looks whether its turn has come
	for f in "$S"/active/*; do
		[ -e "$f" ] || continue
		if get_driver "${f##*/}" && proc_is "$d_pid" "$d_start"; then
			kill -USR1 "$d_pid" 2>/dev/null
		fi
	done
}

note_activity() {
	read_uptime
	printf '%s %s\n' "$boot" "$up" >"$S/activity"
}

load_spec() { # ID
	id=$1 d=$J/$1 name='' num_nodes=1 gpus=0 user='' task_id='' key='' token=''
	while IFS= read -r line; do
		v=${line#*=}
		case $line in
		name=*) name=$v ;;
		num_nodes=*) num_nodes=$v ;;
		gpus=*) gpus=$v ;;
		user=*) user=$v ;;
		task_id=*) task_id=$v ;;
		key=*) key=$v ;;
		token=*) token=$v ;;
		esac
	done <"$d/spec"
	logs=$HOME/souk_logs/$id-$name
}

print_job() { # ID
	load_spec "$1"
	check_job "$1"
	printf 'job=%s name=%s status=%s submitted=%s started=%s ended=%s code=%s nodes=%s gpus=%s user=%s log=%s\n' \
		"$1" "$name" "$status" "$submitted" "$started" "$ended" "$code" "$num_nodes" \
		"$gpus" "$user" "$logs"
}

cmd_queue() {
	load_cluster
	ensure_watchdog
	last=0
	{ read -r last <"$J/last"; } 2>/dev/null || last=0
	i=0
	while [ $i -lt $((last + 1)) ]; do
		i=$((i + 1))
		[ ! -f "$J/$i/spec" ] || print_job $i
	done
}

# ---- Bytes ----------------------------------------------------------------------------------

part() { # BYTES FILE: take exactly so many bytes of stdin
	if [ "$1" = 0 ]; then
		: >"$2"
	else
		dd bs="$1" count=1 iflag=fullblock >"$2" 2>/dev/null ||
			die 70 "cannot write '$2': is the disk full?"
	fi
}

parts_end() { # the mark after the parts: nothing was cut off
	IFS= read -r line || line=
	[ "$line" = end ] || die 64 "$1: the input was cut off or its lengths are wrong"
}

# A process that others wait for keeps a beacon: a child that ends when it ends. tail --pid does not
# tell a zombie from a live process, and where nobody reaps orphans a zombie can stay for long; but
# the beacon is reaped by its parent.
light_beacon() { # sets $beacon: 'PID START', of this process itself where tail cannot follow
	beacon_pid=$$
	if [ $t_tail = 1 ]; then
		tail -s 1 --pid=$$ -f /dev/null 7>&- 8>&- 9>&- &
		beacon_pid=$!
	fi
	proc_stat $beacon_pid
	beacon="$beacon_pid $p_start"
}

douse_beacon() {
	[ "$beacon_pid" != $$ ] || return 0
	kill "$beacon_pid" 2>/dev/null
	wait "$beacon_pid" 2>/dev/null
}

# Write FILE from OFFSET on to stdout, as it grows, until the process is gone and all is out.
# Replaces the shell: call it in a subshell.
feed() { # FILE OFFSET PID START
	if ! proc_is "$3" "$4"; then
		exec tail -c +$(($2 + 1)) "$1"
	elif [ $t_tail = 1 ]; then
		exec tail -c +$(($2 + 1)) -s 0.02 --pid="$3" -f "$1" 2>/dev/null
	fi
	at=$2
	while :; do
		# First look whether the writer lives, then at the size: what it wrote last counts.
		live=1
		proc_is "$3" "$4" || live=0
		size=$(wc -c <"$1")
		if [ "$size" -gt "$at" ]; then
			tail -c +$((at + 1)) "$1" | head -c $((size - at)) || exit 1
			at=$size
		elif [ $live = 0 ]; then
			exit 0
		else
			pause
		fi
	done
}

# End the feeder when the connection that we serve is gone. sshd gives us a socket, of whose end tail
# does not hear while there is nothing to write; so watch the parent of the session's leader. Watch
# the writer too, whose beacon may be left over if it was killed.
guard() { # FEEDER PID START
	g_pid=0 g_start=0 g_gone=0
	if proc_stat $$ && proc_stat "$p_session"; then
		g_pid=$p_ppid
		proc_stat "$g_pid" && g_start=$p_start
	fi
	while kill -0 "$1" 2>/dev/null; do
		[ "$g_pid" = 0 ] || proc_is "$g_pid" "$g_start" || break
		proc_is "$2" "$3" || g_gone=$((g_gone + 1))
		[ $g_gone -lt 3 ] || break
		sleep 1
	done
	kill "$1" 2>/dev/null
}

# feed, but not longer than the connection lives
stream() { # FILE OFFSET PID START BEACON-PID BEACON-START
	(feed "$1" "$2" "$5" "$6") &
	feeder=$!
	guard $feeder "$3" "$4" >/dev/null 2>&1 </dev/null &
	guardian=$!
	trap 'kill $feeder $guardian 2>/dev/null; exit 1' TERM HUP INT PIPE
	wait $feeder
	kill $guardian 2>/dev/null
}

cmd_follow() { # ID OFFSET
	need_job "$1"
	number offset "$2"
	load_cluster
	await_driver "$1"
	load_spec "$1"
	# shellcheck disable=SC2086
	stream "$logs/run.log" "$2" "${d_pid:-0}" "$d_start" ${d_beacon:-0 0}
	check_job "$1"
}

await_driver() { # ID: until a driver is known, or the job is terminal
	until get_driver "$1"; do
		check_job "$1"
		! is_terminal "$status" || break
		pause
	done
	read_uptime
	[ "$d_boot" = "$boot" ] || d_pid=0 d_beacon='0 0'
}

cmd_wait() { # ID
	need_job "$1"
	load_cluster
	await_driver "$1"
	# shellcheck disable=SC2086
	stream /dev/null 0 "${d_pid:-0}" "$d_start" ${d_beacon:-0 0}
	print_job "$1"
}

# ---- Submit ---------------------------------------------------------------------------------

read_header() {
	name='' num_nodes=1 gpus=0 user='' task_id='' prefix='' token='' l_env=0 l_setup=0 l_run=0
	while IFS= read -r line; do
		v=${line#*=}
		case $line in
		'') return ;;
		env=*) number env "$v" 16777216 && l_env=$v ;;
		setup=*) number setup "$v" 16777216 && l_setup=$v ;;
		run=*) number run "$v" 16777216 && l_run=$v ;;
		num_nodes=*) number num_nodes "$v" 10000 && num_nodes=$v ;;
		gpus=*) milli gpus "$v" && gpus=$v g_milli=$m ;;
		*) safe "${line%%=*}" "$v" ;;
		esac
		case $line in
		name=*) name=$v ;;
		user=*) user=$v ;;
		task_id=*) task_id=$v ;;
		task_id_prefix=*) prefix=$v ;;
		token=*) token=$v ;;
		esac
	done
	die 64 'submit: the header was cut off'
}

check_header() {
	case $name in
	'' | *[!A-Za-z0-9._-]* | [!A-Za-z0-9_]*) die 64 "name: not a job's name: '$name'" ;;
	esac
	case $token in
	*/* | .*) die 64 "token: not allowed: '$token'" ;;
	esac
	if [ "$num_nodes" = 0 ] || [ "$num_nodes" -gt "$c_nodes" ]; then
		die 64 "num_nodes: '$num_nodes' wanted, but the cluster has $c_nodes"
	fi
	[ "${g_milli:=0}" -le $((c_gpus * 1000)) ] ||
		die 64 "gpus: '$gpus' wanted per node, but a node has $c_gpus"
}

# Does the watchdog switch the machine off at this moment? What one left that is gone, with a reboot
# or without, means nothing.
is_ending() {
	{ read -r e_pid <"$S/ending"; } 2>/dev/null || return 1
	watchdog_lives && [ "$w_pid" = "$e_pid" ]
}

# Give the job in $new a number, unless its token has one. The caller holds the lock.
allocate_id() {
	if [ -n "$token" ] && { read -r id <"$S/tokens/$token"; } 2>/dev/null; then
		# The note is made first, so it can be of a submit that died there.
		t=
		{ read -r t <"$J/$id/token"; } 2>/dev/null || t=
		if [ "$t" = "$token" ]; then
			rm -rf "$new"
			return
		fi
	fi
	id=0
	{ read -r id <"$J/last"; } 2>/dev/null || id=0
	id=$((id + 1))
	while [ -e "$J/$id" ]; do
		id=$((id + 1))
	done
	[ -n "$task_id" ] || task_id=$prefix$id
	printf '%s\n' "name=$name" "num_nodes=$num_nodes" "gpus=$gpus" "user=$user" \
		"task_id=$task_id" "token=$token" "key=$word" >"$new/spec"
	printf '%s\n' "$token" >"$new/token"
	set_state "${new##*/}" INIT
	mkdir -p "$HOME/souk_logs/$id-$name/tasks"
	: >>"$HOME/souk_logs/$id-$name/run.log"
	[ -z "$token" ] || printf '%s\n' "$id" >"$S/tokens/$token"
	: >"$S/active/$id"
	mv "$new" "$J/$id" || die 70 "cannot make '$J/$id'"
	printf '%s\n' "$id" >"$J/last"
	note_activity
}

cmd_submit() {
	old_umask=$(umask)
	umask 077
	load_cluster
	read_header
	check_header
	random
	new=$J/.new-$word
	mkdir "$new" || die 70 "cannot make '$new'"
	trap 'rm -rf "$new"' EXIT
	part "$l_env" "$new/env"
	[ "$l_setup" = 0 ] || part "$l_setup" "$new/setup"
	part "$l_run" "$new/run"
	parts_end submit
	lock
	! is_ending || die 75 'the machine is being switched off; launch again'
	allocate_id
	trap - EXIT
	# Whoever comes second leaves again at once: the driver's file can be made only once.
	if ! get_driver "$id"; then
		setsid sh "$me" driver "$id" "$old_umask" </dev/null >>"$J/$id/driver.log" 2>&1 9>&- &
	fi
	unlock
	echo "job=$id"
	ensure_watchdog
	[ "${1-}" != follow ] || cmd_follow "$id" 0
}

# ---- Processes of a unit: one script on one node -------------------------------------------

# The pids that belong to a unit: marked in their environment, in the session of its script, or
# descended from one that is. Whatever forks, double-forks or makes sessions keeps the mark.
scan() { # VARIABLE=MARK ROOT START
	{
		grep -lszxF "$1" /proc/[0-9]*/environ
		cat /proc/[0-9]*/stat
	} 2>/dev/null | awk -v root="$2" -v start="$3" '
	/^\/proc\// { split($0, a, "/"); marked[a[3]] = 1; next }
	{
		s = $0
		sub(/^.*\) /, "", s)
		split(s, f, " ")
		if (f[1] != "Z" && f[1] != "X") {
			parent[$1] = f[2]; session[$1] = f[4]; began[$1] = f[20]
		}
	}
	END {
		# A number that was given to another process since then means nothing.
		if (root in parent && began[root] != start)
			root = 0
		for (p in parent)
			if (p in marked || root && (p == root || session[p] == root))
				mine[p] = 1
		do {
			more = 0
			for (p in parent)
				if (!(p in mine) && (parent[p] in mine || session[p] in mine)) {
					mine[p] = 1
					more = 1
				}
		} while (more)
		for (p in mine)
			if (p in parent)
				printf "%s ", p
	}'
}

kill_tree() { # VARIABLE=MARK PIDFILE GRACE
	k_root=0 k_start=0 k_told=' '
	{ read -r k_root k_start <"$2"; } 2>/dev/null || k_root=0
	read_uptime
	k_kill=$((up + $3)) k_end=$((up + $3 + 30))
	while :; do
		k_pids=$(scan "$1" "${k_root:-0}" "${k_start:-0}")
		[ -n "$k_pids" ] || return 0
		read_uptime
		[ "$up" -lt $k_end ] || return 1
		if [ "$3" = 0 ] || [ "$up" -ge $k_kill ]; then
			# shellcheck disable=SC2086
			kill -KILL $k_pids 2>/dev/null
		else
			for p in $k_pids; do
				case $k_told in
				*" $p "*) continue ;;
				esac
				# A stopped process hears of TERM only after CONT.
				kill -TERM "$p" 2>/dev/null
				kill -CONT "$p" 2>/dev/null
				k_told="$k_told$p "
			done
		fi
		pause
	done
}

# Become the user's script, in a session of its own. bash reads $BASH_ENV before the script, so
# the user's text stays in a file of its own, as it was written. A shell starts what it puts in
# the background with INT and QUIT ignored, and a script could not undo that; env does.
run_script() { # MARK PRE ENV SCRIPT
	umask "$old_umask"
	export SOUK_JOB_KEY="$1" SOUK_NODE_KEY="$c_key" SOUK_UNIT_ENV="$3"
	cd "$HOME" || exit 1
	if command -v bash >/dev/null; then
		export BASH_ENV="$2"
		set -- bash "$4"
	else
		# shellcheck disable=SC2016
		set -- sh -c 'SOUK_SCRIPT=$2; . "$1"; set --; . "$SOUK_SCRIPT"' sh "$2" "$4"
	fi
	set -- setsid "$@"
	[ "$t_env" != 1 ] || set -- env --default-signal=INT,QUIT "$@"
	exec "$@"
}

# The exit status of a child, in $u_code. A wait that a signal ends gives 128 + N too, and bash lets a
# signal that its parent got at the moment of the fork end it. So a status over 128 is asked for
# again: bash then repeats it, the others say 127 for a child that was waited for.
wait_for() { # PID
	wait "$1"
	u_code=$?
	while [ $u_code -gt 128 ]; do
		w_first=$u_code w_there=0
		! kill -0 "$1" || w_there=1
		wait "$1"
		u_code=$?
		if [ $w_there = 0 ]; then
			[ $u_code != 127 ] || u_code=$w_first
			[ $u_code != "$w_first" ] || break
		fi
	done 2>/dev/null
}

# Run a unit and wait for it. What a run leaves behind ends with it, for its GPUs are given to the
# next job; what a set-up leaves (a database, say) is there for the run.
run_unit() { # KIND MARK PRE ENV SCRIPT OUT BASE STARTED ENDED: makes BASE.pid and BASE.code
	u_kind=$1 u_mark=$2 u_out=$6 u_base=$7
	(run_script "$2" "$3" "$4" "$5") </dev/null >>"$u_out" 2>&1 &
	u_pid=$!
	proc_stat $u_pid
	printf '%s %s\n' $u_pid "${p_start:-0}" >"$u_base.pid"
	"$8"
	wait_for $u_pid
	printf '%s\n' "$u_code" >"$u_base.code"
	"$9"
	[ "$u_kind" != run ] || kill_tree "SOUK_JOB_KEY=$u_mark" "$u_base.pid" 5
}

# ---- The worker's side: units that the head puts, attaches to and ends ---------------------
# A unit is named KEY.KIND.NODE, which with a dot behind it is also its mark.

need_unit() { # NAME
	safe unit "$1"
	case $1 in
	*/* | .* | *..*) die 64 "unit: not allowed: '$1'" ;;
	esac
	u=$S/units/$1
}

cmd_unit_put() { # NAME
	need_unit "$1"
	umask 077
	find "$S/units" -mindepth 2 -name 'done' -mtime +0 2>/dev/null | while IFS= read -r f; do
		rm -rf "${f%/done}"
	done
	l_pre=0 l_env=0 l_script=0
	while IFS= read -r line; do
		case $line in
		'') break ;;
		pre=*) number pre "${line#*=}" && l_pre=${line#*=} ;;
		env=*) number env "${line#*=}" && l_env=${line#*=} ;;
		script=*) number script "${line#*=}" && l_script=${line#*=} ;;
		esac
	done
	random
	new=$S/units/.new-$word
	mkdir "$new" || die 70 "cannot make '$new'"
	trap 'rm -rf "$new"' EXIT
	part "$l_pre" "$new/pre"
	part "$l_env" "$new/env"
	part "$l_script" "$new/script"
	parts_end unit-put
	printf '' >"$new/out"
	lock
	[ -d "$u" ] || mv "$new" "$u" || die 70 "cannot make '$u'"
	echo ready=1
}

cmd_unit_run() { # NAME UMASK
	need_unit "$1"
	umask 077
	old_umask=$2
	load_cluster
	light_beacon
	proc_stat $$
	create "$u/runner" "$$ $p_start $beacon" || {
		douse_beacon
		exit 0
	}
	kind=${1#*.}
	kind=${kind%.*}
	[ -e "$u/killed" ] ||
		run_unit "$kind" "$1." "$u/pre" "$u/env" "$u/script" "$u/out" "$u/unit" : :
	rm -f "$u/env" "$u/pre"
	: >"$u/done"
	douse_beacon
}

# Start the unit if it has not been, say 'pid=PID', then its output from OFFSET on; when all is out,
# 'souk-exit=CODE SIZE' on stderr. Without that line the head knows that the connection broke.
cmd_unit_attach() { # NAME OFFSET
	need_unit "$1"
	number offset "$2"
	[ -d "$u" ] || die 66 "no unit '$1' on this machine"
	load_cluster
	if [ ! -e "$u/runner" ]; then
		setsid sh "$me" unit-run "$1" "$(umask)" </dev/null >/dev/null 2>>"$u/errors" &
	fi
	tries=0
	until [ -s "$u/unit.pid" ] || [ -e "$u/done" ]; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || die 70 "the unit '$1' did not start"
		pause
	done
	u_pid=0
	{ read -r u_pid _ <"$u/unit.pid"; } 2>/dev/null || u_pid=0
	read -r r_pid r_start r_beacon <"$u/runner"
	echo "pid=$u_pid"
	# shellcheck disable=SC2086
	stream "$u/out" "$2" "$r_pid" "$r_start" $r_beacon
	u_code=137
	{ read -r u_code <"$u/unit.code"; } 2>/dev/null || u_code=137
	echo "souk-exit=$u_code $(wc -c <"$u/out")" >&2
}

cmd_unit_kill() { # NAME GRACE
	need_unit "$1"
	number grace "$2" 86400
	umask 077
	# A unit that has not come or not begun will not: its place is taken. One that is about to
	# begin either sees the mark 'killed' or tells its pid.
	mkdir -p "$u"
	: >"$u/killed"
	if create "$u/runner" '0 0 0 0'; then
		: >>"$u/out"
		: >"$u/done"
	fi
	r_pid=0 r_start=0
	read -r r_pid r_start _ <"$u/runner" || r_pid=0
	until [ -s "$u/unit.pid" ] || [ -e "$u/done" ] || ! proc_is "$r_pid" "$r_start"; do
		pause
	done
	kill_tree "SOUK_JOB_KEY=$1." "$u/unit.pid" "$2" || die 70 "processes of '$1' do not end"
	rm -f "$u/env" "$u/pre"
}

# ---- The driver: one process per job, on the head ------------------------------------------

nap() { # SECONDS, or until a signal comes
	sleep "$1" 8>&- 9>&- &
	nap_pid=$!
	[ $woken = 1 ] || wait $nap_pid 2>/dev/null
	kill $nap_pid 2>/dev/null
	woken=0
}

poke_driver() { # from a child of the driver, whose pid is $$ there too
	proc_is $$ "$drv_start" && kill -USR1 $$ 2>/dev/null
}

say() {
	printf 'souk: %s\n' "$1" >>"$logs/run.log"
}

ssh_node() { # NODE COMMAND
	case $me in
	"$HOME"/*) ssh -F "$S/ssh_config" "node$1" "sh ~/${me#"$HOME"/} $2" ;;
	*) ssh -F "$S/ssh_config" "node$1" "sh $me $2" ;;
	esac
}

each_gpu() { # LIST COMMAND...: run COMMAND with each of a list with commas, unless it is '-'
	e_list=$1
	shift
	while [ "$e_list" != - ] && [ -n "$e_list" ]; do
		"$@" "${e_list%%,*}"
		case $e_list in
		*,*) e_list=${e_list#*,} ;;
		*) e_list= ;;
		esac
	done
}

use_gpu() { # NODE MILLI GPU
	eval "gpu_$1_$3=\$((\${gpu_$1_$3:-0} + $2))"
}

# GPUs of a node for this job, in $picked; fails if there are too few. A part of one goes where
# another part already is, so that whole ones stay free.
pick_gpus() { # NODE
	picked='' part_free='' whole_free='' want=$(((g_milli + 999) / 1000)) g=0
	if [ "$g_milli" = 0 ]; then
		picked=-
		return 0
	fi
	while [ $g -lt "$c_gpus" ]; do
		used=0
		eval "used=\${gpu_$1_$g:-0}"
		if [ "$used" = 0 ]; then
			[ "$want" = 0 ] || whole_free=${whole_free:+$whole_free,}$g want=$((want - 1))
		elif [ $((used + g_milli)) -le 1000 ]; then
			part_free=${part_free:-$g}
		fi
		g=$((g + 1))
	done
	if [ "$g_milli" -lt 1000 ] && [ -n "$part_free" ]; then
		picked=$part_free
	elif [ "$want" = 0 ]; then
		picked=$whole_free
	else
		return 1
	fi
}

count_used() { # fills cpu_N and gpu_N_G; fails if an earlier job is still waiting
	node=0
	while [ $node -lt "$c_nodes" ]; do
		eval "cpu_$node=0"
		g=0
		while [ $g -lt "$c_gpus" ]; do
			eval "gpu_${node}_$g=0"
			g=$((g + 1))
		done
		node=$((node + 1))
	done
	for entry in "$S"/active/*; do
		other=${entry##*/}
		if [ "$other" = "$id" ] || [ ! -e "$entry" ]; then
			continue
		fi
		check_job "$other"
		if [ -s "$J/$other/alloc" ]; then
			while read -r node list per; do
				eval "cpu_$node=\$((cpu_$node + 500))"
				each_gpu "$list" use_gpu "$node" "$per"
			done <"$J/$other/alloc"
		elif [ "$other" -lt "$id" ] && ! is_terminal "$status"; then
			return 1
		fi
	done
}

# Take nodes, GPUs and half a CPU on each, if it is this job's turn. The caller holds the lock.
try_alloc() {
	count_used || return 1
	milli cpus "$c_cpus"
	cpu_all=$m
	milli gpus "$gpus"
	g_milli=$m per=$m
	[ "$g_milli" -lt 1000 ] || per=1000
	alloc='' chosen='' left=$num_nodes node=0
	while [ $node -lt "$c_nodes" ] && [ "$left" -gt 0 ]; do
		eval "used=\$cpu_$node"
		if { [ "$used" = 0 ] || [ $((used + 500)) -le "$cpu_all" ]; } && pick_gpus $node; then
			alloc="$alloc$node $picked $per
"
			chosen=${chosen:+$chosen }$node
			eval "gpus_$node=\$picked"
			left=$((left - 1))
		fi
		node=$((node + 1))
	done
	[ "$left" = 0 ] && printf %s "$alloc" >"$d/alloc"
}

acquire() {
	until [ $cancelled = 1 ]; do
		lock
		if try_alloc; then
			unlock
			poke
			return 0
		fi
		unlock
		nap 5
	done
	return 1
}

var() { # NAME VALUE
	printf "export SOUK_%s='%s' SKYPILOT_%s='%s'\n" "$1" "$2" "$1" "$2"
}

ips_of() { # NODE...: their addresses, one per line, in $ips
	ips='' ip=''
	for node; do
		eval "ip=\$ip_$node"
		ips=${ips:+$ips
}$ip
	done
}

# What the shell reads before the user's script. Ours come after the user's, who may not change
# them; the usual names of launchers come before, so that the user may.
write_pre() { # KIND NODE RANK NODES...
	w_kind=$1 w_node=$2 w_rank=$3
	shift 3
	ips_of "$@"
	gpus_up=$(((g_milli + 999) / 1000))
	# shellcheck disable=SC2016
	printf '%s\n' 'unset BASH_ENV' \
		'[ -z "${BASH_VERSION-}" ] || [ ! -f ~/.bashrc ] || . ~/.bashrc' \
		'# The usual .bashrc ends early in scripts, before it comes to conda.' \
		'command -v conda >/dev/null 2>&1 ||' \
		'	for SOUK_I in ~/miniconda3 ~/anaconda3 ~/miniforge3 /opt/conda; do' \
		'		[ ! -f "$SOUK_I/etc/profile.d/conda.sh" ] || . "$SOUK_I/etc/profile.d/conda.sh"' \
		'	done' 'unset SOUK_I' 'set +e' 'export PYTHONUNBUFFERED=1'
	if [ "$w_kind" = run ] && [ "$num_nodes" -gt 1 ]; then
		local_size=$gpus_up
		[ "$local_size" != 0 ] || local_size=1
		echo "export MASTER_ADDR='${ips%%[!0-9A-Za-z.:_-]*}' MASTER_PORT=$((29500 + id % 2000))" \
			"NODE_RANK=$w_rank WORLD_SIZE=$((num_nodes * local_size))" \
			"LOCAL_WORLD_SIZE=$local_size"
	fi
	# shellcheck disable=SC2016
	echo '. "$SOUK_UNIT_ENV"; unset SOUK_UNIT_ENV'
	var NUM_NODES "$num_nodes"
	var TASK_ID "$task_id"
	var USER "$user"
	var CLUSTER_INFO "{\"cluster_name\": \"$c_name\", \"cloud\": \"$c_cloud\", \"region\": \"$c_region\", \"zone\": \"$c_zone\"}"
	if [ "$w_kind" = setup ]; then
		var SETUP_NODE_RANK "$w_rank"
		var SETUP_NODE_IPS "$ips"
		var SETUP_NUM_GPUS_PER_NODE "$c_gpus"
		echo 'unset CUDA_VISIBLE_DEVICES'
	else
		var NODE_RANK "$w_rank"
		var NODE_IPS "$ips"
		var NUM_GPUS_PER_NODE "$gpus_up"
		var INTERNAL_JOB_ID "$id"
		eval "picked=\$gpus_$w_node"
		echo "export CUDA_VISIBLE_DEVICES='${picked#-}'"
	fi
	# shellcheck disable=SC2016
	echo 'cd "$HOME/souk_workdir" || exit 1'
}

label() { # NODE RANK: where a unit's raw output goes, and its prefix around the pid
	case $1 in
	0) l_who=head l_end=') ' ;;
	*)
		eval "ip=\$ip_$1"
		l_who=worker$1 l_end=", ip=$ip) "
		;;
	esac
	if [ "$kind" = setup ]; then
		case $1 in
		0) l_raw=setup.log ;;
		*) l_raw=setup-$l_who.log ;;
		esac
		l_begin="(setup on $l_who, pid="
		[ "$c_nodes" != 1 ] || l_begin='(setup, pid='
	elif [ "$num_nodes" = 1 ]; then
		l_raw=run.log l_begin="($name, pid=" l_end=') '
	else
		l_raw=$2-$l_who.log l_begin="($l_who, rank=$2, pid="
	fi
	l_raw=$logs/tasks/$l_raw
	: >>"$l_raw"
}

# Put the prefix before each line as soon as it is there. The input ends with the job's key, which
# shows whether the last line had an end. sed writes a long line in pieces; where several write to
# one log, grep makes each line one write. awk is for busybox; there a NUL byte ends a line.
prefix() { # TEXT
	case $t_sed$many in
	stdbuf0) LC_ALL=C stdbuf -oL sed -e "/^$key\$/d" -e "s/$key\$//" -e "s/^/$1/" ;;
	stdbuf1)
		LC_ALL=C stdbuf -oL sed -e "/^$key\$/d" -e "s/$key\$//" -e "s/^/$1/" |
			LC_ALL=C stdbuf -o1M grep -a --line-buffered ''
		;;
	unbuffered?) LC_ALL=C sed -u -e "/^$key\$/d" -e "s/$key\$//" -e "s/^/$1/" ;;
	*)
		# shellcheck disable=SC2016
		LC_ALL=C awk -v key="$key" -v text="$1" '{
			n = length($0) - length(key)
			if (n == 0 && $0 == key)
				next
			if (n > 0 && substr($0, n + 1) == key)
				$0 = substr($0, 1, n)
			print text $0
			fflush()
		}'
		;;
	esac >>"$logs/run.log"
}

# As a child of the one that waits for the unit: merge its output into run.log until that one ends.
start_merge() {
	{
		{
			(feed "$l_raw" 0 "$self" "$self_start")
			printf '%s\n' "$key"
		} | prefix "$l_begin$u_pid$l_end"
		: >"$d/$tag.drained"
		poke_driver
	} </dev/null &
}

note_code() {
	printf '%s %s\n' "$unit_node" "$u_code" >>"$d/$kind.codes"
	[ "$u_code" = 0 ] || poke_driver
}

launch() { # NODE RANK
	tag=$kind-$1 unit_node=$1
	label "$1" "$2"
	(
		trap - EXIT USR1 TERM HUP INT
		read -r self _ </proc/self/stat
		proc_stat "$self"
		self_start=$p_start
		if [ "$1" = 0 ]; then
			run_unit "$kind" "$key.$kind.0." "$d/$tag.pre" "$d/env" "$d/$kind" "$l_raw" \
				"$d/$tag" start_merge note_code
		else
			attach_node "$1"
		fi
	) &
}

receive() { # what unit-attach writes
	IFS= read -r hello || return 0
	case $hello in
	pid=*) ;;
	*) return 0 ;;
	esac
	: >"$d/$tag.contact"
	if [ ! -s "$d/$tag.pid" ]; then
		u_pid=${hello#pid=}
		printf '%s\n' "$u_pid 0" >"$d/$tag.pid"
		start_merge
	fi
	exec cat >>"$l_raw"
}

# Follow a unit on a worker to its end, over as many connections as it takes: a lost connection
# says nothing of the job. Gives up when none could be made for SOUK_RECONNECT_SECONDS.
attach_node() { # NODE
	read_uptime
	lost=$up
	while :; do
		rm -f "$d/$tag.contact"
		at=$(wc -c <"$l_raw")
		ssh_node "$1" "unit-attach $key.$kind.$1 $((at))" </dev/null 2>"$d/$tag.err" | receive
		u_code='' u_size=0
		while read -r line; do
			case $line in
			souk-exit=*)
				u_code=${line#*=}
				u_size=${u_code#* } u_code=${u_code%% *}
				;;
			esac
		done <"$d/$tag.err"
		[ -z "$u_code" ] || [ "$(wc -c <"$l_raw")" -lt "$u_size" ] || break
		read_uptime
		[ ! -e "$d/$tag.contact" ] || lost=$up
		u_code=137
		[ ! -e "$d/$kind.stop" ] || break
		proc_is $$ "$drv_start" || break
		if [ $((up - lost)) -ge "${SOUK_RECONNECT_SECONDS:-300}" ]; then
			u_code=255
			say "worker$1 could not be reached for $((up - lost)) s; its rank counts as failed"
			break
		fi
		sleep 1
	done
	note_code
	if [ ! -s "$d/$tag.pid" ]; then
		: >"$d/$tag.drained"
		poke_driver
	fi
}

put_node() { # NODE: bring a unit to a worker; leaves .put with 'ok' or 'failed'
	tag=$kind-$1
	read_uptime
	until=$((up + ${SOUK_RECONNECT_SECONDS:-300}))
	while :; do
		pay_debts "$1"
		{
			for p in "pre=$d/$tag.pre" "env=$d/env" "script=$d/$kind"; do
				echo "${p%%=*}=$(($(wc -c <"${p#*=}")))"
			done
			echo
			cat "$d/$tag.pre" "$d/env" "$d/$kind"
			echo end
		} | ssh_node "$1" "unit-put $key.$kind.$1" >/dev/null 2>"$d/$tag.err"
		put_status=$?
		put=ok
		[ $put_status != 0 ] || break
		put=failed
		read_uptime
		# 255 is ssh's own: no connection. Anything else is an answer.
		if [ $put_status != 255 ] || [ "$up" -ge $until ] || [ -e "$d/$kind.stop" ] ||
			! proc_is $$ "$drv_start"; then
			read -r line <"$d/$tag.err" || line="ssh ended with status $put_status"
			say "cannot start on worker$1: $line"
			break
		fi
		sleep 1
	done
	echo "$put" >"$d/$tag.put"
	poke_driver
}

put_all() { # NODE...: no unit starts before each worker has its own
	for n; do
		if [ "$n" != 0 ]; then
			put_node "$n" &
		fi
	done
	while [ $cancelled = 0 ]; do
		missing=0
		for n; do
			[ "$n" != 0 ] || continue
			answer=
			{ read -r answer <"$d/$kind-$n.put"; } 2>/dev/null || missing=1
			[ "$answer" != failed ] || return 1
		done
		[ $missing = 1 ] || return 0
		nap 5
	done
	return 1
}

kill_units() { # KIND GRACE NODE...: end these units, on all nodes at once
	ku_kind=$1 ku_grace=$2 ku_pids=
	shift 2
	: >"$d/$ku_kind.stop"
	for n; do
		if [ "$n" = 0 ]; then
			kill_tree "SOUK_JOB_KEY=$key.$ku_kind.0." "$d/$ku_kind-0.pid" "$ku_grace" &
		else
			kill_remote "$n" &
		fi
		ku_pids="$ku_pids $!"
	done
	for p in $ku_pids; do
		# A signal ends wait, but not what it waits for.
		while kill -0 "$p" 2>/dev/null; do
			wait "$p"
		done
	done
}

kill_remote() { # NODE
	for try in 1 2 3; do
		ssh_node "$1" "unit-kill $key.$ku_kind.$1 $ku_grace" </dev/null && return
		echo "cannot end '$ku_kind' on worker$1 (try $try)" >&2
		sleep 1
	done
	: >"$S/owed/$1-$key.$ku_kind.$1"
}

pay_debts() { # NODE: end what could not be reached when it had to be ended
	for f in "$S/owed/$1"-*; do
		if [ -e "$f" ] && ssh_node "$1" "unit-kill ${f#"$S/owed/$1"-} 5" </dev/null; then
			rm -f "$f"
		fi
	done
}

first_failure() { # in $f_node and $f_code, in the order of time
	f_node='' f_code=0
	[ -f "$d/$kind.codes" ] || return 1
	while read -r f_node f_code; do
		[ "$f_code" = 0 ] || return 0
	done <"$d/$kind.codes"
	f_code=0
	return 1
}

describe_failure() { # NODES...: ranks that had not ended by themselves get 137
	f_list='' rank=0
	for n; do
		c=137
		while read -r f_n f_c; do
			[ "$f_n" != "$n" ] || c=$f_c
		done <"$d/$kind.codes"
		f_list="$f_list $c"
		[ "$n" != "$f_node" ] || f_rank=$rank
		rank=$((rank + 1))
	done
	printf '%s\n' "${f_list# }" >"$d/$kind.ranks"
	[ $many = 0 ] ||
		say "$kind of rank $f_rank ended with status $f_code, so the others are stopped (statuses:$f_list)"
}

# Run a script on nodes together. 0: all succeeded; 1: the status of the first that failed is in
# $f_code; 2: cancelled.
phase() { # KIND NODE...
	kind=$1
	shift
	many=0 stopped=0 rank=0
	[ $# = 1 ] || many=1
	for n; do
		write_pre "$kind" "$n" $rank "$@" >"$d/$kind-$n.pre"
		rank=$((rank + 1))
	done
	if ! put_all "$@"; then
		f_code=255
		kill_units "$kind" 0 "$@"
		return $((1 + cancelled))
	fi
	rank=0
	for n; do
		launch "$n" $rank
		rank=$((rank + 1))
	done
	while :; do
		open=0
		for n; do
			[ -e "$d/$kind-$n.drained" ] || open=1
		done
		if [ $stopped = 0 ] && first_failure; then
			stopped=1
			describe_failure "$@"
			[ $open = 0 ] || kill_units "$kind" 5 "$@"
		elif [ $stopped = 0 ] && [ $cancelled = 1 ]; then
			stopped=1
			read_grace
			kill_units "$kind" "$grace" "$@"
		elif [ $open = 0 ]; then
			break
		else
			nap 5
		fi
	done
	[ $cancelled = 0 ] || return 2
	[ "$f_code" = 0 ] || return 1
}

read_grace() {
	grace=5
	{ read -r grace <"$d/grace"; } 2>/dev/null || grace=5
}

release() { # the job holds nothing any more
	rm -f "$d/env" "$d"/*.pre "$S/active/$id"
	note_activity
	poke
}

driver_exit() {
	trap - EXIT
	get_state "$id"
	if ! is_terminal "$status"; then
		if [ "$cancelled" = 1 ]; then
			set_state "$id" CANCELLED
		else
			set_state "$id" FAILED_DRIVER
			# shellcheck disable=SC2086
			[ -z "$kind" ] || kill_units "$kind" 5 $nodes
		fi
	fi
	release
	douse_beacon
}

all_nodes() { # in $nodes
	nodes='' node=0
	while [ $node -lt "$c_nodes" ]; do
		nodes="$nodes $node"
		node=$((node + 1))
	done
}

cmd_driver() { # ID UMASK
	umask 077
	old_umask=$2 woken=0 cancelled=0 kind='' nodes=''
	load_cluster
	load_spec "$1"
	trap 'woken=1' USR1
	trap 'cancelled=1 woken=1' TERM HUP INT
	light_beacon
	proc_stat $$
	drv_start=$p_start
	read_uptime
	create "$d/driver" "$$ $drv_start $boot $beacon" || {
		douse_beacon
		exit 0
	}
	trap driver_exit EXIT
	get_state "$id"
	! is_terminal "$status" || exit 0
	set_state "$id" PENDING
	acquire || exit 0
	if [ -f "$d/setup" ]; then
		set_state "$id" SETTING_UP
		all_nodes
		# shellcheck disable=SC2086
		phase setup $nodes || {
			[ $cancelled = 1 ] || set_state "$id" FAILED_SETUP "$f_code"
			exit 0
		}
	fi
	set_state "$id" RUNNING
	# shellcheck disable=SC2086
	nodes=$chosen
	# shellcheck disable=SC2086
	if phase run $nodes; then
		set_state "$id" SUCCEEDED 0
	elif [ $cancelled = 0 ]; then
		set_state "$id" FAILED "$f_code"
	fi
}

# Clean up after a driver that died.
cmd_reap() { # ID
	umask 077
	load_cluster
	load_spec "$1"
	exec 7>>"$d/reap.lock"
	flock -n 7 || exit 0
	[ -e "$S/active/$id" ] || exit 0
	many=0
	all_nodes
	read_grace
	for k in setup run; do
		# shellcheck disable=SC2086
		[ ! -f "$d/$k" ] || [ ! -s "$d/alloc" ] || kill_units $k "$grace" $nodes
	done
	release
}

# ---- Cancel, stop ---------------------------------------------------------------------------

cancel_jobs() { # GRACE ID...
	grace=$1
	shift
	for i; do
		get_state "$i"
		if is_terminal "$status" && [ ! -e "$S/active/$i" ]; then
			continue
		fi
		printf '%s\n' "$grace" >"$J/$i/grace"
		is_terminal "$status" || set_state "$i" CANCELLED
		! driver_lives "$i" || kill -TERM "$d_pid" 2>/dev/null
	done
	read_uptime
	c_end=$((up + grace + 90)) round=0
	for i; do
		while [ -e "$S/active/$i" ]; do
			# Where the driver is dead this starts the reaper.
			[ $((round % 40)) != 0 ] || check_job "$i"
			round=$((round + 1))
			pause
			read_uptime
			if [ "$up" -ge $c_end ] && driver_lives "$i"; then
				kill -KILL "$d_pid"
				c_end=$((up + 60))
			elif [ "$up" -ge $c_end ]; then
				die 70 "job '$i' is cancelled, but its processes do not end"
			fi
		done
	done
}

active_ids() { # in $ids
	ids=
	for f in "$S"/active/*; do
		[ ! -e "$f" ] || ids="$ids ${f##*/}"
	done
}

cmd_cancel() { # ID|all [GRACE]
	load_cluster
	number grace "${2:-5}" 86400
	ids=$1
	if [ "$1" = all ]; then
		active_ids
	else
		need_job "$1"
	fi
	# shellcheck disable=SC2086
	cancel_jobs "${2:-5}" $ids
	for i in $ids; do
		print_job "$i"
	done
}

cmd_stop_all() {
	umask 077
	load_cluster
	rm -f "$S/autostop" "$S/limit"
	stop_watchdog
	active_ids
	# shellcheck disable=SC2086
	cancel_jobs 2 $ids
	if [ "$c_rank" = 0 ]; then
		node=1
		while [ $node -lt "$c_nodes" ]; do
			ssh_node $node stop-all </dev/null >/dev/null &
			node=$((node + 1))
		done
	fi
	# Services that a set-up has left.
	kill_tree "SOUK_NODE_KEY=$c_key" /dev/null 2
	wait
	echo stopped=1
}

# ---- Idleness -------------------------------------------------------------------------------

# Is somebody logged in with a terminal? Machines of the local provider share one kernel, so only
# sessions with our HOME count.
terminals() {
	on_pty=$(cat /proc/[0-9]*/stat 2>/dev/null | awk '
	{
		s = $0
		sub(/^.*\) /, "", s)
		split(s, f, " ")
		name = $0
		sub(/^[^(]*\(/, "", name)
		comm[$1] = name; parent[$1] = f[2]; session[$1] = f[4]
		major = int(f[5] / 256) % 4096
		if (major >= 136 && major <= 143)
			on_pty[$1] = 1
	}
	END {
		for (p in on_pty)
			if (comm[parent[session[p]]] ~ /^(sshd|dropbear)/)
				print p
	}')
	for p in $on_pty; do
		if { tr '\0' '\n' <"/proc/$p/environ"; } 2>/dev/null | grep -qxF "HOME=$HOME"; then
			return 0
		fi
	done
	return 1
}

get_idle() { # jobs_and_ssh|jobs|none: sets $idle, in seconds, and $busy
	a_boot='' a_up=0
	{ read -r a_boot a_up <"$S/activity"; } 2>/dev/null || a_boot=
	read_uptime
	busy=0
	[ "$a_boot" = "$boot" ] || busy=1
	if [ "$1" != none ]; then
		active_ids
		for i in $ids; do
			check_job "$i"
			busy=1
		done
	fi
	if [ $busy = 0 ] && [ "$1" = jobs_and_ssh ] && terminals; then
		busy=1
	fi
	[ $busy = 0 ] || note_activity
	[ $busy = 0 ] || a_up=$up
	idle=$((up - a_up))
}

get_autostop() { # a_milli, a_mode, a_wait
	a_milli='' a_mode='' a_wait=jobs_and_ssh
	{ read -r a_milli a_mode a_wait <"$S/autostop"; } 2>/dev/null
}

watchdog_lives() {
	w_pid='' w_start='' w_boot=''
	{ read -r w_pid w_start w_boot <"$S/watchdog"; } 2>/dev/null || return 1
	read_uptime
	[ "$w_boot" = "$boot" ] && proc_is "$w_pid" "$w_start"
}

ensure_watchdog() {
	[ -f "$S/autostop" ] || [ -f "$S/limit" ] || return 0
	if ! watchdog_lives; then
		setsid sh "$me" watchdog </dev/null >>"$S/watchdog.log" 2>&1 8>&- 9>&- &
	fi
}

stop_watchdog() {
	! watchdog_lives || kill -TERM "$w_pid" 2>/dev/null
}

rearm() { # after a change of autostop or limit
	if watchdog_lives; then
		kill -USR1 "$w_pid" 2>/dev/null
	else
		ensure_watchdog
	fi
}

cmd_autostop() { # MINUTES MODE WAIT | off
	umask 077
	load_cluster
	if [ "$1" = off ]; then
		rm -f "$S/autostop"
		rearm
		echo autostop=off
		return
	fi
	milli minutes "$1"
	case ${2-}:${3-} in
	stop:jobs_and_ssh | stop:jobs | stop:none | down:jobs_and_ssh | down:jobs | down:none) ;;
	*) die 64 "autostop: want MINUTES stop|down jobs_and_ssh|jobs|none, got '$*'" ;;
	esac
	[ -n "$c_shutdown" ] || die 64 'autostop: this machine has no shutdown command'
	note_activity
	echo "$m $2 $3" >"$S/autostop.new"
	mv -f "$S/autostop.new" "$S/autostop"
	rearm
	echo "autostop=$1 mode=$2 wait=$3"
}

cmd_limit() { # SECONDS | off
	umask 077
	load_cluster
	if [ "$1" = off ]; then
		rm -f "$S/limit"
	else
		number limit "$1"
		[ -n "$c_shutdown" ] || die 64 'limit: this machine has no shutdown command'
		echo $(($(date +%s) + $1)) >"$S/limit.new"
		mv -f "$S/limit.new" "$S/limit"
	fi
	rearm
	echo "limit=$1"
}

cmd_idle() {
	load_cluster
	get_autostop
	get_idle "$a_wait"
	echo "idle=$idle"
}

# The idle check and the mark are one step under the lock of submit, so a job either comes before
# and keeps the machine, or is refused.
claim_end() { # MODE
	lock
	active_ids
	if [ "$1" != limit ] && [ "$a_wait" != none ] && [ -n "$ids" ]; then
		unlock
		return 1
	fi
	echo $$ >"$S/ending"
	unlock
}

end_machine() { # MODE
	claim_end "$1" || return 0
	echo "$(date): ending the machine: $1"
	active_ids
	# shellcheck disable=SC2086
	[ -z "$ids" ] || (cancel_jobs 5 $ids)
	ended=''
	if [ "$c_rank" = 0 ]; then
		node=1
		while [ $node -lt "$c_nodes" ]; do
			shut_remote $node "$1" &
			ended="$ended $!"
			node=$((node + 1))
		done
	fi
	for p in $ended; do
		while kill -0 "$p" 2>/dev/null; do
			wait "$p"
		done
	done
	SOUK_SHUTDOWN_MODE=$1 PATH=$PATH:/usr/sbin:/sbin sh -c "$c_shutdown" 8>&- && return
	echo "$(date): the shutdown command failed: '$c_shutdown'"
	rm -f "$S/ending"
}

shut_remote() { # NODE MODE
	for try in 1 2 3; do
		ssh_node "$1" "unit-shutdown $2" </dev/null >/dev/null 8>&- && return
		echo "cannot end worker$1 (try $try)"
		sleep 1 8>&-
	done
}

cmd_unit_shutdown() { # MODE
	load_cluster
	safe mode "$1"
	SOUK_SHUTDOWN_MODE=$1 PATH=$PATH:/usr/sbin:/sbin setsid sh -c "$c_shutdown" \
		</dev/null >>"$S/watchdog.log" 2>&1 &
}

cmd_watchdog() {
	umask 077
	woken=0
	load_cluster
	exec 8>>"$S/watchdog.lock"
	# Only one at a time; the lock goes with its holder.
	flock -n 8 || exit 0
	trap 'woken=1' USR1
	trap 'kill $nap_pid 2>/dev/null; exit 0' TERM
	nap_pid=
	# A launch arms the watch, or finds it armed, and then submits its job: with 0 minutes the
	# machine must not be switched off in between. Any setting waits for half an interval.
	w_interval=${SOUK_WATCHDOG_INTERVAL:-30}
	w_least=${w_interval%%.*}
	w_least=$(((${w_least:-0} + 1) / 2))
	proc_stat $$
	read_uptime
	echo "$$ $p_start $boot" >"$S/watchdog"
	while [ -f "$S/autostop" ] || [ -f "$S/limit" ]; do
		load_cluster
		ending=
		get_autostop && get_idle "$a_wait" && [ "$busy" = 0 ] &&
			[ $((idle * 1000)) -ge $((a_milli * 60)) ] &&
			[ "$idle" -gt $w_least ] && ending=$a_mode
		w_limit=
		{ read -r w_limit <"$S/limit"; } 2>/dev/null && [ "$(date +%s)" -ge "$w_limit" ] &&
			ending=limit
		[ -z "$ending" ] || end_machine "$ending"
		nap "$w_interval"
	done
}

# ---- Main -----------------------------------------------------------------------------------

verb=${1-}
[ $# = 0 ] || shift
want() { # COUNT: of arguments
	[ "$have" -ge "$1" ] || die 64 "$verb: an argument is missing"
}
have=$#
case $verb in
init) cmd_init ;;
submit) cmd_submit "$@" ;;
follow) want 2 && cmd_follow "$@" ;;
queue) cmd_queue ;;
status)
	want 1
	need_job "$1"
	load_cluster
	ensure_watchdog
	print_job "$1"
	;;
wait) want 1 && cmd_wait "$@" ;;
cancel) want 1 && cmd_cancel "$@" ;;
autostop) want 1 && cmd_autostop "$@" ;;
limit) want 1 && cmd_limit "$@" ;;
idle) cmd_idle ;;
stop-all) cmd_stop_all ;;
driver) want 2 && cmd_driver "$@" ;;
reap) want 1 && cmd_reap "$@" ;;
watchdog) cmd_watchdog ;;
unit-put) want 1 && cmd_unit_put "$@" ;;
unit-run) want 2 && cmd_unit_run "$@" ;;
unit-attach) want 2 && cmd_unit_attach "$@" ;;
unit-kill) want 2 && cmd_unit_kill "$@" ;;
unit-shutdown) want 1 && cmd_unit_shutdown "$@" ;;
*) die 64 "no such verb: '$verb'" ;;
esac
