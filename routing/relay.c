/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/relay.c - relaying with libcurl.
 *
 * Owns:      one easy handle a thread, and with it that thread's connections.
 * Blocks:    on the client and on the home region; a relay that moves no byte
 *            for relay_idle_ms is given up.
 * Invariant: nothing is tried again once a byte of the body was taken: the
 *            client's bytes are nowhere but in flight.
 */
#include "routing/relay.h"

#include <curl/curl.h>
#include <pthread.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strbuf.h"
#include "routing/hop.h"

#define ANSWER_HEADERS_MAX 65536
#define DOWN_US US_PER_S
#define REGIONS_MAX 64

struct relays {
	const struct settings *settings;
	pthread_mutex_t lock; /* guards what follows */
	struct {
		char region[64];
		int64_t down_until_us; /* monotonic; 0 = up */
	} down[REGIONS_MAX];
};

struct relay_thread {
	struct relays *relays;
	CURL *curl;
};

/* One relay under way. */
struct relay {
	const struct relay_request *rq;
	const struct relay_io *io;
	struct strbuf headers;  /* of the answer */
	int status;
	bool begun;             /* passed on to the client */
	bool client_gone;
	int64_t moved_us;       /* when a byte last moved, monotonic */
	int64_t idle_us;
	curl_off_t seen_up, seen_down;
	bool too_slow;
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void
curl_start(void)
{
	ASSERT(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
}

struct relays *
relays_new(const struct settings *s)
{
	struct relays *r = calloc(1, sizeof(*r)); /* process: what its threads share */

	if (r == NULL)
		abort();
	pthread_once(&curl_once, curl_start);
	r->settings = s;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void
relays_free(struct relays *r)
{
	if (r == NULL)
		return;
	pthread_mutex_destroy(&r->lock);
	free(r);
}

/* The region's place, or a free one; -1 when all are taken (then it counts as up). */
static int
slot_of(const struct relays *r, const char *region)
{
	for (int i = 0; i < REGIONS_MAX; i++)
		if (r->down[i].region[0] == '\0' || strcmp(r->down[i].region, region) == 0)
			return i;
	return -1;
}

bool
relays_up(struct relays *r, const char *region)
{
	int64_t now = clock_mono_us();
	bool up = true;
	int i;

	pthread_mutex_lock(&r->lock);
	i = slot_of(r, region);
	if (i >= 0 && r->down[i].down_until_us != 0) {
		up = now >= r->down[i].down_until_us;
		if (up) /* this one tries; the others wait for what it finds */
			r->down[i].down_until_us = now + DOWN_US;
	}
	pthread_mutex_unlock(&r->lock);
	return up;
}

static void
set_health(struct relays *r, const char *region, bool up)
{
	int i;

	pthread_mutex_lock(&r->lock);
	i = slot_of(r, region);
	if (i >= 0 && (!up || r->down[i].region[0] != '\0')) {
		snprintf(r->down[i].region, sizeof(r->down[i].region), "%s", region);
		r->down[i].down_until_us = up ? 0 : clock_mono_us() + DOWN_US;
	}
	pthread_mutex_unlock(&r->lock);
}

struct relay_thread *
relay_thread_new(struct relays *r)
{
	struct relay_thread *t = calloc(1, sizeof(*t)); /* process: one a thread */

	if (t == NULL)
		abort();
	t->relays = r;
	return t; /* the handle is made at the first relay: most threads never need one */
}

void
relay_thread_free(struct relay_thread *t)
{
	if (t == NULL)
		return;
	if (t->curl != NULL)
		curl_easy_cleanup(t->curl);
	free(t);
}

/* Headers that belong to one connection and not to the request (RFC 9110, 7.6.1), and those that libcurl makes. */
static bool
stays_here(struct span name)
{
	static const char *const names[] = { "connection", "keep-alive",
		"proxy-connection", "proxy-authorization", "proxy-authenticate", "te",
		"trailer", "transfer-encoding", "upgrade", "expect", "host", "content-length",
		HOP_HEADER };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (name.len == strlen(names[i]) && strncasecmp(name.p, names[i], name.len) == 0)
			return true;
	return false;
}

static size_t
on_read(char *p, size_t size, size_t count, void *arg)
{
	struct relay *r = arg;
	ssize_t n = r->io->read(r->io->arg, p, size * count);

	r->moved_us = clock_mono_us();
	if (n < 0) {
		r->client_gone = true;
		return CURL_READFUNC_ABORT;
	}
	return (size_t)n;
}

/* The first header line of each answer, "HTTP/1.1 200 OK": an interim one (100) is followed by another. */
static void
on_status_line(struct relay *r, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t at = space == NULL ? len : (size_t)(space - line) + 1;

	strbuf_clear(&r->headers);
	r->status = 0;
	for (size_t i = at; i < at + 3 && i < len && line[i] >= '0' && line[i] <= '9'; i++)
		r->status = r->status * 10 + (line[i] - '0');
}

static bool
begin(struct relay *r)
{
	if (r->begun)
		return true;
	r->begun = true;
	if (!strbuf_ok(&r->headers))
		return false;
	if (r->io->begin(r->io->arg, r->status,
		(struct span){ strbuf_cstr(&r->headers), r->headers.len }) == 0)
		return true;
	r->client_gone = true;
	return false;
}

static size_t
on_header(char *p, size_t size, size_t count, void *arg)
{
	struct relay *r = arg;
	size_t len = size * count;
	const char *colon;

	r->moved_us = clock_mono_us();
	if (len >= 5 && strncmp(p, "HTTP/", 5) == 0) {
		on_status_line(r, p, len);
		return len;
	}
	colon = memchr(p, ':', len);
	if (colon != NULL) {
		struct span name = { p, (size_t)(colon - p) };

		/* The length is the home's to tell; its connection is not the client's. */
		if (!stays_here(name) || (name.len == 14 && strncasecmp(p, "content-length", 14) == 0))
			strbuf_add(&r->headers, p, len);
	}
	return len;
}

static size_t
on_write(char *p, size_t size, size_t count, void *arg)
{
	struct relay *r = arg;
	size_t len = size * count;

	r->moved_us = clock_mono_us();
	if (!begin(r))
		return 0;
	if (r->io->write(r->io->arg, p, len) != 0) {
		r->client_gone = true;
		return 0;
	}
	return len;
}

static int
on_progress(void *arg, curl_off_t dltotal, curl_off_t down, curl_off_t ultotal, curl_off_t up)
{
	struct relay *r = arg;
	int64_t now = clock_mono_us();

	(void)dltotal;
	(void)ultotal;
	if (down != r->seen_down || up != r->seen_up) {
		r->seen_down = down;
		r->seen_up = up;
		r->moved_us = now;
	}
	r->too_slow = now - r->moved_us > r->idle_us;
	return r->too_slow ? 1 : 0;
}

static bool
add_header(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = line == NULL ? NULL : curl_slist_append(*list, line);

	if (longer == NULL)
		return false;
	*list = longer;
	return true;
}

static bool
has_header(const struct relay_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->n_headers; i++)
		if (rq->headers[i].name.len == strlen(name) &&
		    strncasecmp(rq->headers[i].name.p, name, rq->headers[i].name.len) == 0)
			return true;
	return false;
}

/* Every header as it came, with libcurl's own additions taken back. */
static struct curl_slist *
headers_of(struct arena *a, const struct relay_request *rq)
{
	static const char *const made_up[] = { "accept", "user-agent", "content-type" };
	struct curl_slist *list = NULL;
	bool ok = add_header(&list, arena_printf(a, "Host: %s", rq->host)) &&
	    add_header(&list, arena_printf(a, HOP_HEADER ": %s", rq->hop)) &&
	    add_header(&list, "Expect:");

	for (size_t i = 0; ok && i < rq->n_headers; i++) {
		const struct relay_header *h = &rq->headers[i];

		if (stays_here(h->name))
			continue;
		/* "name;" is libcurl's way to say a header without a value. */
		ok = add_header(&list, h->value.len == 0
			? arena_printf(a, "%.*s;", (int)h->name.len, h->name.p)
			: arena_printf(a, "%.*s: %.*s", (int)h->name.len, h->name.p,
			      (int)h->value.len, h->value.p));
	}
	for (size_t i = 0; ok && i < ARRAY_LEN(made_up); i++)
		if (!has_header(rq, made_up[i]))
			ok = add_header(&list, arena_printf(a, "%s:", made_up[i]));
	if (ok && !rq->has_body && rq->content_length == 0)
		ok = add_header(&list, "Content-Length: 0"); /* it may be signed */
	if (ok && rq->has_body && rq->content_length < 0)
		ok = add_header(&list, "Transfer-Encoding: chunked");
	if (ok)
		return list;
	curl_slist_free_all(list);
	return NULL;
}

static void
set_request(CURL *c, struct relay *r, const char *target, struct curl_slist *headers)
{
	const struct relay_request *rq = r->rq;

	curl_easy_setopt(c, CURLOPT_URL, rq->home->endpoint);
	curl_easy_setopt(c, CURLOPT_REQUEST_TARGET, target);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	if (strcmp(rq->method, "HEAD") == 0) {
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	} else if (rq->has_body) {
		curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE, (curl_off_t)rq->content_length);
		curl_easy_setopt(c, CURLOPT_READFUNCTION, on_read);
		curl_easy_setopt(c, CURLOPT_READDATA, r);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
}

static void
set_answer(CURL *c, struct relay *r)
{
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, on_progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, r);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
}

static void
set_limits(CURL *c, const struct settings *s)
{
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)s->relay_connect_ms);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_PROXY, ""); /* regions talk to each other, whatever http_proxy says */
	curl_easy_setopt(c, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, 65536L);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, 65536L);
	curl_easy_setopt(c, CURLOPT_MAXCONNECTS, 4L);
	if (s->relay_ca_file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, s->relay_ca_file);
}

/* What the transfer's end means for the client, and for the next request to that region. */
static int
finish(struct relay_thread *t, struct relay *r, CURLcode code, int *status, struct err *err)
{
	const char *home = r->rq->home->name;
	bool reached = code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
	    code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CONNECT_ERROR &&
	    !(code == CURLE_OPERATION_TIMEDOUT && r->status == 0);

	if (!r->client_gone)
		set_health(t->relays, home, reached);
	if (code == CURLE_OK && r->status != 0 && begin(r)) {
		*status = r->status;
		return 0;
	}
	metric_add(M_RELAY_ERRORS, 1);
	log_event(r->rq->request_id, EV_RELAY_FAILED, LS("region", home),
	    LS("reason", r->client_gone ? "the client went away"
		: r->too_slow ? "nothing moved for relay_idle_ms" : curl_easy_strerror(code)),
	    LI("status", r->status), LI("begun", r->begun));
	if (r->begun || r->client_gone)
		return FAIL(err, ERR_CLOSED, "relay to region \"%s\" broke off", home);
	return FAIL(err, ERR_UNAVAILABLE, "region \"%s\" cannot be reached: %s", home, curl_easy_strerror(code));
}

int
relay_run(struct relay_thread *t, struct arena *a, const struct relay_request *rq,
    const struct relay_io *io, int *status, struct err *err)
{
	const struct settings *s = t->relays->settings;
	struct relay r = { .rq = rq, .io = io, .moved_us = clock_mono_us(),
		.idle_us = s->relay_idle_ms * US_PER_MS };
	char *target = arena_strndup(a, rq->target.p, rq->target.len);
	struct curl_slist *headers = headers_of(a, rq);
	CURLcode code;

	strbuf_init(&r.headers, a, ANSWER_HEADERS_MAX);
	if (t->curl == NULL)
		t->curl = curl_easy_init();
	if (target == NULL || headers == NULL || t->curl == NULL) {
		curl_slist_free_all(headers);
		return FAIL(err, ERR_LIMIT, "no memory to relay with");
	}
	curl_easy_reset(t->curl); /* keeps the connections */
	set_limits(t->curl, s);
	set_request(t->curl, &r, target, headers);
	set_answer(t->curl, &r);
	metric_add(M_RELAYED, 1);
	code = curl_easy_perform(t->curl);
	curl_slist_free_all(headers);
	return finish(t, &r, code, status, err);
}
