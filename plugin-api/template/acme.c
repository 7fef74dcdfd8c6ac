/* SPDX-License-Identifier: Apache-2.0 */
/* acme.c - a provider to copy: hosts of one's own, lent to one cluster at a time */

/*
 * The setting 'hosts' names machines that the user can log in to with ssh already. Each is an
 * offer that costs nothing. To provision is to write a lease and to let souk's key in; to tear
 * down is to take the key out and to remove the lease. A lease is a file of "key=value" lines,
 * leases/lease-TOKEN in the state folder, so that the same token always finds the same machine,
 * also after a crash at any line of this file.
 */

#define _GNU_SOURCE /* asprintf, mkostemp, strsep */

#include <souk/provider.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define REGION "acme"

enum { MAX_HOSTS = 1000, MAX_RECORD = 8192, MAX_REPLY = 16384 };

/* ---- Hosts: user@host[:port] ---- */

struct host {
	char *user;
	char *address;
	char port[8];
};

struct acme {
	char *leases;	 /* folder of the leases */
	const char *ssh; /* program to log in with; borrowed from the call, as long as we are open */
	uint32_t vcpus_milli;
	uint64_t memory_mib;
	struct host *hosts;
	size_t n_hosts;
};

/* Nothing that ssh could take for an option, and nothing that means anything to a shell. */
static int is_plain(const char *text, const char *more)
{
	const char *p;

	for (p = text; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
		      (*p >= '0' && *p <= '9') || strchr(more, *p)))
			return 0;
	return p != text && *text != '-';
}

static int bad_host(const char *text, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INVALID, "hosts: not user@host or user@host:port: '%.100s'",
		       text);
	return souk_error_hint(err, "an IPv6 address stands in brackets: user@[2001:db8::1]:22");
}

/* 'text' is cut into its parts. */
static int parse_host(char *text, struct host *host, struct souk_error *err)
{
	char *at = strchr(text, '@');
	char *address, *port = NULL, *end;
	uint32_t number = 22;

	if (!at)
		return bad_host(text, err);
	address = at + 1;
	if (*address == '[') {
		end = strchr(++address, ']');
		if (!end || (end[1] && end[1] != ':'))
			return bad_host(text, err);
		port = end[1] ? end + 2 : NULL;
		*end = '\0';
	} else {
		end = strchr(address, ':');
		if (end) {
			port = end + 1;
			*end = '\0';
		}
	}
	*at = '\0';
	if (!is_plain(text, "._-") || !is_plain(address, ".:_-%"))
		return bad_host(text, err);
	if (port && (souk_parse_u32("hosts: port", port, &number, err) < 0))
		return SOUK_E_INVALID;
	if (number < 1 || number > 65535)
		return souk_error_set(err, SOUK_E_INVALID, "hosts: no port has the number %u",
				      (unsigned)number);

	snprintf(host->port, sizeof(host->port), "%u", (unsigned)number);
	host->user = strdup(text);
	host->address = strdup(address);
	if (!host->user || !host->address)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	return SOUK_OK;
}

/* The name of an instance type: what the user wrote, in one form. */
static void host_name(const struct host *host, char *name, size_t size)
{
	snprintf(name, size, "%s@%s:%s", host->user, host->address, host->port);
}

static int parse_hosts(struct acme *acme, const char *list, struct souk_error *err)
{
	char *copy = strdup(list);
	char *rest = copy, *item, *end;
	int ret = SOUK_OK;

	acme->hosts = calloc(MAX_HOSTS, sizeof(*acme->hosts));
	if (!copy || !acme->hosts) {
		free(copy);
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	}
	while (ret == SOUK_OK && (item = strsep(&rest, ","))) {
		item += strspn(item, " ");
		for (end = item + strlen(item); end > item && end[-1] == ' '; end--)
			end[-1] = '\0';
		if (!*item)
			continue;
		if (acme->n_hosts == MAX_HOSTS)
			ret = souk_error_set(err, SOUK_E_INVALID, "hosts: more than %d",
					     MAX_HOSTS);
		else
			ret = parse_host(item, &acme->hosts[acme->n_hosts++], err);
	}
	free(copy);
	return ret;
}

/* ---- Leases ---- */

struct lease {
	char token[48];
	char cluster[48];
	char owner[128];
	char type[320]; /* the host, as host_name() has it */
	char user[64];
	char address[256];
	char port[8];
	char created[24];
	char host_key[1024];
};

/* The members by name: to write a lease and to read it, from one table. */
static const struct {
	const char *key;
	size_t offset, size;
} fields[] = {
#define FIELD(name) { #name, offsetof(struct lease, name), sizeof(((struct lease *)0)->name) }
	FIELD(token), FIELD(cluster), FIELD(owner),   FIELD(type),     FIELD(user),
	FIELD(address), FIELD(port),  FIELD(created), FIELD(host_key),
#undef FIELD
};

enum { N_FIELDS = sizeof(fields) / sizeof(fields[0]) };

/* A lease's value: one line, and it fits. */
static int set_field(struct lease *lease, size_t field, const char *value, struct souk_error *err)
{
	size_t len = strlen(value);

	if (len >= fields[field].size || strpbrk(value, "\r\n"))
		return souk_error_set(err, SOUK_E_INVALID, "%s: too long or not one line: '%.60s'",
				      fields[field].key, value);
	memcpy((char *)lease + fields[field].offset, value, len + 1);
	return SOUK_OK;
}

static int system_error(struct souk_error *err, const char *what, const char *path)
{
	return souk_error_set(err, SOUK_E_INTERNAL, "cannot %s '%s': %s", what, path,
			      strerror(errno));
}

/* Exclusive use of the leases, by any process, until the descriptor is closed. Held shortly. */
static int lock_leases(const struct acme *acme, int *fd_out, struct souk_error *err)
{
	struct souk_buf path;
	int fd, ret;

	souk_buf_init(&path, MAX_RECORD);
	souk_buf_printf(&path, "%s/lock", acme->leases);
	ret = souk_buf_failed(&path, err);
	if (ret == SOUK_OK) {
		fd = open(path.data, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0 || flock(fd, LOCK_EX) < 0) {
			ret = system_error(err, "lock", path.data);
			if (fd >= 0)
				close(fd);
		} else {
			*fd_out = fd;
		}
	}
	souk_buf_fini(&path);
	return ret;
}

static int read_lease(const char *path, struct lease *lease, struct souk_error *err)
{
	char text[MAX_RECORD];
	char *line, *rest = text, *value;
	FILE *file = fopen(path, "re");
	size_t n, i;

	if (!file)
		return errno == ENOENT ? souk_error_set(err, SOUK_E_NOT_FOUND, "no lease '%s'", path)
				       : system_error(err, "open", path);
	n = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[n] = '\0';
	memset(lease, 0, sizeof(*lease));
	while ((line = strsep(&rest, "\n"))) {
		value = strchr(line, '=');
		if (!value)
			continue;
		*value++ = '\0';
		for (i = 0; i < N_FIELDS; i++)
			if (strcmp(fields[i].key, line) == 0 &&
			    set_field(lease, i, value, err) < 0)
				return SOUK_E_INTERNAL;
	}
	if (!lease->token[0] || !lease->type[0] || !lease->address[0])
		return souk_error_set(err, SOUK_E_INTERNAL, "'%s' is not a lease", path);
	return SOUK_OK;
}

/* Into a file of its own, whose name is put in place of the X's: another souk may be at it too. */
static int write_all(char *path, const char *data, size_t size, struct souk_error *err)
{
	int fd = mkostemp(path, O_CLOEXEC);
	int bad;

	if (fd < 0)
		return system_error(err, "create", path);
	bad = write(fd, data, size) != (ssize_t)size || fsync(fd) < 0;
	if (close(fd) < 0 || bad)
		return system_error(err, "write", path);
	return SOUK_OK;
}

/* Whole or not at all: a reader, or we after a crash, must not see half a lease. */
static int write_lease(const struct acme *acme, const struct lease *lease, struct souk_error *err)
{
	struct souk_buf text, path, tmp;
	size_t i;
	int ret;

	souk_buf_init(&text, MAX_RECORD - 1);
	souk_buf_init(&path, MAX_RECORD);
	souk_buf_init(&tmp, MAX_RECORD);
	for (i = 0; i < N_FIELDS; i++)
		souk_buf_printf(&text, "%s=%s\n", fields[i].key,
				(const char *)lease + fields[i].offset);
	souk_buf_printf(&path, "%s/lease-%s", acme->leases, lease->token);
	souk_buf_printf(&tmp, "%s/new-%s-XXXXXX", acme->leases, lease->token);
	ret = souk_buf_failed(&text, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(&path, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(&tmp, err);
	if (ret == SOUK_OK)
		ret = write_all(tmp.data, text.data, text.len, err);
	if (ret == SOUK_OK && rename(tmp.data, path.data) < 0)
		ret = system_error(err, "rename", tmp.data);
	souk_buf_fini(&text);
	souk_buf_fini(&path);
	souk_buf_fini(&tmp);
	return ret;
}

static int remove_lease(const struct acme *acme, const char *token, struct souk_error *err)
{
	struct souk_buf path;
	int ret;

	souk_buf_init(&path, MAX_RECORD);
	souk_buf_printf(&path, "%s/lease-%s", acme->leases, token);
	ret = souk_buf_failed(&path, err);
	if (ret == SOUK_OK && unlink(path.data) < 0 && errno != ENOENT)
		ret = system_error(err, "remove", path.data);
	souk_buf_fini(&path);
	return ret;
}

/* Call 'visit' with each lease until it returns something else than SOUK_OK. */
static int each_lease(const struct acme *acme,
		      int (*visit)(const struct lease *lease, void *arg, struct souk_error *err),
		      void *arg, struct souk_error *err)
{
	DIR *folder = opendir(acme->leases);
	struct dirent *entry;
	struct souk_buf path;
	struct lease lease;
	int ret = SOUK_OK;

	if (!folder)
		return system_error(err, "read", acme->leases);
	souk_buf_init(&path, MAX_RECORD);
	while (ret == SOUK_OK && (entry = readdir(folder))) {
		if (strncmp(entry->d_name, "lease-", 6) != 0)
			continue;
		souk_buf_reset(&path);
		souk_buf_printf(&path, "%s/%s", acme->leases, entry->d_name);
		ret = souk_buf_failed(&path, err);
		if (ret == SOUK_OK)
			ret = read_lease(path.data, &lease, err);
		if (ret == SOUK_OK)
			ret = visit(&lease, arg, err);
		else if (ret == SOUK_E_NOT_FOUND)
			ret = SOUK_OK; /* ended while we looked */
	}
	souk_buf_fini(&path);
	closedir(folder);
	return ret;
}

struct search {
	const char *token, *type;
	struct lease *lease;
	int found;
};

static int match(const struct lease *lease, void *arg, struct souk_error *err)
{
	struct search *search = arg;

	(void)err;
	if ((search->token && strcmp(search->token, lease->token) == 0) ||
	    (search->type && strcmp(search->type, lease->type) == 0)) {
		*search->lease = *lease;
		search->found = 1;
	}
	return SOUK_OK;
}

/* Find the lease with a token, or of a host. *found_out is 0 if there is none. */
static int find_lease(const struct acme *acme, const char *token, const char *type,
		      struct lease *lease, int *found_out, struct souk_error *err)
{
	struct search search = { .token = token, .type = type, .lease = lease };
	int ret = each_lease(acme, match, &search, err);

	*found_out = search.found;
	return ret;
}

/* ---- Logging in ---- */

/* Run a shell command on a host with the user's own ssh, which knows and verifies the host. */
static int run_there(const struct acme *acme, struct souk_call *call, const struct lease *lease,
		     const char *command, char *output, size_t size, struct souk_error *err)
{
	char target[384];
	const char *argv[] = { acme->ssh, "-o", "BatchMode=yes", "-o", "ConnectTimeout=15",
			       "-p", lease->port, "--", target, command, NULL };
	int32_t status = 0;
	int ret;

	snprintf(target, sizeof(target), "%s@%s", lease->user, lease->address);
	ret = souk_call_run(call, argv, output, size, &status, err);
	if (ret < 0)
		return ret;
	if (status == 255) {
		souk_error_set(err, SOUK_E_TRANSIENT, "cannot log in to '%s' with ssh", target);
		return souk_error_hint(err, "'ssh -p %s %s true' must work without a question",
				       lease->port, target);
	}
	if (status != 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "'%s': a command ended with status %d",
				      target, (int)status);
	return SOUK_OK;
}

/*
 * Let souk's key in, once however often this runs, and learn the host key over the connection
 * that ssh has verified. The key ends in a comment of ours, by which it is taken out again.
 */
static int let_in(const struct acme *acme, struct souk_call *call, struct lease *lease,
		  const char *public_key, struct souk_error *err)
{
	char output[MAX_REPLY];
	struct souk_buf command;
	int ret;

	if (!is_plain(public_key, " +/=@._-:"))
		return souk_error_set(err, SOUK_E_INVALID, "login key: not a public SSH key");
	souk_buf_init(&command, MAX_RECORD);
	souk_buf_printf(&command,
			"umask 077 && mkdir -p ~/.ssh && touch ~/.ssh/authorized_keys && "
			"{ grep -q ' souk-%s$' ~/.ssh/authorized_keys || "
			"printf '%%s\\n' '%s souk-%s' >>~/.ssh/authorized_keys; } && "
			"{ cat /etc/ssh/ssh_host_ed25519_key.pub 2>/dev/null || :; }",
			lease->token, public_key, lease->token);
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = run_there(acme, call, lease, command.data, output, sizeof(output), err);
	souk_buf_fini(&command);
	if (ret < 0)
		return ret;
	output[strcspn(output, "\r\n")] = '\0';
	if (strncmp(output, "ssh-ed25519 ", 12) == 0 && strlen(output) < sizeof(lease->host_key))
		memcpy(lease->host_key, output, strlen(output) + 1);
	return SOUK_OK;
}

static int lock_out(const struct acme *acme, struct souk_call *call, const struct lease *lease,
		    struct souk_error *err)
{
	char output[MAX_REPLY];
	struct souk_buf command;
	int ret;

	souk_buf_init(&command, MAX_RECORD);
	souk_buf_printf(&command,
			"f=~/.ssh/authorized_keys; test ! -e $f || { umask 077 && "
			"sed '/ souk-%s$/d' $f >$f.souk && cat $f.souk >$f && rm -f $f.souk; }",
			lease->token);
	ret = souk_buf_failed(&command, err);
	if (ret == SOUK_OK)
		ret = run_there(acme, call, lease, command.data, output, sizeof(output), err);
	souk_buf_fini(&command);
	return ret;
}

/* ---- The operations ---- */

static void acme_close(void *self)
{
	struct acme *acme = self;
	size_t i;

	if (!acme)
		return;
	for (i = 0; i < acme->n_hosts; i++) {
		free(acme->hosts[i].user);
		free(acme->hosts[i].address);
	}
	free(acme->hosts);
	free(acme->leases);
	free(acme);
}

static int read_settings(struct acme *acme, struct souk_call *call, struct souk_error *err)
{
	const char *hosts = souk_call_option(call, "hosts");
	const char *vcpus = souk_call_option(call, "vcpus");
	const char *memory = souk_call_option(call, "memory_gib");
	const char *state = souk_call_state_dir(call);
	uint32_t gib = 0;
	int ret;

	acme->ssh = souk_call_option(call, "ssh");
	if (!acme->ssh)
		acme->ssh = "ssh";
	if (!hosts || !*hosts) {
		souk_error_set(err, SOUK_E_AUTH, "no hosts are configured");
		return souk_error_hint(err, "set SOUK_ACME_HOSTS=user@host, or 'hosts' under "
					    "providers: acme: in config.yaml");
	}
	if (!state)
		return souk_error_set(err, SOUK_E_INTERNAL, "the host gives no state folder");
	ret = vcpus ? souk_parse_milli("vcpus", vcpus, &acme->vcpus_milli, err) : SOUK_OK;
	if (ret == SOUK_OK && memory)
		ret = souk_parse_u32("memory_gib", memory, &gib, err);
	if (ret < 0)
		return ret;
	acme->memory_mib = (uint64_t)gib * 1024;
	if (asprintf(&acme->leases, "%s/leases", state) < 0) {
		acme->leases = NULL;
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	}
	if (mkdir(acme->leases, 0700) < 0 && errno != EEXIST)
		return system_error(err, "create", acme->leases);
	return parse_hosts(acme, hosts, err);
}

static int acme_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct acme *acme = calloc(1, sizeof(*acme));
	int ret;

	if (!acme)
		return souk_error_set(err, SOUK_E_NOMEM, "out of memory");
	ret = read_settings(acme, call, err);
	if (ret < 0)
		acme_close(acme);
	else
		*self_out = acme;
	return ret;
}

static int acme_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			    struct souk_error *err)
{
	struct acme *acme = self;
	struct lease lease;
	size_t i;
	int ret = SOUK_OK, taken;

	(void)call;
	for (i = 0; i < acme->n_hosts && ret == SOUK_OK; i++) {
		char name[sizeof(lease.type)];
		struct souk_offer offer = {
			SOUK_OFFER_HEAD,
			.flags = SOUK_OFFER_FREE,
			.instance_type = name,
			.region = REGION,
			.vcpus_milli = acme->vcpus_milli,
			.memory_mib = acme->memory_mib,
			.micros_per_hour = 0,
			.spot_micros_per_hour = -1,
		};

		host_name(&acme->hosts[i], name, sizeof(name));
		ret = find_lease(acme, NULL, name, &lease, &taken, err);
		if (ret < 0)
			break;
		offer.available = !taken;
		ret = souk_offer_list_add(out, &offer, err);
	}
	return ret;
}

static int add_instance(const struct lease *lease, struct souk_instance_list *out,
			struct souk_error *err)
{
	char id[64];
	struct souk_instance instance = {
		SOUK_INSTANCE_HEAD,
		.status = SOUK_INSTANCE_RUNNING,
		.id = id,
		.region = REGION,
		.instance_type = lease->type,
		.cluster = lease->cluster,
		.owner = lease->owner,
		.request_token = lease->token,
		.public_address = lease->address,
		.private_address = lease->address,
		.ssh_user = lease->user,
		.host_key = lease->host_key[0] ? lease->host_key : NULL,
		/* The host is the user's and stays on; only the lease ends. */
		.shutdown_command = ":",
	};
	uint64_t created = 0;
	int ret = souk_parse_u32("port", lease->port, &instance.ssh_port, err);

	if (ret == SOUK_OK)
		ret = souk_parse_u64("created", lease->created, &created, err);
	if (ret < 0)
		return ret;
	instance.created_at = (int64_t)created;
	snprintf(id, sizeof(id), "lease-%s", lease->token);
	return souk_instance_list_add(out, &instance, err);
}

static const struct host *find_host(const struct acme *acme, const char *type)
{
	char name[sizeof(((struct lease *)0)->type)];
	size_t i;

	for (i = 0; i < acme->n_hosts; i++) {
		host_name(&acme->hosts[i], name, sizeof(name));
		if (strcmp(name, type) == 0)
			return &acme->hosts[i];
	}
	return NULL;
}

static int fill_lease(struct lease *lease, const struct host *host,
		      const struct souk_instance_spec *spec, struct souk_error *err)
{
	char created[24];
	const char *values[N_FIELDS] = {
		spec->request_token, spec->cluster, spec->owner,   spec->instance_type, host->user,
		host->address,	     host->port,    created,
	};
	size_t i;
	int ret = SOUK_OK;

	memset(lease, 0, sizeof(*lease));
	snprintf(created, sizeof(created), "%lld", (long long)time(NULL));
	for (i = 0; i < N_FIELDS && ret == SOUK_OK; i++)
		if (values[i])
			ret = set_field(lease, i, values[i], err);
	return ret;
}

/* Find the lease with the token, or write one; nobody else can take the host meanwhile. */
static int take_lease(const struct acme *acme, const struct souk_instance_spec *spec,
		      struct lease *lease, struct souk_error *err)
{
	const struct host *host = find_host(acme, spec->instance_type);
	struct lease other;
	int lock = -1;
	int found, ret;

	ret = lock_leases(acme, &lock, err);
	if (ret < 0)
		return ret;
	ret = find_lease(acme, spec->request_token, NULL, lease, &found, err);
	if (ret < 0 || found)
		goto out;
	if (!host) {
		ret = souk_error_set(err, SOUK_E_NOT_FOUND, "no host '%s' is configured",
				     spec->instance_type);
		goto out;
	}
	ret = find_lease(acme, NULL, spec->instance_type, &other, &found, err);
	if (ret < 0)
		goto out;
	if (found) {
		ret = souk_error_set(err, SOUK_E_CAPACITY, "'%s' is lent to cluster '%s'",
				     spec->instance_type, other.cluster);
		goto out;
	}
	ret = fill_lease(lease, host, spec, err);
	if (ret == SOUK_OK)
		ret = write_lease(acme, lease, err);
out:
	close(lock);
	return ret;
}

static int acme_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
			  struct souk_instance_list *out, struct souk_error *err)
{
	struct acme *acme = self;
	struct souk_error ignored = SOUK_ERROR_INIT;
	struct lease lease;
	int ret;

	if (spec->count != 1)
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "%u machines at once: hosts are lent "
							       "one by one", (unsigned)spec->count);
	if (!is_plain(spec->request_token, "-"))
		return souk_error_set(err, SOUK_E_INVALID, "request token: '%.60s'",
				      spec->request_token);
	ret = take_lease(acme, spec, &lease, err);
	if (ret < 0)
		return ret;
	ret = let_in(acme, call, &lease, spec->ssh_public_key, err);
	if (ret == SOUK_OK)
		ret = write_lease(acme, &lease, err);
	if (ret == SOUK_OK)
		return add_instance(&lease, out, err);

	/*
	 * TRANSIENT: ssh did not get in, so nothing has changed there. After anything else the key
	 * may be in, and only a teardown that reaches the host may forget the lease.
	 */
	if (ret != SOUK_E_TRANSIENT || remove_lease(acme, lease.token, &ignored) < 0)
		add_instance(&lease, out, &ignored);
	return ret;
}

static const char *token_of(const struct souk_instance_ref *ref)
{
	return strncmp(ref->id, "lease-", 6) == 0 ? ref->id + 6 : ref->id;
}

static int acme_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			 uint32_t n, struct souk_instance_list *out, struct souk_error *err)
{
	struct lease lease;
	uint32_t i;
	int ret = SOUK_OK, found;

	(void)call;
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = find_lease(self, token_of(&refs[i]), NULL, &lease, &found, err);
		if (ret == SOUK_OK && found)
			ret = add_instance(&lease, out, err);
	}
	return ret;
}

static int acme_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			 uint32_t n, struct souk_error *err)
{
	struct acme *acme = self;
	struct lease lease;
	uint32_t i;
	int ret = SOUK_OK, found;

	for (i = 0; i < n && ret == SOUK_OK; i++) {
		ret = find_lease(acme, token_of(&refs[i]), NULL, &lease, &found, err);
		if (ret < 0 || !found)
			continue;
		ret = lock_out(acme, call, &lease, err);
		if (ret == SOUK_OK)
			ret = remove_lease(acme, lease.token, err);
	}
	return ret;
}

struct listing {
	const struct souk_instance_filter *filter;
	struct souk_instance_list *out;
};

static int list_one(const struct lease *lease, void *arg, struct souk_error *err)
{
	struct listing *listing = arg;
	const struct souk_instance_filter *filter = listing->filter;

	if ((filter->owner && strcmp(filter->owner, lease->owner) != 0) ||
	    (filter->cluster && strcmp(filter->cluster, lease->cluster) != 0) ||
	    (filter->request_token && strcmp(filter->request_token, lease->token) != 0) ||
	    (filter->region && strcmp(filter->region, REGION) != 0))
		return SOUK_OK;
	return add_instance(lease, listing->out, err);
}

static int acme_list_instances(void *self, struct souk_call *call,
			       const struct souk_instance_filter *filter,
			       struct souk_instance_list *out, struct souk_error *err)
{
	struct listing listing = { .filter = filter, .out = out };

	(void)call;
	return each_lease(self, list_one, &listing, err);
}

/* Log in to every host; the names of those that let us in are what there is to tell. */
static int acme_check(void *self, struct souk_call *call, struct souk_identity *out,
		      struct souk_error *err)
{
	struct acme *acme = self;
	char output[MAX_REPLY], name[320], count[64];
	struct lease lease;
	size_t i, good = 0;
	int ret = SOUK_OK;

	for (i = 0; i < acme->n_hosts; i++) {
		memset(&lease, 0, sizeof(lease));
		snprintf(lease.user, sizeof(lease.user), "%s", acme->hosts[i].user);
		snprintf(lease.address, sizeof(lease.address), "%s", acme->hosts[i].address);
		snprintf(lease.port, sizeof(lease.port), "%s", acme->hosts[i].port);
		host_name(&acme->hosts[i], name, sizeof(name));
		ret = run_there(acme, call, &lease, "true", output, sizeof(output), err);
		if (ret == SOUK_E_CANCELLED || ret == SOUK_E_TIMEOUT)
			return ret;
		if (ret < 0)
			souk_call_log(call, SOUK_LOG_WARNING, "%s",
				      err ? err->message : "a host cannot be reached");
		good += ret == SOUK_OK;
	}
	if (good == 0)
		return souk_error_set(err, SOUK_E_AUTH, "none of %zu hosts lets us in",
				      acme->n_hosts);
	snprintf(count, sizeof(count), "%zu of %zu hosts", good, acme->n_hosts);
	ret = souk_identity_set(out, "account", count, err);
	return ret < 0 ? ret : souk_identity_set(out, "principal", acme->hosts[0].user, err);
}

static const struct souk_option acme_options[] = {
	{ .name = "hosts", .type = SOUK_OPT_LIST, .help = "user@host[:port] of each machine" },
	{ .name = "vcpus", .type = SOUK_OPT_INTEGER, .help = "vCPUs that each machine has" },
	{ .name = "memory_gib", .type = SOUK_OPT_INTEGER, .help = "memory that each machine has" },
	{ .name = "ssh", .help = "program to log in with", .default_value = "ssh" },
	{ .name = NULL },
};

static const struct souk_provider_ops acme_ops = {
	SOUK_PROVIDER_HEAD,
	.name = "acme",
	.title = "Hosts of one's own",
	.version = "1.0",
	.threads = SOUK_THREADS_PER_INSTANCE,
	.features = SOUK_FEATURE_QUICK_OFFERS,
	.options = acme_options,
	.credentials = "The keys, the agent and the configuration of the user's own ssh.",
	.open = acme_open,
	.close = acme_close,
	.list_offers = acme_list_offers,
	.provision = acme_provision,
	.describe = acme_describe,
	.teardown = acme_teardown,
	.list_instances = acme_list_instances,
	.check = acme_check,
};
SOUK_PROVIDER_REGISTER(acme_ops);
