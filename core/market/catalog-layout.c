/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-layout.c - the bytes of a catalogue file, from its sorted types and rows */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "market/catalog-build.h"
#include "market/catalog-format.h"

#define PAGE_BYTES 4096

/* An accelerator: a run of types. */
struct accelerator {
	uint32_t name;		/* a text of the pool */
	uint32_t memory_mib;
	uint32_t first_type, n_types;
	uint32_t first_row, n_rows;
	uint32_t first_region, n_regions;
	int64_t micros, spot_micros;
};

struct layout {
	const struct catalog_build *build;
	uint32_t *string_at;	/* of the texts of the pool; 0: not placed yet */
	uint32_t *order;	/* the texts in the order of their places */
	uint32_t n_strings;
	size_t strings;		/* bytes */
	uint32_t *places;	/* in the order of their ranks */
	uint32_t *region_of;	/* of the places in that order, the region's number */
	uint32_t *regions;	/* texts */
	uint32_t n_regions;
	struct accelerator *accelerators;
	uint32_t n_accelerators;
	uint32_t *accelerator_regions;
	uint32_t n_accelerator_regions, room;
	uint32_t *seen;		/* by region: the last accelerator found there, plus one */
	uint32_t *names;	/* types by name */
	size_t offsets[CATALOG_N_SECTIONS];
	size_t sizes[CATALOG_N_SECTIONS];
	uint32_t n_blocks;
	size_t data, size;
	uint8_t *image;
};

static void layout_fini(struct layout *l)
{
	free(l->string_at);
	free(l->order);
	free(l->places);
	free(l->region_of);
	free(l->regions);
	free(l->accelerators);
	free(l->accelerator_regions);
	free(l->seen);
	free(l->names);
	free(l->image);
}

static int layout_init(struct layout *l, const struct catalog_build *build, struct souk_error *err)
{
	size_t texts = (size_t)build->texts.n + 1, places = (size_t)build->places.n + 1;
	size_t types = (size_t)build->types.n + 1;

	l->build = build;
	l->string_at = calloc(texts, sizeof(*l->string_at));
	l->order = calloc(texts, sizeof(*l->order));
	l->places = calloc(places, sizeof(*l->places));
	l->region_of = calloc(places, sizeof(*l->region_of));
	l->regions = calloc(places, sizeof(*l->regions));
	l->seen = calloc(places, sizeof(*l->seen));
	l->accelerators = calloc(types, sizeof(*l->accelerators));
	l->names = calloc(types, sizeof(*l->names));
	l->strings = 1;
	if (!l->string_at || !l->order || !l->places || !l->region_of || !l->regions || !l->seen ||
	    !l->accelerators || !l->names)
		return souk_error_nomem(err);
	return SOUK_OK;
}

/* ---- Places and regions ---- */

static void number_regions(struct layout *l)
{
	const struct catalog_build *build = l->build;
	uint32_t i;

	for (i = 0; i < build->places.n; i++)
		l->places[build->place_rank[i]] = i;
	for (i = 0; i < build->places.n; i++) {
		uint32_t region = catalog_build_place(build, l->places[i])->region;

		if (l->n_regions == 0 || l->regions[l->n_regions - 1] != region)
			l->regions[l->n_regions++] = region;
		l->region_of[i] = l->n_regions - 1;
	}
}

/* ---- Accelerators ---- */

static int by_number(const void *x, const void *y)
{
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;

	return a < b ? -1 : a > b;
}

/* The regions of an accelerator. */
static int add_regions(struct layout *l, uint32_t number, struct souk_error *err)
{
	const struct catalog_build *build = l->build;
	struct accelerator *a = &l->accelerators[number];
	uint32_t i;

	a->first_region = l->n_accelerator_regions;
	for (i = a->first_row; i < a->first_row + a->n_rows; i++) {
		uint32_t region = l->region_of[build->place_rank[build->rows[i].place]];
		uint32_t *moved;

		if (l->seen[region] == number + 1)
			continue;
		l->seen[region] = number + 1;
		if (l->n_accelerator_regions == l->room) {
			l->room = l->room ? l->room * 2 : 256;
			moved = realloc(l->accelerator_regions, l->room * sizeof(*moved));
			if (!moved)
				return souk_error_nomem(err);
			l->accelerator_regions = moved;
		}
		l->accelerator_regions[l->n_accelerator_regions++] = region;
	}
	a->n_regions = l->n_accelerator_regions - a->first_region;
	if (a->n_regions > 0)
		qsort(l->accelerator_regions + a->first_region, a->n_regions, sizeof(uint32_t),
		      by_number);
	return SOUK_OK;
}

static void lower(int64_t *lowest, int64_t price, uint32_t milli)
{
	if (price < 0)
		return;
	price = souk_money_scale(price, 1000, milli);
	if (*lowest < 0 || price < *lowest)
		*lowest = price;
}

static int find_accelerators(struct layout *l, struct souk_error *err)
{
	const struct catalog_build *build = l->build;
	struct accelerator *a = NULL;
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < build->types.n; i++) {
		const struct catalog_build_type *type = &build->sorted[i];
		const struct catalog_type_key *key = catalog_build_key(build, type->key);

		if (key->accelerator == CATALOG_NONE)
			break;
		if (!a || a->name != key->accelerator) {
			a = &l->accelerators[l->n_accelerators++];
			*a = (struct accelerator){
				.name = key->accelerator,
				.first_type = i,
				.first_row = type->first_row,
				.micros = -1,
				.spot_micros = -1,
			};
		}
		a->n_types++;
		a->n_rows += type->n_rows;
		if (key->accelerator_memory_mib > a->memory_mib)
			a->memory_mib = key->accelerator_memory_mib;
		lower(&a->micros, type->lowest, key->accelerator_milli);
		lower(&a->spot_micros, type->lowest_spot, key->accelerator_milli);
	}
	for (i = 0; i < l->n_accelerators && ret == SOUK_OK; i++)
		ret = add_regions(l, i, err);
	return ret;
}

/* ---- Names ---- */

static int by_name(const void *x, const void *y, void *arg)
{
	const struct catalog_build *build = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	int order = souk_catalog_casecmp(
		souk_text_pool_get(&build->texts,
				   catalog_build_key(build, build->sorted[a].key)->name),
		souk_text_pool_get(&build->texts,
				   catalog_build_key(build, build->sorted[b].key)->name));

	return order ? order : a < b ? -1 : a > b;
}

static void sort_names(struct layout *l)
{
	const struct catalog_build *build = l->build;
	uint32_t i;

	for (i = 0; i < build->types.n; i++)
		l->names[i] = i;
	qsort_r(l->names, build->types.n, sizeof(*l->names), by_name, (void *)(uintptr_t)build);
}

/* ---- Strings: those that many rows need first, then the types' names in the types' order ---- */

static void place_string(struct layout *l, uint32_t text)
{
	if (text == CATALOG_NONE || l->string_at[text] != 0)
		return;
	l->string_at[text] = (uint32_t)l->strings;
	l->order[l->n_strings++] = text;
	l->strings += strlen(souk_text_pool_get(&l->build->texts, text)) + 1;
}

static int place_strings(struct layout *l, struct souk_error *err)
{
	const struct catalog_build *build = l->build;
	uint32_t i;

	/* Everything is placed from here; more bytes than that cannot be numbered. */
	if (build->texts.size >= CATALOG_NONE - 1)
		return souk_error_set(err, SOUK_E_INVALID, "more text than a catalogue can hold");
	for (i = 0; i < l->n_regions; i++)
		place_string(l, l->regions[i]);
	for (i = 0; i < build->places.n; i++)
		place_string(l, catalog_build_place(build, l->places[i])->zone);
	for (i = 0; i < l->n_accelerators; i++)
		place_string(l, l->accelerators[i].name);
	for (i = 0; i < build->types.n; i++) {
		place_string(l, catalog_build_key(build, build->sorted[i].key)->arch);
		place_string(l, catalog_build_key(build, build->sorted[i].key)->name);
	}
	return SOUK_OK;
}

/* ---- Bytes ---- */

static size_t round_up(size_t size, size_t unit)
{
	return (size + unit - 1) / unit * unit;
}

static int allocate(struct layout *l, struct souk_error *err)
{
	const struct catalog_build *build = l->build;
	size_t at, i;

	l->sizes[CATALOG_STRINGS] = l->strings;
	l->sizes[CATALOG_REGIONS] = (size_t)l->n_regions * 4;
	l->sizes[CATALOG_ACCELERATORS] = (size_t)l->n_accelerators * CATALOG_ACCELERATOR_BYTES;
	l->sizes[CATALOG_ACCELERATOR_REGIONS] = (size_t)l->n_accelerator_regions * 4;
	l->sizes[CATALOG_PLACES] = (size_t)build->places.n * CATALOG_PLACE_BYTES;
	l->sizes[CATALOG_TYPES] = (size_t)build->types.n * CATALOG_TYPE_BYTES;
	l->sizes[CATALOG_NAMES] = (size_t)build->types.n * 4;
	l->sizes[CATALOG_ROWS] = (size_t)build->n_rows * CATALOG_ROW_BYTES;
	for (i = 0, at = 0; i < CATALOG_N_SECTIONS; i++) {
		l->offsets[i] = at;
		at = round_up(at + l->sizes[i], 8);
	}
	l->n_blocks = (uint32_t)((at + CATALOG_BLOCK_BYTES - 1) / CATALOG_BLOCK_BYTES);
	l->data = round_up(CATALOG_HEADER_BYTES + (size_t)l->n_blocks * 8, PAGE_BYTES);
	l->size = l->data + at;
	for (i = 0; i < CATALOG_N_SECTIONS; i++)
		l->offsets[i] += l->data;
	l->image = calloc(1, l->size);
	return l->image ? SOUK_OK : souk_error_nomem(err);
}

static uint8_t *section(const struct layout *l, enum catalog_section which, uint32_t i, size_t size)
{
	return l->image + l->offsets[which] + i * size;
}

static void put_texts(const struct layout *l)
{
	uint32_t i;

	for (i = 0; i < l->n_strings; i++) {
		const char *text = souk_text_pool_get(&l->build->texts, l->order[i]);

		memcpy(section(l, CATALOG_STRINGS, l->string_at[l->order[i]], 1), text,
		       strlen(text) + 1);
	}
	for (i = 0; i < l->n_regions; i++)
		catalog_put32(section(l, CATALOG_REGIONS, i, 4), l->string_at[l->regions[i]]);
	for (i = 0; i < l->build->places.n; i++) {
		const struct catalog_place_key *place = catalog_build_place(l->build, l->places[i]);
		uint8_t *at = section(l, CATALOG_PLACES, i, CATALOG_PLACE_BYTES);

		catalog_put32(at + PLACE_REGION, l->region_of[i]);
		catalog_put32(at + PLACE_ZONE, place->zone == CATALOG_NONE
						       ? CATALOG_NONE
						       : l->string_at[place->zone]);
		memcpy(at + PLACE_CURRENCY, place->currency, 4);
	}
}

static void put_accelerators(const struct layout *l)
{
	uint32_t i;

	for (i = 0; i < l->n_accelerators; i++) {
		const struct accelerator *a = &l->accelerators[i];
		uint8_t *at = section(l, CATALOG_ACCELERATORS, i, CATALOG_ACCELERATOR_BYTES);

		catalog_put32(at + ACCELERATOR_NAME, l->string_at[a->name]);
		catalog_put32(at + ACCELERATOR_MEMORY, a->memory_mib);
		catalog_put32(at + ACCELERATOR_FIRST_TYPE, a->first_type);
		catalog_put32(at + ACCELERATOR_N_TYPES, a->n_types);
		catalog_put32(at + ACCELERATOR_FIRST_ROW, a->first_row);
		catalog_put32(at + ACCELERATOR_N_ROWS, a->n_rows);
		catalog_put32(at + ACCELERATOR_FIRST_REGION, a->first_region);
		catalog_put32(at + ACCELERATOR_N_REGIONS, a->n_regions);
		catalog_put64(at + ACCELERATOR_MICROS, (uint64_t)a->micros);
		catalog_put64(at + ACCELERATOR_SPOT_MICROS, (uint64_t)a->spot_micros);
	}
	for (i = 0; i < l->n_accelerator_regions; i++)
		catalog_put32(section(l, CATALOG_ACCELERATOR_REGIONS, i, 4),
			      l->accelerator_regions[i]);
}

static void put_types(const struct layout *l)
{
	uint32_t i, accelerator = 0;

	for (i = 0; i < l->build->types.n; i++) {
		const struct catalog_build_type *type = &l->build->sorted[i];
		const struct catalog_type_key *key = catalog_build_key(l->build, type->key);
		uint8_t *at = section(l, CATALOG_TYPES, i, CATALOG_TYPE_BYTES);

		while (accelerator < l->n_accelerators &&
		       i >= l->accelerators[accelerator].first_type +
				       l->accelerators[accelerator].n_types)
			accelerator++;
		catalog_put32(at + TYPE_NAME, l->string_at[key->name]);
		catalog_put32(at + TYPE_ARCH, l->string_at[key->arch]);
		catalog_put32(at + TYPE_ACCELERATOR,
			      key->accelerator == CATALOG_NONE ? CATALOG_NONE : accelerator);
		catalog_put32(at + TYPE_MILLI, key->accelerator_milli);
		catalog_put32(at + TYPE_ACCELERATOR_MEMORY, key->accelerator_memory_mib);
		catalog_put32(at + TYPE_VCPUS, key->vcpus_milli);
		catalog_put32(at + TYPE_FLAGS, key->flags);
		catalog_put32(at + TYPE_FIRST_ROW, type->first_row);
		catalog_put32(at + TYPE_N_ROWS, type->n_rows);
		catalog_put64(at + TYPE_MEMORY, key->memory_mib);
		catalog_put64(at + TYPE_DISK, key->local_disk_mib);
		catalog_put64(at + TYPE_LOWEST, (uint64_t)type->lowest);
		catalog_put64(at + TYPE_LOWEST_SPOT, (uint64_t)type->lowest_spot);
		catalog_put64(at + TYPE_MEDIAN, (uint64_t)type->median);
		catalog_put64(at + TYPE_MEDIAN_SPOT, (uint64_t)type->median_spot);
		catalog_put32(section(l, CATALOG_NAMES, i, 4), l->names[i]);
	}
}

static void put_rows(const struct layout *l)
{
	uint32_t i;

	for (i = 0; i < l->build->n_rows; i++) {
		const struct catalog_build_row *row = &l->build->rows[i];
		uint8_t *at = section(l, CATALOG_ROWS, i, CATALOG_ROW_BYTES);

		catalog_put64(at + ROW_MICROS, (uint64_t)row->micros);
		catalog_put64(at + ROW_SPOT_MICROS, (uint64_t)row->spot_micros);
		catalog_put32(at + ROW_PLACE, l->build->place_rank[row->place] | row->marks << 24);
		catalog_put32(at + ROW_AVAILABLE, (uint32_t)row->available);
	}
}

static int put_header(const struct layout *l, const struct souk_catalog_origin *origin,
		      int64_t made_at, struct souk_error *err)
{
	uint8_t *h = l->image;
	uint32_t i;
	int ret;

	memcpy(h + HEADER_MAGIC, CATALOG_MAGIC, CATALOG_MAGIC_BYTES);
	catalog_put32(h + HEADER_VERSION, CATALOG_VERSION);
	catalog_put32(h + HEADER_SIZE, CATALOG_HEADER_BYTES);
	catalog_put64(h + HEADER_FILE_BYTES, l->size);
	catalog_put64(h + HEADER_MADE_AT, (uint64_t)made_at);
	catalog_put32(h + HEADER_BLOCK_BYTES, CATALOG_BLOCK_BYTES);
	catalog_put32(h + HEADER_N_BLOCKS, l->n_blocks);
	catalog_put64(h + HEADER_DATA, l->data);
	catalog_put32(h + HEADER_N_ROWS, l->build->n_rows);
	catalog_put32(h + HEADER_N_TYPES, l->build->types.n);
	catalog_put32(h + HEADER_N_ACCELERATORS, l->n_accelerators);
	catalog_put32(h + HEADER_N_REGIONS, l->n_regions);
	catalog_put32(h + HEADER_N_PLACES, l->build->places.n);
	catalog_put32(h + HEADER_N_ACCELERATOR_REGIONS, l->n_accelerator_regions);
	memcpy(h + HEADER_CURRENCY, l->build->currency, 4);
	for (i = 0; i < CATALOG_N_SECTIONS; i++) {
		catalog_put64(h + HEADER_SECTIONS + (size_t)i * 16, l->offsets[i]);
		catalog_put64(h + HEADER_SECTIONS + (size_t)i * 16 + 8, l->sizes[i]);
	}
	/* Lengths were checked with the origin; the image is zeroed. */
	memcpy(h + HEADER_PROVIDER, origin->provider, strlen(origin->provider));
	memcpy(h + HEADER_SOURCE, origin->source, strlen(origin->source));
	memcpy(h + HEADER_DATE, origin->date, strlen(origin->date));
	if (origin->note)
		memcpy(h + HEADER_NOTE, origin->note, strlen(origin->note));
	ret = souk_catalog_content_hash(h, l->size, h + HEADER_HASH, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < l->n_blocks; i++) {
		size_t at = l->data + (size_t)i * CATALOG_BLOCK_BYTES;
		size_t size = l->size - at < CATALOG_BLOCK_BYTES ? l->size - at
								 : CATALOG_BLOCK_BYTES;

		catalog_put64(h + CATALOG_HEADER_BYTES + (size_t)i * 8,
			      souk_catalog_block_sum(h + at, size));
	}
	catalog_put64(h + HEADER_CHECKSUM, souk_catalog_header_sum(h, l->n_blocks));
	return SOUK_OK;
}

int souk_catalog_layout(const struct catalog_build *build, const struct souk_catalog_origin *origin,
			int64_t made_at, void **image_out, size_t *size_out, struct souk_error *err)
{
	struct layout l = { 0 };
	int ret = layout_init(&l, build, err);

	if (ret == SOUK_OK) {
		number_regions(&l);
		sort_names(&l);
		ret = find_accelerators(&l, err);
	}
	if (ret == SOUK_OK)
		ret = place_strings(&l, err);
	if (ret == SOUK_OK)
		ret = allocate(&l, err);
	if (ret == SOUK_OK) {
		put_texts(&l);
		put_accelerators(&l);
		put_types(&l);
		put_rows(&l);
		ret = put_header(&l, origin, made_at, err);
	}
	if (ret == SOUK_OK) {
		*image_out = l.image;
		*size_out = l.size;
		l.image = NULL;
	}
	layout_fini(&l);
	return ret;
}
