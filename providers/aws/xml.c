/* SPDX-License-Identifier: Apache-2.0 */
/* xml.c - replies of the query protocol: parsed without entities and without network */

#include "xml.h"

#include <libxml/parser.h>
#include <limits.h>
#include <string.h>

void aws_xml_init(void)
{
	xmlInitParser();
}

int aws_xml_parse(const char *body, size_t size, const char *what, struct aws_xml *out,
		  struct souk_error *err)
{
	/* No NOENT: entities are not replaced. No HUGE: depth and sizes keep libxml2's limits. */
	int options = XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA;
	xmlDoc *doc = NULL;

	/* No reply of AWS declares a document type; whoever sends one is up to something. */
	if (body && size && size <= INT_MAX && !memmem(body, size, "<!DOCTYPE", 9))
		doc = xmlReadMemory(body, (int)size, NULL, NULL, options);
	if (doc && (doc->intSubset || !xmlDocGetRootElement(doc))) {
		xmlFreeDoc(doc);
		doc = NULL;
	}
	if (!doc)
		return souk_error_set(err, SOUK_E_INTERNAL, "the reply to %s is not XML", what);
	out->doc = doc;
	out->root = xmlDocGetRootElement(doc);
	return SOUK_OK;
}

void aws_xml_fini(struct aws_xml *xml)
{
	if (xml->doc)
		xmlFreeDoc(xml->doc);
	xml->doc = NULL;
	xml->root = NULL;
}

static const xmlNode *named(const xmlNode *node, const char *name, size_t len)
{
	for (; node; node = node->next)
		if (node->type == XML_ELEMENT_NODE &&
		    strncmp((const char *)node->name, name, len) == 0 && !node->name[len])
			return node;
	return NULL;
}

const xmlNode *aws_xml_child(const xmlNode *node, const char *name)
{
	return node ? named(node->children, name, strlen(name)) : NULL;
}

const xmlNode *aws_xml_find(const xmlNode *node, const char *path)
{
	while (node && *path) {
		size_t len = strcspn(path, "/");

		node = named(node->children, path, len);
		path += len;
		path += *path == '/';
	}
	return node;
}

const char *aws_xml_text(const xmlNode *node, const char *path)
{
	const xmlNode *found = aws_xml_find(node, path);
	const xmlNode *text = found ? found->children : NULL;

	/* One run of text and nothing else: what every leaf of these replies is. */
	if (!text || text->next || text->type != XML_TEXT_NODE || !text->content ||
	    !text->content[0])
		return NULL;
	return (const char *)text->content;
}

uint64_t aws_xml_u64(const xmlNode *node, const char *path, uint64_t otherwise)
{
	const char *text = aws_xml_text(node, path);
	uint64_t value;

	if (!text || souk_parse_u64(path, text, &value, NULL) < 0)
		return otherwise;
	return value;
}

int aws_xml_true(const xmlNode *node, const char *path)
{
	const char *text = aws_xml_text(node, path);

	return text && strcmp(text, "true") == 0;
}

const xmlNode *aws_xml_first_item(const xmlNode *list)
{
	return list ? named(list->children, "item", 4) : NULL;
}

const xmlNode *aws_xml_next_item(const xmlNode *item)
{
	return item ? named(item->next, "item", 4) : NULL;
}

int aws_xml_has_item(const xmlNode *list, const char *text)
{
	const xmlNode *item;
	const char *value;

	for (item = aws_xml_first_item(list); item; item = aws_xml_next_item(item)) {
		value = aws_xml_text(item, "");
		if (value && strcmp(value, text) == 0)
			return 1;
	}
	return 0;
}

const char *aws_xml_tag(const xmlNode *resource, const char *key)
{
	const xmlNode *item = aws_xml_first_item(aws_xml_child(resource, "tagSet"));
	const char *name;

	for (; item; item = aws_xml_next_item(item)) {
		name = aws_xml_text(item, "key");
		if (name && strcmp(name, key) == 0)
			return aws_xml_text(item, "value");
	}
	return NULL;
}
