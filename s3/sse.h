/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/sse.h - what requests say of encryption at rest: SSE-S3 (we keep the key),
 * SSE-C (the client brings it), and a bucket's default.
 */
#ifndef ANVIL_S3_SSE_H
#define ANVIL_S3_SSE_H

#include "base/crypto.h"
#include "s3/headers.h"
#include "s3/xml.h"

#define SSE_KEY_LEN 32
#define SSE_ENVELOPE_VERSION 1
#define SSE_ENVELOPE_HEAD 2
#define SSE_ENVELOPE_LEN (SSE_ENVELOPE_HEAD + SEAL_OVERHEAD + SSE_KEY_LEN)
#define SSE_AAD_S3 SPAN("anvil sse-s3")
#define SSE_AAD_CUSTOMER SPAN("anvil sse-c")
#define SSE_HEADER "x-amz-server-side-encryption"
#define SSE_ALGORITHM "AES256"

enum sse_kind { SSE_NONE, SSE_S3, SSE_CUSTOMER };
/* Whose: the object's that is written or read, or the source's of a copy. */
enum sse_of { SSE_OF_OBJECT, SSE_OF_COPY_SOURCE };

struct sse_request {
	enum sse_kind kind;
	uint8_t key[SSE_KEY_LEN]; /* SSE_CUSTOMER; to be wiped */
	struct span key_md5;      /* SSE_CUSTOMER: base64, as sent */
};
/*
 * Reads the headers. A copy's source has only those of SSE-C. -1 with pr: InvalidArgument; NotImplemented for keys
 * that KMS would hold.
 */
MUST_CHECK int sse_parse(const struct s3_headers *headers, enum sse_of of, struct sse_request *out, struct s3_problem *pr);
/* Does the request name a key of its own for this? It then has to come over TLS. */
bool sse_names_key(const struct s3_headers *headers, enum sse_of of);

/*
 * ServerSideEncryptionConfiguration of a bucket: 0 with what new objects get, -1 with pr: MalformedXML,
 * NotImplemented (KMS), InvalidRequest.
 */
MUST_CHECK int sse_config_parse(struct arena *a, struct span doc, enum sse_kind *out, struct s3_problem *pr);

/*
 * A data key's envelope: version(1) | 'S' or 'C' (1) | data key, sealed (base/crypto.h). Empty: the bytes are plain.
 */
enum sse_kind sse_envelope_kind(struct span envelope);
/* k: the master key, or the client's. false: it does not open it, or it is none. */
MUST_CHECK bool sse_envelope_open(const struct seal_key *k, struct span envelope, uint8_t data_key[SSE_KEY_LEN]);
/* The envelope of a data key under the master key. */
void sse_envelope_s3(const struct seal_key *master, const uint8_t data_key[SSE_KEY_LEN], uint8_t out[SSE_ENVELOPE_LEN]);

#endif
