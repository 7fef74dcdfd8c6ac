/* SPDX-License-Identifier: Apache-2.0 */
/* errors.c - what AWS's error codes mean to souk, and how a refusal is read */

#include "errors.h"

#include <ctype.h>
#include <json.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "aws.h"
#include "xml.h"

enum { MAX_FAULT_BODY = 256 * 1024 };

struct row {
	const char *code;
	int meaning;
	int scope;
};

/* In byte order. A VcpuLimitExceeded is about one group of families, a region and a market; the
 * region is the smallest scope that covers it. */
static const struct row table[] = {
	{ "AccessDenied", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AccessDeniedException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AccountDisabled", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AddressLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "AuthFailure", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "AuthFailure.ServiceLinkedRoleCreationNotPermitted", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "BandwidthLimitExceeded", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "Blocked", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "DefaultVpcDoesNotExist", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "DependencyViolation", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "DryRunOperation", SOUK_E_INVALID, SOUK_SCOPE_OFFER },
	{ "EC2ThrottledException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "EncryptedVolumesNotSupported", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "ExpiredToken", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "ExpiredTokenException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "IDPCommunicationError", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "IdempotentParameterMismatch", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "IncompleteSignature", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "IncorrectInstanceState", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "IncorrectState", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "InstanceCreditSpecification.NotSupported", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InstanceLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "InstanceTypeNotSupported", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InsufficientCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientCapacityOnHost", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientFreeAddressesInSubnet", SOUK_E_QUOTA, SOUK_SCOPE_ZONE },
	{ "InsufficientHostCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientInstanceCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InsufficientReservedInstanceCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "InternalError", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InternalErrorException", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InternalFailure", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InternalServerError", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InternalServerException", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "InvalidAMIID.Malformed", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidAMIID.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidAMIID.Unavailable", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidAction", SOUK_E_UNSUPPORTED, SOUK_SCOPE_PROVIDER },
	{ "InvalidAvailabilityZone", SOUK_E_UNSUPPORTED, SOUK_SCOPE_ZONE },
	{ "InvalidBlockDeviceMapping", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidClientException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidClientTokenId", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidGrantException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidGroup.Duplicate", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidGroup.InUse", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidGroup.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidIamInstanceProfileArn.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER },
	{ "InvalidIdentityToken", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "InvalidInstanceID.Malformed", SOUK_E_INVALID, SOUK_SCOPE_OFFER },
	{ "InvalidInstanceID.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER },
	{ "InvalidInstanceType.NotFound", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "InvalidKeyPair.Duplicate", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidKeyPair.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidParameter", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidParameterCombination", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidParameterDependency", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidParameterValue", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidPermission.Duplicate", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidPermission.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidPlacementGroup.Duplicate", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidPlacementGroup.InUse", SOUK_E_CONFLICT, SOUK_SCOPE_REGION },
	{ "InvalidPlacementGroup.Unknown", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidSnapshot.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidSpotInstanceRequestID.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_OFFER },
	{ "InvalidSubnet.Conflict", SOUK_E_CONFLICT, SOUK_SCOPE_ZONE },
	{ "InvalidSubnetID.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "InvalidUserData.Malformed", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "InvalidVolume.ZoneMismatch", SOUK_E_INVALID, SOUK_SCOPE_ZONE },
	{ "InvalidVpcID.NotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "KMSKeyNotAccessibleFault", SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "LimitExceededException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "MaxIOPSLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MaxSpotFleetRequestCountExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MaxSpotInstanceCountExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "MissingAuthenticationToken", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "MissingInput", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "MissingParameter", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "NoSuchEntity", SOUK_E_NOT_FOUND, SOUK_SCOPE_PROVIDER },
	{ "OperationNotPermitted", SOUK_E_CONFLICT, SOUK_SCOPE_OFFER },
	{ "OptInRequired", SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "ParameterNotFound", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "PendingVerification", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "PriorRequestNotComplete", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RegionDisabledException", SOUK_E_AUTH, SOUK_SCOPE_REGION },
	{ "RequestExpired", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "RequestLimitExceeded", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestThrottled", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestThrottledException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "RequestTimeout", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "RequestTimeoutException", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "ReservationCapacityExceeded", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "ResourceLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "RulesPerSecurityGroupLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "SecurityGroupLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "ServerInternal", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "ServiceUnavailable", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "ServiceUnavailableException", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "SignatureDoesNotMatch", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "SlowDown", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	/* why a spot machine was taken away */
	{ "SpotInstanceShutdown", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "SpotInstanceTermination", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "SpotMaxPriceTooLow", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "TagLimitExceeded", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "ThrottledException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "Throttling", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "ThrottlingException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "TooManyRequestsException", SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION },
	{ "UnauthorizedClientException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "UnauthorizedException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "UnauthorizedOperation", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "Unavailable", SOUK_E_TRANSIENT, SOUK_SCOPE_REGION },
	{ "UnfulfillableCapacity", SOUK_E_CAPACITY, SOUK_SCOPE_OFFER },
	{ "UnknownOperationException", SOUK_E_UNSUPPORTED, SOUK_SCOPE_PROVIDER },
	{ "UnknownParameter", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "UnrecognizedClientException", SOUK_E_AUTH, SOUK_SCOPE_PROVIDER },
	{ "Unsupported", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "UnsupportedOperation", SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER },
	{ "VPCIdNotSpecified", SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION },
	{ "ValidationError", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "ValidationException", SOUK_E_INVALID, SOUK_SCOPE_PROVIDER },
	{ "VcpuLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
	{ "VolumeLimitExceeded", SOUK_E_QUOTA, SOUK_SCOPE_REGION },
};

static int compare_row(const void *key, const void *row)
{
	return strcmp(key, ((const struct row *)row)->code);
}

static const struct row *find(const char *code)
{
	/* stateReason says "Server.X" for what a reply calls "X". */
	if (strncmp(code, "Server.", 7) == 0 || strncmp(code, "Client.", 7) == 0)
		code += 7;
	return bsearch(code, table, AWS_ARRAY_SIZE(table), sizeof(table[0]), compare_row);
}

int aws_error_known(const char *code)
{
	return find(code) != NULL;
}

int aws_error_table_sorted(void)
{
	size_t i;

	for (i = 1; i < AWS_ARRAY_SIZE(table); i++)
		if (strcmp(table[i - 1].code, table[i].code) >= 0)
			return 0;
	return 1;
}

static int ends_with(const char *text, const char *end)
{
	size_t len = strlen(text);
	size_t tail = strlen(end);

	return len >= tail && strcmp(text + len - tail, end) == 0;
}

/* New codes keep to the forms of the old ones. 0 if this one says nothing. */
static int meaning_by_form(const char *code, struct aws_meaning *out)
{
	static const struct {
		const char *end;
		struct aws_meaning meaning;
	} forms[] = {
		{ "Throttled", { SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION } },
		{ "Throttling", { SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION } },
		{ "LimitExceeded", { SOUK_E_QUOTA, SOUK_SCOPE_REGION } },
		{ "QuotaExceeded", { SOUK_E_QUOTA, SOUK_SCOPE_REGION } },
		{ ".NotFound", { SOUK_E_NOT_FOUND, SOUK_SCOPE_REGION } },
		{ ".Malformed", { SOUK_E_INVALID, SOUK_SCOPE_PROVIDER } },
		{ ".Duplicate", { SOUK_E_CONFLICT, SOUK_SCOPE_REGION } },
		{ "NotSupported", { SOUK_E_UNSUPPORTED, SOUK_SCOPE_OFFER } },
	};
	size_t i;

	if (strncmp(code, "Insufficient", 12) == 0 && strstr(code, "Capacity")) {
		*out = (struct aws_meaning){ SOUK_E_CAPACITY, SOUK_SCOPE_OFFER };
		return 1;
	}
	for (i = 0; i < AWS_ARRAY_SIZE(forms); i++)
		if (ends_with(code, forms[i].end)) {
			*out = forms[i].meaning;
			return 1;
		}
	return 0;
}

struct aws_meaning aws_error_meaning(const char *code, int status)
{
	const struct row *row = find(code);
	struct aws_meaning out;

	if (row)
		return (struct aws_meaning){ row->meaning, row->scope };
	if (meaning_by_form(code, &out))
		return out;
	if (status == 401 || status == 403)
		return (struct aws_meaning){ SOUK_E_AUTH, SOUK_SCOPE_PROVIDER };
	if (status == 429)
		return (struct aws_meaning){ SOUK_E_RATE_LIMIT, SOUK_SCOPE_REGION };
	if (status >= 500 || status == 408)
		return (struct aws_meaning){ SOUK_E_TRANSIENT, SOUK_SCOPE_REGION };
	return (struct aws_meaning){ SOUK_E_INVALID, SOUK_SCOPE_PROVIDER };
}

static void take_xml(const char *body, size_t size, struct aws_fault *out)
{
	struct aws_xml xml = { 0 };
	const xmlNode *error;

	if (aws_xml_parse(body, size, "error", &xml, NULL) < 0)
		return;
	error = aws_xml_child(xml.root, "Errors");
	error = error ? aws_xml_child(error, "Error") : aws_xml_child(xml.root, "Error");
	if (error) {
		souk_text_line(out->code, sizeof(out->code), aws_xml_text(error, "Code"));
		souk_text_line(out->message, sizeof(out->message), aws_xml_text(error, "Message"));
	}
	aws_xml_fini(&xml);
}

static const char *json_text(struct json_object *object, const char *name)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, name, &value) ||
	    !json_object_is_type(value, json_type_string))
		return NULL;
	return json_object_get_string(value);
}

/* {"__type":"com.amazon.coral#ThrottlingException","message":"..."}, or {"error":...} of OIDC */
static void take_json(const char *body, size_t size, struct aws_fault *out)
{
	struct json_tokener *tokener = json_tokener_new_ex(16);
	struct json_object *object = NULL;
	const char *code;
	const char *message;

	if (!tokener)
		return;
	object = json_tokener_parse_ex(tokener, body, (int)size);
	if (json_object_is_type(object, json_type_object)) {
		code = json_text(object, "__type");
		if (!code)
			code = json_text(object, "code");
		if (!code)
			code = json_text(object, "Code");
		if (!code)
			code = json_text(object, "error");
		if (code && strrchr(code, '#'))
			code = strrchr(code, '#') + 1;
		message = json_text(object, "message");
		if (!message)
			message = json_text(object, "Message");
		if (!message)
			message = json_text(object, "error_description");
		souk_text_line(out->code, sizeof(out->code), code);
		out->code[strcspn(out->code, ":")] = '\0';
		souk_text_line(out->message, sizeof(out->message), message);
	}
	json_object_put(object);
	json_tokener_free(tokener);
}

void aws_fault_parse(int status, const char *body, size_t size, struct aws_fault *out)
{
	size_t skip = 0;

	memset(out, 0, sizeof(*out));
	out->status = status;
	if (!body || size > MAX_FAULT_BODY)
		return;
	while (skip < size && isspace((unsigned char)body[skip]))
		skip++;
	if (skip < size && body[skip] == '<')
		take_xml(body, size, out);
	else if (skip < size && body[skip] == '{')
		take_json(body, size, out);
}

void aws_fault_of(const struct souk_http_reply *reply, struct aws_fault *out)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	const char *type, *date;

	aws_fault_parse(souk_http_reply_status(reply), body, size, out);
	if (!out->code[0]) {
		type = souk_http_reply_header(reply, "x-amzn-ErrorType");
		souk_text_line(out->code, sizeof(out->code), type);
		out->code[strcspn(out->code, ":")] = '\0';
	}
	out->retry_after_ms = souk_http_reply_retry_after_ms(reply);
	date = souk_http_reply_header(reply, "Date");
	if (!date || souk_parse_http_date("Date", date, &out->server_time, NULL) < 0)
		out->server_time = 0;
}

int aws_fault_should_retry(const struct souk_http_reply *reply, void *arg)
{
	struct aws_fault fault;
	struct aws_meaning meaning;

	(void)arg;
	aws_fault_of(reply, &fault);
	meaning = aws_error_meaning(fault.code, fault.status);
	if (meaning.code == SOUK_E_TRANSIENT)
		return strcmp(fault.code, "PendingVerification") != 0;
	return meaning.code == SOUK_E_RATE_LIMIT;
}

int aws_fault_is(const struct aws_fault *fault, const char *code)
{
	return strcmp(fault->code, code) == 0;
}

static void add_hint(const struct aws_fault *fault, const char *action, struct souk_error *err)
{
	if (aws_fault_is(fault, "UnauthorizedOperation") || aws_fault_is(fault, "AccessDenied") ||
	    aws_fault_is(fault, "AccessDeniedException"))
		souk_error_hint(err, "allow '%s' in the policy; 'souk provider info aws' prints it",
				action);
	else if (aws_fault_is(fault, "AuthFailure.ServiceLinkedRoleCreationNotPermitted"))
		souk_error_hint(err, "aws iam create-service-linked-role "
				     "--aws-service-name spot.amazonaws.com");
	else if (aws_fault_is(fault, "VcpuLimitExceeded") ||
		 aws_fault_is(fault, "MaxSpotInstanceCountExceeded"))
		souk_error_hint(err, "ask for more vCPUs under Service Quotas, Amazon EC2");
	else if (aws_fault_is(fault, "OptInRequired"))
		souk_error_hint(err,
				"enable the region for the account, or subscribe to the image");
	else if (aws_fault_is(fault, "ExpiredToken") ||
		 aws_fault_is(fault, "ExpiredTokenException"))
		souk_error_hint(err, "log in again, for instance with 'aws sso login'");
	else if (aws_fault_is(fault, "InvalidClientTokenId") ||
		 aws_fault_is(fault, "AuthFailure") || aws_fault_is(fault, "SignatureDoesNotMatch"))
		souk_error_hint(err, "check the keys: 'aws sts get-caller-identity'");
	else if (aws_fault_is(fault, "RequestExpired"))
		souk_error_hint(err, "set this computer's clock");
}

int aws_fault_error(const struct aws_fault *fault, const char *action, const char *doing,
		    struct souk_error *err)
{
	struct aws_meaning meaning = aws_error_meaning(fault->code, fault->status);
	struct souk_refusal refusal;
	char message[sizeof(fault->message)];
	char *encoded;

	/* An encoded authorization message is a kilobyte that no person can read. */
	snprintf(message, sizeof(message), "%s", fault->message);
	encoded = strstr(message, "Encoded authorization failure message");
	if (encoded) {
		while (encoded > message && (encoded[-1] == ' ' || encoded[-1] == '.'))
			encoded--;
		*encoded = '\0';
	}
	/* What a service control policy denies, it mostly denies outside certain regions. */
	if (meaning.code == SOUK_E_AUTH && strstr(fault->message, "service control policy"))
		meaning.scope = SOUK_SCOPE_REGION;

	refusal = (struct souk_refusal){
		SOUK_REFUSAL_HEAD,
		.code = meaning.code,
		.scope = meaning.scope,
		.status = fault->status,
		.retry_after_ms = fault->retry_after_ms,
		.doing = doing,
		.reason = fault->code,
		.message = message,
	};
	souk_error_refused(err, &refusal);
	add_hint(fault, action, err);
	return meaning.code;
}
