/* SPDX-License-Identifier: Apache-2.0 */
/* launch-summary.c - a launch that got no machine: what was tried, and what to do next */
#include "cli.h"

#include <string.h>

static void add_row(struct cli_table *table, const struct souk_tried_row *row)
{
	cli_table_add(table, row->provider);
	if (row->regions > 1)
		cli_table_printf(table, "%s +%u", row->region, row->regions - 1);
	else
		cli_table_add(table, row->region);
	cli_table_add(table, row->spot ? "spot" : "on-demand");
	cli_table_printf(table, "%u", row->count);
	cli_table_printf(table, "%u", row->skipped);
	cli_table_add(table, row->code);
	cli_table_add(table, row->reason ? row->reason : row->message);
}

int cli_launch_summary_print(const struct souk_launch_summary *summary)
{
	static const struct cli_column columns[] = {
		{ "PROVIDER", CLI_LEFT }, { "REGION", CLI_LEFT },   { "MARKET", CLI_LEFT },
		{ "TRIED", CLI_RIGHT },	  { "SKIPPED", CLI_RIGHT }, { "FAILURE", CLI_LEFT },
		{ "REASON", CLI_LEFT },
	};
	struct cli_table table;
	size_t i;
	int status;

	/* One alone is told by the error itself. */
	if (!summary || (summary->n_tried < 2 && summary->tried[0].count < 2))
		return 0;
	cli_table_init(&table, columns, sizeof(columns) / sizeof(columns[0]));
	for (i = 0; i < summary->n_tried; i++)
		add_row(&table, &summary->tried[i]);
	status = cli_table_print(&table, stderr);
	cli_table_fini(&table);
	return status;
}

void cli_launch_summary_hints(const struct souk_launch_summary *summary, const char *said)
{
	size_t i;

	for (i = 0; summary && i < summary->n_advice; i++)
		if (!*said || !strstr(summary->advice[i].text, said))
			cli_hint("%s", summary->advice[i].text);
}

static void add_tried(struct cli_json *json, struct json_object *in, const struct souk_tried_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "region", row->region);
	cli_json_int(json, object, "regions", row->regions);
	cli_json_bool(json, object, "spot", row->spot);
	cli_json_int(json, object, "tried", row->count);
	cli_json_int(json, object, "skipped", row->skipped);
	cli_json_text(json, object, "code", row->code);
	cli_json_text(json, object, "scope", row->scope);
	cli_json_text(json, object, "reason", row->reason);
	cli_json_text(json, object, "message", row->message);
	cli_json_text(json, object, "hint", row->hint);
}

static void add_advice(struct cli_json *json, struct json_object *in, const struct souk_advice_row *row)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "kind", row->kind);
	cli_json_text(json, object, "text", row->text);
	cli_json_text(json, object, "flag", row->flag);
	cli_json_text(json, object, "provider", row->provider);
	cli_json_text(json, object, "region", row->region);
	cli_json_text(json, object, "zone", row->zone);
	cli_json_text(json, object, "instance_type", row->instance_type);
	cli_json_bool(json, object, "spot", row->spot);
	cli_json_money(json, object, "price_per_hour", row->price_micros);
	cli_json_text(json, object, "currency", row->currency);
}

void cli_launch_summary_json(struct cli_json *json, const struct souk_launch_summary *summary,
			     const struct souk_error *err)
{
	struct json_object *failure = cli_json_object(json, json->root, "failure");
	struct json_object *list;
	size_t i;

	cli_json_text(json, failure, "message", err->message);
	cli_json_text(json, failure, "hint", err->hint[0] ? err->hint : NULL);
	list = cli_json_array(json, failure, "tried");
	for (i = 0; i < summary->n_tried; i++)
		add_tried(json, list, &summary->tried[i]);
	list = cli_json_array(json, failure, "advice");
	for (i = 0; i < summary->n_advice; i++)
		add_advice(json, list, &summary->advice[i]);
}
