# SPDX-License-Identifier: Apache-2.0
# cases.sh - what the node runtime must do; sourced by test-runtime.sh
# shellcheck shell=sh disable=SC2016,SC2034,SC2086,SC2094,SC2154

all_cases='init simple env tokens script output follow fifo cancel setup driver autostop terminal
two_nodes gang setup_gang reconnect interleave two_autostop stop_all'

same() { # WANTED GOT
	[ "$1" = "$2" ] || {
		printf '# wanted: %s\n# got:    %s\n' "$1" "$2"
		return 1
	}
}

matches() { # PATTERN FILE
	grep -q -- "$1" "$2" || {
		printf '# no line matches: %s\n' "$1"
		sed 's/^/# | /' "$2"
		return 1
	}
}

none() { # COMMAND...: prints nothing
	none_out=$("$@")
	[ -z "$none_out" ] || {
		printf '# %s\n' "$none_out"
		return 1
	}
}

fails() { # STATUS COMMAND...
	fails_want=$1
	shift
	"$@" >/dev/null 2>&1
	same "$fails_want" $?
}

# The processes with this text in their command line (words are parted by one character that is
# not a blank) or environment. The text goes in by a file, so that grep does not find itself.
processes() { # TEXT
	printf '%s\n' "$1" >"$T/text"
	grep -lsaf "$T/text" /proc/[0-9]*/cmdline /proc/[0-9]*/environ | cut -d/ -f3 | sort -u
}

# The pids of 'sleep NUMBER.@@' in a job's script. frame puts our pid for @@, so that another run of
# these tests is not mistaken for this one.
sleepers() { # NUMBER
	pgrep -f "^(/[a-z/]*)?sleep $1.$$\$"
}

# Let the job go on that reads this fifo. The limit is for when none does.
open_gate() { # FIFO
	timeout 60 sh -c 'echo >"$1"' sh "$1"
}

start_cluster() { # NODES GPUS CPUS
	describe_cluster 0 "$@" | node init >/dev/null
	[ "$1" = 1 ] || describe_cluster 1 "$@" | worker init >/dev/null
}

case_init() {
	check 'a verb before init is refused' fails 64 node queue
	check 'init says ready' same ready=1 "$(describe_cluster 0 1 0 2 | node init)"
	check 'init again says ready' same ready=1 "$(describe_cluster 0 1 0 2 | node init)"
	check 'the folder is private' same 700 "$(stat -c %a "$T/m0/home/.souk")"
	check 'sky_workdir is the workdir' same souk_workdir "$(readlink "$T/m0/home/sky_workdir")"
	check 'sky_logs is the logs' same souk_logs "$(readlink "$T/m0/home/sky_logs")"
	describe_cluster 0 1 0 2 | sed '$d' >"$T/cut"
	check 'a description that is cut off is refused' fails 64 node init <"$T/cut"
	check 'an unknown verb is refused' fails 64 node frobnicate
	check 'an unknown job is not found' fails 66 node status 99
}

case_simple() {
	start_cluster 1 0 2
	echo 'echo out; echo err >&2; echo "$0 in $PWD"; exit 3' >"$T/run"
	frame name=simple token=s1 | node submit follow >"$T/out"
	id=$(sed -n '1s/^job=//p' "$T/out")
	line=$(node wait $id)
	check 'the job fails with its status' same 'FAILED 3' "$(field status "$line") $(field code "$line")"
	check 'stdout has a prefix' matches '^(simple, pid=[0-9]*) out$' "$T/out"
	check 'stderr has a prefix' matches '^(simple, pid=[0-9]*) err$' "$T/out"
	check 'the job runs in the workdir' matches 'in .*/souk_workdir$' "$T/out"
	tail -n +2 "$T/out" >"$T/follow"
	check 'what is followed is run.log' cmp "$T/follow" "$T/m0/home/souk_logs/$id-simple/run.log"
	check 'the raw log has no prefix' same out "$(head -n 1 "$T/m0/home/souk_logs/$id-simple/tasks/run.log")"
	check 'the environment file is gone' test ! -e "$T/m0/home/.souk/jobs/$id/env"
	check 'queue lists it' same "$line" "$(node queue | tail -n 1)"
	check 'cancel leaves what is over' same FAILED "$(field status "$(node cancel $id)")"
	echo 'kill -TERM $$' >"$T/run"
	check 'a signal is 128 + N' same 143 "$(field code "$(node wait "$(submit name=sig)")")"
	echo 'trap "exit 9" INT; kill -INT $$; exit 0' >"$T/run"
	[ "$shell" = busybox ] ||
		check 'INT can be trapped' same 9 "$(field code "$(node wait "$(submit name=int)")")"
}

case_env() {
	start_cluster 1 2 2
	printf '%s\n' "export GREETING='it'\\''s me' SOUK_NODE_RANK=7" >"$T/env"
	echo 'env | sort; echo "umask $(umask)"' >"$T/run"
	id=$(submit name=env gpus=0.5)
	node wait $id >/dev/null
	log=$T/m0/home/souk_logs/$id-env/tasks/run.log
	for v in "GREETING=it's me" SOUK_NODE_RANK=0 SKYPILOT_NODE_RANK=0 SOUK_NODE_IPS=10.0.0.10 \
		SOUK_NUM_NODES=1 SOUK_NUM_GPUS_PER_NODE=1 "SKYPILOT_TASK_ID=sky-2026_test_$id" \
		SOUK_USER=tester "SOUK_INTERNAL_JOB_ID=$id" CUDA_VISIBLE_DEVICES=0 PYTHONUNBUFFERED=1 \
		"SOUK_CLUSTER_INFO={\"cluster_name\": \"test\", \"cloud\": \"local\", \"region\": \"here\", \"zone\": \"\"}"; do
		check "the environment has $v" grep -qxF -- "$v" "$log"
	done
	check 'no MASTER_ADDR on one node' none grep MASTER_ADDR "$log"
	check 'the umask is the session'"'"'s' same "$(on m0 umask)" "$(sed -n 's/^umask //p' "$log")"
	echo 'sleep 1000.@@' >"$T/run"
	echo 'export PASSWORD=kohlrabi' >"$T/env"
	id=$(submit name=secret)
	await_status $id RUNNING
	await "test -n \"\$(processes PASSWORD=kohlrabi)\""
	check 'a secret is on no command line' none grep -lsF kohlrabi /proc/[0-9]*/cmdline
	check 'a secret is in no open file' none find "$T/m0/home/.souk/jobs/$id" -name env ! -perm 600
	check 'a secret is not in the logs' none grep -rlF kohlrabi "$T/m0/home/souk_logs"
	node cancel $id 1 >/dev/null
	check 'a secret is nowhere afterwards' none grep -rlF kohlrabi "$T/m0/home"
}

case_tokens() {
	start_cluster 1 0 2
	echo 'echo once >>~/ran' >"$T/run"
	rm -f "$T/m0/home/ran"
	id=$(submit name=tok token=abc)
	check 'the same token gives the same job' same "$id" "$(submit name=tok token=abc)"
	frame name=tok token=par >"$T/par"
	for i in 1 2 3 4 5 6; do
		node submit <"$T/par" | sed -n 's/^job=//p' >"$T/par$i" &
		pids="${pids:-} $!"
	done
	wait $pids
	check 'at the same moment too' same 1 "$(cat "$T"/par[1-6] | sort -u | wc -l | tr -d ' ')"
	node wait $id >/dev/null
	node wait "$(cat "$T/par1")" >/dev/null
	check 'each ran once' same 2 "$(wc -l <"$T/m0/home/ran" | tr -d ' ')"
	frame name=cut | sed '$d' >"$T/cut"
	check 'a job that is cut off is refused' fails 64 node submit <"$T/cut"
	check 'it leaves nothing' none find "$T/m0/home/.souk/jobs" -name '.new*'
	frame 'name=a;b' >"$T/cut"
	check 'a wrong name is refused' fails 64 node submit <"$T/cut"
	frame name=x num_nodes=2 >"$T/cut"
	check 'too many nodes are refused' fails 64 node submit <"$T/cut"
	frame name=x gpus=1 >"$T/cut"
	check 'too many GPUs are refused' fails 64 node submit <"$T/cut"
}

case_script() {
	start_cluster 1 0 2
	awk 'BEGIN { for (i = 0; i < 5000; i++) printf ": line %d of a script that is rather long\n", i; print "echo last" }' >"$T/run"
	id=$(submit name=big)
	check 'a script of 200 KB runs' same SUCCEEDED "$(field status "$(node wait $id)")"
	check 'to its end' matches 'last$' "$T/m0/home/souk_logs/$id-big/run.log"
	check 'it is kept as it was' cmp "$T/run" "$T/m0/home/.souk/jobs/$id/run"
	: >"$T/run"
	check 'an empty script succeeds' same 0 "$(field code "$(node wait "$(submit name=empty)")")"
}

case_output() {
	start_cluster 1 0 2
	printf 'printf "a\\nb"' >"$T/run"
	id=$(submit name=end)
	node wait $id >/dev/null
	check 'a last line without end is kept' matches '^(end, pid=[0-9]*) b$' "$T/m0/home/souk_logs/$id-end/run.log"
	check 'and raw as it was' same 3 "$(wc -c <"$T/m0/home/souk_logs/$id-end/tasks/run.log" | tr -d ' ')"
	echo 'for i in 1 2 3; do cat ~/binary; done' >"$T/run"
	od -An -v -N20000 -tx1 /dev/urandom >/dev/null
	head -c 30000 /dev/urandom >"$T/m0/home/binary"
	cat "$T/m0/home/binary" "$T/m0/home/binary" "$T/m0/home/binary" >"$T/wanted"
	id=$(submit name=bin)
	node wait $id >/dev/null
	check 'binary output is kept raw' cmp "$T/wanted" "$T/m0/home/souk_logs/$id-bin/tasks/run.log"
	if [ "$shell" != busybox ]; then
		sed 's/^(bin, pid=[0-9]*) //' "$T/m0/home/souk_logs/$id-bin/run.log" >"$T/got"
		{
			cat "$T/wanted"
			[ "$(tail -c 1 "$T/wanted" | od -An -tu1 | tr -d ' ')" = 10 ] || echo
		} >"$T/wanted.nl"
		check 'and merged, but for prefixes' cmp "$T/wanted.nl" "$T/got"
	fi
	echo 'echo first; read -r _ <~/gate; echo second' >"$T/run"
	rm -f "$T/m0/home/gate"
	mkfifo "$T/m0/home/gate"
	id=$(submit name=live)
	check 'a line is in the log while the job runs' await "grep -qs first '$T/m0/home/souk_logs/$id-live/run.log'"
	open_gate "$T/m0/home/gate"
	node wait $id >/dev/null
	check 'and the next after it' matches second "$T/m0/home/souk_logs/$id-live/run.log"
}

case_follow() {
	start_cluster 1 0 2
	echo 'i=0; while [ $i -lt 4000 ]; do echo "line $i"; i=$((i + 1)); [ $((i % 40)) != 0 ] || sleep 0.02; done; printf end' >"$T/run"
	id=$(submit name=many)
	: >"$T/got"
	cuts=0
	while :; do
		ssh -F "$T/config" m0 "sh ~/.souk/runtime/test/souk-node follow $id $(wc -c <"$T/got")" \
			</dev/null >>"$T/got" &
		pid=$!
		if [ $cuts -ge 5 ]; then
			wait $pid
			ended=$?
			break
		fi
		# Cut the connection once some more has come.
		size=$(wc -c <"$T/got")
		await "test \$(wc -c <'$T/got') -gt $((size + 5000)) || ! kill -0 $pid 2>/dev/null"
		kill -KILL $pid 2>/dev/null
		wait $pid 2>/dev/null
		cuts=$((cuts + 1))
	done
	check 'follow ends by itself' same 0 $ended
	check 'five cut connections lose and double nothing' cmp "$T/got" "$T/m0/home/souk_logs/$id-many/run.log"
	check 'all lines are there' same 4000 "$(grep -c 'line [0-9]*$' "$T/got")"
	check 'in order' same "$(seq 0 3999 | cksum)" "$(sed -n 's/.*line //p' "$T/got" | cksum)"
	echo 'sleep 1000.@@' >"$T/run"
	id=$(submit name=quiet)
	await_status $id RUNNING
	ssh -F "$T/config" m0 "sh ~/.souk/runtime/test/souk-node follow $id 0" </dev/null >/dev/null &
	pid=$!
	await "test -n \"\$(processes 'follow')\""
	kill -KILL $pid
	wait $pid 2>/dev/null
	check 'a cut follower does not stay, though the job is silent' await "test -z \"\$(pgrep -f '$T.*souk-node follow $id')\""
	node cancel $id 1 >/dev/null
	check 'follow of what is over gives the rest' same end "$(node follow 1 0 >/dev/null && echo end)"
}

case_fifo() {
	start_cluster 1 4 2
	home=$T/m0/home
	rm -f "$home"/gate*
	mkfifo "$home/gate1" "$home/gate2" "$home/gate3" "$home/gate4"
	for i in 1 2 3 4; do
		echo "echo gpus \$CUDA_VISIBLE_DEVICES; read -r _ <~/gate$i" >"$T/run"
		case $i in
		1) g=3 ;; 2) g=2 ;; 3) g=1 ;; *) g=0.5 ;;
		esac
		eval "id$i=\$(submit name=q$i gpus=$g)"
	done
	await_status $id1 RUNNING
	await_status $id2 PENDING
	await_status $id3 PENDING
	check 'the head of the line waits, and those behind it' same 'RUNNING PENDING PENDING PENDING' \
		"$(status_of $id1) $(status_of $id2) $(status_of $id3) $(status_of $id4)"
	open_gate "$home/gate1"
	await_status $id4 RUNNING
	check 'then all that fit run' same 'SUCCEEDED RUNNING RUNNING RUNNING' \
		"$(status_of $id1) $(status_of $id2) $(status_of $id3) $(status_of $id4)"
	check 'on GPUs of their own' same 'gpus 0,1,2;gpus 0,1;gpus 2;gpus 3;' \
		"$(for i in $id1-q1 $id2-q2 $id3-q3 $id4-q4; do head -n 1 "$home/souk_logs/$i/tasks/run.log"; done | tr '\n' ';')"
	echo 'echo gpus $CUDA_VISIBLE_DEVICES' >"$T/run"
	id=$(submit name=q5 gpus=0.5)
	node wait $id >/dev/null
	check 'halves share one' same 'gpus 3' "$(cat "$home/souk_logs/$id-q5/tasks/run.log")"
	echo 'sleep 1000.@@' >"$T/run"
	ida=$(submit name=c1)
	idb=$(submit name=c2)
	await_status $ida RUNNING
	await_status $idb PENDING
	check 'half a CPU each: the fifth job waits' same PENDING "$(status_of $idb)"
	node cancel $idb 1 >/dev/null
	check 'a waiting job can be cancelled' same CANCELLED "$(status_of $idb)"
	check 'without having started' same - "$(field started "$(node status $idb)")"
	for i in 2 3 4; do
		open_gate "$home/gate$i"
	done
	node cancel all 1 >/dev/null
	check 'cancel all ends all' none sh -c "ls '$home/.souk/active'"
}

case_cancel() {
	start_cluster 1 0 2
	cat >"$T/run" <<'END'
trap '' TERM
setsid sh -c 'trap "" TERM; (exec -a kid sleep 1001.@@ || exec sleep 1001.@@) & sleep 1001.@@ & exec sleep 1001.@@' &
(setsid sh -c 'sleep 1002.@@ & exec sleep 1002.@@' </dev/null >/dev/null 2>&1 &) &
env -i setsid sleep 1003.@@ &
nohup sleep 1004.@@ >/dev/null 2>&1 &
echo started
wait
sleep 1005.@@
END
	sleep 1006 &
	other=$!
	id=$(submit name=tree)
	log=$T/m0/home/souk_logs/$id-tree/run.log
	await "grep -qs started '$log'"
	key=$(sed -n 's/^key=//p' "$T/m0/home/.souk/jobs/$id/spec")
	await "test \$(processes SOUK_JOB_KEY=$key | wc -l) -ge 6"
	line=$(node cancel $id 1)
	check 'the job is cancelled' same CANCELLED "$(field status "$line")"
	check 'no process with its mark is left' none processes "SOUK_JOB_KEY=$key"
	check 'not even without the mark' none sleepers "100[1-5]"
	check 'another process stays' kill -0 $other
	kill $other
	node wait $id >/dev/null
	check 'it stays cancelled' same CANCELLED "$(status_of $id)"
	echo 'setsid sleep 1007.@@ & echo bye' >"$T/run"
	id=$(submit name=left)
	check 'a left-over does not hold up the job' same SUCCEEDED "$(field status "$(node wait $id)")"
	check 'and ends with it' none sleepers 1007
	check 'an unknown job cannot be cancelled' fails 66 node cancel 9999
}

case_setup() {
	start_cluster 1 2 2
	echo 'echo preparing; env | sort; setsid sleep 1011.@@ >/dev/null 2>&1 & echo $! >~/daemon' >"$T/setup"
	echo 'kill -0 $(cat ~/daemon) && echo running' >"$T/run"
	id=$(submit name=two gpus=1)
	node wait $id >/dev/null
	logs=$T/m0/home/souk_logs/$id-two
	check 'set-up is in the log' matches '^(setup, pid=[0-9]*) preparing$' "$logs/run.log"
	check 'a service of the set-up is there for the run' matches '^(two, pid=[0-9]*) running$' "$logs/run.log"
	check 'no GPU in set-up' none grep CUDA_VISIBLE "$logs/tasks/setup.log"
	for v in SOUK_SETUP_NODE_RANK=0 SKYPILOT_SETUP_NODE_IPS=10.0.0.10 SOUK_SETUP_NUM_GPUS_PER_NODE=2 SOUK_NUM_NODES=1; do
		check "set-up has $v" matches "^$v\$" "$logs/tasks/setup.log"
	done
	check 'and no SOUK_NODE_RANK' none grep '^SOUK_NODE_RANK' "$logs/tasks/setup.log"
	echo 'exit 4' >"$T/setup"
	id=$(submit name=bad)
	line=$(node wait $id)
	check 'a failed set-up ends the job' same 'FAILED_SETUP 4' "$(field status "$line") $(field code "$line")"
	check 'the run never began' test ! -e "$T/m0/home/souk_logs/$id-bad/tasks/run.log"
	echo 'sleep 1012.@@' >"$T/setup"
	id=$(submit name=slow)
	await_status $id SETTING_UP
	node cancel $id 1 >/dev/null
	check 'set-up can be cancelled' same CANCELLED "$(status_of $id)"
	check 'and is gone' none sleepers 1012
	rm -f "$T/setup"
	check 'a service outlives its job' test -n "$(sleepers 1011)"
	node stop-all >/dev/null
	check 'but not stop-all' none sleepers 1011
}

case_driver() {
	start_cluster 1 0 2
	echo 'sleep 1021.@@' >"$T/run"
	id=$(submit name=orphan)
	await_status $id RUNNING
	await "sleepers 1021 >/dev/null"
	read -r pid _ <"$T/m0/home/.souk/jobs/$id/driver"
	kill -KILL $pid
	check 'a dead driver is noticed' same FAILED_DRIVER "$(status_of $id)"
	check 'its processes are ended' await "! sleepers 1021 >/dev/null"
	check 'its place is given back' await "test ! -e '$T/m0/home/.souk/active/$id'"
	echo true >"$T/run"
	check 'the next job runs' same SUCCEEDED "$(field status "$(node wait "$(submit name=next)")")"
	# A submit that died before its driver began, long ago.
	jobs=$T/m0/home/.souk/jobs
	mkdir "$jobs/900"
	cp "$jobs/$id/spec" "$jobs/900/spec"
	echo "INIT $(($(date +%s) - 61)) -" >"$jobs/900/state"
	: >"$T/m0/home/.souk/active/900"
	check 'a job that never got a driver fails' same FAILED_DRIVER "$(status_of 900)"
	await "test ! -e '$T/m0/home/.souk/active/900'"
	echo "SUCCEEDED $(date +%s) 0" >>"$jobs/900/state"
	check 'a terminal state is final' same FAILED_DRIVER "$(status_of 900)"
}

case_autostop() {
	start_cluster 1 0 2
	home=$T/m0/home
	rm -f "$home/ended" "$home"/gate*
	mkfifo "$home/gate"
	echo 'read -r _ <~/gate' >"$T/run"
	id=$(submit name=busy)
	await_status $id RUNNING
	check 'autostop is armed' same 'autostop=0 mode=stop wait=jobs' "$(node autostop 0 stop jobs)"
	await "test -s '$home/.souk/watchdog'"
	read -r pid _ <"$home/.souk/watchdog"
	check 'a busy machine is not idle' same idle=0 "$(node idle)"
	check 'and does not end' test ! -e "$home/ended"
	kill -KILL $pid
	node queue >/dev/null
	check 'a dead watchdog comes back' await "read -r p _ <'$home/.souk/watchdog' && test \$p != $pid && kill -0 \$p 2>/dev/null"
	open_gate "$home/gate"
	check 'an idle machine ends' await "test -s '$home/ended'"
	check 'as was asked' same stop "$(head -n 1 "$home/ended")"
	echo true >"$T/run"
	frame name=late >"$T/late"
	check 'a job that comes too late is refused' fails 75 node submit <"$T/late"
	node autostop off >/dev/null
	check 'autostop off ends the watchdog' await "read -r p _ <'$home/.souk/watchdog'; ! kill -0 \$p 2>/dev/null"
	rm -f "$home/ended"
	check 'then jobs are taken again' same SUCCEEDED "$(field status "$(node wait "$(node submit <"$T/late" | sed -n 's/^job=//p')")")"
	echo 'sleep 1031.@@' >"$T/run"
	id=$(submit name=long)
	await_status $id RUNNING
	node limit 0 >/dev/null
	check 'a limit ends the machine whatever runs' await "test -s '$home/ended'"
	check 'by its name' same limit "$(head -n 1 "$home/ended")"
	check 'the job is cancelled' same CANCELLED "$(status_of $id)"
	node limit off >/dev/null
	rm -f "$home/ended"
	check 'nonsense is refused' fails 64 node autostop 5 sideways jobs
}

case_terminal() {
	start_cluster 1 0 2
	home=$T/m0/home
	rm -f "$home/ended"
	# An interactive session holds the machine; ssh gets its input from a fifo that we keep open.
	mkfifo "$T/keys"
	ssh -F "$T/config" -tt m0 <"$T/keys" >"$T/screen" 2>&1 &
	pid=$!
	exec 9>"$T/keys"
	echo 'echo logged""in' >&9
	await "grep -qs loggedin '$T/screen' || ! kill -0 $pid 2>/dev/null"
	if ! grep -qs loggedin "$T/screen"; then
		# Without root sshd can hand out no terminal on some systems.
		exec 9>&-
		check 'a login counts as use # SKIP no terminal to be had' true
		return
	fi
	node autostop 0 down jobs_and_ssh >/dev/null
	await "test -s '$home/.souk/watchdog' && read -r p _ <'$home/.souk/watchdog' && kill -0 \$p 2>/dev/null"
	check 'a login counts as use' same idle=0 "$(node idle)"
	# Let the watchdog look some times: each look that finds use notes it.
	for i in 1 2 3; do
		echo none >"$home/.souk/activity"
		await "! grep -q none '$home/.souk/activity'"
	done
	check 'and holds the machine' test ! -e "$home/ended"
	echo exit >&9
	exec 9>&-
	wait $pid
	check 'without it the machine ends' await "test -s '$home/ended'"
	check 'for good' same down "$(head -n 1 "$home/ended")"
	node autostop off >/dev/null
	await "read -r p _ <'$home/.souk/watchdog'; ! kill -0 \$p 2>/dev/null"
	rm -f "$home/ended"
}

case_two_nodes() {
	start_cluster 2 2 2
	echo 'env | grep -E "^(SOUK|SKYPILOT|MASTER|NODE|WORLD|LOCAL|CUDA)" | sort; echo "home $HOME"; echo "at $PWD"; echo ips $SOUK_NODE_IPS' >"$T/run"
	echo 'echo preparing $SOUK_SETUP_NODE_RANK; touch ~/prepared' >"$T/setup"
	echo 'export WORD=turnip' >"$T/env"
	rm -f "$T"/m?/home/prepared
	frame name=pair num_nodes=2 gpus=2 | node submit follow >"$T/out"
	id=$(sed -n '1s/^job=//p' "$T/out")
	logs=$T/m0/home/souk_logs/$id-pair
	check 'a job on two nodes succeeds' same SUCCEEDED "$(status_of $id)"
	check 'set-up ran on the head' test -e "$T/m0/home/prepared"
	check 'and on the worker' test -e "$T/m1/home/prepared"
	check 'its prefix on the head' matches '^(setup on head, pid=[0-9]*) preparing 0$' "$T/out"
	check 'its prefix on the worker' matches '^(setup on worker1, pid=[0-9]*, ip=10.0.0.11) preparing 1$' "$T/out"
	check 'the prefix of rank 0' matches '^(head, rank=0, pid=[0-9]*) SOUK_NODE_RANK=0$' "$T/out"
	check 'the prefix of rank 1' matches '^(worker1, rank=1, pid=[0-9]*, ip=10.0.0.11) SOUK_NODE_RANK=1$' "$T/out"
	for v in MASTER_ADDR=10.0.0.10 MASTER_PORT=$((29500 + id)) WORLD_SIZE=4 LOCAL_WORLD_SIZE=2 \
		SOUK_NUM_NODES=2 'ips 10.0.0.10 10.0.0.11' CUDA_VISIBLE_DEVICES=0,1; do
		check "both have $v" same 2 "$(cat "$logs/tasks/0-head.log" "$logs/tasks/1-worker1.log" | grep -c "^$v\$")"
	done
	check 'the worker has its own HOME' matches "^home $T/m1/home\$" "$logs/tasks/1-worker1.log"
	check 'and its workdir' matches "^at $T/m1/home/souk_workdir\$" "$logs/tasks/1-worker1.log"
	check 'NODE_RANK of the worker' matches '^NODE_RANK=1$' "$logs/tasks/1-worker1.log"
	check 'no secrets stay on the worker' none grep -rlF turnip "$T/m1/home"
	rm -f "$T/setup"
	echo 'sleep 1041.@@' >"$T/run"
	ida=$(submit name=one gpus=2)
	await_status $ida RUNNING
	echo 'echo "on $HOME"' >"$T/run"
	idb=$(submit name=other gpus=2)
	check 'one node is enough: the worker runs it' same SUCCEEDED "$(field status "$(node wait $idb)")"
	check 'there' matches "^(other, pid=[0-9]*) on $T/m1/home\$" "$T/m0/home/souk_logs/$idb-other/run.log"
	node cancel $ida 1 >/dev/null
}

case_gang() {
	start_cluster 2 0 2
	echo 'if [ $SOUK_NODE_RANK = 1 ]; then read -r _ <~/gate; exit 7; fi; sleep 1051.@@' >"$T/run"
	rm -f "$T"/m?/home/gate
	mkfifo "$T/m1/home/gate"
	id=$(submit name=gang num_nodes=2)
	await "sleepers 1051 >/dev/null"
	open_gate "$T/m1/home/gate"
	line=$(node wait $id)
	check 'the first rank that fails fails the job' same 'FAILED 7' "$(field status "$line") $(field code "$line")"
	check 'the other is stopped' none sleepers 1051
	check 'its status is 137' same '137 7' "$(cat "$T/m0/home/.souk/jobs/$id/run.ranks")"
	check 'the log says so' matches '^souk: run of rank 1 ended with status 7' "$T/m0/home/souk_logs/$id-gang/run.log"
	echo '[ $SOUK_NODE_RANK = 1 ] || { read -r _ <~/gate; exit 5; }; (setsid sleep 1052.@@ &) ; exec sleep 1052.@@' >"$T/run"
	mkfifo "$T/m0/home/gate"
	id=$(submit name=gang num_nodes=2)
	await "sleepers 1052 >/dev/null"
	open_gate "$T/m0/home/gate"
	line=$(node wait $id)
	check 'a failure of the head stops the worker' same 'FAILED 5' "$(field status "$line") $(field code "$line")"
	check 'with all its processes' none sleepers 1052
	echo '(setsid sleep 1053.@@ &) ; exec sleep 1053.@@' >"$T/run"
	id=$(submit name=gang num_nodes=2)
	await "test \$(sleepers 1053 | wc -l) -ge 4"
	node cancel $id 1 >/dev/null
	check 'cancel reaches both nodes' none sleepers 1053
	check 'and says so' same CANCELLED "$(status_of $id)"
	# The worker refuses: its runtime is away, so nothing may start anywhere.
	mv "$T/m1/home/.souk/runtime/test/souk-node" "$T/away"
	echo 'touch ~/started' >"$T/run"
	rm -f "$T"/m?/home/started
	id=$(submit name=none num_nodes=2)
	check 'a worker that cannot start fails the job' same FAILED "$(field status "$(node wait $id)")"
	check 'no rank has started' test ! -e "$T/m0/home/started"
	mv "$T/away" "$T/m1/home/.souk/runtime/test/souk-node"
}

case_setup_gang() {
	start_cluster 2 0 2
	echo 'if [ $SOUK_SETUP_NODE_RANK = 1 ]; then exit 6; else sleep 1061.@@; fi' >"$T/setup"
	echo true >"$T/run"
	id=$(submit name=sg)
	line=$(node wait $id)
	check 'a set-up that fails on a worker fails the job' same 'FAILED_SETUP 6' "$(field status "$line") $(field code "$line")"
	check 'and stops the others' none sleepers 1061
}

case_reconnect() {
	start_cluster 2 0 2
	echo 'i=0; while [ $i -lt 2000 ]; do echo "line $i"; i=$((i + 1)); [ $((i % 20)) != 0 ] || sleep 0.02; done; exit $((SOUK_NODE_RANK * 0))' >"$T/run"
	id=$(submit name=cut num_nodes=2)
	raw=$T/m0/home/souk_logs/$id-cut/tasks/1-worker1.log
	await "test -e '$raw' && test \$(wc -c <'$raw') -gt 1000"
	machine_down 1
	size=$(wc -c <"$raw")
	machine_up 1
	line=$(node wait $id)
	check 'a lost connection is not a failure' same 'SUCCEEDED 0' "$(field status "$line") $(field code "$line")"
	check 'the log went on' test "$(wc -c <"$raw")" -gt "$size"
	check 'no line of the worker is lost or doubled' same "$(seq 0 1999 | cksum)" "$(sed 's/line //' "$raw" | cksum)"
	check 'nor in the merged log' same "$(seq 0 1999 | cksum)" \
		"$(sed -n 's/^(worker1, rank=1, pid=[0-9]*, ip=10.0.0.11) line //p' "$T/m0/home/souk_logs/$id-cut/run.log" | cksum)"
	echo 'read -r _ <~/gate; exit 8' >"$T/run"
	rm -f "$T"/m?/home/gate
	mkfifo "$T/m0/home/gate" "$T/m1/home/gate"
	id=$(submit name=cut num_nodes=2)
	await "test -s '$T/m0/home/.souk/jobs/$id/run-1.pid'"
	machine_down 1
	open_gate "$T/m1/home/gate"
	machine_up 1
	line=$(node wait $id)
	check 'a status that came while it was lost arrives' same 'FAILED 8' "$(field status "$line") $(field code "$line")"
	echo 'sleep 1081.@@' >"$T/run"
	id=$(frame name=lost num_nodes=2 | on m0 'SOUK_RECONNECT_SECONDS=1 sh ~/.souk/runtime/test/souk-node submit' | sed -n 's/^job=//p')
	await "test -s '$T/m0/home/.souk/jobs/$id/run-1.pid'"
	machine_down 1
	line=$(node wait $id)
	check 'a worker that stays away fails the job' same 'FAILED 255' "$(field status "$line") $(field code "$line")"
	check 'and the log says so' matches '^souk: worker1 could not be reached' "$T/m0/home/souk_logs/$id-lost/run.log"
	id=$(frame name=gone num_nodes=2 | on m0 'SOUK_RECONNECT_SECONDS=1 sh ~/.souk/runtime/test/souk-node submit' | sed -n 's/^job=//p')
	line=$(node wait $id)
	check 'as does one that cannot be reached at all' same 'FAILED 255' "$(field status "$line") $(field code "$line")"
	check 'with the reason' matches '^souk: cannot start on worker1: .*refused' "$T/m0/home/souk_logs/$id-gone/run.log"
	machine_up 1
	check 'what could not be ended still runs' test -n "$(sleepers 1081)"
	echo true >"$T/run"
	check 'until the next job comes there' same SUCCEEDED "$(field status "$(node wait "$(submit name=after num_nodes=2)")")"
	check 'and then not' none sleepers 1081
}

case_interleave() {
	start_cluster 2 0 2
	echo 'c=$SOUK_NODE_RANK; awk -v c=$c "BEGIN { for (n = 0; n < 200; n++) { for (i = 0; i < 9000; i++) printf \"%s\", c; print \"\" } }"' >"$T/run"
	id=$(submit name=mix num_nodes=2)
	node wait $id >/dev/null
	log=$T/m0/home/souk_logs/$id-mix/run.log
	check 'long lines are all there' same 400 "$(grep -c . "$log")"
	if [ "$shell" != busybox ]; then
		check 'and none has another inside' none awk '{ sub(/^\([^)]*\) /, "") } !/^(0+|1+)$/ || length($0) != 9000 { print NR; exit }' "$log"
	fi
}

case_two_autostop() {
	start_cluster 2 0 2
	rm -f "$T"/m?/home/ended
	node autostop 0 down none >/dev/null
	check 'autostop ends the head' await "test -s '$T/m0/home/ended'"
	check 'after the worker' test -s "$T/m1/home/ended"
	node autostop off >/dev/null
	await "read -r p _ <'$T/m0/home/.souk/watchdog'; ! kill -0 \$p 2>/dev/null"
}

case_stop_all() {
	start_cluster 2 0 2
	echo '(setsid sleep 1071.@@ &); sleep 1071.@@' >"$T/run"
	id=$(submit name=all num_nodes=2)
	await "test \$(sleepers 1071 | wc -l) -ge 4"
	node autostop 60 stop jobs >/dev/null
	check 'stop-all says so' same stopped=1 "$(node stop-all)"
	check 'it ends the job on both nodes' none sleepers 1071
	check 'and the watchdog, and every helper' await "test -z \"\$(processes '$T/m0/home/.souk/runtime')\""
	check 'on the worker too' await "test -z \"\$(processes '$T/m1/home/.souk/runtime')\""
}
