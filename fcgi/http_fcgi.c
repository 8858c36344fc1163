/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/http_fcgi.c - a request over FastCGI, through libfcgi.
 *
 * Owns:       the connection between requests; everything of a request ends in finish.
 * Called by:  worker.c, and through struct http by all others.
 * Blocks:     yes, on the web server; IO_TIMEOUT_MS bounds one read or write, or what http_limit_read says.
 * Invariant:  the wake signal is blocked while a request is under way.
 *
 * Three costs of libfcgi are gone around, with its public fields only:
 *  - FCGX_Accept_r polls a fresh connection up to 2 s and cannot be woken
 *    safely: we accept ourselves and hand the descriptor over as a kept one;
 *  - its lingering close (shutdown, poll, read, close) is only needed while the
 *    web server may still be sending a body: else a plain close does;
 *  - it writes 8 KiB records: large pieces go out as records of their own.
 */
#include "fcgi/http_fcgi.h"

#include <fcgiapp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"

#define IO_TIMEOUT_MS 120000
#define LIBFCGI_BUFFER 8192
#define DIRECT_MIN LIBFCGI_BUFFER /* smaller pieces are better joined there */
#define RECORD_MAX 65528       /* a multiple of 8, so that no padding is needed */
#define RECORDS_AT_ONCE 8      /* in one system call */
#define RECORD_HEAD 8
#define FCGI_VERSION 1
#define FCGI_TYPE_STDOUT 6

struct http_fcgi {
	struct http http;
	FCGX_Request fcgx;
	int listen_fd;
	bool begun;                /* a request is under way */
	bool body_ended;           /* all of standard input was read */
	bool timeouts_set;
	bool read_limited;         /* by less than IO_TIMEOUT_MS, in this request */
	sigset_t idle_mask;        /* between requests: the wake signal is let in */
};

int
http_fcgi_setup(void)
{
	return FCGX_Init() == 0 ? 0 : -1;
}

static void
fcgi_set_limit(const struct http_fcgi *f, int option, int64_t ms)
{
	struct timeval tv = { .tv_sec = (time_t)(ms / 1000), .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	(void)setsockopt(f->fcgx.ipcFd, SOL_SOCKET, option, &tv, sizeof(tv));
}

/* Reads and writes get a limit, once a connection, and only when a body is moved. */
static void
fcgi_limit_io(struct http_fcgi *f)
{
	if (f->timeouts_set)
		return;
	f->timeouts_set = true;
	fcgi_set_limit(f, SO_RCVTIMEO, IO_TIMEOUT_MS);
	fcgi_set_limit(f, SO_SNDTIMEO, IO_TIMEOUT_MS);
}

static void
fcgi_limit_read(struct http *h, int64_t ms)
{
	struct http_fcgi *f = (struct http_fcgi *)h;

	fcgi_limit_io(f);
	f->read_limited = true;
	fcgi_set_limit(f, SO_RCVTIMEO, ms);
}

static ssize_t
fcgi_read(struct http *h, void *p, size_t len)
{
	struct http_fcgi *f = (struct http_fcgi *)h;
	FCGX_Stream *in = f->fcgx.in;
	size_t there;
	int n;

	if (f->body_ended || len == 0)
		return 0;
	if (in->rdNext == in->stop) {
		int c;

		if (h->expects_body)
			fcgi_limit_io(f);
		c = FCGX_GetChar(in);
		if (c == EOF) {
			if (FCGX_GetError(in) != 0) {
				h->stalled = FCGX_GetError(in) == EAGAIN;
				return -1;
			}
			f->body_ended = true;
			return 0;
		}
		(void)FCGX_UnGetChar(c, in);
	}
	there = (size_t)(in->stop - in->rdNext);
	n = FCGX_GetStr(p, (int)(len < there ? len : there), in);
	return n;
}

/*
 * libfcgi may hold a record that it does not show, never more than its buffer: the
 * last bytes of a body count as there. While more is missing the client has to
 * send it, and then the socket tells. A record that is there in part counts too:
 * the web server writes whole ones, the rest is on its way. Which of the two it is for a
 * body's last bytes cannot be known from outside of libfcgi: a read of them may wait.
 */
static bool
fcgi_body_ready(struct http *h)
{
	struct http_fcgi *f = (struct http_fcgi *)h;
	struct pollfd pfd = { .fd = f->fcgx.ipcFd, .events = POLLIN };

	return f->body_ended || f->fcgx.in->rdNext != f->fcgx.in->stop ||
	    h->body_len - h->bytes_in <= LIBFCGI_BUFFER || poll(&pfd, 1, 0) != 0;
}

static int
fcgi_body_fd(const struct http *h)
{
	return ((const struct http_fcgi *)h)->fcgx.ipcFd;
}

/* All of both pieces, whatever the socket takes at a time. */
static int
fcgi_writev(int fd, struct iovec *iov, int n)
{
	while (n > 0) {
		ssize_t done = writev(fd, iov, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		while (n > 0 && (size_t)done >= iov->iov_len) {
			done -= (ssize_t)iov->iov_len;
			iov++;
			n--;
		}
		if (n > 0) {
			iov->iov_base = (uint8_t *)iov->iov_base + done;
			iov->iov_len -= (size_t)done;
		}
	}
	return 0;
}

/* One record's pieces; how many they are. */
static int
fcgi_record(const struct http_fcgi *f, uint8_t head[RECORD_HEAD], const uint8_t *p, size_t n, struct iovec *iov)
{
	static const uint8_t zeros[8];
	size_t pad = (8 - n % 8) % 8;

	memcpy(head, (uint8_t[RECORD_HEAD]){ FCGI_VERSION, FCGI_TYPE_STDOUT, (uint8_t)(f->fcgx.requestId >> 8),
	    (uint8_t)f->fcgx.requestId, (uint8_t)(n >> 8), (uint8_t)n, (uint8_t)pad, 0 }, RECORD_HEAD);
	iov[0] = (struct iovec){ .iov_base = head, .iov_len = RECORD_HEAD };
	iov[1] = (struct iovec){ .iov_base = (void *)(uintptr_t)p, .iov_len = n };
	iov[2] = (struct iovec){ .iov_base = (void *)(uintptr_t)zeros, .iov_len = pad };
	return pad == 0 ? 2 : 3;
}

/* Records of our own, behind what libfcgi has buffered. */
static int
fcgi_write_direct(struct http_fcgi *f, const uint8_t *p, size_t len)
{
	if (FCGX_FFlush(f->fcgx.out) != 0)
		return -1;
	fcgi_limit_io(f);
	while (len > 0) {
		uint8_t head[RECORDS_AT_ONCE][RECORD_HEAD];
		struct iovec iov[3 * RECORDS_AT_ONCE];
		int used = 0;

		for (int i = 0; i < RECORDS_AT_ONCE && len > 0; i++) {
			size_t n = len < RECORD_MAX ? len : RECORD_MAX;

			used += fcgi_record(f, head[i], p, n, iov + used);
			p += n;
			len -= n;
		}
		if (fcgi_writev(f->fcgx.ipcFd, iov, used) != 0)
			return -1;
	}
	return 0;
}

static int
fcgi_write(struct http *h, const void *p, size_t len)
{
	struct http_fcgi *f = (struct http_fcgi *)h;

	if (len >= DIRECT_MIN)
		return fcgi_write_direct(f, p, len);
	return FCGX_PutStr(p, (int)len, f->fcgx.out) == (int)len ? 0 : -1;
}

static int
fcgi_flush(struct http *h)
{
	struct http_fcgi *f = (struct http_fcgi *)h;

	return FCGX_FFlush(f->fcgx.out) == 0 ? 0 : -1;
}

/* Without an END_REQUEST record the web server knows that the answer is not whole. */
static void
fcgi_abort(struct http *h)
{
	struct http_fcgi *f = (struct http_fcgi *)h;

	(void)shutdown(f->fcgx.ipcFd, SHUT_RDWR);
}

static bool
fcgi_gone(struct http *h)
{
	struct http_fcgi *f = (struct http_fcgi *)h;
	struct pollfd pfd = { .fd = f->fcgx.ipcFd, .events = POLLRDHUP };

	return poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLERR | POLLHUP | POLLRDHUP)) != 0;
}

static const struct http_ops fcgi_ops = { fcgi_read, fcgi_limit_read, fcgi_body_ready, fcgi_body_fd, fcgi_write,
	fcgi_flush, fcgi_abort, fcgi_gone };

struct http_fcgi *
http_fcgi_new(struct arena *arena, int fd)
{
	struct http_fcgi *f = ARENA_NEW(arena, struct http_fcgi);

	ASSERT(f != NULL);
	f->listen_fd = fd;
	/* No listening socket for libfcgi: what it cannot begin comes back to us. */
	if (FCGX_InitRequest(&f->fcgx, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return NULL;
	f->fcgx.ipcFd = -1;
	(void)pthread_sigmask(SIG_BLOCK, NULL, &f->idle_mask);
	(void)sigdelset(&f->idle_mask, HTTP_FCGI_WAKE);
	return f;
}

/* Until a kept connection has its next request or ends; false: woken, and *stop. */
static bool
fcgi_wait_kept(struct http_fcgi *f, const bool *stop)
{
	struct pollfd pfd = { .fd = f->fcgx.ipcFd, .events = POLLIN };

	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		if (ppoll(&pfd, 1, NULL, &f->idle_mask) > 0)
			return true;
		if (errno != EINTR)
			return true;
	}
	return false;
}

/*
 * A connection of our own accept, or -1 when woken and *stop. The signal is let
 * in around accept alone; one that comes between the look at *stop and accept is
 * lost, which is why the waker repeats it until the thread is gone.
 */
static int
fcgi_wait_new(struct http_fcgi *f, const bool *stop)
{
	sigset_t wake;
	int fd = -1;

	(void)sigemptyset(&wake);
	(void)sigaddset(&wake, HTTP_FCGI_WAKE);
	(void)pthread_sigmask(SIG_UNBLOCK, &wake, NULL);
	while (!__atomic_load_n(stop, __ATOMIC_ACQUIRE)) {
		fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			break;
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
			clock_sleep_us(10 * US_PER_MS);
		else if (errno == EINVAL || errno == EBADF || errno == ENOTSOCK)
			break;
		/* the others are about one connection that went away, or a signal */
	}
	(void)pthread_sigmask(SIG_BLOCK, &wake, NULL);
	return fd;
}

struct http *
http_fcgi_accept(struct http_fcgi *f, const bool *stop)
{
	for (;;) {
		if (f->fcgx.ipcFd >= 0) {
			if (!fcgi_wait_kept(f, stop))
				return NULL;
		} else {
			int fd = fcgi_wait_new(f, stop);

			if (fd < 0)
				return NULL;
			f->fcgx.ipcFd = fd;
			f->timeouts_set = false;
		}
		/* "Kept" makes FCGX_Accept_r read from this connection instead of accepting one. */
		f->fcgx.keepConnection = 1;
		f->fcgx.detached = 0;
		if (FCGX_Accept_r(&f->fcgx) == 0)
			break;
	}
	f->http = (struct http){ .ops = &fcgi_ops, .env = f->fcgx.envp };
	f->body_ended = false;
	f->read_limited = false;
	f->begun = true;
	return &f->http;
}

void
http_fcgi_finish(struct http_fcgi *f)
{
	if (!f->begun)
		return;
	f->begun = false;
	if (!f->body_ended && !f->http.expects_body) {
		char nothing;

		/* the record that ends an empty body; it came with the parameters */
		(void)fcgi_read(&f->http, &nothing, 1);
	}
	/* detached = closed at once; the lingering close is for a body that may still be on its way */
	f->fcgx.detached = f->body_ended || f->http.broken;
	if (f->http.broken || !f->body_ended)
		f->fcgx.keepConnection = 0;
	else if (f->read_limited)
		fcgi_set_limit(f, SO_RCVTIMEO, IO_TIMEOUT_MS);
	FCGX_Finish_r(&f->fcgx);
}

void
http_fcgi_close(struct http_fcgi *f)
{
	if (f->begun)
		http_fcgi_finish(f);
	f->fcgx.keepConnection = 0;
	FCGX_Free(&f->fcgx, 1);
}
