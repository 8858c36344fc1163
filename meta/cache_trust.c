/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_trust.c - the trust rule.
 *
 * Blocks:    only on its own short lock (rank: last; nothing is called under it).
 * Invariant: sights are ascending in beat, and each tells the truth: a beat not
 *            above its own was seen by a read sent at its time. Threads may
 *            report out of order; an older report never lowers a time.
 */
#include "meta/cache_trust.h"

#include "base/fault.h"

void
cache_trust_init(struct cache_trust *t)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
}

void
cache_trust_release(struct cache_trust *t)
{
	pthread_mutex_destroy(&t->lock);
}

static void
remember(struct cache_trust *t, uint64_t beat, int64_t sent_us)
{
	size_t at = t->n;

	while (at > 0 && t->sight[at - 1].beat > beat)
		at--;
	if (at > 0 && t->sight[at - 1].beat == beat) {
		if (t->sight[at - 1].sent_us < sent_us)
			t->sight[at - 1].sent_us = sent_us;
		return;
	}
	if (t->n == TRUST_SIGHTS) {
		if (at == 0)
			return; /* older than all that are remembered */
		/* The oldest goes into the next: it saw a beat not above that one's, too. */
		if (t->sight[1].sent_us < t->sight[0].sent_us)
			t->sight[1].sent_us = t->sight[0].sent_us;
		memmove(t->sight, t->sight + 1, (TRUST_SIGHTS - 1) * sizeof(t->sight[0]));
		t->n--;
		at--;
	}
	memmove(t->sight + at + 1, t->sight + at, (t->n - at) * sizeof(t->sight[0]));
	t->sight[at] = (struct trust_sight){ beat, sent_us };
	t->n++;
}

static bool
judge(const struct cache_trust *t, uint64_t beat, int64_t begin_us, int64_t trust_us)
{
	uint64_t between = fault_off(FAULT_RULE_two_beats) ? 1 : 2;

	if (fault_off(FAULT_RULE_beats))
		return beat > 0;
	for (size_t i = 0; i < t->n && beat >= between && t->sight[i].beat <= beat - between; i++)
		if (t->sight[i].sent_us > begin_us - trust_us)
			return true;
	return false;
}

bool
cache_trust_see(struct cache_trust *t, const uint8_t id[STAMP_ID_LEN], uint64_t beat, int64_t sent_us, int64_t begin_us,
    int64_t trust_us)
{
	bool trusted;

	pthread_mutex_lock(&t->lock);
	if (memcmp(t->id, id, STAMP_ID_LEN) != 0 && !fault_off(FAULT_RULE_page_id)) {
		memcpy(t->id, id, STAMP_ID_LEN);
		t->n = 0;
	}
	remember(t, beat, sent_us);
	trusted = judge(t, beat, begin_us, trust_us);
	pthread_mutex_unlock(&t->lock);
	return trusted;
}
