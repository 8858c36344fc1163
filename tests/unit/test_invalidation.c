/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_invalidation.c - whole invalidators (in this process, so that
 * the sanitizers see them) with a real PostgreSQL and real memcached servers: a
 * change by psql in one region is refused by another's cache, and acknowledged.
 */
#include "base/base.h"

#include <check.h>
#include <libpq-fe.h>
#include <nng/nng.h>
#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "meta/ack.h"
#include "meta/report.h"
#include "tests/unit/invalidation_help.h"

START_TEST(test_end_to_end)
{
	struct event_clock c;
	int64_t worst = 0, waited, start_us;

	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	for (int i = 0; i < 5; i++) {
		fill(&reg[US]);
		fill(&reg[EU]);
		change();
		start_us = clock_mono_us(); /* psql has ended: later than the commit */
		WITHIN(SLOW, !get(&reg[US]).hit);
		WITHIN(SLOW, !get(&reg[EU]).hit);
		waited = clock_mono_us() - start_us;
		worst = waited > worst ? waited : worst;
		c = clock_now();
		ck_assert(acked(&c, &waited));
	}
	fprintf(stderr, "refused in both regions within %" PRId64 " us of psql's end\n", worst);

	/* What a writer waits: from its own commit on. */
	worst = 0;
	for (int i = 0; i < 5; i++) {
		change();
		c = clock_now();
		start_us = clock_mono_us();
		ck_assert(acked(&c, &waited));
		worst = waited > worst ? waited : worst;
	}

	/* Another kind of key, '*', and a flood. */
	fill(&reg[US]);
	sql("TRUNCATE bucket_configs CASCADE");
	WITHIN(SLOW, !get(&reg[US]).hit);
	fill(&reg[US]);
	sql("DO $$ BEGIN FOR i IN 1..300 LOOP INSERT INTO buckets (name, region, tenant_id) SELECT 'b-' || i, 'us', id FROM tenants;"
	    "  COMMIT; END LOOP; END $$");
	c = clock_now();
	ck_assert(acked(&c, &waited));
	/* What did not change is still a hit, unless a neighbour shares its slot. */
	cache_set(reg[US].th, &KEY, &c, false, SPAN("row"));
	ck_assert(get(&reg[US]).hit);
}
END_TEST

START_TEST(test_restart_of_memcached_and_new_epoch)
{
	struct event_clock c;
	int64_t waited;

	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	fill(&reg[US]);
	scratch_memcached_verb(sc, 1, "restart");
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0);
	WITHIN(SLOW, trusted(&reg[US]));
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !get(&reg[US]).hit);

	fill(&reg[US]);
	sql("SELECT anvil_epoch_begin('a test')");
	WITHIN(SLOW, !get(&reg[US]).hit);
	WITHIN(SLOW, trusted(&reg[US]) && get(&reg[US]).page_trusted && !get(&reg[US]).hit);
	c = clock_now();
	ck_assert(acked(&c, &waited));
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !get(&reg[US]).hit);

	/* The clock goes back in one epoch, as a careless restore does: the sources begin a new one. */
	fill(&reg[US]);
	c = clock_now();
	sql("ALTER TABLE event_clock DISABLE TRIGGER ALL; UPDATE event_clock SET n = n - 2");
	WITHIN(SLOW, memcmp(clock_now().epoch, c.epoch, EPOCH_LEN) != 0);
	WITHIN(SLOW, !get(&reg[US]).hit);
}
END_TEST

/* Refused at the start; nothing of it would ever be trusted. */
START_TEST(test_memcached_without_cas)
{
	struct err why = { 0 };

	reg[EU].memcached[1] = scratch_memcached(sc, "-C");
	ck_assert_int_eq(inv_open(&reg[EU].set, &reg[EU].inv, &why), -1);
	reg[EU].inv = NULL;
	ck_assert_int_eq(why.code, ERR_INVALID);
	ck_assert_msg(strstr(why.detail, "without CAS") != NULL && strstr(why.detail, reg[EU].memcached[1]) != NULL, "%s", why.detail);
	reg[EU].memcached[1] = NULL;
}
END_TEST

START_TEST(test_cut_off_and_back)
{
	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	fill(&reg[US]);
	scratch_pg_verb(pg, "kill");
	/* F after the last beat nothing is believed any more; it lies there for who may serve it. */
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0 && trusted_pages(&reg[EU]) == 0);
	ck_assert(!get(&reg[US]).hit);
	ck_assert(get(&reg[US]).present);
	scratch_pg_verb(pg, "restart");
	both_trusted();
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !get(&reg[US]).hit);

	/* Stopped instead of dead: connections stay, and nothing answers. */
	scratch_pg_signal(pg, SIGSTOP);
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0 && trusted_pages(&reg[EU]) == 0);
	clock_sleep_us(3 * S);
	stop(&reg[US]); /* it ends all the same */
	scratch_pg_signal(pg, SIGCONT);
	start(&reg[US]);
	both_trusted();
}
END_TEST

/* us reaches no database: events, numbers, regions and gaps come from eu over NNG. */
START_TEST(test_without_a_database)
{
	struct event_clock c;
	int64_t waited;

	reg[US].set.global_dsn = "host=/nonexistent dbname=none";
	reg[US].peers[0] = arena_printf(arena, "%s %s", reg[EU].listen[0], reg[EU].listen[1]);
	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	ck_assert(!atomic_load(&reg[US].inv->is_source));
	ck_assert(atomic_load(&reg[EU].inv->is_source));
	for (int i = 0; i < 5; i++) {
		fill(&reg[US]);
		change();
		WITHIN(SLOW, !get(&reg[US]).hit);
		c = clock_now();
		ck_assert(acked(&c, &waited));
		fprintf(stderr, "over NNG alone: acknowledged after %" PRId64 " us\n", waited);
	}
	/* It learned of the regions from eu. */
	size_t n = 0;
	WITHIN(SLOW, (regions_list(reg[US].inv->regions, arena, &n), n == 2));
	/* Its only source goes: cut off; comes back: trusted again. */
	stop(&reg[EU]);
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0);
	start(&reg[EU]);
	WITHIN(SLOW, trusted(&reg[US]));
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !get(&reg[US]).hit);
}
END_TEST

START_TEST(test_two_in_one_region)
{
	struct region_of second = reg[US];
	struct event_clock c;
	int64_t waited;

	second.listen[0] = arena_printf(arena, "ipc://%s/us2-pub", scratch_dir(sc));
	second.listen[1] = arena_printf(arena, "ipc://%s/us2-rep", scratch_dir(sc));
	second.set.invalidator_listen = second.listen;
	sql(arena_printf(arena, "UPDATE regions SET inv_pub = inv_pub || ' %s', inv_rep = inv_rep || ' %s' WHERE name = 'us'",
	    second.listen[0], second.listen[1]));
	start(&reg[EU]);
	start(&reg[US]);
	start(&second);
	both_trusted();
	for (int i = 0; i < 10; i++) {
		fill(&reg[US]);
		change();
		WITHIN(SLOW, !get(&reg[US]).hit);
		c = clock_now();
		ck_assert(acked(&c, &waited));
	}
	stop(&reg[US]); /* the other goes on, nothing is lost */
	fill(&reg[US]);
	change();
	WITHIN(SLOW, !get(&reg[US]).hit);
	c = clock_now();
	ck_assert(acked(&c, &waited));
	clock_sleep_us(2 * S);
	ck_assert(trusted(&reg[US]));
	stop(&second);
}
END_TEST

START_TEST(test_region_that_leaves)
{
	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	sql("UPDATE regions SET state = 'leaving', leaving_at = now() WHERE name = 'us'");
	WITHIN(SLOW, trusted_pages(&reg[US]) == 0);
	ck_assert(trusted(&reg[EU]));
	sql("UPDATE regions SET state = 'active', leaving_at = NULL WHERE name = 'us'");
	WITHIN(SLOW, trusted(&reg[US]));
}
END_TEST

static const struct report_region *
said_of(struct region_of *r, const char *of, struct report reports[REPORTS_MAX])
{
	uint32_t there;

	if (!cache_reports(r->th, reports, &there) || there != 1)
		return NULL;
	for (size_t i = 0; i < reports[0].n_regions; i++)
		if (strcmp(reports[0].region[i].name, of) == 0)
			return &reports[0].region[i];
	return NULL;
}

/* What operators are told: both regions current; then one is behind, and for how long; then it is current again. */
START_TEST(test_report)
{
	struct report *reports = arena_array(arena, REPORTS_MAX, sizeof(*reports));
	const struct report_region *us;
	uint8_t boot[BOOT_LEN];
	int64_t first;

	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	change();
	WITHIN(SLOW, (us = said_of(&reg[EU], "us", reports)) != NULL && us->behind == 0 && us->behind_us == 0 && us->heard_age_us >= 0);
	ck_assert(us->active);
	WITHIN(SLOW, (us = said_of(&reg[EU], "us", reports)) != NULL && reports[0].n == clock_now().n);
	ck_assert(reports[0].beating && reports[0].source);
	ck_assert_int_eq(reports[0].peers, 1);
	ck_assert_int_gt(reports[0].count[REPORT_BEATS], 0);
	memcpy(boot, reports[0].boot, BOOT_LEN);
	stop(&reg[US]);
	for (int i = 0; i < 3; i++)
		change();
	WITHIN(SLOW, (us = said_of(&reg[EU], "us", reports)) != NULL && us->behind == 3);
	first = us->behind_us;
	ck_assert_int_gt(first, 0);
	WITHIN(SLOW, (us = said_of(&reg[EU], "us", reports)) != NULL && us->behind_us > first);
	ck_assert_mem_eq(reports[0].boot, boot, BOOT_LEN); /* it keeps its place */
	ck_assert(said_of(&reg[EU], "eu", reports)->behind == 0);
	start(&reg[US]);
	WITHIN(SLOW, (us = said_of(&reg[EU], "us", reports)) != NULL && us->behind == 0 && us->behind_us == 0);
	/* Nobody to ask: beats cannot go on, and since when is told. */
	scratch_pg_verb(pg, "kill");
	WITHIN(SLOW, said_of(&reg[EU], "us", reports) != NULL && !reports[0].beating && !reports[0].source);
	ck_assert_int_gt(reports[0].since_wall_us, 0);
	scratch_pg_verb(pg, "restart");
	WITHIN(SLOW, said_of(&reg[EU], "us", reports) != NULL && reports[0].beating);
}
END_TEST

static const struct report *
a_report(struct report *r, uint8_t who, int64_t wall_us)
{
	memset(r, 0, sizeof(*r));
	memset(r->boot, who, sizeof(r->boot));
	r->wall_us = wall_us;
	return r;
}

/* Each process has a place of its own; one that is long silent loses it, and no more are kept than there are places. */
START_TEST(test_places_of_reports)
{
	struct mc *mc = mc_new(reg[EU].cache->servers, 0, true);
	struct report *reports = arena_array(arena, REPORTS_MAX, sizeof(*reports)), r;
	int64_t now = clock_wall_us();
	struct mc_key k;
	uint32_t there;

	for (uint8_t who = 1; who <= REPORTS_MAX + 1; who++)
		report_write(mc, "eu", a_report(&r, who, now));
	ck_assert(report_read(mc, "eu", reports, &there));
	ck_assert_uint_eq(there, (1 << REPORTS_MAX) - 1);
	for (int i = 0; i < REPORTS_MAX; i++)
		ck_assert_int_eq(reports[i].boot[0], i + 1);
	report_write(mc, "eu", a_report(&r, 3, now - 2 * REPORT_OLD_US));
	ck_assert(report_read(mc, "eu", reports, &there));
	ck_assert_uint_eq(there, ((1 << REPORTS_MAX) - 1) & ~(1 << 2));
	report_write(mc, "eu", a_report(&r, 77, now));
	ck_assert(report_read(mc, "eu", reports, &there));
	ck_assert_uint_eq(there, (1 << REPORTS_MAX) - 1);
	ck_assert_int_eq(reports[2].boot[0], 77);
	/* What is no report is no harm, and is replaced. */
	k.len = cache_key_report(k.text, "eu", 5);
	ck_assert_int_eq(mc_set(mc, &k, "junk", 4, 0), MC_OK);
	ck_assert(report_read(mc, "eu", reports, &there));
	ck_assert_uint_eq(there, ((1 << REPORTS_MAX) - 1) & ~(1 << 5));
	report_write(mc, "eu", a_report(&r, 78, now));
	ck_assert(report_read(mc, "eu", reports, &there));
	ck_assert_int_eq(reports[5].boot[0], 78);
	mc_free(mc);
}
END_TEST

/* ---- never stale ---- */

#define KEYS 8
static struct cache_key keys[KEYS];
static char key_names[KEYS][16];
static atomic_bool filling;

static PGconn *
connect_db(void)
{
	PGconn *c = PQconnectdb(dsn);

	ck_assert_int_eq(PQstatus(c), CONNECTION_OK);
	return c;
}

static struct event_clock
clock_of(const char *epoch, const char *n)
{
	struct event_clock c;
	char hex[2 * EPOCH_LEN + 1];
	size_t len = 0;
	int64_t v;

	for (; *epoch != '\0' && len < 2 * EPOCH_LEN; epoch++)
		if (*epoch != '-')
			hex[len++] = *epoch;
	ck_assert(hex_decode((struct span){ hex, len }, c.epoch, EPOCH_LEN));
	ck_assert(parse_i64(span_of(n), 1, INT64_MAX, &v));
	c.n = (uint64_t)v;
	return c;
}

/* Reads rows as of their number, and stores them whenever it pleases: late, early, out of order. */
static void *
fill_run(void *arg)
{
	struct region_of *r = arg;
	struct cache_thread *th;
	struct err err = { 0 };
	PGconn *db = connect_db();
	unsigned x = 1;

	ck_assert(cache_thread_new(r->cache, &th, &err) == 0);
	while (atomic_load(&filling)) {
		const char *name;
		PGresult *res;
		struct event_clock c;
		uint8_t b;

		x = (x + 1) % KEYS;
		name = key_names[x];
		res = PQexecParams(db, "SELECT b.routing_mode, c.epoch, c.n FROM event_clock c LEFT JOIN buckets b ON b.name = $1", 1, NULL,
		    &name, NULL, NULL, 0);
		ck_assert_int_eq(PQresultStatus(res), PGRES_TUPLES_OK);
		c = clock_of(PQgetvalue(res, 0, 1), PQgetvalue(res, 0, 2));
		crypto_random(&b, 1);
		clock_sleep_us(b % 8 == 0 ? b * 20 : 0);
		cache_set(th, &keys[x], &c, false, span_of(PQgetvalue(res, 0, 0)));
		PQclear(res);
	}
	cache_thread_free(th);
	PQfinish(db);
	return NULL;
}

static struct event_clock
change_key(PGconn *db, const char *name)
{
	struct event_clock c;
	PGresult *res = PQexec(db, "BEGIN");

	PQclear(res);
	res = PQexecParams(db, "UPDATE buckets SET routing_mode = CASE routing_mode WHEN '' THEN 'relay' ELSE '' END WHERE name = $1", 1,
	    NULL, &name, NULL, NULL, 0);
	ck_assert_int_eq(PQresultStatus(res), PGRES_COMMAND_OK);
	PQclear(res);
	res = PQexec(db, "SELECT epoch, n FROM anvil_event_flush(1)");
	ck_assert_int_eq(PQresultStatus(res), PGRES_TUPLES_OK);
	c = clock_of(PQgetvalue(res, 0, 0), PQgetvalue(res, 0, 1));
	PQclear(res);
	res = PQexec(db, "COMMIT");
	ck_assert_int_eq(PQresultStatus(res), PGRES_COMMAND_OK);
	PQclear(res);
	return c;
}

/* After each acknowledged change both regions are read; now and then something ends at the wrong moment. */
START_TEST(test_never_stale)
{
	pthread_t fillers[4];
	int hits = 0, reads = 0, late = 0;
	struct arena *values = arena_new(1 << 20);
	int64_t waited;
	PGconn *db = connect_db();

	for (int i = 0; i < KEYS; i++) {
		snprintf(key_names[i], sizeof(key_names[i]), "key-%d", i);
		keys[i] = (struct cache_key){ EVENT_KIND_BUCKET, span_of(key_names[i]) };
		sql(arena_printf(arena, "INSERT INTO buckets (name, region, tenant_id) SELECT '%s', 'eu', id FROM tenants", key_names[i]));
	}
	start(&reg[EU]);
	start(&reg[US]);
	both_trusted();
	atomic_store(&filling, true);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(pthread_create(&fillers[i], NULL, fill_run, &reg[i % 2]), 0);
	for (int i = 0; i < 1500; i++) {
		const struct cache_key *k = &keys[i % KEYS];
		struct event_clock c = change_key(db, key_names[i % KEYS]);

		if (i % 500 == 100)
			scratch_memcached_verb(sc, US, "restart");
		if (i % 500 == 200)
			stop(&reg[US]);
		if (i % 500 == 202)
			start(&reg[US]);
		late += !acked(&c, &waited);
		for (int r = 0; r < 2; r++) {
			struct cache_value v;

			cache_get(reg[r].th, values, k, 1, &v);
			reads++;
			hits += v.hit;
			ck_assert_msg(!v.hit || v.clock.n >= c.n, "%s: change %d acknowledged at %" PRIu64 ", then served as of %" PRIu64,
			    reg[r].name, i, c.n, v.clock.n);
		}
		arena_reset(values);
	}
	arena_free(values);
	atomic_store(&filling, false);
	for (int i = 0; i < 4; i++)
		pthread_join(fillers[i], NULL);
	PQfinish(db);
	fprintf(stderr, "reads=%d hits=%d changes acknowledged by W alone=%d\n", reads, hits, late);
	ck_assert_int_gt(hits, 20);
}
END_TEST

/* ---- messages that are not what they seem ---- */

static struct message
say(enum message_type type)
{
	struct message m = { .type = type, .sender = "us", .seq = 1 };

	memset(m.boot, 0x55, BOOT_LEN);
	memset(m.nonce, 0x66, NONCE_LEN);
	return m;
}

static struct strbuf
signed_with(const struct message *m, const uint8_t *key)
{
	struct strbuf sb;

	strbuf_init(&sb, arena, MESSAGE_MAX);
	message_encode(&sb, m, key);
	return sb;
}

/* 1 answered rightly, 0 no answer. */
static int
ask(nng_socket s, const struct strbuf *q)
{
	struct message a;
	nng_msg *msg;
	int ok;

	ck_assert_int_eq(nng_send(s, q->buf, q->len, 0), 0);
	if (nng_recvmsg(s, &msg, 0) != 0)
		return 0;
	ok = message_decode(nng_msg_body(msg), nng_msg_len(msg), reg[EU].inv->key, arena, &a) == MESSAGE_OK;
	nng_msg_free(msg);
	return ok;
}

START_TEST(test_questions_forged_and_replayed)
{
	struct message q = say(MSG_ASK_CLOCK);
	uint8_t wrong[MESSAGE_KEY_LEN] = { 1 };
	int64_t refused;
	struct strbuf sb;
	nng_socket s;

	start(&reg[EU]);
	WITHIN(SLOW, trusted(&reg[EU]));
	ck_assert_int_eq(nng_req0_open(&s), 0);
	nng_socket_set_ms(s, NNG_OPT_RECVTIMEO, 200);
	ck_assert_int_eq(nng_dial(s, reg[EU].listen[1], NULL, 0), 0);
	refused = metric_get(M_INV_REFUSED);
	sb = signed_with(&q, wrong);
	ck_assert_int_eq(ask(s, &sb), 0);
	char junk[] = "x";
	ck_assert_int_eq(nng_send(s, junk, 1, 0), 0);
	WITHIN(SLOW, metric_get(M_INV_REFUSED) >= refused + 2);
	sb = signed_with(&q, reg[EU].inv->key);
	ck_assert_int_eq(ask(s, &sb), 1);
	ck_assert_int_eq(ask(s, &sb), 0); /* the same again */
	q.seq = 2;
	sb = signed_with(&q, reg[EU].inv->key);
	ck_assert_int_eq(ask(s, &sb), 1);
	ck_assert_int_eq(metric_get(M_INV_REFUSED), refused + 3);
	nng_close(s);
}
END_TEST

START_TEST(test_published_forged_and_replayed)
{
	struct event_clock c, high;
	struct message m = say(MSG_ACK);
	char *pub = arena_printf(arena, "ipc://%s/evil-pub", scratch_dir(sc));
	nng_socket p, spy;
	struct strbuf sb;
	nng_msg *recorded;
	int64_t refused, waited;
	uint8_t key[MESSAGE_KEY_LEN];

	ck_assert_int_eq(nng_pub0_open(&p), 0);
	ck_assert_int_eq(nng_listen(p, pub, NULL, 0), 0);
	start(&reg[US]);
	ck_assert_int_eq(nng_sub0_open(&spy), 0);
	nng_socket_set(spy, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	ck_assert_int_eq(nng_dial(spy, reg[US].listen[0], NULL, 0), 0);
	ck_assert_int_eq(nng_recvmsg(spy, &recorded, 0), 0); /* something that us once said */
	/* The row of a region leads to somebody who does not hold the secret. */
	sql(arena_printf(arena, "INSERT INTO regions (name, endpoint, inv_pub, inv_rep) VALUES ('xx', 'http://127.0.0.1:9', '%s', '%s')",
	    pub, reg[US].listen[1]));
	start(&reg[EU]);
	both_trusted();
	c = clock_now();
	ck_assert(acked(&c, &waited));
	memcpy(key, reg[EU].inv->key, sizeof(key));
	high = c;
	high.n += 1000;
	m.clock = high;

	/* Forged, and from a process that nobody introduced. */
	refused = metric_get(M_INV_REFUSED);
	key[0] ^= 1;
	sb = signed_with(&m, key);
	for (int i = 0; i < 5; i++) {
		ck_assert_int_eq(nng_send(p, sb.buf, sb.len, 0), 0);
		clock_sleep_us(20 * MS);
	}
	WITHIN(SLOW, metric_get(M_INV_REFUSED) > refused);
	key[0] ^= 1;
	m.seq = 2;
	sb = signed_with(&m, key);
	ck_assert_int_eq(nng_send(p, sb.buf, sb.len, 0), 0);
	/* A recording of one that is known. */
	refused = metric_get(M_INV_REFUSED);
	ck_assert_int_eq(nng_send(p, nng_msg_body(recorded), nng_msg_len(recorded), 0), 0);
	WITHIN(SLOW, metric_get(M_INV_REFUSED) == refused + 1);
	nng_msg_free(recorded);
	static const char *const only_us[] = { "us", NULL };
	bool all;
	reg[EU].cache->ack_us = 300 * MS;
	wait_acks(reg[EU].th, &high, only_us, "eu", false, &all);
	ck_assert(!all);
	nng_close(p);
	nng_close(spy);
}
END_TEST

/* ---- the program ---- */

static int
run_program(const char *conf, const char *more)
{
	const char *build = getenv("ANVIL_BUILDDIR");
	int st = system(arena_printf(arena, "'%s/anvil-invalidator' -c '%s' %s 2>>'%s/stderr'", build == NULL ? "." : build, conf,
	    more, scratch_dir(sc)));

	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

START_TEST(test_program)
{
	const char *d = scratch_dir(sc);
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	char *conf, *pid_file = arena_printf(arena, "%s/pid", d), *log = arena_printf(arena, "%s/program.log", d), got[256];
	int64_t pid;
	ssize_t n;
	int fd;

	conf = conf_of(&reg[EU], "program", reg[EU].listen[0], reg[EU].listen[1], "");
	snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/notify", d);
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&sa, sizeof(sa)), 0);
	setenv("NOTIFY_SOCKET", sa.sun_path, 1);
	setenv("WATCHDOG_USEC", "200000", 1);
	ck_assert_int_eq(run_program(conf, "--nonsense"), 2);
	ck_assert_int_eq(run_program("/nonexistent", ""), 78);
	ck_assert_int_eq(run_program(conf, arena_printf(arena, "--pid-file '%s'", pid_file)), 0);
	ck_assert(parse_i64((struct span){ read_file(pid_file), strcspn(read_file(pid_file), "\n") }, 2, INT_MAX, &pid));
	n = recv(fd, got, sizeof(got), 0);
	ck_assert_int_eq(n, 7);
	ck_assert_mem_eq(got, "READY=1", 7);
	WITHIN(SLOW, trusted(&reg[EU]));
	do
		n = recv(fd, got, sizeof(got) - 1, 0);
	while (n > 0 && memcmp(got, "WATCHDOG=1", 10) != 0);
	ck_assert_int_gt(n, 0);
	/* The address is taken: told, not hung. */
	ck_assert_int_eq(run_program(conf, arena_printf(arena, "--pid-file '%s2'", pid_file)), 1);
	ck_assert_ptr_nonnull(strstr(read_file(arena_printf(arena, "%s/stderr", d)), "invalidator_listen"));
	ck_assert_int_eq(rename(log, arena_printf(arena, "%s.old", log)), 0);
	kill((pid_t)pid, SIGHUP);
	clock_sleep_us(700 * MS);
	kill((pid_t)pid, SIGTERM);
	WITHIN(SLOW, access(pid_file, F_OK) != 0);
	WITHIN(SLOW, kill((pid_t)pid, 0) != 0);
	ck_assert_ptr_nonnull(strstr(read_file(log), "ev=stop"));
	ck_assert_ptr_nonnull(strstr(read_file(arena_printf(arena, "%s.old", log)), "ev=start"));
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("invalidation");
	TCase *t = tcase_create("whole"), *said = tcase_create("reports");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 180);
	tcase_add_test(t, test_end_to_end);
	tcase_add_test(t, test_restart_of_memcached_and_new_epoch);
	tcase_add_test(t, test_memcached_without_cas);
	tcase_add_test(t, test_cut_off_and_back);
	tcase_add_test(t, test_without_a_database);
	tcase_add_test(t, test_two_in_one_region);
	tcase_add_test(t, test_region_that_leaves);
	tcase_add_test(t, test_never_stale);
	tcase_add_test(t, test_questions_forged_and_replayed);
	tcase_add_test(t, test_published_forged_and_replayed);
	tcase_add_test(t, test_program);
	suite_add_tcase(s, t);
	tcase_add_checked_fixture(said, setup, teardown);
	tcase_set_timeout(said, 300);
	tcase_add_test(said, test_report);
	tcase_add_test(said, test_places_of_reports);
	suite_add_tcase(s, said);
	return run_suite(s);
}
