/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-check.c - souk check: are the credentials good, and whose are they */
#include "cli.h"

#include <json-c/json.h>

static void print_row(const struct souk_check_row *row)
{
	char line[1024];
	int len = 0;

	if (!row->ok) {
		snprintf(line, sizeof(line), "%s: failed: %s", row->provider,
			 row->message ? row->message : "unknown failure");
		cli_text_print(stdout, line);
		putchar('\n');
		fflush(stdout);
		if (row->hint && *row->hint)
			cli_hint("%s", row->hint);
		return;
	}
	len = snprintf(line, sizeof(line), "%s: ok", row->provider);
	if (row->account && len >= 0 && (size_t)len < sizeof(line))
		len += snprintf(line + len, sizeof(line) - (size_t)len, ", account %s", row->account);
	if (row->principal && len >= 0 && (size_t)len < sizeof(line))
		len += snprintf(line + len, sizeof(line) - (size_t)len, ", as %s", row->principal);
	if (row->detail && len >= 0 && (size_t)len < sizeof(line))
		snprintf(line + len, sizeof(line) - (size_t)len, ", %s", row->detail);
	cli_text_print(stdout, line);
	putchar('\n');
}

static int print_json(const struct souk_checks *checks)
{
	struct json_object *rows, *object;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "providers");
	for (i = 0; i < souk_checks_count(checks); i++) {
		const struct souk_check_row *row = souk_checks_row(checks, i);

		object = cli_json_object(&json, rows, NULL);
		cli_json_text(&json, object, "provider", row->provider);
		cli_json_bool(&json, object, "ok", row->ok);
		cli_json_text(&json, object, "account", row->account);
		cli_json_text(&json, object, "principal", row->principal);
		cli_json_text(&json, object, "detail", row->detail);
		cli_json_text(&json, object, "message", row->ok ? NULL : row->message);
		cli_json_text(&json, object, "hint", row->ok ? NULL : row->hint);
	}
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_checks *checks = NULL;
	size_t i, n, good = 0;
	int status = cli_open(cli);

	(void)opaque;
	if (status)
		return status;
	if (souk_check(cli->souk, (const char *const *)args, (size_t)n_args, &checks, &err) < 0)
		return cli_fail(&err);
	n = souk_checks_count(checks);
	for (i = 0; i < n; i++) {
		good += souk_checks_row(checks, i)->ok != 0;
		if (!cli->common.json)
			print_row(souk_checks_row(checks, i));
	}
	if (n == 0 && !cli->common.json)
		cli_say("no providers");
	if (cli->common.json)
		status = print_json(checks);
	souk_checks_free(checks);
	if (status == 0 && (n_args > 0 ? good < n : good == 0))
		status = EX_NOPERM;
	return status;
}

static const char *const usage[] = { "[PROVIDER...]", NULL };

const struct souk_cmd souk_cmd_check = {
	.name = "check",
	.group = "Market and setup",
	.summary = "are the credentials good, and whose are they",
	.usage = usage,
	.description = "Asks each provider, or those named, whether its credentials are good. The exit status\n"
		       "is 0 if one is, or all that were named are; else 77.",
	.examples = "souk check\n"
		    "souk check aws",
	.max_args = -1,
	.run = run,
};
