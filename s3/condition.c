/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/condition.c - If-Match and its kin.
 *
 * Source: RFC 9110 section 13.2.2 for the order; S3 API Reference, GetObject
 *         and PutObject, for what S3 makes of the combinations.
 */
#include "s3/condition.h"

#include "s3/date.h"
#include "s3/errors.h"

#define US_PER_S 1000000

/*
 * The next tag of a list, without W/ and quotes. A comma inside quotes is part
 * of the tag; a tag without quotes is taken, too, as S3 does.
 */
static bool
next_tag(struct span *rest, struct span *tag)
{
	const char *p = rest->p, *end = rest->p + rest->len, *from;

	while (p < end && (*p == ' ' || *p == '\t' || *p == ','))
		p++;
	if (end - p >= 3 && (p[0] == 'W' || p[0] == 'w') && p[1] == '/' &&
	    p[2] == '"')
		p += 2;
	if (p == end)
		return false;
	if (*p == '"') {
		from = ++p;
		while (p < end && *p != '"')
			p++;
		*tag = (struct span){ from, (size_t)(p - from) };
		if (p < end)
			p++;
	} else {
		from = p;
		while (p < end && *p != ',')
			p++;
		*tag = s3_trim((struct span){ from, (size_t)(p - from) });
	}
	*rest = (struct span){ p, (size_t)(end - p) };
	return true;
}

static bool
tags_hold(struct span list, struct span etag)
{
	struct span tag;

	if (span_eq(s3_trim(list), SPAN("*")))
		return true;
	while (next_tag(&list, &tag))
		if (span_eq(tag, etag))
			return true;
	return false;
}

/* Whole seconds, rounded down, as Last-Modified was written. */
static int64_t
seconds(int64_t us)
{
	return us >= 0 ? us / US_PER_S : -((-us + US_PER_S - 1) / US_PER_S);
}

static bool
header_date(const struct s3_headers *hs, const char *name, int64_t now_us,
    int64_t *s)
{
	struct span v = s3_header_get(hs, name);
	int64_t us;

	if (v.p == NULL || !date_parse_http(s3_trim(v), now_us, &us))
		return false;
	*s = seconds(us);
	return true;
}

static int
precondition(struct s3_problem *pr, const char *name)
{
	s3_problem_set(pr, S3_PreconditionFailed, NULL);
	s3_problem_extra(pr, "Condition", span_of(name));
	return -1;
}

int
condition_read(const struct s3_headers *hs, const struct condition_object *o,
    int64_t now_us, struct s3_problem *pr)
{
	struct span match = s3_header_get(hs, "if-match");
	struct span none = s3_header_get(hs, "if-none-match");
	int64_t s;

	if (match.p != NULL) {
		if (!tags_hold(match, o->etag))
			return precondition(pr, "If-Match");
	} else if (header_date(hs, "if-unmodified-since", now_us, &s) &&
	    seconds(o->mtime_us) > s) {
		return precondition(pr, "If-Unmodified-Since");
	}
	if (none.p != NULL) {
		if (tags_hold(none, o->etag))
			return s3_problem_set(pr, S3_NotModified, NULL);
	} else if (header_date(hs, "if-modified-since", now_us, &s) &&
	    s <= seconds(now_us) && seconds(o->mtime_us) <= s) {
		return s3_problem_set(pr, S3_NotModified, NULL);
	}
	return 0;
}

bool
condition_range(const struct s3_headers *hs, const struct condition_object *o,
    int64_t now_us)
{
	struct span v = s3_header_get(hs, "if-range"), tag, rest;
	int64_t us;

	if (v.p == NULL)
		return true;
	v = s3_trim(v);
	if (date_parse_http(v, now_us, &us))
		return seconds(us) == seconds(o->mtime_us);
	/* A weak tag never proves that bytes are the same (RFC 9110 13.1.5). */
	if (v.len >= 2 && (v.p[0] == 'W' || v.p[0] == 'w') && v.p[1] == '/')
		return false;
	rest = v;
	return next_tag(&rest, &tag) && span_eq(tag, o->etag);
}

static int
not_taken(struct s3_problem *pr, const char *name)
{
	s3_problem_set(pr, S3_NotImplemented, NULL);
	s3_problem_extra(pr, "Header", span_of(name));
	return -1;
}

static int
value_not_taken(struct s3_problem *pr, const char *name)
{
	not_taken(pr, name);
	s3_problem_extra(pr, "additionalMessage", span_of(strcmp(name, "If-Match") == 0 ?
		"We don't accept the provided value of If-Match header for this API" :
		"We don't accept the provided value of If-None-Match header for this API"));
	return -1;
}

/* Headers that would be a condition if S3 took them here: better refused than not heeded. */
static int
refuse_others(const struct s3_headers *hs, bool is_delete,
    struct s3_problem *pr)
{
	static const struct {
		const char *header, *name;
		bool on_put;
	} rows[] = {
		{ "if-modified-since", "If-Modified-Since", true },
		{ "if-unmodified-since", "If-Unmodified-Since", true },
		{ "if-none-match", "If-None-Match", false },
		/* S3 knows these two in directory buckets alone. */
		{ "x-amz-if-match-last-modified-time",
		    "x-amz-if-match-last-modified-time", true },
		{ "x-amz-if-match-size", "x-amz-if-match-size", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((is_delete || rows[i].on_put) &&
		    s3_header_get(hs, rows[i].header).p != NULL)
			return not_taken(pr, rows[i].name);
	return 0;
}

bool
condition_etag(struct span text, struct span *etag)
{
	struct span rest = text, more;

	return next_tag(&rest, etag) && etag->len > 0 && !next_tag(&rest, &more);
}

int
condition_write_parse(const struct s3_headers *hs, bool is_delete,
    struct condition_write *out, struct s3_problem *pr)
{
	struct span match = s3_header_get(hs, "if-match");
	struct span none = s3_header_get(hs, "if-none-match");

	*out = (struct condition_write){ .kind = CONDITION_NONE };
	if (refuse_others(hs, is_delete, pr) != 0)
		return -1;
	if (match.p != NULL && none.p != NULL) {
		not_taken(pr, "If-Match,If-None-Match");
		s3_problem_extra(pr, "additionalMessage",
		    SPAN("Multiple conditional request headers present in the request"));
		return -1;
	}
	if (none.p != NULL) {
		if (!span_eq(s3_trim(none), SPAN("*")))
			return value_not_taken(pr, "If-None-Match");
		out->kind = CONDITION_ABSENT;
		return 0;
	}
	if (match.p == NULL)
		return 0;
	if (!condition_etag(match, &out->etag))
		return s3_problem_argument(
		    pr, "Invalid ETag", "If-Match", match);
	if (!is_delete && span_eq(out->etag, SPAN("*")))
		return value_not_taken(pr, "If-Match");
	out->kind = CONDITION_MATCH;
	return 0;
}
