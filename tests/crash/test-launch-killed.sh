#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-launch-killed.sh - kill launches at a sample of the crash points, or at all of them
#
# SOUK_TEST_LONG=1 tries every point. Without moto only our own EC2 server is asked.
set -u

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
souk=${SOUK:-$src/souk}
python=${SOUK_TEST_PYTHON:-python3}
here=$src/tests/crash

command -v "$python" >/dev/null || { echo "skipped: no Python"; exit 77; }
PATH=$PATH:/usr/sbin:/sbin
command -v sshd >/dev/null || { echo "skipped: no sshd"; exit 77; }
case ${SOUK_TEST_SANITIZER:-} in
*thread*) echo "skipped: the preloaded library and the thread sanitizer do not get along"; exit 77 ;;
*address*) ASAN_OPTIONS=verify_asan_link_order=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}; export ASAN_OPTIONS ;;
esac

user=$(id -un)
if [ -n "${SOUK_TEST_LONG:-}" ]
then
	own='' moto=''
else
	own='--sample 30 --seed 1' moto='--sample 8 --seed 1'
fi
status=0

echo "== our own EC2 server"
# shellcheck disable=SC2086
"$python" "$here/crash-test.py" --souk "$souk" --env "SOUK_AWS_IMAGE_USER=$user" --jobs 2 $own ||
	status=1

if "$python" -c 'import moto.server' 2>/dev/null
then
	echo "== moto"
	# shellcheck disable=SC2086
	"$python" "$here/crash-test.py" --souk "$souk" --server moto --jobs 2 $moto \
		--env "SOUK_AWS_IMAGE_USER=$user" \
		--env "SOUK_AWS_PROXY_COMMAND=$python $here/moto-ssh.py --endpoint {endpoint} --dir {dir}/machines %h" ||
		status=1
else
	echo "no moto: not asked"
fi
exit $status
