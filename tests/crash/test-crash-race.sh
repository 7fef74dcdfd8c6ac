#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-race.sh - souk launch --race killed or cheated at requests and syncs of all its racers
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' INT TERM HUP
cat >"$tmp/task.yaml" <<'EOT'
resources:
  any_of:
    - infra: aws/us-east-1
    - infra: aws/us-west-2
    - infra: aws/eu-west-1
  instance_type: m5.large
run: "true"
EOT
if [ -n "${SOUK_TEST_LONG:-}" ]
then
	set -- --sample 150 --jobs 2
else
	set -- --sample 8 --seed 3
fi
crash_test "$@" --launch "launch -y -d -c crash --race 3 --providers aws $tmp/task.yaml"
