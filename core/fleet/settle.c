/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/settle.c - bringing the store and the clouds to agree */
#include "fleet/settle.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"

#define DOWN_PATIENCE_MS 900000
#define MAX_LOOKS 3
#define DOWN_PAUSE_MAX_MS 5000

/* ---- Intents ---- */

/* References to those of a list that are alive. The caller frees the array. */
static struct souk_instance_ref *alive_refs(const struct souk_instance_list *list,
					    const struct souk_store_intent *intent, uint32_t *n_out)
{
	struct souk_instance_ref *refs = calloc(list->n ? list->n : 1, sizeof(*refs));
	size_t i;

	*n_out = 0;
	for (i = 0; refs && i < list->n; i++)
		if (fleet_is_alive(list->items[i].status))
			refs[(*n_out)++] = (struct souk_instance_ref){
				.struct_size = sizeof(*refs),
				.id = list->items[i].id,
				.region = list->items[i].region,
				.zone = list->items[i].zone,
				.cluster = intent->cluster,
				.request_token = intent->token,
			};
	return refs;
}

static int find_by_token(struct souk_fleet *fleet, struct souk_provider *provider,
			 const struct souk_store_intent *intent, struct souk_instance_list *list,
			 struct souk_error *err)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter),
		.request_token = intent->token,
		.region = intent->region,
	};
	struct souk_call_limits limits = fleet_limits(fleet);

	return souk_provider_list_instances(provider, &limits, &filter, list, err);
}

/* Leave in the list only what is not a node of the cluster. The texts stay the list's. */
static void drop_nodes(struct souk_instance_list *list, const struct souk_store_cluster *cluster)
{
	size_t i, j, kept = 0;

	for (i = 0; i < list->n; i++) {
		for (j = 0; cluster && j < cluster->n_nodes; j++)
			if (strcmp(cluster->nodes[j].id, list->items[i].id) == 0)
				break;
		if (!cluster || j == cluster->n_nodes) {
			struct souk_instance kept_item = list->items[kept];

			list->items[kept++] = list->items[i];
			list->items[i] = kept_item;
		}
	}
	/* Those behind are freed with the list: make them look dead to us. */
	for (i = kept; i < list->n; i++)
		list->items[i].status = SOUK_INSTANCE_TERMINATED;
}

/* Worth another try, for the cloud may come to its senses? */
static int is_passing(int code)
{
	return code == SOUK_E_TRANSIENT || code == SOUK_E_TIMEOUT || code == SOUK_E_RATE_LIMIT ||
	       code == SOUK_E_CONFLICT;
}

/*
 * Remove what is left of a cluster in a region besides machines. It costs nothing, so that being
 * refused is a reason to warn, and not to keep a record for ever.
 */
static int sweep(struct souk_fleet *fleet, struct souk_provider *provider, const char *cluster,
		 const char *owner, const char *region, struct souk_error *err)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .cluster = cluster, .owner = owner, .region = region,
	};
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	if (!souk_provider_ops(provider)->sweep)
		return SOUK_OK;
	ret = souk_provider_sweep(provider, &limits, &filter, &own);
	if (ret == SOUK_OK)
		return SOUK_OK;
	if (is_passing(ret) || ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM) {
		*err = own;
		return ret;
	}
	souk_log(SOUK_LOG_WARNING, "%s: something besides machines may be left in '%s': %s", cluster,
		 region, own.message);
	return SOUK_OK;
}

/* The last look at an intent that has come to nothing. What machines use goes with them. */
static int close_intent(struct souk_fleet *fleet, struct souk_provider *provider,
			const struct souk_store_intent *intent,
			const struct souk_store_cluster *cluster, struct souk_error *err)
{
	int ret = SOUK_OK;

	if (!cluster || cluster->n_nodes == 0 || !souk_streq(cluster->region, intent->region) ||
	    !souk_streq(cluster->provider, intent->provider))
		ret = sweep(fleet, provider, intent->cluster,
			    cluster && cluster->owner ? cluster->owner : fleet->owner, intent->region,
			    err);
	return ret < 0 ? ret : souk_store_intent_delete(fleet->store, intent->token, err);
}

/* Nothing was found: believe it the second time, some time apart and after the intent has aged. */
static int note_absence(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_intent *intent, const struct souk_store_cluster *cluster,
			int *settled_out, struct souk_error *err)
{
	int64_t now = souk_clock_wall_ms();
	int ret;

	if (now - intent->created_at >= fleet_settle_ms(provider)) {
		if (intent->absences == 0 || now - intent->absent_at >= fleet_confirm_ms(provider)) {
			intent->absences++;
			intent->absent_at = now;
		}
		/* What shows at once what it has needs no second look. */
		if (intent->absences >= 2 || souk_provider_has(provider, SOUK_FEATURE_CONSISTENT)) {
			ret = close_intent(fleet, provider, intent, cluster, err);
			*settled_out = ret == SOUK_OK;
			return ret;
		}
	}
	return souk_store_intent_put(fleet->store, intent, err);
}

static int tear_down_found(struct souk_fleet *fleet, struct souk_provider *provider,
			   struct souk_store_intent *intent,
			   const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	struct souk_call_limits limits = fleet_limits(fleet);
	int ret;

	intent->absences = 0;
	if (!intent->closing_since)
		intent->closing_since = souk_clock_wall_ms();
	ret = souk_store_intent_put(fleet->store, intent, err);
	if (ret == SOUK_OK)
		ret = souk_provider_teardown(provider, &limits, refs, n, err);
	return ret;
}

int fleet_settle_intent(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_intent *intent, struct souk_store_cluster *cluster,
			int *settled_out, int *adopted_out, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = NULL;
	struct souk_instance_list list = { 0 };
	uint32_t n;
	int ret;

	*settled_out = *adopted_out = 0;
	if (!souk_provider_ops(provider)->list_instances) {
		souk_log(SOUK_LOG_WARNING, "%s: '%s' cannot search for machines: look there for '%s'",
			 intent->cluster, intent->provider, intent->token);
		*settled_out = 1;
		return souk_store_intent_delete(fleet->store, intent->token, err);
	}
	ret = find_by_token(fleet, provider, intent, &list, err);
	if (ret == SOUK_OK)
		ret = souk_store_machines_found(fleet->store, intent->cluster, intent->token, list.items,
						list.n, 0, err);
	if (ret < 0) {
		souk_instance_list_fini(&list);
		return ret;
	}
	drop_nodes(&list, cluster);
	refs = alive_refs(&list, intent, &n);
	if (!refs) {
		ret = souk_error_nomem(err);
	} else if (n == 0) {
		ret = note_absence(fleet, provider, intent, cluster, settled_out, err);
	} else if (!intent->closing_since && cluster && cluster->n_nodes == 0 &&
		   !cluster->tearing_down && n == intent->count) {
		ret = fleet_nodes_adopt(cluster, &list, intent->token, err);
		*adopted_out = ret == SOUK_OK;
		if (ret == SOUK_OK)
			*settled_out = 1;
	} else {
		ret = tear_down_found(fleet, provider, intent, refs, n, err);
	}
	souk_instance_list_fini(&list);
	return ret;
}

/* What was adopted and the end of its intent are one step. */
static int commit_adoption(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			   const struct souk_store_intent *intent, struct souk_error *err)
{
	const char *zone = cluster->n_nodes > 0 ? cluster->nodes[0].zone : NULL;
	int ret;

	if (souk_strset(&cluster->provider, intent->provider) < 0 ||
	    souk_strset(&cluster->region, intent->region) < 0 ||
	    souk_strset(&cluster->zone, zone ? zone : intent->zone) < 0 ||
	    souk_strset(&cluster->instance_type, intent->instance_type) < 0)
		return souk_error_nomem(err);
	cluster->spot = intent->spot;
	/* After a race the cluster is described as the first of them would have it. */
	if (intent->price.currency) {
		if (souk_strset(&cluster->currency, intent->price.currency) < 0 ||
		    souk_strset(&cluster->accelerator, intent->accelerator) < 0)
			return souk_error_nomem(err);
		cluster->accelerator_milli = intent->accelerator_milli;
		cluster->micros_per_hour = intent->price.micros_per_hour;
	}
	fleet_bill(cluster, souk_clock_wall_s());
	ret = souk_store_begin(fleet->store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_cluster_put(fleet->store, cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_intent_delete(fleet->store, intent->token, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(fleet->store, err);
	if (ret < 0)
		souk_store_rollback(fleet->store);
	return ret;
}

static int settle_one(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		      struct souk_store_intent *intent, int *settled_out, struct souk_error *err)
{
	struct souk_provider *provider;
	int adopted = 0, ret;

	*settled_out = 0;
	ret = souk_registry_get(fleet->registry, intent->provider, &provider, err);
	if (ret == SOUK_OK)
		ret = fleet_settle_intent(fleet, provider, intent, cluster, settled_out, &adopted, err);
	if (ret == SOUK_OK && adopted)
		ret = commit_adoption(fleet, cluster, intent, err);
	return ret;
}

int fleet_settle_cluster(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			 size_t *open_out, struct souk_error *err)
{
	struct souk_store_intent *intents;
	size_t n, i;
	int ret, settled, first = SOUK_OK;

	*open_out = 0;
	ret = souk_store_intents(fleet->store, cluster->name, &intents, &n, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < n; i++) {
		struct souk_error own = SOUK_ERROR_INIT;

		/* A provider that cannot be asked keeps its intent, and does not keep the others'. */
		ret = settle_one(fleet, cluster, &intents[i], &settled, &own);
		if (ret < 0 && first == SOUK_OK) {
			first = ret;
			*err = own;
		}
		if (ret < 0 || !settled)
			(*open_out)++;
	}
	souk_store_intents_free(intents, n);
	return first;
}

int fleet_discard(struct souk_fleet *fleet, struct souk_provider *provider,
		  struct souk_store_intent *intent, const struct souk_instance_list *instances,
		  struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	/* Giving back must also work after Ctrl-C. */
	struct souk_call_limits limits = { .timeout_ms = 60000 };
	SOUK_AUTO_FREE struct souk_instance_ref *refs = NULL;
	uint32_t n;
	int ret;

	intent->closing_since = souk_clock_wall_ms();
	ret = souk_store_machines_found(fleet->store, intent->cluster, intent->token, instances->items,
					instances->n, 0, err);
	if (ret == SOUK_OK)
		ret = souk_store_intent_put(fleet->store, intent, err);
	if (ret < 0)
		return ret;
	refs = alive_refs(instances, intent, &n);
	if (!refs)
		return souk_error_nomem(err);
	if (n > 0 && souk_provider_teardown(provider, &limits, refs, n, &own) < 0)
		souk_log(SOUK_LOG_WARNING,
			 "%s (noted: 'souk status --refresh' tries again until it is gone)", own.message);
	return SOUK_OK;
}

/* ---- Machines ---- */

/*
 * A machine of which nothing is known but the answer to its creation, while the cloud may not yet
 * show what it has made: that it is not there proves nothing, and it may have to be ended later.
 */
static int may_be_hidden(const struct souk_provider *provider,
			 const struct souk_store_cluster *cluster,
			 const struct souk_store_node *node)
{
	return node->status == SOUK_INSTANCE_PENDING &&
	       souk_clock_wall_ms() - cluster->launched_at * 1000 < fleet_settle_ms(provider);
}

/* Take what the cloud says into the nodes. *alive_out counts those that still exist. */
static int look_at_nodes(struct souk_fleet *fleet, struct souk_provider *provider,
			 struct souk_store_cluster *cluster, size_t *alive_out, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_instance_list list = { 0 };
	size_t i;
	int ret;

	*alive_out = 0;
	if (!refs)
		return souk_error_nomem(err);
	if (cluster->n_nodes == 0)
		return SOUK_OK;
	ret = souk_provider_describe(provider, &limits, refs, (uint32_t)cluster->n_nodes, &list, err);
	for (i = 0; i < cluster->n_nodes && ret == SOUK_OK; i++) {
		const struct souk_instance *found = fleet_find_instance(&list, cluster->nodes[i].id);

		if (found)
			ret = fleet_node_update(&cluster->nodes[i], found, err);
		else if (!may_be_hidden(provider, cluster, &cluster->nodes[i]))
			cluster->nodes[i].status = SOUK_INSTANCE_TERMINATED;
		*alive_out += fleet_is_alive(cluster->nodes[i].status) ? 1 : 0;
	}
	souk_instance_list_fini(&list);
	return ret;
}

int fleet_look_if_asked(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_cluster *cluster, struct souk_error *err)
{
	size_t alive;
	int ret, asked = 0;

	ret = souk_store_is_asked(fleet->store, cluster->name, &asked, err);
	if (ret < 0 || !asked)
		return ret;
	ret = look_at_nodes(fleet, provider, cluster, &alive, err);
	return ret < 0 ? ret : souk_store_cluster_put(fleet->store, cluster, err);
}

int fleet_tear_down_doubles(struct souk_fleet *fleet, struct souk_provider *provider,
			    const struct souk_store_cluster *cluster, struct souk_error *err)
{
	struct souk_store_intent intent = {
		.token = cluster->token,
		.cluster = cluster->name,
		.provider = cluster->provider,
		.region = cluster->region,
		.closing_since = 1,
	};
	SOUK_AUTO_FREE struct souk_instance_ref *refs = NULL;
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_instance_list list = { 0 };
	uint32_t n = 0;
	int ret;

	if (!cluster->token || !souk_provider_ops(provider)->list_instances)
		return SOUK_OK;
	ret = find_by_token(fleet, provider, &intent, &list, err);
	if (ret == SOUK_OK)
		ret = souk_store_machines_found(fleet->store, cluster->name, cluster->token, list.items,
						list.n, 1, err);
	if (ret == SOUK_OK) {
		drop_nodes(&list, cluster);
		refs = alive_refs(&list, &intent, &n);
		if (!refs)
			ret = souk_error_nomem(err);
		else if (n > 0)
			ret = souk_provider_teardown(provider, &limits, refs, n, err);
	}
	if (ret == SOUK_OK && n > 0)
		souk_log(SOUK_LOG_WARNING, "%s: %u machines more than asked for were found and torn down",
			 cluster->name, n);
	souk_instance_list_fini(&list);
	return ret;
}

static enum souk_cluster_status status_from_nodes(const struct souk_store_cluster *cluster)
{
	size_t running = 0, stopped = 0, i;

	for (i = 0; i < cluster->n_nodes; i++) {
		running += cluster->nodes[i].status == SOUK_INSTANCE_RUNNING;
		stopped += cluster->nodes[i].status == SOUK_INSTANCE_STOPPED ||
			   cluster->nodes[i].status == SOUK_INSTANCE_STOPPING;
	}
	if (stopped == cluster->n_nodes && stopped > 0)
		return SOUK_CLUSTER_STOPPED;
	/* INIT becomes UP by a launch that has seen the runtime work, not by a look from outside. */
	if (running == cluster->num_nodes && cluster->status != SOUK_CLUSTER_INIT)
		return SOUK_CLUSTER_UP;
	return SOUK_CLUSTER_INIT;
}

static int forget(struct souk_fleet *fleet, struct souk_provider *provider,
		  const struct souk_store_cluster *cluster, struct souk_error *err)
{
	int ret;

	ret = sweep(fleet, provider, cluster->name, cluster->owner ? cluster->owner : fleet->owner,
		    cluster->region, err);
	if (ret == SOUK_OK)
		ret = souk_store_cluster_delete(fleet->store, cluster->name, err);
	if (ret == SOUK_OK)
		ret = souk_store_event(fleet->store, cluster->name,
				       "gone: the provider has confirmed it", err);
	if (ret == SOUK_OK)
		ret = fleet_keys_remove(fleet, cluster->name, err);
	return ret;
}

/* Count a look at which nothing was there. *gone_out: it was the confirming one. */
static void count_absence(struct souk_provider *provider, struct souk_store_cluster *cluster,
			  int *gone_out)
{
	int64_t now = souk_clock_wall_ms();

	if (cluster->absences == 0 || now - cluster->absent_at >= fleet_confirm_ms(provider)) {
		cluster->absences++;
		cluster->absent_at = now;
	}
	*gone_out = cluster->absences >= 2 || souk_provider_has(provider, SOUK_FEATURE_CONSISTENT);
}

static int refresh_locked(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			  int *gone_out, struct souk_error *err)
{
	struct souk_error unsettled = SOUK_ERROR_INIT;
	struct souk_provider *provider;
	size_t alive = 0, open = 0;
	int ret, settled;

	*gone_out = 0;
	settled = fleet_settle_cluster(fleet, cluster, &open, &unsettled);
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret == SOUK_OK)
		ret = look_at_nodes(fleet, provider, cluster, &alive, err);
	if (ret == SOUK_OK)
		ret = fleet_tear_down_doubles(fleet, provider, cluster, err);
	if (ret < 0)
		return ret;
	fleet_bill(cluster, souk_clock_wall_s());
	if (alive == 0 && open == 0) {
		count_absence(provider, cluster, gone_out);
	} else {
		cluster->absences = 0;
		cluster->status = status_from_nodes(cluster);
	}
	if (!*gone_out)
		ret = souk_store_cluster_put(fleet->store, cluster, err);
	if (ret == SOUK_OK && settled < 0) {
		*err = unsettled;
		return settled;
	}
	return ret;
}

/* Is there an intent of which nothing was found, and which a second look would end? */
static int awaits_second_look(struct souk_fleet *fleet, const struct souk_store_cluster *cluster)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_intent *intents;
	size_t n, i;
	int found = 0;

	if (cluster->absences == 1)
		return 1;
	if (souk_store_intents(fleet->store, cluster->name, &intents, &n, &own) < 0)
		return 0;
	for (i = 0; i < n; i++)
		found |= intents[i].absences == 1;
	souk_store_intents_free(intents, n);
	return found;
}

int fleet_refresh_cluster(struct souk_fleet *fleet, const char *name, int *gone_out,
			  struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_provider *provider;
	unsigned looks;
	int ret;

	ret = souk_store_cluster_get(fleet->store, name, &cluster, err);
	if (ret < 0)
		return ret;
	ret = refresh_locked(fleet, &cluster, gone_out, err);
	if (ret == SOUK_OK)
		ret = souk_registry_get(fleet->registry, cluster.provider, &provider, err);
	/* Looks that confirm follow at once, as far apart as the cloud needs: intents, then machines. */
	for (looks = 1; looks < MAX_LOOKS && ret == SOUK_OK && !*gone_out &&
			awaits_second_look(fleet, &cluster); looks++) {
		ret = souk_cancel_wait(fleet->cancel, fleet_confirm_ms(provider), err);
		if (ret == SOUK_OK)
			ret = refresh_locked(fleet, &cluster, gone_out, err);
	}
	if (ret == SOUK_OK && *gone_out)
		ret = forget(fleet, provider, &cluster, err);
	souk_store_cluster_fini(&cluster);
	return ret;
}

/* ---- Refresh ---- */

static void refresh_one(struct souk_fleet *fleet, const char *name)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_store_cluster cluster;
	int lock, gone, tearing_down = 0, ret;

	ret = souk_store_lock(fleet->store, name, 0, fleet->cancel, &lock, &err);
	if (ret < 0) {
		souk_log(SOUK_LOG_WARNING, "%s: not refreshed: %s", name, err.message);
		return;
	}
	/* Only under the lock is it sure what is there: it may be gone, or another by now. */
	ret = souk_store_cluster_get(fleet->store, name, &cluster, &err);
	if (ret == SOUK_OK) {
		tearing_down = cluster.tearing_down;
		souk_store_cluster_fini(&cluster);
	}
	if (ret == SOUK_OK && tearing_down)
		ret = fleet_down_locked(fleet, name, NULL, &err);
	else if (ret == SOUK_OK)
		ret = fleet_refresh_cluster(fleet, name, &gone, &err);
	else if (ret == SOUK_E_NOT_FOUND)
		ret = SOUK_OK;
	if (ret < 0)
		souk_log(SOUK_LOG_WARNING, "%s: cannot be settled: %s", name, err.message);
	souk_store_unlock(lock);
}

static int is_named(const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return n == 0;
}

/* A store that cannot be read is no reason to take a cluster for gone. */
static int is_stored(struct souk_store *store, const char *name)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_cluster cluster;
	int ret = souk_store_cluster_get(store, name, &cluster, &own);

	if (ret == SOUK_OK)
		souk_store_cluster_fini(&cluster);
	return ret != SOUK_E_NOT_FOUND;
}

/* Intents whose cluster is gone from the store: a launch that failed over and then gave up. */
static void settle_orphans(struct souk_fleet *fleet)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_store_intent *intents;
	struct souk_provider *provider;
	size_t n, i;
	int lock, settled, adopted, ret;

	if (souk_store_intents(fleet->store, NULL, &intents, &n, &err) < 0) {
		souk_log(SOUK_LOG_WARNING, "%s", err.message);
		return;
	}
	for (i = 0; i < n; i++) {
		if (is_stored(fleet->store, intents[i].cluster) ||
		    souk_store_lock(fleet->store, intents[i].cluster, 0, fleet->cancel, &lock, &err) < 0)
			continue;
		ret = souk_registry_get(fleet->registry, intents[i].provider, &provider, &err);
		if (ret == SOUK_OK)
			ret = fleet_settle_intent(fleet, provider, &intents[i], NULL, &settled, &adopted,
						  &err);
		if (ret < 0)
			souk_log(SOUK_LOG_WARNING, "%s: cannot be settled: %s", intents[i].cluster,
				 err.message);
		souk_store_unlock(lock);
	}
	souk_store_intents_free(intents, n);
}

int fleet_refresh(struct souk_fleet *fleet, const char *const *names, size_t n,
		  struct souk_error *err)
{
	struct souk_store_cluster *clusters;
	size_t n_clusters, i;
	int ret;

	ret = souk_store_clusters(fleet->store, &clusters, &n_clusters, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < n_clusters && !souk_cancel_is_set(fleet->cancel); i++)
		if (is_named(names, n, clusters[i].name))
			refresh_one(fleet, clusters[i].name);
	souk_store_clusters_free(clusters, n_clusters);
	if (n == 0)
		settle_orphans(fleet);
	if (souk_cancel_is_set(fleet->cancel))
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	return SOUK_OK;
}

/* ---- Down ---- */

/* One round: tear down what is there, look whether it is gone. */
static int down_round(struct souk_fleet *fleet, struct souk_provider *provider,
		      struct souk_store_cluster *cluster, int *gone_out, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_error unsettled = SOUK_ERROR_INIT;
	size_t alive = 0, open = 0;
	int ret = SOUK_OK, settled;

	*gone_out = 0;
	if (!refs)
		return souk_error_nomem(err);
	/* What another provider still owes an answer about does not keep these machines running. */
	settled = fleet_settle_cluster(fleet, cluster, &open, &unsettled);
	if (cluster->n_nodes > 0)
		ret = souk_provider_teardown(provider, &limits, refs, (uint32_t)cluster->n_nodes, err);
	if (ret == SOUK_OK)
		ret = fleet_tear_down_doubles(fleet, provider, cluster, err);
	if (ret == SOUK_OK)
		ret = look_at_nodes(fleet, provider, cluster, &alive, err);
	if (ret < 0)
		return ret;
	fleet_bill(cluster, souk_clock_wall_s());
	if (alive == 0 && open == 0)
		count_absence(provider, cluster, gone_out);
	else
		cluster->absences = 0;
	if (!*gone_out)
		ret = souk_store_cluster_put(fleet->store, cluster, err);
	if (ret == SOUK_OK && settled < 0) {
		*err = unsettled;
		return settled;
	}
	return ret;
}

static int down_rounds(struct souk_fleet *fleet, struct souk_provider *provider,
		       struct souk_store_cluster *cluster, const struct souk_callbacks *callbacks,
		       struct souk_error *err)
{
	int64_t end = souk_clock_ms() + DOWN_PATIENCE_MS;
	uint32_t pause_ms = fleet_confirm_ms(provider);
	int gone = 0, ret;

	for (;;) {
		ret = down_round(fleet, provider, cluster, &gone, err);
		if ((ret == SOUK_OK && gone) || (ret < 0 && !is_passing(ret)))
			return ret;
		if (souk_clock_ms() >= end) {
			souk_error_set(err, SOUK_E_TIMEOUT,
				       "%s does not yet confirm that '%s' is gone", cluster->provider,
				       cluster->name);
			return souk_error_hint(err, "'souk status --refresh' goes on with it");
		}
		if (ret < 0)
			fleet_event(callbacks, SOUK_EVENT_NOTE, cluster->name, "%s; trying again",
				    err->message);
		ret = souk_cancel_wait(fleet->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
		if (pause_ms < DOWN_PAUSE_MAX_MS)
			pause_ms += pause_ms / 4 + 50;
	}
}

int fleet_down_locked(struct souk_fleet *fleet, const char *name,
		      const struct souk_callbacks *callbacks, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_cluster cluster;
	struct souk_provider *provider;
	int ret;

	ret = souk_store_cluster_get(fleet->store, name, &cluster, err);
	if (ret < 0)
		return ret;
	/* Not to know when it ended is no reason to let it run. */
	if (souk_registry_get(fleet->registry, cluster.provider, &provider, &own) < 0 ||
	    fleet_look_if_asked(fleet, provider, &cluster, &own) < 0)
		souk_log(SOUK_LOG_DEBUG, "%s: %s", name, own.message);
	if (!cluster.tearing_down) {
		cluster.tearing_down = 1;
		cluster.absences = 0;
		ret = souk_store_cluster_put(fleet->store, &cluster, err);
	}
	if (ret == SOUK_OK)
		ret = souk_registry_get(fleet->registry, cluster.provider, &provider, err);
	if (ret == SOUK_OK) {
		fleet_event(callbacks, SOUK_EVENT_PROGRESS, name, "tearing down");
		ret = down_rounds(fleet, provider, &cluster, callbacks, err);
	}
	if (ret == SOUK_OK)
		ret = forget(fleet, provider, &cluster, err);
	if (ret == SOUK_OK)
		fleet_event(callbacks, SOUK_EVENT_DONE, name, "torn down");
	souk_store_cluster_fini(&cluster);
	return ret;
}

int fleet_down(struct souk_fleet *fleet, const char *cluster,
	       const struct souk_callbacks *callbacks, struct souk_error *err)
{
	int lock, ret;

	ret = souk_store_lock(fleet->store, cluster, 1, fleet->cancel, &lock, err);
	if (ret < 0)
		return ret;
	ret = fleet_down_locked(fleet, cluster, callbacks, err);
	souk_store_unlock(lock);
	return ret;
}
