/* SPDX-License-Identifier: Apache-2.0 */
/* procs.h - find the processes of a machine and end them, and no others */
#ifndef LOCAL_PROCS_H
#define LOCAL_PROCS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The variable by which the processes of a machine know which one they are on. */
#define LOCAL_MARK_VARIABLE "SOUK_LOCAL_MACHINE"

/* How long processes have between being asked to end and being ended. */
#define LOCAL_GRACE_MS 2000

/*
 * Which processes: the descendants of 'root' (0: of none), those whose environment says
 * SOUK_LOCAL_MACHINE='mark', the sshd that such a process descends from, and all
 * descendants of these. The process that asks is never one of them, nor what descends from it
 * alone.
 */
struct local_procs {
	pid_t root;
	const char *mark;
};

struct local_proc {
	pid_t pid;
	pid_t parent;
	uint64_t started; /* in clock ticks since boot: with pid, it names one process for good */
	uint8_t dead;	  /* a zombie: nothing is left to end */
	uint8_t sshd;	  /* its program is called sshd-something */
	uint8_t member;
	uint8_t asked; /* the last signal it was sent */
};

/* Find them, without zombies. *procs_out is freed with free(). Returns 0 or a negative errno. */
int local_procs_find(const struct local_procs *which, struct local_proc **procs_out, size_t *n_out);

/*
 * End them: SIGTERM, after LOCAL_GRACE_MS SIGKILL, until none is found twice in a row. 'tick' is
 * called at least each 200 ms and ends the wait by returning a value other than 0, which is then
 * returned. -EPERM: what is left belongs to another user; one of them is in *left_out.
 */
int local_procs_end(const struct local_procs *which, int (*tick)(void *arg), void *arg,
		    pid_t *left_out);

/* A descriptor of a process, which can be polled for its end; -errno. */
int local_pidfd_open(pid_t pid);
int local_pidfd_signal(int pidfd, int signal);

/* Milliseconds on a clock that only goes forward. */
int64_t local_now_ms(void);

/* Is the process 'ancestor' above this one? */
int local_descends_from(pid_t ancestor);

#endif
