/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-azure.c - any bytes as what Azure answers: tokens, regions, sizes, prices, refusals */
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "azure.h"
#include "client.h"
#include "credentials.h"
#include "errors.h"
#include "fuzz.h"
#include "json-read.h"
#include "machines.h"
#include "market.h"
#include "test-host.h"

const char fuzz_corpus[] = "azure";

static struct azure azure;

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
	struct azure_fault fault;
	struct azure_meaning meaning;

	azure_fault_parse(status, text, size, &fault);
	check_text(fault.code, sizeof(fault.code));
	check_text(fault.message, sizeof(fault.message));
	meaning = azure_error_meaning(fault.code, fault.message, status);
	if (meaning.code >= 0 || (azure_error_known(fault.code) && !fault.code[0]))
		abort();
	if (azure_fault_error(&fault, "do it", &err) != meaning.code || err.code != meaning.code)
		abort();
	if (strncmp(err.message, "cannot do it: ", 14) != 0 || !err.message[14])
		abort();
}

/* ---- One entry of a list ---- */

static void check_size(const struct azure_size *size)
{
	size_t i;

	if (!azure_is_size(size->name) || !size->vcpus_milli || !size->memory_mib)
		abort();
	if (!size->device != !size->accelerator_milli || size->accelerator_milli > 1000000)
		abort();
	if (size->n_zones > AZURE_MAX_ZONES)
		abort();
	for (i = 0; i < size->n_zones; i++)
		if (!azure_is_place(size->zones[i]))
			abort();
}

static void check_rate(const struct azure_rate *rate)
{
	if (!azure_is_size(rate->size) || rate->micros_per_hour <= 0 ||
	    (rate->is_spot != 0 && rate->is_spot != 1))
		abort();
}

/* As a machine, and as the interfaces and addresses of its group. */
static void try_machine(struct json_object *object)
{
	struct azure_client client = { &azure, test_host_call() };
	struct souk_instance_list *list = test_instances_new();
	struct azure_addresses addresses = { NULL, NULL };
	struct souk_error err = SOUK_ERROR_INIT;
	char code[80], reason[400];
	int status = azure_vm_status(object, code, sizeof(code), reason, sizeof(reason));
	int ret;

	if (status < SOUK_INSTANCE_PENDING || status > SOUK_INSTANCE_FAILED ||
	    (status == SOUK_INSTANCE_FAILED && !reason[0]))
		abort();
	addresses.interfaces = json_object_get(souk_json_maybe_array(object, "interfaces"));
	addresses.addresses = json_object_get(souk_json_maybe_array(object, "addresses"));
	ret = azure_vm_add(&client, object, &addresses, list, &err);
	if ((ret == SOUK_OK) != (test_instances_count(list) == 1) || (ret < 0 && !err.message[0]))
		abort();
	azure_addresses_fini(&addresses);
	test_instances_free(list);
}

static void try_entry(struct json_object *object)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_size size;
	struct azure_rate rate;
	const char *name = NULL;
	int ret;

	ret = azure_size_read(object, "eastus", &size, &err);
	if (ret == AZURE_SIZE_GOOD)
		check_size(&size);
	if (ret < 0 && !err.message[0])
		abort();
	ret = azure_rate_read(object, "eastus", 1790000000, &rate, &err);
	if (ret == 1)
		check_rate(&rate);
	ret = azure_location_read(object, &name, &err);
	if (ret == 1 && !azure_is_place(name))
		abort();
	try_machine(object);
}

/* ---- Whole lists: the first page is the bytes, the next one is empty ---- */

struct pages {
	const char *text;
	unsigned n;
};

static int answer_as(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	struct pages *pages = arg;

	answer->status = 200;
	if (strcmp(request->what, "token") == 0)
		answer->body = "{\"access_token\":\"t\",\"expires_in\":3600}";
	else
		answer->body = pages->n++ < 3 ? pages->text : "{\"value\":[],\"Items\":[]}";
	return 1;
}

static void try_sizes(const struct azure_client *client)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_sizes sizes = { 0 };
	size_t i;

	if (azure_sizes_list(client, "sub", "eastus", &sizes, &err) < 0 && !err.message[0])
		abort();
	if (!err.message[0])
		for (i = 0; i < sizes.n; i++) {
			check_size(&sizes.list[i]);
			if (azure_sizes_find(&sizes, sizes.list[i].name) != &sizes.list[i])
				abort();
		}
	azure_sizes_fini(&sizes);
}

static void try_rates(const struct azure_client *client)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_rates rates = { 0 };
	size_t i;

	if (azure_rates_list(client, "eastus", NULL, &rates, &err) < 0 && !err.message[0])
		abort();
	if (!err.message[0])
		for (i = 0; i < rates.n; i++) {
			check_rate(&rates.list[i]);
			if (azure_rates_get(&rates, rates.list[i].size, rates.list[i].is_spot) !=
			    rates.list[i].micros_per_hour)
				abort();
		}
	azure_rates_fini(&rates);
}

static void try_lists(const char *text)
{
	struct azure_client client = { &azure, test_host_call() };
	struct azure_regions *regions = calloc(1, sizeof(*regions));
	struct souk_error err = SOUK_ERROR_INIT;
	struct pages pages = { text, 0 };

	if (!regions)
		abort();
	test_host_responder(answer_as, &pages);
	try_sizes(&client);
	pages.n = 0;
	try_rates(&client);
	pages.n = 0;
	if (azure_regions_wanted(&client, "sub", regions, &err) == SOUK_OK && !regions->n)
		abort();
	free(regions);
}

/* ---- Tokens and the like ---- */

static void try_tokens(struct json_object *object)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct azure_token token = { 0 };

	if (azure_token_read(object, "a place", 1790000000, &token, &err) > 0 &&
	    (!azure_is_clean(token.text) || !token.text[0]))
		abort();
	azure_token_fini(&token);
	if (azure_token_read_cli(object, 1790000000, &token, &err) > 0 &&
	    (!azure_is_clean(token.text) || (token.subscription[0] && !azure_is_id(token.subscription))))
		abort();
	azure_token_fini(&token);
}

/* What is no JSON by itself. */
static void try_words(const char *text)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char claim[64], cidr[SOUK_NETWORK_SIZE], again[SOUK_NETWORK_SIZE];
	struct azure_id id;
	int64_t micros;

	if (azure_token_claim(text, "oid", claim, sizeof(claim)) && !claim[0])
		abort();
	if (azure_parse_micros("price", text, &micros, &err) == SOUK_OK && micros < 0)
		abort();
	(void)azure_device_find(text);
	if (azure_id_parse(text, &id, &err) == SOUK_OK &&
	    (!azure_is_id(id.subscription) || strpbrk(id.group, "/?#") || strpbrk(id.vm, "/?#")))
		abort();
	if (souk_parse_network(text, cidr, &err) == SOUK_OK && souk_parse_network(cidr, again, &err) < 0)
		abort();
	(void)azure_action_matches(text, "Microsoft.Compute/virtualMachines/start/action");
}

static void try_link(const char *text)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf next;

	souk_buf_init(&next, 65536);
	if (azure_next_path("https://prices.azure.com", "https://prices.azure.com",
			    "/api/retail/prices?a=b", text, &next, &err) == SOUK_OK &&
	    (strncmp(next.data, "/api/retail/prices?", 19) != 0 || !azure_is_clean(next.data)))
		abort();
	souk_buf_fini(&next);
}

static void set_up(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	test_host_reset();
	if (!azure.urls[0][0]) {
		pthread_mutex_init(&azure.lock, NULL);
		if (azure_urls_init(&azure, test_host_call(), &err) < 0)
			abort();
	}
	test_host_option("tenant", "t");
	test_host_option("client_id", "c");
	test_host_option("client_secret", "s");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_object *object;
	struct json_object *list;
	char *text = malloc(size + 1);
	size_t i;

	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	set_up();
	try_fault(text, size, 400);
	try_fault(text, size, 503);
	try_link(text);
	object = souk_json_parse(text, size);
	if (object) {
		try_entry(object);
		try_tokens(object);
		list = souk_json_maybe_array(object, "value");
		for (i = 0; list && i < json_object_array_length(list); i++)
			try_entry(json_object_array_get_idx(list, i));
		if (souk_json_maybe_array(object, "actions"))
			azure_action_allowed(souk_json_maybe_array(object, "actions"), "A/b");
		try_lists(text);
	}
	try_words(text);
	json_object_put(object);
	free(text);
	return 0;
}
