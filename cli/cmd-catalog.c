/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-catalog.c - souk catalog info and update: how old the offers known are, and newer ones */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

static const struct cli_column columns[] = {
	{ "PROVIDER", CLI_LEFT }, { "OFFERS", CLI_RIGHT }, { "REGIONS", CLI_RIGHT },
	{ "ACCELERATORS", CLI_RIGHT }, { "SOURCE", CLI_LEFT }, { "DATE", CLI_LEFT },
};

static void add_count(struct cli_table *table, const struct souk_catalog_row *row, size_t count)
{
	if (*row->source)
		cli_table_printf(table, "%zu", count);
	else
		cli_table_add(table, NULL);
}

static int print_table(const struct souk_catalogs *catalogs)
{
	struct cli_table table;
	size_t i, n = souk_catalogs_count(catalogs);
	int status;

	if (n == 0) {
		cli_say("no providers");
		return 0;
	}
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < n; i++) {
		const struct souk_catalog_row *row = souk_catalogs_row(catalogs, i);

		cli_table_add(&table, row->provider);
		add_count(&table, row, row->offers);
		add_count(&table, row, row->regions);
		add_count(&table, row, row->accelerators);
		cli_table_add(&table, row->asked_each_time ? "asked each time" : row->source);
		cli_table_add(&table, row->date);
	}
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

static void add_json_count(struct cli_json *json, struct json_object *in, const char *key,
			   const struct souk_catalog_row *row, size_t count)
{
	if (*row->source)
		cli_json_int(json, in, key, (int64_t)count);
	else
		cli_json_null(json, in, key);
}

static int print_json(const struct souk_catalogs *catalogs)
{
	struct json_object *rows, *object;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "catalogs");
	for (i = 0; i < souk_catalogs_count(catalogs); i++) {
		const struct souk_catalog_row *row = souk_catalogs_row(catalogs, i);

		object = cli_json_object(&json, rows, NULL);
		cli_json_text(&json, object, "provider", row->provider);
		add_json_count(&json, object, "offers", row, row->offers);
		add_json_count(&json, object, "regions", row, row->regions);
		add_json_count(&json, object, "accelerators", row, row->accelerators);
		cli_json_text(&json, object, "source", *row->source ? row->source : NULL);
		cli_json_text(&json, object, "date", *row->date ? row->date : NULL);
		cli_json_text(&json, object, "path", row->path);
		cli_json_bool(&json, object, "asked_each_time", row->asked_each_time);
		cli_json_bool(&json, object, "skipped", row->skipped);
		cli_json_text(&json, object, "problem", row->problem);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* The status of the last failure; one that was skipped is none. */
static int status_of(const struct souk_catalogs *catalogs)
{
	size_t i;
	int status = 0;

	for (i = 0; i < souk_catalogs_count(catalogs); i++) {
		const struct souk_catalog_row *row = souk_catalogs_row(catalogs, i);

		if (row->problem && !row->skipped)
			status = souk_exit_status(row->code);
	}
	return status;
}

static int show(struct cli *cli, struct souk_catalogs *catalogs)
{
	int status = cli->common.json ? print_json(catalogs) : print_table(catalogs);

	if (status == 0)
		status = status_of(catalogs);
	souk_catalogs_free(catalogs);
	return status;
}

static int run_info(struct cli *cli, int n_names, char **names)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs = NULL;
	int status = cli_open(cli);

	if (status)
		return status;
	if (souk_catalogs_info(cli->souk, (const char *const *)names, (size_t)n_names, &catalogs,
			       &err) < 0)
		return cli_fail(&err);
	return show(cli, catalogs);
}

static int run_update(struct cli *cli, int n_names, char **names)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs = NULL;
	struct cli_stream stream;
	int ret, status = cli_open(cli);

	if (status)
		return status;
	cli_stream_begin(&stream, cli);
	ret = souk_catalogs_update(cli->souk, (const char *const *)names, (size_t)n_names,
				   &stream.callbacks, &catalogs, &err);
	cli_stream_end(&stream, ret == SOUK_OK);
	return ret < 0 ? cli_fail(&err) : show(cli, catalogs);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	static const char *const verbs[] = { "info", "update" };
	const char *nearest;

	(void)opaque;
	if (strcmp(args[0], "info") == 0)
		return run_info(cli, n_args - 1, args + 1);
	if (strcmp(args[0], "update") == 0)
		return run_update(cli, n_args - 1, args + 1);
	cli_error("no such command: 'souk catalog %.60s'", args[0]);
	nearest = souk_nearest_name(args[0], verbs, CLI_ARRAY_SIZE(verbs));
	cli_hint("'souk catalog %s' is one", nearest ? nearest : "info");
	return EX_USAGE;
}

static const char *const usage[] = { "info [PROVIDER...]", "update [PROVIDER...]", NULL };

const struct souk_cmd souk_cmd_catalog = {
	.name = "catalog",
	.group = "Market and setup",
	.summary = "how old the offers known are, and newer ones (info, update)",
	.usage = usage,
	.description = "info shows what is known of each provider's offers, where it is from and of which day;\n"
		       "it asks no cloud. update asks the clouds, those named or all that may take part, and\n"
		       "keeps their answers for 'souk offers' and 'souk launch'. What a cloud that fails has\n"
		       "said before stays as it is.",
	.examples = "souk catalog info\n"
		    "souk catalog update aws",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
