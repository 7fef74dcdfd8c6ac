/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/egress.h - what moving data between places costs, and how long it takes
 *
 * Who sends pays: the table of the provider that data leaves says what. Tables are data, one a
 * provider: $datadir/souk/transfer/NAME.csv, or transfer/NAME.csv in the user's configuration
 * folder in its place; docs/market.md describes them. Loading reads them all; after that nothing
 * here does I/O, fails or allocates, and any number of threads may ask.
 */
#ifndef SOUK_MARKET_EGRESS_H
#define SOUK_MARKET_EGRESS_H

#include <stddef.h>
#include <stdint.h>

#include "base/paths.h"
#include "model/config.h"
#include "model/task.h"

struct souk_egress;

/* Where data is. Names are compared in any case. */
struct souk_place {
	const char *provider; /* NULL: with nobody whose prices we know (a web server, a foreign
			       * bucket); sending to it is the internet, what it takes for sending
			       * is not known */
	const char *region;   /* NULL or "": not known */
};

enum souk_transfer_kind {
	SOUK_TRANSFER_NOTHING,	     /* there is nothing to move */
	SOUK_TRANSFER_SAME_REGION,
	SOUK_TRANSFER_SAME_PROVIDER, /* into another region of it */
	SOUK_TRANSFER_INTERNET	     /* to another provider, or from or to outside */
};

/* What one transfer costs. Texts are borrowed from the tables and from what was asked. */
struct souk_transfer {
	enum souk_transfer_kind kind;
	struct souk_place from, to;
	uint64_t mb;		/* 1000 is one GB */
	int64_t micros;		/* US dollars; -1: not known */
	int64_t rank_micros; /* for comparing: the same; where that is not known, what it would cost
			      * at the dearest price of any table (never 0 for what nobody knows) */
	int64_t seconds;	/* about how long it takes */
	int region_unknown; /* 1: a region that is not known was taken to be the other end's (same
			     * provider), or the provider's usual one */
	const char *source;	/* of the price: an address; "": none */
	const char *date;	/* of the price, "2026-07-01"; "" unknown */
};

/* Assumed speeds, in MB per second: inside a region, inside a provider, through the internet. */
#define SOUK_TRANSFER_REGION_MB_PER_S 1250
#define SOUK_TRANSFER_PROVIDER_MB_PER_S 625
#define SOUK_TRANSFER_INTERNET_MB_PER_S 250

/* Read every table. INVALID with FILE:LINE if one is wrong. No table at all is no failure. */
int souk_egress_load(const struct souk_paths *paths, const struct souk_config *config,
		     struct souk_egress **egress_out, struct souk_error *err);
/* Without a table; and one more, of a text in memory. 'path' names it in messages. For tests. */
int souk_egress_add_text(struct souk_egress *egress, const char *provider, const char *path,
			 const char *text, size_t size, struct souk_error *err);
/* Say where a bucket is: a region, as 'buckets' of the configuration does. */
int souk_egress_add_bucket(struct souk_egress *egress, const char *uri, const char *region,
			   struct souk_error *err);
struct souk_egress *souk_egress_new(struct souk_error *err);
void souk_egress_free(struct souk_egress *egress);

/* GB as a task file has them, in MB, rounded up; bounded. */
uint64_t souk_egress_mb(double gb);

/*
 * Price a transfer. 'allowance' 1: the free GB of the month are there to be used; 0: they are
 * used up, so that what would be free costs as the next tier does.
 */
void souk_egress_price(const struct souk_egress *egress, const struct souk_place *from,
		       const struct souk_place *to, uint64_t mb, int allowance,
		       struct souk_transfer *out);

/* The place of a bucket: by the tables' schemes, its region by 'buckets' of the configuration. Both
 * members NULL if no table has the scheme. */
void souk_egress_bucket(const struct souk_egress *egress, const char *uri,
			struct souk_place *place_out);

/*
 * What a task's inputs and outputs cost if it runs in a region of a provider. Cheap enough to
 * be asked once a (provider, region); the same in all its zones and for all its machines.
 */
struct souk_task_transfer {
	struct souk_transfer inputs, outputs;
	int known;		/* 0: 'micros' of one of them is not */
	int64_t micros;		/* of what is known */
	int64_t rank_micros;	/* what to add to the price when ranking */
	int64_t seconds;	/* what to add to the time */
};
void souk_egress_task(const struct souk_egress *egress, const struct souk_task *task,
		      const char *provider, const char *region, struct souk_task_transfer *out);
/* Has the task anything to move? If not there is no need to load tables. */
int souk_egress_is_needed(const struct souk_task *task);

/* How many tables there are, and the i-th by name: for 'quote' and for digests. */
struct souk_egress_table {
	const char *provider;
	const char *path;
	const char *source;
	const char *date;
};
size_t souk_egress_count(const struct souk_egress *egress);
void souk_egress_table(const struct souk_egress *egress, size_t i, struct souk_egress_table *out);

#endif
