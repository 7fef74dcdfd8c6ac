/* SPDX-License-Identifier: Apache-2.0 */
/* offers-internal.h - what the files behind 'souk offers' share */
#ifndef SOUK_OFFERS_INTERNAL_H
#define SOUK_OFFERS_INTERNAL_H

#include "context.h"
#include "market/market.h"
#include "model/task.h"

/* A struct souk_offer_filter, parsed. NULL and 0 members do not restrict. */
struct offers_filter {
	const struct souk_offer_filter *given;
	struct souk_strv infra;		/* its parts */
	const char *provider;		/* patterns with '*' for anything; "*" alone is NULL here */
	const char *regions[2];		/* of 'region' and of 'infra' */
	const char *zone;
	const char *instance_type;	/* a pattern */
	struct souk_accelerator accelerator;
	int counted;			/* the accelerator was given with a number */
	struct souk_amount cpus;
	struct souk_amount memory;
	int64_t max_micros;		/* -1: no limit */
	int by_spot;			/* rows are compared by their spot price */
	int depth;			/* parts of the place that make a line: 0, 1 region, 2 zone */
};

int offers_filter_init(struct offers_filter *filter, const struct souk_offer_filter *given,
		       struct souk_error *err);
void offers_filter_fini(struct offers_filter *filter);

/* Do only accelerator, provider and spot restrict? Then the accelerators' own records tell all. */
int offers_filter_is_plain(const struct offers_filter *filter);
int offers_filter_accelerator(const struct offers_filter *filter, const char *name,
			      uint32_t memory_mib);
int offers_filter_type(const struct offers_filter *filter, const struct souk_catalog_type *type);
int offers_filter_place(const struct offers_filter *filter, const char *region, const char *zone);
int offers_filter_row(const struct offers_filter *filter, const struct souk_catalog_row *row);

/* Is the price that counts, of a row that fits, known, credible, and in dollars? The rank of what
 * it is not: such rows come later. */
enum offers_class { OFFERS_GOOD, OFFERS_FOREIGN, OFFERS_MARKED, OFFERS_UNSOLD };
enum offers_class offers_class_of(const struct offers_filter *filter,
				  const struct souk_catalog_row *row);

/* A line: one row, which may stand for others of its type. */
struct offers_entry {
	int64_t key;	     /* sorted by this, after the class */
	int64_t micros;	     /* the price that counts; -1 unknown */
	uint32_t type;
	uint32_t row;
	uint32_t further;    /* regions that it stands for, besides its own */
	uint16_t file;
	uint8_t class;
	uint8_t reserved;
};

struct souk_offers {
	struct souk_market market;
	int *installed;			/* beside market.files: is there a module? */
	struct offers_entry *entries;
	size_t n;
	struct souk_accelerator_row *accelerators;
	size_t n_accelerators;
	int depth;
	int spot;
	struct souk_offer_row row;	/* the one that was asked for last */
};

/*
 * offers-scan.c: find the lines of file i, and sum its accelerators up. A part that is damaged is
 * INVALID, with all that was added for this file taken back.
 */
int offers_scan(struct souk_offers *offers, size_t i, const struct offers_filter *filter,
		struct souk_error *err);
/* Sort all lines, and keep at most 'limit' (0: all). */
void offers_sort(struct souk_offers *offers, const struct offers_filter *filter);

/* offers-accelerators.c: one line for each accelerator, from the records of file i. */
int offers_sum(struct souk_offers *offers, size_t i, const struct offers_filter *filter,
	       struct souk_error *err);
/* Add what one file sells of an accelerator. */
int offers_add_accelerator(struct souk_offers *offers, const struct souk_accelerator_row *row,
			   struct souk_error *err);
/* Put the same accelerators of different files together, and sort them. */
void offers_merge_accelerators(struct souk_offers *offers, const struct offers_filter *filter);

/* offers-market.c: open the offers of all providers that are allowed and that the filter lets in. */
int offers_open(struct souk *souk, const struct offers_filter *filter, struct souk_offers *offers,
		struct souk_error *err);
/* Say so if prices that are shown are old. */
void offers_say_stale(struct souk *souk, const struct souk_offers *offers);
/* After file i was found damaged: set it aside and open what is there without it. 1 if there is
 * something to read in its place. */
int offers_reopen(struct souk *souk, struct souk_offers *offers, size_t i,
		  const struct souk_error *why);

#endif
