/* SPDX-License-Identifier: Apache-2.0 */
/* catalogs-update.c - asks providers for their offers, several at a time, and keeps the answers */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "catalogs-internal.h"
#include "provider/signs.h"

/* So many are asked at once. */
#define WIDTH 8

struct update;

/* One provider that is asked, on a thread of its own. */
struct job {
	struct update *update;
	size_t row;
	struct souk_provider *provider;
	struct souk_error error;	/* the thread's until it has ended */
	pthread_t thread;
	int began, ended, joined;
	int has_news;
	char news[160];			/* how far it is */
};

struct update {
	struct souk *souk;
	struct souk_catalogs *catalogs;
	const struct souk_callbacks *callbacks;
	int named;			/* the caller gave names */
	size_t updated;
	struct job *jobs;
	size_t n_jobs;
	pthread_mutex_t lock;		/* of what threads and caller both see of the jobs */
	pthread_cond_t wake;
};

static void tell(const struct update *update, enum souk_event_kind kind, const char *text)
{
	const struct souk_event event = { .kind = kind, .text = text };

	if (update->callbacks && update->callbacks->event)
		update->callbacks->event(&event, update->callbacks->arg);
}

/* ---- On the threads ---- */

static void on_progress(const char *what, uint32_t done, uint32_t total, void *arg)
{
	struct job *job = arg;
	const char *name = job->update->catalogs->rows[job->row].provider;

	pthread_mutex_lock(&job->update->lock);
	if (total > 0)
		snprintf(job->news, sizeof(job->news), "%s: %u of %u %.80s", name, done, total,
			 what);
	else
		snprintf(job->news, sizeof(job->news), "%s: %u %.80s", name, done, what);
	job->has_news = 1;
	pthread_cond_signal(&job->update->wake);
	pthread_mutex_unlock(&job->update->lock);
}

/* A provider that lists nothing keeps its file. */
static int ask(struct job *job, struct souk_error *err)
{
	struct souk_catalog_file *file;
	int ret = souk_market_ask(job->update->souk, job->provider, on_progress, job, &file, err);

	if (ret < 0)
		return ret;
	if (souk_catalog_file_head(file)->n_rows == 0)
		ret = souk_error_set(err, SOUK_E_CAPACITY, "%s: nothing is on sale",
				     souk_catalog_file_head(file)->provider);
	souk_catalog_file_close(file);
	return ret;
}

static void *work(void *arg)
{
	struct job *job = arg;
	struct souk_error own = SOUK_ERROR_INIT;
	int ret = ask(job, &own);

	pthread_mutex_lock(&job->update->lock);
	if (ret < 0)
		job->error = own;
	job->ended = 1;
	pthread_cond_signal(&job->update->wake);
	pthread_mutex_unlock(&job->update->lock);
	return NULL;
}

/* ---- On the caller's thread ---- */

/* Signals stay with the caller: they interrupt the call, which the threads look at. */
static void begin(struct job *job)
{
	sigset_t all, old;
	int failed;

	job->began = 1;
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	failed = pthread_create(&job->thread, NULL, work, job);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (failed) {
		/* Then one after the other, which is as good and slower. */
		pthread_mutex_unlock(&job->update->lock);
		work(job);
		pthread_mutex_lock(&job->update->lock);
		job->joined = 1;
	}
}

/* Begin what may be begun, with the lock held. Returns how many have not ended. */
static size_t begin_some(struct update *update)
{
	size_t i, running = 0, left = 0;

	for (i = 0; i < update->n_jobs; i++)
		running += update->jobs[i].began && !update->jobs[i].ended;
	for (i = 0; i < update->n_jobs; i++) {
		if (!update->jobs[i].began && running < WIDTH) {
			begin(&update->jobs[i]);
			running += !update->jobs[i].ended;
		}
		left += !update->jobs[i].ended;
	}
	return left;
}

/* Pass on what the threads have to say, with the lock held; it is given up meanwhile. */
static int pass_on(struct update *update)
{
	char text[sizeof(update->jobs->news)];
	size_t i;

	for (i = 0; i < update->n_jobs; i++) {
		if (!update->jobs[i].has_news)
			continue;
		update->jobs[i].has_news = 0;
		memcpy(text, update->jobs[i].news, sizeof(text));
		pthread_mutex_unlock(&update->lock);
		tell(update, SOUK_EVENT_ADVANCE, text);
		pthread_mutex_lock(&update->lock);
		return 1;
	}
	return 0;
}

static void say_who(const struct update *update)
{
	struct souk_buf text;
	size_t i;

	souk_buf_init(&text, 4096);
	souk_buf_str(&text, "asking ");
	for (i = 0; i < update->n_jobs; i++)
		souk_buf_printf(&text, "%s%s", i ? ", " : "",
				update->catalogs->rows[update->jobs[i].row].provider);
	souk_buf_printf(&text, " for %s offers", update->n_jobs == 1 ? "its" : "their");
	tell(update, SOUK_EVENT_PROGRESS, text.data);
	souk_buf_fini(&text);
}

static void ask_all(struct update *update)
{
	size_t i;

	if (update->n_jobs == 0)
		return;
	say_who(update);
	pthread_mutex_lock(&update->lock);
	while (begin_some(update) > 0)
		if (!pass_on(update))
			pthread_cond_wait(&update->wake, &update->lock);
	pthread_mutex_unlock(&update->lock);
	for (i = 0; i < update->n_jobs; i++)
		if (!update->jobs[i].joined)
			pthread_join(update->jobs[i].thread, NULL);
	tell(update, SOUK_EVENT_DONE, NULL);
}

/* ---- Who is asked ---- */

/* Open a provider, to ask it. One that the user never named and has no account with is skipped. */
static int prepare(struct update *update, size_t i, struct souk_error *err)
{
	struct souk_catalogs_row *row = &update->catalogs->rows[i];
	struct souk_module *module = souk_modules_get(&update->souk->registry.modules,
						      row->provider);
	struct souk_provider *provider;
	int meant = update->named ||
		    souk_participant_is_explicit(update->souk, NULL, row->provider);
	int ret;

	ret = souk_module_load(module, err);
	if (ret < 0)
		return ret;
	if (module->ops.features & SOUK_FEATURE_QUICK_OFFERS) {
		row->asked_each_time = 1;
		return SOUK_OK;
	}
	ret = souk_registry_get(&update->souk->registry, row->provider, &provider, err);
	if (ret == SOUK_OK && !meant &&
	    souk_signs_look(&module->facts, row->provider, &update->souk->config) ==
		    SOUK_SIGN_MISSING)
		ret = souk_error_set(err, SOUK_E_AUTH, "no sign of credentials");
	if (ret < 0) {
		row->skipped = ret == SOUK_E_AUTH && !meant;
		return ret;
	}
	update->jobs[update->n_jobs++] = (struct job){
		.update = update, .row = i, .provider = provider, .error = SOUK_ERROR_INIT,
	};
	return SOUK_OK;
}

static int prepare_all(struct update *update, struct souk_error *err)
{
	size_t i;

	for (i = 0; i < update->catalogs->n; i++) {
		struct souk_error *own = &update->catalogs->texts[i].error;

		if (prepare(update, i, own) < 0 && souk_catalogs_is_fatal(own)) {
			*err = *own;
			return own->code;
		}
	}
	return SOUK_OK;
}

/* ---- What came of it ---- */

/* A call that was interrupted has failed, whichever provider has heard of it. */
static int take_errors(struct update *update, struct souk_error *err)
{
	size_t i;

	for (i = 0; i < update->n_jobs; i++) {
		struct job *job = &update->jobs[i];

		if (job->error.code == SOUK_OK) {
			update->updated++;
			continue;
		}
		if (souk_catalogs_is_fatal(&job->error)) {
			*err = job->error;
			return err->code;
		}
		update->catalogs->texts[job->row].error = job->error;
	}
	return SOUK_OK;
}

/* What the files hold now, be they new or old. */
static int read_all(struct update *update, struct souk_error *err)
{
	size_t i;

	for (i = 0; i < update->catalogs->n; i++) {
		struct souk_error *own = &update->catalogs->texts[i].error;
		struct souk_error reading = SOUK_ERROR_INIT;

		if (own->code != SOUK_OK)
			souk_catalogs_set_problem(update->catalogs, i);
		if (update->catalogs->rows[i].asked_each_time ||
		    souk_catalogs_read(update->souk, update->catalogs, i, 0, &reading) == SOUK_OK)
			continue;
		if (reading.code == SOUK_E_NOMEM) {
			*err = reading;
			return reading.code;
		}
		if (own->code == SOUK_OK) {
			*own = reading;
			souk_catalogs_set_problem(update->catalogs, i);
		}
	}
	return SOUK_OK;
}

/* The row that speaks for all if no catalog was updated: the last failure, else the last that was
 * skipped; n if nothing went wrong. */
static size_t worst_row(const struct souk_catalogs *catalogs)
{
	size_t i, worst = catalogs->n;

	for (i = 0; i < catalogs->n; i++) {
		const struct souk_catalogs_row *row = &catalogs->rows[i];

		if (row->problem &&
		    (worst == catalogs->n || !row->skipped || catalogs->rows[worst].skipped))
			worst = i;
	}
	return worst;
}

/* Warn of each that failed; the one that becomes the call's own error is left to the caller. */
static int conclude(const struct update *update, struct souk_error *err)
{
	const struct souk_catalogs *catalogs = update->catalogs;
	size_t worst = update->updated > 0 ? catalogs->n : worst_row(catalogs);
	size_t i;

	for (i = 0; i < catalogs->n; i++)
		if (catalogs->rows[i].problem && i != worst)
			souk_log(catalogs->rows[i].skipped ? SOUK_LOG_INFO : SOUK_LOG_WARNING,
				 "%s: not updated: %s", catalogs->rows[i].provider,
				 catalogs->rows[i].problem);
	if (worst == catalogs->n)
		return SOUK_OK;
	*err = catalogs->texts[worst].error;
	if (catalogs->rows[worst].problem == catalogs->texts[worst].error.message)
		souk_error_prefix(err, "%s", catalogs->rows[worst].provider);
	return err->code;
}

static int run(struct update *update, struct souk_error *err)
{
	int ret;

	update->jobs = calloc(update->catalogs->n + 1, sizeof(*update->jobs));
	if (!update->jobs)
		return souk_error_nomem(err);
	ret = prepare_all(update, err);
	if (ret < 0)
		return ret;
	ask_all(update);
	ret = take_errors(update, err);
	if (ret == SOUK_OK)
		ret = read_all(update, err);
	return ret < 0 ? ret : conclude(update, err);
}

int souk_catalogs_update(struct souk *souk, const char *const *names, size_t n,
			 const struct souk_callbacks *callbacks,
			 struct souk_catalogs **catalogs_out, struct souk_error *err)
{
	struct update update = { .souk = souk,
				 .callbacks = callbacks,
				 .named = n > 0,
				 .lock = PTHREAD_MUTEX_INITIALIZER,
				 .wake = PTHREAD_COND_INITIALIZER };
	int ret;

	ret = souk_catalogs_new(souk, names, n, 0, &update.catalogs, err);
	if (ret < 0)
		return ret;
	ret = run(&update, err);
	free(update.jobs);
	if (ret < 0) {
		souk_catalogs_free(update.catalogs);
		return ret;
	}
	*catalogs_out = update.catalogs;
	return SOUK_OK;
}
