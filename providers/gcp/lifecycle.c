/* SPDX-License-Identifier: Apache-2.0 */
/* lifecycle.c - end, stop and start machines, and change who reaches them */

#include <stdio.h>
#include <string.h>

#include "machines.h"

enum { WIDTH = 8, START_BUDGET_MS = 60000 };

/* One action on each of many machines. */
struct action {
	const struct gcp_client *client;
	const struct souk_instance_ref *refs;
	const char *what;
	const char *doing;
	const char *permission;
	const char *method;
	const char *suffix;	/* of the URL */
	uint32_t budget_ms;	/* to wait for what comes of it; 0: not at all */
	int gone_is_fine;
	char (*tags)[GCP_TAG_SIZE]; /* found at the machines */
};

static int gone(const struct action *action, const char *id, struct souk_error *err)
{
	if (action->gone_is_fine)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_NOT_FOUND, "cannot %s: there is no machine '%.64s'",
			      action->doing, id);
}

static int send_action(const struct action *action, const char *zone, const char *id,
		       struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_JSON struct json_object *operation = NULL;
	struct gcp_request request = {
		.what = action->what,
		.doing = action->doing,
		.permission = action->permission,
		.method = action->method,
		.flags = SOUK_HTTP_RETRY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_fault fault;
	char scope[GCP_NAME_SIZE + 8];
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_compute_url(action->client, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "zones/%s/instances/%s%s", zone, id, action->suffix);
	request.url = url.data;
	ret = gcp_operate(action->client, &request, &operation, &fault, &why);
	if (ret < 0)
		return fault.status == 404 ? gone(action, id, err) : souk_error_copy(&why, err);
	if (!action->budget_ms)
		return SOUK_OK;
	snprintf(scope, sizeof(scope), "zones/%s", zone);
	return gcp_operation_wait(action->client, scope, operation, action->doing,
				  action->budget_ms, err);
}

static int act_on(void *arg, uint32_t i, struct souk_error *err)
{
	struct action *action = arg;
	const struct souk_instance_ref *ref = &action->refs[i];
	GCP_AUTO_JSON struct json_object *object = NULL;
	char zone[GCP_NAME_SIZE];
	const char *tag;
	int ret;

	if (!gcp_is_name(ref->id))
		return gone(action, ref->id, err);
	ret = gcp_ref_zone(action->client, ref, zone, err);
	if (ret <= 0)
		return ret < 0 ? ret : gone(action, ref->id, err);
	if (action->tags) {
		ret = gcp_instance_get(action->client, zone, ref->id, &object, err);
		if (ret <= 0)
			return ret < 0 ? ret : gone(action, ref->id, err);
		tag = gcp_instance_tag(object);
		snprintf(action->tags[i], GCP_TAG_SIZE, "%s", tag ? tag : "");
	}
	return action->method ? send_action(action, zone, ref->id, err) : SOUK_OK;
}

static int act(struct action *action, uint32_t n, struct souk_error *err)
{
	GCP_AUTO_FREE struct souk_error *errors = calloc(n ? n : 1, sizeof(*errors));
	uint32_t i;

	if (!errors)
		return gcp_nomem(err);
	if (!souk_call_parallel(action->client->call, n, WIDTH, act_on, action, errors))
		return SOUK_OK;
	for (i = 0; i < n; i++)
		if (errors[i].code != SOUK_OK)
			return souk_error_copy(&errors[i], err);
	return SOUK_OK;
}

/* ---- Rules of clusters whose machines are gone ---- */

struct count {
	const struct souk_instance_ref *refs;
	uint32_t n;
	uint32_t others;
};

/* A machine of the cluster besides those that are being ended. */
static int take_other(void *arg, struct json_object *object, struct souk_error *err)
{
	struct count *count = arg;
	const char *name = souk_json_maybe_text(object, "name");
	uint32_t i;

	(void)err;
	for (i = 0; i < count->n; i++)
		if (name && strcmp(count->refs[i].id, name) == 0)
			return SOUK_OK;
	count->others++;
	return SOUK_OK;
}

/*
 * Rules cost nothing and can go as soon as no machine but those on their way out has their tag. One
 * that cannot be deleted must not keep a machine's teardown from being told as done.
 */
static void delete_rules(const struct gcp_client *client, const struct souk_instance_ref *refs,
			 uint32_t n, const char (*tags)[GCP_TAG_SIZE])
{
	uint32_t i, k;

	for (i = 0; i < n; i++) {
		struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
		struct count count = { .refs = refs, .n = n };
		struct souk_error why = SOUK_ERROR_INIT;
		int ret;

		for (k = 0; k < i && strcmp(tags[k], tags[i]) != 0; k++)
			;
		if (!tags[i][0] || k < i || !refs[i].cluster)
			continue;
		filter.cluster = refs[i].cluster;
		ret = gcp_instances_each(client, &filter, take_other, &count, &why);
		if (ret == SOUK_OK && !count.others)
			ret = gcp_rules_delete(client, tags[i], &why);
		if (ret < 0)
			souk_call_log(client->call, SOUK_LOG_DEBUG,
				      "the firewall rules of '%s' stay for now: %s", tags[i],
				      why.message);
	}
}

/* ---- The ops ---- */

int gcp_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct action action = {
		.client = &client,
		.refs = refs,
		.what = "instances.delete",
		.doing = "end the machines",
		.permission = "compute.instances.delete",
		.method = "DELETE",
		.suffix = "",
		.gone_is_fine = 1,
	};
	int ret;

	if (!n)
		return SOUK_OK;
	action.tags = calloc(n, sizeof(*action.tags));
	if (!action.tags)
		return gcp_nomem(err);
	ret = act(&action, n, err);
	if (ret == SOUK_OK)
		delete_rules(&client, refs, n, (const char (*)[GCP_TAG_SIZE])action.tags);
	free(action.tags);
	return ret;
}

int gcp_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	     struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct action action = {
		.client = &client,
		.refs = refs,
		.what = "instances.stop",
		.doing = "stop the machines",
		.permission = "compute.instances.stop",
		.method = "POST",
		/* Without this a machine with local disks is not stopped at all. */
		.suffix = "/stop?discardLocalSsd=true",
	};

	return act(&action, n, err);
}

/* Call back for each tag that the machines have, once. */
static int each_tag(struct action *action, uint32_t n,
		    int (*with)(const struct action *action, const char *tag, void *arg,
				struct souk_error *err),
		    void *arg, struct souk_error *err)
{
	uint32_t i, k;
	int ret = SOUK_OK;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		for (k = 0; k < i && strcmp(action->tags[k], action->tags[i]) != 0; k++)
			;
		if (action->tags[i][0] && k == i)
			ret = with(action, action->tags[i], arg, err);
	}
	return ret;
}

static int admit(const struct action *action, const char *tag, void *arg, struct souk_error *err)
{
	(void)arg;
	return gcp_rules_admit(action->client, tag, err);
}

int gcp_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	      struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct action action = {
		.client = &client,
		.refs = refs,
		.what = "instances.start",
		.doing = "start the machines again",
		.permission = "compute.instances.start",
		.method = "POST",
		.suffix = "/start",
		/* What is sold out is told of there. */
		.budget_ms = START_BUDGET_MS,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	int ret;

	if (!n)
		return SOUK_OK;
	action.tags = calloc(n, sizeof(*action.tags));
	if (!action.tags)
		return gcp_nomem(err);
	ret = act(&action, n, err);
	/* Whoever starts them may be elsewhere than whoever made them. */
	if (ret == SOUK_OK && each_tag(&action, n, admit, NULL, &why) < 0)
		souk_call_log(call, SOUK_LOG_WARNING, "SSH may not be admitted from here: %s",
			      why.message);
	free(action.tags);
	return ret;
}

struct opening {
	const struct souk_port_range *ports;
	uint32_t n;
};

static int open_tag(const struct action *action, const char *tag, void *arg,
		    struct souk_error *err)
{
	const struct opening *opening = arg;

	return gcp_rules_open(action->client, tag, opening->ports, opening->n, err);
}

int gcp_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		   struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct action action = { .client = &client, .refs = refs, .doing = "open ports" };
	struct opening opening = { ports, n_ports };
	int ret;

	if (!n || !n_ports)
		return SOUK_OK;
	action.tags = calloc(n, sizeof(*action.tags));
	if (!action.tags)
		return gcp_nomem(err);
	ret = act(&action, n, err);
	if (ret == SOUK_OK)
		ret = each_tag(&action, n, open_tag, &opening, err);
	free(action.tags);
	return ret;
}

int gcp_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
	      struct souk_error *err)
{
	struct gcp_client client = { self, call };
	struct souk_instance_filter all = *filter;
	struct count count = { 0 };
	char tag[GCP_TAG_SIZE];
	int ret;

	if (!filter->cluster || !filter->owner)
		return souk_error_set(err, SOUK_E_INVALID, "sweep: needs a cluster and an owner");
	/* Rules are of no region. */
	all.region = NULL;
	all.request_token = NULL;
	ret = gcp_cluster_tag(filter->owner, filter->cluster, tag, err);
	if (ret == SOUK_OK)
		ret = gcp_instances_each(&client, &all, take_other, &count, err);
	if (ret < 0 || count.others)
		return ret;
	return gcp_rules_delete(&client, tag, err);
}
