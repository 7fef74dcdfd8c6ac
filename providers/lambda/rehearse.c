/* SPDX-License-Identifier: Apache-2.0 */
/* rehearse.c - Lambda as it would answer, for launches that send nothing; and the key they need */

#include <stdio.h>
#include <string.h>

#include "lambda.h"
#include "machines.h"

/* What every request needs: Lambda's keys know no less than all. */
#define PERMISSION "api-key"

/* A request, as far as the answer depends on it. */
struct question {
	struct lambda *lambda;
	struct souk_call *call;
	uint32_t scene;
	const char *body; /* whole, with a NUL behind it */
};

typedef int (*answer_fn)(const struct question *question, struct souk_buf *out);

/* The one machine that there is. It has no token, so that no launch takes it for its own. */
static int answer_instances(const struct question *question, struct souk_buf *out)
{
	return souk_buf_printf(out,
			       "{\"data\":[{\"id\":\"INSTANCE\",\"status\":\"active\","
			       "\"ip\":\"198.51.100.4\",\"private_ip\":\"10.0.0.4\","
			       "\"region\":{\"name\":\"REGION\",\"description\":\"\"},"
			       "\"ssh_key_names\":[\"%s\"],\"tags\":[]}]}",
			       question->lambda->rehearsed.key);
}

static int answer_launch(const struct question *question, struct souk_buf *out)
{
	(void)question;
	return souk_buf_str(out, "{\"data\":{\"instance_ids\":[\"INSTANCE\"]}}");
}

/* The key is there once it was registered, and from an earlier launch. */
static int answer_keys(const struct question *question, struct souk_buf *out)
{
	const struct lambda_rehearsed *rehearsed = &question->lambda->rehearsed;

	if (!rehearsed->key[0] || (!rehearsed->has_key && question->scene != SOUK_SCENE_FOUND))
		return souk_buf_str(out, "{\"data\":[]}");
	return souk_buf_printf(out, "{\"data\":[{\"id\":\"KEY\",\"name\":\"%s\","
				    "\"public_key\":\"ssh-ed25519 AAAAPUBLICKEY\"}]}",
			       rehearsed->key);
}

/* Its name is one of ours: nothing in it has to be escaped. */
static int answer_new_key(const struct question *question, struct souk_buf *out)
{
	struct lambda_rehearsed *rehearsed = &question->lambda->rehearsed;
	LAMBDA_AUTO_JSON struct json_object *body = souk_json_parse(question->body,
								    strlen(question->body));
	const char *name = souk_json_maybe_text(body, "name");

	snprintf(rehearsed->key, sizeof(rehearsed->key), "%s", name ? name : "");
	rehearsed->has_key = 1;
	return souk_buf_str(out, "{\"data\":{}}");
}

static int answer_no_key(const struct question *question, struct souk_buf *out)
{
	question->lambda->rehearsed.has_key = 0;
	return souk_buf_str(out, "{\"data\":{}}");
}

/* The one that the setting names, where it is wanted. */
static int answer_rulesets(const struct question *question, struct souk_buf *out)
{
	const char *name = souk_call_option(question->call, "firewall");
	LAMBDA_AUTO_JSON struct json_object *place = json_object_new_object();
	LAMBDA_AUTO_JSON struct json_object *item = json_object_new_object();
	const char *text;

	if (question->scene == SOUK_SCENE_BARE || !name)
		return souk_buf_str(out, "{\"data\":[]}");
	if (souk_json_put_text(place, "name", question->lambda->rehearsed.region, NULL) < 0 ||
	    souk_json_put_text(item, "id", "RULESET", NULL) < 0 ||
	    souk_json_put_text(item, "name", name, NULL) < 0 ||
	    souk_json_put(item, "region", json_object_get(place), NULL) < 0)
		return SOUK_E_NOMEM;
	text = souk_json_body(item);
	return text ? souk_buf_printf(out, "{\"data\":[%s]}", text) : SOUK_E_NOMEM;
}

static int answer_empty(const struct question *question, struct souk_buf *out)
{
	(void)question;
	return souk_buf_str(out, "{\"data\":{}}");
}

static const struct {
	const char *what;
	answer_fn answer;
} requests[] = {
	{ "AddSSHKey", answer_new_key },
	{ "DeleteSSHKey", answer_no_key },
	{ "LaunchInstance", answer_launch },
	{ "ListFirewallRulesets", answer_rulesets },
	{ "ListInstances", answer_instances },
	{ "ListSSHKeys", answer_keys },
	{ "TerminateInstances", answer_empty },
};

static int sold_out(int32_t *status_out, struct souk_buf *out)
{
	*status_out = 400;
	return souk_buf_str(out, "{\"error\":{\"code\":\"instance-operations/launch/"
				 "insufficient-capacity\",\"message\":\"sold out, in a rehearsal\"}}");
}

static int answer(const struct question *question, const char *what, int32_t *status_out,
		  struct souk_buf *out, struct souk_error *err)
{
	size_t i;

	for (i = 0; i < LAMBDA_ARRAY_SIZE(requests); i++)
		if (strcmp(requests[i].what, what) == 0)
			break;
	if (i == LAMBDA_ARRAY_SIZE(requests)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "no rehearsal of '%s'", what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	*status_out = 200;
	if (requests[i].answer == answer_launch && question->scene == SOUK_SCENE_REFUSED)
		return sold_out(status_out, out);
	return requests[i].answer(question, out);
}

int lambda_rehearse(void *self, struct souk_call *call, uint32_t scene,
		    const struct souk_http_request *request, int32_t *status_out,
		    struct souk_buf *body, struct souk_buf *permission, struct souk_error *err)
{
	LAMBDA_AUTO_BUF struct souk_buf text = { 0 };
	struct question question = { .lambda = self, .call = call, .scene = scene };
	int ret;

	/* What is not sent needs no turn; the first request has taken one before it came here. */
	if (!question.lambda->rehearsed.is_on)
		lambda_pace_give_back(&question.lambda->pace);
	question.lambda->rehearsed.is_on = 1;
	souk_buf_init(&text, 1024 * 1024);
	souk_buf_add(&text, request->body ? request->body : "", request->body ? request->body_size : 0);
	ret = souk_buf_failed(&text, err);
	if (ret < 0)
		return ret;
	question.body = text.data;
	souk_buf_str(permission, PERMISSION);
	ret = answer(&question, request->what, status_out, body, err);
	return ret < 0 ? ret : souk_buf_failed(body, err);
}

/* A key's permissions cannot be chosen: there is one to be had, and it may do everything. */
int lambda_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		  struct souk_error *err)
{
	(void)self;
	if (n)
		souk_buf_printf(out, "%s: one of the account, made at https://cloud.lambda.ai/api-keys\n"
				     "Lambda's keys have no permissions of their own: each may do all "
				     "that its account may.\n",
				permissions[0]);
	return souk_buf_failed(out, err);
}
