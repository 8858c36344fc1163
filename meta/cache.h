/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache.h - the reading side of the cache protocol (DESIGN: "The cache
 * protocol"): values with their (epoch, n), stamp pages, trust by this
 * process's own clock. Knows keys and bytes, not rows. Used by meta/ only;
 * the writing side (pages) is meta/stamp.h, used by the invalidator and writers.
 */
#ifndef ANVIL_META_CACHE_H
#define ANVIL_META_CACHE_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"

#define EPOCH_LEN 16
struct event_clock { /* a state of the event clock */
	uint8_t epoch[EPOCH_LEN];
	uint64_t n;
};

/* Kinds of metadata events and cached values, from meta/event.def: EVENT_KIND(name, letter, doc). */
enum event_kind {
#define EVENT_KIND(name, letter, doc) EVENT_KIND_##name,
#include "meta/event.def"
#undef EVENT_KIND
	EVENT_KIND_COUNT
};

/* A cache key: a kind and a name ("app", access key). Its hash picks page, slot and server. */
struct cache_key {
	enum event_kind kind;
	struct span name;
};

struct cache;        /* a process's: trust, servers */
struct cache_thread; /* a thread's: connections */
MUST_CHECK int cache_open(const struct settings *s, struct cache **out, struct err *err);
void cache_close(struct cache *c);
/* The thread that reads every page each metadata_beat_ms, so that quiet workers trust too. After fork. */
MUST_CHECK int cache_start(struct cache *c, struct err *err);
MUST_CHECK int cache_thread_new(struct cache *c, struct cache_thread **out, struct err *err);
void cache_thread_free(struct cache_thread *t);

struct cache_value {
	bool hit;             /* proved current: believe it */
	bool present;         /* something lay there (perhaps not believed) */
	bool negative;        /* "no such thing" as of clock */
	struct event_clock clock;
	int64_t age_us;       /* since it was filled, by the filler's wall clock; for metadata_when_cut_off = serve */
	struct span data;     /* the arena's */
	bool page_trusted;    /* a replica at or past page_slot would do */
	struct event_clock page_slot;
};
/* One multi-get for all keys and their pages. Never fails: a server that is away is a miss within cache_timeout_ms. */
void cache_get(struct cache_thread *t, struct arena *a, const struct cache_key *keys, size_t n, struct cache_value *out);
/* Store what was read from the database as of `clock`. data empty and negative = "no such thing". Failures are counted only. */
void cache_set(struct cache_thread *t, const struct cache_key *key, const struct event_clock *clock, bool negative, struct span data);

/* Wait until every active region (or own_only) acknowledged `at`, or metadata_ack_ms passed. Returns us waited; *all tells whether all did. */
int64_t cache_wait_acks(struct cache_thread *t, const struct event_clock *at, const char *const *regions, const char *own,
    bool own_only, bool *all);

#endif
