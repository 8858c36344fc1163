/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_object_list.c - listings against a model that looks at every
 * key, with random keys, prefixes, delimiters, markers and pages; and what a
 * page reads, counted by PostgreSQL.
 *
 * A failure prints the seed; ANVIL_SEED=N repeats it, ANVIL_ROUNDS=N does more.
 */
#include "tests/unit/region_help.h"

#include "base/clock.h"
#include "base/strbuf.h"
#include "tests/unit/suite_help.h"

#define KEYS 160
#define KEY_CHARS 9
#define DEFAULT_ROUNDS 25
#define QUERIES 60

/* Pieces that keys, prefixes, delimiters and markers are made of: where byte order, code points and escapes are odd. */
static const char *const pieces[] = { "a", "b", "/", "/", "//", "a/", "\x01", "\x7f", "0", " ", "%", "_", "\xc2\x80",
	"\xc3\xa9", "\xed\x9f\xbf" /* U+D7FF */, "\xee\x80\x80" /* U+E000 */, "\xef\xbf\xbf", "\xf0\x9f\x98\x80",
	"\xf4\x8f\xbf\xbf" /* U+10FFFF */, "\xf4\x8f\xbf\xbf" };
static const char *const delimiters[] = { "", "/", "/", "/", "//", "a", "a/", "\xc3\xa9", "\xf4\x8f\xbf\xbf",
	"\x01", "\xf4\x8f\xbf\xbf\xf4\x8f\xbf\xbf" };

static uint64_t random_state;

static unsigned
rnd(unsigned below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 33) % below;
}

static int64_t
number_from_env(const char *name, int64_t otherwise)
{
	const char *text = getenv(name);
	int64_t n;

	return text != NULL && parse_i64(span_of(text), 1, INT64_MAX, &n) ? n : otherwise;
}

static struct span
random_text(unsigned max_pieces)
{
	unsigned n = rnd(max_pieces + 1);
	struct strbuf sb;

	strbuf_init(&sb, arena, 1000);
	for (unsigned i = 0; i < n; i++)
		strbuf_str(&sb, pieces[rnd(ARRAY_LEN(pieces))]);
	return (struct span){ strbuf_cstr(&sb), sb.len };
}

/* ---- the model ---- */

static struct span keys[KEYS * 2];
static size_t n_keys;

static int
span_cmp(struct span a, struct span b)
{
	size_t both = a.len < b.len ? a.len : b.len;
	int c = both == 0 ? 0 : memcmp(a.p, b.p, both);

	return c != 0 ? c : (a.len > b.len) - (a.len < b.len);
}

static int
span_order(const void *a, const void *b)
{
	return span_cmp(*(const struct span *)a, *(const struct span *)b);
}

static bool
begins_with(struct span s, struct span prefix)
{
	return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.p, prefix.p, prefix.len) == 0);
}

struct model_entry {
	bool is_prefix;
	struct span text;
};

/* Every entry of the listing, by looking at every key. */
static size_t
model_list(const struct list_query *q, struct model_entry *out)
{
	size_t n = 0;

	for (size_t i = 0; i < n_keys; i++) {
		struct model_entry e = { false, keys[i] };
		const char *at;

		if (!begins_with(keys[i], q->prefix))
			continue;
		at = q->delimiter.len == 0 ? NULL
		                           : memmem(keys[i].p + q->prefix.len, keys[i].len - q->prefix.len, q->delimiter.p,
		                                 q->delimiter.len);
		if (at != NULL)
			e = (struct model_entry){ true, { keys[i].p, (size_t)(at - keys[i].p) + q->delimiter.len } };
		if (span_cmp(e.text, q->after) <= 0)
			continue;
		if (n > 0 && out[n - 1].is_prefix && span_eq(out[n - 1].text, e.text))
			continue;
		out[n++] = e;
	}
	return n;
}

/* ---- a bucket of random keys ---- */

static void
sql_text(struct strbuf *sb, struct span s)
{
	strbuf_str(sb, "convert_from('\\x");
	strbuf_hex(sb, s.p, s.len);
	strbuf_str(sb, "', 'UTF8')");
}

/* Keys with one version, with several, and with a delete marker as the newest; the model has what is current. */
static struct bucket
random_bucket(unsigned max_pieces)
{
	struct bucket b = new_bucket();
	char id[UUID_TEXT_LEN + 1];
	struct strbuf sql;
	struct span used[KEYS];
	size_t n_used = 0;

	uuid_text(&b.id, id);
	strbuf_init(&sql, arena, 1 << 22);
	strbuf_str(&sql, "BEGIN;\n");
	n_keys = 0;
	for (int i = 0; i < KEYS; i++) {
		struct span key = random_text(max_pieces);
		unsigned versions = rnd(6) == 0 ? 1 + rnd(40) : 1;
		bool marker = rnd(8) == 0, known = false;

		for (size_t j = 0; j < n_used; j++)
			known = known || span_eq(used[j], key);
		if (key.len == 0 || known)
			continue;
		used[n_used++] = key;
		for (unsigned v = 0; v < versions; v++) {
			strbuf_printf(&sql, "INSERT INTO objects (bucket_id, key, ord, size, mtime, etag, is_null, is_marker) VALUES ('%s', ", id);
			sql_text(&sql, key);
			strbuf_printf(&sql, ", %d, %d, now(), 'v%u', %s, %s);\n", -(int)v, (int)key.len, v, v == 0 ? "true" : "false",
			    marker && v == versions - 1 ? "true" : "false");
		}
		if (!marker)
			keys[n_keys++] = key;
	}
	strbuf_str(&sql, "COMMIT");
	ck_assert(strbuf_ok(&sql));
	ck_assert(scratch_sql(scratch, "regional", strbuf_cstr(&sql)));
	qsort(keys, n_keys, sizeof(keys[0]), span_order);
	return b;
}

static struct list_query
random_query(void)
{
	struct list_query q = { .delimiter = span_of(delimiters[rnd(ARRAY_LEN(delimiters))]), .max = 1 + (int)rnd(12) };
	struct span key = n_keys == 0 ? SPAN("a") : keys[rnd((unsigned)n_keys)];
	size_t cut;

	switch (rnd(4)) {
	case 0:
		break;
	case 1:
		q.prefix = random_text(2);
		break;
	default: /* the beginning of a key that is there, at a character */
		cut = rnd((unsigned)key.len + 1);
		while (cut < key.len && ((uint8_t)key.p[cut] & 0xc0) == 0x80)
			cut++;
		q.prefix = (struct span){ key.p, cut };
	}
	key = n_keys == 0 ? SPAN("a") : keys[rnd((unsigned)n_keys)];
	switch (rnd(4)) {
	case 0:
		break;
	case 1:
		q.after = random_text(3);
		break;
	default:
		cut = rnd(3) == 0 ? key.len : rnd((unsigned)key.len + 1);
		while (cut < key.len && ((uint8_t)key.p[cut] & 0xc0) == 0x80)
			cut++;
		q.after = (struct span){ key.p, cut };
	}
	if (rnd(6) == 0)
		q.max = 1000;
	return q;
}

/* The query and both answers, for who has to find out why. */
static const char *
describe(const struct list_query *q, const struct model_entry *want, size_t n_want, const struct list_entry *got, size_t n)
{
	struct span part[] = { q->prefix, q->delimiter, q->after };
	struct strbuf sb;

	strbuf_init(&sb, arena, 1 << 16);
	strbuf_printf(&sb, "max=%d prefix, delimiter, after:", q->max);
	for (size_t i = 0; i < ARRAY_LEN(part); i++) {
		strbuf_ch(&sb, ' ');
		strbuf_hex(&sb, part[i].p, part[i].len);
	}
	for (size_t i = 0; i < n_want && i < (size_t)q->max; i++) {
		strbuf_str(&sb, want[i].is_prefix ? "\n want prefix " : "\n want key ");
		strbuf_hex(&sb, want[i].text.p, want[i].text.len);
	}
	for (size_t i = 0; i < n; i++) {
		strbuf_str(&sb, got[i].is_prefix ? "\n got prefix " : "\n got key ");
		strbuf_hex(&sb, got[i].obj.key.p, got[i].obj.key.len);
	}
	return strbuf_cstr(&sb);
}

static void
compare_page(const struct bucket *b, const struct list_query *q, const struct model_entry *want, size_t n_want,
    struct span *next, bool *truncated)
{
	struct list_entry *got;
	size_t n;

	OK(meta_object_list(thread, arena, b, q, &got, &n, truncated, next, &err));
	ck_assert_msg(n == (n_want < (size_t)q->max ? n_want : (size_t)q->max) && *truncated == (n_want > (size_t)q->max), "%s",
	    describe(q, want, n_want, got, n));
	for (size_t i = 0; i < n; i++) {
		ck_assert_msg(got[i].is_prefix == want[i].is_prefix && span_eq(got[i].obj.key, want[i].text), "%s",
		    describe(q, want, n_want, got, n));
		if (!got[i].is_prefix)
			ck_assert_int_eq(got[i].obj.size, (int64_t)want[i].text.len);
	}
	if (n > 0)
		ck_assert(span_eq(*next, want[n - 1].text));
}

START_TEST(test_random_listings)
{
	static struct model_entry want[KEYS * 2];
	int64_t rounds = number_from_env("ANVIL_ROUNDS", DEFAULT_ROUNDS);
	int64_t seed = number_from_env("ANVIL_SEED", clock_wall_us());

	printf("test_object_list: ANVIL_SEED=%" PRId64 "\n", seed);
	fflush(stdout);
	random_state = (uint64_t)seed;
	for (int64_t round = 0; round < rounds; round++) {
		struct bucket b = random_bucket(1 + rnd(KEY_CHARS));

		for (int i = 0; i < QUERIES; i++) {
			struct list_query q = random_query();
			size_t n = model_list(&q, want), at = 0;
			struct span next;
			bool truncated = true;

			/* To the end, page by page, each from where the one before ended. */
			for (int page = 0; truncated; page++) {
				compare_page(&b, &q, want + at, n - at, &next, &truncated);
				at += truncated ? (size_t)q.max : 0;
				q.after = next;
				ck_assert_int_lt(page, 2 * KEYS + 1);
			}
		}
		arena_reset(arena);
	}
}
END_TEST

START_TEST(test_edges)
{
	struct bucket b = new_bucket(), empty = new_bucket();
	struct list_query q = { .max = 0 };
	struct list_entry *got;
	enum object_wrote wrote;
	struct object_placed placed;
	struct span next;
	bool truncated;
	size_t n;
	struct object o = inline_object("a", "1");

	o.storage_class = "GLACIER";
	OK(meta_object_put(thread, arena, &b, &o, NULL, &wrote, &placed, &err));
	OK(meta_object_list(thread, arena, &b, &q, &got, &n, &truncated, &next, &err));
	ck_assert(n == 0 && !truncated);
	q.max = 1000;
	OK(meta_object_list(thread, arena, &b, &q, &got, &n, &truncated, &next, &err));
	ck_assert(n == 1 && !truncated);
	ck_assert_str_eq(got[0].obj.storage_class, "GLACIER");
	ck_assert_str_eq(got[0].obj.owner_id, tenant.canonical_id);
	ck_assert_str_eq(got[0].obj.etag, "1");
	ck_assert_int_eq(got[0].obj.mtime_us, placed.mtime_us);
	OK(meta_object_list(thread, arena, &empty, &q, &got, &n, &truncated, &next, &err));
	ck_assert(n == 0 && !truncated && next.len == 0);
	q.max = 1001;
	ck_assert_int_eq(meta_object_list(thread, arena, &b, &q, &got, &n, &truncated, &next, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
	q.max = 1;
	q.prefix = SPAN("\xff");
	err_clear(&err);
	ck_assert_int_eq(meta_object_list(thread, arena, &b, &q, &got, &n, &truncated, &next, &err), -1);
	ck_assert_int_eq(err.code, ERR_INVALID);
}
END_TEST

/* ---- what a page reads ---- */

struct reads {
	int64_t entries, descents, rows, seq_rows, toast;
};

/* One page in a transaction of its own, with PostgreSQL's counts of it. */
static struct reads
count_reads(const char *call)
{
	PGconn *c = PQconnectdb(settings.regional_dsn);
	char sql[600];
	struct reads r = { 0 };
	int64_t *field[] = { &r.entries, &r.descents, &r.rows, &r.seq_rows, &r.toast };
	PGresult *res;

	snprintf(sql, sizeof(sql),
	    "BEGIN; CREATE TEMP TABLE page ON COMMIT DROP AS SELECT * FROM %s;"
	    "SELECT (SELECT count(*) FROM page), idx_scan, idx_tup_fetch, seq_tup_read,"
	    " (SELECT coalesce(sum(idx_scan), 0) FROM pg_stat_xact_all_tables WHERE relid ="
	    " (SELECT reltoastrelid FROM pg_class WHERE oid = 'objects'::regclass))"
	    " FROM pg_stat_xact_user_tables WHERE relname = 'objects'",
	    call);
	res = PQexec(c, sql);
	ck_assert_msg(PQresultStatus(res) == PGRES_TUPLES_OK, "%s", PQerrorMessage(c));
	for (int i = 0; i < 5; i++)
		ck_assert(parse_i64(span_of(PQgetvalue(res, 0, i)), 0, INT64_MAX, field[i]));
	PQclear(res);
	PQfinish(c);
	ck_assert_int_eq(r.seq_rows, 0);
	ck_assert_int_eq(r.toast, 0); /* no inline data */
	return r;
}

START_TEST(test_reads_are_the_pages)
{
	struct reads r;

	/* 300 prefixes of 300 keys, each with a plain key beside it; a tenth has inline data that lies outside the row. */
	ck_assert(scratch_sql(scratch, "regional",
	    "INSERT INTO objects (bucket_id, key, size, mtime, etag, data) SELECT '00000000-0000-4000-8000-00000000000a',"
	    " to_char(i, 'FM0000') || CASE j WHEN 0 THEN '' ELSE '/' || j END, 0, now(), 'e',"
	    " CASE WHEN j % 10 = 0 THEN decode(repeat('00', 4000), 'hex') END"
	    " FROM generate_series(1, 300) i, generate_series(0, 300) j;"
	    /* keys with 1,000 versions each */
	    "INSERT INTO objects (bucket_id, key, ord, size, mtime, etag, is_null) SELECT '00000000-0000-4000-8000-00000000000b',"
	    " i::text, -j, 0, now(), 'e', false FROM generate_series(1, 50) i, generate_series(1, 1000) j; ANALYZE objects"));
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000a', '', '', '', 1001)");
	ck_assert_int_eq(r.entries, 1001);
	ck_assert_int_eq(r.descents, 1);
	ck_assert_int_le(r.rows, 1001);
	/* A prefix ends the run: nothing behind it is read. */
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000a', '0007/', '', '', 1001)");
	ck_assert_int_eq(r.entries, 300);
	ck_assert_int_le(r.rows, 300);
	/* Plain keys and prefixes alternate: the worst case of the runs. */
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000a', '', '/', '', 1001)");
	ck_assert_int_eq(r.entries, 600);
	ck_assert_int_le(r.descents, 602);
	ck_assert_int_le(r.rows, 1202);
	/* Prefixes alone: one descent and one row each. */
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000a', '', '/', '0001', 300)");
	ck_assert_int_le(r.descents, r.entries + 2);
	/* A marker deep inside a prefix goes on behind it. */
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000a', '', '/', '0299/5', 1001)");
	ck_assert_int_eq(r.entries, 2);
	ck_assert_int_le(r.rows, 4);
	/* Old versions are not waded through. */
	r = count_reads("object_list('00000000-0000-4000-8000-00000000000b', '', '', '', 1001)");
	ck_assert_int_eq(r.entries, 50);
	ck_assert_int_le(r.descents, 52);
	ck_assert_int_le(r.rows, 50 * 70);
	ck_assert(scratch_sql(scratch, "regional", "TRUNCATE objects"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("object_list");
	TCase *tc = tcase_create("listing");

	tcase_add_unchecked_fixture(tc, region_start, region_stop);
	tcase_add_checked_fixture(tc, region_begin, region_end);
	tcase_set_timeout(tc, 600);
	tcase_add_test(tc, test_edges);
	tcase_add_test(tc, test_random_listings);
	tcase_add_test(tc, test_reads_are_the_pages);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
