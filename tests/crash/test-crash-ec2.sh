#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-ec2.sh - launch and down killed at requests and syncs, on an EC2 that honours ClientToken
#
# A sample; with SOUK_TEST_LONG every crash point.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

# shellcheck disable=SC2046
crash_test $(sample '(kill|drop-after|repeat).*RunInstances|kill.*SecurityGroup|sync:.*[05]$')
# shellcheck disable=SC2046
crash_test --victim down $(sample 'kill.*(Terminate|Delete)|sync:before@[1357]$')

# What is made is not shown at once.
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
echo '{"lifecycle": {"visible_after": 1, "boot_after": 2, "terminate_after": 3}}' >"$tmp/late.json"
# shellcheck disable=SC2046
crash_test --server-args "--sshd --scenario $tmp/late.json" $(sample '(kill|drop)-after.*RunInstances')
# Two machines, all or none.
if [ -n "${SOUK_TEST_LONG:-}" ]
then
	crash_test --launch 'launch -y -d -c crash --infra aws/us-east-1 --instance-type m5.large --num-nodes 2 true'
fi
