/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/tagging.h - tags of buckets and objects: as a document, as x-amz-tagging has
 * them (form-urlencoded, which is how an object's row has them), and back.
 */
#ifndef ANVIL_S3_TAGGING_H
#define ANVIL_S3_TAGGING_H

#include "base/strbuf.h"
#include "s3/create_bucket.h"

#define S3_OBJECT_TAGS_MAX 10
#define S3_TAGS_TEXT_MAX 65536 /* of ten tags, form-urlencoded: longer than the longest */

struct s3_tags {
	struct s3_tag *v;
	size_t n;
};

/* Tag rules of S3: at most max, keys unique, 1..128 characters, values 0..256, no "aws:" prefix. */
MUST_CHECK int s3_tags_check(const struct s3_tag *tags, size_t n, size_t max, struct s3_problem *pr);
/* And what they may be made of: letters, digits, blanks and + - = . _ : / @. Asked of what comes in, not of what is stored. */
MUST_CHECK int s3_tags_check_letters(const struct s3_tag *tags, size_t n, struct s3_problem *pr);
/* A Tagging document of a request. -1 with pr: MalformedXML, InvalidTag. */
MUST_CHECK int s3_tags_from_xml(struct arena *a, struct span doc, size_t max, struct s3_tags *out, struct s3_problem *pr);
/* "a=1&b=2". -1 with pr: InvalidArgument (form, or a key twice), InvalidTag, BadRequest (too many). */
MUST_CHECK int s3_tags_from_text(struct arena *a, struct span text, struct s3_tags *out, struct s3_problem *pr);
/* The same of a request, whose letters are checked, too. */
MUST_CHECK int s3_tags_from_header(struct arena *a, struct span text, struct s3_tags *out, struct s3_problem *pr);
/* NULL for no tags, and past the arena's cap. */
const char *s3_tags_text(struct arena *a, const struct s3_tags *tags);
/* The whole Tagging document, its tags in the order of their keys. */
void s3_tags_xml(struct strbuf *sb, const struct s3_tags *tags);
/* The tag's value; p NULL when there is none of that key. */
struct span s3_tags_get(const struct s3_tags *tags, struct span key);
/* For a bucket's document (s3/bucket_config.h). */
MUST_CHECK int s3_bucket_tags_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);

#endif
