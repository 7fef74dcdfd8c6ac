/* SPDX-License-Identifier: Apache-2.0 */
/* gpus.h - names: of GPUs, of instance types, of places */
#ifndef SOUK_RUNPOD_GPUS_H
#define SOUK_RUNPOD_GPUS_H

#include <stdint.h>

#include "runpod.h"

/* A kind of GPU that RunPod rents. */
struct runpod_gpu {
	const char *id;		 /* RunPod's: "NVIDIA H100 80GB HBM3" */
	const char *name;	 /* in our instance types: "H100-SXM" */
	const char *accelerator; /* "H100" */
	uint32_t milli;		 /* thousandths of a device: less than 1000 for a slice */
	uint32_t vcpus;		 /* that come with each, at least; 0: not known */
	uint32_t memory_gib;	 /* likewise */
};

/* The known GPU of that id, or of that name; NULL: none. */
const struct runpod_gpu *runpod_gpu_by_id(const char *id);
const struct runpod_gpu *runpod_gpu_by_name(const char *name);
/* The known GPUs, by index; NULL behind the last. */
const struct runpod_gpu *runpod_gpu_at(size_t i);

/* The name that a GPU has in our instance types: from the table, else made of the id. 0 if it
 * cannot be made, or would not fit. */
int runpod_gpu_name(const char *id, char name[RUNPOD_NAME_SIZE]);

/* The name of a GPU that is not in the table, as souk writes such names: "RTXPRO8000" of "RTX PRO
 * 8000". Empty only if there is no letter or digit in it. */
void runpod_accelerator(const char *display, char out[RUNPOD_NAME_SIZE]);

/* What an instance type names: "8x_H100-SXM_SECURE", or "cpu5c-2-4". */
struct runpod_type {
	uint32_t gpus;		     /* 0: a CPU pod */
	char gpu[RUNPOD_NAME_SIZE];  /* "H100-SXM" */
	enum runpod_cloud cloud;
	char flavor[RUNPOD_NAME_SIZE]; /* "cpu5c" */
	uint32_t vcpus;
};

/* 1 if the name is of one of the two forms. */
int runpod_type_parse(const char *name, struct runpod_type *out);
void runpod_type_gpu(char out[RUNPOD_TYPE_SIZE], uint32_t gpus, const char *gpu,
		     enum runpod_cloud cloud);
/* "cpu5c" of "cpu5c" and of "cpu5c-2-4"; 0 if it is neither. */
int runpod_flavor_of(const char *id, char flavor[RUNPOD_NAME_SIZE]);
void runpod_type_cpu(char out[RUNPOD_TYPE_SIZE], const char *flavor, uint32_t vcpus,
		     uint64_t memory_milli_gib);

/* GB of container disk: as the spec says, else what is enough for an image with a framework. */
enum { RUNPOD_DISK_GB_GPU = 50, RUNPOD_DISK_GB_CPU = 20 };
uint64_t runpod_disk_gb(const struct souk_instance_spec *spec, const struct runpod_type *type);

/* The country that a data centre's id names: "US" of "US-TX-3", "RO" of "EU-RO-1". 0 if it is
 * not an id of a data centre. */
int runpod_country(const char *data_center, char country[RUNPOD_NAME_SIZE]);

#endif
