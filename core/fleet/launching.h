/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/launching.h - what is known while a launch looks for machines */
#ifndef SOUK_FLEET_LAUNCHING_H
#define SOUK_FLEET_LAUNCHING_H

#include "fleet/cluster.h"
#include "fleet/summary.h"

struct fleet_launching {
	struct souk_fleet *fleet;
	const struct souk_task *task;
	struct souk_plan_result *plan;
	const struct souk_callbacks *callbacks;
	struct souk_store_cluster *cluster;
	struct fleet_keys keys;
	struct fleet_attempts attempts; /* of this round; the first was the best candidate */
	size_t hushed;		 /* the last so many failures were not told, as they were of the same kind */
	size_t *raced;		 /* places in the plan that a race of this round has begun */
	size_t n_raced;
	size_t under_way;	 /* racers besides the one that is spoken of */
	int may_retry;		 /* a failure of the round was of those that pass */
};

#endif
