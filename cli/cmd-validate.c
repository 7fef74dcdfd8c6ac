/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-validate.c - souk validate: is a task file right, without running it */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

/* What one run of the command has found. */
struct findings {
	struct cli *cli;
	struct cli_json json;
	struct json_object *rows;
	int status;
};

static void add_diagnostic(struct findings *findings, struct json_object *in,
			   const struct souk_diagnostic_row *row)
{
	struct json_object *object = cli_json_object(&findings->json, in, NULL);

	if (row->line)
		cli_json_int(&findings->json, object, "line", row->line);
	else
		cli_json_null(&findings->json, object, "line");
	if (row->column)
		cli_json_int(&findings->json, object, "column", row->column);
	else
		cli_json_null(&findings->json, object, "column");
	cli_json_text(&findings->json, object, "severity", row->warning ? "warning" : "error");
	cli_json_text(&findings->json, object, "message", row->message);
}

static void add_file(struct findings *findings, const char *name, const struct souk_task_file *file,
		     int valid, const struct souk_error *err)
{
	struct json_object *object = cli_json_object(&findings->json, findings->rows, NULL), *list;
	size_t i;

	cli_json_text(&findings->json, object, "file", name);
	cli_json_bool(&findings->json, object, "valid", valid);
	list = cli_json_array(&findings->json, object, "diagnostics");
	for (i = 0; file && i < souk_task_file_diagnostics(file); i++)
		add_diagnostic(findings, list, souk_task_file_diagnostic(file, i));
	if (!valid && i == 0) {
		struct souk_diagnostic_row row = { .message = err->message };

		add_diagnostic(findings, list, &row);
	}
	list = cli_json_array(&findings->json, object, "unsupported");
	for (i = 0; valid && i < souk_task_file_unsupported(file); i++)
		cli_json_text(&findings->json, list, NULL, souk_task_file_unsupported_text(file, i));
}

static void set_status(struct findings *findings, int status)
{
	if (findings->status == 0)
		findings->status = status;
}

/* "FILE:LINE:COLUMN: message" with "warning: " before the message. */
static void say_unsupported(const char *name, const char *text)
{
	size_t len = strlen(name), place;

	if (strncmp(text, name, len) == 0) {
		place = len + strspn(text + len, ":0123456789");
		if (place > len && text[place] == ' ') {
			cli_say("%.*s warning:%s", (int)place, text, text + place);
			return;
		}
	}
	cli_say("%s: warning: %s", name, text);
}

static void check_file(struct findings *findings, const char *name)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_overrides none;
	struct souk_task_file *file = NULL;
	size_t errors, i;
	int ret;

	memset(&none, 0, sizeof(none));
	ret = souk_task_file_check(findings->cli->souk, name, &none, &file, &err);
	errors = cli_task_show_diagnostics(file, name);
	if (ret != SOUK_OK) {
		if (errors == 0) {
			cli_error("%s", err.message);
			if (err.hint[0])
				cli_hint("%s", err.hint);
		}
		set_status(findings, ret == SOUK_E_NOT_FOUND ? EX_DATAERR : cli_status(&err));
	}
	for (i = 0; ret == SOUK_OK && i < souk_task_file_unsupported(file); i++)
		say_unsupported(name, souk_task_file_unsupported_text(file, i));
	if (ret == SOUK_OK && !findings->cli->common.json) {
		cli_text_print(stdout, name);
		puts(": valid");
	}
	add_file(findings, name, file, ret == SOUK_OK, &err);
	souk_task_file_free(file);
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct findings findings = { .cli = cli };
	int i, status = cli_open(cli);

	(void)opaque;
	if (status)
		return status;
	cli_json_init(&findings.json);
	findings.rows = cli_json_array(&findings.json, findings.json.root, "files");
	for (i = 0; i < n_args; i++)
		check_file(&findings, args[i]);
	if (cli->common.json && (status = cli_json_print(&findings.json)) != 0)
		findings.status = status;
	cli_json_fini(&findings.json);
	return findings.status;
}

static const char *const usage[] = { "FILE...", NULL };

const struct souk_cmd souk_cmd_validate = {
	.name = "validate",
	.group = "Market and setup",
	.summary = "is a task file right, without running it",
	.usage = usage,
	.description = "Shows everything that is wrong with task files, a line each: FILE:LINE:COLUMN: message.\n"
		       "Fields that are right but that a launch still refuses are warnings. The exit status\n"
		       "is 65 if a file has an error.",
	.examples = "souk validate train.yaml\n"
		    "souk validate --json *.yaml",
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
