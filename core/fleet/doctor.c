/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/doctor.c - ending what no cluster of the store has */
#include "fleet/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/util.h"
#include "fleet/cluster.h"

#define END_PATIENCE_MS 900000
#define END_PAUSE_MAX_MS 5000

/* ---- What the store knows by now ---- */

static int has_node(const struct souk_store_cluster *cluster, const char *id)
{
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++)
		if (strcmp(cluster->nodes[i].id, id) == 0)
			return 1;
	return 0;
}

/* A node of any cluster, or of a request that is open. Closing ones are ending anyway. */
static int check_unknown(struct souk_fleet *fleet, const char *provider,
			 const struct souk_instance_ref *ref, struct souk_error *err)
{
	struct souk_store_cluster *clusters;
	struct souk_store_intent *intents;
	size_t n, i;
	int ret, known = 0;

	ret = souk_store_clusters(fleet->store, &clusters, &n, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < n; i++)
		known |= strcmp(clusters[i].provider, provider) == 0 && has_node(&clusters[i], ref->id);
	souk_store_clusters_free(clusters, n);
	ret = souk_store_intents(fleet->store, NULL, &intents, &n, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < n; i++)
		known |= ref->request_token && !intents[i].closing_since &&
			 strcmp(intents[i].token, ref->request_token) == 0;
	souk_store_intents_free(intents, n);
	if (known)
		return souk_error_set(err, SOUK_E_CONFLICT, "'%s' belongs to a cluster by now", ref->id);
	return SOUK_OK;
}

static int check_no_cluster(struct souk_fleet *fleet, const char *name, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_cluster cluster;
	int ret = souk_store_cluster_get(fleet->store, name, &cluster, &own);

	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0) {
		*err = own;
		return ret;
	}
	souk_store_cluster_fini(&cluster);
	return souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' is there by now", name);
}

/* The cluster's lock, if its name is one that we could have given. *lock_out is -1 if it is not. */
static int lock_cluster(struct souk_fleet *fleet, const char *name, int *lock_out,
			struct souk_error *err)
{
	*lock_out = -1;
	if (!name || souk_name_check("cluster", name, 40, NULL) < 0)
		return SOUK_OK;
	return souk_store_lock(fleet->store, name, 0, fleet->cancel, lock_out, err);
}

/* ---- Machines ---- */

/* A durable note that it is to end. Without a token nothing could be found by it. */
static int put_intent(struct souk_fleet *fleet, const char *provider,
		      const struct souk_instance_ref *ref, struct souk_error *err)
{
	int64_t now = souk_clock_wall_ms();
	struct souk_store_intent intent = {
		.token = (char *)ref->request_token,
		.cluster = (char *)ref->cluster,
		.provider = (char *)provider,
		.region = (char *)ref->region,
		.zone = (char *)ref->zone,
		.count = 1,
		.created_at = now,
		.closing_since = now,
	};

	if (!ref->request_token || !ref->cluster)
		return SOUK_OK;
	return souk_store_intent_put(fleet->store, &intent, err);
}

static int is_passing(int code)
{
	return code == SOUK_E_TRANSIENT || code == SOUK_E_TIMEOUT || code == SOUK_E_RATE_LIMIT ||
	       code == SOUK_E_CONFLICT;
}

/* One round: end it, look whether it is gone. */
static int end_round(struct souk_fleet *fleet, struct souk_provider *provider,
		     const struct souk_instance_ref *ref, int *alive_out, struct souk_error *err)
{
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_instance_list list = { 0 };
	const struct souk_instance *found;
	int ret;

	*alive_out = 1;
	ret = souk_provider_teardown(provider, &limits, ref, 1, err);
	if (ret == SOUK_OK)
		ret = souk_provider_describe(provider, &limits, ref, 1, &list, err);
	if (ret == SOUK_OK) {
		found = fleet_find_instance(&list, ref->id);
		*alive_out = found && fleet_is_alive(found->status);
	}
	souk_instance_list_fini(&list);
	return ret;
}

static int end_rounds(struct souk_fleet *fleet, struct souk_provider *provider,
		      const struct souk_instance_ref *ref, const struct souk_callbacks *callbacks,
		      struct souk_error *err)
{
	int64_t end = souk_clock_ms() + END_PATIENCE_MS;
	uint32_t pause_ms = fleet_confirm_ms(provider);
	unsigned needed = souk_provider_has(provider, SOUK_FEATURE_CONSISTENT) ? 1 : 2, absences = 0;
	int alive, ret;

	for (;;) {
		ret = end_round(fleet, provider, ref, &alive, err);
		if (ret < 0 && !is_passing(ret))
			return ret;
		absences = ret == SOUK_OK && !alive ? absences + 1 : 0;
		if (absences >= needed)
			return SOUK_OK;
		if (souk_clock_ms() >= end)
			return souk_error_set(err, SOUK_E_TIMEOUT,
					      "%s does not yet confirm that '%s' is gone",
					      souk_provider_name(provider), ref->id);
		if (ret < 0)
			fleet_event(callbacks, SOUK_EVENT_NOTE, ref->id, "%s; trying again", err->message);
		ret = souk_cancel_wait(fleet->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
		if (pause_ms < END_PAUSE_MAX_MS)
			pause_ms += pause_ms / 4 + 50;
	}
}

/* What the cluster had besides machines, as far as no machine uses it. */
static int sweep(struct souk_fleet *fleet, struct souk_provider *provider,
		 const struct souk_instance_ref *ref, const char *owner, struct souk_error *err)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .cluster = ref->cluster, .owner = owner,
		.region = ref->region,
	};
	struct souk_call_limits limits = fleet_limits(fleet);

	if (!ref->cluster || !owner || !souk_provider_ops(provider)->sweep)
		return SOUK_OK;
	return souk_provider_sweep(provider, &limits, &filter, err);
}

int fleet_end_orphan(struct souk_fleet *fleet, const char *name,
		     const struct souk_instance_ref *ref, const char *owner,
		     const struct souk_callbacks *callbacks, struct souk_error *err)
{
	struct souk_provider *provider;
	int lock, ret;

	ret = souk_registry_get(fleet->registry, name, &provider, err);
	if (ret == SOUK_OK)
		ret = lock_cluster(fleet, ref->cluster, &lock, err);
	if (ret < 0)
		return ret;
	ret = check_unknown(fleet, name, ref, err);
	if (ret == SOUK_OK)
		ret = put_intent(fleet, name, ref, err);
	if (ret == SOUK_OK) {
		fleet_event(callbacks, SOUK_EVENT_PROGRESS, ref->id, "tearing down");
		ret = end_rounds(fleet, provider, ref, callbacks, err);
	}
	if (ret == SOUK_OK)
		ret = sweep(fleet, provider, ref, owner, err);
	if (ret == SOUK_OK && ref->request_token)
		ret = souk_store_intent_delete(fleet->store, ref->request_token, err);
	if (ret == SOUK_OK)
		ret = souk_store_event(fleet->store, ref->cluster ? ref->cluster : ref->id,
				       "a machine that no cluster has: torn down", err);
	if (ret == SOUK_OK)
		fleet_event(callbacks, SOUK_EVENT_DONE, ref->id, "torn down");
	souk_store_unlock(lock);
	return ret;
}

/* ---- Leftovers ---- */

static int is_there(struct souk_fleet *fleet, struct souk_provider *provider,
		    const struct souk_instance_ref *ref, const char *owner, int *there_out,
		    struct souk_error *err)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .cluster = ref->cluster, .owner = owner,
		.region = ref->region, .besides = 1,
	};
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_instance_list list = { 0 };
	int ret = souk_provider_list_instances(provider, &limits, &filter, &list, err);

	*there_out = ret == SOUK_OK && fleet_find_instance(&list, ref->id) != NULL;
	souk_instance_list_fini(&list);
	return ret;
}

int fleet_end_leftover(struct souk_fleet *fleet, const char *name,
		       const struct souk_instance_ref *ref, const char *owner, struct souk_error *err)
{
	struct souk_provider *provider;
	int lock, there, ret;

	if (!ref->cluster || !owner)
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "'%s' does not say whose it is: remove it by hand", ref->id);
	ret = souk_registry_get(fleet->registry, name, &provider, err);
	if (ret == SOUK_OK)
		ret = lock_cluster(fleet, ref->cluster, &lock, err);
	if (ret < 0)
		return ret;
	ret = check_no_cluster(fleet, ref->cluster, err);
	if (ret == SOUK_OK)
		ret = sweep(fleet, provider, ref, owner, err);
	if (ret == SOUK_OK)
		ret = is_there(fleet, provider, ref, owner, &there, err);
	if (ret == SOUK_OK && there)
		ret = souk_error_set(err, SOUK_E_CONFLICT, "'%s' is still in use", ref->id);
	souk_store_unlock(lock);
	return ret;
}
