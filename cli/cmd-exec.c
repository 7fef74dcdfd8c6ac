/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-exec.c - souk exec: run a task on a cluster that is up, without setup */
#include "cli.h"

#include <string.h>

struct options {
	int detach;
	struct cli_task_options task;
};

static const struct cli_flag flags[] = {
	{ .name = "detach-run", .letter = 'd', .type = CLI_SWITCH, .value = 1,
	  .offset = offsetof(struct options, detach), .help = "do not follow the job" },
	CLI_TASK_FLAGS_COMMON(struct options),
	{ .name = NULL },
};

static int perform(struct cli *cli, const char *cluster, const struct souk_task_file *file,
		   int detach)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_launch_options wanted = { 0 };
	struct souk_launch_result result;
	struct cli_stream stream;
	struct cli_job_report report = { 0 };

	memset(&result, 0, sizeof(result));
	cli_stream_begin(&stream, cli);
	wanted.cluster = cluster;
	wanted.detach = detach;
	wanted.idle_minutes = -1;
	wanted.callbacks = &stream.callbacks;
	report.ret = souk_exec(cli->souk, cluster, file, &wanted, &result, &err);
	cli_stream_end(&stream, report.ret == SOUK_OK);
	report.cli = cli;
	report.stream = &stream;
	report.result = &result;
	report.err = &err;
	report.detached = detach;
	report.hints = detach;
	return cli_job_finish(&report);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_task_file *file = NULL;
	int status = cli_open(cli);

	if (status)
		return status;
	status = cli_task_load(cli, &options->task, n_args - 1, args + 1, &file);
	if (status)
		return status;
	if (souk_task_file_tasks(file) > 1) {
		cli_error("the file has %zu tasks; exec runs exactly one", souk_task_file_tasks(file));
		status = EX_DATAERR;
	} else {
		status = perform(cli, args[0], file, options->detach);
	}
	souk_task_file_free(file);
	return status;
}

static const char *const usage[] = { "NAME [FLAG...] TASK.yaml", "NAME [FLAG...] [--] COMMAND...",
				     NULL };

const struct souk_cmd souk_cmd_exec = {
	.name = "exec",
	.group = "Run",
	.summary = "run a task on a cluster that is up, without setup",
	.usage = usage,
	.description = "Copies the workdir to the cluster, queues the job and follows it; no setup, no file\n"
		       "mounts. The exit status is the job's own.",
	.examples = "souk exec dev train.yaml\n"
		    "souk exec dev -d --env SEED=7 train.yaml\n"
		    "souk exec dev -- python train.py --epochs 3",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 2,
	.max_args = -1,
	.run = run,
};
