/* SPDX-License-Identifier: Apache-2.0 */
/* offers-filter.c - which offers 'souk offers' is to show */
#include <string.h>
#include <strings.h>

#include "base/error.h"
#include "base/money.h"
#include "base/pattern.h"
#include "market/accelerator.h"
#include "offers-internal.h"

/* "*" restricts nothing. */
static const char *pattern(const char *text)
{
	return text && strcmp(text, "*") == 0 ? NULL : text;
}

static int parse_infra(struct offers_filter *filter, const char *infra, struct souk_error *err)
{
	int ret = souk_strv_split(&filter->infra, infra, '/', err);

	if (ret < 0)
		return ret;
	if (filter->infra.n == 0 || filter->infra.n > 3)
		return souk_error_set(err, SOUK_E_INVALID,
				      "infra: not PROVIDER[/REGION[/ZONE]]: '%.200s'", infra);
	filter->provider = pattern(filter->infra.items[0]);
	if (filter->infra.n > 1)
		filter->regions[1] = pattern(filter->infra.items[1]);
	if (filter->infra.n > 2)
		filter->zone = pattern(filter->infra.items[2]);
	return SOUK_OK;
}

int offers_filter_init(struct offers_filter *filter, const struct souk_offer_filter *given,
		       struct souk_error *err)
{
	int ret = SOUK_OK;

	*filter = (struct offers_filter){
		.given = given,
		.max_micros = -1,
		.by_spot = given->spot || given->sort == SOUK_SORT_SPOT,
		.depth = given->zones ? 2 : given->all_regions ? 1 : 0,
		.instance_type = pattern(given->instance_type),
		.regions = { pattern(given->region), NULL },
	};
	if (given->infra)
		ret = parse_infra(filter, given->infra, err);
	if (ret == SOUK_OK && given->accelerator) {
		ret = souk_parse_accelerator(given->accelerator, &filter->accelerator, err);
		/* In a memory form a colon can also stand behind the maker. */
		filter->counted = ret == SOUK_OK && strchr(given->accelerator, ':') &&
				  (filter->accelerator.memory_mib == 0 ||
				   filter->accelerator.milli != 1000 ||
				   strcmp(strrchr(given->accelerator, ':'), ":1") == 0);
	}
	if (ret == SOUK_OK && given->cpus)
		ret = souk_parse_amount_cpus(given->cpus, &filter->cpus, err);
	if (ret == SOUK_OK && given->memory)
		ret = souk_parse_amount_memory(given->memory, &filter->memory, err);
	if (ret == SOUK_OK && given->max_price)
		ret = souk_parse_micros("max-price", given->max_price, &filter->max_micros, err);
	return ret;
}

void offers_filter_fini(struct offers_filter *filter)
{
	souk_strv_fini(&filter->infra);
	souk_accelerator_fini(&filter->accelerator);
}

int offers_filter_is_plain(const struct offers_filter *filter)
{
	return !filter->regions[0] && !filter->regions[1] && !filter->zone &&
	       !filter->instance_type && !filter->given->arch && !filter->counted &&
	       filter->cpus.value == 0 && filter->memory.value == 0 && filter->max_micros < 0;
}

/* Vendors name memory in round GB that their drivers report some percent off. */
static int memory_is(uint64_t mib, uint64_t wanted_mib, int at_least)
{
	uint64_t slack = wanted_mib / 20;

	return mib + slack >= wanted_mib && (at_least || mib <= wanted_mib + slack);
}

int offers_filter_accelerator(const struct offers_filter *filter, const char *name,
			      uint32_t memory_mib)
{
	const struct souk_accelerator *wanted = &filter->accelerator;
	const struct souk_accelerator_info *info;

	if (!filter->given->accelerator)
		return 1;
	if (wanted->memory_mib == 0)
		return strcasecmp(name, souk_accelerator_canonical(wanted->name)) == 0;
	info = souk_accelerator_find(name);
	if (wanted->maker && (!info || strcasecmp(info->maker, wanted->maker) != 0))
		return 0;
	return memory_is(info ? (uint64_t)info->memory_gib * 1024 : memory_mib, wanted->memory_mib,
			 wanted->memory_at_least);
}

static int amount_is(uint64_t have, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	return wanted->at_least ? have >= wanted->value : have == wanted->value;
}

/* "16" is a whole machine of 16 GiB; some clouds sell 15.5 for it. */
static int memory_amount_is(uint64_t have_mib, const struct souk_amount *wanted)
{
	if (wanted->value == 0)
		return 1;
	if (wanted->at_least)
		return have_mib >= wanted->value;
	return have_mib + 512 > wanted->value && have_mib < wanted->value + 512;
}

int offers_filter_type(const struct offers_filter *filter, const struct souk_catalog_type *type)
{
	if (filter->instance_type && !souk_pattern_matches(filter->instance_type, type->name))
		return 0;
	if (filter->given->arch && strcasecmp(filter->given->arch, type->arch) != 0)
		return 0;
	if (filter->given->accelerator && !type->accelerator)
		return 0;
	if (filter->counted && type->accelerator_milli != filter->accelerator.milli)
		return 0;
	return amount_is(type->vcpus_milli, &filter->cpus) &&
	       memory_amount_is(type->memory_mib, &filter->memory);
}

int offers_filter_place(const struct offers_filter *filter, const char *region, const char *zone)
{
	int i;

	for (i = 0; i < 2; i++)
		if (filter->regions[i] && !souk_pattern_matches(filter->regions[i], region))
			return 0;
	return !filter->zone || (zone && souk_pattern_matches(filter->zone, zone));
}

static int64_t price_of(const struct offers_filter *filter, const struct souk_catalog_row *row)
{
	return filter->by_spot ? row->spot_micros : row->micros;
}

static int is_dollar(const struct souk_catalog_row *row)
{
	return strcmp(row->currency, "USD") == 0;
}

enum offers_class offers_class_of(const struct offers_filter *filter,
				  const struct souk_catalog_row *row)
{
	if (price_of(filter, row) < 0)
		return OFFERS_UNSOLD;
	if (row->marks & (filter->by_spot ? SOUK_MARKS_SPOT : SOUK_MARKS_ON_DEMAND))
		return OFFERS_MARKED;
	return is_dollar(row) ? OFFERS_GOOD : OFFERS_FOREIGN;
}

int offers_filter_row(const struct offers_filter *filter, const struct souk_catalog_row *row)
{
	if (!offers_filter_place(filter, row->region, row->zone))
		return 0;
	if (filter->given->spot && row->spot_micros < 0)
		return 0;
	if (filter->max_micros < 0)
		return 1;
	/* What is in another currency cannot be compared with dollars. */
	return price_of(filter, row) >= 0 && price_of(filter, row) <= filter->max_micros &&
	       is_dollar(row);
}
