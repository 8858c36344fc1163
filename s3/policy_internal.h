/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/policy_internal.h - what policy_parse.c makes and policy_eval.c reads.
 */
#ifndef ANVIL_S3_POLICY_INTERNAL_H
#define ANVIL_S3_POLICY_INTERNAL_H

#include "s3/policy.h"

/* What a condition compares, and how numbers and dates must lie; negated and IfExists forms are flags. */
enum policy_op {
	POLICY_STRING,
	POLICY_STRING_NOCASE,
	POLICY_LIKE,
	POLICY_NUMERIC,
	POLICY_DATE,
	POLICY_BOOL,
	POLICY_IP,
	POLICY_NULL
};
enum policy_relation { POLICY_EQ, POLICY_LT, POLICY_LE, POLICY_GT, POLICY_GE };
enum policy_set { POLICY_ONE, POLICY_FOR_ALL, POLICY_FOR_ANY };

struct policy_list {
	struct span *v;
	size_t n;
};
struct policy_cond {
	enum policy_op op;
	enum policy_relation relation;
	enum policy_set set;
	bool negated, if_exists;
	struct span key;
	struct policy_list values;
};
enum policy_who { POLICY_WHO_NOBODY, POLICY_WHO_ANYONE, POLICY_WHO_AWS, POLICY_WHO_CANONICAL, POLICY_WHO_SERVICE };
struct policy_principal_row {
	enum policy_who kind;
	struct span value;
};
struct policy_statement {
	enum policy_effect effect;
	bool has_principal, not_principal, not_action, not_resource;
	struct policy_principal_row *who;
	size_t n_who;
	struct policy_list actions, resources;
	struct policy_cond *conds;
	size_t n_conds;
};
struct policy {
	enum policy_kind kind;
	bool variables; /* Version 2012-10-17: ${...} is a variable */
	struct policy_statement *statements;
	size_t n;
};

/* The operator of a condition by its name ("StringLikeIfExists"); false: there is none. */
bool policy_op_parse(struct span name, struct policy_cond *out);

/* Wildcards as policy_wildcard has them; an action's case does not matter. */
bool policy_action_fits(struct span pattern, struct span action);

#endif
