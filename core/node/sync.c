/* SPDX-License-Identifier: Apache-2.0 */
/* node/sync.c - copying the user's files to a machine */
#include "node/sync.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/strv.h"
#include "base/util.h"
#include "node/ignore.h"

#define LIST_MAX ((size_t)256 << 20)
#define RSYNC_NOT_THERE 127

extern char **environ;

/* ---- Remote paths ---- */

static void quote(struct souk_buf *buf, const char *text)
{
	souk_buf_str(buf, "'");
	for (; *text; text++)
		if (*text == '\'')
			souk_buf_str(buf, "'\\''");
		else
			souk_buf_add(buf, text, 1);
	souk_buf_str(buf, "'");
}

/* A path for the remote shell: "~/x" and "x" are below HOME. */
static void quote_path(struct souk_buf *buf, const char *path)
{
	if (path[0] == '/') {
		quote(buf, path);
		return;
	}
	souk_buf_str(buf, "\"$HOME\"/");
	quote(buf, path[0] == '~' && (path[1] == '/' || !path[1]) ? path + (path[1] ? 2 : 1) : path);
}

static int run_remote(const struct souk_sync *sync, struct souk_buf *command, struct souk_error *err)
{
	struct souk_buf out;
	int status = 0, ret;

	souk_buf_init(&out, 65536);
	ret = souk_buf_failed(command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_capture(sync->remote, command->data, NULL, 0, &out, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = err ? err->code : SOUK_E_INTERNAL;
	souk_buf_fini(&out);
	return ret;
}

/* Make the folder; outside HOME it may take sudo, and is then given to the user. */
static int make_target(const struct souk_sync *sync, const char *folder, int *has_rsync_out,
		       struct souk_error *err)
{
	struct souk_buf command, out;
	int status = 0, ret;

	souk_buf_init(&command, 65536);
	souk_buf_init(&out, 65536);
	souk_buf_str(&command, "D=");
	quote_path(&command, folder);
	souk_buf_str(&command,
		     "; { mkdir -p \"$D\" 2>/dev/null && [ -w \"$D\" ]; } || "
		     "{ sudo -n mkdir -p \"$D\" && sudo -n chown \"$(id -u)\" \"$D\"; } || "
		     "{ echo \"cannot make the folder '$D'\" >&2; exit 73; }; "
		     "command -v rsync >/dev/null 2>&1 && echo rsync || :");
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_capture(sync->remote, command.data, NULL, 0, &out, &status, err);
	if (ret == SOUK_OK && status != 0)
		ret = err ? err->code : SOUK_E_INTERNAL;
	if (ret == SOUK_OK)
		*has_rsync_out = strncmp(out.data, "rsync", 5) == 0;
	souk_buf_fini(&command);
	souk_buf_fini(&out);
	return ret;
}

/* ---- rsync ---- */

/* "ALIAS:PATH" with PATH as rsync wants it: relative is below HOME, no shell expansion. */
static char *rsync_target(const struct souk_sync *sync, const char *target)
{
	char *text = NULL;

	if (target[0] == '~')
		target += target[1] == '/' ? 2 : 1;
	if (asprintf(&text, "%s:%s", sync->alias, target[0] ? target : ".") < 0)
		return NULL;
	return text;
}

static int run_rsync(const struct souk_sync *sync, const char *source, const char *target,
		     const struct souk_buf *list, struct souk_error *err)
{
	SOUK_AUTO_FREE char *shell = NULL;
	SOUK_AUTO_FREE char *remote = rsync_target(sync, target);
	const char *argv[16];
	struct souk_proc_options options = {
		.argv = argv,
		.input = list ? list->data : NULL,
		.input_size = list ? list->len : 0,
		.cancel = sync->cancel,
	};
	struct souk_proc_result result;
	size_t n = 0;
	int ret;

	if (!remote || asprintf(&shell, "ssh -F '%s' -o BatchMode=yes", sync->ssh_config) < 0) {
		shell = NULL;
		return souk_error_nomem(err);
	}
	argv[n++] = "rsync";
	argv[n++] = "-lptD";
	argv[n++] = "-s"; /* no expansion of the path by the remote shell */
	argv[n++] = "-e";
	argv[n++] = shell;
	if (sync->compress)
		argv[n++] = "-z";
	if (list) {
		argv[n++] = "-d";
		argv[n++] = "--files-from=-";
		argv[n++] = "--from0";
	}
	argv[n++] = "--";
	argv[n++] = source;
	argv[n++] = remote;
	argv[n] = NULL;
	ret = souk_proc_run(&options, &result, err);
	if (ret < 0)
		return ret;
	/* 24: a file vanished while it was copied. */
	if (result.exit_status != 0 && result.exit_status != 24) {
		result.errs.data[strcspn(result.errs.data, "\r\n")] = '\0';
		ret = souk_error_set(err, SOUK_E_INTERNAL, "cannot copy '%s' to '%s': %s", source, remote,
				     result.errs.data[0] ? result.errs.data : "rsync failed");
	}
	souk_proc_result_fini(&result);
	return ret;
}

/* ---- tar ---- */

/* A local tar whose archive is read from 'fd'. */
struct archive {
	pid_t pid;
	int fd;
};

/* tar reads the list of names from a file that has no name, so that stdin needs no feeding. */
static int list_file(const struct souk_buf *list, struct souk_error *err)
{
	int fd = memfd_create("souk-list", MFD_CLOEXEC);
	size_t done = 0;

	if (fd < 0)
		return souk_error_errno(err, errno, "cannot make a list of files");
	while (done < list->len) {
		ssize_t n = write(fd, list->data + done, list->len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int errnum = errno;

			close(fd);
			return souk_error_errno(err, errnum, "cannot make a list of files");
		}
		done += (size_t)n;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int archive_open(struct archive *archive, const char *folder, const struct souk_buf *list,
			struct souk_error *err)
{
	const char *argv[] = { "tar", "-C", folder, "--null", "--no-recursion", "-T", "-",
			       "-cf", "-", NULL };
	posix_spawn_file_actions_t actions;
	int fds[2], names, errnum;

	names = list_file(list, err);
	if (names < 0)
		return names;
	if (pipe2(fds, O_CLOEXEC) < 0 || posix_spawn_file_actions_init(&actions) != 0) {
		errnum = errno;
		close(names);
		return souk_error_errno(err, errnum, "cannot make a pipe");
	}
	posix_spawn_file_actions_adddup2(&actions, names, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	errnum = posix_spawnp(&archive->pid, "tar", &actions, NULL, (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(names);
	close(fds[1]);
	archive->fd = fds[0];
	if (errnum != 0) {
		close(fds[0]);
		return souk_error_errno(err, errnum, "cannot start tar");
	}
	return SOUK_OK;
}

static int64_t archive_read(void *data, size_t size, void *arg)
{
	struct archive *archive = arg;
	ssize_t n;

	do
		n = read(archive->fd, data, size);
	while (n < 0 && errno == EINTR);
	return n < 0 ? SOUK_E_INTERNAL : n;
}

static int archive_close(struct archive *archive, const char *folder, struct souk_error *err)
{
	int status = 0;

	close(archive->fd);
	while (waitpid(archive->pid, &status, 0) < 0 && errno == EINTR)
		;
	/* 1: a file changed while it was read. */
	if (WIFEXITED(status) && WEXITSTATUS(status) <= 1)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_INTERNAL, "tar could not read all of '%s'", folder);
}

static int run_tar(const struct souk_sync *sync, const char *folder, const char *target,
		   const struct souk_buf *list, struct souk_error *err)
{
	struct archive archive;
	struct souk_buf command;
	struct souk_ssh_command run = {
		.on_input = archive_read, .arg = &archive, .cancel = sync->cancel,
	};
	int status = 0, ret, closed;

	ret = archive_open(&archive, folder, list, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&command, 65536);
	souk_buf_str(&command, "exec tar -xpf - -C ");
	quote_path(&command, target);
	run.command = command.data;
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_run(sync->remote, &run, &status, err);
	closed = archive_close(&archive, folder, ret == SOUK_OK ? err : NULL);
	if (ret == SOUK_OK)
		ret = closed;
	if (ret == SOUK_OK && status != 0)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "cannot copy '%s' to '%s' of %s: tar failed",
				     folder, target, souk_remote_name(sync->remote));
	souk_buf_fini(&command);
	return ret;
}

/* ---- The public ones ---- */

static int can_rsync(const struct souk_sync *sync, int there)
{
	SOUK_AUTO_FREE char *here = there && sync->ssh_config ? souk_fs_find_program("rsync") : NULL;

	return here != NULL;
}

int souk_sync_folder(const struct souk_sync *sync, const char *folder, const char *target,
		     struct souk_error *err)
{
	SOUK_AUTO_FREE char *source = souk_fs_join(folder, "");
	struct souk_buf list;
	int has_rsync = 0, ret;
	size_t n = 0;

	if (!source)
		return souk_error_nomem(err);
	souk_buf_init(&list, LIST_MAX);
	ret = souk_ignore_list(folder, &list, &n, err);
	if (ret == SOUK_OK)
		ret = make_target(sync, target, &has_rsync, err);
	if (ret == SOUK_OK && n > 0 && can_rsync(sync, has_rsync))
		ret = run_rsync(sync, source, target, &list, err);
	else if (ret == SOUK_OK && n > 0)
		ret = run_tar(sync, folder, target, &list, err);
	if (ret == SOUK_OK)
		souk_log(SOUK_LOG_INFO, "%s: copied %zu files and folders of '%s' to '%s'",
			 souk_remote_name(sync->remote), n, folder, target);
	souk_buf_fini(&list);
	return ret;
}

/* The folder of a path, "~" for a name alone. The caller frees it. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return strdup("~");
	return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

/* By tar the file arrives under its own name and is moved to where it belongs. */
static int file_by_tar(const struct souk_sync *sync, const char *file, const char *target,
		       const char *target_folder, struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = folder_of(file);
	const char *name = souk_fs_basename(file);
	struct souk_buf list, command;
	int ret;

	if (!folder)
		return souk_error_nomem(err);
	souk_buf_init(&list, 65536);
	souk_buf_init(&command, 65536);
	souk_buf_add(&list, name, strlen(name) + 1);
	ret = run_tar(sync, file[0] == '/' || strchr(file, '/') ? folder : ".", target_folder, &list, err);
	if (ret == SOUK_OK && strcmp(name, souk_fs_basename(target)) != 0) {
		souk_buf_str(&command, "cd ");
		quote_path(&command, target_folder);
		souk_buf_str(&command, " && mv -f -- ");
		quote(&command, name);
		souk_buf_str(&command, " ");
		quote(&command, souk_fs_basename(target));
		ret = run_remote(sync, &command, err);
	}
	souk_buf_fini(&list);
	souk_buf_fini(&command);
	return ret;
}

int souk_sync_file(const struct souk_sync *sync, const char *file, const char *target,
		   struct souk_error *err)
{
	SOUK_AUTO_FREE char *folder = folder_of(target);
	int has_rsync = 0, ret;

	if (!folder)
		return souk_error_nomem(err);
	ret = make_target(sync, folder, &has_rsync, err);
	if (ret < 0)
		return ret;
	if (can_rsync(sync, has_rsync))
		return run_rsync(sync, file, target, NULL, err);
	return file_by_tar(sync, file, target, folder, err);
}

int souk_sync_git(const struct souk_sync *sync, const char *url, const char *ref,
		  const char *token, struct souk_error *err)
{
	/* The token comes on stdin and lives in the environment of git alone. */
	static const char script[] =
		"command -v git >/dev/null || { echo 'git is not installed' >&2; exit 69; }; "
		"IFS= read -r SOUK_GIT_TOKEN; export SOUK_GIT_TOKEN; D=\"$HOME\"/souk_workdir; "
		"mkdir -p \"$D\" && cd \"$D\" && "
		"{ [ -d .git ] || git init -q .; } && "
		"{ git remote set-url origin \"$U\" 2>/dev/null || git remote add origin \"$U\"; } && "
		"if [ -n \"$SOUK_GIT_TOKEN\" ]; then set -- -c credential.helper= -c "
		"'credential.helper=!f() { echo username=x-access-token; echo \"password=$SOUK_GIT_TOKEN\"; }; f'; "
		"else set --; fi && export GIT_TERMINAL_PROMPT=0 && "
		"git \"$@\" fetch -q --tags origin && "
		"if [ -z \"$B\" ]; then git remote set-head origin -a >/dev/null; B=origin/HEAD; "
		"elif git rev-parse -q --verify \"origin/$B\" >/dev/null; then B=origin/$B; fi && "
		"git checkout -q -f --detach \"$B\"";
	SOUK_AUTO_FREE char *input = NULL;
	struct souk_buf command, out;
	int status = 0, ret;

	if (asprintf(&input, "%s\n", token ? token : "") < 0) {
		input = NULL;
		return souk_error_nomem(err);
	}
	souk_buf_init(&command, 65536);
	souk_buf_init(&out, 65536);
	souk_buf_str(&command, "U=");
	quote(&command, url);
	souk_buf_str(&command, "; B=");
	quote(&command, ref ? ref : "");
	souk_buf_printf(&command, "; %s", script);
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = souk_remote_capture(sync->remote, command.data, input, strlen(input), &out, &status,
					  err);
	if (ret == SOUK_OK && status != 0)
		ret = souk_error_prefix(err, "cannot clone '%s'", url);
	souk_wipe(input, strlen(input));
	souk_buf_fini(&command);
	souk_buf_fini(&out);
	return ret;
}
