/* SPDX-License-Identifier: Apache-2.0 */
/* account.c - whose subscription is used, and which regions it has */

#include "account.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "credentials.h"
#include "json-read.h"

enum { KEEP_SECONDS = 3600 };

/* ---- What a token says ----------------------------------------------------------------------- */

static int base64url_value(char c)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)(found - digits) : -1;
}

static int decode(const char *text, size_t len, struct souk_buf *out)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < len; i++) {
		int value = base64url_value(text[i]);
		unsigned char byte;

		if (value < 0)
			return SOUK_E_INVALID;
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		n += 6;
		if (n < 8)
			continue;
		n -= 8;
		byte = (unsigned char)(bits >> n);
		souk_buf_add(out, &byte, 1);
	}
	return souk_buf_failed(out, NULL);
}

int azure_token_claim(const char *token, const char *claim, char *out, size_t size)
{
	AZURE_AUTO_BUF struct souk_buf text = { 0 };
	const char *claims = strchr(token, '.');
	struct json_object *object = NULL;
	int found = 0;

	if (!claims)
		return 0;
	souk_buf_init(&text, AZURE_MAX_TOKEN);
	if (decode(claims + 1, strcspn(claims + 1, "."), &text) == SOUK_OK)
		object = souk_json_parse(text.data, text.len);
	if (object)
		found = azure_copy(out, size, souk_json_maybe_text(object, claim));
	json_object_put(object);
	return found;
}

/* ---- The subscription ------------------------------------------------------------------------ */

struct subscriptions {
	char first[AZURE_ID_SIZE];
	size_t n; /* that can be used */
};

static int take_subscriptions(void *arg, struct json_object *page, struct json_object *items,
			      struct souk_error *err)
{
	struct subscriptions *found = arg;
	size_t i;

	(void)page;
	(void)err;
	for (i = 0; i < json_object_array_length(items); i++) {
		struct json_object *item = json_object_array_get_idx(items, i);
		const char *id = souk_json_maybe_text(item, "subscriptionId");
		const char *state = souk_json_maybe_text(item, "state");

		if (!id || !azure_is_id(id) || (state && (strcasecmp(state, "Disabled") == 0 ||
							  strcasecmp(state, "Deleted") == 0)))
			continue;
		if (found->n++ == 0)
			azure_copy(found->first, sizeof(found->first), id);
	}
	return SOUK_OK;
}

/* Without a name, the only one that there is. */
static int find_only(const struct azure_client *client, char out[AZURE_ID_SIZE],
		     struct souk_error *err)
{
	struct subscriptions found = { 0 };
	const struct azure_listing listing = {
		.request = { .what = "Subscriptions_List", .doing = "list subscriptions",
			     .host = AZURE_HOST_MANAGEMENT,
			     .path = "/subscriptions?api-version=2022-12-01" },
		.items = "value", .next = "nextLink",
		.take = take_subscriptions, .arg = &found,
	};
	int ret = azure_list(client, &listing, err);

	if (ret < 0)
		return ret;
	if (found.n == 1) {
		azure_copy(out, AZURE_ID_SIZE, found.first);
		return SOUK_OK;
	}
	souk_error_set(err, SOUK_E_AUTH,
		       found.n ? "the credentials have %zu subscriptions, and none is chosen" :
				 "the credentials have no subscription", found.n);
	return souk_error_hint(err, found.n ? "set AZURE_SUBSCRIPTION_ID, or providers: azure: "
					      "subscription:" :
					      "give the application a role in a subscription: 'az "
					      "role assignment create'");
}

static int from_token(const struct azure_client *client, char out[AZURE_ID_SIZE],
		      struct souk_error *err)
{
	struct azure_token token = { 0 };
	int ret = azure_token_get(client, &token, err);

	if (ret == SOUK_OK)
		ret = azure_copy(out, AZURE_ID_SIZE, token.subscription);
	azure_token_fini(&token);
	return ret;
}

int azure_subscription(const struct azure_client *client, char out[AZURE_ID_SIZE],
		       struct souk_error *err)
{
	const char *named = azure_setting(client->call, "subscription", "AZURE_SUBSCRIPTION_ID");
	struct azure *azure = client->azure;
	int known;
	int ret;

	if (named) {
		if (!azure_is_id(named) || !azure_copy(out, AZURE_ID_SIZE, named)) {
			souk_error_set(err, SOUK_E_INVALID, "not a subscription's id: '%.128s'",
				       named);
			souk_error_hint(err, "'az account list' shows the ids");
			return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
		}
		return SOUK_OK;
	}
	pthread_mutex_lock(&azure->lock);
	known = azure_copy(out, AZURE_ID_SIZE, azure->subscription);
	pthread_mutex_unlock(&azure->lock);
	if (known)
		return SOUK_OK;
	ret = from_token(client, out, err);
	if (ret == 0)
		ret = find_only(client, out, err);
	if (ret < 0)
		return ret;
	pthread_mutex_lock(&azure->lock);
	azure_copy(azure->subscription, sizeof(azure->subscription), out);
	pthread_mutex_unlock(&azure->lock);
	return SOUK_OK;
}

/* ---- Regions --------------------------------------------------------------------------------- */

int azure_location_read(struct json_object *location, const char **name_out,
			struct souk_error *err)
{
	struct json_object *metadata;
	const char *name, *type, *kind = NULL;
	int ret;

	ret = azure_json_get_text(location, "location", "name", &name, err);
	if (ret == SOUK_OK)
		ret = azure_json_get_text(location, "location", "type", &type, err);
	if (ret == SOUK_OK)
		ret = azure_json_get(location, "location", "metadata", json_type_object, &metadata,
				     err);
	if (ret == SOUK_OK && metadata)
		ret = azure_json_get_text(metadata, "location", "regionType", &kind, err);
	if (ret < 0)
		return ret;
	/* A logical one is a geography, which sells nothing; an edge zone has rules of its own. */
	if (!name || !azure_is_place(name) || (type && strcasecmp(type, "Region") != 0) ||
	    (kind && strcasecmp(kind, "Physical") != 0))
		return 0;
	*name_out = name;
	return 1;
}

struct wanted {
	const char *list; /* NULL: all */
	struct azure_regions *out;
};

static int take_locations(void *arg, struct json_object *page, struct json_object *items,
			  struct souk_error *err)
{
	const struct wanted *wanted = arg;
	struct azure_regions *out = wanted->out;
	const char *name;
	size_t i;
	int ret;

	(void)page;
	for (i = 0; i < json_object_array_length(items); i++) {
		ret = azure_location_read(json_object_array_get_idx(items, i), &name, err);
		if (ret < 0)
			return ret;
		if (ret == 0 || (wanted->list && !souk_list_has(wanted->list, name)))
			continue;
		if (out->n == AZURE_MAX_REGIONS)
			return souk_error_set(err, SOUK_E_INVALID,
					      "Azure lists more than %d regions",
					      AZURE_MAX_REGIONS);
		snprintf(out->names[out->n++], AZURE_REGION_SIZE, "%s", name);
	}
	return SOUK_OK;
}

int azure_regions_wanted(const struct azure_client *client, const char *subscription,
			 struct azure_regions *out, struct souk_error *err)
{
	struct wanted wanted = { azure_option(client->call, "region"), out };
	char path[AZURE_ID_SIZE + 80];
	const struct azure_listing listing = {
		.request = { .what = "Subscriptions_ListLocations", .doing = "list regions",
			     .host = AZURE_HOST_MANAGEMENT, .path = path,
			     .cache_seconds = KEEP_SECONDS, .cache_scope = subscription },
		.items = "value", .next = "nextLink", .take = take_locations, .arg = &wanted,
	};
	int ret;

	snprintf(path, sizeof(path), "/subscriptions/%s/locations?api-version=2022-12-01",
		 subscription);
	out->n = 0;
	ret = azure_list(client, &listing, err);
	if (ret < 0 || out->n)
		return ret;
	souk_error_set(err, SOUK_E_NOT_FOUND, wanted.list ? "no such region: '%.200s'" :
							    "the subscription has no region%s",
		       wanted.list ? wanted.list : "");
	souk_error_hint(err, "'az account list-locations' shows the regions");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}
