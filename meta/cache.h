/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache.h - the reading side of the cache protocol (DESIGN: "The cache
 * protocol"): values with their (epoch, n), stamp pages, trust by this
 * process's own clock. Knows keys and bytes, not rows. Used by meta/ and, for
 * an operator's status and flush, by admin/ and fcgi/; the writing side (pages)
 * is meta/stamp.h, used by the invalidator.
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
#define CACHE_KEYS_MAX 16        /* keys of one cache_get; more are misses */
#define CACHE_SERVERS_MAX 16     /* memcached servers of a region */
#define CACHE_VALUE_MAX 524288   /* a longer value is not cached */

struct cache;        /* a process's: trust, servers */
struct cache_thread; /* a thread's: connections, opened at first use; about 20 KiB a server */
MUST_CHECK int cache_open(const struct settings *s, struct cache **out, struct err *err);
void cache_close(struct cache *c); /* stops its thread; after every cache_thread is freed */
/* The thread that reads every page each metadata_beat_ms, so that quiet workers trust too. After fork. */
MUST_CHECK int cache_start(struct cache *c, struct err *err);
MUST_CHECK int cache_thread_new(struct cache *c, struct cache_thread **out, struct err *err);
void cache_thread_free(struct cache_thread *t);

/* What became of a key, from meta/cache.c's table: CACHE_HIT, and why not. */
enum cache_verdict {
	CACHE_HIT,
	CACHE_MISS,      /* nothing there, or no server is up */
	CACHE_NO_PAGE,   /* its stamp page is not there */
	CACHE_UNTRUSTED, /* its page is not trusted */
	CACHE_EPOCH,     /* of another epoch than its page */
	CACHE_STALE,     /* older than its slot */
	CACHE_FORMAT,    /* cannot be read: another version's, another key's, or no value of ours */
	CACHE_VERDICTS
};
struct cache_value {
	bool hit;             /* proved current: believe it */
	bool present;         /* something lay there (perhaps not believed) */
	enum cache_verdict verdict;
	bool negative;        /* "no such thing" as of clock */
	struct event_clock clock;
	int64_t age_us;       /* since it was surely true, by others' wall clocks; negative: known to be old. For when cut off */
	struct span data;     /* the arena's */
	bool page_trusted;    /* a replica at or past page_slot would do */
	struct event_clock page_slot;
};
/* One multi-get for all keys and their pages. Never fails: a server that is away is a miss within cache_timeout_ms. */
void cache_get(struct cache_thread *t, struct arena *a, const struct cache_key *keys, size_t n, struct cache_value *out);
/* Counts verdicts in the metrics: once for what a request asked, not each time that it asks again. */
void cache_count(enum cache_verdict verdict);
/* Store what was read from the database as of `clock`. data empty and negative = "no such thing". Failures are counted only. */
void cache_set(struct cache_thread *t, const struct cache_key *key, const struct event_clock *clock, bool negative, struct span data);

/*
 * The busy key: of all processes of the region, one reads a missing key. For load only: nothing relies on it. It lies
 * where the value goes, expires soon, and is taken over from a holder that does not let it go for CACHE_BUSY_PATIENCE_MS.
 */
#define CACHE_BUSY_PATIENCE_MS 500
#define CACHE_TOKEN_LEN 16
enum cache_claimed {
	CLAIM_MINE,  /* read it, set it, cache_unclaim */
	CLAIM_OTHER, /* somebody else does: ask for the value again in a moment, then claim again */
	CLAIM_NONE   /* no server is up: read it */
};
struct cache_claim { /* begins as zeros; of one key */
	uint8_t token[CACHE_TOKEN_LEN]; /* the holder's, as seen last */
	int64_t seen_us;                /* when it was first seen (monotonic); 0 = none */
	int gone;                       /* how often it was held, and then not there */
	int server;
};
enum cache_claimed cache_claim(struct cache_thread *t, const struct cache_key *key, struct cache_claim *c);
void cache_unclaim(struct cache_thread *t, const struct cache_key *key, const struct cache_claim *c);

/*
 * A writer's own raise, after its COMMIT at `at`: the slots of `keys` (name "*" =
 * the whole kind, that is every slot) on every server of this region.
 * true: done on every server, so that no reading of this region that begins now
 * is older; the writer need not wait for its own region. false: the invalidator does it.
 */
bool cache_raise(struct cache_thread *t, const struct cache_key *keys, size_t n, const struct event_clock *at);
/*
 * Waits until each of n regions has acknowledged `at`, or until_us (monotonic) has come. Those that have are taken out
 * of the list; *n are left. Asks memcached each ms.
 */
void cache_await_acks(struct cache_thread *t, const struct event_clock *at, const char **regions, size_t *n, int64_t until_us);

/* ---- for operators ---- */

#define CACHE_PAGES 16
struct cache_page_status {
	bool present;
	bool trusted;          /* by this process, for a reading that begins now */
	struct event_clock clock;
	uint64_t beat;
	int64_t beat_age_us;   /* by the wall clock of whoever beat it; -1 = never beaten */
};
struct cache_server_status {
	const char *address;   /* as in the settings */
	bool reachable;
	int64_t round_trip_us; /* of the read, when reachable */
	int trusted_pages;     /* of CACHE_PAGES */
	int64_t since_wall_us; /* since when all of it is trusted, or is not; 0: this process does not watch */
	struct cache_page_status page[CACHE_PAGES];
};
struct cache_ack_status {
	const char *region;
	bool known;            /* an acknowledgement was heard and is still in memcached */
	struct event_clock clock;
	int64_t age_us;        /* since it was heard, by the wall clock of the invalidator that did */
};
struct cache_status {
	struct cache_server_status *servers;
	size_t n_servers;
	struct cache_ack_status *acks; /* one a region asked for, in that order */
	size_t n_acks;
};
/*
 * What lies in this region's memcached servers. A process that reads pages all the time (cache_start) knows at once
 * what it trusts; another must see two beats first: it watches for at most watch_ms (0 = only look), less when all is
 * trusted sooner. regions ends in NULL.
 */
MUST_CHECK int cache_status(struct cache_thread *t, struct arena *a, const char *const *regions, int watch_ms,
    struct cache_status *out, struct err *err);
/* Empties every server (flush_all). The invalidators make new pages; until two beats later everything is read from the
 * database. ERR_UNAVAILABLE names the servers that could not be asked; *flushed counts the others. */
MUST_CHECK int cache_flush(struct cache_thread *t, size_t *flushed, struct err *err);

#endif
