/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/tests-faults.c - cancelled, out of time, replies lost, answers that are errors */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

/* Host calls and requests into an op that a fault is tried at. */
enum { MAX_POINTS = 64 };

static int fresh_cancel(struct conform *t)
{
	souk_cancel_fini(&t->cancel);
	return souk_cancel_init(&t->cancel, NULL) < 0 ? conform_skip(t, "no pipe could be made") : 0;
}

/* ---- One call of an op, as a row of a table ---- */

struct subject {
	const char *name;
	int (*call)(struct conform *t, const struct souk_instance_ref *ref, struct conform_op *op);
};

static int call_list_offers(struct conform *t, const struct souk_instance_ref *ref,
			    struct conform_op *op)
{
	struct souk_offer_list list = { 0 };
	int ret = CONFORM_CALL(t, &t->main, op, list_offers, &list);

	(void)ref;
	souk_offer_list_fini(&list);
	return ret;
}

static int call_check(struct conform *t, const struct souk_instance_ref *ref, struct conform_op *op)
{
	struct souk_identity identity = { { 0 } };
	int ret;

	(void)ref;
	if (!t->ops->check)
		return SOUK_E_UNSUPPORTED;
	ret = CONFORM_CALL(t, &t->main, op, check, &identity);
	souk_identity_fini(&identity);
	return ret;
}

static int call_list_instances(struct conform *t, const struct souk_instance_ref *ref,
			       struct conform_op *op)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner,
	};
	struct souk_instance_list list = { 0 };
	int ret;

	(void)ref;
	if (!t->ops->list_instances)
		return SOUK_E_UNSUPPORTED;
	ret = CONFORM_CALL(t, &t->main, op, list_instances, &filter, &list);
	souk_instance_list_fini(&list);
	return ret;
}

static int call_describe(struct conform *t, const struct souk_instance_ref *ref, struct conform_op *op)
{
	struct souk_instance_list list = { 0 };
	int ret;

	if (!ref)
		return SOUK_E_UNSUPPORTED;
	ret = CONFORM_CALL(t, &t->main, op, describe, ref, 1, &list);
	souk_instance_list_fini(&list);
	return ret;
}

static int call_teardown(struct conform *t, const struct souk_instance_ref *ref, struct conform_op *op)
{
	if (!ref)
		return SOUK_E_UNSUPPORTED;
	return CONFORM_CALL(t, &t->main, op, teardown, ref, 1);
}

static const struct subject subjects[] = {
	{ "list_offers", call_list_offers },
	{ "check", call_check },
	{ "list_instances", call_list_instances },
	{ "describe", call_describe },
	{ "teardown", call_teardown },
};

/* ---- Cancelled ---- */

static int is_late(const struct conform *t, const struct conform_op *op)
{
	return op->late_ms > (int64_t)t->settings->grace_ms;
}

/* 1: the call reached the point and was judged; 0: it ended before; -1: a finding. */
static int judge_cancel(struct conform *t, const struct conform_op *op, int point)
{
	char words[CONFORM_TEXT];

	if (!watch_fired())
		return 0;
	if (is_late(t, op))
		return conform_fail(t, "%s, cancelled at host call %d, returned %lld ms later", op->name,
				    point, (long long)op->late_ms);
	if (op->ret != SOUK_OK && op->ret != SOUK_E_CANCELLED && op->ret != SOUK_E_TIMEOUT)
		return conform_fail(t, "%s, cancelled at host call %d, failed with %s", op->name, point,
				    conform_words(op->ret, &op->err, words));
	return 1;
}

static int cancel_op(struct conform *t, const struct subject *subject,
		     const struct souk_instance_ref *ref, enum watch_fault fault)
{
	struct conform_op op;
	int point, ret = 1;

	for (point = 1; ret == 1 && point <= MAX_POINTS; point++) {
		if (fresh_cancel(t) < 0)
			return -1;
		watch_arm(fault, point);
		op = (struct conform_op){ .name = subject->name };
		subject->call(t, ref, &op);
		ret = judge_cancel(t, &op, point);
	}
	watch_arm(WATCH_NONE, 0);
	return ret < 0 || fresh_cancel(t) < 0 ? -1 : 0;
}

static int cancel_questions(struct conform *t)
{
	size_t i;
	int ret = 0;

	for (i = 0; i < 3 && ret == 0; i++) {
		ret = cancel_op(t, &subjects[i], NULL, WATCH_CANCEL_BEFORE);
		if (ret == 0)
			ret = cancel_op(t, &subjects[i], NULL, WATCH_CANCEL_AFTER);
	}
	return ret;
}

static int cancel_machine(struct conform *t)
{
	static const enum watch_fault faults[] = { WATCH_CANCEL_BEFORE, WATCH_CANCEL_AFTER };
	struct souk_instance_list list = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	size_t i;
	int ret, ended;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n > 0) {
		ref = conform_ref(&list.items[0]);
		for (i = 0; i < 4 && ret == 0; i++)
			ret = cancel_op(t, &subjects[3 + i / 2], &ref, faults[i % 2]);
	}
	fresh_cancel(t);
	ended = conform_end_token(t, &names, conform_spec(t, &names, 1).region, &list);
	souk_instance_list_fini(&list);
	return ret < 0 ? ret : ended;
}

/* ---- Faults in the midst of provision ---- */

/* What a call left can be found, whatever became of it; and the same token does not add to it. */
static int judge_left(struct conform *t, const struct conform_names *names, uint32_t count,
		      const struct conform_op *op, const struct souk_instance_list *told)
{
	struct souk_instance_list found = { 0 };
	size_t i;
	int ret, unknown = op->ret == SOUK_E_TIMEOUT || op->ret == SOUK_E_CANCELLED;

	if (!t->ops->list_instances)
		return 0;
	ret = conform_find(t, names->token, op->ret == SOUK_OK ? count : told->n, &found);
	if (ret == 0 && found.n > count)
		ret = conform_fail(t, "%zu machines carry a token that was to make %u", found.n,
				   (unsigned)count);
	for (i = 0; i < told->n && ret == 0; i++)
		if (!conform_has_id(&found, told->items[i].id))
			ret = conform_fail(t, "list_instances does not find '%s', which provision told of",
					   told->items[i].id);
	for (i = 0; i < found.n && ret == 0 && !unknown; i++)
		if (!conform_has_id(told, found.items[i].id))
			ret = conform_fail(t, "provision ended with %s and left '%s', which it did not tell of",
					   souk_code_name(op->ret), found.items[i].id);
	souk_instance_list_fini(&found);
	return ret;
}

static int retry_token(struct conform *t, const struct conform_names *names, uint32_t count)
{
	struct souk_instance_list list = { 0 }, found = { 0 };
	struct souk_instance_spec spec = conform_spec(t, names, count);
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret = 0;

	watch_arm(WATCH_NONE, 0);
	if (conform_provision(t, &t->main, &spec, &list, &op) < 0)
		ret = conform_fail(t, "after a call that failed, the same token fails for good: %s",
				   conform_words(op.ret, &op.err, words));
	else if (list.n != count)
		ret = conform_fail(t, "after a call that failed, the same token tells of %zu machines, not %u",
				   list.n, (unsigned)count);
	if (ret == 0 && t->ops->list_instances)
		ret = conform_find(t, names->token, count, &found);
	if (ret == 0 && t->ops->list_instances && found.n != count)
		ret = conform_fail(t, "after a call that failed and one that did not, %zu machines carry the "
				      "token, not %u", found.n, (unsigned)count);
	souk_instance_list_fini(&found);
	souk_instance_list_fini(&list);
	return ret;
}

/* Provision with a fault at a point. 1: it happened; 0: the call ended before; -1: a finding. */
static int fault_at(struct conform *t, enum watch_fault fault, int point, uint32_t count)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_spec spec;
	struct conform_names names;
	struct conform_op op;
	int ret, fired;

	conform_names(t, &names);
	spec = conform_spec(t, &names, count);
	if (fresh_cancel(t) < 0)
		return -1;
	watch_arm(fault, point);
	conform_provision(t, &t->main, &spec, &list, &op);
	fired = watch_fired();
	ret = fault == WATCH_CANCEL_BEFORE || fault == WATCH_CANCEL_AFTER ? judge_cancel(t, &op, point) :
									      fired;
	watch_arm(WATCH_NONE, 0);
	if (fresh_cancel(t) < 0)
		ret = -1;
	if (ret >= 0 && judge_left(t, &names, count, &op, &list) < 0)
		ret = -1;
	/* A machine that was told of with a failure is to be torn down: the token is spent then. */
	if (ret > 0 && (op.ret == SOUK_OK || list.n == 0) && retry_token(t, &names, count) < 0)
		ret = -1;
	if (conform_end_token(t, &names, spec.region, &list) < 0)
		ret = -1;
	souk_instance_list_fini(&list);
	return ret;
}

/* 1 if so many machines of what can be rented are sold together: of some kinds one alone is. */
static int is_sold_together(struct conform *t, uint32_t count)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_spec spec;
	struct conform_names names;
	struct conform_op op;
	int ret;

	if (!(t->ops->features & SOUK_FEATURE_MULTI_NODE))
		return 0;
	conform_names(t, &names);
	spec = conform_spec(t, &names, count);
	conform_provision(t, &t->main, &spec, &list, &op);
	ret = conform_end_token(t, &names, spec.region, &list);
	souk_instance_list_fini(&list);
	return ret < 0 ? ret : op.ret != SOUK_E_UNSUPPORTED;
}

static int provision_with(struct conform *t, enum watch_fault fault, uint32_t count)
{
	struct souk_instance_list list = { 0 };
	struct conform_names names;
	int point, ret;

	/* One that works shows what can be rented. */
	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (conform_end_token(t, &names, conform_spec(t, &names, 1).region, &list) < 0)
		ret = -1;
	souk_instance_list_fini(&list);
	if (ret < 0)
		return ret;
	ret = count > 1 ? is_sold_together(t, count) : 1;
	if (ret < 0)
		return ret;
	count = ret ? count : 1;
	for (point = 1, ret = 1; ret == 1 && point <= MAX_POINTS; point++)
		ret = fault_at(t, fault, point, count);
	return ret < 0 ? ret : 0;
}

static int cancel_provision(struct conform *t)
{
	return provision_with(t, WATCH_CANCEL_BEFORE, 1) < 0 ? -1 :
							       provision_with(t, WATCH_CANCEL_AFTER, 1);
}

static int lost_replies(struct conform *t)
{
	return provision_with(t, WATCH_LOSE, 2);
}

static int refused_requests(struct conform *t)
{
	return provision_with(t, WATCH_REFUSE, 2);
}

/* Teardown with each of its replies lost in turn; the next one has to succeed. */
static int lost_teardown(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	struct conform_op op;
	int point, fired = 1, ret = 0;

	for (point = 1; fired && ret == 0 && point <= MAX_POINTS; point++) {
		conform_names(t, &names);
		ret = conform_rent(t, &names, 1, &list);
		if (ret < 0 || list.n == 0)
			break;
		ref = conform_ref(&list.items[0]);
		watch_arm(WATCH_LOSE, point);
		CONFORM_CALL(t, &t->main, &op, teardown, &ref, 1);
		fired = watch_fired();
		ret = conform_end_token(t, &names, ref.region, &list);
		souk_instance_list_fini(&list);
	}
	souk_instance_list_fini(&list);
	return ret;
}

static int plan_sends_nothing(struct conform *t)
{
	struct souk_instance_list list = { 0 }, found = { 0 };
	struct souk_instance_spec spec;
	struct conform_names names;
	struct conform_op op;
	int ret = 0;

	if (t->shared->n_picks == 0)
		return conform_skip(t, "there is no offer to rent");
	if (!t->ops->list_instances)
		return conform_skip(t, "it has no list_instances");
	conform_names(t, &names);
	spec = conform_spec(t, &names, 1);
	watch_arm(WATCH_PLAN, 0);
	conform_provision(t, &t->main, &spec, &list, &op);
	if (!watch_fired() && watch_requests() == 0) {
		watch_arm(WATCH_NONE, 0);
		conform_end_token(t, &names, spec.region, &list);
		souk_instance_list_fini(&list);
		return conform_skip(t, "provision sends no HTTP requests");
	}
	watch_arm(WATCH_NONE, 0);
	if (op.ret == SOUK_OK)
		ret = conform_fail(t, "provision succeeded though no request that changes something was sent");
	if (ret == 0)
		ret = conform_find(t, names.token, 0, &found);
	if (ret == 0 && found.n > 0)
		ret = conform_fail(t, "'%s' was made by a request without SOUK_HTTP_MUTATES",
				   found.items[0].id);
	souk_instance_list_fini(&found);
	if (conform_end_token(t, &names, spec.region, &list) < 0)
		ret = -1;
	souk_instance_list_fini(&list);
	return ret;
}

/* ---- Out of time ---- */

static int no_time_left(struct conform *t)
{
	uint32_t before = t->deadline_ms;
	struct conform_op op;
	size_t i;
	int ret = 0;

	t->deadline_ms = 0;
	for (i = 0; i < 3 && ret == 0; i++) {
		char words[CONFORM_TEXT];

		watch_arm(WATCH_NONE, 0);
		op = (struct conform_op){ .name = subjects[i].name };
		subjects[i].call(t, NULL, &op);
		if (is_late(t, &op))
			ret = conform_fail(t, "%s, with no time left, returned %lld ms later", op.name,
					   (long long)op.late_ms);
		else if (op.ret < 0 && op.ret != SOUK_E_TIMEOUT && op.ret != SOUK_E_CANCELLED &&
			 op.ret != SOUK_E_TRANSIENT)
			ret = conform_fail(t, "%s, with no time left, failed with %s", op.name,
					   conform_words(op.ret, &op.err, words));
	}
	t->deadline_ms = before;
	return ret;
}

static int no_time_for_provision(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	uint32_t before = t->deadline_ms;
	struct souk_instance_spec spec;
	struct conform_names names;
	struct conform_op op;
	int ret = 0;

	if (t->shared->n_picks == 0)
		return conform_skip(t, "there is no offer to rent");
	conform_names(t, &names);
	spec = conform_spec(t, &names, 1);
	t->deadline_ms = 0;
	watch_arm(WATCH_NONE, 0);
	conform_provision(t, &t->main, &spec, &list, &op);
	t->deadline_ms = before;
	if (is_late(t, &op))
		ret = conform_fail(t, "provision, with no time left, returned %lld ms later",
				   (long long)op.late_ms);
	if (ret == 0)
		ret = judge_left(t, &names, 1, &op, &list);
	if (conform_end_token(t, &names, spec.region, &list) < 0)
		ret = -1;
	souk_instance_list_fini(&list);
	return ret;
}

/* ---- Answers that are errors ---- */

struct answer {
	int status;
	const char *body;
	int want; /* the code that has to come of it; 0: any failure */
	int also;
};

static const struct answer answers[] = {
	{ 401, "", SOUK_E_AUTH, SOUK_E_AUTH },
	{ 429, "", SOUK_E_RATE_LIMIT, SOUK_E_TRANSIENT },
	{ 500, "", 0, 0 },
	{ 503, "<html>sorry</html>", 0, 0 },
	{ 200, "", 0, 0 },
	{ 200, "<html>log in to the hotel's network</html>", 0, 0 },
	{ 200, "{\"half\": [", 0, 0 },
};

static int judge_answer(struct conform *t, const struct conform_op *op, const struct answer *answer)
{
	char words[CONFORM_TEXT];

	if (!watch_fired())
		return 0;
	if (op->ret == SOUK_OK)
		return conform_fail(t, "%s takes the status %d with '%.30s' for success", op->name,
				    answer->status, answer->body);
	if (answer->want && op->ret != answer->want && op->ret != answer->also)
		return conform_fail(t, "%s: the status %d gives %s, not %s", op->name, answer->status,
				    conform_words(op->ret, &op->err, words), souk_code_name(answer->want));
	return 0;
}

static int answers_of(struct conform *t, size_t first, size_t last, const struct souk_instance_ref *ref)
{
	struct conform_op op;
	size_t i, j;
	int ret = 0;

	for (i = first; i < last && ret == 0; i++)
		for (j = 0; j < SOUK_ARRAY_SIZE(answers) && ret == 0; j++) {
			/* Destroying has no body to read, and may be asked and answered in silence. */
			if (subjects[i].call == call_teardown && answers[j].status == 200)
				continue;
			watch_answer(answers[j].status, answers[j].body);
			watch_arm(WATCH_ANSWER, 0);
			op = (struct conform_op){ .name = subjects[i].name };
			subjects[i].call(t, ref, &op);
			ret = judge_answer(t, &op, &answers[j]);
		}
	watch_arm(WATCH_NONE, 0);
	return ret;
}

static int answers_to_questions(struct conform *t)
{
	return answers_of(t, 0, 3, NULL);
}

static int answers_to_machines(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_ref ref;
	struct conform_names names;
	int ret, ended;

	conform_names(t, &names);
	ret = conform_rent(t, &names, 1, &list);
	if (ret == 0 && list.n > 0) {
		ref = conform_ref(&list.items[0]);
		ret = answers_of(t, 3, 5, &ref);
	}
	ended = conform_end_token(t, &names, conform_spec(t, &names, 1).region, &list);
	souk_instance_list_fini(&list);
	return ret < 0 ? ret : ended;
}

static int answers_to_provision(struct conform *t)
{
	struct souk_instance_list list = { 0 };
	struct souk_instance_spec spec;
	struct conform_names names;
	struct conform_op op;
	size_t j;
	int ret = 0;

	if (t->shared->n_picks == 0)
		return conform_skip(t, "there is no offer to rent");
	conform_names(t, &names);
	spec = conform_spec(t, &names, 1);
	for (j = 0; j < SOUK_ARRAY_SIZE(answers) && ret == 0; j++) {
		watch_answer(answers[j].status, answers[j].body);
		watch_arm(WATCH_ANSWER, 0);
		conform_provision(t, &t->main, &spec, &list, &op);
		ret = judge_answer(t, &op, &answers[j]);
		souk_instance_list_fini(&list);
	}
	return conform_end_token(t, &names, spec.region, NULL) < 0 ? -1 : ret;
}

const struct conform_test conform_tests_faults[] = {
	{ "cancel.questions", "list_offers, check and list_instances end when they are cancelled",
	  "pass CANCELLED up; ask souk_call_cancelled() in loops, wait with souk_call_sleep()", 0,
	  cancel_questions },
	{ "deadline.questions", "they end when no time is left",
	  "pass TIMEOUT up; wait with souk_call_sleep()", 0, no_time_left },
	{ "answers.questions", "an error is no success, nonsense neither",
	  "look at the status first, and at the form of each reply; 401 is AUTH, 429 RATE_LIMIT", 0,
	  answers_to_questions },
	{ "cancel.provision", "provision ends when it is cancelled, and what it made is found",
	  "tag in the request that creates; pass CANCELLED up", CONFORM_MACHINES | CONFORM_LONG,
	  cancel_provision },
	{ "cancel.machine", "describe and teardown end when they are cancelled",
	  "pass CANCELLED up; ask souk_call_cancelled() in loops", CONFORM_MACHINES | CONFORM_LONG,
	  cancel_machine },
	{ "deadline.provision", "provision ends when no time is left",
	  "pass TIMEOUT up; wait with souk_call_sleep()", CONFORM_MACHINES, no_time_for_provision },
	{ "lost.provision", "when a reply is lost, the token finds what was made and adds nothing",
	  "a reply that is lost is TIMEOUT; the same token has to find the machine", CONFORM_MACHINES | CONFORM_LONG,
	  lost_replies },
	{ "refused.provision", "when a request fails, nothing is left that was not told of",
	  "give back what was made before, or add it to the list", CONFORM_MACHINES | CONFORM_LONG,
	  refused_requests },
	{ "lost.teardown", "when a reply is lost, teardown can be called again",
	  "what is gone is torn down already", CONFORM_MACHINES | CONFORM_LONG, lost_teardown },
	{ "plan.provision", "in a plan nothing is made",
	  "mark each request that creates, changes or destroys with SOUK_HTTP_MUTATES", CONFORM_MACHINES,
	  plan_sends_nothing },
	{ "answers.provision", "an error to provision is no success, nonsense neither",
	  "look at the status first, and at the form of each reply", CONFORM_MACHINES,
	  answers_to_provision },
	{ "answers.machine", "an error does not make a machine absent",
	  "describe and teardown leave out what is not found, and nothing else", CONFORM_MACHINES,
	  answers_to_machines },
	{ NULL, NULL, NULL, 0, NULL },
};
