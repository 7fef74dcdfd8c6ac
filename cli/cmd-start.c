/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-start.c - souk start: switch stopped clusters on again */
#include "cli.h"

struct options {
	int all;
};

static const struct cli_flag flags[] = {
	{ .name = "all", .letter = 'a', .type = CLI_SWITCH, .value = 1,
	  .offset = offsetof(struct options, all), .help = "every cluster" },
	{ .name = NULL },
};

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	static const struct cli_cluster_action action = {
		.verb = "Start",
		.done = "started",
		.show_price = 1,
		.call = souk_start,
	};
	const struct options *options = opaque;

	return cli_cluster_act(cli, &action, options->all, n_args, args);
}

static const char *const usage[] = { "NAME...", "--all", NULL };

const struct souk_cmd souk_cmd_start = {
	.name = "start",
	.group = "Clusters",
	.summary = "switch stopped clusters on again",
	.usage = usage,
	.description = "Switches the machines of stopped clusters on again and waits until they can be reached.\n"
		       "Names may be shell patterns. Asks once, unless -y is given.",
	.examples = "souk start dev\n"
		    "souk start -y 'exp-*'",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
