/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/policy_eval.c - does a policy allow or deny this request.
 *
 * Owns:      nothing; patterns with variables are put together in the arena.
 * Invariant: UNKNOWN (what cannot be compared) never turns into an Allow, and
 *            turns into a Deny where a Deny depends on it.
 * Cost:      at most the policy's bytes times the key's; a policy without
 *            variables allocates the resource's name and nothing else.
 * Source:    IAM User Guide, "Policy evaluation logic" and "Condition operators".
 */
#include "s3/policy_internal.h"

#include <arpa/inet.h>

#include "base/parse.h"
#include "base/strbuf.h"
#include "s3/date.h"
#include "s3/headers.h"

#define EXPANDED_MAX 4096
#define OWNER_ID_LEN 64
#define SECONDS_MAX ((int64_t)1 << 40)

enum truth { NO, YES, UNKNOWN };

/* Who a statement speaks of: the tenant as a whole is less than an app by name. */
enum reach { REACH_NONE, REACH_ACCOUNT, REACH_DIRECT };

struct eval {
	struct arena *arena;
	const struct policy *policy;
	const struct policy_request *rq;
	struct span resource; /* arn:aws:s3:::bucket/key */
};

/* ---- wildcards and variables ---- */

struct pattern {
	struct span text;
	const char *literal; /* '1' where a byte stands for itself; NULL: nowhere */
};

static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
is_star(const struct pattern *p, size_t i)
{
	return p->text.p[i] == '*' &&
	    (p->literal == NULL || p->literal[i] != '1');
}

static bool
one_fits(const struct pattern *p, size_t i, char c, bool nocase)
{
	char want = p->text.p[i];

	if (want == '?' && (p->literal == NULL || p->literal[i] != '1'))
		return true;
	return nocase ? lower(want) == lower(c) : want == c;
}

/* Goes back to the last star only: at most pattern times text. */
static bool
wildcard(const struct pattern *p, struct span s, bool nocase)
{
	size_t pi = 0, si = 0, star = SIZE_MAX, from = 0;

	while (si < s.len) {
		if (pi < p->text.len && is_star(p, pi)) {
			star = pi++;
			from = si;
		} else if (pi < p->text.len &&
		    one_fits(p, pi, s.p[si], nocase)) {
			pi++;
			si++;
		} else if (star != SIZE_MAX) {
			pi = star + 1;
			si = ++from;
		} else {
			return false;
		}
	}
	while (pi < p->text.len && is_star(p, pi))
		pi++;
	return pi == p->text.len;
}

bool
policy_wildcard(struct span pattern, struct span s)
{
	struct pattern p = { pattern, NULL };

	return wildcard(&p, s, false);
}

bool
policy_action_fits(struct span pattern, struct span action)
{
	struct pattern p = { pattern, NULL };

	return wildcard(&p, action, true);
}

/* The first value of a key; p NULL when there is none. */
static struct span
context_get(const struct policy_context *c, struct span key)
{
	for (size_t i = 0; c != NULL && i < c->n && i < POLICY_CONTEXT_MAX; i++)
		if (s3_ieq(span_of(c->v[i].key), key))
			return c->v[i].value;
	return (struct span){ NULL, 0 };
}

/* "key" or "key, 'default'" between ${ and }. p NULL: it has no value. */
static struct span
variable(const struct eval *e, struct span s)
{
	const char *comma = memchr(s.p, ',', s.len);
	struct span key = s, value;

	if (s.len == 1 && strchr("*?$", s.p[0]) != NULL)
		return s;
	if (comma != NULL)
		key.len = (size_t)(comma - s.p);
	value = context_get(e->rq->context, s3_trim(key));
	if (value.p == NULL && comma != NULL) {
		value = s3_trim((struct span){ comma + 1,
		    s.len - (size_t)(comma + 1 - s.p) });
		if (value.len >= 2 && value.p[0] == '\'' &&
		    value.p[value.len - 1] == '\'')
			return (struct span){ value.p + 1, value.len - 2 };
		return (struct span){ NULL, 0 };
	}
	return value;
}

static const char *
find_variable(struct span s, size_t from)
{
	for (size_t i = from; i + 1 < s.len; i++)
		if (s.p[i] == '$' && s.p[i + 1] == '{')
			return s.p + i;
	return NULL;
}

/* Puts values in place of ${...}: they stand for themselves, stars and all. */
static enum truth
expand(const struct eval *e, struct span s, struct pattern *out)
{
	struct strbuf text, literal;
	size_t at = 0;

	*out = (struct pattern){ s, NULL };
	if (!e->policy->variables || find_variable(s, 0) == NULL)
		return YES;
	strbuf_init(&text, e->arena, EXPANDED_MAX);
	strbuf_init(&literal, e->arena, EXPANDED_MAX);
	while (at < s.len) {
		const char *var = find_variable(s, at);
		const char *end = var == NULL ? NULL :
						memchr(var, '}',
						    s.len - (size_t)(var - s.p));
		size_t plain = end == NULL ? s.len : (size_t)(var - s.p);
		struct span value;

		for (; at < plain; at++) {
			strbuf_ch(&text, s.p[at]);
			strbuf_ch(&literal, '0');
		}
		if (end == NULL)
			break;
		value = variable(e,
		    (struct span){ var + 2, (size_t)(end - var - 2) });
		if (value.p == NULL)
			return UNKNOWN;
		strbuf_span(&text, value);
		for (size_t i = 0; i < value.len; i++)
			strbuf_ch(&literal, '1');
		at = (size_t)(end + 1 - s.p);
	}
	if (!strbuf_ok(&text) || !strbuf_ok(&literal))
		return UNKNOWN;
	out->text = (struct span){ strbuf_cstr(&text), text.len };
	out->literal = strbuf_cstr(&literal);
	return YES;
}

/* ---- who, what, where ---- */

/* T of arn:aws:iam::T:rest and arn:aws:sts::T:rest; false when the form is another. */
static bool
split_arn(struct span v, struct span *account, struct span *rest)
{
	static const char head[] = "arn:aws:iam::", sts[] = "arn:aws:sts::";
	const char *colon;

	if (v.len < sizeof(head) - 1 || (memcmp(v.p, head, sizeof(head) - 1) != 0 && memcmp(v.p, sts, sizeof(sts) - 1) != 0))
		return false;
	v.p += sizeof(head) - 1;
	v.len -= sizeof(head) - 1;
	colon = memchr(v.p, ':', v.len);
	if (colon == NULL)
		return false;
	*account = (struct span){ v.p, (size_t)(colon - v.p) };
	*rest = (struct span){ colon + 1, v.len - (size_t)(colon + 1 - v.p) };
	return true;
}

static bool
same(struct span s, const char *text)
{
	return text != NULL && *text != '\0' && span_eq(s, span_of(text));
}

/* A name that has the form of a canonical id is not taken for one. */
static bool
is_account(const struct policy_principal *who, struct span account)
{
	return same(account, who->owner_id) ||
	    (account.len != OWNER_ID_LEN && same(account, who->tenant));
}

/* Does `s` begin with the word? Then it is taken off. */
static bool
take_word(struct span *s, const char *word)
{
	size_t len = strlen(word);

	if (s->len <= len || memcmp(s->p, word, len) != 0)
		return false;
	s->p += len;
	s->len -= len;
	return true;
}

static bool
is_app(const struct policy_principal *who, struct span name)
{
	return same(name, who->app) || same(name, who->access_key);
}

/* NAME/SESSION of an assumed role. */
static bool
is_role_session(const struct policy_principal *who, struct span s)
{
	const char *slash = memchr(s.p, '/', s.len);

	return slash != NULL && is_app(who, (struct span){ s.p, (size_t)(slash - s.p) }) &&
	    same((struct span){ slash + 1, s.len - (size_t)(slash + 1 - s.p) }, who->role_session);
}

static enum reach
aws_reach(const struct policy_principal *who, struct span v)
{
	struct span account, rest;

	if (!split_arn(v, &account, &rest))
		return is_account(who, v) ? REACH_ACCOUNT : REACH_NONE;
	if (!is_account(who, account))
		return REACH_NONE;
	if (span_eq(rest, SPAN("root")))
		return REACH_ACCOUNT;
	if (take_word(&rest, "assumed-role/"))
		return who->role_session != NULL && is_role_session(who, rest) ? REACH_DIRECT : REACH_NONE;
	/* Whoever assumed the app is the app, too: what is denied to it as a user is denied to its sessions. */
	if (take_word(&rest, "user/") || (who->role_session != NULL && take_word(&rest, "role/"))) {
		struct span name = rest;

		/* A path before the name is only for the reader. */
		for (size_t i = name.len; i > 0; i--)
			if (name.p[i - 1] == '/') {
				name.p += i;
				name.len -= i;
				break;
			}
		if (is_app(who, name))
			return REACH_DIRECT;
	}
	return REACH_NONE;
}

static enum reach
row_reach(const struct policy_principal *who,
    const struct policy_principal_row *row)
{
	switch (row->kind) {
	case POLICY_WHO_ANYONE:
		return REACH_DIRECT;
	case POLICY_WHO_AWS:
		return who->anonymous ? REACH_NONE : aws_reach(who, row->value);
	case POLICY_WHO_CANONICAL:
		return !who->anonymous && same(row->value, who->owner_id) ?
		    REACH_ACCOUNT :
		    REACH_NONE;
	case POLICY_WHO_SERVICE:
		return same(row->value, who->service) ? REACH_DIRECT : REACH_NONE;
	case POLICY_WHO_NOBODY:
	default:
		return REACH_NONE;
	}
}

static enum reach
principal_reach(const struct eval *e, const struct policy_statement *st)
{
	enum reach best = REACH_NONE;

	if (!st->has_principal)
		return REACH_DIRECT;
	for (size_t i = 0; i < st->n_who; i++) {
		enum reach r = row_reach(e->rq->who, &st->who[i]);

		if (r > best)
			best = r;
	}
	if (st->not_principal)
		return best == REACH_NONE ? REACH_DIRECT : REACH_NONE;
	return best;
}

static bool
action_fits(const struct eval *e, const struct policy_statement *st)
{
	struct span action = span_of(e->rq->action);

	for (size_t i = 0; i < st->actions.n; i++)
		if (policy_action_fits(st->actions.v[i], action))
			return !st->not_action;
	return st->not_action;
}

static enum truth
resource_fits(const struct eval *e, const struct policy_statement *st)
{
	bool unknown = false;

	for (size_t i = 0; i < st->resources.n; i++) {
		struct pattern p;

		if (expand(e, st->resources.v[i], &p) != YES)
			unknown = true;
		else if (wildcard(&p, e->resource, false))
			return st->not_resource ? NO : YES;
	}
	if (unknown)
		return UNKNOWN;
	return st->not_resource ? YES : NO;
}

/* ---- conditions ---- */

bool
policy_op_parse(struct span name, struct policy_cond *out)
{
	static const struct {
		const char *name;
		enum policy_op op;
		enum policy_relation relation;
		bool negated;
	} rows[] = {
		{ "StringEquals", POLICY_STRING, POLICY_EQ, false },
		{ "StringNotEquals", POLICY_STRING, POLICY_EQ, true },
		{ "StringEqualsIgnoreCase", POLICY_STRING_NOCASE, POLICY_EQ, false },
		{ "StringNotEqualsIgnoreCase", POLICY_STRING_NOCASE, POLICY_EQ, true },
		{ "StringLike", POLICY_LIKE, POLICY_EQ, false },
		{ "StringNotLike", POLICY_LIKE, POLICY_EQ, true },
		{ "BinaryEquals", POLICY_STRING, POLICY_EQ, false },
		{ "ArnEquals", POLICY_LIKE, POLICY_EQ, false },
		{ "ArnNotEquals", POLICY_LIKE, POLICY_EQ, true },
		{ "ArnLike", POLICY_LIKE, POLICY_EQ, false },
		{ "ArnNotLike", POLICY_LIKE, POLICY_EQ, true },
		{ "NumericEquals", POLICY_NUMERIC, POLICY_EQ, false },
		{ "NumericNotEquals", POLICY_NUMERIC, POLICY_EQ, true },
		{ "NumericLessThan", POLICY_NUMERIC, POLICY_LT, false },
		{ "NumericLessThanEquals", POLICY_NUMERIC, POLICY_LE, false },
		{ "NumericGreaterThan", POLICY_NUMERIC, POLICY_GT, false },
		{ "NumericGreaterThanEquals", POLICY_NUMERIC, POLICY_GE, false },
		{ "DateEquals", POLICY_DATE, POLICY_EQ, false },
		{ "DateNotEquals", POLICY_DATE, POLICY_EQ, true },
		{ "DateLessThan", POLICY_DATE, POLICY_LT, false },
		{ "DateLessThanEquals", POLICY_DATE, POLICY_LE, false },
		{ "DateGreaterThan", POLICY_DATE, POLICY_GT, false },
		{ "DateGreaterThanEquals", POLICY_DATE, POLICY_GE, false },
		{ "Bool", POLICY_BOOL, POLICY_EQ, false },
		{ "IpAddress", POLICY_IP, POLICY_EQ, false },
		{ "NotIpAddress", POLICY_IP, POLICY_EQ, true },
		{ "Null", POLICY_NULL, POLICY_EQ, false },
	};
	static const char for_all[] = "ForAllValues:";
	static const char for_any[] = "ForAnyValue:";
	static const char if_exists[] = "IfExists";
	size_t tail = sizeof(if_exists) - 1;

	*out = (struct policy_cond){ .set = POLICY_ONE };
	if (name.len > sizeof(for_all) - 1 &&
	    memcmp(name.p, for_all, sizeof(for_all) - 1) == 0) {
		out->set = POLICY_FOR_ALL;
		name.p += sizeof(for_all) - 1;
		name.len -= sizeof(for_all) - 1;
	} else if (name.len > sizeof(for_any) - 1 &&
	    memcmp(name.p, for_any, sizeof(for_any) - 1) == 0) {
		out->set = POLICY_FOR_ANY;
		name.p += sizeof(for_any) - 1;
		name.len -= sizeof(for_any) - 1;
	}
	if (name.len > tail &&
	    memcmp(name.p + name.len - tail, if_exists, tail) == 0) {
		out->if_exists = true;
		name.len -= tail;
	}
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (span_eq(span_of(rows[i].name), name)) {
			out->op = rows[i].op;
			out->relation = rows[i].relation;
			out->negated = rows[i].negated;
			return rows[i].op != POLICY_NULL ||
			    (!out->if_exists && out->set == POLICY_ONE);
		}
	return false;
}

static enum truth
as_truth(bool b)
{
	return b ? YES : NO;
}

static enum truth
compare_order(enum policy_relation relation, int64_t have, int64_t want)
{
	switch (relation) {
	case POLICY_EQ:
		return as_truth(have == want);
	case POLICY_LT:
		return as_truth(have < want);
	case POLICY_LE:
		return as_truth(have <= want);
	case POLICY_GT:
		return as_truth(have > want);
	case POLICY_GE:
		return as_truth(have >= want);
	default:
		return UNKNOWN;
	}
}

/* ISO 8601, or seconds since 1970. */
static bool
date_value(struct span s, int64_t *us)
{
	int64_t n;

	if (date_parse_iso(s, us))
		return true;
	return parse_i64(s, -SECONDS_MAX, SECONDS_MAX, &n) &&
	    !__builtin_mul_overflow(n, 1000000, us);
}

/* 16 bytes, IPv4 mapped into IPv6; *bits is the family's own width. A mapped address is an IPv4 one. */
static bool
address(struct span s, uint8_t out[16], int *bits)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char text[INET6_ADDRSTRLEN + 1];

	if (s.len == 0 || s.len >= sizeof(text) ||
	    memchr(s.p, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.p, s.len);
	text[s.len] = '\0';
	if (inet_pton(AF_INET6, text, out) == 1) {
		*bits = memcmp(out, mapped, sizeof(mapped)) == 0 ? 32 : 128;
		return true;
	}
	memcpy(out, mapped, sizeof(mapped));
	*bits = 32;
	return inet_pton(AF_INET, text, out + 12) == 1;
}

static enum truth
compare_ip(struct span have, struct span want)
{
	const char *slash = memchr(want.p, '/', want.len);
	struct span base = want, width = { NULL, 0 };
	uint8_t a[16], b[16];
	int bits, have_bits, n;
	int64_t len;

	if (slash != NULL) {
		base.len = (size_t)(slash - want.p);
		width = (struct span){ slash + 1, want.len - base.len - 1 };
	}
	if (!address(have, a, &have_bits) || !address(base, b, &bits))
		return UNKNOWN;
	len = bits;
	if (slash != NULL && !parse_i64(width, 0, bits, &len))
		return UNKNOWN;
	if (bits != have_bits)
		return NO;
	n = (int)len + (128 - bits);
	if (memcmp(a, b, (size_t)n / 8) != 0)
		return NO;
	if (n % 8 == 0)
		return YES;
	return as_truth(((a[n / 8] ^ b[n / 8]) & (0xff00 >> n % 8) & 0xff) == 0);
}

static enum truth
compare(const struct policy_cond *c, struct span have, const struct pattern *want)
{
	int64_t a, b;

	switch (c->op) {
	case POLICY_STRING:
		return as_truth(span_eq(have, want->text));
	case POLICY_STRING_NOCASE:
	case POLICY_BOOL:
		return as_truth(s3_ieq(have, want->text));
	case POLICY_LIKE:
		return as_truth(wildcard(want, have, false));
	case POLICY_NUMERIC:
		if (!parse_i64(have, INT64_MIN, INT64_MAX, &a) ||
		    !parse_i64(want->text, INT64_MIN, INT64_MAX, &b))
			return UNKNOWN;
		return compare_order(c->relation, a, b);
	case POLICY_DATE:
		if (!date_value(have, &a) || !date_value(want->text, &b))
			return UNKNOWN;
		return compare_order(c->relation, a, b);
	case POLICY_IP:
		return compare_ip(have, want->text);
	case POLICY_NULL:
	default:
		return UNKNOWN;
	}
}

/* Is one of the policy's values right for this one of the request's? Negated: is none? */
static enum truth
value_fits(const struct eval *e, const struct policy_cond *c, struct span have)
{
	bool unknown = false;

	for (size_t i = 0; i < c->values.n; i++) {
		struct pattern want;
		enum truth t = expand(e, c->values.v[i], &want);

		if (t == YES)
			t = compare(c, have, &want);
		if (t == YES)
			return c->negated ? NO : YES;
		if (t == UNKNOWN)
			unknown = true;
	}
	if (unknown)
		return UNKNOWN;
	return c->negated ? YES : NO;
}

/* Were there more values than a context holds? What is missing may have been one of them. */
static bool
overflowed(const struct policy_context *c)
{
	return c != NULL && c->n > POLICY_CONTEXT_MAX;
}

static enum truth
is_null(const struct policy_cond *c, const struct policy_context *ctx)
{
	bool missing = context_get(ctx, c->key).p == NULL;

	if (missing && overflowed(ctx))
		return UNKNOWN;
	for (size_t i = 0; i < c->values.n; i++)
		if (s3_ieq(c->values.v[i], SPAN("true")) ? missing :
			s3_ieq(c->values.v[i], SPAN("false")) && !missing)
			return YES;
	return NO;
}

/* Nothing to compare with: the request has no such key. */
static enum truth
absent(const struct policy_cond *c, const struct policy_context *ctx)
{
	if (overflowed(ctx))
		return UNKNOWN;
	if (c->set == POLICY_FOR_ALL || c->if_exists)
		return YES;
	return as_truth(c->negated && c->set == POLICY_ONE);
}

/*
 * One value decides alone. Of several, any may be right (all must be for
 * ForAllValues), and all must be for a negated operator, as IAM does.
 */
static enum truth
condition_holds(const struct eval *e, const struct policy_cond *c)
{
	const struct policy_context *ctx = e->rq->context;
	bool all = c->set == POLICY_FOR_ALL ||
	    (c->set == POLICY_ONE && c->negated);
	bool any = false, unknown = false, seen = false;

	if (c->op == POLICY_NULL)
		return is_null(c, ctx);
	for (size_t i = 0; ctx != NULL && i < ctx->n && i < POLICY_CONTEXT_MAX;
	     i++) {
		enum truth t;

		if (!s3_ieq(span_of(ctx->v[i].key), c->key))
			continue;
		seen = true;
		t = value_fits(e, c, ctx->v[i].value);
		if (t == NO && all)
			return NO;
		if (t == YES)
			any = true;
		if (t == UNKNOWN)
			unknown = true;
	}
	if (!seen)
		return absent(c, ctx);
	if (all)
		return unknown ? UNKNOWN : YES;
	return any ? YES : unknown ? UNKNOWN : NO;
}

static enum truth
conditions_hold(const struct eval *e, const struct policy_statement *st)
{
	enum truth all = YES;

	for (size_t i = 0; i < st->n_conds; i++) {
		enum truth t = condition_holds(e, &st->conds[i]);

		if (t == NO)
			return NO;
		if (t == UNKNOWN)
			all = UNKNOWN;
	}
	return all;
}

/* ---- statements and policies ---- */

/* How far the statement speaks of this request, UNKNOWN told apart. */
static enum reach
statement_reach(const struct eval *e, const struct policy_statement *st)
{
	enum reach r;
	enum truth where, when;

	if (!action_fits(e, st))
		return REACH_NONE;
	r = principal_reach(e, st);
	if (r == REACH_NONE)
		return r;
	where = resource_fits(e, st);
	if (where == NO)
		return REACH_NONE;
	when = conditions_hold(e, st);
	if (when == NO)
		return REACH_NONE;
	if (where == UNKNOWN || when == UNKNOWN)
		return st->effect == POLICY_DENY ? r : REACH_NONE;
	return r;
}

static struct span
resource_arn(struct arena *a, const struct policy_request *rq)
{
	size_t head = sizeof(POLICY_ARN_S3) - 1;
	size_t len = head + rq->bucket.len + 1 + rq->key.len;
	char *p;

	if (rq->bucket.len == 0)
		return SPAN(POLICY_ARN_S3 "*"); /* what the service itself is called */
	p = arena_alloc(a, len);
	if (p == NULL)
		return (struct span){ NULL, 0 };
	memcpy(p, POLICY_ARN_S3, head);
	memcpy(p + head, rq->bucket.p, rq->bucket.len);
	if (rq->key.len == 0)
		return (struct span){ p, len - 1 };
	p[head + rq->bucket.len] = '/';
	memcpy(p + len - rq->key.len, rq->key.p, rq->key.len);
	return (struct span){ p, len };
}

/* Sets *reach for an Allow. */
static enum policy_effect
evaluate(struct arena *a, const struct policy *p,
    const struct policy_request *rq, enum reach *reach)
{
	struct eval e = { a, p, rq, resource_arn(a, rq) };
	enum policy_effect effect = POLICY_NONE;

	*reach = REACH_NONE;
	if (e.resource.p == NULL)
		return POLICY_DENY;
	for (size_t i = 0; i < p->n; i++) {
		const struct policy_statement *st = &p->statements[i];
		enum reach r = statement_reach(&e, st);

		if (r == REACH_NONE)
			continue;
		if (st->effect == POLICY_DENY)
			return POLICY_DENY;
		effect = POLICY_ALLOW;
		if (r > *reach)
			*reach = r;
	}
	return effect;
}

enum policy_effect
policy_eval(struct arena *a, const struct policy *p,
    const struct policy_request *rq)
{
	enum reach reach;

	return evaluate(a, p, rq, &reach);
}

void
policy_context_add(struct policy_context *c, const char *key, struct span value)
{
	if (value.p == NULL)
		return;
	if (c->n < POLICY_CONTEXT_MAX) {
		c->v[c->n].key = key;
		c->v[c->n].value = value;
	}
	if (c->n <= POLICY_CONTEXT_MAX)
		c->n++;
}

static enum policy_effect
identity_effect(struct arena *a, const struct policy_case *c,
    const struct policy_request *rq)
{
	enum policy_effect all = POLICY_NONE;

	for (size_t i = 0; i < c->n_identity; i++) {
		enum policy_effect one = policy_eval(a, c->identity[i], rq);

		if (one == POLICY_DENY)
			return one;
		if (one == POLICY_ALLOW)
			all = one;
	}
	return all;
}

static bool
is_about_the_policy(const char *action)
{
	return strcmp(action, "s3:GetBucketPolicy") == 0 ||
	    strcmp(action, "s3:PutBucketPolicy") == 0 ||
	    strcmp(action, "s3:DeleteBucketPolicy") == 0;
}

bool
policy_allowed(struct arena *a, const struct policy_case *c,
    const struct policy_request *rq, enum policy_effect *why)
{
	bool full = c->full_access && c->n_identity == 0;
	bool master = c->is_owner && !rq->who->anonymous && full;
	enum policy_effect own, bucket = POLICY_NONE;
	enum reach reach = REACH_NONE;

	*why = POLICY_ALLOW;
	if (rq->action[0] == '\0')
		return true;
	if (c->session != NULL) {
		*why = policy_eval(a, c->session, rq);
		if (*why != POLICY_ALLOW)
			return false;
	}
	own = identity_effect(a, c, rq);
	if (c->bucket != NULL)
		bucket = evaluate(a, c->bucket, rq, &reach);
	if (bucket == POLICY_DENY && master && is_about_the_policy(rq->action))
		return true;
	if (own == POLICY_DENY || bucket == POLICY_DENY) {
		*why = POLICY_DENY;
		return false;
	}
	if (master)
		return true;
	*why = own == POLICY_ALLOW || bucket == POLICY_ALLOW ? POLICY_ALLOW :
							       POLICY_NONE;
	if (c->is_owner && !rq->who->anonymous)
		/* The bucket's word for the tenant as a whole is the tenant's
		 * to hand on: its app's own policies decide. */
		return own == POLICY_ALLOW ||
		    (bucket == POLICY_ALLOW && reach == REACH_DIRECT);
	if (bucket != POLICY_ALLOW && !c->listed)
		return false;
	return rq->who->anonymous || full || own == POLICY_ALLOW;
}
