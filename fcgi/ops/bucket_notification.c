/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fcgi/ops/bucket_notification.c - where a bucket's events may go: to a webhook that an
 * operator made, for everybody or for the bucket's tenant. Each is sent a test event.
 *
 * Owns:       nothing.
 * Called by:  bucket_config.c, in whichever region is asked; the test event is that region's.
 * Blocks:     on the global database, and once on the regional one.
 * Invariant:  whose a webhook is, is looked at again at each delivery (fcgi/deliver.c).
 */
#include "fcgi/ops/bucket_config.h"

#include "fcgi/deliver.h"
#include "fcgi/notify.h"
#include "fcgi/worker.h"
#include "meta/notify.h"
#include "meta/registry.h"
#include "s3/headers.h"
#include "s3/notification.h"

#define REFUSAL "Unable to validate the following destination configurations"

/* 1 it may, 0 there is none for this tenant, -1 failed. */
static int
is_there(struct req *r, struct span name)
{
	struct webhook w;
	struct err err = { 0 };
	const char *text = arena_strndup(r->arena, name.p, name.len);

	if (text == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	if (registry_webhook_find(r->thread->meta, r->arena, text, &w, &err) == 0)
		return w.owner_id == NULL || strcmp(w.owner_id, r->bucket->owner_id) == 0 ? 1 : 0;
	return err.code == ERR_NOT_FOUND ? 0 : err_fail(&r->err, err.code, err.where, "%s", err.detail);
}

static int
send_test(struct req *r, struct span name)
{
	struct notify n = { .bucket = r->bucket, .address = r->client_addr == NULL ? "" : r->client_addr, .request_id = notify_request(r) };
	struct notify_to to = { arena_strndup(r->arena, name.p, name.len), "", "TestEvent",
		r->access_key == NULL ? "Anonymous" : r->access_key };

	if (to.webhook == NULL || n.request_id == NULL)
		return FAIL(&r->err, ERR_LIMIT, "arena is full");
	return meta_notify_test(r->thread->meta, r->arena, &n, &to, &r->err);
}

static bool
is_first(const struct notification_configs *c, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (span_eq(c->v[j].webhook, c->v[i].webhook))
			return false;
	return true;
}

int
notification_may_be_put(struct req *r, const struct identity *who, const char *stored)
{
	struct notification_configs c;

	(void)who;
	if (s3_ieq(req_header(r, "x-amz-skip-destination-validation"), SPAN("true")))
		return 0;
	notification_read(r->arena, stored, &c);
	for (size_t i = 0; i < c.n; i++) {
		int there = is_there(r, c.v[i].webhook);

		if (there < 0)
			return -1;
		if (there == 0) {
			(void)s3_problem_argument(&r->problem, REFUSAL, arena_strndup(r->arena, c.v[i].arn.p, c.v[i].arn.len),
			    SPAN("The destination does not exist"));
			return req_refused(r, "no such webhook");
		}
	}
	for (size_t i = 0; i < c.n; i++)
		if (is_first(&c, i) && send_test(r, c.v[i].webhook) != 0)
			return -1;
	deliver_wake(r->thread->worker->deliverers);
	return 0;
}
