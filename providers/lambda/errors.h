/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h - what Lambda's error codes mean to souk */
#ifndef SOUK_LAMBDA_ERRORS_H
#define SOUK_LAMBDA_ERRORS_H

#include <souk/provider.h>

#include <stddef.h>

/* A refusal, as Lambda worded it. Text without control characters. */
struct lambda_fault {
	int status;	      /* HTTP */
	uint32_t retry_after_ms; /* 0: not said */
	char code[80];	      /* "global/quota-exceeded"; "" if the reply has none */
	char message[300];
	char suggestion[240];
};

struct lambda_meaning {
	int code;  /* SOUK_E_... */
	int scope; /* SOUK_SCOPE_... */
};

/* Read the body of a refusal, whatever it is. */
void lambda_fault_parse(int status, const char *body, size_t size, struct lambda_fault *out);
/* The same of a reply, and how long it asks to wait. */
void lambda_fault_of(const struct souk_http_reply *reply, struct lambda_fault *out);

/* Meaning of a code; by its form, then by the HTTP status, if it is not a known one. */
struct lambda_meaning lambda_fault_meaning(const struct lambda_fault *fault);

/* Turn a refusal into an error: "cannot DOING: MESSAGE", with Lambda's suggestion as the hint. */
int lambda_fault_error(const struct lambda_fault *fault, const char *doing, struct souk_error *err);

#endif
