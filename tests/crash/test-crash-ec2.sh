#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-ec2.sh - a launch killed at requests and syncs, on an EC2 that honours ClientToken
#
# A sample; with SOUK_TEST_LONG every crash point.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

# shellcheck disable=SC2046
crash_test $(sample '(kill|drop-after|repeat).*RunInstances|kill.*SecurityGroup|sync:.*[05]$')
