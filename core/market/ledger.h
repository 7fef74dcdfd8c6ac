/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/ledger.h - the capacity ledger's evidence about a place, as the optimizer wants it
 *
 * docs/market.md, "The capacity ledger", says what counts for how long. Loading makes an index of
 * the places that attempts tell of, so that looking one up costs the same however many there are.
 */
#ifndef SOUK_MARKET_LEDGER_H
#define SOUK_MARKET_LEDGER_H

#include "store/store.h"

/* After so long the weight of an attempt is half of what it was. */
#define SOUK_LEDGER_HALF_LIFE_S 3600
/* Older evidence counts for nothing. */
#define SOUK_LEDGER_HORIZON_S 86400

/* For so long after a failure a place is tried last. */
#define SOUK_LEDGER_COOLDOWN_S 600	    /* sold out, on demand */
#define SOUK_LEDGER_COOLDOWN_SPOT_S 3600    /* sold out as spot */
#define SOUK_LEDGER_COOLDOWN_QUOTA_S 600    /* quota: doubled with each further failure ... */
#define SOUK_LEDGER_COOLDOWN_QUOTA_MAX_S 3600 /* ... up to this */
#define SOUK_LEDGER_COOLDOWN_UNSOLD_S 82800 /* that type is not sold there */

struct souk_ledger_index;

struct souk_ledger {
	struct souk_store_attempt *attempts; /* newest first */
	size_t n;
	int64_t now; /* seconds since the epoch */
	struct souk_ledger_index *index; /* NULL: nothing is known of any place */
};

/* A machine in a place, to be looked up. */
struct souk_ledger_place {
	const char *provider;
	const char *region;
	const char *zone;	 /* NULL: none, or the provider chooses */
	const char *instance_type;
	const char *accelerator; /* canonical; NULL: none */
	uint32_t accelerator_milli;
	int spot;
};

/*
 * Of the failures that cover a place the one counts that keeps it cooling longest, or did. Weights
 * are in 1/1000.
 */
struct souk_evidence {
	int64_t exhausted_at;  /* when that was; 0: there is none, or something worked there since */
	int64_t cooling_until; /* tried last before that moment; 0: no reason to */
	int code;	       /* of that failure, SOUK_E_...; SOUK_OK: none */
	const char *reason;    /* the cloud's own code; may be NULL; borrowed from the ledger */
	int score;	       /* weights of successes minus those of capacity failures that cover it */
	int failures;	       /* weights of capacity failures of this very machine and place, and */
	int successes;	       /* of successes with it */
};

/* Read what the store has of the last day. */
int souk_ledger_load(struct souk_store *store, int64_t now, struct souk_ledger *ledger_out,
		     struct souk_error *err);
/* Make a ledger of n attempts, newest first, which it takes over, also on failure. */
int souk_ledger_init(struct souk_ledger *ledger_out, struct souk_store_attempt *attempts, size_t n,
		     int64_t now, struct souk_error *err);
void souk_ledger_fini(struct souk_ledger *ledger);

/* What is known about a machine in a place. Pure; any number of threads may ask. */
struct souk_evidence souk_ledger_evidence(const struct souk_ledger *ledger,
					  const struct souk_ledger_place *place);

/* What attempt i is worth now, and until when it keeps what it covers waiting (0: it does not, or
 * something worked there since). */
int souk_ledger_weight(const struct souk_ledger *ledger, size_t i);
int64_t souk_ledger_cooling_until(const struct souk_ledger *ledger, size_t i);

#endif
