/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-launch.c - souk launch: plan, ask, get a cluster, run the task there, follow it */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

struct options {
	const char *cluster;
	int detach;
	int down;
	const char *idle;
	int retry;
	int dryrun;
	int no_setup;
	int all;
	struct cli_task_options task;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "cluster", .letter = 'c', .arg = "NAME", .type = CLI_TEXT, OPTION(cluster),
	  .help = "the cluster to use or to make" },
	{ .name = "detach-run", .letter = 'd', .type = CLI_SWITCH, .value = 1, OPTION(detach),
	  .help = "do not follow the job" },
	{ .name = "down", .type = CLI_SWITCH, .value = 1, OPTION(down),
	  .help = "tear the cluster down when the job has ended" },
	{ .name = "idle-minutes-to-autostop", .letter = 'i', .arg = "MINUTES", .type = CLI_TEXT,
	  OPTION(idle), .help = "stop after so long idle; with --down: tear down" },
	{ .name = "retry-until-up", .type = CLI_SWITCH, .value = 1, OPTION(retry),
	  .help = "begin again until a machine is to be had" },
	{ .name = "dryrun", .type = CLI_SWITCH, .value = 1, OPTION(dryrun),
	  .help = "show the candidates and stop" },
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1, OPTION(all),
	  .help = "show every candidate" },
	{ .name = "no-setup", .type = CLI_SWITCH, .value = 1, OPTION(no_setup),
	  .help = "skip the task's setup" },
	CLI_TASK_FLAGS_COMMON(struct options),
	CLI_TASK_FLAG(struct options, instance_type, "instance-type", 0, CLI_TEXT, "TYPE",
		      "exactly this kind of machine"),
	{ .name = "use-spot", .type = CLI_SWITCH, .value = 1, OPTION(task.use_spot),
	  .help = "spot machines" },
	{ .name = "no-use-spot", .type = CLI_SWITCH, .value = -1, OPTION(task.use_spot),
	  .help = "no spot machines" },
	CLI_TASK_FLAG(struct options, infra, "infra", 0, CLI_TEXT, "PROVIDER[/REGION[/ZONE]]",
		      "only there; '*' stands for any"),
	CLI_TASK_FLAG(struct options, disk_size, "disk-size", 0, CLI_TEXT, "GIB", "root disk"),
	CLI_TASK_FLAG(struct options, disk_tier, "disk-tier", 0, CLI_TEXT, "TIER",
		      "low, medium, high, ultra or best"),
	CLI_TASK_FLAG(struct options, image_id, "image-id", 0, CLI_TEXT, "IMAGE",
		      "the machine's image"),
	CLI_TASK_FLAG(struct options, ports, "ports", 0, CLI_TEXT, "PORT,FIRST-LAST",
		      "ports to open to the world"),
	CLI_TASK_FLAG(struct options, max_hourly_cost, "max-hourly-cost", 0, CLI_TEXT, "DOLLARS",
		      "the most to pay for one node"),
	{ .name = NULL },
};

/* What one launch holds. */
struct launch {
	struct cli *cli;
	const struct options *options;
	struct souk_task_file *file;
	struct souk_plan *plan; /* NULL: the cluster exists */
	int64_t idle_minutes;
};

static int print_dryrun_json(const struct launch *launch)
{
	struct json_object *rows;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", launch->options->cluster);
	cli_json_bool(&json, json.root, "exists", launch->plan == NULL);
	cli_json_bool(&json, json.root, "dryrun", 1);
	rows = cli_json_array(&json, json.root, "candidates");
	for (i = 0; launch->plan && i < souk_plan_count(launch->plan); i++)
		cli_json_candidate(&json, rows, NULL, souk_plan_row(launch->plan, i));
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* The table is the result of a dry run; before a launch it is talk, for stdout is the job's. */
static int show_plan(const struct launch *launch)
{
	const struct options *options = launch->options;

	if (options->dryrun && launch->cli->common.json)
		return print_dryrun_json(launch);
	if (!launch->plan) {
		cli_say("%s: the cluster exists and is used again", options->cluster);
		return 0;
	}
	return cli_plan_print(launch->plan, options->all, options->dryrun ? stdout : stderr);
}

static int ask(const struct launch *launch)
{
	const struct souk_offer_row *row;
	char infra[160], price[CLI_TEXT_SIZE], count[32] = "";

	if (!launch->plan)
		return 0;
	row = cli_plan_chosen(launch->plan);
	if (!row)
		return 0;
	if (row->num_nodes > 1)
		snprintf(count, sizeof(count), "%u x ", row->num_nodes);
	return cli_confirm(launch->cli, "Launch on %s (%s%s%s) for %s/h?",
			   cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)),
			   count, row->instance_type, row->spot ? ", spot" : "",
			   cli_money_currency(row->total_micros_per_hour, row->currency, price));
}

static int perform(const struct launch *launch)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_launch_options wanted = { 0 };
	struct souk_launch_result result;
	struct cli_stream stream;
	struct cli_job_report report = { 0 };

	memset(&result, 0, sizeof(result));
	cli_stream_begin(&stream, launch->cli);
	wanted.cluster = launch->options->cluster;
	wanted.detach = launch->options->detach;
	wanted.down = launch->options->down;
	wanted.idle_minutes = launch->idle_minutes;
	wanted.retry_until_up = launch->options->retry;
	wanted.no_setup = launch->options->no_setup;
	wanted.callbacks = &stream.callbacks;
	report.ret = souk_launch(launch->cli->souk, launch->file, launch->plan, &wanted, &result,
				 &err);
	cli_stream_end(&stream, report.ret == SOUK_OK);
	report.cli = launch->cli;
	report.stream = &stream;
	report.result = &result;
	report.err = &err;
	report.detached = wanted.detach;
	report.torn_down = wanted.down && wanted.idle_minutes < 0 && !wanted.detach;
	report.hints = 1;
	report.candidate = launch->plan ? cli_plan_chosen(launch->plan) : NULL;
	report.placement = 1;
	return cli_job_finish(&report);
}

/*
 * 1 if the cluster exists and has machines, so that no plan is needed, 0 if not, the negated exit
 * status on failure. One that is not UP may be what a launch that died has left: the cloud is asked first.
 */
static int has_machines(struct cli *cli, const char *name, int look)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_clusters *clusters = NULL;
	const struct souk_cluster_row *row;
	int has, is_up;

	if (!name || souk_cluster_exists(cli->souk, name) != 1)
		return 0;
	if (souk_status(cli->souk, &name, 1, 0, &clusters, &err) < 0)
		return -cli_fail(&err);
	row = souk_clusters_row(clusters, 0);
	is_up = row && row->status == SOUK_CLUSTER_UP;
	has = row && row->n_nodes > 0;
	souk_clusters_free(clusters);
	if (is_up || !look)
		return has;
	if (souk_status(cli->souk, &name, 1, 1, &clusters, &err) < 0)
		return -cli_fail(&err);
	row = souk_clusters_row(clusters, 0);
	has = row && row->n_nodes > 0;
	souk_clusters_free(clusters);
	return has;
}

/* Everything behind the loaded file. */
static int launch_file(struct launch *launch)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const struct options *options = launch->options;
	struct cli *cli = launch->cli;
	int status;

	if (souk_task_file_tasks(launch->file) > 1) {
		cli_error("the file has %zu tasks; launch runs exactly one",
			  souk_task_file_tasks(launch->file));
		return EX_DATAERR;
	}
	status = has_machines(cli, options->cluster, !options->dryrun);
	if (status < 0)
		return -status;
	if (status == 0 && souk_plan_make(cli->souk, launch->file, &launch->plan, &err) < 0)
		return cli_fail(&err);
	status = show_plan(launch);
	if (status || options->dryrun)
		return status;
	status = ask(launch);
	return status ? status : perform(launch);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct launch launch = { .cli = cli, .options = options, .idle_minutes = -1 };
	int status;

	if (options->idle && cli_parse_minutes(cli->cmd, "idle-minutes-to-autostop", options->idle,
					       &launch.idle_minutes) < 0)
		return EX_USAGE;
	status = cli_open(cli);
	if (status)
		return status;
	status = cli_task_load(cli, &options->task, n_args, args, &launch.file);
	if (status)
		return status;
	status = launch_file(&launch);
	souk_plan_free(launch.plan);
	souk_task_file_free(launch.file);
	return status;
}

static const char *const usage[] = { "[-c NAME] [FLAG...] TASK.yaml",
				     "[-c NAME] [FLAG...] [--] COMMAND...", NULL };

const struct souk_cmd souk_cmd_launch = {
	.name = "launch",
	.group = "Run",
	.summary = "run a task file or a command on a cluster, new or not",
	.usage = usage,
	.description =
		"Finds every machine on sale that fits the task, shows the candidates, asks, and goes\n"
		"down the list until one is really to be had. Then copies the workdir, runs setup and\n"
		"run there and follows the job; the exit status is the job's own. A cluster that exists\n"
		"under the name is used again if the task fits it. Flags stand over the task file;\n"
		"'none' clears a field. The job's log goes to standard output, everything else to\n"
		"standard error.",
	.examples = "souk launch -c dev train.yaml\n"
		    "souk launch -c dev --gpus H100:8 --infra aws --use-spot train.yaml\n"
		    "souk launch -y --down --env EPOCHS=3 train.yaml\n"
		    "souk launch --dryrun --gpus A100 train.yaml\n"
		    "souk launch -c t -- nvidia-smi -L",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
