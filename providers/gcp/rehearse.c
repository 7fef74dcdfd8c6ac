/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse.c - Google Cloud as it would answer, for launches that send nothing; and the role they need */

#include <stdio.h>
#include <string.h>

#include "machines.h"

enum { MAX_BODY = 1024 * 1024 };

#define DONE "{\"name\":\"OPERATION\",\"status\":\"DONE\"}"
#define UNDER_WAY "{\"name\":\"OPERATION\",\"status\":\"RUNNING\"}"

/* A request, as far as the answer depends on it. */
struct question {
	struct gcp *gcp; /* NULL while it is opened */
	uint32_t scene;
	const char *url;
	const char *body; /* "": none */
};

typedef void (*answer_fn)(const struct question *question, int32_t *status_out,
			  struct souk_buf *out);

/* ---- Answers --------------------------------------------------------------------------------- */

static void refuse(int status, const char *reason, const char *message, int32_t *status_out,
		   struct souk_buf *out)
{
	*status_out = status;
	souk_buf_printf(out, "{\"error\":{\"code\":%d,\"message\":\"%s\",\"errors\":"
			"[{\"reason\":\"%s\"}]}}", status, message, reason);
}

static void answer_token(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, "{\"access_token\":\"TOKEN\",\"expires_in\":3600}");
}

/* The machine that souk runs on: its project, or a token of its service account. */
static void answer_metadata(const struct question *question, int32_t *status_out,
			    struct souk_buf *out)
{
	if (strstr(question->url, "/project/"))
		souk_buf_str(out, "project");
	else
		answer_token(question, status_out, out);
}

static void answer_address(const struct question *question, int32_t *status_out,
			   struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, "192.0.2.1\n");
}

static void answer_operation(const struct question *question, int32_t *status_out,
			     struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, UNDER_WAY);
}

static void answer_done(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, DONE);
}

/* None but those whose names are known already. */
static void answer_none(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, "{\"items\":{}}");
}

static void answer_image(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	if (question->scene == SOUK_SCENE_BARE)
		refuse(404, "notFound", "no such image, in a rehearsal", status_out, out);
	else
		souk_buf_str(out, "{\"selfLink\":\"projects/PROJECT/global/images/IMAGE\","
				  "\"diskSizeGb\":\"10\"}");
}

/* A rule is there only if an earlier launch has left it. */
static void answer_new_rule(const struct question *question, int32_t *status_out,
			    struct souk_buf *out)
{
	if (question->scene == SOUK_SCENE_FOUND)
		refuse(409, "alreadyExists", "the rule is there, in a rehearsal", status_out, out);
	else
		souk_buf_str(out, UNDER_WAY);
}

/* It admits somebody else, so that it has to be changed. */
static void answer_rule(const struct question *question, int32_t *status_out, struct souk_buf *out)
{
	(void)question;
	(void)status_out;
	souk_buf_str(out, "{\"name\":\"RULE\",\"sourceRanges\":[]}");
}

/* Machines look as they were asked for: what of that is needed later is remembered. */
static void remember_tag(struct gcp *gcp, const char *body)
{
	GCP_AUTO_JSON struct json_object *order = souk_json_parse(body, strlen(body));
	const char *tag = order ? gcp_instance_tag(order) : NULL;

	if (!gcp || !tag)
		return;
	pthread_mutex_lock(&gcp->lock);
	snprintf(gcp->rehearsed_tag, sizeof(gcp->rehearsed_tag), "%s", tag);
	pthread_mutex_unlock(&gcp->lock);
}

static void answer_insert(const struct question *question, int32_t *status_out,
			  struct souk_buf *out)
{
	(void)status_out;
	remember_tag(question->gcp, question->body);
	if (question->scene == SOUK_SCENE_REFUSED)
		souk_buf_str(out, "{\"name\":\"OPERATION\",\"status\":\"DONE\",\"httpErrorStatusCode\":503,"
				  "\"error\":{\"errors\":[{\"code\":\"ZONE_RESOURCE_POOL_EXHAUSTED\","
				  "\"message\":\"sold out, in a rehearsal\"}]}}");
	else
		souk_buf_str(out, UNDER_WAY);
}

/* The step of a URL's path behind "/NAME/"; "" if there is none. */
static void step_of(const char *url, const char *name, char *out, size_t size)
{
	char before[32];
	const char *at;

	snprintf(before, sizeof(before), "/%s/", name);
	at = strstr(url, before);
	at = at ? at + strlen(before) : "";
	snprintf(out, size, "%.*s", (int)strcspn(at, "/?"), at);
}

static void answer_instance(const struct question *question, int32_t *status_out,
			    struct souk_buf *out)
{
	char zone[GCP_NAME_SIZE], name[GCP_NAME_SIZE], tag[GCP_TAG_SIZE] = "";

	(void)status_out;
	step_of(question->url, "zones", zone, sizeof(zone));
	step_of(question->url, "instances", name, sizeof(name));
	if (question->gcp) {
		pthread_mutex_lock(&question->gcp->lock);
		memcpy(tag, question->gcp->rehearsed_tag, sizeof(tag));
		pthread_mutex_unlock(&question->gcp->lock);
	}
	souk_buf_printf(out,
			"{\"name\":\"%s\",\"zone\":\"zones/%s\",\"status\":\"RUNNING\","
			"\"tags\":{\"items\":[\"%s\"]},\"networkInterfaces\":[{\"networkIP\":\"10.0.0.4\","
			"\"accessConfigs\":[{\"natIP\":\"198.51.100.4\"}]}]}", name, zone, tag);
}

/* ---- The table ------------------------------------------------------------------------------- */

static const struct {
	const char *what;
	const char *permission; /* "": none */
	answer_fn answer;
} actions[] = {
	{ "firewalls.delete", "compute.firewalls.delete compute.networks.updatePolicy",
	  answer_operation },
	{ "firewalls.get", "compute.firewalls.get", answer_rule },
	{ "firewalls.insert", "compute.firewalls.create compute.networks.updatePolicy",
	  answer_new_rule },
	{ "firewalls.patch", "compute.firewalls.update compute.networks.updatePolicy",
	  answer_operation },
	{ "globalOperations.wait", "compute.globalOperations.get", answer_done },
	{ "images.get", "", answer_image },
	{ "instances.aggregatedList", "compute.instances.list", answer_none },
	{ "instances.delete", "compute.instances.delete", answer_operation },
	{ "instances.get", "compute.instances.get", answer_instance },
	/* what a machine is made with takes a permission each */
	{ "instances.insert",
	  "compute.disks.create compute.instances.create compute.instances.setLabels "
	  "compute.instances.setMetadata compute.instances.setTags compute.subnetworks.use",
	  answer_insert },
	{ "instances.start", "compute.instances.start", answer_operation },
	{ "instances.stop", "compute.instances.stop", answer_operation },
	{ "metadata", "", answer_metadata },
	{ "public address", "", answer_address },
	{ "token", "", answer_token },
	{ "zoneOperations.wait", "compute.zoneOperations.get", answer_done },
};

/* 1 if it names an image of the client's own project; those of others are for everybody. */
static int is_own_image(struct gcp *gcp, const char *text)
{
	char path[300];
	int found;

	if (!gcp)
		return 0;
	pthread_mutex_lock(&gcp->lock);
	snprintf(path, sizeof(path), "projects/%s/global/images/", gcp->project ? gcp->project : "");
	found = strstr(text, path) != NULL;
	pthread_mutex_unlock(&gcp->lock);
	return found;
}

/* What else a request needs by what is in it. */
static void add_further(const struct question *question, const char *what,
			struct souk_buf *permission)
{
	if (strcmp(what, "images.get") == 0 && is_own_image(question->gcp, question->url))
		souk_buf_str(permission, "compute.images.get compute.images.useReadOnly");
	if (strcmp(what, "instances.insert") != 0)
		return;
	if (strstr(question->body, "\"accessConfigs\""))
		souk_buf_str(permission, " compute.subnetworks.useExternalIp");
	if (strstr(question->body, "\"serviceAccounts\""))
		souk_buf_str(permission, " compute.instances.setServiceAccount "
					 "iam.serviceAccounts.actAs");
}

int gcp_rehearse(void *self, struct souk_call *call, uint32_t scene,
		 const struct souk_http_request *request, int32_t *status_out,
		 struct souk_buf *body, struct souk_buf *permission, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf text = { 0 };
	struct question question = { .gcp = self, .scene = scene, .url = request->url };
	size_t i;
	int ret;

	(void)call;
	if (question.gcp)
		atomic_store(&question.gcp->rehearses, 1);
	souk_buf_init(&text, MAX_BODY);
	souk_buf_add(&text, request->body ? request->body : "", request->body ? request->body_size : 0);
	ret = souk_buf_failed(&text, err);
	if (ret < 0)
		return ret;
	question.body = text.data;
	for (i = 0; i < GCP_ARRAY_SIZE(actions); i++)
		if (strcmp(actions[i].what, request->what) == 0)
			break;
	if (i == GCP_ARRAY_SIZE(actions)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "no rehearsal of '%s'", request->what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	*status_out = 200;
	souk_buf_str(permission, actions[i].permission);
	add_further(&question, request->what, permission);
	actions[i].answer(&question, status_out, body);
	explicit_bzero(text.data, text.len);
	return souk_buf_failed(body, err);
}

/* ---- The role -------------------------------------------------------------------------------- */

int gcp_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
	       struct souk_error *err)
{
	struct gcp *gcp = self;
	uint32_t i;

	pthread_mutex_lock(&gcp->lock);
	souk_buf_printf(out, "# gcloud iam roles create souk --project=%s --file=FILE\n",
			gcp->project ? gcp->project : "PROJECT");
	pthread_mutex_unlock(&gcp->lock);
	souk_buf_str(out, "title: souk\ndescription: What souk asks for in these launches\nstage: GA\n"
			  "includedPermissions:\n");
	for (i = 0; i < n; i++)
		souk_buf_printf(out, "- %s\n", permissions[i]);
	return souk_buf_failed(out, err);
}
