/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/copy_source.h - what requests say of the object that they copy or rename.
 */
#ifndef ANVIL_S3_COPY_SOURCE_H
#define ANVIL_S3_COPY_SOURCE_H

#include "base/arena.h"
#include "s3/condition.h"

#define COPY_SOURCE_HEADER "x-amz-copy-source"

struct copy_source_name {
	struct span bucket, key; /* decoded; neither is empty, their form is not checked here */
	struct span version;     /* p NULL: the current one; never empty */
};
/*
 * x-amz-copy-source: "[/]bucket/key[?versionId=id]", URL-encoded, "+" for a blank, as S3 reads it. -1 with pr:
 * InvalidArgument.
 */
MUST_CHECK int copy_source_parse(struct arena *a, struct span header, struct copy_source_name *out, struct s3_problem *pr);
/* x-amz-rename-source: "[/]key", URL-encoded as above, of the same bucket. -1 with pr: InvalidArgument. */
MUST_CHECK int rename_source_parse(struct arena *a, struct span header, struct span *key, struct s3_problem *pr);
/* x-amz-copy-source-range: "bytes=first-last" and no other form, first <= last. -1 with pr: InvalidArgument. */
MUST_CHECK int copy_range_parse(struct span header, int64_t *first, int64_t *last, struct s3_problem *pr);

/* COPY or REPLACE, of x-amz-metadata-directive or x-amz-tagging-directive. -1 with pr: InvalidArgument. */
MUST_CHECK int copy_directive(const struct s3_headers *headers, const char *name, bool *replace, struct s3_problem *pr);
/*
 * PREFIX-if-match and its kin (prefix "x-amz-copy-source", "x-amz-rename-source"), against the source. 0, or -1 with
 * pr: PreconditionFailed.
 */
MUST_CHECK int copy_condition(const struct s3_headers *headers, const char *prefix, const struct condition_object *o,
    int64_t now_us, struct s3_problem *pr);

#endif
