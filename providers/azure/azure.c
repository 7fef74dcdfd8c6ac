/* SPDX-License-Identifier: Apache-2.0 */
/* azure.c - Microsoft Azure on the market: the account, its settings, the table of operations */

#include "azure.h"

#include "machines.h"
#include "market.h"

static const struct souk_option azure_options[] = {
	{ "subscription", "id of the subscription that pays, whatever AZURE_SUBSCRIPTION_ID says",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "region", "regions whose offers are listed", NULL, SOUK_OPT_LIST, 0 },
	{ "credential", "where credentials are from: auto, principal, workload, managed or cli",
	  "auto", SOUK_OPT_STRING, 0 },
	{ "tenant", "tenant of the application, whatever AZURE_TENANT_ID says", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "client_id",
	  "id of the application or the managed identity, whatever AZURE_CLIENT_ID says", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "client_secret", "secret of the application", NULL, SOUK_OPT_SECRET, 0 },
	{ "client_certificate", "file with the certificate of the application and its key (PEM or "
	  "PKCS #12)", NULL, SOUK_OPT_STRING, 0 },
	{ "login_endpoint", "host that gives tokens", "https://login.microsoftonline.com",
	  SOUK_OPT_STRING, 0 },
	{ "prices_endpoint", "host of the retail price list", "https://prices.azure.com",
	  SOUK_OPT_STRING, 0 },
	{ "metadata_endpoint", "host of the machine's own metadata", "http://169.254.169.254",
	  SOUK_OPT_STRING, 0 },
	{ "image",
	  "machine image: PUBLISHER:OFFER:SKU:VERSION, or the id of one, /subscriptions/...", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "image_user", "who logs in", "azureuser", SOUK_OPT_STRING, 0 },
	{ "ssh_from",
	  "networks that SSH is admitted from; 'auto' is this computer's public address", "auto",
	  SOUK_OPT_LIST, 0 },
	{ "checkip_endpoint", "URL that answers with the caller's public address",
	  "https://checkip.amazonaws.com/", SOUK_OPT_STRING, 0 },
	{ "use_internal_ips", "reach machines by their private address and give them no public one",
	  "false", SOUK_OPT_BOOLEAN, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char azure_credentials_help[] =
	"At the first place that has any: an application with its secret or certificate\n"
	"(AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET or\n"
	"AZURE_CLIENT_CERTIFICATE_PATH); a federated token (AZURE_FEDERATED_TOKEN_FILE); the\n"
	"managed identity of the machine; 'az login'. The subscription: AZURE_SUBSCRIPTION_ID,\n"
	"that of 'az account show', or the only one there is.\n";

static const char *const azure_signs[] = {
	"env:AZURE_CLIENT_ID", "env:AZURE_SUBSCRIPTION_ID", "env:AZURE_FEDERATED_TOKEN_FILE",
	"env:IDENTITY_ENDPOINT", "option:subscription", "option:client_id", "option:credential",
	"file:$AZURE_CONFIG_DIR/azureProfile.json", "file:~/.azure/azureProfile.json",
	"file:/var/lib/waagent", NULL,
};

static void azure_close(void *self)
{
	struct azure *azure = self;

	if (!azure)
		return;
	azure_token_fini(&azure->token);
	pthread_mutex_destroy(&azure->lock);
	free(azure);
}

static int azure_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	int ret;

	if (!azure)
		return azure_nomem(err);
	pthread_mutex_init(&azure->lock, NULL);
	ret = azure_urls_init(azure, call, err);
	if (ret < 0) {
		azure_close(azure);
		return ret;
	}
	*self_out = azure;
	return SOUK_OK;
}

static const struct souk_provider_ops azure_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_IMAGE | SOUK_FEATURE_LABELS |
		    SOUK_FEATURE_PORTS | SOUK_FEATURE_DISK_SIZE | SOUK_FEATURE_DISK_TIER |
		    SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_HOST_KEY | SOUK_FEATURE_TAG_KEYS,
	.name = "azure",
	.title = "Microsoft Azure",
	.options = azure_options,
	.credentials = azure_credentials_help,
	.permissions = azure_permissions,
	.open = azure_open,
	.close = azure_close,
	.list_offers = azure_list_offers,
	.provision = azure_provision,
	.describe = azure_describe,
	.teardown = azure_teardown,
	.quote = azure_quote,
	.list_instances = azure_list_instances,
	.check = azure_check,
	.stop = azure_stop,
	.start = azure_start,
	.sweep = azure_sweep,
	.credential_signs = azure_signs,
	.rehearse = azure_rehearse,
	.policy = azure_policy,
};

SOUK_PROVIDER_REGISTER(azure_ops);
