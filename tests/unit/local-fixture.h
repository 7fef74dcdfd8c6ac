/* SPDX-License-Identifier: Apache-2.0 */
/* local-fixture.h - a host for the local provider alone, and what its tests do with machines */
#ifndef SOUK_TEST_LOCAL_FIXTURE_H
#define SOUK_TEST_LOCAL_FIXTURE_H

#include <souk/provider.h>

#include <check.h>
#include <limits.h>
#include <sys/types.h>

#include "machine.h"

#ifndef SOUK_TEST_SUPERVISOR
#define SOUK_TEST_SUPERVISOR "./souk-local-machine"
#endif

/* What the module exports. */
const struct souk_provider_ops *souk_provider_entry(void);

extern char top[64]; /* everything that the tests make is in here */
extern char public_key[1024];
extern char host_private[8192];
extern char host_public[1024];
extern void *self;
extern struct souk_call call;

struct souk_call {
	int cancelled;
	const char *sshd;
};

struct souk_offer_list {
	uint32_t n;
	struct {
		char type[96];
		char accelerator[64];
		struct souk_offer offer;
	} at[32];
};

struct machine {
	char id[LOCAL_ID_MAX + 1];
	char host[32];
	char user[64];
	char key[1024];
	char command[PATH_MAX];
	char token[64];
	uint32_t port;
	int32_t status;
};

struct souk_instance_list {
	uint32_t n;
	struct machine at[16];
};

struct souk_identity {
	char text[1024];
};

typedef int ref_op(void *, struct souk_call *, const struct souk_instance_ref *, uint32_t,
		   struct souk_error *);

#define SSH(machine, output, command)                                                              \
	sh(output, sizeof(output), "ssh %s %s %s 2>&1", ssh_options(machine), (machine)->host,     \
	   command)

/* Run a shell command; its output without the last newline. Returns its exit status. */
int sh(char *output, size_t size, const char *fmt, ...) SOUK_PRINTF(3, 4);
/* The options by which ssh, sftp and rsync reach a machine, whose host key they verify. */
const char *ssh_options(const struct machine *m);
const struct souk_provider_ops *ops(void);
void must(int ret, const struct souk_error *err);
int provision(const char *token, uint32_t count, uint32_t on_shutdown,
	      struct souk_instance_list *out, struct souk_error *err);
void make(const char *token, uint32_t count, struct souk_instance_list *out);
void apply(ref_op *op, const struct souk_instance_list *list);
/* The status of a machine now; -1: there is none. */
int status_of(const char *id, struct machine *machine_out);
uint32_t count_found(const char *token, struct souk_instance_list *out);
/* A zombie has ended. */
int is_alive(pid_t pid);
/* Wait for the end of a process. */
void await_end(pid_t pid);
int machine_dir(const char *id);
pid_t supervisor_of(const struct machine *m);
/* Start a process that forks twice, leaves its session and forgets its environment. */
pid_t start_daemon(const struct machine *m);
/* Nothing but the locks is in the folder of machines. */
void assert_empty(void);
/* Nobody listens there any more. */
void assert_closed(const struct machine *m);
void open_provider(void);
/* Machines that a failed test has left. */
void end_all(void);
void set_up(void);
void tear_down(void);

#endif
