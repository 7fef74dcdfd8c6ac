/* SPDX-License-Identifier: Apache-2.0 */
/* control.c - look at machines that are there, switch them off and on, end them */
#include "local.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "fs.h"

/* Machines of one set, whose lock is held. */
struct batch {
	const struct local *self;
	struct souk_call *call;
	int rootfd;
	int lock;
	uint32_t n;
	struct local_halt machines[LOCAL_MAX_MACHINES];
};

static int check_refs(const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (!refs[i].id || !*refs[i].id)
			return souk_error_set(err, SOUK_E_INVALID, "machine %u: has no id",
					      (unsigned)i);
	return SOUK_OK;
}

static int not_found(const char *id, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_NOT_FOUND, "no machine '%s' on this computer", id);
}

static void batch_fini(struct batch *batch)
{
	uint32_t i;

	for (i = 0; i < batch->n; i++)
		if (batch->machines[i].dirfd >= 0)
			(void)close(batch->machines[i].dirfd);
	if (batch->lock >= 0)
		(void)close(batch->lock);
}

/* Lock the set that the refs are of, and open the folders. */
static int batch_init(struct batch *batch, const struct local *self, struct souk_call *call,
		      int rootfd, const struct souk_instance_ref *refs, uint32_t n,
		      struct souk_error *err)
{
	char set[LOCAL_ID_MAX + 1];
	int ret;

	batch->self = self;
	batch->call = call;
	batch->rootfd = rootfd;
	batch->lock = -1;
	batch->n = 0;
	local_id_set(refs[0].id, set);
	ret = local_lock(self, rootfd, call, set, LOCK_EX, &batch->lock, err);
	while (ret == SOUK_OK && batch->n < n) {
		struct local_halt *machine = &batch->machines[batch->n];

		*machine = (struct local_halt){ .id = refs[batch->n].id, .dirfd = -1, .pidfd = -1 };
		ret = local_machine_open(rootfd, machine->id, &machine->dirfd, err);
		if (ret == SOUK_OK)
			batch->n++;
	}
	if (ret != SOUK_OK)
		batch_fini(batch);
	return ret;
}

/* Do 'op' with the refs, set by set. Without a folder of machines there is none of them. */
static int each_batch(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		      uint32_t n, int missing_is_fine,
		      int (*op)(struct batch *, struct souk_error *), struct souk_error *err)
{
	struct batch batch;
	uint32_t size;
	int rootfd = -1;
	int ret = check_refs(refs, n, err);

	if (ret == SOUK_OK && n > 0)
		ret = local_root_open(self, 0, &rootfd, err);
	if (ret == SOUK_OK && n > 0 && rootfd < 0 && !missing_is_fine)
		ret = not_found(refs[0].id, err);
	for (; ret == SOUK_OK && rootfd >= 0 && n > 0; refs += size, n -= size) {
		uint32_t i;

		size = local_same_set(refs, n);
		ret = batch_init(&batch, self, call, rootfd, refs, size, err);
		if (ret != SOUK_OK)
			break;
		for (i = 0; i < batch.n && ret == SOUK_OK && !missing_is_fine; i++)
			if (batch.machines[i].dirfd < 0)
				ret = not_found(batch.machines[i].id, err);
		if (ret == SOUK_OK)
			ret = op(&batch, err);
		batch_fini(&batch);
	}
	if (rootfd >= 0)
		(void)close(rootfd);
	return ret;
}

/* ---- Ending -------------------------------------------------------------------------------- */

static int teardown_batch(struct batch *batch, struct souk_error *err)
{
	uint32_t i;
	int ret = local_halt(batch->call, batch->machines, batch->n, LOCAL_TERMINATE, err);

	for (i = 0; i < batch->n && ret == SOUK_OK; i++)
		if (local_id_is_valid(batch->machines[i].id))
			ret = local_folder_remove(batch->self, batch->rootfd, batch->call,
						  batch->machines[i].id, err);
	return ret;
}

int local_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_error *err)
{
	int rootfd = -1;
	int ret = each_batch(self, call, refs, n, 1, teardown_batch, err);

	if (ret == SOUK_OK && local_root_open(self, 0, &rootfd, NULL) == SOUK_OK && rootfd >= 0) {
		local_sweep(self, rootfd, call);
		(void)close(rootfd);
	}
	return ret;
}

static int stop_batch(struct batch *batch, struct souk_error *err)
{
	return local_halt(batch->call, batch->machines, batch->n, LOCAL_STOP, err);
}

int local_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	       struct souk_error *err)
{
	return each_batch(self, call, refs, n, 0, stop_batch, err);
}

/* ---- Starting ------------------------------------------------------------------------------ */

static int start_machine(struct batch *batch, const struct local_programs *programs,
			 const struct local_halt *machine, struct local_boot *boot,
			 struct souk_error *err)
{
	pid_t pid;
	int ret = local_supervisor_pid(machine->dirfd, &pid);

	if (ret < 0)
		return local_fail(err, ret, "look at the machine", machine->id);
	if (pid && local_is_stop(machine->dirfd, LOCAL_ENDING) >= 0) {
		souk_error_set(err, SOUK_E_CONFLICT, "machine '%s' is just being switched off",
			       machine->id);
		return souk_error_hint(err, "try again in a few seconds");
	}
	if (pid)
		return SOUK_OK;
	/* If its supervisor was killed, something may run on. */
	ret = local_end_leftovers(batch->call, machine->id, machine->dirfd, err);
	if (ret == SOUK_OK)
		ret = local_boot_begin(batch->self, batch->rootfd, programs, machine->id,
				       machine->dirfd, boot, err);
	return ret;
}

static int start_batch(struct batch *batch, struct souk_error *err)
{
	struct local_boot boots[LOCAL_MAX_MACHINES];
	struct local_programs programs;
	uint32_t i;
	int ret = local_programs_find(batch->self, &programs, err);

	for (i = 0; i < batch->n; i++)
		boots[i].report = -1;
	for (i = 0; i < batch->n && ret == SOUK_OK; i++)
		ret = start_machine(batch, &programs, &batch->machines[i], &boots[i], err);
	for (i = 0; i < batch->n && ret == SOUK_OK; i++)
		ret = local_boot_wait(batch->call, batch->machines[i].id, &boots[i], err);
	for (i = 0; i < batch->n; i++)
		local_boot_fini(&boots[i]);
	return ret;
}

int local_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		uint32_t n, struct souk_error *err)
{
	return each_batch(self, call, refs, n, 0, start_batch, err);
}

/* ---- Settings ------------------------------------------------------------------------------ */

/* What listens on a loopback address can be reached by all who can reach that. */
static int open_ports_batch(struct batch *batch, struct souk_error *err)
{
	(void)batch;
	(void)err;
	return SOUK_OK;
}

int local_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		     uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		     struct souk_error *err)
{
	(void)ports;
	(void)n_ports;
	return each_batch(self, call, refs, n, 0, open_ports_batch, err);
}

static int set_stop(struct batch *batch, struct souk_error *err)
{
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < batch->n && ret == SOUK_OK; i++)
		ret = local_folder_write(batch->machines[i].dirfd, LOCAL_ON_SHUTDOWN, 0600,
					 LOCAL_STOP "\n", err);
	return ret;
}

static int set_terminate(struct batch *batch, struct souk_error *err)
{
	uint32_t i;
	int ret = SOUK_OK;

	for (i = 0; i < batch->n && ret == SOUK_OK; i++)
		ret = local_folder_write(batch->machines[i].dirfd, LOCAL_ON_SHUTDOWN, 0600,
					 LOCAL_TERMINATE "\n", err);
	return ret;
}

int local_set_on_shutdown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			  uint32_t n, uint32_t on_shutdown, struct souk_error *err)
{
	if (on_shutdown != SOUK_ON_SHUTDOWN_STOP && on_shutdown != SOUK_ON_SHUTDOWN_TERMINATE)
		return souk_error_set(err, SOUK_E_INVALID,
				      "on_shutdown: %u is neither stop nor terminate",
				      (unsigned)on_shutdown);
	return each_batch(self, call, refs, n, 0,
			  on_shutdown == SOUK_ON_SHUTDOWN_STOP ? set_stop : set_terminate, err);
}

/* ---- Looking ------------------------------------------------------------------------------- */

int local_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	int rootfd = -1;
	uint32_t i;
	int ret = check_refs(refs, n, err);

	if (ret == SOUK_OK)
		ret = local_root_open(self, 0, &rootfd, err);
	if (ret != SOUK_OK || rootfd < 0)
		return ret;
	for (i = 0; i < n && ret == SOUK_OK; i++)
		ret = local_tell(self, rootfd, call, refs[i].id, NULL, out, err);
	(void)close(rootfd);
	return ret;
}

int local_list_instances(void *self, struct souk_call *call,
			 const struct souk_instance_filter *filter, struct souk_instance_list *out,
			 struct souk_error *err)
{
	struct dirent *entry;
	int rootfd = -1;
	int copy;
	DIR *dir;
	int ret;

	if (filter && filter->region && strcmp(filter->region, LOCAL_REGION) != 0)
		return SOUK_OK; /* nothing is there */
	ret = local_root_open(self, 0, &rootfd, err);
	if (ret != SOUK_OK || rootfd < 0)
		return ret;
	local_sweep(self, rootfd, call);
	copy = openat(rootfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = copy < 0 ? NULL : fdopendir(copy);
	if (!dir) {
		ret = local_fail(err, -errno, "read the folder",
				 ((const struct local *)self)->root);
		if (copy >= 0)
			(void)close(copy);
	}
	while (dir && ret == SOUK_OK && (entry = readdir(dir)) != NULL) {
		struct souk_error one = SOUK_ERROR_INIT;

		if (!local_id_is_valid(entry->d_name))
			continue;
		/* One folder that cannot be read must not hide the others. */
		if (local_tell(self, rootfd, call, entry->d_name, filter, out, &one) ==
		    SOUK_E_NOMEM)
			ret = souk_error_set(err, SOUK_E_NOMEM, "%s", one.message);
		else if (one.code != SOUK_OK)
			souk_call_log(call, SOUK_LOG_WARNING, "%s", one.message);
	}
	if (dir)
		(void)closedir(dir);
	(void)close(rootfd);
	return ret;
}
