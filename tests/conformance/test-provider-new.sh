#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-provider-new.sh - souk provider new makes a module that builds, loads and keeps its promises
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${SOUK_TEST_BUILDDIR:-$src}
souk=${SOUK:-$build/souk}
cc=${SOUK_TEST_CC:-cc}
[ -z "${SOUK_TEST_SANITIZER:-}" ] || { echo "skipped: the module of an outsider has no sanitizer"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
SOUK_HOME=$tmp/home
export SOUK_HOME
cd "$tmp"

"$souk" provider new my_cloud 2>"$tmp/said"
grep -q 'souk-provider-my_cloud' "$tmp/said"
for file in Makefile.am README.md my_cloud.c configure.ac
do
	test -s "souk-provider-my_cloud/$file" || { echo "not ok: no $file"; exit 1; }
done
! grep -rniw acme souk-provider-my_cloud
! grep -rni acme souk-provider-my_cloud
grep -q SOUK_MY_CLOUD_HOSTS souk-provider-my_cloud/README.md
echo "ok: the names are replaced"

# The flags are those of souk-provider.pc, for a tree that is not installed.
$cc -std=gnu11 -Wall -Wextra -Werror -shared -fPIC -I"$src/plugin-api/include" \
	souk-provider-my_cloud/my_cloud.c -o souk-provider-my_cloud.so -L"$build/.libs" -lsouk-provider
SOUK_MY_CLOUD_HOSTS=me@box1 "$souk" provider info my_cloud --provider-path "$tmp" |
	grep -q '^provider  *my_cloud$'
echo "ok: it builds without a warning, and loads"

# The template needs ssh: that of its own test will do.
mkdir -m 700 homes
cp "$src/tests/template/fake-ssh" fake-ssh
chmod +x fake-ssh
FAKE_HOMES=$tmp/homes SOUK_MY_CLOUD_SSH=$tmp/fake-ssh SOUK_MY_CLOUD_HOSTS=me@box1,me@box2 \
	"$souk" provider test ./souk-provider-my_cloud.so --machines -y --calls 20 --grace-ms 20000 \
	>report || { cat report; exit 1; }
grep -q '^ok .* provision.again' report
echo "ok: it passes the conformance suite: $(tail -n 1 report)"

# fails STATUS TEXT ARGUMENT...: the command fails so, with this in its message
fails () {
	want=$1 text=$2
	shift 2
	status=0
	"$souk" provider new "$@" 2>"$tmp/said" || status=$?
	[ "$status" = "$want" ] && grep -q "$text" "$tmp/said" && return
	echo "not ok: souk provider new $*: status $status: $(cat "$tmp/said")"
	exit 1
}

fails 65 'no name for a provider' My-Cloud
fails 65 'no name for a provider' ../up
fails 65 'is a word of C' double
fails 65 'has the word' host
test ! -e souk-provider-host
fails 64 'which name'
status=0
"$souk" provider new my_cloud 2>"$tmp/said" || status=$?
[ "$status" != 0 ] && grep -q -- '--dir' "$tmp/said"
"$souk" provider new sky7 --dir "$tmp/else where" 2>/dev/null
test -s "$tmp/else where/sky7.c"
echo "ok: bad names, and folders that are there, are refused"
