/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-help.c - souk help: what --help shows */
#include "cli.h"

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct souk_cmd *cmd;

	(void)cli;
	(void)opaque;
	if (n_args == 0) {
		cli_help_main(stdout);
		return 0;
	}
	cmd = cli_command_find(args[0]);
	if (!cmd)
		return cli_command_unknown(args[0]);
	cli_help_command(cmd, stdout);
	return 0;
}

static const char *const usage[] = { "[COMMAND]", NULL };

const struct souk_cmd souk_cmd_help = {
	.name = "help",
	.summary = "how a command is used",
	.usage = usage,
	.description = "Shows the commands, or how one of them is used.",
	.max_args = 1,
	.run = run,
};
