/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - the command souk: the table of commands, the flags before them, and the call */
#include "cli.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern const struct souk_cmd souk_cmd_launch, souk_cmd_exec, souk_cmd_logs, souk_cmd_queue,
	souk_cmd_cancel, souk_cmd_status, souk_cmd_ssh, souk_cmd_start, souk_cmd_stop, souk_cmd_down,
	souk_cmd_autostop, souk_cmd_offers, souk_cmd_catalog, souk_cmd_check, souk_cmd_validate,
	souk_cmd_provider, souk_cmd_doctor, souk_cmd_quote, souk_cmd_cost, souk_cmd_help;

/* In the order of 'souk --help'. */
const struct souk_cmd *const cli_commands[] = {
	&souk_cmd_launch, &souk_cmd_exec,   &souk_cmd_logs,  &souk_cmd_queue,	 &souk_cmd_cancel,
	&souk_cmd_status, &souk_cmd_ssh,    &souk_cmd_start, &souk_cmd_stop,	 &souk_cmd_down,
	&souk_cmd_autostop, &souk_cmd_cost, &souk_cmd_offers, &souk_cmd_quote, &souk_cmd_catalog,
	&souk_cmd_validate, &souk_cmd_check, &souk_cmd_doctor,
	&souk_cmd_provider, &souk_cmd_help, NULL,
};

const struct souk_cmd *cli_command_find(const char *name)
{
	const struct souk_cmd *const *cmd;

	for (cmd = cli_commands; *cmd; cmd++)
		if (strcmp((*cmd)->name, name) == 0)
			return *cmd;
	return NULL;
}

int cli_command_unknown(const char *name)
{
	const char *names[CLI_ARRAY_SIZE(cli_commands)];
	const char *nearest;
	size_t n;

	for (n = 0; cli_commands[n]; n++)
		names[n] = cli_commands[n]->name;
	cli_error("no such command: 'souk %.60s'", name);
	nearest = souk_nearest_name(name, names, n);
	if (nearest)
		cli_hint("did you mean 'souk %s'?", nearest);
	else
		cli_hint("'souk --help' lists the commands");
	return EX_USAGE;
}

static int wrong_count(const struct souk_cmd *cmd, int n_args, char **args)
{
	if (n_args < cmd->min_args)
		return cli_usage(cmd, "souk %s: too few arguments: souk %s %s", cmd->name, cmd->name,
				 cmd->usage[0]);
	return cli_usage(cmd, "souk %s: unexpected argument '%.60s'", cmd->name,
			 args[cmd->max_args]);
}

/* argv[0] is the name of the command. */
static int run_command(struct cli *cli, const struct souk_cmd *cmd, int argc, char **argv)
{
	void *options = calloc(1, cmd->options_size ? cmd->options_size : 1);
	char **args;
	int n_args, status;

	if (!options)
		return cli_nomem();
	cli->cmd = cmd;
	status = cli_args_parse(cli, cmd, options, argc, argv, &n_args, &args);
	if (status)
		;
	else if (cli->common.help)
		cli_help_command(cmd, stdout);
	else if (n_args < cmd->min_args || (cmd->max_args >= 0 && n_args > cmd->max_args))
		status = wrong_count(cmd, n_args, args);
	else
		status = cmd->run(cli, options, n_args, args);
	cli_close(cli);
	cli_args_fini(cmd->flags, options);
	free(options);
	return status;
}

static int run(struct cli *cli, int argc, char **argv)
{
	const struct souk_cmd *cmd;
	char **args;
	int n_args, status;

	status = cli_args_parse(cli, NULL, NULL, argc, argv, &n_args, &args);
	if (status)
		return status;
	if (cli->common.version) {
		printf("souk %s\n", souk_version());
		return 0;
	}
	if (n_args > 0) {
		cmd = cli_command_find(args[0]);
		return cmd ? run_command(cli, cmd, n_args, args) : cli_command_unknown(args[0]);
	}
	if (cli->common.help) {
		cli_help_main(stdout);
		return 0;
	}
	cli_help_main(stderr);
	return EX_USAGE;
}

/*
 * A descriptor that was closed by whoever has started us would be that of the next file that is
 * opened, and what is printed would land in it. In its place is one that fails as a closed one
 * does. 0, or -1.
 */
static int hold_descriptors(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };
	int fd;

	for (fd = 0; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct cli cli;
	int status;

	if (hold_descriptors() < 0)
		return EX_OSERR;
	memset(&cli, 0, sizeof(cli));
	/* A log whose reader has gone ends the following, not the program in the middle of a launch. */
	signal(SIGPIPE, SIG_IGN);
	status = run(&cli, argc, argv);
	cli_args_fini(cli_common_flags, &cli.common);
	return cli_finish_output(status);
}
