/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/blob_out.c - bytes into a new blob, sealed on their way if they are to be.
 *
 * Owns:       the blob's writer and its sealer.
 * Called by:  fcgi/ops.
 * Blocks:     on the store; opening: also on the regional database, where a bucket has a quota.
 * Invariant:  a chunk is sealed when the next one begins, or the end is known: the
 *             last one is marked, so a whole one waits.
 */
#include "fcgi/blob_out.h"

#include "base/chunk_seal.h"
#include "base/clock.h"
#include "fcgi/quota.h"

int
blob_out_open(struct req *r, const struct sse *sse, int64_t size, struct blob_out *o)
{
	struct blob_id id;
	int64_t start;

	*o = (struct blob_out){ .r = r };
	if (quota_admit(r, size) != 0)
		return -1;
	start = clock_mono_us();
	if (store_create(r->thread->store, sse == NULL || size < 0 ? size : chunk_seal_size(size), &o->w, &r->err) != 0)
		return -1;
	r->store_us += clock_mono_us() - start;
	blob_writer_id(o->w, &id);
	o->sealer = sse_sealer_new(sse, id.b);
	return 0;
}

static int
store_bytes(struct blob_out *o, const void *p, size_t len)
{
	int64_t start = clock_mono_us();
	int rc = blob_write(o->w, p, len, &o->r->err);

	o->r->store_us += clock_mono_us() - start;
	return rc;
}

static void
end_sealer(struct blob_out *o)
{
	chunk_sealer_free(o->sealer);
	o->sealer = NULL;
}

static int
end_chunk(struct blob_out *o, bool last)
{
	uint8_t *buf = o->r->thread->seal_buf;
	size_t len = o->filled;

	chunk_seal(o->sealer, o->chunk++, last, buf, len);
	o->filled = 0;
	return store_bytes(o, buf, len + CHUNK_SEAL_TAG);
}

int
blob_out_write(struct blob_out *o, const void *p, size_t len)
{
	const uint8_t *from = p;

	if (o->sealer == NULL)
		return store_bytes(o, p, len);
	while (len > 0) {
		size_t n;

		if (o->filled == CHUNK_SEAL_BYTES && end_chunk(o, false) != 0)
			return -1;
		n = CHUNK_SEAL_BYTES - o->filled < len ? CHUNK_SEAL_BYTES - o->filled : len;
		memcpy(o->r->thread->seal_buf + o->filled, from, n);
		o->filled += n;
		from += n;
		len -= n;
	}
	return 0;
}

int
blob_out_commit(struct blob_out *o, struct uuid *out)
{
	struct blob_id id;
	int64_t start;
	int rc;

	if (o->sealer != NULL && end_chunk(o, true) != 0) {
		blob_out_abort(o);
		return -1;
	}
	end_sealer(o);
	start = clock_mono_us();
	rc = blob_commit(o->w, &id, &o->r->err);
	o->w = NULL;
	o->r->store_us += clock_mono_us() - start;
	memcpy(out->b, id.b, sizeof(id.b));
	return rc;
}

void
blob_out_abort(struct blob_out *o)
{
	end_sealer(o);
	blob_abort(o->w);
	o->w = NULL;
}
