/* SPDX-License-Identifier: Apache-2.0 */
/* test-fs.c - files and folders: bounded reads, atomic writes, whole trees, trust */
#include <dirent.h>
#include <errno.h>
#include <sys/resource.h>

#include "base/util.h"
#include "scratch.h"

/* How many names a folder has, "." and ".." aside. */
static int count_names(const char *path)
{
	struct dirent *entry;
	DIR *dir = opendir(path);
	int n = 0;

	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
	closedir(dir);
	return n;
}

/* ---- Reading ---- */

START_TEST(reads_up_to_a_ceiling)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 4097, 8192, 100000 };
	struct souk_error err = SOUK_ERROR_INIT;
	size_t size = sizes[_i], got = 77;
	const char *path = scratch_path("file");
	char *data = malloc(size + 1), *text = NULL;

	ck_assert_ptr_nonnull(data);
	memset(data, 'x', size + 1);
	if (size > 2)
		data[1] = '\0';
	scratch_write(path, data, size);
	ck_assert_int_eq(souk_fs_read(path, size, &text, &got, &err), SOUK_OK);
	ck_assert_uint_eq(got, size);
	ck_assert_int_eq(memcmp(text, data, size), 0);
	ck_assert_int_eq(text[size], '\0');
	free(text);
	text = NULL;
	if (size > 0) {
		ck_assert_int_eq(souk_fs_read(path, size - 1, &text, NULL, &err), SOUK_E_INVALID);
		ck_assert_ptr_nonnull(strstr(err.message, "is larger than"));
		ck_assert_ptr_nonnull(strstr(err.message, path));
		ck_assert_ptr_null(text);
	}
	free(data);
}
END_TEST

START_TEST(reading_what_is_no_file)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char *text = NULL;

	ck_assert_int_eq(souk_fs_read(scratch_path("none"), 10, &text, NULL, &err),
			 SOUK_E_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(err.message, "none"));
	ck_assert_int_lt(souk_fs_read(scratch, 10, &text, NULL, &err), 0);
	ck_assert_ptr_null(text);
	/* An endless one is bounded too. */
	ck_assert_int_eq(souk_fs_read("/dev/zero", 1 << 20, &text, NULL, &err), SOUK_E_INVALID);
	ck_assert_ptr_null(text);
}
END_TEST

/* ---- Writing ---- */

START_TEST(writes_with_its_mode)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const char *path = scratch_path("file");
	mode_t before = umask(077);
	struct stat st;
	char *text;

	ck_assert_int_eq(souk_fs_write(path, "first", 5, 0644, &err), SOUK_OK);
	umask(before);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0644);
	ck_assert_int_eq(souk_fs_write(path, "second", 6, 0600, &err), SOUK_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	text = scratch_read(path, NULL);
	ck_assert_str_eq(text, "second");
	free(text);
	ck_assert_int_eq(souk_fs_write(path, "", 0, 0600, &err), SOUK_OK);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_size, 0);
	ck_assert_int_eq(count_names(scratch), 1);
}
END_TEST

START_TEST(a_failed_write_leaves_the_old_file)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct rlimit limit, small = { 1000, 1000 };
	const char *path = scratch_path("file");
	char data[5000], *text;
	pid_t pid;

	memset(data, 'n', sizeof(data));
	scratch_text(path, "old");
	/* A child that may write no more than 1000 bytes: as if the disk were full. */
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &small);
		_exit(souk_fs_write(path, data, sizeof(data), 0600, &err) == SOUK_E_INTERNAL &&
			      strstr(err.message, path) ? 0 : 1);
	}
	ck_assert_int_eq(scratch_wait(pid), 0);
	text = scratch_read(path, NULL);
	ck_assert_str_eq(text, "old");
	free(text);
	ck_assert_int_eq(count_names(scratch), 1);
	/* No such folder, and a folder in the way. */
	ck_assert_int_eq(souk_fs_write(scratch_path("no/file"), "x", 1, 0600, &err),
			 SOUK_E_NOT_FOUND);
	scratch_mkdir(scratch_path("folder"));
	ck_assert_int_lt(souk_fs_write(scratch_path("folder"), "x", 1, 0600, &err), 0);
	ck_assert_int_eq(count_names(scratch), 2);
}
END_TEST

/* While one process writes again and again, another must see a whole file each time. */
START_TEST(a_reader_sees_the_old_or_the_new)
{
	enum { SIZE = 30000 };
	static char data[SIZE];
	struct souk_error err = SOUK_ERROR_INIT;
	const char *path = scratch_path("file");
	char *text;
	size_t size, i;
	int round;
	pid_t pid;

	memset(data, 'a', SIZE);
	ck_assert_int_eq(souk_fs_write(path, data, SIZE, 0600, &err), SOUK_OK);
	pid = fork();
	if (pid == 0) {
		for (round = 0; round < 60; round++) {
			memset(data, 'a' + round % 26, SIZE);
			if (souk_fs_write(path, data, SIZE, 0600, &err) < 0)
				_exit(1);
		}
		_exit(0);
	}
	for (round = 0; waitpid(pid, &round, WNOHANG) == 0;) {
		text = scratch_read(path, &size);
		ck_assert_uint_eq(size, SIZE);
		for (i = 1; i < SIZE; i++)
			ck_assert_int_eq(text[i], text[0]);
		free(text);
	}
	ck_assert_int_eq(round, 0);
}
END_TEST

START_TEST(makes_folders)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct stat st;

	ck_assert_int_eq(souk_fs_mkdir(scratch_path("a/b/c"), 0700, &err), SOUK_OK);
	ck_assert_int_eq(souk_fs_mkdir(scratch_path("a/b/c"), 0700, &err), SOUK_OK);
	ck_assert_int_eq(souk_fs_mkdir(scratch_path("a//b/d/"), 0700, &err), SOUK_OK);
	ck_assert_int_eq(souk_fs_is_dir(scratch_path("a/b/d")), 1);
	ck_assert_int_eq(stat(scratch_path("a/b"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0700);
	scratch_text(scratch_path("a/file"), "");
	ck_assert_int_eq(souk_fs_mkdir(scratch_path("a/file"), 0700, &err), SOUK_E_CONFLICT);
	ck_assert_int_lt(souk_fs_mkdir(scratch_path("a/file/b"), 0700, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.message, "a/file"));
	ck_assert_int_eq(souk_fs_mkdir("/", 0700, &err), SOUK_OK);
	ck_assert_int_eq(souk_fs_is_file(scratch_path("a/file")), 1);
	ck_assert_int_eq(souk_fs_is_file(scratch_path("a")), 0);
	ck_assert_int_eq(souk_fs_is_dir(scratch_path("a/file")), 0);
	ck_assert_int_eq(souk_fs_is_dir(scratch_path("none")), 0);
}
END_TEST

/* ---- Removing ---- */

START_TEST(removes_trees_and_no_more)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int i;

	scratch_mkdir(scratch_path("outside"));
	scratch_text(scratch_path("outside/kept"), "kept");
	scratch_mkdir(scratch_path("tree/deep/deeper"));
	scratch_text(scratch_path("tree/deep/file"), "x");
	ck_assert_int_eq(symlink("../outside", scratch_path("tree/link")), 0);
	ck_assert_int_eq(symlink("/nonexistent", scratch_path("tree/dangling")), 0);
	ck_assert_int_eq(symlink("..", scratch_path("tree/deep/up")), 0);
	ck_assert_int_eq(mkfifo(scratch_path("tree/pipe"), 0600), 0);
	scratch_mkdir(scratch_path("tree/many"));
	for (i = 0; i < 3000; i++)
		scratch_text(scratch_path("tree/many/%d", i), "");
	ck_assert_int_eq(souk_fs_remove(scratch_path("tree"), &err), SOUK_OK);
	ck_assert_int_eq(access(scratch_path("tree"), F_OK), -1);
	ck_assert_int_eq(access(scratch_path("outside/kept"), F_OK), 0);
	/* A link to a folder is removed, not what it leads to. */
	ck_assert_int_eq(symlink("outside", scratch_path("link")), 0);
	ck_assert_int_eq(souk_fs_remove(scratch_path("link"), &err), SOUK_OK);
	ck_assert_int_eq(access(scratch_path("outside/kept"), F_OK), 0);
	ck_assert_int_eq(souk_fs_remove(scratch_path("outside/kept"), &err), SOUK_OK);
	ck_assert_int_eq(souk_fs_remove(scratch_path("never/was"), &err), SOUK_OK);
	ck_assert_int_eq(count_names(scratch), 1);
}
END_TEST

static int remove_read_only(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	CHILD_CHECK(souk_fs_mkdir(scratch_path("tree/closed/inner"), 0700, &err) == SOUK_OK);
	CHILD_CHECK(souk_fs_write(scratch_path("tree/closed/file"), "x", 1, 0400, &err) == SOUK_OK);
	CHILD_CHECK(souk_fs_write(scratch_path("tree/closed/inner/f"), "x", 1, 0, &err) == SOUK_OK);
	CHILD_CHECK(chmod(scratch_path("tree/closed/inner"), 0) == 0);
	CHILD_CHECK(chmod(scratch_path("tree/closed"), 0500) == 0);
	CHILD_CHECK(chmod(scratch_path("tree"), 0500) == 0);
	CHILD_CHECK(unlink(scratch_path("tree/closed/file")) < 0 && errno == EACCES);
	CHILD_CHECK(souk_fs_remove(scratch_path("tree"), &err) == SOUK_OK);
	CHILD_CHECK(access(scratch_path("tree"), F_OK) < 0 && errno == ENOENT);
	return 0;
}

START_TEST(removes_read_only_folders)
{
	ck_assert_int_eq(scratch_as_user(remove_read_only), 0);
}
END_TEST

static int remove_not_allowed(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	CHILD_CHECK(souk_fs_mkdir(scratch_path("own/file"), 0700, &err) == SOUK_OK);
	CHILD_CHECK(chmod(scratch_path("own"), 0500) == 0);
	CHILD_CHECK(souk_fs_remove(scratch_path("own/file"), &err) == SOUK_E_AUTH);
	CHILD_CHECK(strstr(err.message, "own/file") != NULL);
	CHILD_CHECK(chmod(scratch_path("own"), 0700) == 0);
	return 0;
}

START_TEST(says_what_it_may_not_remove)
{
	ck_assert_int_eq(scratch_as_user(remove_not_allowed), 0);
}
END_TEST

/* ---- Trust ---- */

static int is_trusted(const char *path, const char *why)
{
	struct souk_error err = SOUK_ERROR_INIT;
	int ret = souk_fs_check_trusted(path, &err);

	if (!why)
		return ret == SOUK_OK;
	return ret == SOUK_E_AUTH && strstr(err.message, why) != NULL;
}

START_TEST(trusts_what_nobody_else_can_write)
{
	struct souk_error err = SOUK_ERROR_INIT;
	const char *file = scratch_path("folder/file");

	scratch_mkdir(scratch_path("folder"));
	scratch_text(file, "x");
	ck_assert_int_eq(chmod(file, 0644), 0);
	ck_assert(is_trusted(file, NULL));
	ck_assert(is_trusted("/", NULL));
	ck_assert_int_eq(chmod(file, 0664), 0);
	ck_assert(is_trusted(file, "mode 0664"));
	ck_assert_int_eq(chmod(file, 0646), 0);
	ck_assert(is_trusted(file, "mode 0646"));
	ck_assert_int_eq(chmod(file, 0600), 0);
	ck_assert_int_eq(chmod(scratch_path("folder"), 0770), 0);
	ck_assert(is_trusted(file, "mode 0770"));
	/* A sticky folder does not keep others from putting a file there. */
	ck_assert_int_eq(chmod(scratch_path("folder"), 01777), 0);
	ck_assert(is_trusted(file, "mode 1777"));
	ck_assert_int_eq(chmod(scratch_path("folder"), 0755), 0);
	ck_assert(is_trusted(file, NULL));
	ck_assert_int_eq(souk_fs_check_trusted(scratch_path("none"), &err), SOUK_E_NOT_FOUND);
}
END_TEST

START_TEST(does_not_trust_links_of_others)
{
	scratch_mkdir(scratch_path("good"));
	scratch_mkdir(scratch_path("open"));
	scratch_text(scratch_path("good/file"), "x");
	scratch_text(scratch_path("open/file"), "x");
	ck_assert_int_eq(chmod(scratch_path("open"), 0777), 0);
	/* What a link leads to counts, and so does the folder in which it can be turned. */
	ck_assert_int_eq(symlink("../open/file", scratch_path("good/link")), 0);
	ck_assert(is_trusted(scratch_path("good/link"), "open' (mode 0777)"));
	ck_assert_int_eq(symlink("../good/file", scratch_path("open/link")), 0);
	ck_assert(is_trusted(scratch_path("open/link"), "open' (mode 0777)"));
	ck_assert_int_eq(symlink("file", scratch_path("good/own")), 0);
	ck_assert(is_trusted(scratch_path("good/own"), NULL));
}
END_TEST

START_TEST(does_not_trust_another_owner)
{
	const char *file = scratch_path("folder/file");

	if (geteuid() != 0)
		return;
	scratch_mkdir(scratch_path("folder"));
	scratch_text(file, "x");
	ck_assert_int_eq(chown(file, NOBODY, NOBODY), 0);
	ck_assert(is_trusted(file, "another user (uid 65534)"));
	ck_assert_int_eq(chown(file, 0, 0), 0);
	ck_assert(is_trusted(file, NULL));
	ck_assert_int_eq(chown(scratch_path("folder"), NOBODY, NOBODY), 0);
	ck_assert(is_trusted(file, "another user (uid 65534)"));
}
END_TEST

/* ---- Paths ---- */

START_TEST(paths)
{
	char *text;

	text = souk_fs_join("a", "b");
	ck_assert_str_eq(text, "a/b");
	free(text);
	text = souk_fs_join("a/", "b");
	ck_assert_str_eq(text, "a/b");
	free(text);
	ck_assert_int_eq(setenv("HOME", "/home/someone", 1), 0);
	text = souk_fs_expand("~/x");
	ck_assert_str_eq(text, "/home/someone/x");
	free(text);
	text = souk_fs_expand("~");
	ck_assert_str_eq(text, "/home/someone");
	free(text);
	text = souk_fs_expand("~other/x");
	ck_assert_str_eq(text, "~other/x");
	free(text);
	ck_assert_str_eq(souk_fs_basename("/a/b"), "b");
	ck_assert_str_eq(souk_fs_basename("b"), "b");
}
END_TEST

START_TEST(finds_programs)
{
	char path[512], *found;

	scratch_mkdir(scratch_path("one"));
	scratch_mkdir(scratch_path("two/tool"));
	scratch_mkdir(scratch_path("three"));
	scratch_text(scratch_path("one/tool"), "not executable");
	scratch_text(scratch_path("three/tool"), "#!/bin/sh\n");
	ck_assert_int_eq(chmod(scratch_path("one/tool"), 0644), 0);
	ck_assert_int_eq(chmod(scratch_path("three/tool"), 0755), 0);
	snprintf(path, sizeof(path), "%s:%s:%s", scratch_path("one"), scratch_path("two"),
		 scratch_path("three"));
	ck_assert_int_eq(setenv("PATH", path, 1), 0);
	found = souk_fs_find_program("tool");
	ck_assert_str_eq(found, scratch_path("three/tool"));
	free(found);
	ck_assert_ptr_null(souk_fs_find_program("no-such-tool"));
	found = souk_fs_find_program(scratch_path("three/tool"));
	ck_assert_str_eq(found, scratch_path("three/tool"));
	free(found);
	ck_assert_ptr_null(souk_fs_find_program(scratch_path("two/tool")));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fs");
	TCase *tc = tcase_create("fs");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, scratch_make, scratch_remove);
	tcase_add_loop_test(tc, reads_up_to_a_ceiling, 0, 7);
	tcase_add_test(tc, reading_what_is_no_file);
	tcase_add_test(tc, writes_with_its_mode);
	tcase_add_test(tc, a_failed_write_leaves_the_old_file);
	tcase_add_test(tc, a_reader_sees_the_old_or_the_new);
	tcase_add_test(tc, makes_folders);
	tcase_add_test(tc, removes_trees_and_no_more);
	tcase_add_test(tc, removes_read_only_folders);
	tcase_add_test(tc, says_what_it_may_not_remove);
	tcase_add_test(tc, trusts_what_nobody_else_can_write);
	tcase_add_test(tc, does_not_trust_links_of_others);
	tcase_add_test(tc, does_not_trust_another_owner);
	tcase_add_test(tc, paths);
	tcase_add_test(tc, finds_programs);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
