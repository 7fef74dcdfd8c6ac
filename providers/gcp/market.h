/* SPDX-License-Identifier: Apache-2.0 */
/* market.h - what Compute Engine sells, and the prices that it is put together from */
#ifndef SOUK_GCP_MARKET_H
#define SOUK_GCP_MARKET_H

#include "gcp.h"

/* ---- sku.c: prices ---- */

/* What a rate is for. 'name' says which: the family of machines, the GPU, the kind of disk. */
enum gcp_rate_kind {
	GCP_RATE_CORE,		/* a vCPU, per hour */
	GCP_RATE_RAM,		/* a GiB, per hour */
	GCP_RATE_CORE_PREMIUM,	/* what M2 costs besides the rate of M1 */
	GCP_RATE_RAM_PREMIUM,
	GCP_RATE_GPU,		/* a GPU, per hour */
	GCP_RATE_SLICE,		/* a GPU with its share of the whole machine, per hour */
	GCP_RATE_WHOLE,		/* a machine, per hour: f1-micro, g1-small */
	GCP_RATE_LOCAL_SSD,	/* a GiB, per month; name "": of all families that have none of
				 * their own */
	GCP_RATE_DISK,		/* a GiB, per month */
	GCP_RATE_ADDRESS	/* a public IPv4 address in use, per hour */
};

/* What a SKU's description says. */
struct gcp_sku {
	enum gcp_rate_kind kind;
	int spot;
	char name[GCP_NAME_SIZE];
};

/* The price of something in a region ("global" for addresses). */
struct gcp_rate {
	struct gcp_sku sku;
	char region[GCP_NAME_SIZE];
	int64_t nanos;		/* billionths of a US dollar */
};

struct gcp_prices {
	struct gcp_rate *list;
	size_t n, size;
	int is_sorted;
	size_t n_skus;		/* that were looked at */
	size_t n_strange;	/* known by their words, but priced in another unit, or not at all */
	size_t n_twice;		/* the same thing at two prices: the higher one counts */
};

/* 1 and what it is, or 0 if it is nothing that a machine's price is made of. */
int gcp_sku_match(const char *description, const char *usage, struct gcp_sku *out);
/* Take a SKU. INTERNAL, naming the member, if it is not made as SKUs are. */
int gcp_sku_take(struct gcp_prices *prices, struct json_object *sku, struct souk_error *err);
/* Take a page of SKUs; for gcp_pages(). */
int gcp_prices_take_page(void *prices, struct json_object *page, struct souk_error *err);
/* Put in order, so that it can be asked. */
void gcp_prices_sort(struct gcp_prices *prices);
/* 1 and the rate, or 0. */
int gcp_prices_find(const struct gcp_prices *prices, enum gcp_rate_kind kind, const char *name,
		    const char *region, int spot, int64_t *nanos_out);
/* 1 if there is any rate of this kind and name, wherever. */
int gcp_prices_have(const struct gcp_prices *prices, enum gcp_rate_kind kind, const char *name);
void gcp_prices_fini(struct gcp_prices *prices);

/* prices.c: the whole price list, kept in the account for an hour; unlock it after use */
int gcp_prices_lock(const struct gcp_client *client, const struct gcp_prices **out,
		    struct souk_error *err);
void gcp_prices_unlock(const struct gcp_client *client);

/* ---- types.c: machines ---- */

/* A machine type, as a zone has it. */
struct gcp_type {
	char name[GCP_NAME_SIZE];
	char accelerator[GCP_NAME_SIZE]; /* built in: Google's name; "" none */
	uint32_t accelerators;
	uint32_t vcpus;
	uint32_t memory_mib;
	uint32_t local_ssds;		 /* built-in partitions */
	int has_local_ssds;		 /* 1: the API has said how many */
	int is_shared;
	int is_arm;
};

struct gcp_types {
	struct gcp_type *list;
	size_t n, size;
};

/* Read one; 1, or 0 if it is not to be had any more, or INTERNAL if it is not made so. */
int gcp_type_read(struct json_object *object, struct gcp_type *out, struct souk_error *err);
/* Take a page of machineTypes.list; for gcp_pages(). */
int gcp_types_take_page(void *types, struct json_object *page, struct souk_error *err);
void gcp_types_fini(struct gcp_types *types);

/* A zone and what it sells. */
struct gcp_zone {
	char name[GCP_NAME_SIZE];
	char region[GCP_NAME_SIZE];
	struct gcp_types types;
};

/* That a GPU can be attached to an N1 machine there, and how many at most. */
struct gcp_attachable {
	char zone[GCP_NAME_SIZE];
	char name[GCP_NAME_SIZE];
	uint32_t most;
};

struct gcp_market {
	struct gcp_zone *zones;
	size_t n_zones, zones_size;
	struct gcp_attachable *attachables;
	size_t n_attachables, attachables_size;
	const char *regions;		 /* the option; NULL: all */
};

int gcp_zones_take_page(void *market, struct json_object *page, struct souk_error *err);
int gcp_attachables_take_page(void *market, struct json_object *page, struct souk_error *err);
void gcp_market_fini(struct gcp_market *market);

/* ---- shapes.c: facts about machines and GPUs that no API tells ---- */

struct gcp_gpu {
	const char *type;	/* Google's name: "nvidia-tesla-t4" */
	const char *name;	/* as people call it: "T4" */
	uint32_t memory_mib;
};

const struct gcp_gpu *gcp_gpu_find(const char *type);
/* The GPU that a SKU's description speaks of; NULL: none. */
const struct gcp_gpu *gcp_gpu_of_sku(const char *words);
/* Whether an N1 machine may have 'count' GPUs of that type in that zone. */
int gcp_n1_may_have(const struct gcp_type *type, const char *gpu, uint32_t count,
		    const char *zone);
/* The family by whose rates a type is priced; "" if it is known to be priced otherwise. */
void gcp_family_of(const char *type, char out[GCP_NAME_SIZE]);
/* Whether the type can be had on demand, and as spot. */
int gcp_sold_on_demand(const char *type);
int gcp_sold_as_spot(const char *type);
/* What the type is billed for, in thousandths of a vCPU. */
uint32_t gcp_billed_milli(const struct gcp_type *type);
/* GPUs that are built in, in thousandths. */
uint32_t gcp_built_in_milli(const struct gcp_type *type);
/* GiB of built-in local SSD: 1 and the size, or 0 if that is not known. */
int gcp_local_ssd_gib(const struct gcp_type *type, uint64_t *out);
/* Whether it can be moved to another host while it runs, without GPUs and not as spot. */
int gcp_can_migrate(const char *type);
/* The kind of root disk for a tier of a task; NULL is "medium". */
const char *gcp_disk_kind(const char *type, const char *tier);
/* 1 if it is a host of TPUs. */
int gcp_is_tpu(const char *type);

/* ---- cost.c: the price of a machine ---- */

/* A machine with its GPUs. */
struct gcp_machine {
	const struct gcp_type *type;
	const char *gpu;	/* Google's name; NULL: none */
	uint32_t gpu_milli;
	const char *region;
};

/* What it costs per hour, in millionths of a US dollar. */
struct gcp_cost {
	int64_t total;
	int64_t cores, memory, gpus, local_ssd;
};

/* 1 and the price, or 0 and what there is no price for ("vCPUs"). */
int gcp_cost(const struct gcp_prices *prices, const struct gcp_machine *machine, int spot,
	     struct gcp_cost *out, const char **missing_out);
/* A price per GiB and month for so many MiB, per hour. */
int64_t gcp_storage_micros(int64_t nanos_per_month, uint64_t mib);

#endif
