/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-cancel.c - souk cancel: end jobs of a cluster */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>

struct options {
	int all;
};

static const struct cli_flag flags[] = {
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1,
	  .offset = offsetof(struct options, all), .help = "every job that has not ended" },
	{ .name = NULL },
};

static int print_result(const struct cli *cli, const char *cluster, uint32_t cancelled)
{
	struct cli_json json;
	int status;

	if (cancelled == 0)
		cli_say("%s: nothing to cancel", cluster);
	else
		cli_say("%s: cancelled %u job%s", cluster, cancelled, cancelled == 1 ? "" : "s");
	if (!cli->common.json)
		return 0;
	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", cluster);
	cli_json_int(&json, json.root, "cancelled", cancelled);
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int cancel(struct cli *cli, const char *cluster, const uint32_t *jobs, size_t n)
{
	struct souk_error err = SOUK_ERROR_INIT;
	uint32_t cancelled = 0;
	int status = cli_open(cli);

	if (status)
		return status;
	if (souk_cancel(cli->souk, cluster, jobs, n, &cancelled, &err) < 0)
		return cli_fail(&err);
	return print_result(cli, cluster, cancelled);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const struct options *options = opaque;
	size_t n = (size_t)n_args - 1, i;
	uint32_t *jobs;
	int status;

	if (options->all && n > 0)
		return cli_usage(cli->cmd, "souk cancel: either jobs or --all, not both");
	if (!options->all && n == 0)
		return cli_usage(cli->cmd, "souk cancel: which job? give their numbers, or --all");
	jobs = calloc(n + 1, sizeof(*jobs));
	if (!jobs)
		return cli_nomem();
	for (i = 0; i < n; i++) {
		if (souk_parse_u32("job", args[i + 1], &jobs[i], &err) < 0 || jobs[i] == 0) {
			free(jobs);
			return cli_usage(cli->cmd, "souk cancel: not the number of a job: '%.40s'",
					 args[i + 1]);
		}
	}
	status = cancel(cli, args[0], n ? jobs : NULL, n);
	free(jobs);
	return status;
}

static const char *const usage[] = { "NAME JOB...", "NAME --all", NULL };

const struct souk_cmd souk_cmd_cancel = {
	.name = "cancel",
	.group = "Run",
	.summary = "end jobs of a cluster",
	.usage = usage,
	.description = "Ends jobs with all their processes on all nodes. A job that has ended already is\n"
		       "left alone.",
	.examples = "souk cancel dev 3\n"
		    "souk cancel dev -a",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
