#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-concurrent.sh - 64 launches at once in one process, over five clouds: 64 machines, then none
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/clouds.sh"
need_clouds aws
build=${SOUK_TEST_BUILDDIR:-$src}
program=$build/tests/unit/concurrent-provisions
[ -x "$program" ] || skip 'no tests/unit/concurrent-provisions: make check builds it'
threads=64

sshd=
clouds_start '{}'
while read -r cloud place
do
	case ,$clouds, in
	*,$cloud,*) echo "$cloud $place" ;;
	esac
done >places <<'EOT'
aws us-east-1 us-east-1a m5.large - 0
gcp us-west1 us-west1-c a2-highgpu-1g A100 1000
azure eastus2 1 Standard_NV36ads_A10_v5 A10 1000
runpod US US-CA-2 1x_H100_SECURE H100 1000
lambda us-east-1 - gpu_1x_a10 A10 1000
aws us-west-2 us-west-2a m5.large - 0
gcp europe-west4 europe-west4-a n1-standard-1 T4 1000
EOT

mkfifo go
"$program" "$build/.libs" $threads places <go >counted 2>err &
started=$!
exec 3>go
is_up () {
	grep -q '^up ' counted || ! lives "$started"
}
await 'all are up' is_up
grep -qx "up $threads" counted || fail "not all are up: $(cat counted)"
clouds_are "len(alive) == $threads"
clouds_are "len({i['token'] for i in alive}) == $threads and len(machines) == $threads"
clouds_are "{i['cloud'] for i in alive} == set('$clouds'.split(','))"
run 0 status --json
json "len(d['clusters']) == $threads"
echo >&3
exec 3>&-
status=0
wait "$started" || status=$?
started=
[ "$status" -eq 0 ] || fail "exit status $status: $(cat counted)"
grep -qx down counted || fail 'not all are down'
everything_gone
clouds_are "sum(len(one['ever']) for one in d.values()) == $threads"
echo "ok: $threads launches at once: as many machines, then none"
