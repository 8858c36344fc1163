/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/maintain_moves.c - what moves of buckets left behind in this region.
 *
 * Owns:       an arena a bucket.
 * Called by:  admin/act_maintain.c.
 * Blocks:     on both databases, batch by batch.
 * Invariant:  rows are removed only of a bucket that the primary says is not at home here, whose fence keeps writers out,
 *             and that nobody can still be reading by what he knew before it went.
 */
#include "admin/maintain.h"
#include "meta/move.h"

#define BATCH 1000
#define MOVES_ARENA ((size_t)64 * 1024 * 1024)

static int
purge(struct maintain *m, struct arena *a, const struct moving *mv, struct err *err)
{
	bool clean = false;

	while (!clean)
		if (meta_moving_purge(m->t, a, &mv->bucket_id, &mv->move_id, BATCH, &clean, err) != 0)
			return -1;
	return 0;
}

static int
one(struct maintain *m, struct arena *a, const struct moving *mv, struct err *err)
{
	const char *state;
	bool home;

	if (m->dry_run) {
		m->moves_ended += strcmp(mv->state, "gone") == 0;
		return 0;
	}
	if (meta_moving_settle(m->t, a, &mv->bucket_id, &mv->move_id, &state, &home, err) != 0)
		return -1;
	/* What is gone only now waits for its grace. */
	if (home || strcmp(state, "gone") != 0 || strcmp(mv->state, "gone") != 0)
		return 0;
	if (purge(m, a, mv, err) != 0)
		return -1;
	m->moves_ended++;
	return 0;
}

int
maintain_moves(struct maintain *m, int64_t grace_s, struct err *err)
{
	struct arena *list = arena_new(MOVES_ARENA), *a = arena_new(MOVES_ARENA);
	struct moving *mv;
	size_t n = 0;
	int rc = meta_moving_list(m->t, list, grace_s, &mv, &n, err);

	for (size_t i = 0; rc == 0 && i < n; i++) {
		arena_reset(a);
		rc = one(m, a, &mv[i], err);
	}
	if (rc == 0 && !m->dry_run)
		rc = meta_moving_rests(m->t, a, err);
	arena_free(a);
	arena_free(list);
	return rc;
}
