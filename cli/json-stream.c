/* SPDX-License-Identifier: Apache-2.0 */
/* json-stream.c - long JSON documents, written as they are made: one object of a list a line */
#include "cli.h"

#include <inttypes.h>
#include <string.h>

void cli_stream_json_begin(struct cli_json_stream *json, FILE *file)
{
	memset(json, 0, sizeof(*json));
	json->file = file;
	putc_unlocked('{', file);
}

int cli_stream_json_end(struct cli_json_stream *json)
{
	fputs_unlocked("\n}\n", json->file);
	return 0;
}

/* A run of characters that stand in JSON as they are. */
static size_t count_plain(const char *text)
{
	size_t n = 0;

	while (text[n] >= 0x20 && text[n] < 0x7f && text[n] != '"' && text[n] != '\\')
		n++;
	return n;
}

/* Text in quotes. What is not UTF-8 is U+FFFD, for JSON has to be UTF-8. One thread writes. */
static void put_text(FILE *file, const char *text)
{
	putc_unlocked('"', file);
	while (*text) {
		unsigned char c = (unsigned char)*text;
		uint32_t code = c;
		size_t len = count_plain(text);
		int plain = len > 0;

		if (!plain)
			len = cli_utf8_decode(text, &code);
		if (!plain && code == 0xfffd && len == 1)
			fputs_unlocked("\\ufffd", file);
		else if (c < 0x20)
			fprintf(file, "\\u%04x", c);
		else if (!plain && c < 0x80)
			fprintf(file, c == 0x7f ? "%c" : "\\%c", c);
		else
			fwrite_unlocked(text, 1, len, file);
		text += len;
	}
	putc_unlocked('"', file);
}

/* What stands before a member: lists at the margin, objects of a list in lines of their own. */
static void put_key(struct cli_json_stream *json, const char *key)
{
	if (json->members > 0)
		putc_unlocked(',', json->file);
	if (!json->in_object)
		fputs_unlocked(json->in_list ? "\n    " : "\n  ", json->file);
	else
		putc_unlocked(' ', json->file);
	json->members++;
	if (key) {
		put_text(json->file, key);
		fputs_unlocked(": ", json->file);
	}
}

void cli_stream_json_list(struct cli_json_stream *json, const char *key)
{
	put_key(json, key);
	putc_unlocked('[', json->file);
	json->lists = json->members;
	json->in_list = 1;
	json->members = 0;
}

void cli_stream_json_list_end(struct cli_json_stream *json)
{
	fputs_unlocked(json->members ? "\n  ]" : "]", json->file);
	json->in_list = 0;
	json->members = json->lists;
}

void cli_stream_json_object(struct cli_json_stream *json)
{
	put_key(json, NULL);
	putc_unlocked('{', json->file);
	json->objects = json->members;
	json->in_object = 1;
	json->members = 0;
}

void cli_stream_json_object_end(struct cli_json_stream *json)
{
	fputs_unlocked(" }", json->file);
	json->in_object = 0;
	json->members = json->objects;
}

void cli_stream_json_decimal(struct cli_json_stream *json, const char *key, const char *number)
{
	put_key(json, key);
	fputs_unlocked(number ? number : "null", json->file);
}

void cli_stream_json_text(struct cli_json_stream *json, const char *key, const char *text)
{
	put_key(json, key);
	if (text)
		put_text(json->file, text);
	else
		fputs_unlocked("null", json->file);
}

void cli_stream_json_int(struct cli_json_stream *json, const char *key, int64_t value)
{
	put_key(json, key);
	fprintf(json->file, "%" PRId64, value);
}

void cli_stream_json_bool(struct cli_json_stream *json, const char *key, int value)
{
	cli_stream_json_decimal(json, key, value ? "true" : "false");
}

void cli_stream_json_money(struct cli_json_stream *json, const char *key, int64_t micros)
{
	char text[CLI_TEXT_SIZE];

	cli_stream_json_decimal(json, key, micros < 0 ? NULL : cli_money(micros, text));
}

void cli_stream_json_words(struct cli_json_stream *json, const char *key, const char *const *words,
			   size_t n)
{
	size_t i;

	put_key(json, key);
	putc_unlocked('[', json->file);
	for (i = 0; i < n; i++) {
		fputs_unlocked(i ? ", " : "", json->file);
		put_text(json->file, words[i]);
	}
	putc_unlocked(']', json->file);
}
