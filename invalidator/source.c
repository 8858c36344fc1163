/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/source.c - the primary of the global database: woken by LISTEN on
 * a connection of its own, the outbox read in order into the ring, published;
 * and the answer to "what is n?".
 *
 * Blocks:    in a thread of its own, and in whoever asks, on PostgreSQL.
 * Invariant: source_clock answers nothing from memory. What is read of the outbox
 *            is passed on only as far as its numbers have no gap: every number has
 *            a row, so a gap means that rows were pruned.
 */
#include "invalidator/inv.h"

#include <fcntl.h>
#include <libpq-fe.h>
#include <poll.h>
#include <sys/eventfd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"

#define WAIT_MS 500
#define RECONNECT_US (500 * US_PER_MS)
#define READ_ROWS 2000            /* of one reading; the last number is whole */
#define ROWS_OF_ONE_NUMBER 1000   /* more are one "*" */

struct source {
	struct arena *arena;
	struct inv *inv;
	struct inv_thread thread;
	int wake;                  /* eventfd: the end */
	PGconn *conn;
	pthread_mutex_t pump;      /* one reader of the outbox at a time; held while the database and PUB are used */
	struct stamp_event *buf;   /* the pump's */
	pthread_mutex_t lock;      /* guards seen */
	struct event_clock seen;   /* the highest answer so far */
};

/* ---- what is n? ---- */

static bool
went_back(const struct event_clock *seen, const struct event_clock *now)
{
	return memcmp(seen->epoch, now->epoch, EPOCH_LEN) == 0 && now->n < seen->n;
}

/* The highest of what the asker and we ourselves have seen. */
static struct event_clock
highest_seen(struct source *src, const struct event_clock *asker)
{
	struct event_clock own;

	pthread_mutex_lock(&src->lock);
	own = src->seen;
	pthread_mutex_unlock(&src->lock);
	if (asker != NULL && (memcmp(own.epoch, asker->epoch, EPOCH_LEN) != 0 || asker->n > own.n))
		return *asker;
	return own;
}

static void
saw(struct source *src, const struct event_clock *now)
{
	pthread_mutex_lock(&src->lock);
	if (memcmp(src->seen.epoch, now->epoch, EPOCH_LEN) != 0 || src->seen.n < now->n)
		src->seen = *now;
	pthread_mutex_unlock(&src->lock);
}

static int
ask_once(struct inv *inv, const char *asker, struct arena *a, struct event_clock *q, struct err *err)
{
	struct db_param p[] = { P_TEXT(asker) };
	struct db_rows *rows;
	struct span epoch;

	if (db_query(inv->db, a, STMT_CLOCK_SOURCE, p, 1, &rows, err) != 0)
		return -1;
	if (db_count(rows) != 1 || !db_bool(rows, 0, 0))
		return FAIL(err, ERR_UNAVAILABLE, "the global database is a standby");
	if (!db_bool(rows, 0, 1) && !fault_off(FAULT_RULE_leaving))
		return 0;
	epoch = db_span(rows, 0, 2);
	if (epoch.len != EPOCH_LEN || db_i64(rows, 0, 3) <= 0)
		return FAIL(err, ERR_INTERNAL, "the event clock has no row");
	memcpy(q->epoch, epoch.p, EPOCH_LEN);
	q->n = (uint64_t)db_i64(rows, 0, 3);
	return 1;
}

/* The asker's renewal, committed by itself before the clock is read. 1 done; 0 not an active region; -1. */
static int
renew(struct inv *inv, const char *asker, struct arena *a, struct err *err)
{
	struct db_param p[] = { P_TEXT(asker) };
	struct db_rows *rows;

	if (fault_off(FAULT_RULE_renewal))
		return 1;
	if (db_query(inv->db, a, STMT_REGION_RENEW, p, 1, &rows, err) != 0)
		return -1;
	if (db_count(rows) != 1 || db_is_null(rows, 0, 0))
		return 0;
	if (db_bool(rows, 0, 1))
		log_event(NULL, EV_REGION_BACK, LS("region", asker), LI("renewal", db_i64(rows, 0, 0)));
	fault_point(FAULT_POINT_source_between);
	return 1;
}

int
source_clock(struct inv *inv, const char *asker, const struct event_clock *asker_saw, struct event_clock *q, struct err *err)
{
	struct arena *a = arena_new(65536);
	struct event_clock seen = highest_seen(inv->source, asker_saw);
	int rc = renew(inv, asker, a, err);
	bool ask = rc == 1 || (rc == 0 && fault_off(FAULT_RULE_leaving));

	for (int tries = 0; ask && tries < 3; tries++) {
		rc = ask_once(inv, asker, a, q, err);
		if (rc != 1 || !went_back(&seen, q))
			break;
		/* Lower than before in one epoch: a restore that left no trace. Numbers mean something else now. */
		struct db_param p[] = { { .type = DB_UUID, .p = seen.epoch, .len = EPOCH_LEN }, P_INT((int64_t)seen.n) };

		log_event(NULL, EV_EPOCH, LS("reason", "the clock went back"), LI("from", (int64_t)seen.n), LI("to", (int64_t)q->n));
		rc = -1;
		if (db_query(inv->db, a, STMT_CLOCK_WENT_BACK, p, 2, NULL, err) != 0)
			break;
	}
	if (rc == 1)
		saw(inv->source, q);
	arena_free(a);
	return rc;
}

/* ---- the outbox ---- */

/* One row more; a number with too many rows becomes one for everything. */
static void
add_row(struct stamp_event *buf, size_t *n, size_t *of_number, uint64_t number, char letter, struct span key)
{
	if (*of_number == ROWS_OF_ONE_NUMBER) {
		*n -= *of_number - 1;
		buf[*n - 1] = (struct stamp_event){ number, STAMP_ALL, (uint8_t)event_letter(EVENT_KIND_ALL) };
	} else if (*of_number < ROWS_OF_ONE_NUMBER) {
		stamp_event_of(number, letter, key, &buf[(*n)++]);
	}
	++*of_number;
}

/* Whole numbers after `after`, without a gap. false: database away. through == after: no more, or pruned. *more: perhaps. */
static bool
read_events(struct inv *inv, const struct event_clock *after, struct stamp_event *buf, size_t max, struct stamp_news *out,
    bool *more)
{
	struct arena *a = arena_new(4 << 20);
	struct err err = { 0 };
	struct db_param p[] = { { .type = DB_UUID, .p = after->epoch, .len = EPOCH_LEN }, P_INT((int64_t)after->n),
		P_INT(READ_ROWS) };
	struct db_rows *rows;
	size_t of_number = 0;
	bool ok;

	ASSERT(max >= READ_ROWS + ROWS_OF_ONE_NUMBER);
	memcpy(out->epoch, after->epoch, EPOCH_LEN);
	out->from = out->through = after->n;
	out->events = buf;
	out->n = 0;
	ok = db_query(inv->db, a, STMT_EVENTS_AFTER, p, 3, &rows, &err) == 0;
	*more = ok && db_count(rows) >= READ_ROWS;
	for (size_t i = 0; ok && i < db_count(rows); i++) {
		uint64_t n = (uint64_t)db_i64(rows, i, 0);
		struct span kind = db_span(rows, i, 1);

		if (n != out->through && n != out->through + 1)
			break; /* a gap: what is between was pruned */
		if (n != out->through)
			of_number = 0;
		out->through = n;
		add_row(buf, &out->n, &of_number, n, kind.len == 1 ? kind.p[0] : '*', db_span(rows, i, 2));
	}
	arena_free(a);
	return ok;
}

bool
source_pump(struct inv *inv, uint64_t through)
{
	struct source *src = inv->source;
	struct message m = { .type = MSG_EVENTS };
	struct event_clock after;
	struct ring_state s;
	struct stamp_news news;
	bool ok = true, more = true;

	pthread_mutex_lock(&src->pump);
	while (more && !atomic_load(&inv->stop)) {
		s = ring_state(inv->ring);
		if (s.through == 0 || (through != 0 && s.through >= through))
			break;
		memcpy(after.epoch, s.epoch, EPOCH_LEN);
		after.n = s.through;
		ok = read_events(inv, &after, src->buf, MESSAGE_EVENTS_MAX, &news, &more);
		if (!ok || news.through == after.n)
			break;
		fault_point(FAULT_POINT_source_before_publish);
		if (ring_put(inv->ring, &news) != RING_NEW)
			continue;
		memcpy(m.clock.epoch, news.epoch, EPOCH_LEN);
		m.clock.n = m.through = news.through;
		m.from = news.from;
		m.events = news.events;
		m.n_events = news.n;
		peers_publish(inv, &m);
	}
	pthread_mutex_unlock(&src->pump);
	return ok;
}

/* ---- LISTEN ---- */

/* PQexec would wait for ever for a server that is stopped. */
static bool
listen_within(PGconn *conn, int64_t timeout_us)
{
	int64_t until = clock_mono_us() + timeout_us, left;
	struct pollfd fd = { PQsocket(conn), POLLIN, 0 };
	PGresult *res;
	bool ok;

	if (PQsendQuery(conn, stmt_defs[STMT_EVENTS_LISTEN].sql) != 1)
		return false;
	while (PQisBusy(conn)) {
		left = until - clock_mono_us();
		if (left <= 0 || (poll(&fd, 1, (int)(left / US_PER_MS) + 1) < 0 && errno != EINTR) || PQconsumeInput(conn) != 1)
			return false;
	}
	res = PQgetResult(conn);
	ok = PQresultStatus(res) == PGRES_COMMAND_OK;
	PQclear(res);
	while (!PQisBusy(conn) && (res = PQgetResult(conn)) != NULL)
		PQclear(res);
	return ok;
}

static bool
connect_and_listen(struct source *src, struct err *err)
{
	const struct settings *s = src->inv->settings;
	char timeout[24];
	const char *keys[] = { "dbname", "connect_timeout", "application_name", "keepalives_idle", "keepalives_interval",
		"keepalives_count", NULL };
	const char *values[] = { s->global_dsn, timeout, "anvil-invalidator listen", "2", "1", "3", NULL };

	snprintf(timeout, sizeof(timeout), "%" PRId64, s->db_connect_timeout_s);
	src->conn = PQconnectdbParams(keys, values, 1);
	if (PQstatus(src->conn) != CONNECTION_OK) {
		FAIL(err, ERR_UNAVAILABLE, "%s", PQerrorMessage(src->conn));
		return false;
	}
	if (!listen_within(src->conn, s->db_timeout_ms * US_PER_MS)) {
		FAIL(err, ERR_UNAVAILABLE, "could not listen: %s", PQerrorMessage(src->conn));
		return false;
	}
	return true;
}

/* Waits for a notice, the end, or WAIT_MS. The highest number told, 0 when none. false: the connection is lost. */
static bool
wait_for_notice(struct source *src, uint64_t *told)
{
	struct pollfd fds[2] = { { PQsocket(src->conn), POLLIN, 0 }, { src->wake, POLLIN, 0 } };
	PGnotify *note;
	int64_t n;

	*told = 0;
	if (poll(fds, 2, WAIT_MS) < 0 && errno != EINTR)
		return false;
	if (PQconsumeInput(src->conn) != 1)
		return false;
	while ((note = PQnotifies(src->conn)) != NULL) {
		if (parse_i64(span_of(note->extra), 0, INT64_MAX, &n) && (uint64_t)n > *told)
			*told = (uint64_t)n;
		PQfreemem(note);
	}
	return PQstatus(src->conn) == CONNECTION_OK;
}

static void
listen_on(struct source *src)
{
	struct inv *inv = src->inv;
	struct ring_state s;
	uint64_t told = 0;

	inv_set_source(inv, true, NULL);
	beat_now(inv); /* whatever was committed while nobody listened */
	do {
		if (!source_pump(inv, 0)) {
			inv_set_source(inv, false, "the outbox could not be read");
			return;
		}
		s = ring_state(inv->ring);
		if (told > s.through)
			beat_now(inv); /* another epoch, or pruned */
		outbox_turn(inv);
		if (!wait_for_notice(src, &told)) {
			inv_set_source(inv, false, "the connection that listens was lost");
			return;
		}
	} while (!atomic_load(&inv->stop) && atomic_load(&inv->is_source));
}

static void *
source_run(void *arg)
{
	struct source *src = arg;
	struct pollfd end = { src->wake, POLLIN, 0 };
	bool told = false;

	while (!atomic_load(&src->inv->stop)) {
		struct err err = { 0 };

		if (connect_and_listen(src, &err)) {
			told = false;
			listen_on(src);
		} else if (!told) {
			log_event(NULL, EV_DB_DOWN, LS("database", "global"), LS("reason", err.detail));
			told = true;
		}
		PQfinish(src->conn);
		src->conn = NULL;
		(void)poll(&end, 1, RECONNECT_US / US_PER_MS);
	}
	return NULL;
}

void
source_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct source) + MESSAGE_EVENTS_MAX * sizeof(struct stamp_event) + 4096);
	struct source *src = ARENA_NEW(a, struct source);

	ASSERT(src != NULL);
	src->arena = a;
	src->inv = inv;
	src->buf = arena_array(a, MESSAGE_EVENTS_MAX, sizeof(*src->buf));
	ASSERT(src->buf != NULL);
	pthread_mutex_init(&src->pump, NULL);
	pthread_mutex_init(&src->lock, NULL);
	src->wake = -1;
	inv->source = src;
}

int
source_start(struct inv *inv, struct err *err)
{
	inv->source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (inv->source->wake < 0)
		return FAIL(err, ERR_INTERNAL, "eventfd: errno=%d", errno);
	return inv_thread(&inv->source->thread, source_run, inv->source, err);
}

void
source_stop(struct inv *inv)
{
	uint64_t one = 1;

	if (inv->source->wake >= 0 && write(inv->source->wake, &one, sizeof(one)) != (ssize_t)sizeof(one))
		ASSERT(errno == EAGAIN);
	inv_join(&inv->source->thread);
}

void
source_free(struct inv *inv)
{
	struct source *src = inv->source;

	if (src->wake >= 0)
		close(src->wake);
	pthread_mutex_destroy(&src->pump);
	pthread_mutex_destroy(&src->lock);
	arena_free(src->arena);
}
