/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/cluster.h - pieces that every operation on a cluster uses */
#ifndef SOUK_FLEET_CLUSTER_H
#define SOUK_FLEET_CLUSTER_H

#include "fleet/fleet.h"
#include "node/remote.h"
#include "node/runtime.h"

/* ---- Telling the user ---- */

void fleet_event(const struct souk_callbacks *callbacks, enum souk_event_kind kind,
		 const char *cluster, const char *fmt, ...) SOUK_PRINTF(4, 5);

/* ---- A cluster's folder: keys, ssh_config ---- */

struct fleet_keys {
	char *folder;
	char *private_key;	/* with which the user logs in */
	char *public_key;
	char *host_private;	/* of the machines' sshd */
	char *host_public;
	char *node_private;	/* with which the head logs in to the others */
	char *node_public;
};

/* Read the keys of a cluster; make those that are not there yet. */
int fleet_keys_load(struct souk_fleet *fleet, const char *cluster, struct fleet_keys *keys_out,
		    struct souk_error *err);
void fleet_keys_fini(struct fleet_keys *keys);
/* Remove the folder of a cluster that is gone. */
int fleet_keys_remove(struct souk_fleet *fleet, const char *cluster, struct souk_error *err);

/* ---- Machines ---- */

/* References to the nodes of a cluster, borrowed from it. The caller frees the array. */
struct souk_instance_ref *fleet_refs(const struct souk_store_cluster *cluster);

/* Take what the cloud says of a machine into a node. */
int fleet_node_update(struct souk_store_node *node, const struct souk_instance *instance,
		      struct souk_error *err);

/* Fill the nodes of a cluster from instances that are alive, by rank in the order of their ids;
 * at most num_nodes. */
int fleet_nodes_adopt(struct souk_store_cluster *cluster, const struct souk_instance_list *list,
		      const char *token, struct souk_error *err);

/* The instance of that id; NULL: not in the list. */
const struct souk_instance *fleet_find_instance(const struct souk_instance_list *list, const char *id);

/* Does it still exist, and may it still cost? */
int fleet_is_alive(int32_t status);

/* Start or stop counting cost from now, by what runs. */
void fleet_bill(struct souk_store_cluster *cluster, int64_t now);

/* How long to wait between two looks that confirm an absence. */
uint32_t fleet_confirm_ms(const struct souk_provider *provider);
/* How old an intent must be before its absence counts. */
int64_t fleet_settle_ms(const struct souk_provider *provider);

/* How long '--retry-until-up' waits before it begins again, the first time. */
uint32_t fleet_retry_ms(void);

/* The limits of a call: the fleet's cancel flag and the usual time. */
struct souk_call_limits fleet_limits(struct souk_fleet *fleet);

/* What the machines do when they shut themselves down becomes what autostop is to mean. */
int fleet_set_on_shutdown(struct souk_fleet *fleet, struct souk_provider *provider,
			  const struct souk_store_cluster *cluster, int down,
			  struct souk_error *err);

/* ---- Connections ---- */

/* 0 if the provider has an exec of its own, by which everything goes then. */
int fleet_uses_ssh(struct souk_fleet *fleet, const struct souk_store_cluster *cluster);

/* Write the cluster's ssh_config and known_hosts. */
int fleet_write_ssh_config(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
			   struct souk_error *err);

/* Connect to a node, with patience; a key that was seen first is pinned in the store. */
int fleet_connect(struct souk_fleet *fleet, struct souk_store_cluster *cluster, uint32_t rank,
		  uint32_t patience_ms, struct souk_remote **remote_out, struct souk_error *err);

/* The same without the store: a key that was seen first is in *seen_out, for the caller to free. */
int fleet_connect_seen(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
		       uint32_t rank, uint32_t patience_ms, struct souk_remote **remote_out,
		       char **seen_out, struct souk_error *err);

/* Connect to the head of a cluster that must be UP. *cluster_out is the caller's. */
int fleet_connect_head(struct souk_fleet *fleet, const char *name,
		       struct souk_store_cluster *cluster_out, struct souk_remote **remote_out,
		       struct souk_error *err);

#endif
