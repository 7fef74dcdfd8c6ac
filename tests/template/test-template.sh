#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-template.sh - install souk, build the template with pkg-config alone, and use its module
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${SOUK_TEST_BUILDDIR:-$src}
cc=${SOUK_TEST_CC:-cc}
sanitizer=${SOUK_TEST_SANITIZER:-}
here=$src/tests/template

for program in autoreconf pkg-config libtoolize
do
	command -v $program >/dev/null || { echo "skipped: no $program"; exit 77; }
done
[ -z "$sanitizer" ] || { echo "skipped: the module of an outsider has no sanitizer"; exit 77; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MFLAGS MAKELEVEL DESTDIR CPPFLAGS LDFLAGS LIBS

# pc NAME - the variable of the installed souk-provider.pc, or --cflags and the like
prefix=$(sed -n 's/^prefix = //p' "$build/Makefile")
make -C "$build" install DESTDIR="$tmp/root" >"$tmp/install.log" 2>&1 || {
	tail -n 30 "$tmp/install.log"
	exit 1
}
PKG_CONFIG_SYSROOT_DIR=$tmp/root
PKG_CONFIG_PATH=$(find "$tmp/root" -name pkgconfig -type d)
export PKG_CONFIG_SYSROOT_DIR PKG_CONFIG_PATH
libdir=$(dirname "$PKG_CONFIG_PATH")
providerdir=$libdir/souk/providers
test "$(pkg-config --variable=abi souk-provider)" = \
	"$(sed -n 's/^#define SOUK_PROVIDER_ABI *//p' "$src/plugin-api/include/souk/provider.h")"
echo "ok: installed below DESTDIR, prefix $prefix"

cp -R "$src/plugin-api/template" "$tmp/acme"
chmod -R u+w "$tmp/acme"
cd "$tmp/acme"
{
	autoreconf -i &&
	./configure CC="$cc" --with-provider-dir="$tmp/out" &&
	make && make install
} >"$tmp/acme.log" 2>&1 || {
	tail -n 30 "$tmp/acme.log"
	exit 1
}
module=$tmp/out/souk-provider-acme.so
test -f "$module"
if grep -n 'acme\.c:.*warning:' "$tmp/acme.log"
then
	exit 1
fi
echo "ok: the template built with $cc and pkg-config, without a warning"

# shellcheck disable=SC2046
$cc -shared -fPIC acme.c -o "$tmp/souk-provider-acme.so" $(pkg-config --cflags --libs souk-provider)
echo "ok: the one line of the README builds it too"

exported=$(nm -D --defined-only "$module" | awk '{ print $NF }')
test "$exported" = souk_provider_entry || { echo "exported: $exported"; exit 1; }
echo "ok: it exports souk_provider_entry alone"

# shellcheck disable=SC2046
$cc -std=gnu11 "$here/host.c" -o "$tmp/host" $(pkg-config --cflags --libs souk-provider) -ldl
mkdir -m 700 "$tmp/state" "$tmp/homes"
cp "$here/fake-ssh" "$tmp/fake-ssh"
chmod +x "$tmp/fake-ssh"
FAKE_HOMES=$tmp/homes LD_LIBRARY_PATH=$libdir \
	"$tmp/host" "$module" "$tmp/state" "$tmp/fake-ssh" "$tmp/homes"
echo "ok: a life of the module: offers, lease, same token, teardown twice"

# The installed command loads it, beside the modules that it came with.
souk=$(find "$tmp/root" -path '*/bin/souk' -type f)
if [ -n "$souk" ]
then
	SOUK_HOME=$tmp/home SOUK_PROVIDER_PATH=$tmp/out LD_LIBRARY_PATH=$libdir \
		SOUK_ACME_HOSTS=me@box1 "$souk" provider info acme >"$tmp/info"
	grep -q "Hosts of one's own" "$tmp/info" || { cat "$tmp/info"; exit 1; }
	test -d "$providerdir"
	echo "ok: souk provider info acme"
fi
