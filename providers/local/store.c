/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - the folder of machines: its locks, what is in it, and what is told of it */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "fs.h"

#define LOCK_STRIPES 64
#define SLICE_MS 200 /* how soon a cancelled call is noticed */

int local_fail(struct souk_error *err, int errnum, const char *what, const char *name)
{
	int code = errnum == -ENOMEM ? SOUK_E_NOMEM : SOUK_E_INTERNAL;

	souk_error_set(err, code, "cannot %s '%s': %s", what, name, strerror(-errnum));
	if (errnum == -ENOSPC || errnum == -EDQUOT)
		souk_error_hint(err,
				"free some space there, or set local.root to a folder elsewhere");
	else if (errnum == -EACCES || errnum == -EROFS)
		souk_error_hint(err, "make it writable, or set local.root to a folder elsewhere");
	else if (errnum == -EXDEV || errnum == -EBUSY)
		souk_error_hint(err, "unmount what is mounted there");
	return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
}

int local_over(struct souk_call *call, const char *what, const char *name, struct souk_error *err)
{
	if (!call)
		return SOUK_OK;
	if (souk_call_cancelled(call))
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled while waiting for %s '%s'",
				      what, name);
	if (souk_call_deadline_ms(call) == 0)
		return souk_error_set(err, SOUK_E_TIMEOUT, "no more time to wait for %s '%s'", what,
				      name);
	return SOUK_OK;
}

int local_root_open(const struct local *self, int make, int *fd_out, struct souk_error *err)
{
	int ret = make ? local_make_folders(self->root) : 0;
	int fd;

	if (ret < 0)
		return local_fail(err, ret, "make the folder", self->root);
	fd = open(self->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 && (make || errno != ENOENT))
		return local_fail(err, -errno, "open the folder", self->root);
	*fd_out = fd;
	return SOUK_OK;
}

int local_id_is_valid(const char *id)
{
	size_t len = id ? strlen(id) : 0;

	return len > 0 && len <= LOCAL_ID_MAX &&
	       strspn(id, "abcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

int local_machine_open(int rootfd, const char *id, int *fd_out, struct souk_error *err)
{
	int fd;

	if (!local_id_is_valid(id)) {
		*fd_out = -1;
		return SOUK_OK; /* nothing of ours can have that name */
	}
	fd = openat(rootfd, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return local_fail(err, -errno, "open the machine", id);
	*fd_out = fd;
	return SOUK_OK;
}

void local_id_set(const char *id, char *set)
{
	const char *end = strrchr(id, '-');
	size_t len = end ? (size_t)(end - id) : strlen(id);

	if (len > LOCAL_ID_MAX)
		len = LOCAL_ID_MAX;
	memcpy(set, id, len);
	set[len] = '\0';
}

uint32_t local_same_set(const struct souk_instance_ref *refs, uint32_t n)
{
	char first[LOCAL_ID_MAX + 1];
	char other[LOCAL_ID_MAX + 1];
	uint32_t same = 1;

	local_id_set(refs[0].id, first);
	while (same < n && same < LOCAL_MAX_MACHINES) {
		local_id_set(refs[same].id, other);
		if (strcmp(first, other) != 0)
			break;
		same++;
	}
	return same;
}

/* ---- Locks ------------------------------------------------------------------------------ */

/* Every holder closes the file to unlock it, or dies; inotify tells of both. */
static int wait_for_lock(const struct local *self, struct souk_call *call, const char *name, int fd,
			 int operation, struct souk_error *err)
{
	char path[PATH_MAX];
	char events[4096];
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int ret;

	(void)snprintf(path, sizeof(path), "%s/%s", self->root, name);
	if (notify >= 0 && inotify_add_watch(notify, path, IN_CLOSE) < 0) {
		(void)close(notify);
		notify = -1;
	}
	for (;;) {
		struct pollfd pfd = { .fd = notify, .events = POLLIN };

		ret = SOUK_OK;
		if (flock(fd, operation | LOCK_NB) == 0)
			break;
		if (errno != EWOULDBLOCK && errno != EINTR) {
			ret = local_fail(err, -errno, "lock", path);
			break;
		}
		ret = local_over(call, "the lock", path, err);
		if (ret != SOUK_OK)
			break;
		if (notify < 0) {
			ret = souk_call_sleep(call, 20, err);
			if (ret != SOUK_OK)
				break;
		} else if (poll(&pfd, 1, SLICE_MS) > 0) {
			while (read(notify, events, sizeof(events)) > 0)
				continue;
		}
	}
	if (notify >= 0)
		(void)close(notify);
	return ret;
}

int local_lock(const struct local *self, int rootfd, struct souk_call *call, const char *set,
	       int operation, int *fd_out, struct souk_error *err)
{
	uint32_t hash = 2166136261u;
	char name[32] = ".lock";
	int ret;
	int fd;

	if (set) {
		for (; *set; set++)
			hash = (hash ^ (unsigned char)*set) * 16777619u;
		(void)snprintf(name, sizeof(name), ".lock-%02u", (unsigned)(hash % LOCK_STRIPES));
	}
	fd = openat(rootfd, name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return local_fail(err, -errno, "open the lock", name);
	if (flock(fd, operation | LOCK_NB) == 0) {
		*fd_out = fd;
		return SOUK_OK;
	}
	if ((operation & LOCK_NB) && errno == EWOULDBLOCK) {
		(void)close(fd);
		*fd_out = -1;
		return SOUK_OK;
	}
	ret = wait_for_lock(self, call, name, fd, operation & ~LOCK_NB, err);
	if (ret != SOUK_OK) {
		(void)close(fd);
		return ret;
	}
	*fd_out = fd;
	return SOUK_OK;
}

/* ---- What killed calls have left ----------------------------------------------------------- */

static int is_leftover(const char *name)
{
	return strncmp(name, LOCAL_NEW_PREFIX, strlen(LOCAL_NEW_PREFIX)) == 0 ||
	       strncmp(name, LOCAL_GONE_PREFIX, strlen(LOCAL_GONE_PREFIX)) == 0;
}

void local_sweep(const struct local *self, int rootfd, struct souk_call *call)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int lock = -1;
	int ret;
	int copy;
	DIR *dir;

	/* Alone: nobody is making a machine now, so what is half made stays so. */
	if (local_lock(self, rootfd, call, NULL, LOCK_EX | LOCK_NB, &lock, NULL) != SOUK_OK ||
	    lock < 0)
		return;
	copy = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy < 0 ? NULL : fdopendir(copy);
	while (dir && (entry = readdir(dir)) != NULL) {
		if (!is_leftover(entry->d_name))
			continue;
		(void)snprintf(path, sizeof(path), "%s/%s", self->root, entry->d_name);
		ret = local_unmount_below(path);
		if (ret == 0)
			ret = local_remove_tree(rootfd, entry->d_name);
		if (ret < 0)
			souk_call_log(call, SOUK_LOG_WARNING, "cannot remove '%s': %s", path,
				      strerror(-ret));
	}
	if (dir)
		(void)closedir(dir);
	else if (copy >= 0)
		(void)close(copy);
	(void)close(lock);
}

/* ---- What is told -------------------------------------------------------------------------- */

/* The state of a machine that has never been up: on its way, or left behind by a killed call. */
static int32_t state_of_new(const struct local *self, int rootfd, struct souk_call *call,
			    const char *id)
{
	char set[LOCAL_ID_MAX + 1];
	int lock = -1;

	local_id_set(id, set);
	if (local_lock(self, rootfd, call, set, LOCK_SH | LOCK_NB, &lock, NULL) != SOUK_OK ||
	    lock < 0)
		return SOUK_INSTANCE_PENDING;
	(void)close(lock);
	return SOUK_INSTANCE_FAILED;
}

static int fill_in(const struct local *self, int rootfd, struct souk_call *call, const char *id,
		   int dirfd, struct local_address *address, struct souk_instance *instance)
{
	int known = local_address_read(dirfd, address) == 0;
	pid_t pid;
	int ret = local_supervisor_pid(dirfd, &pid);
	int stop;

	if (ret < 0)
		return ret;
	/* A supervisor's start writes the address under the lock, so look again now. */
	if (pid && !known)
		known = local_address_read(dirfd, address) == 0;
	if (known) {
		instance->public_address = address->host;
		instance->private_address = address->host;
		instance->ssh_port = address->port;
	}
	if (!pid && known) {
		instance->status = SOUK_INSTANCE_STOPPED;
	} else if (!pid) {
		instance->status = state_of_new(self, rootfd, call, id);
		if (instance->status == SOUK_INSTANCE_FAILED)
			instance->status_reason = "its provisioning was interrupted";
	} else {
		stop = local_is_stop(dirfd, LOCAL_ENDING);
		instance->status = stop == 1   ? SOUK_INSTANCE_STOPPING
				   : stop == 0 ? SOUK_INSTANCE_TERMINATING
				   : known     ? SOUK_INSTANCE_RUNNING
					       : SOUK_INSTANCE_PENDING;
	}
	return 0;
}

static int matches(const struct souk_instance_filter *filter, const struct local_record *record)
{
	return !filter ||
	       ((!filter->owner || strcmp(filter->owner, record->owner) == 0) &&
		(!filter->cluster || strcmp(filter->cluster, record->cluster) == 0) &&
		(!filter->request_token || strcmp(filter->request_token, record->token) == 0));
}

static int tell_open(const struct local *self, int rootfd, struct souk_call *call, const char *id,
		     int dirfd, const struct local_record *record, struct souk_instance_list *out,
		     struct souk_error *err)
{
	struct souk_instance instance = { SOUK_INSTANCE_HEAD };
	struct local_address address;
	char command[PATH_MAX + 16];
	int ret = fill_in(self, rootfd, call, id, dirfd, &address, &instance);

	if (ret < 0)
		return local_fail(err, ret, "look at the machine", id);
	(void)snprintf(command, sizeof(command), "'%s/%s/shutdown'", self->root, id);
	instance.id = id;
	instance.region = LOCAL_REGION;
	instance.instance_type = record->instance_type;
	instance.cluster = record->cluster;
	instance.owner = record->owner;
	instance.request_token = record->token;
	instance.ssh_user = record->user;
	instance.host_key = record->host_key;
	instance.shutdown_command = command;
	instance.created_at = record->created_at;
	return souk_instance_list_add(out, &instance, err);
}

int local_tell(const struct local *self, int rootfd, struct souk_call *call, const char *id,
	       const struct souk_instance_filter *filter, struct souk_instance_list *out,
	       struct souk_error *err)
{
	struct local_record record;
	int dirfd;
	int ret = local_machine_open(rootfd, id, &dirfd, err);

	if (ret != SOUK_OK || dirfd < 0)
		return ret;
	ret = local_record_read(dirfd, &record);
	if (ret == 0) {
		if (matches(filter, &record))
			ret = tell_open(self, rootfd, call, id, dirfd, &record, out, err);
		local_record_fini(&record);
	} else if (ret == -ENOENT) {
		ret = SOUK_OK; /* going, just now */
	} else {
		ret = local_fail(err, ret, "read the record of the machine", id);
	}
	(void)close(dirfd);
	return ret;
}
