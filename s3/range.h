/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/range.h - one byte range (RFC 9110 section 14), as S3 takes it: several
 * ranges, another unit or a malformed header mean the whole object.
 */
#ifndef ANVIL_S3_RANGE_H
#define ANVIL_S3_RANGE_H

#include "base/arena.h"
#include "s3/problem.h"

struct range {
	bool partial;        /* answer 206 with Content-Range */
	int64_t first, len;  /* the whole object when not partial */
};
/*
 * header   the Range header; p NULL = none
 * size     of the object
 * Returns 0, or -1 with pr: InvalidRange (nothing of it lies in the object).
 */
MUST_CHECK int range_parse(struct arena *a, struct span header, int64_t size, struct range *out, struct s3_problem *pr);
/* "bytes 0-9/100", the value of Content-Range. */
#define RANGE_TEXT_SIZE 80
void range_text(const struct range *r, int64_t size, char out[RANGE_TEXT_SIZE]);

#endif
