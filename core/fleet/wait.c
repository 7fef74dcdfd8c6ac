/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/wait.c - machines that have been made: until they run, and whether they are together */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "fleet/provision.h"

#define RUNNING_PATIENCE_MS 600000
#define POLL_MIN_MS 20
#define POLL_MAX_MS 5000

static int take_instances(struct souk_store_cluster *cluster, const struct souk_instance_list *list,
			  int needs_address, size_t *ready_out, struct souk_error *err)
{
	size_t i;
	int ret;

	*ready_out = 0;
	for (i = 0; i < cluster->n_nodes; i++) {
		struct souk_store_node *node = &cluster->nodes[i];
		const struct souk_instance *found = fleet_find_instance(list, node->id);

		/* Gone by the last refresh: no patience brings it back. */
		if (!found && node->status == SOUK_INSTANCE_TERMINATED) {
			souk_error_set(err, SOUK_E_CAPACITY, "%s: '%s' of the cluster '%s' is gone",
				       cluster->provider, node->id, cluster->name);
			return souk_error_hint(err, "'souk down %s' ends what is left of it",
					       cluster->name);
		}
		/* Not found right after its creation: the cloud is not consistent yet. */
		if (!found)
			continue;
		ret = fleet_node_update(node, found, err);
		if (ret < 0)
			return ret;
		if (found->status == SOUK_INSTANCE_TERMINATED ||
		    found->status == SOUK_INSTANCE_TERMINATING || found->status == SOUK_INSTANCE_FAILED)
			return souk_error_set(err, SOUK_E_CAPACITY, "%s: '%s' ended before it ran: %s",
					      cluster->provider, node->id,
					      found->status_reason ? found->status_reason :
								     "no reason given");
		*ready_out += found->status == SOUK_INSTANCE_RUNNING &&
			      (!needs_address || node->public_address || node->private_address);
	}
	return SOUK_OK;
}

int fleet_wait_running(struct souk_fleet *fleet, struct souk_provider *provider,
		       struct souk_store_cluster *cluster, int64_t patience_ms,
		       struct souk_error *err)
{
	int64_t end = souk_clock_ms() + (patience_ms > 0 ? patience_ms : RUNNING_PATIENCE_MS);
	struct souk_call_limits limits = fleet_limits(fleet);
	uint32_t pause_ms = POLL_MIN_MS;
	size_t ready = 0;
	int ret;

	for (;;) {
		SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
		struct souk_instance_list list = { 0 };

		if (!refs)
			return souk_error_nomem(err);
		ret = souk_provider_describe(provider, &limits, refs, (uint32_t)cluster->n_nodes, &list,
					     err);
		if (ret == SOUK_OK)
			ret = take_instances(cluster, &list, !souk_provider_ops(provider)->exec, &ready,
					     err);
		souk_instance_list_fini(&list);
		if (ret == SOUK_OK && ready == cluster->n_nodes)
			return SOUK_OK;
		if (ret < 0 && ret != SOUK_E_TRANSIENT && ret != SOUK_E_TIMEOUT &&
		    ret != SOUK_E_RATE_LIMIT)
			return ret;
		if (souk_clock_ms() + pause_ms >= end)
			return souk_error_set(err, SOUK_E_CAPACITY,
					      "%s: the machines of '%s' did not start in time",
					      cluster->provider, cluster->name);
		ret = souk_cancel_wait(fleet->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
		pause_ms = pause_ms * 2 > POLL_MAX_MS ? POLL_MAX_MS : pause_ms * 2;
	}
}

int fleet_check_one_zone(const struct souk_store_cluster *cluster, struct souk_error *err)
{
	const char *zone = NULL;
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++) {
		if (!cluster->nodes[i].zone)
			continue;
		if (zone && strcmp(zone, cluster->nodes[i].zone) != 0)
			return souk_error_set(err, SOUK_E_CAPACITY,
					      "%s: gave machines in '%s' and in '%s', not %u in one zone",
					      cluster->provider, zone, cluster->nodes[i].zone,
					      cluster->num_nodes);
		zone = cluster->nodes[i].zone;
	}
	return SOUK_OK;
}
