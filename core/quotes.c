/* SPDX-License-Identifier: Apache-2.0 */
/* quotes.c - quotes for the public face: make, keep, show, and launch what one says */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/money.h"
#include "base/util.h"
#include "market/optimizer-internal.h"
#include "quotes.h"

#define MAX_FILE ((size_t)16 << 20)
#define FOLDER "quotes"

struct souk_quotes {
	struct souk_strv ids;
};

/* ---- Files ---- */

static char *path_of(const struct souk *souk, const char *id)
{
	char *path = NULL;

	return asprintf(&path, "%s/%s/%s.json", souk->paths.state, FOLDER, id) < 0 ? NULL : path;
}

static int check_id(const char *id, struct souk_error *err)
{
	if (souk_quote_is_id(id))
		return SOUK_OK;
	souk_error_set(err, SOUK_E_INVALID, "not the id of a quote: '%.60s'", id);
	return souk_error_hint(err, "'souk quote --list' shows those that are kept");
}

int souk_quote_load(struct souk *souk, const char *id, struct souk_quote **quote_out,
		    struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	SOUK_AUTO_FREE char *text = NULL;
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	ret = check_id(id, err);
	if (ret < 0)
		return ret;
	path = path_of(souk, id);
	if (!path)
		return souk_error_nomem(err);
	ret = souk_fs_read(path, MAX_FILE, &text, NULL, &own);
	if (ret == SOUK_E_NOT_FOUND) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "there is no quote '%s'", id);
		return souk_error_hint(err, "'souk quote --list' shows those that are kept");
	}
	if (ret < 0) {
		*err = own;
		return ret;
	}
	return souk_quote_parse(id, text, quote_out, err);
}

/* Give a file that was written whole its name, unless it has another one already. */
static int publish(const char *folder, const char *written, const char *path, struct souk_error *err)
{
	int fd, linked = link(written, path) == 0, errnum = errno;

	unlink(written);
	if (!linked && errnum != EEXIST)
		return souk_error_errno(err, errnum, "cannot make '%s'", path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0) {
		fsync(fd);
		close(fd);
	}
	return linked ? SOUK_OK : SOUK_E_CONFLICT;
}

static int write_new(struct souk *souk, const struct souk_quote *quote, const char *path,
		     struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = NULL;
	SOUK_AUTO_FREE char *written = NULL;
	int ret;

	ret = souk_paths_state_dir(&souk->paths, FOLDER, &folder, err);
	if (ret < 0)
		return ret;
	if (asprintf(&written, "%s/new-%s-%ld", folder, quote->id, (long)getpid()) < 0) {
		written = NULL;
		return souk_error_nomem(err);
	}
	ret = souk_fs_write(written, quote->text, strlen(quote->text), 0600, err);
	return ret < 0 ? ret : publish(folder, written, path, err);
}

/* The first of those with an id stays as it is, with its own moment. */
static int keep(struct souk *souk, struct souk_quote **quote, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = path_of(souk, (*quote)->id);
	struct souk_quote *old = NULL;
	int ret = SOUK_E_CONFLICT;

	if (!path)
		return souk_error_nomem(err);
	if (!souk_fs_is_file(path))
		ret = write_new(souk, *quote, path, err);
	if (ret != SOUK_E_CONFLICT)
		return ret;
	ret = souk_quote_load(souk, (*quote)->id, &old, err);
	if (ret < 0)
		return ret;
	souk_quote_free(*quote);
	*quote = old;
	return SOUK_OK;
}

int souk_quote_remove(struct souk *souk, const char *id, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	int ret = check_id(id, err);

	if (ret < 0)
		return ret;
	path = path_of(souk, id);
	if (!path)
		return souk_error_nomem(err);
	if (!souk_fs_is_file(path))
		return souk_error_set(err, SOUK_E_NOT_FOUND, "there is no quote '%s'", id);
	return souk_fs_remove(path, err);
}

static int read_ids(const char *folder, struct souk_strv *ids, struct souk_error *err)
{
	struct dirent *entry;
	int ret = SOUK_OK;
	DIR *dir = opendir(folder);

	if (!dir)
		return errno == ENOENT ? SOUK_OK
				       : souk_error_errno(err, errno, "cannot read '%s'", folder);
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL) {
		char id[SOUK_QUOTE_ID_SIZE];

		if (strlen(entry->d_name) != SOUK_QUOTE_ID_SIZE + 4)
			continue;
		snprintf(id, sizeof(id), "%.32s", entry->d_name);
		if (strcmp(entry->d_name + SOUK_QUOTE_ID_SIZE - 1, ".json") == 0 &&
		    souk_quote_is_id(id))
			ret = souk_strv_add(ids, id, err);
	}
	closedir(dir);
	return ret;
}

int souk_quotes_list(struct souk *souk, struct souk_quotes **quotes_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = souk_fs_join(souk->paths.state, FOLDER);
	struct souk_quotes *quotes = calloc(1, sizeof(*quotes));
	int ret;

	if (!folder || !quotes) {
		free(quotes);
		return souk_error_nomem(err);
	}
	ret = read_ids(folder, &quotes->ids, err);
	if (ret < 0) {
		souk_quotes_free(quotes);
		return ret;
	}
	souk_strv_sort(&quotes->ids);
	*quotes_out = quotes;
	return SOUK_OK;
}

void souk_quotes_free(struct souk_quotes *quotes)
{
	if (!quotes)
		return;
	souk_strv_fini(&quotes->ids);
	free(quotes);
}

size_t souk_quotes_count(const struct souk_quotes *quotes)
{
	return quotes->ids.n;
}

const char *souk_quotes_id(const struct souk_quotes *quotes, size_t i)
{
	return i < quotes->ids.n ? quotes->ids.items[i] : NULL;
}

/* ---- Making ---- */

int souk_quote_make(struct souk *souk, const struct souk_task_file *file,
		    const struct souk_quote_options *options, struct souk_quote **quote_out,
		    struct souk_error *err)
{
	struct souk_quote_draft draft = { .souk = souk,
					  .options = *options,
					  .now = souk_clock_wall_s() };
	struct souk_quote *quote = NULL;
	int ret;

	if (!file->dag)
		return souk_error_set(err, SOUK_E_INVALID, "%s: there is no task in it",
				      file->path);
	if (draft.options.hours_milli == 0)
		draft.options.hours_milli = 1000;
	ret = souk_egress_load(&souk->paths, &souk->config, &draft.egress, err);
	if (ret == SOUK_OK)
		ret = souk_quote_draft_choose(&draft, file->dag, err);
	if (ret == SOUK_OK)
		ret = souk_quote_draft_price(&draft, err);
	if (ret == SOUK_OK)
		ret = souk_quote_document(&draft, &quote, err);
	if (ret == SOUK_OK && options->keep)
		ret = keep(souk, &quote, err);
	souk_quote_draft_fini(&draft);
	if (ret < 0) {
		souk_quote_free(quote);
		return ret;
	}
	*quote_out = quote;
	return SOUK_OK;
}

void souk_quote_free(struct souk_quote *quote)
{
	if (!quote)
		return;
	json_object_put(quote->doc);
	free(quote->text);
	free(quote);
}

const char *souk_quote_id(const struct souk_quote *quote)
{
	return quote->id;
}

const char *souk_quote_json(const struct souk_quote *quote)
{
	return quote->text;
}

/* ---- Launching ---- */

/* Members of a document that may be wrong in every way: NULL is as good as absent. */
static struct json_object *member(struct json_object *object, const char *key)
{
	struct json_object *value = NULL;

	return json_object_object_get_ex(object, key, &value) ? value : NULL;
}

static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value = member(object, key);

	return value ? json_object_get_string(value) : NULL;
}

static struct json_object *only_stage(const struct souk_quote *quote)
{
	struct json_object *stages = member(quote->doc, "stages");

	if (!json_object_is_type(stages, json_type_array) || json_object_array_length(stages) != 1)
		return NULL;
	return json_object_array_get_idx(stages, 0);
}

static int refuse(struct souk_error *err, int code, const struct souk_quote *quote, const char *why)
{
	souk_error_set(err, code, "quote '%s': %s", quote->id, why);
	return souk_error_hint(err, "'souk quote TASK.yaml' makes a new one");
}

/* The first thing that a task has otherwise than the quote's; NULL: nothing. */
static const char *first_difference(struct json_object *quoted, struct json_object *now)
{
	json_object_object_foreach(now, key, value) {
		if (!json_object_equal(value, member(quoted, key)))
			return key;
	}
	return NULL;
}

static int check_task(const struct souk_quote *quote, const struct souk_task *task,
		      struct souk_error *err)
{
	struct json_object *now = souk_quote_task_json(task);
	const char *key;
	char why[120];
	int ret = SOUK_OK;

	if (!now)
		return souk_error_nomem(err);
	key = first_difference(member(only_stage(quote), "task"), now);
	if (key) {
		snprintf(why, sizeof(why), "the task has changed since ('%.*s')",
			 (int)(strstr(key, "_digest") ? strcspn(key, "_") : strlen(key)), key);
		ret = refuse(err, SOUK_E_INVALID, quote, why);
	}
	json_object_put(now);
	return ret;
}

static int check_valid(const struct souk_quote *quote, struct souk_error *err)
{
	const char *until = text_of(quote->doc, "valid_until");
	struct souk_error own = SOUK_ERROR_INIT;
	char why[120];
	int64_t when;

	if (!until || souk_parse_time("valid_until", until, &when, &own) < 0)
		return refuse(err, SOUK_E_INVALID, quote, "it does not say until when it is valid");
	if (souk_clock_wall_s() <= when)
		return SOUK_OK;
	snprintf(why, sizeof(why), "it has expired (%.40s)", until);
	return refuse(err, SOUK_E_CONFLICT, quote, why);
}

/* Is a candidate the machine, in the place and the market, that the quote names? */
static int is_quoted(struct json_object *offer, const struct souk_candidate *c)
{
	uint32_t milli = 0;

	if (c->offer.accelerator &&
	    souk_parse_milli("gpu_count",
			     text_of(offer, "gpu_count") ? text_of(offer, "gpu_count") : "", &milli,
			     NULL) < 0)
		return 0;
	return souk_streq(text_of(offer, "provider"), c->provider) &&
	       souk_streq(text_of(offer, "region"), c->offer.region) &&
	       souk_streq(text_of(offer, "zone"), c->offer.zone) &&
	       souk_streq(text_of(offer, "instance_type"), c->offer.instance_type) &&
	       souk_streq(text_of(offer, "gpu_name"), c->offer.accelerator) &&
	       milli == (c->offer.accelerator ? c->offer.accelerator_milli : 0) &&
	       json_object_get_boolean(member(offer, "spot")) == c->spot;
}

static int find_entry(const struct souk_plan *plan, struct json_object *offer,
		      struct souk_plan_entry *entry_out, struct souk_candidate *candidate_out,
		      struct souk_error *err)
{
	size_t i;
	int ret;

	for (i = 0; i < plan->result.n; i++) {
		ret = optimizer_read(&plan->result.query, &plan->result.entries[i], candidate_out,
				     err);
		if (ret < 0)
			return ret;
		if (is_quoted(offer, candidate_out)) {
			*entry_out = plan->result.entries[i];
			return SOUK_OK;
		}
	}
	return SOUK_E_NOT_FOUND;
}

static int check_offer(const struct souk_quote *quote, struct json_object *offer,
		       const struct souk_plan *plan, const struct souk_candidate *c,
		       struct souk_error *err)
{
	const char *price = text_of(offer, "price_hour"), *currency = text_of(offer, "currency");
	struct souk_error own = SOUK_ERROR_INIT;
	char text[SOUK_MONEY_TEXT_SIZE], left[SOUK_TIME_TEXT_SIZE], why[200];
	int64_t quoted;

	if (!price || souk_parse_micros("price_hour", price, &quoted, &own) < 0)
		return refuse(err, SOUK_E_INVALID, quote, "it does not say the price");
	if (quoted != c->micros_per_hour || !souk_streq(currency, c->offer.currency)) {
		snprintf(why, sizeof(why),
			 "the price has changed since: %.24s %.3s an hour then, %.24s %.3s now",
			 price, currency ? currency : "", souk_money_text(c->micros_per_hour, text),
			 c->offer.currency);
		return refuse(err, SOUK_E_CONFLICT, quote, why);
	}
	if (!c->cooling)
		return SOUK_OK;
	snprintf(why, sizeof(why),
		 "the offer was refused a moment ago (%.20s), and will be tried again in %s",
		 souk_code_name(c->evidence.code),
		 souk_duration_text(c->evidence.cooling_until - plan->ledger.now, left));
	souk_error_set(err, SOUK_E_CONFLICT, "quote '%s': %s", quote->id, why);
	return souk_error_hint(err, "'souk launch' without --quote tries other offers");
}

/* Nothing but this one is tried. */
static int pin(struct souk_plan *plan, const struct souk_plan_entry *entry,
	       const struct souk_candidate *candidate, struct souk_error *err)
{
	struct souk_plan_row row;
	size_t i;
	int ret;

	ret = souk_plan_row_fill(plan, candidate, &row, err);
	if (ret < 0)
		return ret;
	plan->result.entries[0] = *entry;
	plan->result.n = plan->result.n_sorted = 1;
	for (i = 0; i < plan->n_best; i++)
		souk_plan_row_fini(&plan->best[i]);
	/* A plan of at least one candidate has room for one. */
	plan->best[0] = row;
	plan->best[0].row.chosen = 1;
	plan->best[0].row.currency = plan->best[0].currency;
	plan->n_best = 1;
	return SOUK_OK;
}

static int pin_quoted(const struct souk_quote *quote, struct souk_plan *plan,
		      struct souk_error *err)
{
	struct json_object *offer = member(only_stage(quote), "offer");
	struct souk_plan_entry entry;
	struct souk_candidate candidate;
	int ret;

	ret = find_entry(plan, offer, &entry, &candidate, err);
	if (ret == SOUK_E_NOT_FOUND)
		return refuse(err, SOUK_E_CAPACITY, quote,
			      "the offer is gone: it is not among the candidates any more");
	if (ret == SOUK_OK)
		ret = check_offer(quote, offer, plan, &candidate, err);
	return ret == SOUK_OK ? pin(plan, &entry, &candidate, err) : ret;
}

/* Plan as it was planned then. */
static int plan_again(struct souk *souk, const struct souk_quote *quote,
		      const struct souk_task *task, int dryrun, struct souk_plan **plan_out,
		      struct souk_error *err)
{
	struct json_object *settings = member(quote->doc, "settings");
	struct souk_plan_options options = { .optimize = text_of(settings, "optimize"),
					     .dryrun = dryrun };
	const char *hours = text_of(settings, "hours");
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	if (!hours || souk_parse_milli("hours", hours, &options.hours_milli, &own) < 0)
		return refuse(err, SOUK_E_INVALID, quote, "it does not say for how long");
	ret = souk_plan_task(souk, task, &options, plan_out, &own);
	if (ret == SOUK_E_CAPACITY)
		return refuse(err, ret, quote,
			      "the offer is gone: nothing on sale fits the task any more");
	if (ret < 0)
		*err = own;
	return ret;
}

int souk_quote_plan(struct souk *souk, const struct souk_task_file *file, const char *id,
		    int dryrun, struct souk_plan **plan_out, struct souk_error *err)
{
	struct souk_quote *quote = NULL;
	const struct souk_task *task;
	struct souk_plan *plan = NULL;
	int ret;

	ret = souk_task_file_task(file, &task, err);
	if (ret == SOUK_OK)
		ret = souk_quote_load(souk, id, &quote, err);
	if (ret < 0)
		return ret;
	if (!only_stage(quote))
		ret = refuse(err, SOUK_E_INVALID, quote,
			     "it is for several tasks; a launch takes one");
	if (ret == SOUK_OK)
		ret = check_task(quote, task, err);
	if (ret == SOUK_OK)
		ret = check_valid(quote, err);
	if (ret == SOUK_OK)
		ret = plan_again(souk, quote, task, dryrun, &plan, err);
	if (ret == SOUK_OK)
		ret = pin_quoted(quote, plan, err);
	souk_quote_free(quote);
	if (ret < 0) {
		souk_plan_free(plan);
		return ret;
	}
	*plan_out = plan;
	return SOUK_OK;
}
