/* SPDX-License-Identifier: Apache-2.0 */
/* json-call.c - requests of the JSON 1.1 protocol (SSM, the price list) */

#include "json-call.h"

#include <limits.h>
#include <string.h>

enum { MAX_DEPTH = 32 };

struct json_object *aws_json_parse(const char *text, size_t size)
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

static struct json_object *member(struct json_object *object, const char *name,
				  enum json_type type)
{
	struct json_object *value;

	if (!json_object_is_type(object, json_type_object) ||
	    !json_object_object_get_ex(object, name, &value) || !json_object_is_type(value, type))
		return NULL;
	return value;
}

const char *aws_json_text(struct json_object *object, const char *name)
{
	struct json_object *value = member(object, name, json_type_string);

	return value ? json_object_get_string(value) : NULL;
}

struct json_object *aws_json_array(struct json_object *object, const char *name)
{
	return member(object, name, json_type_array);
}

struct json_object *aws_json_object(struct json_object *object, const char *name)
{
	return member(object, name, json_type_object);
}

int aws_json_call(const struct aws_client *client, const char *service, const char *target,
		  const char *doing, struct json_object *body, struct json_object **out,
		  struct aws_fault *fault_out, struct souk_error *err)
{
	return aws_json_call_kept(client, service, target, doing, 0, body, out, fault_out, err);
}

int aws_json_call_kept(const struct aws_client *client, const char *service, const char *target,
		       const char *doing, uint32_t cache_seconds, struct json_object *body,
		       struct json_object **out, struct aws_fault *fault_out,
		       struct souk_error *err)
{
	const char *text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN |
							  JSON_C_TO_STRING_NOSLASHESCAPE);
	const char *action = strchr(target, '.');
	AWS_AUTO_REPLY struct souk_http_reply *reply = NULL;
	struct aws_request request = {
		.service = service,
		.action = action ? action + 1 : target,
		.doing = doing,
		.content_type = "application/x-amz-json-1.1",
		.target = target,
		.body = text,
		.body_size = text ? strlen(text) : 0,
		.flags = SOUK_HTTP_RETRY,
		.cache_seconds = cache_seconds,
	};
	size_t size = 0;
	const char *answer;
	int ret;

	if (fault_out)
		*fault_out = (struct aws_fault){ 0 };
	if (!text)
		return aws_nomem(err);
	ret = aws_client_send(client, &request, &reply, fault_out, err);
	if (ret < 0)
		return ret;
	answer = souk_http_reply_body(reply, &size);
	*out = aws_json_parse(answer, size);
	if (!*out)
		return souk_error_set(err, SOUK_E_INTERNAL, "the reply to %s is not JSON",
				      request.action);
	return SOUK_OK;
}
