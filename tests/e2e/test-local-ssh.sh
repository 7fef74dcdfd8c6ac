#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-local-ssh.sh - an impostor at a machine's address is refused; a lost connection loses nothing
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need_local
need ssh ssh-keygen

# ---- Nothing in the tree turns the check of host keys off

if [ -d "$src/core" ]
then
	found=$(grep -rnEi --include='*' \
		'StrictHostKeyChecking[ =]*"?(no|off|accept-new|ask)|UserKnownHostsFile[ =]*"?/dev/null|ssh_session_update_known_hosts|ssh_write_knownhost' \
		"$src/cli" "$src/core" "$src/plugin-api" "$src/providers" "$src/examples" \
		"$src/quickstart" "$src/build-aux" "$src/packaging" 2>/dev/null |
		grep -v '^[^:]*/tests\?/' || true)
	[ -z "$found" ] || fail "host keys are not checked everywhere: $found"
	echo "ok: host keys are checked everywhere"
fi

# ---- The first connection, and each after it, is verified

run 0 launch -y -c t 'echo hello'
run 0 ssh t --json
config=$(sed -n 's/^ *"config": "\(.*\)".*/\1/p' out)
says "$config" 'StrictHostKeyChecking yes'
lacks "$config" 'StrictHostKeyChecking no'
run 0 ssh t -- echo over ssh
says out 'over ssh'
machine t
key=$(sed -n 's/^host_key=//p' "$machine/machine")
says "${config%/*}/known_hosts" "$key"
# It is the key that souk made, before there was a machine.
says "${config%/*}/host_ed25519.pub" "$key"
read -r address port <"$machine/run/address"
echo "ok: the machine shows the key that it was given"

# ---- An impostor

# The supervisor ends as if the computer had lost it, and with it the machine's sshd. Another
# listens where it did, with a key of its own, and lets everybody in who has the right key.
supervisor=$(for folder in /proc/[0-9]*
do
	if { tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null | grep -qF "souk-local-machine run $machine "
	then
		echo "${folder#/proc/}"
	fi
done)
[ -n "$supervisor" ] || fail 'the machine has no supervisor'
kill -KILL "$supervisor"
await 'the supervisor to end' is_zombie_or_gone "$supervisor"
await 'the port to be free' fails listens "$address" "$port"
mkdir -m 700 impostor
sshd=$(command -v sshd)
start_impostor () { # KEY-FILE
	sed -e "s|^HostKey .*|HostKey $tmp/impostor/$1|" -e '/^PidFile/d' \
		"$machine/etc/sshd_config" >impostor/config
	printf '%s\n' "ListenAddress $address" "Port $port" "LogLevel DEBUG3" \
		"PidFile $tmp/impostor/pid" >>impostor/config
	: >impostor/log
	rm -f impostor/pid
	[ "$(id -u)" -ne 0 ] || [ -d /run/sshd ] || mkdir -m 755 /run/sshd
	"$sshd" -D -f "$tmp/impostor/config" -E "$tmp/impostor/log" &
	started=$!
	await 'the impostor' listens "$address" "$port"
}

stop_impostor () {
	kill "$started"
	wait "$started" 2>/dev/null || true
	started=
	await 'the port to be free' fails listens "$address" "$port"
}

# The impostor's own log: did anybody say who he is, or what he wants?
impostor_learned_nothing () {
	[ "$(grep -c 'Connection from' impostor/log)" -gt 0 ] || fail 'nobody came to the impostor'
	if grep -Ei 'userauth|auth attempt|Accepted |Postponed|Failed publickey|session opened|exec|Starting session' \
		impostor/log | grep -v 'RexecCommand\|rexec\|re-exec' >impostor/learned
	then
		head -5 impostor/learned
		fail 'something was sent to the impostor'
	fi
}

for type in ed25519 ecdsa rsa
do
	ssh-keygen -q -t $type -N '' -f "impostor/$type"
	start_impostor $type
	for command in 'exec t x' 'logs t' 'queue t' 'cancel t 1' 'launch -y -c t x'
	do
		# shellcheck disable=SC2086
		run 75 $command
		says err 'somebody may be intercepting the connection'
		says err 'nothing was sent'
		says err hint:
	done
	# OpenSSH says it in its own words.
	run 255 ssh t -- echo x
	grep -q 'REMOTE HOST IDENTIFICATION HAS CHANGED\|Host key verification failed\|no matching host key' err ||
		fail 'ssh does not name the danger'
	lacks out x
	impostor_learned_nothing
	stop_impostor
	[ $type = ed25519 ] || continue
	# The log would have shown more: with the right key everything goes through.
	cp "$SOUK_HOME/state/clusters/t/host_ed25519" impostor/true
	chmod 600 impostor/true
	start_impostor true
	run 0 exec t 'echo with the right key'
	prints 'with the right key'
	(impostor_learned_nothing) >impostor/told && fail 'the log of the impostor shows nothing'
	grep -q 'something was sent' impostor/told || fail 'the log of the impostor shows nothing'
	stop_impostor
done
run 0 status t --json
json 'd["clusters"][0]["status"] == "UP"'
says "${config%/*}/known_hosts" "$key"
[ "$(wc -l <"${config%/*}/known_hosts")" -eq 1 ] || fail 'a key was added'
run 0 down -y t
echo "ok: an impostor is refused and learns nothing"

# ---- A connection that is cut: no line lost, none twice

run 0 launch -y -c t 'true'
machine t
# Not to its end before it was cut three times; a long line, so that cuts come inside of lines.
cat >count.sh <<'T'
i=0
pad=$(printf '%0200d' 0)
while [ $((i += 1)) -le 2000 ]; do
	echo "line $i $pad"
	case $i in
	500 | 1000 | 1500) until [ -e ~/cut-$i ]; do sleep 0.02; done ;;
	esac
done
T
{
	printf 'run: |\n'
	sed 's/^/  /' count.sh
} >count.yaml
"$souk" launch -y -c t count.yaml >followed 2>followed.err </dev/null &
follower=$!
started=$follower
# The sshd of a session that runs 'follow' for the job's log: what souk holds on to.
sessions () {
	for folder in /proc/[0-9]*
	do
		case $({ tr '\0' ' ' <"$folder/cmdline"; } 2>/dev/null) in
		*souk-node\ follow*) ;;
		*) continue ;;
		esac
		pid=${folder#/proc/}
		grep -qszF "HOME=$machine_home" "$folder/environ" || continue
		while pid=$(awk '{ sub(/^.*\) /, ""); print $2 }' "/proc/$pid/stat" 2>/dev/null) && [ "${pid:-0}" -gt 1 ]
		do
			case $(cat "/proc/$pid/comm" 2>/dev/null) in
			sshd*) echo "$pid" ;;
			souk-local*) break ;;
			esac
		done
	done | sort -un
}
has_line () {
	grep -qs "line $1 " followed
}
a_session () {
	[ -n "$(sessions)" ]
}
for cut in 500 1000 1500
do
	await "line $cut" has_line $cut
	await 'the connection' a_session
	# shellcheck disable=SC2046
	kill -KILL $(sessions) 2>/dev/null || true
	touch "$machine_home/cut-$cut"
done
wait $follower || fail "the launch ended with $?"
started=
[ "$(grep -c 'the connection was lost; the job goes on' followed.err)" -ge 3 ] ||
	{ cat followed.err; fail 'the connection was not cut three times'; }
sed 's/^([^)]*) line \([0-9]*\) 0*$/\1/' followed >numbers
i=0
while [ $((i += 1)) -le 2000 ]
do
	echo $i
done >expected
cmp expected numbers || { diff expected numbers | head; fail 'lines are lost or doubled'; }
run 0 logs t
cmp out followed || fail 'the log is another one the second time'
run 0 down -y t
echo "ok: three cuts, 2000 lines, each once"
