/* SPDX-License-Identifier: Apache-2.0 */
/* aws.c - Amazon EC2 on the market: the account, its settings, and the table of operations */

#include "aws.h"
#include "credentials.h"

#include <stdio.h>
#include <string.h>

#include "instances.h"
#include "market.h"
#include "xml.h"

static const struct souk_option aws_options[] = {
	{ "profile",
	  "profile in ~/.aws/config to use, whatever AWS_PROFILE and the keys in the "
	  "environment say",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "region", "regions whose offers are listed", NULL, SOUK_OPT_LIST, 0 },
	{ "image",
	  "machine image: 'ami-...', or an SSM parameter that holds one, as "
	  "'/aws/service/...'",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "image_user", "who logs in on that image, if its name does not tell", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "vpc", "VPC to put machines in, instead of the default one", NULL, SOUK_OPT_STRING, 0 },
	{ "subnet", "subnets to choose from by zone", NULL, SOUK_OPT_LIST, 0 },
	{ "security_group", "security group to use as it is, instead of one for each cluster", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "placement_group",
	  "placement group to put machines in; 'none': not even one of their own for nodes with EFA",
	  NULL, SOUK_OPT_STRING, 0 },
	{ "efa", "give the nodes of a cluster EFA interfaces where their type has EFA", "true",
	  SOUK_OPT_BOOLEAN, 0 },
	{ "capacity_reservation",
	  "ids of capacity reservations and capacity blocks that machines are put into", NULL,
	  SOUK_OPT_LIST, 0 },
	{ "ssh_from",
	  "networks that SSH is admitted from; 'auto' is this computer's public address", "auto",
	  SOUK_OPT_LIST, 0 },
	{ "checkip_endpoint", "URL that answers with the caller's public address",
	  "https://checkip.amazonaws.com/", SOUK_OPT_STRING, 0 },
	{ "use_internal_ips", "reach machines by their private address and give them no public one",
	  "false", SOUK_OPT_BOOLEAN, 0 },
	{ "check_quotas", "ask Service Quotas before a launch is tried", "true", SOUK_OPT_BOOLEAN, 0 },
	{ "key_pair", "EC2 key pair to give machines too; souk itself needs none", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "iam_instance_profile", "name or ARN of the instance profile that machines get", NULL,
	  SOUK_OPT_STRING, 0 },
	{ "disk_type", "kind of the root disk where disk_tier says nothing: gp3, gp2, io2, ...",
	  "gp3", SOUK_OPT_STRING, 0 },
	{ "disk_encrypted", "encrypt the root disk with the account's default key", "false",
	  SOUK_OPT_BOOLEAN, 0 },
	{ NULL, NULL, NULL, 0, 0 },
};

static const char aws_credentials_help[] =
	"As the AWS tools find them, in this order: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and\n"
	"AWS_SESSION_TOKEN; the profile (option 'profile', AWS_PROFILE, or 'default') in\n"
	"~/.aws/config and ~/.aws/credentials, with role_arn, web identity, single sign-on, keys,\n"
	"login_session or credential_process; the container's endpoint; the instance's role.\n";

const char *aws_profile_name(const struct aws *aws)
{
	const char *name = aws->profile;

	if (!name)
		name = souk_getenv("AWS_PROFILE");
	if (!name)
		name = souk_getenv("AWS_DEFAULT_PROFILE");
	return name ? name : "default";
}

int aws_settings(struct aws *aws, const struct aws_profiles **out, struct souk_error *err)
{
	int ret = SOUK_OK;

	pthread_mutex_lock(&aws->settings_lock);
	if (!aws->settings)
		ret = aws_profiles_load(&aws->settings, err);
	*out = aws->settings;
	pthread_mutex_unlock(&aws->settings_lock);
	return ret;
}

int aws_default_region(struct aws *aws, char region[AWS_REGION_SIZE], struct souk_error *err)
{
	const char *name = souk_getenv("AWS_REGION");
	const struct aws_profiles *settings;
	int ret;

	if (!name)
		name = souk_getenv("AWS_DEFAULT_REGION");
	if (!name) {
		ret = aws_settings(aws, &settings, err);
		if (ret < 0)
			return ret;
		name = aws_profiles_get(settings, AWS_SECTION_PROFILE, aws_profile_name(aws),
					"region");
	}
	if (!name)
		name = "us-east-1";
	if (!aws_is_place(name)) {
		souk_error_set(err, SOUK_E_INVALID, "not a region: '%.64s'", name);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	snprintf(region, AWS_REGION_SIZE, "%s", name);
	return SOUK_OK;
}

static void aws_close(void *self)
{
	struct aws *aws = self;

	if (!aws)
		return;
	aws_credentials_fini(&aws->credentials);
	aws_profiles_free(aws->settings);
	free(aws->profile);
	pthread_mutex_destroy(&aws->lock);
	pthread_mutex_destroy(&aws->settings_lock);
	free(aws);
}

static int aws_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	const char *profile = souk_call_option(call, "profile");
	struct aws *aws = calloc(1, sizeof(*aws));

	if (!aws)
		return aws_nomem(err);
	pthread_mutex_init(&aws->lock, NULL);
	pthread_mutex_init(&aws->settings_lock, NULL);
	atomic_init(&aws->skew_seconds, 0);
	aws_xml_init();
	if (profile && *profile && aws_set(&aws->profile, profile, err) < 0) {
		aws_close(aws);
		return SOUK_E_NOMEM;
	}
	if (aws_credentials_expected(aws, err) < 0) {
		aws_close(aws);
		return SOUK_E_AUTH;
	}
	*self_out = aws;
	return SOUK_OK;
}

/* Where credentials show; aws_credentials_expected() looks at the same places. */
static const char *const aws_credential_signs[] = {
	"option:profile",
	"env:AWS_ACCESS_KEY_ID",
	"env:AWS_PROFILE",
	"env:AWS_DEFAULT_PROFILE",
	"env:AWS_WEB_IDENTITY_TOKEN_FILE",
	"env:AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
	"env:AWS_CONTAINER_CREDENTIALS_FULL_URI",
	"env:AWS_EC2_METADATA_SERVICE_ENDPOINT",
	"file:$AWS_SHARED_CREDENTIALS_FILE",
	"file:$AWS_CONFIG_FILE",
	"file:~/.aws/credentials",
	"file:~/.aws/config",
	"vendor:Amazon EC2",
	NULL,
};

static const struct souk_provider_ops aws_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_IMAGE | SOUK_FEATURE_LABELS |
		    SOUK_FEATURE_PORTS | SOUK_FEATURE_DISK_SIZE | SOUK_FEATURE_DISK_TIER |
		    SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_HOST_KEY | SOUK_FEATURE_SELF_SHUTDOWN |
		    SOUK_FEATURE_TAG_KEYS,
	.name = "aws",
	.title = "Amazon EC2",
	.options = aws_options,
	.credentials = aws_credentials_help,
	.permissions = aws_permissions,
	.open = aws_open,
	.close = aws_close,
	.list_offers = aws_list_offers,
	.provision = aws_provision,
	.describe = aws_describe,
	.teardown = aws_teardown,
	.list_instances = aws_list_instances,
	.check = aws_check,
	.stop = aws_stop,
	.start = aws_start,
	.open_ports = aws_open_ports,
	.quote = aws_quote,
	.set_on_shutdown = aws_set_on_shutdown,
	.sweep = aws_sweep,
	.credential_signs = aws_credential_signs,
	.rehearse = aws_rehearse,
	.policy = aws_policy,
};

SOUK_PROVIDER_REGISTER(aws_ops);
