/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_invalidator.c - messages, replays and the ring, by rows.
 */
#include "base/base.h"

#include <check.h>

#include "base/crypto.h"
#include "invalidator/message.h"
#include "invalidator/ring.h"
#include "tests/unit/suite_help.h"

static const uint8_t SECRET[32] = "the regions share this secret..", OTHER[32] = "but this is another secret.....";
static uint8_t key[MESSAGE_KEY_LEN], other_key[MESSAGE_KEY_LEN];
static struct arena *arena;
static const struct stamp_event EVENTS[] = { { 11, 5, 'b' }, { 11, STAMP_ALL, '*' }, { 13, CACHE_PAGES * CACHE_SLOTS - 1, 'a' } };
static const struct message_region REGIONS[] = {
	{ "eu", "active", "tcp://10.0.0.1:7801", "tcp://10.0.0.1:7802" },
	{ "us", "leaving", "", "" },
};

static void
setup(void)
{
	arena = arena_new(4 << 20);
	message_key(SECRET, key);
	message_key(OTHER, other_key);
}

static void
teardown(void)
{
	arena_free(arena);
}

static struct message
message_of(enum message_type type)
{
	struct message m = { .type = type, .sender = "eu", .boot = "0123456789abcde", .seq = 77, .nonce = "nonce of sixteen",
		.code = ANSWER_NOT_KNOWN, .clock = { "epoch of sixteen", 12 }, .from = 10, .through = 13, .events = EVENTS,
		.n_events = ARRAY_LEN(EVENTS), .pub_seq = 9, .is_source = true, .regions = REGIONS, .n_regions = ARRAY_LEN(REGIONS) };

	return m;
}

static struct strbuf
encoded(const struct message *m)
{
	struct strbuf sb;

	strbuf_init(&sb, arena, MESSAGE_MAX);
	message_encode(&sb, m, key);
	ck_assert(strbuf_ok(&sb));
	return sb;
}

START_TEST(test_round_trip)
{
	struct message m = message_of((enum message_type)_i), back;
	struct strbuf sb = encoded(&m);

	ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_OK);
	ck_assert_int_eq(back.type, m.type);
	ck_assert_str_eq(back.sender, "eu");
	ck_assert_mem_eq(back.boot, m.boot, BOOT_LEN);
	ck_assert_uint_eq(back.seq, 77);
	ck_assert_mem_eq(&back.clock, &m.clock, sizeof(m.clock));
	if (message_is_question(m.type) || message_is_answer(m.type))
		ck_assert_mem_eq(back.nonce, m.nonce, NONCE_LEN);
	if (message_is_answer(m.type))
		ck_assert_int_eq(back.code, ANSWER_NOT_KNOWN);
	if (m.type == MSG_EVENTS || m.type == MSG_SOME_EVENTS) {
		ck_assert_uint_eq(back.from, 10);
		ck_assert_uint_eq(back.through, 13);
		ck_assert_uint_eq(back.n_events, ARRAY_LEN(EVENTS));
		for (size_t i = 0; i < ARRAY_LEN(EVENTS); i++) {
			ck_assert_uint_eq(back.events[i].n, EVENTS[i].n);
			ck_assert_uint_eq(back.events[i].place, EVENTS[i].place);
			ck_assert_uint_eq(back.events[i].letter, EVENTS[i].letter);
		}
	}
	if (m.type == MSG_HELLO) {
		ck_assert_uint_eq(back.pub_seq, 9);
		ck_assert(back.is_source);
	}
	if (m.type == MSG_REGIONS) {
		ck_assert_uint_eq(back.n_regions, 2);
		ck_assert_str_eq(back.regions[0].rep, "tcp://10.0.0.1:7802");
		ck_assert_str_eq(back.regions[1].state, "leaving");
	}
}
END_TEST

static bool
has_bytes(const struct strbuf *sb, const void *p, size_t len)
{
	return memmem(sb->buf, sb->len, p, len) != NULL;
}

/* Who lacks the secret sees of a message its length and the process that sent it. */
START_TEST(test_nothing_readable)
{
	struct message m = message_of((enum message_type)_i), back;
	struct strbuf sb, again;

	snprintf(m.sender, sizeof(m.sender), "secret-region");
	sb = encoded(&m);
	again = encoded(&m);
	ck_assert(has_bytes(&sb, m.boot, BOOT_LEN));
	ck_assert(!has_bytes(&sb, m.sender, strlen(m.sender)));
	ck_assert(!has_bytes(&sb, m.nonce, NONCE_LEN));
	ck_assert(!has_bytes(&sb, m.clock.epoch, EPOCH_LEN));
	ck_assert(!has_bytes(&sb, "tcp://", 6));
	ck_assert(!has_bytes(&sb, "leaving", 7));
	/* What is said twice does not look the same. */
	ck_assert_uint_eq(sb.len, again.len);
	ck_assert(memcmp(sb.buf + 4 + BOOT_LEN, again.buf + 4 + BOOT_LEN, sb.len - 4 - BOOT_LEN) != 0);
	ck_assert_int_eq(message_decode(again.buf, again.len, key, arena, &back), MESSAGE_OK);
}
END_TEST

/* Every byte is authenticated, and every length cut short is refused. */
START_TEST(test_forgery)
{
	struct message m = message_of((enum message_type)_i), back;
	struct strbuf sb = encoded(&m);

	ck_assert_int_eq(message_decode(sb.buf, sb.len, other_key, arena, &back), MESSAGE_FORGED);
	for (size_t i = 0; i < sb.len; i++) {
		sb.buf[i] = (char)(sb.buf[i] ^ 1);
		ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_FORGED);
		sb.buf[i] = (char)(sb.buf[i] ^ 1);
		ck_assert_int_ne(message_decode(sb.buf, i, key, arena, &back), MESSAGE_OK);
	}
	ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_OK);
}
END_TEST

/*
 * Rightly signed and sealed by somebody who holds the secret, and wrong all the
 * same: no harm. The layout and the keys are repeated here, so that a change of
 * either is seen.
 */
static struct strbuf
sealed_anew(const struct message *m, const uint8_t *body, size_t len)
{
	struct seal_key k = { .id = UINT32_C(0x41564933) };
	uint8_t *box = arena_alloc(arena, len + SEAL_OVERHEAD), mac[SHA256_LEN];
	struct strbuf sb;

	hmac_sha256(key + 32, 32, m->boot, BOOT_LEN, k.key);
	seal(&k, SPAN(""), body, len, box);
	strbuf_init(&sb, arena, MESSAGE_MAX);
	strbuf_add(&sb, "AVI3", 4);
	strbuf_add(&sb, m->boot, BOOT_LEN);
	strbuf_add(&sb, box, len + SEAL_OVERHEAD);
	hmac_sha256(key, 32, sb.buf, sb.len, mac);
	strbuf_add(&sb, mac, sizeof(mac));
	return sb;
}

START_TEST(test_malformed)
{
	struct message m = message_of((enum message_type)_i), back;
	struct strbuf sb = encoded(&m);
	struct seal_key k = { .id = UINT32_C(0x41564933) };
	size_t head = 4 + BOOT_LEN, len = sb.len - head - SHA256_LEN - SEAL_OVERHEAD;
	uint8_t body[1024];
	int faults = 0;

	ck_assert_uint_lt(len, sizeof(body));
	hmac_sha256(key + 32, 32, m.boot, BOOT_LEN, k.key);
	ck_assert(seal_open(&k, SPAN(""), (const uint8_t *)sb.buf + head, len + SEAL_OVERHEAD, body));
	sb = sealed_anew(&m, body, len);
	ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_OK);
	for (size_t i = 0; i < len; i++)
		for (int bit = 0; bit < 8; bit++) {
			arena_reset(arena);
			body[i] = (uint8_t)(body[i] ^ (1 << bit));
			sb = sealed_anew(&m, body, len);
			faults += message_decode(sb.buf, sb.len, key, arena, &back) != MESSAGE_OK;
			ck_assert_uint_le(back.n_events, MESSAGE_EVENTS_MAX);
			body[i] = (uint8_t)(body[i] ^ (1 << bit));
		}
	for (size_t cut = 0; cut < len; cut++) {
		sb = sealed_anew(&m, body, cut);
		ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_MALFORMED);
	}
	/* The HMAC of one process and the box of another do not go together. */
	m.boot[0] ^= 1;
	sb = encoded(&m);
	sb.buf[4] = (char)(sb.buf[4] ^ 1);
	hmac_sha256(key, 32, sb.buf, sb.len - SHA256_LEN, (uint8_t *)sb.buf + sb.len - SHA256_LEN);
	ck_assert_int_eq(message_decode(sb.buf, sb.len, key, arena, &back), MESSAGE_MALFORMED);
	ck_assert_int_gt(faults, 30); /* type, lengths */
}
END_TEST

static const struct {
	const char *name;
	uint64_t from, through;
	struct stamp_event e[3];
	size_t n;
	enum message_fault want;
} event_rows[] = {
	{ "none", 5, 5, { { 0 } }, 0, MESSAGE_OK },
	{ "none, but numbers", 5, 9, { { 0 } }, 0, MESSAGE_OK },
	{ "backwards", 9, 5, { { 0 } }, 0, MESSAGE_MALFORMED },
	{ "at from", 5, 9, { { 5, 0, 'b' } }, 1, MESSAGE_MALFORMED },
	{ "past through", 5, 9, { { 10, 0, 'b' } }, 1, MESSAGE_MALFORMED },
	{ "falling", 5, 9, { { 8, 0, 'b' }, { 7, 0, 'b' } }, 2, MESSAGE_MALFORMED },
	{ "the same number twice", 5, 9, { { 8, 0, 'b' }, { 8, 1, 'b' } }, 2, MESSAGE_OK },
	{ "the last place", 5, 9, { { 8, CACHE_PAGES * CACHE_SLOTS - 1, 'b' } }, 1, MESSAGE_OK },
	{ "no such place", 5, 9, { { 8, CACHE_PAGES * CACHE_SLOTS, 'b' } }, 1, MESSAGE_MALFORMED },
};

START_TEST(test_event_rows)
{
	struct message m = message_of(MSG_EVENTS), back;
	struct strbuf sb;

	m.from = event_rows[_i].from;
	m.through = event_rows[_i].through;
	m.events = event_rows[_i].e;
	m.n_events = event_rows[_i].n;
	sb = encoded(&m);
	ck_assert_msg(message_decode(sb.buf, sb.len, key, arena, &back) == event_rows[_i].want, "%s", event_rows[_i].name);
}
END_TEST

static const struct {
	int line;
	char boot;
	int64_t introduce; /* -1: check seq */
	uint64_t seq;
	enum replay_verdict want;
} replay_rows[] = {
	{ __LINE__, 'a', -1, 5, REPLAY_UNKNOWN },
	{ __LINE__, 'a', 10, 0, REPLAY_NEW },
	{ __LINE__, 'a', -1, 10, REPLAY_AGAIN },
	{ __LINE__, 'a', -1, 3, REPLAY_AGAIN }, /* sent before it was introduced */
	{ __LINE__, 'a', -1, 11, REPLAY_NEW },
	{ __LINE__, 'a', -1, 11, REPLAY_AGAIN },
	{ __LINE__, 'a', -1, 14, REPLAY_NEW },
	{ __LINE__, 'a', -1, 12, REPLAY_NEW }, /* out of order */
	{ __LINE__, 'a', -1, 12, REPLAY_AGAIN },
	{ __LINE__, 'a', -1, 13, REPLAY_NEW },
	{ __LINE__, 'b', -1, 12, REPLAY_UNKNOWN },
	{ __LINE__, 'a', -1, 1000, REPLAY_NEW },
	{ __LINE__, 'a', -1, 937, REPLAY_NEW },
	{ __LINE__, 'a', -1, 937, REPLAY_AGAIN },
	{ __LINE__, 'a', -1, 936, REPLAY_AGAIN }, /* 64 back: too old to tell */
	{ __LINE__, 'a', 5000, 0, REPLAY_NEW },   /* known: no introduction changes it */
	{ __LINE__, 'a', -1, 1001, REPLAY_NEW },
	{ __LINE__, 'a', -1, UINT64_MAX, REPLAY_NEW },
	{ __LINE__, 'a', -1, 1002, REPLAY_AGAIN },
};

START_TEST(test_replay)
{
	static struct replay r;
	uint8_t boot[BOOT_LEN];

	for (size_t i = 0; i < ARRAY_LEN(replay_rows); i++) {
		memset(boot, replay_rows[i].boot, sizeof(boot));
		if (replay_rows[i].introduce >= 0)
			replay_introduce(&r, boot, (uint64_t)replay_rows[i].introduce);
		else
			ck_assert_msg(replay_check(&r, boot, replay_rows[i].seq) == replay_rows[i].want, "line %d", replay_rows[i].line);
	}
	/* The longest silent one is forgotten, not the one in use. */
	for (int i = 0; i < REPLAY_BOOTS; i++) {
		uint8_t many[BOOT_LEN] = { 1, (uint8_t)i };

		replay_introduce(&r, many, 1);
		memset(boot, 'c', sizeof(boot));
		if (i == 0)
			replay_introduce(&r, boot, 1);
		else
			ck_assert_int_eq(replay_check(&r, boot, (uint64_t)i + 1), REPLAY_NEW);
	}
	memset(boot, 'a', sizeof(boot));
	ck_assert_int_eq(replay_check(&r, boot, 5), REPLAY_UNKNOWN);
}
END_TEST

/* ---- the ring ---- */

static const uint8_t E1[EPOCH_LEN] = "one", E2[EPOCH_LEN] = "two";

static enum ring_put
put(struct ring *r, const uint8_t *epoch, uint64_t from, uint64_t through, uint16_t place)
{
	static struct stamp_event e[5000];
	struct stamp_news n = { .from = from, .through = through, .events = e };

	memcpy(n.epoch, epoch, EPOCH_LEN);
	for (uint64_t i = from + 1; i <= through; i++)
		e[n.n++] = (struct stamp_event){ i, place, 'b' };
	return ring_put(r, &n);
}

START_TEST(test_ring)
{
	struct ring *r = ring_new();
	struct stamp_event buf[16];
	struct stamp_news n;
	struct ring_state s;

	ck_assert_int_eq(put(r, E1, 0, 3, 1), RING_EPOCH); /* nothing known yet */
	ring_reset(r, E1, 10);
	ck_assert_int_eq(put(r, E1, 5, 10, 1), RING_OLD);
	ck_assert_int_eq(put(r, E1, 11, 12, 1), RING_GAP);
	ck_assert_int_eq(put(r, E2, 10, 12, 1), RING_EPOCH);
	ck_assert_int_eq(put(r, E1, 10, 12, 1), RING_NEW);
	ck_assert_int_eq(put(r, E1, 9, 14, 2), RING_NEW); /* overlaps: 13 and 14 are new */
	ck_assert_int_eq(put(r, E1, 10, 12, 1), RING_OLD);
	ck_assert(ring_read(r, E1, 10, buf, 16, &n));
	ck_assert_uint_eq(n.from, 10);
	ck_assert_uint_eq(n.through, 14);
	ck_assert_uint_eq(n.n, 4);
	ck_assert_uint_eq(buf[1].place, 1);
	ck_assert_uint_eq(buf[2].place, 2);
	ck_assert(!ring_read(r, E1, 9, buf, 16, &n));
	ck_assert(!ring_read(r, E2, 10, buf, 16, &n));
	ck_assert(ring_read(r, E1, 14, buf, 16, &n));
	ck_assert_uint_eq(n.n, 0);

	/* A number is never cut in two. */
	struct stamp_event same[3] = { { 15, 1, 'b' }, { 16, 2, 'b' }, { 16, 3, 'b' } };
	struct stamp_news more = { .from = 14, .through = 16, .events = same, .n = 3 };
	memcpy(more.epoch, E1, EPOCH_LEN);
	ck_assert_int_eq(ring_put(r, &more), RING_NEW);
	ck_assert(ring_read(r, E1, 14, buf, 2, &n));
	ck_assert_uint_eq(n.n, 1);
	ck_assert_uint_eq(n.through, 15);

	/* Numbers without rows count. */
	more = (struct stamp_news){ .from = 16, .through = 20 };
	memcpy(more.epoch, E1, EPOCH_LEN);
	ck_assert_int_eq(ring_put(r, &more), RING_NEW);
	ck_assert(ring_read(r, E1, 16, buf, 16, &n));
	ck_assert_uint_eq(n.n, 0);
	ck_assert_uint_eq(n.through, 20);

	/* The oldest make room. */
	for (uint64_t i = 20; i < 20 + 2 * RING_EVENTS; i += 4096)
		ck_assert_int_eq(put(r, E1, i, i + 4096, 3), RING_NEW);
	s = ring_state(r);
	ck_assert_uint_eq(s.through, 20 + 2 * RING_EVENTS);
	ck_assert_uint_eq(s.through - s.low, RING_EVENTS);
	ck_assert(ring_read(r, E1, s.low, buf, 16, &n));
	ck_assert_uint_eq(buf[0].n, s.low + 1);
	ck_assert_uint_eq(n.through, s.low + 16);

	ring_reset(r, E1, 5); /* never backwards */
	ck_assert_uint_eq(ring_state(r).through, s.through);
	ring_reset(r, E2, 5);
	ck_assert_uint_eq(ring_state(r).through, 5);
	ring_wait(r, &s, 1000); /* differs at once */
	ck_assert_uint_eq(s.through, 5);
	ring_free(r);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("invalidator");
	TCase *t = tcase_create("messages");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_round_trip, MSG_EVENTS, MSG_TYPES_END);
	tcase_add_loop_test(t, test_nothing_readable, MSG_EVENTS, MSG_TYPES_END);
	tcase_add_loop_test(t, test_forgery, MSG_EVENTS, MSG_TYPES_END);
	tcase_add_loop_test(t, test_malformed, MSG_EVENTS, MSG_TYPES_END);
	tcase_add_loop_test(t, test_event_rows, 0, (int)ARRAY_LEN(event_rows));
	tcase_add_test(t, test_replay);
	tcase_add_test(t, test_ring);
	suite_add_tcase(s, t);
	return suite_run(s);
}
