/* SPDX-License-Identifier: Apache-2.0 */
/* local.c - this computer as a cloud: machines that are folders with an sshd of their own */
#include "local.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct souk_option local_options[] = {
	{ .name = "root", .help = "folder of the machines (default: in the state folder of souk)" },
	{ .name = "sshd", .help = "path of sshd (default: looked for in PATH and /usr/sbin)" },
	{ .name = "supervisor", .help = "path of souk-local-machine (default: as installed)" },
	{ .name = NULL },
};

/* An absolute path, made of what sshd's configuration and the shell take between quotes. */
static int check_path(const char *what, const char *path, size_t max, struct souk_error *err)
{
	const unsigned char *c;

	if (path[0] != '/' || path[1] == '\0')
		return souk_error_set(err, SOUK_E_INVALID, "%s: not an absolute path: '%s'", what,
				      path);
	if (strlen(path) >= max)
		return souk_error_set(err, SOUK_E_INVALID, "%s: over %zu characters: '%.80s...'",
				      what, max - 1, path);
	for (c = (const unsigned char *)path; *c; c++)
		if (*c < ' ' || *c == 0x7f || strchr("\"'\\%$", *c))
			return souk_error_set(
				err, SOUK_E_INVALID,
				"%s: has one of the characters \" ' \\ %% $ or a control "
				"character: '%s'",
				what, path);
	return SOUK_OK;
}

/* A setting that is a path; "" if the user gave none. */
static int take_path(struct souk_call *call, const char *name, char *path, size_t size,
		     struct souk_error *err)
{
	const char *value = souk_call_option(call, name);
	int ret;

	if (!value || !*value)
		return SOUK_OK;
	ret = check_path(name, value, size, err);
	if (ret != SOUK_OK)
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	(void)snprintf(path, size, "%s", value);
	return SOUK_OK;
}

static int take_root(struct souk_call *call, struct local *local, struct souk_error *err)
{
	const char *state = souk_call_state_dir(call);
	size_t len;
	int n;
	int ret = take_path(call, "root", local->root, sizeof(local->root) - 2 * LOCAL_ID_MAX, err);

	if (ret == SOUK_OK && !local->root[0] && !state)
		ret = souk_error_set(err, SOUK_E_INVALID,
				     "there is no state folder; set local.root");
	if (ret == SOUK_OK && !local->root[0]) {
		n = snprintf(local->root, sizeof(local->root), "%s/machines", state);
		if (n < 0 || (size_t)n >= sizeof(local->root) - 2 * LOCAL_ID_MAX)
			ret = souk_error_set(err, SOUK_E_INVALID,
					     "the state folder's path is too long");
		else
			ret = check_path("the state folder", local->root, sizeof(local->root), err);
	}
	if (ret != SOUK_OK)
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	for (len = strlen(local->root); len > 1 && local->root[len - 1] == '/'; len--)
		local->root[len - 1] = '\0';
	return SOUK_OK;
}

static int local_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct local *local = calloc(1, sizeof(*local));
	int ret;

	if (!local)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	ret = take_root(call, local, err);
	if (ret == SOUK_OK)
		ret = take_path(call, "sshd", local->sshd, sizeof(local->sshd), err);
	if (ret == SOUK_OK)
		ret = take_path(call, "supervisor", local->supervisor, sizeof(local->supervisor),
				err);
	if (ret != SOUK_OK) {
		free(local);
		return ret;
	}
	*self_out = local;
	return SOUK_OK;
}

static void local_close(void *self)
{
	free(self);
}

/* "OpenSSH_9.2p1 ...": sshd tells its version on stderr, older ones in a complaint. */
static int sshd_version(struct souk_call *call, const char *sshd, char *version, size_t size,
			struct souk_error *err)
{
	const char *const argv[] = { "/bin/sh", "-c", "\"$1\" -V 2>&1", "sh", sshd, NULL };
	char output[4096];
	int32_t status = 0;
	char *at;
	int ret = souk_call_run(call, argv, output, sizeof(output), &status, err);

	if (ret != SOUK_OK)
		return ret;
	at = strstr(output, "OpenSSH_");
	if (!at) {
		souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not OpenSSH's sshd", sshd);
		return souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	}
	(void)snprintf(version, size, "%.*s", (int)strcspn(at, ",\r\n"), at);
	return SOUK_OK;
}

static int local_check(void *self, struct souk_call *call, struct souk_identity *out,
		       struct souk_error *err)
{
	struct local_programs programs;
	char host[256] = "localhost";
	char version[128];
	int ret = local_programs_find(self, &programs, err);

	if (ret == SOUK_OK)
		ret = sshd_version(call, programs.sshd, version, sizeof(version), err);
	(void)gethostname(host, sizeof(host) - 1);
	host[sizeof(host) - 1] = '\0';
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "account", host, err);
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "principal", programs.user, err);
	if (ret == SOUK_OK)
		ret = souk_identity_set(out, "sshd", version, err);
	return ret;
}

static const struct souk_provider_ops local_ops = {
	SOUK_PROVIDER_HEAD,
	.threads = SOUK_THREADS_PARALLEL,
	.features = SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_HOST_KEY | SOUK_FEATURE_SELF_SHUTDOWN |
		    SOUK_FEATURE_QUICK_OFFERS | SOUK_FEATURE_DEFAULT | SOUK_FEATURE_LABELS |
		    SOUK_FEATURE_PORTS | SOUK_FEATURE_DISK_SIZE | SOUK_FEATURE_CONSISTENT,
	.name = "local",
	.title = "This computer",
	.options = local_options,
	.credentials = "none: machines run as the user who runs souk",
	.open = local_open,
	.close = local_close,
	.list_offers = local_list_offers,
	.provision = local_provision,
	.describe = local_describe,
	.teardown = local_teardown,
	.list_instances = local_list_instances,
	.check = local_check,
	.stop = local_stop,
	.start = local_start,
	.open_ports = local_open_ports,
	.set_on_shutdown = local_set_on_shutdown,
};

SOUK_PROVIDER_REGISTER(local_ops);
