#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-late.sh - a launch killed where two machines are made, and are not shown at once
#
# A sample; with SOUK_TEST_LONG every crash point.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
cat >"$tmp/late.json" <<'EOF'
{"aws": {"lifecycle": {"visible_after": 1, "boot_after": 2, "terminate_after": 3}}}
EOF
# shellcheck disable=SC2046
crash_test --server-args "--sshd --scenario $tmp/late.json" \
	--launch 'launch -y -d -c crash --infra aws/us-east-1 --instance-type m5.large --num-nodes 2 true' \
	$(sample '(kill|drop)-after.*RunInstances|sync:.*@(20|25|30)$')

# What is hidden for longer than the looks that confirm an absence take is what the settle time is
# for: without it, a request that was killed right behind its create call would be given up too soon,
# and so would machines that are known from the answer to that call alone.
cat >"$tmp/hidden.json" <<'EOF'
{"aws": {"lifecycle": {"visible_after": 3, "boot_after": 2, "terminate_after": 3}}}
EOF
settle_ms=5000
# shellcheck disable=SC2046
crash_test --server-args "--sshd --scenario $tmp/hidden.json" --patience 1000 \
	--launch 'launch -y -d -c crash --infra aws/us-east-1 --instance-type m5.large --num-nodes 2 true' \
	$(sample 'kill.*RunInstances|sync:.*@3[5-7]$')
