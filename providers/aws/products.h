/* SPDX-License-Identifier: Apache-2.0 */
/* products.h - the products of the AWS price list, and what they cost */
#ifndef SOUK_AWS_PRODUCTS_H
#define SOUK_AWS_PRODUCTS_H

#include <json.h>

#include "aws.h"
#include "query.h"

/* AWS changes its list a few times a month; an hour is enough to go on with a list that broke off. */
enum { AWS_PRICES_KEPT_SECONDS = 3600 };

struct aws_price_filter {
	const char *field;
	const char *value;
};

/* Called with each product, which is borrowed. It may be called twice with the same one. */
typedef void (*aws_take_product)(struct json_object *product, void *arg);

/*
 * Ask the price list that is there for the client's region for all products of a service that
 * pass the filters. Pages younger than 'cache_seconds' are not asked for again.
 */
int aws_products_each(const struct aws_client *client, const char *service,
		      const struct aws_price_filter *filters, size_t n, uint32_t cache_seconds,
		      aws_take_product take, void *arg, struct souk_error *err);

/* Read a machine of the price list: 1 and its price, or 0 if it is not what we sell. */
int aws_product_read(struct json_object *product, const char *currency, const char **type_out,
		     int64_t *micros_out);
/* The first rate on demand in that unit ("Hrs", "GB-Mo") that is not zero; 0: there is none. */
int aws_product_rate(struct json_object *product, const char *unit, const char *currency,
		     int64_t *micros_out);
/* An attribute; NULL: it has none of that name. Borrowed. */
const char *aws_product_attribute(struct json_object *product, const char *name);
/* The day of the list that it is from, "2026-11-01"; "" if it does not say. */
void aws_product_date(struct json_object *product, char date[11]);

/* A whole machine, such as "m5.metal" or "c7i.metal-24xl". */
int aws_type_is_metal(const char *type);

/* What prices of a region are in. */
const char *aws_currency(const char *region);

#endif
