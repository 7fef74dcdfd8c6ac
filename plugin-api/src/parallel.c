/* SPDX-License-Identifier: Apache-2.0 */
/* parallel.c - independent pieces of a call's work, on a few threads */

#include <souk/provider.h>

#include <pthread.h>
#include <stdatomic.h>

/* In host.c: a thread that the host does not know begins (1) or ends (0) to work for the call. */
void souk_call_working(struct souk_call *call, int begins);

#define DEFAULT_WIDTH 8
#define MAX_WIDTH 32

struct work {
	struct souk_call *call;
	uint32_t n;
	int (*task)(void *arg, uint32_t i, struct souk_error *err);
	void *arg;
	struct souk_error *errors;
	atomic_uint next;
	atomic_uint failed;
};

static void do_piece(struct work *work, uint32_t i)
{
	struct souk_error *err = &work->errors[i];
	int ret;

	if (souk_call_cancelled(work->call))
		ret = souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	else
		ret = work->task(work->arg, i, err);
	err->code = ret < 0 ? ret : SOUK_OK;
	if (ret < 0)
		atomic_fetch_add(&work->failed, 1);
}

static void run_here(struct work *work)
{
	uint32_t i;

	while ((i = atomic_fetch_add(&work->next, 1)) < work->n)
		do_piece(work, i);
}

static void *run(void *arg)
{
	struct work *work = arg;

	souk_call_working(work->call, 1);
	run_here(work);
	souk_call_working(work->call, 0);
	return NULL;
}

uint32_t souk_call_parallel(struct souk_call *call, uint32_t n, uint32_t width,
			    int (*task)(void *arg, uint32_t i, struct souk_error *err), void *arg,
			    struct souk_error *errors)
{
	struct work work = { .call = call, .n = n, .task = task, .arg = arg, .errors = errors };
	pthread_t threads[MAX_WIDTH];
	uint32_t others = 0, i;

	if (width == 0)
		width = DEFAULT_WIDTH;
	if (width > MAX_WIDTH)
		width = MAX_WIDTH;
	if (width > n)
		width = n;
	for (i = 0; i < n; i++)
		errors[i] = (struct souk_error)SOUK_ERROR_INIT;
	/* This thread is one of them, and does all if there can be no others. */
	while (others + 1 < width && pthread_create(&threads[others], NULL, run, &work) == 0)
		others++;
	run_here(&work);
	for (i = 0; i < others; i++)
		(void)pthread_join(threads[i], NULL);
	return atomic_load(&work.failed);
}
