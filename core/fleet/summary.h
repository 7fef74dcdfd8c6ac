/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/summary.h - what a launch has tried, what that rules out, and what to do next */
#ifndef SOUK_FLEET_SUMMARY_H
#define SOUK_FLEET_SUMMARY_H

#include <souk/souk.h>

#include "market/optimizer.h"

/* A candidate that failed, and how. */
struct fleet_attempt {
	struct souk_candidate candidate;
	struct souk_error error;
	uint32_t skipped; /* candidates that were passed over because of it */
};

struct fleet_attempts {
	struct fleet_attempt *items; /* as they came */
	size_t n;
};

int fleet_attempts_add(struct fleet_attempts *attempts, const struct souk_candidate *candidate,
		       const struct souk_error *error, struct souk_error *err);
/* Begin again with none. */
void fleet_attempts_reset(struct fleet_attempts *attempts);

/* Does a candidate lie inside the scope of a failure? */
int fleet_attempt_covers(const struct fleet_attempt *attempt, const struct souk_candidate *candidate);

/* The attempt inside whose scope a candidate lies, so that it need not be tried; NULL: none. */
struct fleet_attempt *fleet_attempts_cover(const struct fleet_attempts *attempts,
					   const struct souk_candidate *candidate);

/*
 * Group the attempts, and look for what would have worked: other places, on demand for spot,
 * other accelerators, by the same market without the task's wishes. 'retry' is 1 if trying again
 * may help. *summary_out is freed with souk_launch_summary_free().
 */
int fleet_summary_make(const struct fleet_attempts *attempts, struct souk_plan_result *plan,
		       int retry, struct souk_launch_summary **summary_out,
		       struct souk_error *err);

/* ---- For summary-advice.c ---- */

/* A copy of a text that the summary owns; NULL is NULL, and no memory sets *failed. */
const char *fleet_summary_text(struct souk_launch_summary *summary, int *failed, const char *fmt, ...)
	SOUK_PRINTF(3, 4);
int fleet_summary_advise(struct souk_launch_summary *summary, const struct fleet_attempts *attempts,
			 struct souk_plan_result *plan, int retry, struct souk_error *err);

#endif
