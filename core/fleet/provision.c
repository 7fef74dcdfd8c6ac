/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/provision.c - from a plan to machines that run */
#include "fleet/provision.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "fleet/settle.h"
#include "fleet/summary.h"

#define RUNNING_PATIENCE_MS 600000
#define POLL_MIN_MS 20
#define POLL_MAX_MS 5000
#define SAME_TOKEN_TRIES 3
#define BUSY_TRIES 4
#define BUSY_PAUSE_MS 2000u
#define RETRY_MAX_MS 300000

struct launch {
	struct souk_fleet *fleet;
	const struct souk_task *task;
	struct souk_plan_result *plan;
	const struct souk_callbacks *callbacks;
	struct souk_store_cluster *cluster;
	struct fleet_keys keys;
	struct fleet_attempts attempts; /* of this round; the first was the best candidate */
	size_t hushed;		 /* the last so many failures were not told, as they were of the same kind */
	int may_retry;		 /* a failure of the round was of those that pass */
};

/* ---- Waiting ---- */

static int take_instances(struct souk_store_cluster *cluster, const struct souk_instance_list *list,
			  int needs_address, size_t *ready_out, struct souk_error *err)
{
	size_t i;
	int ret;

	*ready_out = 0;
	for (i = 0; i < cluster->n_nodes; i++) {
		struct souk_store_node *node = &cluster->nodes[i];
		const struct souk_instance *found = fleet_find_instance(list, node->id);

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

/* ---- One candidate ---- */

static void describe_candidate(const struct souk_candidate *c, char *text, size_t size)
{
	const struct souk_offer *o = &c->offer;
	int dollars = strcmp(o->currency, "USD") == 0;
	char price[SOUK_MONEY_TEXT_SIZE];

	snprintf(text, size, "%s %s %s%s, %s%s%s%s/h", c->provider, o->zone ? o->zone : o->region,
		 o->instance_type, c->spot ? " (spot)" : "", dollars ? "$" : "",
		 souk_money_text(c->total_micros_per_hour, price), dollars ? "" : " ",
		 dollars ? "" : o->currency);
}

/* What the store says of the cluster while this candidate is tried. */
static int describe_cluster(struct launch *launch, const struct souk_candidate *c,
			    struct souk_error *err)
{
	struct souk_store_cluster *cluster = launch->cluster;
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

static int intent_init(struct launch *launch, const struct souk_candidate *c,
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
	};
	if (!intent->token || !intent->cluster || !intent->provider || !intent->region ||
	    !intent->instance_type) {
		souk_store_intent_fini(intent);
		return souk_error_nomem(err);
	}
	return SOUK_OK;
}

/* The cluster and the intent are on the disk before the first request leaves. */
static int commit_intent(struct launch *launch, const struct souk_store_intent *intent,
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
 * Call provision; a call that may have taken effect is settled by its token, then repeated.
 * *doubtful_out is 1 if any of the calls may have: then a clean failure of the last says nothing.
 */
static int call_provision(struct launch *launch, struct souk_provider *provider,
			  const struct souk_instance_spec *spec,
			  const struct souk_store_intent *intent, struct souk_instance_list *out,
			  int *doubtful_out, struct souk_error *err)
{
	struct souk_call_limits limits = fleet_limits(launch->fleet);
	unsigned i;
	int ret = SOUK_E_TIMEOUT;

	for (i = 0; i < SAME_TOKEN_TRIES && ret == SOUK_E_TIMEOUT; i++) {
		souk_instance_list_fini(out);
		ret = souk_provider_provision(provider, &limits, spec, out, err);
		if (ret == SOUK_E_TIMEOUT) {
			*doubtful_out = 1;
			if (look_for_token(provider, intent, out))
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
static int commit_nodes(struct launch *launch, const struct souk_store_intent *intent,
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

/* A failure that is known to have created nothing? */
static int is_clean(int code)
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
static int give_back(struct launch *launch, struct souk_provider *provider,
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

static int provision_failed(struct launch *launch, struct souk_provider *provider,
			    struct souk_store_intent *intent,
			    const struct souk_instance_list *instances, int doubtful, int code)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	if (instances->n == 0 && !doubtful && is_clean(code))
		ret = souk_store_intent_delete(launch->fleet->store, intent->token, &own);
	else
		ret = give_back(launch, provider, intent, instances, &own);
	if (ret < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	return code;
}

/* Nodes of one cluster talk to each other: all of them are in one zone, or there is no cluster. */
static int check_one_zone(const struct souk_store_cluster *cluster, struct souk_error *err)
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

static int wait_or_give_back(struct launch *launch, struct souk_provider *provider,
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
		ret = check_one_zone(launch->cluster, err);
	if (ret == SOUK_OK)
		return souk_store_cluster_put(launch->fleet->store, launch->cluster, err);
	/* After Ctrl-C the user decides: what runs stays in the store, INIT. */
	if (ret != SOUK_E_CANCELLED && give_back(launch, provider, intent, instances, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	return ret;
}

/* Failing at it is a warning: every refresh looks for them again. */
static void drop_surplus(struct launch *launch, struct souk_provider *provider)
{
	struct souk_error own = SOUK_ERROR_INIT;

	if (fleet_tear_down_doubles(launch->fleet, provider, launch->cluster, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
}

static int try_candidate(struct launch *launch, const struct souk_candidate *c,
			 struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_label *labels =
		calloc(c->request->labels.n + 1, sizeof(*labels));
	struct souk_instance_list instances = { 0 };
	struct souk_store_intent intent;
	struct souk_instance_spec spec;
	struct souk_provider *provider;
	size_t i;
	int ret, doubtful = 0;

	if (!labels)
		return souk_error_nomem(err);
	for (i = 0; i < c->request->labels.n; i++)
		labels[i] = (struct souk_label){ c->request->labels.items[i].key,
						 c->request->labels.items[i].value };
	ret = souk_registry_get(launch->fleet->registry, c->provider, &provider, err);
	if (ret == SOUK_OK)
		ret = describe_cluster(launch, c, err);
	if (ret == SOUK_OK)
		ret = intent_init(launch, c, &intent, err);
	if (ret < 0)
		return ret;
	ret = commit_intent(launch, &intent, err);
	if (ret == SOUK_OK) {
		fleet_fill_spec(launch->fleet, launch->task, c, launch->cluster->name, intent.token,
				&launch->keys, labels, &spec);
		ret = call_provision(launch, provider, &spec, &intent, &instances, &doubtful, err);
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

/* The cloud asks for patience rather than refusing: the same candidate again. */
static int try_patiently(struct launch *launch, const struct souk_candidate *c,
			 struct souk_error *err)
{
	unsigned i;
	int ret;

	for (i = 0;; i++) {
		ret = try_candidate(launch, c, err);
		if ((ret != SOUK_E_RATE_LIMIT && ret != SOUK_E_TRANSIENT) || i + 1 == BUSY_TRIES)
			return ret;
		fleet_event(launch->callbacks, SOUK_EVENT_NOTE, launch->cluster->name, "%s; trying again",
			    err->message);
		ret = souk_cancel_wait(launch->fleet->cancel,
				       err->retry_after_ms ? err->retry_after_ms : BUSY_PAUSE_MS << i, err);
		if (ret < 0)
			return ret;
	}
}

/* ---- Down the plan ---- */

/* 1 with the next candidate that need not fail as another one did, 0 if there is none. 'count': those
 * that are passed over are counted. */
static int next_candidate(const struct launch *launch, size_t *at, int count,
			  struct souk_candidate *candidate, struct souk_error *err)
{
	struct fleet_attempt *cover;
	int ret;

	while (*at < launch->plan->n) {
		ret = souk_plan_result_get(launch->plan, (*at)++, candidate, err);
		if (ret < 0)
			return ret;
		cover = fleet_attempts_cover(&launch->attempts, candidate);
		if (!cover)
			return 1;
		cover->skipped += (uint32_t)count;
	}
	return 0;
}

static void record_attempt(struct launch *launch, const struct souk_candidate *c, int code,
			   const struct souk_error *error)
{
	const struct souk_offer *o = &c->offer;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_store_attempt attempt = {
		.provider = (char *)c->provider,
		.region = (char *)o->region,
		.zone = (char *)o->zone,
		.instance_type = (char *)o->instance_type,
		.accelerator = (char *)o->accelerator,
		.accelerator_milli = o->accelerator_milli,
		.spot = c->spot,
		.code = code,
		.scope = code == SOUK_OK ? SOUK_SCOPE_OFFER : error->scope,
		.reason = code == SOUK_OK || !error->reason[0] ? NULL : (char *)error->reason,
		.at = souk_clock_wall_s(),
	};

	if (souk_store_attempt_add(launch->fleet->store, &attempt, &own) < 0)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
}

/* A wrong host key or the user's wish ends the launch; anything else is a reason to go on. */
static int ends_launch(int code)
{
	return code == SOUK_E_CANCELLED || code == SOUK_E_NOMEM;
}

/* How far away the next candidate is, in a word. */
static const char *next_what(const struct souk_candidate *c, const struct souk_candidate *next)
{
	if (strcmp(c->provider, next->provider) != 0)
		return "provider";
	if (strcmp(c->offer.region, next->offer.region) != 0)
		return "region";
	return souk_streq(c->offer.zone, next->offer.zone) ? "offer" : "zone";
}

/* The account may not have it, and an earlier line has said so of the same provider? */
static int was_told(const struct launch *launch)
{
	const struct fleet_attempts *all = &launch->attempts;
	const struct fleet_attempt *last = &all->items[all->n - 1];
	size_t i;

	if (last->error.code != SOUK_E_QUOTA && last->error.code != SOUK_E_AUTH)
		return 0;
	for (i = 0; i + 1 < all->n; i++)
		if (all->items[i].error.code == last->error.code &&
		    all->items[i].candidate.spot == last->candidate.spot &&
		    strcmp(all->items[i].candidate.provider, last->candidate.provider) == 0 &&
		    strcmp(all->items[i].error.reason, last->error.reason) == 0)
			return 1;
	return 0;
}

/* What comes after a failure, in words. */
static void say_next(const struct souk_candidate *c, const struct souk_candidate *next, char *text,
		     size_t size)
{
	char place[256];

	if (!next) {
		snprintf(text, size, "that was the last candidate");
		return;
	}
	describe_candidate(next, place, sizeof(place));
	snprintf(text, size, "trying the next %s: %s", next_what(c, next), place);
}

/* Those that were hushed up, in one line; 'after' says what comes after them, NULL: something that worked
 * or is told next. */
static void tell_hushed(struct launch *launch, const char *after)
{
	const struct fleet_attempt *last;
	const char *reason;

	if (launch->hushed == 0)
		return;
	last = &launch->attempts.items[launch->attempts.n - 1];
	reason = last->error.reason;
	fleet_event(launch->callbacks, after ? SOUK_EVENT_FAILOVER : SOUK_EVENT_NOTE,
		    launch->cluster->name, "%s: %zu more refused for the same reason%s%s%s%s%s",
		    last->candidate.provider, launch->hushed, reason[0] ? " (" : "", reason,
		    reason[0] ? ")" : "", after ? "; " : "", after ? after : "");
	launch->hushed = 0;
}

/* One line: what failed, and what is tried now. A refused quota or login is told once for a provider. */
static void tell_failure(struct launch *launch, const struct souk_candidate *next)
{
	const struct fleet_attempt *last = &launch->attempts.items[launch->attempts.n - 1];
	const struct souk_error *error = &last->error;
	char after[384], reason[SOUK_ERROR_REASON_SIZE + 8] = "";

	say_next(&last->candidate, next, after, sizeof(after));
	if (was_told(launch)) {
		launch->hushed++;
		if (!next || strcmp(next->provider, last->candidate.provider) != 0)
			tell_hushed(launch, after);
		return;
	}
	if (error->reason[0] && !strstr(error->message, error->reason))
		snprintf(reason, sizeof(reason), " (%s)", error->reason);
	fleet_event(launch->callbacks, SOUK_EVENT_FAILOVER, launch->cluster->name, "%s%s; %s",
		    error->message, reason, after);
}

/* Note a failure, and tell of it. */
static int fail_over(struct launch *launch, const struct souk_candidate *c, size_t at,
		     const struct souk_error *error, struct souk_error *err)
{
	struct fleet_attempts *all = &launch->attempts;
	struct souk_candidate next;
	int is_next;

	if (launch->hushed > 0 && (all->items[all->n - 1].error.code != error->code ||
				   strcmp(all->items[all->n - 1].error.reason, error->reason) != 0))
		tell_hushed(launch, NULL);
	if (fleet_attempts_add(all, c, error, err) < 0)
		return err->code;
	is_next = next_candidate(launch, &at, 0, &next, err);
	if (is_next < 0)
		return is_next;
	tell_failure(launch, is_next ? &next : NULL);
	return SOUK_OK;
}

/* A failure that may pass by itself? */
static int may_retry(int code)
{
	return code == SOUK_E_CAPACITY || code == SOUK_E_QUOTA || code == SOUK_E_TRANSIENT ||
	       code == SOUK_E_RATE_LIMIT || code == SOUK_E_TIMEOUT;
}

/* Every candidate has failed: the result is the failure of the first, which was the best. */
static int all_failed(struct launch *launch, struct souk_error *err)
{
	const struct souk_error *first;

	if (launch->attempts.n == 0)
		return souk_error_set(err, SOUK_E_CAPACITY, "the plan has no candidate");
	first = &launch->attempts.items[0].error;
	if (launch->attempts.n == 1) {
		*err = *first;
		return err->code;
	}
	souk_error_set(err, first->code ? first->code : SOUK_E_CAPACITY,
		       "none of %zu candidates could be had; the first: %s", launch->attempts.n,
		       first->message);
	return souk_error_hint(err, "%s", first->hint);
}

static int go_down_plan(struct launch *launch, struct souk_error *err)
{
	struct souk_candidate c;
	struct souk_error failure;
	char text[256];
	size_t at = 0;
	int ret;

	fleet_attempts_reset(&launch->attempts);
	launch->hushed = 0;
	launch->may_retry = 0;
	while ((ret = next_candidate(launch, &at, 1, &c, err)) > 0) {
		if (launch->attempts.n == 0) {
			describe_candidate(&c, text, sizeof(text));
			fleet_event(launch->callbacks, SOUK_EVENT_ATTEMPT, launch->cluster->name, "%s",
				    text);
		}
		failure = (struct souk_error)SOUK_ERROR_INIT;
		ret = try_patiently(launch, &c, &failure);
		if (ends_launch(ret)) {
			*err = failure;
			return ret;
		}
		record_attempt(launch, &c, ret, &failure);
		if (ret == SOUK_OK) {
			tell_hushed(launch, NULL);
			return SOUK_OK;
		}
		launch->may_retry |= may_retry(ret);
		ret = fail_over(launch, &c, at, &failure, err);
		if (ret < 0)
			return ret;
	}
	return ret < 0 ? ret : all_failed(launch, err);
}

/* What was tried, for whoever asks; and the best advice as the hint, if there is no better one. */
static void sum_up(struct launch *launch, struct souk_launch_summary **summary_out,
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
static void forget_unborn(struct launch *launch)
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

int fleet_provision(struct souk_fleet *fleet, const struct souk_task *task,
		    struct souk_plan_result *plan, const struct souk_launch_options *options,
		    struct souk_store_cluster *cluster, struct souk_error *err)
{
	const struct souk_callbacks *callbacks = options->callbacks;
	struct launch launch = {
		.fleet = fleet,
		.task = task,
		.plan = plan,
		.callbacks = callbacks,
		.cluster = cluster,
	};
	uint32_t pause_ms = fleet_retry_ms();
	int ret;

	ret = fleet_keys_load(fleet, cluster->name, &launch.keys, err);
	if (ret < 0)
		return ret;
	while ((ret = go_down_plan(&launch, err)) < 0 && options->retry_until_up && launch.may_retry &&
	       !ends_launch(ret)) {
		fleet_event(callbacks, SOUK_EVENT_NOTE, cluster->name, "%s; again in %u s", err->message,
			    (pause_ms + 999) / 1000);
		ret = souk_cancel_wait(fleet->cancel, pause_ms, err);
		if (ret < 0)
			break;
		pause_ms = pause_ms * 2 > RETRY_MAX_MS ? RETRY_MAX_MS : pause_ms * 2;
	}
	if (ret < 0 && !ends_launch(ret))
		sum_up(&launch, options->summary_out, err);
	if (ret < 0)
		forget_unborn(&launch);
	fleet_attempts_reset(&launch.attempts);
	fleet_keys_fini(&launch.keys);
	return ret;
}
