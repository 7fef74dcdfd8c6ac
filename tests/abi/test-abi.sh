#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-abi.sh - the provider header stands alone, and modules of the past still load
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
build=${SOUK_TEST_BUILDDIR:-$src}
cc=${SOUK_TEST_CC:-cc}
sanitizer=${SOUK_TEST_SANITIZER:-}
include=$src/plugin-api/include
here=$src/tests/abi
lib=$build/.libs
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

test -e "$lib/libsouk-provider.so" || { echo "no $lib/libsouk-provider.so: run make"; exit 99; }

echo '#include <souk/provider.h>' >"$tmp/alone.c"
for std in c99 c11 c17
do
	$cc -std=$std -pedantic -Wall -Wextra -Werror -I"$include" -fsyntax-only "$tmp/alone.c"
	echo "ok: the header alone as $std"
done
cp "$tmp/alone.c" "$tmp/alone.cc"
cxx=
for c in c++ g++ clang++
do
	command -v $c >/dev/null && cxx=$c && break
done
if [ -n "$cxx" ]
then
	$cxx -Wall -Wextra -Werror -I"$include" -fsyntax-only "$tmp/alone.cc"
	echo "ok: the header alone as C++"
else
	echo "not checked as C++: no C++ compiler"
fi

# The one for modules that use json-c needs that besides.
if json=$(pkg-config --cflags json-c 2>/dev/null)
then
	echo '#include <souk/provider-json.h>' >"$tmp/alone.c"
	cp "$tmp/alone.c" "$tmp/alone.cc"
	for std in c99 c11 c17
	do
		# shellcheck disable=SC2086
		$cc -std=$std -pedantic -Wall -Wextra -Werror -I"$include" $json -fsyntax-only "$tmp/alone.c"
	done
	# shellcheck disable=SC2086
	[ -z "$cxx" ] || $cxx -Wall -Wextra -Werror -I"$include" $json -fsyntax-only "$tmp/alone.cc"
	echo "ok: the header for JSON alone"
else
	echo "not checked: the header for JSON, as pkg-config knows no json-c"
fi

# The functions that the header declares are the symbols of the library.
sed -n '/^\/\* ---- Host functions: errors/,$p' "$include/souk/provider.h" |
	grep -o '\<souk_[a-z0-9_]*(' | tr -d '(' | sort -u >"$tmp/declared"
nm -D --defined-only "$lib/libsouk-provider.so" |
	sed -n 's/.* T \(souk_[a-z0-9_]*\)@@SOUK_PROVIDER_[0-9]*$/\1/p' | sort >"$tmp/exported"
diff "$tmp/declared" "$tmp/exported"
echo "ok: libsouk-provider exports the $(wc -l <"$tmp/exported") host functions"

# Until the first release the header of ABI 1 is the one of today.
if grep -q '^AC_INIT(\[souk\], \[0\.' "$src/configure.ac"
then
	cmp "$include/souk/provider.h" "$here/v1/souk/provider.h"
fi

$cc -std=gnu11 $sanitizer -I"$include" "$here/host.c" -o "$tmp/host" -L"$lib" -lsouk-provider -ldl
for old in "$here"/v*/
do
	$cc -std=c99 -Wall -Werror $sanitizer -shared -fPIC -I"$old" "$here/module.c" \
		-o "$tmp/souk-provider-old.so" -L"$lib" -lsouk-provider
	LD_LIBRARY_PATH=$lib "$tmp/host" "$tmp/souk-provider-old.so"
	echo "ok: a module built against $(basename "$old")"
done
