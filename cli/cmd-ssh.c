/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-ssh.c - souk ssh: log in to a node with the user's own OpenSSH */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <json-c/json.h>

struct options {
	const char *rank;
};

static const struct cli_flag flags[] = {
	{ .name = "rank", .arg = "N", .type = CLI_TEXT, .offset = offsetof(struct options, rank),
	  .help = "the node; 0, the head, is the default" },
	{ .name = NULL },
};

static int print_json(const char *cluster, uint32_t rank, const char *config, const char *host)
{
	struct cli_json json;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", cluster);
	cli_json_int(&json, json.root, "rank", rank);
	cli_json_text(&json, json.root, "config", config);
	cli_json_text(&json, json.root, "host", host);
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* Become ssh. Returns only if that fails. */
static int become_ssh(const char *config, const char *host, int n_words, char **words)
{
	char **argv = calloc((size_t)n_words + 6, sizeof(*argv));
	int i, n = 0;

	if (!argv)
		return cli_nomem();
	/* execvp() takes char * for the sake of old programs and writes to none of them. */
	argv[n++] = (char *)(uintptr_t)"ssh";
	argv[n++] = (char *)(uintptr_t)"-F";
	argv[n++] = (char *)(uintptr_t)config;
	argv[n++] = (char *)(uintptr_t)host;
	for (i = 0; i < n_words; i++)
		argv[n++] = words[i];
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp("ssh", argv);
	cli_error("cannot run 'ssh': %s", strerror(errno));
	if (errno == ENOENT)
		cli_hint("install the OpenSSH client (package openssh-client)");
	free(argv);
	return EX_UNAVAILABLE;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_error err = SOUK_ERROR_INIT;
	char *config = NULL, *host = NULL;
	uint32_t rank = 0;
	int status;

	if (options->rank && souk_parse_u32("--rank", options->rank, &rank, &err) < 0)
		return cli_usage(cli->cmd, "souk ssh: %s", err.message);
	status = cli_open(cli);
	if (status)
		return status;
	if (souk_ssh_config(cli->souk, args[0], rank, &config, &host, &err) < 0)
		return cli_fail(&err);
	/* The store is closed before another program takes over. */
	cli_close(cli);
	if (cli->common.json)
		status = print_json(args[0], rank, config, host);
	else
		status = become_ssh(config, host, n_args - 1, args + 1);
	souk_text_free(config);
	souk_text_free(host);
	return status;
}

static const char *const usage[] = { "NAME [--rank N] [-- COMMAND...]", NULL };

const struct souk_cmd souk_cmd_ssh = {
	.name = "ssh",
	.group = "Clusters",
	.summary = "log in to a node",
	.usage = usage,
	.description = "Runs the user's own ssh with the configuration, keys and known host keys of the\n"
		       "cluster. The exit status is that of ssh. With --json nothing is run: the\n"
		       "configuration's path and the host's alias are printed for other programs.",
	.examples = "souk ssh dev\n"
		    "souk ssh dev --rank 1 -- nvidia-smi",
	.flags = flags,
	.options_size = sizeof(struct options),
	.min_args = 1,
	.max_args = -1,
	.run = run,
};
