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

static int
incomplete(struct body *b)
{
	char detail[120];

	(void)snprintf(detail, sizeof(detail), "announced=%" PRId64 " received=%" PRId64 " decoded=%" PRId64,
	    b->r->content_length, b->r->http->bytes_in, b->decoded);
	(void)s3_problem_set(&b->r->problem, S3_IncompleteBody, NULL);
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
	if (b->decoded != b->size)
		return incomplete(b);
	checksums_final(b->sums, &b->got);
	if (checksum_check(r->arena, &b->want, &b->got, trailers, &r->problem) != 0)
		return req_refused(r, "the body is not what its digests say");
	return 0;
}

int
body_next(struct body *b, struct span *out)
{
	struct req *r = b->r;

	for (;;) {
		if (b->rest.len == 0) {
			if (b->read_all)
				return finish(b);
			if (fill(b) != 0)
				return -1;
			if (b->rest.len == 0)
				continue;
		}
		if (b->chunked == NULL) {
			*out = b->rest;
			b->rest.len = 0;
		} else if (aws_chunked_push(b->chunked, &b->rest, out, &r->problem) != 0)
			return req_refused(r, "the chunked body is malformed");
		if (out->len == 0)
			continue;
		b->decoded += (int64_t)out->len;
		if (b->decoded > b->size)
			return incomplete(b);
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
