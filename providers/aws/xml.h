/* SPDX-License-Identifier: Apache-2.0 */
/* xml.h - replies of the query protocol: parsed without entities and without network */
#ifndef SOUK_AWS_XML_H
#define SOUK_AWS_XML_H

#include <souk/provider.h>

#include <libxml/tree.h>
#include <stddef.h>
#include <stdint.h>

struct aws_xml {
	xmlDoc *doc;
	const xmlNode *root;
};

/* Any thread, once aws_xml_init() has been called. A document type declaration is refused. */
void aws_xml_init(void);
int aws_xml_parse(const char *body, size_t size, const char *what, struct aws_xml *out,
		  struct souk_error *err);
void aws_xml_fini(struct aws_xml *xml);

/* The first child element of that name, or NULL; so is the next sibling. All borrowed. */
const xmlNode *aws_xml_child(const xmlNode *node, const char *name);
/* Along a path: "gpuInfo/gpus". */
const xmlNode *aws_xml_find(const xmlNode *node, const char *path);
/* The text at a path, NULL if there is none. */
const char *aws_xml_text(const xmlNode *node, const char *path);
/* A number at a path; 'otherwise' if there is none or it is not a number. */
uint64_t aws_xml_u64(const xmlNode *node, const char *path, uint64_t otherwise);
int aws_xml_true(const xmlNode *node, const char *path);
/* 1 if a list holds an item with that text. */
int aws_xml_has_item(const xmlNode *list, const char *text);

/* The items of a list, which may be NULL. */
const xmlNode *aws_xml_first_item(const xmlNode *list);
const xmlNode *aws_xml_next_item(const xmlNode *item);

/* The value of a tag in a tagSet. */
const char *aws_xml_tag(const xmlNode *resource, const char *key);

#endif
