/* SPDX-License-Identifier: Apache-2.0 */
/* test-host.c - a small host for provider modules under test: options, results, HTTP on loopback */

#include "test-host.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MAX_OPTIONS = 32, MAX_REQUESTS = 4096, MAX_LOG = 64 * 1024, MAX_ITEMS = 200000 };

struct souk_call {
	int unused;
};

struct request {
	char *what;
	char *body;
	char *headers; /* lines, each ended with \n */
};

static struct {
	pthread_mutex_t lock;
	struct souk_call call;
	const char *names[MAX_OPTIONS];
	const char *values[MAX_OPTIONS];
	size_t n_options;
	test_responder responder;
	void *arg;
	int cancelled;
	uint32_t deadline_ms;
	struct request requests[MAX_REQUESTS];
	size_t n_requests;
	char logs[4][MAX_LOG];
	uint64_t slept_ms;
	struct test_progress progress;
	char text[65536];
} host = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void *must(void *pointer)
{
	if (!pointer) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return pointer;
}

static char *copy(const char *text)
{
	return text ? must(strdup(text)) : NULL;
}

/* ---- State that tests set and look at -------------------------------------------------------- */

void test_host_option(const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < host.n_options && strcmp(host.names[i], name) != 0; i++)
		;
	if (i == MAX_OPTIONS)
		abort();
	host.names[i] = name;
	host.values[i] = value;
	if (i == host.n_options)
		host.n_options++;
}

void test_host_responder(test_responder responder, void *arg)
{
	host.responder = responder;
	host.arg = arg;
}

void test_host_cancel(int cancelled)
{
	host.cancelled = cancelled;
}

void test_host_deadline(uint32_t ms)
{
	host.deadline_ms = ms;
}

struct souk_call *test_host_call(void)
{
	return &host.call;
}

unsigned test_host_requests(const char *what)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < host.n_requests; i++)
		n += !what || strcmp(host.requests[i].what, what) == 0;
	return n;
}

static const struct request *last(const char *what)
{
	size_t i = host.n_requests;

	while (i-- > 0)
		if (strcmp(host.requests[i].what, what) == 0)
			return &host.requests[i];
	return NULL;
}

const char *test_host_last_body(const char *what)
{
	const struct request *request = last(what);

	return request ? request->body : "";
}

const char *test_host_last_header(const char *what, const char *name)
{
	const struct request *request = last(what);
	const char *line = request ? request->headers : "";
	size_t len = strlen(name);

	for (; *line; line += strcspn(line, "\n") + 1) {
		if (strncasecmp(line, name, len) != 0 || line[len] != ':')
			continue;
		snprintf(host.text, sizeof(host.text), "%.*s", (int)strcspn(line + len + 2, "\n"),
			 line + len + 2);
		return host.text;
	}
	return NULL;
}

uint64_t test_host_slept_ms(void)
{
	return host.slept_ms;
}

const char *test_host_log(int level)
{
	size_t n = 0;
	int i;

	host.text[0] = '\0';
	for (i = 0; i <= level && i < 4; i++)
		n += (size_t)snprintf(host.text + n, sizeof(host.text) - n, "%.16000s",
				      host.logs[i]);
	return host.text;
}

/* ---- The call ------------------------------------------------------------------------------- */

static uint32_t call_deadline_ms(const struct souk_call *call)
{
	(void)call;
	return host.deadline_ms;
}

static void call_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total)
{
	(void)call;
	pthread_mutex_lock(&host.lock);
	host.progress.n++;
	snprintf(host.progress.what, sizeof(host.progress.what), "%s", what);
	/* Threads may overtake each other. */
	if (done > host.progress.done || total != host.progress.total)
		host.progress.done = done;
	host.progress.total = total;
	pthread_mutex_unlock(&host.lock);
}

const struct test_progress *test_host_progress(void)
{
	return &host.progress;
}

static int call_cancelled(const struct souk_call *call)
{
	(void)call;
	return host.cancelled;
}

static int call_sleep(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	(void)call;
	if (host.cancelled)
		return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
	pthread_mutex_lock(&host.lock);
	host.slept_ms += ms;
	pthread_mutex_unlock(&host.lock);
	return SOUK_OK;
}

static const char *call_option(const struct souk_call *call, const char *name)
{
	size_t i;

	(void)call;
	for (i = 0; i < host.n_options; i++)
		if (strcmp(host.names[i], name) == 0)
			return host.values[i];
	return NULL;
}

static int call_secret(struct souk_call *call, const char *name, char **secret_out,
		       struct souk_error *err)
{
	const char *value = call_option(call, name);

	if (!value)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "%s: no value", name);
	*secret_out = copy(value);
	return SOUK_OK;
}

static const char *call_state_dir(const struct souk_call *call)
{
	(void)call;
	return "/nonexistent";
}

__attribute__((format(printf, 3, 0))) static void call_vlog(struct souk_call *call, int level,
							    const char *fmt, va_list args)
{
	size_t len;

	(void)call;
	if (level < 0 || level > 3)
		abort();
	pthread_mutex_lock(&host.lock);
	len = strlen(host.logs[level]);
	vsnprintf(host.logs[level] + len, MAX_LOG - len, fmt, args);
	len = strlen(host.logs[level]);
	if (len + 1 < MAX_LOG)
		memcpy(host.logs[level] + len, "\n", 2);
	pthread_mutex_unlock(&host.lock);
}

/* ---- Results -------------------------------------------------------------------------------- */

struct souk_offer_list {
	struct souk_offer *items;
	size_t n;
};

struct souk_instance_list {
	struct souk_instance *items;
	size_t n;
};

struct souk_identity {
	char *keys[8];
	char *values[8];
	size_t n;
};

struct souk_offer_list *test_offers_new(void)
{
	return must(calloc(1, sizeof(struct souk_offer_list)));
}

void test_offers_free(struct souk_offer_list *list)
{
	size_t i;

	for (i = 0; i < list->n; i++) {
		free((char *)list->items[i].instance_type);
		free((char *)list->items[i].region);
		free((char *)list->items[i].zone);
		free((char *)list->items[i].arch);
		free((char *)list->items[i].accelerator);
	}
	free(list->items);
	free(list);
}

size_t test_offers_count(const struct souk_offer_list *list)
{
	return list->n;
}

const struct souk_offer *test_offer(const struct souk_offer_list *list, size_t index)
{
	return index < list->n ? &list->items[index] : NULL;
}

const struct souk_offer *test_offer_find(const struct souk_offer_list *list, const char *type,
					 const char *zone)
{
	size_t i;

	for (i = 0; i < list->n; i++)
		if (strcmp(list->items[i].instance_type, type) == 0 &&
		    strcmp(list->items[i].zone ? list->items[i].zone : "", zone) == 0)
			return &list->items[i];
	return NULL;
}

static int offer_list_add(struct souk_offer_list *list, const struct souk_offer *offer,
			  struct souk_error *err)
{
	struct souk_offer *item;

	if (!offer->instance_type || !offer->region || list->n == MAX_ITEMS)
		return souk_error_set(err, SOUK_E_INVALID, "not an offer");
	if ((list->n & (list->n - 1)) == 0)
		list->items = must(realloc(list->items,
					   (list->n ? 2 * list->n : 1) * sizeof(*item)));
	item = &list->items[list->n++];
	*item = *offer;
	item->instance_type = copy(offer->instance_type);
	item->region = copy(offer->region);
	item->zone = copy(offer->zone);
	item->arch = copy(offer->arch);
	item->accelerator = copy(offer->accelerator);
	return SOUK_OK;
}

struct souk_instance_list *test_instances_new(void)
{
	return must(calloc(1, sizeof(struct souk_instance_list)));
}

/* The texts of an instance, one after the other. */
static const char **instance_text(struct souk_instance *instance, size_t index)
{
	const char **texts[] = {
		&instance->id, &instance->region, &instance->zone, &instance->instance_type,
		&instance->cluster, &instance->owner, &instance->request_token,
		&instance->public_address, &instance->private_address, &instance->ssh_user,
		&instance->host_key, &instance->status_reason, &instance->shutdown_command,
	};

	return index < sizeof(texts) / sizeof(texts[0]) ? texts[index] : NULL;
}

void test_instances_free(struct souk_instance_list *list)
{
	size_t i, k;

	for (i = 0; i < list->n; i++)
		for (k = 0; instance_text(&list->items[i], k); k++)
			free((char *)*instance_text(&list->items[i], k));
	free(list->items);
	free(list);
}

size_t test_instances_count(const struct souk_instance_list *list)
{
	return list->n;
}

const struct souk_instance *test_instance(const struct souk_instance_list *list, size_t index)
{
	return index < list->n ? &list->items[index] : NULL;
}

static int instance_list_add(struct souk_instance_list *list,
			     const struct souk_instance *instance, struct souk_error *err)
{
	struct souk_instance *item;
	size_t k;

	if (!instance->id || !instance->region || list->n == MAX_ITEMS)
		return souk_error_set(err, SOUK_E_INVALID, "not an instance");
	list->items = must(realloc(list->items, (list->n + 1) * sizeof(*item)));
	item = &list->items[list->n++];
	*item = *instance;
	for (k = 0; instance_text(item, k); k++)
		*instance_text(item, k) = copy(*instance_text(item, k));
	return SOUK_OK;
}

struct souk_quote_list {
	struct souk_quote_line *items;
	size_t n;
};

struct souk_quote_list *test_quotes_new(void)
{
	return must(calloc(1, sizeof(struct souk_quote_list)));
}

void test_quotes_free(struct souk_quote_list *list)
{
	while (list && list->n) {
		list->n--;
		free((char *)(uintptr_t)list->items[list->n].item);
		free((char *)(uintptr_t)list->items[list->n].note);
	}
	if (list)
		free(list->items);
	free(list);
}

size_t test_quotes_count(const struct souk_quote_list *list)
{
	return list->n;
}

const struct souk_quote_line *test_quote(const struct souk_quote_list *list, size_t index)
{
	return index < list->n ? &list->items[index] : NULL;
}

static int quote_list_add(struct souk_quote_list *list, const struct souk_quote_line *line,
			  struct souk_error *err)
{
	struct souk_quote_line *item;

	if (!line->item || list->n == MAX_ITEMS)
		return souk_error_set(err, SOUK_E_INVALID, "not a line of a quote");
	list->items = must(realloc(list->items, (list->n + 1) * sizeof(*item)));
	item = &list->items[list->n++];
	*item = *line;
	item->item = copy(line->item);
	item->note = copy(line->note);
	return SOUK_OK;
}

struct souk_identity *test_identity_new(void)
{
	return must(calloc(1, sizeof(struct souk_identity)));
}

void test_identity_free(struct souk_identity *identity)
{
	while (identity->n) {
		identity->n--;
		free(identity->keys[identity->n]);
		free(identity->values[identity->n]);
	}
	free(identity);
}

const char *test_identity(const struct souk_identity *identity, const char *key)
{
	size_t i;

	for (i = 0; i < identity->n; i++)
		if (strcmp(identity->keys[i], key) == 0)
			return identity->values[i];
	return NULL;
}

static int identity_set(struct souk_identity *identity, const char *key, const char *value,
			struct souk_error *err)
{
	if (identity->n == 8)
		return souk_error_set(err, SOUK_E_INVALID, "too much about an identity");
	identity->keys[identity->n] = copy(key);
	identity->values[identity->n++] = copy(value);
	return SOUK_OK;
}

/* ---- HTTP ------------------------------------------------------------------------------------ */

struct souk_http_reply {
	int status;
	char *headers; /* "Name: value\r\n..." */
	char *body;
	size_t size;
	char value[1024];
};

static void http_reply_free(struct souk_http_reply *reply)
{
	if (!reply)
		return;
	free(reply->headers);
	free(reply->body);
	free(reply);
}

static int http_reply_status(const struct souk_http_reply *reply)
{
	return reply->status;
}

static const char *http_reply_body(const struct souk_http_reply *reply, size_t *size_out)
{
	if (size_out)
		*size_out = reply->size;
	return reply->body;
}

static const char *http_reply_header(const struct souk_http_reply *reply, const char *name)
{
	struct souk_http_reply *scratch = (struct souk_http_reply *)reply;
	const char *line = reply->headers;
	size_t len = strlen(name);

	while (*line) {
		size_t end = strcspn(line, "\r\n");

		if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
			const char *value = line + len + 1;

			while (*value == ' ')
				value++;
			snprintf(scratch->value, sizeof(scratch->value), "%.*s",
				 (int)(line + end - value), value);
			return scratch->value;
		}
		line += end;
		line += strspn(line, "\r\n");
	}
	return NULL;
}

static struct souk_http_reply *make_reply(int status, const char *headers, const char *body,
					  size_t size)
{
	struct souk_http_reply *reply = must(calloc(1, sizeof(*reply)));

	reply->status = status;
	reply->headers = copy(headers ? headers : "");
	reply->body = must(calloc(1, size + 1));
	memcpy(reply->body, body ? body : "", size);
	reply->size = size;
	return reply;
}

/* Connect to "http://127.0.0.1:PORT/...", nowhere else. */
static int connect_to(const char *url, const char **path_out, struct souk_error *err)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	struct timeval timeout = { .tv_sec = 60 };
	unsigned port = 80;
	int fd;

	if (strncmp(url, "http://127.0.0.1", 16) != 0)
		return souk_error_set(err, SOUK_E_TRANSIENT, "no network in this host: '%s'", url);
	url += 16;
	if (*url == ':' && sscanf(url, ":%5u", &port) != 1)
		return souk_error_set(err, SOUK_E_INVALID, "no port");
	url += strcspn(url, "/");
	*path_out = *url ? url : "/";
	address.sin_port = htons((uint16_t)port);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return souk_error_set(err, SOUK_E_TRANSIENT, "socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return souk_error_set(err, SOUK_E_TRANSIENT, "connect: %s", strerror(errno));
	}
	return fd;
}

static int send_all(int fd, const void *data, size_t size)
{
	const char *p = data;
	ssize_t sent;

	for (; size; p += sent, size -= (size_t)sent) {
		sent = send(fd, p, size, MSG_NOSIGNAL);
		if (sent <= 0)
			return -1;
	}
	return 0;
}

static int send_request(int fd, const char *path, const struct souk_http_request *request)
{
	struct souk_buf head;
	size_t i;
	int ret;

	souk_buf_init(&head, 1 << 20);
	souk_buf_printf(&head, "%s %s HTTP/1.1\r\n", request->method ? request->method : "GET",
			path);
	souk_buf_printf(&head, "Host: %.*s\r\n", (int)strcspn(request->url + 7, "/"),
			request->url + 7);
	for (i = 0; request->headers && request->headers[i]; i++)
		souk_buf_printf(&head, "%s\r\n", request->headers[i]);
	souk_buf_printf(&head, "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			request->body_size);
	ret = send_all(fd, head.data, head.len);
	souk_buf_fini(&head);
	return ret < 0 ? ret : send_all(fd, request->body, request->body_size);
}

/* The whole answer; the server closes the connection at its end. */
static int receive(int fd, struct souk_http_reply **reply_out)
{
	struct souk_buf text;
	char chunk[16384];
	const char *end;
	const char *headers;
	ssize_t got;
	int status;

	souk_buf_init(&text, 64 << 20);
	while ((got = recv(fd, chunk, sizeof(chunk), 0)) > 0)
		souk_buf_add(&text, chunk, (size_t)got);
	end = strstr(text.data, "\r\n\r\n");
	if (got < 0 || !end || sscanf(text.data, "HTTP/1.%*d %3d", &status) != 1 ||
	    strcasestr(text.data, "\r\nTransfer-Encoding:")) {
		souk_buf_fini(&text);
		return -1;
	}
	headers = strstr(text.data, "\r\n") + 2;
	*reply_out = make_reply(status, "", end + 4, text.len - (size_t)(end + 4 - text.data));
	free((*reply_out)->headers);
	(*reply_out)->headers = must(strndup(headers, (size_t)(end + 2 - headers)));
	souk_buf_fini(&text);
	return 0;
}

static int over_network(const struct souk_http_request *request,
			struct souk_http_reply **reply_out, struct souk_error *err)
{
	const char *path = NULL;
	int fd = connect_to(request->url, &path, err);
	int ret = SOUK_OK;

	if (fd < 0)
		return fd;
	if (send_request(fd, path, request) < 0 || receive(fd, reply_out) < 0)
		ret = souk_error_set(err, SOUK_E_TIMEOUT, "%s: no answer", request->what);
	close(fd);
	return ret;
}

static void record(const struct souk_http_request *request)
{
	struct request *kept;
	struct souk_buf headers;
	size_t i;

	if (host.n_requests == MAX_REQUESTS)
		abort();
	kept = &host.requests[host.n_requests++];
	souk_buf_init(&headers, 1 << 20);
	for (i = 0; request->headers && request->headers[i]; i++)
		souk_buf_printf(&headers, "%s\n", request->headers[i]);
	kept->what = copy(request->what);
	kept->headers = copy(headers.data);
	kept->body = must(strndup(request->body_size ? request->body : "", request->body_size));
	souk_buf_fini(&headers);
}

static int send_once(const struct souk_http_request *request, struct souk_http_reply **reply_out,
		     struct souk_error *err)
{
	struct test_answer answer = { 0 };
	int handled = 0;

	pthread_mutex_lock(&host.lock);
	record(request);
	if (host.responder)
		handled = host.responder(request, &answer, host.arg);
	if (handled && answer.status)
		*reply_out = make_reply(answer.status, answer.headers, answer.body,
					answer.body ? strlen(answer.body) : 0);
	pthread_mutex_unlock(&host.lock);
	if (!handled)
		return over_network(request, reply_out, err);
	return answer.status ? SOUK_OK :
			       souk_error_set(err, answer.failure, "%s: as the test says",
					      request->what);
}

/* Retried as the header says, but without waiting. */
static int http_send(struct souk_call *call, const struct souk_http_request *request,
		     struct souk_http_reply **reply_out, struct souk_error *err)
{
	unsigned tries;
	int ret;

	(void)call;
	for (tries = 1;; tries++) {
		struct souk_http_reply *reply = NULL;
		int again;

		if (host.cancelled)
			return souk_error_set(err, SOUK_E_CANCELLED, "cancelled");
		ret = send_once(request, &reply, err);
		again = ret < 0;
		if (ret == SOUK_OK && reply->status >= 400)
			again = request->should_retry ?
					request->should_retry(reply, request->should_retry_arg) :
					reply->status >= 500 || reply->status == 429;
		if (!again || !(request->flags & SOUK_HTTP_RETRY) || tries == 3) {
			if (ret == SOUK_OK)
				*reply_out = reply;
			return ret;
		}
		http_reply_free(reply);
	}
}

/* ---- Commands ------------------------------------------------------------------------------- */

static int64_t stream_read(struct souk_stream *stream, void *data, size_t size)
{
	(void)stream;
	(void)data;
	(void)size;
	return SOUK_E_UNSUPPORTED;
}

static int stream_write(struct souk_stream *stream, int fd, const void *data, size_t size)
{
	(void)stream;
	(void)fd;
	(void)data;
	(void)size;
	return SOUK_E_UNSUPPORTED;
}

static int call_ssh(struct souk_call *call, const struct souk_instance *instance,
		    const char *command, char *output, size_t size, int32_t *exit_status_out,
		    struct souk_error *err)
{
	(void)call;
	(void)instance;
	(void)command;
	(void)output;
	(void)size;
	(void)exit_status_out;
	return souk_error_set(err, SOUK_E_UNSUPPORTED, "no SSH in this host");
}

static int call_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		    int32_t *exit_status_out, struct souk_error *err)
{
	size_t n = 0;
	ssize_t got;
	int fds[2];
	int status;
	pid_t pid;

	(void)call;
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return souk_error_set(err, SOUK_E_TRANSIENT, "cannot run '%s'", argv[0]);
	if (pid == 0) {
		dup2(fds[1], 1);
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(fds[1]);
	while (n + 1 < size && (got = read(fds[0], output + n, size - 1 - n)) > 0)
		n += (size_t)got;
	output[n] = '\0';
	close(fds[0]);
	if (waitpid(pid, &status, 0) < 0)
		return souk_error_set(err, SOUK_E_INTERNAL, "waitpid");
	*exit_status_out = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return SOUK_OK;
}

static const struct souk_host table = {
	.abi = SOUK_PROVIDER_ABI,
	.struct_size = sizeof(struct souk_host),
	.call_deadline_ms = call_deadline_ms,
	.call_cancelled = call_cancelled,
	.call_sleep = call_sleep,
	.call_option = call_option,
	.call_secret = call_secret,
	.call_state_dir = call_state_dir,
	.call_vlog = call_vlog,
	.offer_list_add = offer_list_add,
	.instance_list_add = instance_list_add,
	.quote_list_add = quote_list_add,
	.identity_set = identity_set,
	.http_send = http_send,
	.http_reply_free = http_reply_free,
	.http_reply_status = http_reply_status,
	.http_reply_body = http_reply_body,
	.http_reply_header = http_reply_header,
	.stream_read = stream_read,
	.stream_write = stream_write,
	.call_ssh = call_ssh,
	.call_run = call_run,
	.call_progress = call_progress,
};

void test_host_reset(void)
{
	size_t i;

	for (i = 0; i < host.n_requests; i++) {
		free(host.requests[i].what);
		free(host.requests[i].body);
		free(host.requests[i].headers);
	}
	host.n_requests = 0;
	host.n_options = 0;
	host.responder = NULL;
	host.cancelled = 0;
	host.deadline_ms = 600000;
	host.slept_ms = 0;
	host.progress = (struct test_progress){ 0 };
	for (i = 0; i < 4; i++)
		host.logs[i][0] = '\0';
	souk_host_install(&table);
}
