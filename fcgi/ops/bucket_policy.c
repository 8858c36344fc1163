/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_policy.c - what a bucket's policy may be, GetBucketPolicyStatus, and
 * the lists of configurations that no bucket here has.
 *
 * Owns:       nothing.
 * Called by:  bucket_config.c, dispatch.c.
 * Blocks:     on the cache.
 */
#include "fcgi/ops/bucket_config.h"

#include "fcgi/access.h"
#include "fcgi/ops/ops.h"
#include "fcgi/respond.h"
#include "s3/policy.h"

int
policy_may_be_put(struct req *r, const struct identity *who, const char *stored)
{
	const struct policy *p = policy_parse(r->arena, span_of(stored), POLICY_BUCKET, r->bucket_name, &r->problem);
	struct s3_access_block block;

	(void)who;
	if (p == NULL || policy_check(p, &r->problem) != 0)
		return req_refused(r, "the document is refused");
	if (access_block(r, &block) != 0)
		return -1;
	if (block.block_policy && policy_is_public(p))
		return req_refuse(r, S3_AccessDenied, "Access Denied: public policies are blocked by the BlockPublicPolicy setting.", NULL,
		    SPAN(""));
	return 0;
}

int
op_get_bucket_policy_status(struct req *r, const struct identity *who)
{
	struct s3_problem pr = { 0 };
	const struct policy *p;
	struct strbuf xml;

	(void)who;
	if (r->bucket->policy == NULL)
		return req_refuse(r, S3_NoSuchBucketPolicy, NULL, "BucketName", span_of(r->bucket_name));
	p = policy_parse(r->arena, span_of(r->bucket->policy), POLICY_BUCKET, r->bucket_name, &pr);
	strbuf_init(&xml, r->arena, 1024);
	xml_begin(&xml, "PolicyStatus");
	/* One that cannot be read lets nobody in (authorize.c). */
	xml_bool(&xml, "IsPublic", p != NULL && policy_is_public(p));
	xml_close(&xml, "PolicyStatus");
	return reply_xml(r, &xml);
}

/* ---- analytics, metrics, inventory, intelligent tiering: none, so that programs that look go on ---- */

int
op_list_no_configs(struct req *r, const struct identity *who)
{
	static const struct {
		enum s3_op op;
		const char *root;
	} roots[] = {
		{ OP_ListBucketAnalyticsConfigurations, "ListBucketAnalyticsConfigurationResult" },
		{ OP_ListBucketIntelligentTieringConfigurations, "ListBucketIntelligentTieringConfigurationsOutput" },
		{ OP_ListBucketInventoryConfigurations, "ListInventoryConfigurationsResult" },
		{ OP_ListBucketMetricsConfigurations, "ListMetricsConfigurationsResult" },
	};
	struct strbuf xml;
	size_t i = 0;

	(void)who;
	while (roots[i].op != r->op)
		ASSERT(++i < ARRAY_LEN(roots));
	strbuf_init(&xml, r->arena, 1024);
	xml_begin(&xml, roots[i].root);
	xml_bool(&xml, "IsTruncated", false);
	xml_close(&xml, roots[i].root);
	return reply_xml(r, &xml);
}

int
op_no_such_config(struct req *r, const struct identity *who)
{
	(void)who;
	return req_refuse(r, S3_NoSuchConfiguration, NULL, NULL, SPAN(""));
}
