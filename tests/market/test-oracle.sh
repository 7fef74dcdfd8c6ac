#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-oracle.sh - what souk finds for 200 random requests is what brute force finds
#
# Price lists that are made up are always there. Real ones are used as well if SOUK_TEST_CATALOG names
# a folder of them, or one stands beside the source tree.
set -eu
# shellcheck source=tests/e2e/lib.sh
. "${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}/tests/e2e/lib.sh"

command -v "$python" >/dev/null || skip 'no python3 on this machine'
oracle=$src/tests/market/oracle.py
SOUK=$souk
export SOUK
today=$(date -u +%Y-%m-%d)

# compare FOLDER ARG...: import the lists of a folder and ask the oracle
compare () {
	folder=$1
	shift
	rm -rf "$SOUK_HOME"
	for list in "$folder"/*.csv
	do
		# A table of something else beside the lists.
		head -n 1 "$list" | grep -q gpu_name || continue
		name=${list##*/}
		run 0 catalog import "$list" --provider "${name%.csv}" --date "$today"
	done
	"$python" "$oracle" "$folder" "$@" >out 2>err || fail 'souk and the oracle differ'
	cat out
}

# Of those installed, and two that have no module. This computer has no list.
names=$("$souk" provider list --json | "$python" -c 'import json, sys
print(",".join([row["name"] for row in json.load(sys.stdin)["providers"] if row["name"] != "local"]
	+ ["bazaar", "northwind"]))')
mkdir lists
"$python" "$oracle" lists --generate "$names"
compare lists
echo 'ok: price lists that are made up'

real=${SOUK_TEST_CATALOG:-$src/../shared/catalog}
if [ -d "$real" ]
then
	compare "$real"
	echo 'ok: real price lists'
else
	echo "skipped: the real price lists: no folder '$real'"
fi
