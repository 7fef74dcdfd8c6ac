/* SPDX-License-Identifier: Apache-2.0 */
/* scripted.c - a cloud in a folder, which does what its script says */
#include <souk/provider.h>

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "own-name.h"

/*
 * The cloud is the folder $SOUK_TEST_CLOUD/NAME, so that it outlives whoever is killed:
 *
 *     script        lines "OP PLACE TIMES STEPS"; the first that fits and has times left is
 *                   taken, once less. PLACE is a region, region/zone or *. STEPS are joined by +:
 *                     made      do what was asked for (else a code means: nothing was done)
 *                     twice     of provision: make double the machines, tell of half of them
 *                     short     of provision: make one machine less
 *                     told      of provision: if it fails, tell of the machines all the same
 *                     apart     of provision: not all machines are in the zone asked for
 *                     hiddenN   machines are not seen the first N times that somebody looks
 *                     doomed    machines are FAILED when they are looked at
 *                     kill      SIGKILL to our own process
 *                     CODE or CODE@SCOPE   fail so
 *     calls         a line "OP TOKEN-OR-COUNT" for each call
 *     machine-ID    a machine: one line of fields, see struct machine
 */

enum { MAX_LINES = 64, MAX_LINE = 256 };

struct machine {
	char id[32], region[32], zone[32], type[32], cluster[64], owner[64], token[64];
	int status;
	int hidden;
	int doomed;
};

struct steps {
	int made, twice, less, told, apart, hidden, doomed, kill_us;
	int code, scope;
};

static int find_name(const char *text, const char *const *names, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], text) == 0)
			return i;
	return -1;
}

static void path_of(const char *name, char *path, size_t size)
{
	const char *cloud = getenv("SOUK_TEST_CLOUD");

	snprintf(path, size, "%s/%s/%s", cloud ? cloud : "/nonexistent", own_name(), name);
}

/* ---- The script ---- */

static void parse_step(struct steps *steps, char *step)
{
	static const char *const codes[] = {
		"OK", "CAPACITY", "QUOTA", "AUTH", "RATE_LIMIT", "INVALID", "NOT_FOUND", "CONFLICT",
		"TIMEOUT", "TRANSIENT", "UNSUPPORTED", "NOMEM", "INTERNAL", "CANCELLED",
	};
	static const char *const scopes[] = { "offer", "zone", "region", "provider" };
	char *scope = strchr(step, '@');

	if (scope)
		*scope++ = '\0';
	if (strcmp(step, "made") == 0)
		steps->made = 1;
	else if (strcmp(step, "twice") == 0)
		steps->twice = 1;
	else if (strcmp(step, "short") == 0)
		steps->less = 1;
	else if (strcmp(step, "told") == 0)
		steps->told = 1;
	else if (strcmp(step, "apart") == 0)
		steps->apart = 1;
	else if (strcmp(step, "doomed") == 0)
		steps->doomed = 1;
	else if (strcmp(step, "kill") == 0)
		steps->kill_us = 1;
	else if (strncmp(step, "hidden", 6) == 0)
		steps->hidden = (int)strtol(step + 6, NULL, 10);
	else if (find_name(step, codes, 14) >= 0)
		steps->code = -find_name(step, codes, 14);
	else
		abort(); /* the test is wrong */
	if (scope)
		steps->scope = find_name(scope, scopes, 4);
}

static int fits_place(const char *place, const char *region, const char *zone)
{
	char both[80];

	snprintf(both, sizeof(both), "%s/%s", region ? region : "", zone ? zone : "");
	return strcmp(place, "*") == 0 || strcmp(place, both) == 0 ||
	       (region && strcmp(place, region) == 0);
}

static unsigned read_script(char lines[MAX_LINES][MAX_LINE])
{
	char path[512];
	unsigned n = 0;
	FILE *file;

	path_of("script", path, sizeof(path));
	file = fopen(path, "r");
	while (file && n < MAX_LINES && fgets(lines[n], MAX_LINE, file))
		n++;
	if (file)
		fclose(file);
	return n;
}

/* What the script wants of this call; nothing if no line fits. */
static struct steps next_steps(const char *op, const char *region, const char *zone)
{
	char lines[MAX_LINES][MAX_LINE], path[512], in_op[32], place[64], text[128];
	struct steps steps = { .scope = -1 };
	unsigned n = read_script(lines), i;
	int times, found = 0;
	char *step, *rest;
	FILE *file;

	path_of("script", path, sizeof(path));
	file = n ? fopen(path, "w") : NULL;
	for (i = 0; file && i < n; i++) {
		if (sscanf(lines[i], "%31s %63s %d %127s", in_op, place, &times, text) != 4)
			abort();
		if (!found && times > 0 && strcmp(in_op, op) == 0 && fits_place(place, region, zone)) {
			found = 1;
			times--;
			for (rest = text; (step = strsep(&rest, "+")) != NULL;)
				parse_step(&steps, step);
			/* The text was cut into steps: take it again for the file. */
			sscanf(lines[i], "%*s %*s %*d %127s", text);
		}
		fprintf(file, "%s %s %d %s\n", in_op, place, times, text);
	}
	if (file)
		fclose(file);
	return steps;
}

static void count_call(const char *op, const char *what)
{
	char path[512];
	FILE *file;

	path_of("calls", path, sizeof(path));
	file = fopen(path, "a");
	if (file) {
		fprintf(file, "%s %s\n", op, what ? what : "-");
		fclose(file);
	}
}

/* The end of every call: die, or fail as the script says, or not. */
static int finish(const struct steps *steps, const char *op, struct souk_error *err)
{
	if (steps->kill_us)
		raise(SIGKILL);
	if (steps->code == SOUK_OK)
		return SOUK_OK;
	souk_error_set(err, steps->code, "the script fails %s", op);
	if (steps->scope >= 0)
		souk_error_scope(err, steps->scope);
	souk_error_reason(err, "Scripted");
	return souk_error_retry_after(err, 1);
}

/* ---- Machines ---- */

static int save(const struct machine *m)
{
	char name[64], path[512], temporary[520];
	FILE *file;

	snprintf(name, sizeof(name), "machine-%s", m->id);
	path_of(name, path, sizeof(path));
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	file = fopen(temporary, "w");
	if (!file)
		return -1;
	fprintf(file, "%s %s %s %s %s %s %s %d %d %d\n", m->id, m->region, m->zone, m->type,
		m->cluster, m->owner, m->token, m->status, m->hidden, m->doomed);
	fclose(file);
	return rename(temporary, path);
}

static int load(const char *name, struct machine *m)
{
	char path[512];
	FILE *file;
	int n;

	path_of(name, path, sizeof(path));
	file = fopen(path, "r");
	if (!file)
		return -1;
	n = fscanf(file, "%31s %31s %31s %31s %63s %63s %63s %d %d %d", m->id, m->region, m->zone,
		   m->type, m->cluster, m->owner, m->token, &m->status, &m->hidden, &m->doomed);
	fclose(file);
	return n == 10 ? 0 : -1;
}

/* Call a function with each machine until it returns not 0. */
static int each_machine(int (*function)(struct machine *m, void *arg), void *arg)
{
	struct dirent *entry;
	struct machine m;
	char path[512];
	int ret = 0;
	DIR *dir;

	path_of("", path, sizeof(path));
	dir = opendir(path);
	while (dir && ret == 0 && (entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, "machine-", 8) == 0 && !strstr(entry->d_name, ".new") &&
		    load(entry->d_name, &m) == 0)
			ret = function(&m, arg);
	if (dir)
		closedir(dir);
	return ret;
}

static int tell(const struct machine *m, struct souk_instance_list *out, struct souk_error *err)
{
	struct souk_instance instance = {
		SOUK_INSTANCE_HEAD,
		.status = m->status,
		.id = m->id,
		.region = m->region,
		.zone = strcmp(m->zone, "-") == 0 ? NULL : m->zone,
		.instance_type = m->type,
		.cluster = m->cluster,
		.owner = m->owner,
		.request_token = m->token,
		.public_address = m->status == SOUK_INSTANCE_RUNNING ? "127.0.0.1" : NULL,
		.ssh_user = "me",
		.ssh_port = 1,
		.status_reason = m->doomed ? "doomed by the script" : NULL,
	};

	return souk_instance_list_add(out, &instance, err);
}

static int make_one(const struct souk_instance_spec *spec, const struct steps *steps, unsigned i,
		    struct souk_instance_list *out, struct souk_error *err)
{
	struct machine m = { .status = SOUK_INSTANCE_PENDING, .hidden = steps->hidden,
			     .doomed = steps->doomed };

	/* Those of a doubled request sort behind or before the others, as it comes. */
	snprintf(m.id, sizeof(m.id), "%c-%.8s-%u", i % 2 ? 'a' : 'm', spec->request_token, i);
	snprintf(m.region, sizeof(m.region), "%s", spec->region);
	snprintf(m.zone, sizeof(m.zone), "%s",
		 steps->apart && i > 0 ? "elsewhere" : spec->zone ? spec->zone : "-");
	snprintf(m.type, sizeof(m.type), "%s", spec->instance_type);
	snprintf(m.cluster, sizeof(m.cluster), "%s", spec->cluster);
	snprintf(m.owner, sizeof(m.owner), "%s", spec->owner);
	snprintf(m.token, sizeof(m.token), "%s", spec->request_token);
	if (save(&m) < 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot save a machine");
	return out ? tell(&m, out, err) : SOUK_OK;
}

struct look {
	const struct souk_instance_filter *filter;
	const struct souk_instance_ref *refs;
	uint32_t n_refs;
	struct souk_instance_list *out;
	struct souk_error *err;
	unsigned found;
};

static int is_meant(const struct look *look, const struct machine *m)
{
	const struct souk_instance_filter *f = look->filter;
	uint32_t i;

	for (i = 0; i < look->n_refs; i++)
		if (strcmp(look->refs[i].id, m->id) == 0 && strcmp(look->refs[i].region, m->region) == 0)
			return 1;
	if (!f)
		return 0;
	return (!f->owner || strcmp(f->owner, m->owner) == 0) &&
	       (!f->cluster || strcmp(f->cluster, m->cluster) == 0) &&
	       (!f->request_token || strcmp(f->request_token, m->token) == 0) &&
	       (!f->region || strcmp(f->region, m->region) == 0);
}

/* A machine is seen; those that were PENDING run from now on. */
static int look_at(struct machine *m, void *arg)
{
	struct look *look = arg;

	if (!is_meant(look, m))
		return 0;
	if (m->hidden > 0) {
		m->hidden--;
		return save(m);
	}
	if (m->status == SOUK_INSTANCE_PENDING)
		m->status = m->doomed ? SOUK_INSTANCE_FAILED : SOUK_INSTANCE_RUNNING;
	look->found++;
	save(m);
	return tell(m, look->out, look->err);
}

/* ---- The operations ---- */

static int scripted_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	struct steps steps = next_steps("open", NULL, NULL);

	(void)call;
	*self_out = NULL;
	return finish(&steps, "open", err);
}

static void scripted_close(void *self)
{
	(void)self;
}

static int scripted_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
				struct souk_error *err)
{
	struct souk_offer offer = { SOUK_OFFER_HEAD, .instance_type = "t", .region = "r",
				    .vcpus_milli = 8000, .memory_mib = 32768,
				    .micros_per_hour = 1000000, .spot_micros_per_hour = -1 };

	(void)self;
	(void)call;
	return souk_offer_list_add(out, &offer, err);
}

static int scripted_provision(void *self, struct souk_call *call,
			      const struct souk_instance_spec *spec, struct souk_instance_list *out,
			      struct souk_error *err)
{
	struct steps steps = next_steps("provision", spec->region, spec->zone);
	struct souk_instance_filter filter = { .request_token = spec->request_token };
	struct look look = { .filter = &filter, .out = out, .err = err };
	unsigned n = spec->count - (steps.less ? 1 : 0), i;
	int ret = SOUK_OK;

	(void)self;
	count_call("provision", spec->request_token);
	if (steps.code == SOUK_OK || steps.made)
		ret = each_machine(look_at, &look);
	/* One token makes one set of machines. */
	if (look.found == 0 && (steps.made || (steps.code == SOUK_OK && !steps.kill_us)))
		for (i = 0; i < n * (steps.twice ? 2 : 1) && ret == SOUK_OK; i++)
			ret = make_one(spec, &steps, i,
				       i < n && (steps.code == SOUK_OK || steps.told) ? out : NULL, err);
	if (ret == SOUK_OK && souk_call_cancelled(call))
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	return ret < 0 ? ret : finish(&steps, "provision", err);
}

static int scripted_describe(void *self, struct souk_call *call,
			     const struct souk_instance_ref *refs, uint32_t n,
			     struct souk_instance_list *out, struct souk_error *err)
{
	struct steps steps = next_steps("describe", n ? refs[0].region : NULL, n ? refs[0].zone : NULL);
	struct look look = { .refs = refs, .n_refs = n, .out = out, .err = err };
	int ret = SOUK_OK;

	(void)self;
	(void)call;
	count_call("describe", n ? refs[0].id : NULL);
	if (steps.code == SOUK_OK)
		ret = each_machine(look_at, &look);
	return ret < 0 ? ret : finish(&steps, "describe", err);
}

static int scripted_teardown(void *self, struct souk_call *call,
			     const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	struct steps steps = next_steps("teardown", n ? refs[0].region : NULL, n ? refs[0].zone : NULL);
	char name[64], path[512];
	uint32_t i;

	(void)self;
	(void)call;
	count_call("teardown", n ? refs[0].id : NULL);
	for (i = 0; i < n && (steps.made || (steps.code == SOUK_OK && !steps.kill_us)); i++) {
		snprintf(name, sizeof(name), "machine-%s", refs[i].id);
		path_of(name, path, sizeof(path));
		unlink(path);
	}
	return finish(&steps, "teardown", err);
}

static int scripted_list_instances(void *self, struct souk_call *call,
				   const struct souk_instance_filter *filter,
				   struct souk_instance_list *out, struct souk_error *err)
{
	struct steps steps = next_steps("list", filter->region, NULL);
	struct look look = { .filter = filter, .out = out, .err = err };
	int ret = SOUK_OK;

	(void)self;
	(void)call;
	count_call("list", filter->request_token);
	if (steps.code == SOUK_OK)
		ret = each_machine(look_at, &look);
	return ret < 0 ? ret : finish(&steps, "list", err);
}

static int set_stopped(struct machine *m, void *arg)
{
	if (is_meant(arg, m)) {
		m->status = SOUK_INSTANCE_STOPPED;
		return save(m);
	}
	return 0;
}

static int scripted_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			 uint32_t n, struct souk_error *err)
{
	struct steps steps = next_steps("stop", n ? refs[0].region : NULL, NULL);
	struct look look = { .refs = refs, .n_refs = n };

	(void)self;
	(void)call;
	count_call("stop", n ? refs[0].id : NULL);
	if (steps.code == SOUK_OK)
		each_machine(set_stopped, &look);
	return finish(&steps, "stop", err);
}

static struct souk_provider_ops table = {
	SOUK_PROVIDER_HEAD,
	.title = "A cloud in a folder",
	.threads = SOUK_THREADS_SERIAL,
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_MULTI_NODE | SOUK_FEATURE_SELF_SHUTDOWN |
		    SOUK_FEATURE_QUICK_OFFERS,
	.open = scripted_open,
	.close = scripted_close,
	.list_offers = scripted_list_offers,
	.provision = scripted_provision,
	.describe = scripted_describe,
	.teardown = scripted_teardown,
	.list_instances = scripted_list_instances,
	.stop = scripted_stop,
};

/* "sure" shows at once what it has; "blind" cannot search. */
SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void);
SOUK_EXPORT const struct souk_provider_ops *souk_provider_entry(void)
{
	table.name = own_name();
	if (strcmp(own_name(), "sure") == 0)
		table.features |= SOUK_FEATURE_CONSISTENT;
	if (strcmp(own_name(), "blind") == 0)
		table.list_instances = NULL;
	return &table;
}
