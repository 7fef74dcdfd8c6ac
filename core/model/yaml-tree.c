/* SPDX-License-Identifier: Apache-2.0 */
/* yaml-tree.c - the memory of a YAML tree, and what is looked up in it */
#include "model/yaml.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "model/yaml-internal.h"

#define CHUNK_SIZE ((size_t)64 << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

struct souk_yaml_arena {
	struct arena_chunk *chunks;
};

struct souk_yaml_arena *souk_yaml_arena_new(void)
{
	return calloc(1, sizeof(struct souk_yaml_arena));
}

void *souk_yaml_alloc(struct souk_yaml_arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	size_t wanted = (size + _Alignof(max_align_t) - 1) & ~(_Alignof(max_align_t) - 1);
	void *memory;

	if (!chunk || chunk->size - chunk->used < wanted) {
		size_t room = wanted > CHUNK_SIZE ? wanted : CHUNK_SIZE;

		chunk = calloc(1, sizeof(*chunk) + room);
		if (!chunk)
			return NULL;
		chunk->size = room;
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	memory = chunk->data + chunk->used;
	chunk->used += wanted;
	return memory;
}

void souk_yaml_arena_empty(struct souk_yaml_arena *arena)
{
	struct arena_chunk *chunk, *next;

	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	arena->chunks = NULL;
}

static void arena_free(struct souk_yaml_arena *arena)
{
	if (arena)
		souk_yaml_arena_empty(arena);
	free(arena);
}

void souk_yaml_stream_fini(struct souk_yaml_stream *stream)
{
	if (!stream)
		return;
	free(stream->documents);
	arena_free(stream->arena);
	memset(stream, 0, sizeof(*stream));
}

static const struct souk_yaml_entry *find_entry(const struct souk_yaml *map, const char *key)
{
	size_t i;

	if (!map || map->type != SOUK_YAML_MAP)
		return NULL;
	for (i = 0; i < map->n; i++) {
		const struct souk_yaml *candidate = map->entries[i].key;

		if (candidate->type == SOUK_YAML_STR && strcmp(candidate->text, key) == 0)
			return &map->entries[i];
	}
	return NULL;
}

const struct souk_yaml *souk_yaml_get(const struct souk_yaml *map, const char *key)
{
	const struct souk_yaml_entry *entry = find_entry(map, key);

	return entry ? entry->value : NULL;
}

const struct souk_yaml *souk_yaml_key(const struct souk_yaml *map, const char *key)
{
	const struct souk_yaml_entry *entry = find_entry(map, key);

	return entry ? entry->key : NULL;
}

const char *souk_yaml_type_name(const struct souk_yaml *node)
{
	static const char *const names[] = {
		[SOUK_YAML_NULL] = "nothing",	  [SOUK_YAML_BOOL] = "a boolean",
		[SOUK_YAML_INT] = "an integer",	  [SOUK_YAML_FLOAT] = "a number with a fraction",
		[SOUK_YAML_STR] = "a string",	  [SOUK_YAML_DATE] = "a date",
		[SOUK_YAML_LIST] = "a list",	  [SOUK_YAML_MAP] = "a map",
	};

	return node ? names[node->type] : names[SOUK_YAML_NULL];
}
