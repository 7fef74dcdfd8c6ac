/* SPDX-License-Identifier: Apache-2.0 */
/* test-stamp.c - what is known of a module without loading it, and the signs of credentials */
#include <souk/souk.h>

#include "base/util.h"
#include "provider/module.h"
#include "provider/signs.h"
#include "scratch.h"

#define VARIANT TEST_BUILDDIR "/tests/unit/modules/.libs/variant.so"

static struct souk_error err;
static struct souk_paths paths;
static char folder[512];
static const char *further[2] = { folder, NULL };

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	snprintf(folder, sizeof(folder), "%s", scratch_path("modules"));
	scratch_mkdir(folder);
	ck_assert_int_eq(setenv("SOUK_HOME", scratch, 1), 0);
	ck_assert_int_eq(setenv("HOME", scratch, 1), 0);
	ck_assert_int_eq(unsetenv("SOUK_PROVIDER_PATH"), 0);
	ck_assert_int_eq(unsetenv("SIGNS_KEY"), 0);
	OK(souk_paths_init(&paths, &err));
	free(paths.libdir);
	paths.libdir = strdup(scratch_path("lib"));
}

static void end(void)
{
	souk_paths_fini(&paths);
	scratch_remove();
}

static struct souk_modules find(const char *name)
{
	struct souk_modules modules;

	if (access(scratch_path("modules/souk-provider-%s.so", name), F_OK) < 0)
		scratch_copy(VARIANT, scratch_path("modules/souk-provider-%s.so", name));
	OK(souk_modules_find(&paths, further, &modules, &err));
	ck_assert_uint_eq(modules.n, 1);
	return modules;
}

static char *stamp_path(const char *name)
{
	static char path[600];

	snprintf(path, sizeof(path), "%s/modules/souk-provider-%s.so", paths.cache, name);
	return path;
}

static void same_facts(const struct souk_module_facts *a, const struct souk_module_facts *b)
{
	size_t i;

	ck_assert_uint_eq(a->features, b->features);
	ck_assert_uint_eq(a->ops, b->ops);
	ck_assert_int_eq(a->needs_credentials, b->needs_credentials);
	ck_assert_int_eq(souk_streq(a->title, b->title), 1);
	ck_assert_uint_eq(a->signs.n, b->signs.n);
	for (i = 0; i < a->signs.n; i++)
		ck_assert_str_eq(a->signs.items[i], b->signs.items[i]);
}

/* The first asks loads; whoever comes later reads the stamp. */
START_TEST(facts_need_no_loading_twice)
{
	static const char *const names[] = { "signs", "good" };
	const char *name = names[_i];
	struct souk_modules first = find(name), later;
	const struct souk_module_facts *a, *b;

	OK(souk_module_facts(first.items[0], &a, &err));
	ck_assert_ptr_nonnull(first.items[0]->handle);
	later = find(name);
	OK(souk_module_facts(later.items[0], &b, &err));
	ck_assert_ptr_null(later.items[0]->handle);
	same_facts(a, b);
	ck_assert_int_eq(b->needs_credentials, _i == 0);
	if (_i == 0) {
		ck_assert_str_eq(b->title, "The signs of the times");
		ck_assert_uint_eq(b->signs.n, 2);
		ck_assert_str_eq(b->signs.items[1], "file:~/.signs/key");
	}
	/* Loading it after that changes nothing. */
	OK(souk_module_load(later.items[0], &err));
	same_facts(a, b);
	ck_assert_uint_eq(b->features, later.items[0]->ops.features);
	ck_assert_int_eq((b->ops & SOUK_MODULE_STOP) != 0, later.items[0]->ops.stop != NULL);
	souk_modules_fini(&first);
	souk_modules_fini(&later);
}
END_TEST

/* What is not a stamp of this file and this souk is not believed. */
START_TEST(a_strange_stamp_is_no_stamp)
{
	static const struct {
		const char *from, *to;
		size_t keep; /* how much of the file, in percent */
	} changes[] = {
		{ NULL, NULL, 0 },	    { NULL, NULL, 50 },	      { NULL, NULL, 95 },
		{ "souk ", "sauk ", 100 },  { "features ", "featurez ", 100 },
		{ "features ", "features x", 100 }, { "ops ", "ops 99999999999999", 100 },
		{ "title ", "Title ", 100 },
	};
	struct souk_modules modules = find("signs");
	const struct souk_module_facts *facts;
	struct souk_module_facts read = { 0 };
	char whole[8192], changed[8192];
	const char *from = changes[_i].from, *at;
	char *text;
	size_t size;
	int known;

	OK(souk_module_facts(modules.items[0], &facts, &err));
	souk_modules_fini(&modules);
	text = scratch_read(stamp_path("signs"), &size);
	snprintf(whole, sizeof(whole), "%s", text);
	free(text);
	snprintf(changed, sizeof(changed), "%.*s", (int)(size * changes[_i].keep / 100), whole);
	if (from) {
		at = strstr(whole, from);
		ck_assert_ptr_nonnull(at);
		snprintf(changed, sizeof(changed), "%.*s%s%s", (int)(at - whole), whole,
			 changes[_i].to, at + strlen(from));
	}
	scratch_text(stamp_path("signs"), changed);
	modules = find("signs");
	souk_stamp_read(modules.items[0]->stamps, modules.items[0]->path, &read, &known);
	ck_assert_int_eq(known, 0);
	OK(souk_module_facts(modules.items[0], &facts, &err));
	ck_assert_ptr_nonnull(modules.items[0]->handle);
	ck_assert_uint_eq(facts->signs.n, 2);
	souk_modules_fini(&modules);
	/* It was written anew. */
	modules = find("signs");
	OK(souk_module_facts(modules.items[0], &facts, &err));
	ck_assert_ptr_null(modules.items[0]->handle);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(a_touched_file_is_loaded_again)
{
	struct souk_modules modules = find("signs");
	const struct timespec times[2] = { { 1000000000, 0 }, { 1000000000, 0 } };
	const struct souk_module_facts *facts;

	OK(souk_module_facts(modules.items[0], &facts, &err));
	ck_assert_int_eq(utimensat(AT_FDCWD, modules.items[0]->path, times, 0), 0);
	souk_modules_fini(&modules);
	modules = find("signs");
	OK(souk_module_facts(modules.items[0], &facts, &err));
	ck_assert_ptr_nonnull(modules.items[0]->handle);
	/* A file that anybody can write is not believed, whatever its stamp says. */
	ck_assert_int_eq(chmod(modules.items[0]->path, 0777), 0);
	souk_modules_fini(&modules);
	modules = find("signs");
	ck_assert_int_eq(souk_module_facts(modules.items[0], &facts, &err), SOUK_E_AUTH);
	ck_assert_int_eq(souk_module_load(modules.items[0], &err), SOUK_E_AUTH);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(a_refused_module_has_no_facts)
{
	struct souk_modules modules = find("abi2");
	const struct souk_module_facts *facts;
	int i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(souk_module_facts(modules.items[0], &facts, &err), SOUK_E_UNSUPPORTED);
		ck_assert_msg(strstr(err.message, "provider ABI") != NULL, "%s", err.message);
	}
	souk_modules_fini(&modules);
	modules = find("abi2");
	ck_assert_int_eq(souk_module_facts(modules.items[0], &facts, &err), SOUK_E_UNSUPPORTED);
	souk_modules_fini(&modules);
}
END_TEST

/* ---- Signs ---- */

static int shows(const char *sign)
{
	struct souk_config config = { 0 };

	return souk_sign_shows(sign, "p", &config);
}

START_TEST(signs_show_where_they_are)
{
	ck_assert_int_eq(shows("env:SIGNS_KEY"), 0);
	ck_assert_int_eq(setenv("SIGNS_KEY", "", 1), 0);
	ck_assert_int_eq(shows("env:SIGNS_KEY"), 0);
	ck_assert_int_eq(setenv("SIGNS_KEY", "x", 1), 0);
	ck_assert_int_eq(shows("env:SIGNS_KEY"), 1);
	ck_assert_int_eq(shows("file:~/key"), 0);
	scratch_text(scratch_path("key"), "k");
	ck_assert_int_eq(shows("file:~/key"), 1);
	ck_assert_int_eq(shows("file:key"), 0);
	ck_assert_int_eq(shows("file:$SIGNS_FOLDER/key"), 0);
	ck_assert_int_eq(setenv("SIGNS_FOLDER", scratch, 1), 0);
	ck_assert_int_eq(shows("file:$SIGNS_FOLDER/key"), 1);
	ck_assert_int_eq(setenv("SIGNS_FOLDER", scratch_path("key"), 1), 0);
	ck_assert_int_eq(shows("file:$SIGNS_FOLDER"), 1);
	ck_assert_int_eq(shows("file:$"), 0);
	ck_assert_int_eq(shows("file:$/key"), 0);
	ck_assert_int_eq(shows("vendor:No Such Maker Of Computers"), 0);
	ck_assert_int_eq(shows("vendor:"), 0);
	ck_assert_int_eq(shows("magic:x"), 0);
	ck_assert_int_eq(shows(""), 0);
}
END_TEST

START_TEST(this_computer_has_a_maker)
{
	SOUK_AUTO_FREE char *vendor = NULL, *sign = NULL;

	if (souk_fs_read("/sys/class/dmi/id/sys_vendor", 4096, &vendor, NULL, NULL) < 0)
		return;
	vendor[strcspn(vendor, "\n")] = '\0';
	ck_assert_int_ge(asprintf(&sign, "vendor:%s", vendor), 0);
	ck_assert_int_eq(shows(sign), vendor[0] != '\0');
}
END_TEST

START_TEST(settings_are_signs)
{
	const char *const sets[] = { "p.profile=work", "q.endpoint=http://127.0.0.1:1", NULL };
	struct souk_module_facts facts = { .needs_credentials = 1 };
	struct souk_report report = { 0 };
	struct souk_config config;

	OK(souk_config_load(scratch, sets, &config, &report, &err));
	ck_assert_int_eq(souk_sign_shows("option:profile", "p", &config), 1);
	ck_assert_int_eq(souk_sign_shows("option:profile", "q", &config), 0);
	ck_assert_int_eq(souk_signs_look(&facts, "q", &config), SOUK_SIGN_FOUND);
	ck_assert_int_eq(souk_signs_look(&facts, "p", &config), SOUK_SIGN_MISSING);
	OK(souk_strv_add(&facts.signs, "option:profile", &err));
	ck_assert_int_eq(souk_signs_look(&facts, "p", &config), SOUK_SIGN_FOUND);
	facts.needs_credentials = 0;
	ck_assert_int_eq(souk_signs_look(&facts, "r", &config), SOUK_SIGN_NOT_NEEDED);
	souk_module_facts_fini(&facts);
	souk_config_fini(&config);
	souk_report_fini(&report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stamp");
	TCase *tc = tcase_create("stamp");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_loop_test(tc, facts_need_no_loading_twice, 0, 2);
	tcase_add_loop_test(tc, a_strange_stamp_is_no_stamp, 0, 8);
	tcase_add_test(tc, a_touched_file_is_loaded_again);
	tcase_add_test(tc, a_refused_module_has_no_facts);
	tcase_add_test(tc, signs_show_where_they_are);
	tcase_add_test(tc, this_computer_has_a_maker);
	tcase_add_test(tc, settings_are_signs);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
