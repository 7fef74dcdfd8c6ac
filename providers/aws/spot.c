/* SPDX-License-Identifier: Apache-2.0 */
/* spot.c - the prices of the spot market, by instance type and zone */

#include <string.h>
#include <time.h>

#include "market.h"
#include "query.h"

/* "(Amazon VPC)" is a word of the days when there were machines outside of one. */
static int is_linux(const char *product)
{
	return strcmp(product, "Linux/UNIX") == 0 || strcmp(product, "Linux/UNIX (Amazon VPC)") == 0;
}

int aws_spot_read(const xmlNode *item, struct aws_spot *out)
{
	const char *product = aws_xml_text(item, "productDescription");
	const char *price = aws_xml_text(item, "spotPrice");
	const char *when = aws_xml_text(item, "timestamp");

	*out = (struct aws_spot){
		.type = aws_xml_text(item, "instanceType"),
		.zone = aws_xml_text(item, "availabilityZone"),
	};
	if (!out->type || !out->zone || !price || (product && !is_linux(product)) ||
	    souk_parse_micros("spotPrice", price, &out->micros_per_hour, NULL) < 0 ||
	    out->micros_per_hour <= 0)
		return 0;
	if (when)
		souk_parse_time("timestamp", when, &out->at, NULL);
	return 1;
}

static int take_spot(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct aws_market *market = arg;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "spotPriceHistorySet"));

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		struct aws_spot spot;
		struct aws_place *place;

		if (!aws_spot_read(item, &spot))
			continue;
		place = aws_market_place(market, spot.type, spot.zone);
		if (!place || (place->spot_micros_per_hour >= 0 && spot.at <= place->spot_time))
			continue;
		place->spot_micros_per_hour = spot.micros_per_hour;
		place->spot_time = spot.at;
	}
	return SOUK_OK;
}

int aws_spot_pages(const struct aws_client *client, const char *type, aws_page page, void *arg,
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
	if (type)
		aws_query_add(&query, "InstanceType.1", type);
	aws_query_add(&query, "ProductDescription.1", "Linux/UNIX");
	aws_query_add(&query, "StartTime", now);
	aws_query_add(&query, "MaxResults", "1000");
	ret = aws_query_pages(client, &operation, &query, page, arg, err);
	aws_query_fini(&query);
	return ret;
}

int aws_market_spot(const struct aws_client *client, struct aws_market *market,
		    struct souk_error *err)
{
	return aws_spot_pages(client, NULL, take_spot, market, err);
}
