/* SPDX-License-Identifier: Apache-2.0 */
/* planner.c - a cloud that is planned with and never rented from; it leaves a trace when it is loaded */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <souk/provider.h>

/* NAME and KEY are given by the compiler's line: "acme" and "ACME_KEY". */

/* A file of this name beside it says that it was loaded, and one more that it was opened. */
static void leave_trace(const char *what)
{
	const char *folder = getenv("PLANNER_TRACE");
	char path[4096];
	int fd;

	if (!folder || snprintf(path, sizeof(path), "%s/%s-" NAME, folder, what) >= (int)sizeof(path))
		return;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

__attribute__((constructor)) static void begin(void)
{
	leave_trace("loaded");
}

static int planner_open(struct souk_call *call, void **self_out, struct souk_error *err)
{
	static int self;

	(void)call;
	leave_trace("opened");
	if (!getenv(KEY)) {
		souk_error_set(err, SOUK_E_AUTH, "no key");
		return souk_error_hint(err, "set " KEY);
	}
	*self_out = &self;
	return SOUK_OK;
}

static void planner_close(void *self)
{
	(void)self;
}

static int planner_list_offers(void *self, struct souk_call *call, struct souk_offer_list *out,
			       struct souk_error *err)
{
	(void)self, (void)call, (void)out;
	return souk_error_set(err, SOUK_E_TRANSIENT, "closed today");
}

static int planner_provision(void *self, struct souk_call *call,
			     const struct souk_instance_spec *spec, struct souk_instance_list *out,
			     struct souk_error *err)
{
	(void)self, (void)call, (void)spec, (void)out;
	return souk_error_set(err, SOUK_E_CAPACITY, "nothing is for rent");
}

static int planner_describe(void *self, struct souk_call *call,
			    const struct souk_instance_ref *refs, uint32_t n,
			    struct souk_instance_list *out, struct souk_error *err)
{
	(void)self, (void)call, (void)refs, (void)n, (void)out, (void)err;
	return SOUK_OK;
}

static int planner_teardown(void *self, struct souk_call *call,
			    const struct souk_instance_ref *refs, uint32_t n, struct souk_error *err)
{
	(void)self, (void)call, (void)refs, (void)n, (void)err;
	return SOUK_OK;
}

static const char *const signs[] = { "env:" KEY, "file:~/." NAME, NULL };

static const struct souk_provider_ops planner_ops = {
	SOUK_PROVIDER_HEAD,
	.features = SOUK_FEATURE_SPOT | SOUK_FEATURE_MULTI_NODE,
	.name = NAME,
	.title = "The planner's " NAME,
	.open = planner_open,
	.close = planner_close,
	.list_offers = planner_list_offers,
	.provision = planner_provision,
	.describe = planner_describe,
	.teardown = planner_teardown,
	.credential_signs = signs,
};
SOUK_PROVIDER_REGISTER(planner_ops);
