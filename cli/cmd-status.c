/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-status.c - souk status: the clusters and what they cost */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct options {
	int refresh;
	int names_only;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "refresh", .letter = 'r', .type = CLI_SWITCH, .value = 1, OPTION(refresh),
	  .help = "ask the clouds first, and settle what was left open" },
	{ .name = "names-only", .type = CLI_SWITCH, .value = 1, OPTION(names_only), .hidden = 1,
	  .help = "names alone, a line each" },
	{ .name = NULL },
};

static const struct cli_column columns[] = {
	{ "NAME", CLI_LEFT },	 { "STATUS", CLI_LEFT }, { "INFRA", CLI_LEFT },
	{ "RESOURCES", CLI_LEFT }, { "NODES", CLI_RIGHT }, { "$/h", CLI_DECIMAL },
	{ "COST", CLI_RIGHT },	 { "LAUNCHED", CLI_LEFT }, { "AUTOSTOP", CLI_LEFT },
};

static void add_resources(struct cli_table *table, const struct souk_cluster_row *row)
{
	char text[CLI_TEXT_SIZE], memory[CLI_TEXT_SIZE];
	const char *spot = row->spot ? ", spot" : "";

	if (row->accelerator)
		cli_table_printf(table, "%s (%s%s)", row->instance_type,
				 cli_accelerator(row->accelerator, row->accelerator_milli, text), spot);
	else
		cli_table_printf(table, "%s (%s vCPUs, %s GiB%s)", row->instance_type,
				 cli_milli(row->vcpus_milli, text), cli_gib(row->memory_mib, memory),
				 spot);
}

static void add_row(struct cli_table *table, const struct souk_cluster_row *row)
{
	char text[CLI_TEXT_SIZE], infra[160];

	cli_table_add(table, row->name);
	cli_table_add(table, souk_cluster_status_name(row->status));
	cli_table_add(table, cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)));
	add_resources(table, row);
	cli_table_printf(table, "%u", row->num_nodes);
	if (row->currency && *row->currency && strcmp(row->currency, "USD") != 0)
		cli_table_add(table, cli_money_currency(row->micros_per_hour, row->currency, text));
	else
		cli_table_add(table, cli_money(row->micros_per_hour, text));
	cli_table_add(table, cli_money_cents(row->cost_micros, row->currency, text));
	cli_table_add(table, cli_ago(row->launched_at, text));
	if (row->autostop_minutes >= 0)
		cli_table_printf(table, "%lldm%s", (long long)row->autostop_minutes,
				 row->autostop_down ? " (down)" : "");
	else
		cli_table_add(table, NULL);
}

static int print_table(const struct cli_names *names)
{
	struct cli_table table;
	size_t i;
	int status;

	if (names->n == 0) {
		if (!names->missing)
			cli_say("no clusters");
		return 0;
	}
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < names->n; i++)
		add_row(&table, names->rows[i]);
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	for (i = 0; status == 0 && i < names->n; i++) {
		if (!names->rows[i]->note)
			continue;
		cli_text_print(stdout, names->rows[i]->name);
		fputs(": ", stdout);
		cli_text_print(stdout, names->rows[i]->note);
		fputc('\n', stdout);
	}
	return status;
}

static int print_json(const struct cli_names *names)
{
	struct json_object *rows;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "clusters");
	for (i = 0; i < names->n; i++)
		cli_json_cluster(&json, rows, NULL, names->rows[i]);
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int print_names(const struct cli_names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++) {
		cli_text_print(stdout, names->rows[i]->name);
		fputc('\n', stdout);
	}
	return 0;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_clusters *refreshed = NULL;
	struct cli_names names;
	int status = cli_open(cli);

	if (status)
		return status;
	/* All of them: what is left open belongs to no cluster that could be named. */
	if (options->refresh && souk_status(cli->souk, NULL, 0, 1, &refreshed, &err) < 0)
		return cli_fail(&err);
	souk_clusters_free(refreshed);
	status = cli_names_find(cli, args, n_args, n_args == 0, &names);
	if (status)
		return status;
	if (options->names_only)
		status = print_names(&names);
	else if (cli->common.json)
		status = print_json(&names);
	else
		status = print_table(&names);
	if (status == 0 && names.missing)
		status = EX_UNAVAILABLE;
	cli_names_fini(&names);
	return status;
}

static const char *const usage[] = { "[--refresh] [NAME...]", NULL };

const struct souk_cmd souk_cmd_status = {
	.name = "status",
	.group = "Clusters",
	.summary = "the clusters, where they are and what they cost",
	.usage = usage,
	.description = "Lists the clusters that souk knows, without asking anybody. With --refresh the clouds\n"
		       "are asked first, and what an interrupted launch left open is adopted or torn down.\n"
		       "Names may be shell patterns.",
	.examples = "souk status\n"
		    "souk status --refresh\n"
		    "souk status 'exp-*' --json",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
