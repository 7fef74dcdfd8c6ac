/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-catalog.c - souk catalog: what is known of the offers, newer ones, tables of one's own */
#include "cli.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

struct options {
	const char *provider;
	const char *date;
	const char *source_note;
	const char *output;
	int dry_run;
	int skip_bad;
	int verify;
};

static const struct cli_column columns[] = {
	{ "PROVIDER", CLI_LEFT }, { "OFFERS", CLI_RIGHT }, { "TYPES", CLI_RIGHT },
	{ "REGIONS", CLI_RIGHT }, { "ACCELERATORS", CLI_RIGHT }, { "MARKED", CLI_RIGHT },
	{ "SIZE", CLI_RIGHT }, { "SOURCE", CLI_LEFT }, { "DATE", CLI_LEFT }, { "AGE", CLI_LEFT },
};

/* ---- Info: a table, or JSON ---- */

static void add_count(struct cli_table *table, const struct souk_catalogs_row *row, size_t count)
{
	if (*row->source)
		cli_table_printf(table, "%zu", count);
	else
		cli_table_add(table, NULL);
}

static void add_size(struct cli_table *table, const struct souk_catalogs_row *row)
{
	if (!*row->source)
		cli_table_add(table, NULL);
	else if (row->bytes < 1024 * 1024)
		cli_table_printf(table, "%" PRIu64 " KiB", (row->bytes + 1023) / 1024);
	else
		cli_table_printf(table, "%" PRIu64 ".%" PRIu64 " MiB", row->bytes >> 20,
				 ((row->bytes & 0xfffff) * 10) >> 20);
}

static void add_row(struct cli_table *table, const struct souk_catalogs_row *row)
{
	cli_table_add(table, row->provider);
	add_count(table, row, row->offers);
	add_count(table, row, row->types);
	add_count(table, row, row->regions);
	add_count(table, row, row->accelerators);
	add_count(table, row, row->marked);
	add_size(table, row);
	cli_table_add(table, row->asked_each_time ? "asked each time" : row->source);
	cli_table_add(table, row->date);
	if (row->age_days < 0)
		cli_table_add(table, NULL);
	else
		cli_table_printf(table, "%" PRId64 "d%s", row->age_days,
				 row->stale ? ", stale" : "");
}

/* What a table has no room for. */
static void say_more(const struct souk_catalogs *catalogs)
{
	size_t i, n = souk_catalogs_count(catalogs), marked = 0, absent = 0;

	for (i = 0; i < n; i++) {
		const struct souk_catalogs_row *row = souk_catalogs_row(catalogs, i);

		marked += row->marked;
		absent += !row->installed;
	}
	if (marked > 0)
		cli_hint("MARKED are prices that cannot be right: they are shown with '?', and "
			 "never chosen");
	if (absent > 0)
		cli_hint("no module is installed for %zu of them: 'souk offers' shows what they "
			 "sell, "
			 "'souk launch' cannot use it",
			 absent);
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
	for (i = 0; i < n; i++)
		add_row(&table, souk_catalogs_row(catalogs, i));
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	return status;
}

static void add_json_count(struct cli_json *json, struct json_object *in, const char *key,
			   const struct souk_catalogs_row *row, size_t count)
{
	if (*row->source)
		cli_json_int(json, in, key, (int64_t)count);
	else
		cli_json_null(json, in, key);
}

static void add_json_file(struct cli_json *json, struct json_object *in,
			  const struct souk_catalogs_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_json_text(json, in, "source", *row->source ? row->source : NULL);
	cli_json_text(json, in, "date", *row->date ? row->date : NULL);
	cli_json_text(json, in, "note", *row->note ? row->note : NULL);
	cli_json_text(json, in, "made_at", row->made_at > 0 ? cli_time(row->made_at, text) : NULL);
	if (row->age_days < 0)
		cli_json_null(json, in, "age_days");
	else
		cli_json_int(json, in, "age_days", row->age_days);
	cli_json_bool(json, in, "stale", row->stale);
	add_json_count(json, in, "bytes", row, row->bytes);
	cli_json_text(json, in, "hash", *row->hash ? row->hash : NULL);
	cli_json_text(json, in, "path", row->path);
}

static void add_json_row(struct cli_json *json, struct json_object *rows,
			 const struct souk_catalogs_row *row)
{
	struct json_object *object = cli_json_object(json, rows, NULL);

	cli_json_text(json, object, "provider", row->provider);
	cli_json_bool(json, object, "installed", row->installed);
	add_json_count(json, object, "offers", row, row->offers);
	add_json_count(json, object, "types", row, row->types);
	add_json_count(json, object, "regions", row, row->regions);
	add_json_count(json, object, "accelerators", row, row->accelerators);
	add_json_count(json, object, "marked", row, row->marked);
	add_json_file(json, object, row);
	cli_json_bool(json, object, "asked_each_time", row->asked_each_time);
	cli_json_bool(json, object, "skipped", row->skipped);
	cli_json_bool(json, object, "removed", row->removed);
	cli_json_text(json, object, "problem", row->problem);
}

static int print_json(const struct souk_catalogs *catalogs)
{
	struct json_object *rows;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "catalogs");
	for (i = 0; i < souk_catalogs_count(catalogs); i++)
		add_json_row(&json, rows, souk_catalogs_row(catalogs, i));
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
		const struct souk_catalogs_row *row = souk_catalogs_row(catalogs, i);

		if (row->problem && !row->skipped)
			status = souk_exit_status(row->code);
	}
	return status;
}

static int show(struct cli *cli, struct souk_catalogs *catalogs, int with_hints)
{
	int status = cli->common.json ? print_json(catalogs) : print_table(catalogs);

	if (status == 0) {
		if (with_hints && !cli->common.json)
			say_more(catalogs);
		status = status_of(catalogs);
	}
	souk_catalogs_free(catalogs);
	return status;
}

static int run_info(struct cli *cli, const struct options *options, int n_names, char **names)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs = NULL;

	if (souk_catalogs_info(cli->souk, (const char *const *)names, (size_t)n_names,
			       options->verify, &catalogs, &err) < 0)
		return cli_fail(&err);
	return show(cli, catalogs, 1);
}

/* ---- Update, rm ---- */

static int run_update(struct cli *cli, const struct options *options, int n_names, char **names)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs = NULL;
	struct cli_stream stream;
	int ret;

	(void)options;
	cli_stream_begin(&stream, cli);
	ret = souk_catalogs_update(cli->souk, (const char *const *)names, (size_t)n_names,
				   &stream.callbacks, &catalogs, &err);
	cli_stream_end(&stream, ret == SOUK_OK);
	return ret < 0 ? cli_fail(&err) : show(cli, catalogs, 0);
}

static void say_removed(const struct souk_catalogs *catalogs)
{
	size_t i;

	for (i = 0; i < souk_catalogs_count(catalogs); i++) {
		const struct souk_catalogs_row *row = souk_catalogs_row(catalogs, i);
		const char *what = row->removed ? "removed" : "there was nothing to remove";

		if (*row->source)
			cli_say("%s: %s; what counts is the %s of %s", row->provider, what,
				row->source, *row->date ? row->date : "an unknown date");
		else
			cli_say("%s: %s; nothing is known of its offers", row->provider, what);
	}
}

static int run_rm(struct cli *cli, const struct options *options, int n_names, char **names)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs = NULL;
	int status = 0;

	(void)options;
	if (n_names == 0)
		return cli_usage(cli->cmd, "rm: a PROVIDER is missing");
	if (souk_catalogs_remove(cli->souk, (const char *const *)names, (size_t)n_names, &catalogs,
				 &err) < 0)
		return cli_fail(&err);
	if (cli->common.json)
		status = print_json(catalogs);
	else
		say_removed(catalogs);
	souk_catalogs_free(catalogs);
	return status;
}

/* ---- Import ---- */

static int print_import_json(const struct souk_import *import, const struct options *options)
{
	const struct souk_import_row *row = souk_import_row(import);
	struct json_object *object, *problems;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	object = cli_json_object(&json, json.root, "import");
	cli_json_text(&json, object, "provider", row->provider);
	cli_json_bool(&json, object, "installed", row->installed);
	cli_json_int(&json, object, "rows", (int64_t)row->rows);
	cli_json_int(&json, object, "bad", (int64_t)row->bad);
	cli_json_int(&json, object, "offers", (int64_t)row->offers);
	cli_json_int(&json, object, "types", (int64_t)row->types);
	cli_json_int(&json, object, "regions", (int64_t)row->regions);
	cli_json_int(&json, object, "accelerators", (int64_t)row->accelerators);
	cli_json_int(&json, object, "marked", (int64_t)row->marked);
	cli_json_text(&json, object, "date", *row->date ? row->date : NULL);
	cli_json_bool(&json, object, "dry_run", options->dry_run);
	cli_json_text(&json, object, "path", row->path);
	problems = cli_json_array(&json, object, "problems");
	for (i = 0; i < souk_import_problems(import); i++)
		cli_json_text(&json, problems, NULL, souk_import_problem(import, i));
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static void say_problems(const struct souk_import *import)
{
	const struct souk_import_row *row = souk_import_row(import);
	size_t i, n = souk_import_problems(import);

	for (i = 0; i < n; i++)
		cli_say("%s", souk_import_problem(import, i));
	if (row->bad > n)
		cli_say("... and %zu more", row->bad - n);
}

static void say_import(const struct souk_import *import, const struct options *options)
{
	const struct souk_import_row *row = souk_import_row(import);

	cli_say("%s: %zu offers of %zu types in %zu regions, %zu accelerators%s%s", row->provider,
		row->offers, row->types, row->regions, row->accelerators,
		*row->date ? ", prices of " : "", row->date);
	if (row->rows > row->offers)
		cli_say("doubles: %zu; the cheaper price is kept", row->rows - row->offers);
	if (row->marked > 0)
		cli_say("prices that cannot be right: %zu; they are shown with '?', and never "
			"chosen",
			row->marked);
	if (options->dry_run)
		cli_say("nothing was written (--dry-run)");
	else
		cli_say("written to '%s'", row->path);
	if (!row->installed && !options->output)
		cli_hint("no module for '%s' is installed: 'souk offers' shows what it sells, "
			 "'souk launch' "
			 "cannot use it",
			 row->provider);
}

static int finish_import(struct cli *cli, const struct options *options, const char *file,
			 struct souk_import *import)
{
	const struct souk_import_row *row = souk_import_row(import);
	int refused = row->bad > 0 && !(options->skip_bad && row->rows > 0);
	int status = 0;

	if (cli->common.json)
		status = print_import_json(import, options);
	else
		say_problems(import);
	if (status)
		return status;
	if (refused) {
		cli_error("'%s': %zu of %zu rows are wrong; nothing was imported", file, row->bad,
			  row->bad + row->rows);
		if (row->rows > 0)
			cli_hint("--skip-bad imports the other %zu", row->rows);
		return EX_DATAERR;
	}
	if (row->bad > 0)
		cli_warning("'%s': left out %zu rows that are wrong", file, row->bad);
	if (!cli->common.json)
		say_import(import, options);
	return 0;
}

static int run_import(struct cli *cli, const struct options *options, int n_names, char **names)
{
	const struct souk_import_options how = {
		.provider = options->provider,
		.date = options->date,
		.note = options->source_note,
		.output = options->output,
		.dry_run = options->dry_run,
		.skip_bad = options->skip_bad,
	};
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_import *import = NULL;
	int status;

	if (n_names != 1)
		return cli_usage(cli->cmd, n_names ? "import: one FILE at a time"
						   : "import: a FILE is missing");
	if (souk_catalogs_import(cli->souk, names[0], &how, &import, &err) < 0)
		return cli_fail(&err);
	status = finish_import(cli, options, names[0], import);
	souk_import_free(import);
	return status;
}

/* ---- The command ---- */

static const struct {
	const char *name;
	int (*run)(struct cli *cli, const struct options *options, int n_names, char **names);
	int imports; /* takes the flags of import */
	int verifies;
} verbs[] = {
	{ "info", run_info, 0, 1 },
	{ "update", run_update, 0, 0 },
	{ "import", run_import, 1, 0 },
	{ "rm", run_rm, 0, 0 },
};

static int unknown_verb(const char *name)
{
	const char *names[CLI_ARRAY_SIZE(verbs)], *nearest;
	size_t i;

	for (i = 0; i < CLI_ARRAY_SIZE(verbs); i++)
		names[i] = verbs[i].name;
	cli_error("no such command: 'souk catalog %.60s'", name);
	nearest = souk_nearest_name(name, names, CLI_ARRAY_SIZE(names));
	cli_hint("'souk catalog %s' is one", nearest ? nearest : "info");
	return EX_USAGE;
}

/* The flag that this verb does not take; NULL: none. */
static const char *strange_flag(const struct options *options, size_t verb)
{
	if (options->verify && !verbs[verb].verifies)
		return "verify";
	if (verbs[verb].imports)
		return NULL;
	return options->provider ? "provider" : options->date ? "date" :
	       options->source_note ? "source-note" : options->output ? "output" :
	       options->dry_run ? "dry-run" : options->skip_bad ? "skip-bad" : NULL;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	size_t i;
	int status;

	for (i = 0; i < CLI_ARRAY_SIZE(verbs); i++)
		if (strcmp(args[0], verbs[i].name) == 0)
			break;
	if (i == CLI_ARRAY_SIZE(verbs))
		return unknown_verb(args[0]);
	if (strange_flag(options, i))
		return cli_usage(cli->cmd, "%s: takes no --%s", args[0], strange_flag(options, i));
	status = cli_open(cli);
	return status ? status : verbs[i].run(cli, options, n_args - 1, args + 1);
}

static const struct cli_flag flags[] = {
	{ "provider", 0, "NAME", CLI_TEXT, offsetof(struct options, provider), 0, 0,
	  "import: whose offers they are; else as the file's column says" },
	{ "date", 0, "DATE", CLI_TEXT, offsetof(struct options, date), 0, 0,
	  "import: the day of the prices, such as 2026-07-20" },
	{ "source-note", 0, "TEXT", CLI_TEXT, offsetof(struct options, source_note), 0, 0,
	  "import: where they are from, for people" },
	{ "output", 'o', "FILE", CLI_TEXT, offsetof(struct options, output), 0, 0,
	  "import: write a seed to FILE, to be shipped with a provider" },
	{ "dry-run", 0, NULL, CLI_SWITCH, offsetof(struct options, dry_run), 1, 0,
	  "import: say what would come of it, write nothing" },
	{ "skip-bad", 0, NULL, CLI_SWITCH, offsetof(struct options, skip_bad), 1, 0,
	  "import: leave out the rows that are wrong" },
	{ "verify", 0, NULL, CLI_SWITCH, offsetof(struct options, verify), 1, 0,
	  "info: check the whole of each file" },
	{ NULL, 0, NULL, CLI_SWITCH, 0, 0, 0, NULL },
};

static const char *const usage[] = {
	"info [--verify] [PROVIDER...]",
	"update [PROVIDER...]",
	"import FILE.csv [FLAG...]",
	"rm PROVIDER...",
	NULL,
};

const struct souk_cmd souk_cmd_catalog = {
	.name = "catalog",
	.group = "Market and setup",
	.summary = "what is known of the offers, newer ones, tables of your own (info, update, "
		   "import, rm)",
	.usage = usage,
	.description = "info shows what is known of each provider's offers, where it is from and "
		       "of which day;\n"
		       "it asks no cloud. update asks the clouds, those named or all that may take "
		       "part, and\n"
		       "keeps their answers for 'souk offers' and 'souk launch'. What a cloud that "
		       "fails has\n"
		       "said before stays as it is. import reads a table of offers; a provider "
		       "without a module\n"
		       "is on the market too, to be looked at. rm forgets what update and import "
		       "have kept.",
	.examples = "souk catalog info\n"
		    "souk catalog update aws\n"
		    "souk catalog import prices.csv --provider acme --date 2026-07-20",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
