/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-aws-offers.c - any bytes as every reply that a list of EC2's offers and a quote are made of */
#include <stdlib.h>
#include <string.h>

#include "aws.h"
#include "fuzz.h"
#include "market.h"
#include "products.h"
#include "test-host.h"

const char fuzz_corpus[] = "aws-offers";

extern const struct souk_provider_ops *souk_provider_entry(void);

static const struct souk_provider_ops *ops;
static void *self;
static const char *text;

static int answer_all(const struct souk_http_request *request, struct test_answer *answer, void *arg)
{
	(void)request;
	(void)arg;
	*answer = (struct test_answer){ .status = 200, .body = text };
	return 1;
}

static void start(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	setenv("AWS_ACCESS_KEY_ID", "testing", 1);
	setenv("AWS_SECRET_ACCESS_KEY", "testing", 1);
	setenv("AWS_CONFIG_FILE", "/nonexistent", 1);
	setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent", 1);
	setenv("AWS_EC2_METADATA_DISABLED", "true", 1);
	aws_xml_init();
	test_host_reset();
	ops = souk_provider_entry();
	if (ops->open(test_host_call(), &self, &err) != SOUK_OK)
		abort();
}

/* ---- A whole list ---- */

static void check_offer(const struct souk_offer_list *list, size_t i)
{
	const struct souk_offer *offer = test_offer(list, i);
	size_t k;

	if (!offer->instance_type[0] || !offer->zone || !offer->vcpus_milli || !offer->memory_mib ||
	    (offer->micros_per_hour <= 0 && offer->spot_micros_per_hour <= 0) ||
	    !offer->accelerator != !offer->accelerator_milli)
		abort();
	for (k = 0; k < i && k < 50; k++)
		if (strcmp(offer->instance_type, test_offer(list, k)->instance_type) == 0 &&
		    strcmp(offer->zone, test_offer(list, k)->zone) == 0)
			abort();
}

static void try_list(void)
{
	struct souk_offer_list *list = test_offers_new();
	struct souk_error err = SOUK_ERROR_INIT;
	int ret = ops->list_offers(self, test_host_call(), list, &err);
	size_t i;

	if (ret < 0 && (!err.message[0] || test_offers_count(list) > 0))
		abort();
	for (i = 0; i < test_offers_count(list); i++)
		check_offer(list, i);
	test_offers_free(list);
}

/* ---- Prices for a market that is there ---- */

static void fill(struct aws_market *market)
{
	static const char *const names[] = { "m5.large", "m5.metal", "p5.48xlarge" };
	size_t i;

	market->types.list = calloc(AWS_ARRAY_SIZE(names), sizeof(market->types.list[0]));
	market->places.list = calloc(AWS_ARRAY_SIZE(names), sizeof(market->places.list[0]));
	if (!market->types.list || !market->places.list)
		abort();
	market->types.n = market->places.n = AWS_ARRAY_SIZE(names);
	for (i = 0; i < AWS_ARRAY_SIZE(names); i++) {
		struct aws_type *type = &market->types.list[i];
		struct aws_place *place = &market->places.list[i];

		memcpy(type->name, names[i], strlen(names[i]) + 1);
		memcpy(place->type, names[i], strlen(names[i]) + 1);
		memcpy(place->zone, "us-east-1a", sizeof("us-east-1a"));
		type->on_demand = 1;
		type->micros_per_hour = place->spot_micros_per_hour = -1;
	}
}

static void try_prices(void)
{
	struct aws_client client = { self, test_host_call(), "us-east-1" };
	struct souk_error err = SOUK_ERROR_INIT;
	struct aws_market market = { 0 };
	size_t i;

	fill(&market);
	if ((aws_market_prices(&client, &market, &err) < 0 ||
	     aws_market_spot(&client, &market, &err) < 0) &&
	    !err.message[0])
		abort();
	for (i = 0; i < market.types.n; i++)
		if (market.types.list[i].micros_per_hour == 0 ||
		    market.types.list[i].micros_per_hour < -1 ||
		    market.places.list[i].spot_micros_per_hour == 0 ||
		    market.places.list[i].spot_micros_per_hour < -1)
			abort();
	aws_market_fini(&market);
}

static void try_quote(uint32_t spot, const char *tier)
{
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec), .count = 2, .instance_type = "m5.large",
		.region = "us-east-1", .disk_size_mib = 102400, .disk_tier = tier, .spot = spot,
	};
	struct souk_quote_list *list = test_quotes_new();
	struct souk_error err = SOUK_ERROR_INIT;
	size_t i;

	if (ops->quote(self, test_host_call(), &spec, list, &err) < 0 && !err.message[0])
		abort();
	for (i = 0; i < test_quotes_count(list); i++)
		if (test_quote(list, i)->micros < 0 || !test_quote(list, i)->note)
			abort();
	test_quotes_free(list);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);

	if (!copy)
		abort();
	if (!self)
		start();
	if (size)
		memcpy(copy, data, size);
	copy[size] = '\0';
	text = copy;
	test_host_reset();
	test_host_option("endpoint", "http://127.0.0.1:9");
	test_host_option("region", "us-east-1");
	test_host_responder(answer_all, NULL);
	try_list();
	try_prices();
	try_quote(0, "high");
	try_quote(1, "ultra");
	free(copy);
	return 0;
}
