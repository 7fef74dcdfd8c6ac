/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - launch machines, one by one as Lambda wants it, and end them */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "machines.h"
#include "lambda.h"

enum { MAX_USER_DATA = 64 * 1024 };

struct order {
	struct lambda *lambda;
	struct souk_call *call;
	const struct souk_instance_spec *spec;
	const char *user; /* who logs in */
	char key_name[LAMBDA_KEY_NAME_SIZE];
	char ruleset[LAMBDA_RULESET_ID_SIZE]; /* "": the account's usual rules */
	struct souk_buf user_data;
};

static int put_tag(struct json_object *tags, const char *key, const char *value)
{
	struct json_object *tag = json_object_new_object();

	if (souk_json_put_text(tag, "key", key, NULL) == SOUK_OK &&
	    souk_json_put_text(tag, "value", value, NULL) == SOUK_OK)
		return souk_json_put_item(tags, tag, NULL);
	json_object_put(tag);
	return -1;
}

/* Lambda's form of a tag's key: a small letter, then small letters, digits, '-' and ':'. */
static int is_tag_key(const char *key)
{
	size_t i;

	for (i = 0; key[i]; i++)
		if (!islower((unsigned char)key[i]) &&
		    (!i || (!isdigit((unsigned char)key[i]) && !strchr("-:", key[i]))))
			return 0;
	return i > 1 && i <= 55;
}

/* The public key as a tag: algorithm and blob, if they fit. */
static int put_host_key(struct json_object *tags, const struct souk_instance_spec *spec)
{
	char text[LAMBDA_TAG_MAX + 1];
	const char *key = spec->host_key_public;
	size_t len;

	if (!spec->host_key_private || !key)
		return 0;
	len = strcspn(key, " ");
	if (key[len] == ' ')
		len += 1 + strcspn(key + len + 1, " \r\n");
	/* Without it the core pins the first key that it sees, as with any other machine. */
	if (len > LAMBDA_TAG_MAX)
		return 0;
	(void)snprintf(text, sizeof(text), "%.*s", (int)len, key);
	return put_tag(tags, LAMBDA_TAG_HOST_KEY, text);
}

static struct json_object *make_tags(const struct order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *tags = json_object_new_array();
	uint32_t i;
	int bad;

	if (!tags)
		return NULL;
	bad = put_tag(tags, LAMBDA_TAG_CLUSTER, spec->cluster) < 0 ||
	      (spec->owner && put_tag(tags, LAMBDA_TAG_OWNER, spec->owner) < 0) ||
	      put_tag(tags, LAMBDA_TAG_TOKEN, spec->request_token) < 0 ||
	      (strcmp(order->user, LAMBDA_USER) != 0 &&
	       put_tag(tags, LAMBDA_TAG_USER, order->user) < 0) ||
	      put_host_key(tags, spec) < 0;
	for (i = 0; i < spec->n_labels && !bad; i++)
		bad = put_tag(tags, spec->labels[i].key, spec->labels[i].value) < 0;
	if (!bad)
		return tags;
	json_object_put(tags);
	return NULL;
}

/* An image is named by its id, a UUID, or else by its family. */
static struct json_object *make_image(const char *image)
{
	struct json_object *object = json_object_new_object();
	int is_id = strlen(image) == 36 && strspn(image, "0123456789abcdef-") == 36;

	if (object && souk_json_put_text(object, is_id ? "id" : "family", image, NULL) == 0)
		return object;
	json_object_put(object);
	return NULL;
}

static struct json_object *make_rulesets(const char *id)
{
	struct json_object *list = json_object_new_array();
	struct json_object *entry = json_object_new_object();

	if (souk_json_put_text(entry, "id", id, NULL) < 0)
		json_object_put(entry);
	else if (souk_json_put_item(list, entry, NULL) == SOUK_OK)
		return list;
	json_object_put(list);
	return NULL;
}

static struct json_object *make_body(const struct order *order)
{
	const struct souk_instance_spec *spec = order->spec;
	struct json_object *body = json_object_new_object();
	struct json_object *keys = json_object_new_array();
	const char *image = spec->image;
	char name[65];

	if (!image || !*image)
		image = souk_call_option(order->call, "image");
	(void)snprintf(name, sizeof(name), "souk-%.40s", spec->cluster);
	if (!body || souk_json_put_item(keys, json_object_new_string(order->key_name), NULL) < 0) {
		json_object_put(keys);
		json_object_put(body);
		return NULL;
	}
	if (souk_json_put(body, "ssh_key_names", keys, NULL) < 0 ||
	    souk_json_put_text(body, "region_name", spec->region, NULL) < 0 ||
	    souk_json_put_text(body, "instance_type_name", spec->instance_type, NULL) < 0 ||
	    souk_json_put_text(body, "name", name, NULL) < 0 ||
	    souk_json_put_text(body, "user_data", order->user_data.data, NULL) < 0 ||
	    souk_json_put(body, "tags", make_tags(order), NULL) < 0 ||
	    (order->ruleset[0] &&
	     souk_json_put(body, "firewall_rulesets", make_rulesets(order->ruleset), NULL) < 0) ||
	    (image && *image && souk_json_put(body, "image", make_image(image), NULL) < 0)) {
		json_object_put(body);
		return NULL;
	}
	return body;
}

/* ---- One launch ------------------------------------------------------------------------------ */

/* The machine of an answer, which has nothing but its id. */
static int add_new(const struct order *order, struct json_object *data,
		   struct souk_instance_list *out, struct souk_error *err)
{
	const struct souk_instance_spec *spec = order->spec;
	struct souk_instance instance = {
		SOUK_INSTANCE_HEAD,
		.status = SOUK_INSTANCE_PENDING,
		.region = spec->region,
		.instance_type = spec->instance_type,
		.cluster = spec->cluster,
		.owner = spec->owner,
		.request_token = spec->request_token,
		.ssh_user = order->user,
		.host_key = spec->host_key_private ? spec->host_key_public : NULL,
	};
	struct json_object *ids, *id;
	int ret = souk_json_array(data, "data", "instance_ids", &ids, err);
	size_t i;

	if (ret < 0)
		return ret;
	if (!json_object_array_length(ids))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Lambda's answer makes no sense: a launch without a machine");
	for (i = 0; i < json_object_array_length(ids) && ret == SOUK_OK; i++) {
		id = json_object_array_get_idx(ids, i);
		if (!json_object_is_type(id, json_type_string))
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "Lambda's answer makes no sense: "
					      "'data.instance_ids[]' is not a text");
		instance.id = json_object_get_string(id);
		ret = souk_instance_list_add(out, &instance, err);
	}
	return ret;
}

static int launch_one(const struct order *order, struct souk_instance_list *out,
		      struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *body = make_body(order);
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data = NULL;
	struct souk_error why = SOUK_ERROR_INIT;
	char doing[160];
	struct lambda_request request = {
		.what = "LaunchInstance",
		.doing = doing,
		.method = "POST",
		.path = "/instance-operations/launch",
		.flags = SOUK_HTTP_MUTATES | SOUK_HTTP_SECRET_BODY,
		.is_launch = 1,
	};
	int ret;

	if (!body)
		return souk_error_nomem(err);
	request.body = souk_json_body(body);
	if (!request.body)
		return souk_error_nomem(err);
	(void)snprintf(doing, sizeof(doing), "start %.64s in '%.40s'", order->spec->instance_type,
		       order->spec->region);
	ret = lambda_send(order->lambda, order->call, &request, &reply, &data, &why);
	if (ret == SOUK_OK)
		ret = add_new(order, data, out, &why);
	if (ret == SOUK_OK)
		return ret;
	/* What is wrong with the request is wrong with this type or this place: another may do. */
	if (ret == SOUK_E_INVALID || ret == SOUK_E_NOT_FOUND)
		souk_error_scope(&why, SOUK_SCOPE_OFFER);
	/* By an answer that is lost, or that cannot be read, it may be there. */
	souk_error_doubtful(&why);
	return souk_error_copy(&why, err);
}

/* ---- The ops --------------------------------------------------------------------------------- */

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	const char *what = NULL;
	uint32_t i;

	if (spec->spot)
		what = "Lambda has no spot machines";
	else if (spec->n_ports)
		what = "souk opens no ports at Lambda yet";
	else if (spec->disk_size_mib)
		what = "the disk of a machine of Lambda is as it is";
	if (what) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "%s", what);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	if (!spec->count)
		return souk_error_set(err, SOUK_E_INVALID, "no machines are asked for");
	if (spec->owner && strlen(spec->owner) > LAMBDA_TAG_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "the owner's name is too long");
	for (i = 0; i < spec->n_labels; i++)
		if (!is_tag_key(spec->labels[i].key) ||
		    strlen(spec->labels[i].value) > LAMBDA_TAG_MAX) {
			souk_error_set(err, SOUK_E_INVALID,
				       "Lambda takes no label '%.60s': small letters, digits, '-' "
				       "and ':' only, and values of at most %d characters",
				       spec->labels[i].key, LAMBDA_TAG_MAX);
			return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		}
	return SOUK_OK;
}

/* What an earlier call with this token has made, as far as it lives. Returns how many. */
static int already_there(const struct order *order, struct souk_instance_list *out,
			 struct souk_error *err)
{
	const struct lambda_wanted wanted = { .token = order->spec->request_token };
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *machine;
	const char *status;
	size_t i;
	int n = 0;
	int ret = lambda_machines_ask(order->lambda, order->call, &reply, &list, err);

	for (i = 0; ret >= 0 && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &machine, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(machine, "data[]", "status", &status, err);
		if (ret == SOUK_OK && lambda_machine_status(status) <= SOUK_INSTANCE_RUNNING)
			ret = lambda_machine_add(machine, &wanted, out, err);
		if (ret > 0)
			n++;
	}
	return ret < 0 ? ret : n;
}

/* With the lock of the token. */
static int provision(struct lambda *self, struct souk_call *call,
		     const struct souk_instance_spec *spec, struct souk_instance_list *out,
		     struct souk_error *err)
{
	struct order order = { .lambda = self, .call = call, .spec = spec };
	uint32_t made;
	int ret;

	order.user = souk_call_option(call, "image_user");
	if (!order.user || !*order.user)
		order.user = LAMBDA_USER;
	/* Lambda takes no token: who asks again is told of the machines that carry it. */
	ret = already_there(&order, out, err);
	if (ret < 0)
		return ret;
	made = (uint32_t)ret;
	if (made >= spec->count)
		return SOUK_OK;
	souk_buf_init(&order.user_data, MAX_USER_DATA);
	/* The image's own user needs no more than the key. */
	ret = souk_spec_cloud_config(spec, strcmp(order.user, LAMBDA_USER) == 0 ? NULL : order.user,
				     &order.user_data, err);
	lambda_key_name(order.key_name, spec->cluster, spec->owner,
			spec->ssh_public_key ? spec->ssh_public_key : "");
	if (ret == SOUK_OK)
		ret = lambda_ruleset_find(self, call, spec->region, order.ruleset, err);
	if (ret == SOUK_OK)
		ret = lambda_key_ensure(self, call, order.key_name, spec->ssh_public_key, err);
	/* All or none: those that were made are in 'out', and the core gives them back. */
	while (ret == SOUK_OK && made < spec->count) {
		ret = launch_one(&order, out, err);
		made += ret == SOUK_OK;
	}
	if (ret < 0 && ret != SOUK_E_TIMEOUT && ret != SOUK_E_CANCELLED && made == 0)
		(void)lambda_keys_remove(self, call, order.key_name, NULL, NULL, NULL);
	if (order.user_data.size)
		explicit_bzero(order.user_data.data, order.user_data.len);
	souk_buf_fini(&order.user_data);
	return ret;
}

int lambda_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_lock *lock = NULL;
	int ret = check_spec(spec, err);

	/* Who asks at the same time must find what is made here. */
	if (ret == SOUK_OK)
		ret = souk_call_lock(call, spec->request_token, &lock, err);
	if (ret == SOUK_OK)
		ret = provision(self, call, spec, out, err);
	souk_lock_free(lock);
	return ret;
}

/* The ids among refs that Lambda still knows as alive, as the body of a request; NULL in *body_out if
 * there are none. */
static int body_of_alive(struct json_object *list, const struct souk_instance_ref *refs, uint32_t n,
			 struct json_object **body_out, struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *body = json_object_new_object();
	struct json_object *ids = json_object_new_array();
	struct json_object *machine;
	const char *id, *status;
	uint32_t k;
	size_t i;
	int ret = SOUK_OK;

	if (!body || !ids || souk_json_put(body, "instance_ids", json_object_get(ids), NULL) < 0)
		ret = souk_error_nomem(err);
	for (i = 0; ret == SOUK_OK && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &machine, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(machine, "data[]", "id", &id, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(machine, "data[]", "status", &status, err);
		for (k = 0; ret == SOUK_OK && k < n; k++)
			if (strcmp(refs[k].id, id) == 0 &&
			    lambda_machine_status(status) <= SOUK_INSTANCE_STOPPED &&
			    souk_json_put_item(ids, json_object_new_string(id), NULL) < 0)
				ret = souk_error_nomem(err);
	}
	if (ret == SOUK_OK && json_object_array_length(ids))
		*body_out = json_object_get(body);
	json_object_put(ids);
	return ret;
}

static int terminate(struct lambda *lambda, struct souk_call *call, struct json_object *body,
		     struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data;
	struct souk_error why = SOUK_ERROR_INIT;
	struct lambda_request request = {
		.what = "TerminateInstances",
		.doing = "end machines",
		.method = "POST",
		.path = "/instance-operations/terminate",
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES | SOUK_HTTP_SECRET_REPLY,
	};
	int ret;

	request.body = souk_json_body(body);
	if (!request.body)
		return souk_error_nomem(err);
	ret = lambda_send(lambda, call, &request, &reply, &data, &why);
	/* One of them has ended since it was listed; the others have their turn when the core asks
	 * again, as it does until all are gone. */
	if (ret == SOUK_E_NOT_FOUND) {
		why.code = SOUK_E_TRANSIENT;
		return souk_error_copy(&why, err);
	}
	return ret < 0 ? souk_error_copy(&why, err) : ret;
}

/* The name of the key of ours that a machine of the list was launched with; NULL: there is none. */
static const char *key_of(struct json_object *machine, const struct lambda_ended *ended)
{
	struct json_object *names, *name;
	const char *id;
	uint32_t i;

	if (souk_json_text(machine, "", "id", &id, NULL) < 0 ||
	    souk_json_array_opt(machine, "", "ssh_key_names", &names, NULL) < 0 || !names)
		return NULL;
	for (i = 0; i < ended->n && strcmp(ended->refs[i].id, id) != 0; i++)
		;
	name = i < ended->n ? json_object_array_get_idx(names, 0) : NULL;
	if (!json_object_is_type(name, json_type_string) ||
	    strncmp(json_object_get_string(name), "souk-", 5) != 0)
		return NULL;
	return json_object_get_string(name);
}

/* Take the keys along that the ended machines were launched with. All of a cluster have the same.
 * What fails here costs nothing, and is tried again when the core ends them again. */
static void remove_keys(struct lambda *lambda, struct souk_call *call, struct json_object *list,
			const struct lambda_ended *ended)
{
	const char *last = "", *name;
	size_t i;

	for (i = 0; i < json_object_array_length(list); i++) {
		name = key_of(json_object_array_get_idx(list, i), ended);
		if (!name || strcmp(name, last) == 0)
			continue;
		(void)lambda_keys_remove(lambda, call, name, list, ended, NULL);
		last = name;
	}
}

int lambda_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	LAMBDA_AUTO_JSON struct json_object *body = NULL;
	const struct lambda_ended ended = { refs, n };
	struct json_object *list;
	int ret = n ? lambda_machines_ask(self, call, &reply, &list, err) : SOUK_OK;

	if (ret < 0 || !n)
		return ret;
	ret = body_of_alive(list, refs, n, &body, err);
	if (ret == SOUK_OK && body)
		ret = terminate(self, call, body, err);
	if (ret == SOUK_OK)
		remove_keys(self, call, list, &ended);
	return ret;
}

int lambda_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
		 struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list;
	char prefix[LAMBDA_KEY_NAME_SIZE];
	int ret;

	if (!filter->cluster)
		return souk_error_set(err, SOUK_E_INVALID, "no cluster to sweep up after");
	lambda_key_name(prefix, filter->cluster, filter->owner, NULL);
	ret = lambda_machines_ask(self, call, &reply, &list, err);
	return ret < 0 ? ret : lambda_keys_remove(self, call, prefix, list, NULL, err);
}
