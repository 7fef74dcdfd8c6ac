#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-moto.sh - a launch killed at requests and syncs, on moto, which ignores ClientToken
#
# A sample; with SOUK_TEST_LONG every crash point.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk
"$python" -c 'import moto.server' 2>/dev/null || skip 'no moto on this machine'

# shellcheck disable=SC2046
crash_test --server moto \
	--env "SOUK_AWS_PROXY_COMMAND=$python $src/tests/crash/moto-ssh.py --endpoint {endpoint} --dir {dir}/machines %h" \
	$(sample 'RunInstances|sync:before@(14|21|28)$')
