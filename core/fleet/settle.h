/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/settle.h - bringing the store and the clouds to agree: intents, absences, teardown */
#ifndef SOUK_FLEET_SETTLE_H
#define SOUK_FLEET_SETTLE_H

#include "fleet/cluster.h"

/*
 * Find what exists under an intent's token. Machines that belong to no node of 'cluster' (may be
 * NULL) are torn down if the intent is closing or the cluster has machines already, else they
 * become the cluster's. Returns OK; *settled_out is 1 when nothing is left open: the intent is
 * deleted then. The caller holds the cluster's lock and writes the cluster if *adopted_out.
 */
int fleet_settle_intent(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_intent *intent, struct souk_store_cluster *cluster,
			int *settled_out, int *adopted_out, struct souk_error *err);

/* Settle all open intents of a cluster, whatever becomes of any of them: the first failure is
 * returned. *open_out counts those that are still open. */
int fleet_settle_cluster(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			 size_t *open_out, struct souk_error *err);

/*
 * If the machines were asked to stop, start or end and what came of it was not seen: look and write
 * it, before they are asked again, so that the store knows when they ran. Holds the lock.
 */
int fleet_look_if_asked(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_cluster *cluster, struct souk_error *err);

/*
 * Give machines back: note it durably as a closing intent under their token, then tear down.
 * A failure of the teardown itself is a warning: the intent stays and is settled later.
 */
int fleet_discard(struct souk_fleet *fleet, struct souk_provider *provider,
		  struct souk_store_intent *intent, const struct souk_instance_list *instances,
		  struct souk_error *err);

/*
 * More machines than were asked for, under the cluster's token: a request that the network
 * doubled. Those that are no node of the cluster are torn down.
 */
int fleet_tear_down_doubles(struct souk_fleet *fleet, struct souk_provider *provider,
			    const struct souk_store_cluster *cluster, struct souk_error *err);

/*
 * Ask the cloud about a cluster's machines, settle its intents, write what was found. A cluster
 * of which nothing is left, confirmed twice, is forgotten: *gone_out is 1. Holds the lock.
 */
int fleet_refresh_cluster(struct souk_fleet *fleet, const char *name, int *gone_out,
			  struct souk_error *err);

/* The operations. */
int fleet_refresh(struct souk_fleet *fleet, const char *const *names, size_t n,
		  struct souk_error *err);
int fleet_down(struct souk_fleet *fleet, const char *cluster,
	       const struct souk_callbacks *callbacks, struct souk_error *err);

/* The same for a caller that holds the cluster's lock. */
int fleet_down_locked(struct souk_fleet *fleet, const char *cluster,
		      const struct souk_callbacks *callbacks, struct souk_error *err);

#endif
