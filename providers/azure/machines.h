/* SPDX-License-Identifier: Apache-2.0 */
/* machines.h - machines: what belongs to them; making, finding, ending, stopping, starting */
#ifndef SOUK_AZURE_MACHINES_H
#define SOUK_AZURE_MACHINES_H

#include "client.h"

struct json_object;

enum {
	AZURE_GROUP_SIZE = 96,	/* names of resource groups, with their NUL */
	AZURE_VM_SIZE = 72,
	AZURE_MAX_SOURCES = 32,
	AZURE_MAX_TAG_KEYS = 32,
	AZURE_PATH_SIZE = 512
};

#define AZURE_COMPUTE_VERSION "2024-07-01"
#define AZURE_NETWORK_VERSION "2024-05-01"
#define AZURE_RESOURCES_VERSION "2024-11-01"

/* Tags that everything carries. */
#define AZURE_TAG_CLUSTER "souk-cluster"
#define AZURE_TAG_OWNER "souk-owner"
#define AZURE_TAG_TOKEN "souk-token"
#define AZURE_TAG_USER "souk-user"	   /* who logs in */
#define AZURE_TAG_HOST_KEY "souk-host-key" /* the public half of the key in the custom data */

/* ---- body.c: JSON that is sent --------------------------------------------------------------- */

/*
 * Append a form in which an apostrophe stands for a quotation mark, '$' for the next argument as
 * a JSON text, and '#' for the next argument as it is. All arguments are const char *.
 */
void azure_body(struct souk_buf *out, const char *form, ...);

/* ---- names.c: resource groups, and what is in them ------------------------------------------- */

/* A machine's full name at Azure. */
struct azure_id {
	char subscription[AZURE_ID_SIZE];
	char group[AZURE_GROUP_SIZE];
	char vm[AZURE_VM_SIZE];
};

/* Read "/subscriptions/S/resourceGroups/G/providers/Microsoft.Compute/virtualMachines/V". */
int azure_id_parse(const char *text, struct azure_id *out, struct souk_error *err);
int azure_same_group(const struct azure_id *a, const struct azure_id *b);
/* The resource group that one provision call makes. */
int azure_group_name(const char *cluster, const char *token, char out[AZURE_GROUP_SIZE],
		     struct souk_error *err);
/* The path of a thing in a group ("" the group itself), with the version it needs. */
int azure_group_path(const char *subscription, const char *group, const char *inside,
		     const char *version, char out[AZURE_PATH_SIZE], struct souk_error *err);
/* The value of a tag; NULL: there is none. Borrowed. */
const char *azure_tag(struct json_object *resource, const char *name);
/* 1 if the resource carries the tags that the filter names, and a token. */
int azure_tags_fit(struct json_object *resource, const struct souk_instance_filter *filter);

/* ---- source.c: who the caller is ------------------------------------------------------------- */

/* The networks of the setting 'ssh_from' as a JSON list, "auto" being the caller's own address. */
int azure_sources(const struct azure_client *client, struct souk_buf *out, struct souk_error *err);

/* ---- network.c: what stands around the machines ---------------------------------------------- */

/* The group with its network and rules, made as far as it is not there. */
int azure_network_ensure(const struct azure_client *client, const char *subscription,
			 const char *group, const struct souk_instance_spec *spec,
			 struct souk_error *err);
/* Admit the caller of now to the machines of a group. */
int azure_network_admit(const struct azure_client *client, const struct azure_id *id,
			struct souk_error *err);
/* Make a resource of a kind ("VirtualNetworks"), or find it as it should be, and wait until it is ready. */
int azure_put_and_wait(const struct azure_client *client, const char *kind, const char *path,
		       const char *body, const char *doing, struct souk_error *err);
/* Have the whole group deleted. That it is gone, or on its way, is fine. */
int azure_group_delete(const struct azure_client *client, const char *subscription,
		       const char *group, struct souk_error *err);
/* The tags of a souk group into a JSON object. */
void azure_tags_body(const struct souk_instance_spec *spec, const char *user, struct souk_buf *out);

/* ---- image.c --------------------------------------------------------------------------------- */

/* The image of a spec as an imageReference, and who logs in on it. */
int azure_image_choose(const struct azure_client *client, const struct souk_instance_spec *spec,
		       struct souk_buf *reference, char user[64], struct souk_error *err);

/* ---- instances.c: finding -------------------------------------------------------------------- */

/* The addresses of a group's machines. Zero-initialise. */
struct azure_addresses {
	struct json_object *interfaces; /* lists */
	struct json_object *addresses;
};

void azure_addresses_fini(struct azure_addresses *addresses);
int azure_addresses_get(const struct azure_client *client, const struct azure_id *id,
			struct azure_addresses *out, struct souk_error *err);

/* A status, and why, from a VM with its instance view. 'reason' is "" if Azure gives none. */
int azure_vm_status(struct json_object *vm, char *code, size_t code_size, char *reason,
		    size_t reason_size);
/* Add a VM, with its instance view if it has one. */
int azure_vm_add(const struct azure_client *client, struct json_object *vm,
		 const struct azure_addresses *addresses, struct souk_instance_list *out,
		 struct souk_error *err);
/* The same with the tags of these keys, ended by NULL, of which the first AZURE_MAX_TAG_KEYS count. */
int azure_vm_add_tagged(const struct azure_client *client, struct json_object *vm,
			const struct azure_addresses *addresses, const char *const *keys,
			struct souk_instance_list *out, struct souk_error *err);
/* Ask for one VM with its instance view: NULL if there is none. */
int azure_vm_get(const struct azure_client *client, const struct azure_id *id,
		 struct json_object **out, struct souk_error *err);
/* All VMs of a group; an empty list also if there is no such group. The caller puts it. */
int azure_group_vms(const struct azure_client *client, const char *subscription, const char *group,
		    struct json_object **out, struct souk_error *err);
/* All items of a list. */
int azure_list_all(const struct azure_client *client, const char *what, const char *doing,
		   const char *path, struct json_object **out, struct souk_error *err);

/* ---- The ops --------------------------------------------------------------------------------- */

int azure_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		    struct souk_instance_list *out, struct souk_error *err);
int azure_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_instance_list *out, struct souk_error *err);
int azure_list_instances(void *self, struct souk_call *call,
			 const struct souk_instance_filter *filter, struct souk_instance_list *out,
			 struct souk_error *err);
int azure_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, struct souk_error *err);
int azure_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	       struct souk_error *err);
int azure_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		uint32_t n, struct souk_error *err);
int azure_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
		struct souk_error *err);
int azure_rehearse(void *self, struct souk_call *call, uint32_t scene,
		   const struct souk_http_request *request, int32_t *status_out,
		   struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);
int azure_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
		 struct souk_error *err);

#endif
