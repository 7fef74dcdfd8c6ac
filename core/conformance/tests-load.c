/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/tests-load.c - many threads, and many calls: nothing is mixed up, nothing leaks */
#include <dirent.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "conformance/conform.h"
#include "conformance/watch.h"

enum {
	THREADS = 8,
	ROUNDS = 20,
	WARM_UP = 20,
	OFFERS_EVERY = 100,	     /* a price list is long */
	LEAK_FLOOR = 32 * 1024, /* caches and pools that fill up */
	LEAK_PER_CALL = 16,
	SPARE_FDS = 4
};

/* The questions that cost least, one after the other. 0, or -1 after a finding. */
static int ask_all(struct conform *t, struct conform_self *self)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner,
	};
	struct souk_instance_list list = { 0 };
	struct souk_identity identity = { { 0 } };
	char words[CONFORM_TEXT];
	struct conform_op op;
	int ret = SOUK_OK;

	if (t->ops->check)
		ret = CONFORM_CALL(t, self, &op, check, &identity);
	souk_identity_fini(&identity);
	if (ret == SOUK_OK && t->ops->list_instances) {
		ret = CONFORM_CALL(t, self, &op, list_instances, &filter, &list);
		conform_check_instances(t, "list_instances", NULL, &list);
		souk_instance_list_fini(&list);
	}
	/* To be asked to wait is no fault; the user's account has its limits. */
	if (ret == SOUK_OK || ret == SOUK_E_RATE_LIMIT)
		return 0;
	return conform_fail(t, "%s failed among many calls: %s", op.name,
			    conform_words(ret, &op.err, words));
}

/* ---- Threads ---- */

struct worker {
	struct conform *t;
	struct conform_self *self;
	pthread_t thread;
	int ret;
};

static void *work(void *arg)
{
	struct worker *worker = arg;
	int i;

	for (i = 0; i < ROUNDS && worker->ret == 0; i++)
		worker->ret = ask_all(worker->t, worker->self);
	return NULL;
}

static int hammer(struct conform *t)
{
	struct conform_self selves[THREADS];
	struct worker workers[THREADS];
	int n, started = 0, ret = 0;

	for (n = 0; n < THREADS / 2; n++)
		if (conform_open(t, &selves[n]) < 0)
			break;
	for (started = 0; n > 0 && started < THREADS; started++) {
		/* Two on each instance: the host serialises them as the module asks for. */
		workers[started] = (struct worker){ .t = t, .self = &selves[started % n] };
		if (pthread_create(&workers[started].thread, NULL, work, &workers[started]) != 0)
			break;
	}
	while (started-- > 0) {
		pthread_join(workers[started].thread, NULL);
		ret |= workers[started].ret;
	}
	while (n-- > 0)
		conform_close(t, &selves[n]);
	return ret;
}

/* ---- Leaks ---- */

static int count_entries(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static int ask_round(struct conform *t, uint32_t i)
{
	struct souk_offer_list offers = { 0 };
	struct conform_self self;
	struct conform_op op;
	int ret;

	if (conform_open(t, &self) < 0)
		return -1;
	ret = ask_all(t, &self);
	if (ret == 0 && i % OFFERS_EVERY == 0)
		CONFORM_CALL(t, &self, &op, list_offers, &offers);
	souk_offer_list_fini(&offers);
	conform_close(t, &self);
	return ret;
}

/* How many descriptors and bytes are in use. */
struct held {
	int fds;
	size_t bytes;
};

static struct held held_now(void)
{
	return (struct held){ count_entries("/proc/self/fd"), mallinfo2().uordblks };
}

/* So many more calls; -1 if they cannot be made. */
static int ask_rounds(struct conform *t, uint32_t calls)
{
	uint32_t i;

	for (i = 0; i < calls; i++)
		if (ask_round(t, i + 1) < 0)
			return -1;
	return 0;
}

/*
 * Connections that are kept open grow in number until the busiest moment has been: what grew is
 * given a second chance. A leak grows again.
 */
static int leaks(struct conform *t)
{
	uint32_t calls = t->settings->calls;
	size_t limit = LEAK_FLOOR + (size_t)calls * LEAK_PER_CALL;
	struct held before, after;

	if (ask_round(t, 0) < 0 || ask_rounds(t, WARM_UP) < 0)
		return -1;
	before = held_now();
	if (ask_rounds(t, calls) < 0)
		return -1;
	after = held_now();
	if (after.fds > before.fds + SPARE_FDS) {
		before = after;
		if (ask_rounds(t, calls) < 0)
			return -1;
		after = held_now();
	}
	if (after.fds > before.fds + SPARE_FDS)
		return conform_fail(t, "%d descriptors were open, and %d after %u calls", before.fds,
				    after.fds, (unsigned)calls);
	if (after.bytes > before.bytes + limit)
		return conform_fail(t, "%zu bytes were in use, and %zu after %u calls", before.bytes,
				    after.bytes, (unsigned)calls);
	return 0;
}

/* The same with errors, whose paths are walked less often. */
static int leaks_of_errors(struct conform *t)
{
	static const char *const bodies[] = { "", "<html>", "{\"a\": [1, 2", "null" };
	static const int statuses[] = { 500, 401, 200, 200 };
	uint32_t calls = t->settings->calls / 4 + 1, i;
	size_t before = 0, after, limit = LEAK_FLOOR + (size_t)calls * LEAK_PER_CALL;
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .owner = t->owner,
	};
	int fds = 0, fds_after;

	if (!t->ops->list_instances)
		return conform_skip(t, "it has no list_instances");
	for (i = 0; i < calls + WARM_UP; i++) {
		struct souk_instance_list list = { 0 };
		struct conform_self self;
		struct conform_op op;

		if (i == WARM_UP) {
			fds = count_entries("/proc/self/fd");
			before = mallinfo2().uordblks;
		}
		watch_answer(statuses[i % 4], bodies[i % 4]);
		watch_arm(WATCH_ANSWER, 0);
		if (conform_open(t, &self) < 0)
			return -1;
		CONFORM_CALL(t, &self, &op, list_instances, &filter, &list);
		souk_instance_list_fini(&list);
		conform_close(t, &self);
	}
	watch_arm(WATCH_NONE, 0);
	fds_after = count_entries("/proc/self/fd");
	after = mallinfo2().uordblks;
	if (fds_after > fds + SPARE_FDS)
		return conform_fail(t, "%d descriptors were open, and %d after %u calls that failed", fds,
				    fds_after, (unsigned)calls);
	if (after > before + limit)
		return conform_fail(t, "%zu bytes were in use, and %zu after %u calls that failed", before,
				    after, (unsigned)calls);
	return 0;
}

const struct conform_test conform_tests_load[] = {
	{ "threads.many", "calls from many threads, as the thread model allows",
	  "lock what the instances share, or declare SOUK_THREADS_SERIAL", 0, hammer },
	{ "leaks.calls", "many calls leave no descriptor and no memory behind",
	  "valgrind --leak-check=full tells which", CONFORM_LONG, leaks },
	{ "leaks.errors", "calls that fail leave nothing behind either",
	  "free on every way out; valgrind --leak-check=full tells which", CONFORM_LONG, leaks_of_errors },
	{ NULL, NULL, NULL, 0, NULL },
};
