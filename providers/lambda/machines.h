/* SPDX-License-Identifier: Apache-2.0 */
/* machines.h - machines of Lambda, and the SSH keys that are registered for them */
#ifndef SOUK_LAMBDA_MACHINES_H
#define SOUK_LAMBDA_MACHINES_H

#include <json.h>

#include "lambda.h"

/* Tags that every machine carries. */
#define LAMBDA_TAG_CLUSTER "souk-cluster"
#define LAMBDA_TAG_OWNER "souk-owner"
#define LAMBDA_TAG_TOKEN "souk-token"
#define LAMBDA_TAG_HOST_KEY "souk-host-key"
#define LAMBDA_TAG_USER "souk-user" /* who logs in, if it is not LAMBDA_USER */

#define LAMBDA_USER "ubuntu"

enum { LAMBDA_TAG_MAX = 128 };

/* machines.c */

/* Which of the account's machines are meant; a NULL member does not restrict. */
struct lambda_wanted {
	const char *cluster, *owner, *token, *region;
	const struct souk_instance_ref *refs; /* only these */
	uint32_t n_refs;
};

/* All machines of the account: the reply, which the caller puts, and the list in it. */
int lambda_machines_ask(struct lambda *lambda, struct souk_call *call, struct json_object **reply,
			struct json_object **list, struct souk_error *err);
/* Add one to 'out' if it is wanted. 1: added, 0: not. With refs NULL only what carries our tags. */
int lambda_machine_add(struct json_object *machine, const struct lambda_wanted *wanted,
		       struct souk_instance_list *out, struct souk_error *err);
/* SOUK_INSTANCE_... of Lambda's word. */
int lambda_machine_status(const char *word);

/* firewall.c */
enum { LAMBDA_RULESET_ID_SIZE = 65 };

/* The id of the ruleset that the setting 'firewall' names, in that region; "": no setting. */
int lambda_ruleset_find(struct lambda *lambda, struct souk_call *call, const char *region,
			char id[LAMBDA_RULESET_ID_SIZE], struct souk_error *err);

/* keys.c: a key is registered for a cluster, under a name that says whose it is */

/* "souk-CLUSTER-OWNER-KEY", with hashes for the last two; key NULL: all but that. */
void lambda_key_name(char out[LAMBDA_KEY_NAME_SIZE], const char *cluster, const char *owner,
		     const char *public_key);
/* Register the key, unless it is there already. */
int lambda_key_ensure(struct lambda *lambda, struct souk_call *call, const char *name,
		      const char *public_key, struct souk_error *err);
/* Take the keys away whose names begin so, as far as no machine of the list uses them; those in
 * 'ended' count no more. */
struct lambda_ended {
	const struct souk_instance_ref *refs;
	uint32_t n;
};

int lambda_keys_remove(struct lambda *lambda, struct souk_call *call, const char *prefix,
		       struct json_object *machines, const struct lambda_ended *ended,
		       struct souk_error *err);

/* rehearse.c */
int lambda_rehearse(void *self, struct souk_call *call, uint32_t scene,
		    const struct souk_http_request *request, int32_t *status_out,
		    struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);
int lambda_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		  struct souk_error *err);

/* The operations */
int lambda_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		     struct souk_instance_list *out, struct souk_error *err);
int lambda_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_instance_list *out, struct souk_error *err);
int lambda_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		    uint32_t n, struct souk_error *err);
int lambda_list_instances(void *self, struct souk_call *call,
			  const struct souk_instance_filter *filter, struct souk_instance_list *out,
			  struct souk_error *err);
int lambda_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
		 struct souk_error *err);

#endif
