/* SPDX-License-Identifier: Apache-2.0 */
/* offers-print.c - offers, accelerators and the ledger's evidence as tables, JSON and CSV */
#include "cli.h"

#include <string.h>

#define BUFFER_SIZE 65536

/* ---- Parts ---- */

size_t cli_marks(uint32_t marks, const char *words[CLI_MARKS])
{
	static const struct {
		uint32_t mark;
		const char *word;
	} all[CLI_MARKS] = {
		{ SOUK_PRICE_NOT_POSITIVE, "price-not-positive" },
		{ SOUK_PRICE_FAR_BELOW, "price-far-below-median" },
		{ SOUK_PRICE_SPOT_NOT_POSITIVE, "spot-price-not-positive" },
		{ SOUK_PRICE_SPOT_FAR_BELOW, "spot-price-far-below-median" },
		{ SOUK_PRICE_SPOT_ABOVE, "spot-price-above-on-demand" },
	};
	size_t i, n = 0;

	for (i = 0; i < CLI_MARKS; i++)
		if (marks & all[i].mark)
			words[n++] = all[i].word;
	return n;
}

static int is_dollar(const char *currency)
{
	return !currency || !*currency || strcmp(currency, "USD") == 0;
}

/* A price as a table shows it: with its currency if that is no dollar, "?" if it cannot be right. */
static void add_price(struct cli_table *table, int64_t micros, const char *currency, int marked)
{
	char text[CLI_TEXT_SIZE];

	if (micros >= 0 && !is_dollar(currency))
		cli_money_currency(micros, currency, text);
	else
		cli_money(micros, text);
	if (marked)
		cli_table_printf(table, "%s ?", text);
	else
		cli_table_add(table, text);
}

/* Send a table through the pager, with a line of text behind it (NULL: none). */
static int print_paged(const struct cli_table *table, const char *footnote)
{
	struct cli_pager pager;
	int status;

	cli_pager_open(&pager, table->n_cells / table->n_columns + 1);
	status = pager.file ? cli_table_print(table, pager.file) : EX_OSERR;
	if (status == 0 && footnote)
		fprintf(pager.file, "%s\n", footnote);
	cli_pager_close(&pager);
	return status;
}

/* ---- Offers ---- */

static const struct cli_column offer_columns[] = {
	{ "PROVIDER", CLI_LEFT },  { "REGION", CLI_LEFT },    { "INSTANCE", CLI_LEFT },
	{ "vCPUs", CLI_RIGHT },	   { "MEM(GiB)", CLI_RIGHT }, { "ACCELERATORS", CLI_LEFT },
	{ "GPU MEM", CLI_RIGHT },  { "$/h", CLI_DECIMAL },    { "SPOT $/h", CLI_DECIMAL },
	{ "SOURCE", CLI_LEFT },	   { "DATE", CLI_LEFT },      { "NOTE", CLI_LEFT },
};

#define SPOT_MARKS                                                                                 \
	(SOUK_PRICE_SPOT_NOT_POSITIVE | SOUK_PRICE_SPOT_FAR_BELOW | SOUK_PRICE_SPOT_ABOVE)

static void add_place(struct cli_table *table, const struct souk_offer_row *row)
{
	if (row->zone)
		cli_table_printf(table, "%s/%s", row->region, row->zone);
	else if (row->further_regions)
		cli_table_printf(table, "%s (+%u)", row->region, row->further_regions);
	else
		cli_table_add(table, row->region);
}

static const char *note_of(const struct souk_offer_row *row)
{
	if (!row->installed)
		return "not installed";
	return row->available == 0 ? "none in stock" : NULL;
}

static void add_offer(struct cli_table *table, const struct souk_offer_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_table_add(table, row->provider);
	add_place(table, row);
	cli_table_add(table, row->instance_type);
	cli_table_add(table, row->vcpus_milli ? cli_milli(row->vcpus_milli, text) : NULL);
	cli_table_add(table, row->memory_mib ? cli_gib(row->memory_mib, text) : NULL);
	cli_table_add(table, cli_accelerator(row->accelerator, row->accelerator_milli, text));
	cli_table_add(table, row->accelerator && row->accelerator_memory_mib ?
				     cli_gib(row->accelerator_memory_mib, text) : NULL);
	add_price(table, row->micros_per_hour, row->currency, (row->marks & ~SPOT_MARKS) != 0);
	add_price(table, row->spot_micros_per_hour, row->currency, (row->marks & SPOT_MARKS) != 0);
	cli_table_add(table, row->source);
	cli_table_add(table, row->date);
	if (table->n_columns == CLI_ARRAY_SIZE(offer_columns))
		cli_table_add(table, note_of(row));
}

int cli_offers_table(struct souk_offers *offers)
{
	size_t n = souk_offers_count(offers), n_columns = CLI_ARRAY_SIZE(offer_columns) - 1, i;
	const struct souk_offer_row *row;
	uint32_t marks = 0;
	struct cli_table table;
	int status;

	/* A column that says nothing is not shown. */
	for (i = 0; i < n; i++) {
		row = souk_offers_row(offers, i);
		if (row && note_of(row))
			n_columns = CLI_ARRAY_SIZE(offer_columns);
		marks |= row ? row->marks : 0;
	}
	cli_table_init(&table, offer_columns, n_columns);
	for (i = 0; i < n; i++) {
		row = souk_offers_row(offers, i);
		if (row)
			add_offer(&table, row);
	}
	status = print_paged(&table, marks ? "? a price that cannot be right; it is never chosen" :
					     NULL);
	cli_table_fini(&table);
	return status;
}

/* ---- Accelerators ---- */

static const struct cli_column accelerator_columns[] = {
	{ "ACCELERATOR", CLI_LEFT }, { "MEM(GiB)", CLI_RIGHT },	{ "PROVIDERS", CLI_RIGHT },
	{ "REGIONS", CLI_RIGHT },    { "$/h EACH", CLI_DECIMAL }, { "SPOT $/h EACH", CLI_DECIMAL },
};

int cli_offers_accelerators(const struct souk_offers *offers)
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
		add_price(&table, row->micros_per_hour, row->currency, 0);
		add_price(&table, row->spot_micros_per_hour, row->currency, 0);
	}
	status = print_paged(&table, NULL);
	cli_table_fini(&table);
	if (status == 0)
		cli_hint("'souk offers %s' lists the machines that have it, 'souk offers --cpus 4+' others",
			 souk_offers_accelerator(offers, 0)->accelerator);
	return status;
}

/* ---- JSON ---- */

static const char *gib_or_null(uint64_t mib, char text[CLI_TEXT_SIZE])
{
	return mib ? cli_gib(mib, text) : NULL;
}

static void json_offer(struct cli_json_stream *json, const struct souk_offer_row *row)
{
	const char *words[CLI_MARKS];
	char text[CLI_TEXT_SIZE];

	cli_stream_json_object(json);
	cli_stream_json_text(json, "provider", row->provider);
	cli_stream_json_text(json, "region", row->region);
	cli_stream_json_text(json, "zone", row->zone);
	cli_stream_json_text(json, "instance_type", row->instance_type);
	cli_stream_json_text(json, "arch", row->arch);
	cli_stream_json_decimal(json, "vcpus",
				row->vcpus_milli ? cli_milli(row->vcpus_milli, text) : NULL);
	cli_stream_json_decimal(json, "memory_gib", gib_or_null(row->memory_mib, text));
	cli_stream_json_text(json, "gpu_name", row->accelerator);
	cli_stream_json_decimal(json, "gpu_count",
				cli_milli(row->accelerator ? row->accelerator_milli : 0, text));
	cli_stream_json_decimal(json, "gpu_memory_gib", row->accelerator ?
				gib_or_null(row->accelerator_memory_mib, text) : NULL);
	cli_stream_json_money(json, "price_usd_hour", row->micros_per_hour);
	cli_stream_json_money(json, "spot_price_usd_hour", row->spot_micros_per_hour);
	cli_stream_json_text(json, "currency", row->currency);
	cli_stream_json_text(json, "source", row->source);
	cli_stream_json_text(json, "date", row->date && *row->date ? row->date : NULL);
	cli_stream_json_words(json, "marks", words, cli_marks(row->marks, words));
	cli_stream_json_decimal(json, "local_disk_gib", gib_or_null(row->local_disk_mib, text));
	if (row->available < 0)
		cli_stream_json_text(json, "available", NULL);
	else
		cli_stream_json_int(json, "available", row->available);
	cli_stream_json_bool(json, "installed", row->installed);
	cli_stream_json_int(json, "further_regions", row->further_regions);
	cli_stream_json_object_end(json);
}

static void json_accelerator(struct cli_json_stream *json, const struct souk_accelerator_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_stream_json_object(json);
	cli_stream_json_text(json, "gpu_name", row->accelerator);
	cli_stream_json_decimal(json, "gpu_memory_gib", gib_or_null(row->memory_mib, text));
	cli_stream_json_int(json, "providers", row->providers);
	cli_stream_json_int(json, "regions", row->regions);
	cli_stream_json_money(json, "price_usd_hour", row->micros_per_hour);
	cli_stream_json_money(json, "spot_price_usd_hour", row->spot_micros_per_hour);
	cli_stream_json_text(json, "currency", row->currency);
	cli_stream_json_object_end(json);
}

/* Nothing is printed before, so the buffer may be enlarged. */
static char buffer[BUFFER_SIZE];

int cli_offers_json(struct souk_offers *offers)
{
	struct cli_json_stream json;
	size_t i;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	cli_stream_json_begin(&json, stdout);
	cli_stream_json_list(&json, "accelerators");
	for (i = 0; i < souk_offers_accelerators(offers); i++)
		json_accelerator(&json, souk_offers_accelerator(offers, i));
	cli_stream_json_list_end(&json);
	cli_stream_json_list(&json, "offers");
	for (i = 0; i < souk_offers_count(offers); i++) {
		const struct souk_offer_row *row = souk_offers_row(offers, i);

		if (row)
			json_offer(&json, row);
	}
	cli_stream_json_list_end(&json);
	return cli_stream_json_end(&json);
}

/* ---- CSV ---- */

/* A field of RFC 4180: in quotes if it has to be. */
static void put_field(const char *text, int last)
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

static void put_marks(uint32_t marks)
{
	const char *words[CLI_MARKS];
	size_t n = cli_marks(marks, words), i;

	for (i = 0; i < n; i++)
		printf("%s%s", i ? ";" : "", words[i]);
	putchar(',');
}

static void put_offer(const struct souk_offer_row *row)
{
	int gpu = row->accelerator != NULL;
	char text[CLI_TEXT_SIZE];

	put_field(row->provider, 0);
	put_field(row->region, 0);
	put_field(row->zone, 0);
	put_field(row->instance_type, 0);
	put_field(row->arch, 0);
	put_field(row->vcpus_milli ? cli_milli(row->vcpus_milli, text) : NULL, 0);
	put_field(gib_or_null(row->memory_mib, text), 0);
	put_field(row->accelerator, 0);
	put_field(gpu ? cli_milli(row->accelerator_milli, text) : NULL, 0);
	put_field(gpu ? gib_or_null(row->accelerator_memory_mib, text) : NULL, 0);
	put_field(row->micros_per_hour < 0 ? NULL : cli_money(row->micros_per_hour, text), 0);
	put_field(row->spot_micros_per_hour < 0 ?
			  NULL : cli_money(row->spot_micros_per_hour, text), 0);
	put_field(row->currency, 0);
	put_field(row->source, 0);
	put_field(row->date, 0);
	put_marks(row->marks);
	put_field(gib_or_null(row->local_disk_mib, text), 0);
	if (row->available >= 0)
		printf("%d", row->available);
	printf(",%s,%u\n", row->installed ? "true" : "false", row->further_regions);
}

int cli_offers_csv(struct souk_offers *offers)
{
	size_t i;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	puts("provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,"
	     "gpu_memory_gib,price_usd_hour,spot_price_usd_hour,currency,source,date,marks,"
	     "local_disk_gib,available,installed,further_regions");
	for (i = 0; i < souk_offers_count(offers); i++) {
		const struct souk_offer_row *row = souk_offers_row(offers, i);

		if (row)
			put_offer(row);
	}
	return 0;
}

/* ---- Evidence ---- */

static const struct cli_column evidence_columns[] = {
	{ "AGE", CLI_RIGHT },	   { "PROVIDER", CLI_LEFT }, { "REGION", CLI_LEFT },
	{ "INSTANCE", CLI_LEFT },  { "ACCELERATORS", CLI_LEFT }, { "OUTCOME", CLI_LEFT },
	{ "REACHES", CLI_LEFT },   { "REASON", CLI_LEFT },   { "WEIGHT", CLI_RIGHT },
	{ "LAST FOR", CLI_RIGHT },
};

static void add_evidence(struct cli_table *table, const struct souk_evidence_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_table_add(table, cli_ago(row->at, text));
	cli_table_add(table, row->provider);
	if (row->zone)
		cli_table_printf(table, "%s/%s", row->region, row->zone);
	else
		cli_table_add(table, row->region);
	cli_table_printf(table, "%s%s", row->instance_type, row->spot ? " (spot)" : "");
	cli_table_add(table, cli_accelerator(row->accelerator, row->accelerator_milli, text));
	cli_table_add(table, row->code_name);
	cli_table_add(table, row->scope);
	cli_table_add(table, row->reason);
	cli_table_add(table, cli_milli(row->weight_milli, text));
	cli_table_add(table, row->cooldown_left_s > 0 ?
				     cli_duration(row->cooldown_left_s, text) : NULL);
}

int cli_evidence_table(const struct souk_evidence_list *list)
{
	struct cli_table table;
	size_t i;
	int status;

	cli_table_init(&table, evidence_columns, CLI_ARRAY_SIZE(evidence_columns));
	for (i = 0; i < souk_evidence_count(list); i++)
		add_evidence(&table, souk_evidence_row(list, i));
	status = print_paged(&table, NULL);
	cli_table_fini(&table);
	return status;
}

static void json_evidence(struct cli_json_stream *json, const struct souk_evidence_row *row)
{
	char text[CLI_TEXT_SIZE];

	cli_stream_json_object(json);
	cli_stream_json_text(json, "provider", row->provider);
	cli_stream_json_text(json, "region", row->region);
	cli_stream_json_text(json, "zone", row->zone);
	cli_stream_json_text(json, "instance_type", row->instance_type);
	cli_stream_json_text(json, "gpu_name", row->accelerator);
	cli_stream_json_decimal(json, "gpu_count",
				cli_milli(row->accelerator ? row->accelerator_milli : 0, text));
	cli_stream_json_bool(json, "spot", row->spot);
	cli_stream_json_text(json, "outcome", row->code_name);
	cli_stream_json_text(json, "scope", row->scope);
	cli_stream_json_text(json, "reason", row->reason);
	cli_stream_json_text(json, "at", cli_time(row->at, text));
	cli_stream_json_decimal(json, "weight", cli_milli(row->weight_milli, text));
	cli_stream_json_int(json, "cooldown_seconds", row->cooldown_left_s);
	cli_stream_json_object_end(json);
}

int cli_evidence_json(const struct souk_evidence_list *list)
{
	struct cli_json_stream json;
	size_t i;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	cli_stream_json_begin(&json, stdout);
	cli_stream_json_list(&json, "evidence");
	for (i = 0; i < souk_evidence_count(list); i++)
		json_evidence(&json, souk_evidence_row(list, i));
	cli_stream_json_list_end(&json);
	return cli_stream_json_end(&json);
}
