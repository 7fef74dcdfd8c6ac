/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh.c - a verified SSH connection: dialled, its host key checked, logged in */
#include "net/ssh-internal.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/util.h"

enum {
	TIMEOUT_DEFAULT_MS = 30000,
	FD_MAX = 0xffff, /* libssh keeps no more of it */
	USER_MAX = 255
};

/* ---- Waiting --------------------------------------------------------------------- */

/* That the wait is over is all there is to know; who waited looks at the flag. */
static int on_cancel(socket_t fd, int revents, void *arg)
{
	(void)fd;
	(void)revents;
	(void)arg;
	return 0;
}

static int on_proxy(socket_t fd, int revents, void *arg)
{
	(void)fd;
	(void)revents;
	souk_ssh_proxy_listen(arg);
	return 0;
}

int souk_ssh_watch(struct souk_ssh *ssh, struct souk_cancel *cancel)
{
	if (!cancel)
		return SOUK_OK;
	return ssh_event_add_fd(ssh->event, souk_cancel_fd(cancel), POLLIN, on_cancel, NULL) ==
			       SSH_OK
		       ? SOUK_OK
		       : SOUK_E_NOMEM;
}

void souk_ssh_unwatch(struct souk_ssh *ssh, struct souk_cancel *cancel)
{
	if (cancel)
		ssh_event_remove_fd(ssh->event, souk_cancel_fd(cancel));
}

/* The proxy has no stderr any more: polling it would never wait again. */
static void forget_proxy_stderr(struct souk_ssh *ssh)
{
	if (!ssh->is_watching || !ssh->proxy.is_err_over)
		return;
	ssh_event_remove_fd(ssh->event, ssh->proxy.err_fd);
	ssh->is_watching = 0;
}

int souk_ssh_wait(struct souk_ssh *ssh, int64_t end_ms, struct souk_cancel *cancel)
{
	int64_t left = end_ms - souk_clock_ms();
	int rc;

	if (souk_cancel_is_set(cancel))
		return SOUK_E_CANCELLED;
	if (left <= 0)
		return SOUK_E_TIMEOUT;
	rc = ssh_event_dopoll(ssh->event, left > INT_MAX ? INT_MAX : (int)left);
	forget_proxy_stderr(ssh);
	if (rc == SSH_ERROR || !ssh_is_connected(ssh->session) ||
	    (ssh_get_status(ssh->session) & (SSH_CLOSED_ERROR | SSH_CLOSED)))
		return SOUK_E_TRANSIENT;
	return SOUK_OK;
}

/*
 * libssh makes the socket wait when it finds it connected, and joins its poll set only then.
 * A socket that waits would hold up cancellation when the other side does not read.
 */
static int settle(struct souk_ssh *ssh)
{
	int fd = ssh_get_fd(ssh->session);

	if (fd >= 0)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (ssh->is_attached)
		return SOUK_OK;
	if (ssh_event_add_session(ssh->event, ssh->session) != SSH_OK)
		return SOUK_E_NOMEM;
	ssh->is_attached = 1;
	if (ssh->proxy.is_err_open) {
		if (ssh_event_add_fd(ssh->event, ssh->proxy.err_fd, POLLIN, on_proxy,
				     &ssh->proxy) != SSH_OK)
			return SOUK_E_NOMEM;
		ssh->is_watching = 1;
	}
	return SOUK_OK;
}

/* ---- Steps of a login ------------------------------------------------------------ */

struct login {
	struct souk_ssh *ssh;
	const struct souk_ssh_target *target;
	int64_t end_ms;
	uint32_t timeout_ms;
	struct souk_cancel *cancel;
	ssh_key private_key;
	ssh_key expected; /* NULL: any */
	ssh_key seen;
};

static int fail_wait(const struct login *login, int code, const char *doing, struct souk_error *err)
{
	switch (code) {
	case SOUK_E_CANCELLED:
		return souk_error_set(err, code, "connecting to %s was cancelled",
				      login->ssh->where);
	case SOUK_E_TIMEOUT:
		return souk_error_set(err, SOUK_E_TRANSIENT,
				      "no answer from %s in %" PRIu32 " ms, %s", login->ssh->where,
				      login->timeout_ms, doing);
	case SOUK_E_NOMEM:
		return souk_error_nomem(err);
	default:
		return SOUK_E_TRANSIENT;
	}
}

static int lost(const struct login *login, const char *doing, struct souk_error *err)
{
	struct souk_ssh *ssh = login->ssh;
	const char *why = ssh_get_error(ssh->session);
	const char *said;

	souk_ssh_proxy_listen(&ssh->proxy);
	said = souk_ssh_tail_text(&ssh->proxy.tail);
	return souk_error_set(err, SOUK_E_TRANSIENT, "lost %s, %s: %s%s%s", ssh->where, doing,
			      *why ? why : "connection closed",
			      *said ? "; the proxy command says: " : "", said);
}

static int refuse_host_key(const struct login *login, const char *expected, const char *seen,
			   struct souk_error *err)
{
	souk_error_set(
		err, SOUK_E_CONFLICT,
		"the SSH host key of %s is not the one given to it: somebody may be intercepting "
		"the connection; nothing was sent (expected %s, seen %s)",
		login->ssh->where, expected, seen);
	souk_error_hint(err,
			"do not go on unless you know why; if the machine was made anew by other "
			"means, tear it down with 'souk down' and launch it again");
	return SOUK_E_CONFLICT;
}

static int exchange_keys(struct login *login, struct souk_error *err)
{
	static const char doing[] = "in the SSH handshake";
	ssh_session session = login->ssh->session;
	char *fingerprint = NULL;
	int rc, ret;

	login->ssh->is_given = 1;
	while ((rc = ssh_connect(session)) == SSH_AGAIN) {
		ret = settle(login->ssh);
		if (ret == SOUK_OK)
			ret = souk_ssh_wait(login->ssh, login->end_ms, login->cancel);
		if (ret < 0 && ret != SOUK_E_TRANSIENT)
			return fail_wait(login, ret, doing, err);
	}
	if (rc == SSH_OK)
		return settle(login->ssh) < 0 ? souk_error_nomem(err) : SOUK_OK;
	/* An impostor need not have a key of a known type at all. */
	if (!login->expected || !strstr(ssh_get_error(session), "server host key algo"))
		return lost(login, doing, err);
	ret = souk_ssh_key_fingerprint(login->expected, &fingerprint, err);
	if (ret == SOUK_OK)
		ret = refuse_host_key(login, fingerprint, "no known type", err);
	free(fingerprint);
	return ret;
}

static int verify_host_key(struct login *login, struct souk_error *err)
{
	char *expected = NULL, *seen = NULL;
	int ret;

	if (ssh_get_server_publickey(login->ssh->session, &login->seen) != SSH_OK)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot read the host key of %s",
				      login->ssh->where);
	if (!login->expected || ssh_key_cmp(login->expected, login->seen, SSH_KEY_CMP_PUBLIC) == 0)
		return SOUK_OK;
	ret = souk_ssh_key_fingerprint(login->expected, &expected, err);
	if (ret == SOUK_OK)
		ret = souk_ssh_key_fingerprint(login->seen, &seen, err);
	if (ret == SOUK_OK)
		ret = refuse_host_key(login, expected, seen, err);
	free(expected);
	free(seen);
	return ret;
}

static int refused(const struct login *login, const char *why, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_AUTH, "%s refused the login of user '%s'%s", login->ssh->where,
		       login->target->user, why);
	souk_error_hint(err, "the machine does not know the key yet, or the user is another one");
	return souk_error_scope(err, SOUK_SCOPE_OFFER);
}

static int authenticate(struct login *login, struct souk_error *err)
{
	static const char doing[] = "logging in";
	ssh_session session = login->ssh->session;
	int rc, ret;

	while ((rc = ssh_userauth_publickey(session, NULL, login->private_key)) == SSH_AUTH_AGAIN) {
		ret = souk_ssh_wait(login->ssh, login->end_ms, login->cancel);
		if (ret == SOUK_E_TRANSIENT)
			return lost(login, doing, err);
		if (ret < 0)
			return fail_wait(login, ret, doing, err);
	}
	switch (rc) {
	case SSH_AUTH_SUCCESS:
		return SOUK_OK;
	case SSH_AUTH_PARTIAL:
		return refused(login, ": it asks for more than a key", err);
	case SSH_AUTH_DENIED:
		return refused(login, "", err);
	default:
		return lost(login, doing, err);
	}
}

/* ---- Putting it together --------------------------------------------------------- */

/*
 * The type of the expected key comes first, so that a host which has it shows that one. The
 * others are for an impostor who has not: its key is seen, and refused with a fingerprint.
 */
static int set_host_key_types(ssh_session session, ssh_key expected)
{
	static const char others[] = "ssh-ed25519,ecdsa-sha2-nistp256,ecdsa-sha2-nistp384,"
				     "ecdsa-sha2-nistp521,rsa-sha2-512,rsa-sha2-256";
	enum ssh_keytypes_e type = ssh_key_type(expected);
	char list[256];

	/* RSA keys sign with SHA-2; SHA-1, which has the key's own name, is not accepted. */
	snprintf(list, sizeof(list), "%s,%s",
		 type == SSH_KEYTYPE_RSA ? "rsa-sha2-512,rsa-sha2-256" : ssh_key_type_to_char(type),
		 others);
	return ssh_options_set(session, SSH_OPTIONS_HOSTKEYS, list);
}

static int set_options(const struct login *login, struct souk_error *err)
{
	ssh_session session = login->ssh->session;
	const bool no = false;
	int failed = 0;

	failed |= ssh_options_set(session, SSH_OPTIONS_PROCESS_CONFIG, &no);
	failed |= ssh_options_set(session, SSH_OPTIONS_SSH_DIR, "/dev/null");
	failed |= ssh_options_set(session, SSH_OPTIONS_KNOWNHOSTS, "/dev/null");
	failed |= ssh_options_set(session, SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
	failed |= ssh_options_set(session, SSH_OPTIONS_USER, login->target->user);
	failed |= ssh_options_set(session, SSH_OPTIONS_COMPRESSION, "no");
	failed |= ssh_options_set(session, SSH_OPTIONS_FD, &login->ssh->fd);
	if (login->expected)
		failed |= set_host_key_types(session, login->expected);
	if (failed)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "cannot prepare the connection to %s: %s", login->ssh->where,
				      ssh_get_error(session));
	/* The quickest first; a library that lacks one keeps its own order. */
	ssh_options_set(
		session, SSH_OPTIONS_CIPHERS_C_S,
		"aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
		"aes256-ctr,aes192-ctr,aes128-ctr");
	ssh_options_set(
		session, SSH_OPTIONS_CIPHERS_S_C,
		"aes128-gcm@openssh.com,aes256-gcm@openssh.com,chacha20-poly1305@openssh.com,"
		"aes256-ctr,aes192-ctr,aes128-ctr");
	ssh_set_blocking(session, 0);
	ssh_set_counters(session, &login->ssh->counter, NULL);
	return SOUK_OK;
}

static int check_target(const struct souk_ssh_target *target, struct souk_error *err)
{
	if (!target->address || !*target->address)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' has no address for SSH",
				      target->name ? target->name : "");
	if (target->port == 0 || target->port > 65535)
		return souk_error_set(err, SOUK_E_INVALID, "'%s': not a port: %" PRIu32,
				      target->name ? target->name : target->address, target->port);
	if (!target->user || !*target->user || strlen(target->user) > USER_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' has no user name for SSH",
				      target->name ? target->name : target->address);
	return SOUK_OK;
}

static int dial(const struct login *login, struct souk_error *err)
{
	const struct souk_ssh_target *target = login->target;
	struct souk_ssh *ssh = login->ssh;
	int ret;

	if (target->proxy_command && *target->proxy_command &&
	    strcmp(target->proxy_command, "none") != 0)
		ret = souk_ssh_proxy_start(target, &ssh->proxy, &ssh->fd, err);
	else
		ret = souk_ssh_dial(ssh->where, target->address, target->port, login->end_ms,
				    login->cancel, &ssh->fd, err);
	if (ret == SOUK_OK && ssh->fd > FD_MAX)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "too many open files to connect to %s",
				     ssh->where);
	return ret;
}

/* Everything between an empty object and a connection that may be used. */
static int establish(struct login *login, struct souk_error *err)
{
	const struct souk_ssh_target *target = login->target;
	struct souk_ssh *ssh = login->ssh;
	int ret;

	ret = souk_ssh_parse_private(target->private_key, &login->private_key, err);
	if (ret == SOUK_OK && target->host_key)
		ret = souk_ssh_parse_public(target->host_key, &login->expected, err);
	if (ret < 0)
		return souk_error_prefix(err, "%s", ssh->where);
	ret = dial(login, err);
	if (ret < 0)
		return ret;
	ssh->session = ssh_new();
	ssh->event = ssh_event_new();
	if (!ssh->session || !ssh->event || souk_ssh_watch(ssh, login->cancel) < 0)
		return souk_error_nomem(err);
	ret = set_options(login, err);
	if (ret == SOUK_OK)
		ret = exchange_keys(login, err);
	if (ret == SOUK_OK)
		ret = verify_host_key(login, err);
	if (ret == SOUK_OK)
		ret = authenticate(login, err);
	souk_ssh_unwatch(ssh, login->cancel);
	return ret;
}

int souk_ssh_connect(const struct souk_ssh_target *target, uint32_t timeout_ms,
		     struct souk_cancel *cancel, struct souk_ssh **ssh_out, char **host_key_out,
		     struct souk_error *err)
{
	struct souk_error own_err = SOUK_ERROR_INIT;
	struct login login = { .target = target, .cancel = cancel };
	int64_t start = souk_clock_ms();
	char *line = NULL;
	int ret;

	if (!err)
		err = &own_err;
	ret = check_target(target, err);
	if (ret < 0)
		return ret;
	login.timeout_ms = timeout_ms ? timeout_ms : TIMEOUT_DEFAULT_MS;
	login.end_ms = start + login.timeout_ms;
	login.ssh = calloc(1, sizeof(*login.ssh));
	if (!login.ssh)
		return souk_error_nomem(err);
	login.ssh->fd = -1;
	snprintf(login.ssh->where, sizeof(login.ssh->where), "'%.80s' at %.120s:%u",
		 target->name ? target->name : target->address, target->address,
		 (unsigned)target->port);
	ret = establish(&login, err);
	if (ret == SOUK_OK && !target->host_key && host_key_out)
		ret = souk_ssh_key_line(login.seen, NULL, &line, err);
	ssh_key_free(login.private_key);
	ssh_key_free(login.expected);
	ssh_key_free(login.seen);
	if (ret < 0) {
		souk_log(SOUK_LOG_DEBUG, "ssh: %s", err->message);
		souk_ssh_free(login.ssh);
		return ret;
	}
	souk_log(SOUK_LOG_DEBUG, "ssh: connected to %s in %" PRId64 " ms", login.ssh->where,
		 souk_clock_ms() - start);
	if (host_key_out)
		*host_key_out = line;
	*ssh_out = login.ssh;
	return SOUK_OK;
}

void souk_ssh_free(struct souk_ssh *ssh)
{
	int fd;

	if (!ssh)
		return;
	fd = ssh->is_given ? ssh_get_fd(ssh->session) : ssh->fd;
	if (ssh->event) {
		if (ssh->is_watching)
			ssh_event_remove_fd(ssh->event, ssh->proxy.err_fd);
		if (ssh->is_attached)
			ssh_event_remove_session(ssh->event, ssh->session);
		ssh_event_free(ssh->event);
	}
	if (ssh->session) {
		if (ssh->is_given)
			ssh_disconnect(ssh->session);
		ssh_free(ssh->session);
	}
	/* libssh leaves a descriptor that it was given open, unless the connection has failed. */
	if (fd >= 0)
		close(fd);
	souk_ssh_proxy_stop(&ssh->proxy);
	free(ssh);
}
