/* SPDX-License-Identifier: Apache-2.0 */
/* provider-test.c - souk provider test and new: the conformance suite, and a module to begin with */
#include "cli.h"

#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "provider-test.h"

#define PREFIX "souk-provider-"
#define SUFFIX ".so"

/* ---- What is tested ---- */

struct target {
	char *name;
	char *dir;   /* of a file; NULL: it is found as all are */
	char **sets; /* --set, with the name before the key */
	size_t n_sets;
};

static void target_fini(struct target *target)
{
	size_t i;

	for (i = 0; i < target->n_sets; i++)
		free(target->sets[i]);
	free(target->sets);
	free(target->name);
	free(target->dir);
}

static int is_file_name(const char *text)
{
	size_t len = strlen(text), suffix = strlen(SUFFIX);

	return strchr(text, '/') || (len > suffix && strcmp(text + len - suffix, SUFFIX) == 0);
}

/* "dir/souk-provider-x.so": folder and name. */
static int split_file(const struct cli *cli, const char *path, struct target *target)
{
	const char *slash = strrchr(path, '/');
	const char *file = slash ? slash + 1 : path;
	size_t len = strlen(file), ends = strlen(PREFIX) + strlen(SUFFIX);

	if (len <= ends || strncmp(file, PREFIX, strlen(PREFIX)) != 0 ||
	    strcmp(file + len - strlen(SUFFIX), SUFFIX) != 0)
		return cli_usage(cli->cmd, "souk provider test: a module is called " PREFIX "NAME" SUFFIX
				 ", not '%.200s'", file);
	target->name = strndup(file + strlen(PREFIX), len - ends);
	target->dir = slash == path ? strdup("/") :
		      slash	    ? strndup(path, (size_t)(slash - path)) :
				      strdup(".");
	return target->name && target->dir ? 0 : cli_nomem();
}

static int add_set(struct target *target, const char *text)
{
	size_t key = strcspn(text, "=");
	int has_name = memchr(text, '.', key) != NULL;
	char **sets = realloc(target->sets, (target->n_sets + 1) * sizeof(*sets));

	if (!sets)
		return cli_nomem();
	target->sets = sets;
	if (asprintf(&sets[target->n_sets], "%s%s%s", has_name ? "" : target->name, has_name ? "" : ".",
		     text) < 0)
		return cli_nomem();
	target->n_sets++;
	return 0;
}

/* Put the target before what the common flags say. */
static int take_target(struct cli *cli, const struct cli_provider_options *options,
		       struct target *target)
{
	struct cli_list path = { 0 };
	char *endpoint = NULL;
	size_t i;
	int status = 0;

	for (i = 0; i < cli->common.set.n && status == 0; i++)
		status = add_set(target, cli->common.set.items[i]);
	if (status == 0 && options->endpoint) {
		if (asprintf(&endpoint, "endpoint=%s", options->endpoint) < 0)
			return cli_nomem();
		status = add_set(target, endpoint);
		free(endpoint);
	}
	cli->common.set.n = 0;
	for (i = 0; i < target->n_sets && status == 0; i++)
		if (cli_list_add(&cli->common.set, target->sets[i]) < 0)
			status = cli_nomem();
	if (!target->dir || status)
		return status;
	if (cli_list_add(&path, target->dir) < 0)
		return cli_nomem();
	for (i = 0; i < cli->common.provider_path.n; i++)
		if (cli_list_add(&path, cli->common.provider_path.items[i]) < 0) {
			free(path.items);
			return cli_nomem();
		}
	free(cli->common.provider_path.items);
	cli->common.provider_path = path;
	return 0;
}

/* ---- What is told ---- */

struct report {
	struct cli_json json;
	struct json_object *rows;
	int is_json;
	unsigned n;
};

static const char *const outcomes[] = { "ok", "not ok", "skip" };

static void print_row(const struct souk_conformance_row *row, struct report *report)
{
	report->n++;
	printf("%s %u - %s: ", row->outcome == SOUK_CONFORMANCE_NOT_OK ? "not ok" : "ok", report->n, row->id);
	cli_text_print(stdout, row->what);
	if (row->outcome == SOUK_CONFORMANCE_SKIP) {
		fputs(" # SKIP ", stdout);
		cli_text_print(stdout, row->reason);
	}
	putchar('\n');
	if (row->outcome == SOUK_CONFORMANCE_NOT_OK) {
		fputs("# found: ", stdout);
		cli_text_print(stdout, row->reason);
		fputs("\n# to do: ", stdout);
		cli_text_print(stdout, row->fix);
		putchar('\n');
	}
	fflush(stdout);
}

static void add_row(const struct souk_conformance_row *row, struct report *report)
{
	struct json_object *object = cli_json_object(&report->json, report->rows, NULL);

	cli_json_text(&report->json, object, "id", row->id);
	cli_json_text(&report->json, object, "what", row->what);
	cli_json_text(&report->json, object, "outcome", outcomes[row->outcome]);
	cli_json_text(&report->json, object, "reason", row->reason);
	cli_json_text(&report->json, object, "fix", row->fix);
	cli_json_int(&report->json, object, "took_ms", row->took_ms);
}

static void on_row(const struct souk_conformance_row *row, void *arg)
{
	struct report *report = arg;

	if (report->is_json)
		add_row(row, report);
	else
		print_row(row, report);
}

static void on_listed(const struct souk_conformance_row *row, void *arg)
{
	(void)arg;
	printf("%-24s %s\n", row->id, row->what);
}

static int finish(struct report *report, const char *name, const struct souk_conformance_result *result)
{
	int status = result->failed ? 1 : 0;

	if (!report->is_json) {
		printf("1..%u\n# %u ok, %u not ok, %u skipped\n", report->n, (unsigned)result->passed,
		       (unsigned)result->failed, (unsigned)result->skipped);
		return status;
	}
	cli_json_text(&report->json, report->json.root, "provider", name);
	cli_json_int(&report->json, report->json.root, "passed", result->passed);
	cli_json_int(&report->json, report->json.root, "failed", result->failed);
	cli_json_int(&report->json, report->json.root, "skipped", result->skipped);
	return cli_json_print(&report->json) ? EX_IOERR : status;
}

/* ---- The commands ---- */

static int run_target(struct cli *cli, const struct cli_provider_options *options,
		      const struct target *target)
{
	struct souk_conformance_result result = { 0 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct report report = { .is_json = cli->common.json };
	struct souk_conformance asked = {
		.provider = target->name,
		.only = options->only,
		.instance_type = options->instance_type,
		.region = options->region,
		.calls = options->calls,
		.grace_ms = options->grace_ms,
		.machines = options->machines,
		.on_row = on_row,
		.arg = &report,
	};
	int status;

	cli_json_init(&report.json);
	report.rows = cli_json_array(&report.json, report.json.root, "tests");
	if (souk_conformance_run(cli->souk, &asked, &result, &err) < 0)
		status = cli_fail(&err);
	else
		status = finish(&report, target->name, &result);
	cli_json_fini(&report.json);
	return status;
}

static int list_tests(struct cli *cli, const struct cli_provider_options *options)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_conformance asked = {
		.only = options->only, .list_only = 1, .on_row = on_listed,
	};
	int status = cli_open(cli);

	if (status)
		return status;
	return souk_conformance_run(cli->souk, &asked, NULL, &err) < 0 ? cli_fail(&err) : 0;
}

int cli_provider_test(struct cli *cli, const struct cli_provider_options *options, const char *text)
{
	struct target target = { 0 };
	int status;

	if (options->list)
		return list_tests(cli, options);
	if (!text)
		return cli_usage(cli->cmd, "souk provider test: which module?");
	if (is_file_name(text))
		status = split_file(cli, text, &target);
	else
		status = (target.name = strdup(text)) ? 0 : cli_nomem();
	if (status == 0)
		status = take_target(cli, options, &target);
	if (status == 0 && options->machines && !options->endpoint)
		status = cli_confirm(cli, "Rent machines of '%s', several after one another, and pay for them?",
				     target.name);
	if (status == 0)
		status = cli_open(cli);
	if (status == 0)
		status = run_target(cli, options, &target);
	/* The context has copies, but the lists of the flags still point here. */
	cli->common.set.n = 0;
	target_fini(&target);
	return status;
}

int cli_provider_new(struct cli *cli, const struct cli_provider_options *options, const char *name)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char *dir = NULL;
	int status;

	if (!name)
		return cli_usage(cli->cmd, "souk provider new: which name?");
	status = cli_open(cli);
	if (status)
		return status;
	if (asprintf(&dir, "%s%s", options->dir ? "" : PREFIX, options->dir ? options->dir : name) < 0)
		return cli_nomem();
	if (souk_provider_new(cli->souk, name, dir, &err) < 0) {
		status = cli_fail(&err);
	} else {
		cli_say("'%s' has a module to begin with; README.md there says how to build it", dir);
		cli_hint("souk provider test ./" PREFIX "%s" SUFFIX, name);
	}
	free(dir);
	return status;
}
