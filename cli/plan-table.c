/* SPDX-License-Identifier: Apache-2.0 */
/* plan-table.c - the candidates of a plan as a table */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

static const struct cli_column columns[] = {
	{ "PROVIDER", CLI_LEFT },     { "REGION", CLI_LEFT },	{ "ZONE", CLI_LEFT },
	{ "INSTANCE", CLI_LEFT },     { "vCPUs", CLI_RIGHT },	{ "MEM(GiB)", CLI_RIGHT },
	{ "ACCELERATORS", CLI_LEFT }, { "$/h", CLI_DECIMAL },	{ "CHOSEN", CLI_LEFT },
};

const struct souk_offer_row *cli_plan_chosen(const struct souk_plan *plan)
{
	size_t i;

	for (i = 0; i < souk_plan_count(plan); i++)
		if (souk_plan_row(plan, i)->chosen)
			return souk_plan_row(plan, i);
	return souk_plan_count(plan) ? souk_plan_row(plan, 0) : NULL;
}

static void add_row(struct cli_table *table, const struct souk_offer_row *row, int chosen)
{
	char text[CLI_TEXT_SIZE];

	cli_table_add(table, row->provider);
	cli_table_add(table, row->region);
	cli_table_add(table, row->zone);
	if (row->num_nodes > 1)
		cli_table_printf(table, "%u x %s%s", row->num_nodes, row->instance_type,
				 row->spot ? " (spot)" : "");
	else
		cli_table_printf(table, "%s%s", row->instance_type, row->spot ? " (spot)" : "");
	cli_table_add(table, cli_milli(row->vcpus_milli, text));
	cli_table_add(table, cli_gib(row->memory_mib, text));
	cli_table_add(table, cli_accelerator(row->accelerator, row->accelerator_milli, text));
	if (row->currency && *row->currency && strcmp(row->currency, "USD") != 0)
		cli_table_add(table, cli_money_currency(row->total_micros_per_hour, row->currency,
							text));
	else
		cli_table_add(table, cli_money(row->total_micros_per_hour, text));
	cli_table_add(table, chosen ? "yes" : NULL);
}

/* The providers of a plan in its order, with how many of their rows are not shown. */
struct shops {
	struct shop {
		const char *provider;
		size_t hidden;
	} *items;
	size_t n;
};

/* Count a row. 1 if it is to be shown: the first of its provider, or the chosen one; -1 on no memory. */
static int visit(struct shops *shops, const struct souk_offer_row *row,
		 const struct souk_offer_row *chosen)
{
	struct shop *items;
	size_t i;

	for (i = 0; i < shops->n; i++) {
		if (strcmp(shops->items[i].provider, row->provider) == 0) {
			shops->items[i].hidden += row != chosen;
			return row == chosen;
		}
	}
	items = realloc(shops->items, (shops->n + 1) * sizeof(*items));
	if (!items)
		return -1;
	shops->items = items;
	items[shops->n].provider = row->provider;
	items[shops->n++].hidden = 0;
	return 1;
}

/* "37 more of aws, 12 more of gcp ('--all' shows them)" */
static void print_rest(const struct shops *shops, FILE *file)
{
	size_t i, shown = 0;

	for (i = 0; i < shops->n; i++) {
		if (shops->items[i].hidden == 0)
			continue;
		fprintf(file, "%s%zu more of ", shown++ ? ", " : "", shops->items[i].hidden);
		cli_text_print(file, shops->items[i].provider);
	}
	if (shown)
		fprintf(file, " ('--all' shows them)\n");
}

int cli_plan_print(const struct souk_plan *plan, int all, FILE *file)
{
	const struct souk_offer_row *chosen = cli_plan_chosen(plan);
	struct shops shops = { 0 };
	struct cli_table table;
	size_t i;
	int show, status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < souk_plan_count(plan); i++) {
		const struct souk_offer_row *row = souk_plan_row(plan, i);

		show = visit(&shops, row, chosen);
		if (show < 0)
			table.failed = 1;
		if (all || show > 0)
			add_row(&table, row, row == chosen);
	}
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	if (status == 0 && !all)
		print_rest(&shops, file);
	free(shops.items);
	return status;
}
