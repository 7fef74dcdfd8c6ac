/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - the library's context from the common flags, and the signals that interrupt it */
#include "cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct souk *volatile interruptible;
static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	struct souk *souk = interruptible;

	(void)number;
	if (interrupted || !souk)
		_exit(CLI_EXIT_INTERRUPTED);
	interrupted = 1;
	souk_interrupt(souk);
}

int cli_interrupted(void)
{
	return interrupted;
}

/* No SA_RESTART: a question on the terminal ends too. */
static void catch_signals(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_handler = on_signal;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

/* Cut --providers at its commas. */
static int split_providers(struct cli *cli)
{
	char *rest, *name;

	if (!cli->common.providers)
		return 0;
	cli->provider_text = strdup(cli->common.providers);
	if (!cli->provider_text)
		return cli_nomem();
	rest = cli->provider_text;
	while ((name = strsep(&rest, ",")) != NULL) {
		name += strspn(name, " ");
		name[strcspn(name, " ")] = '\0';
		if (!*name)
			return cli_usage(cli->cmd, "--providers: an empty name in '%s'",
					 cli->common.providers);
		if (cli_list_add(&cli->providers, name) < 0)
			return cli_nomem();
	}
	return 0;
}

int cli_open(struct cli *cli)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_settings settings = { 0 };
	int status = split_providers(cli);

	if (status)
		return status;
	settings.providers = cli->providers.items;
	settings.provider_path = cli->common.provider_path.items;
	settings.set = cli->common.set.items;
	settings.without_modules = cli->cmd && cli->cmd->without_modules;
	settings.log_level = cli->common.debug	   ? SOUK_LOG_DEBUG
			     : cli->common.verbose ? SOUK_LOG_INFO
						   : SOUK_LOG_WARNING;
	if (souk_new(&settings, &cli->souk, &err) < 0)
		return cli_fail(&err);
	interruptible = cli->souk;
	catch_signals();
	souk_crash_tell();
	return 0;
}

void cli_close(struct cli *cli)
{
	interruptible = NULL;
	souk_free(cli->souk);
	cli->souk = NULL;
	free(cli->providers.items);
	memset(&cli->providers, 0, sizeof(cli->providers));
	free(cli->provider_text);
	cli->provider_text = NULL;
}
