/* SPDX-License-Identifier: Apache-2.0 */
/* json-value.c - JSON from outside: bounded, and each member of the type that it should be */

#include "json-value.h"

static int wrong(const char *name, const char *wanted, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is not %s", name, wanted);
}

int gcp_json_text(struct json_object *object, const char *name, const char **out,
		  struct souk_error *err)
{
	struct json_object *value = souk_json_member(object, name);
	const char *text;

	if (!value)
		return 0;
	text = souk_json_plain_text(value);
	if (!text)
		return wrong(name, "a text", err);
	*out = text;
	return 1;
}

static int typed(struct json_object *object, const char *name, enum json_type type,
		 struct json_object **out, struct souk_error *err)
{
	struct json_object *value = souk_json_member(object, name);

	if (!value)
		return 0;
	if (!json_object_is_type(value, type))
		return wrong(name, souk_json_type_name(type), err);
	*out = value;
	return 1;
}

int gcp_json_object(struct json_object *object, const char *name, struct json_object **out,
		    struct souk_error *err)
{
	return typed(object, name, json_type_object, out, err);
}

int gcp_json_array(struct json_object *object, const char *name, struct json_object **out,
		   struct souk_error *err)
{
	return typed(object, name, json_type_array, out, err);
}

int gcp_json_bool(struct json_object *object, const char *name, int *out, struct souk_error *err)
{
	struct json_object *value = NULL;
	int ret = typed(object, name, json_type_boolean, &value, err);

	if (ret > 0)
		*out = json_object_get_boolean(value);
	return ret;
}

int gcp_json_count(struct json_object *object, const char *name, uint64_t max, uint64_t *out,
		   struct souk_error *err)
{
	struct json_object *value = souk_json_member(object, name);
	const char *text;
	uint64_t number;

	if (!value)
		return 0;
	text = souk_json_plain_text(value);
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
