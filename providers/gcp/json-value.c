/* SPDX-License-Identifier: Apache-2.0 */
/* json-value.c - JSON from outside: bounded, and each member of the type that it should be */

#include "json-value.h"

#include <limits.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

struct json_object *gcp_json_parse(const char *text, size_t size)
{
	struct json_tokener *tokener;
	struct json_object *object;

	if (!text || size > INT_MAX)
		return NULL;
	tokener = json_tokener_new_ex(MAX_DEPTH);
	if (!tokener)
		return NULL;
	object = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

static int wrong(const char *name, const char *wanted, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is not %s", name, wanted);
}

/* The member, whatever it is; NULL if there is none. */
static struct json_object *member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

static const char *plain_text(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

int gcp_json_text(struct json_object *object, const char *name, const char **out,
		  struct souk_error *err)
{
	struct json_object *value = member(object, name);
	const char *text;

	if (!value)
		return 0;
	text = plain_text(value);
	if (!text)
		return wrong(name, "a text", err);
	*out = text;
	return 1;
}

static int typed(struct json_object *object, const char *name, enum json_type type,
		 const char *wanted, struct json_object **out, struct souk_error *err)
{
	struct json_object *value = member(object, name);

	if (!value)
		return 0;
	if (!json_object_is_type(value, type))
		return wrong(name, wanted, err);
	*out = value;
	return 1;
}

int gcp_json_object(struct json_object *object, const char *name, struct json_object **out,
		    struct souk_error *err)
{
	return typed(object, name, json_type_object, "an object", out, err);
}

int gcp_json_array(struct json_object *object, const char *name, struct json_object **out,
		   struct souk_error *err)
{
	return typed(object, name, json_type_array, "a list", out, err);
}

int gcp_json_bool(struct json_object *object, const char *name, int *out, struct souk_error *err)
{
	struct json_object *value = NULL;
	int ret = typed(object, name, json_type_boolean, "true or false", &value, err);

	if (ret > 0)
		*out = json_object_get_boolean(value);
	return ret;
}

int gcp_json_count(struct json_object *object, const char *name, uint64_t max, uint64_t *out,
		   struct souk_error *err)
{
	struct json_object *value = member(object, name);
	const char *text;
	uint64_t number;

	if (!value)
		return 0;
	text = plain_text(value);
	if (text) {
		if (souk_parse_u64(name, text, &number, NULL) < 0)
			return wrong(name, "a count", err);
	} else {
		if (!json_object_is_type(value, json_type_int))
			return wrong(name, "a count", err);
		/* What is below 0 in 64 bits, or above what they hold, is far above any 'max'. */
		if (json_object_get_int64(value) < 0)
			return wrong(name, "a count", err);
		number = (uint64_t)json_object_get_int64(value);
	}
	if (number > max)
		return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is over %llu", name,
				      (unsigned long long)max);
	*out = number;
	return 1;
}

int gcp_json_need(int found, const char *name, struct souk_error *err)
{
	return found ? found : souk_error_set(err, SOUK_E_INTERNAL, "'%s' is missing", name);
}

const char *gcp_json_maybe(struct json_object *object, const char *name)
{
	return plain_text(member(object, name));
}
