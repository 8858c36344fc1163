/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/bucket_version.c - versioning and object lock of a bucket, which its global
 * row and its region's fence both tell.
 *
 * Owns:       nothing.
 * Called by:  fcgi/ops, in the bucket's home region.
 * Blocks:     on both databases, on the bucket's writes under way, and until every
 *             region knows.
 * Invariant:  whoever changes it holds the global row's lock while he tells the
 *             fence, so of two that come at once the fence and the row obey the
 *             same one last. A crash between the two leaves a fence that is ahead:
 *             the client got no answer and asks again, and no version is lost.
 */
#include "meta/fence.h"
#include "meta/internal.h"

struct set_versioning {
	struct meta_thread *thread;
	struct arena *arena;
	const struct uuid *id;
	const char *versioning, *object_lock; /* NULL: as it is */
	enum config_done done;
};

static int
set_versioning_tx(struct db *db, void *arg, struct err *err)
{
	struct set_versioning *s = arg;
	struct db_rows *r;
	const char *versioning, *object_lock;
	bool open;

	if (db_run(db, s->arena, STMT_BUCKET_LOCK_ROW, (const struct db_param[]){ P_UUID(s->id) }, 1, &r, err) != 0)
		return -1;
	s->done = CONFIG_NO_BUCKET;
	if (db_count(r) == 0)
		return 1;
	versioning = s->versioning != NULL ? s->versioning : db_text(r, 0, 0);
	object_lock = s->object_lock != NULL ? s->object_lock : db_text(r, 0, 1);
	s->done = CONFIG_REFUSED;
	if (object_lock[0] != '\0' && strcmp(versioning, "Enabled") != 0)
		return 1;
	s->done = CONFIG_DONE;
	if (meta_fence_versioning(s->thread, s->arena, s->id, versioning, &open, err) != 0)
		return -1;
	if (!open) {
		s->done = CONFIG_NO_BUCKET;
		return 1;
	}
	return db_run(db, NULL, STMT_BUCKET_SET_VERSIONING,
	    (const struct db_param[]){ P_UUID(s->id), P_TEXT(versioning), P_TEXT(object_lock) }, 3, NULL, err);
}

int
meta_bucket_set_versioning(struct meta_thread *t, struct arena *a, const struct bucket *b, const char *versioning,
    const char *object_lock, enum config_done *out, struct err *err)
{
	struct set_versioning s = { .thread = t, .arena = a, .id = &b->id, .versioning = versioning, .object_lock = object_lock };
	bool again;

	ASSERT(strcmp(b->region, t->meta->settings->region) == 0);
	if (meta_change_sure(t, set_versioning_tx, &s, &again, err) < 0)
		return -1;
	*out = s.done;
	return 0;
}
