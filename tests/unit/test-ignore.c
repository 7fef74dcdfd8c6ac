/* SPDX-License-Identifier: Apache-2.0 */
/* test-ignore.c - which files of a folder are copied: gitignore(5) patterns and the walk */
#include "base/util.h"
#include "node/ignore.h"
#include "scratch.h"

static struct souk_error err;

static void begin(void)
{
	err = (struct souk_error)SOUK_ERROR_INIT;
	scratch_make();
}

/* ---- Patterns: the answers are those of 'git check-ignore' ---- */

static const struct {
	const char *pattern, *path;
	int is_dir, matches;
} patterns[] = {
	/* Without a slash: at any depth, by the last part of the path. */
	{ "foo", "foo", 0, 1 },
	{ "foo", "a/b/foo", 0, 1 },
	{ "foo", "foobar", 0, 0 },
	{ "foo", "foo/bar", 0, 0 },
	{ "*.o", "a.o", 0, 1 },
	{ "*.o", "src/a.o", 0, 1 },
	{ "*.o", ".o", 0, 1 },
	{ "*.o", "a.oo", 0, 0 },
	{ "a?c", "abc", 0, 1 },
	{ "a?c", "ac", 0, 0 },
	{ "*", "anything", 0, 1 },
	{ ".*", ".hidden", 0, 1 },
	{ ".*", "shown", 0, 0 },
	/* With one in front or inside: from the folder of the file on. */
	{ "/foo", "foo", 0, 1 },
	{ "/foo", "a/foo", 0, 0 },
	{ "/*.c", "cat.c", 0, 1 },
	{ "/*.c", "a/cat.c", 0, 0 },
	{ "doc/frotz", "doc/frotz", 0, 1 },
	{ "doc/frotz", "a/doc/frotz", 0, 0 },
	{ "a/*", "a/b", 0, 1 },
	{ "a/*", "a/b/c", 0, 0 },
	{ "a/?", "a//", 0, 0 },
	{ "a*b", "a/b", 0, 0 },
	/* With one at the end: folders only, and that alone ties it to no place. */
	{ "build/", "build", 1, 1 },
	{ "build/", "build", 0, 0 },
	{ "build/", "a/build", 1, 1 },
	{ "doc/frotz/", "a/doc/frotz", 1, 0 },
	{ "/build/", "a/build", 1, 0 },
	/* Two stars. */
	{ "**/foo", "foo", 0, 1 },
	{ "**/foo", "a/b/foo", 0, 1 },
	{ "**/foo/bar", "foo/bar", 0, 1 },
	{ "**/foo/bar", "a/foo/bar", 0, 1 },
	{ "**/foo/bar", "a/foo/b/bar", 0, 0 },
	{ "abc/**", "abc/d", 0, 1 },
	{ "abc/**", "abc/d/e/f", 0, 1 },
	{ "abc/**", "abc", 1, 0 },
	{ "abc/**", "x/abc/d", 0, 0 },
	{ "a/**/b", "a/b", 0, 1 },
	{ "a/**/b", "a/x/b", 0, 1 },
	{ "a/**/b", "a/x/y/b", 0, 1 },
	{ "a/**/b", "ab", 0, 0 },
	{ "a/**/b", "a/xb", 0, 0 },
	{ "**", "a/b", 0, 1 },
	{ "foo**bar", "fooxbar", 0, 1 },
	{ "/foo**bar", "foo/bar", 0, 0 },
	{ "a/**/*.c", "a/b/c/d.c", 0, 1 },
	/* Sets. */
	{ "[abc]", "b", 0, 1 },
	{ "[abc]", "d", 0, 0 },
	{ "[a-c]x", "bx", 0, 1 },
	{ "[!a-c]x", "bx", 0, 0 },
	{ "[!a-c]x", "dx", 0, 1 },
	{ "[^a-c]x", "dx", 0, 1 },
	{ "[]]", "]", 0, 1 },
	{ "[!]]", "]", 0, 0 },
	{ "[a-]", "-", 0, 1 },
	{ "[\\]]", "]", 0, 1 },
	{ "/a[/]b", "a/b", 0, 0 },
	{ "/a[!x]b", "a/b", 0, 0 },
	{ "[[:digit:]]", "5", 0, 1 },
	{ "[[:digit:]]", "x", 0, 0 },
	{ "[[:alpha:]_]", "_", 0, 1 },
	{ "[![:space:]]", "x", 0, 1 },
	{ "[[:a]b:]", ":b:]", 0, 1 },
	{ "[[:digit:x]", "g", 0, 1 },
	/* Quoting, blanks, comments. */
	{ "\\*", "*", 0, 1 },
	{ "\\*", "x", 0, 0 },
	{ "\\#x", "#x", 0, 1 },
	{ "#x", "#x", 0, 0 },
	{ "\\!x", "!x", 0, 1 },
	{ "foo ", "foo", 0, 1 },
	{ "foo\\ ", "foo ", 0, 1 },
	{ "foo\\ ", "foo", 0, 0 },
	{ "foo\r", "foo", 0, 1 },
	{ " foo", " foo", 0, 1 },
	{ "", "", 0, 0 },
	{ "/", "x", 1, 0 },
	{ "a\\\\b", "a\\b", 0, 1 },
};

START_TEST(matches_as_git_does)
{
	ck_assert_msg(souk_ignore_match(patterns[_i].pattern, patterns[_i].path, patterns[_i].is_dir) ==
			      patterns[_i].matches,
		      "'%s' and '%s'", patterns[_i].pattern, patterns[_i].path);
}
END_TEST

/* Nor may one that could go as deep as it is long, or be read again from each of its parts. */
START_TEST(long_patterns_are_no_danger)
{
	static const struct {
		const char *part, *end, *path;
		int matches;
	} cases[] = {
		{ "**/", "b", "a/b", 1 }, { "**/", "**", "a/b", 1 }, { "**/", "b", "a/c", 0 },
		{ "[:", "", "[", 0 },
	};
	struct souk_buf pattern;
	size_t i;

	souk_buf_init(&pattern, (size_t)1 << 20);
	souk_buf_str(&pattern, _i == 3 ? "[" : "");
	for (i = 0; i < 150000; i++)
		souk_buf_str(&pattern, cases[_i].part);
	souk_buf_str(&pattern, cases[_i].end);
	ck_assert_int_eq(souk_buf_failed(&pattern, &err), SOUK_OK);
	ck_assert_int_eq(souk_ignore_match(pattern.data, cases[_i].path, 0), cases[_i].matches);
	souk_buf_fini(&pattern);
}
END_TEST

/* A pattern that tries every way to cut the path must not take for ever. */
START_TEST(many_stars_are_no_danger)
{
	char pattern[128] = "", path[256];
	size_t i;

	for (i = 0; i < 30; i++)
		memcpy(pattern + i * 2, "a*", 3);
	memcpy(pattern + 60, "b", 2);
	memset(path, 'a', 200);
	path[200] = '\0';
	ck_assert_int_eq(souk_ignore_match(pattern, path, 0), 0);
	path[199] = 'b';
	ck_assert_int_eq(souk_ignore_match(pattern, path, 0), 1);
	for (i = 0; i < 20; i++)
		memcpy(pattern + i * 3, "**/", 4);
	memcpy(pattern + 60, "b", 2);
	for (i = 0; i < 200; i++)
		path[i] = i % 2 ? '/' : 'a';
	path[199] = 'c';
	ck_assert_int_eq(souk_ignore_match(pattern, path, 0), 0);
}
END_TEST

/* ---- The walk ---- */

static void touch(const char *path)
{
	char folder[512];

	snprintf(folder, sizeof(folder), "%s", scratch_path("%s", path));
	*strrchr(folder, '/') = '\0';
	scratch_mkdir(folder);
	scratch_text(scratch_path("%s", path), "x");
}

/* What is copied of the scratch folder, joined with blanks. */
static const char *list(void)
{
	static char text[4096];
	struct souk_buf out;
	size_t n = 0, i, counted = 0;

	souk_buf_init(&out, sizeof(text) - 1);
	ck_assert_msg(souk_ignore_list(scratch, &out, &n, &err) == SOUK_OK, "%s", err.message);
	for (i = 0; i < out.len; i++) {
		counted += out.data[i] == '\0';
		text[i] = out.data[i] ? out.data[i] : ' ';
	}
	text[out.len ? out.len - 1 : 0] = '\0';
	ck_assert_uint_eq(counted, n);
	souk_buf_fini(&out);
	return text;
}

START_TEST(everything_without_rules)
{
	ck_assert_str_eq(list(), "");
	touch("b/x");
	touch("a");
	touch("b/.hidden");
	ck_assert_int_eq(symlink("/nonexistent", scratch_path("link")), 0);
	ck_assert_int_eq(symlink("b", scratch_path("c")), 0);
	ck_assert_int_eq(mkfifo(scratch_path("pipe"), 0600), 0);
	scratch_mkdir(scratch_path("empty"));
	ck_assert_str_eq(list(), "a b b/.hidden b/x c empty link");
}
END_TEST

START_TEST(gitignore_files_on_the_way)
{
	touch("a.o");
	touch("a.c");
	touch("sub/b.o");
	touch("sub/keep.o");
	touch("sub/out/x");
	touch("other/keep.o");
	touch("other/out/x");
	scratch_text(scratch_path(".gitignore"), "# objects\n*.o\n\n/sub/out/\n");
	scratch_text(scratch_path("sub/.gitignore"), "!keep.o\n");
	ck_assert_str_eq(list(), ".gitignore a.c other other/out other/out/x sub sub/.gitignore sub/keep.o");
}
END_TEST

START_TEST(the_last_rule_decides)
{
	touch("a.log");
	touch("b.log");
	scratch_text(scratch_path(".gitignore"), "*.log\n!a.log\n!b.log\nb.log\n");
	ck_assert_str_eq(list(), ".gitignore a.log");
}
END_TEST

START_TEST(what_is_below_an_ignored_folder_stays_out)
{
	touch("build/x");
	touch("build/keep");
	scratch_text(scratch_path(".gitignore"), "build/\n!build/keep\n");
	ck_assert_str_eq(list(), ".gitignore");
	/* The folder's contents, not the folder: then some of it can be kept. */
	scratch_text(scratch_path(".gitignore"), "build/*\n!build/keep\n");
	ck_assert_str_eq(list(), ".gitignore build build/keep");
}
END_TEST

START_TEST(a_file_of_our_own_decides_alone)
{
	touch("a.o");
	touch("b.txt");
	touch("sub/b.txt");
	scratch_text(scratch_path(".gitignore"), "*.o\n");
	scratch_text(scratch_path("sub/.gitignore"), "*\n");
	scratch_text(scratch_path(_i ? ".soukignore" : ".skyignore"), "/b.txt\n");
	ck_assert_str_eq(list(), _i ? ".gitignore .soukignore a.o sub sub/.gitignore sub/b.txt" :
				      ".gitignore .skyignore a.o sub sub/.gitignore sub/b.txt");
}
END_TEST

START_TEST(the_exclude_file_of_the_repository)
{
	touch("secret.txt");
	touch("a");
	touch(".git/info/exclude");
	scratch_text(scratch_path(".git/info/exclude"), "secret.txt\n/.git\n");
	ck_assert_str_eq(list(), "a");
	scratch_text(scratch_path(".gitignore"), "!secret.txt\n");
	ck_assert_str_eq(list(), ".gitignore a secret.txt");
}
END_TEST

START_TEST(the_list_is_bounded)
{
	struct souk_buf out;
	char path[512];
	size_t n = 0;
	int i;

	for (i = 0; i < 20; i++)
		touch(scratch_path("file-with-a-long-name-%02d", i) + strlen(scratch) + 1);
	souk_buf_init(&out, 100);
	ck_assert_int_eq(souk_ignore_list(scratch, &out, &n, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "has too many files to copy"));
	souk_buf_fini(&out);
	/* And so is the depth. */
	snprintf(path, sizeof(path), "%s/d", scratch);
	for (i = 0; i < 140; i++) {
		ck_assert_int_eq(mkdir(path, 0700), 0);
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "/d");
	}
	souk_buf_init(&out, 1 << 20);
	ck_assert_int_eq(souk_ignore_list(scratch, &out, &n, &err), SOUK_E_INVALID);
	ck_assert_ptr_nonnull(strstr(err.message, "is nested too deeply"));
	souk_buf_fini(&out);
	souk_buf_init(&out, 100);
	ck_assert_int_eq(souk_ignore_list(scratch_path("none"), &out, &n, &err), SOUK_E_NOT_FOUND);
	souk_buf_fini(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("ignore");
	TCase *tc = tcase_create("ignore");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 30);
	tcase_add_checked_fixture(tc, begin, scratch_remove);
	tcase_add_loop_test(tc, matches_as_git_does, 0, SOUK_ARRAY_SIZE(patterns));
	tcase_add_test(tc, many_stars_are_no_danger);
	tcase_add_loop_test(tc, long_patterns_are_no_danger, 0, 4);
	tcase_add_test(tc, everything_without_rules);
	tcase_add_test(tc, gitignore_files_on_the_way);
	tcase_add_test(tc, the_last_rule_decides);
	tcase_add_test(tc, what_is_below_an_ignored_folder_stays_out);
	tcase_add_loop_test(tc, a_file_of_our_own_decides_alone, 0, 2);
	tcase_add_test(tc, the_exclude_file_of_the_repository);
	tcase_add_test(tc, the_list_is_bounded);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
