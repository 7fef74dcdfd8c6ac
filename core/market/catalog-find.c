/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-find.c - which catalogue files there are, which one counts, and writing them */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"
#include "market/catalog-internal.h"

#define SUFFIX ".catalog"

/* Where files are: the cache, then seeds. A folder may be NULL. */
enum { CACHE, USER_SEEDS, SEEDS, N_FOLDERS };

static const char *folder_of(const struct souk_paths *paths, int which)
{
	return which == CACHE ? paths->cache : which == USER_SEEDS ? paths->data : paths->datadir;
}

/* NULL on no memory. */
static char *path_of(const char *folder, const char *provider)
{
	char *path;

	return asprintf(&path, "%s/catalog/%s" SUFFIX, folder, provider) < 0 ? NULL : path;
}

char *souk_catalog_file_path(const struct souk_paths *paths, const char *provider)
{
	return path_of(paths->cache, provider);
}

/* ---- Setting aside ---- */

/* Rename the file, if its path still leads to it and not to a newer one. */
static int set_aside(const struct souk_catalog_file *file)
{
	SOUK_AUTO_FREE char *aside = NULL;
	struct stat st;

	if (asprintf(&aside, "%s.damaged", file->path) < 0) {
		aside = NULL;
		return 0;
	}
	if (stat(file->path, &st) < 0 || st.st_dev != file->device || st.st_ino != file->inode)
		return 0;
	if (rename(file->path, aside) < 0) {
		souk_log(SOUK_LOG_WARNING, "cannot set '%s' aside: %s", file->path,
			 strerror(errno));
		return 0;
	}
	souk_log(SOUK_LOG_INFO, "'%s' is now '%s'", file->path, aside);
	return 1;
}

int souk_catalog_file_set_aside(const struct souk_paths *paths, struct souk_catalog_file *file)
{
	SOUK_AUTO_FREE char *path = path_of(paths->cache, file->head.provider);

	return path && file->path && strcmp(path, file->path) == 0 && set_aside(file);
}

/* ---- Finding ---- */

/* Open a provider's file of a folder; *file_out is NULL if there is none. */
static int open_in(const char *folder, const char *provider, struct souk_catalog_file **file_out,
		   struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = path_of(folder, provider);
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_file *file;
	int ret;

	*file_out = NULL;
	if (!path)
		return souk_error_nomem(err);
	ret = souk_catalog_file_begin(path, &file, &own);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0) {
		*err = own;
		return ret;
	}
	*file_out = file;
	ret = souk_catalog_file_check(file, err);
	if (ret == SOUK_OK && strcmp(file->head.provider, provider) != 0)
		ret = souk_error_set(err, SOUK_E_INVALID, "'%s' holds the offers of '%s'", path,
				     file->head.provider);
	return ret;
}

static int open_cached(const struct souk_paths *paths, const char *provider,
		       struct souk_catalog_file **file_out, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret = open_in(paths->cache, provider, file_out, &own);

	if (ret == SOUK_OK)
		return SOUK_OK;
	if (ret == SOUK_E_INVALID && *file_out) {
		int aside = set_aside(*file_out);

		souk_log(SOUK_LOG_WARNING, "%s: %s", own.message,
			 aside ? "it is set aside, 'souk catalog update' makes a new one"
			       : "it is not used");
		souk_catalog_file_close(*file_out);
		*file_out = NULL;
		return SOUK_OK;
	}
	souk_catalog_file_close(*file_out);
	*file_out = NULL;
	if (err)
		*err = own;
	return ret;
}

/* The day of the prices; where it is not known, the day on which the file was made. */
static const char *day_of(const struct souk_catalog_file *file, char text[SOUK_TIME_TEXT_SIZE])
{
	if (file->head.date[0])
		return file->head.date;
	souk_time_text(file->head.made_at, text);
	text[10] = '\0';
	return text;
}

static int is_later(const struct souk_catalog_file *a, const struct souk_catalog_file *b)
{
	char text_a[SOUK_TIME_TEXT_SIZE] = "", text_b[SOUK_TIME_TEXT_SIZE] = "";

	return strcmp(day_of(a, text_a), day_of(b, text_b)) > 0;
}

int souk_catalog_file_find(const struct souk_paths *paths, const char *provider,
			   struct souk_catalog_file **file_out, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalog_file *best = NULL, *seed;
	int ret, which;

	if (!souk_catalog_is_provider(provider))
		return souk_error_set(err, SOUK_E_INVALID, "not a provider's name: '%s'", provider);
	ret = open_cached(paths, provider, &best, err);
	for (which = USER_SEEDS; which < N_FOLDERS && ret == SOUK_OK; which++) {
		if (!folder_of(paths, which))
			continue;
		if (open_in(folder_of(paths, which), provider, &seed, &own) < 0) {
			souk_catalog_file_close(seed);
			if (own.code == SOUK_E_NOMEM)
				ret = souk_error_nomem(err);
			continue;
		}
		if (seed && (!best || is_later(seed, best))) {
			souk_catalog_file_close(best);
			best = seed;
		} else {
			souk_catalog_file_close(seed);
		}
	}
	if (ret < 0) {
		souk_catalog_file_close(best);
		return ret;
	}
	if (!best) {
		if (own.code == SOUK_OK)
			return souk_error_set(err, SOUK_E_NOT_FOUND, "no offers of '%s' are known",
					      provider);
		if (err)
			*err = own;
		return own.code;
	}
	if (own.code != SOUK_OK)
		souk_log(SOUK_LOG_WARNING, "%s", own.message);
	*file_out = best;
	return SOUK_OK;
}

int souk_catalog_file_exists(const struct souk_paths *paths, const char *provider)
{
	int which, found = 0;

	if (!souk_catalog_is_provider(provider))
		return 0;
	for (which = 0; which < N_FOLDERS && !found; which++) {
		SOUK_AUTO_FREE char *path = folder_of(paths, which) ?
			path_of(folder_of(paths, which), provider) : NULL;

		found = path && souk_fs_is_file(path);
	}
	return found;
}

/* ---- Names ---- */

static int add_name(struct souk_strv *names, const char *file, struct souk_error *err)
{
	SOUK_AUTO_FREE char *name = strdup(file);
	size_t len = strlen(file);

	if (!name)
		return souk_error_nomem(err);
	if (len < sizeof(SUFFIX) || strcmp(file + len - (sizeof(SUFFIX) - 1), SUFFIX) != 0)
		return SOUK_OK;
	name[len - (sizeof(SUFFIX) - 1)] = '\0';
	if (!souk_catalog_is_provider(name) || souk_strv_has(names, name))
		return SOUK_OK;
	return souk_strv_add(names, name, err);
}

static int add_names(struct souk_strv *names, const char *folder, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, "catalog");
	struct dirent *entry;
	int ret = SOUK_OK;
	DIR *dir;

	if (!path)
		return souk_error_nomem(err);
	dir = opendir(path);
	if (!dir)
		return errno == ENOENT || errno == ENOTDIR ?
			       SOUK_OK : souk_error_errno(err, errno, "cannot read '%s'", path);
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		ret = add_name(names, entry->d_name, err);
	closedir(dir);
	return ret;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int souk_catalog_file_names(const struct souk_paths *paths, struct souk_strv *names_out,
			    struct souk_error *err)
{
	struct souk_strv names = { 0 };
	int which, ret = SOUK_OK;

	for (which = 0; which < N_FOLDERS && ret == SOUK_OK; which++)
		if (folder_of(paths, which))
			ret = add_names(&names, folder_of(paths, which), err);
	if (ret < 0) {
		souk_strv_fini(&names);
		return ret;
	}
	if (names.n > 1)
		qsort(names.items, names.n, sizeof(*names.items), by_text);
	*names_out = names;
	return SOUK_OK;
}

/* ---- Writing ---- */

int souk_catalog_file_write_to(const char *path, const void *image, size_t size,
			       struct souk_error *err)
{
	return souk_fs_write(path, image, size, 0644, err);
}

int souk_catalog_file_write(const struct souk_paths *paths, const char *provider, const void *image,
			    size_t size, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = souk_fs_join(paths->cache, "catalog");
	SOUK_AUTO_FREE char *path = NULL;
	int ret;

	if (!souk_catalog_is_provider(provider))
		return souk_error_set(err, SOUK_E_INVALID, "not a provider's name: '%s'", provider);
	path = path_of(paths->cache, provider);
	if (!folder || !path)
		return souk_error_nomem(err);
	ret = souk_fs_mkdir(folder, 0700, err);
	return ret < 0 ? ret : souk_fs_write(path, image, size, 0600, err);
}

int souk_catalog_file_remove(const struct souk_paths *paths, const char *provider, int *removed_out,
			     struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;

	if (!souk_catalog_is_provider(provider))
		return souk_error_set(err, SOUK_E_INVALID, "not a provider's name: '%s'", provider);
	path = path_of(paths->cache, provider);
	if (!path)
		return souk_error_nomem(err);
	if (unlink(path) == 0) {
		*removed_out = 1;
		return SOUK_OK;
	}
	if (errno != ENOENT)
		return souk_error_errno(err, errno, "cannot remove '%s'", path);
	*removed_out = 0;
	return SOUK_OK;
}
