/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/checksum.h - checksums of object bytes: what a request declares, all of
 * them computed in one pass, the verdict, and the set that is stored.
 *
 * When a client sends none, CRC64NVME is computed and stored, as S3 does.
 * MD5 is always computed: it is the ETag (CHECKSUM_MD5_BIT, whether or not it is
 * declared as x-amz-checksum-md5 too).
 */
#ifndef ANVIL_S3_CHECKSUM_H
#define ANVIL_S3_CHECKSUM_H

#include "base/crypto.h"
#include "base/parse.h"
#include "base/strbuf.h"
#include "s3/headers.h"
#include "s3/sigv4.h"

enum checksum {
#define CHECKSUM(id, name, header, xml, len, composite, full) CHECKSUM_##id,
#include "s3/checksum.def"
#undef CHECKSUM
	CHECKSUM_COUNT,
	CHECKSUM_NONE = -1
};
#define CHECKSUM_BYTES_MAX 64
#define CHECKSUM_B64_SIZE (base64_len(CHECKSUM_BYTES_MAX) + 1)
#define CHECKSUM_BIT(c) (1u << (c))
#define CHECKSUM_MD5_BIT (1u << CHECKSUM_COUNT)

enum checksum_type { CHECKSUM_FULL_OBJECT, CHECKSUM_COMPOSITE };

struct checksum_info {
	const char *name;   /* "CRC32" */
	const char *header; /* "x-amz-checksum-crc32" */
	const char *xml;    /* "ChecksumCRC32" */
	uint8_t len;
	bool composite, full_object;
};
extern const struct checksum_info checksum_table[CHECKSUM_COUNT];
/* By name in any case / by header; CHECKSUM_NONE when it is none. */
enum checksum checksum_by_name(struct span name);
enum checksum checksum_by_header(struct span header);
/* By a client's name for it. -1 with pr: InvalidRequest, naming those that there are. */
MUST_CHECK int checksum_algorithm(struct arena *a, struct span name, enum checksum *out, struct s3_problem *pr);
const char *checksum_type_name(enum checksum_type t); /* "FULL_OBJECT", "COMPOSITE" */

/* --- computing --- */
struct checksums;
/* Contexts for the bits of `set` (CHECKSUM_BIT, CHECKSUM_MD5_BIT), in `a`; freed with it. NULL past the arena's cap. */
struct checksums *checksums_new(struct arena *a, unsigned set);
void checksums_reset(struct checksums *c);
void checksums_update(struct checksums *c, const void *p, size_t len);

struct checksum_values {
	unsigned set;
	uint8_t v[CHECKSUM_COUNT][CHECKSUM_BYTES_MAX];
	uint8_t md5[MD5_LEN];
};
void checksums_final(struct checksums *c, struct checksum_values *out);
/* One checksum of a whole buffer. */
void checksum_of(enum checksum c, const void *p, size_t len, uint8_t out[CHECKSUM_BYTES_MAX]);
/* Running CRC-64/NVME: begin with 0. The second is the same without special instructions, for tests. */
uint64_t crc64nvme(uint64_t crc, const void *p, size_t len);
uint64_t crc64nvme_portable(uint64_t crc, const void *p, size_t len);

/*
 * The CRC of stretches that follow one another, from theirs and their lengths (s3/crc_combine.c). Only of algorithms that
 * can be of a full object.
 */
struct checksum_combiner {
	enum checksum kind;
	uint64_t crc;
	int64_t len;            /* of which shift is */
	uint64_t shift;
};
void checksum_combiner_init(struct checksum_combiner *cc, enum checksum c);
void checksum_combine(struct checksum_combiner *cc, const uint8_t *next, int64_t len);
void checksum_combined(const struct checksum_combiner *cc, uint8_t out[CHECKSUM_BYTES_MAX]);

/* --- what a request declares --- */
struct checksum_want {
	unsigned compute;       /* for checksums_new: everything that must be compared or stored, MD5 too */
	enum checksum algo;     /* declared by header or trailer; CHECKSUM_NONE when nothing is */
	bool in_trailer;        /* its value comes in the trailer */
	uint8_t value[CHECKSUM_BYTES_MAX]; /* unless in_trailer or NONE */
	bool has_md5;           /* Content-MD5 */
	uint8_t md5[MD5_LEN];
	struct span md5_text;
	bool has_sha256;        /* x-amz-content-sha256 is a hash */
	uint8_t sha256[SHA256_LEN];
	enum checksum store;    /* which is stored with the object: algo, else CRC64NVME */
};
/*
 * Read Content-MD5, x-amz-checksum-*, x-amz-sdk-checksum-algorithm, x-amz-trailer and the payload's hash.
 * -1 with pr: InvalidDigest, InvalidRequest.
 */
MUST_CHECK int checksum_want_parse(struct arena *a, const struct s3_headers *headers, const struct sigv4_auth *auth,
    struct checksum_want *out, struct s3_problem *pr);
/*
 * Do the computed values fit? `trailers` of aws_chunked_trailers, or NULL.
 * -1 with pr: BadDigest, XAmzContentSHA256Mismatch, InvalidRequest, MalformedTrailerError. Texts live in `a`.
 */
MUST_CHECK int checksum_check(struct arena *a, const struct checksum_want *want, const struct checksum_values *got,
    const struct s3_headers *trailers, struct s3_problem *pr);

/* --- what is stored with an object (object.checksums) --- */
struct checksum_stored {
	enum checksum algo;     /* CHECKSUM_NONE when there is none */
	enum checksum_type type;
	int parts;              /* COMPOSITE: how many; the value is written "base64-parts" */
	uint8_t value[CHECKSUM_BYTES_MAX];
};
void checksum_encode(struct strbuf *sb, const struct checksum_stored *s);
/* An empty blob is CHECKSUM_NONE; false when it is not ours. */
bool checksum_decode(struct span blob, struct checksum_stored *out);
/* The text of the header or element: base64, "-N" behind it when composite. */
#define CHECKSUM_TEXT_SIZE (CHECKSUM_B64_SIZE + 12)
void checksum_text(const struct checksum_stored *s, char out[CHECKSUM_TEXT_SIZE]);
/* base64 text to bytes, exactly the algorithm's length. */
bool checksum_parse_value(enum checksum c, struct span b64, uint8_t out[CHECKSUM_BYTES_MAX]);

#endif
