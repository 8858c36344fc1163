/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/copy.c - the source of a copy: found, and read where it lies in this region.
 *
 * Owns:       the source's open blob while its bytes are handed over.
 * Called by:  fcgi/ops.
 * Blocks:     on the cache (the source's bucket), on one statement on the regional database, and on the store.
 * Invariant:  whoever copies may read the source; no byte is handed over before that is known.
 */
#include "fcgi/copy.h"

#include "fcgi/access.h"
#include "fcgi/authorize.h"
#include "fcgi/copy_remote.h"
#include "fcgi/object_bytes.h"
#include "fcgi/ops/ops.h"
#include "s3/bucket_name.h"

/* ---- which bucket ---- */

static int
no_bucket(struct req *r, struct span name)
{
	return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", name);
}

static int
find_bucket(struct req *r, struct copy_source *s)
{
	const char *name = arena_strndup(r->arena, s->name.bucket.p, s->name.bucket.len);
	struct meta_found *found = ARENA_NEW(r->arena, struct meta_found);

	if (name == NULL || found == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	s->bucket = r->bucket;
	if (strcmp(name, r->bucket->name) == 0)
		return 0;
	if (!bucket_name_valid(s->name.bucket))
		return no_bucket(r, s->name.bucket);
	if (meta_find(r->thread->meta, r->arena, NULL, name, found, &r->err) != 0)
		return -1;
	s->bucket = &found->bucket;
	return found->has_bucket && strcmp(found->bucket.status, "active") == 0 ? 0 : no_bucket(r, s->name.bucket);
}

/* The request as policies of the source see it: a read of that object. */
static int
as_reader(struct req *r, struct copy_source *s)
{
	struct s3_param *p = ARENA_NEW(r->arena, struct s3_param);

	if (p == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	*p = (struct s3_param){ SPAN("versionId"), s->name.version, true };
	s->as = *r;
	s->as.op = OP_GetObject;
	s->as.bucket = s->bucket;
	s->as.bucket_name = s->bucket->name;
	s->as.key = s->name.key;
	s->as.uri.query = (struct s3_query){ p, s->version != NULL ? 1 : 0 };
	return 0;
}

int
copy_find(struct req *r, struct copy_source *s)
{
	struct span owner = req_header(r, "x-amz-source-expected-bucket-owner");

	*s = (struct copy_source){ .last = -1 };
	if (copy_source_parse(r->arena, req_header(r, COPY_SOURCE_HEADER), &s->name, &r->problem) != 0)
		return req_refused(r, "the copy's source is wrong in form");
	if (ops_version_of(r, s->name.version, &s->version_buf, &s->version) != 0 || find_bucket(r, s) != 0)
		return -1;
	if (owner.p != NULL && !span_eq(owner, span_of(s->bucket->owner_id)))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	return as_reader(r, s);
}

/* ---- may it be copied ---- */

static int
find_object(struct req *r, const struct identity *who, struct copy_source *s)
{
	int found;

	if (!allowed(&s->as, who, s3_operation_action(OP_GetObject, s->version != NULL), s->name.key))
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	found = meta_object_get(r->thread->meta, r->arena, s->bucket, s->name.key, s->version, true, &s->o, &r->err);
	if (found < 0)
		return -1;
	if (found == 1 && s->o.is_marker && s->version != NULL)
		return req_refuse(r, S3_InvalidRequest, COPY_OF_MARKER, NULL, SPAN(""));
	if (found == 0 || s->o.is_marker)
		return s->version != NULL ? ops_no_such_version(r, s->name.key, s->name.version)
			: ops_no_such_key(r, &s->as, who, s->name.key);
	if (access_to_object(&s->as, who, &s->o, ACL_READ) != 0)
		return req_refuse(r, S3_AccessDenied, NULL, NULL, SPAN(""));
	s->here = true;
	s->sealed = sse_envelope_kind(s->o.sse);
	s->has_tags = s->o.tags.len > 0;
	s->may_read_tags = !s->has_tags ||
	    allowed(&s->as, who, s3_operation_action(OP_GetObjectTagging, s->version != NULL), s->name.key);
	return 0;
}

static int
check_range(struct req *r, struct copy_source *s)
{
	s->len = s->last < 0 ? s->o.size : s->last - s->first + 1;
	if (s->last >= s->o.size) {
		if (s->first >= s->o.size)
			return req_refuse(r, S3_InvalidRequest, "The specified copy range is invalid for the source object size", NULL, SPAN(""));
		(void)s3_problem_argument(&r->problem,
		    arena_printf(r->arena, "Range specified is not valid for source object of size: %" PRId64, s->o.size),
		    COPY_SOURCE_HEADER "-range", req_header(r, COPY_SOURCE_HEADER "-range"));
		return req_refused(r, "the range lies outside the source");
	}
	if (s->len > COPY_BYTES_MAX)
		return req_refuse(r, S3_InvalidRequest,
		    "The specified copy source is larger than the maximum allowable size for a copy source: " ANVIL_STR(5368709120),
		    NULL, SPAN(""));
	return 0;
}

int
copy_begin(struct req *r, struct copy_source *s, const struct copy_to *to)
{
	struct condition_object co = { .etag = span_of(s->o.etag), .mtime_us = s->o.mtime_us };

	if (copy_condition(&r->headers, COPY_SOURCE_HEADER, &co, r->now_us, &r->problem) != 0)
		return req_refused(r, "a condition on the source does not hold");
	return check_range(r, s) != 0 ? -1 : to->begin(to->arg, s);
}

int
copy_run(struct req *r, const struct identity *who, struct copy_source *s, const struct copy_to *to)
{
	struct object_bytes *bytes = NULL;
	struct sse *sse;
	struct span run;
	int rc;

	if (strcmp(s->bucket->region, r->thread->settings->region) != 0)
		return copy_ask(r, who, s, to);
	if (find_object(r, who, s) != 0 || sse_for_read(r, s->o.sse, SSE_OF_COPY_SOURCE, &sse) != 0)
		return -1;
	rc = copy_begin(r, s, to);
	if (rc != 0)
		return rc < 0 ? -1 : 0;
	rc = object_bytes_open(r, s->bucket, &s->o, sse, s->first, s->len, &bytes);
	while (rc == 0 && (rc = object_bytes_next(bytes, &run)) == 1)
		rc = to->write(to->arg, run.p, run.len);
	object_bytes_close(bytes);
	return rc;
}
