/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/worker.c - one worker process: threads that accept and serve.
 *
 * Owns:       struct worker and its threads; each thread its arena, its metadata
 *             connections and one stream buffer.
 * Called by:  supervisor.c after fork, main.c.
 * Blocks:     yes.
 * Invariant:  a thread serves one request at a time; its arena is empty between two.
 */
#include "fcgi/worker.h"

#include <malloc.h>
#include <pthread.h>
#include <signal.h>

#include "base/chunk_seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"
#include "base/thread.h"
#include "fcgi/deliver.h"
#include "fcgi/dispatch.h"
#include "fcgi/http_cgi.h"
#include "fcgi/http_fcgi.h"
#include "fcgi/tally.h"

#define MALLOC_ARENAS 4 /* libfcgi and libpq allocate in small pieces; more arenas only cost memory */
#define WAKE_EVERY_US (20 * US_PER_MS)

struct server {
	struct thread t;
	struct http_fcgi *fcgi;
	pthread_t id;
	bool running;          /* started and not joined */
	bool done;             /* atomic: its last request is over */
};

int
worker_open(const struct settings *s, struct worker *w, int meta_flags, struct err *err)
{
	uint8_t random[32];

	*w = (struct worker){ .settings = s };
	crypto_random(random, sizeof(random));
	base64_encode(random, sizeof(random), w->host_id);
	w->arena = arena_new(SIZE_MAX);
	w->signing_keys = signing_keys_new(w->arena);
	w->relays = relays_new(s);
	if (meta_open(s, meta_flags, &w->meta, err) != 0 || store_open(s, &w->store, err) != 0) {
		worker_close(w);
		return -1;
	}
	return 0;
}

void
worker_close(struct worker *w)
{
	if (w->signing_keys != NULL)
		signing_keys_wipe(w->signing_keys);
	relays_free(w->relays);
	store_close(w->store);
	meta_close(w->meta);
	arena_free(w->arena);
	*w = (struct worker){ 0 };
}

static int
thread_open(struct worker *w, struct thread *t, struct err *err)
{
	*t = (struct thread){ .worker = w, .settings = w->settings, .store = w->store };
	crypto_random(&t->id_state, sizeof(t->id_state));
	t->buf_size = STREAM_BUF_BYTES;
	t->buf = arena_alloc(w->arena, t->buf_size);
	t->seal_buf = arena_alloc(w->arena, CHUNK_SEAL_SIZE);
	t->arena = arena_new((size_t)w->settings->request_arena_bytes);
	t->relay = relay_thread_new(w->relays);
	return meta_thread_new(w->meta, &t->meta, err);
}

static void
thread_close(struct thread *t)
{
	relay_thread_free(t->relay);
	meta_thread_free(t->meta);
	arena_free(t->arena);
	*t = (struct thread){ 0 };
}

static void *
server_main(void *arg)
{
	struct server *sv = arg;
	struct worker *w = sv->t.worker;
	struct http *h;

	while ((h = http_fcgi_accept(sv->fcgi, &w->stop)) != NULL) {
		metric_add(M_THREADS_BUSY, 1);
		serve(&sv->t, h);
		http_fcgi_finish(sv->fcgi);
		arena_reset(sv->t.arena);
		metric_add(M_THREADS_BUSY, -1);
	}
	http_fcgi_close(sv->fcgi);
	/* The listening socket is of no use any more: a process that takes no requests must not stay. */
	if (!__atomic_load_n(&w->stop, __ATOMIC_ACQUIRE)) {
		log_event(NULL, EV_FATAL, LS("reason", "the listening socket takes no connections"));
		(void)kill(getpid(), SIGTERM);
	}
	__atomic_store_n(&sv->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static int
server_start(struct worker *w, int fd, struct server *sv, struct err *err)
{
	if (thread_open(w, &sv->t, err) != 0)
		return -1;
	sv->fcgi = http_fcgi_new(w->arena, fd);
	if (sv->fcgi == NULL)
		return FAIL(err, ERR_INTERNAL, "libfcgi could not be set up");
	sv->running = thread_start_small(&sv->id, server_main, sv, err) == 0;
	return sv->running ? 0 : -1;
}

/* Wakes who waits for a request, lets the others finish; the number that did not in time. */
static int
servers_stop(struct worker *w, struct server *sv, int n)
{
	int64_t end = clock_mono_us() + w->settings->drain_s * US_PER_S;
	int left;

	__atomic_store_n(&w->stop, true, __ATOMIC_RELEASE);
	for (;;) {
		left = 0;
		for (int i = 0; i < n; i++) {
			if (!sv[i].running)
				continue;
			if (__atomic_load_n(&sv[i].done, __ATOMIC_ACQUIRE)) {
				(void)pthread_join(sv[i].id, NULL);
				sv[i].running = false;
				continue;
			}
			(void)pthread_kill(sv[i].id, HTTP_FCGI_WAKE);
			left++;
		}
		if (left == 0 || clock_mono_us() >= end)
			return left;
		clock_sleep_us(WAKE_EVERY_US);
	}
}

static void
on_wake(int sig)
{
	(void)sig; /* its arrival is the message: a system call returns EINTR */
}

/* Every thread inherits this mask; signals are taken by the main thread alone. */
static void
signals_setup(sigset_t *waited)
{
	struct sigaction wake = { .sa_handler = on_wake };
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	sigset_t blocked;

	(void)sigaction(HTTP_FCGI_WAKE, &wake, NULL);
	(void)sigaction(SIGPIPE, &ignore, NULL);
	(void)sigaction(SIGXFSZ, &ignore, NULL); /* a limit on file sizes is "no space" to the store, not our end */
	(void)sigemptyset(waited);
	(void)sigaddset(waited, SIGTERM);
	(void)sigaddset(waited, SIGINT);
	(void)sigaddset(waited, SIGHUP);
	blocked = *waited;
	(void)sigaddset(&blocked, HTTP_FCGI_WAKE);
	(void)sigprocmask(SIG_BLOCK, &blocked, NULL);
}

static int
worker_fail(const struct err *err)
{
	log_event(NULL, EV_FATAL, LS("reason", err->detail), LS("where", err->where));
	return 1;
}

int
worker_run(const struct settings *s, int fd)
{
	struct worker w;
	struct server *servers;
	struct err err = { 0 };
	sigset_t waited;
	int sig, left, n = (int)s->threads;

	(void)mallopt(M_ARENA_MAX, MALLOC_ARENAS);
	signals_setup(&waited);
	if (http_fcgi_setup() != 0)
		return worker_fail(&err);
	if (worker_open(s, &w, META_CACHE | META_REGIONAL, &err) != 0)
		return worker_fail(&err);
	if (deliver_start(&w, &w.deliverers, &err) != 0 || tally_start(&w, &w.tally, &err) != 0)
		return worker_fail(&err);
	servers = arena_array(w.arena, (size_t)n, sizeof(*servers));
	ASSERT(servers != NULL);
	for (int i = 0; i < n; i++)
		if (server_start(&w, fd, &servers[i], &err) != 0)
			return worker_fail(&err);
	log_event(NULL, EV_START, LS("what", "worker"), LS("region", s->region), LI("threads", n));
	do {
		sig = sigwaitinfo(&waited, NULL);
		if (sig == SIGHUP)
			log_reopen();
	} while (sig != SIGTERM && sig != SIGINT);
	left = servers_stop(&w, servers, n);
	log_event(NULL, EV_STOP, LS("what", "worker"), LI("requests_cut_off", left));
	deliver_stop(w.deliverers);
	tally_stop(w.tally);
	if (left > 0)
		_exit(0); /* what these threads use must stay */
	for (int i = 0; i < n; i++)
		thread_close(&servers[i].t);
	worker_close(&w);
	return 0;
}

int
worker_once(const struct settings *s, char **env)
{
	struct worker w;
	struct thread t;
	struct http_cgi cgi;
	struct err err = { 0 };
	sigset_t waited;

	signals_setup(&waited);
	(void)sigprocmask(SIG_UNBLOCK, &waited, NULL);
	/* No cache: trust in it takes longer to win than one request takes. */
	if (worker_open(s, &w, META_REGIONAL, &err) != 0)
		return worker_fail(&err);
	if (thread_open(&w, &t, &err) != 0)
		return worker_fail(&err);
	http_cgi_init(&cgi, env, STDIN_FILENO, STDOUT_FILENO);
	serve(&t, &cgi.http);
	thread_close(&t);
	worker_close(&w);
	return 0;
}
