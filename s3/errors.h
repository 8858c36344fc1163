/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/errors.h - what a client is told when it cannot have what it asked for.
 *
 * The codes are rows of s3/errors.def; a struct s3_problem says which, with what
 * message and which elements. Failures of lower layers are kinds of base/err.def,
 * and s3_code_of() says what they mean to a client.
 */
#ifndef ANVIL_S3_ERRORS_H
#define ANVIL_S3_ERRORS_H

#include "base/err.h"
#include "base/strbuf.h"
#include "s3/problem.h"

enum s3_code {
	S3_OK = 0,
	S3_FIRST = ERR_PROTOCOL - 1,
#define ERR(code, status, message, elements) S3_##code,
#include "s3/errors.def"
#undef ERR
	S3_END
};

struct s3_error {
	const char *name;     /* "NoSuchKey" */
	int status;           /* 404 */
	const char *message;
	const char *elements; /* names of its own elements, blank-separated; "" = none */
};

/* The row of a code. Kinds of base/err.def are mapped first; never NULL. */
const struct s3_error *s3_error_find(int code);
/* A kind of base/err.def as S3 code; a code of errors.def as it is; anything else InternalError. */
enum s3_code s3_code_of(int code);
/* The code of that name, S3_OK when there is none. */
enum s3_code s3_code_by_name(struct span name);
/* Is trying again later worth while (503: send Retry-After)? */
bool s3_code_is_transient(int code);

/* InvalidArgument with its two elements; message NULL = "Invalid Argument". Always -1. */
int s3_problem_argument(struct s3_problem *pr, const char *message, const char *name, struct span value);
/* What the client is told of a failure below the protocol: fills an empty problem from a struct err. */
void s3_problem_from_err(struct s3_problem *pr, const struct err *err);

/*
 * The error document: Code, Message, the problem's own elements, Resource,
 * RequestId, HostId. `resource` is the path as asked, decoded once; NULL strings
 * are left out. The size is bounded by what the request itself may hold.
 */
void s3_error_xml(struct strbuf *sb, const struct s3_problem *pr, struct span resource,
    const char *request_id, const char *host_id);

#endif
