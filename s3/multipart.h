/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/multipart.h - uploads in parts, in the words of S3: which checksum an upload
 * is to have, the list of parts that completes it, what the whole object's ETag
 * and checksum are, and the answers that list uploads and parts.
 */
#ifndef ANVIL_S3_MULTIPART_H
#define ANVIL_S3_MULTIPART_H

#include "s3/checksum.h"
#include "s3/listing.h"

#define MULTIPART_PARTS_MAX 10000
#define MULTIPART_PART_MIN 5242880            /* bytes of each part but the last */
#define MULTIPART_PART_MAX INT64_C(5368709120)
#define MULTIPART_DOCUMENT_MAX 4194304        /* 10,000 parts with the longest checksums */
#define MULTIPART_TREE_MAX 33554432           /* memory that reading it takes */

/* ---- the checksum of an upload ---- */

struct multipart_sum {
	enum checksum algo;
	enum checksum_type type;
	bool asked;            /* false: nobody asked, and it is S3's own choice */
};
/* What CreateMultipartUpload asks for. -1 with pr: InvalidRequest. */
MUST_CHECK int multipart_sum_parse(struct arena *a, const struct s3_headers *headers, struct multipart_sum *out,
    struct s3_problem *pr);
/* As the upload's row keeps it: nothing is written when nobody asked. false: not one of ours. */
void multipart_sum_encode(struct strbuf *sb, const struct multipart_sum *s);
bool multipart_sum_decode(struct span bytes, struct multipart_sum *out);
/*
 * May a part, or (whole) the object, come with a checksum of this algorithm (CHECKSUM_NONE: with none)? -1 with pr:
 * InvalidRequest.
 */
MUST_CHECK int multipart_sum_check(struct arena *a, const struct multipart_sum *s, enum checksum algo, bool whole,
    struct s3_problem *pr);

/* ---- completing ---- */

struct multipart_part {
	int number;
	struct span etag;      /* without quotes */
	enum checksum algo;    /* CHECKSUM_NONE: sum is not there */
	struct span sum;       /* base64 */
};
/*
 * The document of CompleteMultipartUpload: at least one part, in ascending order; of a number that is listed
 * again at once, the last. -1 with pr: MalformedXML,
 * InvalidPartOrder, InvalidArgument. All is in `a`.
 */
MUST_CHECK int multipart_complete_parse(struct arena *a, struct span document, struct multipart_part **out, size_t *n,
    struct s3_problem *pr);

/* The object's ETag and checksum, from its parts' in order. */
struct multipart_whole {
	struct multipart_sum sum;
	struct hash *md5;
	struct checksums *parts;          /* COMPOSITE */
	struct checksum_combiner crc;     /* FULL_OBJECT */
	int n;
};
/* false past the arena's cap. */
bool multipart_whole_init(struct multipart_whole *w, struct arena *a, const struct multipart_sum *s);
/* false: the ETag is no MD5. value: of the sum's algorithm. */
bool multipart_whole_add(struct multipart_whole *w, const char *etag, const uint8_t *value, int64_t size);
#define MULTIPART_ETAG_SIZE (2 * MD5_LEN + 8)
void multipart_whole_end(struct multipart_whole *w, char etag[MULTIPART_ETAG_SIZE], struct checksum_stored *sum);
/* Is it what the request says of the object? -1 with pr: InvalidRequest, BadDigest. */
MUST_CHECK int multipart_whole_check(struct arena *a, const struct s3_headers *headers, const struct multipart_sum *s,
    const struct checksum_stored *sum, int64_t size, struct s3_problem *pr);

/* ---- parameters ---- */

/* partNumber; -1 with pr: InvalidArgument. */
MUST_CHECK int multipart_number_parse(struct span text, int *out, struct s3_problem *pr);
struct list_parts_params {
	int max, marker;
};
MUST_CHECK int list_parts_params_parse(const struct s3_query *q, struct list_parts_params *out, struct s3_problem *pr);
struct list_uploads_params {
	int max;
	bool url;
	struct span prefix, delimiter, key_marker, id_marker; /* p NULL = none; an upload's marker only with a key's */
};
MUST_CHECK int list_uploads_params_parse(struct arena *a, const struct s3_query *q, struct list_uploads_params *out,
    struct s3_problem *pr);

/* GetObjectAttributes: what is asked for, by headers. -1 with pr: InvalidRequest, InvalidArgument. */
enum attribute_bits {
	ATTRIBUTE_ETAG = 1 << 0, ATTRIBUTE_CHECKSUM = 1 << 1, ATTRIBUTE_PARTS = 1 << 2, ATTRIBUTE_CLASS = 1 << 3,
	ATTRIBUTE_SIZE = 1 << 4
};
struct attributes_params {
	unsigned set;
	struct list_parts_params parts;
};
MUST_CHECK int attributes_params_parse(const struct s3_headers *headers, struct attributes_params *out, struct s3_problem *pr);

/* ---- answers (s3/multipart_xml.c) ---- */

struct multipart_owner {
	const char *id, *name; /* name NULL: not known */
};
struct upload_item {
	bool is_prefix;        /* then only key */
	struct span key;
	const char *id;
	struct multipart_owner initiator, owner;
	const char *storage_class;
	int64_t started_us;
	struct multipart_sum sum;
};
struct list_uploads_end {
	bool truncated;
	struct span key;
	const char *id;        /* NULL: a common prefix */
};
void list_uploads_xml_begin(struct strbuf *sb, const struct list_uploads_params *p, struct span bucket,
    const struct list_uploads_end *e);
void list_uploads_xml_item(struct strbuf *sb, const struct list_uploads_params *p, const struct upload_item *it);
void list_uploads_xml_end(struct strbuf *sb);

struct part_item {
	int number;
	int64_t size, mtime_us;
	const char *etag;
	struct checksum_stored sum;
};
void list_parts_xml_begin(struct strbuf *sb, const struct list_parts_params *p, struct span bucket, const struct upload_item *u,
    bool truncated, int next);
void list_parts_xml_item(struct strbuf *sb, const struct part_item *it);
void list_parts_xml_end(struct strbuf *sb, const struct upload_item *u);

/* Parts of an object: begin, items, end; within GetObjectAttributesResponse. */
void object_parts_xml_begin(struct strbuf *sb, const struct list_parts_params *p, bool truncated, int next);
void object_parts_xml_item(struct strbuf *sb, const struct part_item *it);
void object_parts_xml_end(struct strbuf *sb, int count);
void object_checksum_xml(struct strbuf *sb, const struct checksum_stored *sum);

void multipart_created_xml(struct strbuf *sb, struct span bucket, struct span key, const char *id);
void multipart_completed_xml(struct strbuf *sb, const char *location, struct span bucket, struct span key, const char *etag,
    const struct checksum_stored *sum);

#endif
