/* SPDX-License-Identifier: Apache-2.0 */
/* provider/host.c - the host functions that modules call */
#include "provider/host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/engine.h"
#include "base/error.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/util.h"
#include "net/net-ops.h"
#include "provider/lists.h"

#define SECRET_MAX 65536
#define REHEARSED_MAX (1024 * 1024)

static pthread_mutex_t http_lock = PTHREAD_MUTEX_INITIALIZER;
static struct souk_http *http; /* one for the process: its connections are shared */

/* ---- The call ---- */

enum { PROGRESS_EVERY_MS = 100 };

void souk_call_init(struct souk_call *call, struct souk_provider *provider)
{
	*call = (struct souk_call){ .provider = provider };
	pthread_mutex_init(&call->lock, NULL);
}

/* Under the call's lock, so that the listener hears one after the other, and in order. */
static void tell_progress(struct souk_call *call, int64_t now_ms)
{
	call->told.told_ms = now_ms;
	call->told.is_pending = 0;
	call->progress(call->told.what, call->told.done, call->told.total, call->progress_arg);
}

void souk_call_fini(struct souk_call *call, int ret)
{
	size_t i;

	if (call->told.is_pending)
		tell_progress(call, souk_clock_ms());
	for (i = 0; (ret == SOUK_E_INVALID || ret == SOUK_E_INTERNAL) && i < call->kept.n; i++)
		unlink(call->kept.items[i]);
	souk_strv_fini(&call->kept);
	pthread_mutex_destroy(&call->lock);
}

/* Has another thread, which got further, been quicker to say so? Zero begins anew. */
static int is_overtaken(const struct souk_call *call, const char *what, uint32_t done,
			uint32_t total)
{
	return done > 0 && done < call->told.done && total == call->told.total &&
	       strncmp(what, call->told.what, sizeof(call->told.what) - 1) == 0;
}

/* A thread of the call's is in the op that the call is in, should it crash. */
static void host_working(struct souk_call *call, int begins)
{
	souk_crash_adopt(begins ? &call->note : NULL);
}

static void host_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total)
{
	int64_t now_ms;

	if (!call->progress || !what)
		return;
	pthread_mutex_lock(&call->lock);
	if (!is_overtaken(call, what, done, total)) {
		now_ms = souk_clock_ms();
		snprintf(call->told.what, sizeof(call->told.what), "%s", what);
		call->told.done = done;
		call->told.total = total;
		if (!call->told.told_ms || now_ms - call->told.told_ms >= PROGRESS_EVERY_MS)
			tell_progress(call, now_ms);
		else
			call->told.is_pending = 1;
	}
	pthread_mutex_unlock(&call->lock);
}

static uint32_t host_deadline_ms(const struct souk_call *call)
{
	int64_t left = call->deadline_ms - souk_clock_ms();

	return left <= 0 ? 0 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

static int host_cancelled(const struct souk_call *call)
{
	return souk_cancel_is_set(call->cancel);
}

static int host_sleep(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	uint32_t left = host_deadline_ms(call);
	int ret;

	if (souk_provider_rehearsal(call->provider))
		return SOUK_OK;
	ret = souk_cancel_wait(call->cancel, ms < left ? ms : left, err);

	if (ret == SOUK_OK && ms > left)
		return souk_error_set(err, SOUK_E_TIMEOUT, "the time for this call has run out");
	return ret;
}

static const char *host_option(const struct souk_call *call, const char *name)
{
	return souk_provider_option(call->provider, name);
}

static const char *host_state_dir(const struct souk_call *call)
{
	return souk_provider_state_dir(call->provider);
}

static void host_vlog(struct souk_call *call, int level, const char *fmt, va_list args)
{
	SOUK_AUTO_FREE char *text = NULL;

	/* What happens in a rehearsal does not happen. */
	if (souk_provider_rehearsal(call->provider))
		level = SOUK_LOG_DEBUG;
	if (level > souk_log_level())
		return;
	/* Whole: half a secret at the end of a text would not be known for one. */
	if (vasprintf(&text, fmt, args) < 0) {
		text = NULL;
		return;
	}
	souk_log(level, "%s: %s", souk_provider_name(call->provider), text);
}

/* ---- Secrets ---- */

static int read_fd(int fd, char **text_out, struct souk_error *err)
{
	struct souk_buf buf;
	char data[1024];
	ssize_t n;
	int ret = SOUK_OK;

	souk_buf_init(&buf, SECRET_MAX);
	while ((n = read(fd, data, sizeof(data))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			souk_buf_add(&buf, data, (size_t)n);
	souk_wipe(data, sizeof(data));
	if (n < 0)
		ret = souk_error_errno(err, errno, "cannot read the descriptor %d", fd);
	else if (souk_buf_failed(&buf, err) < 0)
		ret = buf.failed;
	else
		*text_out = souk_buf_steal(&buf);
	souk_buf_fini(&buf);
	return ret;
}

static int read_secret(const char *reference, char **text_out, struct souk_error *err)
{
	const char *value;
	uint32_t fd;
	int ret;

	if (strncmp(reference, "file:", 5) == 0) {
		SOUK_AUTO_FREE char *path = souk_fs_expand(reference + 5);

		return path ? souk_fs_read(path, SECRET_MAX, text_out, NULL, err) : souk_error_nomem(err);
	}
	if (strncmp(reference, "env:", 4) == 0) {
		value = getenv(reference + 4);
		if (!value)
			return souk_error_set(err, SOUK_E_NOT_FOUND, "the variable '%s' is not set",
					      reference + 4);
		*text_out = strdup(value);
		return *text_out ? SOUK_OK : souk_error_nomem(err);
	}
	ret = souk_parse_u32("fd", reference + 3, &fd, err);
	return ret < 0 ? ret : read_fd((int)fd, text_out, err);
}

static int host_secret(struct souk_call *call, const char *name, char **secret_out,
		       struct souk_error *err)
{
	const char *reference = souk_provider_option(call->provider, name);
	char *text;
	size_t len;
	int ret;

	if (!reference)
		return souk_error_set(err, SOUK_E_NOT_FOUND, "the setting '%s' is not there", name);
	ret = read_secret(reference, &text, err);
	if (ret < 0)
		return ret;
	len = strlen(text);
	while (len > 0 && (text[len - 1] == '\n' || text[len - 1] == '\r'))
		text[--len] = '\0';
	souk_log_add_secret(text);
	*secret_out = text;
	return SOUK_OK;
}

/* ---- Results ---- */

static int host_identity_set(struct souk_identity *identity, const char *key, const char *value,
			     struct souk_error *err)
{
	return souk_pairs_set(&identity->pairs, key, value, err);
}

/* ---- Network: the engine's, loaded when a module first needs it ---- */

static int load_net(const struct souk_call *call, const struct souk_net_ops **net_out,
		    struct souk_error *err)
{
	const struct souk_engine *engine;
	int ret;

	ret = souk_engine_load(souk_provider_paths(call->provider)->libdir, &engine, err);
	if (ret < 0)
		return ret;
	*net_out = engine->net;
	return SOUK_OK;
}

static const struct souk_net_ops *loaded_net; /* set before the first reply exists */

/* Remember the file of a kept reply, in case that it makes no sense. */
static void note_kept(const char *path, void *arg)
{
	struct souk_call *call = arg;

	pthread_mutex_lock(&call->lock);
	/* What cannot be remembered cannot be forgotten later; so it is forgotten now. */
	if (souk_strv_add(&call->kept, path, NULL) < 0)
		unlink(path);
	pthread_mutex_unlock(&call->lock);
}

/* An answer from the cloud itself says what time it is there; a kept one does not. */
static void note_date(struct souk_call *call, const struct souk_net_ops *net,
		      const struct souk_http_request *request, const struct souk_http_reply *reply)
{
	const char *date = request->cache_seconds ? NULL : net->reply_header(reply, "Date");
	int64_t seconds;

	if (date && souk_clock_parse_http(date, &seconds) == 0)
		souk_provider_note_date(call->provider, seconds);
}

/* A module may know a shorter struct, or a longer one, than we do. */
static void take_request(struct souk_http_request *own, const struct souk_http_request *request)
{
	memset(own, 0, sizeof(*own));
	memcpy(own, request,
	       request->struct_size < sizeof(*own) ? request->struct_size : sizeof(*own));
	/* How much of it is filled in, not how large it is: a shorter one has no cache_seconds. */
	own->struct_size = request->struct_size < sizeof(*own) ? request->struct_size : sizeof(*own);
}

/* In a rehearsal the module itself stands in for the cloud. */
static int rehearse(struct souk_call *call, const struct souk_net_ops *net,
		    const struct souk_http_request *request, struct souk_http_reply **reply_out,
		    struct souk_error *err)
{
	struct souk_buf body;
	int32_t status = 200;
	int ret;

	souk_buf_init(&body, REHEARSED_MAX);
	ret = souk_provider_rehearse(call, request, &status, &body, err);
	if (ret == SOUK_OK) {
		*reply_out = net->reply_make(status, body.data, body.len);
		if (!*reply_out)
			ret = souk_error_nomem(err);
	}
	souk_buf_fini(&body);
	return ret;
}

static int host_http_send(struct souk_call *call, const struct souk_http_request *request,
			  struct souk_http_reply **reply_out, struct souk_error *err)
{
	struct souk_http_request own;
	struct souk_http_context context = {
		.who = souk_provider_name(call->provider),
		.deadline_ms = call->deadline_ms,
		.cancel = call->cancel,
		.on_kept = note_kept,
		.on_kept_arg = call,
	};
	SOUK_AUTO_FREE char *cache_dir = NULL;
	const struct souk_net_ops *net;
	int ret;

	ret = load_net(call, &net, err);
	if (ret < 0)
		return ret;
	cache_dir = souk_fs_join(souk_provider_paths(call->provider)->cache, "http");
	if (!cache_dir)
		return souk_error_nomem(err);
	context.cache_dir = cache_dir;
	pthread_mutex_lock(&http_lock);
	/* Once: whoever has a reply reads it without the lock, and came by here before. */
	if (!loaded_net)
		loaded_net = net;
	if (!http)
		ret = net->http_new(&http, err);
	pthread_mutex_unlock(&http_lock);
	if (ret < 0)
		return ret;
	take_request(&own, request);
	if (souk_provider_rehearsal(call->provider))
		return rehearse(call, net, &own, reply_out, err);
	ret = net->http_perform(http, &context, &own, reply_out, err);
	if (ret == SOUK_OK)
		note_date(call, net, &own, *reply_out);
	return ret;
}

static void host_http_reply_free(struct souk_http_reply *reply)
{
	if (reply)
		loaded_net->reply_destroy(reply);
}

static int host_http_reply_status(const struct souk_http_reply *reply)
{
	return loaded_net->reply_status(reply);
}

static const char *host_http_reply_body(const struct souk_http_reply *reply, size_t *size_out)
{
	return loaded_net->reply_body(reply, size_out);
}

static const char *host_http_reply_header(const struct souk_http_reply *reply, const char *name)
{
	return loaded_net->reply_header(reply, name);
}

/* ---- Commands ---- */

static int64_t host_stream_read(struct souk_stream *stream, void *data, size_t size)
{
	return stream->read ? stream->read(data, size, stream->arg) : 0;
}

static int host_stream_write(struct souk_stream *stream, int fd, const void *data, size_t size)
{
	return stream->write ? stream->write(fd, data, size, stream->arg) : SOUK_OK;
}

static int copy_output(const struct souk_buf *out, char *output, size_t size, const char *what,
		       struct souk_error *err)
{
	if (out->len >= size)
		return souk_error_set(err, SOUK_E_INVALID, "'%s' printed more than %zu bytes", what,
				      size - 1);
	memcpy(output, out->data, out->len + 1);
	return SOUK_OK;
}

/* The private key that the core made for the instance's cluster. */
static int read_cluster_key(const struct souk_call *call, const char *cluster, char **key_out,
			    struct souk_error *err)
{
	SOUK_AUTO_FREE char *path = NULL;

	if (asprintf(&path, "%s/clusters/%s/id_ed25519", souk_provider_paths(call->provider)->state,
		     cluster) < 0) {
		path = NULL;
		return souk_error_nomem(err);
	}
	return souk_fs_read(path, SECRET_MAX, key_out, NULL, err);
}

static int host_ssh(struct souk_call *call, const struct souk_instance *instance,
		    const char *command, char *output, size_t size, int32_t *exit_status_out,
		    struct souk_error *err)
{
	struct souk_ssh_target target = {
		.name = instance->id,
		.address = instance->public_address ? instance->public_address :
						      instance->private_address,
		.port = instance->ssh_port ? instance->ssh_port : 22,
		.user = instance->ssh_user ? instance->ssh_user : "root",
		.host_key = instance->host_key,
		.proxy_command = souk_provider_option(call->provider, "proxy_command"),
	};
	SOUK_AUTO_FREE char *seen = NULL;
	const struct souk_net_ops *net;
	struct souk_ssh *ssh = NULL;
	struct souk_buf out;
	char *key = NULL;
	int status, ret;

	if (souk_provider_rehearsal(call->provider))
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not logged in to in a rehearsal",
				      instance->id);
	if (!target.address || !target.host_key || !instance->cluster)
		return souk_error_set(err, SOUK_E_INVALID,
				      "'%s' has no address, host key or cluster to log in with",
				      instance->id);
	ret = load_net(call, &net, err);
	if (ret == SOUK_OK)
		ret = read_cluster_key(call, instance->cluster, &key, err);
	if (ret < 0)
		return ret;
	souk_buf_init(&out, size);
	target.private_key = key;
	ret = net->ssh_connect(&target, host_deadline_ms(call), call->cancel, &ssh, &seen, err);
	if (ret == SOUK_OK)
		ret = net->ssh_capture(ssh, command, NULL, 0, host_deadline_ms(call), call->cancel,
				       &out, &status, err);
	if (ret == SOUK_OK)
		ret = copy_output(&out, output, size, command, err);
	if (ret == SOUK_OK)
		*exit_status_out = status;
	net->ssh_free(ssh);
	souk_buf_fini(&out);
	souk_wipe(key, strlen(key));
	free(key);
	return ret;
}

static int host_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		    int32_t *exit_status_out, struct souk_error *err)
{
	struct souk_proc_options options = {
		.argv = argv,
		.output_ceiling = size,
		.timeout_ms = host_deadline_ms(call),
		.cancel = call->cancel,
	};
	struct souk_proc_result result;
	int ret;

	if (souk_provider_rehearsal(call->provider))
		return souk_error_set(err, SOUK_E_UNSUPPORTED, "'%s' is not run in a rehearsal", argv[0]);
	if (options.timeout_ms == 0)
		return souk_error_set(err, SOUK_E_TIMEOUT, "no time is left to run '%s'", argv[0]);
	ret = souk_proc_run(&options, &result, err);
	if (ret < 0)
		return ret;
	if (result.errs.len > 0)
		souk_log(SOUK_LOG_DEBUG, "%s: %s: %s", souk_provider_name(call->provider), argv[0],
			 result.errs.data);
	ret = copy_output(&result.out, output, size, argv[0], err);
	if (ret == SOUK_OK)
		*exit_status_out = result.exit_status;
	/* A credential helper prints secrets. */
	souk_wipe(result.out.data, result.out.len);
	souk_proc_result_fini(&result);
	return ret;
}

static const struct souk_host host = {
	.abi = SOUK_PROVIDER_ABI,
	.struct_size = sizeof(struct souk_host),
	.call_deadline_ms = host_deadline_ms,
	.call_cancelled = host_cancelled,
	.call_sleep = host_sleep,
	.call_option = host_option,
	.call_secret = host_secret,
	.call_state_dir = host_state_dir,
	.call_vlog = host_vlog,
	.offer_list_add = souk_offers_add,
	.instance_list_add = souk_instances_add,
	.quote_list_add = souk_quotes_add,
	.identity_set = host_identity_set,
	.http_send = host_http_send,
	.http_reply_free = host_http_reply_free,
	.http_reply_status = host_http_reply_status,
	.http_reply_body = host_http_reply_body,
	.http_reply_header = host_http_reply_header,
	.stream_read = host_stream_read,
	.stream_write = host_stream_write,
	.call_ssh = host_ssh,
	.call_run = host_run,
	.call_progress = host_progress,
	.call_working = host_working,
};

const struct souk_host *souk_provider_host(void)
{
	return &host;
}

void souk_provider_host_install(void)
{
	souk_host_install(&host);
}
