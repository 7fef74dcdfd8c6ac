#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-aws-trust.sh - whom souk trusts on a simulated EC2: the machine's key, the credentials
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/aws.sh"
need_aws

# ---- Credentials

sim_start '{}'
run 0 check aws
says out 'aws: ok'
says out '123456789012'
AWS_SECRET_ACCESS_KEY=wrong run 77 check aws
says out 'aws: failed'
AWS_ACCESS_KEY_ID=nobody run 77 check aws
says out 'aws: failed'
lacks out wrong
run 0 check aws --json
json 'd["providers"][0]["ok"]'
echo "ok: souk check aws"

# ---- The host key

# Ours is given at first boot, and is what the first connection meets.
run 0 launch -y -c t --infra aws/us-east-1 --instance-type m5.large 'echo verified'
prints verified
sim_is 'all(i["ssh"]["logins"] > 0 for i in alive)'
run 0 down -y t
everything_gone

sim_start '{}' --impostor
status=0
"$souk" launch -y -c t --infra aws/us-east-1 --instance-type m5.large \
	--secret TOKEN=hush-hush-hush 'echo "$TOKEN"' >out 2>err </dev/null || status=$?
[ "$status" -ne 0 ] || fail 'the launch went on with an impostor'
says err 'somebody may be intercepting the connection'
says err 'nothing was sent'
says_once err 'SSH host key'
[ ! -s out ] || fail 'there is a log'
sim_is 'len(machines) == 1 and machines[0]["ssh"]["connections"] > 0'
sim_is 'machines[0]["ssh"]["auth_attempts"] == 0 and machines[0]["ssh"]["logins"] == 0'
# nor does another command go on, in-process or by the user's ssh
run 75 exec t 'echo x'
status=0
"$souk" ssh t true >out 2>err </dev/null || status=$?
[ "$status" -ne 0 ] || fail 'souk ssh went on with an impostor'
sim_is 'machines[0]["ssh"]["auth_attempts"] == 0 and machines[0]["ssh"]["logins"] == 0'
run 0 down -y t
everything_gone
echo "ok: an impostor is refused, and nothing is sent to it"

# One that takes the place of a machine later, at the same address and after a good start.
sim_start '{}'
run 0 launch -y -d -c t --infra aws/us-east-1 --instance-type m5.large 'true'
known=$(sim 'machines[0]["ssh"]["folder"]')
run 0 stop -y t
ssh-keygen -q -t ed25519 -N '' -f other </dev/null
cp other "$known/host_key"
cp other.pub "$known/host_key.pub"
status=0
"$souk" start -y t >out 2>err </dev/null || status=$?
[ "$status" -ne 0 ] || fail 'a changed key was taken'
says err 'somebody may be intercepting the connection'
run 0 down -y t
everything_gone
echo "ok: a key that has changed is refused"
