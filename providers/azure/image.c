/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - which image a machine starts from */

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "machines.h"

struct image {
	const char *publisher, *offer, *sku;
};

/* With NVIDIA's driver and CUDA; its SKU with ROCm is for MI300X. */
static const struct image hpc = { "microsoft-dsvm", "ubuntu-hpc", "2204" };
static const struct image hpc_rocm = { "microsoft-dsvm", "ubuntu-hpc", "2204-rocm" };
static const struct image plain = { "Canonical", "ubuntu-24_04-lts", "server" };
static const struct image plain_gen1 = { "Canonical", "ubuntu-24_04-lts", "server-gen1" };
static const struct image plain_arm = { "Canonical", "ubuntu-24_04-lts", "server-arm64" };

/* Sizes that start no image of generation 2, or need not. */
static int is_generation_1(const char *size)
{
	static const char *const patterns[] = {
		"Standard_A[0-9]*", "Standard_D*_v2", "Standard_D[0-9]_v3",
		"Standard_D[0-9][0-9]_v3", "Standard_E*[0-9]_v3",
		"Standard_F[0-9]", "Standard_F[0-9][0-9]", "Standard_NV*as_v4", "Standard_NP*s",
	};
	size_t i;

	for (i = 0; i < AZURE_ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], size, 0) == 0)
			return 1;
	return 0;
}

/* Devices for which the driver of the HPC image is the right one; slices of an A10 need another. */
static int takes_hpc(const struct souk_instance_spec *spec)
{
	static const char *const names[] = { "T4", "A100", "A100-80GB", "H100", "H100-NVL", "H200",
					     "B200", "GB200", "GB300", "V100", "V100-32GB",
					     "RTXPRO6000" };
	size_t i;

	if (!spec->accelerator || is_generation_1(spec->instance_type))
		return 0;
	for (i = 0; i < AZURE_ARRAY_SIZE(names); i++)
		if (strcmp(spec->accelerator, names[i]) == 0)
			return 1;
	return 0;
}

static const struct image *usual_image(const struct souk_instance_spec *spec)
{
	if (spec->arch && strcmp(spec->arch, "arm64") == 0)
		return &plain_arm;
	if (spec->accelerator && strcmp(spec->accelerator, "MI300X") == 0)
		return &hpc_rocm;
	if (takes_hpc(spec))
		return &hpc;
	return is_generation_1(spec->instance_type) ? &plain_gen1 : &plain;
}

static int bad_image(const char *text, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_INVALID, "not an image: '%.200s'", text);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "an image is PUBLISHER:OFFER:SKU:VERSION, or the id of one: "
				    "/subscriptions/...");
}

/* "publisher:offer:sku:version", or the id of an image of one's own. */
static int named_image(const char *text, struct souk_buf *out, struct souk_error *err)
{
	char parts[4][80];
	const char *at = text;
	size_t i;

	if (text[0] == '/') {
		azure_body(out, "{'id':$}", text);
		return souk_buf_failed(out, err);
	}
	for (i = 0; i < 4; i++) {
		size_t len = strcspn(at, ":");

		if (!len || len >= sizeof(parts[i]) || (at[len] == ':') != (i < 3))
			return bad_image(text, err);
		snprintf(parts[i], sizeof(parts[i]), "%.*s", (int)len, at);
		at += len + (i < 3);
	}
	azure_body(out, "{'publisher':$,'offer':$,'sku':$,'version':$}", parts[0], parts[1],
		   parts[2], parts[3]);
	return souk_buf_failed(out, err);
}

int azure_image_choose(const struct azure_client *client, const struct souk_instance_spec *spec,
		       struct souk_buf *reference, char user[64], struct souk_error *err)
{
	const char *given = azure_option(client->call, "image_user");
	const char *named = spec->image && *spec->image ? spec->image :
							  azure_option(client->call, "image");
	const struct image *image;

	/* Azure makes the user that it is told of, on any image. */
	if (!azure_copy(user, 64, given ? given : "azureuser"))
		return souk_error_set(err, SOUK_E_INVALID, "image_user: too long: '%.80s'", given);
	if (named)
		return named_image(named, reference, err);
	image = usual_image(spec);
	azure_body(reference, "{'publisher':$,'offer':$,'sku':$,'version':'latest'}",
		   image->publisher, image->offer, image->sku);
	return souk_buf_failed(reference, err);
}
