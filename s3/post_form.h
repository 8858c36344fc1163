/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/post_form.h - a browser's form (multipart/form-data, RFC 7578), as a state
 * machine that takes the body in pieces of any size. What precedes the file is
 * kept, within limits; the file's bytes are handed through; what follows it is
 * ignored, as S3 does.
 */
#ifndef ANVIL_S3_POST_FORM_H
#define ANVIL_S3_POST_FORM_H

#include "base/strbuf.h"
#include "s3/problem.h"

#define POST_FORM_BYTES_MAX 20480 /* of all that precedes the file, part headers too */
#define POST_FORM_FIELDS_MAX 200
#define POST_BOUNDARY_MAX 200

struct post_field {
	struct span name, value;
};
struct post_form;

/*
 * A parser for this Content-Type, in `a`. NULL with pr: PreconditionFailed (not multipart/form-data),
 * MalformedPOSTRequest (no boundary), InternalError (past the arena's cap).
 */
struct post_form *post_form_new(struct arena *a, struct span content_type, struct s3_problem *pr);

/*
 * Push a piece. *in moves behind what was consumed; *out is the next run of the file's bytes, in the caller's own
 * bytes or the parser's (maybe empty). It stops where the file begins, before any of its bytes: see post_form_at_file.
 * Call again until in->len is 0. -1 with pr: MalformedPOSTRequest, MaxPostPreDataLengthExceeded, InvalidArgument
 * (a field twice).
 */
MUST_CHECK int post_form_push(struct post_form *f, struct span *in, struct span *out, struct s3_problem *pr);
/* Has the file's part begun? From then on the fields are all there. */
bool post_form_at_file(const struct post_form *f);
/* The body has ended. 0 when the file did, too; -1 with pr: MalformedPOSTRequest, InvalidArgument (no file). */
MUST_CHECK int post_form_finish(const struct post_form *f, struct s3_problem *pr);

/* A field's value; case does not matter; p is NULL when it is not there. */
struct span post_form_get(const struct post_form *f, const char *name);
const struct post_field *post_form_fields(const struct post_form *f, size_t *n);
/*
 * ${filename} becomes the file's name without its folders, in every field but the policy and what signs it.
 * When the file has begun. false past the arena's cap.
 */
MUST_CHECK bool post_form_expand(struct post_form *f);

#endif
