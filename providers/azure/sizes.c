/* SPDX-License-Identifier: Apache-2.0 */
/* sizes.c - the sizes of machines that a subscription can have in a region */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-read.h"
#include "market.h"

enum { MAX_SIZES = 20000, MAX_DEVICES = 1000 };

/* What the capabilities of a SKU say; a text that is not there is NULL. */
struct capabilities {
	const char *vcpus, *available_vcpus, *memory_gib, *gpus, *arch, *spot, *generations;
	const char *resource_disk_mib, *nvme_mib, *confidential, *premium;
};

static const char **slot_of(struct capabilities *c, const char *name)
{
	const struct {
		const char *name;
		const char **slot;
	} known[] = {
		{ "vCPUs", &c->vcpus },
		{ "vCPUsAvailable", &c->available_vcpus },
		{ "MemoryGB", &c->memory_gib },
		{ "GPUs", &c->gpus },
		{ "CpuArchitectureType", &c->arch },
		{ "LowPriorityCapable", &c->spot },
		{ "HyperVGenerations", &c->generations },
		{ "MaxResourceVolumeMB", &c->resource_disk_mib },
		{ "NvmeDiskSizeInMiB", &c->nvme_mib },
		{ "ConfidentialComputingType", &c->confidential },
		{ "PremiumIO", &c->premium },
	};
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(known); i++)
		if (strcasecmp(known[i].name, name) == 0)
			return known[i].slot;
	return NULL;
}

static int read_capabilities(struct json_object *sku, const char *where, struct capabilities *out,
			     struct souk_error *err)
{
	struct json_object *list;
	size_t i;
	int ret;

	ret = azure_json_get(sku, where, "capabilities", json_type_array, &list, err);
	for (i = 0; ret == SOUK_OK && list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);
		const char *name, *value;
		const char **slot;

		ret = azure_json_get_text(item, where, "name", &name, err);
		if (ret == SOUK_OK)
			ret = azure_json_get_text(item, where, "value", &value, err);
		slot = ret == SOUK_OK && name ? slot_of(out, name) : NULL;
		if (slot)
			*slot = value;
	}
	return ret;
}

static int is_true(const char *text)
{
	return text && strcasecmp(text, "True") == 0;
}

/* ---- Where it is sold ------------------------------------------------------------------------ */

static int list_has(struct json_object *list, const char *text)
{
	size_t i;

	for (i = 0; list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		if (json_object_is_type(item, json_type_string) &&
		    strcasecmp(json_object_get_string(item), text) == 0)
			return 1;
	}
	return 0;
}

static int compare_zones(const void *a, const void *b)
{
	return strcmp(a, b);
}

static int add_zones(struct json_object *zones, struct azure_size *out)
{
	size_t i;

	for (i = 0; i < json_object_array_length(zones); i++) {
		struct json_object *zone = json_object_array_get_idx(zones, i);
		const char *name = json_object_is_type(zone, json_type_string) ?
					   json_object_get_string(zone) : NULL;

		if (!name || !azure_is_place(name) || strlen(name) >= AZURE_ZONE_SIZE)
			return 0;
		if (out->n_zones < AZURE_MAX_ZONES)
			azure_copy(out->zones[out->n_zones++], AZURE_ZONE_SIZE, name);
	}
	qsort(out->zones, out->n_zones, sizeof(out->zones[0]), compare_zones);
	return 1;
}

/* 1 if it is sold in the region, with its zones. */
static int read_places(struct json_object *sku, const char *where, const char *region,
		       struct azure_size *out, struct souk_error *err)
{
	struct json_object *list, *zones;
	const char *location;
	size_t i;
	int ret;

	ret = azure_json_get(sku, where, "locationInfo", json_type_array, &list, err);
	for (i = 0; ret == SOUK_OK && list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		ret = azure_json_get_text(item, where, "location", &location, err);
		if (ret == SOUK_OK)
			ret = azure_json_get(item, where, "zones", json_type_array, &zones, err);
		if (ret < 0 || !location || strcasecmp(location, region) != 0)
			continue;
		if (zones && !add_zones(zones, out))
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "%s: 'zones' has something that is not a zone",
					      where);
		return 1;
	}
	return ret < 0 ? ret : 0;
}

static void remove_zones(struct json_object *zones, struct azure_size *out)
{
	size_t kept = 0;
	size_t i;

	for (i = 0; i < out->n_zones; i++)
		if (!list_has(zones, out->zones[i])) {
			if (kept != i)
				memcpy(out->zones[kept], out->zones[i], AZURE_ZONE_SIZE);
			kept++;
		}
	out->n_zones = kept;
}

/*
 * 1 if the subscription may have it, after what is restricted was taken away. If all zones are,
 * Azure may still find a place in the region that is in none of them.
 */
static int read_restrictions(struct json_object *sku, const char *where, const char *region,
			     struct azure_size *out, struct souk_error *err)
{
	struct json_object *list, *info;
	const char *type;
	size_t i;
	int ret;

	ret = azure_json_get(sku, where, "restrictions", json_type_array, &list, err);
	for (i = 0; ret == SOUK_OK && list && i < json_object_array_length(list); i++) {
		struct json_object *item = json_object_array_get_idx(list, i);

		ret = azure_json_get_text(item, where, "type", &type, err);
		if (ret == SOUK_OK)
			ret = azure_json_get(item, where, "restrictionInfo", json_type_object,
					     &info, err);
		if (ret < 0 || !type)
			continue;
		if (strcasecmp(type, "Zone") == 0)
			remove_zones(souk_json_maybe_array(info, "zones"), out);
		else if (list_has(souk_json_maybe_array(info, "locations"), region) ||
			 list_has(souk_json_maybe_array(item, "values"), region))
			return 0;
	}
	return ret < 0 ? ret : 1;
}

/* ---- What it is ------------------------------------------------------------------------------ */

/* A number that may be missing, which is 0; 0 if it is there and not a number. */
static int read_mib(const char *text, uint64_t *out)
{
	*out = 0;
	return !text || !*text ||
	       (souk_parse_u64("MiB", text, out, NULL) == SOUK_OK && *out <= UINT32_MAX);
}

/* 1 if it is clear how large it is. */
static int read_numbers(const struct capabilities *c, struct azure_size *out)
{
	const char *vcpus = c->available_vcpus && *c->available_vcpus ? c->available_vcpus :
								       c->vcpus;
	uint32_t memory_milli = 0;
	uint32_t n = 0;
	uint64_t resource_disk, nvme;

	if (!vcpus || souk_parse_u32("vCPUs", vcpus, &n, NULL) < 0 || n == 0 || n > 100000)
		return 0;
	if (!c->memory_gib ||
	    souk_parse_milli("MemoryGB", c->memory_gib, &memory_milli, NULL) < 0 || !memory_milli)
		return 0;
	if (!read_mib(c->resource_disk_mib, &resource_disk) || !read_mib(c->nvme_mib, &nvme))
		return 0;
	out->vcpus_milli = n * 1000;
	out->memory_mib = ((uint64_t)memory_milli * 1024 + 500) / 1000;
	out->local_disk_mib = resource_disk + nvme;
	return 1;
}

/* 1 if it is clear what it has, be it nothing. */
static int read_device(const struct capabilities *c, struct azure_size *out)
{
	const struct azure_device *device = azure_device_find(out->name);
	uint32_t n = 0;

	if (c->gpus && souk_parse_u32("GPUs", c->gpus, &n, NULL) < 0)
		n = MAX_DEVICES + 1;
	if (!device)
		return n == 0;
	out->device = device;
	out->accelerator_milli = device->milli ? device->milli : n * 1000;
	return device->milli || (n > 0 && n <= MAX_DEVICES);
}

int azure_size_read(struct json_object *sku, const char *region, struct azure_size *out,
		    struct souk_error *err)
{
	struct capabilities c = { 0 };
	struct azure_size size = { 0 };
	const char *name, *type;
	int ret;

	ret = azure_json_get_text(sku, "SKU", "resourceType", &type, err);
	if (ret == SOUK_OK)
		ret = azure_json_get_text(sku, "SKU", "name", &name, err);
	if (ret < 0)
		return ret;
	if (!type || strcasecmp(type, "virtualMachines") != 0 || !name || !azure_is_size(name) ||
	    !azure_copy(size.name, sizeof(size.name), name))
		return AZURE_SIZE_OTHER;
	ret = read_capabilities(sku, name, &c, err);
	if (ret == SOUK_OK)
		ret = read_places(sku, name, region, &size, err);
	/* A confidential machine needs a special image, which souk has none of. */
	if (ret <= 0 || (c.confidential && *c.confidential))
		return ret < 0 ? ret : AZURE_SIZE_OTHER;
	ret = read_restrictions(sku, name, region, &size, err);
	if (ret <= 0)
		return ret < 0 ? ret : AZURE_SIZE_RESTRICTED;
	size.is_arm = c.arch && strcasecmp(c.arch, "Arm64") == 0;
	size.spot = is_true(c.spot);
	size.premium_disk = is_true(c.premium);
	size.generation_1 = c.generations && strstr(c.generations, "V1");
	size.generation_2 = !c.generations || strstr(c.generations, "V2");
	if (strncasecmp(name, "Standard_B", 10) == 0)
		size.flags |= SOUK_OFFER_BURSTABLE;
	ret = read_numbers(&c, &size) && read_device(&c, &size) ? AZURE_SIZE_GOOD :
								   AZURE_SIZE_UNKNOWN;
	*out = size;
	return ret;
}

/* ---- The list -------------------------------------------------------------------------------- */

static int take_skus(void *arg, struct json_object *page, struct json_object *items,
		     struct souk_error *err)
{
	struct azure_sizes *sizes = arg;
	size_t i;
	int ret;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);

		ret = azure_grow((void **)&sizes->list, sizes->n, &sizes->size,
				 sizeof(sizes->list[0]), MAX_SIZES, "sizes", err);
		if (ret == SOUK_OK)
			ret = azure_size_read(item, sizes->region, &sizes->list[sizes->n], err);
		if (ret < 0)
			return ret;
		if (ret == AZURE_SIZE_GOOD)
			sizes->n++;
		sizes->restricted += ret == AZURE_SIZE_RESTRICTED;
		if (ret == AZURE_SIZE_UNKNOWN && sizes->unknown++ == 0)
			azure_copy(sizes->unknown_name, sizeof(sizes->unknown_name),
				   sizes->list[sizes->n].name);
	}
	return SOUK_OK;
}

static int compare_sizes(const void *a, const void *b)
{
	return strcasecmp(((const struct azure_size *)a)->name,
			  ((const struct azure_size *)b)->name);
}

/* A page that changed while it was read may show a size twice. */
static void settle(struct azure_sizes *sizes)
{
	size_t kept = 0;
	size_t i;

	if (sizes->n)
		qsort(sizes->list, sizes->n, sizeof(sizes->list[0]), compare_sizes);
	for (i = 0; i < sizes->n; i++)
		if (!kept || compare_sizes(&sizes->list[kept - 1], &sizes->list[i]) != 0)
			sizes->list[kept++] = sizes->list[i];
	sizes->n = kept;
}

int azure_sizes_list(const struct azure_client *client, const char *subscription,
		     const char *region, struct azure_sizes *out, struct souk_error *err)
{
	char path[AZURE_ID_SIZE + AZURE_REGION_SIZE + 160];
	char doing[AZURE_REGION_SIZE + 40];
	const struct azure_listing listing = {
		.request = { .what = "ResourceSkus_List", .doing = doing,
			     .host = AZURE_HOST_MANAGEMENT, .path = path,
			     .cache_seconds = AZURE_KEEP_SECONDS, .cache_scope = subscription },
		.items = "value", .next = "nextLink", .take = take_skus, .arg = out,
	};
	int ret;

	out->region = region;
	snprintf(doing, sizeof(doing), "list the sizes of '%s'", region);
	snprintf(path, sizeof(path),
		 "/subscriptions/%s/providers/Microsoft.Compute/skus?api-version=2021-07-01"
		 "&$filter=location%%20eq%%20%%27%s%%27",
		 subscription, region);
	ret = azure_list(client, &listing, err);
	if (ret == SOUK_OK)
		settle(out);
	return ret;
}

const struct azure_size *azure_sizes_find(const struct azure_sizes *sizes, const char *name)
{
	struct azure_size key;

	if (!sizes->n || !azure_copy(key.name, sizeof(key.name), name))
		return NULL;
	return bsearch(&key, sizes->list, sizes->n, sizeof(key), compare_sizes);
}

void azure_sizes_fini(struct azure_sizes *sizes)
{
	free(sizes->list);
	*sizes = (struct azure_sizes){ 0 };
}
