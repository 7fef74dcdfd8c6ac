/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-stop.c - souk stop: switch clusters off, their disks stay */
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
		.verb = "Stop",
		.done = "stopped",
		.show_price = 0,
		.call = souk_stop,
	};
	const struct options *options = opaque;

	return cli_cluster_act(cli, &action, options->all, n_args, args);
}

static const char *const usage[] = { "NAME...", "--all", NULL };

const struct souk_cmd souk_cmd_stop = {
	.name = "stop",
	.group = "Clusters",
	.summary = "switch clusters off, their disks stay",
	.usage = usage,
	.description = "Switches machines off, so that computing costs nothing and the disks stay (which the\n"
		       "cloud may charge for). Names may be shell patterns. Asks once, unless -y is given.",
	.examples = "souk stop dev\n"
		    "souk stop -y 'exp-*'",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
