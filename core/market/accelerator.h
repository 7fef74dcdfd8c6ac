/* SPDX-License-Identifier: Apache-2.0 */
/* market/accelerator.h - the canonical names of accelerators, and what else they are called */
#ifndef SOUK_MARKET_ACCELERATOR_H
#define SOUK_MARKET_ACCELERATOR_H

#include <stddef.h>

#include <souk/provider.h>

struct souk_accelerator_info {
	const char *name;	/* canonical */
	const char *maker;	/* "nvidia", "amd", "intel", "google", "amazon" ...; lower case */
	unsigned memory_gib;	/* of one device */
	const char *aliases;	/* lower case, blanks between; NULL: none */
};

/*
 * The entry for a name or an alias; NULL if it is not in the table. Only letters and digits count,
 * in any case, and words such as "NVIDIA", "GeForce" or "Instinct" count for nothing:
 * "nvidia-tesla-t4" is T4, "NVIDIA GeForce RTX 4090" is RTX4090, "tpu_v5e-8" is tpu-v5e-8.
 */
const struct souk_accelerator_info *souk_accelerator_find(const char *name);

/* The canonical name; a name that is not in the table is its own. Borrowed. */
const char *souk_accelerator_canonical(const char *name);

/* All entries, by name without regard to case. */
const struct souk_accelerator_info *souk_accelerator_table(size_t *n_out);

#endif
