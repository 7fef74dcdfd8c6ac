/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh-internal.h - what the files of the SSH transport share */
#ifndef SOUK_NET_SSH_INTERNAL_H
#define SOUK_NET_SSH_INTERNAL_H

#include <stdint.h>
#include <sys/types.h>

#include <libssh/libssh.h>

#include "net/ssh.h"

#define SOUK_SSH_WHERE_SIZE 256
#define SOUK_SSH_TAIL_SIZE 256

/* The last words of a stream, as one line. */
struct souk_ssh_tail {
	char text[SOUK_SSH_TAIL_SIZE];
	size_t len;
};

void souk_ssh_tail_add(struct souk_ssh_tail *tail, const char *data, size_t size);
/* Without the blanks around; may be empty. Borrowed. */
const char *souk_ssh_tail_text(struct souk_ssh_tail *tail);

/* A proxy command that runs; zeroed: there is none. */
struct souk_ssh_proxy {
	pid_t pid;
	int err_fd;	 /* its stderr, to be read without waiting */
	int is_err_open; /* err_fd is a descriptor */
	int is_err_over; /* nothing more will come */
	struct souk_ssh_tail tail;
};

struct souk_ssh {
	char where[SOUK_SSH_WHERE_SIZE]; /* "'NAME' at ADDRESS:PORT" */
	ssh_session session;
	ssh_event event;
	int is_attached; /* the session is in the event */
	int is_watching; /* the proxy's stderr is */
	int fd;		 /* of the connection; libssh closes it when it fails */
	int is_given;	 /* libssh has it */
	struct souk_ssh_proxy proxy;
	struct ssh_counter_struct counter; /* of bytes on the wire */
};

/* ssh.c */

/*
 * Wait until something has happened on the connection, or end_ms has come. SOUK_OK; TIMEOUT,
 * CANCELLED, or TRANSIENT if it is lost, without a message. The cancel flag's descriptor must
 * have been given to souk_ssh_watch() for the time.
 */
int souk_ssh_wait(struct souk_ssh *ssh, int64_t end_ms, struct souk_cancel *cancel);
int souk_ssh_watch(struct souk_ssh *ssh, struct souk_cancel *cancel);
void souk_ssh_unwatch(struct souk_ssh *ssh, struct souk_cancel *cancel);

/* ssh-dial.c: a TCP connection, not blocking. TRANSIENT, CANCELLED or INVALID. */
int souk_ssh_dial(const char *where, const char *address, uint32_t port, int64_t end_ms,
		  struct souk_cancel *cancel, int *fd_out, struct souk_error *err);

/* ssh-proxy.c */
int souk_ssh_proxy_start(const struct souk_ssh_target *target, struct souk_ssh_proxy *proxy,
			 int *fd_out, struct souk_error *err);
/* Read what it has said. */
void souk_ssh_proxy_listen(struct souk_ssh_proxy *proxy);
/* End it and whatever it has started. */
void souk_ssh_proxy_stop(struct souk_ssh_proxy *proxy);

/* ssh-keys.c */
int souk_ssh_init(struct souk_error *err);
int souk_ssh_parse_public(const char *line, ssh_key *key_out, struct souk_error *err);
int souk_ssh_parse_private(const char *text, ssh_key *key_out, struct souk_error *err);
/* "SHA256:..." and "type base64" of a key; the caller frees them. */
int souk_ssh_key_fingerprint(ssh_key key, char **text_out, struct souk_error *err);
int souk_ssh_key_line(ssh_key key, const char *comment, char **text_out, struct souk_error *err);

#endif
