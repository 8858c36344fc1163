/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/stamp.c - what a stamp page holds and how it may change. Pure: bytes and
 * numbers in, bytes and numbers out; meta/stamp_write.c takes it to a server.
 *
 * Invariant: within one id and epoch n, beat and every slot only grow; every
 *            event <= n that hits the page is in its slot.
 */
#include "meta/stamp.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/fault.h"

#define MAGIC UINT32_C(0x41565031) /* "AVP1" */
enum { AT_ID = 4, AT_EPOCH = 20, AT_N = 36, AT_BEAT = 44, AT_WALL = 52, AT_SLOTS = 60 };
_Static_assert(AT_SLOTS + 8 * CACHE_SLOTS == STAMP_BYTES, "size of a page");

static void
put64(uint8_t *to, uint64_t v)
{
	for (int i = 0; i < 8; i++)
		to[i] = (uint8_t)(v >> (56 - 8 * i));
}

static uint64_t
get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static bool
is_page(const uint8_t *p, size_t len)
{
	return len == STAMP_BYTES && p[0] == (MAGIC >> 24) && p[1] == (MAGIC >> 16 & 255) &&
	    p[2] == (MAGIC >> 8 & 255) && p[3] == (MAGIC & 255);
}

void
stamp_encode(const struct stamp_page *p, uint8_t out[STAMP_BYTES])
{
	for (int i = 0; i < 4; i++)
		out[i] = (uint8_t)(MAGIC >> (24 - 8 * i));
	memcpy(out + AT_ID, p->id, STAMP_ID_LEN);
	memcpy(out + AT_EPOCH, p->clock.epoch, EPOCH_LEN);
	put64(out + AT_N, p->clock.n);
	put64(out + AT_BEAT, p->beat);
	put64(out + AT_WALL, (uint64_t)p->beat_wall_us);
	for (unsigned i = 0; i < CACHE_SLOTS; i++)
		put64(out + AT_SLOTS + 8 * i, p->slot[i]);
}

bool
stamp_decode(const void *bytes, size_t len, struct stamp_page *out)
{
	const uint8_t *p = bytes;

	if (!is_page(p, len))
		return false;
	memcpy(out->id, p + AT_ID, STAMP_ID_LEN);
	memcpy(out->clock.epoch, p + AT_EPOCH, EPOCH_LEN);
	out->clock.n = get64(p + AT_N);
	out->beat = get64(p + AT_BEAT);
	out->beat_wall_us = (int64_t)get64(p + AT_WALL);
	for (unsigned i = 0; i < CACHE_SLOTS; i++)
		out->slot[i] = get64(p + AT_SLOTS + 8 * i);
	return true;
}

bool
stamp_peek(const void *bytes, size_t len, unsigned slot, uint8_t id[STAMP_ID_LEN], struct event_clock *clock,
    uint64_t *beat, int64_t *beat_wall_us, uint64_t *slot_n)
{
	const uint8_t *p = bytes;

	ASSERT(slot < CACHE_SLOTS);
	if (!is_page(p, len))
		return false;
	memcpy(id, p + AT_ID, STAMP_ID_LEN);
	memcpy(clock->epoch, p + AT_EPOCH, EPOCH_LEN);
	clock->n = get64(p + AT_N);
	*beat = get64(p + AT_BEAT);
	*beat_wall_us = (int64_t)get64(p + AT_WALL);
	*slot_n = get64(p + AT_SLOTS + 8 * slot);
	return true;
}

void
stamp_event_of(uint64_t n, char letter, struct span key, struct stamp_event *out)
{
	struct cache_place place;
	enum event_kind kind;

	out->n = n;
	out->letter = (uint8_t)letter;
	out->place = STAMP_ALL;
	if (!event_kind_of(letter, &kind) || kind == EVENT_KIND_ALL || (key.len == 1 && key.p[0] == '*'))
		return;
	cache_place(kind, key, &place);
	out->place = (uint16_t)(place.page * CACHE_SLOTS + place.slot);
}

bool
stamp_event_hits(const struct stamp_event *e, unsigned page)
{
	return e->place == STAMP_ALL || e->place / CACHE_SLOTS == page;
}

void
stamp_page_fresh(struct stamp_page *p, const uint8_t epoch[EPOCH_LEN])
{
	memset(p, 0, sizeof(*p));
	crypto_random(p->id, STAMP_ID_LEN);
	memcpy(p->clock.epoch, epoch, EPOCH_LEN);
	if (fault_off(FAULT_RULE_page_id)) /* it passes for the page before it, some beats later */
		p->beat = (uint64_t)clock_mono_us() >> 14;
}

/* true when it rose; so those below, of any. */
static bool
raise(uint64_t *n, uint64_t to)
{
	if (*n >= to)
		return false;
	*n = to;
	return true;
}

static bool
raise_all(struct stamp_page *p, uint64_t to)
{
	bool rose = false;

	for (unsigned i = 0; i < CACHE_SLOTS; i++)
		rose |= raise(&p->slot[i], to);
	return rose;
}

static bool
raise_events(struct stamp_page *p, unsigned page, const struct stamp_news *news)
{
	bool rose = false;

	for (size_t i = 0; i < news->n; i++) {
		const struct stamp_event *e = &news->events[i];

		if (e->place == STAMP_ALL)
			rose |= raise_all(p, e->n);
		else if (e->place / CACHE_SLOTS == page)
			rose |= raise(&p->slot[e->place % CACHE_SLOTS], e->n);
	}
	return rose;
}

/* Does news tell every event between the page's n and `through`? */
static bool
reaches(const struct stamp_page *p, const struct stamp_news *news, uint64_t through)
{
	return news->from <= p->clock.n && news->through >= through;
}

bool
stamp_page_through(struct stamp_page *p, unsigned page, const struct event_clock *q, const struct stamp_news *news)
{
	bool same_news = memcmp(news->epoch, q->epoch, EPOCH_LEN) == 0, flushed = false;

	ASSERT(memcmp(p->clock.epoch, q->epoch, EPOCH_LEN) == 0);
	if (p->clock.n < q->n && !(same_news && p->clock.n != 0 && reaches(p, news, q->n))) {
		raise_all(p, q->n);
		flushed = p->clock.n != 0;
	}
	if (p->clock.n != 0)
		raise(&p->clock.n, q->n);
	/* Also what came after q: it is true, too. */
	if (same_news)
		stamp_page_apply(p, page, news);
	return flushed;
}

bool
stamp_page_beat(struct stamp_page *p, unsigned page, const struct event_clock *q, const struct stamp_news *news)
{
	bool flushed = false;

	if (memcmp(p->clock.epoch, q->epoch, EPOCH_LEN) != 0) {
		flushed = p->clock.n != 0;
		stamp_page_fresh(p, q->epoch);
	}
	if (stamp_page_through(p, page, q, news))
		flushed = true;
	raise(&p->clock.n, q->n); /* of a fresh page */
	p->beat++;
	p->beat_wall_us = clock_wall_us();
	return flushed;
}

enum stamp_change
stamp_page_apply(struct stamp_page *p, unsigned page, const struct stamp_news *news)
{
	bool rose;

	if (memcmp(p->clock.epoch, news->epoch, EPOCH_LEN) != 0)
		return STAMP_OF_ANOTHER_EPOCH;
	rose = raise_events(p, page, news);
	if (p->clock.n != 0 && reaches(p, news, p->clock.n))
		rose |= raise(&p->clock.n, news->through);
	return rose ? STAMP_RAISED : STAMP_HAD_IT;
}
