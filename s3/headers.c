/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/headers.c - lookup and the small text work that header fields need.
 *
 * Owns:       nothing; everything is borrowed.
 * Called by:  s3/ and whoever reads a request's headers.
 * Blocks:     no.
 */
#include "s3/headers.h"

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static char
fold(char c)
{
	return c == '_' ? '-' : lower(c);
}

bool
s3_header_name_eq(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	/* From the end: most names here begin with "x-amz-". */
	for (size_t i = a.len; i-- > 0;)
		if (a.p[i] != b.p[i] && fold(a.p[i]) != fold(b.p[i]))
			return false;
	return true;
}

struct span
s3_header_span(const struct s3_headers *hs, struct span name)
{
	for (size_t i = 0; i < hs->n; i++)
		if (s3_header_name_eq(hs->h[i].name, name))
			return hs->h[i].value;
	return (struct span){ NULL, 0 };
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct span
s3_trim(struct span s)
{
	while (s.len > 0 && is_blank(s.p[0])) {
		s.p++;
		s.len--;
	}
	while (s.len > 0 && is_blank(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool
s3_ieq(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (lower(a.p[i]) != lower(b.p[i]))
			return false;
	return true;
}

bool
s3_istarts(struct span s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len >= n && s3_ieq((struct span){ s.p, n }, (struct span){ prefix, n });
}

bool
s3_list_next(struct span *rest, char sep, struct span *item)
{
	while (rest->len > 0) {
		const char *end = memchr(rest->p, sep, rest->len);
		size_t n = end == NULL ? rest->len : (size_t)(end - rest->p);

		*item = s3_trim((struct span){ rest->p, n });
		if (end != NULL)
			n++;
		rest->p += n;
		rest->len -= n;
		if (item->len > 0)
			return true;
	}
	return false;
}
