/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh.h - SSH over libssh: a verified connection, commands on it, keys */
#ifndef SOUK_NET_SSH_H
#define SOUK_NET_SSH_H

#include "base/cancel.h"

/*
 * Where and how to connect. Borrowed by souk_ssh_connect(). No file of the user's or of the
 * system's configuration is read, no agent is asked. A proxy command is run by /bin/sh in a
 * session of its own, with %h (also %n), %p, %r and %% replaced; "none" is like NULL.
 */
struct souk_ssh_target {
	const char *name;	   /* for messages: the cluster and node */
	const char *address;
	uint32_t port;
	const char *user;
	const char *private_key;   /* text of an OpenSSH private key; secret */
	const char *host_key;	   /* "ssh-ed25519 AAAA..."; NULL: take what comes, and tell */
	const char *proxy_command; /* as in ssh_config; NULL: none */
};

struct souk_ssh;

/*
 * Connect, verify the host key BEFORE anything else is sent, log in with the key. timeout_ms
 * is for all of it; 0: 30 s. TRANSIENT: not reachable (yet). AUTH (scope OFFER): the login was
 * refused. CONFLICT: the host key is not the one expected; the message names the danger, the
 * fingerprints and the address. With target->host_key NULL, *host_key_out gets the key seen
 * ("type base64", the caller frees it); else NULL.
 */
int souk_ssh_connect(const struct souk_ssh_target *target, uint32_t timeout_ms,
		     struct souk_cancel *cancel, struct souk_ssh **ssh_out, char **host_key_out,
		     struct souk_error *err);
void souk_ssh_free(struct souk_ssh *ssh);

struct souk_ssh_command {
	const char *command;	   /* for the remote user's shell */
	const void *input;	   /* its stdin, then end of file */
	size_t input_size;
	/* More stdin after 'input': fill data, return bytes, 0 at the end, negative to abort.
	 * May be NULL. */
	int64_t (*on_input)(void *data, size_t size, void *arg);
	/* stdout (fd 1) and stderr (fd 2) as they come; not 0 aborts with that code.
	 * NULL: dropped. */
	int (*on_output)(int fd, const char *data, size_t size, void *arg);
	void *arg;
	uint32_t timeout_ms;	   /* 0: none */
	struct souk_cancel *cancel;
};

/*
 * Run a command. SOUK_OK if it ended, with its exit status (128 + N for signal N). TIMEOUT
 * (timeout_ms is over) or TRANSIENT (the connection was lost, or silent for 3 keepalives of
 * 15 s): what the command did is not known. When it is given up (timeout, cancellation, abort)
 * it is sent SIGTERM, as far as the connection allows. One command at a time on one connection;
 * a callback must not use the connection. After a failure that is not TRANSIENT it can be used on.
 */
int souk_ssh_run(struct souk_ssh *ssh, const struct souk_ssh_command *command,
		 int *exit_status_out, struct souk_error *err);

/*
 * Run a command and keep what fits of its stdout in 'out' (initialised by the caller, whose
 * ceiling counts). A non-zero exit status is no error: SOUK_OK is returned, but 'err' then holds
 * INTERNAL, with the tail of stderr, for callers that make it one.
 */
int souk_ssh_capture(struct souk_ssh *ssh, const char *command, const void *input,
		     size_t input_size, uint32_t timeout_ms, struct souk_cancel *cancel,
		     struct souk_buf *out, int *exit_status_out, struct souk_error *err);

/* A new ed25519 key pair: *private_out in OpenSSH's format, *public_out "ssh-ed25519 AAAA...
 * comment". Both are the caller's; wipe the private one. */
int souk_ssh_keygen(const char *comment, char **private_out, char **public_out,
		    struct souk_error *err);

/* "SHA256:..." of a public key line, as ssh-keygen -l prints it. The caller frees it. */
int souk_ssh_fingerprint(const char *public_line, char **text_out, struct souk_error *err);

#endif
