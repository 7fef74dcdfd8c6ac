/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/cluster.c - pieces that every operation on a cluster uses */
#include "fleet/cluster.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "node/ssh-config.h"

#define CONFIRM_MS 3000
#define SETTLE_MS 120000
#define RETRY_MS 30000
#define HEAD_PATIENCE_MS 20000

void fleet_event(const struct souk_callbacks *callbacks, enum souk_event_kind kind,
		 const char *cluster, const char *fmt, ...)
{
	char text[1024];
	struct souk_event event = { .kind = kind, .cluster = cluster, .text = text };
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	souk_log_redact(text);
	souk_log(SOUK_LOG_DEBUG, "%s: %s", cluster, text);
	if (callbacks && callbacks->event)
		callbacks->event(&event, callbacks->arg);
}

/* ---- Machines ---- */

struct souk_instance_ref *fleet_refs(const struct souk_store_cluster *cluster)
{
	struct souk_instance_ref *refs = calloc(cluster->n_nodes ? cluster->n_nodes : 1, sizeof(*refs));
	size_t i;

	for (i = 0; refs && i < cluster->n_nodes; i++)
		refs[i] = (struct souk_instance_ref){
			.struct_size = sizeof(refs[i]),
			.id = cluster->nodes[i].id,
			.region = cluster->nodes[i].region,
			.zone = cluster->nodes[i].zone,
			.cluster = cluster->name,
			.request_token = cluster->nodes[i].token,
		};
	return refs;
}

/* Replace a text only by something: a stopped machine has no address, but keeps its key. */
static int keep_or_set(char **slot, const char *text)
{
	return text ? souk_strset(slot, text) : 0;
}

int fleet_node_update(struct souk_store_node *node, const struct souk_instance *instance,
		      struct souk_error *err)
{
	node->status = instance->status;
	node->seen = 1;
	node->seen_created_at = instance->created_at;
	if (instance->ssh_port)
		node->ssh_port = instance->ssh_port;
	if (souk_strset(&node->public_address, instance->public_address) < 0 ||
	    keep_or_set(&node->private_address, instance->private_address) < 0 ||
	    keep_or_set(&node->zone, instance->zone) < 0 ||
	    keep_or_set(&node->ssh_user, instance->ssh_user) < 0 ||
	    keep_or_set(&node->shutdown_command, instance->shutdown_command) < 0)
		return souk_error_nomem(err);
	/* A key that we know is never silently changed. */
	if (!node->host_key && souk_strset(&node->host_key, instance->host_key) < 0)
		return souk_error_nomem(err);
	return SOUK_OK;
}

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct souk_instance *)a)->id, ((const struct souk_instance *)b)->id);
}

int fleet_nodes_adopt(struct souk_store_cluster *cluster, const struct souk_instance_list *list,
		      const char *token, struct souk_error *err)
{
	struct souk_store_node *nodes = calloc(list->n ? list->n : 1, sizeof(*nodes));
	size_t i, n = 0;
	int ret = nodes ? SOUK_OK : souk_error_nomem(err);

	if (list->n > 1)
		qsort(list->items, list->n, sizeof(*list->items), by_id);
	for (i = 0; i < list->n && n < cluster->num_nodes && ret == SOUK_OK; i++) {
		const struct souk_instance *instance = &list->items[i];

		if (!fleet_is_alive(instance->status))
			continue;
		nodes[n].rank = (uint32_t)n;
		nodes[n].ssh_port = 22;
		nodes[n].id = strdup(instance->id);
		nodes[n].region = strdup(instance->region);
		nodes[n].token = strdup(token);
		if (!nodes[n].id || !nodes[n].region || !nodes[n].token)
			ret = souk_error_nomem(err);
		else
			ret = fleet_node_update(&nodes[n], instance, err);
		n++;
	}
	if (ret < 0) {
		for (i = 0; nodes && i < n; i++)
			souk_store_node_fini(&nodes[i]);
		free(nodes);
		return ret;
	}
	for (i = 0; i < cluster->n_nodes; i++)
		souk_store_node_fini(&cluster->nodes[i]);
	free(cluster->nodes);
	cluster->nodes = nodes;
	cluster->n_nodes = n;
	return souk_strset(&cluster->token, token) < 0 ? souk_error_nomem(err) : SOUK_OK;
}

const struct souk_instance *fleet_find_instance(const struct souk_instance_list *list, const char *id)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->items[i].id, id) == 0)
			return &list->items[i];
	return NULL;
}

int fleet_is_alive(int32_t status)
{
	return status != SOUK_INSTANCE_TERMINATED;
}

void fleet_bill(struct souk_store_cluster *cluster, int64_t now)
{
	size_t i, running = 0;

	for (i = 0; i < cluster->n_nodes; i++)
		running += cluster->nodes[i].status == SOUK_INSTANCE_RUNNING ||
			   cluster->nodes[i].status == SOUK_INSTANCE_PENDING;
	if (cluster->billed_since > 0) {
		int64_t hourly = souk_money_scale(cluster->micros_per_hour, cluster->num_nodes, 1);

		if (hourly > 0 && now > cluster->billed_since)
			cluster->cost_micros += souk_money_scale(
				hourly, (uint64_t)(now - cluster->billed_since), 3600);
		cluster->billed_since = 0;
	}
	if (running > 0)
		cluster->billed_since = now;
}

/* Tests against servers of their own need not wait for a cloud to make up its mind. */
static int64_t milliseconds(const char *variable, int64_t otherwise)
{
	const char *text = getenv(variable);
	uint32_t value;

	return text && souk_parse_u32(variable, text, &value, NULL) == SOUK_OK ? value : otherwise;
}

uint32_t fleet_confirm_ms(const struct souk_provider *provider)
{
	if (souk_provider_has(provider, SOUK_FEATURE_CONSISTENT))
		return 0;
	return (uint32_t)milliseconds("SOUK_CONFIRM_MS", CONFIRM_MS);
}

int64_t fleet_settle_ms(const struct souk_provider *provider)
{
	if (souk_provider_has(provider, SOUK_FEATURE_CONSISTENT))
		return 0;
	return milliseconds("SOUK_SETTLE_MS", SETTLE_MS);
}

uint32_t fleet_retry_ms(void)
{
	return (uint32_t)milliseconds("SOUK_RETRY_MS", RETRY_MS);
}

struct souk_call_limits fleet_limits(struct souk_fleet *fleet)
{
	return (struct souk_call_limits){ .cancel = fleet->cancel };
}

int fleet_set_on_shutdown(struct souk_fleet *fleet, struct souk_provider *provider,
			  const struct souk_store_cluster *cluster, int down,
			  struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);

	if (!refs)
		return souk_error_nomem(err);
	if (!down && (!souk_provider_ops(provider)->stop || cluster->spot))
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "machines of '%s' cannot be stopped%s",
				      cluster->provider, "; use --down");
	if (souk_provider_ops(provider)->set_on_shutdown)
		return souk_provider_set_on_shutdown(provider, &limits, refs, (uint32_t)cluster->n_nodes,
						     down ? SOUK_ON_SHUTDOWN_TERMINATE :
							    SOUK_ON_SHUTDOWN_STOP, err);
	return SOUK_OK;
}

/* ---- Connections ---- */

static const char *node_address(const struct souk_store_node *node)
{
	return node->public_address ? node->public_address : node->private_address;
}

int fleet_uses_ssh(struct souk_fleet *fleet, const struct souk_store_cluster *cluster)
{
	struct souk_provider *provider;

	return souk_registry_get(fleet->registry, cluster->provider, &provider, NULL) < 0 ||
	       !souk_provider_ops(provider)->exec;
}

int fleet_write_ssh_config(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
			   struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_ssh_config_node *nodes =
		calloc(cluster->n_nodes ? cluster->n_nodes : 1, sizeof(*nodes));
	SOUK_AUTO_FREE char *folder = NULL;
	struct souk_provider *provider;
	size_t i;
	int ret;

	if (!nodes || asprintf(&folder, "%s/clusters/%s", fleet->paths->state, cluster->name) < 0) {
		folder = NULL;
		return souk_error_nomem(err);
	}
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < cluster->n_nodes; i++) {
		if (!node_address(&cluster->nodes[i]))
			return souk_error_set(err, SOUK_E_CONFLICT, "the node %zu of '%s' has no address",
					      i, cluster->name);
		nodes[i] = (struct souk_ssh_config_node){
			.address = node_address(&cluster->nodes[i]),
			.port = cluster->nodes[i].ssh_port,
			.user = cluster->nodes[i].ssh_user ? cluster->nodes[i].ssh_user : "root",
			.host_key = cluster->nodes[i].host_key,
			.proxy_command = souk_provider_option(provider, "proxy_command"),
		};
	}
	return souk_ssh_config_write(folder, cluster->name, nodes, (uint32_t)cluster->n_nodes, err);
}

/* The first key that a machine shows is its key from now on. */
static int pin_host_key(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			struct souk_store_node *node, const char *host_key, struct souk_error *err)
{
	if (souk_strset(&node->host_key, host_key) < 0)
		return souk_error_nomem(err);
	souk_log(SOUK_LOG_INFO, "%s: the host key of node %u could not be given beforehand and is pinned now",
		 cluster->name, node->rank);
	return souk_store_cluster_put(fleet->store, cluster, err);
}

int fleet_connect_seen(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
		       uint32_t rank, uint32_t patience_ms, struct souk_remote **remote_out,
		       char **seen_out, struct souk_error *err)
{
	const struct souk_store_node *node = &cluster->nodes[rank];
	struct souk_remote_target target = { 0 };
	struct fleet_keys keys;
	char alias[96];
	int ret;

	ret = souk_registry_get(fleet->registry, cluster->provider, &target.provider, err);
	if (ret == SOUK_OK)
		ret = fleet_keys_load(fleet, cluster->name, &keys, err);
	if (ret < 0)
		return ret;
	souk_ssh_config_alias(cluster->name, rank, alias, sizeof(alias));
	target.ssh = (struct souk_ssh_target){
		.name = alias,
		.address = node_address(node),
		.port = node->ssh_port,
		.user = node->ssh_user ? node->ssh_user : "root",
		.private_key = keys.private_key,
		.host_key = node->host_key,
		.proxy_command = souk_provider_option(target.provider, "proxy_command"),
	};
	target.ref = (struct souk_instance_ref){
		.struct_size = sizeof(target.ref),
		.id = node->id,
		.region = node->region,
		.zone = node->zone,
		.cluster = cluster->name,
		.request_token = node->token,
	};
	if (!target.ssh.address && !souk_provider_ops(target.provider)->exec)
		ret = souk_error_set(err, SOUK_E_CONFLICT, "%s: the machine has no address", alias);
	else
		ret = souk_remote_open(&target, patience_ms, fleet->cancel, remote_out, seen_out, err);
	fleet_keys_fini(&keys);
	return ret;
}

int fleet_connect(struct souk_fleet *fleet, struct souk_store_cluster *cluster, uint32_t rank,
		  uint32_t patience_ms, struct souk_remote **remote_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *seen = NULL;
	int ret;

	ret = fleet_connect_seen(fleet, cluster, rank, patience_ms, remote_out, &seen, err);
	if (ret == SOUK_OK && seen)
		ret = pin_host_key(fleet, cluster, &cluster->nodes[rank], seen, err);
	return ret;
}

int fleet_connect_head(struct souk_fleet *fleet, const char *name,
		       struct souk_store_cluster *cluster_out, struct souk_remote **remote_out,
		       struct souk_error *err)
{
	struct souk_store_cluster cluster;
	int ret;

	ret = souk_store_cluster_get(fleet->store, name, &cluster, err);
	if (ret < 0)
		return ret;
	if (cluster.status != SOUK_CLUSTER_UP || cluster.n_nodes == 0) {
		souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' is not up: it is %s", name,
			       souk_cluster_status_name(cluster.status));
		if (cluster.status == SOUK_CLUSTER_STOPPED)
			souk_error_hint(err, "'souk start %s' starts it", name);
		else
			souk_error_hint(err, "'souk status --refresh' asks the cloud about it");
		souk_store_cluster_fini(&cluster);
		return SOUK_E_CONFLICT;
	}
	ret = fleet_connect(fleet, &cluster, 0, HEAD_PATIENCE_MS, remote_out, err);
	if (ret < 0) {
		souk_store_cluster_fini(&cluster);
		return ret;
	}
	*cluster_out = cluster;
	return SOUK_OK;
}
