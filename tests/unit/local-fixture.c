/* SPDX-License-Identifier: Apache-2.0 */
/* local-fixture.c - a host for the local provider alone, and what its tests do with machines */
#include "local-fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "local.h"
#include "procs.h"

char top[64];
char public_key[1024];
char host_private[8192];
char host_public[1024];
void *self;
struct souk_call call;

/* ---- A small host -------------------------------------------------------------------------- */

static uint32_t host_deadline_ms(const struct souk_call *c)
{
	(void)c;
	return 60000;
}

static int host_cancelled(const struct souk_call *c)
{
	return c->cancelled;
}

static int host_sleep(struct souk_call *c, uint32_t ms, struct souk_error *err)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000 };

	if (c->cancelled)
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	(void)nanosleep(&t, NULL);
	return SOUK_OK;
}

static const char *host_option(const struct souk_call *c, const char *name)
{
	return strcmp(name, "supervisor") == 0 ? SOUK_TEST_SUPERVISOR
	       : strcmp(name, "sshd") == 0     ? c->sshd
					       : NULL;
}

static const char *host_state_dir(const struct souk_call *c)
{
	(void)c;
	return top;
}

static void host_vlog(struct souk_call *c, int level, const char *fmt, va_list args)
{
	(void)c;
	if (level <= SOUK_LOG_WARNING) {
		(void)vfprintf(stderr, fmt, args);
		(void)fputc('\n', stderr);
	}
}

static int host_offer_add(struct souk_offer_list *list, const struct souk_offer *offer,
			  struct souk_error *err)
{
	(void)err;
	ck_assert_uint_lt(list->n, 32);
	list->at[list->n].offer = *offer;
	(void)snprintf(list->at[list->n].type, 96, "%s", offer->instance_type);
	(void)snprintf(list->at[list->n].accelerator, 64, "%s",
		       offer->accelerator ? offer->accelerator : "");
	list->n++;
	return SOUK_OK;
}

static void copy(char *to, size_t size, const char *from)
{
	int n = snprintf(to, size, "%s", from ? from : "");

	ck_assert_int_ge(n, 0);
	ck_assert_uint_lt((size_t)n, size);
}

static int host_instance_add(struct souk_instance_list *list, const struct souk_instance *from,
			     struct souk_error *err)
{
	struct machine *m = &list->at[list->n++];

	(void)err;
	ck_assert_uint_le(list->n, 16);
	ck_assert_str_eq(from->region, "local");
	copy(m->id, sizeof(m->id), from->id);
	copy(m->host, sizeof(m->host), from->public_address);
	copy(m->user, sizeof(m->user), from->ssh_user);
	copy(m->key, sizeof(m->key), from->host_key);
	copy(m->command, sizeof(m->command), from->shutdown_command);
	copy(m->token, sizeof(m->token), from->request_token);
	m->port = from->ssh_port;
	m->status = from->status;
	return SOUK_OK;
}

static int host_identity_set(struct souk_identity *identity, const char *key, const char *value,
			     struct souk_error *err)
{
	size_t len = strlen(identity->text);

	(void)err;
	(void)snprintf(identity->text + len, sizeof(identity->text) - len, "%s=%s\n", key, value);
	return SOUK_OK;
}

static int host_run(struct souk_call *c, const char *const *argv, char *output, size_t size,
		    int32_t *status_out, struct souk_error *err)
{
	size_t len = 0;
	int status;
	int fds[2];
	ssize_t n;
	pid_t pid;

	(void)c;
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot run '%s'", argv[0]);
	if (pid == 0) {
		(void)dup2(fds[1], 1);
		(void)execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	(void)close(fds[1]);
	while (len < size - 1 && (n = read(fds[0], output + len, size - 1 - len)) > 0)
		len += (size_t)n;
	output[len] = '\0';
	(void)close(fds[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	*status_out = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return SOUK_OK;
}

static const struct souk_host host = {
	.abi = SOUK_PROVIDER_ABI,
	.struct_size = sizeof(struct souk_host),
	.call_deadline_ms = host_deadline_ms,
	.call_cancelled = host_cancelled,
	.call_sleep = host_sleep,
	.call_option = host_option,
	.call_state_dir = host_state_dir,
	.call_vlog = host_vlog,
	.offer_list_add = host_offer_add,
	.instance_list_add = host_instance_add,
	.identity_set = host_identity_set,
	.call_run = host_run,
};

/* ---- Helpers ------------------------------------------------------------------------------- */

int sh(char *output, size_t size, const char *fmt, ...)
{
	const char *argv[] = { "/bin/sh", "-c", NULL, NULL };
	char command[4 * PATH_MAX];
	int32_t status;
	va_list args;
	size_t len;

	va_start(args, fmt);
	ck_assert_int_lt(vsnprintf(command, sizeof(command), fmt, args), (int)sizeof(command));
	va_end(args);
	argv[2] = command;
	ck_assert_int_eq(host_run(&call, argv, output, size, &status, NULL), SOUK_OK);
	len = strlen(output);
	if (len && output[len - 1] == '\n')
		output[len - 1] = '\0';
	return status;
}

const char *ssh_options(const struct machine *m)
{
	static char options[2 * PATH_MAX];
	char path[PATH_MAX];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s/known-%s", top, m->id);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "[%s]:%u %s\n", m->host, (unsigned)m->port, m->key), 0);
	ck_assert_int_eq(fclose(file), 0);
	(void)snprintf(
		options, sizeof(options),
		"-F none -i %s/user -o BatchMode=yes -o IdentitiesOnly=yes "
		"-o StrictHostKeyChecking=yes -o UserKnownHostsFile=%s -o User=%s -o Port=%u",
		top, path, m->user, (unsigned)m->port);
	return options;
}

const struct souk_provider_ops *ops(void)
{
	return souk_provider_entry();
}

void must(int ret, const struct souk_error *err)
{
	ck_assert_msg(ret == SOUK_OK, "%d: %s (%s)", ret, err->message, err->hint);
}

int provision(const char *token, uint32_t count, uint32_t on_shutdown,
	      struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_label label = { "team", "blue\nred" };
	struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = count,
		.request_token = token,
		.cluster = "c",
		.owner = "me@here",
		.instance_type = "local",
		.region = "local",
		.on_shutdown = on_shutdown,
		.ssh_public_key = public_key,
		.host_key_private = host_private,
		.host_key_public = host_public,
		.labels = &label,
		.n_labels = 1,
	};

	memset(out, 0, sizeof(*out));
	return ops()->provision(self, &call, &spec, out, err);
}

void make(const char *token, uint32_t count, struct souk_instance_list *out)
{
	struct souk_error err = SOUK_ERROR_INIT;

	must(provision(token, count, SOUK_ON_SHUTDOWN_TERMINATE, out, &err), &err);
	ck_assert_uint_eq(out->n, count);
}

void apply(ref_op *op, const struct souk_instance_list *list)
{
	struct souk_instance_ref refs[16] = { { .id = NULL } };
	struct souk_error err = SOUK_ERROR_INIT;
	uint32_t i;

	for (i = 0; i < list->n; i++) {
		refs[i].struct_size = sizeof(refs[i]);
		refs[i].id = list->at[i].id;
		refs[i].region = "local";
	}
	must(op(self, &call, refs, list->n, &err), &err);
}

int status_of(const char *id, struct machine *machine_out)
{
	struct souk_instance_ref ref = { .struct_size = sizeof(ref), .id = id, .region = "local" };
	struct souk_instance_list out = { .n = 0 };
	struct souk_error err = SOUK_ERROR_INIT;

	must(ops()->describe(self, &call, &ref, 1, &out, &err), &err);
	if (machine_out && out.n)
		*machine_out = out.at[0];
	return out.n ? out.at[0].status : -1;
}

uint32_t count_found(const char *token, struct souk_instance_list *out)
{
	struct souk_instance_filter filter = { .struct_size = sizeof(filter),
					       .request_token = token,
					       .owner = "me@here",
					       .cluster = "c" };
	struct souk_error err = SOUK_ERROR_INIT;

	memset(out, 0, sizeof(*out));
	must(ops()->list_instances(self, &call, &filter, out, &err), &err);
	return out->n;
}

int is_alive(pid_t pid)
{
	char path[64];
	char text[512] = "";
	const char *end;
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	file = fopen(path, "re");
	if (!file)
		return 0;
	if (!fgets(text, sizeof(text), file))
		text[0] = '\0';
	(void)fclose(file);
	end = strrchr(text, ')');
	return end && end[1] == ' ' && end[2] != 'Z' && end[2] != 'X';
}

void await_end(pid_t pid)
{
	struct pollfd fd = { .fd = local_pidfd_open(pid), .events = POLLIN };

	/* Where there is no pidfd (old kernels, valgrind), the only way is to look. */
	while (fd.fd == -ENOSYS && is_alive(pid))
		(void)sched_yield();
	if (fd.fd < 0)
		return;
	ck_assert_int_eq(poll(&fd, 1, -1), 1);
	ck_assert_int_eq(close(fd.fd), 0);
}

int machine_dir(const char *id)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/machines/%s", top, id);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

pid_t supervisor_of(const struct machine *m)
{
	int fd = machine_dir(m->id);
	pid_t pid = 0;

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(local_supervisor_pid(fd, &pid), 0);
	ck_assert_int_eq(close(fd), 0);
	return pid;
}

pid_t start_daemon(const struct machine *m)
{
	char output[256];
	pid_t pid;

	ck_assert_int_eq(
		SSH(m, output,
		    "\"env -i /bin/sh -c 'setsid sleep 100000 </dev/null >/dev/null 2>&1 & "
		    "echo \\$!'\""),
		0);
	pid = (pid_t)strtol(output, NULL, 10);
	ck_assert_int_gt(pid, 1);
	ck_assert(is_alive(pid));
	return pid;
}

void assert_empty(void)
{
	char output[4096];

	ck_assert_int_eq(sh(output, sizeof(output), "ls -A %s/machines | grep -v '^\\.lock'", top),
			 1);
	ck_assert_str_eq(output, "");
}

void assert_closed(const struct machine *m)
{
	char output[1024];

	ck_assert_int_eq(SSH(m, output, "true"), 255);
	ck_assert_ptr_nonnull(strstr(output, "refused"));
}

void open_provider(void)
{
	struct souk_error err = SOUK_ERROR_INIT;

	souk_host_install(&host);
	must(ops()->open(&call, &self, &err), &err);
}

void end_all(void)
{
	struct souk_instance_filter filter = { .struct_size = sizeof(filter) };
	struct souk_instance_list found = { .n = 0 };
	struct souk_error err = SOUK_ERROR_INIT;

	must(ops()->list_instances(self, &call, &filter, &found, &err), &err);
	apply(ops()->teardown, &found);
}

void set_up(void)
{
	open_provider();
	end_all();
}

void tear_down(void)
{
	ops()->close(self);
}
