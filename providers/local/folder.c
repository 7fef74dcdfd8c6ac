/* SPDX-License-Identifier: Apache-2.0 */
/* folder.c - make the folder of a machine: its record, keys, sshd configuration and HOME */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "fs.h"
#include "procs.h"

/* What the making of one folder works with. */
struct making {
	const struct local *self;
	const struct local_programs *programs;
	const struct souk_instance_spec *spec;
	const char *id;
	char new_name[LOCAL_ID_MAX + sizeof(LOCAL_NEW_PREFIX)];
	char mark[LOCAL_ID_MAX + 24];
	uint32_t rank;
	int dirfd;
	char *host_key; /* its public line */
};

int local_folder_write(int dirfd, const char *name, mode_t mode, const char *text,
		       struct souk_error *err)
{
	int ret = local_write_file(dirfd, name, mode, text);

	return ret < 0 ? local_fail(err, ret, "write the machine's file", name) : SOUK_OK;
}

static int write_buf(const struct making *m, const char *name, mode_t mode, struct souk_buf *buf,
		     struct souk_error *err)
{
	int ret = souk_buf_failed(buf, err);

	if (ret == SOUK_OK)
		ret = local_folder_write(m->dirfd, name, mode, buf->data, err);
	souk_buf_fini(buf);
	return ret;
}

/* ---- Keys ---------------------------------------------------------------------------------- */

/* "type base64" of a public key line, without the comment; the caller frees it. */
static char *without_comment(const char *line)
{
	size_t type = strcspn(line, " \t\r\n");
	size_t gap = strspn(line + type, " \t");
	size_t key = strcspn(line + type + gap, " \t\r\n");
	char *text;

	if (type == 0 || key == 0 ||
	    asprintf(&text, "%.*s %.*s", (int)type, line, (int)key, line + type + gap) < 0)
		return NULL;
	return text;
}

static int run_keygen(struct souk_call *call, const char *const *argv, char *output, size_t size,
		      struct souk_error *err)
{
	int32_t status = 0;
	int ret = souk_call_run(call, argv, output, size, &status, err);

	if (ret == SOUK_OK && status != 0) {
		souk_error_set(err, SOUK_E_INVALID, "ssh-keygen failed with status %d",
			       (int)status);
		souk_error_hint(err, "run again with --debug to see its words");
		ret = souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	return ret;
}

static int make_host_key(struct making *m, struct souk_call *call, struct souk_error *err)
{
	const struct souk_instance_spec *spec = m->spec;
	struct souk_buf text = { .data = NULL };
	char path[PATH_MAX];
	char output[8192];
	int ret = SOUK_OK;

	(void)snprintf(path, sizeof(path), "%s/%s/etc/ssh_host_key", m->self->root, m->new_name);
	if (spec->host_key_private) {
		size_t len = strlen(spec->host_key_private);

		souk_buf_init(&text, 65536);
		souk_buf_str(&text, spec->host_key_private);
		if (len && spec->host_key_private[len - 1] != '\n')
			souk_buf_str(&text, "\n");
		ret = write_buf(m, "etc/ssh_host_key", 0600, &text, err);
	} else {
		const char *const make[] = { "ssh-keygen", "-q",  "-t", "ed25519", "-N", "",
					     "-C",	   m->id, "-f", path,	   NULL };

		ret = run_keygen(call, make, output, sizeof(output), err);
	}
	if (ret == SOUK_OK && spec->host_key_private && spec->host_key_public) {
		m->host_key = without_comment(spec->host_key_public);
	} else if (ret == SOUK_OK) {
		const char *const show[] = { "ssh-keygen", "-y", "-f", path, NULL };

		ret = run_keygen(call, show, output, sizeof(output), err);
		if (ret == SOUK_OK)
			m->host_key = without_comment(output);
	}
	if (ret == SOUK_OK && !m->host_key)
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "the public half of the host key is not a key line");
	return ret;
}

static int write_authorized_key(const struct making *m, struct souk_error *err)
{
	struct souk_buf text = { .data = NULL };

	souk_buf_init(&text, 65536);
	souk_buf_printf(&text, "%.*s\n", (int)strcspn(m->spec->ssh_public_key, "\r\n"),
			m->spec->ssh_public_key);
	return write_buf(m, "etc/authorized_keys", 0600, &text, err);
}

/* ---- sshd ---------------------------------------------------------------------------------- */

static int is_plain_name(const char *name)
{
	return name[strspn(name,
			   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] ==
	       '\0';
}

/*
 * sshd runs once for each connection, under the supervisor, which does the listening. The
 * variables come last in a session's making, so HOME is the machine's own whatever the
 * account says; the login script moves into it.
 */
static int write_sshd_config(const struct making *m, struct souk_error *err)
{
	struct souk_buf text = { .data = NULL };
	char dir[PATH_MAX];

	(void)snprintf(dir, sizeof(dir), "%s/%s", m->self->root, m->id);
	souk_buf_init(&text, 65536);
	souk_buf_printf(&text,
			"HostKey \"%s/etc/ssh_host_key\"\n"
			"AuthorizedKeysFile \"%s/etc/authorized_keys\" "
			"\"%s/home/.ssh/authorized_keys\"\n"
			"PidFile none\n"
			"UsePAM %s\n"
			"StrictModes no\n",
			dir, dir, dir, m->programs->locked ? "yes" : "no");
	if (is_plain_name(m->programs->user))
		souk_buf_printf(&text, "AllowUsers %s\n", m->programs->user);
	souk_buf_str(&text, "PermitRootLogin prohibit-password\n"
			    "PubkeyAuthentication yes\n"
			    "PasswordAuthentication no\n"
			    "KbdInteractiveAuthentication no\n"
			    "AuthenticationMethods publickey\n"
			    "AllowTcpForwarding yes\n"
			    "AllowStreamLocalForwarding yes\n"
			    "AllowAgentForwarding yes\n"
			    "PermitUserEnvironment no\n"
			    "PermitUserRC no\n"
			    "AcceptEnv LANG LC_*\n"
			    "LoginGraceTime 60\n"
			    "MaxAuthTries 20\n"
			    "MaxSessions 1000\n"
			    "MaxStartups 1000\n"
			    "UseDNS no\n"
			    "PrintMotd no\n"
			    "PrintLastLog no\n"
			    "TCPKeepAlive yes\n"
			    "Subsystem sftp internal-sftp\n");
	souk_buf_printf(&text, "SetEnv \"HOME=%s/home\" \"%s=%s\"\n", dir, LOCAL_MARK_VARIABLE,
			m->mark);
	souk_buf_printf(&text, "ForceCommand '%s/etc/login'\n", dir);
	return write_buf(m, LOCAL_SSHD_CONFIG, 0600, &text, err);
}

/* A forced command also stands in for sshd's built-in sftp, whose program it has to run. */
static int write_login(const struct making *m, struct souk_error *err)
{
	struct souk_buf text = { .data = NULL };

	souk_buf_init(&text, 65536);
	souk_buf_str(&text, "#!/bin/sh\n"
			    "# What sshd runs for each session: the command asked for, in HOME.\n"
			    "cd \"$HOME\" || exit 1\n"
			    ": \"${SHELL:=/bin/sh}\"\n"
			    "if [ \"${SSH_ORIGINAL_COMMAND+set}\" != set ]; then\n"
			    "\texec \"$SHELL\" -l\n"
			    "fi\n"
			    "command=$SSH_ORIGINAL_COMMAND\n"
			    "unset SSH_ORIGINAL_COMMAND\n"
			    "case $command in\n"
			    "internal-sftp|'internal-sftp '*)\n");
	if (m->programs->sftp_server[0])
		souk_buf_printf(&text, "\texec '%s' ;;\n", m->programs->sftp_server);
	else
		souk_buf_str(&text, "\techo 'no sftp-server on this computer' >&2\n"
				    "\texit 127 ;;\n");
	souk_buf_str(&text, "esac\n"
			    "exec \"$SHELL\" -c \"$command\"\n");
	return write_buf(m, "etc/login", 0700, &text, err);
}

static int write_shutdown(const struct making *m, struct souk_error *err)
{
	struct souk_buf text = { .data = NULL };

	souk_buf_init(&text, 65536);
	souk_buf_printf(&text,
			"#!/bin/sh\n"
			"# Ends this machine with all that runs on it, as 'on_shutdown' says.\n"
			"exec '%s' shutdown '%s/%s'\n",
			m->programs->supervisor, m->self->root, m->id);
	return write_buf(m, "shutdown", 0700, &text, err);
}

/* ---- The record ---------------------------------------------------------------------------- */

static int write_record(const struct making *m, struct souk_error *err)
{
	const struct souk_instance_spec *spec = m->spec;
	struct souk_buf text = { .data = NULL };
	uint32_t i;

	souk_buf_init(&text, LOCAL_RECORD_MAX);
	souk_buf_printf(&text,
			"mark=%s\n"
			"cluster=%s\n"
			"owner=%s\n"
			"token=%s\n"
			"rank=%u\n"
			"count=%u\n"
			"instance_type=%s\n"
			"user=%s\n"
			"created_at=%lld\n"
			"host_key=%s\n",
			m->mark, spec->cluster, spec->owner, spec->request_token, (unsigned)m->rank,
			(unsigned)spec->count, spec->instance_type, m->programs->user,
			(long long)time(NULL), m->host_key);
	for (i = 0; i < spec->n_labels; i++) {
		souk_buf_str(&text, "label.");
		souk_buf_urlencode(&text, spec->labels[i].key);
		souk_buf_str(&text, "=");
		souk_buf_urlencode(&text, spec->labels[i].value ? spec->labels[i].value : "");
		souk_buf_str(&text, "\n");
	}
	return write_buf(m, LOCAL_RECORD, 0600, &text, err);
}

static int fill(struct making *m, struct souk_call *call, struct souk_error *err)
{
	static const char *const folders[] = { "etc", "home", "run" };
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; i < sizeof(folders) / sizeof(*folders); i++)
		if (mkdirat(m->dirfd, folders[i], 0700) < 0)
			return local_fail(err, -errno, "make the machine's folder", folders[i]);
	ret = make_host_key(m, call, err);
	if (ret == SOUK_OK)
		ret = write_authorized_key(m, err);
	if (ret == SOUK_OK)
		ret = write_sshd_config(m, err);
	if (ret == SOUK_OK)
		ret = write_login(m, err);
	if (ret == SOUK_OK)
		ret = write_shutdown(m, err);
	if (ret == SOUK_OK)
		ret = local_folder_write(m->dirfd, LOCAL_LOG, 0600, "", err);
	if (ret == SOUK_OK)
		ret = local_folder_write(m->dirfd, LOCAL_ON_SHUTDOWN, 0600,
					 m->spec->on_shutdown == SOUK_ON_SHUTDOWN_STOP
						 ? LOCAL_STOP "\n"
						 : LOCAL_TERMINATE "\n",
					 err);
	if (ret == SOUK_OK)
		ret = write_record(m, err);
	return ret;
}

int local_folder_make(const struct local *self, struct souk_call *call, int rootfd,
		      const struct local_programs *programs, const struct souk_instance_spec *spec,
		      uint32_t rank, const char *id, struct souk_error *err)
{
	struct making m = {
		.self = self, .programs = programs, .spec = spec, .id = id, .rank = rank
	};
	uint64_t unique;
	int ret;

	if (getrandom(&unique, sizeof(unique), 0) != (ssize_t)sizeof(unique))
		return local_fail(err, -errno, "get random bytes for", id);
	(void)snprintf(m.mark, sizeof(m.mark), "%s-%016llx", id, (unsigned long long)unique);
	(void)snprintf(m.new_name, sizeof(m.new_name), "%s%s", LOCAL_NEW_PREFIX, id);
	ret = local_remove_tree(rootfd, m.new_name);
	if (ret == 0 && mkdirat(rootfd, m.new_name, 0700) < 0)
		ret = -errno;
	if (ret < 0)
		return local_fail(err, ret, "make the folder of the machine", id);
	m.dirfd = openat(rootfd, m.new_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m.dirfd < 0)
		ret = local_fail(err, -errno, "open the folder of the machine", id);
	else
		ret = fill(&m, call, err);
	if (ret == SOUK_OK && renameat(rootfd, m.new_name, rootfd, id) < 0)
		ret = local_fail(err, -errno, "name the folder of the machine", id);
	if (ret != SOUK_OK)
		(void)local_remove_tree(rootfd, m.new_name);
	if (m.dirfd >= 0)
		(void)close(m.dirfd);
	free(m.host_key);
	return ret;
}
