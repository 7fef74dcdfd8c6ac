/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/launch.c - a task on a cluster: launch and exec */
#include "fleet/launch.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/pattern.h"
#include "base/util.h"
#include "fleet/provision.h"
#include "fleet/race.h"
#include "fleet/settle.h"
#include "market/accelerator.h"
#include "node/ssh-config.h"
#include "node/sync.h"

#define BOOT_PATIENCE_MS 300000
#define FOLLOW_PATIENCE_MS 60000
#define FOLLOW_TRIES 60
/* Autostop that stands behind --down: it acts if we do not live to do it. */
#define BACKSTOP_MINUTES 5

/* ---- Does a live cluster fit a task? ---- */

static int request_fits(const struct souk_request *r, const struct souk_store_cluster *c)
{
	if (r->provider && strcasecmp(r->provider, c->provider) != 0)
		return 0;
	if (r->region && !souk_pattern_matches(r->region, c->region))
		return 0;
	if (r->zone && c->zone && !souk_pattern_matches(r->zone, c->zone))
		return 0;
	if (r->instance_type && strcasecmp(r->instance_type, c->instance_type) != 0)
		return 0;
	if (r->use_spot_given && r->use_spot != c->spot && c->micros_per_hour > 0)
		return 0;
	if (r->cpus.value > c->vcpus_milli || r->memory.value > c->memory_mib)
		return 0;
	if (!r->accelerator.name)
		return r->accelerator.memory_mib == 0 || c->accelerator;
	return c->accelerator && r->accelerator.milli <= c->accelerator_milli &&
	       strcasecmp(souk_accelerator_canonical(r->accelerator.name), c->accelerator) == 0;
}

/* The alternative that a live cluster satisfies; NULL: none. */
static const struct souk_request *fitting_request(const struct souk_task *task,
						  const struct souk_store_cluster *cluster)
{
	size_t i;

	for (i = 0; i < task->n_requests; i++)
		if (request_fits(&task->requests[i], cluster))
			return &task->requests[i];
	return NULL;
}

static int check_fits(const struct souk_task *task, const struct souk_store_cluster *cluster,
		      struct souk_error *err)
{
	if (task->num_nodes > cluster->n_nodes)
		return souk_error_set(err, SOUK_E_CONFLICT, "'%s' has %zu node%s, the task asks for %u",
				      cluster->name, cluster->n_nodes, cluster->n_nodes == 1 ? "" : "s",
				      task->num_nodes);
	if (fitting_request(task, cluster))
		return SOUK_OK;
	souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' (%s %s) is not what the task asks for",
		       cluster->name, cluster->provider, cluster->instance_type);
	return souk_error_hint(err, "choose another name with -c, or 'souk down %s' first", cluster->name);
}

/* ---- Files ---- */

struct sync_all {
	struct souk_fleet *fleet;
	const struct souk_store_cluster *cluster;
	const struct souk_task *task;
	char *ssh_config; /* NULL: the machines are not reached by SSH */
};

static int sync_workdir(const struct sync_all *all, const struct souk_sync *sync,
			struct souk_error *err)
{
	const struct souk_task *task = all->task;
	SOUK_AUTO_FREE char *folder = NULL;

	if (task->git.url) {
		const char *token = getenv("GIT_TOKEN");

		return souk_sync_git(sync, task->git.url, task->git.ref, token, err);
	}
	if (!task->workdir)
		return SOUK_OK;
	folder = souk_fs_expand(task->workdir);
	return folder ? souk_sync_folder(sync, folder, "souk_workdir", err) : souk_error_nomem(err);
}

/* A relative target is below the workdir. */
static int sync_mount(const struct souk_sync *sync, const struct souk_mount *mount,
		      struct souk_error *err)
{
	SOUK_AUTO_FREE char *source = souk_fs_expand(mount->source);
	SOUK_AUTO_FREE char *target = NULL;

	if (mount->target[0] == '/' || mount->target[0] == '~')
		target = strdup(mount->target);
	else
		target = souk_fs_join("souk_workdir", mount->target);
	if (!source || !target)
		return souk_error_nomem(err);
	if (souk_fs_is_dir(source))
		return souk_sync_folder(sync, source, target, err);
	return souk_sync_file(sync, source, target, err);
}

static int sync_node(const struct sync_all *all, struct souk_remote *remote, uint32_t rank,
		     int with_mounts, struct souk_error *err)
{
	const char *address = all->cluster->nodes[rank].public_address;
	char alias[96];
	struct souk_sync sync = {
		.remote = remote,
		.ssh_config = all->ssh_config,
		.alias = alias,
		.compress = !address || strncmp(address, "127.", 4) != 0,
		.cancel = all->fleet->cancel,
	};
	size_t i;
	int ret;

	souk_ssh_config_alias(all->cluster->name, rank, alias, sizeof(alias));
	ret = sync_workdir(all, &sync, err);
	for (i = 0; with_mounts && i < all->task->n_mounts && ret == SOUK_OK; i++)
		ret = sync_mount(&sync, &all->task->mounts[i], err);
	return ret;
}

static int has_files(const struct souk_task *task, int with_mounts)
{
	return task->workdir || task->git.url || (with_mounts && task->n_mounts > 0);
}

static int sync_files(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
		      struct souk_remote **remotes, const struct souk_task *task, int with_mounts,
		      const struct souk_callbacks *callbacks, struct souk_error *err)
{
	struct sync_all all = { .fleet = fleet, .cluster = cluster, .task = task };
	uint32_t rank;
	int ret = SOUK_OK;

	if (!has_files(task, with_mounts))
		return SOUK_OK;
	fleet_event(callbacks, SOUK_EVENT_PROGRESS, cluster->name, "copying files");
	if (fleet_uses_ssh(fleet, cluster) &&
	    asprintf(&all.ssh_config, "%s/clusters/%s/ssh_config", fleet->paths->state, cluster->name) < 0)
		return souk_error_nomem(err);
	for (rank = 0; rank < cluster->n_nodes && ret == SOUK_OK; rank++)
		ret = sync_node(&all, remotes[rank], rank, with_mounts, err);
	free(all.ssh_config);
	return ret;
}

/* ---- The job ---- */

static const char *user_name(void)
{
	const char *user = getenv("USER");
	const struct passwd *entry;

	if (user && user[0])
		return user;
	entry = getpwuid(getuid());
	return entry ? entry->pw_name : "user";
}

/* "sky-2026-07-04-12-30-00-123456_CLUSTER_", to which the runtime appends the job's id. */
static void task_id_prefix(const char *cluster, char *text, size_t size)
{
	struct timeval now;
	struct tm tm;
	char when[32];

	gettimeofday(&now, NULL);
	if (!localtime_r(&now.tv_sec, &tm) || !strftime(when, sizeof(when), "%Y-%m-%d-%H-%M-%S", &tm))
		when[0] = '\0';
	snprintf(text, size, "sky-%s-%06ld_%s_", when, (long)now.tv_usec, cluster);
}

/* The task's envs and inline secrets, as the job sees them. */
static int job_environment(const struct souk_task *task, struct souk_pairs *env,
			   struct souk_error *err)
{
	size_t i;
	int ret;

	ret = souk_pairs_copy(env, &task->envs, err);
	for (i = 0; i < task->n_secrets && ret == SOUK_OK; i++)
		if (task->secrets[i].value) {
			souk_log_add_secret(task->secrets[i].value);
			ret = souk_pairs_set(env, task->secrets[i].name, task->secrets[i].value, err);
		}
	return ret;
}

/* Devices for scheduling: what the task asked for, fractions included. */
static uint32_t gpus_of(const struct souk_task *task, const struct souk_store_cluster *cluster)
{
	const struct souk_request *request = fitting_request(task, cluster);

	if (!request || (!request->accelerator.name && !request->accelerator.memory_mib))
		return 0;
	return request->accelerator.milli;
}

static int submit(struct souk_fleet *fleet, const struct souk_store_cluster *cluster,
		  struct souk_remote *head, const struct souk_task *task, int with_setup,
		  uint32_t *job_out, struct souk_error *err)
{
	struct souk_pairs env = { 0 };
	char token[SOUK_ID_SIZE], prefix[160];
	struct souk_runtime_job job = {
		.name = task->name ? task->name : "souk-cmd",
		.num_nodes = task->num_nodes,
		.gpus_milli = gpus_of(task, cluster),
		.user = user_name(),
		.token = token,
		.task_id_prefix = prefix,
		.env = &env,
		.setup = with_setup ? task->setup : NULL,
		.run = task->run,
	};
	int ret;

	task_id_prefix(cluster->name, prefix, sizeof(prefix));
	ret = souk_id_new(token, 24, err);
	if (ret == SOUK_OK)
		ret = job_environment(task, &env, err);
	if (ret == SOUK_OK)
		ret = souk_runtime_submit(head, &job, job_out, err);
	if (ret == SOUK_OK) {
		struct souk_store_job record = {
			.cluster = cluster->name,
			.id = *job_out,
			.name = (char *)job.name,
			.status = SOUK_JOB_PENDING,
			.submitted_at = souk_clock_wall_s(),
			.exit_status = -1,
		};

		ret = souk_store_job_put(fleet->store, &record, err);
	}
	souk_pairs_fini(&env);
	return ret;
}

/* ---- Following ---- */

int fleet_take_job(struct souk_fleet *fleet, const char *cluster, const struct souk_job_row *row,
		   struct souk_launch_result *result, struct souk_error *err)
{
	struct souk_store_job record = {
		.cluster = (char *)cluster,
		.id = row->id,
		.name = (char *)row->name,
		.status = row->status,
		.submitted_at = row->submitted_at,
		.ended_at = row->ended_at,
		.exit_status = row->exit_status,
	};

	snprintf(result->cluster, sizeof(result->cluster), "%s", cluster);
	result->job = row->id;
	result->status = row->status;
	if (souk_job_status_is_final(row->status))
		result->exit_status = row->status == SOUK_JOB_SUCCEEDED ? 0 :
				      row->exit_status > 0		? row->exit_status :
									  1;
	return souk_store_job_put(fleet->store, &record, err);
}

static int reconnect(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		     struct souk_remote **remote, const struct souk_callbacks *callbacks,
		     struct souk_error *err)
{
	fleet_event(callbacks, SOUK_EVENT_NOTE, cluster->name,
		    "the connection was lost; the job goes on; connecting again");
	souk_remote_close(*remote);
	*remote = NULL;
	return fleet_connect(fleet, cluster, 0, FOLLOW_PATIENCE_MS, remote, err);
}

/* Did the call end because the connection did, and not because of what it was about? */
static int is_lost(int code)
{
	return code == SOUK_E_TRANSIENT || code == SOUK_E_TIMEOUT;
}

int fleet_follow(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		 struct souk_remote **remote, uint32_t job, const struct souk_callbacks *callbacks,
		 struct souk_launch_result *result, struct souk_error *err)
{
	struct souk_jobs *jobs;
	uint64_t offset = 0;
	unsigned tries = 0;
	int ret;

	for (;;) {
		uint64_t before = offset;

		ret = souk_runtime_log(*remote, job, 1, &offset, callbacks ? callbacks->output : NULL,
				       callbacks ? callbacks->arg : NULL, fleet->cancel, err);
		if (ret == SOUK_OK)
			ret = souk_runtime_status(*remote, job, &jobs, err);
		if (!is_lost(ret) || ++tries > FOLLOW_TRIES)
			break;
		if (offset > before)
			tries = 0;
		ret = reconnect(fleet, cluster, remote, callbacks, err);
		if (ret < 0)
			return ret;
	}
	if (ret < 0)
		return ret;
	ret = fleet_take_job(fleet, cluster->name, &jobs->items[0], result, err);
	souk_jobs_destroy(jobs);
	return ret;
}

/* ---- Running a task on a cluster that is up ---- */

static int arm_autostop(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			struct souk_remote *head, const struct souk_task *task,
			const struct souk_launch_options *options, struct souk_error *err)
{
	static const char *const wait_for[] = { "jobs_and_ssh", "jobs", "none" };
	const struct souk_autostop *autostop = &task->requests[0].autostop;
	int64_t minutes = options->idle_minutes;
	int down = options->down;
	struct souk_provider *provider;
	int ret;

	if (minutes < 0 && autostop->set && autostop->enabled) {
		minutes = autostop->idle_minutes;
		down |= autostop->down;
	}
	if (minutes < 0 && options->down)
		minutes = BACKSTOP_MINUTES;
	if (minutes < 0)
		return SOUK_OK;
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret < 0)
		return ret;
	if (!souk_provider_has(provider, SOUK_FEATURE_SELF_SHUTDOWN)) {
		fleet_event(options->callbacks, SOUK_EVENT_NOTE, cluster->name,
			    "machines of '%s' cannot switch themselves off: they run until 'souk down %s'",
			    cluster->provider, cluster->name);
		return SOUK_OK;
	}
	/* The task may have been silent when the machines were made, or may have said otherwise. */
	ret = fleet_set_on_shutdown(fleet, provider, cluster, down, err);
	if (ret == SOUK_OK)
		ret = souk_runtime_autostop(head, minutes, down, wait_for[autostop->wait_for], err);
	if (ret < 0)
		return ret;
	cluster->autostop_minutes = minutes;
	cluster->autostop_down = down;
	return souk_store_cluster_put(fleet->store, cluster, err);
}

static int run_task(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		    struct souk_remote **remotes, const struct souk_task *task, int is_exec,
		    const struct souk_launch_options *options, struct souk_launch_result *result,
		    struct souk_error *err)
{
	uint32_t job;
	int ret;

	ret = sync_files(fleet, cluster, remotes, task, !is_exec, options->callbacks, err);
	if (ret == SOUK_OK && !is_exec)
		ret = arm_autostop(fleet, cluster, remotes[0], task, options, err);
	if (ret < 0)
		return ret;
	snprintf(result->cluster, sizeof(result->cluster), "%s", cluster->name);
	if (!task->run && (is_exec || !task->setup || options->no_setup)) {
		result->status = SOUK_JOB_SUCCEEDED;
		return SOUK_OK;
	}
	ret = submit(fleet, cluster, remotes[0], task, !is_exec && !options->no_setup, &job, err);
	if (ret < 0)
		return ret;
	result->job = job;
	result->status = SOUK_JOB_PENDING;
	fleet_event(options->callbacks, SOUK_EVENT_DONE, cluster->name, "job %u submitted", job);
	return SOUK_OK;
}

/* ---- Launch ---- */

static int start_machines(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
			  const struct souk_callbacks *callbacks, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);
	struct souk_provider *provider;
	int ret;

	if (!refs)
		return souk_error_nomem(err);
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret < 0)
		return ret;
	if (cluster->status == SOUK_CLUSTER_STOPPED) {
		fleet_event(callbacks, SOUK_EVENT_PROGRESS, cluster->name, "starting");
		ret = souk_store_ask_start(fleet->store, cluster->name, err);
		if (ret == SOUK_OK)
			ret = souk_provider_start(provider, &limits, refs, (uint32_t)cluster->n_nodes, err);
		if (ret < 0)
			return ret;
		cluster->status = SOUK_CLUSTER_INIT;
	}
	ret = fleet_wait_running(fleet, provider, cluster, 0, err);
	if (ret < 0)
		return ret;
	fleet_bill(cluster, souk_clock_wall_s());
	return souk_store_cluster_put(fleet->store, cluster, err);
}

/* A cluster of that name with machines, or an empty one to provision. */
static int find_or_begin(struct souk_fleet *fleet, const char *name,
			 struct souk_store_cluster *cluster, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret, gone = 0;

	*cluster = (struct souk_store_cluster){ .autostop_minutes = -1 };
	ret = souk_store_cluster_get(fleet->store, name, cluster, &own);
	if (ret == SOUK_OK && cluster->status != SOUK_CLUSTER_UP) {
		/* A launch that died, or machines that stopped by themselves: ask first. */
		souk_store_cluster_fini(cluster);
		ret = fleet_refresh_cluster(fleet, name, &gone, err);
		if (ret < 0)
			return ret;
		ret = gone ? SOUK_E_NOT_FOUND : souk_store_cluster_get(fleet->store, name, cluster, &own);
	}
	if (ret == SOUK_E_NOT_FOUND) {
		*cluster = (struct souk_store_cluster){ .autostop_minutes = -1 };
		cluster->name = strdup(name);
		return cluster->name ? SOUK_OK : souk_error_nomem(err);
	}
	if (ret < 0 && err)
		*err = own;
	return ret;
}

/* Ports that the task wants and the machines may not have open yet. Opening again is harmless. */
static int open_ports(struct souk_fleet *fleet, const struct souk_task *task,
		      const struct souk_store_cluster *cluster, struct souk_error *err)
{
	SOUK_AUTO_FREE struct souk_instance_ref *refs = fleet_refs(cluster);
	struct souk_call_limits limits = fleet_limits(fleet);
	const struct souk_request *request = fitting_request(task, cluster);
	struct souk_provider *provider;
	int ret;

	if (!refs)
		return souk_error_nomem(err);
	if (!request || request->n_ports == 0)
		return SOUK_OK;
	ret = souk_registry_get(fleet->registry, cluster->provider, &provider, err);
	if (ret < 0)
		return ret;
	/* Where there is nothing to open, the provider has no op and ports are open. */
	if (!souk_provider_ops(provider)->open_ports)
		return SOUK_OK;
	return souk_provider_open_ports(provider, &limits, refs, (uint32_t)cluster->n_nodes,
					request->ports, (uint32_t)request->n_ports, err);
}

/* Said before a machine is rented for it. */
static int check_autostop(const struct souk_task *task, const struct souk_launch_options *options,
			  struct souk_error *err)
{
	size_t i;

	if (options->idle_minutes < 0 || options->down)
		return SOUK_OK;
	for (i = 0; i < task->n_requests; i++)
		if (task->requests[i].use_spot) {
			souk_error_set(err, SOUK_E_UNSUPPORTED, "spot machines cannot be stopped when idle");
			return souk_error_hint(err, "add '--down': they are torn down instead");
		}
	return SOUK_OK;
}

static int get_machines(struct souk_fleet *fleet, const struct souk_task *task,
			struct souk_plan_result *plan, const struct souk_launch_options *options,
			struct souk_store_cluster *cluster, struct fleet_race **race,
			struct souk_error *err)
{
	int ret;

	if (cluster->tearing_down) {
		souk_error_set(err, SOUK_E_CONFLICT, "the cluster '%s' is being torn down", cluster->name);
		return souk_error_hint(err, "'souk down %s' finishes that", cluster->name);
	}
	if (cluster->n_nodes > 0) {
		ret = check_fits(task, cluster, err);
		if (ret == SOUK_OK && cluster->status != SOUK_CLUSTER_UP)
			ret = start_machines(fleet, cluster, options->callbacks, err);
		if (ret == SOUK_OK)
			ret = open_ports(fleet, task, cluster, err);
		return ret;
	}
	if (!plan || plan->n == 0)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "the cluster '%s' has no machines any more",
				      cluster->name);
	ret = check_autostop(task, options, err);
	if (ret < 0)
		return ret;
	return fleet_provision(fleet, task, plan, options, cluster, race, err);
}

static int launch_on(struct souk_fleet *fleet, struct souk_store_cluster *cluster,
		     const struct souk_task *task, const struct souk_launch_options *options,
		     struct souk_remote ***remotes, struct souk_launch_result *result,
		     struct souk_error *err)
{
	int ret;

	fleet_event(options->callbacks, SOUK_EVENT_PROGRESS, cluster->name, "waiting for SSH");
	ret = fleet_connect_all(fleet, cluster, BOOT_PATIENCE_MS, remotes, err);
	if (ret == SOUK_OK && fleet_uses_ssh(fleet, cluster))
		ret = fleet_write_ssh_config(fleet, cluster, err);
	if (ret == SOUK_OK)
		ret = fleet_bring_up(fleet, cluster, *remotes, options->callbacks, err);
	if (ret == SOUK_OK)
		ret = run_task(fleet, cluster, *remotes, task, 0, options, result, err);
	return ret;
}

/* The cluster's lock is held until the job is submitted, not while it is followed. */
static int launch_locked(struct souk_fleet *fleet, const struct souk_task *task,
			 struct souk_plan_result *plan,
			 const struct souk_launch_options *options, struct souk_store_cluster *cluster,
			 struct fleet_race **race, struct souk_remote ***remotes,
			 struct souk_launch_result *result, struct souk_error *err)
{
	int lock, ret;

	ret = souk_store_lock(fleet->store, options->cluster, 1, fleet->cancel, &lock, err);
	if (ret < 0)
		return ret;
	ret = find_or_begin(fleet, options->cluster, cluster, err);
	if (ret == SOUK_OK)
		ret = get_machines(fleet, task, plan, options, cluster, race, err);
	if (ret == SOUK_OK)
		ret = launch_on(fleet, cluster, task, options, remotes, result, err);
	souk_store_unlock(lock);
	return ret;
}

/* To the job's end. What has lost a race is ended meanwhile, and gone when this returns. */
static int launch_and_follow(struct souk_fleet *fleet, const struct souk_task *task,
			     struct souk_plan_result *plan,
			     const struct souk_launch_options *options,
			     struct souk_launch_result *result_out, struct souk_error *err)
{
	struct souk_store_cluster cluster = { 0 };
	struct souk_launch_result result = { 0 };
	struct souk_remote **remotes = NULL;
	struct fleet_race *race = NULL;
	int ret;

	ret = launch_locked(fleet, task, plan, options, &cluster, &race, &remotes, &result, err);
	if (ret == SOUK_OK && !options->detach && result.job > 0)
		ret = fleet_follow(fleet, &cluster, &remotes[0], result.job, options->callbacks, &result,
				   err);
	fleet_disconnect_all(remotes, cluster.n_nodes);
	fleet_race_end(race, options->race_out);
	if (ret == SOUK_OK && options->down && !options->detach && options->idle_minutes < 0)
		ret = fleet_down(fleet, cluster.name, options->callbacks, err);
	souk_store_cluster_fini(&cluster);
	/* What is known of the job is worth having even if it could not be followed. */
	*result_out = result;
	return ret;
}

int fleet_launch(struct souk_fleet *fleet, const struct souk_task *task,
		 struct souk_plan_result *plan, const struct souk_launch_options *options,
		 struct souk_launch_result *result_out, struct souk_error *err)
{
	struct souk_launch_options own = *options;
	struct fleet_serial serial;
	int ret;

	if (own.race == 0)
		own.race = fleet->config->race;
	if (own.race <= 1)
		return launch_and_follow(fleet, task, plan, &own, result_out, err);
	fleet_serial_init(&serial, options->callbacks);
	own.callbacks = &serial.callbacks;
	ret = launch_and_follow(fleet, task, plan, &own, result_out, err);
	fleet_serial_fini(&serial);
	return ret;
}

/* ---- Exec ---- */

int fleet_exec(struct souk_fleet *fleet, const char *name, const struct souk_task *task,
	       const struct souk_launch_options *options, struct souk_launch_result *result_out,
	       struct souk_error *err)
{
	struct souk_store_cluster cluster = { 0 };
	struct souk_launch_result result = { 0 };
	struct souk_remote **remotes = NULL;
	struct souk_remote *head = NULL;
	int ret;

	ret = fleet_connect_head(fleet, name, &cluster, &head, err);
	if (ret < 0)
		return ret;
	ret = check_fits(task, &cluster, err);
	if (ret == SOUK_OK && has_files(task, 0) && cluster.n_nodes > 1) {
		souk_remote_close(head);
		head = NULL;
		ret = fleet_connect_all(fleet, &cluster, FOLLOW_PATIENCE_MS, &remotes, err);
	} else if (ret == SOUK_OK) {
		remotes = calloc(cluster.n_nodes + 1, sizeof(*remotes));
		if (!remotes)
			ret = souk_error_nomem(err);
		else
			remotes[0] = head;
		head = remotes ? NULL : head;
	}
	if (ret == SOUK_OK)
		ret = run_task(fleet, &cluster, remotes, task, 1, options, &result, err);
	if (ret == SOUK_OK && !options->detach && result.job > 0)
		ret = fleet_follow(fleet, &cluster, &remotes[0], result.job, options->callbacks, &result,
				   err);
	souk_remote_close(head);
	fleet_disconnect_all(remotes, cluster.n_nodes);
	souk_store_cluster_fini(&cluster);
	*result_out = result;
	return ret;
}
