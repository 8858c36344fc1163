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

struct found {
	bool there, readable;
	uint64_t cas;
	struct ack ack;
};

static void
got(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct found *f = arg;

	(void)i;
	f->there = true;
	f->readable = ack_decode(p, len, &f->ack);
	f->cas = cas;
}

enum mc_result
ack_note(struct mc *c, const char *region, const char *of, const struct event_clock *clock)
{
	struct ack ack = { *clock, clock_wall_us() };
	enum mc_result r = MC_LOST;
	uint8_t bytes[ACK_BYTES];
	struct mc_key k;

	k.len = cache_key_ack(k.text, region, of);
	ack_encode(&ack, bytes);
	for (int tries = 0; tries < TRIES && r != MC_OK && r != MC_FAILED; tries++) {
		struct found f = { 0 };

		r = mc_gets(c, &k, 1, got, &f);
		if (r != MC_OK)
			continue;
		if (f.there && f.readable && memcmp(f.ack.clock.epoch, clock->epoch, EPOCH_LEN) == 0) {
			int64_t age_us = ack.heard_wall_us - f.ack.heard_wall_us;

			if (f.ack.clock.n > clock->n || (f.ack.clock.n == clock->n && age_us >= 0 && age_us < REFRESH_US))
				return MC_OK;
		}
		r = f.there ? mc_cas(c, &k, bytes, sizeof(bytes), 0, f.cas, mc_connection(c)) :
		    mc_add(c, &k, bytes, sizeof(bytes), 0);
	}
	return r;
}
