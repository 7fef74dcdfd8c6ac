#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-crash-clouds.sh - a launch and its end killed and cheated, on the protocols of the other four clouds
#
# A sample; with SOUK_TEST_LONG every crash point, and clouds that do not show at once what they have made.
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/crash/crash.sh"
need_souk

create='(POST.*/(instances|pods|launch)|PUT.*/virtual[Mm]achines/[^/]*)\)'
end='(DELETE.*/(instances|pods)/[^/]*|DELETE.*/resource[Gg]roups/[^/]*|POST.*/terminate)\)'
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
for cloud in gcp azure runpod lambda
do
	# One logs in to a pod as root, whom an sshd of the tests knows only if it is root's.
	if [ "$cloud" = runpod ] && [ "$(id -u)" -ne 0 ]
	then
		echo 'runpod: left out: not root'
		continue
	fi
	"$souk" provider list 2>/dev/null | grep -q "^$cloud " || skip "built without the $cloud provider"
	echo "$cloud:"
	# shellcheck disable=SC2046
	crash_test --server "$cloud" $(sample "request:(kill-after|drop-after|repeat).*$create|sync:.*@17\$")
	# shellcheck disable=SC2046
	crash_test --server "$cloud" --victim down $(sample "request:kill.*$end")
	[ -n "${SOUK_TEST_LONG:-}" ] || continue
	cat >"$tmp/late.json" <<EOF
{"$cloud": {"lifecycle": {"visible_after": 1, "boot_after": 2, "terminate_after": 3}}}
EOF
	crash_test --server "$cloud" --server-args "--sshd --scenario $tmp/late.json" \
		--only "request:(kill|drop|late|repeat).*$create|sync"
done
