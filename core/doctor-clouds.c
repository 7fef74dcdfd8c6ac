/* SPDX-License-Identifier: Apache-2.0 */
/* doctor-clouds.c - what the accounts have, held against what the store knows */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"
#include "doctor-internal.h"
#include "plan.h"
#include "provider/signs.h"

enum {
	LIST_TIMEOUT_MS = 300000,
	NEW_FOR_S = 120, /* for so long a cloud may not show what it has made */
	SKEW_MAX_S = 60
};

/* ---- Other tools ---- */

/* What another tool tags its machines with: its cluster's name, and who made it. The first that
 * fits is it: SkyPilot's machines carry Ray's tags as well. */
static const struct {
	const char *tool;
	const char *cluster_key;
	const char *owner_key;
} tools[] = {
	{ "SkyPilot", "skypilot-cluster-name", "skypilot-user" },
	{ "SkyPilot", "skypilot-head-node", "skypilot-user" },
	{ "dstack", "dstack_name", "dstack_user" },
	{ "dstack", "dstack_project", "dstack_user" },
	{ "Ray", "ray-cluster-name", NULL },
	{ "Ray", "ray-node-type", NULL },
};

static const char *const tool_keys[] = {
	"skypilot-cluster-name", "skypilot-head-node", "skypilot-user", "ray-cluster-name",
	"ray-node-type", "dstack_name", "dstack_project", "dstack_user", NULL,
};

static const char *tag_of(const struct souk_instance *instance, const char *key)
{
	uint32_t i;

	for (i = 0; key && i < instance->n_tags; i++)
		if (strcmp(instance->tags[i].key, key) == 0)
			return instance->tags[i].value;
	return NULL;
}

static int is_souks(const struct souk_instance *instance)
{
	return instance->request_token || instance->owner || instance->cluster;
}

/* ---- One account ---- */

struct account {
	struct souk_doctor *doctor;
	struct souk_provider *provider;
	const char *name;
	const struct doctor_snapshot *before; /* of the store, before the cloud was asked */
	const struct doctor_snapshot *after;
	struct souk_instance_list list;
};

static const char *status_name(int32_t status)
{
	static const char *const names[] = {
		"PENDING", "RUNNING", "STOPPING", "STOPPED", "TERMINATING", "TERMINATED", "FAILED",
	};

	return status >= 0 && (size_t)status < SOUK_ARRAY_SIZE(names) ? names[status] : "FAILED";
}

/* The cluster whose node it is; NULL: none. */
static const struct souk_store_cluster *cluster_of(const struct account *account, const char *id)
{
	const struct doctor_snapshot *snapshot = account->after;
	size_t i, j;

	for (i = 0; i < snapshot->n_clusters; i++)
		for (j = 0; j < snapshot->clusters[i].n_nodes; j++)
			if (strcmp(snapshot->clusters[i].nodes[j].id, id) == 0 &&
			    souk_streq(snapshot->clusters[i].provider, account->name))
				return &snapshot->clusters[i];
	return NULL;
}

static int has_intent(const struct account *account, const char *token, const char *cluster)
{
	size_t i;

	for (i = 0; i < account->after->n_intents; i++)
		if ((token && strcmp(account->after->intents[i].token, token) == 0) ||
		    (cluster && strcmp(account->after->intents[i].cluster, cluster) == 0))
			return 1;
	return 0;
}

/* What a machine like this is sold for; -1: not known, or it is not running. */
static int64_t price_of(const struct account *account, const struct souk_instance *instance,
			char currency[4])
{
	char infra[256];
	struct souk_offer_filter filter = {
		.infra = infra, .instance_type = instance->instance_type, .all_regions = 1,
		.spot = instance->spot != 0, .limit = 1,
	};
	const struct souk_offer_row *row;
	struct souk_offers *offers;
	int64_t micros = -1;

	if (!instance->instance_type || (instance->status != SOUK_INSTANCE_RUNNING &&
					 instance->status != SOUK_INSTANCE_PENDING))
		return -1;
	snprintf(infra, sizeof(infra), "%s/%s", account->name, instance->region);
	if (souk_offers_find(account->doctor->souk, &filter, &offers, NULL) < 0)
		return -1;
	row = souk_offers_row(offers, 0);
	if (row) {
		micros = instance->spot ? row->spot_micros_per_hour : row->micros_per_hour;
		snprintf(currency, 4, "%s", row->currency ? row->currency : "USD");
	}
	souk_offers_free(offers);
	return micros;
}

static int add_machine(const struct account *account, const struct souk_instance *instance,
		       struct souk_finding_row *row, struct souk_error *err)
{
	char currency[4] = "USD";

	row->provider = account->name;
	row->region = instance->region;
	row->zone = instance->zone;
	row->id = instance->id;
	row->what = instance->kind ? instance->kind : instance->instance_type;
	row->status = instance->kind ? NULL : status_name(instance->status);
	row->spot = instance->spot != 0;
	row->created_at = instance->created_at;
	if (row->micros_per_hour < 0 && !instance->kind)
		row->micros_per_hour = price_of(account, instance, currency);
	if (!row->currency)
		row->currency = currency;
	if (account->doctor->blind) {
		row->standing = "unclear";
		row->counts = row->can_end = 0;
	}
	return doctor_add(account->doctor, row, instance->request_token, err);
}

/* Whose it is among those of souk, if the store does not know it. Who is not told is not us. */
static void judge_owner(const struct account *account, const struct souk_instance *instance,
			struct souk_finding_row *row)
{
	int is_ours = souk_streq(instance->owner, account->doctor->souk->owner);

	row->standing = is_ours ? "orphan" : "other";
	row->counts = row->can_end = is_ours || account->doctor->options->others;
}

static int judge_machine(const struct account *account, const struct souk_instance *instance,
			 struct souk_error *err)
{
	const struct souk_store_cluster *cluster = cluster_of(account, instance->id);
	struct souk_finding_row row = {
		.kind = "machine", .tool = "souk", .cluster = instance->cluster,
		.owner = instance->owner, .micros_per_hour = -1,
	};
	size_t i;

	if (cluster) {
		row.standing = "known";
		row.cluster = cluster->name;
		if (instance->status == SOUK_INSTANCE_RUNNING) {
			row.micros_per_hour = cluster->micros_per_hour;
			row.currency = cluster->currency;
		}
		return add_machine(account, instance, &row, err);
	}
	/* What is on its way out needs no help. */
	if (instance->status == SOUK_INSTANCE_TERMINATED ||
	    instance->status == SOUK_INSTANCE_TERMINATING)
		return SOUK_OK;
	if (is_souks(instance)) {
		if (has_intent(account, instance->request_token, NULL))
			row.standing = "settling";
		else
			judge_owner(account, instance, &row);
		return add_machine(account, instance, &row, err);
	}
	for (i = 0; i < SOUK_ARRAY_SIZE(tools); i++) {
		row.cluster = tag_of(instance, tools[i].cluster_key);
		if (!row.cluster)
			continue;
		row.tool = tools[i].tool;
		row.owner = tag_of(instance, tools[i].owner_key);
		row.standing = "foreign";
		row.counts = 1;
		row.can_end = account->doctor->options->others;
		return add_machine(account, instance, &row, err);
	}
	return SOUK_OK;
}

/* Does a machine that is there use it, or will the store's own doings remove it? */
static int is_in_use(const struct account *account, const struct souk_instance *leftover)
{
	size_t i;

	if (doctor_snapshot_cluster(account->after, leftover->cluster) ||
	    has_intent(account, NULL, leftover->cluster))
		return 1;
	for (i = 0; i < account->list.n; i++) {
		const struct souk_instance *machine = &account->list.items[i];

		if (!machine->kind && machine->status != SOUK_INSTANCE_TERMINATED &&
		    souk_streq(machine->cluster, leftover->cluster) &&
		    souk_streq(machine->owner, leftover->owner) &&
		    souk_streq(machine->region, leftover->region))
			return 1;
	}
	return 0;
}

static int judge_leftover(const struct account *account, const struct souk_instance *leftover,
			  struct souk_error *err)
{
	struct souk_finding_row row = {
		.kind = "leftover", .tool = "souk", .cluster = leftover->cluster,
		.owner = leftover->owner, .micros_per_hour = -1,
	};

	if (is_in_use(account, leftover))
		return SOUK_OK;
	judge_owner(account, leftover, &row);
	return add_machine(account, leftover, &row, err);
}

static int is_listed(const struct account *account, const char *id)
{
	size_t i;

	for (i = 0; i < account->list.n; i++)
		if (strcmp(account->list.items[i].id, id) == 0 &&
		    account->list.items[i].status != SOUK_INSTANCE_TERMINATED)
			return 1;
	return 0;
}

/* Nodes that the store had before and after the cloud was asked, and that the cloud does not have. */
static int find_missing(const struct account *account, struct souk_error *err)
{
	const char *region = account->doctor->options->region;
	size_t i, j;
	int ret = SOUK_OK;

	for (i = 0; i < account->before->n_clusters; i++) {
		const struct souk_store_cluster *c = &account->before->clusters[i];

		for (j = 0; j < c->n_nodes && ret == SOUK_OK; j++) {
			const struct souk_store_node *node = &c->nodes[j];
			int is_new = souk_clock_wall_s() - c->launched_at < NEW_FOR_S &&
				     !souk_provider_has(account->provider, SOUK_FEATURE_CONSISTENT);
			struct souk_finding_row row = {
				.kind = "machine", .standing = is_new ? "settling" : "missing",
				.counts = !is_new, .provider = c->provider, .region = node->region,
				.zone = node->zone, .id = node->id, .what = c->instance_type,
				.cluster = c->name, .owner = c->owner, .tool = "souk",
				.spot = c->spot, .micros_per_hour = -1,
				.hint = "'souk status --refresh' settles it",
			};

			if (!souk_streq(c->provider, account->name) ||
			    (region && !souk_streq(node->region, region)) ||
			    is_listed(account, node->id) || !cluster_of(account, node->id))
				continue;
			ret = doctor_add(account->doctor, &row, NULL, err);
		}
	}
	return ret;
}

static int judge_clock(const struct account *account, struct souk_error *err)
{
	int known;
	int64_t skew_s = souk_provider_skew_s(account->provider, &known);
	char text[SOUK_TIME_TEXT_SIZE];

	if (!known)
		return SOUK_OK;
	if (skew_s >= -SKEW_MAX_S && skew_s <= SKEW_MAX_S)
		return doctor_check(account->doctor, "clock", "ok", account->name, NULL, err,
				    "the clock agrees with that of %s", account->name);
	return doctor_check(account->doctor, "clock", "problem", account->name,
			    "set the clock: clouds refuse requests that are some minutes off", err,
			    "the clock of this computer is %s %s that of %s",
			    souk_duration_text(skew_s < 0 ? -skew_s : skew_s, text),
			    skew_s < 0 ? "ahead of" : "behind", account->name);
}

/* The lists are compared in both directions. */
static int judge_all(const struct account *account, struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < account->list.n && ret == SOUK_OK; i++) {
		const struct souk_instance *instance = &account->list.items[i];

		ret = instance->kind ? judge_leftover(account, instance, err) :
				       judge_machine(account, instance, err);
	}
	if (ret == SOUK_OK && !account->doctor->blind)
		ret = find_missing(account, err);
	/* What shows at once what it has is no cloud, where others could have been. */
	if (ret == SOUK_OK && !souk_provider_has(account->provider, SOUK_FEATURE_TAG_KEYS) &&
	    !souk_provider_has(account->provider, SOUK_FEATURE_CONSISTENT))
		ret = doctor_check(account->doctor, "tools", "note", account->name, NULL, err,
				   "machines of other tools cannot be searched for there");
	return ret;
}

static int list_account(struct account *account, struct souk_error *err)
{
	struct souk_doctor *doctor = account->doctor;
	struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .region = doctor->options->region,
		.tag_keys = tool_keys, .besides = 1,
	};
	struct souk_call_limits limits = {
		.timeout_ms = LIST_TIMEOUT_MS, .cancel = &doctor->souk->cancel,
	};
	int ret;

	ret = souk_registry_get(&doctor->souk->registry, account->name, &account->provider, err);
	if (ret == SOUK_OK && souk_provider_ops(account->provider)->list_instances)
		ret = souk_provider_list_instances(account->provider, &limits, &filter, &account->list,
						   err);
	return ret;
}

/* Not asked, or not answered: worth a line, as nothing is known then. */
static int not_looked_at(struct souk_doctor *doctor, const char *name, const struct souk_error *why,
			 struct souk_error *err)
{
	return doctor_check(doctor, "account", "problem", name, why->hint[0] ? why->hint : NULL, err,
			    "cannot look into the account: %s", souk_error_without(why, name));
}

static int look_at_account(struct souk_doctor *doctor, const char *name,
			   const struct doctor_snapshot *before, struct souk_error *err)
{
	struct account account = { .doctor = doctor, .name = name, .before = before };
	const struct souk_callbacks *callbacks = doctor->options->callbacks;
	struct souk_error own = SOUK_ERROR_INIT;
	struct doctor_snapshot after = { 0 };
	struct souk_event event = { SOUK_EVENT_PROGRESS, name, "looking into the account" };
	int ret;

	if (callbacks && callbacks->event)
		callbacks->event(&event, callbacks->arg);
	ret = list_account(&account, &own);
	if (ret == SOUK_E_NOMEM || ret == SOUK_E_CANCELLED) {
		*err = own;
	} else if (ret < 0) {
		ret = not_looked_at(doctor, name, &own, err);
	} else if (!souk_provider_ops(account.provider)->list_instances) {
		ret = doctor_check(doctor, "account", "note", name, NULL, err,
				   "the provider cannot search for machines");
	} else {
		/* The store after the cloud: what is launched meanwhile is not taken for an orphan. */
		ret = doctor_snapshot_take(doctor, &after, err);
		account.after = &after;
		if (ret == SOUK_OK)
			ret = judge_all(&account, err);
	}
	if (ret == SOUK_OK && account.provider)
		ret = judge_clock(&account, err);
	doctor_snapshot_fini(&after);
	souk_instance_list_fini(&account.list);
	return ret;
}

/* ---- All accounts ---- */

/* Is it named, or may it take part and shows a sign of credentials, or has the store to do with it? */
static int wants(struct souk_doctor *doctor, struct souk_module *module,
		 const struct doctor_snapshot *store)
{
	const struct souk_doctor_options *options = doctor->options;
	const struct souk_module_facts *facts;
	size_t i;

	for (i = 0; i < options->n; i++)
		if (strcmp(options->names[i], module->name) == 0)
			return 1;
	if (options->n > 0 || !souk_registry_allows(&doctor->souk->registry, module->name))
		return 0;
	if (doctor_snapshot_uses(store, module->name) ||
	    souk_participant_is_explicit(doctor->souk, NULL, module->name))
		return 1;
	/* One that cannot be loaded is asked, so that it is told why. */
	return souk_module_facts(module, &facts, NULL) < 0 ||
	       souk_signs_look(facts, module->name, &doctor->souk->config) != SOUK_SIGN_MISSING;
}

static int check_uninstalled(struct souk_doctor *doctor, const struct doctor_snapshot *store,
			     struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < store->n_clusters && ret == SOUK_OK; i++)
		if (!souk_modules_get(&doctor->souk->registry.modules, store->clusters[i].provider))
			ret = doctor_check(doctor, "provider", "problem", store->clusters[i].provider,
					   "install it: its machines may be running", err,
					   "'%s' cannot be settled: no module for the provider '%s' is "
					   "installed", store->clusters[i].name,
					   store->clusters[i].provider);
	return ret;
}

int doctor_look_at_clouds(struct souk_doctor *doctor, struct souk_error *err)
{
	const struct souk_modules *modules = &doctor->souk->registry.modules;
	struct doctor_snapshot before;
	size_t i;
	int ret;

	ret = doctor_snapshot_take(doctor, &before, err);
	if (ret == SOUK_OK)
		ret = check_uninstalled(doctor, &before, err);
	for (i = 0; i < modules->n && ret == SOUK_OK; i++) {
		if (wants(doctor, modules->items[i], &before))
			ret = look_at_account(doctor, modules->items[i]->name, &before, err);
		else
			souk_log(SOUK_LOG_INFO, "%s: not looked at: no sign of credentials",
				 modules->items[i]->name);
	}
	doctor_snapshot_fini(&before);
	return ret;
}
