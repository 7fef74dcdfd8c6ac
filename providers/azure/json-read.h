/* SPDX-License-Identifier: Apache-2.0 */
/* json-read.h - read JSON whose shape has to be what Azure's documents say */
#ifndef SOUK_AZURE_JSON_READ_H
#define SOUK_AZURE_JSON_READ_H

#include <souk/provider-json.h>

#include "azure.h"

/*
 * Members whose type matters: *out is NULL if there is none, or it is null; INTERNAL says which
 * member of which thing ('where') is not what it should be.
 */
int azure_json_get(struct json_object *object, const char *where, const char *name,
		   enum json_type type, struct json_object **out, struct souk_error *err);
int azure_json_get_text(struct json_object *object, const char *where, const char *name,
			const char **out, struct souk_error *err);

/* An amount of money, from the digits in the text, to millionths: also "4.5E-05". */
int azure_json_micros(struct json_object *object, const char *where, const char *name,
		      int64_t *micros_out, struct souk_error *err);
int azure_parse_micros(const char *what, const char *text, int64_t *micros_out,
		       struct souk_error *err);

#endif
