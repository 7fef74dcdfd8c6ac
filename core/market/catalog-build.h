/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-build.h - a catalogue in the making: what the files that make one share */
#ifndef SOUK_MARKET_CATALOG_BUILD_H
#define SOUK_MARKET_CATALOG_BUILD_H

#include "market/catalog-file.h"
#include "market/catalog-pool.h"

/* The key of a type; a record of a pool, so without padding. */
struct catalog_type_key {
	uint64_t memory_mib;
	uint64_t local_disk_mib;
	uint32_t name;		/* texts of the pool */
	uint32_t arch;
	uint32_t accelerator;	/* CATALOG_NONE: none */
	uint32_t accelerator_milli;
	uint32_t accelerator_memory_mib;
	uint32_t vcpus_milli;
	uint32_t flags;
	uint32_t reserved;
};

struct catalog_place_key {
	uint32_t region;
	uint32_t zone;		/* CATALOG_NONE: none */
	char currency[4];
};

struct catalog_build_row {
	int64_t micros;
	int64_t spot_micros;
	uint32_t type;
	uint32_t place;
	int32_t available;
	uint32_t marks;
};

/* What is known of a type beside its key once its rows are. */
struct catalog_build_type {
	uint32_t key;		/* in the pool of types */
	uint32_t first_row, n_rows;
	int64_t lowest, lowest_spot;
	int64_t median, median_spot;
};

struct catalog_build {
	struct souk_text_pool texts;
	struct souk_record_pool types;
	struct souk_record_pool places;
	uint32_t *accelerators;	/* of each text that names an accelerator, the canonical one */
	struct catalog_build_row *rows;
	uint32_t n_rows;
	struct catalog_build_type *sorted; /* the types in the file's order */
	uint32_t *place_rank;	/* of the places, for ordering rows */
	char currency[4];	/* of the lowest prices and the medians of types */
};

static inline const struct catalog_type_key *catalog_build_key(const struct catalog_build *build,
								uint32_t key)
{
	return souk_record_pool_get(&build->types, key);
}

static inline const struct catalog_place_key *catalog_build_place(const struct catalog_build *build,
								  uint32_t place)
{
	return souk_record_pool_get(&build->places, place);
}

/* catalog-image.c: may this be a text of a catalogue? INVALID with 'what' before the reason. */
int souk_catalog_check_text(const char *what, const char *text, size_t len, struct souk_error *err);

/* catalog-price.c: mark the rows of a type, and find its lowest prices and medians. 'scratch' has
 * room for as many numbers as the type has rows. */
void souk_catalog_price_type(const struct catalog_build *build, struct catalog_build_type *type,
			     int64_t *scratch);

/* catalog-layout.c: the bytes of a file. */
int souk_catalog_layout(const struct catalog_build *build, const struct souk_catalog_origin *origin,
			int64_t made_at, void **image_out, size_t *size_out,
			struct souk_error *err);

#endif
