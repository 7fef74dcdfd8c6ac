/* SPDX-License-Identifier: Apache-2.0 */
/* cloud-config.c - the first-boot data of a machine, in the format of cloud-init */

#include <souk/provider.h>

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum {
	MAX_USER = 32,
	MAX_PUBLIC_KEY = 4096,	/* RSA of 16384 bits has 2,800 characters */
	MAX_PRIVATE_LINES = 256, /* and a private key of 180 lines */
	MAX_PRIVATE_LINE = 16384 /* or of one: ssh-keygen folds its text, libssh does not */
};

/* cloud-init names a host key by its kind, OpenSSH by its algorithm. */
static const struct {
	const char *algorithm;
	const char *kind;
} host_key_kinds[] = {
	{ "ssh-ed25519", "ed25519" },
	{ "ecdsa-sha2-nistp256", "ecdsa" },
	{ "ecdsa-sha2-nistp384", "ecdsa" },
	{ "ecdsa-sha2-nistp521", "ecdsa" },
	{ "ssh-rsa", "rsa" },
};

static int is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* The length of the run of characters of base64 at the start of 'text'. */
static size_t base64_run(const char *text)
{
	size_t len = 0;

	while (is_alnum(text[len]) || text[len] == '+' || text[len] == '/')
		len++;
	while (text[len] == '=')
		len++;
	return len;
}

/* A login name as useradd takes it: nothing in it means anything to YAML or to a shell. */
static int check_user(const char *user, struct souk_error *err)
{
	size_t i;

	for (i = 0; user[i]; i++) {
		int ok = (user[i] >= 'a' && user[i] <= 'z') || user[i] == '_' ||
			 (i > 0 && ((user[i] >= '0' && user[i] <= '9') || user[i] == '-'));

		if (!ok || i >= MAX_USER)
			break;
	}
	if (i == 0 || user[i])
		return souk_error_set(err, SOUK_E_INVALID, "not a login name: '%.64s'", user);
	return SOUK_OK;
}

/*
 * A public key as "ALGORITHM BASE64" without the comment, which is free text that no machine
 * needs. Lengths of both parts are stored.
 */
struct public_key {
	const char *algorithm;
	size_t algorithm_len;
	const char *blob;
	size_t blob_len;
};

static int parse_public_key(const char *what, const char *text, struct public_key *out,
			    struct souk_error *err)
{
	struct public_key key = { .algorithm = text };
	const char *end;

	while (is_alnum(text[key.algorithm_len]) ||
	       (text[key.algorithm_len] && strchr("-@.", text[key.algorithm_len])))
		key.algorithm_len++;
	if (strncmp(text, "ssh-", 4) != 0 && strncmp(text, "ecdsa-", 6) != 0 &&
	    strncmp(text, "sk-", 3) != 0)
		goto bad;
	if (key.algorithm_len > 64 || text[key.algorithm_len] != ' ')
		goto bad;
	key.blob = text + key.algorithm_len + 1;
	key.blob_len = base64_run(key.blob);
	/* Every blob begins with the four bytes of a length below 256: "AAAA" and a letter. */
	if (key.blob_len < 8 || key.blob_len > MAX_PUBLIC_KEY || strncmp(key.blob, "AAAA", 4) != 0)
		goto bad;
	end = key.blob + key.blob_len;
	if (*end == ' ')
		end += strcspn(end, "\r\n");
	if (*end == '\n')
		end++;
	if (*end)
		goto bad;
	*out = key;
	return SOUK_OK;
bad:
	return souk_error_set(err, SOUK_E_INVALID, "%s: not one line with a public SSH key", what);
}

static const char *kind_of(const struct public_key *key)
{
	size_t i;

	for (i = 0; i < sizeof(host_key_kinds) / sizeof(host_key_kinds[0]); i++)
		if (strlen(host_key_kinds[i].algorithm) == key->algorithm_len &&
		    strncmp(host_key_kinds[i].algorithm, key->algorithm, key->algorithm_len) == 0)
			return host_key_kinds[i].kind;
	return NULL;
}

/* Step over "text\n", or "text" at the very end. */
static int skip_line(const char **p, const char *text)
{
	size_t len = strlen(text);

	if (strncmp(*p, text, len) != 0 || ((*p)[len] && (*p)[len] != '\n'))
		return -1;
	*p += len + ((*p)[len] == '\n');
	return 0;
}

static int bad_private_key(struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID,
			      "host key: not one private key in the format of OpenSSH");
}

/* Append the lines of a private key to a YAML block; each is checked, so none can end it. */
static int add_private_key(struct souk_buf *out, const char *text, struct souk_error *err)
{
	static const char first[] = "-----BEGIN OPENSSH PRIVATE KEY-----";
	static const char last[] = "-----END OPENSSH PRIVATE KEY-----";
	const char *p = text;
	int lines = 0;

	if (skip_line(&p, first) < 0)
		return bad_private_key(err);
	souk_buf_printf(out, "    %s\n", first);
	while (*p && *p != '-') {
		size_t len = base64_run(p);

		if (len == 0 || len > MAX_PRIVATE_LINE || p[len] != '\n' || ++lines > MAX_PRIVATE_LINES)
			return bad_private_key(err);
		souk_buf_printf(out, "    %.*s\n", (int)len, p);
		p += len + 1;
	}
	if (lines == 0 || skip_line(&p, last) < 0 || *p)
		return bad_private_key(err);
	souk_buf_printf(out, "    %s\n", last);
	return SOUK_OK;
}

static void add_public_key(struct souk_buf *out, const struct public_key *key)
{
	souk_buf_printf(out, "%.*s %.*s\n", (int)key->algorithm_len, key->algorithm,
			(int)key->blob_len, key->blob);
}

/* cloud-init makes no host key of its own as soon as it is given one. */
static int add_host_key(const struct souk_instance_spec *spec, struct souk_buf *out,
			struct souk_error *err)
{
	struct public_key key;
	const char *kind;
	int ret;

	if (!spec->host_key_private && !spec->host_key_public)
		return SOUK_OK;
	if (!spec->host_key_private || !spec->host_key_public)
		return souk_error_set(err, SOUK_E_INVALID, "host key: the %s half is missing",
				      spec->host_key_private ? "public" : "private");
	ret = parse_public_key("host key", spec->host_key_public, &key, err);
	if (ret < 0)
		return ret;
	kind = kind_of(&key);
	if (!kind)
		return souk_error_set(err, SOUK_E_UNSUPPORTED,
				      "host key: cloud-init takes no key of kind '%.*s'",
				      (int)key.algorithm_len, key.algorithm);

	souk_buf_printf(out, "ssh_keys:\n  %s_private: |\n", kind);
	ret = add_private_key(out, spec->host_key_private, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(out, "  %s_public: ", kind);
	add_public_key(out, &key);
	return SOUK_OK;
}

/*
 * root is not listed as a user: cloud-init would lock its password, and an sshd without PAM
 * refuses a locked account. The keys at top level go to the image's own user and to root.
 */
static void add_login(const char *user, const struct public_key *key, struct souk_buf *out)
{
	if (user && strcmp(user, "root") != 0) {
		souk_buf_printf(out,
				"users:\n  - default\n  - name: '%s'\n    shell: /bin/bash\n"
				"    lock_passwd: true\n    sudo: 'ALL=(ALL) NOPASSWD:ALL'\n"
				"    ssh_authorized_keys:\n      - ",
				user);
		add_public_key(out, key);
		return;
	}
	if (user)
		souk_buf_str(out, "disable_root: false\n");
	souk_buf_str(out, "ssh_authorized_keys:\n  - ");
	add_public_key(out, key);
}

/* With user NULL the key is for the image's own user. On failure 'out' is as it was. */
int souk_spec_cloud_config(const struct souk_instance_spec *spec, const char *user,
			   struct souk_buf *out, struct souk_error *err)
{
	struct public_key key;
	struct souk_buf text;
	int ret;

	if (!spec->ssh_public_key)
		return souk_error_set(err, SOUK_E_INVALID, "login key: no value");
	ret = parse_public_key("login key", spec->ssh_public_key, &key, err);
	if (ret < 0)
		return ret;
	if (user) {
		ret = check_user(user, err);
		if (ret < 0)
			return ret;
	}

	souk_buf_init(&text, out->ceiling);
	souk_buf_str(&text, "#cloud-config\nssh_deletekeys: true\nssh_genkeytypes: [ed25519]\n");
	ret = add_host_key(spec, &text, err);
	if (ret == SOUK_OK) {
		add_login(user, &key, &text);
		ret = souk_buf_failed(&text, err);
	}
	if (ret == SOUK_OK) {
		souk_buf_add(out, text.data, text.len);
		ret = souk_buf_failed(out, err);
	}
	if (text.size)
		memset(text.data, 0, text.size);
	souk_buf_fini(&text);
	return ret;
}
