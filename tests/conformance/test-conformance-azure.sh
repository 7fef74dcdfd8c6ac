#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-conformance-azure.sh - souk provider test on the module of Azure, against its simulator
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/conformance/lib.sh"

of_cloud azure
