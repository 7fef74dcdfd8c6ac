/* SPDX-License-Identifier: Apache-2.0 */
/* provider/module.h - provider modules: finding, checking and loading them */
#ifndef SOUK_PROVIDER_MODULE_H
#define SOUK_PROVIDER_MODULE_H

#include <pthread.h>

#include <souk/provider.h>

#include "base/paths.h"
#include "provider/stamp.h"

/* A module that was found; 'ops' is valid once it is loaded. */
struct souk_module {
	char *name;
	char *path;
	char *stamps;			/* folder of the notes of files that do no harm */
	void *handle;			/* of dlopen; NULL: not loaded */
	struct souk_provider_ops ops;	/* ours: what the module does not know is 0 */
	const struct souk_option **options; /* as the module's own size says; ended by NULL */
	pthread_mutex_t serial;		/* held during each call if ops.threads is SERIAL */
	struct souk_module_facts facts;	/* valid once loaded, or asked for */
	int has_facts;
	int refused;			/* a code: loading was tried and failed */
	char *problem;			/* and why */
};

/* The modules of all folders, by name; the first folder that has a name wins. */
struct souk_modules {
	struct souk_module **items;
	size_t n;
};

/*
 * Look into the folders of 'further' (ended by NULL; may be NULL), of SOUK_PROVIDER_PATH (colons
 * between), into $XDG_DATA_HOME/souk/providers and $libdir/providers, in this order. Loads
 * nothing. A folder that is not there is skipped.
 */
int souk_modules_find(const struct souk_paths *paths, const char *const *further,
		      struct souk_modules *modules_out, struct souk_error *err);
void souk_modules_fini(struct souk_modules *modules);

/* The module of a provider; NULL if there is none. Borrowed. */
struct souk_module *souk_modules_get(const struct souk_modules *modules, const char *name);

/*
 * Load a module: its file and folder must belong to root or us and be writable by nobody
 * else, a file that is new to us is first loaded in a child process, so that a crash in its
 * constructor is an error and not ours, its ABI number must be ours and the required ops must be there. A refusal is
 * one clear sentence and is remembered. Loading what is loaded does nothing. Not thread-safe.
 */
int souk_module_load(struct souk_module *module, struct souk_error *err);

/*
 * What the module says of itself. A file that was loaded before is not loaded for that: its
 * stamp knows. One that is new to us is. Fails as souk_module_load() does. Borrowed from the module.
 */
int souk_module_facts(struct souk_module *module, const struct souk_module_facts **facts_out,
		      struct souk_error *err);

#endif
