/* SPDX-License-Identifier: Apache-2.0 */
/* runpod.c - RunPod on the market: the account, its settings, and the table of operations */

#include "runpod.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "market.h"
#include "pods.h"
#include "volume.h"

#define ENDPOINT "https://api.runpod.io"

static const struct souk_option runpod_options[] = {
	{ "api_key", "the API key, in place of RUNPOD_API_KEY", NULL, SOUK_OPT_SECRET, 0 },
	{ "cloud", "clouds whose offers are listed: secure, community", "secure", SOUK_OPT_LIST,
	  0 },
	{ "image", "container image of the machines, where the task names none", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "volume_gb", "GB of a volume that outlives the container, and ends with the pod", NULL,
	  SOUK_OPT_INTEGER, 0 },
	{ "network_volume", "id of a network volume that pods are given", NULL, SOUK_OPT_STRING, 0 },
	{ "volume_path", "where a pod sees its volume", RUNPOD_VOLUME_PATH, SOUK_OPT_STRING, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char *const runpod_signs[] = {
	"env:RUNPOD_API_KEY",
	"file:~/.runpod/config.toml",
	"option:api_key",
	NULL,
};

static const char runpod_credentials_help[] =
	"An API key: the option 'api_key'; RUNPOD_API_KEY; 'apikey' at the top, or 'api_key' under\n"
	"[default], of ~/.runpod/config.toml, as runpodctl and RunPod's Python library write it.\n";

/* Replies that were kept for one key must not be given to another. 64 bits of a hash tell keys
 * apart, and tell nothing of a key. */
static void set_scope(struct runpod *runpod)
{
	uint64_t hash = UINT64_C(14695981039346656037);
	const char *p;

	for (p = runpod->key; *p; p++)
		hash = (hash ^ (unsigned char)*p) * UINT64_C(1099511628211);
	(void)snprintf(runpod->scope, sizeof(runpod->scope), "%016" PRIx64, hash);
}

static int set_endpoint(struct runpod *runpod, struct souk_call *call, struct souk_error *err)
{
	RUNPOD_AUTO_BUF struct souk_buf url = { 0 };
	int ret;

	souk_buf_init(&url, RUNPOD_MAX_URL / 2);
	ret = souk_call_endpoint(call, ENDPOINT, "/v2", &url, err);
	if (ret < 0)
		return ret;
	runpod->endpoint = souk_buf_steal(&url);
	return runpod->endpoint ? SOUK_OK : souk_error_nomem(err);
}

static int set_clouds(struct runpod *runpod, const char *list, struct souk_error *err)
{
	enum runpod_cloud cloud;
	size_t len;

	for (list = list ? list : "secure"; *list; list += len + (list[len] == ',')) {
		len = strcspn(list, ",");
		for (cloud = RUNPOD_SECURE; cloud < RUNPOD_CLOUDS; cloud++)
			if (strlen(runpod_cloud_name(cloud)) == len &&
			    strncasecmp(list, runpod_cloud_name(cloud), len) == 0)
				break;
		if (cloud == RUNPOD_CLOUDS) {
			souk_error_set(err, SOUK_E_INVALID, "cloud: '%.*s' is neither 'secure' "
							    "nor 'community'",
				       (int)(len < 60 ? len : 60), list);
			return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		}
		runpod->clouds |= 1u << cloud;
	}
	if (!runpod->clouds)
		runpod->clouds = 1u << RUNPOD_SECURE;
	return SOUK_OK;
}

static void runpod_close(void *self)
{
	struct runpod *runpod = self;

	if (!runpod)
		return;
	souk_secret_free(runpod->key);
	souk_text_free(runpod->endpoint);
	pthread_mutex_destroy(&runpod->lock);
	free(runpod);
}

static int runpod_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct runpod *runpod = calloc(1, sizeof(*runpod));
	int ret;

	if (!runpod)
		return souk_error_nomem(err);
	pthread_mutex_init(&runpod->lock, NULL);
	ret = set_endpoint(runpod, call, err);
	if (ret == SOUK_OK)
		ret = set_clouds(runpod, souk_call_option(call, "cloud"), err);
	if (ret == SOUK_OK)
		ret = runpod_key_find(call, &runpod->key, err);
	if (ret < 0) {
		runpod_close(runpod);
		return ret;
	}
	set_scope(runpod);
	*self_out = runpod;
	return SOUK_OK;
}

static const struct souk_provider_ops runpod_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_IMAGE | SOUK_FEATURE_DISK_SIZE | SOUK_FEATURE_HOST_KEY |
		    SOUK_FEATURE_MULTI_NODE,
	.name = "runpod",
	.title = "RunPod",
	.options = runpod_options,
	.credentials = runpod_credentials_help,
	.permissions = runpod_permissions,
	.open = runpod_open,
	.close = runpod_close,
	.list_offers = runpod_list_offers,
	.provision = runpod_provision,
	.describe = runpod_describe,
	.teardown = runpod_teardown,
	.list_instances = runpod_list_instances,
	.quote = runpod_quote,
	.check = runpod_check,
	.credential_signs = runpod_signs,
	.rehearse = runpod_rehearse,
	.policy = runpod_policy,
};

SOUK_PROVIDER_REGISTER(runpod_ops);
