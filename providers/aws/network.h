/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - where a machine is put in the account's network, and who may reach it */
#ifndef SOUK_AWS_NETWORK_H
#define SOUK_AWS_NETWORK_H

#include "aws.h"
#include "query.h"

enum { AWS_ID_SIZE = 64, AWS_PLACEMENT_SIZE = 256 };

struct aws_network {
	char vpc[AWS_ID_SIZE];
	char vpc_cidr[64];
	char subnet[AWS_ID_SIZE]; /* "": EC2 chooses one of the default VPC's */
	char group[AWS_ID_SIZE];
	int is_new_group;	  /* made by this call */
	uint32_t efa_interfaces;  /* of each machine; 0: none */
	char placement[AWS_PLACEMENT_SIZE]; /* the placement group; "": none */
	int is_own_placement;	  /* it is this provision call's alone */
};

/* Choose VPC and subnet by the options and the zone of the spec. */
int aws_network_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
		       struct aws_network *out, struct souk_error *err);

/* ---- placement.c ---------------------------------------------------------------------------- */

/* How many EFA interfaces machines get: for several machines of a type that has them. */
int aws_efa_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
		   struct aws_network *network, struct souk_error *err);

/* Name the placement group by the options; 'reserved' is that of a reservation, NULL: there is no
 * reservation. One of our own is made by aws_placement_ensure(). */
void aws_placement_choose(const struct aws_client *client, const struct souk_instance_spec *spec,
			  const char *reserved, struct aws_network *network);
int aws_placement_ensure(const struct aws_client *client, const struct souk_instance_spec *spec,
			 struct aws_network *network, struct souk_error *err);
/* One that is gone is fine; one that is still in use is CONFLICT. */
int aws_placement_delete(const struct aws_client *client, const char *name, struct souk_error *err);

/* Delete those of a cluster that carry the tag. Returns how many are in use and stay. */
int aws_placements_delete(const struct aws_client *client, const char *cluster, const char *tag,
			  const char *value, struct souk_error *err);
/* 1 if it is the name of one that souk makes. */
int aws_placement_is_own(const char *name);
extern const struct aws_operation aws_describe_placements;

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

/* The ids of groups of a cluster that carry the tag, at most 'max'; returns how many. *placed_out,
 * which may be NULL, is 1 if one of them says that there may be placement groups. */
int aws_groups_of(const struct aws_client *client, const char *cluster, const char *tag,
		  const char *value, char (*groups)[AWS_ID_SIZE], size_t max, int *placed_out,
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
