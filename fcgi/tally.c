/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/tally.c - unfinished uploads and quotas counted for the metrics; quotas that changed.
 *
 * Owns:       its thread, an arena and what a thread knows of metadata.
 * Called by:  worker.c; quota.c.
 * Blocks:     on the regional database, for a changed quota on the global one, too; no request waits for it.
 * Invariant:  a statement each COUNT_EVERY_S of a region at most, and it reads a bounded number of rows; and one each
 *             minute, over all quotas. What it fails to settle, or has no place to remember, maintain settles.
 */
#include "fcgi/tally.h"

#include "base/clock.h"
#include "base/metrics.h"
#include "base/thread.h"
#include "fcgi/worker.h"
#include "meta/quota.h"
#include "meta/upload.h"

#define ARENA_BYTES ((size_t)1 << 20)
#define LOOK_EVERY_S 1
#define COUNT_EVERY_S 5
#define COUNT_MANY_EVERY_S 60
#define QUOTAS_EVERY_S 60
#define CHANGED_MAX 64      /* buckets whose quota is to be settled */
#define MANY 1000           /* uploads and parts; counting fewer takes a millisecond or two */

struct tally {
	struct arena *arena;
	struct meta_thread *meta;
	pthread_mutex_t lock;
	pthread_cond_t woken;   /* by the monotonic clock */
	bool stop;              /* under the lock, as these */
	struct uuid changed[CHANGED_MAX];
	size_t n_changed;
	pthread_t id;
};

/* Is it time, for whichever process looks first? A clock that was set back does not hold it up. */
static bool
is_due(int64_t now_s, int64_t last_s, int64_t every_s)
{
	return now_s < last_s || now_s - last_s >= every_s;
}

static void
count_uploads(struct tally *t)
{
	bool many = metric_get(M_UPLOADS_UNFINISHED) + metric_get(M_UPLOADS_PARTS) > MANY;
	int64_t now_s = clock_wall_us() / US_PER_S;
	struct uploads_sum sum;
	struct err err = { 0 };

	if (!is_due(now_s, metric_get(M_UPLOADS_COUNTED), many ? COUNT_MANY_EVERY_S : COUNT_EVERY_S))
		return;
	metric_set(M_UPLOADS_COUNTED, now_s); /* before: the others need not */
	arena_reset(t->arena);
	if (meta_uploads_sum(t->meta, t->arena, &sum, &err) != 0)
		return; /* the database's failures are logged and counted where they happen */
	metric_set(M_UPLOADS_UNFINISHED, sum.uploads);
	metric_set(M_UPLOADS_PARTS, sum.parts);
	metric_set(M_UPLOADS_BYTES, sum.bytes);
	metric_set(M_UPLOADS_OLDEST, sum.oldest_us / US_PER_S);
}

static void
count_quotas(struct tally *t)
{
	int64_t now_s = clock_wall_us() / US_PER_S;
	struct quotas_sum sum;
	struct err err = { 0 };

	if (!is_due(now_s, metric_get(M_QUOTAS_COUNTED), QUOTAS_EVERY_S))
		return;
	metric_set(M_QUOTAS_COUNTED, now_s);
	arena_reset(t->arena);
	if (meta_quotas_sum(t->meta, t->arena, &sum, &err) != 0)
		return;
	metric_set(M_QUOTAS, sum.accounts);
	metric_set(M_QUOTAS_NEARLY_FULL, sum.nearly_full);
	metric_set(M_QUOTAS_FULL, sum.full);
	metric_set(M_QUOTAS_UNCOUNTED, sum.uncounted);
}

/* ---- quotas that changed ---- */

void
tally_settle(struct tally *t, const struct uuid *bucket)
{
	size_t i = 0;

	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	while (i < t->n_changed && memcmp(&t->changed[i], bucket, sizeof(*bucket)) != 0)
		i++;
	if (i == t->n_changed && i < CHANGED_MAX) {
		t->changed[t->n_changed++] = *bucket;
		pthread_cond_signal(&t->woken);
	}
	pthread_mutex_unlock(&t->lock);
}

static bool
next_changed(struct tally *t, struct uuid *out)
{
	bool any;

	pthread_mutex_lock(&t->lock);
	any = t->n_changed > 0 && !t->stop;
	if (any)
		*out = t->changed[--t->n_changed];
	pthread_mutex_unlock(&t->lock);
	return any;
}

static void
settle(struct tally *t)
{
	enum quota_settled did;
	struct uuid bucket;

	while (next_changed(t, &bucket)) {
		struct err err = { 0 };

		arena_reset(t->arena);
		if (meta_quota_settle(t->meta, t->arena, &bucket, false, &did, &err) != 0)
			return; /* as above; maintain comes back to it */
		if (did != QUOTA_AS_BEFORE)
			metric_set(M_QUOTAS_COUNTED, 0);
	}
}

/* ---- the thread ---- */

static void *
tally_main(void *arg)
{
	struct tally *t = arg;
	struct timespec until;

	pthread_mutex_lock(&t->lock);
	while (!t->stop) {
		pthread_mutex_unlock(&t->lock);
		settle(t);
		count_uploads(t);
		count_quotas(t);
		(void)clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += LOOK_EVERY_S;
		pthread_mutex_lock(&t->lock);
		if (!t->stop && t->n_changed == 0)
			(void)pthread_cond_timedwait(&t->woken, &t->lock, &until);
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

static void
tally_free(struct tally *t)
{
	(void)pthread_cond_destroy(&t->woken);
	(void)pthread_mutex_destroy(&t->lock);
	meta_thread_free(t->meta);
	arena_free(t->arena);
}

int
tally_start(struct worker *w, struct tally **out, struct err *err)
{
	struct tally *t = arena_zalloc(w->arena, sizeof(*t));

	*out = NULL;
	ASSERT(t != NULL);
	if (meta_thread_new(w->meta, &t->meta, err) != 0)
		return -1;
	t->arena = arena_new(ARENA_BYTES);
	(void)pthread_mutex_init(&t->lock, NULL);
	clock_cond_init(&t->woken);
	if (thread_start_small(&t->id, tally_main, t, err) != 0) {
		tally_free(t);
		return -1;
	}
	*out = t;
	return 0;
}

void
tally_stop(struct tally *t)
{
	if (t == NULL)
		return;
	pthread_mutex_lock(&t->lock);
	t->stop = true;
	pthread_cond_signal(&t->woken);
	pthread_mutex_unlock(&t->lock);
	(void)pthread_join(t->id, NULL);
	tally_free(t);
}
