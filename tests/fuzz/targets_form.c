/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_form.c - browsers' forms and their policies.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/parse.h"
#include "s3/post_form.h"
#include "s3/post_policy.h"

#define FILE_MAX (1 << 20)
#define NOW_US INT64_C(1764080000000000)

/* In pieces of `step` bytes; the file's bytes go to *out. */
static int
take(struct post_form *f, struct span in, size_t step, struct strbuf *out, struct s3_problem *pr)
{
	while (in.len > 0) {
		struct span piece = { in.p, in.len < step ? in.len : step }, run;

		in.p += piece.len;
		in.len -= piece.len;
		while (piece.len > 0) {
			size_t before = piece.len;
			bool at_file = post_form_at_file(f);

			if (post_form_push(f, &piece, &run, pr) != 0)
				return -1;
			FUZZ_CHECK(piece.len < before || run.len > 0 || (!at_file && post_form_at_file(f)));
			FUZZ_CHECK(run.len == 0 || at_file);
			strbuf_span(out, run);
		}
	}
	return post_form_finish(f, pr);
}

static void
same_fields(const struct post_form *a, const struct post_form *b)
{
	const struct post_field *fa, *fb;
	size_t na, nb;

	fa = post_form_fields(a, &na);
	fb = post_form_fields(b, &nb);
	FUZZ_CHECK(na == nb && na <= POST_FORM_FIELDS_MAX);
	for (size_t i = 0; i < na; i++)
		FUZZ_CHECK(span_eq(fa[i].name, fb[i].name) && span_eq(fa[i].value, fb[i].value));
}

/* A step byte, a line with the Content-Type, then the body: whole and in pieces must come to the same. */
void
fuzz_post_form(struct arena *a, struct span in)
{
	size_t step = 1 + fuzz_byte(&in) % 64;
	struct span type = fuzz_line(&in);
	struct s3_problem pr = { 0 }, pr2 = { 0 };
	struct post_form *one = post_form_new(a, type, &pr), *two;
	struct strbuf whole, pieces;
	struct post_policy policy;
	int rc;

	if (one == NULL) {
		FUZZ_REFUSED(&pr);
		return;
	}
	two = post_form_new(a, type, &pr2);
	FUZZ_CHECK(two != NULL);
	strbuf_init(&whole, a, FILE_MAX);
	strbuf_init(&pieces, a, FILE_MAX);
	rc = take(one, in, in.len + 1, &whole, &pr);
	FUZZ_CHECK(take(two, in, step, &pieces, &pr2) == rc && pr.code == pr2.code);
	if (rc != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK(post_form_at_file(one));
	FUZZ_CHECK(whole.len == pieces.len && (whole.len == 0 || memcmp(whole.buf, pieces.buf, whole.len) == 0));
	same_fields(one, two);
	if (!post_form_expand(one))
		return;
	if (post_policy_check(a, post_form_get(one, "policy"), one, SPAN("bkt"), NOW_US, &policy, &pr) != 0)
		FUZZ_REFUSED(&pr);
}

/* The whole is a policy, of a form that has a few fields. */
void
fuzz_post_policy(struct arena *a, struct span in)
{
	static const char form[] = "--B\r\nContent-Disposition: form-data; name=\"key\"\r\n\r\nk\r\n"
	    "--B\r\nContent-Disposition: form-data; name=\"Content-Type\"\r\n\r\nimage/a, image/b\r\n"
	    "--B\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nx\r\n--B--\r\n";
	struct s3_problem pr = { 0 };
	struct post_form *f = post_form_new(a, SPAN("multipart/form-data; boundary=B"), &pr);
	char *text = arena_alloc(a, base64_len(in.len) + 1);
	struct post_policy p;
	struct strbuf file;

	if (f == NULL || text == NULL)
		return;
	strbuf_init(&file, a, FILE_MAX);
	FUZZ_CHECK(take(f, SPAN(form), sizeof(form), &file, &pr) == 0);
	base64_encode(in.p, in.len, text);
	if (post_policy_check(a, span_of(text), f, SPAN("bkt"), NOW_US, &p, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK(p.size_min >= 0 && p.size_max >= 0);
	FUZZ_CHECK((post_policy_size(a, &p, p.size_max, true, &pr) == 0) == (p.size_min <= p.size_max));
	s3_problem_clear(&pr);
	if (p.size_max < INT64_MAX)
		FUZZ_CHECK(post_policy_size(a, &p, p.size_max + 1, false, &pr) != 0);
}
