/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine.h - a machine as it lies on disk, for the module and for its supervisor
 *
 * A machine is the folder ROOT/CLUSTER-TOKEN-RANK:
 *
 *     machine          the record: "key=value" lines, written before the folder gets its name
 *     on_shutdown      "stop" or "terminate"
 *     shutdown         the command that ends the machine from inside
 *     log              what sshd and the supervisor say
 *     etc/             sshd_config, ssh_host_key[.pub], authorized_keys, login
 *     home/            HOME of whoever logs in
 *     run/supervisor   locked (fcntl) by the supervisor for as long as it lives: the machine is on
 *     run/address      "ADDRESS PORT", of the last time that it was on
 *     run/ending       "stop" or "terminate", from the moment when it is asked to end
 *
 * In ROOT besides: .lock and .lock-NN (see store.h), .new-... (a machine that never came to
 * be) and .gone-ID (one that is being removed).
 */
#ifndef LOCAL_MACHINE_H
#define LOCAL_MACHINE_H

#include <stdint.h>
#include <sys/types.h>

#define LOCAL_RECORD "machine"
#define LOCAL_LOG "log"
#define LOCAL_SSHD_CONFIG "etc/sshd_config"
#define LOCAL_LOCK "run/supervisor"
#define LOCAL_ADDRESS "run/address"
#define LOCAL_ENDING "run/ending"
#define LOCAL_ON_SHUTDOWN "on_shutdown"
#define LOCAL_STOP "stop"
#define LOCAL_TERMINATE "terminate"
#define LOCAL_GONE_PREFIX ".gone-"
#define LOCAL_NEW_PREFIX ".new-"

#define LOCAL_RECORD_MAX 65536
#define LOCAL_ID_MAX 96 /* 40 for the cluster, 40 for the token, the rank, two hyphens */

/* The record of a machine. The members point into 'text' and are never NULL once read. */
struct local_record {
	char *text; /* owned */
	const char *mark;
	const char *cluster;
	const char *owner;
	const char *token;
	const char *instance_type;
	const char *user;
	const char *host_key;
	int64_t created_at;
	uint32_t rank;
	uint32_t count;
};

struct local_address {
	char host[16]; /* dotted quad; "" unknown */
	uint16_t port;
};

/*
 * All take the descriptor of the machine's folder and return 0 or a negative errno; a record
 * that makes no sense is -EBADMSG.
 */
int local_record_read(int dirfd, struct local_record *record);
void local_record_fini(struct local_record *record);

int local_address_read(int dirfd, struct local_address *address);
int local_address_write(int dirfd, const struct local_address *address);

/* "stop" (1) or "terminate" (0) in the file 'name'. */
int local_is_stop(int dirfd, const char *name);

/* The process that holds the lock of the machine; 0: none, the machine is off. */
int local_supervisor_pid(int dirfd, pid_t *pid_out);

/*
 * Remove the folder of a machine whose processes have ended: unmount, rename to .gone-ID,
 * remove. Also finishes what an earlier call has begun.
 */
int local_machine_remove(int rootfd, const char *root, const char *id);

#endif
