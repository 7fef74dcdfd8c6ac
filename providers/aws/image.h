/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - the machine image to start from */
#ifndef SOUK_AWS_IMAGE_H
#define SOUK_AWS_IMAGE_H

#include "aws.h"

struct aws_image {
	char id[64];
	char user[33];		/* who logs in */
	char root_device[64];	/* "/dev/sda1" */
	uint64_t root_gib;	/* size of its root disk; 0: unknown */
};

/* The image of the spec, of the option 'image', or the default for arch and accelerator. */
int aws_image_find(const struct aws_client *client, const struct souk_instance_spec *spec,
		   struct aws_image *out, struct souk_error *err);

/* Who logs in on an image of that name; NULL: the name does not say. */
const char *aws_image_user_by_name(const char *name);

#endif
