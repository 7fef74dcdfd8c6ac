/* SPDX-License-Identifier: Apache-2.0 */
/* provider/lists.c - the core objects that a module fills */
#include "provider/lists.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

/* Copy what the module knows of a struct into one of ours; what it does not know stays 0. */
#define TAKE(own, theirs)                                                                          \
	memcpy(&(own), theirs,                                                                     \
	       (theirs)->struct_size < sizeof(own) ? (theirs)->struct_size : sizeof(own))

/* Replace the borrowed texts of a struct by copies; on failure none is kept. */
static int own_texts(const char **slots[], size_t n, struct souk_error *err)
{
	size_t i, j;

	for (i = 0; i < n; i++) {
		const char *text = *slots[i];

		*slots[i] = souk_strdup(text);
		if (text && !*slots[i]) {
			for (j = 0; j < i; j++)
				free((char *)*slots[j]);
			return souk_error_nomem(err);
		}
	}
	return SOUK_OK;
}

static void free_texts(const char **slots[], size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free((char *)*slots[i]);
}

#define OFFER_TEXTS(o)                                                                             \
	{ &(o)->instance_type, &(o)->region, &(o)->zone, &(o)->arch, &(o)->accelerator }
#define INSTANCE_TEXTS(i)                                                                          \
	{                                                                                          \
		&(i)->id, &(i)->region, &(i)->zone, &(i)->instance_type, &(i)->cluster,            \
			&(i)->owner, &(i)->request_token, &(i)->public_address,                    \
			&(i)->private_address, &(i)->ssh_user, &(i)->host_key, &(i)->status_reason, \
			&(i)->shutdown_command, &(i)->kind                                         \
	}

int souk_offers_add(struct souk_offer_list *list, const struct souk_offer *offer,
		    struct souk_error *err)
{
	struct souk_offer own = { .available = -1 };
	const char **texts[] = OFFER_TEXTS(&own);
	struct souk_offer *items;

	TAKE(own, offer);
	if (!own.instance_type || !own.instance_type[0] || !own.region || !own.region[0])
		return souk_error_set(err, SOUK_E_INVALID, "an offer without instance type or region");
	items = souk_array_grow(list->items, list->n, sizeof(*items));
	if (!items)
		return souk_error_nomem(err);
	list->items = items;
	if (own_texts(texts, SOUK_ARRAY_SIZE(texts), err) < 0)
		return SOUK_E_NOMEM;
	if (!own.currency[0])
		memcpy(own.currency, "USD", 4);
	own.currency[3] = '\0';
	list->items[list->n++] = own;
	return SOUK_OK;
}

void souk_offer_list_fini(struct souk_offer_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const char **texts[] = OFFER_TEXTS(&list->items[i]);

		free_texts(texts, SOUK_ARRAY_SIZE(texts));
	}
	free(list->items);
	*list = (struct souk_offer_list){ 0 };
}

static void free_tags(struct souk_instance *instance)
{
	uint32_t i;

	for (i = 0; instance->tags && i < instance->n_tags; i++) {
		free((char *)instance->tags[i].key);
		free((char *)instance->tags[i].value);
	}
	free((struct souk_label *)instance->tags);
}

/* Replace the borrowed tags of an instance by copies; on failure none is kept. */
static int own_tags(struct souk_instance *own, struct souk_error *err)
{
	const struct souk_label *theirs = own->tags;
	uint32_t n = theirs ? own->n_tags : 0;
	struct souk_label *copies = n ? calloc(n, sizeof(*copies)) : NULL;

	own->tags = copies;
	own->n_tags = 0;
	if (n && !copies)
		return souk_error_nomem(err);
	for (; own->n_tags < n; own->n_tags++) {
		copies[own->n_tags].key = souk_strdup(theirs[own->n_tags].key ? theirs[own->n_tags].key : "");
		copies[own->n_tags].value =
			souk_strdup(theirs[own->n_tags].value ? theirs[own->n_tags].value : "");
		if (!copies[own->n_tags].key || !copies[own->n_tags].value) {
			own->n_tags++;
			free_tags(own);
			return souk_error_nomem(err);
		}
	}
	return SOUK_OK;
}

int souk_instances_add(struct souk_instance_list *list, const struct souk_instance *instance,
		       struct souk_error *err)
{
	struct souk_instance own = { 0 };
	const char **texts[] = INSTANCE_TEXTS(&own);
	struct souk_instance *items;

	TAKE(own, instance);
	if (!own.id || !own.id[0] || !own.region || !own.region[0])
		return souk_error_set(err, SOUK_E_INVALID, "an instance without id or region");
	items = souk_array_grow(list->items, list->n, sizeof(*items));
	if (!items)
		return souk_error_nomem(err);
	list->items = items;
	if (own_tags(&own, err) < 0)
		return SOUK_E_NOMEM;
	if (own_texts(texts, SOUK_ARRAY_SIZE(texts), err) < 0) {
		free_tags(&own);
		return SOUK_E_NOMEM;
	}
	list->items[list->n++] = own;
	return SOUK_OK;
}

void souk_instance_list_fini(struct souk_instance_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		const char **texts[] = INSTANCE_TEXTS(&list->items[i]);

		free_texts(texts, SOUK_ARRAY_SIZE(texts));
		free_tags(&list->items[i]);
	}
	free(list->items);
	*list = (struct souk_instance_list){ 0 };
}

int souk_quotes_add(struct souk_quote_list *list, const struct souk_quote_line *line,
		    struct souk_error *err)
{
	struct souk_quote_line own = { 0 };
	const char **texts[] = { &own.item, &own.note };
	struct souk_quote_line *items;

	TAKE(own, line);
	if (!own.item)
		return souk_error_set(err, SOUK_E_INVALID, "a line of a quote without an item");
	items = souk_array_grow(list->items, list->n, sizeof(*items));
	if (!items)
		return souk_error_nomem(err);
	list->items = items;
	if (own_texts(texts, SOUK_ARRAY_SIZE(texts), err) < 0)
		return SOUK_E_NOMEM;
	own.currency[3] = '\0';
	list->items[list->n++] = own;
	return SOUK_OK;
}

void souk_quote_list_fini(struct souk_quote_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		free((char *)list->items[i].item);
		free((char *)list->items[i].note);
	}
	free(list->items);
	*list = (struct souk_quote_list){ 0 };
}

void souk_identity_fini(struct souk_identity *identity)
{
	souk_pairs_fini(&identity->pairs);
}
