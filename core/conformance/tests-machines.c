/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/tests-machines.c - the life of a machine: one token, tags, stop, start, the end */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cancel.h"
#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

enum { WAITS = 600, WAIT_MS = 100 };

/* The test's own verdict, after the machines were ended whatever it was. */
static int finish(struct conform *t, const struct conform_names *names, int ret,
		  struct souk_instance_list *list)
{
	const char *region = list->n ? list->items[0].region :
				       conform_spec(t, names, 1).region;
	int ended = conform_end_token(t, names, region, list);

	souk_instance_list_fini(list);
	return ret < 0 ? ret : ended;
}

static int judge_tags(struct conform *t, const struct conform_names *names, const char *where,
		      const struct souk_instance *item)
{
	if (!souk_streq(item->cluster, names->cluster))
		return conform_fail(t, "%s: '%s' has the cluster '%s', not '%s'", where, item->id,
				    item->cluster ? item->cluster : "", names->cluster);
	if (!souk_streq(item->request_token, names->token))
		return conform_fail(t, "%s: '%s' has the request token '%s', not '%s'", where, item->id,
				    item->request_token ? item->request_token : "", names->token);
	if (!souk_streq(item->owner, t->owner))
		return conform_fail(t, "%s: '%s' has the owner '%s', not '%s'", where, item->id,
				    item->owner ? item->owner : "", t->owner);
	return 0;
}

/* ---- Provision ---- */

static int provision_makes(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct conform_names names;
	int ret;

	conform_names(t, &names);
	watch_arm(WATCH_NONE, 0);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n != 1)
		ret = conform_fail(t, "asked for one machine, told of %zu", list.n);
	if (ret == 0)
		ret = judge_tags(t, &names, "provision", &list.items[0]);
	if (ret == 0 && watch_requests() > 0 && watch_mutations() == 0)
		ret = conform_fail(t, "a machine was made, and no request was marked SOUK_HTTP_MUTATES");
	if (ret == 0 && (t->ops->features & SOUK_FEATURE_HOST_KEY) && t->shared->host_key_public[0] &&
	    (!list.items[0].host_key ||
	     strncmp(list.items[0].host_key, t->shared->host_key_public,
		     strcspn(list.items[0].host_key, "\n")) != 0))
		ret = conform_fail(t, "it has SOUK_FEATURE_HOST_KEY and does not tell of the host key");
	return finish(t, &names, ret, &list);
}

static int describe_runs(struct conform *t)
{
	struct souk_instance_list list = { 0 }, seen = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret, i, runs = 0;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	for (i = 0; ret == 0 && !runs && list.n > 0 && i < WAITS; i++) {
		ref = conform_ref(&list.items[0]);
		if (CONFORM_CALL(t, &t->main, &op, describe, &ref, 1, &seen) < 0)
			ret = conform_fail(t, "describe failed: %s", conform_words(op.ret, &op.err, words));
		conform_check_instances(t, "describe", ref.region, &seen);
		if (ret == 0 && seen.n == 1) {
			runs = seen.items[0].status == SOUK_INSTANCE_RUNNING;
			ret = strcmp(seen.items[0].id, ref.id) != 0 ?
				      conform_fail(t, "asked for '%s', told of '%s'", ref.id, seen.items[0].id) :
				      judge_tags(t, &names, "describe", &seen.items[0]);
			if (ret == 0 && runs && !seen.items[0].public_address)
				runs = 0; /* not yet */
		} else if (ret == 0 && seen.n > 1) {
			ret = conform_fail(t, "asked for one machine, told of %zu", seen.n);
		}
		souk_instance_list_fini(&seen);
		if (ret == 0 && !runs)
			souk_cancel_wait(NULL, WAIT_MS, NULL);
	}
	if (ret == 0 && !runs)
		ret = conform_fail(t, "after %d s the machine does not run with an address",
				   WAITS * WAIT_MS / 1000);
	return finish(t, &names, ret, &list);
}

/* The machines of two calls with one token are one set, and the cloud has no more of them. */
static int judge_set(struct conform *t, const struct conform_names *names, size_t count,
		     const struct souk_instance_list *a, const struct souk_instance_list *b)
{
	struct souk_instance_list found = { 0 };
	size_t i;
	int ret = 0;

	for (i = 0; i < b->n && ret == 0; i++)
		if (!conform_has_id(a, b->items[i].id))
			ret = conform_fail(t, "one token made '%s' and then '%s'",
					   a->n ? a->items[0].id : "", b->items[i].id);
	if (ret == 0 && a->n != b->n)
		ret = conform_fail(t, "one token told of %zu machines, and then of %zu", a->n, b->n);
	if (ret == 0 && t->ops->list_instances)
		ret = conform_find(t, names->token, count, &found);
	if (ret == 0 && t->ops->list_instances && found.n != count)
		ret = conform_fail(t, "one token for %zu machines, and list_instances finds %zu", count,
				   found.n);
	souk_instance_list_fini(&found);
	return ret;
}

static int provision_again(struct conform *t)
{
	struct souk_instance_list first = { 0 }, second = { 0 };
	struct conform_names names;
	int ret;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &first);
	if (ret == 0)
		ret = conform_rent(t, &names, 1, &second);
	if (ret == 0)
		ret = judge_set(t, &names, 1, &first, &second);
	ret |= conform_end_token(t, &names, conform_spec(t, &names, 1).region, &second);
	souk_instance_list_fini(&second);
	return finish(t, &names, ret, &first);
}

struct racer {
	struct conform *t;
	struct conform_self *self;
	const struct conform_names *names;
	struct souk_instance_list list;
	struct conform_op op;
	int ret;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct souk_instance_spec spec = conform_spec(racer->t, racer->names, 1);

	racer->ret = conform_provision(racer->t, racer->self, &spec, &racer->list, &racer->op);
	return NULL;
}

/* A second call may find the first under way: CONFLICT and TRANSIENT are asked again, once. */
static int race_verdict(struct conform *t, struct racer *racers)
{
	char words[CONFORM_TEXT];
	int i;

	for (i = 0; i < 2; i++) {
		if (racers[i].ret == SOUK_E_CONFLICT || racers[i].ret == SOUK_E_TRANSIENT)
			race(&racers[i]);
		if (racers[i].ret < 0)
			return conform_fail(t, "of two calls at once with one token, one failed: %s",
					    conform_words(racers[i].ret, &racers[i].op.err, words));
	}
	return judge_set(t, racers[0].names, 1, &racers[0].list, &racers[1].list);
}

static int provision_at_once(struct conform *t)
{
	struct racer racers[2];
	struct conform_self other;
	struct conform_names names, warm;
	struct souk_instance_list list = { 0 };
	pthread_t thread;
	int ret;

	conform_names(t, &warm);
	ret = conform_rent(t, &warm, 1, &list);
	ret = finish(t, &warm, ret, &list);
	if (ret < 0 || conform_open(t, &other) < 0)
		return -1;
	conform_names(t, &names);
	racers[0] = (struct racer){ .t = t, .self = &t->main, .names = &names };
	racers[1] = (struct racer){ .t = t, .self = &other, .names = &names };
	if (pthread_create(&thread, NULL, race, &racers[1]) != 0) {
		conform_close(t, &other);
		return conform_skip(t, "no thread could be started");
	}
	race(&racers[0]);
	pthread_join(thread, NULL);
	ret = race_verdict(t, racers);
	ret |= conform_end_token(t, &names, conform_spec(t, &names, 1).region, &racers[1].list);
	souk_instance_list_fini(&racers[1].list);
	conform_close(t, &other);
	return finish(t, &names, ret, &racers[0].list);
}

static int provision_count(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct conform_names names;
	int ret;
	size_t i;

	if (!(t->ops->features & SOUK_FEATURE_MULTI_NODE))
		return conform_skip(t, "it has no SOUK_FEATURE_MULTI_NODE");
	conform_names(t, &names);
	ret = conform_rent(t, &names, 3, &list);
	if (ret == 0 && list.n != 3)
		ret = conform_fail(t, "asked for 3 machines, told of %zu", list.n);
	for (i = 0; i < list.n && ret == 0; i++) {
		ret = judge_tags(t, &names, "provision", &list.items[i]);
		if (ret == 0 && !souk_streq(list.items[i].zone, list.items[0].zone))
			ret = conform_fail(t, "the machines of one call are in '%s' and in '%s'",
					   list.items[0].zone ? list.items[0].zone : "",
					   list.items[i].zone ? list.items[i].zone : "");
	}
	return finish(t, &names, ret, &list);
}

static int provision_unknown(struct conform *t)
{
	struct souk_instance_list list = { 0 }, found = { 0 };
	struct souk_instance_spec spec;
	struct conform_names names;
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret = 0;

	if (t->shared->n_picks == 0)
		return conform_skip(t, "there is no offer that names a region");
	conform_names(t, &names);
	spec = conform_spec(t, &names, 1);
	spec.instance_type = "no-such.type";
	conform_provision(t, &t->main, &spec, &list, &op);
	if (op.ret == SOUK_OK)
		ret = conform_fail(t, "a machine of the type 'no-such.type' could be rented");
	else if (op.ret == SOUK_E_TRANSIENT || op.ret == SOUK_E_RATE_LIMIT || op.ret == SOUK_E_AUTH ||
		 op.ret == SOUK_E_TIMEOUT || op.ret == SOUK_E_INTERNAL)
		ret = conform_fail(t, "the type 'no-such.type' gives %s",
				   conform_words(op.ret, &op.err, words));
	else if (op.err.scope == SOUK_SCOPE_PROVIDER && op.ret != SOUK_E_QUOTA)
		ret = conform_fail(t, "the type 'no-such.type' fails with the scope provider: souk would "
				      "give up the whole cloud");
	if (ret == 0 && t->ops->list_instances)
		ret = conform_find(t, names.token, 0, &found);
	if (ret == 0 && found.n > list.n)
		ret = conform_fail(t, "provision failed and left '%s', which it did not tell of",
				   found.items[0].id);
	souk_instance_list_fini(&found);
	return finish(t, &names, ret, &list);
}

/* ---- Tags ---- */

static int tags_found(struct conform *t)
{
	struct souk_instance_filter filters[5];
	struct souk_instance_list list = { 0 }, found = { 0 };
	static const char *const by[] = { "owner", "cluster", "request_token", "region", "all of them" };
	struct conform_names names;
	size_t i;
	int ret;

	if (!t->ops->list_instances)
		return conform_skip(t, "it has no list_instances");
	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0)
		ret = conform_find(t, names.token, 1, &found);
	for (i = 0; i < SOUK_ARRAY_SIZE(filters) && ret == 0 && list.n > 0; i++) {
		filters[i] = (struct souk_instance_filter){
			.struct_size = sizeof(filters[i]),
			.owner = i == 0 || i >= 3 ? t->owner : NULL,
			.cluster = i == 1 || i == 4 ? names.cluster : NULL,
			.request_token = i == 2 || i == 4 ? names.token : NULL,
			.region = i >= 3 ? list.items[0].region : NULL,
		};
		souk_instance_list_fini(&found);
		ret = conform_list(t, &filters[i], &found);
		if (ret == 0 && !conform_has_id(&found, list.items[0].id))
			ret = conform_fail(t, "list_instances by %s does not find '%s'", by[i],
					   list.items[0].id);
		if (ret == 0 && i != 0 && i != 3 && found.n != 1)
			ret = conform_fail(t, "list_instances by %s finds %zu machines, not one", by[i],
					   found.n);
		if (ret == 0 && (i == 1 || i == 2 || i == 4))
			ret = judge_tags(t, &names, "list_instances", &found.items[0]);
	}
	souk_instance_list_fini(&found);
	return finish(t, &names, ret, &list);
}

static int tags_others(struct conform *t)
{
	struct souk_instance_list list = { 0 }, found = { 0 };
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
	struct conform_names names, other;
	int ret, i;

	if (!t->ops->list_instances)
		return conform_skip(t, "it has no list_instances");
	conform_names(t, &names);
	conform_names(t, &other);
	ret = conform_rent(t, &names, 1, &list);
	for (i = 0; i < 3 && ret == 0; i++) {
		filter.owner = i == 0 ? other.cluster : NULL;
		filter.cluster = i == 1 ? other.cluster : NULL;
		filter.request_token = i == 2 ? other.token : NULL;
		ret = conform_list(t, &filter, &found);
		if (ret == 0 && list.n > 0 && conform_has_id(&found, list.items[0].id))
			ret = conform_fail(t, "list_instances by another %s finds '%s' all the same",
					   i == 0 ? "owner" : i == 1 ? "cluster" : "request_token",
					   list.items[0].id);
		souk_instance_list_fini(&found);
	}
	return finish(t, &names, ret, &list);
}

/* ---- The end ---- */

/* An id of the cloud's own form that no machine has. */
static void unknown_id(const char *id, char *text, size_t size)
{
	size_t i, len;

	snprintf(text, size, "%s", id);
	len = strlen(text);
	for (i = len > 6 ? len - 6 : 0; i < len; i++)
		if (strchr("0123456789", text[i]))
			text[i] = (char)('0' + (text[i] - '0' + 3) % 10);
		else if (strchr("abcdef", text[i]))
			text[i] = (char)('a' + (text[i] - 'a' + 3) % 6);
}

static int unknown_is_none(struct conform *t)
{
	struct souk_instance_list list = { 0 }, seen = { 0 };
	struct souk_instance_ref refs[2];
	struct conform_names names;
	char id[512], words[CONFORM_TEXT];
	struct conform_op op;
	int ret, i;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n > 0) {
		refs[1] = refs[0] = conform_ref(&list.items[0]);
		unknown_id(refs[0].id, id, sizeof(id));
		refs[1].id = id;
		refs[1].request_token = NULL;
		for (i = 0; ret == 0 && i < 2; i++) {
			if (CONFORM_CALL(t, &t->main, &op, describe, &refs[1 - i], 1 + (uint32_t)i, &seen) < 0)
				ret = conform_fail(t, "describe of the unknown '%s'%s failed: %s", id,
						   i ? " beside a machine" : "",
						   conform_words(op.ret, &op.err, words));
			else if (conform_has_id(&seen, id))
				ret = conform_fail(t, "describe tells of the unknown '%s'", id);
			else if (seen.n > (size_t)i)
				ret = conform_fail(t, "asked for '%s', which is unknown, describe tells of '%s'",
						   id, seen.items[0].id);
			souk_instance_list_fini(&seen);
		}
		if (ret == 0 && CONFORM_CALL(t, &t->main, &op, teardown, &refs[1], 1) < 0)
			ret = conform_fail(t, "teardown of '%s', which never was, failed: %s", id,
					   conform_words(op.ret, &op.err, words));
	}
	return finish(t, &names, ret, &list);
}

static int teardown_twice(struct conform *t)
{
	struct souk_instance_list list = { 0 }, found = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret, i;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret < 0 || list.n == 0)
		return finish(t, &names, ret, &list);
	ref = conform_ref(&list.items[0]);
	for (i = 0; i < 2 && ret == 0; i++)
		if (CONFORM_CALL(t, &t->main, &op, teardown, &ref, 1) < 0)
			ret = conform_fail(t, "the %s teardown failed: %s", i ? "second" : "first",
					   conform_words(op.ret, &op.err, words));
	if (ret == 0)
		ret = conform_end_token(t, &names, ref.region, &list);
	if (ret == 0 && CONFORM_CALL(t, &t->main, &op, teardown, &ref, 1) < 0)
		ret = conform_fail(t, "teardown of what is gone failed: %s",
				   conform_words(op.ret, &op.err, words));
	if (ret == 0 && t->ops->list_instances)
		ret = conform_find(t, names.token, 0, &found);
	if (ret == 0 && found.n > 0)
		ret = conform_fail(t, "'%s' is listed after its end", found.items[0].id);
	souk_instance_list_fini(&found);
	return finish(t, &names, ret, &list);
}

/* ---- Running machines ---- */

/* Wait until describe gives the status. 0, or -1 after a finding. */
static int wait_for(struct conform *t, const struct souk_instance_ref *ref, int32_t status)
{
	struct souk_instance_list seen = { 0 };
	char words[CONFORM_TEXT];
	struct conform_op op;
	int i, now = -1;

	for (i = 0; i < WAITS && now != status; i++) {
		if (CONFORM_CALL(t, &t->main, &op, describe, ref, 1, &seen) < 0)
			return conform_fail(t, "describe failed: %s", conform_words(op.ret, &op.err, words));
		now = seen.n ? seen.items[0].status : -1;
		souk_instance_list_fini(&seen);
		if (now != status)
			souk_cancel_wait(NULL, WAIT_MS, NULL);
	}
	if (now == status)
		return 0;
	return conform_fail(t, "after %d s the machine has the status %d, not %d", WAITS * WAIT_MS / 1000,
			    now, (int)status);
}

static int switch_twice(struct conform *t, const struct souk_instance_ref *ref, int on)
{
	char words[CONFORM_TEXT];
	struct conform_op op;
	int i, ret;

	for (i = 0; i < 2; i++) {
		ret = on ? CONFORM_CALL(t, &t->main, &op, start, ref, 1)
			 : CONFORM_CALL(t, &t->main, &op, stop, ref, 1);
		if (ret == SOUK_E_UNSUPPORTED && i == 0)
			return conform_skip(t, "this machine cannot be stopped: %s", op.err.message);
		if (ret < 0)
			return conform_fail(t, "the %s %s failed: %s", i ? "second" : "first", op.name,
					    conform_words(ret, &op.err, words));
		if (wait_for(t, ref, on ? SOUK_INSTANCE_RUNNING : SOUK_INSTANCE_STOPPED) < 0)
			return -1;
	}
	return 0;
}

static int stop_start(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	int ret;

	if (!t->ops->stop || !t->ops->start)
		return conform_skip(t, "it has no stop and start");
	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n > 0) {
		ref = conform_ref(&list.items[0]);
		ret = wait_for(t, &ref, SOUK_INSTANCE_RUNNING);
		if (ret == 0)
			ret = switch_twice(t, &ref, 0);
		if (ret == 0)
			ret = switch_twice(t, &ref, 1);
	}
	return finish(t, &names, ret, &list);
}

static int open_ports(struct conform *t)
{
	const struct souk_port_range ports[] = { { 8080, 8080 }, { 9000, 9010 } };
	struct souk_instance_list list = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret, i;

	if (!t->ops->open_ports)
		return conform_skip(t, "it has no open_ports");
	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n > 0) {
		ref = conform_ref(&list.items[0]);
		ret = wait_for(t, &ref, SOUK_INSTANCE_RUNNING);
		for (i = 0; i < 2 && ret == 0; i++)
			if (CONFORM_CALL(t, &t->main, &op, open_ports, &ref, 1, ports, 2) < 0)
				ret = conform_fail(t, "the %s open_ports failed: %s",
						   i ? "second" : "first",
						   conform_words(op.ret, &op.err, words));
	}
	return finish(t, &names, ret, &list);
}

const struct conform_test conform_tests_machines[] = {
	{ "provision.makes", "provision makes a machine with our tags",
	  "tag with cluster, owner and token; mark requests that create with SOUK_HTTP_MUTATES",
	  CONFORM_MACHINES, provision_makes },
	{ "provision.again", "one token makes one machine, also when asked again",
	  "use the cloud's idempotency key, a name made of the token, or look for the token first",
	  CONFORM_MACHINES, provision_again },
	{ "provision.at-once", "one token makes one machine, also when asked twice at once",
	  "let the cloud decide which was first; two processes share no lock", CONFORM_MACHINES,
	  provision_at_once },
	{ "provision.count", "several machines come all at once, in one zone",
	  "ask for all in one request, or give back what came", CONFORM_MACHINES, provision_count },
	{ "provision.unknown", "an unknown instance type is refused, and leaves nothing",
	  "INVALID, NOT_FOUND or UNSUPPORTED, with the scope offer or region", CONFORM_MACHINES,
	  provision_unknown },
	{ "describe.runs", "describe follows the machine until it runs",
	  "see struct souk_instance: status, tags, public_address", CONFORM_MACHINES, describe_runs },
	{ "tags.found", "list_instances finds a machine by each tag",
	  "store owner, cluster and token with the machine in the request that makes it", CONFORM_MACHINES,
	  tags_found },
	{ "tags.others", "list_instances leaves out the machines of others",
	  "each member of the filter that is not NULL restricts", CONFORM_MACHINES, tags_others },
	{ "describe.unknown", "what is unknown is left out, and its teardown succeeds",
	  "not found is no error of describe and teardown", CONFORM_MACHINES, unknown_is_none },
	{ "teardown.twice", "teardown can be called again, also of what is gone",
	  "what is gone is torn down already", CONFORM_MACHINES, teardown_twice },
	{ "stop.start", "stop and start, each twice", "stopping what is stopped succeeds", CONFORM_MACHINES,
	  stop_start },
	{ "ports.twice", "open_ports can be called again", "opening what is open succeeds",
	  CONFORM_MACHINES, open_ports },
	{ NULL, NULL, NULL, 0, NULL },
};
