/* SPDX-License-Identifier: Apache-2.0 */
/* programs.c - the programs that a local machine needs, and the user who runs it */
#include "local.h"

#include <dlfcn.h>
#include <pwd.h>
#include <shadow.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SOUK_PKGLIBEXECDIR
#define SOUK_PKGLIBEXECDIR "/usr/local/libexec/souk"
#endif

#define SUPERVISOR "souk-local-machine"

static int is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

/* Is there a program of this name in the folder? Then its path is in 'path', of PATH_MAX bytes. */
static int is_in(const char *dir, size_t dir_len, const char *name, char *path)
{
	int n;

	if (dir_len == 0 || dir[0] != '/')
		return 0;
	n = snprintf(path, PATH_MAX, "%.*s/%s", (int)dir_len, dir, name);
	return n > 0 && n < PATH_MAX && is_program(path);
}

static int find_in_path(const char *path_list, const char *name, char *path)
{
	while (path_list && *path_list) {
		size_t len = strcspn(path_list, ":");

		if (is_in(path_list, len, name, path))
			return 1;
		path_list += len + (path_list[len] == ':');
	}
	return 0;
}

static int find_sshd(const struct local *self, char *path, struct souk_error *err)
{
	if (self->sshd[0]) {
		(void)snprintf(path, PATH_MAX, "%s", self->sshd);
		if (is_program(path))
			return SOUK_OK;
		souk_error_set(err, SOUK_E_UNSUPPORTED, "the setting sshd: no program: '%s'",
			       self->sshd);
		souk_error_hint(err, "leave the setting out to have it looked for");
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	if (find_in_path(getenv("PATH"), "sshd", path) ||
	    find_in_path("/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/usr/local/bin:/opt/sbin",
			 "sshd", path))
		return SOUK_OK;
	souk_error_set(err, SOUK_E_UNSUPPORTED, "no sshd on this computer");
	souk_error_hint(err,
			"apt-get install openssh-server, or set local.sshd to its path; it need "
			"not be running");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

static void find_sftp_server(char *path)
{
	if (!find_in_path("/usr/lib/openssh:/usr/libexec/openssh:/usr/lib/ssh:/usr/libexec:"
			  "/usr/lib/misc:/usr/local/libexec:/usr/local/libexec/openssh",
			  "sftp-server", path))
		path[0] = '\0';
}

/* Beside the module, one above it (the build tree has lib/souk like this), where installed. */
static int find_supervisor(const struct local *self, char *path, struct souk_error *err)
{
	char dir[PATH_MAX] = "";
	Dl_info info;
	char *slash;

	if (self->supervisor[0]) {
		(void)snprintf(path, PATH_MAX, "%s", self->supervisor);
		if (is_program(path))
			return SOUK_OK;
		souk_error_set(err, SOUK_E_UNSUPPORTED, "the setting supervisor: no program: '%s'",
			       self->supervisor);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	if (dladdr((void *)(uintptr_t)find_in_path, &info) && info.dli_fname &&
	    realpath(info.dli_fname, dir)) {
		slash = strrchr(dir, '/');
		*slash = '\0';
		if (is_in(dir, strlen(dir), SUPERVISOR, path))
			return SOUK_OK;
		slash = strrchr(dir, '/');
		if (slash && is_in(dir, (size_t)(slash - dir), SUPERVISOR, path))
			return SOUK_OK;
	}
	if (is_in(SOUK_PKGLIBEXECDIR, strlen(SOUK_PKGLIBEXECDIR), SUPERVISOR, path))
		return SOUK_OK;
	souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not in '%s'", SUPERVISOR,
		       SOUK_PKGLIBEXECDIR);
	souk_error_hint(err,
			"install souk-provider-local again, or set local.supervisor to its path");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

/* sshd without PAM lets nobody in whose password is locked; only root can see whether it is. */
static int is_locked(const char *user)
{
	struct spwd entry;
	struct spwd *found = NULL;
	char text[4096];

	return geteuid() == 0 && getspnam_r(user, &entry, text, sizeof(text), &found) == 0 &&
	       found && found->sp_pwdp && found->sp_pwdp[0] == '!';
}

static int find_user(struct local_programs *programs, struct souk_error *err)
{
	struct passwd entry;
	struct passwd *found = NULL;
	char text[16384];
	const char *shell;
	const char *name;

	if (getpwuid_r(geteuid(), &entry, text, sizeof(text), &found) != 0 || !found ||
	    strlen(found->pw_name) >= sizeof(programs->user)) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "user %lu has no name on this computer, so sshd cannot log it in",
			       (unsigned long)geteuid());
		souk_error_hint(err, "give it an entry in /etc/passwd");
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	shell = found->pw_shell && found->pw_shell[0] ? found->pw_shell : "/bin/sh";
	name = strrchr(shell, '/') ? strrchr(shell, '/') + 1 : shell;
	if (!is_program(shell) || strcmp(name, "nologin") == 0 || strcmp(name, "false") == 0) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "user '%s' cannot log in: the login shell is '%s'", found->pw_name,
			       shell);
		souk_error_hint(err, "chsh -s /bin/sh %s", found->pw_name);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	(void)snprintf(programs->user, sizeof(programs->user), "%s", found->pw_name);
	programs->locked = is_locked(found->pw_name);
	return SOUK_OK;
}

int local_programs_find(const struct local *self, struct local_programs *programs,
			struct souk_error *err)
{
	int ret;

	memset(programs, 0, sizeof(*programs));
	ret = find_sshd(self, programs->sshd, err);
	if (ret == SOUK_OK)
		ret = find_supervisor(self, programs->supervisor, err);
	if (ret == SOUK_OK)
		ret = find_user(programs, err);
	if (ret == SOUK_OK)
		find_sftp_server(programs->sftp_server);
	return ret;
}
