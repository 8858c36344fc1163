/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/body.h - the request's body as verified bytes.
 *
 * body_next hands out decoded runs as they come, and returns 0 only when all
 * that the request promised was true: the length announced, every chunk's and
 * the trailer's signature, Content-MD5, the checksums, x-amz-content-sha256.
 * Nothing of the body may become visible before.
 */
#ifndef ANVIL_FCGI_BODY_H
#define ANVIL_FCGI_BODY_H

#include "fcgi/identity.h"
#include "s3/aws_chunked.h"
#include "s3/checksum.h"
#include "s3/post_form.h"
#include "s3/post_policy.h"

struct body {
	struct req *r;
	struct aws_chunked *chunked; /* NULL: the body is the object's bytes */
	struct post_form *form;      /* not NULL: the body is a browser's form, and its file the bytes */
	struct post_policy policy;   /* with form: how large the file may be */
	struct checksum_want want;
	struct checksums *sums;
	struct checksum_values got;  /* after the end */
	int64_t size;                /* announced, of decoded bytes; -1: a form's file, until its end */
	int64_t decoded;             /* so far */
	struct span rest;            /* read, not yet decoded: in the thread's buffer */
	bool read_all;
};

/*
 * Looks at the headers alone. -1: MissingContentLength, EntityTooLarge (more than
 * `max`), InvalidDigest, InvalidRequest and what aws_chunked_new refuses.
 */
MUST_CHECK int body_open(struct req *r, const struct identity *who, int64_t max, struct body *b);
/*
 * A browser's form: body_open_form reads what precedes the file, so that the caller can look at the fields (b->form)
 * and put in r->headers what they ask for; body_open_file goes on with those. -1: what post_form_new and
 * post_form_push refuse, IncompleteBody; InvalidDigest, InvalidRequest.
 */
MUST_CHECK int body_open_form(struct req *r, struct body *b);
MUST_CHECK int body_open_file(struct body *b, const struct identity *who, int64_t max, const struct post_policy *policy);
/*
 * 1: *out is the next run, in the thread's buffer until the next call. 0: the end,
 * all is verified. -1: IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, SignatureDoesNotMatch ...
 */
MUST_CHECK int body_next(struct body *b, struct span *out);
/* Between opening and the first run: these are computed (b->got), too. -1 past the arena's cap. */
MUST_CHECK int body_compute(struct body *b, unsigned set);
/* All of a small body, in the arena. max is body_open's. */
MUST_CHECK int body_all(struct body *b, struct span *out);

#endif
