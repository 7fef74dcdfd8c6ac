/* SPDX-License-Identifier: Apache-2.0 */
/* test-provider-json.c - members of JSON objects, of their type or an error that names them */

#define SOUK_JSON_REPLY "Acme's answer: "

#include <souk/provider-json.h>

#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARRAY_SIZE(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct souk_error err;
static struct json_object *object;

static void set_up(void)
{
	static const char text[] =
		"{\"text\":\"x\",\"nul\":\"a\\u0000b\",\"object\":{\"a\":1},\"list\":[{},7],"
		"\"yes\":true,\"no\":false,\"seven\":7,\"minus\":-1,\"large\":4294967296,"
		"\"price\":0.300000,\"small\":4.5E-05,\"null\":null}";

	err = (struct souk_error)SOUK_ERROR_INIT;
	object = souk_json_parse(text, sizeof(text) - 1);
	ck_assert_ptr_nonnull(object);
}

static void tear_down(void)
{
	souk_json_auto_put(&object);
}

/* ---- Texts that are parsed ---- */

static const struct {
	const char *text;
	int is_object;
} texts[] = {
	{ "{}", 1 },	     { " {\"a\":[]} ", 1 }, { "[]", 0 },   { "7", 0 },	  { "", 0 },
	{ "{\"a\":", 0 },    { "null", 0 },	    { "{]", 0 },   { "x", 0 },
};

START_TEST(objects_alone_are_parsed)
{
	struct json_object *parsed = souk_json_parse(texts[_i].text, strlen(texts[_i].text));

	ck_assert_msg((parsed != NULL) == texts[_i].is_object, "'%s'", texts[_i].text);
	json_object_put(parsed);
}
END_TEST

START_TEST(depth_is_bounded)
{
	char text[2 * 200 + 8] = "{\"a\":";
	struct json_object *parsed;

	memset(text + 5, '[', 200);
	memset(text + 205, ']', 200);
	text[405] = '}';
	ck_assert_ptr_null(souk_json_parse(text, strlen(text)));
	ck_assert_ptr_null(souk_json_parse(NULL, 0));
	ck_assert_ptr_null(souk_json_parse("{}", (size_t)INT_MAX + 1));
	parsed = souk_json_parse("{}trailing", 2);
	ck_assert_ptr_nonnull(parsed);
	json_object_put(parsed);
}
END_TEST

/* ---- What there is ---- */

START_TEST(members_are_read)
{
	struct json_object *value, *item;
	const char *text;
	uint32_t count;
	int64_t micros;
	int flag;

	ck_assert_int_eq(souk_json_text(object, "", "text", &text, &err), SOUK_OK);
	ck_assert_str_eq(text, "x");
	ck_assert_int_eq(souk_json_text_opt(object, "", "text", &text, &err), SOUK_OK);
	ck_assert_str_eq(text, "x");
	ck_assert_str_eq(souk_json_maybe_text(object, "text"), "x");
	ck_assert_int_eq(souk_json_object(object, "", "object", &value, &err), SOUK_OK);
	ck_assert_ptr_eq(souk_json_maybe_object(object, "object"), value);
	ck_assert_int_eq(souk_json_count(value, "", "a", 1, &count, &err), SOUK_OK);
	ck_assert_uint_eq(count, 1);
	ck_assert_int_eq(souk_json_array(object, "", "list", &value, &err), SOUK_OK);
	ck_assert_ptr_eq(souk_json_maybe_array(object, "list"), value);
	ck_assert_int_eq(souk_json_item(value, "list[]", 0, &item, &err), SOUK_OK);
	ck_assert(json_object_is_type(item, json_type_object));
	ck_assert_int_eq(souk_json_flag(object, "", "yes", &flag, &err), SOUK_OK);
	ck_assert_int_eq(flag, 1);
	ck_assert_int_eq(souk_json_flag(object, "", "no", &flag, &err), SOUK_OK);
	ck_assert_int_eq(flag, 0);
	ck_assert_int_eq(souk_json_micros(object, "", "price", &micros, &err), SOUK_OK);
	ck_assert_int_eq(micros, 300000);
	ck_assert_int_eq(souk_json_micros(object, "", "small", &micros, &err), SOUK_OK);
	ck_assert_int_eq(micros, 45);
	ck_assert_int_eq(souk_json_micros_opt(object, "", "seven", &micros, &err), SOUK_OK);
	ck_assert_int_eq(micros, 7000000);
}
END_TEST

/* ---- What there is not ---- */

static const char *const absent[] = { "nothing", "null" };

START_TEST(what_is_missing_may_be)
{
	const char *name = absent[_i];
	struct json_object *value = object;
	const char *text = "before";
	int64_t micros = 77;

	ck_assert_int_eq(souk_json_text_opt(object, "", name, &text, &err), SOUK_OK);
	ck_assert_ptr_null(text);
	ck_assert_int_eq(souk_json_object_opt(object, "", name, &value, &err), SOUK_OK);
	ck_assert_ptr_null(value);
	value = object;
	ck_assert_int_eq(souk_json_array_opt(object, "", name, &value, &err), SOUK_OK);
	ck_assert_ptr_null(value);
	ck_assert_int_eq(souk_json_micros_opt(object, "", name, &micros, &err), SOUK_OK);
	ck_assert_int_eq(micros, -1);
}
END_TEST

#define REFUSES(call, why)                                                                         \
	do {                                                                                       \
		err = (struct souk_error)SOUK_ERROR_INIT;                                          \
		ck_assert_int_eq(call, SOUK_E_INTERNAL);                                           \
		ck_assert_str_eq(err.message, why);                                                \
	} while (0)

START_TEST(what_is_missing_is_named)
{
	struct json_object *value;
	const char *text;
	uint32_t count;
	int64_t micros;
	int flag;

	REFUSES(souk_json_text(object, "gpus[]", "null", &text, &err),
		"Acme's answer: 'gpus[].null' is missing");
	REFUSES(souk_json_text(NULL, "", "x", &text, &err), "Acme's answer: 'x' is missing");
	REFUSES(souk_json_object(object, "", "x", &value, &err), "Acme's answer: 'x' is missing");
	REFUSES(souk_json_array(object, "", "x", &value, &err), "Acme's answer: 'x' is missing");
	REFUSES(souk_json_flag(object, "", "x", &flag, &err), "Acme's answer: 'x' is missing");
	REFUSES(souk_json_micros(object, "", "null", &micros, &err),
		"Acme's answer: 'null' is missing");
	err = (struct souk_error)SOUK_ERROR_INIT;
	ck_assert_int_eq(souk_json_count(object, "", "x", 7, &count, &err), SOUK_E_INTERNAL);
	ck_assert_str_eq(err.message, "Acme's answer: 'x' is missing");
}
END_TEST

START_TEST(other_types_are_named)
{
	struct json_object *value, *list = souk_json_maybe_array(object, "list");
	const char *text = "before";
	uint32_t count;
	int64_t micros;
	int flag;

	REFUSES(souk_json_text(object, "a", "seven", &text, &err),
		"Acme's answer: 'a.seven' is not a text");
	ck_assert_ptr_null(text);
	REFUSES(souk_json_text_opt(object, "", "list", &text, &err),
		"Acme's answer: 'list' is not a text");
	REFUSES(souk_json_text_opt(object, "", "nul", &text, &err),
		"Acme's answer: 'nul' has a NUL in it");
	REFUSES(souk_json_object_opt(object, "", "list", &value, &err),
		"Acme's answer: 'list' is not an object");
	REFUSES(souk_json_array_opt(object, "", "text", &value, &err),
		"Acme's answer: 'text' is not a list");
	REFUSES(souk_json_flag(object, "", "seven", &flag, &err),
		"Acme's answer: 'seven' is not true or false");
	REFUSES(souk_json_count(object, "", "price", 7, &count, &err),
		"Acme's answer: 'price' is not a whole number");
	REFUSES(souk_json_count(object, "", "seven", 6, &count, &err),
		"Acme's answer: 'seven' is out of range");
	REFUSES(souk_json_count(object, "", "minus", 6, &count, &err),
		"Acme's answer: 'minus' is out of range");
	REFUSES(souk_json_count(object, "", "large", UINT32_MAX, &count, &err),
		"Acme's answer: 'large' is out of range");
	REFUSES(souk_json_micros(object, "", "text", &micros, &err),
		"Acme's answer: 'text' is not a number");
	REFUSES(souk_json_micros_opt(object, "", "minus", &micros, &err),
		"Acme's answer: 'minus' is out of range");
	REFUSES(souk_json_item(list, "list[]", 1, &value, &err),
		"Acme's answer: 'list[]' is not an object");
	ck_assert_ptr_null(souk_json_maybe_text(object, "nul"));
	ck_assert_ptr_null(souk_json_maybe_text(object, "seven"));
	ck_assert_ptr_null(souk_json_maybe_text(list, "text"));
	ck_assert_ptr_null(souk_json_maybe_object(object, "list"));
	ck_assert_ptr_null(souk_json_maybe_array(object, "object"));
}
END_TEST

static TCase *json_tests(void)
{
	TCase *tc = tcase_create("json");

	tcase_add_checked_fixture(tc, set_up, tear_down);
	tcase_add_loop_test(tc, objects_alone_are_parsed, 0, ARRAY_SIZE(texts));
	tcase_add_test(tc, depth_is_bounded);
	tcase_add_test(tc, members_are_read);
	tcase_add_loop_test(tc, what_is_missing_may_be, 0, ARRAY_SIZE(absent));
	tcase_add_test(tc, what_is_missing_is_named);
	tcase_add_test(tc, other_types_are_named);
	return tc;
}

int main(void)
{
	Suite *suite = suite_create("provider-json");
	SRunner *runner;
	int failed;

	suite_add_tcase(suite, json_tests());
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
