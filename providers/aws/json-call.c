/* SPDX-License-Identifier: Apache-2.0 */
/* json-call.c - requests of the JSON 1.1 protocol (SSM, the price list) */

#include "json-call.h"

#include <string.h>

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
	*out = souk_json_parse(answer, size);
	if (!*out)
		return souk_error_set(err, SOUK_E_INTERNAL, "the reply to %s is not JSON",
				      request.action);
	return SOUK_OK;
}
