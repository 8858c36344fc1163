/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy_sink.h - where the bytes of a copy go: hashed on their way, and sealed if they are to be, into a new blob or
 * the row.
 */
#ifndef ANVIL_FCGI_COPY_SINK_H
#define ANVIL_FCGI_COPY_SINK_H

#include "fcgi/blob_out.h"
#include "fcgi/copy.h"
#include "s3/checksum.h"

struct copy_sink {
	struct req *r;
	const struct sse *sse;
	struct checksums *sums;      /* NULL: not open */
	struct checksum_stored known; /* what the source's row says of all its bytes */
	struct blob_out out;         /* to_blob; else to the row: */
	bool to_blob;
	char *row;
	int64_t taken;
};

/*
 * For the bytes that s wants. set: the checksums that the caller needs of them, MD5 among them. in_row: small ones may go
 * to the row. All: -1 with r->err.
 */
MUST_CHECK int copy_sink_open(struct req *r, const struct copy_source *s, const struct sse *sse, bool in_row, unsigned set,
    struct copy_sink *out);
MUST_CHECK int copy_sink_take(struct copy_sink *k, const struct copy_source *s, const void *p, size_t len);
/*
 * The end: all came, and when it is the whole source, it is what its row says. Sets of o size, and blob_id (durable) or
 * inline_data.
 */
MUST_CHECK int copy_sink_end(struct copy_sink *k, const struct copy_source *s, struct checksum_values *got, struct object *o);
/* Nothing is left behind; fine when it is over or was never open. */
void copy_sink_abort(struct copy_sink *k);

/* Is the source's ETag the MD5 of its plain bytes? */
bool copy_etag_is_md5(const struct copy_source *s);

#endif
