/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_relay.c - relaying against a small server on loopback that
 * records what it was sent and answers what the test says.
 */
#include "base/arena.h"
#include "routing/relay.h"
#include "tests/unit/suite_help.h"

#include <arpa/inet.h>
#include <check.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#define BODY_BYTES (3 * 1024 * 1024)

struct home {
	int listener;
	_Atomic int fd;          /* who is being served */
	char endpoint[64];
	const char *answer;      /* sent once the whole request is there; NULL = close at once */
	bool early;              /* answers before it takes the body, and takes none of it */
	bool silent;             /* takes the request and never answers; when early, too, takes the head alone */
	bool pauses;             /* after what answer holds, until the relay gives up */
	char head[8192];         /* the request's head, as it came */
	_Atomic size_t body_bytes; /* behind it, as on the wire */
	pthread_t thread;
};

/* How many bytes of body the head announces; -1 = chunked. */
static long
announced(const char *head)
{
	const char *p = strstr(head, "Content-Length: ");
	long n = 0;

	if (strstr(head, "chunked") != NULL)
		return -1;
	for (p = p == NULL ? "" : p + 16; *p >= '0' && *p <= '9'; p++)
		n = n * 10 + (*p - '0');
	return n;
}

static void
read_request(struct home *h, int fd)
{
	static char buf[65536];
	size_t len = 0;
	ssize_t n;
	char *end = NULL;
	long want;

	while (end == NULL && len < sizeof(h->head) - 1 &&
	    (n = read(fd, h->head + len, sizeof(h->head) - 1 - len)) > 0) {
		len += (size_t)n;
		h->head[len] = '\0';
		end = strstr(h->head, "\r\n\r\n");
	}
	if (end == NULL)
		return;
	if (h->early)
		return;
	want = announced(h->head);
	h->body_bytes = len - (size_t)(end + 4 - h->head);
	memcpy(buf, end + 4, h->body_bytes < 64 ? h->body_bytes : 64);
	end[4] = '\0';
	while (want < 0 ? memmem(buf, 64, "0\r\n\r\n", 5) == NULL : h->body_bytes < (size_t)want) {
		n = read(fd, buf, sizeof(buf));
		if (n <= 0)
			return;
		h->body_bytes += (size_t)n;
		if (want < 0 && n >= 5 && memcmp(buf + n - 5, "0\r\n\r\n", 5) == 0)
			return;
	}
}

/* Until the relay gives up, of which the socket's state tells alone: nothing more is read. */
static void
wait_for_end(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLRDHUP };

	(void)poll(&pfd, 1, -1);
}

static void *
serve(void *arg)
{
	struct home *h = arg;
	int fd;

	while ((fd = h->fd = accept(h->listener, NULL, NULL)) >= 0) {
		h->body_bytes = 0;
		if (h->answer != NULL) {
			read_request(h, fd);
			if (h->silent)
				wait_for_end(fd);
			else
				(void)send(fd, h->answer, strlen(h->answer), MSG_NOSIGNAL); /* maybe nobody waits for it any more */
			if (h->pauses)
				wait_for_end(fd);
		}
		h->fd = -1;
		close(fd);
	}
	return NULL;
}

static struct home home;
static struct settings settings = { .region = "eu", .relay_connect_ms = 1000, .relay_first_byte_ms = 1500, .relay_idle_ms = 2000, .threads = 4, .relay_ca_file = "" };
static struct relays *relays;
static struct relay_thread *thread;
static struct arena *arena;
static struct err err;

/* The client's side. */
static size_t to_send, sent, received, flushed; /* flushed: of what was received */
static int got_status;
static char got_headers[4096];
static bool client_leaves;        /* in the midst of its body */
static bool client_stalls;        /* the same: sends no more */
static bool client_left;          /* while it should wait for the answer */
static bool client_ready = true;  /* more of the body is there */

static ssize_t
io_read(void *arg, void *p, size_t len)
{
	(void)arg;
	if (client_leaves && sent > 0)
		return -1;
	if (client_stalls && sent > 0)
		return RELAY_STALLED;
	if (len > to_send - sent)
		len = to_send - sent;
	memset(p, 'x', len);
	sent += len;
	return (ssize_t)len;
}

static int
io_begin(void *arg, int status, struct span headers)
{
	(void)arg;
	got_status = status;
	snprintf(got_headers, sizeof(got_headers), "%.*s", (int)headers.len, headers.p);
	return 0;
}

static int
io_write(void *arg, const void *p, size_t len)
{
	(void)arg;
	(void)p;
	received += len;
	return 0;
}

static int
io_flush(void *arg)
{
	(void)arg;
	flushed = received;
	return 0;
}

static bool
io_ready(void *arg)
{
	(void)arg;
	return client_ready;
}

static bool
io_gone(void *arg)
{
	(void)arg;
	return client_left;
}

static const struct relay_io io = {
	.fd = -1, .ready = io_ready, .gone = io_gone, .read = io_read, .begin = io_begin, .write = io_write, .flush = io_flush
};

static void
setup(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);

	memset(&home, 0, sizeof(home));
	home.listener = socket(AF_INET, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(home.listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(home.listener, 8), 0);
	ck_assert_int_eq(getsockname(home.listener, (struct sockaddr *)&addr, &len), 0);
	snprintf(home.endpoint, sizeof(home.endpoint), "http://127.0.0.1:%d", ntohs(addr.sin_port));
	pthread_create(&home.thread, NULL, serve, &home);
	relays = relays_new(&settings);
	thread = relay_thread_new(relays);
	arena = arena_new(1 << 20);
	err_clear(&err);
	to_send = sent = received = flushed = 0;
	got_status = 0;
	client_leaves = client_stalls = client_left = false;
	client_ready = true;
}

static void
teardown(void)
{
	relay_thread_free(thread);
	relays_free(relays);
	arena_free(arena);
	shutdown(home.listener, SHUT_RDWR);
	shutdown(home.fd, SHUT_RDWR); /* the end of one who is not read from does not arrive */
	pthread_join(home.thread, NULL);
	close(home.listener);
}

static int
relay(const char *method, int64_t content_length, bool has_body)
{
	static const char *const none[] = { NULL };
	static struct region us = { .name = "us", .domains = none };
	static const struct relay_header headers[] = {
		{ SPAN("host"), SPAN("client.example:81") },
		{ SPAN("authorization"), SPAN("AWS4-HMAC-SHA256 x") },
		{ SPAN("x-amz-meta-under_score"), SPAN("kept") },
		{ SPAN("x-empty"), SPAN("") },
		{ SPAN("connection"), SPAN("close, te") },
		{ SPAN("x-anvil-hop"), SPAN("forged") },
		{ SPAN("expect"), SPAN("100-continue") },
	};
	struct relay_request rq = {
		.home = &us, .method = method, .target = SPAN("/b/a%2Fb//../c?list-type=2&x"),
		.host = "client.example:81", .headers = headers, .n_headers = ARRAY_LEN(headers),
		.content_length = content_length, .has_body = has_body, .hop = "true-hop", .request_id = "RID",
	};
	int status = 0;

	us.endpoint = home.endpoint;
	return relay_run(thread, arena, &rq, &io, &status, &err);
}

START_TEST(test_get_keeps_target_host_and_headers)
{
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nETag: \"e\"\r\nConnection: close\r\nx-amz-request-id: R\r\n\r\nhello";
	ck_assert_msg(relay("GET", -1, false) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 200);
	ck_assert_uint_eq(received, 5);
	ck_assert_str_eq(got_headers, "Content-Length: 5\r\nETag: \"e\"\r\nx-amz-request-id: R\r\n");
	ck_assert_ptr_eq(strstr(home.head, "GET /b/a%2Fb//../c?list-type=2&x HTTP/1.1\r\nHost: client.example:81\r\n"), home.head);
	ck_assert_ptr_nonnull(strstr(home.head, "authorization: AWS4-HMAC-SHA256 x\r\n"));
	ck_assert_ptr_nonnull(strstr(home.head, "x-amz-meta-under_score: kept\r\n"));
	ck_assert_ptr_nonnull(strstr(home.head, "x-empty:\r\n"));
	ck_assert_ptr_nonnull(strstr(home.head, "x-anvil-hop: true-hop\r\n"));
	ck_assert_ptr_null(strstr(home.head, "forged"));
	ck_assert_ptr_null(strcasestr(home.head, "connection:"));
	ck_assert_ptr_null(strcasestr(home.head, "expect:"));
	ck_assert_ptr_null(strcasestr(home.head, "accept:"));
	ck_assert_ptr_null(strcasestr(home.head, "user-agent:"));
}
END_TEST

START_TEST(test_head_keeps_the_length)
{
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1234567\r\n\r\n";
	ck_assert_msg(relay("HEAD", -1, false) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 200);
	ck_assert_str_eq(got_headers, "Content-Length: 1234567\r\n");
	ck_assert_uint_eq(received, 0);
}
END_TEST

START_TEST(test_put_streams_the_body)
{
	to_send = BODY_BYTES;
	home.answer = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	ck_assert_msg(relay("PUT", BODY_BYTES, true) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 200);
	ck_assert_uint_eq(home.body_bytes, BODY_BYTES);
	ck_assert_ptr_nonnull(strstr(home.head, "Content-Length: 3145728\r\n"));
}
END_TEST

START_TEST(test_put_of_unknown_length_is_chunked)
{
	to_send = 100000;
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	ck_assert_msg(relay("PUT", -1, true) == 0, "%s", err.detail);
	ck_assert_uint_gt(home.body_bytes, 100000);
	ck_assert_ptr_nonnull(strstr(home.head, "Transfer-Encoding: chunked\r\n"));
}
END_TEST

START_TEST(test_put_of_nothing_says_so)
{
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	ck_assert_msg(relay("PUT", 0, true) == 0, "%s", err.detail);
	ck_assert_ptr_nonnull(strstr(home.head, "Content-Length: 0\r\n"));
}
END_TEST

START_TEST(test_error_answers_pass)
{
	home.answer = "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\n<x>";
	ck_assert_msg(relay("DELETE", -1, false) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 404);
	ck_assert_uint_eq(received, 3);
}
END_TEST

/* What lighttpd says when a worker was killed is no answer of S3. */
START_TEST(test_web_servers_own_errors_do_not_pass)
{
	home.answer = "HTTP/1.1 500 Internal Server Error\r\nContent-Length: 6\r\n\r\n<html>";
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_int_eq(got_status, 0);
	err_clear(&err);
	home.answer = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
	ck_assert_int_eq(relay("DELETE", -1, false), -1);
	ck_assert_int_eq(got_status, 0);
	home.answer = "HTTP/1.1 503 Slow Down\r\nContent-Length: 3\r\nX-Amz-Request-Id: R\r\n\r\n<x>";
	ck_assert_msg(relay("GET", -1, false) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 503);
}
END_TEST

START_TEST(test_home_that_breaks_off_is_told)
{
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\nonly this";
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_CLOSED);
	err_clear(&err);
	home.answer = NULL;
	got_status = 0;
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_int_eq(got_status, 0);
}
END_TEST

/* The client sends nothing more until it hears; the answer must not wait for its body. */
/* As for whoever is kept with blanks (reply_keep_alive). */
START_TEST(test_what_came_leaves_before_more_is_waited_for)
{
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello";
	home.pauses = true;
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_CLOSED);
	ck_assert_uint_eq(received, 5);
	ck_assert_uint_eq(flushed, 5);
}
END_TEST

START_TEST(test_early_answers_pass_early)
{
	to_send = BODY_BYTES;
	client_ready = false;
	home.early = true;
	home.answer = "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nConnection: close\r\n\r\n<x>";
	ck_assert_msg(relay("PUT", BODY_BYTES, true) == 0, "%s", err.detail);
	ck_assert_int_eq(got_status, 403);
	ck_assert_uint_eq(received, 3);
	ck_assert_uint_eq(sent, 0);
}
END_TEST

START_TEST(test_home_that_never_answers_is_given_up)
{
	home.answer = "";
	home.silent = true;
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.detail, "relay_first_byte_ms"));
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_DOWN);
}
END_TEST

/* The whole body is taken, of announced length or not: from then on it is an answer that is waited for. */
START_TEST(test_home_that_never_answers_a_put_is_given_up)
{
	home.answer = "";
	home.silent = true;
	to_send = 1000;
	ck_assert_int_eq(relay("PUT", _i == 0 ? 1000 : -1, true), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.detail, "relay_first_byte_ms"));
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_DOWN);
}
END_TEST

/* The relay waits for it, or its transport for the rest of it. */
START_TEST(test_client_that_does_not_send_is_given_up)
{
	to_send = BODY_BYTES;
	client_ready = _i == 1;
	client_stalls = _i == 1;
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	ck_assert_int_eq(relay("PUT", BODY_BYTES, true), -1);
	ck_assert_int_eq(err.code, ERR_CLOSED);
	ck_assert_ptr_nonnull(strstr(err.detail, "the client sent nothing for relay_idle_ms"));
	ck_assert_int_eq(got_status, 0); /* he can be told */
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_GO);
}
END_TEST

START_TEST(test_client_that_leaves_while_it_waits_ends_the_relay)
{
	home.answer = "";
	home.silent = true;
	client_left = true;
	to_send = 1000;
	ck_assert_int_eq(_i == 0 ? relay("GET", -1, false) : relay("PUT", 1000, true), -1);
	ck_assert_int_eq(err.code, ERR_CLOSED);
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_GO);
}
END_TEST

START_TEST(test_breaker_refuses_beyond_the_share)
{
	struct breaker *b = breaker_new(2);
	int64_t slow = BREAKER_SLOW_US + 2;
	struct breaker_pass p[3];

	for (int i = 0; i < 3; i++) {
		ck_assert_msg(breaker_ask(b, "us", 1) == BREAKER_GO, "a region that answers may have all threads");
		breaker_begin(b, "us", &p[i]);
		breaker_wait(b, &p[i], 1);
	}
	ck_assert_int_eq(breaker_ask(b, "us", BREAKER_SLOW_US), BREAKER_GO);
	ck_assert_int_eq(breaker_ask(b, "us", slow), BREAKER_BUSY);
	ck_assert_int_eq(breaker_ask(b, "ap", slow), BREAKER_GO);
	breaker_heard(b, &p[0], slow);
	ck_assert_int_eq(breaker_ask(b, "us", slow), BREAKER_GO);
	ck_assert_int_eq(breaker_ask(b, "us", 2 * slow), BREAKER_BUSY);
	breaker_end(b, &p[0], true, true, slow);
	breaker_end(b, &p[1], true, false, slow);
	breaker_end(b, &p[2], true, true, slow);
	ck_assert_int_eq(breaker_ask(b, "us", 2 * slow), BREAKER_GO);
	breaker_free(b);
}
END_TEST

START_TEST(test_breaker_opens_when_several_hear_nothing)
{
	struct breaker *b = breaker_new(100);
	struct breaker_pass p[BREAKER_WAITING];
	struct breaker_state state[4];
	int64_t late = BREAKER_SILENT_US + 2;

	for (int i = 0; i < BREAKER_WAITING; i++) {
		breaker_begin(b, "us", &p[i]);
		ck_assert_msg(breaker_ask(b, "us", late) == BREAKER_GO, "%d slow operations are no silence", i);
		breaker_wait(b, &p[i], 1);
	}
	ck_assert_int_eq(breaker_ask(b, "us", BREAKER_SILENT_US), BREAKER_GO);
	ck_assert_msg(breaker_ask(b, "us", late) == BREAKER_GO, "one tries");
	ck_assert_int_eq(breaker_ask(b, "us", late), BREAKER_DOWN);
	ck_assert_int_eq(breaker_ask(b, "ap", late), BREAKER_GO);
	ck_assert_uint_eq(breaker_list(b, state, ARRAY_LEN(state)), 2);
	ck_assert_str_eq(state[0].region, "us");
	ck_assert_msg(state[0].down && state[0].running == BREAKER_WAITING, "what is told of it");
	ck_assert_msg(!state[1].down && state[1].running == 0, "and of the other");
	breaker_heard(b, &p[0], late + 1);
	ck_assert_int_eq(breaker_ask(b, "us", late + 1), BREAKER_GO);
	ck_assert_int_eq(breaker_ask(b, "us", late + 1), BREAKER_GO);
	for (int i = 0; i < BREAKER_WAITING; i++)
		breaker_end(b, &p[i], true, i > 0, late + 2);
	ck_assert_uint_eq(breaker_list(b, state, 1), 1);
	ck_assert_msg(!state[0].down && state[0].running == 0, "the last one was heard");
	breaker_free(b);
}
END_TEST

/* They came before it was known that the region is slow. */
START_TEST(test_breaker_lets_go_of_those_beyond_the_share)
{
	struct breaker *b = breaker_new(2);
	int64_t silent = BREAKER_SILENT_US + 2;
	struct breaker_pass p[4], more;

	for (int i = 0; i < 4; i++) {
		breaker_begin(b, "us", &p[i]);
		ck_assert_msg(!p[i].tries, "the region is up");
		if (i > 0)
			breaker_wait(b, &p[i], 1);
	}
	ck_assert_msg(!breaker_leave(b, &p[1], BREAKER_SILENT_US), "not yet");
	ck_assert_msg(!breaker_leave(b, &p[0], silent), "it does not wait");
	ck_assert_msg(breaker_leave(b, &p[1], silent), "one too many");
	ck_assert_msg(breaker_leave(b, &p[2], silent), "another");
	ck_assert_msg(!breaker_leave(b, &p[3], silent), "as many as may");
	breaker_end(b, &p[1], true, false, silent);
	ck_assert_msg(!breaker_leave(b, &p[3], silent), "no more, when one has left");
	breaker_begin(b, "us", &more);
	ck_assert_msg(more.tries, "it is down since it gave one up");
	breaker_wait(b, &more, silent);
	ck_assert_msg(breaker_leave(b, &p[3], silent), "a third");
	breaker_heard(b, &more, silent);
	breaker_end(b, &more, true, true, silent);
	for (int i = 0; i < 4; i++)
		if (i != 1)
			breaker_end(b, &p[i], true, true, silent);
	ck_assert_int_eq(breaker_ask(b, "us", silent), BREAKER_GO);
	breaker_free(b);
}
END_TEST

/* A region that is down is tried once a second. A try that hears nothing must not hold its thread as long as any request may. */
START_TEST(test_a_try_that_hears_nothing_ends_soon)
{
	char there[sizeof(home.endpoint)];

	memcpy(there, home.endpoint, sizeof(there));
	snprintf(home.endpoint, sizeof(home.endpoint), "http://127.0.0.1:1"); /* nobody listens there */
	ck_assert_int_eq(relay("GET", -1, false), -1);
	err_clear(&err);
	memcpy(home.endpoint, there, sizeof(there));
	settings.relay_first_byte_ms = settings.relay_idle_ms = 600000;
	home.answer = "";
	home.silent = true;
	home.early = _i == 1; /* it does not take the body either */
	to_send = 64 * 1024 * 1024;
	ck_assert_int_eq(_i == 0 ? relay("GET", -1, false) : relay("PUT", (int64_t)to_send, true), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_ptr_nonnull(strstr(err.detail, "says nothing"));
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_DOWN);
	settings.relay_first_byte_ms = 1500;
	settings.relay_idle_ms = 2000;
}
END_TEST

struct waiter {
	struct relay_thread *thread;
	atomic_int *ended;
	struct err err;
};

static void *
wait_for_us(void *arg)
{
	static const char *const none[] = { NULL };
	struct waiter *w = arg;
	struct region us = { .name = "us", .domains = none, .endpoint = home.endpoint };
	struct relay_request rq = { .home = &us, .method = "GET", .target = SPAN("/b/k"), .host = "h", .content_length = -1, .hop = "hop", .request_id = "RID" };
	struct arena *own = arena_new(1 << 20);
	int status;

	ck_assert_int_eq(relay_run(w->thread, own, &rq, &io, &status, &w->err), -1);
	arena_free(own);
	atomic_fetch_add(w->ended, 1);
	return NULL;
}

START_TEST(test_those_beyond_the_share_get_on)
{
	struct waiter w[4]; /* as many as there are threads, of which three are the share */
	pthread_t id[4];
	atomic_int ended = 0;
	int told = 0;

	settings.relay_first_byte_ms = settings.relay_idle_ms = 600000;
	home.answer = "";
	home.silent = true;
	for (int i = 0; i < 4; i++) {
		w[i] = (struct waiter){ .thread = relay_thread_new(relays), .ended = &ended };
		ck_assert_int_eq(pthread_create(&id[i], NULL, wait_for_us, &w[i]), 0);
	}
	while (atomic_load(&ended) == 0)
		usleep(10000);
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_DOWN);
	for (shutdown(home.listener, SHUT_RDWR); atomic_load(&ended) < 4; usleep(10000)) /* the home is there no more */
		(void)shutdown(home.fd, SHUT_RDWR);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(pthread_join(id[i], NULL), 0);
		told += strstr(w[i].err.detail, "says nothing") != NULL;
		relay_thread_free(w[i].thread);
	}
	ck_assert_msg(told == 1, "%d gave way", told);
	settings.relay_first_byte_ms = 1500;
	settings.relay_idle_ms = 2000;
}
END_TEST

START_TEST(test_client_that_leaves_ends_the_relay)
{
	to_send = BODY_BYTES;
	client_leaves = true;
	home.answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	ck_assert_int_eq(relay("PUT", BODY_BYTES, true), -1);
	ck_assert_int_eq(err.code, ERR_CLOSED);
	ck_assert_uint_lt(home.body_bytes, BODY_BYTES);
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_GO);
}
END_TEST

START_TEST(test_region_that_is_down_is_left_alone_for_a_while)
{
	int port_taken = home.listener;

	snprintf(home.endpoint, sizeof(home.endpoint), "http://127.0.0.1:1"); /* nobody listens there */
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_GO);
	ck_assert_int_eq(relay("GET", -1, false), -1);
	ck_assert_int_eq(err.code, ERR_UNAVAILABLE);
	ck_assert_int_eq(relays_ask(relays, "us"), BREAKER_DOWN);
	ck_assert_int_eq(relays_ask(relays, "ap"), BREAKER_GO);
	sleep(1);
	usleep(100000);
	ck_assert_msg(relays_ask(relays, "us") == BREAKER_GO, "one request tries");
	ck_assert_msg(relays_ask(relays, "us") == BREAKER_DOWN, "the others wait for what it finds");
	(void)port_taken;
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relay");
	TCase *t = tcase_create("relay");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_get_keeps_target_host_and_headers);
	tcase_add_test(t, test_head_keeps_the_length);
	tcase_add_test(t, test_put_streams_the_body);
	tcase_add_test(t, test_put_of_unknown_length_is_chunked);
	tcase_add_test(t, test_put_of_nothing_says_so);
	tcase_add_test(t, test_error_answers_pass);
	tcase_add_test(t, test_web_servers_own_errors_do_not_pass);
	tcase_add_test(t, test_home_that_breaks_off_is_told);
	tcase_add_test(t, test_what_came_leaves_before_more_is_waited_for);
	tcase_add_test(t, test_early_answers_pass_early);
	tcase_add_test(t, test_home_that_never_answers_is_given_up);
	tcase_add_loop_test(t, test_home_that_never_answers_a_put_is_given_up, 0, 2);
	tcase_add_loop_test(t, test_client_that_does_not_send_is_given_up, 0, 2);
	tcase_add_loop_test(t, test_client_that_leaves_while_it_waits_ends_the_relay, 0, 2);
	tcase_add_test(t, test_breaker_refuses_beyond_the_share);
	tcase_add_test(t, test_breaker_opens_when_several_hear_nothing);
	tcase_add_test(t, test_breaker_lets_go_of_those_beyond_the_share);
	tcase_add_loop_test(t, test_a_try_that_hears_nothing_ends_soon, 0, 2);
	tcase_add_test(t, test_those_beyond_the_share_get_on);
	tcase_add_test(t, test_client_that_leaves_ends_the_relay);
	tcase_add_test(t, test_region_that_is_down_is_left_alone_for_a_while);
	suite_add_tcase(s, t);
	return suite_run(s);
}
