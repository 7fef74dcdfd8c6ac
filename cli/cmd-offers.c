/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-offers.c - souk offers: what is on sale, where, for how much; and what was to be had lately */
#include "cli.h"

#include <string.h>
#include <strings.h>

struct options {
	const char *region;
	const char *infra;
	const char *instance_type;
	const char *arch;
	const char *cpus;
	const char *memory;
	const char *max_price;
	const char *sort;
	uint32_t limit;
	int spot;
	int all_regions;
	int zones;
	int csv;
	int evidence;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "infra", .arg = "PROVIDER[/REGION[/ZONE]]", .type = CLI_TEXT, OPTION(infra),
	  .help = "only there; '*' stands for anything" },
	{ .name = "region", .arg = "REGION", .type = CLI_TEXT, OPTION(region),
	  .help = "only in regions of that name, such as 'us-*'" },
	{ .name = "instance-type", .arg = "TYPE", .type = CLI_TEXT, OPTION(instance_type),
	  .help = "only this kind of machine, such as 'p5.*'" },
	{ .name = "arch", .arg = "ARCH", .type = CLI_TEXT, OPTION(arch),
	  .help = "only x86_64, or arm64" },
	{ .name = "cpus", .arg = "N[+]", .type = CLI_TEXT, OPTION(cpus), .help = "vCPUs; '4+' is 4 or more" },
	{ .name = "memory", .arg = "GIB[+]", .type = CLI_TEXT, OPTION(memory),
	  .help = "memory; '16+' is 16 GiB or more" },
	{ .name = "max-price", .arg = "DOLLARS", .type = CLI_TEXT, OPTION(max_price),
	  .help = "at most so much per hour" },
	{ .name = "spot", .type = CLI_SWITCH, .value = 1, OPTION(spot),
	  .help = "only what is sold as spot, by that price" },
	{ .name = "all-regions", .type = CLI_SWITCH, .value = 1, OPTION(all_regions),
	  .help = "a line for each region, not the cheapest alone" },
	{ .name = "zones", .type = CLI_SWITCH, .value = 1, OPTION(zones), .help = "a line for each zone" },
	{ .name = "sort", .arg = "KEY", .type = CLI_TEXT, OPTION(sort),
	  .help = "price, spot, gpu-price, vcpus, memory or name" },
	{ .name = "limit", .arg = "N", .type = CLI_NUMBER, OPTION(limit), .help = "at most so many lines" },
	{ .name = "csv", .type = CLI_SWITCH, .value = 1, OPTION(csv),
	  .help = "print CSV on standard output" },
	{ .name = "evidence", .type = CLI_SWITCH, .value = 1, OPTION(evidence),
	  .help = "what was to be had lately, and what was not" },
	{ .name = NULL },
};

/* ---- Flags that are words ---- */

static const char *const sort_words[] = { "price", "spot", "gpu-price", "vcpus", "memory", "name" };
static const enum souk_offer_sort sorts[] = {
	SOUK_SORT_PRICE, SOUK_SORT_SPOT, SOUK_SORT_GPU_PRICE, SOUK_SORT_VCPUS, SOUK_SORT_MEMORY,
	SOUK_SORT_NAME,
};

/* 0, or an exit status after the error was shown. */
static int parse_sort(const struct cli *cli, const char *word, enum souk_offer_sort *sort_out)
{
	const char *nearest;
	size_t i;

	*sort_out = SOUK_SORT_PRICE;
	for (i = 0; word && i < CLI_ARRAY_SIZE(sort_words); i++) {
		if (strcasecmp(word, sort_words[i]) == 0) {
			*sort_out = sorts[i];
			return 0;
		}
	}
	if (!word)
		return 0;
	nearest = souk_nearest_name(word, sort_words, CLI_ARRAY_SIZE(sort_words));
	if (nearest)
		return cli_usage(cli->cmd, "--sort: not a key: '%.40s'; did you mean '%s'?", word, nearest);
	return cli_usage(cli->cmd,
			 "--sort: not a key: '%.40s'; price, spot, gpu-price, vcpus, memory or name", word);
}

static int parse_arch(const struct cli *cli, const char *word, const char **arch_out)
{
	static const struct {
		const char *word, *arch;
	} known[] = { { "x86_64", "x86_64" }, { "amd64", "x86_64" }, { "x86-64", "x86_64" },
		      { "arm64", "arm64" },   { "aarch64", "arm64" } };
	size_t i;

	*arch_out = NULL;
	for (i = 0; word && i < CLI_ARRAY_SIZE(known); i++)
		if (strcasecmp(word, known[i].word) == 0)
			*arch_out = known[i].arch;
	if (word && !*arch_out)
		return cli_usage(cli->cmd, "--arch: neither x86_64 nor arm64: '%.40s'", word);
	return 0;
}

/* ---- Running ---- */

/* Without a word about the machine the accelerators are the answer. */
static int wants_accelerators(const struct options *options, int n_args)
{
	return n_args == 0 && !options->instance_type && !options->arch && !options->cpus &&
	       !options->memory && !options->max_price && !options->all_regions && !options->zones &&
	       !options->limit;
}

/* 0, or an exit status. */
static int fill_filter(const struct cli *cli, const struct options *options, const char *accelerator,
		       struct souk_offer_filter *filter)
{
	int status;

	memset(filter, 0, sizeof(*filter));
	filter->accelerator = accelerator;
	filter->infra = options->infra;
	filter->region = options->region;
	filter->instance_type = options->instance_type;
	filter->cpus = options->cpus;
	filter->memory = options->memory;
	filter->max_price = options->max_price;
	filter->spot = options->spot;
	filter->all_regions = options->all_regions;
	filter->zones = options->zones;
	filter->limit = options->limit;
	status = parse_sort(cli, options->sort, &filter->sort);
	return status ? status : parse_arch(cli, options->arch, &filter->arch);
}

static int run_evidence(const struct cli *cli, const struct souk_offer_filter *filter)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_evidence_list *list = NULL;
	int status = 0;

	if (souk_evidence_find(cli->souk, filter, &list, &err) < 0)
		return cli_fail(&err);
	if (cli->common.json)
		status = cli_evidence_json(list);
	else if (souk_evidence_count(list) > 0)
		status = cli_evidence_table(list);
	else
		cli_say("no attempt of the last week to get such a machine is known");
	souk_evidence_free(list);
	return status;
}

static int run_offers(const struct cli *cli, const struct souk_offer_filter *filter, int csv)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offers *offers = NULL;
	int status;

	if (souk_offers_find(cli->souk, filter, &offers, &err) < 0)
		return cli_fail(&err);
	if (csv) {
		status = cli_offers_csv(offers);
	} else if (cli->common.json) {
		status = cli_offers_json(offers);
	} else if (filter->summary && souk_offers_accelerators(offers) > 0) {
		status = cli_offers_accelerators(offers);
	} else if (souk_offers_count(offers) > 0) {
		status = cli_offers_table(offers);
	} else {
		cli_error("nothing on sale fits");
		cli_hint("'souk offers' lists what there is, 'souk provider list' who sells");
		status = EX_UNAVAILABLE;
	}
	souk_offers_free(offers);
	return status;
}

/* What cannot be said together. 0, or an exit status. */
static int check(const struct cli *cli, const struct options *options)
{
	if (options->csv && cli->common.json)
		return cli_usage(cli->cmd, "souk offers: either --csv or --json, not both");
	if (options->evidence && (options->csv || options->arch || options->cpus || options->memory ||
				  options->max_price || options->sort || options->all_regions ||
				  options->zones))
		return cli_usage(cli->cmd, "souk offers: with --evidence only --infra, --region, "
					   "--instance-type, --spot and --limit choose");
	return 0;
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_offer_filter filter;
	int status;

	status = check(cli, options);
	if (status == 0)
		status = fill_filter(cli, options, n_args ? args[0] : NULL, &filter);
	if (status == 0)
		status = cli_open(cli);
	if (status)
		return status;
	if (options->evidence)
		return run_evidence(cli, &filter);
	filter.summary = wants_accelerators(options, n_args) && !options->csv && !cli->common.json;
	return run_offers(cli, &filter, options->csv);
}

static const char *const usage[] = { "[GPU[:N]] [FLAG...]", "--evidence [GPU[:N]] [FLAG...]", NULL };

const struct souk_cmd souk_cmd_offers = {
	.name = "offers",
	.group = "Market and setup",
	.summary = "what is on sale, where, for how much",
	.usage = usage,
	.description = "Lists machines on sale, cheapest first, each in its cheapest region. Without an\n"
		       "accelerator or another word about the machine: the accelerators, with the lowest\n"
		       "price of one. Every price has its date and source. Asks no cloud.",
	.examples = "souk offers\n"
		    "souk offers H100:8 --all-regions\n"
		    "souk offers --cpus 16+ --memory 64+ --spot --limit 10\n"
		    "souk offers A100 --infra aws/us-* --csv\n"
		    "souk offers --evidence",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = 1,
	.without_modules = 1,
	.run = run,
};
