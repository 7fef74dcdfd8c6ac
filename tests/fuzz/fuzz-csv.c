/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz-csv.c - any bytes as CSV: what is read, written with quotes and read again, is the same */
#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "fuzz.h"

const char fuzz_corpus[] = "csv";

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

static void write_field(struct souk_buf *buf, const char *field)
{
	souk_buf_str(buf, "\"");
	for (; *field; field++)
		souk_buf_printf(buf, *field == '"' ? "\"\"" : "%c", *field);
	souk_buf_str(buf, "\"");
}

/* A record that was read, written whole in quotes and read again. */
static void check_again(char *const *fields, int n)
{
	char *again[SOUK_CSV_FIELDS_MAX], *text;
	struct souk_csv csv;
	struct souk_buf buf;
	int i;

	souk_buf_init(&buf, 1 << 20);
	for (i = 0; i < n; i++) {
		souk_buf_str(&buf, i ? "," : "");
		write_field(&buf, fields[i]);
	}
	if (souk_buf_failed(&buf, NULL))
		abort();
	/* With its quotes it may have become too long. */
	if (buf.len < SOUK_CSV_RECORD_MAX) {
		text = copy(buf.data, buf.len);
		souk_csv_init(&csv, text, buf.len);
		if (souk_csv_next(&csv, again, NULL) != n)
			abort();
		for (i = 0; i < n; i++)
			if (strcmp(again[i], fields[i]) != 0)
				abort();
		if (souk_csv_next(&csv, again, NULL) != 0)
			abort();
		free(text);
	}
	souk_buf_fini(&buf);
}

static void check_number(const char *field)
{
	uint64_t micros = 0, more = 0;
	struct souk_error err = SOUK_ERROR_INIT;

	if (souk_parse_decimal("price", field, 6, UINT64_MAX / 100, &micros, &err) < 0) {
		if (strncmp(err.message, "price: ", 7) != 0)
			abort();
		return;
	}
	if (micros > UINT64_MAX / 100)
		abort();
	/* With two more places it is a hundred times that, but for rounding. */
	if (souk_parse_decimal("price", field, 8, UINT64_MAX, &more, NULL) < 0 ||
	    more + 50 < micros * 100 || more > micros * 100 + 50)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *fields[SOUK_CSV_FIELDS_MAX], *text = copy(data, size);
	struct souk_csv csv;
	unsigned line = 0;
	int i, n;

	souk_csv_init(&csv, text, size);
	do {
		struct souk_error err = SOUK_ERROR_INIT;

		n = souk_csv_next(&csv, fields, &err);
		if (csv.line <= line && n != 0)
			abort();
		line = csv.line;
		if (n < 0 && (n != SOUK_E_INVALID || !err.message[0]))
			abort();
		for (i = 0; i < n; i++) {
			if (fields[i] < text || fields[i] + strlen(fields[i]) > text + size)
				abort();
			check_number(fields[i]);
		}
		if (n > 0)
			check_again(fields, n);
	} while (n != 0);
	if (csv.at != size)
		abort();
	free(text);
	return 0;
}
