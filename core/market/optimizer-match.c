/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer-match.c - does an offer satisfy a request: the rules of docs/market.md */
#include "market/optimizer-internal.h"

#include <string.h>
#include <strings.h>

#include "base/pattern.h"
#include "market/accelerator.h"

/* A task that says nothing about its machine gets this. */
#define DEFAULT_VCPUS_MILLI 8000u
#define DEFAULT_MIB_PER_VCPU 4096u

/* Vendors name memory in round GB that their drivers report some percent off. */
static int memory_is(uint64_t mib, uint64_t wanted_mib, int at_least)
{
	uint64_t slack = wanted_mib / 20;

	return mib + slack >= wanted_mib && (at_least || mib <= wanted_mib + slack);
}

int optimizer_wants_accelerator(const struct souk_request *request)
{
	return request->accelerator.name || request->accelerator.memory_mib > 0;
}

int optimizer_accelerator_is(const char *name, uint32_t memory_mib,
			     const struct souk_accelerator *wanted)
{
	const struct souk_accelerator_info *info;

	if (!name)
		return 0;
	if (wanted->memory_mib == 0)
		return strcasecmp(name, souk_accelerator_canonical(wanted->name)) == 0;
	info = souk_accelerator_find(name);
	if (wanted->maker && (!info || strcasecmp(info->maker, wanted->maker) != 0))
		return 0;
	return memory_is(info ? (uint64_t)info->memory_gib * 1024 : memory_mib, wanted->memory_mib,
			 wanted->memory_at_least);
}

/* Fractions are shared on a machine; to get one, whole devices are rented. */
static uint64_t whole_devices(uint32_t milli)
{
	return ((uint64_t)milli + 999) / 1000 * 1000;
}

static int amount_is(uint64_t have, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	return wanted->at_least ? have >= wanted->value : have == wanted->value;
}

/* Instance types come in whole GiB, "16" means 16 GiB; some clouds sell 15.5 for it. */
static int memory_amount_is(uint64_t have_mib, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	if (wanted->at_least)
		return have_mib >= wanted->value;
	return have_mib + 512 > wanted->value && have_mib < wanted->value + 512;
}

static int is_default_size(const struct souk_request *request)
{
	return request->cpus.value == 0 && request->memory.value == 0 && !request->instance_type &&
	       !optimizer_wants_accelerator(request);
}

uint32_t optimizer_least_cpus(const struct souk_request *request)
{
	/* A free machine need not have the default size, so that bounds nothing. */
	return request->cpus.value > UINT32_MAX ? UINT32_MAX : (uint32_t)request->cpus.value;
}

/*
 * Programs are mostly built for x86_64, and arm64 is the cheapest almost everywhere. So a machine
 * of another architecture is for those who name it, by its type or by its accelerator.
 */
static int is_foreign(const struct souk_catalog_type *type, const struct souk_request *request)
{
	return strcmp(type->arch, "x86_64") != 0 && !request->instance_type &&
	       !request->accelerator.name;
}

/* Rules 2 and 3. */
static enum souk_misfit match_accelerator(const struct souk_catalog_type *type,
					  const struct souk_request *request, int is_free)
{
	if (optimizer_wants_accelerator(request)) {
		if (!optimizer_accelerator_is(type->accelerator, type->accelerator_memory_mib,
					      &request->accelerator))
			return SOUK_MISFIT_ACCELERATOR;
		if (type->accelerator_milli != whole_devices(request->accelerator.milli))
			return SOUK_MISFIT_COUNT;
		return SOUK_FITS;
	}
	/* Nobody who asks for CPUs wants to pay for a GPU. */
	return type->accelerator && !request->instance_type && !is_free ? SOUK_MISFIT_ACCELERATOR :
									  SOUK_FITS;
}

/* Rules 5 and 6. */
static enum souk_misfit match_size(const struct souk_catalog_type *type,
				   const struct souk_request *request, int is_free)
{
	/* A machine of one's own is what it is: exact numbers are a lower bound there. */
	if (is_free) {
		if (type->vcpus_milli < request->cpus.value)
			return SOUK_MISFIT_CPUS;
		return type->memory_mib < request->memory.value ? SOUK_MISFIT_MEMORY : SOUK_FITS;
	}
	if (is_default_size(request)) {
		if (type->vcpus_milli < DEFAULT_VCPUS_MILLI)
			return SOUK_MISFIT_CPUS;
		if (type->memory_mib < (uint64_t)type->vcpus_milli * DEFAULT_MIB_PER_VCPU / 1000)
			return SOUK_MISFIT_MEMORY;
		return SOUK_FITS;
	}
	if (!amount_is(type->vcpus_milli, &request->cpus))
		return SOUK_MISFIT_CPUS;
	return memory_amount_is(type->memory_mib, &request->memory) ? SOUK_FITS : SOUK_MISFIT_MEMORY;
}

static int local_disk_is(const struct souk_catalog_type *type, const struct souk_local_disk *wanted)
{
	uint64_t have = type->local_disk_mib / 1024;

	if (!wanted->set)
		return 1;
	return have + 1 >= wanted->size_gib && (wanted->at_least || have <= wanted->size_gib + 1);
}

enum souk_misfit optimizer_match_type(const struct souk_catalog_type *type,
				      const struct souk_request *request)
{
	int is_free = (type->flags & SOUK_OFFER_FREE) != 0;
	enum souk_misfit misfit;

	if (request->instance_type && strcasecmp(request->instance_type, type->name) != 0)
		return SOUK_MISFIT_INSTANCE_TYPE;
	misfit = match_accelerator(type, request, is_free);
	if (misfit != SOUK_FITS)
		return misfit;
	if (!is_free && is_foreign(type, request))
		return SOUK_MISFIT_ARCH;
	misfit = match_size(type, request, is_free);
	if (misfit != SOUK_FITS)
		return misfit;
	return local_disk_is(type, &request->local_disk) ? SOUK_FITS : SOUK_MISFIT_LOCAL_DISK;
}

const char *optimizer_missing_feature(const struct souk_market_provider *provider,
				      const struct souk_task *task,
				      const struct souk_request *request, int is_free)
{
	uint64_t have = provider->features;

	if (task->num_nodes > 1 && !(have & SOUK_FEATURE_MULTI_NODE))
		return "several nodes";
	if (request->use_spot && !(have & SOUK_FEATURE_SPOT))
		return "spot machines";
	if ((request->image || request->images.n > 0) && !(have & SOUK_FEATURE_IMAGE))
		return "image_id";
	if (request->labels.n > 0 && !(have & SOUK_FEATURE_LABELS))
		return "labels";
	if (request->n_ports > 0 && !(have & SOUK_FEATURE_PORTS))
		return "ports";
	if (request->disk_size_gib > 0 && !(have & SOUK_FEATURE_DISK_SIZE))
		return "disk_size";
	if (request->disk_tier && !is_free && !(have & SOUK_FEATURE_DISK_TIER))
		return "disk_tier";
	if (request->autostop.enabled && !(have & SOUK_FEATURE_SELF_SHUTDOWN))
		return "autostop";
	if (request->autostop.enabled && !request->autostop.down && !provider->can_stop)
		return "autostop without 'down'";
	return NULL;
}

int64_t optimizer_price(const struct souk_catalog_row *row, int spot)
{
	return spot ? row->spot_micros : row->micros;
}

int optimizer_place_is(const struct souk_catalog_row *row, const struct souk_request *request)
{
	if (request->region && !souk_pattern_matches(request->region, row->region))
		return 0;
	return !request->zone || (row->zone && souk_pattern_matches(request->zone, row->zone));
}

enum souk_misfit optimizer_match_row(const struct souk_catalog_row *row,
				     const struct souk_request *request)
{
	int64_t price = optimizer_price(row, request->use_spot);

	if (!optimizer_place_is(row, request))
		return SOUK_MISFIT_PLACE;
	if (price < 0)
		return SOUK_MISFIT_MARKET;
	if (row->marks & (request->use_spot ? SOUK_MARKS_SPOT : SOUK_MARKS_ON_DEMAND))
		return SOUK_MISFIT_MARKED;
	if (request->max_hourly_micros > 0 &&
	    (price > request->max_hourly_micros || strcmp(row->currency, "USD") != 0))
		return SOUK_MISFIT_PRICE;
	return SOUK_FITS;
}

const struct souk_market_provider *optimizer_provider(const struct souk_plan_query *query,
						      const char *name)
{
	size_t i;

	for (i = 0; i < query->n_providers; i++)
		if (strcmp(query->providers[i].name, name) == 0)
			return &query->providers[i];
	return NULL;
}
