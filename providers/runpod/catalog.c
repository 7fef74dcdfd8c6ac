/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.c - RunPod's lists of GPUs, CPUs and data centres, read from their JSON */

#include "catalog.h"

#include <string.h>

#include "runpod.h"

/* A million dollars an hour is no price. */
#define MAX_MICROS ((int64_t)1000000 * 1000000)

int runpod_list(struct json_object *reply, const char *name, struct json_object **list,
		size_t *n_out, struct souk_error *err)
{
	int ret = souk_json_array(reply, "", name, list, err);

	if (ret < 0)
		return ret;
	*n_out = json_object_array_length(*list);
	if (*n_out > RUNPOD_MAX_ITEMS)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod's answer makes no sense: '%s' has %zu elements", name,
				      *n_out);
	return SOUK_OK;
}

/* "NONE", or nothing at all, is no stock; a level that we do not know is some. */
static int availability(struct json_object *item, const char *where, int *out,
			struct souk_error *err)
{
	const char *level;
	int ret = souk_json_text_opt(item, where, "availability", &level, err);

	if (ret == SOUK_OK)
		*out = level && strcmp(level, "NONE") != 0;
	return ret;
}

static int price(struct json_object *prices, const char *where, const char *name, int64_t *out,
		 struct souk_error *err)
{
	int ret = souk_json_micros_opt(prices, where, name, out, err);

	if (ret == SOUK_OK && *out > MAX_MICROS)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod's answer makes no sense: '%s.%s' is out of range",
				      where, name);
	return ret;
}

static int id_of(struct json_object *item, const char *where, const char **out,
		 struct souk_error *err)
{
	int ret = souk_json_text(item, where, "id", out, err);

	if (ret == SOUK_OK && (!(*out)[0] || strlen(*out) > 200))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "RunPod's answer makes no sense: '%s.id' is '%.60s'", where,
				      *out);
	return ret;
}

int runpod_gpu_item_read(struct json_object *item, struct runpod_gpu_item *out,
			 struct souk_error *err)
{
	struct json_object *prices, *counts;
	int ret;

	memset(out, 0, sizeof(*out));
	if ((ret = id_of(item, "gpus[]", &out->id, err)) < 0 ||
	    (ret = souk_json_text(item, "gpus[]", "name", &out->display, err)) < 0 ||
	    (ret = souk_json_count(item, "gpus[]", "memory", 100000, &out->memory_gib, err)) < 0 ||
	    (ret = souk_json_flag(item, "gpus[]", "secure", &out->is_sold[RUNPOD_SECURE],
				    err)) < 0 ||
	    (ret = souk_json_flag(item, "gpus[]", "community", &out->is_sold[RUNPOD_COMMUNITY],
				    err)) < 0 ||
	    (ret = souk_json_object(item, "gpus[]", "price", &prices, err)) < 0 ||
	    (ret = price(prices, "gpus[].price", "secure", &out->micros[RUNPOD_SECURE], err)) < 0 ||
	    (ret = price(prices, "gpus[].price", "community", &out->micros[RUNPOD_COMMUNITY],
			 err)) < 0 ||
	    (ret = souk_json_object(item, "gpus[]", "maxCount", &counts, err)) < 0 ||
	    (ret = souk_json_count(counts, "gpus[].maxCount", "secure", 10000,
				     &out->max_count[RUNPOD_SECURE], err)) < 0 ||
	    (ret = souk_json_count(counts, "gpus[].maxCount", "community", 10000,
				     &out->max_count[RUNPOD_COMMUNITY], err)) < 0 ||
	    (ret = availability(item, "gpus[]", &out->is_available, err)) < 0)
		return ret;
	return souk_json_array_opt(item, "gpus[]", "dataCenters", &out->places, err);
}

int runpod_cpu_item_read(struct json_object *item, struct runpod_cpu_item *out,
			 struct souk_error *err)
{
	struct json_object *prices, *range;
	int64_t gib_micros = 0;
	const char *id;
	int ret;

	memset(out, 0, sizeof(*out));
	if ((ret = id_of(item, "cpus[]", &id, err)) < 0 ||
	    (ret = souk_json_object(item, "cpus[]", "vcpu", &range, err)) < 0 ||
	    (ret = souk_json_count(range, "cpus[].vcpu", "min", RUNPOD_MAX_VCPUS,
				     &out->min_vcpus, err)) < 0 ||
	    (ret = souk_json_count(range, "cpus[].vcpu", "max", RUNPOD_MAX_VCPUS,
				     &out->max_vcpus, err)) < 0 ||
	    (ret = souk_json_micros(item, "cpus[]", "ramGbPerVcpu", &gib_micros, err)) < 0 ||
	    (ret = souk_json_object(item, "cpus[]", "price", &prices, err)) < 0 ||
	    (ret = price(prices, "cpus[].price", "securePerVcpu", &out->micros_per_vcpu, err)) < 0 ||
	    (ret = availability(item, "cpus[]", &out->is_available, err)) < 0)
		return ret;
	if (gib_micros > (int64_t)1000 * 1000000)
		return souk_error_set(err, SOUK_E_INTERNAL, "RunPod's answer makes no sense: "
							    "'cpus[].ramGbPerVcpu' is out of range");
	out->milli_gib_per_vcpu = gib_micros / 1000;
	if (!runpod_flavor_of(id, out->flavor))
		out->flavor[0] = '\0';
	return souk_json_array_opt(item, "cpus[]", "dataCenters", &out->places, err);
}

int runpod_place_read(struct json_object *place, const char **id, int *is_available,
		      struct souk_error *err)
{
	int ret = id_of(place, "dataCenters[]", id, err);

	return ret < 0 ? ret : availability(place, "dataCenters[]", is_available, err);
}

int runpod_most_gpus(struct json_object *reply, enum runpod_cloud cloud, uint32_t *most,
		     struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_gpu_item gpu;
	size_t n, i;
	int ret = runpod_list(reply, "gpus", &list, &n, err);

	*most = 0;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "gpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_gpu_item_read(item, &gpu, err);
		if (ret == SOUK_OK && gpu.is_sold[cloud] && gpu.max_count[cloud] > *most)
			*most = gpu.max_count[cloud];
	}
	if (*most > RUNPOD_MAX_GPUS)
		*most = RUNPOD_MAX_GPUS;
	return ret;
}

int runpod_most_vcpus(struct json_object *reply, uint32_t *most, struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_cpu_item cpu;
	size_t n, i;
	int ret = runpod_list(reply, "cpus", &list, &n, err);

	*most = 0;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "cpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_cpu_item_read(item, &cpu, err);
		if (ret == SOUK_OK && cpu.max_vcpus > *most)
			*most = cpu.max_vcpus;
	}
	return ret;
}
