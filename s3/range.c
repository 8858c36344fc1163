/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/range.c - one byte range.
 *
 * Invariant: 0 <= first, 0 <= len, first + len <= size; numbers too large for
 *            int64_t count as larger than any object.
 */
#include "s3/range.h"

#include "s3/errors.h"
#include "s3/headers.h"

/* Digits at the cursor; INT64_MAX when there are too many. false: none. */
static bool
position(const char **cur, const char *end, int64_t *out)
{
	const char *p = *cur;
	int64_t n = 0;

	for (; p < end && *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(n, 10, &n) ||
		    __builtin_add_overflow(n, *p - '0', &n))
			n = INT64_MAX / 10 + 1; /* stays too large */
	if (p == *cur)
		return false;
	*out = n;
	*cur = p;
	return true;
}

/* "first-last", "first-" or "-suffix"; -1 for what is not there. */
static bool
split(struct span s, int64_t *first, int64_t *last)
{
	const char *p = s.p, *end = s.p + s.len;
	bool has_first, has_last;

	*first = *last = -1;
	has_first = position(&p, end, first);
	if (p == end || *p++ != '-')
		return false;
	has_last = position(&p, end, last);
	if (p != end || (!has_first && !has_last))
		return false;
	return !has_first || !has_last || *first <= *last;
}

static int
unsatisfiable(struct arena *a, struct span header, int64_t size,
    struct s3_problem *pr)
{
	s3_problem_set(pr, S3_InvalidRange, NULL);
	s3_problem_extra(pr, "RangeRequested", header);
	s3_problem_extra(pr, "ActualObjectSize",
	    span_of(arena_printf(a, "%" PRId64, size)));
	return -1;
}

int
range_parse(struct arena *a, struct span header, int64_t size,
    struct range *out, struct s3_problem *pr)
{
	struct span s = header;
	int64_t first, last;

	*out = (struct range){ false, 0, size };
	if (header.p == NULL)
		return 0;
	s = s3_trim(s);
	if (!s3_istarts(s, "bytes="))
		return 0;
	s = s3_trim((struct span){ s.p + 6, s.len - 6 });
	if (s.len == 0 || memchr(s.p, ',', s.len) != NULL ||
	    !split(s, &first, &last))
		return 0;
	if (first < 0) {
		/* The last so many bytes. */
		if (last == 0 || size == 0)
			return unsatisfiable(a, header, size, pr);
		out->first = last > size ? 0 : size - last;
		out->len = size - out->first;
	} else {
		if (first >= size)
			return unsatisfiable(a, header, size, pr);
		if (last < 0 || last >= size)
			last = size - 1;
		out->first = first;
		out->len = last - first + 1;
	}
	out->partial = true;
	return 0;
}

void
range_text(const struct range *r, int64_t size, char out[RANGE_TEXT_SIZE])
{
	(void)snprintf(out, RANGE_TEXT_SIZE,
	    "bytes %" PRId64 "-%" PRId64 "/%" PRId64, r->first,
	    r->first + r->len - 1, size);
}
