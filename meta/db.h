/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/db.h - pooled libpq and named statements. Every statement is a file
 * sql/stmt/NAME.sql, prepared at a connection's first use of it; results are
 * binary. Only meta/ and invalidator/ include this.
 */
#ifndef ANVIL_META_DB_H
#define ANVIL_META_DB_H

#include "base/arena.h"
#include "base/err.h"

#include "meta/stmt_gen.h" /* enum stmt { STMT_BUCKET_FIND, ... STMT_COUNT }, from sql/stmt */

struct db_pool;
struct db;

/* which: 'g' global, 's' its replica, 'r' regional (log lines, metrics). Opens nothing yet. Thread-safe from here on. */
struct db_pool *db_pool_new(char which, const char *dsn, int max_connections, int timeout_ms, int connect_timeout_s);
void db_pool_free(struct db_pool *p);
/* A connection for one statement or transaction: waits at most the pool's timeout. ERR_UNAVAILABLE, ERR_TIMEOUT. */
MUST_CHECK int db_acquire(struct db_pool *p, struct db **out, struct err *err);
void db_release(struct db *db); /* a broken one is closed, an open transaction rolled back */

struct db_param {
	enum { DB_NULL, DB_TEXT, DB_BYTES, DB_INT, DB_BOOL, DB_UUID, DB_TEXT_ARRAY, DB_UUID_ARRAY } type;
	const void *p;    /* text, bytes, uuid(s), const char *const * ending in NULL */
	size_t len;       /* of bytes; count of uuids */
	int64_t n;        /* DB_INT (of a timestamptz: us since 1970), DB_BOOL */
};
#define P_NULL ((struct db_param){ DB_NULL, NULL, 0, 0 })
#define P_TEXT(s) ((struct db_param){ DB_TEXT, (s), 0, 0 })          /* NULL pointer = SQL null */
#define P_SPAN(s) ((struct db_param){ DB_BYTES, (s).p, (s).len, 0 }) /* text or bytea with a length; empty is not null */
#define P_INT(i) ((struct db_param){ DB_INT, NULL, 0, (i) })         /* bigint */
#define P_BOOL(b) ((struct db_param){ DB_BOOL, NULL, 0, (b) })
#define P_UUID(u) ((struct db_param){ DB_UUID, (u)->b, 16, 0 })

#define P_TEXTS(list) ((struct db_param){ DB_TEXT_ARRAY, (list), 0, 0 })  /* const char *const *, NULL at its end */
#define P_UUIDS(u, count) ((struct db_param){ DB_UUID_ARRAY, (u), (count), 0 })

/*
 * A result lives until the arena is reset. Arena and out may both be NULL when
 * the rows do not matter. Failures are kinds by SQLSTATE (meta/sqlstate.def);
 * err->detail has statement, SQLSTATE and the server's words.
 */
struct db_rows;
MUST_CHECK int db_run(struct db *db, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err);
/* Acquire, run, release: for a single statement. A connection that died while it lay idle is replaced before. */
MUST_CHECK int db_query(struct db_pool *p, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err);
/* The same within a time (monotonic) shorter than the pool's limit; that it was too short says nothing about the server. */
MUST_CHECK int db_query_until(struct db_pool *p, int64_t until_us, struct arena *a, enum stmt st, const struct db_param *params,
    size_t n_params, struct db_rows **out, struct err *err);
size_t db_count(const struct db_rows *r);
bool db_is_null(const struct db_rows *r, size_t row, int col);
int64_t db_i64(const struct db_rows *r, size_t row, int col);   /* int2, int4, int8; timestamptz as us since 1970 */
bool db_bool(const struct db_rows *r, size_t row, int col);
struct span db_span(const struct db_rows *r, size_t row, int col); /* text, bytea; borrowed from the result */
const char *db_text(const struct db_rows *r, size_t row, int col); /* the same, NUL at its end; NULL when null */
/* uuid: memcpy of db_span */
/* text[] as a list that ends in NULL, empty for null; NULL when the arena is full. */
const char *const *db_texts(const struct db_rows *r, size_t row, int col, struct arena *a);

/* The five-letter SQLSTATE of this thread's last failed statement, "" when it was not the server's. */
const char *db_last_sqlstate(void);

/*
 * BEGIN, fn, COMMIT; ROLLBACK when fn fails (-1) or wants it (> 0, which is returned: no failure);
 * again on serialization failures and deadlocks (meta/sqlstate.def). ERR_UNAVAILABLE from COMMIT
 * itself leaves open whether it was committed.
 */
typedef int (*db_tx_fn)(struct db *db, void *arg, struct err *err);
MUST_CHECK int db_tx(struct db_pool *p, db_tx_fn fn, void *arg, struct err *err);
/*
 * The same with a last statement that goes out together with COMMIT, so that what
 * it locks is not held while answers travel. Its rows are valid when 0 is returned.
 * One without parameters may go out behind COMMIT: a transaction of its own that
 * sees what was committed. Its failure is none of the change: after_rows stays NULL.
 */
struct db_last {
	struct arena *arena;
	enum stmt st;
	const struct db_param *params;
	size_t n_params;
	const enum stmt *after; /* NULL = none */
	struct db_rows *rows, *after_rows;
	bool unknown; /* COMMIT was sent and its answer did not come */
};
MUST_CHECK int db_tx_last(struct db_pool *p, db_tx_fn fn, void *arg, struct db_last *last, struct err *err);

/*
 * LISTEN. The connection is held for as long as one listens (a pool of one, of
 * the invalidator's own); db_run(STMT_EVENTS_LISTEN) first. Then 1 a notification
 * came (all that have come are taken), 0 the time is over, -1 the connection broke.
 */
MUST_CHECK int db_wait_notify(struct db *db, int timeout_ms, struct err *err);
int db_fd(const struct db *db); /* to poll together with others; then db_wait_notify(db, 0) */

/* Prepares a statement without running it: does it fit the schema? */
MUST_CHECK int db_check(struct db *db, enum stmt st, struct err *err);

/* A script of several statements, as migrations are; one implicit transaction unless it says otherwise. */
MUST_CHECK int db_script(struct db *db, const char *sql, struct err *err);

/* What this thread spent on databases since it last asked with `reset`. */
struct db_spent {
	int64_t us;
	int global_queries, regional_queries;
};
struct db_spent db_spent(bool reset);

#endif
