/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/ack.c - acknowledgements in memcached.
 *
 * Blocks:    yes, on one memcached server.
 * Invariant: within an epoch an item's n only grows while the item is there.
 */
#include "meta/ack.h"

#include "base/clock.h"

#define MAGIC UINT32_C(0x41564b31) /* "AVK1" */
#define TRIES 8
#define REFRESH_US US_PER_S

static void
put(uint8_t *to, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		to[i] = (uint8_t)(v >> (8 * (bytes - 1 - i)));
}

static uint64_t
get(const uint8_t *p, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v = v << 8 | p[i];
	return v;
}

void
ack_encode(const struct ack *a, uint8_t out[ACK_BYTES])
{
	put(out, MAGIC, 4);
	memcpy(out + 4, a->clock.epoch, EPOCH_LEN);
	put(out + 20, a->clock.n, 8);
	put(out + 28, (uint64_t)a->heard_wall_us, 8);
}

bool
ack_decode(const void *bytes, size_t len, struct ack *out)
{
	const uint8_t *p = bytes;

	if (len != ACK_BYTES || get(p, 4) != MAGIC)
		return false;
	memcpy(out->clock.epoch, p + 4, EPOCH_LEN);
	out->clock.n = get(p + 20, 8);
	out->heard_wall_us = (int64_t)get(p + 28, 8);
	return true;
}

/* One reading of the items. */
struct noting {
	const struct ack_said *said;
	struct mc_key keys[MC_KEYS_MAX];
	int64_t wall_us;
	bool there[MC_KEYS_MAX], known[MC_KEYS_MAX];
	uint64_t cas[MC_KEYS_MAX];
};

static void
got(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	const struct event_clock *clock;
	struct noting *g = arg;
	struct ack ack;

	g->there[i] = true;
	g->cas[i] = cas;
	clock = &g->said[i].clock;
	if (!ack_decode(p, len, &ack) || memcmp(ack.clock.epoch, clock->epoch, EPOCH_LEN) != 0)
		return;
	int64_t age_us = g->wall_us - ack.heard_wall_us;

	g->known[i] = ack.clock.n > clock->n || (ack.clock.n == clock->n && age_us >= 0 && age_us < REFRESH_US);
}

static enum mc_result
write_one(struct mc *c, const struct noting *g, size_t i)
{
	struct ack ack = { g->said[i].clock, g->wall_us };
	uint8_t bytes[ACK_BYTES];

	ack_encode(&ack, bytes);
	if (!g->there[i])
		return mc_add(c, &g->keys[i], bytes, sizeof(bytes), 0);
	return mc_cas_quiet(c, &g->keys[i], bytes, sizeof(bytes), 0, g->cas[i], mc_connection(c));
}

enum mc_result
acks_note(struct mc *c, const char *region, const struct ack_said *said, size_t n)
{
	struct noting g = { .said = said, .wall_us = clock_wall_us() };
	enum mc_result r = MC_LOST;
	bool all = false;

	ASSERT(n <= MC_KEYS_MAX);
	for (size_t i = 0; i < n; i++)
		g.keys[i].len = cache_key_ack(g.keys[i].text, region, said[i].of);
	/* Until a reading shows all of it: no answer to a single write is waited for. */
	for (int tries = 0; tries < TRIES && !all && r != MC_FAILED; tries++) {
		memset(g.there, 0, sizeof(g.there));
		memset(g.known, 0, sizeof(g.known));
		r = mc_gets(c, g.keys, n, got, &g);
		all = r == MC_OK;
		for (size_t i = 0; i < n && r == MC_OK; i++) {
			if (g.known[i])
				continue;
			all = false;
			if (write_one(c, &g, i) == MC_FAILED)
				r = MC_FAILED;
		}
	}
	return all ? MC_OK : r == MC_OK ? MC_LOST : r;
}
