/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s3/policy.h - access policies, as IAM and S3 write them: may this principal do
 * this action with this resource, under these circumstances. Pure: what the
 * request is like comes in a context of keys and values.
 *
 * What is not understood (an operator, a variable without a value) makes an Allow
 * not apply and a Deny apply: it fails closed.
 */
#ifndef ANVIL_S3_POLICY_H
#define ANVIL_S3_POLICY_H

#include "base/arena.h"
#include "s3/problem.h"

#define POLICY_BYTES_MAX 20480
#define POLICY_ARN_S3 "arn:aws:s3:::"

enum policy_kind {
	POLICY_IDENTITY, /* attached to an app: no Principal */
	POLICY_BUCKET    /* attached to a bucket: Principal required, resources in that bucket */
};
enum policy_effect { POLICY_NONE, POLICY_ALLOW, POLICY_DENY };

struct policy;
/*
 * Parse and check. `bucket` (POLICY_BUCKET): the name that its resources must be in; NULL = not checked.
 * The result lives in `a`. NULL with pr: MalformedPolicy and why, InternalError (arena).
 */
struct policy *policy_parse(struct arena *a, struct span json, enum policy_kind kind, const char *bucket,
    struct s3_problem *pr);

/*
 * What is refused of a bucket's policy when it is put, beyond its form: actions that S3 does not have, actions that
 * none of the statement's resources can have, the resource "*", an Allow for all but somebody. One that is stored is evaluated all the same: it may
 * be of a newer release. 0, or -1 with MalformedPolicy.
 */
MUST_CHECK int policy_check(const struct policy *p, struct s3_problem *pr);
/*
 * Does it let anybody in, as S3 means "public": an Allow for everyone that no condition narrows to fixed values
 * (networks of at least 8 bits in IPv4 and 32 in IPv6, accounts, users).
 */
bool policy_is_public(const struct policy *p);

struct policy_value {
	const char *key;  /* "aws:SourceIp", "s3:prefix"; case does not matter */
	struct span value;
};
#define POLICY_CONTEXT_MAX 96
struct policy_context {
	struct policy_value v[POLICY_CONTEXT_MAX]; /* several with the same key are the values of one */
	size_t n;
};
/* Adds a value (p NULL: nothing is added); past the maximum the context is marked and everything conditional fails closed. */
void policy_context_add(struct policy_context *c, const char *key, struct span value);

struct policy_principal {
	bool anonymous;
	const char *owner_id;     /* the tenant's canonical id */
	const char *tenant;       /* the tenant's name */
	const char *app;          /* the app's name */
	const char *access_key;
	const char *role_session; /* RoleSessionName of who assumed the app as its role; NULL: the app itself */
	const char *service;      /* a part of Anvil that acts by itself, by the name that S3's has ({"Service": ...}), and nobody's app; NULL: none */
};
struct policy_request {
	const char *action;       /* "s3:GetObject" */
	struct span bucket, key;  /* empty key: the bucket itself; both empty: the service */
	const struct policy_principal *who;
	const struct policy_context *context;
};
enum policy_effect policy_eval(struct arena *a, const struct policy *p, const struct policy_request *rq);

/*
 * The verdict of all together. Deny in any wins. An app with full access may do all with its own
 * tenant's buckets; without, one of its own policies or the bucket's must allow. With other
 * tenants' buckets it needs the bucket's Allow and, without full access, its own policies', too.
 * The anonymous need the bucket's Allow. An owner's app with full access always reaches the
 * bucket's policy itself (Get, Put, DeleteBucketPolicy), so that nobody locks himself out.
 */
struct policy_case {
	bool is_owner;            /* the bucket (or the service) belongs to the principal's tenant */
	bool full_access;         /* only its tenant limits the app; not heeded when it has policies all the same */
	const struct policy *const *identity;
	size_t n_identity;
	const struct policy *bucket; /* NULL = none */
	bool listed;              /* an access control list lets him do it, which is as much as the bucket's Allow for another tenant or nobody */
	const struct policy *session; /* of temporary credentials: it must allow, too, whatever else does; NULL = none */
};
bool policy_allowed(struct arena *a, const struct policy_case *c, const struct policy_request *rq, enum policy_effect *why);

/* `*` = any run, `?` = any one byte. */
bool policy_wildcard(struct span pattern, struct span s);

#endif
