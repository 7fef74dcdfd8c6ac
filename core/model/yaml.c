/* SPDX-License-Identifier: Apache-2.0 */
/* yaml.c - YAML documents as trees: libyaml's events composed within limits */
#include "model/yaml.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/error.h"
#include "base/util.h"
#include "model/yaml-internal.h"

#define MAX_NODES 200000u
#define MAX_DEPTH 64
#define MAX_ANCHORS 1000u
#define MAX_SCALAR (1u << 20)
#define MAX_TEXT (16u << 20) /* of all scalars, those behind aliases each time */
#define MAX_PATCHES 64u
#define CHUNK_SIZE ((size_t)64 << 10)

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define TAG_PREFIX "tag:yaml.org,2002:"

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;
	_Alignas(max_align_t) unsigned char data[];
};

struct souk_yaml_arena {
	struct arena_chunk *chunks;
};

/* A node with what only the composer needs. */
struct composed {
	struct souk_yaml node;
	uint32_t weight; /* nodes in it, those behind aliases each time */
	uint32_t bytes;	 /* of text in it, likewise */
	int merge;	 /* a plain '<<' */
};

struct anchor {
	char *name;
	struct composed *node; /* NULL while its content is being read */
};

/* A blank put into the text: its place, counted from 0. */
struct patch {
	size_t line;
	size_t column;
};

struct composer {
	yaml_parser_t parser;
	const char *text;
	size_t size;
	char *patched; /* the text with blanks put in; NULL as long as there are none */
	struct patch patches[MAX_PATCHES];
	size_t n_patches;
	int colon; /* the parser stopped at a colon after which a blank is to be put */
	struct souk_yaml_arena *arena;
	struct souk_report *report;
	struct souk_error *err;
	struct composed **pending; /* children of the collections that are open */
	size_t n_pending;
	struct anchor *anchors;
	size_t n_anchors;
	uint32_t n_nodes;
	uint32_t n_bytes;
	unsigned depth;
};

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

static void arena_empty(struct souk_yaml_arena *arena)
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
		arena_empty(arena);
	free(arena);
}

/* A place in the text as the user has it, without our blanks. */
static struct souk_mark mark_of(const struct composer *c, yaml_mark_t mark)
{
	struct souk_mark place = { (unsigned)mark.line + 1, (unsigned)mark.column + 1 };
	size_t i;

	for (i = 0; i < c->n_patches; i++) {
		if (c->patches[i].line == mark.line && c->patches[i].column < mark.column)
			place.column--;
	}
	return place;
}

/* Decode one character; 0 bytes if it is not UTF-8 in its shortest form. */
static size_t decode(const unsigned char *text, size_t size, uint32_t *character_out)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t length = text[0] < 0x80 ? 1 : text[0] < 0xc2 ? 0 : text[0] < 0xe0 ? 2 :
			text[0] < 0xf0 ? 3 : text[0] < 0xf5 ? 4 : 0;
	uint32_t character;
	size_t i;

	if (length == 0 || length > size)
		return 0;
	character = length == 1 ? text[0] : text[0] & (0xffu >> (length + 1));
	for (i = 1; i < length; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		character = character << 6 | (text[i] & 0x3fu);
	}
	if (character < least[length] || (character >= 0xd800 && character < 0xe000) ||
	    character > 0x10ffff)
		return 0;
	*character_out = character;
	return length;
}

/* The characters that YAML 1.1 lets a stream contain. */
static int allowed(uint32_t c)
{
	return c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c < 0x7f) || c == 0x85 ||
	       (c >= 0xa0 && c < 0xfffe && c != 0xfeff) || c >= 0x10000;
}

/* libyaml gives no line for these, so they are looked for first. */
static int check_characters(struct composer *c)
{
	const unsigned char *text = (const unsigned char *)c->text;
	struct souk_mark mark = { 1, 1 };
	uint32_t character = 0;
	size_t offset, length;

	for (offset = 0; offset < c->size; offset += length) {
		length = decode(text + offset, c->size - offset, &character);
		if (length == 0) {
			souk_report_add(
				c->report, mark, 0,
				"not UTF-8 text: byte 0x%02x at offset %zu; save the file as UTF-8",
				text[offset], offset);
			return SOUK_E_INVALID;
		}
		if (!allowed(character)) {
			souk_report_add(
				c->report, mark, 0,
				"control character U+%04X is not allowed in YAML; remove it",
				(unsigned)character);
			return SOUK_E_INVALID;
		}
		if (character == '\n' ||
		    (character == '\r' && (offset + 1 >= c->size || text[offset + 1] != '\n'))) {
			mark.line++;
			mark.column = 1;
		} else {
			mark.column++;
		}
	}
	return SOUK_OK;
}

/* The line at a mark; NULL past the end. */
static const char *line_at(const struct composer *c, yaml_mark_t mark)
{
	const char *end = c->text + c->size, *line = c->text;
	size_t i;

	for (i = 0; i < mark.line && line; i++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (line)
			line++;
	}
	return line;
}

/* Is the line indented with a tab, or is there one at the place? */
static int tab_at(const struct composer *c, yaml_mark_t mark)
{
	const char *end = c->text + c->size, *line = line_at(c, mark);
	size_t i;

	if (!line)
		return 0;
	for (i = 0; line + i < end && line[i] == ' '; i++)
		;
	if (line + i < end && line[i] == '\t')
		return 1;
	return (size_t)(end - line) > mark.column && line[mark.column] == '\t';
}

/*
 * {H100:, A100: 1} is a map for PyYAML, and an error for libyaml, which wants a blank after
 * the colon. Find the colon that it stopped at; NULL if it stopped for another reason.
 */
static const char *bare_colon(const struct composer *c)
{
	const char *end = c->text + c->size, *p = line_at(c, c->parser.problem_mark);
	size_t column = c->parser.problem_mark.column;

	if (!c->parser.problem || strcmp(c->parser.problem, "found unexpected ':'") != 0 ||
	    c->n_patches == MAX_PATCHES)
		return NULL;
	/* Columns count characters. */
	for (; p && p < end && column > 0; column--) {
		p++;
		while (p < end && ((unsigned char)*p & 0xc0) == 0x80)
			p++;
	}
	return p && end - p > 1 && p[0] == ':' && strchr(",[]{}", p[1]) ? p : NULL;
}

/* Put a blank after the colon that the parser stopped at. */
static int patch_colon(struct composer *c)
{
	const char *colon = bare_colon(c);
	size_t before = (size_t)(colon - c->text) + 1;
	char *text = malloc(c->size + 2);

	if (!text)
		return souk_error_nomem(c->err);
	memcpy(text, c->text, before);
	text[before] = ' ';
	memcpy(text + before + 1, c->text + before, c->size - before);
	text[c->size + 1] = '\0';
	c->patches[c->n_patches].line = c->parser.problem_mark.line;
	c->patches[c->n_patches++].column = c->parser.problem_mark.column + 1;
	free(c->patched);
	c->patched = text;
	c->text = text;
	c->size++;
	return SOUK_OK;
}

static int syntax_error(struct composer *c)
{
	const yaml_parser_t *parser = &c->parser;
	struct souk_mark mark = mark_of(c, parser->problem_mark);

	if (parser->error == YAML_MEMORY_ERROR)
		return souk_error_nomem(c->err);
	c->colon = bare_colon(c) != NULL;
	if (c->colon)
		return SOUK_E_INVALID;
	if (tab_at(c, parser->problem_mark))
		souk_report_add(c->report, mark, 0,
				"a tab where YAML wants spaces; indent with spaces only");
	else if (parser->context)
		souk_report_add(c->report, mark, 0, "not valid YAML: %s (%s, line %zu)",
				parser->problem ? parser->problem : "unreadable", parser->context,
				parser->context_mark.line + 1);
	else
		souk_report_add(c->report, mark, 0, "not valid YAML: %s",
				parser->problem ? parser->problem : "unreadable");
	return SOUK_E_INVALID;
}

static int next_event(struct composer *c, yaml_event_t *event)
{
	return yaml_parser_parse(&c->parser, event) ? SOUK_OK : syntax_error(c);
}

/* Count nodes and their text, those behind an alias too. */
static int weigh(struct composer *c, uint32_t weight, uint32_t bytes, struct souk_mark mark)
{
	if (weight > MAX_NODES - c->n_nodes || bytes > MAX_TEXT - c->n_bytes) {
		souk_report_add(
			c->report, mark, 0,
			"too much: over %u values or %u MiB of text once aliases are followed",
			MAX_NODES, MAX_TEXT >> 20);
		return SOUK_E_INVALID;
	}
	c->n_nodes += weight;
	c->n_bytes += bytes;
	return SOUK_OK;
}

static int new_node(struct composer *c, yaml_mark_t mark, size_t bytes, struct composed **node_out)
{
	struct composed *node;
	int ret;

	ret = weigh(c, 1, (uint32_t)bytes, mark_of(c, mark));
	if (ret < 0)
		return ret;
	node = souk_yaml_alloc(c->arena, sizeof(*node));
	if (!node)
		return souk_error_nomem(c->err);
	node->weight = 1;
	node->bytes = (uint32_t)bytes;
	node->node.mark = mark_of(c, mark);
	*node_out = node;
	return SOUK_OK;
}

static int push(struct composer *c, struct composed *node)
{
	struct composed **pending = souk_array_grow(c->pending, c->n_pending, sizeof(node));

	if (!pending)
		return souk_error_nomem(c->err);
	c->pending = pending;
	pending[c->n_pending++] = node;
	return SOUK_OK;
}

static struct anchor *find_anchor(struct composer *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->n_anchors; i++) {
		if (strcmp(c->anchors[i].name, name) == 0)
			return &c->anchors[i];
	}
	return NULL;
}

/* Remember an anchor; its node comes with close_anchor(), so that it cannot contain itself. */
static int open_anchor(struct composer *c, const yaml_char_t *name, struct souk_mark mark)
{
	struct anchor *anchors, *anchor;

	if (!name)
		return SOUK_OK;
	anchor = find_anchor(c, (const char *)name);
	if (anchor) {
		anchor->node = NULL;
		return SOUK_OK;
	}
	if (c->n_anchors >= MAX_ANCHORS) {
		souk_report_add(c->report, mark, 0, "too many anchors: over %u", MAX_ANCHORS);
		return SOUK_E_INVALID;
	}
	anchors = souk_array_grow(c->anchors, c->n_anchors, sizeof(*anchors));
	if (!anchors)
		return souk_error_nomem(c->err);
	c->anchors = anchors;
	anchors[c->n_anchors].name = souk_strdup((const char *)name);
	if (!anchors[c->n_anchors].name)
		return souk_error_nomem(c->err);
	anchors[c->n_anchors++].node = NULL;
	return SOUK_OK;
}

static void close_anchor(struct composer *c, const yaml_char_t *name, struct composed *node)
{
	if (name)
		find_anchor(c, (const char *)name)->node = node;
}

static void forget_anchors(struct composer *c)
{
	while (c->n_anchors > 0)
		free(c->anchors[--c->n_anchors].name);
	free(c->anchors);
	c->anchors = NULL;
}

static int compose_alias(struct composer *c, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct souk_mark mark = mark_of(c, event->start_mark);
	const struct anchor *anchor = find_anchor(c, name);
	int ret;

	if (!anchor || !anchor->node) {
		souk_report_add(
			c->report, mark, 0,
			anchor ? "alias '*%.80s' stands inside what it refers to"
			       : "alias '*%.80s' refers to an anchor that is not defined before it",
			name);
		return SOUK_E_INVALID;
	}
	ret = weigh(c, anchor->node->weight, anchor->node->bytes, mark);
	return ret < 0 ? ret : push(c, anchor->node);
}

static int compose_scalar(struct composer *c, const yaml_event_t *event)
{
	struct souk_yaml_raw raw = {
		.text = (const char *)event->data.scalar.value,
		.size = event->data.scalar.length,
		.tag = (const char *)event->data.scalar.tag,
		.plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE,
	};
	struct composed *node = NULL;
	int ret;

	if (raw.size > MAX_SCALAR) {
		souk_report_add(c->report, mark_of(c, event->start_mark), 0,
				"a text of %zu bytes is too long: at most %u", raw.size,
				MAX_SCALAR);
		return SOUK_E_INVALID;
	}
	if (memchr(raw.text, '\0', raw.size)) {
		souk_report_add(c->report, mark_of(c, event->start_mark), 0,
				"a text must not contain a NUL character");
		return SOUK_E_INVALID;
	}
	ret = new_node(c, event->start_mark, raw.size, &node);
	if (ret < 0)
		return ret;
	ret = souk_yaml_resolve(c->arena, &raw, &node->node, c->report, c->err);
	if (ret < 0)
		return ret;
	node->merge = raw.plain && !raw.tag && strcmp(raw.text, "<<") == 0;
	ret = open_anchor(c, event->data.scalar.anchor, node->node.mark);
	if (ret < 0)
		return ret;
	close_anchor(c, event->data.scalar.anchor, node);
	return push(c, node);
}

static void check_tag(struct composer *c, const struct souk_yaml *node, const yaml_char_t *tag,
		      const char *const *safe)
{
	const char *text = (const char *)tag;
	size_t i;

	if (!text || strcmp(text, "!") == 0)
		return;
	for (i = 0; safe[i]; i++) {
		if (strncmp(text, TAG_PREFIX, strlen(TAG_PREFIX)) == 0 &&
		    strcmp(text + strlen(TAG_PREFIX), safe[i]) == 0)
			return;
	}
	souk_report_add(c->report, node->mark, 0,
			"tag '%.80s' is not allowed: a file holds plain data; remove the tag",
			text);
}

static int compose_node(struct composer *c, yaml_event_t *event);

/* Compose children until the end event; they are then the last of c->pending. */
static int compose_children(struct composer *c, yaml_event_type_t end, struct composed *parent)
{
	size_t first = c->n_pending, i;
	yaml_event_t event;
	int ret;

	if (c->depth >= MAX_DEPTH) {
		souk_report_add(c->report, parent->node.mark, 0,
				"nested too deeply: over %d levels", MAX_DEPTH);
		return SOUK_E_INVALID;
	}
	c->depth++;
	for (;;) {
		ret = next_event(c, &event);
		if (ret < 0)
			return ret;
		if (event.type == end) {
			yaml_event_delete(&event);
			break;
		}
		ret = compose_node(c, &event);
		yaml_event_delete(&event);
		if (ret < 0)
			return ret;
	}
	c->depth--;
	for (i = first; i < c->n_pending; i++) {
		parent->weight += c->pending[i]->weight;
		parent->bytes += c->pending[i]->bytes;
	}
	return SOUK_OK;
}

static int compose_list(struct composer *c, const yaml_event_t *event)
{
	static const char *const safe[] = { "seq", NULL };
	struct composed *node = NULL;
	size_t first = c->n_pending, i;
	int ret;

	ret = new_node(c, event->start_mark, 0, &node);
	if (ret < 0)
		return ret;
	node->node.type = SOUK_YAML_LIST;
	check_tag(c, &node->node, event->data.sequence_start.tag, safe);
	ret = open_anchor(c, event->data.sequence_start.anchor, node->node.mark);
	if (ret < 0)
		return ret;
	ret = compose_children(c, YAML_SEQUENCE_END_EVENT, node);
	if (ret < 0)
		return ret;
	node->node.n = c->n_pending - first;
	if (node->node.n > 0) {
		node->node.items = souk_yaml_alloc(c->arena, node->node.n * sizeof(void *));
		if (!node->node.items)
			return souk_error_nomem(c->err);
	}
	for (i = 0; i < node->node.n; i++)
		node->node.items[i] = &c->pending[first + i]->node;
	c->n_pending = first;
	close_anchor(c, event->data.sequence_start.anchor, node);
	return push(c, node);
}

/* An entry of a map on its way in: its own, or from a merge key. */
struct slot {
	struct souk_yaml_entry entry;
	size_t order;
	int merged;
};

struct slots {
	struct slot *items;
	size_t n;
};

static int add_slot(struct composer *c, struct slots *slots, struct souk_yaml_entry entry,
		    int merged)
{
	struct slot *items = souk_array_grow(slots->items, slots->n, sizeof(*items));

	if (!items)
		return souk_error_nomem(c->err);
	slots->items = items;
	items[slots->n].entry = entry;
	items[slots->n].order = slots->n;
	items[slots->n].merged = merged;
	slots->n++;
	return SOUK_OK;
}

static int by_key(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;
	int order;

	if (a->entry.key->type != b->entry.key->type)
		return a->entry.key->type < b->entry.key->type ? -1 : 1;
	order = strcmp(a->entry.key->text, b->entry.key->text);
	if (order)
		return order;
	return a->order < b->order ? -1 : a->order > b->order;
}

static int by_order(const void *left, const void *right)
{
	const struct slot *a = left, *b = right;

	return a->order < b->order ? -1 : a->order > b->order;
}

/* Of equal keys the first stays: own ones come before merged ones. Two own ones are a mistake. */
static void drop_repeated(struct composer *c, struct slots *slots)
{
	size_t i, kept = 0;

	if (slots->n == 0)
		return;
	qsort(slots->items, slots->n, sizeof(*slots->items), by_key);
	for (i = 1; i < slots->n; i++) {
		const struct souk_yaml *first = slots->items[kept].entry.key;
		const struct souk_yaml *key = slots->items[i].entry.key;

		if (first->type != key->type || strcmp(first->text, key->text) != 0)
			slots->items[++kept] = slots->items[i];
		else if (!slots->items[i].merged)
			souk_report_add(c->report, key->mark, 0,
					"duplicate key '%.80s': it stands in line %u already",
					key->text, first->mark.line);
	}
	slots->n = kept + 1;
	qsort(slots->items, slots->n, sizeof(*slots->items), by_order);
}

static int merge_map(struct composer *c, struct slots *slots, const struct souk_yaml *map)
{
	size_t i;
	int ret;

	if (map->type != SOUK_YAML_MAP) {
		souk_report_add(c->report, map->mark, 0,
				"'<<' merges a map, or a list of maps, not %s",
				souk_yaml_type_name(map));
		return SOUK_OK;
	}
	for (i = 0; i < map->n; i++) {
		ret = add_slot(c, slots, map->entries[i], 1);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int merge(struct composer *c, struct slots *slots, const struct souk_yaml *value)
{
	size_t i;
	int ret;

	if (value->type != SOUK_YAML_LIST)
		return merge_map(c, slots, value);
	for (i = 0; i < value->n; i++) {
		ret = merge_map(c, slots, value->items[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* The children from c->pending[first] on are keys and values in turn. */
static int collect_slots(struct composer *c, size_t first, struct slots *slots)
{
	size_t i;
	int ret;

	for (i = first; i + 1 < c->n_pending; i += 2) {
		struct souk_yaml_entry entry = { &c->pending[i]->node, &c->pending[i + 1]->node };

		if (c->pending[i]->merge)
			continue;
		if (!entry.key->text) {
			souk_report_add(c->report, entry.key->mark, 0,
					"a key must be a text, not %s",
					souk_yaml_type_name(entry.key));
			continue;
		}
		ret = add_slot(c, slots, entry, 0);
		if (ret < 0)
			return ret;
	}
	for (i = first; i + 1 < c->n_pending; i += 2) {
		ret = c->pending[i]->merge ? merge(c, slots, &c->pending[i + 1]->node) : SOUK_OK;
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int fill_map(struct composer *c, size_t first, struct souk_yaml *map)
{
	struct slots slots = { NULL, 0 };
	size_t i;
	int ret;

	ret = collect_slots(c, first, &slots);
	if (ret < 0)
		goto out;
	drop_repeated(c, &slots);
	if (slots.n > 0) {
		map->entries = souk_yaml_alloc(c->arena, slots.n * sizeof(*map->entries));
		if (!map->entries) {
			ret = souk_error_nomem(c->err);
			goto out;
		}
	}
	for (i = 0; i < slots.n; i++)
		map->entries[i] = slots.items[i].entry;
	map->n = slots.n;
out:
	free(slots.items);
	return ret;
}

static int compose_map(struct composer *c, const yaml_event_t *event)
{
	static const char *const safe[] = { "map", "set", NULL };
	struct composed *node = NULL;
	size_t first = c->n_pending;
	int ret;

	ret = new_node(c, event->start_mark, 0, &node);
	if (ret < 0)
		return ret;
	node->node.type = SOUK_YAML_MAP;
	check_tag(c, &node->node, event->data.mapping_start.tag, safe);
	ret = open_anchor(c, event->data.mapping_start.anchor, node->node.mark);
	if (ret < 0)
		return ret;
	ret = compose_children(c, YAML_MAPPING_END_EVENT, node);
	if (ret < 0)
		return ret;
	ret = fill_map(c, first, &node->node);
	if (ret < 0)
		return ret;
	c->n_pending = first;
	close_anchor(c, event->data.mapping_start.anchor, node);
	return push(c, node);
}

static int compose_node(struct composer *c, yaml_event_t *event)
{
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return compose_alias(c, event);
	case YAML_SCALAR_EVENT:
		return compose_scalar(c, event);
	case YAML_SEQUENCE_START_EVENT:
		return compose_list(c, event);
	case YAML_MAPPING_START_EVENT:
		return compose_map(c, event);
	default:
		souk_report_add(c->report, mark_of(c, event->start_mark), 0,
				"not valid YAML: a value is missing");
		return SOUK_E_INVALID;
	}
}

static int add_document(struct composer *c, struct souk_yaml_stream *stream)
{
	struct souk_yaml *root = &c->pending[0]->node;
	struct souk_yaml **documents;

	c->n_pending = 0;
	if (root->type == SOUK_YAML_NULL)
		return SOUK_OK;
	documents = souk_array_grow(stream->documents, stream->n, sizeof(*documents));
	if (!documents)
		return souk_error_nomem(c->err);
	stream->documents = documents;
	documents[stream->n++] = root;
	return SOUK_OK;
}

static int compose_stream(struct composer *c, struct souk_yaml_stream *stream)
{
	yaml_event_type_t type;
	yaml_event_t event;
	int ret;

	for (;;) {
		ret = next_event(c, &event);
		if (ret < 0)
			return ret;
		type = event.type;
		if (type == YAML_STREAM_END_EVENT) {
			yaml_event_delete(&event);
			return SOUK_OK;
		}
		if (type == YAML_DOCUMENT_START_EVENT)
			forget_anchors(c);
		else if (type == YAML_DOCUMENT_END_EVENT)
			ret = add_document(c, stream);
		else if (type != YAML_STREAM_START_EVENT)
			ret = compose_node(c, &event);
		yaml_event_delete(&event);
		if (ret < 0)
			return ret;
	}
}

/* Forget what was composed, to begin again. */
static void start_over(struct composer *c, struct souk_yaml_stream *stream)
{
	arena_empty(c->arena);
	forget_anchors(c);
	free(stream->documents);
	stream->documents = NULL;
	stream->n = 0;
	c->n_pending = 0;
	free(c->pending);
	c->pending = NULL;
	c->n_nodes = c->n_bytes = 0;
	c->depth = 0;
	c->colon = 0;
}

static int parse_once(struct composer *c, struct souk_yaml_stream *stream)
{
	int ret;

	if (!yaml_parser_initialize(&c->parser))
		return souk_error_nomem(c->err);
	yaml_parser_set_encoding(&c->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&c->parser, (const unsigned char *)c->text, c->size);
	ret = compose_stream(c, stream);
	if (ret == SOUK_E_INVALID && c->colon) {
		ret = patch_colon(c);
		start_over(c, stream);
		c->colon = ret == SOUK_OK;
	}
	yaml_parser_delete(&c->parser);
	return ret;
}

static int parse_text(struct composer *c, struct souk_yaml_stream *stream)
{
	struct souk_mark nowhere = { 0, 0 };
	locale_t plain, before;
	int ret;

	if (c->size > SOUK_YAML_MAX_BYTES) {
		souk_report_add(c->report, nowhere, 0, "too large: %zu bytes, at most %u are read",
				c->size, SOUK_YAML_MAX_BYTES);
		return SOUK_E_INVALID;
	}
	ret = check_characters(c);
	if (ret < 0)
		return ret;
	/* Numbers have a dot wherever the user lives. */
	plain = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
	if (!plain)
		return souk_error_nomem(c->err);
	before = uselocale(plain);
	do {
		c->colon = 0;
		ret = parse_once(c, stream);
	} while (ret == SOUK_OK && c->colon);
	uselocale(before);
	freelocale(plain);
	return ret;
}

int souk_yaml_parse(const char *text, size_t size, struct souk_yaml_stream *stream_out,
		    struct souk_report *report, struct souk_error *err)
{
	struct souk_yaml_stream stream = { NULL, 0, NULL };
	size_t mark = size >= 3 && memcmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
	struct composer c = {
		.text = text + mark, .size = size - mark, .report = report, .err = err
	};
	size_t errors = report->n_errors;
	int ret;

	c.arena = calloc(1, sizeof(*c.arena));
	if (!c.arena)
		return souk_error_nomem(err);
	stream.arena = c.arena;
	ret = parse_text(&c, &stream);
	forget_anchors(&c);
	free(c.pending);
	free(c.patched);
	if (ret == SOUK_E_INVALID || (ret == SOUK_OK && report->n_errors > errors))
		ret = souk_report_error(report, err);
	if (ret < 0) {
		souk_yaml_stream_fini(&stream);
		return ret;
	}
	*stream_out = stream;
	return SOUK_OK;
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
