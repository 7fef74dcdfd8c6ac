/* SPDX-License-Identifier: Apache-2.0 */
/* gpus.c - names: of GPUs, of instance types, of places */

#include "gpus.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The API tells price, stock and the GPU's own memory, but not the vCPUs and the memory that come
 * with one; those here are the least that RunPod's own list has shown.
 */
static const struct runpod_gpu table[] = {
	{ "AMD Instinct MI300X OAM", "MI300X", "MI300X", 1000, 0, 0 },
	{ "NVIDIA A100 80GB PCIe", "A100-80GB", "A100-80GB", 1000, 8, 117 },
	{ "NVIDIA A100-SXM4-80GB", "A100-80GB-SXM", "A100-80GB", 1000, 16, 117 },
	{ "NVIDIA A30", "A30", "A30", 1000, 0, 0 },
	{ "NVIDIA A40", "A40", "A40", 1000, 9, 48 },
	{ "NVIDIA B200", "B200", "B200", 1000, 28, 180 },
	{ "NVIDIA B300 SXM6 AC", "B300", "B300", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 3070", "RTX3070", "RTX3070", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 3080", "RTX3080", "RTX3080", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 3080 Ti", "RTX3080Ti", "RTX3080TI", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 3090", "RTX3090", "RTX3090", 1000, 4, 25 },
	{ "NVIDIA GeForce RTX 3090 Ti", "RTX3090Ti", "RTX3090TI", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 4070 Ti", "RTX4070Ti", "RTX4070TI", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 4080", "RTX4080", "RTX4080", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 4080 SUPER", "RTX4080SUPER", "RTX4080SUPER", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 4090", "RTX4090", "RTX4090", 1000, 5, 29 },
	{ "NVIDIA GeForce RTX 5080", "RTX5080", "RTX5080", 1000, 0, 0 },
	{ "NVIDIA GeForce RTX 5090", "RTX5090", "RTX5090", 1000, 6, 46 },
	{ "NVIDIA H100 80GB HBM3", "H100-SXM", "H100", 1000, 20, 125 },
	{ "NVIDIA H100 NVL", "H100-NVL", "H100-NVL", 1000, 0, 0 },
	{ "NVIDIA H100 PCIe", "H100", "H100", 1000, 0, 0 },
	{ "NVIDIA H200", "H200-SXM", "H200", 1000, 12, 188 },
	{ "NVIDIA H200 NVL", "H200-NVL", "H200", 1000, 0, 0 },
	{ "NVIDIA L4", "L4", "L4", 1000, 8, 45 },
	{ "NVIDIA L40", "L40", "L40", 1000, 9, 125 },
	{ "NVIDIA L40S", "L40S", "L40S", 1000, 12, 62 },
	{ "NVIDIA RTX 2000 Ada Generation", "RTX2000-Ada", "RTX2000ADA", 1000, 6, 31 },
	{ "NVIDIA RTX 4000 Ada Generation", "RTX4000-Ada", "RTX4000ADA", 1000, 8, 47 },
	{ "NVIDIA RTX 4000 SFF Ada Generation", "RTX4000-Ada-SFF", "RTX4000ADA", 1000, 0, 0 },
	{ "NVIDIA RTX 5000 Ada Generation", "RTX5000-Ada", "RTX5000ADA", 1000, 0, 0 },
	{ "NVIDIA RTX 6000 Ada Generation", "RTX6000-Ada", "RTX6000ADA", 1000, 10, 62 },
	{ "NVIDIA RTX A2000", "RTXA2000", "RTXA2000", 1000, 0, 0 },
	{ "NVIDIA RTX A4000", "RTXA4000", "RTXA4000", 1000, 6, 35 },
	{ "NVIDIA RTX A4500", "RTXA4500", "RTXA4500", 1000, 0, 0 },
	{ "NVIDIA RTX A5000", "RTXA5000", "RTXA5000", 1000, 3, 25 },
	{ "NVIDIA RTX A6000", "RTXA6000", "RTXA6000", 1000, 8, 50 },
	{ "NVIDIA RTX PRO 4500 Blackwell", "RTXPRO4500", "RTXPRO4500", 1000, 32, 62 },
	{ "NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition", "RTXPRO6000-MaxQ",
	  "RTXPRO6000", 1000, 0, 0 },
	{ "NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTXPRO6000", "RTXPRO6000", 1000, 14,
	  125 },
	{ "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", "RTXPRO6000-MIG-24GB",
	  "RTXPRO6000", 250, 0, 0 },
	{ "NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 2g.48gb", "RTXPRO6000-MIG-48GB",
	  "RTXPRO6000", 500, 0, 0 },
	{ "NVIDIA RTX PRO 6000 Blackwell Workstation Edition", "RTXPRO6000-WK", "RTXPRO6000",
	  1000, 0, 0 },
	{ "Tesla T4", "T4", "T4", 1000, 0, 0 },
	{ "Tesla V100-FHHL-16GB", "V100-16GB-FHHL", "V100", 1000, 0, 0 },
	{ "Tesla V100-PCIE-16GB", "V100-16GB-PCIe", "V100", 1000, 0, 0 },
	{ "Tesla V100-PCIE-32GB", "V100-32GB-PCIe", "V100-32GB", 1000, 0, 0 },
	{ "Tesla V100-SXM2-16GB", "V100-16GB-SXM2", "V100", 1000, 0, 0 },
	{ "Tesla V100-SXM2-32GB", "V100-32GB-SXM2", "V100-32GB", 1000, 0, 0 },
};

const struct runpod_gpu *runpod_gpu_at(size_t i)
{
	return i < RUNPOD_ARRAY_SIZE(table) ? &table[i] : NULL;
}

const struct runpod_gpu *runpod_gpu_by_id(const char *id)
{
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].id, id) == 0)
			return &table[i];
	return NULL;
}

const struct runpod_gpu *runpod_gpu_by_name(const char *name)
{
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static const char *without_vendor(const char *name)
{
	static const char *const vendors[] = { "NVIDIA ", "AMD ", "Instinct ", "GeForce ", "Tesla " };
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(vendors); i++)
		if (strncmp(name, vendors[i], strlen(vendors[i])) == 0)
			name += strlen(vendors[i]);
	return name;
}

int runpod_gpu_name(const char *id, char name[RUNPOD_NAME_SIZE])
{
	const struct runpod_gpu *known = runpod_gpu_by_id(id);
	size_t n = 0, letters = 0;

	if (known)
		return snprintf(name, RUNPOD_NAME_SIZE, "%s", known->name) > 0;
	for (id = without_vendor(id); *id; id++) {
		if (n + 1 >= RUNPOD_NAME_SIZE)
			return 0;
		letters += isalnum((unsigned char)*id) != 0;
		if (isalnum((unsigned char)*id) || *id == '.')
			name[n++] = *id;
		else if (n && name[n - 1] != '-')
			name[n++] = '-';
	}
	while (n && name[n - 1] == '-')
		n--;
	name[n] = '\0';
	/* A new GPU must not pass for another one. */
	return letters && !runpod_gpu_by_name(name);
}

void runpod_accelerator(const char *display, char out[RUNPOD_NAME_SIZE])
{
	size_t n = 0;

	display = without_vendor(display);
	for (; *display && n + 1 < RUNPOD_NAME_SIZE; display++)
		if (isalnum((unsigned char)*display))
			out[n++] = (char)toupper((unsigned char)*display);
	out[n] = '\0';
}

/* ---- Instance types -------------------------------------------------------------------------- */

static const char *const cloud_names[RUNPOD_CLOUDS] = { "SECURE", "COMMUNITY" };

const char *runpod_cloud_name(enum runpod_cloud cloud)
{
	return cloud_names[cloud];
}

void runpod_type_gpu(char out[RUNPOD_TYPE_SIZE], uint32_t gpus, const char *gpu,
		     enum runpod_cloud cloud)
{
	(void)snprintf(out, RUNPOD_TYPE_SIZE, "%ux_%s_%s", (unsigned)gpus, gpu, cloud_names[cloud]);
}

void runpod_type_cpu(char out[RUNPOD_TYPE_SIZE], const char *flavor, uint32_t vcpus,
		     uint64_t memory_milli_gib)
{
	unsigned whole = (unsigned)(memory_milli_gib / 1000);
	unsigned rest = (unsigned)(memory_milli_gib % 1000);
	size_t n;

	if (!rest) {
		(void)snprintf(out, RUNPOD_TYPE_SIZE, "%s-%u-%u", flavor, (unsigned)vcpus, whole);
		return;
	}
	(void)snprintf(out, RUNPOD_TYPE_SIZE, "%s-%u-%u.%03u", flavor, (unsigned)vcpus, whole,
		       rest);
	for (n = strlen(out); out[n - 1] == '0'; n--)
		out[n - 1] = '\0';
}

int runpod_flavor_of(const char *id, char flavor[RUNPOD_NAME_SIZE])
{
	size_t n = strcspn(id, "-");
	size_t i;

	if (!n || n >= RUNPOD_NAME_SIZE || strncmp(id, "cpu", 3) != 0)
		return 0;
	for (i = 0; i < n; i++)
		if (!isalnum((unsigned char)id[i]))
			return 0;
	if (strspn(id + n, "0123456789.-") != strlen(id + n))
		return 0;
	(void)snprintf(flavor, RUNPOD_NAME_SIZE, "%.*s", (int)n, id);
	return 1;
}

/* A number of 1 to 4 digits; *end is behind it. 0 if there is none. */
static uint32_t number(const char *text, const char **end)
{
	uint32_t value = 0;
	int digits = 0;

	for (; isdigit((unsigned char)*text) && digits < 4; text++, digits++)
		value = value * 10 + (uint32_t)(*text - '0');
	*end = text;
	return value;
}

static int parse_cpu(const char *name, struct runpod_type *out)
{
	const char *dash = strchr(name, '-');
	const char *end;

	if (!dash || !runpod_flavor_of(name, out->flavor))
		return 0;
	out->vcpus = number(dash + 1, &end);
	return out->vcpus && *end == '-' && isdigit((unsigned char)end[1]);
}

int runpod_type_parse(const char *name, struct runpod_type *out)
{
	const char *gpu, *cloud;

	memset(out, 0, sizeof(*out));
	if (strncmp(name, "cpu", 3) == 0)
		return parse_cpu(name, out);
	out->gpus = number(name, &gpu);
	cloud = strrchr(name, '_');
	if (!out->gpus || out->gpus > RUNPOD_MAX_GPUS || strncmp(gpu, "x_", 2) != 0)
		return 0;
	gpu += 2;
	if (!cloud || cloud <= gpu || cloud - gpu >= RUNPOD_NAME_SIZE)
		return 0;
	(void)snprintf(out->gpu, sizeof(out->gpu), "%.*s", (int)(cloud - gpu), gpu);
	for (out->cloud = RUNPOD_SECURE; out->cloud < RUNPOD_CLOUDS; out->cloud++)
		if (strcmp(cloud + 1, cloud_names[out->cloud]) == 0)
			return 1;
	return 0;
}

uint64_t runpod_disk_gb(const struct souk_instance_spec *spec, const struct runpod_type *type)
{
	if (spec->disk_size_mib)
		return spec->disk_size_mib / 1024 + (spec->disk_size_mib % 1024 != 0);
	return type->gpus ? RUNPOD_DISK_GB_GPU : RUNPOD_DISK_GB_CPU;
}

/* ---- Places ---------------------------------------------------------------------------------- */

/* In ids like "EUR-IS-1" the first part is a continent and the second the country; in those like
 * "US-TX-3" the first is the country. */
static int is_continent(const char *part, size_t len)
{
	static const char *const continents[] = { "EU",	 "EUR", "AP",  "APAC", "OC", "SEA", "AS",
						  "ASIA", "ME",	 "MEA", "AF",   "AFR", "SA", "SAM",
						  "NA",	 "LATAM", "EMEA" };
	size_t i;

	for (i = 0; i < RUNPOD_ARRAY_SIZE(continents); i++)
		if (strlen(continents[i]) == len && strncmp(part, continents[i], len) == 0)
			return 1;
	return 0;
}

int runpod_country(const char *data_center, char country[RUNPOD_NAME_SIZE])
{
	const char *part = data_center;
	size_t len = strcspn(part, "-");
	size_t i;

	for (i = 0; data_center[i]; i++)
		if ((!isalnum((unsigned char)data_center[i]) && data_center[i] != '-') ||
		    i + 1 >= RUNPOD_NAME_SIZE)
			return 0;
	if (part[len] == '-' && is_continent(part, len)) {
		const char *second = part + len + 1;
		size_t n = strcspn(second, "-");

		if (n == 2) {
			part = second;
			len = n;
		}
	}
	if (!len)
		return 0;
	(void)snprintf(country, RUNPOD_NAME_SIZE, "%.*s", (int)len, part);
	return 1;
}
