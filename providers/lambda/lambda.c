/* SPDX-License-Identifier: Apache-2.0 */
/* lambda.c - Lambda on the market: the account, its settings, and the table of operations */

#include "lambda.h"

#include <stdlib.h>

#include "machines.h"
#include "market.h"

#define ENDPOINT "https://cloud.lambda.ai"

static const struct souk_option lambda_options[] = {
	{ "api_key", "the API key, in place of LAMBDA_API_KEY", NULL, SOUK_OPT_SECRET, 0 },
	{ "image",
	  "family or id of the machines' image, where the task names none; Lambda's default is the "
	  "latest Lambda Stack",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "image_user", "who logs in on that image", LAMBDA_USER, SOUK_OPT_STRING, 0 },
	{ "firewall",
	  "name of a firewall ruleset of the account that machines are put behind; there is one "
	  "of that name in each region", NULL, SOUK_OPT_STRING, 0 },
	{ "request_ms", "milliseconds between two requests, which Lambda limits", "1000",
	  SOUK_OPT_INTEGER, 0 },
	{ "launch_ms", "milliseconds between two launches", "12000", SOUK_OPT_INTEGER, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char *const lambda_signs[] = {
	"env:LAMBDA_API_KEY",
	"env:LAMBDA_CLOUD_API_TOKEN",
	"env:LAMBDA_CLOUD_TOKEN",
	"env:LAMBDA_API_TOKEN",
	"file:~/.lambda_cloud/lambda_keys",
	"option:api_key",
	NULL,
};

static const char lambda_credentials_help[] =
	"An API key: the option 'api_key'; LAMBDA_API_KEY, LAMBDA_CLOUD_API_TOKEN, LAMBDA_CLOUD_TOKEN or\n"
	"LAMBDA_API_TOKEN, the first that is set; the line 'api_key = KEY' of\n"
	"~/.lambda_cloud/lambda_keys.\n";

static int set_endpoint(struct lambda *lambda, struct souk_call *call, struct souk_error *err)
{
	LAMBDA_AUTO_BUF struct souk_buf url = { 0 };
	int ret;

	souk_buf_init(&url, LAMBDA_MAX_URL / 2);
	ret = souk_call_endpoint(call, ENDPOINT, "/api/v1", &url, err);
	if (ret < 0)
		return ret;
	lambda->endpoint = souk_buf_steal(&url);
	return lambda->endpoint ? SOUK_OK : souk_error_nomem(err);
}

static int set_interval(struct souk_call *call, const char *name, uint32_t *ms,
			struct souk_error *err)
{
	const char *text = souk_call_option(call, name);
	int ret = text && *text ? souk_parse_u32(name, text, ms, err) : SOUK_OK;

	if (ret == SOUK_OK && *ms > LAMBDA_LONGEST_MS / 2)
		ret = souk_error_set(err, SOUK_E_INVALID, "%s: at most %d", name,
				     LAMBDA_LONGEST_MS / 2);
	return ret;
}

static void lambda_close(void *self)
{
	struct lambda *lambda = self;

	if (!lambda)
		return;
	souk_secret_free(lambda->key);
	lambda_pace_fini(&lambda->pace);
	souk_text_free(lambda->endpoint);
	free(lambda);
}

static int lambda_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct lambda *lambda = calloc(1, sizeof(*lambda));
	int ret;

	if (!lambda)
		return souk_error_nomem(err);
	ret = lambda_pace_init(&lambda->pace, souk_call_state_dir(call), err);
	if (ret == SOUK_OK)
		ret = set_interval(call, "request_ms", &lambda->pace.intervals.request_ms, err);
	if (ret == SOUK_OK)
		ret = set_interval(call, "launch_ms", &lambda->pace.intervals.launch_ms, err);
	if (ret == SOUK_OK)
		ret = set_endpoint(lambda, call, err);
	if (ret == SOUK_OK)
		ret = lambda_key_find(call, &lambda->key, err);
	if (ret < 0) {
		lambda_close(lambda);
		return ret;
	}
	*self_out = lambda;
	return SOUK_OK;
}

static const struct souk_provider_ops lambda_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_IMAGE | SOUK_FEATURE_LABELS | SOUK_FEATURE_MULTI_NODE |
		    SOUK_FEATURE_HOST_KEY,
	.name = "lambda",
	.title = "Lambda Cloud",
	.options = lambda_options,
	.credentials = lambda_credentials_help,
	.permissions = lambda_permissions,
	.open = lambda_open,
	.close = lambda_close,
	.list_offers = lambda_list_offers,
	.provision = lambda_provision,
	.describe = lambda_describe,
	.teardown = lambda_teardown,
	.list_instances = lambda_list_instances,
	.sweep = lambda_sweep,
	.quote = lambda_quote,
	.check = lambda_check,
	.credential_signs = lambda_signs,
	.rehearse = lambda_rehearse,
	.policy = lambda_policy,
};

SOUK_PROVIDER_REGISTER(lambda_ops);
