/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin/act.h - what the actions share: words for results, limits of lists,
 * policies that are checked before they are stored.
 */
#ifndef ANVIL_ADMIN_ACT_H
#define ANVIL_ADMIN_ACT_H

#include "admin/action.h"
#include "meta/registry.h"
#include "s3/policy.h"

#define LIST_LIMIT 100

/* It is done: a sentence for people. */
#define SAY(ctx, ...) result_say((ctx)->result, MSG_INFO, __VA_ARGS__)
#define WARN(ctx, ...) result_say((ctx)->result, MSG_WARN, __VA_ARGS__)

/* A limit: null when there is none. */
#define C_LIMIT(n) ((n) < 0 ? C_NULL : C_INT(n))

/* A page of a list is asked for with one more than is shown, to know whether more follow. */
static inline int
list_limit(const struct action_ctx *c)
{
	return (int)arg_num(c, "limit", LIST_LIMIT);
}

static inline const char *
enabled_word(bool enabled)
{
	return enabled ? "active" : "disabled";
}

/* The id as text, in the arena. */
const char *act_uuid(const struct action_ctx *c, const struct uuid *u);
/* 0, or -1 with ERR_INVALID and why. bucket: the one it belongs to, for POLICY_BUCKET. */
MUST_CHECK int act_policy_check(const struct action_ctx *c, const char *document, enum policy_kind kind,
    const char *bucket, struct err *err);

/* The bucket of that name, which must be at home here. ERR_NOT_FOUND; ERR_CONFLICT says where it is. */
MUST_CHECK int act_bucket_here(const struct action_ctx *c, const char *name, struct bucket *out, struct err *err);

/* admin/act_doctor.c and its checks: one line each. */
enum check_status { CHECK_OK, CHECK_WARN, CHECK_FAIL };
struct doctor {
	struct action_ctx *ctx;
	struct table *table;
	int warnings, failures;
};
void check_say(struct doctor *d, enum check_status status, const char *check, const char *advice, const char *fmt, ...)
    PRINTF_LIKE(5, 6);
void check_files(struct doctor *d);     /* configuration, secrets, folders */
void check_databases(struct doctor *d); /* reachable, migrated, clock */
void check_cache(struct doctor *d);     /* memcached, trust, regions */
void check_store(struct doctor *d);     /* writable, room */
void check_blobs(struct doctor *d);     /* every file and its row, when asked for */
void check_accounts(struct doctor *d);  /* of buckets with a quota, against their rows; with the former */
void check_endpoint(struct doctor *d);  /* PUT, GET, DELETE through the public address */

#endif
