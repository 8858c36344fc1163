/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/cors.h - a bucket's cross-origin rules: the document, and which rule a request
 * of a page of another origin meets.
 */
#ifndef ANVIL_S3_CORS_H
#define ANVIL_S3_CORS_H

#include "base/arena.h"
#include "base/strbuf.h"
#include "s3/problem.h"

#define CORS_RULES_MAX 100

/* For a bucket's document (s3/bucket_config.h). */
MUST_CHECK int s3_cors_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr);

struct cors_request {
	struct span origin;
	struct span method;          /* that the page wants: of the preflight's header, or the request's own */
	struct span headers;         /* Access-Control-Request-Headers; p NULL: none */
};
/* What the first rule that the request meets gives; all strings are the arena's. */
struct cors_answer {
	struct span origin;          /* "*", or the request's own */
	bool credentials;            /* not for "*" */
	const char *methods;         /* "GET, PUT" */
	const char *headers;         /* those asked for, in lower case; NULL: none were */
	const char *expose;          /* NULL: none */
	int64_t max_age_s;           /* -1: not said */
};
/* By a stored document. false: no rule is met (or it cannot be read). */
bool s3_cors_match(struct arena *a, const char *stored, const struct cors_request *rq, struct cors_answer *out);

#endif
