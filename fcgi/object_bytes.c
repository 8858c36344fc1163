/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/object_bytes.c - an object's bytes as runs, from its row or its blobs.
 *
 * Owns:       the blob that is open just now, and its sealer.
 * Called by:  fcgi/ops.
 * Blocks:     on the store; object_bytes_open on the regional database, too, for an
 *             object of several parts.
 * Invariant:  gives exactly the bytes that were asked for, or fails.
 */
#include "fcgi/object_bytes.h"

#include "base/chunk_seal.h"
#include "base/clock.h"
#include "base/log.h"


struct object_bytes {
	struct req *r;
	const struct sse *sse;     /* NULL: plain bytes */
	struct chunk_sealer *sealer; /* of the open blob */
	struct object_piece *pieces; /* those that are needed, in order */
	size_t n, current;
	struct blob_reader *blob;  /* of pieces[current]; NULL: not open */
	int64_t at, end;           /* what is still to be given, in the object */
};

static void
close_blob(void *arg)
{
	struct object_bytes *ob = arg;

	chunk_sealer_free(ob->sealer);
	ob->sealer = NULL;
	blob_close(ob->blob);
	ob->blob = NULL;
}

static int
failed(struct object_bytes *ob)
{
	log_event(ob->r->id, EV_STORE_FAILED, LS("detail", ob->r->err.detail));
	return -1;
}

/* The piece that holds ob->at, and its blob if it is one. */
static int
open_piece(struct object_bytes *ob)
{
	struct req *r = ob->r;
	const struct object_piece *p;
	int64_t start = clock_mono_us();
	struct blob_id id;

	while (ob->current < ob->n && ob->at >= ob->pieces[ob->current].first + ob->pieces[ob->current].size)
		ob->current++;
	if (ob->current == ob->n || ob->at < ob->pieces[ob->current].first) {
		FAIL(&r->err, ERR_INTERNAL, "an object's parts do not hold all of its bytes: at=%" PRId64, ob->at);
		return failed(ob);
	}
	p = &ob->pieces[ob->current];
	if (!p->has_blob)
		return 0;
	memcpy(id.b, p->blob_id.b, sizeof(id.b));
	if (store_open_blob(r->thread->store, &id, &ob->blob, &r->err) != 0)
		return failed(ob);
	r->store_us += clock_mono_us() - start;
	ob->sealer = sse_sealer_new(ob->sse, p->sealed_as.b);
	if (blob_size(ob->blob) != (ob->sse != NULL ? chunk_seal_size(p->size) : p->size)) {
		FAIL(&r->err, ERR_INTERNAL, "a blob's size is not its row's");
		return failed(ob);
	}
	return 0;
}

/* ---- where the bytes lie ---- */

/* All of it in one place. */
static int
one_piece(struct object_bytes *ob, const struct object *o)
{
	struct object_piece *p = ARENA_NEW(ob->r->arena, struct object_piece);

	if (p == NULL)
		return FAIL(&ob->r->err, ERR_LIMIT, "arena is full");
	*p = (struct object_piece){ .size = o->size, .has_blob = o->has_blob, .blob_id = o->blob_id,
		.sealed_as = o->sealed_as, .data = o->inline_data };
	ob->pieces = p;
	ob->n = 1;
	if (p->has_blob)
		return 0;
	if (p->data.p == NULL)
		p->data = SPAN("");
	if (sse_open_inline(ob->r, ob->sse, o->size, &p->data) != 0)
		return failed(ob);
	return 0;
}

/* Those of its parts that are asked for. */
static int
some_parts(struct object_bytes *ob, const struct bucket *b, const struct object *o)
{
	struct req *r = ob->r;

	if (ob->at == ob->end)
		return 0;
	if (meta_object_pieces(r->thread->meta, r->arena, b, &o->parts_id, ob->at, ob->end - ob->at, &ob->pieces, &ob->n,
	        &r->err) != 0)
		return -1;
	return ob->n > 0 ? 0 : FAIL(&r->err, ERR_CONFLICT, "the object was replaced before its parts were read");
}

/* Do they follow one another, and hold the bytes that their rows say? */
static int
check_pieces(struct object_bytes *ob)
{
	int64_t at = ob->n > 0 ? ob->pieces[0].first : ob->end;
	bool ok = at <= ob->at;

	for (size_t i = 0; i < ob->n; i++) {
		const struct object_piece *p = &ob->pieces[i];

		/* Sealed bytes of a part are never in its row: their key would be that of other parts' bytes. */
		ok = ok && p->first == at && (p->has_blob || ((int64_t)p->data.len == p->size && (ob->sse == NULL || ob->n == 1)));
		at += p->size;
	}
	if (ok && at >= ob->end)
		return 0;
	FAIL(&ob->r->err, ERR_INTERNAL, "an object's rows do not hold all of its bytes");
	return failed(ob);
}

int
object_bytes_open(struct req *r, const struct bucket *b, const struct object *o, const struct sse *sse,
    int64_t first, int64_t len, struct object_bytes **out)
{
	struct object_bytes *ob = ARENA_NEW(r->arena, struct object_bytes);

	ASSERT(first >= 0 && len >= 0 && len <= o->size - first);
	if (ob == NULL || !arena_on_reset(r->arena, close_blob, ob))
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	/* Ciphertext must never be passed off as the object. */
	if (sse == NULL && o->sse.len > 0)
		return FAIL(&r->err, ERR_INTERNAL, "an encrypted object was to be read without its key");
	ob->r = r;
	ob->sse = sse;
	ob->at = first;
	ob->end = first + len;
	if ((o->has_parts ? some_parts(ob, b, o) : one_piece(ob, o)) != 0 || check_pieces(ob) != 0)
		return -1;
	if (len > 0 && open_piece(ob) != 0)
		return -1;
	*out = ob;
	return 0;
}

/* ---- runs ---- */

static int
shorter(struct object_bytes *ob)
{
	FAIL(&ob->r->err, ERR_INTERNAL, "a blob is shorter than its row says");
	return failed(ob);
}

/* The sealed chunk that holds ob->at, opened in the thread's buffer. *plain: how long it is. */
static int
open_chunk(struct object_bytes *ob, const struct object_piece *p, int64_t number, size_t *plain)
{
	struct req *r = ob->r;
	uint8_t *buf = r->thread->buf;
	int64_t left = p->size - number * CHUNK_SEAL_BYTES, start = clock_mono_us();
	size_t len, got;

	*plain = left < CHUNK_SEAL_BYTES ? (size_t)left : CHUNK_SEAL_BYTES;
	len = *plain + CHUNK_SEAL_TAG;
	ASSERT(len <= r->thread->buf_size);
	for (size_t have = 0; have < len; have += got) {
		if (blob_read(ob->blob, number * CHUNK_SEAL_SIZE + (int64_t)have, buf + have, len - have, &got, &r->err) != 0)
			return failed(ob);
		if (got == 0)
			return shorter(ob);
	}
	r->store_us += clock_mono_us() - start;
	if (chunk_open(ob->sealer, number, left <= CHUNK_SEAL_BYTES, buf, len))
		return 0;
	FAIL(&r->err, ERR_INTERNAL, "a blob's chunk %" PRId64 " is not what was sealed", number);
	return failed(ob);
}

static int
next_chunk(struct object_bytes *ob, const struct object_piece *p, struct span *run)
{
	int64_t within = ob->at - p->first, number = within / CHUNK_SEAL_BYTES;
	size_t skip = (size_t)(within % CHUNK_SEAL_BYTES), plain, n;

	if (open_chunk(ob, p, number, &plain) != 0)
		return -1;
	n = plain - skip;
	if ((int64_t)n > ob->end - ob->at)
		n = (size_t)(ob->end - ob->at);
	*run = (struct span){ (const char *)ob->r->thread->buf + skip, n };
	ob->at += (int64_t)n;
	return 1;
}

static int
next_of_blob(struct object_bytes *ob, const struct object_piece *p, struct span *run)
{
	struct req *r = ob->r;
	struct thread *t = r->thread;
	int64_t start, left;
	size_t want, n;

	left = p->first + p->size < ob->end ? p->first + p->size - ob->at : ob->end - ob->at;
	want = left < (int64_t)t->buf_size ? (size_t)left : t->buf_size;
	start = clock_mono_us();
	if (blob_read(ob->blob, ob->at - p->first, t->buf, want, &n, &r->err) != 0)
		return failed(ob);
	r->store_us += clock_mono_us() - start;
	if (n == 0)
		return shorter(ob);
	*run = (struct span){ (const char *)t->buf, n };
	ob->at += (int64_t)n;
	return 1;
}

int
object_bytes_next(struct object_bytes *ob, struct span *run)
{
	const struct object_piece *p;
	int64_t last;

	if (ob->at == ob->end)
		return 0;
	p = &ob->pieces[ob->current];
	if (ob->at == p->first + p->size) {
		close_blob(ob);
		if (open_piece(ob) != 0)
			return -1;
		p = &ob->pieces[ob->current];
	}
	if (p->has_blob)
		return ob->sse != NULL ? next_chunk(ob, p, run) : next_of_blob(ob, p, run);
	last = p->first + p->size < ob->end ? p->first + p->size : ob->end;
	*run = (struct span){ p->data.p + (ob->at - p->first), (size_t)(last - ob->at) };
	ob->at = last;
	return 1;
}

void
object_bytes_close(struct object_bytes *ob)
{
	if (ob != NULL)
		close_blob(ob);
}
