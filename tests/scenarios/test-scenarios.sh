#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-scenarios.sh - fifty random scenarios over five clouds; with SOUK_TEST_LONG five hundred
#
# SOUK_TEST_SEED is that of the first, 1 if not given.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/scenarios/scenarios.sh"

count=50
[ -z "${SOUK_TEST_LONG:-}" ] || count=500
exec "$python" "$src/tests/scenarios/scenario-test.py" --souk "$souk" --count "$count" \
	--seed "${SOUK_TEST_SEED:-1}" --jobs 4
