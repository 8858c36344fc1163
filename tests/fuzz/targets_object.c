/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_object.c - what a request says of an object: ranges,
 * conditions, dates, stored headers.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/clock.h"
#include "base/parse.h"
#include "s3/condition.h"
#include "s3/copy_source.h"
#include "s3/date.h"
#include "s3/errors.h"
#include "s3/multipart.h"
#include "s3/object_meta.h"
#include "s3/range.h"
#include "s3/sse.h"
#include "s3/tagging.h"

#define NOW (INT64_C(1369353600) * US_PER_S)

/* First line: the size; then the header. */
void
fuzz_range(struct arena *a, struct span in)
{
	struct span line = fuzz_line(&in);
	struct s3_problem pr = { 0 };
	char text[RANGE_TEXT_SIZE];
	struct range r;
	int64_t size;

	if (!parse_i64(line, 0, INT64_MAX, &size))
		return;
	if (range_parse(a, in, size, &r, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK(r.first >= 0 && r.len >= 0 && r.first <= size && r.len <= size - r.first);
	FUZZ_CHECK(r.partial ? r.len > 0 : r.first == 0 && r.len == size);
	if (r.partial)
		range_text(&r, size, text);
}

/* First line: the object's ETag; then headers. */
void
fuzz_condition(struct arena *a, struct span in)
{
	struct condition_object o = { fuzz_line(&in), NOW };
	struct s3_headers headers = fuzz_headers(a, &in);
	struct s3_problem pr = { 0 };
	struct condition_write w;

	if (condition_read(&headers, &o, NOW, &pr) != 0)
		FUZZ_REFUSED(&pr);
	(void)condition_range(&headers, &o, NOW);
	for (int is_delete = 0; is_delete < 2; is_delete++) {
		pr = (struct s3_problem){ 0 };
		if (condition_write_parse(&headers, is_delete != 0, &w, &pr) != 0)
			FUZZ_REFUSED(&pr);
		else
			FUZZ_CHECK(w.kind != CONDITION_MATCH || (w.etag.p != NULL && (is_delete != 0 || !span_eq(w.etag, SPAN("*")))));
	}
}

void
fuzz_date(struct arena *a, struct span in)
{
	char text[DATE_HTTP_SIZE];
	int64_t us, again;

	(void)a;
	if (date_parse_day(in, &us)) {
		date_day(us, text);
		FUZZ_CHECK(span_eq(in, span_of(text)));
	}
	if (date_parse_basic(in, &us)) {
		date_basic(us, text); /* not always as it came: a leap second is written as the one before it */
		FUZZ_CHECK(date_parse_basic(span_of(text), &again) && again == us);
	}
	if (date_parse_iso(in, &us)) {
		date_iso_ms(us, text);
		/* Years before 0 and after 9999, by an offset, are clamped. */
		if (date_parse_iso(span_of(text), &again) && again == us / 1000 * 1000)
			FUZZ_CHECK(us - again < 1000);
	}
	if (date_parse_http(in, NOW, &us)) {
		date_http(us, text);
		FUZZ_CHECK(date_parse_http(span_of(text), NOW, &again) && again == us);
	}
}

/* Headers, then a document. */
void
fuzz_sse(struct arena *a, struct span in)
{
	struct s3_headers headers = fuzz_headers(a, &in);
	enum sse_kind kind;

	for (int of = SSE_OF_OBJECT; of <= SSE_OF_COPY_SOURCE; of++) {
		struct s3_problem pr = { 0 };
		struct sse_request rq;

		if (sse_parse(&headers, (enum sse_of)of, &rq, &pr) != 0)
			FUZZ_REFUSED(&pr);
		else if (sse_names_key(&headers, (enum sse_of)of))
			FUZZ_CHECK(rq.kind == SSE_CUSTOMER && rq.key_md5.len > 0);
	}
	{
		struct s3_problem pr = { 0 };

		if (sse_config_parse(a, in, &kind, &pr) != 0)
			FUZZ_REFUSED(&pr);
		else
			FUZZ_CHECK(kind == SSE_NONE || kind == SSE_S3);
	}
}

/* Headers, then a document. */
void
fuzz_multipart(struct arena *a, struct span in)
{
	struct s3_headers headers = fuzz_headers(a, &in);
	struct s3_problem pr = { 0 }, pr2 = { 0 }, pr3 = { 0 };
	struct attributes_params ap;
	struct multipart_part *parts;
	struct multipart_sum s;
	size_t n;

	if (multipart_sum_parse(a, &headers, &s, &pr) != 0)
		FUZZ_REFUSED(&pr);
	else
		FUZZ_CHECK(s.type == CHECKSUM_COMPOSITE ? checksum_table[s.algo].composite : checksum_table[s.algo].full_object);
	if (attributes_params_parse(&headers, &ap, &pr3) != 0)
		FUZZ_REFUSED(&pr3);
	if (multipart_complete_parse(a, in, &parts, &n, &pr2) != 0) {
		FUZZ_REFUSED(&pr2);
		return;
	}
	FUZZ_CHECK(n >= 1 && n <= MULTIPART_PARTS_MAX && parts[0].number >= 1);
	for (size_t i = 1; i < n; i++)
		FUZZ_CHECK(parts[i].number > parts[i - 1].number && parts[i].number <= MULTIPART_PARTS_MAX);
}

static bool
same(struct span x, struct span y)
{
	return (x.p == NULL) == (y.p == NULL) && span_eq(x, y);
}

/* First line: a query; then headers; then bytes that are taken for a stored set. */
void
fuzz_object_meta(struct arena *a, struct span in)
{
	struct span raw = fuzz_line(&in);
	struct s3_headers headers = fuzz_headers(a, &in);
	struct s3_problem pr = { 0 };
	struct object_meta m, d;
	struct s3_query q;
	struct strbuf sb;

	if (object_meta_decode(a, in, &d)) {
		strbuf_init(&sb, a, 4 * OBJECT_HEADERS_MAX);
		object_meta_headers(&sb, &d);
	}
	if (object_meta_parse(a, &headers, &m, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK(m.storage_class.len > 0);
	strbuf_init(&sb, a, OBJECT_HEADERS_MAX);
	object_meta_encode(&sb, &m);
	if (!strbuf_ok(&sb))
		return; /* headers longer than a request may have */
	FUZZ_CHECK(object_meta_decode(a, (struct span){ strbuf_cstr(&sb), sb.len }, &d));
	FUZZ_CHECK(same(m.content_type, d.content_type) && same(m.expires, d.expires) && m.n_user == d.n_user);
	for (size_t i = 0; i < m.n_user; i++)
		FUZZ_CHECK(span_eq(m.user[i].name, d.user[i].name) && span_eq(m.user[i].value, d.user[i].value));
	pr = (struct s3_problem){ 0 };
	if (s3_query_parse(a, raw, &q, &pr) == 0 && object_meta_override(&q, false, &d, &pr) != 0)
		FUZZ_REFUSED(&pr);
	strbuf_init(&sb, a, 4 * OBJECT_HEADERS_MAX);
	object_meta_headers(&sb, &d);
	FUZZ_CHECK(strbuf_ok(&sb) || arena_overflowed(a));
}

/* First line: the source; second: a range; then headers. */
void
fuzz_copy_source(struct arena *a, struct span in)
{
	struct span source = fuzz_line(&in), range = fuzz_line(&in), key;
	struct s3_headers headers = fuzz_headers(a, &in);
	const struct condition_object o = { SPAN("e"), NOW };
	struct s3_problem pr = { 0 }, pr2 = { 0 }, pr3 = { 0 }, pr4 = { 0 }, pr5 = { 0 };
	struct copy_source_name n;
	int64_t first, last;
	bool replace;

	if (copy_source_parse(a, source, &n, &pr) != 0)
		FUZZ_REFUSED(&pr);
	else
		FUZZ_CHECK(n.bucket.len > 0 && n.key.len > 0 && (n.version.p == NULL || n.version.len > 0) &&
		    memchr(n.bucket.p, '/', n.bucket.len) == NULL);
	if (rename_source_parse(a, source, &key, &pr2) != 0)
		FUZZ_REFUSED(&pr2);
	else
		FUZZ_CHECK(key.len > 0);
	if (copy_range_parse(range, &first, &last, &pr3) != 0)
		FUZZ_REFUSED(&pr3);
	else
		FUZZ_CHECK(first >= 0 && first <= last);
	if (copy_condition(&headers, COPY_SOURCE_HEADER, &o, NOW, &pr4) != 0)
		FUZZ_CHECK(pr4.code == S3_PreconditionFailed);
	if (copy_directive(&headers, "x-amz-metadata-directive", &replace, &pr5) != 0)
		FUZZ_REFUSED(&pr5);
}

static void
same_tags(struct arena *a, const struct s3_tags *t)
{
	const char *text = s3_tags_text(a, t);
	struct s3_problem pr = { 0 };
	struct s3_tags again;

	FUZZ_CHECK((text == NULL) == (t->n == 0));
	FUZZ_CHECK(s3_tags_from_text(a, text == NULL ? SPAN("") : span_of(text), &again, &pr) == 0 && again.n == t->n);
	for (size_t i = 0; i < t->n; i++)
		FUZZ_CHECK(span_eq(t->v[i].key, again.v[i].key) && span_eq(t->v[i].value, again.v[i].value));
}

/* First line: x-amz-tagging; then a document. */
void
fuzz_tagging(struct arena *a, struct span in)
{
	struct span line = fuzz_line(&in);
	struct s3_problem pr = { 0 }, pr2 = { 0 };
	struct s3_tags t;

	if (s3_tags_from_text(a, line, &t, &pr) != 0)
		FUZZ_REFUSED(&pr);
	else
		same_tags(a, &t);
	if (s3_tags_from_xml(a, in, S3_OBJECT_TAGS_MAX, &t, &pr2) != 0)
		FUZZ_REFUSED(&pr2);
	else
		same_tags(a, &t);
}
