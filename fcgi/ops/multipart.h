/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/multipart.h - what the operations on uploads in parts share. A part is
 * stored in three steps, whatever its bytes come from: multipart_part looks at the
 * request and the upload; then the bytes become durable; then multipart_store
 * writes the row.
 */
#ifndef ANVIL_FCGI_OPS_MULTIPART_H
#define ANVIL_FCGI_OPS_MULTIPART_H

#include "fcgi/identity.h"
#include "fcgi/sse.h"
#include "meta/upload.h"
#include "s3/multipart.h"

struct multipart {
	struct uuid id;
	struct span id_text;       /* as sent */
	struct upload upload;
	struct multipart_sum sum;  /* the checksum that it is to have */
	/* of a part */
	int number;
	struct sse *sse;           /* what its bytes are sealed with; then they must be a blob. NULL: nothing */
};

/* The uploadId of the request. -1: NoSuchUpload. */
MUST_CHECK int multipart_id(struct req *r, struct multipart *m);
/* Its upload, under way: 1, or 0 when there is none. -1 with r->err. */
MUST_CHECK int multipart_look(struct req *r, struct multipart *m);
/* The same, where there must be one. -1: NoSuchUpload. */
MUST_CHECK int multipart_find(struct req *r, struct multipart *m);
/* Is -1, with r->err: what became of an upload's change. */
int multipart_refused(struct req *r, const struct multipart *m, enum upload_did did);

/* The part that the request names, and the key of its bytes. -1: NoSuchUpload, InvalidArgument, InvalidRequest. */
MUST_CHECK int multipart_part(struct req *r, struct multipart *m);
/* Which checksums of a part's bytes multipart_store needs (for checksums_new). */
unsigned multipart_compute(const struct multipart *m);
/*
 * The row of a part: of o, size and blob_id or inline_data; etag and checksums are set here, from `got`. -1 with r->err:
 * the blob is gone again.
 */
MUST_CHECK int multipart_store(struct req *r, const struct multipart *m, const struct checksum_values *got, struct object *o,
    int64_t *mtime_us);

#endif
