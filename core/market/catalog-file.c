/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-file.c - a catalogue file: mapped, checked block by block as it is read */
#include "market/catalog-file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "market/catalog-format.h"
#include "market/catalog-internal.h"

/* What a section's elements are, and where the header counts them; strings have no count. */
static const struct {
	uint32_t size;
	uint32_t count_at;
} sections[CATALOG_N_SECTIONS] = {
	[CATALOG_STRINGS] = { 1, 0 },
	[CATALOG_REGIONS] = { 4, HEADER_N_REGIONS },
	[CATALOG_ACCELERATORS] = { CATALOG_ACCELERATOR_BYTES, HEADER_N_ACCELERATORS },
	[CATALOG_ACCELERATOR_REGIONS] = { 4, HEADER_N_ACCELERATOR_REGIONS },
	[CATALOG_PLACES] = { CATALOG_PLACE_BYTES, HEADER_N_PLACES },
	[CATALOG_TYPES] = { CATALOG_TYPE_BYTES, HEADER_N_TYPES },
	[CATALOG_NAMES] = { 4, HEADER_N_TYPES },
	[CATALOG_ROWS] = { CATALOG_ROW_BYTES, HEADER_N_ROWS },
};

static const char *name_of(const struct souk_catalog_file *file)
{
	return file->path ? file->path : "a catalogue in memory";
}

static int damaged(const struct souk_catalog_file *file, struct souk_error *err, const char *what)
{
	souk_error_set(err, SOUK_E_INVALID, "'%s' is damaged: %s", name_of(file), what);
	if (!file->head.provider)
		return SOUK_E_INVALID;
	return souk_error_hint(
		err, "'souk catalog update %s' makes a new one, 'souk catalog rm %s' removes it",
		file->head.provider, file->head.provider);
}

/* ---- Opening ---- */

/* What can be said before the header's checksum is known to be right. */
static int check_frame(const struct souk_catalog_file *file, struct souk_error *err)
{
	const uint8_t *base = file->base;
	uint64_t data, blocks;

	if (file->size < CATALOG_MAGIC_BYTES ||
	    memcmp(base, CATALOG_MAGIC, CATALOG_MAGIC_BYTES) != 0)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is not a catalogue of souk%s",
				      name_of(file), file->size == 0 ? ": it is empty" : "");
	if (file->size < CATALOG_HEADER_BYTES)
		return damaged(file, err, "it ends within its header");
	if (catalog_get32(base + HEADER_VERSION) > CATALOG_VERSION)
		return souk_error_set(
			err, SOUK_E_INVALID,
			"'%s' has version %u of the format, newer than the %u that this souk reads",
			name_of(file), (unsigned)catalog_get32(base + HEADER_VERSION),
			(unsigned)CATALOG_VERSION);
	if (catalog_get32(base + HEADER_VERSION) != CATALOG_VERSION ||
	    catalog_get32(base + HEADER_SIZE) != CATALOG_HEADER_BYTES ||
	    catalog_get32(base + HEADER_BLOCK_BYTES) != CATALOG_BLOCK_BYTES)
		return damaged(file, err, "its header makes no sense");
	if (catalog_get64(base + HEADER_FILE_BYTES) != file->size)
		return damaged(file, err,
			       catalog_get64(base + HEADER_FILE_BYTES) > file->size ?
				       "its end is missing" : "there is something behind its end");
	data = catalog_get64(base + HEADER_DATA);
	blocks = catalog_get32(base + HEADER_N_BLOCKS);
	if (data > file->size || data < CATALOG_HEADER_BYTES + blocks * 8 ||
	    blocks != (file->size - data + CATALOG_BLOCK_BYTES - 1) / CATALOG_BLOCK_BYTES)
		return damaged(file, err, "its table of blocks makes no sense");
	if (souk_catalog_header_sum(base, (uint32_t)blocks) !=
	    catalog_get64(base + HEADER_CHECKSUM))
		return damaged(file, err, "its header does not match its checksum");
	return SOUK_OK;
}

static int check_sections(struct souk_catalog_file *file, struct souk_error *err)
{
	unsigned i;

	for (i = 0; i < CATALOG_N_SECTIONS; i++) {
		const uint8_t *entry = file->base + HEADER_SECTIONS + (size_t)i * 16;
		uint64_t offset = catalog_get64(entry), size = catalog_get64(entry + 8), n;

		n = sections[i].count_at ? catalog_get32(file->base + sections[i].count_at) : size;
		if (offset < file->data || offset > file->size || size > file->size - offset ||
		    size != n * sections[i].size || offset % 4 != 0)
			return damaged(file, err, "a section is not where it should be");
		file->sections[i] = file->base + offset;
	}
	file->strings = catalog_get64(file->base + HEADER_SECTIONS + 8);
	file->n_places = catalog_get32(file->base + HEADER_N_PLACES);
	file->n_accelerator_regions = catalog_get32(file->base + HEADER_N_ACCELERATOR_REGIONS);
	if (file->strings == 0 || file->strings >= CATALOG_NONE ||
	    file->n_places > CATALOG_PLACES_MAX)
		return damaged(file, err, "a section is not where it should be");
	return SOUK_OK;
}

static int is_currency(const uint8_t *text)
{
	unsigned i;

	for (i = 0; i < 3; i++)
		if (text[i] < 'A' || text[i] > 'Z')
			return 0;
	return text[3] == '\0';
}

static int fill_head(struct souk_catalog_file *file, struct souk_error *err)
{
	static const struct {
		uint32_t at, size;
	} texts[] = {
		{ HEADER_PROVIDER, HEADER_PROVIDER_BYTES }, { HEADER_SOURCE, HEADER_SOURCE_BYTES },
		{ HEADER_DATE, HEADER_DATE_BYTES }, { HEADER_NOTE, HEADER_NOTE_BYTES },
	};
	const char *base = (const char *)file->base;
	struct souk_catalog_head head = { .path = file->path ? file->path : "" };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(texts); i++)
		if (!memchr(base + texts[i].at, '\0', texts[i].size))
			return damaged(file, err, "a text of its header has no end");
	head.provider = base + HEADER_PROVIDER;
	head.source = base + HEADER_SOURCE;
	head.date = base + HEADER_DATE;
	head.note = base + HEADER_NOTE;
	head.currency = base + HEADER_CURRENCY;
	if (!souk_catalog_is_provider(head.provider) || !souk_catalog_is_date(head.date) ||
	    !is_currency(file->base + HEADER_CURRENCY))
		return damaged(file, err, "its provider, date or currency makes no sense");
	head.made_at = (int64_t)catalog_get64(file->base + HEADER_MADE_AT);
	head.n_rows = catalog_get32(file->base + HEADER_N_ROWS);
	head.n_types = catalog_get32(file->base + HEADER_N_TYPES);
	head.n_regions = catalog_get32(file->base + HEADER_N_REGIONS);
	head.n_accelerators = catalog_get32(file->base + HEADER_N_ACCELERATORS);
	head.bytes = file->size;
	memcpy(head.hash, file->base + HEADER_HASH, sizeof(head.hash));
	file->head = head;
	return SOUK_OK;
}

static int check(struct souk_catalog_file *file, struct souk_error *err)
{
	int ret = check_frame(file, err);

	if (ret < 0)
		return ret;
	file->data = (size_t)catalog_get64(file->base + HEADER_DATA);
	file->n_blocks = catalog_get32(file->base + HEADER_N_BLOCKS);
	ret = check_sections(file, err);
	if (ret == SOUK_OK)
		ret = fill_head(file, err);
	if (ret < 0)
		return ret;
	file->checked = calloc(file->n_blocks / 64 + 1, sizeof(*file->checked));
	if (!file->checked)
		return souk_error_nomem(err);
	file->work.bytes = CATALOG_HEADER_BYTES + (uint64_t)file->n_blocks * 8;
	return SOUK_OK;
}

static int map(struct souk_catalog_file *file, int fd, struct souk_error *err)
{
	struct stat st;
	void *base;

	if (fstat(fd, &st) < 0)
		return souk_error_errno(err, errno, "cannot look at '%s'", file->path);
	if (!S_ISREG(st.st_mode))
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is not a file", file->path);
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->size = (size_t)st.st_size;
	if (file->size == 0)
		return SOUK_OK;
	base = mmap(NULL, file->size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (base == MAP_FAILED)
		return souk_error_errno(err, errno, "cannot map '%s'", file->path);
	file->base = base;
	return SOUK_OK;
}

int souk_catalog_file_begin(const char *path, struct souk_catalog_file **file_out,
			    struct souk_error *err)
{
	struct souk_catalog_file *file;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return souk_error_errno(err, errno, "cannot open '%s'", path);
	file = calloc(1, sizeof(*file));
	if (file)
		file->path = strdup(path);
	if (!file || !file->path)
		ret = souk_error_nomem(err);
	else
		ret = map(file, fd, err);
	close(fd);
	if (ret < 0) {
		souk_catalog_file_close(file);
		return ret;
	}
	*file_out = file;
	return SOUK_OK;
}

int souk_catalog_file_check(struct souk_catalog_file *file, struct souk_error *err)
{
	return check(file, err);
}

int souk_catalog_file_open(const char *path, struct souk_catalog_file **file_out,
			   struct souk_error *err)
{
	struct souk_catalog_file *file;
	int ret = souk_catalog_file_begin(path, &file, err);

	if (ret < 0)
		return ret;
	ret = check(file, err);
	if (ret < 0) {
		souk_catalog_file_close(file);
		return ret;
	}
	*file_out = file;
	return SOUK_OK;
}

int souk_catalog_file_open_image(void *image, size_t size, struct souk_catalog_file **file_out,
				 struct souk_error *err)
{
	struct souk_catalog_file *file = calloc(1, sizeof(*file));
	int ret;

	if (!file) {
		free(image);
		return souk_error_nomem(err);
	}
	file->image = image;
	file->base = image;
	file->size = size;
	ret = check(file, err);
	if (ret < 0) {
		souk_catalog_file_close(file);
		return ret;
	}
	*file_out = file;
	return SOUK_OK;
}

void souk_catalog_file_close(struct souk_catalog_file *file)
{
	if (!file)
		return;
	if (file->image)
		free(file->image);
	else if (file->base)
		munmap((void *)(uintptr_t)file->base, file->size);
	free(file->checked);
	free(file->path);
	free(file);
}

const struct souk_catalog_head *souk_catalog_file_head(const struct souk_catalog_file *file)
{
	return &file->head;
}

/* ---- Blocks ---- */

/* Counts may miss a few when several threads read: they are for benchmarks, and cost nothing. */
static void count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, __atomic_load_n(counter, __ATOMIC_RELAXED) + n, __ATOMIC_RELAXED);
}

struct souk_catalog_work souk_catalog_file_work(const struct souk_catalog_file *file)
{
	return (struct souk_catalog_work){
		.rows = __atomic_load_n(&file->work.rows, __ATOMIC_RELAXED),
		.types = __atomic_load_n(&file->work.types, __ATOMIC_RELAXED),
		.bytes = __atomic_load_n(&file->work.bytes, __ATOMIC_RELAXED),
	};
}

static int check_block(struct souk_catalog_file *file, size_t block, struct souk_error *err)
{
	const uint8_t *data = file->base + file->data + block * CATALOG_BLOCK_BYTES;
	size_t size = file->size - file->data - block * CATALOG_BLOCK_BYTES;
	uint64_t bit = UINT64_C(1) << (block % 64);

	if (size > CATALOG_BLOCK_BYTES)
		size = CATALOG_BLOCK_BYTES;
	if (souk_catalog_block_sum(data, size) !=
	    catalog_get64(file->base + CATALOG_HEADER_BYTES + block * 8))
		return damaged(file, err, "a block does not match its checksum");
	/* Two threads may have checked it; one counts it. */
	if (!(__atomic_fetch_or(&file->checked[block / 64], bit, __ATOMIC_RELAXED) & bit))
		count(&file->work.bytes, size);
	return SOUK_OK;
}

int souk_catalog_file_check_blocks(struct souk_catalog_file *file, struct souk_error *err)
{
	uint32_t block;
	int ret = SOUK_OK;

	for (block = 0; block < file->n_blocks && ret == SOUK_OK; block++)
		ret = check_block(file, block, err);
	return ret;
}

/* See to it that these bytes of the file, which are inside a section, were checked. */
static inline int need(struct souk_catalog_file *file, const uint8_t *at, size_t size,
		       struct souk_error *err)
{
	size_t first = (size_t)(at - file->base) - file->data;
	size_t last = (first + size - 1) / CATALOG_BLOCK_BYTES;
	size_t block;
	int ret;

	for (block = first / CATALOG_BLOCK_BYTES; block <= last; block++) {
		uint64_t bits = __atomic_load_n(&file->checked[block / 64], __ATOMIC_RELAXED);

		if (bits & (UINT64_C(1) << (block % 64)))
			continue;
		ret = check_block(file, block, err);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* Element i of a section; the caller has checked i. */
static inline int element(struct souk_catalog_file *file, enum catalog_section section, uint32_t i,
			  const uint8_t **at_out, struct souk_error *err)
{
	uint32_t size = sections[section].size;

	*at_out = file->sections[section] + (size_t)i * size;
	return need(file, *at_out, size, err);
}

static int out_of_bounds(const struct souk_catalog_file *file, struct souk_error *err)
{
	return damaged(file, err, "an index in it leads out of it");
}

static int string(struct souk_catalog_file *file, uint32_t offset, const char **text_out,
		  struct souk_error *err)
{
	const uint8_t *at;
	size_t size;
	int ret;

	if (offset >= file->strings)
		return out_of_bounds(file, err);
	at = file->sections[CATALOG_STRINGS] + offset;
	size = file->strings - offset;
	if (size > CATALOG_TEXT_MAX + 1)
		size = CATALOG_TEXT_MAX + 1;
	ret = need(file, at, size, err);
	if (ret < 0)
		return ret;
	if (!memchr(at, '\0', size))
		return damaged(file, err, "a text in it has no end");
	*text_out = (const char *)at;
	return SOUK_OK;
}

static int index_error(const struct souk_catalog_file *file, const char *what, uint32_t i,
		       struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "'%s' has no %s %u", name_of(file), what, i);
}

static int is_range(uint32_t first, uint32_t n, uint32_t size)
{
	return first <= size && n <= size - first;
}

/* ---- Reading ---- */

int souk_catalog_region(struct souk_catalog_file *file, uint32_t i, const char **name_out,
			struct souk_error *err)
{
	const uint8_t *at;
	int ret;

	if (i >= file->head.n_regions)
		return index_error(file, "region", i, err);
	ret = element(file, CATALOG_REGIONS, i, &at, err);
	return ret < 0 ? ret : string(file, catalog_get32(at), name_out, err);
}

int souk_catalog_accelerator(struct souk_catalog_file *file, uint32_t i,
			     struct souk_catalog_accelerator *out, struct souk_error *err)
{
	struct souk_catalog_accelerator a;
	const uint8_t *at;
	int ret;

	if (i >= file->head.n_accelerators)
		return index_error(file, "accelerator", i, err);
	ret = element(file, CATALOG_ACCELERATORS, i, &at, err);
	if (ret < 0)
		return ret;
	a.memory_mib = catalog_get32(at + ACCELERATOR_MEMORY);
	a.first_type = catalog_get32(at + ACCELERATOR_FIRST_TYPE);
	a.n_types = catalog_get32(at + ACCELERATOR_N_TYPES);
	a.first_row = catalog_get32(at + ACCELERATOR_FIRST_ROW);
	a.n_rows = catalog_get32(at + ACCELERATOR_N_ROWS);
	a.n_regions = catalog_get32(at + ACCELERATOR_N_REGIONS);
	a.micros_each = (int64_t)catalog_get64(at + ACCELERATOR_MICROS);
	a.spot_micros_each = (int64_t)catalog_get64(at + ACCELERATOR_SPOT_MICROS);
	if (!is_range(a.first_type, a.n_types, file->head.n_types) ||
	    !is_range(a.first_row, a.n_rows, file->head.n_rows) ||
	    a.n_regions > file->head.n_regions)
		return out_of_bounds(file, err);
	ret = string(file, catalog_get32(at + ACCELERATOR_NAME), &a.name, err);
	if (ret == SOUK_OK)
		*out = a;
	return ret;
}

int souk_catalog_accelerator_regions(struct souk_catalog_file *file, uint32_t accelerator,
				     uint32_t *out, struct souk_error *err)
{
	const uint8_t *at;
	uint32_t first, n, i;
	int ret;

	if (accelerator >= file->head.n_accelerators)
		return index_error(file, "accelerator", accelerator, err);
	ret = element(file, CATALOG_ACCELERATORS, accelerator, &at, err);
	if (ret < 0)
		return ret;
	first = catalog_get32(at + ACCELERATOR_FIRST_REGION);
	n = catalog_get32(at + ACCELERATOR_N_REGIONS);
	if (!is_range(first, n, file->n_accelerator_regions) || n > file->head.n_regions)
		return out_of_bounds(file, err);
	for (i = 0; i < n; i++) {
		ret = element(file, CATALOG_ACCELERATOR_REGIONS, first + i, &at, err);
		if (ret < 0)
			return ret;
		out[i] = catalog_get32(at);
		if (out[i] >= file->head.n_regions || (i > 0 && out[i] <= out[i - 1]))
			return out_of_bounds(file, err);
	}
	return SOUK_OK;
}

static int type_texts(struct souk_catalog_file *file, const uint8_t *at,
		      struct souk_catalog_type *type, struct souk_error *err)
{
	uint32_t accelerator = catalog_get32(at + TYPE_ACCELERATOR);
	const uint8_t *entry;
	int ret;

	ret = string(file, catalog_get32(at + TYPE_NAME), &type->name, err);
	if (ret == SOUK_OK)
		ret = string(file, catalog_get32(at + TYPE_ARCH), &type->arch, err);
	if (ret < 0 || accelerator == CATALOG_NONE)
		return ret;
	if (accelerator >= file->head.n_accelerators)
		return out_of_bounds(file, err);
	ret = element(file, CATALOG_ACCELERATORS, accelerator, &entry, err);
	return ret < 0 ? ret
		       : string(file, catalog_get32(entry + ACCELERATOR_NAME), &type->accelerator,
				err);
}

int souk_catalog_type(struct souk_catalog_file *file, uint32_t i, struct souk_catalog_type *out,
		      struct souk_error *err)
{
	struct souk_catalog_type type = { 0 };
	const uint8_t *at;
	int ret;

	if (i >= file->head.n_types)
		return index_error(file, "type", i, err);
	ret = element(file, CATALOG_TYPES, i, &at, err);
	if (ret == SOUK_OK)
		ret = type_texts(file, at, &type, err);
	if (ret < 0)
		return ret;
	type.accelerator_milli = catalog_get32(at + TYPE_MILLI);
	type.accelerator_memory_mib = catalog_get32(at + TYPE_ACCELERATOR_MEMORY);
	type.vcpus_milli = catalog_get32(at + TYPE_VCPUS);
	type.flags = catalog_get32(at + TYPE_FLAGS);
	type.first_row = catalog_get32(at + TYPE_FIRST_ROW);
	type.n_rows = catalog_get32(at + TYPE_N_ROWS);
	type.memory_mib = catalog_get64(at + TYPE_MEMORY);
	type.local_disk_mib = catalog_get64(at + TYPE_DISK);
	type.lowest_micros = (int64_t)catalog_get64(at + TYPE_LOWEST);
	type.lowest_spot_micros = (int64_t)catalog_get64(at + TYPE_LOWEST_SPOT);
	type.median_micros = (int64_t)catalog_get64(at + TYPE_MEDIAN);
	type.median_spot_micros = (int64_t)catalog_get64(at + TYPE_MEDIAN_SPOT);
	if (!is_range(type.first_row, type.n_rows, file->head.n_rows))
		return out_of_bounds(file, err);
	count(&file->work.types, 1);
	*out = type;
	return SOUK_OK;
}

int souk_catalog_row(struct souk_catalog_file *file, uint32_t i, struct souk_catalog_row *out,
		     struct souk_error *err)
{
	struct souk_catalog_row row = { 0 };
	const uint8_t *at, *place;
	uint32_t number, zone;
	int ret;

	if (i >= file->head.n_rows)
		return index_error(file, "row", i, err);
	ret = element(file, CATALOG_ROWS, i, &at, err);
	if (ret < 0)
		return ret;
	number = catalog_get32(at + ROW_PLACE);
	row.marks = number >> 24;
	number &= CATALOG_PLACES_MAX - 1;
	if (number >= file->n_places)
		return out_of_bounds(file, err);
	ret = element(file, CATALOG_PLACES, number, &place, err);
	if (ret < 0)
		return ret;
	if (catalog_get32(place + PLACE_REGION) >= file->head.n_regions ||
	    !is_currency(place + PLACE_CURRENCY))
		return out_of_bounds(file, err);
	row.currency = (const char *)place + PLACE_CURRENCY;
	zone = catalog_get32(place + PLACE_ZONE);
	ret = souk_catalog_region(file, catalog_get32(place + PLACE_REGION), &row.region, err);
	if (ret == SOUK_OK && zone != CATALOG_NONE)
		ret = string(file, zone, &row.zone, err);
	if (ret < 0)
		return ret;
	row.micros = (int64_t)catalog_get64(at + ROW_MICROS);
	row.spot_micros = (int64_t)catalog_get64(at + ROW_SPOT_MICROS);
	row.available = (int32_t)catalog_get32(at + ROW_AVAILABLE);
	count(&file->work.rows, 1);
	*out = row;
	return SOUK_OK;
}

/* ---- Searching ---- */

int souk_catalog_type_of_row(struct souk_catalog_file *file, uint32_t row, uint32_t *type_out,
			     struct souk_error *err)
{
	uint32_t low = 0, high = file->head.n_types;
	const uint8_t *at;
	int ret;

	if (row >= file->head.n_rows)
		return index_error(file, "row", row, err);
	/* The last type that begins at or before the row. */
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		ret = element(file, CATALOG_TYPES, middle, &at, err);
		if (ret < 0)
			return ret;
		if (catalog_get32(at + TYPE_FIRST_ROW) <= row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0)
		return out_of_bounds(file, err);
	ret = element(file, CATALOG_TYPES, low - 1, &at, err);
	if (ret < 0)
		return ret;
	if (row - catalog_get32(at + TYPE_FIRST_ROW) >= catalog_get32(at + TYPE_N_ROWS))
		return out_of_bounds(file, err);
	*type_out = low - 1;
	return SOUK_OK;
}

int souk_catalog_first_by_cpus(struct souk_catalog_file *file, uint32_t vcpus_milli,
			       uint32_t *first_out, struct souk_error *err)
{
	uint32_t low = 0, high = file->head.n_types;
	const uint8_t *at;
	int ret;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		ret = element(file, CATALOG_TYPES, middle, &at, err);
		if (ret < 0)
			return ret;
		if (catalog_get32(at + TYPE_ACCELERATOR) != CATALOG_NONE ||
		    catalog_get32(at + TYPE_VCPUS) < vcpus_milli)
			low = middle + 1;
		else
			high = middle;
	}
	*first_out = low;
	return SOUK_OK;
}

int souk_catalog_find_accelerator(struct souk_catalog_file *file, const char *name, uint32_t *i_out,
				  struct souk_error *err)
{
	uint32_t low = 0, high = file->head.n_accelerators;
	const uint8_t *at;
	const char *text;
	int ret, order;

	name = souk_accelerator_canonical(name);
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		ret = element(file, CATALOG_ACCELERATORS, middle, &at, err);
		if (ret == SOUK_OK)
			ret = string(file, catalog_get32(at + ACCELERATOR_NAME), &text, err);
		if (ret < 0)
			return ret;
		order = souk_catalog_casecmp(text, name);
		if (order == 0) {
			*i_out = middle;
			return SOUK_OK;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*i_out = file->head.n_accelerators;
	return SOUK_OK;
}

int souk_catalog_by_name(struct souk_catalog_file *file, uint32_t position, uint32_t *type_out,
			 struct souk_error *err)
{
	const uint8_t *at;
	int ret;

	if (position >= file->head.n_types)
		return index_error(file, "name", position, err);
	ret = element(file, CATALOG_NAMES, position, &at, err);
	if (ret < 0)
		return ret;
	if (catalog_get32(at) >= file->head.n_types)
		return out_of_bounds(file, err);
	*type_out = catalog_get32(at);
	return SOUK_OK;
}

static int name_at(struct souk_catalog_file *file, uint32_t position, const char **name_out,
		   struct souk_error *err)
{
	const uint8_t *at;
	uint32_t type;
	int ret;

	ret = souk_catalog_by_name(file, position, &type, err);
	if (ret < 0)
		return ret;
	ret = element(file, CATALOG_TYPES, type, &at, err);
	return ret < 0 ? ret : string(file, catalog_get32(at + TYPE_NAME), name_out, err);
}

/* The first position whose name is not below 'name', or, with 'behind', is above it. */
static int halve_names(struct souk_catalog_file *file, const char *name, int behind,
		       uint32_t *position_out, struct souk_error *err)
{
	uint32_t low = 0, high = file->head.n_types;
	const char *text;
	int ret;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		ret = name_at(file, middle, &text, err);
		if (ret < 0)
			return ret;
		if (souk_catalog_casecmp(text, name) < behind)
			low = middle + 1;
		else
			high = middle;
	}
	*position_out = low;
	return SOUK_OK;
}

int souk_catalog_find_name(struct souk_catalog_file *file, const char *name, uint32_t *first_out,
			   uint32_t *n_out, struct souk_error *err)
{
	uint32_t first, end;
	int ret;

	ret = halve_names(file, name, 0, &first, err);
	if (ret == SOUK_OK)
		ret = halve_names(file, name, 1, &end, err);
	if (ret < 0)
		return ret;
	*first_out = first;
	*n_out = end > first ? end - first : 0;
	return SOUK_OK;
}

/* ---- Offers ---- */

void souk_catalog_offer(const struct souk_catalog_type *type, const struct souk_catalog_row *row,
			struct souk_offer *offer_out)
{
	*offer_out = (struct souk_offer){
		SOUK_OFFER_HEAD,
		.flags = type->flags,
		.instance_type = type->name,
		.region = row->region,
		.zone = row->zone,
		.arch = type->arch,
		.accelerator = type->accelerator,
		.accelerator_milli = type->accelerator_milli,
		.accelerator_memory_mib = type->accelerator_memory_mib,
		.vcpus_milli = type->vcpus_milli,
		.memory_mib = type->memory_mib,
		.local_disk_mib = type->local_disk_mib,
		.micros_per_hour = row->micros,
		.spot_micros_per_hour = row->spot_micros,
	};
	offer_out->available = row->available;
	memcpy(offer_out->currency, row->currency, sizeof(offer_out->currency));
}
