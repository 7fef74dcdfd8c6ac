/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - where a machine is put in the account's network, and who may reach it */
#ifndef SOUK_AWS_NETWORK_H
#define SOUK_AWS_NETWORK_H

#include "aws.h"

enum { AWS_ID_SIZE = 64 };

struct aws_network {
	char vpc[AWS_ID_SIZE];
	char vpc_cidr[64];
	char subnet[AWS_ID_SIZE]; /* "": EC2 chooses one of the default VPC's */
	char group[AWS_ID_SIZE];
	int is_new_group;	  /* made by this call */
};

/* Choose VPC and subnet by the options and the zone of the spec. */
int aws_network_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
		       struct aws_network *out, struct souk_error *err);

/* ---- security-group.c ------------------------------------------------------------------ */

/* The cluster's security group, made if it is not there, with all the rules that it needs. */
int aws_group_ensure(const struct aws_client *client, const struct souk_instance_spec *spec,
		     struct aws_network *network, struct souk_error *err);
/* Delete a group. One that is gone is fine; so is one that is still in use (returns CONFLICT). */
int aws_group_delete(const struct aws_client *client, const char *group, struct souk_error *err);

/* Admit the world to further ports, or the caller to SSH, in those of the groups that are ours. */
int aws_groups_open(const struct aws_client *client, char (*groups)[AWS_ID_SIZE], size_t n,
		    const struct souk_port_range *ports, uint32_t n_ports, struct souk_error *err);
int aws_groups_admit_caller(const struct aws_client *client, char (*groups)[AWS_ID_SIZE], size_t n,
			    struct souk_error *err);

/* The ids of groups of a cluster that carry the token, at most 'max'; returns how many. */
int aws_groups_of(const struct aws_client *client, const char *cluster, const char *tag,
		  const char *value, char (*groups)[AWS_ID_SIZE], size_t max,
		  struct souk_error *err);

/* The name of a cluster's group, for a user of souk. */
int aws_group_name(const char *cluster, const char *owner, char *out, size_t size,
		   struct souk_error *err);

/* ---- source.c: who the caller is ----------------------------------------------------------- */

enum { AWS_MAX_SOURCES = 32 };

/* The networks of the option 'ssh_from', "auto" being the caller's own address. */
int aws_sources(const struct aws_client *client, const char *vpc_cidr,
		char (*out)[SOUK_NETWORK_SIZE], uint32_t *n_out, struct souk_error *err);

#endif
