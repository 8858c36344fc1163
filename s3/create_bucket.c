/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/create_bucket.c - the body of CreateBucket, and what a tag may be.
 *
 * Source: S3 API Reference, CreateBucketConfiguration.
 */
#include "s3/create_bucket.h"

#include "base/parse.h"
#include "s3/errors.h"
#include "s3/headers.h"
#include "s3/tagging.h"
#include "s3/xml.h"

#define LOCATION_MAX 64

static const struct xml_rule rules_tag[] = {
	{ "Key", 1, 1, NULL },
	{ "Value", 1, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_tags[] = {
	{ "Tag", 0, 0, rules_tag },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_location[] = {
	{ "Type", 0, 1, NULL },
	{ "Name", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_bucket[] = {
	{ "DataRedundancy", 0, 1, NULL },
	{ "Type", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_config[] = {
	{ "LocationConstraint", 0, 1, NULL },
	{ "Location", 0, 1, rules_location },
	{ "Bucket", 0, 1, rules_bucket },
	{ "Tags", 0, 1, rules_tags },
	{ NULL, 0, 0, NULL },
};

static int
read_tags(struct arena *a, const struct xml_node *root,
    struct s3_create_bucket *out, struct s3_problem *pr)
{
	const struct xml_node *tag = xml_child(xml_child(root, "Tags"), "Tag");
	size_t n = 0;

	if (tag == NULL)
		return 0;
	for (const struct xml_node *t = tag; t != NULL; t = xml_again(t))
		n++;
	out->tags = arena_array(a, n, sizeof(*out->tags));
	if (out->tags == NULL)
		return s3_problem_set(pr, S3_InternalError, NULL);
	for (; tag != NULL; tag = xml_again(tag)) {
		out->tags[out->n_tags].key = xml_at(tag, "Key");
		out->tags[out->n_tags].value = xml_at(tag, "Value");
		out->n_tags++;
	}
	return s3_tags_check(out->tags, out->n_tags, S3_BUCKET_TAGS_MAX, pr) != 0 ? -1 :
	    s3_tags_check_letters(out->tags, out->n_tags, pr);
}

static struct span
at_trimmed(const struct xml_node *root, const char *path)
{
	struct span s = xml_at(root, path);

	while (s.len > 0 && xml_blank(s.p[0]))
		s.p++, s.len--;
	while (s.len > 0 && xml_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

/* A region's name has no other bytes; what has is told back to the client as it came. */
static int
check_location(struct span name, struct s3_problem *pr)
{
	bool good = name.len <= LOCATION_MAX;

	for (size_t i = 0; good && i < name.len; i++) {
		char c = name.p[i];

		good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
	}
	if (good)
		return 0;
	s3_problem_set(pr, S3_InvalidLocationConstraint, NULL);
	s3_problem_extra(pr, "LocationConstraint", name);
	return -1;
}

int
s3_create_bucket_parse(struct arena *a, struct span body,
    struct s3_create_bucket *out, struct s3_problem *pr)
{
	const struct xml_node *root;
	size_t i = 0;

	*out = (struct s3_create_bucket){ .n_tags = 0 };
	while (i < body.len && xml_blank(body.p[i]))
		i++;
	if (i == body.len)
		return 0;
	root = xml_parse(
	    a, body, "CreateBucketConfiguration", &XML_LIMITS_SMALL, pr);
	if (root == NULL || xml_conforms(root, rules_config, pr) != 0)
		return -1;
	out->location_constraint = at_trimmed(root, "LocationConstraint");
	out->location_type = at_trimmed(root, "Location/Type");
	out->location_name = at_trimmed(root, "Location/Name");
	out->bucket_type = at_trimmed(root, "Bucket/Type");
	out->data_redundancy = at_trimmed(root, "Bucket/DataRedundancy");
	if (check_location(out->location_constraint, pr) != 0)
		return -1;
	return read_tags(a, root, out, pr);
}

bool
s3_create_bucket_again(const struct s3_headers *headers,
    const struct s3_create_bucket *asked, const char *home, const char *region)
{
	static const char *const of_new[] = { "x-amz-acl", "x-amz-grant-",
		"x-amz-object-ownership", "x-amz-bucket-object-lock-enabled" };

	if (strcmp(region, "us-east-1") != 0 || strcmp(home, region) != 0 ||
	    asked->n_tags > 0)
		return false;
	for (size_t i = 0; i < headers->n; i++)
		for (size_t k = 0; k < ARRAY_LEN(of_new); k++)
			if (s3_istarts(headers->h[i].name, of_new[k]))
				return false;
	return true;
}
