/* SPDX-License-Identifier: Apache-2.0 */
/* products.c - what a product of the price list says: which machine, which rates */

#include "products.h"

#include <string.h>

#include "json-call.h"

/* By how much of what the rate is counted: "Hrs" and "hrs" are the same to AWS. */
static int is_unit(struct json_object *dimension, const char *unit)
{
	const char *text = souk_json_maybe_text(dimension, "unit");

	return text && strcasecmp(text, unit) == 0;
}

/* The rate of a price dimension in that unit; 0 if it is another one, or free. */
static int read_rate(struct json_object *dimension, const char *unit, const char *currency,
		     int64_t *micros_out)
{
	const char *text = souk_json_maybe_text(souk_json_maybe_object(dimension, "pricePerUnit"), currency);
	int64_t micros;

	if (!is_unit(dimension, unit) || !text ||
	    souk_parse_micros("price", text, &micros, NULL) < 0 || micros <= 0)
		return 0;
	*micros_out = micros;
	return 1;
}

int aws_product_rate(struct json_object *product, const char *unit, const char *currency,
		     int64_t *micros_out)
{
	struct json_object *terms = souk_json_maybe_object(souk_json_maybe_object(product, "terms"), "OnDemand");

	if (!terms)
		return 0;
	json_object_object_foreach(terms, sku, term)
	{
		struct json_object *dimensions = souk_json_maybe_object(term, "priceDimensions");

		(void)sku;
		if (!dimensions)
			continue;
		json_object_object_foreach(dimensions, code, dimension)
		{
			(void)code;
			if (read_rate(dimension, unit, currency, micros_out))
				return 1;
		}
	}
	return 0;
}

const char *aws_product_attribute(struct json_object *product, const char *name)
{
	return souk_json_maybe_text(
		souk_json_maybe_object(souk_json_maybe_object(product, "product"), "attributes"), name);
}

static int is_or_absent(struct json_object *product, const char *name, const char *value)
{
	const char *text = aws_product_attribute(product, name);

	return !text || strcmp(text, value) == 0;
}

int aws_type_is_metal(const char *type)
{
	const char *dot = strchr(type, '.');

	return dot && strncmp(dot + 1, "metal", 5) == 0;
}

/* Plain Linux, without licences, not a reservation, on shared hardware; a whole machine is listed
 * as dedicated at the same price. */
static int is_plain(struct json_object *product, const char *type)
{
	return is_or_absent(product, "operatingSystem", "Linux") &&
	       (is_or_absent(product, "tenancy", "Shared") ||
		(aws_type_is_metal(type) && is_or_absent(product, "tenancy", "Dedicated"))) &&
	       is_or_absent(product, "capacitystatus", "Used") &&
	       is_or_absent(product, "preInstalledSw", "NA") &&
	       is_or_absent(product, "operation", "RunInstances") &&
	       is_or_absent(product, "marketoption", "OnDemand") &&
	       is_or_absent(product, "locationType", "AWS Region");
}

int aws_product_read(struct json_object *product, const char *currency, const char **type_out,
		     int64_t *micros_out)
{
	const char *type = aws_product_attribute(product, "instanceType");

	if (!type || !is_plain(product, type) ||
	    !aws_product_rate(product, "Hrs", currency, micros_out))
		return 0;
	*type_out = type;
	return 1;
}

void aws_product_date(struct json_object *product, char date[11])
{
	const char *text = souk_json_maybe_text(product, "publicationDate");
	size_t i;

	date[0] = '\0';
	for (i = 0; text && i < 10; i++)
		if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
			return;
	if (!text)
		return;
	memcpy(date, text, 10);
	date[10] = '\0';
}

const char *aws_currency(const char *region)
{
	return strncmp(region, "cn-", 3) == 0 ? "CNY" : "USD";
}

/* ---- Asking for them ------------------------------------------------------------------------ */

static int add_filter(struct json_object *list, const struct aws_price_filter *given)
{
	struct json_object *filter = json_object_new_object();

	if (!filter)
		return -1;
	json_object_object_add(filter, "Type", json_object_new_string("TERM_MATCH"));
	json_object_object_add(filter, "Field", json_object_new_string(given->field));
	json_object_object_add(filter, "Value", json_object_new_string(given->value));
	return json_object_array_add(list, filter);
}

static struct json_object *make_request(const char *service, const struct aws_price_filter *filters,
					size_t n)
{
	struct json_object *body = json_object_new_object();
	struct json_object *list = json_object_new_array();
	size_t i;

	if (!body || !list) {
		json_object_put(body);
		json_object_put(list);
		return NULL;
	}
	for (i = 0; i < n; i++)
		add_filter(list, &filters[i]);
	json_object_object_add(body, "ServiceCode", json_object_new_string(service));
	json_object_object_add(body, "FormatVersion", json_object_new_string("aws_v1"));
	json_object_object_add(body, "MaxResults", json_object_new_int(100));
	json_object_object_add(body, "Filters", list);
	return body;
}

/* Products come as texts that hold JSON; as plain objects too, to be sure. */
static int take_products(struct json_object *list, aws_take_product take, void *arg,
			 struct souk_error *err)
{
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		struct json_object *entry = json_object_array_get_idx(list, i);
		struct json_object *parsed;

		if (!json_object_is_type(entry, json_type_string)) {
			take(entry, arg);
			continue;
		}
		parsed = souk_json_parse(json_object_get_string(entry),
					(size_t)json_object_get_string_len(entry));
		if (!parsed)
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "GetProducts: product %zu of the page is not JSON",
					      i + 1);
		take(parsed, arg);
		json_object_put(parsed);
	}
	return SOUK_OK;
}

struct listing {
	struct aws_client at;
	struct json_object *body;
	uint32_t cache_seconds;
	aws_take_product take;
	void *arg;
};

/* One page, once; the token of the next goes into the body. 1 if there is a next one. */
static int try_page(struct listing *listing, uint32_t cache_seconds, struct aws_fault *fault_out,
		    struct souk_error *err)
{
	struct json_object *reply = NULL;
	struct json_object *list;
	const char *last = souk_json_maybe_text(listing->body, "NextToken");
	const char *next;
	int ret;

	ret = aws_json_call_kept(&listing->at, "pricing", "AWSPriceListService.GetProducts",
				 "get the price list", cache_seconds, listing->body, &reply,
				 fault_out, err);
	if (ret < 0)
		return ret;
	list = souk_json_maybe_array(reply, "PriceList");
	next = souk_json_maybe_text(reply, "NextToken");
	if (!list)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "the price list is not a list");
	else if (next && last && strcmp(last, next) == 0)
		ret = souk_error_set(err, SOUK_E_INTERNAL,
				     "GetProducts: the next page is the same page");
	else
		ret = take_products(list, listing->take, listing->arg, err);
	if (ret == SOUK_OK && next && *next) {
		json_object_object_add(listing->body, "NextToken", json_object_new_string(next));
		ret = 1;
	}
	json_object_put(reply);
	return ret;
}

/* One page. What makes no sense may have been kept, so that only an older one will do then. */
static int get_page(struct listing *listing, struct aws_fault *fault_out, struct souk_error *err)
{
	uint32_t cache_seconds = listing->cache_seconds;
	unsigned tries;
	int ret;

	for (tries = 1;; tries++) {
		ret = try_page(listing, cache_seconds, fault_out, err);
		if (ret != SOUK_E_INTERNAL || tries == AWS_UNREADABLE_TRIES ||
		    souk_call_sleep(listing->at.call, AWS_UNREADABLE_WAIT_MS * tries, NULL) < 0)
			return ret;
		cache_seconds = cache_seconds ? 1 : 0;
	}
}

static int get_pages(struct listing *listing, struct aws_fault *fault_out, struct souk_error *err)
{
	unsigned pages;
	int ret = 1;

	for (pages = 0; ret > 0 && pages < AWS_MAX_PAGES; pages++)
		ret = get_page(listing, fault_out, err);
	if (ret > 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "the price list does not end");
	return ret;
}

int aws_products_each(const struct aws_client *client, const char *service,
		      const struct aws_price_filter *filters, size_t n, uint32_t cache_seconds,
		      aws_take_product take, void *arg, struct souk_error *err)
{
	struct listing listing = { *client, make_request(service, filters, n), cache_seconds, take,
				   arg };
	struct aws_fault fault = { 0 };
	int ret;

	if (!listing.body)
		return aws_nomem(err);
	listing.at.region = aws_pricing_region(client->region);
	ret = get_pages(&listing, &fault, err);
	if (ret < 0 && (aws_fault_is(&fault, "ExpiredNextTokenException") ||
			aws_fault_is(&fault, "InvalidNextTokenException"))) {
		/* A page that was kept leads to one that is not there any more: begin anew. */
		json_object_object_del(listing.body, "NextToken");
		listing.cache_seconds = cache_seconds ? 1 : 0;
		ret = get_pages(&listing, &fault, err);
	}
	json_object_put(listing.body);
	return ret;
}
