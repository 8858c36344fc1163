/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/registry_status.c - the event clock and the databases, as operators see them.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  admin/.
 * Blocks:     on the global database; changes also as meta_change() does.
 */
#include "meta/internal.h"

#include "base/clock.h"

int
registry_clock(struct meta_thread *t, struct arena *a, struct clock_status *out, struct err *err)
{
	struct db_rows *r;

	if (db_query(t->meta->global, a, STMT_CLOCK_STATUS, NULL, 0, &r, err) != 0)
		return -1;
	if (db_count(r) == 0)
		return FAIL(err, ERR_UNAVAILABLE, "the event clock has no row: run anvil-admin db init");
	clock_from_row(r, 0, 0, &out->clock);
	out->primary = db_bool(r, 0, 2);
	out->events_kept = db_i64(r, 0, 3);
	out->oldest_n = (uint64_t)db_i64(r, 0, 4);
	out->changed_us = db_i64(r, 0, 5);
	out->epoch_since_us = db_i64(r, 0, 6);
	out->epoch_reason = db_text(r, 0, 7);
	return 0;
}

int
registry_new_epoch(struct meta_thread *t, const char *reason, struct err *err)
{
	return meta_change_one(t, STMT_EPOCH_BEGIN, (const struct db_param[]){ P_TEXT(reason) }, 1, "event clock", err);
}

int
registry_wait(struct meta_thread *t, struct err *err)
{
	struct arena *a = arena_new(1 << 20);
	struct db_rows *r;
	int rc = -1;

	memset(&t->change, 0, sizeof(t->change));
	if (db_query(t->meta->global, a, STMT_REGIONS_AWAITED, NULL, 0, &r, err) != 0)
		goto out;
	if (db_count(r) == 0) {
		(void)FAIL(err, ERR_UNAVAILABLE, "the event clock has no row: run anvil-admin db init");
		goto out;
	}
	clock_from_row(r, 0, 0, &t->change.at);
	t->change.changed = true;
	meta_wait_known(t, a, &t->change.at, r, clock_mono_us(), false);
	rc = 0;
out:
	arena_free(a);
	return rc;
}

int
registry_database(struct meta_thread *t, struct arena *a, char which, struct database_status *out, struct err *err)
{
	struct db_pool *p = which == 'g' ? t->meta->global : t->meta->regional;
	struct db_rows *r;

	if (p == NULL)
		return FAIL(err, ERR_INVALID, "the regional database was not opened");
	if (db_query(p, a, STMT_DATABASE_STATUS, NULL, 0, &r, err) != 0)
		return -1;
	out->size_bytes = db_i64(r, 0, 0);
	out->connections = db_i64(r, 0, 1);
	out->version = db_text(r, 0, 2);
	out->name = db_text(r, 0, 3);
	out->user = db_text(r, 0, 4);
	return 0;
}
