/* SPDX-License-Identifier: Apache-2.0 */
/* market.h - what Azure sells in a region, and for how much */
#ifndef SOUK_AZURE_MARKET_H
#define SOUK_AZURE_MARKET_H

#include "client.h"

struct json_object;

enum {
	AZURE_SIZE_NAME = 64,
	AZURE_MAX_ZONES = 8,
	AZURE_ZONE_SIZE = 8,
	AZURE_KEEP_SECONDS = 3600	/* how long a page of a list is good for a second try */
};

/* ---- accelerators.c -------------------------------------------------------------------------- */

/* A kind of device that sizes of some name have. */
struct azure_device {
	const char *pattern;	/* of the size's name, as for fnmatch(3) */
	const char *name;
	uint32_t memory_mib;	/* of one; of the slice where it is one */
	uint32_t milli;		/* of a slice; 0: as many whole ones as the size says */
};

/* NULL: none is known. */
const struct azure_device *azure_device_find(const char *size);

/* ---- sizes.c --------------------------------------------------------------------------------- */

/* A size of machine, as sold in a region. */
struct azure_size {
	char name[AZURE_SIZE_NAME];
	const struct azure_device *device; /* NULL: none */
	uint32_t accelerator_milli;
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	uint64_t local_disk_mib;
	uint32_t flags;		   /* SOUK_OFFER_... */
	int is_arm;
	int spot;		   /* 1: sold so */
	int generation_2;	   /* 1: starts images of generation 2 */
	int generation_1;
	int premium_disk;
	size_t n_zones;		   /* 0: Azure chooses */
	char zones[AZURE_MAX_ZONES][AZURE_ZONE_SIZE];
};

/* What azure_size_read() can find. */
enum {
	AZURE_SIZE_OTHER = 0,	   /* not a machine that we sell */
	AZURE_SIZE_GOOD = 1,
	AZURE_SIZE_RESTRICTED = 2, /* the subscription may not use it here */
	AZURE_SIZE_UNKNOWN = 3	   /* not clear how large it is, or which device it has */
};

struct azure_sizes {
	const char *region;
	struct azure_size *list;
	size_t n, size;
	size_t restricted;
	size_t unknown;
	char unknown_name[AZURE_SIZE_NAME]; /* of one of them */
};

/* Read an entry of the list of SKUs: AZURE_SIZE_..., or a negative code if it is damaged. */
int azure_size_read(struct json_object *sku, const char *region, struct azure_size *out,
		    struct souk_error *err);
/* All sizes of the region, in the order of their names. */
int azure_sizes_list(const struct azure_client *client, const char *subscription,
		     const char *region, struct azure_sizes *out, struct souk_error *err);
const struct azure_size *azure_sizes_find(const struct azure_sizes *sizes, const char *name);
void azure_sizes_fini(struct azure_sizes *sizes);

/* ---- prices.c -------------------------------------------------------------------------------- */

/* A price of a size. */
struct azure_rate {
	char size[AZURE_SIZE_NAME];
	int is_spot;
	int is_primary;		/* of a region's own meter */
	int64_t since;		/* seconds since the epoch */
	int64_t micros_per_hour;
};

struct azure_rates {
	int64_t now;
	const char *region;
	struct azure_rate *list;
	size_t n, size;
};

/* Read an item of the price list: 1 if it is the price of a Linux machine, 0 if it is not. */
int azure_rate_read(struct json_object *item, const char *region, int64_t now,
		    struct azure_rate *out, struct souk_error *err);
/* The prices of a region; of one size, unless that is NULL. */
int azure_rates_list(const struct azure_client *client, const char *region, const char *size,
		     struct azure_rates *out, struct souk_error *err);
/* Sort what was added, so that it can be looked up; what is worth less is dropped. */
void azure_rates_settle(struct azure_rates *rates);
/* The price of a size, or -1. */
int64_t azure_rates_get(const struct azure_rates *rates, const char *size, int is_spot);
void azure_rates_fini(struct azure_rates *rates);

/* The prices of something else: 'filter' is of OData, 'take' is given each page's items. */
int azure_prices_list(const struct azure_client *client, const char *filter, const char *doing,
		      int (*take)(void *arg, struct json_object *page, struct json_object *items,
				  struct souk_error *err),
		      void *arg, struct souk_error *err);

/* ---- offers.c -------------------------------------------------------------------------------- */

/* A spot price that is no lower than the other is how the price list says that there is none. */
int64_t azure_spot_price(int64_t micros, int64_t spot_micros);

int azure_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		      struct souk_error *err);

/* ---- quote.c --------------------------------------------------------------------------------- */

/* The managed disk that holds so much, "P10" or "E10"; its size in GiB. 0: none is so large. */
uint32_t azure_disk_fit(uint64_t mib, char letter, char name_out[8]);

int azure_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		struct souk_quote_list *out, struct souk_error *err);

/* ---- check.c --------------------------------------------------------------------------------- */

extern const char azure_permissions[];

/* 1 if a pattern of a role, in which a star stands for any text, covers the action. */
int azure_action_matches(const char *pattern, const char *action);
/* 1 if a list of permissions, as Azure gives it, allows the action. */
int azure_action_allowed(struct json_object *permissions, const char *action);

int azure_check(void *self, struct souk_call *call, struct souk_identity *out,
		struct souk_error *err);

#endif
