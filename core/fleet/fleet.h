/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/fleet.h - clusters from the first offer to the last trace: what the engine does */
#ifndef SOUK_FLEET_FLEET_H
#define SOUK_FLEET_FLEET_H

#include <souk/souk.h>

#include "base/cancel.h"
#include "market/optimizer.h"
#include "model/task.h"
#include "provider/registry.h"
#include "store/store.h"

/* What every operation works with. Nothing in it belongs to the fleet. */
struct souk_fleet {
	const struct souk_paths *paths;
	const struct souk_config *config;
	struct souk_store *store;
	struct souk_registry *registry;
	struct souk_cancel *cancel;
	const char *owner;
};

/* The operations behind the functions of souk/souk.h that reach out; see there. */
struct souk_fleet_ops {
	int (*launch)(struct souk_fleet *fleet, const struct souk_task *task,
		      struct souk_plan_result *plan, const struct souk_launch_options *options,
		      struct souk_launch_result *result_out, struct souk_error *err);
	int (*exec)(struct souk_fleet *fleet, const char *cluster, const struct souk_task *task,
		    const struct souk_launch_options *options, struct souk_launch_result *result_out,
		    struct souk_error *err);
	int (*logs)(struct souk_fleet *fleet, const char *cluster, uint32_t job, int follow,
		    const struct souk_callbacks *callbacks, struct souk_launch_result *result_out,
		    struct souk_error *err);
	int (*queue)(struct souk_fleet *fleet, const char *cluster, struct souk_jobs **jobs_out,
		     struct souk_error *err);
	void (*jobs_free)(struct souk_jobs *jobs);
	size_t (*jobs_count)(const struct souk_jobs *jobs);
	const struct souk_job_row *(*jobs_row)(const struct souk_jobs *jobs, size_t i);
	int (*cancel)(struct souk_fleet *fleet, const char *cluster, const uint32_t *jobs, size_t n,
		      uint32_t *cancelled_out, struct souk_error *err);
	/* Ask the clouds about these clusters (n 0: all) and settle what is open. */
	int (*refresh)(struct souk_fleet *fleet, const char *const *names, size_t n,
		       struct souk_error *err);
	int (*start)(struct souk_fleet *fleet, const char *cluster,
		     const struct souk_callbacks *callbacks, struct souk_error *err);
	int (*stop)(struct souk_fleet *fleet, const char *cluster,
		    const struct souk_callbacks *callbacks, struct souk_error *err);
	int (*down)(struct souk_fleet *fleet, const char *cluster,
		    const struct souk_callbacks *callbacks, struct souk_error *err);
	int (*autostop)(struct souk_fleet *fleet, const char *cluster, int64_t idle_minutes, int down,
			struct souk_error *err);
	/* End a machine of 'owner' (NULL: nobody of souk's) that no cluster of the store has. */
	int (*end_orphan)(struct souk_fleet *fleet, const char *provider,
			  const struct souk_instance_ref *ref, const char *owner,
			  const struct souk_callbacks *callbacks, struct souk_error *err);
	/* Remove what is left of such a cluster besides machines; 'id' must then be gone. */
	int (*end_leftover)(struct souk_fleet *fleet, const char *provider,
			    const struct souk_instance_ref *ref, const char *owner,
			    struct souk_error *err);
	int (*ssh_config)(struct souk_fleet *fleet, const char *cluster, uint32_t rank,
			  char **config_out, char **host_out, struct souk_error *err);
	int (*rehearse)(struct souk_fleet *fleet, const struct souk_task *task,
			struct souk_plan_result *plan, const char *cluster, size_t limit,
			struct souk_requests **requests_out, struct souk_error *err);
};

extern const struct souk_fleet_ops souk_fleet_ops;

#endif
