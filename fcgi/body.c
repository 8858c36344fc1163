/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/body.c - reads, decodes, hashes and judges a request's body.
 *
 * Owns:       nothing; raw bytes pass through the thread's buffer.
 * Called by:  handlers that take a body.
 * Blocks:     yes, on the client; no database connection is held meanwhile.
 * Invariant:  body_next returns 0 once, and only for a body that verified whole.
 */
#include "fcgi/body.h"

#include "base/parse.h"

static int
too_large(struct req *r, int64_t size, int64_t max)
{
	const char *proposed = arena_printf(r->arena, "%" PRId64, size);
	const char *allowed = arena_printf(r->arena, "%" PRId64, max);

	(void)s3_problem_set(&r->problem, S3_EntityTooLarge, NULL);
	s3_problem_extra(&r->problem, "ProposedSize", span_of(proposed));
	s3_problem_extra(&r->problem, "MaxSizeAllowed", span_of(allowed));
	return req_refused(r, "the body is longer than max_object_bytes");
}

int
body_open(struct req *r, const struct identity *who, int64_t max, struct body *b)
{
	*b = (struct body){ .r = r, .size = -1 };
	if (checksum_want_parse(r->arena, &r->headers, &who->auth, &b->want, &r->problem) != 0)
		return req_refused(r, "the declared digests are wrong in form");
	if (payload_is_chunked(who->auth.payload)) {
		b->chunked = aws_chunked_new(r->arena, &who->auth, who->key, &r->headers, &r->problem);
		if (b->chunked == NULL)
			return r->problem.code != 0 ? req_refused(r, "the chunked body's headers are wrong") :
						      FAIL(&r->err, ERR_LIMIT, "arena is full");
		b->size = aws_chunked_decoded_len(b->chunked);
	} else {
		b->size = r->content_length;
		if (b->size < 0 && req_header(r, "transfer-encoding").p != NULL)
			return req_refuse(r, S3_NotImplemented, NULL, "Header", SPAN("Transfer-Encoding"));
		if (b->size < 0)
			return req_refuse(r, S3_MissingContentLength, NULL, NULL, SPAN(""));
	}
	if (b->size > max)
		return too_large(r, b->size, max);
	b->sums = checksums_new(r->arena, b->want.compute);
	if (b->sums == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return 0;
}

int
body_compute(struct body *b, unsigned set)
{
	if ((set & ~b->want.compute) == 0)
		return 0;
	b->want.compute |= set;
	b->sums = checksums_new(b->r->arena, b->want.compute);
	return b->sums == NULL ? FAIL(&b->r->err, ERR_LIMIT, "arena is full") : 0;
}

/* As much of the file as has come: too large, or (whole) too small, for the form's policy or for us. */
static int
check_file_size(struct body *b, bool whole)
{
	struct req *r = b->r;

	return post_policy_size(r->arena, &b->policy, b->decoded, whole, &r->problem) != 0 ?
	    req_refused(r, "the file's size is not what the policy or the limit wants") : 0;
}

static int
incomplete(struct body *b)
{
	char detail[120];

	(void)snprintf(detail, sizeof(detail), "announced=%" PRId64 " received=%" PRId64 " decoded=%" PRId64,
	    b->r->content_length, b->r->http->bytes_in, b->decoded);
	(void)s3_problem_set(&b->r->problem, b->r->http->stalled ? S3_RequestTimeout : S3_IncompleteBody, NULL);
	return req_refused(b->r, detail);
}

/* As much as the buffer holds, or all that is left: large pieces are cheaper for the disk. */
static int
fill(struct body *b)
{
	struct req *r = b->r;
	struct thread *t = r->thread;
	size_t n = 0;

	while (n < t->buf_size && !b->read_all) {
		ssize_t got = http_read(r->http, t->buf + n, t->buf_size - n);

		if (got < 0)
			return incomplete(b);
		if (got == 0)
			b->read_all = true;
		n += (size_t)got;
	}
	b->rest = (struct span){ (const char *)t->buf, n };
	if (r->content_length >= 0 && (r->http->bytes_in > r->content_length ||
					  (b->read_all && r->http->bytes_in < r->content_length)))
		return incomplete(b);
	return 0;
}

static int
finish(struct body *b)
{
	struct req *r = b->r;
	const struct s3_headers *trailers = NULL;

	if (b->chunked != NULL) {
		if (aws_chunked_finish(b->chunked, &r->problem) != 0)
			return req_refused(r, "the chunked body is not whole");
		trailers = aws_chunked_trailers(b->chunked);
	}
	if (b->form != NULL) {
		if (post_form_finish(b->form, &r->problem) != 0)
			return req_refused(r, "the form is not whole");
		if (check_file_size(b, true) != 0)
			return -1;
		b->size = b->decoded;
	}
	if (b->decoded != b->size)
		return incomplete(b);
	checksums_final(b->sums, &b->got);
	if (checksum_check(r->arena, &b->want, &b->got, trailers, &r->problem) != 0)
		return req_refused(r, "the body is not what its digests say");
	return 0;
}

/* The next run of decoded bytes out of what was read, maybe empty. */
static int
decode(struct body *b, struct span *out)
{
	struct req *r = b->r;

	if (b->form != NULL) {
		if (post_form_push(b->form, &b->rest, out, &r->problem) != 0)
			return req_refused(r, "the form is malformed");
	} else if (b->chunked != NULL) {
		if (aws_chunked_push(b->chunked, &b->rest, out, &r->problem) != 0)
			return req_refused(r, "the chunked body is malformed");
	} else {
		*out = b->rest;
		b->rest.len = 0;
	}
	return 0;
}

int
body_open_form(struct req *r, struct body *b)
{
	struct span none;

	*b = (struct body){ .r = r, .size = -1 };
	b->form = post_form_new(r->arena, req_header(r, "content-type"), &r->problem);
	if (b->form == NULL)
		return req_refused(r, "the body is no form");
	while (!post_form_at_file(b->form)) {
		if (b->rest.len == 0 && b->read_all)
			return post_form_finish(b->form, &r->problem) != 0 ? req_refused(r, "the form has no file") : 0;
		if ((b->rest.len == 0 && fill(b) != 0) || decode(b, &none) != 0)
			return -1;
	}
	return 0;
}

int
body_open_file(struct body *b, const struct identity *who, int64_t max, const struct post_policy *policy)
{
	struct req *r = b->r;

	b->policy = *policy;
	if (b->policy.size_max > max)
		b->policy.size_max = max;
	if (checksum_want_parse(r->arena, &r->headers, &who->auth, &b->want, &r->problem) != 0)
		return req_refused(r, "the declared digests are wrong in form");
	b->sums = checksums_new(r->arena, b->want.compute);
	return b->sums == NULL ? FAIL(&r->err, ERR_LIMIT, "arena is full") : 0;
}

int
body_next(struct body *b, struct span *out)
{
	for (;;) {
		if (b->rest.len == 0) {
			if (b->read_all)
				return finish(b);
			if (fill(b) != 0)
				return -1;
			if (b->rest.len == 0)
				continue;
		}
		if (decode(b, out) != 0)
			return -1;
		if (out->len == 0)
			continue;
		b->decoded += (int64_t)out->len;
		if (b->form != NULL ? check_file_size(b, false) != 0 : b->decoded > b->size)
			return b->form != NULL ? -1 : incomplete(b);
		checksums_update(b->sums, out->p, out->len);
		return 1;
	}
}

int
body_all(struct body *b, struct span *out)
{
	char *all = arena_alloc(b->r->arena, (size_t)b->size + 1);
	size_t n = 0;
	struct span run;
	int rc;

	if (all == NULL)
		return FAIL(&b->r->err, ERR_LIMIT, "arena is full");
	while ((rc = body_next(b, &run)) == 1) {
		memcpy(all + n, run.p, run.len);
		n += run.len;
	}
	all[n] = '\0';
	*out = (struct span){ all, n };
	return rc;
}
