/* SPDX-License-Identifier: Apache-2.0 */
/* query.h - requests of the query protocol (EC2, STS), page by page where there are pages */
#ifndef SOUK_AWS_QUERY_H
#define SOUK_AWS_QUERY_H

#include "aws.h"
#include "xml.h"

#define AWS_EC2_VERSION "2016-11-15"
#define AWS_STS_VERSION "2011-06-15"

/* Reads may be sent again; writes are not sent in plan mode. */
#define AWS_READ SOUK_HTTP_RETRY
#define AWS_WRITE_AGAIN (SOUK_HTTP_RETRY | SOUK_HTTP_MUTATES) /* twice does what once does */
#define AWS_WRITE SOUK_HTTP_MUTATES

/* Replies to reads that make no sense are asked for so often, with so much time between. */
enum { AWS_UNREADABLE_TRIES = 3, AWS_UNREADABLE_WAIT_MS = 2000 };

/* An action. 'doing' completes "cannot ...". */
struct aws_operation {
	const char *service; /* NULL: "ec2" */
	const char *action;
	const char *version; /* NULL: that of EC2 */
	const char *doing;
	uint32_t flags;	     /* SOUK_HTTP_... */
};

struct aws_query {
	struct souk_buf body;
	unsigned filters;
	unsigned values; /* of the last filter */
};

void aws_query_init(struct aws_query *query, const struct aws_operation *operation);
void aws_query_fini(struct aws_query *query);
/* Add a parameter; a failure sticks and is told by the sending function. */
void aws_query_add(struct aws_query *query, const char *key, const char *value);
void aws_query_addf(struct aws_query *query, const char *value, const char *key_fmt, ...)
	SOUK_PRINTF(3, 4);
void aws_query_add_u64(struct aws_query *query, const char *key, uint64_t value);
/* Begin a filter with its first value; add further values to it. */
void aws_query_filter(struct aws_query *query, const char *name, const char *value);
void aws_query_filter_value(struct aws_query *query, const char *value);

/* Send it. *xml_out is the caller's, to be ended with aws_xml_fini(). */
int aws_query_send(const struct aws_client *client, const struct aws_operation *operation,
		   struct aws_query *query, struct aws_xml *xml_out, struct aws_fault *fault_out,
		   struct souk_error *err);
int aws_query_send_as(const struct aws_client *client, const struct aws_credentials *credentials,
		      const struct aws_operation *operation, struct aws_query *query,
		      struct aws_xml *xml_out, struct aws_fault *fault_out,
		      struct souk_error *err);

/* Called with the root of each page. */
typedef int (*aws_page)(void *arg, const xmlNode *root, struct souk_error *err);

/* Send it, and again for each next page. */
int aws_query_pages(const struct aws_client *client, const struct aws_operation *operation,
		    struct aws_query *query, aws_page page, void *arg, struct souk_error *err);

#endif
