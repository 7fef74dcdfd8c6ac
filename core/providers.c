/* SPDX-License-Identifier: Apache-2.0 */
/* providers.c - the providers that are installed, for the public face */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"
#include "context.h"
#include "provider/provider.h"

/* ---- List ---- */

struct souk_providers {
	struct souk_provider_row *rows;
	size_t n;
};

int souk_providers_list(struct souk *souk, int verify, struct souk_providers **providers_out,
			struct souk_error *err)
{
	struct souk_providers *providers = calloc(1, sizeof(*providers));
	size_t i;

	if (!providers)
		return souk_error_nomem(err);
	providers->rows = calloc(souk->registry.modules.n + 1, sizeof(*providers->rows));
	if (!providers->rows) {
		free(providers);
		return souk_error_nomem(err);
	}
	for (i = 0; i < souk->registry.modules.n; i++) {
		struct souk_module *module = souk->registry.modules.items[i];

		if (verify)
			souk_module_load(module, NULL);
		providers->rows[providers->n++] = (struct souk_provider_row){
			.name = module->name,
			.path = module->path,
			.problem = module->problem,
			.enabled = !module->problem && souk_registry_allows(&souk->registry, module->name),
		};
	}
	*providers_out = providers;
	return SOUK_OK;
}

void souk_providers_free(struct souk_providers *providers)
{
	if (!providers)
		return;
	free(providers->rows);
	free(providers);
}

size_t souk_providers_count(const struct souk_providers *providers)
{
	return providers->n;
}

const struct souk_provider_row *souk_providers_row(const struct souk_providers *providers, size_t i)
{
	return i < providers->n ? &providers->rows[i] : NULL;
}

/* ---- Info ---- */

/* The public struct comes first, so that one can be made of the other. */
struct info {
	struct souk_provider_info public_info;
	struct souk_strv features;
	struct souk_strv missing;
	struct souk_strv variables;
	struct souk_strv values;
	struct souk_option_row *options;
};

static const struct {
	uint64_t bit;
	const char *name;
	const char *without; /* what follows if it is missing */
} feature_names[] = {
	{ SOUK_FEATURE_SPOT, "spot", "use_spot tasks go elsewhere" },
	{ SOUK_FEATURE_IMAGE, "image", "image_id cannot be chosen" },
	{ SOUK_FEATURE_LABELS, "labels", "labels cannot be set" },
	{ SOUK_FEATURE_PORTS, "ports", "ports cannot be opened" },
	{ SOUK_FEATURE_DISK_SIZE, "disk-size", "disk_size cannot be chosen" },
	{ SOUK_FEATURE_DISK_TIER, "disk-tier", "disk_tier cannot be chosen" },
	{ SOUK_FEATURE_MULTI_NODE, "multi-node", "tasks of several nodes go elsewhere" },
	{ SOUK_FEATURE_HOST_KEY, "host-key", "the first SSH key seen is pinned" },
	{ SOUK_FEATURE_SELF_SHUTDOWN, "self-shutdown", "no autostop: machines run until 'souk down'" },
	{ SOUK_FEATURE_MAX_RUN, "max-run", "the cloud itself sets no time limit" },
	{ SOUK_FEATURE_TAG_KEYS, "tag-keys", "'souk doctor' cannot find what other tools left" },
};

static int note_feature(struct info *info, int has, const char *name, const char *without,
			struct souk_error *err)
{
	if (has)
		return souk_strv_add(&info->features, name, err);
	return souk_strv_printf(&info->missing, err, "%s: %s", name, without);
}

static int list_features(struct info *info, const struct souk_provider_ops *ops,
			 struct souk_error *err)
{
	size_t i;
	int ret = SOUK_OK;

	for (i = 0; i < SOUK_ARRAY_SIZE(feature_names) && ret == SOUK_OK; i++)
		ret = note_feature(info, (ops->features & feature_names[i].bit) != 0,
				   feature_names[i].name, feature_names[i].without, err);
	if (ret == SOUK_OK)
		ret = note_feature(info, ops->stop && ops->start, "stop",
				   "machines can only be torn down", err);
	if (ret == SOUK_OK)
		ret = note_feature(info, ops->list_instances != NULL, "list-instances",
				   "no orphan search: a launch that dies at the wrong moment can leak", err);
	if (ret == SOUK_OK)
		ret = note_feature(info, ops->check != NULL, "check",
				   "'souk check' cannot tell whose credentials they are", err);
	if (ret == SOUK_OK)
		ret = note_feature(info, ops->quote != NULL, "quote",
				   "the listed price is the price", err);
	return ret;
}

static const char *type_name(int32_t type)
{
	static const char *const names[] = { "string", "integer", "boolean", "secret", "list" };

	return type >= 0 && (size_t)type < SOUK_ARRAY_SIZE(names) ? names[type] : "string";
}

static int variable_name(struct info *info, const char *provider, const char *option,
			 struct souk_error *err)
{
	char *at;
	int ret;

	ret = souk_strv_printf(&info->variables, err, "SOUK_%s_%s", provider, option);
	if (ret < 0)
		return ret;
	for (at = info->variables.items[info->variables.n - 1]; *at; at++)
		*at = (char)toupper((unsigned char)*at);
	return SOUK_OK;
}

static int add_option(struct souk *souk, struct info *info, const char *provider,
		      const struct souk_option *option, struct souk_error *err)
{
	const char *value = souk_config_get(&souk->config, provider, option->name);
	size_t i = info->public_info.n_options;
	int ret;

	ret = variable_name(info, provider, option->name, err);
	if (ret == SOUK_OK && value)
		ret = souk_strv_add(&info->values, option->type == SOUK_OPT_SECRET ? "(set)" : value, err);
	if (ret < 0)
		return ret;
	info->options[i] = (struct souk_option_row){
		.name = option->name,
		.help = option->help,
		.default_value = option->default_value,
		.type = type_name(option->type),
		.variable = info->variables.items[info->variables.n - 1],
		.value = value ? info->values.items[info->values.n - 1] : NULL,
	};
	info->public_info.n_options++;
	return SOUK_OK;
}

static int list_options(struct souk *souk, struct info *info, const struct souk_module *module,
			struct souk_error *err)
{
	static const struct souk_option common[] = {
		{ "endpoint", "use this URL instead of the cloud's own", NULL, SOUK_OPT_STRING, 0 },
		{ "proxy_command", "reach the machines through this command (%h %p %r)", NULL,
		  SOUK_OPT_STRING, 0 },
	};
	size_t n = 0, i;
	int ret = SOUK_OK;

	while (module->options[n])
		n++;
	info->options = calloc(n + SOUK_ARRAY_SIZE(common), sizeof(*info->options));
	if (!info->options)
		return souk_error_nomem(err);
	info->public_info.options = info->options;
	for (i = 0; i < n && ret == SOUK_OK; i++)
		ret = add_option(souk, info, module->name, module->options[i], err);
	for (i = 0; i < SOUK_ARRAY_SIZE(common) && ret == SOUK_OK; i++)
		ret = add_option(souk, info, module->name, &common[i], err);
	return ret;
}

int souk_provider_info_get(struct souk *souk, const char *name, struct souk_provider_info **info_out,
			   struct souk_error *err)
{
	static const char *const threads[] = { "serial", "per-instance", "parallel" };
	static const char *const none[] = { NULL };
	struct souk_module *module = souk_modules_get(&souk->registry.modules, name);
	struct info *info;
	int ret;

	if (!module)
		return souk_registry_missing(&souk->registry, name, err);
	ret = souk_module_load(module, err);
	if (ret < 0)
		return ret;
	info = calloc(1, sizeof(*info));
	if (!info)
		return souk_error_nomem(err);
	info->public_info = (struct souk_provider_info){
		.name = module->name,
		.title = module->ops.title ? module->ops.title : module->name,
		.version = module->ops.version ? module->ops.version : souk_version(),
		.path = module->path,
		.abi = SOUK_PROVIDER_ABI,
		.threads = threads[module->ops.threads <= 2 ? module->ops.threads : 0],
		.credentials = module->ops.credentials,
		.permissions = module->ops.permissions,
	};
	ret = list_features(info, &module->ops, err);
	if (ret == SOUK_OK)
		ret = list_options(souk, info, module, err);
	if (ret < 0) {
		souk_provider_info_free(&info->public_info);
		return ret;
	}
	info->public_info.features = info->features.items ?
					     (const char *const *)info->features.items : none;
	info->public_info.missing = info->missing.items ? (const char *const *)info->missing.items :
							  none;
	*info_out = &info->public_info;
	return SOUK_OK;
}

void souk_provider_info_free(struct souk_provider_info *public_info)
{
	struct info *info = (struct info *)public_info;

	if (!info)
		return;
	souk_strv_fini(&info->features);
	souk_strv_fini(&info->missing);
	souk_strv_fini(&info->variables);
	souk_strv_fini(&info->values);
	free(info->options);
	free(info);
}

/* ---- Check ---- */

struct check {
	struct souk_identity identity;
	struct souk_error error;
	char *detail;
};

struct souk_checks {
	struct souk_check_row *rows;
	struct check *checks;
	size_t n;
};

/* What is neither account nor principal, as "key: value, ..."; NULL if there is nothing. */
static int make_detail(struct check *check, struct souk_error *err)
{
	struct souk_buf buf;
	size_t i;
	int ret;

	souk_buf_init(&buf, 65536);
	for (i = 0; i < check->identity.pairs.n; i++) {
		const struct souk_pair *pair = &check->identity.pairs.items[i];

		if (strcmp(pair->key, "account") != 0 && strcmp(pair->key, "principal") != 0)
			souk_buf_printf(&buf, "%s%s: %s", buf.len ? ", " : "", pair->key,
					pair->value ? pair->value : "");
	}
	ret = souk_buf_failed(&buf, err);
	if (ret == SOUK_OK && buf.len > 0 && !(check->detail = strdup(buf.data)))
		ret = souk_error_nomem(err);
	souk_buf_fini(&buf);
	return ret;
}

static int check_one(struct souk *souk, const char *name, struct check *check,
		     struct souk_check_row *row, struct souk_error *err)
{
	struct souk_call_limits limits = { .cancel = &souk->cancel };
	struct souk_provider *provider;
	int ret;

	check->error = (struct souk_error)SOUK_ERROR_INIT;
	*row = (struct souk_check_row){ .provider = name };
	ret = souk_registry_get(&souk->registry, name, &provider, &check->error);
	if (ret == SOUK_OK && souk_provider_ops(provider)->check)
		ret = souk_provider_check(provider, &limits, &check->identity, &check->error);
	if (ret == SOUK_E_NOMEM || ret == SOUK_E_CANCELLED) {
		*err = check->error;
		return ret;
	}
	row->ok = ret == SOUK_OK;
	row->code = ret;
	if (ret < 0) {
		row->message = souk_error_without(&check->error, name);
		row->hint = check->error.hint[0] ? check->error.hint : NULL;
		return SOUK_OK;
	}
	row->account = souk_pairs_get(&check->identity.pairs, "account");
	row->principal = souk_pairs_get(&check->identity.pairs, "principal");
	ret = make_detail(check, err);
	row->detail = check->detail;
	return ret;
}

static int is_asked(const struct souk *souk, const char *const *names, size_t n, const char *name)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return 1;
	return n == 0 && souk_registry_allows(&souk->registry, name);
}

int souk_check(struct souk *souk, const char *const *names, size_t n, struct souk_checks **checks_out,
	       struct souk_error *err)
{
	struct souk_checks *checks;
	size_t total = souk->registry.modules.n, i;
	int ret = SOUK_OK;

	for (i = 0; i < n; i++)
		if (!souk_modules_get(&souk->registry.modules, names[i]))
			return souk_registry_missing(&souk->registry, names[i], err);
	checks = calloc(1, sizeof(*checks));
	if (!checks)
		return souk_error_nomem(err);
	checks->rows = calloc(total + 1, sizeof(*checks->rows));
	checks->checks = calloc(total + 1, sizeof(*checks->checks));
	if (!checks->rows || !checks->checks)
		ret = souk_error_nomem(err);
	for (i = 0; i < total && ret == SOUK_OK; i++) {
		const char *name = souk->registry.modules.items[i]->name;

		if (!is_asked(souk, names, n, name))
			continue;
		ret = check_one(souk, name, &checks->checks[checks->n], &checks->rows[checks->n], err);
		checks->n++;
	}
	if (ret < 0) {
		souk_checks_free(checks);
		return ret;
	}
	*checks_out = checks;
	return SOUK_OK;
}

void souk_checks_free(struct souk_checks *checks)
{
	size_t i;

	if (!checks)
		return;
	for (i = 0; i < checks->n; i++) {
		souk_identity_fini(&checks->checks[i].identity);
		free(checks->checks[i].detail);
	}
	free(checks->rows);
	free(checks->checks);
	free(checks);
}

size_t souk_checks_count(const struct souk_checks *checks)
{
	return checks->n;
}

const struct souk_check_row *souk_checks_row(const struct souk_checks *checks, size_t i)
{
	return i < checks->n ? &checks->rows[i] : NULL;
}
