/* SPDX-License-Identifier: Apache-2.0 */
/* toy.c - a good module for tests/conformance/toycloud.py, and every way to spoil it */

/*
 * $TOY_MUTANT names one fault. Without it the module is as it should be; with it the suite has to
 * find that fault. The faults are where is() is called.
 */
#define _GNU_SOURCE

#include <souk/provider.h>

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE = 512 };

struct toy {
	char url[256];
	char *secret;
};

static int is(const char *mutant)
{
	const char *chosen = getenv("TOY_MUTANT");

	return chosen && strcmp(chosen, mutant) == 0;
}

static char *volatile kept[100000]; /* what a leak leaks; volatile, so that it is not optimised away */
static size_t n_kept;

/* ---- Requests ---- */

static int judge_status(int status, const char *body, struct souk_error *err)
{
	if (status == 200)
		return SOUK_OK;
	if (status == 401) {
		souk_error_set(err, is("auth-as-transient") ? SOUK_E_TRANSIENT : SOUK_E_AUTH,
			       "the toy cloud does not know the secret");
		return is("auth-scope-offer") ? souk_error_scope(err, SOUK_SCOPE_OFFER) : err->code;
	}
	if (status == 404)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "no such machine");
	if (status == 429)
		return souk_error_set(err, is("rate-as-invalid") ? SOUK_E_INVALID : SOUK_E_RATE_LIMIT,
				      "too many requests");
	if (status == 400 && strncmp(body, "unknown-type", 12) == 0) {
		souk_error_set(err, is("unknown-as-transient") ? SOUK_E_TRANSIENT : SOUK_E_INVALID,
			       is("message-empty") ? "%s" : "no such type%s", "");
		if (is("message-stop"))
			souk_error_set(err, SOUK_E_INVALID, "no such type.");
		if (is("message-lines"))
			memcpy(err->message, "no such\ntype", 13);
		if (is("scope-provider"))
			souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		if (is("scope-unknown"))
			err->scope = 17;
		if (is("code-mismatch"))
			err->code = SOUK_E_QUOTA;
		if (is("message-secret"))
			souk_error_set(err, SOUK_E_INVALID, "no: toy-secret-0123456789");
		return is("code-unknown") ? -77 : is("code-mismatch") ? SOUK_E_INVALID : err->code;
	}
	return souk_error_set(err, SOUK_E_TRANSIENT, "the toy cloud answers %d", status);
}

/* *body_out is freed with free(). */
static int ask(struct toy *toy, struct souk_call *call, const char *what, const char *query,
	       unsigned flags, char **body_out, struct souk_error *err)
{
	struct souk_http_reply *reply = NULL;
	char url[2048], header[256];
	const char *headers[] = { header, NULL };
	const char *body;
	struct souk_http_request request = { SOUK_HTTP_REQUEST_HEAD, .what = what, .method = "POST",
					     .url = url, .headers = headers, .flags = flags };
	int ret;

	*body_out = NULL;
	snprintf(url, sizeof(url), "%s/%s?%s%s", toy->url, what, query,
		 is("url-secret") ? "&key=toy-secret-0123456789" : "");
	snprintf(header, sizeof(header), "Authorization: Bearer %s", toy->secret);
	if (is("body-secret")) {
		request.body = toy->secret;
		request.body_size = strlen(toy->secret);
	}
	if (is("nameless"))
		request.what = "";
	souk_call_log(call, SOUK_LOG_DEBUG, "asking %s%s", what, is("log-secret") ? toy->secret : "");
	ret = souk_http_send(call, &request, &reply, err);
	if (ret < 0)
		return ret;
	body = souk_http_reply_body(reply, NULL);
	if (!(is("status-ignored")))
		ret = judge_status(souk_http_reply_status(reply), body, err);
	if (ret == SOUK_OK && !(*body_out = strdup(body)))
		ret = souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	if (ret < 0 && is("leak-error") && n_kept < 100000)
		kept[n_kept++] = malloc(1000);
	souk_http_reply_free(reply);
	return ret;
}

static int nonsense(struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "the toy cloud answers nonsense");
}

static int status_of(const char *word)
{
	if (is("status-unknown"))
		return 42;
	if (strcmp(word, "pending") == 0 || is("never-runs"))
		return SOUK_INSTANCE_PENDING;
	if (strcmp(word, "running") == 0)
		return SOUK_INSTANCE_RUNNING;
	return strcmp(word, "stopped") == 0 ? SOUK_INSTANCE_STOPPED : SOUK_INSTANCE_TERMINATED;
}

static int tell(char *line, struct souk_instance_list *out, struct souk_error *err)
{
	char id[64], type[64], region[64], zone[64], status[64], cluster[64], owner[64], token[64];
	struct souk_instance instance = {
		SOUK_INSTANCE_HEAD, .id = id, .region = region, .zone = zone, .instance_type = type,
		.cluster = cluster, .owner = owner, .request_token = token,
	};
	int ret;

	if (sscanf(line, "%63s %63s %63s %63s %63s %63s %63s %63s", id, type, region, zone, status, cluster,
		   owner, token) != 8)
		return nonsense(err);
	if (is("region-other"))
		snprintf(region, sizeof(region), "elsewhere");
	instance.status = status_of(status);
	instance.public_address = instance.status == SOUK_INSTANCE_RUNNING ? "127.0.0.1" : NULL;
	if (is("tag-cluster"))
		instance.cluster = NULL;
	if (is("tag-owner"))
		instance.owner = NULL;
	if (is("tag-token"))
		instance.request_token = NULL;
	ret = souk_instance_list_add(out, &instance, err);
	if (ret == SOUK_OK && is("double-emit"))
		ret = souk_instance_list_add(out, &instance, err);
	return ret;
}

/* "machines N" and N lines. */
static int tell_all(char *body, struct souk_instance_list *out, struct souk_error *err)
{
	char *rest = body, *line;
	unsigned n, i;
	int ret = SOUK_OK;

	line = strsep(&rest, "\n");
	if (sscanf(line, "machines %u", &n) != 1)
		return is("nonsense-ignored") ? SOUK_OK : nonsense(err);
	if (is("first-only") && n > 1)
		n = 1;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		line = strsep(&rest, "\n");
		ret = line ? tell(line, out, err) : nonsense(err);
	}
	return ret;
}

/* ---- The operations ---- */

static void on_signal(int number)
{
	(void)number;
}

static void *linger(void *arg)
{
	pause();
	return arg;
}

static void misbehave(void)
{
	pthread_t thread;

	if (is("environment"))
		setenv("TOY_WAS_HERE", "1", 1);
	if (is("folder") && chdir("/") < 0)
		abort();
	if (is("umask"))
		umask(0);
	if (is("signal"))
		signal(SIGUSR1, on_signal);
	if (is("thread"))
		pthread_create(&thread, NULL, linger, NULL);
	if (is("stdout"))
		puts("toy: here I am");
	if (is("stderr"))
		fputs("toy: here I am\n", stderr);
	if (is("leak-fd") && open("/dev/null", O_RDONLY) < 0)
		abort();
	if (is("leak-memory") && n_kept < 100000)
		kept[n_kept++] = calloc(1, 1000);
}

static int toy_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	const char *endpoint = souk_call_option(call, "endpoint");
	struct toy *toy;
	char *body;
	int ret;

	if (!endpoint)
		return souk_error_set(err, SOUK_E_INVALID, "the toy cloud has no address of its own");
	toy = calloc(1, sizeof(*toy));
	if (!toy)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	snprintf(toy->url, sizeof(toy->url), "%s", endpoint);
	ret = souk_call_secret(call, "key", &toy->secret, err);
	if (ret == SOUK_OK && is("open-sends")) {
		ret = ask(toy, call, "who", "", 0, &body, err);
		free(body);
	}
	if (ret < 0) {
		souk_secret_free(toy->secret);
		free(toy);
		return ret;
	}
	misbehave();
	*self_out = toy;
	return SOUK_OK;
}

static void toy_close(void *self)
{
	struct toy *toy = self;

	souk_secret_free(toy->secret);
	free(toy);
}

static int toy_check(void *self, struct souk_call *call, struct souk_identity *out,
		     struct souk_error *err)
{
	char account[64], *body;
	int ret = ask(self, call, "who", "", SOUK_HTTP_RETRY, &body, err);

	if (is("check-crash"))
		raise(SIGSEGV);
	if (is("check-exit"))
		exit(0);
	if (ret == SOUK_OK && sscanf(body, "account %63s", account) != 1)
		ret = nonsense(err);
	if (ret == SOUK_OK && !is("check-nobody"))
		ret = souk_identity_set(out, "account", account, err);
	free(body);
	return ret;
}

static void spoil_offer(struct souk_offer *offer)
{
	if (is("offer-price"))
		offer->micros_per_hour = -5;
	if (is("offer-free"))
		offer->micros_per_hour = 0;
	if (is("offer-currency"))
		memcpy(offer->currency, "usd", 4);
	if (is("offer-spot"))
		offer->spot_micros_per_hour = 1000;
	if (is("offer-vcpus"))
		offer->vcpus_milli = 0;
	if (is("offer-accelerator"))
		offer->accelerator = "H100";
	if (is("offer-arch"))
		offer->arch = "amd64";
	if (is("offer-name"))
		offer->region = "toy land";
}

static int toy_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			   struct souk_error *err)
{
	char *body, *rest, *line, type[64];
	unsigned n = 0, i, vcpus, memory, price;
	int ret = ask(self, call, "offers", "", is("offers-mutate") ? SOUK_HTTP_MUTATES : SOUK_HTTP_RETRY,
		      &body, err);

	rest = body;
	if (ret == SOUK_OK && sscanf(strsep(&rest, "\n"), "offers %u", &n) != 1)
		ret = nonsense(err);
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		struct souk_offer offer = { SOUK_OFFER_HEAD, .instance_type = type, .region = "toyland",
					    .zone = "toyland-1", .spot_micros_per_hour = -1 };

		line = strsep(&rest, "\n");
		if (!line || sscanf(line, "%63s %u %u %u", type, &vcpus, &memory, &price) != 4) {
			ret = nonsense(err);
			break;
		}
		offer.vcpus_milli = vcpus * 1000;
		offer.memory_mib = memory;
		offer.micros_per_hour = price;
		spoil_offer(&offer);
		if (!is("offers-none"))
			ret = souk_offer_list_add(out, &offer, err);
		if (ret == SOUK_OK && is("offers-twice"))
			ret = souk_offer_list_add(out, &offer, err);
	}
	free(body);
	return ret;
}

static int cancelled(struct souk_call *call, int ret, struct souk_error *err)
{
	if (ret != SOUK_E_CANCELLED)
		return ret;
	if (is("cancel-ignored")) {
		const struct timespec while_ = { 0, 50000000 };
		int i;

		for (i = 0; i < 140; i++)
			nanosleep(&while_, NULL);
	}
	if (is("cancel-as-transient"))
		return souk_error_set(err, SOUK_E_TRANSIENT, "cancelled, they say");
	(void)call;
	return ret;
}

static int toy_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
			 struct souk_instance_list *out, struct souk_error *err)
{
	unsigned flags = is("create-unmarked") ? 0 : SOUK_HTTP_MUTATES;
	unsigned count = is("count-ignored") ? 1 : spec->count;
	char query[512], *body;
	int ret;

	snprintf(query, sizeof(query), "type=%s&count=%u&cluster=%s&owner=%s&token=%s&idempotent=%d",
		 is("type-ignored") ? "toy.small" : spec->instance_type, count, spec->cluster, spec->owner,
		 spec->request_token, !is("token-ignored"));
	if (is("one-by-one") && spec->count > 1) {
		/* Not all or none: one request for all but the last, which is asked for later. */
		snprintf(query, sizeof(query), "type=%s&count=%u&cluster=%s&owner=%s&token=%s&idempotent=0",
			 spec->instance_type, 1, spec->cluster, spec->owner, spec->request_token);
		ret = ask(self, call, "create", query, flags, &body, err);
		free(body);
		if (ret < 0)
			return ret;
		count--;
		snprintf(query, sizeof(query), "type=%s&count=%u&cluster=%s&owner=%s&token=%s&idempotent=0",
			 spec->instance_type, count, spec->cluster, spec->owner, spec->request_token);
	}
	ret = ask(self, call, "create", query, flags, &body, err);
	if (ret == SOUK_OK)
		ret = tell_all(body, out, err);
	if (ret == SOUK_E_TIMEOUT && is("timeout-as-transient"))
		ret = souk_error_set(err, SOUK_E_TRANSIENT, "no reply");
	free(body);
	if (souk_call_deadline_ms(call) == 0 && is("deadline-ignored")) {
		const struct timespec while_ = { 7, 0 };

		nanosleep(&while_, NULL);
	}
	return cancelled(call, ret, err);
}

static int find(struct toy *toy, struct souk_call *call, const char *query,
		struct souk_instance_list *out, struct souk_error *err)
{
	char *body;
	int ret = ask(toy, call, "find", query, SOUK_HTTP_RETRY, &body, err);

	if (ret == SOUK_OK)
		ret = tell_all(body, out, err);
	free(body);
	if (ret < 0 && is("errors-swallowed") && ret != SOUK_E_CANCELLED && ret != SOUK_E_TIMEOUT)
		return SOUK_OK;
	return cancelled(call, ret, err);
}

static int toy_list_instances(void *self, struct souk_call *call,
			      const struct souk_instance_filter *filter,
			      struct souk_instance_list *out, struct souk_error *err)
{
	char query[512];

	snprintf(query, sizeof(query), "owner=%s&cluster=%s&token=%s",
		 filter->owner && !is("filter-owner") ? filter->owner : "",
		 filter->cluster && !is("filter-cluster") ? filter->cluster : "",
		 filter->request_token && !is("filter-token") ? filter->request_token : "");
	return find(self, call, query, out, err);
}

static int toy_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	char query[128];
	int ret = SOUK_OK;
	uint32_t i;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		snprintf(query, sizeof(query), "id=%s", is("describe-all") ? "" : refs[i].id);
		ret = find(self, call, query, out, err);
	}
	return ret;
}

static int change(struct toy *toy, struct souk_call *call, const char *what,
		  const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	char query[128], *body;
	int ret = SOUK_OK;
	uint32_t i;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		snprintf(query, sizeof(query), "id=%s", refs[i].id);
		ret = ask(toy, call, what, query, SOUK_HTTP_MUTATES, &body, err);
		free(body);
		if (ret == SOUK_E_NOT_FOUND && strcmp(what, "end") == 0 && !is("gone-is-error"))
			ret = SOUK_OK;
	}
	return cancelled(call, ret, err);
}

static int toy_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, struct souk_error *err)
{
	if (is("teardown-idle"))
		return SOUK_OK;
	return change(self, call, "end", refs, n, err);
}

static int toy_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
		    struct souk_error *err)
{
	struct souk_instance_ref ref = *refs;
	static int stopped;

	if (is("stop-once") && stopped++)
		return souk_error_set(err, SOUK_E_CONFLICT, "'%s' is stopped already", ref.id);
	return is("stop-idle") ? SOUK_OK : change(self, call, "stop", refs, n, err);
}

static int toy_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
		     struct souk_error *err)
{
	return change(self, call, "start", refs, n, err);
}

static struct souk_option options[] = {
	{ "key", "the secret of the toy cloud", NULL, SOUK_OPT_SECRET, 0 },
	{ "colour", "of the toys", "red", SOUK_OPT_STRING, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static struct souk_provider_ops toy_table = {
	SOUK_PROVIDER_HEAD,
	.name = "toy",
	.title = "A toy cloud",
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_CONSISTENT,
	.options = options,
	.credentials = "the setting 'key'",
	.open = toy_open,
	.close = toy_close,
	.list_offers = toy_list_offers,
	.provision = toy_provision,
	.describe = toy_describe,
	.teardown = toy_teardown,
	.list_instances = toy_list_instances,
	.check = toy_check,
	.stop = toy_stop,
	.start = toy_start,
};

static void spoil_table(void)
{
	if (is("abi-number"))
		toy_table.abi = 99;
	if (is("abi-small"))
		toy_table.struct_size = 64;
	if (is("abi-option-size"))
		toy_table.option_size = 3;
	if (is("abi-required"))
		toy_table.describe = NULL;
	if (is("abi-name"))
		toy_table.name = "ball";
	if (is("abi-title"))
		toy_table.title = "";
	if (is("abi-threads"))
		toy_table.threads = 9;
	if (is("abi-features"))
		toy_table.features |= 1ull << 60;
	if (is("abi-start"))
		toy_table.start = NULL;
	if (is("abi-option"))
		options[1].name = "Colour";
	if (is("abi-option-twice"))
		options[1].name = "key";
	if (is("abi-credentials"))
		toy_table.credentials = NULL;
	if (is("quick-network"))
		toy_table.features |= SOUK_FEATURE_QUICK_OFFERS;
}

SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void);
SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void)
{
	spoil_table();
	return &toy_table;
}
