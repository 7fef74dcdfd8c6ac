/* SPDX-License-Identifier: Apache-2.0 */
/* profile.c - the files ~/.aws/config and ~/.aws/credentials */

#include "profile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "aws.h"

enum { MAX_FILE = 1024 * 1024, MAX_SETTINGS = 100000, MAX_SECTIONS = 20000, MAX_KEY = 1000 };

struct setting {
	size_t section; /* index */
	char *key;	/* NULL: only says that the section is there */
	char *value;
};

struct section {
	int kind;
	char *name;
};

struct aws_profiles {
	struct section *sections;
	size_t n_sections;
	struct setting *settings;
	size_t n_settings;
};

/* Where the parser is. */
struct cursor {
	struct aws_profiles *profiles;
	const char *path;
	size_t line;
	int in_section;	       /* 0: before the first, or in one that does not concern us */
	size_t section;
	long last;	       /* index of the last setting at the margin, -1: none */
	int is_credentials_file;
};

struct aws_profiles *aws_profiles_new(void)
{
	return calloc(1, sizeof(struct aws_profiles));
}

void aws_profiles_free(struct aws_profiles *profiles)
{
	size_t i;

	if (!profiles)
		return;
	for (i = 0; i < profiles->n_settings; i++) {
		free(profiles->settings[i].key);
		if (profiles->settings[i].value)
			explicit_bzero(profiles->settings[i].value,
				       strlen(profiles->settings[i].value));
		free(profiles->settings[i].value);
	}
	for (i = 0; i < profiles->n_sections; i++)
		free(profiles->sections[i].name);
	free(profiles->settings);
	free(profiles->sections);
	free(profiles);
}

static int bad_line(const struct cursor *at, const char *what, struct souk_error *err)
{
	return souk_error_set(err, SOUK_E_INVALID, "%s:%zu: %s", at->path, at->line, what);
}

/* Room for one more in an array that doubles: at every power of two. */
static int grow(void **array, size_t n, size_t size, struct souk_error *err)
{
	void *larger;

	if (n & (n - 1))
		return SOUK_OK;
	larger = realloc(*array, (n ? 2 * n : 1) * size);
	if (!larger)
		return aws_nomem(err);
	*array = larger;
	return SOUK_OK;
}

static long find_section(const struct aws_profiles *profiles, int kind, const char *name)
{
	size_t i;

	for (i = 0; i < profiles->n_sections; i++)
		if (profiles->sections[i].kind == kind &&
		    strcmp(profiles->sections[i].name, name) == 0)
			return (long)i;
	return -1;
}

static int enter_section(struct cursor *at, int kind, const char *name, size_t len,
			 struct souk_error *err)
{
	struct aws_profiles *profiles = at->profiles;
	AWS_AUTO_FREE char *copy = strndup(name, len);
	long found;
	int ret;

	if (!copy)
		return aws_nomem(err);
	found = find_section(profiles, kind, copy);
	if (found < 0) {
		if (profiles->n_sections >= MAX_SECTIONS)
			return bad_line(at, "too many sections", err);
		ret = grow((void **)&profiles->sections, profiles->n_sections,
			   sizeof(profiles->sections[0]), err);
		if (ret < 0)
			return ret;
		found = (long)profiles->n_sections++;
		profiles->sections[found].kind = kind;
		profiles->sections[found].name = copy;
		copy = NULL;
	}
	at->in_section = 1;
	at->section = (size_t)found;
	at->last = -1;
	return SOUK_OK;
}

static void trim(const char **text, size_t *len)
{
	while (*len && isspace((unsigned char)**text)) {
		(*text)++;
		(*len)--;
	}
	while (*len && isspace((unsigned char)(*text)[*len - 1]))
		(*len)--;
}

/* [default], [profile NAME], [profile "NAME"], [sso-session NAME], [services NAME] */
static int parse_header(struct cursor *at, const char *text, size_t len, struct souk_error *err)
{
	static const struct {
		const char *word;
		int kind;
	} kinds[] = {
		{ "profile", AWS_SECTION_PROFILE },
		{ "sso-session", AWS_SECTION_SSO_SESSION },
		{ "services", AWS_SECTION_SERVICES },
	};
	const char *close = memchr(text, ']', len);
	size_t i;

	if (!close)
		return bad_line(at, "']' is missing", err);
	text++;
	len = (size_t)(close - text);
	trim(&text, &len);
	at->in_section = 0;
	if (at->is_credentials_file || (len == 7 && memcmp(text, "default", 7) == 0))
		return enter_section(at, AWS_SECTION_PROFILE, text, len, err);
	for (i = 0; i < AWS_ARRAY_SIZE(kinds); i++) {
		size_t word = strlen(kinds[i].word);

		if (len <= word || memcmp(text, kinds[i].word, word) != 0 ||
		    !isspace((unsigned char)text[word]))
			continue;
		text += word;
		len -= word;
		trim(&text, &len);
		if (len >= 2 && (text[0] == '"' || text[0] == '\'') && text[len - 1] == text[0]) {
			text++;
			len -= 2;
		}
		return enter_section(at, kinds[i].kind, text, len, err);
	}
	return SOUK_OK; /* [plugins], [preview] and others that are not ours */
}

static int add_setting(struct cursor *at, char *key, char *value, struct souk_error *err)
{
	struct aws_profiles *profiles = at->profiles;
	int ret = key && value ? SOUK_OK : aws_nomem(err);

	if (ret == SOUK_OK && profiles->n_settings >= MAX_SETTINGS)
		ret = bad_line(at, "too many settings", err);
	if (ret == SOUK_OK)
		ret = grow((void **)&profiles->settings, profiles->n_settings,
			   sizeof(profiles->settings[0]), err);
	if (ret < 0) {
		free(key);
		free(value);
		return ret;
	}
	profiles->settings[profiles->n_settings] =
		(struct setting){ .section = at->section, .key = key, .value = value };
	profiles->n_settings++;
	return SOUK_OK;
}

static void lower(char *text)
{
	for (; text && *text; text++)
		*text = (char)tolower((unsigned char)*text);
}

/* Below "s3 =" stand indented settings of a block; below "role_arn = x" only a continuation. */
static int parse_indented(struct cursor *at, const char *text, size_t len, struct souk_error *err)
{
	const struct setting *parent =
		at->last >= 0 ? &at->profiles->settings[at->last] : NULL;
	const char *equals = memchr(text, '=', len);
	struct souk_buf key;
	size_t key_len;
	size_t value_len;
	const char *value;
	char *name;

	if (!parent || parent->value[0] || !equals)
		return SOUK_OK;
	key_len = (size_t)(equals - text);
	value = equals + 1;
	value_len = len - key_len - 1;
	trim(&text, &key_len);
	trim(&value, &value_len);
	if (strlen(parent->key) + key_len >= MAX_KEY)
		return bad_line(at, "the name of a setting is too long", err);
	souk_buf_init(&key, MAX_KEY + 2);
	souk_buf_printf(&key, "%s.%.*s", parent->key, (int)key_len, text);
	name = souk_buf_failed(&key, NULL) == SOUK_OK ? strdup(key.data) : NULL;
	souk_buf_fini(&key);
	lower(name);
	return add_setting(at, name, strndup(value, value_len), err);
}

static int parse_line(struct cursor *at, const char *text, size_t len, struct souk_error *err)
{
	int indented = len && isspace((unsigned char)text[0]);
	const char *equals;
	const char *value;
	size_t key_len, value_len;
	char *key;
	int ret;

	trim(&text, &len);
	if (!len || text[0] == '#' || text[0] == ';')
		return SOUK_OK;
	if (text[0] == '[' && !indented)
		return parse_header(at, text, len, err);
	if (!at->in_section)
		return SOUK_OK;
	if (indented)
		return parse_indented(at, text, len, err);
	equals = memchr(text, '=', len);
	if (!equals)
		return bad_line(at, "neither a section nor a setting", err);
	key_len = (size_t)(equals - text);
	value = equals + 1;
	value_len = len - key_len - 1;
	trim(&text, &key_len);
	trim(&value, &value_len);
	key = strndup(text, key_len);
	lower(key);
	ret = add_setting(at, key, strndup(value, value_len), err);
	if (ret == SOUK_OK)
		at->last = (long)at->profiles->n_settings - 1;
	return ret;
}

int aws_profiles_parse(struct aws_profiles *profiles, const char *path, const char *text,
		       int is_credentials_file, struct souk_error *err)
{
	struct cursor at = {
		.profiles = profiles,
		.path = path,
		.last = -1,
		.is_credentials_file = is_credentials_file,
	};
	const char *p = text;
	int ret;

	while (*p) {
		size_t len = strcspn(p, "\n");

		at.line++;
		ret = parse_line(&at, p, len, err);
		if (ret < 0)
			return ret;
		p += len;
		p += *p == '\n';
	}
	return SOUK_OK;
}

const char *aws_profiles_get(const struct aws_profiles *profiles, int section, const char *name,
			     const char *key)
{
	long found = name ? find_section(profiles, section, name) : -1;
	size_t i = profiles->n_settings;

	/* The last one counts: the credentials file is read after the configuration. */
	while (found >= 0 && i-- > 0)
		if (profiles->settings[i].section == (size_t)found &&
		    strcmp(profiles->settings[i].key, key) == 0)
			return profiles->settings[i].value[0] ? profiles->settings[i].value : NULL;
	return NULL;
}

int aws_profiles_has(const struct aws_profiles *profiles, int section, const char *name)
{
	return find_section(profiles, section, name) >= 0;
}

static int load_file(struct aws_profiles *profiles, const char *variable, const char *otherwise,
		     int is_credentials_file, struct souk_error *err)
{
	AWS_AUTO_BUF struct souk_buf path = { 0 };
	AWS_AUTO_BUF struct souk_buf text = { 0 };
	const char *given = souk_getenv(variable);
	struct souk_error missing = SOUK_ERROR_INIT;
	int ret;

	souk_buf_init(&path, 4096);
	ret = aws_expand_path(given ? given : otherwise, &path, &missing);
	if (ret == SOUK_OK)
		ret = souk_read_file(path.data, MAX_FILE, &text, &missing);
	if (ret == SOUK_E_NOT_FOUND)
		return SOUK_OK;
	if (ret < 0)
		return souk_error_set(err, ret, "%s", missing.message);
	ret = aws_profiles_parse(profiles, path.data, text.data, is_credentials_file, err);
	explicit_bzero(text.data, text.len);
	return ret;
}

int aws_profiles_load(struct aws_profiles **out, struct souk_error *err)
{
	struct aws_profiles *profiles = aws_profiles_new();
	int ret;

	if (!profiles)
		return aws_nomem(err);
	ret = load_file(profiles, "AWS_CONFIG_FILE", "~/.aws/config", 0, err);
	if (ret == SOUK_OK)
		ret = load_file(profiles, "AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials", 1,
				err);
	if (ret < 0) {
		aws_profiles_free(profiles);
		return ret;
	}
	*out = profiles;
	return SOUK_OK;
}
