/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - what is wrong with this computer and what was left in the accounts: the public face */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "doctor-internal.h"

/* ---- Findings ---- */

/* A copy that lives as long as the doctor; NULL stays NULL. */
static int keep(struct souk_doctor *doctor, const char **slot, struct souk_error *err)
{
	int ret;

	if (!*slot)
		return SOUK_OK;
	ret = souk_strv_add(&doctor->texts, *slot, err);
	if (ret == SOUK_OK)
		*slot = doctor->texts.items[doctor->texts.n - 1];
	return ret;
}

int doctor_add(struct souk_doctor *doctor, const struct souk_finding_row *row, const char *token,
	       struct souk_error *err)
{
	struct doctor_finding own = { .row = *row, .token = token };
	const char **texts[] = {
		&own.row.kind, &own.row.standing, &own.row.provider, &own.row.region, &own.row.zone,
		&own.row.id, &own.row.what, &own.row.status, &own.row.cluster, &own.row.owner,
		&own.row.tool, &own.row.currency, &own.row.message, &own.row.hint, &own.token,
	};
	struct doctor_finding *items = souk_array_grow(doctor->items, doctor->n, sizeof(*items));
	size_t i;
	int ret = SOUK_OK;

	if (!items)
		return souk_error_nomem(err);
	doctor->items = items;
	for (i = 0; i < SOUK_ARRAY_SIZE(texts) && ret == SOUK_OK; i++)
		ret = keep(doctor, texts[i], err);
	if (ret == SOUK_OK)
		doctor->items[doctor->n++] = own;
	return ret;
}

int doctor_check(struct souk_doctor *doctor, const char *name, const char *standing,
		 const char *provider, const char *hint, struct souk_error *err, const char *fmt, ...)
{
	struct souk_finding_row row = {
		.kind = "check", .standing = standing, .id = name, .provider = provider, .hint = hint,
		.counts = strcmp(standing, "problem") == 0, .micros_per_hour = -1,
	};
	char message[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof(message), fmt, args);
	va_end(args);
	row.message = message;
	return doctor_add(doctor, &row, NULL, err);
}

/* ---- The store ---- */

int doctor_snapshot_take(struct souk_doctor *doctor, struct doctor_snapshot *out,
			 struct souk_error *err)
{
	struct souk_store *store = doctor->souk->store;
	int ret;

	*out = (struct doctor_snapshot){ 0 };
	if (!store || doctor->blind)
		return SOUK_OK;
	ret = souk_store_clusters(store, &out->clusters, &out->n_clusters, err);
	if (ret == SOUK_OK)
		ret = souk_store_intents(store, NULL, &out->intents, &out->n_intents, err);
	if (ret < 0)
		doctor_snapshot_fini(out);
	return ret;
}

void doctor_snapshot_fini(struct doctor_snapshot *snapshot)
{
	if (snapshot->clusters)
		souk_store_clusters_free(snapshot->clusters, snapshot->n_clusters);
	if (snapshot->intents)
		souk_store_intents_free(snapshot->intents, snapshot->n_intents);
	*snapshot = (struct doctor_snapshot){ 0 };
}

const struct souk_store_cluster *doctor_snapshot_cluster(const struct doctor_snapshot *snapshot,
							 const char *name)
{
	size_t i;

	for (i = 0; name && i < snapshot->n_clusters; i++)
		if (strcmp(snapshot->clusters[i].name, name) == 0)
			return &snapshot->clusters[i];
	return NULL;
}

int doctor_snapshot_uses(const struct doctor_snapshot *snapshot, const char *provider)
{
	size_t i;

	for (i = 0; i < snapshot->n_clusters; i++)
		if (souk_streq(snapshot->clusters[i].provider, provider))
			return 1;
	for (i = 0; i < snapshot->n_intents; i++)
		if (souk_streq(snapshot->intents[i].provider, provider))
			return 1;
	return 0;
}

/* ---- The public face ---- */

int souk_doctor_look(struct souk *souk, const struct souk_doctor_options *options,
		     struct souk_doctor **doctor_out, struct souk_error *err)
{
	struct souk_doctor *doctor;
	size_t i;
	int ret;

	for (i = 0; i < options->n; i++)
		if (!souk_modules_get(&souk->registry.modules, options->names[i]))
			return souk_registry_missing(&souk->registry, options->names[i], err);
	doctor = calloc(1, sizeof(*doctor));
	if (!doctor)
		return souk_error_nomem(err);
	doctor->souk = souk;
	doctor->options = options;
	ret = doctor_look_at_store(doctor, err);
	if (ret == SOUK_OK)
		ret = doctor_look_at_host(doctor, err);
	if (ret == SOUK_OK)
		ret = doctor_look_at_clouds(doctor, err);
	doctor->options = NULL;
	if (ret < 0) {
		souk_doctor_free(doctor);
		return ret;
	}
	*doctor_out = doctor;
	return SOUK_OK;
}

void souk_doctor_free(struct souk_doctor *doctor)
{
	if (!doctor)
		return;
	souk_strv_fini(&doctor->texts);
	free(doctor->items);
	free(doctor);
}

size_t souk_doctor_count(const struct souk_doctor *doctor)
{
	return doctor->n;
}

const struct souk_finding_row *souk_doctor_row(const struct souk_doctor *doctor, size_t i)
{
	return i < doctor->n ? &doctor->items[i].row : NULL;
}

int souk_doctor_end(struct souk_doctor *doctor, size_t i, const struct souk_callbacks *callbacks,
		    struct souk_error *err)
{
	const struct doctor_finding *item = i < doctor->n ? &doctor->items[i] : NULL;
	const struct souk_fleet_ops *ops;
	struct souk_instance_ref ref;
	int is_ours, ret;

	if (!item || !item->row.can_end)
		return souk_error_set(err, SOUK_E_INVALID, "nothing that can be torn down");
	ret = souk_need_fleet(doctor->souk, &ops, err);
	if (ret < 0)
		return ret;
	/* The tags of another tool are not ours: its name of a cluster is none of the store's. */
	is_ours = souk_streq(item->row.tool, "souk");
	ref = (struct souk_instance_ref){
		.struct_size = sizeof(ref),
		.id = item->row.id,
		.region = item->row.region,
		.zone = item->row.zone,
		.cluster = is_ours ? item->row.cluster : NULL,
		.request_token = is_ours ? item->token : NULL,
	};
	if (strcmp(item->row.kind, "leftover") == 0)
		return ops->end_leftover(&doctor->souk->fleet, item->row.provider, &ref,
					 item->row.owner, err);
	return ops->end_orphan(&doctor->souk->fleet, item->row.provider, &ref,
			       is_ours ? item->row.owner : NULL, callbacks, err);
}
