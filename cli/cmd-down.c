/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-down.c - souk down: tear clusters down, for good */
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
		.verb = "Tear down",
		.done = "torn down",
		.show_price = 0,
		.call = souk_down,
	};
	const struct options *options = opaque;

	return cli_cluster_act(cli, &action, options->all, n_args, args);
}

static const char *const usage[] = { "NAME...", "--all", NULL };

const struct souk_cmd souk_cmd_down = {
	.name = "down",
	.group = "Clusters",
	.summary = "tear clusters down, for good",
	.usage = usage,
	.description = "Ends clusters with everything that was created for them, and returns when the cloud has\n"
		       "confirmed twice that nothing is left. What is on their disks is lost. Names may be\n"
		       "shell patterns. Asks once, unless -y is given.",
	.examples = "souk down dev\n"
		    "souk down -y 'exp-*'",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = -1,
	.run = run,
};
