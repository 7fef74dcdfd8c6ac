/* SPDX-License-Identifier: Apache-2.0 */
/* quotes.h - what the files of quotes share; for the files of the public face only */
#ifndef SOUK_QUOTES_H
#define SOUK_QUOTES_H

#include "market/pipeline.h"
#include "market/quote.h"
#include "plan.h"

struct json_object;

#define SOUK_QUOTE_ID_SIZE 33
/* Of an offer whose price or stock can change at any time: until the end of the hour after this
 * one. */
#define SOUK_QUOTE_SHORT_S 3600

struct souk_quote {
	char id[SOUK_QUOTE_ID_SIZE];
	char *text;		/* the document, as the file has it */
	struct json_object *doc;
};

/* The best candidate of each place, of those that are equal in rank, currency and cooling to the
 * best of all, by the names of the places. */
struct souk_quote_places {
	struct souk_candidate *items;
	size_t n;
};
int souk_quote_places_find(struct souk_plan *plan, struct souk_quote_places *places_out,
			   struct souk_error *err);
void souk_quote_places_fini(struct souk_quote_places *places);

/* One task of a quote. */
struct souk_quote_stage {
	const struct souk_task *task;	/* of the file */
	struct souk_task moved; /* a shallow copy: with the buckets that it pays for itself */
	struct souk_plan *plan;
	struct souk_candidate chosen;
	const struct souk_charges *charges; /* of the chosen one's provider */
	struct souk_quote_sheet sheet;
};

/* All that a document is made of. */
struct souk_quote_draft {
	struct souk *souk;
	struct souk_quote_options options;
	struct souk_quote_stage *stages;
	size_t n_stages;
	struct souk_pipeline_edge *edges;
	size_t n_edges;
	struct souk_pipeline_plan pipeline; /* with edges alone */
	struct souk_egress *egress;
	struct souk_quote_charges {
		char *provider;
		struct souk_charges *charges;
	} *charges;		/* those that were read */
	size_t n_charges;
	int64_t now;
	int64_t valid_until;
	char validity[160];
};

/* quote-choose.c: plan every stage and choose its offer; then price it. */
int souk_quote_draft_choose(struct souk_quote_draft *draft, const struct souk_dag *dag,
			    struct souk_error *err);
int souk_quote_draft_price(struct souk_quote_draft *draft, struct souk_error *err);
/* The charges of a provider, each read once. Borrowed. */
int souk_quote_draft_charges(struct souk_quote_draft *draft, const char *provider,
			     const struct souk_charges **charges_out, struct souk_error *err);
void souk_quote_draft_fini(struct souk_quote_draft *draft);

/* quote-document.c: the document of a draft, with its id. */
int souk_quote_document(struct souk_quote_draft *draft, struct souk_quote **quote_out,
			struct souk_error *err);
/* What of a task a quote depends on, without secrets and variables. NULL: no memory. */
struct json_object *souk_quote_task_json(const struct souk_task *task);
/* Read a document back; INVALID if it is not what its id says. */
int souk_quote_parse(const char *id, const char *text, struct souk_quote **quote_out,
		     struct souk_error *err);
int souk_quote_is_id(const char *id);

#endif
