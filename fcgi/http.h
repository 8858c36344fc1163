/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/http.h - one HTTP request's transport: body in, status, headers and body
 * out. Two implementations: FastCGI (http_fcgi.c) and plain CGI (http_cgi.c,
 * --once). Nothing above this file knows libfcgi.
 *
 * A handler builds the whole header block in one strbuf and hands it over once;
 * body bytes follow in pieces as large as it likes.
 */
#ifndef ANVIL_FCGI_HTTP_H
#define ANVIL_FCGI_HTTP_H

#include "base/base.h"

struct http;
struct http_ops {
	/* What has come of the body: waits for at least one byte. > 0 bytes, 0 the body's end, -1 the web server went away, or stalled. */
	ssize_t (*read)(struct http *h, void *p, size_t len);
	/* How long a read may wait from now on, to the request's end. Beyond that it sets stalled. */
	void (*limit_read)(struct http *h, int64_t ms);
	/* Would read return at once, or nearly? body_fd becomes readable when more is there. */
	bool (*body_ready)(struct http *h);
	int (*body_fd)(const struct http *h);
	/* All of it, or -1: the client or the web server went away. */
	int (*write)(struct http *h, const void *p, size_t len);
	/* Everything written so far leaves now. */
	int (*flush)(struct http *h);
	/* Half an answer went out and no more will: breaks the connection, so that nobody takes it for whole. */
	void (*abort)(struct http *h);
	/* Has the client gone? Costs a system call; for long waits only. */
	bool (*gone)(struct http *h);
};

struct http {
	const struct http_ops *ops;
	char **env;              /* the CGI variables, NULL at the end; the transport's, until the request ends */
	int64_t bytes_in;        /* of the body, as they came */
	int64_t bytes_out;       /* of the body */
	int64_t begun_us;        /* monotonic: when the header block went out; 0: not yet */
	bool started;            /* the header block went out: no other answer can follow */
	bool expects_body;       /* set by who parses the headers: a body was announced */
	int64_t body_len;        /* the same: its length; -1 = not announced */
	bool close_after;        /* the same: no other request may follow on the client's connection */
	bool broken;             /* the client went away */
	bool stalled;            /* no byte of the body came for too long: nothing more is read, but an answer can be given */
};

/* As in http_ops; these count and remember what broke. */
ssize_t http_read(struct http *h, void *p, size_t len);
void http_limit_read(struct http *h, int64_t ms);
bool http_body_ready(struct http *h);
int http_body_fd(const struct http *h);
/* The header block: "Status: 200 OK\r\nName: value\r\n...\r\n\r\n". Once a request. */
MUST_CHECK int http_begin(struct http *h, const void *block, size_t len);
MUST_CHECK int http_write(struct http *h, const void *p, size_t len);
MUST_CHECK int http_flush(struct http *h);
void http_abort(struct http *h);
bool http_gone(struct http *h);

#endif
