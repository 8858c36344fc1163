/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_status.c - the cache as an operator sees it.
 *
 * Blocks:    yes, on every memcached server, and at most watch_ms.
 * Invariant: what is called trusted was judged by the same rule as a reading.
 */
#include "meta/ack.h"
#include "meta/cache_impl.h"

#include "base/clock.h"
#include "base/strbuf.h"

#define LOOK_EVERY_US (100 * US_PER_MS)
#define ERROR_TEXT_MAX 240

/* Looks at one server; false when all its pages are trusted or it does not answer. */
static bool
look(struct cache_thread *t, size_t server, struct cache_server_status *out)
{
	struct cache_sight sight[CACHE_PAGES];
	int64_t start = clock_mono_us(), wall_us;

	out->reachable = cache_look(t->cache, t->mc[server], server, sight) == MC_OK;
	out->round_trip_us = clock_mono_us() - start;
	out->trusted_pages = 0;
	out->since_wall_us = atomic_load(&t->cache->since_wall_us[server]);
	memset(out->page, 0, sizeof(out->page));
	if (!out->reachable)
		return false;
	wall_us = clock_wall_us();
	for (size_t p = 0; p < CACHE_PAGES; p++) {
		out->page[p].present = sight[p].present;
		out->page[p].trusted = sight[p].trusted;
		out->page[p].clock = sight[p].clock;
		out->page[p].beat = sight[p].beat;
		out->page[p].beat_age_us = sight[p].beat_wall_us == 0 ? -1 : wall_us - sight[p].beat_wall_us;
		out->trusted_pages += sight[p].trusted;
	}
	return out->trusted_pages < CACHE_PAGES;
}

static void
got_ack(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct cache_ack_status *acks = arg;
	struct ack ack;

	(void)cas;
	if (!ack_decode(p, len, &ack))
		return;
	acks[i].known = true;
	acks[i].clock = ack.clock;
	acks[i].age_us = clock_wall_us() - ack.heard_wall_us;
}

static void
read_acks(struct cache_thread *t, struct cache_ack_status *acks, size_t n)
{
	struct mc_key keys[MC_KEYS_MAX];

	for (size_t from = 0; from < n; from += MC_KEYS_MAX) {
		size_t some = n - from < MC_KEYS_MAX ? n - from : MC_KEYS_MAX;

		for (size_t i = 0; i < some; i++)
			keys[i].len = cache_key_ack(keys[i].text, t->cache->servers->region, acks[from + i].region);
		for (size_t s = 0; s < t->cache->servers->n; s++)
			if (mc_gets(t->mc[s], keys, some, got_ack, acks + from) == MC_OK)
				break;
	}
}

int
cache_status(struct cache_thread *t, struct arena *a, const char *const *regions, int watch_ms, struct cache_status *out,
    struct err *err)
{
	int64_t until = clock_mono_us() + watch_ms * US_PER_MS;
	bool again;

	memset(out, 0, sizeof(*out));
	out->n_servers = t->cache->servers->n;
	while (regions != NULL && regions[out->n_acks] != NULL)
		out->n_acks++;
	out->servers = arena_array(a, out->n_servers, sizeof(*out->servers));
	out->acks = arena_array(a, out->n_acks + 1, sizeof(*out->acks));
	if (out->servers == NULL || out->acks == NULL)
		return FAIL(err, ERR_LIMIT, "no memory for the cache's status");
	for (size_t i = 0; i < out->n_acks; i++)
		out->acks[i].region = arena_strdup(a, regions[i]);
	for (;;) {
		again = false;
		for (size_t i = 0; i < out->n_servers; i++) {
			out->servers[i].address = arena_strdup(a, t->cache->servers->server[i].address);
			again = look(t, i, &out->servers[i]) || again;
		}
		if (!again || clock_mono_us() >= until)
			break;
		clock_sleep_us(LOOK_EVERY_US);
	}
	read_acks(t, out->acks, out->n_acks);
	return 0;
}

int
cache_flush(struct cache_thread *t, size_t *flushed, struct err *err)
{
	const struct cache_servers *s = t->cache->servers;
	char failed[ERROR_TEXT_MAX] = "";
	size_t len = 0;

	*flushed = 0;
	for (size_t i = 0; i < s->n; i++) {
		enum mc_result r = mc_flush(t->mc[i]);

		if (r == MC_LOST)
			r = mc_flush(t->mc[i]);
		if (r == MC_OK)
			++*flushed;
		else if (len < sizeof(failed))
			len += (size_t)snprintf(failed + len, sizeof(failed) - len, " \"%s\" (%s)", s->server[i].address, mc_error(t->mc[i]));
	}
	if (*flushed < s->n)
		return FAIL(err, ERR_UNAVAILABLE, "could not flush memcached%s", failed);
	return 0;
}
