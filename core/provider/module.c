/* SPDX-License-Identifier: Apache-2.0 */
/* provider/module.c - provider modules: finding, checking and loading them */
#include "provider/module.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/strv.h"
#include "base/util.h"
#include "provider/host.h"
#include "provider/stamp.h"

#define PREFIX "souk-provider-"
#define SUFFIX ".so"
#define CONSTRUCTOR_TIMEOUT_MS 10000

typedef const struct souk_provider_ops *entry_fn(void);

/* ---- Finding ---- */

/* "aws" of "souk-provider-aws.so"; NULL if the file is not called so. The caller frees it. */
static char *name_of_file(const char *file)
{
	size_t len = strlen(file), prefix = strlen(PREFIX), suffix = strlen(SUFFIX), i;

	if (len <= prefix + suffix || strncmp(file, PREFIX, prefix) != 0 ||
	    strcmp(file + len - suffix, SUFFIX) != 0)
		return NULL;
	for (i = prefix; i < len - suffix; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", file[i]))
			return NULL;
	return strndup(file + prefix, len - prefix - suffix);
}

static void module_free(struct souk_module *module)
{
	if (!module)
		return;
	/* A sanitizer's report of a leak needs the names of a module that is still there. */
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	if (module->handle)
		dlclose(module->handle);
#endif
	pthread_mutex_destroy(&module->serial);
	souk_module_facts_fini(&module->facts);
	free(module->options);
	free(module->name);
	free(module->path);
	free(module->stamps);
	free(module->problem);
	free(module);
}

static int add_module(struct souk_modules *modules, const char *cache, const char *folder,
		      const char *file, struct souk_error *err)
{
	SOUK_AUTO_FREE char *name = name_of_file(file);
	struct souk_module *module;
	void *items;

	if (!name || souk_modules_get(modules, name))
		return SOUK_OK;
	items = souk_array_grow(modules->items, modules->n, sizeof(*modules->items));
	if (!items)
		return souk_error_nomem(err);
	modules->items = items;
	module = calloc(1, sizeof(*module));
	if (!module)
		return souk_error_nomem(err);
	pthread_mutex_init(&module->serial, NULL);
	module->path = souk_fs_join(folder, file);
	module->stamps = souk_fs_join(cache, "modules");
	module->name = name;
	name = NULL;
	if (!module->path || !module->stamps) {
		module_free(module);
		return souk_error_nomem(err);
	}
	modules->items[modules->n++] = module;
	return SOUK_OK;
}

static int scan_folder(struct souk_modules *modules, const char *cache, const char *folder,
		       struct souk_error *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	int ret = SOUK_OK;

	if (!dir && (errno == ENOENT || errno == ENOTDIR))
		return SOUK_OK;
	if (!dir) {
		souk_log(SOUK_LOG_WARNING, "cannot read the provider folder '%s': %s", folder,
			 strerror(errno));
		return SOUK_OK;
	}
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		ret = add_module(modules, cache, folder, entry->d_name, err);
	closedir(dir);
	return ret;
}

static int search_path(const struct souk_paths *paths, const char *const *further,
		       struct souk_strv *folders, struct souk_error *err)
{
	const char *variable = getenv("SOUK_PROVIDER_PATH");
	int ret = SOUK_OK;
	size_t i;

	for (i = 0; further && further[i] && ret == SOUK_OK; i++)
		ret = souk_strv_add(folders, further[i], err);
	if (ret == SOUK_OK && variable)
		ret = souk_strv_split(folders, variable, ':', err);
	if (ret == SOUK_OK)
		ret = souk_strv_printf(folders, err, "%s/providers", paths->data);
	if (ret == SOUK_OK)
		ret = souk_strv_printf(folders, err, "%s/providers", paths->libdir);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct souk_module *const *)a)->name,
		      (*(struct souk_module *const *)b)->name);
}

int souk_modules_find(const struct souk_paths *paths, const char *const *further,
		      struct souk_modules *modules_out, struct souk_error *err)
{
	struct souk_modules modules = { 0 };
	struct souk_strv folders = { 0 };
	size_t i;
	int ret;

	ret = search_path(paths, further, &folders, err);
	for (i = 0; i < folders.n && ret == SOUK_OK; i++)
		ret = scan_folder(&modules, paths->cache, folders.items[i], err);
	souk_strv_fini(&folders);
	if (ret < 0) {
		souk_modules_fini(&modules);
		return ret;
	}
	if (modules.n > 0)
		qsort(modules.items, modules.n, sizeof(*modules.items), by_name);
	*modules_out = modules;
	return SOUK_OK;
}

void souk_modules_fini(struct souk_modules *modules)
{
	size_t i;

	for (i = 0; i < modules->n; i++)
		module_free(modules->items[i]);
	free(modules->items);
	*modules = (struct souk_modules){ 0 };
}

struct souk_module *souk_modules_get(const struct souk_modules *modules, const char *name)
{
	size_t i;

	for (i = 0; i < modules->n; i++)
		if (strcmp(modules->items[i]->name, name) == 0)
			return modules->items[i];
	return NULL;
}

/* ---- Trying it out in a child ---- */

/* In the child: load it and touch what the parent will touch. */
static void try_in_child(const char *path)
{
	/* If this fails, the parent's own dlopen says why. */
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	entry_fn *entry = NULL;
	volatile uint32_t touched;

	if (handle)
		*(void **)&entry = dlsym(handle, "souk_provider_entry");
	if (entry) {
		const struct souk_provider_ops *ops = entry();

		touched = ops ? ops->abi : 0;
		(void)touched;
	}
}

/* Wait for the child, at most CONSTRUCTOR_TIMEOUT_MS: it says that it lives, or its end closes
 * the pipe. 1: it was too late. */
static int wait_for_child(pid_t pid, int fd, int *status, int *survived)
{
	char word;
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN };
	int64_t end = souk_clock_ms() + CONSTRUCTOR_TIMEOUT_MS;
	int n;

	do {
		int64_t left = end - souk_clock_ms();

		n = poll(&poll_fd, 1, left > 0 ? (int)left : 0);
	} while (n < 0 && errno == EINTR);
	*survived = n > 0 && read(fd, &word, 1) == 1;
	if (n == 0)
		kill(pid, SIGKILL);
	while (waitpid(pid, status, 0) < 0 && errno == EINTR)
		;
	return n == 0;
}

static int try_out(const struct souk_module *module, struct souk_error *err)
{
	const struct rlimit no_core = { 0, 0 };
	int fds[2], status = 0, late, survived;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return souk_error_errno(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return souk_error_errno(err, errno, "cannot start a process");
	}
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		/* What a broken module prints, and its core dump, are nobody's business. */
		dup2(null, 1);
		dup2(null, 2);
		setrlimit(RLIMIT_CORE, &no_core);
		signal(SIGSEGV, SIG_DFL);
		signal(SIGABRT, SIG_DFL);
		try_in_child(module->path);
		/* A constructor that ends the process with 0 does not get as far as this. */
		_exit(write(fds[1], "", 1) == 1 ? 0 : 1);
	}
	close(fds[1]);
	late = wait_for_child(pid, fds[0], &status, &survived);
	close(fds[0]);
	if (late)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' hangs when it is loaded", module->path);
	if (WIFSIGNALED(status))
		return souk_error_set(err, SOUK_E_INVALID, "'%s' crashes when it is loaded (%s)",
				      module->path, strsignal(WTERMSIG(status)));
	if (!survived || WEXITSTATUS(status) != 0)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' ends the process when it is loaded",
				      module->path);
	return SOUK_OK;
}

/* ---- Loading ---- */

static const char *missing_op(const struct souk_provider_ops *ops)
{
	if (!ops->open)
		return "open";
	if (!ops->close)
		return "close";
	if (!ops->list_offers)
		return "list_offers";
	if (!ops->provision)
		return "provision";
	if (!ops->describe)
		return "describe";
	if (!ops->teardown)
		return "teardown";
	return NULL;
}

/* The options one by one: the module's own struct may be shorter or longer than ours. */
static int adopt_options(struct souk_module *module, struct souk_error *err)
{
	const char *at = (const char *)module->ops.options;
	size_t size = module->ops.option_size, n = 0, i;

	if (at && size < offsetof(struct souk_option, reserved))
		return souk_error_set(err, SOUK_E_INVALID, "'%s' has an option table that cannot be",
				      module->path);
	while (at && ((const struct souk_option *)(at + n * size))->name)
		n++;
	module->options = calloc(n + 1, sizeof(*module->options));
	if (!module->options)
		return souk_error_nomem(err);
	for (i = 0; i < n; i++)
		module->options[i] = (const struct souk_option *)(at + i * size);
	return SOUK_OK;
}

static int adopt_ops(struct souk_module *module, const struct souk_provider_ops *theirs,
		     struct souk_error *err)
{
	struct souk_provider_ops *ops = &module->ops;
	const char *missing;

	if (!theirs)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' gives no operations", module->path);
	if (theirs->abi != SOUK_PROVIDER_ABI) {
		souk_error_set(err, SOUK_E_UNSUPPORTED,
			       "'%s' was built for the provider ABI %u, this souk has %d", module->path,
			       theirs->abi, SOUK_PROVIDER_ABI);
		return souk_error_hint(err, "install the souk-provider-%s that belongs to this souk",
				       module->name);
	}
	memcpy(ops, theirs, theirs->struct_size < sizeof(*ops) ? theirs->struct_size : sizeof(*ops));
	ops->struct_size = sizeof(*ops);
	if (!ops->name || strcmp(ops->name, module->name) != 0)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' calls itself '%s'", module->path,
				      ops->name ? ops->name : "");
	missing = missing_op(ops);
	if (missing)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' lacks the required operation '%s'",
				      module->path, missing);
	return adopt_options(module, err);
}

/* What the module says of itself; the stamp keeps it, so that planning need not load it. */
static int adopt_facts(struct souk_module *module, struct souk_error *err)
{
	struct souk_module_facts stamped = { 0 };
	int ret, known = 0;

	if (module->has_facts)
		return SOUK_OK;
	ret = souk_module_facts_take(&module->ops, &module->facts, err);
	if (ret < 0)
		return ret;
	module->has_facts = 1;
	souk_stamp_read(module->stamps, module->path, &stamped, &known);
	souk_module_facts_fini(&stamped);
	if (!known)
		souk_stamp_write(module->stamps, module->path, &module->facts);
	return SOUK_OK;
}

static int load(struct souk_module *module, struct souk_error *err)
{
	entry_fn *entry;
	int ret;

	ret = souk_fs_check_trusted(module->path, err);
	if (ret < 0)
		return ret;
	if (!module->has_facts && !souk_stamp_read(module->stamps, module->path, NULL, NULL)) {
		ret = try_out(module, err);
		if (ret < 0)
			return ret;
		souk_stamp_write(module->stamps, module->path, NULL);
	}
	module->handle = dlopen(module->path, RTLD_NOW | RTLD_LOCAL);
	if (!module->handle)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' cannot be loaded: %s", module->path,
				      dlerror());
	*(void **)&entry = dlsym(module->handle, "souk_provider_entry");
	if (!entry)
		return souk_error_set(err, SOUK_E_INVALID,
				      "'%s' is not a provider: it has no souk_provider_entry",
				      module->path);
	souk_provider_host_install();
	ret = adopt_ops(module, entry(), err);
	return ret < 0 ? ret : adopt_facts(module, err);
}

static int refuse(struct souk_module *module, int code, const struct souk_error *own,
		  struct souk_error *err)
{
	module->refused = code;
	module->problem = strdup(own->message);
	souk_error_set(err, code, "%s", own->message);
	souk_error_hint(err, "%s", own->hint);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return code;
}

int souk_module_load(struct souk_module *module, struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret;

	if (module->refused)
		return souk_error_set(err, module->refused, "%s", module->problem ? module->problem : "refused");
	if (module->handle)
		return SOUK_OK;
	ret = load(module, &own);
	if (ret == SOUK_OK)
		return SOUK_OK;
	return refuse(module, ret, &own, err);
}

int souk_module_facts(struct souk_module *module, const struct souk_module_facts **facts_out,
		      struct souk_error *err)
{
	struct souk_error own = SOUK_ERROR_INIT;
	int ret = SOUK_OK;

	if (!module->has_facts && !module->refused) {
		/* A file that anybody could have changed is not believed, stamp or no stamp. */
		ret = souk_fs_check_trusted(module->path, &own);
		if (ret < 0)
			return refuse(module, ret, &own, err);
		souk_stamp_read(module->stamps, module->path, &module->facts, &module->has_facts);
	}
	if (!module->has_facts)
		ret = souk_module_load(module, err);
	if (ret == SOUK_OK)
		*facts_out = &module->facts;
	return ret;
}
