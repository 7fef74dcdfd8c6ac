/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/quote.h - a candidate's price, item by item, each with its source and date
 *
 * The machine's price is the catalogue's; what disks and addresses cost stands in the providers'
 * tables of charges ($datadir/souk/charges/NAME.csv, or charges/NAME.csv in the user's
 * configuration folder in its place; docs/market.md describes them); traffic is the transfer
 * tables'. What nobody has said is an item that is not known, never one of 0.
 */
#ifndef SOUK_MARKET_QUOTE_H
#define SOUK_MARKET_QUOTE_H

#include "market/egress.h"
#include "market/optimizer.h"

struct souk_charges;

/* Read a provider's table of charges. One that has none gets an empty one. INVALID with FILE:LINE.
 */
int souk_charges_load(const struct souk_paths *paths, const char *provider,
		      struct souk_charges **charges_out, struct souk_error *err);
int souk_charges_parse(const char *path, const char *text, size_t size,
		       struct souk_charges **charges_out, struct souk_error *err);
void souk_charges_free(struct souk_charges *charges);

#define SOUK_QUOTE_MAX_ITEMS 16u

struct souk_quote_item {
	char item[24]; /* "compute" "disk" "address" "inputs" "outputs" "egress" "preemption" */
	int per_hour;		/* 1: 'micros' is per hour; 0: once */
	int64_t micros;		/* all nodes; -1: not known */
	char currency[4];
	char note[160];
	char source[200];	/* "": none */
	char date[16];		/* of the price; "" unknown */
};

/* All items of one candidate, and their sums. */
struct souk_quote_sheet {
	struct souk_quote_item items[SOUK_QUOTE_MAX_ITEMS];
	size_t n;
	char currency[4];	/* of the sums */
	int64_t hour_micros;	/* of what is known and in that currency */
	int64_t once_micros;
	int64_t total_micros;	/* for the hours asked for */
	int complete;		/* 0: an item is not known, or in another currency */
};

struct souk_quote_query {
	const struct souk_candidate *candidate;
	const struct souk_task *task;
	const struct souk_egress *egress;
	const struct souk_charges *charges;
	uint32_t hours_milli;
	uint64_t
		egress_mb; /* that leave the machines for the internet besides the task's outputs */
};

/* Itemise. Never fails; texts that are too long are cut. */
void souk_quote_sheet_make(const struct souk_quote_query *query,
			   struct souk_quote_sheet *sheet_out);

/* What the traffic of 'egress_mb' costs from a place; for choosing among candidates. */
void souk_quote_egress(const struct souk_quote_query *query, struct souk_transfer *out);

/*
 * Put the lines in that a module has given: in the place of items of the same name, else behind
 * them. 'date' is the day on which it was asked. Then sum again.
 */
void souk_quote_sheet_merge(struct souk_quote_sheet *sheet, const struct souk_quote_list *lines,
			    const char *provider, const char *date, uint32_t hours_milli);

#endif
