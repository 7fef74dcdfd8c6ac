/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - small things about texts and times */

#include <ctype.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "aws.h"

int aws_nomem(struct souk_error *err)
{
	return souk_error_nomem(err);
}

int aws_set(char **slot, const char *value, struct souk_error *err)
{
	char *copy = NULL;

	if (value) {
		copy = strdup(value);
		if (!copy)
			return aws_nomem(err);
	}
	free(*slot);
	*slot = copy;
	return SOUK_OK;
}

int aws_expand_path(const char *path, struct souk_buf *out, struct souk_error *err)
{
	int ret;

	if (path[0] == '~' && (path[1] == '/' || !path[1])) {
		ret = souk_home_dir(out, err);
		if (ret < 0)
			return ret;
		path++;
	}
	souk_buf_str(out, path);
	return souk_buf_failed(out, err);
}

int aws_is_place(const char *text)
{
	size_t i;

	for (i = 0; text[i]; i++)
		if (i + 1 >= AWS_REGION_SIZE ||
		    !(islower((unsigned char)text[i]) || isdigit((unsigned char)text[i]) ||
		      (text[i] == '-' && i)))
			return 0;
	return i > 0 && text[i - 1] != '-';
}

static void utc(int64_t seconds, struct tm *out)
{
	time_t when = (time_t)seconds;

	if (!gmtime_r(&when, out))
		memset(out, 0, sizeof(*out));
}

void aws_basic_time(int64_t seconds, char out[17])
{
	struct tm tm;

	utc(seconds, &tm);
	strftime(out, 17, "%Y%m%dT%H%M%SZ", &tm);
}

void aws_extended_time(int64_t seconds, char out[21])
{
	struct tm tm;

	utc(seconds, &tm);
	strftime(out, 21, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

int aws_next_item(const char **list, char **item_out, struct souk_error *err)
{
	size_t len;
	const char *item = souk_list_next(list, &len);

	if (!item)
		return 0;
	*item_out = strndup(item, len);
	return *item_out ? 1 : aws_nomem(err);
}
