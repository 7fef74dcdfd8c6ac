/* SPDX-License-Identifier: Apache-2.0 */
/* node/ssh-config.c - the files by which the user's own OpenSSH reaches a cluster */
#include "node/ssh-config.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

#define CONFIG_MAX ((size_t)4 << 20)

void souk_ssh_config_alias(const char *cluster, uint32_t rank, char *alias, size_t size)
{
	if (rank == 0)
		snprintf(alias, size, "%s", cluster);
	else
		snprintf(alias, size, "%s-worker%u", cluster, rank);
}

/* What a cloud says goes into a configuration file: nothing may end the line or the word. */
static int is_word(const char *text)
{
	return text && text[0] && !text[strcspn(text, " \t\r\n\"'#")];
}

static void write_host(struct souk_buf *config, const char *folder, const char *alias,
		       const struct souk_ssh_config_node *node)
{
	souk_buf_printf(config,
			"Host %s\n"
			"\tHostName %s\n"
			"\tPort %u\n"
			"\tUser %s\n"
			"\tIdentityFile \"%s/id_ed25519\"\n"
			"\tIdentitiesOnly yes\n"
			"\tUserKnownHostsFile \"%s/known_hosts\"\n"
			"\tGlobalKnownHostsFile /dev/null\n"
			"\tStrictHostKeyChecking yes\n"
			"\tHostKeyAlias souk-%s\n"
			"\tConnectTimeout 15\n"
			"\tServerAliveInterval 15\n"
			"\tServerAliveCountMax 3\n"
			"\tLogLevel ERROR\n",
			alias, node->address, node->port, node->user, folder, folder, alias);
	if (node->proxy_command)
		souk_buf_printf(config, "\tProxyCommand %s\n", node->proxy_command);
}

static int write_file(const char *folder, const char *name, const struct souk_buf *text,
		      struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, name);

	if (!path)
		return souk_error_nomem(err);
	if (souk_buf_failed(text, err) < 0)
		return text->failed;
	return souk_fs_write(path, text->data, text->len, 0600, err);
}

int souk_ssh_config_write(const char *folder, const char *cluster,
			  const struct souk_ssh_config_node *nodes, uint32_t n,
			  struct souk_error *err)
{
	struct souk_buf config, known;
	char alias[96];
	uint32_t i;
	int ret = SOUK_OK;

	souk_buf_init(&config, CONFIG_MAX);
	souk_buf_init(&known, CONFIG_MAX);
	for (i = 0; i < n && ret == SOUK_OK; i++) {
		souk_ssh_config_alias(cluster, i, alias, sizeof(alias));
		if (!is_word(nodes[i].address) || !is_word(nodes[i].user) ||
		    (nodes[i].host_key && strpbrk(nodes[i].host_key, "\r\n")) ||
		    (nodes[i].proxy_command && strpbrk(nodes[i].proxy_command, "\r\n"))) {
			ret = souk_error_set(err, SOUK_E_INVALID, "%s: not an address: '%s'", alias,
					     nodes[i].address ? nodes[i].address : "");
			break;
		}
		write_host(&config, folder, alias, &nodes[i]);
		if (nodes[i].host_key)
			souk_buf_printf(&known, "souk-%s %s\n", alias, nodes[i].host_key);
	}
	if (ret == SOUK_OK)
		ret = write_file(folder, "known_hosts", &known, err);
	if (ret == SOUK_OK)
		ret = write_file(folder, "ssh_config", &config, err);
	souk_buf_fini(&config);
	souk_buf_fini(&known);
	return ret;
}
