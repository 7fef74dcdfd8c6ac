/* SPDX-License-Identifier: Apache-2.0 */
/* clusters.c - clusters and jobs for the public face */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/money.h"
#include "base/util.h"
#include "plan.h"

struct souk_clusters {
	struct souk_store_cluster *stored;
	size_t n_stored;
	struct souk_cluster_row *rows;
	struct souk_node_row **nodes;	/* of the rows */
	char **notes;
	size_t n;
};

/* ---- Names of statuses ---- */

const char *souk_cluster_status_name(enum souk_cluster_status status)
{
	static const char *const names[] = { "INIT", "UP", "STOPPED" };

	return (size_t)status < SOUK_ARRAY_SIZE(names) ? names[status] : "INIT";
}

const char *souk_job_status_name(enum souk_job_status status)
{
	static const char *const names[] = {
		"INIT", "PENDING", "SETTING_UP", "RUNNING", "SUCCEEDED", "FAILED", "FAILED_SETUP",
		"FAILED_DRIVER", "CANCELLED",
	};

	return (size_t)status < SOUK_ARRAY_SIZE(names) ? names[status] : "INIT";
}

int souk_job_status_is_final(enum souk_job_status status)
{
	return status >= SOUK_JOB_SUCCEEDED;
}

static const char *instance_status_name(int32_t status)
{
	static const char *const names[] = {
		"PENDING", "RUNNING", "STOPPING", "STOPPED", "TERMINATING", "TERMINATED", "FAILED",
	};

	return status >= 0 && (size_t)status < SOUK_ARRAY_SIZE(names) ? names[status] : "FAILED";
}

/* ---- Status ---- */

static int make_note(struct souk *souk, const struct souk_store_cluster *c, char **note_out,
		     struct souk_error *err)
{
	struct souk_store_intent *intents = NULL;
	size_t n = 0;
	int ret, written = 0;

	ret = souk_store_intents(souk->store, c->name, &intents, &n, err);
	if (ret < 0)
		return ret;
	souk_store_intents_free(intents, n);
	if (!souk_modules_get(&souk->registry.modules, c->provider))
		written = asprintf(note_out,
				   "cannot be settled: no module for the provider '%s' is installed",
				   c->provider);
	else if (c->tearing_down)
		written = asprintf(note_out, "being torn down");
	else if (n > 0)
		written = asprintf(note_out, "%zu request%s to be settled", n, n == 1 ? "" : "s");
	return written < 0 ? souk_error_nomem(err) : SOUK_OK;
}

static int fill_nodes(struct souk_clusters *clusters, size_t i, const struct souk_store_cluster *c,
		      struct souk_error *err)
{
	struct souk_node_row *nodes = calloc(c->n_nodes + 1, sizeof(*nodes));
	size_t j;

	if (!nodes)
		return souk_error_nomem(err);
	clusters->nodes[i] = nodes;
	for (j = 0; j < c->n_nodes; j++)
		nodes[j] = (struct souk_node_row){
			.rank = c->nodes[j].rank,
			.id = c->nodes[j].id,
			.zone = c->nodes[j].zone,
			.public_address = c->nodes[j].public_address,
			.private_address = c->nodes[j].private_address,
			.status = instance_status_name(c->nodes[j].status),
		};
	clusters->rows[i].nodes = nodes;
	clusters->rows[i].n_nodes = c->n_nodes;
	return SOUK_OK;
}

/* Computing so far, the current stretch included. */
static int64_t cost_so_far(const struct souk_store_cluster *c, int64_t now)
{
	int64_t hourly = souk_money_scale(c->micros_per_hour, c->num_nodes, 1);

	if (c->billed_since <= 0 || now <= c->billed_since || hourly <= 0)
		return c->cost_micros;
	return c->cost_micros + souk_money_scale(hourly, (uint64_t)(now - c->billed_since), 3600);
}

static int fill_row(struct souk *souk, struct souk_clusters *clusters, size_t i,
		    const struct souk_store_cluster *c, struct souk_error *err)
{
	int ret;

	clusters->rows[i] = (struct souk_cluster_row){
		.name = c->name,
		.status = c->status,
		.provider = c->provider,
		.region = c->region,
		.zone = c->zone,
		.instance_type = c->instance_type,
		.accelerator = c->accelerator,
		.accelerator_milli = c->accelerator_milli,
		.vcpus_milli = c->vcpus_milli,
		.memory_mib = c->memory_mib,
		.spot = c->spot,
		.micros_per_hour = souk_money_scale(c->micros_per_hour, c->num_nodes, 1),
		.currency = c->currency,
		.launched_at = c->launched_at,
		.cost_micros = cost_so_far(c, souk_clock_wall_s()),
		.autostop_minutes = c->autostop_minutes,
		.autostop_down = c->autostop_down,
		.num_nodes = c->num_nodes,
	};
	ret = make_note(souk, c, &clusters->notes[i], err);
	clusters->rows[i].note = clusters->notes[i];
	return ret < 0 ? ret : fill_nodes(clusters, i, c, err);
}

static int is_named(const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return n == 0;
}

static int fill(struct souk *souk, struct souk_clusters *clusters, const char *const *names, size_t n,
		struct souk_error *err)
{
	size_t i;
	int ret;

	ret = souk_store_clusters(souk->store, &clusters->stored, &clusters->n_stored, err);
	if (ret < 0)
		return ret;
	clusters->rows = calloc(clusters->n_stored + 1, sizeof(*clusters->rows));
	clusters->nodes = calloc(clusters->n_stored + 1, sizeof(*clusters->nodes));
	clusters->notes = calloc(clusters->n_stored + 1, sizeof(*clusters->notes));
	if (!clusters->rows || !clusters->nodes || !clusters->notes)
		return souk_error_nomem(err);
	for (i = 0; i < clusters->n_stored && ret == SOUK_OK; i++)
		if (is_named(names, n, clusters->stored[i].name))
			ret = fill_row(souk, clusters, clusters->n++, &clusters->stored[i], err);
	return ret;
}

static int refresh(struct souk *souk, const char *const *names, size_t n, struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret;

	ret = souk_need_fleet(souk, &ops, err);
	return ret < 0 ? ret : ops->refresh(&souk->fleet, names, n, err);
}

int souk_status(struct souk *souk, const char *const *names, size_t n, int do_refresh,
		struct souk_clusters **clusters_out, struct souk_error *err)
{
	struct souk_clusters *clusters;
	int ret;

	ret = souk_need_store(souk, 0, err);
	if (ret < 0 && ret != SOUK_E_NOT_FOUND)
		return ret;
	if (ret == SOUK_OK && do_refresh) {
		ret = refresh(souk, names, n, err);
		if (ret < 0)
			return ret;
	}
	clusters = calloc(1, sizeof(*clusters));
	if (!clusters)
		return souk_error_nomem(err);
	/* Without a store nothing was ever launched. */
	ret = souk->store ? fill(souk, clusters, names, n, err) : SOUK_OK;
	if (ret < 0) {
		souk_clusters_free(clusters);
		return ret;
	}
	*clusters_out = clusters;
	return SOUK_OK;
}

void souk_clusters_free(struct souk_clusters *clusters)
{
	size_t i;

	if (!clusters)
		return;
	for (i = 0; i < clusters->n_stored; i++) {
		if (clusters->nodes)
			free(clusters->nodes[i]);
		if (clusters->notes)
			free(clusters->notes[i]);
	}
	free(clusters->rows);
	free(clusters->nodes);
	free(clusters->notes);
	souk_store_clusters_free(clusters->stored, clusters->n_stored);
	free(clusters);
}

size_t souk_clusters_count(const struct souk_clusters *clusters)
{
	return clusters->n;
}

const struct souk_cluster_row *souk_clusters_row(const struct souk_clusters *clusters, size_t i)
{
	return i < clusters->n ? &clusters->rows[i] : NULL;
}

int souk_cluster_exists(struct souk *souk, const char *name)
{
	struct souk_store_cluster cluster;

	if (souk_need_store(souk, 0, NULL) < 0 ||
	    souk_store_cluster_get(souk->store, name, &cluster, NULL) < 0)
		return 0;
	souk_store_cluster_fini(&cluster);
	return 1;
}

/* ---- What the engine does ---- */

/* "souk-ab12-user": short, for it stands in every prompt. */
static int new_name(struct souk *souk, char name[64], struct souk_error *err)
{
	char id[SOUK_ID_SIZE];
	int ret;

	do {
		ret = souk_id_new(id, 4, err);
		if (ret < 0)
			return ret;
		snprintf(name, 64, "souk-%s", id);
	} while (souk_cluster_exists(souk, name));
	return SOUK_OK;
}

int souk_launch(struct souk *souk, const struct souk_task_file *file, struct souk_plan *plan,
		const struct souk_launch_options *options, struct souk_launch_result *result_out,
		struct souk_error *err)
{
	struct souk_launch_options own = *options;
	const struct souk_fleet_ops *ops;
	const struct souk_task *task;
	char name[64];
	int ret;

	ret = souk_task_file_task(file, &task, err);
	if (ret == SOUK_OK && !own.cluster) {
		ret = new_name(souk, name, err);
		own.cluster = name;
	} else if (ret == SOUK_OK) {
		ret = souk_name_check("cluster", own.cluster, 40, err);
	}
	if (ret == SOUK_OK)
		ret = souk_need_fleet(souk, &ops, err);
	if (ret < 0)
		return ret;
	return ops->launch(&souk->fleet, task, plan ? &plan->result : NULL, &own, result_out, err);
}

int souk_exec(struct souk *souk, const char *cluster, const struct souk_task_file *file,
	      const struct souk_launch_options *options, struct souk_launch_result *result_out,
	      struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	const struct souk_task *task;
	int ret;

	ret = souk_task_file_task(file, &task, err);
	if (ret == SOUK_OK)
		ret = souk_need_fleet(souk, &ops, err);
	return ret < 0 ? ret : ops->exec(&souk->fleet, cluster, task, options, result_out, err);
}

int souk_logs(struct souk *souk, const char *cluster, uint32_t job, int follow,
	      const struct souk_callbacks *callbacks, struct souk_launch_result *result_out,
	      struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->logs(&souk->fleet, cluster, job, follow, callbacks, result_out, err);
}

/* Lists of jobs come from the engine, which is loaded while there is one. */
static const struct souk_fleet_ops *jobs_ops;

int souk_queue(struct souk *souk, const char *cluster, struct souk_jobs **jobs_out,
	       struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	if (ret < 0)
		return ret;
	jobs_ops = ops;
	return ops->queue(&souk->fleet, cluster, jobs_out, err);
}

void souk_jobs_free(struct souk_jobs *jobs)
{
	if (jobs)
		jobs_ops->jobs_free(jobs);
}

size_t souk_jobs_count(const struct souk_jobs *jobs)
{
	return jobs_ops->jobs_count(jobs);
}

const struct souk_job_row *souk_jobs_row(const struct souk_jobs *jobs, size_t i)
{
	return jobs_ops->jobs_row(jobs, i);
}

int souk_cancel(struct souk *souk, const char *cluster, const uint32_t *jobs, size_t n,
		uint32_t *cancelled_out, struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->cancel(&souk->fleet, cluster, jobs, n, cancelled_out, err);
}

int souk_start(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	       struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->start(&souk->fleet, cluster, callbacks, err);
}

int souk_stop(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	      struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->stop(&souk->fleet, cluster, callbacks, err);
}

int souk_down(struct souk *souk, const char *cluster, const struct souk_callbacks *callbacks,
	      struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->down(&souk->fleet, cluster, callbacks, err);
}

int souk_autostop(struct souk *souk, const char *cluster, int64_t idle_minutes, int down,
		  struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret : ops->autostop(&souk->fleet, cluster, idle_minutes, down, err);
}

int souk_ssh_config(struct souk *souk, const char *cluster, uint32_t rank, char **config_out,
		    char **host_out, struct souk_error *err)
{
	const struct souk_fleet_ops *ops;
	int ret = souk_need_fleet(souk, &ops, err);

	return ret < 0 ? ret :
			 ops->ssh_config(&souk->fleet, cluster, rank, config_out, host_out, err);
}
