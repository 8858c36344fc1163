/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/inv.h - what the threads of anvil-invalidator share.
 *
 *   source    LISTEN; reads the outbox into the ring, publishes what it read
 *   apply     ring -> stamp pages of every server, at once
 *   beat      each metadata_beat_ms: read pages, ask a source, obtain, CAS; also fills gaps
 *   acks      acknowledgements, own and heard -> items in memcached
 *   hear      what others publish -> ring, acks
 *   answer    questions of others (two threads)
 *   peer      one a peer: asks it, and greets it
 *   report    each second: what operators are told -> items in memcached
 * Each that talks to memcached has connections of its own. Ranks of locks: a
 * module's own lock is held for its own data only, and nothing is called under it
 * but the ring's (last).
 */
#ifndef ANVIL_INVALIDATOR_INV_H
#define ANVIL_INVALIDATOR_INV_H

#include "base/base.h"

#include <nng/nng.h>
#include <pthread.h>
#include <stdatomic.h>

#include "base/settings.h"

#include "invalidator/message.h"
#include "invalidator/ring.h"
#include "meta/cache_server.h"
#include "meta/db.h"
#include "meta/stamp_write.h"

struct acks;
struct answers;
struct apply;
struct beat;
struct links;
struct outbox;
struct peers;
struct regions;
struct reporter;
struct source;

struct inv {
	struct arena *arena;
	const struct settings *settings;
	const char *region;
	uint8_t key[MESSAGE_KEY_LEN];
	uint8_t boot[BOOT_LEN];
	struct cache_servers *servers;
	struct db_pool *db;     /* the global database */
	struct ring *ring;
	struct regions *regions;
	struct links *links;
	struct acks *acks;
	struct apply *apply;
	struct peers *peers;
	struct answers *answers;
	struct source *source;
	struct outbox *outbox;
	struct beat *beat;
	struct reporter *reporter;
	atomic_bool stop;       /* every thread ends soon after */
	atomic_bool is_source;  /* the primary answered at the last try */
	_Atomic int64_t beat_us; /* when the last round of beats ended well (monotonic); 0 never */
	_Atomic int64_t refused_us; /* when the last refusal was logged */
	_Atomic int64_t alive_us; /* when the beat thread last passed its loop: for the watchdog */
};

/* Everything, running. ERR_INVALID: settings. s must outlive it. */
MUST_CHECK int inv_open(const struct settings *s, struct inv **out, struct err *err);
void inv_close(struct inv *inv);

/* A module: x_new makes it; when all are made x_start starts its threads; x_stop waits for them, after
 * inv->stop is set; when all have stopped x_free frees it. */
struct inv_thread {
	pthread_t id;
	bool running;
};
MUST_CHECK int inv_thread(struct inv_thread *t, void *(*fn)(void *), void *arg, struct err *err);
void inv_join(struct inv_thread *t);
/* is_source changes: logged and measured once. */
void inv_set_source(struct inv *inv, bool is, const char *reason);
/* A message was refused: counted, and logged at most once a second. */
void inv_refused(struct inv *inv, const char *why, const char *who);

/* ---- link.c: NNG addresses, plain or tls+tcp:// ---- */
#define LINK_ADDRESS_MAX 256
void links_new(struct inv *inv);
void links_free(struct inv *inv);
/* Reads the certificates, when there are. ERR_INVALID: the settings. */
MUST_CHECK int links_open(struct inv *inv, struct err *err);
/* 0 or NNG's code. What is dialled is tried until link_close, or until the socket is closed (call it all the same). */
MUST_CHECK int link_dial(struct inv *inv, nng_socket socket, const char *address);
void link_close(struct inv *inv, nng_socket socket, const char *address);
MUST_CHECK int link_listen(struct inv *inv, nng_socket socket, const char *address);
/* In the beat thread: tells who is refused, once a change, and dials anew what NNG gave up. */
void links_look(struct inv *inv);

/* ---- regions.c: the table of regions, in memory ---- */
void regions_new(struct inv *inv);
void regions_free(struct inv *inv);
/* A copy of what is known, the arena's. */
const struct message_region *regions_list(struct regions *r, struct arena *a, size_t *n);
/* Something about regions changed: read them again soon. */
void regions_stale(struct regions *r);
/* In the beat thread: reads them when stale or old, from the database or a peer, and tells the peers. */
void regions_refresh(struct inv *inv);

/* ---- acks.c ---- */
void acks_new(struct inv *inv);
MUST_CHECK int acks_start(struct inv *inv, struct err *err);
void acks_stop(struct inv *inv);
void acks_free(struct inv *inv);
void acks_heard(struct acks *k, const char *region, const struct event_clock *clock);
struct ack_heard {
	char region[CACHE_REGION_MAX + 1];
	struct event_clock clock;
	int64_t heard_us; /* the last time (monotonic) */
};
/* What was heard of each region, at most max; how many. */
size_t acks_list(struct acks *k, struct ack_heard *out, size_t max);

/* ---- apply.c ---- */
void apply_new(struct inv *inv);
MUST_CHECK int apply_start(struct inv *inv, struct err *err);
void apply_stop(struct inv *inv);
void apply_free(struct inv *inv);
/* A round of beats told every page of every server all through q. */
void apply_beaten(struct inv *inv, const struct event_clock *q);
/* Says again what this region has acknowledged. */
void apply_say_ack(struct inv *inv);
struct event_clock apply_acked(struct inv *inv);

/* ---- source.c ---- */
void source_new(struct inv *inv);
MUST_CHECK int source_start(struct inv *inv, struct err *err);
void source_stop(struct inv *inv);
void source_free(struct inv *inv);
/* Asks the primary now. 1 answered; 0 it does not know the asker; -1 no primary. seen: the highest number the asker saw. */
MUST_CHECK int source_clock(struct inv *inv, const char *asker, const struct event_clock *seen, struct event_clock *q,
    struct err *err);
/*
 * Reads the outbox into the ring up to `through` (0: to its end), and publishes
 * what is new. false: database away. Less than through may be there: pruned.
 */
MUST_CHECK bool source_pump(struct inv *inv, uint64_t through);

/* ---- outbox.c: in the source's thread ---- */
void outbox_new(struct inv *inv);
void outbox_free(struct inv *inv);
/* Tells the primary what was heard of the regions and forgets a batch of events, when that is due. */
void outbox_turn(struct inv *inv);

/* ---- beat.c ---- */
void beat_new(struct inv *inv);
MUST_CHECK int beat_start(struct inv *inv, struct err *err);
void beat_stop(struct inv *inv);
void beat_free(struct inv *inv);
void beat_now(struct inv *inv); /* does not wait for the next turn: a gap, or another epoch */

/* ---- report.c: what operators are told ---- */
void report_new(struct inv *inv);
MUST_CHECK int report_start(struct inv *inv, struct err *err);
void report_stop(struct inv *inv);
void report_free(struct inv *inv);

/* ---- peers.c: what others publish is heard, and they are asked ---- */
void peers_new(struct inv *inv);
/* Opens and listens. ERR_INVALID: an address that cannot be listened at. */
MUST_CHECK int peers_start(struct inv *inv, struct err *err);
void peers_stop(struct inv *inv);
void peers_free(struct inv *inv);
/* In the beat thread: whom to listen to from now on. */
void peers_update(struct inv *inv, const struct message_region *r, size_t n);
void peers_publish(struct inv *inv, struct message *m); /* fills in sender, boot, sequence */
/*
 * Asks every peer at once; the first answer that `wanted` takes wins (it is called
 * in a peer's thread). The decoded answer is the arena's. false: nobody answered so in time.
 */
typedef bool (*answer_fn)(const struct message *answer, void *arg);
MUST_CHECK bool peers_ask(struct inv *inv, const struct message *question, answer_fn wanted, void *arg, struct arena *a,
    struct message *answer);
int peers_up(struct inv *inv);           /* how many answer */
uint64_t peers_published(struct inv *inv); /* sequence of the last */

/* ---- answers.c: the other side of peers_ask ---- */
void answers_new(struct inv *inv);
MUST_CHECK int answers_start(struct inv *inv, const char *address, struct err *err);
void answers_stop(struct inv *inv);
void answers_free(struct inv *inv);

/* ---- daemon.c ---- */
/* To the background: the parent waits until daemon_ready, so that whoever started it knows. */
MUST_CHECK int daemon_fork(struct err *err);
void daemon_ready(void);                  /* and READY=1 to systemd */
void daemon_notify(const char *state);    /* NOTIFY_SOCKET, when there is one */
int64_t daemon_watchdog_us(void);         /* how often WATCHDOG=1 is due; 0 = not wanted */
MUST_CHECK int daemon_pid_file(const char *path, struct err *err);

#endif
