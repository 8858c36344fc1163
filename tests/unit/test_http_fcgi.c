/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_http_fcgi.c - fcgi/http_fcgi.c against a web server played by
 * the test: records by hand over a Unix socket, with kept connections, bodies,
 * large answers, broken ones, and the wake signal.
 */
#include "fcgi/http_fcgi.h"

#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "tests/unit/suite_help.h"

#define BIG (200 * 1024 + 3)
#define IN_MAX (1024 * 1024)

enum { BEGIN = 1, END = 3, PARAMS = 4, IN = 5, OUT = 6 };

struct app {
	char path[64];
	int listen_fd;
	bool stop;
	pthread_t thread;
	bool done;
};

/* Answers by its REQUEST_URI: how many body bytes came, or a large body, or half of one. */
static void
serve_one(struct http *h)
{
	static uint8_t big[BIG];
	const char *uri = "";
	char buf[4096], head[128];
	long got = 0;
	ssize_t n;

	for (char **e = h->env; *e != NULL; e++) {
		if (strncmp(*e, "REQUEST_URI=", 12) == 0)
			uri = *e + 12;
		if (strncmp(*e, "CONTENT_LENGTH=", 15) == 0)
			h->expects_body = strcmp(*e + 15, "0") != 0;
	}
	if (strcmp(uri, "/hurry") == 0)
		http_limit_read(h, 50);
	if (strcmp(uri, "/read") == 0 || strcmp(uri, "/hurry") == 0)
		while ((n = http_read(h, buf, sizeof(buf))) > 0)
			got += n;
	memset(big, 'b', sizeof(big));
	(void)snprintf(head, sizeof(head), "Status: 200 OK\r\nX-Got: %ld%s\r\n\r\n", got, h->stalled ? " stalled" : "");
	ck_assert_int_eq(http_begin(h, head, strlen(head)), 0);
	if (strcmp(uri, "/big") == 0)
		ck_assert_int_eq(http_write(h, big, sizeof(big)), 0);
	if (strcmp(uri, "/half") == 0) {
		ck_assert_int_eq(http_write(h, big, 20000), 0);
		http_abort(h);
	}
}

static void *
app_main(void *arg)
{
	struct app *a = arg;
	struct arena *arena = arena_new(1 << 20);
	struct http_fcgi *f = http_fcgi_new(arena, a->listen_fd);
	struct http *h;

	ck_assert_ptr_nonnull(f);
	while ((h = http_fcgi_accept(f, &a->stop)) != NULL) {
		serve_one(h);
		http_fcgi_finish(f);
	}
	http_fcgi_close(f);
	arena_free(arena);
	__atomic_store_n(&a->done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void
nothing(int sig)
{
	(void)sig;
}

static void
app_start(struct app *a)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct sigaction act = { .sa_handler = nothing };
	sigset_t wake;

	*a = (struct app){ .path = "/tmp/anvil-fcgi-XXXXXX" };
	ck_assert_ptr_nonnull(mkdtemp(a->path));
	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", a->path);
	(void)sigaction(HTTP_FCGI_WAKE, &act, NULL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, HTTP_FCGI_WAKE);
	(void)pthread_sigmask(SIG_BLOCK, &wake, NULL);
	ck_assert_int_eq(http_fcgi_setup(), 0);
	a->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(a->listen_fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	ck_assert_int_eq(listen(a->listen_fd, 8), 0);
	ck_assert_int_eq(pthread_create(&a->thread, NULL, app_main, a), 0);
}

/* As the worker does it: the signal again and again, until the thread is gone. */
static void
app_stop(struct app *a)
{
	char path[80];

	__atomic_store_n(&a->stop, true, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&a->done, __ATOMIC_ACQUIRE)) {
		(void)pthread_kill(a->thread, HTTP_FCGI_WAKE);
		clock_sleep_us(1000);
	}
	(void)pthread_join(a->thread, NULL);
	(void)close(a->listen_fd);
	(void)snprintf(path, sizeof(path), "%s/s", a->path);
	(void)unlink(path);
	(void)rmdir(a->path);
}

/* ---- the web server's side ---- */

static int
web_connect(const struct app *a)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct timeval tv = { .tv_sec = 10 };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/s", a->path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	return fd;
}

static void
record(int fd, int type, const void *p, size_t len)
{
	uint8_t head[8] = { 1, (uint8_t)type, 0, 1, (uint8_t)(len >> 8), (uint8_t)len, 0, 0 };

	ck_assert_int_eq(send(fd, head, sizeof(head), MSG_NOSIGNAL), 8);
	if (len > 0)
		ck_assert_int_eq(send(fd, p, len, MSG_NOSIGNAL), (ssize_t)len);
}

static void
request(int fd, const char *uri, const char *length, bool keep)
{
	uint8_t begin[8] = { 0, 1, keep ? 1 : 0, 0, 0, 0, 0, 0 };
	char params[512];
	size_t n = 0;
	const char *pairs[2][2] = { { "REQUEST_URI", uri }, { "CONTENT_LENGTH", length } };

	for (int i = 0; i < 2; i++) {
		params[n++] = (char)strlen(pairs[i][0]);
		params[n++] = (char)strlen(pairs[i][1]);
		memcpy(params + n, pairs[i][0], strlen(pairs[i][0]));
		n += strlen(pairs[i][0]);
		memcpy(params + n, pairs[i][1], strlen(pairs[i][1]));
		n += strlen(pairs[i][1]);
	}
	record(fd, BEGIN, begin, sizeof(begin));
	record(fd, PARAMS, params, n);
	record(fd, PARAMS, NULL, 0);
}

static bool
read_all(int fd, void *p, size_t len)
{
	uint8_t *at = p;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* Standard output of one answer; true when it ended with END_REQUEST. */
static bool
answer(int fd, char *out, size_t *len)
{
	*len = 0;
	for (;;) {
		uint8_t head[8], pad[256];
		size_t n;

		if (!read_all(fd, head, sizeof(head)))
			return false;
		n = (size_t)head[4] << 8 | head[5];
		ck_assert(*len + n < IN_MAX);
		if (!read_all(fd, out + *len, n) || !read_all(fd, pad, head[6]))
			return false;
		if (head[1] == END)
			return true;
		ck_assert_int_eq(head[1], OUT);
		*len += n;
		out[*len] = '\0';
	}
}

static char in[IN_MAX];

START_TEST(test_plain)
{
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/", "0", false);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	ck_assert_str_eq(in, "Status: 200 OK\r\nX-Got: 0\r\n\r\n");
	ck_assert_int_eq(read(fd, in, 1), 0); /* not kept */
	(void)close(fd);
	app_stop(&a);
}
END_TEST

START_TEST(test_kept)
{
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	for (int i = 0; i < 3; i++) {
		request(fd, "/", "0", true);
		record(fd, IN, NULL, 0);
		ck_assert(answer(fd, in, &len));
		request(fd, "/read", "5", true);
		record(fd, IN, "hello", 5);
		record(fd, IN, NULL, 0);
		ck_assert(answer(fd, in, &len));
		ck_assert_ptr_nonnull(strstr(in, "X-Got: 5\r\n"));
	}
	/* a waiting kept connection does not keep the thread from stopping */
	app_stop(&a);
	ck_assert_int_le(read(fd, in, 1), 0);
	(void)close(fd);
}
END_TEST

START_TEST(test_body_in_pieces)
{
	static char piece[60000];
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/read", "180001", false);
	for (int i = 0; i < 3; i++)
		record(fd, IN, piece, sizeof(piece));
	record(fd, IN, piece, 1);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	ck_assert_ptr_nonnull(strstr(in, "X-Got: 180001\r\n"));
	(void)close(fd);
	app_stop(&a);
}
END_TEST

START_TEST(test_big_answer)
{
	struct app a;
	size_t len, head;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/big", "0", true);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	head = (size_t)(strstr(in, "\r\n\r\n") + 4 - in);
	ck_assert_uint_eq(len - head, BIG);
	for (size_t i = head; i < len; i++)
		ck_assert_int_eq(in[i], 'b');
	request(fd, "/", "0", true); /* and libfcgi's own stream goes on where it was */
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	ck_assert_str_eq(in, "Status: 200 OK\r\nX-Got: 0\r\n\r\n");
	(void)close(fd);
	app_stop(&a);
}
END_TEST

/* Half an answer must not end like a whole one. */
START_TEST(test_half_answer)
{
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/half", "0", true); /* the application may be gone before an empty body could be sent */
	ck_assert(!answer(fd, in, &len));
	(void)close(fd);
	app_stop(&a);
}
END_TEST

/* An answer before the body was read: whole, and the connection is not kept. */
START_TEST(test_early_answer)
{
	static char piece[60000];
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/", "120000", true);
	record(fd, IN, piece, sizeof(piece));
	ck_assert(answer(fd, in, &len));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_le(read(fd, in, 1), 0);
	(void)close(fd);
	app_stop(&a);
}
END_TEST

/* Who sends no more of a body is given up, and answered; a kept connection forgets the limit. */
START_TEST(test_stalled_body)
{
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	fd = web_connect(&a);
	request(fd, "/hurry", "5", true);
	record(fd, IN, "hello", 5);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	ck_assert_ptr_nonnull(strstr(in, "X-Got: 5\r\n"));
	request(fd, "/read", "5", true);
	record(fd, IN, "hell", 4);
	clock_sleep_us(200 * US_PER_MS);
	record(fd, IN, "o", 1);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	ck_assert_ptr_nonnull(strstr(in, "X-Got: 5\r\n"));
	request(fd, "/hurry", "5", true);
	record(fd, IN, "hell", 4);
	ck_assert(answer(fd, in, &len));
	ck_assert_ptr_nonnull(strstr(in, "X-Got: 4 stalled\r\n"));
	ck_assert_int_eq(shutdown(fd, SHUT_WR), 0);
	ck_assert_int_le(read(fd, in, 1), 0);
	(void)close(fd);
	app_stop(&a);
}
END_TEST

/* Strangers and broken web servers cost their connection, not the thread. */
START_TEST(test_garbage)
{
	struct app a;
	size_t len;
	int fd;

	app_start(&a);
	for (int i = 0; i < 20; i++) {
		fd = web_connect(&a);
		if (i % 2 == 1)
			(void)send(fd, "GET / HTTP/1.0\r\n\r\n", 18, MSG_NOSIGNAL);
		(void)close(fd);
	}
	fd = web_connect(&a);
	request(fd, "/", "0", false);
	record(fd, IN, NULL, 0);
	ck_assert(answer(fd, in, &len));
	(void)close(fd);
	app_stop(&a);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("http_fcgi");
	TCase *tc = tcase_create("transport");

	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, test_plain);
	tcase_add_test(tc, test_kept);
	tcase_add_test(tc, test_body_in_pieces);
	tcase_add_test(tc, test_big_answer);
	tcase_add_test(tc, test_half_answer);
	tcase_add_test(tc, test_early_answer);
	tcase_add_test(tc, test_stalled_body);
	tcase_add_test(tc, test_garbage);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
