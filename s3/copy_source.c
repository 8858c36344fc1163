/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/copy_source.c - x-amz-copy-source and its kin.
 *
 * Owns:       nothing; results live in the caller's arena.
 * Called by:  fcgi/ops.
 * Blocks:     no.
 * Source:     S3 API Reference, CopyObject, UploadPartCopy, RenameObject.
 */
#include "s3/copy_source.h"

#include "base/parse.h"
#include "s3/errors.h"
#include "s3/uri.h"

static int
bad_source(struct s3_problem *pr, const char *message, struct span header)
{
	return s3_problem_argument(pr, message, COPY_SOURCE_HEADER, header);
}

static bool
decode(struct arena *a, struct span s, struct span *out)
{
	char *p = arena_alloc(a, s.len + 1);
	ssize_t n = p == NULL ? -1 : uri_decode(s, true, p);

	if (n < 0 || memchr(p, '\0', (size_t)n) != NULL)
		return false;
	p[n] = '\0';
	*out = (struct span){ p, (size_t)n };
	return true;
}

/* What follows the "?", which an encoded key does not have. */
static int
parse_version(struct arena *a, struct span query, struct span header, struct copy_source_name *out, struct s3_problem *pr)
{
	static const char name[] = "versionId=";
	size_t n = sizeof(name) - 1;

	if (query.len < n || memcmp(query.p, name, n) != 0 || memchr(query.p, '&', query.len) != NULL)
		return bad_source(pr, "Unsupported copy source parameter.", header);
	if (query.len == n)
		return bad_source(pr, "Version id cannot be the empty string", header);
	if (!decode(a, (struct span){ query.p + n, query.len - n }, &out->version))
		return bad_source(pr, "Invalid version id specified", header);
	return 0;
}

int
copy_source_parse(struct arena *a, struct span header, struct copy_source_name *out, struct s3_problem *pr)
{
	struct span path = header, whole = { "", 0 };
	const char *mark = header.len == 0 ? NULL : memchr(header.p, '?', header.len), *slash;

	*out = (struct copy_source_name){ .version = { NULL, 0 } };
	if (mark != NULL)
		path.len = (size_t)(mark - path.p);
	if (!decode(a, path, &whole))
		return bad_source(pr, "Invalid copy source encoding", header);
	if (whole.len > 0 && whole.p[0] == '/')
		whole.p++, whole.len--;
	slash = whole.len == 0 ? NULL : memchr(whole.p, '/', whole.len);
	if (slash == NULL || slash == whole.p || slash + 1 == whole.p + whole.len)
		return bad_source(pr, "Invalid copy source object key", SPAN(COPY_SOURCE_HEADER)); /* so S3 has it */
	out->bucket = (struct span){ whole.p, (size_t)(slash - whole.p) };
	out->key = (struct span){ slash + 1, whole.len - out->bucket.len - 1 };
	return mark == NULL ? 0 :
	    parse_version(a, (struct span){ mark + 1, header.len - path.len - 1 }, header, out, pr);
}

int
rename_source_parse(struct arena *a, struct span header, struct span *key, struct s3_problem *pr)
{
	*key = SPAN("");
	if (decode(a, header.p == NULL ? SPAN("") : header, key) && key->len > 0 && key->p[0] == '/')
		key->p++, key->len--;
	return key->len > 0 ? 0 : s3_problem_argument(pr, "The source of a rename must be a key, URL-encoded", "x-amz-rename-source",
	    header.p == NULL ? SPAN("") : header);
}

int
copy_range_parse(struct span header, int64_t *first, int64_t *last, struct s3_problem *pr)
{
	static const char unit[] = "bytes=";
	struct span rest = header;
	const char *dash;

	if (rest.len > sizeof(unit) - 1 && memcmp(rest.p, unit, sizeof(unit) - 1) == 0) {
		rest.p += sizeof(unit) - 1;
		rest.len -= sizeof(unit) - 1;
		dash = memchr(rest.p, '-', rest.len);
		if (dash != NULL && parse_i64((struct span){ rest.p, (size_t)(dash - rest.p) }, 0, INT64_MAX, first) &&
		    parse_i64((struct span){ dash + 1, rest.len - (size_t)(dash - rest.p) - 1 }, 0, INT64_MAX, last) &&
		    *first <= *last)
			return 0;
	}
	return s3_problem_argument(pr,
	    "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based "
	    "offsets of the first and last bytes to copy",
	    COPY_SOURCE_HEADER "-range", header);
}

int
copy_directive(const struct s3_headers *headers, const char *name, bool *replace, struct s3_problem *pr)
{
	struct span v = s3_header_get(headers, name);

	*replace = span_eq(v, SPAN("REPLACE"));
	if (v.p == NULL || *replace || span_eq(v, SPAN("COPY")))
		return 0;
	return s3_problem_argument(pr, strstr(name, "tagging") != NULL ? "Unknown tagging directive." : "Unknown metadata directive.",
	    name, v);
}

int
copy_condition(const struct s3_headers *headers, const char *prefix, const struct condition_object *o, int64_t now_us,
    struct s3_problem *pr)
{
	static const struct {
		const char *header, *name, *of_copy;
	} kinds[] = {
		{ "if-match", "If-Match", COPY_SOURCE_HEADER "-If-Match" },
		{ "if-none-match", "If-None-Match", COPY_SOURCE_HEADER "-If-None-Match" },
		{ "if-modified-since", "If-Modified-Since", COPY_SOURCE_HEADER "-If-Modified-Since" },
		{ "if-unmodified-since", "If-Unmodified-Since", COPY_SOURCE_HEADER "-If-Unmodified-Since" },
	};
	struct s3_header as_read[ARRAY_LEN(kinds)];
	struct s3_headers hs = { as_read, 0 };
	struct s3_problem found = { 0 };
	char name[64];
	size_t which;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		struct span v;

		(void)snprintf(name, sizeof(name), "%s-%s", prefix, kinds[i].header);
		v = s3_header_get(headers, name);
		if (v.p != NULL)
			as_read[hs.n++] = (struct s3_header){ span_of(kinds[i].header), v };
	}
	if (hs.n == 0 || condition_read(&hs, o, now_us, &found) == 0)
		return 0;
	/* What would be 304 to a reader is a failed condition here. */
	if (found.code == S3_NotModified)
		which = s3_header_get(&hs, "if-none-match").p != NULL ? 1 : 2;
	else
		which = found.n_extra > 0 && span_eq(found.extra[0].value, SPAN("If-Match")) ? 0 : 3;
	s3_problem_set(pr, S3_PreconditionFailed, NULL);
	s3_problem_extra(pr, "Condition",
	    span_of(strcmp(prefix, COPY_SOURCE_HEADER) == 0 ? kinds[which].of_copy : kinds[which].name));
	return -1;
}
