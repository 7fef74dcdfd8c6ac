/* SPDX-License-Identifier: Apache-2.0 */
/* plan-table.c - the candidates of a plan as a table */
#include "cli.h"

#include <stdlib.h>
#include <string.h>

/* Columns that a table has only if they say something. */
enum { SHOW_COST = 1u << 0, SHOW_NOTE = 1u << 1 };

static const struct cli_column columns[] = {
	{ "PROVIDER", CLI_LEFT },     { "REGION", CLI_LEFT },	{ "ZONE", CLI_LEFT },
	{ "INSTANCE", CLI_LEFT },     { "vCPUs", CLI_RIGHT },	{ "MEM(GiB)", CLI_RIGHT },
	{ "ACCELERATORS", CLI_LEFT }, { "$/h", CLI_DECIMAL },	{ "CHOSEN", CLI_LEFT },
};
static const struct cli_column cost_column = { "COST", CLI_DECIMAL };
static const struct cli_column note_column = { "NOTE", CLI_LEFT };

#define MAX_COLUMNS (CLI_ARRAY_SIZE(columns) + 2)

const struct souk_offer_row *cli_plan_chosen(const struct souk_plan *plan)
{
	return souk_plan_best_row(plan, 0);
}

static size_t choose_columns(unsigned show, struct cli_column *out)
{
	size_t n = 0, i;

	for (i = 0; i < CLI_ARRAY_SIZE(columns); i++) {
		/* What the run costs stands beside what an hour costs. */
		if (i + 1 == CLI_ARRAY_SIZE(columns) && (show & SHOW_COST))
			out[n++] = cost_column;
		out[n++] = columns[i];
	}
	if (show & SHOW_NOTE)
		out[n++] = note_column;
	return n;
}

static void add_price(struct cli_table *table, const struct souk_offer_row *row, int64_t micros)
{
	char text[CLI_TEXT_SIZE];

	if (row->currency && *row->currency && strcmp(row->currency, "USD") != 0)
		cli_table_add(table, cli_money_currency(micros, row->currency, text));
	else
		cli_table_add(table, cli_money(micros, text));
}

static void add_row(struct cli_table *table, const struct souk_offer_row *row, unsigned show)
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
	add_price(table, row, row->total_micros_per_hour);
	if (show & SHOW_COST)
		add_price(table, row, row->cost_micros);
	cli_table_add(table, row->chosen ? "yes" : NULL);
	if (show & SHOW_NOTE)
		cli_table_add(table, row->note);
}

/* Which row is shown as the i-th; NULL past the last. */
static const struct souk_offer_row *shown(struct souk_plan *plan, size_t limit, size_t i)
{
	if (limit > 0)
		return i < limit ? souk_plan_row(plan, i) : NULL;
	return souk_plan_best_row(plan, i);
}

static unsigned find_columns(struct souk_plan *plan, size_t limit)
{
	const struct souk_offer_row *row;
	unsigned show = 0;
	size_t i;

	for (i = 0; (row = shown(plan, limit, i)) != NULL; i++) {
		if (row->cost_micros != row->total_micros_per_hour)
			show |= SHOW_COST;
		if (row->note)
			show |= SHOW_NOTE;
	}
	return show;
}

/* "37 more of aws, 12 more of gcp ('--all' shows them)" */
static void print_rest(const struct souk_plan *plan, FILE *file)
{
	size_t i, n = 0;

	for (i = 0; i < souk_plan_best_count(plan); i++) {
		const struct souk_offer_row *row = souk_plan_best_row(plan, i);

		if (row->behind == 0)
			continue;
		fprintf(file, "%s%zu more of ", n++ ? ", " : "", row->behind);
		cli_text_print(file, row->provider);
	}
	if (n)
		fprintf(file, " ('--all' shows them)\n");
}

/* "no credentials are found here for aws, gcp" */
static void print_unsure(const struct souk_plan *plan, FILE *file)
{
	size_t i, j, n = 0;

	for (i = 0; i < souk_plan_best_count(plan); i++) {
		const struct souk_offer_row *row = souk_plan_best_row(plan, i);

		for (j = 0; j < i && strcmp(souk_plan_best_row(plan, j)->provider, row->provider); j++)
			;
		if (!row->unsure || j < i)
			continue;
		fputs(n++ ? ", " : "no credentials are found here for ", file);
		cli_text_print(file, row->provider);
	}
	if (n)
		fputc('\n', file);
}

int cli_plan_print(struct souk_plan *plan, size_t limit, FILE *file)
{
	struct cli_column chosen[MAX_COLUMNS];
	const struct souk_offer_row *row;
	unsigned show = find_columns(plan, limit);
	struct cli_table table;
	size_t i;
	int status;

	cli_table_init(&table, chosen, choose_columns(show, chosen));
	for (i = 0; (row = shown(plan, limit, i)) != NULL; i++)
		add_row(&table, row, show);
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	if (status == 0 && limit == 0)
		print_rest(plan, file);
	else if (status == 0 && souk_plan_count(plan) > limit)
		fprintf(file, "%zu more\n", souk_plan_count(plan) - limit);
	row = cli_plan_chosen(plan);
	if (status == 0 && row && row->spot && row->preemption_micros == 0)
		fputs("no spot machine has been refused there of late: its price alone is counted\n",
		      file);
	if (status == 0)
		print_unsure(plan, file);
	return status;
}
