#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-conformance-lambda.sh - souk provider test on the module of Lambda, against its simulator
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/conformance/lib.sh"

# A server of our own has no limits of requests per second.
SOUK_LAMBDA_REQUEST_MS=0
SOUK_LAMBDA_LAUNCH_MS=0
export SOUK_LAMBDA_REQUEST_MS SOUK_LAMBDA_LAUNCH_MS
of_cloud lambda
