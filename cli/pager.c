/* SPDX-License-Identifier: Apache-2.0 */
/* pager.c - long tables through $PAGER, if they do not fit the terminal */
#include "cli.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

static void run_pager(const char *command, int input)
{
	signal(SIGPIPE, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (dup2(input, STDIN_FILENO) < 0)
		_exit(127);
	close(input);
	/* Colours pass, a page that fits ends by itself, the screen is not cleared. */
	setenv("LESS", "FRX", 0);
	execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

void cli_pager_open(struct cli_pager *pager, size_t lines)
{
	const char *command = getenv("PAGER");
	unsigned columns, rows;
	int fds[2];
	pid_t pid;

	pager->file = stdout;
	pager->pid = 0;
	if (!command)
		command = "less";
	if (!cli_terminal_moves(stdout) || !*command || strcmp(command, "cat") == 0)
		return;
	cli_terminal_size(stdout, &columns, &rows);
	if (lines < rows)
		return;
	fflush(stdout);
	if (pipe(fds) != 0)
		return;
	pid = fork();
	if (pid == 0) {
		close(fds[1]);
		run_pager(command, fds[0]);
	}
	close(fds[0]);
	if (pid < 0) {
		close(fds[1]);
		return;
	}
	pager->pid = pid;
	pager->file = fdopen(fds[1], "w");
	if (!pager->file)
		close(fds[1]);
}

void cli_pager_close(struct cli_pager *pager)
{
	int status;
	void (*old)(int);

	if (pager->pid == 0)
		return;
	/* The interrupt key is the pager's while it runs. */
	old = signal(SIGINT, SIG_IGN);
	if (pager->file)
		fclose(pager->file);
	while (waitpid((pid_t)pager->pid, &status, 0) < 0 && errno == EINTR)
		;
	signal(SIGINT, old);
	pager->pid = 0;
	pager->file = stdout;
}
