/* SPDX-License-Identifier: Apache-2.0 */
/* yaml-text.c - is it text that YAML allows: UTF-8, without control characters */
#include "model/yaml-internal.h"

/* Decode one character; 0 bytes if it is not UTF-8 in its shortest form. */
static size_t decode(const unsigned char *text, size_t size, uint32_t *character_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
	uint32_t character;
	size_t i;

	if (length == 0 || length > size)
		return 0;
	character = length == 1 ? text[0] : text[0] & (0xffu >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3fu);
	}
	if (character < least[length] || (character >= 0xd800 && character < 0xe000) ||
	    character > 0x10ffff)
		return 0;
	*character_out = character;
	return length;
}

/* The characters that YAML 1.1 lets a stream contain. */
static int allowed(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f) || c == 0x85 ||
	       (c >= 0xa0 && c < 0xfffe && c != 0xfeff) || c >= 0x10000;
}

/* libyaml gives no line for these, so they are looked for first. */
int souk_yaml_check_characters(const char *start, size_t size, struct souk_report *report)
{
	const unsigned char *text = (const unsigned char *)start;
	struct souk_mark mark = { 1, 1 };
	uint32_t character = 0;
	size_t offset, length;

	for (offset = 0; offset < size; offset += length) {
		length = decode(text + offset, size - offset, &character);
		if (length == 0) {
			souk_report_add(
				report, mark, 0,
				"not UTF-8 text: byte 0x%02x at offset %zu; save the file as UTF-8",
				text[offset], offset);
			return SOUK_E_INVALID;
		}
		if (!allowed(character)) {
			souk_report_add(
				report, mark, 0,
				"control character U+%04X is not allowed in YAML; remove it",
				(unsigned)character);
			return SOUK_E_INVALID;
		}
		if (character == '\n' ||
		    (character == '\r' && (offset + 1 >= size || text[offset + 1] != '\n'))) {
			mark.line++;
			mark.column = 1;
		} else {
			mark.column++;
		}
	}
	return SOUK_OK;
}
