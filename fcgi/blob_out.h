/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/blob_out.h - bytes into a new blob, sealed on their way if they are to
 * be. What stores a body or a copy writes through this, and knows nothing of it.
 */
#ifndef ANVIL_FCGI_BLOB_OUT_H
#define ANVIL_FCGI_BLOB_OUT_H

#include "fcgi/sse.h"

struct blob_out {
	struct req *r;
	struct blob_writer *w;       /* NULL: over */
	struct chunk_sealer *sealer; /* NULL: plain bytes */
	int64_t chunk;               /* the number of the one that is being filled */
	size_t filled;               /* bytes of it, in the thread's seal_buf */
};

/* size: of the plain bytes, for the store to make room. One a thread at a time when sse is not NULL. All: -1 with r->err. */
MUST_CHECK int blob_out_open(struct req *r, const struct sse *sse, int64_t size, struct blob_out *out);
MUST_CHECK int blob_out_write(struct blob_out *o, const void *p, size_t len);
/* Durable when it returns 0; over either way. */
MUST_CHECK int blob_out_commit(struct blob_out *o, struct uuid *id);
/* Nothing is left behind; fine when it is over. */
void blob_out_abort(struct blob_out *o);

#endif
