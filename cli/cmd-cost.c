/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-cost.c - souk cost: what the machines have cost, also those that are gone */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

/* What is shown if nothing is said. */
#define USUAL_S (30 * 86400)

struct options {
	int all;
	const char *since;
	const char *until;
	const char *by;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1, OPTION(all),
	  .help = "everything since the first machine; without it the last 30 days" },
	{ .name = "since", .arg = "WHEN", .type = CLI_TEXT, OPTION(since),
	  .help = "from then on: 2026-07-04, 2026-07-04T12:30:00Z, or 90m, 12h, 7d, 4w ago" },
	{ .name = "until", .arg = "WHEN", .type = CLI_TEXT, OPTION(until),
	  .help = "up to then" },
	{ .name = "by", .arg = "WHAT", .type = CLI_TEXT, OPTION(by),
	  .help = "sum by cluster, provider, region, type or market; spell: no sums" },
	{ .name = NULL },
};

static const struct {
	const char *name;
	enum souk_cost_by by;
	int spells;
} ways[] = {
	{ "cluster", SOUK_COST_BY_CLUSTER, 0 }, { "provider", SOUK_COST_BY_PROVIDER, 0 },
	{ "region", SOUK_COST_BY_REGION, 0 },	{ "type", SOUK_COST_BY_TYPE, 0 },
	{ "market", SOUK_COST_BY_MARKET, 0 },	{ "spell", SOUK_COST_BY_CLUSTER, 1 },
};

/* ---- For people ---- */

/* Rounded to hundredths; what is there is never nothing. */
static const char *hours(int64_t seconds, char text[CLI_TEXT_SIZE])
{
	uint64_t hundredths = ((uint64_t)seconds + 18) / 36;

	if (seconds > 0 && hundredths == 0) {
		snprintf(text, CLI_TEXT_SIZE, "<0.01");
		return text;
	}
	snprintf(text, CLI_TEXT_SIZE, "%llu.%02llu", (unsigned long long)(hundredths / 100),
		 (unsigned long long)(hundredths % 100));
	return text;
}

static void add_resources(struct cli_table *table, const struct souk_cost_group *group)
{
	char text[CLI_TEXT_SIZE];

	if (group->accelerator)
		cli_table_printf(table, "%zu x %s (%s)", group->machines, group->instance_type,
				 cli_accelerator(group->accelerator, group->accelerator_milli, text));
	else
		cli_table_printf(table, "%zu x %s", group->machines,
				 group->instance_type ? group->instance_type : "machine");
}

static const char *cost_text(int64_t micros, const char *currency, char text[CLI_TEXT_SIZE])
{
	return micros < 0 ? "-" : cli_money_cents(micros, currency, text);
}

static void add_sums(struct cli_table *table, const struct souk_cost_group *group)
{
	char text[CLI_TEXT_SIZE];
	int unknown = group->unpriced_seconds > 0 && group->unpriced_seconds == group->seconds;

	cli_table_add(table, hours(group->seconds, text));
	cli_table_add(table, cost_text(unknown ? -1 : group->cost_micros, group->currency, text));
	cli_table_add(table, group->state);
}

static int print_clusters(const struct souk_cost *cost)
{
	static const struct cli_column columns[] = {
		{ "CLUSTER", CLI_LEFT }, { "INFRA", CLI_LEFT },	 { "RESOURCES", CLI_LEFT },
		{ "MARKET", CLI_LEFT },	 { "HOURS", CLI_RIGHT }, { "COST", CLI_RIGHT },
		{ "STATE", CLI_LEFT },
	};
	const struct souk_cost_group *group;
	struct cli_table table;
	char infra[160];
	size_t i;
	int status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; (group = souk_cost_group(cost, i)) != NULL; i++) {
		cli_table_add(&table, group->cluster);
		cli_table_add(&table, cli_infra(group->provider, group->region, NULL, infra, sizeof(infra)));
		add_resources(&table, group);
		cli_table_add(&table, group->market);
		add_sums(&table, group);
	}
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

static void add_name(struct cli_table *table, enum souk_cost_by by,
		     const struct souk_cost_group *group)
{
	char infra[160];

	if (by == SOUK_COST_BY_TYPE)
		cli_table_printf(table, "%s %s", group->provider,
				 group->instance_type ? group->instance_type : "-");
	else if (by == SOUK_COST_BY_MARKET)
		cli_table_add(table, group->market);
	else
		cli_table_add(table, cli_infra(group->provider, group->region, NULL, infra, sizeof(infra)));
}

static int print_groups(const struct souk_cost *cost, enum souk_cost_by by)
{
	static const char *const titles[] = {
		[SOUK_COST_BY_PROVIDER] = "PROVIDER", [SOUK_COST_BY_REGION] = "REGION",
		[SOUK_COST_BY_TYPE] = "TYPE",	      [SOUK_COST_BY_MARKET] = "MARKET",
	};
	const struct cli_column columns[] = {
		{ titles[by], CLI_LEFT }, { "MACHINES", CLI_RIGHT }, { "HOURS", CLI_RIGHT },
		{ "COST", CLI_RIGHT },	  { "STATE", CLI_LEFT },
	};
	const struct souk_cost_group *group;
	struct cli_table table;
	size_t i;
	int status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; (group = souk_cost_group(cost, i)) != NULL; i++) {
		add_name(&table, by, group);
		cli_table_printf(&table, "%zu", group->machines);
		add_sums(&table, group);
	}
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

static void add_spell(struct cli_table *table, const struct souk_cost_row *row)
{
	char text[CLI_TEXT_SIZE], infra[160];

	cli_table_add(table, row->cluster);
	if (row->rank >= 0)
		cli_table_printf(table, "%lld", (long long)row->rank);
	else
		cli_table_add(table, NULL);
	cli_table_add(table, row->machine);
	cli_table_add(table, cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)));
	cli_table_add(table, row->instance_type);
	cli_table_add(table, row->spot ? "spot" : "on-demand");
	cli_table_add(table, cli_time(row->started_at, text));
	cli_table_add(table, row->ended_at ? cli_time(row->ended_at, text) : NULL);
	cli_table_add(table, hours(row->seconds, text));
	cli_table_add(table, row->micros_per_hour < 0 ?
				     NULL : cli_money_currency(row->micros_per_hour, row->currency, text));
	cli_table_add(table, cost_text(row->cost_micros, row->currency, text));
	cli_table_add(table, row->state);
}

static int print_spells(const struct souk_cost *cost)
{
	static const struct cli_column columns[] = {
		{ "CLUSTER", CLI_LEFT }, { "NODE", CLI_RIGHT },	 { "MACHINE", CLI_LEFT },
		{ "INFRA", CLI_LEFT },	 { "TYPE", CLI_LEFT },	 { "MARKET", CLI_LEFT },
		{ "STARTED", CLI_LEFT }, { "ENDED", CLI_LEFT },	 { "HOURS", CLI_RIGHT },
		{ "$/h", CLI_RIGHT },	 { "COST", CLI_RIGHT },	 { "STATE", CLI_LEFT },
	};
	const struct souk_cost_row *row;
	struct cli_table table;
	size_t i;
	int status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; (row = souk_cost_row(cost, i)) != NULL; i++)
		add_spell(&table, row);
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

/* "total since 2026-07-04T00:00:00Z: 12.50 machine-hours, $34.56" for each currency */
static void print_totals(const struct souk_cost *cost, const struct souk_cost_query *query)
{
	const struct souk_cost_group *total;
	char text[CLI_TEXT_SIZE], since[CLI_TEXT_SIZE], money[CLI_TEXT_SIZE];
	size_t i;

	for (i = 0; (total = souk_cost_total(cost, i)) != NULL; i++) {
		printf("total%s%s", query->since ? " since " : "",
		       query->since ? cli_time(query->since, since) : "");
		printf("%s%s", query->until ? " until " : "",
		       query->until ? cli_time(query->until, since) : "");
		printf(": %s machine-hours, %s", hours(total->seconds, text),
		       cli_money_cents(total->cost_micros, total->currency, money));
		if (total->unpriced_seconds > 0)
			printf(", and %s at a price that is not known",
			       hours(total->unpriced_seconds, text));
		putchar('\n');
	}
}

static int print_table(const struct souk_cost *cost, const struct souk_cost_query *query, int spells)
{
	int status;

	if (!souk_cost_row(cost, 0)) {
		if (!souk_cost_missing(cost, 0))
			cli_say("no machines%s",
				query->since ? " in that time; --all looks further back" : "");
		return 0;
	}
	if (spells)
		status = print_spells(cost);
	else if (query->by == SOUK_COST_BY_CLUSTER)
		status = print_clusters(cost);
	else
		status = print_groups(cost, query->by);
	if (status == 0)
		print_totals(cost, query);
	return status;
}

/* ---- For programs ---- */

static void json_hours(struct cli_json *json, struct json_object *in, int64_t seconds)
{
	cli_json_int(json, in, "seconds", seconds);
	cli_json_milli(json, in, "hours", ((uint64_t)seconds * 1000 + 1800) / 3600);
}

static void json_sums(struct cli_json *json, struct json_object *in,
		      const struct souk_cost_group *group)
{
	cli_json_int(json, in, "machines", (int64_t)group->machines);
	cli_json_int(json, in, "spells", (int64_t)group->spells);
	json_hours(json, in, group->seconds);
	cli_json_int(json, in, "unpriced_seconds", group->unpriced_seconds);
	cli_json_money(json, in, "cost", group->cost_micros);
	cli_json_text(json, in, "currency", group->currency);
}

static void json_group(struct cli_json *json, struct json_object *in,
		       const struct souk_cost_group *group)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "cluster", group->cluster);
	cli_json_text(json, object, "provider", group->provider);
	cli_json_text(json, object, "region", group->region);
	cli_json_text(json, object, "instance_type", group->instance_type);
	cli_json_accelerators(json, object, group->accelerator, group->accelerator_milli);
	cli_json_text(json, object, "market", group->market);
	cli_json_text(json, object, "state", group->state);
	cli_json_time(json, object, "first_at", group->first_at);
	json_sums(json, object, group);
}

static void json_spell(struct cli_json *json, struct json_object *in,
		       const struct souk_cost_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "cluster", row->cluster);
	if (row->rank >= 0)
		cli_json_int(json, object, "rank", row->rank);
	else
		cli_json_null(json, object, "rank");
	cli_json_text(json, object, "machine", row->machine);
	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "region", row->region);
	cli_json_text(json, object, "zone", row->zone);
	cli_json_text(json, object, "instance_type", row->instance_type);
	cli_json_accelerators(json, object, row->accelerator, row->accelerator_milli);
	cli_json_text(json, object, "market", row->spot ? "spot" : "on-demand");
	cli_json_text(json, object, "state", row->state);
	cli_json_time(json, object, "started_at", row->started_at);
	cli_json_time(json, object, "ended_at", row->ended_at);
	json_hours(json, object, row->seconds);
	cli_json_money(json, object, "price_per_hour", row->micros_per_hour);
	cli_json_money(json, object, "disk_price_per_hour", row->disk_micros_per_hour);
	cli_json_money(json, object, "address_price_per_hour", row->address_micros_per_hour);
	cli_json_text(json, object, "price_source", row->price_source);
	cli_json_text(json, object, "price_date", row->price_date);
	cli_json_money(json, object, "cost", row->cost_micros);
	cli_json_text(json, object, "currency", row->currency);
}

static int print_json(const struct souk_cost *cost, const struct souk_cost_query *query,
		      const char *by)
{
	struct json_object *list;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "by", by);
	cli_json_time(&json, json.root, "since", query->since);
	cli_json_time(&json, json.root, "until", query->until ? query->until : souk_cost_now());
	list = cli_json_array(&json, json.root, "groups");
	for (i = 0; strcmp(by, "spell") != 0 && souk_cost_group(cost, i); i++)
		json_group(&json, list, souk_cost_group(cost, i));
	list = cli_json_array(&json, json.root, "spells");
	for (i = 0; souk_cost_row(cost, i); i++)
		json_spell(&json, list, souk_cost_row(cost, i));
	list = cli_json_array(&json, json.root, "totals");
	for (i = 0; souk_cost_total(cost, i); i++)
		json_sums(&json, cli_json_object(&json, list, NULL), souk_cost_total(cost, i));
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* ---- The command ---- */

/* A day, a moment, or so long ago. 0, or -1 after the usage error was shown. */
static int parse_when(const struct cli *cli, const char *flag, const char *text, int64_t *when_out)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char day[32];
	int64_t minutes;

	if (!strchr(text, '-')) {
		if (cli_parse_minutes(cli->cmd, flag, text, &minutes) < 0)
			return -1;
		*when_out = souk_cost_now() - minutes * 60;
		return 0;
	}
	snprintf(day, sizeof(day), "%.10sT00:00:00Z", text);
	if (souk_parse_time(flag, strlen(text) == 10 ? day : text, when_out, &err) < 0) {
		cli_usage(cli->cmd, "--%s: not a time: '%.40s'; 2026-07-04, 2026-07-04T12:30:00Z or 7d",
			  flag, text);
		return -1;
	}
	return 0;
}

static int parse_query(const struct cli *cli, const struct options *options,
		       struct souk_cost_query *query, size_t *way_out)
{
	size_t way = 0;

	if (options->all && options->since)
		return cli_usage(cli->cmd, "souk cost: either --all or --since, not both");
	while (options->by && strcmp(ways[way].name, options->by) != 0)
		if (++way == CLI_ARRAY_SIZE(ways))
			return cli_usage(cli->cmd,
					 "--by: '%.40s' is none of cluster, provider, region, type, "
					 "market and spell", options->by);
	query->by = ways[way].by;
	*way_out = way;
	if (options->since && parse_when(cli, "since", options->since, &query->since) < 0)
		return EX_USAGE;
	if (options->until && parse_when(cli, "until", options->until, &query->until) < 0)
		return EX_USAGE;
	if (!options->since && !options->all)
		query->since = (query->until ? query->until : souk_cost_now()) - USUAL_S;
	if (query->until && query->until < query->since)
		return cli_usage(cli->cmd, "--until is before --since");
	return 0;
}

/* Returns an exit status. */
static int say_missing(const struct souk_cost *cost)
{
	const char *name;
	size_t i;

	for (i = 0; (name = souk_cost_missing(cost, i)) != NULL; i++)
		cli_error("there was no cluster '%.60s'", name);
	if (i > 0)
		cli_hint("'souk cost --all' lists those that there were");
	return i > 0 ? EX_UNAVAILABLE : 0;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct souk_cost_query query = { .clusters = (const char *const *)args,
					 .n_clusters = (size_t)n_args };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_cost *cost = NULL;
	size_t way = 0;
	int status = parse_query(cli, opaque, &query, &way), missing;

	if (status == 0)
		status = cli_open(cli);
	if (status)
		return status;
	if (souk_cost_find(cli->souk, &query, &cost, &err) < 0)
		return cli_fail(&err);
	missing = say_missing(cost);
	status = cli->common.json ? print_json(cost, &query, ways[way].name) :
				    print_table(cost, &query, ways[way].spells);
	souk_cost_free(cost);
	return status ? status : missing;
}

static const char *const usage[] = {
	"[--all | --since WHEN] [--until WHEN] [--by WHAT] [NAME...]", NULL,
};

const struct souk_cmd souk_cmd_cost = {
	.name = "cost",
	.group = "Clusters",
	.summary = "what the machines have cost, also those that are gone",
	.usage = usage,
	.description = "Sums up the hours and the cost of the machines that souk rented in the last 30 days, or in\n"
		       "another time, by its own record of when each of them ran. Clusters that are gone, machines\n"
		       "that were given back, stops and starts count. Nobody is asked. Names may be shell patterns.",
	.examples = "souk cost\n"
		    "souk cost --all --by provider\n"
		    "souk cost --since 2026-07-01 --until 2026-08-01 'exp-*' --by spell",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
