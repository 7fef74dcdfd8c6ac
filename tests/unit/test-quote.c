/* SPDX-License-Identifier: Apache-2.0 */
/* test-quote.c - quotes: charges, items and sums; documents that are kept, and what launches them
 */
#include <inttypes.h>
#include <json-c/json.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/paths.h"
#include "base/util.h"
#include "quotes.h"
#include "scratch.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define PRICED TEST_BUILDDIR "/tests/unit/modules/.libs/priced.so"
#define CHARGES "item,region,unit,price,date,source\n"
#define TRANSFER "from_region,to,to_region,tier_from_gb,usd_per_gb\n"

/* ---- Charges ---- */

static const struct {
	const char *text, *message;
} bad_charges[] = {
	{ "item,region\n", "c.csv:1: the first line must be 'item,region,unit,price,date,source'" },
	{ CHARGES "disk,*,hour,1,x\n", "c.csv:2: 5 fields, not 6" },
	{ CHARGES ",*,hour,1,,\n",
	  "c.csv:2: item or region is missing; '*' stands for any region" },
	{ CHARGES "disk,,hour,1,,\n",
	  "c.csv:2: item or region is missing; '*' stands for any region" },
	{ CHARGES "disk,*,day,1,,\n",
	  "c.csv:2: 'unit' must be hour, month, gb-month, month-GIB or gib, not 'day'" },
	{ CHARGES "disk,*,month-x,1,,\n",
	  "c.csv:2: 'unit' must be hour, month, gb-month, month-GIB or gib, not 'month-x'" },
	{ CHARGES "disk,*,hour,cheap,,\n", "c.csv:2: price: not a number: 'cheap'" },
	{ CHARGES "disk,*,hour,9999999,,\n", "c.csv:2: price: too large or below 0: '9999999'" },
};

START_TEST(tells_where_charges_are_wrong)
{
	struct souk_charges *charges = NULL;
	const char *text = bad_charges[_i].text;

	ck_assert_int_eq(souk_charges_parse("c.csv", text, strlen(text), &charges, &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message, bad_charges[_i].message);
	ck_assert_ptr_null(charges);
}
END_TEST

/* ---- Sheets ---- */

static const char charges_text[] =
	"# all invented\n" CHARGES
	"address-spot,*,hour,0.0025,2026-01-01,list A\n"
	"address,*,hour,0.005,2026-01-02,list B\n"
	"disk-size,here,gib,10,2026-01-03,image\n"
	"disk-medium,here|there,gb-month,0.073,2026-01-04,list C\n"
	"disk-high,here,gb-month,0.73,,\n"
	"disk-high-fixed,here,month,7.3,,\n"
	"disk-low,here,month-32,7.3,,\n"
	"disk-low,here,month-64,14.6,2026-01-05,list D\n";
static const char transfer_text[] =
	"# source: list T\n# date: 2026-02-01\nscheme,red://*\nscheme,s3://*\n" TRANSFER
	"*,same-region,*,0,0\n*,same-provider,*,0,0.02\n"
	"*,internet,*,0,0\n*,internet,*,100,0.09\n";

static const struct {
	const char *name;
	const char *region;
	const char *tier;
	uint64_t disk_gib;
	int spot, is_free;
	uint32_t nodes;
	uint64_t egress_mb;
	const char *outputs;
	/* micros of the items; -1 not known, -2: there is no such item */
	int64_t disk, address, out, egress;
	int64_t hour, once, total; /* for 10 hours */
	int complete;
} sheets[] = {
	{ "usual disk", "here", NULL, 0, 0, 0, 1, 0, NULL, 1000, 5000, -2, -2, 1006000, 0, 10060000,
	  1 },
	{ "four nodes", "here", NULL, 100, 0, 0, 4, 0, NULL, 40000, 20000, -2, -2, 4060000, 0,
	  40600000, 1 },
	{ "spot", "here", NULL, 100, 1, 0, 1, 0, NULL, 10000, 2500, -2, -2, 512500, 0, 5125000, 1 },
	{ "a tier with a fixed part", "here", "high", 100, 0, 0, 1, 0, NULL, 110000, 5000, -2, -2,
	  1115000, 0, 11150000, 1 },
	{ "steps", "here", "low", 32, 0, 0, 1, 0, NULL, 10000, 5000, -2, -2, 1015000, 0, 10150000,
	  1 },
	{ "the next step", "here", "low", 33, 0, 0, 1, 0, NULL, 20000, 5000, -2, -2, 1025000, 0,
	  10250000, 1 },
	{ "above all steps", "here", "low", 65, 0, 0, 1, 0, NULL, -1, 5000, -2, -2, 1005000, 0,
	  10050000, 0 },
	{ "no usual size", "there", NULL, 0, 0, 0, 1, 0, NULL, -1, 5000, -2, -2, 1005000, 0,
	  10050000, 0 },
	{ "no price there", "elsewhere", NULL, 100, 0, 0, 1, 0, NULL, -1, 5000, -2, -2, 1005000, 0,
	  10050000, 0 },
	{ "a machine of one's own", "here", NULL, 100, 0, 1, 1, 0, NULL, -2, -2, -2, -2, 1000000, 0,
	  10000000, 1 },
	{ "egress", "here", NULL, 0, 0, 0, 1, 101000, NULL, 1000, 5000, -2, 90000, 1006000, 90000,
	  10150000, 1 },
	{ "outputs", "here", NULL, 0, 0, 0, 1, 0, "elsewhere://x", 1000, 5000, 900000, -2, 1006000,
	  900000, 10960000, 1 },
	{ "outputs at home", "here", NULL, 0, 0, 0, 1, 0, "red://x", 1000, 5000, 0, -2, 1006000, 0,
	  10060000, 1 },
};

static const struct souk_quote_item *item_of(const struct souk_quote_sheet *sheet, const char *name)
{
	size_t i;

	for (i = 0; i < sheet->n; i++)
		if (strcmp(sheet->items[i].item, name) == 0)
			return &sheet->items[i];
	return NULL;
}

static void check_item(const char *what, const struct souk_quote_sheet *sheet, const char *item,
		       int64_t micros)
{
	const struct souk_quote_item *own = item_of(sheet, item);

	ck_assert_msg((own == NULL) == (micros == -2), "%s: %s", what, item);
	if (own)
		ck_assert_msg(own->micros == micros, "%s: %s: %" PRId64, what, item, own->micros);
}

START_TEST(itemises_a_candidate)
{
	struct souk_request request = { .disk_size_gib = sheets[_i].disk_gib,
					.disk_tier = (char *)sheets[_i].tier };
	struct souk_task task = { .num_nodes = sheets[_i].nodes,
				  .requests = &request,
				  .n_requests = 1,
				  .outputs_uri = (char *)sheets[_i].outputs,
				  .outputs_gb = 110 };
	struct souk_candidate candidate = {
		.provider = "red", .source = "import", .date = "2026-03-03", .request = &request,
		.spot = sheets[_i].spot, .micros_per_hour = sheets[_i].spot ? 500000 : 1000000,
		.offer = { .instance_type = "big", .region = sheets[_i].region, .currency = "USD",
			   .flags = sheets[_i].is_free ? SOUK_OFFER_FREE : 0 },
	};
	struct souk_quote_query query = { &candidate, &task, souk_egress_new(&err), NULL, 10000,
					  sheets[_i].egress_mb };
	struct souk_charges *charges = NULL;
	struct souk_quote_sheet sheet;

	candidate.total_micros_per_hour = candidate.micros_per_hour * sheets[_i].nodes;
	OK(souk_charges_parse("c.csv", charges_text, sizeof(charges_text) - 1, &charges, &err));
	OK(souk_egress_add_text((struct souk_egress *)query.egress, "red", "t.csv", transfer_text,
				sizeof(transfer_text) - 1, &err));
	query.charges = charges;
	souk_quote_sheet_make(&query, &sheet);
	check_item(sheets[_i].name, &sheet, "compute", candidate.total_micros_per_hour);
	check_item(sheets[_i].name, &sheet, "disk", sheets[_i].disk);
	check_item(sheets[_i].name, &sheet, "address", sheets[_i].address);
	check_item(sheets[_i].name, &sheet, "outputs", sheets[_i].out);
	check_item(sheets[_i].name, &sheet, "egress", sheets[_i].egress);
	check_item(sheets[_i].name, &sheet, "preemption", sheets[_i].spot ? 0 : -2);
	ck_assert_msg(sheet.hour_micros == sheets[_i].hour, "%s: %" PRId64, sheets[_i].name,
		      sheet.hour_micros);
	ck_assert_int_eq(sheet.once_micros, sheets[_i].once);
	ck_assert_int_eq(sheet.total_micros, sheets[_i].total);
	ck_assert_int_eq(sheet.complete, sheets[_i].complete);
	ck_assert_str_eq(item_of(&sheet, "compute")->date, "2026-03-03");
	souk_charges_free(charges);
	souk_egress_free((struct souk_egress *)query.egress);
}
END_TEST

START_TEST(every_figure_has_its_source)
{
	struct souk_request request = { .disk_size_gib = 64, .disk_tier = (char *)"low" };
	struct souk_task task = { .num_nodes = 1, .requests = &request, .n_requests = 1 };
	struct souk_candidate candidate = {
		.provider = "red", .source = "live", .date = "2026-03-03", .request = &request,
		.micros_per_hour = 7, .total_micros_per_hour = 7,
		.offer = { .instance_type = "big", .region = "here", .currency = "EUR" },
	};
	struct souk_quote_query query = { &candidate, &task, souk_egress_new(&err),
					  NULL,	      1000,  200000 };
	struct souk_charges *charges = NULL;
	struct souk_quote_sheet sheet;

	OK(souk_charges_parse("c.csv", charges_text, sizeof(charges_text) - 1, &charges, &err));
	OK(souk_egress_add_text((struct souk_egress *)query.egress, "red", "t.csv", transfer_text,
				sizeof(transfer_text) - 1, &err));
	query.charges = charges;
	souk_quote_sheet_make(&query, &sheet);
	ck_assert_str_eq(item_of(&sheet, "compute")->source, "catalogue of red (live)");
	ck_assert_str_eq(item_of(&sheet, "disk")->source, "list D");
	ck_assert_str_eq(item_of(&sheet, "disk")->date, "2026-01-05");
	ck_assert_str_eq(item_of(&sheet, "egress")->source, "list T");
	ck_assert_str_eq(item_of(&sheet, "egress")->date, "2026-02-01");
	/* Euros and dollars are not added up. */
	ck_assert_str_eq(sheet.currency, "EUR");
	ck_assert_int_eq(sheet.hour_micros, 7);
	ck_assert_int_eq(sheet.complete, 0);
	souk_charges_free(charges);
	souk_egress_free((struct souk_egress *)query.egress);
}
END_TEST

/* ---- The public face ---- */

static struct souk *souk;
static char warnings[4096];

static void take_line(int level, const char *line, void *arg)
{
	(void)arg;
	if (level <= SOUK_LOG_WARNING)
		snprintf(warnings + strlen(warnings), sizeof(warnings) - strlen(warnings), "%s\n",
			 line);
}

static void open_souk(void)
{
	static const char *const providers[] = { "red", "blue", "mute", NULL };
	const char *path[2] = { NULL, NULL };
	char modules[128];
	struct souk_settings settings = { .providers = providers, .log_level = SOUK_LOG_WARNING };

	snprintf(modules, sizeof(modules), "%s/modules", scratch);
	path[0] = modules;
	settings.provider_path = path;
	OK(souk_new(&settings, &souk, &err));
	souk_log_set_sink(take_line, NULL);
}

struct price {
	const char *region, *type;
	int64_t micros, spot_micros;
};

static void put_catalog(const char *provider, const struct price *prices, size_t n,
			const char *date)
{
	struct souk_catalog_origin origin = { provider, "import", date, NULL };
	struct souk_offer offers[8];
	void *image = NULL;
	size_t size = 0, i;

	for (i = 0; i < n; i++)
		offers[i] = (struct souk_offer){
			SOUK_OFFER_HEAD,
			.instance_type = prices[i].type,
			.region = prices[i].region,
			.vcpus_milli = 8000,
			.memory_mib = 32768,
			.micros_per_hour = prices[i].micros,
			.spot_micros_per_hour = prices[i].spot_micros,
			.currency = "USD",
		};
	OK(souk_catalog_image(&origin, offers, n, &image, &size, &err));
	OK(souk_catalog_file_write(&souk->paths, provider, image, size, &err));
	free(image);
}

static const struct price red_prices[] = {
	{ "r1", "m", 1000000, 300000 }, { "r2", "m", 1100000, 600000 }, { "r1", "xl", 4000000, -1 },
};
static const struct price blue_prices[] = { { "b1", "m", 1050000, -1 },
					    { "b1", "xl", 4100000, -1 } };
static const struct price mute_prices[] = { { "q1", "quiet", 900000, -1 } };

static void begin(void)
{
	static const char *const clouds[] = { "red", "blue", "mute" };
	size_t i;

	err = (struct souk_error)SOUK_ERROR_INIT;
	warnings[0] = '\0';
	scratch_make();
	ck_assert_int_eq(setenv("SOUK_HOME", scratch, 1), 0);
	ck_assert_int_eq(unsetenv("SOUK_PROVIDER_PATH"), 0);
	ck_assert_int_eq(unsetenv("SOUK_TEST_QUOTE"), 0);
	scratch_mkdir(scratch_path("modules"));
	scratch_mkdir(scratch_path("config"));
	scratch_mkdir(scratch_path("config/transfer"));
	scratch_mkdir(scratch_path("config/charges"));
	for (i = 0; i < SOUK_ARRAY_SIZE(clouds); i++) {
		scratch_copy(PRICED, scratch_path("modules/souk-provider-%s.so", clouds[i]));
		scratch_text(scratch_path("config/charges/%s.csv", clouds[i]),
			     CHARGES "address,*,hour,0.005,2026-01-02,list B\n"
				     "disk-size,*,gib,10,2026-01-03,image\n"
				     "disk-medium,*,gb-month,0.073,2026-01-04,list C\n");
	}
	scratch_text(scratch_path("config/transfer/red.csv"), transfer_text);
	scratch_text(scratch_path("config/transfer/blue.csv"),
		     TRANSFER "*,same-region,*,0,0\n*,internet,*,0,0.01\n");
	open_souk();
	put_catalog("red", red_prices, SOUK_ARRAY_SIZE(red_prices), "2026-01-01");
	put_catalog("blue", blue_prices, SOUK_ARRAY_SIZE(blue_prices), "2026-01-01");
	put_catalog("mute", mute_prices, SOUK_ARRAY_SIZE(mute_prices), "2026-01-01");
}

static void end(void)
{
	souk_free(souk);
	souk = NULL;
	souk_log_set_sink(NULL, NULL);
	scratch_remove();
}

#define TASK "name: t\nresources: {instance_type: m}\nrun: echo a\n"

static struct souk_task_file *load(const char *text)
{
	struct souk_task_file *file = NULL;
	char path[128];

	snprintf(path, sizeof(path), "%s/task.yaml", scratch);
	scratch_text(path, text);
	OK(souk_task_file_load_all(souk, path, NULL, &file, &err));
	return file;
}

static struct souk_quote *make(const char *text, const struct souk_quote_options *options)
{
	struct souk_task_file *file = load(text);
	struct souk_quote *quote = NULL;

	OK(souk_quote_make(souk, file, options, &quote, &err));
	souk_task_file_free(file);
	return quote;
}

static const struct souk_quote_options kept = { .keep = 1 };

/* "stages.0.offer.provider" of a document, as text; NULL: null. */
static const char *at(const struct souk_quote *quote, const char *path)
{
	struct json_object *value = quote->doc, *next;
	char word[64];

	while (*path) {
		size_t len = strcspn(path, ".");

		snprintf(word, sizeof(word), "%.*s", (int)len, path);
		path += len + (path[len] == '.');
		if (json_object_is_type(value, json_type_array)) {
			next = json_object_array_get_idx(value, (size_t)strtoul(word, NULL, 10));
			ck_assert_msg(next != NULL, "no %s", word);
		} else {
			ck_assert_msg(json_object_object_get_ex(value, word, &next), "no '%s'",
				      word);
		}
		value = next;
	}
	return json_object_get_string(value);
}

START_TEST(the_best_offer_is_quoted)
{
	struct souk_quote_options options = { .hours_milli = 10000 };
	struct souk_quote *quote = make(TASK, &options);

	ck_assert_str_eq(at(quote, "stages.0.offer.provider"), "red");
	ck_assert_str_eq(at(quote, "stages.0.offer.region"), "r1");
	ck_assert_str_eq(at(quote, "stages.0.offer.price_hour"), "1.00");
	ck_assert_str_eq(at(quote, "stages.0.items.1.price"), "0.001");
	ck_assert_str_eq(at(quote, "total.hour"), "1.006");
	ck_assert_str_eq(at(quote, "total.total"), "10.06");
	ck_assert_str_eq(at(quote, "total.complete"), "true");
	ck_assert_str_eq(at(quote, "stages.0.candidates"), "3");
	ck_assert_str_eq(at(quote, "stages.0.others.0.provider"), "blue");
	ck_assert_str_eq(at(quote, "stages.0.others.0.total"), "10.56");
	ck_assert_int_eq(souk_quote_is_id(souk_quote_id(quote)), 1);
	ck_assert_str_eq(at(quote, "id"), souk_quote_id(quote));
	/* Not kept: there is no file. */
	ck_assert_int_eq(access(scratch_path("state/quotes"), F_OK), -1);
	souk_quote_free(quote);
}
END_TEST

START_TEST(egress_moves_the_choice)
{
	struct souk_quote_options options = { .egress_mb = 1000 };
	struct souk_quote *quote = make(TASK, &options);

	ck_assert_str_eq(at(quote, "stages.0.offer.provider"), "red");
	souk_quote_free(quote);
	/* A tenth of red's price for traffic makes up for a dearer machine. */
	options.egress_mb = 200000;
	quote = make(TASK, &options);
	ck_assert_str_eq(at(quote, "stages.0.offer.provider"), "blue");
	ck_assert_str_eq(at(quote, "total.once"), "2.00");
	souk_quote_free(quote);
}
END_TEST

START_TEST(marked_prices_are_never_quoted)
{
	static const struct price prices[] = {
		{ "r1", "m", 10000, -1 },
		{ "r2", "m", 1000000, 1500000 },
		{ "r3", "m", 1000000, -1 },
		{ "r4", "m", 0, -1 },
	};
	struct souk_quote *quote;

	put_catalog("red", prices, SOUK_ARRAY_SIZE(prices), "2026-01-01");
	quote = make(TASK, &kept);
	ck_assert_str_eq(at(quote, "stages.0.offer.region"), "r2");
	ck_assert_str_eq(at(quote, "stages.0.offer.price_hour"), "1.00");
	souk_quote_free(quote);
}
END_TEST

START_TEST(the_same_question_has_the_same_id)
{
	struct souk_quote_options options = { .hours_milli = 2000, .keep = 1 };
	struct souk_quote *a = make(TASK, &kept), *b = make(TASK, &kept);
	struct souk_quote *c = make(TASK, &options);
	static const struct price dearer[] = { { "b1", "m", 2050000, -1 } };
	struct souk_quote *d;

	/* Quoted just before and after a full hour they may differ in their validity. */
	if (strcmp(at(a, "valid_until"), at(b, "valid_until")) == 0)
		ck_assert_str_eq(souk_quote_json(a), souk_quote_json(b));
	ck_assert_str_ne(souk_quote_id(a), souk_quote_id(c));
	/* Another catalogue, of a provider that is not even chosen. */
	put_catalog("blue", dearer, 1, "2026-01-01");
	d = make(TASK, &kept);
	ck_assert_str_ne(souk_quote_id(a), souk_quote_id(d));
	ck_assert_str_eq(at(d, "stages.0.offer.provider"), "red");
	souk_quote_free(a);
	souk_quote_free(b);
	souk_quote_free(c);
	souk_quote_free(d);
}
END_TEST

START_TEST(a_kept_quote_stays_as_it_is)
{
	static const struct price other[] = { { "r9", "m", 5000000, -1 } };
	struct souk_quote *quote = make(TASK, &kept), *again = NULL;
	struct souk_quotes *list = NULL;
	char id[SOUK_QUOTE_ID_SIZE], path[200], *text;
	struct stat st;

	snprintf(id, sizeof(id), "%s", souk_quote_id(quote));
	snprintf(path, sizeof(path), "%s/state/quotes/%s.json", scratch, id);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	put_catalog("red", other, 1, "2026-05-05");
	put_catalog("blue", other, 1, "2026-05-05");
	OK(souk_quote_load(souk, id, &again, &err));
	ck_assert_str_eq(souk_quote_json(again), souk_quote_json(quote));
	text = scratch_read(path, NULL);
	ck_assert_str_eq(text, souk_quote_json(quote));
	free(text);
	OK(souk_quotes_list(souk, &list, &err));
	ck_assert_uint_eq(souk_quotes_count(list), 1);
	ck_assert_str_eq(souk_quotes_id(list, 0), id);
	ck_assert_ptr_null(souk_quotes_id(list, 1));
	souk_quotes_free(list);
	souk_quote_free(quote);
	souk_quote_free(again);
	OK(souk_quote_remove(souk, id, &err));
	ck_assert_int_eq(souk_quote_remove(souk, id, &err), SOUK_E_NOT_FOUND);
	ck_assert_int_eq(souk_quote_load(souk, id, &again, &err), SOUK_E_NOT_FOUND);
	ck_assert_int_eq(souk_quote_load(souk, "../../etc/passwd", &again, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_quote_load(souk, "ABCDEF00ABCDEF00ABCDEF00ABCDEF00", &again, &err),
			 SOUK_E_INVALID);
}
END_TEST

/* Whatever is changed in the file, it is not the quote any more. */
START_TEST(a_changed_file_is_damaged)
{
	struct souk_quote *quote = make(TASK, &kept), *again = NULL;
	size_t len = strlen(souk_quote_json(quote)), i;
	char *text = strdup(souk_quote_json(quote)), path[200];
	int damaged = 0;

	ck_assert_ptr_nonnull(text);
	snprintf(path, sizeof(path), "%s/state/quotes/%s.json", scratch, souk_quote_id(quote));
	for (i = 0; i < len; i += 7) {
		char old = text[i];

		if (old < '0' || old > '9')
			continue;
		text[i] = old == '9' ? '8' : (char)(old + 1);
		scratch_text(path, text);
		/* The moment it was made is not part of what it says. */
		if (souk_quote_load(souk, souk_quote_id(quote), &again, &err) == SOUK_OK) {
			ck_assert_str_ne(at(again, "created_at"), at(quote, "created_at"));
			souk_quote_free(again);
		} else {
			ck_assert_int_eq(err.code, SOUK_E_INVALID);
			damaged++;
		}
		text[i] = old;
	}
	ck_assert_int_gt(damaged, 10);
	text[len / 2] = '\0';
	scratch_text(path, text);
	ck_assert_int_eq(souk_quote_load(souk, souk_quote_id(quote), &again, &err), SOUK_E_INVALID);
	scratch_text(path, "[]");
	ck_assert_int_eq(souk_quote_load(souk, souk_quote_id(quote), &again, &err), SOUK_E_INVALID);
	free(text);
	souk_quote_free(quote);
}
END_TEST

START_TEST(secrets_and_variables_are_not_in_it)
{
	struct souk_quote *quote =
		make(TASK "envs: {TOKEN: hunter2}\nsecrets: {KEY: swordfish}\n", &kept);

	ck_assert_ptr_null(strstr(souk_quote_json(quote), "hunter2"));
	ck_assert_ptr_null(strstr(souk_quote_json(quote), "swordfish"));
	ck_assert_ptr_null(strstr(souk_quote_json(quote), "echo a"));
	souk_quote_free(quote);
}
END_TEST

START_TEST(spot_is_valid_for_a_short_time)
{
	struct souk_quote *quote = make("resources: {instance_type: m, use_spot: true}\n", &kept);
	char today[SOUK_TIME_TEXT_SIZE];
	int64_t until, now = souk_clock_wall_s();
	struct souk_quote *fresh;

	ck_assert_str_eq(at(quote, "stages.0.offer.price_hour"), "0.30");
	OK(souk_parse_time("until", at(quote, "valid_until"), &until, &err));
	ck_assert_int_ge(until, now + 3600);
	ck_assert_int_le(until, now + 7200);
	souk_quote_free(quote);
	/* On demand, from today's catalogue: a week from its day. */
	souk_time_text(now, today);
	today[10] = '\0';
	put_catalog("red", red_prices, SOUK_ARRAY_SIZE(red_prices), today);
	fresh = make(TASK, &kept);
	OK(souk_parse_time("until", at(fresh, "valid_until"), &until, &err));
	ck_assert_int_gt(until, now + 5 * 86400);
	ck_assert_int_le(until, now + 7 * 86400);
	ck_assert_ptr_nonnull(strstr(at(fresh, "validity"), "until the catalogue of red is stale"));
	souk_quote_free(fresh);
}
END_TEST

START_TEST(a_module_is_asked_for_its_own_prices)
{
	struct souk_quote_options options = { .live = 1, .hours_milli = 2000 };
	struct souk_task_file *file;
	struct souk_quote *quote = make("num_nodes: 2\n" TASK, &options);

	ck_assert_str_eq(at(quote, "stages.0.items.1.item"), "disk");
	ck_assert_str_eq(at(quote, "stages.0.items.1.price"), "0.50");
	ck_assert_str_eq(at(quote, "stages.0.items.1.source"), "red, asked");
	ck_assert_str_eq(at(quote, "stages.0.items.3.item"), "licence");
	ck_assert_str_eq(at(quote, "stages.0.items.3.per"), "once");
	/* Two machines, two addresses, the disks and the licence. */
	ck_assert_str_eq(at(quote, "total.total"), "6.52");
	souk_quote_free(quote);
	quote = make("resources: {instance_type: quiet}\n", &options);
	ck_assert_ptr_nonnull(strstr(warnings, "mute: gives no quotes itself"));
	souk_quote_free(quote);
	ck_assert_int_eq(setenv("SOUK_TEST_QUOTE", "fail", 1), 0);
	file = load(TASK);
	ck_assert_int_eq(souk_quote_make(souk, file, &options, &quote, &err), SOUK_E_TRANSIENT);
	ck_assert_str_eq(err.message, "red: nobody answers");
	souk_task_file_free(file);
}
END_TEST

/* ---- Launching a quote ---- */

static int plan_quote(const char *id, const char *text, const char *region)
{
	struct souk_task_file *file = load(text);
	struct souk_plan *plan = NULL;
	int ret = souk_quote_plan(souk, file, id, 1, &plan, &err);

	if (ret == SOUK_OK) {
		ck_assert_uint_eq(souk_plan_count(plan), 1);
		ck_assert_uint_eq(souk_plan_best_count(plan), 1);
	}
	if (ret == SOUK_OK)
		ck_assert_str_eq(souk_plan_row(plan, 0)->region, region);
	souk_plan_free(plan);
	souk_task_file_free(file);
	return ret;
}

START_TEST(a_quote_is_launched_as_it_is)
{
	struct souk_quote *quote = make(TASK, &kept);

	OK(plan_quote(souk_quote_id(quote), TASK, "r1"));
	/* Variables are nobody's business. */
	OK(plan_quote(souk_quote_id(quote), TASK "envs: {A: b}\n", "r1"));
	souk_quote_free(quote);
}
END_TEST

static const struct {
	const char *text, *what;
} changes[] = {
	{ "name: u\nresources: {instance_type: m}\nrun: echo a\n", "('name')" },
	{ "name: t\nresources: {instance_type: m}\nrun: echo b\n", "('run')" },
	{ "name: t\nresources: {instance_type: m}\nrun: echo a\nsetup: x\n", "('setup')" },
	{ "name: t\nresources: {instance_type: m, use_spot: true}\nrun: echo a\n", "('requests')" },
	{ "name: t\nresources: {instance_type: m, disk_size: 9}\nrun: echo a\n", "('requests')" },
	{ "name: t\nnum_nodes: 2\nresources: {instance_type: m}\nrun: echo a\n", "('num_nodes')" },
	{ TASK "inputs: {'s3://a': 1}\n", "('inputs')" },
	{ TASK "outputs: {'s3://a': 1}\n", "('outputs')" },
};

START_TEST(another_task_is_refused)
{
	struct souk_quote *quote = make(TASK, &kept);

	ck_assert_int_eq(plan_quote(souk_quote_id(quote), changes[_i].text, ""), SOUK_E_INVALID);
	ck_assert_msg(strstr(err.message, "the task has changed since") &&
			      strstr(err.message, changes[_i].what),
		      "%s", err.message);
	souk_quote_free(quote);
}
END_TEST

START_TEST(another_price_is_refused)
{
	static const struct price dearer[] = { { "r1", "m", 1000001, -1 } };
	static const struct price elsewhere[] = { { "r2", "m", 1000000, -1 } };
	static const struct price other_type[] = { { "r1", "xl", 1000000, -1 } };
	struct souk_quote *quote = make(TASK, &kept);

	put_catalog("red", dearer, 1, "2026-01-01");
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.message,
				     "the price has changed since: 1.00 USD an hour then, "
				     "1.000001 USD now"));
	put_catalog("red", elsewhere, 1, "2026-01-01");
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_CAPACITY);
	ck_assert_ptr_nonnull(strstr(err.message, "the offer is gone"));
	put_catalog("red", other_type, 1, "2026-01-01");
	put_catalog("blue", other_type, 1, "2026-01-01");
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_CAPACITY);
	ck_assert_ptr_nonnull(strstr(err.message, "the offer is gone"));
	souk_quote_free(quote);
}
END_TEST

START_TEST(a_cooling_place_is_refused)
{
	struct souk_quote *quote = make(TASK, &kept);
	struct souk_store_attempt attempt = {
		.provider = (char *)"red", .region = (char *)"r1", .instance_type = (char *)"m",
		.code = SOUK_E_CAPACITY, .at = souk_clock_wall_s() - 5,
	};

	OK(souk_need_store(souk, 1, &err));
	OK(souk_store_attempt_add(souk->store, &attempt, &err));
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.message, "the offer was refused a moment ago (CAPACITY)"));
	souk_quote_free(quote);
	/* A quote that is made now is for another place, and names what it knows. */
	quote = make(TASK, &kept);
	ck_assert_str_eq(at(quote, "stages.0.offer.provider"), "blue");
	souk_quote_free(quote);
	quote = make("resources: {infra: red/r1, instance_type: m}\n", &kept);
	ck_assert_str_eq(at(quote, "stages.0.evidence.0.result"), "CAPACITY");
	souk_quote_free(quote);
}
END_TEST

/* Made long ago: its hour is over. */
START_TEST(an_expired_quote_is_refused)
{
	struct souk_task_file *file = load(TASK);
	struct souk_quote_draft draft = { .souk = souk, .options = { .hours_milli = 1000 },
					  .now = souk_clock_wall_s() - 30 * 86400 };
	struct souk_quote *quote = NULL;
	char path[200];

	OK(souk_egress_load(&souk->paths, &souk->config, &draft.egress, &err));
	OK(souk_quote_draft_choose(&draft, file->dag, &err));
	OK(souk_quote_draft_price(&draft, &err));
	OK(souk_quote_document(&draft, &quote, &err));
	souk_quote_draft_fini(&draft);
	souk_task_file_free(file);
	scratch_mkdir(scratch_path("state"));
	scratch_mkdir(scratch_path("state/quotes"));
	snprintf(path, sizeof(path), "%s/state/quotes/%s.json", scratch, souk_quote_id(quote));
	scratch_text(path, souk_quote_json(quote));
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_CONFLICT);
	ck_assert_ptr_nonnull(strstr(err.message, "it has expired (20"));
	souk_quote_free(quote);
}
END_TEST

/* ---- Several tasks ---- */

#define PIPELINE                                                                                   \
	"name: p\n---\nname: a\nresources: {instance_type: m}\noutputs: {'s3://out': 300}\n---\n"  \
	"name: b\nresources: {infra: blue, instance_type: xl}\n"

START_TEST(stages_are_placed_together)
{
	struct souk_quote *quote = make(PIPELINE, &kept);

	/* Alone it would be at red, whose traffic to blue is dearer than blue's machine. */
	ck_assert_str_eq(at(quote, "stages.0.task.name"), "a");
	ck_assert_str_eq(at(quote, "stages.0.offer.provider"), "blue");
	ck_assert_str_eq(at(quote, "stages.1.offer.provider"), "blue");
	ck_assert_str_eq(at(quote, "transfers.0.from"), "1");
	ck_assert_str_eq(at(quote, "transfers.0.to"), "2");
	ck_assert_str_eq(at(quote, "transfers.0.gb"), "300");
	ck_assert_str_eq(at(quote, "transfers.0.kind"), "same-region");
	ck_assert_str_eq(at(quote, "total.total"), "5.162");
	ck_assert_ptr_null(at(quote, "total.hour"));
	/* What goes on to the next stage does not go to its bucket, too. */
	ck_assert_ptr_null(strstr(souk_quote_json(quote), "\"item\": \"outputs\""));
	ck_assert_int_eq(plan_quote(souk_quote_id(quote), TASK, ""), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "it is for several tasks"));
	souk_quote_free(quote);
}
END_TEST

START_TEST(what_several_tasks_cannot_have)
{
	struct souk_quote_options options = { .egress_mb = 1 };
	struct souk_task_file *file = load(PIPELINE);
	struct souk_quote *quote = NULL;

	ck_assert_int_eq(souk_quote_make(souk, file, &options, &quote, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "--egress is for a file with one task"));
	options = (struct souk_quote_options){ .optimize = "time" };
	ck_assert_int_eq(souk_quote_make(souk, file, &options, &quote, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "by cost alone"));
	souk_task_file_free(file);
	file = load("name: p\n---\nname: a\nresources: {instance_type: m}\n---\nname: b\n"
		    "resources: {instance_type: nobody-sells-it}\n");
	options = (struct souk_quote_options){ 0 };
	ck_assert_int_eq(souk_quote_make(souk, file, &options, &quote, &err), SOUK_E_CAPACITY);
	ck_assert_msg(strncmp(err.message, "task 2: ", 8) == 0, "%s", err.message);
	souk_task_file_free(file);
}
END_TEST

/* What a module says of its prices is added up with whatever else there is. */
START_TEST(sums_end_at_the_largest_number)
{
	static struct souk_quote_line line[] = {
		{ .struct_size = sizeof(*line), .item = "compute", .per_hour = 1,
		  .micros = INT64_MAX, .currency = "USD" },
		{ .struct_size = sizeof(*line), .item = "support", .per_hour = 1,
		  .micros = INT64_MAX, .currency = "USD" },
		{ .struct_size = sizeof(*line), .item = "set-up", .micros = INT64_MAX,
		  .currency = "USD" },
		{ .struct_size = sizeof(*line), .item = "licence", .micros = 1, .currency = "USD" },
	};
	const struct souk_quote_list lines = { line, SOUK_ARRAY_SIZE(line) };
	struct souk_quote_sheet sheet = { .currency = "USD" };

	souk_quote_sheet_merge(&sheet, &lines, "p", "2026-01-01", 2000);
	ck_assert_uint_eq(sheet.n, SOUK_ARRAY_SIZE(line));
	ck_assert_int_eq(sheet.hour_micros, INT64_MAX);
	ck_assert_int_eq(sheet.once_micros, INT64_MAX);
	ck_assert_int_eq(sheet.total_micros, INT64_MAX);
	ck_assert_int_eq(sheet.complete, 1);
}
END_TEST

static void add_face_tests(TCase *tc)
{
	tcase_add_test(tc, the_best_offer_is_quoted);
	tcase_add_test(tc, egress_moves_the_choice);
	tcase_add_test(tc, marked_prices_are_never_quoted);
	tcase_add_test(tc, the_same_question_has_the_same_id);
	tcase_add_test(tc, a_kept_quote_stays_as_it_is);
	tcase_add_test(tc, a_changed_file_is_damaged);
	tcase_add_test(tc, secrets_and_variables_are_not_in_it);
	tcase_add_test(tc, spot_is_valid_for_a_short_time);
	tcase_add_test(tc, a_module_is_asked_for_its_own_prices);
	tcase_add_test(tc, a_quote_is_launched_as_it_is);
	tcase_add_loop_test(tc, another_task_is_refused, 0, SOUK_ARRAY_SIZE(changes));
	tcase_add_test(tc, another_price_is_refused);
	tcase_add_test(tc, a_cooling_place_is_refused);
	tcase_add_test(tc, an_expired_quote_is_refused);
	tcase_add_test(tc, stages_are_placed_together);
	tcase_add_test(tc, what_several_tasks_cannot_have);
}

int main(void)
{
	Suite *suite = suite_create("quote");
	TCase *items = tcase_create("items"), *face = tcase_create("face");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(items, tells_where_charges_are_wrong, 0, SOUK_ARRAY_SIZE(bad_charges));
	tcase_add_loop_test(items, itemises_a_candidate, 0, SOUK_ARRAY_SIZE(sheets));
	tcase_add_test(items, every_figure_has_its_source);
	tcase_add_test(items, sums_end_at_the_largest_number);
	suite_add_tcase(suite, items);
	tcase_set_timeout(face, 120);
	tcase_add_checked_fixture(face, begin, end);
	add_face_tests(face);
	suite_add_tcase(suite, face);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
