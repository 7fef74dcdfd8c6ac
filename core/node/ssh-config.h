/* SPDX-License-Identifier: Apache-2.0 */
/* node/ssh-config.h - the files by which the user's own OpenSSH reaches a cluster */
#ifndef SOUK_NODE_SSH_CONFIG_H
#define SOUK_NODE_SSH_CONFIG_H

#include <souk/provider.h>

struct souk_ssh_config_node {
	const char *address;
	uint32_t port;
	const char *user;
	const char *host_key;	   /* NULL: not known yet; then ssh refuses to connect */
	const char *proxy_command; /* NULL: none */
};

/*
 * Write ssh_config and known_hosts into 'folder', where id_ed25519 is. The host aliases are
 * CLUSTER for rank 0 and CLUSTER-workerN. Host keys are always checked.
 */
int souk_ssh_config_write(const char *folder, const char *cluster,
			  const struct souk_ssh_config_node *nodes, uint32_t n,
			  struct souk_error *err);

/* The alias of a node; 'size' of at least 96. */
void souk_ssh_config_alias(const char *cluster, uint32_t rank, char *alias, size_t size);

#endif
