#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-known-leaks.sh - the four ways in which brokers lose machines, on five clouds
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/scenarios/scenarios.sh"

exec "$python" "$src/tests/scenarios/known-leaks.py" --souk "$souk"
