/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/authorize.c - may the one who asks do what is asked: whose bucket it is,
 * the app's policies, the bucket's policy.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c in the bucket's home region; handlers that need more than their row says.
 * Blocks:     no.
 * Invariant:  a policy that cannot be read allows nobody anything.
 */
#include "fcgi/authorize.h"

#include "base/clock.h"
#include "base/log.h"
#include "s3/date.h"
#include "s3/policy.h"

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

/* What policies may ask about the request. */
static void
fill_context(const struct req *r, const struct identity *who, struct policy_context *c)
{
	static const char *const from_query[][2] = {
		{ "s3:prefix", "prefix" }, { "s3:delimiter", "delimiter" }, { "s3:max-keys", "max-keys" },
		{ "s3:VersionId", "versionId" },
	};
	static const char *const from_header[][2] = {
		{ "aws:UserAgent", "user-agent" }, { "aws:Referer", "referer" }, { "s3:x-amz-acl", "x-amz-acl" },
		{ "s3:x-amz-storage-class", "x-amz-storage-class" },
		{ "s3:x-amz-content-sha256", "x-amz-content-sha256" },
		{ "s3:x-amz-metadata-directive", "x-amz-metadata-directive" },
		{ "s3:x-amz-server-side-encryption", "x-amz-server-side-encryption" },
		{ "s3:if-none-match", "if-none-match" }, { "s3:if-match", "if-match" },
	};
	static const char *const auth_types[] = {
		[SIGV4_HEADER] = "REST-HEADER", [SIGV4_PRESIGNED] = "REST-QUERY-STRING", [SIGV4_POST_FORM] = "POST",
	};
	char now[DATE_ISO_SIZE];
	const char *epoch = arena_printf(r->arena, "%" PRId64, r->now_us / US_PER_S);

	date_iso_s(r->now_us, now);
	policy_context_add(c, "aws:CurrentTime", span_of(arena_strdup(r->arena, now)));
	policy_context_add(c, "aws:EpochTime", span_of(epoch));
	policy_context_add(c, "aws:SourceIp", span_of(r->client_addr));
	policy_context_add(c, "aws:SecureTransport", span_of(r->secure ? "true" : "false"));
	for (size_t i = 0; i < ARRAY_LEN(from_query); i++)
		policy_context_add(c, from_query[i][0], req_param(r, from_query[i][1]));
	for (size_t i = 0; i < ARRAY_LEN(from_header); i++)
		policy_context_add(c, from_header[i][0], req_header(r, from_header[i][1]));
	if (r->bucket != NULL)
		policy_context_add(c, "s3:ResourceAccount", span_of(r->bucket->owner_id));
	if (who->app == NULL) {
		policy_context_add(c, "aws:PrincipalType", SPAN("Anonymous"));
		return;
	}
	policy_context_add(c, "aws:PrincipalType", SPAN("User"));
	policy_context_add(c, "aws:PrincipalAccount", span_of(who->app->owner_id));
	policy_context_add(c, "aws:username", span_of(who->app->name));
	policy_context_add(c, "aws:userid", span_of(who->app->access_key));
	policy_context_add(c, "s3:signatureversion", SPAN("AWS4-HMAC-SHA256"));
	policy_context_add(c, "s3:authType", span_of(auth_types[who->auth.form]));
	policy_context_add(c, "s3:signatureAge",
	    span_of(arena_printf(r->arena, "%" PRId64, (r->now_us - who->auth.time_us) / US_PER_MS)));
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
	}
	return true;
}

bool
allowed(const struct req *r, const struct identity *who, const char *action, struct span key)
{
	const struct policy *identity[POLICIES_MAX];
	struct policy_principal principal = { .anonymous = who->app == NULL };
	struct policy_context *context;
	struct policy_case c;
	enum policy_effect why;

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
	if (context == NULL || !gather(r, who, identity, &c))
		return false;
	fill_context(r, who, context);
	return policy_allowed(r->arena, &c,
	    &(struct policy_request){ .action = action, .bucket = span_of(r->bucket_name), .key = key, .who = &principal,
		.context = context },
	    &why);
}

/* Some actions have another name when a version is named. */
static const char *
action_of(const struct req *r)
{
	const struct s3_operation *op = s3_operation(r->op);

	if ((op->flags & S3_OP_VERSION) != 0 && req_param(r, "versionId").p != NULL) {
		if (r->op == OP_GetObject || r->op == OP_HeadObject)
			return "s3:GetObjectVersion";
		if (r->op == OP_DeleteObject)
			return "s3:DeleteObjectVersion";
	}
	return op->action;
}

/* x-amz-expected-bucket-owner: a client that wants no bucket but that owner's. */
static bool
owner_as_expected(const struct req *r)
{
	struct span want = req_header(r, "x-amz-expected-bucket-owner");

	return want.p == NULL || r->bucket == NULL || span_eq(want, span_of(r->bucket->owner_id));
}

int
authorize(struct req *r, const struct identity *who)
{
	const char *action = action_of(r);

	if (!owner_as_expected(r))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	/* A form is authorised when it has been read (post_object.c): only then it is known who asks, and for which key. */
	if (action[0] == '\0' || r->op == OP_PostObject || allowed(r, who, action, r->key))
		return 0;
	return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
}
