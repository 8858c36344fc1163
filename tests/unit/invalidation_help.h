/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/invalidation_help.h - two regions of a test's own: a global database
 * with their rows, memcached each, invalidators to be started in this process or
 * as programs, and the caches that workers would read.
 */
#ifndef ANVIL_TESTS_INVALIDATION_HELP_H
#define ANVIL_TESTS_INVALIDATION_HELP_H

#include "base/base.h"

#include <check.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/metrics.h"
#include "base/parse.h"
#include "invalidator/inv.h"
#include "meta/cache_impl.h"
#include "meta/migrate.h"
#include "tests/unit/ack_help.h"
#include "tests/lib/scratch.h"
#include "tests/unit/suite_help.h"

#define S US_PER_S
#define MS US_PER_MS
#define EU 0
#define US 1
#define SECRET "0123456789abcdef0123456789abcdef0123456789abcdef"
#define SLOW (10 * S) /* when a machine is busy: a limit, not a wait */

static struct scratch *pg; /* one server for all tests, a database each */
static struct scratch *sc;
static char database[40];
static int databases; /* with CK_FORK=no one process makes them all */
static const char *dsn;
static struct region_of {
	const char *name;
	struct settings set;
	const char *memcached[3], *listen[3], *peers[3];
	struct inv *inv;
	struct cache *cache;
	struct cache_thread *th;
} reg[2];
static struct arena *arena;
static const struct cache_key KEY = { EVENT_KIND_BUCKET, { "photos", 6 } };

static inline void
settings_of(struct region_of *r, const char *name)
{
	char *listen;

	memset(r, 0, sizeof(*r));
	r->name = name;
	r->memcached[0] = scratch_memcached(sc, NULL);
	listen = arena_printf(arena, "ipc://%s/%s-pub", scratch_dir(sc), name);
	r->listen[0] = listen;
	r->listen[1] = arena_printf(arena, "ipc://%s/%s-rep", scratch_dir(sc), name);
	r->set.region = name;
	r->set.memcached = r->memcached;
	r->set.invalidator_listen = r->listen;
	r->set.invalidator_peers = r->peers;
	r->set.invalidator_tls_cert_file = r->set.invalidator_tls_key_file = r->set.invalidator_tls_ca_file = "";
	r->set.metadata_events_keep_s = 3600;
	r->set.metadata_events_silent_s = 86400;
	r->set.metadata_events_max = 1000000;
	r->set.invalidator_advertise = r->set.memcached_user = r->set.memcached_password_file = "";
	r->set.global_dsn = dsn;
	r->set.db_timeout_ms = 1000;
	r->set.db_connect_timeout_s = 1;
	r->set.cache_timeout_ms = 200;
	r->set.cache_retry_ms = 200;
	r->set.metadata_trust_ms = 1500;
	r->set.metadata_beat_ms = 100;
	r->set.metadata_ack_ms = 2000;
	/* What base/settings.c makes of the secret that conf_of() writes. */
	hmac_sha256("anvil cluster", 13, SECRET, strlen(SECRET), r->set.cluster_secret);
}

static inline void
start(struct region_of *r)
{
	struct err err = { 0 };

	ck_assert_msg(inv_open(&r->set, &r->inv, &err) == 0, "%s", err.detail);
}

static inline void
stop(struct region_of *r)
{
	if (r->inv != NULL)
		inv_close(r->inv);
	r->inv = NULL;
}

static inline void
open_cache(struct region_of *r)
{
	struct err err = { 0 };

	ck_assert_msg(cache_open(&r->set, &r->cache, &err) == 0, "%s", err.detail);
	ck_assert(cache_start(r->cache, &err) == 0);
	ck_assert(cache_thread_new(r->cache, &r->th, &err) == 0);
}

static inline void
sql(const char *text)
{
	ck_assert_msg(scratch_sql(pg, database, text), "%s", text);
}

static inline struct event_clock
clock_now(void)
{
	struct event_clock c;
	char hex[40] = { 0 }, n[32] = { 0 };
	const char *line = scratch_query(pg, database, "SELECT replace(epoch::text, '-', '') || ' ' || n FROM event_clock");
	int64_t v;

	ck_assert_int_eq(sscanf(line, "%32s %31s", hex, n), 2);
	ck_assert(hex_decode(span_of(hex), c.epoch, EPOCH_LEN));
	ck_assert(parse_i64(span_of(n), 1, INT64_MAX, &v));
	c.n = (uint64_t)v;
	return c;
}

static inline void
setup(void)
{
	struct err err = { 0 };
	int applied;

	arena = arena_new(8 << 20);
	sc = scratch_new();
	snprintf(database, sizeof(database), "global_%ld_%d", (long)getpid(), ++databases);
	dsn = scratch_database(pg, database);
	settings_of(&reg[EU], "eu");
	settings_of(&reg[US], "us");
	ck_assert_msg(migrate_apply(&reg[EU].set, 'g', &applied, &err) == 0, "%s", err.detail);
	for (int i = 0; i < 2; i++)
		sql(arena_printf(arena, "INSERT INTO regions (name, endpoint, inv_pub, inv_rep) VALUES ('%s', 'http://127.0.0.1:%d', '%s', '%s')",
		    reg[i].name, 1000 + i, reg[i].listen[0], reg[i].listen[1]));
	sql("INSERT INTO tenants (name, canonical_id) VALUES ('t', repeat('a', 64));"
	    "INSERT INTO buckets (name, region, tenant_id) SELECT 'photos', 'eu', id FROM tenants");
	open_cache(&reg[EU]);
	open_cache(&reg[US]);
}

static inline void
teardown(void)
{
	for (int i = 0; i < 2; i++) {
		stop(&reg[i]);
		cache_thread_free(reg[i].th);
		cache_close(reg[i].cache);
	}
	scratch_free(sc);
	arena_free(arena);
}

static inline struct cache_value
get(struct region_of *r)
{
	struct cache_value v;

	cache_get(r->th, arena, &KEY, 1, &v);
	return v;
}

static inline int
trusted_pages(struct region_of *r)
{
	struct cache_status st;
	struct err err = { 0 };

	ck_assert(cache_status(r->th, arena, NULL, 0, &st, &err) == 0);
	return st.servers[0].trusted_pages;
}

static inline bool
trusted(struct region_of *r)
{
	return trusted_pages(r) == CACHE_PAGES;
}

#define WITHIN(limit_us, cond)                                                                     \
	do {                                                                                       \
		int64_t until_us = clock_mono_us() + (limit_us);                                   \
		while (!(cond) && clock_mono_us() < until_us)                                      \
			clock_sleep_us(MS);                                                        \
		ck_assert_msg(cond, "not within %" PRId64 " us: %s", (int64_t)(limit_us), #cond);  \
	} while (0)

static inline void
both_trusted(void)
{
	WITHIN(SLOW, trusted(&reg[EU]));
	WITHIN(SLOW, trusted(&reg[US]));
}

static inline void
fill(struct region_of *r)
{
	struct event_clock c = clock_now();

	WITHIN(SLOW, (cache_set(r->th, &KEY, &c, false, SPAN("row")), get(r).hit));
}

static inline bool
acked(const struct event_clock *c, int64_t *waited)
{
	static const char *const both[] = { "eu", "us", NULL };
	bool all;

	*waited = wait_acks(reg[EU].th, c, both, "eu", false, &all);
	return all;
}

static inline void
change(void)
{
	sql("UPDATE buckets SET routing_mode = CASE routing_mode WHEN '' THEN 'relay' ELSE '' END WHERE name = 'photos'");
}

static inline void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	ck_assert(f != NULL && fputs(text, f) >= 0 && fclose(f) == 0);
}

/* Its text, at most 1 MiB, until the next call; it is polled. */
static inline char *
read_file(const char *path)
{
	static char text[1 << 20];
	FILE *f = fopen(path, "re");
	size_t n = f == NULL ? 0 : fread(text, 1, sizeof(text) - 1, f);

	text[n] = '\0';
	if (f != NULL)
		fclose(f);
	return text;
}

/* Starts a program of the build; its words go to the scratch folder. */
static inline pid_t
spawn(const char *program, const char *conf)
{
	const char *build = getenv("ANVIL_BUILDDIR");
	char *path = arena_printf(arena, "%s/%s", build == NULL ? "." : build, program);
	char *said = arena_printf(arena, "%s/stderr", scratch_dir(sc));
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (freopen(said, "a", stderr) != NULL)
			execl(path, program, "-c", conf, (char *)NULL);
		_exit(127);
	}
	return pid;
}

/* Ends it with the signal, and waits. Returns its exit status, -1 when the signal ended it. */
static inline int
end_process(pid_t pid, int sig)
{
	int st;

	kill(pid, sig);
	if (sig != SIGKILL)
		kill(pid, SIGCONT);
	ck_assert_int_eq(waitpid(pid, &st, 0), pid);
	if (sig != SIGKILL && st != 0)
		fputs(read_file(arena_printf(arena, "%s/stderr", scratch_dir(sc))), stderr);
	return WIFEXITED(st) ? WEXITSTATUS(st) : -1;
}

/* A settings file for an invalidator of region r at these addresses; its log is `name`.log in the scratch folder. */
static inline char *
conf_of(const struct region_of *r, const char *name, const char *pub, const char *rep, const char *more)
{
	const char *d = scratch_dir(sc);
	char *conf = arena_printf(arena, "%s/%s.conf", d, name), *state = arena_printf(arena, "%s/%s.state", d, name);

	write_file(arena_printf(arena, "%s/secret", d), SECRET "\n");
	write_file(arena_printf(arena, "%s/key", d), "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n");
	ck_assert_int_eq(chmod(arena_printf(arena, "%s/key", d), 0600), 0);
	ck_assert_int_eq(chmod(arena_printf(arena, "%s/secret", d), 0600), 0);
	ck_assert(mkdir(state, 0700) == 0 || errno == EEXIST);
	write_file(conf, arena_printf(arena,
	    "region = \"%s\"\nglobal_dsn = \"%s\"\nregional_dsn = \"%s\"\nmemcached = { \"%s\" }\nstore_dir = \"%s\"\nstate_dir = \"%s\"\n"
	    "invalidator_listen = { \"%s\", \"%s\" }\ncluster_secret_file = \"%s/secret\"\nmaster_key_file = \"%s/key\"\n"
	    "metadata_beat_ms = 100\nmetadata_trust_ms = 1500\nmetadata_ack_ms = 2000\nlog_file = \"%s/%s.log\"\n%s", r->name, r->set.global_dsn,
	    r->set.global_dsn, r->memcached[0], d, state, pub, rep, d, d, d, name, more));
	return conf;
}

static inline char *
log_of(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.log", scratch_dir(sc), name);
	return read_file(path);
}

static inline int
lines_with(const char *text, const char *what)
{
	int n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at += strlen(what))
		n++;
	return n;
}

/* Runs the cases of one suite; one PostgreSQL serves them all. */
static inline int
run_suite(Suite *s)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	pg = scratch_new();
	(void)scratch_pg(pg, NULL);
	status = suite_run(s);
	scratch_free(pg);
	return status;
}

#endif
