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
{"lifecycle": {"visible_after": 1, "boot_after": 2, "terminate_after": 3}}
EOF
# shellcheck disable=SC2046
crash_test --server-args "--sshd --scenario $tmp/late.json" \
	--launch 'launch -y -d -c crash --infra aws/us-east-1 --instance-type m5.large --num-nodes 2 true' \
	$(sample '(kill|drop)-after.*RunInstances|sync:.*@(20|25|30)$')
