/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/watch.c - the host functions with an eye on the module, and with faults on request */
#include "conformance/watch.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"

extern char **environ;

/* What the module is given in place of a reply: the cloud's own, or one that was made up. */
struct watch_reply {
	struct souk_http_reply *inner; /* NULL: made up */
	int status;
	const char *body;
};

static struct {
	struct conform *t;
	const struct souk_host *inner;
	struct souk_host table;
	enum watch_fault fault;
	int at;
	int status;
	const char *body;
	atomic_int calls, requests, mutations, runs, fired;
	atomic_llong fired_ms;
	pthread_mutex_t lock;
	char *secrets[CONFORM_SECRETS];
	int n_secrets;
} watch = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* ---- Secrets ---- */

enum { SECRET_MIN = 8 };

static void add_secret(const char *value)
{
	int i;

	if (!value || strlen(value) < SECRET_MIN)
		return;
	pthread_mutex_lock(&watch.lock);
	for (i = 0; i < watch.n_secrets && strcmp(watch.secrets[i], value) != 0; i++)
		;
	if (i == watch.n_secrets && i < CONFORM_SECRETS && (watch.secrets[i] = strdup(value)) != NULL)
		watch.n_secrets++;
	pthread_mutex_unlock(&watch.lock);
}

/* Variables that by their names hold secrets: a module may read them on its own. */
static void add_environment(void)
{
	static const char *const words[] = { "SECRET", "PASSWORD", "TOKEN", "API_KEY" };
	const char *equals;
	size_t i, j;

	for (i = 0; environ[i]; i++) {
		SOUK_AUTO_FREE char *name = NULL;

		equals = strchr(environ[i], '=');
		if (!equals)
			continue;
		name = strndup(environ[i], (size_t)(equals - environ[i]));
		for (j = 0; name && j < SOUK_ARRAY_SIZE(words); j++)
			if (strstr(name, words[j]) && !strstr(name, "_URL") && !strstr(name, "_FILE"))
				add_secret(equals + 1);
	}
}

static int holds_secret(const char *text)
{
	int i, found = 0;

	if (!text)
		return 0;
	pthread_mutex_lock(&watch.lock);
	for (i = 0; i < watch.n_secrets && !found; i++)
		found = strstr(text, watch.secrets[i]) != NULL;
	pthread_mutex_unlock(&watch.lock);
	return found;
}

void watch_text(const char *where, const char *text)
{
	if (holds_secret(text))
		conform_note(watch.t, CONFORM_SECRETS_KEPT, "a secret is in %s", where);
}

/* ---- Faults ---- */

static void cancel_now(void)
{
	atomic_store(&watch.fired, 1);
	atomic_store(&watch.fired_ms, souk_clock_ms());
	souk_cancel_set(&watch.t->cancel);
}

/* Counts a host call. 1: it is the one that the fault is for. */
static int is_struck(void)
{
	int n = atomic_fetch_add(&watch.calls, 1) + 1;

	return (watch.fault == WATCH_CANCEL_BEFORE || watch.fault == WATCH_CANCEL_AFTER) &&
	       n == watch.at;
}

static int before(int struck)
{
	if (struck && watch.fault == WATCH_CANCEL_BEFORE)
		cancel_now();
	return struck && watch.fault == WATCH_CANCEL_AFTER;
}

void watch_arm(enum watch_fault fault, int at)
{
	watch.fault = fault;
	watch.at = at;
	atomic_store(&watch.calls, 0);
	atomic_store(&watch.requests, 0);
	atomic_store(&watch.mutations, 0);
	atomic_store(&watch.runs, 0);
	atomic_store(&watch.fired, 0);
	atomic_store(&watch.fired_ms, 0);
}

void watch_answer(int status, const char *body)
{
	watch.status = status;
	watch.body = body;
}

int watch_fired(void)
{
	return atomic_load(&watch.fired);
}

int64_t watch_fired_ms(void)
{
	return atomic_load(&watch.fired_ms);
}

int watch_calls(void)
{
	return atomic_load(&watch.calls);
}

int watch_requests(void)
{
	return atomic_load(&watch.requests);
}

int watch_mutations(void)
{
	return atomic_load(&watch.mutations);
}

int watch_runs(void)
{
	return atomic_load(&watch.runs);
}

/* ---- The call ---- */

static int watch_sleep(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	int after = before(is_struck());
	int ret = watch.inner->call_sleep(call, ms, err);

	if (after)
		cancel_now();
	return ret;
}

static void watch_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

static void watch_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
{
	SOUK_AUTO_FREE char *text = NULL;

	(void)call;
	if (is_struck())
		cancel_now();
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return;
	}
	watch_text("a log line", text);
	if (level < SOUK_LOG_ERROR || level > SOUK_LOG_DEBUG)
		conform_note(watch.t, CONFORM_ERRORS, "a log line of the unknown level %d", level);
}

static void watch_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total)
{
	if (is_struck())
		cancel_now();
	if (watch.inner->call_progress)
		watch.inner->call_progress(call, what, done, total);
}

static int watch_secret(struct souk_call *call, const char *name, char **secret_out,
			struct souk_error *err)
{
	int ret = watch.inner->call_secret(call, name, secret_out, err);

	if (ret == SOUK_OK)
		add_secret(*secret_out);
	return ret;
}

static int watch_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		     int32_t *exit_status_out, struct souk_error *err)
{
	int after = before(is_struck()), ret;
	size_t i;

	atomic_fetch_add(&watch.runs, 1);
	for (i = 0; argv[i]; i++)
		watch_text("the arguments of a program", argv[i]);
	ret = watch.inner->call_run(call, argv, output, size, exit_status_out, err);
	if (after)
		cancel_now();
	return ret;
}

static int watch_ssh(struct souk_call *call, const struct souk_instance *instance,
		     const char *command, char *output, size_t size, int32_t *exit_status_out,
		     struct souk_error *err)
{
	int after = before(is_struck()), ret;

	atomic_fetch_add(&watch.runs, 1);
	ret = watch.inner->call_ssh(call, instance, command, output, size, exit_status_out, err);
	if (after)
		cancel_now();
	return ret;
}

static int watch_identity(struct souk_identity *identity, const char *key, const char *value,
			  struct souk_error *err)
{
	watch_text("what check tells", value);
	return watch.inner->identity_set(identity, key, value, err);
}

/* ---- HTTP ---- */

/* Headers whose values the host leaves out of its traces. */
static int is_redacted(const char *header)
{
	static const char *const words[] = { "authorization", "cookie", "token", "key", "secret" };
	size_t len = strcspn(header, ":"), i;
	char name[128];

	snprintf(name, sizeof(name), "%.*s", (int)(len < 120 ? len : 120), header);
	for (i = 0; i < SOUK_ARRAY_SIZE(words); i++)
		if (strcasestr(name, words[i]))
			return 1;
	return 0;
}

static int body_holds_secret(const struct souk_http_request *request)
{
	SOUK_AUTO_FREE char *text = NULL;

	if (!request->body || request->body_size == 0)
		return 0;
	text = strndup(request->body, request->body_size);
	return text && holds_secret(text);
}

static void judge_request(const struct souk_http_request *request)
{
	const char *what = request->what && *request->what ? request->what : "a request";
	size_t i;

	if (!request->what || !*request->what)
		conform_note(watch.t, CONFORM_REQUESTS, "a request has no 'what'");
	if (request->struct_size < offsetof(struct souk_http_request, cache_seconds))
		conform_note(watch.t, CONFORM_REQUESTS, "%.60s: struct_size is %u", what,
			     (unsigned)request->struct_size);
	if (holds_secret(request->url))
		conform_note(watch.t, CONFORM_SECRETS_KEPT, "%.60s: a secret is in the URL", what);
	for (i = 0; request->headers && request->headers[i]; i++)
		if (!is_redacted(request->headers[i]) && holds_secret(request->headers[i]))
			conform_note(watch.t, CONFORM_SECRETS_KEPT,
				     "%.60s: a secret is in the header '%.*s', which traces show", what,
				     (int)strcspn(request->headers[i], ":"), request->headers[i]);
	if (!(request->flags & SOUK_HTTP_SECRET_BODY) && body_holds_secret(request))
		conform_note(watch.t, CONFORM_SECRETS_KEPT,
			     "%.60s: a secret is in a body without SOUK_HTTP_SECRET_BODY", what);
}

struct retry {
	int (*ask)(const struct souk_http_reply *reply, void *arg);
	void *arg;
};

/* The module is asked about a reply of the core's; it looks at it through our table. */
static int ask_retry(const struct souk_http_reply *reply, void *arg)
{
	struct watch_reply wrapped = { .inner = (struct souk_http_reply *)reply };
	const struct retry *retry = arg;

	return retry->ask((const struct souk_http_reply *)&wrapped, retry->arg);
}

static int made_up(struct watch_reply *reply, const struct souk_http_request *request,
		   struct souk_error *err)
{
	if (watch.fault == WATCH_ANSWER) {
		atomic_store(&watch.fired, 1);
		reply->status = watch.status;
		reply->body = watch.body;
		return SOUK_OK;
	}
	atomic_store(&watch.fired, 1);
	if (watch.fault == WATCH_PLAN)
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "%s is not sent in a plan",
				      request->what);
	return souk_error_set(err, SOUK_E_TRANSIENT, "%s: no connection", request->what);
}

static int send_on(struct souk_call *call, const struct souk_http_request *request,
		   struct watch_reply *reply, struct souk_error *err)
{
	struct souk_http_request own = { 0 };
	struct retry retry;

	memcpy(&own, request,
	       request->struct_size < sizeof(own) ? request->struct_size : sizeof(own));
	own.struct_size = request->struct_size < sizeof(own) ? request->struct_size : sizeof(own);
	retry = (struct retry){ own.should_retry, own.should_retry_arg };
	if (own.should_retry) {
		own.should_retry = ask_retry;
		own.should_retry_arg = &retry;
	}
	return watch.inner->http_send(call, &own, &reply->inner, err);
}

/* The request has arrived; may the module know? */
static int lose_reply(int number, int after, const struct souk_http_request *request,
		      struct watch_reply *reply, struct souk_error *err)
{
	if (watch.fault == WATCH_LOSE && number == watch.at)
		atomic_store(&watch.fired, 1);
	else if (after)
		cancel_now();
	else
		return SOUK_OK;
	watch.inner->http_reply_free(reply->inner);
	reply->inner = NULL;
	if (after)
		return souk_error_set(err, SOUK_E_CANCELLED, "%s: cancelled", request->what);
	return souk_error_set(err, SOUK_E_TIMEOUT, "%s: no reply in time", request->what);
}

static int watch_http_send(struct souk_call *call, const struct souk_http_request *request,
			   struct souk_http_reply **reply_out, struct souk_error *err)
{
	int after = before(is_struck()), number, mutates, ret;
	struct watch_reply *reply;

	mutates = (request->flags & SOUK_HTTP_MUTATES) != 0;
	number = atomic_fetch_add(&watch.requests, 1) + 1;
	atomic_fetch_add(&watch.mutations, mutates);
	judge_request(request);
	reply = calloc(1, sizeof(*reply));
	if (!reply)
		return souk_error_nomem(err);
	if (watch.fault == WATCH_ANSWER || (watch.fault == WATCH_PLAN && mutates) ||
	    (watch.fault == WATCH_REFUSE && number == watch.at)) {
		ret = made_up(reply, request, err);
	} else {
		ret = send_on(call, request, reply, err);
		if (ret == SOUK_OK)
			ret = lose_reply(number, after, request, reply, err);
		else if (after)
			cancel_now();
	}
	if (ret < 0)
		free(reply);
	else
		*reply_out = (struct souk_http_reply *)reply;
	return ret;
}

static void watch_reply_free(struct souk_http_reply *opaque)
{
	struct watch_reply *reply = (struct watch_reply *)opaque;

	if (!reply)
		return;
	if (reply->inner)
		watch.inner->http_reply_free(reply->inner);
	free(reply);
}

static int watch_reply_status(const struct souk_http_reply *opaque)
{
	const struct watch_reply *reply = (const struct watch_reply *)opaque;

	return reply->inner ? watch.inner->http_reply_status(reply->inner) : reply->status;
}

static const char *watch_reply_body(const struct souk_http_reply *opaque, size_t *size_out)
{
	const struct watch_reply *reply = (const struct watch_reply *)opaque;

	if (reply->inner)
		return watch.inner->http_reply_body(reply->inner, size_out);
	if (size_out)
		*size_out = strlen(reply->body);
	return reply->body;
}

static const char *watch_reply_header(const struct souk_http_reply *opaque, const char *name)
{
	const struct watch_reply *reply = (const struct watch_reply *)opaque;

	return reply->inner ? watch.inner->http_reply_header(reply->inner, name) : NULL;
}

void watch_begin(struct conform *t)
{
	watch.t = t;
	watch.inner = souk_provider_host();
	watch.table = *watch.inner;
	watch.table.call_sleep = watch_sleep;
	watch.table.call_vlog = watch_vlog;
	watch.table.call_progress = watch_progress;
	watch.table.call_secret = watch_secret;
	watch.table.call_run = watch_run;
	watch.table.call_ssh = watch_ssh;
	watch.table.identity_set = watch_identity;
	watch.table.http_send = watch_http_send;
	watch.table.http_reply_free = watch_reply_free;
	watch.table.http_reply_status = watch_reply_status;
	watch.table.http_reply_body = watch_reply_body;
	watch.table.http_reply_header = watch_reply_header;
	watch_arm(WATCH_NONE, 0);
	add_environment();
	add_secret(t->shared->host_key_private);
	souk_host_install(&watch.table);
}
