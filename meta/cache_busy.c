/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_busy.c - the busy key: one reader of a missing value over all
 * processes of a region.
 *
 * Called by: meta/find.c, by the one thread of a process that would read the value.
 * Blocks:    yes, on one memcached server.
 * Invariant: for load only. Whatever happens to a busy key (evicted, flushed, on
 *            another server for whoever sees another one down, taken over while
 *            its holder still reads) costs a second reading and nothing else.
 */
#include "meta/cache_impl.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/metrics.h"

#define BUSY_EXPIRE_S 2 /* memcached counts whole seconds: 1 to 2 of them */

static void
busy_key(const struct cache_thread *t, const struct cache_key *key, struct cache_place *place, struct mc_key *k)
{
	cache_place(key->kind, key->name, place);
	k->len = cache_key_busy(k->text, t->cache->servers->region, place);
}

struct holder {
	bool there;
	uint8_t token[CACHE_TOKEN_LEN];
	uint64_t cas;
};

static void
got_holder(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct holder *h = arg;

	(void)i;
	h->there = true;
	h->cas = cas;
	memcpy(h->token, p, len < CACHE_TOKEN_LEN ? len : CACHE_TOKEN_LEN); /* a short one is another's all the same */
}

/* It is held. By whom, and for how long as far as we saw? A holder that died is replaced by one of those who wait. */
static enum cache_claimed
look_at_holder(struct mc *mc, const struct mc_key *k, const uint8_t mine[CACHE_TOKEN_LEN], struct cache_claim *c)
{
	struct holder h = { 0 };
	int64_t now = clock_mono_us();
	enum mc_result r = mc_gets(mc, k, 1, got_holder, &h);

	if (r != MC_OK)
		return r == MC_LOST ? CLAIM_OTHER : CLAIM_NONE;
	if (!h.there) { /* gone in between: the value is there, or the next claim succeeds. Twice: there is no room for it */
		c->gone++;
		return c->gone == 1 ? CLAIM_OTHER : CLAIM_NONE;
	}
	if (c->seen_us == 0 || memcmp(c->token, h.token, CACHE_TOKEN_LEN) != 0) {
		memcpy(c->token, h.token, CACHE_TOKEN_LEN);
		c->seen_us = now;
		return CLAIM_OTHER;
	}
	if (now - c->seen_us < CACHE_BUSY_PATIENCE_MS * US_PER_MS ||
	    mc_cas(mc, k, mine, CACHE_TOKEN_LEN, BUSY_EXPIRE_S, h.cas, mc_connection(mc)) != MC_OK)
		return CLAIM_OTHER;
	metric_add(M_CACHE_TAKEN_OVER, 1);
	return CLAIM_MINE;
}

enum cache_claimed
cache_claim(struct cache_thread *t, const struct cache_key *key, struct cache_claim *c)
{
	uint8_t mine[CACHE_TOKEN_LEN];
	struct cache_place place;
	struct mc_key k;
	struct mc *mc;

	busy_key(t, key, &place, &k);
	c->server = cache_pick(t->cache->servers, &place);
	if (c->server < 0)
		return CLAIM_NONE;
	mc = t->mc[c->server];
	crypto_random(mine, sizeof(mine));
	switch (mc_add(mc, &k, mine, sizeof(mine), BUSY_EXPIRE_S)) {
	case MC_OK:
		return CLAIM_MINE;
	case MC_MISS:
		return look_at_holder(mc, &k, mine, c);
	case MC_SENT:
	case MC_REFUSED:
	case MC_LOST:
	case MC_FAILED:
		break;
	}
	return CLAIM_NONE;
}

/* Also when another has taken it over meanwhile: then there is one more reading. */
void
cache_unclaim(struct cache_thread *t, const struct cache_key *key, const struct cache_claim *c)
{
	struct cache_place place;
	struct mc_key k;

	busy_key(t, key, &place, &k);
	mc_delete(t->mc[c->server], &k);
}
