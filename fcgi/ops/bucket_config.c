/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_config.c - documents that a bucket carries: Get, Put and Delete of
 * each kind are one row of a table.
 *
 * Owns:       nothing.
 * Called by:  dispatch.c, in whichever region is asked: the documents are metadata.
 * Blocks:     Put and Delete on the global database and until every region knows;
 *             Get on the cache.
 * Invariant:  a document is stored only after its check.
 *
 * To add a kind: a row in `configs`; its handlers and ANYWHERE in s3/operations.def.
 */
#include "fcgi/ops/bucket_config.h"

#include "fcgi/authorize.h"
#include "fcgi/body.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "s3/access_log.h"
#include "s3/cors.h"
#include "s3/lifecycle.h"
#include "s3/notification.h"
#include "s3/policy.h"
#include "s3/tagging.h"
#include "s3/website.h"

#define TRANSITION_SIZE "x-amz-transition-default-minimum-object-size"
#define TRANSITION_SIZE_DEFAULT "all_storage_classes_128K"

#define NS " xmlns=\"" XML_S3_NS "\""

static const struct bucket_config configs[] = {
	{ CONFIG_KIND_POLICY, OP_GetBucketPolicy, OP_PutBucketPolicy, OP_DeleteBucketPolicy, 204, S3_NoSuchBucketPolicy, NULL, NULL,
	    policy_may_be_put },
	{ CONFIG_KIND_CORS, OP_GetBucketCors, OP_PutBucketCors, OP_DeleteBucketCors, 200, S3_NoSuchCORSConfiguration, NULL,
	    s3_cors_check, NULL },
	{ CONFIG_KIND_LIFECYCLE, OP_GetBucketLifecycleConfiguration, OP_PutBucketLifecycleConfiguration, OP_DeleteBucketLifecycle, 200,
	    S3_NoSuchLifecycleConfiguration, NULL, s3_lifecycle_check, NULL },
	{ CONFIG_KIND_LOGGING, OP_GetBucketLogging, OP_PutBucketLogging, OP_NONE, 200, S3_OK, XML_DECLARATION "<BucketLoggingStatus" NS "/>", s3_logging_check,
	    logging_may_be_put },
	{ CONFIG_KIND_NOTIFICATION, OP_GetBucketNotificationConfiguration, OP_PutBucketNotificationConfiguration, OP_NONE, 200, S3_OK,
	    XML_DECLARATION "<NotificationConfiguration" NS "/>", s3_notification_check, notification_may_be_put },
	{ CONFIG_KIND_WEBSITE, OP_GetBucketWebsite, OP_PutBucketWebsite, OP_DeleteBucketWebsite, 200, S3_NoSuchWebsiteConfiguration, NULL,
	    s3_website_check, NULL },
	{ CONFIG_KIND_TAGGING, OP_GetBucketTagging, OP_PutBucketTagging, OP_DeleteBucketTagging, 204, S3_NoSuchTagSet, NULL,
	    s3_bucket_tags_check, NULL },
	{ CONFIG_KIND_PUBLIC_ACCESS_BLOCK, OP_GetPublicAccessBlock, OP_PutPublicAccessBlock, OP_DeletePublicAccessBlock, 200,
	    S3_NoSuchPublicAccessBlockConfiguration, NULL, s3_access_block_check, NULL },
	{ CONFIG_KIND_OWNERSHIP, OP_NONE, OP_PutBucketOwnershipControls, OP_NONE, 200, S3_OK, NULL, s3_ownership_check,
	    ownership_may_be_put },
	{ CONFIG_KIND_REPLICATION, OP_GetBucketReplication, OP_NONE, OP_DeleteBucketReplication, 200,
	    S3_ReplicationConfigurationNotFoundError, NULL, NULL, NULL },
	{ CONFIG_KIND_ACCELERATE, OP_GetBucketAccelerateConfiguration, OP_PutBucketAccelerateConfiguration, OP_NONE, 200, S3_OK,
	    XML_DECLARATION "<AccelerateConfiguration" NS "/>", s3_accelerate_check, NULL },
	{ CONFIG_KIND_REQUEST_PAYMENT, OP_GetBucketRequestPayment, OP_PutBucketRequestPayment, OP_NONE, 200, S3_OK,
	    XML_DECLARATION "<RequestPaymentConfiguration" NS "><Payer>BucketOwner</Payer></RequestPaymentConfiguration>",
	    s3_request_payment_check, NULL },
};

static const struct bucket_config *
config_of(enum s3_op op)
{
	for (size_t i = 0; i < ARRAY_LEN(configs); i++)
		if (configs[i].get == op || configs[i].put == op || configs[i].drop == op)
			return &configs[i];
	ASSERT(!"an operation without its row");
	return NULL;
}

/* AWS answers 405 to another account that the policy allows its policy's change: nobody takes a bucket from its owner. */
static int
check_owner(struct req *r, const struct identity *who, const struct bucket_config *c)
{
	if (c->kind != CONFIG_KIND_POLICY || is_owner(r, who))
		return 0;
	(void)s3_problem_set(&r->problem, S3_MethodNotAllowed, NULL);
	s3_problem_extra(&r->problem, "Method", r->method);
	s3_problem_extra(&r->problem, "ResourceType", SPAN("BUCKETPOLICY"));
	return req_refused(r, "for the bucket's owner alone");
}

/* The policy is part of the bucket's own value. */
static int
find(struct req *r, const struct bucket_config *c, const char **document)
{
	if (c->kind != CONFIG_KIND_POLICY)
		return meta_bucket_config(r->thread->meta, r->arena, r->bucket, c->kind, document, &r->err);
	*document = r->bucket->policy;
	return 0;
}

/* Which objects are too small for a transition: with none to do there is S3's default alone. Clients wait until they read what they said. */
static void
transition_header(struct reply *rp, const struct bucket_config *c)
{
	if (c->kind == CONFIG_KIND_LIFECYCLE)
		reply_str(rp, TRANSITION_SIZE, TRANSITION_SIZE_DEFAULT);
}

static int
check_transition(struct req *r)
{
	struct span said = req_header(r, TRANSITION_SIZE);

	if (said.p == NULL || span_eq(said, SPAN(TRANSITION_SIZE_DEFAULT)))
		return 0;
	if (span_eq(said, SPAN("varies_by_storage_class")))
		return req_refuse(r, S3_NotImplemented, NULL, "Header", SPAN(TRANSITION_SIZE));
	return req_refuse(r, S3_InvalidRequest,
	    arena_printf(r->arena, "Invalid TransitionDefaultMinimumObjectSize found: %.*s", (int)said.len, said.p), NULL, SPAN(""));
}

int
op_get_bucket_config(struct req *r, const struct identity *who)
{
	const struct bucket_config *c = config_of(r->op);
	const char *document;
	struct reply rp;

	if (check_owner(r, who, c) != 0 || find(r, c, &document) != 0)
		return -1;
	if (document == NULL)
		document = c->none;
	if (document == NULL)
		return req_refuse(r, c->missing, NULL, "BucketName", span_of(r->bucket_name));
	reply_begin(&rp, r, 200);
	transition_header(&rp, c);
	return reply_body(&rp, c->form == NULL ? "application/json" : "application/xml", span_of(document));
}

int
config_store(struct req *r, enum config_kind kind, const char *document)
{
	enum config_done done;

	if (meta_bucket_set_config(r->thread->meta, r->arena, &r->bucket->id, config_kind_name(kind), document, &done,
	        &r->err) != 0)
		return -1;
	if (done == CONFIG_NO_BUCKET)
		return req_refuse(r, S3_NoSuchBucket, NULL, "BucketName", span_of(r->bucket_name));
	return 0;
}

static int
store(struct req *r, const struct bucket_config *c, const char *document, int status)
{
	struct reply rp;

	if (config_store(r, c->kind, document) != 0)
		return -1;
	reply_begin(&rp, r, status);
	if (document != NULL)
		transition_header(&rp, c);
	return reply_empty(&rp);
}

/* A policy says so in its own words. */
static int
check_length(struct req *r, const struct bucket_config *c, size_t len)
{
	size_t max = c->kind == CONFIG_KIND_LIFECYCLE ? S3_LIFECYCLE_BYTES_MAX : S3_CONFIG_BYTES_MAX;
	const char *text;

	if (c->form == NULL || len <= max)
		return 0;
	text = arena_printf(r->arena, "%zu", max);
	return req_refuse(r, S3_MaxMessageLengthExceeded, NULL, "MaxMessageLengthBytes", span_of(text != NULL ? text : ""));
}

int
op_put_bucket_config(struct req *r, const struct identity *who)
{
	const struct bucket_config *c = config_of(r->op);
	struct span given;
	const char *stored;
	struct body b;

	if (check_owner(r, who, c) != 0 || (c->kind == CONFIG_KIND_LIFECYCLE && check_transition(r) != 0))
		return -1;
	if (body_open(r, who, c->form == NULL ? 4 * POLICY_BYTES_MAX : 2 * S3_LIFECYCLE_BYTES_MAX, &b) != 0 ||
	    body_all(&b, &given) != 0 || check_length(r, c, given.len) != 0)
		return -1;
	stored = given.p;
	if (c->form != NULL && c->form(r->arena, given, &stored, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	if (c->may != NULL && c->may(r, who, stored) != 0)
		return -1;
	return store(r, c, stored, c->put_status);
}

/* That there was none is no error: it is as asked. */
int
op_delete_bucket_config(struct req *r, const struct identity *who)
{
	const struct bucket_config *c = config_of(r->op);

	return check_owner(r, who, c) != 0 ? -1 : store(r, c, NULL, 204);
}
