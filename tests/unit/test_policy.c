/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tests/unit/test_policy.c - policies, by rows: which are refused and why, what
 * each part matches, and what all of them together decide.
 */
#include "s3/operations.h"
#include "s3/policy.h"
#include "tests/unit/s3_help.h"

#define DOC(statements) "{\"Version\":\"2012-10-17\",\"Statement\":" statements "}"
#define ALLOW(more) DOC("[{\"Effect\":\"Allow\",\"Principal\":\"*\"," more "}]")
#define GET_ALL "\"Action\":\"s3:GetObject\",\"Resource\":\"arn:aws:s3:::bkt/*\""

/* ---- parsing: bucket policies of "bkt" ---- */

static const struct {
	const char *json, *want; /* "" = accepted, else the message */
} parses[] = {
	{ ALLOW(GET_ALL), "" },
	{ DOC("{\"Effect\":\"Deny\",\"Principal\":\"*\"," GET_ALL "}"), "" },
	{ "{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\"," GET_ALL "}}", "" },
	{ "{\"Version\":\"2008-10-17\",\"Id\":\"x\",\"Statement\":[{\"Sid\":\"1\",\"Effect\":\"Allow\","
	  "\"Principal\":{\"AWS\":[\"*\"]}," GET_ALL "}]}", "" },
	{ ALLOW("\"Action\":[\"s3:*\",\"S3:getobject\"],\"Resource\":[\"arn:aws:s3:::bkt\",\"arn:aws:s3:::bkt/*\"]"), "" },
	{ ALLOW("\"Action\":\"*\",\"Resource\":\"*\""), "" },
	{ ALLOW("\"NotAction\":\"s3:PutObject\",\"NotResource\":\"arn:aws:s3:::bkt/private/*\""), "" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::acme:user/bob\"}," GET_ALL "}]"), "" },
	{ ALLOW(GET_ALL ",\"Condition\":{\"Bool\":{\"aws:SecureTransport\":true},"
			"\"NumericLessThan\":{\"s3:max-keys\":10}}"), "" },
	{ ALLOW(GET_ALL ",\"Condition\":{}"), "" },
	{ "", "Policies must be valid JSON and the first byte must be '{'" },
	{ "[]", "Policies must be valid JSON and the first byte must be '{'" },
	{ " {}", "Policies must be valid JSON and the first byte must be '{'" },
	{ "{", "Policies must be valid JSON and the first byte must be '{'" },
	{ "{} x", "Policies must be valid JSON and the first byte must be '{'" },
	{ "{\"Version\":\"2012-10-17\",\"Version\":\"2012-10-17\"}",
	    "Policies must be valid JSON and the first byte must be '{'" },
	{ "{}", "Missing required field Statement" },
	{ DOC("[]"), "Could not parse the policy: Statement is empty!" },
	{ DOC("[1]"), "Invalid policy syntax." },
	{ DOC("\"x\""), "Invalid policy syntax." },
	{ "{\"Version\":\"2013-01-01\",\"Statement\":[]}", "The policy must contain a valid version string" },
	{ "{\"Version\":1,\"Statement\":[]}", "The policy must contain a valid version string" },
	{ "{\"Versio\":\"2012-10-17\",\"Statement\":[]}", "Unknown field Versio" },
	{ ALLOW(GET_ALL ",\"Foo\":1"), "Unknown field Foo" },
	{ DOC("[{\"Principal\":\"*\"," GET_ALL "}]"), "Missing required field Effect" },
	{ DOC("[{\"Effect\":\"allow\",\"Principal\":\"*\"," GET_ALL "}]"), "Invalid effect: allow" },
	{ DOC("[{\"Effect\":1,\"Principal\":\"*\"," GET_ALL "}]"), "Invalid effect: " },
	{ DOC("[{\"Effect\":\"Allow\"," GET_ALL "}]"), "Missing required field Principal" },
	{ ALLOW("\"Resource\":\"arn:aws:s3:::bkt\""), "Missing required field Action" },
	{ ALLOW("\"Action\":\"s3:GetObject\""), "Missing required field Resource" },
	{ ALLOW("\"Action\":\"s3:GetObject\",\"NotAction\":\"s3:PutObject\",\"Resource\":\"*\""), "Invalid policy syntax." },
	{ ALLOW("\"Action\":[],\"Resource\":\"*\""), "Policy statement must contain values, a list is empty" },
	{ ALLOW("\"Action\":[1],\"Resource\":\"*\""), "Invalid policy syntax." },
	{ ALLOW("\"Action\":{\"a\":1},\"Resource\":\"*\""), "Invalid policy syntax." },
	{ ALLOW("\"Action\":\"GetObject\",\"Resource\":\"*\""), "Policy has invalid action" },
	{ ALLOW("\"Action\":\"iam:CreateUser\",\"Resource\":\"*\""), "Policy has invalid action" },
	{ ALLOW("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::other/*\""), "Policy has invalid resource" },
	{ ALLOW("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt2\""), "Policy has invalid resource" },
	{ ALLOW("\"Action\":\"s3:*\",\"Resource\":\"bkt/*\""), "Policy has invalid resource" },
	{ ALLOW("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bk\""), "Policy has invalid resource" },
	{ ALLOW("\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::o*/*\""), "Policy has invalid resource" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":\"bob\"," GET_ALL "}]"), "Invalid principal in policy" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":{}," GET_ALL "}]"), "Invalid principal in policy" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:s3:::bkt\"}," GET_ALL "}]"),
	    "Invalid principal in policy" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":{\"AWS\":\"arn:aws:iam::acme:user/*\"}," GET_ALL "}]"),
	    "Invalid principal in policy" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":{\"Who\":\"*\"}," GET_ALL "}]"),
	    "Invalid principal type in policy: Who" },
	{ ALLOW(GET_ALL ",\"Condition\":[]"), "Invalid policy syntax." },
	{ ALLOW(GET_ALL ",\"Condition\":{\"StringEquals\":1}"), "Invalid policy syntax." },
	{ ALLOW(GET_ALL ",\"Condition\":{\"StringIs\":{\"s3:prefix\":\"a\"}}"), "Invalid Condition type : StringIs" },
	{ ALLOW(GET_ALL ",\"Condition\":{\"NullIfExists\":{\"s3:prefix\":\"true\"}}"),
	    "Invalid Condition type : NullIfExists" },
	{ ALLOW(GET_ALL ",\"Condition\":{\"StringEquals\":{\"prefix\":\"a\"}}"), "Policy has an invalid condition key" },
	{ ALLOW(GET_ALL ",\"Condition\":{\"StringEquals\":{\"s3:prefix\":[]}}"),
	    "Policy statement must contain values, a list is empty" },
	{ ALLOW(GET_ALL ",\"Condition\":{\"StringEquals\":{\"s3:prefix\":null}}"), "Invalid policy syntax." },
};

START_TEST(test_parse_row)
{
	struct s3_problem pr = { 0 };
	struct policy *p = policy_parse(arena, span_of(parses[_i].json), POLICY_BUCKET, "bkt", &pr);
	const char *got = p != NULL ? "" : pr.message != NULL ? pr.message : s3_error_find(pr.code)->message;

	ck_assert_msg(strcmp(got, parses[_i].want) == 0, "%s: want \"%s\", got \"%s\"", parses[_i].json, parses[_i].want, got);
	if (p == NULL)
		ck_assert_str_eq(help_code(&pr), "MalformedPolicy");
}
END_TEST

START_TEST(test_parse_identity)
{
	struct s3_problem pr = { 0 };

	ck_assert_ptr_nonnull(policy_parse(arena,
	    SPAN(DOC("[{\"Effect\":\"Allow\",\"Action\":[\"iam:*\",\"s3:*\"],\"Resource\":\"*\"}]")), POLICY_IDENTITY,
	    NULL, &pr));
	ck_assert_ptr_null(policy_parse(arena, SPAN(ALLOW(GET_ALL)), POLICY_IDENTITY, NULL, &pr));
	ck_assert_str_eq(pr.message, "Policy document should not specify a principal.");
}
END_TEST

START_TEST(test_parse_limits)
{
	char *big = arena_alloc(arena, POLICY_BYTES_MAX + 2);
	struct s3_problem pr = { 0 };
	struct strbuf sb;

	memset(big, ' ', POLICY_BYTES_MAX + 1);
	memcpy(big, ALLOW(GET_ALL), sizeof(ALLOW(GET_ALL)) - 1);
	ck_assert_ptr_nonnull(policy_parse(arena, (struct span){ big, POLICY_BYTES_MAX }, POLICY_BUCKET, "bkt", &pr));
	ck_assert_ptr_null(policy_parse(arena, (struct span){ big, POLICY_BYTES_MAX + 1 }, POLICY_BUCKET, "bkt", &pr));
	ck_assert_str_eq(help_code(&pr), "MalformedPolicy");
	/* As deep as it gets. */
	strbuf_init(&sb, arena, POLICY_BYTES_MAX);
	for (int i = 0; i < 4000; i++)
		strbuf_str(&sb, "{\"a\":");
	pr = (struct s3_problem){ 0 };
	ck_assert_ptr_null(policy_parse(arena, (struct span){ sb.buf, sb.len }, POLICY_BUCKET, "bkt", &pr));
	/* The arena's cap, at each allocation. */
	for (size_t cap = 64; cap < 2000; cap += 64) {
		struct arena *small = arena_new(cap);

		pr = (struct s3_problem){ 0 };
		if (policy_parse(small, SPAN(ALLOW(GET_ALL ",\"Condition\":{\"StringLike\":{\"s3:prefix\":[\"a\",\"b\"]}}")),
			POLICY_BUCKET, "bkt", &pr) == NULL)
			ck_assert_int_ne(pr.code, 0);
		arena_free(small);
	}
}
END_TEST

/* ---- what is refused when a policy is put: of a bucket "bkt" ---- */

#define NO_ACTION "Policy has invalid action"
#define NO_RESOURCE "Policy has invalid resource"
#define NO_MATCH "Action does not apply to any resource(s) in statement"
#define DO(action, resource) ALLOW("\"Action\":" action ",\"Resource\":" resource)
#define BKT "\"arn:aws:s3:::bkt\""
#define KEYS "\"arn:aws:s3:::bkt/*\""

static const struct {
	const char *json, *want;
} put[] = {
	{ DO("\"s3:GetObject\"", KEYS), "" },
	{ DO("\"s3:ListBucket\"", BKT), "" },
	{ DO("\"S3:LISTBUCKET\"", BKT), "" },
	{ DO("\"s3:*\"", BKT), "" },
	{ DO("\"*\"", KEYS), "" },
	{ DO("\"s3:ListBucket\"", "\"arn:aws:s3:::*\""), "" },
	{ DO("\"s3:GetObject\"", "[\"arn:aws:s3:::b?t/*\",\"arn:aws:s3:::bkt*\",\"arn:aws:s3:::*/*\"]"), "" },
	{ DO("\"s3:Get*\"", BKT), "" },
	{ DO("[\"s3:GetObject\",\"s3:ListBucket\"]", "[" BKT "," KEYS "]"), "" },
	{ DO("[\"s3:GetObject\",\"s3:ListBucket\"]", "\"arn:aws:s3:::bkt*\""), "" },
	{ DO("\"s3:GetObject\"", "\"arn:aws:s3:::bkt/${aws:username}/*\""), "" },
	{ ALLOW("\"NotAction\":\"s3:GetObject\",\"Resource\":" BKT), "" },
	{ ALLOW("\"Action\":\"s3:ListBucket\",\"NotResource\":" KEYS), "" },
	{ DO("\"s3:GetObjects\"", KEYS), NO_ACTION },
	{ DO("\"s3:\"", KEYS), NO_ACTION },
	{ DO("\"s3:Fly*\"", KEYS), NO_ACTION },
	{ DO("[\"s3:GetObject\",\"s3:Nothing\"]", KEYS), NO_ACTION },
	{ ALLOW("\"NotAction\":\"s3:Nothing\",\"Resource\":" KEYS), NO_ACTION },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::acme:root\"}," GET_ALL "}]"), "" },
	{ DOC("[{\"Effect\":\"Allow\",\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::acme:root\"}," GET_ALL "}]"),
	    "Allow with NotPrincipal is not allowed." },
	{ DO("\"s3:GetObject\"", "\"*\""), NO_RESOURCE },
	{ DO("\"s3:GetObject\"", BKT), NO_MATCH },
	{ DO("\"s3:ListBucket\"", KEYS), NO_MATCH },
	{ DO("\"s3:ListAllMyBuckets\"", BKT), NO_MATCH },
	{ DO("[\"s3:GetObject\",\"s3:ListBucket\"]", KEYS), NO_MATCH },
};

START_TEST(test_put_row)
{
	struct s3_problem pr = { 0 };
	struct policy *p = policy_parse(arena, span_of(put[_i].json), POLICY_BUCKET, "bkt", &pr);
	const char *got;

	ck_assert_msg(p != NULL, "%s: %s", put[_i].json, pr.message);
	got = policy_check(p, &pr) == 0 ? "" : pr.message;
	ck_assert_msg(strcmp(got, put[_i].want) == 0, "%s: want \"%s\", got \"%s\"", put[_i].json, put[_i].want, got);
}
END_TEST

/* Whatever the table of operations asks policies about, a policy can allow. */
START_TEST(test_every_action_can_be_put)
{
	for (int i = 0; i < S3_OP_COUNT; i++) {
		const struct s3_operation *op = s3_operation((enum s3_op)i);
		struct s3_problem pr = { 0 };
		const char *json;
		struct policy *p;

		if (strncmp(op->action, "s3:", 3) != 0 || strcmp(op->action, "s3:ListAllMyBuckets") == 0)
			continue;
		json = arena_printf(arena, DO("\"%s\"", "[" BKT "," KEYS "]"), op->action);
		p = policy_parse(arena, span_of(json), POLICY_BUCKET, "bkt", &pr);
		ck_assert_msg(p != NULL && policy_check(p, &pr) == 0, "%s of %s", op->action, op->name);
	}
}
END_TEST

/* ---- public or not ---- */

#define FOR(who, more) DOC("[{\"Effect\":\"Allow\"," who "," GET_ALL more "}]")
#define ALL "\"Principal\":\"*\""
#define IF(condition) ",\"Condition\":{" condition "}"

static const struct {
	const char *json;
	bool want;
} publics[] = {
	{ FOR(ALL, ""), true },
	{ FOR("\"Principal\":{\"AWS\":[\"arn:aws:iam::acme:root\",\"*\"]}", ""), true },
	{ FOR("\"NotPrincipal\":{\"AWS\":\"arn:aws:iam::acme:root\"}", ""), true },
	{ FOR("\"Principal\":{\"AWS\":\"arn:aws:iam::acme:root\"}", ""), false },
	{ FOR("\"Principal\":{\"Service\":\"logging.s3.amazonaws.com\"}", ""), false },
	{ DOC("[{\"Effect\":\"Deny\"," ALL "," GET_ALL "}]"), false },
	{ DOC("[{\"Effect\":\"Deny\"," ALL "," GET_ALL "},{\"Effect\":\"Allow\"," ALL "," GET_ALL "}]"), true },
	{ FOR(ALL, IF("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"192.0.2.1\"]}")), false },
	{ FOR(ALL, IF("\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}")), true },
	{ FOR(ALL, IF("\"IpAddress\":{\"aws:SourceIp\":[\"10.0.0.0/8\",\"128.0.0.0/1\"]}")), true },
	{ FOR(ALL, IF("\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/32\"}")), false },
	{ FOR(ALL, IF("\"IpAddress\":{\"aws:SourceIp\":\"2000::/3\"}")), true },
	{ FOR(ALL, IF("\"NotIpAddress\":{\"aws:SourceIp\":\"10.0.0.0/8\"}")), true },
	{ FOR(ALL, IF("\"StringEquals\":{\"aws:PrincipalAccount\":\"acme\"}")), false },
	{ FOR(ALL, IF("\"StringLike\":{\"aws:userid\":\"AIDA*\"}")), true },
	{ FOR(ALL, IF("\"StringEquals\":{\"aws:userid\":\"${aws:userid}\"}")), true },
	{ FOR(ALL, IF("\"StringEqualsIfExists\":{\"aws:PrincipalAccount\":\"acme\"}")), true },
	{ FOR(ALL, IF("\"StringEquals\":{\"s3:prefix\":\"a\"}")), true },
	{ FOR(ALL, IF("\"Bool\":{\"aws:SecureTransport\":\"true\"}")), true },
	{ FOR(ALL, IF("\"Bool\":{\"aws:SecureTransport\":\"true\"},\"StringEquals\":{\"aws:SourceAccount\":\"acme\"}")), false },
};

START_TEST(test_public_row)
{
	struct s3_problem pr = { 0 };
	struct policy *p = policy_parse(arena, span_of(publics[_i].json), POLICY_BUCKET, "bkt", &pr);

	ck_assert_msg(p != NULL, "%s: %s", publics[_i].json, pr.message);
	ck_assert_msg(policy_is_public(p) == publics[_i].want, "%s", publics[_i].json);
}
END_TEST

/* ---- wildcards ---- */

static const struct {
	const char *pattern, *text;
	bool want;
} wildcards[] = {
	{ "", "", true }, { "", "a", false }, { "*", "", true }, { "*", "anything/at all", true }, { "a*", "a", true },
	{ "a*", "ab", true }, { "a*", "ba", false }, { "*a", "ba", true }, { "*a", "ab", false }, { "a?c", "abc", true },
	{ "a?c", "ac", false }, { "?", "", false }, { "a*b*c", "aXbYc", true }, { "a*b*c", "aXbYcZ", false },
	{ "a*b*c", "abbbcc", true }, { "**", "x", true }, { "a**b", "ab", true }, { "*ab", "aab", true },
	{ "*/x/*", "a/x/b/x/c", true }, { "a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
	{ "A", "a", false }, { "[a]", "a", false },
};

START_TEST(test_wildcard_row)
{
	ck_assert_msg(policy_wildcard(span_of(wildcards[_i].pattern), span_of(wildcards[_i].text)) == wildcards[_i].want,
	    "%s %s", wildcards[_i].pattern, wildcards[_i].text);
}
END_TEST

/* ---- one policy, one request ---- */

static const struct policy_principal anonymous = { .anonymous = true };
static const struct policy_principal bob = { .owner_id = "c0ffee", .tenant = "acme", .app = "bob", .access_key = "AKBOB" };

/* The same app, assumed as a role. */
static const struct policy_principal session = { .owner_id = "c0ffee", .tenant = "acme", .app = "bob", .access_key = "AKBOB",
	.role_session = "night" };

static const struct policy_principal logging = { .service = "logging.s3.amazonaws.com" };

/* "key=value|key=value" */
static const struct policy_context *
context(const char *text)
{
	struct policy_context *c = arena_zalloc(arena, sizeof(*c));

	while (text != NULL && *text != '\0') {
		size_t len = strcspn(text, "|"), eq = strcspn(text, "=");

		policy_context_add(c, arena_strndup(arena, text, eq), (struct span){ text + eq + 1, len - eq - 1 });
		text += len + (text[len] == '|');
	}
	return c;
}

static const char *
effect(const char *json, enum policy_kind kind, const struct policy_principal *who, const char *action,
    const char *bucket, const char *key, const char *ctx)
{
	static const char *const names[] = { "none", "allow", "deny" };
	struct s3_problem pr = { 0 };
	struct policy_request rq = { action, span_of(bucket), span_of(key), who, context(ctx) };
	struct policy *p = policy_parse(arena, span_of(json), kind, NULL, &pr);

	ck_assert_msg(p != NULL, "%s: %s", json, pr.message);
	return names[policy_eval(arena, p, &rq)];
}

#define ST(effect, principal, action, resource) DOC("[{\"Effect\":\"" effect "\",\"Principal\":" principal \
	",\"Action\":" action ",\"Resource\":" resource "}]")
#define WHO(principal) ST("Allow", principal, "\"s3:*\"", "\"*\"")
#define ACT(action) ST("Allow", "\"*\"", action, "\"*\"")
#define RES(resource) ST("Allow", "\"*\"", "\"s3:*\"", resource)

static const struct {
	const char *json;
	const struct policy_principal *who;
	const char *action, *bucket, *key, *want;
} evals[] = {
	/* who */
	{ WHO("\"*\""), &anonymous, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("\"*\""), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"*\"}"), &anonymous, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("\"*\""), &logging, "s3:PutObject", "bkt", "k", "allow" },
	{ WHO("{\"Service\":[\"x.amazonaws.com\",\"logging.s3.amazonaws.com\"]}"), &logging, "s3:PutObject", "bkt", "k", "allow" },
	{ WHO("{\"Service\":\"logging.s3.amazonaws.com\"}"), &bob, "s3:PutObject", "bkt", "k", "none" },
	{ WHO("{\"Service\":\"logging.s3.amazonaws.com\"}"), &anonymous, "s3:PutObject", "bkt", "k", "none" },
	{ WHO("{\"Service\":\"cloudtrail.amazonaws.com\"}"), &logging, "s3:PutObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"acme\"}"), &logging, "s3:PutObject", "bkt", "k", "none" },
	{ WHO("{\"CanonicalUser\":\"c0ffee\"}"), &logging, "s3:PutObject", "bkt", "k", "none" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"Service\":\"logging.s3.amazonaws.com\"},\"Action\":\"s3:*\",\"Resource\":\"*\"}]"), &logging,
	    "s3:PutObject", "bkt", "k", "none" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"Service\":\"logging.s3.amazonaws.com\"},\"Action\":\"s3:*\",\"Resource\":\"*\"}]"), &bob,
	    "s3:PutObject", "bkt", "k", "deny" },
	{ WHO("{\"AWS\":\"acme\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"c0ffee\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"acme\"}"), &anonymous, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:root\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::c0ffee:root\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::other:root\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/bob\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/staff/bob\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/AKBOB\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/alice\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":[\"other\",\"arn:aws:iam::acme:user/bob\"]}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"CanonicalUser\":\"c0ffee\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"CanonicalUser\":\"acme\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"Service\":\"*\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"Service\":\"logging.s3.amazonaws.com\",\"AWS\":\"acme\"}"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"acme\"}," GET_ALL "}]"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"other\"}," GET_ALL "}]"), &bob, "s3:GetObject", "bkt", "k", "deny" },
	{ DOC("[{\"Effect\":\"Deny\",\"NotPrincipal\":{\"AWS\":\"acme\"}," GET_ALL "}]"), &anonymous, "s3:GetObject", "bkt", "k", "deny" },
	/* assumed */
	{ WHO("{\"AWS\":\"arn:aws:sts::acme:assumed-role/bob/night\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:sts::c0ffee:assumed-role/AKBOB/night\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:sts::acme:assumed-role/bob/day\"}"), &session, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:sts::acme:assumed-role/bob\"}"), &session, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:sts::other:assumed-role/bob/night\"}"), &session, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:sts::acme:assumed-role/bob/night\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:role/bob\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:role/path/AKBOB\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:role/bob\"}"), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:role/alice\"}"), &session, "s3:GetObject", "bkt", "k", "none" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:user/bob\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	{ WHO("{\"AWS\":\"arn:aws:iam::acme:root\"}"), &session, "s3:GetObject", "bkt", "k", "allow" },
	/* what */
	{ ACT("\"s3:GetObject\""), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ ACT("\"s3:GetObject\""), &bob, "s3:GetObjectAcl", "bkt", "k", "none" },
	{ ACT("\"S3:GETOBJECT\""), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ ACT("\"s3:Get*\""), &bob, "s3:GetObjectAcl", "bkt", "k", "allow" },
	{ ACT("\"s3:Get*\""), &bob, "s3:PutObject", "bkt", "k", "none" },
	{ ACT("\"s3:?etObject\""), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ ACT("\"*\""), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ ACT("[\"s3:PutObject\",\"s3:GetObject\"]"), &bob, "s3:GetObject", "bkt", "k", "allow" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"NotAction\":\"s3:Put*\",\"Resource\":\"*\"}]"), &bob,
	    "s3:GetObject", "bkt", "k", "allow" },
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"NotAction\":\"s3:Put*\",\"Resource\":\"*\"}]"), &bob,
	    "s3:PutObject", "bkt", "k", "none" },
	/* where */
	{ RES("\"arn:aws:s3:::bkt/*\""), &bob, "s3:GetObject", "bkt", "a/b", "allow" },
	{ RES("\"arn:aws:s3:::bkt/*\""), &bob, "s3:ListBucket", "bkt", "", "none" },
	{ RES("\"arn:aws:s3:::bkt\""), &bob, "s3:ListBucket", "bkt", "", "allow" },
	{ RES("\"arn:aws:s3:::bkt\""), &bob, "s3:GetObject", "bkt", "k", "none" },
	{ RES("\"arn:aws:s3:::bkt*\""), &bob, "s3:GetObject", "bkt2", "k", "allow" },
	{ RES("\"arn:aws:s3:::bkt/a/*\""), &bob, "s3:GetObject", "bkt", "b/a/c", "none" },
	{ RES("\"arn:aws:s3:::bkt/A\""), &bob, "s3:GetObject", "bkt", "a", "none" },
	{ RES("\"arn:aws:s3:::bkt/*.jpg\""), &bob, "s3:GetObject", "bkt", "x/y.jpg", "allow" },
	{ RES("\"arn:aws:s3:::bkt/a\\u002ab\""), &bob, "s3:GetObject", "bkt", "aXXb", "allow" },
	{ RES("\"arn:aws:s3:::bkt/${*}\""), &bob, "s3:GetObject", "bkt", "*", "allow" },
	{ RES("\"arn:aws:s3:::bkt/${*}\""), &bob, "s3:GetObject", "bkt", "x", "none" },
	{ RES("\"arn:aws:s3:::*\""), &bob, "s3:ListAllMyBuckets", "", "", "allow" },
	{ RES("\"*\""), &bob, "s3:ListAllMyBuckets", "", "", "allow" },
	{ RES("\"arn:aws:s3:::bkt\""), &bob, "s3:ListAllMyBuckets", "", "", "none" },
	{ DOC("[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"NotResource\":\"arn:aws:s3:::bkt/pub/*\"}]"),
	    &bob, "s3:GetObject", "bkt", "pub/x", "none" },
	{ DOC("[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"NotResource\":\"arn:aws:s3:::bkt/pub/*\"}]"),
	    &bob, "s3:GetObject", "bkt", "x", "deny" },
	/* several statements: the order does not matter, Deny wins */
	{ DOC("[{\"Effect\":\"Allow\",\"Principal\":\"*\"," GET_ALL "},{\"Effect\":\"Deny\",\"Principal\":\"*\"," GET_ALL "}]"),
	    &bob, "s3:GetObject", "bkt", "k", "deny" },
	{ DOC("[{\"Effect\":\"Deny\",\"Principal\":\"*\"," GET_ALL "},{\"Effect\":\"Allow\",\"Principal\":\"*\"," GET_ALL "}]"),
	    &bob, "s3:GetObject", "bkt", "k", "deny" },
};

START_TEST(test_eval_row)
{
	const char *got = effect(evals[_i].json, POLICY_BUCKET, evals[_i].who, evals[_i].action, evals[_i].bucket,
	    evals[_i].key, "");

	ck_assert_msg(strcmp(got, evals[_i].want) == 0, "%s %s %s/%s: want %s, got %s", evals[_i].json, evals[_i].action,
	    evals[_i].bucket, evals[_i].key, evals[_i].want, got);
}
END_TEST

/* ---- conditions: under Allow, and what the same gives under Deny ---- */

static const struct {
	const char *condition, *context;
	const char *allow, *deny;
} conds[] = {
#define Y "allow", "deny" /* it holds */
#define N "none", "none"  /* it does not */
#define U "none", "deny"  /* cannot be known: closed both ways */
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\"}}", "s3:prefix=a", Y },
	{ "{\"StringEquals\":{\"S3:PREFIX\":\"a\"}}", "s3:prefix=a", Y },
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\"}}", "s3:prefix=A", N },
	{ "{\"StringEquals\":{\"s3:prefix\":\"a*\"}}", "s3:prefix=ab", N },
	{ "{\"StringEquals\":{\"s3:prefix\":[\"a\",\"b\"]}}", "s3:prefix=b", Y },
	{ "{\"StringEquals\":{\"s3:prefix\":\"\"}}", "s3:prefix=", Y },
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\"}}", "", N },
	{ "{\"StringEqualsIfExists\":{\"s3:prefix\":\"a\"}}", "", Y },
	{ "{\"StringEqualsIfExists\":{\"s3:prefix\":\"a\"}}", "s3:prefix=b", N },
	{ "{\"StringNotEquals\":{\"s3:prefix\":\"a\"}}", "s3:prefix=b", Y },
	{ "{\"StringNotEquals\":{\"s3:prefix\":\"a\"}}", "s3:prefix=a", N },
	{ "{\"StringNotEquals\":{\"s3:prefix\":[\"a\",\"b\"]}}", "s3:prefix=b", N },
	{ "{\"StringNotEquals\":{\"s3:prefix\":\"a\"}}", "", Y },
	{ "{\"StringEqualsIgnoreCase\":{\"s3:prefix\":\"aB\"}}", "s3:prefix=Ab", Y },
	{ "{\"StringNotEqualsIgnoreCase\":{\"s3:prefix\":\"aB\"}}", "s3:prefix=Ab", N },
	{ "{\"StringLike\":{\"s3:prefix\":[\"x\",\"home/*\"]}}", "s3:prefix=home/bob/", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/?\"}}", "s3:prefix=home/bob", N },
	{ "{\"StringNotLike\":{\"aws:Referer\":\"http://e.org/*\"}}", "aws:Referer=http://e.org/x", N },
	{ "{\"StringNotLike\":{\"aws:Referer\":\"http://e.org/*\"}}", "", Y },
	{ "{\"ArnLike\":{\"aws:PrincipalArn\":\"arn:aws:iam::acme:user/*\"}}", "aws:PrincipalArn=arn:aws:iam::acme:user/bob", Y },
	{ "{\"Bool\":{\"aws:SecureTransport\":\"true\"}}", "aws:SecureTransport=true", Y },
	{ "{\"Bool\":{\"aws:SecureTransport\":true}}", "aws:SecureTransport=false", N },
	{ "{\"Bool\":{\"aws:SecureTransport\":\"False\"}}", "aws:SecureTransport=false", Y },
	{ "{\"Bool\":{\"aws:SecureTransport\":\"false\"}}", "", N },
	{ "{\"NumericEquals\":{\"s3:max-keys\":10}}", "s3:max-keys=10", Y },
	{ "{\"NumericEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=010", Y },
	{ "{\"NumericNotEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=11", Y },
	{ "{\"NumericLessThan\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=10", N },
	{ "{\"NumericLessThanEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=10", Y },
	{ "{\"NumericGreaterThan\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=11", Y },
	{ "{\"NumericGreaterThanEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=9", N },
	{ "{\"NumericLessThan\":{\"s3:max-keys\":\"ten\"}}", "s3:max-keys=9", U },
	{ "{\"NumericLessThan\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=x", U },
	{ "{\"NumericNotEquals\":{\"s3:max-keys\":\"10\"}}", "s3:max-keys=x", U },
	{ "{\"DateLessThan\":{\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"}}", "aws:CurrentTime=2025-12-31T23:59:59Z", Y },
	{ "{\"DateGreaterThan\":{\"aws:CurrentTime\":\"2026-01-01T00:00:00Z\"}}", "aws:CurrentTime=2025-12-31T23:59:59Z", N },
	{ "{\"DateGreaterThanEquals\":{\"aws:EpochTime\":\"1767225600\"}}", "aws:EpochTime=1767225600", Y },
	{ "{\"DateEquals\":{\"aws:CurrentTime\":\"2026-01-01\"}}", "aws:CurrentTime=2026-01-01T00:00:00Z", Y },
	{ "{\"DateLessThan\":{\"aws:CurrentTime\":\"soon\"}}", "aws:CurrentTime=2025-12-31T23:59:59Z", U },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}", "aws:SourceIp=192.0.2.77", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}", "aws:SourceIp=192.0.3.77", N },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.64/27\"}}", "aws:SourceIp=192.0.2.95", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.64/27\"}}", "aws:SourceIp=192.0.2.96", N },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.1\"}}", "aws:SourceIp=192.0.2.1", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}", "aws:SourceIp=192.0.2.1", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"0.0.0.0/0\"}}", "aws:SourceIp=2001:db8::1", N },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"::/0\"}}", "aws:SourceIp=192.0.2.1", N },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}}", "aws:SourceIp=2001:db8:7fff::1", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"2001:db8::/33\"}}", "aws:SourceIp=2001:db8:8000::1", N },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}", "aws:SourceIp=::ffff:192.0.2.9", Y },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/33\"}}", "aws:SourceIp=192.0.2.9", U },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"localhost\"}}", "aws:SourceIp=127.0.0.1", U },
	{ "{\"IpAddress\":{\"aws:SourceIp\":\"192.0.2.0/\"}}", "aws:SourceIp=192.0.2.9", U },
	{ "{\"NotIpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\",\"198.51.100.0/24\"]}}", "aws:SourceIp=198.51.100.1", N },
	{ "{\"NotIpAddress\":{\"aws:SourceIp\":[\"192.0.2.0/24\"]}}", "aws:SourceIp=203.0.113.5", Y },
	{ "{\"NotIpAddress\":{\"aws:SourceIp\":\"192.0.2.0/24\"}}", "aws:SourceIp=unix:", U },
	{ "{\"Null\":{\"aws:TokenIssueTime\":\"true\"}}", "", Y },
	{ "{\"Null\":{\"aws:TokenIssueTime\":true}}", "aws:TokenIssueTime=1", N },
	{ "{\"Null\":{\"aws:TokenIssueTime\":\"false\"}}", "aws:TokenIssueTime=1", Y },
	{ "{\"Null\":{\"aws:TokenIssueTime\":\"false\"}}", "", N },
	/* several operators, keys, values */
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:delimiter\":\"/\"}}", "s3:prefix=a|s3:delimiter=/", Y },
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\",\"s3:delimiter\":\"/\"}}", "s3:prefix=a|s3:delimiter=-", N },
	{ "{\"StringEquals\":{\"s3:prefix\":\"a\"},\"Bool\":{\"aws:SecureTransport\":\"true\"}}",
	    "s3:prefix=a|aws:SecureTransport=false", N },
	{ "{\"StringEquals\":{\"s3:prefix\":\"b\"},\"NumericLessThan\":{\"s3:max-keys\":\"x\"}}", "s3:prefix=a|s3:max-keys=1", N },
	{ "{\"ForAnyValue:StringEquals\":{\"s3:t\":[\"a\",\"b\"]}}", "s3:t=x|s3:t=b", Y },
	{ "{\"ForAnyValue:StringEquals\":{\"s3:t\":[\"a\",\"b\"]}}", "s3:t=x|s3:t=y", N },
	{ "{\"ForAnyValue:StringEquals\":{\"s3:t\":\"a\"}}", "", N },
	{ "{\"ForAllValues:StringEquals\":{\"s3:t\":[\"a\",\"b\"]}}", "s3:t=a|s3:t=b", Y },
	{ "{\"ForAllValues:StringEquals\":{\"s3:t\":[\"a\",\"b\"]}}", "s3:t=a|s3:t=c", N },
	{ "{\"ForAllValues:StringEquals\":{\"s3:t\":\"a\"}}", "", Y },
	{ "{\"ForAllValues:StringNotLike\":{\"s3:t\":\"a*\"}}", "s3:t=b|s3:t=ab", N },
	{ "{\"ForAnyValue:StringNotEquals\":{\"s3:t\":\"a\"}}", "s3:t=a|s3:t=b", Y },
	/* variables */
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", "s3:prefix=home/bob/x|aws:username=bob", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", "s3:prefix=home/eve/x|aws:username=bob", N },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", "s3:prefix=home/eve/x|aws:username=*", N },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", "s3:prefix=home/*/x|aws:username=*", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username}/*\"}}", "s3:prefix=home//x", U },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username, 'all'}/*\"}}", "s3:prefix=home/all/x", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"home/${aws:username, all}/*\"}}", "s3:prefix=home/all/x", U },
	{ "{\"StringEquals\":{\"s3:prefix\":\"${aws:username}\"}}", "s3:prefix=bob|aws:username=bob", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"a${?}b${$}c\"}}", "s3:prefix=a?b$c", Y },
	{ "{\"StringLike\":{\"s3:prefix\":\"a${?}b\"}}", "s3:prefix=axb", N },
	{ "{\"StringLike\":{\"s3:prefix\":\"a${\"}}", "s3:prefix=a${", Y },
};

START_TEST(test_condition_row)
{
	const char *allow = arena_printf(arena, ALLOW(GET_ALL ",\"Condition\":%s"), conds[_i].condition);
	const char *deny = arena_printf(arena, DOC("[{\"Effect\":\"Deny\",\"Principal\":\"*\"," GET_ALL ",\"Condition\":%s}]"),
	    conds[_i].condition);
	const char *a = effect(allow, POLICY_BUCKET, &bob, "s3:GetObject", "bkt", "k", conds[_i].context);
	const char *d = effect(deny, POLICY_BUCKET, &bob, "s3:GetObject", "bkt", "k", conds[_i].context);

	ck_assert_msg(strcmp(a, conds[_i].allow) == 0, "%s with %s: want %s, got %s", conds[_i].condition,
	    conds[_i].context, conds[_i].allow, a);
	ck_assert_msg(strcmp(d, conds[_i].deny) == 0, "%s with %s: want %s, got %s", conds[_i].condition,
	    conds[_i].context, conds[_i].deny, d);
}
END_TEST

START_TEST(test_variables_need_their_version)
{
	const char *old = "{\"Version\":\"2008-10-17\",\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\","
			  "\"Action\":\"s3:*\",\"Resource\":\"arn:aws:s3:::bkt/${aws:username}\"}}";

	ck_assert_str_eq(effect(old, POLICY_BUCKET, &bob, "s3:GetObject", "bkt", "bob", "aws:username=bob"), "none");
	ck_assert_str_eq(effect(old, POLICY_BUCKET, &bob, "s3:GetObject", "bkt", "${aws:username}", ""), "allow");
}
END_TEST

START_TEST(test_context_overflow_is_closed)
{
	struct policy_context *c = arena_zalloc(arena, sizeof(*c));
	struct s3_problem pr = { 0 };
	struct policy_request rq = { "s3:GetObject", SPAN("bkt"), SPAN("k"), &bob, c };
	struct policy *p = policy_parse(arena,
	    SPAN(DOC("[{\"Effect\":\"Deny\",\"Principal\":\"*\"," GET_ALL ",\"Condition\":{\"StringEquals\":{\"s3:last\":\"x\"}}}]")),
	    POLICY_BUCKET, "bkt", &pr);

	for (int i = 0; i < POLICY_CONTEXT_MAX; i++)
		policy_context_add(c, "s3:some", SPAN("v"));
	policy_context_add(c, "s3:absent", (struct span){ NULL, 0 });
	ck_assert_int_eq(policy_eval(arena, p, &rq), POLICY_NONE);
	for (int i = 0; i < 100; i++)
		policy_context_add(c, "s3:last", SPAN("x"));
	ck_assert_int_eq(policy_eval(arena, p, &rq), POLICY_DENY);
}
END_TEST

/* ---- all together ---- */

#define ID_GET DOC("[{\"Effect\":\"Allow\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"}]")
#define ID_NOGET DOC("[{\"Effect\":\"Deny\",\"Action\":\"s3:Get*\",\"Resource\":\"*\"}]")
#define ID_PUT DOC("[{\"Effect\":\"Allow\",\"Action\":\"s3:Put*\",\"Resource\":\"*\"}]")
#define NOTHING ""
#define B_ALL WHO("\"*\"")
#define B_BOB WHO("{\"AWS\":\"arn:aws:iam::acme:user/bob\"}")
#define B_ACME WHO("{\"AWS\":\"arn:aws:iam::acme:root\"}")
#define B_DENY ST("Deny", "\"*\"", "\"s3:*\"", "\"*\"")

static const struct {
	bool owner;
	const struct policy_principal *who;
	const char *identity[2]; /* NULL: full access; NOTHING: policies decide, and it has none */
	const char *bucket;
	const char *action;
	bool want;
	const char *session; /* a session's policy, NULL: none */
} cases[] = {
	/* the owner */
	{ true, &bob, { NULL }, NULL, "s3:GetObject", true, NULL },
	{ true, &bob, { NULL }, B_DENY, "s3:GetObject", false, NULL },
	{ true, &bob, { NULL }, B_DENY, "s3:PutBucketPolicy", true, NULL },
	{ true, &bob, { NULL }, B_DENY, "s3:DeleteBucketPolicy", true, NULL },
	{ true, &bob, { NULL }, B_DENY, "s3:DeleteBucket", false, NULL },
	{ true, &bob, { ID_GET }, NULL, "s3:GetObject", true, NULL },
	{ true, &bob, { ID_GET }, NULL, "s3:PutObject", false, NULL },
	{ true, &bob, { ID_GET, ID_PUT }, NULL, "s3:PutObject", true, NULL },
	{ true, &bob, { ID_GET, ID_NOGET }, NULL, "s3:GetObject", false, NULL },
	{ true, &bob, { ID_GET }, B_DENY, "s3:GetObject", false, NULL },
	{ true, &bob, { ID_GET }, B_DENY, "s3:GetBucketPolicy", false, NULL },
	{ true, &bob, { ID_PUT }, B_BOB, "s3:GetObject", true, NULL },
	{ true, &bob, { ID_PUT }, B_ALL, "s3:GetObject", true, NULL },
	{ true, &bob, { ID_PUT }, B_ACME, "s3:GetObject", false, NULL },
	{ true, &bob, { ID_NOGET }, B_BOB, "s3:GetObject", false, NULL },
	{ true, &bob, { NOTHING }, NULL, "s3:GetObject", false, NULL },
	{ true, &bob, { NOTHING }, NULL, "s3:PutBucketPolicy", false, NULL },
	{ true, &bob, { NOTHING }, B_ACME, "s3:GetObject", false, NULL },
	{ true, &bob, { NOTHING }, B_BOB, "s3:GetObject", true, NULL },
	{ true, &bob, { NOTHING }, B_DENY, "s3:PutBucketPolicy", false, NULL },
	/* another tenant */
	{ false, &bob, { NOTHING }, B_BOB, "s3:GetObject", false, NULL },
	{ false, &bob, { NULL }, NULL, "s3:GetObject", false, NULL },
	{ false, &bob, { NULL }, B_ALL, "s3:GetObject", true, NULL },
	{ false, &bob, { NULL }, B_BOB, "s3:GetObject", true, NULL },
	{ false, &bob, { NULL }, B_ACME, "s3:GetObject", true, NULL },
	{ false, &bob, { NULL }, B_DENY, "s3:PutBucketPolicy", false, NULL },
	{ false, &bob, { ID_GET }, NULL, "s3:GetObject", false, NULL },
	{ false, &bob, { ID_GET }, B_ACME, "s3:GetObject", true, NULL },
	{ false, &bob, { ID_PUT }, B_ACME, "s3:GetObject", false, NULL },
	{ false, &bob, { ID_PUT }, B_BOB, "s3:GetObject", false, NULL },
	{ false, &bob, { ID_NOGET }, B_ALL, "s3:GetObject", false, NULL },
	/* nobody */
	{ false, &anonymous, { NULL }, NULL, "s3:GetObject", false, NULL },
	{ false, &anonymous, { NULL }, B_ALL, "s3:GetObject", true, NULL },
	{ false, &anonymous, { NULL }, B_ACME, "s3:GetObject", false, NULL },
	{ false, &anonymous, { NULL }, B_DENY, "s3:GetObject", false, NULL },
	{ true, &anonymous, { NULL }, NULL, "s3:GetObject", false, NULL },
	{ true, &anonymous, { NULL }, B_DENY, "s3:PutBucketPolicy", false, NULL },
	/* what needs no permission */
	{ false, &anonymous, { NULL }, B_DENY, "", true, NULL },
	/* a session's policy narrows, whatever else allows */
	{ true, &session, { NULL }, NULL, "s3:GetObject", true, ID_GET },
	{ true, &session, { NULL }, NULL, "s3:PutObject", false, ID_GET },
	{ true, &session, { NULL }, B_ALL, "s3:PutObject", false, ID_GET },
	{ true, &session, { NULL }, B_DENY, "s3:PutBucketPolicy", false, ID_GET },
	{ true, &session, { NULL }, NULL, "s3:GetObject", false, ID_NOGET },
	{ true, &session, { ID_PUT }, NULL, "s3:GetObject", false, ID_GET },
	{ true, &session, { ID_GET }, NULL, "s3:GetObject", true, ID_GET },
	{ true, &session, { ID_GET }, NULL, "s3:GetObject", false, ID_PUT },
	{ true, &session, { NOTHING }, NULL, "s3:GetObject", false, ID_GET },
	{ false, &session, { NULL }, B_ALL, "s3:GetObject", true, ID_GET },
	{ false, &session, { NULL }, B_ALL, "s3:PutObject", false, ID_GET },
	{ false, &session, { NULL }, NULL, "s3:GetObject", false, ID_GET },
};

START_TEST(test_case_row)
{
	const struct policy *identity[2] = { NULL, NULL };
	struct policy_case c = { .is_owner = cases[_i].owner, .full_access = cases[_i].identity[0] == NULL,
		.identity = identity };
	struct policy_request rq = { cases[_i].action, SPAN("bkt"), SPAN("k"), cases[_i].who, context("") };
	struct s3_problem pr = { 0 };
	enum policy_effect why;
	bool got;

	while (c.n_identity < 2 && cases[_i].identity[c.n_identity] != NULL && cases[_i].identity[c.n_identity][0] != '\0') {
		identity[c.n_identity] = policy_parse(arena, span_of(cases[_i].identity[c.n_identity]), POLICY_IDENTITY,
		    NULL, &pr);
		ck_assert_ptr_nonnull(identity[c.n_identity]);
		c.n_identity++;
	}
	if (cases[_i].bucket != NULL) {
		c.bucket = policy_parse(arena, span_of(cases[_i].bucket), POLICY_BUCKET, "bkt", &pr);
		ck_assert_ptr_nonnull(c.bucket);
	}
	if (cases[_i].session != NULL) {
		c.session = policy_parse(arena, span_of(cases[_i].session), POLICY_IDENTITY, NULL, &pr);
		ck_assert_ptr_nonnull(c.session);
	}
	got = policy_allowed(arena, &c, &rq, &why);
	ck_assert_msg(got == cases[_i].want, "row %d: got %d", _i, got);
	if (got)
		ck_assert_int_eq(why, POLICY_ALLOW);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, help_begin, help_end);
	tcase_add_loop_test(t, test_parse_row, 0, ARRAY_LEN(parses));
	tcase_add_test(t, test_parse_identity);
	tcase_add_test(t, test_parse_limits);
	tcase_add_loop_test(t, test_put_row, 0, ARRAY_LEN(put));
	tcase_add_test(t, test_every_action_can_be_put);
	tcase_add_loop_test(t, test_public_row, 0, ARRAY_LEN(publics));
	tcase_add_loop_test(t, test_wildcard_row, 0, ARRAY_LEN(wildcards));
	tcase_add_loop_test(t, test_eval_row, 0, ARRAY_LEN(evals));
	tcase_add_loop_test(t, test_condition_row, 0, ARRAY_LEN(conds));
	tcase_add_test(t, test_variables_need_their_version);
	tcase_add_test(t, test_context_overflow_is_closed);
	tcase_add_loop_test(t, test_case_row, 0, ARRAY_LEN(cases));
	suite_add_tcase(s, t);
	return suite_run(s);
}
