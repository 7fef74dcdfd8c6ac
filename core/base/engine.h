/* SPDX-License-Identifier: Apache-2.0 */
/* base/engine.h - loading libsouk-engine, the floors that reach out, when first needed */
#ifndef SOUK_BASE_ENGINE_H
#define SOUK_BASE_ENGINE_H

#include <souk/provider.h>

struct souk_net_ops;   /* net/net-ops.h */
struct souk_fleet_ops; /* fleet/fleet.h */

/* What the engine exports, one table a floor. */
struct souk_engine {
	const struct souk_net_ops *net;
	const struct souk_fleet_ops *fleet;
};

/* The one symbol of libsouk-engine.so. */
const struct souk_engine *souk_engine_entry(void);

/*
 * The engine; loaded from the folder 'libdir' on the first call. *engine_out is borrowed for
 * good. Any thread.
 */
int souk_engine_load(const char *libdir, const struct souk_engine **engine_out,
		     struct souk_error *err);

#endif
