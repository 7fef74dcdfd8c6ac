/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-image.c - from offers to types and rows: interned, merged, sorted, marked */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "market/catalog-build.h"
#include "market/catalog-format.h"

/* ---- Texts ---- */

/* The length of a UTF-8 character that is no control; 0 if it is none. */
static size_t character(const unsigned char *text, size_t len)
{
	static const uint32_t lowest[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;
	uint32_t code;

	if (text[0] < 0x80)
		return text[0] >= 0x20 && text[0] != 0x7f;
	n = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
	if (text[0] < 0xc2 || text[0] > 0xf4 || n > len)
		return 0;
	code = text[0] & (0xffu >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (text[i] & 0x3f);
	}
	if (code < lowest[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) || code < 0xa0)
		return 0;
	return n;
}

int souk_catalog_check_text(const char *what, const char *text, size_t len, struct souk_error *err)
{
	size_t i, n;

	if (len > CATALOG_TEXT_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "%s: longer than %d bytes: '%.40s...'",
				      what, CATALOG_TEXT_MAX, text);
	for (i = 0; i < len; i += n) {
		n = character((const unsigned char *)text + i, len - i);
		if (n == 0)
			return souk_error_set(err, SOUK_E_INVALID,
					      "%s: byte %zu is not UTF-8, or a control character",
					      what, i + 1);
	}
	return SOUK_OK;
}

static int intern(struct catalog_build *build, const char *what, const char *text,
		  uint32_t *number_out, struct souk_error *err)
{
	size_t len = strlen(text);
	uint32_t known = build->texts.n;
	int ret = souk_text_pool_add(&build->texts, text, len, number_out, err);

	if (ret == SOUK_OK && build->texts.n > known)
		ret = souk_catalog_check_text(what, text, len, err);
	return ret;
}

/* ---- Accelerators: canonical names; of those that we do not know, one spelling ---- */

static int by_spelling(const void *x, const void *y, void *arg)
{
	const struct catalog_build *build = arg;
	const char *a = souk_text_pool_get(&build->texts, *(const uint32_t *)x);
	const char *b = souk_text_pool_get(&build->texts, *(const uint32_t *)y);
	int order = souk_catalog_casecmp(a, b);

	return order ? order : strcmp(a, b);
}

/* Of names that differ in case alone the first stands for all. The pool holds nothing else yet. */
static int unify_accelerators(struct catalog_build *build, struct souk_error *err)
{
	uint32_t n = build->texts.n, i;
	SOUK_AUTO_FREE uint32_t *order = calloc((size_t)n + 1, sizeof(*order));

	build->accelerators = calloc((size_t)n + 1, sizeof(*build->accelerators));
	if (!order || !build->accelerators)
		return souk_error_nomem(err);
	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_spelling, build);
	for (i = 0; i < n; i++) {
		int same = i > 0 && souk_catalog_casecmp(
					    souk_text_pool_get(&build->texts, order[i]),
					    souk_text_pool_get(&build->texts, order[i - 1])) == 0;

		build->accelerators[order[i]] = same ? build->accelerators[order[i - 1]] : order[i];
	}
	return SOUK_OK;
}

/* 'numbers' gets, for each offer, the text of its accelerator, or CATALOG_NONE. */
static int take_accelerators(struct catalog_build *build, const struct souk_offer *offers, size_t n,
			     uint32_t *numbers, struct souk_error *err)
{
	const char *last = NULL;
	uint32_t number = CATALOG_NONE;
	size_t i;
	int ret;

	for (i = 0; i < n; i++) {
		const char *name = offers[i].accelerator;

		numbers[i] = CATALOG_NONE;
		if (!name || !name[0])
			continue;
		if (name != last) {
			ret = intern(build, "accelerator", souk_accelerator_canonical(name),
				     &number, err);
			if (ret < 0)
				return souk_error_prefix(err, "offer %zu", i + 1);
			last = name;
		}
		numbers[i] = number;
	}
	return unify_accelerators(build, err);
}

/* ---- Offers ---- */

static int type_of(struct catalog_build *build, const struct souk_offer *offer,
		   uint32_t accelerator, uint32_t *type_out, struct souk_error *err)
{
	struct catalog_type_key key = {
		.memory_mib = offer->memory_mib,
		.local_disk_mib = offer->local_disk_mib,
		.accelerator = CATALOG_NONE,
		.vcpus_milli = offer->vcpus_milli,
		.flags = offer->flags,
	};
	int ret;

	if (!offer->instance_type || !offer->instance_type[0])
		return souk_error_set(err, SOUK_E_INVALID, "no instance type");
	ret = intern(build, "instance_type", offer->instance_type, &key.name, err);
	if (ret == SOUK_OK)
		ret = intern(build, "arch", offer->arch && offer->arch[0] ? offer->arch : "x86_64",
			     &key.arch, err);
	if (ret < 0)
		return ret;
	if (accelerator != CATALOG_NONE) {
		if (offer->accelerator_milli == 0)
			return souk_error_set(err, SOUK_E_INVALID, "'%s' has no number of its '%s'",
					      offer->instance_type, offer->accelerator);
		key.accelerator = build->accelerators[accelerator];
		key.accelerator_milli = offer->accelerator_milli;
		key.accelerator_memory_mib = offer->accelerator_memory_mib;
	}
	return souk_record_pool_add(&build->types, &key, type_out, err);
}

static int place_of(struct catalog_build *build, const struct souk_offer *offer,
		    uint32_t *place_out, struct souk_error *err)
{
	struct catalog_place_key key = { .zone = CATALOG_NONE, .currency = "USD" };
	int ret;

	if (!offer->region || !offer->region[0])
		return souk_error_set(err, SOUK_E_INVALID, "no region");
	if (offer->currency[0]) {
		memcpy(key.currency, offer->currency, sizeof(key.currency));
		if (memchr(key.currency, '\0', 4) != key.currency + 3 ||
		    strspn(key.currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3)
			return souk_error_set(err, SOUK_E_INVALID,
					      "currency: not three capital letters: '%.3s'",
					      offer->currency);
	}
	ret = intern(build, "region", offer->region, &key.region, err);
	if (ret == SOUK_OK && offer->zone && offer->zone[0])
		ret = intern(build, "zone", offer->zone, &key.zone, err);
	return ret < 0 ? ret : souk_record_pool_add(&build->places, &key, place_out, err);
}

static int take_offer(struct catalog_build *build, const struct souk_offer *offer,
		      uint32_t accelerator, struct souk_error *err)
{
	struct catalog_build_row row = {
		.micros = offer->micros_per_hour,
		.spot_micros = offer->spot_micros_per_hour,
		.available = offer->available < -1 ? -1 : offer->available,
	};
	int ret;

	if (row.micros < -1 || row.spot_micros < -1)
		return souk_error_set(err, SOUK_E_INVALID, "a price below zero");
	ret = type_of(build, offer, accelerator, &row.type, err);
	if (ret == SOUK_OK)
		ret = place_of(build, offer, &row.place, err);
	if (ret == SOUK_OK)
		build->rows[build->n_rows++] = row;
	return ret;
}

static int take_offers(struct catalog_build *build, const struct souk_offer *offers, size_t n,
		       struct souk_error *err)
{
	SOUK_AUTO_FREE uint32_t *accelerators = calloc(n + 1, sizeof(*accelerators));
	size_t i;
	int ret;

	build->rows = calloc(n + 1, sizeof(*build->rows));
	if (!accelerators || !build->rows)
		return souk_error_nomem(err);
	ret = take_accelerators(build, offers, n, accelerators, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < n; i++)
		if (take_offer(build, &offers[i], accelerators[i], err) < 0)
			return souk_error_prefix(err, "offer %zu", i + 1);
	if (build->places.n > CATALOG_PLACES_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "more than %u places",
				      CATALOG_PLACES_MAX);
	return SOUK_OK;
}

/* ---- Order ---- */

#define BY(a, b)                                                                                   \
	do {                                                                                       \
		if ((a) != (b))                                                                    \
			return (a) < (b) ? -1 : 1;                                                 \
	} while (0)

static int by_type(const void *x, const void *y, void *arg)
{
	const struct catalog_build *build = arg;
	const struct catalog_type_key *a =
		catalog_build_key(build, ((const struct catalog_build_type *)x)->key);
	const struct catalog_type_key *b =
		catalog_build_key(build, ((const struct catalog_build_type *)y)->key);
	int order;

	if (a->accelerator != b->accelerator) {
		if (a->accelerator == CATALOG_NONE || b->accelerator == CATALOG_NONE)
			return a->accelerator == CATALOG_NONE ? 1 : -1;
		return by_spelling(&a->accelerator, &b->accelerator, arg);
	}
	BY(a->accelerator_milli, b->accelerator_milli);
	BY(a->vcpus_milli, b->vcpus_milli);
	BY(a->memory_mib, b->memory_mib);
	order = strcmp(souk_text_pool_get(&build->texts, a->name),
		       souk_text_pool_get(&build->texts, b->name));
	if (order == 0)
		order = strcmp(souk_text_pool_get(&build->texts, a->arch),
			       souk_text_pool_get(&build->texts, b->arch));
	if (order)
		return order;
	BY(a->accelerator_memory_mib, b->accelerator_memory_mib);
	BY(a->local_disk_mib, b->local_disk_mib);
	BY(a->flags, b->flags);
	return 0;
}

static int by_place_text(const void *x, const void *y, void *arg)
{
	const struct catalog_build *build = arg;
	const struct catalog_place_key *a = catalog_build_place(build, *(const uint32_t *)x);
	const struct catalog_place_key *b = catalog_build_place(build, *(const uint32_t *)y);
	int order = strcmp(souk_text_pool_get(&build->texts, a->region),
			   souk_text_pool_get(&build->texts, b->region));

	if (order == 0 && a->zone != b->zone) {
		if (a->zone == CATALOG_NONE || b->zone == CATALOG_NONE)
			return a->zone == CATALOG_NONE ? -1 : 1;
		order = strcmp(souk_text_pool_get(&build->texts, a->zone),
			       souk_text_pool_get(&build->texts, b->zone));
	}
	return order ? order : memcmp(a->currency, b->currency, 4);
}

static int rank_places(struct catalog_build *build, struct souk_error *err)
{
	uint32_t n = build->places.n, i;
	SOUK_AUTO_FREE uint32_t *order = calloc((size_t)n + 1, sizeof(*order));

	build->place_rank = calloc((size_t)n + 1, sizeof(*build->place_rank));
	if (!order || !build->place_rank)
		return souk_error_nomem(err);
	for (i = 0; i < n; i++)
		order[i] = i;
	qsort_r(order, n, sizeof(*order), by_place_text, build);
	for (i = 0; i < n; i++)
		build->place_rank[order[i]] = i;
	return SOUK_OK;
}

/* Sort the types, and put the rows of each together. */
static int sort_types(struct catalog_build *build, struct souk_error *err)
{
	uint32_t n = build->types.n, i, next = 0;
	SOUK_AUTO_FREE uint32_t *rank = calloc((size_t)n + 1, sizeof(*rank));
	struct catalog_build_row *rows = calloc((size_t)build->n_rows + 1, sizeof(*rows));

	build->sorted = calloc((size_t)n + 1, sizeof(*build->sorted));
	if (!rank || !rows || !build->sorted) {
		free(rows);
		return souk_error_nomem(err);
	}
	for (i = 0; i < n; i++)
		build->sorted[i].key = i;
	qsort_r(build->sorted, n, sizeof(*build->sorted), by_type, build);
	for (i = 0; i < n; i++)
		rank[build->sorted[i].key] = i;
	for (i = 0; i < build->n_rows; i++)
		build->sorted[rank[build->rows[i].type]].n_rows++;
	for (i = 0; i < n; i++) {
		build->sorted[i].first_row = next;
		next += build->sorted[i].n_rows;
		build->sorted[i].n_rows = 0;
	}
	for (i = 0; i < build->n_rows; i++) {
		struct catalog_build_type *type = &build->sorted[rank[build->rows[i].type]];

		rows[type->first_row + type->n_rows++] = build->rows[i];
	}
	free(build->rows);
	build->rows = rows;
	return SOUK_OK;
}

static int by_place(const void *x, const void *y, void *arg)
{
	const uint32_t *rank = ((const struct catalog_build *)arg)->place_rank;

	BY(rank[((const struct catalog_build_row *)x)->place],
	   rank[((const struct catalog_build_row *)y)->place]);
	return 0;
}

/* What is not sold comes last. */
static int by_price(const void *x, const void *y, void *arg)
{
	const struct catalog_build_row *a = x, *b = y;

	BY((uint64_t)a->micros, (uint64_t)b->micros);
	BY((uint64_t)a->spot_micros, (uint64_t)b->spot_micros);
	return by_place(x, y, arg);
}

/* Of two prices of one thing the cheaper, but one that can be right before one that cannot. */
static int64_t cheaper(int64_t a, int64_t b)
{
	if (a <= 0 || b <= 0)
		return a > b ? a : b;
	return a < b ? a : b;
}

/* Merge the rows of a type that are in one place, and move them to 'next'. */
static void merge(struct catalog_build *build, struct catalog_build_type *type, uint32_t next)
{
	struct catalog_build_row *from = &build->rows[type->first_row], *to = &build->rows[next];
	uint32_t n = 0, i;

	qsort_r(from, type->n_rows, sizeof(*from), by_place, build);
	for (i = 0; i < type->n_rows; i++) {
		struct catalog_build_row row = from[i];

		if (n == 0 || to[n - 1].place != row.place) {
			to[n++] = row;
			continue;
		}
		to[n - 1].micros = cheaper(to[n - 1].micros, row.micros);
		to[n - 1].spot_micros = cheaper(to[n - 1].spot_micros, row.spot_micros);
		if (row.available > to[n - 1].available)
			to[n - 1].available = row.available;
	}
	type->first_row = next;
	type->n_rows = n;
}

static void choose_currency(struct catalog_build *build)
{
	uint32_t i;

	for (i = 0; i < build->places.n; i++) {
		const char *currency = catalog_build_place(build, i)->currency;

		if (memcmp(currency, "USD", 4) == 0) {
			memcpy(build->currency, "USD", 4);
			return;
		}
		if (!build->currency[0] || memcmp(currency, build->currency, 4) < 0)
			memcpy(build->currency, currency, 4);
	}
	if (!build->currency[0])
		memcpy(build->currency, "USD", 4);
}

static int sort_rows(struct catalog_build *build, struct souk_error *err)
{
	SOUK_AUTO_FREE int64_t *scratch = calloc((size_t)build->n_rows + 1, sizeof(*scratch));
	uint32_t i, next = 0;

	if (!scratch)
		return souk_error_nomem(err);
	choose_currency(build);
	for (i = 0; i < build->types.n; i++) {
		struct catalog_build_type *type = &build->sorted[i];

		merge(build, type, next);
		next += type->n_rows;
		qsort_r(&build->rows[type->first_row], type->n_rows, sizeof(*build->rows), by_price,
			build);
		souk_catalog_price_type(build, type, scratch);
	}
	build->n_rows = next;
	return SOUK_OK;
}

/* ---- The whole ---- */

static void build_fini(struct catalog_build *build)
{
	souk_text_pool_fini(&build->texts);
	souk_record_pool_fini(&build->types);
	souk_record_pool_fini(&build->places);
	free(build->accelerators);
	free(build->rows);
	free(build->sorted);
	free(build->place_rank);
}

static int check_origin(const struct souk_catalog_origin *origin, struct souk_error *err)
{
	const char *note = origin->note ? origin->note : "";

	if (!souk_catalog_is_provider(origin->provider))
		return souk_error_set(
			err, SOUK_E_INVALID,
			"not a provider's name ([a-z][a-z0-9_]*, at most %d characters): '%s'",
			HEADER_PROVIDER_BYTES - 1, origin->provider);
	if (!origin->source[0] || strlen(origin->source) >= HEADER_SOURCE_BYTES)
		return souk_error_set(err, SOUK_E_INVALID, "not a source of offers: '%s'",
				      origin->source);
	if (!souk_catalog_is_date(origin->date))
		return souk_error_set(err, SOUK_E_INVALID, "not a date (YYYY-MM-DD): '%s'",
				      origin->date);
	return souk_catalog_check_text("note", note, strlen(note), err);
}

/* A seed was made on its date, so that it is the same bytes whenever it is compiled. */
static int made_at(const struct souk_catalog_origin *origin, int64_t *seconds_out,
		   struct souk_error *err)
{
	char text[HEADER_DATE_BYTES + sizeof("T00:00:00Z")];

	*seconds_out = souk_clock_wall_s();
	if (strcmp(origin->source, "seed") != 0)
		return SOUK_OK;
	*seconds_out = 0;
	if (!origin->date[0])
		return SOUK_OK;
	memcpy(text, origin->date, 10);
	memcpy(text + 10, "T00:00:00Z", sizeof("T00:00:00Z"));
	return souk_parse_time("date", text, seconds_out, err);
}

int souk_catalog_image(const struct souk_catalog_origin *origin, const struct souk_offer *offers,
		       size_t n, void **image_out, size_t *size_out, struct souk_error *err)
{
	struct catalog_build build = {
		.types = { .size = sizeof(struct catalog_type_key) },
		.places = { .size = sizeof(struct catalog_place_key) },
	};
	int64_t when;
	int ret = check_origin(origin, err);

	if (ret == SOUK_OK && n > CATALOG_ROWS_MAX)
		ret = souk_error_set(err, SOUK_E_INVALID, "more than %u offers", CATALOG_ROWS_MAX);
	if (ret == SOUK_OK)
		ret = made_at(origin, &when, err);
	if (ret == SOUK_OK)
		ret = take_offers(&build, offers, n, err);
	if (ret == SOUK_OK)
		ret = rank_places(&build, err);
	if (ret == SOUK_OK)
		ret = sort_types(&build, err);
	if (ret == SOUK_OK)
		ret = sort_rows(&build, err);
	if (ret == SOUK_OK)
		ret = souk_catalog_layout(&build, origin, when, image_out, size_out, err);
	build_fini(&build);
	return ret;
}
