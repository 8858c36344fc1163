/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/post_policy.h - the policy of a browser's form: until when it may be used, and
 * what each of its fields and the file's size may be. Pure.
 */
#ifndef ANVIL_S3_POST_POLICY_H
#define ANVIL_S3_POST_POLICY_H

#include "s3/post_form.h"

struct post_policy {
	int64_t size_min, size_max; /* of the file; what was not said is 0 and INT64_MAX */
};

/*
 * Does the form, with its variables expanded, keep to its policy? `bucket` is the one it was sent to.
 * Every field must be in a condition, but for policy, file, x-amz-signature, x-amz-checksum-* and x-ignore-*.
 * 0 with *out, or -1 with pr: InvalidPolicyDocument, AccessDenied ("Invalid according to Policy: ...").
 * policy: the field's value, base64. What it needs lives in `a`.
 */
MUST_CHECK int post_policy_check(struct arena *a, struct span policy, const struct post_form *f, struct span bucket,
    int64_t now_us, struct post_policy *out, struct s3_problem *pr);
/* The file's size against the policy: -1 with pr EntityTooLarge, or EntityTooSmall once all is there. */
MUST_CHECK int post_policy_size(struct arena *a, const struct post_policy *p, int64_t size, bool whole, struct s3_problem *pr);

#endif
