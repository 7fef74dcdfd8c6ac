/* SPDX-License-Identifier: Apache-2.0 */
/* provider/registry.h - the providers of one process: found, chosen, opened when first needed */
#ifndef SOUK_PROVIDER_REGISTRY_H
#define SOUK_PROVIDER_REGISTRY_H

#include "provider/provider.h"

struct souk_registry {
	const struct souk_paths *paths;
	const struct souk_config *config;
	struct souk_modules modules;
	struct souk_provider **opened; /* beside modules.items; NULL: not opened */
	struct souk_strv wanted;       /* --providers; empty: those configured */
};

/* Find the modules. 'wanted' and 'further' end with NULL and may be NULL; a wanted provider
 * without a module is NOT_FOUND and names its package. Paths and config must outlive it. */
int souk_registry_init(struct souk_registry *registry, const struct souk_paths *paths,
		       const struct souk_config *config, const char *const *wanted,
		       const char *const *further, struct souk_error *err);
void souk_registry_fini(struct souk_registry *registry);

/* The opened provider of that name. Borrowed. NOT_FOUND: no such module. */
int souk_registry_get(struct souk_registry *registry, const char *name,
		      struct souk_provider **provider_out, struct souk_error *err);

/* May this provider take part, as far as --providers and the configuration go? */
int souk_registry_allows(const struct souk_registry *registry, const char *name);

/* "no module for the provider 'x' is installed", with the package as hint. Returns NOT_FOUND. */
int souk_registry_missing(const struct souk_registry *registry, const char *name,
			  struct souk_error *err);

/* The names of all modules, with ", " between. The caller frees it; NULL on no memory. */
char *souk_registry_names(const struct souk_registry *registry);

#endif
