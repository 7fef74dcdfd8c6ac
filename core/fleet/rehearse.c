/* SPDX-License-Identifier: Apache-2.0 */
/* fleet/rehearse.c - the requests that a launch may send, told by the modules without sending any */
#include "fleet/rehearse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/util.h"
#include "fleet/provision.h"
#include "net/http.h"

/* What stands for what is made up anew each time. */
#define TOKEN "request-token"

#define URL_MAX_BYTES (64 * 1024)
#define BODY_MAX_BYTES (1024 * 1024)

/* One provider, opened for rehearsals. */
struct stage {
	const char *name; /* the plan's */
	struct souk_provider *provider;
	struct souk_rehearsal rehearsal;
	struct souk_strv permissions;
	struct rehearsing *rehearsing;
};

struct rehearsing {
	struct souk_fleet *fleet;
	const struct souk_task *task;
	const char *cluster;
	struct souk_requests *out;
	struct stage **stages;
	size_t n_stages;
	uint32_t candidate; /* the one that is rehearsed, from 1 */
	size_t first_row;   /* of it */
	const char *step;
};

static const char *const scene_names[SOUK_SCENES] = { "new", "found", "bare", "refused" };

/* ---- Noting ---- */

static const char *keep(struct souk_requests *out, const char *text, size_t size,
			struct souk_error *err)
{
	char **texts = souk_array_grow(out->texts, out->n_texts, sizeof(*texts));
	char *copy;

	if (!texts) {
		souk_error_nomem(err);
		return NULL;
	}
	out->texts = texts;
	copy = malloc(size + 1);
	if (!copy) {
		souk_error_nomem(err);
		return NULL;
	}
	memcpy(copy, text, size);
	copy[size] = '\0';
	souk_log_redact(copy);
	texts[out->n_texts++] = copy;
	return copy;
}

/* The body as it may be shown. What makes machines is made of the spec, which holds no secret here. */
static const char *safe_body(struct souk_requests *out, const struct souk_http_request *request,
			     struct souk_error *err)
{
	static const char hidden[] = "[redacted]";

	if ((request->flags & SOUK_HTTP_SECRET_BODY) && !(request->flags & SOUK_HTTP_MUTATES))
		return keep(out, hidden, sizeof(hidden) - 1, err);
	if (request->body_size > BODY_MAX_BYTES || memchr(request->body, '\0', request->body_size))
		return keep(out, "[binary]", 8, err);
	return keep(out, request->body, request->body_size, err);
}

static int fill_row(struct rehearsing *r, uint32_t scene, const struct souk_http_request *request,
		    const char *permission, struct souk_request_row *row, struct souk_error *err)
{
	struct souk_buf url;

	*row = (struct souk_request_row){
		.candidate = r->candidate,
		.step = r->step,
		.scene = scene_names[scene],
		.changes = (request->flags & SOUK_HTTP_MUTATES) != 0,
	};
	souk_buf_init(&url, URL_MAX_BYTES);
	souk_http_add_safe_url(&url, request->url);
	row->url = keep(r->out, url.data, url.len, err);
	souk_buf_fini(&url);
	row->what = keep(r->out, request->what, strlen(request->what), err);
	row->method = request->method ? keep(r->out, request->method, strlen(request->method), err) : "GET";
	if (permission[0])
		row->permission = keep(r->out, permission, strlen(permission), err);
	if (request->body && request->body_size > 0)
		row->body = safe_body(r->out, request, err);
	return !row->url || !row->what || !row->method || (permission[0] && !row->permission) ||
			       (request->body && request->body_size > 0 && !row->body) ?
		       SOUK_E_NOMEM : SOUK_OK;
}

/* Is it in the list of this candidate and step already? */
static int is_noted(const struct rehearsing *r, const struct souk_request_row *row)
{
	size_t i;

	for (i = r->first_row; i < r->out->n; i++)
		if (strcmp(r->out->rows[i].step, row->step) == 0 &&
		    strcmp(r->out->rows[i].url, row->url) == 0 &&
		    strcmp(r->out->rows[i].method, row->method) == 0 &&
		    souk_streq(r->out->rows[i].body, row->body))
			return 1;
	return 0;
}

/* "ec2:RunInstances ec2:CreateTags": each once. */
static int note_permissions(struct stage *stage, const char *permission, struct souk_error *err)
{
	char word[256];
	size_t len;
	int ret = SOUK_OK;

	while (*permission && ret == SOUK_OK) {
		len = strcspn(permission, " ");
		snprintf(word, sizeof(word), "%.*s", (int)len, permission);
		if (len > 0 && !souk_strv_has(&stage->permissions, word))
			ret = souk_strv_add(&stage->permissions, word, err);
		permission += len;
		permission += *permission == ' ';
	}
	return ret;
}

static int note(const struct souk_http_request *request, const char *permission, void *arg,
		struct souk_error *err)
{
	struct stage *stage = arg;
	struct rehearsing *r = stage->rehearsing;
	struct souk_request_row row, *rows;
	int ret;

	ret = fill_row(r, stage->rehearsal.scene, request, permission, &row, err);
	if (ret == SOUK_OK)
		ret = note_permissions(stage, permission, err);
	if (ret < 0 || is_noted(r, &row))
		return ret;
	rows = souk_array_grow(r->out->rows, r->out->n, sizeof(*rows));
	if (!rows)
		return souk_error_nomem(err);
	r->out->rows = rows;
	rows[r->out->n++] = row;
	return SOUK_OK;
}

/* ---- Stages ---- */

static int add_account(struct rehearsing *r, const char *name, const char *problem,
		       struct souk_error *err)
{
	struct souk_request_account *accounts =
		souk_array_grow(r->out->accounts, r->out->n_accounts, sizeof(*accounts));
	struct souk_request_account *account;

	if (!accounts)
		return souk_error_nomem(err);
	r->out->accounts = accounts;
	account = &accounts[r->out->n_accounts++];
	*account = (struct souk_request_account){ 0 };
	account->provider = keep(r->out, name, strlen(name), err);
	if (problem)
		account->problem = keep(r->out, problem, strlen(problem), err);
	return account->provider && (!problem || account->problem) ? SOUK_OK : SOUK_E_NOMEM;
}

static int open_stage(struct rehearsing *r, const char *name, struct stage *stage, struct souk_error *err)
{
	const struct souk_registry *registry = r->fleet->registry;
	size_t i;

	for (i = 0; i < registry->modules.n; i++)
		if (strcmp(registry->modules.items[i]->name, name) == 0)
			return souk_provider_open_rehearsal(registry->modules.items[i], registry->config,
							    registry->paths, &stage->rehearsal,
							    &stage->provider, err);
	return souk_registry_missing(registry, name, err);
}

/* The provider's stage; one that cannot rehearse has no provider, and its account says why. */
static int get_stage(struct rehearsing *r, const char *name, struct stage **stage_out,
		     struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct stage **stages, *stage;
	size_t i;
	int ret;

	for (i = 0; i < r->n_stages; i++)
		if (strcmp(r->stages[i]->name, name) == 0) {
			*stage_out = r->stages[i];
			return SOUK_OK;
		}
	stages = souk_array_grow(r->stages, r->n_stages, sizeof(*stages));
	if (!stages)
		return souk_error_nomem(err);
	r->stages = stages;
	stage = calloc(1, sizeof(*stage));
	if (!stage)
		return souk_error_nomem(err);
	stages[r->n_stages++] = stage;
	stage->name = name;
	stage->rehearsing = r;
	stage->rehearsal.noted = note;
	stage->rehearsal.arg = stage;
	r->step = "open";
	ret = open_stage(r, name, stage, &own);
	if (ret < 0)
		stage->provider = NULL;
	*stage_out = stage;
	return add_account(r, name, ret < 0 ? own.message : NULL, err);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* What all requests of a provider need, in its own form if it has one. */
static int write_policy(struct rehearsing *r, struct stage *stage, struct souk_request_account *account,
			struct souk_error *err)
{
	struct souk_strv *permissions = &stage->permissions;
	struct souk_buf text;
	size_t i;
	int ret;

	if (!stage->provider || permissions->n == 0)
		return SOUK_OK;
	qsort(permissions->items, permissions->n, sizeof(*permissions->items), compare_texts);
	souk_buf_init(&text, BODY_MAX_BYTES);
	ret = souk_provider_policy(stage->provider, (const char *const *)permissions->items,
				   (uint32_t)permissions->n, &text, err);
	if (ret == SOUK_E_UNSUPPORTED) {
		souk_buf_reset(&text);
		for (i = 0; i < permissions->n; i++)
			souk_buf_printf(&text, "%s\n", permissions->items[i]);
		ret = souk_buf_failed(&text, err);
	}
	if (ret == SOUK_OK && !(account->policy = keep(r->out, text.data, text.len, err)))
		ret = SOUK_E_NOMEM;
	souk_buf_fini(&text);
	return ret;
}

/* ---- Rehearsing ---- */

/* What comes after a machine is there: waiting, looking, ending, and what the user may do with it. */
static void rehearse_life(struct rehearsing *r, struct stage *stage, const struct souk_candidate *c,
			  struct souk_instance_list *list)
{
	struct souk_call_limits limits = fleet_limits(r->fleet);
	struct souk_provider *provider = stage->provider;
	struct souk_instance_ref ref = {
		.struct_size = sizeof(ref), .region = c->offer.region, .zone = c->offer.zone,
		.cluster = r->cluster, .request_token = TOKEN,
	};
	struct souk_instance_list found = { 0 };

	if (list->n == 0)
		return;
	ref.id = list->items[0].id;
	r->step = "wait";
	souk_provider_describe(provider, &limits, &ref, 1, &found, NULL);
	r->step = "open-ports";
	if (c->request->n_ports > 0)
		souk_provider_open_ports(provider, &limits, &ref, 1, c->request->ports,
					 (uint32_t)c->request->n_ports, NULL);
	r->step = "autostop";
	souk_provider_set_on_shutdown(provider, &limits, &ref, 1, SOUK_ON_SHUTDOWN_STOP, NULL);
	souk_provider_set_on_shutdown(provider, &limits, &ref, 1, SOUK_ON_SHUTDOWN_TERMINATE, NULL);
	r->step = "stop";
	souk_provider_stop(provider, &limits, &ref, 1, NULL);
	r->step = "start";
	souk_provider_start(provider, &limits, &ref, 1, NULL);
	r->step = "down";
	souk_provider_teardown(provider, &limits, &ref, 1, NULL);
	souk_instance_list_fini(&found);
}

/* Whether machines are there under the token or the cluster, and what is left besides. */
static void rehearse_settling(struct rehearsing *r, struct stage *stage, const struct souk_candidate *c)
{
	struct souk_call_limits limits = fleet_limits(r->fleet);
	struct souk_instance_filter by_token = {
		.struct_size = sizeof(by_token), .request_token = TOKEN, .region = c->offer.region,
	};
	struct souk_instance_filter by_cluster = {
		.struct_size = sizeof(by_cluster), .cluster = r->cluster, .owner = r->fleet->owner,
		.region = c->offer.region,
	};
	struct souk_instance_list found = { 0 };

	r->step = "settle";
	souk_provider_list_instances(stage->provider, &limits, &by_token, &found, NULL);
	souk_provider_list_instances(stage->provider, &limits, &by_cluster, &found, NULL);
	r->step = "sweep";
	souk_provider_sweep(stage->provider, &limits, &by_cluster, NULL);
	souk_instance_list_fini(&found);
}

static int rehearse_scene(struct rehearsing *r, struct stage *stage, const struct souk_candidate *c,
			  uint32_t scene, struct souk_error *err)
{
	/* Of the form of keys, and nobody's. */
	static struct fleet_keys keys = {
		.public_key = (char *)"ssh-ed25519 AAAAPUBLICKEY",
		.host_private = (char *)"-----BEGIN OPENSSH PRIVATE KEY-----\nHOSTKEY\n"
				        "-----END OPENSSH PRIVATE KEY-----\n",
		.host_public = (char *)"ssh-ed25519 AAAAHOSTPUBLICKEY",
	};
	SOUK_AUTO_FREE struct souk_label *labels = calloc(c->request->labels.n + 1, sizeof(*labels));
	struct souk_call_limits limits = fleet_limits(r->fleet);
	struct souk_instance_list list = { 0 };
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_instance_spec spec;
	size_t i;
	int ret;

	if (!labels)
		return souk_error_nomem(err);
	for (i = 0; i < c->request->labels.n; i++)
		labels[i] = (struct souk_label){ c->request->labels.items[i].key,
						 c->request->labels.items[i].value };
	fleet_fill_spec(r->fleet, r->task, c, r->cluster, TOKEN, &keys, labels, &spec);
	stage->rehearsal.scene = scene;
	r->step = "provision";
	ret = souk_provider_provision(stage->provider, &limits, &spec, &list, &own);
	/* Where all goes well it has to: else the list of requests is not whole. */
	if (ret < 0 && (ret == SOUK_E_NOMEM || scene == SOUK_SCENE_NEW)) {
		if (err)
			*err = own;
	} else {
		ret = SOUK_OK;
	}
	if (ret == SOUK_OK && scene == SOUK_SCENE_NEW) {
		rehearse_life(r, stage, c, &list);
		rehearse_settling(r, stage, c);
	}
	souk_instance_list_fini(&list);
	return ret;
}

static int rehearse_candidate(struct rehearsing *r, const struct souk_candidate *c,
			      struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_request_account *account;
	struct stage *stage = NULL;
	uint32_t scene;
	size_t i;
	int ret;

	r->first_row = r->out->n;
	ret = get_stage(r, c->provider, &stage, err);
	if (ret < 0 || !stage->provider)
		return ret;
	for (scene = 0; scene < SOUK_SCENES && ret == SOUK_OK; scene++)
		ret = rehearse_scene(r, stage, c, scene, &own);
	for (i = 0; i < r->n_stages && r->stages[i] != stage; i++)
		;
	account = &r->out->accounts[i];
	if (ret == SOUK_OK || ret == SOUK_E_NOMEM || account->problem) {
		if (ret == SOUK_E_NOMEM && err)
			*err = own;
		return ret == SOUK_E_NOMEM ? ret : SOUK_OK;
	}
	account->problem = keep(r->out, own.message, strlen(own.message), err);
	return account->problem ? SOUK_OK : SOUK_E_NOMEM;
}

static void close_stages(struct rehearsing *r)
{
	size_t i;

	for (i = 0; i < r->n_stages; i++) {
		souk_provider_close(r->stages[i]->provider);
		souk_strv_fini(&r->stages[i]->permissions);
		free(r->stages[i]);
	}
	free(r->stages);
}

int fleet_rehearse(struct souk_fleet *fleet, const struct souk_task *task,
		   struct souk_plan_result *plan, const char *cluster, size_t limit,
		   struct souk_requests **requests_out, struct souk_error *err)
{
	struct souk_requests *out = calloc(1, sizeof(*out));
	struct rehearsing r = { .fleet = fleet, .task = task, .cluster = cluster, .out = out };
	struct souk_candidate c;
	size_t i;
	int ret = SOUK_OK;

	if (!out)
		return souk_error_nomem(err);
	for (i = 0; i < plan->n && i < limit && ret == SOUK_OK; i++) {
		r.candidate = (uint32_t)i + 1;
		ret = souk_plan_result_get(plan, i, &c, err);
		if (ret == SOUK_OK)
			ret = rehearse_candidate(&r, &c, err);
	}
	for (i = 0; i < r.n_stages && ret == SOUK_OK; i++)
		ret = write_policy(&r, r.stages[i], &out->accounts[i], err);
	close_stages(&r);
	if (ret < 0) {
		souk_requests_free(out);
		return ret;
	}
	*requests_out = out;
	return SOUK_OK;
}
