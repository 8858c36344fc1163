/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/req.h - one request, parsed. Everything it points to lives in its arena
 * (or is the transport's) and goes when the request ends. A handler is given it
 * with a verdict about who asks (struct identity) and never before.
 */
#ifndef ANVIL_FCGI_REQ_H
#define ANVIL_FCGI_REQ_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"
#include "meta/meta.h"
#include "s3/operations.h"
#include "s3/query.h"
#include "store/engine.h"

#include "fcgi/http.h"

#define REQ_ID_LEN 16 /* upper-case hexadecimal digits, as AWS's */

struct worker;

/* What a thread owns and a request borrows. */
struct thread {
	struct worker *worker;
	const struct settings *settings;
	struct meta_thread *meta;
	struct store *store;
	struct arena *arena;
	uint8_t *buf;              /* object bytes stream through it: buf_size bytes */
	size_t buf_size;
};

struct req_header {
	struct span name;          /* lower case, as signed where the signature says so */
	struct span value;         /* outer blanks trimmed */
};

enum req_style { REQ_PATH, REQ_VHOST };

struct req {
	struct thread *thread;
	struct arena *arena;
	struct http *http;
	struct err err;            /* the first failure; its code is the answer */
	char id[REQ_ID_LEN + 1];
	int64_t now_us;            /* wall clock, once: signature age, policies and Last-Modified agree */
	int64_t start_us;          /* monotonic */

	/* the request line and headers, as they came */
	const char *method;
	struct span target;        /* REQUEST_URI, raw */
	struct span raw_path, raw_query;
	struct query query;        /* decoded parameters, in their order */
	struct req_header *headers;
	size_t n_headers;
	const char *host;          /* with its port, as sent; "" when absent */
	const char *client_addr;
	bool secure;               /* the client spoke TLS */
	bool is_head;
	int64_t content_length;    /* -1: not announced */

	/* what it names */
	enum req_style style;
	const char *bucket_name;   /* NULL: none (the service itself) */
	struct span key;           /* decoded; len 0: none */
	const struct operation *op; /* NULL until matched */

	/* what was found */
	const struct bucket *bucket; /* NULL: none named, or there is no such bucket */
	const char *hop_from;      /* the region that relayed it here (verified); NULL: a client asks */
	const char *access_key;    /* as claimed, for the log; NULL: anonymous */
	const char *route;         /* what routing did, for the log */

	/* the answer, for the log */
	int status;
	int64_t store_us;          /* spent in the object store */
};

/* A header by its lower-case name; NULL when absent. Value ends in NUL. */
const char *req_header(const struct req *r, const char *name);
/* A query parameter's decoded value; NULL when absent, "" when it has no value. */
const char *req_param(const struct req *r, const char *name);

#endif
