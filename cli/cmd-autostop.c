/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-autostop.c - souk autostop: when an idle cluster stops by itself */
#include "cli.h"

#include <inttypes.h>
#include <json-c/json.h>

struct options {
	const char *idle;
	int down;
	int cancel;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "idle-minutes", .letter = 'i', .arg = "MINUTES", .type = CLI_TEXT, OPTION(idle),
	  .help = "stop after so long idle; 90, 90m, 2h, 1d" },
	{ .name = "down", .type = CLI_SWITCH, .value = 1, OPTION(down),
	  .help = "tear down instead of stopping" },
	{ .name = "cancel", .type = CLI_SWITCH, .value = 1, OPTION(cancel),
	  .help = "no autostop any more" },
	{ .name = NULL },
};

struct setting {
	int64_t minutes; /* -1: off */
	int down;
};

static void say_done(const char *name, const struct setting *setting)
{
	if (setting->minutes < 0)
		cli_say("%s: autostop is off", name);
	else
		cli_say("%s: will be %s after %" PRId64 " idle minutes", name,
			setting->down ? "torn down" : "stopped", setting->minutes);
}

static void add_json(struct cli_json *json, struct json_object *rows, const char *name,
		     const struct setting *setting, const char *failure)
{
	struct json_object *row = cli_json_object(json, rows, NULL), *autostop;

	cli_json_text(json, row, "name", name);
	cli_json_text(json, row, "message", failure);
	if (failure || setting->minutes < 0) {
		cli_json_null(json, row, "autostop");
		return;
	}
	autostop = cli_json_object(json, row, "autostop");
	cli_json_int(json, autostop, "idle_minutes", setting->minutes);
	cli_json_bool(json, autostop, "down", setting->down);
}

static int set_all(struct cli *cli, const struct cli_names *names, const struct setting *setting)
{
	int status = names->missing ? EX_UNAVAILABLE : 0, one;
	struct json_object *rows;
	struct cli_json json;
	size_t i;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "clusters");
	for (i = 0; i < names->n && !cli_interrupted(); i++) {
		struct souk_error err = SOUK_ERROR_INIT;
		const char *name = names->rows[i]->name;

		if (souk_autostop(cli->souk, name, setting->minutes, setting->down, &err) < 0) {
			one = cli_fail(&err);
			status = status ? status : one;
			add_json(&json, rows, name, setting, err.message);
		} else {
			say_done(name, setting);
			add_json(&json, rows, name, setting, NULL);
		}
	}
	if (i < names->n)
		status = CLI_EXIT_INTERRUPTED;
	if (cli->common.json && (one = cli_json_print(&json)) != 0)
		status = one;
	cli_json_fini(&json);
	return status;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct setting setting = { .minutes = -1, .down = options->down };
	struct cli_names names;
	int status;

	if (options->cancel && (options->idle || options->down))
		return cli_usage(cli->cmd, "souk autostop: either --cancel or -i, not both");
	if (!options->cancel && !options->idle)
		return cli_usage(cli->cmd, "souk autostop: after how long? give -i MINUTES, or --cancel");
	if (options->idle &&
	    cli_parse_minutes(cli->cmd, "idle-minutes", options->idle, &setting.minutes) < 0)
		return EX_USAGE;
	status = cli_open(cli);
	if (status)
		return status;
	status = cli_names_find(cli, args, n_args, 0, &names);
	if (status)
		return status;
	status = set_all(cli, &names, &setting);
	cli_names_fini(&names);
	return status;
}

static const char *const usage[] = { "NAME... -i MINUTES [--down]", "NAME... --cancel", NULL };

const struct souk_cmd souk_cmd_autostop = {
	.name = "autostop",
	.group = "Clusters",
	.summary = "stop or tear down a cluster when it has been idle",
	.usage = usage,
	.description = "Sets after how many idle minutes a cluster stops by itself. Idle is a cluster without\n"
		       "a job that waits or runs and without an open SSH session; the machines see to it\n"
		       "themselves. Names may be shell patterns.",
	.examples = "souk autostop dev -i 30\n"
		    "souk autostop dev -i 2h --down\n"
		    "souk autostop dev --cancel",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
