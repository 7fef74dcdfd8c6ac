/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/calls.c - one call of an op, and what holds of every call */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

/* ---- Errors ---- */

static void judge_message(struct conform *t, const struct conform_op *op)
{
	const char *message = op->err.message;
	size_t len = strnlen(message, sizeof(op->err.message)), i;

	if (len == 0 || len == sizeof(op->err.message)) {
		conform_note(t, CONFORM_ERRORS, "%s failed with %s and no message", op->name,
			     souk_code_name(op->ret));
		return;
	}
	for (i = 0; i < len; i++)
		if ((unsigned char)message[i] < ' ') {
			conform_note(t, CONFORM_ERRORS, "%s: a message of several lines: '%.200s'",
				     op->name, message);
			return;
		}
	if (message[len - 1] == '.' && (len < 3 || strcmp(message + len - 3, "...") != 0))
		conform_note(t, CONFORM_ERRORS, "%s: a message that ends in a full stop: '%.200s'",
			     op->name, message);
}

static void judge_error(struct conform *t, const struct conform_op *op)
{
	if (op->ret > 0 || op->ret < SOUK_E_CANCELLED) {
		conform_note(t, CONFORM_ERRORS, "%s returned %d, which is no SOUK_E_ code", op->name,
			     op->ret);
		return;
	}
	if (op->ret == SOUK_OK)
		return;
	if (op->err.struct_size != sizeof(op->err))
		conform_note(t, CONFORM_ERRORS, "%s: the error's struct_size was overwritten", op->name);
	if (op->err.code != op->ret)
		conform_note(t, CONFORM_ERRORS, "%s returned %s, and the error says %d", op->name,
			     souk_code_name(op->ret), (int)op->err.code);
	if (op->err.scope < SOUK_SCOPE_OFFER || op->err.scope > SOUK_SCOPE_PROVIDER)
		conform_note(t, CONFORM_ERRORS, "%s: %s with the scope %d, which is none", op->name,
			     souk_code_name(op->ret), (int)op->err.scope);
	if (op->ret == SOUK_E_AUTH && op->err.scope == SOUK_SCOPE_OFFER)
		conform_note(t, CONFORM_ERRORS,
			     "%s: AUTH with the scope offer: souk would go on to try every other", op->name);
	if (strnlen(op->err.hint, sizeof(op->err.hint)) == sizeof(op->err.hint) ||
	    strnlen(op->err.reason, sizeof(op->err.reason)) == sizeof(op->err.reason))
		conform_note(t, CONFORM_ERRORS, "%s: hint or reason is not ended", op->name);
	judge_message(t, op);
	watch_text("the message of an error", op->err.message);
	watch_text("the hint of an error", op->err.hint);
}

/* ---- Instances ---- */

static int is_tag(const char *text)
{
	size_t i, len = text ? strlen(text) : 1;

	for (i = 0; text && i < len; i++)
		if (!isalnum((unsigned char)text[i]) && text[i] != '-')
			return 0;
	return len > 0 && len <= 40;
}

static void judge_instance(struct conform *t, const char *op, const char *region,
			   const struct souk_instance *item)
{
	if (item->status < SOUK_INSTANCE_PENDING || item->status > SOUK_INSTANCE_FAILED)
		conform_note(t, CONFORM_INSTANCES, "%s: '%s' has the status %d, which is none", op,
			     item->id, (int)item->status);
	if (region && strcmp(item->region, region) != 0)
		conform_note(t, CONFORM_INSTANCES, "%s: asked for '%s', told of '%s' in '%s'", op,
			     region, item->id, item->region);
	if (!is_tag(item->cluster) || !is_tag(item->request_token))
		conform_note(t, CONFORM_INSTANCES, "%s: '%s' has a cluster or token that souk never made",
			     op, item->id);
	if (item->ssh_port > 65535)
		conform_note(t, CONFORM_INSTANCES, "%s: '%s' has the SSH port %u", op, item->id,
			     (unsigned)item->ssh_port);
	if (item->created_at < 0)
		conform_note(t, CONFORM_INSTANCES, "%s: '%s' was made before the epoch", op, item->id);
	watch_text("what is told of a machine", item->status_reason);
}

void conform_check_instances(struct conform *t, const char *op, const char *region,
			     const struct souk_instance_list *list)
{
	size_t i, j;

	for (i = 0; i < list->n; i++) {
		judge_instance(t, op, region, &list->items[i]);
		for (j = 0; j < i; j++)
			if (strcmp(list->items[i].id, list->items[j].id) == 0 &&
			    strcmp(list->items[i].region, list->items[j].region) == 0)
				conform_note(t, CONFORM_INSTANCES, "%s: told of '%s' twice", op,
					     list->items[i].id);
	}
}

/* ---- The call ---- */

static pthread_mutex_t serial = PTHREAD_MUTEX_INITIALIZER;

static void lock_threads(struct conform *t, struct conform_self *self, int take)
{
	pthread_mutex_t *lock = t->ops->threads == SOUK_THREADS_SERIAL	       ? &serial
				: t->ops->threads == SOUK_THREADS_PER_INSTANCE ? &self->lock
									       : NULL;

	if (lock && take)
		pthread_mutex_lock(lock);
	else if (lock)
		pthread_mutex_unlock(lock);
}

void conform_begin(struct conform *t, struct conform_self *self, const char *name,
		   struct conform_op *op)
{
	*op = (struct conform_op){ .name = name, .err = SOUK_ERROR_INIT, .self = self };
	lock_threads(t, self, 1);
	souk_call_init(&op->call, t->provider);
	op->begun_ms = souk_clock_ms();
	op->call.deadline_ms = op->begun_ms + t->deadline_ms;
	op->call.cancel = &t->cancel;
	pthread_mutex_lock(&t->lock);
	snprintf(t->shared->op, sizeof(t->shared->op), "%s", name);
	pthread_mutex_unlock(&t->lock);
}

int conform_end(struct conform *t, struct conform_op *op, int ret)
{
	int64_t now = souk_clock_ms(), fired = watch_fired_ms();

	souk_call_fini(&op->call, ret);
	lock_threads(t, op->self, 0);
	op->ret = ret;
	op->took_ms = now - op->begun_ms;
	if (fired > 0 && fired >= op->begun_ms)
		op->late_ms = now - fired;
	else if (now > op->begun_ms + t->deadline_ms)
		op->late_ms = now - op->begun_ms - t->deadline_ms;
	pthread_mutex_lock(&t->lock);
	t->shared->op[0] = '\0';
	pthread_mutex_unlock(&t->lock);
	judge_error(t, op);
	return ret;
}

int conform_open(struct conform *t, struct conform_self *self)
{
	char words[CONFORM_TEXT];
	struct conform_op op;

	*self = (struct conform_self){ 0 };
	pthread_mutex_init(&self->lock, NULL);
	conform_begin(t, self, "open", &op);
	if (conform_end(t, &op, t->ops->open(&op.call, &self->self, &op.err)) == SOUK_OK)
		return 0;
	pthread_mutex_destroy(&self->lock);
	return conform_fail(t, "open failed: %s", conform_words(op.ret, &op.err, words));
}

void conform_close(struct conform *t, struct conform_self *self)
{
	t->ops->close(self->self);
	pthread_mutex_destroy(&self->lock);
}
