# SPDX-License-Identifier: Apache-2.0
# embed.awk - text to vectors: signed feature hashing of words and letter trigrams
#
# usage: awk -f embed.awk -v dims=64 -v words=120 FILE...
#
# Each file is cut into chunks of so many words. A chunk's features are its words and the
# trigrams of their letters; a feature adds (1 + log count), with a sign of its own, to one of
# the dimensions, both taken from its hash (Weinberger et al., "Feature hashing for large scale
# multitask learning", 2009). Vectors have length 1, so that their product is the cosine. One
# JSON object a line. The same input gives the same bytes with every awk, under LC_ALL=C.

BEGIN {
	if (!dims) dims = 64
	if (!words) words = 120
	for (i = 1; i < 256; i++)
		code[sprintf("%c", i)] = i
}

FNR == 1 {
	flush_chunk()
	chunk = 0
	path = FILENAME
	gsub(/[\\"]/, "\\\\&", path)
}

{
	line = tolower($0)
	gsub(/[^a-z0-9]+/, " ", line)
	m = split(line, part, " ")
	for (j = 1; j <= m; j++) {
		add_word(part[j])
		if (++n >= words)
			flush_chunk()
	}
}

END {
	flush_chunk()
	printf "%d chunks\n", total >"/dev/stderr"
}

# Kept below 2^31, so that every product is exact in a double.
function hash(text,    h, k) {
	h = 5381
	for (k = 1; k <= length(text); k++)
		h = (h * 33 + code[substr(text, k, 1)]) % 2147483647
	# Neighbouring texts must not land in neighbouring dimensions.
	h = (h * 16807) % 2147483647
	return (h * 48271) % 2147483647
}

function add_word(word,    k, marked) {
	if (n < 8)
		start = start (n ? " " : "") word
	count["w" word]++
	marked = "<" word ">"
	for (k = 1; k + 2 <= length(marked); k++)
		count["t" substr(marked, k, 3)]++
}

function flush_chunk(    feature, h, d, weight, norm, text) {
	if (!n)
		return
	for (d = 0; d < dims; d++)
		sum[d] = 0
	for (feature in count) {
		h = hash(feature)
		weight = 1 + log(count[feature])
		if (substr(feature, 1, 1) == "t")
			weight /= 4
		# The order in which an awk walks its array must not show in the last digit.
		weight = int(weight * 1000000 + 0.5)
		d = h % dims
		sum[d] += int(h / dims) % 2 ? weight : -weight
	}
	norm = 0
	for (d = 0; d < dims; d++)
		norm += sum[d] * sum[d]
	norm = norm > 0 ? sqrt(norm) : 1
	text = ""
	for (d = 0; d < dims; d++)
		text = text (d ? "," : "") sprintf("%.5f", sum[d] / norm)
	gsub(/-0\.00000/, "0.00000", text)
	printf "{\"path\":\"%s\",\"chunk\":%d,\"words\":%d,\"start\":\"%s\",\"vector\":[%s]}\n", \
		path, chunk++, n, start, text
	total++
	n = 0
	start = ""
	split("", count)
}
