/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-pool.c - sets of texts and of small records: each kept once, known by a number */
#include "market/catalog-pool.h"

#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/error.h"

#define N_MAX (UINT32_C(1) << 30)

/* Make room for one more element. 0, or -1 on no memory, or when there are too many to number. */
static int grow(void **array, uint32_t n, uint32_t *room, size_t size)
{
	uint32_t larger = *room ? *room * 2 : 64;
	void *moved;

	if (n < *room)
		return 0;
	if (n >= N_MAX || size > SIZE_MAX / larger)
		return -1;
	moved = realloc(*array, larger * size);
	if (!moved)
		return -1;
	*array = moved;
	*room = larger;
	return 0;
}

/* ---- The index ---- */

/* Where the search for a hash begins and goes on: the pool compares. */
#define EACH_SLOT(index, hash, i)                                                                  \
	for (i = (uint32_t)(hash) & ((index)->n_slots - 1); (index)->slots[i];                     \
	     i = (i + 1) & ((index)->n_slots - 1))

/* Make room for one more of n numbers: at most half of the slots are used. */
static int index_grow(struct souk_pool_index *index, uint32_t n, const void *pool,
		      uint64_t (*hash_of)(const void *pool, uint32_t number))
{
	uint32_t n_slots = index->n_slots ? index->n_slots * 2 : 256;
	uint32_t *slots, i, number;
	struct souk_pool_index larger;

	if (n < index->n_slots / 2)
		return 0;
	slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -1;
	larger = (struct souk_pool_index){ slots, n_slots };
	for (number = 0; number < n; number++) {
		uint64_t hash = hash_of(pool, number);

		EACH_SLOT(&larger, hash, i)
			;
		slots[i] = number + 1;
	}
	free(index->slots);
	*index = larger;
	return 0;
}

/* ---- Texts ---- */

static uint64_t hash_text(const void *opaque, uint32_t number)
{
	const char *text = souk_text_pool_get(opaque, number);

	return XXH3_64bits(text, strlen(text));
}

void souk_text_pool_fini(struct souk_text_pool *pool)
{
	free(pool->bytes);
	free(pool->offsets);
	free(pool->index.slots);
	*pool = (struct souk_text_pool){ 0 };
}

static int append_text(struct souk_text_pool *pool, const char *text, size_t len)
{
	size_t room = pool->room ? pool->room : 4096;
	char *bytes;

	while (room - pool->size < len + 1)
		room *= 2;
	if (room != pool->room) {
		bytes = realloc(pool->bytes, room);
		if (!bytes)
			return -1;
		pool->bytes = bytes;
		pool->room = room;
	}
	memcpy(pool->bytes + pool->size, text, len);
	pool->bytes[pool->size + len] = '\0';
	pool->offsets[pool->n++] = pool->size;
	pool->size += len + 1;
	return 0;
}

int souk_text_pool_add(struct souk_text_pool *pool, const char *text, size_t len,
		       uint32_t *number_out, struct souk_error *err)
{
	uint64_t hash = XXH3_64bits(text, len);
	void *offsets = pool->offsets;
	uint32_t i;

	if (index_grow(&pool->index, pool->n, pool, hash_text) < 0)
		return souk_error_nomem(err);
	EACH_SLOT(&pool->index, hash, i) {
		const char *known = souk_text_pool_get(pool, pool->index.slots[i] - 1);

		if (strncmp(known, text, len) == 0 && known[len] == '\0') {
			*number_out = pool->index.slots[i] - 1;
			return SOUK_OK;
		}
	}
	if (grow(&offsets, pool->n, &pool->n_room, sizeof(*pool->offsets)) < 0)
		return souk_error_nomem(err);
	pool->offsets = offsets;
	if (append_text(pool, text, len) < 0)
		return souk_error_nomem(err);
	pool->index.slots[i] = pool->n;
	*number_out = pool->n - 1;
	return SOUK_OK;
}

/* ---- Records ---- */

static uint64_t hash_record(const void *opaque, uint32_t number)
{
	const struct souk_record_pool *pool = opaque;

	return XXH3_64bits(souk_record_pool_get(pool, number), pool->size);
}

void souk_record_pool_fini(struct souk_record_pool *pool)
{
	free(pool->records);
	free(pool->index.slots);
	*pool = (struct souk_record_pool){ .size = pool->size };
}

int souk_record_pool_add(struct souk_record_pool *pool, const void *record, uint32_t *number_out,
			 struct souk_error *err)
{
	uint64_t hash = XXH3_64bits(record, pool->size);
	void *records = pool->records;
	uint32_t i;

	if (index_grow(&pool->index, pool->n, pool, hash_record) < 0)
		return souk_error_nomem(err);
	EACH_SLOT(&pool->index, hash, i)
		if (memcmp(souk_record_pool_get(pool, pool->index.slots[i] - 1), record,
			   pool->size) == 0) {
			*number_out = pool->index.slots[i] - 1;
			return SOUK_OK;
		}
	if (grow(&records, pool->n, &pool->n_room, pool->size) < 0)
		return souk_error_nomem(err);
	pool->records = records;
	memcpy(souk_record_pool_get(pool, pool->n), record, pool->size);
	pool->index.slots[i] = ++pool->n;
	*number_out = pool->n - 1;
	return SOUK_OK;
}
