/* SPDX-License-Identifier: Apache-2.0 */
/* shapes.c - facts about machines and GPUs that Google documents and no API of it tells */

#include <stdio.h>
#include <string.h>

#include "market.h"

#define GIB(n) ((n) * 1024u)

/* ---- GPUs ---- */

static const struct gcp_gpu gpus[] = {
	{ "nvidia-tesla-t4", "T4", GIB(16) },
	{ "nvidia-tesla-p4", "P4", GIB(8) },
	{ "nvidia-tesla-p100", "P100", GIB(16) },
	{ "nvidia-tesla-v100", "V100", GIB(16) },
	{ "nvidia-tesla-k80", "K80", GIB(12) },
	{ "nvidia-l4", "L4", GIB(24) },
	{ "nvidia-tesla-a100", "A100", GIB(40) },
	{ "nvidia-a100-80gb", "A100-80GB", GIB(80) },
	{ "nvidia-h100-80gb", "H100", GIB(80) },
	{ "nvidia-h100-mega-80gb", "H100", GIB(80) },
	{ "nvidia-h200-141gb", "H200", GIB(141) },
	{ "nvidia-b200", "B200", GIB(180) },
	{ "nvidia-gb200", "GB200", GIB(186) },
	{ "nvidia-gb300", "GB300", GIB(279) },
	{ "nvidia-rtx-pro-6000", "RTXPRO6000", GIB(96) },
};

const struct gcp_gpu *gcp_gpu_find(const char *type)
{
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(gpus); i++)
		if (strcmp(gpus[i].type, type) == 0)
			return &gpus[i];
	return NULL;
}

/* The price list's own names, all that have been seen. */
const struct gcp_gpu *gcp_gpu_of_sku(const char *words)
{
	static const struct {
		const char *words, *type;
	} names[] = {
		{ "Nvidia Tesla T4 GPU", "nvidia-tesla-t4" },
		{ "Nvidia Tesla P4 GPU", "nvidia-tesla-p4" },
		{ "Nvidia Tesla P100 GPU", "nvidia-tesla-p100" },
		{ "Nvidia Tesla V100 GPU", "nvidia-tesla-v100" },
		{ "Nvidia Tesla K80 GPU", "nvidia-tesla-k80" },
		{ "Nvidia L4 GPU", "nvidia-l4" },
		{ "Nvidia Tesla A100 GPU", "nvidia-tesla-a100" },
		{ "Nvidia Tesla A100 80GB GPU", "nvidia-a100-80gb" },
		{ "Nvidia H100 80GB GPU", "nvidia-h100-80gb" },
		{ "Nvidia H100 80GB Mega GPU", "nvidia-h100-mega-80gb" },
		{ "Nvidia H100 80GB Plus GPU", "nvidia-h100-mega-80gb" },
		{ "Nvidia H100 Mega 80GB GPU", "nvidia-h100-mega-80gb" },
		{ "H200 141GB GPU", "nvidia-h200-141gb" },
		{ "Nvidia H200 141GB GPU", "nvidia-h200-141gb" },
		{ "RTX 6000 96GB", "nvidia-rtx-pro-6000" },
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(names); i++)
		if (strcmp(names[i].words, words) == 0)
			return gcp_gpu_find(names[i].type);
	return NULL;
}

/* How large an N1 machine may be for so many GPUs. */
static const struct {
	const char *gpu;
	uint32_t count, vcpus, memory_gib;
} n1_limits[] = {
	{ "nvidia-tesla-t4", 1, 48, 312 },   { "nvidia-tesla-t4", 2, 48, 312 },
	{ "nvidia-tesla-t4", 4, 96, 624 },   { "nvidia-tesla-p4", 1, 24, 156 },
	{ "nvidia-tesla-p4", 2, 48, 312 },   { "nvidia-tesla-p4", 4, 96, 624 },
	{ "nvidia-tesla-p100", 1, 16, 104 }, { "nvidia-tesla-p100", 2, 32, 208 },
	{ "nvidia-tesla-p100", 4, 96, 624 }, { "nvidia-tesla-v100", 1, 12, 78 },
	{ "nvidia-tesla-v100", 2, 24, 156 }, { "nvidia-tesla-v100", 4, 48, 312 },
	{ "nvidia-tesla-v100", 8, 96, 624 },
};

/* Older machines, that take four P100 with less around them. */
static int is_older_p100_zone(const char *zone)
{
	return strcmp(zone, "us-east1-c") == 0 || strcmp(zone, "europe-west1-d") == 0 ||
	       strcmp(zone, "europe-west1-b") == 0;
}

int gcp_n1_may_have(const struct gcp_type *type, const char *gpu, uint32_t count,
		    const char *zone)
{
	size_t i;

	if (strncmp(type->name, "n1-", 3) != 0)
		return 0;
	for (i = 0; i < GCP_ARRAY_SIZE(n1_limits); i++) {
		if (strcmp(n1_limits[i].gpu, gpu) != 0 || n1_limits[i].count != count)
			continue;
		if (strcmp(gpu, "nvidia-tesla-p100") == 0 && count == 4 &&
		    is_older_p100_zone(zone))
			return type->vcpus <= 64 && type->memory_mib <= GIB(208);
		return type->vcpus <= n1_limits[i].vcpus &&
		       type->memory_mib <= GIB(n1_limits[i].memory_gib);
	}
	return 0;
}

/* ---- Machine types ---- */

static int has_start(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

int gcp_is_tpu(const char *type)
{
	return has_start(type, "ct") || has_start(type, "tpu");
}

void gcp_family_of(const char *type, char out[GCP_NAME_SIZE])
{
	static const struct {
		const char *start, *family;
	} special[] = {
		{ "a3-megagpu-", "a3plus" },
		{ "a3-ultragpu-", "a3ultra" },
		/* Not known to be billed by the rates of A3. */
		{ "a3-edgegpu-", "" },
		{ "m4-ultramem-224", "m4ultramem224" },
		/* Other names of M1 machines. */
		{ "n1-megamem-", "" },
		{ "n1-ultramem-", "" },
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(special); i++)
		if (has_start(type, special[i].start)) {
			snprintf(out, GCP_NAME_SIZE, "%s", special[i].family);
			return;
		}
	snprintf(out, GCP_NAME_SIZE, "%.*s", (int)strcspn(type, "-"), type);
}

/* These are started as spot, by reservation or by flex-start alone, whatever the list prices. */
int gcp_sold_on_demand(const char *type)
{
	static const char *const not[] = { "a3-highgpu-1g", "a3-highgpu-2g", "a3-highgpu-4g",
					   "a3-ultragpu-",  "a4-",	     "a4x-" };
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(not); i++)
		if (has_start(type, not[i]))
			return 0;
	return 1;
}

int gcp_sold_as_spot(const char *type)
{
	return !has_start(type, "a4x-") && !has_start(type, "m2-") && !has_start(type, "x4-");
}

uint32_t gcp_billed_milli(const struct gcp_type *type)
{
	static const struct {
		const char *name;
		uint32_t milli;
	} shared[] = {
		{ "e2-micro", 250 }, { "e2-small", 500 }, { "e2-medium", 1000 },
		{ "f1-micro", 200 }, { "g1-small", 500 },
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(shared); i++)
		if (strcmp(type->name, shared[i].name) == 0)
			return shared[i].milli;
	/* A shared core of which it is not known how much counts. */
	return type->is_shared ? 0 : type->vcpus * 1000;
}

uint32_t gcp_built_in_milli(const struct gcp_type *type)
{
	static const struct {
		const char *name;
		uint32_t milli;
	} parts[] = {
		{ "g4-standard-6", 125 },
		{ "g4-standard-12", 250 },
		{ "g4-standard-24", 500 },
	};
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(parts); i++)
		if (strcmp(type->name, parts[i].name) == 0)
			return parts[i].milli;
	return type->accelerators * 1000;
}

/* Types with built-in disks, for when the API does not say how many there are. */
static const struct {
	const char *name;
	uint32_t gib;
} known_ssds[] = {
	{ "a2-ultragpu-1g", 375 },   { "a2-ultragpu-2g", 750 },	  { "a2-ultragpu-4g", 1500 },
	{ "a2-ultragpu-8g", 3000 },  { "a3-highgpu-1g", 750 },	  { "a3-highgpu-2g", 1500 },
	{ "a3-highgpu-4g", 3000 },   { "a3-highgpu-8g", 6000 },	  { "a3-megagpu-8g", 6000 },
	{ "a3-ultragpu-8g", 12000 }, { "a4-highgpu-8g", 12000 },
};

int gcp_local_ssd_gib(const struct gcp_type *type, uint64_t *out)
{
	size_t i;

	*out = 0;
	if (type->has_local_ssds) {
		uint32_t gib = 375;

		if (has_start(type->name, "z3-"))
			gib = strstr(type->name, "-metal") ? 6000 : 3000;
		else if (has_start(type->name, "a4x-"))
			gib = 3000;
		*out = (uint64_t)type->local_ssds * gib;
		return 1;
	}
	for (i = 0; i < GCP_ARRAY_SIZE(known_ssds); i++)
		if (strcmp(type->name, known_ssds[i].name) == 0)
			*out = known_ssds[i].gib;
	/* The name says that there are some. */
	return *out || !strstr(type->name, "lssd") || strstr(type->name, "nolssd");
}

/* Machines that end when their host has to be seen to; the others move to another one meanwhile. */
int gcp_can_migrate(const char *type)
{
	return !has_start(type, "h3-") && !has_start(type, "h4d-") && !has_start(type, "x4-") &&
	       !has_start(type, "z3-") && !strstr(type, "-metal");
}

/* ---- Disks ---- */

/* Families that take no persistent disk, only Hyperdisk. */
static int needs_hyperdisk(const char *type)
{
	static const char *const starts[] = { "c4-",  "c4a-", "c4d-", "c4n-", "n4-",  "n4a-",
					      "n4d-", "m4-",  "m4n-", "x4-",  "h4d-", "z4d-",
					      "g4-",  "a4-",  "a4x-", "a3-ultragpu-" };
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(starts); i++)
		if (has_start(type, starts[i]))
			return 1;
	return 0;
}

/* Families that still take disks that turn. */
static int takes_standard(const char *type)
{
	static const char *const starts[] = { "n1-", "n2-", "n2d-", "e2-", "t2d-", "c2-",
					      "c2d-", "m1-", "m2-", "a2-", "f1-", "g1-" };
	size_t i;

	for (i = 0; i < GCP_ARRAY_SIZE(starts); i++)
		if (has_start(type, starts[i]))
			return 1;
	return 0;
}

const char *gcp_disk_kind(const char *type, const char *tier)
{
	if (needs_hyperdisk(type))
		return "hyperdisk-balanced";
	if (!tier || strcmp(tier, "medium") == 0)
		return "pd-balanced";
	if (strcmp(tier, "low") == 0)
		return takes_standard(type) ? "pd-standard" : "pd-balanced";
	return "pd-ssd";
}
