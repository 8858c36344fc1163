/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/peers.c - the other invalidators: what they publish (NNG SUB) goes
 * into the ring, and each is asked by a thread of its own (REQ).
 *
 * Blocks:    in its threads, and in peers_ask for at most ASK_US.
 * Invariant: nothing of a message is believed before its HMAC, and nothing
 *            published before its sender has answered a challenge: until then its
 *            sequence is not known, and an old recording could pass for news.
 *            What is lost by that, or by PUB, shows as a gap and is fetched.
 */
#include "invalidator/inv.h"

#include <nng/protocol/pubsub0/pub.h>
#include <nng/protocol/pubsub0/sub.h>
#include <nng/protocol/reqrep0/req.h>

#include "base/clock.h"
#include "base/crypto.h"
#include "base/log.h"
#include "base/metrics.h"

#define PEERS_MAX 64
#define ADDRESS_MAX LINK_ADDRESS_MAX
#define SEND_MS 200
#define ASK_MS 700
#define ASK_US ((SEND_MS + ASK_MS) * US_PER_MS)
#define HELLO_US (2 * US_PER_S)
#define HELLO_FIRST_US (200 * US_PER_MS) /* while a peer has never answered */
#define QUEUE 256                        /* messages held for a subscriber, and by one */

struct peer {
	struct peers *all;
	char region[CACHE_REGION_MAX + 1]; /* "" of a peer of the settings, until it says */
	char pub[ADDRESS_MAX], rep[ADDRESS_MAX];
	bool used, bootstrap, keep;
	nng_socket req;
	struct inv_thread thread;
	/* The peers' lock guards the rest. */
	bool end, up, self, greet_now;
	int failures;
	uint64_t job;      /* number of the question it was given last */
	uint64_t finished; /* and that it is done with */
};
struct peers {
	struct arena *arena;
	struct inv *inv;
	nng_socket pub, sub;
	bool open;
	char own_pub[2][ADDRESS_MAX]; /* as listened at, as advertised */
	struct inv_thread hear;
	struct peer peer[PEERS_MAX];
	pthread_mutex_t sending;   /* guards published; held while PUB queues, so that sequences go out in order */
	uint64_t published;
	struct arena *out;         /* of the message that is being sent */
	pthread_mutex_t asking;    /* one question at a time */
	pthread_mutex_t lock;      /* guards the rest and the peers' own part */
	pthread_cond_t changed;
	struct replay heard;
	uint64_t questions;        /* sequence */
	struct {
		uint64_t number;
		struct message message;
		answer_fn wanted;
		void *arg;
		nng_msg *answer;   /* the first that was wanted */
	} ask;
};

/* ---- publishing ---- */

void
peers_publish(struct inv *inv, struct message *m)
{
	struct peers *ps = inv->peers;
	struct strbuf sb;

	if (!ps->open)
		return;
	snprintf(m->sender, sizeof(m->sender), "%s", inv->region);
	memcpy(m->boot, inv->boot, BOOT_LEN);
	pthread_mutex_lock(&ps->sending);
	m->seq = ++ps->published;
	strbuf_init(&sb, ps->out, MESSAGE_MAX);
	message_encode(&sb, m, inv->key);
	if (strbuf_ok(&sb)) /* PUB never waits; what a slow subscriber loses it fetches */
		(void)nng_send(ps->pub, sb.buf, sb.len, NNG_FLAG_NONBLOCK);
	arena_reset(ps->out);
	pthread_mutex_unlock(&ps->sending);
}

uint64_t
peers_published(struct inv *inv)
{
	uint64_t n;

	pthread_mutex_lock(&inv->peers->sending);
	n = inv->peers->published;
	pthread_mutex_unlock(&inv->peers->sending);
	return n;
}

/* ---- hearing ---- */

/* Whoever it may be is greeted, and so introduces itself. */
static void
greet(struct peers *ps, const char *region)
{
	pthread_mutex_lock(&ps->lock);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (ps->peer[i].used && (ps->peer[i].region[0] == '\0' || strcmp(ps->peer[i].region, region) == 0))
			ps->peer[i].greet_now = true;
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
}

static void
heard_events(struct inv *inv, const struct message *m)
{
	struct stamp_news news = { .from = m->from, .through = m->through, .events = m->events, .n = m->n_events };

	memcpy(news.epoch, m->clock.epoch, EPOCH_LEN);
	switch (ring_put(inv->ring, &news)) {
	case RING_GAP:
	case RING_EPOCH:
		beat_now(inv);
		break;
	case RING_NEW:
	case RING_OLD:
		break;
	}
}

static void
heard(struct peers *ps, const void *p, size_t len, struct arena *a)
{
	struct inv *inv = ps->inv;
	enum replay_verdict v;
	struct message m;

	switch (message_decode(p, len, inv->key, a, &m)) {
	case MESSAGE_OK:
		break;
	case MESSAGE_FORGED:
		inv_refused(inv, "a published message is not authenticated", "");
		return;
	case MESSAGE_MALFORMED:
		inv_refused(inv, "a published message is malformed", m.sender);
		return;
	}
	if (memcmp(m.boot, inv->boot, BOOT_LEN) == 0)
		return;
	pthread_mutex_lock(&ps->lock);
	v = replay_check(&ps->heard, m.boot, m.seq);
	pthread_mutex_unlock(&ps->lock);
	if (v == REPLAY_UNKNOWN) {
		greet(ps, m.sender);
	} else if (v == REPLAY_AGAIN) {
		inv_refused(inv, "a published message came again", m.sender);
	} else if (m.type == MSG_EVENTS) {
		heard_events(inv, &m);
	} else if (m.type == MSG_ACK) {
		acks_heard(inv->acks, m.sender, &m.clock);
	} else {
		inv_refused(inv, "a message of this type is not published", m.sender);
	}
}

static void *
hear_run(void *arg)
{
	struct peers *ps = arg;
	struct arena *a = arena_new(1 << 20);
	nng_msg *msg;
	int rc;

	while (!atomic_load(&ps->inv->stop)) {
		rc = nng_recvmsg(ps->sub, &msg, 0);
		if (rc == NNG_ECLOSED)
			break;
		if (rc != 0) {
			clock_sleep_us(10 * US_PER_MS);
			continue;
		}
		heard(ps, nng_msg_body(msg), nng_msg_len(msg), a);
		nng_msg_free(msg);
		arena_reset(a);
	}
	arena_free(a);
	return NULL;
}

/* ---- asking one peer ---- */

/* Question and answer. NULL: none that is right. *out is the arena's. */
static nng_msg *
exchange(struct peer *p, struct message *question, struct arena *a, struct message *out)
{
	struct peers *ps = p->all;
	struct inv *inv = ps->inv;
	struct strbuf sb;
	nng_msg *msg;

	snprintf(question->sender, sizeof(question->sender), "%s", inv->region);
	memcpy(question->boot, inv->boot, BOOT_LEN);
	crypto_random(question->nonce, NONCE_LEN);
	pthread_mutex_lock(&ps->lock);
	question->seq = ++ps->questions;
	pthread_mutex_unlock(&ps->lock);
	strbuf_init(&sb, a, MESSAGE_MAX);
	message_encode(&sb, question, inv->key);
	if (!strbuf_ok(&sb) || nng_send(p->req, sb.buf, sb.len, 0) != 0 || nng_recvmsg(p->req, &msg, 0) != 0)
		return NULL;
	if (message_decode(nng_msg_body(msg), nng_msg_len(msg), inv->key, a, out) == MESSAGE_OK &&
	    message_is_answer(out->type) && crypto_equal(out->nonce, question->nonce, NONCE_LEN))
		return msg;
	inv_refused(inv, "an answer is not authenticated, or answers something else", p->region);
	nng_msg_free(msg);
	return NULL;
}

static void
say_peer(struct peer *p, bool up)
{
	if (up)
		log_event(NULL, EV_INV_PEER_UP, LS("region", p->region), LS("address", p->rep));
	else
		log_event(NULL, EV_INV_PEER_DOWN, LS("region", p->region), LS("address", p->rep));
}

static void
say_hello(struct peer *p, struct arena *a)
{
	struct message question = { .type = MSG_ASK_HELLO }, answer;
	struct peers *ps = p->all;
	nng_msg *msg = exchange(p, &question, a, &answer);
	bool ok = msg != NULL && answer.type == MSG_HELLO && answer.code == ANSWER_OK, was;

	if (msg != NULL)
		nng_msg_free(msg);
	pthread_mutex_lock(&ps->lock);
	was = p->up;
	p->failures = ok ? 0 : p->failures + 1;
	if (ok) {
		p->self = memcmp(answer.boot, ps->inv->boot, BOOT_LEN) == 0;
		p->up = !p->self;
		replay_introduce(&ps->heard, answer.boot, answer.pub_seq);
		if (p->region[0] == '\0')
			snprintf(p->region, sizeof(p->region), "%s", answer.sender);
	} else if (p->failures >= 2) {
		p->up = false;
	}
	ok = p->up;
	pthread_mutex_unlock(&ps->lock);
	if (ok != was) {
		say_peer(p, ok);
		if (ok && !atomic_load(&ps->inv->is_source))
			beat_now(ps->inv); /* somebody to ask */
	}
}

/* The question that is open; its answer is handed over when it is wanted. */
static void
answer_open_question(struct peer *p, uint64_t job, struct message *question, answer_fn wanted, void *arg, struct arena *a)
{
	struct peers *ps = p->all;
	struct message answer;
	nng_msg *msg = exchange(p, question, a, &answer);

	pthread_mutex_lock(&ps->lock);
	if (msg != NULL && ps->ask.number == job && ps->ask.answer == NULL && ps->ask.wanted != NULL && wanted(&answer, arg)) {
		ps->ask.answer = msg;
		msg = NULL;
	}
	p->finished = job;
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
	if (msg != NULL)
		nng_msg_free(msg);
}

static void *
peer_run(void *arg)
{
	struct peer *p = arg;
	struct peers *ps = p->all;
	struct arena *a = arena_new(1 << 20);
	int64_t hello_us = 0;
	struct timespec ts;

	pthread_mutex_lock(&ps->lock);
	while (!p->end) {
		if (p->job != p->finished) {
			uint64_t job = p->job = ps->ask.number; /* a newer one, when that is open by now */
			struct message question = ps->ask.message;
			answer_fn wanted = ps->ask.wanted;
			void *wanted_arg = ps->ask.arg;

			if (wanted == NULL) {
				p->finished = job; /* too late for it */
				continue;
			}
			pthread_mutex_unlock(&ps->lock);
			answer_open_question(p, job, &question, wanted, wanted_arg, a);
			arena_reset(a);
			pthread_mutex_lock(&ps->lock);
		} else if (p->greet_now || clock_mono_us() >= hello_us) {
			p->greet_now = false;
			pthread_mutex_unlock(&ps->lock);
			say_hello(p, a);
			arena_reset(a);
			pthread_mutex_lock(&ps->lock);
			hello_us = clock_mono_us() + (p->up || p->self ? HELLO_US : HELLO_FIRST_US);
		} else {
			ts.tv_sec = (time_t)(hello_us / US_PER_S);
			ts.tv_nsec = (long)(hello_us % US_PER_S) * 1000;
			pthread_cond_timedwait(&ps->changed, &ps->lock, &ts);
		}
	}
	pthread_mutex_unlock(&ps->lock);
	arena_free(a);
	return NULL;
}

/* ---- asking all ---- */

static bool
anyone_left(const struct peers *ps)
{
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (ps->peer[i].used && ps->peer[i].job == ps->ask.number && ps->peer[i].finished != ps->ask.number)
			return true;
	return false;
}

bool
peers_ask(struct inv *inv, const struct message *question, answer_fn wanted, void *arg, struct arena *a,
    struct message *answer)
{
	struct peers *ps = inv->peers;
	int64_t until = clock_mono_us() + ASK_US;
	struct timespec ts = { (time_t)(until / US_PER_S), (long)(until % US_PER_S) * 1000 };
	nng_msg *msg;
	bool ok = false;

	pthread_mutex_lock(&ps->asking);
	pthread_mutex_lock(&ps->lock);
	ps->ask.number++;
	ps->ask.message = *question;
	ps->ask.wanted = wanted;
	ps->ask.arg = arg;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		struct peer *p = &ps->peer[i];

		/* One that is still busy with an older question, or is silent, is not waited for. */
		if (p->used && !p->end && !p->self && p->up && p->job == p->finished)
			p->job = ps->ask.number;
	}
	pthread_cond_broadcast(&ps->changed);
	while (ps->ask.answer == NULL && anyone_left(ps) && !atomic_load(&inv->stop))
		if (pthread_cond_timedwait(&ps->changed, &ps->lock, &ts) != 0)
			break;
	msg = ps->ask.answer;
	ps->ask.answer = NULL;
	ps->ask.wanted = NULL; /* later answers are of no use */
	pthread_mutex_unlock(&ps->lock);
	if (msg != NULL) {
		ok = message_decode(nng_msg_body(msg), nng_msg_len(msg), inv->key, a, answer) == MESSAGE_OK;
		nng_msg_free(msg);
	}
	pthread_mutex_unlock(&ps->asking);
	return ok;
}

int
peers_up(struct inv *inv)
{
	int n = 0;

	pthread_mutex_lock(&inv->peers->lock);
	for (size_t i = 0; i < PEERS_MAX; i++)
		n += inv->peers->peer[i].used && inv->peers->peer[i].up;
	pthread_mutex_unlock(&inv->peers->lock);
	return n;
}

/* ---- who is a peer ---- */

static bool
open_peer(struct peers *ps, struct peer *p)
{
	struct err err = { 0 };

	if (nng_req0_open(&p->req) != 0)
		return false;
	nng_socket_set_ms(p->req, NNG_OPT_SENDTIMEO, SEND_MS);
	nng_socket_set_ms(p->req, NNG_OPT_RECVTIMEO, ASK_MS);
	nng_socket_set_ms(p->req, NNG_OPT_RECONNMINT, 50);
	nng_socket_set_ms(p->req, NNG_OPT_RECONNMAXT, 400);
	nng_socket_set_size(p->req, NNG_OPT_RECVMAXSZ, MESSAGE_MAX);
	/* A question said twice would bear one sequence twice, and be refused. */
	nng_socket_set_ms(p->req, NNG_OPT_REQ_RESENDTIME, NNG_DURATION_INFINITE);
	if (link_dial(ps->inv, p->req, p->rep) != 0 || link_dial(ps->inv, ps->sub, p->pub) != 0 ||
	    inv_thread(&p->thread, peer_run, p, &err) != 0) {
		log_event(NULL, EV_INV_PEER_DOWN, LS("region", p->region), LS("address", p->rep), LS("reason", "no such address"));
		link_close(ps->inv, p->req, p->rep);
		link_close(ps->inv, ps->sub, p->pub);
		nng_close(p->req);
		return false;
	}
	return true;
}

static void
close_peer(struct peers *ps, struct peer *p)
{
	pthread_mutex_lock(&ps->lock);
	p->end = true;
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
	link_close(ps->inv, p->req, p->rep);
	link_close(ps->inv, ps->sub, p->pub);
	nng_close(p->req);
	inv_join(&p->thread);
	pthread_mutex_lock(&ps->lock);
	memset(p, 0, sizeof(*p));
	pthread_mutex_unlock(&ps->lock);
}

/* Only the beat thread (and the start before it) adds and removes peers. */
static void
want_peer(struct peers *ps, const char *region, struct span pub, struct span rep, bool bootstrap)
{
	struct peer *slot = NULL, *p;

	if (pub.len >= ADDRESS_MAX || rep.len >= ADDRESS_MAX || pub.len == 0 || rep.len == 0)
		return;
	for (size_t i = 0; i < 2; i++)
		if (span_eq(pub, span_of(ps->own_pub[i])))
			return;
	for (size_t i = 0; i < PEERS_MAX; i++) {
		p = &ps->peer[i];
		if (!p->used) {
			slot = slot == NULL ? p : slot;
		} else if (span_eq(pub, span_of(p->pub)) && span_eq(rep, span_of(p->rep))) {
			p->keep = true;
			return;
		}
	}
	if (slot == NULL)
		return;
	slot->all = ps;
	slot->keep = true;
	slot->bootstrap = bootstrap;
	snprintf(slot->region, sizeof(slot->region), "%s", region);
	memcpy(slot->pub, pub.p, pub.len);
	memcpy(slot->rep, rep.p, rep.len);
	if (!open_peer(ps, slot)) {
		memset(slot, 0, sizeof(*slot));
		return;
	}
	pthread_mutex_lock(&ps->lock);
	slot->used = true;
	pthread_mutex_unlock(&ps->lock);
}

static struct span
next_word(const char **cur)
{
	struct span w;

	*cur += strspn(*cur, " \t");
	w.p = *cur;
	w.len = strcspn(*cur, " \t");
	*cur += w.len;
	return w;
}

/* The i-th PUB address belongs to the i-th REP address. */
static void
want_peers(struct peers *ps, const char *region, const char *pub, const char *rep, bool bootstrap)
{
	struct span p, r;

	while ((p = next_word(&pub)).len > 0 && (r = next_word(&rep)).len > 0)
		want_peer(ps, region, p, r, bootstrap);
}

void
peers_update(struct inv *inv, const struct message_region *r, size_t n)
{
	struct peers *ps = inv->peers;

	for (size_t i = 0; i < PEERS_MAX; i++)
		ps->peer[i].keep = ps->peer[i].bootstrap;
	for (size_t i = 0; i < n; i++)
		want_peers(ps, r[i].name, r[i].pub, r[i].rep, false);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (ps->peer[i].used && !ps->peer[i].keep)
			close_peer(ps, &ps->peer[i]);
}

/* ---- life ---- */

void
peers_new(struct inv *inv)
{
	struct arena *a = arena_new(sizeof(struct peers) + 256);
	struct peers *ps = ARENA_NEW(a, struct peers);

	ASSERT(ps != NULL);
	ps->arena = a;
	ps->inv = inv;
	ps->out = arena_new(4 * MESSAGE_MAX);
	pthread_mutex_init(&ps->sending, NULL);
	pthread_mutex_init(&ps->asking, NULL);
	pthread_mutex_init(&ps->lock, NULL);
	clock_cond_init(&ps->changed);
	inv->peers = ps;
}

int
peers_start(struct inv *inv, struct err *err)
{
	const struct settings *s = inv->settings;
	struct peers *ps = inv->peers;
	const char *advertised = s->invalidator_advertise, *word;
	int rc;

	if (nng_pub0_open(&ps->pub) != 0)
		return FAIL(err, ERR_INTERNAL, "could not open a PUB socket");
	if (nng_sub0_open(&ps->sub) != 0) {
		nng_close(ps->pub);
		return FAIL(err, ERR_INTERNAL, "could not open a SUB socket");
	}
	ps->open = true;
	nng_socket_set_int(ps->pub, NNG_OPT_SENDBUF, QUEUE);
	nng_socket_set_int(ps->sub, NNG_OPT_RECVBUF, QUEUE);
	nng_socket_set_size(ps->sub, NNG_OPT_RECVMAXSZ, MESSAGE_MAX);
	nng_socket_set_ms(ps->sub, NNG_OPT_RECONNMINT, 50);
	nng_socket_set_ms(ps->sub, NNG_OPT_RECONNMAXT, 400);
	nng_socket_set(ps->sub, NNG_OPT_SUB_SUBSCRIBE, "", 0);
	snprintf(ps->own_pub[0], ADDRESS_MAX, "%s", s->invalidator_listen[0]);
	word = advertised;
	snprintf(ps->own_pub[1], ADDRESS_MAX, "%.*s", (int)next_word(&word).len, advertised);
	rc = link_listen(inv, ps->pub, ps->own_pub[0]);
	if (rc != 0)
		return FAIL(err, ERR_INVALID, "could not publish at \"%s\" (invalidator_listen): %s", ps->own_pub[0], nng_strerror(rc));
	for (const char *const *b = s->invalidator_peers; b != NULL && *b != NULL; b++) {
		const char *cur = *b;
		struct span pub = next_word(&cur), rep = next_word(&cur);

		want_peer(ps, "", pub, rep, true);
	}
	return inv_thread(&ps->hear, hear_run, ps, err);
}

void
peers_stop(struct inv *inv)
{
	struct peers *ps = inv->peers;

	if (!ps->open)
		return;
	pthread_mutex_lock(&ps->lock);
	pthread_cond_broadcast(&ps->changed);
	pthread_mutex_unlock(&ps->lock);
	nng_close(ps->sub);
	inv_join(&ps->hear);
	for (size_t i = 0; i < PEERS_MAX; i++)
		if (ps->peer[i].used)
			close_peer(ps, &ps->peer[i]);
}

void
peers_free(struct inv *inv)
{
	struct peers *ps = inv->peers;

	if (ps->open)
		nng_close(ps->pub);
	pthread_mutex_destroy(&ps->sending);
	pthread_mutex_destroy(&ps->asking);
	pthread_mutex_destroy(&ps->lock);
	pthread_cond_destroy(&ps->changed);
	arena_free(ps->out);
	arena_free(ps->arena);
}
