#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-parts.sh - the crash test itself: it passes the careful and catches the careless
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
command -v "$python" >/dev/null || skip 'no python3 on this machine'

if [ -n "${SOUK_TEST_LONG:-}" ]
then
	exec "$python" "$src/tests/crash/test_crash.py"
fi
exec "$python" "$src/tests/crash/test_crash.py" Proxy KillSync Driver.test_no_token \
	Driver.test_broken_from_the_start
