/* SPDX-License-Identifier: Apache-2.0 */
/* sign.h - AWS request signatures, version 4 */
#ifndef SOUK_AWS_SIGN_H
#define SOUK_AWS_SIGN_H

#include <souk/provider.h>

#include <stddef.h>

#include "credentials.h"

struct aws_header {
	const char *name;
	const char *value;
};

/* How the path is made canonical: S3 takes it as it is and encodes it once. */
enum { AWS_SIGN_RAW_PATH = 1u << 0 };

/* The request as it goes over the wire. Everything borrowed. */
struct aws_sign_request {
	const char *method;
	const char *path;	/* "" is "/" */
	const char *query;	/* what follows '?'; NULL: nothing */
	const struct aws_header
		*headers; /* all of them are signed; host and x-amz-date must be there */
	size_t n_headers;
	const void *body;
	size_t body_size;
	const char *region;
	const char *service;
	const char *timestamp;	/* "YYYYMMDDTHHMMSSZ", as in x-amz-date */
	unsigned flags;		/* AWS_SIGN_... */
};

/* Append the canonical request, and the names of its headers, to two buffers. */
int aws_sign_canonical(const struct aws_sign_request *request, struct souk_buf *canonical,
		       struct souk_buf *signed_headers, struct souk_error *err);

/* Append the value of the Authorization header. */
int aws_sign(const struct aws_sign_request *request, const struct aws_credentials *credentials,
	     struct souk_buf *authorization, struct souk_error *err);

/* SHA-256 in hexadecimal digits, ended by NUL. */
int aws_sha256_hex(const void *data, size_t size, char out[65], struct souk_error *err);
/* The same for SHA-1, by which the AWS tools name the files of their SSO cache. */
int aws_sha1_hex(const void *data, size_t size, char out[41], struct souk_error *err);

#endif
