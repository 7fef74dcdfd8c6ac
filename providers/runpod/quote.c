/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - what a pod costs, item by item */

#include <stdio.h>
#include <string.h>

#include "catalog.h"
#include "market.h"
#include "runpod.h"
#include "volume.h"

/* Container disk, and a volume of a pod that runs, by RunPod's price page: 0.10 dollars for a GB and
 * a month of 730 hours. */
enum { DISK_MICROS_PER_GB_MONTH = 100000, HOURS_PER_MONTH = 730 };

static int add_line(struct souk_quote_list *out, const char *item, int64_t micros, const char *note,
		    struct souk_error *err)
{
	const struct souk_quote_line line = {
		.struct_size = sizeof(line),
		.per_hour = 1,
		.item = item,
		.note = note,
		.micros = micros,
		.currency = "USD",
	};

	return souk_quote_list_add(out, &line, err);
}

static int no_such_type(const struct souk_instance_spec *spec, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_NOT_FOUND, "RunPod sells no '%.90s'", spec->instance_type);
	return souk_error_hint(err, "'souk catalog update runpod' asks what it sells now");
}

static int gpu_price(struct json_object *reply, const struct runpod_type *type,
		     const struct souk_instance_spec *spec, int64_t *micros, struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_gpu_item gpu;
	char name[RUNPOD_NAME_SIZE];
	size_t n, i;
	int ret = runpod_list(reply, "gpus", &list, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "gpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_gpu_item_read(item, &gpu, err);
		if (ret < 0 || !runpod_gpu_name(gpu.id, name) || strcmp(name, type->gpu) != 0)
			continue;
		if (!gpu.is_sold[type->cloud] || gpu.micros[type->cloud] <= 0 ||
		    type->gpus > gpu.max_count[type->cloud])
			break;
		*micros = gpu.micros[type->cloud] * type->gpus;
		return SOUK_OK;
	}
	return ret < 0 ? ret : no_such_type(spec, err);
}

static int cpu_price(struct json_object *reply, const struct runpod_type *type,
		     const struct souk_instance_spec *spec, int64_t *micros, struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_cpu_item cpu;
	size_t n, i;
	int ret = runpod_list(reply, "cpus", &list, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "cpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_cpu_item_read(item, &cpu, err);
		if (ret < 0 || strcmp(cpu.flavor, type->flavor) != 0 || cpu.micros_per_vcpu <= 0 ||
		    type->vcpus < cpu.min_vcpus || type->vcpus > cpu.max_vcpus)
			continue;
		*micros = cpu.micros_per_vcpu * type->vcpus;
		return SOUK_OK;
	}
	return ret < 0 ? ret : no_such_type(spec, err);
}

static int compute(struct runpod *runpod, struct souk_call *call, const struct runpod_type *type,
		   const struct souk_instance_spec *spec, int64_t *micros, struct souk_error *err)
{
	RUNPOD_AUTO_JSON struct json_object *reply = NULL;
	struct runpod_request request = { .doing = "ask for the price", .flags = SOUK_HTTP_RETRY };
	int ret;

	request.what = type->gpus ? "ListGpuTypes" : "ListCpuTypes";
	request.path = type->gpus ? "/v2/catalog/gpus" : "/v2/catalog/cpus";
	ret = runpod_send(runpod, call, &request, &reply, err);
	if (ret < 0)
		return ret;
	return type->gpus ? gpu_price(reply, type, spec, micros, err) :
			    cpu_price(reply, type, spec, micros, err);
}

int runpod_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		 struct souk_quote_list *out, struct souk_error *err)
{
	uint32_t count = spec->count ? spec->count : 1;
	char note[100];
	struct runpod_volume volume;
	struct runpod_type type;
	uint64_t disk_gib;
	int64_t micros = 0;
	int ret;

	if (!runpod_type_parse(spec->instance_type, &type))
		return no_such_type(spec, err);
	ret = runpod_volume_read(call, &volume, err);
	if (ret == SOUK_OK)
		ret = compute(self, call, &type, spec, &micros, err);
	if (ret < 0)
		return ret;
	disk_gib = runpod_disk_gb(spec, &type);
	if (disk_gib > 1000000 || count > 10000)
		return souk_error_set(err, SOUK_E_INVALID, "no pod has a disk of %llu GB",
				      (unsigned long long)disk_gib);
	ret = add_line(out, "compute", micros * count, "RunPod's list, asked now", err);
	(void)snprintf(note, sizeof(note), "%u GB of container disk at $0.10 for a GB and month",
		       (unsigned)disk_gib);
	if (ret == SOUK_OK)
		ret = add_line(out, "disk",
			       (int64_t)disk_gib * DISK_MICROS_PER_GB_MONTH / HOURS_PER_MONTH *
				       count,
			       note, err);
	(void)snprintf(note, sizeof(note), "%u GB of volume at $0.10 for a GB and month",
		       (unsigned)volume.gb);
	if (ret == SOUK_OK && volume.gb)
		ret = add_line(out, "volume",
			       (int64_t)volume.gb * DISK_MICROS_PER_GB_MONTH / HOURS_PER_MONTH * count,
			       note, err);
	if (ret == SOUK_OK)
		ret = add_line(out, "address", 0, "ports of a shared address cost nothing", err);
	return ret;
}
