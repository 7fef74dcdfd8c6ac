/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-cache.c - replies that are kept in the user's cache, to be given again */
#include "net/http-cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/util.h"
#include "net/http-internal.h"

enum {
	FILES_MAX = 4096,
	COUNT_EVERY = 64,	   /* files written by us, until we look what others have written */
	HEAD_MAX = 128 * 1024,	   /* of a file: everything but the body */
	UNUSED_MAX_S = 30 * 86400, /* then a reply goes, whatever room there is */
	TEMPORARY_MAX_S = 3600,	   /* then its writer has died */
	HASH_SIZE = 32,
	KEY_LEN = 2 * HASH_SIZE
};
#define BYTES_MAX (UINT64_C(512) * 1024 * 1024)

static const char first_line[] = "souk-http-kept: 1\n";
static const char sum_name[] = "sum: ";
enum { SUM_LINE_LEN = sizeof(sum_name) - 1 + KEY_LEN + 1 };

void souk_http_cache_init(struct souk_http_cache *cache)
{
	*cache = (struct souk_http_cache){ .files_max = FILES_MAX, .bytes_max = BYTES_MAX };
	pthread_mutex_init(&cache->lock, NULL);
}

void souk_http_cache_fini(struct souk_http_cache *cache)
{
	pthread_mutex_destroy(&cache->lock);
}

void souk_http_kept_fini(struct souk_http_kept *kept)
{
	souk_http_reply_destroy(kept->reply);
	free(kept->path);
	*kept = (struct souk_http_kept){ 0 };
}

/* A request that asks by itself whether something has changed, or for a part, has a reply that is
 * good for nobody else. */
static int has_condition(const struct souk_http_request *request)
{
	const char *const *header;

	for (header = request->headers; header && *header; header++)
		if (strncasecmp(*header, "If-", 3) == 0 || strncasecmp(*header, "Range:", 6) == 0)
			return 1;
	return 0;
}

int souk_http_cache_takes(const struct souk_http_context *context,
			  const struct souk_http_request *request)
{
	return context->cache_dir && request->cache_seconds > 0 &&
	       !(request->flags &
		 (SOUK_HTTP_SECRET_REPLY | SOUK_HTTP_SECRET_BODY | SOUK_HTTP_MUTATES)) &&
	       (strcmp(request->method, "GET") == 0 || strcmp(request->method, "POST") == 0) &&
	       !has_condition(request);
}

/* ---- Names and sums ---- */

static int sum_of(const void *data, size_t size, char hex[KEY_LEN + 1], struct souk_error *err)
{
	unsigned char hash[HASH_SIZE];

	if (!EVP_Digest(data, size, hash, NULL, EVP_sha256(), NULL))
		return souk_error_nomem(err);
	souk_hex(hash, sizeof(hash), hex);
	return SOUK_OK;
}

/* Lengths go first, so that no two requests give the same bytes. */
static int add_part(EVP_MD_CTX *md, const void *data, size_t size)
{
	uint64_t len = size;

	return EVP_DigestUpdate(md, &len, sizeof(len)) && EVP_DigestUpdate(md, data, size);
}

static int key_of(const struct souk_http_request *request, char key[KEY_LEN + 1],
		  struct souk_error *err)
{
	const char *scope = request->cache_scope;
	size_t body_size = request->body ? request->body_size : 0;
	unsigned char hash[HASH_SIZE];
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	int good;

	good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) &&
	       add_part(md, scope ? "scope" : "public", scope ? 5 : 6) &&
	       add_part(md, scope ? scope : "", scope ? strlen(scope) : 0) &&
	       add_part(md, request->method, strlen(request->method)) &&
	       add_part(md, request->url, strlen(request->url)) &&
	       add_part(md, body_size ? request->body : "", body_size) &&
	       EVP_DigestFinal_ex(md, hash, NULL);
	EVP_MD_CTX_free(md);
	if (!good)
		return souk_error_nomem(err);
	souk_hex(hash, sizeof(hash), key);
	return SOUK_OK;
}

/* ---- Reading ---- */

/* The rest of a line that begins with 'name', cut in place; NULL: the next line is another. */
static char *take_line(char **at, const char *end, const char *name)
{
	size_t len = strlen(name);
	char *line = *at;
	char *newline;

	if ((size_t)(end - line) < len || memcmp(line, name, len) != 0)
		return NULL;
	newline = memchr(line, '\n', (size_t)(end - line));
	if (!newline)
		return NULL;
	*newline = '\0';
	*at = newline + 1;
	return line + len;
}

/* What add_file() has written. 0 if it is something else. */
static int parse(char *text, char *end, const char *key, struct souk_http_reply *reply)
{
	char *at = text, *line;
	uint64_t size;

	line = take_line(&at, end, "souk-http-kept: ");
	if (!line || strcmp(line, "1") != 0)
		return 0;
	line = take_line(&at, end, "key: ");
	if (!line || strcmp(line, key) != 0)
		return 0;
	while ((line = take_line(&at, end, "header: ")) != NULL)
		if (souk_http_reply_add_header(reply, line, strlen(line)) < 0)
			return 0;
	line = take_line(&at, end, "body: ");
	if (!line || souk_parse_u64("body", line, &size, NULL) < 0 ||
	    size >= (uint64_t)(end - at) || at + size + 1 != end || at[size] != '\n')
		return 0;
	return souk_buf_add(&reply->body, at, (size_t)size) == SOUK_OK;
}

static int is_whole(const char *text, size_t size, char *sum)
{
	const char *line = text + size - SUM_LINE_LEN;

	return memcmp(line, sum_name, sizeof(sum_name) - 1) == 0 && text[size - 1] == '\n' &&
	       sum_of(text, size - SUM_LINE_LEN, sum, NULL) == SOUK_OK &&
	       memcmp(line + sizeof(sum_name) - 1, sum, KEY_LEN) == 0;
}

/* The file's reply, unless the file is damaged or of another version. */
static struct souk_http_reply *read_reply(const struct souk_http_kept *kept, char *text,
					  size_t size, uint32_t max_body)
{
	struct souk_http_reply *reply;
	char sum[KEY_LEN + 1];

	if (size <= SUM_LINE_LEN || !is_whole(text, size, sum))
		return NULL;
	reply = souk_http_reply_create(max_body);
	if (!reply)
		return NULL;
	if (!parse(text, text + size - SUM_LINE_LEN, kept->key, reply)) {
		souk_http_reply_destroy(reply);
		return NULL;
	}
	reply->status = 200;
	return reply;
}

/* Seconds since the server has said that the file is good; from the future: for ever. */
static int64_t age_of(const char *path)
{
	struct stat st;
	int64_t age;

	if (stat(path, &st) < 0)
		return INT64_MAX;
	age = souk_clock_wall_s() - (int64_t)st.st_mtime;
	return age < 0 ? INT64_MAX : age;
}

int souk_http_cache_look(const struct souk_http_context *context,
			 const struct souk_http_request *request, struct souk_http_kept *kept,
			 struct souk_error *err)
{
	SOUK_AUTO_FREE char *text = NULL;
	struct souk_error read_err = SOUK_ERROR_INIT;
	size_t size;
	int ret;

	ret = key_of(request, kept->key, err);
	if (ret < 0)
		return ret;
	kept->path = souk_fs_join(context->cache_dir, kept->key);
	if (!kept->path)
		return souk_error_nomem(err);
	/* Before it is read: what another process puts there meanwhile is younger than we say. */
	kept->age_s = age_of(kept->path);
	ret = souk_fs_read(kept->path, (size_t)request->max_reply_bytes + HEAD_MAX, &text, &size,
			   &read_err);
	if (ret == SOUK_E_NOMEM)
		return souk_error_nomem(err);
	if (ret == SOUK_OK)
		kept->reply = read_reply(kept, text, size, request->max_reply_bytes);
	if (ret == SOUK_OK && !kept->reply) {
		souk_log(SOUK_LOG_DEBUG, "the kept reply '%s' is damaged: left out", kept->path);
		unlink(kept->path);
	}
	return SOUK_OK;
}

void souk_http_cache_renew(const struct souk_http_kept *kept)
{
	/* If it cannot be done, the server is asked again next time. */
	if (utimensat(AT_FDCWD, kept->path, NULL, AT_SYMLINK_NOFOLLOW) < 0)
		souk_log(SOUK_LOG_DEBUG, "cannot renew '%s': %s", kept->path, strerror(errno));
}

/* ---- Making room ---- */

struct entry {
	char name[KEY_LEN + 32];
	struct timespec at;
	uint64_t bytes;
};

struct entries {
	struct entry *items;
	size_t n;
	uint64_t bytes;
};

static int by_age(const void *left, const void *right)
{
	const struct entry *a = left, *b = right;

	if (a->at.tv_sec != b->at.tv_sec)
		return a->at.tv_sec < b->at.tv_sec ? -1 : 1;
	if (a->at.tv_nsec != b->at.tv_nsec)
		return a->at.tv_nsec < b->at.tv_nsec ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* 1: a kept reply, 2: one that is being written, 0: nothing of ours. */
static int kind_of(const char *name)
{
	size_t len = strlen(name);

	if (len >= sizeof(((struct entry *)NULL)->name) ||
	    strspn(name, "0123456789abcdef") != KEY_LEN)
		return 0;
	if (len == KEY_LEN)
		return 1;
	return name[KEY_LEN] == '.' && len > 4 && strcmp(name + len - 4, ".tmp") == 0 ? 2 : 0;
}

/* Take a file into the list, or remove it if nobody wants it any more. */
static int take_file(int fd, const char *name, int64_t now, struct entries *entries)
{
	int kind = kind_of(name);
	struct entry *items;
	struct stat st;
	int64_t age;

	if (!kind || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return SOUK_OK;
	age = now - (int64_t)st.st_mtime;
	if (age > (kind == 1 ? UNUSED_MAX_S : TEMPORARY_MAX_S)) {
		unlinkat(fd, name, 0);
		return SOUK_OK;
	}
	items = souk_array_grow(entries->items, entries->n, sizeof(*entries->items));
	if (!items)
		return SOUK_E_NOMEM;
	entries->items = items;
	items += entries->n++;
	memcpy(items->name, name, strlen(name) + 1); /* kind_of() has measured it */
	items->at = st.st_mtim;
	items->bytes = (uint64_t)st.st_size;
	entries->bytes += items->bytes;
	return SOUK_OK;
}

/* The oldest go until there is room; a little more of it, so that this is not done each time. */
static void drop_oldest(int fd, struct souk_http_cache *cache, struct entries *entries,
			uint64_t bytes)
{
	uint64_t files_max = cache->files_max - cache->files_max / 8;
	uint64_t bytes_max = cache->bytes_max - cache->bytes_max / 8;
	uint64_t files = entries->n;
	size_t i;

	if (entries->n < cache->files_max && entries->bytes + bytes <= cache->bytes_max)
		return;
	qsort(entries->items, entries->n, sizeof(*entries->items), by_age);
	for (i = 0; i < entries->n; i++) {
		if (files < files_max && entries->bytes + bytes <= bytes_max)
			break;
		unlinkat(fd, entries->items[i].name, 0);
		entries->bytes -= entries->items[i].bytes;
		files--;
	}
	entries->n = files;
}

/* Count what is in the folder, and make room there. */
static int count(struct souk_http_cache *cache, const char *folder, uint64_t bytes,
		 struct souk_error *err)
{
	struct entries entries = { 0 };
	int64_t now = souk_clock_wall_s();
	struct dirent *entry;
	DIR *dir = opendir(folder);
	int ret = SOUK_OK;

	if (!dir)
		return souk_error_errno(err, errno, "cannot read the folder '%s'", folder);
	while (ret == SOUK_OK && (entry = readdir(dir)) != NULL)
		ret = take_file(dirfd(dir), entry->d_name, now, &entries);
	if (ret == SOUK_OK) {
		drop_oldest(dirfd(dir), cache, &entries, bytes);
		cache->files = entries.n;
		cache->bytes = entries.bytes;
		cache->since_count = 0;
	}
	closedir(dir);
	free(entries.items);
	return ret == SOUK_OK ? SOUK_OK : souk_error_nomem(err);
}

static int make_room(struct souk_http_cache *cache, const char *folder, uint64_t bytes,
		     struct souk_error *err)
{
	int ret = SOUK_OK;

	pthread_mutex_lock(&cache->lock);
	if (cache->since_count % COUNT_EVERY == 0 || cache->files >= cache->files_max ||
	    cache->bytes + bytes > cache->bytes_max)
		ret = count(cache, folder, bytes, err);
	if (ret == SOUK_OK) {
		cache->files++;
		cache->bytes += bytes;
		cache->since_count++;
	}
	pthread_mutex_unlock(&cache->lock);
	return ret;
}

/* ---- Writing ---- */

/* A cookie is for the connection, not for the reply; other secrets are part of it. */
static int add_headers(struct souk_buf *out, const struct souk_http_reply *reply,
		       struct souk_error *err)
{
	const char *name = reply->headers.data;
	const char *end = name + reply->headers.len;
	const char *value;

	for (; name < end; name = value + strlen(value) + 1) {
		value = name + strlen(name) + 1;
		if (strcasecmp(name, "Set-Cookie") == 0)
			continue;
		if (souk_http_is_secret_header(name, strlen(name)))
			return souk_error_set(err, SOUK_E_UNSUPPORTED,
					      "the header '%.60s' may be secret", name);
		souk_buf_printf(out, "header: %s: %s\n", name, value);
	}
	return SOUK_OK;
}

/* Would the log leave something out of this text? */
static int has_secret(const struct souk_buf *text)
{
	struct souk_buf copy;
	int differs;

	souk_buf_init(&copy, text->len);
	/* What is no text cannot be looked through. */
	if (souk_buf_add(&copy, text->data, text->len) < 0 || strlen(copy.data) != copy.len) {
		souk_buf_fini(&copy);
		return 1;
	}
	souk_log_redact(copy.data);
	differs = strcmp(copy.data, text->data) != 0;
	souk_buf_fini(&copy);
	return differs;
}

static int add_file(struct souk_buf *out, const char *key, const struct souk_http_reply *reply,
		    struct souk_error *err)
{
	char sum[KEY_LEN + 1];
	int ret;

	souk_buf_printf(out, "%skey: %s\n", first_line, key);
	ret = add_headers(out, reply, err);
	if (ret < 0)
		return ret;
	if (has_secret(out) || has_secret(&reply->body))
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "it holds a secret, or is no text");
	if (out->len + 64 > HEAD_MAX)
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "its headers are too large");
	souk_buf_printf(out, "body: %zu\n", reply->body.len);
	souk_buf_add(out, reply->body.data, reply->body.len);
	souk_buf_str(out, "\n");
	ret = souk_buf_failed(out, err);
	if (ret == SOUK_OK)
		ret = sum_of(out->data, out->len, sum, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(out, "%s%s\n", sum_name, sum);
	return souk_buf_failed(out, err);
}

int souk_http_cache_keep(struct souk_http_cache *cache, const struct souk_http_context *context,
			 const struct souk_http_kept *kept, const struct souk_http_reply *reply,
			 struct souk_error *err)
{
	struct souk_buf text;
	int ret;

	souk_buf_init(&text, reply->body.len + reply->headers.len * 2 + HEAD_MAX);
	ret = add_file(&text, kept->key, reply, err);
	if (ret == SOUK_OK && text.len > cache->bytes_max / 4)
		ret = souk_error_set(err, SOUK_E_UNSUPPORTED, "it is too large");
	if (ret == SOUK_OK)
		ret = souk_fs_mkdir(context->cache_dir, 0700, err);
	if (ret == SOUK_OK)
		ret = make_room(cache, context->cache_dir, text.len, err);
	if (ret == SOUK_OK)
		/* Nobody waits for the disk: what a crash tears, the sum tells. */
		ret = souk_fs_write_lazily(kept->path, text.data, text.len, 0600, err);
	souk_buf_fini(&text);
	return ret;
}
