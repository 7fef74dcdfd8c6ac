/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - 'souk --help' and 'souk COMMAND --help', made from the tables */
#include "cli.h"

#include <string.h>

/* Where the help of a flag begins. */
#define HELP_COLUMN 28

static void print_flag(const struct cli_flag *flag, FILE *file)
{
	char left[96];
	int len;

	len = snprintf(left, sizeof(left), "  %c%c%s--%s%s%s", flag->letter ? '-' : ' ',
		       flag->letter ? flag->letter : ' ', flag->letter ? ", " : "  ", flag->name,
		       flag->arg ? " " : "", flag->arg ? flag->arg : "");
	if (len + 2 > HELP_COLUMN)
		fprintf(file, "%s\n%*s%s\n", left, HELP_COLUMN, "", flag->help);
	else
		fprintf(file, "%-*s%s\n", HELP_COLUMN, left, flag->help);
}

static void print_flags(const char *title, const struct cli_flag *flags, FILE *file)
{
	if (!flags || !flags->name)
		return;
	fprintf(file, "\n%s:\n", title);
	for (; flags->name; flags++)
		if (!flags->hidden)
			print_flag(flags, file);
}

static void print_indented(const char *text, FILE *file)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		fprintf(file, "%s%.*s\n", len ? "  " : "", (int)len, text);
		text += len + (text[len] == '\n');
	}
}

void cli_help_command(const struct souk_cmd *cmd, FILE *file)
{
	const char *const *usage;

	for (usage = cmd->usage; *usage; usage++)
		fprintf(file, "%s souk %s%s%s\n", usage == cmd->usage ? "Usage:" : "      ",
			cmd->name, **usage ? " " : "", *usage);
	fprintf(file, "\n%s\n", cmd->description);
	print_flags("Flags", cmd->flags, file);
	print_flags("Common flags", cli_common_flags, file);
	if (cmd->examples) {
		fprintf(file, "\nExamples:\n");
		print_indented(cmd->examples, file);
	}
	if (cmd->group)
		fprintf(file, "\nSee also: man souk-%s\n", cmd->name);
}

void cli_help_main(FILE *file)
{
	const struct souk_cmd *const *cmd;
	const char *group = NULL;

	fprintf(file, "Usage: souk [FLAG...] COMMAND [ARGUMENT...]: AI and batch work on the cheapest "
		      "machine to be had\n");
	for (cmd = cli_commands; *cmd; cmd++) {
		if (!(*cmd)->group)
			continue;
		if (!group || strcmp(group, (*cmd)->group) != 0)
			fprintf(file, "%s:\n", (*cmd)->group);
		group = (*cmd)->group;
		fprintf(file, "  %-10s %s\n", (*cmd)->name, (*cmd)->summary);
	}
	fprintf(file, "Of every command: --providers A,B --provider-path DIR --set NAME.KEY=VALUE "
		      "--json -y -v --debug\n"
		      "'souk COMMAND --help' tells more, 'souk --version' the version, "
		      "'man souk' all.\n");
}
