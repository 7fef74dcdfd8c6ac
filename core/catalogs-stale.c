/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs-stale.c - prices that are old: said once, and not again for a day */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/util.h"
#include "catalogs-internal.h"

#define DAY 86400
#define NOTES_MAX ((size_t)64 << 10)
#define HASH_TEXT_SIZE SOUK_HEX_SIZE(sizeof(((struct souk_catalog_head *)NULL)->hash))

int64_t souk_catalog_age_s(const struct souk_catalog_head *head)
{
	char text[sizeof("2026-07-20T00:00:00Z")];
	int64_t from = head->made_at, now = souk_clock_wall_s();

	if (strlen(head->date) == 10) {
		snprintf(text, sizeof(text), "%sT00:00:00Z", head->date);
		if (souk_parse_time("date", text, &from, NULL) < 0)
			return -1;
	}
	if (from <= 0)
		return -1;
	return from < now ? now - from : 0;
}

int souk_catalog_is_stale(const struct souk *souk, const struct souk_catalog_head *head)
{
	return souk->config.stale_days > 0 &&
	       souk_catalog_age_s(head) > souk->config.stale_days * DAY;
}

/* ---- What was said: "PROVIDER HASH SECONDS" a line, in a file of the cache ---- */

/* Was this file spoken of within the last day? */
static int was_said(const char *notes, const struct souk_catalog_head *head, int64_t now)
{
	char line[128], hash[HASH_TEXT_SIZE];
	const char *at;
	int64_t when;

	souk_hex(head->hash, sizeof(head->hash), hash);
	snprintf(line, sizeof(line), "%s %s ", head->provider, hash);
	for (at = notes; at && *at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (strncmp(at, line, strlen(line)) != 0)
			continue;
		when = strtoll(at + strlen(line), NULL, 10);
		if (when <= now && now - when < DAY)
			return 1;
	}
	return 0;
}

/* Keep what is of today, and add what is said now. */
static void write_notes(const char *path, const char *notes, const char *added, int64_t now)
{
	struct souk_buf text;
	const char *at, *end;

	souk_buf_init(&text, NOTES_MAX);
	for (at = notes; at && *at; at = end + (*end == '\n')) {
		const char *last;

		end = strchrnul(at, '\n');
		last = memrchr(at, ' ', (size_t)(end - at));
		if (last && now - strtoll(last, NULL, 10) < DAY)
			souk_buf_printf(&text, "%.*s\n", (int)(end - at), at);
	}
	souk_buf_str(&text, added);
	/* What cannot be kept is said again the next time: no more than that. */
	if (!souk_buf_failed(&text, NULL))
		souk_fs_write(path, text.data, text.len, 0600, NULL);
	souk_buf_fini(&text);
}

/* ---- Saying it ---- */

struct sayer {
	struct souk *souk;
	struct souk_buf names;	/* of those that are spoken of */
	struct souk_buf added;	/* to the notes */
	size_t n;
	int64_t now;
};

static void consider(struct sayer *sayer, const struct souk_catalog_head *head, const char *notes)
{
	char hash[HASH_TEXT_SIZE];

	if (!souk_catalog_is_stale(sayer->souk, head) || was_said(notes, head, sayer->now))
		return;
	souk_hex(head->hash, sizeof(head->hash), hash);
	souk_buf_printf(&sayer->names, "%s%s", sayer->n++ ? ", " : "", head->provider);
	if (head->date[0])
		souk_buf_printf(&sayer->names, " (%s)", head->date);
	souk_buf_printf(&sayer->added, "%s %s %" PRId64 "\n", head->provider, hash, sayer->now);
}

void souk_catalogs_say_stale(struct souk *souk, struct souk_catalog_file *const *files, size_t n)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(souk->paths.cache, "catalog/stale-said");
	SOUK_AUTO_FREE char *notes = NULL;
	struct sayer sayer = { .souk = souk, .now = souk_clock_wall_s() };
	size_t i;

	for (i = 0; i < n; i++)
		if (souk_catalog_is_stale(souk, souk_catalog_file_head(files[i])))
			break;
	if (i == n || !path)
		return;
	if (souk_fs_read(path, NOTES_MAX, &notes, NULL, NULL) < 0)
		notes = NULL;
	souk_buf_init(&sayer.names, 8192);
	souk_buf_init(&sayer.added, 8192);
	for (; i < n; i++)
		consider(&sayer, souk_catalog_file_head(files[i]), notes);
	if (sayer.n > 0 && !souk_buf_failed(&sayer.names, NULL)) {
		SOUK_AUTO_FREE char *folder = souk_fs_join(souk->paths.cache, "catalog");

		souk_log(SOUK_LOG_WARNING,
			 "prices of %s are more than %" PRId64
			 " days old: 'souk catalog update' asks for new ones",
			 sayer.names.data, souk->config.stale_days);
		if (folder && souk_fs_mkdir(folder, 0700, NULL) == SOUK_OK)
			write_notes(path, notes, sayer.added.data, sayer.now);
	}
	souk_buf_fini(&sayer.names);
	souk_buf_fini(&sayer.added);
}
