/* SPDX-License-Identifier: Apache-2.0 */
/* machines.h - machines of an account: made, seen, stopped and ended */
#ifndef SOUK_GCP_MACHINES_H
#define SOUK_GCP_MACHINES_H

#include "gcp.h"

enum {
	GCP_TAG_SIZE = 64,	/* a network tag, a label's value, with the NUL */
	GCP_SALT_SIZE = 33,
	GCP_MAX_LABEL_KEYS = 32,
	GCP_MAX_SOURCES = 16,
	GCP_MAX_MACHINES = 64	/* in one launch */
};

/* Labels that machines and their disks carry. Their values have fewer characters than texts may
 * have, so that what is meant stands in the metadata too, under the same names. */
#define GCP_LABEL_CLUSTER "souk-cluster"
#define GCP_LABEL_OWNER "souk-owner"
#define GCP_LABEL_TOKEN "souk-token"
/* Metadata alone: who logs in, and the public half of the host key in the first-boot data. */
#define GCP_META_USER "souk-user"
#define GCP_META_HOST_KEY "souk-host-key"

/* ---- names.c: names that follow from what is asked for ---- */

/* "souk-TOKEN-INDEX": two calls with one token ask for machines of the same names. */
void gcp_machine_name(const char *token, uint32_t index, char out[GCP_NAME_SIZE]);
/* The network tag of an owner's cluster, and the start of the names of its firewall rules. */
int gcp_cluster_tag(const char *owner, const char *cluster, char out[GCP_TAG_SIZE],
		    struct souk_error *err);
/* The value of a label that stands for a text: the text itself if it may be one. */
int gcp_label_value(const char *text, char out[GCP_TAG_SIZE], struct souk_error *err);
/* 1 if it may be a label's key, or value, as it is. */
int gcp_is_label_key(const char *text);
int gcp_is_label_value(const char *text);
/* An id for a request that is the same whenever the same is asked for: a UUID. */
int gcp_request_id(const char *token, const char *what, uint32_t index, char out[37],
		   struct souk_error *err);
/* What the ids of one call are made of. An hour long a cloud gives an id's first answer again, be the
 * machine gone or a zone full no more: the next call with the same token is not to hear that. */
int gcp_request_salt(char out[GCP_SALT_SIZE], struct souk_error *err);

/* ---- operations.c: what the cloud does after its answer ---- */

/* Where an operation is: "zones/ZONE" or "global". */
int gcp_operation_wait(const struct gcp_client *client, const char *scope,
		       struct json_object *operation, const char *doing, uint32_t budget_ms,
		       struct souk_error *err);
/* Send a request of which the answer is an operation, which the caller puts. */
int gcp_operate(const struct gcp_client *client, const struct gcp_request *request,
		struct json_object **out, struct gcp_fault *fault_out, struct souk_error *err);

/* ---- image.c ---- */

struct gcp_image {
	char link[512];		/* as sourceImage takes it */
	char user[64];		/* who logs in */
	uint64_t disk_gib;	/* its own size */
	int has_cloud_init;	/* takes a host key from the first-boot data */
};

int gcp_image_find(const struct gcp_client *client, const struct souk_instance_spec *spec,
		   struct gcp_image *out, struct souk_error *err);

/* ---- source.c: which addresses SSH is admitted from ---- */

/* How many there are, or a negative code. */
int gcp_sources(const struct gcp_client *client, char (*out)[SOUK_NETWORK_SIZE],
		struct souk_error *err);

/* ---- firewall.c: rules of a cluster, by its network tag ---- */

struct gcp_rules {
	const char *tag;
	int is_new;		 /* 1: made just now */
};

/* SSH from the caller; all among the machines if there are several; the ports of the spec. */
int gcp_rules_ensure(const struct gcp_client *client, const struct souk_instance_spec *spec,
		     struct gcp_rules *rules, struct souk_error *err);
/* SSH from where the caller is now, too. */
int gcp_rules_admit(const struct gcp_client *client, const char *tag, struct souk_error *err);
int gcp_rules_open(const struct gcp_client *client, const char *tag,
		   const struct souk_port_range *ports, uint32_t n, struct souk_error *err);
/* Delete them; those that are not there are no failure. */
int gcp_rules_delete(const struct gcp_client *client, const char *tag, struct souk_error *err);
/* 1 if souk is to see to rules at all. */
int gcp_rules_managed(const struct gcp_client *client);

/* ---- instances.c: what the cloud tells of machines ---- */

/* SOUK_INSTANCE_... for Google's word. */
int gcp_instance_status(const char *word);
/* Add the machine that a JSON object tells of. */
int gcp_instance_add(struct json_object *object, struct souk_instance_list *out,
		     struct souk_error *err);
/* The same with the labels of these keys, ended by NULL, of which the first GCP_MAX_LABEL_KEYS count. */
int gcp_instance_add_labelled(struct json_object *object, const char *const *keys,
			      struct souk_instance_list *out, struct souk_error *err);
/* Ask for one: 1 and the object, which the caller puts, or 0 if there is none. */
int gcp_instance_get(const struct gcp_client *client, const char *zone, const char *name,
		     struct json_object **out, struct souk_error *err);
/* Call take() for each machine that the filter finds, whatever its region. */
int gcp_instances_each(const struct gcp_client *client, const struct souk_instance_filter *filter,
		       int (*take)(void *arg, struct json_object *object, struct souk_error *err),
		       void *arg, struct souk_error *err);
/* An item of its metadata; NULL: none. Borrowed. */
const char *gcp_instance_meta(struct json_object *object, const char *key);
/* The network tag that souk gave it; NULL: none. */
const char *gcp_instance_tag(struct json_object *object);
/* The zone of a ref, looked up if it does not say: 1, or 0 if there is no such machine. */
int gcp_ref_zone(const struct gcp_client *client, const struct souk_instance_ref *ref,
		 char out[GCP_NAME_SIZE], struct souk_error *err);

/* ---- body.c: what a machine is to be ---- */

struct gcp_order {
	const struct gcp_client *client;
	const struct souk_instance_spec *spec;
	struct gcp_image image;
	const char *tag;
	const char *user_data;	/* #cloud-config */
	const char *gpu;	/* to be attached; NULL: none */
	const char *disk_kind;
	char salt[GCP_SALT_SIZE];	/* of the requests' ids */
};

/* The body of instances.insert, which the caller frees with souk_text_free(). */
int gcp_order_body(const struct gcp_order *order, const char *zone, const char *name,
		   char **out, struct souk_error *err);

/* ---- The operations of the module ---- */

int gcp_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		  struct souk_instance_list *out, struct souk_error *err);
int gcp_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_instance_list *out, struct souk_error *err);
int gcp_list_instances(void *self, struct souk_call *call,
		       const struct souk_instance_filter *filter, struct souk_instance_list *out,
		       struct souk_error *err);
int gcp_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_error *err);
int gcp_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	     struct souk_error *err);
int gcp_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	      struct souk_error *err);
int gcp_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		   struct souk_error *err);
int gcp_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
	      struct souk_error *err);

#endif
