/* SPDX-License-Identifier: Apache-2.0 */
/* test-task.c - the task file: what is accepted, in which normal form, what is refused and where */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"
#include "model/task.h"
#include "task-golden.h"

struct loaded {
	struct souk_dag *dag;
	struct souk_report report;
	struct souk_error err;
	int ret;
};

/* The clouds of the file format, as if a module of each were installed. */
static const char *const known_providers[] = {
	"local",      "aws",	      "azure",	"gcp",	 "ibm",	       "lambda",   "scp",   "oci",
	"kubernetes", "runpod",	      "vast",	"vsphere", "cudo",     "fluidstack", "paperspace",
	"primeintellect", "do",	      "nebius", "ssh",	 "slurm",      "hyperbolic", "seeweb",
	"shadeform",  "yotta",	      "mithril", "verda", NULL,
};

static int is_known(const char *name, const char **why_out, void *arg)
{
	size_t i;

	(void)why_out;
	(void)arg;
	for (i = 0; known_providers[i]; i++) {
		if (strcmp(known_providers[i], name) == 0)
			return 1;
	}
	return 0;
}

static const struct souk_task_context all_clouds = { .provider_known = is_known };

static void load(struct loaded *loaded, const char *text, const struct souk_overrides *overrides,
		 const struct souk_task_context *context)
{
	memset(loaded, 0, sizeof(*loaded));
	loaded->err.struct_size = sizeof(loaded->err);
	ck_assert_int_eq(souk_report_init(&loaded->report, "f", &loaded->err), SOUK_OK);
	loaded->ret = souk_dag_parse(text, strlen(text), NULL, overrides,
				     context ? context : &all_clouds, &loaded->dag,
				     &loaded->report, &loaded->err);
	ck_assert_int_eq(loaded->ret == SOUK_OK, loaded->dag != NULL);
	ck_assert_int_eq(loaded->ret == SOUK_OK, loaded->report.n_errors == 0);
}

static void loaded_fini(struct loaded *loaded)
{
	souk_dag_free(loaded->dag);
	souk_report_fini(&loaded->report);
}

static const char *or_any(const char *text)
{
	return text ? text : "*";
}

static void show_accelerators(const struct souk_task *task, struct souk_buf *out)
{
	size_t i;

	for (i = 0; i < task->n_requests; i++) {
		const struct souk_accelerator *a = &task->requests[i].accelerator;

		souk_buf_printf(out, "%s%u=", i ? " " : "", task->requests[i].rank);
		if (a->memory_mib)
			souk_buf_printf(out, "%s:%" PRIu64 "MiB%s", or_any(a->maker), a->memory_mib,
					a->memory_at_least ? "+" : "");
		else
			souk_buf_str(out, or_any(a->name));
		souk_buf_printf(out, ":%u", a->milli);
	}
}

static void show_ports(const struct souk_request *r, struct souk_buf *out)
{
	size_t i;

	for (i = 0; i < r->n_ports; i++)
		souk_buf_printf(out, "%s%u-%u", i ? "," : "", r->ports[i].first, r->ports[i].last);
}

static void show_pairs(const struct souk_pairs *pairs, struct souk_buf *out)
{
	size_t i;

	for (i = 0; i < pairs->n; i++)
		souk_buf_printf(out, "%s%s=%s", i ? "," : "", pairs->items[i].key,
				pairs->items[i].value);
}

static void show_autostop(const struct souk_autostop *a, struct souk_buf *out)
{
	static const char *const waits[] = { "jobs_and_ssh", "jobs", "none" };

	if (!a->set)
		souk_buf_str(out, "unset");
	else if (!a->enabled)
		souk_buf_str(out, "off");
	else
		souk_buf_printf(out, "%u%s %s", a->idle_minutes, a->down ? " down" : "",
				waits[a->wait_for]);
}

static void show_recovery(const struct souk_job_recovery *r, struct souk_buf *out)
{
	size_t i;

	souk_buf_printf(out, "%s %u", r->strategy ? r->strategy : "unset",
			r->max_restarts_on_errors);
	for (i = 0; i < r->n_exit_codes; i++)
		souk_buf_printf(out, " %d", r->exit_codes[i]);
}

static void show_tasks(const struct souk_dag *dag, struct souk_buf *out)
{
	size_t i;

	souk_buf_printf(out, "%s%s[", dag->name ? dag->name : "-",
			dag->execution == SOUK_EXECUTION_PARALLEL ? "||" : "");
	for (i = 0; i < dag->n_tasks; i++)
		souk_buf_printf(out, "%s%s", i ? "," : "",
				dag->tasks[i].name ? dag->tasks[i].name : "-");
	souk_buf_str(out, "]");
}

static void show_mounts(const struct souk_task *task, struct souk_buf *out)
{
	static const char *const kinds[] = { "local", "uri", "storage" };
	size_t i;

	for (i = 0; i < task->n_mounts; i++) {
		const struct souk_mount *m = &task->mounts[i];

		souk_buf_printf(out, "%s%s<%s:%s", i ? " " : "", m->target, kinds[m->kind],
				or_any(m->source));
		if (m->kind == SOUK_MOUNT_STORAGE)
			souk_buf_printf(out, ":%s:%s:%s:%s%s", or_any(m->name), or_any(m->store),
					m->mode, or_any(m->type),
					m->persistent ? "" : ":temporary");
	}
}

static void show_secrets(const struct souk_task *task, struct souk_buf *out)
{
	size_t i;

	for (i = 0; i < task->n_secrets; i++)
		souk_buf_printf(out, "%s%s%s%s", i ? "," : "", task->secrets[i].name,
				task->secrets[i].value ? "=" : "",
				task->secrets[i].value ? task->secrets[i].value : "");
}

/* One aspect of the first task, as text. */
static void show(const struct souk_dag *dag, const char *what, struct souk_buf *out)
{
	const struct souk_task *task = &dag->tasks[0];
	const struct souk_request *r = &task->requests[0];
	size_t i;

	if (strcmp(what, "accelerators") == 0)
		show_accelerators(task, out);
	else if (strcmp(what, "cpus") == 0)
		souk_buf_printf(out, "%" PRIu64 "%s", r->cpus.value, r->cpus.at_least ? "+" : "");
	else if (strcmp(what, "memory") == 0)
		souk_buf_printf(out, "%" PRIu64 "%s", r->memory.value,
				r->memory.at_least ? "+" : "");
	else if (strcmp(what, "disk_size") == 0)
		souk_buf_printf(out, "%" PRIu64, r->disk_size_gib);
	else if (strcmp(what, "disk_tier") == 0)
		souk_buf_str(out, or_any(r->disk_tier));
	else if (strcmp(what, "local_disk") == 0)
		souk_buf_printf(out, "%s:%" PRIu64 "%s", r->local_disk.ssd_ok ? "ssd" : "nvme",
				r->local_disk.size_gib, r->local_disk.at_least ? "+" : "");
	else if (strcmp(what, "ports") == 0)
		show_ports(r, out);
	else if (strcmp(what, "infra") == 0)
		for (i = 0; i < task->n_requests; i++)
			souk_buf_printf(
				out, "%s%s/%s/%s", i ? " " : "", or_any(task->requests[i].provider),
				or_any(task->requests[i].region), or_any(task->requests[i].zone));
	else if (strcmp(what, "autostop") == 0)
		show_autostop(&r->autostop, out);
	else if (strcmp(what, "recovery") == 0)
		show_recovery(&r->recovery, out);
	else if (strcmp(what, "images") == 0)
		show_pairs(&r->images, out);
	else if (strcmp(what, "image") == 0)
		souk_buf_str(out, or_any(r->image));
	else if (strcmp(what, "labels") == 0)
		for (i = 0; i < task->n_requests; i++) {
			souk_buf_str(out, i ? " | " : "");
			show_pairs(&task->requests[i].labels, out);
		}
	else if (strcmp(what, "envs") == 0)
		show_pairs(&task->envs, out);
	else if (strcmp(what, "secrets") == 0)
		show_secrets(task, out);
	else if (strcmp(what, "mounts") == 0)
		show_mounts(task, out);
	else if (strcmp(what, "workdir") == 0)
		souk_buf_printf(out, "%s %s@%s", or_any(task->workdir), or_any(task->git.url),
				or_any(task->git.ref));
	else if (strcmp(what, "price") == 0)
		souk_buf_printf(out, "%" PRId64, r->max_hourly_micros);
	else if (strcmp(what, "spot") == 0)
		souk_buf_printf(out, "%d", r->use_spot);
	else if (strcmp(what, "tasks") == 0)
		show_tasks(dag, out);
	else if (strcmp(what, "name") == 0)
		souk_buf_printf(out, "%s %u", or_any(task->name), task->num_nodes);
	else if (strcmp(what, "unsupported") == 0)
		for (i = 0; i < task->n_unsupported; i++)
			souk_buf_printf(out, "%s%s", i ? "," : "", task->unsupported[i].field);
	else
		ck_abort_msg("nothing is called '%s'", what);
}

static void check_shown(const struct souk_dag *dag, const char *text, const char *what,
			const char *form)
{
	struct souk_buf out;

	souk_buf_init(&out, 65536);
	show(dag, what, &out);
	ck_assert_msg(strcmp(out.data, form) == 0, "%s: %s is '%s', not '%s'", text, what, out.data,
		      form);
	souk_buf_fini(&out);
}

static void check_golden(const struct golden *golden, const char *text)
{
	struct loaded loaded;

	load(&loaded, text, NULL, NULL);
	if (!golden->what) {
		ck_assert_msg(loaded.ret == SOUK_E_INVALID, "accepted: %s", text);
		ck_assert_int_eq(strncmp(loaded.err.message, "f:", 2), 0);
	} else {
		ck_assert_msg(loaded.ret == SOUK_OK, "refused: %s: %s", text, loaded.err.message);
		if (golden->what[0])
			check_shown(loaded.dag, text, golden->what, golden->form);
	}
	loaded_fini(&loaded);
}

START_TEST(golden_resources)
{
	char text[1024];

	snprintf(text, sizeof(text), "resources:\n  %s\nrun: a\n", resources[_i].text);
	check_golden(&resources[_i], text);
}
END_TEST

START_TEST(golden_files)
{
	check_golden(&files[_i], files[_i].text);
}
END_TEST

/* What is wrong, with its place: every line of the report. */
static const struct {
	const char *text;
	const char *lines;
} places[] = {
	{ "resources:\n  instance_typ: x\n",
	  "f:2:3: unknown field 'instance_typ' in resources; did you mean 'instance_type'?\n" },
	{ "nam: x\nrun: a\n", "f:1:1: unknown field 'nam' in the task; did you mean 'name'?\n" },
	{ "zzzzzz: x\n", "f:1:1: unknown field 'zzzzzz' in the task\n" },
	{ "resources:\n  cpus: abc\n  ports: [80, 0]\nnum_nodes: \"2\"\nfoo: 1\n",
	  "f:2:9: resources.cpus: not a number of vCPUs: 'abc'; write N, or N+ for at least N\n"
	  "f:3:15: resources.ports[1]: ports go from 1 to 65535: '0'\n"
	  "f:4:12: num_nodes: must be an integer, not a string: '2'\n"
	  "f:5:1: unknown field 'foo' in the task\n" },
	{ "run: 5\n", "f:1:6: run: must be a string, not an integer: '5'; put it in quotes\n" },
	{ "setup: [a]\n", "f:1:8: setup: must be a string, not a list\n" },
	{ "resources:\n  use_spot: \"true\"\n",
	  "f:2:13: resources.use_spot: must be true or false, not a string: 'true'\n" },
	{ "resources:\n  disk_tier: fast\n",
	  "f:2:14: resources.disk_tier: 'fast' is not one of: low, "
	  "medium, high, ultra, best\n" },
	{ "resources:\n  priority: 1001\n",
	  "f:2:13: resources.priority: must be from -1000 to 1000, not 1001\n" },
	{ "resources:\n  labels: {a: 1}\n", "f:2:15: resources.labels.a: must be a string, not an "
					    "integer: '1'; put it in quotes\n" },
	{ "envs:\n  GOOD: 1\n  LATER:\n",
	  "f:3:3: envs.LATER has no value; give it with --env LATER=VALUE\n" },
	{ "envs: {1A: x}\n",
	  "f:1:8: envs: '1A' is not the name of a variable: letters, digits and '_', "
	  "not beginning with a digit\n" },
	{ "resources:\n  infra: foo\n", "f:2:10: resources.infra: no provider 'foo'\n" },
	{ "resources:\n  any_of:\n  - infra: aws\n  - infra: gcp\n    cpu: 4\n  cpus: x\n",
	  "f:5:5: unknown field 'cpu' in resources; did you mean 'cpus'?\n"
	  "f:6:9: resources.cpus: not a number of vCPUs: 'x'; write N, or N+ for at least N\n" },
	{ "workdir: {ref: main}\n", "f:1:10: workdir: 'url' is missing\n" },
	{ "file_mounts:\n  /data: /nonexistent/x\n",
	  "f:2:10: file_mounts./data: there is no '/nonexistent/x' here; relative paths begin at "
	  "the "
	  "current folder\n" },
	{ "service:\n  readiness_probe: /\n  replica_polcy: {}\n",
	  "f:3:3: unknown field 'replica_polcy' in service; did you mean 'replica_policy'?\n" },
	{ "name: a\n---\nname: b\nrunn: x\n",
	  "f:4:1: unknown field 'runn' in the task; did you mean 'run'?\n" },
	{ "resources:\n  memory: 4x\n",
	  "f:2:11: resources.memory: memory per vCPU is not supported: "
	  "'4x'; write the memory itself, such as 16GB\n" },
	{ "\xc3\xa9\xc3\xa9: 1\nrun: a\n",
	  "f:1:1: unknown field '\xc3\xa9\xc3\xa9' in the task\n" },
};

START_TEST(places_of_errors)
{
	struct souk_buf lines;
	struct loaded loaded;
	size_t i;

	load(&loaded, places[_i].text, NULL, NULL);
	souk_buf_init(&lines, 65536);
	for (i = 0; i < loaded.report.n; i++) {
		char *line = souk_report_line(&loaded.report, i);

		souk_buf_printf(&lines, "%s\n", line);
		free(line);
	}
	ck_assert_str_eq(lines.data, places[_i].lines);
	souk_buf_fini(&lines);
	loaded_fini(&loaded);
}
END_TEST

/* Flags over the file. */
static const struct {
	const char *text;
	struct souk_overrides overrides;
	const char *what;
	const char *form; /* NULL: refused */
} overridden[] = {
	{ "resources: {infra: aws/us-east-1}", { .infra = "gcp" }, "infra", "gcp/*/*" },
	{ "resources: {infra: aws/us-east-1}", { .infra = "none" }, "infra", "*/*/*" },
	{ "resources: {cloud: aws, zone: z}",
	  { .infra = "*/us-west-2" },
	  "infra",
	  "*/us-west-2/*" },
	{ "run: a", { .infra = "foo" }, "infra", NULL },
	{ "resources: {accelerators: [H100, A100]}",
	  { .accelerators = "L4:2" },
	  "accelerators",
	  "0=L4:2000" },
	{ "resources: {accelerators: H100}", { .accelerators = "none" }, "accelerators", "0=*:0" },
	{ "run: a", { .accelerators = "H100:x" }, "accelerators", NULL },
	{ "resources: {cpus: 4}", { .cpus = "8+" }, "cpus", "8000+" },
	{ "resources: {cpus: 4}", { .cpus = "none" }, "cpus", "0" },
	{ "resources: {cpus: 4}", { .cpus = "x" }, "cpus", NULL },
	{ "resources: {memory: 4+}", { .memory = "1500MB" }, "memory", "1500" },
	{ "resources: {disk_size: 4}", { .disk_size = "1TB" }, "disk_size", "1024" },
	{ "resources: {disk_size: 4}", { .disk_size = "1.5" }, "disk_size", NULL },
	{ "resources: {disk_tier: low}", { .disk_tier = "Best" }, "disk_tier", "best" },
	{ "resources: {disk_tier: low}", { .disk_tier = "none" }, "disk_tier", "*" },
	{ "resources: {disk_tier: low}", { .disk_tier = "fast" }, "disk_tier", NULL },
	{ "resources: {ports: 80}", { .ports = "90,91" }, "ports", "90-91" },
	{ "resources: {ports: 80}", { .ports = "none" }, "ports", "" },
	{ "resources: {ports: 80}", { .ports = "0" }, "ports", NULL },
	{ "resources: {image_id: 'docker:a'}", { .image_id = "none" }, "unsupported", "" },
	{ "resources: {image_id: 'docker:a'}",
	  { .image_id = "docker:b" },
	  "unsupported",
	  "--image-id" },
	{ "resources: {infra: aws, image_id: {r: i}}", { .image_id = "ami-2" }, "image", "ami-2" },
	{ "run: a", { .max_hourly_cost = "1.25" }, "price", "1250000" },
	{ "run: a", { .max_hourly_cost = "0" }, "price", NULL },
	{ "resources: {use_spot: true}", { .use_spot = -1 }, "spot", "0" },
	{ "resources: {use_spot: false}", { .use_spot = 1 }, "spot", "1" },
	{ "name: a\nrun: x", { .name = "b", .num_nodes = 3 }, "name", "b 3" },
	{ "name: a\nrun: x", { .name = "_b" }, "name", NULL },
	{ "workdir: /nonexistent", { .workdir = "/" }, "workdir", "/ *@*" },
	{ "workdir: {url: x}", { .workdir = "/" }, "workdir", "/ *@*" },
	{ "run: a", { .workdir = "/nonexistent" }, "workdir", NULL },
	{ "run: a\n---\nrun: b", { .cpus = "x" }, "cpus", "0" },
	{ "run: a\n---\nrun: b", { .name = "d" }, "tasks", "d[-,-]" },
};

START_TEST(overrides)
{
	struct loaded loaded;

	load(&loaded, overridden[_i].text, &overridden[_i].overrides, NULL);
	if (!overridden[_i].form) {
		ck_assert_msg(loaded.ret == SOUK_E_INVALID, "%s", overridden[_i].text);
		ck_assert_ptr_nonnull(strstr(loaded.err.message, "--"));
	} else {
		ck_assert_msg(loaded.ret == SOUK_OK, "%s", loaded.err.message);
		check_shown(loaded.dag, overridden[_i].text, overridden[_i].what,
			    overridden[_i].form);
	}
	loaded_fini(&loaded);
}
END_TEST

START_TEST(ignored_flags_warn)
{
	struct souk_overrides flags = { .cpus = "8" };
	struct loaded loaded;

	load(&loaded, "run: a\n---\nrun: b\n", &flags, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_OK);
	ck_assert_uint_eq(loaded.report.n, 1);
	ck_assert_int_eq(loaded.report.items[0].warning, 1);
	loaded_fini(&loaded);
}
END_TEST

/* Files of variables, made in a folder of the test. */
static char folder[] = "/tmp/souk-test-task-XXXXXX";
static char env_file[64], secret_file[64];

static void make_file(char path[64], const char *name, const char *text)
{
	FILE *file;

	snprintf(path, 64, "%s/%s", folder, name);
	file = fopen(path, "w");
	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static void make_files(void)
{
	ck_assert_ptr_nonnull(mkdtemp(folder));
	make_file(env_file, "env", "# comment\n\nA=file\nexport B=\"two\\nlines\"\nC='$literal'\n"
				   "D = plain # comment\nT=from-env-file\n");
	make_file(secret_file, "secrets", "T=from-secret-file\nU=u\n");
}

static void remove_files(void)
{
	unlink(env_file);
	unlink(secret_file);
	rmdir(folder);
}

START_TEST(variables_have_an_order)
{
	const char *const env[] = { "A=flag", "SOUK_TEST_COPIED", "N=new", NULL };
	const char *const secret[] = { "U=flag", NULL };
	struct souk_overrides flags = { .env_file = env_file };
	const char *text = "envs: {A: yaml, B: yaml, Z: }\nsecrets: {T: yaml, U: yaml, V: }\n";
	struct loaded loaded;

	ck_assert_int_eq(setenv("SOUK_TEST_COPIED", "ours", 1), 0);
	load(&loaded, text, &flags, NULL);
	ck_assert_str_eq(loaded.err.message,
			 "f:1:26: envs.Z has no value; give it with --env Z=VALUE");
	loaded_fini(&loaded);

	text = "envs: {A: yaml, B: yaml}\nsecrets: {T: yaml, U: yaml, V: }\n";
	load(&loaded, text, &flags, NULL);
	ck_assert_msg(loaded.ret == SOUK_OK, "%s", loaded.err.message);
	check_shown(loaded.dag, text, "envs", "A=file,B=two\nlines,C=$literal,D=plain");
	check_shown(loaded.dag, text, "secrets", "T=from-env-file,U=yaml,V");
	loaded_fini(&loaded);

	flags.secret_file = secret_file;
	flags.env = env;
	flags.secret = secret;
	load(&loaded, text, &flags, NULL);
	ck_assert_msg(loaded.ret == SOUK_OK, "%s", loaded.err.message);
	check_shown(loaded.dag, text, "envs",
		    "A=flag,B=two\nlines,C=$literal,D=plain,SOUK_TEST_COPIED=ours,N=new");
	check_shown(loaded.dag, text, "secrets", "T=from-secret-file,U=flag,V");
	check_shown(loaded.dag, text, "unsupported", "secrets.V");
	loaded_fini(&loaded);
}
END_TEST

START_TEST(a_flag_gives_a_reference_its_value)
{
	const char *const secret[] = { "HF=value", NULL };
	struct souk_overrides flags = { .secret = secret };
	struct loaded loaded;

	load(&loaded, "secrets: [secrets:personal.HF]\n", &flags, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_OK);
	check_shown(loaded.dag, "", "secrets", "HF=value");
	check_shown(loaded.dag, "", "unsupported", "");
	loaded_fini(&loaded);
}
END_TEST

static const struct {
	struct souk_overrides flags;
	const char *says;
} bad_variables[] = {
	{ { .env = (const char *const[]){ "A-B=1", NULL } }, "--env: 'A-B' is not the name" },
	{ { .env = (const char *const[]){ "SOUK_TEST_NOT_SET", NULL } }, "is not set here" },
	{ { .env = (const char *const[]){ "=x", NULL } }, "is not the name" },
	{ { .env_file = "/nonexistent/file" }, "--env-file: " },
	{ { .secret_file = "/etc/passwd" }, "line 1: not NAME=VALUE" },
};

START_TEST(variables_are_checked)
{
	struct loaded loaded;

	load(&loaded, "run: a\n", &bad_variables[_i].flags, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_E_INVALID);
	ck_assert_msg(strstr(loaded.err.message, bad_variables[_i].says) != NULL, "%s",
		      loaded.err.message);
	loaded_fini(&loaded);
}
END_TEST

/* Paths get variables; the target of a mount shows what came out. */
static const struct {
	const char *path;
	const char *result;
} substituted[] = {
	{ "/a/$X", "/a/x" },
	{ "/a/${X}b", "/a/xb" },
	{ "/a/$Xb", "/a/$Xb" },
	{ "/a/$XY", "/a/long" },
	{ "/a/${UNKNOWN}/$UNKNOWN", "/a/${UNKNOWN}/$UNKNOWN" },
	{ "/a/${X:-d}", "/a/x" },
	{ "/a/${UNKNOWN:-d e}", "/a/d e" },
	{ "/a/${EMPTY:-d}", "/a/d" },
	{ "/a/${UNKNOWN:-}", "/a/" },
	{ "/a/${UNKNOWN:-d", "/a/${UNKNOWN:-d" },
	{ "/a/${X", "/a/${X" },
	{ "/a/$", "/a/$" },
	{ "/a/$1", "/a/$1" },
	{ "/a/${}", "/a/${}" },
	{ "/a/$QUOTE", "/a/\"\\'" },
	{ "/a/$S", "/a/secret" },
	{ "/a/$LOOP", "/a/$LOOP" },
};

START_TEST(substitution)
{
	struct loaded loaded;
	char text[512];

	snprintf(text, sizeof(text),
		 "name: n$X\nrun: echo $X\n"
		 "envs: {X: x, XY: long, EMPTY: '', QUOTE: \"\\\"\\\\'\", LOOP: $LOOP}\n"
		 "secrets: {S: secret}\nfile_mounts:\n  '%s': /etc\n", substituted[_i].path);
	load(&loaded, text + strlen("name: n$X\n"), NULL, NULL);
	ck_assert_msg(loaded.ret == SOUK_OK, "%s", loaded.err.message);
	ck_assert_str_eq(loaded.dag->tasks[0].mounts[0].target, substituted[_i].result);
	ck_assert_str_eq(loaded.dag->tasks[0].run, "echo $X");
	loaded_fini(&loaded);

	/* A name is not substituted, and so a bad one. */
	load(&loaded, text, NULL, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_E_INVALID);
	loaded_fini(&loaded);
}
END_TEST

/* A secret that is part of a path does not come out in the message about it. */
START_TEST(messages_hide_secrets)
{
	const char *const secret[] = { "S=hidden-value", NULL };
	struct souk_overrides flags = { .secret = secret };
	struct loaded loaded;
	size_t i;

	load(&loaded,
	     "workdir: /x/$S\nfile_mounts: {/y/$S: /z/$S, /w: {source: /q/$S, name: n$S}}\n"
	     "volumes: {r$S: {size: 1, sub_path: ../$S}}\n"
	     "secrets: {S: {a: hidden-value}, '1 bad': hidden-value}\n",
	     &flags, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_E_INVALID);
	ck_assert_uint_ge(loaded.report.n, 5);
	for (i = 0; i < loaded.report.n; i++)
		ck_assert_msg(!strstr(loaded.report.items[i].message, "hidden"), "%s",
			      loaded.report.items[i].message);
	loaded_fini(&loaded);
}
END_TEST

/* Every field that has no effect yet is refused by name. */
static const struct {
	const char *text;
	const char *field; /* NULL: it works */
} unsupported[] = {
	{ "run: a", NULL },
	{ "file_mounts: {/a: /etc}", NULL },
	{ "file_mounts: {/a: 's3://b'}", "file_mounts./a" },
	{ "file_mounts: {/a: {name: n}}", "file_mounts./a" },
	{ "volumes: {/d: v}", "volumes./d" },
	{ "service: {readiness_probe: /}", "service" },
	{ "pool: {workers: 1}", "pool" },
	{ "resources: {job_recovery: none}", NULL },
	{ "resources: {job_recovery: failover}", "resources.job_recovery" },
	{ "resources: {job_recovery: {max_restarts_on_errors: 1}}", "resources.job_recovery" },
	{ "managed_secrets: [a]", "managed_secrets" },
	{ "managed_secrets: []", NULL },
	{ "secrets: {A: b}", NULL },
	{ "secrets: {A: }", "secrets.A" },
	{ "event_callback: a", "event_callback" },
	{ "inputs: {'s3://a': 1}\noutputs: {'s3://a': 1}", NULL },
	{ "resources: {priority: 0}", NULL },
	{ "resources: {priority: 1}", "resources.priority" },
	{ "resources: {priority_class: a}", "resources.priority_class" },
	{ "resources: {network_tier: standard}", NULL },
	{ "resources: {network_tier: best}", "resources.network_tier" },
	{ "resources: {ephemeral_storage: 5}", "resources.ephemeral_storage" },
	{ "resources: {accelerator_args: {tpu_name: a}}", "resources.accelerator_args" },
	{ "resources: {volumes: [{path: /a, name: b}]}", "resources.volumes" },
	{ "resources: {autostop: {hook: a}}", "resources.autostop.hook" },
	{ "resources: {autostop: 5, local_disk: nvme, disk_tier: low, labels: {a: b}, ports: 80}",
	  NULL },
	{ "resources: {image_id: 'docker:a'}", "resources.image_id" },
	{ "resources: {image_id: {docker: a}}", "resources.image_id" },
	{ "resources: {infra: aws, image_id: ami-1}", NULL },
	{ "config: {ssh: {provision_timeout: 5}}", NULL },
	{ "config: {ssh: {pod_config: {}}}", "config.ssh.pod_config" },
	{ "config: {docker: {run_options: --gpus}}", "config.docker.run_options" },
	{ "config: {nvidia_gpus: {disable_ecc: true}}", "config.nvidia_gpus.disable_ecc" },
	{ "config: {kubernetes: {pod_config: {a: [b]}}}", "config.kubernetes" },
	{ "config: {gcp: {vpc_name: a}}", "config.gcp" },
	{ "config: {hooks: [{run: a}]}", "config.hooks" },
	{ "config: {active_workspace: a}", "config.active_workspace" },
	{ "api_server_access: false", NULL },
	{ "api_server_access: true", "api_server_access" },
	{ "envs: {SKYPILOT_DOCKER_USERNAME: u, SKYPILOT_DOCKER_PASSWORD: p, "
	  "SKYPILOT_DOCKER_SERVER: s}",
	  NULL },
	{ "workdir: {url: 'https://x/y'}", NULL },
	{ "artifacts: [a]", "artifacts" },
	{ "limits: {time: 5m}", "limits" },
	{ "retry: {attempts: 2}", "retry" },
	{ "queue: a", "queue" },
	{ "depends_on: [a]", "depends_on" },
	{ "array: 5", "array" },
	{ "max_parallel: 5", "max_parallel" },
	{ "deadline: 5h", "deadline" },
};

START_TEST(without_effect_is_refused)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct loaded loaded;
	char wanted[200];
	int ret;

	load(&loaded, unsupported[_i].text, NULL, NULL);
	ck_assert_msg(loaded.ret == SOUK_OK, "%s", loaded.err.message);
	ret = souk_dag_check_launch(loaded.dag, "f", &err);
	if (!unsupported[_i].field) {
		ck_assert_msg(ret == SOUK_OK, "%s: %s", unsupported[_i].text, err.message);
	} else {
		snprintf(wanted, sizeof(wanted), ": '%s' cannot be used: ", unsupported[_i].field);
		ck_assert_int_eq(ret, SOUK_E_INVALID);
		ck_assert_int_eq(strncmp(err.message, "f:1:", 4), 0);
		ck_assert_msg(strstr(err.message, wanted) != NULL, "%s", err.message);
	}
	loaded_fini(&loaded);
}
END_TEST

START_TEST(a_launch_takes_one_task)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct loaded loaded;

	load(&loaded, "run: a\n---\nrun: b\n", NULL, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_OK);
	ck_assert_int_eq(souk_dag_check_launch(loaded.dag, "f", &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "f: a launch takes exactly one task, and the file has 2");
	loaded_fini(&loaded);
}
END_TEST

static int only_acme(const char *name, const char **why_out, void *arg)
{
	++*(int *)arg;
	if (strcmp(name, "acme") == 0)
		return 1;
	*why_out = strcmp(name, "aws") == 0 ? "install the package souk-provider-aws" : NULL;
	return 0;
}

static const char *acme_alone(void *arg)
{
	(void)arg;
	return "acme";
}

START_TEST(a_flag_without_effect_is_refused)
{
	struct souk_overrides flags = { .image_id = "docker:a" };
	struct souk_error err = SOUK_ERROR_INIT;
	struct loaded loaded;

	load(&loaded, "run: a\n", &flags, NULL);
	ck_assert_int_eq(loaded.ret, SOUK_OK);
	ck_assert_int_eq(souk_task_check_supported(&loaded.dag->tasks[0], "f", &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message, "f: '--image-id' cannot be used: containers as images are not "
				      "supported yet");
	loaded_fini(&loaded);
}
END_TEST

START_TEST(installed_providers_count)
{
	int calls = 0;
	struct souk_task_context context = { only_acme, acme_alone, &calls };
	struct loaded loaded;

	load(&loaded, "resources: {infra: ACME/r}\n", NULL, &context);
	ck_assert_int_eq(loaded.ret, SOUK_OK);
	check_shown(loaded.dag, "", "infra", "acme/r/*");
	loaded_fini(&loaded);

	load(&loaded, "resources: {infra: aws}\n", NULL, &context);
	ck_assert_str_eq(loaded.err.message,
			 "f:1:20: resources.infra: no provider 'aws': install the "
			 "package souk-provider-aws; installed: acme");
	loaded_fini(&loaded);

	load(&loaded, "resources: {cloud: foo}\n", NULL, &context);
	ck_assert_str_eq(loaded.err.message,
			 "f:1:20: resources.cloud: no provider 'foo'; installed: acme");
	loaded_fini(&loaded);
	ck_assert_int_ge(calls, 3);
}
END_TEST

START_TEST(a_command_is_a_task)
{
	const char *const env[] = { "A=1", NULL };
	struct souk_overrides flags = { .env = env, .accelerators = "L4", .num_nodes = 2 };
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_dag *dag = NULL;

	ck_assert_int_eq(souk_dag_command("exit 3", &flags, NULL, &dag, &report, &err), SOUK_OK);
	ck_assert_uint_eq(dag->n_tasks, 1);
	ck_assert_str_eq(dag->tasks[0].run, "exit 3");
	check_shown(dag, "", "envs", "A=1");
	check_shown(dag, "", "accelerators", "0=L4:1000");
	check_shown(dag, "", "name", "* 2");
	souk_dag_free(dag);
	souk_report_fini(&report);

	memset(&report, 0, sizeof(report));
	flags.cpus = "x";
	ck_assert_int_eq(souk_dag_command("exit 3", &flags, NULL, &dag, &report, &err),
			 SOUK_E_INVALID);
	ck_assert_str_eq(err.message,
			 "command line: --cpus: not a number of vCPUs: 'x'; write N, or N+ "
			 "for at least N");
	souk_report_fini(&report);
}
END_TEST

START_TEST(files_are_named)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_dag *dag = NULL;
	char path[64], wanted[160];

	make_file(path, "task.yaml", "run: [a]\n");
	ck_assert_int_eq(souk_dag_load(path, NULL, NULL, &dag, &report, &err), SOUK_E_INVALID);
	snprintf(wanted, sizeof(wanted), "%s:1:6: run: must be a string, not a list", path);
	ck_assert_str_eq(err.message, wanted);
	souk_report_fini(&report);
	unlink(path);

	memset(&report, 0, sizeof(report));
	ck_assert_int_eq(souk_dag_load(path, NULL, NULL, &dag, &report, &err), SOUK_E_NOT_FOUND);
	ck_assert_uint_eq(report.n_errors, 1);
	ck_assert_ptr_null(dag);
	souk_report_fini(&report);
}
END_TEST

/* With a folder, relative paths are those of the folder. */
START_TEST(relative_paths)
{
	struct souk_error err = SOUK_ERROR_INIT;
	struct souk_report report = { 0 };
	struct souk_dag *dag = NULL;
	const char *text = "workdir: .\nfile_mounts: {/a: env, ~/b: /etc}\n";
	char wanted[200];

	ck_assert_int_eq(
		souk_dag_parse(text, strlen(text), folder, NULL, NULL, &dag, &report, &err),
		SOUK_OK);
	snprintf(wanted, sizeof(wanted), "/a<local:%s ~/b<local:/etc", env_file);
	check_shown(dag, text, "mounts", wanted);
	snprintf(wanted, sizeof(wanted), "%s/. *@*", folder);
	check_shown(dag, text, "workdir", wanted);
	souk_dag_free(dag);
	souk_report_fini(&report);
}
END_TEST

START_TEST(names)
{
	struct souk_error err = SOUK_ERROR_INIT;

	ck_assert_int_eq(souk_name_check("cluster", "a-b_c.d9", 40, &err), SOUK_OK);
	ck_assert_int_eq(souk_name_check("cluster", "aaaaaaaaaa", 10, &err), SOUK_OK);
	ck_assert_int_eq(souk_name_check("cluster", "aaaaaaaaaaa", 10, &err), SOUK_E_INVALID);
	ck_assert_str_eq(err.message,
			 "cluster: 'aaaaaaaaaaa' is too long: 11 characters, at most 10");
	ck_assert_int_eq(souk_name_check("cluster", "", 10, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_name_check("cluster", "-a", 10, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_name_check("cluster", "a/b", 10, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_name_check("cluster", "a b", 10, &err), SOUK_E_INVALID);
	ck_assert_int_eq(souk_name_check("cluster", "a.", 10, &err), SOUK_E_INVALID);
}
END_TEST

/* What copies would multiply is bounded. */
START_TEST(alternatives_are_bounded)
{
	struct loaded loaded;
	char *text = malloc(1 << 20);
	size_t i, n;

	ck_assert_ptr_nonnull(text);
	n = (size_t)snprintf(text, 100, "resources:\n  any_of: [");
	for (i = 0; i < 257; i++)
		n += (size_t)snprintf(text + n, 4, "{},");
	snprintf(text + n, 100, "]\n");
	load(&loaded, text, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(loaded.err.message, "too many alternatives: over 256"));
	loaded_fini(&loaded);

	n = (size_t)snprintf(text, 100, "resources:\n  labels: {");
	for (i = 0; i < 100; i++)
		n += (size_t)snprintf(text + n, 4100, "l%zu: %04000d x,", i, 0);
	n += (size_t)snprintf(text + n, 100, "}\n  any_of: [");
	for (i = 0; i < 250; i++)
		n += (size_t)snprintf(text + n, 4, "{},");
	snprintf(text + n, 100, "]\n");
	load(&loaded, text, NULL, NULL);
	ck_assert_ptr_nonnull(strstr(loaded.err.message, "too large together"));
	ck_assert_uint_eq(loaded.report.n, 1);
	loaded_fini(&loaded);
	free(text);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("task");
	TCase *tc = tcase_create("task");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_unchecked_fixture(tc, make_files, remove_files);
	tcase_add_loop_test(tc, golden_resources, 0, (int)SOUK_ARRAY_SIZE(resources));
	tcase_add_loop_test(tc, golden_files, 0, (int)SOUK_ARRAY_SIZE(files));
	tcase_add_loop_test(tc, places_of_errors, 0, (int)SOUK_ARRAY_SIZE(places));
	tcase_add_loop_test(tc, overrides, 0, (int)SOUK_ARRAY_SIZE(overridden));
	tcase_add_test(tc, ignored_flags_warn);
	tcase_add_test(tc, variables_have_an_order);
	tcase_add_test(tc, a_flag_gives_a_reference_its_value);
	tcase_add_loop_test(tc, variables_are_checked, 0, (int)SOUK_ARRAY_SIZE(bad_variables));
	tcase_add_loop_test(tc, substitution, 0, (int)SOUK_ARRAY_SIZE(substituted));
	tcase_add_test(tc, messages_hide_secrets);
	tcase_add_loop_test(tc, without_effect_is_refused, 0, (int)SOUK_ARRAY_SIZE(unsupported));
	tcase_add_test(tc, a_launch_takes_one_task);
	tcase_add_test(tc, a_flag_without_effect_is_refused);
	tcase_add_test(tc, installed_providers_count);
	tcase_add_test(tc, a_command_is_a_task);
	tcase_add_test(tc, files_are_named);
	tcase_add_test(tc, relative_paths);
	tcase_add_test(tc, names);
	tcase_add_test(tc, alternatives_are_bounded);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
