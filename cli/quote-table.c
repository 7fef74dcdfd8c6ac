/* SPDX-License-Identifier: Apache-2.0 */
/* quote-table.c - a quote for people, from its document alone */
#include "cli.h"

#include <json-c/json.h>
#include <string.h>

/* A document was made by souk and checked by its id; what is not there is shown as "-". */
static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return value ? json_object_get_string(value) : NULL;
}

static const char *text_or(struct json_object *object, const char *key, const char *other)
{
	const char *text = text_of(object, key);

	return text ? text : other;
}

static int is_true(struct json_object *object, const char *key)
{
	return json_object_get_boolean(member(object, key));
}

static size_t length_of(struct json_object *object, const char *key)
{
	struct json_object *list = member(object, key);

	return json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
}

static struct json_object *item_of(struct json_object *object, const char *key, size_t i)
{
	return json_object_array_get_idx(member(object, key), i);
}

/* "$1.23", "1.23 EUR", "not known" */
static const char *price(struct json_object *object, const char *key, const char *currency,
			 char text[CLI_TEXT_SIZE])
{
	const char *number = text_of(object, key);

	if (!number)
		snprintf(text, CLI_TEXT_SIZE, "not known");
	else if (!currency || strcmp(currency, "USD") == 0)
		snprintf(text, CLI_TEXT_SIZE, "$%.40s", number);
	else
		snprintf(text, CLI_TEXT_SIZE, "%.40s %.3s", number, currency);
	return text;
}

static void print_line(FILE *file, const struct souk_buf *line)
{
	cli_text_print(file, line->data);
	fputc('\n', file);
}

/* ---- One stage ---- */

static void add_place(struct souk_buf *buf, struct json_object *offer)
{
	char infra[200];

	souk_buf_str(buf, cli_infra(text_or(offer, "provider", "?"), text_or(offer, "region", "?"),
				    text_of(offer, "zone"), infra, sizeof(infra)));
}

static void print_offer(struct json_object *stage, FILE *file)
{
	struct json_object *offer = member(stage, "offer"), *task = member(stage, "task");
	const char *gpu = text_of(offer, "gpu_name");
	struct souk_buf line;

	souk_buf_init(&line, 4096);
	if (text_of(task, "name"))
		souk_buf_printf(&line, "%s: ", text_of(task, "name"));
	add_place(&line, offer);
	souk_buf_printf(&line, ", %s x %s%s", text_or(offer, "num_nodes", "1"),
			text_or(offer, "instance_type", "?"),
			is_true(offer, "spot") ? " (spot)" : "");
	if (gpu)
		souk_buf_printf(&line, ", %s:%s", gpu, text_or(offer, "gpu_count", "?"));
	souk_buf_printf(&line, ", %s vCPUs, %s GiB", text_or(offer, "vcpus", "?"),
			text_or(offer, "memory_gib", "?"));
	print_line(file, &line);
	souk_buf_fini(&line);
}

static int print_items(struct json_object *stage, FILE *file)
{
	static const struct cli_column columns[] = {
		{ "ITEM", CLI_LEFT }, { "PER", CLI_LEFT },    { "PRICE", CLI_RIGHT },
		{ "FOR", CLI_LEFT },  { "SOURCE", CLI_LEFT }, { "DATE", CLI_LEFT },
	};
	struct cli_table table;
	char text[CLI_TEXT_SIZE];
	size_t i;
	int status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < length_of(stage, "items"); i++) {
		struct json_object *item = item_of(stage, "items", i);

		cli_table_add(&table, text_of(item, "item"));
		cli_table_add(&table, text_of(item, "per"));
		cli_table_add(&table, price(item, "price", text_of(item, "currency"), text));
		cli_table_add(&table, text_of(item, "note"));
		cli_table_add(&table, text_of(item, "source"));
		cli_table_add(&table, text_of(item, "date"));
	}
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	return status;
}

static void print_total(struct json_object *object, const char *what, FILE *file)
{
	struct json_object *total = member(object, "total");
	const char *currency = text_of(total, "currency"), *hours = text_or(total, "hours", "1");
	char hour[CLI_TEXT_SIZE], once[CLI_TEXT_SIZE], all[CLI_TEXT_SIZE];

	fprintf(file, "%s: %s an hour, %s once; %s for %.20s %s%s\n", what,
		price(total, "hour", currency, hour), price(total, "once", currency, once),
		price(total, "total", currency, all), hours,
		strcmp(hours, "1") == 0 ? "hour" : "hours",
		is_true(total, "complete") ? "" : ", and what is not known");
}

static int print_others(struct json_object *stage, FILE *file)
{
	static const struct cli_column columns[] = {
		{ "PROVIDER", CLI_LEFT }, { "REGION", CLI_LEFT }, { "ZONE", CLI_LEFT },
		{ "INSTANCE", CLI_LEFT }, { "PER HOUR", CLI_RIGHT }, { "TOTAL", CLI_RIGHT },
		{ "NOTE", CLI_LEFT },
	};
	struct cli_table table;
	char text[CLI_TEXT_SIZE];
	size_t i, n = length_of(stage, "others");
	int status;

	if (n == 0)
		return 0;
	fprintf(file, "\nRunners-up, %zu of %s:\n", n, text_or(stage, "candidates", "?"));
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < n; i++) {
		struct json_object *other = item_of(stage, "others", i);
		const char *currency = text_of(other, "currency");

		cli_table_add(&table, text_of(other, "provider"));
		cli_table_add(&table, text_of(other, "region"));
		cli_table_add(&table, text_of(other, "zone"));
		cli_table_printf(&table, "%s%s", text_or(other, "instance_type", "?"),
				 is_true(other, "spot") ? " (spot)" : "");
		cli_table_add(&table, price(other, "hour", currency, text));
		cli_table_add(&table, price(other, "total", currency, text));
		cli_table_add(&table, is_true(other, "cooling") ? "cooling" :
				      !is_true(other, "complete") ? "not all is known" : NULL);
	}
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	return status;
}

static int print_stage(struct json_object *stage, FILE *file)
{
	int status;

	print_offer(stage, file);
	status = print_items(stage, file);
	if (status == 0)
		print_total(stage, "Together", file);
	return status == 0 ? print_others(stage, file) : status;
}

/* ---- Several stages ---- */

static int print_stages(struct json_object *doc, FILE *file)
{
	static const struct cli_column columns[] = {
		{ "STAGE", CLI_RIGHT }, { "TASK", CLI_LEFT },	  { "PROVIDER", CLI_LEFT },
		{ "REGION", CLI_LEFT }, { "ZONE", CLI_LEFT },	  { "INSTANCE", CLI_LEFT },
		{ "PER HOUR", CLI_RIGHT }, { "TOTAL", CLI_RIGHT },
	};
	struct cli_table table;
	char text[CLI_TEXT_SIZE];
	size_t i;
	int status;

	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < length_of(doc, "stages"); i++) {
		struct json_object *stage = item_of(doc, "stages", i),
				   *offer = member(stage, "offer");
		struct json_object *total = member(stage, "total");
		const char *currency = text_of(total, "currency");

		cli_table_printf(&table, "%zu", i + 1);
		cli_table_add(&table, text_of(member(stage, "task"), "name"));
		cli_table_add(&table, text_of(offer, "provider"));
		cli_table_add(&table, text_of(offer, "region"));
		cli_table_add(&table, text_of(offer, "zone"));
		cli_table_printf(&table, "%s x %s%s", text_or(offer, "num_nodes", "1"),
				 text_or(offer, "instance_type", "?"),
				 is_true(offer, "spot") ? " (spot)" : "");
		cli_table_add(&table, price(total, "hour", currency, text));
		cli_table_add(&table, price(total, "total", currency, text));
	}
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	return status;
}

static int print_transfers(struct json_object *doc, FILE *file)
{
	static const struct cli_column columns[] = {
		{ "FROM", CLI_RIGHT }, { "TO", CLI_RIGHT },    { "GB", CLI_RIGHT },
		{ "WAY", CLI_LEFT },   { "PRICE", CLI_RIGHT }, { "SOURCE", CLI_LEFT },
		{ "DATE", CLI_LEFT },
	};
	struct cli_table table;
	char text[CLI_TEXT_SIZE];
	size_t i, n = length_of(doc, "transfers");
	int status;

	if (n == 0)
		return 0;
	fputs("\nData between the stages:\n", file);
	cli_table_init(&table, columns, CLI_ARRAY_SIZE(columns));
	for (i = 0; i < n; i++) {
		struct json_object *transfer = item_of(doc, "transfers", i);

		cli_table_add(&table, text_of(transfer, "from"));
		cli_table_add(&table, text_of(transfer, "to"));
		cli_table_add(&table, text_of(transfer, "gb"));
		cli_table_add(&table, text_of(transfer, "kind"));
		cli_table_add(&table,
			      price(transfer, "price", text_of(transfer, "currency"), text));
		cli_table_add(&table, text_of(transfer, "source"));
		cli_table_add(&table, text_of(transfer, "date"));
	}
	status = cli_table_print(&table, file);
	cli_table_fini(&table);
	if (status == 0)
		fputc('\n', file);
	return status;
}

static void print_sum(struct json_object *doc, FILE *file)
{
	struct json_object *total = member(doc, "total");
	const char *hours = text_or(total, "hours", "1");
	char text[CLI_TEXT_SIZE];

	fprintf(file, "All stages and transfers: %s, at %.20s %s a stage%s\n",
		price(total, "total", text_of(total, "currency"), text), hours,
		strcmp(hours, "1") == 0 ? "hour" : "hours",
		is_true(total, "complete") ? "" : ", and what is not known");
}

static int print_pipeline(struct json_object *doc, FILE *file)
{
	int status = print_stages(doc, file);

	if (status == 0)
		status = print_transfers(doc, file);
	if (status == 0)
		print_sum(doc, file);
	return status;
}

int cli_quote_print(const struct souk_quote *quote, int head, FILE *file)
{
	struct json_object *doc = json_tokener_parse(souk_quote_json(quote));
	int status;

	if (!doc)
		return cli_nomem();
	if (head)
		fprintf(file, "Quote %s, valid until %s: %s\n\n", souk_quote_id(quote),
			text_or(doc, "valid_until", "-"), text_or(doc, "validity", "-"));
	status = length_of(doc, "stages") == 1 ? print_stage(item_of(doc, "stages", 0), file) :
						 print_pipeline(doc, file);
	json_object_put(doc);
	return status;
}

/* ---- All that are kept ---- */

static void add_listed(struct cli_table *table, struct json_object *doc, const char *id)
{
	struct json_object *stage = item_of(doc, "stages", 0), *offer = member(stage, "offer");
	struct json_object *total = member(doc, "total");
	char text[CLI_TEXT_SIZE], infra[200];
	size_t n = length_of(doc, "stages");

	cli_table_add(table, id);
	cli_table_add(table, text_of(doc, "created_at"));
	cli_table_add(table, text_of(doc, "valid_until"));
	cli_table_add(table, text_of(member(stage, "task"), "name"));
	if (n == 1) {
		cli_table_add(table, cli_infra(text_or(offer, "provider", "?"),
					       text_or(offer, "region", "?"),
					       text_of(offer, "zone"), infra, sizeof(infra)));
		cli_table_printf(table, "%s x %s%s", text_or(offer, "num_nodes", "1"),
				 text_or(offer, "instance_type", "?"),
				 is_true(offer, "spot") ? " (spot)" : "");
	} else {
		cli_table_add(table, NULL);
		cli_table_printf(table, "%zu stages", n);
	}
	cli_table_add(table, price(total, "total", text_of(total, "currency"), text));
}

int cli_quote_list_add(struct cli_table *table, const struct souk_quote *quote)
{
	struct json_object *doc = json_tokener_parse(souk_quote_json(quote));

	if (!doc)
		return cli_nomem();
	add_listed(table, doc, souk_quote_id(quote));
	json_object_put(doc);
	return 0;
}

/* What a list says of a quote: without the rest of it. */
int cli_quote_list_json(struct cli_json *json, struct json_object *in,
			const struct souk_quote *quote)
{
	static const char *const keys[] = { "created_at", "valid_until", "validity" };
	struct json_object *doc = json_tokener_parse(souk_quote_json(quote)), *object, *stage,
			   *total;
	size_t i;

	if (!doc)
		return cli_nomem();
	object = cli_json_object(json, in, NULL);
	cli_json_text(json, object, "id", souk_quote_id(quote));
	for (i = 0; i < CLI_ARRAY_SIZE(keys); i++)
		cli_json_text(json, object, keys[i], text_of(doc, keys[i]));
	stage = item_of(doc, "stages", 0);
	total = member(doc, "total");
	cli_json_text(json, object, "task", text_of(member(stage, "task"), "name"));
	cli_json_int(json, object, "stages", (int64_t)length_of(doc, "stages"));
	if (text_of(total, "total"))
		cli_json_decimal(json, object, "total", text_of(total, "total"));
	cli_json_text(json, object, "currency", text_of(total, "currency"));
	json_object_put(doc);
	return 0;
}
