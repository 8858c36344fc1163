/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/object.c - objects of this region, each call one statement.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  fcgi/ops, admin/.
 * Blocks:     on the regional database; at a bucket's first write also on the
 *             global one.
 * Invariant:  what is written here was joined to the bucket's fence in the
 *             same transaction (sql/regional/0005-versions.sql).
 */
#include "meta/object.h"

#include "base/codec.h"
#include "base/fault.h"
#include "base/parse.h"
#include "meta/fence.h"
#include "meta/object_internal.h"

#define KEY_MAX 1024
/* Can the database hold it? PostgreSQL's text has no NUL. */
bool
object_is_text(struct span s)
{
	return s.len == 0 || (memchr(s.p, '\0', s.len) == NULL && utf8_valid(s));
}

bool
object_is_key(struct span key)
{
	return key.len >= 1 && key.len <= KEY_MAX && object_is_text(key);
}

int
object_check_key(struct span key, struct err *err)
{
	return object_is_key(key) ? 0 :
	    FAIL(err, ERR_INVALID, "a key is 1 to %d bytes of UTF-8 without NUL: len=%zu", KEY_MAX, key.len);
}

struct db_param
object_bytes_or_null(struct span s)
{
	return s.len == 0 ? P_NULL : P_SPAN(s);
}

struct span
object_span(const struct db_rows *r, size_t row, int col)
{
	return db_is_null(r, row, col) ? (struct span){ "", 0 } : db_span(r, row, col);
}

const char *
object_text(const struct db_rows *r, size_t row, int col, const char *otherwise)
{
	return db_is_null(r, row, col) ? otherwise : db_text(r, row, col);
}

/* ---- versions ---- */

bool
version_parse(struct span text, struct version_id *out)
{
	uint64_t n = 0;

	*out = (struct version_id){ .is_null = span_eq(text, SPAN("null")) };
	if (out->is_null)
		return true;
	if (text.len != VERSION_TEXT_SIZE - 1)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.p[i];

		if (!(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f'))
			return false;
		n = n << 4 | (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
	}
	out->ord = (int64_t)n;
	return out->ord < 0;
}

const char *
version_text(struct arena *a, bool is_null, int64_t ord)
{
	return is_null ? "null" : arena_printf(a, "%016" PRIx64, (uint64_t)ord);
}

/* ---- reading ---- */

int
object_from_row(const struct db_rows *r, struct arena *a, const struct bucket *b, struct span key, struct object *out,
    struct err *err)
{
	*out = (struct object){
		.key = key,
		.size = db_i64(r, 0, 0),
		.mtime_us = db_i64(r, 0, 1),
		.etag = db_text(r, 0, 2),
		.checksums = object_span(r, 0, 3),
		.headers = object_span(r, 0, 4),
		.storage_class = object_text(r, 0, 5, "STANDARD"),
		.owner_id = object_text(r, 0, 6, b->owner_id),
		.is_marker = db_bool(r, 0, 7),
		.has_blob = !db_is_null(r, 0, 8),
		.has_parts = !db_is_null(r, 0, 9),
		.ord = db_i64(r, 0, 10),
		.is_null = db_bool(r, 0, 11),
		.is_latest = db_bool(r, 0, 12),
		.tags = object_span(r, 0, 13),
		.acl = object_text(r, 0, 14, "private"),
		.sse = object_span(r, 0, 15),
		.lock_mode = db_is_null(r, 0, 16) ? '\0' : db_text(r, 0, 16)[0],
		.retain_until_us = db_is_null(r, 0, 17) ? 0 : db_i64(r, 0, 17),
		.legal_hold = db_bool(r, 0, 18),
		.parts_count = db_is_null(r, 0, 19) ? 0 : (int)db_i64(r, 0, 19),
	};
	if (out->has_blob)
		memcpy(out->blob_id.b, db_span(r, 0, 8).p, UUID_LEN);
	if (!db_is_null(r, 0, 20))
		memcpy(out->sealed_as.b, db_span(r, 0, 20).p, UUID_LEN);
	if (out->has_parts)
		memcpy(out->parts_id.b, db_span(r, 0, 9).p, UUID_LEN);
	out->version = version_text(a, out->is_null, out->ord);
	return out->version != NULL ? 1 : FAIL(err, ERR_LIMIT, "the request's memory is used up");
}

int
meta_object_get(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, bool want_data, struct object *out, struct err *err)
{
	static const enum stmt current[] = { STMT_OBJECT_GET, STMT_OBJECT_GET_DATA };
	static const enum stmt named[] = { STMT_OBJECT_GET_VERSION, STMT_OBJECT_GET_VERSION_DATA };
	const struct db_param params[] = { P_UUID(&b->id), P_SPAN(key),
		version == NULL || version->is_null ? P_NULL : P_INT(version->ord) };
	struct db_rows *r;

	if (!object_is_key(key))
		return 0; /* no such key was ever put */
	if (db_query(t->meta->regional, a, version == NULL ? current[want_data] : named[want_data], params,
	        version == NULL ? 2 : 3, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	if (object_from_row(r, a, b, key, out, err) < 0)
		return -1;
	if (want_data)
		out->inline_data = object_span(r, 0, 21);
	return 1;
}

static int
list_entries(const struct db_rows *r, struct arena *a, const struct bucket *b, size_t n, struct list_entry **out,
    struct err *err)
{
	struct list_entry *list = arena_array(a, n + 1, sizeof(*list));

	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < n; i++) {
		list[i].is_prefix = db_bool(r, i, 0);
		list[i].obj.key = db_span(r, i, 1);
		if (list[i].is_prefix)
			continue;
		list[i].obj.version = "null";
		list[i].obj.is_latest = true;
		list[i].obj.size = db_i64(r, i, 2);
		list[i].obj.mtime_us = db_i64(r, i, 3);
		list[i].obj.etag = db_text(r, i, 4);
		list[i].obj.checksums = object_span(r, i, 5);
		list[i].obj.storage_class = object_text(r, i, 6, "STANDARD");
		list[i].obj.owner_id = object_text(r, i, 7, b->owner_id);
	}
	*out = list;
	return 0;
}

int
meta_object_list(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct list_query *q,
    struct list_entry **out, size_t *n, bool *truncated, struct span *next, struct err *err)
{
	struct db_rows *r;

	*out = NULL;
	*n = 0;
	*truncated = false;
	*next = (struct span){ "", 0 };
	if (!object_is_text(q->prefix) || !object_is_text(q->delimiter) || !object_is_text(q->after))
		return FAIL(err, ERR_INVALID, "a prefix, delimiter or marker is no UTF-8 text");
	if (q->max < 0 || q->max > LIST_MAX)
		return FAIL(err, ERR_INVALID, "a page of %d entries was asked for", q->max);
	if (q->max == 0)
		return 0;
	/* One more than asked for tells whether more follows. */
	if (db_query(t->meta->regional, a, STMT_OBJECT_LIST,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(q->prefix), P_SPAN(q->delimiter), P_SPAN(q->after),
	            P_INT(q->max + 1) }, 5, &r, err) != 0)
		return -1;
	*n = db_count(r);
	if (*n > (size_t)q->max) {
		*n = (size_t)q->max;
		*truncated = true;
	}
	if (list_entries(r, a, b, *n, out, err) != 0)
		return -1;
	if (*n > 0)
		*next = (*out)[*n - 1].obj.key;
	return 0;
}

/* ---- writing ---- */

#define FENCE_TRIES 2 /* the first finds that the fence is to be made */

int
object_run_joined(struct meta_thread *t, struct arena *a, const struct bucket *b, enum stmt st, const struct db_param *params,
    size_t n_params, struct db_rows **r, int64_t *outcome, struct err *err)
{
	bool open;

	for (int tries = 0; tries < FENCE_TRIES; tries++) {
		if (meta_write(t, a, &b->id, st, params, n_params, r, err) != 0)
			return -1;
		*outcome = db_i64(*r, 0, 0);
		if (*outcome != OUTCOME_NO_FENCE)
			return 0;
		if (meta_fence_open(t, a, &b->id, &open, err) != 0)
			return -1;
		if (!open) {
			*outcome = OUTCOME_CLOSED;
			return 0;
		}
	}
	return FAIL(err, ERR_INTERNAL, "the fence of the bucket \"%s\" was opened and is not there", b->name);
}

enum object_wrote
object_outcome(int64_t outcome)
{
	switch (outcome) {
	case OUTCOME_CLOSED:
		return OBJECT_FENCE_CLOSED;
	case OUTCOME_PRECONDITION:
		return OBJECT_PRECONDITION;
	case OUTCOME_NOT_THERE:
		return OBJECT_NOT_THERE;
	case OUTCOME_LOCKED:
		return OBJECT_LOCKED;
	case OUTCOME_IS_MARKER:
		return OBJECT_IS_MARKER;
	default:
		return OBJECT_WROTE;
	}
}

const char *
object_cond_etag(const struct object_cond *c)
{
	return c != NULL && c->kind == COND_IF_MATCH ? c->etag : NULL;
}

int
object_cond_number(const struct object_cond *c)
{
	return c == NULL ? COND_NONE : (int)c->kind; /* enum object_cond_kind counts as the SQL does */
}

int
object_placed_from_row(const struct db_rows *r, struct arena *a, struct object_placed *out, struct err *err)
{
	bool is_null = db_bool(r, 0, 3);

	*out = (struct object_placed){ db_i64(r, 0, 1), version_text(a, is_null, db_i64(r, 0, 2)), !is_null };
	return out->version != NULL ? 0 : FAIL(err, ERR_LIMIT, "the request's memory is used up");
}

/* What a column is null for. */

const char *
object_class_or_null(const struct object *in)
{
	return in->storage_class == NULL || strcmp(in->storage_class, "STANDARD") == 0 ? NULL : in->storage_class;
}

const char *
object_owner_or_null(const struct bucket *b, const struct object *in)
{
	return in->owner_id == NULL || (b->owner_id != NULL && strcmp(in->owner_id, b->owner_id) == 0) ? NULL : in->owner_id;
}

const char *
object_acl_or_null(const struct object *in)
{
	return in->acl == NULL || strcmp(in->acl, "private") == 0 ? NULL : in->acl;
}

int
meta_object_put(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *in,
    const struct object_cond *cond, enum object_wrote *out, struct object_placed *placed, struct err *err)
{
	struct span mode = { &in->lock_mode, 1 };
	struct db_rows *r;
	int64_t outcome;

	if (object_check_key(in->key, err) != 0)
		return -1;
	ASSERT(in->size >= 0 && in->etag != NULL);
	ASSERT(in->has_blob || in->inline_data.len == (size_t)in->size || in->sse.len > 0);
	ASSERT(cond == NULL || cond->kind != COND_IF_MATCH || cond->etag != NULL);
	fault_point(FAULT_POINT_put_before_row);
	if (object_run_joined(t, a, b, STMT_OBJECT_PUT,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(in->key), P_INT(in->size), P_TEXT(in->etag),
	            object_bytes_or_null(in->checksums), object_bytes_or_null(in->headers), P_TEXT(object_class_or_null(in)),
	            P_TEXT(object_owner_or_null(b, in)), in->has_blob ? P_UUID(&in->blob_id) : P_NULL,
	            in->has_blob ? P_NULL : P_SPAN(in->inline_data), object_bytes_or_null(in->tags),
	            P_TEXT(object_acl_or_null(in)), object_bytes_or_null(in->sse), in->lock_mode == 0 ? P_NULL : P_SPAN(mode),
	            in->lock_mode == 0 ? P_NULL : P_INT(in->retain_until_us), P_BOOL(in->legal_hold), P_INT(object_cond_number(cond)),
	            P_TEXT(object_cond_etag(cond)) },
	        18, &r, &outcome, err) != 0)
		return -1;
	*placed = (struct object_placed){ 0, NULL, false };
	*out = object_outcome(outcome);
	return outcome == OUTCOME_DONE ? object_placed_from_row(r, a, placed, err) : 0;
}

int
meta_object_rename(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object *from, struct span to,
    const struct object_cond *cond, enum object_renamed *out, struct err *err)
{
	static const struct {
		int64_t outcome;
		enum object_renamed is;
	} rows[] = { { 0, RENAME_DONE }, { 2, RENAME_FENCE_CLOSED }, { 3, RENAME_PRECONDITION }, { 4, RENAME_CHANGED },
		{ 7, RENAME_HAS_VERSIONS }, { 8, RENAME_NO_DESTINATION } };
	struct db_rows *r;

	if (!object_is_key(to))
		return FAIL(err, ERR_INVALID, "a key is 1 to %d bytes of UTF-8 without NUL: len=%zu", KEY_MAX, to.len);
	ASSERT(!span_eq(from->key, to));
	if (meta_write(t, a, &b->id, STMT_OBJECT_RENAME,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(from->key), P_SPAN(to), P_TEXT(from->etag), P_INT(from->mtime_us),
	            P_INT(object_cond_number(cond)), P_TEXT(object_cond_etag(cond)) },
	        7, &r, err) != 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].outcome == db_i64(r, 0, 0)) {
			*out = rows[i].is;
			return 0;
		}
	return FAIL(err, ERR_INTERNAL, "a rename has an unknown outcome");
}
