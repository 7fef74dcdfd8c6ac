#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-doctor-clouds.sh - what souk has in five clouds: settled by a refresh, found and ended by the doctor
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
need_clouds aws gcp azure runpod lambda

clouds_start '{}'

# launch CLOUD: a machine there, in a cluster of its name
launch () {
	case $1 in
	aws) infra=aws/us-east-1/us-east-1a type=m5.large ;;
	gcp) infra=gcp/us-west1/us-west1-c type=a2-highgpu-1g ;;
	azure) infra=azure/eastus2/1 type=Standard_D2s_v5 ;;
	runpod) infra=runpod/*/US-CA-2 type=1x_H100_SECURE ;;
	lambda) infra=lambda/us-east-1 type=gpu_1x_a10 ;;
	esac
	run 0 launch -y -d -c "in-$1" --infra "$infra" --instance-type $type true
}

run 0 catalog update aws gcp azure runpod lambda
for cloud in aws gcp azure runpod lambda
do
	launch $cloud
done
clouds_are 'sorted(i["cloud"] for i in alive) == ["aws", "azure", "gcp", "lambda", "runpod"]'
run 0 status --refresh --json
json 'sorted((c["provider"], c["status"]) for c in d["clusters"]) == [(p, "UP") for p in ("aws", "azure", "gcp", "lambda", "runpod")]'
run 0 doctor --json
json 'sorted(f["provider"] for f in d["findings"] if f["standing"] == "known") == ["aws", "azure", "gcp", "lambda", "runpod"]'
json '[f for f in d["findings"] if f["standing"] not in ("known", "foreign")] == []'
echo "ok: five clouds: all is known, to a refresh and to the doctor"

# Without the store all of them are orphans, found by their tags or names.
mv "$SOUK_HOME/state" state.kept
run 1 doctor --json
json 'sorted({f["provider"] for f in d["findings"] if f["standing"] == "orphan"}) == ["aws", "azure", "gcp", "lambda", "runpod"]'
clouds_are 'len(alive) == 5'
run 0 doctor --tear-down -y --json
clouds_are 'alive == []'
clouds_are 'leftovers == []'
run 0 doctor
echo "ok: without a store the doctor finds five orphans in five clouds, and ends them"

# The store that comes back speaks of machines that are gone: one refresh settles all.
rm -rf "$SOUK_HOME/state"
mv state.kept "$SOUK_HOME/state"
run 0 status --refresh
everything_gone
echo "ok: a refresh settles five clusters whose machines are gone"
