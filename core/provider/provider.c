/* SPDX-License-Identifier: Apache-2.0 */
/* provider/provider.c - an opened provider: core's side of every operation */
#include "provider/provider.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <souk/souk.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/similar.h"
#include "base/util.h"
#include "provider/host.h"

#define DEFAULT_TIMEOUT_MS 120000
#define OPEN_TIMEOUT_MS 10000

struct souk_provider {
	struct souk_module *module;
	const struct souk_config *config;
	const struct souk_paths *paths;
	void *self;
	struct souk_rehearsal *rehearsal; /* NULL: in earnest */
	int opened;
	pthread_mutex_t lock;	  /* for PER_INSTANCE */
	atomic_llong skew_s;	  /* its clock minus ours */
	atomic_int skew_known;
	pthread_mutex_t state_lock;
	char *state_dir;	  /* NULL: not made yet */
	struct souk_pairs values; /* settings that were given, checked */
};

static const struct souk_option common_options[] = {
	{ "endpoint", "use this URL instead of the cloud's own", NULL, SOUK_OPT_STRING, 0 },
	{ "proxy_command", "reach the machines through this command (%h %p %r as in ssh_config)", NULL,
	  SOUK_OPT_STRING, 0 },
};

/* ---- Settings ---- */

static const struct souk_option *find_option(const struct souk_provider *provider, const char *name)
{
	const struct souk_option **options = provider->module->options;
	size_t i;

	for (i = 0; options && options[i]; i++)
		if (strcmp(options[i]->name, name) == 0)
			return options[i];
	for (i = 0; i < SOUK_ARRAY_SIZE(common_options); i++)
		if (strcmp(common_options[i].name, name) == 0)
			return &common_options[i];
	return NULL;
}

/* "yes", "true", "1" ... in one form; NULL if it is none. */
static const char *normal_boolean(const char *value)
{
	static const char *const forms[][2] = {
		{ "true", "true" }, { "yes", "true" }, { "on", "true" }, { "1", "true" },
		{ "false", "false" }, { "no", "false" }, { "off", "false" }, { "0", "false" },
	};
	size_t i;

	for (i = 0; i < SOUK_ARRAY_SIZE(forms); i++)
		if (strcasecmp(value, forms[i][0]) == 0)
			return forms[i][1];
	return NULL;
}

static int check_value(const struct souk_provider *provider, const struct souk_option *option,
		       const char *value, const char **normal_out, struct souk_error *err)
{
	const char *name = provider->module->name;
	uint64_t number;

	*normal_out = value;
	if (option->type == SOUK_OPT_INTEGER && souk_parse_u64(option->name, value, &number, err) < 0) {
		souk_error_prefix(err, "setting of '%s'", name);
		return souk_error_reason(err, SOUK_REASON_CONFIG);
	}
	if (option->type == SOUK_OPT_BOOLEAN && !(*normal_out = normal_boolean(value))) {
		souk_error_set(err, SOUK_E_INVALID, "%s.%s: not true or false: '%s'", name,
			       option->name, value);
		return souk_error_reason(err, SOUK_REASON_CONFIG);
	}
	if (option->type == SOUK_OPT_SECRET && strncmp(value, "file:", 5) != 0 &&
	    strncmp(value, "env:", 4) != 0 && strncmp(value, "fd:", 3) != 0) {
		souk_error_set(err, SOUK_E_INVALID, "%s.%s: a secret is given by reference", name,
			       option->name);
		souk_error_hint(err, "write file:PATH, env:NAME or fd:N");
		return souk_error_reason(err, SOUK_REASON_CONFIG);
	}
	return SOUK_OK;
}

static int take_setting(struct souk_provider *provider, const struct souk_option *option,
			struct souk_error *err)
{
	const char *value = souk_config_get(provider->config, provider->module->name, option->name);
	const char *normal;
	int ret;

	if (!value)
		return SOUK_OK;
	ret = check_value(provider, option, value, &normal, err);
	if (ret < 0)
		return ret;
	return souk_pairs_set(&provider->values, option->name, normal, err);
}

static int unknown_setting(const struct souk_provider *provider, const char *key,
			   struct souk_error *err)
{
	const struct souk_option **options = provider->module->options;
	const char *names[128];
	size_t n = 0, i;
	const char *best;

	for (i = 0; i < SOUK_ARRAY_SIZE(common_options); i++)
		names[n++] = common_options[i].name;
	for (i = 0; options && options[i] && n < SOUK_ARRAY_SIZE(names); i++)
		names[n++] = options[i]->name;
	best = souk_similar_best(key, names, n);
	souk_error_set(err, SOUK_E_INVALID, "the provider '%s' has no setting '%s'%s%s%s",
		       provider->module->name, key, best ? "; did you mean '" : "", best ? best : "",
		       best ? "'?" : "");
	souk_error_hint(err, "'souk provider info %s' lists the settings", provider->module->name);
	return souk_error_reason(err, SOUK_REASON_CONFIG);
}

static int check_keys(const struct souk_provider *provider, struct souk_error *err)
{
	const struct souk_config *config = provider->config;
	const char *name = provider->module->name;
	size_t len = strlen(name), i, j;

	for (i = 0; i < config->n_providers; i++) {
		if (strcmp(config->providers[i].name, name) != 0)
			continue;
		for (j = 0; j < config->providers[i].settings.n; j++)
			if (!find_option(provider, config->providers[i].settings.items[j].key))
				return unknown_setting(provider,
						       config->providers[i].settings.items[j].key, err);
	}
	for (i = 0; i < config->sets.n; i++) {
		const char *key = config->sets.items[i].key;

		if (strncmp(key, name, len) == 0 && key[len] == '.' && !find_option(provider, key + len + 1))
			return unknown_setting(provider, key + len + 1, err);
	}
	return SOUK_OK;
}

static int take_settings(struct souk_provider *provider, struct souk_error *err)
{
	const struct souk_option **options = provider->module->options;
	size_t i;
	int ret;

	ret = check_keys(provider, err);
	for (i = 0; i < SOUK_ARRAY_SIZE(common_options) && ret == SOUK_OK; i++)
		ret = take_setting(provider, &common_options[i], err);
	for (i = 0; options && options[i] && ret == SOUK_OK; i++)
		ret = take_setting(provider, options[i], err);
	return ret;
}

const char *souk_provider_option(const struct souk_provider *provider, const char *name)
{
	const struct souk_pair *given = souk_pairs_find(&provider->values, name);
	const struct souk_option *option;

	if (given)
		return given->value;
	option = find_option(provider, name);
	return option ? option->default_value : NULL;
}

/* ---- Opening ---- */

const char *souk_provider_name(const struct souk_provider *provider)
{
	return provider->module->name;
}

const struct souk_provider_ops *souk_provider_ops(const struct souk_provider *provider)
{
	return &provider->module->ops;
}

int souk_provider_has(const struct souk_provider *provider, uint64_t features)
{
	return (provider->module->ops.features & features) == features;
}

const struct souk_paths *souk_provider_paths(const struct souk_provider *provider)
{
	return provider->paths;
}

void souk_provider_note_date(struct souk_provider *provider, int64_t date_s)
{
	atomic_store(&provider->skew_s, date_s - souk_clock_wall_s());
	atomic_store(&provider->skew_known, 1);
}

int64_t souk_provider_skew_s(const struct souk_provider *provider, int *known_out)
{
	*known_out = atomic_load(&provider->skew_known);
	return *known_out ? atomic_load(&provider->skew_s) : 0;
}

const char *souk_provider_state_dir(struct souk_provider *provider)
{
	struct souk_error own = SOUK_ERROR_INIT;
	SOUK_AUTO_FREE char *name = NULL;

	pthread_mutex_lock(&provider->state_lock);
	if (!provider->state_dir && (name = souk_fs_join("providers", provider->module->name)) != NULL &&
	    souk_paths_state_dir(provider->paths, name, &provider->state_dir, &own) < 0) {
		/* The module learns only that it has none. */
		souk_log(SOUK_LOG_WARNING, "%s: %s", provider->module->name, own.message);
		provider->state_dir = NULL;
	}
	pthread_mutex_unlock(&provider->state_lock);
	return provider->state_dir;
}

/* ---- Calling ---- */

static void call_begin(struct souk_provider *provider, const struct souk_call_limits *limits,
		       const char *op, struct souk_call *call)
{
	uint32_t timeout_ms = limits && limits->timeout_ms ? limits->timeout_ms : DEFAULT_TIMEOUT_MS;

	souk_call_init(call, provider);
	call->deadline_ms = souk_clock_ms() + timeout_ms;
	call->cancel = limits ? limits->cancel : NULL;
	call->progress = limits ? limits->progress : NULL;
	call->progress_arg = limits ? limits->progress_arg : NULL;
	if (provider->module->ops.threads == SOUK_THREADS_SERIAL)
		pthread_mutex_lock(&provider->module->serial);
	else if (provider->module->ops.threads == SOUK_THREADS_PER_INSTANCE)
		pthread_mutex_lock(&provider->lock);
	souk_crash_enter(&call->note, provider->module->name, provider->module->path, op);
}

/* The module's word on how it went, made into ours: in range, with a message and the name. */
static int call_end(struct souk_provider *provider, struct souk_call *call, int ret, const char *op,
		    struct souk_error *err)
{
	souk_crash_leave(&call->note);
	if (provider->module->ops.threads == SOUK_THREADS_SERIAL)
		pthread_mutex_unlock(&provider->module->serial);
	else if (provider->module->ops.threads == SOUK_THREADS_PER_INSTANCE)
		pthread_mutex_unlock(&provider->lock);
	souk_call_fini(call, ret);
	if (ret >= 0)
		return SOUK_OK;
	if (ret < SOUK_E_CANCELLED)
		ret = souk_error_set(err, SOUK_E_INTERNAL, "%s failed with the unknown code %d", op, ret);
	if (!err)
		return ret;
	if (err->code != ret || !err->message[0])
		souk_error_set(err, ret, "%s failed without saying why", op);
	err->hint[SOUK_ERROR_HINT_SIZE - 1] = '\0';
	err->reason[SOUK_ERROR_REASON_SIZE - 1] = '\0';
	souk_error_prefix(err, "%s", provider->module->name);
	return ret;
}

/* Lend the module an error of its own, so that a stale one is never taken for its. */
#define CALL(provider_, limits_, err_, op_, ...)                                                   \
	({                                                                                         \
		struct souk_error own_ = SOUK_ERROR_INIT;                                          \
		struct souk_call call_;                                                            \
		int ret_;                                                                          \
		if (!(provider_)->module->ops.op_)                                                 \
			return souk_error_set(err_, SOUK_E_UNSUPPORTED,                            \
					      "%s: the provider has no operation '%s'",            \
					      (provider_)->module->name, #op_);                    \
		call_begin(provider_, limits_, #op_, &call_);                                            \
		ret_ = (provider_)->module->ops.op_((provider_)->self, &call_, __VA_ARGS__, &own_); \
		ret_ = call_end(provider_, &call_, ret_, #op_, &own_);                             \
		if (ret_ < 0 && (err_))                                                            \
			*(err_) = own_;                                                            \
		ret_;                                                                              \
	})

static int call_open(struct souk_provider *provider, struct souk_error *err)
{
	struct souk_call_limits limits = { .timeout_ms = OPEN_TIMEOUT_MS };
	struct souk_error own = SOUK_ERROR_INIT;
	struct souk_call call;
	int ret;

	call_begin(provider, &limits, "open", &call);
	ret = provider->module->ops.open(&call, &provider->self, &own);
	ret = call_end(provider, &call, ret, "open", &own);
	if (ret < 0 && err)
		*err = own;
	provider->opened = ret == SOUK_OK;
	return ret;
}

static int open_for(struct souk_module *module, const struct souk_config *config,
		    const struct souk_paths *paths, struct souk_rehearsal *rehearsal,
		    struct souk_provider **provider_out, struct souk_error *err)
{
	struct souk_provider *provider;
	int ret;

	ret = souk_module_load(module, err);
	if (ret < 0)
		return ret;
	provider = calloc(1, sizeof(*provider));
	if (!provider)
		return souk_error_nomem(err);
	provider->module = module;
	provider->config = config;
	provider->paths = paths;
	provider->rehearsal = rehearsal;
	pthread_mutex_init(&provider->lock, NULL);
	pthread_mutex_init(&provider->state_lock, NULL);
	ret = take_settings(provider, err);
	if (ret == SOUK_OK)
		ret = call_open(provider, err);
	if (ret < 0) {
		souk_provider_close(provider);
		return ret;
	}
	*provider_out = provider;
	return SOUK_OK;
}

int souk_provider_open(struct souk_module *module, const struct souk_config *config,
		       const struct souk_paths *paths, struct souk_provider **provider_out,
		       struct souk_error *err)
{
	return open_for(module, config, paths, NULL, provider_out, err);
}

void souk_provider_close(struct souk_provider *provider)
{
	if (!provider)
		return;
	if (provider->opened) {
		struct souk_crash_note note;

		souk_crash_enter(&note, provider->module->name, provider->module->path, "close");
		provider->module->ops.close(provider->self);
		souk_crash_leave(&note);
	}
	pthread_mutex_destroy(&provider->lock);
	pthread_mutex_destroy(&provider->state_lock);
	souk_pairs_fini(&provider->values);
	free(provider->state_dir);
	free(provider);
}

int souk_provider_list_offers(struct souk_provider *provider, const struct souk_call_limits *limits,
			      struct souk_offer_list *out, struct souk_error *err)
{
	return CALL(provider, limits, err, list_offers, out);
}

int souk_provider_provision(struct souk_provider *provider, const struct souk_call_limits *limits,
			    const struct souk_instance_spec *spec, struct souk_instance_list *out,
			    struct souk_error *err)
{
	return CALL(provider, limits, err, provision, spec, out);
}

int souk_provider_describe(struct souk_provider *provider, const struct souk_call_limits *limits,
			   const struct souk_instance_ref *refs, uint32_t n,
			   struct souk_instance_list *out, struct souk_error *err)
{
	return CALL(provider, limits, err, describe, refs, n, out);
}

int souk_provider_teardown(struct souk_provider *provider, const struct souk_call_limits *limits,
			   const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	return CALL(provider, limits, err, teardown, refs, n);
}

int souk_provider_list_instances(struct souk_provider *provider,
				 const struct souk_call_limits *limits,
				 const struct souk_instance_filter *filter,
				 struct souk_instance_list *out, struct souk_error *err)
{
	return CALL(provider, limits, err, list_instances, filter, out);
}

int souk_provider_check(struct souk_provider *provider, const struct souk_call_limits *limits,
			struct souk_identity *out, struct souk_error *err)
{
	return CALL(provider, limits, err, check, out);
}

int souk_provider_stop(struct souk_provider *provider, const struct souk_call_limits *limits,
		       const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	return CALL(provider, limits, err, stop, refs, n);
}

int souk_provider_start(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	return CALL(provider, limits, err, start, refs, n);
}

int souk_provider_open_ports(struct souk_provider *provider, const struct souk_call_limits *limits,
			     const struct souk_instance_ref *refs, uint32_t n,
			     const struct souk_port_range *ports, uint32_t n_ports,
			     struct souk_error *err)
{
	return CALL(provider, limits, err, open_ports, refs, n, ports, n_ports);
}

int souk_provider_set_on_shutdown(struct souk_provider *provider,
				  const struct souk_call_limits *limits,
				  const struct souk_instance_ref *refs, uint32_t n,
				  uint32_t on_shutdown, struct souk_error *err)
{
	return CALL(provider, limits, err, set_on_shutdown, refs, n, on_shutdown);
}

int souk_provider_sweep(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_filter *filter, struct souk_error *err)
{
	return CALL(provider, limits, err, sweep, filter);
}

int souk_provider_quote(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_spec *spec, struct souk_quote_list *out,
			struct souk_error *err)
{
	return CALL(provider, limits, err, quote, spec, out);
}

int souk_provider_exec(struct souk_provider *provider, const struct souk_call_limits *limits,
		       const struct souk_instance_ref *ref, const char *command,
		       struct souk_stream *stream, int32_t *exit_status_out, struct souk_error *err)
{
	return CALL(provider, limits, err, exec, ref, command, stream, exit_status_out);
}

/* ---- Rehearsals ---- */

int souk_provider_open_rehearsal(struct souk_module *module, const struct souk_config *config,
				 const struct souk_paths *paths, struct souk_rehearsal *rehearsal,
				 struct souk_provider **provider_out, struct souk_error *err)
{
	int ret;

	ret = souk_module_load(module, err);
	if (ret < 0)
		return ret;
	if (!module->ops.rehearse)
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "%s: its module cannot tell which requests it sends", module->name);
	return open_for(module, config, paths, rehearsal, provider_out, err);
}

struct souk_rehearsal *souk_provider_rehearsal(const struct souk_provider *provider)
{
	return provider->rehearsal;
}

int souk_provider_rehearse(struct souk_call *call, const struct souk_http_request *request,
			   int32_t *status_out, struct souk_buf *body, struct souk_error *err)
{
	struct souk_provider *provider = call->provider;
	struct souk_rehearsal *rehearsal = provider->rehearsal;
	struct souk_buf permission;
	int ret;

	souk_buf_init(&permission, 1024);
	ret = provider->module->ops.rehearse(provider->self, call, rehearsal->scene, request, status_out,
					     body, &permission, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(body, err);
	if (ret == SOUK_OK)
		ret = souk_buf_failed(&permission, err);
	if (ret == SOUK_OK) {
		pthread_mutex_lock(&call->lock);
		ret = rehearsal->noted(request, permission.data, rehearsal->arg, err);
		pthread_mutex_unlock(&call->lock);
	}
	souk_buf_fini(&permission);
	return ret;
}

int souk_provider_policy(struct souk_provider *provider, const char *const *permissions, uint32_t n,
			 struct souk_buf *out, struct souk_error *err)
{
	struct souk_crash_note note;
	int ret;

	if (!provider->module->ops.policy)
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "%s: the provider has no form of policy",
				      provider->module->name);
	souk_crash_enter(&note, provider->module->name, provider->module->path, "policy");
	ret = provider->module->ops.policy(provider->self, permissions, n, out, err);
	souk_crash_leave(&note);
	return ret;
}
