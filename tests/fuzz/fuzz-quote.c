/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-quote.c - any bytes as a table of transfers, of charges, or as a kept quote */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "market/quote.h"
#include "quotes.h"

const char fuzz_corpus[] = "quote";

static char *copy(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

/* Whatever a table says, prices are not negative but for -1, and more data is never cheaper. */
static void try_transfers(const char *text, size_t size)
{
	static const struct souk_place places[] = { { "p", "r" }, { "p", "s" }, { "p", NULL },
						    { NULL, NULL }, { "q", "r" } };
	struct souk_egress *egress = souk_egress_new(NULL);
	struct souk_transfer small, large, bare;
	struct souk_place bucket;
	size_t i, j;

	if (!egress)
		abort();
	if (souk_egress_add_text(egress, "p", "t.csv", text, size, NULL) == SOUK_OK) {
		for (i = 0; i < 5; i++) {
			for (j = 0; j < 5; j++) {
				souk_egress_price(egress, &places[i], &places[j], 1, 1, &small);
				souk_egress_price(egress, &places[i], &places[j], UINT64_MAX, 1, &large);
				souk_egress_price(egress, &places[i], &places[j], UINT64_MAX, 0, &bare);
				if (small.micros < -1 || small.rank_micros < 0 ||
				    large.micros < small.micros || bare.micros < large.micros)
					abort();
			}
		}
		souk_egress_bucket(egress, text, &bucket);
	}
	souk_egress_free(egress);
}

static void try_charges(const char *text, size_t size)
{
	static const char *const tiers[] = { NULL, "low", "high", "x" };
	struct souk_charges *charges = NULL;
	struct souk_quote_sheet sheet;
	size_t i, j;

	if (souk_charges_parse("c.csv", text, size, &charges, NULL) < 0)
		return;
	for (i = 0; i < 4; i++) {
		struct souk_request request = { .disk_tier = (char *)tiers[i], .disk_size_gib = i * 1000 };
		struct souk_task task = { .num_nodes = 100000, .requests = &request, .n_requests = 1 };
		struct souk_candidate candidate = {
			.provider = "p", .source = "s", .date = "d", .request = &request, .spot = i & 1,
			.offer = { .instance_type = "t", .region = "r", .currency = "USD" },
		};
		struct souk_quote_query query = { &candidate, &task, souk_egress_new(NULL), charges,
						  1000, 1 };

		if (!query.egress)
			abort();
		souk_quote_sheet_make(&query, &sheet);
		for (j = 0; j < sheet.n; j++)
			if (sheet.items[j].micros < -1)
				abort();
		if (sheet.total_micros < 0)
			abort();
		souk_egress_free((struct souk_egress *)query.egress);
	}
	souk_charges_free(charges);
}

/* What is taken for a quote is what its id is the hash of. */
static void try_document(const char *text)
{
	struct souk_quote *quote = NULL;
	char id[SOUK_QUOTE_ID_SIZE];
	const char *at = strstr(text, "\"id\": \"");

	if (!at)
		return;
	snprintf(id, sizeof(id), "%s", at + 7);
	if (souk_quote_is_id(id) && souk_quote_parse(id, text, &quote, NULL) == SOUK_OK) {
		if (strcmp(souk_quote_json(quote), text) != 0 || strcmp(souk_quote_id(quote), id) != 0)
			abort();
		souk_quote_free(quote);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (size == 0)
		return 0;
	text = copy(data + 1, size - 1);
	if (data[0] == 'T')
		try_transfers(text, size - 1);
	else if (data[0] == 'C')
		try_charges(text, size - 1);
	else
		try_document(text);
	free(text);
	return 0;
}
