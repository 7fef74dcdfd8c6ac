/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h - what Google's error codes mean to souk */
#ifndef SOUK_GCP_ERRORS_H
#define SOUK_GCP_ERRORS_H

#include <souk/provider.h>

#include <stddef.h>
#include <stdint.h>

/* A refusal, as the service worded it. */
struct gcp_fault {
	int status;		 /* HTTP */
	uint32_t retry_after_ms; /* 0: not said */
	char code[80];		 /* the most telling of reason and status; "" if there is none */
	char message[400];
};

struct gcp_meaning {
	int code;  /* SOUK_E_... */
	int scope; /* SOUK_SCOPE_... */
};

/* Meaning of a code with its message; by the HTTP status if it is not a known one. */
struct gcp_meaning gcp_error_meaning(const char *code, const char *message, int status);

/* 1 if the table knows the code. For tests, 1 if the table is in order. */
int gcp_error_known(const char *code);
int gcp_error_table_sorted(void);

/* Read code and message from the body of a refusal, of an API or of the token service. */
void gcp_fault_parse(int status, const char *body, size_t size, struct gcp_fault *out);
void gcp_fault_of(const struct souk_http_reply *reply, struct gcp_fault *out);
int gcp_fault_is(const struct gcp_fault *fault, const char *code);

/* The should_retry of requests that change nothing: by the code, only then by the status. */
int gcp_fault_should_retry(const struct souk_http_reply *reply, void *arg);

/* Turn a refusal into an error: "cannot DOING: MESSAGE". 'permission' may be NULL. */
int gcp_fault_error(const struct gcp_fault *fault, const char *permission, const char *doing,
		    struct souk_error *err);

#endif
