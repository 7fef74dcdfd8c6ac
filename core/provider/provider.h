/* SPDX-License-Identifier: Apache-2.0 */
/* provider/provider.h - an opened provider: core's side of every operation */
#ifndef SOUK_PROVIDER_PROVIDER_H
#define SOUK_PROVIDER_PROVIDER_H

#include <stdint.h>

#include "base/cancel.h"
#include "base/paths.h"
#include "model/config.h"
#include "provider/lists.h"
#include "provider/module.h"

/* One configured account of one module. */
struct souk_provider;

/*
 * Load the module if need be, check the settings against its option table, make its state
 * folder when asked for, call open. 'config' and 'paths' must outlive the provider.
 */
int souk_provider_open(struct souk_module *module, const struct souk_config *config,
		       const struct souk_paths *paths, struct souk_provider **provider_out,
		       struct souk_error *err);
/*
 * The same for a rehearsal (ops.rehearse): nothing is sent, 'noted' is told of each request and of
 * the permission that it needs. Any thread, one at a time. A negative return ends the call with it.
 */
struct souk_rehearsal {
	uint32_t scene; /* SOUK_SCENE_...; may be changed between calls */
	int (*noted)(const struct souk_http_request *request, const char *permission, void *arg,
		     struct souk_error *err);
	void *arg;
};
int souk_provider_open_rehearsal(struct souk_module *module, const struct souk_config *config,
				 const struct souk_paths *paths, struct souk_rehearsal *rehearsal,
				 struct souk_provider **provider_out, struct souk_error *err);
/* The cloud's form of a policy; UNSUPPORTED if the module has none. */
int souk_provider_policy(struct souk_provider *provider, const char *const *permissions, uint32_t n,
			 struct souk_buf *out, struct souk_error *err);
void souk_provider_close(struct souk_provider *provider);

const char *souk_provider_name(const struct souk_provider *provider);
const struct souk_provider_ops *souk_provider_ops(const struct souk_provider *provider);
int souk_provider_has(const struct souk_provider *provider, uint64_t features);

/* Seconds that the provider's last answer was ahead of our clock (below 0: behind it), by its Date
 * header. 0 if it has not answered yet: *known_out says. */
int64_t souk_provider_skew_s(const struct souk_provider *provider, int *known_out);

/* The value of a setting, with its default; NULL: none. Borrowed. */
const char *souk_provider_option(const struct souk_provider *provider, const char *name);

/*
 * Told how far a call is: 'done' of 'total' (0: not known) 'what', such as "regions". From any
 * thread, one at a time, at most ten times a second and once more at the end. It must not call
 * the provider.
 */
typedef void (*souk_progress_fn)(const char *what, uint32_t done, uint32_t total, void *arg);

/* How long a call may take, what ends it before, and who is told how far it is. */
struct souk_call_limits {
	uint32_t timeout_ms;	    /* 0: two minutes */
	struct souk_cancel *cancel; /* may be NULL */
	souk_progress_fn progress;  /* may be NULL */
	void *progress_arg;
};

/*
 * The operations, each with: the thread model honoured, the deadline set, the result's size
 * members filled in, the provider's name put before the message once, a code out of range made
 * INTERNAL. UNSUPPORTED if the module does not have the op. Any thread.
 */
int souk_provider_list_offers(struct souk_provider *provider, const struct souk_call_limits *limits,
			      struct souk_offer_list *out, struct souk_error *err);
int souk_provider_provision(struct souk_provider *provider, const struct souk_call_limits *limits,
			    const struct souk_instance_spec *spec, struct souk_instance_list *out,
			    struct souk_error *err);
int souk_provider_describe(struct souk_provider *provider, const struct souk_call_limits *limits,
			   const struct souk_instance_ref *refs, uint32_t n,
			   struct souk_instance_list *out, struct souk_error *err);
int souk_provider_teardown(struct souk_provider *provider, const struct souk_call_limits *limits,
			   const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err);
int souk_provider_list_instances(struct souk_provider *provider,
				 const struct souk_call_limits *limits,
				 const struct souk_instance_filter *filter,
				 struct souk_instance_list *out, struct souk_error *err);
int souk_provider_check(struct souk_provider *provider, const struct souk_call_limits *limits,
			struct souk_identity *out, struct souk_error *err);
int souk_provider_stop(struct souk_provider *provider, const struct souk_call_limits *limits,
		       const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err);
int souk_provider_start(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err);
int souk_provider_open_ports(struct souk_provider *provider, const struct souk_call_limits *limits,
			     const struct souk_instance_ref *refs, uint32_t n,
			     const struct souk_port_range *ports, uint32_t n_ports,
			     struct souk_error *err);
int souk_provider_set_on_shutdown(struct souk_provider *provider,
				  const struct souk_call_limits *limits,
				  const struct souk_instance_ref *refs, uint32_t n,
				  uint32_t on_shutdown, struct souk_error *err);
int souk_provider_sweep(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_filter *filter, struct souk_error *err);
int souk_provider_quote(struct souk_provider *provider, const struct souk_call_limits *limits,
			const struct souk_instance_spec *spec, struct souk_quote_list *out,
			struct souk_error *err);
int souk_provider_exec(struct souk_provider *provider, const struct souk_call_limits *limits,
		       const struct souk_instance_ref *ref, const char *command,
		       struct souk_stream *stream, int32_t *exit_status_out, struct souk_error *err);

#endif
