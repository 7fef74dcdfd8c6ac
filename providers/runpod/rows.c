/* SPDX-License-Identifier: Apache-2.0 */
/* rows.c - offers, put together from the lists of GPUs, CPUs and data centres */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "catalog.h"
#include "runpod.h"

enum { MAX_ROWS = 200000 };

/* Where RunPod places a pod that asks for no place. */
#define ANYWHERE "any"

void runpod_rows_fini(struct runpod_rows *rows)
{
	free(rows->list);
	*rows = (struct runpod_rows){ 0 };
}

static int add(struct runpod_rows *rows, const struct runpod_row *row, struct souk_error *err)
{
	struct runpod_row *list;
	size_t size;

	if (rows->n == rows->size) {
		size = rows->size ? 2 * rows->size : 256;
		if (size > MAX_ROWS)
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "RunPod's answer makes no sense: more than %d offers",
					      MAX_ROWS);
		list = realloc(rows->list, size * sizeof(*list));
		if (!list)
			return runpod_nomem(err);
		rows->list = list;
		rows->size = size;
	}
	rows->list[rows->n++] = *row;
	return SOUK_OK;
}

/* Add the row once more, for a data centre; one whose id names no country is left out. */
static int add_at(struct runpod_rows *rows, struct souk_call *call, struct runpod_row *row,
		  const char *center, int is_available, struct souk_error *err)
{
	if (!runpod_country(center, row->region)) {
		souk_call_log(call, SOUK_LOG_WARNING, "left out the data centre '%.60s': its name "
						      "is of a kind that souk does not know",
			      center);
		return SOUK_OK;
	}
	(void)snprintf(row->zone, sizeof(row->zone), "%s", center);
	row->is_available = is_available;
	return add(rows, row, err);
}

/* For each place in a reply's list. */
static int add_places(struct runpod_rows *rows, struct souk_call *call, struct runpod_row *row,
		      struct json_object *places, struct souk_error *err)
{
	size_t n = places ? json_object_array_length(places) : 0;
	struct json_object *place;
	const char *id;
	int is_available;
	size_t i;
	int ret = SOUK_OK;

	if (n > RUNPOD_MAX_ITEMS)
		n = RUNPOD_MAX_ITEMS;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(places, "dataCenters[]", i, &place, err);
		if (ret == SOUK_OK)
			ret = runpod_place_read(place, &id, &is_available, err);
		if (ret == SOUK_OK)
			ret = add_at(rows, call, row, id, is_available, err);
	}
	return ret;
}

/* Is 'wanted' among what a data centre has? CPUs go by their flavor. */
static int center_has(struct json_object *list, const char *wanted, int is_cpu, int *out,
		      struct souk_error *err)
{
	size_t n = list ? json_object_array_length(list) : 0;
	char flavor[RUNPOD_NAME_SIZE];
	struct json_object *item;
	const char *id;
	int is_available;
	size_t i;
	int ret;

	*out = 0;
	for (i = 0; i < n && i < RUNPOD_MAX_ITEMS && !*out; i++) {
		ret = souk_json_item(list, "dataCenters[].gpuAvailability[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_place_read(item, &id, &is_available, err);
		if (ret < 0)
			return ret;
		if (is_cpu)
			*out = runpod_flavor_of(id, flavor) && strcmp(flavor, wanted) == 0;
		else
			*out = strcmp(id, wanted) == 0;
	}
	return SOUK_OK;
}

/* For each data centre that sells it at all: a row that says that it has none at the moment. Where
 * it has some, another row says so, and the two are merged in the end. */
static int add_centers(struct runpod_rows *rows, struct souk_call *call, struct runpod_row *row,
		       struct json_object *centers, const char *wanted, int is_cpu,
		       struct souk_error *err)
{
	const char *member = is_cpu ? "cpuAvailability" : "gpuAvailability";
	struct json_object *list, *center, *has;
	const char *id;
	size_t n, i;
	int found;
	int ret = runpod_list(centers, "dataCenters", &list, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "dataCenters[]", i, &center, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(center, "dataCenters[]", "id", &id, err);
		if (ret == SOUK_OK)
			ret = souk_json_array_opt(center, "dataCenters[]", member, &has, err);
		if (ret == SOUK_OK)
			ret = center_has(has, wanted, is_cpu, &found, err);
		if (ret == SOUK_OK && found)
			ret = add_at(rows, call, row, id, 0, err);
	}
	return ret;
}

/* All places of one kind of machine; at least one row, so that its price is known. */
static int add_all(struct runpod_rows *rows, struct souk_call *call, struct runpod_row *row,
		   struct json_object *places, struct json_object *centers, const char *wanted,
		   int is_cpu, int is_available, struct souk_error *err)
{
	size_t before = rows->n;
	int ret = add_places(rows, call, row, places, err);

	if (ret == SOUK_OK && centers)
		ret = add_centers(rows, call, row, centers, wanted, is_cpu, err);
	if (ret < 0 || rows->n > before)
		return ret;
	(void)snprintf(row->region, sizeof(row->region), ANYWHERE);
	row->zone[0] = '\0';
	row->is_available = is_available;
	return add(rows, row, err);
}

static int add_gpu(struct runpod_rows *rows, struct souk_call *call,
		   const struct runpod_gpu_item *gpu, struct json_object *centers,
		   enum runpod_cloud cloud, uint32_t count, struct souk_error *err)
{
	const struct runpod_gpu *known = runpod_gpu_by_id(gpu->id);
	struct runpod_row row = { .source = gpu->id };
	char name[RUNPOD_NAME_SIZE];

	if (!gpu->is_sold[cloud] || gpu->micros[cloud] <= 0 || count > gpu->max_count[cloud])
		return SOUK_OK;
	if (!runpod_gpu_name(gpu->id, name)) {
		souk_call_log(call, SOUK_LOG_WARNING,
			      "left out '%.60s': souk has no name for this GPU", gpu->id);
		return SOUK_OK;
	}
	runpod_type_gpu(row.type, count, name, cloud);
	if (known)
		(void)snprintf(row.accelerator, sizeof(row.accelerator), "%s", known->accelerator);
	else
		runpod_accelerator(gpu->display, row.accelerator);
	if (!row.accelerator[0])
		runpod_accelerator(name, row.accelerator);
	row.accelerator_milli = (known ? known->milli : 1000) * count;
	row.accelerator_memory_mib = gpu->memory_gib * 1024;
	row.vcpus_milli = known ? known->vcpus * count * 1000 : 0;
	row.memory_mib = known ? (uint64_t)known->memory_gib * count * 1024 : 0;
	row.micros = gpu->micros[cloud] * count;
	/* What the data centres have is told of the secure cloud alone. */
	return add_all(rows, call, &row, gpu->places, cloud == RUNPOD_SECURE ? centers : NULL,
		       gpu->id, 0, gpu->is_available, err);
}

int runpod_rows_gpus(struct runpod_rows *rows, struct souk_call *call, struct json_object *reply,
		     struct json_object *centers, enum runpod_cloud cloud, uint32_t count,
		     struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_gpu_item gpu;
	size_t n, i;
	int ret = runpod_list(reply, "gpus", &list, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_json_item(list, "gpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_gpu_item_read(item, &gpu, err);
		if (ret == SOUK_OK)
			ret = add_gpu(rows, call, &gpu, centers, cloud, count, err);
	}
	return ret;
}

int runpod_rows_cpus(struct runpod_rows *rows, struct souk_call *call, struct json_object *reply,
		     struct json_object *centers, uint32_t vcpus, struct souk_error *err)
{
	struct json_object *list, *item;
	struct runpod_cpu_item cpu;
	size_t n, i;
	int ret = runpod_list(reply, "cpus", &list, &n, err);

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		struct runpod_row row = { .source = "" };

		ret = souk_json_item(list, "cpus[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = runpod_cpu_item_read(item, &cpu, err);
		if (ret < 0 || !cpu.flavor[0] || cpu.micros_per_vcpu <= 0 ||
		    vcpus < cpu.min_vcpus || vcpus > cpu.max_vcpus)
			continue;
		runpod_type_cpu(row.type, cpu.flavor, vcpus,
				(uint64_t)cpu.milli_gib_per_vcpu * vcpus);
		row.vcpus_milli = vcpus * 1000;
		row.memory_mib = (uint64_t)cpu.milli_gib_per_vcpu * vcpus * 1024 / 1000;
		row.micros = cpu.micros_per_vcpu * vcpus;
		ret = add_all(rows, call, &row, cpu.places, centers, cpu.flavor, 1,
			      cpu.is_available, err);
	}
	return ret;
}

static int by_type_and_place(const void *a, const void *b)
{
	const struct runpod_row *x = a, *y = b;
	int order = strcmp(x->type, y->type);

	if (!order)
		order = strcmp(x->region, y->region);
	if (!order)
		order = strcmp(x->zone, y->zone);
	if (!order)
		order = strcmp(x->source, y->source);
	if (!order && x->micros != y->micros)
		order = x->micros < y->micros ? -1 : 1;
	return order ? order : y->is_available - x->is_available;
}

void runpod_rows_settle(struct runpod_rows *rows, struct souk_call *call)
{
	struct runpod_row *last = NULL;
	size_t kept = 0, i;

	if (rows->n)
		qsort(rows->list, rows->n, sizeof(*rows->list), by_type_and_place);
	for (i = 0; i < rows->n; i++) {
		struct runpod_row *row = &rows->list[i];

		if (last && strcmp(last->type, row->type) == 0 &&
		    strcmp(last->region, row->region) == 0 && strcmp(last->zone, row->zone) == 0) {
			if (strcmp(last->source, row->source) != 0)
				souk_call_log(call, SOUK_LOG_WARNING,
					      "left out '%.60s' in '%s': '%.60s' has the same name",
					      row->source, row->zone, last->source);
			else
				last->is_available |= row->is_available;
			continue;
		}
		rows->list[kept] = *row;
		last = &rows->list[kept++];
	}
	rows->n = kept;
}
