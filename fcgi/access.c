/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/access.c - a bucket's public access block, object ownership and access control lists.
 *
 * Owns:       nothing.
 * Called by:  authorize.c, handlers.
 * Blocks:     on the cache; on a miss on the global database; for an object's list
 *             on the regional one.
 * Invariant:  a document that cannot be read refuses public access, and a list that
 *             cannot be read lets nobody in.
 * Source:     S3 User Guide, "How Amazon S3 authorizes a request", "Mapping of ACL
 *             permissions and access policy permissions".
 */
#include "fcgi/access.h"

#include "base/log.h"

static int
document(const struct req *r, enum config_kind kind, const char **out, struct err *err)
{
	return meta_bucket_config(r->thread->meta, r->arena, r->bucket, kind, out, err);
}

static int
read_block(const struct req *r, struct s3_access_block *out, struct err *err)
{
	const char *doc;

	if (document(r, CONFIG_KIND_PUBLIC_ACCESS_BLOCK, &doc, err) != 0)
		return -1;
	s3_access_block_read(r->arena, doc, out);
	return 0;
}

int
access_block(struct req *r, struct s3_access_block *out)
{
	return read_block(r, out, &r->err);
}

bool
access_is_restricted(const struct req *r)
{
	struct s3_access_block block;
	struct err why = { 0 };

	return read_block(r, &block, &why) != 0 || block.restrict_buckets;
}

int
access_ownership(const struct req *r, enum s3_ownership *out, struct err *err)
{
	const char *doc;

	if (document(r, CONFIG_KIND_OWNERSHIP, &doc, err) != 0)
		return -1;
	*out = s3_ownership_read(r->arena, doc);
	return 0;
}

/* ---- lists ---- */

struct acl_owner
access_bucket_owner(const struct req *r)
{
	return (struct acl_owner){ r->bucket->owner_id, r->bucket->owner_name };
}

int
access_bucket_acl(const struct req *r, struct acl *out, struct err *err)
{
	struct acl_subject s = { true, access_bucket_owner(r), access_bucket_owner(r) };
	const char *doc;

	if (document(r, CONFIG_KIND_ACL, &doc, err) != 0)
		return -1;
	acl_read(r->arena, &s, doc, out);
	return 0;
}

void
access_object_acl(const struct req *r, const struct object *o, struct acl *out)
{
	struct acl_subject s = { false, { o->owner_id, "" }, access_bucket_owner(r) };

	acl_read(r->arena, &s, o->acl, out);
}

/* What the action needs of the bucket's list and of the object's; 0: no list gives it. */
static const struct {
	const char *action;
	int bucket, object;
} needs[] = {
	{ "s3:ListBucket", ACL_READ, 0 },
	{ "s3:ListBucketVersions", ACL_READ, 0 },
	{ "s3:ListBucketMultipartUploads", ACL_READ, 0 },
	{ "s3:PutObject", ACL_WRITE, 0 },
	{ "s3:DeleteObject", ACL_WRITE, 0 },
	{ "s3:AbortMultipartUpload", ACL_WRITE, 0 },
	{ "s3:ListMultipartUploadParts", ACL_WRITE, 0 },
	{ "s3:GetBucketAcl", ACL_READ_ACP, 0 },
	{ "s3:PutBucketAcl", ACL_WRITE_ACP, 0 },
	{ "s3:GetObject", 0, ACL_READ },
	{ "s3:GetObjectVersion", 0, ACL_READ },
	{ "s3:GetObjectAttributes", 0, ACL_READ },
	{ "s3:GetObjectVersionAttributes", 0, ACL_READ },
	{ "s3:GetObjectAcl", 0, ACL_READ_ACP },
	{ "s3:GetObjectVersionAcl", 0, ACL_READ_ACP },
	{ "s3:PutObjectAcl", 0, ACL_WRITE_ACP },
	{ "s3:PutObjectVersionAcl", 0, ACL_WRITE_ACP },
};

static const char *
account(const struct identity *who)
{
	return who->app == NULL ? NULL : who->app->owner_id;
}

/* Whoever may list the bucket may know that a key is not there. */
static int
object_allows(const struct req *r, const struct identity *who, struct span key, int want, bool skip_public, struct err *err)
{
	struct span text = req_param(r, "versionId");
	const struct version_id *version = NULL;
	struct version_id named;
	struct object o;
	struct acl acl;
	int found;

	if (text.p != NULL) {
		if (!version_parse(text, &named))
			return 1; /* the handler says what is wrong with it */
		version = &named;
	}
	found = meta_object_get(r->thread->meta, r->arena, r->bucket, key, version, false, &o, err);
	if (found < 0)
		return -1;
	if (found == 0 || o.is_marker) {
		if (access_bucket_acl(r, &acl, err) != 0)
			return -1;
		return acl_grants(&acl, account(who), ACL_READ, skip_public);
	}
	access_object_acl(r, &o, &acl);
	return acl_grants(&acl, account(who), (enum acl_permission)want, skip_public);
}

/* 1 yes, 0 no, -1 with err. */
static int
list_allows(const struct req *r, const struct identity *who, const char *action, struct span key, struct err *err)
{
	struct s3_access_block block;
	enum s3_ownership ownership;
	struct acl acl;
	size_t i = 0;

	while (i < ARRAY_LEN(needs) && strcmp(needs[i].action, action) != 0)
		i++;
	if (i == ARRAY_LEN(needs))
		return 0;
	if (access_ownership(r, &ownership, err) != 0)
		return -1;
	if (ownership == S3_OWNER_ENFORCED)
		return 0;
	if (read_block(r, &block, err) != 0)
		return -1;
	if (needs[i].object != 0)
		return object_allows(r, who, key, needs[i].object, block.ignore_acls, err);
	if (access_bucket_acl(r, &acl, err) != 0)
		return -1;
	return acl_grants(&acl, account(who), (enum acl_permission)needs[i].bucket, block.ignore_acls);
}

bool
access_list_allows(const struct req *r, const struct identity *who, const char *action, struct span key)
{
	struct err why = { 0 };
	int rc;

	if (r->bucket == NULL || r->op == OP_CreateBucket)
		return false;
	rc = list_allows(r, who, action, key, &why);
	if (rc < 0)
		log_event(r->id, EV_REQUEST_FAILED, LS("what", "an access control list cannot be read"), LS("bucket", r->bucket_name),
		    LS("detail", why.detail));
	return rc == 1;
}

int
access_to_object(struct req *r, const struct identity *who, const struct object *o, enum acl_permission want)
{
	struct s3_access_block block;
	enum s3_ownership ownership;
	struct acl acl;

	if (strcmp(o->owner_id, r->bucket->owner_id) == 0)
		return 0;
	if (access_ownership(r, &ownership, &r->err) != 0 || access_block(r, &block) != 0)
		return -1;
	if (ownership == S3_OWNER_ENFORCED || (who->app != NULL && strcmp(who->app->owner_id, o->owner_id) == 0))
		return 0;
	access_object_acl(r, o, &acl);
	if (acl_grants(&acl, account(who), want, block.ignore_acls))
		return 0;
	return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
}
