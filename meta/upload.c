/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/upload.c - uploads in parts.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  fcgi/, admin/.
 * Blocks:     on the regional database; at a bucket's first write also on the
 *             global one.
 * Invariant:  of what ends an upload one comes first, and no part comes after it
 *             (sql/regional/0010-uploads.sql).
 */
#include "meta/upload.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"
#include "base/parse.h"
#include "meta/object_internal.h"

/* Beside those of meta/object_internal.h. */
#define OUTCOME_NO_UPLOAD 7
#define OUTCOME_OTHER_PARTS 8

static enum upload_did
did(int64_t outcome)
{
	switch (outcome) {
	case OUTCOME_CLOSED:
		return UPLOAD_FENCE_CLOSED;
	case OUTCOME_PRECONDITION:
		return UPLOAD_PRECONDITION;
	case OUTCOME_NOT_THERE:
		return UPLOAD_NO_KEY;
	case OUTCOME_NO_UPLOAD:
		return UPLOAD_NOT_THERE;
	case OUTCOME_OTHER_PARTS:
		return UPLOAD_OTHER_PARTS;
	default:
		return UPLOAD_DONE;
	}
}

static int
full(struct err *err)
{
	return FAIL(err, ERR_LIMIT, "the request's memory is used up");
}

/* ---- ids ---- */

/* Lists are in the order of ids, and S3's in that of beginnings: so the time comes first, as in a UUID of version 7. */
static void
make_id(struct uuid *id)
{
	uint64_t ms = (uint64_t)(clock_wall_us() / 1000);

	crypto_random(id->b, sizeof(id->b));
	for (int i = 5; i >= 0; i--, ms >>= 8)
		id->b[i] = (uint8_t)(ms & 0xff);
	id->b[6] = (uint8_t)((id->b[6] & 0x0f) | 0x70);
	id->b[8] = (uint8_t)((id->b[8] & 0x3f) | 0x80);
}

bool
upload_id_parse(struct span text, struct uuid *out)
{
	char canonical[UPLOAD_ID_TEXT_LEN + 1];
	struct uuid id;

	if (text.len != UPLOAD_ID_TEXT_LEN || !hex_decode(text, id.b, sizeof(id.b)))
		return false;
	upload_id_text(&id, canonical); /* one spelling each */
	if (memcmp(canonical, text.p, text.len) != 0)
		return false;
	*out = id;
	return true;
}

void
upload_id_text(const struct uuid *id, char out[UPLOAD_ID_TEXT_LEN + 1])
{
	hex_encode(id->b, sizeof(id->b), out);
}

/* ---- one upload ---- */

int
meta_upload_create(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *in, struct uuid *id,
    enum upload_did *out, struct err *err)
{
	struct span mode = { &in->lock_mode, 1 };
	struct db_rows *r;
	int64_t outcome;

	if (object_check_key(in->key, err) != 0)
		return -1;
	make_id(id);
	if (object_run_joined(t, a, b, STMT_UPLOAD_CREATE,
	        (const struct db_param[]){ P_UUID(&b->id), P_UUID(id), P_SPAN(in->key), object_bytes_or_null(in->checksums),
	            object_bytes_or_null(in->headers), P_TEXT(object_class_or_null(in)), P_TEXT(object_owner_or_null(b, in)),
	            object_bytes_or_null(in->tags), P_TEXT(object_acl_or_null(in)), object_bytes_or_null(in->sse),
	            in->lock_mode == 0 ? P_NULL : P_SPAN(mode), in->lock_mode == 0 ? P_NULL : P_INT(in->retain_until_us),
	            P_BOOL(in->legal_hold) },
	        13, &r, &outcome, err) != 0)
		return -1;
	*out = did(outcome);
	return 0;
}

int
meta_upload_find(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key, const struct uuid *id,
    struct upload *out, struct err *err)
{
	struct db_rows *r;

	if (!object_is_key(key))
		return 0;
	if (db_query(t->meta->regional, a, STMT_UPLOAD_FIND,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_UUID(id) }, 3, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	*out = (struct upload){
		.id = *id,
		.started_us = db_i64(r, 0, 0),
		.checksums = object_span(r, 0, 1),
		.headers = object_span(r, 0, 2),
		.storage_class = object_text(r, 0, 3, "STANDARD"),
		.owner_id = object_text(r, 0, 4, b->owner_id),
		.sse = object_span(r, 0, 5),
	};
	return 1;
}

int
meta_upload_part(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key, const struct uuid *id,
    int number, const struct object *in, int64_t *mtime_us, enum upload_did *out, struct err *err)
{
	struct db_rows *r;

	ASSERT(number >= 1 && number <= UPLOAD_PARTS_MAX && in->etag != NULL);
	ASSERT(in->has_blob || (in->inline_data.len == (size_t)in->size && in->sse.len == 0));
	*out = UPLOAD_NOT_THERE;
	if (!object_is_key(key))
		return 0;
	fault_point(FAULT_POINT_put_before_row);
	if (meta_write(t, a, &b->id, STMT_UPLOAD_PART,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_UUID(id), P_INT(number), P_INT(in->size),
	            in->has_blob ? P_UUID(&in->blob_id) : P_NULL, P_TEXT(in->etag), object_bytes_or_null(in->checksums),
	            in->has_blob ? P_NULL : P_SPAN(in->inline_data) },
	        9, &r, err) != 0)
		return -1;
	*out = did(db_i64(r, 0, 0));
	if (*out == UPLOAD_DONE)
		*mtime_us = db_i64(r, 0, 1);
	return 0;
}

int
meta_upload_abort(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, struct span key, const struct uuid *id,
    enum upload_did *out, struct err *err)
{
	struct db_rows *r;

	*out = UPLOAD_NOT_THERE;
	if (!object_is_key(key))
		return 0;
	if (meta_write(t, a, bucket_id, STMT_UPLOAD_ABORT,
	        (const struct db_param[]){ P_UUID(bucket_id), P_SPAN(key), P_UUID(id) }, 3, &r, err) != 0)
		return -1;
	*out = did(db_i64(r, 0, 0));
	return 0;
}

/* ---- its parts ---- */

int
meta_upload_parts(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct uuid *id, int after, int max,
    struct upload_part **out, size_t *n, bool *more, struct err *err)
{
	struct upload_part *list;
	struct db_rows *r;

	ASSERT(max >= 0 && max <= UPLOAD_PARTS_MAX);
	/* One more than asked for tells whether more follows. */
	if (db_query(t->meta->regional, a, STMT_UPLOAD_PARTS,
	        (const struct db_param[]){ P_UUID(&b->id), P_UUID(id), P_INT(after), P_INT(max + 1) }, 4, &r, err) != 0)
		return -1;
	*more = db_count(r) > (size_t)max;
	*n = *more ? (size_t)max : db_count(r);
	list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return full(err);
	for (size_t i = 0; i < *n; i++)
		list[i] = (struct upload_part){
			.number = (int)db_i64(r, i, 0),
			.size = db_i64(r, i, 1),
			.first = db_is_null(r, i, 2) ? -1 : db_i64(r, i, 2),
			.mtime_us = db_i64(r, i, 3),
			.etag = db_text(r, i, 4),
			.checksums = object_span(r, i, 5),
		};
	*out = list;
	return 0;
}

/* ---- the object that it becomes ---- */

int
meta_upload_complete(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key, const struct uuid *id,
    const char *const *numbers, const char *const *etags, const char *etag, struct span checksums, const struct object_cond *cond,
    enum upload_did *out, struct object_placed *placed, struct err *err)
{
	struct db_rows *r;
	int64_t outcome;

	*out = UPLOAD_NOT_THERE;
	*placed = (struct object_placed){ 0, NULL, false };
	if (!object_is_key(key))
		return 0;
	fault_point(FAULT_POINT_put_before_row);
	if (meta_write(t, a, &b->id, STMT_UPLOAD_COMPLETE,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_UUID(id), P_TEXTS(numbers), P_TEXTS(etags), P_TEXT(etag),
	            object_bytes_or_null(checksums), P_INT(object_cond_number(cond)), P_TEXT(object_cond_etag(cond)) },
	        9, &r, err) != 0)
		return -1;
	outcome = db_i64(r, 0, 0);
	*out = did(outcome);
	return outcome == OUTCOME_DONE ? object_placed_from_row(r, a, placed, err) : 0;
}

int
meta_upload_completed(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key, const struct uuid *id,
    struct object *out, struct err *err)
{
	struct db_rows *r;

	if (!object_is_key(key))
		return 0;
	if (db_query(t->meta->regional, a, STMT_OBJECT_OF_UPLOAD,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_UUID(id) }, 3, &r, err) != 0)
		return -1;
	return db_count(r) == 0 ? 0 : object_from_row(r, a, b, key, out, err);
}

int
meta_object_pieces(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct uuid *parts_id, int64_t first,
    int64_t len, struct object_piece **out, size_t *n, struct err *err)
{
	struct object_piece *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_OBJECT_PARTS,
	        (const struct db_param[]){ P_UUID(&b->id), P_UUID(parts_id), P_INT(first), P_INT(first + len) }, 4, &r, err) != 0)
		return -1;
	*n = db_count(r);
	list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return full(err);
	for (size_t i = 0; i < *n; i++) {
		list[i] = (struct object_piece){ .first = db_i64(r, i, 0), .size = db_i64(r, i, 1), .has_blob = !db_is_null(r, i, 2),
			.data = object_span(r, i, 3) };
		if (!list[i].has_blob)
			continue;
		memcpy(list[i].blob_id.b, db_span(r, i, 2).p, UUID_LEN);
		memcpy(list[i].sealed_as.b, db_span(r, i, 4).p, UUID_LEN);
	}
	*out = list;
	return 0;
}

/* ---- lists ---- */

int
meta_upload_list(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct upload_query *q,
    struct upload_entry **out, size_t *n, bool *more, struct err *err)
{
	struct upload_entry *list;
	struct db_rows *r;

	*out = NULL;
	*n = 0;
	*more = false;
	if (!object_is_text(q->prefix) || !object_is_text(q->delimiter) || !object_is_text(q->after))
		return FAIL(err, ERR_INVALID, "a prefix, delimiter or marker is no UTF-8 text");
	if (q->max < 0 || q->max > UPLOAD_PAGE_MAX)
		return FAIL(err, ERR_INVALID, "a page of %d entries was asked for", q->max);
	if (q->max == 0)
		return 0;
	/* One more than asked for tells whether more follows. */
	if (db_query(t->meta->regional, a, STMT_UPLOAD_LIST,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(q->prefix), P_SPAN(q->delimiter), P_SPAN(q->after),
	            q->after_id == NULL ? P_NULL : P_UUID(q->after_id), P_INT(q->max + 1) },
	        6, &r, err) != 0)
		return -1;
	*more = db_count(r) > (size_t)q->max;
	*n = *more ? (size_t)q->max : db_count(r);
	list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return full(err);
	for (size_t i = 0; i < *n; i++) {
		list[i] = (struct upload_entry){ .is_prefix = db_bool(r, i, 0), .key = db_span(r, i, 1) };
		if (list[i].is_prefix)
			continue;
		memcpy(list[i].upload.id.b, db_span(r, i, 2).p, UUID_LEN);
		list[i].upload.started_us = db_i64(r, i, 3);
		list[i].upload.checksums = object_span(r, i, 4);
		list[i].upload.storage_class = object_text(r, i, 5, "STANDARD");
		list[i].upload.owner_id = object_text(r, i, 6, b->owner_id);
	}
	*out = list;
	return 0;
}

/* The first columns of both statements. */
static void
place_at(const struct db_rows *r, size_t row, struct uuid *bucket, struct span *key, struct uuid *id)
{
	memcpy(bucket->b, db_span(r, row, 0).p, UUID_LEN);
	*key = db_span(r, row, 1);
	memcpy(id->b, db_span(r, row, 2).p, UUID_LEN);
}

int
meta_uploads_stale(struct meta_thread *t, struct arena *a, int64_t older_s, int max, struct upload_stale **out, size_t *n,
    struct err *err)
{
	struct upload_stale *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_UPLOAD_STALE, (const struct db_param[]){ P_INT(older_s), P_INT(max) }, 2, &r,
	        err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	if (list == NULL)
		return full(err);
	for (size_t i = 0; i < db_count(r); i++)
		place_at(r, i, &list[i].bucket_id, &list[i].key, &list[i].id);
	*out = list;
	*n = db_count(r);
	return 0;
}

int
meta_uploads_held(struct meta_thread *t, struct arena *a, const struct upload_held_query *q, struct upload_held **out, size_t *n,
    struct err *err)
{
	struct upload_held *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_UPLOAD_HELD,
	        (const struct db_param[]){ q->bucket_id == NULL ? P_NULL : P_UUID(q->bucket_id), P_INT(q->older_s), P_INT(q->after_us),
	            P_UUID(&q->after_id), P_INT(q->max) },
	        5, &r, err) != 0)
		return -1;
	list = arena_array(a, db_count(r) + 1, sizeof(*list));
	if (list == NULL)
		return full(err);
	for (size_t i = 0; i < db_count(r); i++) {
		place_at(r, i, &list[i].bucket_id, &list[i].key, &list[i].id);
		list[i].started_us = db_i64(r, i, 3);
		list[i].owner_id = object_text(r, i, 4, NULL);
		list[i].parts = db_i64(r, i, 5);
		list[i].bytes = db_i64(r, i, 6);
	}
	*out = list;
	*n = db_count(r);
	return 0;
}

int
meta_uploads_sum(struct meta_thread *t, struct arena *a, struct uploads_sum *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_UPLOADS_SUM, NULL, 0, &r, err) != 0)
		return -1;
	*out = (struct uploads_sum){ .uploads = db_i64(r, 0, 0), .parts = db_i64(r, 0, 1), .bytes = db_i64(r, 0, 2),
		.oldest_us = db_is_null(r, 0, 3) ? 0 : db_i64(r, 0, 3) };
	return 0;
}
