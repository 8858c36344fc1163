/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/stamp_write.c - the only place that writes stamp pages.
 *
 * Blocks:    yes, on one memcached server.
 * Invariant: every write but the add of a fresh page is a CAS over a page that
 *            was read on the same connection; events count as applied only when a
 *            read shows them there, or the CAS was answered; and a page is beaten
 *            only when its id and its beat are those read before the source was
 *            asked. tests/model/cache.pml has these rules, and fails without one.
 */
#include "meta/stamp_write.h"

#include "base/clock.h"
#include "base/fault.h"

#define TRIES 12 /* refused CAS in a row; each one means that somebody else got on */

/* The more often in a row, the longer: so many write one page only when a flood of events meets many writers. */
static void
step_aside(int tries)
{
	if (tries > 2)
		clock_sleep_us(tries * 20);
}

struct pages { /* what a gets found */
	struct {
		bool there;
		uint64_t cas;
		struct stamp_page page;
	} at[STAMP_PAGES];
	const unsigned *index; /* of the i-th key asked for */
	uint64_t connection;   /* that the cas are of */
	bool no_cas;
};

static void
got(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct pages *g = arg;
	unsigned page = g->index[i];

	if (cas == 0)
		g->no_cas = true;
	/* What is not a page of ours is there all the same: it is replaced by CAS. */
	g->at[page].there = true;
	g->at[page].cas = cas;
	if (!stamp_decode(p, len, &g->at[page].page))
		memset(&g->at[page].page, 0, sizeof(g->at[page].page));
}

static enum stamp_result
read_pages(struct mc *c, const char *region, uint32_t mask, struct pages *g)
{
	struct mc_key keys[STAMP_PAGES];
	unsigned index[STAMP_PAGES];
	enum mc_result r = MC_LOST;
	size_t n = 0;

	for (unsigned p = 0; p < STAMP_PAGES; p++)
		if (mask & UINT32_C(1) << p) {
			keys[n].len = cache_key_page(keys[n].text, region, p);
			index[n++] = p;
		}
	for (int tries = 0; r == MC_LOST && tries < 2; tries++) {
		for (unsigned p = 0; p < STAMP_PAGES; p++)
			g->at[p].there = false;
		g->no_cas = false;
		g->index = index;
		r = mc_gets(c, keys, n, got, g);
	}
	g->index = NULL;
	g->connection = mc_connection(c);
	return r != MC_OK ? STAMP_AWAY : g->no_cas ? STAMP_NO_CAS : STAMP_DONE;
}

/* answered: MC_OK says that it took. Else MC_SENT may be all that is known. */
static enum mc_result
write_page(struct mc *c, const char *region, unsigned page, const struct stamp_page *p, uint64_t cas, uint64_t connection,
    bool answered)
{
	uint8_t bytes[STAMP_BYTES];
	struct mc_key k;

	k.len = cache_key_page(k.text, region, page);
	stamp_encode(p, bytes);
	if (fault_off(FAULT_RULE_cas))
		return mc_set(c, &k, bytes, sizeof(bytes), 0);
	return (answered ? mc_cas : mc_cas_quiet)(c, &k, bytes, sizeof(bytes), 0, cas, connection);
}

/* One page as it was read. true: no more is to be done about it. */
static bool
apply_page(struct mc *c, const char *region, unsigned p, struct pages *g, const struct stamp_news *news, bool *epoch)
{
	if (!g->at[p].there)
		return true;
	switch (stamp_page_apply(&g->at[p].page, p, news)) {
	case STAMP_OF_ANOTHER_EPOCH:
		*epoch = true;
		return true;
	case STAMP_HAD_IT:
		return true;
	case STAMP_RAISED:
		break;
	}
	return write_page(c, region, p, &g->at[p].page, g->at[p].cas, g->connection, false) == MC_OK;
}

/*
 * Nobody waits for the answer to each CAS: they go out together, and the next read
 * shows which of them took. So a transaction that hits every page costs two round
 * trips, not seventeen.
 */
enum stamp_result
stamp_apply(struct mc *c, const char *region, uint32_t pages, const struct stamp_news *news)
{
	enum stamp_result r;
	struct pages g;
	bool epoch = false;

	for (int tries = 0; pages != 0 && tries < 2 * TRIES; tries++) {
		step_aside(tries / 2);
		r = read_pages(c, region, pages, &g);
		if (r != STAMP_DONE)
			return r;
		fault_point(FAULT_POINT_apply_before_cas);
		for (unsigned p = 0; p < STAMP_PAGES; p++)
			if (pages & UINT32_C(1) << p && apply_page(c, region, p, &g, news, &epoch))
				pages &= ~(UINT32_C(1) << p);
	}
	return epoch ? STAMP_EPOCH : pages != 0 ? STAMP_BUSY : STAMP_DONE;
}

enum stamp_result
stamp_beat_begin(struct mc *c, const char *region, const uint8_t epoch[EPOCH_LEN], struct stamp_round *r)
{
	enum stamp_result res;
	struct pages g;
	bool added = false;

	memset(r, 0, sizeof(*r));
	res = read_pages(c, region, STAMP_EVERY_PAGE, &g);
	for (unsigned p = 0; res == STAMP_DONE && p < STAMP_PAGES; p++) {
		struct stamp_page fresh;
		uint8_t bytes[STAMP_BYTES];
		struct mc_key k;

		if (g.at[p].there)
			continue;
		stamp_page_fresh(&fresh, epoch);
		stamp_encode(&fresh, bytes);
		k.len = cache_key_page(k.text, region, p);
		if (mc_add(c, &k, bytes, sizeof(bytes), 0) == MC_FAILED)
			return STAMP_AWAY;
		added = true;
	}
	if (res == STAMP_DONE && added) /* ours, or what somebody else added first */
		res = read_pages(c, region, STAMP_EVERY_PAGE, &g);
	if (res != STAMP_DONE)
		return res;
	r->connection = g.connection;
	for (unsigned p = 0; p < STAMP_PAGES; p++) {
		r->was[p].there = g.at[p].there;
		r->was[p].cas = g.at[p].cas;
		r->was[p].page = g.at[p].page;
	}
	return STAMP_DONE;
}

void
stamp_round_range(const struct stamp_round *r, const uint8_t epoch[EPOCH_LEN], uint64_t *low, uint64_t *high)
{
	*low = *high = 0;
	for (unsigned p = 0; p < STAMP_PAGES; p++) {
		const struct event_clock *c = &r->was[p].page.clock;

		if (!r->was[p].there || c->n == 0 || memcmp(c->epoch, epoch, EPOCH_LEN) != 0)
			continue;
		if (*low == 0 || c->n < *low)
			*low = c->n;
		if (c->n > *high)
			*high = c->n;
	}
}

struct ending {
	struct mc *c;
	const char *region;
	const struct stamp_round *r;
	const struct event_clock *q;
	const struct stamp_news *news;
	int beaten, flushed;
};

/* Has nobody beaten or replaced it since? */
static bool
same_beat(const struct stamp_page *now, const struct stamp_page *was)
{
	if (fault_off(FAULT_RULE_same_beat))
		return true;
	return memcmp(now->id, was->id, STAMP_ID_LEN) == 0 && now->beat == was->beat;
}

/* One page, as it is now. DONE: every event through q is in it (or it is gone). */
static enum stamp_result
end_page(struct ending *e, unsigned p, bool there, uint64_t cas, uint64_t connection, struct stamp_page *now)
{
	const struct stamp_page *was = &e->r->was[p].page;
	enum mc_result w;
	bool flush;

	if (!there)
		return STAMP_DONE;
	fault_point(FAULT_POINT_beat_before_cas);
	if (e->r->was[p].there && same_beat(now, was)) {
		flush = stamp_page_beat(now, p, e->q, e->news);
		w = write_page(e->c, e->region, p, now, cas, connection, true);
		if (w == MC_OK) {
			e->beaten++;
			e->flushed += flush;
		}
	} else {
		if (memcmp(now->clock.epoch, e->q->epoch, EPOCH_LEN) != 0)
			return STAMP_EPOCH;
		if (now->clock.n >= e->q->n)
			return STAMP_DONE; /* who beat it told it all that we know */
		stamp_page_through(now, p, e->q, e->news);
		w = write_page(e->c, e->region, p, now, cas, connection, true);
	}
	return w == MC_OK ? STAMP_DONE : STAMP_BUSY;
}

enum stamp_result
stamp_beat_end(struct mc *c, const char *region, const struct stamp_round *r, const struct event_clock *q,
    const struct stamp_news *news, int *beaten, int *flushed)
{
	struct ending e = { c, region, r, q, news, 0, 0 };
	enum stamp_result res = STAMP_DONE, one;
	uint32_t left = 0;
	struct pages g;

	for (unsigned p = 0; p < STAMP_PAGES; p++) {
		struct stamp_page now = r->was[p].page;

		one = end_page(&e, p, r->was[p].there, r->was[p].cas, r->connection, &now);
		if (one == STAMP_BUSY)
			left |= UINT32_C(1) << p;
	}
	for (int tries = 0; left != 0 && res == STAMP_DONE && tries < TRIES; tries++) {
		step_aside(tries);
		res = read_pages(c, region, left, &g);
		for (unsigned p = 0; res == STAMP_DONE && p < STAMP_PAGES; p++) {
			if (!(left & UINT32_C(1) << p))
				continue;
			one = end_page(&e, p, g.at[p].there, g.at[p].cas, g.connection, &g.at[p].page);
			if (one == STAMP_EPOCH)
				res = one;
			if (one == STAMP_DONE)
				left &= ~(UINT32_C(1) << p);
		}
	}
	*beaten = e.beaten;
	*flushed = e.flushed;
	return res != STAMP_DONE ? res : left != 0 ? STAMP_BUSY : STAMP_DONE;
}
