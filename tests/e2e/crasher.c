/* SPDX-License-Identifier: Apache-2.0 */
/* crasher.c - preloaded into souk, it crashes a module in its operation, or souk outside of any */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * $SOUK_CRASH: "module" crashes when a module adds a machine to a result, which after RunInstances is
 * one that has just been made; "abort" likewise, by abort(); "offer" when it adds an offer, on whichever
 * thread; "souk" when 'souk status' frees its list, in no module's operation.
 */
static int is(const char *where)
{
	const char *chosen = getenv("SOUK_CRASH");

	return chosen && strcmp(chosen, where) == 0;
}

static volatile intptr_t *volatile nowhere;

static void crash(void)
{
	*nowhere = 1;
}

typedef int (*add_fn)(void *list, const void *what, void *err);

__attribute__((visibility("default"))) int souk_instance_list_add(void *list, const void *instance,
								  void *err);
int souk_instance_list_add(void *list, const void *instance, void *err)
{
	add_fn next = (add_fn)dlsym(RTLD_NEXT, "souk_instance_list_add");

	if (is("module"))
		crash();
	if (is("abort"))
		abort();
	return next ? next(list, instance, err) : -12;
}

__attribute__((visibility("default"))) int souk_offer_list_add(void *list, const void *offer,
							       void *err);
int souk_offer_list_add(void *list, const void *offer, void *err)
{
	add_fn next = (add_fn)dlsym(RTLD_NEXT, "souk_offer_list_add");

	if (is("offer"))
		crash();
	return next ? next(list, offer, err) : -12;
}

/* How souk ends its answer to 'status'. */
__attribute__((visibility("default"))) void souk_clusters_free(void *clusters);
void souk_clusters_free(void *clusters)
{
	void (*next)(void *) = (void (*)(void *))dlsym(RTLD_NEXT, "souk_clusters_free");

	if (is("souk"))
		crash();
	if (next)
		next(clusters);
}
