/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/aws_chunked.h - decoder of Content-Encoding: aws-chunked, as a state machine
 * that takes the body in pieces of any size and needs no memory but its own.
 *
 * Decoded bytes may be handed on before their chunk's signature is known; nothing
 * of them may become visible before aws_chunked_finish() returned 0.
 *
 *   STREAMING-AWS4-HMAC-SHA256-PAYLOAD          signed chunks
 *   STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER  signed chunks, signed trailer
 *   STREAMING-UNSIGNED-PAYLOAD-TRAILER          chunks, trailer
 */
#ifndef ANVIL_S3_AWS_CHUNKED_H
#define ANVIL_S3_AWS_CHUNKED_H

#include "s3/sigv4.h"

#define CHUNK_LINE_MAX 1024      /* a chunk's head, or one trailer */
#define CHUNK_TRAILER_MAX 4096   /* all trailer lines together */
#define CHUNK_TRAILERS_MAX 16
#define CHUNK_SIZE_MIN 8192      /* of every chunk but the last, as S3 wants it */

struct aws_chunked;

/*
 * A decoder for this request (in `a`; its hash is freed with it).
 * auth     of sigv4_parse, verified; its payload says which kind
 * key      the signing key; NULL for STREAMING-UNSIGNED-PAYLOAD-TRAILER
 * headers  x-amz-decoded-content-length and x-amz-trailer are read from them
 * Returns NULL with pr: MissingContentLength, InvalidRequest, InternalError (past the arena's cap).
 */
struct aws_chunked *aws_chunked_new(struct arena *a, const struct sigv4_auth *auth, const uint8_t *key,
    const struct s3_headers *headers, struct s3_problem *pr);

/* x-amz-decoded-content-length. */
int64_t aws_chunked_decoded_len(const struct aws_chunked *c);

/*
 * Push a piece. Consumes all of *in up to the next run of decoded bytes: *in moves behind what was
 * consumed, *out is the run inside the caller's own bytes (maybe empty). Call again until in->len is 0.
 * -1 with pr: SignatureDoesNotMatch, IncompleteBody, InvalidChunkSizeError, MalformedTrailerError.
 */
MUST_CHECK int aws_chunked_push(struct aws_chunked *c, struct span *in, struct span *out, struct s3_problem *pr);

/* The body has ended. 0 when it was whole and every signature right. */
MUST_CHECK int aws_chunked_finish(struct aws_chunked *c, struct s3_problem *pr);

/* The trailers that came, after finish. */
const struct s3_headers *aws_chunked_trailers(const struct aws_chunked *c);

/* Content-Encoding without the token "aws-chunked", as it is to be stored; p is NULL when nothing is left. */
struct span aws_chunked_strip_encoding(struct arena *a, struct span content_encoding);

#endif
