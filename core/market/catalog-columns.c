/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-columns.c - what the fields of a table of offers say */
#include "market/catalog-columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "market/catalog-build.h"
#include "market/catalog-format.h"

/* Our names, and those that SkyPilot's catalogues have; all are read without regard to case. */
static const struct {
	const char *name, *other;
} names[CATALOG_N_COLUMNS] = {
	[COLUMN_PROVIDER] = { "provider", "cloud" },
	[COLUMN_REGION] = { "region", NULL },
	[COLUMN_ZONE] = { "zone", "AvailabilityZone" },
	[COLUMN_INSTANCE_TYPE] = { "instance_type", "InstanceType" },
	[COLUMN_ARCH] = { "arch", NULL },
	[COLUMN_VCPUS] = { "vcpus", NULL },
	[COLUMN_MEMORY] = { "memory_gib", "MemoryGiB" },
	[COLUMN_GPU_NAME] = { "gpu_name", "AcceleratorName" },
	[COLUMN_GPU_COUNT] = { "gpu_count", "AcceleratorCount" },
	[COLUMN_GPU_MEMORY] = { "gpu_memory_gib", NULL },
	[COLUMN_GPU_INFO] = { "GpuInfo", NULL },
	[COLUMN_PRICE] = { "price_usd_hour", "Price" },
	[COLUMN_SPOT_PRICE] = { "spot_price_usd_hour", "SpotPrice" },
	[COLUMN_LOCAL_DISK] = { "local_disk_gib", NULL },
	[COLUMN_FLAGS] = { "flags", NULL },
	[COLUMN_CURRENCY] = { "currency", NULL },
	[COLUMN_AVAILABLE] = { "available", NULL },
};

#define MIB_MAX (UINT64_C(1) << 40)
#define MICROS_MAX (UINT64_C(1) << 60)

/* ---- The header ---- */

static int column_of(const char *field)
{
	int i;

	for (i = 0; i < CATALOG_N_COLUMNS; i++)
		if (souk_catalog_casecmp(field, names[i].name) == 0 ||
		    (names[i].other && souk_catalog_casecmp(field, names[i].other) == 0))
			return i;
	return -1;
}

static int lacks(const struct catalog_columns *columns, enum catalog_column column,
		 struct souk_error *err)
{
	if (columns->field[column] >= 0)
		return 0;
	souk_error_set(err, SOUK_E_INVALID, "no column '%s' (or '%s') in the header",
		       names[column].name, names[column].other);
	return 1;
}

int souk_catalog_columns_read(char *const *fields, int n, struct catalog_columns *columns_out,
			      struct souk_error *err)
{
	struct catalog_columns columns = { .n_fields = n };
	int i, column;

	for (i = 0; i < CATALOG_N_COLUMNS; i++)
		columns.field[i] = -1;
	for (i = 0; i < n; i++) {
		column = column_of(fields[i]);
		if (column < 0)
			continue;
		if (columns.field[column] >= 0)
			return souk_error_set(err, SOUK_E_INVALID, "two columns '%s' in the header",
					      names[column].name);
		columns.field[column] = i;
	}
	if (lacks(&columns, COLUMN_INSTANCE_TYPE, err))
		return SOUK_E_INVALID;
	if (columns.field[COLUMN_SPOT_PRICE] < 0 && lacks(&columns, COLUMN_PRICE, err))
		return SOUK_E_INVALID;
	*columns_out = columns;
	return SOUK_OK;
}

/* ---- Fields ---- */

static int parse(enum catalog_column column, const char *text, unsigned places, uint64_t max,
		 uint64_t *value_out, struct souk_error *err)
{
	*value_out = 0;
	return text[0] ? souk_parse_decimal(names[column].name, text, places, max, value_out, err)
		       : SOUK_OK;
}

static int parse_milli(enum catalog_column column, const char *text, uint32_t *milli_out,
		       struct souk_error *err)
{
	uint64_t value;
	int ret = parse(column, text, 3, UINT32_MAX, &value, err);

	*milli_out = (uint32_t)value;
	return ret;
}

static int parse_gib(enum catalog_column column, const char *text, uint64_t max, uint64_t *mib_out,
		     struct souk_error *err)
{
	uint64_t millionths = 0;
	int ret = parse(column, text, 6, max / 1024 * 1000000, &millionths, err);

	*mib_out = (millionths * 128 + 62500) / 125000;
	return ret;
}

static int parse_price(enum catalog_column column, const char *text, int64_t *micros_out,
		       struct souk_error *err)
{
	uint64_t value;
	int ret = parse(column, text, 6, MICROS_MAX, &value, err);

	*micros_out = text[0] ? (int64_t)value : -1;
	return ret;
}

static int parse_arch(const char *text, const char **arch_out, struct souk_error *err)
{
	/* A machine of which somebody says i386 first runs x86_64 too: no cloud has others. */
	static const struct {
		const char *name, *arch;
	} known[] = {
		{ "", "x86_64" },	{ "x86_64", "x86_64" }, { "amd64", "x86_64" },
		{ "x64", "x86_64" },	{ "i386", "x86_64" },	{ "arm64", "arm64" },
		{ "aarch64", "arm64" },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(known); i++)
		if (souk_catalog_casecmp(text, known[i].name) == 0) {
			*arch_out = known[i].arch;
			return SOUK_OK;
		}
	return souk_error_set(err, SOUK_E_INVALID, "arch: neither x86_64 nor arm64: '%.60s'", text);
}

static int parse_flags(const char *text, uint32_t *flags_out, struct souk_error *err)
{
	static const struct {
		const char *name;
		uint32_t flag;
	} known[] = { { "free", SOUK_OFFER_FREE }, { "burstable", SOUK_OFFER_BURSTABLE } };
	size_t i, len;

	for (text += strspn(text, " |;"); *text; text += len, text += strspn(text, " |;")) {
		len = strcspn(text, " |;");
		for (i = 0; i < SOUK_ARRAY_SIZE(known); i++)
			if (strlen(known[i].name) == len && strncmp(known[i].name, text, len) == 0)
				break;
		if (i == SOUK_ARRAY_SIZE(known))
			return souk_error_set(err, SOUK_E_INVALID,
					      "flags: neither 'free' nor 'burstable': '%.60s'",
					      text);
		*flags_out |= known[i].flag;
	}
	return SOUK_OK;
}

static int parse_currency(const char *text, char currency_out[4], struct souk_error *err)
{
	if (!text[0])
		text = "USD";
	if (strlen(text) != 3 || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
		return souk_error_set(err, SOUK_E_INVALID,
				      "currency: not three capital letters: '%.60s'", text);
	memcpy(currency_out, text, 4);
	return SOUK_OK;
}

static int parse_available(const char *text, int32_t *available_out, struct souk_error *err)
{
	uint64_t value;
	int ret = parse(COLUMN_AVAILABLE, text, 0, INT32_MAX, &value, err);

	*available_out = text[0] ? (int32_t)value : -1;
	return ret;
}

/* ---- Accelerators ---- */

/* The number behind 'key': in a text that is a Python dictionary. 0: there is no such key. */
static int info_number(const char *info, const char *key, uint64_t *value_out,
		       struct souk_error *err)
{
	const char *at = strstr(info, key);
	char number[32];
	size_t len;

	*value_out = 0;
	if (!at)
		return 0;
	at += strlen(key);
	at += strspn(at, "'\" :");
	len = strspn(at, "0123456789.eE+");
	if (len == 0 || len >= sizeof(number))
		return souk_error_set(err, SOUK_E_INVALID, "GpuInfo: %s has no number: '%.60s'",
				      key, info);
	memcpy(number, at, len);
	number[len] = '\0';
	if (souk_parse_decimal("GpuInfo", number, 0, UINT32_MAX, value_out, err) < 0)
		return SOUK_E_INVALID;
	return 1;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/*
 * The memory of one device. Some tables have that of all of them under SizeInMiB, and say so by
 * giving the same number as the total; others give that of one as the total. Of the two the one
 * is taken that is nearer to what the device is known to have, if it is known.
 */
static int info_memory(const char *info, const struct souk_offer *offer, uint64_t *mib_out,
		       struct souk_error *err)
{
	const struct souk_accelerator_info *known;
	uint64_t size, total, of_one;
	int has_size = info_number(info, "SizeInMiB", &size, err);
	int has_total = has_size < 0 ? has_size
				     : info_number(info, "TotalGpuMemoryInMiB", &total, err);

	*mib_out = 0;
	if (has_total < 0)
		return SOUK_E_INVALID;
	if (!has_size || offer->accelerator_milli == 0)
		return SOUK_OK;
	*mib_out = size;
	if (!has_total || size != total || offer->accelerator_milli <= 1000)
		return SOUK_OK;
	known = souk_accelerator_find(offer->accelerator);
	of_one = size * 1000 / offer->accelerator_milli;
	if (!known || known->memory_gib == 0)
		*mib_out = 0;
	else if (distance(of_one, known->memory_gib * UINT64_C(1024)) <
		 distance(size, known->memory_gib * UINT64_C(1024)))
		*mib_out = of_one;
	return SOUK_OK;
}

static int parse_accelerator(const struct catalog_columns *columns, char *const *fields,
			     struct souk_offer *offer, struct souk_error *err)
{
	const char *name = souk_catalog_column(columns, fields, COLUMN_GPU_NAME);
	const char *memory = souk_catalog_column(columns, fields, COLUMN_GPU_MEMORY);
	const char *info = souk_catalog_column(columns, fields, COLUMN_GPU_INFO);
	uint64_t mib;
	int ret;

	ret = parse_milli(COLUMN_GPU_COUNT, souk_catalog_column(columns, fields, COLUMN_GPU_COUNT),
			  &offer->accelerator_milli, err);
	if (ret < 0)
		return ret;
	if (!name[0] && offer->accelerator_milli > 0)
		return souk_error_set(err, SOUK_E_INVALID, "gpu_count without gpu_name");
	if (name[0] && offer->accelerator_milli == 0)
		return souk_error_set(err, SOUK_E_INVALID, "gpu_name without gpu_count");
	offer->accelerator = name[0] ? name : NULL;
	ret = parse_gib(COLUMN_GPU_MEMORY, memory, UINT32_MAX, &mib, err);
	if (ret == SOUK_OK && !memory[0] && name[0])
		ret = info_memory(info, offer, &mib, err);
	if (ret == SOUK_OK)
		offer->accelerator_memory_mib = (uint32_t)mib;
	return ret;
}

/* ---- The offer ---- */

static int check_texts(const struct catalog_columns *columns, char *const *fields,
		       struct souk_error *err)
{
	static const enum catalog_column texts[] = { COLUMN_REGION, COLUMN_ZONE,
						     COLUMN_INSTANCE_TYPE, COLUMN_GPU_NAME };
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < SOUK_ARRAY_SIZE(texts) && ret == SOUK_OK; i++) {
		const char *text = souk_catalog_column(columns, fields, texts[i]);

		ret = souk_catalog_check_text(names[texts[i]].name, text, strlen(text), err);
	}
	return ret;
}

static int parse_size(const struct catalog_columns *columns, char *const *fields,
		      struct souk_offer *offer, struct souk_error *err)
{
	int ret;

	ret = parse_milli(COLUMN_VCPUS, souk_catalog_column(columns, fields, COLUMN_VCPUS),
			  &offer->vcpus_milli, err);
	if (ret == SOUK_OK)
		ret = parse_gib(COLUMN_MEMORY, souk_catalog_column(columns, fields, COLUMN_MEMORY),
				MIB_MAX, &offer->memory_mib, err);
	if (ret == SOUK_OK)
		ret = parse_gib(COLUMN_LOCAL_DISK,
				souk_catalog_column(columns, fields, COLUMN_LOCAL_DISK), MIB_MAX,
				&offer->local_disk_mib, err);
	return ret;
}

static int parse_prices(const struct catalog_columns *columns, char *const *fields,
			struct souk_offer *offer, struct souk_error *err)
{
	int ret;

	ret = parse_price(COLUMN_PRICE, souk_catalog_column(columns, fields, COLUMN_PRICE),
			  &offer->micros_per_hour, err);
	if (ret == SOUK_OK)
		ret = parse_price(COLUMN_SPOT_PRICE,
				  souk_catalog_column(columns, fields, COLUMN_SPOT_PRICE),
				  &offer->spot_micros_per_hour, err);
	if (ret == SOUK_OK)
		ret = parse_currency(souk_catalog_column(columns, fields, COLUMN_CURRENCY),
				     offer->currency, err);
	return ret;
}

int souk_catalog_columns_offer(const struct catalog_columns *columns, char *const *fields,
			       struct souk_offer *offer_out, struct souk_error *err)
{
	struct souk_offer offer = { SOUK_OFFER_HEAD };
	const char *region = souk_catalog_column(columns, fields, COLUMN_REGION);
	const char *zone = souk_catalog_column(columns, fields, COLUMN_ZONE);
	int ret;

	offer.instance_type = souk_catalog_column(columns, fields, COLUMN_INSTANCE_TYPE);
	if (!offer.instance_type[0])
		return souk_error_set(err, SOUK_E_INVALID, "no instance_type");
	/* A price list that has one price for all regions, or none: docs/catalog-format.md. */
	offer.region = region[0] ? region : "any";
	offer.zone = zone[0] ? zone : NULL;
	ret = check_texts(columns, fields, err);
	if (ret == SOUK_OK)
		ret = parse_arch(souk_catalog_column(columns, fields, COLUMN_ARCH), &offer.arch,
				 err);
	if (ret == SOUK_OK)
		ret = parse_size(columns, fields, &offer, err);
	if (ret == SOUK_OK)
		ret = parse_accelerator(columns, fields, &offer, err);
	if (ret == SOUK_OK)
		ret = parse_prices(columns, fields, &offer, err);
	if (ret == SOUK_OK)
		ret = parse_flags(souk_catalog_column(columns, fields, COLUMN_FLAGS), &offer.flags,
				  err);
	if (ret == SOUK_OK)
		ret = parse_available(souk_catalog_column(columns, fields, COLUMN_AVAILABLE),
				      &offer.available, err);
	if (ret == SOUK_OK)
		*offer_out = offer;
	return ret;
}
