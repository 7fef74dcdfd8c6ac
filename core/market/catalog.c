/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog.c - what is on sale: CSV files in, CSV files out */
#include "market/catalog.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/money.h"
#include "base/util.h"
#include "market/accelerator.h"

#define FILE_MAX ((size_t)256 << 20)
#define WRITE_MAX ((size_t)64 << 20)

/* The columns, in their order; docs: souk-offers(1). */
enum column {
	PROVIDER, REGION, ZONE, INSTANCE_TYPE, ARCH, VCPUS, MEMORY_GIB, GPU_NAME, GPU_COUNT,
	GPU_MEMORY_GIB, PRICE, SPOT_PRICE, N_COLUMNS
};

#define HEADER                                                                                     \
	"provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,"             \
	"gpu_memory_gib,price_usd_hour,spot_price_usd_hour"

void souk_catalog_fini(struct souk_catalog *catalog)
{
	size_t i;

	if (!catalog)
		return;
	free(catalog->items);
	souk_strv_fini(&catalog->texts);
	for (i = 0; i < catalog->n_files; i++)
		free(catalog->files[i]);
	free(catalog->files);
	*catalog = (struct souk_catalog){ 0 };
}

int souk_catalog_find_file(const struct souk_paths *paths, const char *provider, char **path_out,
			   const char **source_out, struct souk_error *err)
{
	const char *const folders[] = { paths->cache, paths->datadir };
	static const char *const sources[] = { "live", "seed" };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(folders); i++) {
		char *path;

		if (asprintf(&path, "%s/catalog/%s.csv", folders[i], provider) < 0)
			return souk_error_nomem(err);
		if (souk_fs_is_file(path)) {
			*path_out = path;
			*source_out = sources[i];
			return SOUK_OK;
		}
		free(path);
	}
	return souk_error_set(err, SOUK_E_NOT_FOUND, "no offers of '%s' are known", provider);
}

int souk_catalog_has_file(const struct souk_paths *paths, const char *provider)
{
	SOUK_AUTO_FREE char *path = NULL;
	const char *source;

	return souk_catalog_find_file(paths, provider, &path, &source, NULL) == SOUK_OK;
}

static int keep_file(struct souk_catalog *catalog, char *text, struct souk_error *err)
{
	void *files = souk_array_grow(catalog->files, catalog->n_files, sizeof(*catalog->files));

	if (!files) {
		free(text);
		return souk_error_nomem(err);
	}
	catalog->files = files;
	catalog->files[catalog->n_files++] = text;
	return SOUK_OK;
}

static int add_item(struct souk_catalog *catalog, const struct souk_catalog_offer *item,
		    struct souk_error *err)
{
	void *items = souk_array_grow(catalog->items, catalog->n, sizeof(*catalog->items));

	if (!items)
		return souk_error_nomem(err);
	catalog->items = items;
	catalog->items[catalog->n++] = *item;
	return SOUK_OK;
}

/* Cut a line at its commas, in place. These files have no quotes: no name contains a comma. */
static unsigned split_line(char *line, char *fields[N_COLUMNS])
{
	unsigned n = 0;

	for (;;) {
		char *comma = strchr(line, ',');

		if (n == N_COLUMNS)
			return N_COLUMNS + 1;
		fields[n++] = line;
		if (!comma)
			return n;
		*comma = '\0';
		line = comma + 1;
	}
}

static int parse_gib(const char *what, const char *text, uint64_t *mib_out, struct souk_error *err)
{
	uint32_t milli;
	int ret;

	if (!text[0]) {
		*mib_out = 0;
		return SOUK_OK;
	}
	ret = souk_parse_milli(what, text, &milli, err);
	if (ret == SOUK_OK)
		*mib_out = (uint64_t)milli * 1024 / 1000;
	return ret;
}

static int parse_optional_price(const char *what, const char *text, int64_t *micros_out,
				struct souk_error *err)
{
	*micros_out = -1;
	return text[0] ? souk_parse_micros(what, text, micros_out, err) : SOUK_OK;
}

/* What the instance type alone decides. */
static int parse_type(char *const f[N_COLUMNS], struct souk_offer *offer, struct souk_error *err)
{
	uint64_t gpu_memory = 0;

	*offer = (struct souk_offer){ SOUK_OFFER_HEAD };
	offer->arch = f[ARCH][0] ? f[ARCH] : "x86_64";
	offer->accelerator = f[GPU_NAME][0] ? souk_accelerator_canonical(f[GPU_NAME]) : NULL;
	memcpy(offer->currency, "USD", 4);
	if (f[VCPUS][0] && souk_parse_milli("vcpus", f[VCPUS], &offer->vcpus_milli, err) < 0)
		return SOUK_E_INVALID;
	if (f[GPU_COUNT][0] &&
	    souk_parse_milli("gpu_count", f[GPU_COUNT], &offer->accelerator_milli, err) < 0)
		return SOUK_E_INVALID;
	if (parse_gib("memory_gib", f[MEMORY_GIB], &offer->memory_mib, err) < 0 ||
	    parse_gib("gpu_memory_gib", f[GPU_MEMORY_GIB], &gpu_memory, err) < 0)
		return SOUK_E_INVALID;
	if (gpu_memory > UINT32_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "gpu_memory_gib: too large: '%s'",
				      f[GPU_MEMORY_GIB]);
	offer->accelerator_memory_mib = (uint32_t)gpu_memory;
	return SOUK_OK;
}

/* Lines of one instance type stand together and say the same from ARCH to GPU_MEMORY_GIB. */
static int same_type(char *const f[N_COLUMNS], const struct souk_catalog_offer *before)
{
	const char *start = f[INSTANCE_TYPE];
	size_t size = (size_t)(f[PRICE] - start);

	/* The texts of the line before are in the same file, with its commas made NUL likewise. */
	return before && before->offer.instance_type < start &&
	       memcmp(before->offer.instance_type, start, size) == 0;
}

static int parse_fields(char *const f[N_COLUMNS], const struct souk_catalog_offer *before,
			struct souk_offer *offer, struct souk_error *err)
{
	if (!f[INSTANCE_TYPE][0] || !f[REGION][0])
		return souk_error_set(err, SOUK_E_INVALID, "no instance type or no region");
	if (same_type(f, before))
		*offer = before->offer;
	else if (parse_type(f, offer, err) < 0)
		return SOUK_E_INVALID;
	offer->instance_type = f[INSTANCE_TYPE];
	offer->region = f[REGION];
	offer->zone = f[ZONE][0] ? f[ZONE] : NULL;
	if (parse_optional_price("price_usd_hour", f[PRICE], &offer->micros_per_hour, err) < 0 ||
	    parse_optional_price("spot_price_usd_hour", f[SPOT_PRICE],
				 &offer->spot_micros_per_hour, err) < 0)
		return SOUK_E_INVALID;
	return SOUK_OK;
}

/* "# seed 2026-07-20 ..." at the head of a file: the first date in it. */
static const char *date_of_comment(char *line)
{
	char *at = line;

	while ((at = strpbrk(at, "0123456789")) != NULL) {
		size_t len = strspn(at, "0123456789-");

		if (len == 10 && at[4] == '-' && at[7] == '-') {
			at[10] = '\0';
			return at;
		}
		at += len;
	}
	return "";
}

struct reader {
	struct souk_catalog *catalog;
	const char *path;
	const char *provider;
	const char *source;
	const char *date;
	size_t first;	/* item of this file */
	unsigned line;
	int has_header;
};

static int read_line(struct reader *reader, char *line, struct souk_error *err)
{
	struct souk_catalog *catalog = reader->catalog;
	const struct souk_catalog_offer *before;
	struct souk_catalog_offer item;
	char *fields[N_COLUMNS];
	unsigned n;

	reader->line++;
	if (line[0] == '#' && !reader->date[0])
		reader->date = date_of_comment(line + 1);
	if (line[0] == '#' || line[0] == '\0')
		return SOUK_OK;
	if (!reader->has_header) {
		reader->has_header = 1;
		if (strcmp(line, HEADER) != 0)
			return souk_error_set(err, SOUK_E_INVALID, "%s:%u: not the header '%s'",
					      reader->path, reader->line, HEADER);
		return SOUK_OK;
	}
	n = split_line(line, fields);
	if (n != N_COLUMNS)
		return souk_error_set(err, SOUK_E_INVALID, "%s:%u: not %d columns", reader->path,
				      reader->line, N_COLUMNS);
	before = catalog->n > reader->first ? &catalog->items[catalog->n - 1] : NULL;
	if (parse_fields(fields, before, &item.offer, err) < 0)
		return souk_error_prefix(err, "%s:%u", reader->path, reader->line);
	item.provider = reader->provider;
	item.source = reader->source;
	item.date = reader->date;
	return add_item(catalog, &item, err);
}

static int read_text(struct reader *reader, char *text, struct souk_error *err)
{
	int ret = SOUK_OK;
	char *end;

	for (; *text && ret == SOUK_OK; text = end) {
		end = strchrnul(text, '\n');
		if (*end)
			*end++ = '\0';
		ret = read_line(reader, text, err);
	}
	return ret;
}

int souk_catalog_add_text(struct souk_catalog *catalog, const char *path, const char *provider,
			  const char *source, char *text, size_t size, struct souk_error *err)
{
	struct reader reader = { .catalog = catalog, .path = path, .source = source, .date = "",
				 .first = catalog->n };
	int ret;

	ret = keep_file(catalog, text, err);
	if (ret == SOUK_OK && strlen(text) != size)
		ret = souk_error_set(err, SOUK_E_INVALID, "'%s' is damaged: a NUL after %zu bytes", path,
				     strlen(text));
	if (ret == SOUK_OK)
		ret = souk_strv_add(&catalog->texts, provider, err);
	if (ret < 0)
		return ret;
	reader.provider = catalog->texts.items[catalog->texts.n - 1];
	return read_text(&reader, text, err);
}

int souk_catalog_add_file(struct souk_catalog *catalog, const struct souk_paths *paths,
			  const char *provider, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	const char *source;
	size_t size;
	char *text;
	int ret;

	ret = souk_catalog_find_file(paths, provider, &path, &source, err);
	if (ret < 0)
		return ret;
	ret = souk_fs_read(path, FILE_MAX, &text, &size, err);
	if (ret < 0)
		return ret;
	return souk_catalog_add_text(catalog, path, provider, source, text, size, err);
}

/* ---- Counts ---- */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static size_t count_different(const char **texts, size_t n)
{
	size_t i, different = n > 0;

	if (n > 0)
		qsort(texts, n, sizeof(*texts), by_text);
	for (i = 1; i < n; i++)
		different += strcmp(texts[i - 1], texts[i]) != 0;
	return different;
}

int souk_catalog_count(const struct souk_catalog *catalog, size_t *regions_out,
		       size_t *accelerators_out, struct souk_error *err)
{
	SOUK_AUTO_FREE const char **texts = calloc(catalog->n + 1, sizeof(*texts));
	size_t n = 0, i;

	if (!texts)
		return souk_error_nomem(err);
	for (i = 0; i < catalog->n; i++)
		if (catalog->items[i].offer.accelerator)
			texts[n++] = catalog->items[i].offer.accelerator;
	*accelerators_out = count_different(texts, n);
	for (i = 0; i < catalog->n; i++)
		texts[i] = catalog->items[i].offer.region;
	*regions_out = count_different(texts, catalog->n);
	return SOUK_OK;
}

/* ---- From and to modules ---- */

static int own(struct souk_catalog *catalog, const char **slot, struct souk_error *err)
{
	int ret;

	if (!*slot)
		return SOUK_OK;
	ret = souk_strv_add(&catalog->texts, *slot, err);
	if (ret == SOUK_OK)
		*slot = catalog->texts.items[catalog->texts.n - 1];
	return ret;
}

static const char *today(char text[SOUK_TIME_TEXT_SIZE])
{
	souk_time_text(souk_clock_wall_s(), text);
	text[10] = '\0';
	return text;
}

int souk_catalog_add_live(struct souk_catalog *catalog, const char *provider,
			  const struct souk_offer_list *offers, struct souk_error *err)
{
	char date[SOUK_TIME_TEXT_SIZE];
	struct souk_catalog_offer item = { .provider = provider, .source = "live", .date = today(date) };
	size_t i;
	int ret;

	if (own(catalog, &item.provider, err) < 0 || own(catalog, &item.date, err) < 0)
		return SOUK_E_NOMEM;
	for (i = 0; i < offers->n; i++) {
		item.offer = offers->items[i];
		if (!item.offer.arch)
			item.offer.arch = "x86_64";
		if (item.offer.accelerator)
			item.offer.accelerator = souk_accelerator_canonical(item.offer.accelerator);
		if (own(catalog, &item.offer.instance_type, err) < 0 ||
		    own(catalog, &item.offer.region, err) < 0 || own(catalog, &item.offer.zone, err) < 0 ||
		    own(catalog, &item.offer.arch, err) < 0 ||
		    own(catalog, &item.offer.accelerator, err) < 0)
			return SOUK_E_NOMEM;
		ret = add_item(catalog, &item, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static void write_milli(struct souk_buf *buf, uint64_t milli)
{
	if (milli % 1000 == 0)
		souk_buf_printf(buf, "%" PRIu64 ",", milli / 1000);
	else
		souk_buf_printf(buf, "%" PRIu64 ".%03" PRIu64 ",", milli / 1000, milli % 1000);
}

static void write_price(struct souk_buf *buf, int64_t micros, char end)
{
	char text[SOUK_MONEY_TEXT_SIZE];

	souk_buf_printf(buf, "%s%c", micros < 0 ? "" : souk_money_text(micros, text), end);
}

static void write_offer(struct souk_buf *buf, const char *provider, const struct souk_offer *o)
{
	souk_buf_printf(buf, "%s,%s,%s,%s,%s,", provider, o->region, o->zone ? o->zone : "",
			o->instance_type, o->arch ? o->arch : "x86_64");
	write_milli(buf, o->vcpus_milli);
	write_milli(buf, o->memory_mib * 1000 / 1024);
	souk_buf_printf(buf, "%s,", o->accelerator ? souk_accelerator_canonical(o->accelerator) : "");
	if (o->accelerator) {
		write_milli(buf, o->accelerator_milli);
		write_milli(buf, (uint64_t)o->accelerator_memory_mib * 1000 / 1024);
	} else {
		souk_buf_str(buf, ",,");
	}
	write_price(buf, o->micros_per_hour, ',');
	write_price(buf, o->spot_micros_per_hour, '\n');
}

/* These files have no quotes, so a name that would break a line is not written. */
static int check_names(const struct souk_offer *o, struct souk_error *err)
{
	const char *const names[] = { o->region, o->zone, o->instance_type, o->arch, o->accelerator };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(names); i++)
		if (names[i] && names[i][strcspn(names[i], ",\n")])
			return souk_error_set(err, SOUK_E_INVALID,
					      "an offer has a name with a comma or a line break: '%s'",
					      names[i]);
	return SOUK_OK;
}

int souk_catalog_write(const struct souk_paths *paths, const char *provider,
		       const struct souk_offer_list *offers, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = souk_fs_join(paths->cache, "catalog");
	SOUK_AUTO_FREE char *path = NULL;
	char date[SOUK_TIME_TEXT_SIZE];
	struct souk_buf buf;
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < offers->n && ret == SOUK_OK; i++)
		ret = check_names(&offers->items[i], err);
	if (ret < 0)
		return ret;
	if (!folder || asprintf(&path, "%s/%s.csv", folder, provider) < 0) {
		path = NULL;
		return souk_error_nomem(err);
	}
	ret = souk_fs_mkdir(folder, 0700, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&buf, WRITE_MAX);
	souk_buf_printf(&buf, "# live %s\n" HEADER "\n", today(date));
	for (i = 0; i < offers->n; i++)
		write_offer(&buf, provider, &offers->items[i]);
	ret = souk_buf_failed(&buf, err);
	if (ret == SOUK_OK)
		ret = souk_fs_write(path, buf.data, buf.len, 0600, err);
	souk_buf_fini(&buf);
	return ret;
}
