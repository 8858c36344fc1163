/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/stamp_write.h - stamp pages on one memcached server: events applied, and
 * the beat in its two halves, between which the caller asks a source.
 */
#ifndef ANVIL_META_STAMP_WRITE_H
#define ANVIL_META_STAMP_WRITE_H

#include "meta/cache_server.h"
#include "meta/stamp.h"

enum stamp_result {
	STAMP_DONE,   /* what was asked is in every page that is there */
	STAMP_EPOCH,  /* a page is of another epoch: only a beat can mend it */
	STAMP_BUSY,   /* others changed it all the time, or the connection broke: try again */
	STAMP_AWAY,   /* the server does not answer */
	STAMP_NO_CAS, /* the server runs without CAS: it must not be used */
};

#define STAMP_EVERY_PAGE ((UINT32_C(1) << STAMP_PAGES) - 1)
/*
 * The events of news into the pages of the mask (bit p = page p). A page that is
 * missing is done: whoever adds it asks a source later. Slots only; n rises when
 * news leaves no gap.
 */
MUST_CHECK enum stamp_result stamp_apply(struct mc *c, const char *region, uint32_t pages, const struct stamp_news *news);

/* The pages as they were before the source was asked. */
struct stamp_round {
	struct {
		bool there;
		uint64_t cas;
		struct stamp_page page;
	} was[STAMP_PAGES];
	uint64_t connection; /* that the cas are of */
};
/* Of the pages of `epoch` that are stamped: the lowest and the highest n; both 0 when there is none. */
void stamp_round_range(const struct stamp_round *r, const uint8_t epoch[EPOCH_LEN], uint64_t *low, uint64_t *high);
/* Adds what is missing (under `epoch`), then reads every page. */
MUST_CHECK enum stamp_result stamp_beat_begin(struct mc *c, const char *region, const uint8_t epoch[EPOCH_LEN],
    struct stamp_round *r);
/*
 * q was answered to a question asked after stamp_beat_begin returned. news is what
 * is known up to q. A page that only got events meanwhile keeps the round's right
 * to beat it: its beat and id are those that were read before the question. One
 * that somebody else beat is raised through q only. STAMP_DONE: every event
 * through q is in every page. *beaten: pages whose beat this round wrote.
 */
MUST_CHECK enum stamp_result stamp_beat_end(struct mc *c, const char *region, const struct stamp_round *r,
    const struct event_clock *q, const struct stamp_news *news, int *beaten, int *flushed);

#endif
