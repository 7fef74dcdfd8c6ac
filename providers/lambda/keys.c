/* SPDX-License-Identifier: Apache-2.0 */
/* keys.c - SSH keys: a launch wants the name of one that is registered */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "machines.h"
#include "lambda.h"

enum { MAX_KEYS = 10000 };

/* Tells keys and owners apart in a name of 64 characters. */
static uint32_t hash_of(const char *text, size_t len)
{
	uint32_t hash = 2166136261u;

	while (len--)
		hash = (hash ^ (unsigned char)*text++) * 16777619u;
	return hash;
}

/* Algorithm and blob, without the comment. */
static size_t key_length(const char *public_key)
{
	size_t first = strcspn(public_key, " ");

	if (!public_key[first])
		return first;
	return first + 1 + strcspn(public_key + first + 1, " \r\n");
}

void lambda_key_name(char out[LAMBDA_KEY_NAME_SIZE], const char *cluster, const char *owner,
		     const char *public_key)
{
	int n = snprintf(out, LAMBDA_KEY_NAME_SIZE, "souk-%.40s-%08x-", cluster,
			 (unsigned)hash_of(owner ? owner : "", strlen(owner ? owner : "")));

	if (public_key)
		(void)snprintf(out + n, (size_t)(LAMBDA_KEY_NAME_SIZE - n), "%08x",
			       (unsigned)hash_of(public_key, key_length(public_key)));
}

static int list_keys(struct lambda *lambda, struct souk_call *call, struct json_object **reply,
		     struct json_object **list, struct souk_error *err)
{
	static const struct lambda_request request = {
		.what = "ListSSHKeys",
		.doing = "list the SSH keys",
		.path = "/ssh-keys",
		.flags = SOUK_HTTP_RETRY,
	};
	int ret = lambda_send(lambda, call, &request, reply, list, err);

	if (ret == SOUK_OK && (!json_object_is_type(*list, json_type_array) ||
			       json_object_array_length(*list) > MAX_KEYS))
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "Lambda's answer makes no sense: 'data' is not a list of "
				      "SSH keys");
	return ret;
}

/* 1: there is one of that name. */
static int is_registered(struct lambda *lambda, struct souk_call *call, const char *name,
			 struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *item;
	const char *has;
	size_t i;
	int ret = list_keys(lambda, call, &reply, &list, err);

	for (i = 0; ret == SOUK_OK && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(item, "data[]", "name", &has, err);
		if (ret == SOUK_OK && strcmp(has, name) == 0)
			return 1;
	}
	return ret;
}

static int add_key(struct lambda *lambda, struct souk_call *call, const char *name,
		   const char *public_key, struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *body = json_object_new_object();
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data;
	struct lambda_request request = {
		.what = "AddSSHKey",
		.doing = "register an SSH key",
		.method = "POST",
		.path = "/ssh-keys",
		.flags = SOUK_HTTP_MUTATES,
	};

	if (souk_json_put_text(body, "name", name, err) < 0 ||
	    souk_json_put(body, "public_key",
			  json_object_new_string_len(public_key, (int)key_length(public_key)),
			  err) < 0)
		return SOUK_E_NOMEM;
	request.body = souk_json_body(body);
	if (!request.body)
		return souk_error_nomem(err);
	return lambda_send(lambda, call, &request, &reply, &data, err);
}

int lambda_key_ensure(struct lambda *lambda, struct souk_call *call, const char *name,
		      const char *public_key, struct souk_error *err)
{
	struct souk_error why = SOUK_ERROR_INIT;
	int ret = is_registered(lambda, call, name, err);

	if (ret != 0)
		return ret < 0 ? ret : SOUK_OK;
	ret = add_key(lambda, call, name, public_key, &why);
	if (ret == SOUK_OK)
		return ret;
	/* It may be there by now: by another process, or by a request whose answer was lost. */
	if (is_registered(lambda, call, name, NULL) > 0)
		return SOUK_OK;
	return souk_error_copy(&why, err);
}

/* ---- Taking them away ------------------------------------------------------------------------ */

static int has_ended(struct json_object *machine, const struct lambda_ended *ended)
{
	const char *id = NULL;
	uint32_t i;

	if (!ended || souk_json_text_opt(machine, "", "id", &id, NULL) < 0 || !id)
		return 0;
	for (i = 0; i < ended->n; i++)
		if (strcmp(ended->refs[i].id, id) == 0)
			return 1;
	return 0;
}

static int uses(struct json_object *machine, const char *name)
{
	struct json_object *names, *item;
	const char *status = NULL;
	size_t i;

	if (souk_json_text_opt(machine, "", "status", &status, NULL) == SOUK_OK && status &&
	    lambda_machine_status(status) == SOUK_INSTANCE_TERMINATED)
		return 0;
	if (souk_json_array_opt(machine, "", "ssh_key_names", &names, NULL) < 0 || !names)
		return 0;
	for (i = 0; i < json_object_array_length(names); i++) {
		item = json_object_array_get_idx(names, i);
		if (json_object_is_type(item, json_type_string) &&
		    strcmp(json_object_get_string(item), name) == 0)
			return 1;
	}
	return 0;
}

static int is_used(struct json_object *machines, const struct lambda_ended *ended, const char *name)
{
	struct json_object *machine;
	size_t i;

	for (i = 0; machines && i < json_object_array_length(machines); i++) {
		machine = json_object_array_get_idx(machines, i);
		if (!has_ended(machine, ended) && uses(machine, name))
			return 1;
	}
	return 0;
}

static int remove_key(struct lambda *lambda, struct souk_call *call, const char *id,
		      struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *data;
	char path[120];
	const struct lambda_request request = {
		.what = "DeleteSSHKey",
		.doing = "remove an SSH key",
		.method = "DELETE",
		.path = path,
		.flags = SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES,
	};
	struct souk_error why = SOUK_ERROR_INIT;
	size_t i;
	int ret;

	for (i = 0; id[i]; i++)
		if ((!isalnum((unsigned char)id[i]) && !strchr("_-", id[i])) || i > 90)
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "Lambda's answer makes no sense: a key's id is "
					      "'%.60s'",
					      id);
	(void)snprintf(path, sizeof(path), "/ssh-keys/%s", id);
	ret = lambda_send(lambda, call, &request, &reply, &data, &why);
	/* One that is still in use goes with the next attempt. */
	if (ret == SOUK_OK || ret == SOUK_E_NOT_FOUND || ret == SOUK_E_CONFLICT)
		return SOUK_OK;
	return souk_error_copy(&why, err);
}

int lambda_keys_remove(struct lambda *lambda, struct souk_call *call, const char *prefix,
		       struct json_object *machines, const struct lambda_ended *ended,
		       struct souk_error *err)
{
	LAMBDA_AUTO_JSON struct json_object *reply = NULL;
	struct json_object *list, *item;
	const char *name, *id;
	size_t len = strlen(prefix);
	size_t i;
	int ret = list_keys(lambda, call, &reply, &list, err);

	for (i = 0; ret == SOUK_OK && i < json_object_array_length(list); i++) {
		ret = souk_json_item(list, "data[]", i, &item, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(item, "data[]", "name", &name, err);
		if (ret == SOUK_OK)
			ret = souk_json_text(item, "data[]", "id", &id, err);
		/* Behind the prefix stands a hash, or nothing: another cluster's name is longer. */
		if (ret < 0 || strncmp(name, prefix, len) != 0 ||
		    strspn(name + len, "0123456789abcdef") != strlen(name + len) ||
		    is_used(machines, ended, name))
			continue;
		ret = remove_key(lambda, call, id, err);
	}
	return ret;
}
