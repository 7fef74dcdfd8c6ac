/* SPDX-License-Identifier: Apache-2.0 */
/* base/engine.c - loading libsouk-engine when first needed */
#include "base/engine.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/fs.h"
#include "base/error.h"
#include "base/util.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static const struct souk_engine *engine;

static int load_locked(const char *libdir, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(libdir, "libsouk-engine.so");
	const struct souk_engine *(*entry)(void);
	void *handle;

	if (!path)
		return souk_error_nomem(err);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!handle) {
		souk_error_set(err, SOUK_E_INTERNAL, "cannot load the engine: %s", dlerror());
		return souk_error_hint(err, "the package souk is not installed completely");
	}
	*(void **)&entry = dlsym(handle, "souk_engine_entry");
	if (!entry)
		return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is not souk's engine", path);
	engine = entry();
	return SOUK_OK;
}

int souk_engine_load(const char *libdir, const struct souk_engine **engine_out,
		     struct souk_error *err)
{
	int ret = SOUK_OK;

	pthread_mutex_lock(&lock);
	if (!engine)
		ret = load_locked(libdir, err);
	if (ret == SOUK_OK)
		*engine_out = engine;
	pthread_mutex_unlock(&lock);
	return ret;
}
