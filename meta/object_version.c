/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/object_version.c - deleting, locking and listing versions.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  fcgi/ops, admin/.
 * Blocks:     on the regional database.
 * Invariant:  whether a lock forbids it is decided by the statement that does it.
 */
#include "meta/version.h"

#include "meta/object_internal.h"

#define TEXTS_AN_ITEM 6 /* of sql/regional/0009-version-delete.sql */

/* Which version, as the SQL has it: 0 the current one, 1 "null", 2 that of ord. */
static int
which(const struct version_id *v)
{
	return v == NULL ? 0 : v->is_null ? 1 : 2;
}

static struct db_param
ord_of(const struct version_id *v)
{
	return which(v) == 2 ? P_INT(v->ord) : P_NULL;
}

/*
 * If-Match asks for a current version to be there (S3: 404 where none is, or a delete marker). The conditions on size and
 * time hold of what is not there (DeleteObject's reference), and a version that was named is gone, as was asked.
 */
static bool
must_be_there(const struct object_removal *what)
{
	return what->etag != NULL && what->version == NULL;
}

/* ---- deleting ---- */

/* A row of object_removed, beginning at a column. */
static int
removed_from_row(const struct db_rows *r, size_t row, int col, struct arena *a, const struct object_removal *what,
    struct object_removed *out, struct err *err)
{
	int64_t outcome = db_i64(r, row, col), ord;

	*out = (struct object_removed){ .wrote = object_outcome(outcome), .placed = db_bool(r, row, col + 1) };
	if (outcome == OUTCOME_NO_FENCE || (outcome == OUTCOME_NOT_THERE && !must_be_there(what)))
		out->wrote = OBJECT_WROTE; /* as asked, it is not there */
	out->was_there = outcome == OUTCOME_DONE || outcome == OUTCOME_PRECONDITION || outcome == OUTCOME_LOCKED;
	if (outcome != OUTCOME_DONE)
		return 0;
	ord = db_i64(r, row, col + 2);
	out->is_marker = db_bool(r, row, col + 4);
	if (ord == 0 && what->version == NULL)
		return 0;
	out->version = version_text(a, db_bool(r, row, col + 3), ord);
	return out->version != NULL ? 0 : FAIL(err, ERR_LIMIT, "the request's memory is used up");
}

int
meta_object_delete(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object_removal *what,
    const char *owner, struct object_removed *out, struct err *err)
{
	bool bucket_owners = owner != NULL && b->owner_id != NULL && strcmp(owner, b->owner_id) == 0;
	struct db_rows *r;

	if (!object_is_key(what->key)) { /* it was never put */
		*out = (struct object_removed){ .wrote = must_be_there(what) ? OBJECT_NOT_THERE : OBJECT_WROTE };
		return 0;
	}
	if (meta_write(t, a, &b->id, STMT_OBJECT_REMOVE,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(what->key), P_INT(which(what->version)),
	            ord_of(what->version), P_TEXT(what->etag), what->has_mtime ? P_INT(what->mtime_us) : P_NULL,
	            what->has_size ? P_INT(what->size) : P_NULL, P_BOOL(what->bypass), P_TEXT(bucket_owners ? NULL : owner) },
	        9, &r, err) != 0)
		return -1;
	return removed_from_row(r, 0, 0, a, what, out, err);
}

static const char *
number(struct arena *a, bool given, int64_t n)
{
	return given ? arena_printf(a, "%" PRId64, n) : "";
}

/* The texts of one item; false when the arena is full. */
static bool
item_texts(struct arena *a, const struct object_removal *what, const char **at)
{
	at[0] = arena_strndup(a, what->key.p, what->key.len);
	at[1] = which(what->version) == 0 ? "0" : which(what->version) == 1 ? "1" : "2";
	at[2] = number(a, which(what->version) == 2, what->version == NULL ? 0 : what->version->ord);
	at[3] = what->etag == NULL ? "" : what->etag;
	at[4] = number(a, what->has_mtime, what->mtime_us);
	at[5] = number(a, what->has_size, what->size);
	return at[0] != NULL && at[2] != NULL && at[4] != NULL && at[5] != NULL;
}

int
meta_object_delete_many(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct object_removal *what,
    size_t n, const char *owner, struct object_removed *out, struct err *err)
{
	bool bucket_owners = owner != NULL && b->owner_id != NULL && strcmp(owner, b->owner_id) == 0;
	const char **texts = arena_array(a, TEXTS_AN_ITEM * n + 1, sizeof(*texts));
	const char **bypass = arena_array(a, n + 1, sizeof(*bypass));
	size_t *item = arena_array(a, n + 1, sizeof(*item)), n_items = 0;
	struct db_rows *r;

	ASSERT(n <= LIST_MAX);
	if (texts == NULL || bypass == NULL || item == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < n; i++) {
		if (!object_is_key(what[i].key)) {
			out[i] = (struct object_removed){ .wrote = must_be_there(&what[i]) ? OBJECT_NOT_THERE : OBJECT_WROTE };
			continue;
		}
		if (!item_texts(a, &what[i], &texts[TEXTS_AN_ITEM * n_items]))
			return FAIL(err, ERR_LIMIT, "the request's memory is used up");
		bypass[n_items] = what[i].bypass ? "t" : "f";
		item[n_items++] = i;
	}
	if (n_items == 0)
		return 0;
	texts[TEXTS_AN_ITEM * n_items] = bypass[n_items] = NULL;
	if (meta_write(t, a, &b->id, STMT_OBJECT_REMOVE_MANY,
	        (const struct db_param[]){ P_UUID(&b->id), P_TEXTS(texts), P_TEXTS(bypass), P_TEXT(bucket_owners ? NULL : owner) },
	        4, &r, err) != 0)
		return -1;
	for (size_t row = 0; row < db_count(r); row++) {
		size_t i = item[db_i64(r, row, 0)];

		if (removed_from_row(r, row, 1, a, &what[i], &out[i], err) != 0)
			return -1;
	}
	return 0;
}

/* ---- locks ---- */

static int
change_lock(struct meta_thread *t, struct arena *a, const struct bucket *b, enum stmt st, const struct db_param *params, size_t n, struct span key,
    enum object_wrote *out, struct err *err)
{
	struct db_rows *r;

	*out = OBJECT_NOT_THERE;
	if (!object_is_key(key))
		return 0;
	if (meta_write(t, a, &b->id, st, params, n, &r, err) != 0)
		return -1;
	*out = object_outcome(db_i64(r, 0, 0));
	return 0;
}

int
meta_object_retain(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, char mode, int64_t until_us, bool bypass, enum object_wrote *out, struct err *err)
{
	struct span text = { &mode, 1 };

	return change_lock(t, a, b, STMT_OBJECT_RETAIN,
	    (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_INT(which(version)), ord_of(version),
	        mode == 0 ? P_NULL : P_SPAN(text), mode == 0 ? P_NULL : P_INT(until_us), P_BOOL(bypass) },
	    7, key, out, err);
}

int
meta_object_hold(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, bool hold, enum object_wrote *out, struct err *err)
{
	return change_lock(t, a, b, STMT_OBJECT_HOLD,
	    (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_INT(which(version)), ord_of(version), P_BOOL(hold) }, 5, key,
	    out, err);
}

/* A column of a version that is there and no delete marker; *named: which it was. */
static int
set_column(struct meta_thread *t, struct arena *a, const struct bucket *b, enum stmt st, struct span key,
    const struct version_id *version, struct db_param value, enum object_wrote *out, const char **named, struct err *err)
{
	struct db_rows *r;

	*out = OBJECT_NOT_THERE;
	*named = NULL;
	if (!object_is_key(key))
		return 0;
	if (meta_write(t, a, &b->id, st,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(key), P_INT(which(version)), ord_of(version), value }, 5, &r,
	        err) != 0)
		return -1;
	*out = object_outcome(db_i64(r, 0, 0));
	if (*out != OBJECT_WROTE)
		return 0;
	*named = version_text(a, db_bool(r, 0, 3), db_i64(r, 0, 2));
	return *named != NULL ? 0 : FAIL(err, ERR_LIMIT, "the request's memory is used up");
}

int
meta_object_tag(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, struct span tags, enum object_wrote *out, const char **tagged, struct err *err)
{
	return set_column(t, a, b, STMT_OBJECT_TAG, key, version, tags.len == 0 ? P_NULL : P_SPAN(tags), out, tagged, err);
}

int
meta_object_set_acl(struct meta_thread *t, struct arena *a, const struct bucket *b, struct span key,
    const struct version_id *version, const char *acl, enum object_wrote *out, const char **named, struct err *err)
{
	return set_column(t, a, b, STMT_OBJECT_SET_ACL, key, version, strcmp(acl, "private") == 0 ? P_NULL : P_TEXT(acl), out, named,
	    err);
}

/* ---- listing ---- */

static int
version_from_row(const struct db_rows *r, size_t i, struct arena *a, const struct bucket *b, struct list_entry *e)
{
	e->is_prefix = db_bool(r, i, 0);
	e->obj.key = db_span(r, i, 1);
	if (e->is_prefix)
		return 0;
	e->obj.ord = db_i64(r, i, 2);
	e->obj.is_null = db_bool(r, i, 3);
	e->obj.is_marker = db_bool(r, i, 4);
	e->obj.is_latest = db_bool(r, i, 5);
	e->obj.size = db_i64(r, i, 6);
	e->obj.mtime_us = db_i64(r, i, 7);
	e->obj.etag = db_text(r, i, 8);
	e->obj.checksums = object_span(r, i, 9);
	e->obj.storage_class = object_text(r, i, 10, "STANDARD");
	e->obj.owner_id = object_text(r, i, 11, b->owner_id);
	e->obj.version = version_text(a, e->obj.is_null, e->obj.ord);
	return e->obj.version != NULL ? 0 : -1;
}

int
meta_object_list_versions(struct meta_thread *t, struct arena *a, const struct bucket *b, const struct version_query *q,
    struct list_entry **out, size_t *n, bool *truncated, struct err *err)
{
	struct list_entry *list;
	struct db_rows *r;

	*out = NULL;
	*n = 0;
	*truncated = false;
	if (!object_is_text(q->prefix) || !object_is_text(q->delimiter) || !object_is_text(q->after))
		return FAIL(err, ERR_INVALID, "a prefix, delimiter or marker is no UTF-8 text");
	if (q->max < 0 || q->max > LIST_MAX)
		return FAIL(err, ERR_INVALID, "a page of %d entries was asked for", q->max);
	if (q->max == 0)
		return 0;
	/* One more than asked for tells whether more follows. */
	if (db_query(t->meta->regional, a, STMT_OBJECT_LIST_VERSIONS,
	        (const struct db_param[]){ P_UUID(&b->id), P_SPAN(q->prefix), P_SPAN(q->delimiter), P_SPAN(q->after),
	            P_INT(which(q->after_version)), ord_of(q->after_version), P_INT(q->max + 1) },
	        7, &r, err) != 0)
		return -1;
	*n = db_count(r);
	*truncated = *n > (size_t)q->max;
	if (*truncated)
		*n = (size_t)q->max;
	list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < *n; i++) {
		list[i] = (struct list_entry){ .is_prefix = false };
		if (version_from_row(r, i, a, b, &list[i]) != 0)
			return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	}
	*out = list;
	return 0;
}
