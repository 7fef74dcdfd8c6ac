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

#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define TAG_PREFIX "tag:yaml.org,2002:"

struct anchor {
	char *name;
	struct souk_yaml_composed *node; /* NULL while its content is being read */
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
	struct souk_yaml_composed **pending; /* children of the collections that are open */
	size_t n_pending;
	struct anchor *anchors;
	size_t n_anchors;
	uint32_t n_nodes;
	uint32_t n_bytes;
	unsigned depth;
};

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

static int new_node(struct composer *c, yaml_mark_t mark, size_t bytes, struct souk_yaml_composed **node_out)
{
	struct souk_yaml_composed *node;
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

static int push(struct composer *c, struct souk_yaml_composed *node)
{
	struct souk_yaml_composed **pending = souk_array_grow(c->pending, c->n_pending, sizeof(node));

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

static void close_anchor(struct composer *c, const yaml_char_t *name, struct souk_yaml_composed *node)
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
	struct souk_yaml_composed *node = NULL;
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
static int compose_children(struct composer *c, yaml_event_type_t end, struct souk_yaml_composed *parent)
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
	struct souk_yaml_composed *node = NULL;
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

static int compose_map(struct composer *c, const yaml_event_t *event)
{
	static const char *const safe[] = { "map", "set", NULL };
	struct souk_yaml_composed *node = NULL;
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
	ret = souk_yaml_fill_map(c->arena, c->pending + first, c->n_pending - first, &node->node,
				 c->report, c->err);
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
	souk_yaml_arena_empty(c->arena);
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
	ret = souk_yaml_check_characters(c->text, c->size, c->report);
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

	c.arena = souk_yaml_arena_new();
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
