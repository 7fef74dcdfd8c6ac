/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/provision.h - from a plan to machines that run: intents, failover, the ledger */
#ifndef SOUK_FLEET_PROVISION_H
#define SOUK_FLEET_PROVISION_H

#include "fleet/cluster.h"

struct fleet_race;

/*
 * Go down the plan until a candidate gives num_nodes running machines. 'cluster' has a name and
 * is filled in with the rest; it is in the store, INIT, from before the first request on. What
 * a failed candidate left is noted and torn down. With options->retry_until_up the plan is begun
 * again, later and later. The caller holds the cluster's lock. CAPACITY, QUOTA, AUTH ...: what the
 * first candidate failed by; nothing is left then but intents that are being settled, and
 * *options->summary_out says what was tried. A race (options->race is over 1) that was won is
 * in *race_out, else NULL: the caller ends it with fleet_race_end(), which confirms that the losers are gone.
 */
int fleet_provision(struct souk_fleet *fleet, const struct souk_task *task,
		    struct souk_plan_result *plan, const struct souk_launch_options *options,
		    struct souk_store_cluster *cluster, struct fleet_race **race_out,
		    struct souk_error *err);

/* Poll until every node runs and has an address. CAPACITY if one ends meanwhile. */
int fleet_wait_running(struct souk_fleet *fleet, struct souk_provider *provider,
		       struct souk_store_cluster *cluster, int64_t patience_ms,
		       struct souk_error *err);

/* Nodes of one cluster talk to each other: all of them are in one zone, or it is CAPACITY. */
int fleet_check_one_zone(const struct souk_store_cluster *cluster, struct souk_error *err);

/* What provision is to create for a candidate. 'labels' are those of its request; all is borrowed. */
void fleet_fill_spec(const struct souk_fleet *fleet, const struct souk_task *task,
		     const struct souk_candidate *c, const char *cluster, const char *token,
		     const struct fleet_keys *keys, const struct souk_label *labels,
		     struct souk_instance_spec *spec);

#endif
