/* SPDX-License-Identifier: Apache-2.0 */
/*
 * invalidator/message.h - what invalidators say to each other: bytes, their
 * authentication, and the refusal of replays. Pure; tested by rows.
 *
 * On the wire a message is magic, the sender's boot id, a sealed box, and an
 * HMAC-SHA256 of all that. In the box: type, sender's region, sequence, body. What
 * is published bears a sequence of its boot id; an answer repeats the question's
 * nonce. PUB sends to whoever subscribes, so that only the seal keeps what is
 * published from strangers. Both keys come from the cluster's secret; the box's is
 * of one boot id, so that the random nonces of one key stay few.
 */
#ifndef ANVIL_INVALIDATOR_MESSAGE_H
#define ANVIL_INVALIDATOR_MESSAGE_H

#include "base/strbuf.h"

#include "meta/stamp.h"

#define MESSAGE_MAX 131072       /* bytes */
#define MESSAGE_EVENTS_MAX 4000  /* rows */
#define MESSAGE_REGIONS_MAX 256
#define BOOT_LEN 16
#define NONCE_LEN 16
#define MESSAGE_KEY_LEN 64      /* half for the HMAC, half for the keys of boxes */

enum message_type {
	/* published */
	MSG_EVENTS = 1,   /* every event after from, up to through */
	MSG_ACK,          /* the sender's region has applied every event through clock on every server */
	/* questions */
	MSG_ASK_CLOCK,    /* what is n now? clock: the highest that the asker saw */
	MSG_ASK_EVENTS,   /* events after clock */
	MSG_ASK_HELLO,    /* who is there? */
	MSG_ASK_REGIONS,  /* which regions are there? */
	/* answers */
	MSG_CLOCK,
	MSG_SOME_EVENTS,
	MSG_HELLO,        /* clock: the last event known; sequence: of what it published last */
	MSG_REGIONS,
	MSG_TYPES_END
};
enum answer_code {
	ANSWER_OK,
	ANSWER_NOT_SOURCE, /* reaches no primary */
	ANSWER_NOT_KNOWN,  /* the asker's region is not there, or leaving */
	ANSWER_MISSING,    /* the events are not remembered */
	ANSWER_CODES_END
};
struct message_region {
	const char *name, *state, *pub, *rep;
};
struct message {
	enum message_type type;
	char sender[CACHE_REGION_MAX + 1]; /* a region's name */
	uint8_t boot[BOOT_LEN];            /* random, of the sending process */
	uint64_t seq;
	uint8_t nonce[NONCE_LEN];          /* questions and answers */
	enum answer_code code;             /* answers */
	struct event_clock clock;
	uint64_t from, through;
	const struct stamp_event *events;
	size_t n_events;
	uint64_t pub_seq;
	bool is_source;
	const struct message_region *regions;
	size_t n_regions;
};

void message_key(const uint8_t cluster_secret[32], uint8_t key[MESSAGE_KEY_LEN]);
/* Appends the whole message; sb fails when it is longer than MESSAGE_MAX. */
void message_encode(struct strbuf *sb, const struct message *m, const uint8_t key[MESSAGE_KEY_LEN]);
enum message_fault { MESSAGE_OK, MESSAGE_MALFORMED, MESSAGE_FORGED };
/* Lists and strings are the arena's. Nothing of a message is opened before its HMAC is right. */
MUST_CHECK enum message_fault message_decode(const void *p, size_t len, const uint8_t key[MESSAGE_KEY_LEN], struct arena *a,
    struct message *out);
bool message_is_question(enum message_type t);
bool message_is_answer(enum message_type t);

/* ---- replays ---- */

#define REPLAY_BOOTS 128 /* processes remembered; the longest silent one is forgotten */
struct replay {
	struct {
		uint8_t boot[BOOT_LEN];
		uint64_t max, seen; /* highest sequence; bit i: max - i came */
		uint64_t used;      /* for forgetting; 0 = free */
	} boot[REPLAY_BOOTS];
	uint64_t clock;
};
/* What is learned of a process by a challenge: it has sent up to seq. Later ones are new, these are not. */
void replay_introduce(struct replay *r, const uint8_t boot[BOOT_LEN], uint64_t seq);
enum replay_verdict { REPLAY_NEW, REPLAY_AGAIN, REPLAY_UNKNOWN };
/* Within 64 of the highest each sequence passes once, in any order; below that none. UNKNOWN boots are introduced first. */
enum replay_verdict replay_check(struct replay *r, const uint8_t boot[BOOT_LEN], uint64_t seq);

#endif
