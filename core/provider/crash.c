/* SPDX-License-Identifier: Apache-2.0 */
/* provider/crash.c - say which module has crashed, and in which operation, before the process ends */
#include "provider/crash.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <souk/souk.h>

#include "base/util.h"

/* Enough for the handler, and for those of a debugger's libraries that it hands on to. */
#define STACK_SIZE (64 * 1024)
#define MESSAGE_SIZE 2048

static const struct {
	int number;
	const char *name;
} crashes[] = {
	{ SIGSEGV, "SIGSEGV" }, { SIGBUS, "SIGBUS" },	{ SIGFPE, "SIGFPE" },
	{ SIGILL, "SIGILL" },	{ SIGABRT, "SIGABRT" },
};

/* Initial-exec: a handler may not allocate, as the other models do on a thread's first use. */
static __thread struct souk_crash_note *volatile current
	__attribute__((tls_model("initial-exec")));

static struct sigaction before[SOUK_ARRAY_SIZE(crashes)];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t stack_key;
static atomic_int installed;

/* ---- The message: only what may be called in a handler ---- */

static void append(char *text, size_t *len, const char *more)
{
	while (*more && *len < MESSAGE_SIZE - 1)
		text[(*len)++] = *more++;
}

static void tell(const char *name)
{
	const struct souk_crash_note *note = current;
	char text[MESSAGE_SIZE];
	size_t len = 0, done = 0;
	ssize_t n;

	append(text, &len, "error: ");
	if (note) {
		append(text, &len, "the provider module '");
		append(text, &len, note->module);
		append(text, &len, "' crashed in '");
		append(text, &len, note->op);
		append(text, &len, "' (");
	} else {
		append(text, &len, "souk itself has crashed (");
	}
	append(text, &len, name);
	append(text, &len, ")\nhint: 'souk status --refresh' settles what was open");
	if (note && note->path) {
		append(text, &len, "; 'souk provider test ");
		append(text, &len, note->path);
		append(text, &len, "' tests the module");
	}
	append(text, &len, "\n");
	while (done < len) {
		n = write(STDERR_FILENO, text + done, len - done);
		if (n < 0 && errno != EINTR)
			return;
		if (n > 0)
			done += (size_t)n;
	}
}

/*
 * Who handled it before handles it again: the process ends as it would have without us. A fault comes
 * again by itself when we return, with the registers as they were; what was sent has to be sent again.
 */
static void on_crash(int number, siginfo_t *info, void *context)
{
	int saved = errno;
	size_t i;

	(void)context;
	for (i = 0; i < SOUK_ARRAY_SIZE(crashes); i++)
		if (crashes[i].number == number)
			break;
	if (i == SOUK_ARRAY_SIZE(crashes))
		return;
	/* Somebody else's kill(2) is no crash; abort(3) comes by tgkill(2), from ourselves. */
	if (info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid()))
		tell(crashes[i].name);
	(void)sigaction(number, &before[i], NULL);
	if (info->si_code <= 0)
		(void)raise(number);
	errno = saved;
}

/* ---- Each thread's stack for it: the fault may be that its own has no room ---- */

static void free_stack(void *memory)
{
	stack_t none = { .ss_flags = SS_DISABLE };
	stack_t now;

	if (sigaltstack(NULL, &now) == 0 && now.ss_sp == memory)
		(void)sigaltstack(&none, NULL);
	free(memory);
}

/*
 * Once for each thread. One that blocks all signals would end the process without a word. One that has
 * a stack already, from a sanitizer, keeps it; without one the handler does as it can.
 */
static void ready_thread(void)
{
	stack_t now, own = { .ss_size = STACK_SIZE };
	sigset_t set;
	size_t i;

	if (pthread_getspecific(stack_key))
		return;
	sigemptyset(&set);
	for (i = 0; i < SOUK_ARRAY_SIZE(crashes); i++)
		sigaddset(&set, crashes[i].number);
	(void)pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	if (sigaltstack(NULL, &now) < 0 || !(now.ss_flags & SS_DISABLE))
		return;
	own.ss_sp = malloc(STACK_SIZE);
	if (!own.ss_sp)
		return;
	if (sigaltstack(&own, NULL) < 0 || pthread_setspecific(stack_key, own.ss_sp) != 0)
		free_stack(own.ss_sp);
}

static void install(void)
{
	struct sigaction action;
	size_t i;

	if (pthread_key_create(&stack_key, free_stack) != 0)
		return;
	memset(&action, 0, sizeof(action));
	sigemptyset(&action.sa_mask);
	action.sa_sigaction = on_crash;
	action.sa_flags = SA_SIGINFO | SA_ONSTACK;
	for (i = 0; i < SOUK_ARRAY_SIZE(crashes); i++)
		if (sigaction(crashes[i].number, &action, &before[i]) < 0)
			return;
	atomic_store(&installed, 1);
}

void souk_crash_tell(void)
{
	(void)pthread_once(&once, install);
	if (atomic_load(&installed))
		ready_thread();
}

/* ---- Notes ---- */

void souk_crash_enter(struct souk_crash_note *note, const char *module, const char *path,
		      const char *op)
{
	note->module = module;
	note->path = path;
	note->op = op;
	note->outer = current;
	souk_crash_adopt(note);
}

void souk_crash_adopt(struct souk_crash_note *note)
{
	if (note && atomic_load(&installed))
		ready_thread();
	current = note;
}

void souk_crash_leave(struct souk_crash_note *note)
{
	current = note->outer;
}
