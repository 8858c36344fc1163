/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/answers.c - questions of other invalidators (NNG REP).
 *
 * Blocks:    in threads of its own; the question for n on PostgreSQL.
 * Invariant: "what is n?" is answered by asking the primary after the question
 *            arrived, for regions that the primary knows as active; an invalidator
 *            that is no source says so. Who is not authenticated gets no answer.
 */
#include "invalidator/inv.h"

#include <nng/protocol/reqrep0/rep.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"

#define THREADS 2 /* one may wait for the database while the other tells events */

struct answerer {
	struct answers *all;
	struct inv_thread thread;
	struct stamp_event *buf; /* MESSAGE_EVENTS_MAX */
};
struct answers {
	struct arena *arena;
	struct inv *inv;
	nng_socket rep;
	bool open;
	struct answerer answerer[THREADS];
	pthread_mutex_t lock; /* guards asked */
	struct replay asked;
};

static void
tell_clock(struct inv *inv, const struct message *question, struct message *answer)
{
	struct err err = { 0 };

	answer->type = MSG_CLOCK;
	answer->code = ANSWER_NOT_SOURCE;
	if (!atomic_load(&inv->is_source))
		return;
	fault_point(FAULT_POINT_answer_before_ask);
	switch (source_clock(inv, question->sender, &question->clock, &answer->clock, &err)) {
	case 1:
		answer->code = ANSWER_OK;
		break;
	case 0:
		answer->code = ANSWER_NOT_KNOWN;
		break;
	default:
		inv_set_source(inv, false, err.detail);
		break;
	}
	fault_point(FAULT_POINT_answer_before_send);
}

static void
tell_events(struct answerer *me, const struct message *question, struct message *answer)
{
	struct stamp_news news;

	answer->type = MSG_SOME_EVENTS;
	answer->code = ANSWER_MISSING;
	answer->clock = question->clock;
	answer->from = answer->through = question->clock.n;
	if (!ring_read(me->all->inv->ring, question->clock.epoch, question->clock.n, me->buf, MESSAGE_EVENTS_MAX, &news))
		return;
	answer->code = ANSWER_OK;
	answer->from = news.from;
	answer->through = answer->clock.n = news.through;
	answer->events = news.events;
	answer->n_events = news.n;
}

static void
tell_hello(struct inv *inv, struct message *answer)
{
	struct ring_state s = ring_state(inv->ring);

	answer->type = MSG_HELLO;
	answer->code = ANSWER_OK;
	memcpy(answer->clock.epoch, s.epoch, EPOCH_LEN);
	answer->clock.n = s.through;
	answer->pub_seq = peers_published(inv);
	answer->is_source = atomic_load(&inv->is_source);
}

static void
tell_regions(struct inv *inv, struct arena *a, struct message *answer)
{
	answer->type = MSG_REGIONS;
	answer->regions = regions_list(inv->regions, a, &answer->n_regions);
	answer->code = answer->n_regions == 0 ? ANSWER_MISSING : ANSWER_OK;
}

/* false: the message deserves no answer. */
static bool
understand(struct answers *as, const void *p, size_t len, struct arena *a, struct message *q)
{
	enum replay_verdict v;

	switch (message_decode(p, len, as->inv->key, a, q)) {
	case MESSAGE_OK:
		break;
	case MESSAGE_FORGED:
		inv_refused(as->inv, "a question is not authenticated", "");
		return false;
	case MESSAGE_MALFORMED:
		inv_refused(as->inv, "a question is malformed", q->sender);
		return false;
	}
	if (!message_is_question(q->type)) {
		inv_refused(as->inv, "a message of this type is no question", q->sender);
		return false;
	}
	pthread_mutex_lock(&as->lock);
	/* A process that is new to us: an old recording of it gets an answer that nobody waits for. */
	v = replay_check(&as->asked, q->boot, q->seq);
	if (v == REPLAY_UNKNOWN)
		replay_introduce(&as->asked, q->boot, q->seq);
	pthread_mutex_unlock(&as->lock);
	if (v == REPLAY_AGAIN)
		inv_refused(as->inv, "a question came again", q->sender);
	return v != REPLAY_AGAIN;
}

/* The answer's bytes are the arena's. false: none is due. */
static bool
answer_to(struct answerer *me, const void *p, size_t len, struct arena *a, struct strbuf *sb)
{
	struct inv *inv = me->all->inv;
	struct message question, answer = { .type = MSG_HELLO };

	if (!understand(me->all, p, len, a, &question))
		return false;
	if (question.type == MSG_ASK_CLOCK)
		tell_clock(inv, &question, &answer);
	else if (question.type == MSG_ASK_EVENTS)
		tell_events(me, &question, &answer);
	else if (question.type == MSG_ASK_REGIONS)
		tell_regions(inv, a, &answer);
	else
		tell_hello(inv, &answer);
	snprintf(answer.sender, sizeof(answer.sender), "%s", inv->region);
	memcpy(answer.boot, inv->boot, BOOT_LEN);
	memcpy(answer.nonce, question.nonce, NONCE_LEN);
	strbuf_init(sb, a, MESSAGE_MAX);
	message_encode(sb, &answer, inv->key);
	return strbuf_ok(sb);
}

/* One question and its answer. false: the socket is closed. */
static bool
serve_one(struct answerer *me, nng_ctx ctx, nng_aio *aio, struct arena *a)
{
	struct strbuf sb;
	nng_msg *msg, *reply;
	int rc;

	nng_ctx_recv(ctx, aio);
	nng_aio_wait(aio);
	rc = nng_aio_result(aio);
	if (rc == NNG_ECLOSED)
		return false;
	if (rc != 0) {
		clock_sleep_us(10 * US_PER_MS);
		return true;
	}
	msg = nng_aio_get_msg(aio);
	if (answer_to(me, nng_msg_body(msg), nng_msg_len(msg), a, &sb) && nng_msg_alloc(&reply, 0) == 0) {
		if (nng_msg_append(reply, sb.buf, sb.len) == 0) {
			nng_aio_set_msg(aio, reply);
			nng_ctx_send(ctx, aio);
			nng_aio_wait(aio);
			if (nng_aio_result(aio) == 0)
				reply = NULL; /* taken */
		}
		if (reply != NULL)
			nng_msg_free(reply);
	}
	nng_msg_free(msg);
	arena_reset(a);
	return true;
}

static void *
answer_run(void *arg)
{
	struct answerer *me = arg;
	struct arena *a = arena_new(2 << 20);
	nng_aio *aio = NULL;
	nng_ctx ctx;

	if (nng_ctx_open(&ctx, me->all->rep) == 0) {
		if (nng_aio_alloc(&aio, NULL, NULL) == 0)
			while (!atomic_load(&me->all->inv->stop) && serve_one(me, ctx, aio, a))
				continue;
		nng_aio_free(aio);
		nng_ctx_close(ctx);
	}
	arena_free(a);
	return NULL;
}

void
answers_new(struct inv *inv)
{
	size_t buf = MESSAGE_EVENTS_MAX * sizeof(struct stamp_event);
	struct arena *a = arena_new(sizeof(struct answers) + THREADS * buf + 4096);
	struct answers *as = ARENA_NEW(a, struct answers);

	ASSERT(as != NULL);
	as->arena = a;
	as->inv = inv;
	pthread_mutex_init(&as->lock, NULL);
	for (size_t i = 0; i < THREADS; i++) {
		as->answerer[i].all = as;
		as->answerer[i].buf = arena_alloc(a, buf);
		ASSERT(as->answerer[i].buf != NULL);
	}
	inv->answers = as;
}

int
answers_start(struct inv *inv, const char *address, struct err *err)
{
	struct answers *as = inv->answers;
	int rc = nng_rep0_open(&as->rep);

	if (rc != 0)
		return FAIL(err, ERR_INTERNAL, "could not open a REP socket: %s", nng_strerror(rc));
	as->open = true;
	nng_socket_set_size(as->rep, NNG_OPT_RECVMAXSZ, MESSAGE_MAX);
	rc = link_listen(inv, as->rep, address);
	if (rc != 0)
		return FAIL(err, ERR_INVALID, "could not answer at \"%s\" (invalidator_listen): %s", address, nng_strerror(rc));
	for (size_t i = 0; i < THREADS; i++)
		if (inv_thread(&as->answerer[i].thread, answer_run, &as->answerer[i], err) != 0)
			return -1;
	return 0;
}

void
answers_stop(struct inv *inv)
{
	struct answers *as = inv->answers;

	if (as->open)
		nng_close(as->rep);
	for (size_t i = 0; i < THREADS; i++)
		inv_join(&as->answerer[i].thread);
}

void
answers_free(struct inv *inv)
{
	pthread_mutex_destroy(&inv->answers->lock);
	arena_free(inv->answers->arena);
}
