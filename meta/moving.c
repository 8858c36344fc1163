/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/moving.c - writers of a bucket that is just being handed over to another region.
 *
 * Owns:       nothing.
 * Called by:  meta/object*.c, upload.c, fence.c for every change of what is in a bucket; admin/.
 * Blocks:     on the regional database; while the bucket is handed over also on the global one, for at most HOLD_US.
 * Invariant:  what refuses a write is the regional database, what lets it go on again is the global one's word; so no
 *             clock and no message decides where a write goes. No connection is held while one waits.
 */
#include "meta/move.h"

#include "base/clock.h"
#include "meta/internal.h"

#define SQLSTATE_MOVING "AM001"
#define HOLD_US (2 * US_PER_S)
#define LOOK_EVERY_US (20 * US_PER_MS)

int
move_ask(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move, struct move_said *out,
    struct err *err)
{
	const struct settings *s = t->meta->settings;
	struct db_rows *r;
	bool known;

	if (db_query(t->meta->global, a, STMT_MOVE_ASK,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_INT(s->metadata_ack_ms) }, 3, &r, err) != 0)
		return -1;
	known = !db_is_null(r, 0, 2);
	*out = (struct move_said){
		.home = !db_is_null(r, 0, 0) && strcmp(db_text(r, 0, 0), s->region) == 0,
		.versioning = db_is_null(r, 0, 1) ? "" : db_text(r, 0, 1),
		.state = known ? db_text(r, 0, 3) : "",
		.freeze_no = known ? db_i64(r, 0, 4) : 0,
	};
	return 0;
}

int
meta_moving_settle(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    const char **state, bool *home, struct err *err)
{
	struct move_said said;
	struct db_rows *r;

	if (move_ask(t, a, bucket, move, &said, err) != 0)
		return -1;
	*home = said.home;
	if (db_query(t->meta->regional, a, STMT_MOVING_SETTLE,
	        (const struct db_param[]){ P_UUID(bucket), P_UUID(move), P_BOOL(said.home), P_TEXT(said.state), P_INT(said.freeze_no),
	            P_TEXT(said.versioning) },
	        6, &r, err) != 0)
		return -1;
	*state = db_text(r, 0, 0);
	return 0;
}

/* May it be tried again at once? */
static int
look(struct meta_thread *t, struct arena *a, const struct uuid *bucket, bool *again, struct err *err)
{
	struct uuid move;
	const char *state;
	struct db_rows *r;
	bool home;

	*again = true;
	if (db_query(t->meta->regional, a, STMT_MOVING_FIND, (const struct db_param[]){ P_UUID(bucket) }, 1, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return 0;
	memcpy(move.b, db_span(r, 0, 0).p, UUID_LEN);
	if (meta_moving_settle(t, a, bucket, &move, &state, &home, err) != 0)
		return -1;
	if (strcmp(state, "gone") == 0)
		return FAIL(err, ERR_UNAVAILABLE, "the bucket has moved to another region");
	*again = state[0] == '\0' || strcmp(state, "out") == 0;
	return 0;
}

/* Half of the threads may wait: the others are for reads. */
static bool
may_wait(struct meta *m)
{
	int limit = (int)m->settings->threads / 2;

	if (atomic_fetch_add(&m->held, 1) < (limit > 0 ? limit : 1))
		return true;
	atomic_fetch_sub(&m->held, 1);
	return false;
}

static int
wait_for_home(struct meta_thread *t, const struct uuid *bucket, int64_t until_us, struct err *err)
{
	struct arena *a = arena_new(1 << 20);
	bool again = false;
	int rc;

	while ((rc = look(t, a, bucket, &again, err)) == 0 && !again) {
		if (clock_mono_us() >= until_us) {
			rc = FAIL(err, ERR_UNAVAILABLE, "the bucket is being handed over to another region");
			break;
		}
		clock_sleep_us(LOOK_EVERY_US);
		arena_reset(a);
	}
	arena_free(a);
	return rc;
}

int
meta_write(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, enum stmt st, const struct db_param *params,
    size_t n_params, struct db_rows **out, struct err *err)
{
	int64_t until_us = 0;
	int rc;

	for (;;) {
		struct err why = { 0 };

		if (notify_write(t, a, st, params, n_params, out, &why) == 0)
			return 0;
		if (strcmp(db_last_sqlstate(), SQLSTATE_MOVING) != 0)
			return err_fail(err, why.code, why.where, "%s", why.detail);
		if (until_us == 0)
			until_us = clock_mono_us() + HOLD_US;
		if (!may_wait(t->meta))
			return FAIL(err, ERR_UNAVAILABLE, "the bucket is being handed over, and enough threads wait for that");
		rc = wait_for_home(t, bucket_id, until_us, err);
		atomic_fetch_sub(&t->meta->held, 1);
		if (rc != 0)
			return -1;
	}
}
