/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/move_source.c - asking the region that a bucket leaves.
 *
 * Owns:       connections to the source, one a fetching thread; the threads, for as long as one call lasts.
 * Called by:  admin/move.c.
 * Blocks:     on the source and on the store.
 * Invariant:  a blob has its id only when all of it came, is what its row says, and is durable.
 */
#include "admin/move_source.h"

#include <pthread.h>
#include <stdatomic.h>

#include "admin/move_blob.h"
#include "base/clock.h"
#include "base/parse.h"
#include "routing/hop.h"
#include "routing/move.h"
#include "routing/relay.h"

#define FETCHERS 8
#define ANSWER_MAX ((size_t)256 * 1024 * 1024)
#define FETCH_ARENA ((size_t)1024 * 1024)
#define TICK_US US_PER_S

struct move_source {
	const struct settings *settings;
	const struct region *home;
	struct store *store;
	struct relays *relays;
	struct relay_thread *relay[FETCHERS];
};

struct move_source *
move_source_new(const struct settings *s, const struct region *home, struct store *st)
{
	struct move_source *src = calloc(1, sizeof(*src)); /* process: one a move */

	if (src == NULL)
		abort();
	src->settings = s;
	src->home = home;
	src->store = st;
	src->relays = relays_new(s);
	for (int i = 0; i < FETCHERS; i++)
		src->relay[i] = relay_thread_new(src->relays);
	return src;
}

void
move_source_free(struct move_source *src)
{
	if (src == NULL)
		return;
	for (int i = 0; i < FETCHERS; i++)
		relay_thread_free(src->relay[i]);
	relays_free(src->relays);
	free(src);
}

/* ---- one request ---- */

/* Takes the answer. A body that is not a 200's goes nowhere. */
struct taking {
	int status;
	int (*write)(struct taking *k, const void *p, size_t len);
	struct strbuf *text;
	struct move_blob *blob;
	struct err *err;
};

static bool
on_gone(void *arg)
{
	(void)arg;
	return false;
}

static int
on_begin(void *arg, int status, struct span headers)
{
	struct taking *k = arg;

	(void)headers;
	k->status = status;
	return 0;
}

static int
on_write(void *arg, const void *p, size_t len)
{
	struct taking *k = arg;

	return k->status == 200 ? k->write(k, p, len) : 0;
}

static int
get(const struct move_source *src, struct relay_thread *relay, struct arena *a, const char *question, struct taking *k, struct err *err)
{
	const char *target = arena_printf(a, MOVE_PATH "%s", question), *host = address_authority(src->home->endpoint).p;
	struct relay_io io = { .arg = k, .fd = -1, .ready = relay_no_body_ready, .gone = on_gone, .read = relay_no_body_read, .begin = on_begin,
		.write = on_write };
	struct hop hop = { .from = src->settings->region, .to = src->home->name, .request_id = "", .client_addr = "",
		.domain = HOP_MOVE, .secure = true, .sent_us = clock_wall_us() };
	struct relay_request rq = { .home = src->home, .method = "GET", .host = host, .content_length = -1, .request_id = "move" };
	struct hop_request bound;

	if (target == NULL)
		return FAIL(err, ERR_LIMIT, "a question to region \"%s\" is too long", src->home->name);
	rq.target = span_of(target);
	bound = (struct hop_request){ .method = SPAN("GET"), .target = rq.target, .host = span_of(host) };
	rq.hop = hop_make(a, src->settings, &hop, &bound);
	if (rq.hop == NULL)
		return FAIL(err, ERR_LIMIT, "a question to region \"%s\" is too long", src->home->name);
	return relay_run(relay, a, &rq, &io, &k->status, err);
}

static int
refused(const struct move_source *src, int status, const char *question, struct err *err)
{
	int kind = ERR_INTERNAL;

	if (status == 404)
		kind = ERR_NOT_FOUND;
	else if (status == 409)
		kind = ERR_CONFLICT;
	else if (status == 503)
		kind = ERR_UNAVAILABLE;
	return FAIL(err, kind, "region \"%s\" answered %d to \"%.8s\" of a move: see its log; it needs this release, this cluster "
	    "secret, and a clock that is right", src->home->name, status, question);
}

static int
take_text(struct taking *k, const void *p, size_t len)
{
	strbuf_add(k->text, p, len);
	return strbuf_ok(k->text) ? 0 : -1;
}

int
move_source_ask(struct move_source *src, struct arena *a, const char *question, struct dec *out, struct err *err)
{
	struct taking k = { .write = take_text };
	struct err why = { 0 };
	struct strbuf text;

	strbuf_init(&text, a, ANSWER_MAX);
	k.text = &text;
	if (get(src, src->relay[0], a, question, &k, &why) != 0) /* what broke off may be asked again */
		return err_fail(err, why.code == ERR_CLOSED ? ERR_UNAVAILABLE : why.code, why.where, "%s", why.detail);
	if (k.status != 200)
		return refused(src, k.status, question, err);
	dec_init(out, text.buf, text.len);
	if (dec_u8(out) != MOVE_VERSION || out->failed)
		return FAIL(err, ERR_CONFLICT, "region \"%s\" speaks of moves in another release's way", src->home->name);
	return 0;
}

/* ---- blobs ---- */

struct fetch {
	struct move_source *src;
	const struct uuid *blobs;
	struct uuid *ids;
	bool *got;
	size_t n;
	atomic_size_t next;
	atomic_bool stop;
	_Atomic int64_t bytes;
	pthread_mutex_t lock;   /* guards what is below */
	pthread_cond_t changed;
	int running;
	const struct uuid *missing;
	struct err err;
};
struct fetcher {
	struct fetch *f;
	struct relay_thread *relay;
	pthread_t id;
};

static int
take_blob(struct taking *k, const void *p, size_t len)
{
	return move_blob_take(k->blob, p, len, k->err);
}

/* 1: it is not there. */
static int
fetch_one(struct fetch *f, struct relay_thread *relay, struct arena *a, size_t i, struct err *err)
{
	struct taking k = { .write = take_blob, .err = err, .blob = move_blob_new(a, f->src->settings, f->src->store) };
	char text[UUID_TEXT_LEN + 1];
	struct err why = { 0 };
	struct blob_id id;
	int rc;

	if (k.blob == NULL)
		return FAIL(err, ERR_LIMIT, "no memory to fetch a blob");
	uuid_text(&f->blobs[i], text);
	rc = get(f->src, relay, a, arena_printf(a, "blob?id=%s", text), &k, &why);
	if (rc != 0 || k.status != 200)
		move_blob_abort(k.blob);
	if (rc != 0 && err->code != 0)
		return -1;
	if (rc != 0)
		return err_fail(err, why.code == ERR_CLOSED ? ERR_UNAVAILABLE : why.code, why.where, "%s", why.detail);
	if (k.status == 404)
		return 1;
	if (k.status != 200)
		return refused(f->src, k.status, "blob", err);
	if (move_blob_end(k.blob, f->src->home, &f->blobs[i], &id, err) != 0)
		return -1;
	atomic_fetch_add(&f->bytes, move_blob_bytes(k.blob));
	memcpy(f->ids[i].b, id.b, sizeof(id.b));
	f->got[i] = true;
	return 0;
}

static void *
fetcher_main(void *arg)
{
	struct fetcher *me = arg;
	struct fetch *f = me->f;
	struct arena *a = arena_new(FETCH_ARENA);
	size_t i;

	while (!atomic_load(&f->stop) && (i = atomic_fetch_add(&f->next, 1)) < f->n) {
		struct err err = { 0 };
		int rc = fetch_one(f, me->relay, a, i, &err);

		arena_reset(a);
		if (rc == 0)
			continue;
		atomic_store(&f->stop, true);
		pthread_mutex_lock(&f->lock);
		if (rc > 0)
			f->missing = &f->blobs[i];
		else if (f->err.code == 0)
			f->err = err;
		pthread_mutex_unlock(&f->lock);
	}
	arena_free(a);
	pthread_mutex_lock(&f->lock);
	f->running--;
	pthread_cond_signal(&f->changed);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* Until all threads are done, with a tick each second. */
static void
wait_for_all(struct fetch *f, move_tick_fn tick, void *arg)
{
	pthread_mutex_lock(&f->lock);
	while (f->running > 0) {
		int64_t at = clock_wall_us() + TICK_US;
		struct timespec ts = { .tv_sec = (time_t)(at / US_PER_S), .tv_nsec = (long)(at % US_PER_S) * 1000 };
		struct err err = { 0 };
		int rc = pthread_cond_timedwait(&f->changed, &f->lock, &ts);

		if (rc == 0 || atomic_load(&f->stop))
			continue;
		pthread_mutex_unlock(&f->lock);
		rc = tick(arg, &err);
		pthread_mutex_lock(&f->lock);
		if (rc != 0 && f->err.code == 0)
			f->err = err;
		if (rc != 0)
			atomic_store(&f->stop, true);
	}
	pthread_mutex_unlock(&f->lock);
}

static void
take_back(struct fetch *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct err ignored = { 0 }; /* maintain --orphans finds it */
		struct blob_id id;

		memcpy(id.b, f->ids[i].b, sizeof(id.b));
		if (f->got[i] && store_remove(f->src->store, &id, &ignored) != 0)
			continue;
	}
}

static int
run(struct fetch *f, move_tick_fn tick, void *arg)
{
	struct fetcher fetcher[FETCHERS];
	int started = 0, rc = 0;

	while (started < FETCHERS && (size_t)started < f->n && rc == 0) {
		fetcher[started] = (struct fetcher){ f, f->src->relay[started], 0 };
		pthread_mutex_lock(&f->lock);
		f->running++;
		pthread_mutex_unlock(&f->lock);
		rc = pthread_create(&fetcher[started].id, NULL, fetcher_main, &fetcher[started]);
		if (rc == 0)
			started++;
	}
	if (rc != 0) {
		atomic_store(&f->stop, true);
		pthread_mutex_lock(&f->lock);
		f->running--;
		(void)FAIL(&f->err, ERR_INTERNAL, "could not start a thread: %s", strerror(rc));
		pthread_mutex_unlock(&f->lock);
	}
	wait_for_all(f, tick, arg);
	for (int i = 0; i < started; i++)
		(void)pthread_join(fetcher[i].id, NULL);
	return f->err.code != 0 || f->missing != NULL ? -1 : 0;
}

int
move_source_fetch(struct move_source *src, const struct uuid *blobs, struct uuid *ids, size_t n, const struct uuid **missing,
    int64_t *bytes, move_tick_fn tick, void *arg, struct err *err)
{
	struct arena *own = arena_new(n + 65536);
	struct fetch f = { .src = src, .blobs = blobs, .ids = ids, .n = n, .got = arena_array(own, n + 1, sizeof(bool)) };
	int rc;

	ASSERT(f.got != NULL);
	*missing = NULL;
	(void)pthread_mutex_init(&f.lock, NULL);
	(void)pthread_cond_init(&f.changed, NULL);
	rc = run(&f, tick, arg);
	if (rc != 0)
		take_back(&f);
	*missing = f.missing;
	*bytes += atomic_load(&f.bytes);
	(void)pthread_cond_destroy(&f.changed);
	(void)pthread_mutex_destroy(&f.lock);
	arena_free(own);
	if (rc != 0 && f.missing == NULL)
		return err_fail(err, f.err.code, f.err.where, "%s", f.err.detail);
	return 0;
}
