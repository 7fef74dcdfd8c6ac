#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-conformance.sh - souk provider test on the local provider, its first part on all, and its words
set -eu

. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/conformance/lib.sh"

suite local local

# What needs no cloud, of all that were built.
for module in "$build"/lib/souk/providers/souk-provider-*.so
do
	"$souk" provider test "$module" --only 'abi.*' >"$tmp/report" || {
		grep -v '^ok' "$tmp/report"
		echo "not ok: $module"
		exit 1
	}
	echo "ok: the table of $(basename "$module"): $(tail -n 1 "$tmp/report")"
done

# What is said of what cannot be tested.
"$souk" provider test --list >"$tmp/list"
grep -q '^provision.again ' "$tmp/list"
[ "$(wc -l <"$tmp/list")" -ge 45 ]
[ "$("$souk" provider test --list --only 'abi.*' | wc -l)" -ge 6 ]
status=0
"$souk" provider test "$tmp/no.so" 2>"$tmp/said" || status=$?
[ $status = 64 ] && grep -q 'souk-provider-NAME.so' "$tmp/said"
status=0
"$souk" provider test "$tmp/souk-provider-nobody.so" 2>"$tmp/said" || status=$?
[ $status != 0 ] && grep -q nobody "$tmp/said"
"$souk" provider test local --only 'abi.*' --json >"$tmp/json"
grep -q '"failed": *0' "$tmp/json"
echo "ok: --list, --only, --json, and names that are none"
