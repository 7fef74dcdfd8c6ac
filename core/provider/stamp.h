/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stamp.h - a note that this very file was loaded without harm before, and what it said */
#ifndef SOUK_PROVIDER_STAMP_H
#define SOUK_PROVIDER_STAMP_H

#include <stdint.h>

#include <souk/provider.h>

#include "base/strv.h"

/*
 * Trying a module out in a child costs more than loading it, and loading it more than planning
 * with it. A stamp in 'folder' (of the cache) remembers the file by path, device, inode, size
 * and times of change; any other file, or one that was touched, has to be tried again. Once it
 * was loaded and found good, the stamp also has what the module says of itself.
 */

/* souk_module_facts.ops: the optional operations that a module has */
enum {
	SOUK_MODULE_QUOTE = 1u << 0,
	SOUK_MODULE_EXEC = 1u << 1,
	SOUK_MODULE_PUT = 1u << 2,
	SOUK_MODULE_GET = 1u << 3,
	SOUK_MODULE_LIST_INSTANCES = 1u << 4,
	SOUK_MODULE_CHECK = 1u << 5,
	SOUK_MODULE_STOP = 1u << 6,
	SOUK_MODULE_START = 1u << 7,
	SOUK_MODULE_OPEN_PORTS = 1u << 8,
	SOUK_MODULE_SET_ON_SHUTDOWN = 1u << 9,
	SOUK_MODULE_SWEEP = 1u << 10
};

/* What a module says of itself. Texts are its own. */
struct souk_module_facts {
	uint64_t features;	/* SOUK_FEATURE_... */
	uint32_t ops;		/* SOUK_MODULE_... */
	int needs_credentials;	/* 0: it declares no signs */
	struct souk_strv signs;	/* of credentials; see souk/provider.h */
	char *title;		/* for people; NULL: none */
};

void souk_module_facts_fini(struct souk_module_facts *facts);

/* Take them from the operations, which are ours: what the module does not know is 0. */
int souk_module_facts_take(const struct souk_provider_ops *ops, struct souk_module_facts *facts_out,
			   struct souk_error *err);

/*
 * 1 if the module's file is the one that was stamped. *known_out (may be NULL) is 1 if the stamp
 * has facts, of this very version of souk; they are then the caller's.
 */
int souk_stamp_read(const char *folder, const char *module_path, struct souk_module_facts *facts_out,
		    int *known_out);

/* Stamp it, with facts if there are any. What cannot be written costs time only, so there is no error. */
void souk_stamp_write(const char *folder, const char *module_path,
		      const struct souk_module_facts *facts);

#endif
