/* SPDX-License-Identifier: Apache-2.0 */
/* test-catalog-file.c - catalogue files: what goes in comes out, and nothing damaged is believed */
#include <endian.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdint.h>
#include <strings.h>

#include "base/log.h"
#include "base/util.h"
#include "market/catalog-file.h"
#include "market/catalog-format.h"
#include "market/market.h"
#include "scratch.h"

static struct souk_error err;
static struct souk_paths paths;
static char cache[512], data[512], datadir[512];
static char log_text[4096];

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define FAILS(call, code_, text)                                                                   \
	do {                                                                                       \
		err = (struct souk_error)SOUK_ERROR_INIT;                                          \
		ck_assert_int_eq(call, code_);                                                     \
		ck_assert_msg(strstr(err.message, text) != NULL, "'%s' lacks '%s'", err.message,   \
			      text);                                                               \
	} while (0)

static void keep_log(int level, const char *line, void *arg)
{
	size_t len = strlen(log_text);

	(void)level;
	(void)arg;
	snprintf(log_text + len, sizeof(log_text) - len, "%s\n", line);
}

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	snprintf(cache, sizeof(cache), "%s", scratch_path("cache"));
	snprintf(data, sizeof(data), "%s", scratch_path("data"));
	snprintf(datadir, sizeof(datadir), "%s", scratch_path("share"));
	paths = (struct souk_paths){ .cache = cache, .data = data, .datadir = datadir };
	scratch_mkdir(scratch_path("data/catalog"));
	scratch_mkdir(scratch_path("share/catalog"));
	log_text[0] = '\0';
	souk_log_set_sink(keep_log, NULL);
}

static void end(void)
{
	souk_log_set_sink(NULL, NULL);
	scratch_remove();
}

/* ---- Offers to put in ---- */

static const struct souk_catalog_origin seed = { "acme", "seed", "2026-07-01", "the price list" };

static struct souk_offer offer(const char *type, const char *region, const char *zone,
			       int64_t micros, int64_t spot)
{
	return (struct souk_offer){
		SOUK_OFFER_HEAD,
		.instance_type = type, .region = region, .zone = zone, .vcpus_milli = 4000,
		.memory_mib = 16384, .micros_per_hour = micros, .spot_micros_per_hour = spot,
	};
}

static struct souk_offer gpu(const char *type, const char *region, const char *name, uint32_t n,
			     int64_t micros, int64_t spot)
{
	struct souk_offer o = offer(type, region, NULL, micros, spot);

	o.accelerator = name;
	o.accelerator_milli = n * 1000;
	o.accelerator_memory_mib = 81920;
	return o;
}

static struct souk_catalog_file *made_with(const struct souk_catalog_origin *origin,
					   const struct souk_offer *offers, size_t n)
{
	struct souk_catalog_file *file;
	size_t size;
	void *image;

	OK(souk_catalog_image(origin, offers, n, &image, &size, &err));
	OK(souk_catalog_file_open_image(image, size, &file, &err));
	OK(souk_catalog_file_verify(file, &err));
	return file;
}

static struct souk_catalog_file *made(const struct souk_offer *offers, size_t n)
{
	return made_with(&seed, offers, n);
}

static struct souk_catalog_type type_at(struct souk_catalog_file *file, uint32_t i)
{
	struct souk_catalog_type type;

	OK(souk_catalog_type(file, i, &type, &err));
	return type;
}

static struct souk_catalog_row row_at(struct souk_catalog_file *file, uint32_t i)
{
	struct souk_catalog_row row;

	OK(souk_catalog_row(file, i, &row, &err));
	return row;
}

/* ---- What goes in comes out ---- */

START_TEST(an_offer_comes_back_whole)
{
	struct souk_offer in = {
		SOUK_OFFER_HEAD, .flags = SOUK_OFFER_BURSTABLE, .instance_type = "gros-modèle",
		.region = "r1", .zone = "r1-b", .arch = "arm64", .accelerator = "nvidia-tesla-t4",
		.accelerator_milli = 500, .accelerator_memory_mib = 16384, .vcpus_milli = 48500,
		.memory_mib = UINT64_C(1) << 40, .local_disk_mib = 7, .micros_per_hour = INT64_C(1) << 50,
		.spot_micros_per_hour = 3, .currency = "EUR",
	}, out;
	struct souk_catalog_file *file;
	struct souk_catalog_type type;
	struct souk_catalog_row row;

	in.available = 12;
	in.spot_micros_per_hour = (INT64_C(1) << 50) - 1;
	file = made(&in, 1);
	type = type_at(file, 0);
	row = row_at(file, 0);
	souk_catalog_offer(&type, &row, &out);
	ck_assert_str_eq(out.instance_type, in.instance_type);
	ck_assert_str_eq(out.region, "r1");
	ck_assert_str_eq(out.zone, "r1-b");
	ck_assert_str_eq(out.arch, "arm64");
	ck_assert_str_eq(out.accelerator, "T4");
	ck_assert_str_eq(out.currency, "EUR");
	ck_assert_uint_eq(out.struct_size, sizeof(out));
	ck_assert_uint_eq(out.flags, in.flags);
	ck_assert_uint_eq(out.accelerator_milli, 500);
	ck_assert_uint_eq(out.accelerator_memory_mib, 16384);
	ck_assert_uint_eq(out.vcpus_milli, 48500);
	ck_assert_uint_eq(out.memory_mib, in.memory_mib);
	ck_assert_uint_eq(out.local_disk_mib, 7);
	ck_assert_int_eq(out.micros_per_hour, in.micros_per_hour);
	ck_assert_int_eq(out.spot_micros_per_hour, in.spot_micros_per_hour);
	ck_assert_int_eq(out.available, 12);
	ck_assert_uint_eq(row.marks, 0);
	ck_assert_str_eq(souk_catalog_file_head(file)->currency, "EUR");
	ck_assert_int_eq(type.lowest_micros, in.micros_per_hour);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(defaults_are_filled_in)
{
	struct souk_offer in = offer("a", "r", NULL, -1, -1);
	struct souk_catalog_file *file;

	in.zone = "";
	in.accelerator = "";
	in.accelerator_milli = 3000;
	file = made(&in, 1);
	ck_assert_ptr_null(row_at(file, 0).zone);
	ck_assert_str_eq(row_at(file, 0).currency, "USD");
	ck_assert_int_eq(row_at(file, 0).available, -1);
	ck_assert_uint_eq(row_at(file, 0).marks, 0);
	ck_assert_str_eq(type_at(file, 0).arch, "x86_64");
	ck_assert_ptr_null(type_at(file, 0).accelerator);
	ck_assert_uint_eq(type_at(file, 0).accelerator_milli, 0);
	ck_assert_int_eq(type_at(file, 0).lowest_micros, -1);
	ck_assert_int_eq(type_at(file, 0).median_micros, -1);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(the_head_tells)
{
	struct souk_offer in[] = { offer("a", "r1", "r1-a", 1, -1), offer("a", "r2", NULL, 1, -1),
				   gpu("g", "r2", "h100", 1, 5, -1) };
	struct souk_catalog_file *file = made(in, SOUK_ARRAY_SIZE(in));
	const struct souk_catalog_head *head = souk_catalog_file_head(file);

	ck_assert_str_eq(head->provider, "acme");
	ck_assert_str_eq(head->source, "seed");
	ck_assert_str_eq(head->date, "2026-07-01");
	ck_assert_str_eq(head->note, "the price list");
	ck_assert_str_eq(head->path, "");
	ck_assert_str_eq(head->currency, "USD");
	/* A seed is the same bytes whenever it is made: midnight of its date. */
	ck_assert_int_eq(head->made_at, 1782864000);
	ck_assert_uint_eq(head->n_rows, 3);
	ck_assert_uint_eq(head->n_types, 2);
	ck_assert_uint_eq(head->n_regions, 2);
	ck_assert_uint_eq(head->n_accelerators, 1);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(nothing_at_all_is_a_catalogue)
{
	struct souk_catalog_file *file = made(NULL, 0);
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	uint32_t i, n;

	ck_assert_uint_eq(souk_catalog_file_head(file)->n_rows, 0);
	OK(souk_catalog_find_name(file, "a", &i, &n, &err));
	ck_assert_uint_eq(n, 0);
	OK(souk_catalog_find_accelerator(file, "H100", &i, &err));
	ck_assert_uint_eq(i, 0);
	OK(souk_catalog_first_by_cpus(file, 0, &i, &err));
	ck_assert_uint_eq(i, 0);
	FAILS(souk_catalog_type(file, 0, &type, &err), SOUK_E_INTERNAL, "no type 0");
	FAILS(souk_catalog_row(file, 0, &row, &err), SOUK_E_INTERNAL, "no row 0");
	souk_catalog_file_close(file);
}
END_TEST

/* ---- Order and indexes ---- */

START_TEST(types_and_rows_are_in_order)
{
	static const char *const order[] = { "g1", "g8", "t1", "c2", "c4a", "c4b", "c4m" };
	struct souk_offer in[9];
	struct souk_catalog_file *file;
	struct souk_catalog_row a, b;
	uint32_t i, type;

	in[0] = offer("c4m", "r", NULL, 5, -1);
	in[0].memory_mib = 99999;
	in[1] = offer("c4b", "r", NULL, 5, -1);
	in[2] = offer("c4a", "r2", NULL, 7, -1);
	in[3] = offer("c4a", "r", NULL, 5, -1);
	in[4] = offer("c4a", "r1", NULL, -1, 2);
	in[5] = offer("c2", "r", NULL, 5, -1);
	in[5].vcpus_milli = 2000;
	in[6] = gpu("g8", "r", "H100", 8, 80, -1);
	in[7] = gpu("g1", "r", "H100", 1, 10, -1);
	in[8] = gpu("t1", "r", "T4", 1, 1, -1);
	file = made(in, SOUK_ARRAY_SIZE(in));
	ck_assert_uint_eq(souk_catalog_file_head(file)->n_types, SOUK_ARRAY_SIZE(order));
	for (i = 0; i < SOUK_ARRAY_SIZE(order); i++)
		ck_assert_str_eq(type_at(file, i).name, order[i]);
	ck_assert_uint_eq(type_at(file, 4).n_rows, 3);
	a = row_at(file, type_at(file, 4).first_row);
	b = row_at(file, type_at(file, 4).first_row + 1);
	ck_assert_str_eq(a.region, "r");
	ck_assert_str_eq(b.region, "r2");
	ck_assert_str_eq(row_at(file, type_at(file, 4).first_row + 2).region, "r1");
	for (i = 0; i < 9; i++) {
		OK(souk_catalog_type_of_row(file, i, &type, &err));
		ck_assert_uint_ge(i, type_at(file, type).first_row);
		ck_assert_uint_lt(i, type_at(file, type).first_row + type_at(file, type).n_rows);
	}
	FAILS(souk_catalog_type_of_row(file, 9, &type, &err), SOUK_E_INTERNAL, "no row 9");
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(finds_by_cpus)
{
	struct souk_offer in[5];
	struct souk_catalog_file *file;
	uint32_t i, first;

	for (i = 0; i < 4; i++) {
		in[i] = offer("c", "r", NULL, 1, -1);
		in[i].vcpus_milli = 2000 * i;
	}
	in[4] = gpu("g", "r", "T4", 1, 1, -1);
	in[4].vcpus_milli = 96000;
	file = made(in, 5);
	OK(souk_catalog_first_by_cpus(file, 0, &first, &err));
	ck_assert_uint_eq(first, 1);
	OK(souk_catalog_first_by_cpus(file, 2000, &first, &err));
	ck_assert_uint_eq(type_at(file, first).vcpus_milli, 2000);
	OK(souk_catalog_first_by_cpus(file, 2001, &first, &err));
	ck_assert_uint_eq(type_at(file, first).vcpus_milli, 4000);
	OK(souk_catalog_first_by_cpus(file, 6001, &first, &err));
	ck_assert_uint_eq(first, 5);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(finds_by_name_in_any_case)
{
	struct souk_offer in[] = { offer("Big.A", "r", NULL, 1, -1),
				   offer("big.a", "r", NULL, 1, -1), offer("BIG", "r", NULL, 1, -1),
				   offer("big.b", "r", NULL, 1, -1) };
	struct souk_catalog_file *file;
	uint32_t first, n, i, type;

	file = made(in, SOUK_ARRAY_SIZE(in));
	OK(souk_catalog_find_name(file, "BIG.a", &first, &n, &err));
	ck_assert_uint_eq(n, 2);
	for (i = 0; i < n; i++) {
		OK(souk_catalog_by_name(file, first + i, &type, &err));
		ck_assert_int_eq(strcasecmp(type_at(file, type).name, "big.a"), 0);
	}
	OK(souk_catalog_find_name(file, "bi", &first, &n, &err));
	ck_assert_uint_eq(n, 0);
	OK(souk_catalog_find_name(file, "zzz", &first, &n, &err));
	ck_assert_uint_eq(n, 0);
	FAILS(souk_catalog_by_name(file, 4, &type, &err), SOUK_E_INTERNAL, "no name 4");
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(accelerators_know_their_rows_and_regions)
{
	struct souk_offer in[] = {
		gpu("a", "r1", "H100", 1, 3000000, 1000000),
		gpu("a", "r3", "h100", 1, 2500000, -1),
		gpu("b", "r3", "nvidia-h100-80gb", 8, 16000000, -1),
		gpu("u", "r2", "Unheard-OF", 1, 5, 1),
		gpu("v", "r2", "unheard-of", 2, 8, 4),
		offer("c", "r4", NULL, 1, -1),
	};
	struct souk_catalog_file *file = made(in, SOUK_ARRAY_SIZE(in));
	struct souk_catalog_accelerator a;
	uint32_t regions[4], i;
	const char *name;

	ck_assert_uint_eq(souk_catalog_file_head(file)->n_accelerators, 2);
	OK(souk_catalog_find_accelerator(file, "NVIDIA-H100", &i, &err));
	OK(souk_catalog_accelerator(file, i, &a, &err));
	ck_assert_str_eq(a.name, "H100");
	ck_assert_uint_eq(a.n_types, 2);
	ck_assert_uint_eq(a.n_rows, 3);
	ck_assert_uint_eq(a.memory_mib, 81920);
	ck_assert_int_eq(a.micros_each, 2000000);
	ck_assert_int_eq(a.spot_micros_each, 1000000);
	ck_assert_uint_eq(a.n_regions, 2);
	OK(souk_catalog_accelerator_regions(file, i, regions, &err));
	OK(souk_catalog_region(file, regions[0], &name, &err));
	ck_assert_str_eq(name, "r1");
	OK(souk_catalog_region(file, regions[1], &name, &err));
	ck_assert_str_eq(name, "r3");
	/* Two spellings of a name that is in no table are one accelerator. */
	OK(souk_catalog_find_accelerator(file, "UNHEARD-of", &i, &err));
	OK(souk_catalog_accelerator(file, i, &a, &err));
	ck_assert_str_eq(a.name, "Unheard-OF");
	ck_assert_uint_eq(a.n_types, 2);
	ck_assert_int_eq(a.micros_each, 4);
	OK(souk_catalog_find_accelerator(file, "T4", &i, &err));
	ck_assert_uint_eq(i, 2);
	FAILS(souk_catalog_accelerator(file, 2, &a, &err), SOUK_E_INTERNAL, "no accelerator 2");
	FAILS(souk_catalog_accelerator_regions(file, 2, regions, &err), SOUK_E_INTERNAL,
	      "no accelerator");
	FAILS(souk_catalog_region(file, 4, &name, &err), SOUK_E_INTERNAL, "no region 4");
	souk_catalog_file_close(file);
}
END_TEST

/* ---- Doubles, marks ---- */

START_TEST(doubles_are_merged)
{
	struct souk_offer in[] = {
		offer("a", "r", NULL, 5, -1), offer("a", "r", NULL, 3, 2),
		offer("a", "r", NULL, 0, 9),  offer("a", "r", "z", 7, -1),
		offer("a", "r", NULL, 4, 1),
	};
	struct souk_catalog_file *file;

	in[1].available = 2;
	in[4].available = 1;
	memcpy(in[4].currency, "EUR", 4);
	file = made(in, SOUK_ARRAY_SIZE(in));
	ck_assert_uint_eq(souk_catalog_file_head(file)->n_rows, 3);
	ck_assert_int_eq(row_at(file, 0).micros, 3);
	ck_assert_int_eq(row_at(file, 0).spot_micros, 2);
	ck_assert_int_eq(row_at(file, 0).available, 2);
	ck_assert_str_eq(row_at(file, 1).currency, "EUR");
	ck_assert_str_eq(row_at(file, 2).zone, "z");
	souk_catalog_file_close(file);
}
END_TEST

static const struct {
	int64_t micros, spot;
	uint32_t flags, marks;
} marked[] = {
	{ 100, 50, 0, 0 },
	{ 0, 50, 0, SOUK_MARK_NOT_POSITIVE },
	{ 10, -1, 0, 0 },
	{ 9, -1, 0, SOUK_MARK_FAR_BELOW },
	{ 100, 0, 0, SOUK_MARK_SPOT_NOT_POSITIVE },
	{ 100, 5, 0, 0 },
	{ 100, 4, 0, SOUK_MARK_SPOT_FAR_BELOW },
	{ 100, 100, 0, 0 },
	{ 100, 101, 0, SOUK_MARK_SPOT_ABOVE },
	{ -1, 101, 0, 0 },
	{ 0, 0, 0, SOUK_MARK_NOT_POSITIVE | SOUK_MARK_SPOT_NOT_POSITIVE },
	{ 0, 0, SOUK_OFFER_FREE, 0 },
};

/* Of a type that costs 100 and, on spot, 50 in six other places. */
START_TEST(prices_that_cannot_be_right_are_marked)
{
	struct souk_offer in[7];
	struct souk_catalog_file *file;
	struct souk_catalog_row row;
	char names[6][8];
	uint32_t i;
	int found = 0;

	for (i = 0; i < 6; i++) {
		snprintf(names[i], sizeof(names[i]), "r%u", i);
		in[i] = offer("a", names[i], NULL, 100, 50);
		in[i].flags = marked[_i].flags;
	}
	in[6] = offer("a", "here", NULL, marked[_i].micros, marked[_i].spot);
	in[6].flags = marked[_i].flags;
	file = made(in, 7);
	for (i = 0; i < 7; i++) {
		row = row_at(file, i);
		if (strcmp(row.region, "here") == 0) {
			found = 1;
			ck_assert_uint_eq(row.marks, marked[_i].marks);
		} else {
			ck_assert_uint_eq(row.marks, 0);
		}
	}
	ck_assert_int_eq(found, 1);
	ck_assert_int_eq(type_at(file, 0).median_micros, 100);
	ck_assert_int_eq(type_at(file, 0).median_spot_micros, 50);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(medians_are_of_one_currency)
{
	struct souk_offer in[] = { offer("a", "r1", NULL, 100, -1), offer("a", "r2", NULL, 201, -1),
				   offer("a", "r3", NULL, 10000, -1),
				   offer("a", "r4", NULL, 9000, -1) };
	struct souk_catalog_file *file;

	memcpy(in[2].currency, "JPY", 4);
	memcpy(in[3].currency, "JPY", 4);
	file = made(in, SOUK_ARRAY_SIZE(in));
	ck_assert_int_eq(type_at(file, 0).median_micros, 150);
	ck_assert_int_eq(type_at(file, 0).lowest_micros, 100);
	ck_assert_uint_eq(row_at(file, 0).marks, 0);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(the_lowest_price_is_not_a_marked_one)
{
	struct souk_offer in[] = { gpu("a", "r1", "H100", 2, 3000000, 4000000),
				   gpu("a", "r2", "H100", 2, 0, 0),
				   gpu("a", "r3", "H100", 2, 3500000, 2000000) };
	struct souk_catalog_file *file = made(in, SOUK_ARRAY_SIZE(in));
	struct souk_catalog_accelerator a;

	ck_assert_int_eq(type_at(file, 0).lowest_micros, 3000000);
	ck_assert_int_eq(type_at(file, 0).lowest_spot_micros, 2000000);
	OK(souk_catalog_accelerator(file, 0, &a, &err));
	ck_assert_int_eq(a.micros_each, 1500000);
	ck_assert_int_eq(a.spot_micros_each, 1000000);
	souk_catalog_file_close(file);
}
END_TEST

/* ---- The same offers are the same bytes ---- */

static void shuffle(struct souk_offer *offers, size_t n, unsigned seed_number)
{
	size_t i;

	for (i = n; i > 1; i--) {
		size_t j;
		struct souk_offer swap = offers[i - 1];

		seed_number = seed_number * 1103515245u + 12345u;
		j = (seed_number >> 8) % i;
		offers[i - 1] = offers[j];
		offers[j] = swap;
	}
}

static struct souk_offer *many(size_t n)
{
	static const char *const gpus[] = { "H100", "T4", "Mystery", "mystery", "nvidia-tesla-t4",
					    "B200" };
	static char texts[4000][4][24];
	struct souk_offer *offers = calloc(n, sizeof(*offers));
	size_t i;

	ck_assert_ptr_nonnull(offers);
	ck_assert_uint_le(n, 4000);
	for (i = 0; i < n; i++) {
		snprintf(texts[i][0], 24, "type-%zu", i / 7);
		snprintf(texts[i][1], 24, "region-%zu", i % 23);
		snprintf(texts[i][2], 24, "zone-%zu", i % 3);
		offers[i] = offer(texts[i][0], texts[i][1], i % 5 ? texts[i][2] : NULL,
				  (int64_t)(1000 + i % 97), i % 2 ? -1 : (int64_t)(500 + i % 31));
		if (i / 7 % 3) {
			offers[i].accelerator = gpus[i / 7 % SOUK_ARRAY_SIZE(gpus)];
			offers[i].accelerator_milli = (uint32_t)(1 + i / 7 % 8) * 1000;
		}
	}
	return offers;
}

START_TEST(the_order_of_offers_changes_nothing)
{
	struct souk_offer *offers = many(2000);
	void *first, *again;
	size_t size, size_again;
	unsigned i;

	OK(souk_catalog_image(&seed, offers, 2000, &first, &size, &err));
	for (i = 1; i < 6; i++) {
		shuffle(offers, 2000, i);
		OK(souk_catalog_image(&seed, offers, 2000, &again, &size_again, &err));
		ck_assert_uint_eq(size, size_again);
		ck_assert_int_eq(memcmp(first, again, size), 0);
		free(again);
	}
	free(first);
	free(offers);
}
END_TEST

START_TEST(the_hash_is_of_the_contents)
{
	struct souk_catalog_origin live = { "acme", "live", "2026-07-01", NULL };
	struct souk_offer in = offer("a", "r", NULL, 5, -1);
	struct souk_catalog_file *a = made_with(&live, &in, 1), *b, *c;
	uint8_t *image;
	size_t size;
	void *copy;

	OK(souk_catalog_image(&live, &in, 1, &copy, &size, &err));
	image = copy;
	/* Another time: the hash stays, the checksum does not. */
	catalog_put64(image + HEADER_MADE_AT, 77);
	catalog_put64(image + HEADER_CHECKSUM,
		      souk_catalog_header_sum(image, catalog_get32(image + HEADER_N_BLOCKS)));
	OK(souk_catalog_file_open_image(image, size, &b, &err));
	OK(souk_catalog_file_verify(b, &err));
	ck_assert_int_eq(souk_catalog_file_head(b)->made_at, 77);
	ck_assert_mem_eq(souk_catalog_file_head(a)->hash, souk_catalog_file_head(b)->hash, 16);
	in.micros_per_hour = 6;
	c = made_with(&live, &in, 1);
	ck_assert_mem_ne(souk_catalog_file_head(a)->hash, souk_catalog_file_head(c)->hash, 16);
	souk_catalog_file_close(a);
	souk_catalog_file_close(b);
	souk_catalog_file_close(c);
}
END_TEST

/* ---- What cannot be put in ---- */

static char long_text[CATALOG_TEXT_MAX + 2];

static const struct {
	const char *type, *region, *zone, *gpu, *currency;
	int64_t micros;
	const char *text;
} refused[] = {
	{ NULL, "r", NULL, NULL, "", 1, "no instance type" },
	{ "", "r", NULL, NULL, "", 1, "no instance type" },
	{ "a", NULL, NULL, NULL, "", 1, "no region" },
	{ "a", "", NULL, NULL, "", 1, "no region" },
	{ "a", "r", NULL, NULL, "", -2, "below zero" },
	{ "a", "r", NULL, NULL, "usd", 1, "currency" },
	{ "a", "r", NULL, NULL, "US", 1, "currency" },
	{ "a\tb", "r", NULL, NULL, "", 1, "instance_type: byte 2" },
	{ "a", "r\x7f", NULL, NULL, "", 1, "region: byte 2" },
	{ "a", "r", "z\xc2\x9b", NULL, "", 1, "zone: byte 2" },
	{ "a", "r", "\xff", NULL, "", 1, "zone: byte 1" },
	{ "a", "r", "\xed\xa0\x80", NULL, "", 1, "zone: byte 1" },
	{ "a", "r", "\xe2\x82", NULL, "", 1, "zone: byte 1" },
	{ "a", "r", "\xc0\xaf", NULL, "", 1, "zone: byte 1" },
	{ "a", "r", "\xf4\x90\x80\x80", NULL, "", 1, "zone: byte 1" },
	{ "a", "r", NULL, "G\n", "", 1, "accelerator: byte 2" },
	{ long_text, "r", NULL, NULL, "", 1, "longer than 255" },
};

START_TEST(what_cannot_be_read_back_is_refused)
{
	struct souk_offer in = offer(refused[_i].type, refused[_i].region, refused[_i].zone,
				     refused[_i].micros, -1);
	size_t size;
	void *image;

	memset(long_text, 'x', sizeof(long_text) - 1);
	in.accelerator = refused[_i].gpu;
	in.accelerator_milli = 1000;
	memcpy(in.currency, refused[_i].currency, strlen(refused[_i].currency) + 1);
	FAILS(souk_catalog_image(&seed, &in, 1, &image, &size, &err), SOUK_E_INVALID,
	      refused[_i].text);
	ck_assert_msg(strstr(err.message, "offer 1: ") == err.message, "%s", err.message);
}
END_TEST

START_TEST(an_accelerator_without_number_is_refused)
{
	struct souk_offer in = gpu("a", "r", "H100", 0, 1, -1);
	size_t size;
	void *image;

	FAILS(souk_catalog_image(&seed, &in, 1, &image, &size, &err), SOUK_E_INVALID, "no number");
}
END_TEST

static const struct {
	struct souk_catalog_origin origin;
	const char *text;
} origins[] = {
	{ { "", "seed", "", NULL }, "provider's name" },
	{ { "Acme", "seed", "", NULL }, "provider's name" },
	{ { "../acme", "seed", "", NULL }, "provider's name" },
	{ { "a.b", "seed", "", NULL }, "provider's name" },
	{ { "acme", "", "", NULL }, "source" },
	{ { "acme", "a-source-of-17-ch", "", NULL }, "source" },
	{ { "acme", "live", "2026-7-1", NULL }, "date" },
	{ { "acme", "live", "2026-13-01", NULL }, "date" },
	{ { "acme", "live", "2026-00-01", NULL }, "date" },
	{ { "acme", "live", "2026-01-32", NULL }, "date" },
	{ { "acme", "live", "2026-01-01x", NULL }, "date" },
	{ { "acme", "live", "", "two\nlines" }, "note" },
	{ { "acme", "live", "", long_text }, "note" },
};

START_TEST(wrong_origins_are_refused)
{
	size_t size;
	void *image;

	memset(long_text, 'x', sizeof(long_text) - 1);
	FAILS(souk_catalog_image(&origins[_i].origin, NULL, 0, &image, &size, &err), SOUK_E_INVALID,
	      origins[_i].text);
}
END_TEST

/* ---- Torn and damaged files ---- */

static uint8_t *image_of(size_t n, size_t *size_out)
{
	struct souk_offer *offers = many(n);
	void *image;

	OK(souk_catalog_image(&seed, offers, n, &image, size_out, &err));
	free(offers);
	return image;
}

static int open_copy(const uint8_t *image, size_t size, struct souk_catalog_file **file_out)
{
	uint8_t *copy = malloc(size + 1);

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, image, size);
	return souk_catalog_file_open_image(copy, size, file_out, &err);
}

START_TEST(a_truncated_file_is_refused)
{
	struct souk_catalog_file *file;
	size_t size, cut, i;
	uint8_t *image = image_of(1500, &size);
	size_t cuts[64], n = 0;

	cuts[n++] = 0;
	cuts[n++] = 1;
	cuts[n++] = CATALOG_MAGIC_BYTES;
	cuts[n++] = CATALOG_HEADER_BYTES - 1;
	cuts[n++] = CATALOG_HEADER_BYTES;
	cuts[n++] = size - 1;
	for (i = 0; i < CATALOG_N_SECTIONS; i++) {
		uint64_t at = catalog_get64(image + HEADER_SECTIONS + i * 16);

		cuts[n++] = at;
		cuts[n++] = at + 1;
		cuts[n++] = at + catalog_get64(image + HEADER_SECTIONS + i * 16 + 8) - 1;
	}
	for (i = 0; i < n; i++) {
		cut = cuts[i];
		if (cut >= size)
			continue;
		scratch_write(scratch_path("torn"), image, cut);
		FAILS(souk_catalog_file_open(scratch_path("torn"), &file, &err), SOUK_E_INVALID,
		      scratch_path("torn"));
		FAILS(open_copy(image, cut, &file), SOUK_E_INVALID, "in memory");
	}
	scratch_write(scratch_path("long"), image, size);
	{
		FILE *more = fopen(scratch_path("long"), "a");

		ck_assert_ptr_nonnull(more);
		fputc(0, more);
		fclose(more);
	}
	FAILS(souk_catalog_file_open(scratch_path("long"), &file, &err), SOUK_E_INVALID,
	      "behind its end");
	free(image);
}
END_TEST

/* Read all that can be read; the first failure. */
static int read_everything(struct souk_catalog_file *file)
{
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	uint32_t *regions = calloc((size_t)head->n_regions + 1, sizeof(*regions));
	struct souk_catalog_accelerator a;
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	uint32_t i, at;
	int ret = SOUK_OK;
	const char *name;

	ck_assert_ptr_nonnull(regions);
	for (i = 0; i < head->n_accelerators && ret == SOUK_OK; i++) {
		ret = souk_catalog_accelerator(file, i, &a, &err);
		if (ret == SOUK_OK)
			ret = souk_catalog_accelerator_regions(file, i, regions, &err);
	}
	for (i = 0; i < head->n_regions && ret == SOUK_OK; i++)
		ret = souk_catalog_region(file, i, &name, &err);
	for (i = 0; i < head->n_types && ret == SOUK_OK; i++) {
		ret = souk_catalog_type(file, i, &type, &err);
		if (ret == SOUK_OK)
			ret = souk_catalog_by_name(file, i, &at, &err);
	}
	for (i = 0; i < head->n_rows && ret == SOUK_OK; i++) {
		ret = souk_catalog_row(file, i, &row, &err);
		if (ret == SOUK_OK)
			ret = souk_catalog_type_of_row(file, i, &at, &err);
	}
	free(regions);
	return ret;
}

START_TEST(a_flipped_bit_is_found)
{
	struct souk_catalog_file *file;
	size_t size, at, block;
	uint8_t *image = image_of(3000, &size);
	size_t first = catalog_get64(image + HEADER_DATA);

	ck_assert_uint_gt(catalog_get32(image + HEADER_N_BLOCKS), 4);
	/* In the header and the table of blocks it is seen at once, behind them when it is read. */
	for (at = 0; at < CATALOG_HEADER_BYTES + 8 * (size_t)catalog_get32(image + HEADER_N_BLOCKS);
	     at += 5) {
		image[at] ^= 0x40;
		FAILS(open_copy(image, size, &file), SOUK_E_INVALID, "");
		image[at] ^= 0x40;
	}
	for (block = first; block < size; block += CATALOG_BLOCK_BYTES) {
		at = block + (size - block < 5000 ? (size - block) / 2 : 4999);
		image[at] ^= 0x01;
		OK(open_copy(image, size, &file));
		FAILS(souk_catalog_file_verify(file, &err), SOUK_E_INVALID, "block");
		souk_catalog_file_close(file);
		OK(open_copy(image, size, &file));
		FAILS(read_everything(file), SOUK_E_INVALID, "does not match its checksum");
		souk_catalog_file_close(file);
		image[at] ^= 0x01;
	}
	OK(open_copy(image, size, &file));
	OK(read_everything(file));
	OK(souk_catalog_file_verify(file, &err));
	souk_catalog_file_close(file);
	free(image);
}
END_TEST

/* Make all checksums right again, as somebody would who wants to lead us astray. */
static void seal(uint8_t *image, size_t size)
{
	size_t first = catalog_get64(image + HEADER_DATA), n = 0, at;

	for (at = first; at < size; at += CATALOG_BLOCK_BYTES) {
		size_t bytes = size - at < CATALOG_BLOCK_BYTES ? size - at : CATALOG_BLOCK_BYTES;

		catalog_put64(image + CATALOG_HEADER_BYTES + n++ * 8,
			      souk_catalog_block_sum(image + at, bytes));
	}
	catalog_put64(image + HEADER_CHECKSUM,
		      souk_catalog_header_sum(image, catalog_get32(image + HEADER_N_BLOCKS)));
}

static const struct {
	enum catalog_section section;
	size_t at;
	uint32_t value;
} wild[] = {
	{ CATALOG_REGIONS, 0, 0xfffffff0 },
	{ CATALOG_ACCELERATORS, ACCELERATOR_NAME, 0x7fffffff },
	{ CATALOG_ACCELERATORS, ACCELERATOR_FIRST_TYPE, 100000 },
	{ CATALOG_ACCELERATORS, ACCELERATOR_N_TYPES, UINT32_MAX },
	{ CATALOG_ACCELERATORS, ACCELERATOR_FIRST_ROW, UINT32_MAX },
	{ CATALOG_ACCELERATORS, ACCELERATOR_N_ROWS, UINT32_MAX },
	{ CATALOG_ACCELERATORS, ACCELERATOR_FIRST_REGION, UINT32_MAX - 2 },
	{ CATALOG_ACCELERATORS, ACCELERATOR_N_REGIONS, 1000 },
	{ CATALOG_ACCELERATOR_REGIONS, 0, 5000 },
	{ CATALOG_ACCELERATOR_REGIONS, 4, 0 },
	{ CATALOG_PLACES, PLACE_REGION, 1000000 },
	{ CATALOG_PLACES, PLACE_ZONE, 0x7fffffff },
	{ CATALOG_PLACES, PLACE_CURRENCY, 0x41414141 },
	{ CATALOG_TYPES, TYPE_NAME, 0x7fffffff },
	{ CATALOG_TYPES, TYPE_ARCH, 0x7fffffff },
	{ CATALOG_TYPES, TYPE_ACCELERATOR, 1000 },
	{ CATALOG_TYPES, TYPE_FIRST_ROW, UINT32_MAX },
	{ CATALOG_TYPES, TYPE_FIRST_ROW, 3 },
	{ CATALOG_TYPES, TYPE_N_ROWS, UINT32_MAX },
	{ CATALOG_NAMES, 0, 1000000 },
	{ CATALOG_ROWS, ROW_PLACE, 0x00ffffff },
};

START_TEST(a_wild_index_is_found)
{
	struct souk_catalog_file *file;
	size_t size;
	uint8_t *image = image_of(1500, &size);
	size_t at = catalog_get64(image + HEADER_SECTIONS + (size_t)wild[_i].section * 16) +
		    wild[_i].at;

	catalog_put32(image + at, wild[_i].value);
	seal(image, size);
	OK(open_copy(image, size, &file));
	FAILS(read_everything(file), SOUK_E_INVALID, "is damaged");
	FAILS(souk_catalog_file_verify(file, &err), SOUK_E_INVALID, "is damaged");
	souk_catalog_file_close(file);
	free(image);
}
END_TEST

START_TEST(a_text_without_end_is_found)
{
	struct souk_catalog_file *file;
	size_t size, at, i;
	uint8_t *image = image_of(1500, &size);

	at = catalog_get64(image + HEADER_SECTIONS);
	for (i = 0; i < catalog_get64(image + HEADER_SECTIONS + 8); i++)
		image[at + i] = 'x';
	seal(image, size);
	OK(open_copy(image, size, &file));
	FAILS(read_everything(file), SOUK_E_INVALID, "no end");
	souk_catalog_file_close(file);
	free(image);
}
END_TEST

static const struct {
	size_t at;
	unsigned bytes;
	uint64_t value;
	const char *text;
} heads[] = {
	{ HEADER_MAGIC, 4, 0, "not a catalogue" },
	{ HEADER_VERSION, 4, 2, "newer than the 1" },
	{ HEADER_VERSION, 4, 0, "makes no sense" },
	{ HEADER_SIZE, 4, 1, "makes no sense" },
	{ HEADER_BLOCK_BYTES, 4, 4096, "makes no sense" },
	{ HEADER_FILE_BYTES, 8, 5, "behind its end" },
	{ HEADER_FILE_BYTES, 8, UINT64_MAX, "end is missing" },
	{ HEADER_DATA, 8, UINT64_MAX, "table of blocks" },
	{ HEADER_DATA, 8, 0, "table of blocks" },
	{ HEADER_N_BLOCKS, 4, UINT32_MAX, "table of blocks" },
	{ HEADER_N_ROWS, 4, UINT32_MAX, "section" },
	{ HEADER_N_TYPES, 4, 1, "section" },
	{ HEADER_N_PLACES, 4, 1, "section" },
	{ HEADER_SECTIONS, 8, 0, "section" },
	{ HEADER_SECTIONS, 8, UINT64_MAX, "section" },
	{ HEADER_SECTIONS + 8, 8, UINT64_MAX, "section" },
	{ HEADER_SECTIONS + 8, 8, 0, "section" },
	{ HEADER_SECTIONS + 16, 8, UINT64_MAX, "section" },
	{ HEADER_PROVIDER, 4, 0x2e2e2f2e, "provider" },
	{ HEADER_DATE, 4, 0x20202020, "date" },
	{ HEADER_CURRENCY, 4, 0x20202020, "currency" },
};

START_TEST(a_wrong_head_is_named)
{
	struct souk_catalog_file *file;
	size_t size;
	uint8_t *image = image_of(1500, &size);
	uint32_t n_blocks = catalog_get32(image + HEADER_N_BLOCKS);

	if (heads[_i].bytes == 4)
		catalog_put32(image + heads[_i].at, (uint32_t)heads[_i].value);
	else
		catalog_put64(image + heads[_i].at, heads[_i].value);
	catalog_put64(image + HEADER_CHECKSUM, souk_catalog_header_sum(image, n_blocks));
	scratch_write(scratch_path("wrong"), image, size);
	FAILS(souk_catalog_file_open(scratch_path("wrong"), &file, &err), SOUK_E_INVALID,
	      heads[_i].text);
	ck_assert_msg(strstr(err.message, scratch_path("wrong")) != NULL, "%s", err.message);
	free(image);
}
END_TEST

START_TEST(what_is_no_file_is_refused)
{
	struct souk_catalog_file *file;

	FAILS(souk_catalog_file_open(scratch_path("none"), &file, &err), SOUK_E_NOT_FOUND, "none");
	FAILS(souk_catalog_file_open(scratch, &file, &err), SOUK_E_INVALID, "not a file");
	ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0600), 0);
	FAILS(souk_catalog_file_open(scratch_path("pipe"), &file, &err), SOUK_E_INVALID,
	      "not a file");
	scratch_text(scratch_path("text"), "provider,region\nacme,r1\n");
	FAILS(souk_catalog_file_open(scratch_path("text"), &file, &err), SOUK_E_INVALID,
	      "not a catalogue");
	scratch_text(scratch_path("empty"), "");
	FAILS(souk_catalog_file_open(scratch_path("empty"), &file, &err), SOUK_E_INVALID,
	      "it is empty");
}
END_TEST

/* Opening looks at the head alone, a query at what it returns. */
START_TEST(only_what_is_read_is_checked)
{
	struct souk_catalog_file *file;
	struct souk_catalog_row row;
	size_t size;
	uint8_t *image = image_of(4000, &size);
	uint64_t head;

	OK(open_copy(image, size, &file));
	head = souk_catalog_file_work(file).bytes;
	ck_assert_uint_lt(head, 4096);
	OK(souk_catalog_row(file, 0, &row, &err));
	OK(souk_catalog_row(file, 0, &row, &err));
	ck_assert_uint_eq(souk_catalog_file_work(file).rows, 2);
	ck_assert_uint_le(souk_catalog_file_work(file).bytes, head + 3 * CATALOG_BLOCK_BYTES);
	OK(read_everything(file));
	ck_assert_uint_le(souk_catalog_file_work(file).bytes, size);
	souk_catalog_file_close(file);
	free(image);
}
END_TEST

/* ---- Which file counts ---- */

static void put(const char *path, const char *provider, const char *source, const char *date,
		int64_t micros)
{
	struct souk_catalog_origin origin = { provider, source, date, NULL };
	struct souk_offer in = offer("a", "r", NULL, micros, -1);
	size_t size;
	void *image;

	OK(souk_catalog_image(&origin, &in, 1, &image, &size, &err));
	if (path)
		OK(souk_catalog_file_write_to(path, image, size, &err));
	else
		OK(souk_catalog_file_write(&paths, provider, image, size, &err));
	free(image);
}

static int64_t price_found(const char *provider)
{
	struct souk_catalog_file *file;
	int64_t micros;

	OK(souk_catalog_file_find(&paths, provider, &file, &err));
	ck_assert_str_eq(souk_catalog_file_head(file)->provider, provider);
	micros = row_at(file, 0).micros;
	souk_catalog_file_close(file);
	return micros;
}

START_TEST(the_later_of_cache_and_seed_counts)
{
	struct souk_catalog_file *file;
	int removed = 0;

	FAILS(souk_catalog_file_find(&paths, "acme", &file, &err), SOUK_E_NOT_FOUND, "acme");
	ck_assert_int_eq(souk_catalog_file_exists(&paths, "acme"), 0);
	put(scratch_path("share/catalog/acme.catalog"), "acme", "seed", "2020-07-01", 1);
	ck_assert_int_eq(souk_catalog_file_exists(&paths, "acme"), 1);
	ck_assert_int_eq(price_found("acme"), 1);
	put(NULL, "acme", "live", "2020-07-01", 2);
	ck_assert_int_eq(price_found("acme"), 2);
	put(scratch_path("share/catalog/acme.catalog"), "acme", "seed", "2020-07-02", 3);
	ck_assert_int_eq(price_found("acme"), 3);
	put(scratch_path("data/catalog/acme.catalog"), "acme", "seed", "2020-08-02", 4);
	ck_assert_int_eq(price_found("acme"), 4);
	/* An import whose prices have no date is as old as itself. */
	put(NULL, "acme", "import", "", 5);
	ck_assert_int_eq(price_found("acme"), 5);
	OK(souk_catalog_file_remove(&paths, "acme", &removed, &err));
	ck_assert_int_eq(removed, 1);
	ck_assert_int_eq(price_found("acme"), 4);
	OK(souk_catalog_file_remove(&paths, "acme", &removed, &err));
	ck_assert_int_eq(removed, 0);
	ck_assert_str_eq(log_text, "");
}
END_TEST

START_TEST(a_damaged_file_is_set_aside)
{
	struct souk_catalog_file *file;
	const char *path = scratch_path("cache/catalog/acme.catalog");
	uint8_t *image;
	size_t size;

	put(scratch_path("share/catalog/acme.catalog"), "acme", "seed", "2026-07-01", 1);
	put(NULL, "acme", "live", "2026-08-01", 2);
	image = (uint8_t *)scratch_read(path, &size);
	if (_i == 0)
		size -= 1;
	else if (_i == 1)
		catalog_put32(image + HEADER_VERSION, CATALOG_VERSION + 1);
	else if (_i == 2)
		size = 0;
	scratch_write(path, image, size);
	free(image);
	if (_i == 3)
		put(path, "other", "live", "2026-08-01", 2);
	ck_assert_int_eq(price_found("acme"), 1);
	ck_assert_msg(strstr(log_text, path) != NULL && strstr(log_text, "set aside") != NULL, "%s",
		      log_text);
	ck_assert(!souk_fs_is_file(path));
	ck_assert(souk_fs_is_file(scratch_path("cache/catalog/acme.catalog.damaged")));
	/* The next one is quiet, and a new file counts again. */
	log_text[0] = '\0';
	ck_assert_int_eq(price_found("acme"), 1);
	put(NULL, "acme", "live", "2026-08-02", 3);
	ck_assert_int_eq(price_found("acme"), 3);
	ck_assert_str_eq(log_text, "");
	/* A read that fails later: its file is set aside, but not one that has taken its place. */
	OK(souk_catalog_file_find(&paths, "acme", &file, &err));
	put(NULL, "acme", "live", "2026-08-03", 4);
	ck_assert_int_eq(souk_catalog_file_set_aside(&paths, file), 0);
	souk_catalog_file_close(file);
	OK(souk_catalog_file_find(&paths, "acme", &file, &err));
	ck_assert_int_eq(souk_catalog_file_set_aside(&paths, file), 1);
	souk_catalog_file_close(file);
	ck_assert_int_eq(price_found("acme"), 1);
	OK(souk_catalog_file_find(&paths, "acme", &file, &err));
	ck_assert_int_eq(souk_catalog_file_set_aside(&paths, file), 0);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(a_damaged_seed_is_named)
{
	struct souk_catalog_file *file;

	scratch_text(scratch_path("share/catalog/acme.catalog"), "nonsense");
	FAILS(souk_catalog_file_find(&paths, "acme", &file, &err), SOUK_E_INVALID,
	      scratch_path("share/catalog/acme.catalog"));
	put(NULL, "acme", "live", "2026-08-01", 2);
	ck_assert_int_eq(price_found("acme"), 2);
	ck_assert_msg(strstr(log_text, "not a catalogue") != NULL, "%s", log_text);
}
END_TEST

START_TEST(names_are_found)
{
	struct souk_strv names = { 0 };

	OK(souk_catalog_file_names(&paths, &names, &err));
	ck_assert_uint_eq(names.n, 0);
	put(scratch_path("share/catalog/zeta.catalog"), "zeta", "seed", "2026-07-01", 1);
	put(scratch_path("data/catalog/beta.catalog"), "beta", "seed", "2026-07-01", 1);
	put(NULL, "zeta", "live", "2026-07-01", 1);
	put(NULL, "acme", "live", "2026-07-01", 1);
	scratch_text(scratch_path("cache/catalog/acme.catalog.damaged"), "");
	scratch_text(scratch_path("cache/catalog/old.csv"), "");
	scratch_text(scratch_path("cache/catalog/Not-a-name.catalog"), "");
	scratch_text(scratch_path("cache/catalog/.catalog"), "");
	OK(souk_catalog_file_names(&paths, &names, &err));
	ck_assert_uint_eq(names.n, 3);
	ck_assert_str_eq(names.items[0], "acme");
	ck_assert_str_eq(names.items[1], "beta");
	ck_assert_str_eq(names.items[2], "zeta");
	souk_strv_fini(&names);
}
END_TEST

START_TEST(names_that_lead_elsewhere_are_refused)
{
	struct souk_catalog_file *file;
	int removed;

	FAILS(souk_catalog_file_find(&paths, "../x", &file, &err), SOUK_E_INVALID, "../x");
	FAILS(souk_catalog_file_write(&paths, "a/b", "", 0, &err), SOUK_E_INVALID, "a/b");
	FAILS(souk_catalog_file_remove(&paths, "", &removed, &err), SOUK_E_INVALID, "name");
	ck_assert_int_eq(souk_catalog_file_exists(&paths, "../x"), 0);
}
END_TEST

/* ---- Readers and writers at once ---- */

#define WRITES 40

struct worker {
	pthread_t thread;
	int number;
	int failed;
	char message[SOUK_ERROR_MESSAGE_SIZE];
};

static void *write_many(void *arg)
{
	struct worker *worker = arg;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_origin origin = { "acme", "live", "2026-07-01", NULL };
	struct souk_offer offers[64];
	size_t size, i;
	void *image;
	int n;

	for (n = 0; n < WRITES && !worker->failed; n++) {
		/* Every row of a file has one price: a file that is mixed would be seen. */
		for (i = 0; i < 64; i++)
			offers[i] = offer(i % 2 ? "a" : "b", i % 3 ? "r1" : "r2",
					  i % 5 ? "z" : NULL, 1000 * (worker->number + 1) + n, -1);
		worker->failed = souk_catalog_image(&origin, offers, 64, &image, &size, &own) < 0;
		if (worker->failed)
			break;
		worker->failed = souk_catalog_file_write(&paths, "acme", image, size, &own) < 0;
		free(image);
	}
	if (worker->failed)
		snprintf(worker->message, sizeof(worker->message), "%s", own.message);
	return NULL;
}

static void *find_many(void *arg)
{
	struct worker *worker = arg;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_file *file;
	struct souk_catalog_row row, other;
	uint32_t i;
	int n;

	for (n = 0; n < WRITES && !worker->failed; n++) {
		worker->failed = souk_catalog_file_find(&paths, "acme", &file, &own) < 0 ||
				 souk_catalog_row(file, 0, &row, &own) < 0;
		for (i = 1; !worker->failed && i < souk_catalog_file_head(file)->n_rows; i++)
			worker->failed = souk_catalog_row(file, i, &other, &own) < 0 ||
					 other.micros != row.micros;
		if (!worker->failed)
			souk_catalog_file_close(file);
	}
	if (worker->failed)
		snprintf(worker->message, sizeof(worker->message), "%s", own.message);
	return NULL;
}

START_TEST(writers_and_readers_at_once_end_well)
{
	struct worker workers[4] = { 0 };
	int i;

	put(NULL, "acme", "live", "2026-07-01", 1);
	for (i = 0; i < 4; i++) {
		workers[i].number = i;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL,
						i < 2 ? write_many : find_many, &workers[i]),
				 0);
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		ck_assert_msg(!workers[i].failed, "%d: %s", i, workers[i].message);
	}
	ck_assert_int_ge(price_found("acme") % 1000, WRITES - 1);
	ck_assert_str_eq(log_text, "");
}
END_TEST

static struct souk_catalog_file *shared;

static void *read_shared(void *arg)
{
	struct worker *worker = arg;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_row row;
	uint32_t i, n = souk_catalog_file_head(shared)->n_rows;

	for (i = 0; i < n && !worker->failed; i++)
		worker->failed = souk_catalog_row(shared, worker->number % 2 ? i : n - 1 - i, &row,
						  &own) < 0;
	return NULL;
}

START_TEST(threads_read_one_file)
{
	struct worker workers[4] = { 0 };
	size_t size;
	uint8_t *image = image_of(4000, &size);
	int i;

	OK(open_copy(image, size, &shared));
	for (i = 0; i < 4; i++) {
		workers[i].number = i;
		ck_assert_int_eq(pthread_create(&workers[i].thread, NULL, read_shared, &workers[i]),
				 0);
	}
	for (i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(workers[i].thread, NULL), 0);
		ck_assert_int_eq(workers[i].failed, 0);
	}
	souk_catalog_file_close(shared);
	free(image);
}
END_TEST

/* ---- Several at once ---- */

static struct souk_catalog_file *of_provider(const char *provider, const char *gpu_name)
{
	struct souk_catalog_origin origin = { provider, "live", "2026-07-01", NULL };
	struct souk_offer in = gpu("a", "r", gpu_name, 1, 5, -1);

	return made_with(&origin, &in, 1);
}

START_TEST(a_market_holds_them_in_order)
{
	struct souk_market market = { 0 };
	const char *nearest[3];
	size_t n;

	OK(souk_market_add(&market, of_provider("c", "H100"), &err));
	OK(souk_market_add(&market, of_provider("a", "A100-80GB"), &err));
	OK(souk_market_add(&market, of_provider("b", "H200"), &err));
	OK(souk_market_add(&market, of_provider("d", "H100"), &err));
	OK(souk_market_add(&market, of_provider("e", "Gaudi"), &err));
	FAILS(souk_market_add(&market, of_provider("b", "T4"), &err), SOUK_E_CONFLICT, "'b'");
	ck_assert_uint_eq(market.n, 5);
	ck_assert_str_eq(souk_catalog_file_head(market.files[0])->provider, "a");
	ck_assert_str_eq(souk_catalog_file_head(market.files[4])->provider, "e");
	ck_assert_ptr_eq(souk_market_get(&market, "c"), market.files[2]);
	ck_assert_ptr_null(souk_market_get(&market, "f"));
	n = souk_market_nearest_accelerators(&market, "H1000", nearest, 3);
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(nearest[0], "H100");
	ck_assert_str_eq(nearest[1], "H200");
	ck_assert_str_eq(nearest[2], "A100-80GB");
	ck_assert_uint_eq(souk_market_nearest_accelerators(&market, "H1000", nearest, 1), 1);
	ck_assert_str_eq(nearest[0], "H100");
	ck_assert_uint_eq(souk_market_nearest_accelerators(&market, "zzzzzz", nearest, 3), 0);
	ck_assert_uint_gt(souk_market_work(&market).bytes, 5 * CATALOG_HEADER_BYTES);
	souk_market_fini(&market);
	souk_market_fini(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog-file");
	TCase *tc = tcase_create("files");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, begin, end);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, an_offer_comes_back_whole);
	tcase_add_test(tc, defaults_are_filled_in);
	tcase_add_test(tc, the_head_tells);
	tcase_add_test(tc, nothing_at_all_is_a_catalogue);
	tcase_add_test(tc, types_and_rows_are_in_order);
	tcase_add_test(tc, finds_by_cpus);
	tcase_add_test(tc, finds_by_name_in_any_case);
	tcase_add_test(tc, accelerators_know_their_rows_and_regions);
	tcase_add_test(tc, doubles_are_merged);
	tcase_add_loop_test(tc, prices_that_cannot_be_right_are_marked, 0, SOUK_ARRAY_SIZE(marked));
	tcase_add_test(tc, medians_are_of_one_currency);
	tcase_add_test(tc, the_lowest_price_is_not_a_marked_one);
	tcase_add_test(tc, the_order_of_offers_changes_nothing);
	tcase_add_test(tc, the_hash_is_of_the_contents);
	tcase_add_loop_test(tc, what_cannot_be_read_back_is_refused, 0, SOUK_ARRAY_SIZE(refused));
	tcase_add_test(tc, an_accelerator_without_number_is_refused);
	tcase_add_loop_test(tc, wrong_origins_are_refused, 0, SOUK_ARRAY_SIZE(origins));
	tcase_add_test(tc, a_truncated_file_is_refused);
	tcase_add_test(tc, a_flipped_bit_is_found);
	tcase_add_loop_test(tc, a_wild_index_is_found, 0, SOUK_ARRAY_SIZE(wild));
	tcase_add_test(tc, a_text_without_end_is_found);
	tcase_add_loop_test(tc, a_wrong_head_is_named, 0, SOUK_ARRAY_SIZE(heads));
	tcase_add_test(tc, what_is_no_file_is_refused);
	tcase_add_test(tc, only_what_is_read_is_checked);
	tcase_add_test(tc, the_later_of_cache_and_seed_counts);
	tcase_add_loop_test(tc, a_damaged_file_is_set_aside, 0, 4);
	tcase_add_test(tc, a_damaged_seed_is_named);
	tcase_add_test(tc, names_are_found);
	tcase_add_test(tc, names_that_lead_elsewhere_are_refused);
	tcase_add_test(tc, writers_and_readers_at_once_end_well);
	tcase_add_test(tc, threads_read_one_file);
	tcase_add_test(tc, a_market_holds_them_in_order);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
