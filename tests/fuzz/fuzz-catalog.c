/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-catalog.c - any bytes as a table of offers: written as a table and imported again, what was
 * imported is the same catalogue */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "catalog-reader.h"
#include "fuzz.h"
#include "market/accelerator.h"
#include "market/catalog-import.h"

const char fuzz_corpus[] = "catalog";

static const struct souk_catalog_import_options options = {
	.provider = "acme", .source = "import", .date = "2026-07-01", .note = "", .skip_bad = 1,
};

static struct souk_catalog_file *import(const char *data, size_t size, uint32_t *bad_out)
{
	struct souk_catalog_import result = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalog_file *file = NULL;
	char *text = malloc(size + 1);
	size_t i;

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	if (souk_catalog_import_text("offers.csv", text, size, &options, &result, &err) < 0) {
		if (!strstr(err.message, "offers.csv"))
			abort();
		free(text);
		return NULL;
	}
	free(text);
	*bad_out = result.n_bad;
	for (i = 0; i < result.problems.n; i++)
		if (strncmp(result.problems.items[i], "offers.csv:", 11) != 0)
			abort();
	if (result.problems.n > SOUK_CATALOG_PROBLEMS_MAX ||
	    (result.n_bad > 0) != (result.problems.n > 0))
		abort();
	if (result.image) {
		if (souk_catalog_file_open_image(result.image, result.size, &file, &err) < 0)
			abort();
		result.image = NULL;
		if (souk_catalog_file_head(file)->n_rows > result.n_rows)
			abort();
	} else if (result.n_rows > 0) {
		abort();
	}
	souk_catalog_import_fini(&result);
	return file;
}

static void write_text(struct souk_buf *buf, const char *text)
{
	souk_buf_str(buf, "\"");
	for (; *text; text++)
		souk_buf_printf(buf, *text == '"' ? "\"\"" : "%c", *text);
	souk_buf_str(buf, "\",");
}

static void write_price(struct souk_buf *buf, int64_t micros)
{
	if (micros >= 0)
		souk_buf_printf(buf, "%" PRId64 "e-6", micros);
	souk_buf_str(buf, ",");
}

static void write_offer(struct souk_buf *buf, const struct souk_offer *o)
{
	write_text(buf, o->region);
	write_text(buf, o->zone ? o->zone : "");
	write_text(buf, o->instance_type);
	write_text(buf, o->arch);
	write_text(buf, o->accelerator ? o->accelerator : "");
	/* A MiB is 0.0009765625 GiB exactly. */
	souk_buf_printf(buf, "%u.%03u,%" PRIu64 "e-10,%u.%03u,%" PRIu64 "e-10,%" PRIu64 "e-10,",
			o->vcpus_milli / 1000, o->vcpus_milli % 1000, o->memory_mib * 9765625,
			o->accelerator_milli / 1000, o->accelerator_milli % 1000,
			(uint64_t)o->accelerator_memory_mib * 9765625, o->local_disk_mib * 9765625);
	write_price(buf, o->micros_per_hour);
	write_price(buf, o->spot_micros_per_hour);
	souk_buf_printf(buf, "%s,%s%s,", o->currency, o->flags & SOUK_OFFER_FREE ? "free " : "",
			o->flags & SOUK_OFFER_BURSTABLE ? "burstable" : "");
	if (o->available >= 0)
		souk_buf_printf(buf, "%d", (int)o->available);
	souk_buf_str(buf, "\n");
}

static void check_type(const struct souk_catalog_type *type)
{
	if (!type->name[0] || !type->arch[0] ||
	    (type->accelerator != NULL) != (type->accelerator_milli > 0))
		abort();
	if (type->accelerator && souk_accelerator_find(type->accelerator) &&
	    strcmp(souk_accelerator_canonical(type->accelerator), type->accelerator) != 0)
		abort();
}

static void write_table(struct souk_catalog_file *file, struct souk_buf *buf)
{
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	struct souk_offer offer;
	uint32_t i, j;

	souk_buf_str(
		buf,
		"region,zone,instance_type,arch,gpu_name,vcpus,memory_gib,gpu_count,gpu_memory_gib,"
		"local_disk_gib,price_usd_hour,spot_price_usd_hour,currency,flags,available\n");
	for (i = 0; i < souk_catalog_file_head(file)->n_types; i++) {
		if (souk_catalog_type(file, i, &type, NULL) < 0)
			abort();
		check_type(&type);
		for (j = 0; j < type.n_rows; j++) {
			if (souk_catalog_row(file, type.first_row + j, &row, NULL) < 0)
				abort();
			souk_catalog_offer(&type, &row, &offer);
			write_offer(buf, &offer);
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_catalog_file *file, *again;
	uint32_t bad = 0;
	struct souk_buf buf;

	file = import((const char *)data, size, &bad);
	if (!file)
		return 0;
	if (souk_catalog_file_verify(file, NULL) < 0 || reader_all(file) < 0)
		abort();
	souk_buf_init(&buf, 64 << 20);
	write_table(file, &buf);
	if (souk_buf_failed(&buf, NULL))
		abort();
	again = import(buf.data, buf.len, &bad);
	if (!again || bad > 0 ||
	    memcmp(souk_catalog_file_head(file)->hash, souk_catalog_file_head(again)->hash, 16) !=
		    0)
		abort();
	souk_buf_fini(&buf);
	souk_catalog_file_close(file);
	souk_catalog_file_close(again);
	return 0;
}
