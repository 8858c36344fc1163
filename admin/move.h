/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move.h - moving a bucket to this region (ARCHITECTURE.md, "A bucket moves"). It may be stopped at any step, by
 * whatever, and goes on when it is called again; of several at once one works.
 */
#ifndef ANVIL_ADMIN_MOVE_H
#define ANVIL_ADMIN_MOVE_H

#include "meta/move.h"
#include "store/engine.h"

struct move_job {
	const struct settings *settings;
	struct meta_thread *t;     /* of a meta opened with META_CACHE and META_REGIONAL */
	struct store *st;
	const char *bucket;
	/* What is done just now, for people; may be NULL. */
	void (*say)(void *arg, const char *text);
	void *say_arg;
	/* what came of it */
	int64_t rows, bytes;       /* copied by this call */
	int64_t paused_us;         /* how long writes waited; -1: the hand-over was an earlier call's */
	const char *source;
	bool source_told;          /* else its maintain finds out by itself */
};
/* Returns when the bucket is at home here and every region knows. ERR_CONFLICT: cancelled, or another mover does it. */
MUST_CHECK int move_run(struct move_job *j, struct arena *a, struct err *err);
/* Ends a move that has not been handed over. What was copied is removed here, or by the target's maintain. */
MUST_CHECK int move_cancel(struct move_job *j, struct arena *a, struct err *err);

#endif
