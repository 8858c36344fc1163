/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache_trust.h - which stamp pages a process trusts, by its own monotonic
 * clock. Every time is an argument, so that the rule is tested by rows.
 *
 * The rule: a page (id, beat b) is trusted by a reading that begins at s if this
 * process saw a beat <= b-2 of the same id in a read that was SENT later than
 * s - F. Then beat b-1 was written after that read was sent, and whoever wrote b
 * read b-1 before asking a source: the question is younger than F, and all that
 * was committed before it is in the page.
 */
#ifndef ANVIL_META_CACHE_TRUST_H
#define ANVIL_META_CACHE_TRUST_H

#include "base/base.h"

#include <pthread.h>

#include "meta/stamp.h"

#define TRUST_SIGHTS 8 /* beats remembered; what is pushed out only costs trust */

struct trust_sight {
	uint64_t beat;    /* a beat <= this was seen ... */
	int64_t sent_us;  /* ... last by a read sent then */
};
/* One page of one server. Guards itself. */
struct cache_trust {
	pthread_mutex_t lock;
	uint8_t id[STAMP_ID_LEN];
	size_t n;         /* of sight, ascending beats */
	struct trust_sight sight[TRUST_SIGHTS];
};
void cache_trust_init(struct cache_trust *t);
void cache_trust_release(struct cache_trust *t);
/*
 * A read sent at sent_us saw (id, beat): remember it, and tell whether a reading
 * that began at begin_us may trust this page.
 */
bool cache_trust_see(struct cache_trust *t, const uint8_t id[STAMP_ID_LEN], uint64_t beat, int64_t sent_us, int64_t begin_us,
    int64_t trust_us);

#endif
