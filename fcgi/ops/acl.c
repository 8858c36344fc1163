/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/acl.c - access control lists and object ownership.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, bucket_config.c, and the handlers that make buckets and write objects.
 * Blocks:     on the cache; lists of a bucket that are put on the global database
 *             and until every region knows; of an object on one statement of the regional one.
 * Invariant:  where ownership is enforced no list is stored, and none is heeded.
 */
#include "fcgi/ops/acl.h"

#include "fcgi/access.h"
#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/ops/bucket_config.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "meta/version.h"

#define DOCUMENT_MAX 65536

static int
refuse(struct req *r, enum s3_code code)
{
	return req_refuse(r, code, NULL, NULL, SPAN(""));
}

/* ---- accounts ---- */

static struct acl_owner
owner_of(struct req *r, const struct identity *who, const struct object *o)
{
	struct err ignored = { 0 };
	const char *name = ops_owner_name(r, who, o->owner_id, &ignored);

	return (struct acl_owner){ o->owner_id, name == NULL ? "" : name };
}

/* Nobody can be granted anything who is not there; what the client calls him is not asked. */
int
acl_name_grantees(struct req *r, const struct identity *who, struct acl *acl)
{
	for (size_t i = 0; i < acl->n; i++) {
		struct acl_grant *g = &acl->v[i];
		struct err err = { 0 };

		if (g->grantee != ACL_USER)
			continue;
		g->name = ops_owner_name(r, who, g->id, &err);
		if (g->name != NULL)
			continue;
		if (err.code != 0 && err.code != ERR_NOT_FOUND)
			return err_fail(&r->err, err.code, err.where, "%s", err.detail);
		(void)s3_problem_argument(&r->problem, "Invalid id", acl_in_headers(&r->headers) ? "id" : "CanonicalUser/ID", span_of(g->id));
		return req_refused(r, "a grantee that is not there");
	}
	return 0;
}

/* ---- what a request says ---- */

struct said {
	bool something;
	struct span word;          /* canned; p NULL: grants */
	struct acl acl;
};

static int
read_headers(struct req *r, const struct identity *who, const struct acl_subject *s, struct said *out)
{
	if (acl_from_headers(r->arena, s, &r->headers, &out->word, &out->acl, &r->problem) != 0)
		return req_refused(r, "the access control list that is asked for is refused");
	out->something = out->word.p != NULL || out->acl.n > 0;
	return out->word.p != NULL ? 0 : acl_name_grantees(r, who, &out->acl);
}

static int
read_body(struct req *r, const struct identity *who, const struct acl_subject *s, struct said *out)
{
	bool there = r->content_length > 0 || payload_is_chunked(who->auth.payload);
	struct span doc;
	struct body b;

	if (out->something)
		return there ? refuse(r, S3_UnexpectedContent) : 0;
	if (!there)
		return req_refuse(r, S3_MissingSecurityHeader, NULL, "MissingHeaderName", SPAN("x-amz-acl"));
	if (body_open(r, who, DOCUMENT_MAX, &b) != 0 || body_all(&b, &doc) != 0)
		return -1;
	if (acl_from_xml(r->arena, s, doc, &out->acl, &r->problem) != 0)
		return req_refused(r, "the access control list is refused");
	return acl_name_grantees(r, who, &out->acl);
}

/* As it is stored; *stored NULL: private. */
static int
stored_form(struct req *r, const struct said *said, const char **stored)
{
	struct strbuf xml;

	*stored = NULL;
	if (said->word.p != NULL) {
		if (acl_is_for_others(&said->acl, said->acl.owner.id) || s3_istarts(said->word, "bucket-owner-"))
			*stored = arena_strndup(r->arena, said->word.p, said->word.len);
		return 0;
	}
	strbuf_init(&xml, r->arena, ACL_XML_MAX);
	acl_xml(&xml, &said->acl);
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the access control list is too long");
	*stored = strbuf_cstr(&xml);
	return 0;
}

/* BlockPublicAcls: none is stored that lets everybody in. */
static int
check_public(struct req *r, const struct acl *acl)
{
	struct s3_access_block block;

	if (!acl_is_public(acl))
		return 0;
	if (access_block(r, &block) != 0)
		return -1;
	return block.block_acls ? req_refuse(r, S3_AccessDenied,
	    "Access Denied: public access control lists are blocked by the BlockPublicAcls setting.", NULL, SPAN("")) : 0;
}

/* Where ownership is enforced this one word says what holds anyway. */
static bool
says_what_holds(const struct said *said)
{
	return span_eq(said->word, SPAN("bucket-owner-full-control"));
}

/*
 * Of a new object, the owner's "private" does so, too. S3 refuses it; but rclone and s3fs say it with each object
 * unless they are told not to, and nothing that it asks for is left undone.
 */
static bool
says_what_holds_of_new(const struct req *r, const struct identity *who, const struct said *said)
{
	return says_what_holds(said) || (is_owner(r, who) && span_eq(said->word, SPAN("private")));
}

int
ops_acl(struct req *r, const struct identity *who, struct object *o)
{
	struct acl_subject s = { false, access_bucket_owner(r), access_bucket_owner(r) };
	enum s3_ownership ownership;
	struct said *said;

	if (access_ownership(r, &ownership, &r->err) != 0)
		return -1;
	if (who->app != NULL && ownership != S3_OWNER_ENFORCED)
		s.owner = (struct acl_owner){ who->app->owner_id, who->app->tenant_name };
	o->owner_id = s.owner.id;
	if (!acl_in_headers(&r->headers))
		return 0;
	said = ARENA_NEW(r->arena, struct said);
	if (said == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (read_headers(r, who, &s, said) != 0)
		return -1;
	if (ownership == S3_OWNER_PREFERRED && says_what_holds(said))
		s.owner = access_bucket_owner(r);
	o->owner_id = s.owner.id;
	if (!said->something)
		return 0;
	if (ownership == S3_OWNER_ENFORCED)
		return says_what_holds_of_new(r, who, said) ? 0 : refuse(r, S3_AccessControlListNotSupported);
	/* Another account shares what is its own. */
	if (is_owner(r, who) && !allowed(r, who, "s3:PutObjectAcl", r->key))
		return refuse(r, S3_AccessDenied);
	return check_public(r, &said->acl) != 0 ? -1 : stored_form(r, said, &o->acl);
}

int
acl_of_new_bucket(struct req *r, const struct identity *who, const char **acl, const char **ownership)
{
	struct acl_owner owner = { who->app->owner_id, who->app->tenant_name };
	struct acl_subject s = { true, owner, owner };
	struct span rule = req_header(r, "x-amz-object-ownership");
	struct said *said = ARENA_NEW(r->arena, struct said);
	enum s3_ownership o = S3_OWNER_ENFORCED;
	const char *unsaid = r->thread->settings->default_object_ownership;

	*acl = *ownership = NULL;
	if (said == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (rule.p != NULL && !s3_ownership_word(rule, &o)) {
		(void)s3_problem_set(&r->problem, S3_InvalidArgument, arena_printf(r->arena, "Invalid x-amz-object-ownership header: %.*s",
		    (int)rule.len, rule.p));
		s3_problem_extra(&r->problem, "ArgumentName", SPAN("x-amz-object-ownership"));
		return req_refused(r, "no such object ownership");
	}
	if (rule.p == NULL && !s3_ownership_word(span_of(unsaid), &o))
		*ownership = S3_OWNERSHIP_NONE;
	else if (o != S3_OWNER_ENFORCED)
		*ownership = s3_ownership_document(r->arena, o);
	if (read_headers(r, who, &s, said) != 0)
		return -1;
	if ((said->something && !allowed(r, who, "s3:PutBucketAcl", SPAN(""))) ||
	    (rule.p != NULL && !allowed(r, who, "s3:PutBucketOwnershipControls", SPAN(""))))
		return refuse(r, S3_AccessDenied);
	if (!said->something || !acl_is_for_others(&said->acl, owner.id))
		return 0;
	if (*ownership == NULL)
		return refuse(r, S3_InvalidBucketAclWithObjectOwnership);
	return stored_form(r, said, acl);
}

/* ---- Get ---- */

static int
answer(struct req *r, const struct acl *acl)
{
	struct strbuf xml;

	strbuf_init(&xml, r->arena, ACL_XML_MAX);
	acl_xml(&xml, acl);
	return reply_xml(r, &xml);
}

int
op_get_bucket_acl(struct req *r, const struct identity *who)
{
	struct acl_subject s = { true, access_bucket_owner(r), access_bucket_owner(r) };
	struct acl *acl = ARENA_NEW(r->arena, struct acl);
	enum s3_ownership ownership;

	(void)who;
	if (acl == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (access_ownership(r, &ownership, &r->err) != 0 || access_bucket_acl(r, acl, &r->err) != 0)
		return -1;
	if (ownership == S3_OWNER_ENFORCED)
		(void)acl_canned(&s, SPAN("private"), acl);
	return answer(r, acl);
}

int
op_get_object_acl(struct req *r, const struct identity *who)
{
	struct acl_subject s = { false, access_bucket_owner(r), access_bucket_owner(r) };
	struct acl *acl = ARENA_NEW(r->arena, struct acl);
	enum s3_ownership ownership;
	struct object o;

	if (acl == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (access_ownership(r, &ownership, &r->err) != 0 || ops_find_object(r, who, false, &o) != 0)
		return -1;
	if (ownership == S3_OWNER_ENFORCED)
		(void)acl_canned(&s, SPAN("private"), acl);
	else {
		s.owner = owner_of(r, who, &o);
		acl_read(r->arena, &s, o.acl, acl);
	}
	return answer(r, acl);
}

/* ---- Put ---- */

static int
done(struct req *r)
{
	struct reply rp;

	reply_begin(&rp, r, 200);
	return reply_empty(&rp);
}

/* 1: there is a list to be stored. 0: it says what holds anyway. -1: refused. */
static int
read_change(struct req *r, const struct identity *who, const struct acl_subject *s, enum s3_ownership ownership, const char **stored)
{
	struct said *said = ARENA_NEW(r->arena, struct said);

	if (said == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (read_headers(r, who, s, said) != 0 || read_body(r, who, s, said) != 0)
		return -1;
	if (ownership == S3_OWNER_ENFORCED)
		return says_what_holds(said) ? 0 : refuse(r, S3_AccessControlListNotSupported);
	return check_public(r, &said->acl) != 0 || stored_form(r, said, stored) != 0 ? -1 : 1;
}

int
op_put_bucket_acl(struct req *r, const struct identity *who)
{
	struct acl_subject s = { true, access_bucket_owner(r), access_bucket_owner(r) };
	enum s3_ownership ownership;
	const char *stored;
	int rc;

	if (access_ownership(r, &ownership, &r->err) != 0)
		return -1;
	rc = read_change(r, who, &s, ownership, &stored);
	if (rc < 0 || (rc == 1 && config_store(r, CONFIG_KIND_ACL, stored) != 0))
		return -1;
	return done(r);
}

int
op_put_object_acl(struct req *r, const struct identity *who)
{
	struct acl_subject s = { false, access_bucket_owner(r), access_bucket_owner(r) };
	const struct version_id *version;
	enum s3_ownership ownership;
	const char *stored, *named;
	struct version_id buf;
	enum object_wrote wrote;
	struct reply rp;
	struct object o;
	int rc;

	if (ops_version_of(r, req_param(r, "versionId"), &buf, &version) != 0 ||
	    access_ownership(r, &ownership, &r->err) != 0 || ops_find_object(r, who, false, &o) != 0)
		return -1;
	if (ownership != S3_OWNER_ENFORCED)
		s.owner = owner_of(r, who, &o);
	rc = read_change(r, who, &s, ownership, &stored);
	if (rc <= 0)
		return rc < 0 ? -1 : done(r);
	/* Of the version that was looked at, whatever is put meanwhile. */
	if (version == NULL) {
		buf = (struct version_id){ o.is_null, o.ord };
		version = &buf;
	}
	if (meta_object_set_acl(r->thread->meta, r->arena, r->bucket, r->key, version, stored == NULL ? "private" : stored, &wrote, &named,
	        &r->err) != 0 || ops_changed(r, (int)wrote) != 0)
		return -1;
	reply_begin(&rp, r, 200);
	if (r->bucket->versioning[0] != '\0')
		reply_str(&rp, "x-amz-version-id", named);
	return reply_empty(&rp);
}

/* ---- object ownership ---- */

/* Enforced takes effect only where no list let others in: nobody is shut out unawares. */
int
ownership_may_be_put(struct req *r, const struct identity *who, const char *stored)
{
	struct acl *acl = ARENA_NEW(r->arena, struct acl);

	(void)who;
	if (acl == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (stored != NULL)
		return 0;
	if (access_bucket_acl(r, acl, &r->err) != 0)
		return -1;
	return acl_is_for_others(acl, r->bucket->owner_id) ? refuse(r, S3_InvalidBucketAclWithObjectOwnership) : 0;
}

int
op_get_bucket_ownership_controls(struct req *r, const struct identity *who)
{
	const char *doc;
	struct reply rp;

	(void)who;
	if (meta_bucket_config(r->thread->meta, r->arena, r->bucket, CONFIG_KIND_OWNERSHIP, &doc, &r->err) != 0)
		return -1;
	if (doc == NULL)
		doc = s3_ownership_document(r->arena, S3_OWNER_ENFORCED);
	if (strcmp(doc, S3_OWNERSHIP_NONE) == 0)
		return req_refuse(r, S3_OwnershipControlsNotFoundError, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, 200);
	return reply_body(&rp, "application/xml", span_of(doc));
}

int
op_delete_bucket_ownership_controls(struct req *r, const struct identity *who)
{
	struct reply rp;

	(void)who;
	if (config_store(r, CONFIG_KIND_OWNERSHIP, S3_OWNERSHIP_NONE) != 0)
		return -1;
	reply_begin(&rp, r, 204);
	return reply_empty(&rp);
}
