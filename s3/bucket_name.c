/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/bucket_name.c - what a bucket may be called.
 */
#include "s3/bucket_name.h"

#include "s3/errors.h"

static bool
letter_or_digit(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* Four groups of one to three digits: never a name, whatever the numbers are. */
static bool
looks_like_ipv4(struct span name)
{
	int groups = 1, digits = 0;

	for (size_t i = 0; i < name.len; i++) {
		if (name.p[i] == '.') {
			if (digits == 0)
				return false;
			groups++;
			digits = 0;
		} else if (name.p[i] >= '0' && name.p[i] <= '9') {
			if (++digits > 3)
				return false;
		} else {
			return false;
		}
	}
	return groups == 4 && digits > 0;
}

bool
bucket_name_valid(struct span name)
{
	if (name.len < BUCKET_NAME_MIN || name.len > BUCKET_NAME_MAX ||
	    !letter_or_digit(name.p[0]) ||
	    !letter_or_digit(name.p[name.len - 1]))
		return false;
	for (size_t i = 0; i < name.len; i++) {
		char c = name.p[i];

		if (!letter_or_digit(c) && c != '.' && c != '-')
			return false;
		if (c == '.' && name.p[i + 1] == '.')
			return false;
	}
	return !looks_like_ipv4(name);
}

static bool
begins(struct span name, const char *s)
{
	size_t len = strlen(s);

	return name.len >= len && memcmp(name.p, s, len) == 0;
}

static bool
ends(struct span name, const char *s)
{
	size_t len = strlen(s);

	return name.len >= len &&
	    memcmp(name.p + name.len - len, s, len) == 0;
}

bool
bucket_name_reserved(struct span name)
{
	static const char *const prefixes[] = { "xn--", "sthree-",
		"amzn-s3-demo-" };
	static const char *const suffixes[] = { "-s3alias", "--ol-s3", ".mrap",
		"--x-s3", "--table-s3" };

	for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
		if (begins(name, prefixes[i]))
			return true;
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		if (ends(name, suffixes[i]))
			return true;
	return false;
}

int
bucket_name_check(struct span name, struct s3_problem *pr)
{
	if (bucket_name_valid(name) && !bucket_name_reserved(name))
		return 0;
	s3_problem_set(pr, S3_InvalidBucketName, NULL);
	s3_problem_extra(pr, "BucketName", name);
	return -1;
}
