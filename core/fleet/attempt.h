/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/attempt.h - one candidate, from its intent to machines that run or are given back */
#ifndef SOUK_FLEET_ATTEMPT_H
#define SOUK_FLEET_ATTEMPT_H

#include "fleet/launching.h"

/*
 * Get the machines of a candidate and wait until they run; they are the cluster's then. What asks
 * for patience is tried again a few times. After a failure nothing is left but, where that is not
 * certain, a closing intent.
 */
int fleet_attempt(struct fleet_launching *launch, const struct souk_candidate *c,
		  struct souk_error *err);

/* ---- Its parts, for a race ---- */

/* What the store says of the cluster while this candidate is tried. */
int fleet_describe_cluster(const struct fleet_launching *launch, const struct souk_candidate *c,
			   struct souk_store_cluster *cluster, struct souk_error *err);

/* An intent for it, with a token of its own. It is in no store yet. */
int fleet_intent_init(const struct fleet_launching *launch, const struct souk_candidate *c,
		      struct souk_store_intent *intent, struct souk_error *err);

/*
 * Ask for the machines; a request whose fate is unknown is settled by its token, then repeated.
 * *doubtful_out is 1 if any of them may have taken effect: then a clean failure of the last says
 * nothing. The store is not touched.
 */
int fleet_request_machines(struct souk_fleet *fleet, struct souk_provider *provider,
			   const struct souk_instance_spec *spec,
			   const struct souk_store_intent *intent, struct souk_instance_list *out,
			   int *doubtful_out, struct souk_error *err);

/* Does the cloud ask for patience rather than refusing, and is the i-th try not the last? Then how
 * long to wait; else 0. */
uint32_t fleet_patience_ms(int code, unsigned i, const struct souk_error *error);

/* Has a request that failed so created nothing for certain? */
int fleet_is_clean(int code);

/* The labels of a request, in the form of the spec: freed with free(). NULL: no memory. */
struct souk_label *fleet_labels(const struct souk_request *request);

#endif
