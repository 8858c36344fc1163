/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/operations.c - the table of operations, and which one a request asks for.
 *
 * Owns:      nothing.
 * Called by: dispatch, after the target is parsed and before anything is decided.
 * Invariant: a subresource that is there is what the request is about; no row
 *            that does not name it can win.
 */
#include "s3/operations.h"

static const struct s3_operation operations[S3_OP_COUNT] = {
#define OP(name, method, level, query, header, handler, action, of_version,    \
    class, body, flags, doc)                                                   \
	{ #name, S3_METHOD_##method, S3_LEVEL_##level, query, header,          \
		#handler, action, of_version, S3_CLASS_##class, S3_BODY_##body,            \
		S3_OP_##flags, doc },
#include "s3/operations.def"
#undef OP
};

/* Parameters that ask for nothing by themselves: with or without a value they are no subresource. */
static const char *const plain_params[] = { "Action", "allow-unordered", "bucket-region",
	"continuation-token", "delimiter", "encoding-type", "fetch-owner", "id",
	"key-marker", "list-type", "marker", "max-buckets", "max-keys",
	"max-parts", "max-uploads", "part-number-marker", "partNumber", "prefix",
	"response-cache-control", "response-content-disposition",
	"response-content-encoding", "response-content-language",
	"response-content-type", "response-expires", "select-type", "start-after",
	"upload-id-marker", "version-id-marker", "versionId" };

const struct s3_operation *
s3_operation(enum s3_op op)
{
	ASSERT(op >= 0 && op < S3_OP_COUNT);
	return &operations[op];
}

const char *
s3_operation_action(enum s3_op op, bool of_version)
{
	const struct s3_operation *o = s3_operation(op);

	return of_version && o->of_version != NULL ? o->of_version : o->action;
}

bool
s3_operation_built(enum s3_op op)
{
	return strcmp(s3_operation(op)->handler, "op_not_implemented") != 0;
}

const char *
s3_operation_name(int op)
{
	return op >= 0 && op < S3_OP_COUNT ? operations[op].name : NULL;
}

enum s3_op
s3_operation_by_name(struct span name)
{
	for (int i = 0; i < S3_OP_COUNT; i++)
		if (span_eq(span_of(operations[i].name), name))
			return (enum s3_op)i;
	return OP_NONE;
}

static const char *const method_names[] = { "GET", "HEAD", "PUT", "POST",
	"DELETE", "OPTIONS" };

enum s3_method
s3_method_parse(struct span method)
{
	for (size_t i = 0; i < ARRAY_LEN(method_names); i++)
		if (span_eq(span_of(method_names[i]), method))
			return (enum s3_method)i;
	return S3_METHOD_OTHER;
}

const char *
s3_method_name(enum s3_method m)
{
	return m < S3_METHOD_OTHER ? method_names[m] : "OTHER";
}

/* The next term of "a&b=c": its name, and its value (p NULL = any). */
static bool
next_term(const char **cur, struct span *name, struct span *value)
{
	const char *p = *cur, *eq;
	size_t len;

	if (p == NULL || *p == '\0')
		return false;
	len = strcspn(p, "&");
	*cur = p[len] == '&' ? p + len + 1 : p + len;
	eq = memchr(p, '=', len);
	if (eq == NULL) {
		*name = (struct span){ p, len };
		*value = (struct span){ NULL, 0 };
	} else {
		*name = (struct span){ p, (size_t)(eq - p) };
		*value = (struct span){ eq + 1, (size_t)(p + len - eq - 1) };
	}
	return true;
}

static const struct s3_param *
find(const struct s3_query *q, struct span name)
{
	for (size_t i = 0; i < q->n; i++)
		if (span_eq(q->p[i].name, name))
			return &q->p[i];
	return NULL;
}

/* Does the first term of the row's query name this parameter, whatever its value? */
static bool
is_about(const struct s3_operation *o, struct span name)
{
	struct span first, value;
	const char *cur = o->query;

	return next_term(&cur, &first, &value) && value.p == NULL &&
	    span_eq(first, name);
}

static bool
is_subresource(struct span name)
{
	for (int i = 0; i < S3_OP_COUNT; i++)
		if (is_about(&operations[i], name))
			return true;
	return false;
}

/* Signatures in the query, and the name that some SDKs add for the reader of logs. */
static bool
is_ignored(struct span name)
{
	return s3_istarts(name, "x-amz-") || span_eq(name, SPAN("x-id"));
}

static bool
is_plain(struct span name)
{
	for (size_t i = 0; i < ARRAY_LEN(plain_params); i++)
		if (span_eq(span_of(plain_params[i]), name))
			return true;
	return false;
}

/*
 * A word alone ("?foo", "?foo="): this is how S3 writes subresources, so it asks
 * for something that we do not know. "?v2" and "?1700000000" are what pages
 * append to get past a browser's cache, and no subresource looks so.
 */
static bool
looks_like_subresource(const struct s3_param *p)
{
	if (p->value.len > 0 || p->name.len == 0)
		return false;
	for (size_t i = 0; i < p->name.len; i++) {
		char c = p->name.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			c == '-'))
			return false;
	}
	return true;
}

static int
conflict(struct arena *a, struct span one, struct span two,
    struct s3_problem *pr)
{
	return s3_problem_argument(pr,
	    arena_printf(a,
		"Conflicting query string parameters: %.*s, %.*s",
		(int)one.len, one.p, (int)two.len, two.p),
	    "ResourceType", one);
}

/* The one subresource that the request names; p NULL when it names none. */
static int
find_subresource(struct arena *a, const struct s3_query *q, struct span *out,
    struct s3_problem *pr)
{
	*out = (struct span){ NULL, 0 };
	for (size_t i = 0; i < q->n; i++) {
		const struct s3_param *p = &q->p[i];

		if (is_ignored(p->name) || is_plain(p->name))
			continue;
		if (is_subresource(p->name)) {
			if (out->p != NULL && !span_eq(*out, p->name))
				return conflict(a, *out, p->name, pr);
			*out = p->name;
		} else if (looks_like_subresource(p)) {
			s3_problem_set(pr, S3_NotImplemented,
			    "A query parameter you provided implies functionality that is not implemented");
			s3_problem_extra(pr, "QueryParameter", p->name);
			return -1;
		}
	}
	return 0;
}

/* How much of the request the row asks for; -1 when it does not fit. */
static int
score(const struct s3_operation *o, const struct s3_match *m)
{
	struct span name, value;
	const char *cur = o->query;
	int n = 0;

	while (next_term(&cur, &name, &value)) {
		const struct s3_param *p = find(m->query, name);

		if (p == NULL || (value.p != NULL && !span_eq(value, p->value)))
			return -1;
		n += 2;
	}
	if (o->header != NULL) {
		if (s3_header_get(m->headers, o->header).p == NULL)
			return -1;
		n++;
	}
	return n;
}

static const char *
level_name(enum s3_level level)
{
	return level == S3_LEVEL_SERVICE ? "SERVICE" :
	    level == S3_LEVEL_BUCKET     ? "BUCKET" :
					   "OBJECT";
}

static int
not_allowed(struct arena *a, const struct s3_match *m, struct span sub,
    struct s3_problem *pr)
{
	char *type = arena_strndup(a, sub.p == NULL ? "" : sub.p, sub.len);

	for (char *p = type; p != NULL && *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	s3_problem_set(pr, S3_MethodNotAllowed, NULL);
	s3_problem_extra(pr, "Method", m->method);
	s3_problem_extra(pr, "ResourceType",
	    span_of(type != NULL && *type != '\0' ? type : level_name(m->level)));
	return -1;
}

/* A row of this method and level wants another value of a parameter ("list-type=3"). */
static int
check_selectors(const struct s3_match *m, enum s3_method method,
    struct s3_problem *pr)
{
	const struct s3_param *p = find(m->query, SPAN("list-type"));

	if (p != NULL && method == S3_METHOD_GET &&
	    m->level == S3_LEVEL_BUCKET && !span_eq(p->value, SPAN("2")))
		return s3_problem_argument(pr,
		    "Invalid List Type specified in Request", "list-type",
		    p->value);
	p = find(m->query, SPAN("partNumber"));
	if (p != NULL && method == S3_METHOD_PUT &&
	    m->level == S3_LEVEL_OBJECT &&
	    find(m->query, SPAN("uploadId")) == NULL)
		return s3_problem_argument(pr,
		    "This operation does not accept a part number without an upload id.",
		    "partNumber", p->value);
	return 0;
}

static int
check_version(const struct s3_match *m, const struct s3_operation *o,
    struct s3_problem *pr)
{
	const struct s3_param *p = find(m->query, SPAN("versionId"));

	if (p == NULL || m->level != S3_LEVEL_OBJECT)
		return 0;
	if ((o->flags & S3_OP_VERSION) == 0)
		return s3_problem_argument(pr,
		    "This operation does not accept a version-id.",
		    "versionId", p->value);
	if (p->value.len == 0)
		return s3_problem_argument(pr,
		    "Version id cannot be the empty string", "versionId",
		    p->value);
	return 0;
}

/* A preflight asks about another method's request: its query is not its own. */
static int
match_preflight(struct arena *a, const struct s3_match *m, enum s3_op *out,
    struct s3_problem *pr)
{
	for (int i = 0; i < S3_OP_COUNT; i++)
		if (operations[i].method == S3_METHOD_OPTIONS &&
		    (operations[i].levels & (int)m->level) != 0) {
			*out = (enum s3_op)i;
			return 0;
		}
	return not_allowed(a, m, (struct span){ NULL, 0 }, pr);
}

int
s3_operation_match(struct arena *a, const struct s3_match *m, enum s3_op *out,
    struct s3_problem *pr)
{
	enum s3_method method = s3_method_parse(m->method);
	struct span sub = { NULL, 0 };
	int best = -1, best_score = -1;

	if (method == S3_METHOD_OPTIONS)
		return match_preflight(a, m, out, pr);
	if (m->query->n > 0 &&
	    (find_subresource(a, m->query, &sub, pr) != 0 ||
		check_selectors(m, method, pr) != 0))
		return -1;
	for (int i = 0; i < S3_OP_COUNT; i++) {
		const struct s3_operation *o = &operations[i];
		int n;

		if (o->method != method || (o->levels & (int)m->level) == 0 ||
		    (sub.p != NULL && !is_about(o, sub)))
			continue;
		n = score(o, m);
		if (n > best_score) {
			best = i;
			best_score = n;
		}
	}
	if (best < 0)
		return not_allowed(a, m, sub, pr);
	if (check_version(m, &operations[best], pr) != 0)
		return -1;
	*out = (enum s3_op)best;
	return 0;
}

void
s3_operation_allow(struct strbuf *sb, const struct s3_match *m)
{
	struct span sub = { NULL, 0 };
	unsigned seen = 0;

	for (size_t i = 0; i < m->query->n; i++)
		if (is_subresource(m->query->p[i].name))
			sub = m->query->p[i].name;
	for (int i = 0; i < S3_OP_COUNT; i++) {
		const struct s3_operation *o = &operations[i];

		if ((o->levels & (int)m->level) == 0 ||
		    (seen & 1u << o->method) != 0 ||
		    (o->method != S3_METHOD_OPTIONS &&
			(sub.p != NULL ? !is_about(o, sub) :
					 o->query != NULL)))
			continue;
		strbuf_str(sb, seen == 0 ? "" : ", ");
		strbuf_str(sb, s3_method_name(o->method));
		seen |= 1u << o->method;
	}
}
