/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-launch.c - souk launch: plan, ask, get a cluster, run the task there, follow it */
#include "cli.h"

#include <string.h>

struct options {
	const char *cluster;
	int detach;
	int down;
	const char *idle;
	int retry;
	uint32_t race;
	int dryrun;
	int plan;
	int no_setup;
	int all;
	int explain;
	uint32_t limit;
	const char *optimize;
	const char *hours;
	const char *quote;
	struct cli_task_options task;
};

/* Candidates whose requests --plan shows. */
enum { REQUESTS_SHOWN = 3 };

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
	{ .name = "race", .arg = "N", .type = CLI_NUMBER, OPTION(race),
	  .help = "try N places at once, keep the first that answers" },
	{ .name = "dryrun", .type = CLI_SWITCH, .value = 1, OPTION(dryrun),
	  .help = "show the candidates and stop" },
	{ .name = "plan", .type = CLI_SWITCH, .value = 1, OPTION(plan),
	  .help = "show every request that may be sent, and the policy it takes; send none" },
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1, OPTION(all),
	  .help = "show every candidate" },
	{ .name = "limit", .arg = "N", .type = CLI_NUMBER, OPTION(limit),
	  .help = "show the first N candidates" },
	{ .name = "explain", .type = CLI_SWITCH, .value = 1, OPTION(explain),
	  .help = "say why the others are not the first" },
	{ .name = "optimize", .arg = "cost|time", .type = CLI_TEXT, OPTION(optimize),
	  .help = "what comes first: the cheapest run or the shortest" },
	{ .name = "hours", .arg = "HOURS", .type = CLI_TEXT, OPTION(hours),
	  .help = "how long the task will run, for the cost (1)" },
	{ .name = "quote", .arg = "ID", .type = CLI_TEXT, OPTION(quote),
	  .help = "launch what this quote says and nothing else" },
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
	uint32_t hours_milli;
	int64_t idle_minutes;
};

/* How many candidates to show; 0: the best of each provider. */
static size_t limit_of(const struct launch *launch)
{
	if (launch->options->limit > 0)
		return launch->options->limit;
	return launch->options->all && launch->plan ? souk_plan_count(launch->plan) : 0;
}

/* The table is the result of a dry run; before a launch it is talk, for stdout is the job's. */
static int show_plan(const struct launch *launch)
{
	const struct options *options = launch->options;
	FILE *file = options->dryrun ? stdout : stderr;
	int status;

	if (options->dryrun && launch->cli->common.json)
		return cli_plan_print_json(options->cluster, launch->plan, limit_of(launch),
					   options->explain);
	if (!launch->plan) {
		cli_say("%s: the cluster exists and is used again", options->cluster);
		return 0;
	}
	status = cli_plan_print(launch->plan, limit_of(launch), file);
	if (status == 0 && options->explain)
		cli_plan_print_reasons(launch->plan, file);
	return status;
}

static int ask(const struct launch *launch)
{
	const struct souk_offer_row *row;
	char infra[160], price[CLI_TEXT_SIZE], count[32] = "", race[64] = "";

	if (!launch->plan)
		return 0;
	row = cli_plan_chosen(launch->plan);
	if (!row)
		return 0;
	if (row->num_nodes > 1)
		snprintf(count, sizeof(count), "%u x ", row->num_nodes);
	if (launch->options->race > 1)
		snprintf(race, sizeof(race), ", or in up to %u more places until one is first",
			 launch->options->race - 1);
	return cli_confirm(launch->cli, "Launch on %s (%s%s%s) for %s/h%s?",
			   cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)),
			   count, row->instance_type, row->spot ? ", spot" : "",
			   cli_money_currency(row->total_micros_per_hour, row->currency, price), race);
}

static int perform(const struct launch *launch)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_launch_options wanted = { 0 };
	struct souk_launch_summary *summary = NULL;
	struct souk_race *race = NULL;
	struct souk_launch_result result;
	struct cli_stream stream;
	struct cli_job_report report = { 0 };
	int status;

	memset(&result, 0, sizeof(result));
	cli_stream_begin(&stream, launch->cli);
	wanted.cluster = launch->options->cluster;
	wanted.detach = launch->options->detach;
	wanted.down = launch->options->down;
	wanted.idle_minutes = launch->idle_minutes;
	wanted.retry_until_up = launch->options->retry;
	wanted.no_setup = launch->options->no_setup;
	wanted.callbacks = &stream.callbacks;
	wanted.summary_out = &summary;
	wanted.race = launch->options->race;
	wanted.race_out = &race;
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
	report.summary = summary;
	report.race = race;
	status = cli_job_finish(&report);
	souk_launch_summary_free(summary);
	souk_race_free(race);
	return status;
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

/* A dry run of several tasks: they run as managed jobs, but their places can be shown. */
static int show_pipeline(const struct launch *launch)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quote_options wanted = { 0 };
	struct souk_quote *quote = NULL;
	int status = 0;

	wanted.optimize = launch->options->optimize;
	wanted.hours_milli = launch->hours_milli;
	if (souk_quote_make(launch->cli->souk, launch->file, &wanted, &quote, &err) < 0)
		return cli_fail(&err);
	if (launch->cli->common.json)
		fputs(souk_quote_json(quote), stdout);
	else
		status = cli_quote_print(quote, 0, stdout);
	souk_quote_free(quote);
	return status;
}

/* Several tasks can be looked at, and are launched by nobody yet. */
static int refuse_tasks(const struct launch *launch)
{
	if (launch->options->dryrun && !launch->options->quote)
		return show_pipeline(launch);
	cli_error("the file has %zu tasks; launch runs exactly one", souk_task_file_tasks(launch->file));
	cli_hint("pipelines and job groups are for managed jobs; --dryrun and 'souk quote' show their plan");
	return EX_DATAERR;
}

static int make_plan(struct launch *launch)
{
	const struct options *options = launch->options;
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_plan_options wanted = { 0 };
	struct souk *souk = launch->cli->souk;
	int ret;

	wanted.optimize = options->optimize;
	wanted.hours_milli = launch->hours_milli;
	wanted.dryrun = options->dryrun || options->plan;
	wanted.explain = options->explain;
	if (options->quote)
		ret = souk_quote_plan(souk, launch->file, options->quote, options->dryrun || options->plan,
				      &launch->plan,
				      &err);
	else
		ret = souk_plan_make_with(souk, launch->file, &wanted, &launch->plan, &err);
	return ret < 0 ? cli_fail(&err) : 0;
}

/* The first few candidates are what a launch is likely to see. */
static int show_requests(const struct launch *launch)
{
	size_t total = souk_plan_count(launch->plan), limit = REQUESTS_SHOWN;

	if (launch->options->limit > 0)
		limit = launch->options->limit;
	if (launch->options->all || limit > total)
		limit = total;
	return cli_launch_requests(launch->cli, launch->file, launch->plan, launch->options->cluster,
				   limit);
}

/* Everything behind the loaded file. */
static int launch_file(struct launch *launch)
{
	const struct options *options = launch->options;
	struct cli *cli = launch->cli;
	int status;

	if (souk_task_file_tasks(launch->file) > 1)
		return refuse_tasks(launch);
	status = has_machines(cli, options->cluster, !options->dryrun && !options->plan);
	if (status < 0)
		return -status;
	if (status > 0 && options->plan) {
		cli_error("%s: the cluster exists; --plan is for new machines", options->cluster);
		return EX_DATAERR;
	}
	if (status > 0 && options->quote) {
		cli_error("%s: the cluster exists; a quote is for new machines", options->cluster);
		return EX_DATAERR;
	}
	if (status == 0)
		status = make_plan(launch);
	else
		status = 0;
	if (status)
		return status;
	if (options->plan)
		return show_requests(launch);
	status = show_plan(launch);
	if (status || options->dryrun)
		return status;
	status = ask(launch);
	return status ? status : perform(launch);
}

/* What can be wrong with the flags themselves. 0, or an exit status. */
static int check_flags(struct launch *launch)
{
	const struct options *options = launch->options;
	struct souk_error err = SOUK_ERROR_INIT;
	struct cli *cli = launch->cli;

	if (options->idle && cli_parse_minutes(cli->cmd, "idle-minutes-to-autostop", options->idle,
					       &launch->idle_minutes) < 0)
		return EX_USAGE;
	if (options->optimize && strcmp(options->optimize, "cost") != 0 &&
	    strcmp(options->optimize, "time") != 0)
		return cli_usage(cli->cmd, "--optimize: '%s' is neither cost nor time",
				 options->optimize);
	if (options->race > SOUK_RACE_MAX)
		return cli_usage(cli->cmd, "--race: at most %d places at once", SOUK_RACE_MAX);
	if (options->plan && options->dryrun)
		return cli_usage(cli->cmd, "--plan and --dryrun: one of them");
	if (options->quote && (options->optimize || options->hours))
		return cli_usage(cli->cmd, "--quote goes by its own --optimize and --hours");
	if (options->hours &&
	    (souk_parse_milli("--hours", options->hours, &launch->hours_milli, &err) < 0 ||
	     launch->hours_milli == 0))
		return cli_usage(cli->cmd, "--hours: not a number over 0: '%s'", options->hours);
	return 0;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct launch launch = { .cli = cli, .options = options, .idle_minutes = -1 };
	int status;

	status = check_flags(&launch);
	if (status)
		return status;
	status = cli_open(cli);
	if (status)
		return status;
	if (options->dryrun)
		status = cli_task_load_all(cli, &options->task, n_args, args, &launch.file);
	else
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
		    "souk launch --dryrun --explain --gpus A100 train.yaml\n"
		    "souk launch --race 3 --gpus H100 train.yaml\n"
		    "souk launch --plan --infra aws train.yaml\n"
		    "souk launch -c t -- nvidia-smi -L",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
