/* SPDX-License-Identifier: Apache-2.0 */
/* test-base.c - the ground floor: lists, likeness, money, time, ids, the log's secrets, arrays */
#include <errno.h>
#include <poll.h>
#include <pthread.h>

#include <souk/souk.h>

#include "base/cancel.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/log.h"
#include "base/money.h"
#include "base/similar.h"
#include "base/strv.h"
#include "base/util.h"
#include "scratch.h"

/* ---- Lists ---- */

static const struct {
	const char *text;
	char separator;
	const char *joined; /* with '|' */
	size_t n;
} splits[] = {
	{ "", ',', "", 0 },
	{ "a", ',', "a", 1 },
	{ "a,b,c", ',', "a|b|c", 3 },
	{ " a , b ,, c ", ',', "a|b|c", 3 },
	{ ",,,", ',', "", 0 },
	{ "  ", ',', "", 0 },
	{ "/usr/bin:/bin:", ':', "/usr/bin|/bin", 2 },
	{ "a b\tc", ',', "a b\tc", 1 },
};

START_TEST(splits_and_joins)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_strv strv = { 0 };
	char *joined;

	ck_assert_int_eq(souk_strv_split(&strv, splits[_i].text, splits[_i].separator, &err), SOUK_OK);
	ck_assert_uint_eq(strv.n, splits[_i].n);
	joined = souk_strv_join(&strv, "|");
	ck_assert_str_eq(joined, splits[_i].joined);
	free(joined);
	ck_assert(strv.n == 0 || strv.items[strv.n] == NULL);
	souk_strv_fini(&strv);
	ck_assert_ptr_null(strv.items);
}
END_TEST

START_TEST(strv_copies)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_strv a = { 0 }, b = { 0 };
	char text[8] = "one";

	ck_assert_int_eq(souk_strv_add(&a, text, &err), SOUK_OK);
	text[0] = 'X';
	ck_assert_int_eq(souk_strv_printf(&a, &err, "%s-%d", "two", 2), SOUK_OK);
	ck_assert_str_eq(a.items[0], "one");
	ck_assert_int_eq(souk_strv_add(&b, "old", &err), SOUK_OK);
	ck_assert_int_eq(souk_strv_copy(&b, &a, &err), SOUK_OK);
	ck_assert_uint_eq(b.n, 2);
	ck_assert(b.items[1] != a.items[1]);
	ck_assert_int_eq(souk_strv_has(&b, "two-2"), 1);
	ck_assert_int_eq(souk_strv_has(&b, "old"), 0);
	ck_assert_int_eq(souk_strv_has(&b, "two"), 0);
	souk_strv_fini(&a);
	souk_strv_fini(&b);
	souk_strv_fini(NULL);
}
END_TEST

START_TEST(pairs_keep_their_order)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_pairs pairs = { 0 }, copy = { 0 };
	char key[16];
	int i;

	for (i = 0; i < 20; i++) {
		snprintf(key, sizeof(key), "k%d", i);
		ck_assert_int_eq(souk_pairs_set(&pairs, key, i % 3 ? key : NULL, &err), SOUK_OK);
	}
	ck_assert_uint_eq(pairs.n, 20);
	ck_assert_int_eq(souk_pairs_set(&pairs, "k7", "changed", &err), SOUK_OK);
	ck_assert_int_eq(souk_pairs_set(&pairs, "k8", NULL, &err), SOUK_OK);
	ck_assert_uint_eq(pairs.n, 20);
	ck_assert_str_eq(souk_pairs_get(&pairs, "k7"), "changed");
	ck_assert_ptr_null(souk_pairs_get(&pairs, "k8"));
	ck_assert_ptr_nonnull(souk_pairs_find(&pairs, "k8"));
	ck_assert_ptr_null(souk_pairs_find(&pairs, "K8"));
	souk_pairs_remove(&pairs, "k0");
	souk_pairs_remove(&pairs, "k19");
	souk_pairs_remove(&pairs, "not there");
	ck_assert_uint_eq(pairs.n, 18);
	ck_assert_str_eq(pairs.items[0].key, "k1");
	ck_assert_str_eq(pairs.items[17].key, "k18");
	ck_assert_int_eq(souk_pairs_copy(&copy, &pairs, &err), SOUK_OK);
	ck_assert_uint_eq(copy.n, 18);
	for (i = 0; i < 18; i++)
		ck_assert_str_eq(copy.items[i].key, pairs.items[i].key);
	ck_assert(copy.items[6].value != pairs.items[6].value);
	ck_assert_str_eq(copy.items[6].value, "changed");
	souk_pairs_fini(&copy);
	souk_pairs_fini(&pairs);
}
END_TEST

/* Lengths 4, 8, 16 are where room is taken: shrink to one of them and grow again. */
START_TEST(pairs_shrink_and_grow)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_pairs pairs = { 0 };
	char key[16];
	int i, round;

	for (round = 0; round < 3; round++) {
		for (i = 0; i < 17; i++) {
			snprintf(key, sizeof(key), "k%d", i);
			ck_assert_int_eq(souk_pairs_set(&pairs, key, key, &err), SOUK_OK);
		}
		for (i = 16; i >= round * 4; i--) {
			snprintf(key, sizeof(key), "k%d", i);
			souk_pairs_remove(&pairs, key);
		}
		ck_assert_uint_eq(pairs.n, (size_t)round * 4);
	}
	souk_pairs_fini(&pairs);
}
END_TEST

START_TEST(arrays_grow)
{
	uint32_t *array = NULL;
	size_t n;

	for (n = 0; n < 5000; n++) {
		void *larger = souk_array_grow(array, n, sizeof(*array));

		ck_assert_ptr_nonnull(larger);
		array = larger;
		array[n] = (uint32_t)n * 2654435761u;
	}
	for (n = 0; n < 5000; n++)
		ck_assert_uint_eq(array[n], (uint32_t)n * 2654435761u);
	/* What cannot be is refused, and the old array stays. */
	ck_assert_ptr_null(souk_array_grow(array, (size_t)1 << (sizeof(size_t) * 8 - 1), 1));
	ck_assert_ptr_null(souk_array_grow(array, (size_t)1 << (sizeof(size_t) * 8 - 4), 64));
	ck_assert_uint_eq(array[4999], 4999u * 2654435761u);
	/* Where there is room, nothing moves. */
	ck_assert_ptr_eq(souk_array_grow(array, 4999, sizeof(*array)), array);
	ck_assert_ptr_eq(souk_array_grow(array, 3, sizeof(*array)), array);
	free(array);
}
END_TEST

START_TEST(texts_and_null)
{
	char *slot = NULL;

	ck_assert_ptr_null(souk_strdup(NULL));
	ck_assert_int_eq(souk_strset(&slot, "one"), 0);
	ck_assert_str_eq(slot, "one");
	ck_assert_int_eq(souk_strset(&slot, slot), 0);
	ck_assert_str_eq(slot, "one");
	ck_assert_int_eq(souk_strset(&slot, NULL), 0);
	ck_assert_ptr_null(slot);
	ck_assert_int_eq(souk_strcmp(NULL, NULL), 0);
	ck_assert_int_lt(souk_strcmp(NULL, ""), 0);
	ck_assert_int_gt(souk_strcmp("", NULL), 0);
	ck_assert_int_lt(souk_strcmp("a", "b"), 0);
	ck_assert_int_eq(souk_streq(NULL, NULL), 1);
	ck_assert_int_eq(souk_streq(NULL, ""), 0);
	ck_assert_int_eq(souk_streq("a", "a"), 1);
}
END_TEST

START_TEST(wipes)
{
	char secret[8] = "secret";
	size_t i;

	souk_wipe(secret, sizeof(secret));
	for (i = 0; i < sizeof(secret); i++)
		ck_assert_int_eq(secret[i], 0);
	souk_wipe(NULL, 0);
}
END_TEST

/* ---- Likeness: the values are those of Python's difflib, ratio() of lower-case texts ---- */

static const struct {
	const char *a, *b;
	unsigned score;
} likenesses[] = {
	{ "", "", 1000 },
	{ "abc", "", 0 },
	{ "abc", "abc", 1000 },
	{ "ABC", "abc", 1000 },
	{ "abcd", "bcde", 750 },
	{ "tide", "diet", 250 },
	{ "diet", "tide", 500 },
	{ "private", "pirate", 769 },
	{ "accelerator", "accelerators", 956 },
	{ "h100", "h10", 857 },
	{ "a100-80gb", "a100", 615 },
	{ "resouces", "resources", 941 },
	{ "use_spot", "usespot", 933 },
	{ "aaaa", "aa", 666 },
	{ "qwerty", "zxcvbn", 0 },
	{ "gestalt pattern matching", "gestalt practice", 600 },
};

START_TEST(likeness_is_that_of_difflib)
{
	ck_assert_uint_eq(souk_similar(likenesses[_i].a, likenesses[_i].b), likenesses[_i].score);
}
END_TEST

START_TEST(likeness_is_bounded)
{
	char text[400];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	ck_assert_uint_eq(souk_similar(text, text), 0);
	text[128] = '\0';
	ck_assert_uint_eq(souk_similar(text, text), 1000);
}
END_TEST

START_TEST(the_nearest_name)
{
	static const char *const names[] = { "aws", "gcp", "azure", "lambda", "lambdb" };

	ck_assert_str_eq(souk_similar_best("awz", names, 5), "aws");
	ck_assert_str_eq(souk_similar_best("lambd", names, 5), "lambda");
	ck_assert_str_eq(souk_similar_best("AZURE", names, 5), "azure");
	ck_assert_ptr_null(souk_similar_best("runpod", names, 5));
	ck_assert_ptr_null(souk_similar_best("aws", names, 0));
	ck_assert_ptr_null(souk_similar_best("", names, 5));
}
END_TEST

/* ---- Money ---- */

static const struct {
	int64_t micros;
	const char *text;
} amounts[] = {
	{ 0, "0.00" },
	{ 1, "0.000001" },
	{ 10, "0.00001" },
	{ 3400, "0.0034" },
	{ 100000, "0.10" },
	{ 1000000, "1.00" },
	{ 1010000, "1.01" },
	{ 12340000, "12.34" },
	{ 12345000, "12.345" },
	{ 4049591, "4.049591" },
	{ 100000000000, "100000.00" },
	{ INT64_MAX, "9223372036854.775807" },
	{ -1, "-" },
	{ INT64_MIN, "-" },
};

START_TEST(money_as_text)
{
	char text[SOUK_MONEY_TEXT_SIZE];

	ck_assert_str_eq(souk_money_text(amounts[_i].micros, text), amounts[_i].text);
}
END_TEST

START_TEST(money_is_read_back)
{
	char text[SOUK_MONEY_TEXT_SIZE];
	int64_t micros, back;

	for (micros = 0; micros < 3000000; micros += 7) {
		ck_assert_int_eq(souk_parse_micros("price", souk_money_text(micros, text), &back, NULL),
				 SOUK_OK);
		ck_assert_int_eq(back, micros);
	}
}
END_TEST

static const struct {
	int64_t micros;
	uint64_t multiply, divide;
	int64_t result;
} scales[] = {
	{ 1000000, 3, 1, 3000000 },
	{ 3600000000, 1, 3600, 1000000 },
	{ 10, 1, 3, 3 },
	{ 5, 0, 1, 0 },
	{ 7, 3, 0, 21 },
	{ INT64_MAX, 1, 1, INT64_MAX },
	{ INT64_MAX, 2, 1, INT64_MAX },
	{ INT64_MAX, UINT64_MAX, 1, INT64_MAX },
	{ INT64_MAX, UINT64_MAX, UINT64_MAX, INT64_MAX },
	{ INT64_MIN, UINT64_MAX, 1, INT64_MIN },
	{ INT64_MAX / 2, 1000, 1000, INT64_MAX / 2 },
	{ -1000000, 2, 1, -2000000 },
};

START_TEST(money_does_not_overflow)
{
	ck_assert_int_eq(souk_money_scale(scales[_i].micros, scales[_i].multiply, scales[_i].divide),
			 scales[_i].result);
}
END_TEST

/* ---- Time and ids ---- */

START_TEST(sums_of_money_do_not_overflow)
{
	ck_assert_int_eq(souk_money_add(2, 3), 5);
	ck_assert_int_eq(souk_money_add(INT64_MAX - 1, 1), INT64_MAX);
	ck_assert_int_eq(souk_money_add(INT64_MAX, 1), INT64_MAX);
	ck_assert_int_eq(souk_money_add(INT64_MAX, INT64_MAX), INT64_MAX);
	ck_assert_int_eq(souk_money_add(INT64_MIN, -1), INT64_MIN);
	ck_assert_int_eq(souk_money_add(INT64_MAX, INT64_MIN), -1);
}
END_TEST

START_TEST(money_names_its_currency)
{
	char text[SOUK_MONEY_TEXT_SIZE];

	ck_assert_str_eq(souk_money_currency(1500000, "USD", text), "$1.50");
	ck_assert_str_eq(souk_money_currency(1500000, NULL, text), "$1.50");
	ck_assert_str_eq(souk_money_currency(1500000, "", text), "$1.50");
	ck_assert_str_eq(souk_money_currency(1500000, "EUR", text), "1.50 EUR");
	ck_assert_str_eq(souk_money_currency(INT64_MAX, "EUR", text), "9223372036854.775807 EUR");
}
END_TEST

START_TEST(bytes_as_text)
{
	char hex[SOUK_HEX_SIZE(4)];

	souk_hex("\x00\x7f\x80\xff", 4, hex);
	ck_assert_str_eq(hex, "007f80ff");
	souk_hex("", 0, hex);
	ck_assert_str_eq(hex, "");
}
END_TEST

START_TEST(strv_sorts)
{
	struct souk_strv strv = { 0 };
	char *joined;

	souk_strv_sort(&strv);
	ck_assert_int_eq(souk_strv_split(&strv, "b,B,a,aa,", ',', NULL), SOUK_OK);
	souk_strv_sort(&strv);
	joined = souk_strv_join(&strv, ",");
	ck_assert_str_eq(joined, "B,a,aa,b");
	ck_assert_ptr_null(strv.items[strv.n]);
	free(joined);
	souk_strv_fini(&strv);
}
END_TEST

START_TEST(time_as_text)
{
	char text[SOUK_TIME_TEXT_SIZE];
	int64_t back;

	ck_assert_str_eq(souk_time_text(0, text), "-");
	ck_assert_str_eq(souk_time_text(1, text), "1970-01-01T00:00:01Z");
	ck_assert_str_eq(souk_time_text(-1, text), "1969-12-31T23:59:59Z");
	ck_assert_str_eq(souk_time_text(1783168200, text), "2026-07-04T12:30:00Z");
	ck_assert_str_eq(souk_time_text(951782400, text), "2000-02-29T00:00:00Z");
	ck_assert_str_eq(souk_time_text(INT64_MAX, text), "-");
	ck_assert_str_eq(souk_time_text(INT64_MIN, text), "-");
	ck_assert_int_eq(souk_parse_time("t", souk_time_text(1783168200, text), &back, NULL), SOUK_OK);
	ck_assert_int_eq(back, 1783168200);
}
END_TEST

START_TEST(duration_as_text)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} cases[] = {
		{ -5, "0s" }, { 0, "0s" }, { 59, "59s" }, { 60, "1m 0s" }, { 3599, "59m 59s" },
		{ 3600, "1h 0m" }, { 86399, "23h 59m" }, { 86400, "1d 0h" }, { 90000, "1d 1h" },
	};
	char text[SOUK_TIME_TEXT_SIZE];
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(cases); i++)
		ck_assert_str_eq(souk_duration_text(cases[i].seconds, text), cases[i].text);
	ck_assert_uint_lt(strlen(souk_duration_text(INT64_MAX, text)), SOUK_TIME_TEXT_SIZE);
}
END_TEST

START_TEST(clocks_go_forward)
{
	int64_t before = souk_clock_ms(), wall = souk_clock_wall_ms();

	ck_assert_int_ge(souk_clock_ms(), before);
	ck_assert_int_gt(wall, 1600000000000);
	ck_assert_int_ge(souk_clock_wall_s(), wall / 1000);
}
END_TEST

static const struct {
	const char *text;
	int64_t seconds; /* -1: refused */
} dates[] = {
	{ "Sun, 06 Nov 1994 08:49:37 GMT", 784111777 },
	{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
	{ "Sat, 29 Feb 2020 23:59:60 GMT", 1583020800 },
	{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
	{ "Sun, 06 Nov 1994 08:49:37 CET", -1 },
	{ "Sun, 06 ovN 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 No 1994 08:49:37 GMT", -1 },
	{ "Sun, 00 Nov 1994 08:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 24:49:37 GMT", -1 },
	{ "Sun, 06 Nov 1994 08:60:37 GMT", -1 },
	{ "Sun, 06 Nov 1969 08:49:37 GMT", -1 },
	{ "Sunday, 06-Nov-94 08:49:37 GMT", -1 },
	{ "1994-11-06T08:49:37Z", -1 },
	{ "", -1 },
};

START_TEST(dates_of_replies)
{
	int64_t seconds = -2;
	int ret = souk_clock_parse_http(dates[_i].text, &seconds);

	ck_assert_int_eq(ret, dates[_i].seconds < 0 ? -1 : 0);
	ck_assert_int_eq(seconds, ret < 0 ? -2 : dates[_i].seconds);
}
END_TEST

START_TEST(ids)
{
	char seen[200][SOUK_ID_SIZE];
	struct souk_error err = SOUK_ERROR_INIT;
	int letters[256] = { 0 };
	size_t i, j;

	for (i = 0; i < 200; i++) {
		ck_assert_int_eq(souk_id_new(seen[i], 32, &err), SOUK_OK);
		ck_assert_uint_eq(strlen(seen[i]), 32);
		ck_assert_uint_eq(strspn(seen[i], "abcdefghijklmnopqrstuvwxyz0123456789"), 32);
		for (j = 0; j < i; j++)
			ck_assert_str_ne(seen[i], seen[j]);
		for (j = 0; j < 32; j++)
			letters[(unsigned char)seen[i][j]]++;
	}
	/* 6400 draws of 36: one that never came would be a chance of 10^-77. */
	ck_assert_int_gt(letters['a'], 0);
	ck_assert_int_gt(letters['z'], 0);
	ck_assert_int_gt(letters['0'], 0);
	ck_assert_int_gt(letters['9'], 0);
	ck_assert_int_eq(souk_id_new(seen[0], 0, &err), SOUK_OK);
	ck_assert_str_eq(seen[0], "");
	ck_assert_int_eq(souk_id_new(seen[0], 33, &err), SOUK_E_INTERNAL);
}
END_TEST

/* ---- Errors ---- */

START_TEST(errors_carry_errno)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char longest[SOUK_ERROR_MESSAGE_SIZE * 2];

	ck_assert_int_eq(souk_error_errno(&err, ENOENT, "cannot open '%s'", "/x"), SOUK_E_NOT_FOUND);
	ck_assert_str_eq(err.message, "cannot open '/x': No such file or directory");
	ck_assert_int_eq(souk_error_errno(&err, EACCES, "x"), SOUK_E_AUTH);
	ck_assert_int_eq(souk_error_errno(&err, EPERM, "x"), SOUK_E_AUTH);
	ck_assert_int_eq(souk_error_errno(&err, ENOMEM, "x"), SOUK_E_NOMEM);
	ck_assert_str_eq(err.reason, "");
	ck_assert_int_eq(souk_error_errno(&err, EIO, "x"), SOUK_E_INTERNAL);
	ck_assert_str_eq(err.reason, SOUK_REASON_SYSTEM);
	ck_assert_int_eq(souk_error_errno(NULL, EIO, "x"), SOUK_E_INTERNAL);
	souk_error_set(&err, SOUK_E_QUOTA, "no more");
	ck_assert_int_eq(souk_error_prefix(&err, "%s", "aws"), SOUK_E_QUOTA);
	ck_assert_str_eq(err.message, "aws: no more");
	memset(longest, 'm', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	souk_error_set(&err, SOUK_E_QUOTA, "%s", longest);
	ck_assert_int_eq(souk_error_prefix(&err, "aws"), SOUK_E_QUOTA);
	ck_assert_int_eq(strncmp(err.message, "aws: mmm", 8), 0);
	ck_assert_uint_lt(strlen(err.message), SOUK_ERROR_MESSAGE_SIZE);
	ck_assert_int_eq(souk_error_prefix(&err, "%s", longest), SOUK_E_QUOTA);
	ck_assert_uint_lt(strlen(err.message), SOUK_ERROR_MESSAGE_SIZE);
}
END_TEST

START_TEST(codes_have_names_and_statuses)
{
	ck_assert_str_eq(souk_code_name(SOUK_OK), "OK");
	ck_assert_str_eq(souk_code_name(SOUK_E_CAPACITY), "CAPACITY");
	ck_assert_str_eq(souk_code_name(SOUK_E_CANCELLED), "CANCELLED");
	ck_assert_str_eq(souk_code_name(-99), "INTERNAL");
	ck_assert_str_eq(souk_code_name(5), "INTERNAL");
	ck_assert_str_eq(souk_scope_name(SOUK_SCOPE_REGION), "region");
	ck_assert_str_eq(souk_scope_name(99), "offer");
	ck_assert_str_eq(souk_scope_name(-1), "offer");
	ck_assert_int_eq(souk_code_exit_status(SOUK_OK), 0);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_INVALID), 65);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_CAPACITY), 69);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_TRANSIENT), 75);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_AUTH), 77);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_CANCELLED), 130);
	ck_assert_int_eq(souk_code_exit_status(SOUK_E_INTERNAL), 70);
}
END_TEST

/* ---- Cancel ---- */

START_TEST(cancel_ends_a_wait)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_cancel cancel;
	struct pollfd fd;
	int i;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	ck_assert_int_eq(souk_cancel_is_set(&cancel), 0);
	ck_assert_int_eq(souk_cancel_wait(&cancel, 0, &err), SOUK_OK);
	ck_assert_int_eq(souk_cancel_wait(&cancel, 1, &err), SOUK_OK);
	errno = 42;
	/* More often than the pipe has room. */
	for (i = 0; i < 70000; i++)
		souk_cancel_set(&cancel);
	ck_assert_int_eq(errno, 42);
	ck_assert_int_eq(souk_cancel_is_set(&cancel), 1);
	fd = (struct pollfd){ .fd = souk_cancel_fd(&cancel), .events = POLLIN };
	ck_assert_int_eq(poll(&fd, 1, 0), 1);
	/* For an hour, if it were not for the flag: the test's own time limit would end it. */
	ck_assert_int_eq(souk_cancel_wait(&cancel, 3600000, &err), SOUK_E_CANCELLED);
	ck_assert_int_eq(err.code, SOUK_E_CANCELLED);
	souk_cancel_fini(&cancel);
	souk_cancel_fini(NULL);
	ck_assert_int_eq(souk_cancel_is_set(NULL), 0);
	ck_assert_int_eq(souk_cancel_fd(NULL), -1);
	ck_assert_int_eq(souk_cancel_wait(NULL, 1, &err), SOUK_OK);
}
END_TEST

static void *set_later(void *arg)
{
	souk_cancel_set(arg);
	return NULL;
}

START_TEST(cancel_wakes_another_thread)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_cancel cancel;
	pthread_t thread;

	ck_assert_int_eq(souk_cancel_init(&cancel, &err), SOUK_OK);
	ck_assert_int_eq(pthread_create(&thread, NULL, set_later, &cancel), 0);
	ck_assert_int_eq(souk_cancel_wait(&cancel, 3600000, &err), SOUK_E_CANCELLED);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	souk_cancel_fini(&cancel);
}
END_TEST

/* ---- The log ---- */

static char logged[16384];
static int logged_level;
static int n_logged;

static void take_line(int level, const char *line, void *arg)
{
	ck_assert_ptr_eq(arg, logged);
	snprintf(logged, sizeof(logged), "%s", line);
	logged_level = level;
	n_logged++;
}

static const struct {
	const char *secrets[4];
	const char *text;
	const char *redacted;
} redactions[] = {
	{ { "hunter2hunter2" }, "key=hunter2hunter2;", "key=[redacted];" },
	{ { "hunter2hunter2" }, "hunter2hunter2", "[redacted]" },
	{ { "hunter2hunter2" }, "hunter2hunter2hunter2hunter2", "[redacted]" },
	{ { "hunter2hunter2" }, "hunter2hunter", "hunter2hunter" },
	{ { "abcd" }, "x abcd y abcd", "x **** y ****" },
	{ { "abc" }, "abc is too short to be a secret", "abc is too short to be a secret" },
	/* One is the beginning of the other, in both orders of their registration. */
	{ { "abcd", "abcdefghijkl" }, "<abcdefghijkl>", "<[redacted]>" },
	{ { "abcdefghijkl", "abcd" }, "<abcdefghijkl>", "<[redacted]>" },
	/* They overlap: the tail of the second must not stay. */
	{ { "aaaabbbbcccc", "bbbbccccdddd" }, "<aaaabbbbccccdddd>", "<[redacted]>" },
	{ { "aaaabbbb", "bbbbcccc", "ccccdddd" }, "<aaaabbbbccccdddd>", "<[redacted]>" },
	{ { "aaaa" }, "aaaaaaa", "*******" },
	/* A key of several lines, as it was and with its breaks made blanks. */
	{ { "-----KEY\nline one\nline two\n" }, "<-----KEY\nline one\nline two\n>", "<[redacted]>" },
	{ { "-----KEY\nline one\nline two\n" }, "<-----KEY line one line two >", "<[redacted]>" },
	{ { "[redacted]" }, "a [redacted] b", "a [redacted] b" },
	{ { "se%cret%s" }, "100% se%cret%s", "100% *********" },
};

START_TEST(secrets_are_taken_out)
{
	char text[256];
	size_t i;

	for (i = 0; i < 4 && redactions[_i].secrets[i]; i++)
		souk_log_add_secret(redactions[_i].secrets[i]);
	snprintf(text, sizeof(text), "%s", redactions[_i].text);
	souk_log_redact(text);
	ck_assert_str_eq(text, redactions[_i].redacted);
	souk_log_set_sink(take_line, logged);
	souk_log(SOUK_LOG_WARNING, "%s", redactions[_i].text);
	ck_assert_str_eq(logged, redactions[_i].redacted);
}
END_TEST

START_TEST(secrets_at_the_cut)
{
	char text[6000];
	size_t at;

	souk_log_add_secret("0123456789abcdefghijklmnop");
	souk_log_set_sink(take_line, logged);
	/* Wherever the line is cut off, no half of the secret is left. */
	for (at = 4060; at < 4110; at++) {
		memset(text, '.', sizeof(text));
		memcpy(text + at, "0123456789abcdefghijklmnop", 26);
		text[sizeof(text) - 1] = '\0';
		souk_log(SOUK_LOG_WARNING, "%s", text);
		ck_assert_ptr_null(strpbrk(logged, "0123456789"));
		ck_assert_uint_lt(strlen(logged), 4096);
	}
}
END_TEST

START_TEST(many_secrets)
{
	char secret[32], text[64];
	int i;

	for (i = 0; i < 1200; i++) {
		snprintf(secret, sizeof(secret), "secret-number-%d.", i / 2);
		souk_log_add_secret(secret);
	}
	for (i = 0; i < 600; i++) {
		snprintf(text, sizeof(text), "<secret-number-%d.>", i);
		souk_log_redact(text);
		ck_assert_str_eq(text, "<[redacted]>");
	}
	souk_log_add_secret(NULL);
	souk_log_add_secret("");
}
END_TEST

START_TEST(a_line_is_a_line)
{
	souk_log_set_sink(take_line, logged);
	n_logged = 0;
	souk_log(SOUK_LOG_WARNING, "one\ntwo\r\033[31mred\x7f");
	ck_assert_str_eq(logged, "one two  [31mred ");
	ck_assert_int_eq(logged_level, SOUK_LOG_WARNING);
	souk_log(SOUK_LOG_INFO, "not shown");
	ck_assert_int_eq(n_logged, 1);
	souk_log_set_level(SOUK_LOG_DEBUG);
	ck_assert_int_eq(souk_log_level(), SOUK_LOG_DEBUG);
	souk_log(SOUK_LOG_DEBUG, "shown");
	ck_assert_int_eq(n_logged, 2);
	ck_assert_str_eq(logged, "shown");
	souk_log_set_level(SOUK_LOG_WARNING);
	souk_log_set_sink(NULL, NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("base");
	TCase *tc = tcase_create("values");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, splits_and_joins, 0, SOUK_ARRAY_SIZE(splits));
	tcase_add_test(tc, strv_copies);
	tcase_add_test(tc, pairs_keep_their_order);
	tcase_add_test(tc, pairs_shrink_and_grow);
	tcase_add_test(tc, arrays_grow);
	tcase_add_test(tc, texts_and_null);
	tcase_add_test(tc, wipes);
	tcase_add_loop_test(tc, likeness_is_that_of_difflib, 0, SOUK_ARRAY_SIZE(likenesses));
	tcase_add_test(tc, likeness_is_bounded);
	tcase_add_test(tc, the_nearest_name);
	tcase_add_loop_test(tc, money_as_text, 0, SOUK_ARRAY_SIZE(amounts));
	tcase_add_test(tc, money_is_read_back);
	tcase_add_loop_test(tc, money_does_not_overflow, 0, SOUK_ARRAY_SIZE(scales));
	tcase_add_test(tc, sums_of_money_do_not_overflow);
	tcase_add_test(tc, money_names_its_currency);
	tcase_add_test(tc, bytes_as_text);
	tcase_add_test(tc, strv_sorts);
	tcase_add_test(tc, time_as_text);
	tcase_add_test(tc, duration_as_text);
	tcase_add_test(tc, clocks_go_forward);
	tcase_add_loop_test(tc, dates_of_replies, 0, SOUK_ARRAY_SIZE(dates));
	tcase_add_test(tc, ids);
	tcase_add_test(tc, errors_carry_errno);
	tcase_add_test(tc, codes_have_names_and_statuses);
	tcase_add_test(tc, cancel_ends_a_wait);
	tcase_add_test(tc, cancel_wakes_another_thread);
	tcase_add_loop_test(tc, secrets_are_taken_out, 0, SOUK_ARRAY_SIZE(redactions));
	tcase_add_test(tc, secrets_at_the_cut);
	tcase_add_test(tc, many_secrets);
	tcase_add_test(tc, a_line_is_a_line);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
