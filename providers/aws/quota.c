/* SPDX-License-Identifier: Apache-2.0 */
/* quota.c - may the account have so many vCPUs at all: Service Quotas, asked before a launch is tried */

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "json-call.h"
#include "quota.h"

/*
 * EC2 counts the vCPUs of a group of families, apart for each market, in each region. A family's
 * letters are followed by a digit, or end in '-' (u-6tb1). What fits no row may be Standard.
 */
struct group {
	const char *family;
	const char *on_demand; /* quota codes; NULL: not known */
	const char *spot;
	const char *name;
};

static const struct group groups[] = {
	{ "dl", "L-6E869C2A", "L-85EED4F7", "DL" },
	{ "f", "L-74FC7D96", "L-88CF9481", "F" },
	{ "g", "L-DB2E81BA", "L-3819A6DF", "G and VT" },
	{ "gr", "L-DB2E81BA", "L-3819A6DF", "G and VT" },
	{ "vt", "L-DB2E81BA", "L-3819A6DF", "G and VT" },
	{ "hpc", "L-F7808C92", NULL, "HPC" },
	{ "inf", "L-1945791B", "L-B5D1601B", "Inf" },
	{ "trn", "L-2C3B7624", "L-6B0D517C", "Trn" },
	{ "u-", "L-43DA4232", NULL, "High Memory" },
	{ "x", "L-7295265B", "L-E3A00192", "X" },
};

static const struct group p_on_demand = { "p", "L-417A185B", NULL, "P" };
static const struct group p_old_spot = { "p", NULL, "L-7212CCBC", "P4, P3 and P2" };
static const struct group p5_spot = { "p", NULL, "L-C4BD4855", "P5" };
static const struct group standard = {
	"", "L-1216C47A", "L-34B43A08", "Standard (A, C, D, H, I, M, R, T, Z)",
};

static const struct group *group_of(const char *type, int is_spot)
{
	size_t i, len;

	if (type[0] == 'p' && isdigit((unsigned char)type[1])) {
		if (!is_spot)
			return &p_on_demand;
		return type[1] <= '4' ? &p_old_spot : type[1] == '5' ? &p5_spot : NULL;
	}
	for (i = 0; i < AWS_ARRAY_SIZE(groups); i++) {
		len = strlen(groups[i].family);
		if (strncmp(type, groups[i].family, len) == 0 &&
		    (isdigit((unsigned char)type[len]) || type[len - 1] == '-'))
			return &groups[i];
	}
	len = strspn(type, "abcdefghijklmnopqrstuvwxyz");
	/* Only families that are known to be counted so: a new one may have a quota of its own. */
	return len > 0 && strchr("acdhimrtz", type[0]) && isdigit((unsigned char)type[len]) ?
		       &standard : NULL;
}

const char *aws_quota_code(const char *type, int is_spot)
{
	const struct group *group = group_of(type, is_spot);

	return group ? (is_spot ? group->spot : group->on_demand) : NULL;
}

/* ---- What was learnt is kept as long as the account is open ------------------------------------ */

static int recall(struct aws *aws, const char *region, const char *code, double *vcpus_out)
{
	int found = 0;
	size_t i;

	pthread_mutex_lock(&aws->settings_lock);
	for (i = 0; i < aws->n_quotas && i < AWS_ARRAY_SIZE(aws->quotas) && !found; i++)
		if (strcmp(aws->quotas[i].region, region) == 0 &&
		    strcmp(aws->quotas[i].code, code) == 0) {
			*vcpus_out = aws->quotas[i].vcpus;
			found = 1;
		}
	pthread_mutex_unlock(&aws->settings_lock);
	return found;
}

static void keep(struct aws *aws, const char *region, const char *code, double vcpus)
{
	struct aws_quota *slot;

	pthread_mutex_lock(&aws->settings_lock);
	slot = &aws->quotas[aws->n_quotas++ % AWS_ARRAY_SIZE(aws->quotas)];
	snprintf(slot->region, sizeof(slot->region), "%s", region);
	snprintf(slot->code, sizeof(slot->code), "%s", code);
	slot->vcpus = vcpus;
	pthread_mutex_unlock(&aws->settings_lock);
}

/* ---- Asking ------------------------------------------------------------------------------------ */

/* The value of a quota. What Service Quotas does not tell is without limit, as far as we know. */
static int ask(const struct aws_client *client, const char *code, double *vcpus_out,
	       struct souk_error *err)
{
	struct json_object *body = json_object_new_object();
	struct json_object *reply = NULL, *value;
	struct souk_error why = SOUK_ERROR_INIT;
	int ret;

	*vcpus_out = INFINITY;
	if (!body)
		return aws_nomem(err);
	json_object_object_add(body, "ServiceCode", json_object_new_string("ec2"));
	json_object_object_add(body, "QuotaCode", json_object_new_string(code));
	ret = aws_json_call(client, "servicequotas", "ServiceQuotasV20190624.GetServiceQuota",
			    "look up a quota", body, &reply, NULL, &why);
	json_object_put(body);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_NOMEM)
		return souk_error_copy(&why, err);
	if (ret == SOUK_OK &&
	    json_object_object_get_ex(souk_json_maybe_object(reply, "Quota"), "Value", &value) &&
	    (json_object_is_type(value, json_type_double) ||
	     json_object_is_type(value, json_type_int)))
		*vcpus_out = json_object_get_double(value);
	else
		souk_call_log(client->call, SOUK_LOG_DEBUG, "the quota %s of '%s' is not known: %s",
			      code, client->region, ret < 0 ? why.message : "no value");
	json_object_put(reply);
	return SOUK_OK;
}

static int refuse(const struct aws_client *client, const struct souk_instance_spec *spec,
		  const struct group *group, double quota, double needed, struct souk_error *err)
{
	const char *code = spec->spot ? group->spot : group->on_demand;

	souk_error_set(err, SOUK_E_QUOTA,
		       "the account may have %.0f vCPUs of %s %s instances in '%s', this takes %.0f",
		       quota, spec->spot ? "spot" : "on-demand", group->name, client->region, needed);
	souk_error_scope(err, SOUK_SCOPE_OFFER);
	souk_error_reason(err, spec->spot ? "MaxSpotInstanceCountExceeded" : "VcpuLimitExceeded");
	return souk_error_hint(err,
			       "aws service-quotas request-service-quota-increase --service-code ec2 "
			       "--quota-code %s --desired-value %.0f --region %s", code, needed,
			       client->region);
}

int aws_quota_check(const struct aws_client *client, const struct souk_instance_spec *spec,
		    struct souk_error *err)
{
	const struct group *group = group_of(spec->instance_type, spec->spot != 0);
	const char *code = aws_quota_code(spec->instance_type, spec->spot != 0);
	/* At least one each, where the offer does not say. */
	double needed = (spec->vcpus_milli ? spec->vcpus_milli / 1000.0 : 1) * spec->count;
	double quota;
	int ret;

	if (!code || !souk_text_is_true(souk_call_option(client->call, "check_quotas")))
		return SOUK_OK;
	if (!recall(client->aws, client->region, code, &quota)) {
		ret = ask(client, code, &quota, err);
		if (ret < 0)
			return ret;
		keep(client->aws, client->region, code, quota);
	}
	return needed > quota ? refuse(client, spec, group, quota, needed, err) : SOUK_OK;
}
