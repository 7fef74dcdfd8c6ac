/* SPDX-License-Identifier: Apache-2.0 */
/* quote.c - what a spec costs by the hour: machines, root disks, public addresses */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "disk.h"
#include "market.h"
#include "products.h"
#include "reservation.h"

enum {
	HOURS_A_MONTH = 730,
	GP3_FREE_IOPS = 3000,
	GP3_FREE_MIB = 125, /* a second */
	MIB_A_GIB = 1024,
	DISKS_KEPT_SECONDS = 86400
};

/* A price and where it is from. */
struct figure {
	const char *currency;
	int64_t micros; /* 0: not found */
	char date[11];
};

static void take_figure(struct figure *figure, struct json_object *product, const char *unit)
{
	int64_t micros;

	if (!aws_product_rate(product, unit, figure->currency, &micros))
		return;
	/* Pages may repeat themselves; of two the cheaper one, as in the list of offers. */
	if (figure->micros && figure->micros <= micros)
		return;
	figure->micros = micros;
	aws_product_date(product, figure->date);
}

/* "0.08" of millionths: two digits, and more where they are not zero. */
static const char *money(int64_t micros, char text[32])
{
	size_t len;

	snprintf(text, 32, "%" PRId64 ".%06" PRId64, micros / 1000000, micros % 1000000);
	len = strlen(text);
	while (text[len - 1] == '0' && text[len - 3] != '.')
		text[--len] = '\0';
	return text;
}

static int add_line(const struct souk_instance_spec *spec, const char *item, int64_t micros,
		    const char *currency, const char *note, struct souk_quote_list *out,
		    struct souk_error *err)
{
	struct souk_quote_line line = {
		.struct_size = sizeof(line), .per_hour = 1, .item = item, .note = note,
	};

	if (micros > INT64_MAX / 1000000 || spec->count > 100000)
		return souk_error_set(err, SOUK_E_INTERNAL, "no such price: %" PRId64, micros);
	line.micros = micros * (spec->count ? spec->count : 1);
	snprintf(line.currency, sizeof(line.currency), "%s", currency);
	return souk_quote_list_add(out, &line, err);
}

/* ---- Machines -------------------------------------------------------------------------------- */

struct machine {
	const struct souk_instance_spec *spec;
	struct figure figure;
	char zone[AWS_REGION_SIZE]; /* of the spot price */
	int64_t at;
};

static void take_machine(struct json_object *product, void *arg)
{
	struct machine *machine = arg;
	const char *type;
	int64_t micros;

	if (aws_product_read(product, machine->figure.currency, &type, &micros) &&
	    strcmp(type, machine->spec->instance_type) == 0)
		take_figure(&machine->figure, product, "Hrs");
}

/* Where the zone is open, the dearest counts: nobody knows which one it will be. */
static int take_spot(void *arg, const xmlNode *root, struct souk_error *err)
{
	struct machine *machine = arg;
	const struct souk_instance_spec *spec = machine->spec;
	const xmlNode *item = aws_xml_first_item(aws_xml_child(root, "spotPriceHistorySet"));
	struct aws_spot spot;

	(void)err;
	for (; item; item = aws_xml_next_item(item)) {
		if (!aws_spot_read(item, &spot) || strcmp(spot.type, spec->instance_type) != 0 ||
		    (spec->zone && strcmp(spot.zone, spec->zone) != 0))
			continue;
		if (strcmp(spot.zone, machine->zone) == 0 ? spot.at <= machine->at :
							    spot.micros_per_hour <=
								    machine->figure.micros)
			continue;
		machine->figure.micros = spot.micros_per_hour;
		machine->at = spot.at;
		snprintf(machine->zone, sizeof(machine->zone), "%s", spot.zone);
	}
	return SOUK_OK;
}

static int ask_machine(const struct aws_client *client, struct machine *machine,
		       struct souk_error *err)
{
	const char *type = machine->spec->instance_type;
	const struct aws_price_filter filters[] = {
		{ "regionCode", client->region },
		{ "instanceType", type },
		{ "operatingSystem", "Linux" },
		{ "tenancy", "Shared" },
		{ "capacitystatus", "Used" },
		{ "preInstalledSw", "NA" },
	};
	struct aws_price_filter metal[AWS_ARRAY_SIZE(filters)];
	int ret;

	if (machine->spec->spot)
		return aws_spot_pages(client, type, take_spot, machine, err);
	ret = aws_products_each(client, "AmazonEC2", filters, AWS_ARRAY_SIZE(filters),
				AWS_PRICES_KEPT_SECONDS, take_machine, machine, err);
	if (ret < 0 || machine->figure.micros || !aws_type_is_metal(type))
		return ret;
	memcpy(metal, filters, sizeof(metal));
	metal[3].value = "Dedicated";
	return aws_products_each(client, "AmazonEC2", metal, AWS_ARRAY_SIZE(metal),
				 AWS_PRICES_KEPT_SECONDS, take_machine, machine, err);
}

static int quote_machine(const struct aws_client *client, const struct souk_instance_spec *spec,
			 struct souk_quote_list *out, struct souk_error *err)
{
	struct machine machine = { .spec = spec,
				   .figure = { .currency = aws_currency(client->region) } };
	char note[256], since[21] = "an unknown moment", each[32];
	struct aws_reservation reservation;
	int ret = ask_machine(client, &machine, err);

	if (ret < 0)
		return ret;
	if (!machine.figure.micros)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "AWS has no %s price for '%s' in '%s'",
				      spec->spot ? "spot" : "list", spec->instance_type,
				      spec->zone ? spec->zone : client->region);
	money(machine.figure.micros, each);
	ret = aws_reservation_choose(client, spec, &reservation, err);
	if (ret < 0)
		return ret;
	if (reservation.is_block)
		return add_line(spec, "compute", 0, machine.figure.currency,
				"in a capacity block, which is paid for in advance", out, err);
	if (machine.at)
		aws_extended_time(machine.at, since);
	if (spec->spot)
		snprintf(note, sizeof(note), "%u x %s in %s at %s; spot price since %s, it may change",
			 spec->count, spec->instance_type, machine.zone, each, since);
	else
		snprintf(note, sizeof(note), "%u x %s at %s; price list of %s for %s%s", spec->count,
			 spec->instance_type, each, machine.figure.date, client->region,
			 reservation.id[0] ?
				 "; in a capacity reservation, which costs as much while it is empty" :
				 "");
	return add_line(spec, "compute", machine.figure.micros, machine.figure.currency, note, out,
			err);
}

/* ---- Disks ----------------------------------------------------------------------------------- */

struct disk_prices {
	struct figure gib; /* a month, all of them */
	struct figure iops;
	struct figure throughput; /* of 1024 MiB/s */
};

static void take_disk(struct json_object *product, void *arg)
{
	struct disk_prices *prices = arg;
	const char *usage = aws_product_attribute(product, "usagetype");

	/* What comes cheaper beyond an amount that no disk of ours has. */
	if (usage && strcasestr(usage, ".tier"))
		return;
	take_figure(&prices->gib, product, "GB-Mo");
	take_figure(&prices->iops, product, "IOPS-Mo");
	take_figure(&prices->throughput, product, "GiBps-mo");
}

/* What one disk costs a month; -1 if a price that it takes is not there. */
static int64_t disk_month(const struct aws_disk *disk, const struct disk_prices *prices)
{
	int is_gp3 = strcmp(disk->type, "gp3") == 0;
	uint64_t free_iops = is_gp3 ? GP3_FREE_IOPS : 0;
	uint64_t free_mib = is_gp3 ? GP3_FREE_MIB : 0;
	uint64_t iops = disk->iops > free_iops ? disk->iops - free_iops : 0;
	uint64_t mib = disk->throughput_mib > free_mib ? disk->throughput_mib - free_mib : 0;

	if (!prices->gib.micros || (iops && !prices->iops.micros) ||
	    (mib && !prices->throughput.micros) || disk->gib > 65536 ||
	    prices->gib.micros > 1000000000 || prices->iops.micros > 1000000000 ||
	    prices->throughput.micros > 1000000000000)
		return -1;
	return (int64_t)disk->gib * prices->gib.micros + (int64_t)iops * prices->iops.micros +
	       (int64_t)mib * prices->throughput.micros / MIB_A_GIB;
}

static int quote_disk(const struct aws_client *client, const struct souk_instance_spec *spec,
		      struct souk_quote_list *out, struct souk_error *err)
{
	const char *currency = aws_currency(client->region);
	struct disk_prices prices = { { .currency = currency }, { .currency = currency },
				      { .currency = currency } };
	char note[256], extra[64] = "", each[32];
	struct aws_disk disk;
	int64_t month;
	int ret;

	aws_disk_choose(client->call, spec, 0, &disk);
	/* As large as the image has it, which is looked up when the machine is made. */
	if (!disk.gib)
		return SOUK_OK;
	ret = aws_products_each(client, "AmazonEC2",
				(const struct aws_price_filter[]){
					{ "regionCode", client->region },
					{ "volumeApiName", disk.type } },
				2, DISKS_KEPT_SECONDS, take_disk, &prices, err);
	if (ret < 0)
		return ret;
	month = disk_month(&disk, &prices);
	if (month < 0)
		return souk_error_set(err, SOUK_E_NOT_FOUND,
				      "AWS has no list price for such a disk in '%s': %s, %" PRIu64
				      " GiB, %" PRIu64 " IOPS",
				      client->region, disk.type, disk.gib, disk.iops);
	if (disk.iops)
		snprintf(extra, sizeof(extra), ", %" PRIu64 " IOPS", disk.iops);
	snprintf(note, sizeof(note),
		 "%u x %" PRIu64 " GiB of %s at %s a GiB and month of %d hours%s; price list of %s "
		 "for %s",
		 spec->count, disk.gib, disk.type, money(prices.gib.micros, each), HOURS_A_MONTH,
		 extra, prices.gib.date, client->region);
	return add_line(spec, "disk", (month + HOURS_A_MONTH / 2) / HOURS_A_MONTH, currency, note,
			out, err);
}

/* ---- Addresses ------------------------------------------------------------------------------- */

static void take_address(struct json_object *product, void *arg)
{
	const char *usage = aws_product_attribute(product, "usagetype");
	const char *tail = usage ? strstr(usage, "PublicIPv4:") : NULL;

	if (tail && strcmp(tail, "PublicIPv4:InUseAddress") == 0)
		take_figure(arg, product, "Hrs");
}

static int quote_address(const struct aws_client *client, const struct souk_instance_spec *spec,
			 struct souk_quote_list *out, struct souk_error *err)
{
	struct figure figure = { .currency = aws_currency(client->region) };
	char note[256], each[32];
	int ret;

	if (souk_text_is_true(souk_call_option(client->call, "use_internal_ips")))
		return SOUK_OK;
	ret = aws_products_each(client, "AmazonVPC",
				(const struct aws_price_filter[]){
					{ "regionCode", client->region },
					{ "group", "VPCPublicIPv4Address" } },
				2, DISKS_KEPT_SECONDS, take_address, &figure, err);
	if (ret < 0)
		return ret;
	/* Not every part of AWS takes money for them. */
	if (!figure.micros)
		return SOUK_OK;
	snprintf(note, sizeof(note), "%u x public IPv4 address at %s; price list of %s for %s",
		 spec->count, money(figure.micros, each), figure.date, client->region);
	return add_line(spec, "address", figure.micros, figure.currency, note, out, err);
}

int aws_quote(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
	      struct souk_quote_list *out, struct souk_error *err)
{
	struct aws_client client = { self, call, spec->region };
	int ret;

	if (!aws_is_place(spec->region))
		return souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'", spec->region);
	ret = quote_machine(&client, spec, out, err);
	if (ret == SOUK_OK)
		ret = quote_disk(&client, spec, out, err);
	if (ret == SOUK_OK)
		ret = quote_address(&client, spec, out, err);
	return ret;
}
