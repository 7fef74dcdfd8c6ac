/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - a small host that loads the template's module and goes through a life with it */

#define _GNU_SOURCE

#include <souk/provider.h>

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: not so: %s (%s)\n", __FILE__, __LINE__,            \
				#condition, err.message);                                          \
			exit(1);                                                                   \
		}                                                                                  \
	} while (0)

static struct souk_error err = SOUK_ERROR_INIT;
static const char *hosts, *state_dir, *ssh;

/* What the module has told: of each list the number, and the last one. */
static struct {
	int n;
	int available;
	char type[400];
} offers;

static struct {
	int n;
	int status;
	uint32_t port;
	char id[64], type[400], token[64], cluster[64], user[64], address[256];
} instances;

static struct {
	char account[64];
} identity;

static const char *call_option(const struct souk_call *call, const char *name)
{
	(void)call;
	if (strcmp(name, "hosts") == 0)
		return hosts;
	if (strcmp(name, "ssh") == 0)
		return ssh;
	return strcmp(name, "vcpus") == 0 ? "4" : NULL;
}

/* What it says of its progress is for people. */
static void call_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total)
{
	(void)call;
	CHECK(what && *what && (total == 0 || done <= total));
}

static const char *call_state_dir(const struct souk_call *call)
{
	(void)call;
	return state_dir;
}

static int call_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		    int32_t *exit_status_out, struct souk_error *error)
{
	size_t len = 0;
	ssize_t n;
	int fds[2], status;
	pid_t pid;

	(void)call;
	if (pipe(fds) < 0 || (pid = fork()) < 0)
		return souk_error_set(error, SOUK_E_INTERNAL, "no pipe: %s", strerror(errno));
	if (pid == 0) {
		dup2(fds[1], 1);
		close(fds[0]);
		close(fds[1]);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	while ((n = read(fds[0], output + len, size - 1 - len)) > 0)
		len += (size_t)n;
	close(fds[0]);
	output[len] = '\0';
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	*exit_status_out = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return SOUK_OK;
}

static int offer_list_add(struct souk_offer_list *list, const struct souk_offer *offer,
			  struct souk_error *error)
{
	(void)list;
	(void)error;
	CHECK(offer->flags & SOUK_OFFER_FREE);
	CHECK(offer->micros_per_hour == 0 && offer->vcpus_milli == 4000);
	offers.n++;
	offers.available += offer->available;
	snprintf(offers.type, sizeof(offers.type), "%s", offer->instance_type);
	return SOUK_OK;
}

static int instance_list_add(struct souk_instance_list *list, const struct souk_instance *instance,
			     struct souk_error *error)
{
	(void)list;
	(void)error;
	instances.n++;
	instances.status = instance->status;
	instances.port = instance->ssh_port;
	snprintf(instances.id, sizeof(instances.id), "%s", instance->id);
	snprintf(instances.type, sizeof(instances.type), "%s", instance->instance_type);
	snprintf(instances.token, sizeof(instances.token), "%s", instance->request_token);
	snprintf(instances.cluster, sizeof(instances.cluster), "%s", instance->cluster);
	snprintf(instances.user, sizeof(instances.user), "%s", instance->ssh_user);
	snprintf(instances.address, sizeof(instances.address), "%s", instance->public_address);
	return SOUK_OK;
}

static int identity_set(struct souk_identity *out, const char *key, const char *value,
			struct souk_error *error)
{
	(void)out;
	(void)error;
	if (strcmp(key, "account") == 0)
		snprintf(identity.account, sizeof(identity.account), "%s", value);
	return SOUK_OK;
}

static void call_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
	SOUK_PRINTF(3, 0);

static void call_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
{
	(void)call;
	fprintf(stderr, "log %d: ", level);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
}

/* How often a text stands in a file; -1: there is no such file. */
static int count_in(const char *folder, const char *name, const char *text)
{
	char path[4096], line[4096];
	FILE *file;
	int n = 0;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "r");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		n += strstr(line, text) != NULL;
	fclose(file);
	return n;
}

static const struct souk_provider_ops *load(const char *path)
{
	const struct souk_provider_ops *(*entry)(void);
	const struct souk_provider_ops *ops;
	void *module = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!module)
		fprintf(stderr, "%s\n", dlerror());
	CHECK(module);
	*(void **)&entry = dlsym(module, "souk_provider_entry");
	CHECK(entry);
	ops = entry();
	CHECK(ops->abi == SOUK_PROVIDER_ABI && strcmp(ops->name, "acme") == 0);
	return ops;
}

static void refuses_bad_hosts(const struct souk_provider_ops *ops)
{
	static const char *const bad[] = { "box", "@box", "me@", "-o@box", "me@-o", "me@box:0",
					   "me@box:65536", "me@box:x", "me@a b;c$d", "me@[::1" };
	void *self = NULL;
	size_t i;

	hosts = NULL;
	CHECK(ops->open(NULL, &self, &err) == SOUK_E_AUTH);
	CHECK(strstr(err.hint, "SOUK_ACME_HOSTS"));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		hosts = bad[i];
		if (ops->open(NULL, &self, &err) != SOUK_E_INVALID) {
			fprintf(stderr, "taken for a host: '%s'\n", bad[i]);
			exit(1);
		}
	}
	CHECK(!self);
}

static struct souk_instance_spec spec_of(const char *token, const char *type)
{
	const struct souk_instance_spec spec = {
		.struct_size = sizeof(spec),
		.count = 1,
		.request_token = token,
		.cluster = "c1",
		.owner = "me",
		.instance_type = type,
		.region = "acme",
		.ssh_public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBwQ me@here",
	};

	return spec;
}

/* Take a host, take it again with the same token, and let nobody else have it. */
static void lends_once(const struct souk_provider_ops *ops, void *self, const char *home)
{
	struct souk_instance_spec spec = spec_of("token-1", "me@box1:22");

	memset(&instances, 0, sizeof(instances));
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_OK);
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_OK);
	CHECK(instances.n == 2 && instances.status == SOUK_INSTANCE_RUNNING);
	CHECK(strcmp(instances.id, "lease-token-1") == 0);
	CHECK(strcmp(instances.type, "me@box1:22") == 0 && instances.port == 22);
	CHECK(strcmp(instances.user, "me") == 0 && strcmp(instances.address, "box1") == 0);
	CHECK(count_in(home, "me@box1/.ssh/authorized_keys", "souk-token-1") == 1);

	spec.request_token = "token-2";
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_E_CAPACITY);
	CHECK(err.scope == SOUK_SCOPE_OFFER && strstr(err.message, "c1"));
	memset(&offers, 0, sizeof(offers));
	CHECK(ops->list_offers(self, NULL, NULL, &err) == SOUK_OK);
	CHECK(offers.n == 3 && offers.available == 2);

	spec = spec_of("token-3", "me@nobody:22");
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_E_NOT_FOUND);
	spec = spec_of("token-4", "me@box2:2222");
	spec.count = 2;
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_E_UNSUPPORTED);
}

/* A host that cannot be reached is an error, and nobody holds it afterwards. */
static void gives_up_what_is_down(const struct souk_provider_ops *ops, void *self)
{
	const struct souk_instance_filter filter = {
		.struct_size = sizeof(filter), .request_token = "token-5",
	};
	struct souk_instance_spec spec = spec_of("token-5", "me@down:22");

	memset(&instances, 0, sizeof(instances));
	CHECK(ops->provision(self, NULL, &spec, NULL, &err) == SOUK_E_TRANSIENT);
	CHECK(strstr(err.hint, "ssh -p 22 me@down true"));
	CHECK(ops->list_instances(self, NULL, &filter, NULL, &err) == SOUK_OK);
	CHECK(instances.n == 0);
}

static void finds_and_forgets(const struct souk_provider_ops *ops, void *self, const char *home)
{
	const struct souk_instance_ref ref = {
		.struct_size = sizeof(ref), .id = "lease-token-1", .region = "acme",
	};
	struct souk_instance_filter filter = { .struct_size = sizeof(filter), .cluster = "c1" };

	memset(&instances, 0, sizeof(instances));
	CHECK(ops->list_instances(self, NULL, &filter, NULL, &err) == SOUK_OK && instances.n == 1);
	CHECK(strcmp(instances.token, "token-1") == 0 && strcmp(instances.cluster, "c1") == 0);
	filter.cluster = "other";
	CHECK(ops->list_instances(self, NULL, &filter, NULL, &err) == SOUK_OK && instances.n == 1);
	CHECK(ops->describe(self, NULL, &ref, 1, NULL, &err) == SOUK_OK && instances.n == 2);
	CHECK(ops->teardown(self, NULL, &ref, 1, &err) == SOUK_OK);
	CHECK(count_in(home, "me@box1/.ssh/authorized_keys", "souk-token-1") == 0);
	CHECK(ops->describe(self, NULL, &ref, 1, NULL, &err) == SOUK_OK && instances.n == 2);
	CHECK(ops->teardown(self, NULL, &ref, 1, &err) == SOUK_OK);
	CHECK(ops->check(self, NULL, NULL, &err) == SOUK_OK);
	CHECK(strcmp(identity.account, "2 of 3 hosts") == 0);
}

int main(int argc, char **argv)
{
	static const struct souk_host host = {
		.abi = SOUK_PROVIDER_ABI,
		.struct_size = sizeof(host),
		.call_option = call_option,
		.call_state_dir = call_state_dir,
		.call_vlog = call_vlog,
		.call_run = call_run,
		.offer_list_add = offer_list_add,
		.instance_list_add = instance_list_add,
		.identity_set = identity_set,
		.call_progress = call_progress,
	};
	const struct souk_provider_ops *ops;
	void *self = NULL;

	if (argc != 5) {
		fprintf(stderr, "usage: host MODULE STATE-DIR SSH HOMES\n");
		return 64;
	}
	souk_host_install(&host);
	ops = load(argv[1]);
	state_dir = argv[2];
	ssh = argv[3];
	refuses_bad_hosts(ops);
	hosts = "me@box1, me@box2:2222,me@down";
	CHECK(ops->open(NULL, &self, &err) == SOUK_OK);
	memset(&offers, 0, sizeof(offers));
	CHECK(ops->list_offers(self, NULL, NULL, &err) == SOUK_OK);
	CHECK(offers.n == 3 && offers.available == 3);
	CHECK(strcmp(offers.type, "me@down:22") == 0);
	lends_once(ops, self, argv[4]);
	gives_up_what_is_down(ops, self);
	finds_and_forgets(ops, self, argv[4]);
	ops->close(self);
	return 0;
}
