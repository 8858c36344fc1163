/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move_blob.c - a blob of a bucket's move, from the source's answer to the store.
 *
 * Owns:       the new blob's writer; keys and digests, until the arena is reset.
 * Called by:  admin/move_source.c, a thread a blob.
 * Blocks:     on the store.
 * Invariant:  a move must not make of a broken object a sound one: a blob that is not what its row says gets no id.
 */
#include "admin/move_blob.h"

#include "admin/move_row.h"
#include "base/codec.h"
#include "routing/move.h"

#define HEAD_BEGIN 5 /* its version and its length */

struct move_blob {
	struct arena *arena;
	const struct settings *settings;
	struct store *store;
	struct strbuf head;      /* as far as it has come */
	bool have_head;
	bool named;
	struct move_row row;
	int64_t stored, got;     /* bytes as they are stored: announced, and come */
	uint8_t digest[SHA256_LEN]; /* the source's; digest_got bytes of it */
	size_t digest_got;
	struct hash *sum;        /* ours */
	struct blob_writer *out;
	struct checksums *sums;  /* of the plain bytes; NULL: they cannot be known, or need not */
	struct chunk_sealer *opener;
	uint8_t *chunk;          /* sealed, of which chunk_len bytes have come */
	size_t chunk_len;
	int64_t chunk_no;
	const char *damage;      /* what is wrong with it */
};

static void
release(void *arg)
{
	struct move_blob *b = arg;

	hash_free(b->sum);
	chunk_sealer_free(b->opener);
}

struct move_blob *
move_blob_new(struct arena *a, const struct settings *s, struct store *st)
{
	struct move_blob *b = ARENA_NEW(a, struct move_blob);

	if (b == NULL || !arena_on_reset(a, release, b))
		return NULL;
	b->arena = a;
	b->settings = s;
	b->store = st;
	b->sum = hash_new(HASH_SHA256);
	strbuf_init(&b->head, a, HEAD_BEGIN + MOVE_HEAD_MAX);
	return b;
}

/* ---- the head ---- */

static bool
read_row(struct move_blob *b, struct dec *d)
{
	struct move_row *r = &b->row;
	struct span sums;

	r->key = dec_bytes(d, MOVE_HEAD_MAX);
	r->part_no = dec_i64(d);
	r->size = dec_i64(d);
	r->etag = dec_str(d, b->arena, MOVE_HEAD_MAX);
	sums = dec_bytes(d, MOVE_HEAD_MAX);
	r->sse = dec_bytes(d, MOVE_HEAD_MAX);
	return dec_raw(d, r->sealed_as.b, UUID_LEN) && r->etag != NULL && r->size >= 0 && checksum_decode(sums, &r->known);
}

/* What it will be compared with. */
static int
begin_checks(struct move_blob *b, struct err *err)
{
	if (move_row_begin(&b->row, b->settings, b->arena, b->stored, &b->sums, &b->opener, &b->damage, err) != 0)
		return -1;
	if (b->opener != NULL)
		b->chunk = arena_alloc(b->arena, CHUNK_SEAL_SIZE);
	return b->opener == NULL || b->chunk != NULL ? 0 : FAIL(err, ERR_LIMIT, "no memory for a chunk of a blob");
}

static int
read_head(struct move_blob *b, struct err *err)
{
	struct dec d;
	struct span head;

	dec_init(&d, b->head.buf, b->head.len);
	if (dec_u8(&d) != MOVE_VERSION)
		return FAIL(err, ERR_CONFLICT, "the source speaks of moves in another release's way");
	head = dec_bytes(&d, MOVE_HEAD_MAX);
	if (!dec_done(&d))
		return FAIL(err, ERR_INTERNAL, "a blob's head cannot be read");
	dec_init(&d, head.p, head.len);
	b->stored = dec_i64(&d);
	b->named = dec_u8(&d) == 1;
	if ((b->named && !read_row(b, &d)) || !dec_done(&d) || b->stored < 0)
		return FAIL(err, ERR_INTERNAL, "a blob's head cannot be read");
	b->have_head = true;
	if (store_create(b->store, b->stored, &b->out, err) != 0)
		return -1;
	return b->named ? begin_checks(b, err) : 0;
}

/* How many bytes of it are still to come. */
static size_t
head_wants(const struct move_blob *b)
{
	struct dec d;
	uint32_t len;

	if (b->head.len < HEAD_BEGIN)
		return HEAD_BEGIN - b->head.len;
	dec_init(&d, b->head.buf, HEAD_BEGIN);
	(void)dec_u8(&d);
	len = dec_u32(&d);
	return len > MOVE_HEAD_MAX ? 0 : HEAD_BEGIN + len - b->head.len; /* 0: what is there cannot be read */
}

static int
take_head(struct move_blob *b, const uint8_t **p, size_t *len, struct err *err)
{
	while (*len > 0 && !b->have_head) {
		size_t n = head_wants(b);

		n = n < *len ? n : *len;
		strbuf_add(&b->head, *p, n);
		*p += n;
		*len -= n;
		if (head_wants(b) == 0 && read_head(b, err) != 0)
			return -1;
	}
	return 0;
}

/* ---- the bytes ---- */

static void
open_chunk(struct move_blob *b)
{
	bool last = b->chunk_no == chunk_seal_count(b->row.size) - 1;

	if (!chunk_open(b->opener, b->chunk_no, last, b->chunk, b->chunk_len))
		b->damage = MOVE_ROW_NOT_SEALED;
	else
		checksums_update(b->sums, b->chunk, b->chunk_len - CHUNK_SEAL_TAG);
	b->chunk_no++;
	b->chunk_len = 0;
}

static void
check_sealed(struct move_blob *b, const uint8_t *p, size_t len)
{
	while (len > 0 && b->damage == NULL) {
		size_t n = CHUNK_SEAL_SIZE - b->chunk_len;

		n = n < len ? n : len;
		memcpy(b->chunk + b->chunk_len, p, n);
		b->chunk_len += n;
		p += n;
		len -= n;
		if (b->chunk_len == CHUNK_SEAL_SIZE || (len == 0 && b->got == b->stored))
			open_chunk(b);
	}
}

static int
take_bytes(struct move_blob *b, const uint8_t *p, size_t len, struct err *err)
{
	b->got += (int64_t)len;
	hash_update(b->sum, p, len);
	if (b->opener != NULL)
		check_sealed(b, p, len);
	else if (b->sums != NULL)
		checksums_update(b->sums, p, len);
	return blob_write(b->out, p, len, err);
}

int
move_blob_take(struct move_blob *b, const void *bytes, size_t len, struct err *err)
{
	const uint8_t *p = bytes;
	size_t n;

	if (take_head(b, &p, &len, err) != 0)
		return -1;
	if (len > 0 && b->got < b->stored) {
		n = (int64_t)len < b->stored - b->got ? len : (size_t)(b->stored - b->got);
		if (take_bytes(b, p, n, err) != 0)
			return -1;
		p += n;
		len -= n;
	}
	if (len > sizeof(b->digest) - b->digest_got)
		return FAIL(err, ERR_INTERNAL, "more bytes of a blob came than were announced");
	memcpy(b->digest + b->digest_got, p, len);
	b->digest_got += len;
	return 0;
}

/* ---- the end ---- */

static int
whole(struct move_blob *b, const struct region *source, const struct uuid *blob, struct err *err)
{
	uint8_t ours[HASH_MAX_LEN];
	char id[UUID_TEXT_LEN + 1];

	if (!b->have_head || b->got != b->stored || b->digest_got != sizeof(b->digest))
		return FAIL(err, ERR_UNAVAILABLE, "not all of a blob came from region \"%s\"", source->name);
	if (hash_final(b->sum, ours) != sizeof(b->digest) || memcmp(ours, b->digest, sizeof(b->digest)) != 0)
		return FAIL(err, ERR_UNAVAILABLE, "a blob was changed on its way from region \"%s\"", source->name);
	if (b->damage == NULL && b->sums != NULL)
		b->damage = move_row_compare(&b->row, b->sums);
	if (b->damage == NULL)
		return 0;
	uuid_text(blob, id);
	return move_row_damaged(&b->row, source, id, b->damage, err);
}

int
move_blob_end(struct move_blob *b, const struct region *source, const struct uuid *blob, struct blob_id *id, struct err *err)
{
	struct blob_writer *out = b->out;

	if (whole(b, source, blob, err) != 0) {
		move_blob_abort(b);
		return -1;
	}
	b->out = NULL;
	return blob_commit(out, id, err);
}

void
move_blob_abort(struct move_blob *b)
{
	blob_abort(b->out);
	b->out = NULL;
}

int64_t
move_blob_bytes(const struct move_blob *b)
{
	return b->got;
}
