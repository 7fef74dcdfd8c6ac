/* SPDX-License-Identifier: Apache-2.0 */
/* local.h - what the files of this module share: this computer as a cloud */
#ifndef LOCAL_H
#define LOCAL_H

#include <souk/provider.h>

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "machine.h"

#define LOCAL_REGION "local"
#define LOCAL_MAX_MACHINES 256 /* in one set */

/* One account, which here is one folder of machines. Nothing changes after open. */
struct local {
	char root[PATH_MAX / 2];   /* absolute */
	char sshd[PATH_MAX];	   /* the setting; "" to look for it */
	char supervisor[PATH_MAX]; /* likewise */
};

/* ---- programs.c: the programs that a machine needs, and who runs it ---------------------- */

struct local_programs {
	char sshd[PATH_MAX];
	char sftp_server[PATH_MAX]; /* "" there is none */
	char supervisor[PATH_MAX];
	char user[64];
	int locked; /* the account has no password that could be right, so sshd wants PAM's word */
};

/* Find them all; UNSUPPORTED, and what to install, if one is missing. */
int local_programs_find(const struct local *self, struct local_programs *programs,
			struct souk_error *err);

/* ---- store.c: the folder of machines ----------------------------------------------------- */

/* Record "cannot WHAT 'NAME': ..." for a negative errno; returns the code. */
int local_fail(struct souk_error *err, int errnum, const char *what, const char *name);

/* The folder of machines. Where it is missing it is made, or *fd_out is -1 if 'make' is 0. */
int local_root_open(const struct local *self, int make, int *fd_out, struct souk_error *err);

/* Is it one of our ids, and so a harmless file name? */
int local_id_is_valid(const char *id);

/* The folder of one machine; *fd_out is -1 if there is none. */
int local_machine_open(int rootfd, const char *id, int *fd_out, struct souk_error *err);

/*
 * The lock by which calls on one set of machines follow each other (LOCK_EX), or with 'set'
 * NULL the one that every provision holds shared (LOCK_SH) and a sweep alone. Waits within
 * the call's deadline; with LOCK_NB, *fd_out is -1 if it is taken. Close it to unlock.
 */
int local_lock(const struct local *self, int rootfd, struct souk_call *call, const char *set,
	       int operation, int *fd_out, struct souk_error *err);

/* The set that a machine belongs to, CLUSTER-TOKEN, into 'set' of LOCAL_ID_MAX + 1 bytes. */
void local_id_set(const char *id, char *set);

/* How many of the refs, from the first on, are of the same set as the first. */
uint32_t local_same_set(const struct souk_instance_ref *refs, uint32_t n);

/* Remove what killed calls have left: machines that never came to be, or are half removed. */
void local_sweep(const struct local *self, int rootfd, struct souk_call *call);

/*
 * Add the machine to 'out', if it passes the filter (NULL: any does). One that is not there, or
 * goes meanwhile, is left out, which is no error.
 */
int local_tell(const struct local *self, int rootfd, struct souk_call *call, const char *id,
	       const struct souk_instance_filter *filter, struct souk_instance_list *out,
	       struct souk_error *err);

/* ---- folder.c: make the folder of a machine ----------------------------------------------- */

/*
 * Make the folder of the machine 'rank' of the set. The record is in it when it gets its name,
 * so a machine that can be seen can be told whose it is.
 */
int local_folder_make(const struct local *self, struct souk_call *call, int rootfd,
		      const struct local_programs *programs, const struct souk_instance_spec *spec,
		      uint32_t rank, const char *id, struct souk_error *err);

/* Write a private file of the folder; one place for the words of the error. */
int local_folder_write(int dirfd, const char *name, mode_t mode, const char *text,
		       struct souk_error *err);

/* ---- power.c: switch machines on and off --------------------------------------------------- */

/* A machine on its way up. */
struct local_boot {
	int report; /* the supervisor's words come from here; -1: not booting */
};

/* Bind the machine's address and start its supervisor; local_boot_wait() says what came of it. */
int local_boot_begin(const struct local *self, int rootfd, const struct local_programs *programs,
		     const char *id, int dirfd, struct local_boot *boot, struct souk_error *err);
int local_boot_wait(struct souk_call *call, const char *id, struct local_boot *boot,
		    struct souk_error *err);
void local_boot_fini(struct local_boot *boot);

/* A machine on its way down. */
struct local_halt {
	const char *id;
	int dirfd; /* of its folder; -1: it is gone already */
	pid_t pid; /* of its supervisor; 0: there is none any more */
	int pidfd; /* of the same; -1: none, or the kernel has no such thing */
};

/*
 * End the processes of n machines, all at once; 'ending' is LOCAL_STOP or LOCAL_TERMINATE. Waits
 * until there is none. 'call' may be NULL: then nothing but its success ends the wait.
 */
int local_halt(struct souk_call *call, struct local_halt *halts, uint32_t n, const char *ending,
	       struct souk_error *err);

/* End what is left of the machine's processes without a supervisor. */
int local_end_leftovers(struct souk_call *call, const char *id, int dirfd, struct souk_error *err);

/* Remove the folder of a machine that is off; unmounts what is mounted there. */
int local_folder_remove(const struct local *self, int rootfd, struct souk_call *call,
			const char *id, struct souk_error *err);

/* CANCELLED or TIMEOUT if the call is over, with 'what' for the message. */
int local_over(struct souk_call *call, const char *what, const char *name, struct souk_error *err);

/* ---- the ops --------------------------------------------------------------------------------- */

/* What is free on the disk where the machines are to lie; 0 if it cannot be told. */
uint64_t local_free_disk_mib(const char *root);

int local_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		      struct souk_error *err);
int local_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		    struct souk_instance_list *out, struct souk_error *err);
int local_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_instance_list *out, struct souk_error *err);
int local_list_instances(void *self, struct souk_call *call,
			 const struct souk_instance_filter *filter, struct souk_instance_list *out,
			 struct souk_error *err);
int local_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_error *err);
int local_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	       struct souk_error *err);
int local_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		uint32_t n, struct souk_error *err);
int local_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		     uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		     struct souk_error *err);
int local_set_on_shutdown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			  uint32_t n, uint32_t on_shutdown, struct souk_error *err);

#endif
