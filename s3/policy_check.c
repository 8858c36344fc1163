/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/policy_check.c - what is asked of a bucket's policy as a whole: may it be put,
 * and does it make the bucket public.
 *
 * Owns:      nothing.
 * Called by: handlers and operators' actions, when a policy is put or looked at; never
 *            by authorization.
 * Source:    S3 User Guide, "The meaning of public"; messages as S3 answers them.
 */
#include "s3/policy_internal.h"

#include "base/parse.h"
#include "s3/errors.h"
#include "s3/operations.h"

#define IPV4_BITS_MIN 8
#define IPV6_BITS_MIN 32

static const struct {
	const char *name;
	int level;
} actions[] = {
#define POLICY_ACTION(name, level) { name, S3_LEVEL_##level },
#include "s3/policy_actions.def"
#undef POLICY_ACTION
};

/* ---- may it be put ---- */

/* Levels of the actions that a pattern names; 0: S3 has none of them. */
static int
levels_of_action(struct span pattern)
{
	int levels = 0;

	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (policy_action_fits(pattern, span_of(actions[i].name)))
			levels |= actions[i].level;
	return levels;
}

/* arn:aws:s3:::bucket, arn:aws:s3:::bucket/key*; "bucket*" may be either. */
static int
levels_of_resource(struct span resource)
{
	if (memchr(resource.p, '/', resource.len) != NULL)
		return S3_LEVEL_OBJECT;
	if (memchr(resource.p, '*', resource.len) != NULL || memchr(resource.p, '?', resource.len) != NULL)
		return S3_LEVEL_TARGET;
	return S3_LEVEL_BUCKET;
}

static int
check_statement(const struct policy_statement *st, struct s3_problem *pr)
{
	int resources = 0;

	if (st->effect == POLICY_ALLOW && st->not_principal)
		return s3_problem_set(pr, S3_MalformedPolicy, "Allow with NotPrincipal is not allowed.");
	for (size_t i = 0; i < st->resources.n; i++) {
		if (span_eq(st->resources.v[i], SPAN("*")))
			return s3_problem_set(pr, S3_MalformedPolicy, "Policy has invalid resource");
		resources |= levels_of_resource(st->resources.v[i]);
	}
	for (size_t i = 0; i < st->actions.n; i++) {
		int levels = levels_of_action(st->actions.v[i]);

		if (levels == 0)
			return s3_problem_set(pr, S3_MalformedPolicy, "Policy has invalid action");
		if ((levels & resources) == 0 && !st->not_action && !st->not_resource)
			return s3_problem_set(pr, S3_MalformedPolicy,
			    "Action does not apply to any resource(s) in statement");
	}
	return 0;
}

int
policy_check(const struct policy *p, struct s3_problem *pr)
{
	for (size_t i = 0; i < p->n; i++)
		if (check_statement(&p->statements[i], pr) != 0)
			return -1;
	return 0;
}

/* ---- is it public ---- */

/* A value that stands for itself: no wildcard, no variable. */
static bool
is_fixed(struct span v)
{
	if (v.len == 0 || memchr(v.p, '*', v.len) != NULL || memchr(v.p, '?', v.len) != NULL)
		return false;
	for (size_t i = 0; i + 1 < v.len; i++)
		if (v.p[i] == '$' && v.p[i + 1] == '{')
			return false;
	return true;
}

/* Half the Internet is no fixed network. */
static bool
is_narrow_network(struct span v)
{
	bool v6 = memchr(v.p, ':', v.len) != NULL;
	const char *slash = memchr(v.p, '/', v.len);
	struct span width;
	int64_t bits;

	if (slash == NULL)
		return true;
	width = (struct span){ slash + 1, v.len - (size_t)(slash + 1 - v.p) };
	return parse_i64(width, 0, 128, &bits) && bits >= (v6 ? IPV6_BITS_MIN : IPV4_BITS_MIN);
}

/* Does the condition let in only those who are named by fixed values? */
static bool
narrows(const struct policy_cond *c)
{
	static const char *const keys[] = {
		"aws:SourceIp", "aws:SourceArn", "aws:SourceVpc", "aws:SourceVpce", "aws:SourceOwner", "aws:SourceAccount",
		"aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalOrgID", "aws:userid", "aws:username",
		"s3:DataAccessPointArn", "s3:DataAccessPointAccount",
	};
	bool known = false;

	if (c->negated || c->if_exists || c->set == POLICY_FOR_ALL ||
	    (c->op != POLICY_STRING && c->op != POLICY_STRING_NOCASE && c->op != POLICY_LIKE && c->op != POLICY_IP))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		known = known || s3_ieq(c->key, span_of(keys[i]));
	if (!known)
		return false;
	for (size_t i = 0; i < c->values.n; i++)
		if (!is_fixed(c->values.v[i]) || (c->op == POLICY_IP && !is_narrow_network(c->values.v[i])))
			return false;
	return true;
}

static bool
is_for_everyone(const struct policy_statement *st)
{
	if (st->not_principal)
		return true;
	for (size_t i = 0; i < st->n_who; i++)
		if (st->who[i].kind == POLICY_WHO_ANYONE)
			return true;
	return false;
}

static bool
statement_is_public(const struct policy_statement *st)
{
	if (st->effect != POLICY_ALLOW || !is_for_everyone(st))
		return false;
	for (size_t i = 0; i < st->n_conds; i++)
		if (narrows(&st->conds[i]))
			return false;
	return true;
}

bool
policy_is_public(const struct policy *p)
{
	for (size_t i = 0; i < p->n; i++)
		if (statement_is_public(&p->statements[i]))
			return true;
	return false;
}
