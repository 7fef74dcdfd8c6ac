# SPDX-License-Identifier: Apache-2.0
# machines.sh - two "machines" for the tests of the node runtime: a HOME and an sshd each
#
# Sourced. machines_start makes $T/m0 and $T/m1 with their sshd on loopback; machines_stop ends
# the sshd's that it started and nothing else. Needs T, RUNTIME and SSHD.
# shellcheck shell=sh disable=SC2154,SC2029,SC2034

# Where the machine finds its programs. 'busybox' has applets only, and no bash.
machine_path() { # SHELL
	mkdir -p "$T/bin"
	case $1 in
	busybox)
		for applet in $(busybox --list); do
			ln -sf "$(command -v busybox)" "$T/bin/$applet"
		done
		for tool in ssh flock; do
			ln -sf "$(command -v $tool)" "$T/bin/$tool"
		done
		MACHINE_PATH=$T/bin
		;;
	*)
		ln -sf "$(command -v "$1")" "$T/bin/sh"
		MACHINE_PATH=$T/bin:/usr/local/bin:/usr/bin:/bin
		;;
	esac
}

machine_config() { # NUMBER PORT
	m=$T/m$1
	cat >"$m/sshd_config" <<END
ListenAddress 127.0.0.1
Port $2
HostKey $m/hostkey
AuthorizedKeysFile $m/authorized_keys
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
MaxStartups 100
MaxSessions 100
SetEnv HOME=$m/home
ForceCommand $m/shell
END
	cat >"$m/shell" <<END
#!/bin/sh
cd '$m/home' || exit 1
PATH=$MACHINE_PATH
SOUK_WATCHDOG_INTERVAL=0.1
export PATH SOUK_WATCHDOG_INTERVAL
if [ -n "\$SSH_ORIGINAL_COMMAND" ]; then
	exec sh -c "\$SSH_ORIGINAL_COMMAND"
fi
exec sh -i
END
	chmod 755 "$m/shell"
}

# Start the sshd of a machine on a free port, or on the one it had.
machine_up() { # NUMBER
	m=$T/m$1
	tries=0
	while :; do
		port=$(cat "$m/port" 2>/dev/null) ||
			port=$(od -An -N2 -tu2 /dev/urandom | awk '{ print 20000 + $1 % 40000 }')
		machine_config "$1" "$port"
		"$SSHD" -D -f "$m/sshd_config" -E "$m/sshd.log" </dev/null >/dev/null 2>&1 9>&- &
		pid=$!
		until grep -q 'Server listening' "$m/sshd.log" 2>/dev/null; do
			kill -0 $pid 2>/dev/null || break
			sleep 0.02
		done
		if kill -0 $pid 2>/dev/null; then
			echo $pid >"$m/sshd.pid"
			echo "$port" >"$m/port"
			return
		fi
		cat "$m/sshd.log" >&2
		rm -f "$m/sshd.log"
		tries=$((tries + 1))
		[ $tries -lt 20 ] || return 1
	done
}

machine_down() { # NUMBER: the listener and every connection, not the processes of jobs
	pid=$(cat "$T/m$1/sshd.pid" 2>/dev/null) || return 0
	below=$(cat /proc/[0-9]*/stat 2>/dev/null | awk -v top="$pid" '
		{
			s = $0; sub(/^.*\) /, "", s); split(s, f, " ")
			name = $0; sub(/^[^(]*\(/, "", name); sub(/\).*$/, "", name)
			if (name ~ /^sshd/) parent[$1] = f[2]
		}
		END {
			mine[top] = 1
			do {
				more = 0
				for (p in parent)
					if (!(p in mine) && parent[p] in mine) { mine[p] = 1; more = 1 }
			} while (more)
			for (p in mine) print p
		}')
	# shellcheck disable=SC2086
	kill -KILL $below 2>/dev/null
	wait "$pid" 2>/dev/null
	rm -f "$T/m$1/sshd.pid" "$T/m$1/sshd.log"
}

machines_start() {
	ssh-keygen -q -t ed25519 -N '' -C test -f "$T/key"
	: >"$T/known_hosts"
	: >"$T/config"
	for i in 0 1; do
		mkdir -p "$T/m$i/home/.souk/runtime/test"
		cp "$RUNTIME" "$T/m$i/home/.souk/runtime/test/souk-node"
		cp "$T/key.pub" "$T/m$i/authorized_keys"
		ssh-keygen -q -t ed25519 -N '' -C "m$i" -f "$T/m$i/hostkey"
		machine_up $i || return 1
		echo "[127.0.0.1]:$port $(cut -d' ' -f1,2 "$T/m$i/hostkey.pub")" >>"$T/known_hosts"
		cat >>"$T/config" <<END
Host m$i
	HostName 127.0.0.1
	Port $port
	User $(id -un)
	IdentityFile $T/key
	IdentitiesOnly yes
	UserKnownHostsFile $T/known_hosts
	StrictHostKeyChecking yes
	BatchMode yes
	LogLevel ERROR
END
	done
}

machines_stop() {
	machine_down 0
	machine_down 1
}

on() { # MACHINE COMMAND
	ssh -F "$T/config" "$@"
}

node() { # VERB ARGS: on the head
	on m0 "sh ~/.souk/runtime/test/souk-node $*"
}

worker() {
	on m1 "sh ~/.souk/runtime/test/souk-node $*"
}

describe_cluster() { # RANK NODES GPUS CPUS
	echo cluster=test
	echo cloud=local
	echo region=here
	echo zone=
	echo "nodes=$2"
	echo "rank=$1"
	echo "gpus=$3"
	echo "cpus=$4"
	# shellcheck disable=SC2016
	echo 'shutdown=echo "$SOUK_SHUTDOWN_MODE" >>~/ended'
	i=0
	while [ $i -lt "$2" ]; do
		echo "node=$i 10.0.0.1$i 127.0.0.1 $(cat "$T/m$i/port") $(id -un)"
		i=$((i + 1))
	done
	if [ "$1" = 0 ] && [ "$2" -gt 1 ]; then
		echo 'begin private-key'
		cat "$T/key"
		echo 'end private-key'
		echo 'begin known-hosts'
		cat "$T/known_hosts"
		echo 'end known-hosts'
	fi
	echo end
}

# Frame a job from $T/setup (if it is there) and $T/run, with $T/env; more header lines in "$@".
frame() {
	[ -f "$T/env" ] || : >"$T/env"
	sed "s/@@/$$/g" "$T/run" >"$T/run.out"
	[ ! -f "$T/setup" ] || sed "s/@@/$$/g" "$T/setup" >"$T/setup.out"
	printf '%s\n' 'user=tester' 'task_id_prefix=sky-2026_test_' "$@"
	echo "env=$(wc -c <"$T/env")"
	[ ! -f "$T/setup" ] || echo "setup=$(wc -c <"$T/setup.out")"
	echo "run=$(wc -c <"$T/run.out")"
	echo
	cat "$T/env"
	[ ! -f "$T/setup" ] || cat "$T/setup.out"
	cat "$T/run.out"
	echo end
}

submit() { # HEADER LINES: prints the id
	frame "$@" | node submit | sed -n 's/^job=//p'
}

field() { # KEY LINE
	printf '%s\n' "$2" | tr ' ' '\n' | sed -n "s/^$1=//p"
}

status_of() { # ID
	field status "$(node status "$1")"
}

await_status() { # ID STATUS
	await "test \"\$(status_of $1)\" = $2"
}

# Wait for a condition. The limit only ends a test that hangs.
await() { # CONDITION
	n=0
	until eval "$1"; do
		n=$((n + 1))
		[ $n -lt 600 ] || return 1
		sleep 0.05
	done
}
