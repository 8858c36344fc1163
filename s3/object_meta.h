/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/object_meta.h - the request headers that are stored with an object and come
 * back with it: the system's (Content-Type ...) and the user's (x-amz-meta-*).
 */
#ifndef ANVIL_S3_OBJECT_META_H
#define ANVIL_S3_OBJECT_META_H

#include "base/strbuf.h"
#include "s3/headers.h"
#include "s3/uri.h"

#define OBJECT_USER_META_MAX 2048 /* bytes of names (without x-amz-meta-) and values together */
#define OBJECT_META_PREFIX "x-amz-meta-"
#define OBJECT_CONTENT_TYPE_DEFAULT "binary/octet-stream"
#define OBJECT_HEADERS_MAX 32768  /* of an encoded set: more than the limits of its parts come to */

/* p is NULL for what was not sent. */
struct object_meta {
	struct span content_type, cache_control, content_disposition, content_encoding, content_language, expires;
	struct span website_redirect;
	struct s3_header *user; /* names in lower case, without x-amz-meta- */
	size_t n_user;
	struct span storage_class; /* of the request; not encoded: it is the row's own column. Never empty after a parse */
};
/*
 * What a PUT (or copy with REPLACE, or CreateMultipartUpload) stores. aws-chunked is taken
 * out of Content-Encoding. -1 with pr: MetadataTooLarge, InvalidStorageClass,
 * InvalidArgument, InvalidRequest.
 */
MUST_CHECK int object_meta_parse(struct arena *a, const struct s3_headers *headers, struct object_meta *out,
    struct s3_problem *pr);
/* To the bytes of object.headers and back. Nothing to store: nothing is written. */
void object_meta_encode(struct strbuf *sb, const struct object_meta *m);
/* An empty blob is an empty set. false: not one of ours. The arena keeps copies of nothing: spans point into the blob. */
bool object_meta_decode(struct arena *a, struct span blob, struct object_meta *out);

/*
 * response-content-type and its five kin, laid over what is stored. `anonymous`: S3
 * refuses them there. -1 with pr: InvalidRequest, InvalidArgument.
 */
MUST_CHECK int object_meta_override(const struct s3_query *q, bool anonymous, struct object_meta *m, struct s3_problem *pr);
/* The header lines, "Name: value\r\n" each; Content-Type always. */
void object_meta_headers(struct strbuf *sb, const struct object_meta *m);

#endif
