/* SPDX-License-Identifier: Apache-2.0 */
/* errors.h - what RunPod's refusals mean to souk */
#ifndef SOUK_RUNPOD_ERRORS_H
#define SOUK_RUNPOD_ERRORS_H

#include <souk/provider.h>

#include <stddef.h>

/* A refusal, as RunPod worded it (RFC 9457). Text without control characters. */
struct runpod_fault {
	int status;	  /* HTTP */
	uint32_t retry_after_ms; /* 0: not said */
	char title[80];
	char detail[400]; /* with the first of its list of errors behind it */
};

struct runpod_meaning {
	int code;  /* SOUK_E_... */
	int scope; /* SOUK_SCOPE_... */
};

/* Read the body of a refusal, whatever it is. */
void runpod_fault_parse(int status, const char *body, size_t size, struct runpod_fault *out);
/* The same of a reply, and how long it asks to wait. */
void runpod_fault_of(const struct souk_http_reply *reply, struct runpod_fault *out);

/* By the text where RunPod has nothing else (no stock), then by the status. */
struct runpod_meaning runpod_fault_meaning(const struct runpod_fault *fault, int is_create);

/* Turn a refusal into an error: "cannot DOING: DETAIL". */
int runpod_fault_error(const struct runpod_fault *fault, int is_create, const char *doing,
		       struct souk_error *err);

#endif
