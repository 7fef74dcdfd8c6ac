/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-doctor.c - souk doctor: what was left running, and what is wrong with this computer */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

struct options {
	const char *region;
	int tear_down;
	int others;
	int all;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "region", .arg = "REGION", .type = CLI_TEXT, OPTION(region),
	  .help = "look there only" },
	{ .name = "tear-down", .type = CLI_SWITCH, .value = 1, OPTION(tear_down),
	  .help = "end what was found, for good; asks first" },
	{ .name = "others", .type = CLI_SWITCH, .value = 1, OPTION(others),
	  .help = "count, and tear down, what belongs to others too" },
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1, OPTION(all),
	  .help = "show what is well, too" },
	{ .name = NULL },
};

static const struct cli_column columns[] = {
	{ "STANDING", CLI_LEFT }, { "INFRA", CLI_LEFT }, { "ID", CLI_LEFT },   { "WHAT", CLI_LEFT },
	{ "STATUS", CLI_LEFT },	  { "BY", CLI_LEFT },	 { "CLUSTER", CLI_LEFT }, { "OWNER", CLI_LEFT },
	{ "CREATED", CLI_LEFT },  { "$/h", CLI_DECIMAL },
};

static int is_check(const struct souk_finding_row *row)
{
	return strcmp(row->kind, "check") == 0;
}

static int is_known(const struct souk_finding_row *row)
{
	return strcmp(row->standing, "known") == 0;
}

/* ---- For people ---- */

static void add_row(struct cli_table *table, const struct souk_finding_row *row)
{
	char text[CLI_TEXT_SIZE], infra[160];

	cli_table_add(table, row->standing);
	cli_table_add(table, cli_infra(row->provider, row->region, row->zone, infra, sizeof(infra)));
	cli_table_add(table, row->id);
	if (row->spot)
		cli_table_printf(table, "%s (spot)", row->what ? row->what : "?");
	else
		cli_table_add(table, row->what);
	cli_table_add(table, row->status);
	cli_table_add(table, row->tool);
	cli_table_add(table, row->cluster);
	cli_table_add(table, row->owner);
	cli_table_add(table, cli_ago(row->created_at, text));
	if (row->currency && strcmp(row->currency, "USD") != 0)
		cli_table_add(table, cli_money_currency(row->micros_per_hour, row->currency, text));
	else
		cli_table_add(table, cli_money(row->micros_per_hour, text));
}

/* Machines and leftovers, without those that are known unless all are wanted. */
static int print_table(const struct souk_doctor *doctor, int all)
{
	struct cli_table table;
	size_t i, n = 0, known = 0;
	int status = 0;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < souk_doctor_count(doctor); i++) {
		const struct souk_finding_row *row = souk_doctor_row(doctor, i);

		if (is_check(row))
			continue;
		known += is_known(row) != 0;
		if (is_known(row) && !all)
			continue;
		add_row(&table, row);
		n++;
	}
	if (n > 0)
		status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	if (known > 0 && !all)
		cli_say("%zu machine%s known to the store ('--all' shows them)", known,
			known == 1 ? " is" : "s are");
	return status;
}

static void print_checks(const struct souk_doctor *doctor, int all)
{
	size_t i;

	for (i = 0; i < souk_doctor_count(doctor); i++) {
		const struct souk_finding_row *row = souk_doctor_row(doctor, i);

		if (!is_check(row) || (strcmp(row->standing, "ok") == 0 && !all))
			continue;
		cli_text_print(stdout, row->standing);
		fputs(": ", stdout);
		if (row->provider) {
			cli_text_print(stdout, row->provider);
			fputs(": ", stdout);
		}
		cli_text_print(stdout, row->message);
		putchar('\n');
		if (row->hint) {
			fflush(stdout);
			cli_hint("%s", row->hint);
		}
	}
}

/* What the findings that count cost together, as far as it is known, in dollars. */
static int64_t cost_of(const struct souk_doctor *doctor, int only_ends)
{
	int64_t micros = 0;
	size_t i;

	for (i = 0; i < souk_doctor_count(doctor); i++) {
		const struct souk_finding_row *row = souk_doctor_row(doctor, i);

		if (row->counts && (row->can_end || !only_ends) && row->micros_per_hour > 0 &&
		    row->currency && strcmp(row->currency, "USD") == 0)
			micros += row->micros_per_hour;
	}
	return micros;
}

static size_t count_found(const struct souk_doctor *doctor, int only_ends)
{
	size_t i, n = 0;

	for (i = 0; i < souk_doctor_count(doctor); i++) {
		const struct souk_finding_row *row = souk_doctor_row(doctor, i);

		n += only_ends ? row->can_end != 0 : row->counts != 0;
	}
	return n;
}

/* ---- For programs ---- */

static void add_finding(struct cli_json *json, struct json_object *in,
			const struct souk_finding_row *row, const char *result)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "kind", row->kind);
	cli_json_text(json, object, "standing", row->standing);
	cli_json_bool(json, object, "counts", row->counts);
	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "region", row->region);
	cli_json_text(json, object, "zone", row->zone);
	cli_json_text(json, object, "id", row->id);
	cli_json_text(json, object, "what", row->what);
	cli_json_text(json, object, "status", row->status);
	cli_json_text(json, object, "cluster", row->cluster);
	cli_json_text(json, object, "owner", row->owner);
	cli_json_text(json, object, "tool", row->tool);
	cli_json_bool(json, object, "spot", row->spot);
	cli_json_money(json, object, "price_per_hour", row->micros_per_hour);
	cli_json_text(json, object, "currency", row->currency);
	cli_json_time(json, object, "created_at", row->created_at);
	cli_json_text(json, object, "result", result);
}

static void add_check(struct cli_json *json, struct json_object *in,
		      const struct souk_finding_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "check", row->id);
	cli_json_text(json, object, "standing", row->standing);
	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "message", row->message);
	cli_json_text(json, object, "hint", row->hint);
}

/* results: beside the findings; NULL: nothing was torn down. */
static int print_json(const struct souk_doctor *doctor, const char *const *results)
{
	struct json_object *findings, *checks;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	findings = cli_json_array(&json, json.root, "findings");
	checks = cli_json_array(&json, json.root, "checks");
	for (i = 0; i < souk_doctor_count(doctor); i++) {
		const struct souk_finding_row *row = souk_doctor_row(doctor, i);

		if (is_check(row))
			add_check(&json, checks, row);
		else
			add_finding(&json, findings, row, results ? results[i] : NULL);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* ---- Tearing down ---- */

static int end_one(struct cli *cli, struct souk_doctor *doctor, size_t i, const char **result)
{
	const struct souk_finding_row *row = souk_doctor_row(doctor, i);
	struct souk_error err = SOUK_ERROR_INIT;
	struct cli_stream stream;
	int ret;

	cli_stream_begin(&stream, cli);
	ret = souk_doctor_end(doctor, i, &stream.callbacks, &err);
	cli_stream_end(&stream, ret == SOUK_OK);
	*result = ret == SOUK_OK ? "torn down" : "failed";
	if (ret < 0)
		return cli_fail(&err);
	cli_say("%s: torn down", row->id);
	return 0;
}

/* Machines first: what is left of them is free only then. */
static int end_all(struct cli *cli, struct souk_doctor *doctor, const char **results)
{
	static const char *const kinds[] = { "machine", "leftover" };
	size_t kind, i;
	int status = 0, one;

	for (kind = 0; kind < CLI_ARRAY_SIZE(kinds); kind++)
		for (i = 0; i < souk_doctor_count(doctor) && !cli_interrupted(); i++) {
			const struct souk_finding_row *row = souk_doctor_row(doctor, i);

			if (!row->can_end || strcmp(row->kind, kinds[kind]) != 0)
				continue;
			one = end_one(cli, doctor, i, &results[i]);
			if (one && (status == 0 || one == CLI_EXIT_INTERRUPTED))
				status = one;
		}
	return cli_interrupted() ? CLI_EXIT_INTERRUPTED : status;
}

static int ask(const struct cli *cli, const struct souk_doctor *doctor)
{
	size_t n = count_found(doctor, 1);
	char price[CLI_TEXT_SIZE];

	return cli_confirm(cli, "Tear down %zu finding%s (%s/h as far as known), for good?", n,
			   n == 1 ? "" : "s",
			   cli_money_currency(cost_of(doctor, 1), "USD", price));
}

/* ---- The command ---- */

static void summarise(const struct souk_doctor *doctor, const struct options *options)
{
	size_t n = count_found(doctor, 0), ends = count_found(doctor, 1);
	char price[CLI_TEXT_SIZE];

	if (n == 0) {
		cli_say("nothing was found");
		return;
	}
	cli_say("%zu found, %s/h as far as known", n,
		cli_money_currency(cost_of(doctor, 0), "USD", price));
	if (!options->tear_down && ends > 0)
		cli_hint("'souk doctor --tear-down' ends %s, after asking", ends == 1 ? "it" : "them");
}

/* 0 if nothing that counts is left, 1 if something is. */
static int left_over(const struct souk_doctor *doctor, const char *const *results)
{
	size_t i;

	for (i = 0; i < souk_doctor_count(doctor); i++)
		if (souk_doctor_row(doctor, i)->counts &&
		    !(results[i] && strcmp(results[i], "torn down") == 0))
			return 1;
	return 0;
}

static int treat(struct cli *cli, struct souk_doctor *doctor, const struct options *options)
{
	const char **results = calloc(souk_doctor_count(doctor) + 1, sizeof(*results));
	int status = 0, printed;

	if (!results)
		return cli_nomem();
	if (!cli->common.json) {
		status = print_table(doctor, options->all);
		print_checks(doctor, options->all);
		fflush(stdout);
		summarise(doctor, options);
	}
	if (status == 0 && options->tear_down && count_found(doctor, 1) > 0) {
		status = ask(cli, doctor);
		if (status == 0)
			status = end_all(cli, doctor, results);
	}
	if (cli->common.json && (printed = print_json(doctor, results)) != 0)
		status = printed;
	if (status == 0)
		status = left_over(doctor, results);
	free(results);
	return status;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_doctor *doctor = NULL;
	struct souk_doctor_options look = {
		.names = (const char *const *)args, .n = (size_t)n_args, .region = options->region,
		.others = options->others,
	};
	struct cli_stream stream;
	int ret, status = cli_open(cli);

	if (status)
		return status;
	cli_stream_begin(&stream, cli);
	look.callbacks = &stream.callbacks;
	ret = souk_doctor_look(cli->souk, &look, &doctor, &err);
	cli_stream_end(&stream, ret == SOUK_OK);
	if (ret < 0)
		return cli_fail(&err);
	status = treat(cli, doctor, options);
	souk_doctor_free(doctor);
	return status;
}

static const char *const usage[] = {
	"[PROVIDER...] [--region REGION]",
	"[PROVIDER...] --tear-down [--others]",
	NULL,
};

const struct souk_cmd souk_cmd_doctor = {
	.name = "doctor",
	.group = "Market and setup",
	.summary = "what was left running, and what is wrong here",
	.usage = usage,
	.description =
		"Compares what each account has with what the store knows: machines of souk that no\n"
		"cluster has, nodes that are gone, what is left besides machines, and machines that\n"
		"other tools (SkyPilot, dstack, Ray) have left, by their tags. Looks at the store, the\n"
		"folders, the locks, the clock, the programs and the catalogues of this computer, too.\n"
		"Changes nothing unless --tear-down is given, which asks first. What belongs to others\n"
		"stays without --others. The exit status is 0 if nothing was found, else 1.",
	.examples = "souk doctor\n"
		    "souk doctor aws --region us-east-1 --json\n"
		    "souk doctor --tear-down",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
