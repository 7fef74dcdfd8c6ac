/* SPDX-License-Identifier: Apache-2.0 */
/* doctor-host.c - what can be wrong on this computer: store, folders, locks, programs, catalogues */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "doctor-internal.h"

enum { LOCKS_MAX = 1 << 20 };

/* ---- The store ---- */

int doctor_look_at_store(struct souk_doctor *doctor, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret = souk_need_store(doctor->souk, 0, &own);

	if (ret == SOUK_E_NOT_FOUND)
		return doctor_check(doctor, "store", "ok", NULL, NULL, err,
				    "there is no store yet: nothing was launched from here");
	if (ret == SOUK_OK)
		ret = souk_store_verify(doctor->souk->store, &own);
	if (ret == SOUK_OK)
		return doctor_check(doctor, "store", "ok", NULL, NULL, err, "the store is whole");
	if (ret == SOUK_E_NOMEM) {
		*err = own;
		return ret;
	}
	doctor->blind = 1;
	return doctor_check(doctor, "store", "problem", NULL,
			    own.hint[0] ? own.hint : "nothing is torn down while the store cannot be read",
			    err, "%s", own.message);
}

/* ---- Permissions ---- */

/* Nobody else may have these bits of it. What is not there is fine. */
static int check_mode(struct souk_doctor *doctor, const char *path, mode_t forbidden,
		      struct souk_error *err)
{
	SOUK_AUTO_FREE char *hint = NULL;
	struct stat st;

	if (stat(path, &st) < 0) {
		if (errno == ENOENT)
			return SOUK_OK;
		return doctor_check(doctor, "permissions", "problem", NULL, NULL, err,
				    "cannot look at '%s': %s", path, strerror(errno));
	}
	if (st.st_uid != geteuid())
		return doctor_check(doctor, "permissions", "problem", NULL, NULL, err,
				    "'%s' belongs to the user %u", path, (unsigned)st.st_uid);
	if (!(st.st_mode & forbidden))
		return SOUK_OK;
	if (asprintf(&hint, "chmod %s '%s'", forbidden & 044 ? "go-rwx" : "go-w", path) < 0) {
		hint = NULL;
		return souk_error_nomem(err);
	}
	return doctor_check(doctor, "permissions", "problem", NULL, hint, err,
			    "others may %s '%s'", st.st_mode & forbidden & 022 ? "write" : "read", path);
}

static int check_file_in(struct souk_doctor *doctor, const char *folder, const char *name,
			 mode_t forbidden, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, name);

	return path ? check_mode(doctor, path, forbidden, err) : souk_error_nomem(err);
}

static int check_permissions(struct souk_doctor *doctor, struct souk_error *err)
{
	static const char *const private_names[] = { "souk.db", "locks", "clusters", "providers" };
	const struct souk_paths *paths = &doctor->souk->paths;
	size_t had = doctor->n, i;
	int ret;

	ret = check_mode(doctor, paths->state, 077, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(private_names) && ret == SOUK_OK; i++)
		ret = check_file_in(doctor, paths->state, private_names[i], 077, err);
	if (ret == SOUK_OK)
		ret = check_mode(doctor, paths->config, 022, err);
	if (ret == SOUK_OK)
		ret = check_file_in(doctor, paths->config, "config.yaml", 022, err);
	if (ret == SOUK_OK)
		ret = check_mode(doctor, paths->cache, 022, err);
	if (ret == SOUK_OK)
		ret = check_file_in(doctor, paths->cache, "catalog", 022, err);
	if (ret == SOUK_OK && doctor->n == had)
		ret = doctor_check(doctor, "permissions", "ok", NULL, NULL, err,
				   "the folders are the user's own");
	return ret;
}

/* ---- Folders of clusters, locks, requests ---- */

typedef int (*entry_fn)(struct souk_doctor *doctor, const struct doctor_snapshot *store,
			const char *path, const char *name, struct souk_error *err);

/* Call fn for each entry of a folder of the state; none if it is not there. */
static int for_each_entry(struct souk_doctor *doctor, const struct doctor_snapshot *store,
			  const char *folder, entry_fn fn, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(doctor->souk->paths.state, folder);
	struct dirent *entry;
	DIR *dir;
	int ret = SOUK_OK;

	if (!path)
		return souk_error_nomem(err);
	dir = opendir(path);
	if (!dir)
		return SOUK_OK;
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL) {
		SOUK_AUTO_FREE char *item = NULL;

		if (entry->d_name[0] == '.')
			continue;
		item = souk_fs_join(path, entry->d_name);
		ret = item ? fn(doctor, store, item, entry->d_name, err) : souk_error_nomem(err);
	}
	closedir(dir);
	return ret;
}

static int has_intent(const struct doctor_snapshot *store, const char *cluster)
{
	size_t i;

	for (i = 0; i < store->n_intents; i++)
		if (strcmp(store->intents[i].cluster, cluster) == 0)
			return 1;
	return 0;
}

/* 1: somebody has it, 0: nobody, -1: it cannot be told. */
static int is_held(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), held;

	if (fd < 0)
		return -1;
	held = flock(fd, LOCK_EX | LOCK_NB) < 0 ? (errno == EWOULDBLOCK ? 1 : -1) : 0;
	close(fd);
	return held;
}

/* The process on this computer that holds the lock of a file, by /proc/locks; 0: not known. */
static long holder_of(const char *path)
{
	SOUK_AUTO_FREE char *text = NULL;
	char *line, *rest;
	unsigned long inode;
	struct stat st;
	long pid;

	if (stat(path, &st) < 0 || souk_fs_read("/proc/locks", LOCKS_MAX, &text, NULL, NULL) < 0)
		return 0;
	rest = text;
	while ((line = strsep(&rest, "\n")) != NULL)
		if (sscanf(line, "%*d: FLOCK %*s %*s %ld %*x:%*x:%lu", &pid, &inode) == 2 &&
		    inode == (unsigned long)st.st_ino)
			return pid;
	return 0;
}

/* A process that was stopped (Ctrl-Z, a debugger) holds its locks for ever. */
static int is_stopped(long pid)
{
	SOUK_AUTO_FREE char *text = NULL;
	char path[64];
	const char *state;

	snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
	if (pid <= 0 || souk_fs_read(path, 4096, &text, NULL, NULL) < 0)
		return 0;
	state = strrchr(text, ')');
	return state && state[1] == ' ' && (state[2] == 'T' || state[2] == 't');
}

static int check_lock(struct souk_doctor *doctor, const struct doctor_snapshot *store,
		      const char *path, const char *name, struct souk_error *err)
{
	long pid;

	(void)store;
	if (is_held(path) != 1)
		return SOUK_OK;
	pid = holder_of(path);
	if (is_stopped(pid))
		return doctor_check(doctor, "lock", "problem", NULL,
				    "'kill -CONT' lets it go on; if it is killed, its lock is free", err,
				    "the process %ld, which is stopped, holds the lock of '%s'", pid,
				    name);
	if (pid > 0)
		return doctor_check(doctor, "lock", "note", NULL, NULL, err,
				    "the process %ld is working on '%s'", pid, name);
	return doctor_check(doctor, "lock", "note", NULL, NULL, err,
			    "another souk is working on '%s'", name);
}

/* Keys of a cluster that is gone. */
static int check_cluster_folder(struct souk_doctor *doctor, const struct doctor_snapshot *store,
				const char *path, const char *name, struct souk_error *err)
{
	SOUK_AUTO_FREE char *lock = NULL;
	int ret;

	ret = check_mode(doctor, path, 077, err);
	if (ret < 0 || doctor_snapshot_cluster(store, name) || has_intent(store, name))
		return ret;
	if (asprintf(&lock, "%s/locks/%s", doctor->souk->paths.state, name) < 0) {
		lock = NULL;
		return souk_error_nomem(err);
	}
	if (is_held(lock) == 1)
		return SOUK_OK;
	return doctor_check(doctor, "keys", "note", NULL, NULL, err,
			    "'%s' has the keys of a cluster that is gone", path);
}

static int check_intents(struct souk_doctor *doctor, const struct doctor_snapshot *store,
			 struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < store->n_intents && ret == SOUK_OK; i++) {
		const struct souk_store_intent *intent = &store->intents[i];
		SOUK_AUTO_FREE char *lock = NULL;

		if (asprintf(&lock, "%s/locks/%s", doctor->souk->paths.state, intent->cluster) < 0) {
			lock = NULL;
			return souk_error_nomem(err);
		}
		if (is_held(lock) != 1)
			ret = doctor_check(doctor, "request", "problem", intent->provider,
					   "'souk status --refresh' settles it", err,
					   "a request for '%s' in '%s' is not settled", intent->cluster,
					   intent->region);
	}
	return ret;
}

/* ---- Programs ---- */

static int check_programs(struct souk_doctor *doctor, struct souk_error *err)
{
	static const struct {
		const char *name;
		const char *standing;
		const char *without;
	} programs[] = {
		{ "ssh", "problem", "'souk ssh' needs it; install OpenSSH's client" },
		{ "rsync", "note", "files are copied whole each time, with tar" },
		{ "rclone", "note", "buckets cannot be mounted or copied" },
	};
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < SOUK_ARRAY_SIZE(programs) && ret == SOUK_OK; i++) {
		SOUK_AUTO_FREE char *path = souk_fs_find_program(programs[i].name);

		if (path)
			ret = doctor_check(doctor, "program", "ok", NULL, NULL, err, "%s: %s",
					   programs[i].name, path);
		else
			ret = doctor_check(doctor, "program", programs[i].standing, NULL, NULL, err,
					   "there is no %s in PATH: %s", programs[i].name,
					   programs[i].without);
	}
	return ret;
}

/* ---- Catalogues ---- */

/* Whoever meets a damaged one sets it aside, and goes on with older prices. */
static int check_aside(struct souk_doctor *doctor, const struct souk_catalogs_row *row,
		       struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/catalog/%s.catalog.damaged", doctor->souk->paths.cache,
		     row->provider) < 0) {
		path = NULL;
		return souk_error_nomem(err);
	}
	if (!souk_fs_is_file(path))
		return SOUK_OK;
	return doctor_check(doctor, "catalog", "note", row->provider, NULL, err,
			    "a catalogue that was damaged was set aside: '%s'", path);
}

static int check_catalog(struct souk_doctor *doctor, const struct souk_catalogs_row *row,
			 struct souk_error *err)
{
	SOUK_AUTO_FREE char *hint = NULL;
	int ret = check_aside(doctor, row, err);

	if (ret < 0)
		return ret;
	if (row->path && row->problem) {
		if (asprintf(&hint, "'souk catalog update %s' makes it anew", row->provider) < 0) {
			hint = NULL;
			return souk_error_nomem(err);
		}
		return doctor_check(doctor, "catalog", "problem", row->provider, hint, err, "%s",
				    row->problem);
	}
	if (row->stale)
		return doctor_check(doctor, "catalog", "note", row->provider, NULL, err,
				    "its prices are %lld days old", (long long)row->age_days);
	return SOUK_OK;
}

static int check_catalogs(struct souk_doctor *doctor, struct souk_error *err)
{
	const struct souk_doctor_options *options = doctor->options;
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_catalogs *catalogs;
	size_t had = doctor->n, i;
	int ret;

	ret = souk_catalogs_info(doctor->souk, options->names, options->n, 1, &catalogs, &own);
	if (ret == SOUK_E_NOMEM || ret == SOUK_E_CANCELLED) {
		*err = own;
		return ret;
	}
	if (ret < 0)
		return doctor_check(doctor, "catalog", "problem", NULL, own.hint[0] ? own.hint : NULL,
				    err, "%s", own.message);
	for (i = 0; i < souk_catalogs_count(catalogs) && ret == SOUK_OK; i++)
		ret = check_catalog(doctor, souk_catalogs_row(catalogs, i), err);
	if (ret == SOUK_OK && doctor->n == had)
		ret = doctor_check(doctor, "catalog", "ok", NULL, NULL, err, "%zu catalogues are whole",
				   souk_catalogs_count(catalogs));
	souk_catalogs_free(catalogs);
	return ret;
}

int doctor_look_at_host(struct souk_doctor *doctor, struct souk_error *err)
{
	struct doctor_snapshot store;
	int ret;

	ret = doctor_snapshot_take(doctor, &store, err);
	if (ret < 0)
		return ret;
	ret = check_permissions(doctor, err);
	if (ret == SOUK_OK)
		ret = for_each_entry(doctor, &store, "locks", check_lock, err);
	if (ret == SOUK_OK && !doctor->blind)
		ret = for_each_entry(doctor, &store, "clusters", check_cluster_folder, err);
	if (ret == SOUK_OK)
		ret = check_intents(doctor, &store, err);
	if (ret == SOUK_OK)
		ret = check_programs(doctor, err);
	if (ret == SOUK_OK)
		ret = check_catalogs(doctor, err);
	doctor_snapshot_fini(&store);
	return ret;
}
