/* SPDX-License-Identifier: Apache-2.0 */
/* model/yaml-internal.h - between the parts of the YAML reader: text, structure, maps, scalars, memory */
#ifndef SOUK_MODEL_YAML_INTERNAL_H
#define SOUK_MODEL_YAML_INTERNAL_H

#include "model/yaml.h"

/* Memory that is given back all at once (yaml-tree.c). NULL on no memory. */
struct souk_yaml_arena;
struct souk_yaml_arena *souk_yaml_arena_new(void);
/* Give back all that it has handed out. */
void souk_yaml_arena_empty(struct souk_yaml_arena *arena);

/* Zeroed memory from the arena; NULL on no memory. */
void *souk_yaml_alloc(struct souk_yaml_arena *arena, size_t size);

/* Is it UTF-8, of characters that YAML 1.1 lets a stream contain (yaml-text.c)? libyaml gives no line
 * for others. INVALID with the first one in the report. */
int souk_yaml_check_characters(const char *text, size_t size, struct souk_report *report);

/* A node with what only the composer needs. */
struct souk_yaml_composed {
	struct souk_yaml node;
	uint32_t weight; /* nodes in it, those behind aliases each time */
	uint32_t bytes;	 /* of text in it, likewise */
	int merge;	 /* a plain '<<' */
};

/*
 * Fill in the entries of a map from its children, keys and values in turn (yaml-map.c). What is wrong
 * with them is in the report. SOUK_OK or NOMEM.
 */
int souk_yaml_fill_map(struct souk_yaml_arena *arena, struct souk_yaml_composed *const *children,
		       size_t n, struct souk_yaml *map, struct souk_report *report,
		       struct souk_error *err);

/* A scalar as the parser delivers it. */
struct souk_yaml_raw {
	const char *text;
	size_t size;
	const char *tag; /* NULL: none */
	int plain;	 /* 1: without quotes, so that its form decides the type */
};

/*
 * Fill in type, text, integer and number of a node, whose mark is set. SOUK_OK (a bad value is
 * in the report, and the node is then a text) or NOMEM.
 */
int souk_yaml_resolve(struct souk_yaml_arena *arena, const struct souk_yaml_raw *raw,
		      struct souk_yaml *node, struct souk_report *report, struct souk_error *err);

#endif
