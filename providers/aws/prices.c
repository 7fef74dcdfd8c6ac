/* SPDX-License-Identifier: Apache-2.0 */
/* prices.c - prices on demand of a region's machines, from the price list */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "market.h"
#include "products.h"

static void take_product(struct json_object *product, void *arg)
{
	struct aws_market *market = arg;
	struct aws_type *type;
	const char *name;
	int64_t micros;

	if (!aws_product_read(product, market->currency, &name, &micros))
		return;
	type = aws_market_type(market, name);
	if (type && (type->micros_per_hour < 0 || micros < type->micros_per_hour))
		type->micros_per_hour = micros;
}

static int ask(const struct aws_client *client, struct aws_market *market, const char *tenancy,
	       struct souk_error *err)
{
	const struct aws_price_filter filters[] = {
		{ "regionCode", client->region },
		{ "operatingSystem", "Linux" },
		{ "tenancy", tenancy },
		{ "capacitystatus", "Used" },
		{ "preInstalledSw", "NA" },
		{ "marketoption", "OnDemand" },
		{ "productFamily", "Compute Instance (bare metal)" },
	};
	int is_dedicated = strcmp(tenancy, "Dedicated") == 0;

	/* Only whole machines are wanted of those that are dedicated. */
	return aws_products_each(client, "AmazonEC2", filters,
				 AWS_ARRAY_SIZE(filters) - !is_dedicated, AWS_PRICES_KEPT_SECONDS,
				 take_product, market, err);
}

/* How many types that are sold on demand have no price; of whole machines, or of all. */
static size_t count_unpriced(const struct aws_market *market, int metal_only, size_t *sold_out)
{
	size_t n = 0, i;

	*sold_out = 0;
	for (i = 0; i < market->types.n; i++) {
		const struct aws_type *type = &market->types.list[i];

		if (!type->on_demand || (metal_only && !aws_type_is_metal(type->name)))
			continue;
		++*sold_out;
		n += type->micros_per_hour < 0;
	}
	return n;
}

int aws_market_prices(const struct aws_client *client, struct aws_market *market,
		      struct souk_error *err)
{
	size_t sold, unpriced;
	int ret;

	snprintf(market->currency, sizeof(market->currency), "%s", aws_currency(client->region));
	if (strncmp(client->region, "us-gov-", 7) == 0 ||
	    strncmp(client->region, "us-iso", 6) == 0) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "no price list answers to accounts of this part of AWS");
		return souk_error_hint(err, "'souk catalog import FILE.csv --provider aws' takes "
					    "prices from elsewhere");
	}
	ret = ask(client, market, "Shared", err);
	if (ret == SOUK_OK && count_unpriced(market, 1, &sold) > 0)
		ret = ask(client, market, "Dedicated", err);
	if (ret < 0)
		return ret;
	unpriced = count_unpriced(market, 0, &sold);
	/* All of them: then it is not the machines, it is the list. */
	if (unpriced > 0 && unpriced == sold)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "the price list has no price for any of %zu instance types",
				      sold);
	if (unpriced > 0)
		souk_call_log(client->call, SOUK_LOG_INFO,
			      "'%s': the price list has no price on demand for %zu of %zu "
			      "instance types",
			      client->region, unpriced, sold);
	return SOUK_OK;
}
