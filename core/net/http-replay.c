/* SPDX-License-Identifier: Apache-2.0 */
/* net/http-replay.c - exchanges written to a folder, and replies taken from one */
#include "net/http-internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/util.h"

/*
 * A file NNNNNN.http has lines "name: value", then an empty line. "request-body" and
 * "reply-body" give a number of bytes, which stand after the line and are followed by a
 * newline. Only what, method, path, status, reply-header and reply-body are read again.
 */

enum { EXCHANGE_MAX_BYTES = 64 * 1024 * 1024, EXCHANGES_MAX = 999999 };

static const char first_line[] = "souk-http-exchange: 1\n";

struct exchange {
	char *file;
	char *what;
	char *method;
	char *path;
	int used;
};

struct souk_http_replay {
	struct exchange *exchanges;
	size_t n;
};

/* ---- Writing --------------------------------------------------------------------- */

/* Registered secrets are taken out of what is text. */
static void add_body(struct souk_buf *out, const char *name, const void *body, size_t size,
		     int is_secret)
{
	struct souk_buf copy;

	souk_buf_init(&copy, size);
	if (!is_secret && size > 0 && souk_buf_add(&copy, body, size) == SOUK_OK &&
	    !memchr(copy.data, '\0', size)) {
		souk_log_redact(copy.data);
		copy.len = strlen(copy.data);
	}
	souk_buf_printf(out, "%s: %zu\n", name, copy.len);
	souk_buf_add(out, copy.data, copy.len);
	souk_buf_str(out, "\n");
	souk_buf_fini(&copy);
}

static void add_exchange(struct souk_buf *out, const struct souk_http_request *request,
			 const struct souk_http_reply *reply)
{
	const char *name = reply->headers.data;
	const char *end = name + reply->headers.len;
	const char *const *header;
	struct souk_http_parts parts;
	const char *value;

	souk_http_split(request->url, &parts);
	souk_buf_printf(out, "%swhat: %s\nmethod: %s\npath: %.*s\nurl: ", first_line, request->what,
			request->method, parts.path_len, parts.path);
	souk_http_add_safe_url(out, request->url);
	souk_buf_str(out, "\n");
	for (header = request->headers; header && *header; header++) {
		souk_buf_str(out, "request-header: ");
		souk_http_add_safe_header(out, *header);
		souk_buf_str(out, "\n");
	}
	add_body(out, "request-body", request->body, request->body ? request->body_size : 0,
		 (request->flags & SOUK_HTTP_SECRET_BODY) != 0);
	souk_buf_printf(out, "status: %d\n", reply->status);
	while (name < end) {
		value = name + strlen(name) + 1;
		souk_buf_printf(out, "reply-header: %s: %s\n", name,
				souk_http_is_secret_header(name, strlen(name)) ? "[redacted]"
									       : value);
		name = value + strlen(value) + 1;
	}
	add_body(out, "reply-body", reply->body.data, reply->body.len,
		 (request->flags & SOUK_HTTP_SECRET_REPLY) != 0);
}

/* A new file with the next free number. */
static int open_next(struct souk_http *http, char **path_out, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	char name[32];
	unsigned number;
	int fd;

	do {
		pthread_mutex_lock(&http->lock);
		number = ++http->recorded;
		pthread_mutex_unlock(&http->lock);
		if (number > EXCHANGES_MAX)
			return souk_error_set(err, SOUK_E_INVALID, "too many exchanges in '%s'",
					      http->record);
		snprintf(name, sizeof(name), "%06u.http", number);
		free(path);
		path = souk_fs_join(http->record, name);
		if (!path)
			return souk_error_nomem(err);
		fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
	} while (fd < 0 && errno == EEXIST);
	if (fd < 0)
		return souk_error_errno(err, errno, "cannot write '%s'", path);
	*path_out = path;
	path = NULL;
	return fd;
}

int souk_http_record(struct souk_http *http, const struct souk_http_request *request,
		     const struct souk_http_reply *reply, struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;
	struct souk_buf out;
	size_t done = 0;
	ssize_t n;
	int fd, ret;

	ret = souk_fs_mkdir(http->record, 0700, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&out, EXCHANGE_MAX_BYTES);
	add_exchange(&out, request, reply);
	if (out.failed != SOUK_OK) {
		souk_buf_failed(&out, err);
		souk_buf_fini(&out);
		return souk_error_prefix(err, "cannot record '%s'", request->what);
	}
	fd = open_next(http, &path, err);
	if (fd < 0) {
		souk_buf_fini(&out);
		return fd;
	}
	while (done < out.len) {
		n = write(fd, out.data + done, out.len - done);
		if (n < 0 && errno != EINTR)
			break;
		done += n > 0 ? (size_t)n : 0;
	}
	if (done < out.len)
		ret = souk_error_errno(err, errno, "cannot write '%s'", path);
	if (close(fd) < 0 && ret == SOUK_OK)
		ret = souk_error_errno(err, errno, "cannot write '%s'", path);
	souk_buf_fini(&out);
	return ret;
}

/* ---- Reading --------------------------------------------------------------------- */

struct reader {
	char *at;
	char *end;
};

/* The next "name: value", cut in place; 0 at the end or at what is no such line. */
static int next_line(struct reader *reader, char **name_out, char **value_out)
{
	char *newline, *colon;

	if (reader->at >= reader->end)
		return 0;
	newline = memchr(reader->at, '\n', (size_t)(reader->end - reader->at));
	if (!newline)
		return 0;
	*newline = '\0';
	colon = strstr(reader->at, ": ");
	if (!colon)
		return 0;
	*colon = '\0';
	*name_out = reader->at;
	*value_out = colon + 2;
	reader->at = newline + 1;
	return 1;
}

/* The bytes that a "...-body" line announces; 0 if they are not there. */
static int next_body(struct reader *reader, const char *value, char **body_out, size_t *size_out)
{
	size_t room = (size_t)(reader->end - reader->at);
	uint64_t size;

	if (souk_parse_u64("body", value, &size, NULL) < 0 || size >= room ||
	    reader->at[size] != '\n')
		return 0;
	*body_out = reader->at;
	*size_out = (size_t)size;
	reader->at += size + 1;
	return 1;
}

/* What was read of a file; the pointers are into its text. */
struct parsed {
	char *what, *method, *path;
	uint32_t status;
	struct souk_http_reply *reply; /* NULL: only the key is wanted */
};

static int parse_field(struct reader *reader, const char *name, char *value, struct parsed *parsed)
{
	char *body;
	size_t size;

	if (strcmp(name, "what") == 0)
		parsed->what = value;
	else if (strcmp(name, "method") == 0)
		parsed->method = value;
	else if (strcmp(name, "path") == 0)
		parsed->path = value;
	else if (strcmp(name, "status") == 0)
		return souk_parse_u32("status", value, &parsed->status, NULL) == SOUK_OK;
	else if (strcmp(name, "reply-header") == 0)
		return !parsed->reply ||
		       souk_http_reply_add_header(parsed->reply, value, strlen(value)) == SOUK_OK;
	else if (strcmp(name, "request-body") == 0)
		return next_body(reader, value, &body, &size);
	else if (strcmp(name, "reply-body") == 0)
		return next_body(reader, value, &body, &size) &&
		       (!parsed->reply ||
			souk_buf_add(&parsed->reply->body, body, size) == SOUK_OK);
	return 1;
}

static int parse(char *text, size_t size, const char *file, struct parsed *parsed,
		 struct souk_error *err)
{
	struct reader reader = { .at = text, .end = text + size };
	char *name, *value;

	if (strncmp(text, first_line, sizeof(first_line) - 1) != 0)
		return souk_error_set(err, SOUK_E_INVALID, "not a recorded exchange: '%s'", file);
	while (next_line(&reader, &name, &value))
		if (!parse_field(&reader, name, value, parsed))
			return souk_error_set(err, SOUK_E_INVALID,
					      "bad '%s' in the recorded exchange '%s'", name, file);
	if (reader.at != reader.end || !parsed->what || !parsed->method || !parsed->path ||
	    parsed->status < 100 || parsed->status > 999)
		return souk_error_set(err, SOUK_E_INVALID, "incomplete recorded exchange: '%s'",
				      file);
	return SOUK_OK;
}

static int is_exchange_file(const struct dirent *entry)
{
	const char *dot = strrchr(entry->d_name, '.');

	return dot && dot != entry->d_name && strcmp(dot, ".http") == 0;
}

static int add_file(struct souk_http_replay *set, const char *folder, const char *name,
		    struct souk_error *err)
{
	struct parsed parsed = { 0 };
	SOUK_AUTO_FREE char *text = NULL;
	struct exchange *exchanges, *last;
	size_t size;
	int ret;

	exchanges = souk_array_grow(set->exchanges, set->n, sizeof(*set->exchanges));
	if (!exchanges)
		return souk_error_nomem(err);
	set->exchanges = exchanges;
	last = &exchanges[set->n];
	memset(last, 0, sizeof(*last));
	last->file = souk_fs_join(folder, name);
	if (!last->file)
		return souk_error_nomem(err);
	set->n++;
	ret = souk_fs_read(last->file, EXCHANGE_MAX_BYTES, &text, &size, err);
	if (ret < 0)
		return ret;
	ret = parse(text, size, last->file, &parsed, err);
	if (ret < 0)
		return ret;
	last->what = souk_strdup(parsed.what);
	last->method = souk_strdup(parsed.method);
	last->path = souk_strdup(parsed.path);
	return last->what && last->method && last->path ? SOUK_OK : souk_error_nomem(err);
}

void souk_http_replay_free(struct souk_http_replay *set)
{
	size_t i;

	if (!set)
		return;
	for (i = 0; i < set->n; i++) {
		free(set->exchanges[i].file);
		free(set->exchanges[i].what);
		free(set->exchanges[i].method);
		free(set->exchanges[i].path);
	}
	free(set->exchanges);
	free(set);
}

static int load(const char *folder, struct souk_http_replay **set_out, struct souk_error *err)
{
	struct souk_http_replay *set;
	struct dirent **entries;
	int n, i, ret = SOUK_OK;

	n = scandir(folder, &entries, is_exchange_file, alphasort);
	if (n < 0)
		return souk_error_errno(err, errno, "cannot read the recorded exchanges in '%s'",
					folder);
	set = calloc(1, sizeof(*set));
	if (!set)
		ret = souk_error_nomem(err);
	for (i = 0; i < n; i++) {
		if (ret == SOUK_OK)
			ret = add_file(set, folder, entries[i]->d_name, err);
		free(entries[i]);
	}
	free(entries);
	if (ret < 0) {
		souk_http_replay_free(set);
		return ret;
	}
	*set_out = set;
	return SOUK_OK;
}

/* Take the first unused exchange for the request; *file_out is borrowed. */
static int find(struct souk_http *http, const struct souk_http_request *request,
		const char **file_out, struct souk_error *err)
{
	struct souk_http_parts parts;
	struct exchange *exchange;
	size_t i;

	souk_http_split(request->url, &parts);
	for (i = 0; i < http->replay_set->n; i++) {
		exchange = &http->replay_set->exchanges[i];
		if (exchange->used || strcmp(exchange->what, request->what) != 0 ||
		    strcmp(exchange->method, request->method) != 0 ||
		    strlen(exchange->path) != (size_t)parts.path_len ||
		    memcmp(exchange->path, parts.path, (size_t)parts.path_len) != 0)
			continue;
		exchange->used = 1;
		*file_out = exchange->file;
		return SOUK_OK;
	}
	return souk_error_set(err, SOUK_E_INVALID,
			      "no recorded reply is left for '%s' (%s %.*s) in '%s'", request->what,
			      request->method, parts.path_len, parts.path, http->replay);
}

int souk_http_replay(struct souk_http *http, const struct souk_http_request *request,
		     struct souk_http_reply **reply_out, struct souk_error *err)
{
	struct parsed parsed = { 0 };
	SOUK_AUTO_FREE char *text = NULL;
	const char *file = NULL;
	size_t size;
	int ret = SOUK_OK;

	pthread_mutex_lock(&http->lock);
	if (!http->replay_set)
		ret = load(http->replay, &http->replay_set, err);
	if (ret == SOUK_OK)
		ret = find(http, request, &file, err);
	pthread_mutex_unlock(&http->lock);
	if (ret < 0)
		return ret;

	ret = souk_fs_read(file, EXCHANGE_MAX_BYTES, &text, &size, err);
	if (ret < 0)
		return ret;
	parsed.reply = souk_http_reply_create(EXCHANGE_MAX_BYTES);
	if (!parsed.reply)
		return souk_error_nomem(err);
	ret = parse(text, size, file, &parsed, err);
	if (ret == SOUK_OK && parsed.reply->body.len > request->max_reply_bytes)
		ret = souk_error_set(err, SOUK_E_INVALID, "%s: the reply is larger than %u bytes",
				     request->what, request->max_reply_bytes);
	if (ret < 0) {
		souk_http_reply_destroy(parsed.reply);
		return ret;
	}
	parsed.reply->status = (int)parsed.status;
	*reply_out = parsed.reply;
	return SOUK_OK;
}
