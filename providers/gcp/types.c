/* SPDX-License-Identifier: Apache-2.0 */
/* types.c - what zones there are, and which machine types and GPUs each has */

#include <stdio.h>
#include <string.h>

#include "market.h"

enum { MAX_TYPES = 5000, MAX_ZONES = 2000, MAX_ATTACHABLES = 10000, MAX_MIB = 64 * 1024 * 1024 };

/* Room for one more in an array; NULL if memory is short. */
static void *more(void **list, size_t *size, size_t n, size_t item)
{
	if (n == *size) {
		size_t next = *size ? 2 * *size : 64;
		void *bigger = realloc(*list, next * item);

		if (!bigger)
			return NULL;
		*list = bigger;
		*size = next;
	}
	memset((char *)*list + n * item, 0, item);
	return (char *)*list + n * item;
}

/* A member that has to be a name. */
static int read_name(struct json_object *object, const char *member, char out[GCP_NAME_SIZE],
		     struct souk_error *err)
{
	const char *text = NULL;
	int ret = gcp_json_need(gcp_json_text(object, member, &text, err), member, err);

	if (ret < 0)
		return ret;
	text = gcp_basename(text);
	if (!gcp_is_name(text))
		return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is not a name: '%.64s'", member,
				      text);
	snprintf(out, GCP_NAME_SIZE, "%s", text);
	return SOUK_OK;
}

/* 0 if Google calls it deprecated, obsolete or deleted. */
static int is_current(struct json_object *object, struct souk_error *err)
{
	struct json_object *deprecated = NULL;
	const char *state = "ACTIVE";
	int ret = gcp_json_object(object, "deprecated", &deprecated, err);

	if (ret > 0)
		ret = gcp_json_text(deprecated, "state", &state, err);
	return ret < 0 ? ret : strcmp(state, "ACTIVE") == 0;
}

/* ---- Machine types ---- */

static int read_count(struct json_object *object, const char *member, uint32_t max, uint32_t *out,
		      struct souk_error *err)
{
	uint64_t value = 0;
	int ret = gcp_json_count(object, member, max, &value, err);

	if (ret > 0)
		*out = (uint32_t)value;
	return ret;
}

/* GPUs that are part of the type. Two kinds in one type are nothing that can be priced. */
static int read_accelerators(struct json_object *object, struct gcp_type *out,
			     struct souk_error *err)
{
	struct json_object *list = NULL;
	struct json_object *first;
	int ret = gcp_json_array(object, "accelerators", &list, err);

	if (ret <= 0 || json_object_array_length(list) == 0)
		return ret < 0 ? ret : 1;
	if (json_object_array_length(list) > 1)
		return 0;
	first = json_object_array_get_idx(list, 0);
	ret = read_name(first, "guestAcceleratorType", out->accelerator, err);
	if (ret == SOUK_OK)
		ret = gcp_json_need(read_count(first, "guestAcceleratorCount", 1024,
					       &out->accelerators, err),
				    "guestAcceleratorCount", err);
	return ret < 0 ? ret : out->accelerators > 0;
}

static int read_local_ssds(struct json_object *object, struct gcp_type *out,
			   struct souk_error *err)
{
	struct json_object *bundled = NULL;
	int ret = gcp_json_object(object, "bundledLocalSsds", &bundled, err);

	if (ret > 0) {
		ret = read_count(bundled, "partitionCount", 1024, &out->local_ssds, err);
		out->has_local_ssds = ret > 0;
	}
	return ret < 0 ? ret : SOUK_OK;
}

/* ARM64 or X86_64; older families do not say, and are told by their names. */
static int read_arch(struct json_object *object, struct gcp_type *out, struct souk_error *err)
{
	static const char *const arm[] = { "t2a-", "c4a-", "n4a-", "a4x-" };
	const char *arch = "";
	size_t i;
	int ret = gcp_json_text(object, "architecture", &arch, err);

	if (ret < 0)
		return ret;
	out->is_arm = strcmp(arch, "ARM64") == 0;
	for (i = 0; i < GCP_ARRAY_SIZE(arm) && !*arch; i++)
		if (strncmp(out->name, arm[i], strlen(arm[i])) == 0)
			out->is_arm = 1;
	return SOUK_OK;
}

int gcp_type_read(struct json_object *object, struct gcp_type *out, struct souk_error *err)
{
	int ret;

	memset(out, 0, sizeof(*out));
	if (!json_object_is_type(object, json_type_object))
		return souk_error_set(err, SOUK_E_INTERNAL, "a machine type is not an object");
	ret = read_name(object, "name", out->name, err);
	if (ret == SOUK_OK)
		ret = is_current(object, err);
	if (ret <= 0)
		return ret;
	ret = gcp_json_need(read_count(object, "guestCpus", 4096, &out->vcpus, err), "guestCpus",
			    err);
	if (ret > 0)
		ret = gcp_json_need(read_count(object, "memoryMb", MAX_MIB, &out->memory_mib, err),
				    "memoryMb", err);
	if (ret > 0)
		ret = gcp_json_bool(object, "isSharedCpu", &out->is_shared, err);
	if (ret >= 0)
		ret = read_local_ssds(object, out, err);
	if (ret >= 0)
		ret = read_arch(object, out, err);
	if (ret >= 0)
		ret = read_accelerators(object, out, err);
	if (ret > 0)
		ret = out->vcpus > 0 && out->memory_mib > 0;
	return ret;
}

/* A type that an API lists twice is taken once. */
static int has_type(const struct gcp_types *types, const char *name)
{
	size_t i;

	for (i = 0; i < types->n; i++)
		if (strcmp(types->list[i].name, name) == 0)
			return 1;
	return 0;
}

int gcp_types_take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct gcp_types *types = arg;
	struct json_object *items = NULL;
	struct gcp_type type;
	size_t i;
	int ret = gcp_json_array(page, "items", &items, err);

	for (i = 0; ret > 0 && i < json_object_array_length(items); i++) {
		struct gcp_type *slot;

		ret = gcp_type_read(json_object_array_get_idx(items, i), &type, err);
		if (ret < 0)
			return ret;
		if (ret > 0 && !has_type(types, type.name)) {
			if (types->n == MAX_TYPES)
				return souk_error_set(err, SOUK_E_INTERNAL,
						      "more than %d machine types", MAX_TYPES);
			slot = more((void **)&types->list, &types->size, types->n, sizeof(*slot));
			if (!slot)
				return gcp_nomem(err);
			*slot = type;
			types->n++;
		}
		ret = 1;
	}
	return ret < 0 ? ret : SOUK_OK;
}

void gcp_types_fini(struct gcp_types *types)
{
	free(types->list);
	memset(types, 0, sizeof(*types));
}

/* ---- Zones ---- */

static int is_known_zone(const struct gcp_market *market, const char *name)
{
	size_t i;

	for (i = 0; i < market->n_zones; i++)
		if (strcmp(market->zones[i].name, name) == 0)
			return 1;
	return 0;
}

static int take_zone(struct gcp_market *market, struct json_object *object,
		     struct souk_error *err)
{
	struct gcp_zone zone = { 0 };
	struct gcp_zone *slot;
	const char *status = "UP";
	int ret;

	ret = read_name(object, "name", zone.name, err);
	if (ret == SOUK_OK)
		ret = read_name(object, "region", zone.region, err);
	if (ret == SOUK_OK)
		ret = gcp_json_text(object, "status", &status, err);
	if (ret >= 0)
		ret = is_current(object, err);
	if (ret <= 0 || strcmp(status, "UP") != 0 || is_known_zone(market, zone.name) ||
	    (market->regions && !souk_list_has(market->regions, zone.region)))
		return ret < 0 ? ret : SOUK_OK;
	if (market->n_zones == MAX_ZONES)
		return souk_error_set(err, SOUK_E_INTERNAL, "more than %d zones", MAX_ZONES);
	slot = more((void **)&market->zones, &market->zones_size, market->n_zones, sizeof(*slot));
	if (!slot)
		return gcp_nomem(err);
	*slot = zone;
	market->n_zones++;
	return SOUK_OK;
}

int gcp_zones_take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct json_object *items = NULL;
	size_t i;
	int ret = gcp_json_array(page, "items", &items, err);

	for (i = 0; ret >= 0 && items && i < json_object_array_length(items); i++)
		ret = take_zone(arg, json_object_array_get_idx(items, i), err);
	return ret < 0 ? ret : SOUK_OK;
}

/* ---- GPUs that can be attached ---- */

static int is_known_attachable(const struct gcp_market *market, const char *zone, const char *name)
{
	size_t i;

	for (i = 0; i < market->n_attachables; i++)
		if (strcmp(market->attachables[i].zone, zone) == 0 &&
		    strcmp(market->attachables[i].name, name) == 0)
			return 1;
	return 0;
}

static int take_attachable(struct gcp_market *market, const char *zone,
			   struct json_object *object, struct souk_error *err)
{
	struct gcp_attachable entry = { 0 };
	struct gcp_attachable *slot;
	int ret;

	ret = read_name(object, "name", entry.name, err);
	if (ret == SOUK_OK)
		ret = is_current(object, err);
	if (ret <= 0)
		return ret;
	ret = read_count(object, "maximumCardsPerInstance", 1024, &entry.most, err);
	if (ret <= 0 || !entry.most || is_known_attachable(market, zone, entry.name))
		return ret < 0 ? ret : SOUK_OK;
	if (market->n_attachables == MAX_ATTACHABLES)
		return souk_error_set(err, SOUK_E_INTERNAL, "more than %d accelerator types",
				      MAX_ATTACHABLES);
	snprintf(entry.zone, sizeof(entry.zone), "%s", zone);
	slot = more((void **)&market->attachables, &market->attachables_size,
		    market->n_attachables, sizeof(*slot));
	if (!slot)
		return gcp_nomem(err);
	*slot = entry;
	market->n_attachables++;
	return SOUK_OK;
}

static int take_scope(struct gcp_market *market, const char *scope, struct json_object *value,
		      struct souk_error *err)
{
	struct json_object *list = NULL;
	const char *zone = gcp_basename(scope);
	size_t i;
	int ret;

	if (strncmp(scope, "zones/", 6) != 0)
		return SOUK_OK;
	if (!gcp_is_name(zone))
		return souk_error_set(err, SOUK_E_INTERNAL, "not a zone: '%.64s'", scope);
	ret = gcp_json_array(value, "acceleratorTypes", &list, err);
	for (i = 0; ret >= 0 && list && i < json_object_array_length(list); i++)
		ret = take_attachable(market, zone, json_object_array_get_idx(list, i), err);
	return ret < 0 ? ret : SOUK_OK;
}

int gcp_attachables_take_page(void *arg, struct json_object *page, struct souk_error *err)
{
	struct json_object *items = NULL;
	int ret = gcp_json_object(page, "items", &items, err);

	if (ret <= 0)
		return ret;
	json_object_object_foreach(items, scope, value)
	{
		ret = take_scope(arg, scope, value, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

void gcp_market_fini(struct gcp_market *market)
{
	size_t i;

	for (i = 0; i < market->n_zones; i++)
		gcp_types_fini(&market->zones[i].types);
	free(market->zones);
	free(market->attachables);
	memset(market, 0, sizeof(*market));
}
