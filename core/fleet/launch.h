/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/launch.h - a task on a cluster: launch, exec, and following a job to its end */
#ifndef SOUK_FLEET_LAUNCH_H
#define SOUK_FLEET_LAUNCH_H

#include "fleet/cluster.h"

int fleet_launch(struct souk_fleet *fleet, const struct souk_task *task,
		 struct souk_plan_result *plan, const struct souk_launch_options *options,
		 struct souk_launch_result *result_out, struct souk_error *err);
int fleet_exec(struct souk_fleet *fleet, const char *cluster, const struct souk_task *task,
	       const struct souk_launch_options *options, struct souk_launch_result *result_out,
	       struct souk_error *err);

/*
 * Follow a job until it is final, over as many connections as it takes: '*remote' may be
 * replaced. Then fill in status and exit status.
 */
int fleet_follow(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		 struct souk_remote **remote, uint32_t job, const struct souk_callbacks *callbacks,
		 struct souk_launch_result *result, struct souk_error *err);

/* Store what a job's row says. */
int fleet_take_job(struct souk_fleet *fleet, const char *cluster, const struct souk_job_row *row,
		   struct souk_launch_result *result, struct souk_error *err);

/* Bring the runtime of every node up and write the cluster as UP. */
int fleet_bring_up(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		   struct souk_remote **remotes, const struct souk_callbacks *callbacks,
		   struct souk_error *err);

/* Connect to all nodes: the array has cluster->n_nodes places. */
int fleet_connect_all(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		      uint32_t patience_ms, struct souk_remote ***remotes_out,
		      struct souk_error *err);
void fleet_disconnect_all(struct souk_remote **remotes, size_t n);

#endif
