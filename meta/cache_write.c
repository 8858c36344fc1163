/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_write.c - what a writer of metadata does after its COMMIT: raises
 * the slots of its own region, and waits for the others.
 *
 * Blocks:    yes: on memcached, and at most metadata_ack_ms on other regions.
 * Invariant: the raise never lifts a page's n. n says that EVERY event through it
 *            is in the page; a writer knows its own only.
 */
#include "meta/ack.h"
#include "meta/cache_impl.h"
#include "meta/stamp_write.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"

#define RAISE_KEYS_MAX 64   /* more are raised as one "*" */
#define ASK_EVERY_US US_PER_MS
#define REGIONS_MAX MC_KEYS_MAX

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

struct polled {
	const struct event_clock *at;
	bool *acked; /* one a key */
};

static void
got_ack(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct polled *w = arg;
	struct ack ack;

	(void)cas;
	if (ack_decode(p, len, &ack) && memcmp(ack.clock.epoch, w->at->epoch, EPOCH_LEN) == 0 && ack.clock.n >= w->at->n)
		w->acked[i] = true;
}

/* Every server holds the items; the first that answers will do. */
static void
poll_acks(struct cache_thread *t, const struct mc_key *keys, size_t n, struct polled *w)
{
	for (size_t s = 0; s < t->cache->servers->n; s++) {
		enum mc_result r = mc_gets(t->mc[s], keys, n, got_ack, w);

		if (r == MC_LOST)
			r = mc_gets(t->mc[s], keys, n, got_ack, w);
		if (r == MC_OK)
			return;
	}
}

static size_t
count(const bool *acked, size_t n)
{
	size_t done = 0;

	for (size_t i = 0; i < n; i++)
		done += acked[i];
	return done;
}

int64_t
cache_wait_acks(struct cache_thread *t, const struct event_clock *at, const char *const *regions, const char *own,
    bool own_only, bool *all)
{
	int64_t start = clock_mono_us(), waited = 0;
	const char *names[REGIONS_MAX];
	struct mc_key keys[REGIONS_MAX];
	bool acked[REGIONS_MAX] = { false }, too_many = false;
	struct polled w = { at, acked };
	size_t n = 0;

	for (; !own_only && *regions != NULL; regions++) {
		too_many = too_many || n == REGIONS_MAX;
		if (n < REGIONS_MAX)
			names[n++] = *regions;
	}
	if (own_only)
		names[n++] = own;
	for (size_t i = 0; i < n; i++)
		keys[i].len = cache_key_ack(keys[i].text, t->cache->servers->region, names[i]);
	metric_add(M_ACK_WAITS, 1);
	for (;;) {
		if (n > 0)
			poll_acks(t, keys, n, &w);
		waited = clock_mono_us() - start;
		if ((count(acked, n) == n && !too_many) || waited >= t->cache->ack_us)
			break;
		clock_sleep_us(ASK_EVERY_US);
	}
	metric_add(M_ACK_WAIT_US, waited);
	*all = count(acked, n) == n && !too_many;
	if (!*all) {
		metric_add(M_ACK_TIMEOUTS, 1);
		for (size_t i = 0; i < n; i++)
			if (!acked[i])
				log_event(NULL, EV_ACK_TIMEOUT, LS("region", names[i]), LI("event", (int64_t)at->n), LI("waited_us", waited));
	}
	return waited;
}
