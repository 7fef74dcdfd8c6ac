/* SPDX-License-Identifier: Apache-2.0 */
/* json-read.c - read JSON whose shape has to be what Azure's documents say */

#include "json-read.h"

int azure_json_get(struct json_object *object, const char *where, const char *name,
		   enum json_type type, struct json_object **out, struct souk_error *err)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object))
		return souk_error_set(err, SOUK_E_INTERNAL, "%s is not an object", where);
	if (json_object_object_get_ex(object, name, &value) && value &&
	    !json_object_is_type(value, type))
		return souk_error_set(err, SOUK_E_INTERNAL, "%s: '%s' is not %s", where, name,
				      souk_json_type_name(type));
	*out = value;
	return SOUK_OK;
}

int azure_json_get_text(struct json_object *object, const char *where, const char *name,
			const char **out, struct souk_error *err)
{
	struct json_object *value;
	int ret = azure_json_get(object, where, name, json_type_string, &value, err);

	if (ret == SOUK_OK)
		*out = value ? json_object_get_string(value) : NULL;
	return ret;
}

static int bad_number(const char *what, const char *text, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "%s: not an amount: '%.64s'", what, text);
}

int azure_parse_micros(const char *what, const char *text, int64_t *micros_out,
		       struct souk_error *err)
{
	if (souk_parse_json_micros(what, text, micros_out, NULL) < 0)
		return bad_number(what, text, err);
	return SOUK_OK;
}

int azure_json_micros(struct json_object *object, const char *where, const char *name,
		      int64_t *micros_out, struct souk_error *err)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value) ||
	    (!json_object_is_type(value, json_type_double) &&
	     !json_object_is_type(value, json_type_int)))
		return souk_error_set(err, SOUK_E_INTERNAL, "%s: '%s' is not a number", where,
				      name);
	/* json-c keeps the digits of a number that it has read. */
	return azure_parse_micros(name, json_object_to_json_string(value), micros_out, err);
}
