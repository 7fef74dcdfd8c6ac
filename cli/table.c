/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - tables for people: columns as wide as their widest cell, coloured on a terminal */
#include "cli.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The widest cell; what is longer ends in an ellipsis. */
#define CELL_COLUMNS 120
#define GAP 2

struct layout {
	size_t *widths;
	size_t *decimals; /* of CLI_DECIMAL columns: digits behind the point, and the point */
};

int cli_terminal_moves(FILE *file)
{
	const char *term = getenv("TERM");

	return term && strcmp(term, "dumb") != 0 && isatty(fileno(file));
}

int cli_terminal_colour(FILE *file)
{
	const char *no_color = getenv("NO_COLOR");

	return !(no_color && *no_color) && cli_terminal_moves(file);
}

void cli_terminal_size(FILE *file, unsigned *columns_out, unsigned *rows_out)
{
	struct winsize size;

	memset(&size, 0, sizeof(size));
	if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0)
		memset(&size, 0, sizeof(size));
	*columns_out = size.ws_col ? size.ws_col : 80;
	*rows_out = size.ws_row ? size.ws_row : 24;
}

void cli_table_init(struct cli_table *table, const struct cli_column *columns, size_t n_columns)
{
	memset(table, 0, sizeof(*table));
	table->columns = columns;
	table->n_columns = n_columns;
}

void cli_table_fini(struct cli_table *table)
{
	size_t i;

	for (i = 0; i < table->n_cells; i++)
		free(table->cells[i]);
	free(table->cells);
	memset(table, 0, sizeof(*table));
}

/* A safe copy of text; NULL on no memory. Only ASCII that can be printed needs no look. */
static char *safe_copy(const char *text)
{
	struct souk_buf buf;
	const char *p;
	char *safe, *copy;

	for (p = text; *p >= 0x20 && *p < 0x7f; p++)
		if (p - text >= CELL_COLUMNS)
			break;
	if (!*p)
		return strdup(text);
	souk_buf_init(&buf, 8 * CELL_COLUMNS);
	cli_text_add_safe(&buf, text, CELL_COLUMNS);
	copy = NULL;
	if (souk_buf_failed(&buf, NULL) == SOUK_OK) {
		safe = souk_buf_steal(&buf);
		copy = safe ? strdup(safe) : NULL;
		souk_text_free(safe);
	}
	souk_buf_fini(&buf);
	return copy;
}

void cli_table_add(struct cli_table *table, const char *text)
{
	if (table->failed)
		return;
	if (table->n_cells == table->room) {
		size_t room = table->room ? 2 * table->room : 128;
		char **cells = realloc(table->cells, room * sizeof(*cells));

		if (!cells) {
			table->failed = 1;
			return;
		}
		table->cells = cells;
		table->room = room;
	}
	table->cells[table->n_cells] = safe_copy(text && *text ? text : "-");
	if (table->cells[table->n_cells])
		table->n_cells++;
	else
		table->failed = 1;
}

void cli_table_printf(struct cli_table *table, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	cli_table_add(table, text);
}

/* Digits behind the point, and the point; 0 for what is not a number. */
static size_t count_decimals(const char *text)
{
	const char *point = strchr(text, '.');

	return point && strspn(point + 1, "0123456789") == strlen(point + 1) ? strlen(point) : 0;
}

static int is_number(const char *text)
{
	return *text && strspn(text, "0123456789.") == strlen(text);
}

/* Zeros, and perhaps a point, that make a number as long behind its point as its column. */
static size_t missing_zeros(const struct layout *layout, size_t column, const char *text)
{
	if (layout->decimals[column] == 0 || !is_number(text))
		return 0;
	return layout->decimals[column] - count_decimals(text);
}

static int layout_init(struct layout *layout, const struct cli_table *table)
{
	size_t i, width;

	layout->widths = calloc(table->n_columns, sizeof(*layout->widths));
	layout->decimals = calloc(table->n_columns, sizeof(*layout->decimals));
	if (!layout->widths || !layout->decimals)
		return -1;
	for (i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;
		size_t decimals = count_decimals(table->cells[i]);

		if (table->columns[column].align == CLI_DECIMAL &&
		    decimals > layout->decimals[column])
			layout->decimals[column] = decimals;
	}
	for (i = 0; i < table->n_columns; i++)
		layout->widths[i] = cli_text_width(table->columns[i].title);
	for (i = 0; i < table->n_cells; i++) {
		size_t column = i % table->n_columns;

		width = cli_text_width(table->cells[i]) +
			missing_zeros(layout, column, table->cells[i]);
		if (width > layout->widths[column])
			layout->widths[column] = width;
	}
	return 0;
}

static const char *colour_of(const char *text)
{
	static const struct {
		const char *text;
		const char *colour;
	} colours[] = {
		{ "UP", "\033[32m" },	   { "RUNNING", "\033[32m" },	{ "SUCCEEDED", "\033[32m" },
		{ "INIT", "\033[33m" },	   { "PENDING", "\033[33m" },	{ "SETTING_UP", "\033[33m" },
		{ "STOPPED", "\033[36m" }, { "CANCELLED", "\033[36m" }, { "FAILED", "\033[31m" },
		{ "FAILED_SETUP", "\033[31m" }, { "FAILED_DRIVER", "\033[31m" }, { "ok", "\033[32m" },
		{ "failed", "\033[31m" },
	};
	size_t i;

	for (i = 0; i < CLI_ARRAY_SIZE(colours); i++)
		if (strcmp(colours[i].text, text) == 0)
			return colours[i].colour;
	return NULL;
}

static void print_cell(const struct cli_table *table, const struct layout *layout, size_t column,
		       const char *text, const char *colour, FILE *file)
{
	enum cli_align align = table->columns[column].align;
	size_t zeros = missing_zeros(layout, column, text);
	size_t pad = layout->widths[column] - cli_text_width(text) - zeros;
	int last = column + 1 == table->n_columns;

	fprintf(file, "%*s", align == CLI_LEFT ? 0 : (int)pad, "");
	fprintf(file, "%s%s%s", colour ? colour : "", text, colour ? "\033[0m" : "");
	if (zeros && zeros == layout->decimals[column]) {
		fputc('.', file);
		zeros--;
	}
	while (zeros--)
		fputc('0', file);
	if (!last)
		fprintf(file, "%*s", GAP + (align == CLI_LEFT ? (int)pad : 0), "");
	else
		fputc('\n', file);
}

int cli_table_print(const struct cli_table *table, FILE *file)
{
	struct layout layout = { 0 };
	int colour = cli_terminal_colour(file);
	size_t i;

	if (table->failed || layout_init(&layout, table) < 0) {
		free(layout.widths);
		free(layout.decimals);
		return cli_nomem();
	}
	for (i = 0; i < table->n_columns; i++)
		print_cell(table, &layout, i, table->columns[i].title, colour ? "\033[1m" : NULL,
			   file);
	for (i = 0; i < table->n_cells; i++)
		print_cell(table, &layout, i % table->n_columns, table->cells[i],
			   colour ? colour_of(table->cells[i]) : NULL, file);
	free(layout.widths);
	free(layout.decimals);
	return 0;
}
