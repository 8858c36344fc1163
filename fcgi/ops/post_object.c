/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/post_object.c - PostObject: an object from a browser's form.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, before it is known who asks: the form says so.
 * Blocks:     on the client, then as PutObject.
 * Invariant:  no byte of the file is taken before the form's fields are read, its
 *             signature is right, its policy holds and its signer may put that key.
 *             From there on it is a put whose headers are the form's fields.
 */
#include "fcgi/ops/ops.h"

#include "base/parse.h"
#include "fcgi/authorize.h"
#include "fcgi/ops/put.h"
#include "s3/tagging.h"
#include "s3/xml.h"


/* ---- fields that are headers by another name ---- */

/* Others, x-amz-* apart, ask for nothing of the object. */
static const char *const header_fields[] = {
	"cache-control", "content-disposition", "content-encoding", "content-language", "content-md5", "content-type", "expires",
};

static bool
is_header_field(struct span name)
{
	static const char *const signs[] = { "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature",
		"x-amz-security-token", "x-amz-content-sha256" };

	for (size_t i = 0; i < ARRAY_LEN(signs); i++)
		if (s3_ieq(name, span_of(signs[i])))
			return false;
	if (s3_istarts(name, "x-amz-"))
		return true;
	for (size_t i = 0; i < ARRAY_LEN(header_fields); i++)
		if (s3_ieq(name, span_of(header_fields[i])))
			return true;
	return false;
}

static struct span
lower_case(struct arena *a, struct span s)
{
	char *p = arena_strndup(a, s.p, s.len);

	for (size_t i = 0; p != NULL && i < s.len; i++)
		if (p[i] >= 'A' && p[i] <= 'Z')
			p[i] = (char)(p[i] - 'A' + 'a');
	return (struct span){ p, s.len };
}

/* A header's value ends at a line's end; a form's field need not. */
static bool
is_one_line(struct span value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.p[i] < ' ' && value.p[i] != '\t')
			return false;
	return true;
}

/* A Tagging document as x-amz-tagging has it. */
static int
tags_of(struct req *r, struct span xml, struct span *out)
{
	struct s3_tags tags;
	const char *text;

	if (s3_tags_from_xml(r->arena, xml, S3_OBJECT_TAGS_MAX, &tags, &r->problem) != 0)
		return req_refused(r, "the form's tags are refused");
	text = s3_tags_text(r->arena, &tags);
	if (text == NULL && tags.n > 0)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	*out = text == NULL ? SPAN("") : span_of(text);
	return 0;
}

static int
add(struct req *r, struct s3_header *to, size_t *n, struct span name, struct span value)
{
	if (*n == REQ_HEADERS_MAX)
		return req_refuse(r, S3_MaxPostPreDataLengthExceeded, NULL, NULL, SPAN(""));
	if (name.p == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (!is_one_line(value)) {
		(void)s3_problem_argument(&r->problem, "A form field's value must be one line.", arena_strndup(r->arena, name.p, name.len),
		    value);
		return req_refused(r, "a field of several lines");
	}
	to[(*n)++] = (struct s3_header){ name, value };
	return 0;
}

/* What the request's own headers say of the client stays; what they say of an object does not count. */
static bool
stays(struct span name)
{
	return !is_header_field(name) && !s3_ieq(name, SPAN("content-length")) && !s3_istarts(name, "if-");
}

static int
fields_to_headers(struct req *r, const struct post_form *form)
{
	struct s3_header *to = arena_array(r->arena, REQ_HEADERS_MAX, sizeof(*to));
	struct span acl = post_form_get(form, "acl"), tagging = post_form_get(form, "tagging"), tags;
	const struct post_field *fields;
	size_t n_fields, n = 0;

	if (to == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	for (size_t i = 0; i < r->headers.n; i++)
		if (stays(r->headers.h[i].name))
			to[n++] = r->headers.h[i];
	fields = post_form_fields(form, &n_fields);
	for (size_t i = 0; i < n_fields; i++)
		if (is_header_field(fields[i].name) &&
		    add(r, to, &n, lower_case(r->arena, fields[i].name), s3_trim(fields[i].value)) != 0)
			return -1;
	if (acl.p != NULL && add(r, to, &n, SPAN("x-amz-acl"), acl) != 0)
		return -1;
	if (tagging.p != NULL && (tags_of(r, tagging, &tags) != 0 || add(r, to, &n, SPAN("x-amz-tagging"), tags) != 0))
		return -1;
	r->header = to;
	r->headers = (struct s3_headers){ to, n };
	return 0;
}

/* ---- which key, and who asks ---- */

static int
take_key(struct req *r, const struct post_form *form)
{
	struct span key = post_form_get(form, "key");

	if (key.len == 0) {
		(void)s3_problem_argument(&r->problem,
		    "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.", "key",
		    SPAN(""));
		return req_refused(r, "the form names no key");
	}
	if (key.len > S3_KEY_MAX) {
		(void)s3_problem_set(&r->problem, S3_KeyTooLongError, NULL);
		s3_problem_extra(&r->problem, "Size", span_of(arena_printf(r->arena, "%zu", key.len)));
		s3_problem_extra(&r->problem, "MaxSizeAllowed", SPAN(ANVIL_STR(S3_KEY_MAX)));
		return req_refused(r, "the key is too long");
	}
	if (!utf8_valid(key) || memchr(key.p, '\0', key.len) != NULL)
		return req_refuse(r, S3_InvalidURI, "The key is not UTF-8.", NULL, SPAN(""));
	r->key = key;
	return 0;
}

static int
who_signed(struct req *r, const struct post_form *form, const struct identity **who, struct post_policy *policy)
{
	struct sigv4_form_fields f = {
		.policy = post_form_get(form, "policy"),
		.algorithm = post_form_get(form, "x-amz-algorithm"),
		.credential = post_form_get(form, "x-amz-credential"),
		.date = post_form_get(form, "x-amz-date"),
		.signature = post_form_get(form, "x-amz-signature"),
		.token = post_form_get(form, "x-amz-security-token"),
		.is_v2 = post_form_get(form, "awsaccesskeyid").p != NULL || post_form_get(form, "signature").p != NULL,
	};

	*policy = (struct post_policy){ 0, INT64_MAX };
	if (authenticate_form(r, &f, who) != 0)
		return -1;
	if (f.policy.p == NULL)
		return 0;
	if (post_policy_check(r->arena, f.policy, form, span_of(r->bucket_name), r->now_us, policy, &r->problem) != 0)
		return req_refused(r, "the form's policy refuses it");
	return 0;
}

/* ---- the answer ---- */

/* Where the browser goes next, with what was stored; NULL: it was not asked for, or is no URL. */
static const char *
redirect_of(struct req *r, const struct post_form *form, const struct put *p)
{
	struct span url = post_form_get(form, "success_action_redirect");
	struct strbuf sb;

	if (url.p == NULL)
		url = post_form_get(form, "redirect");
	if ((!s3_istarts(url, "http://") && !s3_istarts(url, "https://")) || !is_one_line(url))
		return NULL;
	strbuf_init(&sb, r->arena, OPS_LOCATION_MAX);
	strbuf_span(&sb, url);
	strbuf_str(&sb, memchr(url.p, '?', url.len) == NULL ? "?bucket=" : "&bucket=");
	uri_query(&sb, span_of(r->bucket_name));
	strbuf_str(&sb, "&key=");
	uri_query(&sb, r->key);
	strbuf_str(&sb, "&etag=%22");
	strbuf_str(&sb, p->object.etag);
	strbuf_str(&sb, "%22");
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : NULL;
}

static int
created(struct req *r, struct reply *rp, const struct put *p, const char *location)
{
	struct strbuf xml;

	strbuf_init(&xml, r->arena, 4 * OPS_LOCATION_MAX);
	strbuf_str(&xml, XML_DECLARATION "<PostResponse>");
	xml_str(&xml, "Location", location);
	xml_str(&xml, "Bucket", r->bucket_name);
	xml_text(&xml, "Key", r->key);
	xml_etag(&xml, "ETag", p->object.etag);
	xml_close(&xml, "PostResponse");
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	return reply_body(rp, "application/xml", (struct span){ xml.buf, xml.len });
}

static int
answer(struct req *r, const struct post_form *form, const struct put *p)
{
	struct span want = post_form_get(form, "success_action_status");
	const char *location = redirect_of(r, form, p);
	int status = location != NULL	   ? 303 :
	    span_eq(want, SPAN("200")) ? 200 :
	    span_eq(want, SPAN("201")) ? 201 :
					 204;
	struct reply rp;

	if (location == NULL)
		location = ops_location(r);
	reply_begin(&rp, r, status);
	put_headers(&rp, p);
	reply_str(&rp, "Location", location);
	return status == 201 ? created(r, &rp, p, location) : reply_empty(&rp);
}

int
op_post_object(struct req *r, const struct identity *asker)
{
	struct post_policy policy;
	const struct identity *who;
	struct body form;
	struct put p;

	if (asker->app != NULL)
		return req_refuse(r, S3_InvalidRequest, "A form is signed by its fields alone.", NULL, SPAN(""));
	if (body_open_form(r, &form) != 0)
		return -1;
	if (!post_form_expand(form.form))
		return req_refuse(r, S3_MaxPostPreDataLengthExceeded, NULL, NULL, SPAN(""));
	if (take_key(r, form.form) != 0 || who_signed(r, form.form, &who, &policy) != 0 || fields_to_headers(r, form.form) != 0)
		return -1;
	if (!allowed(r, who, "s3:PutObject", r->key))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (put_begin(r, &p) != 0)
		return -1;
	p.body = form;
	if (body_open_file(&p.body, who, r->thread->settings->max_object_bytes, &policy) != 0 || put_finish(r, who, &p) != 0)
		return -1;
	return answer(r, p.body.form, &p);
}
