#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-cloudsim.sh - the simulated clouds by themselves: protocols, faults, bills, real machines
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
python=${SOUK_TEST_PYTHON:-python3}
PATH=$PATH:/usr/sbin:/sbin
PYTHONDONTWRITEBYTECODE=1
export PATH PYTHONDONTWRITEBYTECODE

command -v "$python" >/dev/null || { echo "skipped: no python3 on this machine"; exit 77; }
"$python" "$src/tests/cloudsim/test_ec2.py"
"$python" "$src/tests/cloudsim/test_cloudsim.py"
"$python" "$src/tests/cloudsim/test_contract.py"
"$python" "$src/tests/cloudsim/test_machine.py"
