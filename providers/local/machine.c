/* SPDX-License-Identifier: Apache-2.0 */
/* machine.c - a machine as it lies on disk, for the module and for its supervisor */
#include "machine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fs.h"

/* ---- The record ----------------------------------------------------------------------- */

static int parse_number(const char *text, uint64_t max, uint64_t *value_out)
{
	unsigned long long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EBADMSG;
	errno = 0;
	value = strtoull(text, &end, 10);
	if (errno || *end || value > max)
		return -EBADMSG;
	*value_out = value;
	return 0;
}

static int set_member(struct local_record *record, const char *key, const char *value)
{
	const struct {
		const char *key;
		const char **member;
	} texts[] = {
		{ "mark", &record->mark },
		{ "cluster", &record->cluster },
		{ "owner", &record->owner },
		{ "token", &record->token },
		{ "instance_type", &record->instance_type },
		{ "user", &record->user },
		{ "host_key", &record->host_key },
	};
	uint64_t number;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (strcmp(key, texts[i].key) == 0) {
			*texts[i].member = value;
			return 0;
		}
	}
	if (strcmp(key, "rank") == 0 || strcmp(key, "count") == 0) {
		if (parse_number(value, UINT32_MAX, &number) < 0)
			return -EBADMSG;
		*(key[0] == 'r' ? &record->rank : &record->count) = (uint32_t)number;
	} else if (strcmp(key, "created_at") == 0) {
		if (parse_number(value, INT64_MAX, &number) < 0)
			return -EBADMSG;
		record->created_at = (int64_t)number;
	}
	return 0; /* labels, and what a later version may add */
}

int local_record_read(int dirfd, struct local_record *record)
{
	char *save = NULL;
	char *line;
	int ret;

	memset(record, 0, sizeof(*record));
	ret = local_read_file(dirfd, LOCAL_RECORD, LOCAL_RECORD_MAX, &record->text);
	if (ret < 0)
		return ret;
	for (line = strtok_r(record->text, "\n", &save); line && ret == 0;
	     line = strtok_r(NULL, "\n", &save)) {
		char *value = strchr(line, '=');

		if (!value) {
			ret = -EBADMSG;
			break;
		}
		*value++ = '\0';
		ret = set_member(record, line, value);
	}
	if (!record->mark || !record->cluster || !record->owner || !record->token ||
	    !record->instance_type || !record->user || !record->host_key)
		ret = -EBADMSG;
	if (ret < 0)
		local_record_fini(record);
	return ret;
}

void local_record_fini(struct local_record *record)
{
	if (!record)
		return;
	free(record->text);
	memset(record, 0, sizeof(*record));
}

/* ---- The small files ------------------------------------------------------------------ */

int local_address_read(int dirfd, struct local_address *address)
{
	struct in_addr checked;
	uint64_t port;
	char *text;
	char *gap;
	int ret = local_read_file(dirfd, LOCAL_ADDRESS, 64, &text);

	if (ret < 0)
		return ret;
	text[strcspn(text, "\n")] = '\0';
	gap = strchr(text, ' ');
	if (gap)
		*gap++ = '\0';
	if (!gap || parse_number(gap, UINT16_MAX, &port) < 0 || port == 0 ||
	    inet_pton(AF_INET, text, &checked) != 1) {
		free(text);
		return -EBADMSG;
	}
	(void)inet_ntop(AF_INET, &checked, address->host, sizeof(address->host));
	address->port = (uint16_t)port;
	free(text);
	return 0;
}

int local_address_write(int dirfd, const struct local_address *address)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "%s %u\n", address->host, (unsigned)address->port);
	return local_write_file(dirfd, LOCAL_ADDRESS, 0600, text);
}

int local_is_stop(int dirfd, const char *name)
{
	char *text;
	int ret = local_read_file(dirfd, name, 64, &text);

	if (ret < 0)
		return ret;
	text[strcspn(text, "\n")] = '\0';
	ret = strcmp(text, LOCAL_STOP) == 0 ? 1 : strcmp(text, LOCAL_TERMINATE) == 0 ? 0 : -EBADMSG;
	free(text);
	return ret;
}

int local_supervisor_pid(int dirfd, pid_t *pid_out)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = openat(dirfd, LOCAL_LOCK, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	int ret = 0;

	if (fd < 0) {
		if (errno != ENOENT)
			return -errno;
		*pid_out = 0;
		return 0;
	}
	if (fcntl(fd, F_GETLK, &lock) < 0)
		ret = -errno;
	else
		*pid_out = lock.l_type == F_UNLCK ? 0 : lock.l_pid;
	(void)close(fd);
	return ret;
}

/* ---- Its end -------------------------------------------------------------------------- */

int local_machine_remove(int rootfd, const char *root, const char *id)
{
	char gone[LOCAL_ID_MAX + sizeof(LOCAL_GONE_PREFIX)];
	char path[PATH_MAX];
	int ret;

	if (strlen(id) > LOCAL_ID_MAX)
		return -ENAMETOOLONG;
	(void)snprintf(gone, sizeof(gone), "%s%s", LOCAL_GONE_PREFIX, id);
	ret = snprintf(path, sizeof(path), "%s/%s", root, gone);
	if (ret < 0 || (size_t)ret >= sizeof(path))
		return -ENAMETOOLONG;
	/* What was left of one of the same name has to make room first. */
	ret = local_unmount_below(path);
	if (ret == 0)
		ret = local_remove_tree(rootfd, gone);
	if (ret < 0)
		return ret;
	(void)snprintf(path, sizeof(path), "%s/%s", root, id);
	ret = local_unmount_below(path);
	if (ret < 0)
		return ret;
	if (renameat(rootfd, id, rootfd, gone) < 0)
		return errno == ENOENT ? 0 : -errno;
	return local_remove_tree(rootfd, gone);
}
