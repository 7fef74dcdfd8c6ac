/* SPDX-License-Identifier: Apache-2.0 */
/* market/ledger.h - the capacity ledger's evidence about a place, as the optimizer wants it */
#ifndef SOUK_MARKET_LEDGER_H
#define SOUK_MARKET_LEDGER_H

#include "store/store.h"

/* After a capacity failure a place is tried last for so long. */
#define SOUK_LEDGER_COOLDOWN_S 600
/* Older evidence counts for nothing. */
#define SOUK_LEDGER_HORIZON_S 86400

struct souk_ledger {
	struct souk_store_attempt *attempts; /* newest first */
	size_t n;
	int64_t now; /* seconds since the epoch */
};

struct souk_evidence {
	int64_t exhausted_at; /* the last capacity failure that covers the place, unless something
			       * worked there since; 0: none */
	int score;	      /* successes minus capacity failures inside the horizon, weight halved
			       * each hour, in 1/1000 */
	int successes;	      /* the two parts of the score: score = successes - failures */
	int failures;
	int64_t cooling_until; /* until then it is tried last; 0: it is not cooling */
};

/* Read what the store has of the last day. */
int souk_ledger_load(struct souk_store *store, int64_t now, struct souk_ledger *ledger_out,
		     struct souk_error *err);
void souk_ledger_fini(struct souk_ledger *ledger);

/* What is known about an instance type in a place (zone may be NULL), as spot or not. Pure. */
struct souk_evidence souk_ledger_evidence(const struct souk_ledger *ledger, const char *provider,
					  const char *region, const char *zone,
					  const char *instance_type, int spot);

#endif
