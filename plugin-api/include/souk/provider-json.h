/* SPDX-License-Identifier: Apache-2.0 */
/*
 * souk/provider-json.h - read a cloud's JSON with json-c: bounded, and each member of its type; write ours
 *
 * For a module that links json-c itself: everything here is inline, and libsouk-provider needs no
 * json-c. Compile with what pkg-config --cflags json-c prints. Three kinds of reader:
 *
 *     souk_json_text(...)        the member has to be there: "'gpus[].name' is missing"
 *     souk_json_text_opt(...)    it may be missing or null: NULL, or -1 for an amount
 *     souk_json_maybe_text(...)  what is not there or of another type is NULL: for error replies
 *
 * The first two kinds fail with SOUK_E_INTERNAL if the member is of another type or out of its
 * range, since such an answer makes no sense, and name it: 'where' is the object that it is a
 * member of, "" for the reply itself. The output is then NULL, 0, or -1 for an amount. What is
 * given out is borrowed from the object.
 *
 * Messages begin with SOUK_JSON_REPLY, which a module may define before it includes this header:
 * "Acme's answer makes no sense: ".
 */
#ifndef SOUK_PROVIDER_JSON_H
#define SOUK_PROVIDER_JSON_H

#include <souk/provider.h>

#include <json.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#ifndef SOUK_JSON_REPLY
#define SOUK_JSON_REPLY "the reply makes no sense: "
#endif

/* How deep objects and lists may be nested. */
#define SOUK_JSON_DEPTH 32

/* Parse a text of known length: an object, which the caller puts. NULL if it is none, or too deep. */
static inline struct json_object *souk_json_parse(const char *text, size_t size)
{
	struct json_tokener *tokener;
	struct json_object *object;

	if (!text || size > INT_MAX)
		return NULL;
	tokener = json_tokener_new_ex(SOUK_JSON_DEPTH);
	if (!tokener)
		return NULL;
	object = json_tokener_parse_ex(tokener, text, (int)size);
	json_tokener_free(tokener);
	if (json_object_is_type(object, json_type_object))
		return object;
	json_object_put(object);
	return NULL;
}

/* For __attribute__((cleanup)): put what a variable holds. */
static inline void souk_json_auto_put(struct json_object **object)
{
	json_object_put(*object);
}

/* ---- Of one type, or nothing ------------------------------------------------------------------ */

/* The text, NULL if it is none or has a NUL in it. */
static inline const char *souk_json_plain_text(struct json_object *value)
{
	const char *text;

	if (!json_object_is_type(value, json_type_string))
		return NULL;
	text = json_object_get_string(value);
	return text && strlen(text) == (size_t)json_object_get_string_len(value) ? text : NULL;
}

/* The member of any type; NULL if it is missing or null, or 'object' is no object. */
static inline struct json_object *souk_json_member(struct json_object *object, const char *name)
{
	struct json_object *value = NULL;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value))
		return NULL;
	return value;
}

static inline const char *souk_json_maybe_text(struct json_object *object, const char *name)
{
	return souk_json_plain_text(souk_json_member(object, name));
}

static inline struct json_object *souk_json_maybe_object(struct json_object *object,
							 const char *name)
{
	struct json_object *value = souk_json_member(object, name);

	return json_object_is_type(value, json_type_object) ? value : NULL;
}

static inline struct json_object *souk_json_maybe_array(struct json_object *object,
							const char *name)
{
	struct json_object *value = souk_json_member(object, name);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

/* ---- Of one type, or an error ----------------------------------------------------------------- */

/* How messages call a type: "is not a text". */
static inline const char *souk_json_type_name(enum json_type type)
{
	switch (type) {
	case json_type_string:
		return "a text";
	case json_type_object:
		return "an object";
	case json_type_array:
		return "a list";
	case json_type_boolean:
		return "true or false";
	case json_type_int:
		return "a whole number";
	default:
		return "a number";
	}
}

static inline int souk_json_wrong(const char *where, const char *name, const char *what,
				  struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "%s'%s%s%s' %s", SOUK_JSON_REPLY, where,
			      where[0] ? "." : "", name, what);
}

static inline int souk_json_wrong_type(const char *where, const char *name, enum json_type type,
				       struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "%s'%s%s%s' is not %s", SOUK_JSON_REPLY, where,
			      where[0] ? "." : "", name, souk_json_type_name(type));
}

/* A member of a type; with 'is_required' 0 it may be missing or null, and *out is then NULL. */
static inline int souk_json_typed(struct json_object *object, const char *where, const char *name,
				  enum json_type type, int is_required, struct json_object **out,
				  struct souk_error *err)
{
	struct json_object *value = souk_json_member(object, name);

	*out = NULL;
	if (!value && is_required)
		return souk_json_wrong(where, name, "is missing", err);
	if (value && !json_object_is_type(value, type))
		return souk_json_wrong_type(where, name, type, err);
	*out = value;
	return SOUK_OK;
}

static inline int souk_json_text_opt(struct json_object *object, const char *where,
				     const char *name, const char **out, struct souk_error *err)
{
	struct json_object *value;
	int ret = souk_json_typed(object, where, name, json_type_string, 0, &value, err);

	*out = souk_json_plain_text(value);
	if (value && !*out)
		return souk_json_wrong(where, name, "has a NUL in it", err);
	return ret;
}

static inline int souk_json_text(struct json_object *object, const char *where, const char *name,
				 const char **out, struct souk_error *err)
{
	int ret = souk_json_text_opt(object, where, name, out, err);

	if (ret == SOUK_OK && !*out)
		return souk_json_wrong(where, name, "is missing", err);
	return ret;
}

static inline int souk_json_object(struct json_object *object, const char *where, const char *name,
				   struct json_object **out, struct souk_error *err)
{
	return souk_json_typed(object, where, name, json_type_object, 1, out, err);
}

static inline int souk_json_object_opt(struct json_object *object, const char *where,
				       const char *name, struct json_object **out,
				       struct souk_error *err)
{
	return souk_json_typed(object, where, name, json_type_object, 0, out, err);
}

static inline int souk_json_array(struct json_object *object, const char *where, const char *name,
				  struct json_object **out, struct souk_error *err)
{
	return souk_json_typed(object, where, name, json_type_array, 1, out, err);
}

static inline int souk_json_array_opt(struct json_object *object, const char *where,
				      const char *name, struct json_object **out,
				      struct souk_error *err)
{
	return souk_json_typed(object, where, name, json_type_array, 0, out, err);
}

static inline int souk_json_flag(struct json_object *object, const char *where, const char *name,
				 int *out, struct souk_error *err)
{
	struct json_object *value;
	int ret = souk_json_typed(object, where, name, json_type_boolean, 1, &value, err);

	*out = json_object_get_boolean(value);
	return ret;
}

/* A whole number of 0 to max. */
static inline int souk_json_count(struct json_object *object, const char *where, const char *name,
				  uint32_t max, uint32_t *out, struct souk_error *err)
{
	struct json_object *value;
	int ret = souk_json_typed(object, where, name, json_type_int, 1, &value, err);
	int64_t number = json_object_get_int64(value);

	*out = 0;
	if (number < 0 || number > max)
		return souk_json_wrong(where, name, "is out of range", err);
	*out = (uint32_t)number;
	return ret;
}

/* An amount to millionths, from its digits (json-c keeps them) and not by way of a double. */
static inline int souk_json_micros_opt(struct json_object *object, const char *where,
				       const char *name, int64_t *out, struct souk_error *err)
{
	struct json_object *value = souk_json_member(object, name);

	*out = -1;
	if (!value)
		return SOUK_OK;
	if (!json_object_is_type(value, json_type_int) &&
	    !json_object_is_type(value, json_type_double))
		return souk_json_wrong_type(where, name, json_type_double, err);
	if (souk_parse_json_micros(name, json_object_to_json_string(value), out, NULL) < 0)
		return souk_json_wrong(where, name, "is out of range", err);
	return SOUK_OK;
}

static inline int souk_json_micros(struct json_object *object, const char *where, const char *name,
				   int64_t *out, struct souk_error *err)
{
	int ret = souk_json_micros_opt(object, where, name, out, err);

	if (ret == SOUK_OK && *out < 0)
		return souk_json_wrong(where, name, "is missing", err);
	return ret;
}

/* The i-th element of a list, which has to be an object; 'where' names the element. */
static inline int souk_json_item(struct json_object *array, const char *where, size_t i,
				 struct json_object **out, struct souk_error *err)
{
	struct json_object *item = json_object_array_get_idx(array, i);

	*out = json_object_is_type(item, json_type_object) ? item : NULL;
	return *out ? SOUK_OK : souk_json_wrong_type("", where, json_type_object, err);
}

/* ---- Writing ---------------------------------------------------------------------------------- */

/*
 * Add a member to an object, or an item to a list. The value is taken, whatever happens; NULL, as
 * json-c gives it when memory is short, is SOUK_E_NOMEM. 'err' may be NULL.
 */
static inline int souk_json_put(struct json_object *object, const char *name,
				struct json_object *value, struct souk_error *err)
{
	if (object && value && json_object_object_add(object, name, value) == 0)
		return SOUK_OK;
	json_object_put(value);
	return souk_error_nomem(err);
}

static inline int souk_json_put_text(struct json_object *object, const char *name,
				     const char *value, struct souk_error *err)
{
	return souk_json_put(object, name, json_object_new_string(value), err);
}

static inline int souk_json_put_item(struct json_object *array, struct json_object *value,
				     struct souk_error *err)
{
	if (array && value && json_object_array_add(array, value) == 0)
		return SOUK_OK;
	json_object_put(value);
	return souk_error_nomem(err);
}

/* The text of a request's body, borrowed from the object; NULL if memory is short. */
static inline const char *souk_json_body(struct json_object *object)
{
	return json_object_to_json_string_ext(object, JSON_C_TO_STRING_PLAIN |
						      JSON_C_TO_STRING_NOSLASHESCAPE);
}

#ifdef __cplusplus
}
#endif

#endif
