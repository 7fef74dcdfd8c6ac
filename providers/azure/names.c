/* SPDX-License-Identifier: Apache-2.0 */
/* names.c - names of resource groups and of what is in them, and the tags that all of it carries */

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "json-read.h"
#include "machines.h"

static int bad_id(const char *text, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID, "not a machine of Azure: '%.200s'", text);
}

/* A step of a path: what comes before it, in any case, and the name up to the next slash. */
static const char *step(const char *at, const char *before, char *out, size_t size)
{
	size_t len = strlen(before);
	size_t name;
	size_t i;

	if (!at || strncasecmp(at, before, len) != 0)
		return NULL;
	at += len;
	name = strcspn(at, "/");
	if (!name || name >= size)
		return NULL;
	for (i = 0; i < name; i++)
		if (strchr("?#%&\\\" ", at[i]) || (unsigned char)at[i] < 0x20)
			return NULL;
	memcpy(out, at, name);
	out[name] = '\0';
	return at + name;
}

int azure_id_parse(const char *text, struct azure_id *out, struct souk_error *err)
{
	struct azure_id id;
	const char *at = text;

	at = step(at, "/subscriptions/", id.subscription, sizeof(id.subscription));
	at = step(at, "/resourceGroups/", id.group, sizeof(id.group));
	at = step(at, "/providers/Microsoft.Compute/virtualMachines/", id.vm, sizeof(id.vm));
	if (!at || *at || !azure_is_id(id.subscription))
		return bad_id(text, err);
	*out = id;
	return SOUK_OK;
}

int azure_same_group(const struct azure_id *a, const struct azure_id *b)
{
	return strcasecmp(a->subscription, b->subscription) == 0 &&
	       strcasecmp(a->group, b->group) == 0;
}

int azure_group_name(const char *cluster, const char *token, char out[AZURE_GROUP_SIZE],
		     struct souk_error *err)
{
	int len = snprintf(out, AZURE_GROUP_SIZE, "souk-%s-%s", cluster, token);

	/* 90 is what Azure takes. */
	if (len < 0 || len > 90)
		return souk_error_set(err, SOUK_E_INVALID, "the name of the cluster is too long");
	return SOUK_OK;
}

int azure_group_path(const char *subscription, const char *group, const char *inside,
		     const char *version, char out[AZURE_PATH_SIZE], struct souk_error *err)
{
	int len = snprintf(out, AZURE_PATH_SIZE,
			   "/subscriptions/%s/resourceGroups/%s%s%sapi-version=%s", subscription,
			   group, inside, strchr(inside, '?') ? "&" : "?", version);

	if (len < 0 || len >= AZURE_PATH_SIZE)
		return souk_error_set(err, SOUK_E_INVALID, "the path of '%.100s' is too long",
				      group);
	return SOUK_OK;
}

const char *azure_tag(struct json_object *resource, const char *name)
{
	const char *value = souk_json_maybe_text(souk_json_maybe_object(resource, "tags"), name);

	return value && *value ? value : NULL;
}

static int fits(struct json_object *resource, const char *tag, const char *want)
{
	const char *value = azure_tag(resource, tag);

	return !want || (value && strcmp(value, want) == 0);
}

int azure_tags_fit(struct json_object *resource, const struct souk_instance_filter *filter)
{
	const char *location = souk_json_maybe_text(resource, "location");

	if (!azure_tag(resource, AZURE_TAG_TOKEN) ||
	    !fits(resource, AZURE_TAG_CLUSTER, filter->cluster) ||
	    !fits(resource, AZURE_TAG_OWNER, filter->owner) ||
	    !fits(resource, AZURE_TAG_TOKEN, filter->request_token))
		return 0;
	return !filter->region || (location && strcasecmp(location, filter->region) == 0);
}
