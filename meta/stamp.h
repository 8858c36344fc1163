/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/stamp.h - stamp pages: what they hold, how they may change, and the
 * calls that change them on one memcached server (DESIGN: "Stamps").
 *
 * Numbers in a page only grow; a page is changed only by CAS, on the connection
 * that did the gets; another epoch is another id. The pure part (stamp_page_*)
 * is tested by rows; the rest needs a server.
 */
#ifndef ANVIL_META_STAMP_H
#define ANVIL_META_STAMP_H

#include "meta/cache.h"
#include "meta/cache_key.h"

#define STAMP_PAGES CACHE_PAGES
#define STAMP_ID_LEN 16
#define STAMP_BYTES 2108 /* of an encoded page */

struct stamp_page {
	uint8_t id[STAMP_ID_LEN]; /* random; another id has nothing to do with this page */
	struct event_clock clock; /* n = 0: nobody has stamped it yet */
	uint64_t beat;
	int64_t beat_wall_us;     /* for people, and for what is served when cut off */
	uint64_t slot[CACHE_SLOTS];
};

/* An event as pages see it. */
#define STAMP_ALL 0xffff          /* every slot of every page */
struct stamp_event {
	uint64_t n;
	uint16_t place;           /* page * CACHE_SLOTS + slot, or STAMP_ALL */
	uint8_t letter;           /* of its kind (meta/event.def) */
};
/* The event of one row of the outbox: an unknown letter or the key "*" is STAMP_ALL. */
void stamp_event_of(uint64_t n, char letter, struct span key, struct stamp_event *out);
bool stamp_event_hits(const struct stamp_event *e, unsigned page);

void stamp_encode(const struct stamp_page *p, uint8_t out[STAMP_BYTES]);
/* false: not a page of this version (then it is as good as missing, and is replaced). */
bool stamp_decode(const void *p, size_t len, struct stamp_page *out);
/* Only what a reader needs of an encoded page. */
bool stamp_peek(const void *p, size_t len, unsigned slot, uint8_t id[STAMP_ID_LEN], struct event_clock *clock, uint64_t *beat,
    int64_t *beat_wall_us, uint64_t *slot_n);

/*
 * What is known of the events after `from` up to and including `through`: all of
 * them, in order. A list that is not complete has from == through.
 */
struct stamp_news {
	uint8_t epoch[EPOCH_LEN];
	uint64_t from, through;
	const struct stamp_event *events;
	size_t n;
};
/* A page that nobody trusts: new id, beat 0, n 0, slots 0. */
void stamp_page_fresh(struct stamp_page *p, const uint8_t epoch[EPOCH_LEN]);
/*
 * Raise p through q, the answer of a source. news should reach from p's n to q;
 * when it does not, every slot becomes q. n rises, but for a fresh page's, which
 * only a beat may stamp. p is of q's epoch. true: every slot was raised though p was not fresh.
 */
bool stamp_page_through(struct stamp_page *p, unsigned page, const struct event_clock *q, const struct stamp_news *news);
/*
 * The beat over a page that was read before the source was asked: through q, n = q
 * on a fresh page too, and beat + 1. Of another epoch than q: the page begins anew
 * under another id. The result as above.
 */
bool stamp_page_beat(struct stamp_page *p, unsigned page, const struct event_clock *q, const struct stamp_news *news);
enum stamp_change {
	STAMP_OF_ANOTHER_EPOCH, /* than the news; untouched */
	STAMP_HAD_IT,           /* nothing rose */
	STAMP_RAISED,
};
/* The events of news in p; n rises to news->through only when news leaves no gap and p is not fresh. */
enum stamp_change stamp_page_apply(struct stamp_page *p, unsigned page, const struct stamp_news *news);

#endif
