/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_write.c - what a writer of metadata does after its COMMIT: raises
 * the slots of its own region, and waits for the others.
 *
 * Blocks:    yes: on memcached, and on other regions until the time that it is given.
 * Invariant: the raise never lifts a page's n. n says that EVERY event through it
 *            is in the page; a writer knows its own only.
 */
#include "meta/ack.h"
#include "meta/cache_impl.h"
#include "meta/stamp_write.h"

#include "base/clock.h"
#include "base/fault.h"

#define RAISE_KEYS_MAX 64   /* more are raised as one "*" */
#define ASK_EVERY_US US_PER_MS

bool
cache_raise(struct cache_thread *t, const struct cache_key *keys, size_t n, const struct event_clock *at)
{
	struct stamp_event events[RAISE_KEYS_MAX];
	struct stamp_news news = { .from = at->n, .through = at->n, .events = events };
	const struct cache_servers *s = t->cache->servers;
	uint32_t pages = 0;
	bool all = true;

	memcpy(news.epoch, at->epoch, EPOCH_LEN);
	if (n > RAISE_KEYS_MAX) {
		events[0] = (struct stamp_event){ at->n, STAMP_ALL, (uint8_t)'*' };
		news.n = 1;
	} else {
		for (size_t i = 0; i < n; i++)
			stamp_event_of(at->n, event_letter(keys[i].kind), keys[i].name, &events[i]);
		news.n = n;
	}
	for (unsigned p = 0; p < CACHE_PAGES; p++)
		for (size_t i = 0; i < news.n; i++)
			if (stamp_event_hits(&events[i], p))
				pages |= UINT32_C(1) << p;
	if (pages == 0)
		return true;
	for (size_t i = 0; i < s->n; i++)
		if (stamp_apply(t->mc[i], s->region, pages, &news) != STAMP_DONE)
			all = false;
	return all;
}

/* ---- acknowledgements ---- */

struct waiting {
	const struct event_clock *at;
	const char **region; /* that have not acknowledged yet */
	size_t n;
	bool acked[MC_KEYS_MAX]; /* of those asked for just now */
};

static void
got_ack(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct waiting *w = arg;
	struct ack ack;
	bool epoch;

	(void)cas;
	if (!ack_decode(p, len, &ack))
		return;
	epoch = memcmp(ack.clock.epoch, w->at->epoch, EPOCH_LEN) == 0 || fault_off(FAULT_RULE_epoch);
	if (epoch && ack.clock.n >= w->at->n)
		w->acked[i] = true;
}

/* Every server holds the items; the first that answers will do. Who has acknowledged is waited for no longer. */
static void
poll_acks(struct cache_thread *t, struct waiting *w)
{
	size_t n = w->n < MC_KEYS_MAX ? w->n : MC_KEYS_MAX, left = 0;
	const char *silent[MC_KEYS_MAX];
	struct mc_key keys[MC_KEYS_MAX];
	enum mc_result r = MC_FAILED;

	for (size_t i = 0; i < n; i++) {
		keys[i].len = cache_key_ack(keys[i].text, t->cache->servers->region, w->region[i]);
		w->acked[i] = false;
	}
	for (size_t s = 0; r != MC_OK && s < t->cache->servers->n; s++) {
		r = mc_gets(t->mc[s], keys, n, got_ack, w);
		if (r == MC_LOST)
			r = mc_gets(t->mc[s], keys, n, got_ack, w);
	}
	/* Those that were asked for go behind the others, so that each has its turn. */
	for (size_t i = 0; i < n; i++)
		if (!w->acked[i])
			silent[left++] = w->region[i];
	memmove(w->region, w->region + n, (w->n - n) * sizeof(w->region[0]));
	memcpy(w->region + w->n - n, silent, left * sizeof(silent[0]));
	w->n = w->n - n + left;
}

void
cache_await_acks(struct cache_thread *t, const struct event_clock *at, const char **regions, size_t *n, int64_t until_us)
{
	struct waiting w = { .at = at, .region = regions, .n = *n };

	for (;;) {
		size_t before = w.n;

		if (w.n > 0)
			poll_acks(t, &w);
		if (w.n == 0 || clock_mono_us() >= until_us)
			break;
		if (w.n == before || before <= MC_KEYS_MAX)
			clock_sleep_us(ASK_EVERY_US);
	}
	*n = w.n;
}
