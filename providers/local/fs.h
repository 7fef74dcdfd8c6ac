/* SPDX-License-Identifier: Apache-2.0 */
/* fs.h - small files, folders and mounts of a machine, for the module and for its supervisor */
#ifndef LOCAL_FS_H
#define LOCAL_FS_H

#include <stddef.h>
#include <sys/types.h>

/* Functions return 0 or a negative errno. */

/* Make a folder and what is missing above it, each with mode 0700. */
int local_make_folders(const char *path);

/* Write the file 'name' in the folder 'dirfd' so that a reader sees the old text or the new. */
int local_write_file(int dirfd, const char *name, mode_t mode, const char *text);

/*
 * Read the file 'name' in the folder 'dirfd', of at most 'max' bytes (-EFBIG). *text_out ends
 * in NUL and is freed with free(); a file that holds a NUL is -EBADMSG.
 */
int local_read_file(int dirfd, const char *name, size_t max, char **text_out);

/*
 * Remove the folder 'name' in 'dirfd' with all that is in it. Symbolic links are not followed
 * and nothing on another file system is touched (-EXDEV). Needs the same few descriptors for
 * a tree of any depth. A folder that is not there, or goes meanwhile, is no error.
 */
int local_remove_tree(int dirfd, const char *name);

/*
 * Give the mount points below 'path' (absolute, without symbolic links), one call of 'found'
 * each, the last mounted first. 'found' returns 0 to go on.
 */
int local_each_mount(const char *path, int (*found)(const char *mount, void *arg), void *arg);

/* Unmount what is mounted below 'path', as far as this process may do that. */
int local_unmount_below(const char *path);

#endif
