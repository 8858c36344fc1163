/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/move.h - a bucket's move to another region (ARCHITECTURE.md, "A bucket moves"): the global row that says how it
 * stands, what the region that it leaves gives out, and what the one that it comes to puts in place. Each call is one
 * statement; which follows which is admin/move.c's.
 */
#ifndef ANVIL_META_MOVE_H
#define ANVIL_META_MOVE_H

#include "meta/meta.h"

/* ---- the global row ---- */

struct move {
	struct uuid id, bucket_id;
	const char *bucket, *source, *target;
	const char *state;         /* "copying", "frozen", "switched", "done", "cancelled" */
	int64_t rows, bytes;       /* copied so far */
	int64_t paused_us;         /* how long writes waited; -1 = not known (yet) */
	int64_t started_us, changed_us, ended_us; /* 0 = not ended */
};

/* A new move, or the one under way: id, bucket_id, source, target, state. ERR_NOT_FOUND, ERR_EXISTS, ERR_CONFLICT say why not. */
MUST_CHECK int meta_move_begin(struct meta_thread *t, struct arena *a, const char *bucket, const char *target, struct move *out,
    struct err *err);
/* *freeze_no 0: the move is over. */
MUST_CHECK int meta_move_freeze(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t ms, int64_t *freeze_no,
    struct err *err);
MUST_CHECK int meta_move_thaw(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t freeze_no, struct err *err);
/* The hand-over; returns when every region knows, as meta_change does. *done false: that freeze does not hold any more. */
MUST_CHECK int meta_move_switch(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t freeze_no, bool *done,
    struct err *err);
/* Adds to what is copied; *state is the move's, "" when it has no row. */
MUST_CHECK int meta_move_progress(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t rows, int64_t bytes,
    const char **state, struct err *err);
/* paused_us -1: not known. */
MUST_CHECK int meta_move_done(struct meta_thread *t, struct arena *a, const struct uuid *move, int64_t paused_us, struct err *err);
/* ERR_NOT_FOUND: none is under way that could be cancelled. Sets id, bucket_id, source, target. */
MUST_CHECK int meta_move_cancel(struct meta_thread *t, struct arena *a, const char *bucket, struct move *out, struct err *err);
/* The newest first. all: also those that are over. bucket NULL: of all. */
MUST_CHECK int meta_move_list(struct meta_thread *t, struct arena *a, bool all, const char *bucket, int max, struct move **out,
    size_t *n, struct err *err);

/* ---- both regions ---- */

/*
 * Does in this region what the primary says of the bucket and this move: thaws, opens, or keeps writers out for good.
 * *state: "" it does not move (any more), "out", "frozen", "in", "gone". *home: it is at home here.
 */
MUST_CHECK int meta_moving_settle(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const char **state, bool *home, struct err *err);
/* What this region remembers of moves and maintain should look at; gone ones once they are older than grace_s. */
struct moving {
	struct uuid bucket_id, move_id;
	const char *state;
};
MUST_CHECK int meta_moving_list(struct meta_thread *t, struct arena *a, int64_t grace_s, struct moving **out, size_t *n,
    struct err *err);

/* ---- the region that it leaves ---- */

enum moving_out { MOVING_GOES_ON, MOVING_BEGINS, MOVING_CLOSED };
/* Changes are noted from here on. *columns: what rows are made of here. ERR_CONFLICT: the primary knows no such move from here. */
MUST_CHECK int meta_moving_out(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    enum moving_out *out, const char **columns, struct err *err);
struct moving_page {
	const char *next;          /* where the first copy goes on; "end" */
	int64_t rows;
	int64_t remaining;         /* changes that are not among these */
	struct span items;         /* JSON; the arena's */
};
/* after "": from the start. About bytes of small objects. ERR_NOT_FOUND: it does not leave by this move. */
MUST_CHECK int meta_moving_page(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    struct span after, int max, int64_t bytes, struct moving_page *out, struct err *err);
/* Changes, handed out under the number batch; those handed out under done are forgotten. Sets rows, remaining, items. */
MUST_CHECK int meta_moving_changes(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    int64_t batch, int64_t done, int max, struct moving_page *out, struct err *err);
/* What a row says of its bytes. */
struct moving_bytes {
	struct span key;
	int64_t part_no;           /* 0: it is no part's */
	int64_t size;
	const char *etag;
	struct span checksums, sse; /* as of struct object */
	struct uuid sealed_as;     /* of a blob */
	struct span data;          /* of a row that holds them: as they are stored */
};
/* Of the row that names a blob. 1; 0: none does any more. */
MUST_CHECK int meta_moving_blob(struct meta_thread *t, struct arena *a, const struct uuid *blob, struct moving_bytes *out,
    struct err *err);
/* *frozen false: not this move's, or the bucket is being deleted. */
MUST_CHECK int meta_moving_freeze(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    int64_t freeze_no, bool *frozen, struct err *err);

/* ---- the region that it comes to ---- */

struct moving_in {
	bool busy;                 /* another mover does it; the others are not set */
	const char *scan;          /* where the first copy has come to; "" not begun, "end" done */
	bool leftovers;            /* rows that are not of this move are to be removed first */
	const char *columns;
};
MUST_CHECK int meta_moving_in(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, int64_t lease_ms, struct moving_in *out, struct err *err);
/* These three: *holds false: it is another mover's, or the move is over. */
MUST_CHECK int meta_moving_holds(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, bool *holds, struct err *err);
MUST_CHECK int meta_moving_anew(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, bool *holds, struct err *err);
/* blobs[i] of the source was fetched as ids[i]. scan NULL: these are no page of the first copy. */
MUST_CHECK int meta_moving_apply(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const struct uuid *holder, struct span items, const struct uuid *blobs, const struct uuid *ids, size_t n, const char *scan,
    bool *holds, struct err *err);
/* The source's blobs that are to be fetched first. */
MUST_CHECK int meta_moving_need(struct meta_thread *t, struct arena *a, const struct uuid *bucket, struct span items,
    struct uuid **out, size_t *n, struct err *err);
/* Of those among these rows that hold their bytes. */
MUST_CHECK int meta_moving_data(struct meta_thread *t, struct arena *a, struct span items, struct moving_bytes **out, size_t *n,
    struct err *err);
/* Removes at most max rows of each kind of a bucket that comes or is gone. *clean: none are left. */
MUST_CHECK int meta_moving_purge(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move, int max,
    bool *clean, struct err *err);

/* For maintain: when no bucket moves here, writers need not look for it any more. */
MUST_CHECK int meta_moving_rests(struct meta_thread *t, struct arena *a, struct err *err);

#endif
