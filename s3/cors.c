/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/cors.c - cross-origin rules, read, checked and met.
 *
 * Owns:      nothing; results live in the caller's arena.
 * Called by: fcgi/cors.c, fcgi/ops/bucket_config.c.
 * Source:    S3 API Reference, PutBucketCors; S3 User Guide, "How does Amazon S3
 *            evaluate the CORS configuration on a bucket?"; the Fetch standard.
 */
#include "s3/cors.h"

#include "base/parse.h"
#include "s3/bucket_config.h"
#include "s3/errors.h"
#include "s3/headers.h"

#define ID_MAX 255
#define LIST_MAX 16384 /* of a header that is answered */

static const struct xml_rule rules_rule[] = {
	{ "ID", 0, 1, NULL },
	{ "AllowedHeader", 0, 0, NULL },
	{ "AllowedMethod", 1, 0, NULL },
	{ "AllowedOrigin", 1, 0, NULL },
	{ "ExposeHeader", 0, 0, NULL },
	{ "MaxAgeSeconds", 0, 1, NULL },
	{ NULL, 0, 0, NULL },
};
static const struct xml_rule rules_cors[] = { { "CORSRule", 1, CORS_RULES_MAX, rules_rule }, { NULL, 0, 0, NULL } };
static const char *const methods[] = { "GET", "PUT", "POST", "DELETE", "HEAD", NULL };

/* ---- what may be stored ---- */

static size_t
stars(struct span s)
{
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++)
		n += s.p[i] == '*' ? 1 : 0;
	return n;
}

/* Of a header's name or an origin: nothing that would end a header's line or an element of a list. */
static bool
is_word(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.p[i] <= ' ' || s.p[i] == 0x7f || s.p[i] == ',')
			return false;
	return s.len > 0;
}

static int
check_words(struct arena *a, const struct xml_node *rule, const char *name, size_t stars_max, const char *refusal,
    struct s3_problem *pr)
{
	for (const struct xml_node *n = xml_child(rule, name); n != NULL; n = xml_again(n)) {
		if (!is_word(n->text))
			return s3_problem_set(pr, S3_MalformedXML, NULL);
		if (stars(n->text) > stars_max)
			return s3_problem_set(pr, S3_InvalidRequest,
			    arena_printf(a, "%s \"%.*s\" %s", name, (int)n->text.len, n->text.p, refusal));
	}
	return 0;
}

static int
check_rule(struct arena *a, const struct xml_node *rule, struct s3_problem *pr)
{
	static const char one_star[] = "can not have more than one wildcard.";
	struct span age = xml_at(rule, "MaxAgeSeconds");
	int64_t seconds;

	for (const struct xml_node *n = xml_child(rule, "AllowedMethod"); n != NULL; n = xml_again(n))
		if (!s3_config_word(n->text, methods))
			return s3_problem_set(pr, S3_InvalidRequest,
			    arena_printf(a, "Found unsupported HTTP method in CORS config. Unsupported method is %.*s",
				(int)n->text.len, n->text.p));
	if (check_words(a, rule, "AllowedOrigin", 1, one_star, pr) != 0 ||
	    check_words(a, rule, "AllowedHeader", 1, one_star, pr) != 0 ||
	    check_words(a, rule, "ExposeHeader", 0, "contains wildcard. We currently do not support wildcard for ExposeHeader.",
		pr) != 0)
		return -1;
	if (age.p != NULL && !parse_i64(s3_config_trim(age), 0, INT32_MAX, &seconds))
		return s3_problem_set(pr, S3_MalformedXML, NULL);
	if (xml_at(rule, "ID").len > ID_MAX)
		return s3_problem_set(pr, S3_InvalidArgument, "The ID of a CORS rule must be at most 255 characters.");
	return 0;
}

int
s3_cors_check(struct arena *a, struct span given, const char **stored, struct s3_problem *pr)
{
	const struct xml_node *root = s3_config_read(a, given, "CORSConfiguration", rules_cors, pr);

	if (root == NULL)
		return -1;
	for (const struct xml_node *rule = root->child; rule != NULL; rule = rule->next)
		if (check_rule(a, rule, pr) != 0)
			return -1;
	return s3_config_write(a, root, stored, pr);
}

/* ---- what a request meets ---- */

/* One star at most stands for any run of bytes. */
static bool
matches(struct span pattern, struct span s, bool fold)
{
	const char *star = memchr(pattern.p, '*', pattern.len);
	size_t head = star == NULL ? pattern.len : (size_t)(star - pattern.p);
	size_t tail = star == NULL ? 0 : pattern.len - head - 1;
	struct span first, last;

	if (star == NULL)
		return fold ? s3_ieq(pattern, s) : span_eq(pattern, s);
	if (s.len < head + tail)
		return false;
	first = (struct span){ s.p, head };
	last = (struct span){ s.p + s.len - tail, tail };
	if (fold)
		return s3_ieq((struct span){ pattern.p, head }, first) && s3_ieq((struct span){ star + 1, tail }, last);
	return span_eq((struct span){ pattern.p, head }, first) && span_eq((struct span){ star + 1, tail }, last);
}

/* The element whose pattern it is; NULL: none. */
static const struct xml_node *
find(const struct xml_node *rule, const char *name, struct span s, bool fold)
{
	for (const struct xml_node *n = xml_child(rule, name); n != NULL; n = xml_again(n))
		if (matches(n->text, s, fold))
			return n;
	return NULL;
}

static bool
headers_allowed(const struct xml_node *rule, struct span list)
{
	struct span name;

	while (list.p != NULL && s3_list_next(&list, ',', &name))
		if (find(rule, "AllowedHeader", name, true) == NULL)
			return false;
	return true;
}

static const char *
join(struct arena *a, const struct xml_node *rule, const char *name)
{
	struct strbuf sb;

	if (xml_child(rule, name) == NULL)
		return NULL;
	strbuf_init(&sb, a, LIST_MAX);
	for (const struct xml_node *n = xml_child(rule, name); n != NULL; n = xml_again(n)) {
		strbuf_str(&sb, sb.len == 0 ? "" : ", ");
		strbuf_span(&sb, n->text);
	}
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : NULL;
}

static const char *
lower_list(struct arena *a, struct span list)
{
	struct strbuf sb;
	struct span name;

	if (list.p == NULL)
		return NULL;
	strbuf_init(&sb, a, LIST_MAX);
	while (s3_list_next(&list, ',', &name)) {
		strbuf_str(&sb, sb.len == 0 ? "" : ", ");
		for (size_t i = 0; i < name.len; i++)
			strbuf_ch(&sb, name.p[i] >= 'A' && name.p[i] <= 'Z' ? (char)(name.p[i] + ('a' - 'A')) : name.p[i]);
	}
	return strbuf_ok(&sb) && sb.len > 0 ? strbuf_cstr(&sb) : NULL;
}

static void
answer(struct arena *a, const struct xml_node *rule, const struct xml_node *origin, const struct cors_request *rq,
    struct cors_answer *out)
{
	struct span age = xml_at(rule, "MaxAgeSeconds");
	bool any = span_eq(origin->text, SPAN("*"));

	*out = (struct cors_answer){
		.origin = any ? SPAN("*") : rq->origin,
		.credentials = !any,
		.methods = join(a, rule, "AllowedMethod"),
		.headers = lower_list(a, rq->headers),
		.expose = join(a, rule, "ExposeHeader"),
		.max_age_s = -1,
	};
	if (age.p != NULL && !parse_i64(s3_config_trim(age), 0, INT32_MAX, &out->max_age_s))
		out->max_age_s = -1;
}

bool
s3_cors_match(struct arena *a, const char *stored, const struct cors_request *rq, struct cors_answer *out)
{
	struct s3_problem pr = { 0 };
	const struct xml_node *root = s3_config_read(a, span_of(stored), "CORSConfiguration", rules_cors, &pr);

	for (const struct xml_node *rule = root == NULL ? NULL : root->child; rule != NULL; rule = rule->next) {
		const struct xml_node *origin = find(rule, "AllowedOrigin", rq->origin, false);

		if (origin == NULL || find(rule, "AllowedMethod", rq->method, false) == NULL ||
		    !headers_allowed(rule, rq->headers))
			continue;
		answer(a, rule, origin, rq, out);
		return true;
	}
	return false;
}
