/* SPDX-License-Identifier: Apache-2.0 */
/* market/catalog-import.c - offers from a CSV file: each wrong row is named, none is guessed at */
#include "market/catalog-import.h"

#include <stdlib.h>
#include <string.h>

#include "base/csv.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "market/catalog-build.h"
#include "market/catalog-columns.h"
#include "market/catalog-format.h"

#define FILE_MAX ((size_t)1 << 30)

struct importer {
	const char *path;
	const struct souk_catalog_import_options *options;
	struct souk_csv csv;
	struct catalog_columns columns;
	struct souk_offer *offers;
	size_t room;
	struct souk_catalog_import result;
};

void souk_catalog_import_fini(struct souk_catalog_import *import)
{
	if (!import)
		return;
	free(import->image);
	free(import->provider);
	souk_strv_fini(&import->problems);
	*import = (struct souk_catalog_import){ 0 };
}

/* Nothing that a terminal would act on: values come from the file. */
static void make_plain(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			*text = '?';
}

static int add_problem(struct importer *in, const struct souk_error *problem,
		       struct souk_error *err)
{
	struct souk_strv *problems = &in->result.problems;
	int ret;

	if (problem->code == SOUK_E_NOMEM)
		return souk_error_nomem(err);
	in->result.n_bad++;
	if (problems->n >= SOUK_CATALOG_PROBLEMS_MAX)
		return SOUK_OK;
	ret = souk_strv_printf(problems, err, "%s:%u: %s", in->path, in->csv.line,
			       problem->message);
	if (ret == SOUK_OK)
		make_plain(problems->items[problems->n - 1]);
	return ret;
}

/* ---- The header, the comment above it ---- */

static int read_header(struct importer *in, struct souk_error *err)
{
	char *fields[SOUK_CSV_FIELDS_MAX];
	int n = souk_csv_next(&in->csv, fields, err);

	if (n == 0)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' is empty", in->path);
	if (n > 0)
		n = souk_catalog_columns_read(fields, n, &in->columns, err);
	return n < 0 ? souk_error_prefix(err, "%s:%u", in->path, in->csv.line) : SOUK_OK;
}

/* "seed 2026-07-20: where it is from": the first date in it, and what stands behind the colon. */
static void read_comment(const struct importer *in, char date[11], const char **note_out)
{
	const char *at = in->csv.comment, *colon;
	size_t len;

	date[0] = '\0';
	*note_out = "";
	if (!at)
		return;
	colon = strchr(at, ':');
	if (colon)
		*note_out = colon + 1 + strspn(colon + 1, " ");
	for (; (at = strpbrk(at, "0123456789")) != NULL; at += len) {
		len = strspn(at, "0123456789-");
		if (len != 10)
			continue;
		memcpy(date, at, 10);
		date[10] = '\0';
		if (souk_catalog_is_date(date))
			return;
		date[0] = '\0';
	}
}

/* ---- Rows ---- */

static int add_offer(struct importer *in, const struct souk_offer *offer, struct souk_error *err)
{
	if (in->result.n_rows == in->room) {
		size_t room = in->room ? in->room * 2 : 1024;
		void *offers = realloc(in->offers, room * sizeof(*in->offers));

		if (!offers)
			return souk_error_nomem(err);
		in->offers = offers;
		in->room = room;
	}
	in->offers[in->result.n_rows++] = *offer;
	return SOUK_OK;
}

/* Who sells it: as the caller says, or as the first row does. */
static int check_provider(struct importer *in, char *const *fields, struct souk_error *err)
{
	const char *name = souk_catalog_column(&in->columns, fields, COLUMN_PROVIDER);

	if (!in->result.provider) {
		if (!name[0])
			return souk_error_set(err, SOUK_E_INVALID, "no provider");
		if (!souk_catalog_is_provider(name))
			return souk_error_set(
				err, SOUK_E_INVALID,
				"provider: not a provider's name ([a-z][a-z0-9_]*): '%.60s'", name);
		in->result.provider = strdup(name);
		return in->result.provider ? SOUK_OK : souk_error_nomem(err);
	}
	if (in->columns.field[COLUMN_PROVIDER] >= 0 && strcmp(name, in->result.provider) != 0)
		return souk_error_set(err, SOUK_E_INVALID, "provider: '%.60s', not '%s'", name,
				      in->result.provider);
	return SOUK_OK;
}

static int read_record(struct importer *in, char *const *fields, int n, struct souk_offer *offer,
		       struct souk_error *err)
{
	int ret;

	if (n != in->columns.n_fields)
		return souk_error_set(err, SOUK_E_INVALID, "%d fields, where the header has %d", n,
				      in->columns.n_fields);
	ret = check_provider(in, fields, err);
	return ret < 0 ? ret : souk_catalog_columns_offer(&in->columns, fields, offer, err);
}

static int read_rows(struct importer *in, struct souk_error *err)
{
	char *fields[SOUK_CSV_FIELDS_MAX];
	struct souk_offer offer;
	int n, ret = SOUK_OK;

	while (ret == SOUK_OK) {
		struct souk_error problem = SOUK_ERROR_INIT;

		n = souk_csv_next(&in->csv, fields, &problem);
		if (n == 0)
			break;
		if (n > 0)
			n = read_record(in, fields, n, &offer, &problem);
		if (n < 0)
			ret = add_problem(in, &problem, err);
		else if (in->result.n_rows >= CATALOG_ROWS_MAX)
			ret = souk_error_set(err, SOUK_E_INVALID, "'%s' has more than %u offers",
					     in->path, CATALOG_ROWS_MAX);
		else
			ret = add_offer(in, &offer, err);
	}
	return ret;
}

/* ---- The whole ---- */

static int make_image(struct importer *in, struct souk_error *err)
{
	const struct souk_catalog_import_options *options = in->options;
	struct souk_catalog_origin origin = { .provider = in->result.provider,
					      .source = options->source };
	char date[11];

	read_comment(in, date, &origin.note);
	origin.date = options->date ? options->date : date;
	if (options->note)
		origin.note = options->note;
	if (strcmp(origin.source, "seed") == 0 && !origin.date[0])
		return souk_error_set(err, SOUK_E_INVALID,
				      "'%s' has no date: give one, or begin it with '# seed "
				      "YYYY-MM-DD: WHERE FROM'",
				      in->path);
	if (in->result.n_rows == 0)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' has no offers", in->path);
	if (souk_catalog_image(&origin, in->offers, in->result.n_rows, &in->result.image,
			       &in->result.size, err) < 0)
		return souk_error_prefix(err, "%s", in->path);
	return SOUK_OK;
}

static int import(struct importer *in, struct souk_error *err)
{
	int ret;

	if (in->options->date && !souk_catalog_is_date(in->options->date))
		return souk_error_set(err, SOUK_E_INVALID, "not a date (YYYY-MM-DD): '%s'",
				      in->options->date);
	if (in->options->provider) {
		if (!souk_catalog_is_provider(in->options->provider))
			return souk_error_set(err, SOUK_E_INVALID,
					      "not a provider's name ([a-z][a-z0-9_]*): '%s'",
					      in->options->provider);
		in->result.provider = strdup(in->options->provider);
		if (!in->result.provider)
			return souk_error_nomem(err);
	}
	ret = read_header(in, err);
	if (ret == SOUK_OK && !in->result.provider && in->columns.field[COLUMN_PROVIDER] < 0)
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "'%s' has no column 'provider': say whose offers "
				     "they are",
				     in->path);
	if (ret == SOUK_OK)
		ret = read_rows(in, err);
	if (ret == SOUK_OK &&
	    (in->result.n_bad == 0 || (in->options->skip_bad && in->result.n_rows > 0)))
		ret = make_image(in, err);
	return ret;
}

int souk_catalog_import_text(const char *path, char *text, size_t size,
			     const struct souk_catalog_import_options *options,
			     struct souk_catalog_import *import_out, struct souk_error *err)
{
	struct importer in = { .path = path, .options = options };
	int ret;

	souk_csv_init(&in.csv, text, size);
	ret = import(&in, err);
	free(in.offers);
	if (ret < 0)
		souk_catalog_import_fini(&in.result);
	else
		*import_out = in.result;
	return ret;
}

int souk_catalog_import_file(const char *path, const struct souk_catalog_import_options *options,
			     struct souk_catalog_import *import_out, struct souk_error *err)
{
	int is_input = strcmp(path, "-") == 0;
	size_t size;
	char *text;
	int ret;

	ret = souk_fs_read(is_input ? "/dev/stdin" : path, FILE_MAX, &text, &size, err);
	if (ret < 0)
		return ret;
	ret = souk_catalog_import_text(is_input ? "<stdin>" : path, text, size, options, import_out,
				       err);
	free(text);
	return ret;
}
