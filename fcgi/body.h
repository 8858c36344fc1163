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

struct body {
	struct req *r;
	struct aws_chunked *chunked; /* NULL: the body is the object's bytes */
	struct checksum_want want;
	struct checksums *sums;
	struct checksum_values got;  /* after the end */
	int64_t size;                /* announced, of decoded bytes */
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
 * 1: *out is the next run, in the thread's buffer until the next call. 0: the end,
 * all is verified. -1: IncompleteBody, BadDigest, XAmzContentSHA256Mismatch, SignatureDoesNotMatch ...
 */
MUST_CHECK int body_next(struct body *b, struct span *out);
/* All of a small body, in the arena. max is body_open's. */
MUST_CHECK int body_all(struct body *b, struct span *out);

#endif
