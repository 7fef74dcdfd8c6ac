/* SPDX-License-Identifier: Apache-2.0 */
/* prices.c - prices on demand from the price list, and those of the spot market */

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "json-call.h"
#include "market.h"
#include "query.h"

/* ---- On demand --------------------------------------------------------------------------------
 */

/* The rate of a price dimension that is by the hour; 0 if it is another one, or free. */
static int read_rate(struct json_object *dimension, const char *currency, int64_t *micros_out)
{
	const char *unit = aws_json_text(dimension, "unit");
	const char *text = aws_json_text(aws_json_object(dimension, "pricePerUnit"), currency);
	int64_t micros;

	if (!unit || strcmp(unit, "Hrs") != 0 || !text ||
	    souk_parse_micros("price", text, &micros, NULL) < 0 || micros == 0)
		return 0;
	*micros_out = micros;
	return 1;
}

static int is_or_absent(struct json_object *attributes, const char *name, const char *value)
{
	const char *text = aws_json_text(attributes, name);

	return !text || strcmp(text, value) == 0;
}

/* Plain Linux on shared hardware, without licences, not a reservation. */
static int is_plain(struct json_object *attributes)
{
	return is_or_absent(attributes, "operatingSystem", "Linux") &&
	       is_or_absent(attributes, "tenancy", "Shared") &&
	       is_or_absent(attributes, "capacitystatus", "Used") &&
	       is_or_absent(attributes, "preInstalledSw", "NA") &&
	       is_or_absent(attributes, "operation", "RunInstances") &&
	       is_or_absent(attributes, "marketoption", "OnDemand") &&
	       is_or_absent(attributes, "locationType", "AWS Region");
}

int aws_product_read(struct json_object *product, const char *currency, const char **type_out,
		     int64_t *micros_out)
{
	struct json_object *attributes =
		aws_json_object(aws_json_object(product, "product"), "attributes");
	struct json_object *terms = aws_json_object(aws_json_object(product, "terms"), "OnDemand");
	const char *type = aws_json_text(attributes, "instanceType");

	if (!type || !terms || !is_plain(attributes))
		return 0;
	json_object_object_foreach(terms, sku, term)
	{
		struct json_object *dimensions = aws_json_object(term, "priceDimensions");

		(void)sku;
		if (!dimensions)
			continue;
		json_object_object_foreach(dimensions, code, dimension)
		{
			(void)code;
			if (read_rate(dimension, currency, micros_out)) {
				*type_out = type;
				return 1;
			}
		}
	}
	return 0;
}

static void take_product(struct aws_market *market, struct json_object *product)
{
	struct aws_type *type;
	const char *name;
	int64_t micros;

	if (!aws_product_read(product, market->currency, &name, &micros))
		return;
	type = aws_market_type(market, name);
	if (type && (type->micros_per_hour < 0 || micros < type->micros_per_hour))
		type->micros_per_hour = micros;
}

/* Products come as texts that hold JSON; as plain objects too, to be sure. */
static void take_products(struct aws_market *market, struct json_object *list)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		struct json_object *parsed;

		if (!json_object_is_type(entry, json_type_string)) {
			take_product(market, entry);
			continue;
		}
		parsed = aws_json_parse(json_object_get_string(entry),
					(size_t)json_object_get_string_len(entry));
		take_product(market, parsed);
		json_object_put(parsed);
	}
}

static int add_filter(struct json_object *list, const char *field, const char *value)
{
	struct json_object *filter = json_object_new_object();

	if (!filter)
		return -1;
	json_object_object_add(filter, "Type", json_object_new_string("TERM_MATCH"));
	json_object_object_add(filter, "Field", json_object_new_string(field));
	json_object_object_add(filter, "Value", json_object_new_string(value));
	return json_object_array_add(list, filter);
}

static struct json_object *price_request(const char *region)
{
	const char *const filters[][2] = {
		{ "regionCode", region },     { "operatingSystem", "Linux" },
		{ "tenancy", "Shared" },      { "capacitystatus", "Used" },
		{ "preInstalledSw", "NA" },
	};
	struct json_object *body = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	if (!body || !list) {
		json_object_put(body);
		json_object_put(list);
		return NULL;
	}
	for (i = 0; i < AWS_ARRAY_SIZE(filters); i++)
		add_filter(list, filters[i][0], filters[i][1]);
	json_object_object_add(body, "ServiceCode", json_object_new_string("AmazonEC2"));
	json_object_object_add(body, "FormatVersion", json_object_new_string("aws_v1"));
	json_object_object_add(body, "MaxResults", json_object_new_int(100));
	json_object_object_add(body, "Filters", list);
	return body;
}

/* One page; the token of the next goes into 'body'. 1 if there is a next one. */
static int price_page(const struct aws_client *at, struct aws_market *market,
		      struct json_object *body, struct souk_error *err)
{
	struct json_object *reply = NULL;
	struct json_object *list;
	const char *last = aws_json_text(body, "NextToken");
	const char *next;
	int ret;

	ret = aws_json_call(at, "pricing", "AWSPriceListService.GetProducts",
			    "get the price list", body, &reply, NULL, err);
	if (ret < 0)
		return ret;
	list = aws_json_array(reply, "PriceList");
	next = aws_json_text(reply, "NextToken");
	if (list) {
		take_products(market, list);
		ret = next && *next;
	} else {
		ret = souk_error_set(err, SOUK_E_INTERNAL, "the price list is not a list");
	}
	if (ret > 0 && last && strcmp(last, next) == 0)
		ret = souk_error_set(err, SOUK_E_INTERNAL,
				     "GetProducts: the next page is the same page");
	if (ret > 0)
		json_object_object_add(body, "NextToken", json_object_new_string(next));
	json_object_put(reply);
	return ret;
}

int aws_market_prices(const struct aws_client *client, struct aws_market *market,
		      struct souk_error *err)
{
	struct aws_client at = *client;
	struct json_object *body = price_request(client->region);
	unsigned pages;
	int ret = 1;

	if (!body)
		return aws_nomem(err);
	snprintf(market->currency, sizeof(market->currency), "%s",
		 strncmp(client->region, "cn-", 3) == 0 ? "CNY" : "USD");
	at.region = aws_pricing_region(client->region);
	for (pages = 0; ret > 0 && pages < AWS_MAX_PAGES; pages++)
		ret = price_page(&at, market, body, err);
	json_object_put(body);
	if (ret > 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "the price list does not end");
	return ret;
}

/* ---- Spot --------------------------------------------------------------------------------------
 */

static int take_spot(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct aws_market *market = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "spotPriceHistorySet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		const char *type = aws_xml_text(item, "instanceType");
		const char *zone = aws_xml_text(item, "availabilityZone");
		const char *price = aws_xml_text(item, "spotPrice");
		const char *when = aws_xml_text(item, "timestamp");
		struct aws_place *place =
			type && zone ? aws_market_place(market, type, zone) : NULL;
		int64_t micros;
		int64_t at = 0;

		if (!place || !price || souk_parse_micros("spotPrice", price, &micros, NULL) < 0)
			continue;
		if (when)
			souk_parse_time("timestamp", when, &at, NULL);
		if (place->spot_micros_per_hour >= 0 && at <= place->spot_time)
			continue;
		place->spot_micros_per_hour = micros;
		place->spot_time = at;
	}
	return SOUK_OK;
}

int aws_market_spot(const struct aws_client *client, struct aws_market *market,
		    struct souk_error *err)
{
	static const struct aws_operation operation = {
		.action = "DescribeSpotPriceHistory", .doing = "get spot prices",
		.flags = AWS_READ,
	};
	struct aws_query query;
	char now[21];
	int ret;

	/* From now on: what comes is the price of each type and zone that holds now. */
	aws_extended_time((int64_t)time(NULL) + atomic_load(&client->aws->skew_seconds), now);
	aws_query_init(&query, &operation);
	aws_query_add(&query, "ProductDescription.1", "Linux/UNIX");
	aws_query_add(&query, "StartTime", now);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &operation, &query, take_spot, market, err);
	aws_query_fini(&query);
	return ret;
}
