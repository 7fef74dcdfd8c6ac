#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test-embeddings.sh - the example by itself: slices add up, vectors are sound, results repeat
set -eu

src=${SOUK_TEST_SRCDIR:-$(cd "$(dirname "$0")/../.." && pwd)}
embed=$src/examples/embeddings/embed.sh
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

awk 'BEGIN { exit log(1) != 0 }' 2>/dev/null || { echo "skipped: an awk without log()"; exit 77; }
status=0
sh "$embed" 0 6 "$tmp/whole" >"$tmp/log" 2>&1 || status=$?
[ "$status" -ne 66 ] || { echo "skipped: no documents on this machine"; exit 77; }
[ "$status" -eq 0 ] || { cat "$tmp/log"; exit 1; }
whole=$tmp/whole/embeddings-0-6.jsonl

sh "$embed" 0 2 "$tmp/parts" >/dev/null 2>&1
sh "$embed" 2 6 "$tmp/parts" >/dev/null 2>&1
cat "$tmp/parts/embeddings-0-2.jsonl" "$tmp/parts/embeddings-2-6.jsonl" | cmp - "$whole"
echo "ok: two slices that touch are the whole, byte for byte"

# Each line: 64 numbers whose squares add up to 1, within what five digits can say.
sed 's/.*"vector":\[//; s/\]}$//' "$whole" | awk -F, '
	{ s = 0; for (i = 1; i <= NF; i++) s += $i * $i
	  if (NF != 64 || s < 0.999 || s > 1.001) { print "line " NR ": " NF ", " s; bad = 1 } }
	END { exit bad || NR == 0 }'
echo "ok: $(wc -l <"$whole") vectors of length 1"

# Texts on the same subject are near each other, others are not.
mkdir "$tmp/texts"
for name in a b c
do
	i=0
	while [ $((i += 1)) -le 20 ]
	do
		case $name in
		a) echo "the licence permits you to copy and distribute the program" ;;
		b) echo "you may distribute copies of the program under this licence" ;;
		c) echo "bake at two hundred degrees until golden, then add sugar" ;;
		esac
	done >"$tmp/texts/$name"
done
(cd "$tmp/texts" && LC_ALL=C awk -v words=1000 -f "$src/examples/embeddings/embed.awk" a b c) 2>/dev/null |
	sed 's/.*"vector":\[//; s/\]}$//' | awk -F, '
	{ for (i = 1; i <= NF; i++) v[NR, i] = $i }
	function dot(a, b,    i, s) { for (i = 1; i <= 64; i++) s += v[a, i] * v[b, i]; return s }
	END { print "near: " dot(1, 2) ", far: " dot(1, 3)
	      exit !(NR == 3 && dot(1, 2) > dot(1, 3) + 0.3) }'
echo "ok: like texts have like vectors"

sh "$embed" 1000000 1000010 "$tmp/past" >/dev/null 2>&1
test ! -s "$tmp/past/embeddings-1000000-1000010.jsonl"
echo "ok: a slice past the end is empty"

for bad in 'x 1' '0 -1' '1 1x'
do
	status=0
	# shellcheck disable=SC2086
	sh "$embed" $bad "$tmp/bad" >/dev/null 2>&1 || status=$?
	[ "$status" -eq 64 ] || { echo "status $status for '$bad'"; exit 1; }
done
echo "ok: an index that is no number is refused"
