/* SPDX-License-Identifier: Apache-2.0 */
/* conformance/process.c - what a module has no business to change: environment, folder, signals */
#include "conformance/process.h"

#include <dirent.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

extern char **environ;

/* A thread that was joined may be seen for a moment; more than this it may not. */
enum { THREAD_LOOKS = 50, THREAD_LOOK_MS = 20 };

static int count_threads(void)
{
	DIR *dir = opendir("/proc/self/task");
	struct dirent *entry;
	int n = 0;

	while (dir && (entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static char *join_environment(void)
{
	struct souk_buf buf;
	char *text;
	size_t i;

	souk_buf_init(&buf, 4 * 1024 * 1024);
	for (i = 0; environ[i]; i++)
		souk_buf_printf(&buf, "%s\n", environ[i]);
	text = souk_buf_failed(&buf, NULL) < 0 ? NULL : souk_buf_steal(&buf);
	souk_buf_fini(&buf);
	return text;
}

static mode_t look_at_mask(void)
{
	mode_t mask = umask(077);

	umask(mask);
	return mask;
}

void process_state_take(struct process_state *state)
{
	int i;

	*state = (struct process_state){
		.environment = join_environment(),
		.folder = getcwd(NULL, 0),
		.locale = souk_strdup(setlocale(LC_ALL, NULL)),
		.mask = look_at_mask(),
		.threads = count_threads(),
	};
	for (i = 1; i < PROCESS_SIGNALS; i++)
		if (sigaction(i, NULL, &state->actions[i]) < 0)
			state->actions[i].sa_handler = SIG_DFL;
}

void process_state_compare(struct conform *t, const struct process_state *state, int threads)
{
	struct process_state now;
	int i;

	process_state_take(&now);
	if (!souk_streq(state->environment, now.environment))
		conform_note(t, CONFORM_PROCESS, "the environment was changed");
	if (!souk_streq(state->folder, now.folder))
		conform_note(t, CONFORM_PROCESS, "the working folder was changed to '%.200s'",
			     now.folder ? now.folder : "");
	if (!souk_streq(state->locale, now.locale))
		conform_note(t, CONFORM_PROCESS, "the locale was changed to '%.100s'",
			     now.locale ? now.locale : "");
	if (state->mask != now.mask)
		conform_note(t, CONFORM_PROCESS, "the umask was changed to %03o", (unsigned)now.mask);
	for (i = 1; i < PROCESS_SIGNALS; i++)
		if (state->actions[i].sa_handler != now.actions[i].sa_handler)
			conform_note(t, CONFORM_PROCESS, "the handler of the signal %d was changed", i);
	for (i = 0; threads && now.threads > state->threads && i < THREAD_LOOKS; i++) {
		souk_cancel_wait(NULL, THREAD_LOOK_MS, NULL);
		now.threads = count_threads();
	}
	if (threads && now.threads > state->threads)
		conform_note(t, CONFORM_PROCESS, "after close %d threads of the module still run",
			     now.threads - state->threads);
	process_state_fini(&now);
}

void process_state_fini(struct process_state *state)
{
	souk_text_free(state->environment);
	free(state->folder);
	free(state->locale);
}
