/* SPDX-License-Identifier: Apache-2.0 */
/* task-envs.c - variables and secrets of a task: from the file, from files of them, from flags */
#include "model/task-internal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

#define MAX_VARIABLES 1000u
#define MAX_FILE ((size_t)1 << 20)
#define MAX_SUBSTITUTED ((size_t)1 << 20) /* of all texts of a task together, before and after */

static const struct souk_mark nowhere = { 0, 0 };

static int set_env(struct souk_task_parser *p, const char *name, const char *value)
{
	return souk_pairs_set(&p->task->envs, name, value, p->err) < 0 ? SOUK_E_NOMEM : SOUK_OK;
}

/* "personal.TOKEN" is the secret TOKEN of a scope. */
static const char *bare_name(const char *name)
{
	static const char *const scopes[] = { "personal.", "workspace.", "global." };
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(scopes); i++) {
		if (strncmp(name, scopes[i], strlen(scopes[i])) == 0)
			return name + strlen(scopes[i]);
	}
	return name;
}

static struct souk_secret *find_secret(struct souk_task *task, const char *name)
{
	size_t i;

	for (i = 0; i < task->n_secrets; i++) {
		if (strcmp(task->secrets[i].name, name) == 0 ||
		    strcmp(bare_name(task->secrets[i].name), name) == 0)
			return &task->secrets[i];
	}
	return NULL;
}

/* value NULL: a reference to a stored one. */
static int set_secret(struct souk_task_parser *p, const char *name, const char *value,
		      struct souk_mark mark)
{
	struct souk_secret *secret = find_secret(p->task, name);
	int ret;

	if (!secret) {
		ret = souk_task_grow(p, &p->task->secrets, p->task->n_secrets, sizeof(*secret));
		if (ret < 0)
			return ret;
		secret = &p->task->secrets[p->task->n_secrets];
		secret->mark = mark;
		ret = souk_task_set(p, &secret->name, name);
		if (ret < 0)
			return ret;
		p->task->n_secrets++;
	}
	if (secret->value)
		souk_wipe(secret->value, strlen(secret->value));
	ret = souk_task_set(p, &secret->value, value);
	if (ret == SOUK_OK && value)
		ret = souk_task_set(p, &secret->name, bare_name(secret->name));
	return ret;
}

/* A key that can be a variable's name. */
static int good_key(struct souk_task_parser *p, const char *where, const struct souk_yaml *key)
{
	if (key->type == SOUK_YAML_STR && souk_task_is_env_name(key->text, strlen(key->text)))
		return 1;
	souk_task_bad(p, key->mark,
		      "%s: '%.60s' is not the name of a variable: letters, digits and '_', not "
		      "beginning with a digit",
		      where, key->text);
	return 0;
}

static int is_map(struct souk_task_parser *p, const char *where, const struct souk_yaml *node)
{
	if (node->type != SOUK_YAML_MAP) {
		souk_task_bad(p, node->mark, "%s: must be a map, not %s", where,
			      souk_yaml_type_name(node));
		return 0;
	}
	if (node->n > MAX_VARIABLES) {
		souk_task_bad(p, node->mark, "%s: too many: over %u", where, MAX_VARIABLES);
		return 0;
	}
	return 1;
}

static int read_envs(struct souk_task_parser *p, const struct souk_yaml *node)
{
	size_t i;
	int ret;

	if (!node || node->type == SOUK_YAML_NULL || !is_map(p, "envs", node))
		return SOUK_OK;
	for (i = 0; i < node->n; i++) {
		const struct souk_yaml *key = node->entries[i].key, *value = node->entries[i].value;

		if (!good_key(p, "envs", key))
			continue;
		if (value->type == SOUK_YAML_LIST || value->type == SOUK_YAML_MAP) {
			souk_task_bad(p, value->mark,
				      "envs.%.60s: must be a text or a number, not %s", key->text,
				      souk_yaml_type_name(value));
			continue;
		}
		ret = set_env(p, key->text, value->type == SOUK_YAML_NULL ? NULL : value->text);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_reference(struct souk_task_parser *p, const struct souk_yaml *node)
{
	const char *name = node->text + strlen("secrets:");

	if (*bare_name(name) == '\0') {
		souk_task_bad(p, node->mark, "secrets: '%.60s' names no secret", node->text);
		return SOUK_OK;
	}
	return set_secret(p, name, NULL, node->mark);
}

static int is_reference(const struct souk_yaml *node)
{
	return node->type == SOUK_YAML_STR && strncmp(node->text, "secrets:", 8) == 0;
}

static int read_secret_list(struct souk_task_parser *p, const struct souk_yaml *node)
{
	size_t i;
	int ret;

	if (node->n > MAX_VARIABLES) {
		souk_task_bad(p, node->mark, "secrets: too many: over %u", MAX_VARIABLES);
		return SOUK_OK;
	}
	for (i = 0; i < node->n; i++) {
		if (!is_reference(node->items[i])) {
			souk_task_bad(
				p, node->items[i]->mark,
				"secrets[%zu]: in a list write 'secrets:NAME' for a stored secret",
				i);
			continue;
		}
		ret = read_reference(p, node->items[i]);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* Messages here never show a value. */
static int read_secret(struct souk_task_parser *p, const struct souk_yaml *key,
		       const struct souk_yaml *value)
{
	if (is_reference(key)) {
		if (value->type == SOUK_YAML_NULL)
			return read_reference(p, key);
		souk_task_bad(p, value->mark,
			      "secrets.%.60s: a reference to a stored secret has no value",
			      key->text);
		return SOUK_OK;
	}
	if (key->type != SOUK_YAML_STR || key->text[0] == '\0') {
		souk_task_bad(p, key->mark, "secrets: a name must be a string, not %s",
			      souk_yaml_type_name(key));
		return SOUK_OK;
	}
	if (value->type == SOUK_YAML_LIST || value->type == SOUK_YAML_MAP) {
		souk_task_bad(p, value->mark, "secrets.%.60s: must be a text or a number, not %s",
			      key->text, souk_yaml_type_name(value));
		return SOUK_OK;
	}
	return set_secret(p, key->text, value->type == SOUK_YAML_NULL ? NULL : value->text,
			  key->mark);
}

static int read_secrets(struct souk_task_parser *p, const struct souk_yaml *node)
{
	size_t i;
	int ret;

	if (!node || node->type == SOUK_YAML_NULL)
		return SOUK_OK;
	if (node->type == SOUK_YAML_LIST)
		return read_secret_list(p, node);
	if (!is_map(p, "secrets", node))
		return SOUK_OK;
	for (i = 0; i < node->n; i++) {
		ret = read_secret(p, node->entries[i].key, node->entries[i].value);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

/* Take the quotes from a value, in place; unquoted ones end at " #". */
static void unquote(char *value)
{
	size_t size = strlen(value);
	char *from = value, *to = value;

	if (size >= 2 && value[0] == '\'' && value[size - 1] == '\'') {
		memmove(value, value + 1, size - 2);
		value[size - 2] = '\0';
	} else if (size >= 2 && value[0] == '"' && value[size - 1] == '"') {
		for (from = value + 1; from < value + size - 1; from++) {
			if (*from == '\\' && from + 1 < value + size - 1) {
				from++;
				*to++ = (char)(*from == 'n' ? '\n' : *from == 't' ? '\t' : *from);
			} else {
				*to++ = *from;
			}
		}
		*to = '\0';
	} else {
		from = strstr(value, " #");
		if (from)
			*from = '\0';
		for (size = strlen(value); size > 0 && isspace((unsigned char)value[size - 1]);)
			value[--size] = '\0';
	}
}

static char *trim(char *text)
{
	size_t size;

	while (isspace((unsigned char)*text))
		text++;
	for (size = strlen(text); size > 0 && isspace((unsigned char)text[size - 1]);)
		text[--size] = '\0';
	return text;
}

/* A line "NAME=value" of a file; NULL if it is none. Cut in place. */
static char *split_line(char *line, char **value_out)
{
	char *equals, *name;

	if (strncmp(line, "export ", 7) == 0)
		line = trim(line + 7);
	equals = strchr(line, '=');
	if (!equals)
		return NULL;
	*equals = '\0';
	name = trim(line);
	*value_out = trim(equals + 1);
	unquote(*value_out);
	return souk_task_is_env_name(name, strlen(name)) ? name : NULL;
}

/* A name that is a secret in the file stays one. */
static int set_variable(struct souk_task_parser *p, const char *name, const char *value, int secret)
{
	if (secret || find_secret(p->task, name))
		return set_secret(p, name, value, nowhere);
	return set_env(p, name, value);
}

static int read_file(struct souk_task_parser *p, const char *flag, const char *path, int secret)
{
	struct souk_error why = SOUK_ERROR_INIT;
	SOUK_AUTO_FREE char *expanded = souk_fs_expand(path);
	SOUK_AUTO_FREE char *text = NULL;
	char *line, *next, *name, *value;
	unsigned number = 0;
	size_t size = 0;
	int ret = SOUK_OK;

	if (!expanded)
		return souk_error_nomem(p->err);
	if (souk_fs_read(expanded, MAX_FILE, &text, &size, &why) < 0) {
		if (why.code == SOUK_E_NOMEM)
			return souk_error_nomem(p->err);
		souk_task_bad(p, nowhere, "%s: %s", flag, why.message);
		return SOUK_OK;
	}
	for (line = text; line && ret == SOUK_OK; line = next) {
		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		number++;
		line = trim(line);
		if (*line == '\0' || *line == '#')
			continue;
		value = NULL;
		name = split_line(line, &value);
		if (name && p->task->envs.n + p->task->n_secrets < 2 * MAX_VARIABLES)
			ret = set_variable(p, name, value, secret);
		else
			souk_task_bad(p, nowhere, "%s: %.80s, line %u: %s", flag, path, number,
				      name ? "too many variables" : "not NAME=VALUE");
	}
	souk_wipe(text, size);
	return ret;
}

/* "NAME=value", or "NAME" for the value that it has here. */
static int read_flag(struct souk_task_parser *p, const char *flag, const char *text, int secret)
{
	const char *equals = strchr(text, '=');
	size_t size = equals ? (size_t)(equals - text) : strlen(text);
	SOUK_AUTO_FREE char *name = strndup(text, size);
	const char *value;

	if (!name)
		return souk_error_nomem(p->err);
	if (!souk_task_is_env_name(name, size)) {
		souk_task_bad(p, nowhere,
			      "%s: '%.60s' is not the name of a variable; write NAME=VALUE", flag,
			      name);
		return SOUK_OK;
	}
	value = equals ? equals + 1 : getenv(name);
	if (!value) {
		souk_task_bad(p, nowhere,
			      "%s: %.60s is not set here; write %.60s=VALUE or export it", flag,
			      name, name);
		return SOUK_OK;
	}
	return secret ? set_secret(p, name, value, nowhere) : set_env(p, name, value);
}

static int read_flags(struct souk_task_parser *p, const char *flag, const char *const *texts,
		      int secret)
{
	int ret;

	for (; texts && *texts; texts++) {
		ret = read_flag(p, flag, *texts, secret);
		if (ret < 0)
			return ret;
	}
	return SOUK_OK;
}

static int read_overrides(struct souk_task_parser *p)
{
	const struct souk_overrides *o = p->overrides;
	int ret = SOUK_OK;

	if (!o)
		return SOUK_OK;
	if (o->env_file)
		ret = read_file(p, "--env-file", o->env_file, 0);
	if (ret == SOUK_OK && o->secret_file)
		ret = read_file(p, "--secret-file", o->secret_file, 1);
	if (ret == SOUK_OK)
		ret = read_flags(p, "--env", o->env, 0);
	if (ret == SOUK_OK)
		ret = read_flags(p, "--secret", o->secret, 1);
	return ret;
}

/* Variables that nobody gave a value, with the place where the file asks for one. */
static void check_given(struct souk_task_parser *p, const struct souk_yaml *map)
{
	const struct souk_yaml *envs = souk_yaml_get(map, "envs");
	size_t i;

	for (i = 0; envs && i < p->task->envs.n; i++) {
		const struct souk_pair *pair = &p->task->envs.items[i];

		if (!pair->value)
			souk_task_bad(p, souk_yaml_key(envs, pair->key)->mark,
				      "envs.%.60s has no value; give it with --env %.60s=VALUE",
				      pair->key, pair->key);
	}
}

int souk_task_read_envs(struct souk_task_parser *p, const struct souk_yaml *map)
{
	int ret;

	ret = read_envs(p, souk_yaml_get(map, "envs"));
	if (ret == SOUK_OK)
		ret = read_secrets(p, souk_yaml_get(map, "secrets"));
	if (ret == SOUK_OK)
		ret = read_overrides(p);
	if (ret == SOUK_OK)
		check_given(p, map);
	return ret;
}

static int uses_container(const struct souk_task *task)
{
	size_t i, j;

	for (i = 0; i < task->n_requests; i++) {
		const struct souk_request *request = &task->requests[i];

		if (request->image && strncmp(request->image, "docker:", 7) == 0)
			return 1;
		for (j = 0; j < request->images.n; j++) {
			if (strcmp(request->images.items[j].key, "docker") == 0 ||
			    strncmp(request->images.items[j].value, "docker:", 7) == 0)
				return 1;
		}
	}
	return 0;
}

/* The login of a container registry: three variables, all or none, all of one kind. */
static int check_docker_login(struct souk_task_parser *p)
{
	static const char *const names[] = { "SKYPILOT_DOCKER_USERNAME", "SKYPILOT_DOCKER_PASSWORD",
					     "SKYPILOT_DOCKER_SERVER" };
	char missing[120] = "";
	size_t i, envs = 0, secrets = 0, used = 0;

	for (i = 0; i < SOUK_ARRAY_SIZE(names); i++) {
		int env = souk_pairs_find(&p->task->envs, names[i]) != NULL;
		int secret = find_secret(p->task, names[i]) != NULL;

		envs += (size_t)env;
		secrets += (size_t)secret;
		if (!env && !secret)
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used ? ", " : "", names[i]);
	}
	if (envs == 0 && secrets == 0)
		return SOUK_OK;
	if (missing[0]) {
		souk_task_bad(p, p->task->mark, "the login of a container registry also needs %s",
			      missing);
		return SOUK_OK;
	}
	if (envs > 0 && secrets > 0) {
		souk_task_bad(p, p->task->mark,
			      "the SKYPILOT_DOCKER_ variables stand either all in envs or all in "
			      "secrets");
		return SOUK_OK;
	}
	if (!uses_container(p->task)) {
		souk_report_add(
			p->report, p->task->mark, 1,
			"SKYPILOT_DOCKER_ variables are ignored: no image_id names a container");
		return SOUK_OK;
	}
	return souk_task_unsupported(p, p->task->mark, names[0],
				     "containers as images are not supported yet");
}

/* After the flags: what is still only a reference, and names that a shell could not export. */
int souk_task_check_envs(struct souk_task_parser *p)
{
	char field[120];
	size_t i;
	int ret;

	for (i = 0; i < p->task->n_secrets; i++) {
		const struct souk_secret *secret = &p->task->secrets[i];

		snprintf(field, sizeof(field), "secrets.%.100s", secret->name);
		if (secret->value) {
			if (!souk_task_is_env_name(secret->name, strlen(secret->name)))
				souk_task_bad(
					p, secret->mark,
					"%s: a secret becomes a variable, and this is not the "
					"name of one",
					field);
			continue;
		}
		ret = souk_task_unsupported(p, secret->mark, field,
					    "stored secrets are not supported yet; give the value "
					    "with --secret");
		if (ret < 0)
			return ret;
	}
	return check_docker_login(p);
}

/* The value of a variable, by the first 'size' characters of a name; NULL: unknown. */
static const char *lookup(const struct souk_task *task, const char *name, size_t size)
{
	size_t i;

	for (i = 0; i < task->envs.n; i++) {
		const struct souk_pair *pair = &task->envs.items[i];

		if (strncmp(pair->key, name, size) == 0 && pair->key[size] == '\0')
			return pair->value;
	}
	for (i = 0; i < task->n_secrets; i++) {
		const struct souk_secret *secret = &task->secrets[i];

		if (strncmp(secret->name, name, size) == 0 && secret->name[size] == '\0')
			return secret->value;
	}
	return NULL;
}

static size_t name_size(const char *text)
{
	size_t size = 0;

	while (isalnum((unsigned char)text[size]) || text[size] == '_')
		size++;
	return isdigit((unsigned char)text[0]) ? 0 : size;
}

/* Append what stands at the '$'; returns how many characters of the text that used up. */
static size_t expand(const struct souk_task *task, const char *text, struct souk_buf *out)
{
	int braces = text[1] == '{';
	const char *name = text + 1 + braces, *after, *close, *value;
	size_t size = name_size(name);

	after = name + size;
	if (size == 0)
		goto verbatim;
	value = lookup(task, name, size);
	if (!braces) {
		if (!value)
			goto verbatim;
		souk_buf_str(out, value);
		return size + 1;
	}
	if (*after == '}') {
		if (!value)
			goto verbatim;
		souk_buf_str(out, value);
		return size + 3;
	}
	close = strncmp(after, ":-", 2) == 0 ? strchr(after, '}') : NULL;
	if (!close)
		goto verbatim;
	if (value && *value)
		souk_buf_str(out, value);
	else
		souk_buf_add(out, after + 2, (size_t)(close - after - 2));
	return (size_t)(close - text) + 1;
verbatim:
	souk_buf_add(out, text, 1);
	return 1;
}

int souk_task_substitute(struct souk_task_parser *p, struct souk_mark mark, const char *text,
			 char **slot)
{
	struct souk_buf out;
	int ret;

	souk_buf_init(&out, MAX_SUBSTITUTED);
	p->substituted += strlen(text);
	while (*text && p->substituted <= MAX_SUBSTITUTED) {
		size_t plain = strcspn(text, "$");

		souk_buf_add(&out, text, plain);
		text += plain;
		if (*text)
			text += expand(p->task, text, &out);
	}
	ret = souk_buf_failed(&out, p->err);
	p->substituted += out.len;
	if (ret == SOUK_E_INVALID || p->substituted > MAX_SUBSTITUTED) {
		souk_task_bad(p, mark,
			      "paths and names are too long together once variables are put "
			      "in: over %zu bytes",
			      MAX_SUBSTITUTED);
		souk_buf_reset(&out);
		ret = SOUK_OK;
	}
	if (ret == SOUK_OK && souk_strset(slot, out.data) < 0)
		ret = souk_error_nomem(p->err);
	souk_buf_fini(&out);
	return ret;
}
