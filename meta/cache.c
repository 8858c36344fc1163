/* SPDX-License-Identifier: Apache-2.0 */
/*
 * meta/cache.c - values read and proved current in one multi-get a server.
 *
 * Owns:      the process's trust and the threads' connections.
 * Blocks:    yes, on memcached, at most cache_timeout_ms for each server that fails.
 * Invariant: a hit is a value whose page (of the same server) is trusted by this
 *            reading, of the page's epoch, and as of n >= its slot. What was
 *            stored, when and by whom is no matter: `set` needs no condition.
 */
#include "meta/cache_impl.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/fault.h"
#include "base/metrics.h"

#define VALUE_MAGIC UINT32_C(0x41565631) /* "AVV1"; another layout is another magic, and a miss */
#define VALUE_HEADER_MAX 128
#define VALUE_NEGATIVE 1
#define VALUE_EXPIRE_S 86400 /* to be rid of what nobody asks for; nothing relies on it */
#define NAME_MAX_LEN 65536

int
cache_open(const struct settings *s, struct cache **out, struct err *err)
{
	struct cache_servers *servers;
	struct arena *a;
	struct cache *c;

	if (cache_servers_open(s, &servers, err) != 0)
		return -1;
	a = arena_new(sizeof(*c) + servers->n * CACHE_PAGES * sizeof(struct cache_trust) + 1024);
	c = ARENA_NEW(a, struct cache);
	ASSERT(c != NULL);
	c->arena = a;
	c->servers = servers;
	c->trust_us = s->metadata_trust_ms * US_PER_MS;
	c->beat_us = s->metadata_beat_ms * US_PER_MS;
	c->ack_us = s->metadata_ack_ms * US_PER_MS;
	c->trust = arena_array(a, servers->n, sizeof(*c->trust));
	ASSERT(c->trust != NULL);
	for (size_t i = 0; i < servers->n; i++)
		for (size_t p = 0; p < CACHE_PAGES; p++)
			cache_trust_init(&c->trust[i][p]);
	pthread_mutex_init(&c->lock, NULL);
	*out = c;
	return 0;
}

void
cache_close(struct cache *c)
{
	if (c == NULL)
		return;
	cache_watch_stop(c);
	for (size_t i = 0; i < c->servers->n; i++)
		for (size_t p = 0; p < CACHE_PAGES; p++)
			cache_trust_release(&c->trust[i][p]);
	pthread_mutex_destroy(&c->lock);
	cache_servers_close(c->servers);
	arena_free(c->arena);
}

int
cache_thread_new(struct cache *c, struct cache_thread **out, struct err *err)
{
	struct arena *a = arena_new(sizeof(struct cache_thread) + 64);
	struct cache_thread *t = ARENA_NEW(a, struct cache_thread);

	(void)err;
	ASSERT(t != NULL);
	t->arena = a;
	t->cache = c;
	t->scratch = arena_new(2 * CACHE_VALUE_MAX + 65536);
	for (size_t i = 0; i < c->servers->n; i++)
		t->mc[i] = mc_new(c->servers, i, false);
	*out = t;
	return 0;
}

void
cache_thread_free(struct cache_thread *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < CACHE_SERVERS_MAX; i++)
		mc_free(t->mc[i]);
	arena_free(t->scratch);
	arena_free(t->arena);
}

/* ---- one reading ---- */

struct wanted { /* a key of this reading */
	struct cache_key key;
	struct cache_place place;
	int server; /* -1: none is up */
	bool page_present, page_trusted;
	bool malformed; /* something lies there that is not this key's value */
	struct event_clock page_clock;
	int64_t page_wall_us; /* when it was beaten; 0 = never */
	uint64_t slot_n;
};
struct reading {
	struct cache *cache;
	struct arena *arena;
	int64_t begin_us;
	size_t n;
	struct wanted want[CACHE_KEYS_MAX];
	struct cache_value *out;
};
struct asked { /* one server's part */
	struct reading *r;
	int server;
	struct mc_key keys[MC_KEYS_MAX];
	struct {
		bool is_page;
		unsigned i; /* page, or index into want */
	} what[MC_KEYS_MAX];
	size_t n;
};
_Static_assert(2 * CACHE_KEYS_MAX <= MC_KEYS_MAX, "a multi-get holds every key and its page");

static bool
worth_asking(const struct cache_servers *s, size_t i)
{
	if (cache_server_up(s, i))
		return true;
	return !atomic_load_explicit(&s->looked_after, memory_order_relaxed) &&
	    clock_mono_us() >= atomic_load(&s->server[i].retry_us);
}

/* Where a value lies is no matter, since events go to every server. */
int
cache_pick(const struct cache_servers *s, const struct cache_place *p)
{
	uint32_t best = 0, score;
	int server = -1;

	for (size_t i = 0; i < s->n; i++) {
		if (!worth_asking(s, i))
			continue;
		score = cache_score(p, s->server[i].addr_hash);
		if (server < 0 || score > best) {
			server = (int)i;
			best = score;
		}
	}
	return server;
}

static void
ask_for(struct asked *q, unsigned i)
{
	struct wanted *w = &q->r->want[i];
	const char *region = q->r->cache->servers->region;

	q->keys[q->n].len = cache_key_value(q->keys[q->n].text, region, w->key.kind, &w->place);
	q->what[q->n].is_page = false;
	q->what[q->n++].i = i;
	for (size_t k = 0; k < q->n; k++)
		if (q->what[k].is_page && q->what[k].i == w->place.page)
			return;
	q->keys[q->n].len = cache_key_page(q->keys[q->n].text, region, w->place.page);
	q->what[q->n].is_page = true;
	q->what[q->n++].i = w->place.page;
}

static void
got_page(struct asked *q, unsigned page, const uint8_t *p, size_t len)
{
	struct reading *r = q->r;
	struct event_clock clock;
	uint8_t id[STAMP_ID_LEN];
	uint64_t beat, slot_n;
	int64_t wall_us;
	bool trusted = false, judged = false;

	for (size_t i = 0; i < r->n; i++) {
		struct wanted *w = &r->want[i];

		if (w->server != q->server || w->place.page != page)
			continue;
		if (!stamp_peek(p, len, w->place.slot, id, &clock, &beat, &wall_us, &slot_n))
			return;
		if (!judged)
			trusted = cache_trust_see(&r->cache->trust[q->server][page], id, beat, r->begin_us, r->begin_us,
			    r->cache->trust_us);
		judged = true;
		w->page_present = true;
		w->page_trusted = trusted;
		w->page_clock = clock;
		w->page_wall_us = wall_us;
		w->slot_n = slot_n;
	}
}

static void
got_value(struct reading *r, unsigned i, const uint8_t *p, size_t len)
{
	struct cache_value *v = &r->out[i];
	struct wanted *w = &r->want[i];
	struct event_clock clock;
	struct span name, data;
	uint8_t kind, flags;
	int64_t filled_us;
	struct dec d;
	char *copy;

	w->malformed = true;
	dec_init(&d, p, len);
	if (dec_u32(&d) != VALUE_MAGIC)
		return;
	kind = dec_u8(&d);
	flags = dec_u8(&d);
	dec_raw(&d, clock.epoch, EPOCH_LEN);
	clock.n = dec_u64(&d);
	filled_us = dec_i64(&d);
	name = dec_bytes(&d, NAME_MAX_LEN);
	data = dec_bytes(&d, CACHE_VALUE_MAX);
	if (!dec_done(&d) || kind != (uint8_t)event_letter(w->key.kind) || (flags & ~VALUE_NEGATIVE) != 0 ||
	    !span_eq(name, w->key.name))
		return;
	w->malformed = false;
	copy = arena_memdup(r->arena, data.len == 0 ? "" : data.p, data.len == 0 ? 1 : data.len);
	if (copy == NULL)
		return;
	v->present = true;
	v->negative = (flags & VALUE_NEGATIVE) != 0;
	v->clock = clock;
	v->age_us = clock_wall_us() - filled_us;
	v->data = (struct span){ copy, data.len };
}

static void
got_item(void *arg, size_t i, const uint8_t *p, size_t len, uint64_t cas)
{
	struct asked *q = arg;

	(void)cas;
	if (q->what[i].is_page)
		got_page(q, q->what[i].i, p, len);
	else
		got_value(q->r, q->what[i].i, p, len);
}

/*
 * How long ago the value was surely true. One that its page bears out was so when the
 * page was beaten, however long before it was filled; one that its page refutes is old.
 */
static int64_t
age_of(const struct wanted *w, const struct cache_value *v)
{
	int64_t since_beat_us;

	if (!w->page_present)
		return v->age_us;
	if (memcmp(v->clock.epoch, w->page_clock.epoch, EPOCH_LEN) != 0 || v->clock.n < w->slot_n)
		return -1;
	since_beat_us = clock_wall_us() - w->page_wall_us;
	return w->page_wall_us != 0 && since_beat_us < v->age_us ? since_beat_us : v->age_us;
}

static enum cache_verdict
judge(const struct wanted *w, const struct cache_value *v)
{
	if (!v->present)
		return w->malformed ? CACHE_FORMAT : CACHE_MISS;
	if (!w->page_present)
		return CACHE_NO_PAGE;
	if (!w->page_trusted)
		return CACHE_UNTRUSTED;
	if (memcmp(v->clock.epoch, w->page_clock.epoch, EPOCH_LEN) != 0 && !fault_off(FAULT_RULE_epoch))
		return CACHE_EPOCH;
	return v->clock.n < w->slot_n && !fault_off(FAULT_RULE_stamp) ? CACHE_STALE : CACHE_HIT;
}

static void
finish(const struct wanted *w, struct cache_value *v)
{
	v->page_trusted = w->page_present && w->page_trusted;
	if (w->page_present) {
		v->page_slot = w->page_clock;
		v->page_slot.n = w->slot_n;
	}
	if (v->present)
		v->age_us = age_of(w, v);
	v->verdict = judge(w, v);
	v->hit = v->verdict == CACHE_HIT;
}

static void
reading_begin(struct reading *r, struct cache_thread *t, struct arena *a, const struct cache_key *keys, size_t n,
    struct cache_value *out)
{
	r->cache = t->cache;
	r->arena = a;
	r->n = n < CACHE_KEYS_MAX ? n : CACHE_KEYS_MAX;
	r->out = out;
	r->begin_us = clock_mono_us();
	for (size_t i = 0; i < r->n; i++) {
		struct wanted *w = &r->want[i];

		w->key = keys[i];
		w->page_present = w->malformed = false;
		cache_place(keys[i].kind, keys[i].name, &w->place);
		w->server = cache_pick(t->cache->servers, &w->place);
	}
}

void
cache_get(struct cache_thread *t, struct arena *a, const struct cache_key *keys, size_t n, struct cache_value *out)
{
	struct asked asked[CACHE_SERVERS_MAX];
	bool sent[CACHE_SERVERS_MAX];
	struct reading r;
	size_t servers = t->cache->servers->n;

	memset(out, 0, n * sizeof(*out));
	reading_begin(&r, t, a, keys, n, out);
	fault_point(FAULT_POINT_read_before_send);
	for (size_t s = 0; s < servers; s++) {
		struct asked *q = &asked[s];

		q->r = &r;
		q->server = (int)s;
		q->n = 0;
		for (unsigned i = 0; i < r.n; i++)
			if (r.want[i].server == (int)s)
				ask_for(q, i);
		sent[s] = q->n > 0 && mc_send_gets(t->mc[s], q->keys, q->n) == MC_OK;
	}
	fault_point(FAULT_POINT_read_before_judge);
	/* Of an answer that breaks off what came is used: each page and each value stands for itself. */
	for (size_t s = 0; s < servers; s++)
		if (sent[s])
			mc_fetch(t->mc[s], got_item, &asked[s]);
	for (size_t i = 0; i < r.n; i++)
		finish(&r.want[i], &out[i]);
}

void
cache_count(enum cache_verdict verdict)
{
	static const enum metric metrics[CACHE_VERDICTS] = {
		[CACHE_HIT] = M_CACHE_HITS,
		[CACHE_MISS] = M_CACHE_MISSES,
		[CACHE_NO_PAGE] = M_CACHE_NO_PAGE,
		[CACHE_UNTRUSTED] = M_CACHE_UNTRUSTED,
		[CACHE_EPOCH] = M_CACHE_EPOCH,
		[CACHE_STALE] = M_CACHE_STALE,
		[CACHE_FORMAT] = M_CACHE_FORMAT,
	};

	metric_add(metrics[verdict], 1);
}

/* ---- one fill ---- */

void
cache_set(struct cache_thread *t, const struct cache_key *key, const struct event_clock *clock, bool negative,
    struct span data)
{
	struct cache_place place;
	struct mc_key k;
	struct strbuf sb;
	int server;

	if (data.len > CACHE_VALUE_MAX || key->name.len > NAME_MAX_LEN)
		return;
	cache_place(key->kind, key->name, &place);
	strbuf_init(&sb, t->scratch, VALUE_HEADER_MAX + NAME_MAX_LEN + CACHE_VALUE_MAX);
	enc_u32(&sb, VALUE_MAGIC);
	enc_u8(&sb, (uint8_t)event_letter(key->kind));
	enc_u8(&sb, negative ? VALUE_NEGATIVE : 0);
	strbuf_add(&sb, clock->epoch, EPOCH_LEN);
	enc_u64(&sb, clock->n);
	enc_i64(&sb, clock_wall_us());
	enc_bytes(&sb, key->name.p, key->name.len);
	enc_bytes(&sb, data.p, data.len);
	k.len = cache_key_value(k.text, t->cache->servers->region, key->kind, &place);
	/* A server found dead just now leaves its share to the next best. Failures are counted where they happen. */
	for (int tries = 0; strbuf_ok(&sb) && tries < 2; tries++) {
		server = cache_pick(t->cache->servers, &place);
		if (server < 0 || mc_set(t->mc[server], &k, sb.buf, sb.len, VALUE_EXPIRE_S) != MC_FAILED)
			break;
	}
	arena_reset(t->scratch);
}
