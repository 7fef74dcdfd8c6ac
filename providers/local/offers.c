/* SPDX-License-Identifier: Apache-2.0 */
/* offers.c - what this computer has: CPUs, memory, disk and GPUs */
#include "local.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "fs.h"

#define MAX_GPU_KINDS 32
#define SMALL_FILE 65536

/* ---- CPUs, memory, disk -------------------------------------------------------------------- */

static uint32_t count_cpus(void)
{
	size_t n;

	/* The kernel refuses a set that is too small for it. */
	for (n = 1024; n <= 1024 * 1024; n *= 4) {
		cpu_set_t *set = CPU_ALLOC(n);
		int count;

		if (!set)
			break;
		count = sched_getaffinity(0, CPU_ALLOC_SIZE(n), set) == 0
				? CPU_COUNT_S(CPU_ALLOC_SIZE(n), set)
				: 0;
		CPU_FREE(set);
		if (count > 0)
			return (uint32_t)count;
	}
	return 1;
}

/* The whole of a small file below /proc or /sys; NULL: there is none. The caller frees it. */
static char *read_small(const char *path)
{
	char *text = NULL;

	return local_read_file(AT_FDCWD, path, SMALL_FILE, &text) == 0 ? text : NULL;
}

/* The smaller of *limit and what a cgroup file says; "max" and -1 are no limit. */
static void lower(uint64_t *limit, uint64_t value)
{
	if (value > 0 && value < *limit)
		*limit = value;
}

static void lower_memory(const char *dir, const char *file, uint64_t *bytes)
{
	char path[PATH_MAX + 64];
	char *text;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, file);
	text = read_small(path);
	if (text && *text >= '0' && *text <= '9')
		lower(bytes, strtoull(text, NULL, 10));
	free(text);
}

/* "QUOTA PERIOD" in version 2; two files in version 1. */
static void lower_cpus(const char *dir, int version, uint64_t *milli)
{
	unsigned long long quota = 0;
	unsigned long long period = 0;
	char path[PATH_MAX + 64];
	char *text;

	(void)snprintf(path, sizeof(path), "%s/%s", dir,
		       version == 2 ? "cpu.max" : "cpu.cfs_quota_us");
	text = read_small(path);
	if (text && version == 2 && sscanf(text, "%llu %llu", &quota, &period) != 2)
		quota = 0;
	else if (text && version == 1 && (*text == '-' || sscanf(text, "%llu", &quota) != 1))
		quota = 0;
	free(text);
	if (version == 1 && quota) {
		(void)snprintf(path, sizeof(path), "%s/cpu.cfs_period_us", dir);
		text = read_small(path);
		if (text && sscanf(text, "%llu", &period) != 1)
			period = 0;
		free(text);
	}
	if (quota && period && quota < UINT64_MAX / 1000)
		lower(milli, quota * 1000 / period);
}

/* Apply the limits of a cgroup and of all above it. 'dir' is base, then the group's path. */
static void climb(char *dir, size_t base, const char *controller, uint64_t *milli, uint64_t *bytes)
{
	for (;;) {
		char *slash;

		if (!*controller) {
			lower_cpus(dir, 2, milli);
			lower_memory(dir, "memory.max", bytes);
		} else if (strcmp(controller, "cpu") == 0) {
			lower_cpus(dir, 1, milli);
		} else {
			lower_memory(dir, "memory.limit_in_bytes", bytes);
		}
		slash = strrchr(dir, '/');
		if (!slash || (size_t)(slash - dir) < base)
			return;
		*slash = '\0';
	}
}

/* Does the comma-separated list name the controller? */
static int lists(const char *list, const char *controller)
{
	size_t len = strlen(controller);

	for (;;) {
		size_t part = strcspn(list, ",");

		if (part == len && strncmp(list, controller, len) == 0)
			return 1;
		if (list[part] == '\0')
			return 0;
		list += part + 1;
	}
}

/* /proc/self/cgroup: "ID:CONTROLLERS:PATH" lines, without controllers for version 2. */
static void apply_cgroups(uint64_t *milli, uint64_t *bytes)
{
	char *text = read_small("/proc/self/cgroup");
	char *save = NULL;
	char *line;

	for (line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *list = strchr(line, ':');
		char *path = list ? strchr(list + 1, ':') : NULL;
		static const char *const names[] = { "", "cpu", "memory" };
		size_t i;

		if (!path)
			continue;
		list++;
		*path++ = '\0';
		for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
			char dir[PATH_MAX];
			int base;

			if (!lists(list, names[i]))
				continue;
			base = snprintf(dir, sizeof(dir), "/sys/fs/cgroup%s%s",
					*names[i] ? "/" : "", names[i]);
			(void)snprintf(dir + base, sizeof(dir) - (size_t)base, "%s",
				       strcmp(path, "/") == 0 ? "" : path);
			climb(dir, (size_t)base, names[i], milli, bytes);
		}
	}
	free(text);
}

static uint64_t total_memory_bytes(void)
{
	char *text = read_small("/proc/meminfo");
	char *line = text ? strstr(text, "MemTotal:") : NULL;
	uint64_t kib = line ? strtoull(line + strlen("MemTotal:"), NULL, 10) : 0;

	free(text);
	return kib * 1024;
}

/* What is free where the machines are to lie; the folder need not be there yet. */
uint64_t local_free_disk_mib(const char *root)
{
	struct statvfs vfs;
	char path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s", root);
	while (statvfs(path, &vfs) < 0) {
		char *slash = strrchr(path, '/');

		if (errno != ENOENT || !slash || slash == path)
			return 0;
		*slash = '\0';
	}
	return (uint64_t)vfs.f_bavail * vfs.f_frsize / (1024 * 1024);
}

static const char *architecture(struct utsname *name)
{
	if (uname(name) < 0)
		return "x86_64";
	if (strcmp(name->machine, "aarch64") == 0)
		return "arm64";
	return name->machine;
}

/* ---- GPUs ---------------------------------------------------------------------------------- */

struct gpu_kind {
	char name[64];
	uint32_t memory_mib;
	uint32_t count;
};

static char *trimmed(char *text)
{
	size_t len;

	text += strspn(text, " \t\r");
	len = strlen(text);
	while (len && strchr(" \t\r", text[len - 1]))
		text[--len] = '\0';
	return text;
}

/* "NVIDIA A100-SXM4-80GB, 81920" */
static void add_gpu(char *line, struct gpu_kind *kinds, uint32_t *n)
{
	uint32_t memory_mib = 0;
	char *comma = strrchr(line, ',');
	char *name;
	uint32_t i;

	if (!comma)
		return;
	*comma = '\0';
	name = trimmed(line);
	/* Some devices that share the computer's memory say "[N/A]". */
	if (souk_parse_u32("memory.total", trimmed(comma + 1), &memory_mib, NULL) != SOUK_OK)
		memory_mib = 0;
	if (strncmp(name, "NVIDIA ", 7) == 0)
		name = trimmed(name + 7);
	if (!*name || strlen(name) >= sizeof(kinds->name))
		return;
	for (i = 0; i < *n; i++) {
		if (strcmp(kinds[i].name, name) == 0 && kinds[i].memory_mib == memory_mib) {
			kinds[i].count++;
			return;
		}
	}
	if (*n == MAX_GPU_KINDS)
		return;
	(void)snprintf(kinds[*n].name, sizeof(kinds[*n].name), "%s", name);
	kinds[*n].memory_mib = memory_mib;
	kinds[(*n)++].count = 1;
}

static int is_in_path(const char *name)
{
	const char *list = getenv("PATH");

	while (list && *list) {
		size_t len = strcspn(list, ":");
		char path[PATH_MAX];
		int n = snprintf(path, sizeof(path), "%.*s/%s", (int)len, list, name);

		if (len && n > 0 && (size_t)n < sizeof(path) && access(path, X_OK) == 0)
			return 1;
		list += len + (list[len] == ':');
	}
	return 0;
}

/* The driver's own program knows best. One that fails (no driver loaded) means no GPU. */
static int find_gpus(struct souk_call *call, struct gpu_kind *kinds, uint32_t *n,
		     struct souk_error *err)
{
	static const char *const argv[] = { "nvidia-smi", "--query-gpu=name,memory.total",
					    "--format=csv,noheader,nounits", NULL };
	struct souk_error failed = SOUK_ERROR_INIT;
	char output[SMALL_FILE];
	char *save = NULL;
	char *line;
	int32_t status = 0;
	int ret;

	*n = 0;
	if (!is_in_path(argv[0]))
		return SOUK_OK;
	ret = souk_call_run(call, argv, output, sizeof(output), &status, &failed);
	if (ret == SOUK_E_CANCELLED || ret == SOUK_E_TIMEOUT || ret == SOUK_E_NOMEM)
		return souk_error_set(err, ret, "%s", failed.message);
	if (ret != SOUK_OK || status != 0) {
		souk_call_log(call, SOUK_LOG_INFO, "nvidia-smi failed, so there are no GPUs: %s",
			      ret == SOUK_OK ? "its exit status is not 0" : failed.message);
		return SOUK_OK;
	}
	for (line = strtok_r(output, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		add_gpu(line, kinds, n);
	return SOUK_OK;
}

/* "local-2xA100-SXM4-80GB": a name without what a command line or a file name could mistake. */
static void type_name(const struct gpu_kind *kind, uint32_t count, char *name, size_t size)
{
	char *c;

	(void)snprintf(name, size, "local-%ux%.63s", (unsigned)count, kind->name);
	for (c = name; *c; c++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-",
			    *c))
			*c = '-';
}

/* ---- The offers ---------------------------------------------------------------------------- */

int local_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
		      struct souk_error *err)
{
	const struct local *local = self;
	struct souk_offer offer = { SOUK_OFFER_HEAD };
	struct local_programs programs;
	struct gpu_kind kinds[MAX_GPU_KINDS];
	uint64_t milli = (uint64_t)count_cpus() * 1000;
	uint64_t bytes = total_memory_bytes();
	struct utsname name;
	char type[96];
	uint32_t n_kinds;
	uint32_t i;
	uint32_t count;
	int ret = local_programs_find(local, &programs, err);

	if (ret == SOUK_OK)
		ret = find_gpus(call, kinds, &n_kinds, err);
	if (ret != SOUK_OK)
		return ret;
	apply_cgroups(&milli, &bytes);
	offer.flags = SOUK_OFFER_FREE;
	offer.instance_type = "local";
	offer.region = LOCAL_REGION;
	offer.arch = architecture(&name);
	offer.vcpus_milli = (uint32_t)milli;
	offer.memory_mib = bytes / (1024 * 1024);
	offer.local_disk_mib = local_free_disk_mib(local->root);
	offer.micros_per_hour = 0;
	offer.spot_micros_per_hour = -1;
	memcpy(offer.currency, "USD", sizeof(offer.currency));
	ret = souk_offer_list_add(out, &offer, err);
	for (i = 0; i < n_kinds; i++) {
		for (count = 1; count <= kinds[i].count && ret == SOUK_OK; count++) {
			type_name(&kinds[i], count, type, sizeof(type));
			offer.instance_type = type;
			offer.accelerator = kinds[i].name;
			offer.accelerator_milli = count * 1000;
			offer.accelerator_memory_mib = kinds[i].memory_mib;
			ret = souk_offer_list_add(out, &offer, err);
		}
	}
	return ret;
}
