/* SPDX-License-Identifier: Apache-2.0 */
/* types.c - Lambda's instance types, read from their JSON */

#include "types.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lambda.h"

/* No call lists the regions, and a type names only those that have some now. */
static const char *const known_regions[] = {
	"asia-northeast-1", "asia-northeast-2", "asia-south-1", "australia-east-1",
	"europe-central-1", "europe-south-1",	"me-west-1",	"us-east-1",
	"us-east-2",	    "us-east-3",	"us-midwest-1", "us-midwest-2",
	"us-south-1",	    "us-south-2",	"us-south-3",	"us-west-1",
	"us-west-2",	    "us-west-3",
};

static int makes_no_sense(const char *what, const char *value, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL,
			      "Lambda's answer makes no sense: '%s' is '%.60s'", what, value);
}

static int is_name(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if ((!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i])) ||
		    i + 1 >= LAMBDA_NAME_SIZE)
			return 0;
	return i > 0;
}

/* "80" of "80 GB SXM5"; 0 if it is not about gigabytes. */
static uint32_t gigabytes(const char *text)
{
	uint32_t value = 0;
	int digits = 0;

	text += strspn(text, " ");
	for (; isdigit((unsigned char)*text) && digits < 5; text++, digits++)
		value = value * 10 + (uint32_t)(*text - '0');
	text += strspn(text, " ");
	return strncasecmp(text, "GB", 2) == 0 || strncasecmp(text, "GiB", 3) == 0 ? value : 0;
}

/* Models of which there are boards with more memory, and how that shows in our name. */
static const struct {
	const char *model;
	uint32_t memory_gib;
	const char *name;
} larger[] = {
	{ "A100", 80, "A100-80GB" },
	{ "V100", 32, "V100-32GB" },
	{ "H100", 94, "H100-NVL" },
};

void lambda_gpu_read(const char *description, char name[LAMBDA_NAME_SIZE], uint32_t *memory_gib)
{
	static const char *const families[] = { "NVIDIA", "Tesla", "Quadro", "GeForce" };
	const char *open = strchr(description, '(');
	size_t n = 0, len, i;

	*memory_gib = open ? gigabytes(open + 1) : 0;
	name[0] = '\0';
	while (*description && description != open) {
		len = strcspn(description, " (");
		for (i = 0; i < LAMBDA_ARRAY_SIZE(families); i++)
			if (strlen(families[i]) == len &&
			    strncasecmp(description, families[i], len) == 0)
				break;
		if (i == LAMBDA_ARRAY_SIZE(families))
			for (i = 0; i < len && n + 1 < LAMBDA_NAME_SIZE; i++)
				if (isalnum((unsigned char)description[i]))
					name[n++] = (char)toupper((unsigned char)description[i]);
		description += len;
		description += strspn(description, " ");
	}
	name[n] = '\0';
	for (i = 0; i < LAMBDA_ARRAY_SIZE(larger); i++)
		if (strcmp(name, larger[i].model) == 0 && *memory_gib == larger[i].memory_gib) {
			(void)snprintf(name, LAMBDA_NAME_SIZE, "%s", larger[i].name);
			break;
		}
}

static int read_accelerator(struct json_object *type, struct lambda_type *out,
			    struct souk_error *err)
{
	const char *description;
	int ret = souk_json_text(type, "instance_type", "gpu_description", &description, err);

	if (ret < 0 || !out->gpus)
		return ret;
	lambda_gpu_read(description, out->accelerator, &out->accelerator_memory_gib);
	if (!out->accelerator[0] || strcmp(out->accelerator, "NA") == 0)
		return makes_no_sense("instance_type.gpu_description", description, err);
	return SOUK_OK;
}

int lambda_type_read(struct json_object *item, struct lambda_type *out, struct souk_error *err)
{
	struct json_object *type, *specs;
	uint32_t cents;
	int ret;

	memset(out, 0, sizeof(*out));
	if ((ret = souk_json_object(item, "data{}", "instance_type", &type, err)) < 0 ||
	    (ret = souk_json_text(type, "instance_type", "name", &out->name, err)) < 0 ||
	    (ret = souk_json_count(type, "instance_type", "price_cents_per_hour", 100000000,
				     &cents, err)) < 0 ||
	    (ret = souk_json_object(type, "instance_type", "specs", &specs, err)) < 0 ||
	    (ret = souk_json_count(specs, "specs", "vcpus", 1000000, &out->vcpus, err)) < 0 ||
	    (ret = souk_json_count(specs, "specs", "memory_gib", 10000000, &out->memory_gib,
				     err)) < 0 ||
	    (ret = souk_json_count(specs, "specs", "storage_gib", 100000000, &out->storage_gib,
				     err)) < 0 ||
	    (ret = souk_json_count(specs, "specs", "gpus", 10000, &out->gpus, err)) < 0 ||
	    (ret = souk_json_array(item, "data{}", "regions_with_capacity_available",
				     &out->regions, err)) < 0)
		return ret;
	if (!is_name(out->name))
		return makes_no_sense("instance_type.name", out->name, err);
	if (json_object_array_length(out->regions) > LAMBDA_MAX_REGIONS)
		return makes_no_sense("regions_with_capacity_available", "too long", err);
	out->micros = (int64_t)cents * 10000;
	/* The Grace machines; nothing but the name says so. */
	out->is_arm = strstr(out->name, "gh200") || strstr(out->name, "gb200") ||
		      strstr(out->name, "gb300");
	return read_accelerator(type, out, err);
}

int lambda_region_read(const struct lambda_type *type, size_t i, const char **out,
		       struct souk_error *err)
{
	struct json_object *region;
	int ret = souk_json_item(type->regions, "regions_with_capacity_available[]", i, &region,
				   err);

	if (ret == SOUK_OK)
		ret = souk_json_text(region, "regions_with_capacity_available[]", "name", out,
				       err);
	if (ret == SOUK_OK && !is_name(*out))
		return makes_no_sense("regions_with_capacity_available[].name", *out, err);
	return ret;
}

int lambda_regions_init(struct lambda_regions *regions, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	regions->n = 0;
	regions->names = calloc(LAMBDA_MAX_REGIONS, sizeof(*regions->names));
	if (!regions->names)
		return lambda_nomem(err);
	for (i = 0; i < LAMBDA_ARRAY_SIZE(known_regions) && ret == SOUK_OK; i++)
		ret = lambda_regions_add(regions, known_regions[i], err);
	return ret;
}

void lambda_regions_fini(struct lambda_regions *regions)
{
	free(regions->names);
	*regions = (struct lambda_regions){ 0 };
}

int lambda_regions_add(struct lambda_regions *regions, const char *name, struct souk_error *err)
{
	size_t i;

	for (i = 0; i < regions->n; i++)
		if (strcmp(regions->names[i], name) == 0)
			return SOUK_OK;
	if (regions->n == LAMBDA_MAX_REGIONS)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Lambda's answer makes no sense: more than %d regions",
				      LAMBDA_MAX_REGIONS);
	(void)snprintf(regions->names[regions->n++], LAMBDA_NAME_SIZE, "%s", name);
	return SOUK_OK;
}
