/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-logs.c - souk logs: the log of a job, or how it ended */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

struct options {
	int follow; /* -1: no */
	int status;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "follow", .letter = 'f', .type = CLI_SWITCH, .value = 1, OPTION(follow),
	  .help = "until the job has ended (the default)" },
	{ .name = "no-follow", .type = CLI_SWITCH, .value = -1, OPTION(follow),
	  .help = "what there is, and stop" },
	{ .name = "status", .type = CLI_SWITCH, .value = 1, OPTION(status),
	  .help = "no log: print the job's status" },
	{ .name = NULL },
};

static const struct souk_job_row *find_job(const struct souk_jobs *jobs, uint32_t id)
{
	const struct souk_job_row *found = NULL;
	size_t i;

	for (i = 0; i < souk_jobs_count(jobs); i++) {
		const struct souk_job_row *row = souk_jobs_row(jobs, i);

		if (id ? row->id == id : !found || row->id > found->id)
			found = row;
	}
	return found;
}

static int print_status_json(const char *cluster, const struct souk_job_row *row)
{
	struct cli_json json;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", cluster);
	cli_json_int(&json, json.root, "job", row->id);
	cli_json_text(&json, json.root, "status", souk_job_status_name(row->status));
	if (row->exit_status < 0)
		cli_json_null(&json, json.root, "exit_status");
	else
		cli_json_int(&json, json.root, "exit_status", row->exit_status);
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int show_status(struct cli *cli, const char *cluster, uint32_t id)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_jobs *jobs = NULL;
	const struct souk_job_row *row;
	struct souk_launch_result result = { 0 };
	int status = 0;

	if (souk_queue(cli->souk, cluster, &jobs, &err) < 0)
		return cli_fail(&err);
	row = find_job(jobs, id);
	if (!row) {
		if (id)
			cli_error("no job %u on cluster '%s'", id, cluster);
		else
			cli_error("no job on cluster '%s'", cluster);
		cli_hint("'souk queue %s' lists its jobs", cluster);
		souk_jobs_free(jobs);
		return EX_UNAVAILABLE;
	}
	result.job = row->id;
	result.status = row->status;
	result.exit_status = row->exit_status;
	if (cli->common.json)
		status = print_status_json(cluster, row);
	else
		printf("%s\n", souk_job_status_name(row->status));
	souk_jobs_free(jobs);
	return status ? status : cli_job_exit_status(&result);
}

static int show_log(struct cli *cli, const char *cluster, uint32_t job, int follow)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_launch_result result;
	struct cli_stream stream;
	struct cli_job_report report = { 0 };

	memset(&result, 0, sizeof(result));
	cli_stream_begin(&stream, cli);
	report.ret = souk_logs(cli->souk, cluster, job, follow, &stream.callbacks, &result, &err);
	cli_stream_end(&stream, report.ret == SOUK_OK);
	if (!result.cluster[0])
		snprintf(result.cluster, sizeof(result.cluster), "%s", cluster);
	report.cli = cli;
	report.stream = &stream;
	report.result = &result;
	report.err = &err;
	return cli_job_finish(&report);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const struct options *options = opaque;
	uint32_t job = 0;
	int status;

	if (n_args > 1 && souk_parse_u32("job", args[1], &job, &err) < 0)
		return cli_usage(cli->cmd, "souk logs: %s", err.message);
	status = cli_open(cli);
	if (status)
		return status;
	if (options->status)
		return show_status(cli, args[0], job);
	return show_log(cli, args[0], job, options->follow >= 0);
}

static const char *const usage[] = { "NAME [JOB] [FLAG...]", NULL };

const struct souk_cmd souk_cmd_logs = {
	.name = "logs",
	.group = "Run",
	.summary = "the log of a job, followed to its end",
	.usage = usage,
	.description = "Shows the log of a job, by default the last one of the cluster, from its beginning.\n"
		       "The exit status is that of the job once it has ended.",
	.examples = "souk logs dev\n"
		    "souk logs dev 3 --no-follow\n"
		    "souk logs dev 3 --status",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = 2,
	.run = run,
};
