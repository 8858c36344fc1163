/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_config.c - documents that a bucket carries: Get, Put and Delete of
 * each kind are one row of a table. GetBucketPolicyStatus.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, in whichever region is asked: the documents are metadata.
 * Blocks:     Put and Delete on the global database and until every region knows;
 *             Get answers from what authentication found.
 * Invariant:  a document is stored only after its check, and comes back as it was given.
 *
 * To add a kind: a row in `configs` with its check; its handlers in s3/operations.def.
 */
#include "fcgi/ops/ops.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/respond.h"
#include "s3/policy.h"
#include "s3/xml.h"

struct config {
	const char *kind;           /* meta/config_kinds.def */
	enum s3_op get, put, drop;
	const char *content_type;   /* of the document */
	int64_t max_bytes;          /* of a body that is read; the check may want less */
	enum s3_code missing;       /* what Get says when there is none */
	bool owner_only;            /* for the owner's tenant alone, whomever a policy allows it */
	const char *(*document)(const struct bucket *b);                          /* NULL: none */
	int (*check)(const struct req *r, struct span document, struct s3_problem *pr); /* -1 with pr: refused */
};

/* ---- the kinds ---- */

static const char *
policy_document(const struct bucket *b)
{
	return b->policy;
}

static int
policy_may_be_put(const struct req *r, struct span document, struct s3_problem *pr)
{
	const struct policy *p = policy_parse(r->arena, document, POLICY_BUCKET, r->bucket_name, pr);

	return p == NULL ? -1 : policy_check(p, pr);
}

static const struct config configs[] = {
	/* AWS answers 405 to another account that the policy allows it: nobody takes a bucket from its owner. */
	{ "policy", OP_GetBucketPolicy, OP_PutBucketPolicy, OP_DeleteBucketPolicy, "application/json", 4 * POLICY_BYTES_MAX,
	    S3_NoSuchBucketPolicy, true, policy_document, policy_may_be_put },
};

/* ---- their operations ---- */

static const struct config *
config_of(enum s3_op op)
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		if (configs[i].get == op || configs[i].put == op || configs[i].drop == op)
			return &configs[i];
	ASSERT(!"an operation without its row");
	return NULL;
}

static int
check_owner(struct req *r, const struct identity *who, const struct config *c)
{
	if (!c->owner_only || is_owner(r, who))
		return 0;
	(void)s3_problem_set(&r->problem, S3_MethodNotAllowed, NULL);
	s3_problem_extra(&r->problem, "Method", r->method);
	s3_problem_extra(&r->problem, "ResourceType", SPAN("BUCKETPOLICY"));
	return req_refused(r, "for the bucket's owner alone");
}

static int
missing(struct req *r, const struct config *c)
{
	return req_refuse(r, c->missing, NULL, "BucketName", span_of(r->bucket_name));
}

int
op_get_bucket_config(struct req *r, const struct identity *who)
{
	const struct config *c = config_of(r->op);
	const char *document = c->document(r->bucket);
	struct reply rp;

	if (check_owner(r, who, c) != 0)
		return -1;
	if (document == NULL)
		return missing(r, c);
	reply_begin(&rp, r, 200);
	return reply_body(&rp, c->content_type, span_of(document));
}

/* Stores or removes (NULL) it; every region knows when this returns. */
static int
set(struct req *r, const struct config *c, const char *document)
{
	enum config_done done;
	struct reply rp;

	if (meta_bucket_set_config(r->thread->meta, r->arena, &r->bucket->id, c->kind, document, &done, &r->err) != 0)
		return -1;
	if (done == CONFIG_NO_BUCKET)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, 204);
	return reply_empty(&rp);
}

int
op_put_bucket_config(struct req *r, const struct identity *who)
{
	const struct config *c = config_of(r->op);
	struct span document;
	struct body b;

	if (check_owner(r, who, c) != 0)
		return -1;
	if (body_open(r, who, c->max_bytes, &b) != 0 || body_all(&b, &document) != 0)
		return -1;
	if (c->check(r, document, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	return set(r, c, document.p);
}

/* That there was none is no error: it is as asked. */
int
op_delete_bucket_config(struct req *r, const struct identity *who)
{
	const struct config *c = config_of(r->op);

	return check_owner(r, who, c) != 0 ? -1 : set(r, c, NULL);
}

int
op_get_bucket_policy_status(struct req *r, const struct identity *who)
{
	const struct config *c = config_of(OP_GetBucketPolicy);
	struct s3_problem pr = { 0 };
	const struct policy *p;
	struct strbuf xml;

	(void)who;
	if (r->bucket->policy == NULL)
		return missing(r, c);
	p = policy_parse(r->arena, span_of(r->bucket->policy), POLICY_BUCKET, r->bucket_name, &pr);
	strbuf_init(&xml, r->arena, 1024);
	xml_begin(&xml, "PolicyStatus");
	/* One that cannot be read lets nobody in (authorize.c). */
	xml_bool(&xml, "IsPublic", p != NULL && policy_is_public(p));
	xml_close(&xml, "PolicyStatus");
	return reply_xml(r, &xml);
}
