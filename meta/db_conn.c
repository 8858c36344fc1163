/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/db_conn.c - one connection: opening it, sending, and waiting no longer
 * than the pool's limit.
 *
 * Owns:       a PGconn while it is opened; afterwards struct db does.
 * Called by:  db.c.
 * Blocks:     on poll(2) alone, with a deadline; libpq is used without blocking,
 *             because a stopped server keeps a blocking read for ever.
 * Invariant:  the server's statement_timeout is shorter than our own deadline, so
 *             that ours passes only when the server does not answer at all.
 */
#include "meta/db_internal.h"

#include <poll.h>

#include "base/clock.h"

struct sqlstate_row {
	const char *prefix;
	int kind;
	bool retry;
};
static const struct sqlstate_row sqlstates[] = {
#define SQLSTATE(prefix, kind, retry, doc) { prefix, ERR_##kind, retry },
#include "meta/sqlstate.def"
#undef SQLSTATE
};

/* Of this thread's last failed statement; db_tx asks for it. */
static _Thread_local char last_sqlstate[6];

const char *
db_last_sqlstate(void)
{
	return last_sqlstate;
}

void
db_sqlstate_clear(void)
{
	last_sqlstate[0] = '\0';
}

static const struct sqlstate_row *
sqlstate_find(const char *state)
{
	for (size_t i = 0; i < ARRAY_LEN(sqlstates); i++)
		if (strncmp(state, sqlstates[i].prefix, strlen(sqlstates[i].prefix)) == 0)
			return &sqlstates[i];
	return &sqlstates[ARRAY_LEN(sqlstates) - 1];
}

bool
db_sqlstate_retry(const char *state)
{
	return state[0] != '\0' && sqlstate_find(state)->retry;
}

/* Waits for the socket; 1 ready, 0 the time is over, -1 poll failed. */
static int
wait_socket(PGconn *conn, short events, int64_t deadline_us)
{
	struct pollfd pfd = { .fd = PQsocket(conn), .events = events };

	for (;;) {
		int64_t left = deadline_us - clock_mono_us();
		int n;

		if (left <= 0)
			return 0;
		n = poll(&pfd, 1, (int)(left / US_PER_MS) + 1);
		if (n > 0)
			return 1;
		if (n < 0 && errno != EINTR)
			return -1;
	}
}

/* The first line of what libpq says, without the blanks at its end. */
static void
first_line(const char *msg, char *out, size_t size)
{
	size_t n = strcspn(msg, "\n");

	if (n >= size)
		n = size - 1;
	memcpy(out, msg, n);
	out[n] = '\0';
}

static int
connect_failed(struct db_pool *p, const char *why, struct err *err)
{
	return FAIL(err, ERR_UNAVAILABLE, "the %s database cannot be reached: %s",
	    p->kind->name, why);
}

static int
connect_poll(struct db_pool *p, PGconn *conn, int64_t deadline_us, struct err *err)
{
	PostgresPollingStatusType st = PGRES_POLLING_WRITING;
	char line[160];

	while (st != PGRES_POLLING_OK) {
		if (st == PGRES_POLLING_FAILED) {
			first_line(PQerrorMessage(conn), line, sizeof(line));
			return connect_failed(p, line, err);
		}
		if (PQsocket(conn) < 0)
			return connect_failed(p, "no socket", err);
		if (wait_socket(conn, st == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_us) <= 0)
			return connect_failed(p, "no answer within the limit", err);
		st = PQconnectPoll(conn);
	}
	return 0;
}

/*
 * What a connection must be like, whatever the role's or the database's own
 * settings say. A worker that is stopped inside a transaction holds locks; the
 * server ends it before the others' statements reach their limit. What was acknowledged must be durable: "off" is raised.
 * Where a function forbids plans (enable_seqscan = off), one that is forbidden and has no other looks so costly that it
 * would be compiled first: 16 ms for a row of a sequence.
 */
static int
set_up(struct db *tmp, struct err *err)
{
	int64_t ms = tmp->pool->timeout_us / US_PER_MS;
	char sql[480];

	snprintf(sql, sizeof(sql),
	    "SET statement_timeout = %" PRId64 "; SET idle_in_transaction_session_timeout = %" PRId64 ";"
	    "SET default_transaction_isolation = 'read committed'; SET client_min_messages = 'warning'; SET jit = off;"
	    "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'",
	    ms - ms / 10 > 0 ? ms - ms / 10 : 1, ms / 2 > 0 ? ms / 2 : 1);
	return db_conn_text(tmp, sql, "", err);
}

int
db_conn_open(struct db_pool *p, int64_t deadline_us, PGconn **out, struct err *err)
{
	char user_timeout[24];
	const char *keys[] = { "fallback_application_name", "keepalives_idle", "keepalives_interval",
		"keepalives_count", "tcp_user_timeout", "dbname", "client_encoding", NULL };
	const char *values[] = { program_invocation_short_name, "5", "2", "3", user_timeout, p->dsn, "UTF8", NULL };
	struct db tmp = { .pool = p, .until_us = deadline_us };
	int rc = -1;

	snprintf(user_timeout, sizeof(user_timeout), "%" PRId64, p->timeout_us / US_PER_MS);
	/* Only the name's resolution may block here. The DSN's own words come after ours and win. */
	tmp.conn = PQconnectStartParams(keys, values, 1);
	if (tmp.conn == NULL || PQstatus(tmp.conn) == CONNECTION_BAD) {
		char line[160];

		first_line(tmp.conn == NULL ? "no memory" : PQerrorMessage(tmp.conn), line, sizeof(line));
		(void)connect_failed(p, line, err);
		goto out;
	}
	if (connect_poll(p, tmp.conn, deadline_us, err) != 0)
		goto out;
	if (PQsetnonblocking(tmp.conn, 1) != 0) {
		(void)connect_failed(p, "no non-blocking connection", err);
		goto out;
	}
	if (set_up(&tmp, err) != 0)
		goto out;
	*out = tmp.conn;
	rc = 0;
out:
	if (rc != 0)
		PQfinish(tmp.conn);
	return rc;
}

bool
db_conn_alive(PGconn *conn)
{
	struct pollfd pfd = { .fd = PQsocket(conn), .events = POLLIN };

	/* What comes unasked is the end, or the word before it; a mere notice costs a new connection. */
	return PQstatus(conn) == CONNECTION_OK && poll(&pfd, 1, 0) == 0;
}

/* The connection is no more: told as such, and never used again. */
static int
conn_lost(struct db *db, const char *what, struct err *err)
{
	char line[160];

	db->broken = true;
	last_sqlstate[0] = '\0';
	first_line(PQerrorMessage(db->conn), line, sizeof(line));
	return FAIL(err, ERR_UNAVAILABLE, "the connection to the %s database broke: statement=%s reason=%s",
	    db->pool->kind->name, what, line);
}

static int
conn_hung(struct db *db, const char *what, struct err *err)
{
	db->broken = true;
	last_sqlstate[0] = '\0';
	if (db->until_us == 0)
		db_pool_hung(db->pool, "a statement was not answered within the limit");
	return FAIL(err, ERR_TIMEOUT, "the %s database did not answer within %" PRId64 " ms: statement=%s",
	    db->pool->kind->name, db->pool->timeout_us / US_PER_MS, what);
}

/* Keeps the first failure, or else the last result. */
static void
keep_result(PGresult **kept, PGresult *res)
{
	ExecStatusType st = *kept == NULL ? PGRES_COMMAND_OK : PQresultStatus(*kept);

	if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK && st != PGRES_EMPTY_QUERY) {
		PQclear(res);
		return;
	}
	PQclear(*kept);
	*kept = res;
}

/* The next result in *out, NULL where libpq says that there is none. */
static int
next_result(struct db *db, const char *what, int64_t deadline_us, PGresult **out, struct err *err)
{
	for (;;) {
		int flush = PQflush(db->conn);
		int ready;

		if (flush < 0)
			return conn_lost(db, what, err);
		if (flush == 0 && !PQisBusy(db->conn)) {
			*out = PQgetResult(db->conn);
			return 0;
		}
		ready = wait_socket(db->conn, (short)(POLLIN | (flush > 0 ? POLLOUT : 0)), deadline_us);
		if (ready == 0)
			return conn_hung(db, what, err);
		/* A server that ends us says why first; PQgetResult gives that. */
		if (ready < 0 || (PQconsumeInput(db->conn) == 0 && PQisBusy(db->conn)))
			return conn_lost(db, what, err);
	}
}

static int64_t
deadline_of(const struct db *db)
{
	return db->until_us != 0 ? db->until_us : clock_mono_us() + db->pool->timeout_us;
}

int
db_conn_wait(struct db *db, const char *what, PGresult **out, struct err *err)
{
	int64_t deadline_us = deadline_of(db);
	PGresult *kept = NULL, *res;

	for (;;) {
		if (next_result(db, what, deadline_us, &res, err) != 0) {
			PQclear(kept);
			return -1;
		}
		if (res == NULL)
			break;
		if (PQresultStatus(res) == PGRES_COPY_IN || PQresultStatus(res) == PGRES_COPY_OUT)
			db->broken = true; /* we never copy */
		keep_result(&kept, res);
		if (db->broken)
			break;
	}
	if (kept == NULL)
		return conn_lost(db, what, err);
	if (PQstatus(db->conn) != CONNECTION_OK)
		db->broken = true;
	*out = kept;
	return 0;
}

/* What the server's refusal means to us. */
static int
statement_failed(struct db *db, const char *what, const PGresult *res, struct err *err)
{
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *constraint = PQresultErrorField(res, PG_DIAG_CONSTRAINT_NAME);
	const struct sqlstate_row *row;

	if (state == NULL) /* libpq's own: the connection */
		return conn_lost(db, what, err);
	row = sqlstate_find(state);
	snprintf(last_sqlstate, sizeof(last_sqlstate), "%s", state);
	/*
	 * A server that is read-only has been replaced by another: the next
	 * connection looks for the primary again. A prepared statement that does
	 * not fit the schema any more (or is unknown to a pooler) is prepared anew.
	 */
	if (PQstatus(db->conn) != CONNECTION_OK || strcmp(state, "25006") == 0 || strcmp(state, "0A000") == 0 ||
	    strcmp(state, "26000") == 0)
		db->broken = true;
	return FAIL(err, row->kind, "statement=%s sqlstate=%s%s%s message=\"%s\"", what, state,
	    constraint == NULL ? "" : " constraint=", constraint == NULL ? "" : constraint,
	    message == NULL ? "" : message);
}

int
db_conn_result(struct db *db, const char *what, PGresult **out, struct err *err)
{
	PGresult *res = NULL;
	ExecStatusType st;

	if (db_conn_wait(db, what, &res, err) != 0)
		return -1;
	st = PQresultStatus(res);
	if (st != PGRES_COMMAND_OK && st != PGRES_TUPLES_OK && st != PGRES_EMPTY_QUERY) {
		(void)statement_failed(db, what, res, err);
		PQclear(res);
		return -1;
	}
	*out = res;
	return 0;
}

int
db_conn_text(struct db *db, const char *sql, const char *tag, struct err *err)
{
	const char *what = tag[0] == '\0' ? "script" : tag;
	PGresult *res = NULL;
	int rc = 0;

	if (db->broken || PQsendQuery(db->conn, sql) == 0)
		return conn_lost(db, what, err);
	if (db_conn_result(db, what, &res, err) != 0)
		return -1;
	if (tag[0] != '\0' && strncmp(PQcmdStatus(res), tag, strlen(tag)) != 0)
		rc = FAIL(err, ERR_INTERNAL, "%s was answered by \"%s\"", tag, PQcmdStatus(res));
	PQclear(res);
	return rc;
}

static bool
succeeded(const PGresult *res)
{
	return PQresultStatus(res) == PGRES_COMMAND_OK || PQresultStatus(res) == PGRES_TUPLES_OK;
}

int
db_conn_last(struct db *db, const struct stmt_def *def, const struct db_encoded *e, const struct stmt_def *after,
    PGresult **out, PGresult **after_out, struct err *err)
{
	/* Each answer is followed by a NULL, but for the last: the end of the pipeline. */
	enum { LAST = 0, COMMIT = 2, AFTER = 4, MOST = 7 };
	size_t want = after == NULL ? MOST - 2 : MOST, got = 0;
	int64_t deadline_us = deadline_of(db);
	PGresult *res[MOST] = { NULL };
	struct err why = { 0 };
	int rc = -1;

	*after_out = NULL;
	if (PQenterPipelineMode(db->conn) == 0 ||
	    PQsendQueryPrepared(db->conn, def->name, def->n_params, e->value, e->len, e->format, 1) == 0 ||
	    PQsendQueryParams(db->conn, "COMMIT", 0, NULL, NULL, NULL, NULL, 0) == 0 ||
	    (after != NULL && PQsendQueryPrepared(db->conn, after->name, 0, NULL, NULL, NULL, 1) == 0) ||
	    PQpipelineSync(db->conn) == 0)
		return conn_lost(db, def->name, err);
	while (got < want && next_result(db, got < COMMIT ? def->name : "COMMIT", deadline_us, &res[got], &why) == 0) {
		if ((res[got] == NULL) != (got % 2 == 1)) {
			(void)conn_lost(db, def->name, &why);
			break;
		}
		got++;
	}
	if (got == want && (PQexitPipelineMode(db->conn) == 0 || PQstatus(db->conn) != CONNECTION_OK))
		db->broken = true;
	if (got <= COMMIT)
		(void)err_fail(err, why.code, why.where, "%s", why.detail);
	else if (!succeeded(res[LAST]))
		(void)statement_failed(db, def->name, res[LAST], err);
	else if (!succeeded(res[COMMIT]))
		(void)statement_failed(db, "COMMIT", res[COMMIT], err);
	else if (strcmp(PQcmdStatus(res[COMMIT]), "COMMIT") != 0)
		(void)FAIL(err, ERR_INTERNAL, "COMMIT was answered by \"%s\"", PQcmdStatus(res[COMMIT]));
	else {
		*out = res[LAST];
		res[LAST] = NULL;
		rc = 0;
	}
	if (rc == 0 && got > AFTER && after != NULL && succeeded(res[AFTER])) {
		*after_out = res[AFTER];
		res[AFTER] = NULL;
	}
	for (size_t i = 0; i < MOST; i++)
		PQclear(res[i]);
	return rc;
}

static bool
drain_notifies(PGconn *conn)
{
	PGnotify *n;
	bool any = false;

	while ((n = PQnotifies(conn)) != NULL) {
		PQfreemem(n);
		any = true;
	}
	return any;
}

int
db_wait_notify(struct db *db, int timeout_ms, struct err *err)
{
	int64_t deadline_us = clock_mono_us() + timeout_ms * US_PER_MS;

	for (;;) {
		int ready;

		/* What other statements' answers brought along counts too. */
		if (!db->broken && PQconsumeInput(db->conn) == 0)
			return conn_lost(db, "LISTEN", err);
		if (PQstatus(db->conn) != CONNECTION_OK)
			return conn_lost(db, "LISTEN", err);
		if (drain_notifies(db->conn))
			return 1;
		ready = wait_socket(db->conn, POLLIN, deadline_us);
		if (ready < 0)
			return conn_lost(db, "LISTEN", err);
		if (ready == 0)
			return 0;
	}
}

int
db_fd(const struct db *db)
{
	return PQsocket(db->conn);
}
