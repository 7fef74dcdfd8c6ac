/* SPDX-License-Identifier: Apache-2.0 */
/* json-call.h - requests of the JSON 1.1 protocol (SSM, the price list) */
#ifndef SOUK_AWS_JSON_CALL_H
#define SOUK_AWS_JSON_CALL_H

#include <json.h>

#include "aws.h"

/* Send 'body' and parse the reply, an object that the caller puts. */
int aws_json_call(const struct aws_client *client, const char *service, const char *target,
		  const char *doing, struct json_object *body, struct json_object **out,
		  struct aws_fault *fault_out, struct souk_error *err);
/* The same for what everybody is told: a reply that is younger than so many seconds will do. */
int aws_json_call_kept(const struct aws_client *client, const char *service, const char *target,
		       const char *doing, uint32_t cache_seconds, struct json_object *body,
		       struct json_object **out, struct aws_fault *fault_out,
		       struct souk_error *err);

/* Parse a text of known length; NULL if it is not a JSON object. Depth is bounded. */
struct json_object *aws_json_parse(const char *text, size_t size);
/* Members, NULL if they are not there or of another type. Borrowed. */
const char *aws_json_text(struct json_object *object, const char *name);
struct json_object *aws_json_array(struct json_object *object, const char *name);
struct json_object *aws_json_object(struct json_object *object, const char *name);

#endif
