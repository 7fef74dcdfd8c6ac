/* SPDX-License-Identifier: Apache-2.0 */
/* test-yaml.c - the YAML reader: types as PyYAML sees them, places of errors, hostile input */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/util.h"
#include "model/yaml.h"

struct parsed {
	struct souk_yaml_stream stream;
	struct souk_report report;
	struct souk_error err;
	int ret;
};

static void parse_bytes(struct parsed *parsed, const char *text, size_t size)
{
	memset(parsed, 0, sizeof(*parsed));
	parsed->err.struct_size = sizeof(parsed->err);
	ck_assert_int_eq(souk_report_init(&parsed->report, "f", &parsed->err), SOUK_OK);
	parsed->ret = souk_yaml_parse(text, size, &parsed->stream, &parsed->report, &parsed->err);
}

static void parse(struct parsed *parsed, const char *text)
{
	parse_bytes(parsed, text, strlen(text));
}

static void parsed_fini(struct parsed *parsed)
{
	if (parsed->ret == SOUK_OK)
		souk_yaml_stream_fini(&parsed->stream);
	souk_report_fini(&parsed->report);
}

static const struct {
	const char *text;
	enum souk_yaml_type type;
	const char *value; /* str(value) */
} scalars[] = {
	{ "yes", SOUK_YAML_BOOL, "True" },
	{ "On", SOUK_YAML_BOOL, "True" },
	{ "FALSE", SOUK_YAML_BOOL, "False" },
	{ "off", SOUK_YAML_BOOL, "False" },
	{ "y", SOUK_YAML_STR, "y" },
	{ "yEs", SOUK_YAML_STR, "yEs" },
	{ "'yes'", SOUK_YAML_STR, "yes" },
	{ "\"1\"", SOUK_YAML_STR, "1" },
	{ "~", SOUK_YAML_NULL, "None" },
	{ "Null", SOUK_YAML_NULL, "None" },
	{ "nUll", SOUK_YAML_STR, "nUll" },
	{ "0", SOUK_YAML_INT, "0" },
	{ "-0", SOUK_YAML_INT, "0" },
	{ "+12", SOUK_YAML_INT, "12" },
	{ "017", SOUK_YAML_INT, "15" },
	{ "-017", SOUK_YAML_INT, "-15" },
	{ "018", SOUK_YAML_STR, "018" },
	{ "0o17", SOUK_YAML_STR, "0o17" },
	{ "0x1F", SOUK_YAML_INT, "31" },
	{ "0b1_01", SOUK_YAML_INT, "5" },
	{ "1_000", SOUK_YAML_INT, "1000" },
	{ "12:30:00", SOUK_YAML_INT, "45000" },
	{ "-1:30", SOUK_YAML_INT, "-90" },
	{ "1:60", SOUK_YAML_STR, "1:60" },
	{ "0:30", SOUK_YAML_STR, "0:30" },
	{ "123456789012345678901234567890", SOUK_YAML_INT, "123456789012345678901234567890" },
	{ "1.50", SOUK_YAML_FLOAT, "1.5" },
	{ "1.", SOUK_YAML_FLOAT, "1.0" },
	{ ".5", SOUK_YAML_FLOAT, "0.5" },
	{ "-.5", SOUK_YAML_STR, "-.5" },
	{ "1e3", SOUK_YAML_STR, "1e3" },
	{ "1.0e3", SOUK_YAML_STR, "1.0e3" },
	{ "1.0e+3", SOUK_YAML_FLOAT, "1000.0" },
	{ "0.1", SOUK_YAML_FLOAT, "0.1" },
	{ "0.30000000000000004", SOUK_YAML_FLOAT, "0.30000000000000004" },
	{ "1.0e+16", SOUK_YAML_FLOAT, "1e+16" },
	{ "1.0e+15", SOUK_YAML_FLOAT, "1000000000000000.0" },
	{ "1.0e-5", SOUK_YAML_FLOAT, "1e-05" },
	{ "0.0001", SOUK_YAML_FLOAT, "0.0001" },
	{ "6.386688990511104e+293", SOUK_YAML_FLOAT, "6.386688990511104e+293" },
	{ "-0.0", SOUK_YAML_FLOAT, "-0.0" },
	{ "1_0.5_0", SOUK_YAML_FLOAT, "10.5" },
	{ "1:30.5", SOUK_YAML_FLOAT, "90.5" },
	{ ".inf", SOUK_YAML_FLOAT, "inf" },
	{ "-.INF", SOUK_YAML_FLOAT, "-inf" },
	{ ".NaN", SOUK_YAML_FLOAT, "nan" },
	{ "2024-02-29", SOUK_YAML_DATE, "2024-02-29" },
	{ "2024-2-9", SOUK_YAML_STR, "2024-2-9" },
	{ "2024-02-29 1:02:03.5", SOUK_YAML_DATE, "2024-02-29T01:02:03.500000" },
	{ "2024-02-29T01:02:03Z", SOUK_YAML_DATE, "2024-02-29T01:02:03+00:00" },
	{ "2024-02-29t01:02:03 -5:30", SOUK_YAML_DATE, "2024-02-29T01:02:03-05:30" },
	{ "! 12", SOUK_YAML_INT, "12" },
	{ "!!str 12", SOUK_YAML_STR, "12" },
	{ "!!int '12'", SOUK_YAML_INT, "12" },
	{ "!!float 3", SOUK_YAML_FLOAT, "3.0" },
	{ "!!null x", SOUK_YAML_NULL, "None" },
	{ "H100:1", SOUK_YAML_STR, "H100:1" },
	{ "<<", SOUK_YAML_STR, "<<" },
	{ "|\n  a\n  b\n", SOUK_YAML_STR, "a\nb\n" },
};

START_TEST(scalar_types)
{
	const struct souk_yaml *value;
	struct parsed parsed;
	char text[200];

	snprintf(text, sizeof(text), "k: %s", scalars[_i].text);
	parse(&parsed, text);
	ck_assert_msg(parsed.ret == SOUK_OK, "%s: %s", scalars[_i].text, parsed.err.message);
	value = souk_yaml_get(parsed.stream.documents[0], "k");
	ck_assert_ptr_nonnull(value);
	ck_assert_msg(value->type == scalars[_i].type, "%s is %s", scalars[_i].text,
		      souk_yaml_type_name(value));
	ck_assert_str_eq(value->text, scalars[_i].value);
	parsed_fini(&parsed);
}
END_TEST

START_TEST(numbers_have_values)
{
	const struct souk_yaml *list;
	struct parsed parsed;

	parse(&parsed, "[017, -5, 2.5, 99999999999999999999, true]");
	ck_assert_int_eq(parsed.ret, SOUK_OK);
	list = parsed.stream.documents[0];
	ck_assert_uint_eq(list->n, 5);
	ck_assert_int_eq(list->items[0]->integer, 15);
	ck_assert_int_eq(list->items[1]->integer, -5);
	ck_assert_double_eq(list->items[1]->number, -5.0);
	ck_assert_double_eq(list->items[2]->number, 2.5);
	ck_assert_int_eq(list->items[3]->integer, INT64_MAX);
	ck_assert_int_eq(list->items[4]->integer, 1);
	parsed_fini(&parsed);
}
END_TEST

/* Each is refused in one line, at the place given. */
static const struct {
	const char *text;
	const char *line;
} errors[] = {
	{ "a: 1\nb: 2\na: 3\n", "f:3:1: duplicate key 'a': it stands in line 1 already" },
	{ "a:\n\tb: 1\n", "f:2:1: a tab where YAML wants spaces; indent with spaces only" },
	{ "a: \"x\xff\"\n",
	  "f:1:6: not UTF-8 text: byte 0xff at offset 5; save the file as UTF-8" },
	{ "a: \xc0\x80\n", "f:1:4: not UTF-8 text: byte 0xc0 at offset 3; save the file as UTF-8" },
	{ "a: \xed\xa0\x80\n",
	  "f:1:4: not UTF-8 text: byte 0xed at offset 3; save the file as UTF-8" },
	{ "\xc3\xa9: 1\nb: x\x07\n",
	  "f:2:5: control character U+0007 is not allowed in YAML; remove it" },
	{ "a: \"b\\0c\"\n", "f:1:4: a text must not contain a NUL character" },
	{ "a: !!python/object:x {}\n",
	  "f:1:4: tag 'tag:yaml.org,2002:python/object:x' is not allowed: a "
	  "file holds plain data; remove the tag" },
	{ "a: !!binary aGk=\n",
	  "f:1:4: tag '!!binary' is not allowed: a file holds plain data; remove "
	  "the tag" },
	{ "a: !mine 1\n",
	  "f:1:4: tag '!mine' is not allowed: a file holds plain data; remove the tag" },
	{ "a: *x\n", "f:1:4: alias '*x' refers to an anchor that is not defined before it" },
	{ "a: &x [*x]\n", "f:1:8: alias '*x' stands inside what it refers to" },
	{ "? [a]\n: 1\n", "f:1:3: a key must be a text, not a list" },
	{ "<<: 1\n", "f:1:5: '<<' merges a map, or a list of maps, not an integer" },
	{ "a: 2024-02-30\n",
	  "f:1:4: not a date that exists (quote it to make it a string): '2024-02-30'" },
	{ "a: !!int x\n", "f:1:4: not an integer: 'x'" },
	{ "a: 0xfffffffffffffffff\n",
	  "f:1:4: not an integer of a usable size: '0xfffffffffffffffff'" },
	{ "a: b: c\n", "f:1:5: not valid YAML: mapping values are not allowed in this context" },
	{ "a: [b, c\n",
	  "f:2:1: not valid YAML: did not find expected ',' or ']' (while parsing a flow "
	  "sequence, line 1)" },
};

START_TEST(one_clear_line)
{
	struct parsed parsed;
	char *line;

	parse(&parsed, errors[_i].text);
	ck_assert_int_eq(parsed.ret, SOUK_E_INVALID);
	ck_assert_int_eq(parsed.err.code, SOUK_E_INVALID);
	ck_assert_str_eq(parsed.err.message, errors[_i].line);
	ck_assert_uint_eq(parsed.report.n, 1);
	line = souk_report_line(&parsed.report, 0);
	ck_assert_str_eq(line, errors[_i].line);
	free(line);
	parsed_fini(&parsed);
}
END_TEST

START_TEST(duplicates_are_all_told)
{
	struct parsed parsed;

	parse(&parsed, "a: 1\nb: {x: 1, x: 2}\na: 2\na: 3\n");
	ck_assert_int_eq(parsed.ret, SOUK_E_INVALID);
	ck_assert_uint_eq(parsed.report.n, 3);
	parsed_fini(&parsed);
}
END_TEST

START_TEST(merge_keys)
{
	const struct souk_yaml *map;
	struct parsed parsed;

	parse(&parsed, "base: &b {x: 1, y: 2}\nmore: &m {y: 3, z: 4}\n"
		       "one: {<<: *b, x: 9}\nmany:\n  <<: [*m, *b]\n  w: 0\n");
	ck_assert_int_eq(parsed.ret, SOUK_OK);
	map = souk_yaml_get(parsed.stream.documents[0], "one");
	ck_assert_uint_eq(map->n, 2);
	ck_assert_int_eq(souk_yaml_get(map, "x")->integer, 9);
	ck_assert_int_eq(souk_yaml_get(map, "y")->integer, 2);
	map = souk_yaml_get(parsed.stream.documents[0], "many");
	ck_assert_uint_eq(map->n, 4);
	ck_assert_int_eq(souk_yaml_get(map, "y")->integer, 3);
	ck_assert_ptr_null(souk_yaml_get(map, "<<"));
	parsed_fini(&parsed);
}
END_TEST

/* {A100:1, H100:} as PyYAML reads it, and places that do not move because of it. */
START_TEST(colons_in_flow)
{
	const struct souk_yaml *map, *key;
	struct parsed parsed;

	parse(&parsed, "a: {A100:1, H100:, V100:, b: [c:{d: 1}]}\n");
	ck_assert_msg(parsed.ret == SOUK_OK, "%s", parsed.err.message);
	map = souk_yaml_get(parsed.stream.documents[0], "a");
	ck_assert_uint_eq(map->n, 4);
	ck_assert_int_eq(souk_yaml_get(map, "A100:1")->type, SOUK_YAML_NULL);
	ck_assert_int_eq(souk_yaml_get(map, "H100")->type, SOUK_YAML_NULL);
	key = souk_yaml_key(map, "V100");
	ck_assert_uint_eq(key->mark.line, 1);
	ck_assert_uint_eq(key->mark.column, 20);
	key = souk_yaml_key(map, "b");
	ck_assert_uint_eq(key->mark.column, 27);
	parsed_fini(&parsed);

	parse(&parsed, "a: {H100:, x: 1, x: 2}\n");
	ck_assert_str_eq(parsed.err.message,
			 "f:1:18: duplicate key 'x': it stands in line 1 already");
	ck_assert_uint_eq(parsed.report.n, 1);
	parsed_fini(&parsed);
}
END_TEST

START_TEST(documents)
{
	struct parsed parsed;

	parse(&parsed, "--- {a: 1}\n---\n---\n[b]\n...\n");
	ck_assert_int_eq(parsed.ret, SOUK_OK);
	ck_assert_uint_eq(parsed.stream.n, 2);
	ck_assert_int_eq(parsed.stream.documents[1]->type, SOUK_YAML_LIST);
	ck_assert_uint_eq(parsed.stream.documents[1]->mark.line, 4);
	parsed_fini(&parsed);

	parse(&parsed, "# nothing\n");
	ck_assert_int_eq(parsed.ret, SOUK_OK);
	ck_assert_uint_eq(parsed.stream.n, 0);
	parsed_fini(&parsed);

	/* Anchors end with their document. */
	parse(&parsed, "a: &x 1\n---\nb: *x\n");
	ck_assert_int_eq(parsed.ret, SOUK_E_INVALID);
	parsed_fini(&parsed);
}
END_TEST

/* Places count characters, and a byte order mark is none. */
START_TEST(places)
{
	const struct souk_yaml *value;
	struct parsed parsed;

	parse(&parsed, "\xef\xbb\xbf" "a: 1\r\n\xc3\xa9\xc3\xa9: {b: 2}\r\n");
	ck_assert_int_eq(parsed.ret, SOUK_OK);
	value = souk_yaml_get(souk_yaml_get(parsed.stream.documents[0], "\xc3\xa9\xc3\xa9"), "b");
	ck_assert_ptr_nonnull(value);
	ck_assert_uint_eq(value->mark.line, 2);
	ck_assert_uint_eq(value->mark.column, 9);
	parsed_fini(&parsed);
}
END_TEST

/* A value in a message cannot act on the terminal, nor break the line. */
START_TEST(messages_are_clean)
{
	struct souk_report report;
	struct souk_mark mark = { 3, 4 };
	char *line;

	ck_assert_int_eq(souk_report_init(&report, "f", NULL), SOUK_OK);
	souk_report_add(&report, mark, 0, "bad '%s'", "a\x1b[31m\nb\xc2\x9b\xc3\xa9\xc3");
	souk_report_add(&report, mark, 0, "bad '%s'", "a\x1b[31m\nb\xc2\x9b\xc3\xa9\xc3");
	ck_assert_uint_eq(report.n, 1);
	ck_assert_uint_eq(report.n_errors, 1);
	line = souk_report_line(&report, 0);
	ck_assert_str_eq(line, "f:3:4: bad 'a?[31m?b?\xc3\xa9'");
	free(line);
	ck_assert_ptr_null(souk_report_line(&report, 1));
	souk_report_fini(&report);
}
END_TEST

START_TEST(report_is_bounded)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report;
	unsigned i;

	ck_assert_int_eq(souk_report_init(&report, "f", NULL), SOUK_OK);
	for (i = 1000; i > 0; i--) {
		struct souk_mark mark = { i, 1 };

		souk_report_add(&report, mark, i % 2 == 0, "message");
	}
	ck_assert_uint_eq(report.n, 100);
	ck_assert_uint_eq(report.n_errors, 500);
	ck_assert_uint_eq(report.dropped, 900);
	souk_report_sort(&report);
	ck_assert_uint_eq(report.items[0].mark.line, 901);
	ck_assert_int_eq(souk_report_error(&report, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "f:901:1: message");
	souk_report_fini(&report);
}
END_TEST

/* What could exhaust a machine: made by a function, refused with these words. */
struct hostile {
	const char *name;
	const char *before, *repeated, *after;
	size_t times;
	const char *says;
};

static const struct hostile hostile[] = {
	{ "scalar of 10 MB", "a: \"", "xxxxxxxxxxxxxxxx", "\"\n", 655360, "too large" },
	{ "scalar of 5 MB", "a: \"", "xxxxxxxxxxxxxxxx", "\"\n", 327680, "too long" },
	{ "folded scalar", "a: >\n", "  xxxxxxxxxxxxx\n", "", 327680, "too long" },
	{ "open lists", "", "[", "", 100000, "nested too deeply" },
	{ "open maps", "a: ", "{a: ", "", 100000, "nested too deeply" },
	{ "dashes", "", "- ", "", 100000, "nested too deeply" },
	{ "lists in lines", "", "[\n", "", 100000, "nested too deeply" },
	{ "many values", "a: [", "1,", "]\n", 300000, "too much" },
	{ "many texts behind aliases",
	  "a: [&x "
	  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
	  "y"
	  "yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy"
	  "yyyyyyyyy",
	  ", *x", "]\n", 150000, "too much" },
	{ "many anchors", "", "- &a", "", 2000, "too many anchors" },
	{ "many colons", "a: {", "b:,", "}\n", 1000, "unexpected ':'" },
};

static char *make_hostile(const struct hostile *h, size_t *size_out)
{
	size_t before = strlen(h->before), repeated = strlen(h->repeated), after = strlen(h->after),
	       i;
	char *text = malloc(before + (repeated + 12) * h->times + after + 1);
	size_t n = 0;

	ck_assert_ptr_nonnull(text);
	memcpy(text, h->before, before);
	n = before;
	for (i = 0; i < h->times; i++) {
		memcpy(text + n, h->repeated, repeated);
		n += repeated;
		if (strcmp(h->name, "many anchors") == 0)
			n += (size_t)snprintf(text + n, 12, "%zu 1\n", i);
	}
	memcpy(text + n, h->after, after + 1);
	*size_out = n + after;
	return text;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_MEMORY 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_MEMORY 0
#endif
#endif
#ifndef CHECK_MEMORY
#define CHECK_MEMORY 1
#endif

/* In a child, so that its peak memory can be seen. */
START_TEST(hostile_input)
{
	struct rusage usage;
	int status;
	pid_t pid;

	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		struct parsed parsed;
		size_t size;
		char *text = make_hostile(&hostile[_i], &size);

		parse_bytes(&parsed, text, size);
		free(text);
		_exit(parsed.ret == SOUK_E_INVALID && parsed.report.n == 1 &&
				      strstr(parsed.err.message, hostile[_i].says) ?
			      0 :
			      1);
	}
	ck_assert_int_eq(wait4(pid, &status, 0, &usage), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", hostile[_i].name);
	if (CHECK_MEMORY && !getenv("SOUK_TEST_VALGRIND"))
		ck_assert_msg(usage.ru_maxrss < 100 * 1024, "%s: %ld KiB", hostile[_i].name,
			      usage.ru_maxrss);
}
END_TEST

/* Nine lists of nine aliases each, ten levels: 3.5 thousand million values. */
START_TEST(alias_bomb)
{
	struct parsed parsed;
	char text[2048];
	size_t n;
	char c;

	n = (size_t)snprintf(text, sizeof(text), "a: &a [x,x,x,x,x,x,x,x,x]\n");
	for (c = 'b'; c <= 'j'; c++)
		n += (size_t)snprintf(text + n, sizeof(text) - n,
				      "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c,
				      c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1, c - 1,
				      c - 1);
	parse(&parsed, text);
	ck_assert_int_eq(parsed.ret, SOUK_E_INVALID);
	ck_assert_str_eq(parsed.err.message,
			 "f:6:11: too much: over 200000 values or 16 MiB of text once aliases are "
			 "followed");
	parsed_fini(&parsed);
}
END_TEST

/* Within the limits everything is read. */
START_TEST(large_but_good)
{
	size_t i, n, size = (size_t)1 << 20;
	struct parsed parsed;
	char *text = malloc(size + 600000);

	ck_assert_ptr_nonnull(text);
	n = (size_t)snprintf(text, 100, "t: ");
	memset(text + n, 'x', size);
	n += size;
	n += (size_t)snprintf(text + n, 100, "\nl: [");
	for (i = 0; i < 190000; i++)
		n += (size_t)snprintf(text + n, 4, "1,");
	n += (size_t)snprintf(text + n, 200, "]\nd: %.*s%.*s\n", 62,
			      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", 62,
			      "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]");
	parse_bytes(&parsed, text, n);
	ck_assert_msg(parsed.ret == SOUK_OK, "%s", parsed.err.message);
	ck_assert_uint_eq(strlen(souk_yaml_get(parsed.stream.documents[0], "t")->text), size);
	ck_assert_uint_eq(souk_yaml_get(parsed.stream.documents[0], "l")->n, 190000);
	parsed_fini(&parsed);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("yaml");
	TCase *tc = tcase_create("yaml");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, scalar_types, 0, (int)SOUK_ARRAY_SIZE(scalars));
	tcase_add_test(tc, numbers_have_values);
	tcase_add_loop_test(tc, one_clear_line, 0, (int)SOUK_ARRAY_SIZE(errors));
	tcase_add_test(tc, duplicates_are_all_told);
	tcase_add_test(tc, merge_keys);
	tcase_add_test(tc, colons_in_flow);
	tcase_add_test(tc, documents);
	tcase_add_test(tc, places);
	tcase_add_test(tc, messages_are_clean);
	tcase_add_test(tc, report_is_bounded);
	tcase_add_loop_test(tc, hostile_input, 0, (int)SOUK_ARRAY_SIZE(hostile));
	tcase_add_test(tc, alias_bomb);
	tcase_add_test(tc, large_but_good);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
