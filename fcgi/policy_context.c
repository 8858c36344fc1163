/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/policy_context.c - the circumstances of a request, as conditions of policies name them.
 *
 * Owns:       nothing.
 * Called by:  authorize.c, when there is a policy to evaluate.
 * Blocks:     on the regional database, only when a policy asks for an object's tags.
 * Invariant:  a key without a value here is absent, which an Allow never takes for one that fits.
 * Source:     Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3";
 *             IAM User Guide, "AWS global condition context keys".
 */
#include "fcgi/policy_context.h"

#include "base/clock.h"
#include "meta/object.h"
#include "s3/copy_source.h"
#include "s3/date.h"
#include "s3/tagging.h"

static const char *const from_query[][2] = {
	{ "s3:prefix", "prefix" },
	{ "s3:delimiter", "delimiter" },
	{ "s3:max-keys", "max-keys" },
	{ "s3:VersionId", "versionId" },
};
static const char *const from_header[][2] = {
	{ "aws:UserAgent", "user-agent" },
	{ "aws:Referer", "referer" },
	{ "s3:if-match", "if-match" },
	{ "s3:if-none-match", "if-none-match" },
	{ "s3:object-lock-legal-hold", "x-amz-object-lock-legal-hold" },
	{ "s3:object-lock-mode", "x-amz-object-lock-mode" },
	{ "s3:object-lock-retain-until-date", "x-amz-object-lock-retain-until-date" },
	{ "s3:x-amz-acl", "x-amz-acl" },
	{ "s3:x-amz-content-sha256", "x-amz-content-sha256" },
	{ "s3:x-amz-grant-full-control", "x-amz-grant-full-control" },
	{ "s3:x-amz-grant-read", "x-amz-grant-read" },
	{ "s3:x-amz-grant-read-acp", "x-amz-grant-read-acp" },
	{ "s3:x-amz-grant-write", "x-amz-grant-write" },
	{ "s3:x-amz-grant-write-acp", "x-amz-grant-write-acp" },
	{ "s3:x-amz-metadata-directive", "x-amz-metadata-directive" },
	{ "s3:x-amz-object-ownership", "x-amz-object-ownership" },
	{ "s3:x-amz-server-side-encryption", "x-amz-server-side-encryption" },
	{ "s3:x-amz-server-side-encryption-aws-kms-key-id", "x-amz-server-side-encryption-aws-kms-key-id" },
	{ "s3:x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-algorithm" },
	{ "s3:x-amz-storage-class", "x-amz-storage-class" },
};

static const char *
iso_text(struct arena *a, int64_t us)
{
	char text[DATE_ISO_SIZE];

	date_iso_s(us, text);
	return arena_strdup(a, text);
}

/* A value that was to be made and could not be is none. */
static void
add(struct policy_context *c, const char *key, const char *value)
{
	if (key != NULL && value != NULL)
		policy_context_add(c, key, span_of(value));
}

/* ---- tags ---- */

/* Of "a=b&c=d": PREFIX/a is b; and, when `keys` is given, that key has each of the names. Read as they are for the row. */
static void
add_tags(const struct req *r, struct policy_context *c, const char *prefix, const char *keys, struct span text)
{
	struct s3_problem ignored = { 0 };
	struct s3_tags tags;

	if (text.len == 0 || s3_tags_from_text(r->arena, text, &tags, &ignored) != 0)
		return; /* a put with such a header is refused by its handler */
	for (size_t i = 0; i < tags.n; i++) {
		struct span name = tags.v[i].key;
		const char *key = arena_printf(r->arena, "%s/%.*s", prefix, (int)name.len, name.p);

		if (key != NULL)
			policy_context_add(c, key, tags.v[i].value);
		if (keys != NULL)
			policy_context_add(c, keys, name);
	}
}

/* The tags that this request would put. */
static struct span
request_tags(const struct req *r)
{
	if (r->op == OP_PutObjectTagging || r->request_tags.p != NULL)
		return r->request_tags; /* of its document, which no header speaks for */
	/* Of a copy the header says nothing unless it replaces the source's tags. */
	if (r->op == OP_CopyObject && !span_eq(req_header(r, "x-amz-tagging-directive"), SPAN("REPLACE")))
		return SPAN("");
	return req_header(r, "x-amz-tagging");
}

/* The actions for which S3 knows the tags of the object that is there. */
static bool
knows_existing_tags(const char *action)
{
	return strncmp(action, "s3:GetObject", 12) == 0 || strstr(action, "Tagging") != NULL || strcmp(action, "s3:PutObjectAcl") == 0 ||
	    strcmp(action, "s3:PutObjectVersionAcl") == 0;
}

static bool
add_existing_tags(const struct req *r, struct policy_context *c, const char *action, struct span key)
{
	struct span version = req_param(r, "versionId");
	struct err err = { 0 };
	struct version_id id;
	struct object o;
	int found;

	if (key.len == 0 || r->bucket == NULL || !knows_existing_tags(action))
		return true;
	if (version.p != NULL && !version_parse(version, &id))
		return true; /* there is no such version, and so no tags */
	found = meta_object_get(r->thread->meta, r->arena, r->bucket, key, version.p != NULL ? &id : NULL, false, &o, &err);
	if (found == 1)
		add_tags(r, c, "s3:ExistingObjectTag", NULL, o.tags);
	return found >= 0;
}

/* ---- copies ---- */

/* "bucket/key[?versionId=id]", decoded: however a client spells the source, a policy that denies it fits. */
static void
add_copy_source(const struct req *r, struct policy_context *c)
{
	struct span header = req_header(r, COPY_SOURCE_HEADER);
	struct s3_problem ignored = { 0 };
	struct copy_source_name n;
	struct strbuf sb;

	if (header.p == NULL || copy_source_parse(r->arena, header, &n, &ignored) != 0)
		return; /* refused by its handler */
	strbuf_init(&sb, r->arena, header.len + 1);
	strbuf_span(&sb, n.bucket);
	strbuf_ch(&sb, '/');
	strbuf_span(&sb, n.key);
	if (n.version.p != NULL) {
		strbuf_str(&sb, "?versionId=");
		strbuf_span(&sb, n.version);
	}
	if (strbuf_ok(&sb))
		add(c, "s3:x-amz-copy-source", strbuf_cstr(&sb));
}

/* ---- who asks ---- */

static void
add_session(const struct req *r, const struct session *s, struct policy_context *c)
{
	add(c, "aws:TokenIssueTime", iso_text(r->arena, s->issued_us));
	add(c, "aws:MultiFactorAuthPresent", "false");
}

static void
add_principal(const struct req *r, const struct identity *who, struct policy_context *c)
{
	static const char *const auth_types[] = {
		[SIGV4_HEADER] = "REST-HEADER", [SIGV4_PRESIGNED] = "REST-QUERY-STRING", [SIGV4_POST_FORM] = "POST",
	};
	const struct app *app = who->app;
	const char *role = who->session != NULL ? who->session->role_name : NULL;
	const char *name = app->name[0] != '\0' ? app->name : app->access_key;

	add(c, "aws:PrincipalType", role != NULL ? "AssumedRole" : "User");
	add(c, "aws:PrincipalAccount", app->owner_id);
	add(c, "aws:PrincipalArn", arena_printf(r->arena, "arn:aws:iam::%s:%s/%s", app->owner_id, role != NULL ? "role" : "user", name));
	if (role == NULL)
		add(c, "aws:username", name);
	add(c, "aws:userid", role == NULL ? app->access_key : arena_printf(r->arena, "%s:%s", app->access_key, role));
	if (who->session != NULL)
		add_session(r, who->session, c);
	add(c, "s3:signatureversion", "AWS4-HMAC-SHA256");
	add(c, "s3:authType", auth_types[who->auth.form]);
	add(c, "s3:signatureAge", arena_printf(r->arena, "%" PRId64, (r->now_us - who->auth.time_us) / US_PER_MS));
}

/*
 * Of a key that is not there it is asked whether he may list it: then the key is the
 * prefix, and what his query says is nothing to it.
 */
static struct span
query_value(const struct req *r, const char *action, const char *name)
{
	if (r->key.len == 0 || strcmp(name, "prefix") != 0)
		return req_param(r, name);
	return strcmp(action, "s3:ListBucket") == 0 ? r->key : (struct span){ NULL, 0 };
}

bool
policy_context_fill(const struct req *r, const struct identity *who, const char *action, struct span key, bool want_tags,
    struct policy_context *c)
{
	add(c, "aws:CurrentTime", iso_text(r->arena, r->now_us));
	add(c, "aws:EpochTime", arena_printf(r->arena, "%" PRId64, r->now_us / US_PER_S));
	add(c, "aws:SourceIp", r->client_addr);
	add(c, "aws:SecureTransport", r->secure ? "true" : "false");
	add(c, "aws:RequestedRegion", r->thread->settings->region);
	add(c, "aws:PrincipalIsAWSService", "false"); /* a Deny for all but services asks for it */
	add(c, "aws:ViaAWSService", "false");
	for (size_t i = 0; i < ARRAY_LEN(from_query); i++)
		policy_context_add(c, from_query[i][0], query_value(r, action, from_query[i][1]));
	for (size_t i = 0; i < ARRAY_LEN(from_header); i++)
		policy_context_add(c, from_header[i][0], req_header(r, from_header[i][1]));
	add_copy_source(r, c);
	add_tags(r, c, "s3:RequestObjectTag", "s3:RequestObjectTagKeys", request_tags(r));
	if (r->bucket != NULL) {
		add(c, "s3:ResourceAccount", r->bucket->owner_id);
		add(c, "aws:ResourceAccount", r->bucket->owner_id);
	}
	if (who->app == NULL)
		add(c, "aws:PrincipalType", "Anonymous");
	else
		add_principal(r, who, c);
	return !want_tags || add_existing_tags(r, c, action, key);
}
