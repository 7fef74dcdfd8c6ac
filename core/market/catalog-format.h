/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-format.h - the layout of a catalogue file; docs/catalog-format.md explains it */
#ifndef SOUK_MARKET_CATALOG_FORMAT_H
#define SOUK_MARKET_CATALOG_FORMAT_H

#include <endian.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <souk/provider.h>

/* Numbers are little-endian. Offsets are in bytes. */
#define CATALOG_MAGIC "SOUKCAT\x1a"
#define CATALOG_MAGIC_BYTES 8
#define CATALOG_VERSION 1
#define CATALOG_BLOCK_BYTES 16384
#define CATALOG_TEXT_MAX 255

enum catalog_section {
	CATALOG_STRINGS,	/* texts, each ended by NUL; the first is empty */
	CATALOG_REGIONS,	/* u32: a string; ascending */
	CATALOG_ACCELERATORS,	/* CATALOG_ACCELERATOR_BYTES each, by name without regard to case */
	CATALOG_ACCELERATOR_REGIONS, /* u32: a region; one run per accelerator, ascending */
	CATALOG_PLACES,		/* CATALOG_PLACE_BYTES each */
	CATALOG_TYPES,		/* CATALOG_TYPE_BYTES each */
	CATALOG_NAMES,		/* u32: a type; by name without regard to case */
	CATALOG_ROWS,		/* CATALOG_ROW_BYTES each */
	CATALOG_N_SECTIONS
};

/* The header, and where its fields are. */
enum {
	HEADER_MAGIC = 0,
	HEADER_VERSION = 8,
	HEADER_SIZE = 12,	/* u32: CATALOG_HEADER_BYTES */
	HEADER_FILE_BYTES = 16,
	HEADER_MADE_AT = 24,
	HEADER_HASH = 32,	/* 16 bytes */
	HEADER_BLOCK_BYTES = 48,
	HEADER_N_BLOCKS = 52,
	HEADER_DATA = 56,	/* u64: where the first block begins */
	HEADER_N_ROWS = 64,
	HEADER_N_TYPES = 68,
	HEADER_N_ACCELERATORS = 72,
	HEADER_N_REGIONS = 76,
	HEADER_N_PLACES = 80,
	HEADER_N_ACCELERATOR_REGIONS = 84,
	HEADER_CURRENCY = 88,	/* 4 bytes */
	HEADER_SECTIONS = 96,	/* per section u64 offset, u64 bytes */
	HEADER_PROVIDER = 224,	/* 64 bytes, ended by NUL, as the next three */
	HEADER_SOURCE = 288,	/* 16 */
	HEADER_DATE = 304,	/* 16 */
	HEADER_NOTE = 320,	/* 256 */
	HEADER_CHECKSUM = 760,	/* u64: of the header before it and of the table of blocks */
	CATALOG_HEADER_BYTES = 768
};

#define HEADER_PROVIDER_BYTES 64
#define HEADER_SOURCE_BYTES 16
#define HEADER_DATE_BYTES 16
#define HEADER_NOTE_BYTES 256

enum {
	ACCELERATOR_NAME = 0,
	ACCELERATOR_MEMORY = 4,
	ACCELERATOR_FIRST_TYPE = 8,
	ACCELERATOR_N_TYPES = 12,
	ACCELERATOR_FIRST_ROW = 16,
	ACCELERATOR_N_ROWS = 20,
	ACCELERATOR_FIRST_REGION = 24,
	ACCELERATOR_N_REGIONS = 28,
	ACCELERATOR_MICROS = 32,
	ACCELERATOR_SPOT_MICROS = 40,
	CATALOG_ACCELERATOR_BYTES = 48
};

enum {
	PLACE_REGION = 0,	/* a region */
	PLACE_ZONE = 4,		/* a string, or CATALOG_NONE */
	PLACE_CURRENCY = 8,	/* 4 bytes */
	CATALOG_PLACE_BYTES = 12
};

enum {
	TYPE_NAME = 0,
	TYPE_ARCH = 4,
	TYPE_ACCELERATOR = 8,	/* an accelerator, or CATALOG_NONE */
	TYPE_MILLI = 12,
	TYPE_ACCELERATOR_MEMORY = 16,
	TYPE_VCPUS = 20,
	TYPE_FLAGS = 24,
	TYPE_FIRST_ROW = 28,
	TYPE_N_ROWS = 32,
	TYPE_MEMORY = 40,
	TYPE_DISK = 48,
	TYPE_LOWEST = 56,
	TYPE_LOWEST_SPOT = 64,
	TYPE_MEDIAN = 72,
	TYPE_MEDIAN_SPOT = 80,
	CATALOG_TYPE_BYTES = 88
};

enum {
	ROW_MICROS = 0,
	ROW_SPOT_MICROS = 8,
	ROW_PLACE = 16,		/* the low 24 bits; the high 8 are the marks */
	ROW_AVAILABLE = 20,
	CATALOG_ROW_BYTES = 24
};

#define CATALOG_NONE UINT32_MAX
#define CATALOG_PLACES_MAX (UINT32_C(1) << 24)
#define CATALOG_ROWS_MAX (UINT32_C(1) << 26)

static inline uint32_t catalog_get32(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return le32toh(value);
}

static inline uint64_t catalog_get64(const uint8_t *at)
{
	uint64_t value;

	memcpy(&value, at, sizeof(value));
	return le64toh(value);
}

static inline void catalog_put32(uint8_t *at, uint32_t value)
{
	value = htole32(value);
	memcpy(at, &value, sizeof(value));
}

static inline void catalog_put64(uint8_t *at, uint64_t value)
{
	value = htole64(value);
	memcpy(at, &value, sizeof(value));
}

/* catalog-hash.c: the checksum of a block, that of the header and its table of n blocks, the hash
 * of the contents of a whole file, whatever its header says of hash, checksum and time. */
uint64_t souk_catalog_block_sum(const uint8_t *data, size_t size);
uint64_t souk_catalog_header_sum(const uint8_t *header, uint32_t n_blocks);
int souk_catalog_content_hash(const uint8_t *file, size_t size, uint8_t hash_out[16],
			      struct souk_error *err);

/* strcasecmp() for ASCII, the same in every locale. */
int souk_catalog_casecmp(const char *a, const char *b);

/* May this be a provider's name, and so a part of a file's? */
int souk_catalog_is_provider(const char *name);

/* "" or "2026-07-20". */
int souk_catalog_is_date(const char *date);

#endif
