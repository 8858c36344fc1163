/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/object_bytes.h - an object's bytes, wherever they lie: in its row, in one
 * blob, or in the blobs of its parts. GetObject, CopyObject and UploadPartCopy
 * read through this and know nothing of it.
 */
#ifndef ANVIL_FCGI_OBJECT_BYTES_H
#define ANVIL_FCGI_OBJECT_BYTES_H

#include "fcgi/sse.h"
#include "meta/upload.h"

struct object_bytes;

/*
 * The bytes [first, first + len) of an object of bucket b, which lie in it. o is as meta_object_get
 * with want_data gave it, sse its key (sse_for_read; NULL for plain bytes alone). Where they all lie is known, and what holds the first of them is open, when
 * this returns 0: a lost blob is an error before anything was sent, and an object that is overwritten
 * meanwhile is read to its end. -1 with ERR_CONFLICT: it was overwritten before, find it again. Lives in the request's arena.
 */
MUST_CHECK int object_bytes_open(struct req *r, const struct bucket *b, const struct object *o, const struct sse *sse,
    int64_t first, int64_t len, struct object_bytes **out);
/* 1: *run is what follows, good until the next call (in the thread's buffer). 0: that was all. -1: r->err, and logged. */
MUST_CHECK int object_bytes_next(struct object_bytes *ob, struct span *run);
/* NULL is fine; ended by the arena's reset, too. */
void object_bytes_close(struct object_bytes *ob);

#endif
