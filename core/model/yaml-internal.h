/* SPDX-License-Identifier: Apache-2.0 */
/* model/yaml-internal.h - between the two halves of the YAML reader: structure and scalars */
#ifndef SOUK_MODEL_YAML_INTERNAL_H
#define SOUK_MODEL_YAML_INTERNAL_H

#include "model/yaml.h"

/* Memory that is given back all at once. */
struct souk_yaml_arena;

/* Zeroed memory from the arena; NULL on no memory. */
void *souk_yaml_alloc(struct souk_yaml_arena *arena, size_t size);

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
