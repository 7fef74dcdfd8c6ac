/* SPDX-License-Identifier: Apache-2.0 */
/* model/yaml.h - YAML 1.1 text to a tree with marks, as PyYAML's safe_load reads it, bounded */
#ifndef SOUK_MODEL_YAML_H
#define SOUK_MODEL_YAML_H

#include <stdint.h>

#include "model/report.h"

/* Larger files are refused unread. */
#define SOUK_YAML_MAX_BYTES (8u << 20)

enum souk_yaml_type {
	SOUK_YAML_NULL,
	SOUK_YAML_BOOL,
	SOUK_YAML_INT,
	SOUK_YAML_FLOAT,
	SOUK_YAML_STR,
	SOUK_YAML_DATE, /* a date or timestamp; text has its ISO form */
	SOUK_YAML_LIST,
	SOUK_YAML_MAP
};

struct souk_yaml_entry;

/* A node. Owned by its document; aliases share nodes, so the tree is read-only. */
struct souk_yaml {
	enum souk_yaml_type type;
	struct souk_mark mark;
	char *text;	/* scalars: str(value) as Python prints it; for STR the text itself */
	int64_t integer; /* BOOL (0, 1) and INT (saturated; text is exact) */
	double number;	/* INT and FLOAT */
	struct souk_yaml **items; /* LIST */
	struct souk_yaml_entry *entries; /* MAP, in the order of the file, keys unique */
	size_t n;
};

struct souk_yaml_entry {
	struct souk_yaml *key; /* a scalar */
	struct souk_yaml *value;
};

/* The documents of a stream; null ones are left out. */
struct souk_yaml_stream {
	struct souk_yaml **documents;
	size_t n;
	void *arena; /* all nodes */
};

/*
 * Parse 'size' bytes. What is wrong goes to the report; returns SOUK_OK, or INVALID if there
 * is an error in it (bad UTF-8, tab, duplicate key, unsafe tag, text over the limits of
 * yaml.c: 8 MiB of text, 200,000 nodes after aliases, depth 64, scalar of 1 MiB), or NOMEM.
 */
int souk_yaml_parse(const char *text, size_t size, struct souk_yaml_stream *stream_out,
		    struct souk_report *report, struct souk_error *err);
void souk_yaml_stream_fini(struct souk_yaml_stream *stream);

/* The value of a key; NULL if it is not there. */
const struct souk_yaml *souk_yaml_get(const struct souk_yaml *map, const char *key);
/* The key's own node, for its mark. */
const struct souk_yaml *souk_yaml_key(const struct souk_yaml *map, const char *key);

/* "a string", "an integer", "a list" ... for messages. */
const char *souk_yaml_type_name(const struct souk_yaml *node);

#endif
