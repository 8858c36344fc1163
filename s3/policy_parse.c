/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/policy_parse.c - from the JSON of a policy to what is evaluated.
 *
 * Owns:      the JSON tree during one call; the result is the arena's.
 * Invariant: what comes out holds only forms that policy_eval.c understands;
 *            all else is MalformedPolicy, with the reason for whoever wrote it.
 * Source:    IAM User Guide, "Grammar of the IAM JSON policy language".
 */
#include "s3/policy_internal.h"

#include <jansson.h>

#include "s3/errors.h"
#include "s3/headers.h"

#define ACCOUNT_ARN "arn:aws:iam::"
#define SESSION_ARN "arn:aws:sts::"

struct parser {
	struct arena *arena;
	enum policy_kind kind;
	const char *bucket;
	struct s3_problem *pr;
};

static int
malformed(struct parser *p, const char *message)
{
	return s3_problem_set(p->pr, S3_MalformedPolicy, message);
}

static int
malformed_field(struct parser *p, const char *what, const char *field)
{
	const char *message = arena_printf(p->arena, "%s %.200s", what, field);

	return malformed(p, message != NULL ? message : what);
}

static int
no_memory(struct parser *p)
{
	return s3_problem_set(p->pr, S3_InternalError, NULL);
}

static bool
starts(struct span s, const char *prefix)
{
	size_t len = strlen(prefix);

	return s.len >= len && memcmp(s.p, prefix, len) == 0;
}

/* ---- values: a string or a list of them ---- */

/* A JSON scalar as text; conditions may hold true and 10 where strings are meant. */
static int
scalar(struct parser *p, const json_t *j, bool strings_only, struct span *out)
{
	char *copy = NULL;
	size_t len = 0;

	if (json_is_string(j)) {
		len = json_string_length(j);
		copy = arena_strndup(p->arena, json_string_value(j), len);
	} else if (!strings_only && json_is_integer(j)) {
		copy = arena_printf(
		    p->arena, "%" JSON_INTEGER_FORMAT, json_integer_value(j));
		len = copy == NULL ? 0 : strlen(copy);
	} else if (!strings_only && json_is_boolean(j)) {
		copy = arena_strdup(p->arena, json_is_true(j) ? "true" : "false");
		len = copy == NULL ? 0 : strlen(copy);
	} else {
		return malformed(p, "Invalid policy syntax.");
	}
	if (copy == NULL)
		return no_memory(p);
	*out = (struct span){ copy, len };
	return 0;
}

static int
list(struct parser *p, const json_t *j, bool strings_only,
    struct policy_list *out)
{
	size_t n = json_is_array(j) ? json_array_size(j) : 1;

	if (n == 0)
		return malformed(p, "Policy statement must contain values, a list is empty");
	out->v = arena_array(p->arena, n, sizeof(*out->v));
	if (out->v == NULL)
		return no_memory(p);
	for (size_t i = 0; i < n; i++)
		if (scalar(p, json_is_array(j) ? json_array_get(j, i) : j,
			strings_only, &out->v[out->n++]) != 0)
			return -1;
	return 0;
}

/* ---- principals ---- */

static int
principal_row(struct parser *p, const char *type, struct span v,
    struct policy_principal_row *out)
{
	out->value = v;
	if (strcmp(type, "AWS") == 0) {
		bool arn = starts(v, "arn:");

		if (span_eq(v, SPAN("*"))) {
			out->kind = POLICY_WHO_ANYONE;
			return 0;
		}
		/* A wildcard inside an ARN is not one (S3 refuses it). */
		if (v.len == 0 || memchr(v.p, '*', v.len) != NULL ||
		    (arn && !starts(v, ACCOUNT_ARN) && !starts(v, SESSION_ARN)))
			return malformed(p, "Invalid principal in policy");
		out->kind = POLICY_WHO_AWS;
	} else if (strcmp(type, "CanonicalUser") == 0) {
		out->kind = POLICY_WHO_CANONICAL;
	} else if (strcmp(type, "Service") == 0) {
		out->kind = POLICY_WHO_SERVICE;
	} else if (strcmp(type, "Federated") == 0) {
		out->kind = POLICY_WHO_NOBODY; /* none of these signs here */
	} else {
		return malformed_field(p, "Invalid principal type in policy:", type);
	}
	return 0;
}

static int
principal_rows(struct parser *p, const json_t *j, struct policy_statement *out)
{
	size_t n = 0;
	const char *type;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, type, v)
		n += json_is_array(v) ? json_array_size(v) : 1;
	if (n == 0)
		return malformed(p, "Invalid principal in policy");
	out->who = arena_array(p->arena, n, sizeof(*out->who));
	if (out->who == NULL)
		return no_memory(p);
	json_object_foreach((json_t *)(uintptr_t)j, type, v) {
		struct policy_list l = { NULL, 0 };

		if (list(p, v, true, &l) != 0)
			return -1;
		for (size_t i = 0; i < l.n; i++)
			if (principal_row(p, type, l.v[i],
				&out->who[out->n_who++]) != 0)
				return -1;
	}
	return 0;
}

static int
principals(struct parser *p, const json_t *j, struct policy_statement *out)
{
	if (json_is_object(j))
		return principal_rows(p, j, out);
	if (!json_is_string(j) || strcmp(json_string_value(j), "*") != 0)
		return malformed(p, "Invalid principal in policy");
	out->who = ARENA_NEW(p->arena, struct policy_principal_row);
	if (out->who == NULL)
		return no_memory(p);
	out->who[0] = (struct policy_principal_row){ POLICY_WHO_ANYONE, SPAN("*") };
	out->n_who = 1;
	return 0;
}

/* ---- actions and resources ---- */

static int
check_actions(struct parser *p, const struct policy_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span v = l->v[i];

		if (span_eq(v, SPAN("*")))
			continue;
		if (memchr(v.p, ':', v.len) == NULL ||
		    (p->kind == POLICY_BUCKET && !s3_istarts(v, "s3:")))
			return malformed(p, "Policy has invalid action");
	}
	return 0;
}

/*
 * May the resource be the bucket that the policy is of, or a key in it? Wildcards
 * may stand in the bucket's name, too: those of others are not reached by it.
 */
static bool
in_bucket(struct span resource, const char *bucket)
{
	size_t head = sizeof(POLICY_ARN_S3) - 1, len = strlen(bucket);
	struct span name;
	const char *slash;

	if (span_eq(resource, SPAN("*")))
		return true;
	if (!starts(resource, POLICY_ARN_S3))
		return false;
	name = (struct span){ resource.p + head, resource.len - head };
	/* A "*" behind the whole name may reach into the keys. */
	if (name.len > len && memcmp(name.p, bucket, len) == 0 && name.p[len] == '*')
		return true;
	slash = memchr(name.p, '/', name.len);
	if (slash != NULL)
		name.len = (size_t)(slash - name.p);
	return policy_wildcard(name, span_of(bucket));
}

static int
check_resources(struct parser *p, const struct policy_list *l)
{
	for (size_t i = 0; i < l->n; i++) {
		struct span v = l->v[i];

		if (p->kind == POLICY_BUCKET && p->bucket != NULL &&
		    !in_bucket(v, p->bucket))
			return malformed(p, "Policy has invalid resource");
		if (!span_eq(v, SPAN("*")) && !starts(v, "arn:"))
			return malformed_field(p, "Policy has invalid resource:",
			    v.p);
	}
	return 0;
}

/* ---- conditions ---- */

static int
conditions_of(struct parser *p, const char *op, const json_t *keys,
    struct policy_statement *out)
{
	struct policy_cond c = { .negated = false };
	const char *key;
	json_t *v;

	if (!policy_op_parse(span_of(op), &c))
		return malformed_field(p, "Invalid Condition type :", op);
	json_object_foreach((json_t *)(uintptr_t)keys, key, v) {
		struct policy_cond *row = &out->conds[out->n_conds++];

		*row = c;
		row->key = span_of(arena_strdup(p->arena, key));
		if (row->key.p == NULL)
			return no_memory(p);
		if (strchr(key, ':') == NULL)
			return malformed(p, "Policy has an invalid condition key");
		if (list(p, v, false, &row->values) != 0)
			return -1;
	}
	return 0;
}

static int
conditions(struct parser *p, const json_t *j, struct policy_statement *out)
{
	size_t n = 0;
	const char *op;
	json_t *keys;

	if (j == NULL)
		return 0;
	if (!json_is_object(j))
		return malformed(p, "Invalid policy syntax.");
	json_object_foreach((json_t *)(uintptr_t)j, op, keys) {
		if (!json_is_object(keys))
			return malformed(p, "Invalid policy syntax.");
		n += json_object_size(keys);
	}
	if (n == 0)
		return 0;
	out->conds = arena_array(p->arena, n, sizeof(*out->conds));
	if (out->conds == NULL)
		return no_memory(p);
	json_object_foreach((json_t *)(uintptr_t)j, op, keys)
		if (conditions_of(p, op, keys, out) != 0)
			return -1;
	return 0;
}

/* ---- statements ---- */

static int
known_fields(struct parser *p, const json_t *j, const char *const *known)
{
	const char *key;
	json_t *v;

	json_object_foreach((json_t *)(uintptr_t)j, key, v) {
		size_t i = 0;

		while (known[i] != NULL && strcmp(known[i], key) != 0)
			i++;
		if (known[i] == NULL)
			return malformed_field(p, "Unknown field", key);
	}
	return 0;
}

/* One of `name` and "Not" name must be there, not both. NULL with the problem set. */
static const json_t *
either(struct parser *p, const json_t *j, const char *name, const char *not_name,
    bool *negated)
{
	const json_t *yes = json_object_get(j, name);
	const json_t *no = json_object_get(j, not_name);

	*negated = no != NULL;
	if (yes != NULL && no != NULL) {
		(void)malformed(p, "Invalid policy syntax.");
		return NULL;
	}
	if (yes == NULL && no == NULL)
		(void)malformed_field(p, "Missing required field", name);
	return yes != NULL ? yes : no;
}

static int
statement_principal(struct parser *p, const json_t *j,
    struct policy_statement *out)
{
	const json_t *v;

	if (p->kind == POLICY_IDENTITY) {
		if (json_object_get(j, "Principal") != NULL ||
		    json_object_get(j, "NotPrincipal") != NULL)
			return malformed(p,
			    "Policy document should not specify a principal.");
		return 0;
	}
	v = either(p, j, "Principal", "NotPrincipal", &out->not_principal);
	if (v == NULL)
		return -1;
	out->has_principal = true;
	return principals(p, v, out);
}

static int
statement(struct parser *p, const json_t *j, struct policy_statement *out)
{
	static const char *const known[] = { "Sid", "Effect", "Principal",
		"NotPrincipal", "Action", "NotAction", "Resource", "NotResource",
		"Condition", NULL };
	const json_t *v;
	const char *effect;

	if (!json_is_object(j))
		return malformed(p, "Invalid policy syntax.");
	if (known_fields(p, j, known) != 0)
		return -1;
	v = json_object_get(j, "Sid");
	if (v != NULL && !json_is_string(v))
		return malformed(p, "Invalid policy syntax.");
	v = json_object_get(j, "Effect");
	if (v == NULL)
		return malformed(p, "Missing required field Effect");
	effect = json_is_string(v) ? json_string_value(v) : "";
	if (strcmp(effect, "Allow") == 0)
		out->effect = POLICY_ALLOW;
	else if (strcmp(effect, "Deny") == 0)
		out->effect = POLICY_DENY;
	else
		return malformed_field(p, "Invalid effect:", effect);
	if (statement_principal(p, j, out) != 0)
		return -1;
	v = either(p, j, "Action", "NotAction", &out->not_action);
	if (v == NULL || list(p, v, true, &out->actions) != 0 ||
	    check_actions(p, &out->actions) != 0)
		return -1;
	v = either(p, j, "Resource", "NotResource", &out->not_resource);
	if (v == NULL || list(p, v, true, &out->resources) != 0 ||
	    check_resources(p, &out->resources) != 0)
		return -1;
	return conditions(p, json_object_get(j, "Condition"), out);
}

static int
document(struct parser *p, const json_t *j, struct policy *out)
{
	static const char *const known[] = { "Version", "Id", "Statement", NULL };
	const json_t *v, *st;
	size_t n;

	if (!json_is_object(j))
		return malformed(p, NULL);
	if (known_fields(p, j, known) != 0)
		return -1;
	v = json_object_get(j, "Version");
	if (v != NULL) {
		const char *text = json_is_string(v) ? json_string_value(v) : "";

		out->variables = strcmp(text, "2012-10-17") == 0;
		if (!out->variables && strcmp(text, "2008-10-17") != 0)
			return malformed(p,
			    "The policy must contain a valid version string");
	}
	st = json_object_get(j, "Statement");
	if (st == NULL)
		return malformed(p, "Missing required field Statement");
	n = json_is_array(st) ? json_array_size(st) : 1;
	if (n == 0)
		return malformed(p, "Could not parse the policy: Statement is empty!");
	out->statements = arena_array(p->arena, n, sizeof(*out->statements));
	if (out->statements == NULL)
		return no_memory(p);
	for (size_t i = 0; i < n; i++)
		if (statement(p, json_is_array(st) ? json_array_get(st, i) : st,
			&out->statements[out->n++]) != 0)
			return -1;
	return 0;
}

struct policy *
policy_parse(struct arena *a, struct span json, enum policy_kind kind,
    const char *bucket, struct s3_problem *pr)
{
	struct parser p = { a, kind, bucket, pr };
	struct policy *out = ARENA_NEW(a, struct policy);
	json_error_t error;
	json_t *j = NULL;
	int rc = -1;

	if (out == NULL) {
		(void)no_memory(&p);
		return NULL;
	}
	out->kind = kind;
	if (json.len > POLICY_BYTES_MAX)
		rc = malformed(
		    &p, "Policy exceeds the maximum allowed document size.");
	else if (json.len == 0 || json.p[0] != '{' ||
	    (j = json_loadb(json.p, json.len, JSON_REJECT_DUPLICATES,
		 &error)) == NULL)
		rc = malformed(&p, NULL);
	else
		rc = document(&p, j, out);
	json_decref(j);
	return rc == 0 ? out : NULL;
}
