/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-provider.c - souk provider: the modules that are installed, their tests, a new one */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

#include "provider-test.h"

static const struct cli_column columns[] = {
	{ "PROVIDER", CLI_LEFT }, { "STATUS", CLI_LEFT }, { "ENABLED", CLI_LEFT },
	{ "MODULE", CLI_LEFT },
};

/* ---- list --------------------------------------------------------------------------------- */

static int print_list(const struct souk_providers *providers)
{
	struct cli_table table;
	size_t i, n = souk_providers_count(providers);
	int status;

	if (n == 0) {
		cli_say("no providers are installed");
		cli_hint("install a package souk-provider-NAME, or give --provider-path DIR");
		return 0;
	}
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < n; i++) {
		const struct souk_provider_row *row = souk_providers_row(providers, i);

		cli_table_add(&table, row->name);
		cli_table_add(&table, row->problem ? "refused" : "ok");
		cli_table_add(&table, row->enabled && !row->problem ? "yes" : "no");
		cli_table_add(&table, row->path);
	}
	status = cli_table_print(&table, stdout);
	cli_table_fini(&table);
	for (i = 0; status == 0 && i < n; i++) {
		const struct souk_provider_row *row = souk_providers_row(providers, i);

		if (row->problem)
			cli_warning("%s: refused: %s", row->name, row->problem);
	}
	return status;
}

static int print_list_json(const struct souk_providers *providers)
{
	struct json_object *rows, *object;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "providers");
	for (i = 0; i < souk_providers_count(providers); i++) {
		const struct souk_provider_row *row = souk_providers_row(providers, i);

		object = cli_json_object(&json, rows, NULL);
		cli_json_text(&json, object, "name", row->name);
		cli_json_text(&json, object, "path", row->path);
		cli_json_bool(&json, object, "ok", row->problem == NULL);
		cli_json_bool(&json, object, "enabled", row->enabled && !row->problem);
		cli_json_text(&json, object, "problem", row->problem);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int run_list(struct cli *cli)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_providers *providers = NULL;
	int status = cli_open(cli);

	if (status)
		return status;
	if (souk_providers_list(cli->souk, 1, &providers, &err) < 0)
		return cli_fail(&err);
	status = cli->common.json ? print_list_json(providers) : print_list(providers);
	souk_providers_free(providers);
	return status;
}

/* ---- info --------------------------------------------------------------------------------- */

static void print_pair(const char *key, const char *value)
{
	printf("%-13s ", key);
	cli_text_print(stdout, value ? value : "-");
	putchar('\n');
}

/* A text of several lines, indented. */
static void print_block(const char *title, const char *text)
{
	char line[256];

	printf("\n%s:\n", title);
	while (*text) {
		size_t len = strcspn(text, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(len < 250 ? len : 250), text);
		printf("%s", len ? "  " : "");
		cli_text_print(stdout, line);
		putchar('\n');
		text += len + (text[len] == '\n');
	}
}

static void print_features(const struct souk_provider_info *info)
{
	size_t i;

	fputs("features      ", stdout);
	for (i = 0; info->features && info->features[i]; i++) {
		fputs(i ? ", " : "", stdout);
		cli_text_print(stdout, info->features[i]);
	}
	puts(i ? "" : "-");
	for (i = 0; info->missing && info->missing[i]; i++) {
		fputs(i ? "              " : "missing       ", stdout);
		cli_text_print(stdout, info->missing[i]);
		putchar('\n');
	}
}

static void print_options(const struct souk_provider_info *info)
{
	size_t i;

	if (info->n_options == 0)
		return;
	printf("\nOptions (providers: %s: KEY: VALUE in config.yaml, or --set %s.KEY=VALUE):\n",
	       info->name, info->name);
	for (i = 0; i < info->n_options; i++) {
		const struct souk_option_row *row = &info->options[i];

		printf("  ");
		cli_text_print(stdout, row->name);
		printf(" (%s", row->type);
		if (row->default_value) {
			printf(", default ");
			cli_text_print(stdout, row->default_value);
		}
		printf(", %s)%s", row->variable, row->value ? " = " : "");
		if (row->value)
			cli_text_print(stdout, row->value);
		printf("\n      ");
		cli_text_print(stdout, row->help ? row->help : "-");
		putchar('\n');
	}
}

static void print_info(const struct souk_provider_info *info)
{
	char abi[16];

	snprintf(abi, sizeof(abi), "%u", info->abi);
	print_pair("provider", info->name);
	print_pair("title", info->title);
	print_pair("version", info->version);
	print_pair("module", info->path);
	print_pair("ABI", abi);
	print_pair("threads", info->threads);
	print_features(info);
	if (info->credentials)
		print_block("Credentials", info->credentials);
	if (info->permissions)
		print_block("Permissions", info->permissions);
	print_options(info);
}

static void add_texts(struct cli_json *json, struct json_object *in, const char *key,
		      const char *const *texts)
{
	struct json_object *array = cli_json_array(json, in, key);

	for (; texts && *texts; texts++)
		cli_json_text(json, array, NULL, *texts);
}

static int print_info_json(const struct souk_provider_info *info)
{
	struct json_object *rows, *object;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "name", info->name);
	cli_json_text(&json, json.root, "title", info->title);
	cli_json_text(&json, json.root, "version", info->version);
	cli_json_text(&json, json.root, "path", info->path);
	cli_json_int(&json, json.root, "abi", info->abi);
	cli_json_text(&json, json.root, "threads", info->threads);
	add_texts(&json, json.root, "features", info->features);
	add_texts(&json, json.root, "missing", info->missing);
	cli_json_text(&json, json.root, "credentials", info->credentials);
	cli_json_text(&json, json.root, "permissions", info->permissions);
	rows = cli_json_array(&json, json.root, "options");
	for (i = 0; i < info->n_options; i++) {
		const struct souk_option_row *row = &info->options[i];

		object = cli_json_object(&json, rows, NULL);
		cli_json_text(&json, object, "name", row->name);
		cli_json_text(&json, object, "help", row->help);
		cli_json_text(&json, object, "type", row->type);
		cli_json_text(&json, object, "default", row->default_value);
		cli_json_text(&json, object, "variable", row->variable);
		cli_json_text(&json, object, "value", row->value);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int run_info(struct cli *cli, const char *name)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_provider_info *info = NULL;
	int status = cli_open(cli);

	if (status)
		return status;
	if (souk_provider_info_get(cli->souk, name, &info, &err) < 0)
		return cli_fail(&err);
	if (cli->common.json)
		status = print_info_json(info);
	else
		print_info(info);
	souk_provider_info_free(info);
	return status;
}

static const struct {
	const char *name;
	int words; /* at most, itself included */
} verbs[] = { { "list", 1 }, { "info", 2 }, { "test", 2 }, { "new", 2 } };

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const char *names[CLI_ARRAY_SIZE(verbs)], *nearest;
	const char *word = n_args > 1 ? args[1] : NULL;
	size_t i;

	for (i = 0; i < CLI_ARRAY_SIZE(verbs); i++) {
		names[i] = verbs[i].name;
		if (strcmp(args[0], verbs[i].name) == 0 && n_args > verbs[i].words)
			return cli_usage(cli->cmd, "souk provider %s: unexpected argument '%.60s'",
					 verbs[i].name, args[verbs[i].words]);
	}
	if (strcmp(args[0], "list") == 0)
		return run_list(cli);
	if (strcmp(args[0], "info") == 0)
		return word ? run_info(cli, word) :
			      cli_usage(cli->cmd, "souk provider info: which provider?");
	if (strcmp(args[0], "test") == 0)
		return cli_provider_test(cli, opaque, word);
	if (strcmp(args[0], "new") == 0)
		return cli_provider_new(cli, opaque, word);
	cli_error("no such command: 'souk provider %.60s'", args[0]);
	nearest = souk_nearest_name(args[0], names, CLI_ARRAY_SIZE(names));
	cli_hint("'souk provider %s' is one", nearest ? nearest : "list");
	return EX_USAGE;
}

#define OPTION(member) .offset = offsetof(struct cli_provider_options, member)

static const struct cli_flag flags[] = {
	{ .name = "endpoint", .arg = "URL", .type = CLI_TEXT, OPTION(endpoint),
	  .help = "test: send requests there, to a simulator say" },
	{ .name = "machines", .type = CLI_SWITCH, .value = 1, OPTION(machines),
	  .help = "test: also what rents machines" },
	{ .name = "instance-type", .arg = "TYPE", .type = CLI_TEXT, OPTION(instance_type),
	  .help = "test: rent this one (the cheapest)" },
	{ .name = "region", .arg = "REGION", .type = CLI_TEXT, OPTION(region),
	  .help = "test: rent there (anywhere)" },
	{ .name = "only", .arg = "PATTERN", .type = CLI_TEXT, OPTION(only),
	  .help = "test: those whose id fits, such as 'offers.*'" },
	{ .name = "calls", .arg = "N", .type = CLI_NUMBER, OPTION(calls),
	  .help = "test: calls of the search for leaks (1000)" },
	{ .name = "grace-ms", .arg = "MS", .type = CLI_NUMBER, OPTION(grace_ms),
	  .help = "test: how soon a cancelled call returns (1000)" },
	{ .name = "list", .type = CLI_SWITCH, .value = 1, OPTION(list),
	  .help = "test: show the tests, make none" },
	{ .name = "dir", .arg = "DIR", .type = CLI_TEXT, OPTION(dir),
	  .help = "new: the folder to make (souk-provider-NAME)" },
	{ .name = NULL },
};

static const char *const usage[] = { "list", "info NAME", "test [FLAGS] FILE.so|NAME",
				     "new [--dir DIR] NAME", NULL };

const struct souk_cmd souk_cmd_provider = {
	.name = "provider",
	.group = "Market and setup",
	.summary = "the provider modules that are installed (list, info, test, new)",
	.usage = usage,
	.description = "list shows the modules found, which of them take part in a launch, and why one was\n"
		       "refused. info shows what a module can do, how it finds credentials, the permissions\n"
		       "it needs and its options with their values. Neither asks a cloud.\n"
		       "\n"
		       "test tries whether a module keeps the promises of souk/provider.h, each test in a\n"
		       "process of its own. new makes a folder with a module to begin with.",
	.examples = "souk provider list\n"
		    "souk provider info aws\n"
		    "souk provider new mycloud\n"
		    "souk provider test ./souk-provider-mycloud.so --endpoint http://127.0.0.1:8080 --machines",
	.flags = flags,
	.options_size = sizeof(struct cli_provider_options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
