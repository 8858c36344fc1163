/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/ack.h - what a region has heard others (and itself) acknowledge, kept in
 * an item of every memcached server of the region. Losing one costs a writer
 * time only. Written by the invalidator, read by writers.
 */
#ifndef ANVIL_META_ACK_H
#define ANVIL_META_ACK_H

#include "meta/cache_server.h"

#define ACK_BYTES 36
struct ack {
	struct event_clock clock; /* every event through n is applied on every server of the region */
	int64_t heard_wall_us;    /* for people only */
};
void ack_encode(const struct ack *a, uint8_t out[ACK_BYTES]);
bool ack_decode(const void *p, size_t len, struct ack *out);
struct ack_said {
	const char *of;           /* the region that acknowledged */
	struct event_clock clock;
};
/*
 * What `region` (whose server c is) heard, at most MC_KEYS_MAX of them. Within an
 * epoch the number kept never falls. An item that says the same is written anew
 * only when it is older than a second. MC_OK: the server has all of it.
 */
MUST_CHECK enum mc_result acks_note(struct mc *c, const char *region, const struct ack_said *said, size_t n);

#endif
