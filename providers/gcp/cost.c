/* SPDX-License-Identifier: Apache-2.0 */
/* cost.c - the price of a machine: its vCPUs, memory, GPUs and local disks, each by its rate */

#include <string.h>

#include "market.h"

/* Months are 730 hours to Google. */
enum { MONTH_HOURS = 730 };

#define PICOS_PER_MICRO 1000000

/* nanos x amount / unit, in millionths of a millionth (picos), rounded. Wide enough for all that a
 * price list can say. */
static int64_t picos(int64_t nanos, uint64_t amount, uint64_t unit)
{
	__int128 value = (__int128)nanos * (__int128)amount * 1000;

	value = (value + unit / 2) / unit;
	return value > INT64_MAX / 8 ? INT64_MAX / 8 : (int64_t)value;
}

static int64_t to_micros(int64_t value)
{
	return (value + PICOS_PER_MICRO / 2) / PICOS_PER_MICRO;
}

int64_t gcp_storage_micros(int64_t nanos_per_month, uint64_t mib)
{
	return to_micros(picos(nanos_per_month, mib, 1024 * MONTH_HOURS));
}

/* ---- The parts; each returns 1 and its picos, or 0 if there is no price ---- */

struct parts {
	int64_t cores, memory, gpus, local_ssd;
};

static int cost_of_rate(const struct gcp_prices *prices, enum gcp_rate_kind kind,
			enum gcp_rate_kind premium, const char *family, const char *region,
			int spot, uint64_t amount, uint64_t unit, int64_t *out)
{
	/* M2 has the rates of M1 and a premium. */
	int is_m2 = strcmp(family, "m2") == 0;
	int64_t nanos;
	int64_t more = 0;

	if (!gcp_prices_find(prices, kind, is_m2 ? "m1" : family, region, spot, &nanos))
		return 0;
	if (is_m2 && !gcp_prices_find(prices, premium, family, region, spot, &more))
		return 0;
	*out = picos(nanos + more, amount, unit);
	return 1;
}

static int cost_of_ssd(const struct gcp_prices *prices, const char *family, const char *region,
		       int spot, uint64_t gib, int64_t *out)
{
	int64_t nanos;

	*out = 0;
	if (!gib)
		return 1;
	/* A family that has a rate of its own anywhere is nowhere billed by the common one. */
	if (!gcp_prices_have(prices, GCP_RATE_LOCAL_SSD, family))
		family = "";
	if (!gcp_prices_find(prices, GCP_RATE_LOCAL_SSD, family, region, spot, &nanos))
		return 0;
	*out = picos(nanos, gib, MONTH_HOURS);
	return 1;
}

static int cost_of_gpus(const struct gcp_prices *prices, const struct gcp_machine *machine,
			int spot, int64_t *out)
{
	int64_t nanos;

	*out = 0;
	if (!machine->gpu_milli)
		return 1;
	if (!gcp_prices_find(prices, GCP_RATE_GPU, machine->gpu, machine->region, spot, &nanos))
		return 0;
	*out = picos(nanos, machine->gpu_milli, 1000);
	return 1;
}

/* Types of one price: a whole machine, or GPUs that have the machine in theirs. 1 if it is one. */
static int cost_of_whole(const struct gcp_prices *prices, const struct gcp_machine *machine,
			 const char *family, int spot, struct parts *out, const char **missing)
{
	const char *name = machine->type->name;
	int64_t nanos;

	if (gcp_prices_have(prices, GCP_RATE_WHOLE, name)) {
		*missing = "the machine";
		if (gcp_prices_find(prices, GCP_RATE_WHOLE, name, machine->region, spot, &nanos)) {
			out->cores = picos(nanos, 1, 1);
			*missing = NULL;
		}
		return 1;
	}
	if (!gcp_prices_have(prices, GCP_RATE_SLICE, family))
		return 0;
	*missing = "the GPUs";
	if (machine->gpu_milli &&
	    gcp_prices_find(prices, GCP_RATE_SLICE, family, machine->region, spot, &nanos)) {
		out->gpus = picos(nanos, machine->gpu_milli, 1000);
		*missing = NULL;
	}
	return 1;
}

static const char *cost_of_parts(const struct gcp_prices *prices,
				 const struct gcp_machine *machine, const char *family, int spot,
				 struct parts *out)
{
	const struct gcp_type *type = machine->type;
	uint32_t milli = gcp_billed_milli(type);
	uint64_t gib;

	if (!milli || !cost_of_rate(prices, GCP_RATE_CORE, GCP_RATE_CORE_PREMIUM, family,
				    machine->region, spot, milli, 1000, &out->cores))
		return "the vCPUs";
	if (!cost_of_rate(prices, GCP_RATE_RAM, GCP_RATE_RAM_PREMIUM, family, machine->region,
			  spot, type->memory_mib, 1024, &out->memory))
		return "the memory";
	if (!cost_of_gpus(prices, machine, spot, &out->gpus))
		return "the GPUs";
	if (!gcp_local_ssd_gib(type, &gib) ||
	    !cost_of_ssd(prices, family, machine->region, spot, gib, &out->local_ssd))
		return "the local disks";
	return NULL;
}

int gcp_cost(const struct gcp_prices *prices, const struct gcp_machine *machine, int spot,
	     struct gcp_cost *out, const char **missing_out)
{
	struct parts parts = { 0 };
	const char *missing = NULL;
	char family[GCP_NAME_SIZE];

	gcp_family_of(machine->type->name, family);
	if (!family[0])
		missing = "such machines";
	else if (!cost_of_whole(prices, machine, family, spot, &parts, &missing))
		missing = cost_of_parts(prices, machine, family, spot, &parts);
	if (missing) {
		*missing_out = missing;
		return 0;
	}
	out->cores = to_micros(parts.cores);
	out->memory = to_micros(parts.memory);
	out->gpus = to_micros(parts.gpus);
	out->local_ssd = to_micros(parts.local_ssd);
	out->total = to_micros(parts.cores + parts.memory + parts.gpus + parts.local_ssd);
	return out->total > 0;
}
