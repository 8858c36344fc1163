/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/problem.h - why a request is refused, in the words of S3: the code, a
 * message of its own where the code's row in errors.def is too general, and the
 * elements that this code adds to the error document (StringToSign, Region ...).
 *
 * Parsers of s3/ fill one and return -1. The first problem is kept. Values are
 * borrowed from the request or live in the caller's arena.
 */
#ifndef ANVIL_S3_PROBLEM_H
#define ANVIL_S3_PROBLEM_H

#include "base/base.h"

#define S3_PROBLEM_EXTRAS 12

struct s3_extra {
	const char *name; /* the element's name; static */
	struct span value;
};

struct s3_problem {
	int code;            /* enum s3_code; 0 = none */
	const char *message; /* NULL = the one of errors.def */
	struct s3_extra extra[S3_PROBLEM_EXTRAS];
	size_t n_extra;
};

void s3_problem_clear(struct s3_problem *pr);
/* Records code and message (kept by pointer, NULL for the default) if it is the first; is -1. */
int s3_problem_set(struct s3_problem *pr, int code, const char *message);
/* One more element of the error document, before or after the code; past S3_PROBLEM_EXTRAS it is dropped. */
void s3_problem_extra(struct s3_problem *pr, const char *name, struct span value);

#endif
