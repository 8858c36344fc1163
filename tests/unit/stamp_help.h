/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/stamp_help.h - clocks, news and slots as the tests of stamp pages write them.
 */
#ifndef ANVIL_TESTS_UNIT_STAMP_HELP_H
#define ANVIL_TESTS_UNIT_STAMP_HELP_H

#include "base/clock.h"
#include "meta/cache_impl.h"
#include "meta/stamp_write.h"

#include <check.h>

#define S US_PER_S
#define MS US_PER_MS
#define F (3 * S)

static const uint8_t E1[EPOCH_LEN] = "epoch one......", E2[EPOCH_LEN] = "epoch two......";

static inline struct event_clock
at(const uint8_t *epoch, uint64_t n)
{
	struct event_clock c = { .n = n };

	memcpy(c.epoch, epoch, EPOCH_LEN);
	return c;
}

static inline struct stamp_news
news_of(const uint8_t *epoch, uint64_t from, uint64_t through, const struct stamp_event *e, size_t n)
{
	struct stamp_news news = { .from = from, .through = through, .events = e, .n = n };

	memcpy(news.epoch, epoch, EPOCH_LEN);
	return news;
}

#define P3(slot) ((uint16_t)(3 * CACHE_SLOTS + (slot)))

#endif
