/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_config.h - one kind of document that a bucket carries: a row of the
 * table in bucket_config.c, and what the checks of rows are.
 */
#ifndef ANVIL_FCGI_OPS_BUCKET_CONFIG_H
#define ANVIL_FCGI_OPS_BUCKET_CONFIG_H

#include "fcgi/identity.h"
#include "s3/bucket_config.h"

/* Needs more than the document (the bucket's state, its other documents). 0, or -1 with r->err and r->problem. */
typedef int (*config_may_fn)(struct req *r, const struct identity *who, const char *stored);

struct bucket_config {
	enum config_kind kind;
	enum s3_op get, put, drop;  /* OP_NONE: there is none */
	int put_status;             /* 200 or 204 */
	enum s3_code missing;       /* what Get says when there is none; or */
	const char *none;           /* not NULL: the document that it answers then */
	s3_config_check form;       /* what is taken, and stored; NULL: JSON, stored as given */
	config_may_fn may;          /* NULL: whoever is authorised */
};

/* The bucket's policy (fcgi/ops/bucket_policy.c). */
MUST_CHECK int policy_may_be_put(struct req *r, const struct identity *who, const char *stored);
/* Where access logs may go (fcgi/ops/bucket_logging.c). */
MUST_CHECK int logging_may_be_put(struct req *r, const struct identity *who, const char *stored);
/* Where events may go (fcgi/ops/bucket_notification.c). */
MUST_CHECK int notification_may_be_put(struct req *r, const struct identity *who, const char *stored);
/* Object ownership (fcgi/ops/acl.c). */
MUST_CHECK int ownership_may_be_put(struct req *r, const struct identity *who, const char *stored);

#endif
