/* SPDX-License-Identifier: Apache-2.0 */
/* provider-new.c - a provider module to begin with: the template under a name of one's own */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <souk/souk.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"
#include "context.h"

#define OLD_NAME "acme"

enum { NAME_MAX_LENGTH = 32, FILE_MAX = 1024 * 1024 };

static const char *const template_files[] = {
	"Makefile.am", "README.md", OLD_NAME ".c", "configure.ac",
};

/* ---- The name ---- */

static int is_word_part(int c)
{
	return isalnum((unsigned char)c) || c == '_';
}

static int has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	const char *at = text;

	while ((at = strstr(at, word)) != NULL) {
		if ((at == text || !is_word_part(at[-1])) && !is_word_part(at[len]))
			return 1;
		at += len;
	}
	return 0;
}

static int check_name(const char *name, struct souk_error *err)
{
	/* Those of C that the template does not use. */
	static const char keywords[] =
		"auto case default do double enum extern float goto inline long register restrict short "
		"signed switch typedef union volatile";
	size_t i, len = strlen(name);

	if (len == 0 || len > NAME_MAX_LENGTH || name[0] < 'a' || name[0] > 'z')
		len = 0;
	for (i = 0; i < len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789_", name[i]))
			len = 0;
	if (len == 0) {
		souk_error_set(err, SOUK_E_INVALID, "no name for a provider: '%.60s'", name);
		return souk_error_hint(err, "a letter, then letters, digits and _, all lower case, at most %d",
				       NAME_MAX_LENGTH);
	}
	if (has_word(keywords, name)) {
		souk_error_set(err, SOUK_E_INVALID, "'%s' is a word of C", name);
		return souk_error_hint(err, "'my%s' would do", name);
	}
	return SOUK_OK;
}

/* ---- The copy ---- */

/* 'text' with the old name replaced, in small and in capital letters. */
static int rename_text(const char *text, const char *name, struct souk_buf *out, struct souk_error *err)
{
	char old_upper[] = OLD_NAME, upper[NAME_MAX_LENGTH + 1];
	size_t i, len = strlen(OLD_NAME);

	for (i = 0; i < len; i++)
		old_upper[i] = (char)toupper((unsigned char)old_upper[i]);
	for (i = 0; name[i] && i < NAME_MAX_LENGTH; i++)
		upper[i] = (char)toupper((unsigned char)name[i]);
	upper[i] = '\0';
	while (*text) {
		if (strncmp(text, OLD_NAME, len) == 0 || strncmp(text, old_upper, len) == 0) {
			souk_buf_str(out, *text == OLD_NAME[0] ? name : upper);
			text += len;
		} else {
			souk_buf_add(out, text++, 1);
		}
	}
	return souk_buf_failed(out, err);
}

static int copy_file(const char *from_dir, const char *file, const char *name, const char *to_dir,
		     struct souk_error *err)
{
	SOUK_AUTO_FREE char *from = souk_fs_join(from_dir, file);
	SOUK_AUTO_FREE char *text = NULL;
	SOUK_AUTO_FREE char *to = NULL;
	struct souk_buf new_file, new_text;
	int ret;

	if (!from)
		return souk_error_nomem(err);
	ret = souk_fs_read(from, FILE_MAX, &text, NULL, err);
	if (ret < 0)
		return ret;
	if (has_word(text, name) && strcmp(name, OLD_NAME) != 0) {
		souk_error_set(err, SOUK_E_INVALID, "the template has the word '%s' already", name);
		return souk_error_hint(err, "choose a longer name, such as '%s_cloud'", name);
	}
	souk_buf_init(&new_file, FILE_MAX);
	souk_buf_init(&new_text, 4 * FILE_MAX);
	ret = rename_text(file, name, &new_file, err);
	if (ret == SOUK_OK)
		ret = rename_text(text, name, &new_text, err);
	if (ret == SOUK_OK && !(to = souk_fs_join(to_dir, new_file.data)))
		ret = souk_error_nomem(err);
	if (ret == SOUK_OK)
		ret = souk_fs_write(to, new_text.data, new_text.len, 0666, err);
	souk_buf_fini(&new_file);
	souk_buf_fini(&new_text);
	return ret;
}

int souk_provider_new(struct souk *souk, const char *name, const char *dir, struct souk_error *err)
{
	SOUK_AUTO_FREE char *installed = souk_fs_join(souk->paths.datadir, "template");
	const char *from = souk->paths.builddir ? SOUK_SRCDIR "/plugin-api/template" : installed;
	int ret = check_name(name, err), errnum;
	size_t i;

	if (ret < 0)
		return ret;
	if (!installed)
		return souk_error_nomem(err);
	if (!souk_fs_is_dir(from)) {
		souk_error_set(err, SOUK_E_NOT_FOUND, "there is no template in '%s'", from);
		return souk_error_hint(err, "install the package souk-dev");
	}
	if (mkdir(dir, 0777) < 0) {
		errnum = errno;
		ret = souk_error_errno(err, errnum, "cannot make the folder '%s'", dir);
		return errnum == EEXIST ? souk_error_hint(err, "--dir DIR puts it elsewhere") : ret;
	}
	for (i = 0; i < SOUK_ARRAY_SIZE(template_files) && ret == SOUK_OK; i++)
		ret = copy_file(from, template_files[i], name, dir, err);
	if (ret < 0)
		souk_fs_remove(dir, NULL);
	return ret;
}
