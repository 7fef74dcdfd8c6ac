/* SPDX-License-Identifier: Apache-2.0 */
/* rent-fixture.h - what tests of modules that make machines share: a spec, the op, members of its body */
#ifndef SOUK_TEST_RENT_FIXTURE_H
#define SOUK_TEST_RENT_FIXTURE_H

#include <json.h>
#include <stdio.h>
#include <string.h>

#include "test-host.h"

const struct souk_provider_ops *souk_provider_entry(void);

/* A key as ssh-keygen makes one; cloud-init's data is made of it. */
#define RENT_BLOB "AAAAC3NzaC1lZDI1NTE5AAAAICN+lJwsONkwrdsSnQsu1ydUkIuIg5oOC+Eslvmtt60T"

static inline struct souk_instance_spec rent_spec(const char *type, const char *region)
{
	return (struct souk_instance_spec){
		.struct_size = sizeof(struct souk_instance_spec),
		.count = 1,
		.request_token = "token-1",
		.cluster = "train",
		.owner = "ann@host",
		.instance_type = type,
		.region = region,
		.ssh_public_key = "ssh-ed25519 " RENT_BLOB " souk-train\n",
		.host_key_private = "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAAAAAA\n"
				    "-----END OPENSSH PRIVATE KEY-----\n",
		.host_key_public = "ssh-ed25519 " RENT_BLOB " host\n",
	};
}

/* Provision; *out is a new list, which the caller frees. */
static inline int rent(void *self, const struct souk_instance_spec *spec,
		       struct souk_instance_list **out, struct souk_error *err)
{
	*out = test_instances_new();
	return souk_provider_entry()->provision(self, test_host_call(), spec, *out, err);
}

/* The text at a path of members, "gpu.id"; an array stands for its first element. */
static inline const char *rent_at(struct json_object *object, const char *path)
{
	char name[64];

	while (*path && object) {
		size_t len = strcspn(path, ".");
		struct json_object *next = NULL;

		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		json_object_object_get_ex(object, name, &next);
		if (json_object_is_type(next, json_type_array))
			next = json_object_array_get_idx(next, 0);
		object = next;
		path += len + (path[len] == '.');
	}
	return object ? json_object_get_string(object) : "(none)";
}

#endif
