/* SPDX-License-Identifier: Apache-2.0 */
/* check.c - are the credentials good, whose are they, and what may they do */

#include <stdio.h>
#include <string.h>

#include "gcp.h"

/* What souk asks for, all of it in the project. In the order of 'permissions' below. */
static const char *const needed[] = {
	"compute.acceleratorTypes.list",
	"compute.disks.create",
	"compute.firewalls.create",
	"compute.firewalls.delete",
	"compute.firewalls.get",
	"compute.firewalls.list",
	"compute.firewalls.update",
	"compute.globalOperations.get",
	"compute.images.get",
	"compute.images.useReadOnly",
	"compute.instances.create",
	"compute.instances.delete",
	"compute.instances.get",
	"compute.instances.list",
	"compute.instances.setLabels",
	"compute.instances.setMetadata",
	"compute.instances.setTags",
	"compute.instances.start",
	"compute.instances.stop",
	"compute.machineTypes.list",
	"compute.networks.updatePolicy",
	"compute.projects.get",
	"compute.subnetworks.use",
	"compute.subnetworks.useExternalIp",
	"compute.zoneOperations.get",
	"compute.zones.list",
};

const char gcp_permissions[] =
	"A custom role on the project, for instance by 'gcloud iam roles create souk --project=P\n"
	"--file=FILE' with:\n"
	"title: souk\n"
	"includedPermissions:\n"
	"- compute.acceleratorTypes.list\n"
	"- compute.disks.create\n"
	"- compute.firewalls.create\n"
	"- compute.firewalls.delete\n"
	"- compute.firewalls.get\n"
	"- compute.firewalls.list\n"
	"- compute.firewalls.update\n"
	"- compute.globalOperations.get\n"
	"- compute.images.get\n"
	"- compute.images.useReadOnly\n"
	"- compute.instances.create\n"
	"- compute.instances.delete\n"
	"- compute.instances.get\n"
	"- compute.instances.list\n"
	"- compute.instances.setLabels\n"
	"- compute.instances.setMetadata\n"
	"- compute.instances.setTags\n"
	"- compute.instances.start\n"
	"- compute.instances.stop\n"
	"- compute.machineTypes.list\n"
	"- compute.networks.updatePolicy\n"
	"- compute.projects.get\n"
	"- compute.subnetworks.use\n"
	"- compute.subnetworks.useExternalIp\n"
	"- compute.zoneOperations.get\n"
	"- compute.zones.list\n"
	"The APIs compute.googleapis.com and cloudbilling.googleapis.com have to be enabled; the\n"
	"price list needs no permission. roles/compute.instanceAdmin.v1 with\n"
	"roles/compute.securityAdmin has all of these, and more.\n";

/* ---- Who ---- */

/* Ask the token service whose token it is. It is no failure if it does not say. */
static int ask_whose(const struct gcp_client *client, char **email_out, struct souk_error *err)
{
	static const char *const headers[] = {
		"Content-Type: application/x-www-form-urlencoded", NULL
	};
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_REPLY struct souk_http_reply *reply = NULL;
	GCP_AUTO_JSON struct json_object *answer = NULL;
	struct souk_buf form = { 0 };
	struct souk_http_request request = {
		SOUK_HTTP_REQUEST_HEAD,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_BODY,
		.what = "tokeninfo",
		.method = "POST",
		.headers = headers,
		.max_reply_bytes = 64 * 1024,
	};
	char *token = NULL;
	const char *body;
	size_t size = 0;
	int ret;

	souk_buf_init(&url, 2048);
	souk_buf_init(&form, 16 * 1024);
	ret = gcp_endpoint(client->call, GCP_OAUTH, &url, err);
	if (ret == SOUK_OK)
		ret = gcp_token_get(client, &token, err);
	if (ret == SOUK_OK) {
		souk_buf_str(&url, "/tokeninfo");
		souk_buf_str(&form, "access_token=");
		souk_buf_urlencode(&form, token);
		request.url = url.data;
		request.body = form.data;
		request.body_size = form.len;
		ret = souk_buf_failed(&form, err);
	}
	if (ret == SOUK_OK)
		ret = souk_http_send(client->call, &request, &reply, err);
	gcp_wipe(&token);
	if (form.size)
		explicit_bzero(form.data, form.len);
	souk_buf_fini(&form);
	if (ret < 0 || souk_http_reply_status(reply) != 200)
		return ret;
	body = souk_http_reply_body(reply, &size);
	answer = souk_json_parse(body, size);
	return gcp_set(email_out, souk_json_maybe_text(answer, "email"), err);
}

static int ask_machine(const struct gcp_client *client, char **email_out, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf text = { 0 };
	int ret;

	souk_buf_init(&text, 512);
	ret = gcp_metadata_get(client->call, "instance/service-accounts/default/email", &text,
			       err);
	return ret < 0 ? ret : gcp_set(email_out, text.data, err);
}

static int who_is_it(const struct gcp_client *client, struct souk_identity *out,
		     struct souk_error *err)
{
	const struct gcp_identity *identity;
	GCP_AUTO_FREE char *email = NULL;
	const char *project;
	int ret;

	ret = gcp_identity_get(client, &identity, err);
	if (ret == SOUK_OK)
		ret = gcp_project(client, &project, err);
	if (ret < 0)
		return ret;
	if (identity->email)
		ret = gcp_set(&email, identity->email, err);
	else if (identity->source == GCP_FROM_METADATA)
		ret = ask_machine(client, &email, err);
	else
		ret = ask_whose(client, &email, err);
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "account", project, err);
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "project", project, err);
	if (ret == SOUK_OK && email)
		ret = souk_identity_set(out, "principal", email, err);
	return ret;
}

/* ---- What ---- */

/* The project is there, and the two services are enabled for it. */
static int can_ask(const struct gcp_client *client, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_BUF struct souk_buf billing = { 0 };
	GCP_AUTO_JSON struct json_object *project = NULL;
	GCP_AUTO_JSON struct json_object *prices = NULL;
	struct gcp_request request = {
		.what = "zones.list",
		.doing = "use Compute Engine",
		.permission = "compute.zones.list",
		.flags = SOUK_HTTP_RETRY,
	};
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	souk_buf_init(&billing, GCP_MAX_URL);
	ret = gcp_compute_url(client, &url, err);
	if (ret == SOUK_OK)
		ret = gcp_endpoint(client->call, GCP_BILLING, &billing, err);
	if (ret < 0)
		return ret;
	souk_buf_str(&url, "zones?maxResults=1");
	souk_buf_str(&billing, "/v1/services/6F81-5844-456A/skus?pageSize=1");
	request.url = url.data;
	ret = gcp_call(client, &request, &project, NULL, err);
	if (ret < 0)
		return ret;
	request.what = "skus.list";
	request.doing = "use the price list";
	request.permission = NULL;
	request.url = billing.data;
	return gcp_call(client, &request, &prices, NULL, err);
}

static int is_granted(struct json_object *granted, const char *permission)
{
	size_t i;

	for (i = 0; granted && i < json_object_array_length(granted); i++) {
		struct json_object *entry = json_object_array_get_idx(granted, i);

		if (json_object_is_type(entry, json_type_string) &&
		    strcmp(json_object_get_string(entry), permission) == 0)
			return 1;
	}
	return 0;
}

static int judge(struct json_object *answer, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf missing = { 0 };
	struct json_object *granted = NULL;
	size_t n = 0;
	size_t i;

	/* Of none it has no 'permissions' at all. */
	if (gcp_json_array(answer, "permissions", &granted, err) < 0)
		return SOUK_E_INTERNAL;
	souk_buf_init(&missing, 1024);
	for (i = 0; i < GCP_ARRAY_SIZE(needed); i++)
		if (!is_granted(granted, needed[i]) && n++ < 6)
			souk_buf_printf(&missing, "%s%s", missing.len ? ", " : "", needed[i]);
	if (!n)
		return SOUK_OK;
	if (n > 6)
		souk_buf_printf(&missing, " and %zu more", n - 6);
	souk_error_set(err, SOUK_E_AUTH, "the role does not grant %s", missing.data);
	souk_error_reason(err, "IAM_PERMISSION_DENIED");
	return souk_error_hint(err, "'souk provider info gcp' prints the role that is needed");
}

static char *permissions_body(void)
{
	GCP_AUTO_JSON struct json_object *body = json_object_new_object();
	struct json_object *list = json_object_new_array();
	const char *text;
	size_t i;

	if (!body || !list || json_object_object_add(body, "permissions", list) < 0) {
		json_object_put(list);
		return NULL;
	}
	for (i = 0; i < GCP_ARRAY_SIZE(needed); i++)
		if (json_object_array_add(list, json_object_new_string(needed[i])) < 0)
			return NULL;
	text = json_object_to_json_string_ext(body, JSON_C_TO_STRING_PLAIN);
	return text ? strdup(text) : NULL;
}

static int what_may_it(const struct gcp_client *client, struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_JSON struct json_object *answer = NULL;
	GCP_AUTO_FREE char *body = permissions_body();
	struct gcp_request request = {
		.what = "projects.testIamPermissions",
		.doing = "look at the permissions",
		.method = "POST",
		.body = body,
		.flags = SOUK_HTTP_RETRY,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	struct gcp_fault fault;
	const char *project;
	int ret;

	if (!body)
		return gcp_nomem(err);
	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_project(client, &project, err);
	if (ret == SOUK_OK)
		ret = gcp_endpoint(client->call, GCP_RESOURCES, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "/v1/projects/%s:testIamPermissions", project);
	request.url = url.data;
	ret = gcp_call(client, &request, &answer, &fault, &why);
	if (ret == SOUK_OK)
		return judge(answer, err);
	if (!fault.status)
		return souk_error_copy(&why, err);
	/* A project may do without that service. */
	souk_call_log(client->call, SOUK_LOG_WARNING, "the permissions are not known: %s",
		      why.message);
	return SOUK_OK;
}

int gcp_check(void *self, struct souk_call *call, struct souk_identity *out,
	      struct souk_error *err)
{
	struct gcp_client client = { self, call };
	int ret;

	ret = who_is_it(&client, out, err);
	if (ret == SOUK_OK)
		ret = can_ask(&client, err);
	return ret < 0 ? ret : what_may_it(&client, err);
}
