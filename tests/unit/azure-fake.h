/* SPDX-License-Identifier: Apache-2.0 */
/* azure-fake.h - a small Resource Manager for unit tests: groups and machines with state */
#ifndef SOUK_TEST_AZURE_FAKE_H
#define SOUK_TEST_AZURE_FAKE_H

#include <stddef.h>

#include "test-host.h"

/* What goes wrong with machines; zero is nothing. */
struct azure_fake_fault {
	const char *vm;	     /* the end of its name; NULL: any */
	int status;	     /* the PUT is refused so, 0: it is not; -1: the reply is lost */
	const char *code;    /* of the refusal, or of a failure after it was accepted */
	const char *message;
	unsigned times;	     /* how often the PUT is refused */
};

void azure_fake_reset(void);
void azure_fake_fault(const struct azure_fake_fault *fault);
/* The responder for test_host_responder(). */
int azure_fake_answer(const struct souk_http_request *request, struct test_answer *answer, void *arg);
/* How many resources there are whose path has this text in it. */
size_t azure_fake_count(const char *part);
/* The body of the last PUT whose path has this text in it; "" if there was none. */
const char *azure_fake_body(const char *part);
/* Set the power of a machine, as "PowerState/stopped"; or "Deleted" lets it vanish alone. */
void azure_fake_power(const char *part, const char *power);
/* What a request did that Azure would not take; "" if nothing. */
const char *azure_fake_complaint(void);

#endif
