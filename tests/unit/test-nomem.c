/* SPDX-License-Identifier: Apache-2.0 */
/* test-nomem.c - the market when memory runs out: every allocation fails once, in its turn */
#include "scratch.h"

#include <errno.h>

#include <souk/souk.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "context.h"
#include "market/catalog-file.h"

/* ---- An allocator that fails on request: the program's own come before those of libc ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_OWN_ALLOCATOR 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HAS_OWN_ALLOCATOR 1
#endif
#endif
#if !defined(__GLIBC__) && !defined(HAS_OWN_ALLOCATOR)
#define HAS_OWN_ALLOCATOR 1
#endif

static struct {
	int armed;
	int from_then_on; /* 1: all that come after it fail, too */
	size_t at;	  /* the one that fails */
	size_t n;	  /* asked for since */
	size_t failed;
	long live;	  /* blocks that are in use */
} memory;

#ifndef HAS_OWN_ALLOCATOR
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void __libc_free(void *block);

static int is_refused(void)
{
	if (!memory.armed)
		return 0;
	memory.n++;
	if (memory.n != memory.at && !(memory.from_then_on && memory.n > memory.at))
		return 0;
	memory.failed++;
	errno = ENOMEM;
	return 1;
}

static void *counted(void *block)
{
	memory.live += block != NULL;
	return block;
}

void *malloc(size_t size)
{
	return is_refused() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t n, size_t size)
{
	return is_refused() ? NULL : counted(__libc_calloc(n, size));
}

void *realloc(void *block, size_t size)
{
	void *moved;

	if (is_refused())
		return NULL;
	moved = __libc_realloc(block, size);
	memory.live += !block && moved;
	memory.live -= block && !moved && size == 0;
	return moved;
}

void free(void *block)
{
	memory.live -= block != NULL;
	__libc_free(block);
}
#endif

/* ---- A market of two providers, without a module ---- */

static struct souk *souk;
static struct souk_error err;

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)
#define PRICED TEST_BUILDDIR "/tests/unit/modules/.libs/priced.so"

static void nobody_listens(int level, const char *line, void *arg)
{
	(void)level;
	(void)line;
	(void)arg;
}

static void put_catalog(const char *provider, const char *region)
{
	struct souk_catalog_origin origin = { provider, "import", "2026-01-01", NULL };
	struct souk_offer offers[6];
	void *image = NULL;
	size_t size = 0, i;

	for (i = 0; i < SOUK_ARRAY_SIZE(offers); i++)
		offers[i] = (struct souk_offer){
			SOUK_OFFER_HEAD,
			.instance_type = i % 3 == 0 ? "m" : i % 3 == 1 ? "xl" : "gpu",
			.region = region,
			.zone = i < 3 ? "a" : "b",
			.accelerator = i % 3 == 2 ? "H100" : NULL,
			.accelerator_milli = i % 3 == 2 ? 1000 : 0,
			.vcpus_milli = 8000,
			.memory_mib = 32768,
			.micros_per_hour = (int64_t)(1000000 + i),
			.spot_micros_per_hour = 400000,
			.currency = "USD",
		};
	OK(souk_catalog_image(&origin, offers, SOUK_ARRAY_SIZE(offers), &image, &size, &err));
	OK(souk_catalog_file_write(&souk->paths, provider, image, size, &err));
	free(image);
}

static const char task_text[] = "resources:\n  any_of:\n    - {instance_type: m}\n"
				"    - {accelerators: H100, use_spot: true}\n"
				"inputs: {s3://here/in: 10}\noutputs: {s3://here/out: 10}\n"
				"run: echo hello\n";

static void begin(void)
{
	static const char *const wanted[] = { "red", "blue", NULL };
	const char *path[] = { NULL, NULL };
	struct souk_settings settings = { 0 };
	struct souk_provider *provider;
	size_t i;

	err = (struct souk_error)SOUK_ERROR_INIT;
	souk_log_set_sink(nobody_listens, NULL);
	scratch_make();
	ck_assert_int_eq(setenv("SOUK_HOME", scratch, 1), 0);
	ck_assert_int_eq(unsetenv("SOUK_PROVIDER_PATH"), 0);
	scratch_mkdir(scratch_path("modules"));
	scratch_mkdir(scratch_path("config/transfer"));
	scratch_mkdir(scratch_path("config/charges"));
	scratch_copy(PRICED, scratch_path("modules/souk-provider-red.so"));
	scratch_copy(PRICED, scratch_path("modules/souk-provider-blue.so"));
	scratch_text(scratch_path("config/charges/red.csv"),
		     "item,region,unit,price,date,source\naddress,*,hour,0.005,2026-01-02,list\n");
	scratch_text(scratch_path("config/transfer/red.csv"),
		     "from_region,to,to_region,tier_from_gb,usd_per_gb\nscheme,s3://*\n"
		     "*,same-region,*,0,0\n*,internet,*,0,0.09\n");
	scratch_text(scratch_path("task.yaml"), task_text);
	scratch_text(scratch_path("table.csv"),
		     "provider,region,instance_type,vcpus,memory_gib,gpu_name,gpu_count,price_usd_hour\n"
		     "green,here,m,4,16,,0,1.5\ngreen,there,g,4,16,H100,1,2.5\n");
	path[0] = scratch_path("modules");
	settings.provider_path = path;
	settings.providers = wanted;
	OK(souk_new(&settings, &souk, &err));
	/* Whom a failure makes ask the module stays open, which is no leak: they are open already. */
	for (i = 0; wanted[i]; i++)
		OK(souk_registry_get(&souk->registry, wanted[i], &provider, &err));
	put_catalog("red", "r1");
	put_catalog("blue", "b1");
}

static void end(void)
{
	souk_free(souk);
	souk = NULL;
	souk_log_set_sink(NULL, NULL);
	scratch_remove();
}

/* ---- What is done ---- */

static int find_offers(struct souk_error *why)
{
	const struct souk_offer_filter filter = { .infra = "*/*", .cpus = "4+", .zones = 1, .limit = 3 };
	struct souk_offers *offers = NULL;
	int ret = souk_offers_find(souk, &filter, &offers, why);

	if (ret == SOUK_OK)
		souk_offers_free(offers);
	return ret;
}

static int find_accelerators(struct souk_error *why)
{
	const struct souk_offer_filter filter = { .accelerator = "H100", .all_regions = 1 };
	struct souk_offers *offers = NULL;
	int ret = souk_offers_find(souk, &filter, &offers, why);

	if (ret == SOUK_OK)
		souk_offers_free(offers);
	return ret;
}

static int find_nothing(struct souk_error *why)
{
	const struct souk_offer_filter filter = { .accelerator = "H101" };
	struct souk_offers *offers = NULL;
	int ret = souk_offers_find(souk, &filter, &offers, why);

	if (ret == SOUK_OK)
		souk_offers_free(offers);
	return ret == SOUK_E_CAPACITY ? SOUK_OK : ret;
}

static int load_task(struct souk_task_file **file_out, struct souk_error *why)
{
	const struct souk_overrides none = { 0 };

	return souk_task_file_load(souk, scratch_path("task.yaml"), &none, file_out, why);
}

static int make_plan(struct souk_error *why)
{
	const struct souk_plan_options options = { .dryrun = 1, .explain = 1 };
	struct souk_task_file *file = NULL;
	struct souk_plan *plan = NULL;
	int ret = load_task(&file, why);

	if (ret == SOUK_OK)
		ret = souk_plan_make_with(souk, file, &options, &plan, why);
	if (ret == SOUK_OK && !souk_plan_row(plan, 1))
		ret = souk_error_nomem(why);
	souk_plan_free(plan);
	souk_task_file_free(file);
	return ret;
}

static int make_quote(struct souk_error *why)
{
	const struct souk_quote_options options = { .hours_milli = 1000, .all = 1 };
	struct souk_task_file *file = NULL;
	struct souk_quote *quote = NULL;
	int ret = load_task(&file, why);

	if (ret == SOUK_OK)
		ret = souk_quote_make(souk, file, &options, &quote, why);
	souk_quote_free(quote);
	souk_task_file_free(file);
	return ret;
}

static int look_at_catalogs(struct souk_error *why)
{
	struct souk_catalogs *catalogs = NULL;
	int ret = souk_catalogs_info(souk, NULL, 0, 1, &catalogs, why);

	souk_catalogs_free(catalogs);
	return ret;
}

static int import_table(struct souk_error *why)
{
	const struct souk_import_options options = { .date = "2026-01-01" };
	struct souk_import *import = NULL;
	int ret = souk_catalogs_import(souk, scratch_path("table.csv"), &options, &import, why);

	souk_import_free(import);
	return ret;
}

static const struct {
	const char *name;
	int (*run)(struct souk_error *why);
} works[] = {
	{ "offers", find_offers },     { "accelerators", find_accelerators },
	{ "nothing", find_nothing },   { "plan", make_plan },
	{ "quote", make_quote },       { "catalogs", look_at_catalogs },
	{ "import", import_table },
};

/* ---- The tests ---- */

/* The lowest descriptor that is free: the same afterwards, unless one was left open. */
static int free_descriptor(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

static void fail_each(size_t work, int from_then_on)
{
	struct souk_error why = SOUK_ERROR_INIT;
	int ret = works[work].run(&why), fd = free_descriptor();
	size_t at;

	/* What is made once and kept was made now. */
	ck_assert_msg(ret == SOUK_OK, "%s: %s", works[work].name, why.message);
	for (at = 1;; at++) {
		long live = memory.live;

		why = (struct souk_error)SOUK_ERROR_INIT;
		memory.at = at;
		memory.n = memory.failed = 0;
		memory.from_then_on = from_then_on;
		memory.armed = 1;
		ret = works[work].run(&why);
		memory.armed = 0;
		ck_assert_msg(memory.live == live, "%s: allocation %zu fails: %ld blocks are left",
			      works[work].name, at, memory.live - live);
		ck_assert_msg(free_descriptor() == fd, "%s: allocation %zu fails: a descriptor is left",
			      works[work].name, at);
		if (memory.failed == 0)
			break;
		/* What can be done without is: a warning less, a module asked where no file is found. */
		ck_assert_msg(ret == SOUK_OK || (ret == SOUK_E_NOMEM && why.code == SOUK_E_NOMEM) ||
			      strstr(why.message, "nobody is at home"),
			      "%s: allocation %zu fails: %d: %s", works[work].name, at, ret, why.message);
	}
	ck_assert_uint_gt(at, 10);
	ck_assert_msg(ret == SOUK_OK, "%s: %s", works[work].name, why.message);
}

START_TEST(one_allocation_fails)
{
	fail_each((size_t)_i, 0);
}
END_TEST

START_TEST(nothing_can_be_allocated_any_more)
{
	fail_each((size_t)_i, 1);
}
END_TEST

/* 0: a sanitizer's or valgrind's allocator stands before ours. */
static int is_ours(void)
{
	/* By a pointer: of malloc() itself a compiler knows that it changes nothing of ours. */
	void *(*volatile allocate)(size_t) = malloc;
	long live = memory.live;
	void *block = allocate(1);
	int counts = memory.live != live;

	free(block);
	return counts;
}

int main(void)
{
	SRunner *runner;
	Suite *suite;
	TCase *tc;
	int failed;

	if (!is_ours()) {
		puts("skipped: another allocator is in the way");
		return 77;
	}
	suite = suite_create("nomem");
	tc = tcase_create("market");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, one_allocation_fails, 0, SOUK_ARRAY_SIZE(works));
	tcase_add_loop_test(tc, nothing_can_be_allocated_any_more, 0, SOUK_ARRAY_SIZE(works));
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
