#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-down.sh - 'souk down' killed at requests and syncs
#
# A sample; with SOUK_TEST_LONG every crash point.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

# shellcheck disable=SC2046
crash_test --victim down $(sample 'kill.*(Terminate|Delete)|sync:before@[1357]$')
