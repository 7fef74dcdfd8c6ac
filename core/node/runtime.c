/* SPDX-License-Identifier: Apache-2.0 */
/* node/runtime.c - the node runtime seen from here; runtime.sh has the interface at its head */
#include "node/runtime.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "node/runtime-internal.h"
#include "node/runtime-text.h"

#define INPUT_MAX ((size_t)32 << 20)
#define REPLY_MAX ((size_t)4 << 20)
#define TIME_MAX UINT64_C(253402300799) /* the last second of the year 9999 */
/* What runtime.sh exits with. */
#define EXIT_NO_JOB 66
#define EXIT_TOOL 69
#define EXIT_GOING 75
#define EXIT_NOT_INSTALLED 127

/* ---- Calling it ---- */

/* The version of the runtime in its path: another souk may use the same machine. */
static const char *runtime_id(char id[17])
{
	uint64_t hash = 14695981039346656037u; /* FNV-1a, 64 bits */
	size_t i;

	for (i = 0; i < souk_node_runtime_size; i++)
		hash = (hash ^ (unsigned char)souk_node_runtime[i]) * 1099511628211u;
	snprintf(id, 17, "%016" PRIx64, hash);
	return id;
}

/* 'if' and not 'test && exec': a missing file must be told from a verb that fails. */
static int make_command(struct souk_buf *command, const char *verb)
{
	char id[17];

	return souk_buf_printf(command,
			       "R=$HOME/.souk/runtime/%s/souk-node; if [ -f \"$R\" ]; then exec sh \"$R\" "
			       "%s; else exit %d; fi",
			       runtime_id(id), verb, EXIT_NOT_INSTALLED);
}

static int explain(struct souk_remote *remote, int status, const char *verb, struct souk_error *err)
{
	char message[SOUK_ERROR_MESSAGE_SIZE] = "";

	/* souk_remote_capture() has put the runtime's own words there. */
	if (err)
		snprintf(message, sizeof(message), "%s", err->message);
	switch (status) {
	case EXIT_NO_JOB:
		return souk_error_set(err, SOUK_E_NOT_FOUND, "%s", message);
	case EXIT_TOOL:
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "%s", message);
	case EXIT_GOING:
		return souk_error_set(err, SOUK_E_CONFLICT, "%s", message);
	case EXIT_NOT_INSTALLED:
		return souk_error_set(err, SOUK_E_CONFLICT, "%s: the node runtime is not installed",
				      souk_remote_name(remote));
	default:
		if (message[0])
			return souk_error_set(err, SOUK_E_INTERNAL, "%s", message);
		return souk_error_set(err, SOUK_E_INTERNAL, "%s: '%s' failed with status %d",
				      souk_remote_name(remote), verb, status);
	}
}

/* Run a verb; its stdout goes to 'out'. Returns OK with the exit status, whatever it is. */
static int call_verb(struct souk_remote *remote, const char *verb, const struct souk_buf *input,
		     struct souk_buf *out, int *status_out, struct souk_error *err)
{
	struct souk_buf command;
	int ret;

	souk_buf_init(&command, 4096);
	make_command(&command, verb);
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_capture(remote, command.data, input ? input->data : NULL,
					  input ? input->len : 0, out, status_out, err);
	souk_buf_fini(&command);
	return ret;
}

/* The same, where only status 0 will do. */
static int demand_verb(struct souk_remote *remote, const char *verb, const struct souk_buf *input,
		       struct souk_buf *out, struct souk_error *err)
{
	int status, ret;

	ret = call_verb(remote, verb, input, out, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = explain(remote, status, verb, err);
	return ret;
}

static int install(struct souk_remote *remote, struct souk_error *err)
{
	struct souk_buf command, out;
	char id[17];
	int status, ret;

	souk_buf_init(&command, 4096);
	souk_buf_init(&out, REPLY_MAX);
	runtime_id(id);
	/* Written beside and moved: another souk may be reading it. */
	souk_buf_printf(&command,
			"umask 077 && D=$HOME/.souk/runtime/%s && mkdir -p \"$D\" && "
			"cat >\"$D/.new.$$\" && mv -f \"$D/.new.$$\" \"$D/souk-node\"",
			id);
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_capture(remote, command.data, souk_node_runtime, souk_node_runtime_size,
					  &out, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = explain(remote, status, "install", err);
	souk_buf_fini(&command);
	souk_buf_fini(&out);
	return ret;
}

/* ---- init ---- */

static void write_milli(struct souk_buf *buf, const char *key, uint32_t milli)
{
	souk_buf_printf(buf, "%s=%u.%03u\n", key, milli / 1000, milli % 1000);
}

static void write_known_hosts(struct souk_buf *buf, const struct souk_runtime_cluster *cluster)
{
	uint32_t i;

	souk_buf_str(buf, "begin known-hosts\n");
	for (i = 0; i < cluster->n_nodes; i++)
		if (cluster->nodes[i].host_key)
			souk_buf_printf(buf, "[%s]:%u %s\n", cluster->nodes[i].host,
					cluster->nodes[i].port, cluster->nodes[i].host_key);
	for (i = 0; i < cluster->n_nodes; i++)
		if (cluster->nodes[i].host_key && cluster->nodes[i].port == 22)
			souk_buf_printf(buf, "%s %s\n", cluster->nodes[i].host,
					cluster->nodes[i].host_key);
	souk_buf_str(buf, "end known-hosts\n");
}

static int write_cluster(struct souk_buf *buf, const struct souk_runtime_cluster *cluster,
			 uint32_t rank, struct souk_error *err)
{
	const char *shutdown = cluster->nodes[rank].shutdown_command;
	uint32_t i;

	souk_buf_printf(buf, "cluster=%s\ncloud=%s\nregion=%s\nzone=%s\nnodes=%u\nrank=%u\ngpus=%u\n",
			cluster->name, cluster->provider, cluster->region,
			cluster->zone ? cluster->zone : "", cluster->n_nodes, rank, cluster->gpus);
	write_milli(buf, "cpus", cluster->cpus_milli ? cluster->cpus_milli : 1000);
	souk_buf_printf(buf, "shutdown=%s\n", shutdown ? shutdown : "sudo shutdown -h now");
	for (i = 0; i < cluster->n_nodes; i++)
		souk_buf_printf(buf, "node=%u %s %s %u %s\n", i, cluster->nodes[i].ip,
				cluster->nodes[i].host, cluster->nodes[i].port, cluster->nodes[i].user);
	if (rank == 0 && cluster->n_nodes > 1 && cluster->node_key) {
		size_t len = strlen(cluster->node_key);

		souk_buf_printf(buf, "begin private-key\n%s%send private-key\n", cluster->node_key,
				len > 0 && cluster->node_key[len - 1] == '\n' ? "" : "\n");
		write_known_hosts(buf, cluster);
	}
	souk_buf_str(buf, "end\n");
	return souk_buf_failed(buf, err);
}

int souk_runtime_init(struct souk_remote *remote, const struct souk_runtime_cluster *cluster,
		      uint32_t rank, struct souk_error *err)
{
	struct souk_buf input, out;
	int status = 0, ret;

	souk_buf_init(&input, INPUT_MAX);
	souk_buf_init(&out, REPLY_MAX);
	ret = write_cluster(&input, cluster, rank, err);
	if (ret == SOUK_OK)
		ret = call_verb(remote, "init", &input, &out, &status, err);
	if (ret == SOUK_OK && status == EXIT_NOT_INSTALLED) {
		ret = install(remote, err);
		if (ret == SOUK_OK)
			ret = call_verb(remote, "init", &input, &out, &status, err);
	}
	if (ret == SOUK_OK && status != 0)
		ret = explain(remote, status, "init", err);
	if (input.data)
		souk_wipe(input.data, input.len);
	souk_buf_fini(&input);
	souk_buf_fini(&out);
	return ret;
}

/* ---- submit ---- */

static void write_quoted(struct souk_buf *buf, const char *text)
{
	souk_buf_str(buf, "'");
	for (; *text; text++) {
		if (*text == '\'')
			souk_buf_str(buf, "'\\''");
		else
			souk_buf_add(buf, text, 1);
	}
	souk_buf_str(buf, "'");
}

static void write_env(struct souk_buf *buf, const struct souk_pairs *env)
{
	size_t i;

	for (i = 0; env && i < env->n; i++) {
		souk_buf_printf(buf, "export %s=", env->items[i].key);
		write_quoted(buf, env->items[i].value ? env->items[i].value : "");
		souk_buf_str(buf, "\n");
	}
}

/* The runtime takes A-Za-z0-9._@:/+,~- in names; a task's name can have no other. */
static void write_safe(struct souk_buf *buf, const char *key, const char *text)
{
	souk_buf_printf(buf, "%s=", key);
	for (; *text; text++) {
		int safe = isalnum((unsigned char)*text) || strchr("._@:/+,~-", *text);

		souk_buf_add(buf, safe ? text : "_", 1);
	}
	souk_buf_str(buf, "\n");
}

static int write_job(struct souk_buf *buf, const struct souk_runtime_job *job, struct souk_error *err)
{
	const char *setup = job->setup ? job->setup : "";
	const char *run = job->run ? job->run : "";
	struct souk_buf env;
	int ret;

	souk_buf_init(&env, INPUT_MAX);
	write_env(&env, job->env);
	write_safe(buf, "name", job->name);
	souk_buf_printf(buf, "num_nodes=%u\n", job->num_nodes);
	write_milli(buf, "gpus", job->gpus_milli);
	write_safe(buf, "user", job->user);
	write_safe(buf, "token", job->token);
	write_safe(buf, "task_id_prefix", job->task_id_prefix);
	souk_buf_printf(buf, "env=%zu\nsetup=%zu\nrun=%zu\n\n", env.len, strlen(setup), strlen(run));
	souk_buf_add(buf, env.data, env.len);
	souk_buf_str(buf, setup);
	souk_buf_str(buf, run);
	souk_buf_str(buf, "end\n");
	ret = souk_buf_failed(&env, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(buf, err);
	souk_wipe(env.data, env.len);
	souk_buf_fini(&env);
	return ret;
}

int souk_runtime_submit(struct souk_remote *head, const struct souk_runtime_job *job,
			uint32_t *id_out, struct souk_error *err)
{
	struct souk_buf input, out;
	char *line;
	int ret;

	souk_buf_init(&input, INPUT_MAX);
	souk_buf_init(&out, REPLY_MAX);
	ret = write_job(&input, job, err);
	if (ret == SOUK_OK)
		ret = demand_verb(head, "submit", &input, &out, err);
	if (ret == SOUK_OK) {
		out.data[strcspn(out.data, "\r\n")] = '\0';
		line = strncmp(out.data, "job=", 4) == 0 ? out.data + 4 : out.data;
		ret = souk_parse_u32("job", line, id_out, err);
	}
	souk_wipe(input.data, input.len);
	souk_buf_fini(&input);
	souk_buf_fini(&out);
	return ret;
}

/* ---- logs ---- */

struct follower {
	uint64_t *offset;
	int (*output)(const char *data, size_t size, void *arg);
	void *arg;
	struct souk_buf errs;
};

static int follower_output(int fd, const char *data, size_t size, void *arg)
{
	struct follower *follower = arg;

	if (fd != 1) {
		souk_buf_add(&follower->errs, data, size);
		return SOUK_OK;
	}
	*follower->offset += size;
	return follower->output ? follower->output(data, size, follower->arg) : SOUK_OK;
}

/* A log as far as it goes is a file; a job that waits has none yet. */
static int make_tail(struct souk_remote *head, uint32_t id, uint64_t offset,
		     struct souk_buf *command, struct souk_error *err)
{
	struct souk_jobs *jobs;
	int ret;

	ret = souk_runtime_status(head, id, &jobs, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(command, "tail -c +%" PRIu64 " ", offset + 1);
	write_quoted(command, jobs->items[0].log_path ? jobs->items[0].log_path : "");
	souk_buf_str(command, "/run.log 2>/dev/null || :");
	souk_jobs_destroy(jobs);
	return SOUK_OK;
}

int souk_runtime_log(struct souk_remote *head, uint32_t id, int follow, uint64_t *offset,
		     int (*output)(const char *data, size_t size, void *arg), void *arg,
		     struct souk_cancel *cancel, struct souk_error *err)
{
	struct follower follower = { .offset = offset, .output = output, .arg = arg };
	struct souk_ssh_command run = { .on_output = follower_output, .arg = &follower, .cancel = cancel };
	struct souk_buf command;
	char verb[64];
	int status = 0, ret;

	snprintf(verb, sizeof(verb), "follow %u %" PRIu64, id, *offset);
	souk_buf_init(&command, 8192);
	souk_buf_init(&follower.errs, 4096);
	ret = follow ? make_command(&command, verb) : make_tail(head, id, *offset, &command, err);
	run.command = command.data;
	if (ret == SOUK_OK)
		ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_run(head, &run, &status, err);
	if (ret == SOUK_OK && status != 0) {
		follower.errs.data[strcspn(follower.errs.data, "\r\n")] = '\0';
		souk_error_set(err, SOUK_E_INTERNAL, "%s: %s", souk_remote_name(head), follower.errs.data);
		ret = explain(head, status, verb, err);
	}
	souk_buf_fini(&command);
	souk_buf_fini(&follower.errs);
	return ret;
}

/* ---- queue, status, cancel ---- */

void souk_jobs_destroy(struct souk_jobs *jobs)
{
	size_t i;

	if (!jobs)
		return;
	for (i = 0; i < jobs->n; i++) {
		free((char *)jobs->items[i].name);
		free((char *)jobs->items[i].user);
		free((char *)jobs->items[i].log_path);
	}
	free(jobs->items);
	free(jobs);
}

static int parse_status(const char *text, enum souk_job_status *status_out, struct souk_error *err)
{
	int status;

	for (status = SOUK_JOB_INIT; status <= SOUK_JOB_CANCELLED; status++)
		if (strcmp(souk_job_status_name((enum souk_job_status)status), text) == 0) {
			*status_out = (enum souk_job_status)status;
			return SOUK_OK;
		}
	return souk_error_set(err, SOUK_E_INVALID, "not the status of a job: '%s'", text);
}

/* '-' is 0: not yet. */
static int parse_when(const char *what, const char *text, int64_t *when_out, struct souk_error *err)
{
	uint64_t value = 0;
	int ret = strcmp(text, "-") == 0 ? SOUK_OK : souk_parse_u64(what, text, &value, err);

	if (ret == SOUK_OK && value > TIME_MAX)
		ret = souk_error_set(err, SOUK_E_INVALID, "%s: not a time: '%s'", what, text);
	if (ret == SOUK_OK)
		*when_out = (int64_t)value;
	return ret;
}

/* '-' is -1: not ended. */
static int parse_code(const char *text, int *code_out, struct souk_error *err)
{
	uint32_t value;
	int ret;

	if (strcmp(text, "-") == 0)
		return SOUK_OK;
	ret = souk_parse_u32("code", text, &value, err);
	if (ret == SOUK_OK && value > 255)
		ret = souk_error_set(err, SOUK_E_INVALID, "not an exit status: '%s'", text);
	if (ret == SOUK_OK)
		*code_out = (int)value;
	return ret;
}

static int take_field(struct souk_job_row *row, const char *key, const char *value,
		      struct souk_error *err)
{
	if (strcmp(key, "job") == 0)
		return souk_parse_u32("job", value, &row->id, err);
	if (strcmp(key, "nodes") == 0)
		return souk_parse_u32("nodes", value, &row->num_nodes, err);
	if (strcmp(key, "gpus") == 0)
		return souk_parse_milli("gpus", value, &row->accelerator_milli, err);
	if (strcmp(key, "status") == 0)
		return parse_status(value, &row->status, err);
	if (strcmp(key, "submitted") == 0)
		return parse_when(key, value, &row->submitted_at, err);
	if (strcmp(key, "started") == 0)
		return parse_when(key, value, &row->started_at, err);
	if (strcmp(key, "ended") == 0)
		return parse_when(key, value, &row->ended_at, err);
	if (strcmp(key, "code") == 0)
		return parse_code(value, &row->exit_status, err);
	if ((strcmp(key, "name") == 0 && souk_strset((char **)&row->name, value) < 0) ||
	    (strcmp(key, "user") == 0 && souk_strset((char **)&row->user, value) < 0) ||
	    (strcmp(key, "log") == 0 && souk_strset((char **)&row->log_path, value) < 0))
		return souk_error_nomem(err);
	return SOUK_OK;
}

/* "key=value key=value ... log=PATH": the last value reaches to the end of the line. */
static int parse_job(char *line, struct souk_job_row *row, struct souk_error *err)
{
	char *at = line, *value, *end;
	int ret = SOUK_OK;

	row->exit_status = -1;
	while (*at && ret == SOUK_OK) {
		value = strchr(at, '=');
		if (!value)
			return souk_error_set(err, SOUK_E_INVALID, "KEY=VALUE is missing at '%s'", at);
		*value++ = '\0';
		end = strcmp(at, "log") == 0 ? value + strlen(value) : strchrnul(value, ' ');
		if (*end)
			*end++ = '\0';
		ret = take_field(row, at, value, err);
		at = end;
	}
	if (ret == SOUK_OK && (row->id == 0 || !row->name || !row->user || !row->log_path))
		ret = souk_error_set(err, SOUK_E_INVALID, "job, name, user or log is missing");
	return ret;
}

int souk_jobs_parse(char *text, struct souk_jobs **jobs_out, struct souk_error *err)
{
	struct souk_jobs *jobs = calloc(1, sizeof(*jobs));
	struct souk_error why = SOUK_ERROR_INIT;
	char *end;
	int ret = jobs ? SOUK_OK : souk_error_nomem(err);

	for (; ret == SOUK_OK && *text; text = end) {
		void *items;

		end = strchrnul(text, '\n');
		if (*end)
			*end++ = '\0';
		if (!*text)
			continue;
		items = souk_array_grow(jobs->items, jobs->n, sizeof(*jobs->items));
		if (!items) {
			ret = souk_error_nomem(err);
			break;
		}
		jobs->items = items;
		jobs->items[jobs->n] = (struct souk_job_row){ 0 };
		ret = parse_job(text, &jobs->items[jobs->n++], &why);
		if (ret < 0)
			ret = souk_error_set(err, ret == SOUK_E_NOMEM ? ret : SOUK_E_INTERNAL,
					     "line %zu of the runtime's list of jobs: %s", jobs->n,
					     why.message);
	}
	if (ret < 0)
		souk_jobs_destroy(jobs);
	else
		*jobs_out = jobs;
	return ret;
}

static int call_for_jobs(struct souk_remote *head, const char *verb, struct souk_jobs **jobs_out,
			 struct souk_error *err)
{
	struct souk_buf out;
	int ret;

	souk_buf_init(&out, REPLY_MAX);
	ret = demand_verb(head, verb, NULL, &out, err);
	if (ret == SOUK_OK)
		ret = souk_jobs_parse(out.data, jobs_out, err);
	souk_buf_fini(&out);
	return ret;
}

int souk_runtime_queue(struct souk_remote *head, struct souk_jobs **jobs_out, struct souk_error *err)
{
	return call_for_jobs(head, "queue", jobs_out, err);
}

/* Leave only the last job of a list. */
static void keep_last(struct souk_jobs *jobs)
{
	struct souk_job_row last = jobs->items[jobs->n - 1];
	size_t i;

	for (i = 0; i + 1 < jobs->n; i++) {
		free((char *)jobs->items[i].name);
		free((char *)jobs->items[i].user);
		free((char *)jobs->items[i].log_path);
	}
	jobs->items[0] = last;
	jobs->n = 1;
}

int souk_runtime_status(struct souk_remote *head, uint32_t id, struct souk_jobs **jobs_out,
			struct souk_error *err)
{
	struct souk_jobs *jobs;
	char verb[64];
	int ret;

	if (id > 0)
		snprintf(verb, sizeof(verb), "status %u", id);
	ret = call_for_jobs(head, id > 0 ? verb : "queue", &jobs, err);
	if (ret < 0)
		return ret;
	if (jobs->n == 0) {
		souk_jobs_destroy(jobs);
		return souk_error_set(err, SOUK_E_NOT_FOUND, "%s: there is no job", souk_remote_name(head));
	}
	keep_last(jobs);
	*jobs_out = jobs;
	return SOUK_OK;
}

int souk_runtime_cancel(struct souk_remote *head, uint32_t id, uint32_t *n_out,
			struct souk_error *err)
{
	struct souk_jobs *jobs;
	char verb[64];
	size_t i;
	int ret;

	if (id > 0)
		snprintf(verb, sizeof(verb), "cancel %u", id);
	ret = call_for_jobs(head, id > 0 ? verb : "cancel all", &jobs, err);
	if (ret < 0)
		return ret;
	*n_out = 0;
	for (i = 0; i < jobs->n; i++)
		*n_out += jobs->items[i].status == SOUK_JOB_CANCELLED;
	souk_jobs_destroy(jobs);
	return SOUK_OK;
}

int souk_runtime_autostop(struct souk_remote *head, int64_t minutes, int down,
			  const char *wait_for, struct souk_error *err)
{
	struct souk_buf out;
	char verb[128];
	int ret;

	if (minutes < 0)
		snprintf(verb, sizeof(verb), "autostop off");
	else
		snprintf(verb, sizeof(verb), "autostop %" PRId64 " %s %s", minutes, down ? "down" : "stop",
			 wait_for);
	souk_buf_init(&out, REPLY_MAX);
	ret = demand_verb(head, verb, NULL, &out, err);
	souk_buf_fini(&out);
	return ret;
}
