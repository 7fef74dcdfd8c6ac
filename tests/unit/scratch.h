/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.h - a folder for one test, and small helpers to fill it and to look at it */
#ifndef SCRATCH_H
#define SCRATCH_H

#include <check.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fs.h"

#define NOBODY 65534

/* Made by scratch_make() before each test, removed with all that is in it after it. */
static char scratch[64];

static inline void scratch_make(void)
{
	snprintf(scratch, sizeof(scratch), "/tmp/souk-unit-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
}

static inline void scratch_remove(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_msg(souk_fs_remove(scratch, &err) == SOUK_OK, "%s", err.message);
}

/* A path in the scratch folder; valid until 8 more were asked for. */
static inline const char *scratch_path(const char *fmt, ...) SOUK_PRINTF(1, 2);
static inline const char *scratch_path(const char *fmt, ...)
{
	static char paths[8][512];
	static unsigned next;
	char *path = paths[next++ % 8];
	char name[400];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	snprintf(path, sizeof(paths[0]), "%s/%s", scratch, name);
	return path;
}

static inline void scratch_write(const char *path, const void *data, size_t size)
{
	FILE *file = fopen(path, "w");

	ck_assert_msg(file != NULL, "cannot write %s", path);
	ck_assert_uint_eq(fwrite(data, 1, size, file), size);
	ck_assert_int_eq(fclose(file), 0);
}

static inline void scratch_text(const char *path, const char *text)
{
	scratch_write(path, text, strlen(text));
}

static inline void scratch_mkdir(const char *path)
{
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_msg(souk_fs_mkdir(path, 0700, &err) == SOUK_OK, "%s", err.message);
}

/* The whole of a file; the caller frees it. */
static inline char *scratch_read(const char *path, size_t *size_out)
{
	struct souk_error err = SOUK_ERROR_INIT;
	char *text = NULL;

	ck_assert_msg(souk_fs_read(path, 256 << 20, &text, size_out, &err) == SOUK_OK, "%s",
		      err.message);
	return text;
}

static inline void scratch_copy(const char *from, const char *to)
{
	size_t size;
	char *data = scratch_read(from, &size);

	scratch_write(to, data, size);
	ck_assert_int_eq(chmod(to, 0755), 0);
	free(data);
}

/* The status of a child, as waitpid gives it. */
static inline int scratch_wait(pid_t pid)
{
	int status = 0;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

/* In a child of scratch_as_user(): leave with the line that failed. */
#define CHILD_CHECK(condition)                                                                     \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);    \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

/*
 * Run a function in a child that is not root, to whom permissions mean something and who owns
 * the scratch folder. 0: it returned 0.
 */
static inline int scratch_as_user(int (*function)(void))
{
	pid_t pid;
	int status;

	if (geteuid() == 0)
		ck_assert_int_eq(chown(scratch, NOBODY, NOBODY), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
			_exit(2);
		_exit(function());
	}
	status = scratch_wait(pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The number of descriptors that this process has open. */
static inline int scratch_count_fds(void)
{
	int n = 0, fd;

	for (fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

#endif
