/* SPDX-License-Identifier: Apache-2.0 */
/* confirm.c - a question on the terminal, before something costs or is lost */
#include "cli.h"

#include <stdarg.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* 1 yes, 0 no, -1 neither; an empty line is yes. */
static int understand(const char *answer)
{
	if (!*answer || strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0)
		return 1;
	if (strcasecmp(answer, "n") == 0 || strcasecmp(answer, "no") == 0)
		return 0;
	return -1;
}

int cli_confirm(const struct cli *cli, const char *fmt, ...)
{
	char question[512], answer[64];
	va_list args;
	int meant;

	if (cli->common.yes)
		return 0;
	if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO)) {
		cli_error("souk %s has to ask, and there is no terminal to ask on", cli->cmd->name);
		cli_hint("add -y to answer yes");
		return EX_USAGE;
	}
	va_start(args, fmt);
	vsnprintf(question, sizeof(question), fmt, args);
	va_end(args);
	for (;;) {
		cli_text_print(stderr, question);
		fputs(" [Y/n] ", stderr);
		fflush(stderr);
		if (!fgets(answer, sizeof(answer), stdin)) {
			fputc('\n', stderr);
			return cli_interrupted() ? CLI_EXIT_INTERRUPTED : CLI_EXIT_DECLINED;
		}
		answer[strcspn(answer, "\r\n")] = '\0';
		meant = understand(answer);
		if (meant >= 0)
			return meant ? 0 : CLI_EXIT_DECLINED;
	}
}
