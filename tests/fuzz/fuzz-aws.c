/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-aws.c - any bytes as what EC2 answers, in XML and in JSON, and as a file of profiles */
#include <libxml/parser.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "fuzz.h"
#include "instances.h"
#include "json-call.h"
#include "market.h"
#include "products.h"
#include "test-host.h"
#include "xml.h"

const char fuzz_corpus[] = "aws";

/* ---- Refusals ---- */

static void check_text(const char *text, size_t size)
{
	const char *c;

	if (!memchr(text, '\0', size))
		abort();
	for (c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			abort();
}

static void try_fault(const char *text, size_t size, int status)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct aws_fault fault;
	struct aws_meaning meaning;

	aws_fault_parse(status, text, size, &fault);
	check_text(fault.code, sizeof(fault.code));
	check_text(fault.message, sizeof(fault.message));
	meaning = aws_error_meaning(fault.code, status);
	if (meaning.code >= 0 || (aws_error_known(fault.code) && !fault.code[0]))
		abort();
	if (aws_fault_error(&fault, "ec2:X", "do it", &err) != meaning.code || err.code != meaning.code)
		abort();
	if (strncmp(err.message, "cannot do it: ", 14) != 0 || !err.message[14])
		abort();
}

/* ---- XML ---- */

static void try_type(const xmlNode *node)
{
	struct aws_type type;

	if (!aws_type_read(node, &type))
		return;
	if (!type.name[0] || !type.vcpus_milli || !type.memory_mib)
		abort();
	if (!type.accelerator[0] != !type.accelerator_milli || type.accelerator_milli > 1000000)
		abort();
}

static void try_spot(const xmlNode *node)
{
	struct aws_spot spot;

	if (aws_spot_read(node, &spot) && (!spot.type || !spot.zone || spot.micros_per_hour <= 0))
		abort();
}

static void try_instance(const xmlNode *node)
{
	struct aws_client client = { NULL, test_host_call(), "us-east-1" };
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	int ret = aws_instance_add(&client, node, list, &err);

	if ((ret == SOUK_OK) != (test_instances_count(list) == 1) || (ret < 0 && !err.message[0]))
		abort();
	test_instances_free(list);
}

static void walk(const xmlNode *node, unsigned depth)
{
	/* libxml2 does not go deeper, without being told to. */
	if (depth > 256)
		abort();
	for (; node; node = node->next) {
		if (node->type == XML_ENTITY_DECL || node->type == XML_DTD_NODE)
			abort();
		if (node->type != XML_ELEMENT_NODE)
			continue;
		try_type(node);
		try_spot(node);
		try_instance(node);
		aws_xml_tag(node, AWS_TAG_TOKEN);
		walk(node->children, depth + 1);
	}
}

static void try_xml(const char *text, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct aws_xml xml = { 0 };

	if (aws_xml_parse(text, size, "X", &xml, &err) == SOUK_OK)
		walk(xml.root, 0);
	else if (xml.doc || !err.message[0])
		abort();
	aws_xml_fini(&xml);
}

/* ---- JSON ---- */

static void try_json(const char *text, size_t size)
{
	struct json_object *object = souk_json_parse(text, size);
	const char *type = NULL;
	int64_t micros = -1;

	if (object && aws_product_read(object, "USD", &type, &micros) && (!type || micros <= 0))
		abort();
	json_object_put(object);
}

/* ---- Profiles ---- */

static void try_profiles(const char *text, int is_credentials_file)
{
	struct aws_profiles *profiles = aws_profiles_new();
	struct souk_error err = SOUK_ERROR_INIT;
	const char *value;
	int ret;

	if (!profiles)
		abort();
	ret = aws_profiles_parse(profiles, "config", text, is_credentials_file, &err);
	if (ret < 0 && (ret != SOUK_E_INVALID || strncmp(err.message, "config:", 7) != 0))
		abort();
	value = aws_profiles_get(profiles, AWS_SECTION_PROFILE, "default", "region");
	if (value && (!value[0] || !aws_profiles_has(profiles, AWS_SECTION_PROFILE, "default")))
		abort();
	aws_profiles_get(profiles, AWS_SECTION_SERVICES, "s", "ec2.endpoint_url");
	aws_profiles_free(profiles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int is_ready;
	char *text = malloc(size + 1);

	if (!is_ready) {
		test_host_reset();
		aws_xml_init();
		is_ready = 1;
	}
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	try_fault(text, size, size && data[0] == '<' ? 400 : 503);
	try_xml(text, size);
	try_json(text, size);
	try_profiles(text, 0);
	try_profiles(text, 1);
	free(text);
	return 0;
}
