/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - which image a machine boots, and who logs in there */

#include <stdio.h>
#include <string.h>

#include "machines.h"

#define UBUNTU "projects/ubuntu-os-cloud/global/images/family/"
#define DEEP "projects/deeplearning-platform-release/global/images/family/"

/* In the order in which they are tried; the next one if a family is no more. */
static const char *const for_gpus[] = {
	DEEP "common-cu129-ubuntu-2204-nvidia-580",
	DEEP "common-cu128-ubuntu-2204-nvidia-570",
	NULL,
};
static const char *const for_x86[] = { UBUNTU "ubuntu-2404-lts-amd64",
				       UBUNTU "ubuntu-2204-lts", NULL };
static const char *const for_arm[] = { UBUNTU "ubuntu-2404-lts-arm64",
				       UBUNTU "ubuntu-2204-lts-arm64", NULL };

/* What may stand in a path: no dots that climb, no queries. */
static int is_path(const char *text)
{
	const char *p;

	for (p = text; *p; p++)
		if (!strchr("abcdefghijklmnopqrstuvwxyz0123456789-_/.:", *p) ||
		    (*p == '.' && p[1] == '.'))
			return 0;
	return p > text && strlen(text) < 256;
}

/*
 * "projects/P/global/images/NAME", ".../family/NAME", a URL of one, "family/NAME" or "NAME", which are
 * of the project itself.
 */
static int path_of(const struct gcp_client *client, const char *image, struct souk_buf *out,
		   struct souk_error *err)
{
	const char *inside = strstr(image, "/projects/");
	const char *project;
	int ret;

	if (inside)
		image = inside + 1;
	if (!is_path(image)) {
		souk_error_set(err, SOUK_E_INVALID, "not an image: '%.128s'", image);
		return souk_error_hint(err, "write 'projects/PROJECT/global/images/family/FAMILY'");
	}
	if (strncmp(image, "projects/", 9) == 0) {
		souk_buf_str(out, image);
	} else {
		ret = gcp_project(client, &project, err);
		if (ret < 0)
			return ret;
		souk_buf_printf(out, "projects/%s/global/images/%s", project, image);
	}
	return souk_buf_failed(out, err);
}

static void user_of(const struct gcp_client *client, const char *path, struct gcp_image *out)
{
	const char *given = souk_call_option(client->call, "image_user");

	/* Google's agent makes whoever is named among the keys; Ubuntu has one of its own. */
	snprintf(out->user, sizeof(out->user), "%s", given && *given ? given : "ubuntu");
	out->has_cloud_init = strstr(path, "ubuntu") != NULL;
}

/* Ask for it: 1, or 0 if it is not there. */
static int get_image(const struct gcp_client *client, const char *path, struct gcp_image *out,
		     struct souk_error *err)
{
	GCP_AUTO_BUF struct souk_buf url = { 0 };
	GCP_AUTO_JSON struct json_object *image = NULL;
	struct gcp_request request = {
		.what = "images.get",
		.doing = "look the image up",
		.permission = "compute.images.get",
		.flags = SOUK_HTTP_RETRY,
	};
	struct gcp_fault fault;
	const char *link = NULL;
	int ret;

	souk_buf_init(&url, GCP_MAX_URL);
	ret = gcp_endpoint(client->call, GCP_COMPUTE, &url, err);
	if (ret < 0)
		return ret;
	souk_buf_printf(&url, "/compute/v1/%s", path);
	request.url = url.data;
	ret = gcp_call(client, &request, &image, &fault, err);
	if (ret < 0)
		return fault.status == 404 ? 0 : ret;
	ret = gcp_json_need(gcp_json_text(image, "selfLink", &link, err), "selfLink", err);
	if (ret > 0)
		ret = gcp_json_count(image, "diskSizeGb", 65536, &out->disk_gib, err);
	if (ret < 0)
		return ret;
	/* Without the host, which an endpoint of one's own has another of. */
	link = strstr(link, "projects/") ? strstr(link, "projects/") : path;
	snprintf(out->link, sizeof(out->link), "%s", link);
	user_of(client, path, out);
	/* What is in an image of one's own, its name does not always tell. */
	if (strstr(link, "ubuntu"))
		out->has_cloud_init = 1;
	return 1;
}

static int no_image(const char *path, struct souk_error *err)
{
	souk_error_set(err, SOUK_E_NOT_FOUND, "there is no image '%s'", path);
	souk_error_scope(err, SOUK_SCOPE_PROVIDER);
	return souk_error_hint(err, "'gcloud compute images list' shows them");
}

int gcp_image_find(const struct gcp_client *client, const struct souk_instance_spec *spec,
		   struct gcp_image *out, struct souk_error *err)
{
	const char *option = souk_call_option(client->call, "image");
	const char *wanted = spec->image ? spec->image : option && *option ? option : NULL;
	int is_arm = spec->arch && strcmp(spec->arch, "arm64") == 0;
	const char *const *family = is_arm ? for_arm : spec->accelerator ? for_gpus : for_x86;
	GCP_AUTO_BUF struct souk_buf path = { 0 };
	int ret;

	if (wanted) {
		souk_buf_init(&path, 1024);
		ret = path_of(client, wanted, &path, err);
		if (ret == SOUK_OK)
			ret = get_image(client, path.data, out, err);
		if (ret == 0)
			return no_image(path.data, err);
		return ret < 0 ? ret : SOUK_OK;
	}
	if (is_arm && spec->accelerator)
		souk_call_log(client->call, SOUK_LOG_WARNING,
			      "the image has no driver for '%s': name one with image_id",
			      spec->accelerator);
	for (; *family; family++) {
		ret = get_image(client, *family, out, err);
		if (ret)
			return ret < 0 ? ret : SOUK_OK;
	}
	return no_image(is_arm ? for_arm[0] : spec->accelerator ? for_gpus[0] : for_x86[0], err);
}
