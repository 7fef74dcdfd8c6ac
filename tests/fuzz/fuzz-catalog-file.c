/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-catalog-file.c - any bytes as a catalogue, as they are and with their checksums made right */
#include <stdlib.h>
#include <string.h>

#include "catalog-reader.h"
#include "fuzz.h"
#include "market/catalog-format.h"

const char fuzz_corpus[] = "catalog-file";

static uint8_t *copy(const uint8_t *data, size_t size)
{
	uint8_t *image = malloc(size + 1);

	if (!image)
		abort();
	if (size)
		memcpy(image, data, size);
	return image;
}

/* Checksums keep out what is damaged by chance; somebody may have made them right. */
static void seal(uint8_t *image, size_t size)
{
	uint64_t first, at, n = 0;

	if (size < CATALOG_HEADER_BYTES)
		return;
	catalog_put64(image + HEADER_FILE_BYTES, size);
	first = catalog_get64(image + HEADER_DATA);
	if (first < CATALOG_HEADER_BYTES || first > size)
		return;
	for (at = first; at < size; at += CATALOG_BLOCK_BYTES, n++) {
		size_t bytes = size - at < CATALOG_BLOCK_BYTES ? size - at : CATALOG_BLOCK_BYTES;

		if (CATALOG_HEADER_BYTES + (n + 1) * 8 > first)
			return;
		catalog_put64(image + CATALOG_HEADER_BYTES + n * 8,
			      souk_catalog_block_sum(image + at, bytes));
	}
	catalog_put32(image + HEADER_N_BLOCKS, (uint32_t)n);
	catalog_put64(image + HEADER_CHECKSUM, souk_catalog_header_sum(image, (uint32_t)n));
}

static void read_image(uint8_t *image, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalog_file *file;

	if (souk_catalog_file_open_image(image, size, &file, &err) < 0) {
		if (err.code != SOUK_E_INVALID || !err.message[0])
			abort();
		return;
	}
	/* What verify finds good can be read to its end. */
	if (souk_catalog_file_verify(file, &err) == SOUK_OK && reader_all(file) < 0)
		abort();
	reader_all(file);
	if (souk_catalog_file_work(file).bytes > size)
		abort();
	souk_catalog_file_close(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *sealed = copy(data, size);

	read_image(copy(data, size), size);
	seal(sealed, size);
	read_image(sealed, size);
	return 0;
}
