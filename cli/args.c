/* SPDX-License-Identifier: Apache-2.0 */
/* args.c - flags out of argv: getopt_long over the tables of the commands */
#include "cli.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* Values that getopt_long returns for flags: above every letter. */
#define VALUE_BASE 256
#define FLAGS_MAX 64

#define COMMON(member) .offset = offsetof(struct cli_common, member)

const struct cli_flag cli_common_flags[] = {
	{ .name = "providers", .arg = "NAME,NAME", .type = CLI_TEXT, COMMON(providers),
	  .help = "providers that take part" },
	{ .name = "provider-path", .arg = "DIR", .type = CLI_LIST, COMMON(provider_path),
	  .help = "look for provider modules there too" },
	{ .name = "set", .arg = "NAME.KEY=VALUE", .type = CLI_LIST, COMMON(set),
	  .help = "set a provider's option" },
	{ .name = "json", .type = CLI_SWITCH, .value = 1, COMMON(json),
	  .help = "print JSON on standard output" },
	{ .name = "yes", .letter = 'y', .type = CLI_SWITCH, .value = 1, COMMON(yes),
	  .help = "do not ask" },
	{ .name = "verbose", .letter = 'v', .type = CLI_SWITCH, .value = 1, COMMON(verbose),
	  .help = "tell more" },
	{ .name = "debug", .type = CLI_SWITCH, .value = 1, COMMON(debug),
	  .help = "tell everything, requests to clouds included" },
	{ .name = "help", .letter = 'h', .type = CLI_SWITCH, .value = 1, COMMON(help),
	  .help = "show this help" },
	{ .name = "version", .type = CLI_SWITCH, .value = 1, COMMON(version), .hidden = 1,
	  .help = "show the version" },
	{ .name = NULL },
};

/* The flags of one parse: those of the command, then the common ones. */
struct parse {
	const struct souk_cmd *cmd;
	struct option longs[FLAGS_MAX + 1];
	const struct cli_flag *flags[FLAGS_MAX];
	void *into[FLAGS_MAX];
	size_t n;
	char shorts[2 * FLAGS_MAX + 3];
};

int cli_list_add(struct cli_list *list, const char *text)
{
	const char **items = realloc(list->items, (list->n + 2) * sizeof(*items));

	if (!items)
		return -1;
	items[list->n++] = text;
	items[list->n] = NULL;
	list->items = items;
	return 0;
}

static void wipe(char *text)
{
	volatile char *p;

	for (p = text; *p; p++)
		*p = '\0';
}

static void list_fini(struct cli_list *list, int secret)
{
	size_t i;

	for (i = 0; secret && i < list->n; i++) {
		char *copy = (char *)(uintptr_t)list->items[i];

		wipe(copy);
		free(copy);
	}
	free(list->items);
	memset(list, 0, sizeof(*list));
}

void cli_args_fini(const struct cli_flag *flags, void *options)
{
	for (; flags && flags->name; flags++)
		if (flags->type == CLI_LIST || flags->type == CLI_SECRETS)
			list_fini((struct cli_list *)(void *)((char *)options + flags->offset),
				  flags->type == CLI_SECRETS);
}

/* Copy "NAME=VALUE" and leave "NAME=" in argv. */
static int take_secret(struct cli_list *list, char *text)
{
	char *copy = strdup(text);
	char *value = strchr(text, '=');

	if (!copy)
		return -1;
	if (value)
		wipe(value + 1);
	if (cli_list_add(list, copy) == 0)
		return 0;
	wipe(copy);
	free(copy);
	return -1;
}

static void add_flags(struct parse *parse, const struct cli_flag *flags, void *into)
{
	size_t len = strlen(parse->shorts);

	for (; flags && flags->name && parse->n < FLAGS_MAX; flags++) {
		struct option *option = &parse->longs[parse->n];

		option->name = flags->name;
		option->has_arg = flags->type == CLI_SWITCH ? no_argument : required_argument;
		option->val = VALUE_BASE + (int)parse->n;
		parse->flags[parse->n] = flags;
		parse->into[parse->n++] = into;
		if (flags->letter) {
			parse->shorts[len++] = flags->letter;
			if (flags->type != CLI_SWITCH)
				parse->shorts[len++] = ':';
			parse->shorts[len] = '\0';
		}
	}
}

/* The index of a flag by what getopt_long returned. */
static size_t flag_index(const struct parse *parse, int value)
{
	size_t i;

	if (value >= VALUE_BASE)
		return (size_t)(value - VALUE_BASE);
	for (i = 0; i < parse->n; i++)
		if (parse->flags[i]->letter == value)
			break;
	return i;
}

/* Store one flag's value. 0, or an exit status. */
static int store(const struct parse *parse, size_t i)
{
	const struct cli_flag *flag = parse->flags[i];
	void *slot = (char *)parse->into[i] + flag->offset;
	struct souk_error err = SOUK_ERROR_INIT;

	switch (flag->type) {
	case CLI_SWITCH:
		*(int *)slot = flag->value;
		break;
	case CLI_TEXT:
		*(const char **)slot = optarg;
		break;
	case CLI_NUMBER:
		if (souk_parse_u32(flag->name, optarg, slot, &err) < 0)
			return cli_usage(parse->cmd, "--%s", err.message);
		if (*(uint32_t *)slot == 0)
			return cli_usage(parse->cmd, "--%s: must be at least 1", flag->name);
		break;
	case CLI_LIST:
		return cli_list_add(slot, optarg) < 0 ? cli_nomem() : 0;
	case CLI_SECRETS:
		return take_secret(slot, optarg) < 0 ? cli_nomem() : 0;
	}
	return 0;
}

/* Does any long flag begin with so many bytes of 'word'? */
static int is_prefix(const struct parse *parse, const char *word, size_t len)
{
	size_t i;

	for (i = 0; i < parse->n; i++)
		if (strncmp(parse->flags[i]->name, word, len) == 0)
			return 1;
	return 0;
}

static int unknown_long(const struct parse *parse, const char *word)
{
	const char *names[FLAGS_MAX];
	char name[64];
	const char *nearest;
	size_t len = strcspn(word + 2, "="), i, n = 0;

	if (len && is_prefix(parse, word + 2, len))
		return cli_usage(parse->cmd, "ambiguous flag '--%.*s'",
				 (int)(len < 60 ? len : 60), word + 2);
	snprintf(name, sizeof(name), "%.*s", (int)(len < 60 ? len : 60), word + 2);
	for (i = 0; i < parse->n; i++)
		if (!parse->flags[i]->hidden)
			names[n++] = parse->flags[i]->name;
	cli_error("unknown flag '--%s'%s%s", name, parse->cmd ? " of souk " : "",
		  parse->cmd ? parse->cmd->name : "");
	nearest = souk_nearest_name(name, names, n);
	if (nearest)
		cli_hint("did you mean '--%s'?", nearest);
	else
		cli_hint("'souk %s%s--help' lists the flags; words of a command stand behind '--'",
			 parse->cmd ? parse->cmd->name : "", parse->cmd ? " " : "");
	return EX_USAGE;
}

/* Say what getopt_long found wrong. */
static int bad_flag(const struct parse *parse, int found, const char *word)
{
	size_t i;

	if (found == ':') {
		i = flag_index(parse, optopt);
		return cli_usage(parse->cmd, "flag '%.60s' needs a value: %s", word,
				 i < parse->n ? parse->flags[i]->arg : "VALUE");
	}
	if (optopt >= VALUE_BASE)
		return cli_usage(parse->cmd, "flag '--%s' takes no value",
				 parse->flags[flag_index(parse, optopt)]->name);
	if (optopt == 0)
		return unknown_long(parse, word);
	cli_error("unknown flag '-%c'%s%s", optopt, parse->cmd ? " of souk " : "",
		  parse->cmd ? parse->cmd->name : "");
	cli_hint("'souk %s%s--help' lists the flags; words of a command stand behind '--'",
		 parse->cmd ? parse->cmd->name : "", parse->cmd ? " " : "");
	return EX_USAGE;
}

int cli_args_parse(struct cli *cli, const struct souk_cmd *cmd, void *options, int argc,
		   char **argv, int *n_args_out, char ***args_out)
{
	struct parse parse;
	int found, status;

	memset(&parse, 0, sizeof(parse));
	parse.cmd = cmd;
	snprintf(parse.shorts, sizeof(parse.shorts), "%s", cmd ? ":" : "+:");
	if (cmd)
		add_flags(&parse, cmd->flags, options);
	add_flags(&parse, cli_common_flags, &cli->common);
	optind = 0;
	opterr = 0;
	while ((found = getopt_long(argc, argv, parse.shorts, parse.longs, NULL)) != -1) {
		if (found == '?' || found == ':')
			return bad_flag(&parse, found, argv[optind - 1]);
		status = store(&parse, flag_index(&parse, found));
		if (status)
			return status;
	}
	*n_args_out = argc - optind;
	*args_out = argv + optind;
	return 0;
}
