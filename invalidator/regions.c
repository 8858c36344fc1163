/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/regions.c - the table of regions in memory: whose invalidators are
 * listened to, and who is asked. Read when an event says so, and now and then.
 *
 * Blocks:    in the beat thread, on the database or on peers.
 * Invariant: a failed reading leaves what was known.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/log.h"

#define REREAD_US (30 * US_PER_S)
#define RETRY_US US_PER_S

struct regions {
	pthread_mutex_t lock;
	struct arena *arena;  /* of list */
	const struct message_region *list;
	size_t n;
	bool stale;
	int64_t next_us;      /* the beat thread's own */
	struct arena *home;
};

void
regions_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct regions) + 256);
	struct regions *r = ARENA_NEW(a, struct regions);

	ASSERT(r != NULL);
	r->home = a;
	r->stale = true;
	pthread_mutex_init(&r->lock, NULL);
	inv->regions = r;
}

void
regions_free(struct inv *inv)
{
	pthread_mutex_destroy(&inv->regions->lock);
	arena_free(inv->regions->arena);
	arena_free(inv->regions->home);
}

static const struct message_region *
copy(struct arena *a, const struct message_region *from, size_t n)
{
	struct message_region *to = arena_array(a, n + 1, sizeof(*to));

	for (size_t i = 0; to != NULL && i < n; i++) {
		to[i].name = arena_strdup(a, from[i].name);
		to[i].state = arena_strdup(a, from[i].state);
		to[i].pub = arena_strdup(a, from[i].pub);
		to[i].rep = arena_strdup(a, from[i].rep);
	}
	return arena_overflowed(a) ? NULL : to;
}

const struct message_region *
regions_list(struct regions *r, struct arena *a, size_t *n)
{
	const struct message_region *list;

	pthread_mutex_lock(&r->lock);
	*n = r->n;
	list = copy(a, r->list, r->n);
	pthread_mutex_unlock(&r->lock);
	if (list == NULL)
		*n = 0;
	return list;
}

void
regions_stale(struct regions *r)
{
	pthread_mutex_lock(&r->lock);
	r->stale = true;
	pthread_mutex_unlock(&r->lock);
}

static bool
from_database(struct inv *inv, struct arena *a, struct message_region **out, size_t *n)
{
	struct err err = { 0 };
	struct message_region *list;
	struct db_rows *rows;

	if (!atomic_load(&inv->is_source) || db_query(inv->db, a, STMT_INVALIDATOR_REGIONS, NULL, 0, &rows, &err) != 0)
		return false;
	*n = db_count(rows);
	if (*n > MESSAGE_REGIONS_MAX)
		*n = MESSAGE_REGIONS_MAX;
	list = arena_array(a, *n + 1, sizeof(*list));
	for (size_t i = 0; list != NULL && i < *n; i++) {
		list[i].name = db_text(rows, i, 0);
		list[i].state = db_text(rows, i, 1);
		list[i].pub = db_text(rows, i, 2);
		list[i].rep = db_text(rows, i, 3);
	}
	*out = list;
	return list != NULL;
}

static bool
any_regions(const struct message *answer, void *arg)
{
	(void)arg;
	return answer->type == MSG_REGIONS && answer->code == ANSWER_OK;
}

static bool
from_peers(struct inv *inv, struct arena *a, const struct message_region **out, size_t *n)
{
	struct message question = { .type = MSG_ASK_REGIONS }, answer;

	if (!peers_ask(inv, &question, any_regions, NULL, a, &answer))
		return false;
	*out = answer.regions;
	*n = answer.n_regions;
	return true;
}

void
regions_refresh(struct inv *inv)
{
	struct regions *r = inv->regions;
	const struct message_region *list = NULL;
	struct message_region *rows = NULL;
	struct arena *a, *scratch;
	int64_t now = clock_mono_us();
	bool stale;
	size_t n = 0;

	pthread_mutex_lock(&r->lock);
	stale = r->stale;
	r->stale = false; /* what comes while we read makes it stale again */
	pthread_mutex_unlock(&r->lock);
	if (!stale && now < r->next_us)
		return;
	scratch = arena_new(1 << 20);
	if (from_database(inv, scratch, &rows, &n))
		list = rows;
	else if (!from_peers(inv, scratch, &list, &n))
		list = NULL;
	r->next_us = now + (list != NULL ? REREAD_US : RETRY_US);
	if (list == NULL) {
		arena_free(scratch);
		return;
	}
	a = arena_new(1 << 20);
	list = copy(a, list, n);
	arena_free(scratch);
	if (list == NULL) {
		arena_free(a);
		return;
	}
	pthread_mutex_lock(&r->lock);
	scratch = r->arena;
	r->arena = a;
	r->list = list;
	r->n = n;
	pthread_mutex_unlock(&r->lock);
	arena_free(scratch);
	peers_update(inv, list, n); /* only this thread replaces the list */
}
