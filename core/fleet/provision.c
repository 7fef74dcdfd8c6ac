/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/provision.c - from a plan to machines that run */
#include "fleet/provision.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/failover.h"
#include "fleet/race.h"

#define RETRY_MAX_MS 300000

/* What was tried, for whoever asks; and the best advice as the hint, if there is no better one. */
static void sum_up(struct fleet_launching *launch, struct souk_launch_summary **summary_out,
		   struct souk_error *err)
{
	struct souk_launch_summary *summary = NULL;
	struct souk_error own = SOUK_ERROR_INIT;

	if (launch->attempts.n == 0)
		return;
	if (fleet_summary_make(&launch->attempts, launch->plan, launch->may_retry, &summary, &own) < 0) {
		souk_log(SOUK_LOG_WARNING, "no summary: %s", own.message);
		return;
	}
	if (err && !err->hint[0] && summary->n_advice > 0)
		souk_error_hint(err, "%s", summary->advice[0].text);
	if (summary_out)
		*summary_out = summary;
	else
		souk_launch_summary_free(summary);
}

/* Nothing came of it: the cluster's record goes too, unless something is still to be settled. */
static void forget_unborn(struct fleet_launching *launch)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_intent *intents;
	size_t n;

	if (launch->cluster->n_nodes > 0 ||
	    souk_store_intents(launch->fleet->store, launch->cluster->name, &intents, &n, &own) < 0)
		return;
	souk_store_intents_free(intents, n);
	if (n == 0 && souk_store_cluster_delete(launch->fleet->store, launch->cluster->name, &own) ==
			      SOUK_OK)
		fleet_keys_remove(launch->fleet, launch->cluster->name, &own);
}

/* Once through the plan. What failed in an earlier round is tried again. */
static int one_round(struct fleet_launching *launch, uint32_t width, struct fleet_race **race_out,
		     struct souk_error *err)
{
	fleet_attempts_reset(&launch->attempts);
	launch->hushed = 0;
	launch->may_retry = 0;
	launch->n_raced = 0;
	if (width > 1)
		return fleet_race_run(launch, width, race_out, err);
	return fleet_go_down_plan(launch, err);
}

int fleet_provision(struct souk_fleet *fleet, const struct souk_task *task,
		    struct souk_plan_result *plan, const struct souk_launch_options *options,
		    struct souk_store_cluster *cluster, struct fleet_race **race_out,
		    struct souk_error *err)
{
	const struct souk_callbacks *callbacks = options->callbacks;
	struct fleet_launching launch = {
		.fleet = fleet,
		.task = task,
		.plan = plan,
		.callbacks = callbacks,
		.cluster = cluster,
	};
	uint32_t width = options->race;
	uint32_t pause_ms = fleet_retry_ms();
	int ret;

	*race_out = NULL;
	ret = fleet_keys_load(fleet, cluster->name, &launch.keys, err);
	if (ret < 0)
		return ret;
	while ((ret = one_round(&launch, width, race_out, err)) < 0 && options->retry_until_up && launch.may_retry &&
	       !fleet_ends_launch(ret)) {
		fleet_event(callbacks, SOUK_EVENT_NOTE, cluster->name, "%s; again in %u s", err->message,
			    (pause_ms + 999) / 1000);
		ret = souk_cancel_wait(fleet->cancel, pause_ms, err);
		if (ret < 0)
			break;
		pause_ms = pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : pause_ms * 2;
	}
	if (ret < 0 && !fleet_ends_launch(ret))
		sum_up(&launch, options->summary_out, err);
	if (ret < 0)
		forget_unborn(&launch);
	fleet_attempts_reset(&launch.attempts);
	free(launch.raced);
	fleet_keys_fini(&launch.keys);
	return ret;
}
