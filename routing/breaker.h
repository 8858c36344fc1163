/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/breaker.h - which regions are worth a relay. A home that is down or
 * says nothing must cost its callers a quick 503 and not their threads: after a
 * failed connection, or when several relays at once hear nothing for a while,
 * one request a second tries and the others are refused; and relays to a region
 * that is slow to answer take no more than their share of a process's threads, or
 * let go of what is more once it says nothing.
 * One a process; thread-safe; knows no HTTP.
 */
#ifndef ANVIL_ROUTING_BREAKER_H
#define ANVIL_ROUTING_BREAKER_H

#include "base/base.h"

#define BREAKER_RETRY_US (1 * INT64_C(1000000))   /* one try in so long while a region is down */
#define BREAKER_SLOW_US (1 * INT64_C(1000000))    /* nothing heard for so long: the share is the limit */
#define BREAKER_SILENT_US (3 * INT64_C(1000000))  /* nothing heard for so long, with BREAKER_WAITING relays waiting */
#define BREAKER_WAITING 4                         /* one slow operation is no silence of the region */

struct breaker;
/* share: relays at once to a region that has not been heard for BREAKER_SLOW_US, at most. */
struct breaker *breaker_new(int share);
void breaker_free(struct breaker *b);

enum breaker_verdict {
	BREAKER_GO,
	BREAKER_DOWN,   /* could not be reached, or says nothing */
	BREAKER_BUSY,   /* it is slow, and its share of the threads is taken */
};
/* May one more relay go there? While the region is down this lets one caller a second through, who must try. */
enum breaker_verdict breaker_ask(struct breaker *b, const char *region, int64_t now_us);

/*
 * A relay's life: begin; wait when the answer is due, or when the home does not take the body;
 * heard at each byte from the home; end. reached: what the end says of the
 * region (false: could not be reached, or never answered); known false when the
 * relay says nothing about it (the client left).
 */
struct breaker_pass {
	int slot;       /* -1: more regions than are kept track of */
	bool tries;     /* the region was down when it began: it finds out how it is, and should be given up after BREAKER_SILENT_US */
	bool waiting;
	bool leaves;
};
void breaker_begin(struct breaker *b, const char *region, struct breaker_pass *p);
void breaker_wait(struct breaker *b, struct breaker_pass *p, int64_t now_us);
void breaker_heard(struct breaker *b, struct breaker_pass *p, int64_t now_us);
/*
 * Should this one, which waits, be given up? Yes when nothing was heard for BREAKER_SILENT_US and relays to the region hold
 * more than their share of the threads: those came before it was known that it is slow. So many say yes as there are too many.
 */
bool breaker_leave(struct breaker *b, struct breaker_pass *p, int64_t now_us);
void breaker_end(struct breaker *b, struct breaker_pass *p, bool known, bool reached, int64_t now_us);

/* What is known of each region that a relay was ever asked for; returns how many, at most max. */
struct breaker_state {
	char region[64];
	bool down;
	int running;    /* relays under way */
};
size_t breaker_list(struct breaker *b, struct breaker_state *out, size_t max);

#endif
