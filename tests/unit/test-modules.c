/* SPDX-License-Identifier: Apache-2.0 */
/* test-modules.c - provider modules that are good, old, new, broken or hostile, and their settings */
#include <souk/souk.h>

#include "base/log.h"
#include "base/util.h"
#include "provider/registry.h"
#include "scratch.h"

#define VARIANT TEST_BUILDDIR "/tests/unit/modules/.libs/variant.so"
#define EMPTY TEST_BUILDDIR "/tests/unit/modules/.libs/empty.so"

static struct souk_error err;
static struct souk_paths paths;
static struct souk_config config;
static char folder[512], last_line[4096];
static const char *further[2] = { folder, NULL };

#define OK(call) ck_assert_msg((call) == SOUK_OK, "%s", err.message)

static void take_line(int level, const char *line, void *arg)
{
	(void)level;
	(void)arg;
	snprintf(last_line, sizeof(last_line), "%s", line);
}

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
	ck_assert_int_eq(unsetenv("SOUK_PROVIDER_PATH"), 0);
	snprintf(folder, sizeof(folder), "%s", scratch_path("modules"));
	scratch_mkdir(folder);
	ck_assert_int_eq(setenv("SOUK_HOME", scratch, 1), 0);
	OK(souk_paths_init(&paths, &err));
	free(paths.libdir);
	paths.libdir = strdup(scratch_path("lib"));
	config = (struct souk_config){ 0 };
	last_line[0] = '\0';
	souk_log_set_sink(take_line, NULL);
}

static void end(void)
{
	souk_log_set_sink(NULL, NULL);
	souk_config_fini(&config);
	souk_paths_fini(&paths);
	scratch_remove();
}

static const char *module_path(const char *name)
{
	return scratch_path("modules/souk-provider-%s.so", name);
}

static void add_variant(const char *name)
{
	scratch_copy(VARIANT, module_path(name));
}

static struct souk_modules find(size_t n)
{
	struct souk_modules modules;

	OK(souk_modules_find(&paths, further, &modules, &err));
	ck_assert_uint_eq(modules.n, n);
	return modules;
}

/* ---- Finding ---- */

START_TEST(finds_what_is_named_so)
{
	static const char *const no[] = { "souk-provider-.so", "souk-provider-Up.so", "souk-provider-a-b.so",
					  "souk-provider-a.so.1", "libsouk-provider.so", "provider-x.so",
					  "souk-provider-a b.so", "souk-provider-x", "readme" };
	struct souk_modules modules;
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(no); i++)
		scratch_text(scratch_path("modules/%s", no[i]), "x");
	scratch_text(module_path("zeta"), "");
	scratch_text(module_path("alpha"), "");
	scratch_text(module_path("a_1"), "");
	modules = find(3);
	ck_assert_str_eq(modules.items[0]->name, "a_1");
	ck_assert_str_eq(modules.items[1]->name, "alpha");
	ck_assert_str_eq(modules.items[2]->name, "zeta");
	ck_assert_str_eq(modules.items[2]->path, module_path("zeta"));
	ck_assert_ptr_eq(souk_modules_get(&modules, "alpha"), modules.items[1]);
	ck_assert_ptr_null(souk_modules_get(&modules, "alph"));
	/* Nothing was loaded. */
	ck_assert_ptr_null(modules.items[0]->handle);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(the_first_folder_wins)
{
	struct souk_modules modules;
	char path[1200];

	scratch_mkdir(scratch_path("env1"));
	scratch_mkdir(scratch_path("env2"));
	scratch_mkdir(scratch_path("data/providers"));
	scratch_mkdir(scratch_path("lib/providers"));
	scratch_text(module_path("a"), "");
	scratch_text(scratch_path("env1/souk-provider-a.so"), "");
	scratch_text(scratch_path("env1/souk-provider-b.so"), "");
	scratch_text(scratch_path("env2/souk-provider-b.so"), "");
	scratch_text(scratch_path("env2/souk-provider-c.so"), "");
	scratch_text(scratch_path("data/providers/souk-provider-c.so"), "");
	scratch_text(scratch_path("data/providers/souk-provider-d.so"), "");
	scratch_text(scratch_path("lib/providers/souk-provider-d.so"), "");
	scratch_text(scratch_path("lib/providers/souk-provider-e.so"), "");
	snprintf(path, sizeof(path), "%s:%s:%s", scratch_path("env1"), scratch_path("none"),
		 scratch_path("env2"));
	ck_assert_int_eq(setenv("SOUK_PROVIDER_PATH", path, 1), 0);
	modules = find(5);
	ck_assert_str_eq(modules.items[0]->path, module_path("a"));
	ck_assert_str_eq(modules.items[1]->path, scratch_path("env1/souk-provider-b.so"));
	ck_assert_str_eq(modules.items[2]->path, scratch_path("env2/souk-provider-c.so"));
	ck_assert_str_eq(modules.items[3]->path, scratch_path("data/providers/souk-provider-d.so"));
	ck_assert_str_eq(modules.items[4]->path, scratch_path("lib/providers/souk-provider-e.so"));
	souk_modules_fini(&modules);
}
END_TEST

static int find_unreadable(void)
{
	struct souk_modules modules;
	struct souk_error own = SOUK_ERROR_INIT;

	CHILD_CHECK(mkdir(scratch_path("closed"), 0) == 0);
	CHILD_CHECK(setenv("SOUK_PROVIDER_PATH", scratch_path("closed"), 1) == 0);
	CHILD_CHECK(souk_modules_find(&paths, NULL, &modules, &own) == SOUK_OK);
	CHILD_CHECK(modules.n == 0);
	CHILD_CHECK(strstr(last_line, "cannot read the provider folder") != NULL);
	souk_modules_fini(&modules);
	return 0;
}

START_TEST(a_folder_that_cannot_be_read_is_a_warning)
{
	ck_assert_int_eq(scratch_as_user(find_unreadable), 0);
}
END_TEST

/* ---- Refusing ---- */

static const struct {
	const char *name;
	int code;
	const char *why; /* behind the path in quotes */
} refusals[] = {
	{ "no_open", SOUK_E_INVALID, " lacks the required operation 'open'" },
	{ "no_close", SOUK_E_INVALID, " lacks the required operation 'close'" },
	{ "no_list_offers", SOUK_E_INVALID, " lacks the required operation 'list_offers'" },
	{ "no_provision", SOUK_E_INVALID, " lacks the required operation 'provision'" },
	{ "no_describe", SOUK_E_INVALID, " lacks the required operation 'describe'" },
	{ "no_teardown", SOUK_E_INVALID, " lacks the required operation 'teardown'" },
	{ "abi2", SOUK_E_UNSUPPORTED, " was built for the provider ABI 2, this souk has 1" },
	{ "nothing", SOUK_E_INVALID, " gives no operations" },
	{ "liar", SOUK_E_INVALID, " calls itself 'other'" },
	{ "nameless", SOUK_E_INVALID, " calls itself ''" },
	{ "tiny", SOUK_E_INVALID, " calls itself ''" },
	{ "badoptions", SOUK_E_INVALID, " has an option table that cannot be" },
	{ "abort", SOUK_E_INVALID, " crashes when it is loaded (Aborted)" },
	{ "killed", SOUK_E_INVALID, " crashes when it is loaded (Killed)" },
	{ "crash", SOUK_E_INVALID, " crashes when it is loaded (Segmentation fault)" },
	{ "late_crash", SOUK_E_INVALID, " crashes when it is loaded (Segmentation fault)" },
	{ "exit0", SOUK_E_INVALID, " ends the process when it is loaded" },
	{ "exit3", SOUK_E_INVALID, " ends the process when it is loaded" },
	{ "quit0", SOUK_E_INVALID, " ends the process when it is loaded" },
};

/* That a module ends the process must not go unseen: let it be another's. 1: it refused and lives. */
static int survives(const char *name, int code)
{
	struct souk_modules modules = find(2);
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(souk_module_load(souk_modules_get(&modules, name), NULL) == code ? 42 : 43);
	status = scratch_wait(pid);
	souk_modules_fini(&modules);
	return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

/* Refused with this sentence, the second time as well, while another still works. */
static void check_refused(const char *name, int code, const char *message)
{
	struct souk_modules modules;
	int before = scratch_count_fds();

	add_variant("good");
	ck_assert(survives(name, code));
	modules = find(2);
	ck_assert_int_eq(souk_module_load(souk_modules_get(&modules, name), &err), code);
	ck_assert_msg(strncmp(err.message, message, strlen(message)) == 0, "%s", err.message);
	ck_assert_ptr_null(strchr(err.message, '\n'));
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	memset(err.message, 0, sizeof(err.message));
	ck_assert_int_eq(souk_module_load(souk_modules_get(&modules, name), &err), code);
	ck_assert_int_eq(strncmp(err.message, message, strlen(message)), 0);
	OK(souk_module_load(souk_modules_get(&modules, "good"), &err));
	OK(souk_module_load(souk_modules_get(&modules, "good"), &err));
	souk_modules_fini(&modules);
	ck_assert_int_eq(scratch_count_fds(), before);
}

START_TEST(refuses_what_is_wrong)
{
	char message[700];

	add_variant(refusals[_i].name);
	snprintf(message, sizeof(message), "'%s'%s", module_path(refusals[_i].name), refusals[_i].why);
	check_refused(refusals[_i].name, refusals[_i].code, message);
}
END_TEST

START_TEST(refuses_what_is_no_provider)
{
	char message[700];

	scratch_copy(EMPTY, module_path("empty"));
	snprintf(message, sizeof(message), "'%s' is not a provider: it has no souk_provider_entry",
		 module_path("empty"));
	check_refused("empty", SOUK_E_INVALID, message);
}
END_TEST

START_TEST(refuses_what_is_no_program)
{
	static const char *const contents[] = { "", "hello", "\177ELF\2\1\1" };
	char message[700], *data;
	size_t size;

	if (_i < 3) {
		scratch_text(module_path("junk"), contents[_i]);
	} else {
		/* A module that was cut off while it was copied. */
		data = scratch_read(VARIANT, &size);
		scratch_write(module_path("junk"), data, 3000);
		free(data);
	}
	ck_assert_int_eq(chmod(module_path("junk"), 0755), 0);
	snprintf(message, sizeof(message), "'%s' ", module_path("junk"));
	check_refused("junk", SOUK_E_INVALID, message);
}
END_TEST

START_TEST(refuses_what_others_can_write)
{
	struct souk_modules modules;
	char message[700];

	add_variant("open");
	ck_assert_int_eq(chmod(module_path("open"), 0757), 0);
	snprintf(message, sizeof(message), "other users can write '%s' (mode 0757)", module_path("open"));
	check_refused("open", SOUK_E_AUTH, message);
	/* The same file in a folder that others can write. */
	ck_assert_int_eq(chmod(module_path("open"), 0755), 0);
	ck_assert_int_eq(chmod(folder, 0775), 0);
	modules = find(2);
	ck_assert_int_eq(souk_module_load(souk_modules_get(&modules, "open"), &err), SOUK_E_AUTH);
	snprintf(message, sizeof(message), "other users can write '%s' (mode 0775)", folder);
	ck_assert_str_eq(err.message, message);
	souk_modules_fini(&modules);
	ck_assert_int_eq(chmod(folder, 0755), 0);
	modules = find(2);
	OK(souk_module_load(souk_modules_get(&modules, "open"), &err));
	souk_modules_fini(&modules);
	ck_assert_int_eq(remove(module_path("open")), 0);
	ck_assert_int_eq(symlink("/nonexistent/x.so", module_path("open")), 0);
	modules = find(2);
	ck_assert_int_eq(souk_module_load(souk_modules_get(&modules, "open"), &err), SOUK_E_NOT_FOUND);
	souk_modules_fini(&modules);
}
END_TEST

/* A link that stands where others can turn it is theirs, wherever it leads now. */
START_TEST(refuses_a_link_of_others)
{
	struct souk_modules modules;

	scratch_mkdir(scratch_path("safe"));
	scratch_copy(VARIANT, scratch_path("safe/souk-provider-good.so"));
	ck_assert_int_eq(symlink(scratch_path("safe/souk-provider-good.so"), module_path("good")), 0);
	modules = find(1);
	OK(souk_module_load(modules.items[0], &err));
	souk_modules_fini(&modules);
	ck_assert_int_eq(chmod(folder, 0777), 0);
	modules = find(1);
	ck_assert_int_eq(souk_module_load(modules.items[0], &err), SOUK_E_AUTH);
	ck_assert_msg(strstr(err.message, "modules' (mode 0777)") != NULL, "%s", err.message);
	souk_modules_fini(&modules);
}
END_TEST

/* ---- Old and new ---- */

START_TEST(an_older_module_loads)
{
	struct souk_modules modules;
	struct souk_provider *provider;
	struct souk_instance_list list = { 0 };
	const struct souk_provider_ops *ops;

	add_variant("older");
	modules = find(1);
	OK(souk_provider_open(modules.items[0], &config, &paths, &provider, &err));
	ops = souk_provider_ops(provider);
	ck_assert_ptr_nonnull(ops->teardown);
	ck_assert_ptr_null(ops->list_instances);
	ck_assert_ptr_null(ops->set_on_shutdown);
	ck_assert_uint_eq(ops->struct_size, sizeof(*ops));
	ck_assert_int_eq(souk_provider_list_instances(provider, NULL, NULL, &list, &err),
			 SOUK_E_UNSUPPORTED);
	ck_assert_str_eq(err.message, "older: the provider has no operation 'list_instances'");
	souk_provider_close(provider);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(a_later_module_loads)
{
	struct souk_modules modules;
	struct souk_provider *provider;

	add_variant("later");
	modules = find(1);
	OK(souk_provider_open(modules.items[0], &config, &paths, &provider, &err));
	ck_assert_str_eq(modules.items[0]->options[0]->name, "first");
	ck_assert_str_eq(modules.items[0]->options[1]->name, "second");
	ck_assert_ptr_null(modules.items[0]->options[2]);
	ck_assert_str_eq(souk_provider_option(provider, "first"), "1");
	ck_assert_ptr_null(souk_provider_option(provider, "second"));
	ck_assert_ptr_null(souk_provider_option(provider, "third"));
	ck_assert_ptr_null(souk_provider_option(provider, "endpoint"));
	souk_provider_close(provider);
	souk_provider_close(NULL);
	souk_modules_fini(&modules);
}
END_TEST

/* ---- Calling ---- */

START_TEST(a_call_comes_back_in_order)
{
	struct souk_modules modules;
	struct souk_provider *provider;
	struct souk_offer_list offers = { 0 };
	struct souk_instance_list list = { 0 };
	char expected[SOUK_ERROR_MESSAGE_SIZE];

	add_variant("good");
	modules = find(1);
	OK(souk_provider_open(modules.items[0], &config, &paths, &provider, &err));
	ck_assert_str_eq(souk_provider_name(provider), "good");
	OK(souk_provider_list_offers(provider, NULL, &offers, &err));
	ck_assert_uint_eq(offers.n, 1);
	ck_assert_str_eq(offers.items[0].region, "here");
	ck_assert_str_eq(last_line, "good: listing");
	souk_offer_list_fini(&offers);
	/* Without a word, with another code than was recorded, without an end: made into one of ours. */
	ck_assert_int_eq(souk_provider_provision(provider, NULL, NULL, &list, &err), SOUK_E_QUOTA);
	ck_assert_str_eq(err.message, "good: provision failed without saying why");
	ck_assert_int_eq(souk_provider_teardown(provider, NULL, NULL, 0, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "good: teardown failed without saying why");
	ck_assert_int_eq(souk_provider_describe(provider, NULL, NULL, 0, &list, &err), SOUK_E_CONFLICT);
	ck_assert_uint_lt(strlen(err.message), sizeof(err.message));
	ck_assert_uint_lt(strlen(err.hint), sizeof(err.hint));
	ck_assert_uint_lt(strlen(err.reason), sizeof(err.reason));
	memset(expected, 'm', sizeof(expected));
	memcpy(expected, "good: ", 6);
	ck_assert_int_eq(strncmp(err.message, expected, 400), 0);
	/* What is not below 0 is OK, and leaves the caller's error alone. */
	souk_error_set(&err, SOUK_E_INTERNAL, "untouched");
	ck_assert_int_eq(souk_provider_list_instances(provider, NULL, NULL, &list, &err), SOUK_OK);
	ck_assert_str_eq(err.message, "untouched");
	ck_assert_int_eq(souk_provider_provision(provider, NULL, NULL, &list, NULL), SOUK_E_QUOTA);
	souk_provider_close(provider);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(an_unknown_code_is_internal)
{
	struct souk_modules modules;
	struct souk_provider *provider;
	struct souk_offer_list offers = { 0 };

	add_variant("rude");
	modules = find(1);
	OK(souk_provider_open(modules.items[0], &config, &paths, &provider, &err));
	ck_assert_int_eq(souk_provider_list_offers(provider, NULL, &offers, &err), SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, "rude: list_offers failed with the unknown code -99");
	souk_provider_close(provider);
	souk_modules_fini(&modules);
}
END_TEST

START_TEST(open_can_fail)
{
	struct souk_modules modules;
	struct souk_provider *provider = NULL;

	add_variant("locked");
	modules = find(1);
	ck_assert_int_eq(souk_provider_open(modules.items[0], &config, &paths, &provider, &err),
			 SOUK_E_AUTH);
	ck_assert_str_eq(err.message, "locked: no credentials");
	ck_assert_int_eq(err.scope, SOUK_SCOPE_PROVIDER);
	ck_assert_ptr_null(provider);
	souk_modules_fini(&modules);
}
END_TEST

/* ---- Settings ---- */

static const struct {
	const char *set;
	int code;
	const char *text; /* of the message, or the value of the setting */
} settings[] = {
	{ "good.region=there", SOUK_OK, "there" },
	{ "good.retries=12", SOUK_OK, "12" },
	{ "good.retries=many", SOUK_E_INVALID, "setting of 'good': retries: not a number: 'many'" },
	{ "good.retries=-1", SOUK_E_INVALID, "setting of 'good': retries: not a number: '-1'" },
	{ "good.quiet=YES", SOUK_OK, "true" },
	{ "good.quiet=0", SOUK_OK, "false" },
	{ "good.quiet=maybe", SOUK_E_INVALID, "good.quiet: not true or false: 'maybe'" },
	{ "good.key=env:KEY", SOUK_OK, "env:KEY" },
	{ "good.key=hunter2", SOUK_E_INVALID, "good.key: a secret is given by reference" },
	{ "good.endpoint=http://127.0.0.1:1", SOUK_OK, "http://127.0.0.1:1" },
	{ "good.regoin=x", SOUK_E_INVALID,
	  "the provider 'good' has no setting 'regoin'; did you mean 'region'?" },
	{ "good.zzz=x", SOUK_E_INVALID, "the provider 'good' has no setting 'zzz'" },
	/* Another's settings are not this one's concern. */
	{ "goods.zzz=x", SOUK_OK, NULL },
};

START_TEST(settings_are_checked)
{
	const char *const sets[] = { settings[_i].set, NULL };
	const char *dot = strchr(settings[_i].set, '.') + 1;
	char key[32];
	struct souk_report report = { 0 };
	struct souk_provider *provider;
	struct souk_modules modules;

	add_variant("good");
	modules = find(1);
	OK(souk_config_load(scratch, sets, &config, &report, &err));
	souk_report_fini(&report);
	ck_assert_int_eq(souk_provider_open(modules.items[0], &config, &paths, &provider, &err),
			 settings[_i].code);
	if (settings[_i].code == SOUK_OK) {
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(dot, "="), dot);
		if (settings[_i].text)
			ck_assert_str_eq(souk_provider_option(provider, key), settings[_i].text);
		souk_provider_close(provider);
	} else {
		ck_assert_str_eq(err.message, settings[_i].text);
		ck_assert_str_eq(err.reason, SOUK_REASON_CONFIG);
		ck_assert_ptr_null(strstr(err.message, "hunter2"));
	}
	souk_modules_fini(&modules);
}
END_TEST

/* ---- The registry ---- */

START_TEST(a_registry_opens_when_needed)
{
	struct souk_registry registry;
	struct souk_provider *provider, *again;
	char *names;

	add_variant("good");
	add_variant("crash");
	OK(souk_registry_init(&registry, &paths, &config, NULL, further, &err));
	names = souk_registry_names(&registry);
	ck_assert_str_eq(names, "crash, good");
	free(names);
	ck_assert_int_lt(souk_registry_get(&registry, "crash", &provider, &err), 0);
	OK(souk_registry_get(&registry, "good", &provider, &err));
	OK(souk_registry_get(&registry, "good", &again, &err));
	ck_assert_ptr_eq(provider, again);
	ck_assert_int_eq(souk_registry_get(&registry, "goood", &again, &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "no module for the provider 'goood' is installed");
	ck_assert_str_eq(err.hint, "did you mean 'good'? Otherwise install souk-provider-goood");
	ck_assert_int_eq(souk_registry_get(&registry, "xyz", &again, &err), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.hint, "install souk-provider-xyz; 'souk provider list' shows what is there");
	ck_assert_int_eq(souk_registry_allows(&registry, "good"), 1);
	souk_registry_fini(&registry);
}
END_TEST

START_TEST(only_those_wanted_take_part)
{
	const char *const wanted[] = { "good", NULL }, *const missing[] = { "good", "gcp", NULL };
	struct souk_registry registry;

	add_variant("good");
	add_variant("later");
	OK(souk_registry_init(&registry, &paths, &config, wanted, further, &err));
	ck_assert_int_eq(souk_registry_allows(&registry, "good"), 1);
	ck_assert_int_eq(souk_registry_allows(&registry, "later"), 0);
	souk_registry_fini(&registry);
	ck_assert_int_eq(souk_registry_init(&registry, &paths, &config, missing, further, &err),
			 SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "no module for the provider 'gcp' is installed");
	OK(souk_strv_add(&config.allowed, "later", &err));
	OK(souk_registry_init(&registry, &paths, &config, NULL, further, &err));
	ck_assert_int_eq(souk_registry_allows(&registry, "good"), 0);
	ck_assert_int_eq(souk_registry_allows(&registry, "later"), 1);
	souk_registry_fini(&registry);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("modules");
	TCase *tc = tcase_create("modules");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, begin, end);
	tcase_add_test(tc, finds_what_is_named_so);
	tcase_add_test(tc, the_first_folder_wins);
	tcase_add_test(tc, a_folder_that_cannot_be_read_is_a_warning);
	tcase_add_loop_test(tc, refuses_what_is_wrong, 0, SOUK_ARRAY_SIZE(refusals));
	tcase_add_test(tc, refuses_what_is_no_provider);
	tcase_add_loop_test(tc, refuses_what_is_no_program, 0, 4);
	tcase_add_test(tc, refuses_what_others_can_write);
	tcase_add_test(tc, refuses_a_link_of_others);
	tcase_add_test(tc, an_older_module_loads);
	tcase_add_test(tc, a_later_module_loads);
	tcase_add_test(tc, a_call_comes_back_in_order);
	tcase_add_test(tc, an_unknown_code_is_internal);
	tcase_add_test(tc, open_can_fail);
	tcase_add_loop_test(tc, settings_are_checked, 0, SOUK_ARRAY_SIZE(settings));
	tcase_add_test(tc, a_registry_opens_when_needed);
	tcase_add_test(tc, only_those_wanted_take_part);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
