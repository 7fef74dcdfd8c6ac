/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/operations.c - logs, queue, cancel, start, stop, autostop, ssh: and the engine's table */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/engine.h"
#include "base/error.h"
#include "base/util.h"
#include "fleet/doctor.h"
#include "fleet/launch.h"
#include "fleet/provision.h"
#include "fleet/rehearse.h"
#include "fleet/settle.h"
#include "net/net-ops.h"
#include "node/ssh-config.h"

#define START_PATIENCE_MS 300000
#define STOP_PATIENCE_MS 600000
#define STOP_PAUSE_MS 500

/* ---- Jobs ---- */

static int fleet_logs(struct souk_fleet *fleet, const char *name, uint32_t job, int follow,
		      const struct souk_callbacks *callbacks, struct souk_launch_result *result_out,
		      struct souk_error *err)
{
	struct souk_launch_result result = { 0 };
	struct souk_store_cluster cluster;
	struct souk_remote *head;
	struct souk_jobs *jobs;
	uint64_t offset = 0;
	int ret;

	ret = fleet_connect_head(fleet, name, &cluster, &head, err);
	if (ret < 0)
		return ret;
	ret = souk_runtime_status(head, job, &jobs, err);
	if (ret == SOUK_OK) {
		job = jobs->items[0].id;
		ret = fleet_take_job(fleet, name, &jobs->items[0], &result, err);
		souk_jobs_destroy(jobs);
	}
	if (ret == SOUK_OK && follow)
		ret = fleet_follow(fleet, &cluster, &head, job, callbacks, &result, err);
	else if (ret == SOUK_OK)
		ret = souk_runtime_log(head, job, 0, &offset, callbacks ? callbacks->output : NULL,
				       callbacks ? callbacks->arg : NULL, fleet->cancel, err);
	souk_remote_close(head);
	souk_store_cluster_fini(&cluster);
	*result_out = result;
	return ret;
}

static int fleet_queue(struct souk_fleet *fleet, const char *name, struct souk_jobs **jobs_out,
		       struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_remote *head;
	int ret;

	ret = fleet_connect_head(fleet, name, &cluster, &head, err);
	if (ret < 0)
		return ret;
	ret = souk_runtime_queue(head, jobs_out, err);
	souk_remote_close(head);
	souk_store_cluster_fini(&cluster);
	return ret;
}

static size_t jobs_count(const struct souk_jobs *jobs)
{
	return jobs->n;
}

static const struct souk_job_row *jobs_row(const struct souk_jobs *jobs, size_t i)
{
	return i < jobs->n ? &jobs->items[i] : NULL;
}

static int fleet_cancel(struct souk_fleet *fleet, const char *name, const uint32_t *jobs, size_t n,
			uint32_t *cancelled_out, struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_remote *head;
	uint32_t count, total = 0;
	size_t i;
	int ret;

	ret = fleet_connect_head(fleet, name, &cluster, &head, err);
	if (ret < 0)
		return ret;
	if (n == 0)
		ret = souk_runtime_cancel(head, 0, &total, err);
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = souk_runtime_cancel(head, jobs[i], &count, err);
		if (ret == SOUK_OK)
			total += count;
	}
	souk_remote_close(head);
	souk_store_cluster_fini(&cluster);
	if (ret == SOUK_OK)
		*cancelled_out = total;
	return ret;
}

/* ---- Machines ---- */

/* Lock and read a cluster, and open its provider. Undone with end_operation(). */
static int begin_operation(struct souk_fleet *fleet, const char *name, int *lock,
			   struct souk_store_cluster *cluster, struct souk_provider **provider,
			   struct souk_error *err)
{
	int ret;

	ret = souk_store_lock(fleet->store, name, 1, fleet->cancel, lock, err);
	if (ret < 0)
		return ret;
	ret = souk_store_cluster_get(fleet->store, name, cluster, err);
	if (ret == SOUK_OK) {
		ret = souk_registry_get(fleet->registry, cluster->provider, provider, err);
		if (ret == SOUK_OK && (cluster->tearing_down || cluster->n_nodes == 0)) {
			souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' has no machines to %s", name,
				       "work with");
			ret = souk_error_hint(err, "'souk status --refresh' settles what is open");
		}
		if (ret < 0)
			souk_store_cluster_fini(cluster);
	}
	if (ret < 0)
		souk_store_unlock(*lock);
	return ret;
}

static void end_operation(int lock, struct souk_store_cluster *cluster)
{
	souk_store_cluster_fini(cluster);
	souk_store_unlock(lock);
}

static int start_nodes(struct souk_fleet *fleet, struct souk_provider *provider,
		       struct souk_store_cluster *cluster, const struct souk_callbacks *callbacks,
		       struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_remote **remotes = NULL;
	int ret;

	if (!refs)
		return souk_error_nomem(err);
	fleet_event(callbacks, SOUK_EVENT_PROGRESS, cluster->name, "starting");
	cluster->status = SOUK_CLUSTER_INIT;
	ret = fleet_look_if_asked(fleet, provider, cluster, err);
	if (ret == SOUK_OK)
		ret = souk_store_ask_start(fleet->store, cluster->name, err);
	if (ret == SOUK_OK)
		ret = souk_provider_start(provider, &limits, refs, (uint32_t)cluster->n_nodes, err);
	if (ret == SOUK_OK)
		ret = fleet_wait_running(fleet, provider, cluster, 0, err);
	if (ret == SOUK_OK) {
		fleet_bill(cluster, souk_clock_wall_s());
		ret = souk_store_cluster_put(fleet->store, cluster, err);
	}
	if (ret == SOUK_OK)
		ret = fleet_connect_all(fleet, cluster, START_PATIENCE_MS, &remotes, err);
	if (ret == SOUK_OK && fleet_uses_ssh(fleet, cluster))
		ret = fleet_write_ssh_config(fleet, cluster, err);
	if (ret == SOUK_OK)
		ret = fleet_bring_up(fleet, cluster, remotes, callbacks, err);
	fleet_disconnect_all(remotes, cluster->n_nodes);
	if (ret == SOUK_OK)
		fleet_event(callbacks, SOUK_EVENT_DONE, cluster->name, "up");
	return ret;
}

static int fleet_start(struct souk_fleet *fleet, const char *name,
		       const struct souk_callbacks *callbacks, struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_provider *provider;
	int lock, ret;

	ret = begin_operation(fleet, name, &lock, &cluster, &provider, err);
	if (ret < 0)
		return ret;
	if (cluster.status != SOUK_CLUSTER_UP)
		ret = start_nodes(fleet, provider, &cluster, callbacks, err);
	end_operation(lock, &cluster);
	return ret;
}

static int wait_stopped(struct souk_fleet *fleet, struct souk_provider *provider,
			struct souk_store_cluster *cluster, struct souk_error *err)
{
	int64_t end = souk_clock_ms() + STOP_PATIENCE_MS;
	struct souk_call_limits limits = fleet_limits(fleet);
	size_t stopped, i;
	int ret;

	for (;;) {
		SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
		struct souk_instance_list list = { 0 };

		if (!refs)
			return souk_error_nomem(err);
		ret = souk_provider_describe(provider, &limits, refs, (uint32_t)cluster->n_nodes, &list,
					     err);
		for (i = stopped = 0; ret == SOUK_OK && i < cluster->n_nodes; i++) {
			const struct souk_instance *found =
				fleet_find_instance(&list, cluster->nodes[i].id);

			if (found)
				ret = fleet_node_update(&cluster->nodes[i], found, err);
			stopped += found && found->status == SOUK_INSTANCE_STOPPED;
		}
		souk_instance_list_fini(&list);
		if (ret < 0 || stopped == cluster->n_nodes)
			return ret;
		if (souk_clock_ms() >= end)
			return souk_error_set(err, SOUK_E_TIMEOUT, "'%s' has not stopped in time",
					      cluster->name);
		ret = souk_cancel_wait(fleet->cancel, STOP_PAUSE_MS, err);
		if (ret < 0)
			return ret;
	}
}

static int fleet_stop(struct souk_fleet *fleet, const char *name,
		      const struct souk_callbacks *callbacks, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = NULL;
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_store_cluster cluster;
	struct souk_provider *provider;
	int lock, ret;

	ret = begin_operation(fleet, name, &lock, &cluster, &provider, err);
	if (ret < 0)
		return ret;
	refs = fleet_refs(&cluster);
	if (!refs) {
		ret = souk_error_nomem(err);
	} else if (cluster.status != SOUK_CLUSTER_STOPPED) {
		fleet_event(callbacks, SOUK_EVENT_PROGRESS, name, "stopping");
		ret = fleet_look_if_asked(fleet, provider, &cluster, err);
		if (ret == SOUK_OK)
			ret = souk_store_ask_end(fleet->store, name, err);
		if (ret == SOUK_OK)
			ret = souk_provider_stop(provider, &limits, refs, (uint32_t)cluster.n_nodes, err);
		if (ret == SOUK_OK)
			ret = wait_stopped(fleet, provider, &cluster, err);
	}
	if (ret == SOUK_OK) {
		fleet_bill(&cluster, souk_clock_wall_s());
		cluster.status = SOUK_CLUSTER_STOPPED;
		ret = souk_store_cluster_put(fleet->store, &cluster, err);
	}
	if (ret == SOUK_OK)
		fleet_event(callbacks, SOUK_EVENT_DONE, name, "stopped");
	end_operation(lock, &cluster);
	return ret;
}

static int fleet_autostop(struct souk_fleet *fleet, const char *name, int64_t idle_minutes, int down,
			  struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_provider *provider;
	struct souk_remote *head = NULL;
	int lock, ret;

	ret = begin_operation(fleet, name, &lock, &cluster, &provider, err);
	if (ret < 0)
		return ret;
	if (!souk_provider_has(provider, SOUK_FEATURE_SELF_SHUTDOWN))
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED,
				     "machines of '%s' cannot switch themselves off", cluster.provider);
	if (ret == SOUK_OK && idle_minutes >= 0)
		ret = fleet_set_on_shutdown(fleet, provider, &cluster, down, err);
	if (ret == SOUK_OK)
		ret = fleet_connect(fleet, &cluster, 0, START_PATIENCE_MS / 10, &head, err);
	if (ret == SOUK_OK)
		ret = souk_runtime_autostop(head, idle_minutes, down, "jobs_and_ssh", err);
	if (ret == SOUK_OK) {
		cluster.autostop_minutes = idle_minutes;
		cluster.autostop_down = down;
		ret = souk_store_cluster_put(fleet->store, &cluster, err);
	}
	souk_remote_close(head);
	end_operation(lock, &cluster);
	return ret;
}

static int fleet_ssh_config(struct souk_fleet *fleet, const char *name, uint32_t rank,
			    char **config_out, char **host_out, struct souk_error *err)
{
	struct souk_store_cluster cluster;
	struct souk_buf config, host;
	char alias[96];
	int ret;

	ret = souk_store_cluster_get(fleet->store, name, &cluster, err);
	if (ret < 0)
		return ret;
	if (cluster.status == SOUK_CLUSTER_STOPPED || cluster.n_nodes == 0)
		ret = souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' is not up: it is %s", name,
				     souk_cluster_status_name(cluster.status));
	else if (rank >= cluster.n_nodes)
		ret = souk_error_set(err, SOUK_E_NOT_FOUND, "'%s' has no node %u: it has %zu", name, rank,
				     cluster.n_nodes);
	else
		ret = fleet_write_ssh_config(fleet, &cluster, err);
	souk_store_cluster_fini(&cluster);
	if (ret < 0)
		return ret;
	souk_ssh_config_alias(name, rank, alias, sizeof(alias));
	souk_buf_init(&config, 65536);
	souk_buf_init(&host, 65536);
	souk_buf_printf(&config, "%s/clusters/%s/ssh_config", fleet->paths->state, name);
	souk_buf_str(&host, alias);
	if (souk_buf_failed(&config, err) < 0 || souk_buf_failed(&host, err) < 0) {
		ret = SOUK_E_NOMEM;
	} else {
		*config_out = souk_buf_steal(&config);
		*host_out = souk_buf_steal(&host);
	}
	souk_buf_fini(&config);
	souk_buf_fini(&host);
	return ret;
}

const struct souk_fleet_ops souk_fleet_ops = {
	.launch = fleet_launch,
	.exec = fleet_exec,
	.rehearse = fleet_rehearse,
	.logs = fleet_logs,
	.queue = fleet_queue,
	.jobs_free = souk_jobs_destroy,
	.jobs_count = jobs_count,
	.jobs_row = jobs_row,
	.cancel = fleet_cancel,
	.refresh = fleet_refresh,
	.start = fleet_start,
	.stop = fleet_stop,
	.down = fleet_down,
	.autostop = fleet_autostop,
	.ssh_config = fleet_ssh_config,
	.end_orphan = fleet_end_orphan,
	.end_leftover = fleet_end_leftover,
};

const struct souk_engine *souk_engine_entry(void)
{
	static const struct souk_engine engine = { .net = &souk_net_ops, .fleet = &souk_fleet_ops };

	return &engine;
}
