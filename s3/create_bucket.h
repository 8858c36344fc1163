/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/create_bucket.h - the body of CreateBucket.
 */
#ifndef ANVIL_S3_CREATE_BUCKET_H
#define ANVIL_S3_CREATE_BUCKET_H

#include "base/arena.h"
#include "s3/headers.h"
#include "s3/problem.h"

#define S3_BUCKET_TAGS_MAX 50

struct s3_tag {
	struct span key, value;
};
struct s3_create_bucket {
	struct span location_constraint; /* empty: the default region */
	struct span location_type, location_name; /* directory buckets; empty as a rule */
	struct span bucket_type, data_redundancy;
	struct s3_tag *tags;
	size_t n_tags;
};
/*
 * An empty body (blanks too) is an empty configuration. -1 with pr: MalformedXML,
 * MaxMessageLengthExceeded, InvalidTag, InvalidLocationConstraint (form only:
 * whether there is such a region is the caller's to know).
 */
MUST_CHECK int s3_create_bucket_parse(struct arena *a, struct span body, struct s3_create_bucket *out,
    struct s3_problem *pr);
/*
 * The owner asks for a bucket that is there: is it to be answered as if it were made now? So it is in S3's oldest
 * region, us-east-1, when the bucket (home) is there, too (region). What the request asks of a new bucket would not be
 * done; with it the answer is that the bucket is there, as everywhere else.
 */
bool s3_create_bucket_again(const struct s3_headers *headers, const struct s3_create_bucket *asked, const char *home,
    const char *region);

#endif
