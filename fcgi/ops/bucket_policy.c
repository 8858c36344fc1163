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

/* Where access control lists count: does the bucket's let everybody in? 1, 0; -1 with r->err. */
static int
list_is_public(struct req *r)
{
	struct acl *acl = ARENA_NEW(r->arena, struct acl);
	struct s3_access_block block;

	if (acl == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (access_bucket_acl(r, acl, &r->err) != 0 || access_block(r, &block) != 0)
		return -1;
	return acl_is_public(acl) && !block.ignore_acls;
}

int
op_get_bucket_policy_status(struct req *r, const struct identity *who)
{
	bool lists = bucket_has_config(r->bucket, CONFIG_KIND_OWNERSHIP);
	struct s3_problem pr = { 0 };
	const struct policy *p = NULL;
	struct strbuf xml;
	int listed = 0;

	(void)who;
	if (r->bucket->policy == NULL && !lists)
		return req_refuse(r, S3_NoSuchBucketPolicy, NULL, "BucketName", span_of(r->bucket_name));
	if (lists && (listed = list_is_public(r)) < 0)
		return -1;
	/* One that cannot be read lets nobody in (authorize.c). */
	if (r->bucket->policy != NULL)
		p = policy_parse(r->arena, span_of(r->bucket->policy), POLICY_BUCKET, r->bucket_name, &pr);
	strbuf_init(&xml, r->arena, 1024);
	xml_begin(&xml, "PolicyStatus");
	xml_bool(&xml, "IsPublic", listed == 1 || (p != NULL && policy_is_public(p)));
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
