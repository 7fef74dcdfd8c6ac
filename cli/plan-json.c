/* SPDX-License-Identifier: Apache-2.0 */
/* plan-json.c - a plan as JSON: a candidate at a time, so that sixty thousand need no memory */
#include "cli.h"

#include <json-c/json.h>

#define STYLE (JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE)

/* Print the members of a finished object but not its braces. 0, or an exit status. */
static int print_members(struct cli_json *json)
{
	struct json_object_iterator at, end;
	int n = 0;

	if (json->failed)
		return cli_nomem();
	at = json_object_iter_begin(json->root);
	end = json_object_iter_end(json->root);
	for (; !json_object_iter_equal(&at, &end); json_object_iter_next(&at)) {
		struct json_object *value = json_object_iter_peek_value(&at);

		printf("%s  \"%s\": %s", n++ ? ",\n" : "", json_object_iter_peek_name(&at),
		       value ? json_object_to_json_string_ext(value, STYLE) : "null");
	}
	return 0;
}

static int print_candidate(const struct souk_offer_row *row, int first)
{
	struct json_object *list, *item;
	struct cli_json json;
	const char *text = NULL;

	cli_json_init(&json);
	list = cli_json_array(&json, json.root, "list");
	cli_json_candidate(&json, list, NULL, row);
	item = json.failed ? NULL : json_object_array_get_idx(list, 0);
	if (item)
		text = json_object_to_json_string_ext(item, STYLE);
	if (text)
		printf("%s\n    %s", first ? "" : ",", text);
	cli_json_fini(&json);
	return text ? 0 : cli_nomem();
}

static void add_reason(struct cli_json *json, struct json_object *in, const char *verb,
		       const struct souk_plan_reason *reason)
{
	struct json_object *object = cli_json_object(json, in, NULL);

	cli_json_text(json, object, "provider", reason->provider);
	cli_json_text(json, object, "reason", reason->reason);
	cli_json_text(json, object, "text", reason->text);
	cli_json_int(json, object, "offers", (int64_t)reason->offers);
	if (reason->example)
		cli_json_candidate(json, object, verb, reason->example);
	else
		cli_json_null(json, object, verb);
}

static int print_explanation(const struct souk_plan *plan)
{
	struct json_object *explain, *list;
	struct cli_json json;
	size_t i;
	int status;

	cli_json_init(&json);
	explain = cli_json_object(&json, json.root, "explain");
	list = cli_json_array(&json, explain, "lost");
	for (i = 0; i < souk_plan_lost_count(plan); i++)
		add_reason(&json, list, "candidate", souk_plan_lost(plan, i));
	list = cli_json_array(&json, explain, "ruled_out");
	for (i = 0; i < souk_plan_ruled_out_count(plan); i++)
		add_reason(&json, list, "example", souk_plan_ruled_out(plan, i));
	cli_json_int(&json, explain, "marked_prices", (int64_t)souk_plan_marked(plan));
	status = print_members(&json);
	cli_json_fini(&json);
	return status;
}

static int print_head(const char *cluster, const struct souk_plan *plan)
{
	struct cli_json json;
	int status;

	cli_json_init(&json);
	cli_json_text(&json, json.root, "cluster", cluster);
	cli_json_bool(&json, json.root, "exists", plan == NULL);
	cli_json_bool(&json, json.root, "dryrun", 1);
	cli_json_int(&json, json.root, "total", plan ? (int64_t)souk_plan_count(plan) : 0);
	status = print_members(&json);
	cli_json_fini(&json);
	return status;
}

int cli_plan_print_json(const char *cluster, struct souk_plan *plan, size_t limit, int explain)
{
	const struct souk_offer_row *row;
	size_t i;
	int status;

	fputs("{\n", stdout);
	status = print_head(cluster, plan);
	fputs(",\n  \"candidates\": [", stdout);
	for (i = 0; plan && status == 0; i++) {
		if (limit > 0)
			row = i < limit ? souk_plan_row(plan, i) : NULL;
		else
			row = souk_plan_best_row(plan, i);
		if (!row)
			break;
		status = print_candidate(row, i == 0);
	}
	fputs(i > 0 ? "\n  ]" : "]", stdout);
	if (explain && plan && status == 0) {
		fputs(",\n", stdout);
		status = print_explanation(plan);
	}
	fputs("\n}\n", stdout);
	return status;
}
