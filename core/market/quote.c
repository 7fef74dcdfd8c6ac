/* SPDX-License-Identifier: Apache-2.0 */
/* market/quote.c - a candidate's price, item by item */
#include "market/quote.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/money.h"
#include "base/util.h"
#include "market/tariff.h"

#define HEADER "item,region,unit,price,date,source"
#define HOURS_PER_MONTH 730u

enum unit {
	UNIT_HOUR,
	UNIT_MONTH,	/* whatever the size */
	UNIT_GB_MONTH,
	UNIT_STEP,	/* "month-128": a month, for any size up to so many GiB */
	UNIT_GIB	/* not a price: how large a disk is that nobody gave a size */
};

struct charge {
	const char *item;
	const char *region;
	enum unit unit;
	uint64_t step_gib;
	int64_t micros;
	const char *date;
	const char *source;
};

struct souk_charges {
	struct souk_tariff tariff;
	struct charge *items;
	size_t n;
};

/* ---- The table of charges ---- */

static int read_unit(const struct souk_tariff *tariff, const struct souk_tariff_line *line,
		     struct charge *charge, struct souk_error *err)
{
	static const struct {
		const char *name;
		enum unit unit;
	} units[] = {
		{ "hour", UNIT_HOUR }, { "month", UNIT_MONTH }, { "gb-month", UNIT_GB_MONTH },
		{ "gib", UNIT_GIB },
	};
	struct souk_error why = SOUK_ERROR_INIT;
	const char *text = line->fields[2];
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(units); i++) {
		if (strcmp(text, units[i].name) == 0) {
			charge->unit = units[i].unit;
			return SOUK_OK;
		}
	}
	if (strncmp(text, "month-", 6) == 0 &&
	    souk_parse_u64("unit", text + 6, &charge->step_gib, &why) == SOUK_OK) {
		charge->unit = UNIT_STEP;
		return SOUK_OK;
	}
	return souk_tariff_bad(
		tariff, line->line, err,
		"'unit' must be hour, month, gb-month, month-GIB or gib, not '%.40s'", text);
}

static int read_charge(struct souk_charges *charges, const struct souk_tariff_line *line,
		       struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	struct charge *charge = &charges->items[charges->n];
	int ret;

	if (line->n != 6)
		return souk_tariff_bad(&charges->tariff, line->line, err, "%zu fields, not 6",
				       line->n);
	*charge = (struct charge){ .item = line->fields[0], .region = line->fields[1],
				   .date = line->fields[4], .source = line->fields[5] };
	if (!charge->item[0] || !charge->region[0])
		return souk_tariff_bad(&charges->tariff, line->line, err,
				       "item or region is missing; '*' stands for any region");
	ret = read_unit(&charges->tariff, line, charge, err);
	if (ret < 0)
		return ret;
	if (souk_parse_micros("price", line->fields[3], &charge->micros, &why) < 0)
		return souk_tariff_bad(&charges->tariff, line->line, err, "%s", why.message);
	if (charge->micros < 0 || charge->micros > INT64_C(1000000000000))
		return souk_tariff_bad(&charges->tariff, line->line, err,
				       "price: too large or below 0: '%.40s'", line->fields[3]);
	charges->n++;
	return SOUK_OK;
}

/* Take a parsed table over, also on failure. */
static int make_charges(struct souk_tariff *tariff, struct souk_charges **charges_out,
			struct souk_error *err)
{
	struct souk_charges *charges = calloc(1, sizeof(*charges));
	int ret = SOUK_OK;
	size_t i;

	if (!charges) {
		souk_tariff_fini(tariff);
		return souk_error_nomem(err);
	}
	charges->tariff = *tariff;
	charges->items = calloc(tariff->n + 1, sizeof(*charges->items));
	if (!charges->items)
		ret = souk_error_nomem(err);
	for (i = 0; i < charges->tariff.n && ret == SOUK_OK; i++)
		ret = read_charge(charges, &charges->tariff.lines[i], err);
	if (ret < 0) {
		souk_charges_free(charges);
		return ret;
	}
	*charges_out = charges;
	return SOUK_OK;
}

int souk_charges_parse(const char *path, const char *text, size_t size,
		       struct souk_charges **charges_out, struct souk_error *err)
{
	struct souk_tariff tariff = { 0 };
	int ret = souk_tariff_parse(path, text, size, HEADER, NULL, &tariff, err);

	return ret < 0 ? ret : make_charges(&tariff, charges_out, err);
}

int souk_charges_load(const struct souk_paths *paths, const char *provider,
		      struct souk_charges **charges_out, struct souk_error *err)
{
	struct souk_tariff tariff = { 0 };
	int ret = souk_tariff_open(paths, "charges", provider, HEADER, NULL, &tariff, err);

	if (ret < 0 && ret != SOUK_E_NOT_FOUND)
		return ret;
	return make_charges(&tariff, charges_out, err);
}

void souk_charges_free(struct souk_charges *charges)
{
	if (!charges)
		return;
	souk_tariff_fini(&charges->tariff);
	free(charges->items);
	free(charges);
}

/* The first line that fits; of steps the first that is large enough. NULL: nothing is said. */
static const struct charge *find_charge(const struct souk_charges *charges, const char *item,
					const char *region, uint64_t gib)
{
	size_t i;

	for (i = 0; charges && i < charges->n; i++) {
		const struct charge *charge = &charges->items[i];

		if (strcmp(charge->item, item) == 0 &&
		    souk_tariff_matches(charge->region, region) &&
		    (charge->unit != UNIT_STEP || gib <= charge->step_gib))
			return charge;
	}
	return NULL;
}

/* ---- Items ---- */

static struct souk_quote_item *add_item(struct souk_quote_sheet *sheet, const char *name,
					int per_hour, int64_t micros)
{
	struct souk_quote_item *item;

	/* There are fewer kinds than places; a module's lines are bounded by its caller. */
	if (sheet->n == SOUK_QUOTE_MAX_ITEMS)
		return &sheet->items[SOUK_QUOTE_MAX_ITEMS - 1];
	item = &sheet->items[sheet->n++];
	*item = (struct souk_quote_item){ .per_hour = per_hour,
					  .micros = micros,
					  .currency = "USD" };
	snprintf(item->item, sizeof(item->item), "%s", name);
	return item;
}

static void set_origin(struct souk_quote_item *item, const char *source, const char *date)
{
	snprintf(item->source, sizeof(item->source), "%s", source ? source : "");
	snprintf(item->date, sizeof(item->date), "%.15s", date ? date : "");
}

static void add_compute(const struct souk_quote_query *q, struct souk_quote_sheet *sheet)
{
	const struct souk_candidate *c = q->candidate;
	struct souk_quote_item *item = add_item(sheet, "compute", 1, c->total_micros_per_hour);
	char text[SOUK_MONEY_TEXT_SIZE];

	snprintf(item->currency, sizeof(item->currency), "%s", c->offer.currency);
	snprintf(item->note, sizeof(item->note), "%u x %.80s%s at %s", q->task->num_nodes,
		 c->offer.instance_type, c->spot ? " (spot)" : "",
		 souk_money_text(c->micros_per_hour, text));
	snprintf(item->source, sizeof(item->source), "catalogue of %.60s (%s)", c->provider,
		 c->source);
	snprintf(item->date, sizeof(item->date), "%.15s", c->date);
}

/* The size that was asked for, else the provider's usual one. 0 with *known_out 0: nobody says. */
static uint64_t disk_gib(const struct souk_quote_query *q, int *known_out)
{
	const struct charge *usual;

	*known_out = 1;
	if (q->candidate->request->disk_size_gib > 0)
		return q->candidate->request->disk_size_gib;
	usual = find_charge(q->charges, "disk-size", q->candidate->offer.region, 0);
	*known_out = usual && usual->unit == UNIT_GIB;
	return *known_out ? (uint64_t)usual->micros / 1000000 : 0;
}

/* One machine's disk for an hour by a line of the table. */
static int64_t hourly(const struct charge *charge, uint64_t gib)
{
	switch (charge->unit) {
	case UNIT_HOUR:
		return charge->micros;
	case UNIT_MONTH:
	case UNIT_STEP:
		return souk_money_scale(charge->micros, 1, HOURS_PER_MONTH);
	case UNIT_GB_MONTH:
		return souk_money_scale(charge->micros, gib, HOURS_PER_MONTH);
	case UNIT_GIB:
		break;
	}
	return -1;
}

static void add_disk(const struct souk_quote_query *q, struct souk_quote_sheet *sheet)
{
	const char *tier = q->candidate->request->disk_tier ? q->candidate->request->disk_tier
							    : "medium";
	const char *region = q->candidate->offer.region;
	struct souk_quote_item *item = add_item(sheet, "disk", 1, -1);
	const struct charge *charge, *fixed;
	char name[48];
	uint64_t gib;
	int known;

	gib = disk_gib(q, &known);
	snprintf(name, sizeof(name), "disk-%.20s", tier);
	charge = find_charge(q->charges, name, region, gib);
	snprintf(name, sizeof(name), "disk-%.20s-fixed", tier);
	fixed = find_charge(q->charges, name, region, gib);
	if (!known)
		snprintf(item->note, sizeof(item->note),
			 "the image's own size, which is not known");
	else if (!charge)
		snprintf(item->note, sizeof(item->note),
			 "%" PRIu64 " GiB, tier %.20s: no price known there", gib, tier);
	if (!known || !charge || hourly(charge, gib) < 0)
		return;
	item->micros = hourly(charge, gib) + (fixed && gib > 0 ? hourly(fixed, gib) : 0);
	item->micros = souk_money_scale(item->micros, q->task->num_nodes, 1);
	if (gib == 0)
		snprintf(item->note, sizeof(item->note), "comes with the machine");
	else
		snprintf(item->note, sizeof(item->note), "%u x %" PRIu64 " GiB, tier %.20s",
			 q->task->num_nodes, gib, tier);
	set_origin(item, charge->source, charge->date);
}

static void add_address(const struct souk_quote_query *q, struct souk_quote_sheet *sheet)
{
	const struct souk_candidate *c = q->candidate;
	struct souk_quote_item *item = add_item(sheet, "address", 1, -1);
	const struct charge *charge = NULL;

	if (c->spot)
		charge = find_charge(q->charges, "address-spot", c->offer.region, 0);
	if (!charge)
		charge = find_charge(q->charges, "address", c->offer.region, 0);
	if (!charge || hourly(charge, 0) < 0) {
		snprintf(item->note, sizeof(item->note), "%u x public IPv4: no price known there",
			 q->task->num_nodes);
		return;
	}
	item->micros = souk_money_scale(hourly(charge, 0), q->task->num_nodes, 1);
	snprintf(item->note, sizeof(item->note), "%u x public IPv4", q->task->num_nodes);
	set_origin(item, charge->source, charge->date);
}

static void add_transfer(struct souk_quote_sheet *sheet, const char *name, const char *what,
			 const struct souk_transfer *transfer)
{
	static const char *const kinds[] = {
		[SOUK_TRANSFER_NOTHING] = "nothing to move",
		[SOUK_TRANSFER_SAME_REGION] = "inside the region",
		[SOUK_TRANSFER_SAME_PROVIDER] = "between regions",
		[SOUK_TRANSFER_INTERNET] = "through the internet",
	};
	struct souk_quote_item *item;
	char fraction[8] = "";

	if (transfer->mb == 0)
		return;
	if (transfer->mb % 1000)
		snprintf(fraction, sizeof(fraction), ".%03u", (unsigned)(transfer->mb % 1000));
	item = add_item(sheet, name, 0, transfer->micros);
	snprintf(item->note, sizeof(item->note), "%" PRIu64 "%s GB %s%s%.60s%s%s",
		 transfer->mb / 1000, fraction, kinds[transfer->kind], what[0] ? ", " : "", what,
		 transfer->region_unknown ? "; a region is not known" : "",
		 transfer->micros < 0 ? "; no price known" : "");
	set_origin(item, transfer->source, transfer->date);
}

void souk_quote_egress(const struct souk_quote_query *query, struct souk_transfer *out)
{
	struct souk_place here = { query->candidate->provider, query->candidate->offer.region };
	struct souk_place outside = { NULL, NULL };

	souk_egress_price(query->egress, &here, &outside, query->egress_mb, 1, out);
}

static void add_traffic(const struct souk_quote_query *q, struct souk_quote_sheet *sheet)
{
	const struct souk_candidate *c = q->candidate;
	struct souk_task_transfer transfer;
	struct souk_transfer egress;

	souk_egress_task(q->egress, q->task, c->provider, c->offer.region, &transfer);
	add_transfer(sheet, "inputs", q->task->inputs_uri ? q->task->inputs_uri : "",
		     &transfer.inputs);
	add_transfer(sheet, "outputs", q->task->outputs_uri ? q->task->outputs_uri : "",
		     &transfer.outputs);
	souk_quote_egress(q, &egress);
	add_transfer(sheet, "egress", "as estimated with --egress", &egress);
}

static void add_preemption(const struct souk_quote_query *q, struct souk_quote_sheet *sheet)
{
	struct souk_quote_item *item;

	if (!q->candidate->spot)
		return;
	item = add_item(sheet, "preemption", 0, q->candidate->preemption_micros);
	snprintf(item->currency, sizeof(item->currency), "%s", q->candidate->offer.currency);
	snprintf(item->note, sizeof(item->note), "%s",
		 q->candidate->preemption_micros > 0 ? "what being taken away is expected to cost" :
						       "no evidence of preemption");
	set_origin(item, "the capacity ledger", "");
}

/* ---- Sums ---- */

static void sum_up(struct souk_quote_sheet *sheet, uint32_t hours_milli)
{
	size_t i;

	sheet->hour_micros = sheet->once_micros = 0;
	sheet->complete = 1;
	for (i = 0; i < sheet->n; i++) {
		const struct souk_quote_item *item = &sheet->items[i];

		if (item->micros < 0 ||
		    (item->micros > 0 && strcmp(item->currency, sheet->currency) != 0)) {
			sheet->complete = 0;
			continue;
		}
		if (item->per_hour)
			sheet->hour_micros = souk_money_add(sheet->hour_micros, item->micros);
		else
			sheet->once_micros = souk_money_add(sheet->once_micros, item->micros);
	}
	sheet->total_micros = souk_money_add(
		souk_money_scale(sheet->hour_micros, hours_milli, 1000), sheet->once_micros);
}

void souk_quote_sheet_make(const struct souk_quote_query *query, struct souk_quote_sheet *sheet_out)
{
	int is_free = query->candidate->offer.flags & SOUK_OFFER_FREE;

	*sheet_out = (struct souk_quote_sheet){ 0 };
	snprintf(sheet_out->currency, sizeof(sheet_out->currency), "%s",
		 query->candidate->offer.currency);
	add_compute(query, sheet_out);
	/* A machine of one's own has its disk and its address. */
	if (!is_free) {
		add_disk(query, sheet_out);
		add_address(query, sheet_out);
	}
	add_traffic(query, sheet_out);
	add_preemption(query, sheet_out);
	sum_up(sheet_out, query->hours_milli);
}

void souk_quote_sheet_merge(struct souk_quote_sheet *sheet, const struct souk_quote_list *lines,
			    const char *provider, const char *date, uint32_t hours_milli)
{
	struct souk_quote_item *item;
	size_t i, j;

	for (i = 0; i < lines->n; i++) {
		const struct souk_quote_line *line = &lines->items[i];

		for (j = 0; j < sheet->n && strcmp(sheet->items[j].item, line->item) != 0; j++)
			;
		if (j == sheet->n && sheet->n == SOUK_QUOTE_MAX_ITEMS)
			break;
		item = j < sheet->n ? &sheet->items[j] : add_item(sheet, line->item, 0, 0);
		item->per_hour = line->per_hour != 0;
		item->micros = line->micros < 0 ? -1 : line->micros;
		snprintf(item->currency, sizeof(item->currency), "%s",
			 line->currency[0] ? line->currency : "USD");
		snprintf(item->note, sizeof(item->note), "%s", line->note ? line->note : "");
		snprintf(item->source, sizeof(item->source), "%.60s, asked", provider);
		snprintf(item->date, sizeof(item->date), "%.10s", date);
	}
	sum_up(sheet, hours_milli);
}
