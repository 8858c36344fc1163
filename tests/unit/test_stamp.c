/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_stamp.c - the cache protocol without servers: trust by rows,
 * stamp pages by rows, their codec, and where keys lie.
 */
#include "tests/unit/stamp_help.h"
#include "tests/unit/suite_help.h"

/* ---- trust ---- */

struct see {
	int line;
	char id;          /* 0 ends the row */
	uint64_t beat;
	int64_t sent, begin;
	bool trusted;
};
static const struct {
	const char *name;
	struct see see[14];
} trust_rows[] = {
	{ "never before two beats", { { __LINE__, 'a', 0, 0, 0, false }, { __LINE__, 'a', 1, 1, 1, false } } },
	{ "two beats on", { { __LINE__, 'a', 0, 0, 0, false }, { __LINE__, 'a', 1, 1, 1, false }, { __LINE__, 'a', 2, 2, 2, true } } },
	{ "beats may be skipped", { { __LINE__, 'a', 5, 0, 0, false }, { __LINE__, 'a', 9, S, S, true } } },
	{ "one beat is not enough, however often seen",
	    { { __LINE__, 'a', 5, 0, 0, false }, { __LINE__, 'a', 6, 1, 1, false }, { __LINE__, 'a', 6, 2, 2, false } } },
	{ "F to the microsecond",
	    { { __LINE__, 'a', 1, 100, 100, false }, { __LINE__, 'a', 3, 100 + F - 1, 100 + F - 1, true },
		{ __LINE__, 'a', 3, 100 + F, 100 + F, false } } },
	{ "the newest sight of an old beat counts",
	    { { __LINE__, 'a', 1, 0, 0, false }, { __LINE__, 'a', 1, 2 * S, 2 * S, false },
		{ __LINE__, 'a', 3, 4 * S, 4 * S, true }, { __LINE__, 'a', 3, 5 * S, 5 * S, false } } },
	{ "a reading that began long ago may trust what a newer one may not",
	    { { __LINE__, 'a', 1, 0, 0, false }, { __LINE__, 'a', 3, 9 * S, 9 * S, false }, { __LINE__, 'a', 3, 2 * S, 2 * S, true } } },
	{ "another id forgets",
	    { { __LINE__, 'a', 1, 0, 0, false }, { __LINE__, 'b', 3, 1, 1, false }, { __LINE__, 'a', 3, 2, 2, false },
		{ __LINE__, 'a', 5, 3, 3, true } } },
	{ "a late report does not lower a time",
	    { { __LINE__, 'a', 1, S, S, false }, { __LINE__, 'a', 1, 0, S, false }, { __LINE__, 'a', 3, 3 * S + 1, 3 * S + 1, true } } },
	{ "a late report of an older beat finds its place",
	    { { __LINE__, 'a', 7, 10, 10, false }, { __LINE__, 'a', 3, 5, 5, false }, { __LINE__, 'a', 8, 20, 20, true } } },
	{ "what is pushed out lives on in the next",
	    { { __LINE__, 'a', 1, 50, 50, false }, { __LINE__, 'a', 3, 40, 50, true }, { __LINE__, 'a', 4, 41, 50, true },
		{ __LINE__, 'a', 5, 42, 50, true }, { __LINE__, 'a', 6, 43, 50, true }, { __LINE__, 'a', 7, 44, 50, true },
		{ __LINE__, 'a', 8, 45, 50, true }, { __LINE__, 'a', 9, 46, 50, true }, { __LINE__, 'a', 10, 47, 50, true },
		{ __LINE__, 'a', 5, 48, 49 + F, true } } },
};

START_TEST(test_trust_rows)
{
	struct cache_trust t;

	cache_trust_init(&t);
	for (const struct see *s = trust_rows[_i].see; s->id != 0; s++) {
		uint8_t id[STAMP_ID_LEN];

		memset(id, s->id, sizeof(id));
		ck_assert_msg(cache_trust_see(&t, id, s->beat, s->sent, s->begin, F) == s->trusted, "%s: line %d: expected %s",
		    trust_rows[_i].name, s->line, s->trusted ? "trusted" : "not trusted");
	}
	cache_trust_release(&t);
}
END_TEST

/* ---- pages ---- */

static const struct stamp_event ev[] = { { 11, P3(1), 'b' }, { 12, 5 * CACHE_SLOTS + 2, 'b' }, { 13, P3(2), 'a' }, { 14, STAMP_ALL, '*' } };

/* Page 3, n 10, every slot 4. */
static struct stamp_page
page10(void)
{
	struct stamp_page p;

	stamp_page_fresh(&p, E1);
	p.clock.n = 10;
	p.beat = 7;
	for (int i = 0; i < CACHE_SLOTS; i++)
		p.slot[i] = 4;
	return p;
}

START_TEST(test_page_apply)
{
	struct stamp_page p = page10(), before;
	struct stamp_news n = news_of(E1, 10, 13, ev, 3);

	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_RAISED);
	ck_assert_uint_eq(p.clock.n, 13);
	ck_assert_uint_eq(p.beat, 7);
	ck_assert_uint_eq(p.slot[1], 11);
	ck_assert_uint_eq(p.slot[2], 13);
	ck_assert_uint_eq(p.slot[3], 4);

	/* A gap: the slots rise, n stays. */
	p = page10();
	n = news_of(E1, 12, 13, ev + 2, 1);
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_RAISED);
	ck_assert_uint_eq(p.clock.n, 10);
	ck_assert_uint_eq(p.slot[2], 13);

	/* What is old lowers nothing. */
	p = page10();
	p.clock.n = 100;
	p.slot[1] = 90;
	n = news_of(E1, 0, 13, ev, 3);
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_RAISED);
	ck_assert_uint_eq(p.clock.n, 100);
	ck_assert_uint_eq(p.slot[1], 90);

	/* The same once more: it had it. */
	before = p;
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_HAD_IT);
	ck_assert_mem_eq(&p, &before, sizeof(p));

	/* "*" raises every slot of every page. */
	p = page10();
	n = news_of(E1, 10, 14, ev, 4);
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_RAISED);
	for (int i = 0; i < CACHE_SLOTS; i++)
		ck_assert_uint_eq(p.slot[i], 14);

	/* A fresh page: slots only. */
	stamp_page_fresh(&p, E1);
	n = news_of(E1, 10, 13, ev, 3);
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_RAISED);
	ck_assert_uint_eq(p.clock.n, 0);
	ck_assert_uint_eq(p.slot[2], 13);
	ck_assert_uint_eq(p.slot[5], 0);

	/* Another epoch: nothing. */
	p = before = page10();
	n = news_of(E2, 10, 13, ev, 3);
	ck_assert_int_eq(stamp_page_apply(&p, 3, &n), STAMP_OF_ANOTHER_EPOCH);
	ck_assert_mem_eq(&p, &before, sizeof(p));
}
END_TEST

START_TEST(test_page_beat)
{
	struct stamp_page p = page10(), old;
	struct event_clock q = at(E1, 13);
	struct stamp_news n = news_of(E1, 10, 13, ev, 3), none = news_of(E1, 0, 0, NULL, 0);

	ck_assert(!stamp_page_beat(&p, 3, &q, &n));
	ck_assert_uint_eq(p.clock.n, 13);
	ck_assert_uint_eq(p.beat, 8);
	ck_assert_uint_eq(p.slot[1], 11);
	ck_assert_uint_eq(p.slot[3], 4);

	/* Events are missing: every slot becomes q. */
	p = page10();
	ck_assert(stamp_page_beat(&p, 3, &q, &none));
	ck_assert_uint_eq(p.clock.n, 13);
	for (int i = 0; i < CACHE_SLOTS; i++)
		ck_assert_uint_eq(p.slot[i], 13);

	/* Nothing new. */
	p = page10();
	q = at(E1, 10);
	ck_assert(!stamp_page_beat(&p, 3, &q, &none));
	ck_assert_uint_eq(p.clock.n, 10);
	ck_assert_uint_eq(p.beat, 8);
	ck_assert_uint_eq(p.slot[3], 4);

	/* An event came while the source was asked: n is beyond q, and stays. */
	p = page10();
	q = at(E1, 9);
	ck_assert(!stamp_page_beat(&p, 3, &q, &none));
	ck_assert_uint_eq(p.clock.n, 10);

	/* Fresh: every slot becomes q, what is higher stays. */
	stamp_page_fresh(&p, E1);
	p.slot[2] = 99;
	q = at(E1, 13);
	ck_assert(!stamp_page_beat(&p, 3, &q, &n));
	ck_assert_uint_eq(p.clock.n, 13);
	ck_assert_uint_eq(p.beat, 1);
	ck_assert_uint_eq(p.slot[0], 13);
	ck_assert_uint_eq(p.slot[2], 99);

	/* A new epoch is a new id and begins again, lower numbers and all. */
	p = old = page10();
	q = at(E2, 3);
	ck_assert(stamp_page_beat(&p, 3, &q, &n));
	ck_assert_mem_ne(p.id, old.id, STAMP_ID_LEN);
	ck_assert_mem_eq(p.clock.epoch, E2, EPOCH_LEN);
	ck_assert_uint_eq(p.clock.n, 3);
	ck_assert_uint_eq(p.beat, 1);
	ck_assert_uint_eq(p.slot[1], 3);

	/* Somebody else's beat came first: through q, beat stays; a fresh page's n stays too. */
	p = page10();
	q = at(E1, 13);
	ck_assert(!stamp_page_through(&p, 3, &q, &n));
	ck_assert_uint_eq(p.clock.n, 13);
	ck_assert_uint_eq(p.beat, 7);
	stamp_page_fresh(&p, E1);
	ck_assert(!stamp_page_through(&p, 3, &q, &n));
	ck_assert_uint_eq(p.clock.n, 0);
	ck_assert_uint_eq(p.slot[9], 13);
}
END_TEST

START_TEST(test_page_codec)
{
	struct stamp_page p = page10(), back;
	uint8_t bytes[STAMP_BYTES], id[STAMP_ID_LEN];
	struct event_clock clock;
	uint64_t beat, slot;
	int64_t wall_us;

	p.beat = UINT64_MAX - 1;
	p.beat_wall_us = 77;
	p.slot[63] = UINT64_C(0x0102030405060708);
	stamp_encode(&p, bytes);
	ck_assert(stamp_decode(bytes, sizeof(bytes), &back));
	ck_assert_mem_eq(&p, &back, sizeof(p));
	ck_assert(stamp_peek(bytes, sizeof(bytes), 63, id, &clock, &beat, &wall_us, &slot));
	ck_assert_mem_eq(id, p.id, STAMP_ID_LEN);
	ck_assert_uint_eq(clock.n, 10);
	ck_assert_uint_eq(beat, UINT64_MAX - 1);
	ck_assert_int_eq(wall_us, 77);
	ck_assert_uint_eq(slot, UINT64_C(0x0102030405060708));
	ck_assert(!stamp_decode(bytes, sizeof(bytes) - 1, &back));
	bytes[0] ^= 1;
	ck_assert(!stamp_decode(bytes, sizeof(bytes), &back));
	ck_assert(!stamp_peek(bytes, sizeof(bytes), 0, id, &clock, &beat, &wall_us, &slot));
}
END_TEST

START_TEST(test_events_and_keys)
{
	struct stamp_event a, b;
	struct cache_place p, q;
	char key[CACHE_MC_KEY_MAX];
	char longname[3000];
	bool pages[CACHE_PAGES] = { false }, slots[CACHE_SLOTS] = { false };

	stamp_event_of(5, 'b', SPAN("*"), &a);
	ck_assert_uint_eq(a.place, STAMP_ALL);
	stamp_event_of(5, '*', SPAN("*"), &a);
	ck_assert_uint_eq(a.place, STAMP_ALL);
	stamp_event_of(5, 'Z', SPAN("x"), &a); /* of a newer release */
	ck_assert_uint_eq(a.place, STAMP_ALL);
	stamp_event_of(5, 'b', SPAN("x"), &a);
	stamp_event_of(5, 'a', SPAN("x"), &b);
	ck_assert_uint_ne(a.place, STAMP_ALL);
	ck_assert_uint_ne(a.place, b.place);
	cache_place(EVENT_KIND_BUCKET, SPAN("x"), &p);
	ck_assert_uint_eq(a.place, p.page * CACHE_SLOTS + p.slot);

	memset(longname, 'y', sizeof(longname));
	cache_place(EVENT_KIND_BUCKET, (struct span){ longname, 3000 }, &p);
	cache_place(EVENT_KIND_BUCKET, (struct span){ longname, 2999 }, &q);
	ck_assert_mem_ne(p.hash, q.hash, 32);
	ck_assert_uint_eq(cache_key_value(key, "eu", EVENT_KIND_BUCKET, &p), strlen(key));
	ck_assert_uint_eq(strlen(key), strlen("a2:eu:b") + 32);
	ck_assert_uint_eq(cache_key_page(key, "eu", 15), strlen(key));
	ck_assert_str_eq(key, "a2:eu:P0f");
	ck_assert_uint_eq(cache_key_ack(key, "eu", "us"), strlen(key));

	for (int i = 0; i < 2000; i++) {
		snprintf(longname, sizeof(longname), "bucket-%d", i);
		cache_place(EVENT_KIND_BUCKET, span_of(longname), &p);
		pages[p.page] = slots[p.slot] = true;
	}
	for (int i = 0; i < CACHE_PAGES; i++)
		ck_assert(pages[i]);
	for (int i = 0; i < CACHE_SLOTS; i++)
		ck_assert(slots[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("stamp");
	TCase *t = tcase_create("pure");

	tcase_add_loop_test(t, test_trust_rows, 0, (int)ARRAY_LEN(trust_rows));
	tcase_add_test(t, test_page_apply);
	tcase_add_test(t, test_page_beat);
	tcase_add_test(t, test_page_codec);
	tcase_add_test(t, test_events_and_keys);
	suite_add_tcase(s, t);
	return suite_run(s);
}
