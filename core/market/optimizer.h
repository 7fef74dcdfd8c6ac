/* SPDX-License-Identifier: Apache-2.0 */
/* market/optimizer.h - requests and offers to ranked candidates: no I/O, no clock, no globals */
#ifndef SOUK_MARKET_OPTIMIZER_H
#define SOUK_MARKET_OPTIMIZER_H

#include "market/catalog.h"
#include "market/ledger.h"
#include "model/task.h"

/* What a provider can do, as far as it decides where a task can run. */
struct souk_market_provider {
	const char *name;
	uint64_t features; /* SOUK_FEATURE_... */
	int can_stop;
};

/* An offer that satisfies a request. Borrowed from catalog and task. */
struct souk_candidate {
	const struct souk_catalog_offer *offer;
	const struct souk_request *request;
	int spot;
	int64_t micros_per_hour;	/* one node */
	int64_t total_micros_per_hour;	/* all nodes */
	int cooling;			/* exhausted a moment ago: tried last */
	int64_t exhausted_at;
	int score;
};

/* What an offer can fail by, for explanations. */
enum souk_misfit {
	SOUK_FITS,
	SOUK_MISFIT_PROVIDER,	/* not the provider asked for */
	SOUK_MISFIT_PLACE,
	SOUK_MISFIT_INSTANCE_TYPE,
	SOUK_MISFIT_ACCELERATOR,
	SOUK_MISFIT_COUNT,	/* the accelerator is right, its number is not */
	SOUK_MISFIT_CPUS,
	SOUK_MISFIT_MEMORY,
	SOUK_MISFIT_LOCAL_DISK,
	SOUK_MISFIT_MARKET,	/* not sold as spot, or only as spot */
	SOUK_MISFIT_PRICE,
	SOUK_MISFIT_FEATURE,
	SOUK_MISFITS
};

struct souk_plan_result {
	struct souk_candidate *items; /* in the order in which they are to be tried */
	size_t n;
	size_t misfits[SOUK_MISFITS]; /* pairs of offer and request that failed by ... first */
	char feature[128];	      /* with MISFIT_FEATURE: which, for the message */
};

/* Does an offer satisfy a request of this task? The first thing that it fails by. */
enum souk_misfit souk_optimizer_match(const struct souk_catalog_offer *offer,
				      const struct souk_market_provider *provider,
				      const struct souk_task *task, const struct souk_request *request,
				      const char **feature_out);

/*
 * Rank all offers of the catalog for a task. The order: the rank of the request, what was
 * exhausted a moment ago last, price of all nodes, the ledger's score, then provider, region,
 * zone, instance type by name. The same place and machine is taken once, by its best request.
 * NOMEM is the only failure; no candidate is not one. 'ledger' may be empty.
 */
int souk_optimizer_plan(const struct souk_catalog *catalog,
			const struct souk_market_provider *providers, size_t n_providers,
			const struct souk_task *task, const struct souk_ledger *ledger,
			struct souk_plan_result *result_out, struct souk_error *err);
void souk_plan_result_fini(struct souk_plan_result *result);

/* Say why nothing fits: the message and hint of a CAPACITY or INVALID error. Returns its code. */
int souk_optimizer_explain(const struct souk_catalog *catalog, const struct souk_task *task,
			   const struct souk_plan_result *result, struct souk_error *err);

#endif
