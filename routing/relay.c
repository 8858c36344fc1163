/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routing/relay.c - relaying with libcurl: one transfer a thread, driven by a
 * multi handle so that the client and the home are watched at once.
 *
 * Owns:      a multi and an easy handle a thread, and with them its connections.
 * Blocks:    on the client and on the home region, each wait bounded: to connect
 *            (relay_connect_ms), for the answer's first byte once all was sent
 *            (relay_first_byte_ms), and while neither side moves (relay_idle_ms).
 * Invariant: nothing is tried again once a byte of the body was taken: the
 *            client's bytes are nowhere but in flight. At most one buffer of
 *            libcurl's each way is held, and the answer's once more, joined: what
 *            the receiver does not take, the sender is not asked for.
 */
#include "routing/relay.h"

#include <pthread.h>
#include <strings.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/strbuf.h"
#include "routing/relay_impl.h"

#define ANSWER_HEADERS_MAX 65536
#define BUFFER_BYTES 262144L       /* libcurl's, each way, while a relay is under way */
#define LOOK_MS 500                /* at the limits, and whether the client is still there */
#define KEPT_CONNECTIONS 4L        /* a thread */

struct relays {
	const struct settings *settings;
	struct breaker *breaker;
};
struct relay_thread {
	struct relays *relays;
	CURLM *multi; /* keeps the connections */
	CURL *curl;
	uint8_t *joined; /* BUFFER_BYTES of an answer on their way to the client */
};

/* One relay under way. */
struct relay {
	struct relay_thread *thread;
	const struct relay_request *rq;
	const struct relay_io *io;
	struct breaker_pass pass;
	struct strbuf headers;  /* of the answer */
	int status;
	bool ours;              /* Anvil answered, and not the web server in its place */
	bool headed;            /* the head of the answer is there, and it is no interim one */
	bool begun;             /* passed on to the client */
	bool paused;            /* libcurl wants body, and the client has none ready */
	int64_t taken;          /* bytes of the body, from the client */
	bool sent;              /* the body is at its end */
	bool client_gone;
	bool stalled;           /* he sent no more of the body for relay_idle_ms */
	bool enough;            /* no more of the answer is wanted, or there is no more */
	const char *gave_up;    /* which limit was exceeded */
	int64_t moved_us;       /* when a byte last moved, monotonic */
	int64_t heard_us;       /* when the breaker was last told that the home lives */
	curl_off_t up, down;
	size_t joined;          /* bytes of the answer that are not passed on yet */
	bool unflushed;         /* some were, and may lie about */
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
	int share = (int)(s->threads * 3 / 4);

	if (r == NULL)
		abort();
	pthread_once(&curl_once, curl_start);
	r->settings = s;
	r->breaker = breaker_new(share > 0 ? share : 1);
	return r;
}

void
relays_free(struct relays *r)
{
	if (r == NULL)
		return;
	breaker_free(r->breaker);
	free(r);
}

enum breaker_verdict
relays_ask(struct relays *r, const char *region)
{
	return breaker_ask(r->breaker, region, clock_mono_us());
}

size_t
relays_list(struct relays *r, struct breaker_state *out, size_t max)
{
	return breaker_list(r->breaker, out, max);
}

struct relay_thread *
relay_thread_new(struct relays *r)
{
	struct relay_thread *t = calloc(1, sizeof(*t)); /* process: one a thread */

	if (t == NULL)
		abort();
	t->relays = r;
	return t; /* the handles are made at the first relay: most threads never need one */
}

void
relay_thread_free(struct relay_thread *t)
{
	if (t == NULL)
		return;
	if (t->curl != NULL)
		curl_easy_cleanup(t->curl);
	if (t->multi != NULL)
		curl_multi_cleanup(t->multi);
	free(t->joined);
	free(t);
}

/* ---- the body: client to home ---- */

static void
give_up_client(struct relay *r)
{
	r->stalled = true;
	r->gave_up = "the client sent nothing for relay_idle_ms";
}

/* Of a body whose length is known libcurl never reads the end. A web server that is answered before has not handed out all. */
static void
read_end(struct relay *r)
{
	char none;

	r->sent = true;
	(void)r->io->read(r->io->arg, &none, 1);
}

/* All that is there, and no more: a web server hands it out in small pieces, and each that is sent alone costs its round. */
static size_t
on_read(char *p, size_t size, size_t count, void *arg)
{
	struct relay *r = arg;
	size_t got = 0;
	ssize_t n = 0;

	if (!r->io->ready(r->io->arg)) {
		r->paused = true;
		return CURL_READFUNC_PAUSE;
	}
	do {
		n = r->io->read(r->io->arg, p + got, size * count - got);
		if (n < 0) {
			if (n == RELAY_STALLED)
				give_up_client(r);
			else
				r->client_gone = true;
			return CURL_READFUNC_ABORT;
		}
		got += (size_t)n;
		r->taken += n;
		if (n == 0)
			r->sent = true;
		else if (r->taken == r->rq->content_length)
			read_end(r);
	} while (!r->sent && got < size * count && r->io->ready(r->io->arg));
	r->moved_us = clock_mono_us();
	return got;
}

/* ---- the answer: home to client ---- */

static void
heard(struct relay *r)
{
	int64_t now = clock_mono_us();

	r->moved_us = now;
	if (now - r->heard_us < US_PER_S)
		return;
	r->heard_us = now;
	breaker_heard(r->thread->relays->breaker, &r->pass, now);
}

/* The first header line of each answer, "HTTP/1.1 200 OK": an interim one (100) is followed by another. */
static void
on_status_line(struct relay *r, const char *line, size_t len)
{
	const char *space = memchr(line, ' ', len);
	size_t at = space == NULL ? len : (size_t)(space - line) + 1;

	strbuf_clear(&r->headers);
	r->status = 0;
	r->ours = false;
	for (size_t i = at; i < at + 3 && i < len && line[i] >= '0' && line[i] <= '9'; i++)
		r->status = r->status * 10 + (line[i] - '0');
}

static bool
begin(struct relay *r)
{
	if (r->begun)
		return true;
	if (r->status >= 500 && !r->ours) {
		/* A page for people, which no S3 client understands, and no 503 that it would try again. */
		r->gave_up = "the home's web server has no worker to ask";
		return false;
	}
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

	heard(r);
	if (len >= 5 && strncmp(p, "HTTP/", 5) == 0) {
		on_status_line(r, p, len);
		return len;
	}
	if (len == 2) /* the line that ends a head */
		r->headed = r->status >= 200;
	colon = r->begun ? NULL : memchr(p, ':', len); /* begun: a trailer */
	if (colon != NULL) {
		struct span name = { p, (size_t)(colon - p) };

		if (name.len == 16 && strncasecmp(p, "x-amz-request-id", 16) == 0)
			r->ours = true;
		/* The length is the home's to tell; its connection is not the client's. */
		if (!relay_header_stays(name) || (name.len == 14 && strncasecmp(p, "content-length", 14) == 0))
			strbuf_add(&r->headers, p, len);
	}
	return len;
}

/* What is joined goes to the client. false: it goes no further. */
static bool
pass_on(struct relay *r)
{
	int rc = r->joined == 0 ? 0 : r->io->write(r->io->arg, r->thread->joined, r->joined);

	if (r->joined > 0)
		r->moved_us = clock_mono_us();
	r->unflushed = r->unflushed || r->joined > 0;
	r->joined = 0;
	r->client_gone = r->client_gone || rc < 0;
	r->enough = r->enough || rc > 0;
	return rc == 0;
}

/* Before more is waited for: whoever sends blanks to keep the client (reply_keep_alive) wants them there. */
static bool
flush(struct relay *r)
{
	if (r->unflushed && r->io->flush != NULL && r->io->flush(r->io->arg) != 0)
		r->client_gone = true;
	r->unflushed = false;
	return !r->client_gone;
}

/* libcurl gives what it has read in pieces of 16 KiB. They are joined again, and passed on before anything is waited for. */
static size_t
on_write(char *p, size_t size, size_t count, void *arg)
{
	struct relay *r = arg;
	size_t len = size * count;

	heard(r);
	if (!begin(r) || (len > BUFFER_BYTES - r->joined && !pass_on(r)) || len > BUFFER_BYTES)
		return 0;
	memcpy(r->thread->joined + r->joined, p, len);
	r->joined += len;
	return len;
}

/* ---- the transfer ---- */

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
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, r);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, on_write);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, r);
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
	curl_easy_setopt(c, CURLOPT_BUFFERSIZE, BUFFER_BYTES);
	curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
	if (s->relay_ca_file[0] != '\0')
		curl_easy_setopt(c, CURLOPT_CAINFO, s->relay_ca_file);
}

/* Did the transfer stand still for too long? What it waits for decides how long that is. */
static bool
over_limit(struct relay *r)
{
	const struct settings *s = r->thread->relays->settings;
	int64_t now = clock_mono_us(), still_us = now - r->moved_us;

	if (r->sent && r->status == 0 && still_us > s->relay_first_byte_ms * US_PER_MS)
		r->gave_up = "no answer within relay_first_byte_ms";
	else if (still_us > s->relay_idle_ms * US_PER_MS && r->paused)
		give_up_client(r);
	else if (still_us > s->relay_idle_ms * US_PER_MS)
		r->gave_up = "nothing moved for relay_idle_ms";
	else if (r->status == 0 && !r->paused && still_us > BREAKER_SILENT_US &&
	    (r->pass.tries || breaker_leave(r->thread->relays->breaker, &r->pass, now)))
		r->gave_up = "the region says nothing";
	return r->gave_up != NULL;
}

static void
note_progress(struct relay *r)
{
	struct breaker *b = r->thread->relays->breaker;
	curl_off_t up = 0, down = 0;
	int64_t now = clock_mono_us();

	(void)curl_easy_getinfo(r->thread->curl, CURLINFO_SIZE_UPLOAD_T, &up);
	(void)curl_easy_getinfo(r->thread->curl, CURLINFO_SIZE_DOWNLOAD_T, &down);
	if (up != r->up || down != r->down) {
		r->moved_us = now;
		if (r->pass.waiting && !r->sent) /* it takes the body again */
			breaker_heard(b, &r->pass, now);
	}
	r->up = up;
	r->down = down;
	if (r->status == 0 && (r->sent || (!r->paused && now - r->moved_us > BREAKER_SLOW_US)))
		breaker_wait(b, &r->pass, now);
}

/*
 * The client's bytes are here, or the answer is (an early one: nobody wants the
 * rest of the body). Looked at after each wait.
 */
static void
go_on(struct relay *r)
{
	if (!r->paused || !(r->status >= 300 || r->io->ready(r->io->arg)))
		return;
	r->paused = false;
	(void)curl_easy_pause(r->thread->curl, CURLPAUSE_CONT);
}

/*
 * Did the answer come whole before the body? One to a GET does, whose body nobody reads. libcurl would go on sending it, and a
 * web server that has an answer hands out no more of it. The connection is given up: the rest of the body is due there.
 */
static bool
answered_early(struct relay *r)
{
	curl_off_t len = -1;

	(void)curl_easy_getinfo(r->thread->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &len);
	return !r->sent && r->headed && len >= 0 && r->down >= len;
}

/* The transfer's own end, or ours. false: given up. */
static bool
drive(struct relay *r, CURLcode *code)
{
	CURLM *multi = r->thread->multi;
	struct curl_waitfd client = { .fd = r->io->fd, .events = CURL_WAIT_POLLIN };
	int running = 1, left;
	CURLMsg *done;

	for (;;) {
		if (curl_multi_perform(multi, &running) != CURLM_OK || !pass_on(r))
			return false;
		if (running == 0)
			break;
		note_progress(r);
		if (answered_early(r)) {
			r->enough = begin(r);
			return false;
		}
		if (over_limit(r) || !flush(r))
			return false;
		if (curl_multi_poll(multi, &client, r->paused && r->io->fd >= 0 ? 1 : 0, LOOK_MS, &left) != CURLM_OK)
			return false;
		if (r->sent && r->io->gone(r->io->arg)) {
			r->client_gone = true;
			return false;
		}
		go_on(r);
	}
	while ((done = curl_multi_info_read(multi, &left)) != NULL)
		if (done->msg == CURLMSG_DONE)
			*code = done->data.result;
	return true;
}

/* Could the home be reached, as far as this transfer tells? */
static bool
was_reached(const struct relay *r, CURLcode code)
{
	if (r->gave_up != NULL)
		return r->status != 0 || r->stalled; /* it answered, or it was the client who sent nothing */
	return code != CURLE_COULDNT_CONNECT && code != CURLE_COULDNT_RESOLVE_HOST &&
	    code != CURLE_PEER_FAILED_VERIFICATION && code != CURLE_SSL_CONNECT_ERROR &&
	    !(code == CURLE_OPERATION_TIMEDOUT && r->status == 0);
}

/* What the transfer's end means for the client, and for the next request to that region. */
static int
finish(struct relay *r, CURLcode code, int *status, struct err *err)
{
	const char *home = r->rq->home->name, *why;

	breaker_end(r->thread->relays->breaker, &r->pass, !r->client_gone, was_reached(r, code), clock_mono_us());
	if (r->enough || (code == CURLE_OK && r->status != 0 && begin(r))) {
		*status = r->status;
		return 0;
	}
	why = r->client_gone ? "the client went away" : r->gave_up != NULL ? r->gave_up : curl_easy_strerror(code);
	metric_add(M_RELAY_ERRORS, 1);
	log_event(r->rq->request_id, EV_RELAY_FAILED, LS("region", home), LS("reason", why),
	    LI("status", r->status), LI("begun", r->begun));
	if (r->begun || r->client_gone || r->stalled)
		return FAIL(err, ERR_CLOSED, "relay to region \"%s\" broke off: %s", home, why);
	return FAIL(err, ERR_UNAVAILABLE, "region \"%s\" cannot be reached: %s", home, why);
}

static bool
have_handles(struct relay_thread *t)
{
	if (t->multi == NULL && (t->multi = curl_multi_init()) != NULL)
		(void)curl_multi_setopt(t->multi, CURLMOPT_MAXCONNECTS, KEPT_CONNECTIONS);
	if (t->curl == NULL)
		t->curl = curl_easy_init();
	if (t->joined == NULL)
		t->joined = malloc(BUFFER_BYTES); /* process: the thread's */
	return t->multi != NULL && t->curl != NULL && t->joined != NULL;
}

bool
relay_no_body_ready(void *arg)
{
	(void)arg;
	return true;
}

ssize_t
relay_no_body_read(void *arg, void *p, size_t len)
{
	(void)arg;
	(void)p;
	(void)len;
	return 0;
}

int
relay_run(struct relay_thread *t, struct arena *a, const struct relay_request *rq,
    const struct relay_io *io, int *status, struct err *err)
{
	struct relay r = { .thread = t, .rq = rq, .io = io, .sent = !rq->has_body, .moved_us = clock_mono_us() };
	char *target = arena_strndup(a, rq->target.p, rq->target.len);
	struct curl_slist *headers = relay_headers(a, rq);
	CURLcode code = CURLE_ABORTED_BY_CALLBACK;

	strbuf_init(&r.headers, a, ANSWER_HEADERS_MAX);
	if (target == NULL || headers == NULL || !have_handles(t)) {
		curl_slist_free_all(headers);
		return FAIL(err, ERR_LIMIT, "no memory to relay with");
	}
	curl_easy_reset(t->curl);
	set_limits(t->curl, t->relays->settings);
	set_request(t->curl, &r, target, headers);
	breaker_begin(t->relays->breaker, rq->home->name, &r.pass);
	metric_add(M_RELAYED, 1);
	if (curl_multi_add_handle(t->multi, t->curl) != CURLM_OK || !drive(&r, &code))
		code = CURLE_ABORTED_BY_CALLBACK;
	(void)curl_multi_remove_handle(t->multi, t->curl); /* ends the connection of a transfer that is not whole */
	curl_slist_free_all(headers);
	return finish(&r, code, status, err);
}
