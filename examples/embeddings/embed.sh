#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# embed.sh - embed the documents START to END (not included) of this machine
#
# usage: embed.sh START END OUTPUT_DIR
#
# The documents are the licence texts and copyright files that every Debian has, in the order of
# their names, so that slices that touch cover everything once. Writes
# OUTPUT_DIR/embeddings-START-END.jsonl, whole or not at all.
set -eu
LC_ALL=C
export LC_ALL

start=$1 end=$2 output=$3
for index in "$start" "$end"
do
	case $index in
	*[!0-9]* | '')
		echo "embed.sh: JOB_START_IDX and JOB_END_IDX are numbers, not '$index'" >&2
		exit 64 ;;
	esac
done

here=$(cd "$(dirname "$0")" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

find /usr/share/common-licenses /usr/share/doc -type f \
	\( -path '/usr/share/common-licenses/*' -o -name copyright \) -size -400k \
	2>/dev/null | sort >"$tmp/documents" || :
all=$(wc -l <"$tmp/documents")
if [ "$all" -eq 0 ]
then
	echo "embed.sh: no documents below /usr/share/common-licenses and /usr/share/doc" >&2
	exit 66
fi
sed -n "$((start + 1)),${end}p" "$tmp/documents" >"$tmp/slice"
n=$(wc -l <"$tmp/slice")
echo "documents: $all; embedding $n of them, from $start to $end"

if [ "$n" -gt 0 ]
then
	tr '\n' '\0' <"$tmp/slice" | xargs -0 awk -f "$here/embed.awk" >"$tmp/result"
else
	: >"$tmp/result"
fi

mkdir -p "$output"
name=embeddings-$start-$end.jsonl
cp "$tmp/result" "$output/.$name.part"
mv -f "$output/.$name.part" "$output/$name"
echo "wrote $output/$name: $(wc -l <"$output/$name") vectors," \
	"sha256 $(sha256sum <"$output/$name" | cut -c 1-16)"
