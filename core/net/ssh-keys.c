/* SPDX-License-Identifier: Apache-2.0 */
/* net/ssh-keys.c - SSH keys: making, reading and naming them */
#include "net/ssh-internal.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/util.h"

enum { PUBLIC_LINE_MAX = 16 * 1024, PRIVATE_TEXT_MAX = 64 * 1024, COMMENT_MAX = 256 };

static pthread_once_t init_once = PTHREAD_ONCE_INIT;
static int init_state;

static void init_library(void)
{
	init_state = ssh_init();
}

int souk_ssh_init(struct souk_error *err)
{
	pthread_once(&init_once, init_library);
	if (init_state != SSH_OK)
		return souk_error_set(err, SOUK_E_INTERNAL, "cannot start libssh");
	return SOUK_OK;
}

int souk_ssh_parse_public(const char *line, ssh_key *key_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *copy = NULL;
	char *type, *data, *rest = NULL;
	enum ssh_keytypes_e number;
	int ret;

	ret = souk_ssh_init(err);
	if (ret < 0)
		return ret;
	if (!line || strlen(line) > PUBLIC_LINE_MAX)
		return souk_error_set(err, SOUK_E_INVALID, "not an SSH public key: %s",
				      line ? "it is too long" : "there is none");
	copy = strdup(line);
	if (!copy)
		return souk_error_nomem(err);
	type = strtok_r(copy, " \t\r\n", &rest);
	data = type ? strtok_r(NULL, " \t\r\n", &rest) : NULL;
	number = type ? ssh_key_type_from_name(type) : SSH_KEYTYPE_UNKNOWN;
	if (!data || number == SSH_KEYTYPE_UNKNOWN ||
	    ssh_pki_import_pubkey_base64(data, number, key_out) != SSH_OK)
		return souk_error_set(err, SOUK_E_INVALID, "not an SSH public key: '%.60s'", line);
	return SOUK_OK;
}

/* Keys of souk have no passphrase; whoever asks for one must not reach for the terminal. */
static int refuse_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify,
			     void *userdata)
{
	(void)prompt;
	(void)buf;
	(void)len;
	(void)echo;
	(void)verify;
	(void)userdata;
	return -1;
}

int souk_ssh_parse_private(const char *text, ssh_key *key_out, struct souk_error *err)
{
	int ret;

	ret = souk_ssh_init(err);
	if (ret < 0)
		return ret;
	if (!text || !*text || strlen(text) > PRIVATE_TEXT_MAX ||
	    ssh_pki_import_privkey_base64(text, NULL, refuse_passphrase, NULL, key_out) != SSH_OK)
		return souk_error_set(err, SOUK_E_INVALID,
				      "the SSH private key is not one, or has a passphrase");
	return SOUK_OK;
}

int souk_ssh_key_fingerprint(ssh_key key, char **text_out, struct souk_error *err)
{
	unsigned char *hash = NULL;
	char *text = NULL, *copy = NULL;
	size_t size;

	if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) == 0)
		text = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size);
	if (text)
		copy = strdup(text);
	ssh_string_free_char(text);
	ssh_clean_pubkey_hash(&hash);
	if (!copy)
		return souk_error_nomem(err);
	*text_out = copy;
	return SOUK_OK;
}

int souk_ssh_key_line(ssh_key key, const char *comment, char **text_out, struct souk_error *err)
{
	struct souk_buf line;
	char *data = NULL;

	if (ssh_pki_export_pubkey_base64(key, &data) != SSH_OK)
		return souk_error_nomem(err);
	souk_buf_init(&line, PUBLIC_LINE_MAX);
	souk_buf_printf(&line, "%s %s%s%s", ssh_key_type_to_char(ssh_key_type(key)), data,
			comment && *comment ? " " : "", comment ? comment : "");
	ssh_string_free_char(data);
	if (line.failed != SOUK_OK) {
		souk_buf_failed(&line, err);
		souk_buf_fini(&line);
		return err ? err->code : SOUK_E_NOMEM;
	}
	*text_out = souk_buf_steal(&line);
	return *text_out ? SOUK_OK : souk_error_nomem(err);
}

static int check_comment(const char *comment, struct souk_error *err)
{
	const char *c;

	for (c = comment; c && *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f || c - comment >= COMMENT_MAX)
			return souk_error_set(err, SOUK_E_INVALID,
					      "the comment of an SSH key is not one short line");
	return SOUK_OK;
}

int souk_ssh_keygen(const char *comment, char **private_out, char **public_out,
		    struct souk_error *err)
{
	char *text = NULL, *private_text = NULL, *public_line = NULL;
	ssh_key key = NULL;
	int ret;

	ret = souk_ssh_init(err);
	if (ret == SOUK_OK)
		ret = check_comment(comment, err);
	if (ret < 0)
		return ret;
	if (ssh_pki_generate(SSH_KEYTYPE_ED25519, 0, &key) != SSH_OK ||
	    ssh_pki_export_privkey_base64(key, NULL, NULL, NULL, &text) != SSH_OK) {
		ret = souk_error_set(err, SOUK_E_INTERNAL, "cannot make an SSH key");
	} else {
		private_text = strdup(text);
		ret = private_text ? souk_ssh_key_line(key, comment, &public_line, err)
				   : souk_error_nomem(err);
	}
	if (text)
		souk_wipe(text, strlen(text));
	ssh_string_free_char(text);
	ssh_key_free(key);
	if (ret < 0) {
		if (private_text)
			souk_wipe(private_text, strlen(private_text));
		free(private_text);
		return ret;
	}
	*private_out = private_text;
	*public_out = public_line;
	return SOUK_OK;
}

int souk_ssh_fingerprint(const char *public_line, char **text_out, struct souk_error *err)
{
	ssh_key key = NULL;
	int ret;

	ret = souk_ssh_parse_public(public_line, &key, err);
	if (ret < 0)
		return ret;
	ret = souk_ssh_key_fingerprint(key, text_out, err);
	ssh_key_free(key);
	return ret;
}
