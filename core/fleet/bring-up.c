/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/bring-up.c - from machines that run to a cluster that takes jobs */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "fleet/launch.h"
#include "node/ssh-config.h"

#define THREADS_MAX 16

/* Work that is done for every node, several at a time. */
struct each {
	struct souk_fleet *fleet;
	struct souk_store_cluster *cluster;
	struct souk_remote **remotes;
	const struct souk_runtime_cluster *description;
	const struct fleet_keys *keys;
	uint32_t patience_ms;
	int (*work)(struct each *each, uint32_t rank, struct souk_error *err);
	pthread_mutex_t lock;
	uint32_t next;
	int ret;	       /* the first failure */
	struct souk_error error;
};

static void *each_thread(void *arg)
{
	struct each *each = arg;
	struct souk_error own = SOUK_ERROR_INIT;
	uint32_t rank;
	int ret, stop;

	for (;;) {
		pthread_mutex_lock(&each->lock);
		rank = each->next++;
		stop = each->ret < 0 || rank >= each->cluster->n_nodes;
		pthread_mutex_unlock(&each->lock);
		if (stop)
			return NULL;
		ret = each->work(each, rank, &own);
		if (ret == SOUK_OK)
			continue;
		pthread_mutex_lock(&each->lock);
		if (each->ret == SOUK_OK) {
			each->ret = ret;
			each->error = own;
		}
		pthread_mutex_unlock(&each->lock);
	}
}

static int each_node(struct each *each, struct souk_error *err)
{
	pthread_t threads[THREADS_MAX];
	size_t n = each->cluster->n_nodes - 1, started = 0, i;

	pthread_mutex_init(&each->lock, NULL);
	each->next = 0;
	each->ret = SOUK_OK;
	/* This thread does its share, so that one node needs none, and too few threads only cost time. */
	while (started < n && started < THREADS_MAX &&
	       pthread_create(&threads[started], NULL, each_thread, each) == 0)
		started++;
	each_thread(each);
	for (i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_mutex_destroy(&each->lock);
	if (each->ret < 0 && err)
		*err = each->error;
	return each->ret;
}

/* ---- Connections ---- */

static int connect_node(struct each *each, uint32_t rank, struct souk_error *err)
{
	return fleet_connect(each->fleet, each->cluster, rank, each->patience_ms, &each->remotes[rank],
			     err);
}

int fleet_connect_all(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		      uint32_t patience_ms, struct souk_remote ***remotes_out,
		      struct souk_error *err)
{
	struct each each = {
		.fleet = fleet, .cluster = cluster, .patience_ms = patience_ms, .work = connect_node,
	};
	struct souk_provider *provider;
	uint32_t rank;
	int ret;

	/* The registry belongs to this thread too: the others find the provider opened. */
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret < 0)
		return ret;
	each.remotes = calloc(cluster->n_nodes + 1, sizeof(*each.remotes));
	if (!each.remotes)
		return souk_error_nomem(err);
	/* A key that is pinned is written to the store, which belongs to this thread. */
	for (rank = 0; rank < cluster->n_nodes; rank++)
		if (!cluster->nodes[rank].host_key)
			break;
	if (rank == cluster->n_nodes)
		ret = each_node(&each, err);
	else
		for (rank = 0; rank < cluster->n_nodes && ret == SOUK_OK; rank++)
			ret = connect_node(&each, rank, err);
	if (ret < 0)
		fleet_disconnect_all(each.remotes, cluster->n_nodes);
	else
		*remotes_out = each.remotes;
	return ret;
}

void fleet_disconnect_all(struct souk_remote **remotes, size_t n)
{
	size_t i;

	for (i = 0; remotes && i < n; i++)
		souk_remote_close(remotes[i]);
	free(remotes);
}

/* ---- The runtime ---- */

/* Let the head's key in; the line is added once. */
static int authorize_head(struct souk_remote *remote, const char *public_key, struct souk_error *err)
{
	static const char command[] =
		"umask 077; mkdir -p ~/.ssh && touch ~/.ssh/authorized_keys && IFS= read -r K && "
		"{ grep -qxF \"$K\" ~/.ssh/authorized_keys || printf '%s\\n' \"$K\" >>~/.ssh/authorized_keys; }";
	SOUK_AUTO_FREE char *line = NULL;
	struct souk_buf out;
	int status = 0, ret;

	if (asprintf(&line, "%s\n", public_key) < 0) {
		line = NULL;
		return souk_error_nomem(err);
	}
	souk_buf_init(&out, 65536);
	ret = souk_remote_capture(remote, command, line, strlen(line), &out, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = err ? err->code : SOUK_E_INTERNAL;
	souk_buf_fini(&out);
	return ret;
}

static int init_node(struct each *each, uint32_t rank, struct souk_error *err)
{
	int ret = SOUK_OK;

	if (rank > 0)
		ret = authorize_head(each->remotes[rank], each->keys->node_public, err);
	if (ret == SOUK_OK)
		ret = souk_runtime_init(each->remotes[rank], each->description, rank, err);
	return ret;
}

static void describe_nodes(const struct souk_store_cluster *cluster, struct souk_runtime_node *nodes)
{
	size_t i;

	for (i = 0; i < cluster->n_nodes; i++) {
		const struct souk_store_node *node = &cluster->nodes[i];
		const char *inside = node->private_address ? node->private_address :
							     node->public_address;

		nodes[i] = (struct souk_runtime_node){
			.ip = inside,
			.host = inside,
			.port = node->ssh_port,
			.user = node->ssh_user ? node->ssh_user : "root",
			.host_key = node->host_key,
			.shutdown_command = node->shutdown_command,
		};
	}
}

int fleet_bring_up(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		   struct souk_remote **remotes, const struct souk_callbacks *callbacks,
		   struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_runtime_node *nodes = calloc(cluster->n_nodes, sizeof(*nodes));
	struct souk_runtime_cluster description = {
		.name = cluster->name,
		.provider = cluster->provider,
		.region = cluster->region,
		.zone = cluster->zone,
		.gpus = cluster->accelerator ? (cluster->accelerator_milli + 999) / 1000 : 0,
		.cpus_milli = cluster->vcpus_milli,
		.nodes = nodes,
		.n_nodes = (uint32_t)cluster->n_nodes,
	};
	struct each each = {
		.fleet = fleet, .cluster = cluster, .remotes = remotes, .description = &description,
		.work = init_node,
	};
	struct fleet_keys keys;
	int ret;

	if (!nodes)
		return souk_error_nomem(err);
	ret = fleet_keys_load(fleet, cluster->name, &keys, err);
	if (ret < 0)
		return ret;
	describe_nodes(cluster, nodes);
	description.node_key = keys.node_private;
	each.keys = &keys;
	fleet_event(callbacks, SOUK_EVENT_PROGRESS, cluster->name, "preparing the machines");
	ret = each_node(&each, err);
	fleet_keys_fini(&keys);
	if (ret == SOUK_OK && cluster->status != SOUK_CLUSTER_UP) {
		cluster->status = SOUK_CLUSTER_UP;
		ret = souk_store_cluster_put(fleet->store, cluster, err);
	}
	return ret;
}
