/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/ring.h - the recent events, without a gap, of one epoch. Every
 * thread of the invalidator gives to it or takes from it; whichever way an event
 * comes first, it is in here once. Fixed memory: the oldest make room.
 */
#ifndef ANVIL_INVALIDATOR_RING_H
#define ANVIL_INVALIDATOR_RING_H

#include "meta/stamp.h"

#define RING_EVENTS 65536 /* 1 MiB */

struct ring;
struct ring *ring_new(void);
void ring_free(struct ring *r);

/* Where it stands: every event after low.n up to through is remembered. through = 0: nothing known yet. */
struct ring_state {
	uint8_t epoch[EPOCH_LEN];
	uint64_t low, through;
};
struct ring_state ring_state(struct ring *r);
/* Forget all: stand at (epoch, n). Never backwards within an epoch. */
void ring_reset(struct ring *r, const uint8_t epoch[EPOCH_LEN], uint64_t n);
enum ring_put {
	RING_NEW,   /* something of it was new */
	RING_OLD,   /* all was known */
	RING_GAP,   /* it begins after what is known: fetch what is between */
	RING_EPOCH, /* of another epoch: ask a source which one holds */
};
/* All events after news->from up to news->through. */
enum ring_put ring_put(struct ring *r, const struct stamp_news *news);
/*
 * Copies events after `after`, whole numbers only, as many as fit into max.
 * false: another epoch, or `after` is not remembered. out->events = buf.
 */
bool ring_read(struct ring *r, const uint8_t epoch[EPOCH_LEN], uint64_t after, struct stamp_event *buf, size_t max,
    struct stamp_news *out);
/* Waits until it stands elsewhere than at s, at most timeout_us; the new state in *s. */
void ring_wait(struct ring *r, struct ring_state *s, int64_t timeout_us);

#endif
