/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket.c - CreateBucket, HeadBucket, GetBucketLocation, DeleteBucket.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c.
 * Blocks:     Create and Delete on the global database and until every region knows;
 *             the other two answer from what authentication found.
 * Invariant:  a bucket is usable in every region when its 200 arrives.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/ops/acl.h"
#include "fcgi/respond.h"
#include "s3/bucket_name.h"
#include "s3/create_bucket.h"
#include "s3/tagging.h"
#include "s3/xml.h"

#define CREATE_BODY_MAX 65536

/* What SDKs leave out, or put in unasked. */
static const char *
standard_region(const struct settings *s)
{
	return s->default_region[0] != '\0' ? s->default_region : s->region;
}

static int
read_configuration(struct req *r, const struct identity *who, struct s3_create_bucket *cb)
{
	struct body b;
	struct span text = SPAN("");

	/* Clients send no body, with or without saying so. */
	if (r->content_length > 0 || payload_is_chunked(who->auth.payload)) {
		if (body_open(r, who, CREATE_BODY_MAX, &b) != 0 || body_all(&b, &text) != 0)
			return -1;
	}
	if (s3_create_bucket_parse(r->arena, text, cb, &r->problem) != 0)
		return req_refused(r, "the bucket's configuration is refused");
	if (cb->location_type.len > 0 || cb->location_name.len > 0 || cb->bucket_type.len > 0)
		return req_refuse(r, S3_NotImplemented, "Directory buckets are not implemented.", NULL, SPAN(""));
	return 0;
}

/* ---- what the bucket carries from the start ---- */

#define DOCUMENTS_MAX 4
struct start {
	struct bucket_start bucket;
	const char *kinds[DOCUMENTS_MAX], *documents[DOCUMENTS_MAX];
	size_t n;
};

static void
carry(struct start *st, enum config_kind kind, const char *document)
{
	if (document == NULL)
		return;
	ASSERT(st->n < DOCUMENTS_MAX - 1);
	st->kinds[st->n] = config_kind_name(kind);
	st->documents[st->n++] = document;
}

static int
begin_with(struct req *r, const struct identity *who, const struct s3_create_bucket *cb, struct start *st)
{
	struct s3_tags tags = { cb->tags, cb->n_tags };
	const char *acl, *ownership;
	struct strbuf xml;

	*st = (struct start){ .bucket = { .lock = s3_ieq(req_header(r, "x-amz-bucket-object-lock-enabled"), SPAN("true")),
		.kinds = st->kinds, .documents = st->documents } };
	if (acl_of_new_bucket(r, who, &acl, &ownership) != 0)
		return -1;
	carry(st, CONFIG_KIND_ACL, acl);
	carry(st, CONFIG_KIND_OWNERSHIP, ownership);
	if (tags.n == 0)
		return 0;
	if (!allowed(r, who, "s3:PutBucketTagging", SPAN("")))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	strbuf_init(&xml, r->arena, 4 * CREATE_BODY_MAX);
	s3_tags_xml(&xml, &tags);
	if (!strbuf_ok(&xml))
		return FAIL(&r->err, ERR_LIMIT, "the tags are too long");
	carry(st, CONFIG_KIND_TAGGING, strbuf_cstr(&xml));
	return 0;
}

static int
make_in(struct req *r, const struct identity *who, const char *region, const struct start *st, enum bucket_made *made)
{
	return meta_bucket_create_with(r->thread->meta, r->arena, r->bucket_name, region, &who->app->tenant_id, &st->bucket, made,
	    &r->err);
}

/*
 * In the region that is named; nothing means the default region, and so does
 * "us-east-1" where no region has that name. s3cmd writes "eu" as "EU", S3's oldest
 * name for Ireland: where no region is called so, letters' case does not matter.
 * *region: where it came to lie.
 */
static int
make(struct req *r, const struct identity *who, struct span constraint, const struct start *st, const char **region,
    enum bucket_made *made)
{
	char *named;

	*region = standard_region(r->thread->settings);
	if (constraint.len == 0)
		return make_in(r, who, *region, st, made);
	named = arena_strndup(r->arena, constraint.p, constraint.len);
	if (named == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (make_in(r, who, named, st, made) != 0)
		return -1;
	if (*made == BUCKET_NO_REGION && strcmp(named, "us-east-1") == 0)
		return make_in(r, who, *region, st, made);
	*region = named;
	if (*made != BUCKET_NO_REGION)
		return 0;
	for (char *p = named; *p != '\0'; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p = (char)(*p + ('a' - 'A'));
	return span_eq(span_of(named), constraint) ? 0 : make_in(r, who, named, st, made);
}

/* The owner's bucket is there: 1 answer as if it were made now, 0 say so. */
static int
is_again(struct req *r, const struct s3_create_bucket *cb, const char *region)
{
	struct meta_found found;

	if (meta_find(r->thread->meta, r->arena, NULL, r->bucket_name, &found, &r->err) != 0)
		return -1;
	return found.has_bucket && s3_create_bucket_again(&r->headers, cb, found.bucket.region, region) ? 1 : 0;
}

int
op_create_bucket(struct req *r, const struct identity *who)
{
	struct span name = span_of(r->bucket_name);
	struct s3_create_bucket cb;
	enum bucket_made made;
	struct start st;
	const char *region;
	struct reply rp;
	int again;

	if (who->app == NULL)
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	if (bucket_name_check(name, &r->problem) != 0)
		return req_refused(r, "no bucket may have that name");
	if (ops_check_headers(r) != 0 || read_configuration(r, who, &cb) != 0 ||
	    begin_with(r, who, &cb, &st) != 0)
		return -1;
	if (make(r, who, cb.location_constraint, &st, &region, &made) != 0)
		return -1;
	switch (made) {
	case BUCKET_MADE:
		break;
	case BUCKET_YOURS:
		again = is_again(r, &cb, region);
		if (again == 1)
			break;
		return again < 0 ? -1 : req_refuse(r, S3_BucketAlreadyOwnedByYou, NULL, "BucketName", name);
	case BUCKET_TAKEN:
		return req_refuse(r, S3_BucketAlreadyExists, NULL, "BucketName", name);
	case BUCKET_TOO_MANY:
		return req_refuse(r, S3_TooManyBuckets, NULL, NULL, SPAN(""));
	case BUCKET_NO_REGION:
		return req_refuse(r, S3_InvalidLocationConstraint, NULL, "LocationConstraint", cb.location_constraint);
	}
	reply_begin(&rp, r, 200);
	strbuf_printf(&rp.head, "Location: /%s\r\n", r->bucket_name);
	reply_str(&rp, "x-amz-bucket-region", region);
	return reply_empty(&rp);
}

int
op_head_bucket(struct req *r, const struct identity *who)
{
	struct reply rp;

	(void)who;
	reply_begin(&rp, r, 200);
	reply_str(&rp, "Content-Type", "application/xml");
	return reply_empty(&rp);
}

int
op_get_bucket_location(struct req *r, const struct identity *who)
{
	struct strbuf xml;

	(void)who;
	strbuf_init(&xml, r->arena, 1024);
	strbuf_str(&xml, XML_DECLARATION "<LocationConstraint xmlns=\"" XML_S3_NS "\">");
	/* S3's oldest region has no name here */
	if (strcmp(r->bucket->region, "us-east-1") != 0)
		xml_escape(&xml, span_of(r->bucket->region));
	strbuf_str(&xml, "</LocationConstraint>");
	return reply_xml(r, &xml);
}

int
op_delete_bucket(struct req *r, const struct identity *who)
{
	enum bucket_gone gone;
	struct reply rp;

	(void)who;
	if (meta_bucket_delete(r->thread->meta, r->arena, r->bucket, &gone, &r->err) != 0)
		return -1;
	if (gone == BUCKET_NOT_EMPTY)
		return req_refuse(r, S3_BucketNotEmpty, r->bucket->versioning[0] == '\0' ? NULL :
			"The bucket you tried to delete is not empty. You must delete all versions in the bucket.", "BucketName", span_of(r->bucket_name));
	if (gone == BUCKET_NOT_THERE)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, 204);
	return reply_empty(&rp);
}
