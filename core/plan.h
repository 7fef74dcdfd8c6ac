/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - providers that take part and their offers; for the files of the public face only */
#ifndef SOUK_PLAN_H
#define SOUK_PLAN_H

#include "context.h"

/* The opened providers that take part in something. */
struct souk_participants {
	struct souk_market_provider *items;
	struct souk_provider **providers; /* beside items; borrowed from the registry */
	size_t n;
};

/*
 * Open every provider that the settings allow and the task (NULL: any) does not rule out. One
 * that cannot be opened is skipped; those of last resort (SOUK_FEATURE_DEFAULT) take part only
 * if asked for by name or if there is no other.
 */
int souk_participants_open(struct souk *souk, const struct souk_task *task,
			   struct souk_participants *all_out, struct souk_error *err);
void souk_participants_fini(struct souk_participants *all);

/* Did the user ask for this provider: with --providers, in the configuration, or in the task (NULL:
 * there is none)? */
int souk_participant_is_explicit(const struct souk *souk, const struct souk_task *task,
				 const char *name);

/* Ask a provider itself what it has; the cache keeps it, unless asking is quick or it has nothing. */
int souk_catalog_ask(struct souk *souk, struct souk_provider *provider, struct souk_catalog *catalog,
		     struct souk_error *err);

/* An offer as the public face shows it; its texts are the offer's. */
void souk_offer_row_fill(struct souk_offer_row *row, const struct souk_catalog_offer *offer);

#endif
