/* SPDX-License-Identifier: Apache-2.0 */
/* store/store-cluster.c - clusters, their nodes and their jobs in the store */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "store/store-internal.h"

void souk_store_node_fini(struct souk_store_node *node)
{
	if (!node)
		return;
	free(node->id);
	free(node->region);
	free(node->zone);
	free(node->public_address);
	free(node->private_address);
	free(node->ssh_user);
	free(node->host_key);
	free(node->shutdown_command);
	free(node->token);
	*node = (struct souk_store_node){ 0 };
}

void souk_store_cluster_fini(struct souk_store_cluster *cluster)
{
	size_t i;

	if (!cluster)
		return;
	free(cluster->name);
	free(cluster->owner);
	free(cluster->provider);
	free(cluster->region);
	free(cluster->zone);
	free(cluster->instance_type);
	free(cluster->arch);
	free(cluster->accelerator);
	free(cluster->currency);
	free(cluster->token);
	for (i = 0; i < cluster->n_nodes; i++)
		souk_store_node_fini(&cluster->nodes[i]);
	free(cluster->nodes);
	*cluster = (struct souk_store_cluster){ 0 };
}

static int node_copy(struct souk_store_node *to, const struct souk_store_node *from)
{
	*to = *from;
	to->id = souk_strdup(from->id);
	to->region = souk_strdup(from->region);
	to->zone = souk_strdup(from->zone);
	to->public_address = souk_strdup(from->public_address);
	to->private_address = souk_strdup(from->private_address);
	to->ssh_user = souk_strdup(from->ssh_user);
	to->host_key = souk_strdup(from->host_key);
	to->shutdown_command = souk_strdup(from->shutdown_command);
	to->token = souk_strdup(from->token);
	return !from->id == !to->id && !from->region == !to->region && !from->zone == !to->zone &&
	       !from->public_address == !to->public_address &&
	       !from->private_address == !to->private_address &&
	       !from->ssh_user == !to->ssh_user && !from->host_key == !to->host_key &&
	       !from->shutdown_command == !to->shutdown_command && !from->token == !to->token;
}

int souk_store_cluster_copy(struct souk_store_cluster *to, const struct souk_store_cluster *from,
			    struct souk_error *err)
{
	struct souk_store_cluster copy = *from;
	size_t i;
	int whole;

	copy.name = souk_strdup(from->name);
	copy.owner = souk_strdup(from->owner);
	copy.provider = souk_strdup(from->provider);
	copy.region = souk_strdup(from->region);
	copy.zone = souk_strdup(from->zone);
	copy.instance_type = souk_strdup(from->instance_type);
	copy.arch = souk_strdup(from->arch);
	copy.accelerator = souk_strdup(from->accelerator);
	copy.currency = souk_strdup(from->currency);
	copy.token = souk_strdup(from->token);
	copy.n_nodes = 0;
	copy.nodes = calloc(from->n_nodes ? from->n_nodes : 1, sizeof(*copy.nodes));
	whole = !from->name == !copy.name && !from->owner == !copy.owner &&
		!from->provider == !copy.provider && !from->region == !copy.region &&
		!from->zone == !copy.zone && !from->instance_type == !copy.instance_type &&
		!from->arch == !copy.arch && !from->accelerator == !copy.accelerator &&
		!from->currency == !copy.currency && !from->token == !copy.token && copy.nodes;
	for (i = 0; whole && i < from->n_nodes; i++) {
		whole = node_copy(&copy.nodes[i], &from->nodes[i]);
		copy.n_nodes++;
	}
	if (!whole) {
		souk_store_cluster_fini(&copy);
		return souk_error_nomem(err);
	}
	souk_store_cluster_fini(to);
	*to = copy;
	return SOUK_OK;
}

static int put_node(struct souk_store *store, const char *cluster,
		    const struct souk_store_node *node, struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(cluster), SOUK_DB_INT(node->rank), SOUK_DB_TEXT(node->id),
		SOUK_DB_TEXT(node->region), SOUK_DB_TEXT(node->zone), SOUK_DB_INT(node->status),
		SOUK_DB_TEXT(node->public_address), SOUK_DB_TEXT(node->private_address),
		SOUK_DB_INT(node->ssh_port), SOUK_DB_TEXT(node->ssh_user),
		SOUK_DB_TEXT(node->host_key), SOUK_DB_TEXT(node->shutdown_command),
		SOUK_DB_TEXT(node->token),
	};

	return store_write(store,
			   "INSERT INTO nodes (cluster, rank, id, region, zone, status,"
			   " public_address, private_address, ssh_port, ssh_user, host_key,"
			   " shutdown_command, token)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
			   params, err);
}

static int put_row(struct souk_store *store, const struct souk_store_cluster *c,
		   struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(c->name), SOUK_DB_INT(c->status), SOUK_DB_TEXT(c->owner),
		SOUK_DB_TEXT(c->provider), SOUK_DB_TEXT(c->region), SOUK_DB_TEXT(c->zone),
		SOUK_DB_TEXT(c->instance_type), SOUK_DB_TEXT(c->arch), SOUK_DB_TEXT(c->accelerator),
		SOUK_DB_INT(c->accelerator_milli), SOUK_DB_INT(c->vcpus_milli),
		SOUK_DB_INT((int64_t)c->memory_mib), SOUK_DB_INT(c->spot), SOUK_DB_INT(c->num_nodes),
		SOUK_DB_INT(c->micros_per_hour), SOUK_DB_TEXT(c->currency),
		SOUK_DB_INT(c->launched_at), SOUK_DB_INT(c->billed_since),
		SOUK_DB_INT(c->cost_micros), SOUK_DB_INT(c->autostop_minutes),
		SOUK_DB_INT(c->autostop_down), SOUK_DB_INT(c->tearing_down), SOUK_DB_INT(c->absences),
		SOUK_DB_INT(c->absent_at), SOUK_DB_TEXT(c->token),
	};

	return store_write(store,
			   "INSERT INTO clusters (name, status, owner, provider, region, zone,"
			   " instance_type, arch, accelerator, accelerator_milli, vcpus_milli,"
			   " memory_mib, spot, num_nodes, micros_per_hour, currency, launched_at,"
			   " billed_since, cost_micros, autostop_minutes, autostop_down,"
			   " tearing_down, absences, absent_at, token)"
			   " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,"
			   " $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, $25)"
			   " ON CONFLICT (name) DO UPDATE SET status = excluded.status,"
			   " owner = excluded.owner, provider = excluded.provider,"
			   " region = excluded.region, zone = excluded.zone,"
			   " instance_type = excluded.instance_type, arch = excluded.arch,"
			   " accelerator = excluded.accelerator,"
			   " accelerator_milli = excluded.accelerator_milli,"
			   " vcpus_milli = excluded.vcpus_milli, memory_mib = excluded.memory_mib,"
			   " spot = excluded.spot, num_nodes = excluded.num_nodes,"
			   " micros_per_hour = excluded.micros_per_hour, currency = excluded.currency,"
			   " launched_at = excluded.launched_at, billed_since = excluded.billed_since,"
			   " cost_micros = excluded.cost_micros,"
			   " autostop_minutes = excluded.autostop_minutes,"
			   " autostop_down = excluded.autostop_down,"
			   " tearing_down = excluded.tearing_down, absences = excluded.absences,"
			   " absent_at = excluded.absent_at, token = excluded.token",
			   params, err);
}

int souk_store_cluster_put(struct souk_store *store, const struct souk_store_cluster *cluster,
			   struct souk_error *err)
{
	struct souk_db_value name[] = { SOUK_DB_TEXT(cluster->name) };
	size_t i;
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = put_row(store, cluster, err);
	if (ret == SOUK_OK)
		ret = store_write(store, "DELETE FROM nodes WHERE cluster = $1", name, err);
	for (i = 0; i < cluster->n_nodes && ret == SOUK_OK; i++)
		ret = put_node(store, cluster->name, &cluster->nodes[i], err);
	if (ret == SOUK_OK)
		ret = souk_store_spells_cluster_put(store, cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

int souk_store_cluster_delete(struct souk_store *store, const char *name, struct souk_error *err)
{
	static const char *const statements[] = {
		"DELETE FROM nodes WHERE cluster = $1",
		"DELETE FROM jobs WHERE cluster = $1",
		"DELETE FROM intents WHERE cluster = $1",
		"DELETE FROM clusters WHERE name = $1",
	};
	struct souk_db_value params[] = { SOUK_DB_TEXT(name) };
	size_t i;
	int ret;

	ret = souk_store_begin(store, err);
	if (ret < 0)
		return ret;
	ret = souk_store_spells_cluster_delete(store, name, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(statements) && ret == SOUK_OK; i++)
		ret = store_write(store, statements[i], params, err);
	if (ret == SOUK_OK)
		ret = souk_store_commit(store, err);
	if (ret < 0)
		souk_store_rollback(store);
	return ret;
}

struct rows {
	struct souk_store_cluster *items;
	size_t n;
};

static int read_cluster(const struct souk_db_value *v, unsigned n, void *arg, struct souk_error *err)
{
	struct rows *rows = arg;
	struct souk_store_cluster *c;
	void *items = souk_array_grow(rows->items, rows->n, sizeof(*rows->items));

	(void)n;
	if (!items)
		return souk_error_nomem(err);
	rows->items = items;
	c = &rows->items[rows->n++];
	*c = (struct souk_store_cluster){
		.status = (enum souk_cluster_status)v[1].integer,
		.accelerator_milli = (uint32_t)v[9].integer,
		.vcpus_milli = (uint32_t)v[10].integer,
		.memory_mib = (uint64_t)v[11].integer,
		.spot = (int)v[12].integer,
		.num_nodes = (uint32_t)v[13].integer,
		.micros_per_hour = v[14].integer,
		.launched_at = v[16].integer,
		.billed_since = v[17].integer,
		.cost_micros = v[18].integer,
		.autostop_minutes = v[19].integer,
		.autostop_down = (int)v[20].integer,
		.tearing_down = (int)v[21].integer,
		.absences = (uint32_t)v[22].integer,
		.absent_at = v[23].integer,
	};
	if (souk_store_copy_text(&c->name, &v[0], err) < 0 ||
	    souk_store_copy_text(&c->owner, &v[2], err) < 0 ||
	    souk_store_copy_text(&c->provider, &v[3], err) < 0 ||
	    souk_store_copy_text(&c->region, &v[4], err) < 0 ||
	    souk_store_copy_text(&c->zone, &v[5], err) < 0 ||
	    souk_store_copy_text(&c->instance_type, &v[6], err) < 0 ||
	    souk_store_copy_text(&c->arch, &v[7], err) < 0 ||
	    souk_store_copy_text(&c->accelerator, &v[8], err) < 0 ||
	    souk_store_copy_text(&c->currency, &v[15], err) < 0 ||
	    souk_store_copy_text(&c->token, &v[24], err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

static int read_node(const struct souk_db_value *v, unsigned n, void *arg, struct souk_error *err)
{
	struct souk_store_cluster *cluster = arg;
	struct souk_store_node *node;
	void *nodes = souk_array_grow(cluster->nodes, cluster->n_nodes, sizeof(*node));

	(void)n;
	if (!nodes)
		return souk_error_nomem(err);
	cluster->nodes = nodes;
	node = &cluster->nodes[cluster->n_nodes++];
	*node = (struct souk_store_node){
		.rank = (uint32_t)v[0].integer,
		.status = (int32_t)v[4].integer,
		.ssh_port = (uint32_t)v[7].integer,
	};
	if (souk_store_copy_text(&node->id, &v[1], err) < 0 ||
	    souk_store_copy_text(&node->region, &v[2], err) < 0 ||
	    souk_store_copy_text(&node->zone, &v[3], err) < 0 ||
	    souk_store_copy_text(&node->public_address, &v[5], err) < 0 ||
	    souk_store_copy_text(&node->private_address, &v[6], err) < 0 ||
	    souk_store_copy_text(&node->ssh_user, &v[8], err) < 0 ||
	    souk_store_copy_text(&node->host_key, &v[9], err) < 0 ||
	    souk_store_copy_text(&node->shutdown_command, &v[10], err) < 0 ||
	    souk_store_copy_text(&node->token, &v[11], err) < 0)
		return SOUK_E_NOMEM;
	return SOUK_OK;
}

static int read_nodes(struct souk_store *store, struct souk_store_cluster *cluster,
		      struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(cluster->name) };

	return store->db->ops->run(store->db,
				   "SELECT rank, id, region, zone, status, public_address,"
				   " private_address, ssh_port, ssh_user, host_key, shutdown_command,"
				   " token FROM nodes WHERE cluster = $1 ORDER BY rank",
				   params, 1, read_node, cluster, NULL, err);
}

#define SELECT_CLUSTERS                                                                            \
	"SELECT name, status, owner, provider, region, zone, instance_type, arch, accelerator,"    \
	" accelerator_milli, vcpus_milli, memory_mib, spot, num_nodes, micros_per_hour, currency," \
	" launched_at, billed_since, cost_micros, autostop_minutes, autostop_down, tearing_down,"  \
	" absences, absent_at, token FROM clusters"

static int query(struct souk_store *store, const char *sql, const struct souk_db_value *params,
		 unsigned n_params, struct rows *rows, struct souk_error *err)
{
	size_t i;
	int ret;

	ret = store->db->ops->run(store->db, sql, params, n_params, read_cluster, rows, NULL, err);
	for (i = 0; i < rows->n && ret == SOUK_OK; i++)
		ret = read_nodes(store, &rows->items[i], err);
	if (ret < 0) {
		souk_store_clusters_free(rows->items, rows->n);
		*rows = (struct rows){ 0 };
	}
	return ret;
}

int souk_store_cluster_get(struct souk_store *store, const char *name,
			   struct souk_store_cluster *cluster_out, struct souk_error *err)
{
	struct souk_db_value params[] = { SOUK_DB_TEXT(name) };
	struct rows rows = { 0 };
	int ret;

	ret = query(store, SELECT_CLUSTERS " WHERE name = $1", params, 1, &rows, err);
	if (ret < 0)
		return ret;
	if (rows.n == 0) {
		free(rows.items);
		souk_error_set(err, SOUK_E_NOT_FOUND, "there is no cluster '%s'", name);
		return souk_error_hint(err, "'souk status' lists the clusters");
	}
	*cluster_out = rows.items[0];
	free(rows.items);
	return SOUK_OK;
}

int souk_store_clusters(struct souk_store *store, struct souk_store_cluster **clusters_out,
			size_t *n_out, struct souk_error *err)
{
	struct rows rows = { 0 };
	int ret;

	ret = query(store, SELECT_CLUSTERS " ORDER BY name", NULL, 0, &rows, err);
	if (ret < 0)
		return ret;
	*clusters_out = rows.items;
	*n_out = rows.n;
	return SOUK_OK;
}

void souk_store_clusters_free(struct souk_store_cluster *clusters, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		souk_store_cluster_fini(&clusters[i]);
	free(clusters);
}

int souk_store_job_put(struct souk_store *store, const struct souk_store_job *job,
		       struct souk_error *err)
{
	struct souk_db_value params[] = {
		SOUK_DB_TEXT(job->cluster), SOUK_DB_INT(job->id), SOUK_DB_TEXT(job->name),
		SOUK_DB_INT(job->status), SOUK_DB_INT(job->submitted_at), SOUK_DB_INT(job->ended_at),
		SOUK_DB_INT(job->exit_status),
	};

	return store_write(store,
			   "INSERT INTO jobs (cluster, id, name, status, submitted_at, ended_at,"
			   " exit_status) VALUES ($1, $2, $3, $4, $5, $6, $7)"
			   " ON CONFLICT (cluster, id) DO UPDATE SET name = excluded.name,"
			   " status = excluded.status, ended_at = excluded.ended_at,"
			   " exit_status = excluded.exit_status",
			   params, err);
}
