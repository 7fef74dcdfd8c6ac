/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/rent.c - machines for the tests: made, found again, and ended */
#include <stdio.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

/* A cloud may show late what was made, and end slowly what was ended. */
enum { LOOKS = 40, LOOK_MS = 250 };

static const char ssh_key[] =
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDcQtTYNNlxZWrJtWBVAhsHQSWWeRkk9BGVgiVFrNmcY souk-conformance";

void conform_names(struct conform *t, struct conform_names *names)
{
	unsigned number;

	pthread_mutex_lock(&t->lock);
	number = ++t->shared->tokens;
	pthread_mutex_unlock(&t->lock);
	snprintf(names->token, sizeof(names->token), "%s-%u", t->owner, number);
	snprintf(names->cluster, sizeof(names->cluster), "c%u-%s", number, t->owner);
}

static void take_pick(struct souk_instance_spec *spec, const struct conform_pick *pick)
{
	spec->instance_type = pick->type;
	spec->region = pick->region;
	spec->zone = pick->zone[0] ? pick->zone : NULL;
	spec->arch = pick->arch[0] ? pick->arch : NULL;
	spec->accelerator = pick->accelerator[0] ? pick->accelerator : NULL;
	spec->accelerator_milli = pick->accelerator_milli;
	spec->vcpus_milli = pick->vcpus_milli;
	spec->memory_mib = pick->memory_mib;
}

struct souk_instance_spec conform_spec(struct conform *t, const struct conform_names *names,
				       uint32_t count)
{
	const struct conform_shared *shared = t->shared;
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = count,
		.request_token = names->token,
		.cluster = names->cluster,
		.owner = t->owner,
		.ssh_public_key = ssh_key,
	};

	take_pick(&spec, &shared->picks[shared->good_pick >= 0 ? shared->good_pick : 0]);
	if (shared->host_key_private[0]) {
		spec.host_key_private = shared->host_key_private;
		spec.host_key_public = shared->host_key_public;
	}
	return spec;
}

int conform_provision(struct conform *t, struct conform_self *self,
		      const struct souk_instance_spec *spec, struct souk_instance_list *out,
		      struct conform_op *op)
{
	conform_begin(t, self, "provision", op);
	conform_end(t, op, t->ops->provision(self->self, &op->call, spec, out, &op->err));
	conform_check_instances(t, "provision", spec->region, out);
	return op->ret;
}

static int is_elsewhere(int code)
{
	return code == SOUK_E_CAPACITY || code == SOUK_E_QUOTA || code == SOUK_E_UNSUPPORTED;
}

int conform_rent(struct conform *t, const struct conform_names *names, uint32_t count,
		 struct souk_instance_list *out)
{
	struct conform_shared *shared = t->shared;
	struct souk_instance_spec spec = conform_spec(t, names, count);
	char words[CONFORM_TEXT];
	struct conform_op op;
	int i, ret;

	if (shared->n_picks == 0)
		return conform_skip(t, "there is no offer to rent");
	ret = conform_provision(t, &t->main, &spec, out, &op);
	for (i = 0; is_elsewhere(ret) && out->n == 0 && shared->good_pick < 0 && i < shared->n_picks; i++) {
		take_pick(&spec, &shared->picks[i]);
		ret = conform_provision(t, &t->main, &spec, out, &op);
		if (ret == SOUK_OK)
			shared->good_pick = i;
	}
	if (ret == SOUK_OK && shared->good_pick < 0)
		shared->good_pick = 0;
	if (ret == SOUK_OK)
		return 0;
	if (is_elsewhere(ret))
		return conform_skip(t, "nothing could be rented: %s", conform_words(ret, &op.err, words));
	return conform_fail(t, "provision of '%s' failed: %s", spec.instance_type,
			    conform_words(ret, &op.err, words));
}

/* ---- Looking ---- */

int conform_is_over(const struct souk_instance *instance)
{
	return instance->status == SOUK_INSTANCE_TERMINATED;
}

int conform_has_id(const struct souk_instance_list *list, const char *id)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->items[i].id, id) == 0)
			return 1;
	return 0;
}

struct souk_instance_ref conform_ref(const struct souk_instance *instance)
{
	const struct souk_instance_ref ref = {
		.struct_size = sizeof(ref),
		.id = instance->id,
		.region = instance->region,
		.zone = instance->zone,
		.cluster = instance->cluster,
		.request_token = instance->request_token,
	};

	return ref;
}

int conform_list(struct conform *t, const struct souk_instance_filter *filter,
		 struct souk_instance_list *out)
{
	struct souk_instance_list all = { 0 };
	char words[CONFORM_TEXT];
	struct conform_op op;
	size_t i;
	int ret;

	ret = CONFORM_CALL(t, &t->main, &op, list_instances, filter, &all);
	conform_check_instances(t, "list_instances", filter->region, &all);
	if (ret < 0)
		conform_fail(t, "list_instances failed: %s", conform_words(ret, &op.err, words));
	for (i = 0; i < all.n && ret == SOUK_OK; i++)
		if (!conform_is_over(&all.items[i]))
			ret = souk_instances_add(out, &all.items[i], &op.err);
	souk_instance_list_fini(&all);
	return ret < 0 ? -1 : 0;
}

int conform_find(struct conform *t, const char *token, size_t want, struct souk_instance_list *out)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner, .request_token = token,
	};
	int i;

	for (i = 0; i < LOOKS; i++) {
		souk_instance_list_fini(out);
		if (conform_list(t, &filter, out) < 0)
			return -1;
		if (out->n >= want || (t->ops->features & SOUK_FEATURE_CONSISTENT))
			break;
		if (souk_cancel_wait(NULL, LOOK_MS, NULL) < 0)
			break;
	}
	return 0;
}

/* ---- Ending ---- */

static int end_one(struct conform *t, const struct souk_instance *instance)
{
	const struct souk_instance_ref ref = conform_ref(instance);
	struct souk_instance_list seen = { 0 };
	char words[CONFORM_TEXT];
	struct conform_op op;
	int i, over = 0;

	for (i = 0; i < LOOKS && !over; i++) {
		if (CONFORM_CALL(t, &t->main, &op, teardown, &ref, 1) < 0)
			return conform_fail(t, "teardown failed: %s", conform_words(op.ret, &op.err, words));
		if (CONFORM_CALL(t, &t->main, &op, describe, &ref, 1, &seen) < 0) {
			souk_instance_list_fini(&seen);
			return conform_fail(t, "describe failed: %s", conform_words(op.ret, &op.err, words));
		}
		conform_check_instances(t, "describe", ref.region, &seen);
		over = seen.n == 0 || conform_is_over(&seen.items[0]);
		souk_instance_list_fini(&seen);
		if (!over && i > 0)
			souk_cancel_wait(NULL, LOOK_MS, NULL);
	}
	return over ? 0 : conform_fail(t, "'%s' is still there after %d calls of teardown", ref.id, LOOKS);
}

static int sweep(struct conform *t, const struct conform_names *names, const char *region)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner, .cluster = names->cluster,
		.region = region,
	};
	char words[CONFORM_TEXT];
	struct conform_op op;

	if (!t->ops->sweep || CONFORM_CALL(t, &t->main, &op, sweep, &filter) == SOUK_OK)
		return 0;
	return conform_fail(t, "sweep failed: %s", conform_words(op.ret, &op.err, words));
}

int conform_end_token(struct conform *t, const struct conform_names *names, const char *region,
		      const struct souk_instance_list *known)
{
	struct souk_instance_list found = { 0 };
	size_t i;
	int ret = 0;

	watch_arm(WATCH_NONE, 0);
	for (i = 0; known && i < known->n; i++)
		ret |= end_one(t, &known->items[i]);
	if (t->ops->list_instances) {
		ret |= conform_find(t, names->token, 0, &found);
		for (i = 0; i < found.n; i++)
			ret |= end_one(t, &found.items[i]);
	}
	souk_instance_list_fini(&found);
	return ret | sweep(t, names, region);
}

int conform_clear(struct conform *t)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner,
	};
	struct souk_instance_list left = { 0 };
	char id[128] = "";
	size_t i, n;
	int ret;

	if (!t->ops->list_instances)
		return conform_skip(t, "the module has no list_instances to look with");
	ret = conform_list(t, &filter, &left);
	for (i = 0; i < left.n; i++) {
		struct conform_names names = { 0 };

		if (!id[0])
			snprintf(id, sizeof(id), "%s", left.items[i].id);
		if (left.items[i].cluster)
			snprintf(names.cluster, sizeof(names.cluster), "%s", left.items[i].cluster);
		ret |= end_one(t, &left.items[i]);
		if (names.cluster[0])
			ret |= sweep(t, &names, left.items[i].region);
	}
	n = left.n;
	souk_instance_list_fini(&left);
	if (ret == 0 && n > 0)
		return conform_fail(t, "%zu machines were left by the tests before, such as '%s'; they are "
				       "torn down now", n, id);
	return ret ? -1 : 0;
}
