/* SPDX-License-Identifier: Apache-2.0 */
/* cmd-offers.c - souk offers: what is on sale, where, for how much */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

struct options {
	const char *region;
	const char *infra;
	const char *instance_type;
	const char *cpus;
	const char *memory;
	const char *max_price;
	uint32_t limit;
	int spot;
	int all_regions;
	int zones;
	int csv;
};

#define OPTION(member) .offset = offsetof(struct options, member)

static const struct cli_flag flags[] = {
	{ .name = "infra", .arg = "PROVIDER[/REGION[/ZONE]]", .type = CLI_TEXT, OPTION(infra),
	  .help = "only there; '*' stands for any" },
	{ .name = "region", .arg = "REGION", .type = CLI_TEXT, OPTION(region),
	  .help = "only in regions of that name" },
	{ .name = "instance-type", .arg = "TYPE", .type = CLI_TEXT, OPTION(instance_type),
	  .help = "only this kind of machine" },
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
	{ .name = "limit", .arg = "N", .type = CLI_NUMBER, OPTION(limit), .help = "at most so many lines" },
	{ .name = "csv", .type = CLI_SWITCH, .value = 1, OPTION(csv),
	  .help = "print CSV on standard output" },
	{ .name = NULL },
};

static const struct cli_column offer_columns[] = {
	{ "PROVIDER", CLI_LEFT },  { "REGION", CLI_LEFT },    { "INSTANCE", CLI_LEFT },
	{ "vCPUs", CLI_RIGHT },	   { "MEM(GiB)", CLI_RIGHT }, { "ACCELERATORS", CLI_LEFT },
	{ "GPU MEM", CLI_RIGHT },  { "$/h", CLI_DECIMAL },    { "SPOT $/h", CLI_DECIMAL },
	{ "SOURCE", CLI_LEFT },	   { "DATE", CLI_LEFT },
};

static const struct cli_column accelerator_columns[] = {
	{ "ACCELERATOR", CLI_LEFT }, { "MEM(GiB)", CLI_RIGHT },	{ "PROVIDERS", CLI_RIGHT },
	{ "REGIONS", CLI_RIGHT },    { "$/h EACH", CLI_DECIMAL }, { "SPOT $/h EACH", CLI_DECIMAL },
};

static void add_price(struct cli_table *table, const struct souk_offer_row *row, int64_t micros)
{
	char text[CLI_TEXT_SIZE];

	if (micros >= 0 && row->currency && *row->currency && strcmp(row->currency, "USD") != 0)
		cli_table_add(table, cli_money_currency(micros, row->currency, text));
	else
		cli_table_add(table, cli_money(micros, text));
}

static void add_offer(struct cli_table *table, const struct souk_offer_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_table_add(table, row->provider);
	if (row->zone)
		cli_table_printf(table, "%s/%s", row->region, row->zone);
	else
		cli_table_add(table, row->region);
	cli_table_add(table, row->instance_type);
	cli_table_add(table, cli_milli(row->vcpus_milli, text));
	cli_table_add(table, cli_gib(row->memory_mib, text));
	cli_table_add(table, cli_accelerator(row->accelerator, row->accelerator_milli, text));
	cli_table_add(table, row->accelerator && row->accelerator_memory_mib ?
				     cli_gib(row->accelerator_memory_mib, text) : NULL);
	add_price(table, row, row->micros_per_hour);
	add_price(table, row, row->spot_micros_per_hour);
	cli_table_add(table, row->source);
	cli_table_add(table, row->date);
}

static int print_paged(const struct cli_table *table)
{
	struct cli_pager pager;
	int status;

	cli_pager_open(&pager, table->n_cells / table->n_columns + 1);
	status = pager.file ? cli_table_print(table, pager.file) : EX_OSERR;
	cli_pager_close(&pager);
	return status;
}

static int print_offers(const struct souk_offers *offers)
{
	struct cli_table table;
	size_t i;
	int status;

	cli_table_init(&table, offer_columns, CLI_ARRAY_SIZE(offer_columns));
	for (i = 0; i < souk_offers_count(offers); i++)
		add_offer(&table, souk_offers_row(offers, i));
	status = print_paged(&table);
	cli_table_fini(&table);
	return status;
}

static int print_accelerators(const struct souk_offers *offers)
{
	struct cli_table table;
	char text[CLI_TEXT_SIZE];
	size_t i;
	int status;

	cli_table_init(&table, accelerator_columns, CLI_ARRAY_SIZE(accelerator_columns));
	for (i = 0; i < souk_offers_accelerators(offers); i++) {
		const struct souk_accelerator_row *row = souk_offers_accelerator(offers, i);

		cli_table_add(&table, row->accelerator);
		cli_table_add(&table, row->memory_mib ? cli_gib(row->memory_mib, text) : NULL);
		cli_table_printf(&table, "%u", row->providers);
		cli_table_printf(&table, "%u", row->regions);
		cli_table_add(&table, cli_money(row->micros_per_hour, text));
		cli_table_add(&table, cli_money(row->spot_micros_per_hour, text));
	}
	status = print_paged(&table);
	cli_table_fini(&table);
	if (status == 0)
		cli_hint("'souk offers H100' lists the machines that have it, 'souk offers --cpus 4+' others");
	return status;
}

static int print_json(const struct souk_offers *offers)
{
	struct json_object *rows;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	rows = cli_json_array(&json, json.root, "accelerators");
	for (i = 0; i < souk_offers_accelerators(offers); i++)
		cli_json_accelerator(&json, rows, souk_offers_accelerator(offers, i));
	rows = cli_json_array(&json, json.root, "offers");
	for (i = 0; i < souk_offers_count(offers); i++)
		cli_json_offer(&json, rows, NULL, souk_offers_row(offers, i));
	status = cli_json_print(&json);
	cli_json_fini(&json);
	return status;
}

/* A field of RFC 4180: in quotes if it has to be. */
static void print_field(const char *text, int last)
{
	const char *p;

	if (text && strpbrk(text, ",\"\r\n")) {
		putchar('"');
		for (p = text; *p; p++) {
			if (*p == '"')
				putchar('"');
			putchar(*p);
		}
		putchar('"');
	} else if (text) {
		fputs(text, stdout);
	}
	putchar(last ? '\n' : ',');
}

static const char *price_or_empty(int64_t micros, char text[CLI_TEXT_SIZE])
{
	return micros < 0 ? "" : cli_money(micros, text);
}

static int print_csv(const struct souk_offers *offers)
{
	char text[CLI_TEXT_SIZE];
	size_t i;

	puts("provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,"
	     "gpu_memory_gib,price_usd_hour,spot_price_usd_hour,currency,source,date");
	for (i = 0; i < souk_offers_count(offers); i++) {
		const struct souk_offer_row *row = souk_offers_row(offers, i);
		int gpu = row->accelerator != NULL;

		print_field(row->provider, 0);
		print_field(row->region, 0);
		print_field(row->zone, 0);
		print_field(row->instance_type, 0);
		print_field(row->arch, 0);
		print_field(cli_milli(row->vcpus_milli, text), 0);
		print_field(cli_gib(row->memory_mib, text), 0);
		print_field(row->accelerator, 0);
		print_field(gpu ? cli_milli(row->accelerator_milli, text) : "0", 0);
		print_field(gpu && row->accelerator_memory_mib ?
				    cli_gib(row->accelerator_memory_mib, text) : NULL, 0);
		print_field(price_or_empty(row->micros_per_hour, text), 0);
		print_field(price_or_empty(row->spot_micros_per_hour, text), 0);
		print_field(row->currency, 0);
		print_field(row->source, 0);
		print_field(row->date, 1);
	}
	return 0;
}

/* Without a word about the machine the accelerators are the answer. */
static int wants_accelerators(const struct options *options, int n_args)
{
	return n_args == 0 && !options->instance_type && !options->cpus && !options->memory &&
	       !options->max_price && !options->all_regions && !options->zones && !options->limit;
}

static void fill_filter(const struct options *options, const char *accelerator,
			struct souk_offer_filter *filter)
{
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
}

static int run(struct cli *cli, const void *opaque, int n_args, char **args)
{
	const struct options *options = opaque;
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_offers *offers = NULL;
	struct souk_offer_filter filter;
	int status;

	if (options->csv && cli->common.json)
		return cli_usage(cli->cmd, "souk offers: either --csv or --json, not both");
	status = cli_open(cli);
	if (status)
		return status;
	fill_filter(options, n_args ? args[0] : NULL, &filter);
	filter.summary = wants_accelerators(options, n_args) && !options->csv && !cli->common.json;
	if (souk_offers_find(cli->souk, &filter, &offers, &err) < 0)
		return cli_fail(&err);
	if (options->csv) {
		status = print_csv(offers);
	} else if (cli->common.json) {
		status = print_json(offers);
	} else if (souk_offers_count(offers) == 0 && souk_offers_accelerators(offers) == 0) {
		cli_error("nothing on sale fits");
		cli_hint("'souk offers' lists what there is, 'souk provider list' who sells");
		status = EX_UNAVAILABLE;
	} else if (filter.summary && souk_offers_accelerators(offers) > 0) {
		status = print_accelerators(offers);
	} else {
		status = print_offers(offers);
	}
	souk_offers_free(offers);
	return status;
}

static const char *const usage[] = { "[GPU[:N]] [FLAG...]", NULL };

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
		    "souk offers A100 --infra aws/us-east-1 --csv",
	.flags = flags,
	.options_size = sizeof(struct options),
	.max_args = 1,
	.run = run,
};
