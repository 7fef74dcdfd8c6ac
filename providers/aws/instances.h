/* SPDX-License-Identifier: Apache-2.0 */
/* instances.h - machines: making, finding, ending, stopping and starting them */
#ifndef SOUK_AWS_INSTANCES_H
#define SOUK_AWS_INSTANCES_H

#include "aws.h"
#include "network.h"
#include "xml.h"

/* ---- instances.c: finding ------------------------------------------------------------------ */

/* Add an <item> of an instancesSet. Its tags say who logs in and what its host key is. */
int aws_instance_add(const struct aws_client *client, const xmlNode *item,
		     struct souk_instance_list *out, struct souk_error *err);

/* The same, with those of its tags whose keys are in a list ended by NULL (at most 32 of them). */
enum { AWS_MAX_TAG_KEYS = 32 };
int aws_instance_add_tagged(const struct aws_client *client, const xmlNode *item,
			    const char *const *keys, struct souk_instance_list *out,
			    struct souk_error *err);

/* Called with each instance of each reservation of a reply. */
typedef int (*aws_instance_fn)(void *arg, const xmlNode *item, struct souk_error *err);
struct aws_walk {
	aws_instance_fn fn;
	void *arg;
};
/* Go through a page of DescribeInstances; 'walk' is a struct aws_walk. */
int aws_instances_walk(void *walk, const xmlNode *root, struct souk_error *err);
/* Ask for the instances of refs and go through them; unknown ones are just not there. */
int aws_instances_each(const struct aws_client *client, const struct souk_instance_ref *refs,
		       uint32_t n, aws_instance_fn fn, void *arg, struct souk_error *err);

/* Add those that carry the token, whatever their state. Returns how many. */
int aws_instances_of_token(const struct aws_client *client, const char *token,
			   struct souk_instance_list *out, struct souk_error *err);

/* A known state from the number that EC2 gives. */
int aws_instance_status(uint64_t code);

/* The ops. */
int aws_describe(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_instance_list *out, struct souk_error *err);

/* ---- list.c: finding them by tags, in every region --------------------------------------------- */

int aws_list_instances(void *self, struct souk_call *call,
		       const struct souk_instance_filter *filter, struct souk_instance_list *out,
		       struct souk_error *err);

/* ---- provision.c ----------------------------------------------------------------------------- */

int aws_provision(void *self, struct souk_call *call, const struct souk_instance_spec *spec,
		  struct souk_instance_list *out, struct souk_error *err);

/* ---- lifecycle.c ----------------------------------------------------------------------------- */

int aws_teardown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		 uint32_t n, struct souk_error *err);
int aws_stop(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	     struct souk_error *err);
int aws_start(void *self, struct souk_call *call, const struct souk_instance_ref *refs, uint32_t n,
	      struct souk_error *err);
int aws_open_ports(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
		   uint32_t n, const struct souk_port_range *ports, uint32_t n_ports,
		   struct souk_error *err);
int aws_set_on_shutdown(void *self, struct souk_call *call, const struct souk_instance_ref *refs,
			uint32_t n, uint32_t on_shutdown, struct souk_error *err);
int aws_sweep(void *self, struct souk_call *call, const struct souk_instance_filter *filter,
	      struct souk_error *err);

/* ---- check.c --------------------------------------------------------------------------------- */

int aws_check(void *self, struct souk_call *call, struct souk_identity *out,
	      struct souk_error *err);
extern const char aws_permissions[];

/* ---- rehearse.c: what a launch would send -------------------------------------------------- */

int aws_rehearse(void *self, struct souk_call *call, uint32_t scene,
		 const struct souk_http_request *request, int32_t *status_out,
		 struct souk_buf *body, struct souk_buf *permission, struct souk_error *err);
int aws_policy(void *self, const char *const *permissions, uint32_t n, struct souk_buf *out,
	       struct souk_error *err);

#endif
