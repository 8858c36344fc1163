/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/db_internal.h - what db.c (pool, transactions), db_conn.c (one
 * connection and its waits) and db_rows.c (parameters and results) share.
 */
#ifndef ANVIL_META_DB_INTERNAL_H
#define ANVIL_META_DB_INTERNAL_H

#include "base/base.h"

#include <libpq-fe.h>
#include <pthread.h>

#include "base/metrics.h"
#include "meta/db.h"

#define DB_PARAMS_MAX 40         /* parameters of one statement */
#define DB_OPENING_MAX 2         /* connections that a pool opens at once: a database that is back has enough to do */
#define DB_ARRAY_BYTES_MAX 33554432 /* all array parameters of one statement, encoded */

/* PostgreSQL's fixed oids, as in build-aux/gen-stmts.awk. */
enum db_oid {
	OID_BOOL = 16,
	OID_BYTEA = 17,
	OID_INT8 = 20,
	OID_INT2 = 21,
	OID_INT4 = 23,
	OID_TEXT = 25,
	OID_OID = 26,
	OID_TEXT_ARRAY = 1009,
	OID_TIMESTAMPTZ = 1184,
	OID_UUID = 2950,
	OID_UUID_ARRAY = 2951,
	OID_JSONB = 3802,
	OID_XID8 = 5069
};
#define PG_EPOCH_US INT64_C(946684800000000) /* 2000-01-01 in us since 1970 */

struct db {
	struct db_pool *pool;
	PGconn *conn;
	struct db *next;              /* in the pool's idle or unused list */
	bool broken;                  /* never to be used again */
	int64_t until_us;             /* while it is being opened: no wait goes beyond; 0 = the pool's limit for each */
	bool prepared[STMT_COUNT];
};
struct db_kind { /* of pool, in db.c */
	char which;
	char database;                /* whose statements it runs, as in struct stmt_def */
	const char *name;
	enum metric queries, connects;
	int64_t backoff_max_us;
};
struct db_pool {
	const struct db_kind *kind;
	const char *dsn;
	int max;
	int64_t timeout_us;
	int64_t connect_timeout_us;
	pthread_mutex_t lock;         /* guards all below; nothing that blocks is done under it */
	pthread_cond_t freed;
	struct arena *arena;          /* of the pool itself and its `max` struct db */
	struct db *idle;
	struct db *unused;            /* without a connection */
	int n_open;                   /* idle, lent, and being opened */
	int n_opening;                /* of these; at most DB_OPENING_MAX */
	bool down;                    /* the last connection attempt failed, or the server hung */
	bool probing;                 /* one thread tries whether it is back */
	int64_t retry_at_us;          /* monotonic; nobody tries before */
	int64_t backoff_us;
	char reason[160];             /* of being down */
};
struct db_rows {
	PGresult *res;
};

/* ---- db_rows.c ---- */

struct db_encoded {
	const char *value[DB_PARAMS_MAX];
	int len[DB_PARAMS_MAX];
	int format[DB_PARAMS_MAX];
	uint8_t fixed[DB_PARAMS_MAX][8]; /* numbers */
	struct arena *tmp;               /* arrays; made when there is one */
};
MUST_CHECK int db_encode(const struct stmt_def *st, const struct db_param *params, size_t n, struct db_encoded *out,
    struct err *err);
void db_encoded_release(struct db_encoded *e);
MUST_CHECK int db_rows_new(struct arena *a, PGresult *res, struct db_rows **out, struct err *err);

/* ---- db_conn.c ---- */

/* Opens and sets up a connection; at most until the deadline (monotonic). */
MUST_CHECK int db_conn_open(struct db_pool *p, int64_t deadline_us, PGconn **out, struct err *err);
/* Has the server closed it, or said anything, while it lay idle? */
bool db_conn_alive(PGconn *conn);
/*
 * After a PQsend*: waits for the results, keeps the first failure or else the
 * last result. -1 (err set, db->broken) when the connection failed or the time
 * is over; a failure of the statement itself is a result.
 */
MUST_CHECK int db_conn_wait(struct db *db, const char *what, PGresult **out, struct err *err);
/*
 * A prepared statement, COMMIT, and another prepared statement (NULL: none) in one
 * go; all answers are waited for. *out is the statement's result, when it and COMMIT
 * succeeded; *after_out the other's, when that did, too, else NULL.
 */
MUST_CHECK int db_conn_last(struct db *db, const struct stmt_def *def, const struct db_encoded *e,
    const struct stmt_def *after, PGresult **out, PGresult **after_out, struct err *err);
/* The same as db_conn_wait and also -1 when the statement failed; the result is cleared then. */
MUST_CHECK int db_conn_result(struct db *db, const char *what, PGresult **out, struct err *err);
/* A statement by its text: BEGIN, COMMIT, scripts. tag: "" or the first word that the command's tag must have. */
MUST_CHECK int db_conn_text(struct db *db, const char *sql, const char *tag, struct err *err);

/* May the transaction that failed so be run again? */
void db_sqlstate_clear(void);
bool db_sqlstate_retry(const char *state);

/* db.c: a server that does not answer any more. Idle connections are closed, the pool is down. */
void db_pool_hung(struct db_pool *p, const char *reason);

#endif
