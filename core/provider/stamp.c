/* SPDX-License-Identifier: Apache-2.0 */
/* provider/stamp.c - a note that this very file was loaded without harm before, and what it said */
#include "provider/stamp.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/util.h"

#define STAMP_MAX 16384
#define SIGNS_MAX 64u

/* ---- Facts ---- */

void souk_module_facts_fini(struct souk_module_facts *facts)
{
	if (!facts)
		return;
	souk_strv_fini(&facts->signs);
	free(facts->title);
	*facts = (struct souk_module_facts){ 0 };
}

static uint32_t ops_of(const struct souk_provider_ops *ops)
{
	return (ops->quote ? SOUK_MODULE_QUOTE : 0) | (ops->exec ? SOUK_MODULE_EXEC : 0) |
	       (ops->put ? SOUK_MODULE_PUT : 0) | (ops->get ? SOUK_MODULE_GET : 0) |
	       (ops->list_instances ? SOUK_MODULE_LIST_INSTANCES : 0) |
	       (ops->check ? SOUK_MODULE_CHECK : 0) | (ops->stop ? SOUK_MODULE_STOP : 0) |
	       (ops->start ? SOUK_MODULE_START : 0) | (ops->open_ports ? SOUK_MODULE_OPEN_PORTS : 0) |
	       (ops->set_on_shutdown ? SOUK_MODULE_SET_ON_SHUTDOWN : 0) |
	       (ops->sweep ? SOUK_MODULE_SWEEP : 0);
}

/* A stamp has a line each. */
static void one_line(char *text)
{
	for (; text && *text; text++)
		if ((unsigned char)*text < ' ')
			*text = ' ';
}

int souk_module_facts_take(const struct souk_provider_ops *ops, struct souk_module_facts *facts_out,
			   struct souk_error *err)
{
	struct souk_module_facts facts = { .features = ops->features, .ops = ops_of(ops) };
	const char *const *sign = ops->credential_signs;
	int ret = SOUK_OK;

	facts.needs_credentials = sign != NULL;
	if (ops->title && !(facts.title = strdup(ops->title)))
		ret = souk_error_nomem(err);
	one_line(facts.title);
	for (; sign && *sign && facts.signs.n < SIGNS_MAX && ret == SOUK_OK; sign++)
		ret = souk_strv_add(&facts.signs, *sign, err);
	if (ret < 0) {
		souk_module_facts_fini(&facts);
		return ret;
	}
	*facts_out = facts;
	return SOUK_OK;
}

/* ---- The file ---- */

/* What identifies the file, as the stamp has it. The caller frees it; NULL: it cannot be told. */
static char *identity(const char *module_path)
{
	char *text = NULL;
	struct stat st;

	if (stat(module_path, &st) < 0 ||
	    asprintf(&text, "%llu %llu %lld %lld.%09ld %lld.%09ld %s\n", (unsigned long long)st.st_dev,
		     (unsigned long long)st.st_ino, (long long)st.st_size, (long long)st.st_mtim.tv_sec,
		     st.st_mtim.tv_nsec, (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec,
		     module_path) < 0)
		return NULL;
	return text;
}

/* Facts are of one version of souk: another may know of more features. */
#define FACTS_VERSION "souk " PACKAGE_VERSION

/* The value of the line "KEY VALUE"; NULL: it is another one. */
static const char *value_of(const char *line, const char *key)
{
	size_t len = strlen(key);

	return strncmp(line, key, len) == 0 && line[len] == ' ' ? line + len + 1 : NULL;
}

/* One line of the facts. 0, or -1 if it is none that we write. */
static int take_line(struct souk_module_facts *facts, const char *line)
{
	const char *value;
	uint64_t number;

	if ((value = value_of(line, "features")) != NULL)
		return souk_parse_u64("features", value, &facts->features, NULL) < 0 ? -1 : 0;
	if ((value = value_of(line, "ops")) != NULL) {
		if (souk_parse_u64("ops", value, &number, NULL) < 0 || number > UINT32_MAX)
			return -1;
		facts->ops = (uint32_t)number;
		return 0;
	}
	if ((value = value_of(line, "title")) != NULL)
		return souk_strset(&facts->title, value);
	if (strcmp(line, "signs") == 0) {
		facts->needs_credentials = 1;
		return 0;
	}
	if ((value = value_of(line, "sign")) != NULL && facts->signs.n < SIGNS_MAX)
		return souk_strv_add(&facts->signs, value, NULL) < 0 ? -1 : 0;
	return -1;
}

/* Take facts from the text behind the identity. 1 if they are whole and of this version. */
static int take_facts(char *text, struct souk_module_facts *facts_out)
{
	struct souk_module_facts facts = { 0 };
	char *line = text, *end;
	int number = 0, whole = 0;

	for (; (end = strchr(line, '\n')) != NULL; line = end + 1, number++) {
		*end = '\0';
		if (number == 0 && strcmp(line, FACTS_VERSION) != 0)
			break;
		if (number > 0 && (whole = strcmp(line, "end") == 0) != 0)
			break;
		if (number > 0 && take_line(&facts, line) < 0)
			break;
	}
	if (!whole) {
		souk_module_facts_fini(&facts);
		return 0;
	}
	*facts_out = facts;
	return 1;
}

int souk_stamp_read(const char *folder, const char *module_path, struct souk_module_facts *facts_out,
		    int *known_out)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, souk_fs_basename(module_path));
	SOUK_AUTO_FREE char *now = identity(module_path);
	SOUK_AUTO_FREE char *then = NULL;

	if (known_out)
		*known_out = 0;
	if (!path || !now || souk_fs_read(path, STAMP_MAX, &then, NULL, NULL) < 0 ||
	    strncmp(then, now, strlen(now)) != 0)
		return 0;
	if (known_out)
		*known_out = take_facts(then + strlen(now), facts_out);
	return 1;
}

static void add_facts(struct souk_buf *text, const struct souk_module_facts *facts)
{
	size_t i;

	souk_buf_printf(text, "%s\nfeatures %" PRIu64 "\nops %" PRIu32 "\n", FACTS_VERSION,
			facts->features, facts->ops);
	if (facts->title)
		souk_buf_printf(text, "title %s\n", facts->title);
	if (facts->needs_credentials)
		souk_buf_str(text, "signs\n");
	for (i = 0; i < facts->signs.n; i++)
		souk_buf_printf(text, "sign %s\n", facts->signs.items[i]);
	souk_buf_str(text, "end\n");
}

void souk_stamp_write(const char *folder, const char *module_path,
		      const struct souk_module_facts *facts)
{
	SOUK_AUTO_FREE char *path = souk_fs_join(folder, souk_fs_basename(module_path));
	SOUK_AUTO_FREE char *now = identity(module_path);
	struct souk_buf text;

	souk_buf_init(&text, STAMP_MAX);
	if (now)
		souk_buf_str(&text, now);
	if (facts)
		add_facts(&text, facts);
	if (path && now && souk_buf_failed(&text, NULL) == SOUK_OK &&
	    souk_fs_mkdir(folder, 0700, NULL) == 0)
		souk_fs_write(path, text.data, text.len, 0600, NULL);
	souk_buf_fini(&text);
}
