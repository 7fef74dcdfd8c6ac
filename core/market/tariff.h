/* SPDX-License-Identifier: Apache-2.0 */
/*
 * market/tariff.h - small tables of prices beside a provider: transfer/NAME.csv, charges/NAME.csv
 *
 * Lines of fields, cut at commas, blanks around them trimmed; no quotes. '#' begins a comment;
 * "# source: TEXT" and "# date: DAY" say where the figures of the lines behind them are from. A
 * line whose first field is a directive comes as any other; the first that is none is the header.
 */
#ifndef SOUK_MARKET_TARIFF_H
#define SOUK_MARKET_TARIFF_H

#include <stddef.h>

#include "base/paths.h"
#include "base/strv.h"

#define SOUK_TARIFF_FIELDS 8u

struct souk_tariff_line {
	unsigned line;		/* from 1 */
	size_t n;
	const char *fields[SOUK_TARIFF_FIELDS];
	const char *source;	/* "": not said */
	const char *date;	/* likewise */
};

/* All texts point into 'text'. Zero-initialise. */
struct souk_tariff {
	char *path;
	char *text;
	struct souk_tariff_line *lines;	/* without comments and header */
	size_t n;
};

/*
 * Read a table of at most 1 MiB. 'header' is what its first line has to be; lines that begin with
 * the field 'directive' (NULL: none) may stand before it. INVALID with PATH:LINE.
 */
int souk_tariff_parse(const char *path, const char *text, size_t size, const char *header,
		      const char *directive, struct souk_tariff *tariff_out,
		      struct souk_error *err);
void souk_tariff_fini(struct souk_tariff *tariff);

/*
 * Read the table of a provider: KIND/NAME.csv of the user's configuration folder, else of the
 * user's data folder, else the one that came with souk. NOT_FOUND if there is none.
 */
int souk_tariff_open(const struct souk_paths *paths, const char *kind, const char *provider,
		     const char *header, const char *directive, struct souk_tariff *tariff_out,
		     struct souk_error *err);

/* The names of all providers that have such a table, sorted. */
int souk_tariff_names(const struct souk_paths *paths, const char *kind, struct souk_strv *names_out,
		      struct souk_error *err);

/* "PATH:LINE: message", INVALID. */
int souk_tariff_bad(const struct souk_tariff *tariff, unsigned line, struct souk_error *err,
		    const char *fmt, ...) SOUK_PRINTF(4, 5);

/* Does a region match one of several patterns with '|' between? NULL is "". */
int souk_tariff_matches(const char *patterns, const char *region);

#endif
