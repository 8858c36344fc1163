/* SPDX-License-Identifier: Apache-2.0 */
/* fcgi/http_fcgi.h - the transport over FastCGI. One a thread; libfcgi stays inside. */
#ifndef ANVIL_FCGI_HTTP_FCGI_H
#define ANVIL_FCGI_HTTP_FCGI_H

#include "base/arena.h"

#include "fcgi/http.h"

struct http_fcgi;

/* Once a process, before threads. */
MUST_CHECK int http_fcgi_setup(void);
/* Lives in `arena`. Requests come from the listening socket `fd`. */
struct http_fcgi *http_fcgi_new(struct arena *arena, int fd);
/*
 * Waits for the next request; NULL when *stop became true: a signal that wakes
 * the thread is let in only here, between requests, so that none is cut short.
 */
struct http *http_fcgi_accept(struct http_fcgi *f, const bool *stop);
/* The answer is complete. Ends the connection when the web server does not keep it. */
void http_fcgi_finish(struct http_fcgi *f);
void http_fcgi_close(struct http_fcgi *f);
/* The signal that makes http_fcgi_accept look at *stop. Blocked by the thread but there. */
#define HTTP_FCGI_WAKE SIGUSR2

#endif
