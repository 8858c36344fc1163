/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/problem.c - the first reason why a request is refused.
 *
 * Owns:       nothing; texts are borrowed.
 * Called by:  every parser of s3/ and the handlers.
 * Blocks:     no.
 */
#include "s3/problem.h"

void
s3_problem_clear(struct s3_problem *pr)
{
	pr->code = 0;
	pr->message = NULL;
	pr->n_extra = 0;
}

int
s3_problem_set(struct s3_problem *pr, int code, const char *message)
{
	if (pr->code != 0)
		return -1;
	pr->code = code;
	pr->message = message;
	return -1;
}

void
s3_problem_extra(struct s3_problem *pr, const char *name, struct span value)
{
	if (pr->n_extra == ARRAY_LEN(pr->extra))
		return;
	pr->extra[pr->n_extra].name = name;
	pr->extra[pr->n_extra].value = value;
	pr->n_extra++;
}
