/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/failover.h - going down the plan: what comes next, what rules it out, and telling of it */
#ifndef SOUK_FLEET_FAILOVER_H
#define SOUK_FLEET_FAILOVER_H

#include "fleet/launching.h"

/* Try one candidate after the other, without those that an attempt so far rules out. */
int fleet_go_down_plan(struct fleet_launching *launch, struct souk_error *err);

/* ---- For a race ---- */

/* "aws us-east-1a m5.large (spot), $0.096/h" */
void fleet_describe_candidate(const struct souk_candidate *c, char *text, size_t size);

/* How an attempt went, for the ledger. 'error' is for a code other than OK. */
void fleet_record_attempt(struct fleet_launching *launch, const struct souk_candidate *c, int code,
			  const struct souk_error *error);

/* Note a failure for the summary, before it is told. */
int fleet_note_failure(struct fleet_launching *launch, const struct souk_candidate *c,
		       const struct souk_error *error, struct souk_error *err);

/* One line: what failed last, and what is tried now (NULL: nothing is left). A refused quota or login
 * is told once for a provider; fleet_tell_hushed() then says how often it came. */
void fleet_tell_failure(struct fleet_launching *launch, const struct souk_candidate *next);
/* 'after': what comes after them; NULL: something that worked or is told next. */
void fleet_tell_hushed(struct fleet_launching *launch, const char *after);

/* Has a race of this round begun the candidate at that place of the plan? */
int fleet_has_raced(const struct fleet_launching *launch, size_t at);

/* A wrong host key or the user's wish ends the launch; anything else is a reason to go on. */
int fleet_ends_launch(int code);

/* A failure that may pass by itself? */
int fleet_may_retry(int code);

/* Every candidate has failed: the result is the failure of the first, which was the best. */
int fleet_all_failed(struct fleet_launching *launch, struct souk_error *err);

#endif
