/* SPDX-License-Identifier: Apache-2.0 */
/* test-catalog-import.c - CSV, and tables of offers: what is read, what is refused with its line */
#include <dirent.h>
#include <inttypes.h>
#include <stdint.h>

#include "base/csv.h"
#include "base/util.h"
#include "market/catalog-format.h"
#include "market/catalog-import.h"
#include "scratch.h"

static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
}

/* ---- CSV ---- */

/* Records as text: fields in brackets, records with their line; "!" is one that is wrong. */
static const struct {
	const char *csv, *records;
} tables[] = {
	{ "", "" },
	{ "\n\r\n\n", "" },
	{ "a,b\n1,2\n", "1[a][b] 2[1][2]" },
	{ "a,b\r\n1,2", "1[a][b] 2[1][2]" },
	{ "\xef\xbb\xbf" "a\n", "1[a]" },
	{ ",\n,,\n", "1[][] 2[][][]" },
	{ "\"\"\n", "1[]" },
	{ "\"a,b\",c", "1[a,b][c]" },
	{ "\"a\nb\"\nc\n", "1[a\nb] 3[c]" },
	{ "\"a\r\nb\",x\nc\n", "1[a\r\nb][x] 3[c]" },
	{ "\"say \"\"no\"\"\",\"\"\"\"\n", "1[say \"no\"][\"]" },
	{ "# one\n\n#two\na\n#three\nb\n", "4[a] 6[b]" },
	{ "a # b,#c\n", "1[a # b][#c]" },
	{ "a\rb\n", "1[a\rb]" },
	{ "a\"b,c\nd\n", "1!within 2[d]" },
	{ "\"a\"b,c\nd\n", "1!behind 2[d]" },
	{ "\"a\nb\nc\n", "1!open 2[b] 3[c]" },
	{ "a,\"b", "1!open" },
	{ "a \"b\"\n", "1!within" },
};

START_TEST(csv_is_read)
{
	char *fields[SOUK_CSV_FIELDS_MAX], *text = strdup(tables[_i].csv);
	struct souk_csv csv;
	struct souk_buf buf;
	int i, n;

	ck_assert_ptr_nonnull(text);
	souk_buf_init(&buf, 4096);
	souk_csv_init(&csv, text, strlen(text));
	while ((n = souk_csv_next(&csv, fields, &err)) != 0) {
		souk_buf_printf(&buf, "%s%u", buf.len ? " " : "", csv.line);
		for (i = 0; i < n; i++)
			souk_buf_printf(&buf, "[%s]", fields[i]);
		if (n < 0)
			souk_buf_printf(&buf, "!%s", strstr(err.message, "within") ? "within" :
					strstr(err.message, "behind") ? "behind" :
					strstr(err.message, "not closed") ? "open" : err.message);
	}
	ck_assert_str_eq(buf.data, tables[_i].records);
	souk_buf_fini(&buf);
	free(text);
}
END_TEST

START_TEST(csv_is_bounded)
{
	char *fields[SOUK_CSV_FIELDS_MAX];
	size_t size = SOUK_CSV_RECORD_MAX + 100;
	char *text = malloc(size + 1);
	struct souk_csv csv;

	ck_assert_ptr_nonnull(text);
	/* As many fields as there may be, then one more. */
	memset(text, ',', 1000);
	text[SOUK_CSV_FIELDS_MAX - 1] = '\n';
	text[2 * SOUK_CSV_FIELDS_MAX] = '\n';
	souk_csv_init(&csv, text, 2 * SOUK_CSV_FIELDS_MAX + 1);
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), SOUK_CSV_FIELDS_MAX);
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "more than 256"));
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), 0);
	/* A record that is too long, in quotes and without. */
	memset(text, 'x', size);
	text[size - 10] = '\n';
	souk_csv_init(&csv, text, size);
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "longer than 64"));
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), 1);
	ck_assert_str_eq(fields[0], "xxxxxxxxx");
	memset(text, '\n', size);
	text[0] = '"';
	text[size - 1] = '"';
	souk_csv_init(&csv, text, size);
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "longer than 64"));
	ck_assert_uint_eq(csv.line, 1);
	/* A NUL would cut a field short. */
	memcpy(text, "a\0b,c", 6);
	souk_csv_init(&csv, text, 5);
	ck_assert_int_eq(souk_csv_next(&csv, fields, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "NUL"));
	free(text);
}
END_TEST

static const struct {
	const char *text;
	unsigned places;
	uint64_t max;
	int ret;
	uint64_t value;
} numbers[] = {
	{ "0", 6, 100, SOUK_OK, 0 },
	{ "12", 0, 100, SOUK_OK, 12 },
	{ "12.", 1, 1000, SOUK_OK, 120 },
	{ ".5", 3, 1000, SOUK_OK, 500 },
	{ "+0.25", 2, 1000, SOUK_OK, 25 },
	{ "16.0", 3, 100000, SOUK_OK, 16000 },
	{ "1e-05", 6, 100, SOUK_OK, 10 },
	{ "1E+2", 0, 100, SOUK_OK, 100 },
	{ "2.5e1", 1, 1000, SOUK_OK, 250 },
	{ "0.0000004", 6, 100, SOUK_OK, 0 },
	{ "0.0000005", 6, 100, SOUK_OK, 1 },
	{ "0.10000049999999999999999999999999999999999999", 6, 1000000, SOUK_OK, 100000 },
	{ "3.0673050000000002", 6, 10000000, SOUK_OK, 3067305 },
	{ "0.00000000000000000000000000000000000000001", 6, 100, SOUK_OK, 0 },
	{ "00000000000000000000000000000000000000000001", 0, 100, SOUK_OK, 1 },
	{ "0e99999999999", 6, 100, SOUK_OK, 0 },
	{ "1e-99999999999", 6, 100, SOUK_OK, 0 },
	{ "18446744073709551615", 0, UINT64_MAX, SOUK_OK, UINT64_MAX },
	{ "18446744073709551616", 0, UINT64_MAX, SOUK_E_INVALID, 0 },
	{ "100.5", 0, 100, SOUK_E_INVALID, 0 },
	{ "101", 0, 100, SOUK_E_INVALID, 0 },
	{ "1e400", 0, UINT64_MAX, SOUK_E_INVALID, 0 },
	{ "9999999999999999999999999999999999999999999999999999999999999999999999999999999999", 0,
	  UINT64_MAX, SOUK_E_INVALID, 0 },
	{ "", 0, 100, SOUK_E_INVALID, 0 },
	{ ".", 0, 100, SOUK_E_INVALID, 0 },
	{ "-1", 0, 100, SOUK_E_INVALID, 0 },
	{ "1,5", 1, 100, SOUK_E_INVALID, 0 },
	{ "1.2.3", 1, 100, SOUK_E_INVALID, 0 },
	{ "1e", 1, 100, SOUK_E_INVALID, 0 },
	{ "1e+", 1, 100, SOUK_E_INVALID, 0 },
	{ " 1", 1, 100, SOUK_E_INVALID, 0 },
	{ "1 ", 1, 100, SOUK_E_INVALID, 0 },
	{ "nan", 1, 100, SOUK_E_INVALID, 0 },
	{ "0x10", 1, 100, SOUK_E_INVALID, 0 },
};

START_TEST(numbers_are_exact)
{
	uint64_t value = 4711;

	ck_assert_int_eq(souk_parse_decimal("price", numbers[_i].text, numbers[_i].places,
					    numbers[_i].max, &value, &err),
			 numbers[_i].ret);
	if (numbers[_i].ret == SOUK_OK) {
		ck_assert_uint_eq(value, numbers[_i].value);
	} else {
		ck_assert_uint_eq(value, 4711);
		ck_assert_msg(strncmp(err.message, "price: ", 7) == 0, "%s", err.message);
	}
}
END_TEST

/* ---- Tables ---- */

static struct souk_catalog_import_options options;
static struct souk_catalog_import result;

static int import(const char *table)
{
	char *text = strdup(table);
	int ret;

	ck_assert_ptr_nonnull(text);
	souk_catalog_import_fini(&result);
	err = (struct souk_error)SOUK_ERROR_INIT;
	if (!options.source)
		options.source = "import";
	ret = souk_catalog_import_text("t.csv", text, strlen(text), &options, &result, &err);
	free(text);
	return ret;
}

static struct souk_catalog_file *imported(const char *table)
{
	struct souk_catalog_file *file;

	OK(import(table));
	ck_assert_msg(result.n_bad == 0, "%s", result.problems.n ? result.problems.items[0] : "");
	OK(souk_catalog_file_open_image(result.image, result.size, &file, &err));
	result.image = NULL;
	OK(souk_catalog_file_verify(file, &err));
	return file;
}

static struct souk_offer offer_at(struct souk_catalog_file *file, uint32_t i)
{
	struct souk_catalog_type type;
	struct souk_catalog_row row;
	struct souk_offer offer;
	uint32_t t;

	OK(souk_catalog_row(file, i, &row, &err));
	OK(souk_catalog_type_of_row(file, i, &t, &err));
	OK(souk_catalog_type(file, t, &type, &err));
	souk_catalog_offer(&type, &row, &offer);
	return offer;
}

static void start(void)
{
	begin();
	options = (struct souk_catalog_import_options){ 0 };
}

static void stop(void)
{
	souk_catalog_import_fini(&result);
	scratch_remove();
}

#define OURS                                                                                       \
	"provider,region,zone,instance_type,arch,vcpus,memory_gib,gpu_name,gpu_count,"             \
	"gpu_memory_gib,price_usd_hour,spot_price_usd_hour"

START_TEST(our_table_is_read)
{
	struct souk_catalog_file *file = imported("# seed 2026-07-20: the price list\n" OURS
						  ",local_disk_gib,flags,currency,available\n"
						  "acme,r1,r1-a,big,arm64,48.5,1152,nvidia-tesla-"
						  "t4,0.125,15.5,12.5,3.75,900,burstable,EUR,7\n");
	const struct souk_catalog_head *head = souk_catalog_file_head(file);
	struct souk_offer o = offer_at(file, 0);

	ck_assert_str_eq(result.provider, "acme");
	ck_assert_str_eq(head->provider, "acme");
	ck_assert_str_eq(head->date, "2026-07-20");
	ck_assert_str_eq(head->note, "the price list");
	ck_assert_str_eq(head->source, "import");
	ck_assert_str_eq(o.region, "r1");
	ck_assert_str_eq(o.zone, "r1-a");
	ck_assert_str_eq(o.instance_type, "big");
	ck_assert_str_eq(o.arch, "arm64");
	ck_assert_uint_eq(o.vcpus_milli, 48500);
	ck_assert_uint_eq(o.memory_mib, 1152 * 1024);
	ck_assert_str_eq(o.accelerator, "T4");
	ck_assert_uint_eq(o.accelerator_milli, 125);
	ck_assert_uint_eq(o.accelerator_memory_mib, 15872);
	ck_assert_int_eq(o.micros_per_hour, 12500000);
	ck_assert_int_eq(o.spot_micros_per_hour, 3750000);
	ck_assert_uint_eq(o.local_disk_mib, 900 * 1024);
	ck_assert_uint_eq(o.flags, SOUK_OFFER_BURSTABLE);
	ck_assert_str_eq(o.currency, "EUR");
	ck_assert_int_eq(o.available, 7);
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(what_is_empty_is_unknown)
{
	struct souk_catalog_file *file;
	struct souk_offer o;

	options.provider = "acme";
	file = imported(OURS "\nacme,,,small,,,,,,,,\n");
	o = offer_at(file, 0);
	ck_assert_str_eq(souk_catalog_file_head(file)->date, "");
	ck_assert_str_eq(o.region, "any");
	ck_assert_ptr_null(o.zone);
	ck_assert_str_eq(o.arch, "x86_64");
	ck_assert_uint_eq(o.vcpus_milli, 0);
	ck_assert_ptr_null(o.accelerator);
	ck_assert_int_eq(o.micros_per_hour, -1);
	ck_assert_int_eq(o.spot_micros_per_hour, -1);
	ck_assert_str_eq(o.currency, "USD");
	ck_assert_int_eq(o.available, -1);
	souk_catalog_file_close(file);
}
END_TEST

/* How the tables of SkyPilot say what an accelerator's memory is, and what is made of it. */
static const struct {
	const char *name, *count, *info;
	uint32_t mib;
} infos[] = {
	{ "H100", "8.0",
	  "{'Gpus': [{'Name': 'H100', 'MemoryInfo': {'SizeInMiB': 81920}}], "
	  "'TotalGpuMemoryInMiB': 655360}",
	  81920 },
	/* The total is that of one ... */
	{ "A100", "8.0", "{'MemoryInfo': {'SizeInMiB': 40960}}], 'TotalGpuMemoryInMiB': 40960}",
	  40960 },
	/* ... or the size that of all. */
	{ "H200", "2", "{'MemoryInfo': {'SizeInMiB': 287542}}], 'TotalGpuMemoryInMiB': 287542}",
	  143771 },
	{ "Unheard", "2", "{'MemoryInfo': {'SizeInMiB': 4}}], 'TotalGpuMemoryInMiB': 4}", 0 },
	{ "Unheard", "1", "{'MemoryInfo': {'SizeInMiB': 4}}], 'TotalGpuMemoryInMiB': 4}", 4 },
	{ "Unheard", "2", "{\"SizeInMiB\": 4096.0}", 4096 },
	{ "tpu-v5p-8", "1", "tpu-v5p-8", 0 },
	{ "T4", "1", "", 0 },
};

START_TEST(skypilot_tables_are_read)
{
	struct souk_catalog_file *file;
	struct souk_offer o;
	char text[1024];

	options.provider = "acme";
	snprintf(text, sizeof(text),
		 "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,"
		 "SpotPrice,Region,"
		 "AvailabilityZone,Arch\nbig,%s,%s,208.0,3.75,\"%s\",23.92,1e-05,\"Texas, US, "
		 "NA\",use1-az6,i386\n",
		 infos[_i].name, infos[_i].count,
		 strchr(infos[_i].info, '"') ? "" : infos[_i].info);
	if (strchr(infos[_i].info, '"'))
		snprintf(text, sizeof(text),
			 "instanceTYPE,acceleratorname,AcceleratorCount,vcpus,memorygib,gpuinfo,"
			 "PRICE,SpotPrice,Region,AvailabilityZone\n"
			 "big,%s,%s,208.0,3.75,\"{\"\"SizeInMiB\"\": 4096.0}\","
			 "23.92,1e-05,\"Texas, US, NA\",use1-az6\n",
			 infos[_i].name, infos[_i].count);
	file = imported(text);
	o = offer_at(file, 0);
	ck_assert_str_eq(o.region, "Texas, US, NA");
	ck_assert_str_eq(o.zone, "use1-az6");
	ck_assert_str_eq(o.arch, "x86_64");
	ck_assert_uint_eq(o.vcpus_milli, 208000);
	ck_assert_uint_eq(o.memory_mib, 3840);
	ck_assert_uint_eq(o.accelerator_memory_mib, infos[_i].mib);
	ck_assert_int_eq(o.micros_per_hour, 23920000);
	ck_assert_int_eq(o.spot_micros_per_hour, 10);
	souk_catalog_file_close(file);
}
END_TEST

/* A row behind a good one, and what is said of it. */
static const struct {
	const char *row, *problem;
} wrong[] = {
	{ "acme,r,,a,,1,1,,,,1", "t.csv:3: 11 fields, where the header has 12" },
	{ "acme,r,,a,,1,1,,,,1,,", "t.csv:3: 13 fields, where the header has 12" },
	{ "acme,r,,,,1,1,,,,1,", "t.csv:3: no instance_type" },
	{ "other,r,,a,,1,1,,,,1,", "t.csv:3: provider: 'other', not 'acme'" },
	{ ",r,,a,,1,1,,,,1,", "t.csv:3: provider: '', not 'acme'" },
	{ "acme,r,,a,sparc,1,1,,,,1,", "t.csv:3: arch: neither x86_64 nor arm64: 'sparc'" },
	{ "acme,r,,a,,many,1,,,,1,", "t.csv:3: vcpus: not a number: 'many'" },
	{ "acme,r,,a,,1,-1,,,,1,", "t.csv:3: memory_gib: not a number: '-1'" },
	{ "acme,r,,a,,1,1,H100,,,1,", "t.csv:3: gpu_name without gpu_count" },
	{ "acme,r,,a,,1,1,,8,,1,", "t.csv:3: gpu_count without gpu_name" },
	{ "acme,r,,a,,1,1,H100,x,,1,", "t.csv:3: gpu_count: not a number: 'x'" },
	{ "acme,r,,a,,1,1,H100,1,1e30,1,", "t.csv:3: gpu_memory_gib: too large: '1e30'" },
	{ "acme,r,,a,,1,1,,,,-1,", "t.csv:3: price_usd_hour: not a number: '-1'" },
	{ "acme,r,,a,,1,1,,,,1,n/a", "t.csv:3: spot_price_usd_hour: not a number: 'n/a'" },
	{ "acme,r,,a,,1,1,,,,1e18,", "t.csv:3: price_usd_hour: too large: '1e18'" },
	{ "acme,r\x01,,a,,1,1,,,,1,",
	  "t.csv:3: region: byte 2 is not UTF-8, or a control character" },
	{ "acme,r,\xff,a,,1,1,,,,1,",
	  "t.csv:3: zone: byte 1 is not UTF-8, or a control character" },
	{ "acme,r,,\"a\nb\",,1,1,,,,1,",
	  "t.csv:3: instance_type: byte 2 is not UTF-8, or a control character" },
	{ "acme,r,,\"a,,1,1,,,,1,", "t.csv:3: a quote is opened and not closed" },
	{ "acme,r,,a,,x\x1b[2J,1,,,,1,", "t.csv:3: vcpus: not a number: 'x [2J'" },
};

START_TEST(a_wrong_row_is_named)
{
	char text[512];

	snprintf(text, sizeof(text), OURS "\nacme,r,,good,,1,1,,,,1,\n%s", wrong[_i].row);
	OK(import(text));
	ck_assert_uint_eq(result.n_bad, 1);
	ck_assert_uint_eq(result.n_rows, 1);
	ck_assert_uint_eq(result.problems.n, 1);
	ck_assert_str_eq(result.problems.items[0], wrong[_i].problem);
	ck_assert_ptr_null(result.image);
	options.skip_bad = 1;
	OK(import(text));
	ck_assert_uint_eq(result.n_bad, 1);
	ck_assert_ptr_nonnull(result.image);
}
END_TEST

static const struct {
	const char *row, *problem;
} wrong_further[] = {
	{ "a,1,dollars,,,", "currency: not three capital letters: 'dollars'" },
	{ "a,1,,cheap,,", "flags: neither 'free' nor 'burstable': 'cheap'" },
	{ "a,1,,,-3,", "available: not a number: '-3'" },
	{ "a,1,,,2.6e9,", "available: too large: '2.6e9'" },
	{ "a,1,,,,x", "local_disk_gib: not a number: 'x'" },
};

START_TEST(a_wrong_further_column_is_named)
{
	char text[256];

	options.provider = "acme";
	snprintf(text, sizeof(text),
		 "instance_type,price,currency,flags,available,local_disk_gib\n%s\n",
		 wrong_further[_i].row);
	OK(import(text));
	ck_assert_uint_eq(result.problems.n, 1);
	ck_assert_str_eq(result.problems.items[0] + strlen("t.csv:2: "), wrong_further[_i].problem);
}
END_TEST

START_TEST(a_gpu_info_without_number_is_wrong)
{
	options.provider = "acme";
	OK(import("InstanceType,AcceleratorName,AcceleratorCount,GpuInfo,Price\n"
		  "a,H100,1,{'SizeInMiB': 'lots'},1\n"));
	ck_assert_uint_eq(result.n_bad, 1);
	ck_assert_msg(strstr(result.problems.items[0], "GpuInfo") != NULL, "%s",
		      result.problems.items[0]);
}
END_TEST

START_TEST(many_problems_are_counted)
{
	struct souk_buf buf;
	unsigned i;

	souk_buf_init(&buf, 1 << 20);
	souk_buf_str(&buf, "instance_type,price\n");
	for (i = 0; i < 150; i++)
		souk_buf_str(&buf, "a,x\n");
	options.provider = "acme";
	options.skip_bad = 1;
	OK(import(buf.data));
	ck_assert_uint_eq(result.n_bad, 150);
	ck_assert_uint_eq(result.problems.n, SOUK_CATALOG_PROBLEMS_MAX);
	ck_assert_int_eq(strncmp(result.problems.items[99], "t.csv:101:", 10), 0);
	ck_assert_ptr_null(result.image);
	souk_buf_fini(&buf);
}
END_TEST

static const struct {
	const char *table, *provider, *date, *source, *text;
} hopeless[] = {
	{ "", "acme", NULL, "import", "'t.csv' is empty" },
	{ "# nothing\n\n", "acme", NULL, "import", "'t.csv' is empty" },
	{ "region,price\nr,1\n", "acme", NULL, "import", "t.csv:1: no column 'instance_type'" },
	{ "instance_type,region\na,r\n", "acme", NULL, "import",
	  "no column 'price_usd_hour' (or 'Price')" },
	{ "instance_type,InstanceType,price\na,a,1\n", "acme", NULL, "import",
	  "two columns 'instance_type'" },
	{ "instance_type,price\n", "acme", NULL, "import", "'t.csv' has no offers" },
	{ "instance_type,price\na,1\n", NULL, NULL, "import", "no column 'provider'" },
	{ "instance_type,price\na,1\n", "../x", NULL, "import", "not a provider's name" },
	{ "instance_type,price\na,1\n", "acme", "yesterday", "import", "not a date" },
	{ "instance_type,price\na,1\n", "acme", NULL, "seed", "has no date" },
	{ "instance_type,price,\"x\na,1\n", "acme", NULL, "import", "t.csv:1: a quote" },
};

START_TEST(a_hopeless_table_is_refused)
{
	options.provider = hopeless[_i].provider;
	options.date = hopeless[_i].date;
	options.source = hopeless[_i].source;
	ck_assert_int_eq(import(hopeless[_i].table), SOUK_E_INVALID);
	ck_assert_msg(strstr(err.message, hopeless[_i].text) != NULL, "%s", err.message);
	ck_assert_ptr_null(result.image);
}
END_TEST

START_TEST(the_caller_knows_better_than_the_comment)
{
	struct souk_catalog_file *file;

	options.date = "2026-08-01";
	options.note = "elsewhere";
	options.provider = "acme";
	file = imported("# seed 2026-07-20: here\ninstance_type,price\na,1\n");
	ck_assert_str_eq(souk_catalog_file_head(file)->date, "2026-08-01");
	ck_assert_str_eq(souk_catalog_file_head(file)->note, "elsewhere");
	souk_catalog_file_close(file);
	options.date = options.note = NULL;
	file = imported(
		"# 99-99-9999, seed of 2026-13-40 or 2026-07-20\r\ninstance_type,price\na,1\n");
	ck_assert_str_eq(souk_catalog_file_head(file)->date, "2026-07-20");
	ck_assert_str_eq(souk_catalog_file_head(file)->note, "");
	souk_catalog_file_close(file);
}
END_TEST

START_TEST(a_file_is_read)
{
	options = (struct souk_catalog_import_options){ .provider = "acme", .source = "import" };
	ck_assert_int_eq(souk_catalog_import_file(scratch_path("none"), &options, &result, &err),
			 SOUK_E_NOT_FOUND);
	scratch_text(scratch_path("a.csv"), "instance_type,price\na,1\n");
	OK(souk_catalog_import_file(scratch_path("a.csv"), &options, &result, &err));
	ck_assert_uint_eq(result.n_rows, 1);
}
END_TEST

/* ---- The real ones, where they are to hand ---- */

static const char *shared_folder(void)
{
	const char *folder = getenv("SOUK_TEST_CATALOG");

	if (folder && folder[0])
		return folder;
	return souk_fs_is_dir(TEST_SRCDIR "/../shared/catalog") ? TEST_SRCDIR "/../shared/catalog"
								: NULL;
}

static size_t count_lines(const char *path)
{
	size_t size, n = 0, i;
	char *text = scratch_read(path, &size);

	for (i = 0; i < size; i++)
		n += text[i] == '\n';
	free(text);
	return n;
}

START_TEST(every_shared_table_is_read)
{
	const char *folder = shared_folder();
	struct dirent *entry;
	unsigned n = 0;
	DIR *dir;

	if (!folder) {
		printf("skipped: no SOUK_TEST_CATALOG and no ../shared/catalog\n");
		return;
	}
	dir = opendir(folder);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		struct souk_catalog_file *file;
		char path[1024];

		if (len < 5 || strcmp(entry->d_name + len - 4, ".csv") != 0 ||
		    strncmp(entry->d_name, "extra", 5) == 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		souk_catalog_import_fini(&result);
		options = (struct souk_catalog_import_options){ .source = "import",
								.date = "2026-07-20" };
		OK(souk_catalog_import_file(path, &options, &result, &err));
		ck_assert_msg(result.n_bad == 0, "%s",
			      result.n_bad ? result.problems.items[0] : "");
		ck_assert_int_eq(strncmp(result.provider, entry->d_name, len - 4), 0);
		OK(souk_catalog_file_open_image(result.image, result.size, &file, &err));
		result.image = NULL;
		OK(souk_catalog_file_verify(file, &err));
		/* No row of theirs is a double. */
		ck_assert_uint_eq(souk_catalog_file_head(file)->n_rows, count_lines(path) - 1);
		souk_catalog_file_close(file);
		n++;
	}
	closedir(dir);
	ck_assert_uint_gt(n, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog-import");
	TCase *tc = tcase_create("csv");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, begin, scratch_remove);
	tcase_add_loop_test(tc, csv_is_read, 0, SOUK_ARRAY_SIZE(tables));
	tcase_add_test(tc, csv_is_bounded);
	tcase_add_loop_test(tc, numbers_are_exact, 0, SOUK_ARRAY_SIZE(numbers));
	suite_add_tcase(suite, tc);
	tc = tcase_create("tables");
	tcase_add_checked_fixture(tc, start, stop);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, our_table_is_read);
	tcase_add_test(tc, what_is_empty_is_unknown);
	tcase_add_loop_test(tc, skypilot_tables_are_read, 0, SOUK_ARRAY_SIZE(infos));
	tcase_add_loop_test(tc, a_wrong_row_is_named, 0, SOUK_ARRAY_SIZE(wrong));
	tcase_add_loop_test(tc, a_wrong_further_column_is_named, 0, SOUK_ARRAY_SIZE(wrong_further));
	tcase_add_test(tc, a_gpu_info_without_number_is_wrong);
	tcase_add_test(tc, many_problems_are_counted);
	tcase_add_loop_test(tc, a_hopeless_table_is_refused, 0, SOUK_ARRAY_SIZE(hopeless));
	tcase_add_test(tc, the_caller_knows_better_than_the_comment);
	tcase_add_test(tc, a_file_is_read);
	tcase_add_test(tc, every_shared_table_is_read);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
