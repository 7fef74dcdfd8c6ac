#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-runpod-launch.sh - pods of RunPod from launch to down, on a server of the tests with real sshds
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/prices.sh"
need_prices runpod
need sshd ssh ssh-keygen bash base64
# One logs in to a pod as root, whom an sshd of the tests knows only if it is root's.
[ "$(id -u)" -eq 0 ] || skip 'not root'
RUNPOD_API_KEY=rpa_TESTKEY0123456789
# A server of our own need not be waited for as a cloud is.
SOUK_CONFIRM_MS=50
SOUK_SETTLE_MS=0
export RUNPOD_API_KEY SOUK_CONFIRM_MS SOUK_SETTLE_MS

# there EXPRESSION: true over d, what the server has
there () {
	"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
sys.exit(0 if eval(sys.argv[2]) else str(d))' "$url" "$1" || fail "on the server's side: not so: $1"
}

launch () { # STATUS ARG...
	want=$1
	shift
	run "$want" launch -y --providers runpod "$@"
}

prices_start runpod.py --sshd
run 0 catalog update runpod
launch 0 -c one --instance-type 1x_RTX4090_SECURE 'echo "on $SOUK_NUM_NODES node"'
prints 'on 1 node'
there 'len(d["alive"]) == 1 and d["pods"][0]["gpu"]["id"] == "NVIDIA GeForce RTX 4090"'
there 'd["pods"][0]["name"].startswith("souk-one-") and d["pods"][0]["cloud"] == "SECURE"'
run 0 exec one 'echo again'
prints again
run 0 status --refresh --json
json '[(c["name"], c["status"]) for c in d["clusters"]] == [("one", "UP")]'
"$python" -c 'import json, sys, urllib.request
d = json.load(urllib.request.urlopen(sys.argv[1] + "/_sim/state"))
env = d["pods"][0]["env"]
open("start", "w").write(env["SOUK_START"])
open("hostkey.pub", "w").write(env["SOUK_HOST_KEY_PUBLIC"] + "\n")
open("hostkey", "w").write(env["SOUK_HOST_KEY"])
open("userkey", "w").write(env["PUBLIC_KEY"] + "\n")' "$url"
run 0 down -y one
there 'd["alive"] == []'
echo "ok: one pod"

# What the pod runs first, on folders of ours, with an sshd that only says that it was started.
mkdir -p pod/root pod/etc/ssh pod/sbin
echo 'Port 22' >pod/etc/ssh/sshd_config
echo old >pod/etc/ssh/ssh_host_rsa_key
printf '#!/bin/sh\necho "sshd $* ${SOUK_HOST_KEY-unset}" >"%s/pod/started"\n' "$tmp" >pod/sbin/sshd
chmod +x pod/sbin/sshd
base64 -d <start | sed "s:/root:$tmp/pod/root:g; s:/etc/ssh:$tmp/pod/etc/ssh:g; s:/run/sshd:$tmp/pod/run/sshd:g
s:/usr/sbin:$tmp/pod/sbin:g; s:/start.sh:$tmp/pod/start.sh:g" >pod/script
lacks pod/script ' /root'
lacks pod/script ' /etc'
SOUK_HOST_KEY=$(cat hostkey) SOUK_HOST_KEY_PUBLIC=$(cat hostkey.pub) PUBLIC_KEY=$(cat userkey) \
	bash pod/script >out 2>err || fail 'the start script fails'
cmp userkey pod/root/.ssh/authorized_keys || fail 'no key of the user'
cmp hostkey.pub pod/etc/ssh/ssh_host_ed25519_key.pub || fail 'not the host key'
[ "$(ssh-keygen -y -f pod/etc/ssh/ssh_host_ed25519_key | cut -d' ' -f1,2)" = \
	"$(cut -d' ' -f1,2 hostkey.pub)" ] || fail 'the two halves do not fit'
[ ! -e pod/etc/ssh/ssh_host_rsa_key ] || fail 'another host key is left'
[ "$(sed -n 1p pod/etc/ssh/sshd_config)" = "HostKey $tmp/pod/etc/ssh/ssh_host_ed25519_key" ] ||
	fail 'sshd is not told of the host key'
[ "$(cat pod/started)" = 'sshd -D -e unset' ] || fail "started: $(cat pod/started)"
[ "$(stat -c %a pod/etc/ssh/ssh_host_ed25519_key)" = 600 ] || fail 'all may read the host key'
echo "ok: the start script"

# A create whose answer is lost is found by its token, and is not made twice.
prices_start runpod.py --sshd --faults '[{"path": "v2/pods$", "skip": 1, "do": "truncate"}]'
launch 0 -c lost --instance-type cpu5c-4-8 'echo found'
prints found
there 'len(d["ever"]) == 1'
run 0 down -y lost
there 'd["alive"] == []'
echo "ok: a lost answer"

# Where there is none, the next place is tried, and nothing is left behind.
prices_start runpod.py --sshd --faults '[{"path": "v2/pods$", "skip": 1, "do": "unavailable", "status": 400, "body": "{\"title\": \"Bad Request\", \"status\": 400, \"detail\": \"There are no longer any instances available with the requested specifications.\"}"}]'
launch 0 -c next --instance-type cpu5c-4-8 'echo elsewhere'
prints elsewhere
says err 'no longer any instances available'
there 'len(d["ever"]) == 1'
run 0 down -y next
there 'd["alive"] == []'
echo "ok: the next place"
