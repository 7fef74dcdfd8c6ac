/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-gcp.c - any bytes as what Google answers: prices, machines, refusals, credentials, settings */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "machines.h"
#include "market.h"
#include "test-host.h"

const char fuzz_corpus[] = "gcp";

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
	struct gcp_fault fault;
	struct gcp_meaning meaning;

	gcp_fault_parse(status, text, size, &fault);
	check_text(fault.code, sizeof(fault.code));
	check_text(fault.message, sizeof(fault.message));
	meaning = gcp_error_meaning(fault.code, fault.message, status);
	if (meaning.code >= 0 || meaning.scope < SOUK_SCOPE_OFFER ||
	    meaning.scope > SOUK_SCOPE_PROVIDER)
		abort();
	if (gcp_fault_error(&fault, "p", "do it", &err) != meaning.code || err.code != meaning.code)
		abort();
	if (strncmp(err.message, "cannot do it: ", 14) != 0 || !err.message[14])
		abort();
}

/* ---- Lists ---- */

static void check_failure(int ret, const struct souk_error *err)
{
	if (ret < 0 && (err->code != ret || !err->message[0]))
		abort();
	if (ret > 0)
		abort();
}

static void check_costs(const struct gcp_prices *prices, const struct gcp_type *type)
{
	struct gcp_machine machine = { type, type->accelerators ? type->accelerator : NULL, 0,
				       "us-central1" };
	const char *missing = NULL;
	struct gcp_cost cost;
	int spot;

	machine.gpu_milli = gcp_built_in_milli(type);
	if (machine.gpu_milli && !machine.gpu)
		machine.gpu_milli = 0;
	for (spot = 0; spot < 2; spot++) {
		cost = (struct gcp_cost){ 0 };
		if (!gcp_cost(prices, &machine, spot, &cost, &missing))
			continue;
		if (cost.total <= 0 || cost.cores < 0 || cost.memory < 0 || cost.gpus < 0 ||
		    cost.local_ssd < 0)
			abort();
	}
}

static void check_types(const struct gcp_prices *prices, const struct gcp_types *types)
{
	size_t i, k;

	for (i = 0; i < types->n; i++) {
		const struct gcp_type *type = &types->list[i];

		if (!gcp_is_name(type->name) || !type->vcpus || !type->memory_mib)
			abort();
		if (!type->accelerators != !type->accelerator[0])
			abort();
		for (k = 0; k < i; k++)
			if (strcmp(types->list[k].name, type->name) == 0)
				abort();
		check_costs(prices, type);
	}
}

static void check_prices(struct gcp_prices *prices)
{
	int64_t nanos;
	size_t i;

	gcp_prices_sort(prices);
	for (i = 0; i < prices->n; i++) {
		const struct gcp_rate *rate = &prices->list[i];

		if (rate->nanos <= 0 || !gcp_is_name(rate->region))
			abort();
		if (!gcp_prices_find(prices, rate->sku.kind, rate->sku.name, rate->region,
				     rate->sku.spot, &nanos) || nanos != rate->nanos)
			abort();
		if (!gcp_prices_have(prices, rate->sku.kind, rate->sku.name))
			abort();
	}
}

static void try_lists(struct json_object *page)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct gcp_prices prices = { 0 };
	struct gcp_types types = { 0 };
	struct gcp_market market = { 0 };

	check_failure(gcp_prices_take_page(&prices, page, &err), &err);
	check_prices(&prices);
	check_failure(gcp_types_take_page(&types, page, &err), &err);
	check_types(&prices, &types);
	check_failure(gcp_zones_take_page(&market, page, &err), &err);
	check_failure(gcp_attachables_take_page(&market, page, &err), &err);
	gcp_prices_fini(&prices);
	gcp_types_fini(&types);
	gcp_market_fini(&market);
}

/* ---- Machines ---- */

static void try_instance(struct json_object *object)
{
	struct souk_instance_list *list = test_instances_new();
	struct souk_error err = SOUK_ERROR_INIT;
	const char *tag = gcp_instance_tag(object);
	int ret = gcp_instance_add(object, list, &err);

	if ((ret == SOUK_OK) != (test_instances_count(list) == 1) || (ret < 0 && !err.message[0]))
		abort();
	if (tag && strncmp(tag, "souk-", 5) != 0)
		abort();
	test_instances_free(list);
}

static void try_names(const char *text)
{
	char value[GCP_TAG_SIZE];
	char cidr[SOUK_NETWORK_SIZE];
	char again[SOUK_NETWORK_SIZE];

	if (gcp_label_value(text, value, NULL) < 0 || !gcp_is_label_value(value))
		abort();
	if (souk_parse_network(text, cidr, NULL) == SOUK_OK &&
	    (souk_parse_network(cidr, again, NULL) < 0 || strcmp(cidr, again) != 0))
		abort();
}

/* ---- Words, files ---- */

static void try_words(const char *text)
{
	struct gcp_sku sku;

	if (gcp_sku_match(text, "OnDemand", &sku) && !memchr(sku.name, '\0', sizeof(sku.name)))
		abort();
	(void)gcp_is_project(text);
	(void)souk_list_has(text, "x");
}

static void try_files(const char *text, size_t size)
{
	struct gcp_identity identity = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	char *value = NULL;
	int ret;

	ret = gcp_identity_parse("file", text, size, &identity, &err);
	check_failure(ret, &err);
	if (ret == SOUK_OK && identity.source != GCP_FROM_KEY && identity.source != GCP_FROM_USER)
		abort();
	gcp_identity_fini(&identity);
	ret = gcp_ini_value(text, "core", "project", &value, &err);
	if (ret < 0 || (ret == 1) != (value && *value))
		abort();
	free(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int is_ready;
	struct json_object *object;
	char *text = malloc(size + 1);

	if (!is_ready) {
		test_host_reset();
		is_ready = 1;
	}
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	try_fault(text, size, size % 2 ? 403 : 503);
	try_words(text);
	try_files(text, size);
	try_names(text);
	object = souk_json_parse(text, size);
	if (object) {
		try_lists(object);
		try_instance(object);
	}
	json_object_put(object);
	free(text);
	return 0;
}
