/* SPDX-License-Identifier: Apache-2.0 */
/* json-call.h - requests of the JSON 1.1 protocol (SSM, the price list) */
#ifndef SOUK_AWS_JSON_CALL_H
#define SOUK_AWS_JSON_CALL_H

#include <souk/provider-json.h>

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

#endif
