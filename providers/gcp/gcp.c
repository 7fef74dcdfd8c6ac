/* SPDX-License-Identifier: Apache-2.0 */
/* gcp.c - Google Compute Engine on the market: the account, its settings, the operations */

#include "gcp.h"

#include <string.h>

#include "machines.h"
#include "market.h"

static const struct souk_option gcp_options[] = {
	{ "project", "project that machines are rented in", NULL, SOUK_OPT_STRING, 0 },
	{ "credentials",
	  "file with the key of a service account, or with what gcloud has left of a login", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "access_token", "token of access to use, instead of all other credentials", NULL,
	  SOUK_OPT_SECRET, 0 },
	{ "region", "regions whose offers are listed", NULL, SOUK_OPT_LIST, 0 },
	{ "image",
	  "machine image: 'projects/PROJECT/global/images/family/FAMILY', or the name of one of the "
	  "project's own",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "image_user", "who logs in on that image", "ubuntu", SOUK_OPT_STRING, 0 },
	{ "network", "network to put machines in", "default", SOUK_OPT_STRING, 0 },
	{ "subnetwork", "subnetwork of the region to put machines in", NULL, SOUK_OPT_STRING, 0 },
	{ "manage_firewall", "make firewall rules for each cluster, and delete them with it", "true",
	  SOUK_OPT_BOOLEAN, 0 },
	{ "ssh_from",
	  "networks that SSH is admitted from; 'auto' is this computer's public address", "auto",
	  SOUK_OPT_LIST, 0 },
	{ "checkip_endpoint", "URL that answers with the caller's public address",
	  "https://checkip.amazonaws.com/", SOUK_OPT_STRING, 0 },
	{ "service_account", "service account that machines get; souk itself needs none", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "use_internal_ips", "reach machines by their private address and give them no public one",
	  "false", SOUK_OPT_BOOLEAN, 0 },
	{ "compute_endpoint", "URL in place of https://compute.googleapis.com", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "billing_endpoint", "URL in place of https://cloudbilling.googleapis.com", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "resources_endpoint", "URL in place of https://cloudresourcemanager.googleapis.com", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "oauth_endpoint", "URL in place of https://oauth2.googleapis.com", NULL, SOUK_OPT_STRING,
	  0 },
	{ "metadata_endpoint", "URL in place of http://169.254.169.254", NULL, SOUK_OPT_STRING,
	  0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char gcp_credentials_help[] =
	"The option 'access_token'; the file of the option 'credentials' or of\n"
	"GOOGLE_APPLICATION_CREDENTIALS; what 'gcloud auth application-default login' has left\n"
	"($CLOUDSDK_CONFIG or ~/.config/gcloud); the service account of the machine that souk runs\n"
	"on. Keys of service accounts and logins of users are supported. The project is the option\n"
	"'project', GOOGLE_CLOUD_PROJECT, CLOUDSDK_CORE_PROJECT, the key's, that of gcloud's\n"
	"configuration, the login's quota project, or the machine's.\n";

static const char *const gcp_signs[] = {
	"option:access_token",
	"option:credentials",
	"env:GOOGLE_APPLICATION_CREDENTIALS",
	"file:$CLOUDSDK_CONFIG/application_default_credentials.json",
	"file:~/.config/gcloud/application_default_credentials.json",
	"env:GCE_METADATA_HOST",
	"vendor:Google",
	NULL,
};

static void gcp_close(void *self)
{
	struct gcp *gcp = self;

	if (!gcp)
		return;
	gcp_identity_fini(&gcp->identity);
	gcp_wipe(&gcp->token);
	free(gcp->project);
	if (gcp->prices)
		gcp_prices_fini(gcp->prices);
	free(gcp->prices);
	pthread_mutex_destroy(&gcp->lock);
	pthread_mutex_destroy(&gcp->prices_lock);
	free(gcp);
}

static int gcp_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct gcp *gcp = calloc(1, sizeof(*gcp));

	if (!gcp)
		return gcp_nomem(err);
	pthread_mutex_init(&gcp->lock, NULL);
	pthread_mutex_init(&gcp->prices_lock, NULL);
	if (gcp_credentials_expected(call, err) < 0) {
		gcp_close(gcp);
		return SOUK_E_AUTH;
	}
	*self_out = gcp;
	return SOUK_OK;
}

static const struct souk_provider_ops gcp_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_IMAGE | SOUK_FEATURE_LABELS |
		    SOUK_FEATURE_PORTS | SOUK_FEATURE_DISK_SIZE | SOUK_FEATURE_DISK_TIER |
		    SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_HOST_KEY | SOUK_FEATURE_SELF_SHUTDOWN |
		    SOUK_FEATURE_MAX_RUN | SOUK_FEATURE_TAG_KEYS,
	.name = "gcp",
	.title = "Google Compute Engine",
	.options = gcp_options,
	.credentials = gcp_credentials_help,
	.permissions = gcp_permissions,
	.open = gcp_open,
	.close = gcp_close,
	.list_offers = gcp_list_offers,
	.provision = gcp_provision,
	.describe = gcp_describe,
	.teardown = gcp_teardown,
	.quote = gcp_quote,
	.list_instances = gcp_list_instances,
	.check = gcp_check,
	.stop = gcp_stop,
	.start = gcp_start,
	.open_ports = gcp_open_ports,
	.sweep = gcp_sweep,
	.credential_signs = gcp_signs,
	.rehearse = gcp_rehearse,
	.policy = gcp_policy,
};

SOUK_PROVIDER_REGISTER(gcp_ops);
