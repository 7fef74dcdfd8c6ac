/* SPDX-License-Identifier: Apache-2.0 */
/* provision.c - make a set of machines, or finish one that a killed call has begun */
#include "local.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-"
#define NAME_MAX_LEN 40

/* A set in the making. */
struct set {
	const struct local *self;
	struct souk_call *call;
	const struct souk_instance_spec *spec;
	struct local_programs programs;
	int rootfd;
	uint32_t n_touched; /* machines whose folder may be there: the ones to undo */
	uint32_t n_up;	    /* machines that an earlier call had brought up */
	char was_up[LOCAL_MAX_MACHINES];
	int dirs[LOCAL_MAX_MACHINES];
	struct local_boot boots[LOCAL_MAX_MACHINES];
	char ids[LOCAL_MAX_MACHINES][LOCAL_ID_MAX + 1];
};

static int check_name(const char *what, const char *name, struct souk_error *err)
{
	size_t len = name ? strlen(name) : 0;

	if (len == 0 || len > NAME_MAX_LEN || strspn(name, NAME_CHARS) != len)
		return souk_error_set(err, SOUK_E_INVALID,
				      "%s: '%s' is not 1 to %d of the characters a-z, 0-9 and -",
				      what, name ? name : "", NAME_MAX_LEN);
	return SOUK_OK;
}

static int check_line(const char *what, const char *text, struct souk_error *err)
{
	const unsigned char *c;

	if (!text || !*text)
		return souk_error_set(err, SOUK_E_INVALID, "%s: is missing", what);
	for (c = (const unsigned char *)text; *c; c++)
		if (*c < ' ' || *c == 0x7f)
			return souk_error_set(err, SOUK_E_INVALID,
					      "%s: has a line break or another control character",
					      what);
	return SOUK_OK;
}

static int check_spec(const struct souk_instance_spec *spec, struct souk_error *err)
{
	size_t key_len;
	int ret;

	if (spec->count == 0 || spec->count > LOCAL_MAX_MACHINES) {
		souk_error_set(err, SOUK_E_INVALID, "count: %u machines, not 1 to %d",
			       (unsigned)spec->count, LOCAL_MAX_MACHINES);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	ret = check_name("request_token", spec->request_token, err);
	if (ret == SOUK_OK)
		ret = check_name("cluster", spec->cluster, err);
	if (ret == SOUK_OK)
		ret = check_line("owner", spec->owner, err);
	if (ret == SOUK_OK)
		ret = check_line("instance_type", spec->instance_type, err);
	if (ret != SOUK_OK)
		return ret;
	key_len = spec->ssh_public_key ? strcspn(spec->ssh_public_key, "\r\n") : 0;
	if (key_len == 0 ||
	    spec->ssh_public_key[key_len + strspn(spec->ssh_public_key + key_len, "\r\n")] != '\0')
		return souk_error_set(err, SOUK_E_INVALID, "ssh_public_key: is not one line");
	if (spec->region && strcmp(spec->region, LOCAL_REGION) != 0)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "no region '%s', only '%s'",
				      spec->region, LOCAL_REGION);
	if (strncmp(spec->instance_type, "local", 5) != 0 ||
	    (spec->instance_type[5] != '\0' && spec->instance_type[5] != '-'))
		return souk_error_set(err, SOUK_E_NOT_FOUND, "no instance type '%s'",
				      spec->instance_type);
	if (spec->spot)
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "this computer has no spot machines");
	return SOUK_OK;
}

/* Is the folder that is there already of this set? */
static int check_record(const struct set *set, uint32_t rank, struct souk_error *err)
{
	struct local_record record;
	int same;
	int ret = local_record_read(set->dirs[rank], &record);

	if (ret < 0)
		return local_fail(err, ret, "read the record of the machine", set->ids[rank]);
	same = strcmp(record.token, set->spec->request_token) == 0 &&
	       strcmp(record.cluster, set->spec->cluster) == 0 && record.count == set->spec->count;
	local_record_fini(&record);
	if (same)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_CONFLICT,
			      "machine '%s' is there already, for another request", set->ids[rank]);
}

/* The folder of one machine; a machine that has been up once is left as it is. */
static int begin_machine(struct set *set, uint32_t rank, struct souk_error *err)
{
	struct local_address address;
	const char *id = set->ids[rank];
	pid_t pid = 0;
	int ret = local_machine_open(set->rootfd, id, &set->dirs[rank], err);

	if (ret != SOUK_OK)
		return ret;
	if (set->dirs[rank] >= 0) {
		ret = check_record(set, rank, err);
	} else {
		ret = local_folder_make(set->self, set->call, set->rootfd, &set->programs,
					set->spec, rank, id, err);
		if (ret == SOUK_OK)
			ret = local_machine_open(set->rootfd, id, &set->dirs[rank], err);
		if (ret == SOUK_OK && set->dirs[rank] < 0)
			ret = local_fail(err, -ENOENT, "open the machine", id);
	}
	if (ret != SOUK_OK)
		return ret;
	if (local_address_read(set->dirs[rank], &address) == 0 ||
	    (local_supervisor_pid(set->dirs[rank], &pid) == 0 && pid)) {
		set->was_up[rank] = 1;
		set->n_up++;
		return SOUK_OK;
	}
	return local_boot_begin(set->self, set->rootfd, &set->programs, id, set->dirs[rank],
				&set->boots[rank], err);
}

/* The machines share this computer's disk: the size asked for is what must be free on it. */
static int check_disk(const struct set *set, struct souk_error *err)
{
	uint64_t have = local_free_disk_mib(set->self->root);

	if (set->spec->disk_size_mib <= have)
		return SOUK_OK;
	return souk_error_set(err, SOUK_E_CAPACITY, "disk_size: %llu GiB are asked for, %llu GiB are free",
			      (unsigned long long)set->spec->disk_size_mib / 1024,
			      (unsigned long long)have / 1024);
}

static int begin_all(struct set *set, struct souk_error *err)
{
	uint32_t rank;
	int ret = check_disk(set, err);

	for (rank = 0; rank < set->spec->count && ret == SOUK_OK; rank++) {
		(void)snprintf(set->ids[rank], sizeof(set->ids[rank]), "%s-%s-%u",
			       set->spec->cluster, set->spec->request_token, (unsigned)rank);
		ret = local_over(set->call, "the start of the machine", set->ids[rank], err);
		if (ret == SOUK_OK)
			ret = begin_machine(set, rank, err);
		/* What is another request's is not ours to undo. */
		if (ret != SOUK_E_CONFLICT)
			set->n_touched = rank + 1;
	}
	for (rank = 0; rank < set->spec->count && ret == SOUK_OK; rank++)
		ret = local_boot_wait(set->call, set->ids[rank], &set->boots[rank], err);
	return ret;
}

/*
 * All or none. What an earlier call has brought up may be at work, so it only goes where the
 * set cannot be completed. The call may be over, so nothing in here asks for it.
 */
static void undo(struct set *set, int code, struct souk_instance_list *out)
{
	struct local_halt halts[LOCAL_MAX_MACHINES];
	int keep_up = code == SOUK_E_CANCELLED || code == SOUK_E_TIMEOUT ||
		      set->n_up == set->spec->count;
	uint32_t n = 0;
	uint32_t i;
	int ret;

	for (i = 0; i < set->n_touched; i++) {
		local_boot_fini(&set->boots[i]);
		if (set->dirs[i] >= 0 && !(keep_up && set->was_up[i]))
			halts[n++] = (struct local_halt){ .id = set->ids[i],
							  .dirfd = set->dirs[i] };
	}
	ret = local_halt(NULL, halts, n, LOCAL_TERMINATE, NULL);
	for (i = 0; i < set->n_touched; i++) {
		if (keep_up && set->was_up[i])
			continue;
		if (ret == SOUK_OK &&
		    local_folder_remove(set->self, set->rootfd, NULL, set->ids[i], NULL) == SOUK_OK)
			continue;
		/* It could not be undone: the caller shall know of it. */
		(void)local_tell(set->self, set->rootfd, set->call, set->ids[i], NULL, out, NULL);
	}
}

static int tell_all(struct set *set, struct souk_instance_list *out, struct souk_error *err)
{
	uint32_t rank;
	int ret = SOUK_OK;

	for (rank = 0; rank < set->spec->count && ret == SOUK_OK; rank++)
		ret = local_tell(set->self, set->rootfd, set->call, set->ids[rank], NULL, out, err);
	return ret;
}

static int provision_set(struct set *set, struct souk_instance_list *out, struct souk_error *err)
{
	char name[LOCAL_ID_MAX + 1];
	int shared = -1;
	int lock = -1;
	uint32_t i;
	int ret;

	local_sweep(set->self, set->rootfd, set->call);
	ret = local_lock(set->self, set->rootfd, set->call, NULL, LOCK_SH, &shared, err);
	(void)snprintf(name, sizeof(name), "%s-%s", set->spec->cluster, set->spec->request_token);
	if (ret == SOUK_OK)
		ret = local_lock(set->self, set->rootfd, set->call, name, LOCK_EX, &lock, err);
	if (ret == SOUK_OK) {
		ret = begin_all(set, err);
		if (ret == SOUK_OK)
			ret = tell_all(set, out, err);
		else
			undo(set, ret, out);
	}
	for (i = 0; i < set->spec->count; i++) {
		local_boot_fini(&set->boots[i]);
		if (set->dirs[i] >= 0)
			(void)close(set->dirs[i]);
	}
	if (lock >= 0)
		(void)close(lock);
	if (shared >= 0)
		(void)close(shared);
	return ret;
}

int local_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		    struct souk_instance_list *out, struct souk_error *err)
{
	struct set *set;
	uint32_t i;
	int ret = check_spec(spec, err);

	if (ret != SOUK_OK)
		return ret;
	set = calloc(1, sizeof(*set));
	if (!set)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory for %u machines",
				      (unsigned)spec->count);
	set->self = self;
	set->call = call;
	set->spec = spec;
	for (i = 0; i < LOCAL_MAX_MACHINES; i++) {
		set->dirs[i] = -1;
		set->boots[i].report = -1;
	}
	ret = local_programs_find(self, &set->programs, err);
	if (ret == SOUK_OK)
		ret = local_root_open(self, 1, &set->rootfd, err);
	if (ret == SOUK_OK) {
		ret = provision_set(set, out, err);
		(void)close(set->rootfd);
	}
	free(set);
	return ret;
}
