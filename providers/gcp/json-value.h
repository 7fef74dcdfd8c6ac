/* SPDX-License-Identifier: Apache-2.0 */
/* json-value.h - JSON from outside: bounded, and each member of the type that it should be */
#ifndef SOUK_GCP_JSON_VALUE_H
#define SOUK_GCP_JSON_VALUE_H

#include <souk/provider-json.h>

#include <stdint.h>

/*
 * Members of an object. Each returns 1 and the value, 0 if the member is not there (or null), or
 * INTERNAL and an error that names the member, if it is of another type or out of range. A text with
 * a NUL in it counts as of another type. Values are borrowed from the object.
 */
int gcp_json_text(struct json_object *object, const char *name, const char **out,
		  struct souk_error *err);
int gcp_json_object(struct json_object *object, const char *name, struct json_object **out,
		    struct souk_error *err);
int gcp_json_array(struct json_object *object, const char *name, struct json_object **out,
		   struct souk_error *err);
int gcp_json_bool(struct json_object *object, const char *name, int *out, struct souk_error *err);
/* An integer within 0..max, as a number or, as Google writes those of 64 bits, as a text. */
int gcp_json_count(struct json_object *object, const char *name, uint64_t max, uint64_t *out,
		   struct souk_error *err);

/* The same with what is missing an error too. */
int gcp_json_need(int found, const char *name, struct souk_error *err);

#endif
