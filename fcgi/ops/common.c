/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/common.c - what several handlers share.
 *
 * Owns:       nothing.
 * Called by:  the handlers.
 * Blocks:     ops_find_object: one statement on the regional database.
 * Invariant:  a header that asks for what is not built is never passed over.
 */
#include "fcgi/ops/ops.h"

#include "base/metrics.h"
#include "fcgi/access.h"
#include "fcgi/authorize.h"
#include "meta/object.h"
#include "meta/registry.h"
#include "s3/date.h"

int
op_not_implemented(struct req *r, const struct identity *who)
{
	const char *text = arena_printf(r->arena, "%s is not implemented.", s3_operation_name((int)r->op));

	(void)who;
	metric_add(M_NOT_IMPLEMENTED, 1);
	return req_refuse(r, S3_NotImplemented, text, NULL, SPAN(""));
}

/* Beginnings of names; refused unless they say "false". */
static const char *const not_built[] = {
	"x-amz-write-offset-bytes",
};

/* Operations that store access control lists: add one when it calls ops_acl. */
static bool
takes_acl(enum s3_op op)
{
	return op == OP_PutObject || op == OP_PostObject || op == OP_CopyObject || op == OP_CreateMultipartUpload ||
	    op == OP_CreateBucket;
}

/* Operations that encrypt what they store (fcgi/sse.h): add one when it calls sse_for_write or sse_for_part. */
static bool
encrypts(enum s3_op op)
{
	return op == OP_PutObject || op == OP_PostObject || op == OP_CopyObject || op == OP_CreateMultipartUpload ||
	    op == OP_UploadPart || op == OP_UploadPartCopy;
}

/* Operations that store tags: add one when it calls ops_tags. */
static bool
takes_tags(enum s3_op op)
{
	return op == OP_PutObject || op == OP_PostObject || op == OP_CopyObject || op == OP_CreateMultipartUpload;
}

/* The others must not store plain bytes where a header or the bucket's default asks for sealed ones. */
static int
check_encryption(struct req *r)
{
	static const char *const names[] = { "x-amz-server-side-encryption", "x-amz-copy-source-server-side-encryption" };

	if (encrypts(r->op))
		return 0;
	for (size_t i = 0; i < r->headers.n; i++)
		for (size_t k = 0; k < ARRAY_LEN(names); k++)
			if (s3_istarts(r->headers.h[i].name, names[k]))
				return req_refuse(r, S3_NotImplemented, NULL, "Header", r->headers.h[i].name);
	if (r->bucket != NULL && r->op != OP_CreateBucket && bucket_has_config(r->bucket, CONFIG_KIND_ENCRYPTION))
		return req_refuse(r, S3_NotImplemented, "This operation cannot encrypt as the bucket's default asks.", NULL, SPAN(""));
	return 0;
}

int
ops_check_headers(struct req *r)
{
	if (check_encryption(r) != 0)
		return -1;
	for (size_t i = 0; i < r->headers.n; i++) {
		const struct s3_header *h = &r->headers.h[i];

		if (h->name.len < 6 || memcmp(h->name.p, "x-amz-", 6) != 0)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(not_built); k++)
			if (s3_istarts(h->name, not_built[k]) && !s3_ieq(h->value, SPAN("false")))
				return req_refuse(r, S3_NotImplemented, NULL, "Header", h->name);
		if (s3_istarts(h->name, "x-amz-tagging") && !takes_tags(r->op))
			return req_refuse(r, S3_NotImplemented, NULL, "Header", h->name);
		if (!takes_acl(r->op) && ((span_eq(h->name, SPAN("x-amz-acl")) && !span_eq(h->value, SPAN("bucket-owner-full-control"))) ||
		    s3_istarts(h->name, "x-amz-grant-")))
			return req_refuse(r, S3_AccessControlListNotSupported, NULL, NULL, SPAN(""));
	}
	return 0;
}

int
ops_no_such_key(struct req *r, const struct req *as, const struct identity *who, struct span key)
{
	if (!allowed(as, who, "s3:ListBucket", SPAN("")))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	return req_refuse(r, S3_NoSuchKey, NULL, "Key", key);
}

const char *
ops_owner_name(struct req *r, const struct identity *who, const char *id, struct err *err)
{
	struct tenant t;

	if (r->bucket != NULL && strcmp(id, r->bucket->owner_id) == 0)
		return r->bucket->owner_name;
	if (who->app != NULL && strcmp(id, who->app->owner_id) == 0)
		return who->app->tenant_name;
	if (registry_tenant_find(r->thread->meta, r->arena, id, &t, err) != 0 || strcmp(t.canonical_id, id) != 0)
		return NULL;
	return t.name;
}

int
ops_version_of(struct req *r, struct span text, struct version_id *buf, const struct version_id **out)
{
	*out = NULL;
	if (text.p == NULL)
		return 0;
	if (!version_parse(text, buf)) {
		(void)s3_problem_argument(&r->problem,
		    text.len == 0 ? "Version id cannot be the empty string" : "Invalid version id specified", "versionId", text);
		return req_refused(r, "no version's id");
	}
	*out = buf;
	return 0;
}

int
ops_no_such_version(struct req *r, struct span key, struct span version)
{
	(void)s3_problem_set(&r->problem, S3_NoSuchVersion, NULL);
	s3_problem_extra(&r->problem, "Key", key);
	s3_problem_extra(&r->problem, "VersionId", version);
	return req_refused(r, "no such version");
}

int
ops_marker_not_allowed(struct req *r)
{
	(void)s3_problem_set(&r->problem, S3_MethodNotAllowed, NULL);
	s3_problem_extra(&r->problem, "Method", r->method);
	s3_problem_extra(&r->problem, "ResourceType", SPAN("DeleteMarker"));
	return req_refused(r, "a delete marker has no bytes");
}

int
ops_changed(struct req *r, int wrote)
{
	struct span version = req_param(r, "versionId");

	switch ((enum object_wrote)wrote) {
	case OBJECT_NOT_THERE:
		if (version.p != NULL)
			return ops_no_such_version(r, r->key, version);
		return req_refuse(r, S3_NoSuchKey, NULL, "Key", r->key);
	case OBJECT_LOCKED:
		return req_refuse(r, S3_AccessDenied, "Access Denied because object protected by object lock.", NULL, SPAN(""));
	case OBJECT_IS_MARKER:
		return ops_marker_not_allowed(r);
	case OBJECT_WROTE:
	case OBJECT_FENCE_CLOSED:
	case OBJECT_PRECONDITION:
		break;
	}
	return 0;
}

const char *
ops_location(struct req *r)
{
	struct strbuf sb;

	strbuf_init(&sb, r->arena, OPS_LOCATION_MAX);
	strbuf_str(&sb, r->secure ? "https://" : "http://");
	strbuf_span(&sb, r->host);
	strbuf_ch(&sb, '/');
	if (r->uri.style == S3_STYLE_PATH) {
		strbuf_str(&sb, r->bucket_name);
		strbuf_ch(&sb, '/');
	}
	uri_path(&sb, r->key);
	return strbuf_ok(&sb) ? strbuf_cstr(&sb) : "";
}

/* What is done with another account's object needs that account's word. */
static int
check_owner(struct req *r, const struct identity *who, const struct object *o)
{
	switch ((int)r->op) {
	case OP_GetObject:
	case OP_HeadObject:
	case OP_GetObjectAttributes:
		return access_to_object(r, who, o, ACL_READ);
	case OP_GetObjectAcl:
		return access_to_object(r, who, o, ACL_READ_ACP);
	case OP_PutObjectAcl:
		return access_to_object(r, who, o, ACL_WRITE_ACP);
	default:
		return 0;
	}
}

int
ops_find_object(struct req *r, const struct identity *who, bool want_data, struct object *out)
{
	struct span text = req_param(r, "versionId");
	const struct version_id *version;
	struct version_id buf;
	int found;

	if (ops_version_of(r, text, &buf, &version) != 0)
		return -1;
	found = meta_object_get(r->thread->meta, r->arena, r->bucket, r->key, version, want_data, out, &r->err);
	if (found < 0)
		return -1;
	if (version != NULL && found == 0)
		return ops_no_such_version(r, r->key, text);
	if (found == 1 && out->is_marker) {
		char date[DATE_HTTP_SIZE];

		bool is_gone = version == NULL && r->op != OP_GetObjectTagging && r->op != OP_PutObjectAcl;

		if (is_gone)
			(void)ops_no_such_key(r, r, who, r->key);
		date_http(out->mtime_us, date);
		r->more_headers = arena_printf(r->arena, "x-amz-delete-marker: true\r\nx-amz-version-id: %s\r\nLast-Modified: %s\r\n",
		    out->version, date);
		return is_gone ? -1 : ops_marker_not_allowed(r);
	}
	return found == 1 ? check_owner(r, who, out) : ops_no_such_key(r, r, who, r->key);
}
