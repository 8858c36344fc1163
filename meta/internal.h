/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/internal.h - what the files of meta/ share and nobody else sees: the
 * process's and the thread's state, and the one way to change global metadata.
 */
#ifndef ANVIL_META_INTERNAL_H
#define ANVIL_META_INTERNAL_H

#include "base/strbuf.h"

#include <pthread.h>
#include <stdatomic.h>

#include "meta/cache.h"
#include "meta/cache_key.h"
#include "meta/db.h"
#include "meta/meta.h"
#include "meta/registry.h"

struct flight;
struct notify;
struct meta_flights { /* who reads which key from the database just now (meta/find.c) */
	pthread_mutex_t lock; /* guards the list; nothing that blocks is done under it */
	pthread_cond_t landed;
	struct flight *first;
};
void meta_flights_init(struct meta_flights *f);
void meta_flights_release(struct meta_flights *f);

/* Since when this process hands out unproved values, by its monotonic clock (meta/cut_off.c). */
struct meta_cut_off {
	_Atomic int64_t since_us;   /* 0 = it does not */
	_Atomic int64_t last_us, served;
};

struct meta {
	struct arena *arena;        /* of this struct */
	struct meta_cut_off cut_off;
	const struct settings *settings; /* the caller's, for as long as we live */
	int flags;
	struct db_pool *global;
	struct db_pool *replica;    /* of the global database, for fills; NULL: none is set, or no META_CACHE */
	struct db_pool *regional;   /* NULL without META_REGIONAL */
	struct cache *cache;        /* NULL without META_CACHE */
	struct meta_flights flights;
	_Atomic int held;           /* threads that wait in meta_write */
};
struct meta_thread {
	struct arena *arena;        /* of this struct */
	struct meta *meta;
	struct cache_thread *cache; /* NULL without META_CACHE */
	struct meta_spent spent;
	struct registry_change change;
	const struct notify *notify; /* what its changes of objects are told of; NULL: nothing (meta/notify.h) */
	size_t notified;             /* events that it wrote since that was said */
};

/* A value was handed out unproved; one was proved. The latter costs a load when nothing else is the matter. */
void meta_served_old(struct meta_thread *t);
void meta_served_proved(struct meta *m);

/*
 * A transaction on the global database that changes metadata: fn's statements,
 * then the event's number, COMMIT, then the wait for acknowledgements. The
 * outcome of the wait is in t->change and t->spent.
 */
MUST_CHECK int meta_change(struct meta_thread *t, db_tx_fn fn, void *arg, struct err *err);
/*
 * The same for a change that can tell whether it is done already: when COMMIT's answer is lost it is run again, for at
 * most metadata_ack_ms. *again: it was, so what fn finds done may be its own doing.
 */
MUST_CHECK int meta_change_sure(struct meta_thread *t, db_tx_fn fn, void *arg, bool *again, struct err *err);
/* The same for one statement that gives no rows we need; ERR_NOT_FOUND naming `what` when it touched none. */
MUST_CHECK int meta_change_one(struct meta_thread *t, enum stmt st, const struct db_param *params, size_t n_params,
    const char *what, struct err *err);

/* A limit of a quota, which is null in the databases when there is none. */
static inline struct db_param
quota_limit_param(int64_t n)
{
	return n == QUOTA_NO_LIMIT ? P_NULL : P_INT(n);
}
static inline int64_t
quota_limit_at(const struct db_rows *r, size_t row, int col)
{
	return db_is_null(r, row, col) ? QUOTA_NO_LIMIT : db_i64(r, row, col);
}

/* One thing from a row of a statement into *out; strings are the arena's. */
typedef void (*registry_row_fn)(const struct db_rows *r, size_t row, struct arena *a, void *out);
/* The one row of a statement; ERR_NOT_FOUND naming `what` and the parameter when it gives none. */
MUST_CHECK int registry_row(struct meta_thread *t, struct arena *a, enum stmt st, struct db_param param, const char *what,
    registry_row_fn fn, void *out, struct err *err);
/* All rows as an array of things of `size` bytes, the arena's and never NULL; NULL: err says why. */
MUST_CHECK void *registry_rows(struct meta_thread *t, struct arena *a, enum stmt st, const struct db_param *params,
    size_t n_params, registry_row_fn fn, size_t size, size_t *n, struct err *err);

/*
 * Waits for acknowledgements of `at` as the settings say (meta/await.c). look: rows of STMT_REGIONS_AWAITED from after
 * the commit that had come by committed_us, NULL when they could not be had; own_knows: our own region needs no waiting for.
 */
void meta_wait_known(struct meta_thread *t, struct arena *a, const struct event_clock *at, const struct db_rows *look,
    int64_t committed_us, bool own_knows);
/*
 * Waits until the region is known to hold no trust: at once when it is marked, else metadata_ack_ms during which it must
 * not ask. That it did is no error: whoever relies on it looks at region_trust in the same transaction.
 */
MUST_CHECK int meta_wait_lost(struct meta_thread *t, struct arena *a, const char *region, struct err *err);

/* What the primary says of a bucket and a move of it, as it is by the clock (sql/stmt/move_ask.sql). */
struct move_said {
	bool home;              /* it is at home here; false also when there is no such bucket any more */
	const char *versioning; /* as of struct bucket */
	const char *state;      /* as of struct move; "": there is no such move */
	int64_t freeze_no;
};
MUST_CHECK int move_ask(struct meta_thread *t, struct arena *a, const struct uuid *bucket, const struct uuid *move,
    struct move_said *out, struct err *err);

/*
 * A statement on the regional database that changes what is in a bucket. While the bucket is handed over to another
 * region it waits (meta/moving.c), for at most two seconds; ERR_UNAVAILABLE: it still is, or is at home there now.
 */
MUST_CHECK int meta_write(struct meta_thread *t, struct arena *a, const struct uuid *bucket_id, enum stmt st,
    const struct db_param *params, size_t n_params, struct db_rows **out, struct err *err);

/* A statement on the regional database, and in the same transaction what t->notify wants to be told of it. */
MUST_CHECK int notify_write(struct meta_thread *t, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err);

/* Rows to bytes and back, for cached values (meta/codec.c). Each begins with its format's number; another is a miss. */
void codec_put_app(struct strbuf *sb, const struct app *app);
bool codec_get_app(struct span data, struct arena *a, struct app *out);
void codec_put_bucket(struct strbuf *sb, const struct bucket *b);
bool codec_get_bucket(struct span data, struct arena *a, struct bucket *out);
void codec_put_document(struct strbuf *sb, const char *document);
bool codec_get_document(struct span data, struct arena *a, const char **out);
void codec_put_regions(struct strbuf *sb, const struct region *r, size_t n);
bool codec_get_regions(struct span data, struct arena *a, struct region **out, size_t *n);

/* From rows, beginning at a column. Strings are the result's, which is its arena's. */
void clock_from_row(const struct db_rows *r, size_t row, int col, struct event_clock *out);
void bucket_from_row(const struct db_rows *r, size_t row, int col, struct bucket *out);
MUST_CHECK int uuids_from_rows(const struct db_rows *r, struct arena *a, struct uuid **out, size_t *n, struct err *err);
MUST_CHECK int bucket_list_from_rows(const struct db_rows *r, struct arena *a, struct bucket **out, size_t *n, struct err *err);
void region_from_row(const struct db_rows *r, size_t row, int col, struct arena *a, struct region *out);

#endif
