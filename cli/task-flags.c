/* SPDX-License-Identifier: Apache-2.0 */
/* task-flags.c - the task of a launch or exec: a file or a command, with the flags over it */
#include "cli.h"

#include <string.h>
#include <strings.h>

#define COMMAND_CEILING (1u << 20)

static void fill_overrides(const struct cli_task_options *options, struct souk_overrides *overrides)
{
	memset(overrides, 0, sizeof(*overrides));
	overrides->name = options->name;
	overrides->workdir = options->workdir;
	overrides->env = options->env.items;
	overrides->env_file = options->env_file;
	overrides->secret = options->secret.items;
	overrides->secret_file = options->secret_file;
	overrides->infra = options->infra;
	overrides->accelerators = options->gpus;
	overrides->cpus = options->cpus;
	overrides->memory = options->memory;
	overrides->instance_type = options->instance_type;
	overrides->disk_size = options->disk_size;
	overrides->disk_tier = options->disk_tier;
	overrides->image_id = options->image_id;
	overrides->ports = options->ports;
	overrides->max_hourly_cost = options->max_hourly_cost;
	overrides->num_nodes = options->num_nodes;
	overrides->use_spot = options->use_spot;
}

int cli_task_is_file_name(const char *word)
{
	const char *dot = strrchr(word, '.');

	return dot && !strpbrk(word, " \t\n") &&
	       (strcasecmp(dot, ".yaml") == 0 || strcasecmp(dot, ".yml") == 0);
}

size_t cli_task_show_diagnostics(const struct souk_task_file *file, const char *name)
{
	size_t i, errors = 0;

	for (i = 0; file && i < souk_task_file_diagnostics(file); i++) {
		const struct souk_diagnostic_row *row = souk_task_file_diagnostic(file, i);

		if (row->warning && row->line)
			cli_say("%s:%u:%u: warning: %s", name, row->line, row->column, row->message);
		else if (row->warning)
			cli_say("%s: warning: %s", name, row->message);
		else
			cli_say("%s", row->text);
		errors += !row->warning;
	}
	return errors;
}

static int load(struct cli *cli, const struct cli_task_options *options, const char *source, int all,
		struct souk_task_file **file_out)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_task_file *file = NULL;
	struct souk_overrides overrides;
	size_t errors;
	int ret, status;

	fill_overrides(options, &overrides);
	if (all)
		ret = souk_task_file_load_all(cli->souk, source, &overrides, &file, &err);
	else
		ret = souk_task_file_load(cli->souk, source, &overrides, &file, &err);
	errors = cli_task_show_diagnostics(file, source);
	if (ret == SOUK_OK) {
		*file_out = file;
		return 0;
	}
	status = errors ? souk_exit_status(ret) : cli_fail(&err);
	if (ret == SOUK_E_NOT_FOUND)
		status = EX_DATAERR;
	souk_task_file_free(file);
	return status;
}

static int load_words(struct cli *cli, const struct cli_task_options *options, int n_args, char **args,
		      int all, struct souk_task_file **file_out)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_buf words;
	int i, status;

	if (n_args == 1)
		return load(cli, options, args[0], all, file_out);
	if (cli_task_is_file_name(args[0]))
		return cli_usage(cli->cmd, "souk %s: one task file only: unexpected '%.60s' behind '%.60s'",
				 cli->cmd->name, args[1], args[0]);
	souk_buf_init(&words, COMMAND_CEILING);
	for (i = 0; i < n_args; i++) {
		souk_buf_str(&words, i ? " " : "");
		souk_buf_str(&words, args[i]);
	}
	if (souk_buf_failed(&words, &err) != SOUK_OK)
		status = cli_fail(&err);
	else
		status = load(cli, options, words.data, all, file_out);
	souk_buf_fini(&words);
	return status;
}

int cli_task_load(struct cli *cli, const struct cli_task_options *options, int n_args, char **args,
		  struct souk_task_file **file_out)
{
	return load_words(cli, options, n_args, args, 0, file_out);
}

int cli_task_load_all(struct cli *cli, const struct cli_task_options *options, int n_args, char **args,
		      struct souk_task_file **file_out)
{
	return load_words(cli, options, n_args, args, 1, file_out);
}
