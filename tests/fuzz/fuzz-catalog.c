/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-catalog.c - any bytes as a table of offers: a line means the same alone as among others */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "fuzz.h"
#include "market/accelerator.h"
#include "market/catalog.h"

const char fuzz_corpus[] = "catalog";

static int read_copy(const char *data, size_t size, struct souk_catalog *catalog,
		     struct souk_error *err)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return souk_catalog_add_text(catalog, "offers.csv", "acme", "seed", text, size, err);
}

static void check_offer(const struct souk_catalog_offer *item)
{
	const struct souk_offer *offer = &item->offer;

	if (strcmp(item->provider, "acme") != 0 || strcmp(item->source, "seed") != 0)
		abort();
	if (item->date[0] && strlen(item->date) != 10)
		abort();
	if (!offer->instance_type[0] || !offer->region[0] || !offer->arch[0])
		abort();
	if ((offer->zone && !offer->zone[0]) || strlen(offer->currency) != 3)
		abort();
	if (offer->micros_per_hour < -1 || offer->spot_micros_per_hour < -1)
		abort();
	if (offer->accelerator &&
	    strcmp(souk_accelerator_canonical(offer->accelerator), offer->accelerator) != 0)
		abort();
}

static void check_same(const struct souk_offer *a, const struct souk_offer *b)
{
	if (souk_strcmp(a->instance_type, b->instance_type) != 0 ||
	    souk_strcmp(a->region, b->region) != 0 || souk_strcmp(a->zone, b->zone) != 0 ||
	    souk_strcmp(a->arch, b->arch) != 0 || souk_strcmp(a->accelerator, b->accelerator) != 0)
		abort();
	if (a->vcpus_milli != b->vcpus_milli || a->memory_mib != b->memory_mib ||
	    a->accelerator_milli != b->accelerator_milli ||
	    a->accelerator_memory_mib != b->accelerator_memory_mib ||
	    a->micros_per_hour != b->micros_per_hour ||
	    a->spot_micros_per_hour != b->spot_micros_per_hour)
		abort();
}

/* Read each line of an accepted table by itself. */
static void check_lines(const char *data, size_t size, const struct souk_catalog *catalog)
{
	const char *at = data, *end = data + size, *header = NULL;
	char line[4096];
	size_t header_size = 0, n = 0;

	for (; at < end; at++) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t len = (size_t)((stop ? stop : end) - at);
		struct souk_catalog alone = { 0 };
		int size_alone;

		if (len > 0 && *at != '#' && !header) {
			header = at;
			header_size = len;
		} else if (len > 0 && *at != '#') {
			size_alone = snprintf(line, sizeof(line), "%.*s\n%.*s", (int)header_size, header,
					      (int)len, at);
			if (n >= catalog->n)
				abort();
			if (size_alone < (int)sizeof(line)) {
				if (read_copy(line, (size_t)size_alone, &alone, NULL) < 0 || alone.n != 1)
					abort();
				check_same(&alone.items[0].offer, &catalog->items[n].offer);
			}
			n++;
		}
		souk_catalog_fini(&alone);
		at += len;
	}
	if (n != catalog->n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_catalog catalog = { 0 };
	size_t i, regions, accelerators;

	if (read_copy((const char *)data, size, &catalog, &err) == SOUK_OK)
		check_lines((const char *)data, size, &catalog);
	else if (!strstr(err.message, "offers.csv"))
		abort();
	/* What was read before a wrong line is there, and whole. */
	for (i = 0; i < catalog.n; i++)
		check_offer(&catalog.items[i]);
	if (souk_catalog_count(&catalog, &regions, &accelerators, &err) < 0 || regions > catalog.n ||
	    accelerators > catalog.n || (catalog.n > 0 && regions == 0))
		abort();
	souk_catalog_fini(&catalog);
	return 0;
}
