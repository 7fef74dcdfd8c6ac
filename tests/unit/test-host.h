/* SPDX-License-Identifier: Apache-2.0 */
/* test-host.h - a small host for provider modules under test: options, results, HTTP on loopback */
#ifndef SOUK_TEST_HOST_H
#define SOUK_TEST_HOST_H

#include <souk/provider.h>

#include <stddef.h>
#include <stdint.h>

/* An answer that a test gives in place of a server. */
struct test_answer {
	int status;	     /* 0: the request fails with 'failure' */
	int failure;	     /* SOUK_E_... */
	const char *headers; /* "Name: value\r\n" lines; NULL: none */
	const char *body;    /* copied */
};

/*
 * Asked for each request, under a lock. Returns 1 if *answer is the answer, 0 to send the
 * request to the server that it names, which has to be on loopback.
 */
typedef int (*test_responder)(const struct souk_http_request *request, struct test_answer *answer,
			      void *arg);

/* Forget everything and install the host. */
void test_host_reset(void);
/* The call to hand to operations. */
struct souk_call *test_host_call(void);
/* Set an option; the texts are borrowed. NULL takes it away. */
void test_host_option(const char *name, const char *value);
void test_host_responder(test_responder responder, void *arg);
void test_host_cancel(int cancelled);
void test_host_deadline(uint32_t ms);

/* How far the module has said that it is, and how often. */
struct test_progress {
	unsigned n;
	char what[64];
	uint32_t done, total;
};
const struct test_progress *test_host_progress(void);

/* How many requests were made whose 'what' is this; NULL: all. */
unsigned test_host_requests(const char *what);
/* The last body of a request of that name; "" if there was none. Valid until the next one. */
const char *test_host_last_body(const char *what);
/* The value of a header of the last request of that name; NULL: none. */
const char *test_host_last_header(const char *what, const char *name);
/* Milliseconds that were asked of souk_call_sleep(); it does not wait. */
uint64_t test_host_slept_ms(void);
/* All that was logged at this level or above, one line each. */
const char *test_host_log(int level);

/* Results. Items are copies; a text that was not given is NULL. */
struct souk_offer_list *test_offers_new(void);
void test_offers_free(struct souk_offer_list *list);
size_t test_offers_count(const struct souk_offer_list *list);
const struct souk_offer *test_offer(const struct souk_offer_list *list, size_t index);
const struct souk_offer *test_offer_find(const struct souk_offer_list *list, const char *type,
					 const char *zone);

struct souk_instance_list *test_instances_new(void);
void test_instances_free(struct souk_instance_list *list);
size_t test_instances_count(const struct souk_instance_list *list);
const struct souk_instance *test_instance(const struct souk_instance_list *list, size_t index);

struct souk_quote_list *test_quotes_new(void);
void test_quotes_free(struct souk_quote_list *list);
size_t test_quotes_count(const struct souk_quote_list *list);
const struct souk_quote_line *test_quote(const struct souk_quote_list *list, size_t index);

struct souk_identity *test_identity_new(void);
void test_identity_free(struct souk_identity *identity);
const char *test_identity(const struct souk_identity *identity, const char *key);

#endif
