/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/http_cgi.c - one request as plain CGI (RFC 3875).
 *
 * Owns:       nothing; the descriptors are the caller's.
 * Called by:  main.c for --once, and tests.
 * Blocks:     yes, on the two descriptors.
 * Invariant:  never reads past CONTENT_LENGTH: a CGI script's input need not end there.
 */
#include "fcgi/http_cgi.h"

#include <poll.h>

#include "base/parse.h"

static ssize_t
cgi_read(struct http *h, void *p, size_t len)
{
	struct http_cgi *c = (struct http_cgi *)h;
	ssize_t n;

	if (c->left >= 0 && len > (size_t)c->left)
		len = (size_t)c->left;
	if (len == 0)
		return 0;
	do
		n = read(c->in, p, len);
	while (n < 0 && errno == EINTR);
	if (n > 0 && c->left >= 0)
		c->left -= n;
	return n;
}

/* A program that is run for one request holds up nobody but who runs it. */
static void
cgi_limit_read(struct http *h, int64_t ms)
{
	(void)h;
	(void)ms;
}

static bool
cgi_body_ready(struct http *h)
{
	struct http_cgi *c = (struct http_cgi *)h;
	struct pollfd pfd = { .fd = c->in, .events = POLLIN };

	return c->left == 0 || poll(&pfd, 1, 0) != 0;
}

static int
cgi_body_fd(const struct http *h)
{
	return ((const struct http_cgi *)h)->in;
}

static int
cgi_write(struct http *h, const void *p, size_t len)
{
	struct http_cgi *c = (struct http_cgi *)h;
	const char *at = p;

	while (len > 0) {
		ssize_t n = write(c->out, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int
cgi_flush(struct http *h)
{
	(void)h;
	return 0;
}

/* CGI has no way to say it; a Content-Length that is not reached does. */
static void
cgi_abort(struct http *h)
{
	(void)h;
}

static bool
cgi_gone(struct http *h)
{
	struct http_cgi *c = (struct http_cgi *)h;
	struct pollfd pfd = { .fd = c->out, .events = 0 };

	return poll(&pfd, 1, 0) > 0 && (pfd.revents & (POLLERR | POLLHUP)) != 0;
}

static const struct http_ops cgi_ops = { cgi_read, cgi_limit_read, cgi_body_ready, cgi_body_fd, cgi_write, cgi_flush, cgi_abort, cgi_gone };

void
http_cgi_init(struct http_cgi *c, char **env, int in, int out)
{
	*c = (struct http_cgi){ .http = { .ops = &cgi_ops, .env = env }, .in = in, .out = out, .left = 0 };
	for (char **e = env; *e != NULL; e++) {
		if (strncmp(*e, "CONTENT_LENGTH=", 15) == 0 &&
		    !parse_i64(span_of(*e + 15), 0, INT64_MAX, &c->left))
			c->left = 0;
		if (strncmp(*e, "HTTP_TRANSFER_ENCODING=", 23) == 0 && c->left == 0)
			c->left = -1;
	}
}
