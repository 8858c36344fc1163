/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/move.c - the statements of a bucket's move.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/move.c in the target, fcgi/move.c in the source, admin/maintain_moves.c in both.
 * Blocks:     on the global or the regional database; meta_move_switch as meta_change().
 */
#include "meta/move.h"

#include "base/clock.h"
#include "meta/internal.h"

#define WRITERS_US (10 * US_PER_S)
#define LOOK_EVERY_US (20 * US_PER_MS)

static void
uuid_at(const struct db_rows *r, size_t row, int col, struct uuid *out)
{
	memcpy(out->b, db_span(r, row, col).p, UUID_LEN);
}

/* ---- the global row ---- */

static int
refused(const char *problem, const char *bucket, const char *target, const char *other, struct err *err)
{
	if (strcmp(problem, "no bucket") == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no bucket \"%s\"", bucket);
	if (strcmp(problem, "no region") == 0)
		return FAIL(err, ERR_NOT_FOUND, "there is no active region \"%s\"", target);
	if (strcmp(problem, "home") == 0)
		return FAIL(err, ERR_EXISTS, "bucket \"%s\" is at home in region \"%s\" already", bucket, target);
	return FAIL(err, ERR_CONFLICT, "bucket \"%s\" is on its way to region \"%s\"; cancel that first", bucket, other);
}

int
meta_move_begin(struct meta_thread *t, struct arena *a, const char *bucket, const char *target, struct move *out, struct err *err)
{
	struct db_rows *r;
	struct uuid id;

	uuid_random(&id);
	if (db_query(t->meta->global, a, STMT_MOVE_BEGIN,
	        (const struct db_param[]){ P_UUID(&id), P_TEXT(bucket), P_TEXT(target) }, 3, &r, err) != 0)
		return -1;
	if (db_text(r, 0, 0)[0] != '\0')
		return refused(db_text(r, 0, 0), bucket, target, db_is_null(r, 0, 4) ? "" : db_text(r, 0, 4), err);
	*out = (struct move){ .bucket = bucket, .source = db_text(r, 0, 3), .target = db_text(r, 0, 4), .state = db_text(r, 0, 5) };
	uuid_at(r, 0, 1, &out->id);
	uuid_at(r, 0, 2, &out->bucket_id);
	return 0;
}

int
meta_move_freeze(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t ms, int64_t *freeze_no, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_MOVE_FREEZE, (const struct db_param[]){ P_UUID(move), P_INT(ms) }, 2, &r, err) != 0)
		return -1;
	*freeze_no = db_count(r) == 0 ? 0 : db_i64(r, 0, 0);
	return 0;
}

int
meta_move_thaw(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t freeze_no, struct err *err)
{
	struct db_rows *r;

	return db_query(t->meta->global, a, STMT_MOVE_THAW, (const struct db_param[]){ P_UUID(move), P_INT(freeze_no) }, 2, &r, err);
}

struct switching {
	const struct uuid *move;
	int64_t freeze_no;
	struct arena *arena;
};

static int
switch_tx(struct db *db, void *arg, struct err *err)
{
	const struct switching *s = arg;
	struct db_rows *r;

	if (db_run(db, s->arena, STMT_MOVE_SWITCH, (const struct db_param[]){ P_UUID(s->move), P_INT(s->freeze_no) }, 2, &r, err) != 0)
		return -1;
	return db_count(r) == 0 ? 1 : 0;
}

int
meta_move_switch(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t freeze_no, bool *done, struct err *err)
{
	struct switching s = { move, freeze_no, a };
	int rc = meta_change(t, switch_tx, &s, err);

	*done = rc == 0;
	return rc < 0 ? -1 : 0;
}

int
meta_move_progress(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t rows, int64_t bytes,
    const char **state, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_MOVE_PROGRESS, (const struct db_param[]){ P_UUID(move), P_INT(rows), P_INT(bytes) }, 3,
	        &r, err) != 0)
		return -1;
	*state = db_count(r) == 0 ? "" : db_text(r, 0, 0);
	return 0;
}

int
meta_move_done(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t paused_us, struct err *err)
{
	struct db_rows *r;

	return db_query(t->meta->global, a, STMT_MOVE_DONE,
	    (const struct db_param[]){ P_UUID(move), paused_us < 0 ? P_NULL : P_INT(paused_us) }, 2, &r, err);
}

int
meta_move_cancel(struct meta_thread *t, struct arena *a, const char *bucket, struct move *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_MOVE_CANCEL, (const struct db_param[]){ P_TEXT(bucket) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return FAIL(err, ERR_NOT_FOUND, "no move of bucket \"%s\" can be cancelled: none is under way, or it has been handed over",
		    bucket);
	*out = (struct move){ .bucket = bucket, .source = db_text(r, 0, 2), .target = db_text(r, 0, 3), .state = "cancelled" };
	uuid_at(r, 0, 0, &out->id);
	uuid_at(r, 0, 1, &out->bucket_id);
	return 0;
}

int
meta_move_list(struct meta_thread *t, struct arena *a, bool all, const char *bucket, int max, struct move **out, size_t *n,
    struct err *err)
{
	struct db_rows *r;
	struct move *list;

	if (db_query(t->meta->global, a, STMT_MOVE_LIST, (const struct db_param[]){ P_BOOL(all), P_TEXT(bucket), P_INT(max) }, 3, &r,
	        err) != 0)
		return -1;
	*n = db_count(r);
	*out = list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < *n; i++) {
		list[i] = (struct move){
			.bucket = db_text(r, i, 2),
			.source = db_text(r, i, 3),
			.target = db_text(r, i, 4),
			.state = db_text(r, i, 5),
			.rows = db_i64(r, i, 6),
			.bytes = db_i64(r, i, 7),
			.paused_us = db_is_null(r, i, 8) ? -1 : db_i64(r, i, 8),
			.started_us = db_i64(r, i, 9),
			.changed_us = db_i64(r, i, 10),
			.ended_us = db_is_null(r, i, 11) ? 0 : db_i64(r, i, 11),
		};
		uuid_at(r, i, 0, &list[i].id);
		uuid_at(r, i, 1, &list[i].bucket_id);
	}
	return 0;
}

/* ---- the region that it leaves ---- */

int
meta_moving_list(struct meta_thread *t, struct arena *a, int64_t grace_s, struct moving **out, size_t *n, struct err *err)
{
	struct moving *list;
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_LIST, (const struct db_param[]){ P_INT(grace_s) }, 1, &r, err) != 0)
		return -1;
	*n = db_count(r);
	*out = list = arena_array(a, *n + 1, sizeof(*list));
	if (list == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	for (size_t i = 0; i < *n; i++) {
		uuid_at(r, i, 0, &list[i].bucket_id);
		uuid_at(r, i, 1, &list[i].move_id);
		list[i].state = db_text(r, i, 2);
	}
	return 0;
}

/* One statement that gives one boolean. */
static int
one_bool(struct meta_thread *t, struct arena *a, enum stmt st, const struct db_param *params, size_t n, bool *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, st, params, n, &r, err) != 0)
		return -1;
	*out = db_bool(r, 0, 0);
	return 0;
}

/* Of the whole server: a transaction that writes for long, by whatever program, keeps the move from beginning. */
static int
wait_for_writers(struct meta_thread *t, int64_t writers, struct err *err)
{
	int64_t until_us = clock_mono_us() + WRITERS_US;
	struct arena *a = arena_new(1 << 16);
	bool ended = false;
	int rc = 0;

	while ((rc = one_bool(t, a, STMT_MOVING_WRITERS, (const struct db_param[]){ P_INT(writers) }, 1, &ended, err)) == 0 && !ended) {
		if (clock_mono_us() > until_us) {
			rc = FAIL(err, ERR_UNAVAILABLE, "a transaction on the regional database's server has been writing for long");
			break;
		}
		clock_sleep_us(LOOK_EVERY_US);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

int
meta_moving_out(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    enum moving_out *out, const char **columns, struct err *err)
{
	struct move_said said;
	struct db_rows *r;

	/* Only when the primary says so: who asks may be late by years. */
	if (move_ask(t, a, bucket, move, &said, err) != 0)
		return -1;
	if (!said.home || (strcmp(said.state, "copying") != 0 && strcmp(said.state, "frozen") != 0))
		return FAIL(err, ERR_CONFLICT, "no bucket leaves this region by that move");
	if (db_query(t->meta->regional, a, STMT_MOVING_OUT,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_TEXT(said.versioning) }, 3, &r, err) != 0)
		return -1;
	*out = (enum moving_out)db_i64(r, 0, 0);
	*columns = db_text(r, 0, 1);
	return wait_for_writers(t, db_i64(r, 0, 2), err);
}

int
meta_moving_page(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move, struct span after,
    int max, int64_t bytes, struct moving_page *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_PAGE,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_SPAN(after), P_INT(max), P_INT(bytes) }, 5, &r, err) != 0)
		return -1;
	*out = (struct moving_page){ .next = db_text(r, 0, 0), .rows = db_i64(r, 0, 1), .items = db_span(r, 0, 2) };
	return 0;
}

int
meta_moving_changes(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move, int64_t batch,
    int64_t done, int max, struct moving_page *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_CHANGES,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_INT(batch), P_INT(done), P_INT(max) }, 5, &r, err) != 0)
		return -1;
	*out = (struct moving_page){ .next = "", .rows = db_i64(r, 0, 0), .remaining = db_i64(r, 0, 1), .items = db_span(r, 0, 2) };
	return 0;
}

/* Empty when it is null. */
static struct span
span_at(const struct db_rows *r, size_t row, int col)
{
	return db_is_null(r, row, col) ? SPAN("") : db_span(r, row, col);
}

/* The first columns of both statements. */
static struct moving_bytes
bytes_at(const struct db_rows *r, size_t row)
{
	return (struct moving_bytes){
		.key = db_span(r, row, 0),
		.part_no = db_i64(r, row, 1),
		.size = db_i64(r, row, 2),
		.etag = db_text(r, row, 3),
		.checksums = span_at(r, row, 4),
		.sse = span_at(r, row, 5),
	};
}

int
meta_moving_blob(struct meta_thread *t, struct arena *a, const struct uuid *blob, struct moving_bytes *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_BLOB, (const struct db_param[]){ P_UUID(blob) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	*out = bytes_at(r, 0);
	uuid_at(r, 0, 6, &out->sealed_as);
	return 1;
}

int
meta_moving_freeze(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    int64_t freeze_no, bool *frozen, struct err *err)
{
	return one_bool(t, a, STMT_MOVING_FREEZE, (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_INT(freeze_no) }, 3,
	    frozen, err);
}

/* ---- the region that it comes to ---- */

int
meta_moving_in(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, int64_t lease_ms, struct moving_in *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_IN,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_UUID(holder), P_INT(lease_ms) }, 4, &r, err) != 0)
		return -1;
	if (db_i64(r, 0, 0) == 2)
		return FAIL(err, ERR_INTERNAL, "the fence of a bucket that is not at home here is closed");
	*out = (struct moving_in){ .busy = db_i64(r, 0, 0) == 1 };
	if (out->busy)
		return 0;
	out->scan = db_text(r, 0, 1);
	out->leftovers = db_bool(r, 0, 2);
	out->columns = db_text(r, 0, 3);
	return 0;
}

int
meta_moving_holds(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, bool *holds, struct err *err)
{
	return one_bool(t, a, STMT_MOVING_HOLDS, (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_UUID(holder) }, 3, holds, err);
}

int
meta_moving_anew(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, bool *holds, struct err *err)
{
	return one_bool(t, a, STMT_MOVING_ANEW, (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_UUID(holder) }, 3, holds, err);
}

int
meta_moving_apply(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, struct span items, const struct uuid *blobs, const struct uuid *ids, size_t n, const char *scan,
    bool *holds, struct err *err)
{
	return one_bool(t, a, STMT_MOVING_APPLY,
	    (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_UUID(holder), P_SPAN(items), P_UUIDS(blobs, n), P_UUIDS(ids, n),
	        P_TEXT(scan) }, 7, holds, err);
}

int
meta_moving_need(struct meta_thread *t, struct arena *a, const struct uuid *bucket, struct span items, struct uuid **out,
    size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_NEED, (const struct db_param[]){ P_UUID(bucket), P_SPAN(items) }, 2, &r, err) != 0)
		return -1;
	return uuids_from_rows(r, a, out, n, err);
}

int
meta_moving_data(struct meta_thread *t, struct arena *a, struct span items, struct moving_bytes **out, size_t *n, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->regional, a, STMT_MOVING_DATA, (const struct db_param[]){ P_SPAN(items) }, 1, &r, err) != 0)
		return -1;
	*n = db_count(r);
	*out = arena_array(a, *n + 1, sizeof(**out));
	if (*out == NULL)
		return FAIL(err, ERR_LIMIT, "a page of rows is too large");
	for (size_t i = 0; i < *n; i++) {
		(*out)[i] = bytes_at(r, i);
		(*out)[i].data = db_span(r, i, 6);
	}
	return 0;
}

int
meta_moving_purge(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move, int max,
    bool *clean, struct err *err)
{
	return one_bool(t, a, STMT_MOVING_PURGE, (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_INT(max) }, 3, clean, err);
}

int
meta_moving_rests(struct meta_thread *t, struct arena *a, struct err *err)
{
	bool none;

	return one_bool(t, a, STMT_MOVING_RESTS, NULL, 0, &none, err);
}
