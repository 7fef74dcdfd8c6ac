/* SPDX-License-Identifier: Apache-2.0 */
/* unit/ssh-fixture.h - a real sshd for each test, on loopback, with keys of its own */
#ifndef SOUK_TESTS_SSH_FIXTURE_H
#define SOUK_TESTS_SSH_FIXTURE_H

#include <check.h>
#include <pthread.h>
#include <sys/types.h>

#include "net/ssh.h"

enum { CHILDREN_MAX = 16 };

/* What the listener does with a connection. */
enum service { SERVE_SSHD, SERVE_SILENCE, SERVE_CLOSE, SERVE_RESET };

/*
 * The test itself listens and starts 'sshd -i' on each connection, so that no port can be taken
 * by somebody else, and the process that serves a connection is known.
 */
struct ssh_host {
	char folder[64];
	char *sshd;
	char *config;
	char *log;
	int fd;
	unsigned port;
	int stop_fds[2];
	pthread_t thread;
	enum service service;
	struct souk_cancel *cancel; /* set when SERVE_SILENCE has a connection */
	pthread_mutex_t lock;
	pid_t children[CHILDREN_MAX];
	unsigned n_children;
};

extern struct ssh_host host;
extern char *user_private, *user_public, *host_private, *host_public;
extern char user[64];
extern struct souk_error err;
extern struct souk_ssh *ssh;	      /* freed after the test */
extern struct souk_ssh_target target; /* the host, as it is */

/* 0: this machine has no sshd. */
int ssh_fixture_find_sshd(void);
TCase *ssh_fixture_add_case(Suite *suite, const char *name);

/* The path of a file in the folder of the test; the caller frees it. */
char *in_folder(const char *name);
void write_file(const char *name, const char *text);

/* End the sshd of every connection and whatever belongs to its process group. */
void kill_children(void);
/* What sshd has logged, when every connection has ended; the caller frees it. */
char *finished_log(void);

int connect_now(uint32_t timeout_ms, struct souk_cancel *cancel);
/* Connect, or fail the test with the message. */
void must_connect(void);

#endif
