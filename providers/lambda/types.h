/* SPDX-License-Identifier: Apache-2.0 */
/* types.h - Lambda's instance types, read from their JSON */
#ifndef SOUK_LAMBDA_TYPES_H
#define SOUK_LAMBDA_TYPES_H

#include <json.h>

#include "lambda.h"

enum { LAMBDA_MAX_TYPES = 2000, LAMBDA_MAX_REGIONS = 500 };

/* An instance type. 'name' is the reply's. */
struct lambda_type {
	const char *name;
	char accelerator[LAMBDA_NAME_SIZE]; /* "A100-80GB"; "": none */
	uint32_t accelerator_memory_gib;    /* of one; 0: not known */
	uint32_t gpus;
	uint32_t vcpus;
	uint32_t memory_gib;
	uint32_t storage_gib;
	int64_t micros;			    /* for an hour */
	int is_arm;
	struct json_object *regions;	    /* that have some now */
};

/* One element of the reply to ListInstanceTypes. */
int lambda_type_read(struct json_object *item, struct lambda_type *out, struct souk_error *err);

/* The i-th of type->regions. */
int lambda_region_read(const struct lambda_type *type, size_t i, const char **out,
		       struct souk_error *err);

/*
 * A description such as "A100 (80 GB SXM4)": the GPU as souk names it, and its memory. The memory
 * is part of the name where there are boards of several sizes.
 */
void lambda_gpu_read(const char *description, char name[LAMBDA_NAME_SIZE], uint32_t *memory_gib);

/* Regions: those that Lambda has made known, and those that replies speak of. */
struct lambda_regions {
	char (*names)[LAMBDA_NAME_SIZE];
	size_t n;
};

int lambda_regions_init(struct lambda_regions *regions, struct souk_error *err);
void lambda_regions_fini(struct lambda_regions *regions);
/* Add one that is not there yet. */
int lambda_regions_add(struct lambda_regions *regions, const char *name, struct souk_error *err);

#endif
