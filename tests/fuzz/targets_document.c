/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/fuzz/targets_document.c - documents and what is asked of listings: XML,
 * policies, tokens.
 *
 * Called by:  fuzz.c.
 */
#include "tests/fuzz/fuzz.h"

#include "base/parse.h"
#include "s3/create_bucket.h"
#include "s3/listing.h"
#include "s3/policy.h"
#include "s3/xml.h"

/* What the writer escapes is what the reader gives back. (Characters that XML cannot hold are the reader's to refuse.) */
static void
escape_and_read(struct arena *a, struct span text)
{
	struct s3_problem pr = { 0 };
	const struct xml_node *n;
	struct strbuf sb;

	for (size_t i = 0; i < text.len; i++)
		if ((uint8_t)text.p[i] < ' ' && !xml_blank(text.p[i]))
			return;
	if (!utf8_valid(text) || memmem(text.p, text.len, "\xef\xbf", 2) != NULL)
		return;
	strbuf_init(&sb, a, 6 * text.len + 64);
	strbuf_str(&sb, "<a>");
	xml_escape(&sb, text);
	strbuf_str(&sb, "</a>");
	FUZZ_CHECK(strbuf_ok(&sb));
	n = xml_parse(a, (struct span){ sb.buf, sb.len }, "a", &XML_LIMITS_LISTS, &pr);
	FUZZ_CHECK(n == NULL ? sb.len > XML_LIMITS_LISTS.bytes || arena_overflowed(a) : span_eq(n->text, text));
}

static size_t
count(const struct xml_node *n, int depth)
{
	size_t all = 0;

	for (; n != NULL; n = n->next) {
		FUZZ_CHECK(depth <= XML_LIMITS_SMALL.depth);
		all += 1 + count(n->child, depth + 1);
	}
	return all;
}

void
fuzz_xml(struct arena *a, struct span in)
{
	static const struct xml_rule below[] = { { "c", 0, 0, NULL }, { NULL, 0, 0, NULL } };
	static const struct xml_rule rules[] = { { "b", 1, 2, below }, { "d", 0, 0, NULL }, { NULL, 0, 0, NULL } };
	struct s3_problem pr = { 0 };
	struct xml_node *n = xml_parse(a, in, NULL, &XML_LIMITS_SMALL, &pr);

	if (n == NULL)
		FUZZ_REFUSED(&pr);
	else {
		FUZZ_CHECK(count(n, 1) <= XML_LIMITS_SMALL.nodes);
		(void)xml_at(n, "b/c");
		(void)xml_attr(n, "type");
		if (xml_conforms(n, rules, &pr) == 0)
			FUZZ_CHECK(xml_child(n, "b") != NULL);
	}
	escape_and_read(a, in);
}

void
fuzz_create_bucket(struct arena *a, struct span in)
{
	struct s3_problem pr = { 0 };
	struct s3_create_bucket c;

	if (s3_create_bucket_parse(a, in, &c, &pr) != 0) {
		FUZZ_REFUSED(&pr);
		return;
	}
	FUZZ_CHECK(c.n_tags <= S3_BUCKET_TAGS_MAX);
	for (size_t i = 0; i < c.n_tags; i++)
		FUZZ_CHECK(utf8_valid(c.tags[i].key) && utf8_valid(c.tags[i].value));
}

static void
evaluate(struct arena *a, const struct policy *p, struct span key)
{
	static const char *const actions[] = { "s3:GetObject", "s3:PutBucketPolicy", "s3:ListBucket" };
	struct policy_principal who = { .owner_id = "c0ffee", .tenant = "acme", .app = "bob", .access_key = "AK" };
	struct policy_principal nobody = { .anonymous = true };
	struct policy_context c = { .n = 0 };

	policy_context_add(&c, "aws:SourceIp", SPAN("192.0.2.1"));
	policy_context_add(&c, "aws:username", SPAN("b*b"));
	policy_context_add(&c, "aws:CurrentTime", SPAN("2026-01-01T00:00:00Z"));
	policy_context_add(&c, "aws:SecureTransport", SPAN("true"));
	policy_context_add(&c, "s3:prefix", SPAN("abc"));
	policy_context_add(&c, "s3:prefix", key);
	policy_context_add(&c, "s3:max-keys", SPAN("9"));
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		struct policy_request rq = { actions[i], SPAN("bkt"), key, &who, &c };

		(void)policy_eval(a, p, &rq);
		rq.who = &nobody;
		(void)policy_eval(a, p, &rq);
	}
}

/* First line: a key; then the document. */
void
fuzz_policy(struct arena *a, struct span in)
{
	struct span key = fuzz_line(&in);
	struct s3_problem pr = { 0 };
	struct policy *p = policy_parse(a, in, POLICY_BUCKET, "bkt", &pr);

	if (p != NULL) {
		if (policy_check(p, &pr) != 0)
			FUZZ_REFUSED(&pr);
		(void)policy_is_public(p);
		evaluate(a, p, key);
	} else
		FUZZ_REFUSED(&pr);
	pr = (struct s3_problem){ 0 };
	p = policy_parse(a, in, POLICY_IDENTITY, NULL, &pr);
	if (p != NULL)
		evaluate(a, p, key);
	else
		FUZZ_REFUSED(&pr);
}

static void
token_comes_back(struct arena *a, struct span after)
{
	const char *token = list_token_encode(a, after);
	struct span got;

	if (token != NULL)
		FUZZ_CHECK(list_token_decode(a, span_of(token), &got) && span_eq(got, after));
}

static void
answer(struct arena *a, const struct list_params *p, struct span key)
{
	struct list_item item = { .key = key, .size = 1, .etag = "e", .storage_class = "STANDARD", .owner_id = "o" };
	struct list_end end = { .truncated = true, .next = key, .count = 1 };
	struct strbuf sb;
	size_t before;

	strbuf_init(&sb, a, 1 << 20);
	list_xml_begin(&sb, p, SPAN("bkt"), &end);
	before = sb.len;
	list_xml_item(&sb, p, &item);
	FUZZ_CHECK(sb.len - before <= LIST_ITEM_XML_MAX);
	list_xml_end(&sb);
	FUZZ_CHECK(strbuf_ok(&sb) || arena_overflowed(a));
}

/* First line: the query; the rest: a key and a token. */
void
fuzz_listing(struct arena *a, struct span in)
{
	struct span raw = fuzz_line(&in), after;
	struct s3_problem pr = { 0 };
	struct s3_query q;

	if (in.len <= S3_KEY_MAX && utf8_valid(in) && (in.len == 0 || memchr(in.p, '\0', in.len) == NULL)) {
		token_comes_back(a, in);
	}
	if (list_token_decode(a, in, &after))
		token_comes_back(a, after);
	if (s3_query_parse(a, raw, &q, &pr) != 0)
		return;
	for (int v2 = 0; v2 < 2; v2++) {
		struct list_params p;

		pr = (struct s3_problem){ 0 };
		if (list_params_parse(a, &q, v2 != 0, &p, &pr) != 0) {
			FUZZ_REFUSED(&pr);
			continue;
		}
		FUZZ_CHECK(p.max_keys >= 0 && p.max_keys <= LIST_MAX_KEYS);
		if (in.len <= S3_KEY_MAX && utf8_valid(in))
			answer(a, &p, in);
	}
	pr = (struct s3_problem){ 0 };
	{
		struct list_buckets_params p;

		if (list_buckets_params_parse(a, &q, &p, &pr) == 0)
			FUZZ_CHECK(p.max_buckets >= 0 && p.max_buckets <= LIST_MAX_BUCKETS);
		else
			FUZZ_REFUSED(&pr);
	}
}
