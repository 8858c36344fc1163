/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy_remote.c - a copy whose source lives in another region: asking for it, and answering.
 *
 *   answer   length of the row (4, big-endian) | the row (encode) | the bytes
 *
 * Owns:       nothing.
 * Called by:  fcgi/copy.c where the destination lives, fcgi/ops/get_object.c where the source does.
 * Blocks:     asking: on the source's home; answering: on the store and on who asks.
 * Invariant:  the source's home authorises the one who copies by itself, from his signature (which is made here, with the
 *             secret that every region can open) and its own policies; whoever asks without being a region gets no row.
 */
#include "fcgi/copy_remote.h"

#include "base/codec.h"
#include "base/parse.h"
#include "fcgi/authorize.h"
#include "fcgi/object_bytes.h"
#include "fcgi/worker.h"
#include "routing/hop.h"
#include "routing/relay.h"
#include "s3/object_meta.h"
#include "s3/tagging.h"
#include "s3/xml.h"

#define FORM_VERSION "1"
#define ROW_MAX (OBJECT_HEADERS_MAX + S3_TAGS_TEXT_MAX + 4096)
#define LENGTH_BYTES 4
#define TARGET_MAX 8192
#define HEADERS_MAX 16
#define SOURCE_SSE "x-amz-copy-source-server-side-encryption-customer-"

/* ---- the source's home ---- */

bool
copy_is_asked(const struct req *r)
{
	return r->hop_from != NULL && !r->is_head && req_header(r, COPY_ASK_HEADER).p != NULL;
}

static void
encode(struct strbuf *sb, const struct object *o, bool with_tags)
{
	enc_i64(sb, o->size);
	enc_i64(sb, o->mtime_us);
	enc_str(sb, o->etag);
	enc_str(sb, o->version);
	enc_bytes(sb, o->checksums.p, o->checksums.len);
	enc_bytes(sb, o->headers.p, o->headers.len);
	enc_u8(sb, (uint8_t)sse_envelope_kind(o->sse));
	enc_u8(sb, o->tags.len > 0);
	enc_u8(sb, with_tags);
	enc_bytes(sb, o->tags.p, with_tags ? o->tags.len : 0);
}

/* Of a range that lies outside no byte is sent: who asked sees by the size that it does. */
static int
bytes_asked(struct req *r, const struct object *o, int64_t *first, int64_t *len)
{
	struct span value = req_header(r, COPY_ASK_HEADER);
	int64_t last;

	*first = 0;
	*len = o->size;
	if (span_eq(value, SPAN("all")))
		return 0;
	if (copy_range_parse(value, first, &last, &r->problem) != 0)
		return req_refused(r, "a region asks for no range");
	*len = last < o->size ? last - *first + 1 : 0;
	if (*len == 0)
		*first = 0;
	return 0;
}

static int
send_bytes(struct req *r, struct object_bytes *bytes)
{
	struct span run;
	int more;

	while ((more = object_bytes_next(bytes, &run)) == 1)
		if (http_write(r->http, run.p, run.len) != 0)
			return FAIL(&r->err, ERR_CLOSED, "the region that asked went away");
	return more;
}

int
copy_send(struct req *r, const struct identity *who, const struct object *o, const struct sse *sse)
{
	const char *action = s3_operation_action(OP_GetObjectTagging, req_param(r, "versionId").p != NULL);
	struct object_bytes *bytes = NULL;
	struct strbuf row, length;
	int64_t first, len;
	struct reply rp;
	int rc = -1;

	strbuf_init(&row, r->arena, ROW_MAX);
	encode(&row, o, o->tags.len == 0 || allowed(r, who, action, r->key));
	strbuf_init(&length, r->arena, 64);
	enc_u32(&length, (uint32_t)row.len);
	if (!strbuf_ok(&row) || !strbuf_ok(&length))
		return FAIL(&r->err, ERR_LIMIT, "an object's row is too long to be sent");
	if (bytes_asked(r, o, &first, &len) != 0 || object_bytes_open(r, r->bucket, o, sse, first, len, &bytes) != 0)
		goto out;
	reply_begin(&rp, r, 200);
	reply_str(&rp, COPY_ASK_HEADER, FORM_VERSION);
	reply_str(&rp, "Content-Type", "application/octet-stream");
	reply_i64(&rp, "Content-Length", (int64_t)(length.len + row.len) + len);
	if (reply_head(&rp) != 0)
		goto out;
	if (http_write(r->http, length.buf, length.len) != 0 || http_write(r->http, row.buf, row.len) != 0)
		FAIL(&r->err, ERR_CLOSED, "the region that asked went away");
	else
		rc = send_bytes(r, bytes);
out:
	object_bytes_close(bytes);
	return rc;
}

/* ---- the destination's home: the request ---- */

struct asking {
	struct req *r;
	struct copy_source *s;
	const struct copy_to *to;
	const struct region *home;
	int status;
	bool knows;          /* the home's release knows what it was asked for */
	bool begun;          /* the row is known, and what takes the copy wants the bytes */
	bool enough;         /* it does not */
	bool refused;        /* r->err says why */
	struct strbuf head;  /* length and row; of an error its document */
	int64_t left;
};

static int
unreachable(const struct asking *k)
{
	return req_refuse(k->r, S3_ServiceUnavailable, "The home region of the copy's source cannot be reached.", "Region",
	    span_of(k->s->bucket->region));
}

static int
find_home(struct asking *k)
{
	struct req *r = k->r;
	struct region *regions;
	size_t n;

	if (meta_regions(r->thread->meta, r->arena, &regions, &n, &r->err) != 0)
		return -1;
	for (size_t i = 0; i < n && k->home == NULL; i++)
		if (strcmp(regions[i].name, k->s->bucket->region) == 0)
			k->home = &regions[i];
	if (k->home == NULL)
		return FAIL(&r->err, ERR_INTERNAL, "a bucket's home region \"%s\" has no row", k->s->bucket->region);
	switch (relays_ask(r->thread->worker->relays, k->home->name)) {
	case BREAKER_GO:
		return 0;
	case BREAKER_BUSY:
		return req_refuse(r, S3_SlowDown, "Too many requests for the source's home region are under way.", NULL, SPAN(""));
	case BREAKER_DOWN:
		break;
	}
	return unreachable(k);
}

/* What a GetObject of the source would say: the key of SSE-C, and what policies may ask about the client. */
static int
headers_to_send(const struct asking *k, struct s3_header *h, size_t *n)
{
	static const char *const as_they_are[] = { "user-agent", "referer" };
	const struct req *r = k->r;
	const char *range = "all";

	if (k->s->last >= 0)
		range = arena_printf(r->arena, "bytes=%" PRId64 "-%" PRId64, k->s->first, k->s->last);
	h[(*n)++] = (struct s3_header){ SPAN("host"), address_authority(k->home->endpoint) };
	h[(*n)++] = (struct s3_header){ SPAN(COPY_ASK_HEADER), span_of(range) };
	for (size_t i = 0; i < ARRAY_LEN(as_they_are); i++) {
		struct span v = req_header(r, as_they_are[i]);

		if (v.p != NULL)
			h[(*n)++] = (struct s3_header){ span_of(as_they_are[i]), v };
	}
	for (size_t i = 0; i < r->headers.n && *n < HEADERS_MAX / 2; i++) {
		const struct s3_header *from = &r->headers.h[i];
		size_t skip = sizeof(SOURCE_SSE) - 1;

		if (!s3_istarts(from->name, SOURCE_SSE))
			continue;
		h[*n].name = span_of(arena_printf(r->arena, "x-amz-server-side-encryption-customer-%.*s",
		    (int)(from->name.len - skip), from->name.p + skip));
		h[(*n)++].value = from->value;
	}
	for (size_t i = 0; i < *n; i++)
		if (h[i].name.p == NULL || h[i].value.p == NULL)
			return -1;
	return 0;
}

/* Signed as the one who copies; nobody in particular stays so. */
static int
sign(const struct asking *k, const struct identity *who, const struct sigv4_request *rq, struct s3_header *h, size_t *n)
{
	struct req *r = k->r;
	char secret[APP_SECRET_MAX + 1] = "";
	struct sigv4_signer by = { .region = span_of(k->home->name), .service = SPAN("s3"), .now_us = r->now_us };
	struct s3_headers more;
	int rc;

	if (who->app == NULL)
		return 0;
	if (who->session != NULL) {
		by.key_id = span_of(who->session->access_key);
		by.secret = span_of(who->session->secret);
		by.token = who->auth.token;
	} else {
		if (app_secret(r->thread->settings, who->app, secret, &r->err) != 0)
			return -1;
		by.key_id = span_of(who->app->access_key);
		by.secret = span_of(secret);
	}
	rc = sigv4_sign(r->arena, rq, &by, SPAN(SIGV4_EMPTY_SHA256), &more, NULL);
	crypto_wipe(secret, sizeof(secret));
	if (rc != 0)
		return FAIL(&r->err, ERR_LIMIT, "a request to another region grew too long");
	for (size_t i = 0; i < more.n; i++)
		h[(*n)++] = more.h[i];
	return 0;
}

static const char *
hop_value(const struct asking *k, struct span target, struct span host)
{
	const struct req *r = k->r;
	struct hop_request bound = { .method = SPAN("GET"), .target = target, .host = host };
	struct hop hop = {
		.from = r->thread->settings->region,
		.to = k->home->name,
		.request_id = r->id,
		.client_addr = r->client_addr,
		.domain = "",
		.secure = r->secure,
		.sent_us = r->now_us,
	};

	return hop_make(r->arena, r->thread->settings, &hop, &bound);
}

static int
make_request(const struct asking *k, const struct identity *who, struct relay_request *out)
{
	struct req *r = k->r;
	const struct copy_source *s = k->s;
	struct s3_header *h = arena_array(r->arena, HEADERS_MAX, sizeof(*h));
	struct strbuf path, target;
	struct relay_header *headers = arena_array(r->arena, HEADERS_MAX, sizeof(*headers));
	struct s3_headers signed_headers;
	struct sigv4_request rq;
	size_t n = 0;

	strbuf_init(&path, r->arena, TARGET_MAX);
	strbuf_ch(&path, '/');
	strbuf_str(&path, s->bucket->name);
	strbuf_ch(&path, '/');
	strbuf_span(&path, s->name.key);
	strbuf_init(&target, r->arena, TARGET_MAX);
	uri_path(&target, (struct span){ path.buf, path.len });
	if (s->version != NULL) {
		strbuf_str(&target, "?versionId=");
		uri_query(&target, s->name.version);
	}
	if (h == NULL || headers == NULL || !strbuf_ok(&path) || !strbuf_ok(&target) || headers_to_send(k, h, &n) != 0)
		return FAIL(&r->err, ERR_LIMIT, "a request to another region grew too long");
	signed_headers = (struct s3_headers){ h, n };
	rq = (struct sigv4_request){ .method = SPAN("GET"), .path = { path.buf, path.len }, .query = &s->as.uri.query,
		.headers = &signed_headers };
	if (sign(k, who, &rq, h, &n) != 0)
		return -1;
	*out = (struct relay_request){
		.home = k->home,
		.method = "GET",
		.target = { target.buf, target.len },
		.host = address_authority(k->home->endpoint).p,
		.headers = headers,
		.n_headers = n,
		.content_length = -1,
		.hop = hop_value(k, (struct span){ target.buf, target.len }, address_authority(k->home->endpoint)),
		.request_id = r->id,
	};
	if (out->hop == NULL)
		return FAIL(&r->err, ERR_LIMIT, "a request to another region grew too long");
	for (size_t i = 0; i < n; i++)
		headers[i] = (struct relay_header){ h[i].name, h[i].value };
	return 0;
}

/* ---- the destination's home: the answer ---- */

static bool
decode(struct arena *a, struct span row, struct copy_source *s)
{
	struct object *o = &s->o;
	struct dec d;

	dec_init(&d, row.p, row.len);
	*o = (struct object){ .key = s->name.key, .size = dec_i64(&d), .mtime_us = 0 };
	o->mtime_us = dec_i64(&d);
	o->etag = dec_str(&d, a, 256);
	o->version = dec_str(&d, a, VERSION_TEXT_SIZE);
	o->checksums = dec_bytes(&d, 256);
	o->headers = dec_bytes(&d, OBJECT_HEADERS_MAX);
	s->sealed = (enum sse_kind)dec_u8(&d);
	s->has_tags = dec_u8(&d) == 1;
	s->may_read_tags = dec_u8(&d) == 1;
	o->tags = dec_bytes(&d, S3_TAGS_TEXT_MAX);
	s->here = false;
	return dec_done(&d) && o->etag != NULL && o->version != NULL && o->size >= 0;
}

/* How long length and row are, as far as can be told. */
static size_t
head_length(const struct asking *k)
{
	struct dec d;

	if (k->head.len < LENGTH_BYTES)
		return LENGTH_BYTES;
	dec_init(&d, k->head.buf, LENGTH_BYTES);
	return LENGTH_BYTES + (size_t)dec_u32(&d);
}

/* The row is whole. 0: go on; 1: the transfer may end. */
static int
row_came(struct asking *k)
{
	struct req *r = k->r;
	int rc;

	if (!decode(r->arena, (struct span){ k->head.buf + LENGTH_BYTES, k->head.len - LENGTH_BYTES }, k->s)) {
		(void)FAIL(&r->err, ERR_INTERNAL, "the row that another region sent cannot be read");
		k->refused = true;
		return 1;
	}
	rc = copy_begin(r, k->s, k->to);
	k->begun = rc == 0;
	k->enough = rc > 0;
	k->refused = rc < 0;
	k->left = k->s->len;
	return rc == 0 ? 0 : 1;
}

static int
on_begin(void *arg, int status, struct span headers)
{
	struct asking *k = arg;

	k->status = status;
	k->knows = strcasestr(headers.p, COPY_ASK_HEADER ": " FORM_VERSION "\r\n") != NULL;
	return 0;
}

/* An error's document: as much as can be read of it. */
static int
keep_error(struct asking *k, const char *p, size_t len)
{
	if (k->head.len + len <= ROW_MAX)
		strbuf_add(&k->head, p, len);
	return 0;
}

static int
on_write(void *arg, const void *bytes, size_t len)
{
	struct asking *k = arg;
	const char *p = bytes;

	if (k->status != 200 || !k->knows)
		return keep_error(k, p, len);
	while (!k->begun && len > 0) {
		size_t want = head_length(k) - k->head.len;
		size_t n = want < len ? want : len;

		strbuf_add(&k->head, p, n);
		p += n;
		len -= n;
		if (!strbuf_ok(&k->head))
			return -1;
		if (k->head.len > LENGTH_BYTES && k->head.len == head_length(k) && row_came(k) != 0)
			return 1;
	}
	if (len == 0)
		return 0;
	if ((int64_t)len > k->left)
		return -1;
	k->left -= (int64_t)len;
	k->refused = k->to->write(k->to->arg, p, len) != 0;
	return k->refused ? 1 : 0;
}

static bool
on_gone(void *arg)
{
	struct asking *k = arg;

	return http_gone(k->r->http);
}

/* What the home refused, in its own words where they are about the source. */
static int
refused_there(struct asking *k)
{
	static const enum s3_code passed_on[] = { S3_AccessDenied, S3_NoSuchKey, S3_NoSuchVersion, S3_NoSuchBucket, S3_InvalidRequest,
		S3_InvalidArgument, S3_SlowDown };
	struct req *r = k->r;
	struct s3_problem ignored = { 0 };
	const struct xml_node *doc = xml_parse(r->arena, (struct span){ k->head.buf, k->head.len }, "Error", &XML_LIMITS_SMALL, &ignored);
	enum s3_code code = doc == NULL ? S3_OK : s3_code_by_name(xml_at(doc, "Code"));
	struct span message = doc == NULL ? SPAN("") : xml_at(doc, "Message");

	if (code == S3_MethodNotAllowed)
		return req_refuse(r, S3_InvalidRequest, COPY_OF_MARKER, NULL, SPAN(""));
	for (size_t i = 0; i < ARRAY_LEN(passed_on); i++)
		if (passed_on[i] == code) {
			(void)s3_problem_set(&r->problem, (int)code, message.len == 0 ? NULL : arena_strndup(r->arena, message.p, message.len));
			if (code == S3_NoSuchKey || code == S3_NoSuchVersion)
				s3_problem_extra(&r->problem, "Key", k->s->name.key);
			if (code == S3_NoSuchVersion)
				s3_problem_extra(&r->problem, "VersionId", k->s->name.version);
			return req_refused(r, "the source's home refused");
		}
	return unreachable(k);
}

int
copy_ask(struct req *r, const struct identity *who, struct copy_source *s, const struct copy_to *to)
{
	struct asking k = { .r = r, .s = s, .to = to };
	struct relay_io io = { .arg = &k, .fd = -1, .ready = relay_no_body_ready, .gone = on_gone, .read = relay_no_body_read, .begin = on_begin,
		.write = on_write };
	struct relay_request rq;
	struct err err = { 0 };
	int status = 0, rc;

	strbuf_init(&k.head, r->arena, ROW_MAX);
	if (find_home(&k) != 0 || make_request(&k, who, &rq) != 0)
		return -1;
	r->route = "copy";
	rc = relay_run(r->thread->relay, r->arena, &rq, &io, &status, &err);
	if (k.refused)
		return -1;
	if (k.enough || (rc == 0 && k.begun && k.left == 0))
		return 0;
	if (rc == 0 && status >= 300)
		return refused_there(&k);
	if (r->http->broken)
		return FAIL(&r->err, ERR_CLOSED, "the client went away");
	return unreachable(&k);
}
