/* SPDX-License-Identifier: Apache-2.0 */
/* test-config.c - the configuration file, variables and --set: what wins, what is refused */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "model/config.h"

static char folder[] = "/tmp/souk-test-config-XXXXXX";
static char path[80];

static void make_folder(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/config.yaml", folder);
}

static void remove_folder(void)
{
	unlink(path);
	rmdir(folder);
}

static void write_config(const char *text)
{
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static const char full[] = "allowed_providers: [aws, local]\n"
			   "owner: team-a\n"
			   "buckets: {\"s3://data\": eu-west-1, \"gs://x/y\": europe-west4}\n"
			   "providers:\n"
			   "  aws:\n"
			   "    region: us-east-1\n"
			   "    regions: [us-east-1, eu-west-1]\n"
			   "    retries: 5\n"
			   "    spot: yes\n"
			   "    quiet: false\n"
			   "    nothing:\n"
			   "  my-cloud:\n";

START_TEST(reads_everything)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	write_config(full);
	ck_assert_int_eq(souk_config_load(folder, NULL, &config, &report, &err), SOUK_OK);
	ck_assert_str_eq(config.path, path);
	ck_assert_int_eq(config.exists, 1);
	ck_assert_str_eq(config.owner, "team-a");
	ck_assert_str_eq(souk_pairs_get(&config.buckets, "s3://data"), "eu-west-1");
	ck_assert_str_eq(souk_pairs_get(&config.buckets, "gs://x/y"), "europe-west4");
	ck_assert_uint_eq(config.allowed.n, 2);
	ck_assert_uint_eq(config.n_providers, 2);
	ck_assert_str_eq(souk_config_get(&config, "aws", "region"), "us-east-1");
	ck_assert_str_eq(souk_config_get(&config, "aws", "regions"), "us-east-1,eu-west-1");
	ck_assert_str_eq(souk_config_get(&config, "aws", "retries"), "5");
	ck_assert_str_eq(souk_config_get(&config, "aws", "spot"), "true");
	ck_assert_str_eq(souk_config_get(&config, "aws", "quiet"), "false");
	ck_assert_ptr_null(souk_config_get(&config, "aws", "nothing"));
	ck_assert_ptr_null(souk_config_get(&config, "gcp", "region"));
	ck_assert_int_eq(souk_config_has_provider(&config, "aws"), 1);
	ck_assert_int_eq(souk_config_has_provider(&config, "local"), 1);
	ck_assert_int_eq(souk_config_has_provider(&config, "my-cloud"), 1);
	ck_assert_int_eq(souk_config_has_provider(&config, "gcp"), 0);
	souk_config_fini(&config);
	souk_report_fini(&report);
}
END_TEST

START_TEST(the_nearer_wins)
{
	const char *const sets[] = { "aws.region=set", "gcp.project=p=q", NULL };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	write_config(full);
	ck_assert_int_eq(setenv("SOUK_AWS_REGION", "variable", 1), 0);
	ck_assert_int_eq(setenv("SOUK_AWS_RETRIES", "7", 1), 0);
	ck_assert_int_eq(setenv("SOUK_MY_CLOUD_API_KEY", "k", 1), 0);
	ck_assert_int_eq(souk_config_load(folder, sets, &config, &report, &err), SOUK_OK);
	ck_assert_str_eq(souk_config_get(&config, "aws", "region"), "set");
	ck_assert_str_eq(souk_config_get(&config, "aws", "retries"), "7");
	ck_assert_str_eq(souk_config_get(&config, "aws", "spot"), "true");
	ck_assert_str_eq(souk_config_get(&config, "my-cloud", "api-key"), "k");
	ck_assert_str_eq(souk_config_get(&config, "gcp", "project"), "p=q");
	ck_assert_int_eq(souk_config_has_provider(&config, "gcp"), 1);
	souk_config_fini(&config);
	souk_report_fini(&report);
}
END_TEST

START_TEST(no_file_is_an_empty_one)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	ck_assert_int_eq(souk_config_load("/nonexistent/folder", NULL, &config, &report, &err),
			 SOUK_OK);
	ck_assert_int_eq(config.exists, 0);
	ck_assert_str_eq(config.path, "/nonexistent/folder/config.yaml");
	ck_assert_ptr_null(config.owner);
	ck_assert_int_eq(souk_config_has_provider(&config, "aws"), 0);
	souk_config_fini(&config);
	souk_report_fini(&report);

	write_config("# nothing yet\n");
	ck_assert_int_eq(souk_config_load(folder, NULL, &config, &report, &err), SOUK_OK);
	ck_assert_int_eq(config.exists, 1);
	souk_config_fini(&config);
	souk_report_fini(&report);
}
END_TEST

/* The line without the file's name, which is the test's own. */
static const struct {
	const char *text;
	const char *line;
} errors[] = {
	{ "provders: {}\n",
	  ":1:1: unknown field 'provders' in the configuration; did you mean 'providers'?" },
	{ "zzz: 1\n", ":1:1: unknown field 'zzz' in the configuration" },
	{ "allowed_providers: aws\n",
	  ":1:20: allowed_providers: must be a list of names, such as [NAME, NAME]" },
	{ "allowed_providers: [aws, 5]\n",
	  ":1:26: allowed_providers[1]: must be the name of a provider, not an integer" },
	{ "providers: [aws]\n", ":1:12: providers: must be a map, not a list" },
	{ "providers: {aws: x}\n", ":1:18: providers.aws: must be a map, not a string" },
	{ "providers: {'a b': {}}\n", ":1:13: providers: 'a b' is not the name of a provider" },
	{ "providers: {aws: {region: {a: b}}}\n", ":1:27: providers.aws.region: must be a text, a "
						  "number, true, false or a list, not a map" },
	{ "providers: {aws: {'re gion': x}}\n",
	  ":1:19: providers.aws.re gion: 're gion' is not the name of a setting" },
	{ "providers: {aws: {regions: [a, [b]]}}\n",
	  ":1:32: providers.aws.regions[1]: must be a text without commas, or a number" },
	{ "buckets: 5\n", ":1:10: buckets: must be a map, not an integer" },
	{ "buckets: {data: eu-west-1}\n",
	  ":1:11: buckets: must be addresses with their region, such as SCHEME://NAME: REGION" },
	{ "buckets: {\"s3://data\": 5}\n",
	  ":1:11: buckets: must be addresses with their region, such as SCHEME://NAME: REGION" },
	{ "owner: 5\n",
	  ":1:8: owner: must be a text of 1 to 60 letters, digits and '.', '_', '-', '@'" },
	{ "owner: a b\n",
	  ":1:8: owner: must be a text of 1 to 60 letters, digits and '.', '_', '-', '@'" },
	{ "a\n", ":1:1: the configuration: must be a map, not a string" },
	{ "owner: a\n---\nowner: b\n", ":3:1: the configuration is one document; remove '---'" },
	{ "owner: a\nowner: b\n", ":2:1: duplicate key 'owner': it stands in line 1 already" },
	{ "providers:\n\taws: x\n",
	  ":2:1: a tab where YAML wants spaces; indent with spaces only" },
};

START_TEST(says_what_is_wrong)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;
	char wanted[300];

	write_config(errors[_i].text);
	ck_assert_int_eq(souk_config_load(folder, NULL, &config, &report, &err), SOUK_E_INVALID);
	snprintf(wanted, sizeof(wanted), "%s%s", path, errors[_i].line);
	ck_assert_str_eq(err.message, wanted);
	ck_assert_uint_eq(report.n_errors, 1);
	souk_report_fini(&report);
}
END_TEST

START_TEST(all_errors_at_once)
{
	const char *const sets[] = { "nonsense", NULL };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	write_config("foo: 1\nowner: 5\nproviders: {aws: {a: {}}, 5: }\n");
	ck_assert_int_eq(souk_config_load(folder, sets, &config, &report, &err), SOUK_E_INVALID);
	ck_assert_uint_eq(report.n_errors, 5);
	souk_report_fini(&report);
}
END_TEST

static const char *const bad_sets[] = {
	"aws", "aws=x", "aws.=x", ".region=x", "aws.region", "a b.c=x", "aws.a b=x", "=", "",
};

START_TEST(sets_have_a_form)
{
	const char *const sets[] = { bad_sets[_i], NULL };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	ck_assert_int_eq(souk_config_load("/nonexistent", sets, &config, &report, &err),
			 SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "--set: "));
	souk_report_fini(&report);
}
END_TEST

/* The value of a --set may be a secret: it is not repeated. */
START_TEST(sets_hide_their_values)
{
	const char *const sets[] = { "nonsense=hidden-value", NULL };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_config config;

	ck_assert_int_eq(souk_config_load("/nonexistent", sets, &config, &report, &err),
			 SOUK_E_INVALID);
	ck_assert_ptr_null(strstr(err.message, "hidden"));
	souk_report_fini(&report);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("config");
	TCase *tc = tcase_create("config");
	SRunner *runner;
	int failed;

	tcase_add_unchecked_fixture(tc, make_folder, remove_folder);
	tcase_add_test(tc, reads_everything);
	tcase_add_test(tc, the_nearer_wins);
	tcase_add_test(tc, no_file_is_an_empty_one);
	tcase_add_loop_test(tc, says_what_is_wrong, 0, (int)SOUK_ARRAY_SIZE(errors));
	tcase_add_test(tc, all_errors_at_once);
	tcase_add_loop_test(tc, sets_have_a_form, 0, (int)SOUK_ARRAY_SIZE(bad_sets));
	tcase_add_test(tc, sets_hide_their_values);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
