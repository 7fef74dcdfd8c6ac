/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stamp.h - a note that this very file was loaded without harm before */
#ifndef SOUK_PROVIDER_STAMP_H
#define SOUK_PROVIDER_STAMP_H

/*
 * Trying a module out in a child costs more than loading it. A stamp in 'folder' (of the cache)
 * remembers the file by path, device, inode, size and times of change; any other file, or one
 * that was touched, has to be tried again.
 */

/* 1 if the module's file is the one that was stamped. */
int souk_stamp_matches(const char *folder, const char *module_path);

/* Stamp it. What cannot be written costs time only, so there is no error. */
void souk_stamp_write(const char *folder, const char *module_path);

#endif
