/* SPDX-License-Identifier: Apache-2.0 */
/* catalog.h - RunPod's lists of GPUs, CPUs and data centres, read from their JSON */
#ifndef SOUK_RUNPOD_CATALOG_H
#define SOUK_RUNPOD_CATALOG_H

#include <json.h>

#include "gpus.h"
#include "runpod.h"

enum { RUNPOD_MAX_ITEMS = 2000, RUNPOD_MAX_VCPUS = 1024 };

/* A kind of GPU, as an element of the list tells of it. Texts are the element's. */
struct runpod_gpu_item {
	const char *id;
	const char *display;
	uint32_t memory_gib;
	int is_sold[RUNPOD_CLOUDS];
	uint32_t max_count[RUNPOD_CLOUDS];
	int64_t micros[RUNPOD_CLOUDS]; /* of one GPU for an hour; -1: none */
	int is_available;	     /* somewhere, in the number that was asked for */
	struct json_object *places;  /* may be NULL */
};

struct runpod_cpu_item {
	char flavor[RUNPOD_NAME_SIZE];
	uint32_t min_vcpus, max_vcpus;
	int64_t milli_gib_per_vcpu;
	int64_t micros_per_vcpu; /* for an hour, in the secure cloud; -1: none */
	int is_available;
	struct json_object *places;
};

int runpod_gpu_item_read(struct json_object *item, struct runpod_gpu_item *out,
			 struct souk_error *err);
int runpod_cpu_item_read(struct json_object *item, struct runpod_cpu_item *out,
			 struct souk_error *err);

/* One of 'places', or of what a data centre has: its id, and whether there is stock. */
int runpod_place_read(struct json_object *place, const char **id, int *is_available,
		      struct souk_error *err);

/* The list of that name in a reply, with its length bounded. */
int runpod_list(struct json_object *reply, const char *name, struct json_object **list,
		size_t *n_out, struct souk_error *err);

/* An offer before it is handed over. */
struct runpod_row {
	char type[RUNPOD_TYPE_SIZE];
	char region[RUNPOD_NAME_SIZE];
	char zone[RUNPOD_NAME_SIZE]; /* "": none */
	char accelerator[RUNPOD_NAME_SIZE]; /* "": none */
	uint32_t accelerator_milli;
	uint32_t accelerator_memory_mib;
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	int64_t micros;
	const char *source;	     /* the GPU's id, to tell GPUs of one name from each other */
	int is_available;
};

struct runpod_rows {
	struct runpod_row *list;
	size_t n, size;
};

void runpod_rows_fini(struct runpod_rows *rows);

/*
 * Add the offers that a list of GPUs tells of, asked for 'count' in 'cloud'. 'centers' is the reply
 * to ListDataCenters: where a GPU is sold that is out of stock at the moment.
 */
int runpod_rows_gpus(struct runpod_rows *rows, struct souk_call *call, struct json_object *reply,
		     struct json_object *centers, enum runpod_cloud cloud, uint32_t count,
		     struct souk_error *err);
/* Likewise for a list of CPUs, asked for so many vCPUs. */
int runpod_rows_cpus(struct runpod_rows *rows, struct souk_call *call, struct json_object *reply,
		     struct json_object *centers, uint32_t vcpus, struct souk_error *err);
/* Sort by type and place, and leave one of each. */
void runpod_rows_settle(struct runpod_rows *rows, struct souk_call *call);

/* The largest number of GPUs, and of vCPUs, that a list knows of. */
int runpod_most_gpus(struct json_object *reply, enum runpod_cloud cloud, uint32_t *most,
		     struct souk_error *err);
int runpod_most_vcpus(struct json_object *reply, uint32_t *most, struct souk_error *err);

#endif
