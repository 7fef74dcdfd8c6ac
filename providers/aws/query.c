/* SPDX-License-Identifier: Apache-2.0 */
/* query.c - requests of the query protocol (EC2, STS), page by page where there are pages */

#include "query.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Starting many machines takes EC2 longer than the host's default. */
enum { TIMEOUT_MS = 60000 };

void aws_query_init(struct aws_query *query, const struct aws_operation *operation)
{
	souk_buf_init(&query->body, AWS_MAX_BODY);
	query->filters = 0;
	query->values = 0;
	souk_buf_printf(&query->body, "Action=%s&Version=%s", operation->action,
			operation->version ? operation->version : AWS_EC2_VERSION);
}

void aws_query_fini(struct aws_query *query)
{
	/* It may hold user data with a private host key, or a token. */
	if (query->body.size)
		explicit_bzero(query->body.data, query->body.len);
	souk_buf_fini(&query->body);
}

void aws_query_add(struct aws_query *query, const char *key, const char *value)
{
	souk_buf_printf(&query->body, "&%s=", key);
	souk_buf_urlencode(&query->body, value);
}

void aws_query_addf(struct aws_query *query, const char *value, const char *key_fmt, ...)
{
	char key[128];
	va_list args;
	int len;

	va_start(args, key_fmt);
	len = vsnprintf(key, sizeof(key), key_fmt, args);
	va_end(args);
	if (len < 0 || (size_t)len >= sizeof(key))
		query->body.failed = SOUK_E_INVALID;
	else
		aws_query_add(query, key, value);
}

void aws_query_add_u64(struct aws_query *query, const char *key, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, value);
	aws_query_add(query, key, text);
}

void aws_query_filter(struct aws_query *query, const char *name, const char *value)
{
	query->filters++;
	query->values = 0;
	aws_query_addf(query, name, "Filter.%u.Name", query->filters);
	aws_query_filter_value(query, value);
}

void aws_query_filter_value(struct aws_query *query, const char *value)
{
	query->values++;
	aws_query_addf(query, value, "Filter.%u.Value.%u", query->filters, query->values);
}

static struct aws_request request_of(const struct aws_operation *operation,
				     const struct aws_query *query)
{
	return (struct aws_request){
		.service = operation->service ? operation->service : "ec2",
		.action = operation->action,
		.doing = operation->doing,
		.content_type = "application/x-www-form-urlencoded; charset=utf-8",
		.body = query->body.data,
		.body_size = query->body.len,
		.flags = operation->flags,
		.timeout_ms = TIMEOUT_MS,
	};
}

/* "DescribeInstancesResponse" to DescribeInstances. */
static int is_reply_to(const char *action, const char *root)
{
	size_t len = strlen(action);

	return strncmp(root, action, len) == 0 && strcmp(root + len, "Response") == 0;
}

/* A reply that cannot be read does not tell what has been done. */
static int parse_reply(const struct aws_operation *operation, struct souk_http_reply *reply,
		       struct aws_xml *xml_out, struct souk_error *err)
{
	size_t size = 0;
	const char *body = souk_http_reply_body(reply, &size);
	int ret = aws_xml_parse(body, size, operation->action, xml_out, err);

	souk_http_reply_free(reply);
	/* Somebody else's page is XML too, and would be read as a list of nothing. */
	if (ret == SOUK_OK && !is_reply_to(operation->action, (const char *)xml_out->root->name)) {
		aws_xml_fini(xml_out);
		ret = souk_error_set(err, SOUK_E_INTERNAL, "the reply to %s is that to something else",
				     operation->action);
	}
	return ret;
}

int aws_query_send(const struct aws_client *client, const struct aws_operation *operation,
		   struct aws_query *query, struct aws_xml *xml_out, struct aws_fault *fault_out,
		   struct souk_error *err)
{
	struct aws_request request = request_of(operation, query);
	struct souk_http_reply *reply;
	int ret;

	if (fault_out)
		*fault_out = (struct aws_fault){ 0 };
	ret = souk_buf_failed(&query->body, err);
	if (ret == SOUK_OK)
		ret = aws_client_send(client, &request, &reply, fault_out, err);
	return ret < 0 ? ret : parse_reply(operation, reply, xml_out, err);
}

int aws_query_send_as(const struct aws_client *client, const struct aws_credentials *credentials,
		      const struct aws_operation *operation, struct aws_query *query,
		      struct aws_xml *xml_out, struct aws_fault *fault_out,
		      struct souk_error *err)
{
	struct aws_request request = request_of(operation, query);
	struct souk_http_reply *reply;
	int ret = souk_buf_failed(&query->body, err);

	if (ret == SOUK_OK)
		ret = aws_client_send_as(client, credentials, &request, &reply, fault_out, err);
	return ret < 0 ? ret : parse_reply(operation, reply, xml_out, err);
}

/* A page that cannot be read is asked for again: reading twice does no harm. */
static int ask_page(const struct aws_client *client, const struct aws_operation *operation,
		    struct aws_query *query, struct aws_xml *xml_out, struct souk_error *err)
{
	unsigned tries;
	int ret;

	for (tries = 1;; tries++) {
		ret = aws_query_send(client, operation, query, xml_out, NULL, err);
		if (ret != SOUK_E_INTERNAL || tries == AWS_UNREADABLE_TRIES ||
		    souk_call_sleep(client->call, AWS_UNREADABLE_WAIT_MS * tries, NULL) < 0)
			return ret;
	}
}

int aws_query_pages(const struct aws_client *client, const struct aws_operation *operation,
		    struct aws_query *query, aws_page page, void *arg, struct souk_error *err)
{
	size_t first = query->body.len;
	AWS_AUTO_FREE char *token = NULL;
	unsigned pages;
	int ret;

	for (pages = 0; pages < AWS_MAX_PAGES; pages++) {
		struct aws_xml xml = { 0 };
		const char *next;
		int is_same;

		if (token) {
			query->body.len = first;
			query->body.data[first] = '\0';
			aws_query_add(query, "NextToken", token);
		}
		ret = ask_page(client, operation, query, &xml, err);
		if (ret < 0)
			return ret;
		ret = page(arg, xml.root, err);
		next = aws_xml_text(xml.root, "nextToken");
		is_same = next && token && strcmp(next, token) == 0;
		if (ret == SOUK_OK && next)
			ret = aws_set(&token, next, err);
		aws_xml_fini(&xml);
		if (ret < 0 || !next)
			return ret;
		if (is_same)
			return souk_error_set(err, SOUK_E_INTERNAL,
					      "%s: the next page is the same page",
					      operation->action);
	}
	return souk_error_set(err, SOUK_E_INTERNAL, "%s: more than %d pages", operation->action,
			      AWS_MAX_PAGES);
}
