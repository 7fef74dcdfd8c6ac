/* SPDX-License-Identifier: Apache-2.0 */
/* host.c - the host functions that are calls through the table the host has installed */

#include <souk/provider.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * The installed table, or zeroes. A host may have been built against an older or a newer header:
 * what both know is copied, and a member that the host does not have stays NULL. It is written
 * before the first module is opened and only read from then on.
 */
static struct souk_host host;

void souk_host_install(const struct souk_host *table)
{
	size_t size;

	memset(&host, 0, sizeof(host));
	if (!table)
		return;
	host.abi = table->abi;
	if (table->abi != SOUK_PROVIDER_ABI)
		return;
	size = table->struct_size < sizeof(host) ? table->struct_size : sizeof(host);
	memcpy(&host, table, size);
}

static int missing(const char *function, struct souk_error *err)
{
	if (host.abi == 0)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "%s() was called before a host was installed", function);
	if (host.abi != SOUK_PROVIDER_ABI)
		return souk_error_set(err, SOUK_E_INTERNAL,
				      "%s(): the host speaks ABI %u, this libsouk-provider ABI %u",
				      function, (unsigned)host.abi, (unsigned)SOUK_PROVIDER_ABI);
	return souk_error_set(err, SOUK_E_INTERNAL, "%s(): this host does not have it", function);
}

/* ---- The call ---- */

uint32_t souk_call_deadline_ms(const struct souk_call *call)
{
	return host.call_deadline_ms ? host.call_deadline_ms(call) : 0;
}

/* Without a host there is nobody left who waits for the call. */
int souk_call_cancelled(const struct souk_call *call)
{
	return host.call_cancelled ? host.call_cancelled(call) : 1;
}

int souk_call_sleep(struct souk_call *call, uint32_t ms, struct souk_error *err)
{
	if (!host.call_sleep)
		return missing("souk_call_sleep", err);
	return host.call_sleep(call, ms, err);
}

const char *souk_call_option(const struct souk_call *call, const char *name)
{
	return host.call_option ? host.call_option(call, name) : NULL;
}

int souk_call_secret(struct souk_call *call, const char *name, char **secret_out,
		     struct souk_error *err)
{
	if (!host.call_secret)
		return missing("souk_call_secret", err);
	return host.call_secret(call, name, secret_out, err);
}

void souk_call_progress(struct souk_call *call, const char *what, uint32_t done, uint32_t total)
{
	if (host.call_progress)
		host.call_progress(call, what, done, total);
}

/* Of parallel.c alone, and not exported. */
void souk_call_working(struct souk_call *call, int begins);

void souk_call_working(struct souk_call *call, int begins)
{
	if (host.call_working)
		host.call_working(call, begins);
}

void souk_secret_free(char *secret)
{
	if (!secret)
		return;
	explicit_bzero(secret, strlen(secret));
	free(secret);
}

const char *souk_call_state_dir(const struct souk_call *call)
{
	return host.call_state_dir ? host.call_state_dir(call) : NULL;
}

void souk_call_log(struct souk_call *call, int level, const char *fmt, ...)
{
	va_list args;

	if (!host.call_vlog)
		return;
	va_start(args, fmt);
	host.call_vlog(call, level, fmt, args);
	va_end(args);
}

/* ---- Results ---- */

int souk_offer_list_add(struct souk_offer_list *list, const struct souk_offer *offer,
			struct souk_error *err)
{
	if (!host.offer_list_add)
		return missing("souk_offer_list_add", err);
	return host.offer_list_add(list, offer, err);
}

int souk_instance_list_add(struct souk_instance_list *list, const struct souk_instance *instance,
			   struct souk_error *err)
{
	if (!host.instance_list_add)
		return missing("souk_instance_list_add", err);
	return host.instance_list_add(list, instance, err);
}

int souk_quote_list_add(struct souk_quote_list *list, const struct souk_quote_line *line,
			struct souk_error *err)
{
	if (!host.quote_list_add)
		return missing("souk_quote_list_add", err);
	return host.quote_list_add(list, line, err);
}

int souk_identity_set(struct souk_identity *identity, const char *key, const char *value,
		      struct souk_error *err)
{
	if (!host.identity_set)
		return missing("souk_identity_set", err);
	return host.identity_set(identity, key, value, err);
}

/* ---- HTTP ---- */

int souk_http_send(struct souk_call *call, const struct souk_http_request *request,
		   struct souk_http_reply **reply_out, struct souk_error *err)
{
	if (!host.http_send)
		return missing("souk_http_send", err);
	return host.http_send(call, request, reply_out, err);
}

void souk_http_reply_free(struct souk_http_reply *reply)
{
	if (reply && host.http_reply_free)
		host.http_reply_free(reply);
}

int souk_http_reply_status(const struct souk_http_reply *reply)
{
	return host.http_reply_status ? host.http_reply_status(reply) : 0;
}

const char *souk_http_reply_body(const struct souk_http_reply *reply, size_t *size_out)
{
	if (host.http_reply_body)
		return host.http_reply_body(reply, size_out);
	if (size_out)
		*size_out = 0;
	return "";
}

const char *souk_http_reply_header(const struct souk_http_reply *reply, const char *name)
{
	return host.http_reply_header ? host.http_reply_header(reply, name) : NULL;
}

/* ---- Commands ---- */

int64_t souk_stream_read(struct souk_stream *stream, void *data, size_t size)
{
	return host.stream_read ? host.stream_read(stream, data, size) : SOUK_E_INTERNAL;
}

int souk_stream_write(struct souk_stream *stream, int fd, const void *data, size_t size)
{
	return host.stream_write ? host.stream_write(stream, fd, data, size) : SOUK_E_INTERNAL;
}

int souk_call_ssh(struct souk_call *call, const struct souk_instance *instance, const char *command,
		  char *output, size_t size, int32_t *exit_status_out, struct souk_error *err)
{
	if (!host.call_ssh)
		return missing("souk_call_ssh", err);
	return host.call_ssh(call, instance, command, output, size, exit_status_out, err);
}

int souk_call_run(struct souk_call *call, const char *const *argv, char *output, size_t size,
		  int32_t *exit_status_out, struct souk_error *err)
{
	if (!host.call_run)
		return missing("souk_call_run", err);
	return host.call_run(call, argv, output, size, exit_status_out, err);
}
