/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/sigv4.h - AWS Signature Version 4 for S3: who signed this request, and is
 * it true. Two steps, because between them the caller must fetch the secret:
 *
 *   sigv4_parse    reads Authorization or X-Amz-*, checks form, dates, expiry
 *                  and that all that must be signed is; needs no secret
 *   sigv4_verify   computes the signature with the derived signing key
 *
 * The scope's region is only reported: which regions are right depends on the
 * bucket's home (routing/); sigv4_check_region gives the error's words.
 * S3's own rules: the path is encoded once and not normalised. The canonical
 * path is the once decoded path encoded again, so that a client that encodes
 * differently but equivalently ("%7E" for "~", "%2b" for "%2B") verifies too,
 * and one that signs the host without the port that it sends.
 * Source: S3 API Reference, "Authenticating Requests (AWS Signature Version 4)".
 */
#ifndef ANVIL_S3_SIGV4_H
#define ANVIL_S3_SIGV4_H

#include "base/crypto.h"
#include "base/strbuf.h"
#include "s3/date.h"
#include "s3/headers.h"
#include "s3/uri.h"

#define SIGV4_SKEW_S 900       /* how far a signed date may be from ours */
#define SIGV4_EXPIRES_MAX 604800
#define SIGV4_SIGNED_HEADERS_MAX 128
#define SIGV4_SECRET_MAX 256   /* what is longer is cut; secrets here have 40 characters */
#define SIGV4_UNSIGNED_PAYLOAD "UNSIGNED-PAYLOAD"
#define SIGV4_EMPTY_SHA256 "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

enum sigv4_form {
	SIGV4_ANONYMOUS, /* no credentials at all */
	SIGV4_HEADER,
	SIGV4_PRESIGNED,
	SIGV4_POST_FORM  /* a browser's form: its policy is what is signed */
};

/* What x-amz-content-sha256 says of the body. */
enum sigv4_payload {
	PAYLOAD_NONE,                    /* no such header (anonymous or presigned): not checked */
	PAYLOAD_HASHED,                  /* the hex SHA-256 of the body, in payload_hash */
	PAYLOAD_UNSIGNED,                /* UNSIGNED-PAYLOAD */
	PAYLOAD_STREAM_SIGNED,           /* STREAMING-AWS4-HMAC-SHA256-PAYLOAD */
	PAYLOAD_STREAM_SIGNED_TRAILER,   /* ...-PAYLOAD-TRAILER */
	PAYLOAD_STREAM_UNSIGNED_TRAILER  /* STREAMING-UNSIGNED-PAYLOAD-TRAILER */
};
#define payload_is_chunked(p) ((p) >= PAYLOAD_STREAM_SIGNED)

struct sigv4_request {
	struct span method;            /* "GET" ... */
	struct span path;              /* decoded once, begins with "/": s3_uri.path */
	const struct s3_query *query;
	const struct s3_headers *headers; /* with "host" */
	struct span service;           /* that it must be signed for; p NULL: "s3" */
	struct span body_sha256;       /* p NULL: S3's way, x-amz-content-sha256 tells. Else hex: the body's, whatever a header says */
};

struct sigv4_auth {
	enum sigv4_form form;
	enum sigv4_payload payload;
	struct span payload_hash;      /* the header's value as signed; presigned without one: UNSIGNED-PAYLOAD */
	uint8_t payload_sha256[SHA256_LEN]; /* decoded, for PAYLOAD_HASHED */
	struct span key_id;
	struct span day, region, service; /* the credential scope */
	struct span scope;             /* day/region/service/aws4_request */
	struct span signed_headers;    /* as it came: "host;x-amz-date" */
	struct span signature;         /* 64 hex digits */
	struct span token;             /* x-amz-security-token; p is NULL if none */
	int64_t time_us;               /* when it was signed */
	char time[DATE_BASIC_SIZE];
	int64_t expires_s;             /* presigned only */
};

/*
 * Read the credentials of a request. Borrows from rq; what must be made lives in `a`.
 * Returns 0 (also for SIGV4_ANONYMOUS), or -1 with pr: AuthorizationHeaderMalformed,
 * AuthorizationQueryParametersError, InvalidArgument, InvalidRequest, RequestTimeTooSkewed,
 * AccessDenied, NotImplemented.
 */
MUST_CHECK int sigv4_parse(struct arena *a, const struct sigv4_request *rq, int64_t now_us,
    struct sigv4_auth *out, struct s3_problem *pr);

/* Is the scope's region one of these? If not -1 with pr, which names `expecting` in <Region>. */
MUST_CHECK int sigv4_check_region(struct arena *a, const struct sigv4_auth *auth, const char *const *allowed,
    size_t n, const char *expecting, struct s3_problem *pr);

/* The key that signs for a day, region and service; good to keep for that day. Wipe it when done. */
void sigv4_signing_key(struct span secret, struct span day, struct span region, struct span service,
    uint8_t out[SHA256_LEN]);

/* 0 when the signature is right, or -1 with pr: SignatureDoesNotMatch and what was signed, InternalError. */
MUST_CHECK int sigv4_verify(struct arena *a, const struct sigv4_request *rq, const struct sigv4_auth *auth,
    const uint8_t key[SHA256_LEN], struct s3_problem *pr);

/* The fields of a form that say who signed it; p is NULL for those that are not there. */
struct sigv4_form_fields {
	struct span policy;            /* as it came: base64 */
	struct span algorithm, credential, date, signature, token;
	bool is_v2;                    /* AWSAccessKeyId or Signature is there */
};
/*
 * Read the credentials of a form. 0 (also for SIGV4_ANONYMOUS: none of the fields is there), or -1 with pr:
 * InvalidArgument (one is missing), InvalidRequest (version 2), AuthorizationQueryParametersError, AccessDenied.
 */
MUST_CHECK int sigv4_parse_form(struct arena *a, const struct sigv4_form_fields *f, int64_t now_us,
    struct sigv4_auth *out, struct s3_problem *pr);
/* 0 when the policy's signature is right, or -1 with pr: SignatureDoesNotMatch. */
MUST_CHECK int sigv4_verify_form(struct arena *a, struct span policy, const struct sigv4_auth *auth,
    const uint8_t key[SHA256_LEN], struct s3_problem *pr);

struct sigv4_signer {
	struct span key_id, secret;
	struct span token;             /* p NULL = none */
	struct span region, service;   /* "s3" */
	int64_t now_us;
};
/*
 * Sign a request in the header form: every header of rq->headers but those that proxies change
 * (and user-agent, authorization) is signed. payload_hash is a hex SHA-256 or one of the words.
 * *out: Authorization, x-amz-date, x-amz-content-sha256 and the token, to be sent with rq->headers.
 * *auth (may be NULL) gets what a chunk signer goes on from. -1 past a limit.
 */
MUST_CHECK int sigv4_sign(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by,
    struct span payload_hash, struct s3_headers *out, struct sigv4_auth *auth);

/*
 * A presigned URL: `base` ("https://host[:port]"), path and query of rq, and X-Amz-*.
 * X-Amz-* of an earlier signature in rq->query are left out. rq->headers: the headers to sign, among them
 * "host" as the client will send it. NULL past a limit.
 */
const char *sigv4_presign(struct arena *a, const struct sigv4_request *rq, const struct sigv4_signer *by,
    const char *base, int64_t expires_s);

/*
 * A verified presigned request signed anew for another region's endpoint: same method, query and signed
 * headers, what is left of its time (at least 1 s). `base` and `path` as the home is reached (path or host style).
 * by->secret etc. are the same app's. NULL past a limit.
 */
const char *sigv4_presign_again(struct arena *a, const struct sigv4_request *rq, const struct sigv4_auth *auth,
    const struct sigv4_signer *by, const char *base, struct span path);

/* --- for aws_chunked.c, signers of chunks and tests --- */

#define SIGV4_CHUNK_TEXT_MAX 640
#define SIGV4_HEX_SIZE (2 * SHA256_LEN + 1)
/* What is signed of a chunk ("AWS4-HMAC-SHA256-PAYLOAD") or of the trailer ("AWS4-HMAC-SHA256-TRAILER"). Its length. */
size_t sigv4_chunk_text(const char *kind, const char *time, struct span scope, const char previous[SIGV4_HEX_SIZE],
    const uint8_t data_sha256[SHA256_LEN], char out[SIGV4_CHUNK_TEXT_MAX]);
/* hex(HMAC(key, text)) */
void sigv4_sign_text(const uint8_t key[SHA256_LEN], struct span text, char out[SIGV4_HEX_SIZE]);
/* SignatureDoesNotMatch with its elements; is -1. `canonical` empty: left out. The texts are kept by pointer. */
int sigv4_mismatch(struct s3_problem *pr, struct arena *a, struct span key_id, struct span signature,
    struct span to_sign, struct span canonical);

#endif
