/* SPDX-License-Identifier: Apache-2.0 */
/* plan-explain.c - why the others lost, and what ruled out the cheaper ones, for people */
#include "cli.h"

/* "aws us-east-1 us-east-1a p5.48xlarge (spot), 12.34/h" */
static void print_offer(const struct souk_offer_row *row, FILE *file)
{
	char text[CLI_TEXT_SIZE];

	cli_text_print(file, row->provider);
	fputc(' ', file);
	cli_text_print(file, row->zone ? row->zone : row->region);
	fputc(' ', file);
	cli_text_print(file, row->instance_type);
	if (row->accelerator) {
		fputc(' ', file);
		cli_text_print(file, cli_accelerator(row->accelerator, row->accelerator_milli, text));
	}
	fprintf(file, "%s, %s/h", row->spot ? " (spot)" : "",
		cli_money_currency(row->total_micros_per_hour, row->currency, text));
}

static void print_lost(const struct souk_plan *plan, FILE *file)
{
	size_t n = souk_plan_lost_count(plan), i;

	if (n > 0)
		fprintf(file, "\nwhy not the others:\n");
	for (i = 0; i < n; i++) {
		const struct souk_plan_reason *lost = souk_plan_lost(plan, i);

		fputs("  ", file);
		if (lost->example)
			print_offer(lost->example, file);
		else
			cli_text_print(file, lost->provider);
		fputs(": ", file);
		cli_text_print(file, lost->text);
		fputc('\n', file);
	}
}

static void print_ruled_out(const struct souk_plan *plan, FILE *file)
{
	size_t n = souk_plan_ruled_out_count(plan), i;

	if (n > 0)
		fprintf(file, "\ncheaper by the hour than the first:\n");
	for (i = 0; i < n; i++) {
		const struct souk_plan_reason *group = souk_plan_ruled_out(plan, i);

		fprintf(file, "  %zu ", group->offers);
		cli_text_print(file, group->text);
		fputs(": ", file);
		if (group->offers > 1)
			fputs("the cheapest ", file);
		print_offer(group->example, file);
		fputc('\n', file);
	}
}

void cli_plan_print_reasons(const struct souk_plan *plan, FILE *file)
{
	print_lost(plan, file);
	print_ruled_out(plan, file);
	if (souk_plan_lost_count(plan) == 0 && souk_plan_ruled_out_count(plan) == 0)
		fprintf(file, "\nnobody else takes part, and nothing known is cheaper by the hour\n");
	if (souk_plan_marked(plan) > 0)
		fprintf(file, "\n%zu prices that cannot be right were left out\n",
			souk_plan_marked(plan));
}
