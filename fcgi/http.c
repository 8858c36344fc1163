/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/http.c - what both transports share: counting, and remembering what broke.
 *
 * Owns:       nothing.
 * Called by:  dispatch, body, respond, the handlers.
 * Blocks:     yes, on the web server.
 * Invariant:  after a failure nothing more is written; the header block goes out once.
 */
#include "fcgi/http.h"

#include "base/clock.h"

ssize_t
http_read(struct http *h, void *p, size_t len)
{
	ssize_t n;

	if (h->broken || h->stalled)
		return -1;
	n = h->ops->read(h, p, len);
	if (n < 0)
		h->broken = !h->stalled;
	else
		h->bytes_in += n;
	return n;
}

void
http_limit_read(struct http *h, int64_t ms)
{
	h->ops->limit_read(h, ms);
}

bool
http_body_ready(struct http *h)
{
	return h->broken || h->ops->body_ready(h);
}

int
http_body_fd(const struct http *h)
{
	return h->ops->body_fd(h);
}

int
http_begin(struct http *h, const void *block, size_t len)
{
	static const struct span last = { "Connection: close\r\n", 19 };

	ASSERT(!h->started);
	h->started = true;
	h->begun_us = clock_mono_us();
	if (h->broken || (h->close_after && h->ops->write(h, last.p, last.len) != 0) ||
	    h->ops->write(h, block, len) != 0) {
		h->broken = true;
		return -1;
	}
	return 0;
}

int
http_write(struct http *h, const void *p, size_t len)
{
	ASSERT(h->started);
	if (h->broken || h->ops->write(h, p, len) != 0) {
		h->broken = true;
		return -1;
	}
	h->bytes_out += (int64_t)len;
	return 0;
}

int
http_flush(struct http *h)
{
	if (h->broken || h->ops->flush(h) != 0) {
		h->broken = true;
		return -1;
	}
	return 0;
}

void
http_abort(struct http *h)
{
	h->broken = true;
	h->ops->abort(h);
}

bool
http_gone(struct http *h)
{
	return h->broken || h->ops->gone(h);
}
