/* SPDX-License-Identifier: Apache-2.0 */
/* base/fs.h - files and folders: bounded reads, atomic writes, whole trees */
#ifndef SOUK_BASE_FS_H
#define SOUK_BASE_FS_H

#include <stddef.h>
#include <sys/types.h>

#include <souk/provider.h>

/* Read a whole file of at most 'ceiling' bytes. *text_out is NUL-ended (size_out may be NULL)
 * and freed with free(). NOT_FOUND if it does not exist, INVALID if it is larger. */
int souk_fs_read(const char *path, size_t ceiling, char **text_out, size_t *size_out,
		 struct souk_error *err);

/* Write a file so that a reader sees the old or the new one whole: a temporary file beside it,
 * fsync, rename, fsync of the folder. */
int souk_fs_write(const char *path, const void *data, size_t size, mode_t mode,
		  struct souk_error *err);

/* The same without waiting for the disk: after a crash of the computer the file may be torn, which
 * its reader has to be able to tell. */
int souk_fs_write_lazily(const char *path, const void *data, size_t size, mode_t mode,
			 struct souk_error *err);

/* Make a folder and its parents. New ones get 'mode'. */
int souk_fs_mkdir(const char *path, mode_t mode, struct souk_error *err);

/* Remove a file or a tree, without following links. What is not there is removed already. */
int souk_fs_remove(const char *path, struct souk_error *err);

/* "a/b" from "a" and "b"; NULL on no memory. The caller frees it. */
char *souk_fs_join(const char *folder, const char *name);

/* "~" and "~/x" with $HOME, others as they are; NULL on no memory. The caller frees it. */
char *souk_fs_expand(const char *path);

/* The last part of a path, borrowed from it. */
const char *souk_fs_basename(const char *path);

int souk_fs_is_dir(const char *path);
int souk_fs_is_file(const char *path);

/* The path of a program in PATH (or as it is, if it has a slash); NULL if there is none that
 * can be executed. The caller frees it. */
char *souk_fs_find_program(const char *name);

/* Refuse a file or folder that somebody else could write: owner must be root or we, no write
 * for group or others, for it and for the folder that it is in; of a link, for what it leads to
 * and for both folders. AUTH with the reason. */
int souk_fs_check_trusted(const char *path, struct souk_error *err);

#endif
