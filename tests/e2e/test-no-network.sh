#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-no-network.sh - commands that need no network load none of it, start nothing, open no socket
set -eu
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"

# What the dynamic linker loads, one file for each process.
loaded () { # ARG...
	rm -f ld.*
	status=0
	LD_DEBUG=files LD_DEBUG_OUTPUT=$tmp/ld "$souk" "$@" >out 2>err </dev/null || status=$?
	cat ld.* >loads 2>/dev/null || : >loads
}

loaded --help
grep -q 'calling init: .*/libsouk' loads || skip 'this dynamic linker does not tell what it loads'

ln -s "$src/examples" examples
printf 'name: x\nresources:\n  cpus: 1+\nrun: echo\n' >task.yaml
network='libsouk-engine|libcurl|libssh|libssl|libnghttp|libgnutls|libldap|libgssapi|libresolv'
crypto='libcrypto|libssl|libgcrypt|libnettle'

strace=
if command -v strace >/dev/null &&
	traced -o probe -e trace=execve,socket true 2>/dev/null && grep -q execve probe
then
	strace=yes
fi

# quiet STATUS PATTERN ARG...: the command loads no library of the pattern, starts no process,
# opens no socket but that of the system's own name service
quiet () {
	want=$1
	pattern=$2
	shift 2
	loaded "$@"
	[ "$status" -eq "$want" ] || fail "souk $*: exit status $status, not $want"
	if grep -oE "calling init: .*/($pattern)[^/]*" loads >found
	then
		cat found
		fail "souk $* loads what it does not need"
	fi
	[ "$(find . -maxdepth 1 -name 'ld.*' | wc -l)" -eq 1 ] || fail "souk $* starts another process"
	[ -n "$strace" ] || return 0
	traced -o calls -e trace=execve,socket,connect,sendto "$souk" "$@" >/dev/null 2>&1 </dev/null || true
	[ "$(grep -c 'execve(' calls)" -eq 1 ] || fail "souk $* runs a program: $(grep 'execve(' calls | tail -n +2)"
	if grep 'socket(' calls | grep -v 'AF_UNIX' >found
	then
		cat found
		fail "souk $* opens a socket"
	fi
	if grep 'connect(' calls | grep -v '/nscd/\|systemd/userdb\|sssd' >found
	then
		cat found
		fail "souk $* connects"
	fi
}

# Each of the commands.
commands () {
	quiet 0 "$network|$crypto" --help
	quiet 0 "$network|$crypto" --version
	quiet 0 "$network|$crypto" launch --help
	quiet 0 "$network|$crypto" status
	quiet 0 "$network|$crypto" status --json
	quiet 0 "$network|$crypto" cost
	quiet 0 "$network|$crypto" cost --all --json
	quiet 0 "$network|$crypto" offers
	quiet 0 "$network|$crypto" offers --json
	quiet 0 "$network|$crypto" validate task.yaml
	quiet 0 "$network|$crypto" validate examples/embeddings/task.yaml
	# Providers take part in a plan, and bring what they are made of; but no network.
	quiet 0 "$network" launch --dryrun -c new task.yaml
	quiet 0 "$network" launch --dryrun --json -c new task.yaml
	quiet 69 "$network" launch --dryrun -c new --gpus H100:4096 task.yaml
	quiet 0 "$network" provider list
	quiet 69 "$network|$crypto" status nosuch
}

if "$souk" provider list 2>/dev/null | grep -q '^local '
then
	# With a store that is not there yet, then with one, and a cluster in it.
	commands
	[ ! -e "$SOUK_HOME/state/souk.db" ] || fail 'a command that only looks made a store'
	echo "ok: with nothing there yet"
	if command -v sshd >/dev/null
	then
		run 0 launch -y -c there 'echo hello'
		commands
		echo "ok: beside a cluster"
		# The check sees the network where there is one.
		loaded exec there 'echo x'
		[ "$status" -eq 0 ] || fail 'exec'
		grep -qE "calling init: .*/(libssh)" loads || fail 'exec does without SSH?'
		run 0 down -y there
	fi
	if "$souk" provider list | grep -q '^aws '
	then
		# Credentials that would be good for a request, if one were made.
		AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE AWS_SECRET_ACCESS_KEY=secret AWS_EC2_METADATA_DISABLED=false
		AWS_CONFIG_FILE=$tmp/none AWS_SHARED_CREDENTIALS_FILE=$tmp/none
		export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_EC2_METADATA_DISABLED AWS_CONFIG_FILE \
			AWS_SHARED_CREDENTIALS_FILE
		quiet 0 "$network" launch --dryrun -c new --infra aws --cpus 4+ task.yaml
		says out aws
		quiet 0 "$network|$crypto" offers
		unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
		export AWS_EC2_METADATA_DISABLED=false
		quiet 0 "$network" launch --dryrun -c new task.yaml
		echo "ok: with an account in a cloud"
	fi
fi

# The first minute of a new user, without a network at all, without credentials: offers of every cloud
# that souk comes with, each with the day of its prices. Nobody is asked for anything.
clouds=$("$souk" provider list | awk '$1 ~ /^(aws|azure|gcp|lambda|runpod)$/ { print $1 }')
if [ -n "$clouds" ] && unshare -rn true 2>/dev/null && command -v "$python" >/dev/null
then
	quiet 0 "$network|$crypto" offers H100
	quiet 0 "$network|$crypto" offers H100 --json
	mkdir new-user
	for format in --json ''
	do
		# shellcheck disable=SC2086
		env -i PATH="$PATH" HOME="$tmp/new-user" unshare -rn "$souk" offers H100 $format >out 2>err ||
			fail 'no offers for a new user'
		[ -z "$format" ] || for cloud in $clouds
		do
			json "[o for o in d['offers'] if o['provider'] == '$cloud' and o['gpu_name'] == 'H100'
				and len(o['date']) == 10 and o['source'] == 'seed' and o['installed']
				and (o['price_usd_hour'] or o['spot_price_usd_hour']) > 0]"
		done
	done
	for cloud in $clouds
	do
		grep -q "^$cloud .* H100:[0-9].* seed  *20[0-9][0-9]-[0-9][0-9]-[0-9][0-9]" out ||
			fail "no line of $cloud"
	done
	[ "$(find new-user -name 'souk.db' | wc -l)" -eq 0 ] || fail 'looking made a store'
	env -i PATH="$PATH" HOME="$tmp/new-user" unshare -rn "$souk" offers >out 2>err || fail 'no accelerators'
	says out H100
	# shellcheck disable=SC2086
	echo "ok: the first minute of a new user:" $clouds
else
	echo 'skipped: a new user without a network: no cloud, no namespaces of their own, or no python3'
fi
