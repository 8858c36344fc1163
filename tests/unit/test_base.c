/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_base.c - base/: memory, text, numbers, time, sealing, settings.
 */
#include "base/arena.h"
#include "base/chunk_seal.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/parse.h"
#include "base/settings.h"
#include "base/strbuf.h"
#include "base/thread.h"
#include "tests/unit/suite_help.h"

#include <check.h>
#include <fcntl.h>
#include <sys/stat.h>

static int hook_order[4], hook_count;

static void
note_hook(void *arg)
{
	hook_order[hook_count++] = *(int *)arg;
}

START_TEST(test_arena_cap_sticks)
{
	struct arena *a = arena_new(1000);

	ck_assert_ptr_nonnull(arena_alloc(a, 900));
	ck_assert(!arena_overflowed(a));
	ck_assert_ptr_null(arena_alloc(a, 200));
	ck_assert(arena_overflowed(a));
	ck_assert_ptr_null(arena_alloc(a, SIZE_MAX));
	ck_assert_ptr_null(arena_array(a, SIZE_MAX / 2, 4));
	arena_reset(a);
	ck_assert(!arena_overflowed(a));
	ck_assert_ptr_nonnull(arena_alloc(a, 900));
	arena_free(a);
}
END_TEST

START_TEST(test_arena_grows_and_rewinds)
{
	struct arena *a = arena_new(10 * 1024 * 1024);
	int one = 1, two = 2;
	struct arena_mark m;
	char *kept, *big;

	kept = arena_strdup(a, "kept");
	ck_assert(arena_on_reset(a, note_hook, &one));
	m = arena_mark(a);
	big = arena_zalloc(a, 3 * 1024 * 1024);
	ck_assert_ptr_nonnull(big);
	ck_assert_int_eq(big[3 * 1024 * 1024 - 1], 0);
	ck_assert(arena_on_reset(a, note_hook, &two));
	hook_count = 0;
	arena_rewind(a, m);
	ck_assert_int_eq(hook_count, 1);
	ck_assert_int_eq(hook_order[0], 2);
	ck_assert_str_eq(kept, "kept");
	arena_reset(a);
	ck_assert_int_eq(hook_count, 2);
	ck_assert_int_eq(hook_order[1], 1);
	ck_assert_uint_eq(arena_used(a), 0);
	arena_free(a);
}
END_TEST

START_TEST(test_strbuf_limit_sticks)
{
	struct arena *a = arena_new(1 << 20);
	struct strbuf sb;

	strbuf_init(&sb, a, 10);
	ck_assert_str_eq(strbuf_cstr(&sb), "");
	strbuf_str(&sb, "0123456");
	strbuf_printf(&sb, "%d", 789);
	ck_assert(strbuf_ok(&sb));
	strbuf_ch(&sb, 'x');
	ck_assert(!strbuf_ok(&sb));
	strbuf_add(&sb, "", 0);
	ck_assert(!strbuf_ok(&sb));
	ck_assert_str_eq(strbuf_cstr(&sb), "0123456789");
	strbuf_clear(&sb);
	strbuf_hex(&sb, "\x00\xff", 2);
	ck_assert(strbuf_ok(&sb));
	ck_assert_str_eq(strbuf_cstr(&sb), "00ff");
	arena_free(a);
}
END_TEST

START_TEST(test_err_keeps_the_first)
{
	struct err e;

	err_clear(&e);
	ck_assert_int_eq(FAIL(&e, ERR_NOT_FOUND, "first %d", 1), -1);
	ck_assert_int_eq(FAIL(&e, ERR_INTERNAL, "second"), -1);
	ck_assert_int_eq(e.code, ERR_NOT_FOUND);
	ck_assert_str_eq(e.detail, "first 1");
	ck_assert_ptr_nonnull(strstr(e.where, "test_base.c:"));
	ck_assert_str_eq(err_kind_name(e.code), "NOT_FOUND");
	ck_assert_str_eq(err_kind_name(ERR_PROTOCOL + 3), "protocol");
}
END_TEST

static const struct {
	const char *text;
	int64_t min, max;
	bool ok;
	int64_t want;
} numbers[] = {
	{ "0", 0, 10, true, 0 },
	{ "10", 0, 10, true, 10 },
	{ "11", 0, 10, false, 0 },
	{ "-1", 0, 10, false, 0 },
	{ "-1", -5, 10, true, -1 },
	{ "", 0, 10, false, 0 },
	{ "-", -5, 10, false, 0 },
	{ "+1", 0, 10, false, 0 },
	{ " 1", 0, 10, false, 0 },
	{ "1 ", 0, 10, false, 0 },
	{ "1x", 0, 10, false, 0 },
	{ "0x1", 0, 10, false, 0 },
	{ "007", 0, 10, true, 7 },
	{ "9223372036854775807", 0, INT64_MAX, true, INT64_MAX },
	{ "9223372036854775808", 0, INT64_MAX, false, 0 },
	{ "-9223372036854775808", INT64_MIN, 0, true, INT64_MIN },
	{ "-9223372036854775809", INT64_MIN, 0, false, 0 },
	{ "99999999999999999999999", 0, INT64_MAX, false, 0 },
};

static const struct {
	const char *address, *authority, *host;
} addresses[] = {
	{ "https://s3.eu.example.com:8443", "s3.eu.example.com:8443", "s3.eu.example.com" },
	{ "http://192.0.2.7", "192.0.2.7", "192.0.2.7" },
	{ "tls+tcp://[2001:db8::1]:7801", "[2001:db8::1]:7801", "2001:db8::1" },
	{ "host:1", "host:1", "host" },
	{ "", "", "" },
};

START_TEST(test_address_rows)
{
	ck_assert(span_eq(address_authority(addresses[_i].address), span_of(addresses[_i].authority)));
	ck_assert(span_eq(address_host(addresses[_i].address), span_of(addresses[_i].host)));
}
END_TEST

START_TEST(test_parse_i64_rows)
{
	int64_t n = -77;
	bool ok = parse_i64(span_of(numbers[_i].text), numbers[_i].min, numbers[_i].max, &n);

	ck_assert_msg(ok == numbers[_i].ok, "row \"%s\": %d", numbers[_i].text, ok);
	ck_assert_int_eq(n, ok ? numbers[_i].want : -77);
}
END_TEST

static const struct {
	const char *b64, *bytes;
	int len;
} base64_rows[] = {
	{ "", "", 0 },
	{ "Zg==", "f", 1 },
	{ "Zm8=", "fo", 2 },
	{ "Zm9v", "foo", 3 },
	{ "Zm9vYmFy", "foobar", 6 },
	{ "+/+/", "\xfb\xff\xbf", 3 },
	{ "Zh==", NULL, -1 }, /* bits that no byte takes */
	{ "Zm9=", NULL, -1 },
	{ "Zg=", NULL, -1 },
	{ "Zg", NULL, -1 },
	{ "Z===", NULL, -1 },
	{ "====", NULL, -1 },
	{ "Zg==Zg==", NULL, -1 },
	{ "Z g=", NULL, -1 },
	{ "Zm9-", NULL, -1 },
};

START_TEST(test_base64_rows)
{
	uint8_t out[16];
	char back[32];
	ssize_t n = base64_decode(span_of(base64_rows[_i].b64), out, sizeof(out));

	ck_assert_msg(n == base64_rows[_i].len, "row \"%s\": %zd", base64_rows[_i].b64, n);
	if (n < 0)
		return;
	ck_assert_mem_eq(out, base64_rows[_i].bytes, (size_t)n);
	base64_encode(out, (size_t)n, back);
	ck_assert_str_eq(back, base64_rows[_i].b64);
	if (n > 0)
		ck_assert_int_eq(base64_decode(span_of(base64_rows[_i].b64), out, (size_t)n - 1), -1);
}
END_TEST

static const struct {
	const char *bytes;
	bool ok;
} utf8_rows[] = {
	{ "", true }, { "plain", true }, { "\xc3\xa9", true },
	{ "\xe2\x82\xac", true }, { "\xf0\x9f\x98\x80", true },
	{ "\xf4\x8f\xbf\xbf", true }, { "\xf4\x90\x80\x80", false },
	{ "\xc0\xaf", false }, { "\xc1\xbf", false }, { "\xe0\x80\xaf", false },
	{ "\xed\xa0\x80", false }, { "\xed\x9f\xbf", true },
	{ "\xf0\x8f\xbf\xbf", false }, { "\x80", false }, { "\xc3", false },
	{ "\xe2\x82", false }, { "\xff", false }, { "a\xc3" "b", false },
};

START_TEST(test_utf8_rows)
{
	ck_assert_msg(utf8_valid(span_of(utf8_rows[_i].bytes)) == utf8_rows[_i].ok, "row %d", _i);
}
END_TEST

static const struct {
	int64_t seconds;
	struct clock_utc utc;
} dates[] = {
	{ 0, { 1970, 1, 1, 0, 0, 0, 4, 0 } },
	{ -1, { 1969, 12, 31, 23, 59, 59, 3, 0 } },
	{ 951782400, { 2000, 2, 29, 0, 0, 0, 2, 0 } },
	{ 1369353600, { 2013, 5, 24, 0, 0, 0, 5, 0 } },
	{ 4107542399, { 2100, 2, 28, 23, 59, 59, 0, 0 } },
	{ 4107542400, { 2100, 3, 1, 0, 0, 0, 1, 0 } },
	{ 253402300799, { 9999, 12, 31, 23, 59, 59, 5, 0 } },
};

START_TEST(test_clock_rows)
{
	struct clock_utc got;
	int64_t back;

	clock_utc(dates[_i].seconds * US_PER_S, &got);
	ck_assert_mem_eq(&got, &dates[_i].utc, sizeof(got));
	ck_assert(clock_from_utc(&got, &back));
	ck_assert_int_eq(back, dates[_i].seconds * US_PER_S);
}
END_TEST

START_TEST(test_clock_refuses_bad_dates)
{
	struct clock_utc d = { 2023, 2, 29, 0, 0, 0, 0, 0 };
	int64_t t;

	ck_assert(!clock_from_utc(&d, &t));
	d.day = 28;
	ck_assert(clock_from_utc(&d, &t));
	d.month = 13;
	ck_assert(!clock_from_utc(&d, &t));
}
END_TEST

START_TEST(test_hmac_rfc4231)
{
	/* RFC 4231, test case 2 and 6 (a key longer than a block). */
	uint8_t key[131], out[SHA256_LEN];
	char hex[2 * SHA256_LEN + 1];

	hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, out);
	hex_encode(out, sizeof(out), hex);
	ck_assert_str_eq(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
	memset(key, 0xaa, sizeof(key));
	hmac_sha256(key, sizeof(key), "Test Using Larger Than Block-Size Key - Hash Key First", 54, out);
	hex_encode(out, sizeof(out), hex);
	ck_assert_str_eq(hex, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}
END_TEST

START_TEST(test_seal_binds_key_and_owner)
{
	struct seal_key k = { 7, { 1, 2, 3 } }, other = { 7, { 9 } };
	uint8_t box[11 + SEAL_OVERHEAD], out[11];

	seal(&k, SPAN("AKIA1"), "hello world", 11, box);
	ck_assert(seal_open(&k, SPAN("AKIA1"), box, sizeof(box), out));
	ck_assert_mem_eq(out, "hello world", 11);
	ck_assert(!seal_open(&k, SPAN("AKIA2"), box, sizeof(box), out));
	ck_assert(!seal_open(&other, SPAN("AKIA1"), box, sizeof(box), out));
	for (size_t i = 0; i < sizeof(box); i++) {
		box[i] ^= 1;
		ck_assert_msg(!seal_open(&k, SPAN("AKIA1"), box, sizeof(box), out), "byte %zu", i);
		box[i] ^= 1;
	}
	for (size_t len = 0; len < sizeof(box); len++)
		ck_assert(!seal_open(&k, SPAN("AKIA1"), box, len, out));
}
END_TEST

static const size_t sealed_sizes[] = { 0, 1, 65535, 65536, 65537, 131072, 200000 };

/* Every size opens again; nothing changed, moved, cut or of another run does. */
START_TEST(test_chunks_are_sealed)
{
	static uint8_t plain[200000], box[200000 + 4 * CHUNK_SEAL_TAG];
	size_t size = sealed_sizes[_i], at = 0;
	int64_t n = chunk_seal_count((int64_t)size);
	uint8_t key[CHUNK_SEAL_KEY], one[CHUNK_SEAL_SIZE];
	struct chunk_sealer *s, *other;

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 31 + i / 257);
	chunk_seal_key((const uint8_t *)"0123456789abcdef0123456789abcdef", "id-1", 4, key);
	s = chunk_sealer_new(key);
	chunk_seal_key((const uint8_t *)"0123456789abcdef0123456789abcdef", "id-2", 4, key);
	other = chunk_sealer_new(key);
	for (int64_t i = 0; i < n; i++) {
		size_t from = (size_t)i * CHUNK_SEAL_BYTES, len = size - from < CHUNK_SEAL_BYTES ? size - from : CHUNK_SEAL_BYTES;

		memcpy(box + at, plain + from, len);
		chunk_seal(s, i, i == n - 1, box + at, len);
		at += len + CHUNK_SEAL_TAG;
	}
	ck_assert_int_eq((int64_t)at, chunk_seal_size((int64_t)size));
	for (int64_t i = n; i-- > 0;) {
		size_t from = (size_t)i * CHUNK_SEAL_BYTES, len = size - from < CHUNK_SEAL_BYTES ? size - from : CHUNK_SEAL_BYTES;
		const uint8_t *sealed = box + (size_t)i * CHUNK_SEAL_SIZE;

#define OPENS(sealer, number, last, length) \
	(memcpy(one, sealed, len + CHUNK_SEAL_TAG), chunk_open(sealer, number, last, one, length))
		ck_assert(OPENS(s, i, i == n - 1, len + CHUNK_SEAL_TAG));
		ck_assert(memcmp(one, plain + from, len) == 0);
		ck_assert(!OPENS(s, i + 1, i == n - 1, len + CHUNK_SEAL_TAG));
		ck_assert(!OPENS(s, i, i != n - 1, len + CHUNK_SEAL_TAG));
		ck_assert(!OPENS(other, i, i == n - 1, len + CHUNK_SEAL_TAG));
		ck_assert(!OPENS(s, i, i == n - 1, len + CHUNK_SEAL_TAG - 1));
		memcpy(one, sealed, len + CHUNK_SEAL_TAG);
		one[len / 2] ^= 1;
		ck_assert(!chunk_open(s, i, i == n - 1, one, len + CHUNK_SEAL_TAG));
#undef OPENS
	}
	chunk_sealer_free(s);
	chunk_sealer_free(other);
}
END_TEST

START_TEST(test_codec_round_trip_and_every_cut)
{
	struct arena *a = arena_new(1 << 20);
	struct strbuf sb;
	struct dec d;

	strbuf_init(&sb, a, 1000);
	enc_u8(&sb, 200);
	enc_u32(&sb, 0xdeadbeef);
	enc_i64(&sb, -5);
	enc_str(&sb, NULL);
	enc_str(&sb, "text");
	enc_bytes(&sb, "\0b", 2);
	for (size_t cut = 0; cut <= sb.len; cut++) {
		struct span bytes;
		char *nothing, *text;

		dec_init(&d, sb.buf, cut);
		ck_assert(dec_u8(&d) == 200 || d.failed);
		ck_assert(dec_u32(&d) == 0xdeadbeef || d.failed);
		ck_assert(dec_i64(&d) == -5 || d.failed);
		nothing = dec_str(&d, a, 10);
		text = dec_str(&d, a, 10);
		bytes = dec_bytes(&d, 10);
		ck_assert(dec_done(&d) == (cut == sb.len));
		if (cut < sb.len)
			continue;
		ck_assert_ptr_null(nothing);
		ck_assert_str_eq(text, "text");
		ck_assert_uint_eq(bytes.len, 2);
	}
	dec_init(&d, "\0\0\0\xff" "abc", 7);
	ck_assert_uint_eq(dec_bytes(&d, 3).len, 0);
	ck_assert(d.failed);
	arena_free(a);
}
END_TEST

static char *
read_all(const char *path)
{
	static char text[16384];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof(text) - 1);

	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return text;
}

START_TEST(test_log_escapes)
{
	char path[] = "/tmp/anvil-log-XXXXXX";
	char *text;
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(log_open("test", LOG_INFO, path), 0);
	log_event("RID1", EV_REQUEST, LS("key", "a b\n\"x\""), LS("none", NULL),
	    LI("n", -3), LS("empty", ""), LSPAN("span", SPAN("plain")));
	text = read_all(path);
	ck_assert_ptr_nonnull(strstr(text,
	    " ev=request rid=RID1 key=\"a b\\x0a\\\"x\\\"\" none=- n=-3 empty=\"\" span=plain\n"));
	unlink(path);
}
END_TEST

static char conf_dir[] = "/tmp/anvil-conf-XXXXXX";

static const char *
write_file(const char *name, const char *text, mode_t mode)
{
	static char path[200];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", conf_dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
	chmod(path, mode);
	return path;
}

static int
load_with(const char *extra, struct settings **s, struct err *e)
{
	char text[2000];

	snprintf(text, sizeof(text),
	    "region = \"eu\"\nglobal_dsn = \"g\"\nregional_dsn = \"r\"\n"
	    "store_dir = \"/tmp\"\nmaster_key_file = \"%s/master\"\n"
	    "cluster_secret_file = \"%s/cluster\"\n%s\n", conf_dir, conf_dir, extra);
	err_clear(e);
	return settings_load(write_file("anvil.conf", text, 0644), s, e);
}

START_TEST(test_settings)
{
	struct settings *s;
	struct err e;

	ck_assert_ptr_nonnull(mkdtemp(conf_dir));
	write_file("master", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n", 0600);
	write_file("cluster", "a secret of thirty-two characters, or more\n", 0600);

	ck_assert_msg(load_with("threads = 7\nmemcached = { \"a:1\", \"b:2\" }", &s, &e) == 0, "%s", e.detail);
	ck_assert_int_eq(s->threads, 7);
	ck_assert_str_eq(s->memcached[1], "b:2");
	ck_assert_ptr_null(s->memcached[2]);
	ck_assert_str_eq(s->default_region, "eu");
	ck_assert_int_eq(s->max_object_bytes, INT64_C(5368709120));
	ck_assert_int_eq(s->master.key[31], 0x1f);
	settings_free(s);

	ck_assert_int_eq(load_with("threads = 0", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "threads = \"0\": must be a number of threads from 1 to 1024"));
	ck_assert_int_eq(load_with("thread = 3", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "anvil.conf:7"));
	ck_assert_int_eq(load_with("routing_mode = \"maybe\"", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "auto|redirect|relay"));
	ck_assert_int_eq(load_with("metadata_ack_ms = 3000", &s, &e), -1);
	ck_assert_int_eq(load_with("region = \"\"", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "region is not set"));
	write_file("master", "zz", 0600);
	ck_assert_int_eq(load_with("", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "64 hexadecimal digits"));
	write_file("master", "zz", 0644);
	ck_assert_int_eq(load_with("", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "chmod 600"));
	err_clear(&e);
	ck_assert_int_eq(settings_load("/nonexistent/anvil.conf", &s, &e), -1);
	ck_assert_ptr_nonnull(strstr(e.detail, "cannot be read"));
}
END_TEST

static const char *
op_name(int op)
{
	return op == 0 ? "GetObject" : NULL;
}

static void *
stack_size(void *arg)
{
	pthread_attr_t attr;

	ck_assert_int_eq(pthread_getattr_np(pthread_self(), &attr), 0);
	ck_assert_int_eq(pthread_attr_getstacksize(&attr, arg), 0);
	(void)pthread_attr_destroy(&attr);
	return arg;
}

START_TEST(test_small_threads)
{
	struct err err = { 0 };
	pthread_t id;
	size_t size = 0;
	void *gave;

	ck_assert_int_eq(thread_start_small(&id, stack_size, &size, &err), 0);
	ck_assert_int_eq(pthread_join(id, &gave), 0);
	ck_assert_ptr_eq(gave, &size);
	ck_assert_uint_eq(size, THREAD_STACK_BYTES);
}
END_TEST

START_TEST(test_metrics_are_shared)
{
	char path[] = "/tmp/anvil-metrics-XXXXXX";
	struct arena *a = arena_new(1 << 20);
	struct strbuf sb;
	int fd = mkstemp(path);

	close(fd);
	ck_assert_int_eq(metrics_open(path), 0);
	metric_add(M_CACHE_HITS, 3);
	metric_request(0, 206, 1500, 0, 10);
	metric_time(H_ACK_WAIT, 1500);
	metric_time(H_ACK_WAIT, 20000000);
	ck_assert_int_eq(metrics_open(path), 0); /* as another process would */
	ck_assert_int_eq(metric_get(M_CACHE_HITS), 3);
	strbuf_init(&sb, a, 1 << 19);
	metrics_print(&sb, "eu", op_name);
	ck_assert(strbuf_ok(&sb));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_cache_hits_total{region=\"eu\"} 3\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "operation=\"GetObject\",status=\"2xx\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "le=\"0.0025\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "# TYPE anvil_metadata_ack_wait_seconds histogram\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_metadata_ack_wait_seconds_bucket{region=\"eu\",le=\"0.001\"} 0\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_metadata_ack_wait_seconds_bucket{region=\"eu\",le=\"10\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_metadata_ack_wait_seconds_bucket{region=\"eu\",le=\"+Inf\"} 2\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_metadata_ack_wait_seconds_sum{region=\"eu\"} 20.001500\n"));
	ck_assert_ptr_nonnull(strstr(sb.buf, "anvil_metadata_ack_wait_seconds_count{region=\"eu\"} 2\n"));
	unlink(path);
	arena_free(a);
}
END_TEST

static Suite *
base_suite(void)
{
	Suite *s = suite_create("base");
	TCase *t = tcase_create("base");

	tcase_add_test(t, test_arena_cap_sticks);
	tcase_add_test(t, test_arena_grows_and_rewinds);
	tcase_add_test(t, test_strbuf_limit_sticks);
	tcase_add_test(t, test_err_keeps_the_first);
	tcase_add_loop_test(t, test_address_rows, 0, (int)ARRAY_LEN(addresses));
	tcase_add_loop_test(t, test_parse_i64_rows, 0, (int)ARRAY_LEN(numbers));
	tcase_add_loop_test(t, test_base64_rows, 0, (int)ARRAY_LEN(base64_rows));
	tcase_add_loop_test(t, test_utf8_rows, 0, (int)ARRAY_LEN(utf8_rows));
	tcase_add_loop_test(t, test_clock_rows, 0, (int)ARRAY_LEN(dates));
	tcase_add_test(t, test_clock_refuses_bad_dates);
	tcase_add_test(t, test_hmac_rfc4231);
	tcase_add_test(t, test_seal_binds_key_and_owner);
	tcase_add_loop_test(t, test_chunks_are_sealed, 0, (int)ARRAY_LEN(sealed_sizes));
	tcase_add_test(t, test_codec_round_trip_and_every_cut);
	tcase_add_test(t, test_log_escapes);
	tcase_add_test(t, test_settings);
	tcase_add_test(t, test_small_threads);
	tcase_add_test(t, test_metrics_are_shared);
	suite_add_tcase(s, t);
	return s;
}

int
main(void)
{
	return suite_run(base_suite());
}
