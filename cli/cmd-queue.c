/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-queue.c - souk queue: the jobs of a cluster */
#include "cli.h"

#include <json-c/json.h>
#include <time.h>

static const struct cli_column columns[] = {
	{ "ID", CLI_RIGHT },	  { "NAME", CLI_LEFT },	 { "USER", CLI_LEFT },
	{ "SUBMITTED", CLI_LEFT }, { "DURATION", CLI_LEFT }, { "NODES", CLI_RIGHT },
	{ "GPUS", CLI_RIGHT },	  { "STATUS", CLI_LEFT }, { "EXIT", CLI_RIGHT },
	{ "LOG", CLI_LEFT },
};

static void add_row(struct cli_table *table, const struct souk_job_row *row)
{
	int64_t end = row->ended_at ? row->ended_at : (int64_t)time(NULL);
	char text[CLI_TEXT_SIZE];

	cli_table_printf(table, "%u", row->id);
	cli_table_add(table, row->name);
	cli_table_add(table, row->user);
	cli_table_add(table, cli_ago(row->submitted_at, text));
	cli_table_add(table, row->started_at ? cli_duration(end - row->started_at, text) : NULL);
	cli_table_printf(table, "%u", row->num_nodes);
	cli_table_add(table, row->accelerator_milli ? cli_milli(row->accelerator_milli, text) : NULL);
	cli_table_add(table, souk_job_status_name(row->status));
	if (row->exit_status >= 0)
		cli_table_printf(table, "%d", row->exit_status);
	else
		cli_table_add(table, NULL);
	cli_table_add(table, row->log_path);
}

static int print_table(const char *cluster, const struct souk_jobs *jobs)
{
	struct cli_table table;
	size_t i;
	int status;

	if (souk_jobs_count(jobs) == 0) {
		cli_say("%s: no jobs", cluster);
		return 0;
	}
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < souk_jobs_count(jobs); i++)
		add_row(&table, souk_jobs_row(jobs, i));
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

static int print_json(const char *cluster, const struct souk_jobs *jobs)
{
	struct json_object *rows;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", cluster);
	rows = cli_json_array(&json, json.root, "jobs");
	for (i = 0; i < souk_jobs_count(jobs); i++)
		cli_json_job(&json, rows, souk_jobs_row(jobs, i));
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_jobs *jobs = NULL;
	int status = cli_open(cli);

	(void)opaque;
	(void)n_args;
	if (status)
		return status;
	if (souk_queue(cli->souk, args[0], &jobs, &err) < 0)
		return cli_fail(&err);
	status = cli->common.json ? print_json(args[0], jobs) : print_table(args[0], jobs);
	souk_jobs_free(jobs);
	return status;
}

static const char *const usage[] = { "NAME [FLAG...]", NULL };

const struct souk_cmd souk_cmd_queue = {
	.name = "queue",
	.group = "Run",
	.summary = "the jobs of a cluster",
	.usage = usage,
	.description = "Lists the jobs of a cluster: those that wait, run, and have ended.",
	.examples = "souk queue dev\n"
		    "souk queue dev --json",
	.min_args = 1,
	.max_args = 1,
	.run = run,
};
