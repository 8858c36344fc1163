/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/bench/metadata_probe.c - what tests/bench/metadata measures where Python
 * would be slower than what is measured: look-ups and changes on meta/ itself,
 * as a worker does them. Times are microseconds of the monotonic clock.
 *
 * Owns:      what it opens; SQL comes from the caller.
 * Prints:    a line a distribution: NAME n=... p50=... p99=... max=... mean=...
 */
#include "base/base.h"

#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/parse.h"
#include "meta/ack.h"
#include "meta/registry.h"

#define SAMPLES_MAX 1000000
#define KEYS_MAX 16384
#define THREADS_MAX 256
#define REGIONS_MAX 16
#define GIVE_UP_US (120 * US_PER_S)

_Noreturn static void PRINTF_LIKE(1, 2)
die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("metadata_probe: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static int64_t
number(const char *text)
{
	int64_t n;

	if (!parse_i64(span_of(text), 0, INT64_MAX, &n))
		die("\"%s\" is not a number", text);
	return n;
}

/* ---- distributions ---- */

struct samples {
	int64_t *us;
	size_t n, max;
};

static struct samples
samples_new(struct arena *a, size_t max)
{
	struct samples s = { arena_array(a, max, sizeof(int64_t)), 0, max };

	ASSERT(s.us != NULL);
	return s;
}

static void
sample(struct samples *s, int64_t us)
{
	if (s->n < s->max)
		s->us[s->n++] = us < 0 ? 0 : us;
}

static int
by_size(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int64_t
at_permille(const struct samples *s, size_t permille)
{
	size_t i = s->n * permille / 1000;

	return s->us[i < s->n ? i : s->n - 1];
}

static void
samples_print(const char *name, struct samples *s)
{
	int64_t sum = 0;

	if (s->n == 0) {
		printf("%s n=0\n", name);
		return;
	}
	qsort(s->us, s->n, sizeof(*s->us), by_size);
	for (size_t i = 0; i < s->n; i++)
		sum += s->us[i];
	printf("%s n=%zu min=%" PRId64 " p50=%" PRId64 " p90=%" PRId64 " p99=%" PRId64 " p999=%" PRId64 " max=%" PRId64
	    " mean=%" PRId64 "\n", name, s->n, s->us[0], at_permille(s, 500), at_permille(s, 900), at_permille(s, 990),
	    at_permille(s, 999), s->us[s->n - 1], sum / (int64_t)s->n);
}

/* ---- a region's reader ---- */

struct probe {
	struct settings *settings;
	struct meta *meta;
	struct meta_thread *thread;
	struct arena *arena; /* of one look-up */
};

static void
probe_open(struct probe *p, const char *conf)
{
	struct err err = { 0 };

	if (settings_load(conf, &p->settings, &err) != 0 || meta_open(p->settings, META_CACHE, &p->meta, &err) != 0 ||
	    meta_thread_new(p->meta, &p->thread, &err) != 0)
		die("%s: %s", conf, err.detail);
	p->arena = arena_new(8 << 20);
}

static void
probe_close(struct probe *p)
{
	arena_free(p->arena);
	meta_thread_free(p->thread);
	meta_close(p->meta);
	settings_free(p->settings);
}

/* One look-up; what it cost. A failure is the end: nothing is broken on purpose here. */
static struct meta_spent
find(struct meta_thread *t, struct arena *a, const char *key, const char *bucket, struct meta_found *out)
{
	struct err err = { 0 };

	arena_reset(a);
	*meta_spent(t) = (struct meta_spent){ 0 };
	if (meta_find(t, a, key, bucket, out, &err) != 0)
		die("%s: %s", key, err.detail);
	return *meta_spent(t);
}

static bool
all_trusted(struct meta_thread *t, struct arena *a)
{
	static const char *const no_regions[] = { NULL };
	struct cache_status st;
	struct err err = { 0 };
	bool all = cache_status(registry_cache(t), a, no_regions, 0, &st, &err) == 0;

	for (size_t i = 0; all && i < st.n_servers; i++)
		all = st.servers[i].trusted_pages == CACHE_PAGES;
	return all;
}

/* Until every page is trusted by this process, and a look-up needs no database. */
static void
wait_for_trust(struct meta_thread *t, struct arena *a, const char *key)
{
	int64_t give_up = clock_mono_us() + GIVE_UP_US;
	struct meta_found found;

	while (find(t, a, key, NULL, &found).global_queries != 0 || !all_trusted(t, a)) {
		if (clock_mono_us() > give_up)
			die("the cache is not trusted");
		clock_sleep_us(10 * US_PER_MS);
	}
}

/* ---- a client of the database ---- */

static PGconn *
connect_to(const char *dsn, const char *sql)
{
	PGconn *c = PQconnectdb(dsn);
	PGresult *r;

	if (PQstatus(c) != CONNECTION_OK)
		die("%s", PQerrorMessage(c));
	r = PQprepare(c, "change", sql, 1, NULL);
	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		die("%s", PQerrorMessage(c));
	PQclear(r);
	return c;
}

/* The statement with a number as $1. What it gave in its first column, or 0. */
static int64_t
change(PGconn *c, int64_t turn)
{
	char text[24];
	const char *values[] = { text };
	int64_t n = 0;
	PGresult *r;

	snprintf(text, sizeof(text), "%" PRId64, turn);
	r = PQexecPrepared(c, "change", 1, values, NULL, NULL, 0);
	if (PQresultStatus(r) != PGRES_COMMAND_OK && PQresultStatus(r) != PGRES_TUPLES_OK)
		die("%s", PQerrorMessage(c));
	if (PQntuples(r) > 0)
		n = number(PQgetvalue(r, 0, 0));
	PQclear(r);
	return n;
}

/* ---- commit: from COMMIT to another region's readers ---- */

struct watching {
	struct probe p;
	const char *key;
	atomic_bool stop;
	_Atomic int64_t seen, began, ended; /* the newest name, and the first look-up that gave it */
	_Atomic int64_t back;               /* look-ups that gave an older one than before */
};

static int64_t
turn_of(const struct meta_found *found)
{
	int64_t turn;

	return found->has_app && parse_i64(span_of(found->app.name), 0, INT64_MAX, &turn) ? turn : 0;
}

static void *
watch_name(void *arg)
{
	struct watching *w = arg;
	struct meta_found found;

	while (!atomic_load(&w->stop)) {
		int64_t began = clock_mono_us(), turn;

		find(w->p.thread, w->p.arena, w->key, NULL, &found);
		turn = turn_of(&found);
		if (turn > atomic_load(&w->seen)) {
			atomic_store(&w->began, began);
			atomic_store(&w->ended, clock_mono_us());
			atomic_store(&w->seen, turn);
		} else if (turn < atomic_load(&w->seen)) {
			atomic_fetch_add(&w->back, 1);
		}
		clock_sleep_us(50);
	}
	return NULL;
}

/* CONF DSN SQL KEY COUNT: the app's name becomes $1; a reader of CONF's region looks. */
static int
measure_commit(char **arg)
{
	int64_t count = number(arg[4]), first;
	struct arena *a = arena_new((size_t)count * 4 * sizeof(int64_t) + 4096);
	struct samples commit = samples_new(a, (size_t)count), refused = samples_new(a, (size_t)count),
	    seen = samples_new(a, (size_t)count);
	struct watching w = { .key = arg[3] };
	PGconn *c = connect_to(arg[1], arg[2]);
	struct meta_found found;
	pthread_t reader;

	probe_open(&w.p, arg[0]);
	wait_for_trust(w.p.thread, w.p.arena, w.key);
	find(w.p.thread, w.p.arena, w.key, NULL, &found);
	first = turn_of(&found) + 1;
	if (pthread_create(&reader, NULL, watch_name, &w) != 0)
		die("no thread");
	for (int64_t i = first; i < first + count; i++) {
		int64_t sent = clock_mono_us(), committed;

		change(c, i);
		committed = clock_mono_us();
		while (atomic_load(&w.seen) < i) {
			if (clock_mono_us() - committed > GIVE_UP_US)
				die("change %" PRId64 " was never seen", i);
			clock_sleep_us(200);
		}
		sample(&commit, committed - sent);
		sample(&refused, atomic_load(&w.began) - committed);
		sample(&seen, atomic_load(&w.ended) - committed);
		clock_sleep_us((5 + i * 7 % 31) * US_PER_MS); /* no step with the beats */
	}
	atomic_store(&w.stop, true);
	pthread_join(reader, NULL);
	samples_print("commit", &commit);
	samples_print("refused", &refused);
	samples_print("seen", &seen);
	printf("back n=%" PRId64 "\n", atomic_load(&w.back));
	probe_close(&w.p);
	PQfinish(c);
	arena_free(a);
	return 0;
}

/* ---- wait: what a writer who wants to be sure waits ---- */

/* CONF KEY COUNT: the app is disabled and enabled again. */
static int
measure_wait(char **arg)
{
	int64_t count = number(arg[2]), silent = 0;
	struct arena *a = arena_new((size_t)count * 3 * sizeof(int64_t) + 4096);
	struct samples all = samples_new(a, (size_t)count), waited = samples_new(a, (size_t)count);
	const struct registry_change *ch;
	struct err err = { 0 };
	struct probe p;

	probe_open(&p, arg[0]);
	wait_for_trust(p.thread, p.arena, arg[1]);
	for (int64_t i = 0; i < count; i++) {
		int64_t began = clock_mono_us();

		if (registry_app_enable(p.thread, arg[1], (i & 1) != 0, &err) != 0)
			die("%s", err.detail);
		ch = registry_last_change(p.thread);
		sample(&all, clock_mono_us() - began);
		sample(&waited, ch->waited_us);
		silent += !ch->acknowledged;
		clock_sleep_us((5 + i * 7 % 31) * US_PER_MS);
	}
	samples_print("change", &all);
	samples_print("wait", &waited);
	printf("unacknowledged n=%" PRId64 "\n", silent);
	probe_close(&p);
	arena_free(a);
	return 0;
}

/* ---- read: hot look-ups, quiet and beside changes ---- */

struct key {
	const char *app, *bucket;
};

/* Lines "APP BUCKET" or "APP". */
static size_t
read_keys(const char *path, struct arena *a, struct key **out)
{
	FILE *f = fopen(path, "re");
	char line[512];
	size_t n = 0;

	if (f == NULL)
		die("%s: %s", path, strerror(errno));
	*out = arena_array(a, KEYS_MAX, sizeof(**out));
	ASSERT(*out != NULL);
	while (n < KEYS_MAX && fgets(line, (int)sizeof(line), f) != NULL) {
		char *blank;

		line[strcspn(line, "\n")] = '\0';
		blank = strchr(line, ' ');
		if (blank != NULL)
			*blank = '\0';
		(*out)[n].app = arena_strdup(a, line);
		(*out)[n++].bucket = blank == NULL ? NULL : arena_strdup(a, blank + 1);
	}
	fclose(f);
	if (n == 0)
		die("%s: no keys", path);
	return n;
}

struct reading {
	struct probe *p;
	const struct key *keys;
	size_t n_keys, first;
	int64_t every_us;
	struct samples samples;
	atomic_bool *stop;
	int64_t queries, misses, trips;
};

static void *
read_hot(void *arg)
{
	struct reading *r = arg;
	struct arena *a = arena_new(8 << 20);
	struct meta_thread *t;
	struct meta_found found;
	struct err err = { 0 };
	int64_t next = clock_mono_us();

	if (meta_thread_new(r->p->meta, &t, &err) != 0)
		die("%s", err.detail);
	for (size_t i = 0; i < r->n_keys; i++) /* its connection, and every key in the cache */
		find(t, a, r->keys[i].app, r->keys[i].bucket, &found);
	for (size_t i = r->first; !atomic_load(r->stop); i++) {
		const struct key *k = &r->keys[i % r->n_keys];
		int64_t began = clock_mono_us();
		struct meta_spent s = find(t, a, k->app, k->bucket, &found);

		sample(&r->samples, clock_mono_us() - began);
		r->queries += s.global_queries;
		r->misses += s.global_queries != 0;
		r->trips += s.cache_round_trips;
		next += r->every_us;
		if (r->every_us != 0 && next > clock_mono_us())
			clock_sleep_us(next - clock_mono_us());
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

struct changing {
	PGconn *conn;
	int64_t every_us, turns;
	atomic_bool *stop;
};

static void *
change_often(void *arg)
{
	struct changing *c = arg;
	int64_t next = clock_mono_us();

	while (!atomic_load(c->stop)) {
		change(c->conn, ++c->turns);
		next += c->every_us;
		if (next > clock_mono_us())
			clock_sleep_us(next - clock_mono_us());
	}
	return NULL;
}

/* One phase of look-ups by some threads, with changes when c is given. */
static void
phase(const char *name, struct probe *p, const struct key *keys, size_t n_keys, size_t threads, int64_t rate, int64_t seconds,
    struct changing *c)
{
	size_t max = SAMPLES_MAX / threads;
	struct arena *a = arena_new((SAMPLES_MAX * 2 + 4096) * sizeof(int64_t));
	struct samples all = samples_new(a, SAMPLES_MAX);
	struct reading r[THREADS_MAX];
	pthread_t id[THREADS_MAX], changer;
	atomic_bool stop = false;
	int64_t queries = 0, misses = 0, trips = 0, turns = c == NULL ? 0 : c->turns;

	for (size_t i = 0; i < threads; i++) {
		r[i] = (struct reading){ p, keys, n_keys, i * 7, rate == 0 ? 0 : US_PER_S * (int64_t)threads / rate,
			samples_new(a, max), &stop, 0, 0, 0 };
		if (pthread_create(&id[i], NULL, read_hot, &r[i]) != 0)
			die("no thread");
	}
	if (c != NULL) {
		c->stop = &stop;
		if (pthread_create(&changer, NULL, change_often, c) != 0)
			die("no thread");
	}
	clock_sleep_us(seconds * US_PER_S);
	atomic_store(&stop, true);
	for (size_t i = 0; i < threads; i++) {
		pthread_join(id[i], NULL);
		for (size_t k = 0; k < r[i].samples.n; k++)
			sample(&all, r[i].samples.us[k]);
		queries += r[i].queries;
		misses += r[i].misses;
		trips += r[i].trips;
	}
	if (c != NULL)
		pthread_join(changer, NULL);
	samples_print(name, &all);
	printf("%s.cost n=%zu queries=%" PRId64 " misses=%" PRId64 " round_trips=%" PRId64 " turns=%" PRId64 "\n", name, all.n,
	    queries, misses, trips, c == NULL ? 0 : c->turns - turns);
	fflush(stdout);
	arena_free(a);
}

/* CONF KEYS THREADS RATE SECONDS [ROUNDS DSN SQL PER_SECOND]: phases "quiet" and, when SQL is given, "changing", in turns. */
static int
measure_read(char **arg)
{
	struct arena *a = arena_new(4 << 20);
	size_t threads = (size_t)number(arg[2]);
	int64_t rounds = arg[5] == NULL ? 1 : number(arg[5]);
	struct changing c = { NULL };
	struct probe p;
	struct key *keys;
	size_t n = read_keys(arg[1], a, &keys);

	if (threads == 0 || threads > THREADS_MAX)
		die("1 to %d threads", THREADS_MAX);
	probe_open(&p, arg[0]);
	wait_for_trust(p.thread, p.arena, keys[0].app);
	if (arg[5] != NULL) {
		c.conn = connect_to(arg[6], arg[7]);
		c.every_us = US_PER_S / number(arg[8]);
	}
	for (int64_t i = 0; i < rounds; i++) {
		phase("quiet", &p, keys, n, threads, number(arg[3]), number(arg[4]), NULL);
		if (c.conn != NULL)
			phase("changing", &p, keys, n, threads, number(arg[3]), number(arg[4]), &c);
	}
	if (c.conn != NULL)
		PQfinish(c.conn);
	probe_close(&p);
	arena_free(a);
	return 0;
}

static void
nothing(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	(void)i;
	(void)p;
	(void)len;
	(void)cas;
	++*(size_t *)arg;
}

/* CONF SECONDS: the limit: one multi-get of four items, and nothing made of them. */
static int
measure_limit(char **arg)
{
	struct arena *a = arena_new((SAMPLES_MAX + 4096) * sizeof(int64_t));
	struct samples s = samples_new(a, SAMPLES_MAX);
	struct cache_servers *servers;
	struct settings *set;
	struct mc_key keys[4];
	struct err err = { 0 };
	struct mc *mc;
	int64_t end;
	size_t got = 0;

	if (settings_load(arg[0], &set, &err) != 0 || cache_servers_open(set, &servers, &err) != 0)
		die("%s", err.detail);
	mc = mc_new(servers, 0, true);
	for (unsigned i = 0; i < ARRAY_LEN(keys); i++)
		keys[i].len = cache_key_page(keys[i].text, set->region, i);
	end = clock_mono_us() + number(arg[1]) * US_PER_S;
	while (clock_mono_us() < end) {
		int64_t began = clock_mono_us();

		if (mc_gets(mc, keys, ARRAY_LEN(keys), nothing, &got) != MC_OK)
			die("memcached: %s", mc_error(mc));
		sample(&s, clock_mono_us() - began);
	}
	samples_print("multiget", &s);
	mc_free(mc);
	cache_servers_close(servers);
	settings_free(set);
	arena_free(a);
	return 0;
}

/* ---- stampede: many threads of several processes, one cold key ---- */

struct stampede { /* shared by the processes */
	pthread_barrier_t start;
	_Atomic int64_t queries[KEYS_MAX];
	_Atomic size_t n_us;
	int64_t us[SAMPLES_MAX / 16];
};
struct stampeder {
	struct stampede *all;
	struct probe *p;
	const struct key *keys; /* the first is warm */
	size_t n_keys;
};

static void *
stampede_thread(void *arg)
{
	struct stampeder *s = arg;
	struct arena *a = arena_new(8 << 20);
	struct meta_found found;
	struct meta_thread *t;
	struct err err = { 0 };
	size_t at;

	if (meta_thread_new(s->p->meta, &t, &err) != 0)
		die("%s", err.detail);
	wait_for_trust(t, a, s->keys[0].app);
	for (size_t i = 1; i < s->n_keys; i++) {
		int64_t began, queries;

		pthread_barrier_wait(&s->all->start);
		began = clock_mono_us();
		queries = find(t, a, s->keys[i].app, NULL, &found).global_queries;
		at = atomic_fetch_add(&s->all->n_us, 1);
		if (at < ARRAY_LEN(s->all->us))
			s->all->us[at] = clock_mono_us() - began;
		atomic_fetch_add(&s->all->queries[i], queries);
	}
	meta_thread_free(t);
	arena_free(a);
	return NULL;
}

static int
stampede_process(struct stampede *all, const char *conf, const struct key *keys, size_t n_keys, size_t threads)
{
	pthread_t id[THREADS_MAX];
	struct probe p;
	struct stampeder s = { all, &p, keys, n_keys };

	probe_open(&p, conf);
	for (size_t i = 0; i < threads; i++)
		if (pthread_create(&id[i], NULL, stampede_thread, &s) != 0)
			die("no thread");
	for (size_t i = 0; i < threads; i++)
		pthread_join(id[i], NULL);
	probe_close(&p);
	return 0;
}

/* CONF KEYS PROCESSES THREADS: the first key is warm, the others were never asked for. */
static int
measure_stampede(char **arg)
{
	int64_t processes = number(arg[2]);
	size_t threads = (size_t)number(arg[3]), n;
	struct arena *a = arena_new((4 << 20) + KEYS_MAX * sizeof(int64_t));
	struct samples queries = samples_new(a, KEYS_MAX), us;
	struct stampede *all = mmap(NULL, sizeof(*all), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_barrierattr_t attr;
	struct key *keys;
	int status, bad = 0;

	if (all == MAP_FAILED || threads == 0 || threads > THREADS_MAX)
		die("1 to %d threads a process", THREADS_MAX);
	n = read_keys(arg[1], a, &keys);
	pthread_barrierattr_init(&attr);
	pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&all->start, &attr, (unsigned)processes * (unsigned)threads);
	for (int64_t i = 0; i < processes; i++)
		if (fork() == 0)
			exit(stampede_process(all, arg[0], keys, n, threads));
	for (int64_t i = 0; i < processes; i++)
		bad |= wait(&status) < 0 || status != 0;
	if (bad != 0)
		die("a process failed");
	us = (struct samples){ all->us, atomic_load(&all->n_us), ARRAY_LEN(all->us) };
	for (size_t i = 1; i < n; i++)
		sample(&queries, atomic_load(&all->queries[i]));
	samples_print("queries", &queries);
	samples_print("answered", &us);
	arena_free(a);
	return 0;
}

/* ---- acknowledgements, as CONF's region hears them ---- */

struct acks {
	struct settings *settings;
	struct cache_servers *servers;
	struct mc *mc;
	struct mc_key keys[REGIONS_MAX];
	size_t n;
	struct ack ack[REGIONS_MAX];
};

static void
acks_open(struct acks *k, const char *conf, char **regions)
{
	struct err err = { 0 };

	memset(k, 0, sizeof(*k));
	if (settings_load(conf, &k->settings, &err) != 0 || cache_servers_open(k->settings, &k->servers, &err) != 0)
		die("%s", err.detail);
	k->mc = mc_new(k->servers, 0, true);
	for (; regions[k->n] != NULL && k->n < REGIONS_MAX; k->n++)
		k->keys[k->n].len = cache_key_ack(k->keys[k->n].text, k->settings->region, regions[k->n]);
}

static void
acks_close(struct acks *k)
{
	mc_free(k->mc);
	cache_servers_close(k->servers);
	settings_free(k->settings);
}

static void
one_ack(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct acks *k = arg;

	(void)cas;
	if (!ack_decode(p, len, &k->ack[i]))
		k->ack[i].clock.n = 0;
}

static void
acks_read(struct acks *k)
{
	if (mc_gets(k->mc, k->keys, k->n, one_ack, k) != MC_OK)
		clock_sleep_us(US_PER_MS);
}

/* CONF N REGION...: until each has acknowledged N. */
static int
measure_acked(char **arg)
{
	int64_t began = clock_mono_us();
	uint64_t n = (uint64_t)number(arg[1]);
	struct acks k;
	size_t left;

	acks_open(&k, arg[0], arg + 2);
	do {
		if (clock_mono_us() - began > GIVE_UP_US)
			die("not acknowledged");
		acks_read(&k);
		left = 0;
		for (size_t i = 0; i < k.n; i++)
			left += k.ack[i].clock.n < n;
		clock_sleep_us(US_PER_MS);
	} while (left > 0);
	printf("acked us=%" PRId64 "\n", clock_mono_us() - began);
	acks_close(&k);
	return 0;
}

/* CONF KEY: until a look-up needs no database. */
static int
measure_trusted(char **arg)
{
	int64_t began = clock_mono_us();
	struct probe p;

	probe_open(&p, arg[0]);
	wait_for_trust(p.thread, p.arena, arg[1]);
	printf("trusted us=%" PRId64 "\n", clock_mono_us() - began);
	probe_close(&p);
	return 0;
}

/* ---- flood: as many events as go ---- */

struct flood {
	struct acks k;
	atomic_bool stop;
	_Atomic uint64_t lowest; /* that all regions have acknowledged */
	struct samples at, n;    /* when lowest rose, and to what */
};

static void *
follow_acks(void *arg)
{
	struct flood *f = arg;
	uint64_t low;

	while (!atomic_load(&f->stop)) {
		acks_read(&f->k);
		low = UINT64_MAX;
		for (size_t i = 0; i < f->k.n; i++)
			low = f->k.ack[i].clock.n < low ? f->k.ack[i].clock.n : low;
		if (low > atomic_load(&f->lowest)) {
			sample(&f->at, clock_mono_us());
			sample(&f->n, (int64_t)low);
			atomic_store(&f->lowest, low);
		}
		clock_sleep_us(500);
	}
	return NULL;
}

/* CONF DSN SQL EVENTS SECONDS REGION...: SQL makes EVENTS events and gives their number. */
static int
measure_flood(char **arg)
{
	int64_t events = number(arg[3]), seconds = number(arg[4]), began, end, turns = 0;
	size_t max = 200000;
	struct arena *a = arena_new(max * 7 * sizeof(int64_t));
	struct samples committed = samples_new(a, max), numbers = samples_new(a, max), lag = samples_new(a, max);
	struct flood f = { .at = samples_new(a, max), .n = samples_new(a, max) };
	PGconn *c = connect_to(arg[1], arg[2]);
	pthread_t follower;

	acks_open(&f.k, arg[0], arg + 5);
	if (pthread_create(&follower, NULL, follow_acks, &f) != 0)
		die("no thread");
	began = clock_mono_us();
	for (end = began + seconds * US_PER_S; clock_mono_us() < end; turns++) {
		sample(&numbers, change(c, turns));
		sample(&committed, clock_mono_us());
	}
	end = clock_mono_us();
	while (atomic_load(&f.lowest) < (uint64_t)numbers.us[numbers.n - 1]) {
		if (clock_mono_us() - end > GIVE_UP_US)
			die("the last change was never acknowledged");
		clock_sleep_us(US_PER_MS);
	}
	printf("flood events=%" PRId64 " turns=%" PRId64 " commit_us=%" PRId64 " all_us=%" PRId64 "\n", turns * events, turns,
	    end - began, clock_mono_us() - began);
	atomic_store(&f.stop, true);
	pthread_join(follower, NULL);
	for (size_t i = 0, k = 0; i < numbers.n; i++) {
		while (k < f.n.n && f.n.us[k] < numbers.us[i])
			k++;
		if (k < f.n.n)
			sample(&lag, f.at.us[k] - committed.us[i]);
	}
	samples_print("behind", &lag);
	acks_close(&f.k);
	PQfinish(c);
	arena_free(a);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*fn)(char **arg);
} measures[] = {
	{ "commit", 5, measure_commit },
	{ "wait", 3, measure_wait },
	{ "read", 5, measure_read },
	{ "limit", 2, measure_limit },
	{ "stampede", 4, measure_stampede },
	{ "acked", 3, measure_acked },
	{ "trusted", 2, measure_trusted },
	{ "flood", 6, measure_flood },
};

int
main(int argc, char **argv)
{
	if (log_open("metadata_probe", LOG_ERROR, "") != 0)
		die("no log");
	for (size_t i = 0; argc > 1 && i < ARRAY_LEN(measures); i++)
		if (strcmp(argv[1], measures[i].name) == 0 && argc - 2 >= measures[i].args)
			return measures[i].fn(argv + 2);
	die("wrong arguments: the comment above each measure tells them");
}
