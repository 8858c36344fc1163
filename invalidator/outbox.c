/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/outbox.c - how long the outbox keeps events. What the regions have
 * acknowledged is kept in the database too, so that no restart of a source
 * forgets it, or counts a region's silence anew; which events may go is decided
 * there, by one clock (sql/global/0004-outbox.sql).
 *
 * Blocks:    in the source's thread, on PostgreSQL, for one batch.
 * Invariant: nothing depends on it: who misses an event that is gone raises every
 *            stamp. A region that is given up, or heard again, is told once.
 */
#include "invalidator/inv.h"

#include "base/clock.h"
#include "base/log.h"

#define EVERY_MIN_US US_PER_S
#define EVERY_MAX_US (60 * US_PER_S)
#define AGAIN_US (50 * US_PER_MS) /* between two batches: news goes first */
#define BATCH 10000               /* rows */

struct outbox {
	struct arena *arena;
	int64_t every_us, next_us;
	struct ack_heard heard[MESSAGE_REGIONS_MAX];
	struct arena *given_up_arena; /* of given_up */
	const char *const *given_up;  /* ends in NULL */
};
static const char *const nobody[] = { NULL };

void
outbox_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct outbox) + 256);
	struct outbox *o = ARENA_NEW(a, struct outbox);
	const struct settings *s = inv->settings;
	int64_t least_s = s->metadata_events_keep_s < s->metadata_events_silent_s ? s->metadata_events_keep_s :
	    s->metadata_events_silent_s;

	ASSERT(o != NULL);
	o->arena = a;
	o->every_us = least_s * US_PER_S / 4;
	if (o->every_us < EVERY_MIN_US)
		o->every_us = EVERY_MIN_US;
	if (o->every_us > EVERY_MAX_US)
		o->every_us = EVERY_MAX_US;
	o->next_us = clock_mono_us() + o->every_us; /* first it is heard who is there */
	o->given_up = nobody;
	inv->outbox = o;
}

void
outbox_free(struct inv *inv)
{
	arena_free(inv->outbox->given_up_arena);
	arena_free(inv->outbox->arena);
}

static bool
tell_heard(struct inv *inv, struct arena *a)
{
	struct outbox *o = inv->outbox;
	size_t n = acks_list(inv->acks, o->heard, ARRAY_LEN(o->heard));
	int64_t now = clock_mono_us();
	struct err err = { 0 };

	for (size_t i = 0; i < n; i++) {
		const struct ack_heard *h = &o->heard[i];
		struct db_param p[] = { P_TEXT(h->region), { .type = DB_UUID, .p = h->clock.epoch, .len = EPOCH_LEN },
			P_INT((int64_t)h->clock.n), P_INT((now - h->heard_us) / US_PER_MS) };

		if (db_query(inv->db, a, STMT_REGION_HEARD, p, ARRAY_LEN(p), NULL, &err) != 0)
			return false;
	}
	return true;
}

static bool
is_in(const char *const *list, const char *name)
{
	for (; *list != NULL; list++)
		if (strcmp(*list, name) == 0)
			return true;
	return false;
}

/* The list is a's, which is kept with it. */
static void
say_given_up(struct outbox *o, struct arena *a, const char *const *list)
{
	for (size_t i = 0; list[i] != NULL; i++)
		if (!is_in(o->given_up, list[i]))
			log_event(NULL, EV_INV_GIVEN_UP, LS("region", list[i]));
	for (size_t i = 0; o->given_up[i] != NULL; i++)
		if (!is_in(list, o->given_up[i]))
			log_event(NULL, EV_INV_HEARD_AGAIN, LS("region", o->given_up[i]));
	arena_free(o->given_up_arena);
	o->given_up_arena = a;
	o->given_up = list;
}

/* A failure is told by the pool, and tried again at the next turn. */
void
outbox_turn(struct inv *inv)
{
	const struct settings *s = inv->settings;
	struct db_param p[] = { P_INT(s->metadata_events_keep_s), P_INT(s->metadata_events_silent_s),
		P_INT(s->metadata_events_max), P_INT(BATCH) };
	struct outbox *o = inv->outbox;
	const char *const *given_up;
	struct err err = { 0 };
	struct db_rows *rows;
	struct arena *a;

	if (clock_mono_us() < o->next_us)
		return;
	o->next_us = clock_mono_us() + o->every_us;
	a = arena_new(1 << 20);
	if (tell_heard(inv, a) && db_query(inv->db, a, STMT_OUTBOX_PRUNE, p, ARRAY_LEN(p), &rows, &err) == 0 &&
	    (given_up = db_texts(rows, 0, 2, a)) != NULL) {
		if (db_bool(rows, 0, 1))
			o->next_us = clock_mono_us() + AGAIN_US;
		say_given_up(o, a, given_up);
	} else {
		arena_free(a);
	}
}
