/* SPDX-License-Identifier: Apache-2.0 */
/* market.h - what EC2 sells in a region, and for how much */
#ifndef SOUK_AWS_MARKET_H
#define SOUK_AWS_MARKET_H

#include "aws.h"

#include <libxml/tree.h>

#include "query.h"

enum { AWS_TYPE_SIZE = 40, AWS_ACCELERATOR_SIZE = 32 };

/* An instance type. */
struct aws_type {
	char name[AWS_TYPE_SIZE];
	char accelerator[AWS_ACCELERATOR_SIZE]; /* "": none */
	uint32_t accelerator_milli;
	uint32_t accelerator_memory_mib;
	uint32_t vcpus_milli;
	uint32_t flags;		   /* SOUK_OFFER_... */
	int is_arm;
	int on_demand;		   /* 1: sold so */
	int spot;
	uint64_t memory_mib;
	uint64_t local_disk_mib;
	int64_t micros_per_hour;   /* -1: unknown */
};

/* A type in a zone, with its spot price if there is one. */
struct aws_place {
	char type[AWS_TYPE_SIZE];
	char zone[AWS_REGION_SIZE];
	int64_t spot_micros_per_hour; /* -1: unknown */
	int64_t spot_time;
};

/* An array that grows; of types or of places. */
struct aws_types {
	struct aws_type *list;
	size_t n, size;
};

struct aws_places {
	struct aws_place *list;
	size_t n, size;
};

/* One region: types sorted by name, places by type and zone. */
struct aws_market {
	struct aws_types types;
	struct aws_places places;
	char currency[4];
};

void aws_market_fini(struct aws_market *market);

/* ---- types.c --------------------------------------------------------------------------------- */

/* Read one <item> of DescribeInstanceTypes; 0 if it is nothing that we can sell. */
int aws_type_read(const xmlNode *item, struct aws_type *out);
/* All types of the region, and the zones that sell them. */
int aws_market_types(const struct aws_client *client, struct aws_market *market,
		     struct souk_error *err);

/* ---- prices.c -------------------------------------------------------------------------------- */

/* Fill in the prices on demand. */
int aws_market_prices(const struct aws_client *client, struct aws_market *market,
		      struct souk_error *err);

/* ---- spot.c ---------------------------------------------------------------------------------- */

/* A price of the spot market, since when. The texts are the item's. */
struct aws_spot {
	const char *type;
	const char *zone;
	int64_t micros_per_hour;
	int64_t at; /* 0: it does not say */
};

/* Read one <item> of DescribeSpotPriceHistory; 0 if it is no price of plain Linux. */
int aws_spot_read(const xmlNode *item, struct aws_spot *out);
/* Ask for the prices that hold now, of one type or of all (NULL). */
int aws_spot_pages(const struct aws_client *client, const char *type, aws_page page, void *arg,
		   struct souk_error *err);
/* Fill in those of all places. */
int aws_market_spot(const struct aws_client *client, struct aws_market *market,
		    struct souk_error *err);

struct aws_type *aws_market_type(const struct aws_market *market, const char *name);
struct aws_place *aws_market_place(const struct aws_market *market, const char *type,
				   const char *zone);

/* ---- offers.c, quote.c ----------------------------------------------------------------------- */

int aws_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		    struct souk_error *err);
int aws_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
	      struct souk_quote_list *out, struct souk_error *err);

#endif
