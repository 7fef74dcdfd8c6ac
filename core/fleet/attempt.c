/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/attempt.c - one candidate, from its intent to machines that run or are given back */
#include "fleet/attempt.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/price.h"
#include "fleet/provision.h"
#include "fleet/settle.h"

#define SAME_TOKEN_TRIES 3
#define TOKEN_LOOKS 3
#define BUSY_TRIES 4
#define BUSY_PAUSE_MS 2000u

/* ---- What is asked for ---- */

/* The image of a request for a region: one text, or the map's entry. */
static const char *image_for(const struct souk_request *request, const char *region)
{
	const char *image = souk_pairs_get(&request->images, region);

	return image ? image : request->image;
}

void fleet_fill_spec(const struct souk_fleet *fleet, const struct souk_task *task,
		     const struct souk_candidate *c, const char *cluster, const char *token,
		     const struct fleet_keys *keys, const struct souk_label *labels,
		     struct souk_instance_spec *spec)
{
	const struct souk_offer *o = &c->offer;
	const struct souk_request *r = c->request;

	*spec = (struct souk_instance_spec){
		.struct_size = sizeof(*spec),
		.count = task->num_nodes,
		.request_token = token,
		.cluster = cluster,
		.owner = fleet->owner,
		.instance_type = o->instance_type,
		.region = o->region,
		.zone = o->zone,
		.arch = o->arch,
		.accelerator = o->accelerator,
		.accelerator_milli = o->accelerator_milli,
		.spot = (uint32_t)c->spot,
		.on_shutdown = r->autostop.enabled && !r->autostop.down && !c->spot ?
				       SOUK_ON_SHUTDOWN_STOP : SOUK_ON_SHUTDOWN_TERMINATE,
		.vcpus_milli = o->vcpus_milli,
		.memory_mib = o->memory_mib,
		.max_micros_per_hour = c->spot ? r->max_hourly_micros : 0,
		.disk_size_mib = r->disk_size_gib * 1024,
		.disk_tier = r->disk_tier,
		.image = image_for(r, o->region),
		.ssh_public_key = keys->public_key,
		.host_key_private = keys->host_private,
		.host_key_public = keys->host_public,
		.labels = labels,
		.ports = r->ports,
		.n_labels = (uint32_t)r->labels.n,
		.n_ports = (uint32_t)r->n_ports,
	};
}

int fleet_describe_cluster(const struct fleet_launching *launch, const struct souk_candidate *c,
			   struct souk_store_cluster *cluster, struct souk_error *err)
{
	const struct souk_offer *o = &c->offer;
	const struct souk_autostop *autostop = &c->request->autostop;

	if (souk_strset(&cluster->owner, launch->fleet->owner) < 0 ||
	    souk_strset(&cluster->provider, c->provider) < 0 ||
	    souk_strset(&cluster->region, o->region) < 0 || souk_strset(&cluster->zone, o->zone) < 0 ||
	    souk_strset(&cluster->instance_type, o->instance_type) < 0 ||
	    souk_strset(&cluster->arch, o->arch) < 0 ||
	    souk_strset(&cluster->accelerator, o->accelerator) < 0 ||
	    souk_strset(&cluster->currency, o->currency) < 0)
		return souk_error_nomem(err);
	cluster->status = SOUK_CLUSTER_INIT;
	cluster->accelerator_milli = o->accelerator_milli;
	cluster->vcpus_milli = o->vcpus_milli;
	cluster->memory_mib = o->memory_mib;
	cluster->spot = c->spot;
	cluster->num_nodes = launch->task->num_nodes;
	cluster->micros_per_hour = c->micros_per_hour;
	cluster->launched_at = souk_clock_wall_s();
	cluster->autostop_minutes = autostop->enabled ? (int64_t)autostop->idle_minutes : -1;
	cluster->autostop_down = autostop->down;
	return SOUK_OK;
}

int fleet_intent_init(const struct fleet_launching *launch, const struct souk_candidate *c,
		      struct souk_store_intent *intent, struct souk_error *err)
{
	char id[SOUK_ID_SIZE];
	int ret;

	ret = souk_id_new(id, 24, err);
	if (ret < 0)
		return ret;
	*intent = (struct souk_store_intent){
		.token = strdup(id),
		.cluster = souk_strdup(launch->cluster->name),
		.provider = souk_strdup(c->provider),
		.region = souk_strdup(c->offer.region),
		.zone = souk_strdup(c->offer.zone),
		.instance_type = souk_strdup(c->offer.instance_type),
		.count = launch->task->num_nodes,
		.spot = c->spot,
		.created_at = souk_clock_wall_ms(),
		.accelerator = souk_strdup(c->offer.accelerator),
		.accelerator_milli = c->offer.accelerator_milli,
	};
	ret = fleet_price(launch, c, &intent->price, err);
	if (!intent->token || !intent->cluster || !intent->provider || !intent->region ||
	    !intent->instance_type)
		ret = souk_error_nomem(err);
	if (ret < 0)
		souk_store_intent_fini(intent);
	return ret;
}

/* The cluster and the intent are on the disk before the first request leaves. */
static int commit_intent(struct fleet_launching *launch, const struct souk_store_intent *intent,
			 struct souk_error *err)
{
	struct souk_store *store = launch->fleet->store;
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_cluster_put(store, launch->cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_intent_put(store, intent, err);
	if (ret == SOUK_OK)
		ret = souk_store_event(store, launch->cluster->name, "provision", err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

static size_t count_alive(const struct souk_instance_list *list)
{
	size_t alive = 0, i;

	for (i = 0; i < list->n; i++)
		alive += fleet_is_alive(list->items[i].status) ? 1 : 0;
	return alive;
}

/* After a request whose fate is unknown: what exists under its token? 1: everything asked for. */
static int look_for_token(struct souk_provider *provider, const struct souk_store_intent *intent,
			  struct souk_instance_list *out)
{
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter),
		.request_token = intent->token,
		.region = intent->region,
	};
	struct souk_call_limits limits = { .timeout_ms = 60000 };
	struct souk_instance_list found = { 0 };

	if (souk_provider_ops(provider)->list_instances)
		souk_provider_list_instances(provider, &limits, &filter, &found, NULL);
	souk_instance_list_fini(out);
	*out = found;
	return count_alive(out) >= intent->count;
}

/*
 * The same, with patience: a cloud may show late what it has made, and one that does not know tokens
 * would make it again. That there is nothing is believed the third time.
 */
static int await_token(struct souk_fleet *fleet, struct souk_provider *provider,
		       const struct souk_store_intent *intent, struct souk_instance_list *out)
{
	unsigned i;

	for (i = 0; i < TOKEN_LOOKS; i++) {
		if (i > 0 && souk_cancel_wait(fleet->cancel, fleet_confirm_ms(provider), NULL) < 0)
			return 0;
		if (look_for_token(provider, intent, out))
			return 1;
	}
	return 0;
}

int fleet_request_machines(struct souk_fleet *fleet, struct souk_provider *provider,
			   const struct souk_instance_spec *spec,
			   const struct souk_store_intent *intent, struct souk_instance_list *out,
			   int *doubtful_out, struct souk_error *err)
{
	struct souk_call_limits limits = fleet_limits(fleet);
	unsigned i;
	int ret = SOUK_E_TIMEOUT;

	for (i = 0; i < SAME_TOKEN_TRIES && ret == SOUK_E_TIMEOUT; i++) {
		souk_instance_list_fini(out);
		ret = souk_provider_provision(provider, &limits, spec, out, err);
		if (ret == SOUK_E_TIMEOUT) {
			*doubtful_out = 1;
			if (await_token(fleet, provider, intent, out))
				return SOUK_OK;
		}
	}
	if (ret == SOUK_E_CANCELLED)
		look_for_token(provider, intent, out);
	if (ret == SOUK_OK && count_alive(out) < intent->count)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "%s: gave %zu of %u machines and called it a success",
				      intent->provider, count_alive(out), intent->count);
	return ret;
}

/* The machines exist: they become the cluster's, and the intent has been carried out. */
static int commit_nodes(struct fleet_launching *launch, const struct souk_store_intent *intent,
			const struct souk_instance_list *instances, struct souk_error *err)
{
	struct souk_store *store = launch->fleet->store;
	int ret;

	ret = fleet_nodes_adopt(launch->cluster, instances, intent->token, err);
	if (ret < 0)
		return ret;
	fleet_bill(launch->cluster, souk_clock_wall_s());
	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_cluster_put(store, launch->cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_intent_delete(store, intent->token, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

int fleet_is_clean(int code)
{
	return code != SOUK_E_TIMEOUT && code != SOUK_E_CANCELLED && code != SOUK_E_INTERNAL &&
	       code != SOUK_E_NOMEM;
}

static void clear_nodes(struct souk_store_cluster *cluster)
{
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++)
		souk_store_node_fini(&cluster->nodes[i]);
	cluster->n_nodes = 0;
}

/* Undo what a candidate left, durably first: the cluster loses its nodes, the intent closes. */
static int give_back(struct fleet_launching *launch, struct souk_provider *provider,
		     struct souk_store_intent *intent, const struct souk_instance_list *instances,
		     struct souk_error *err)
{
	struct souk_store *store = launch->fleet->store;
	int ret;

	clear_nodes(launch->cluster);
	fleet_bill(launch->cluster, souk_clock_wall_s());
	intent->closing_since = souk_clock_wall_ms();
	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_intent_put(store, intent, err);
	if (ret == SOUK_OK)
		ret = souk_store_cluster_put(store, launch->cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0) {
		souk_store_rollback(store);
		return ret;
	}
	return fleet_discard(launch->fleet, provider, intent, instances, err);
}

static int provision_failed(struct fleet_launching *launch, struct souk_provider *provider,
			    struct souk_store_intent *intent,
			    const struct souk_instance_list *instances, int doubtful, int code)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	if (instances->n == 0 && !doubtful && fleet_is_clean(code))
		ret = souk_store_intent_delete(launch->fleet->store, intent->token, &own);
	else
		ret = give_back(launch, provider, intent, instances, &own);
	if (ret < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	return code;
}

static int wait_or_give_back(struct fleet_launching *launch, struct souk_provider *provider,
			     struct souk_store_intent *intent,
			     const struct souk_instance_list *instances, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	fleet_event(launch->callbacks, SOUK_EVENT_PROGRESS, launch->cluster->name,
		    "waiting for %u machine%s to run", launch->task->num_nodes,
		    launch->task->num_nodes == 1 ? "" : "s");
	ret = fleet_wait_running(launch->fleet, provider, launch->cluster,
				 launch->task->provision_timeout_s * 1000, err);
	if (ret == SOUK_OK)
		ret = fleet_check_one_zone(launch->cluster, err);
	if (ret == SOUK_OK)
		return souk_store_cluster_put(launch->fleet->store, launch->cluster, err);
	/* After Ctrl-C the user decides: what runs stays in the store, INIT. */
	if (ret != SOUK_E_CANCELLED && give_back(launch, provider, intent, instances, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	return ret;
}

/* Failing at it is a warning: every refresh looks for them again. */
static void drop_surplus(struct fleet_launching *launch, struct souk_provider *provider)
{
	struct souk_error own = SOUK_ERROR_INIT;

	if (fleet_tear_down_doubles(launch->fleet, provider, launch->cluster, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
}

struct souk_label *fleet_labels(const struct souk_request *request)
{
	struct souk_label *labels = calloc(request->labels.n + 1, sizeof(*labels));
	size_t i;

	for (i = 0; labels && i < request->labels.n; i++)
		labels[i] = (struct souk_label){ request->labels.items[i].key,
						 request->labels.items[i].value };
	return labels;
}

static int try_candidate(struct fleet_launching *launch, const struct souk_candidate *c,
			 struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_label *labels = fleet_labels(c->request);
	struct souk_instance_list instances = { 0 };
	struct souk_store_intent intent;
	struct souk_instance_spec spec;
	struct souk_provider *provider;
	int ret, doubtful = 0;

	if (!labels)
		return souk_error_nomem(err);
	ret = souk_registry_get(launch->fleet->registry, c->provider, &provider, err);
	if (ret == SOUK_OK)
		ret = fleet_describe_cluster(launch, c, launch->cluster, err);
	if (ret == SOUK_OK)
		ret = fleet_intent_init(launch, c, &intent, err);
	if (ret < 0)
		return ret;
	ret = commit_intent(launch, &intent, err);
	if (ret == SOUK_OK) {
		fleet_fill_spec(launch->fleet, launch->task, c, launch->cluster->name, intent.token,
				&launch->keys, labels, &spec);
		ret = fleet_request_machines(launch->fleet, provider, &spec, &intent, &instances,
					     &doubtful, err);
		if (ret < 0)
			ret = provision_failed(launch, provider, &intent, &instances, doubtful, ret);
		else
			ret = commit_nodes(launch, &intent, &instances, err);
		if (ret == SOUK_OK && instances.n > launch->cluster->n_nodes)
			drop_surplus(launch, provider);
		if (ret == SOUK_OK)
			ret = wait_or_give_back(launch, provider, &intent, &instances, err);
	}
	souk_instance_list_fini(&instances);
	souk_store_intent_fini(&intent);
	return ret;
}

uint32_t fleet_patience_ms(int code, unsigned i, const struct souk_error *error)
{
	if ((code != SOUK_E_RATE_LIMIT && code != SOUK_E_TRANSIENT) || i + 1 >= BUSY_TRIES)
		return 0;
	if (error->retry_after_ms)
		return error->retry_after_ms;
	return (fleet_retry_ms() < BUSY_PAUSE_MS ? fleet_retry_ms() : BUSY_PAUSE_MS) << i;
}

int fleet_attempt(struct fleet_launching *launch, const struct souk_candidate *c,
		  struct souk_error *err)
{
	uint32_t pause_ms;
	unsigned i;
	int ret;

	for (i = 0;; i++) {
		ret = try_candidate(launch, c, err);
		pause_ms = fleet_patience_ms(ret, i, err);
		if (!pause_ms)
			return ret;
		fleet_event(launch->callbacks, SOUK_EVENT_NOTE, launch->cluster->name, "%s; trying again",
			    err->message);
		ret = souk_cancel_wait(launch->fleet->cancel, pause_ms, err);
		if (ret < 0)
			return ret;
	}
}
