/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/bucket_name.h - what a bucket may be called (general purpose buckets).
 * Source: Amazon S3 User Guide, "General purpose bucket naming rules".
 */
#ifndef ANVIL_S3_BUCKET_NAME_H
#define ANVIL_S3_BUCKET_NAME_H

#include "s3/problem.h"

#define BUCKET_NAME_MIN 3
#define BUCKET_NAME_MAX 63

/* Could there be a bucket of that name? (Form alone: 3..63 of a-z 0-9 . -, no "..", not an IPv4 address.) */
bool bucket_name_valid(struct span name);
/* Is it one that nobody may make: a reserved prefix or suffix? */
bool bucket_name_reserved(struct span name);
/* For CreateBucket. 0, or -1 with pr: InvalidBucketName. */
MUST_CHECK int bucket_name_check(struct span name, struct s3_problem *pr);

#endif
