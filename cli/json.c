/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - making JSON documents: one sticky failure instead of a check at every member */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_CEILING (16u << 20)

void cli_json_init(struct cli_json *json)
{
	memset(json, 0, sizeof(*json));
	json->root = json_object_new_object();
	json->failed = json->root == NULL;
}

void cli_json_fini(struct cli_json *json)
{
	json_object_put(json->root);
	json->root = NULL;
}

int cli_json_print(struct cli_json *json)
{
	const char *text = NULL;

	if (!json->failed)
		text = json_object_to_json_string_ext(json->root,
						      JSON_C_TO_STRING_PRETTY |
							      JSON_C_TO_STRING_SPACED |
							      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!text)
		return cli_nomem();
	puts(text);
	return 0;
}

/* Hang a value in; on failure it is freed. */
static struct json_object *put(struct cli_json *json, struct json_object *in, const char *key,
			       struct json_object *value)
{
	int ret = -1;

	if (value && in && !json->failed)
		ret = key ? json_object_object_add(in, key, value) :
			    json_object_array_add(in, value);
	if (ret == 0)
		return value;
	json_object_put(value);
	json->failed = 1;
	return NULL;
}

struct json_object *cli_json_object(struct cli_json *json, struct json_object *in, const char *key)
{
	return put(json, in, key, json_object_new_object());
}

struct json_object *cli_json_array(struct cli_json *json, struct json_object *in, const char *key)
{
	return put(json, in, key, json_object_new_array());
}

void cli_json_null(struct cli_json *json, struct json_object *in, const char *key)
{
	/* json-c's null is the pointer NULL. */
	if (json->failed || !in ||
	    (key ? json_object_object_add(in, key, NULL) : json_object_array_add(in, NULL)) != 0)
		json->failed = 1;
}

static int is_utf8(const char *text)
{
	while (*text) {
		uint32_t code;
		size_t len = cli_utf8_decode(text, &code);

		if (code == 0xfffd && len == 1)
			return 0;
		text += len;
	}
	return 1;
}

/* A text in which every byte that is not UTF-8 is U+FFFD: JSON has to be UTF-8. */
static struct json_object *new_repaired(const char *text)
{
	struct json_object *value = NULL;
	struct souk_buf buf;

	souk_buf_init(&buf, TEXT_CEILING);
	while (*text) {
		uint32_t code;
		size_t len = cli_utf8_decode(text, &code);

		if (code == 0xfffd && len == 1)
			souk_buf_str(&buf, "\xef\xbf\xbd");
		else
			souk_buf_add(&buf, text, len);
		text += len;
	}
	if (souk_buf_failed(&buf, NULL) == SOUK_OK)
		value = json_object_new_string(buf.data);
	souk_buf_fini(&buf);
	return value;
}

void cli_json_text(struct cli_json *json, struct json_object *in, const char *key, const char *text)
{
	if (!text)
		cli_json_null(json, in, key);
	else
		put(json, in, key, is_utf8(text) ? json_object_new_string(text) : new_repaired(text));
}

void cli_json_int(struct cli_json *json, struct json_object *in, const char *key, int64_t value)
{
	put(json, in, key, json_object_new_int64(value));
}

void cli_json_bool(struct cli_json *json, struct json_object *in, const char *key, int value)
{
	put(json, in, key, json_object_new_boolean(value != 0));
}

void cli_json_decimal(struct cli_json *json, struct json_object *in, const char *key,
		      const char *text)
{
	/* The text is what is printed; the double serves nobody here. */
	put(json, in, key, json_object_new_double_s(strtod(text, NULL), text));
}

void cli_json_money(struct cli_json *json, struct json_object *in, const char *key, int64_t micros)
{
	char text[CLI_TEXT_SIZE];

	if (micros < 0)
		cli_json_null(json, in, key);
	else
		cli_json_decimal(json, in, key, cli_money(micros, text));
}

void cli_json_milli(struct cli_json *json, struct json_object *in, const char *key, uint64_t milli)
{
	char text[CLI_TEXT_SIZE];

	cli_json_decimal(json, in, key, cli_milli(milli, text));
}

void cli_json_time(struct cli_json *json, struct json_object *in, const char *key, int64_t when)
{
	char text[CLI_TEXT_SIZE];

	if (when <= 0)
		cli_json_null(json, in, key);
	else
		cli_json_text(json, in, key, cli_time(when, text));
}
