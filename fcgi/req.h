/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/req.h - one request, parsed. Everything it points to lives in its arena
 * (or is the transport's) and goes when the request ends. A handler gets it with
 * a verdict about who asks (struct identity), and never without.
 */
#ifndef ANVIL_FCGI_REQ_H
#define ANVIL_FCGI_REQ_H

#include "base/arena.h"
#include "base/err.h"
#include "base/settings.h"
#include "meta/meta.h"
#include "s3/operations.h"
#include "s3/sigv4.h"
#include "store/engine.h"

#include "fcgi/http.h"

#define REQ_ID_LEN 16            /* upper-case hexadecimal digits, as AWS's */
#define REQ_HEADERS_MAX 256      /* header lines */
#define REQ_HEADERS_BYTES_MAX 32768

struct worker;
struct relay_thread;

/* What a thread owns and a request borrows. */
struct thread {
	struct worker *worker;
	const struct settings *settings;
	struct meta_thread *meta;
	struct store *store;
	struct relay_thread *relay; /* connections to other regions */
	struct arena *arena;
	uint8_t *buf;              /* object bytes stream through it: buf_size bytes */
	size_t buf_size;
	uint8_t *seal_buf;         /* one chunk on its way to a sealed blob: CHUNK_SEAL_SIZE bytes */
	uint64_t id_state;         /* of the request ids; random at start */
};

struct deleted_key {
	struct span key, version;
	int code; /* of errors.def; 0: it is deleted */
};

struct req {
	struct thread *thread;
	struct arena *arena;
	struct http *http;
	struct err err;            /* the first failure; its code is the answer */
	struct s3_problem problem; /* what the client is told of it beyond the code */
	char id[REQ_ID_LEN + 1];
	int64_t now_us;            /* wall clock, once: signature age, policies and Last-Modified agree */
	int64_t start_us;          /* monotonic */

	/* as it came */
	struct span method;
	struct span target;        /* REQUEST_URI, raw */
	struct s3_header *header;  /* of headers; authenticate.c gives folded names their own letters back */
	struct s3_headers headers;
	struct span host;          /* with its port; empty when there is none */
	const char *client_addr;
	bool secure;               /* the client spoke TLS */
	bool is_head;
	int64_t content_length;    /* -1: not announced */

	/* what it names */
	struct s3_uri uri;
	const char *bucket_name;   /* NULL: the service itself */
	struct span key;           /* empty: none */
	enum s3_op op;
	struct span request_tags; /* that the body asked for, form-urlencoded; p NULL: x-amz-tagging has them */
	struct s3_query sts;       /* parameters of a request for temporary credentials (sts.h) */
	struct sigv4_request signed_request; /* what a signature covers: borrows from the above */

	/* what was found */
	const struct bucket *bucket; /* NULL: none named, or there is no such bucket */
	const char *hop_from;      /* the region that relayed it here, verified; NULL: a client asks */
	const char *hop_via;       /* with hop_from: the region that passed it on; NULL: none did */
	const char *hop_domain;    /* with hop_from: in which of its domains the Host lies */
	bool custom_domain;        /* the Host itself is the bucket */
	bool website;              /* whoever asks visits the bucket's website (website.h) */
	const char *access_key;    /* as claimed, for the log; NULL: anonymous */
	const char *acts_for;      /* the app's key, when access_key is a temporary one; for the log */
	const char *route;         /* what routing did, for the log */
	const char *requester;     /* canonical id of who signed, once verified; NULL: nobody. For the access log, as these: */
	const char *auth_type;     /* "AuthHeader", "QueryString"; NULL: neither */
	int64_t object_size;       /* of the object that was read or stored; -1: none was */
	const struct deleted_key *deleted; /* of DeleteObjects, for its access log; NULL: nothing was tried */
	size_t n_deleted;

	/* the answer */
	int status;
	int64_t kept_us;           /* monotonic: when reply_keep_alive() wrote last; 0: it did not */
	int website_status;        /* of a website's error document: what it is sent with; 0: it is no error */
	const struct s3_problem *website_problem; /* why that document could not be sent; NULL: none was tried */
	const char *cors_headers;  /* of every answer: whole lines; NULL = none (cors.h) */
	const char *more_headers;  /* of an error answer, an error document too: whole lines; NULL = none */
	int64_t store_us;          /* spent in the object store */
};

/*
 * Read the CGI variables and who relayed the request. -1 with r->problem; r is good
 * enough for an error answer then. Fields of r before "as it came" are set by the caller.
 */
MUST_CHECK int req_read(struct req *r);
/* Then, when r->custom_domain is known, take the target apart: bucket, key, operation. */
MUST_CHECK int req_name(struct req *r);
/* What the table of operations is asked about the request. */
struct s3_match req_match(const struct req *r);

/* A header by name; p is NULL when absent. */
static inline struct span
req_header(const struct req *r, const char *name)
{
	return s3_header_get(&r->headers, name);
}
/* A query parameter's decoded value; p is NULL when absent, "" when it has no value. */
static inline struct span
req_param(const struct req *r, const char *name)
{
	return s3_query_get(&r->uri.query, name);
}

/* Takes r->problem over into r->err, with `detail` for the log; is -1. */
int req_refused(struct req *r, const char *detail);
/* The problem of a code with one more element; is -1. name NULL: none. */
int req_refuse(struct req *r, enum s3_code code, const char *message, const char *name, struct span value);

#endif
