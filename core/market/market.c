/* SPDX-License-Identifier: Apache-2.0 */
/* market/market.c - the catalogues of several providers, open at once */
#include "market/market.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/similar.h"
#include "base/util.h"
#include "market/accelerator.h"
#include "market/catalog-format.h"

/* How alike two names must be, of 1000, for one to be meant by the other. */
#define ALIKE 450

static const char *provider_of(const struct souk_catalog_file *file)
{
	return souk_catalog_file_head(file)->provider;
}

int souk_market_add(struct souk_market *market, struct souk_catalog_file *file,
		    struct souk_error *err)
{
	size_t at = market->n;
	void *files;

	if (souk_market_get(market, provider_of(file))) {
		souk_error_set(err, SOUK_E_CONFLICT, "the offers of '%s' are there already",
			       provider_of(file));
		souk_catalog_file_close(file);
		return SOUK_E_CONFLICT;
	}
	files = souk_array_grow(market->files, market->n, sizeof(struct souk_catalog_file *));
	if (!files) {
		souk_catalog_file_close(file);
		return souk_error_nomem(err);
	}
	market->files = files;
	while (at > 0 && strcmp(provider_of(market->files[at - 1]), provider_of(file)) > 0) {
		market->files[at] = market->files[at - 1];
		at--;
	}
	market->files[at] = file;
	market->n++;
	return SOUK_OK;
}

void souk_market_fini(struct souk_market *market)
{
	size_t i;

	if (!market)
		return;
	for (i = 0; i < market->n; i++)
		souk_catalog_file_close(market->files[i]);
	free(market->files);
	*market = (struct souk_market){ 0 };
}

struct souk_catalog_file *souk_market_get(const struct souk_market *market, const char *provider)
{
	size_t low = 0, high = market->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(provider_of(market->files[middle]), provider);

		if (order == 0)
			return market->files[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

struct souk_catalog_work souk_market_work(const struct souk_market *market)
{
	struct souk_catalog_work sum = { 0 };
	size_t i;

	for (i = 0; i < market->n; i++) {
		struct souk_catalog_work work = souk_catalog_file_work(market->files[i]);

		sum.rows += work.rows;
		sum.types += work.types;
		sum.bytes += work.bytes;
	}
	return sum;
}

/* ---- The nearest names ---- */

struct nearest {
	const char *wanted;
	const char **names;
	unsigned *alike;	/* beside names */
	size_t n, room;
};

static void consider(struct nearest *nearest, const char *name)
{
	unsigned alike = souk_similar(nearest->wanted, name);
	size_t i, at;

	if (alike < ALIKE)
		return;
	for (i = 0; i < nearest->n; i++)
		if (strcmp(nearest->names[i], name) == 0)
			return;
	for (at = nearest->n; at > 0; at--) {
		unsigned before = nearest->alike[at - 1];

		if (before > alike || (before == alike && strcmp(nearest->names[at - 1], name) < 0))
			break;
	}
	if (at == nearest->room)
		return;
	if (nearest->n < nearest->room)
		nearest->n++;
	for (i = nearest->n - 1; i > at; i--) {
		nearest->names[i] = nearest->names[i - 1];
		nearest->alike[i] = nearest->alike[i - 1];
	}
	nearest->names[at] = name;
	nearest->alike[at] = alike;
}

size_t souk_market_nearest_accelerators(const struct souk_market *market, const char *name,
					const char **out, size_t n)
{
	SOUK_AUTO_FREE unsigned *alike = calloc(n + 1, sizeof(*alike));
	struct nearest nearest = {
		.wanted = souk_accelerator_canonical(name), .names = out, .alike = alike, .room = n,
	};
	struct souk_catalog_accelerator accelerator;
	size_t i;
	uint32_t j;

	if (!alike)
		return 0;
	for (i = 0; i < market->n; i++) {
		uint32_t n_names = souk_catalog_file_head(market->files[i])->n_accelerators;

		/* A damaged part has no names; whoever reads offers from it says so. */
		for (j = 0; j < n_names; j++)
			if (souk_catalog_accelerator(market->files[i], j, &accelerator, NULL) ==
			    SOUK_OK)
				consider(&nearest, accelerator.name);
	}
	return nearest.n;
}
