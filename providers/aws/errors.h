/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h - what AWS's error codes mean to souk */
#ifndef SOUK_AWS_ERRORS_H
#define SOUK_AWS_ERRORS_H

#include <souk/provider.h>

#include <stddef.h>
#include <stdint.h>

/* A refusal, as the service worded it. */
struct aws_fault {
	int status;		 /* HTTP */
	uint32_t retry_after_ms; /* 0: not said */
	int64_t server_time;	 /* its Date header, seconds since the epoch; 0: none */
	char code[80];		 /* "" if the reply has none */
	char message[400];
};

struct aws_meaning {
	int code;  /* SOUK_E_... */
	int scope; /* SOUK_SCOPE_... */
};

/* Meaning of a code; by its form, then by the HTTP status, if it is not a known one. */
struct aws_meaning aws_error_meaning(const char *code, int status);

/* 1 if the table knows the code. For tests, *sorted_out tells that the table is in order. */
int aws_error_known(const char *code);
int aws_error_table_sorted(void);

/* Read code and message from the body of a refusal, be it XML or JSON. */
void aws_fault_parse(int status, const char *body, size_t size, struct aws_fault *out);
void aws_fault_of(const struct souk_http_reply *reply, struct aws_fault *out);

/* The should_retry of requests that change nothing: by the code, only then by the status. */
int aws_fault_should_retry(const struct souk_http_reply *reply, void *arg);

/* Turn a refusal into an error: "cannot DOING: MESSAGE". 'action' is "ec2:RunInstances". */
int aws_fault_error(const struct aws_fault *fault, const char *action, const char *doing,
		    struct souk_error *err);

/* 1 if the fault's code is this one. */
int aws_fault_is(const struct aws_fault *fault, const char *code);

#endif
