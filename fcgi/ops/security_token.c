/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/security_token.c - temporary credentials: AssumeRole, GetSessionToken and
 * GetCallerIdentity of the Security Token Service, at the endpoint itself.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, in whichever region is asked.
 * Blocks:     AssumeRole of another app on memcached or the global database.
 * Invariant:  a session may never do more than the app it acts for, and nobody may act
 *             for another tenant's app.
 *
 * A role is an app: arn:aws:iam::TENANT:role/NAME, where TENANT is the caller's (its canonical id or name) and NAME the
 * caller's own name or access key; or the access key of another app of its tenant, when the caller has full access.
 * Source: AWS Security Token Service API Reference.
 */
#include "fcgi/sts.h"

#include "base/clock.h"
#include "base/parse.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "s3/policy.h"
#include "s3/xml.h"

#define ANSWER_MAX 16384
#define DURATION_MIN 900
#define SESSION_TOKEN_DURATION 43200
#define SESSION_TOKEN_DURATION_MAX 129600
#define ROLE_DURATION 3600
#define ROLE_DURATION_MAX 43200

/* ---- parameters ---- */

static struct span
param(const struct req *r, const char *name)
{
	return s3_query_get(&r->sts, name);
}

static int
invalid(struct req *r, const char *name, struct span value, const char *rule)
{
	const char *text = arena_printf(r->arena, "1 validation error detected: Value '%.*s' at '%s' failed to satisfy constraint: %s",
	    (int)(value.len > 256 ? 256 : value.len), value.len > 0 ? value.p : "", name, rule);

	return req_refuse(r, S3_InvalidArgument, text, NULL, SPAN(""));
}

static int
duration(struct req *r, int64_t usual, int64_t max, struct session *s)
{
	struct span value = param(r, "DurationSeconds");
	int64_t secs = usual;

	if (value.p != NULL && !parse_i64(value, DURATION_MIN, max, &secs))
		return invalid(r, "durationSeconds", value, arena_printf(r->arena, "Member must have a value between %d and %" PRId64,
		    DURATION_MIN, max));
	s->issued_us = r->now_us;
	s->expires_us = r->now_us / US_PER_S * US_PER_S + secs * US_PER_S; /* as the answer's text has it */
	return 0;
}

/* As IAM has it: [\w+=,.@-]{2,64}. */
static bool
is_session_name(struct span s)
{
	if (s.len < 2 || s.len > SESSION_NAME_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char c = s.p[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c != '\0' && strchr("_+=,.@-", c) != NULL)))
			return false;
	}
	return true;
}

static int
session_policy(struct req *r, struct session *s)
{
	struct span value = param(r, "Policy");

	/* Passed over, they would leave the session with more than was asked for. */
	for (size_t i = 0; i < r->sts.n; i++)
		if (s3_istarts(r->sts.p[i].name, "policyarns.") || s3_istarts(r->sts.p[i].name, "tags."))
			return req_refuse(r, S3_NotImplemented, "PolicyArns and Tags are not implemented: give the policy itself.", NULL,
			    SPAN(""));
	if (value.p == NULL)
		return 0;
	if (value.len == 0 || value.len > SESSION_POLICY_MAX)
		return invalid(r, "policy", SPAN(""), "Member must have length between 1 and " ANVIL_STR(SESSION_POLICY_MAX));
	if (policy_parse(r->arena, value, POLICY_IDENTITY, NULL, &r->problem) == NULL)
		return req_refused(r, "the session's policy is refused");
	s->policy = arena_strndup(r->arena, value.p, value.len);
	return s->policy == NULL ? FAIL(&r->err, ERR_LIMIT, "arena is full") : 0;
}

/* No second factor is known here; a request that proves one is told so. */
static int
no_mfa(struct req *r)
{
	if (param(r, "SerialNumber").p == NULL && param(r, "TokenCode").p == NULL)
		return 0;
	return req_refuse(r, S3_AccessDenied, "MultiFactorAuthentication failed with invalid MFA one time pass code.", NULL, SPAN(""));
}

/* ---- answers ---- */

static const char *
name_of(const struct app *app)
{
	return app->name[0] != '\0' ? app->name : app->access_key;
}

static const char *
user_arn(struct req *r, const struct app *app, const char *role_session)
{
	if (role_session != NULL)
		return arena_printf(r->arena, "arn:aws:sts::%s:assumed-role/%s/%s", app->owner_id, name_of(app), role_session);
	return arena_printf(r->arena, "arn:aws:iam::%s:user/%s", app->owner_id, name_of(app));
}

static const char *
user_id(struct req *r, const struct app *app, const char *role_session)
{
	return role_session == NULL ? app->access_key : arena_printf(r->arena, "%s:%s", app->access_key, role_session);
}

static void
begin(struct req *r, struct strbuf *xml, const char *action)
{
	strbuf_init(xml, r->arena, ANSWER_MAX);
	strbuf_printf(xml, XML_DECLARATION "<%sResponse xmlns=\"" STS_NS "\"><%sResult>", action, action);
}

static int
end(struct req *r, struct strbuf *xml, const char *action)
{
	struct reply rp;

	strbuf_printf(xml, "</%sResult><ResponseMetadata>", action);
	xml_str(xml, "RequestId", r->id);
	strbuf_printf(xml, "</ResponseMetadata></%sResponse>", action);
	if (!strbuf_ok(xml))
		return FAIL(&r->err, ERR_LIMIT, "the answer is too long");
	reply_begin(&rp, r, 200);
	reply_str(&rp, "Cache-Control", "no-store");
	return reply_body(&rp, "text/xml", (struct span){ xml->buf, xml->len });
}

static int
credentials(struct req *r, const struct app *app, struct session *s, struct strbuf *xml)
{
	const char *token;

	if (!session_make(r->arena, app, s) || (token = session_token(r->arena, r->thread->settings, s)) == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	xml_open(xml, "Credentials");
	xml_str(xml, "AccessKeyId", s->access_key);
	xml_str(xml, "SecretAccessKey", s->secret);
	xml_str(xml, "SessionToken", token);
	xml_time(xml, "Expiration", s->expires_us);
	xml_close(xml, "Credentials");
	return 0;
}

/* ---- actions ---- */

static int
get_caller_identity(struct req *r, const struct identity *who)
{
	const char *role = who->session != NULL ? who->session->role_name : NULL;
	struct strbuf xml;

	begin(r, &xml, "GetCallerIdentity");
	xml_str(&xml, "Arn", user_arn(r, who->app, role));
	xml_str(&xml, "UserId", user_id(r, who->app, role));
	xml_str(&xml, "Account", who->app->owner_id);
	return end(r, &xml, "GetCallerIdentity");
}

static int
only_lasting(struct req *r, const struct identity *who, const char *action)
{
	if (who->session == NULL)
		return 0;
	return req_refuse(r, S3_AccessDenied, arena_printf(r->arena, "Cannot call %s with session credentials", action), NULL, SPAN(""));
}

static int
get_session_token(struct req *r, const struct identity *who)
{
	struct session s = { 0 };
	struct strbuf xml;

	if (only_lasting(r, who, "GetSessionToken") != 0 || no_mfa(r) != 0 ||
	    duration(r, SESSION_TOKEN_DURATION, SESSION_TOKEN_DURATION_MAX, &s) != 0)
		return -1;
	begin(r, &xml, "GetSessionToken");
	if (credentials(r, who->app, &s, &xml) != 0)
		return -1;
	return end(r, &xml, "GetSessionToken");
}

/* NAME of arn:aws:iam::TENANT:role/NAME in the caller's own tenant; p NULL: another's, or no such form. */
static struct span
role_of(const struct app *app, struct span arn)
{
	static const char head[] = "arn:aws:iam::", word[] = "role/";
	const struct span none = { NULL, 0 };
	struct span tenant, name;
	const char *colon;

	if (arn.len <= sizeof(head) - 1 || memcmp(arn.p, head, sizeof(head) - 1) != 0)
		return none;
	arn.p += sizeof(head) - 1;
	arn.len -= sizeof(head) - 1;
	colon = memchr(arn.p, ':', arn.len);
	if (colon == NULL)
		return none;
	tenant = (struct span){ arn.p, (size_t)(colon - arn.p) };
	name = (struct span){ colon + 1, arn.len - tenant.len - 1 };
	if ((!span_eq(tenant, span_of(app->owner_id)) && !span_eq(tenant, span_of(app->tenant_name))) || name.len <= sizeof(word) - 1 ||
	    memcmp(name.p, word, sizeof(word) - 1) != 0)
		return none;
	name.p += sizeof(word) - 1;
	name.len -= sizeof(word) - 1;
	return name;
}

/* The app that the role is, if the caller may act for it. -1: AccessDenied, as for a role that is not there. */
static int
find_role(struct req *r, const struct identity *who, struct span arn, const struct app **out)
{
	struct span name = role_of(who->app, arn);
	struct meta_found *found;
	const char *key;

	*out = who->app;
	if (name.p != NULL && (span_eq(name, span_of(who->app->access_key)) || span_eq(name, span_of(name_of(who->app)))))
		return 0;
	found = ARENA_NEW(r->arena, struct meta_found);
	key = arena_strndup(r->arena, name.p == NULL ? "" : name.p, name.len);
	if (found == NULL || key == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (name.p != NULL && name.len <= 128 && who->app->access == APP_FULL && memchr(name.p, '\0', name.len) == NULL &&
	    meta_find(r->thread->meta, r->arena, key, NULL, found, &r->err) != 0)
		return -1;
	if (found->has_app && found->app.enabled && memcmp(&found->app.tenant_id, &who->app->tenant_id, sizeof(struct uuid)) == 0) {
		*out = &found->app;
		return 0;
	}
	return req_refuse(r, S3_AccessDenied, arena_printf(r->arena, "User: %s is not authorized to perform: sts:AssumeRole on resource: %.*s",
	    user_arn(r, who->app, NULL), (int)(arn.len > 256 ? 256 : arn.len), arn.len > 0 ? arn.p : ""), NULL, SPAN(""));
}

static int
assume_role(struct req *r, const struct identity *who)
{
	struct span arn = param(r, "RoleArn"), name = param(r, "RoleSessionName");
	struct session s = { 0 };
	const struct app *role;
	struct strbuf xml;

	if (only_lasting(r, who, "AssumeRole") != 0 || no_mfa(r) != 0)
		return -1;
	if (arn.len < 20 || arn.len > 2048)
		return invalid(r, "roleArn", arn, "Member must have length between 20 and 2048");
	if (!is_session_name(name))
		return invalid(r, "roleSessionName", name, "Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}");
	if (duration(r, ROLE_DURATION, ROLE_DURATION_MAX, &s) != 0 || session_policy(r, &s) != 0 ||
	    find_role(r, who, arn, &role) != 0)
		return -1;
	s.role_name = arena_strndup(r->arena, name.p, name.len);
	if (s.role_name == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	begin(r, &xml, "AssumeRole");
	xml_open(&xml, "AssumedRoleUser");
	xml_str(&xml, "Arn", user_arn(r, role, s.role_name));
	xml_str(&xml, "AssumedRoleId", user_id(r, role, s.role_name));
	xml_close(&xml, "AssumedRoleUser");
	if (credentials(r, role, &s, &xml) != 0)
		return -1;
	return end(r, &xml, "AssumeRole");
}

static const struct {
	const char *name;
	op_fn fn;
} actions[] = {
	{ "AssumeRole", assume_role },
	{ "GetCallerIdentity", get_caller_identity },
	{ "GetSessionToken", get_session_token },
};

int
op_security_token(struct req *r, const struct identity *who)
{
	struct span action = param(r, "Action"), version = param(r, "Version");

	if (who->app == NULL)
		return req_refuse(r, S3_MissingAuthenticationToken, NULL, NULL, SPAN(""));
	for (size_t i = 0; i < ARRAY_LEN(actions); i++)
		if (span_eq(action, span_of(actions[i].name)) && (version.p == NULL || span_eq(version, SPAN("2011-06-15"))))
			return actions[i].fn(r, who);
	return req_refuse(r, S3_InvalidAction, arena_printf(r->arena, "Could not find operation %.*s for version %.*s",
	    (int)(action.len > 64 ? 64 : action.len), action.len > 0 ? action.p : "",
	    (int)(version.len > 64 ? 64 : version.len), version.len > 0 ? version.p : ""), NULL, SPAN(""));
}
