/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h - what Azure's error codes mean to souk */
#ifndef SOUK_AZURE_ERRORS_H
#define SOUK_AZURE_ERRORS_H

#include <souk/provider.h>

#include <stddef.h>
#include <stdint.h>

struct json_object;

/* A refusal, as the service worded it. */
struct azure_fault {
	int status;		 /* HTTP; 0: an operation's own */
	uint32_t retry_after_ms; /* 0: not said */
	char code[80];		 /* "" if the reply has none */
	char message[400];
};

struct azure_meaning {
	int code;  /* SOUK_E_... */
	int scope; /* SOUK_SCOPE_... */
};

/* Meaning of a code and the message with it; by the HTTP status if it is not a known one. */
struct azure_meaning azure_error_meaning(const char *code, const char *message, int status);

/* 1 if the table knows the code. */
int azure_error_known(const char *code);

/* Copy what a person can read of a text: its first line, cut to fit, without a full stop. */
void azure_fault_text(char *out, size_t size, const char *text);

/* Read code and message from the body of a refusal, of Resource Manager or of the login host. */
void azure_fault_parse(int status, const char *body, size_t size, struct azure_fault *out);
void azure_fault_of(const struct souk_http_reply *reply, struct azure_fault *out);
/* The same from an object that holds "error", as the status of an operation does. */
void azure_fault_from(struct json_object *object, struct azure_fault *out);

/* The should_retry of requests that change nothing: by the code, only then by the status. */
int azure_fault_should_retry(const struct souk_http_reply *reply, void *arg);

/* Turn a refusal into an error: "cannot DOING: MESSAGE". */
int azure_fault_error(const struct azure_fault *fault, const char *doing, struct souk_error *err);

/* 1 if the fault's code is this one. */
int azure_fault_is(const struct azure_fault *fault, const char *code);

#endif
