#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-conformance-aws.sh - souk provider test on the module of Amazon EC2, against its simulator
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/conformance/lib.sh"

of_cloud aws
