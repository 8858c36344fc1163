/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/find.c - looking things up: the cache's word when it is proved current,
 * else the replica's when that is, else the global database's; what a database
 * said is then stored as of its event number.
 *
 * Owns:       the list of keys that this process is reading just now.
 * Called by:  fcgi/, routing/ for each request.
 * Blocks:     on memcached (cache_timeout_ms), and on a miss on PostgreSQL
 *             (db_timeout_ms).
 * Invariant:  what is stored was read together with the clock by one SELECT. A
 *             thread never takes another's reading for its own: that one may have
 *             begun before this request did. It waits, and asks the cache again,
 *             which judges by this request's time. All waiting is for load only,
 *             and bounded.
 */
#include "meta/internal.h"

#include "base/clock.h"
#include "base/fault.h"
#include "base/metrics.h"
#include "base/parse.h"

#define FLIGHT_ROUNDS 2
#define BUSY_WAIT_US (2 * US_PER_S) /* for readers of other processes, all in all */
#define BUSY_ASK_MIN_US US_PER_MS
#define BUSY_ASK_MAX_US (16 * US_PER_MS)
#define KEYS_MAX 2

/* ---- one reader a key ---- */

struct flight { /* on its reader's stack */
	const struct cache_key *key;
	struct flight *next;
};

void
meta_flights_init(struct meta_flights *f)
{
	int rc;

	f->first = NULL;
	rc = pthread_mutex_init(&f->lock, NULL);
	ASSERT(rc == 0);
	clock_cond_init(&f->landed);
}

void
meta_flights_release(struct meta_flights *f)
{
	ASSERT(f->first == NULL);
	pthread_cond_destroy(&f->landed);
	pthread_mutex_destroy(&f->lock);
}

static struct flight *
flying(const struct meta_flights *f, const struct cache_key *key)
{
	for (struct flight *it = f->first; it != NULL; it = it->next)
		if (it->key->kind == key->kind && span_eq(it->key->name, key->name))
			return it;
	return NULL;
}

/* true: this thread reads it now (leave afterwards). false: another did, and has finished. */
static bool
flight_enter(struct meta_flights *f, struct flight *me, int64_t limit_us)
{
	int64_t deadline_us = clock_mono_us() + limit_us;
	struct timespec until = { (time_t)(deadline_us / US_PER_S), (long)(deadline_us % US_PER_S) * 1000 };
	bool mine = true;

	pthread_mutex_lock(&f->lock);
	while (flying(f, me->key) != NULL) {
		mine = false;
		if (pthread_cond_timedwait(&f->landed, &f->lock, &until) == ETIMEDOUT)
			break;
	}
	if (mine) {
		me->next = f->first;
		f->first = me;
	}
	pthread_mutex_unlock(&f->lock);
	return mine;
}

static void
flight_leave(struct meta_flights *f, struct flight *me)
{
	pthread_mutex_lock(&f->lock);
	for (struct flight **p = &f->first; *p != NULL; p = &(*p)->next)
		if (*p == me) {
			*p = me->next;
			break;
		}
	pthread_cond_broadcast(&f->landed);
	pthread_mutex_unlock(&f->lock);
}

/* ---- what is looked up ---- */

/*
 * One thing to find: its key, where it goes, and how. `read` takes it from rows of
 * `st` (the clock is in columns 0 and 1) and tells whether it is there.
 */
struct wanted {
	struct cache_key key;
	enum stmt st;
	bool has_param;
	bool (*from_rows)(const struct db_rows *rows, struct arena *a, void *out);
	void (*encode)(struct strbuf *sb, const void *it);
	bool (*decode)(struct span data, struct arena *a, void *out);
	void *out;
	int *found; /* 1, 0; -1 = not known yet */
};

struct region_list {
	struct region *list;
	size_t n;
};

static bool
app_from_rows(const struct db_rows *r, struct arena *a, void *out)
{
	struct app *app = out;

	if (db_is_null(r, 0, 2))
		return false;
	app->access_key = db_text(r, 0, 2);
	app->name = db_text(r, 0, 3);
	memcpy(app->tenant_id.b, db_span(r, 0, 4).p, UUID_LEN);
	app->tenant_name = db_text(r, 0, 5);
	app->owner_id = db_text(r, 0, 6);
	app->enabled = db_bool(r, 0, 7);
	app->sealed_secret = db_span(r, 0, 8);
	app->access = db_bool(r, 0, 9) ? APP_FULL : APP_POLICIES;
	app->policies = db_texts(r, 0, 10, a);
	app->created_us = db_i64(r, 0, 11);
	return true;
}

static void
app_encode(struct strbuf *sb, const void *it)
{
	codec_put_app(sb, it);
}

static bool
app_decode(struct span data, struct arena *a, void *out)
{
	return codec_get_app(data, a, out);
}

static bool
bucket_from_rows(const struct db_rows *r, struct arena *a, void *out)
{
	(void)a;
	if (db_is_null(r, 0, 2))
		return false;
	bucket_from_row(r, 0, 2, out);
	return true;
}

static void
bucket_encode(struct strbuf *sb, const void *it)
{
	codec_put_bucket(sb, it);
}

static bool
bucket_decode(struct span data, struct arena *a, void *out)
{
	return codec_get_bucket(data, a, out);
}

static bool
document_from_rows(const struct db_rows *r, struct arena *a, void *out)
{
	(void)a;
	if (db_is_null(r, 0, 2))
		return false;
	*(const char **)out = db_text(r, 0, 2);
	return true;
}

static void
document_encode(struct strbuf *sb, const void *it)
{
	codec_put_document(sb, *(const char *const *)it);
}

static bool
document_decode(struct span data, struct arena *a, void *out)
{
	return codec_get_document(data, a, out);
}

static bool
regions_from_rows(const struct db_rows *r, struct arena *a, void *out)
{
	struct region_list *l = out;

	l->n = 0;
	l->list = arena_array(a, db_count(r), sizeof(*l->list));
	for (size_t i = 0; l->list != NULL && i < db_count(r); i++)
		if (!db_is_null(r, i, 2))
			region_from_row(r, i, 2, a, &l->list[l->n++]);
	return true;
}

static void
regions_encode(struct strbuf *sb, const void *it)
{
	const struct region_list *l = it;

	codec_put_regions(sb, l->list, l->n);
}

static bool
regions_decode(struct span data, struct arena *a, void *out)
{
	struct region_list *l = out;

	return codec_get_regions(data, a, &l->list, &l->n);
}

/* ---- the way of one look-up ---- */

static void
ask_cache(struct meta_thread *t, struct arena *a, const struct cache_key *keys, size_t n, struct cache_value *out)
{
	int64_t begun = clock_mono_us();

	memset(out, 0, n * sizeof(*out));
	if (t->cache == NULL)
		return;
	cache_get(t->cache, a, keys, n, out);
	t->spent.cache_us += clock_mono_us() - begun;
	t->spent.cache_round_trips++;
}

/* From a cached value: found or known not to be there. false: it cannot be read (another version wrote it). */
static bool
take_value(const struct wanted *w, const struct cache_value *v, struct arena *a)
{
	if (v->negative) {
		*w->found = 0;
		return true;
	}
	if (!w->decode(v->data, a, w->out))
		return false;
	*w->found = 1;
	return true;
}

static void
store(struct meta_thread *t, const struct wanted *w, const struct event_clock *clock)
{
	struct strbuf sb;
	struct arena *a;

	if (t->cache == NULL)
		return;
	if (*w->found == 0) {
		cache_set(t->cache, &w->key, clock, true, (struct span){ "", 0 });
		return;
	}
	a = arena_new(3 * CACHE_VALUE_MAX);
	strbuf_init(&sb, a, CACHE_VALUE_MAX);
	w->encode(&sb, w->out);
	if (strbuf_ok(&sb)) /* a longer one is read from the database each time */
		cache_set(t->cache, &w->key, clock, false, (struct span){ strbuf_cstr(&sb), sb.len });
	arena_free(a);
}

/* One SELECT: the rows, and the clock of the same snapshot. */
static int
read_from(struct db_pool *p, struct arena *a, const struct wanted *w, struct db_rows **rows, struct event_clock *clock,
    struct err *err)
{
	struct db_param param = P_SPAN(w->key.name);

	if (db_query(p, a, w->st, &param, w->has_param ? 1 : 0, rows, err) != 0)
		return -1;
	if (db_count(*rows) == 0)
		return FAIL(err, ERR_UNAVAILABLE, "the event clock has no row: run anvil-admin db init");
	clock_from_row(*rows, 0, 0, clock);
	return 0;
}

/*
 * What the replica says is judged as a cached value is: by a trusted page, its
 * epoch, and its slot. Its clock row was replayed in the same transaction as the
 * change that it numbers, so how far behind it is does not matter, nor whether it
 * is ahead (of a primary whose commit still waits for a synchronous standby).
 */
static bool
read_from_replica(struct meta_thread *t, struct arena *a, const struct wanted *w, const struct cache_value *v,
    struct db_rows **rows, struct event_clock *clock)
{
	struct err why = { 0 };

	if (t->meta->replica == NULL || !v->page_trusted)
		return false;
	if (read_from(t->meta->replica, a, w, rows, clock, &why) != 0) { /* logged when it went away */
		metric_add(M_REPLICA_AWAY, 1);
		return false;
	}
	if (memcmp(clock->epoch, v->page_slot.epoch, EPOCH_LEN) != 0) {
		metric_add(M_REPLICA_EPOCH, 1);
		return false;
	}
	if (clock->n < v->page_slot.n) {
		metric_add(M_REPLICA_BEHIND, 1);
		return false;
	}
	return true;
}

static int
ask_database(struct meta_thread *t, struct arena *a, const struct wanted *w, const struct cache_value *v, struct err *err)
{
	struct event_clock clock;
	struct db_rows *rows;
	bool replica;

	if (!utf8_valid(w->key.name) || memchr(w->key.name.p, '\0', w->key.name.len) != NULL) {
		*w->found = 0; /* nothing can have such a name */
		return 0;
	}
	fault_point(FAULT_POINT_fill_before_read);
	replica = read_from_replica(t, a, w, v, &rows, &clock);
	if (!replica && read_from(t->meta->global, a, w, &rows, &clock, err) != 0)
		return -1;
	*w->found = w->from_rows(rows, a, w->out) ? 1 : 0;
	metric_add(replica ? M_CACHE_FILLS_REPLICA : M_CACHE_FILLS_PRIMARY, 1);
	if (arena_overflowed(a))
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	fault_point(FAULT_POINT_fill_before_set);
	store(t, w, &clock);
	return 0;
}

/*
 * Neither a proved value nor the database: what lay in the cache, when the
 * operator wants that rather than a refusal (DESIGN.md, "Cut off").
 */
static bool
serve_old(struct meta_thread *t, struct arena *a, const struct wanted *w, const struct cache_value *v, const struct err *why)
{
	const struct settings *s = t->meta->settings;

	if (why->code != ERR_UNAVAILABLE && why->code != ERR_TIMEOUT)
		return false;
	if (strcmp(s->metadata_when_cut_off, "serve") != 0 || !v->present || v->age_us < 0 ||
	    v->age_us > s->metadata_cache_ttl_secs * US_PER_S || !take_value(w, v, a))
		return false;
	meta_served_old(t);
	return true;
}

static bool
take_hit(const struct wanted *w, const struct cache_value *v, struct arena *a)
{
	if (!v->hit)
		return false;
	if (take_value(w, v, a))
		return true;
	cache_count(CACHE_FORMAT);
	return false;
}

/*
 * This thread is its process's reader of the key: is it the region's, too? It asks
 * the cache again in either case, since another may have filled it meanwhile.
 * true: that was so. false: read it, and let the claim go when it is ours.
 */
static bool
wait_for_region(struct meta_thread *t, struct arena *a, const struct wanted *w, struct cache_value *v, struct cache_claim *c,
    bool *mine)
{
	int64_t until_us = clock_mono_us() + BUSY_WAIT_US, pause_us = BUSY_ASK_MIN_US;
	struct arena_mark before = arena_mark(a);
	enum cache_claimed claimed;

	for (;;) {
		arena_rewind(a, before); /* what was read and not believed the last time */
		claimed = cache_claim(t->cache, &w->key, c);
		*mine = claimed == CLAIM_MINE;
		t->spent.cache_round_trips++;
		ask_cache(t, a, &w->key, 1, v);
		if (take_hit(w, v, a))
			return true;
		/* What is proved and yet cannot be read is another version's; and without trust nothing will be proved. */
		if (claimed != CLAIM_OTHER || v->hit || !v->page_trusted || clock_mono_us() >= until_us)
			return false;
		clock_sleep_us(pause_us);
		pause_us = pause_us * 2 < BUSY_ASK_MAX_US ? pause_us * 2 : BUSY_ASK_MAX_US;
	}
}

/* A miss: one reader a key, in this process and in the region; the others ask the cache again when it has finished. */
static int
find_missing(struct meta_thread *t, struct arena *a, const struct wanted *w, struct cache_value *v, struct err *err)
{
	struct meta_flights *f = &t->meta->flights;
	struct flight me = { &w->key, NULL };
	struct cache_claim claim = { 0 };
	bool flying = false, claimed = false, found = false;
	struct err why = { 0 };
	int rc = 0;

	/* Where the page is not trusted the cache will not answer afterwards either: no use in waiting. */
	for (int i = 0; i < FLIGHT_ROUNDS && !flying && !found && v->page_trusted; i++) {
		flying = flight_enter(f, &me, t->meta->settings->db_timeout_ms * US_PER_MS);
		if (flying) {
			found = wait_for_region(t, a, w, v, &claim, &claimed);
		} else {
			ask_cache(t, a, &w->key, 1, v);
			found = take_hit(w, v, a);
		}
	}
	if (found)
		metric_add(M_CACHE_FILLS_WAITED, 1);
	else
		rc = ask_database(t, a, w, v, &why);
	if (claimed)
		cache_unclaim(t->cache, &w->key, &claim);
	if (flying)
		flight_leave(f, &me);
	if (rc == 0) {
		meta_served_proved(t->meta);
		return 0;
	}
	if (serve_old(t, a, w, v, &why))
		return 0;
	return err_fail(err, why.code, why.where, "%s", why.detail);
}

static int
find_all(struct meta_thread *t, struct arena *a, const struct wanted *w, size_t n, struct err *err)
{
	struct cache_key keys[KEYS_MAX];
	struct cache_value values[KEYS_MAX];

	ASSERT(n <= KEYS_MAX);
	for (size_t i = 0; i < n; i++) {
		keys[i] = w[i].key;
		*w[i].found = -1;
	}
	if (n > 0)
		ask_cache(t, a, keys, n, values);
	for (size_t i = 0; i < n; i++) {
		if (t->cache != NULL)
			cache_count(values[i].verdict);
		if (take_hit(&w[i], &values[i], a)) {
			meta_served_proved(t->meta);
			continue;
		}
		if (find_missing(t, a, &w[i], &values[i], err) != 0)
			return -1;
	}
	if (arena_overflowed(a))
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	return 0;
}

int
meta_find(struct meta_thread *t, struct arena *a, const char *access_key, const char *bucket, struct meta_found *out,
    struct err *err)
{
	struct wanted w[KEYS_MAX];
	size_t n = 0;

	memset(out, 0, sizeof(*out));
	if (access_key != NULL)
		w[n++] = (struct wanted){ { EVENT_KIND_APP, span_of(access_key) }, STMT_APP_FIND, true, app_from_rows,
			app_encode, app_decode, &out->app, &out->has_app };
	if (bucket != NULL)
		w[n++] = (struct wanted){ { EVENT_KIND_BUCKET, span_of(bucket) }, STMT_BUCKET_FIND, true, bucket_from_rows,
			bucket_encode, bucket_decode, &out->bucket, &out->has_bucket };
	return find_all(t, a, w, n, err);
}

int
meta_regions(struct meta_thread *t, struct arena *a, struct region **out, size_t *n, struct err *err)
{
	struct region_list l = { NULL, 0 };
	int found;
	struct wanted w = { { EVENT_KIND_REGIONS, SPAN("regions") }, STMT_REGIONS_FIND, false, regions_from_rows,
		regions_encode, regions_decode, &l, &found };

	if (find_all(t, a, &w, 1, err) != 0)
		return -1;
	*out = l.list;
	*n = l.n;
	return 0;
}

int
meta_bucket_config(struct meta_thread *t, struct arena *a, const struct bucket *b, enum config_kind kind,
    const char **document, struct err *err)
{
	char id[UUID_TEXT_LEN + 1];
	int found;
	struct wanted w = { { EVENT_KIND_CONFIG, SPAN("") }, STMT_BUCKET_CONFIG_FIND, true, document_from_rows, document_encode,
		document_decode, document, &found };
	const char *name;

	*document = NULL;
	if (!bucket_has_config(b, kind))
		return 0;
	uuid_text(&b->id, id);
	name = arena_printf(a, "%s/%s", id, config_kind_name(kind));
	if (name == NULL)
		return FAIL(err, ERR_LIMIT, "the request's memory is used up");
	w.key.name = span_of(name);
	if (find_all(t, a, &w, 1, err) != 0)
		return -1;
	/* Removed since the bucket was read: as good as never there. */
	if (found != 1)
		*document = NULL;
	return 0;
}
