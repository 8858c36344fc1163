/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/db.c - pools of connections, named statements, transactions.
 *
 * Owns:       the pool and its connections.
 * Called by:  the other files of meta/, the invalidator.
 * Blocks:     on PostgreSQL for at most db_timeout_ms a statement; waiting for a
 *             free connection as long; on a database that is away for nobody but
 *             the one thread that tries whether it is back.
 * Invariant:  what the pool's lock guards is in struct db_pool; no call of libpq
 *             that may wait is made under it.
 */
#include "meta/db_internal.h"

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"

#define BACKOFF_MIN_US (100 * US_PER_MS)
#define BACKOFF_MAX_US (1000 * US_PER_MS)
#define BACKOFF_REPLICA_US (10 * US_PER_S)
#define SLOW_US US_PER_S
#define TX_TRIES 8

/* What this thread spent; each thread has its own, so no lock. */
static _Thread_local struct db_spent spent;

struct db_spent
db_spent(bool reset)
{
	struct db_spent now = spent;

	if (reset)
		spent = (struct db_spent){ 0, 0, 0 };
	return now;
}

static const struct db_kind kinds[] = {
	{ 'g', 'g', "global", M_GLOBAL_QUERIES, M_GLOBAL_CONNECTS, BACKOFF_MAX_US },
	/* Nobody waits for a replica: the primary is asked instead. */
	{ 's', 'g', "replica", M_REPLICA_QUERIES, M_REPLICA_CONNECTS, BACKOFF_REPLICA_US },
	{ 'r', 'r', "regional", M_REGIONAL_QUERIES, M_REGIONAL_CONNECTS, BACKOFF_MAX_US },
};

static const struct db_kind *
kind_of(char which)
{
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && kinds[i].which != which)
		i++;
	ASSERT(i < ARRAY_LEN(kinds));
	return &kinds[i];
}

struct db_pool *
db_pool_new(char which, const char *dsn, int max_connections, int timeout_ms, int connect_timeout_s)
{
	size_t max = (size_t)max_connections;
	struct arena *a = arena_new(strlen(dsn) + max * sizeof(struct db) + 65536);
	struct db_pool *p = ARENA_NEW(a, struct db_pool);
	struct db *slots = arena_array(a, max, sizeof(*slots));
	int rc;

	ASSERT(max_connections > 0 && p != NULL && slots != NULL);
	p->arena = a;
	p->kind = kind_of(which);
	p->dsn = arena_strdup(a, dsn);
	p->max = max_connections;
	p->timeout_us = timeout_ms * US_PER_MS;
	p->connect_timeout_us = connect_timeout_s * US_PER_S;
	for (size_t i = 0; i < max; i++) {
		slots[i].pool = p;
		slots[i].next = p->unused;
		p->unused = &slots[i];
	}
	rc = pthread_mutex_init(&p->lock, NULL);
	ASSERT(rc == 0);
	clock_cond_init(&p->freed);
	return p;
}

void
db_pool_free(struct db_pool *p)
{
	if (p == NULL)
		return;
	for (struct db *db = p->idle; db != NULL; db = db->next) {
		PQfinish(db->conn);
		p->n_open--;
	}
	ASSERT(p->n_open == 0); /* all were released */
	pthread_cond_destroy(&p->freed);
	pthread_mutex_destroy(&p->lock);
	arena_free(p->arena);
}

/* Half of it to all of it, so that the processes of many hosts, which saw the database go at one moment, do not all try at one. */
static int64_t
scattered(int64_t us)
{
	uint32_t random;

	crypto_random(&random, sizeof(random));
	return us / 2 + (int64_t)(random % (uint64_t)(us / 2 + 1));
}

/* Under the lock. true when it was up before, and the change is to be logged. */
static bool
mark_down(struct db_pool *p, const char *reason)
{
	bool was_up = !p->down;

	p->down = true;
	p->backoff_us = was_up ? BACKOFF_MIN_US : p->backoff_us * 2;
	if (p->backoff_us > p->kind->backoff_max_us)
		p->backoff_us = p->kind->backoff_max_us;
	p->retry_at_us = clock_mono_us() + scattered(p->backoff_us);
	snprintf(p->reason, sizeof(p->reason), "%s", reason);
	pthread_cond_broadcast(&p->freed); /* who waits for a connection fails now */
	return was_up;
}

static void
log_down(const struct db_pool *p, const char *reason)
{
	log_event(NULL, EV_DB_DOWN, LS("database", p->kind->name), LS("reason", reason));
}

/* The connection's slot is free again. */
static void
slot_give_back(struct db_pool *p, struct db *db)
{
	pthread_mutex_lock(&p->lock);
	db->conn = NULL;
	db->next = p->unused;
	p->unused = db;
	p->n_open--;
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

void
db_pool_hung(struct db_pool *p, const char *reason)
{
	struct db *idle;
	bool log_it;

	pthread_mutex_lock(&p->lock);
	log_it = mark_down(p, reason);
	idle = p->idle;
	p->idle = NULL;
	pthread_mutex_unlock(&p->lock);
	if (log_it)
		log_down(p, reason);
	while (idle != NULL) {
		struct db *next = idle->next;

		PQfinish(idle->conn);
		slot_give_back(p, idle);
		idle = next;
	}
}

/* With a slot of ours: opens its connection, and tells the pool how that went. */
static int
open_slot(struct db_pool *p, struct db *db, bool probe, struct err *err)
{
	struct err why = { 0 };
	int64_t limit = p->connect_timeout_us < p->timeout_us ? p->connect_timeout_us : p->timeout_us;
	bool was_down, log_it = false;
	int rc;

	metric_add(p->kind->connects, 1);
	rc = db_conn_open(p, clock_mono_us() + limit, &db->conn, &why);

	pthread_mutex_lock(&p->lock);
	was_down = p->down;
	p->n_opening--;
	if (probe)
		p->probing = false;
	if (rc == 0) {
		p->down = false;
		pthread_cond_broadcast(&p->freed);
	} else
		log_it = mark_down(p, why.detail);
	pthread_mutex_unlock(&p->lock);
	if (rc == 0) {
		db->broken = false;
		memset(db->prepared, 0, sizeof(db->prepared));
		if (was_down)
			log_event(NULL, EV_DB_UP, LS("database", p->kind->name));
		return 0;
	}
	if (log_it)
		log_down(p, why.detail);
	slot_give_back(p, db);
	return FAIL(err, why.code, "%s", why.detail);
}

/*
 * What to do next, decided under the lock: an idle connection (1), a slot to open
 * one in (2, *probe when the database is down), wait (0), or give up (-1).
 */
static int
choose(struct db_pool *p, struct db **out, bool *probe, struct err *err)
{
	if (p->idle != NULL) {
		*out = p->idle;
		p->idle = p->idle->next;
		return 1;
	}
	*probe = p->down;
	if (p->down && (p->probing || clock_mono_us() < p->retry_at_us || p->unused == NULL))
		return FAIL(err, ERR_UNAVAILABLE, "the %s database is away: %s", p->kind->name, p->reason);
	if (p->unused == NULL || p->n_opening >= DB_OPENING_MAX)
		return 0;
	*out = p->unused;
	p->unused = p->unused->next;
	p->n_open++;
	p->n_opening++;
	p->probing = p->probing || *probe;
	return 2;
}

static int
acquire_until(struct db_pool *p, int64_t deadline_us, struct db **out, struct err *err)
{
	struct timespec until = { (time_t)(deadline_us / US_PER_S), (long)(deadline_us % US_PER_S) * 1000 };

	for (;;) {
		struct db *db = NULL;
		bool probe = false;
		int what, waited = 0;

		pthread_mutex_lock(&p->lock);
		what = choose(p, &db, &probe, err);
		if (what == 0)
			waited = pthread_cond_timedwait(&p->freed, &p->lock, &until);
		pthread_mutex_unlock(&p->lock);
		if (what < 0)
			return -1;
		if (what == 0 && waited == ETIMEDOUT)
			return FAIL(err, ERR_TIMEOUT, "no free connection to the %s database: connections=%d", p->kind->name, p->max);
		if (what == 2) {
			if (open_slot(p, db, probe, err) != 0)
				return -1;
			*out = db;
			return 0;
		}
		if (what == 1 && db_conn_alive(db->conn)) {
			*out = db;
			return 0;
		}
		if (what == 1) { /* it died while it lay idle; the next one */
			PQfinish(db->conn);
			slot_give_back(p, db);
		}
	}
}

int
db_acquire(struct db_pool *p, struct db **out, struct err *err)
{
	return acquire_until(p, clock_mono_us() + p->timeout_us, out, err);
}

void
db_release(struct db *db)
{
	struct db_pool *p = db->pool;
	PGTransactionStatusType tx = db->broken ? PQTRANS_UNKNOWN : PQtransactionStatus(db->conn);

	if (tx == PQTRANS_INTRANS || tx == PQTRANS_INERROR) {
		struct err ignored = { 0 };

		if (db_conn_text(db, "ROLLBACK", "ROLLBACK", &ignored) == 0)
			tx = PQTRANS_IDLE;
	}
	if (tx != PQTRANS_IDLE || db->broken) {
		PQfinish(db->conn);
		slot_give_back(p, db);
		return;
	}
	pthread_mutex_lock(&p->lock);
	db->next = p->idle;
	p->idle = db;
	pthread_cond_signal(&p->freed);
	pthread_mutex_unlock(&p->lock);
}

static int
prepare(struct db *db, enum stmt st, struct err *err)
{
	const struct stmt_def *def = &stmt_defs[st];
	PGresult *res = NULL;

	if (db->prepared[st])
		return 0;
	if (PQsendPrepare(db->conn, def->name, def->sql, def->n_params, def->types) == 0)
		db->broken = true;
	if (db_conn_result(db, def->name, &res, err) != 0)
		return -1;
	PQclear(res);
	db->prepared[st] = true;
	return 0;
}

static int
run(struct db *db, enum stmt st, const struct db_encoded *e, PGresult **out, struct err *err)
{
	const struct stmt_def *def = &stmt_defs[st];

	if (prepare(db, st, err) != 0)
		return -1;
	if (PQsendQueryPrepared(db->conn, def->name, def->n_params, e->value, e->len, e->format, 1) == 0)
		db->broken = true;
	return db_conn_result(db, def->name, out, err);
}

static void
count_one(const struct db *db, enum stmt st, int64_t us, bool failed)
{
	const struct db_kind *kind = db->pool->kind;

	spent.us += us;
	if (kind->database == 'g')
		spent.global_queries++;
	else
		spent.regional_queries++;
	metric_add(kind->queries, 1);
	if (failed)
		metric_add(M_DB_ERRORS, 1);
	if (us >= SLOW_US)
		log_event(NULL, EV_DB_SLOW, LS("statement", stmt_defs[st].name), LS("database", db->pool->kind->name),
		    LI("us", us));
}

int
db_run(struct db *db, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err)
{
	struct db_encoded e;
	PGresult *res = NULL;
	int64_t begun = clock_mono_us();
	int rc;

	ASSERT(stmt_defs[st].database == 'b' || stmt_defs[st].database == db->pool->kind->database);
	ASSERT(a != NULL || out == NULL);
	if (db_encode(&stmt_defs[st], params, n_params, &e, err) != 0)
		return -1;
	rc = run(db, st, &e, &res, err);
	db_encoded_release(&e);
	count_one(db, st, clock_mono_us() - begun, rc != 0);
	if (rc != 0)
		return -1;
	if (out == NULL) {
		PQclear(res);
		return 0;
	}
	return db_rows_new(a, res, out, err);
}

int
db_query(struct db_pool *p, struct arena *a, enum stmt st, const struct db_param *params, size_t n_params,
    struct db_rows **out, struct err *err)
{
	struct db *db;
	int rc;

	if (db_acquire(p, &db, err) != 0)
		return -1;
	rc = db_run(db, a, st, params, n_params, out, err);
	db_release(db);
	return rc;
}

int
db_query_until(struct db_pool *p, int64_t until_us, struct arena *a, enum stmt st, const struct db_param *params,
    size_t n_params, struct db_rows **out, struct err *err)
{
	struct db *db;
	int rc;

	if (acquire_until(p, until_us, &db, err) != 0)
		return -1;
	db->until_us = until_us;
	rc = db_run(db, a, st, params, n_params, out, err);
	db->until_us = 0;
	db_release(db);
	return rc;
}

/* The last statement and COMMIT, or COMMIT alone. */
static int
commit(struct db *db, struct db_last *last, struct err *err)
{
	int64_t begun = clock_mono_us();
	struct db_encoded e;
	PGresult *res = NULL, *after_res = NULL;
	const struct stmt_def *after;
	struct err ignored = { 0 };
	int rc;

	if (last == NULL)
		return db_conn_text(db, "COMMIT", "COMMIT", err);
	after = last->after == NULL ? NULL : &stmt_defs[*last->after];
	if (prepare(db, last->st, err) != 0 || (after != NULL && prepare(db, *last->after, err) != 0) ||
	    db_encode(&stmt_defs[last->st], last->params, last->n_params, &e, err) != 0)
		return -1;
	rc = db_conn_last(db, &stmt_defs[last->st], &e, after, &res, &after_res, err);
	db_encoded_release(&e);
	count_one(db, last->st, clock_mono_us() - begun, rc != 0);
	if (after != NULL)
		count_one(db, *last->after, 0, rc == 0 && after_res == NULL);
	if (after_res != NULL && db_rows_new(last->arena, after_res, &last->after_rows, &ignored) != 0)
		last->after_rows = NULL;
	return rc != 0 ? -1 : db_rows_new(last->arena, res, &last->rows, err);
}

/* One attempt. *again: the server asks to run it once more. */
static int
tx_once(struct db_pool *p, db_tx_fn fn, void *arg, struct db_last *last, bool *again, struct err *err)
{
	struct db *db;
	int rc;

	*again = false;
	db_sqlstate_clear();
	if (db_acquire(p, &db, err) != 0)
		return -1;
	rc = db_conn_text(db, "BEGIN", "BEGIN", err);
	if (rc == 0)
		rc = fn(db, arg, err);
	if (rc == 0) {
		rc = commit(db, last, err);
		if (rc != 0 && db->broken) {
			err->code = ERR_UNAVAILABLE; /* it may have been committed: never again by ourselves */
			if (last != NULL)
				last->unknown = true;
		}
	}
	if (rc < 0 && err->code == ERR_CONFLICT)
		*again = db_sqlstate_retry(db_last_sqlstate());
	db_release(db); /* rolls back what is open */
	return rc;
}

int
db_tx(struct db_pool *p, db_tx_fn fn, void *arg, struct err *err)
{
	return db_tx_last(p, fn, arg, NULL, err);
}

int
db_tx_last(struct db_pool *p, db_tx_fn fn, void *arg, struct db_last *last, struct err *err)
{
	for (int try = 1;; try++) {
		struct err why = { 0 };
		bool again;
		int rc = tx_once(p, fn, arg, last, &again, &why);

		if (rc >= 0)
			return rc;
		if (!again || try == TX_TRIES)
			return err_fail(err, why.code, why.where, "%s", why.detail);
		/* Those who collided shall not meet again: 1 to 2 ms, doubled each time. */
		clock_sleep_us(((clock_mono_us() & 1023) + 1024) << (try - 1));
	}
}

int
db_script(struct db *db, const char *sql, struct err *err)
{
	return db_conn_text(db, sql, "", err);
}

int
db_check(struct db *db, enum stmt st, struct err *err)
{
	return prepare(db, st, err);
}
