/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/authorize.c - may the one who asks do what is asked: whose bucket it is,
 * the app's policies, the bucket's policy.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c in the bucket's home region; handlers that need more than their row says.
 * Blocks:     on the regional database, only when a policy asks for an object's tags, its
 *             list decides, or who may not read may list.
 * Invariant:  a policy that cannot be read allows nobody anything.
 */
#include "fcgi/authorize.h"

#include "base/log.h"
#include "fcgi/access.h"
#include "fcgi/policy_context.h"
#include "meta/object.h"

#define POLICIES_MAX 32

bool
is_owner(const struct req *r, const struct identity *who)
{
	if (who->app == NULL)
		return false;
	if (r->bucket == NULL)
		return true; /* the service: each sees its own */
	return memcmp(&r->bucket->tenant_id, &who->app->tenant_id, sizeof(struct uuid)) == 0;
}

/* A stored policy that cannot be read: an operator should look. NULL: nobody is allowed anything by it. */
static struct policy *
parse_stored(const struct req *r, const char *json, enum policy_kind kind)
{
	struct s3_problem pr = { 0 };
	struct policy *p = policy_parse(r->arena, span_of(json), kind, kind == POLICY_BUCKET ? r->bucket_name : NULL, &pr);

	if (p == NULL)
		log_event(r->id, EV_REQUEST_FAILED, LS("what", "a stored policy cannot be read"),
		    LS("bucket", r->bucket_name), LS("access_key", r->access_key), LS("reason", pr.message));
	return p;
}

static bool
gather(const struct req *r, const struct identity *who, const struct policy **identity, struct policy_case *c)
{
	*c = (struct policy_case){
		.is_owner = is_owner(r, who),
		.full_access = who->app != NULL && who->app->access == APP_FULL,
		.identity = identity,
	};
	if (who->app != NULL && who->app->policies != NULL)
		for (const char *const *p = who->app->policies; *p != NULL; p++) {
			if (c->n_identity == POLICIES_MAX)
				return false;
			identity[c->n_identity] = parse_stored(r, *p, POLICY_IDENTITY);
			if (identity[c->n_identity++] == NULL)
				return false;
		}
	if (who->session != NULL && who->session->policy != NULL) {
		c->session = parse_stored(r, who->session->policy, POLICY_IDENTITY);
		if (c->session == NULL)
			return false;
	}
	if (r->bucket != NULL && r->bucket->policy != NULL) {
		c->bucket = parse_stored(r, r->bucket->policy, POLICY_BUCKET);
		if (c->bucket == NULL)
			return false; /* it may deny what it was written to deny, the owner too */
		/* RestrictPublicBuckets: a public policy lets in nobody but the owner. */
		if (!c->is_owner && policy_is_public(c->bucket) && access_is_restricted(r))
			return false;
	}
	return true;
}

/* Does a policy that will be evaluated ask for tags of the object? */
static bool
asks_for_tags(const struct req *r, const struct identity *who)
{
	static const char key[] = "ExistingObjectTag";

	if (who->app != NULL && who->app->policies != NULL)
		for (const char *const *p = who->app->policies; *p != NULL; p++)
			if (strcasestr(*p, key) != NULL)
				return true;
	if (who->session != NULL && who->session->policy != NULL && strcasestr(who->session->policy, key) != NULL)
		return true;
	return r->bucket != NULL && r->bucket->policy != NULL && strcasestr(r->bucket->policy, key) != NULL;
}

/* *why: a Deny, or that nothing allows it. */
static bool
decide(const struct req *r, const struct identity *who, const char *action, struct span key, enum policy_effect *why)
{
	const struct policy *identity[POLICIES_MAX];
	struct policy_principal principal = { .anonymous = who->app == NULL };
	struct policy_context *context;
	struct policy_request rq;
	struct policy_case c;

	*why = POLICY_DENY;
	/* The common case needs no evaluation: the owner's app with full access, and no policy anywhere. */
	if (is_owner(r, who) && (who->session == NULL || who->session->policy == NULL) && who->app->access == APP_FULL && (who->app->policies == NULL || who->app->policies[0] == NULL) &&
	    (r->bucket == NULL || r->bucket->policy == NULL))
		return true;
	if (who->app != NULL) {
		principal.owner_id = who->app->owner_id;
		principal.tenant = who->app->tenant_name;
		principal.app = who->app->name;
		principal.access_key = who->app->access_key;
		principal.role_session = who->session != NULL ? who->session->role_name : NULL;
	}
	context = ARENA_NEW(r->arena, struct policy_context);
	if (context == NULL || !gather(r, who, identity, &c) ||
	    !policy_context_fill(r, who, action, key, asks_for_tags(r, who), context))
		return false;
	rq = (struct policy_request){ .action = action, .bucket = span_of(r->bucket_name), .key = key, .who = &principal,
		.context = context };
	if (policy_allowed(r->arena, &c, &rq, why))
		return true;
	/* Looked at last, as it costs most, and only where it would be enough. */
	if (*why == POLICY_DENY || r->bucket == NULL || !bucket_has_config(r->bucket, CONFIG_KIND_OWNERSHIP))
		return false;
	c.listed = true;
	return policy_allowed(r->arena, &c, &rq, why) && access_list_allows(r, who, action, key);
}

bool
allowed(const struct req *r, const struct identity *who, const char *action, struct span key)
{
	enum policy_effect why;

	return decide(r, who, action, key, &why);
}

/* Some actions have another name when a version is named. */
static const char *
action_of(const struct req *r)
{
	return s3_operation_action(r->op, req_param(r, "versionId").p != NULL);
}

/* x-amz-expected-bucket-owner: a client that wants no bucket but that owner's. */
static bool
owner_as_expected(const struct req *r)
{
	struct span want = req_header(r, "x-amz-expected-bucket-owner");

	return want.p == NULL || r->bucket == NULL || span_eq(want, span_of(r->bucket->owner_id));
}

/* What is authorised by its handler: only when the body was read it is known who asks, for which keys, or which tags. */
static bool
is_authorised_later(enum s3_op op)
{
	return op == OP_PostObject || op == OP_DeleteObjects || op == OP_PutObjectTagging;
}

/*
 * Who may list the bucket is told that a key is not there, though nothing lets him read it.
 * Source: S3 API Reference, GetObject, "Permissions"; what of a missing key depends on is listing alone.
 */
static bool
may_know_it_is_missing(const struct req *r, const struct identity *who)
{
	struct err err = { 0 };
	struct object o;
	int found;

	if ((r->op != OP_GetObject && r->op != OP_HeadObject) || req_param(r, "versionId").p != NULL ||
	    !allowed(r, who, "s3:ListBucket", SPAN("")))
		return false;
	found = meta_object_get(r->thread->meta, r->arena, r->bucket, r->key, NULL, false, &o, &err);
	return found == 0 || (found == 1 && o.is_marker);
}

int
authorize_read(struct req *r, const struct identity *who)
{
	enum policy_effect why;

	if (decide(r, who, action_of(r), r->key, &why))
		return 0;
	if (why != POLICY_DENY && r->bucket != NULL && may_know_it_is_missing(r, who))
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
}

int
authorize(struct req *r, const struct identity *who)
{
	if (!owner_as_expected(r))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (action_of(r)[0] == '\0' || is_authorised_later(r->op))
		return 0;
	return authorize_read(r, who);
}
