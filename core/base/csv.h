/* SPDX-License-Identifier: Apache-2.0 */
/* base/csv.h - tables as RFC 4180 has them, read where they lie in memory */
#ifndef SOUK_BASE_CSV_H
#define SOUK_BASE_CSV_H

#include <stddef.h>
#include <stdint.h>

#include <souk/provider.h>

#define SOUK_CSV_FIELDS_MAX 256
#define SOUK_CSV_RECORD_MAX ((size_t)64 << 10)

/*
 * A reader. Fields are ended by NUL, and doubled quotes made single, in the text itself, so
 * that nothing is copied: the text is the reader's until the fields are no longer needed, and
 * has one more byte than 'size'.
 */
struct souk_csv {
	char *text;
	size_t size;
	size_t at;
	unsigned line;		/* where the record that was read last begins, from 1 */
	unsigned next_line;
	const char *comment;	/* the first line that began with '#', without it; NULL: none */
};

/* Begin to read. A byte order mark is passed over. */
void souk_csv_init(struct souk_csv *csv, char *text, size_t size);

/*
 * Read the next record into 'fields', which has room for SOUK_CSV_FIELDS_MAX. Empty lines, and
 * lines that begin with '#', are passed over. Returns the number of fields; 0 at the end;
 * SOUK_E_INVALID with what is wrong (without the line, which csv->line says), after which reading
 * goes on with the next line.
 */
int souk_csv_next(struct souk_csv *csv, char **fields, struct souk_error *err);

/*
 * A decimal number ("0.5", "12", "1e-05", "16.0"; no sign but "+") times 10 to the power of
 * 'places', rounded, half away from zero. INVALID with 'what' before the reason; so is what is
 * above 'max'.
 */
int souk_parse_decimal(const char *what, const char *text, unsigned places, uint64_t max,
		       uint64_t *value_out, struct souk_error *err);

#endif
