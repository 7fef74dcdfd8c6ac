/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - what Azure's error codes mean to souk, and how a refusal is read */

#include "errors.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-read.h"

enum { MAX_FAULT_BODY = 256 * 1024, MAX_DETAILS = 32 };

struct row {
	const char *code;
	const char *words; /* that the message has, in any case; NULL: any message */
	int meaning;
	int scope;
};

/*
 * The first row that fits is taken. A failed allocation holds for a size and its family; one of a
 * zone leaves the other zones, one of a region all of that region.
 */
static const struct row table[] = {
	{ "OperationNotAllowed", "LowPriorityCores", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "OperationNotAllowed", "quota", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "OperationNotAllowed", "max price", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "OperationNotAllowed", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "QuotaExceeded", NULL, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "PublicIPCountLimitReached", NULL, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "PublicIPv4CountLimitReached", NULL, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "ResourceCountExceedsLimitDueToTemplate", NULL, SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "SkuNotAvailable", NULL, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ZonalAllocationFailed", NULL, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "AllocationFailed", NULL, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "OverconstrainedZonalAllocationRequest", NULL, SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "OverconstrainedAllocationRequest", NULL, SOUK_E_CAPACITY, SOUK_SCOPE_REGION },
	{ "ReadOnlyDisabledSubscription", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "SubscriptionNotFound", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "DisabledSubscription", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidSubscriptionId", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidAuthenticationToken", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ExpiredAuthenticationToken", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AuthenticationFailed", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AuthenticationFailedMissingToken", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidAuthenticationTokenTenant", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_client", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "unauthorized_client", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_grant", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "invalid_request", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "temporarily_unavailable", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_PROVIDER },
	{ "AuthorizationFailed", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "LinkedAuthorizationFailed", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	/* Policies mostly allow some regions and not others. */
	{ "RequestDisallowedByPolicy", "location", SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "RequestDisallowedByPolicy", "region", SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "RequestDisallowedByPolicy", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "RequestDisallowedByAzure", NULL, SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "ScopeLocked", NULL, SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "MissingSubscriptionRegistration", NULL, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "SubscriptionNotRegistered", NULL, SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "TooManyRequests", NULL, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "OperationNotAllowedThrottled", NULL, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "SubscriptionRequestsThrottled", NULL, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RetryableError", NULL, SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "NicReservedForAnotherVm", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "AnotherOperationInProgress", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "Conflict", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "OperationPreempted", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "PropertyChangeNotAllowed", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "ResourceGroupBeingDeleted", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidResourceGroupLocation", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InUseSubnetCannotBeDeleted", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "PublicIPAddressCannotBeDeleted", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InUseNetworkSecurityGroupCannotBeDeleted", NULL, SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "ResourceNotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "ResourceGroupNotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "NotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "ImageNotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "PlatformImageNotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "ImageVersionNotFound", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "MarketplacePurchaseEligibilityFailed", NULL, SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidParameter", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "BadRequest", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InvalidTemplate", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "LocationNotAvailableForResourceType", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_REGION },
	{ "LocationNotAvailableForResourceGroup", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_REGION },
	{ "NoRegisteredProviderFound", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_REGION },
	{ "InvalidLocation", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_REGION },
	{ "HypervisorGenerationMismatch", NULL, SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "OSProvisioningTimedOut", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "VMStartTimedOut", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "OSProvisioningClientError", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "InternalExecutionError", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "InternalOperationError", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "InternalServerError", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "ServiceUnavailable", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
	{ "NetworkingInternalOperationError", NULL, SOUK_E_TRANSIENT, SOUK_SCOPE_OFFER },
};

static const struct row *find(const char *code, const char *message)
{
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(table); i++)
		if (strcasecmp(table[i].code, code) == 0 &&
		    (!message || !table[i].words || strcasestr(message, table[i].words)))
			return &table[i];
	return NULL;
}

int azure_error_known(const char *code)
{
	return find(code, NULL) != NULL;
}

struct azure_meaning azure_error_meaning(const char *code, const char *message, int status)
{
	const struct row *row = find(code, message);

	if (row)
		return (struct azure_meaning){ row->meaning, row->scope };
	if (status == 401 || status == 403)
		return (struct azure_meaning){ SOUK_E_AUTH, SOUK_SCOPE_PROVIDER };
	if (status == 404)
		return (struct azure_meaning){ SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION };
	if (status == 409 || status == 412)
		return (struct azure_meaning){ SOUK_E_CONFLICT, SOUK_SCOPE_REGION };
	if (status == 429)
		return (struct azure_meaning){ SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION };
	if (status >= 500 || status == 408)
		return (struct azure_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_REGION };
	return (struct azure_meaning){ SOUK_E_INVALID, SOUK_SCOPE_PROVIDER };
}

/* The first line alone: the login host adds numbers for its operators. */
void azure_fault_text(char *out, size_t size, const char *text)
{
	char line[2 * sizeof(((struct azure_fault *)0)->message)];

	text = text ? text + strspn(text, " \t\r\n") : "";
	snprintf(line, sizeof(line), "%.*s", (int)strcspn(text, "\r\n"), text);
	souk_text_line(out, size, line);
}

static void take(struct azure_fault *out, const char *code, const char *message)
{
	azure_fault_text(out->code, sizeof(out->code), code);
	azure_fault_text(out->message, sizeof(out->message), message);
}

/* The outermost code is often a mere "it failed": the first that is known, inwards, says why. */
static int take_known(struct json_object *error, unsigned depth, struct azure_fault *out)
{
	struct json_object *details = souk_json_maybe_array(error, "details");
	const char *code = souk_json_maybe_text(error, "code");
	size_t i;

	if (code && azure_error_known(code)) {
		take(out, code, souk_json_maybe_text(error, "message"));
		return 1;
	}
	for (i = 0; details && depth && i < json_object_array_length(details) && i < MAX_DETAILS;
	     i++)
		if (take_known(json_object_array_get_idx(details, i), depth - 1, out))
			return 1;
	return 0;
}

void azure_fault_from(struct json_object *object, struct azure_fault *out)
{
	struct json_object *error = souk_json_maybe_object(object, "error");
	const char *code;

	if (error) {
		/* BadRequest and Conflict may hide a better word; anything inside comes first. */
		struct json_object *details = souk_json_maybe_array(error, "details");
		size_t i;

		for (i = 0; details && i < json_object_array_length(details) && i < MAX_DETAILS;
		     i++)
			if (take_known(json_object_array_get_idx(details, i), 4, out))
				return;
		take(out, souk_json_maybe_text(error, "code"), souk_json_maybe_text(error, "message"));
		return;
	}
	code = souk_json_maybe_text(object, "error"); /* the login host, and the metadata service */
	if (code) {
		take(out, code, souk_json_maybe_text(object, "error_description"));
		return;
	}
	/* Retail Prices and some gateways. */
	code = souk_json_maybe_text(object, "code");
	take(out, code ? code : souk_json_maybe_text(object, "Code"),
	     souk_json_maybe_text(object, "message") ? souk_json_maybe_text(object, "message") :
						   souk_json_maybe_text(object, "Message"));
}

void azure_fault_parse(int status, const char *body, size_t size, struct azure_fault *out)
{
	struct json_object *object;

	memset(out, 0, sizeof(*out));
	out->status = status;
	if (!body || size > MAX_FAULT_BODY)
		return;
	object = souk_json_parse(body, size);
	if (object)
		azure_fault_from(object, out);
	json_object_put(object);
}

void azure_fault_of(const struct souk_http_reply *reply, struct azure_fault *out)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);

	azure_fault_parse(souk_http_reply_status(reply), body, size, out);
	out->retry_after_ms = souk_http_reply_retry_after_ms(reply);
}

int azure_fault_should_retry(const struct souk_http_reply *reply, void *arg)
{
	struct azure_fault fault;
	struct azure_meaning meaning;

	(void)arg;
	azure_fault_of(reply, &fault);
	meaning = azure_error_meaning(fault.code, fault.message, fault.status);
	return meaning.code == SOUK_E_TRANSIENT || meaning.code == SOUK_E_RATE_LIMIT;
}

int azure_fault_is(const struct azure_fault *fault, const char *code)
{
	return strcasecmp(fault->code, code) == 0;
}

struct advice {
	const char *code;
	const char *hint;
};

static const struct advice advices[] = {
	{ "AuthorizationFailed", "'souk provider info azure' prints the role that is needed" },
	{ "LinkedAuthorizationFailed", "'souk provider info azure' prints the role that is "
				       "needed" },
	{ "SubscriptionNotFound", "'az account list' shows the subscriptions; set "
				  "AZURE_SUBSCRIPTION_ID" },
	{ "InvalidSubscriptionId", "'az account list' shows the subscriptions; set "
				   "AZURE_SUBSCRIPTION_ID" },
	{ "ReadOnlyDisabledSubscription", "enable the subscription, or choose another: 'az account "
					  "list'" },
	{ "DisabledSubscription", "enable the subscription, or choose another: 'az account list'" },
	{ "ExpiredAuthenticationToken", "log in again: 'az login'" },
	{ "InvalidAuthenticationTokenTenant", "the subscription is of another tenant: 'az login "
					      "--tenant TENANT'" },
	{ "invalid_client", "check AZURE_CLIENT_ID, and its secret or certificate, which may have "
			    "expired" },
	{ "unauthorized_client", "check AZURE_CLIENT_ID and AZURE_TENANT_ID" },
	{ "invalid_request", "check AZURE_TENANT_ID and AZURE_CLIENT_ID" },
	{ "MissingSubscriptionRegistration", "az provider register --namespace Microsoft.Compute, "
					     "and Microsoft.Network" },
	{ "SubscriptionNotRegistered", "az provider register --namespace Microsoft.Compute, and "
				       "Microsoft.Network" },
	{ "QuotaExceeded", "ask for more vCPUs under Quotas in the Azure portal" },
	{ "MarketplacePurchaseEligibilityFailed", "accept the terms: 'az vm image terms accept "
						  "--urn URN'" },
};

static void add_hint(const struct azure_fault *fault, int meaning, struct souk_error *err)
{
	size_t i;

	if (azure_fault_is(fault, "OperationNotAllowed") && meaning == SOUK_E_QUOTA) {
		souk_error_hint(err, "ask for more vCPUs under Quotas in the Azure portal");
		return;
	}
	for (i = 0; i < AZURE_ARRAY_SIZE(advices); i++)
		if (azure_fault_is(fault, advices[i].code)) {
			souk_error_hint(err, "%s", advices[i].hint);
			return;
		}
}

int azure_fault_error(const struct azure_fault *fault, const char *doing, struct souk_error *err)
{
	struct azure_meaning meaning =
		azure_error_meaning(fault->code, fault->message, fault->status);
	const struct souk_refusal refusal = {
		SOUK_REFUSAL_HEAD,
		.code = meaning.code,
		.scope = meaning.scope,
		.status = fault->status,
		.retry_after_ms = fault->retry_after_ms,
		.doing = doing,
		.reason = fault->code,
		.message = fault->message,
	};

	souk_error_refused(err, &refusal);
	add_hint(fault, meaning.code, err);
	return meaning.code;
}
