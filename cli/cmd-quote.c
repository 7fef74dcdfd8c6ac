/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-quote.c - souk quote: what a task will cost, item by item, and quotes that are kept */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

struct options {
	const char *hours;
	const char *egress;
	const char *optimize;
	const char *show;
	const char *rm;
	uint32_t limit;
	int all;
	int live;
	int list;
	struct cli_task_options task;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "hours", .arg = "HOURS", .type = CLI_TEXT, OPTION(hours),
	  .help = "how long the task will run (1)" },
	{ .name = "egress", .arg = "GB", .type = CLI_TEXT, OPTION(egress),
	  .help = "so much will leave the machines besides 'outputs'" },
	{ .name = "optimize", .arg = "cost|time", .type = CLI_TEXT, OPTION(optimize),
	  .help = "what comes first: the cheapest run or the shortest" },
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1, OPTION(all),
	  .help = "every runner-up, not the best of each provider" },
	{ .name = "limit", .arg = "N", .type = CLI_NUMBER, OPTION(limit),
	  .help = "the next N runners-up" },
	{ .name = "live", .type = CLI_SWITCH, .value = 1, OPTION(live),
	  .help = "ask the provider that was chosen for its own prices" },
	{ .name = "list", .letter = 'l', .type = CLI_SWITCH, .value = 1, OPTION(list),
	  .help = "show the quotes that are kept" },
	{ .name = "show", .arg = "ID", .type = CLI_TEXT, OPTION(show),
	  .help = "show a quote that is kept, as it was" },
	{ .name = "rm", .arg = "ID", .type = CLI_TEXT, OPTION(rm), .help = "forget a quote" },
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

static const struct cli_column list_columns[] = {
	{ "ID", CLI_LEFT },	{ "CREATED", CLI_LEFT }, { "VALID UNTIL", CLI_LEFT },
	{ "TASK", CLI_LEFT },	{ "PLACE", CLI_LEFT },	 { "MACHINES", CLI_LEFT },
	{ "TOTAL", CLI_RIGHT },
};

/* ---- Kept quotes ---- */

/* One that cannot be read is said, and is no reason to hide the others. */
static struct souk_quote *load_listed(struct cli *cli, const char *id, int *status)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quote *quote = NULL;

	if (souk_quote_load(cli->souk, id, &quote, &err) < 0)
		*status = cli_fail(&err);
	return quote;
}

static int list_json(struct cli *cli, const struct souk_quotes *quotes)
{
	struct json_object *list;
	struct cli_json json;
	int status = 0, printed;
	size_t i;

	cli_json_init(&json);
	list = cli_json_array(&json, json.root, "quotes");
	for (i = 0; i < souk_quotes_count(quotes); i++) {
		struct souk_quote *quote = load_listed(cli, souk_quotes_id(quotes, i), &status);

		if (quote && cli_quote_list_json(&json, list, quote) != 0)
			json.failed = 1;
		souk_quote_free(quote);
	}
	printed = cli_json_print(&json);
	cli_json_fini(&json);
	return printed ? printed : status;
}

static int list_table(struct cli *cli, const struct souk_quotes *quotes)
{
	struct cli_table table;
	int status = 0, printed;
	size_t i;

	if (souk_quotes_count(quotes) == 0) {
		cli_say("no quotes are kept");
		return 0;
	}
	cli_table_init(&table, list_columns, CLI_ARRAY_SIZE(list_columns));
	for (i = 0; i < souk_quotes_count(quotes); i++) {
		struct souk_quote *quote = load_listed(cli, souk_quotes_id(quotes, i), &status);

		if (quote && cli_quote_list_add(&table, quote) != 0)
			table.failed = 1;
		souk_quote_free(quote);
	}
	printed = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return printed ? printed : status;
}

static int list_quotes(struct cli *cli)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quotes *quotes = NULL;
	int status;

	if (souk_quotes_list(cli->souk, &quotes, &err) < 0)
		return cli_fail(&err);
	status = cli->common.json ? list_json(cli, quotes) : list_table(cli, quotes);
	souk_quotes_free(quotes);
	return status;
}

static int print_quote(const struct cli *cli, const struct souk_quote *quote)
{
	if (cli->common.json) {
		fputs(souk_quote_json(quote), stdout);
		return 0;
	}
	return cli_quote_print(quote, 1, stdout);
}

static int show_quote(struct cli *cli, const char *id)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_quote *quote = NULL;
	int status;

	if (souk_quote_load(cli->souk, id, &quote, &err) < 0)
		return cli_fail(&err);
	status = print_quote(cli, quote);
	souk_quote_free(quote);
	return status;
}

static int remove_quote(struct cli *cli, const char *id)
{
	struct souk_error err = SOUK_ERROR_INIT;

	return souk_quote_remove(cli->souk, id, &err) < 0 ? cli_fail(&err) : 0;
}

/* ---- A new one ---- */

/* A number over 0 with at most three decimals. */
static int parse_amount(const struct souk_cmd *cmd, const char *flag, const char *text,
			uint32_t *milli_out)
{
	struct souk_error err = SOUK_ERROR_INIT;

	if (!text)
		return 0;
	if (souk_parse_milli(flag, text, milli_out, &err) < 0 || *milli_out == 0)
		return cli_usage(cmd, "--%s: not a number over 0: '%.60s'", flag, text);
	return 0;
}

static int fill_options(const struct cli *cli, const struct options *options,
			struct souk_quote_options *wanted)
{
	uint32_t egress_milli = 0;
	int status;

	memset(wanted, 0, sizeof(*wanted));
	if (options->optimize && strcmp(options->optimize, "cost") != 0 &&
	    strcmp(options->optimize, "time") != 0)
		return cli_usage(cli->cmd, "--optimize: '%.60s' is neither cost nor time",
				 options->optimize);
	status = parse_amount(cli->cmd, "hours", options->hours, &wanted->hours_milli);
	if (status == 0)
		status = parse_amount(cli->cmd, "egress", options->egress, &egress_milli);
	wanted->optimize = options->optimize;
	wanted->egress_mb = egress_milli;
	wanted->limit = options->limit;
	wanted->all = options->all;
	wanted->live = options->live;
	wanted->keep = 1;
	return status;
}

static int make_quote(struct cli *cli, const struct options *options,
		      const struct souk_quote_options *wanted, int n_args, char **args)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_task_file *file = NULL;
	struct souk_quote *quote = NULL;
	int status;

	status = cli_task_load_all(cli, &options->task, n_args, args, &file);
	if (status)
		return status;
	if (souk_quote_make(cli->souk, file, wanted, &quote, &err) < 0)
		status = cli_fail(&err);
	else
		status = print_quote(cli, quote);
	if (status == 0 && !cli->common.json && souk_task_file_tasks(file) == 1)
		cli_hint("'souk launch --quote %s' with the same task launches it",
			 souk_quote_id(quote));
	souk_quote_free(quote);
	souk_task_file_free(file);
	return status;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_quote_options wanted;
	int others = options->list + (options->show != NULL) + (options->rm != NULL), status;

	if (others > 1)
		return cli_usage(cli->cmd, "souk quote: only one of --list, --show and --rm");
	if (others == 1 && n_args > 0)
		return cli_usage(cli->cmd, "souk quote: unexpected argument '%.60s'", args[0]);
	if (others == 0 && n_args == 0)
		return cli_usage(cli->cmd, "souk quote: too few arguments: souk quote %s",
				 cli->cmd->usage[0]);
	status = fill_options(cli, options, &wanted);
	if (status == 0)
		status = cli_open(cli);
	if (status)
		return status;
	if (options->list)
		return list_quotes(cli);
	if (options->show)
		return show_quote(cli, options->show);
	if (options->rm)
		return remove_quote(cli, options->rm);
	return make_quote(cli, options, &wanted, n_args, args);
}

static const char *const usage[] = { "[FLAG...] TASK.yaml", "[FLAG...] [--] COMMAND...",
				     "--list | --show ID | --rm ID", NULL };

const struct souk_cmd souk_cmd_quote = {
	.name = "quote",
	.group = "Market and setup",
	.summary = "what a task will cost, item by item",
	.usage = usage,
	.description = "Shows what the best offer for a task costs: machines, disks, addresses and "
		       "traffic, each\n"
		       "with its source and date, and the runners-up. Of a file with several tasks "
		       "the places are\n"
		       "chosen together, with what moving data between them costs. A quote is "
		       "kept: --show shows\n"
		       "the same next month, and 'souk launch --quote ID' launches exactly that or "
		       "refuses. What\n"
		       "nobody has said is shown as not known. Asks no cloud, but with --live.",
	.examples = "souk quote train.yaml\n"
		    "souk quote --hours 24 --egress 200 --gpus H100:8 train.yaml\n"
		    "souk quote --list\n"
		    "souk quote --show 8c1d0f0e5a2b4c6d8e9fa0b1c2d3e4f5 --json",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
