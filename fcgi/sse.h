/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/sse.h - encryption at rest, for the handlers that write or read bytes.
 *
 * Each object (or upload in parts) has a random data key, kept in its row in an
 * envelope: sealed under the master key (SSE-S3), or under the client's (SSE-C),
 * which is kept nowhere. Each blob's key derives from it and the blob's id.
 * A struct sse NULL means plain bytes.
 */
#ifndef ANVIL_FCGI_SSE_H
#define ANVIL_FCGI_SSE_H

#include "fcgi/req.h"
#include "fcgi/respond.h"
#include "s3/sse.h"

struct chunk_sealer;
struct sse {
	enum sse_kind kind;
	uint8_t data_key[SSE_KEY_LEN]; /* wiped at the arena's reset */
	struct span envelope;          /* object.sse */
	struct span key_md5;           /* SSE_CUSTOMER: as the client sent it */
};

/*
 * What a new object (or upload) is encrypted with: as the headers say, else as the bucket's default does; *out NULL
 * for not at all. -1: what sse_parse refuses, InvalidRequest for a client's key without TLS.
 */
MUST_CHECK int sse_for_write(struct req *r, struct sse **out);
/*
 * The key of what was stored with this envelope. Empty: *out NULL, and a client's key is refused. -1: InvalidRequest
 * when it takes a client's key and the request has none, or another.
 */
MUST_CHECK int sse_for_read(struct req *r, struct span envelope, enum sse_of of, struct sse **out);
/* The same for a part of an upload whose envelope this is. */
MUST_CHECK int sse_for_part(struct req *r, struct span envelope, struct sse **out);
/* The headers that say so in an answer; sse NULL: none. */
void sse_reply(struct reply *rp, const struct sse *sse);
/* The same where no key is needed, from the envelope alone: SSE-S3 only. */
void sse_reply_envelope(struct reply *rp, struct span envelope);
/*
 * The ETag of bytes with this MD5: hexadecimal, the arena's. Of SSE-C it tells nothing of the bytes, as S3's does not.
 * NULL past the arena's cap.
 */
const char *sse_etag(struct req *r, const struct sse *sse, const uint8_t md5[MD5_LEN]);

/* The sealer of one blob; blob_id NULL: of the bytes in the row, whose id is zero. NULL for plain ones. The caller frees it. */
struct chunk_sealer *sse_sealer_new(const struct sse *sse, const uint8_t *blob_id);
/* Bytes that a row holds, sealed and opened; both give a copy in the arena, or *bytes itself when sse is NULL. */
MUST_CHECK int sse_seal_inline(struct req *r, const struct sse *sse, struct span *bytes);
MUST_CHECK int sse_open_inline(struct req *r, const struct sse *sse, int64_t size, struct span *bytes);

#endif
