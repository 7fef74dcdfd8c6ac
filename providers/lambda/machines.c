/* SPDX-License-Identifier: Apache-2.0 */
/* machines.c - find machines and tell of them */

#include "machines.h"

#include <ctype.h>
#include <string.h>

#include "lambda.h"

int lambda_machine_status(const char *word)
{
	static const struct {
		const char *word;
		int status;
	} table[] = {
		{ "booting", SOUK_INSTANCE_PENDING },
		{ "active", SOUK_INSTANCE_RUNNING },
		/* It does not answer Lambda's checks, but it is there, and may answer us. */
		{ "unhealthy", SOUK_INSTANCE_RUNNING },
		{ "terminating", SOUK_INSTANCE_TERMINATING },
		{ "terminated", SOUK_INSTANCE_TERMINATED },
		{ "preempted", SOUK_INSTANCE_TERMINATED },
	};
	size_t i;

	for (i = 0; i < LAMBDA_ARRAY_SIZE(table); i++)
		if (strcmp(table[i].word, word) == 0)
			return table[i].status;
	/* A word that is new is no reason to think that it has ended. */
	return SOUK_INSTANCE_PENDING;
}

int lambda_machines_ask(struct lambda *lambda, struct souk_call *call, struct json_object **reply,
			struct json_object **list, struct souk_error *err)
{
	static const struct lambda_request request = {
		.what = "ListInstances",
		.doing = "list the machines",
		.path = "/instances",
		/* It has the passwords of notebooks in it. */
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_SECRET_REPLY,
	};
	int ret = lambda_send(lambda, call, &request, reply, list, err);

	if (ret == SOUK_OK && !json_object_is_type(*list, json_type_array))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Lambda's answer makes no sense: 'data' is not a list of "
				      "machines");
	return ret;
}

/* The value of a tag; NULL: not there, or empty. */
static const char *tag(struct json_object *machine, const char *wanted)
{
	struct json_object *tags, *item;
	const char *key, *value;
	size_t n, i;

	if (souk_json_array_opt(machine, "", "tags", &tags, NULL) < 0 || !tags)
		return NULL;
	n = json_object_array_length(tags);
	for (i = 0; i < n; i++) {
		if (souk_json_item(tags, "tags[]", i, &item, NULL) < 0 ||
		    souk_json_text(item, "tags[]", "key", &key, NULL) < 0 ||
		    strcmp(key, wanted) != 0 ||
		    souk_json_text(item, "tags[]", "value", &value, NULL) < 0)
			continue;
		return *value ? value : NULL;
	}
	return NULL;
}

static int differs(const char *wanted, const char *has)
{
	return wanted && (!has || strcmp(wanted, has) != 0);
}

static int is_wanted(const struct lambda_wanted *wanted, const struct souk_instance *instance)
{
	uint32_t i;

	if (wanted->refs) {
		for (i = 0; i < wanted->n_refs; i++)
			if (strcmp(wanted->refs[i].id, instance->id) == 0)
				return 1;
		return 0;
	}
	return instance->request_token && !differs(wanted->token, instance->request_token) &&
	       !differs(wanted->cluster, instance->cluster) &&
	       !differs(wanted->owner, instance->owner) &&
	       !differs(wanted->region, instance->region);
}

/* An address goes to SSH: nothing in it could be an option. */
static int address(struct json_object *machine, const char *name, const char **out,
		   struct souk_error *err)
{
	const char *p;
	int ret = souk_json_text_opt(machine, "data[]", name, out, err);

	if (ret < 0 || !*out)
		return ret;
	for (p = *out; *p; p++)
		if (!isxdigit((unsigned char)*p) && *p != '.' && *p != ':')
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "Lambda's answer makes no sense: 'data[].%s' is "
					      "'%.60s'",
					      name, *out);
	if (!**out)
		*out = NULL;
	return SOUK_OK;
}

static int read_machine(struct json_object *machine, struct souk_instance *out,
			struct souk_error *err)
{
	struct json_object *region, *type;
	const char *status;
	int ret;

	if ((ret = souk_json_text(machine, "data[]", "id", &out->id, err)) < 0 ||
	    (ret = souk_json_text(machine, "data[]", "status", &status, err)) < 0 ||
	    (ret = souk_json_object(machine, "data[]", "region", &region, err)) < 0 ||
	    (ret = souk_json_text(region, "data[].region", "name", &out->region, err)) < 0 ||
	    (ret = souk_json_object_opt(machine, "data[]", "instance_type", &type, err)) < 0 ||
	    (ret = address(machine, "ip", &out->public_address, err)) < 0 ||
	    (ret = address(machine, "private_ip", &out->private_address, err)) < 0)
		return ret;
	if (type)
		ret = souk_json_text_opt(type, "data[].instance_type", "name",
					   &out->instance_type, err);
	out->status = lambda_machine_status(status);
	if (out->status != SOUK_INSTANCE_PENDING && strcmp(status, "active") != 0)
		out->status_reason = status;
	out->cluster = tag(machine, LAMBDA_TAG_CLUSTER);
	out->owner = tag(machine, LAMBDA_TAG_OWNER);
	out->request_token = tag(machine, LAMBDA_TAG_TOKEN);
	out->host_key = tag(machine, LAMBDA_TAG_HOST_KEY);
	out->ssh_user = tag(machine, LAMBDA_TAG_USER);
	if (!out->ssh_user)
		out->ssh_user = LAMBDA_USER;
	return ret;
}

int lambda_machine_add(struct json_object *machine, const struct lambda_wanted *wanted,
		       struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	int ret = read_machine(machine, &instance, err);

	if (ret < 0 || !is_wanted(wanted, &instance))
		return ret;
	ret = souk_instance_list_add(out, &instance, err);
	return ret < 0 ? ret : 1;
}

static int find(struct lambda *lambda, struct souk_call *call, const struct lambda_wanted *wanted,
		struct souk_instance_list *out, struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *machine;
	size_t i;
	int ret = lambda_machines_ask(lambda, call, &reply, &list, err);

	for (i = 0; ret >= 0 && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &machine, err);
		if (ret == SOUK_OK)
			ret = lambda_machine_add(machine, wanted, out, err);
	}
	return ret < 0 ? ret : SOUK_OK;
}

/* One request for all, since there is one a second. */
int lambda_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	const struct lambda_wanted wanted = { .refs = refs, .n_refs = n };

	return n ? find(self, call, &wanted, out, err) : SOUK_OK;
}

int lambda_list_instances(void *self, struct souk_call *call,
			  const struct souk_instance_filter *filter, struct souk_instance_list *out,
			  struct souk_error *err)
{
	const struct lambda_wanted wanted = {
		.cluster = filter->cluster,
		.owner = filter->owner,
		.token = filter->request_token,
		.region = filter->region,
	};

	return find(self, call, &wanted, out, err);
}
