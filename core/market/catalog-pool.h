/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-pool.h - sets of texts and of small records: each kept once, known by a number */
#ifndef SOUK_MARKET_CATALOG_POOL_H
#define SOUK_MARKET_CATALOG_POOL_H

#include <stddef.h>
#include <stdint.h>

#include <souk/provider.h>

/* Numbers by hash; 0 is free, else the number plus one. */
struct souk_pool_index {
	uint32_t *slots;
	uint32_t n_slots;	/* a power of two */
};

/* Texts. Zero-initialise. */
struct souk_text_pool {
	char *bytes;
	size_t size, room;
	size_t *offsets;	/* of the texts in 'bytes' */
	uint32_t n, n_room;
	struct souk_pool_index index;
};

/* Records of one size, compared by their bytes. Zero-initialise, but for 'size'. */
struct souk_record_pool {
	size_t size;
	unsigned char *records;
	uint32_t n, n_room;
	struct souk_pool_index index;
};

void souk_text_pool_fini(struct souk_text_pool *pool);
int souk_text_pool_add(struct souk_text_pool *pool, const char *text, size_t len,
		       uint32_t *number_out, struct souk_error *err);
static inline const char *souk_text_pool_get(const struct souk_text_pool *pool, uint32_t number)
{
	return pool->bytes + pool->offsets[number];
}

void souk_record_pool_fini(struct souk_record_pool *pool);
int souk_record_pool_add(struct souk_record_pool *pool, const void *record, uint32_t *number_out,
			 struct souk_error *err);
static inline void *souk_record_pool_get(const struct souk_record_pool *pool, uint32_t number)
{
	return pool->records + (size_t)number * pool->size;
}

#endif
